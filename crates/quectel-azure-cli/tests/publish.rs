//! `publish` over a TCP port to a simulated module.

mod support;

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpListener;

use iothub_sim::CloudToDeviceMessage;
use quectel_azure_cli::{CancelToken, Status};
use quectel_sim::SimState;
use support::{Bench, DEVICE, HUB, Ran, command_with, ready, text};

fn assert_done(ran: &Ran) {
    assert_eq!(ran.status, Status::Done, "{}{}", ran.err, ran.out);
}

/// A failure with this step, the module's words if any, and this in what is to be done.
#[track_caller]
fn assert_failed(ran: &Ran, step: &str, said: &str, remedy: &str) {
    let error = ran.error();
    assert_eq!(ran.status, Status::Failed, "{}", ran.err);
    assert!(
        error.contains(&format!("\n  step:        {step}\n")),
        "{error}"
    );
    assert_eq!(said.is_empty(), !error.contains("module said:"), "{error}");
    assert!(error.contains(said), "{error}");
    let to_do = error.split("what to do:").nth(1).unwrap_or_default();
    assert!(to_do.contains(remedy), "{error}");
    assert_eq!(ran.out, "");
}

/// The line of a step in the progress.
fn step_line<'a>(ran: &'a Ran, step: &str) -> &'a str {
    let mut lines = ran.err.lines().map(str::trim);
    lines
        .find(|line| line.starts_with(step))
        .unwrap_or_default()
}

#[test]
fn a_module_that_fails_to_disconnect_does_not_undo_a_publish() {
    let bench = Bench::with_key();
    let module = bench.module(ready("ec25"));
    let real = format!("tcp:{}", module.address());
    // Goes away when the module is told to disconnect.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("tcp:{}", listener.local_addr().unwrap());
    let address = real.trim_start_matches("tcp:").to_owned();
    let between = std::thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut module = std::net::TcpStream::connect(address).unwrap();
        let (mut up, mut down) = (module.try_clone().unwrap(), client.try_clone().unwrap());
        let back = std::thread::spawn(move || std::io::copy(&mut up, &mut down));
        let (mut heard, mut buf) = (Vec::new(), [0; 1024]);
        while let Ok(n @ 1..) = client.read(&mut buf) {
            heard.extend_from_slice(&buf[..n]);
            if heard.windows(10).any(|part| part == b"AT+QMTDISC") {
                break;
            }
            module.write_all(&buf[..n]).unwrap();
        }
        let _ = client.shutdown(std::net::Shutdown::Both);
        let _ = module.shutdown(std::net::Shutdown::Both);
        let _ = back.join();
    });
    let ran = bench.publish_over(&port, &[]);
    between.join().unwrap();
    assert_done(&ran);
    assert_eq!(ran.out, "published 5 bytes, acknowledged by the hub\n");
    assert!(
        ran.err
            .contains("warning: the message was published, but disconnecting failed"),
        "{}",
        ran.err
    );
    assert!(step_line(&ran, "session").ends_with("ok"), "{}", ran.err);
    assert!(
        step_line(&ran, "disconnect").ends_with("failed"),
        "{}",
        ran.err
    );
}

#[test]
fn a_message_with_properties_arrives() {
    let bench = Bench::with_key();
    let module = bench.module(ready("ec25"));
    let ran = bench.publish(
        &module,
        &["--json", "--property", "a=1", "-p", "b=x y", "--qos", "1"],
    );
    assert_done(&ran);
    assert_eq!(ran.out, "published 5 bytes, acknowledged by the hub\n");
    let ran = bench.publish(&module, &["--qos", "0"]);
    assert_done(&ran);
    assert_eq!(ran.out, "published 5 bytes, sent without acknowledgement\n");
    let arrived = bench.telemetry(2);
    assert_eq!(arrived.len(), 2);
    assert_eq!(
        (
            arrived[0].payload.as_slice(),
            arrived[0].qos,
            arrived[1].qos
        ),
        (b"hello".as_slice(), 1, 0)
    );
    for (name, value) in [
        ("a", "1"),
        ("b", "x y"),
        ("$.ct", "application/json"),
        ("$.ce", "utf-8"),
    ] {
        assert_eq!(arrived[0].properties.value(name), Some(value));
    }
}

#[test]
fn a_message_that_is_too_long_is_a_failure_with_a_remedy() {
    let bench = Bench::with_key();
    let module = bench.module(ready("ec25"));
    let long = "x".repeat(60_000);
    let port = format!("tcp:{}", module.address());
    let (device, root) = (bench.path("device"), bench.path("root"));
    let file = bench.write("long", long);
    let args = [
        "publish",
        "--port",
        &port,
        "--apn",
        "a",
        "--ca",
        text(&root),
    ];
    let more = [
        "--connection-string-file",
        text(&device),
        "--message-file",
        text(&file),
    ];
    let args = [args.as_slice(), &more].concat();
    let ran = command_with(&args, "", &[], CancelToken::default());
    assert_eq!(
        (ran.status, ran.out.as_str()),
        (Status::Failed, ""),
        "{}",
        ran.err
    );
    let error = ran.error();
    assert!(
        error.contains("what to do:") && error.contains("shorten the message"),
        "{error}"
    );
    assert!(
        step_line(&ran, "session").ends_with("failed"),
        "{}",
        ran.err
    );
    assert!(step_line(&ran, "disconnect").ends_with("ok"), "{}", ran.err);
}

#[test]
fn a_certificate_proves_the_device() {
    let bench = Bench::with_certificate();
    let module = bench.module(ready("bg95"));
    let (cert, key, trace) = (bench.path("cert"), bench.path("key"), bench.path("trace"));
    let ran = bench.publish(
        &module,
        &[
            "--cert",
            text(&cert),
            "--key",
            text(&key),
            "--trace",
            text(&trace),
            "-vv",
        ],
    );
    assert_done(&ran);
    assert_eq!(bench.telemetry(1).len(), 1);
    let key = bench.read("key");
    let line = key.lines().nth(1).unwrap();
    for text in [ran.err, bench.read("trace")] {
        assert!(
            text.contains(&format!("-> <{} secret bytes>", key.len())),
            "{text}"
        );
        assert!(
            !text.contains(line) && !text.contains("PRIVATE KEY"),
            "{text}"
        );
    }
}

#[test]
fn the_message_may_come_from_a_file_or_standard_input_and_the_device_from_the_environment() {
    let bench = Bench::with_key();
    let module = bench.module(ready("bg96"));
    let port = format!("tcp:{}", module.address());
    let (root, body) = (
        bench.path("root"),
        bench.write("body", [0, 1, 0x1A, 0x1B, b'"', b'\r', 0xFF]),
    );
    let device = bench.read("device");
    let variables = [("QUECTEL_AZURE_CONNECTION_STRING", device.as_str())];
    let args = [
        "publish",
        "--port",
        &port,
        "--ca",
        text(&root),
        "--apn",
        "a",
    ];
    for (more, input) in [
        (vec!["--message-file", text(&body)], ""),
        (vec![], "from stdin\n"),
        (vec!["--message-file", "-"], "too"),
    ] {
        let args = [args.as_slice(), &more].concat();
        let ran = command_with(&args, input, &variables, CancelToken::default());
        assert_done(&ran);
    }
    let arrived: Vec<Vec<u8>> = bench
        .telemetry(3)
        .into_iter()
        .map(|telemetry| telemetry.payload)
        .collect();
    assert_eq!(
        arrived,
        [
            vec![0, 1, 0x1A, 0x1B, b'"', b'\r', 0xFF],
            b"from stdin\n".to_vec(),
            b"too".to_vec()
        ]
    );
}

#[test]
fn a_message_of_the_hub_is_shown() {
    let bench = Bench::with_key();
    let module = bench.module(ready("ec21"));
    bench
        .hub
        .send_to_device(
            DEVICE,
            CloudToDeviceMessage::new("switch on").with_property("lamp", "hall"),
        )
        .unwrap();
    let ran = bench.publish(&module, &["--wait-for-message", "10"]);
    assert_done(&ran);
    assert!(
        ran.out.contains("received switch on\n") && ran.out.contains("  lamp=hall\n"),
        "{}",
        ran.out
    );
    let ran = bench.publish(&module, &["--wait-for-message", "1"]);
    assert_eq!(ran.status, Status::Failed);
    assert!(
        ran.error()
            .contains("no cloud-to-device message came in 1 s"),
        "{}",
        ran.err
    );
    assert_eq!(ran.out, "published 5 bytes, acknowledged by the hub\n");
    assert!(!step_line(&ran, "session").ends_with("ok"), "{}", ran.err);
}

#[test]
fn the_pin_is_given_and_never_shown() {
    let bench = Bench::with_key();
    let module = bench.module(ready("ec25").sim(SimState::Pin("4711".into())));
    let (pin, trace) = (bench.write("pin", "0815\n"), bench.path("trace"));
    assert_failed(
        &bench.publish(&module, &[]),
        "sim",
        "SIM PIN",
        "set the PIN",
    );
    let ran = bench.publish(
        &module,
        &["--pin-file", text(&pin), "--trace", text(&trace), "-v"],
    );
    assert_failed(
        &ran,
        "sim",
        "+CME ERROR: 16",
        "three wrong ones lock the SIM",
    );
    for text in [&ran.err, &bench.read("trace")] {
        assert!(
            text.contains("-> AT+CPIN=") && !text.contains("0815"),
            "{text}"
        );
    }
    let pin = bench.write("pin", "4711\n");
    assert_done(&bench.publish(&module, &["--pin-file", text(&pin)]));
}

#[test]
fn faults_of_module_and_network_are_named_and_the_next_run_works() {
    let bench = Bench::with_key();
    let good = ready("ec25");
    let mut no_sim = good.clone();
    no_sim.sim = SimState::Absent;
    let mut wrong_apn = good.clone();
    wrong_apn.apns = vec!["other.example".into()];
    let mut full = good.clone();
    full.profile
        .overlay("full", "[file]\nufs_free = 100\n")
        .unwrap();
    let cases = [
        (no_sim, "sim", "+CME ERROR: 10", "insert the SIM"),
        (wrong_apn, "pdp", "ERROR", "check the APN"),
        (full, "certificates", "+CME ERROR: 4", "delete files"),
    ];
    for (config, step, said, remedy) in cases {
        let ran = bench.publish(&bench.module(config), &[]);
        assert_failed(&ran, step, said, remedy);
    }
    let module = bench.module(good);
    type Switch = fn(&mut quectel_sim::Module, bool);
    let cases: [(&str, Switch, &str, &str, &str); 3] = [
        (
            "no network",
            |m, on| m.allow_registration(!on),
            "register",
            "+CEREG: 0,2",
            "check the antenna",
        ),
        (
            "no name",
            |m, on| m.faults().dns_fails = on,
            "open",
            "+QMTOPEN: 0,",
            "",
        ),
        (
            "hung",
            |m, on| m.faults().hung = on,
            "identify",
            "",
            "check power",
        ),
    ];
    for (name, switch, step, said, remedy) in cases {
        module.control().with(|m| {
            switch(m, true);
            if name == "no network" {
                m.set_registration(quectel_sim::Registration::Searching);
            }
        });
        assert_failed(
            &bench.publish(&module, &["--timeout", "4"]),
            step,
            said,
            remedy,
        );
        module.control().with(|m| {
            switch(m, false);
            if name == "no network" {
                m.set_registration(quectel_sim::Registration::Home);
            }
        });
        let ran = bench.publish(&module, &[]);
        assert_eq!(ran.status, Status::Done, "after {name}: {}", ran.err);
    }
}

#[test]
fn faults_of_the_credentials_are_named_and_the_next_run_works() {
    let bench = Bench::with_key();
    let module = bench.module(ready("ec25"));
    let device = bench.read("device");
    let other_root = Bench::with_key().read("root");
    let root = bench.read("root");
    let wrong_key = format!(
        "HostName={HUB};DeviceId={DEVICE};SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
    );
    let cases = [
        (
            wrong_key,
            root.clone(),
            "connect",
            "+QMTCONN: 0,",
            "check device id, key and hub name",
        ),
        (
            device.replace(HUB, "contosso.azure-devices.net"),
            root.clone(),
            "open",
            "+QMTOPEN: 0,",
            "",
        ),
        (
            device.replace("DeviceId=dev-1", "DeviceId=dev-2"),
            root.clone(),
            "connect",
            "+QMTCONN: 0,",
            "device id",
        ),
        (
            device.clone(),
            other_root,
            "open",
            "+QMTOPEN: 0,",
            "root certificate",
        ),
    ];
    for (connection_string, trusted, step, said, remedy) in cases {
        bench.write("device", connection_string);
        bench.write("root", trusted);
        assert_failed(&bench.publish(&module, &[]), step, said, remedy);
        bench.write("device", &device);
        bench.write("root", &root);
        assert_done(&bench.publish(&module, &[]));
    }
}

#[test]
fn an_expired_token_is_refused_before_the_module_is_touched_or_by_name() {
    let bench = Bench::with_key();
    let module = bench.module(ready("ec25"));
    let token = format!(
        "SharedAccessSignature sr={HUB}%2Fdevices%2F{DEVICE}&sig=1sY1G3%2B%2BFZar2HfkFZit4C3IGSAfGbAJ1zno1WkK9d4%3D&se=1700003600"
    );
    bench.write(
        "device",
        format!("HostName={HUB};DeviceId={DEVICE};SharedAccessSignature={token}"),
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let untouched = format!("tcp:{}", listener.local_addr().unwrap());
    for ran in [
        bench.publish(&module, &["-v"]),
        bench.publish_over(&untouched, &["-v"]),
    ] {
        assert_eq!(ran.status, Status::Usage);
        assert!(
            ran.err
                .starts_with("error: the SAS token expired at 1700003600 (unix time)"),
            "{}",
            ran.err
        );
        assert!(!ran.err.contains("1sY1G3"), "{}", ran.err);
    }
    assert!(listener.accept().is_err(), "the port was opened");
    let ran = bench.publish(&module, &["-v"]);
    assert!(!ran.err.contains("1sY1G3"), "{}", ran.err);
}

#[test]
fn ports_that_do_not_answer_as_a_module_does() {
    let bench = Bench::with_key();
    let serve = |answer: fn(&mut std::net::TcpStream)| {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = format!("tcp:{}", listener.local_addr().unwrap());
        let thread = std::thread::spawn(move || {
            if let Ok((mut stream, _)) = listener.accept() {
                stream
                    .set_read_timeout(Some(Duration::from_secs(30)))
                    .unwrap();
                answer(&mut stream);
            }
        });
        (port, thread)
    };
    let until_closed =
        |stream: &mut std::net::TcpStream| while stream.read(&mut [0; 64]).is_ok_and(|n| n > 0) {};
    let (port, thread) = serve(until_closed);
    assert_failed(
        &bench.publish_over(&port, &["--timeout", "2"]),
        "identify",
        "",
        "baud rate",
    );
    thread.join().unwrap();

    let (port, thread) = serve(|stream| {
        while stream.read(&mut [0; 64]).is_ok_and(|n| n > 0) {
            let _ = stream.write_all(b"\xf8\xe0\xfe\x00\xfc\x80\r\n\xf0");
        }
    });
    let ran = bench.publish_over(&port, &["--timeout", "9"]);
    assert_eq!(ran.status, Status::Failed);
    assert!(ran.error().contains("baud rate"), "{}", ran.err);
    thread.join().unwrap();

    let (port, thread) = serve(|stream| {
        let _ = stream.read(&mut [0; 64]);
    });
    assert_failed(
        &bench.publish_over(&port, &[]),
        "identify",
        "",
        "check the cable",
    );
    thread.join().unwrap();
}

#[test]
fn cancelling_leaves_the_module_ready() {
    let bench = Bench::with_key();
    let module = bench.module(ready("ec25"));
    let port = format!("tcp:{}", module.address());
    let (device, root) = (bench.path("device"), bench.path("root"));
    let cancel = CancelToken::default();
    let args = [
        "publish",
        "--port",
        &port,
        "--connection-string-file",
        text(&device),
        "--ca",
        text(&root),
    ];
    let args = [
        args.as_slice(),
        &["--message", "x", "--wait-for-message", "60"],
    ]
    .concat();
    let token = cancel.clone();
    let ran = std::thread::scope(|scope| {
        scope.spawn(|| {
            // The message has arrived, so the device waits for one.
            let arrived = bench.telemetry(1);
            token.cancel();
            assert_eq!(arrived.len(), 1);
        });
        command_with(&args, "", &[], cancel)
    });
    assert_eq!(ran.status, Status::Failed);
    assert!(
        ran.error().contains("cancelled; the module confirmed"),
        "{}",
        ran.err
    );
    assert!(
        step_line(&ran, "session").ends_with("cancelled"),
        "{}",
        ran.err
    );
    assert!(
        module
            .control()
            .with(|m| m.state().mqtt[0] == quectel_sim::MqttState::Closed)
    );
    assert_done(&bench.publish(&module, &[]));
}
