//! One clear error: what, where, the module's words, what to do.

use std::io::{self, Write};

use quectel_serial::quectel_azure::Misuse;
use quectel_serial::{Error, OpenError, OpenErrorKind, Reason, Step};

use crate::Status;
use crate::console::{Ink, inked};
use crate::doctor::failed::{Recording, Verdict};

/// An error as the user sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Complaint {
    pub(crate) status: Status,
    what: String,
    step: Option<String>,
    said: Option<String>,
    remedy: Option<String>,
    /// What the flow failed with.
    reason: Option<Reason>,
    /// What the doctor says about it.
    verdict: Option<Box<Verdict>>,
}

impl Complaint {
    /// Something that the user gave is wrong.
    pub(crate) fn usage(what: impl Into<String>) -> Self {
        Self {
            status: Status::Usage,
            what: what.into(),
            step: None,
            said: None,
            remedy: None,
            reason: None,
            verdict: None,
        }
    }

    /// Something went wrong.
    pub(crate) fn failure(what: impl Into<String>) -> Self {
        Self {
            status: Status::Failed,
            ..Self::usage(what)
        }
    }

    /// What is wrong, without secrets.
    pub(crate) fn what(&self) -> String {
        scrub(&self.what)
    }

    /// What to do about it, without secrets.
    pub(crate) fn todo(&self) -> String {
        self.remedy
            .as_deref()
            .map_or_else(|| "correct it".to_owned(), scrub)
    }

    /// The same for what cannot be read.
    pub(crate) fn unreadable(self) -> Self {
        Self {
            status: Status::Usage,
            ..self
        }
    }

    pub(crate) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }

    /// The same with what the doctor says about the conversation that failed.
    pub(crate) fn diagnosed(self, conversation: &Recording) -> Self {
        let verdict = self
            .reason
            .map(|reason| Box::new(conversation.verdict(reason)));
        Self { verdict, ..self }
    }

    pub(crate) fn write(&self, to: &mut dyn Write, colour: bool) -> io::Result<()> {
        writeln!(
            to,
            "{} {}",
            inked("error:", Ink::Bad, colour),
            scrub(&self.what)
        )?;
        let rows = [
            ("step:", &self.step),
            ("module said:", &self.said),
            ("what to do:", &self.remedy),
        ];
        for (label, text) in rows {
            if let Some(text) = text {
                writeln!(
                    to,
                    "  {} {}",
                    inked(format_args!("{label:<12}"), Ink::Strong, colour),
                    scrub(text)
                )?;
            }
        }
        if let Some(verdict) = &self.verdict {
            write_verdict(verdict, to, colour)?;
        }
        to.flush()
    }
}

fn write_verdict(verdict: &Verdict, to: &mut dyn Write, colour: bool) -> io::Result<()> {
    let label = |text| inked(format!("{text:<12}"), Ink::Strong, colour);
    for diagnosis in &verdict.diagnoses {
        writeln!(to, "  {} {}", label("cause:"), scrub(&diagnosis.cause))?;
        for line in wrapped(&scrub(&diagnosis.message)) {
            writeln!(to, "  {:12} {line}", "")?;
        }
        for (n, line) in diagnosis.fix.iter().enumerate() {
            let name = if n == 0 { "fix:" } else { "" };
            writeln!(to, "  {} {}", label(name), scrub(line))?;
        }
    }
    if let Some(first) = verdict.others.first() {
        let name = if verdict.diagnoses.is_empty() {
            "may be:"
        } else {
            "or else:"
        };
        writeln!(to, "  {} {}", label(name), verdict.others.join(", "))?;
        writeln!(
            to,
            "  {} quectel-azure doctor --explain {first}",
            label("explain:")
        )?;
    }
    Ok(())
}

/// Columns of a paragraph.
const WIDTH: usize = 90;

/// The words of a text on lines that fit a terminal.
pub(crate) fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > WIDTH {
            lines.push(word.to_owned());
            continue;
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines
}

/// On one line: what is wrong and what to do.
impl core::fmt::Display for Complaint {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(&scrub(&self.what))?;
        match &self.remedy {
            Some(remedy) => write!(f, "; {}", scrub(remedy)),
            None => Ok(()),
        }
    }
}

impl From<Error> for Complaint {
    fn from(error: Error) -> Self {
        let status = match &error {
            Error::Config(_) => Status::Usage,
            _ => Status::Failed,
        };
        let what = match &error {
            Error::Failed(failure) => failure.reason.to_string(),
            Error::Port { port, source, .. } => format!("port {port} failed: {source}"),
            Error::Stalled { port, .. } => format!("port {port} takes no more bytes"),
            Error::Cancelled { freed: true, .. } => {
                "cancelled; the module confirmed that it is disconnected".to_owned()
            }
            Error::Cancelled { step, .. } if *step < Step::Open => {
                "cancelled before the module was told to connect".to_owned()
            }
            Error::Cancelled { .. } => {
                "cancelled; the module did not confirm that it is disconnected".to_owned()
            }
            Error::TimeLimit { .. } => "the time limit was over before all was done".to_owned(),
            other => other.to_string(),
        };
        // The settings' own words say what to do.
        let remedy = match &error {
            Error::Misuse(misuse) => misuse_remedy(misuse),
            other => other.remedy(),
        };
        let reason = match &error {
            Error::Failed(failure) => Some(failure.reason),
            _ => None,
        };
        let remedy = (status == Status::Failed).then(|| remedy.to_owned());
        Self {
            status,
            what,
            step: error.step().map(|step| step.name().to_owned()),
            said: error.line().map(str::to_owned),
            remedy,
            reason,
            verdict: None,
        }
    }
}

/// What to do about a message that the module or the client does not take.
const fn misuse_remedy(misuse: &Misuse) -> &'static str {
    match misuse {
        Misuse::PayloadTooLong { .. } => {
            "shorten the message, or split it into several; nothing of it was sent"
        }
        Misuse::DoesNotFit => "shorten the message or its properties; nothing of it was sent",
        Misuse::PayloadByte { .. } => "encode the message, for example in base64",
        Misuse::Property => "give every property a name",
        _ => "run it again",
    }
}

impl From<OpenError> for Complaint {
    fn from(error: OpenError) -> Self {
        let complaint = match error.kind {
            OpenErrorKind::Syntax => Self::usage(error.to_string()),
            _ => Self::failure(error.to_string()),
        };
        complaint.remedy(error.remedy())
    }
}

/// What introduces a secret in a text, and what ends it.
const MARKS: &[(&str, &[char])] = &[
    ("SharedAccessKey=", &[';', '\'', '"', ' ', '\n']),
    ("sig=", &['&', ';', '\'', '"', ' ', '\n']),
    ("PRIVATE KEY-----", &['\0']),
];

/// The text without what looks like a secret, for messages that repeat what the user typed.
pub(crate) fn scrub(text: &str) -> String {
    let mut text = text.to_owned();
    for (mark, ends) in MARKS {
        let mut from = 0;
        while let Some(at) = text.get(from..).and_then(|rest| rest.find(mark)) {
            let start = from + at + mark.len();
            let rest = text.get(start..).unwrap_or_default();
            let len = rest.find(|c| ends.contains(&c)).unwrap_or(rest.len());
            if len > 0 {
                text.replace_range(start..start + len, "***");
            }
            from = start;
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use quectel_serial::FlowFailure;

    #[test]
    fn typed_secrets_are_not_repeated() {
        let cases = [
            ("no secret", "no secret"),
            (
                "unexpected 'HostName=h;SharedAccessKey=YWJj;x509=true'",
                "unexpected 'HostName=h;SharedAccessKey=***;x509=true'",
            ),
            (
                "SharedAccessKey=a SharedAccessKey=b",
                "SharedAccessKey=*** SharedAccessKey=***",
            ),
            ("sr=h&sig=%2B&se=1", "sr=h&sig=***&se=1"),
            ("sig=", "sig="),
            (
                "-----BEGIN PRIVATE KEY-----\nMII\n",
                "-----BEGIN PRIVATE KEY-----***",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(scrub(text), expected);
        }
    }

    #[test]
    fn a_cancellation_claims_what_is_known() {
        for (step, freed, expected) in [
            (Step::Session, true, "cancelled; the module confirmed"),
            (Step::Sim, true, "cancelled; the module confirmed"),
            (Step::Sim, false, "cancelled before the module was told"),
            (Step::Open, false, "cancelled; the module did not confirm"),
        ] {
            let complaint = Complaint::from(Error::Cancelled { step, freed });
            assert!(complaint.what.starts_with(expected), "{complaint:?}");
        }
    }

    #[test]
    fn a_complaint_has_step_words_and_remedy() {
        let step = Step::Sim;
        let failure = FlowFailure::new(step, Reason::SimPinWrong, "+CME ERROR: 16");
        let mut text = Vec::new();
        Complaint::from(Error::from(failure))
            .write(&mut text, false)
            .unwrap();
        assert_eq!(
            String::from_utf8(text).unwrap(),
            "error: the SIM refused the PIN\n  step:        sim\n  module said: +CME ERROR: 16\n  \
             what to do:  correct the PIN before the next try: three wrong ones lock the SIM\n"
        );
    }
}
