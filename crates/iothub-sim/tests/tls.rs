//! TLS in front of the hub, in memory: SNI, versions, certificates on both sides.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{
    ACCEPTED, HOST, START, config, connect, publish_qos1,
    tls::{TlsClient, incoming, outgoing, write},
};
use iothub_sim::{
    CertificateFault, Config, Credentials, Device, DeviceCertificate, Event, Hub, KeyKind, Now,
    Pki, PkiOptions, TlsHub, TlsOptions, TlsServer, TlsVersions, Validity,
};
use mqtt311::{Connect, Packet};
use rustls::{
    CertificateError, Error,
    pki_types::{CertificateDer, pem::PemObject},
    version::{TLS12, TLS13},
};

const NOW: Now = Now {
    unix_s: START,
    monotonic_ms: 0,
};

fn ecdsa(fault: CertificateFault) -> Pki {
    let mut options = PkiOptions::for_hosts([HOST]);
    options.key_kind = KeyKind::EcdsaP256;
    options.leaf = Validity::around(START);
    options.fault = fault;
    Pki::new(&options).unwrap()
}

fn hub_with(config: &Config, pki: &Pki, options: &TlsOptions) -> TlsHub {
    let tls = TlsServer::new(pki.server_chain(), options).unwrap();
    TlsHub::new(Hub::new(config).unwrap(), tls)
}

/// Plays the handshake and one packet; what came back, or the client's TLS error.
fn play(hub: &mut TlsHub, client: &TlsClient, packet: &Packet) -> Result<Vec<u8>, Error> {
    let mut connection = client.connection();
    write(&mut connection, &packet.to_bytes().unwrap());
    let link = hub.connect(NOW);
    let mut answer = Vec::new();
    loop {
        let sent = outgoing(&mut connection);
        hub.receive(NOW, link, &sent);
        let mut back = Vec::new();
        let closed = hub.transmit(link, &mut back);
        let quiet = sent.is_empty() && back.is_empty();
        let result = incoming(&mut connection, &back);
        match result {
            Ok(plaintext) => answer.extend(plaintext),
            Err(error) => {
                hub.receive(NOW, link, &outgoing(&mut connection));
                hub.disconnect(NOW, link);
                return Err(error);
            }
        }
        if closed || quiet {
            return Ok(answer);
        }
    }
}

fn reasons(hub: &mut TlsHub) -> Vec<(Option<String>, String)> {
    let records = hub.hub().take_records();
    records
        .into_iter()
        .filter_map(|record| match record.event {
            Event::Refused(refusal) => Some((refusal.sni, refusal.reason.to_string())),
            _ => None,
        })
        .collect()
}

#[test]
fn an_rsa_chain_like_azures() {
    let pki = Pki::new(&PkiOptions::for_hosts([HOST])).unwrap();
    // 2018, when the field's first logs were written, and far ahead.
    for unix_s in [1_524_664_500, START, 2_100_000_000] {
        let mut hub = hub_with(&config(), &pki, &TlsOptions::default());
        let client = TlsClient::new(pki.root_pem(), unix_s);
        let answer = play(&mut hub, &client, &Packet::Connect(connect())).unwrap();
        assert_eq!(answer, ACCEPTED.to_bytes().unwrap());
        let records = hub.hub().take_records();
        assert!(
            matches!(&records[0].event, Event::Connected(c) if c.sni.as_deref() == Some(HOST)),
            "{records:?}"
        );
    }
    assert_eq!(pki.server_chain().certificates.len(), 2);
}

#[test]
fn server_names() {
    let pki = ecdsa(CertificateFault::None);
    for (name, refused) in [
        (HOST, false),
        ("localhost", false),
        ("global.azure-devices-provisioning.net", false),
        ("my-dps.azure-devices-provisioning.net", false),
        ("a.b.azure-devices-provisioning.net", true),
        ("azure-devices-provisioning.net", true),
        ("fabrikam.azure-devices.net", true),
    ] {
        let mut hub = hub_with(&config(), &pki, &TlsOptions::default());
        let mut client = TlsClient::new(pki.root_pem(), START);
        client.server_name = name;
        let result = play(&mut hub, &client, &Packet::Pingreq);
        if refused {
            let alert = rustls::AlertDescription::UnrecognisedName;
            assert_eq!(result, Err(Error::AlertReceived(alert)));
            let reasons = reasons(&mut hub);
            assert_eq!(reasons[0].0.as_deref(), Some(name));
            assert!(reasons[0].1.starts_with("SNI asks for `"), "{reasons:?}");
        } else {
            assert_eq!(result, Ok(vec![]), "{name}");
        }
    }
}

#[test]
fn without_sni_nobody_reaches_the_provisioning_service() {
    let pki = ecdsa(CertificateFault::None);
    for (require_sni, refused) in [(true, true), (false, false)] {
        let mut options = TlsOptions::default();
        options.require_sni = require_sni;
        let mut hub = hub_with(&config(), &pki, &options);
        let mut client = TlsClient::new(pki.root_pem(), START);
        client.server_name = "global.azure-devices-provisioning.net";
        client.send_sni = false;
        let result = play(&mut hub, &client, &Packet::Connect(connect()));
        assert_eq!(result.is_err(), refused);
        let reasons = reasons(&mut hub);
        assert_eq!(!reasons.is_empty(), refused);
        if let Some((sni, text)) = reasons.first() {
            assert_eq!(*sni, None);
            assert!(text.contains("no server name (SNI)"), "{text}");
        }
    }
}

#[test]
fn versions() {
    let pki = ecdsa(CertificateFault::None);
    for (server, client_versions, accepted) in [
        (TlsVersions::Tls12, vec![&TLS12], true),
        (TlsVersions::Tls12, vec![&TLS13], false),
        (TlsVersions::Tls12, vec![&TLS13, &TLS12], true),
        (TlsVersions::Tls12And13, vec![&TLS13], true),
        (TlsVersions::Tls12And13, vec![&TLS12], true),
        (TlsVersions::Tls13, vec![&TLS12], false),
        (TlsVersions::Tls13, vec![&TLS13], true),
    ] {
        let mut options = TlsOptions::default();
        options.versions = server;
        let mut hub = hub_with(&config(), &pki, &options);
        let mut client = TlsClient::new(pki.root_pem(), START);
        client.versions.clone_from(&client_versions);
        let result = play(&mut hub, &client, &Packet::Connect(connect()));
        assert_eq!(result.is_ok(), accepted, "{server:?} {client_versions:?}");
        if !accepted {
            let reasons = reasons(&mut hub);
            assert!(reasons[0].1.contains("no TLS version"), "{reasons:?}");
        }
    }
}

#[test]
fn deliberate_faults_of_the_chain() {
    type Check = fn(&CertificateError) -> bool;
    use CertificateError as E;
    let rows: [(CertificateFault, Check); 5] = [
        (CertificateFault::Expired, |e| {
            matches!(e, E::ExpiredContext { .. })
        }),
        (CertificateFault::NotYetValid, |e| {
            matches!(e, E::NotValidYetContext { .. })
        }),
        (CertificateFault::WrongName, |e| {
            matches!(e, E::NotValidForNameContext { .. })
        }),
        (CertificateFault::UnknownRoot, |e| {
            matches!(e, E::UnknownIssuer)
        }),
        (CertificateFault::MissingIntermediate, |e| {
            matches!(e, E::UnknownIssuer)
        }),
    ];
    for (fault, expected) in rows {
        let pki = ecdsa(fault);
        let mut hub = hub_with(&config(), &pki, &TlsOptions::default());
        let client = TlsClient::new(pki.root_pem(), START);
        match play(&mut hub, &client, &Packet::Connect(connect())) {
            Err(Error::InvalidCertificate(error)) if expected(&error) => {}
            other => panic!("{fault:?}: {other:?}"),
        }
        let reasons = reasons(&mut hub);
        assert!(
            reasons[0].1.contains("the client refused the server"),
            "{reasons:?}"
        );
    }
}

#[test]
fn a_client_certificate_reaches_connect() {
    let pki = ecdsa(CertificateFault::None);
    for kind in [KeyKind::EcdsaP256, KeyKind::Rsa2048] {
        let own = DeviceCertificate::self_signed("dev1", kind, Validity::around(START)).unwrap();
        let device = Device::with_thumbprint("dev1", own.sha1_thumbprint());
        let config = Config::single_device(HOST, device);
        let without_password = Packet::Connect(Connect {
            password: None,
            ..connect()
        });
        for (certificate, accepted) in [(Some(own.clone()), true), (None, false)] {
            let mut hub = hub_with(&config, &pki, &TlsOptions::default());
            let mut client = TlsClient::new(pki.root_pem(), START);
            client.certificate = certificate;
            let answer = play(&mut hub, &client, &without_password).unwrap();
            assert_eq!(answer == ACCEPTED.to_bytes().unwrap(), accepted);
            let reasons = reasons(&mut hub);
            assert_eq!(reasons.is_empty(), accepted);
            assert!(
                reasons
                    .iter()
                    .all(|(_, text)| text.contains("presented none")),
                "{reasons:?}"
            );
        }
    }
    assert!(matches!(
        Device::with_thumbprint("a", iothub_sim::Thumbprint::sha1(b"")).credentials,
        Credentials::SelfSigned { .. }
    ));
}

macro_rules! version_1 {
    ($name:literal) => {
        include_str!(concat!("fixtures/version-1/", $name))
    };
}

/// A certificate of version 1 with a key, as `openssl x509 -req` makes it without extensions.
fn version_1(certificate: &str, key: &str) -> DeviceCertificate {
    let any = Validity::around(START);
    let mut own = DeviceCertificate::self_signed("dev1", KeyKind::EcdsaP256, any).unwrap();
    own.certificate_der = CertificateDer::from_pem_slice(certificate.as_bytes())
        .unwrap()
        .to_vec();
    own.key_pem = key.to_owned();
    own
}

#[test]
fn certificates_of_version_1_prove_possession() {
    let pki = ecdsa(CertificateFault::None);
    let (ec, ec_key) = (version_1!("self-ec.pem"), version_1!("self-ec.key"));
    let (rsa, rsa_key) = (version_1!("self-rsa.pem"), version_1!("self-rsa.key"));
    let other = DeviceCertificate::self_signed("dev1", KeyKind::EcdsaP256, Validity::around(START));
    let other_key = other.unwrap().key_pem;
    for (certificate, key, accepted) in [
        (ec, ec_key, true),
        (rsa, rsa_key, true),
        (ec, other_key.as_str(), false),
        (rsa, ec_key, false),
    ] {
        for versions in [TlsVersions::Tls12, TlsVersions::Tls13] {
            let own = version_1(certificate, key);
            let device = Device::with_thumbprint("dev1", own.sha256_thumbprint());
            let mut options = TlsOptions::default();
            options.versions = versions;
            let mut hub = hub_with(&Config::single_device(HOST, device), &pki, &options);
            let mut client = TlsClient::new(pki.root_pem(), START);
            client.versions = vec![&TLS12, &TLS13];
            client.certificate = Some(own);
            let without_password = Packet::Connect(Connect {
                password: None,
                ..connect()
            });
            let answer = play(&mut hub, &client, &without_password);
            let reasons = reasons(&mut hub);
            if accepted {
                assert_eq!(answer, Ok(ACCEPTED.to_bytes().unwrap()), "{reasons:?}");
            } else {
                let text = &reasons.first().unwrap().1;
                let said = "signature was not made with the key of its certificate";
                let other_kind = "certificate or its key cannot be used";
                assert!(text.contains(said) || text.contains(other_kind), "{text}");
            }
        }
    }
}

/// Server name `localhost`, groups and point formats.
fn extensions() -> Vec<u8> {
    let server_name = b"\x00\x00\x00\x0e\x00\x0c\x00\x00\x09localhost";
    let groups = b"\x00\x0a\x00\x04\x00\x02\x00\x17";
    let points = b"\x00\x0b\x00\x02\x01\x00";
    [&server_name[..], groups, points].concat()
}

/// A ClientHello with this version and one cipher suite, and signature algorithms.
fn client_hello(version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
    let signatures = b"\x00\x0d\x00\x04\x00\x02\x04\x01";
    hello_with(
        &[extensions(), signatures.to_vec()].concat(),
        version,
        suite,
    )
}

fn hello_with(extensions: &[u8], version: [u8; 2], suite: [u8; 2]) -> Vec<u8> {
    let mut body = version.to_vec();
    body.extend([7; 32]);
    body.extend([0, 0, 2]);
    body.extend(suite);
    body.extend([1, 0]);
    if !extensions.is_empty() {
        body.extend([0, u8::try_from(extensions.len()).unwrap()]);
        body.extend(extensions);
    }
    let length = u8::try_from(body.len()).unwrap();
    let mut record = vec![22, 3, 1, 0, length + 4, 1, 0, 0, length];
    record.extend(body);
    record
}

#[test]
fn keys_in_their_older_form() {
    for (kind, label) in [
        (KeyKind::EcdsaP256, "EC PRIVATE KEY"),
        (KeyKind::Rsa2048, "RSA PRIVATE KEY"),
    ] {
        let mut own =
            DeviceCertificate::self_signed("dev1", kind, Validity::around(START)).unwrap();
        assert!(own.key_pem.starts_with("-----BEGIN PRIVATE KEY-----"));
        let begin = format!("-----BEGIN {label}-----\n");
        assert!(
            own.traditional_key_pem.starts_with(&begin),
            "{}",
            own.traditional_key_pem.len()
        );
        // It still is the certificate's key: a handshake with it succeeds.
        own.key_pem.clone_from(&own.traditional_key_pem);
        let device = Device::with_thumbprint("dev1", own.sha256_thumbprint());
        let pki = ecdsa(CertificateFault::None);
        let mut hub = hub_with(
            &Config::single_device(HOST, device),
            &pki,
            &TlsOptions::default(),
        );
        let mut client = TlsClient::new(pki.root_pem(), START);
        client.certificate = Some(own);
        let connect = Connect {
            password: None,
            ..connect()
        };
        let answer = play(&mut hub, &client, &Packet::Connect(connect)).unwrap();
        assert_eq!(answer, ACCEPTED.to_bytes().unwrap());
    }
}

#[test]
fn what_is_not_tls_is_named() {
    let pki = ecdsa(CertificateFault::None);
    let mut plain = Vec::new();
    Packet::Connect(connect()).encode(&mut plain).unwrap();
    // 0x002F is RSA key exchange with AES-128-CBC, all that old modules have.
    let tls10 = client_hello([3, 1], [0xc0, 0x13]);
    // As `openssl s_client -tls1_1` sends it: extensions, but no signature_algorithms.
    let plain_tls11 = hello_with(&extensions()[..], [3, 2], [0xc0, 0x13]);
    let plain_tls12 = hello_with(&extensions()[..], [3, 3], [0xc0, 0x13]);
    // The same message in two records.
    let (start, rest) = plain_tls11[5..].split_at(40);
    let record = |part: &[u8]| [&[22, 3, 1, 0, u8::try_from(part.len()).unwrap()], part].concat();
    let split_tls11 = [record(start), record(rest)].concat();
    let bare_tls10 = hello_with(&[], [3, 1], [0xc0, 0x13]);
    let no_version = "no TLS version that is spoken here (offered: TLS 1.1); set it to TLS 1.2";
    let tls11 = client_hello([3, 2], [0xc0, 0x13]);
    let rsa_only = client_hello([3, 3], [0x00, 0x2f]);
    for (bytes, text) in [
        (plain.as_slice(), "does not speak TLS"),
        (b"GET / HTTP/1.1\r\n\r\n", "does not speak TLS"),
        (&[22, 3, 1, 0, 4, 9, 0, 0, 0], "TLS handshake failed"),
        (&tls10, "no TLS version"),
        (&tls11, no_version),
        (&plain_tls11, no_version),
        (&split_tls11, no_version),
        (&bare_tls10, "(offered: TLS 1.0); set it to TLS 1.2"),
        (
            &plain_tls12,
            "signature that fit (it names no signature algorithms)",
        ),
        (
            &[21, 3, 1, 0, 2, 2, 80],
            "the client gave up by itself with the TLS alert InternalError",
        ),
        (&[21, 9, 1, 0, 2, 2, 80], "does not speak TLS"),
        (&rsa_only, "that fit (no cipher suite in common)"),
    ] {
        let mut hub = hub_with(&config(), &pki, &TlsOptions::default());
        for chunk in [1, bytes.len()] {
            let link = hub.connect(NOW);
            for part in bytes.chunks(chunk) {
                hub.receive(NOW, link, part);
            }
            assert!(hub.transmit(link, &mut Vec::new()), "{text}");
            let reasons = reasons(&mut hub);
            assert_eq!(reasons.len(), 1);
            assert!(reasons[0].1.contains(text), "{reasons:?}");
        }
    }
}

#[test]
fn an_alert_that_breaks_off_is_mentioned() {
    let pki = ecdsa(CertificateFault::None);
    let mut hub = hub_with(&config(), &pki, &TlsOptions::default());
    let link = hub.connect(NOW);
    hub.receive(NOW, link, &[21, 3, 1]);
    hub.disconnect(NOW, link);
    let text = &reasons(&mut hub)[0].1;
    assert!(text.contains("in the middle of a TLS alert"), "{text}");
}

#[test]
fn who_leaves_during_the_handshake_is_mentioned() {
    let mut hub = hub_with(
        &config(),
        &ecdsa(CertificateFault::None),
        &TlsOptions::default(),
    );
    let client = TlsClient::new(ecdsa(CertificateFault::None).root_pem(), START);
    let hello = outgoing(&mut client.connection());
    for (bytes, mentioned) in [(0, 0), (20, 1), (hello.len(), 1)] {
        let link = hub.connect(NOW);
        hub.receive(NOW, link, &hello[..bytes]);
        hub.disconnect(NOW, link);
        let reasons = reasons(&mut hub);
        assert_eq!(reasons.len(), mentioned, "{reasons:?}");
        assert!(
            reasons
                .iter()
                .all(|(_, text)| text.contains("left in the middle"))
        );
    }
}

#[test]
fn a_slow_handshake_times_out() {
    let pki = ecdsa(CertificateFault::None);
    let mut hub = hub_with(&config(), &pki, &TlsOptions::default());
    let link = hub.connect(NOW);
    hub.receive(NOW, link, &[22, 3, 1]);
    assert_eq!(hub.next_poll(NOW), Some(30_000));
    let at = |monotonic_ms| Now {
        unix_s: START,
        monotonic_ms,
    };
    hub.poll(at(29_999));
    assert!(!hub.transmit(link, &mut Vec::new()));
    hub.poll(at(30_000));
    assert!(hub.transmit(link, &mut Vec::new()));
    assert!(reasons(&mut hub)[0].1.contains("within 30 s"));
}

#[test]
fn a_closing_hub_says_goodbye() {
    let pki = ecdsa(CertificateFault::None);
    let mut hub = hub_with(&config(), &pki, &TlsOptions::default());
    let client = TlsClient::new(pki.root_pem(), START);
    // CONNACK 5 arrives although the connection closes right after it.
    let refused = Packet::Connect(Connect {
        client_id: "x".to_owned(),
        ..connect()
    });
    assert_eq!(play(&mut hub, &client, &refused), Ok(vec![0x20, 2, 0, 5]));
    let early = publish_qos1(1, "devices/dev1/messages/events/", "");
    assert_eq!(play(&mut hub, &client, &early), Ok(vec![]));
    assert_eq!(reasons(&mut hub).len(), 2);
}
