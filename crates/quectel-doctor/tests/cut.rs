//! A clean log from which a line was lost stays clean: nobody pastes everything.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::fs;
use std::path::Path;

use quectel_doctor::{Severity, diagnose_at};

const TODAY: i64 = 1_795_305_600;

/// Clean logs: the lines of dialogues without an expectation, and strangers' logs without one.
fn clean_logs() -> Vec<(String, Vec<String>)> {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let mut all = Vec::new();
    for folder in ["dialogues", "field"] {
        for entry in fs::read_dir(tests.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            if path.extension().is_some_and(|ext| ext == "rs") || !text.starts_with("expect:") {
                continue;
            }
            let header = text.lines().next().unwrap().trim_end();
            if header != "expect:" {
                continue;
            }
            let dialogue = folder == "dialogues";
            let lines = text.lines().skip(2).filter_map(|line| {
                if dialogue {
                    line.strip_prefix("> ").or_else(|| line.strip_prefix("< "))
                } else {
                    Some(line)
                }
            });
            all.push((
                path.file_name().unwrap().to_string_lossy().into_owned(),
                lines.map(str::to_owned).collect(),
            ));
        }
    }
    all
}

#[test]
fn a_lost_line_makes_no_error() {
    let mut faults = Vec::new();
    let mut logs = 0;
    for (name, lines) in clean_logs() {
        let whole = diagnose_at(lines.join("\n").as_bytes(), TODAY).unwrap();
        // Where one try failed and the next did not, a lost line can be the one that tells why.
        if whole
            .sessions
            .iter()
            .any(|session| session.outcome.contains("failed"))
        {
            continue;
        }
        for lost in 0..lines.len() {
            let kept = lines.iter().enumerate().filter(|(n, _)| *n != lost);
            let text: Vec<&str> = kept.map(|(_, line)| line.as_str()).collect();
            let Ok(report) = diagnose_at(text.join("\n").as_bytes(), TODAY) else {
                continue;
            };
            logs += 1;
            let errors = report
                .findings
                .iter()
                .filter(|f| f.severity == Severity::Error);
            faults.extend(errors.map(|f| {
                format!(
                    "{name} without `{}`: {} ({:?})",
                    lines[lost], f.id, f.confidence
                )
            }));
        }
    }
    println!("{logs} logs with a lost line");
    assert!(
        faults.is_empty(),
        "{} of {logs}\n{}",
        faults.len(),
        faults.join("\n")
    );
}
