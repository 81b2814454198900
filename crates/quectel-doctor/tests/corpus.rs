//! Scores the doctor on logs of reported sessions: what must, may and must not be found.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use quectel_doctor::{Severity, diagnose_at};
use serde::Deserialize;

/// The corpus was put together on this day: 2026-11-22.
const TODAY: i64 = 1_795_305_600;

#[derive(Deserialize)]
struct Corpus {
    files: BTreeMap<String, Expected>,
}

#[derive(Deserialize)]
struct Expected {
    expect: Vec<String>,
    allow: Vec<String>,
    forbid: Vec<String>,
    outcome: String,
}

#[test]
fn the_corpus_is_diagnosed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let text = fs::read_to_string(folder.join("expected.json")).unwrap();
    let corpus: Corpus = serde_json::from_str(&text).unwrap();
    let (mut expected, mut recalled, mut unlisted) = (0, 0, 0);
    let mut faults = Vec::new();
    for (name, wanted) in &corpus.files {
        let log = fs::read(folder.join(name)).unwrap();
        let report = diagnose_at(log.as_slice(), TODAY).unwrap();
        let outcome = report
            .main_session()
            .map_or("", |session| session.outcome.as_str());
        println!("{name}: {outcome} (by the list: {})", wanted.outcome);
        for id in &wanted.expect {
            expected += 1;
            if report.findings.iter().any(|finding| finding.id == id) {
                recalled += 1;
            } else {
                faults.push(format!("{name}: {id} was not found"));
            }
        }
        for finding in &report.findings {
            let is = |list: &[String]| list.iter().any(|id| id == finding.id);
            println!(
                "    {:?} {} ({:?})",
                finding.severity, finding.id, finding.confidence
            );
            if is(&wanted.forbid) {
                faults.push(format!("{name}: {} is forbidden", finding.id));
            }
            if !is(&wanted.expect) && !is(&wanted.allow) {
                unlisted += 1;
                println!("        neither expected nor allowed");
                if wanted.expect.is_empty() && finding.severity == Severity::Error {
                    faults.push(format!("{name}: {} is an error in a clean log", finding.id));
                }
            }
        }
    }
    println!("recall {recalled} of {expected}, {unlisted} findings neither expected nor allowed");
    assert!(faults.is_empty(), "{}", faults.join("\n"));
    assert_eq!(unlisted, 0, "false alarms");
}
