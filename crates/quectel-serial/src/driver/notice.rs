//! What the driver shows and what it receives.

use core::time::Duration;

use quectel_azure::azure_auth::Encoded;
use quectel_azure::{Event, ReceivedMessage};

use crate::{Error, WireLine};

/// Something to show while the driver works.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Notice<'a> {
    /// The client tells something.
    Event {
        /// Time since the driver was made.
        at: Duration,
        /// What it tells.
        event: &'a Event<'a>,
    },
    /// A line went out or came in.
    Wire(&'a WireLine),
    /// The running step is given up: cancelled, out of time, or the port failed. Disconnecting may follow.
    Ended {
        /// Time since the driver was made.
        at: Duration,
        /// Why; what the module confirms is not known yet.
        error: &'a Error,
    },
}

impl<'a> Notice<'a> {
    /// What the client tells, with its time.
    pub const fn event(at: Duration, event: &'a Event<'a>) -> Self {
        Self::Event { at, event }
    }

    /// Why the running step is given up, with the time.
    pub const fn ended(at: Duration, error: &'a Error) -> Self {
        Self::Ended { at, error }
    }
}

/// A cloud-to-device message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received {
    /// Topic name as it came.
    pub topic: String,
    /// The body.
    pub payload: Vec<u8>,
    /// Properties, decoded, in their order; a value is `None` where the hub sends a null. Names of system properties
    /// begin with `$.`.
    pub properties: Vec<(String, Option<String>)>,
}

impl From<&ReceivedMessage<'_>> for Received {
    fn from(message: &ReceivedMessage<'_>) -> Self {
        // Names and values are UTF-8 by the service's rules; what is not becomes a replacement character.
        let decoded = |text: Encoded<'_>| {
            String::from_utf8_lossy(&text.bytes().collect::<Vec<u8>>()).into_owned()
        };
        Self {
            topic: message.topic.to_owned(),
            payload: message.payload.to_vec(),
            properties: message
                .properties
                .iter()
                .map(|p| (decoded(p.name), p.value.map(decoded)))
                .collect(),
        }
    }
}
