//! What the hub tells the outside: telemetry, connections, refusals.

mod display;

use core::fmt;

use crate::{
    identity::Identity, method::MethodOutcome, properties::Properties, reason::Reason, time::Now,
    topic::Feature, warning::Warning,
};

/// Numbers connections in the order of their arrival, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub(crate) u64);

impl fmt::Display for ConnectionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// Numbers direct method calls, from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MethodId(pub(crate) u64);

impl MethodId {
    /// The `$rid` of the call: hexadecimal with a letter, so that nobody takes it for a number.
    pub(crate) fn rid(self) -> String {
        format!("{:x}c", self.0)
    }
}

/// Something that happened in the hub, with its time.
///
/// `Display` gives one log line without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// When.
    pub at: Now,
    /// What.
    pub event: Event,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A connection was refused before or at CONNECT.
    Refused(Refusal),
    /// A CONNECT was accepted.
    Connected(Connected),
    /// An accepted connection ended.
    Disconnected {
        /// The connection.
        connection: ConnectionId,
        /// Whose it was.
        identity: Identity,
        /// Why it ended.
        reason: Reason,
    },
    /// A message from a device.
    Telemetry(Telemetry),
    /// A subscription was made or refused.
    Subscribed {
        /// Who asked.
        identity: Identity,
        /// For what.
        filter: String,
        /// The feature, or why it was refused.
        result: Result<Feature, Reason>,
    },
    /// A subscription was ended.
    Unsubscribed {
        /// Who asked.
        identity: Identity,
        /// From what.
        filter: String,
    },
    /// A direct method call has reached its end.
    MethodEnded {
        /// Who was called.
        identity: Identity,
        /// Number that the call gave.
        id: MethodId,
        /// Name of the method.
        name: String,
        /// How it ended.
        outcome: MethodOutcome,
    },
    /// A device has changed its reported properties.
    Reported {
        /// Whose twin.
        identity: Identity,
        /// The patch, as JSON.
        patch: String,
        /// Version of the reported properties after it.
        version: u64,
    },
    /// A device has registered with the provisioning service, or has tried to.
    Registration(Registration),
    /// A client did something that is hardly meant.
    Warned {
        /// Who.
        identity: Identity,
        /// What.
        warning: Warning,
    },
    /// The state folder could not be written; the next change tries again.
    StateNotSaved {
        /// What is wrong.
        problem: String,
    },
    /// A cloud-to-device message has reached its end.
    CloudToDevice {
        /// To whom it was sent.
        identity: Identity,
        /// Number that sending it gave.
        sequence_number: u64,
        /// Its `$.mid`.
        message_id: Option<String>,
        /// Its `iothub-ack` asks to hear of this outcome.
        wants_feedback: bool,
        /// How it ended.
        outcome: CloudToDeviceOutcome,
    },
}

/// A refused connection: what the client said, and what was wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Refusal {
    /// The connection, numbered once its TLS handshake is done.
    pub connection: Option<ConnectionId>,
    /// Server name of the TLS connection.
    pub sni: Option<String>,
    /// Client id of the CONNECT, if there was one.
    pub client_id: Option<String>,
    /// User name of the CONNECT, if there was one.
    pub user_name: Option<String>,
    /// Why.
    pub reason: Reason,
}

/// An accepted CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connected {
    /// The connection.
    pub connection: ConnectionId,
    /// Who connected.
    pub identity: Identity,
    /// Server name of the TLS connection.
    pub sni: Option<String>,
    /// How the client proved its identity.
    pub proof: Proof,
    /// Keep alive asked for, in seconds.
    pub keep_alive_s: u16,
    /// Clean session asked for.
    pub clean_session: bool,
    /// A stored session was resumed.
    pub session_present: bool,
    /// Api-version of the user name.
    pub api_version: String,
    /// `DeviceClientType` of the user name, decoded.
    pub client_type: Option<String>,
    /// `model-id` of the user name, decoded.
    pub model_id: Option<String>,
}

/// How a client proved its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Proof {
    /// A SAS token of the identity's own key.
    SasToken,
    /// A SAS token of a shared access policy.
    PolicyToken,
    /// A client certificate with a registered thumbprint.
    Thumbprint,
    /// A client certificate signed by an authority of the hub.
    CertificateAuthority,
    /// A client certificate that the provisioning service will judge at registration.
    Certificate,
}

/// A device-to-cloud message.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Telemetry {
    /// Who sent it.
    pub identity: Identity,
    /// Topic name as received.
    pub topic: String,
    /// Property bag, decoded.
    pub properties: Properties,
    /// Payload.
    pub payload: Vec<u8>,
    /// Quality of service it was sent with, 0 or 1.
    pub qos: u8,
    /// Published by the hub because the connection was lost.
    pub is_will: bool,
    /// What looks unintended.
    pub warnings: Vec<Warning>,
}

/// A step of a registration with the provisioning service.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registration {
    /// Id scope in the first field, registration id (lower case) in the second.
    pub identity: Identity,
    /// Custom payload of the device, as JSON.
    pub payload: Option<String>,
    /// Where it stands.
    pub outcome: RegistrationOutcome,
}

/// Where a registration stands.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistrationOutcome {
    /// Accepted, the device has to ask again.
    Assigning,
    /// Done.
    Assigned {
        /// The device in its hub.
        device: Identity,
        /// How it came there: `initialAssignment`, `deviceDataMigrated`, …
        substatus: &'static str,
    },
    /// The allocation failed.
    Failed {
        /// Number such as 400207.
        code: u32,
    },
    /// The enrollment is disabled.
    Disabled,
    /// The request was answered with an error.
    Refused {
        /// Status such as 401, 404 or 429.
        status: u16,
        /// Why.
        reason: Reason,
    },
}

/// How a cloud-to-device message ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CloudToDeviceOutcome {
    /// PUBACK arrived, or it was handed over with QoS 0.
    Completed,
    /// Its time to live was over.
    Expired,
    /// A connection with clean session dropped the queue.
    Purged,
}

impl Event {
    /// The device, module or registration that it is about, where there is one.
    #[must_use]
    pub const fn identity(&self) -> Option<&Identity> {
        match self {
            Self::Refused(_) | Self::StateNotSaved { .. } => None,
            Self::Connected(connected) => Some(&connected.identity),
            Self::Telemetry(telemetry) => Some(&telemetry.identity),
            Self::Registration(registration) => Some(&registration.identity),
            Self::Disconnected { identity, .. }
            | Self::Subscribed { identity, .. }
            | Self::Unsubscribed { identity, .. }
            | Self::MethodEnded { identity, .. }
            | Self::Reported { identity, .. }
            | Self::Warned { identity, .. }
            | Self::CloudToDevice { identity, .. } => Some(identity),
        }
    }
}
