//! No input makes the doctor panic, and memory and time stay within bounds.

#![expect(
    clippy::unwrap_used,
    reason = "a test stops at the first thing that is not as it should be"
)]

use std::fs;
use std::io::{BufReader, Read};
use std::path::Path;

use proptest::collection::vec;
use proptest::prelude::*;
use quectel_doctor::{Color, diagnose_at};

const TODAY: i64 = 1_795_305_600;

/// Pieces of real traffic, to be shuffled, cut and glued.
fn corpus_lines() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let mut lines = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|extension| extension == "txt") {
            let text = fs::read(path).unwrap();
            lines.extend(String::from_utf8_lossy(&text).lines().map(str::to_owned));
        }
    }
    lines
}

fn run(bytes: &[u8]) {
    if let Ok(report) = diagnose_at(bytes, TODAY) {
        let _ = report.to_text(Color::On);
        let _ = report.to_json();
        for finding in &report.findings {
            assert!(!finding.message.is_empty());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_read(bytes in vec(any::<u8>(), 0..2000)) {
        run(&bytes);
    }

    #[test]
    fn any_text_with_commands_in_it_is_read(text in "(AT|\\+QMTOPEN|\\+QMTCFG|=|\\?|:|,|\"|[0-9]|-|<CR>|\\\\r|OK|ERROR|>|\r|\n|[a-z]| |\u{201C}|é){0,200}") {
        run(text.as_bytes());
    }

    #[test]
    fn shuffled_and_cut_lines_are_read(picks in vec((any::<prop::sample::Index>(), 0_usize..200, any::<bool>()), 0..120)) {
        let lines = corpus_lines();
        let mut text = String::new();
        for (index, cut, newline) in picks {
            let line: String = index.get(&lines).chars().take(cut).collect();
            text.push_str(&line);
            if newline {
                text.push('\n');
            }
        }
        run(text.as_bytes());
    }
}

/// A session of one client that opens and fails for ever.
struct Endless {
    block: Vec<u8>,
    at: usize,
    left: usize,
}

impl Read for Endless {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        let n = buf.len().min(self.left).min(self.block.len() - self.at);
        let from = self.block.get(self.at..self.at + n).unwrap_or_default();
        buf.get_mut(..n).unwrap_or_default().copy_from_slice(from);
        self.at = (self.at + n) % self.block.len();
        self.left -= n;
        Ok(n)
    }
}

#[test]
fn a_long_log_is_read_with_bounded_memory() {
    let block = b"[2026-01-01_00:00:00:000]AT+QSSLCFG=\"seclevel\",2,1\r\n[2026-01-01_00:00:00:010]OK\r\n\
                  [2026-01-01_00:00:00:020]AT+QMTCFG=\"ssl\",0,1,2\r\n[2026-01-01_00:00:00:030]OK\r\n\
                  [2026-01-01_00:00:01:000]AT+QMTOPEN=0,\"contoso.azure-devices.net\",8883\r\n\
                  [2026-01-01_00:00:01:010]OK\r\n[2026-01-01_00:00:04:000]+QMTOPEN: 0,-1\r\n"
        .to_vec();
    let log = Endless {
        block,
        at: 0,
        left: 8 * 1024 * 1024,
    };
    let report = diagnose_at(BufReader::new(log), TODAY).unwrap();
    assert!(
        report
            .findings
            .iter()
            .any(|finding| finding.id == "tls.seclevel-needs-ca")
    );
    assert!(
        report
            .findings
            .iter()
            .all(|finding| finding.lines.len() <= 8)
    );
    assert!(
        report
            .sessions
            .iter()
            .any(|session| session.notes.iter().any(|note| note.contains("left out")))
    );
}

#[test]
fn secrets_are_masked_everywhere() {
    let log = "AT+QMTCFG=\"ssl\",0,1,2\nOK\nAT+QSSLCFG=\"seclevel\",2,1\nOK\n\
               AT+QMTOPEN=0,\"contoso.azure-devices.net\",8883\nOK\n+QMTOPEN: 0,0\n\
               AT+QMTCONN=0,\"d1\",\"contoso.azure-devices.net/d1/?api-version=2021-04-12\",\"HostName=contoso.azure-devices.net;DeviceId=d1;SharedAccessKey=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI=\"\nOK\n\
               +QMTCONN: 0,0,5\n\
               AT+QMTCONN=0,\"d1\",\"alice\",\"hunter22\"\nERROR\nAT+CPIN=4711\nERROR\n";
    let report = diagnose_at(log.as_bytes(), TODAY).unwrap();
    let all = report.to_text(Color::Off) + &report.to_json();
    assert!(all.contains("az.password-is-connection-string"), "{all}");
    for secret in ["c2VjcmV0", "hunter22", "alice", "4711"] {
        assert!(!all.contains(secret), "{secret} in {all}");
    }
}

#[test]
fn what_is_no_log_is_an_error() {
    for text in [
        "",
        "\n\n",
        "Dear all,\nthis is a letter about the weather.\n",
    ] {
        let error = diagnose_at(text.as_bytes(), TODAY).unwrap_err();
        assert_eq!(error.name(), "not-a-log", "{text:?}");
    }
    let picture: Vec<u8> = (0..4096_u32)
        .map(|n| u8::try_from(n * 7919 % 251).unwrap_or(0))
        .collect();
    let error = diagnose_at(picture.as_slice(), TODAY).unwrap_err();
    assert_eq!(error.name(), "not-text");
}
