//! Everything that goes wrong for users gives one clear failure, and the next run with the right settings works.

#![allow(clippy::panic, reason = "a test fails by panicking")]

use iothub_sim::SharedAccessKey;
use quectel_azure::azure_auth::ConnectionString;
use quectel_azure::{Buffers, CaFile, Client, Config, ConfigError, Credential, Reason, Step};
use quectel_azure_tests::host::{Memory, Seen, connect};
use quectel_azure_tests::world::{DEVICE, HUB, HubSetup, NOW_UNIX_S, World, module};
use quectel_sim::{PowerState, Registration, SimState};

fn config<'a>(connection_string: &'a str, ca_pem: &'a str) -> Config<'a> {
    let parsed = ConnectionString::parse(connection_string).expect("the hub's connection string");
    let key = parsed.shared_access_key().expect("a key");
    let mut config = Config::new(HUB, DEVICE, Credential::SharedAccessKey(key)).apn("internet");
    config.ca = CaFile {
        pem: ca_pem.as_bytes(),
        ..CaFile::default()
    };
    config.timeouts.register_s = 20;
    config
}

/// Runs the flow with `change`d settings and compares; then runs it unchanged after `repair`, which must connect.
fn fails_then_works(
    world: &mut World,
    change: impl FnOnce(&mut Config<'_>),
    expected: (Step, Reason),
    repair: impl FnOnce(&mut World),
) -> String {
    let (text, pem) = (world.connection_string.clone(), world.ca_pem.clone());
    let mut wrong = config(&text, &pem);
    change(&mut wrong);
    let mut memory = Memory::new();
    let seen = connect(&mut memory.client(wrong), world);
    let Some(Seen::Failed(step, reason, line)) = seen.last() else {
        panic!("{expected:?}: {seen:?}")
    };
    assert_eq!(
        (*step, *reason),
        expected,
        "{seen:?} {:?}",
        world.refusals()
    );
    assert!(!reason.remedy().is_empty());
    repair(world);
    let mut memory = Memory::new();
    let again = connect(&mut memory.client(config(&text, &pem)), world);
    assert_eq!(
        again.last(),
        Some(&Seen::Connected),
        "after {expected:?}: {again:?} {:?}",
        world.refusals()
    );
    line.clone()
}

fn world(model: &str) -> World {
    World::new(HubSetup::new(), module(model, None, NOW_UNIX_S))
}

const MODELS: [&str; 3] = ["bg95", "ec25", "ec200u"];

#[test]
fn no_module() {
    for model in MODELS {
        let off = module(model, None, NOW_UNIX_S).power(PowerState::Off);
        let mut world = World::new(HubSetup::new(), off);
        fails_then_works(
            &mut world,
            |_| {},
            (Step::Identify, Reason::ModuleSilent),
            |w| w.module.power_on(),
        );
    }
}

#[test]
fn garbage_instead_of_a_module() {
    let text = "HostName=contoso.azure-devices.net;DeviceId=dev-1;SharedAccessKey=a2V5a2V5a2V5a2V5a2V5a2V5";
    let ca = String::from_utf8_lossy(CaFile::default().pem);
    let mut memory = Memory::new();
    let mut client = memory.client(config(text, &ca));
    client.connect(0).expect("idle");
    let (mut now, mut seed) = (0_u64, 1_u32);
    loop {
        let mut out = [0; 64];
        while client.poll_transmit(&mut out) > 0 {}
        let garbage: Vec<u8> = (0..40)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                (seed >> 24) as u8 | 0x80
            })
            .chain(*b"\r\n")
            .collect();
        let mut input = &garbage[..];
        while let Some(event) = client.poll(now, &mut input) {
            if let quectel_azure::Event::Failed(failure) = event {
                assert_eq!(failure.reason, Reason::ModuleGarbled);
                return;
            }
        }
        now += 100;
        assert!(now < 100_000, "the client gives up");
    }
}

#[test]
fn no_sim() {
    for model in MODELS {
        let line = fails_then_works(
            &mut World::new(
                HubSetup::new(),
                module(model, None, NOW_UNIX_S).sim(SimState::Absent),
            ),
            |_| {},
            (Step::Sim, Reason::SimMissing),
            |w| w.module.set_sim(SimState::Ready),
        );
        assert!(line.contains("CME ERROR"), "{line}");
    }
}

#[test]
fn no_network() {
    for (registration, reason) in [
        (Registration::Searching, Reason::NotRegistered),
        (Registration::Denied, Reason::RegistrationDenied),
    ] {
        for model in MODELS {
            let mut world = world(model);
            world.module.set_registration(registration);
            let repair = |w: &mut World| w.module.set_registration(Registration::Home);
            fails_then_works(&mut world, |_| {}, (Step::Register, reason), repair);
        }
    }
}

#[test]
fn wrong_apn() {
    for model in ["bg95", "ec25"] {
        let mut config = module(model, None, NOW_UNIX_S);
        config.apns = vec!["internet".into()];
        let mut world = World::new(HubSetup::new(), config);
        fails_then_works(
            &mut world,
            |c| c.apn.name = "wrong.example",
            (Step::Pdp, Reason::PdpFailed),
            |_| {},
        );
    }
}

#[test]
fn wrong_key_device_and_host() {
    let foreign = SharedAccessKey::generate().to_base64();
    let foreign: &'static str = Box::leak(foreign.into_boxed_str());
    for model in MODELS {
        fails_then_works(
            &mut world(model),
            |c| c.credential = Credential::SharedAccessKey(foreign),
            (Step::Connect, Reason::ConnectRefused),
            |_| {},
        );
        let refused = (Step::Connect, Reason::ConnectRefused);
        fails_then_works(
            &mut world(model),
            |c| c.device_id = "dev-2",
            refused,
            |_| {},
        );
        fails_then_works(
            &mut world(model),
            |c| c.hub = "contosso.azure-devices.net",
            (Step::Open, Reason::DnsFailed),
            |_| {},
        );
    }
}

#[test]
fn expired_token() {
    let token = "SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fdev-1&sig=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8%3D&se=1700000000";
    let expired = |c: &mut Config<'_>| c.credential = Credential::SasToken(token);
    fails_then_works(
        &mut world("ec25"),
        expired,
        (Step::Clock, Reason::TokenExpired),
        |_| {},
    );
}

#[test]
fn a_root_certificate_of_somebody_else() {
    for model in MODELS {
        let other: &'static [u8] = CaFile::default().pem;
        let line = fails_then_works(
            &mut world(model),
            |c| c.ca.pem = other,
            (Step::Open, Reason::OpenFailed),
            |_| {},
        );
        assert!(line.starts_with("+QMTOPEN: 0,"), "{line}");
    }
}

#[test]
fn a_full_storage() {
    for model in MODELS {
        let mut world = world(model);
        let free = world.type_line("AT+QFLDS=\"UFS\"", 100);
        let free: usize = free
            .split("+QFLDS: ")
            .nth(1)
            .and_then(|rest| rest.split(',').next())
            .and_then(|number| number.parse().ok())
            .expect("free bytes");
        assert!(world.module.put_file("big.bin", &vec![0; free - 100]));
        let repair = |w: &mut World| {
            let heard = w.type_line("AT+QFDEL=\"big.bin\"", 100);
            assert!(heard.contains("OK"), "{heard}");
        };
        fails_then_works(
            &mut world,
            |_| {},
            (Step::Certificates, Reason::StorageFull),
            repair,
        );
    }
}

#[test]
fn another_file_of_the_same_name_stays() {
    let mut world = world("ec25");
    assert!(world.module.put_file("cacert.pem", b"somebody's"));
    let named = |c: &mut Config<'_>| c.ca.name = Some("cacert.pem");
    fails_then_works(
        &mut world,
        named,
        (Step::Certificates, Reason::FileConflict),
        |_| {},
    );
    assert_eq!(world.module.file("cacert.pem"), Some(&b"somebody's"[..]));
}

#[test]
fn no_clock() {
    for model in MODELS {
        let clockless = module(model, None, NOW_UNIX_S).without_clock();
        let mut world = World::new(HubSetup::new(), clockless);
        let (text, pem) = (world.connection_string.clone(), world.ca_pem.clone());
        let mut memory = Memory::new();
        let seen = connect(&mut memory.client(config(&text, &pem)), &mut world);
        assert!(
            matches!(
                seen.last(),
                Some(Seen::Failed(Step::Clock, Reason::ClockUnknown, _))
            ),
            "{model}: {seen:?}"
        );
        // With the host's time the same module connects, and its clock is set so that dates are checked.
        let mut memory = Memory::new();
        let mut client = memory.client(config(&text, &pem));
        client.set_unix_time(world.now_ms, NOW_UNIX_S + world.now_ms / 1_000);
        let seen = connect(&mut client, &mut world);
        assert_eq!(seen.last(), Some(&Seen::Connected), "{model}: {seen:?}");
        assert!(
            !seen
                .iter()
                .any(|event| matches!(event, Seen::Warning(text) if text.contains("dates"))),
            "{seen:?}"
        );
    }
}

#[test]
fn settings_are_checked_before_a_byte_is_sent() {
    let good = || {
        let mut config = Config::new(
            HUB,
            DEVICE,
            Credential::SharedAccessKey("a2V5a2V5a2V5a2V5a2V5a2V5"),
        );
        config.apn.name = "internet";
        config
    };
    let check = |change: &dyn Fn(&mut Config<'static>), sizes: [usize; 3]| {
        let mut config = good();
        change(&mut config);
        let [mut rx, mut tx, mut scratch] = sizes.map(|n| vec![0_u8; n]);
        Client::new(
            config,
            Buffers {
                rx: &mut rx,
                tx: &mut tx,
                scratch: &mut scratch,
            },
        )
        .err()
    };
    const ROOM: [usize; 3] = [1024; 3];
    assert_eq!(check(&|_| {}, ROOM), None);
    assert!(matches!(
        check(&|c| c.hub = "https://contoso", ROOM),
        Some(ConfigError::Identity(_))
    ));
    assert!(matches!(
        check(&|c| c.device_id = "a\"b", ROOM),
        Some(ConfigError::Identity(_))
    ));
    assert!(matches!(
        check(
            &|c| c.credential = Credential::SharedAccessKey("not base64!"),
            ROOM
        ),
        Some(ConfigError::Key(_))
    ));
    assert!(matches!(
        check(&|c| c.credential = Credential::SasToken("key"), ROOM),
        Some(ConfigError::Token(_))
    ));
    let foreign = "SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fdev-2\
        &sig=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8%3D&se=1900000000";
    assert_eq!(
        check(&|c| c.credential = Credential::SasToken(foreign), ROOM),
        Some(ConfigError::TokenScope)
    );
    assert_eq!(
        check(&|c| c.ca.pem = b"MIIDdz", ROOM),
        Some(ConfigError::CaNotPem)
    );
    assert_eq!(
        check(
            &|c| c.credential = Credential::X509 {
                certificate: b"",
                key: b""
            },
            ROOM
        ),
        Some(ConfigError::CertificateNotPem)
    );
    assert_eq!(check(&|c| c.slots.ssl = 6, ROOM), Some(ConfigError::Slots));
    assert_eq!(
        check(&|c| c.keep_alive_s = 1_178, ROOM),
        Some(ConfigError::KeepAlive)
    );
    assert_eq!(check(&|c| c.port = 0, ROOM), Some(ConfigError::Port));
    assert_eq!(
        check(&|c| c.apn.name = "a\"\r\nAT+QPOWD", ROOM),
        Some(ConfigError::Text)
    );
    assert_eq!(
        check(&|_| {}, [511, 1024, 1024]),
        Some(ConfigError::RxBuffer)
    );
    assert_eq!(
        check(&|_| {}, [1024, 100, 1024]),
        Some(ConfigError::TxBuffer)
    );
    assert_eq!(
        check(&|_| {}, [1024, 1024, 100]),
        Some(ConfigError::ScratchBuffer)
    );
}
