//! Shared parts of the end-to-end tests.

#![allow(
    clippy::exhaustive_enums,
    clippy::panic,
    reason = "support of tests, which fail by panicking and match every event"
)]

pub mod exchange;
pub mod host;
pub mod transcript;
pub mod world;

use std::path::{Path, PathBuf};

/// The root of the repository.
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("..")
        .canonicalize()
        .expect("the tests lie in the repository")
}

/// Compares `text` with a committed file; `UPDATE_GOLDEN=1` writes the file instead.
///
/// # Panics
/// If they differ, with the command that updates the file.
pub fn golden(file: &str, text: &str) {
    let path = root().join(file);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(&path, text).expect("the file can be written");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == text,
        "{file} is not what the code says; look at the change and run UPDATE_GOLDEN=1 cargo test"
    );
}

/// The examples of README.md, compiled.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub struct Readme;
