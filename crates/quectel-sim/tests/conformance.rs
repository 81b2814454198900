//! The conformance table: command × form × family → bytes, each row with its evidence.
//!
//! A file of `tests/conformance` has blocks. `=` names the profiles, `#` is a remark; each row starts with `:` and its
//! evidence, then `~` connects MQTT client 0 to a broker (the host of that name; without it there is no network), `!` prepares the module (commands whose answers do not matter), `>` is written by the host, `<` is what
//! the module must write then, byte for byte, and `@ n` lets n milliseconds pass.
//!
//! `forms.txt` is written from `forms.list`: the forms of all commands, on every profile; what another profile answers
//! alike stands in one row. `commands.txt` names the commands and forms that must have a row for every family.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::{collections::BTreeSet, fs, path::Path};

use common::{
    config, hide,
    world::{Listener, World},
};
use quectel_sim::{PowerState, Timing};

/// A ready module, and whether there is a network behind it.
struct Table {
    world: World,
    online: bool,
}

impl Table {
    fn ready(profile: &str) -> Self {
        let setup = config(profile)
            .timing(Timing::Fast)
            .power(PowerState::Ready);
        Self {
            world: World::new(setup),
            online: false,
        }
    }

    fn send(&mut self, bytes: impl AsRef<[u8]>) -> String {
        if self.online {
            self.world.send(bytes)
        } else {
            self.world.bench.send(bytes)
        }
    }

    fn wait(&mut self, ms: u64) -> String {
        if self.online {
            self.world.wait(ms)
        } else {
            self.world.bench.wait(ms)
        }
    }

    /// MQTT client 0 is connected, and URCs come to the host.
    fn connect(&mut self) {
        self.online = true;
        self.world.listen("broker", 1883, Listener::default());
        for line in [
            "AT+QURCCFG=\"urcport\",\"uart1\"",
            "AT+CGACT=1,1",
            "AT+QMTOPEN=0,\"broker\",1883",
            "AT+QMTCONN=0,\"id\"",
        ] {
            self.world.ok(line);
        }
    }

    /// One step that only prepares.
    fn prepare(&mut self, mark: char, text: &str) {
        if mark == '~' {
            self.connect();
        } else {
            self.send([hide(text), b"\r".to_vec()].concat());
        }
    }
}

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
    let mut bench = Table::ready(profile);
    let mut got = bench.world.bench.read();
    for (mark, text) in &row.steps {
        match mark {
            '!' | '~' => {
                bench.prepare(*mark, text);
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

fn is_table(name: &str) -> bool {
    name.ends_with(".txt") && name != "commands.txt"
}

/// One profile for each simulated firmware that differs.
const PROFILES: [&str; 16] = [
    "bg96@BG96MAR02A07M1G",
    "bg96@BG96MAR02A08M1G",
    "bg96",
    "bg95",
    "bg77",
    "ec21",
    "ec25",
    "eg25@EG25GGBR07A08M2G_01.002.01.002",
    "eg25@EG25GGBR07A08M2G_01.003.01.003",
    "eg25@EG25GGBR07A08M2G_A0.301.A0.301",
    "eg25",
    "eg91",
    "ec200u",
    "eg915u",
    "eg800k",
    "eg800k@EG800KLALCR07A02M04",
];

/// The rows of `forms.txt`.
fn written(list: &str) -> String {
    let mut text =
        String::from("# Written from forms.list with UPDATE_GOLDEN=1; not to be edited.\n");
    let lines = list
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty());
    for line in lines {
        let mut words = line.splitn(3, ' ');
        let (section, evidence) = (words.next().unwrap(), words.next().unwrap());
        let mut steps: Vec<&str> = words.next().unwrap().split(" >> ").collect();
        let last = steps.pop().unwrap();
        let mut answers: Vec<(String, Vec<&str>)> = Vec::new();
        for profile in PROFILES {
            let mut bench = Table::ready(profile);
            bench.send("ATE0\r");
            for step in &steps {
                bench.prepare(step.chars().next().unwrap_or('!'), step);
            }
            let answer = bench.send([hide(last), b"\r".to_vec()].concat());
            match answers.iter_mut().find(|(known, _)| *known == answer) {
                Some((_, profiles)) => profiles.push(profile),
                None => answers.push((answer, vec![profile])),
            }
        }
        for (answer, profiles) in answers {
            text += &format!(
                "= {}\n: {evidence} section {section}\n! ATE0\n",
                profiles.join(" ")
            );
            for step in &steps {
                text += &match *step {
                    "~" => "~ connected\n".to_owned(),
                    step => format!("! {step}\n"),
                };
            }
            text += &format!("> {last}\\r\n");
            if !answer.is_empty() {
                text += &format!("< {answer}\n");
            }
        }
    }
    text
}

#[test]
fn the_forms_are_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let text = written(&fs::read_to_string(folder.join("forms.list")).unwrap());
    let file = folder.join("forms.txt");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&file, &text).unwrap();
    }
    let old = fs::read_to_string(&file).unwrap();
    let differs = text.lines().zip(old.lines()).find(|(new, old)| new != old);
    assert_eq!(differs, None, "UPDATE_GOLDEN=1 writes it again");
    assert_eq!(text.lines().count(), old.lines().count());
}

/// Command and form of what a host writes: `+CSQ=?`, `+CSQ?`, `+CSQ=`, `+CSQ`, and likewise for basic commands.
fn forms_of(line: &str) -> Vec<String> {
    let line = line.trim_end_matches("\\n").trim_end_matches("\\r");
    let Some(rest) = line
        .get(..2)
        .filter(|at| at.eq_ignore_ascii_case("at"))
        .map(|_| &line[2..])
    else {
        return Vec::new();
    };
    let mut quoted = false;
    rest.split(|c| {
        quoted ^= c == '"';
        c == ';' && !quoted
    })
    .map(|command| {
        let mut letters = command.chars();
        let length = match letters.next() {
            Some('+') => 1 + letters.take_while(char::is_ascii_alphanumeric).count(),
            Some('S' | 's') => 1 + letters.take_while(char::is_ascii_digit).count(),
            Some('&') => 2,
            _ => 1,
        };
        let name = command
            .get(..length)
            .unwrap_or(command)
            .to_ascii_uppercase();
        let form = match command.get(name.len()..).unwrap_or_default() {
            "" => "",
            "?" => "?",
            "=?" => "=?",
            _ => "=",
        };
        name + form
    })
    .collect()
}

#[test]
fn every_command_of_the_notes_has_a_row_for_every_family() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/conformance");
    let mut seen = BTreeSet::new();
    let mut families = BTreeSet::new();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if !is_table(&path.file_name().unwrap().to_string_lossy()) {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for row in rows(&text) {
            for profile in &row.profiles {
                let family = config(profile).profile.identity.family;
                families.insert(family.clone());
                let sent = row
                    .steps
                    .iter()
                    .filter(|(mark, _)| matches!(mark, '>' | '!'));
                for form in sent.flat_map(|(_, text)| forms_of(text)) {
                    seen.insert((form, family.clone()));
                }
            }
        }
    }
    let wanted = fs::read_to_string(folder.join("commands.txt")).unwrap();
    let wanted: Vec<&str> = wanted
        .lines()
        .filter(|line| !line.starts_with('#'))
        .flat_map(str::split_whitespace)
        .collect();
    assert!(wanted.len() > 200, "only {} forms", wanted.len());
    assert_eq!(families.len(), 5, "{families:?}");
    let missing: Vec<String> = wanted
        .iter()
        .flat_map(|form| families.iter().map(move |family| (form, family)))
        .filter(|(form, family)| !seen.contains(&((**form).to_owned(), (*family).clone())))
        .map(|(form, family)| format!("AT{form} on {family}"))
        .collect();
    assert!(missing.is_empty(), "no row for:\n{}", missing.join("\n"));
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
        if !is_table(&name) {
            continue;
        }
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
