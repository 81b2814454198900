//! Power on, power off, registration, the clock.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{Bench, config};
use quectel_sim::{PowerState, Registration, SimState, Timing};

fn booting(profile: &str) -> Bench {
    Bench::with(
        config(profile)
            .timing(Timing::Realistic)
            .power(PowerState::Booting)
            .nonvolatile("urcport", "uart1"),
    )
}

#[test]
fn boot_lines() {
    let sim = "\\r\\n+CPIN: READY\\r\\n\\r\\n+QUSIM: 1\\r\\n\\r\\n+QIND: SMS DONE\\r\\n";
    let cases = [
        ("bg96@BG96MAR02A07M1G", format!("\\r\\nRDY\\r\\n{sim}")),
        ("bg96", format!("\\r\\nRDY\\r\\n\\r\\nAPP RDY\\r\\n{sim}")),
        ("bg95", format!("\\r\\nRDY\\r\\n\\r\\nAPP RDY\\r\\n{sim}")),
        (
            "ec25",
            format!("\\r\\nRDY\\r\\n\\r\\n+CFUN: 1\\r\\n{sim}\\r\\n+QIND: PB DONE\\r\\n"),
        ),
        (
            "eg800k",
            format!("\\r\\nRDY\\r\\n\\r\\n+CFUN: 1\\r\\n{sim}\\r\\n+QIND: PB DONE\\r\\n"),
        ),
    ];
    for (profile, expected) in cases {
        let mut b = booting(profile);
        assert_eq!(b.wait(2_000), "", "{profile}");
        assert_eq!(b.wait(20_000), expected, "{profile}");
    }
}

#[test]
fn commands_before_the_module_is_ready() {
    // H EG800K: RDY 3.3 s after power-on; nothing is heard before.
    let mut b = booting("eg800k");
    assert_eq!(b.send("AT\r"), "");
    assert_eq!(b.wait(3_300), "\\r\\nRDY\\r\\n");
    b.send("AT\r");
    assert!(b.wait(10).contains("OK"));
    // H Zephyr PR 57110: BG95 answers ERROR until APP RDY.
    let mut b = booting("bg95");
    b.wait(2_500);
    assert_eq!(b.send("AT\r"), "AT\\r\\r\\nERROR\\r\\n");
    b.wait(3_000);
    b.send("AT\r");
    assert!(b.wait(10).ends_with("OK\\r\\n"));
}

#[test]
fn urcs_go_to_the_port_that_is_set() {
    // H EG800K: the factory port is usbat, so a UART sees nothing asynchronous.
    let mut b = Bench::with(
        config("eg800k")
            .timing(Timing::Fast)
            .power(PowerState::Booting),
    );
    assert_eq!(b.read(), "\\r\\nRDY\\r\\n");
    b.send("ATE0\r");
    assert_eq!(b.send("AT+QNTP=1,\"pool.ntp.org\"\r"), "\\r\\nOK\\r\\n");
    b.module.raise_urc("+QIURC: \"x\"");
    assert_eq!(b.read(), "");
    assert_eq!(
        b.send("AT+QURCCFG=\"urcport\",\"uart1\"\r"),
        "\\r\\nOK\\r\\n"
    );
    b.module.raise_urc("+QIURC: \"x\"");
    assert_eq!(b.read(), "\\r\\n+QIURC: \"x\"\\r\\n");
    // It is stored, and a host on the USB port sees URCs from the start.
    assert_eq!(
        b.module.nonvolatile(),
        [("urcport".to_owned(), "uart1".to_owned())]
    );
    let mut setup = config("eg800k")
        .timing(Timing::Fast)
        .power(PowerState::Ready);
    setup.port = "usbat".to_owned();
    let mut b = Bench::with(setup);
    b.module.raise_urc("+QIURC: \"x\"");
    assert_eq!(b.read(), "\\r\\n+QIURC: \"x\"\\r\\n");
}

#[test]
fn a_half_typed_line_holds_urcs_back() {
    let mut b = Bench::ready("bg96");
    assert_eq!(b.send("AT+C"), "AT+C");
    b.module.raise_urc("+QIND: X");
    assert_eq!(b.read(), "");
    assert_eq!(
        b.send("FUN?\r"),
        "FUN?\\r\\r\\n+QIND: X\\r\\n\\r\\n+CFUN: 1\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(b.send("AT"), "AT");
    b.module.raise_urc("+QIND: Y");
    assert_eq!(b.wait(1_000), "\\r\\n+QIND: Y\\r\\n");
}

#[test]
fn restart_by_command() {
    // H TinyGSM 157: POWERED DOWN 40 ms after OK, pdpdeact, RDY 5.9 s after the command, echo back.
    let setup = config("bg96@BG96MAR02A07M1G")
        .timing(Timing::Realistic)
        .power(PowerState::Ready);
    let mut b = Bench::with(setup);
    b.send("ATE0\r");
    b.wait(10);
    b.send("AT+QIACT=1\r");
    b.wait(2_000);
    b.send("AT+CFUN=1,1\r");
    assert_eq!(b.wait(100), "\\r\\nOK\\r\\n\\r\\nPOWERED DOWN\\r\\n");
    assert_eq!(b.send("AT\r"), "");
    assert_eq!(b.wait(3_300), "\\r\\n+QIURC: \"pdpdeact\",1\\r\\n");
    assert_eq!(b.wait(2_600), "\\r\\nRDY\\r\\n");
    b.wait(2_000);
    assert_eq!(b.send("AT\r"), "AT\\r");
    assert_eq!(b.wait(10), "\\r\\nOK\\r\\n");
}

#[test]
fn power_down() {
    let mut b = Bench::ready("bg96");
    b.send("ATE0\r");
    assert_eq!(
        b.send("AT+QPOWD\r"),
        "\\r\\nOK\\r\\n\\r\\nPOWERED DOWN\\r\\n"
    );
    assert!(!b.module.state().running);
    assert_eq!(b.send("AT\r"), "");
    b.module.power_on();
    assert!(b.wait(1).contains("RDY"));
    b.module.press_power_key();
    assert_eq!(b.read(), "\\r\\nNORMAL POWER DOWN\\r\\n");
    // H Zephyr PR 93072, as a setting.
    let mut setup = config("bg95").timing(Timing::Fast).power(PowerState::Ready);
    setup
        .profile
        .overlay("t", "[boot]\npowered_down_on_normal = false\n")
        .unwrap();
    let mut b = Bench::with(setup);
    b.send("ATE0\r");
    assert_eq!(b.send("AT+QPOWD=1\r"), "\\r\\nOK\\r\\n");
}

#[test]
fn sim_states() {
    let cases = [
        (
            SimState::Absent,
            "\\r\\n+CME ERROR: 10\\r\\n",
            "\\r\\n+CPIN: NOT READY\\r\\n",
        ),
        (
            SimState::Failure,
            "\\r\\n+CME ERROR: 13\\r\\n",
            "\\r\\n+CPIN: NOT READY\\r\\n",
        ),
        (
            SimState::Pin("1234".to_owned()),
            "\\r\\n+CPIN: SIM PIN\\r\\n\\r\\nOK\\r\\n",
            "\\r\\n+CPIN: SIM PIN\\r\\n",
        ),
    ];
    for (sim, answer, urc) in cases {
        let mut b = Bench::with(config("bg95").timing(Timing::Fast).sim(sim));
        assert_eq!(b.read(), format!("\\r\\nRDY\\r\\n\\r\\nAPP RDY\\r\\n{urc}"));
        b.send("ATE0\r");
        assert_eq!(b.send("AT+CPIN?\r"), answer);
        assert!(b.send("AT+CIMI\r").contains("ERROR"));
    }
    let mut b = Bench::with(
        config("bg95")
            .timing(Timing::Fast)
            .sim(SimState::Pin("1234".to_owned())),
    );
    b.send("ATE0;+CEREG=1\r");
    assert_eq!(b.send("AT+CPIN=\"0000\"\r"), "\\r\\n+CME ERROR: 16\\r\\n");
    assert_eq!(
        b.send("AT+QPINC?\r"),
        "\\r\\n+QPINC: \"SC\",2,10\\r\\n+QPINC: \"P2\",3,10\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        b.send("AT+CPIN=1234\r"),
        "\\r\\nOK\\r\\n\\r\\n+CPIN: READY\\r\\n\\r\\n+QUSIM: 1\\r\\n\\r\\n+QIND: SMS DONE\\r\\n\\r\\n+CEREG: 2\\r\\n\\r\\n+CEREG: 1\\r\\n"
    );
    assert_eq!(b.send("AT+CPIN=1234\r"), "\\r\\n+CME ERROR: 3\\r\\n");
}

#[test]
fn registration() {
    let mut b = booting("bg95");
    b.wait(6_000);
    b.send("ATE0;+CEREG=2\r");
    b.wait(10);
    b.send("AT+CEREG?\r");
    assert_eq!(b.wait(10), "\\r\\n+CEREG: 2,2\\r\\n\\r\\nOK\\r\\n");
    b.send("AT+QCSQ;+QNWINFO;+COPS?\r");
    assert_eq!(
        b.wait(20),
        "\\r\\n+QCSQ: \"NOSERVICE\"\\r\\n\\r\\n+QNWINFO: No Service\\r\\n\\r\\n+COPS: 0\\r\\n\\r\\nOK\\r\\n"
    );
    assert!(
        b.wait(3_000)
            .ends_with("\\r\\n+CEREG: 1,\"D509\",\"80D413D\",8\\r\\n")
    );
    b.module.set_registration(Registration::Searching);
    assert_eq!(b.read(), "\\r\\n+CEREG: 2\\r\\n");
    b.module.set_registration(Registration::Roaming);
    assert_eq!(b.read(), "\\r\\n+CEREG: 5,\"D509\",\"80D413D\",8\\r\\n");
    let mut setup = config("bg95").timing(Timing::Fast);
    setup.registers = false;
    let mut b = Bench::with(setup);
    b.send("ATE0\r");
    assert_eq!(
        b.send("AT+CEREG?\r"),
        "\\r\\n+CEREG: 0,3\\r\\n\\r\\nOK\\r\\n"
    );
}

#[test]
fn losing_the_network_loses_the_contexts() {
    let mut b = Bench::ready("bg96");
    b.send("ATE0\r");
    b.send("AT+QIACT=1\r");
    b.module.set_registration(Registration::Searching);
    assert_eq!(b.read(), "\\r\\n+QIURC: \"pdpdeact\",1\\r\\n");
    assert_eq!(b.send("AT+QIACT?\r"), "\\r\\nOK\\r\\n");
}

#[test]
fn clocks() {
    // M: the year is 80 without network time.
    let mut b = Bench::with(
        config("ec25")
            .timing(Timing::Fast)
            .power(PowerState::Ready)
            .without_clock(),
    );
    b.send("ATE0\r");
    b.wait(31_000);
    assert_eq!(
        b.send("AT+CCLK?\r"),
        "\\r\\n+CCLK: \"80/01/06,00:00:31+00\"\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(b.send("AT+QLTS\r"), "\\r\\n+QLTS: \"\"\\r\\n\\r\\nOK\\r\\n");
    assert_eq!(
        b.send("AT+CCLK=\"26/08/07,12:00:00+00\"\r"),
        "\\r\\nOK\\r\\n"
    );
    b.wait(5_000);
    assert_eq!(
        b.send("AT+CCLK?\r"),
        "\\r\\n+CCLK: \"26/08/07,12:00:05+00\"\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(b.module.state().unix_s, 1_786_104_005);
    assert_eq!(
        b.send("AT+CCLK=\"26/13/07,12:00:00+00\"\r"),
        "\\r\\nERROR\\r\\n"
    );
    // NITZ: EC2x prints local time, BG96 UTC with the zone beside it.
    let mut b = Bench::ready("ec25");
    b.send("ATE0\r");
    assert_eq!(
        b.send("AT+CCLK?\r"),
        "\\r\\n+CCLK: \"26/08/07,20:00:00+32\"\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        b.send("AT+QLTS=1\r"),
        "\\r\\n+QLTS: \"2026/08/07,12:00:00+32,0\"\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        b.send("AT+QLTS=2\r"),
        "\\r\\n+QLTS: \"2026/08/07,20:00:00+32,0\"\\r\\n\\r\\nOK\\r\\n"
    );
    let mut b = Bench::ready("bg96");
    b.send("ATE0\r");
    assert_eq!(
        b.send("AT+CCLK?\r"),
        "\\r\\n+CCLK: \"26/08/07,12:00:00+32\"\\r\\n\\r\\nOK\\r\\n"
    );
}

#[test]
fn time_servers() {
    let mut setup = config("bg95").timing(Timing::Fast).power(PowerState::Ready);
    setup.nitz = false;
    let mut b = Bench::with(setup);
    b.send("ATE0\r");
    assert_eq!(
        b.send("AT+QNTP=1,\"pool.ntp.org\",123,1\r"),
        "\\r\\nERROR\\r\\n"
    );
    assert_eq!(
        b.send("AT+QIGETERROR\r"),
        "\\r\\n+QIGETERROR: 561, open PDP context failed\\r\\n\\r\\nOK\\r\\n"
    );
    b.send("AT+QIACT=1\r");
    assert_eq!(
        b.send("AT+QNTP=1,\"pool.ntp.org\",123,1\r"),
        "\\r\\nOK\\r\\n\\r\\n+QNTP: 0,\"2026/08/07,12:00:00+00\"\\r\\n"
    );
    assert_eq!(b.module.state().unix_s, 1_786_104_000);
    let mut b = Bench::with(
        config("bg95")
            .timing(Timing::Fast)
            .power(PowerState::Ready)
            .without_clock(),
    );
    b.send("ATE0\r");
    b.send("AT+QIACT=1\r");
    assert_eq!(
        b.send("AT+QNTP=1,\"pool.ntp.org\"\r"),
        "\\r\\nOK\\r\\n\\r\\n+QNTP: 569\\r\\n"
    );
}

#[test]
fn pacing() {
    let mut setup = config("bg96").timing(Timing::Fast).power(PowerState::Ready);
    setup.pace_uart = true;
    let mut b = Bench::with(setup);
    // 115200 baud: 86 µs for each byte, in both directions.
    assert_eq!(b.send("AT\r"), "");
    assert_eq!(b.wait(3), "AT\\r\\r\\nOK\\r\\n");
    b.send("AT+IPR=9600\r");
    assert_eq!(b.wait(20), "AT+IPR=9600\\r\\r\\nOK\\r\\n");
    // 9600 baud: 1.04 ms for each byte.
    b.send("AT\r");
    assert_eq!(b.wait(4), "");
    assert_eq!(b.wait(4), "AT\\r");
    assert_eq!(b.wait(100), "\\r\\nOK\\r\\n");
    // An upload takes its time too: 960 bytes a second.
    b.send("AT+QFUPL=\"f\",960,5\r");
    b.wait(100);
    b.send(vec![b'x'; 960]);
    assert_eq!(b.wait(990), "");
    assert!(b.wait(100).starts_with("+QFUPL: 960,"));
}

#[test]
fn baud_rates_that_differ() {
    let mut b = Bench::ready("bg96");
    b.module.set_host_baud(9_600);
    assert_eq!(b.send("AT\r"), "");
    b.module.raise_urc("+QIND: X");
    assert!(!b.read().contains("QIND"));
    b.module.set_host_baud(115_200);
    assert_eq!(b.send("AT+IPR=460800\r"), "AT+IPR=460800\\r\\r\\nOK\\r\\n");
    assert_eq!(b.send("AT\r"), "");
    b.module.set_host_baud(460_800);
    assert_eq!(b.send("AT\r"), "AT\\r\\r\\nOK\\r\\n");
    // Not stored: a restart goes back to 115200.
    b.send("AT+CFUN=1,1\r");
    b.wait(10);
    assert_eq!(b.send("AT\r"), "");
    b.module.set_host_baud(115_200);
    assert_eq!(b.send("AT\r"), "AT\\r\\r\\nOK\\r\\n");
}
