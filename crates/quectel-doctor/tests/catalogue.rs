//! The page of the documentation is written from the rows of the catalogue.

use std::fs;
use std::path::Path;

use quectel_doctor::{catalogue, to_markdown};

#[test]
fn the_page_of_causes_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/causes.md");
    let page = to_markdown();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(&path, &page).expect("docs/causes.md can be written");
    }
    let known = fs::read_to_string(&path).unwrap_or_default();
    assert!(
        known == page,
        "docs/causes.md is out of date: UPDATE_GOLDEN=1 cargo test -p quectel-doctor writes it"
    );
}

#[test]
fn every_cause_of_the_corpus_is_in_the_catalogue() {
    let text = include_str!("corpus/expected.json");
    let known: Vec<&str> = catalogue().map(|cause| cause.id).collect();
    let corpus: serde_json::Value = serde_json::from_str(text).expect("expected.json is JSON");
    let files = corpus
        .get("files")
        .and_then(|files| files.as_object())
        .expect("a table of files");
    for (name, file) in files {
        for list in ["expect", "allow", "forbid"] {
            for id in file
                .get(list)
                .and_then(|list| list.as_array())
                .into_iter()
                .flatten()
            {
                let id = id.as_str().unwrap_or_default();
                assert!(known.contains(&id), "{name}: {id}");
            }
        }
    }
}
