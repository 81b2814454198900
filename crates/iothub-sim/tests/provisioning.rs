//! The Device Provisioning Service.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::sync::Arc;

use base64::{Engine, engine::general_purpose::STANDARD};
use common::{HOST, REFUSED, START, World, id, key, publish, publish_qos1, subscribe};
use iothub_sim::{
    Attestation, Config, Device, DeviceCertificate, Enrollment, EnrollmentGroup, Event, Fault,
    GroupAttestation, Identity, IotHub, IssuingAuthority, KeyKind, Pki, PkiOptions, Proof,
    ProvisioningService, RegistrationFailure, RegistrationOutcome, Reprovisioning, SharedAccessKey,
    TlsFacts, Validity, Warning, sas_token,
};
use mqtt311::{Connect, Packet, Publish, QoS, Suback, SubackCode};
use rcgen::{CertificateParams, DnType, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde_json::{Value, json};

const SCOPE: &str = "0ne00000A0A";
const REGISTER: &str = "$dps/registrations/PUT/iotdps-register/?$rid=1";
const RESPONSES: &str = "$dps/registrations/res/#";
const OTHER: &str = "fabrikam.azure-devices.net";

fn group_key() -> SharedAccessKey {
    SharedAccessKey::from_bytes([3; 64])
}

fn service() -> ProvisioningService {
    let mut group = EnrollmentGroup::new(
        "fleet",
        GroupAttestation::SymmetricKeys {
            primary: group_key(),
            secondary: SharedAccessKey::from_bytes([4; 32]),
        },
    );
    group.settings.hubs = vec![OTHER.to_owned()];
    ProvisioningService::new(SCOPE.to_owned())
        .with_enrollment(Enrollment::with_key("Reg-1", key()))
        .with_group(group)
}

fn cloud(service: ProvisioningService) -> Config {
    Config::new([IotHub::new(HOST), IotHub::new(OTHER)]).with_provisioning(service)
}

/// Changes the settings of the enrollment `Reg-1`.
fn with(change: impl FnOnce(&mut Enrollment)) -> Config {
    let mut service = service();
    change(service.enrollments.first_mut().unwrap());
    cloud(service)
}

fn connect(registration_id: &str, key: &SharedAccessKey) -> Connect {
    let resource = format!("{SCOPE}/registrations/{registration_id}");
    Connect {
        clean_session: true,
        keep_alive_s: 120,
        client_id: registration_id.to_owned(),
        user_name: Some(format!(
            "{SCOPE}/registrations/{registration_id}/api-version=2019-03-31"
        )),
        password: Some(sas_token(&resource, key, START + 3600, Some("registration")).into_bytes()),
        ..Connect::default()
    }
}

fn version(version: &str) -> Connect {
    Connect {
        user_name: Some(format!("{SCOPE}/registrations/Reg-1/api-version={version}")),
        ..connect("Reg-1", &key())
    }
}

struct Provisioning {
    world: World,
    connection: iothub_sim::ConnectionId,
}

impl Provisioning {
    fn new(config: &Config, connect: &Connect) -> Self {
        Self::with_certificate(config, connect, &[])
    }

    fn with_certificate(config: &Config, connect: &Connect, chain: &[&[u8]]) -> Self {
        let mut world = World::new(config);
        let connection = world.hub.open(
            world.now,
            TlsFacts {
                server_name: Some("global.azure-devices-provisioning.net".to_owned()),
                client_certificates: chain.iter().map(|der| der.to_vec()).collect(),
            },
        );
        let (packets, _) = world.exchange(connection, &Packet::Connect(connect.clone()));
        assert_eq!(packets, [common::ACCEPTED], "{:?}", world.events());
        world.exchange(connection, &subscribe(1, &[RESPONSES], QoS::AtLeastOnce));
        world.events();
        Self { world, connection }
    }

    fn request(&mut self, topic: &str, body: &str) -> (String, Value) {
        let (packets, closed) = self.world.exchange(self.connection, &publish(topic, body));
        assert!(!closed);
        match packets.as_slice() {
            [Packet::Publish(Publish { topic, payload, .. })] => {
                let topic = topic.strip_prefix("$dps/registrations/res/").unwrap();
                (topic.to_owned(), serde_json::from_slice(payload).unwrap())
            }
            other => panic!("{other:?} {:?}", self.world.events()),
        }
    }

    /// Registers and asks for the status until it is final.
    fn run(&mut self, body: &str) -> (String, Value) {
        let (topic, answer) = self.request(REGISTER, body);
        if !topic.starts_with("202") {
            return (topic, answer);
        }
        let operation = answer["operationId"].as_str().unwrap().to_owned();
        let status = format!(
            "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId={operation}"
        );
        for _ in 0..10 {
            self.world.advance(3);
            let (topic, answer) = self.request(&status, " ");
            if !topic.starts_with("202") {
                return (topic, answer);
            }
        }
        panic!("never done");
    }

    fn outcomes(&mut self) -> Vec<RegistrationOutcome> {
        self.world
            .events()
            .into_iter()
            .filter_map(|event| match event {
                Event::Registration(registration) => Some(registration.outcome),
                _ => None,
            })
            .collect()
    }
}

/// Whether a device can connect to the hub with this key.
fn connects(world: &mut World, hub: &str, device: &str, key: &SharedAccessKey) -> bool {
    let connection = world.open();
    let token = sas_token(&format!("{hub}/devices/{device}"), key, START + 7200, None);
    let connect = Connect {
        client_id: device.to_owned(),
        user_name: Some(format!("{hub}/{device}/?api-version=2021-04-12")),
        password: Some(token.into_bytes()),
        ..Connect::default()
    };
    world.exchange(connection, &Packet::Connect(connect)).0 == [common::ACCEPTED]
}

#[test]
fn an_individual_enrollment() {
    let config = with(|enrollment| {
        enrollment.device_id = Some("dev-a".to_owned());
        enrollment.settings.initial_tags = Some("{\"site\":1}".to_owned());
        enrollment.settings.initial_desired = Some("{\"rate\":5}".to_owned());
        enrollment.settings.payload = Some("{\"hello\":true}".to_owned());
    });
    let mut dps = Provisioning::new(&config, &connect("Reg-1", &key()));
    let body = "{\"registrationId\":\"Reg-1\",\"payload\":{\"modelId\":\"dtmi:a;1\"}}";
    let (topic, answer) = dps.request(REGISTER, body);
    assert_eq!(topic, "202/?$rid=1&retry-after=3");
    assert_eq!(answer["status"], "assigning");
    let operation = answer["operationId"].as_str().unwrap().to_owned();
    assert_eq!(operation.len(), 55);
    let status = format!(
        "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId={operation}"
    );
    dps.world.advance(3);
    let (topic, answer) = dps.request(&status, "");
    assert_eq!(topic, "202/?$rid=2&retry-after=3");
    assert_eq!(answer["registrationState"]["status"], "assigning");
    dps.world.advance(3);
    let (topic, answer) = dps.request(&status, "");
    assert_eq!(topic, "200/?$rid=2");
    assert_eq!(answer["status"], "assigned");
    let state = &answer["registrationState"];
    for (name, value) in [
        ("registrationId", json!("Reg-1")),
        ("assignedHub", json!(HOST)),
        ("deviceId", json!("dev-a")),
        ("status", json!("assigned")),
        ("substatus", json!("initialAssignment")),
        ("payload", json!({"hello": true})),
        ("createdDateTimeUtc", json!("2023-11-14T22:13:20.0000000Z")),
        ("symmetricKey", json!({})),
        ("connectionProfile", Value::Null),
    ] {
        assert_eq!(state[name], value, "{name}");
    }
    let events = dps.world.events();
    assert!(
        matches!(&events[0], Event::Registration(r) if r.payload.as_deref() == Some("{\"modelId\":\"dtmi:a;1\"}")),
        "{events:?}"
    );
    assert!(connects(&mut dps.world, HOST, "dev-a", &key()));
    let twin = dps
        .world
        .hub
        .twin(&Identity::device(HOST, "dev-a"))
        .unwrap();
    assert_eq!(Value::Object(twin.tags.clone()), json!({"site": 1}));
    assert_eq!(
        Value::Object(twin.desired.properties.clone()),
        json!({"rate": 5})
    );
    dps.world.send(dps.connection, &Packet::Disconnect);
    assert!(dps.world.reasons().contains(&"disconnect"));
}

#[test]
fn a_group_enrollment() {
    let config = cloud(service());
    for secondary in [false, true] {
        let group = if secondary {
            SharedAccessKey::from_bytes([4; 32])
        } else {
            group_key()
        };
        let derived = group.derive("sensor-7");
        let mut dps = Provisioning::new(&config, &connect("sensor-7", &derived));
        let (topic, answer) = dps.run("");
        assert_eq!(topic, "200/?$rid=2");
        let state = &answer["registrationState"];
        assert_eq!(state["assignedHub"], OTHER);
        assert_eq!(state["symmetricKey"]["enrollmentGroupId"], "fleet");
        assert!(connects(&mut dps.world, OTHER, "sensor-7", &derived));
        assert!(!connects(&mut dps.world, HOST, "sensor-7", &derived));
    }
}

#[test]
fn connects_that_are_refused() {
    let base = || connect("Reg-1", &key());
    let user = |text: &str| Connect {
        user_name: Some(text.to_owned()),
        ..base()
    };
    let token = |resource: &str, key: &SharedAccessKey, until, skn| Connect {
        password: Some(sas_token(resource, key, until, skn).into_bytes()),
        ..base()
    };
    let own = format!("{SCOPE}/registrations/Reg-1");
    let later = START + 60;
    let rows = [
        (
            "provisioning-user-name-form",
            user(&format!("{own}/?api-version=2019-03-31")),
        ),
        (
            "api-version-missing",
            user(&format!("{own}/ClientVersion=x")),
        ),
        (
            "api-version-unknown",
            user(&format!("{own}/api-version=2021-04-12")),
        ),
        (
            "registration-id",
            Connect {
                client_id: "-x".to_owned(),
                ..user(&format!("{SCOPE}/registrations/-x/api-version=2019-03-31"))
            },
        ),
        (
            "client-id",
            Connect {
                client_id: "reg-1".to_owned(),
                ..base()
            },
        ),
        (
            "password-missing",
            Connect {
                password: None,
                ..base()
            },
        ),
        (
            "token-form",
            Connect {
                password: Some(b"x".to_vec()),
                ..base()
            },
        ),
        ("token-skn", token(&own, &key(), later, Some("device"))),
        (
            "token-scope",
            token(&format!("{SCOPE}/registrations/Reg-2"), &key(), later, None),
        ),
        ("token-scope", token(HOST, &key(), later, None)),
        ("token-signature", token(&own, &group_key(), later, None)),
        ("token-expired", token(&own, &key(), START, None)),
        ("group-key", connect("sensor-7", &group_key())),
        (
            "token-signature",
            connect("sensor-7", &group_key().derive("sensor-8")),
        ),
        (
            "token-signature",
            connect("sensor-7", &group_key().derive("SENSOR-7")),
        ),
    ];
    for (code, connect) in rows {
        let mut world = World::new(&cloud(service()));
        let connection = world.open();
        let answer = world.exchange(connection, &Packet::Connect(connect));
        assert_eq!(answer, (vec![REFUSED], true), "{code}");
        assert_eq!(world.reasons(), [code]);
    }
    // skn is optional, as Microsoft's own Python SDK leaves it out.
    let mut world = World::new(&cloud(service()));
    let connection = world.open();
    world.send(
        connection,
        &Packet::Connect(token(&own, &key(), later, None)),
    );
    assert_eq!(world.reasons(), [] as [&str; 0]);
}

#[test]
fn hosts_and_user_names_agree() {
    let provisioning = connect("Reg-1", &key());
    let hub = Connect {
        client_id: "dev1".to_owned(),
        user_name: Some(format!("{HOST}/dev1/?api-version=2021-04-12")),
        ..Connect::default()
    };
    for (sni, connect) in [
        (HOST, provisioning),
        ("global.azure-devices-provisioning.net", hub),
    ] {
        let mut world = World::new(&cloud(service()));
        let tls = TlsFacts {
            server_name: Some(sni.to_owned()),
            client_certificates: Vec::new(),
        };
        let connection = world.hub.open(world.now, tls);
        world.send(connection, &Packet::Connect(connect));
        assert_eq!(world.reasons(), ["host-mismatch"], "{sni}");
    }
}

#[test]
fn registrations_that_are_refused() {
    let body = |text: &'static str| (version("2019-03-31"), text);
    let elsewhere = Connect {
        user_name: Some("0neFFFFFFFF/registrations/Reg-1/api-version=2019-03-31".to_owned()),
        password: Some(
            sas_token("0neFFFFFFFF/registrations/Reg-1", &key(), START + 60, None).into_bytes(),
        ),
        ..version("2019-03-31")
    };
    let rows = [
        (body("["), 400, "registration-body"),
        (body("[]"), 400, "registration-body"),
        (
            body("{\"registrationId\":\"Reg-2\"}"),
            400,
            "registration-body",
        ),
        (body("{\"payload\":7}"), 400, "registration-body"),
        (body("{\"tpm\":{}}"), 400, "registration-body"),
        (body("{\"csr\":\"AAAA\"}"), 400, "registration-body"),
        (
            (version("2025-07-01-preview"), "{\"csr\":1}"),
            400,
            "registration-body",
        ),
        (
            (version("2025-07-01-preview"), "{\"csr\":\"AAAA\"}"),
            400,
            "signing-request",
        ),
        ((elsewhere, ""), 404, "id-scope-unknown"),
    ];
    for ((connect, body), status, code) in rows {
        let mut dps = Provisioning::new(&cloud(service()), &connect);
        let (topic, answer) = dps.request(REGISTER, body);
        assert_eq!(topic, format!("{status}/?$rid=1"), "{code} {body}");
        assert_eq!(
            answer["errorCode"].as_u64().unwrap() / 1000,
            status,
            "{answer}"
        );
        let outcomes = dps.outcomes();
        let [
            RegistrationOutcome::Refused {
                status: got,
                reason,
            },
        ] = outcomes.as_slice()
        else {
            panic!("{outcomes:?}");
        };
        assert_eq!((u64::from(*got), reason.code()), (status, code));
    }
    // Without any group, nothing tells a wrong key from a missing enrollment.
    let mut alone = service();
    alone.groups.clear();
    let mut dps = Provisioning::new(&cloud(alone), &connect("nobody", &key()));
    let (topic, answer) = dps.request(REGISTER, "");
    assert_eq!(
        (topic.as_str(), &answer["errorCode"]),
        ("404/?$rid=1", &json!(404_201))
    );
}

#[test]
fn failed_and_disabled() {
    let failing = with(|enrollment| {
        enrollment.settings.failure = Some(RegistrationFailure::new(
            400_207,
            "custom allocation failed",
        ));
    });
    let mut dps = Provisioning::new(&failing, &version("2019-03-31"));
    let (topic, answer) = dps.run("{}");
    assert_eq!(
        (topic.as_str(), &answer["status"]),
        ("200/?$rid=2", &json!("failed"))
    );
    assert_eq!(answer["registrationState"]["errorCode"], 400_207);
    assert_eq!(
        dps.outcomes().pop(),
        Some(RegistrationOutcome::Failed { code: 400_207 })
    );
    assert!(!connects(&mut dps.world, HOST, "Reg-1", &key()));

    let disabled = with(|enrollment| enrollment.settings.disabled = true);
    let mut dps = Provisioning::new(&disabled, &version("2019-03-31"));
    let (topic, answer) = dps.request(REGISTER, "{}");
    assert_eq!(
        (topic.as_str(), &answer["status"]),
        ("200/?$rid=1", &json!("disabled"))
    );
    assert_eq!(dps.outcomes(), [RegistrationOutcome::Disabled]);
}

#[test]
fn impatience() {
    let mut dps = Provisioning::new(&cloud(service()), &version("2019-03-31"));
    let (_, answer) = dps.request(REGISTER, "");
    let operation = answer["operationId"].as_str().unwrap().to_owned();
    let status = format!(
        "$dps/registrations/GET/iotdps-get-operationstatus/?operationId={operation}&$rid=2"
    );
    dps.world.advance(1);
    dps.world.events();
    dps.request(&status, "");
    let warning = Warning::PolledEarly {
        after_ms: 1000,
        retry_after_s: 3,
    };
    assert!(
        matches!(dps.world.events().as_slice(), [Event::Warned { warning: w, .. }] if *w == warning)
    );
    for _ in 0..4 {
        assert!(dps.request(&status, "").0.starts_with("20"));
    }
    assert_eq!(dps.request(&status, "").0, "429/?$rid=2&retry-after=10");
    assert!(dps.outcomes().iter().any(
        |outcome| matches!(outcome, RegistrationOutcome::Refused { reason, .. } if reason.code() == "polled-too-often")
    ));
    dps.world.advance(11);
    assert_eq!(dps.request(&status, "").0, "200/?$rid=2");

    let unknown = "$dps/registrations/GET/iotdps-get-operationstatus/?$rid=2&operationId=5.x";
    assert_eq!(dps.request(unknown, "").0, "404/?$rid=2");
}

#[test]
fn throttling_on_request() {
    let mut dps = Provisioning::new(&cloud(service()), &version("2019-03-31"));
    let identity = Identity::registration(SCOPE, "Reg-1");
    let fault = Fault::ProvisioningStatus {
        count: 1,
        status: 429,
        retry_after_s: 7,
    };
    dps.world.hub.inject(dps.world.now, &identity, fault);
    assert_eq!(dps.request(REGISTER, "").0, "429/?$rid=1&retry-after=7");
    assert_eq!(dps.request(REGISTER, "").0, "202/?$rid=1&retry-after=3");
}

#[test]
fn requests_that_end_the_connection() {
    for (code, packet) in [
        (
            "topic",
            publish("$dps/registrations/PUT/iotdps-register/", ""),
        ),
        (
            "topic",
            publish("$dps/registrations/POST/iotdps-register/?$rid=1", ""),
        ),
        ("topic", publish("devices/Reg-1/messages/events/", "")),
        (
            "topic",
            publish(
                "$dps/registrations/GET/iotdps-get-operationstatus/?operationId=1",
                "",
            ),
        ),
        ("second-connect", Packet::Connect(version("2019-03-31"))),
    ] {
        let mut dps = Provisioning::new(&cloud(service()), &version("2019-03-31"));
        assert_eq!(dps.world.exchange(dps.connection, &packet), (vec![], true));
        assert_eq!(dps.world.reasons(), [code]);
    }
}

#[test]
fn subscriptions_of_the_provisioning_service() {
    let mut world = World::new(&cloud(service()));
    let connection = world.connected(&version("2019-03-31"));
    let answer = world.exchange(connection, &publish_qos1(3, REGISTER, ""));
    assert_eq!(answer, (vec![Packet::Puback(id(3))], false));
    assert!(world.events().iter().any(|event| matches!(
        event,
        Event::Warned {
            warning: Warning::RegistrationUnheard,
            ..
        }
    )));
    let (packets, _) = world.exchange(
        connection,
        &subscribe(1, &["$dps/#", RESPONSES], QoS::ExactlyOnce),
    );
    let suback = Suback {
        packet_id: id(1),
        codes: vec![SubackCode::Failure, SubackCode::Granted(QoS::AtLeastOnce)],
    };
    assert_eq!(packets, [Packet::Suback(suback)]);
    assert_eq!(
        world.exchange(connection, &Packet::Pingreq),
        (vec![Packet::Pingresp], false)
    );
    // Nothing of a session survives.
    world.send(connection, &Packet::Disconnect);
    let again = Connect {
        clean_session: false,
        ..version("2019-03-31")
    };
    let connection = world.connected(&again);
    let answer = world.exchange(connection, &publish(REGISTER, ""));
    assert_eq!(answer, (vec![], false));
}

#[test]
fn certificates() {
    let ec = KeyKind::EcdsaP256;
    let always = Validity::default();
    let mut options = PkiOptions::for_hosts([HOST]);
    options.key_kind = ec;
    let pki = Pki::new(&options).unwrap();
    let own = DeviceCertificate::self_signed("Reg-1", ec, always).unwrap();
    let other_name = DeviceCertificate::self_signed("Reg-2", ec, always).unwrap();
    let below = pki.issue_device_certificate("cert-7", ec, always).unwrap();
    let individual = |certificate: &DeviceCertificate| {
        ProvisioningService::new(SCOPE.to_owned()).with_enrollment(Enrollment::new(
            "reg-1",
            Attestation::Certificate {
                primary: certificate.sha1_thumbprint(),
                secondary: None,
            },
        ))
    };
    let group = || {
        let attestation = GroupAttestation::Authority(pki.root_der().to_vec());
        ProvisioningService::new(SCOPE.to_owned())
            .with_group(EnrollmentGroup::new("certs", attestation))
    };
    let rows = [
        ("Reg-1", individual(&own), &own, Ok(())),
        (
            "Reg-1",
            individual(&other_name),
            &own,
            Err((401, "certificate-thumbprint")),
        ),
        (
            "Reg-1",
            individual(&other_name),
            &other_name,
            Err((401, "certificate-common-name")),
        ),
        ("cert-7", group(), &below, Ok(())),
        (
            "cert-8",
            group(),
            &below,
            Err((401, "certificate-common-name")),
        ),
        ("Reg-1", group(), &own, Err((401, "certificate-untrusted"))),
        (
            "Reg-1",
            ProvisioningService::new(SCOPE.to_owned()),
            &own,
            Err((404, "enrollment-unknown")),
        ),
    ];
    for (registration_id, service, certificate, expected) in rows {
        let without_password = Connect {
            password: None,
            ..connect(registration_id, &key())
        };
        let chain: [&[u8]; 1] = [&certificate.certificate_der];
        let mut dps = Provisioning::with_certificate(&cloud(service), &without_password, &chain);
        let (topic, answer) = dps.run("");
        let outcome = dps.outcomes().pop().unwrap();
        match (&outcome, expected) {
            (RegistrationOutcome::Assigned { device, .. }, Ok(())) => {
                let info = &answer["registrationState"]["x509"]["certificateInfo"];
                let sha1 = certificate.sha1_thumbprint().to_string();
                assert_eq!(info["sha1Thumbprint"], sha1.as_str());
                let tls = TlsFacts {
                    server_name: None,
                    client_certificates: vec![certificate.certificate_der.clone()],
                };
                let connection = dps.world.hub.open(dps.world.now, tls);
                let connect = Connect {
                    client_id: device.device_id.clone(),
                    user_name: Some(format!(
                        "{HOST}/{}/?api-version=2021-04-12",
                        device.device_id
                    )),
                    ..Connect::default()
                };
                dps.world.send(connection, &Packet::Connect(connect));
                let events = dps.world.events();
                assert!(
                    matches!(&events[0], Event::Connected(c) if c.proof == Proof::Thumbprint),
                    "{events:?}"
                );
            }
            (RegistrationOutcome::Refused { status, reason }, Err(expected)) => {
                assert_eq!((*status, reason.code()), expected);
                assert!(topic.starts_with(&status.to_string()));
            }
            other => panic!("{registration_id}: {other:?}"),
        }
    }
}

#[test]
fn certificates_of_version_1_in_a_group() {
    let der = |pem: &str| {
        CertificateDer::from_pem_slice(pem.as_bytes())
            .unwrap()
            .to_vec()
    };
    let authority = GroupAttestation::Authority(der(include_str!("fixtures/version-1/ca.pem")));
    let service = ProvisioningService::new(SCOPE.to_owned())
        .with_group(EnrollmentGroup::new("certs", authority));
    let without_password = Connect {
        password: None,
        ..connect("dev1", &key())
    };
    let register = |leaf: &[u8]| {
        let chain: [&[u8]; 1] = [leaf];
        let config = cloud(service.clone());
        let mut dps = Provisioning::with_certificate(&config, &without_password, &chain);
        let (_, answer) = dps.run("");
        (answer, dps.outcomes().pop().unwrap())
    };
    let (answer, _) = register(&der(include_str!("fixtures/version-1/signed.pem")));
    let info = &answer["registrationState"]["x509"]["certificateInfo"];
    assert_eq!(info["version"], 1, "{answer}");
    let (_, outcome) = register(&der(include_str!("fixtures/version-1/self-ec.pem")));
    match outcome {
        RegistrationOutcome::Refused { status, reason } => {
            assert_eq!(status, 401);
            let text = reason.to_string();
            assert!(text.contains("it is self-signed, but"), "{text}");
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_second_registration() {
    // Old api-versions are sticky unless the enrollment says otherwise.
    let migrate = Some(Reprovisioning::MigrateData);
    for (policy, version_name, hub, substatus, desired) in [
        (None, "2019-03-31", OTHER, "deviceDataMigrated", 3),
        (None, "2018-04-01", HOST, "initialAssignment", 3),
        (migrate, "2018-04-01", OTHER, "deviceDataMigrated", 3),
        (
            Some(Reprovisioning::ResetData),
            "2019-03-31",
            OTHER,
            "deviceDataReset",
            1,
        ),
        (
            Some(Reprovisioning::Never),
            "2019-03-31",
            HOST,
            "initialAssignment",
            3,
        ),
    ] {
        let config = with(|enrollment| enrollment.settings.reprovisioning = policy);
        let mut dps = Provisioning::new(&config, &version(version_name));
        for expected in [(HOST, "initialAssignment"), (HOST, "initialAssignment")] {
            let (_, answer) = dps.run("");
            let state = &answer["registrationState"];
            assert_eq!(
                (
                    state["assignedHub"].as_str().unwrap(),
                    state["substatus"].as_str().unwrap()
                ),
                expected
            );
            dps.world.advance(20);
        }
        let now = dps.world.now;
        for rate in [1, 2] {
            let device = Identity::device(HOST, "Reg-1");
            dps.world
                .hub
                .update_desired(now, &device, json!({"rate": rate}))
                .unwrap();
        }
        let service = dps.world.hub.provisioning_mut(SCOPE).unwrap();
        service.enrollments[0].settings.hubs = vec![OTHER.to_owned()];
        let (_, answer) = dps.run("");
        let state = &answer["registrationState"];
        assert_eq!(state["assignedHub"], hub, "{policy:?} {version_name}");
        assert_eq!(state["substatus"], substatus);
        let gone = if hub == HOST { OTHER } else { HOST };
        assert!(
            dps.world
                .hub
                .twin(&Identity::device(gone, "Reg-1"))
                .is_none()
        );
        let twin = dps.world.hub.twin(&Identity::device(hub, "Reg-1")).unwrap();
        assert_eq!(twin.desired.version, desired);
    }
}

fn signing_request(common_name: &str, p384: bool) -> String {
    let algorithm = if p384 {
        &PKCS_ECDSA_P384_SHA384
    } else {
        &PKCS_ECDSA_P256_SHA256
    };
    let key = KeyPair::generate_for(algorithm).unwrap();
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    let request = params.serialize_request(&key).unwrap();
    STANDARD.encode(request.der())
}

#[test]
fn a_certificate_from_a_signing_request() {
    let mut service = service();
    service.issuer = Some(Arc::new(IssuingAuthority::new(30).unwrap()));
    let config = cloud(service);
    let csr = signing_request("Reg-1", true);
    let mut damaged = STANDARD.decode(&csr).unwrap();
    *damaged.last_mut().unwrap() ^= 1;
    for (csr, fault) in [
        (signing_request("Reg-2", true), "its common name is `Reg-2`"),
        (signing_request("Reg-1", false), "not an EC key on P-384"),
        (STANDARD.encode(damaged), "its signature"),
        (
            format!("-----BEGIN CERTIFICATE REQUEST-----\\n{csr}"),
            "without PEM lines",
        ),
        ("!".to_owned(), "not base64"),
    ] {
        let mut dps = Provisioning::new(&config, &version("2025-07-01-preview"));
        let (topic, answer) = dps.request(REGISTER, &json!({ "csr": csr }).to_string());
        assert_eq!(topic, "400/?$rid=1");
        assert!(
            answer["message"].as_str().unwrap().contains(fault),
            "{answer}"
        );
    }
    let mut dps = Provisioning::new(&config, &version("2026-11-02-preview"));
    let (_, answer) = dps.run(&json!({ "csr": csr }).to_string());
    let state = &answer["registrationState"];
    assert_eq!(state["connectionProfile"], "classic");
    let chain: Vec<Vec<u8>> = state["issuedCertificateChain"]
        .as_array()
        .unwrap()
        .iter()
        .map(|der| STANDARD.decode(der.as_str().unwrap()).unwrap())
        .collect();
    assert_eq!(chain.len(), 2);
    dps.world.events();
    for (after_s, expected) in [(0, None), (31 * 86_400, Some("certificate-untrusted"))] {
        dps.world.advance(after_s);
        dps.world.events();
        let tls = TlsFacts {
            server_name: None,
            client_certificates: chain.clone(),
        };
        let connection = dps.world.hub.open(dps.world.now, tls);
        let connect = Connect {
            client_id: "Reg-1".to_owned(),
            user_name: Some(format!("{HOST}/Reg-1/?api-version=2021-04-12")),
            ..Connect::default()
        };
        dps.world.send(connection, &Packet::Connect(connect));
        assert_eq!(dps.world.reasons().first().copied(), expected);
    }
}

#[test]
fn renewal_over_the_hub() {
    let mut service = service();
    service.issuer = Some(Arc::new(IssuingAuthority::new(30).unwrap()));
    let mut config = cloud(service);
    config.hubs[0].devices.push(Device::with_key("dev1", key()));
    let topic = "$iothub/credentials/POST/issueCertificate/?$rid=9";
    let body = |id: &str, csr: String| {
        publish(
            topic,
            &json!({"id": id, "csr": csr, "replace": null}).to_string(),
        )
    };
    let right = body("dev1", signing_request("dev1", true));

    let mut world = World::new(&config);
    let connection = world.connected(&common::connect());
    assert_eq!(
        world.exchange(connection, &right),
        (vec![], true),
        "not switched on"
    );

    config.rules.certificate_renewal = true;
    let mut world = World::new(&config);
    let connection = world.connected(&common::connect());
    world.exchange(
        connection,
        &subscribe(1, &["$iothub/credentials/res/#"], QoS::AtLeastOnce),
    );
    for (packet, statuses) in [
        (right, &["202", "200"][..]),
        (body("dev2", signing_request("dev2", true)), &["400"]),
        (body("dev1", signing_request("dev2", true)), &["400"]),
        (publish(topic, "x"), &["400"]),
        (
            publish(topic, "{\"id\":\"dev1\",\"csr\":\"\",\"replace\":\"7\"}"),
            &["412"],
        ),
    ] {
        let (packets, closed) = world.exchange(connection, &packet);
        assert!(!closed);
        let topics: Vec<_> = packets
            .iter()
            .map(|packet| match packet {
                Packet::Publish(publish) => publish.topic.clone(),
                other => panic!("{other:?}"),
            })
            .collect();
        let expected: Vec<_> = statuses
            .iter()
            .map(|status| format!("$iothub/credentials/res/{status}/?$rid=9"))
            .collect();
        assert_eq!(topics, expected);
    }
}

#[test]
fn faults_of_the_configuration() {
    let rows = [
        (
            ProvisioningService::new("0ne-1".to_owned()),
            "`0ne-1` is not an id scope such as `0ne00000A0A`",
        ),
        (
            service().with_enrollment(Enrollment::with_key("REG-1", key())),
            "enrollment or group `REG-1` is configured twice",
        ),
        (
            service().with_enrollment(Enrollment::with_key("a/b", key())),
            "`a/b` is not a registration id: 1 to 128 letters, digits and - : . _, the first and last a letter or digit",
        ),
    ];
    for (service, text) in rows {
        assert_eq!(cloud(service).check().unwrap_err().to_string(), text);
    }
    let hub = with(|enrollment| enrollment.settings.hubs = vec!["x.net".to_owned()]);
    assert_eq!(
        hub.check().unwrap_err().to_string(),
        "enrollment `Reg-1` names the hub `x.net`, which is not configured"
    );
    let json = with(|enrollment| enrollment.settings.payload = Some("[]".to_owned()));
    assert_eq!(
        json.check().unwrap_err().to_string(),
        "the payload of enrollment `Reg-1` is not a JSON object"
    );
    assert_eq!(
        cloud(service())
            .with_provisioning(service())
            .check()
            .unwrap_err()
            .to_string(),
        "id scope `0ne00000A0A` is configured twice"
    );
}
