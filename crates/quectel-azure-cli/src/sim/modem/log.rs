//! `--log`: what passes the AT port of a simulated module, line by line.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use quectel_sim::run::Control;
use quectel_sim::{LogEntry, LogKind};

use crate::complaint::{Complaint, scrub};
use crate::console::Console;

/// Commands with secrets, and which of their parameters they are.
const SECRETS: [(&str, &[usize]); 5] = [
    ("AT+QMTCONN=", &[3]),
    ("AT+QICSGP=", &[4]),
    ("+QICSGP: ", &[3]),
    ("AT+CPIN=", &[0, 1]),
    ("AT+CLCK=", &[2]),
];

pub(super) struct LogFile {
    path: PathBuf,
    /// Nothing for standard output.
    file: Option<BufWriter<File>>,
    written: u64,
}

impl LogFile {
    pub(super) fn open(path: &Path) -> Result<Self, Complaint> {
        let file = if path == Path::new("-") {
            None
        } else {
            let file = File::create(path).map_err(|e| failed(path, &e))?;
            Some(BufWriter::new(file))
        };
        Ok(Self {
            path: path.to_path_buf(),
            file,
            written: 0,
        })
    }

    /// Writes what has come since the last time.
    pub(super) fn write(
        &mut self,
        control: &Control,
        console: &mut Console<'_>,
    ) -> Result<(), Complaint> {
        let (count, entries) = control.with(|module| {
            let new: Vec<LogEntry> = module.log_after(self.written).cloned().collect();
            (module.log_count(), new)
        });
        self.written = count;
        if entries.is_empty() {
            return Ok(());
        }
        let to: &mut dyn Write = match &mut self.file {
            Some(file) => file,
            None => console.out,
        };
        let done = entries
            .iter()
            .try_for_each(|entry| writeln!(to, "{}", line(entry)))
            .and_then(|()| to.flush());
        match done {
            // Whoever read the standard output is gone.
            Err(e) if self.file.is_some() => Err(failed(&self.path, &e)),
            _ => Ok(()),
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> Complaint {
    Complaint::usage(format!("cannot write the log {}: {error}", path.display()))
}

fn line(entry: &LogEntry) -> String {
    let mark = match entry.kind {
        LogKind::Command => '>',
        LogKind::Reply => '<',
        LogKind::Urc => '!',
        LogKind::UrcElsewhere => '?',
        _ => '#',
    };
    let (seconds, ms) = (entry.at_ms / 1000, entry.at_ms % 1000);
    let text: String = masked(&entry.text)
        .chars()
        .flat_map(|c| {
            let escaped = c.is_control().then(|| c.escape_default());
            let plain = (!c.is_control()).then_some(c);
            escaped.into_iter().flatten().chain(plain)
        })
        .collect();
    format!("{seconds:>6}.{ms:03} {mark} {text}")
}

/// The line without passwords, PINs and tokens.
fn masked(text: &str) -> String {
    let text = scrub(text);
    let Some((mark, wanted)) = SECRETS.iter().find(|(mark, _)| {
        text.get(..mark.len())
            .is_some_and(|head| head.eq_ignore_ascii_case(mark))
    }) else {
        return text;
    };
    let start = mark.find(['=', ' ']).map_or(mark.len(), |at| at + 1);
    let (head, parameters) = text.split_at(start);
    let mut out = head.to_owned();
    let (mut at, mut quoted) = (0, false);
    for c in parameters.chars() {
        quoted ^= c == '"';
        if c == ',' && !quoted {
            at += 1;
            out.push(c);
        } else if !wanted.contains(&at) || matches!(c, '"' | ';') {
            out.push(c);
        } else if !out.ends_with("***") {
            out.push_str("***");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_masked() {
        let cases = [
            ("AT+CSQ", "AT+CSQ"),
            (
                "AT+QMTCONN=0,\"dev\",\"hub/dev\",\"SharedAccessSignature sr=h&sig=abc%2B&se=1\"",
                "AT+QMTCONN=0,\"dev\",\"hub/dev\",\"***\"",
            ),
            (
                "at+qmtconn=0,\"a,b\",\"u\",\"p\"",
                "at+qmtconn=0,\"a,b\",\"u\",\"***\"",
            ),
            ("AT+CPIN=1234", "AT+CPIN=***"),
            ("AT+CPIN=\"1234\",\"5678\"", "AT+CPIN=\"***\",\"***\""),
            (
                "AT+QICSGP=1,1,\"apn\",\"u\",\"p\",1",
                "AT+QICSGP=1,1,\"apn\",\"u\",\"***\",1",
            ),
            (
                "+QICSGP: 1,\"apn\",\"u\",\"p\",1",
                "+QICSGP: 1,\"apn\",\"u\",\"***\",1",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(masked(text), expected);
        }
    }
}
