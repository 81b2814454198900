//! `doctor --port`: experiments at a simulated module, whose settings are the same afterwards.

mod support;

use core::time::Duration;
use std::io::{Read, Write};
use std::net::TcpStream;

use iothub_sim::{DeviceCertificate, KeyKind, Validity};
use quectel_azure_cli::{CancelToken, Status};
use quectel_sim::run::TcpPort;
use quectel_sim::{ModuleConfig, SimState};
use serde_json::Value;
use support::{Bench, HUB, Ran, command, command_with, ready, text};

/// Types a command and returns what the module says.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn say(module: &TcpPort, command: &str) -> String {
    let mut stream = TcpStream::connect(module.address()).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(5)))
        .unwrap();
    write!(stream, "{command}\r").unwrap();
    let mut said = String::new();
    let mut buf = [0; 1024];
    while !said.ends_with("OK\r\n") && !said.ends_with("ERROR\r\n") {
        let n = stream.read(&mut buf).unwrap();
        assert!(n > 0, "{command}: {said}");
        said.push_str(&String::from_utf8_lossy(&buf[..n]));
    }
    said
}

/// A module as its user has set it up: root on the module, TLS context 2, PDP context 1 active.
fn set_up(bench: &Bench, config: ModuleConfig, root: &str, settings: &[&str]) -> TcpPort {
    let module = bench.module(config.file("root.pem", root.as_bytes()));
    for command in [
        "AT+QIACT=1",
        "AT+QSSLCFG=\"sslversion\",2,4",
        "AT+QSSLCFG=\"ciphersuite\",2,0XFFFF",
        "AT+QSSLCFG=\"cacert\",2,\"root.pem\"",
        "AT+QSSLCFG=\"seclevel\",2,1",
        "AT+QSSLCFG=\"ignorelocaltime\",2,0",
        "AT+QSSLCFG=\"sni\",2,1",
        "AT+QMTCFG=\"ssl\",0,1,2",
    ]
    .iter()
    .chain(settings)
    {
        let said = say(&module, command);
        assert!(
            !settings.contains(command) || said.contains("OK"),
            "{command}: {said}"
        );
    }
    module
}

/// Every setting that an experiment may touch.
fn settings(module: &TcpPort) -> Vec<String> {
    let mut all = vec![
        say(module, "AT+QIACT?"),
        say(module, "AT+QISTATE?"),
        say(module, "AT+QSSLSTATE"),
    ];
    for context in 0..6 {
        for item in [
            "sslversion",
            "ciphersuite",
            "cacert",
            "clientcert",
            "clientkey",
            "seclevel",
            "ignorelocaltime",
            "sni",
            "negotiatetime",
        ] {
            all.push(say(module, &format!("AT+QSSLCFG=\"{item}\",{context}")));
        }
        all.push(say(module, &format!("AT+QMTCFG=\"ssl\",{context}")));
    }
    all.extend([say(module, "AT+QMTOPEN?"), say(module, "AT+QMTCONN?")]);
    all
}

fn examine(module: &TcpPort, more: &[&str]) -> Ran {
    let port = format!("tcp:{}", module.address());
    let before = settings(module);
    let ran = command(&[&["doctor", "--port", &port, "--json"], more].concat());
    assert_eq!(settings(module), before, "{}\n{}", ran.err, ran.out);
    ran
}

fn first(ran: &Ran) -> Value {
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_default();
    report["findings"][0].clone()
}

#[track_caller]
fn assert_found(ran: &Ran, id: &str, said: &str) {
    let found = first(ran);
    assert_eq!(found["id"], id, "{}{}", ran.out, ran.err);
    assert_eq!(ran.status, Status::Failed, "{}", ran.out);
    let quoted = found["lines"].to_string();
    assert!(quoted.contains(said), "{found:#}");
    assert!(
        found["fix"].as_array().is_some_and(|fix| !fix.is_empty()),
        "{found:#}"
    );
}

const PROBE: &[&str] = &["--yes", "--hub", HUB];

#[test]
fn a_good_module_has_no_fault() {
    let bench = Bench::with_key();
    let module = set_up(&bench, ready("ec25"), &bench.read("root"), &[]);
    let ran = examine(&module, PROBE);
    assert_eq!(ran.status, Status::Done, "{}", ran.out);
    for part in [
        "every experiment succeeded",
        "net.port-blocked",
        "tls.handshake-failed",
        "\"EC25\"",
    ] {
        assert!(ran.out.contains(part), "no {part} in {}", ran.out);
    }
    assert!(ran.err.contains("AT+QMTOPEN=0,"), "{}", ran.err);
}

#[test]
fn network_faults_are_told_from_each_other() {
    let bench = Bench::with_key();
    let root = bench.read("root");
    let good = || ready("ec25");
    let module = set_up(&bench, good().sim(SimState::Absent), &root, &[]);
    assert_found(
        &examine(&module, PROBE),
        "net.sim-not-ready",
        "+CME ERROR: 10",
    );

    let module = set_up(&bench, good(), &root, &[]);
    module.control().with(|m| {
        m.allow_registration(false);
        m.set_registration(quectel_sim::Registration::Searching);
    });
    assert_found(
        &examine(&module, PROBE),
        "net.not-registered",
        "+CEREG: 0,2",
    );

    let mut other = good();
    other.apns = vec!["other.example".into()];
    let module = set_up(&bench, other, &root, &[]);
    assert_found(
        &examine(&module, PROBE),
        "net.apn-missing-or-wrong",
        "AT+QIACT=1",
    );

    let module = set_up(&bench, good(), &root, &[]);
    let wrong = ["--yes", "--hub", "contosso.azure-devices.net"];
    assert_found(&examine(&module, &wrong), "net.dns-failed", "dnsgip");
    let closed = ["--yes", "--hub", HUB, "--hub-port", "9"];
    assert_found(
        &examine(&module, &closed),
        "net.port-blocked",
        "+QIOPEN: 11,566",
    );
}

#[test]
fn a_context_that_is_not_active_is_activated_for_the_experiments_only() {
    let bench = Bench::with_key();
    let module = set_up(&bench, ready("ec25"), &bench.read("root"), &[]);
    say(&module, "AT+QIDEACT=1");
    let ran = examine(&module, PROBE);
    assert_eq!(first(&ran)["id"], "net.pdp-not-active", "{}", ran.out);
    assert_eq!(ran.status, Status::Done, "a warning: {}", ran.out);
    assert!(
        ran.err.contains("AT+QIDEACT=1") && ran.out.contains("every experiment succeeded"),
        "{}",
        ran.err
    );
}

#[test]
fn tls_faults_are_told_from_each_other() {
    let bench = Bench::with_key();
    let root = bench.read("root");
    let other = Bench::with_key().read("root");
    let good = || ready("ec25");
    type Case<'c> = (
        &'c str,
        ModuleConfig,
        &'c str,
        &'c [&'c str],
        &'c str,
        &'c str,
    );
    let cases: [Case<'_>; 7] = [
        (
            "wrong root",
            good(),
            &other,
            &[],
            "tls.ca-wrong-for-host",
            "root.pem",
        ),
        (
            "no name",
            good(),
            &root,
            &["AT+QSSLCFG=\"sni\",2,0"],
            "tls.sni-missing",
            "566",
        ),
        (
            "clock",
            good().without_clock(),
            &root,
            &[],
            "tls.clock-not-set",
            "80/01/06",
        ),
        (
            "no root",
            good(),
            &root,
            &["AT+QSSLCFG=\"cacert\",2,\"\""],
            "tls.seclevel-needs-ca",
            "cacert",
        ),
        (
            "no file",
            good(),
            &root,
            &["AT+QSSLCFG=\"cacert\",2,\"none.pem\""],
            "file.missing-on-module",
            "none.pem",
        ),
        (
            "level 2",
            good(),
            &root,
            &["AT+QSSLCFG=\"seclevel\",2,2"],
            "tls.seclevel2-no-client-cert",
            "566",
        ),
        (
            "TLS off",
            good(),
            &root,
            &["AT+QMTCFG=\"ssl\",0,0"],
            "tls.not-enabled",
            "+QMTCFG",
        ),
    ];
    for (name, config, root, settings, id, said) in cases {
        println!("{name}");
        let module = set_up(&bench, config, root, settings);
        assert_found(&examine(&module, PROBE), id, said);
    }
}

/// A TLS server that lets nobody in without a certificate; it ends after so many connections.
#[expect(clippy::unwrap_used, reason = "a helper of tests")]
fn strict_server(client_root: &str) -> core::net::SocketAddr {
    use rustls::pki_types::pem::PemObject;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let made =
        DeviceCertificate::self_signed("strict.example", KeyKind::default(), Validity::default())
            .unwrap();
    let mut roots = rustls::RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(client_root.as_bytes()).unwrap())
        .unwrap();
    let provider = std::sync::Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let verifier =
        rustls::server::WebPkiClientVerifier::builder_with_provider(roots.into(), provider.clone())
            .build()
            .unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS12])
        .unwrap()
        .with_client_cert_verifier(verifier)
        .with_single_cert(
            vec![CertificateDer::from_pem_slice(made.certificate_pem.as_bytes()).unwrap()],
            PrivateKeyDer::from_pem_slice(made.key_pem.as_bytes()).unwrap(),
        )
        .unwrap();
    let config = std::sync::Arc::new(config);
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(20).flatten() {
            let config = std::sync::Arc::clone(&config);
            std::thread::spawn(move || {
                let mut stream = stream;
                let _ = stream.set_read_timeout(Some(Duration::from_secs(10)));
                if let Ok(mut tls) = rustls::ServerConnection::new(config) {
                    // The handshake, or its end by an alert.
                    while tls.is_handshaking() && tls.complete_io(&mut stream).is_ok() {}
                    let _ = tls.complete_io(&mut stream);
                }
            });
        }
    });
    address
}

#[test]
fn a_server_that_wants_a_client_certificate_is_recognised() {
    let bench = Bench::with_key();
    let address = strict_server(&bench.read("root"));
    bench.host("strict.example:8883", address);
    let unverified = ["AT+QSSLCFG=\"seclevel\",2,0"];
    let module = set_up(&bench, ready("ec25"), &bench.read("root"), &unverified);
    let ran = examine(&module, &["--yes", "--hub", "strict.example"]);
    assert_found(&ran, "tls.handshake-failed", "+QSSLOPEN: 11,566");
    assert!(
        first(&ran)["message"]
            .to_string()
            .contains("wants a client certificate"),
        "{}",
        ran.out
    );
}

#[test]
fn without_consent_it_only_reads() {
    let bench = Bench::with_key();
    let module = set_up(&bench, ready("ec25"), &bench.read("root"), &[]);
    let ran = examine(&module, &["--hub", HUB]);
    assert_eq!(ran.status, Status::Done, "{}", ran.out);
    assert!(
        ran.err.contains("only reads were made; --yes allows it"),
        "{}",
        ran.err
    );
    assert!(ran.out.contains("no connection was tried"), "{}", ran.out);
    assert!(!ran.err.contains("AT+QIOPEN"), "{}", ran.err);
    let ran = examine(&module, &[]);
    assert!(ran.out.contains("No host was given"), "{}", ran.out);
}

#[test]
fn an_examination_that_is_ended_puts_everything_back() {
    let bench = Bench::with_key();
    // The wrong root, so that many experiments are made; each takes its time.
    let other = Bench::with_key().read("root");
    let module = set_up(&bench, ready("ec25"), &other, &[]);
    let port = format!("tcp:{}", module.address());
    let before = settings(&module);
    for delay in [5, 20, 40, 80] {
        let cancel = CancelToken::default();
        let token = cancel.clone();
        let args = [&["doctor", "--port", &port][..], PROBE].concat();
        let ran = std::thread::scope(|scope| {
            scope.spawn(move || {
                std::thread::sleep(Duration::from_millis(delay));
                token.cancel();
            });
            command_with(&args, "", &[], cancel)
        });
        assert_eq!(settings(&module), before, "after {delay} ms: {}", ran.err);
    }
}

#[test]
fn the_conversation_has_the_lines_that_are_quoted() {
    let bench = Bench::with_key();
    let module = set_up(
        &bench,
        ready("ec25"),
        &bench.read("root"),
        &["AT+QSSLCFG=\"sni\",2,0"],
    );
    let file = bench.path("conversation");
    let ran = examine(&module, &[PROBE, &["--trace", text(&file)]].concat());
    let saved = bench.read("conversation");
    let saved: Vec<&str> = saved.lines().collect();
    for line in first(&ran)["lines"].as_array().into_iter().flatten() {
        let number = usize::try_from(line["number"].as_u64().unwrap()).unwrap();
        assert_eq!(Some(saved[number - 1]), line["text"].as_str());
    }
}

#[test]
fn ports_without_a_module_cannot_be_read() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = format!("tcp:{}", silent.local_addr().unwrap());
    let ran = command(&["doctor", "--port", &port]);
    assert_eq!(ran.status, Status::Usage);
    assert!(
        ran.err.contains("the module does not answer AT") && ran.err.contains("baud rate"),
        "{}",
        ran.err
    );
    drop(silent);
    for port in [port.as_str(), "/dev/no-such-port", "tcp:x"] {
        let ran = command(&["doctor", "--port", port]);
        assert_eq!(ran.status, Status::Usage, "{}", ran.err);
        assert!(ran.err.contains("what to do:"), "{}", ran.err);
    }
}
