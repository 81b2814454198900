//! `docs/hub.md` says what is true: its configuration can be read, and nothing is left out.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::Path;

use iothub_sim::{ConfigFile, Fault, SharedAccessKey, Throttle};

fn docs() -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hub.md");
    std::fs::read_to_string(path).unwrap()
}

fn parse(text: &str) -> Result<ConfigFile, String> {
    let seed = SharedAccessKey::from_bytes([1; 32]);
    ConfigFile::parse(text, Path::new("hub.toml"), &seed).map_err(|error| error.to_string())
}

fn example(docs: &str) -> &str {
    let (_, rest) = docs.split_once("```toml\n").unwrap();
    rest.split_once("```").unwrap().0
}

#[test]
fn the_example_is_a_configuration_with_the_defaults() {
    let docs = docs();
    let file = parse(example(&docs)).unwrap();
    let mut rules = file.config.rules.clone();
    assert_eq!(rules.throttle, Some(Throttle::s1()));
    rules.throttle = None;
    let defaults = iothub_sim::Rules::default();
    assert_eq!(format!("{rules:?}"), format!("{defaults:?}"));
    assert_eq!(file.faults.len(), 2);
    iothub_sim::Hub::new(&file.config).unwrap();
}

#[test]
fn every_key_is_in_the_example() {
    let docs = docs();
    let example = example(&docs);
    // An unknown key makes the reader list those that it knows.
    let hub = "[[hub]]\nhost = \"a.net\"\n";
    let scope = format!("{hub}[[provisioning]]\nid_scope = \"0ne1\"\n");
    let tables = [
        "zzz = 1\n".to_owned(),
        format!("{hub}zzz = 1\n"),
        format!("{hub}[tls]\nzzz = 1\n"),
        format!("{hub}[rules]\nzzz = 1\n"),
        format!("{hub}[rules.throttle]\nzzz = 1\n"),
        format!("{hub}[[hub.policy]]\nname = \"p\"\nzzz = 1\n"),
        format!("{hub}[[hub.device]]\nid = \"d\"\nzzz = 1\n"),
        format!("{scope}zzz = 1\n"),
        format!("{hub}[[fault]]\nzzz = 1\n"),
        format!("{hub}[chaos]\nzzz = 1\n"),
    ];
    let mut keys: Vec<String> =
        "device_id hubs reprovisioning initial_tags initial_desired payload failure authority"
            .split(' ')
            .map(str::to_owned)
            .collect();
    for table in &tables {
        let error = parse(table).unwrap_err();
        let (_, known) = error
            .split_once("expected ")
            .unwrap_or_else(|| panic!("{error}"));
        keys.extend(known.split('`').skip(1).step_by(2).map(str::to_owned));
    }
    assert!(keys.len() > 50, "{keys:?}");
    for key in keys {
        let set = format!("{key} =");
        let table = [format!("[{key}]"), format!("[[{key}]]"), format!(".{key}]")];
        let there = example.contains(&set) || table.iter().any(|table| example.contains(table));
        assert!(there, "{key} is not in the example");
    }
}

#[test]
fn every_fault_is_in_the_table() {
    let docs = docs();
    let (_, table) = docs
        .split_once("| fault | what happens |\n|---|---|\n")
        .unwrap();
    let faults: Vec<Fault> = table
        .lines()
        .map_while(|line| line.strip_prefix("| `"))
        .map(|line| line.split('`').next().unwrap().parse().unwrap())
        .collect();
    let error = "zzz".parse::<Fault>().unwrap_err().to_string();
    let (_, known) = error.split_once("expected one of ").unwrap();
    assert_eq!(faults.len(), known.split(", ").count(), "{known}");
}

#[test]
fn every_reason_is_in_the_table() {
    let docs = docs();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/reason/code.rs");
    let source = std::fs::read_to_string(source).unwrap();
    let codes: Vec<&str> = source
        .lines()
        .filter_map(|line| line.split_once("=> \"")?.1.strip_suffix("\","))
        .collect();
    assert!(codes.len() > 60, "{codes:?}");
    for code in codes {
        assert!(docs.contains(&format!("| `{code}` | ")), "{code}");
    }
}
