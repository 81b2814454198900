//! The conformance table: command × form × family → bytes, each row with its evidence.
//!
//! A file of `tests/conformance` has blocks. `=` names the profiles, `#` is a remark; each row starts with `:` and its
//! evidence, then `!` prepares the module (commands whose answers do not matter), `>` is written by the host, `<` is what
//! the module must write then, byte for byte, and `@ n` lets n milliseconds pass.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::{fs, path::Path};

use common::{Bench, hide};

struct Row<'a> {
    profiles: Vec<&'a str>,
    line: usize,
    evidence: &'a str,
    steps: Vec<(char, &'a str)>,
}

fn rows(text: &str) -> Vec<Row<'_>> {
    let mut profiles = Vec::new();
    let mut rows: Vec<Row<'_>> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let Some(mark) = line.chars().next() else {
            continue;
        };
        let rest = line[mark.len_utf8()..]
            .strip_prefix(' ')
            .unwrap_or_else(|| &line[mark.len_utf8()..]);
        match mark {
            '#' => {}
            '=' => profiles = rest.split_whitespace().collect(),
            ':' => rows.push(Row {
                profiles: profiles.clone(),
                line: number + 1,
                evidence: rest,
                steps: Vec::new(),
            }),
            _ => rows
                .last_mut()
                .expect("a row starts with its evidence")
                .steps
                .push((mark, rest)),
        }
    }
    rows
}

fn run(file: &str, row: &Row<'_>, profile: &str) -> Result<(), String> {
    let place = format!("{file}:{} ({profile})", row.line);
    if row.evidence.split(' ').next().is_none_or(str::is_empty) {
        return Err(format!("{place}: no evidence"));
    }
    let mut bench = Bench::ready(profile);
    let mut got = bench.read();
    for (mark, text) in &row.steps {
        match mark {
            '!' => {
                bench.send([hide(text), b"\r".to_vec()].concat());
                got.clear();
            }
            '>' => {
                if !got.is_empty() {
                    return Err(format!("{place}: unexpected {got}"));
                }
                got = bench.send(hide(text));
            }
            '@' => got.push_str(&bench.wait(text.parse().map_err(|e| format!("{place}: {e}"))?)),
            '<' => {
                if got != *text {
                    return Err(format!(
                        "{place}: {}\n  expected {text}\n  got      {got}",
                        row.evidence
                    ));
                }
                got.clear();
            }
            other => return Err(format!("{place}: unknown mark {other}")),
        }
    }
    if got.is_empty() {
        Ok(())
    } else {
        Err(format!("{place}: unexpected {got}"))
    }
}

#[test]
fn every_row_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut failures = Vec::new();
    let mut checked = 0;
    let mut files: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    for path in files {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let text = fs::read_to_string(&path).unwrap();
        for row in rows(&text) {
            assert!(!row.profiles.is_empty(), "{name}:{}: no profile", row.line);
            for profile in &row.profiles {
                checked += 1;
                failures.extend(run(&name, &row, profile).err());
            }
        }
    }
    assert!(checked > 300, "only {checked} rows were found");
    assert!(
        failures.is_empty(),
        "{} of {checked} rows fail:\n{}",
        failures.len(),
        failures.join("\n")
    );
}
