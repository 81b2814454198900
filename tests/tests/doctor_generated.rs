//! Sessions of the simulator with one thing broken: the doctor names that thing first.

#![expect(
    clippy::expect_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "doctor_generated/faults.rs"]
mod faults;
#[path = "doctor_generated/plan.rs"]
mod plan;

use iothub_sim::{Device, KeyKind};
use plan::{Model, Plan, SHAPES, run};
use quectel_azure::azure_auth::ConnectionString;
use quectel_azure::{CaFile, Config, Credential, Message};
use quectel_azure_tests::host::{Chunk, Memory, Seen, connect, drive};
use quectel_azure_tests::world::{
    DEVICE, HUB, HubSetup, NOW_UNIX_S, World, device_certificate, module,
};
use quectel_doctor::{Severity, diagnose_at};
use quectel_sim::LogKind;

const MODELS: &[Model] = &[
    Model {
        name: "bg96",
        firmware: Some("BG96MAR04A02M1G"),
        sni: true,
        length: false,
    },
    Model {
        name: "bg96",
        firmware: Some("BG96MAR02A07M1G"),
        sni: false,
        length: false,
    },
    Model {
        name: "bg95",
        firmware: None,
        sni: true,
        length: false,
    },
    Model {
        name: "bg77",
        firmware: None,
        sni: true,
        length: false,
    },
    Model {
        name: "ec21",
        firmware: None,
        sni: true,
        length: false,
    },
    Model {
        name: "ec25",
        firmware: None,
        sni: true,
        length: false,
    },
    Model {
        name: "eg25",
        firmware: None,
        sni: true,
        length: false,
    },
    Model {
        name: "eg91",
        firmware: None,
        sni: true,
        length: false,
    },
    Model {
        name: "ec200u",
        firmware: None,
        sni: true,
        length: true,
    },
    Model {
        name: "eg800k",
        firmware: None,
        sni: true,
        length: true,
    },
    Model {
        name: "eg915u",
        firmware: None,
        sni: true,
        length: true,
    },
];

fn today() -> i64 {
    i64::try_from(NOW_UNIX_S).expect("a time of this age")
}

/// What is said above info about a log that is to end in success; `None` if that is nothing and it did.
fn complaints(log: &str) -> Option<Vec<(&'static str, Severity)>> {
    let report = diagnose_at(log.as_bytes(), today()).expect("a log");
    let success = report
        .main_session()
        .is_some_and(|s| s.outcome == "success");
    let loud = report
        .findings
        .iter()
        .filter(|f| f.severity > Severity::Info);
    let loud: Vec<_> = loud.map(|f| (f.id, f.severity)).collect();
    (!success || !loud.is_empty()).then_some(loud)
}

#[test]
fn a_right_session_has_no_error() {
    let mut faults = Vec::new();
    for model in MODELS {
        for x509 in [false, true] {
            for (seed, shape) in (0..).zip(SHAPES) {
                let log = run(Plan::new(*model, x509, seed), shape);
                if let Some(loud) = complaints(&log) {
                    faults.push(format!(
                        "{} x509={x509} {shape:?}: {loud:?}\n{log}",
                        model.name
                    ));
                }
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_broken_thing_is_named_first() {
    let all = [
        faults::TLS,
        faults::FILES,
        faults::NETWORK,
        faults::SEQUENCE,
        faults::AZURE,
        faults::DPS_FAULTS,
    ];
    let (mut cases, mut first) = (0_u32, 0_u32);
    let mut misses = Vec::new();
    for (number, fault) in all.into_iter().flatten().enumerate() {
        let fitting = MODELS
            .iter()
            .flat_map(|model| [(*model, false), (*model, true)]);
        let fitting: Vec<_> = fitting
            .filter(|(model, x509)| fault.with.fits(*model, *x509))
            .collect();
        // Every fault on a few modules, another few for the next one.
        let few = fitting
            .iter()
            .cycle()
            .skip(number * 5)
            .step_by(3)
            .take(fitting.len().min(6));
        for (turn, (model, x509)) in few.enumerate() {
            let seed = u8::try_from((number + turn) % 200).expect("a small number");
            let mut plan = Plan::new(*model, *x509, seed);
            (fault.breaks)(&mut plan);
            let shape = SHAPES
                .into_iter()
                .cycle()
                .nth(number + turn)
                .expect("a cycle has no end");
            let log = run(plan, shape);
            let report = diagnose_at(log.as_bytes(), today()).expect("a log");
            cases += 1;
            let named = report
                .findings
                .first()
                .map_or("nothing", |finding| finding.id);
            if fault.ids.contains(&named) {
                first += 1;
            } else {
                let all: Vec<_> = report
                    .findings
                    .iter()
                    .map(|f| (f.id, f.severity, f.confidence))
                    .collect();
                misses.push(format!(
                    "{:?} on {} x509={x509} {shape:?}: {named} {all:?}",
                    fault.ids, model.name
                ));
                if std::env::var_os("SHOW_LOGS").is_some() {
                    misses.push(log);
                }
            }
        }
    }
    println!("{first} of {cases} generated faults named first");
    println!("{}", misses.join("\n"));
    assert!(cases >= 200, "{cases}");
    assert!(first * 100 >= cases * 95, "{first} of {cases}");
}

/// The driver's own traffic as the simulator's log has it, with answers and URCs.
fn driver_log(model: Model, x509: bool, own_clock: bool) -> String {
    let certificate = device_certificate(NOW_UNIX_S, KeyKind::EcdsaP256);
    let mut setup = HubSetup::new();
    setup.require_sni = model.sni;
    if x509 {
        setup.device = Device::with_thumbprint(DEVICE, certificate.sha256_thumbprint());
    }
    let mut config = module(model.name, model.firmware, NOW_UNIX_S);
    if !own_clock {
        config = config.without_clock();
    }
    let mut world = World::new(setup, config);
    let (text, pem) = (world.connection_string.clone(), world.ca_pem.clone());
    let parsed = ConnectionString::parse(&text).expect("the hub's connection string");
    let credential = if x509 {
        Credential::X509 {
            certificate: certificate.certificate_pem.as_bytes(),
            key: certificate.key_pem.as_bytes(),
        }
    } else {
        Credential::SharedAccessKey(parsed.shared_access_key().expect("a key"))
    };
    let mut config = Config::new(HUB, DEVICE, credential).apn("internet");
    config.ca = CaFile {
        pem: pem.as_bytes(),
        ..CaFile::default()
    };
    let mut memory = Memory::new();
    let mut client = memory.client(config);
    if !own_clock {
        client.set_unix_time(world.now_ms, NOW_UNIX_S);
    }
    let seen = connect(&mut client, &mut world);
    assert_eq!(
        seen.last(),
        Some(&Seen::Connected),
        "{} {seen:?}",
        model.name
    );
    let message = Message::new(b"{\"t\":21.5}").json();
    client
        .publish(world.now_ms, &message)
        .expect("connected and ready");
    drive(&mut client, &mut world, Chunk(0), 120_000, |event| {
        matches!(event, Seen::Published(_))
    });
    client.disconnect(world.now_ms).expect("connected");
    drive(&mut client, &mut world, Chunk(0), 60_000, Seen::settles);
    let mut log = String::new();
    for entry in world.module.take_log() {
        let arrow = match entry.kind {
            LogKind::Command => ">>",
            LogKind::Reply | LogKind::Urc => "<<",
            _ => continue,
        };
        log.push_str(&format!("{arrow} {}\n", entry.text));
    }
    log
}

#[test]
fn the_drivers_own_sessions_have_no_error() {
    let mut faults = Vec::new();
    for model in MODELS {
        for (x509, own_clock) in [(false, true), (true, true), (false, false), (true, false)] {
            let log = driver_log(*model, x509, own_clock);
            if let Some(loud) = complaints(&log) {
                faults.push(format!(
                    "{} x509={x509} clock={own_clock}: {loud:?}\n{log}",
                    model.name
                ));
            }
        }
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
