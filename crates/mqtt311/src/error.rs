//! What can be wrong with bytes, packets and topics.

/// The bytes are not an MQTT 3.1.1 packet; the connection must be closed.
///
/// # Reference
///
/// MQTT 3.1.1, 4.8 (handling errors).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The upper four bits of the first byte name no packet type of MQTT 3.1.1.
    #[error("first byte {0:#04x} names no MQTT 3.1.1 packet type")]
    PacketType(u8),
    /// The lower four bits of the first byte are not those the packet type requires.
    #[error("first byte {0:#04x} has reserved flag bits that are not as MQTT 3.1.1 requires")]
    FixedHeaderFlags(u8),
    /// The remaining length field runs past its four bytes.
    #[error("remaining length field is longer than four bytes")]
    RemainingLength,
    /// The packet announces more bytes than the receiver allows.
    #[error("packet of {size} bytes exceeds the receiver's limit of {limit} bytes")]
    TooLarge {
        /// Length of the whole packet with its fixed header, in bytes.
        size: usize,
        /// The receiver's limit, in bytes.
        limit: usize,
    },
    /// A field runs past the end that the remaining length gives.
    #[error("a field runs past the end of the packet")]
    Truncated,
    /// Bytes are left after the last field.
    #[error("{0} bytes are left after the last field of the packet")]
    TrailingBytes(usize),
    /// A string field is not well-formed UTF-8.
    #[error("a string field is not well-formed UTF-8")]
    Utf8,
    /// A string field contains U+0000.
    #[error("a string field contains the character U+0000")]
    Nul,
    /// The protocol name of a CONNECT is neither `MQTT` nor `MQIsdp`.
    #[error("CONNECT carries a protocol name other than `MQTT` and `MQIsdp`")]
    ProtocolName,
    /// The protocol level of a CONNECT is not the one of its protocol name: 4 for `MQTT`
    /// (5 is MQTT 5), 3 for `MQIsdp`.
    ///
    /// A server answers with CONNACK return code 1 before it closes.
    #[error("CONNECT asks for protocol level {0}; level 4 (MQTT 3.1.1) is spoken here")]
    ProtocolLevel(u8),
    /// The connect flags contradict each other or set the reserved bit.
    #[error("connect flags {0:#04x} contradict each other or set the reserved bit")]
    ConnectFlags(u8),
    /// The acknowledge flags of a CONNACK set a reserved bit, or claim a session for a refusal.
    #[error("connect acknowledge flags {0:#04x} are not valid")]
    ConnackFlags(u8),
    /// The return code of a CONNACK is reserved.
    #[error("CONNACK return code {0} is reserved")]
    ReturnCode(u8),
    /// A quality of service of 3, or reserved bits beside it.
    #[error("quality of service byte {0:#04x} is not 0, 1 or 2")]
    QoS(u8),
    /// DUP is set on a PUBLISH of QoS 0.
    #[error("a QoS 0 PUBLISH must not set DUP")]
    DupOnQos0,
    /// A packet identifier of zero.
    #[error("packet identifier is zero")]
    PacketIdZero,
    /// A SUBACK return code other than 0, 1, 2 and 0x80.
    #[error("SUBACK return code {0:#04x} is reserved")]
    SubackCode(u8),
    /// A SUBSCRIBE or UNSUBSCRIBE without a topic filter, or a SUBACK without a return code.
    #[error("packet carries an empty list where at least one entry is required")]
    EmptyList,
}

/// The packet cannot be written as MQTT 3.1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// A string or binary field exceeds 65,535 bytes.
    #[error("a field of {0} bytes exceeds the 65535 bytes that its length prefix can express")]
    FieldTooLong(usize),
    /// A string field contains U+0000.
    #[error("a string field contains the character U+0000")]
    Nul,
    /// The packet exceeds [`MAX_PACKET`](crate::MAX_PACKET).
    #[error("packet body of {0} bytes exceeds the 268435455 bytes of the remaining length field")]
    TooLarge(usize),
    /// A password without a user name.
    #[error("MQTT 3.1.1 has no password without a user name")]
    PasswordWithoutUserName,
    /// A PUBLISH of QoS 1 or 2 without packet identifier, or of QoS 0 with one.
    #[error("QoS 1 and 2 need a packet identifier, QoS 0 must have none")]
    PacketId,
    /// DUP is set on a PUBLISH of QoS 0.
    #[error("a QoS 0 PUBLISH must not set DUP")]
    DupOnQos0,
    /// A CONNACK that refuses and claims a present session.
    #[error("a refusing CONNACK must not set session present")]
    SessionPresentOnRefusal,
    /// A SUBSCRIBE or UNSUBSCRIBE without a topic filter, or a SUBACK without a return code.
    #[error("packet carries an empty list where at least one entry is required")]
    EmptyList,
}

/// What makes a text unusable as topic name or topic filter.
///
/// # Reference
///
/// MQTT 3.1.1, 4.7.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TopicError {
    /// It has no character.
    #[error("topic is empty")]
    Empty,
    /// It exceeds 65,535 bytes of UTF-8.
    #[error("topic exceeds 65535 bytes")]
    TooLong,
    /// It contains U+0000.
    #[error("topic contains the character U+0000")]
    Nul,
    /// A topic name contains `+` or `#`.
    #[error("topic name contains the wildcard character `{0}`")]
    WildcardInName(char),
    /// `#` is not the last character of the filter, or not a level of its own.
    #[error("`#` must be the last level of a topic filter, alone in it")]
    MultiLevelWildcard,
    /// `+` shares its level with other characters.
    #[error("`+` must be alone in its level of a topic filter")]
    SingleLevelWildcard,
}
