//! Help, wrong usage and wrong input: one clear error, exit status 2, nothing sent, nothing secret shown.

mod support;

use std::net::TcpListener;

use quectel_azure_cli::{CancelToken, Status};
use support::{command, command_with, text};

const DEVICE: &str = "HostName=contoso.azure-devices.net;DeviceId=dev-1;\
                      SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8";

#[test]
fn help_tells_about_secrets_and_exit_status() {
    for (args, expected) in [
        (
            &["--help"][..],
            &[
                "demo",
                "publish",
                "ports",
                "sim",
                "Exit status:",
                "Secrets: other users",
            ][..],
        ),
        (
            &["publish", "--help"],
            &[
                "--port <PORT>",
                "tcp:HOST:PORT",
                "--connection-string-file <FILE>",
                "QUECTEL_AZURE_CONNECTION_STRING",
                "QUECTEL_AZURE_SIM_PIN",
                "Visible to other users",
                "--cert <FILE>",
                "--apn <NAME>",
                "--qos <0|1>",
                "--wait-for-message <S>",
                "--trace <FILE>",
                "Exit status:",
            ],
        ),
        (
            &["demo", "--help"],
            &[
                "--model <MODEL>",
                "--firmware <REVISION>",
                "sas",
                "x509",
                "--verbose",
            ],
        ),
        (&["--version"], &[env!("CARGO_PKG_VERSION")]),
    ] {
        let ran = command(args);
        assert_eq!((ran.status, ran.err.as_str()), (Status::Done, ""));
        for word in expected {
            assert!(ran.out.contains(word), "no {word:?} in\n{}", ran.out);
        }
        assert!(
            ran.out.lines().all(|line| line.chars().count() <= 160),
            "{}",
            ran.out
        );
    }
}

#[test]
fn wrong_usage() {
    let cases: &[(&[&str], &str)] = &[
        (&[], "Usage: quectel-azure <COMMAND>"),
        (&["connect"], "unrecognized subcommand 'connect'"),
        (&["demo", "--auth", "key"], "[possible values: sas, x509]"),
        (&["publish"], "--port <PORT>"),
        (&["publish", "--port", "p", "--qos", "2"], "0..=1"),
        (&["publish", "--port", "p", "--mqtt-client", "6"], "0..=5"),
        (&["publish", "--port", "p", "--pdp-context", "0"], "1..=16"),
        (
            &["publish", "--port", "p", "--property", "novalue"],
            "a property is NAME=VALUE",
        ),
        (
            &["publish", "--port", "p", "--cert", "c.pem"],
            "--key <FILE>",
        ),
        (
            &[
                "publish",
                "--port",
                "p",
                "--message",
                "a",
                "--message-file",
                "b",
            ],
            "cannot be used with",
        ),
        (
            &["publish", "--port", "p", "--apn-user", "u"],
            "--apn <NAME>",
        ),
        (&["publish", "--port", "p", "--timeout", "0"], "1..=86400"),
        (&["publish", "--port", "p", DEVICE], "unexpected argument"),
        (
            &[
                "publish",
                "--port",
                "p",
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            ],
            "unexpected argument '***' found",
        ),
        (&["publish", "--prot", "p"], "unexpected argument '--prot'"),
        (
            &["sim", "modem", "--host", "hub:8883"],
            "NAME:PORT=ADDRESS:PORT",
        ),
    ];
    for (args, expected) in cases {
        let ran = command(args);
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (Status::Usage, ""),
            "{args:?}"
        );
        assert!(
            ran.err.contains(expected),
            "{args:?}: no {expected:?} in\n{}",
            ran.err
        );
        assert!(!ran.err.contains(KEY), "{}", ran.err);
    }
}

/// What is wrong with the input, before the port is opened.
#[test]
fn wrong_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, content).unwrap();
        text(&path).to_owned()
    };
    let x509 = "HostName=contoso.azure-devices.net;DeviceId=dev-1;x509=true";
    let der = file("cert.der", &[0x30, 0x82, 0xFF, 0x00]);
    let pem = file(
        "cert.pem",
        b"-----BEGIN CERTIFICATE-----\nMIIC\n-----END CERTIFICATE-----\n",
    );
    let pin = file("pin", b"12\n");
    let missing = text(&folder.path().join("missing")).to_owned();
    let huge = file("huge", &vec![b'x'; 1024 * 1024 + 1]);
    let cases: &[(&str, &[&str], &str)] = &[
        ("", &[], "the connection string is empty"),
        ("HostName=contoso.azure-devices.net", &[], "DeviceId"),
        (
            &DEVICE.replace("HostName", "Hostname"),
            &[],
            "write HostName",
        ),
        (&DEVICE.replace("8=", ""), &[], "key"),
        (x509, &[], "--cert FILE and --key FILE"),
        (x509, &["--cert", &der, "--key", &der], "openssl x509"),
        (
            x509,
            &["--cert", &pem, "--key", &pem],
            "are certificate and key swapped?",
        ),
        (
            x509,
            &["--cert", &missing, "--key", &missing],
            "cannot read the certificate",
        ),
        (
            DEVICE,
            &["--cert", &pem, "--key", &pem],
            "leave out --cert and --key",
        ),
        (
            DEVICE,
            &["--ca", &pin],
            "the root certificate is not PEM text",
        ),
        (DEVICE, &["--pin-file", &pin], "4 to 8 digits"),
        (DEVICE, &["--apn", "a\"b"], "must not contain quotes"),
        (
            DEVICE,
            &["--profile", "sim7600"],
            "the profiles are bg96-old, bg96",
        ),
        (
            DEVICE,
            &["--message-file", &missing],
            "cannot read the message",
        ),
        (
            DEVICE,
            &["--message-file", &huge],
            "has more than 1048576 bytes",
        ),
        (
            DEVICE,
            &["--message-file", "-"],
            "standard input has no message",
        ),
        (
            DEVICE,
            &["--trace", "/no/such/folder/trace"],
            "cannot write the trace",
        ),
        (
            DEVICE,
            &["--port", "tcp:localhost"],
            "the form is tcp:HOST:PORT",
        ),
    ];
    // A port that must not be opened for wrong input.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let port = format!("tcp:{}", listener.local_addr().unwrap());
    for (device, more, expected) in cases {
        let device = [("QUECTEL_AZURE_CONNECTION_STRING", *device)];
        let mut args = vec!["publish"];
        if !more.contains(&"--port") {
            args.extend(["--port", &port]);
        }
        if !more.contains(&"--message-file") {
            args.extend(["--message", "x"]);
        }
        args.extend(*more);
        let ran = command_with(&args, "", &device, CancelToken::default());
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (Status::Usage, ""),
            "{more:?}: {}",
            ran.err
        );
        assert!(
            ran.err.starts_with("error: ") && ran.err.contains(expected),
            "{more:?}: no {expected:?} in\n{}",
            ran.err
        );
        assert!(!ran.err.contains(KEY), "{}", ran.err);
    }
    let ran = command(&["publish", "--port", &port, "--message", "x"]);
    assert!(
        ran.status == Status::Usage && ran.err.contains("--connection-string-file"),
        "{}",
        ran.err
    );
    let both = ["publish", "--port", &port, "--connection-string-file", "-"];
    let ran = command_with(&both, DEVICE, &[], CancelToken::default());
    assert!(
        ran.status == Status::Usage
            && ran.err.contains(
                "the connection string and the message cannot all come from standard input"
            ),
        "{}",
        ran.err
    );
    let both = ["--ca", "-", "--pin-file", "-", "--message", "x"];
    let both = [["publish", "--port", &port].as_slice(), &both].concat();
    let device = [("QUECTEL_AZURE_CONNECTION_STRING", DEVICE)];
    let ran = command_with(&both, "1234\n", &device, CancelToken::default());
    assert!(
        ran.status == Status::Usage
            && ran
                .err
                .contains("the root certificate and the PIN cannot all come from standard input"),
        "{}",
        ran.err
    );
    assert!(listener.accept().is_err(), "the port was opened");
}

/// The text of a file that begins with a byte order mark is the text behind it: the next complaint is about the port.
#[test]
fn a_byte_order_mark_is_no_part_of_an_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("\u{FEFF}{content}")).unwrap();
        text(&path).to_owned()
    };
    let (device, pin) = (file("device", DEVICE), file("pin", "1234\r\n"));
    let ran = command(&[
        "publish",
        "--port",
        "/no/such/port",
        "--message",
        "x",
        "--connection-string-file",
        &device,
        "--pin-file",
        &pin,
    ]);
    assert_eq!(ran.status, Status::Failed, "{}", ran.err);
    assert!(ran.err.contains("cannot open port"), "{}", ran.err);
}

#[test]
fn ports_that_cannot_be_opened() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let closed = format!("tcp:{}", listener.local_addr().unwrap());
    drop(listener);
    let device = [("QUECTEL_AZURE_CONNECTION_STRING", DEVICE)];
    for (port, expected, remedy) in [
        (
            closed.as_str(),
            "nobody listens there",
            "start the other side first",
        ),
        #[cfg(unix)]
        (
            "/dev/no-such-port",
            "there is no such device",
            "check the name and the cable",
        ),
        #[cfg(unix)]
        (
            "/dev/null",
            "this is not a serial port",
            "give the device of the module's AT port",
        ),
    ] {
        let ran = command_with(
            &["publish", "--port", port, "--message", "x"],
            "",
            &device,
            CancelToken::default(),
        );
        assert_eq!((ran.status, ran.out.as_str()), (Status::Failed, ""));
        assert!(
            ran.err.contains(expected) && ran.err.contains(remedy),
            "{}",
            ran.err
        );
    }
}
