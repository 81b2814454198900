//! PEM text that stands in a log: what it is, without keeping it.

use quectel_file::Checksum;

use super::files::{RootFile, recognise};
use crate::mask::Quote;
use crate::read::Ending;

/// A PEM block that stood in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PemSeen {
    /// `CERTIFICATE`, `RSA PRIVATE KEY`.
    pub(crate) label: String,
    pub(crate) encrypted: bool,
    pub(crate) complete: bool,
    /// A byte-order mark or other text stood before BEGIN on its line.
    pub(crate) garbage_before: bool,
    /// All of it stood on one line of the log, its line ends spelt `\n`.
    pub(crate) one_line: bool,
    pub(crate) ending: Ending,
    /// Size and checksum with LF.
    pub(crate) size: u64,
    pub(crate) checksum: u16,
    pub(crate) quote: Quote,
}

impl PemSeen {
    pub(crate) fn root(&self) -> Option<RootFile> {
        recognise(self.size, Some(self.checksum)).filter(|_| self.complete)
    }

    pub(crate) fn is_key(&self) -> bool {
        self.label.ends_with("PRIVATE KEY")
    }
}

/// Collects a block from lines of text.
#[derive(Debug, Default)]
pub(crate) struct PemCollector {
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    seen: PemSeen,
    sum: Checksum,
    first_line: u64,
    lines: u32,
}

/// A longer block is no certificate or key for a modem.
const MAX_LINES: u32 = 400;

impl PemCollector {
    /// Is a block begun?
    pub(crate) const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// Adds a line; answers whether it belongs to a block, and the block when this line ends it.
    pub(crate) fn line(
        &mut self,
        text: &str,
        number: u64,
        ending: Ending,
    ) -> (bool, Option<PemSeen>) {
        let mut rest = trim(text);
        let mut done = None;
        let mut ours = false;
        // C strings may hold several lines of the block on one line of source.
        for _ in 0..8 {
            if let Some((before, label, after)) = marker(rest, "BEGIN ") {
                ours = true;
                self.begin(label, before, number);
                rest = trim(after);
            } else if let Some((_, _, after)) = marker(rest, "END ").filter(|_| self.open.is_some())
            {
                ours = true;
                done = self.end(number);
                rest = trim(after);
            } else {
                let body = rest.split(['"', '\'']).next().map(trim).unwrap_or_default();
                ours |= self.body(body, ending);
                return (ours, done);
            }
            if rest.is_empty() {
                break;
            }
        }
        (ours, done)
    }

    /// Gives up a block that other traffic interrupted.
    pub(crate) fn abandon(&mut self) -> Option<PemSeen> {
        self.open.take().map(|open| open.seen)
    }

    fn begin(&mut self, label: &str, before: &str, number: u64) {
        let mut sum = Checksum::new();
        let header = format!("-----BEGIN {label}-----\n");
        sum.update(header.as_bytes());
        let seen = PemSeen {
            label: label.to_owned(),
            encrypted: label.starts_with("ENCRYPTED"),
            complete: false,
            garbage_before: before.contains('\u{EF}') || before.contains('\u{FEFF}'),
            one_line: false,
            ending: Ending::Unknown,
            size: header.len() as u64,
            checksum: 0,
            quote: Quote::new(number, &format!("-----BEGIN {label}-----")),
        };
        self.open = Some(Open {
            seen,
            sum,
            first_line: number,
            lines: 0,
        });
    }

    fn end(&mut self, number: u64) -> Option<PemSeen> {
        let mut open = self.open.take()?;
        let footer = format!("-----END {}-----\n", open.seen.label);
        open.sum.update(footer.as_bytes());
        open.seen.size += footer.len() as u64;
        open.seen.checksum = open.sum.value();
        open.seen.complete = open.lines > 0;
        open.seen.one_line = open.first_line == number;
        Some(open.seen)
    }

    fn body(&mut self, text: &str, ending: Ending) -> bool {
        let Some(open) = &mut self.open else {
            return false;
        };
        if text.is_empty() {
            return true;
        }
        if text.contains("ENCRYPTED") {
            open.seen.encrypted = true;
            return true;
        }
        let base64 = text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'='));
        if !base64 || open.lines >= MAX_LINES {
            // A comment between the lines of a C array is no end yet.
            return text.contains(':') || text.starts_with('<');
        }
        open.lines += 1;
        if ending != Ending::Unknown {
            open.seen.ending = ending;
        }
        open.sum.update(text.as_bytes());
        open.sum.update(b"\n");
        open.seen.size += text.len() as u64 + 1;
        true
    }
}

fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| {
        c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';' | '\\' | '+' | '>' | '(' | ')')
    })
}

/// `-----BEGIN CERTIFICATE-----` with any number of dashes: forums join them.
fn marker<'a>(text: &'a str, word: &str) -> Option<(&'a str, &'a str, &'a str)> {
    let at = text.find(word)?;
    let before = text.get(..at)?;
    if !before.ends_with('-') {
        return None;
    }
    let rest = text.get(at + word.len()..)?;
    let dash = rest.find('-')?;
    let label = rest.get(..dash)?.trim();
    let known = label.len() <= 40
        && label
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b == b' ' || b.is_ascii_digit());
    known.then(|| {
        (
            before.trim_end_matches('-'),
            label,
            rest.get(dash..).unwrap_or_default().trim_start_matches('-'),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn collect(text: &str, ending: Ending) -> Option<PemSeen> {
        let mut collector = PemCollector::default();
        text.lines()
            .zip(1..)
            .find_map(|(line, number)| collector.line(line, number, ending).1)
    }

    fn g2() -> &'static str {
        core::str::from_utf8(azure_auth::roots::DIGICERT_GLOBAL_ROOT_G2_PEM).unwrap()
    }

    #[test]
    fn a_block_is_recognised_in_every_dress() {
        let quoted: String = g2().lines().map(|line| format!("  \"{line}\"\n")).collect();
        let commented = g2().replacen('\n', "\n// the root: for Azure\n", 1);
        for text in [g2(), &quoted, &commented, &g2().replace("-----", "---")] {
            let seen = collect(text, Ending::CrLf).unwrap();
            assert_eq!(
                seen.root().map(|file| file.root.name),
                Some("DigiCert Global Root G2"),
                "{text}"
            );
            assert_eq!(seen.ending, Ending::CrLf);
        }
    }

    #[test]
    fn keys_are_known_by_their_label() {
        let seen = collect(
            "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nAAAA\n-----END RSA PRIVATE KEY-----",
            Ending::Unknown,
        );
        let seen = seen.unwrap();
        assert!(seen.is_key() && seen.encrypted && seen.root().is_none());
        assert!(collect("the BEGIN of it", Ending::Unknown).is_none());
    }
}
