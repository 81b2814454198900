//! CONNECT: who is let in, and what is said about those who are not.
#![allow(clippy::unwrap_used, reason = "tests")]

mod common;

use common::{ACCEPTED, HOST, REFUSED, START, World, config, connect, key, token};
use iothub_sim::{
    Config, Credentials, Device, DeviceCertificate, Event, IotHub, KeyKind, Module, Pki,
    PkiOptions, Proof, SharedAccessKey, TlsFacts, Validity, sas_token,
};
use mqtt311::{Connect, Packet, Protocol, QoS, Will};

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
