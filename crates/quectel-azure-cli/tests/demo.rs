//! The demonstration with every model and both credentials.

mod support;

use quectel_azure_cli::Status;
use support::command;

#[test]
fn every_model_and_credential() {
    for model in ["ec21", "ec25", "bg96", "bg95", "ec200u"] {
        for auth in ["sas", "x509"] {
            let ran = command(&["demo", "--model", model, "--auth", auth]);
            assert_eq!(
                ran.status,
                Status::Done,
                "{model} {auth}: {}\n{}",
                ran.err,
                ran.out
            );
            assert_eq!(ran.err, "", "{model} {auth}");
            for expected in [
                "identify      wake",
                "-> ATI\n",
                "-> AT+QMTOPEN=0,\"demo-hub.azure-devices.net\",8883\n",
                "the hub received\n  device        demo-device\n",
                "  body          {\"temperature\":21.5,\"humidity\":48}\n",
                "  property      unit = °C\n",
                "the device received\n  body          report every 60 s\n",
                "  property      command = interval\n",
                "done in ",
            ] {
                assert!(
                    ran.out.contains(expected),
                    "{model} {auth}: no {expected:?} in\n{}",
                    ran.out
                );
            }
            // Neither a signature nor a key, and no colour without a terminal.
            for secret in ["sig=", "PRIVATE KEY", "\x1b"] {
                assert!(
                    !ran.out.contains(secret),
                    "{model} {auth}: {secret:?} in\n{}",
                    ran.out
                );
            }
            assert_eq!(
                ran.out.contains("secret bytes>"),
                auth == "x509",
                "{}",
                ran.out
            );
        }
    }
}

#[test]
fn old_firmware_without_sni() {
    let ran = command(&["demo", "--model", "BG96", "--firmware", "BG96MAR02A07M1G"]);
    assert_eq!(ran.status, Status::Done, "{}\n{}", ran.err, ran.out);
    assert!(
        ran.out
            .contains("warning: this firmware cannot send the server's name"),
        "{}",
        ran.out
    );
    assert!(ran.out.contains("(profile bg96-old)"), "{}", ran.out);
}

#[test]
fn byte_for_byte_and_into_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let trace = folder.path().join("trace");
    let ran = command(&[
        "demo",
        "--verbose",
        "--auth",
        "x509",
        "--trace",
        support::text(&trace),
    ]);
    assert_eq!(ran.status, Status::Done, "{}\n{}", ran.err, ran.out);
    let trace = std::fs::read_to_string(trace).unwrap();
    for text in [&ran.out, &trace] {
        assert!(
            text.contains("-> ATI\\r\n") && text.contains("<- OK\\r\\n\n"),
            "{text}"
        );
        assert!(text.contains("-> -----BEGIN CERTIFICATE-----\\n"), "{text}");
        assert!(
            text.contains(" secret bytes>\n") && !text.contains("PRIVATE KEY"),
            "{text}"
        );
    }
}

#[test]
fn unknown_models_and_firmware_name_the_known_ones() {
    let ran = command(&["demo", "--model", "sim7600"]);
    assert_eq!(ran.status, Status::Usage);
    assert!(
        ran.err.contains("\"sim7600\"") && ran.err.contains("bg96, bg95"),
        "{}",
        ran.err
    );
    let ran = command(&["demo", "--model", "bg96", "--firmware", "EC21X"]);
    assert_eq!(ran.status, Status::Usage);
    assert!(
        ran.err.contains("EC21X") && ran.err.contains("BG96MAR02A07M1G"),
        "{}",
        ran.err
    );
    assert_eq!(ran.out, "");
}
