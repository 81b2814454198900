//! The module's own TLS against a rustls server: every failure must come out of the handshake.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::{Arc, LazyLock};

use common::{
    config,
    pki::{Authority, Identity},
    world::{Listener, World},
};
use quectel_sim::{PowerState, Timing};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::aws_lc_rs,
    server::{ResolvesServerCertUsingSni, WebPkiClientVerifier},
    sign::CertifiedKey,
    version::{TLS12, TLS13},
};

const HOST: &str = "hub.test";

struct Pki {
    root: Authority,
    other: Authority,
    expired_root: Authority,
    rsa: Identity,
    ecdsa: Identity,
    under_expired: Identity,
    expired: Identity,
    future: Identity,
    wrong_name: Identity,
    common_name: Identity,
    middle: Authority,
    below_middle: Identity,
    client: Identity,
    client_rsa: Identity,
    foreign_client: Identity,
}

static PKI: LazyLock<Pki> = LazyLock::new(|| {
    let now = (2020, 2040);
    let root = Authority::root("Root", true, now);
    let other = Authority::root("Other", false, now);
    let expired_root = Authority::root("Expired", false, (2000, 2025));
    let middle = root.intermediate("Middle", false, now);
    let mut below_middle = middle.issue(&[HOST], HOST, false, now);
    below_middle.chain.push(middle.der.clone());
    Pki {
        rsa: root.issue(&[HOST], HOST, true, now),
        ecdsa: root.issue(&[HOST], HOST, false, now),
        under_expired: expired_root.issue(&[HOST], HOST, true, now),
        expired: root.issue(&[HOST], HOST, true, (2015, 2019)),
        future: root.issue(&[HOST], HOST, true, (2035, 2039)),
        wrong_name: root.issue(&["other.test"], "other.test", true, now),
        common_name: root.issue(&[], HOST, true, now),
        below_middle,
        client: root.issue(&["dev1"], "dev1", false, now),
        client_rsa: root.issue(&["dev1"], "dev1", true, now),
        foreign_client: other.issue(&["dev1"], "dev1", false, now),
        middle,
        root,
        other,
        expired_root,
    }
});

fn builder() -> rustls::ConfigBuilder<ServerConfig, rustls::WantsVerifier> {
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
}

fn server(identity: &Identity) -> ServerConfig {
    builder()
        .with_no_client_auth()
        .with_single_cert(identity.chain.clone(), identity.private_key())
        .unwrap()
}

fn mutual(identity: &Identity) -> ServerConfig {
    let mut roots = RootCertStore::empty();
    roots.add(PKI.root.der.clone()).unwrap();
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
        .build()
        .unwrap();
    builder()
        .with_client_cert_verifier(verifier)
        .with_single_cert(identity.chain.clone(), identity.private_key())
        .unwrap()
}

/// Serves only hosts that are named, as a shared front end does.
fn named_only(identity: &Identity) -> ServerConfig {
    let provider = aws_lc_rs::default_provider();
    let key =
        CertifiedKey::from_der(identity.chain.clone(), identity.private_key(), &provider).unwrap();
    let mut resolver = ResolvesServerCertUsingSni::new();
    resolver.add(HOST, key).unwrap();
    builder()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(resolver))
}

struct Case<'a> {
    name: &'a str,
    profile: &'a str,
    server: ServerConfig,
    /// Content of `ca.pem`.
    ca: &'a str,
    client: Option<(&'a str, &'a str)>,
    /// `"item",value` of `AT+QSSLCFG`.
    settings: &'a [(&'a str, &'a str)],
    clock: bool,
    opens: bool,
    /// What the module's log must say about a failure.
    reason: &'a str,
}

impl Default for Case<'_> {
    fn default() -> Self {
        Self {
            name: "",
            profile: "ec25",
            server: server(&PKI.rsa),
            ca: &PKI.root.pem,
            client: None,
            settings: &[("seclevel", "1"), ("ignorelocaltime", "0")],
            clock: true,
            opens: true,
            reason: "",
        }
    }
}

fn check(case: Case<'_>) {
    let name = case.name;
    let mut setup = config(case.profile)
        .timing(Timing::Fast)
        .power(PowerState::Ready)
        .nonvolatile("urcport", "uart1");
    if !case.clock {
        setup = setup.without_clock();
    }
    if !case.ca.is_empty() {
        setup = setup.file("ca.pem", case.ca.as_bytes());
    }
    if let Some((certificate, key)) = case.client {
        setup = setup
            .file("client.pem", certificate.as_bytes())
            .file("key.pem", key.as_bytes());
    }
    let mut world = World::new(setup);
    world.listen(
        HOST,
        8883,
        Listener {
            tls: Some(Arc::new(case.server)),
            ..Listener::default()
        },
    );
    world.send("ATE0\r");
    world.send("AT+QIACT=1\r");
    for (item, value) in [
        ("cacert", "\"ca.pem\""),
        ("clientcert", "\"client.pem\""),
        ("clientkey", "\"key.pem\""),
    ] {
        world.ok(&format!("AT+QSSLCFG=\"{item}\",2,{value}"));
    }
    for (item, value) in case.settings {
        world.ok(&format!("AT+QSSLCFG=\"{item}\",2,{value}"));
    }
    world.ok("AT+QMTCFG=\"ssl\",0,1,2");
    let family_code = world.bench.module.profile().mqtt.tls_fail;
    let got = world.send(format!("AT+QMTOPEN=0,\"{HOST}\",8883\r"));
    let result = if case.opens { 0 } else { family_code };
    let log: Vec<String> = world
        .bench
        .module
        .log()
        .map(|entry| entry.text.clone())
        .collect();
    assert_eq!(
        got,
        format!("\\r\\nOK\\r\\n\\r\\n+QMTOPEN: 0,{result}\\r\\n"),
        "{name}: {log:#?} {:?}",
        world.tls_errors
    );
    let note = log
        .iter()
        .find(|line| line.contains("not opened"))
        .cloned()
        .unwrap_or_default();
    assert!(note.contains(case.reason), "{name}: {note}");
    // The same through a socket of the module's own.
    let fail = world.bench.module.profile().ssl.fail_code;
    let got = world.send(format!("AT+QSSLOPEN=1,2,4,\"{HOST}\",8883,0\r"));
    let result = if case.opens { 0 } else { fail };
    assert_eq!(
        got,
        format!("\\r\\nOK\\r\\n\\r\\n+QSSLOPEN: 4,{result}\\r\\n"),
        "{name}"
    );
}

const STRICT: &[(&str, &str)] = &[("seclevel", "1"), ("ignorelocaltime", "0")];
const TIMELESS: &[(&str, &str)] = &[("seclevel", "1"), ("ignorelocaltime", "1")];
const MUTUAL: &[(&str, &str)] = &[("seclevel", "2"), ("ignorelocaltime", "0")];
const OPEN: &[(&str, &str)] = &[("seclevel", "0")];

#[test]
fn good_chains_open() {
    check(Case {
        name: "RSA",
        ..Case::default()
    });
    check(Case {
        name: "all families",
        profile: "bg96@BG96MAR02A07M1G",
        ..Case::default()
    });
    check(Case {
        name: "ECDSA on BG95",
        profile: "bg95",
        server: server(&PKI.ecdsa),
        ..Case::default()
    });
    check(Case {
        name: "intermediate sent",
        profile: "bg95",
        server: server(&PKI.below_middle),
        ..Case::default()
    });
    let crlf = PKI.root.pem.replace('\n', "\r\n");
    check(Case {
        name: "CR LF file",
        ca: &crlf,
        ..Case::default()
    });
    let nul = format!("{}\0", PKI.root.pem);
    check(Case {
        name: "NUL at the end",
        ca: &nul,
        ..Case::default()
    });
    let both = format!("{}{}", PKI.other.pem, PKI.root.pem);
    check(Case {
        name: "two roots in one file",
        ca: &both,
        ..Case::default()
    });
    check(Case {
        name: "common name only",
        profile: "eg800k",
        server: server(&PKI.common_name),
        ..Case::default()
    });
}

#[test]
fn dates_follow_the_modules_clock() {
    let expired = || server(&PKI.expired);
    check(Case {
        name: "expired",
        server: expired(),
        opens: false,
        reason: "Expired",
        ..Case::default()
    });
    check(Case {
        name: "expired, ignored",
        server: expired(),
        settings: TIMELESS,
        ..Case::default()
    });
    check(Case {
        name: "not yet valid",
        server: server(&PKI.future),
        opens: false,
        reason: "NotValidYet",
        ..Case::default()
    });
    check(Case {
        name: "clock in 1980",
        clock: false,
        opens: false,
        reason: "NotValidYet",
        ..Case::default()
    });
    check(Case {
        name: "clock in 1980, ignored",
        clock: false,
        settings: TIMELESS,
        ..Case::default()
    });
    let root = &PKI.expired_root.pem;
    let under = || server(&PKI.under_expired);
    check(Case {
        name: "expired root",
        server: under(),
        ca: root,
        opens: false,
        reason: "Expired",
        ..Case::default()
    });
    check(Case {
        name: "expired root, ignored",
        server: under(),
        ca: root,
        settings: TIMELESS,
        ..Case::default()
    });
}

#[test]
fn wrong_anchors_fail_and_level_0_looks_at_nothing() {
    check(Case {
        name: "other root",
        ca: &PKI.other.pem,
        opens: false,
        reason: "UnknownIssuer",
        ..Case::default()
    });
    check(Case {
        name: "no CA file",
        ca: "",
        opens: false,
        reason: "UnknownIssuer",
        ..Case::default()
    });
    check(Case {
        name: "garbage in the CA file",
        ca: "hello",
        opens: false,
        reason: "UnknownIssuer",
        ..Case::default()
    });
    let cut = &PKI.root.pem[..PKI.root.pem.len() / 2];
    check(Case {
        name: "half a CA file",
        ca: cut,
        opens: false,
        reason: "UnknownIssuer",
        ..Case::default()
    });
    let one_line = PKI.root.pem.replace('\n', "\\n");
    check(Case {
        name: "literal \\n",
        ca: &one_line,
        opens: false,
        reason: "UnknownIssuer",
        ..Case::default()
    });
    let swapped = PKI.root.pem.replacen("MII", "MIJ", 1);
    check(Case {
        name: "a damaged letter",
        ca: &swapped,
        opens: false,
        reason: "UnknownIssuer",
        ..Case::default()
    });
    let middle = || server(&PKI.below_middle);
    check(Case {
        name: "an intermediate is no root",
        profile: "bg95",
        server: middle(),
        ca: &PKI.middle.pem,
        opens: false,
        reason: "UnknownIssuer",
        ..Case::default()
    });
    for (name, ca) in [
        ("level 0, other root", PKI.other.pem.as_str()),
        ("level 0, no CA", ""),
    ] {
        check(Case {
            name,
            ca,
            settings: OPEN,
            ..Case::default()
        });
    }
    check(Case {
        name: "level 0, expired",
        server: server(&PKI.expired),
        settings: OPEN,
        ..Case::default()
    });
}

#[test]
fn host_names() {
    let wrong = || server(&PKI.wrong_name);
    check(Case {
        name: "EC25 has no check",
        server: wrong(),
        ..Case::default()
    });
    check(Case {
        name: "EG800K checks",
        profile: "eg800k",
        server: wrong(),
        opens: false,
        reason: "NotValidForName",
        ..Case::default()
    });
    check(Case {
        name: "EG800K level 0",
        profile: "eg800k",
        server: wrong(),
        settings: OPEN,
        ..Case::default()
    });
    check(Case {
        name: "BG95 checkhost 0",
        profile: "bg95",
        server: wrong(),
        ..Case::default()
    });
    let on: &[(&str, &str)] = &[("seclevel", "1"), ("checkhost", "1")];
    check(Case {
        name: "BG95 checkhost 1",
        profile: "bg95",
        server: wrong(),
        settings: on,
        opens: false,
        ..Case::default()
    });
    check(Case {
        name: "BG95 checkhost 1, right",
        profile: "bg95",
        settings: on,
        ..Case::default()
    });
    let name: &[(&str, &str)] = &[("seclevel", "1"), ("checkhost", "\"other.test\"")];
    check(Case {
        name: "BG96 checkhost name",
        profile: "bg96",
        server: wrong(),
        settings: name,
        ..Case::default()
    });
}

#[test]
fn server_name_indication() {
    let shared = || named_only(&PKI.rsa);
    check(Case {
        name: "off by default",
        server: shared(),
        opens: false,
        reason: "",
        ..Case::default()
    });
    let on: &[(&str, &str)] = &[("seclevel", "1"), ("sni", "1")];
    check(Case {
        name: "on",
        server: shared(),
        settings: on,
        ..Case::default()
    });
    check(Case {
        name: "old BG96 has none",
        profile: "bg96@BG96MAR02A07M1G",
        server: shared(),
        opens: false,
        ..Case::default()
    });
}

#[test]
fn client_certificates() {
    let server = || mutual(&PKI.rsa);
    let client = Some((PKI.client.pem.as_str(), PKI.client.key_pem.as_str()));
    let rsa = Some((PKI.client_rsa.pem.as_str(), PKI.client_rsa.key_pem.as_str()));
    check(Case {
        name: "ECDSA",
        server: server(),
        client,
        settings: MUTUAL,
        ..Case::default()
    });
    check(Case {
        name: "RSA",
        server: server(),
        client: rsa,
        settings: MUTUAL,
        ..Case::default()
    });
    check(Case {
        name: "level 1 sends none",
        server: server(),
        client,
        opens: false,
        ..Case::default()
    });
    check(Case {
        name: "no files",
        server: server(),
        settings: MUTUAL,
        opens: false,
        reason: "no client certificate file",
        ..Case::default()
    });
    let foreign = Some((
        PKI.foreign_client.pem.as_str(),
        PKI.foreign_client.key_pem.as_str(),
    ));
    check(Case {
        name: "unknown CA",
        server: server(),
        client: foreign,
        settings: MUTUAL,
        opens: false,
        ..Case::default()
    });
    let swapped = Some((PKI.client.key_pem.as_str(), PKI.client.pem.as_str()));
    check(Case {
        name: "swapped",
        server: server(),
        client: swapped,
        settings: MUTUAL,
        opens: false,
        reason: "no certificate in the file",
        ..Case::default()
    });
    let mixed = Some((PKI.client.pem.as_str(), PKI.client_rsa.key_pem.as_str()));
    check(Case {
        name: "not a pair",
        server: server(),
        client: mixed,
        settings: MUTUAL,
        opens: false,
        reason: "keys",
        ..Case::default()
    });
    check(Case {
        name: "not asked for",
        client,
        settings: MUTUAL,
        ..Case::default()
    });
}

#[test]
fn versions_and_suites() {
    for version in ["0", "1", "2"] {
        let settings: &[(&str, &str)] = &[("seclevel", "1"), ("sslversion", version)];
        check(Case {
            name: "old version",
            settings,
            opens: false,
            reason: "alert",
            ..Case::default()
        });
    }
    for version in ["3", "4"] {
        check(Case {
            name: "TLS 1.2",
            settings: &[("seclevel", "1"), ("sslversion", version)],
            ..Case::default()
        });
    }
    let one: &[(&str, &str)] = &[("seclevel", "1"), ("ciphersuite", "0XC02F")];
    check(Case {
        name: "one suite",
        settings: one,
        ..Case::default()
    });
    let legacy: &[(&str, &str)] = &[("seclevel", "1"), ("ciphersuite", "0X0035")];
    check(Case {
        name: "suite that the server lacks",
        settings: legacy,
        opens: false,
        reason: "alert 40",
        ..Case::default()
    });
    check(Case {
        name: "old BG96 has no ECDSA suite",
        profile: "bg96@BG96MAR02A08M1G",
        server: server(&PKI.ecdsa),
        opens: false,
        reason: "HandshakeFailure",
        ..Case::default()
    });
    let tls13 = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS13])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(PKI.rsa.chain.clone(), PKI.rsa.private_key())
        .unwrap();
    check(Case {
        name: "TLS 1.3 only",
        server: tls13,
        opens: false,
        ..Case::default()
    });
}

#[test]
fn the_context_that_is_bound_counts() {
    // The EC21 user of thread 8115: context 1 configured, MQTT bound to context 2, a front end that wants a name.
    let setup = config("ec21")
        .timing(Timing::Fast)
        .power(PowerState::Ready)
        .file("RAM:cacert.pem", PKI.root.pem.as_bytes());
    let mut world = World::new(setup.nonvolatile("urcport", "uart1"));
    world.listen(
        HOST,
        8883,
        Listener {
            tls: Some(Arc::new(named_only(&PKI.rsa))),
            ..Listener::default()
        },
    );
    for command in [
        "ATE0",
        "AT+QICSGP=1,1,\"online.telia.se\"",
        "AT+QIACT=1",
        "AT+QSSLCFG=\"cacert\",1,\"RAM:cacert.pem\"",
        "AT+QSSLCFG=\"seclevel\",1,2",
        "AT+QSSLCFG=\"sslversion\",1,4",
        "AT+QMTCFG=\"ssl\",0,1,2",
        "AT+QMTCFG=\"version\",0,4",
    ] {
        world.ok(command);
    }
    assert_eq!(
        world.send("AT+QMTOPEN=0,\"hub.test\",8883\r"),
        "\\r\\nOK\\r\\n\\r\\n+QMTOPEN: 0,-1\\r\\n"
    );
    for command in [
        "AT+QSSLCFG=\"seclevel\",1,1",
        "AT+QSSLCFG=\"sni\",1,1",
        "AT+QMTCFG=\"ssl\",0,1,1",
    ] {
        world.ok(command);
    }
    assert_eq!(
        world.send("AT+QMTOPEN=0,\"hub.test\",8883\r"),
        "\\r\\nOK\\r\\n\\r\\n+QMTOPEN: 0,0\\r\\n"
    );
    assert_eq!(world.names, [Some(HOST.to_owned())]);
    let conn = world.send("AT+QMTCONN=0,\"d\",\"u\",\"p\"\r");
    assert_eq!(conn, "\\r\\nOK\\r\\n\\r\\n+QMTCONN: 0,0,0\\r\\n");
}

#[test]
fn unused_settings_do_not_matter() {
    check(Case {
        name: "strict",
        settings: STRICT,
        ..Case::default()
    });
}
