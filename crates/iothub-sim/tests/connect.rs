//! CONNECT: who is let in, and what is said about those who are not.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{ACCEPTED, HOST, REFUSED, START, World, config, connect, key, token};
use iothub_sim::{
    Config, Credentials, Device, DeviceCertificate, Event, IotHub, KeyKind, Module, Pki,
    PkiOptions, Proof, SharedAccessKey, TlsFacts, Validity, sas_token,
};
use mqtt311::{Connect, Packet, Protocol, QoS, Will};
use rcgen::{
    BasicConstraints, CertificateParams, CustomExtension, DnType, ExtendedKeyUsagePurpose, IsCa,
    Issuer, KeyPair, date_time_ymd,
};
use rustls::pki_types::{CertificateDer, pem::PemObject};

/// Hubs with one device for each way to be accepted or refused.
fn cloud() -> Config {
    let mut disabled = Device::with_key("off", key());
    disabled.enabled = false;
    let hub = IotHub::new(HOST)
        .with_device(Device::with_key("dev1", key()).with_module(Module::new(
            "mod1",
            Credentials::SharedAccessKeys {
                primary: SharedAccessKey::from_bytes([7; 32]),
                secondary: key(),
            },
        )))
        .with_device(Device::with_key("a%b", key()))
        .with_device(Device::with_key("a#b", key()))
        .with_device(disabled)
        .with_device(Device::with_thumbprint(
            "x509",
            "DF3C24F9BFD666761B268073FE06D1CC8D4F82A4".parse().unwrap(),
        ));
    Config::new([hub, IotHub::new("fabrikam.azure-devices.net")])
}

fn user(text: &str) -> Connect {
    Connect {
        user_name: Some(text.to_owned()),
        ..connect()
    }
}

fn password(text: &str) -> Connect {
    Connect {
        password: Some(text.as_bytes().to_vec()),
        ..connect()
    }
}

fn device(id: &str) -> Connect {
    Connect {
        client_id: id.to_owned(),
        user_name: Some(format!("{HOST}/{id}/?api-version=2021-04-12")),
        ..password(&sas_token(
            &format!("{HOST}/devices/{id}"),
            &key(),
            START + 60,
            None,
        ))
    }
}

fn will(topic: &str, qos: QoS) -> Connect {
    Connect {
        will: Some(Will {
            topic: topic.to_owned(),
            qos,
            ..Will::default()
        }),
        ..connect()
    }
}

#[test]
fn accepted() {
    let mut legacy = cloud();
    legacy.rules.accept_legacy_user_name = true;
    let module = Connect {
        client_id: "dev1/mod1".to_owned(),
        user_name: Some(format!("{HOST}/dev1/mod1/?api-version=2020-09-30")),
        ..password(&sas_token(
            &format!("{HOST}/devices/dev1/modules/mod1"),
            &key(),
            START + 60,
            None,
        ))
    };
    let long = START + 4_000_000_000;
    let mut lenient = cloud();
    lenient.rules.accept_any_api_version = true;
    let policy_key = cloud()
        .hubs
        .first()
        .unwrap()
        .policies
        .first()
        .unwrap()
        .primary_key
        .clone();
    let rows = [
        (cloud(), connect(), Proof::SasToken),
        (cloud(), module, Proof::SasToken),
        (cloud(), device("a%b"), Proof::SasToken),
        (
            cloud(),
            user(&format!(
                "{}/dev1/?api-version=2016-11-14&DeviceClientType=x%2F1&zz",
                HOST.to_uppercase()
            )),
            Proof::SasToken,
        ),
        (
            cloud(),
            user(&format!(
                "{HOST}/dev1/?model-id=dtmi%3Aa%3B1&api-version=2020-09-30"
            )),
            Proof::SasToken,
        ),
        (
            cloud(),
            password(&sas_token(HOST, &key(), long, None)),
            Proof::SasToken,
        ),
        (
            lenient.clone(),
            user(&format!("{HOST}/dev1")),
            Proof::SasToken,
        ),
        (
            lenient,
            user(&format!("{HOST}/dev1/?api-version=1999-12-31")),
            Proof::SasToken,
        ),
        (
            legacy,
            user(&format!("{HOST}/dev1/api-version=2021-04-12")),
            Proof::SasToken,
        ),
        (
            cloud(),
            will("devices/dev1/messages/events/a=1", QoS::AtLeastOnce),
            Proof::SasToken,
        ),
        (
            cloud(),
            Connect {
                keep_alive_s: 0,
                ..connect()
            },
            Proof::SasToken,
        ),
    ];
    for (config, connect, proof) in rows {
        let mut world = World::new(&config);
        let connection = world.open();
        let answer = world.exchange(connection, &Packet::Connect(connect.clone()));
        assert_eq!(
            answer,
            (vec![ACCEPTED], false),
            "{connect:?} {:?}",
            world.events()
        );
        assert!(
            matches!(world.events().as_slice(), [Event::Connected(c)] if c.proof == proof),
            "{connect:?}"
        );
    }
    // Every policy has keys of its own in each call of `cloud`.
    assert_ne!(
        policy_key,
        cloud()
            .hubs
            .first()
            .unwrap()
            .policies
            .first()
            .unwrap()
            .primary_key
    );
}

#[test]
fn refused_with_a_reason() {
    let raw = token().replace("%3D", "=");
    let foreign = format!("{HOST}/devices/dev2");
    let signed_by_other = sas_token(
        &format!("{HOST}/devices/dev1"),
        &SharedAccessKey::from_bytes([9]),
        START + 60,
        None,
    );
    let with_policy = |name| sas_token(HOST, &key(), START + 60, Some(name));
    let rows = [
        // Form.
        (
            "protocol-level",
            Connect {
                protocol: Protocol::V31,
                ..connect()
            },
        ),
        (
            "user-name-missing",
            Connect {
                user_name: None,
                password: None,
                ..connect()
            },
        ),
        ("user-name-form", user("dev1")),
        ("user-name-form", user(&format!("{HOST}/dev1/"))),
        ("api-version-missing", user(&format!("{HOST}/dev1"))),
        (
            "api-version-missing",
            user(&format!("{HOST}/dev1?api-version=2021-04-12")),
        ),
        (
            "user-name-legacy",
            user(&format!("{HOST}/dev1/api-version=2021-04-12")),
        ),
        (
            "api-version-missing",
            user(&format!("{HOST}/dev1/?DeviceClientType=x")),
        ),
        (
            "api-version-unknown",
            user(&format!("{HOST}/dev1/?api-version=2021-04-13")),
        ),
        (
            "model-id-needs-newer",
            user(&format!(
                "{HOST}/dev1/?api-version=2018-06-30&model-id=dtmi%3Aa%3B1"
            )),
        ),
        (
            "hub-unknown",
            user("northwind.azure-devices.net/dev1/?api-version=2021-04-12"),
        ),
        (
            "client-id",
            Connect {
                client_id: "dev2".to_owned(),
                ..connect()
            },
        ),
        (
            "client-id",
            Connect {
                client_id: String::new(),
                ..connect()
            },
        ),
        (
            "client-id",
            Connect {
                client_id: "DEV1".to_owned(),
                ..connect()
            },
        ),
        (
            "id-encoded",
            Connect {
                client_id: "dev%31".to_owned(),
                ..connect()
            },
        ),
        ("id-encoded", device("a%25b")),
        ("id-not-for-mqtt", device("a#b")),
        ("identity-unknown", device("dev2")),
        ("identity-unknown", device("Dev1")),
        ("identity-disabled", device("off")),
        // SAS tokens.
        (
            "password-missing",
            Connect {
                password: None,
                ..connect()
            },
        ),
        ("password-missing", password("")),
        ("token-form", password("secret")),
        ("token-form", password(&token().replace("&se=", "&ex="))),
        ("token-signature-raw", password(&raw)),
        (
            "token-scope",
            password(&sas_token(&foreign, &key(), START + 60, None)),
        ),
        (
            "token-scope",
            password(&sas_token(
                "contoso.azure-devices.net/devices/dev",
                &key(),
                START + 60,
                None,
            )),
        ),
        ("token-signature", password(&signed_by_other)),
        ("token-signature", password(&token().replace("%2F", "%2f"))),
        (
            "token-expired",
            password(&sas_token(HOST, &key(), START, None)),
        ),
        (
            "token-policy-unknown",
            password(&with_policy("registration")),
        ),
        ("token-signature", password(&with_policy("device"))),
        // X.509.
        ("password-for-certificate", device("x509")),
        (
            "certificate-missing",
            Connect {
                password: None,
                ..device("x509")
            },
        ),
        (
            "certificate-missing",
            Connect {
                password: Some(Vec::new()),
                ..device("x509")
            },
        ),
        // Will.
        (
            "qos2",
            will("devices/dev1/messages/events/", QoS::ExactlyOnce),
        ),
        (
            "topic",
            will("devices/dev2/messages/events/", QoS::AtMostOnce),
        ),
        ("topic", will("$iothub/twin/GET/?$rid=1", QoS::AtMostOnce)),
    ];
    for (code, connect) in rows {
        let mut world = World::new(&cloud());
        let connection = world.open();
        let answer = world.exchange(connection, &Packet::Connect(connect.clone()));
        assert_eq!(answer, (vec![REFUSED], true), "{code} {connect:?}");
        let events = world.events();
        let [Event::Refused(refusal)] = events.as_slice() else {
            panic!("{code}: {events:?}");
        };
        assert_eq!(refusal.reason.code(), code, "{refusal}");
        assert_eq!(refusal.client_id.as_ref(), Some(&connect.client_id));
    }
}

#[test]
fn reasons_are_sentences_without_secrets() {
    let expired = password(&sas_token(
        &format!("{HOST}/devices/dev1"),
        &key(),
        START - 90,
        None,
    ));
    for (connect, text) in [
        (
            expired,
            "refused #1 `dev1`: the SAS token expired at 2023-11-14T22:11:50Z and the hub's clock says 2023-11-14T22:13:20Z (90 s later); make a new token, and check the device's clock if it was new [token-expired]",
        ),
        (
            device("Dev1"),
            "refused #1 `Dev1`: `Dev1` is not registered in the hub `contoso.azure-devices.net`; did you mean `dev1`? Case matters [identity-unknown]",
        ),
        (
            user(&format!("{HOST}/dev1/?api-version=2021-04-13")),
            "refused #1 `dev1`: api-version `2021-04-13` is unknown; use `2021-04-12` [api-version-unknown]",
        ),
    ] {
        let mut world = World::new(&cloud());
        let connection = world.open();
        world.send(connection, &Packet::Connect(connect));
        let events = world.events();
        assert_eq!(events.first().unwrap().to_string(), text);
    }
}

#[test]
fn policies() {
    let config = cloud();
    let hub = config.hubs.first().unwrap();
    for (policy, code) in [
        ("iothubowner", None),
        ("device", None),
        ("service", Some("token-policy-forbids")),
    ] {
        let policy = hub.policies.iter().find(|p| p.name == policy).unwrap();
        let token = sas_token(HOST, &policy.secondary_key, START + 60, Some(&policy.name));
        let mut world = World::new(&config);
        let connection = world.open();
        world.send(connection, &Packet::Connect(password(&token)));
        match (code, world.events().as_slice()) {
            (None, [Event::Connected(connected)]) => {
                assert_eq!(connected.proof, Proof::PolicyToken)
            }
            (Some(code), [Event::Refused(refusal)]) => assert_eq!(refusal.reason.code(), code),
            (_, events) => panic!("{events:?}"),
        }
    }
}

#[test]
fn client_certificates() {
    let ec = KeyKind::EcdsaP256;
    let always = Validity::default();
    let mut options = PkiOptions::for_hosts([HOST]);
    options.key_kind = ec;
    let pki = Pki::new(&options).unwrap();
    let stranger = Pki::new(&options).unwrap();
    let own = DeviceCertificate::self_signed("whatever", ec, always).unwrap();
    let old = Validity {
        from_unix_s: START - 100,
        until_unix_s: START - 1,
    };
    let future = Validity {
        from_unix_s: START + 1,
        until_unix_s: START + 100,
    };
    let signed =
        |pki: &Pki, name: &str, validity| pki.issue_device_certificate(name, ec, validity).unwrap();
    let by_sha256 = Credentials::SelfSigned {
        primary: own.sha256_thumbprint(),
        secondary: None,
    };
    let by_secondary = Credentials::SelfSigned {
        primary: signed(&pki, "x", always).sha1_thumbprint(),
        secondary: Some(own.sha1_thumbprint()),
    };
    let by_sha1 = Credentials::SelfSigned {
        primary: own.sha1_thumbprint(),
        secondary: None,
    };
    let ca = || Credentials::CertificateAuthority;
    let rows = [
        (by_sha1.clone(), &own, Ok(Proof::Thumbprint)),
        (by_sha256, &own, Ok(Proof::Thumbprint)),
        (by_secondary, &own, Ok(Proof::Thumbprint)),
        (
            by_sha1,
            &signed(&pki, "dev1", always),
            Err("certificate-thumbprint"),
        ),
        (
            ca(),
            &signed(&pki, "dev1", always),
            Ok(Proof::CertificateAuthority),
        ),
        (
            ca(),
            &signed(&pki, "Dev1", always),
            Err("certificate-common-name"),
        ),
        (
            ca(),
            &signed(&pki, "dev1", old),
            Err("certificate-untrusted"),
        ),
        (
            ca(),
            &signed(&pki, "dev1", future),
            Err("certificate-untrusted"),
        ),
        (
            ca(),
            &signed(&stranger, "dev1", always),
            Err("certificate-untrusted"),
        ),
        (ca(), &own, Err("certificate-untrusted")),
    ];
    for (credentials, certificate, expected) in rows {
        let hub = IotHub::new(HOST)
            .with_authority(pki.root_der().to_vec())
            .with_device(Device::new("dev1", credentials.clone()));
        let mut world = World::new(&Config::new([hub]));
        let tls = TlsFacts {
            server_name: None,
            client_certificates: vec![certificate.certificate_der.clone()],
        };
        let connection = world.hub.open(world.now, tls);
        let without_password = Connect {
            password: None,
            ..connect()
        };
        world.send(connection, &Packet::Connect(without_password));
        let result = match world.events().as_slice() {
            [Event::Connected(connected)] => Ok(connected.proof),
            [Event::Refused(refusal)] => Err(refusal.reason.code()),
            events => panic!("{events:?}"),
        };
        assert_eq!(result, expected, "{credentials:?}");
    }
}

/// A chain, leaf first, of PEM files made by openssl.
fn pem_chain(files: &[&str]) -> Vec<Vec<u8>> {
    files
        .iter()
        .map(|pem| CertificateDer::from_pem_slice(pem.as_bytes()).unwrap())
        .map(|der| der.to_vec())
        .collect()
}

/// What a hub with this authority says to a device that needs a certificate of it.
fn judged(authority: Vec<u8>, chain: Vec<Vec<u8>>) -> Result<Proof, String> {
    let hub = IotHub::new(HOST)
        .with_authority(authority)
        .with_device(Device::new("dev1", Credentials::CertificateAuthority));
    let mut world = World::new(&Config::new([hub]));
    let tls = TlsFacts {
        server_name: None,
        client_certificates: chain,
    };
    let connection = world.hub.open(world.now, tls);
    let without_password = Connect {
        password: None,
        ..connect()
    };
    world.send(connection, &Packet::Connect(without_password));
    match world.events().as_slice() {
        [Event::Connected(connected)] => Ok(connected.proof),
        [Event::Refused(refusal)] => Err(refusal.reason.to_string()),
        events => panic!("{events:?}"),
    }
}

macro_rules! version_1 {
    ($name:literal) => {
        include_str!(concat!("fixtures/version-1/", $name, ".pem"))
    };
}

#[test]
fn certificates_of_version_1_below_an_authority() {
    let (ca, ca2) = (version_1!("ca"), version_1!("ca2"));
    let (middle, deeper) = (version_1!("mid"), version_1!("mid2"));
    let below_middle = version_1!("signed-by-mid");
    let signed = version_1!("signed");
    let rows: [(&str, &[&str], Option<&str>); 11] = [
        (ca, &[signed], None),
        (ca, &[signed, middle], None),
        (ca, &[below_middle, middle], None),
        (ca, &[below_middle, deeper, middle, ca], None),
        (
            ca,
            &[below_middle],
            Some("no accepted authority signed it, its issuer is `CN=Test Intermediate`"),
        ),
        (
            ca,
            &[below_middle, version_1!("mid-not-ca")],
            Some("`CN=Test Intermediate`, which signed it, is not the certificate of an authority"),
        ),
        (
            ca2,
            &[below_middle, middle],
            Some("no accepted authority signed the intermediate `CN=Test Intermediate`"),
        ),
        // `mid` allows no authority below it.
        (
            ca,
            &[version_1!("signed-by-mid2"), deeper, middle],
            Some("no accepted authority signed the intermediate `CN=Too Deep`"),
        ),
        // Another key with the authority's name.
        (
            ca2,
            &[signed],
            Some("not made with the key of the authority `CN=Test Authority`"),
        ),
        (ca, &[version_1!("signed-old")], Some("it has expired")),
        (ca, &[version_1!("self-ec")], Some("it is self-signed")),
    ];
    for (authority, chain, refused) in rows {
        let authority = pem_chain(&[authority]).remove(0);
        match (judged(authority, pem_chain(chain)), refused) {
            (Ok(Proof::CertificateAuthority), None) => {}
            (Err(text), Some(expected)) => assert!(text.contains(expected), "{text}"),
            (judged, _) => panic!("{judged:?}, {refused:?}"),
        }
    }
}

/// Signed by the authority, with what the change makes of a device's certificate.
fn issued_with(change: impl FnOnce(&mut CertificateParams)) -> (Vec<u8>, Vec<u8>) {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, "Maker");
    let key = KeyPair::generate().unwrap();
    let root = params.self_signed(&key).unwrap().der().to_vec();
    let issuer = Issuer::new(params, key);
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "dev1");
    change(&mut params);
    let key = KeyPair::generate().unwrap();
    let leaf = params.signed_by(&key, &issuer).unwrap().der().to_vec();
    (root, leaf)
}

#[test]
fn untrusted_certificates_are_explained_in_words() {
    let ec = KeyKind::EcdsaP256;
    // What `openssl req -x509` makes: self-signed, and an authority of its own.
    let (own_root, _) = issued_with(|_| ());
    let (root, good) = issued_with(|_| ());
    let own = DeviceCertificate::self_signed("dev1", ec, Validity::default()).unwrap();
    let old = issued_with(|params| params.not_after = date_time_ymd(2001, 1, 1));
    let early = issued_with(|params| params.not_before = date_time_ymd(2040, 1, 1));
    let authority = issued_with(|params| params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained));
    let server = issued_with(|params| {
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    });
    let strange = issued_with(|params| {
        let mut extension = CustomExtension::from_oid_content(&[1, 3, 6, 1, 4, 1, 1], vec![5, 0]);
        extension.set_criticality(true);
        params.custom_extensions.push(extension);
    });
    let stranger = pem_chain(&[version_1!("ca")]).remove(0);
    let rows = [
        (&root, &own_root, "it is self-signed, but"),
        (&root, &own.certificate_der, "it is self-signed, but"),
        (&root, &root, "the certificate of the authority itself"),
        (&old.0, &old.1, "it has expired"),
        (&early.0, &early.1, "it is not valid yet"),
        (&authority.0, &authority.1, "`basicConstraints = CA:FALSE`"),
        (&server.0, &server.1, "`extendedKeyUsage = clientAuth`"),
        (&strange.0, &strange.1, "breaks a rule of X.509"),
        (
            &stranger,
            &good,
            "no accepted authority signed it, its issuer is `CN=Maker`",
        ),
        (
            &old.0,
            &good,
            "not made with the key of the authority `CN=Maker`",
        ),
        (
            &root,
            &b"no DER".to_vec(),
            "cannot be read as X.509 certificate",
        ),
    ];
    assert_eq!(
        judged(root.clone(), vec![good.clone()]),
        Ok(Proof::CertificateAuthority)
    );
    for (root, leaf, expected) in rows {
        let text = judged(root.clone(), vec![leaf.clone()]).unwrap_err();
        assert!(text.contains(expected) && text.contains("; "), "{text}");
        assert!(!text.contains("Error"), "{text}");
    }
}

#[test]
fn sni_and_user_name_agree() {
    for (sni, code) in [
        (HOST, None),
        ("localhost", None),
        ("fabrikam.azure-devices.net", Some("host-mismatch")),
    ] {
        let mut world = World::new(&cloud());
        let tls = TlsFacts {
            server_name: Some(sni.to_owned()),
            client_certificates: Vec::new(),
        };
        let connection = world.hub.open(world.now, tls);
        world.send(connection, &Packet::Connect(connect()));
        assert_eq!(world.reasons().first().copied(), code, "{sni}");
    }
}

#[test]
fn before_connect() {
    let rows: [(&[u8], &str, Vec<Packet>); 6] = [
        (b"\xc0\x00", "not-connect", vec![]),
        (b"\x30\x03\x00\x01a", "not-connect", vec![]),
        (b"GET / HTTP/1.1\r\n\r\n", "malformed", vec![]),
        (b"\x10\xff\xff\xff\xff", "malformed", vec![]),
        (b"\x10\xff\xff\x03", "message-size", vec![]),
        (
            b"\x10\x0d\x00\x04MQTT\x05\x02\x00\x3c\x00\x01a",
            "protocol-level",
            vec![REFUSED],
        ),
    ];
    for (bytes, code, answer) in rows {
        let mut world = World::new(&config());
        let connection = world.open();
        world.hub.receive(world.now, connection, bytes);
        assert_eq!(world.receive(connection), (answer, true), "{bytes:?}");
        assert_eq!(world.reasons(), [code], "{bytes:?}");
    }

    let mut world = World::new(&config());
    let connection = world.open();
    world.advance(29);
    assert_eq!(world.reasons(), [] as [&str; 0]);
    world.advance(1);
    assert_eq!(world.reasons(), ["no-connect"]);
    assert_eq!(world.receive(connection), (vec![], true));

    let silent = world.open();
    world.hub.lost(world.now, silent);
    assert_eq!(
        world.reasons(),
        [] as [&str; 0],
        "a port check is no refusal"
    );
}
