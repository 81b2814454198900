//! Records as log lines without secrets.

use core::fmt;

use super::{
    CloudToDeviceOutcome, Connected, Event, Proof, Record, Refusal, Registration,
    RegistrationOutcome, Telemetry,
};
use crate::{method::MethodOutcome, time::Utc};

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", Utc(self.at.unix_s), self.event)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Connected(connected) => connected.fmt(f),
            Self::Disconnected {
                connection,
                identity,
                reason,
            } => write!(
                f,
                "disconnected {connection} {}: {reason} [{}]",
                identity.client_id(),
                reason.code()
            ),
            Self::Telemetry(telemetry) => telemetry.fmt(f),
            Self::Subscribed {
                identity,
                filter,
                result,
            } => {
                let id = identity.client_id();
                match result {
                    Ok(_) => write!(f, "subscribed {id} to {filter}"),
                    Err(reason) => {
                        let code = reason.code();
                        write!(f, "refused subscription of {id}: {reason} [{code}]")
                    }
                }
            }
            Self::Unsubscribed { identity, filter } => {
                write!(f, "unsubscribed {} from {filter}", identity.client_id())
            }
            Self::MethodEnded {
                identity,
                name,
                outcome,
                ..
            } => {
                write!(f, "method {name} of {}: ", identity.client_id())?;
                outcome.fmt(f)
            }
            Self::Reported {
                identity,
                patch,
                version,
            } => write!(
                f,
                "reported {} version {version}: {patch}",
                identity.client_id()
            ),
            Self::Registration(registration) => registration.fmt(f),
            Self::StateNotSaved { problem } => write!(f, "state not saved: {problem}"),
            Self::Warned { identity, warning } => {
                write!(f, "warning {}: {warning}", identity.client_id())
            }
            Self::CloudToDevice {
                identity,
                sequence_number,
                outcome,
                ..
            } => write!(
                f,
                "cloud-to-device message {sequence_number} to {}: {outcome}",
                identity.client_id()
            ),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("refused")?;
        if let Some(connection) = self.connection {
            write!(f, " {connection}")?;
        }
        if let Some(client_id) = &self.client_id {
            write!(f, " `{client_id}`")?;
        }
        write!(f, ": {} [{}]", self.reason, self.reason.code())
    }
}

impl fmt::Display for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "registration {}: ", self.identity)?;
        match &self.outcome {
            RegistrationOutcome::Assigning => f.write_str("assigning"),
            RegistrationOutcome::Assigned { device, substatus } => {
                write!(f, "assigned to {device} ({substatus})")
            }
            RegistrationOutcome::Failed { code } => write!(f, "failed with {code}"),
            RegistrationOutcome::Disabled => f.write_str("the enrollment is disabled"),
            RegistrationOutcome::Refused { status, reason } => {
                write!(f, "answered {status}: {reason} [{}]", reason.code())
            }
        }
    }
}

impl fmt::Display for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "connected {} {} with {}, keep alive {} s, clean session {}",
            self.connection, self.identity, self.proof, self.keep_alive_s, self.clean_session
        )
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::SasToken => "a SAS token",
            Self::PolicyToken => "a SAS token of a policy",
            Self::Thumbprint => "a certificate of its thumbprint",
            Self::CertificateAuthority => "a certificate of an authority",
            Self::Certificate => "a certificate",
        })
    }
}

impl fmt::Display for CloudToDeviceOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Completed => "completed",
            Self::Expired => "expired",
            Self::Purged => "dropped by a clean session",
        })
    }
}

impl fmt::Display for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "telemetry {} {} bytes, QoS {}",
            self.identity.client_id(),
            self.payload.len(),
            self.qos
        )?;
        if self.is_will {
            f.write_str(", will")?;
        }
        for warning in &self.warnings {
            write!(f, "; {warning}")?;
        }
        Ok(())
    }
}

impl fmt::Display for MethodOutcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Response { status, payload } => {
                write!(f, "status {status}, {} bytes", payload.len())
            }
            Self::TimedOut => f.write_str("no answer in time"),
            Self::NeverOnline => f.write_str("the device did not come in time"),
        }
    }
}
