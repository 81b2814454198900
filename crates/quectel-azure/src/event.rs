//! What the client tells.

use azure_auth::topics::PropertyBag;
use quectel_at::Line;

use crate::{Profile, Reason};

/// A step of the flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Step {
    /// Wake the module's AT port and learn model and firmware.
    Identify,
    /// Wait for the SIM.
    Sim,
    /// Wait for the network.
    Register,
    /// Activate the PDP context.
    Pdp,
    /// Learn the time.
    Clock,
    /// Upload certificates.
    Certificates,
    /// Configure TLS.
    Tls,
    /// Configure MQTT and free its client.
    Mqtt,
    /// Resolve, connect, TLS handshake: `AT+QMTOPEN`.
    Open,
    /// MQTT CONNECT: `AT+QMTCONN`.
    Connect,
    /// Subscribe to cloud-to-device messages.
    Subscribe,
    /// Connected: publish and receive.
    Session,
    /// Disconnect.
    Disconnect,
}

impl Step {
    /// All steps in their order.
    pub const ALL: [Self; 13] = [
        Self::Identify,
        Self::Sim,
        Self::Register,
        Self::Pdp,
        Self::Clock,
        Self::Certificates,
        Self::Tls,
        Self::Mqtt,
        Self::Open,
        Self::Connect,
        Self::Subscribe,
        Self::Session,
        Self::Disconnect,
    ];

    /// Its name in kebab-case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Identify => "identify",
            Self::Sim => "sim",
            Self::Register => "register",
            Self::Pdp => "pdp",
            Self::Clock => "clock",
            Self::Certificates => "certificates",
            Self::Tls => "tls",
            Self::Mqtt => "mqtt",
            Self::Open => "open",
            Self::Connect => "connect",
            Self::Subscribe => "subscribe",
            Self::Session => "session",
            Self::Disconnect => "disconnect",
        }
    }
}

impl core::fmt::Display for Step {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// Names a published message until it is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MessageId(pub(crate) u32);

impl MessageId {
    /// The number: it rises by one with each message of a client.
    pub const fn number(self) -> u32 {
        self.0
    }
}

/// What is known of the module and its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ModuleInfo<'a> {
    /// Model as `ATI` gives it, such as `BG96`.
    pub model: &'a str,
    /// Firmware revision as `AT+QGMR` or `ATI` gives it.
    pub revision: &'a str,
    /// The profile in use.
    pub profile: &'static Profile,
    /// Address of the PDP context, or empty.
    pub address: &'a str,
    /// Signal strength in dBm, if the module told.
    pub signal_dbm: Option<i16>,
    /// Time in unix seconds, if it is known.
    pub unix_time_s: Option<u64>,
}

/// A cloud-to-device message.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct ReceivedMessage<'a> {
    /// Topic name as it came.
    pub topic: &'a str,
    /// The body.
    pub payload: &'a [u8],
    /// Properties, percent-encoded as they came.
    pub properties: PropertyBag<'a>,
}

/// Something that weakens or slows the connection without ending it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Warning {
    /// The module's clock is not known, so certificate dates are not checked.
    DatesNotChecked,
    /// The firmware cannot send SNI; hubs and DPS endpoints behind shared addresses refuse it.
    NoSni,
    /// The model or firmware is unknown; the nearest profile is used.
    UnknownModule,
    /// Bytes of the module were lost: a line longer than the receive buffer, or noise.
    BytesLost {
        /// How many.
        bytes: u32,
    },
    /// The firmware sends messages without their length; one that contains quote, CR, LF is cut there.
    UncountedPayload,
    /// The token expires in less than ten minutes.
    TokenExpiresSoon,
    /// A file that the module has is used as it is, though its content could not be compared.
    FileNotCompared,
}

impl Warning {
    /// One sentence for a person.
    pub const fn text(self) -> &'static str {
        match self {
            Self::DatesNotChecked => {
                "the module has no clock, so the dates of the server's certificate are not checked"
            }
            Self::NoSni => {
                "this firmware cannot send the server's name in the TLS handshake (SNI); shared endpoints refuse it"
            }
            Self::UnknownModule => {
                "this model or firmware is not in the table of profiles; the nearest profile is used"
            }
            Self::BytesLost { .. } => {
                "bytes of the module were lost; give the client a larger receive buffer or use flow control"
            }
            Self::UncountedPayload => {
                "this firmware does not count received payloads; one that contains quote, CR, LF is cut there"
            }
            Self::TokenExpiresSoon => "the SAS token expires in less than ten minutes",
            Self::FileNotCompared => {
                "a file with the right name and size was on the module already and is used as it is"
            }
        }
    }
}

/// Why and where the flow ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Failure<'a> {
    /// The step that failed.
    pub step: Step,
    /// Why.
    pub reason: Reason,
    /// What the module said, as far as 160 bytes hold it; empty if it said nothing.
    pub line: Line<'a>,
}

impl core::fmt::Display for Failure<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.step, self.reason)?;
        if !self.line.bytes().is_empty() {
            write!(f, " (the module said `{}`)", self.line)?;
        }
        Ok(())
    }
}

/// What happened; borrows the client until its next call.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A step begins.
    Step(Step),
    /// Model and firmware are known.
    Identified(ModuleInfo<'a>),
    /// A key held elsewhere must sign this text: HMAC-SHA256, then [`crate::Client::provide_signature`].
    SignatureNeeded {
        /// The bytes to sign.
        to_sign: &'a [u8],
    },
    /// Something is weaker than it should be.
    Warning(Warning),
    /// The hub accepted the device; messages may be published.
    Connected,
    /// A message was acknowledged by the hub, or with QoS 0 sent.
    Published(MessageId),
    /// A message was not acknowledged.
    PublishFailed {
        /// Which.
        id: MessageId,
        /// Why.
        reason: Reason,
    },
    /// A cloud-to-device message.
    Message(ReceivedMessage<'a>),
    /// A line that the client does not use.
    Urc(Line<'a>),
    /// The connection ended as [`crate::Client::disconnect`] asked for.
    Disconnected,
    /// The flow or the connection ended; [`crate::Client::connect`] may try again.
    Failed(Failure<'a>),
}
