//! Whatever a log shows, the report does not show its secrets again.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use proptest::prelude::*;
use quectel_doctor::{Color, diagnose_at};

const TODAY: i64 = 1_795_305_600;

/// Lines that are quoted, since each is refused; `{}` is where the secret stands.
const LINES: &[&str] = &[
    "AT+QMTCONN=0,\"d1\",\"user\",\"{}\"",
    "AT+QMTCONN=0,\"d1\",\"{}\",\"x\"",
    "AT+QMTCONN=0,\"d1\",\"{}\"",
    "AT+QMTCONN = 0, \"d1\", \"user\" , \"{}\"",
    "at+qmtconn=0,\"d1\",\"user\",\"{}\"",
    "AT+QMTCONN=0,\u{201C}d1\u{201D},\u{201C}user\u{201D},\u{201C}{}\u{201D}",
    "AT+QMTCONN=0,d1,user,{}",
    "AT+QMTCONN=0,\"d1\",\"user\",\"{}",
    "AT+QMTCONN=0,\"d1\",\"us,er\",\"{}\"",
    "AT+QMTCONN=0,\"d1\",\"user\",\"ab\",\"{}\"",
    "AT+QMTCONN=0,\"d1\",\"h.azure-devices.net/d1/?api-version=2021-04-12\",\"SharedAccessSignature sr=h.azure-devices.net%2Fdevices%2Fd1&sig={}&se=1893456000\"",
    "AT+QMTCONN=0,\"d1\",\"h.azure-devices.net/d1\",\"HostName=h.azure-devices.net;DeviceId=d1;SharedAccessKey={}\"",
    "AT+QMTCONN=0,\"d1\",\"h.azure-devices.net/d1\",\"{}azure/x\"",
    "AT+QICSGP=1,1,\"apn\",\"user\",\"{}\",1",
    "AT+QICSGP=1,1,\"apn\",\"{}\",\"x\",1",
    "AT+CGAUTH=1,1,\"user\",\"{}\"",
    "AT+CPIN=\"{}\"",
    "AT+CPIN={}",
    "AT+SMCONF=\"PASSWORD\",\"{}\"",
    "AT+QSSLCFG=\"clientkey\",2,\"k.pem\",\"{}\"",
    "AT+QMTCFG=\"onenet\",0,\"product\",\"{}\"",
    "AT+QMTCFG=\"aliauth\",0,\"product\",\"device\",\"{}\"",
    "AT+MQTTUSERCFG=0,2,\"id\",\"user\",\"{}\",0,0,\"\"",
    "AT+MQTTPASSWORD=0,\"{}\"",
    "AT+CWJAP=\"ssid\",\"{}\"",
    "AT+CMQTTCONNECT=0,\"tcp://h:8883\",60,1,\"user\",\"{}\"",
    "AT+UMQTT=4,\"user\",\"{}\"",
    "AT+QMTPUB=0,1,1,0,\"t?password={}\"",
    "AT+QMTPUB=0,1,1,0,\"t\",\"{\"access_token\":\"{}\"}\"",
    "AT+QMTPUB=0,1,1,0,\"t\",\"{\\\"client_secret\\\": \\\"{}\\\"}\"",
    "AT+QHTTPCFG=\"requestheader\",\"Authorization: Bearer {}\"",
    "{\"dir\":\"tx\",\"data\":\"AT+QMTCONN=0,\\\"d1\\\",\\\"user\\\",\\\"{}\\\"\"}",
    "12:00:00,TX,\"AT+QMTCONN=0,\"\"d1\"\",\"\"user\"\",\"\"{}\"\"\"",
    "AT+QICSGP=1,1,\"apn\",\"a\",\"b\",1;+QMTCONN=0,\"d1\",\"user\",\"{}\"",
    "[SEND][  40][AT+QMTCONN=0,\\\"d1\\\",\\\"user\\\",\\\"{}\\\"\\r]",
    "ser.write(b'AT+QMTCONN=0,\"d1\",\"user\",\"{}\"\\r\\n')",
    "AT+QMTCONN=0,&quot;d1&quot;,&quot;user&quot;,&quot;{}&quot;",
];

fn report(line: &str, before: bool) -> String {
    let open = "AT+QMTCFG=\"ssl\",0,1,2\nOK\nAT+QMTOPEN=0,\"h.azure-devices.net\",8883\nOK\n+QMTOPEN: 0,0\n";
    let log = if before {
        format!("{line}\nERROR\n{open}{line}\nOK\n+QMTCONN: 0,0,5\n+QMTSTAT: 0,1\n")
    } else {
        format!("{open}{line}\n> {{}}\nERROR\n+QMTCONN: 0,0,4\n{line}\nAT+CSQ\n+CME ERROR: 58\n")
    };
    let report = diagnose_at(log.as_bytes(), TODAY).unwrap();
    report.to_text(Color::Off) + &report.to_json()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_secret_comes_out(secret in "[A-Za-z0-9+/_-]{3}Qz7[A-Za-z0-9+/_-]{5,40}={0,2}", before: bool) {
        for line in LINES {
            let shown = report(&line.replacen("{}", &secret, 1), before);
            prop_assert!(!shown.contains(&secret), "{line} with {secret}:\n{shown}");
            // Not half of it either.
            let half = secret.get(..secret.len() / 2 + 3).unwrap_or_default();
            prop_assert!(!shown.contains(half), "{line} with {secret}:\n{shown}");
        }
    }

    #[test]
    fn no_private_key_comes_out(body in "[A-Za-z0-9+/]{64}", last in "[A-Za-z0-9+/]{18}==") {
        let key = format!("-----BEGIN RSA PRIVATE KEY-----\n{body}\n{last}\n-----END RSA PRIVATE KEY-----\n");
        for log in [
            format!("AT+QFUPL=\"k.pem\",120,100\nCONNECT\n{key}+QFUPL: 100,1a2b\n\nOK\nERROR\nAT+QSSLCFG=\"clientkey\",2,\"k.pem\"\nOK\nAT+QMTCFG=\"ssl\",0,1,2\nOK\nAT+QMTOPEN=0,\"h.azure-devices.net\",8883\nOK\n+QMTOPEN: 0,-1\n"),
            format!("AT+QFUPL=\"k.pem\",120,100\n{key}CONNECT\n+CME ERROR: 421\n"),
            format!("AT+QSSLCFG=\"cacert\",2,\"k.pem\"\nOK\n{key}\nERROR\nAT+QMTOPEN=0,\"h\",8883\n{key}OK\n+QMTOPEN: 0,-1\n"),
        ] {
            let report = diagnose_at(log.as_bytes(), TODAY).unwrap();
            let shown = report.to_text(Color::Off) + &report.to_json();
            let start = body.get(..12).unwrap_or_default();
            prop_assert!(!shown.contains(start) && !shown.contains(&last), "{shown}");
        }
    }
}

/// What the proptest found once.
#[test]
fn a_key_whose_last_line_looks_like_a_command_stays_inside() {
    for last in [
        "aTd00+0+AA0Aa0a+AA==",
        "AT+abcdefghijklmno==",
        "ATE0+bcdefghijklm==",
    ] {
        let body = "A".repeat(64);
        let log = format!(
            "AT+QFUPL=\"k.pem\",120,100\n-----BEGIN RSA PRIVATE KEY-----\n{body}\n{last}\n-----END RSA PRIVATE KEY-----\nCONNECT\n+CME ERROR: 421\n"
        );
        let report = diagnose_at(log.as_bytes(), TODAY).unwrap();
        let shown = report.to_text(Color::Off) + &report.to_json();
        assert!(!shown.contains(last), "{shown}");
    }
}

/// Masking is only tested where the line is shown.
#[test]
fn the_lines_are_quoted() {
    let quoted = LINES.iter().filter(|line| {
        let line = line.replacen("{}", "hunter22hunter", 1);
        [false, true]
            .iter()
            .any(|before| report(&line, *before).contains("***"))
    });
    let count = quoted.count();
    assert!(count * 3 > LINES.len() * 2, "{count} of {}", LINES.len());
}
