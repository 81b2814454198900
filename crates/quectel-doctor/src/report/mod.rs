//! What the doctor says: findings in order of weight, what was ruled out, and how it ended.

mod outcome;
mod ruled_out;
mod text;

use serde::Serialize;

use crate::rules::{Confidence, Found, Severity, Variables, examine};
use crate::session::Session;

/// A line of the log, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct QuotedLine {
    /// From 1.
    pub number: u64,
    /// The line as it stands in the log, with secrets masked and cut to 180 characters.
    pub text: String,
}

/// One cause that was found.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// Name in the catalogue: `tls.sni-missing`.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// How bad it is in this log.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// The lines that show it.
    pub lines: Vec<QuotedLine>,
    /// What the log shows, and why that fails.
    pub message: String,
    /// Commands to type, with the log's own numbers and names; a line in brackets is something to do.
    pub fix: Vec<String>,
    /// The session of [`Report::sessions`] that it belongs to, from 0.
    pub session: usize,
}

/// A cause that was looked for and excluded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct RuledOut {
    /// Name in the catalogue.
    pub id: &'static str,
    /// Why it is not the cause.
    pub reason: String,
}

/// The module of a session, as far as the log tells.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ModuleReport {
    /// `BG96`.
    pub model: Option<String>,
    /// `BG96MAR02A07M1G`.
    pub firmware: Option<String>,
    /// Modules with the same commands and habits: `EC2x/EG2x`.
    pub family: Option<&'static str>,
}

/// One session of the log.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SessionReport {
    /// Which module it is.
    pub module: ModuleReport,
    /// How it ended: `open failed -1`, `refused 5`, `success`.
    pub outcome: String,
    /// Its first line.
    pub first_line: u64,
    /// Its last line.
    pub last_line: u64,
    /// What was excluded.
    pub ruled_out: Vec<RuledOut>,
    /// What is worth knowing besides.
    pub notes: Vec<String>,
}

/// All that the doctor has to say about a log.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Report {
    /// Findings of all sessions, the weightiest first.
    pub findings: Vec<Finding>,
    /// The sessions, in the order of the log.
    pub sessions: Vec<SessionReport>,
    /// Lines that were read.
    pub lines_read: u64,
}

impl Report {
    pub(crate) fn of(sessions: &[Session], lines_read: u64, now_unix_s: i64) -> Self {
        let mut findings = Vec::new();
        let mut reports = Vec::new();
        for (number, session) in sessions.iter().enumerate() {
            let found = examine(session, now_unix_s);
            reports.push(session_report(session, &found, now_unix_s));
            findings.extend(found.iter().map(|found| finding(session, found, number)));
        }
        findings.sort_by_key(|finding| {
            (
                core::cmp::Reverse(finding.severity),
                core::cmp::Reverse(finding.confidence),
            )
        });
        Self {
            findings,
            sessions: reports,
            lines_read,
        }
    }

    /// The worst severity that was found; `None` when nothing was found.
    #[must_use]
    pub fn worst(&self) -> Option<Severity> {
        self.findings.iter().map(|finding| finding.severity).max()
    }

    /// The session that the report is mainly about: the first with an error, else the last.
    #[must_use]
    pub fn main_session(&self) -> Option<&SessionReport> {
        let with_error = self
            .findings
            .iter()
            .filter(|finding| finding.severity == Severity::Error);
        let index = with_error.map(|finding| finding.session).min();
        index
            .and_then(|index| self.sessions.get(index))
            .or_else(|| self.sessions.last())
    }

    /// The report for a terminal, like the messages of a compiler.
    #[must_use]
    pub fn to_text(&self, color: Color) -> String {
        text::render(self, color)
    }

    /// The report as JSON: `findings`, `module`, `outcome`, `ruled_out`, `notes`, `sessions`, `lines_read`.
    #[must_use]
    pub fn to_json(&self) -> String {
        let main = self.main_session();
        let json = Json {
            findings: &self.findings,
            module: main
                .map(|session| session.module.clone())
                .unwrap_or_default(),
            outcome: main.map_or("", |session| session.outcome.as_str()),
            ruled_out: main.map_or(&[], |session| session.ruled_out.as_slice()),
            notes: main.map_or(&[], |session| session.notes.as_slice()),
            sessions: &self.sessions,
            lines_read: self.lines_read,
        };
        // Strings, numbers and lists of them cannot fail to serialize.
        serde_json::to_string_pretty(&json).unwrap_or_default()
    }
}

/// Whether text carries terminal colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "there is no third way")]
pub enum Color {
    /// Plain text.
    Off,
    /// ANSI colours.
    On,
}

#[derive(Serialize)]
struct Json<'a> {
    findings: &'a [Finding],
    module: ModuleReport,
    outcome: &'a str,
    ruled_out: &'a [RuledOut],
    notes: &'a [String],
    sessions: &'a [SessionReport],
    lines_read: u64,
}

fn finding(session: &Session, found: &Found, number: usize) -> Finding {
    let evidence = &found.evidence;
    let variables = Variables::of(session, evidence.attempt);
    let templates: Vec<String> = match &evidence.fix {
        Some(fix) => fix.clone(),
        None => found
            .cause
            .fix
            .iter()
            .map(|line| (*line).to_owned())
            .collect(),
    };
    let message = if evidence.bare {
        evidence.detail.clone()
    } else {
        format!("{} {}", evidence.detail, found.cause.reason)
    };
    Finding {
        id: found.cause.id,
        title: found.cause.title,
        severity: evidence.severity,
        confidence: evidence.confidence,
        lines: evidence
            .lines
            .iter()
            .map(|quote| QuotedLine {
                number: quote.number,
                text: quote.masked(),
            })
            .collect(),
        message: crate::mask::mask(&message),
        fix: templates
            .iter()
            .map(|line| crate::mask::mask(&variables.fill(line)))
            .collect(),
        session: number,
    }
}

fn session_report(session: &Session, found: &[Found], now_unix_s: i64) -> SessionReport {
    let module = &session.module;
    SessionReport {
        module: ModuleReport {
            model: module.model.clone(),
            firmware: module.firmware.clone(),
            family: session.family().map(crate::session::module::Family::name),
        },
        outcome: outcome::outcome(session),
        first_line: session.first_line,
        last_line: session.last_line,
        ruled_out: ruled_out::ruled_out(session, found),
        notes: outcome::notes(session, now_unix_s),
    }
}
