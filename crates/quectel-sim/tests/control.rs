//! The control channel: JSON lines over TCP.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use core::time::Duration;
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
};

use common::config;
use quectel_sim::{
    Module, PowerState, Timing,
    run::{HostTable, Simulator},
};
use serde_json::{Value, json};

#[test]
fn requests_and_answers() {
    let simulator = Simulator::new().unwrap();
    let setup = config("bg95").timing(Timing::Fast).power(PowerState::Ready);
    let mut uart = simulator.in_process(Module::new(setup), &HostTable::new());
    uart.set_timeout(Duration::from_secs(5));
    let port = simulator
        .control_port(uart.control(), "127.0.0.1:0".parse().unwrap())
        .unwrap();
    let stream = TcpStream::connect(port.address()).unwrap();
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut ask = |request: Value| -> Value {
        (&stream)
            .write_all(format!("{request}\n").as_bytes())
            .unwrap();
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap()
    };
    let nothing = json!({ "ok": null });
    assert_eq!(
        ask(json!({ "do": "signal", "rssi": 7, "ber": 99 })),
        nothing
    );
    assert_eq!(
        ask(json!({ "do": "put-file", "name": "a.pem", "content": "414243" })),
        nothing
    );
    assert_eq!(
        ask(json!({ "do": "get-file", "name": "a.pem" })),
        json!({ "ok": "414243" })
    );
    assert_eq!(ask(json!({ "do": "registration", "stat": 5 })), nothing);
    assert_eq!(ask(json!({ "do": "sim", "state": "pin:1234" })), nothing);
    assert_eq!(
        ask(json!({ "do": "clock", "unix_s": 1_786_104_000 })),
        nothing
    );
    assert_eq!(
        ask(json!({ "do": "fault", "command": "AT+CSQ", "action": { "late-ok": 1 } })),
        nothing
    );
    assert_eq!(
        ask(json!({ "do": "faults", "toml": "[[fault]]\nat_ms = 1\naction = \"no-dns\"" })),
        nothing
    );
    assert_eq!(ask(json!({ "do": "faults" })), nothing);
    let state = ask(json!({ "do": "state" }));
    assert_eq!(state["ok"]["model"], "BG95-M3");
    assert_eq!(state["ok"]["files"], json!([["UFS:a.pem", 3]]));
    assert_eq!(state["ok"]["registration"], "idle");
    assert_eq!(ask(json!({ "do": "power", "state": "cycle" })), nothing);
    let log = ask(json!({ "do": "log" }));
    assert!(
        log["ok"]
            .as_array()
            .unwrap()
            .iter()
            .any(|line| line[2] == "power on"),
        "{log}"
    );
    for (bad, word) in [
        (json!({ "do": "dance" }), "dance"),
        (json!({ "do": "sim", "state": "x" }), "ready"),
        (json!({ "do": "registration", "stat": 9 }), "0 to 5"),
        (json!({ "do": "power", "state": "x" }), "cycle"),
        (
            json!({ "do": "put-file", "name": "XX:a", "content": "00" }),
            "XX:a",
        ),
        (
            json!({ "do": "put-file", "name": "a", "content": "0" }),
            "hexadecimal",
        ),
        (json!({ "do": "get-file", "name": "none" }), "none"),
        (json!({ "do": "fault", "action": "explode" }), "explode"),
        (
            json!({ "do": "faults", "toml": "[[fault]]\naction = \"explode\"" }),
            "line 2",
        ),
        (json!([1]), ""),
    ] {
        let answer = ask(bad);
        assert!(answer["error"].as_str().unwrap().contains(word), "{answer}");
    }
    assert_eq!(ask(json!({ "do": "urc", "text": "+X: 1" })), nothing);
    assert_eq!(ask(json!({ "do": "stop" })), nothing);
    let mut rest = String::new();
    uart.read_to_string(&mut rest).unwrap();
    assert!(rest.ends_with("\r\n+X: 1\r\n"), "{rest:?}");
}
