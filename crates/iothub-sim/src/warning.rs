//! What the hub puts up with, although it is hardly meant.

use crate::{reason::Reason, twin::TwinError};

/// Something the real hub accepts or drops in silence, and that is hardly meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Warning {
    /// A property bag begins with `?`.
    #[error("the property bag begins with `?`, which becomes part of the first name; leave it out")]
    QuestionMark,
    /// RETAIN is set.
    #[error("RETAIN is set; the hub retains nothing and adds the property mqtt-retain=true")]
    Retain,
    /// DUP is set: the message may be one that was already received.
    #[error("DUP is set; the same message may have been received before")]
    Duplicate,
    /// A message was dropped because of its topic.
    #[error("message dropped: {0}")]
    TopicIgnored(Reason),
    /// A method response whose request id belongs to no open call.
    #[error(
        "method response with `$rid={rid}` answers no open call; echo the request's rid as text, and in time"
    )]
    UnknownMethodResponse {
        /// The request id received.
        rid: String,
    },
    /// A method response that is not JSON.
    #[error("the method response's payload is not JSON")]
    MethodResponseNotJson,
    /// A twin request without subscription to its answer.
    #[error(
        "the answer to a twin request is lost, because nobody subscribed to `$iothub/twin/res/#`"
    )]
    TwinResponseUnheard,
    /// A patch of reported properties was answered with 400.
    #[error("reported properties were refused (400): {0}")]
    ReportedRefused(TwinError),
    /// A registration or status query without subscription to its answer.
    #[error(
        "the answer of the provisioning service is lost, because nobody subscribed to `$dps/registrations/res/#`"
    )]
    RegistrationUnheard,
    /// A status query before `retry-after` was over.
    #[error("status query {after_ms} ms after the last answer, which asked for {retry_after_s} s")]
    PolledEarly {
        /// Time since the last answer, in milliseconds.
        after_ms: u64,
        /// What it asked for, in seconds.
        retry_after_s: u64,
    },
    /// A certificate signing request was answered with an error.
    #[error("the certificate signing request was refused ({status}): {message}")]
    SigningRequestRefused {
        /// Status of the answer.
        status: u16,
        /// What is wrong.
        message: String,
    },
    /// More than the configured limit: acknowledged late, or answered with 429.
    #[error("more than {limit} {what} (rules.throttle)")]
    Throttled {
        /// Of what there are too many, such as `messages a second`.
        what: &'static str,
        /// How many are allowed.
        limit: u32,
    },
    /// A PUBACK without a message that waits for it.
    #[error("PUBACK {packet_id} acknowledges nothing")]
    StrayPuback {
        /// The packet identifier received.
        packet_id: u16,
    },
}
