//! What the doctor says about a failed run of this program.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use quectel_doctor::{Confidence, Finding, Severity, diagnose};
use quectel_serial::{Event, Notice, Reason, Warning};

/// Bytes of the conversation that are kept: its beginning, where the settings are, and its end, where it failed.
const KEPT: usize = 512 * 1024;

/// Findings that are shown; the likeliest come first, and a long list helps nobody.
const SHOWN: usize = 2;

/// The conversation of a run, without secrets: a recorder of the trace, which writes whole lines.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recording(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    /// The firmware cannot send the server's name.
    no_sni: bool,
    /// The user chose the root certificate.
    own_root: bool,
    beginning: Vec<u8>,
    end: Vec<u8>,
}

impl Write for Recording {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.keep(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Recording {
    /// A recording of a run with the user's own root certificate, or with the one for Azure.
    pub(crate) fn with_own_root(own_root: bool) -> Self {
        let kept = Kept {
            own_root,
            ..Kept::default()
        };
        Self(Arc::new(Mutex::new(kept)))
    }

    /// What the driver tells besides the conversation.
    pub(crate) fn notice(&self, notice: &Notice<'_>) {
        if let Notice::Event { event, .. } = notice
            && let Event::Warning(Warning::NoSni) = event
        {
            self.0.lock().unwrap_or_else(PoisonError::into_inner).no_sni = true;
        }
    }

    /// Causes that the run itself knows: the log shows settings, not what they are for.
    fn known(&self, reason: Reason) -> Vec<Diagnosis> {
        let (no_sni, own_root) = {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            (kept.no_sni, kept.own_root)
        };
        if reason != Reason::OpenFailed {
            return Vec::new();
        }
        let mut known = Vec::new();
        if no_sni {
            known.push(from_catalogue(
                "tls.sni-unsupported-fw",
                "The driver would send the name, and this firmware cannot.",
                "(update the firmware; a hub whose host has an address of its own can do without)",
            ));
        }
        if own_root {
            known.push(from_catalogue(
                "tls.ca-wrong-for-host",
                "The root of --ca is on the module, byte for byte, and the server is verified with it and nothing else.",
                "(leave --ca out for an Azure hub: DigiCert Global Root G2 is built in; otherwise give the root that signs the server)",
            ));
        }
        known
    }

    fn keep(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.beginning.len() < KEPT {
            kept.beginning.extend_from_slice(bytes);
            return;
        }
        kept.end.extend_from_slice(bytes);
        if kept.end.len() > 2 * KEPT {
            // Whole lines go.
            let rest = kept.end.split_off(KEPT);
            let from = rest.iter().position(|byte| *byte == b'\n');
            kept.end = rest.into_iter().skip(from.map_or(0, |at| at + 1)).collect();
        }
    }
}

/// A cause of a failure, as it is shown below the error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    /// Name in the catalogue.
    pub(crate) id: &'static str,
    /// `tls.clock-not-set: title (likely)`
    pub(crate) cause: String,
    /// What the conversation shows, and why that fails.
    pub(crate) message: String,
    /// What to type or do.
    pub(crate) fix: Vec<String>,
}

/// What the doctor says about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// What the conversation shows, the weightiest first.
    pub(crate) diagnoses: Vec<Diagnosis>,
    /// Ids of what else it may be.
    pub(crate) others: Vec<&'static str>,
}

impl Recording {
    /// What the conversation shows, and what else `reason` may come from.
    pub(crate) fn verdict(&self, reason: Reason) -> Verdict {
        let log = {
            let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            [kept.beginning.as_slice(), &kept.end].concat()
        };
        let report = diagnose(log.as_slice()).ok();
        let findings = report.as_ref().map_or(&[][..], |report| &report.findings);
        let ruled_out = |id: &str| {
            report.as_ref().is_some_and(|report| {
                report
                    .sessions
                    .iter()
                    .flat_map(|session| &session.ruled_out)
                    .any(|out| out.id == id)
            })
        };
        let expected = |finding: &Finding| reason.causes().contains(&finding.id);
        let mut told: Vec<&Finding> = findings
            .iter()
            .filter(|finding| match finding.severity {
                Severity::Error => true,
                Severity::Warning => expected(finding),
                _ => false,
            })
            .collect();
        told.sort_by_key(|finding| {
            (
                core::cmp::Reverse(finding.severity),
                core::cmp::Reverse(finding.confidence),
                !expected(finding),
            )
        });
        let fallback = |finding: &Finding| finding.id == "tls.handshake-failed";
        let mut diagnoses: Vec<Diagnosis> = told
            .iter()
            .filter(|finding| !fallback(finding))
            .map(|finding| diagnosis(finding))
            .collect();
        for known in self.known(reason) {
            if !diagnoses.iter().any(|told| told.id == known.id) {
                diagnoses.push(known);
            }
        }
        diagnoses.extend(
            told.iter()
                .filter(|finding| fallback(finding))
                .map(|finding| diagnosis(finding)),
        );
        diagnoses.truncate(SHOWN);
        let others = reason
            .causes()
            .iter()
            .copied()
            .filter(|id| !ruled_out(id) && !diagnoses.iter().any(|told| told.id == *id))
            .collect();
        Verdict { diagnoses, others }
    }
}

fn diagnosis(finding: &Finding) -> Diagnosis {
    let sure = match finding.confidence {
        Confidence::Certain => "certain",
        Confidence::Likely => "likely",
        Confidence::Possible => "possible",
    };
    Diagnosis {
        id: finding.id,
        cause: format!("{}: {} ({sure})", finding.id, finding.title),
        message: finding.message.clone(),
        // A command with a secret left out can neither be pasted nor does it help.
        fix: finding
            .fix
            .iter()
            .filter(|line| !line.contains("***"))
            .cloned()
            .collect(),
    }
}

fn from_catalogue(id: &'static str, detail: &str, fix: &str) -> Diagnosis {
    let cause = quectel_doctor::catalogue().find(|cause| cause.id == id);
    let (title, why) = cause.map_or(("", ""), |cause| (cause.title, cause.reason));
    Diagnosis {
        id,
        cause: format!("{id}: {title} (possible)"),
        message: format!("{detail} {why}"),
        fix: vec![fix.to_owned()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_conversation_keeps_its_beginning_and_its_end() {
        let mut recording = Recording::default();
        writeln!(recording, "first").unwrap();
        for n in 0..200_000_u32 {
            writeln!(recording, "line {n}").unwrap();
        }
        let kept = recording.0.lock().unwrap();
        assert!(kept.beginning.starts_with(b"first\n") && kept.end.ends_with(b"line 199999\n"));
        assert!(kept.beginning.len() + kept.end.len() <= 3 * KEPT + 100);
        assert!(kept.end.starts_with(b"line "), "no half line");
    }
}
