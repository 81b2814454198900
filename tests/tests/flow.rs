//! The whole flow, driver against simulators, in virtual time: every model, both credentials, any chunking.

#![allow(clippy::panic, reason = "a test fails by panicking")]

use iothub_sim::{CloudToDeviceMessage, Device, Identity, KeyKind};
use quectel_azure::azure_auth::ConnectionString;
use quectel_azure::{CaFile, Config, Credential, Message, Reason, Step};
use quectel_azure_tests::host::{Chunk, Memory, Seen, connect, drive};
use quectel_azure_tests::world::{
    DEVICE, HUB, HubSetup, NOW_UNIX_S, World, device_certificate, module,
};
use quectel_sim::SimState;

/// Model, firmware.
const MODULES: &[(&str, Option<&str>)] = &[
    ("ec21", None),
    ("ec25", None),
    ("eg25", None),
    ("eg91", None),
    ("bg96", Some("BG96MAR02A07M1G")),
    ("bg96", Some("BG96MAR02A08M1G")),
    ("bg96", Some("BG96MAR04A02M1G")),
    ("bg95", None),
    ("bg77", None),
    ("ec200u", None),
    ("eg915u", None),
    ("eg800k", None),
];

fn ca(pem: &str) -> CaFile<'_> {
    CaFile {
        pem: pem.as_bytes(),
        ..CaFile::default()
    }
}

fn sas_config<'a>(connection_string: &'a str, ca_pem: &'a str) -> Config<'a> {
    let parsed = ConnectionString::parse(connection_string).expect("the hub's connection string");
    let key = parsed.shared_access_key().expect("a key");
    let mut config = Config::new(HUB, DEVICE, Credential::SharedAccessKey(key)).apn("internet");
    config.ca = ca(ca_pem);
    config
}

/// Old BG96 firmware has no SNI, which the classic hub hosts tolerated.
fn hub_for(firmware: Option<&str>) -> HubSetup {
    if firmware.is_some_and(|f| f.starts_with("BG96MAR02")) {
        HubSetup::new().without_sni()
    } else {
        HubSetup::new()
    }
}

/// Publishes one message and receives one; both sides must have them.
fn exchange(client: &mut quectel_azure::Client<'_>, world: &mut World, chunk: Chunk) {
    let properties = [("room", "kitchen & hall"), ("unit", "°C")];
    let message = Message::new(b"{\"t\":21.5}").json().properties(&properties);
    let id = client
        .publish(world.now_ms, &message)
        .expect("connected and ready")
        .number();
    let seen = drive(client, world, chunk, 120_000, |event| {
        *event == Seen::Published(id)
    });
    assert_eq!(seen.last(), Some(&Seen::Published(id)), "{seen:?}");
    let telemetry = world.telemetry();
    let got = telemetry.last().expect("the hub has the message");
    assert_eq!(got.payload, b"{\"t\":21.5}");
    assert_eq!(got.identity.device_id, DEVICE);
    for (name, value) in properties {
        assert_eq!(
            got.properties.value(name),
            Some(value),
            "{:?}",
            got.properties
        );
    }
    let now = world.now();
    let body = b"line one\r\nOK\r\n> \"quoted\"".to_vec();
    let c2d = CloudToDeviceMessage::new(body.clone()).with_property("order", "42");
    world
        .hub
        .hub()
        .send_to_device(now, &Identity::device(HUB, DEVICE), c2d)
        .expect("the device is known");
    let seen = drive(client, world, chunk, 120_000, |event| {
        matches!(event, Seen::Message(..))
    });
    let Some(Seen::Message(topic, payload)) = seen.last() else {
        panic!("no message: {seen:?}")
    };
    assert!(
        topic.starts_with("devices/dev-1/messages/devicebound/"),
        "{topic}"
    );
    assert_eq!(*payload, body);
}

#[test]
fn every_model_with_a_sas_token() {
    for &(model, firmware) in MODULES {
        let mut world = World::new(hub_for(firmware), module(model, firmware, NOW_UNIX_S));
        let (text, pem) = (world.connection_string.clone(), world.ca_pem.clone());
        let mut memory = Memory::new();
        let mut client = memory.client(sas_config(&text, &pem));
        let seen = connect(&mut client, &mut world);
        assert_eq!(
            seen.last(),
            Some(&Seen::Connected),
            "{model} {firmware:?}: {seen:?} {:?}",
            world.refusals()
        );
        exchange(&mut client, &mut world, Chunk(0));
        client.disconnect(world.now_ms).expect("connected");
        let seen = drive(&mut client, &mut world, Chunk(0), 60_000, Seen::settles);
        assert_eq!(seen.last(), Some(&Seen::Disconnected), "{model}: {seen:?}");
    }
}

#[test]
fn every_model_with_x509() {
    for &(model, firmware) in MODULES {
        for kind in [KeyKind::Rsa2048, KeyKind::EcdsaP256] {
            let certificate = device_certificate(NOW_UNIX_S, kind);
            let mut setup = hub_for(firmware);
            setup.device = Device::with_thumbprint(DEVICE, certificate.sha256_thumbprint());
            let mut world = World::new(setup, module(model, firmware, NOW_UNIX_S));
            let pem = world.ca_pem.clone();
            let credential = Credential::X509 {
                certificate: certificate.certificate_pem.as_bytes(),
                key: certificate.key_pem.as_bytes(),
            };
            let mut config = Config::new(HUB, DEVICE, credential).apn("internet");
            config.ca = ca(&pem);
            let mut memory = Memory::new();
            let mut client = memory.client(config);
            let seen = connect(&mut client, &mut world);
            assert_eq!(
                seen.last(),
                Some(&Seen::Connected),
                "{model} {firmware:?} {kind:?}: {seen:?} {:?}",
                world.refusals()
            );
            exchange(&mut client, &mut world, Chunk(0));
        }
    }
}

#[test]
fn byte_by_byte_is_the_same() {
    for chunk in [1, 3, 64] {
        let mut world = World::new(HubSetup::new(), module("bg95", None, NOW_UNIX_S));
        let (text, pem) = (world.connection_string.clone(), world.ca_pem.clone());
        let mut memory = Memory::new();
        let mut client = memory.client(sas_config(&text, &pem));
        client.connect(0).expect("idle");
        let seen = drive(
            &mut client,
            &mut world,
            Chunk(chunk),
            1_000_000,
            Seen::settles,
        );
        assert_eq!(seen.last(), Some(&Seen::Connected), "{seen:?}");
        exchange(&mut client, &mut world, Chunk(chunk));
    }
}

#[test]
fn a_key_held_elsewhere_signs() {
    let mut world = World::new(HubSetup::new(), module("ec25", None, NOW_UNIX_S));
    let (text, pem) = (world.connection_string.clone(), world.ca_pem.clone());
    let parsed = ConnectionString::parse(&text).expect("the hub's connection string");
    let key = quectel_azure::azure_auth::SharedAccessKey::from_base64(
        parsed.shared_access_key().expect("a key"),
    )
    .expect("base64");
    let mut config = Config::new(HUB, DEVICE, Credential::ExternalKey).apn("internet");
    config.ca = ca(&pem);
    let mut memory = Memory::new();
    let mut client = memory.client(config);
    client.connect(0).expect("idle");
    let seen = drive(&mut client, &mut world, Chunk(0), 1_000_000, |event| {
        event.settles() || matches!(event, Seen::SignatureNeeded(_))
    });
    let Some(Seen::SignatureNeeded(to_sign)) = seen.last() else {
        panic!("not asked: {seen:?}")
    };
    client
        .provide_signature(world.now_ms, &key.sign(to_sign))
        .expect("asked for");
    let seen = drive(&mut client, &mut world, Chunk(0), 1_000_000, Seen::settles);
    assert_eq!(seen.last(), Some(&Seen::Connected), "{seen:?}");
}

#[test]
fn a_booting_module_is_waited_for() {
    for model in ["bg95", "ec21", "bg96"] {
        let booting = module(model, None, NOW_UNIX_S)
            .power(quectel_sim::PowerState::Booting)
            .timing(quectel_sim::Timing::Realistic);
        let mut world = World::new(HubSetup::new(), booting);
        let (text, pem) = (world.connection_string.clone(), world.ca_pem.clone());
        let mut memory = Memory::new();
        let mut client = memory.client(sas_config(&text, &pem));
        let seen = connect(&mut client, &mut world);
        assert_eq!(seen.last(), Some(&Seen::Connected), "{model}: {seen:?}");
    }
}

#[test]
fn a_sim_with_a_pin_is_unlocked() {
    let locked = || module("ec25", None, NOW_UNIX_S).sim(SimState::Pin("1234".into()));
    for (pin, expected) in [
        (Some("1234"), None),
        (Some("9999"), Some(Reason::SimPinWrong)),
        (None, Some(Reason::SimPinRequired)),
    ] {
        let mut world = World::new(HubSetup::new(), locked());
        let (text, pem) = (world.connection_string.clone(), world.ca_pem.clone());
        let mut config = sas_config(&text, &pem);
        config.sim_pin = pin;
        let mut memory = Memory::new();
        let mut client = memory.client(config);
        let seen = connect(&mut client, &mut world);
        match (seen.last(), expected) {
            (Some(Seen::Connected), None) => {}
            (Some(Seen::Failed(Step::Sim, reason, _)), Some(expected)) if *reason == expected => {}
            _ => panic!("{pin:?}: {seen:?}"),
        }
    }
}
