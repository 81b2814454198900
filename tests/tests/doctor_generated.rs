//! Sessions of the simulator with one thing broken: the doctor names that thing first.

#![expect(
    clippy::expect_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "doctor_generated/faults.rs"]
mod faults;
#[path = "doctor_generated/plan.rs"]
mod plan;

use plan::{Model, Plan, SHAPES, run};
use quectel_azure_tests::world::NOW_UNIX_S;
use quectel_doctor::{Severity, diagnose_at};

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

#[test]
fn a_right_session_has_no_error() {
    let mut faults = Vec::new();
    for model in MODELS {
        for x509 in [false, true] {
            for (seed, shape) in (0..).zip(SHAPES) {
                let log = run(Plan::new(*model, x509, seed), shape);
                let report = diagnose_at(log.as_bytes(), today()).expect("a log");
                let success = report
                    .main_session()
                    .is_some_and(|s| s.outcome == "success");
                let loud = report
                    .findings
                    .iter()
                    .filter(|f| f.severity > Severity::Info);
                let loud: Vec<_> = loud.map(|f| (f.id, f.severity)).collect();
                if !success || !loud.is_empty() {
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
