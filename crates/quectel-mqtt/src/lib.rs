//! Quectel MQTT commands and URCs (`+QMT…`); no_std, no heap.
//!
//! Each command is a small struct that a [`quectel_at::Link`] sends. Most answer `OK` at once and report their result
//! later as a URC, which [`Urc::parse`] reads.
//!
//! ```
//! use quectel_at::{Command, Line, Writer};
//! use quectel_mqtt::{OpenResult, QmtOpen, Urc};
//!
//! let open = QmtOpen { client: 0, host: "hub.azure-devices.net", port: 8883 };
//! let mut buf = [0; 64];
//! let mut line = Writer::new(&mut buf);
//! open.encode(&mut line);
//! let len = line.finish()?.len;
//! assert_eq!(&buf[..len], b"+QMTOPEN=0,\"hub.azure-devices.net\",8883");
//!
//! let urc = Urc::parse(Line::new(b"+QMTOPEN: 0,-1"));
//! assert_eq!(urc, Some(Urc::Open { client: 0, result: OpenResult::NetworkFailed }));
//! # Ok::<(), quectel_at::WriteError>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

#[cfg(test)]
extern crate std;

mod config;
mod item;
mod outcome;
mod packet_id;
mod publish;
mod qmtcfg;
mod recv;
mod result;
mod session;
mod subscribe;
mod urc;
mod value;

/// Shared with the other crates.
pub use quectel_at::Secret;

pub use config::{Mismatch, MqttConfig};
pub use item::{ItemName, MqttItems};
pub use outcome::{ConnectResult, Granted, PubResult, SubResult};
pub use packet_id::{IN_FLIGHT, PacketId, PacketIds};
pub use publish::{Delivery, PayloadError, QmtPub, QmtPubEx, QmtPubExInline, QmtPubExTest};
pub use qmtcfg::{MqttItem, QmtCfg, QmtCfgOther, QmtCfgRead, QmtCfgTest};
pub use recv::{QmtRecv, QmtRecvRead, Recv, RecvSlots};
pub use result::{CloseResult, OpenResult, ReturnCode, StatCause};
pub use session::{
    Connection, ConnectionState, OpenClient, QmtClose, QmtConn, QmtConnRead, QmtDisc, QmtOpen,
    QmtOpenRead,
};
pub use subscribe::{MAX_TOPICS, QmtSub, QmtUns, TopicCountError, TopicFilter};
pub use urc::{Published, RULES, Stat, Urc};
pub use value::{MqttVersion, Qos, Value, Will, WillEx};

/// Milliseconds for a command that the manuals answer within 300 ms: slow lines, USB bridges and busy hosts come on top.
const SHORT_MS: u32 = 2_000;

/// Milliseconds until the acknowledgement of a packet has come or is given up, with a margin for the line.
///
/// The module sends a packet, waits, and repeats it: `packet_timeout_s` × (`retries` + 1), as set by
/// [`MqttItem::Timeout`].
///
/// ```
/// assert_eq!(quectel_mqtt::ack_timeout_ms(5, 3), 25_000);
/// ```
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTPUB (maximum response time).
pub const fn ack_timeout_ms(packet_timeout_s: u16, retries: u8) -> u32 {
    (packet_timeout_s as u32)
        .saturating_mul(retries as u32 + 1)
        .saturating_mul(1_000)
        .saturating_add(5_000)
}

#[cfg(test)]
mod tests {
    use quectel_at::{Command, Line, Writer};
    use std::string::String;

    /// The command without `AT` and CR.
    pub(crate) fn written(command: &dyn Command) -> String {
        let mut buf = [0; 512];
        let mut line = Writer::new(&mut buf);
        command.encode(&mut line);
        let len = line.finish().unwrap().len;
        String::from_utf8(buf[..len].to_vec()).unwrap()
    }

    /// Whether the command takes this line for an answer.
    pub(crate) fn is_answer(command: &dyn Command, bytes: &[u8]) -> bool {
        let answers = command.exchange().answers;
        answers.iter().flat_map(|list| list.iter()).any(|answer| {
            let params = Line::new(bytes).params(answer.name);
            params.is_some_and(answer.shape)
        })
    }
}
