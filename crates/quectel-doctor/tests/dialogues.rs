//! Dialogues of many causes, each told in every shape in which people paste logs: the doctor must find the same.
//!
//! A file has a header (`expect:`, `allow:`, `forbid:`, `only:` for shapes with dates) and then `>` host, `<` module,
//! `@` the time in milliseconds, `#` prose of the poster.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

#[path = "dialogues/shapes.rs"]
mod shapes;

use std::fs;
use std::path::Path;

use quectel_doctor::{Severity, diagnose_at};

use shapes::{Line, SHAPES, Side};

const TODAY: i64 = 1_795_305_600;

#[derive(Default)]
struct Dialogue {
    name: String,
    expect: Vec<String>,
    allow: Vec<String>,
    forbid: Vec<String>,
    /// Shapes that the dialogue makes sense in; all when empty.
    only: Vec<String>,
    /// Shapes that it does not.
    not: Vec<String>,
    lines: Vec<Line>,
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn read(path: &Path) -> Dialogue {
    let text = fs::read_to_string(path).unwrap();
    let mut dialogue = Dialogue {
        name: path.file_stem().unwrap().to_string_lossy().into_owned(),
        ..Dialogue::default()
    };
    let mut ms = 0;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("expect:") {
            dialogue.expect = words(rest);
        } else if let Some(rest) = line.strip_prefix("allow:") {
            dialogue.allow = words(rest);
        } else if let Some(rest) = line.strip_prefix("forbid:") {
            dialogue.forbid = words(rest);
        } else if let Some(rest) = line.strip_prefix("only:") {
            dialogue.only = words(rest);
        } else if let Some(rest) = line.strip_prefix("not:") {
            dialogue.not = words(rest);
        } else if let Some(rest) = line.strip_prefix('@') {
            ms = rest.trim().parse().unwrap();
        } else if let Some((side, rest)) = [
            ("> ", Side::Host),
            ("< ", Side::Module),
            ("# ", Side::Prose),
        ]
        .into_iter()
        .find_map(|(mark, side)| Some((side, line.strip_prefix(mark)?)))
        {
            ms += 20;
            dialogue.lines.push(Line {
                side,
                ms,
                text: rest.to_owned(),
            });
        }
    }
    dialogue
}

fn dialogues() -> Vec<Dialogue> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/dialogues");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "at"));
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

#[test]
fn every_dialogue_is_diagnosed_in_every_shape() {
    let all = dialogues();
    let (mut told, mut expected, mut found, mut alarms) = (0, 0, 0, 0);
    let mut faults = Vec::new();
    for dialogue in &all {
        for (shape, render) in SHAPES {
            let unfit = dialogue.not.iter().any(|name| name == shape);
            if unfit
                || (!dialogue.only.is_empty() && !dialogue.only.iter().any(|name| name == shape))
            {
                continue;
            }
            told += 1;
            let log = render(&dialogue.lines);
            let report = match diagnose_at(log.as_slice(), TODAY) {
                Ok(report) => report,
                Err(error) => {
                    faults.push(format!("{} as {shape}: {error}", dialogue.name));
                    continue;
                }
            };
            for id in &dialogue.expect {
                expected += 1;
                if report.findings.iter().any(|finding| finding.id == id) {
                    found += 1;
                } else {
                    faults.push(format!("{} as {shape}: {id} was not found", dialogue.name));
                }
            }
            for finding in &report.findings {
                let is = |list: &[String]| list.iter().any(|id| id == finding.id);
                let listed = is(&dialogue.expect) || is(&dialogue.allow);
                let clean = dialogue.expect.is_empty() && finding.severity == Severity::Error;
                if is(&dialogue.forbid)
                    || (clean && !listed)
                    || (!listed && finding.severity > Severity::Info)
                {
                    alarms += 1;
                    faults.push(format!(
                        "{} as {shape}: {} ({:?}) is a false alarm",
                        dialogue.name, finding.id, finding.severity
                    ));
                }
            }
        }
    }
    println!(
        "{} dialogues, {told} logs: {found} of {expected} found, {alarms} false alarms",
        all.len()
    );
    assert!(
        faults.is_empty(),
        "{} faults\n{}",
        faults.len(),
        faults.join("\n")
    );
}
