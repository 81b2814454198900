//! The fourteen control packets of MQTT 3.1.1 as owned values.

use core::{fmt, num::NonZeroU16};

/// Identifies an unacknowledged packet; never zero on the wire.
///
/// # Reference
///
/// MQTT 3.1.1, 2.3.1.
pub type PacketId = NonZeroU16;

/// Quality of service of an application message.
///
/// # Reference
///
/// MQTT 3.1.1, 4.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "two bits of the wire, the fourth value is reserved"
)]
#[repr(u8)]
pub enum QoS {
    /// 0: sent once, never acknowledged.
    #[default]
    AtMostOnce = 0,
    /// 1: acknowledged with PUBACK; may arrive twice.
    AtLeastOnce = 1,
    /// 2: the four-way handshake. Azure IoT Hub does not offer it.
    ExactlyOnce = 2,
}

impl QoS {
    /// The quality of service of a wire value, `None` for 3 and above.
    #[must_use]
    pub const fn from_wire(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    /// The value on the wire, 0 to 2.
    #[must_use]
    pub const fn to_wire(self) -> u8 {
        self as u8
    }
}

/// One MQTT control packet.
///
/// # Reference
///
/// MQTT 3.1.1, 3.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "MQTT 3.1.1 is finished: it has exactly these packets"
)]
pub enum Packet {
    /// Client to server: the first packet of a connection.
    Connect(Connect),
    /// Server to client: the answer to CONNECT.
    Connack(Connack),
    /// Either way: an application message.
    Publish(Publish),
    /// Either way: a QoS 1 message has been taken over.
    Puback(PacketId),
    /// Either way: a QoS 2 message has been received.
    Pubrec(PacketId),
    /// Either way: a QoS 2 message is released.
    Pubrel(PacketId),
    /// Either way: a QoS 2 message is complete.
    Pubcomp(PacketId),
    /// Client to server: ask for messages.
    Subscribe(Subscribe),
    /// Server to client: the answer to SUBSCRIBE.
    Suback(Suback),
    /// Client to server: end subscriptions.
    Unsubscribe(Unsubscribe),
    /// Server to client: the answer to UNSUBSCRIBE.
    Unsuback(PacketId),
    /// Client to server: keep the connection alive.
    Pingreq,
    /// Server to client: the answer to PINGREQ.
    Pingresp,
    /// Client to server: the connection ends on purpose, the will is discarded.
    Disconnect,
}

impl Packet {
    /// The packet's name as the standard writes it, for log lines.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Connect(_) => "CONNECT",
            Self::Connack(_) => "CONNACK",
            Self::Publish(_) => "PUBLISH",
            Self::Puback(_) => "PUBACK",
            Self::Pubrec(_) => "PUBREC",
            Self::Pubrel(_) => "PUBREL",
            Self::Pubcomp(_) => "PUBCOMP",
            Self::Subscribe(_) => "SUBSCRIBE",
            Self::Suback(_) => "SUBACK",
            Self::Unsubscribe(_) => "UNSUBSCRIBE",
            Self::Unsuback(_) => "UNSUBACK",
            Self::Pingreq => "PINGREQ",
            Self::Pingresp => "PINGRESP",
            Self::Disconnect => "DISCONNECT",
        }
    }
}

/// Which MQTT a CONNECT speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(
    clippy::exhaustive_enums,
    reason = "the two protocol levels that share this packet format"
)]
pub enum Protocol {
    /// Protocol name `MQIsdp`, level 3.
    V31,
    /// Protocol name `MQTT`, level 4.
    #[default]
    V311,
}

/// CONNECT: the first packet of a connection.
///
/// `Debug` shows whether there is a password, never its bytes.
///
/// # Reference
///
/// MQTT 3.1.1, 3.1.
#[derive(Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields of a finished standard"
)]
pub struct Connect {
    /// Protocol name and level.
    pub protocol: Protocol,
    /// Start without the session state of an earlier connection.
    pub clean_session: bool,
    /// Longest silence that the client promises, in seconds; 0 is no promise.
    pub keep_alive_s: u16,
    /// Client identifier; may be empty on the wire.
    pub client_id: String,
    /// Message that the server publishes when the connection ends without DISCONNECT.
    pub will: Option<Will>,
    /// User name.
    pub user_name: Option<String>,
    /// Password; needs a user name.
    pub password: Option<Vec<u8>>,
}

impl fmt::Debug for Connect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connect")
            .field("protocol", &self.protocol)
            .field("clean_session", &self.clean_session)
            .field("keep_alive_s", &self.keep_alive_s)
            .field("client_id", &self.client_id)
            .field("will", &self.will)
            .field("user_name", &self.user_name)
            .field("password", &self.password.as_ref().map(|_| "***"))
            .finish()
    }
}

/// The will message of a CONNECT.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields of a finished standard"
)]
pub struct Will {
    /// Topic name to publish to.
    pub topic: String,
    /// Payload to publish.
    pub payload: Vec<u8>,
    /// Quality of service to publish with.
    pub qos: QoS,
    /// Publish as retained message.
    pub retain: bool,
}

/// CONNACK: the answer to CONNECT.
///
/// # Reference
///
/// MQTT 3.1.1, 3.2.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields of a finished standard"
)]
pub struct Connack {
    /// The server has resumed a stored session; always false in a refusal.
    pub session_present: bool,
    /// Whether and why not the connection is accepted.
    pub code: ConnectReturnCode,
}

/// Return code of a CONNACK.
///
/// # Reference
///
/// MQTT 3.1.1, 3.2.2.3, table 3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "all other values are reserved by a finished standard"
)]
#[repr(u8)]
pub enum ConnectReturnCode {
    /// 0: connection accepted.
    Accepted = 0,
    /// 1: unacceptable protocol version.
    UnacceptableProtocolVersion = 1,
    /// 2: client identifier rejected.
    IdentifierRejected = 2,
    /// 3: server unavailable.
    ServerUnavailable = 3,
    /// 4: bad user name or password.
    BadUserNameOrPassword = 4,
    /// 5: not authorized.
    NotAuthorized = 5,
}

impl ConnectReturnCode {
    /// The return code of a wire value, `None` for the reserved ones.
    #[must_use]
    pub const fn from_wire(value: u8) -> Option<Self> {
        match value {
            0 => Some(Self::Accepted),
            1 => Some(Self::UnacceptableProtocolVersion),
            2 => Some(Self::IdentifierRejected),
            3 => Some(Self::ServerUnavailable),
            4 => Some(Self::BadUserNameOrPassword),
            5 => Some(Self::NotAuthorized),
            _ => None,
        }
    }

    /// The value on the wire, 0 to 5.
    #[must_use]
    pub const fn to_wire(self) -> u8 {
        self as u8
    }
}

/// PUBLISH: an application message.
///
/// # Reference
///
/// MQTT 3.1.1, 3.3.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields of a finished standard"
)]
pub struct Publish {
    /// Sent before; always false at QoS 0.
    pub dup: bool,
    /// Quality of service.
    pub qos: QoS,
    /// Ask the server to keep it, or: the server kept it.
    pub retain: bool,
    /// Topic name; not checked for wildcards by the codec.
    pub topic: String,
    /// Present exactly when `qos` is 1 or 2.
    pub packet_id: Option<PacketId>,
    /// Application bytes.
    pub payload: Vec<u8>,
}

/// SUBSCRIBE: ask for messages.
///
/// # Reference
///
/// MQTT 3.1.1, 3.8.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields of a finished standard"
)]
pub struct Subscribe {
    /// Comes back in the SUBACK.
    pub packet_id: PacketId,
    /// At least one.
    pub subscriptions: Vec<Subscription>,
}

/// One topic filter of a SUBSCRIBE with the quality of service asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields of a finished standard"
)]
pub struct Subscription {
    /// Topic filter; its wildcards are not checked by the codec.
    pub filter: String,
    /// The most that the client wants.
    pub qos: QoS,
}

/// SUBACK: the answer to SUBSCRIBE.
///
/// # Reference
///
/// MQTT 3.1.1, 3.9.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields of a finished standard"
)]
pub struct Suback {
    /// That of the SUBSCRIBE.
    pub packet_id: PacketId,
    /// One for each filter, in the order of the SUBSCRIBE.
    pub codes: Vec<SubackCode>,
}

/// Return code of a SUBACK for one topic filter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(
    clippy::exhaustive_enums,
    reason = "all other values are reserved by a finished standard"
)]
pub enum SubackCode {
    /// 0, 1, 2: subscribed, with this maximum quality of service.
    Granted(QoS),
    /// 0x80: not subscribed.
    Failure,
}

impl SubackCode {
    /// The return code of a wire value, `None` for the reserved ones.
    #[must_use]
    pub const fn from_wire(value: u8) -> Option<Self> {
        match QoS::from_wire(value) {
            Some(qos) => Some(Self::Granted(qos)),
            None if value == 0x80 => Some(Self::Failure),
            None => None,
        }
    }

    /// The value on the wire: 0, 1, 2 or 0x80.
    #[must_use]
    pub const fn to_wire(self) -> u8 {
        match self {
            Self::Granted(qos) => qos.to_wire(),
            Self::Failure => 0x80,
        }
    }
}

/// UNSUBSCRIBE: end subscriptions.
///
/// # Reference
///
/// MQTT 3.1.1, 3.10.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "the fields of a finished standard"
)]
pub struct Unsubscribe {
    /// Comes back in the UNSUBACK.
    pub packet_id: PacketId,
    /// At least one.
    pub filters: Vec<String>,
}
