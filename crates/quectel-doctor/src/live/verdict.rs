//! What the answers and the experiments mean.

use super::tls::Variant;
use super::{End, Live};
use crate::diagnose_at;
use crate::mask::{Quote, mask};
use crate::report::{Finding, ModuleReport, QuotedLine, Report, RuledOut, SessionReport};
use crate::rules::{Confidence, Severity, causes};

/// A clock that is further off than this is wrong, whatever the time zone.
const CLOCK_TOLERANCE_S: i64 = 2 * 86_400;

/// What one finding is made of.
pub(super) struct Proof<'p> {
    pub(super) id: &'p str,
    pub(super) severity: Severity,
    pub(super) confidence: Confidence,
    /// Steps that show it.
    pub(super) keys: Vec<String>,
    pub(super) detail: String,
    /// Instead of the catalogue's commands.
    pub(super) fix: Vec<String>,
}

impl<'p> Proof<'p> {
    pub(super) fn error(id: &'p str, keys: &[&str], detail: impl Into<String>) -> Self {
        Self {
            id,
            severity: Severity::Error,
            confidence: Confidence::Certain,
            keys: keys.iter().map(|key| (*key).to_owned()).collect(),
            detail: detail.into(),
            fix: Vec::new(),
        }
    }

    pub(super) fn likely(self) -> Self {
        Self {
            confidence: Confidence::Likely,
            ..self
        }
    }

    pub(super) fn warning(self) -> Self {
        Self {
            severity: Severity::Warning,
            ..self
        }
    }

    pub(super) fn fix<S: Into<String>>(self, fix: impl IntoIterator<Item = S>) -> Self {
        Self {
            fix: fix.into_iter().map(Into::into).collect(),
            ..self
        }
    }
}

pub(super) fn report(live: &Live, today_unix_s: i64) -> Report {
    let mut proofs = live.network_proofs();
    proofs.extend(live.tls_proofs(today_unix_s));
    let mut findings: Vec<Finding> = proofs
        .iter()
        .filter_map(|proof| finding(live, proof))
        .collect();
    let log = diagnose_at(live.plain_log().as_bytes(), today_unix_s).ok();
    let (log_findings, sessions) = log.map_or_else(
        || (Vec::new(), Vec::new()),
        |report| (report.findings, report.sessions),
    );
    let failed = findings.iter().any(|f| f.severity == Severity::Error);
    let tried = live.has(&Variant::AsSet.key());
    for found in log_findings {
        let known = findings.iter().any(|f| f.id == found.id);
        // An experiment knows better than a conclusion.
        let decided =
            tried && found.id.starts_with("tls.") || failed && found.id.starts_with("net.");
        if !known && !decided {
            findings.push(Finding {
                session: 0,
                ..found
            });
        }
    }
    findings.sort_by_key(|f| {
        (
            core::cmp::Reverse(f.severity),
            core::cmp::Reverse(f.confidence),
        )
    });
    let module = sessions
        .iter()
        .rev()
        .find(|session| session.module.model.is_some())
        .map_or_else(ModuleReport::default, |session| session.module.clone());
    let session = SessionReport {
        module,
        outcome: live.outcome(&findings),
        first_line: 1,
        last_line: live.count,
        ruled_out: live.ruled_out(),
        notes: live.notes(),
    };
    Report {
        findings,
        sessions: vec![session],
        lines_read: live.count,
    }
}

fn finding(live: &Live, proof: &Proof<'_>) -> Option<Finding> {
    let cause = causes().find(|cause| cause.id == proof.id)?;
    let mut lines = Vec::new();
    for heard in proof.keys.iter().filter_map(|key| live.get(key)) {
        let last = heard.lines.len();
        let mut quote = |number: u64, text: &str| {
            lines.push(QuotedLine {
                number,
                text: Quote::new(number, text).masked(),
            });
        };
        quote(heard.number, &heard.text);
        // What it said, without the result code behind it.
        let said = heard
            .lines
            .iter()
            .rposition(|line| line != "OK")
            .map_or(last, |at| at + 1);
        if let Some(text) = said.checked_sub(1).and_then(|at| heard.lines.get(at)) {
            quote(heard.number + said as u64, text);
        }
    }
    lines.sort_by_key(|line| line.number);
    lines.dedup();
    Some(Finding {
        id: cause.id,
        title: cause.title,
        severity: proof.severity,
        confidence: proof.confidence,
        lines,
        message: mask(&format!("{} {}", proof.detail, cause.reason)),
        // Made from names of settings, files and hosts: there is nothing to mask.
        fix: proof.fix.clone(),
        session: 0,
    })
}

impl Live {
    /// The conversation without the experiments, whose lines are empty so that the numbers stay.
    fn plain_log(&self) -> String {
        let mut text = String::new();
        for heard in &self.heard {
            for line in core::iter::once(&heard.text).chain(&heard.lines) {
                if heard.plain {
                    text.push_str(line);
                }
                text.push('\n');
            }
        }
        text
    }

    fn outcome(&self, findings: &[Finding]) -> String {
        let first = findings.first().filter(|f| f.severity == Severity::Error);
        if let Some(first) = first {
            return format!("fault found: {}", first.id);
        }
        if self.tls_works_as_set() || self.result("mqtt-open", "+QMTOPEN") == Some(0) {
            return "every experiment succeeded".to_owned();
        }
        if self.tcp_works() {
            return "the host is reached; TLS was not tried".to_owned();
        }
        "read only, nothing was tried".to_owned()
    }

    fn ruled_out(&self) -> Vec<RuledOut> {
        let mut all = Vec::new();
        let mut add = |id: &'static str, reason: String| all.push(RuledOut { id, reason });
        if self.sim_is_ready() == Some(true) {
            add("net.sim-not-ready", "the SIM is ready".to_owned());
        }
        if self.is_registered() {
            add(
                "net.not-registered",
                "the module is on the network".to_owned(),
            );
        }
        if let (Some(host), Some(address)) = (&self.options.host, self.resolved()) {
            add("net.dns-failed", format!("{host} is {address}"));
        }
        if self.tcp_works() {
            let port = self.options.port;
            add(
                "net.port-blocked",
                format!("a TCP connection to port {port} opens"),
            );
        }
        if self.tls_works_as_set() {
            add(
                "tls.handshake-failed",
                "the handshake succeeds with the module's own settings".to_owned(),
            );
        }
        let variants: [(Variant, &'static str, &str); 3] = [
            (
                Variant::Name,
                "tls.sni-missing",
                "sending the name does not help",
            ),
            (
                Variant::Dates,
                "tls.clock-not-set",
                "ignoring the dates does not help",
            ),
            (
                Variant::Versions,
                "tls.version-too-old",
                "offering every version does not help",
            ),
        ];
        for (variant, id, reason) in variants {
            if self.has(&variant.key()) && !self.works(variant) {
                add(id, reason.to_owned());
            }
        }
        all
    }

    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.stopped {
            notes.push(
                "The examination was ended early; what it had changed was put back.".to_owned(),
            );
        }
        if self.options.host.is_none() {
            notes.push("No host was given, so no connection was tried.".to_owned());
        } else if !self.has("dns") && self.is_registered() && !self.has("pdp-on") {
            notes.push("Only reads were allowed, so no connection was tried.".to_owned());
        }
        for (item, was, now) in self.not_restored() {
            let spare = self.spare().unwrap_or_default();
            notes.push(format!(
                "The setting \"{item}\" of SSL context {spare} was \"{was}\" and is \"{now}\": the module refused to take \
                 it back. A restart of the module sets the factory value."
            ));
        }
        if self.tcp_works() && !self.client_is_free() {
            notes.push(format!(
                "MQTT client {} is in use, so it was not tried.",
                self.options.client
            ));
        }
        notes
    }

    /// Days between the module's clock and today, if that is too much.
    pub(super) fn wrong_clock(&self, today_unix_s: i64) -> Option<i64> {
        let off = (self.clock()? - today_unix_s).abs();
        (off > CLOCK_TOLERANCE_S).then_some(off / 86_400)
    }

    /// What the module said to a step that it refused.
    pub(super) fn refusal(&self, key: &str) -> String {
        match self.get(key).map(|heard| &heard.end) {
            Some(End::Error(text)) => format!("the module answered {text}"),
            Some(End::Silent) => "the module did not answer in time".to_owned(),
            _ => "the module did not say why".to_owned(),
        }
    }
}
