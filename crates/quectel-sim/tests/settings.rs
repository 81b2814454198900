//! Quirks of section 7 and conflicts of section 8 of the notes, as settings of a profile.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{
    Bench, config,
    world::{Listener, World},
};
use quectel_sim::{FaultAction, ModuleConfig, PowerState, SimState, Timing};

const OK: &str = "\\r\\nOK\\r\\n";

fn setup(model: &str, overlay: &str) -> ModuleConfig {
    let mut setup = config(model)
        .timing(Timing::Fast)
        .power(PowerState::Ready)
        .nonvolatile("urcport", "uart1");
    setup.profile.overlay("test", overlay).unwrap();
    setup
}

/// A quiet module with this setting, an active context, and a broker.
fn world(model: &str, overlay: &str) -> World {
    let mut world = World::new(setup(model, overlay));
    world.listen("broker", 1883, Listener::default());
    world.send("ATE0\r");
    world.send("AT+QIACT=1\r");
    world
}

#[test]
fn the_result_of_an_open_before_its_ok() {
    let order = "[mqtt]\nopen_order = \"result-first\"\n";
    let mut w = world("bg95", order);
    assert_eq!(
        w.send("AT+QMTOPEN=0,\"nowhere\",1883\r"),
        "\\r\\n+QMTOPEN: 0,4\\r\\n\\r\\nERROR\\r\\n"
    );
    assert_eq!(
        w.send("AT+QMTOPEN=0,\"broker\",1\r"),
        "\\r\\n+QMTOPEN: 0,-1\\r\\n\\r\\nERROR\\r\\n"
    );
    assert_eq!(
        w.send("AT+QMTOPEN=0,\"broker\",1883\r"),
        format!("\\r\\n+QMTOPEN: 0,0\\r\\n{OK}")
    );
    assert_eq!(
        w.send("AT+QMTOPEN=0,\"broker\",1883\r"),
        "\\r\\n+QMTOPEN: 0,2\\r\\n\\r\\nERROR\\r\\n"
    );
    assert_eq!(
        w.send("AT+QMTOPEN=1,\"broker\",1883;+QMTCONN?\r"),
        format!("\\r\\n+QMTOPEN: 1,0\\r\\n\\r\\n+QMTCONN: 0,1\\r\\n+QMTCONN: 1,1\\r\\n{OK}")
    );
    // What happens later comes as a URC, as with every module.
    w.bench.module.drop_pdp(1);
    assert!(
        w.wait(10)
            .contains("\\r\\n+QMTSTAT: 0,1\\r\\n\\r\\n+QMTSTAT: 1,1\\r\\n")
    );
    // A context that goes away ends the command.
    let mut w = World::new(setup("bg95", order));
    w.send("ATE0\r");
    w.ok("AT+QIACT=1");
    assert_eq!(w.bench.send("AT+QMTOPEN=0,\"broker\",1883\r"), "");
    w.bench.module.drop_pdp(1);
    assert!(
        w.bench
            .wait(10)
            .contains("\\r\\n+QMTOPEN: 0,-1\\r\\n\\r\\nERROR\\r\\n")
    );
    assert_eq!(w.send("AT\r"), OK);
}

#[test]
fn digits_of_a_year() {
    for (overlay, year) in [("", "2026"), ("[clock]\nqlts_year_digits = 2\n", "26")] {
        let mut b = Bench::with(setup("bg96", overlay));
        b.send("ATE0\r");
        assert_eq!(
            b.send("AT+QLTS=1\r"),
            format!("\\r\\n+QLTS: \"{year}/08/07,12:00:00+32,0\"\\r\\n{OK}")
        );
    }
}

#[test]
fn escape_where_bytes_are_counted() {
    for (overlay, answer) in [
        ("", format!("{OK}\\r\\n+QMTPUB: 0,1,0\\r\\n")),
        ("[line]\nesc_cancels_counted = true\n", OK.to_owned()),
    ] {
        let mut w = world("bg95", overlay);
        w.ok("AT+QMTOPEN=0,\"broker\",1883");
        w.ok("AT+QMTCONN=0,\"id\"");
        assert_eq!(w.send("AT+QMTPUB=0,1,1,0,\"t\",1\r"), "\\r\\n> ");
        assert_eq!(w.send("\x1b"), answer);
    }
}

#[test]
fn commands_refused_for_a_while_after_the_start() {
    let mut setup = config("eg91").timing(Timing::Fast);
    setup
        .profile
        .overlay(
            "test",
            "[commands]\nearly_errors = [\"+COPS\"]\nearly_errors_ms = 3000\n",
        )
        .unwrap();
    let mut b = Bench::with(setup.timing(Timing::Realistic));
    let mut text = String::new();
    while !text.contains("RDY") {
        text = b.wait(100);
    }
    assert_eq!(b.send("ATE0\r") + &b.wait(10), format!("ATE0\\r{OK}"));
    assert_eq!(b.send("AT+COPS?\r") + &b.wait(10), "\\r\\nERROR\\r\\n");
    assert_eq!(b.send("AT+CMEE?\r").as_str(), "");
    assert!(b.wait(10).ends_with(OK));
    b.wait(10_000);
    assert!(b.send("AT+COPS?\r").is_empty());
    assert!(b.wait(10).ends_with(OK));
}

#[test]
fn narrow_band_only_on_a_bg950a() {
    let mut b = Bench::with(setup("bg95", "[commands]\niotopmode_bricks = true\n"));
    b.send("ATE0\r");
    assert_eq!(b.send("AT+QCFG=\"iotopmode\",1,1\r"), OK);
    assert_eq!(b.send("AT\r"), "");
    b.module.power_cycle();
    b.wait(60_000);
    assert_eq!(b.send("AT\r"), "AT\\r");
    assert_eq!(b.send("AT&F1\r"), format!("AT&F1\\r{OK}"));
    assert_eq!(b.send("AT\r"), format!("AT\\r{OK}"));
}

#[test]
fn results_come_before_the_end_of_the_session() {
    let mut w = World::new(setup("bg96", "").timing(Timing::Realistic));
    w.listen("broker", 1883, Listener::default());
    w.send("ATE0\r");
    w.wait(100);
    for command in [
        "AT+QIACT=1\r",
        "AT+QMTCFG=\"version\",0,4\r",
        "AT+QMTOPEN=0,\"broker\",1883\r",
        "AT+QMTCONN=0,\"id\"\r",
    ] {
        w.send(command);
        w.wait(5000);
    }
    w.send("AT+QMTPUB=0,1,1,0,\"t\",1\r");
    w.wait(100);
    w.send("x");
    w.wait(100);
    w.send("AT+QMTSUB=0,2,\"t\",1\r");
    w.wait(100);
    assert_eq!(
        w.close_all() + &w.wait(5000),
        "\\r\\n+QMTPUB: 0,1,0\\r\\n\\r\\n+QMTSUB: 0,2,0,1\\r\\n\\r\\n+QMTSTAT: 0,1\\r\\n"
    );
}

#[test]
fn the_time_server_while_it_is_asked() {
    let mut b = Bench::with(setup("bg96", "").timing(Timing::Realistic));
    b.send("ATE0;+QIACT=1\r");
    b.wait(5000);
    b.send("AT+QNTP=1,\"pool.ntp.org\"\r");
    b.wait(10);
    b.send("AT+QNTP?\r");
    assert_eq!(
        b.wait(10),
        format!("\\r\\n+QNTP: \"pool.ntp.org\",123\\r\\n{OK}")
    );
    assert!(b.wait(1000).contains("+QNTP: 0,\"2026/08/07"));
    b.send("AT+QNTP?\r");
    assert_eq!(b.wait(10), OK);
}

#[test]
fn a_removed_card_is_told_when_asked_for() {
    let mut b = Bench::ready("bg96");
    b.send("ATE0\r");
    b.send("AT+QSIMSTAT=1\r");
    b.module.set_sim(SimState::Absent);
    assert_eq!(
        b.read(),
        "\\r\\n+QSIMSTAT: 1,0\\r\\n\\r\\n+CPIN: NOT READY\\r\\n"
    );
    assert_eq!(
        b.send("AT+QSIMSTAT?\r"),
        "\\r\\n+QSIMSTAT: 1,0\\r\\n\\r\\nOK\\r\\n"
    );
    b.module.set_sim(SimState::Ready);
    assert!(b.read().contains("+QSIMSTAT: 1,1"));
    b.send("AT+QSIMSTAT=0\r");
    b.module.set_sim(SimState::Absent);
    assert_eq!(b.read(), "\\r\\n+CPIN: NOT READY\\r\\n");
}

#[test]
fn power_saving_tells_its_timers_when_asked_for() {
    for (value, expected) in [
        (0, "\\r\\nPSM POWER DOWN\\r\\n"),
        (
            1,
            "\\r\\n+QPSMTIMER: 86400,10\\r\\n\\r\\nPSM POWER DOWN\\r\\n",
        ),
    ] {
        let mut b = Bench::ready("bg95");
        b.send("ATE0\r");
        b.send(format!("AT+QCFG=\"psm/urc\",{value}\r"));
        b.module.break_down(FaultAction::Sleep(1_000));
        assert_eq!(b.read(), expected);
    }
}

#[test]
fn cached_urcs_come_when_the_cache_is_switched_off() {
    let mut b = Bench::ready("ec25");
    b.send("ATE0\r");
    b.send("AT+QURCCFG=\"urcport\",\"uart1\"\r");
    assert_eq!(b.send("AT+QCFG=\"urc/cache\",1\r"), OK);
    b.module.raise_urc("+QMTSTAT: 0,1");
    b.module.raise_urc("+QIURC: \"closed\",1");
    assert_eq!(b.read(), "");
    assert_eq!(
        b.send("AT+QCFG=\"urc/cache\",0\r"),
        format!("{OK}\\r\\n+QMTSTAT: 0,1\\r\\n\\r\\n+QIURC: \"closed\",1\\r\\n")
    );
    // Other families have no such item.
    let mut b = Bench::ready("bg96");
    b.send("AT+QCFG=\"urc/cache\",1\r");
    b.module.raise_urc("+QMTSTAT: 0,1");
    assert_eq!(b.read(), "\\r\\n+QMTSTAT: 0,1\\r\\n");
}

#[test]
fn limit_of_an_mqtt_open() {
    for (profile, seconds, result) in [("bg96", 75, "-1"), ("eg800k", 120, "5")] {
        let mut b = Bench::ready(profile);
        b.send("ATE0\r");
        b.send("AT+QURCCFG=\"urcport\",\"uart1\"\r");
        b.send("AT+CGACT=1,1\r");
        assert_eq!(b.send("AT+QMTOPEN=0,\"10.0.0.1\",1883\r"), OK, "{profile}");
        assert_eq!(b.wait(seconds * 1000 - 1), "", "{profile}");
        assert_eq!(
            b.wait(1),
            format!("\\r\\n+QMTOPEN: 0,{result}\\r\\n"),
            "{profile}"
        );
    }
}

#[test]
fn the_time_of_the_network_is_told_when_asked_for() {
    let cases = [
        (0, None),
        (1, Some("+CTZV: \"+32\"")),
        (2, Some("+CTZE: \"+32\",0,\"2026/08/07,")),
    ];
    for (ctzr, expected) in cases {
        let mut b = Bench::ready("bg96");
        b.send("ATE0\r");
        b.send(format!("AT+CTZR={ctzr}\r"));
        let mut got = b.send("AT+CFUN=0\r");
        got += &b.wait(10_000);
        got += &b.send("AT+CFUN=1\r");
        got += &b.wait(10_000);
        match expected {
            Some(expected) => assert!(got.contains(expected), "{ctzr}: {got}"),
            None => assert!(!got.contains("+CTZ"), "{ctzr}: {got}"),
        }
    }
}
