//! What passed over the UART, line by line, for tests and the control channel.

use std::collections::VecDeque;

use super::Module;

/// What a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LogKind {
    /// A command line of the host.
    Command,
    /// A line of an answer.
    Reply,
    /// An unsolicited result code.
    Urc,
    /// An unsolicited result code that went to another port.
    UrcElsewhere,
    /// Something inside the module: power, network, TLS.
    Note,
}

/// One line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEntry {
    /// The module's time, in milliseconds.
    pub at_ms: u64,
    /// What it is.
    pub kind: LogKind,
    /// The line without its end; passwords and keys stand in it as they were sent.
    pub text: String,
}

#[derive(Debug)]
pub(super) struct Log {
    entries: VecDeque<LogEntry>,
    limit: usize,
    /// How many lines were written since the start, with those that are gone.
    written: u64,
}

impl Log {
    pub(super) const fn new(limit: usize) -> Self {
        Self {
            entries: VecDeque::new(),
            limit,
            written: 0,
        }
    }
}

impl Module {
    pub(crate) fn note(&mut self, kind: LogKind, text: &[u8]) {
        if self.log.limit == 0 {
            return;
        }
        if self.log.entries.len() >= self.log.limit {
            self.log.entries.pop_front();
        }
        self.log.written += 1;
        let text = String::from_utf8_lossy(text).into_owned();
        self.log.entries.push_back(LogEntry {
            at_ms: self.now,
            kind,
            text,
        });
    }

    /// Writes a remark about the inside of the module to the log.
    pub(crate) fn remark(&mut self, text: &str) {
        self.note(LogKind::Note, text.as_bytes());
    }

    /// The log, oldest line first.
    pub fn log(&self) -> impl Iterator<Item = &LogEntry> {
        self.log.entries.iter()
    }

    /// How many lines the log has had so far: the number that [`log_after`](Self::log_after) continues from.
    #[must_use]
    pub const fn log_count(&self) -> u64 {
        self.log.written
    }

    /// The lines that came after the first so many; those that the log does not keep any more are missing.
    pub fn log_after(&self, count: u64) -> impl Iterator<Item = &LogEntry> {
        let new = usize::try_from(self.log.written.saturating_sub(count)).unwrap_or(usize::MAX);
        let old = self.log.entries.len().saturating_sub(new);
        self.log.entries.iter().skip(old)
    }

    /// Takes the log out.
    pub fn take_log(&mut self) -> Vec<LogEntry> {
        self.log.entries.drain(..).collect()
    }
}
