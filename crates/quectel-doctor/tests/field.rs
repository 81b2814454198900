//! Logs as strangers paste them: each says at its top what must and what may be found.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::fs;
use std::path::Path;

use quectel_doctor::{Severity, diagnose_at};

/// 2026-11-22.
const TODAY: i64 = 1_795_305_600;

struct Field {
    name: String,
    expect: Vec<String>,
    allow: Vec<String>,
    log: Vec<u8>,
}

fn read(path: &Path) -> Field {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.splitn(3, '\n');
    let words = |line: Option<&str>, head: &str| -> Vec<String> {
        let rest = line.unwrap().strip_prefix(head).unwrap();
        rest.split_whitespace().map(str::to_owned).collect()
    };
    let expect = words(lines.next(), "expect:");
    let allow = words(lines.next(), "allow:");
    let log = lines.next().unwrap();
    let name = path.file_stem().unwrap().to_string_lossy().into_owned();
    // The ending of the name says how the terminal ended its lines.
    let log = if name.ends_with("-cr") {
        log.replace('\n', "\r")
    } else if name.ends_with("-crlf") {
        log.replace('\n', "\r\n")
    } else {
        log.to_owned()
    };
    Field {
        name,
        expect,
        allow,
        log: log.into_bytes(),
    }
}

#[test]
fn strangers_logs_are_diagnosed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/field");
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let (mut expected, mut found, mut clean) = (0, 0, 0);
    let mut faults = Vec::new();
    for path in &paths {
        let field = read(path);
        let report = match diagnose_at(field.log.as_slice(), TODAY) {
            Ok(report) => report,
            Err(error) => {
                faults.push(format!("{}: {error}", field.name));
                expected += field.expect.len();
                continue;
            }
        };
        clean += usize::from(field.expect.is_empty());
        for id in &field.expect {
            expected += 1;
            if report.findings.iter().any(|finding| finding.id == id) {
                found += 1;
            } else {
                faults.push(format!("{}: {id} was not found", field.name));
            }
        }
        for finding in &report.findings {
            let listed = field.expect.iter().chain(&field.allow);
            if finding.severity > Severity::Info && !listed.into_iter().any(|id| id == finding.id) {
                faults.push(format!(
                    "{}: {} ({:?}, {:?}) is a false alarm",
                    field.name, finding.id, finding.severity, finding.confidence
                ));
            }
        }
    }
    println!(
        "{} logs of strangers, {clean} of them clean: {found} of {expected} causes found",
        paths.len()
    );
    assert!(
        faults.is_empty(),
        "{found} of {expected} causes found, {} faults\n{}",
        faults.len(),
        faults.join("\n")
    );
}
