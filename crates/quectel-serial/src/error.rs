//! Why the driver could not do what it was asked for.

use std::io;

use quectel_azure::{ConfigError, Failure, Misuse, Reason, Step};

/// Why and where the flow ended, with what the module said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{step}: {reason}{}", said(.line))]
#[non_exhaustive]
pub struct FlowFailure {
    /// The step that failed.
    pub step: Step,
    /// Why.
    pub reason: Reason,
    /// What the module said; empty if it said nothing.
    pub line: String,
}

impl FlowFailure {
    /// A failure of this step.
    pub fn new(step: Step, reason: Reason, line: impl Into<String>) -> Self {
        Self {
            step,
            reason,
            line: line.into(),
        }
    }
}

fn said(line: &str) -> String {
    if line.is_empty() {
        String::new()
    } else {
        format!(" (the module said `{line}`)")
    }
}

impl From<Failure<'_>> for FlowFailure {
    fn from(failure: Failure<'_>) -> Self {
        Self {
            step: failure.step,
            reason: failure.reason,
            line: failure.line.to_string(),
        }
    }
}

/// Why the driver could not do what it was asked for. The module is left so that the next run works.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The settings are wrong; nothing was sent.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The call cannot be served now, or the message cannot be sent; nothing was sent.
    #[error(transparent)]
    Misuse(#[from] Misuse),
    /// The flow or the connection ended.
    #[error(transparent)]
    Failed(#[from] FlowFailure),
    /// The port failed: unplugged, or closed by the other side.
    #[error("{step}: port {port} failed: {source}")]
    Port {
        /// The step that was running.
        step: Step,
        /// The port.
        port: String,
        /// The words of the operating system.
        source: io::Error,
    },
    /// The port took no byte for ten seconds.
    #[error("{step}: port {port} takes no more bytes")]
    Stalled {
        /// The step that was running.
        step: Step,
        /// The port.
        port: String,
    },
    /// The [`crate::CancelToken`] was used.
    #[error("{step}: cancelled")]
    Cancelled {
        /// The step that was running.
        step: Step,
        /// Whether the module confirmed that its MQTT client is disconnected or closed.
        freed: bool,
    },
    /// The time that [`crate::Driver::time_limit`] gave was over.
    #[error("{step}: the time limit was over before the step was done")]
    TimeLimit {
        /// The step that was running.
        step: Step,
    },
    /// The key is held elsewhere and no signer was set.
    #[error("{step}: a signature is needed, and no signer is set", step = Step::Connect)]
    NoSigner,
}

impl Error {
    /// Its name in kebab-case; for a failure of the flow, the name of the reason.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Config(_) => "settings",
            Self::Misuse(_) => "misuse",
            Self::Failed(failure) => failure.reason.name(),
            Self::Port { .. } => "port-failed",
            Self::Stalled { .. } => "port-stalled",
            Self::Cancelled { .. } => "cancelled",
            Self::TimeLimit { .. } => "time-limit",
            Self::NoSigner => "no-signer",
        }
    }

    /// The step that was running, if the flow had begun.
    pub const fn step(&self) -> Option<Step> {
        match self {
            Self::Config(_) | Self::Misuse(_) => None,
            Self::Failed(FlowFailure { step, .. })
            | Self::Port { step, .. }
            | Self::Stalled { step, .. }
            | Self::Cancelled { step, .. }
            | Self::TimeLimit { step } => Some(*step),
            Self::NoSigner => Some(Step::Connect),
        }
    }

    /// What the module said, if it said something.
    pub fn line(&self) -> Option<&str> {
        match self {
            Self::Failed(failure) if !failure.line.is_empty() => Some(&failure.line),
            _ => None,
        }
    }

    /// What to do about it.
    pub const fn remedy(&self) -> &'static str {
        match self {
            Self::Config(_) => "correct the settings",
            Self::Misuse(_) => "change the message or the order of the calls",
            Self::Failed(failure) => failure.reason.remedy(),
            Self::Port { .. } => "check the cable and the module's supply, then run it again",
            Self::Stalled { .. } => {
                "the module holds CTS or the other side reads nothing: check the wiring of RTS and CTS, or do without flow control"
            }
            Self::Cancelled { step, freed } if !*freed && !before_open(*step) => {
                "run it again when wanted: it frees the module first; without another run the hub takes the device as connected until the module is restarted"
            }
            Self::Cancelled { .. } => "run it again when wanted",
            Self::TimeLimit { step } => match step {
                Step::Identify => Reason::ModuleSilent.remedy(),
                Step::Sim => Reason::SimNotReady.remedy(),
                Step::Register => Reason::NotRegistered.remedy(),
                Step::Open => Reason::OpenTimeout.remedy(),
                _ => "allow more time, and look at the conversation for what the module waits for",
            },
            Self::NoSigner => "set a signer, or use another credential",
        }
    }
}

/// Whether the module is not told to connect before this step is over.
const fn before_open(step: Step) -> bool {
    matches!(
        step,
        Step::Identify
            | Step::Sim
            | Step::Register
            | Step::Pdp
            | Step::Clock
            | Step::Certificates
            | Step::Tls
            | Step::Mqtt
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_names_step_reason_and_line() {
        let failure = FlowFailure {
            step: Step::Open,
            reason: Reason::OpenFailed,
            line: "+QMTOPEN: 0,-1".into(),
        };
        let error = Error::from(failure);
        let text = error.to_string();
        assert!(
            text.starts_with("open: ") && text.ends_with("(the module said `+QMTOPEN: 0,-1`)"),
            "{text}"
        );
        assert_eq!(
            (error.name(), error.step(), error.line()),
            ("open-failed", Some(Step::Open), Some("+QMTOPEN: 0,-1"))
        );
        assert_eq!(error.remedy(), Reason::OpenFailed.remedy());
    }
}
