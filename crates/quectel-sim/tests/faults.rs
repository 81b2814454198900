//! Every fault breaks what it says, where it says, and no more.

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
use quectel_sim::{FaultAction, FaultRule, Faults, ModuleConfig, PowerState, Timing};

fn ready(profile: &str) -> ModuleConfig {
    config(profile)
        .timing(Timing::Fast)
        .power(PowerState::Ready)
        .nonvolatile("urcport", "uart1")
}

fn bench(rules: &str) -> Bench {
    let mut b = Bench::with(ready("bg96"));
    b.send("ATE0\r");
    b.module.faults().load("test", rules).unwrap();
    b
}

#[test]
fn bytes_on_the_wire() {
    let cases = [
        ("action = { drop = 3 }", "K\\r\\n"),
        ("action = { duplicate = 2 }", "\\r\\r\\n\\nOK\\r\\n"),
        ("action = { urc = \"+X\" }", "\\r\\n+X\\r\\n\\r\\nOK\\r\\n"),
        ("action = \"nothing\"", "\\r\\nOK\\r\\n"),
    ];
    for (action, expected) in cases {
        let mut b = bench(&format!("[[fault]]\ncommand = \"at\"\n{action}\n"));
        assert_eq!(b.send("AT\r"), expected, "{action}");
        assert_eq!(b.send("AT\r"), "\\r\\nOK\\r\\n", "{action}: once");
    }
    let mut b = bench("[[fault]]\ncommand = \"AT\"\naction = { flip = 6 }\n");
    let got = b.send("AT\r");
    assert_ne!(got, "\\r\\nOK\\r\\n");
    let mut b = bench("[[fault]]\ncommand = \"AT\"\naction = { noise = 4 }\n");
    assert!(b.send("AT\r").ends_with("\\r\\nOK\\r\\n"));
}

#[test]
fn where_and_how_often() {
    let mut b =
        bench("[[fault]]\ncommand = \"AT+CSQ\"\nskip = 1\ntimes = 2\naction = \"swallow\"\n");
    let got: Vec<bool> = (0..5).map(|_| b.send("AT+CSQ\r").is_empty()).collect();
    assert_eq!(got, [false, true, true, false, false]);
    assert_eq!(b.send("AT+CREG?\r"), "\\r\\n+CREG: 0,1\\r\\n\\r\\nOK\\r\\n");
    // At a line of the module.
    let mut b = bench("[[fault]]\nline = \"+CREG\"\ntimes = 0\naction = { urc = \"+X\" }\n");
    for _ in 0..2 {
        assert_eq!(
            b.send("AT+CREG?\r"),
            "\\r\\n+X\\r\\n\\r\\n+CREG: 0,1\\r\\n\\r\\nOK\\r\\n"
        );
    }
    // At a time.
    let mut b = bench("[[fault]]\nat_ms = 5000\naction = { urc = \"+X\" }\n");
    assert_eq!(b.wait(4_999), "");
    assert_eq!(b.wait(1), "\\r\\n+X\\r\\n");
    assert_eq!(b.wait(10_000), "");
    // At a byte: OK of ATE0 and its echo are 11 of them.
    let mut b = Bench::with(ready("bg96"));
    b.module.faults().add(FaultRule {
        at_byte: Some(12),
        action: FaultAction::Urc("+X".into()),
        ..FaultRule::default()
    });
    assert_eq!(b.send("ATE0\r"), "ATE0\\r\\r\\nOK\\r\\n");
    assert_eq!(b.send("AT\r"), "\\r\\nOK\\r\\n\\r\\n+X\\r\\n");
}

#[test]
fn time_on_the_wire() {
    let mut b = bench("[[fault]]\ncommand = \"AT\"\naction = { stall = 700 }\n");
    assert_eq!(b.send("AT\r"), "");
    assert_eq!(b.wait(699), "");
    assert_eq!(b.wait(1), "\\r\\nOK\\r\\n");
    let mut b = bench("[[fault]]\ncommand = \"AT\"\naction = { split = 2 }\n");
    assert_eq!(b.send("AT\r"), "\\r\\n");
    assert_eq!(b.wait(20), "OK");
    assert_eq!(b.wait(20), "\\r\\n");
    let mut b = bench("[[fault]]\ncommand = \"AT\"\naction = { late-ok = 3000 }\n");
    assert_eq!(b.send("AT\r"), "");
    assert_eq!(b.wait(3_000), "\\r\\nOK\\r\\n");
}

#[test]
fn lasting_faults_of_a_script() {
    let cases = [
        (
            "urc_between_lines = \"+X\"",
            "AT+GMI\r",
            "\\r\\nQuectel\\r\\n\\r\\n+X\\r\\n\\r\\nOK\\r\\n",
        ),
        ("drop_byte = 1.0", "AT\r", ""),
        ("hung = true", "AT\r", ""),
        ("prompt_bare = true", "AT+CMGS=\"1\"\r", ">"),
        ("dns_fails = false", "AT\r", "\\r\\nOK\\r\\n"),
    ];
    for (line, command, expected) in cases {
        let mut b = bench(&format!("[always]\n{line}\n"));
        assert_eq!(b.send(command), expected, "{line}");
    }
    let mut b = bench("[always]\nlate_ok_ms = 700\nsplit = 3\n");
    assert_eq!(b.send("AT\r"), "");
    assert_eq!(b.wait(700), "\\r\\nO");
    assert_eq!(b.wait(20), "K\\r\\n");
}

#[test]
fn urcs_between_any_two_lines() {
    let mut b = bench("");
    b.module.faults().urc_between_lines = Some("+X".to_owned());
    assert_eq!(
        b.send("ATI\r"),
        "\\r\\nQuectel\\r\\n\\r\\n+X\\r\\nBG96\\r\\n\\r\\n+X\\r\\nRevision: BG96MAR04A02M1G\\r\\n\\r\\n+X\\r\\n\\r\\nOK\\r\\n"
    );
}

#[test]
fn hang_reboot_and_power() {
    let mut b = bench("[[fault]]\ncommand = \"AT+CSQ\"\naction = \"hang\"\n");
    assert_eq!(b.send("AT+CSQ\r"), "");
    assert_eq!(b.send("AT\r"), "");
    b.module.power_cycle();
    assert!(b.wait(10).contains("RDY"));
    assert_eq!(b.send("AT\r"), "AT\\r\\r\\nOK\\r\\n");

    let mut b = bench("[[fault]]\ncommand = \"AT+CSQ\"\naction = \"reboot\"\n");
    let got = b.send("AT+CSQ\r");
    assert!(
        got.contains("\\r\\nRDY\\r\\n") && !got.contains("OK"),
        "{got}"
    );
    assert_eq!(b.send("AT\r"), "AT\\r\\r\\nOK\\r\\n");

    let mut b = bench("[[fault]]\nat_ms = 1000\naction = { sleep = 60000 }\n");
    let said = b.wait(1000);
    assert_eq!(said, "\\r\\nPSM POWER DOWN\\r\\n");
    assert_eq!(b.wait(100), "");
    assert_eq!(b.send("AT\r"), "", "asleep");
    assert!(b.wait(60_000).starts_with("\\r\\nRDY\\r\\n"));

    let mut b = bench("[[fault]]\ncommand = \"AT+CSQ\"\naction = { brown-out = 500 }\n");
    assert_eq!(b.send("AT+CSQ\r"), "");
    assert_eq!(b.wait(499), "");
    assert!(b.wait(1).contains("RDY"));
}

#[test]
fn the_network() {
    let mut b = bench("[[fault]]\nat_ms = 10\naction = { lose-network = 1000 }\n");
    b.send("AT+QIACT=1;+CEREG=1\r");
    assert_eq!(
        b.wait(10),
        "\\r\\n+CEREG: 2\\r\\n\\r\\n+QIURC: \"pdpdeact\",1\\r\\n"
    );
    assert_eq!(b.wait(1_000), "\\r\\n+CEREG: 1\\r\\n");
    let mut b = bench("[[fault]]\ncommand = \"AT+QIACT\"\naction = \"no-pdp\"\n");
    assert_eq!(b.send("AT+QIACT=1\r"), "\\r\\nERROR\\r\\n");
    // Field transcript 36: everything is 552, and QIACT fails, until the power is cycled.
    let mut b = bench("[[fault]]\ncommand = \"AT+QSSLOPEN\"\naction = \"wedge\"\n");
    b.send("AT+QIACT=1\r");
    assert_eq!(
        b.send("AT+QSSLOPEN=1,1,4,\"h\",443,0\r"),
        "\\r\\nOK\\r\\n\\r\\n+QSSLOPEN: 4,552\\r\\n"
    );
    assert_eq!(
        b.send("AT+QIOPEN=1,0,\"TCP\",\"h\",80,0,0\r"),
        "\\r\\nOK\\r\\n\\r\\n+QIOPEN: 0,552\\r\\n"
    );
    assert!(b.send("AT+QIACT?\r").contains("+QIACT: 1,1,1"));
    assert_eq!(b.send("AT+QIDEACT=1\r"), "\\r\\nOK\\r\\n");
    assert_eq!(b.send("AT+QIACT=1\r"), "\\r\\nERROR\\r\\n");
    b.module.power_cycle();
    b.wait(10);
    assert_eq!(b.send("ATE0;+QIACT=1\r"), "ATE0;+QIACT=1\\r\\r\\nOK\\r\\n");
}

#[test]
fn mqtt() {
    let world = |rules: &str| {
        let mut w = World::new(ready("bg96"));
        w.listen("broker", 1883, Listener::default());
        w.send("ATE0\r");
        w.send("AT+QIACT=1\r");
        w.bench.module.faults().load("test", rules).unwrap();
        w
    };
    let mut w = world("[[fault]]\ncommand = \"AT+QMTOPEN\"\naction = { occupy-mqtt = 0 }\n");
    assert_eq!(
        w.send("AT+QMTOPEN=0,\"broker\",1883\r"),
        "\\r\\nOK\\r\\n\\r\\n+QMTOPEN: 0,2\\r\\n"
    );
    assert_eq!(
        w.send("AT+QMTCLOSE=0\r"),
        "\\r\\nOK\\r\\n\\r\\n+QMTCLOSE: 0,0\\r\\n"
    );
    assert_eq!(
        w.send("AT+QMTOPEN=0,\"broker\",1883\r"),
        "\\r\\nOK\\r\\n\\r\\n+QMTOPEN: 0,0\\r\\n"
    );

    let mut w = world("[[fault]]\nline = \"+QMTOPEN: 0,0\"\naction = { server-closes = 0 }\n");
    assert_eq!(
        w.send("AT+QMTOPEN=0,\"broker\",1883\r"),
        "\\r\\nOK\\r\\n\\r\\n+QMTOPEN: 0,0\\r\\n\\r\\n+QMTSTAT: 0,1\\r\\n"
    );
    let mut w = world("[[fault]]\nline = \"+QMTCONN: 0,0,0\"\naction = { stat-storm = [0, 3] }\n");
    w.send("AT+QMTOPEN=0,\"broker\",1883\r");
    let got = w.send("AT+QMTCONN=0,\"id\"\r");
    assert_eq!(got.matches("+QMTSTAT: 0,1").count(), 3);

    let mut w = world("[[fault]]\ncommand = \"AT+QMTCONN\"\naction = { refuse-connect = 5 }\n");
    w.send("AT+QMTOPEN=0,\"broker\",1883\r");
    assert_eq!(
        w.send("AT+QMTCONN=0,\"id\"\r"),
        "\\r\\nOK\\r\\n\\r\\n+QMTCONN: 0,0,5\\r\\n\\r\\n+QMTSTAT: 0,4\\r\\n"
    );
    w.send("AT+QMTOPEN=0,\"broker\",1883\r");
    assert!(w.send("AT+QMTCONN=0,\"id\"\r").contains("+QMTCONN: 0,0,0"));

    let mut w = world("[[fault]]\ncommand = \"AT+QMTPUB\"\naction = \"no-prompt\"\n");
    w.send("AT+QMTOPEN=0,\"broker\",1883\r");
    w.send("AT+QMTCONN=0,\"id\"\r");
    assert_eq!(w.send("AT+QMTPUB=0,1,1,0,\"t\"\r"), "");
    // The module waits for input all the same; ESC gets the host out.
    assert_eq!(w.send("\x1b"), "\\r\\nOK\\r\\n");
    assert_eq!(w.send("AT+QMTPUB=0,1,1,0,\"t\"\r"), "\\r\\n> ");
}

#[test]
fn uploads_without_flow_control() {
    // Field transcript 11: bytes are lost unless blocks are acknowledged.
    let content: Vec<u8> = (0..3000u32).map(|n| n.to_le_bytes()[0]).collect();
    let mut b = bench("[[fault]]\ncommand = \"AT+QFUPL\"\naction = { upload-gaps = 500 }\n");
    b.send("AT+QFUPL=\"f\",3000,5\r");
    assert_eq!(b.send(&content), "");
    assert!(b.wait(5_000).starts_with("+QFUPL: 2995,"));
    assert_eq!(b.send("AT+QFDEL=\"f\"\r"), "\\r\\nOK\\r\\n");
    b.send("AT+QFUPL=\"f\",3000,5,1\r");
    assert!(b.send(&content).starts_with("AA+QFUPL: 3000,"));
    assert_eq!(b.module.file("f"), Some(content.as_slice()));
    let mut b = bench("[[fault]]\ncommand = \"AT+QFUPL\"\naction = { upload-gaps = 500 }\n");
    b.send("AT+IFC=2,2\r");
    b.send("AT+QFUPL=\"f\",3000,5\r");
    assert!(b.send(&content).starts_with("+QFUPL: 3000,"));
    let mut b = bench("[[fault]]\ncommand = \"AT+QFUPL\"\naction = { short-upload = 1 }\n");
    b.send("AT+QFUPL=\"f\",3,5\r");
    assert!(b.send("ABC").starts_with("+QFUPL: 2,"));
}

#[test]
fn urcs_go_nowhere() {
    let mut b = bench("[[fault]]\ncommand = \"AT\"\naction = \"no-urc-port\"\n");
    b.send("AT\r");
    b.module.raise_urc("+X");
    assert_eq!(b.read(), "");
    *b.module.faults() = Faults::default();
    b.module.raise_urc("+X");
    assert_eq!(b.read(), "\\r\\n+X\\r\\n");
}

#[test]
fn chaos_follows_from_the_seed() {
    let run = |seed: u64| {
        let mut b = Bench::with(ready("bg96").seed(seed));
        b.module.faults().chaos = 300;
        let mut got = String::new();
        for _ in 0..60 {
            got.push_str(&b.send("AT+CSQ\r"));
            got.push_str(&b.wait(500));
        }
        got
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2));
    let calm = "AT+CSQ\\r\\r\\n+CSQ: 20,99\\r\\n\\r\\nOK\\r\\n".repeat(60);
    assert_ne!(run(1), calm);
}
