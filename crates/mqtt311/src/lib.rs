//! MQTT 3.1.1 packets in both directions, sans-IO.
//!
//! The crate turns bytes into [`Packet`]s and back and knows how topic names and topic filters
//! relate. It opens no socket, reads no clock, and keeps no session: that is the business of the
//! simulators above it.
//!
//! [`decode`] judges the *format* of a packet: reserved bits, lengths, UTF-8, U+0000. What a field
//! *says* (an empty client id, a wildcard in a PUBLISH topic, a filter such as `a#`) is left to the
//! receiver, which can then name the offending value; [`check_topic_name`] and
//! [`check_topic_filter`] help with that.
//!
//! ```
//! use mqtt311::{Packet, Publish, QoS, decode};
//!
//! let packet = Packet::Publish(Publish {
//!     topic: "devices/dev1/messages/events/".to_owned(),
//!     payload: b"21.5".to_vec(),
//!     ..Publish::default()
//! });
//! let mut bytes = Vec::new();
//! packet.encode(&mut bytes)?;
//! assert_eq!(bytes[..2], [0x30, 35]);
//! assert_eq!(decode(&bytes[..10], 1024)?, None, "the rest has not arrived yet");
//! assert_eq!(decode(&bytes, 1024)?, Some((packet, 37)));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Reference
//!
//! OASIS MQTT Version 3.1.1 (29 October 2014). CONNECT is also read and written as protocol level 3
//! (`MQIsdp`, MQTT 3.1), which some modem firmware still sends; the fixed-header flags of all other
//! packets follow 3.1.1.

#![forbid(unsafe_code)]

mod decode;
mod decoder;
mod encode;
mod error;
mod packet;
mod topic;

pub use decode::decode;
pub use decoder::Decoder;
pub use error::{DecodeError, EncodeError, TopicError};
pub use packet::{
    Connack, Connect, ConnectReturnCode, Packet, PacketId, Protocol, Publish, QoS, Suback,
    SubackCode, Subscribe, Subscription, Unsubscribe, Will,
};
pub use topic::{check_topic_filter, check_topic_name, filter_matches};

/// The largest packet MQTT can express: a five-byte fixed header and 268,435,455 further bytes.
///
/// Pass something far smaller to [`decode`]; nothing honest sends this much to a device.
pub const MAX_PACKET: usize = MAX_REMAINING_LENGTH + 5;

/// The largest value of the remaining length field (four bytes of seven bits).
pub(crate) const MAX_REMAINING_LENGTH: usize = 268_435_455;
