//! `doctor` over logs and the catalogue.

mod support;

use quectel_azure_cli::{CancelToken, Status};
use serde_json::Value;
use support::{Ran, command, command_with, text};
use tempfile::TempDir;

/// TLS is configured in SSL context 1, and MQTT uses context 2.
const MISMATCH: &str = "\
AT+QSSLCFG=\"cacert\",1,\"cacert.pem\"
OK
AT+QSSLCFG=\"seclevel\",1,1
OK
AT+QMTCFG=\"ssl\",0,1,2
OK
AT+QMTOPEN=0,\"contoso.azure-devices.net\",8883
OK
+QMTOPEN: 0,-1
AT+QMTCONN=0,\"d\",\"contoso.azure-devices.net/d/?api-version=2021-04-12\",\"SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fd&sig=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI%3D&se=4102444800\"
ERROR
";

const CLEAN: &str =
    "ATI\nQuectel\nEC25\nRevision: EC25EFAR06A11M4G\n\nOK\nAT+CSQ\n+CSQ: 22,99\n\nOK\n";

fn doctor(input: &str, args: &[&str]) -> Ran {
    let args = [&["doctor"], args].concat();
    command_with(&args, input, &[], CancelToken::default())
}

/// Null when it is no JSON, which no test expects.
fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.out).unwrap_or_default()
}

#[test]
fn standard_input_is_quoted_explained_and_masked() {
    for args in [&[][..], &["-"]] {
        let ran = doctor(MISMATCH, args);
        assert_eq!((ran.status, ran.err.as_str()), (Status::Failed, ""));
        for part in [
            "error[tls.ctx-mismatch]",
            "  5 | AT+QMTCFG=\"ssl\",0,1,2",
            "fix: AT+QMTCLOSE=0",
            "AT+QMTCFG=\"ssl\",0,1,1",
            "doctor --explain tls.ctx-mismatch",
        ] {
            assert!(ran.out.contains(part), "no {part:?} in\n{}", ran.out);
        }
        assert!(!ran.out.contains("c2VjcmV0"), "{}", ran.out);
        assert!(!ran.out.contains('\x1b'), "colours on no terminal");
    }
}

#[test]
fn the_times_of_own_traces_and_of_the_simulated_module_are_no_dialogue() {
    for (mark_out, mark_in) in [("->", "<-"), (">", "<"), (">", "!")] {
        let log: String = MISMATCH
            .lines()
            .enumerate()
            .map(|(n, line)| {
                let mark = if line.starts_with("AT") {
                    mark_out
                } else {
                    mark_in
                };
                format!("{n:>6}.003 {mark} {line}\n")
            })
            .collect();
        let ran = doctor(&log, &["--json"]);
        let report = json(&ran);
        assert_eq!(report["findings"][0]["id"], "tls.ctx-mismatch", "{log}");
        assert_eq!(report["outcome"], "open failed -1", "{log}");
    }
}

#[test]
fn nothing_wrong_is_status_0() {
    let ran = doctor(CLEAN, &[]);
    assert_eq!(
        (ran.status, ran.err.as_str()),
        (Status::Done, ""),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("nothing wrong found"), "{}", ran.out);
}

#[test]
fn json_has_the_documented_form() {
    let ran = doctor(MISMATCH, &["--json"]);
    assert_eq!(ran.status, Status::Failed);
    let report = json(&ran);
    assert_eq!(report["log"], "-");
    assert_eq!(report["outcome"], "open failed -1");
    assert_eq!(report["lines_read"], 11);
    let first = &report["findings"][0];
    assert_eq!(first["id"], "tls.ctx-mismatch");
    assert_eq!(
        (&first["severity"], &first["confidence"]),
        (&"error".into(), &"certain".into())
    );
    assert_eq!(first["fix"][1], "AT+QMTCFG=\"ssl\",0,1,1");
    assert_eq!(first["lines"][0]["number"], 1);
    for field in ["model", "firmware", "family"] {
        assert!(report["module"].get(field).is_some(), "{report:#}");
    }
    for field in ["ruled_out", "notes", "sessions"] {
        assert!(report[field].is_array(), "{report:#}");
    }
}

#[test]
fn several_logs_are_reported_each_and_the_worst_decides() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("bad.log"), MISMATCH).unwrap();
    std::fs::write(path("good.log"), CLEAN).unwrap();
    let (bad, good, none) = (path("bad.log"), path("good.log"), path("none.log"));
    let ran = command(&["doctor", text(&good), text(&bad)]);
    assert_eq!(ran.status, Status::Failed);
    assert!(
        ran.out.contains(&format!("==> {} <==", text(&good)))
            && ran.out.contains("[tls.ctx-mismatch]"),
        "{}",
        ran.out
    );
    let ran = command(&["doctor", "--json", text(&good), text(&none), text(&bad)]);
    assert_eq!(ran.status, Status::Usage);
    assert!(ran.err.contains("there is no file"), "{}", ran.err);
    let reports = json(&ran);
    assert_eq!(reports[0]["log"], text(&good));
    assert_eq!(reports[1]["error"]["kind"], "log-unreadable");
    assert_eq!(reports[2]["findings"][0]["id"], "tls.ctx-mismatch");
}

#[test]
fn what_cannot_be_read_is_status_2_and_says_what_to_do() {
    let folder = TempDir::new().unwrap();
    let binary = folder.path().join("binary");
    std::fs::write(
        &binary,
        (0..4096_u32).map(|n| (n % 251) as u8).collect::<Vec<u8>>(),
    )
    .unwrap();
    for (args, input, expected) in [
        (vec![text(folder.path())], "", "is a folder"),
        (vec![text(&binary)], "", "is not text"),
        (vec!["no-such.log"], "", "there is no file no-such.log"),
        (vec![], "", "standard input is empty"),
        (vec![], "dear doctor\nit hurts\n", "no AT command"),
        (vec!["-", "-"], CLEAN, "once"),
    ] {
        let ran = doctor(input, &args);
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (Status::Usage, ""),
            "{}",
            ran.err
        );
        assert!(
            ran.err.contains(expected) && ran.err.contains("what to do:"),
            "{}",
            ran.err
        );
    }
}

#[test]
fn the_catalogue_is_listed_and_explained() {
    let ran = doctor("", &["--list"]);
    assert!(
        ran.status == Status::Done && ran.out.lines().count() > 80,
        "{}",
        ran.out
    );
    let ran = doctor("", &["--list", "--json"]);
    assert!(json(&ran).as_array().is_some_and(|all| all.len() > 80));
    let ran = doctor("", &["--explain", "error[tls.sni-missing]:"]);
    assert!(
        ran.out.starts_with("tls.sni-missing (error)\n"),
        "{}",
        ran.out
    );
    let ran = doctor("", &["--explain", "open-failed"]);
    assert!(ran.out.contains("tls.clock-not-set: "), "{}", ran.out);
    let ran = doctor("", &["--explain", "tls.sni-mising"]);
    assert_eq!((ran.status, ran.out.as_str()), (Status::Usage, ""));
    assert!(ran.err.contains("perhaps tls.sni-missing"), "{}", ran.err);
    let ran = doctor("", &["--list", "some.log"]);
    assert_eq!(ran.status, Status::Usage);
}

#[test]
fn every_cause_of_an_error_is_in_the_catalogue() {
    for reason in quectel_serial::Reason::ALL {
        for id in reason.causes() {
            assert!(
                quectel_doctor::explain(id).is_some(),
                "{}: there is no cause {id}",
                reason.name()
            );
        }
    }
}
