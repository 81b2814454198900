//! The causes: one row each, with its rule, and the engine that asks them all.

mod aws;
mod azure;
mod azure_identity;
mod azure_token;
mod case;
mod dps;
mod file_contents;
mod file_pair;
mod file_store;
mod firmware;
mod mqtt_connect;
mod mqtt_publish;
mod mqtt_session;
mod network;
mod network_open;
mod syntax;
mod tls_context;
mod tls_handshake;
mod tls_name;
mod tls_settings;
mod tls_trust;
mod transport;

use serde::Serialize;

use crate::mask::Quote;
use crate::session::Session;

pub(crate) use self::case::{Case, Variables};

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(
    clippy::exhaustive_enums,
    reason = "the three grades of the JSON schema"
)]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// It will bite, or it may be the cause.
    Warning,
    /// It explains a failure in this log.
    Error,
}

/// How sure a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
#[expect(
    clippy::exhaustive_enums,
    reason = "the three grades of the JSON schema"
)]
pub enum Confidence {
    /// One of several explanations.
    Possible,
    /// The best explanation of what the log shows.
    Likely,
    /// The log proves it.
    Certain,
}

/// A cause in the catalogue.
#[derive(Debug)]
#[non_exhaustive]
pub struct Cause {
    /// Stable name: `tls.sni-missing`.
    pub id: &'static str,
    /// One line.
    pub title: &'static str,
    /// Its usual severity; a finding may be milder.
    pub severity: Severity,
    /// What the user sees.
    pub symptom: &'static str,
    /// Why it happens, in one or two sentences.
    pub reason: &'static str,
    /// Commands that show it on a live module, without changing anything.
    pub check: &'static [&'static str],
    /// Commands that cure it; `{ssl}`, `{client}`, `{host}` and the like are filled in from the log.
    pub fix: &'static [&'static str],
    /// Where it was seen.
    pub sources: &'static [&'static str],
    pub(crate) rule: Rule,
}

/// How a cause is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Rule {
    /// In every connection by itself.
    Attempt(fn(&Case<'_>) -> Option<Evidence>),
    /// In every connection, after all other causes: what is left when nothing specific was found.
    Fallback(fn(&Case<'_>) -> Option<Evidence>),
    /// In the session as a whole.
    Session(fn(&Context<'_>) -> Vec<Evidence>),
    /// In the session as a whole, after all other causes.
    SessionFallback(fn(&Context<'_>) -> Vec<Evidence>),
}

/// What a rule found.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    pub(crate) severity: Severity,
    pub(crate) confidence: Confidence,
    pub(crate) lines: Vec<Quote>,
    /// What the log shows, in one sentence or two.
    pub(crate) detail: String,
    /// The row's reason does not belong to what was found.
    pub(crate) bare: bool,
    /// Instead of the row's commands.
    pub(crate) fix: Option<Vec<String>>,
    /// The connection it belongs to, for the numbers in the commands.
    pub(crate) attempt: Option<usize>,
}

impl Evidence {
    pub(crate) fn new(
        severity: Severity,
        confidence: Confidence,
        detail: impl Into<String>,
    ) -> Self {
        Self {
            severity,
            confidence,
            lines: Vec::new(),
            detail: detail.into(),
            bare: false,
            fix: None,
            attempt: None,
        }
    }

    pub(crate) fn error(confidence: Confidence, detail: impl Into<String>) -> Self {
        Self::new(Severity::Error, confidence, detail)
    }

    pub(crate) fn warning(confidence: Confidence, detail: impl Into<String>) -> Self {
        Self::new(Severity::Warning, confidence, detail)
    }

    pub(crate) fn info(detail: impl Into<String>) -> Self {
        Self::new(Severity::Info, Confidence::Certain, detail)
    }

    pub(crate) fn at(mut self, quotes: impl IntoIterator<Item = Quote>) -> Self {
        self.lines.extend(quotes);
        self
    }

    pub(crate) fn quoting<'q>(self, quotes: impl IntoIterator<Item = &'q Quote>) -> Self {
        self.at(quotes.into_iter().cloned())
    }

    pub(crate) fn with_fix<S: Into<String>>(mut self, fix: impl IntoIterator<Item = S>) -> Self {
        self.fix = Some(fix.into_iter().map(Into::into).collect());
        self
    }

    /// A warning at most: nothing has failed yet.
    pub(crate) fn milder(mut self) -> Self {
        self.severity = self.severity.min(Severity::Warning);
        self
    }

    pub(crate) const fn without_reason(mut self) -> Self {
        self.bare = true;
        self
    }

    pub(crate) const fn of(mut self, attempt: usize) -> Self {
        self.attempt = Some(attempt);
        self
    }
}

/// A cause that was found, with all that speaks for it.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) cause: &'static Cause,
    pub(crate) evidence: Evidence,
    /// Connections in which it was found.
    pub(crate) attempts: Vec<usize>,
}

/// What a rule may look at.
pub(crate) struct Context<'a> {
    pub(crate) session: &'a Session,
    pub(crate) found: &'a [Found],
    /// By connection; see [`case::References`].
    pub(crate) references: &'a [Option<(usize, Vec<String>)>],
    /// Today in unix seconds.
    pub(crate) now_unix_s: i64,
}

impl Context<'_> {
    pub(crate) fn has(&self, id: &str) -> bool {
        self.found.iter().any(|found| found.cause.id == id)
    }

    /// An error was found in the session.
    pub(crate) fn has_error(&self) -> bool {
        self.found
            .iter()
            .any(|found| found.evidence.severity == Severity::Error)
    }
}

/// All causes, the most frequent and most hidden first.
pub(crate) fn causes() -> impl Iterator<Item = &'static Cause> {
    [
        tls_name::CAUSES,
        tls_context::CAUSES,
        tls_trust::CAUSES,
        file_contents::CAUSES,
        file_pair::CAUSES,
        file_store::CAUSES,
        tls_settings::CAUSES,
        tls_handshake::CAUSES,
        azure_token::CAUSES,
        azure_identity::CAUSES,
        azure::CAUSES,
        dps::CAUSES,
        aws::CAUSES,
        syntax::CAUSES,
        mqtt_connect::CAUSES,
        mqtt_session::CAUSES,
        mqtt_publish::CAUSES,
        network_open::CAUSES,
        network::CAUSES,
        transport::CAUSES,
        firmware::CAUSES,
    ]
    .into_iter()
    .flatten()
}

/// Asks every rule about a session.
pub(crate) fn examine(session: &Session, now_unix_s: i64) -> Vec<Found> {
    let references = case::references(session);
    let mut found: Vec<Found> = Vec::new();
    for last in [false, true] {
        for cause in causes() {
            let context = Context {
                session,
                found: &found,
                references: &references,
                now_unix_s,
            };
            for evidence in ask(cause, last, &context) {
                add(&mut found, cause, evidence);
            }
        }
    }
    roots_first(&mut found);
    found
}

/// Faults that bring others with them, by the beginnings of their names: no SIM, no network; no network, no address.
const ROOT_CAUSES: &[(&str, &[&str])] = &[
    ("net.sim-not-ready", &["net.", "tls."]),
    (
        "net.registration-denied",
        &["net.apn", "net.pdp", "net.dns", "tls."],
    ),
    (
        "net.no-signal",
        &["net.not", "net.apn", "net.pdp", "net.dns", "tls."],
    ),
    (
        "net.not-registered",
        &["net.apn", "net.pdp", "net.dns", "tls."],
    ),
    ("net.apn-missing-or-wrong", &["net.pdp", "net.dns"]),
    ("net.pdp-dropped", &["mqtt."]),
    ("fw.reset-or-brownout", &["tls.", "mqtt."]),
    ("syn.smart-quotes", &["tls.", "mqtt.", "file."]),
    ("fw.dialect", &["tls.", "file."]),
    ("file.length-mismatch", &["tls.ca", "tls.handshake"]),
    ("az.sas-truncated", &["az.sas"]),
    ("tls.sni-unsupported-fw", &["tls.sni-missing"]),
];

/// The weightiest first; among errors the one that explains the others, whatever is surer.
fn roots_first(found: &mut [Found]) {
    let is_error = |found: &Found| found.evidence.severity == Severity::Error;
    let brought = |root: &Found, other: &Found| {
        let consequences = ROOT_CAUSES.iter().find(|(id, _)| *id == root.cause.id);
        let named =
            |(_, all): &(&str, &[&str])| all.iter().any(|id| other.cause.id.starts_with(id));
        other.cause.id != root.cause.id && is_error(other) && consequences.is_some_and(named)
    };
    let surest = |root: &Found| {
        let all = found
            .iter()
            .filter(|other| is_error(root) && brought(root, other));
        all.map(|other| other.evidence.confidence).max()
    };
    let surest: Vec<Option<Confidence>> = found.iter().map(surest).collect();
    for (root, surest) in found.iter_mut().zip(surest) {
        let own = root.evidence.confidence;
        root.evidence.confidence = own.max(surest.unwrap_or(own));
    }
    let rank = |id: &str| {
        let root = ROOT_CAUSES.iter().position(|(root, _)| *root == id);
        (
            root.unwrap_or(usize::MAX),
            causes().position(|cause| cause.id == id),
        )
    };
    found.sort_by_key(|found| {
        let evidence = &found.evidence;
        (
            core::cmp::Reverse(evidence.severity),
            core::cmp::Reverse(evidence.confidence),
            rank(found.cause.id),
        )
    });
}

fn ask(cause: &'static Cause, last: bool, context: &Context<'_>) -> Vec<Evidence> {
    let rule = match (cause.rule, last) {
        (Rule::Session(rule), false) | (Rule::SessionFallback(rule), true) => {
            return rule(context);
        }
        (Rule::Attempt(rule), false) | (Rule::Fallback(rule), true) => rule,
        _ => return Vec::new(),
    };
    let attempts = context.session.attempts.iter().enumerate();
    let cases = attempts.map(|(index, attempt)| Case::new(context, index, attempt));
    cases
        .filter_map(|case| rule(&case).map(|evidence| evidence.of(case.index)))
        .collect()
}

/// Lines of the log that one finding quotes at most.
const MAX_LINES: usize = 8;

fn add(found: &mut Vec<Found>, cause: &'static Cause, evidence: Evidence) {
    if let Some(known) = found.iter_mut().find(|known| known.cause.id == cause.id) {
        let same_attempt =
            evidence.attempt.is_none() || known.attempts.last() == evidence.attempt.as_ref();
        known.attempts.extend(evidence.attempt);
        let weight = |evidence: &Evidence| (evidence.severity, evidence.confidence);
        let mut lines = core::mem::take(&mut known.evidence.lines);
        lines.extend(evidence.lines.iter().cloned());
        if weight(&evidence) > weight(&known.evidence) {
            known.evidence = evidence;
        } else if same_attempt && !known.evidence.detail.contains(&evidence.detail) {
            known.evidence.detail.push(' ');
            known.evidence.detail.push_str(&evidence.detail);
        }
        known.evidence.lines = tidy(lines);
    } else {
        let attempts = evidence.attempt.into_iter().collect();
        let lines = tidy(evidence.lines.clone());
        found.push(Found {
            cause,
            evidence: Evidence { lines, ..evidence },
            attempts,
        });
    }
}

/// In the order of the log, each line once, not too many; a line that nobody saw has number 0.
fn tidy(mut lines: Vec<Quote>) -> Vec<Quote> {
    lines.retain(|quote| quote.number > 0);
    lines.sort_by_key(|quote| quote.number);
    lines.dedup_by_key(|quote| quote.number);
    if lines.len() > MAX_LINES {
        let last = lines.pop();
        lines.truncate(MAX_LINES - 1);
        lines.extend(last);
    }
    lines
}
