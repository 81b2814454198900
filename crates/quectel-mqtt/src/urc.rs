//! What MQTT reports by itself.

use quectel_at::{Line, ParamError, Params, PayloadForm, PayloadRule};

use crate::{
    CloseResult, ConnectResult, Granted, OpenResult, PubResult, Recv, StatCause, SubResult,
};

/// The lines that carry a payload, for [`quectel_at::Framer`] and [`quectel_at::Link`]: MQTT messages, and data of
/// sockets in push mode.
pub const RULES: &[PayloadRule] = &[
    PayloadRule {
        name: b"+QMTRECV",
        form: PayloadForm::Quoted,
    },
    PayloadRule {
        name: b"+QIURC",
        form: PayloadForm::Recv,
    },
    PayloadRule {
        name: b"+QSSLURC",
        form: PayloadForm::Recv,
    },
];

/// What became of a published message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the fields of the line")]
pub struct Published {
    /// Client, 0 to 5.
    pub client: u8,
    /// Packet identifier, 0 at QoS 0.
    pub msg_id: u16,
    /// What became of it.
    pub result: PubResult,
}

impl Published {
    /// Reads `+QMTPUB: <client>,<msgid>,<result>[,<value>]`, without what [`Urc::parse`] knows besides.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QMTPUB").ok_or(ParamError::WrongName)?;
        Self::read(params.u8()?, &mut params)
    }

    #[inline(always)]
    fn read(client: u8, params: &mut Params<'_>) -> Result<Self, ParamError> {
        Ok(Self {
            client,
            msg_id: params.u16()?,
            result: PubResult::read(params)?,
        })
    }
}

/// Why a client was closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the fields of the line")]
pub struct Stat {
    /// Client, 0 to 5.
    pub client: u8,
    /// Why.
    pub cause: StatCause,
}

impl Stat {
    /// Reads `+QMTSTAT: <client>,<cause>`, without what [`Urc::parse`] knows besides.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QMTSTAT").ok_or(ParamError::WrongName)?;
        Ok(Self {
            client: params.u8()?,
            cause: StatCause::from_code(params.i32()?),
        })
    }
}

/// An MQTT URC, or the late result of an MQTT command.
///
/// ```
/// use quectel_at::Line;
/// use quectel_mqtt::{ConnectResult, ReturnCode, Stat, StatCause, Urc};
/// let parse = |line| Urc::parse(Line::new(line));
/// let refused = ConnectResult::Refused(ReturnCode::NotAuthorized);
/// assert_eq!(parse(b"+QMTCONN: 0,0,5"), Some(Urc::Conn { client: 0, result: refused }));
/// let lost = Stat { client: 0, cause: StatCause::ConnackFailed };
/// assert_eq!(parse(b"+QMTSTAT: 0,4"), Some(Urc::Stat(lost)));
/// assert_eq!(parse(b"+CSQ: 24,99"), None);
/// ```
///
/// # Reference
/// BG96 MQTT Application Note V1.0; EC2x and BG95 notes for `recv/mode`, `+QMTPUBEX` and `+QMTPING`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Urc<'a> {
    /// `+QMTOPEN: <client>,<result>`
    Open {
        /// Client, 0 to 5.
        client: u8,
        /// Whether the connection is open.
        result: OpenResult,
    },
    /// `+QMTCLOSE: <client>,<result>`
    Close {
        /// Client, 0 to 5.
        client: u8,
        /// Whether it is closed.
        result: CloseResult,
    },
    /// `+QMTCONN: <client>,<result>[,<return code>]`
    Conn {
        /// Client, 0 to 5.
        client: u8,
        /// Whether MQTT is connected.
        result: ConnectResult,
    },
    /// `+QMTDISC: <client>,<result>`
    Disc {
        /// Client, 0 to 5.
        client: u8,
        /// Whether it is closed.
        result: CloseResult,
    },
    /// `+QMTSUB: <client>,<msgid>,<result>[,<value>…]`
    Sub {
        /// Client, 0 to 5.
        client: u8,
        /// Packet identifier.
        msg_id: u16,
        /// What the server granted.
        result: SubResult,
    },
    /// `+QMTUNS: <client>,<msgid>,<result>[,<value>]`
    Uns {
        /// Client, 0 to 5.
        client: u8,
        /// Packet identifier.
        msg_id: u16,
        /// Whether the server acknowledged.
        result: PubResult,
    },
    /// `+QMTPUB: <client>,<msgid>,<result>[,<value>]`
    Pub(Published),
    /// `+QMTPUBEX: <client>,<msgid>,<result>[,<value>]`
    PubEx(Published),
    /// `+QMTPUBREL: <client>,<result>,<msgid>`: the second half of QoS 2, with the fields in this order.
    PubRel(Published),
    /// `+QMTSTAT: <client>,<cause>`: the client is closed.
    Stat(Stat),
    /// `+QMTPING: <client>,<result>`: a PINGREQ was not answered.
    Ping {
        /// Client, 0 to 5.
        client: u8,
        /// 1: no PINGRESP.
        result: u8,
    },
    /// `+QMTRECV: <client>,<msgid>,"<topic>",…`: a message.
    Recv(Recv<'a>),
    /// `+QMTRECV: <client>,<slot>`: a message waits for [`QmtRecv`](crate::QmtRecv).
    RecvNotice {
        /// Client, 0 to 5.
        client: u8,
        /// Slot, 0 to 4.
        slot: u8,
    },
}

impl<'a> Urc<'a> {
    /// Reads a line; `None` if it is none of these.
    ///
    /// The answers of `AT+QMTCONN?` look like results: let [`quectel_at::Link`] decide which lines are URCs.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn parse(line: Line<'a>) -> Option<Self> {
        if !line.bytes().starts_with(b"+QMT") {
            return None;
        }
        // By far the most lines are these three.
        if let Ok(recv) = Recv::parse(line) {
            return Some(Self::Recv(recv));
        }
        if let Ok(published) = Published::parse(line) {
            return Some(Self::Pub(published));
        }
        if let Ok(stat) = Stat::parse(line) {
            return Some(Self::Stat(stat));
        }
        Self::other(line)
    }

    /// Reads a line that is none of the usual three.
    #[inline(never)]
    fn other(line: Line<'a>) -> Option<Self> {
        let rest = line.bytes().get(b"+QMT".len()..)?;
        // The longest of the names is PUBREL.
        let colon = rest.iter().take(7).position(|byte| *byte == b':')?;
        let (name, text) = rest.split_at_checked(colon)?;
        let mut params = Params::new(text.get(1..)?);
        let client = params.u8().ok()?;
        result(name, client, &mut params).ok()
    }

    /// The client that it is about.
    pub const fn client(&self) -> u8 {
        match self {
            Self::Open { client, .. }
            | Self::Close { client, .. }
            | Self::Conn { client, .. }
            | Self::Disc { client, .. }
            | Self::Sub { client, .. }
            | Self::Uns { client, .. }
            | Self::Ping { client, .. }
            | Self::RecvNotice { client, .. } => *client,
            Self::Pub(published) | Self::PubEx(published) | Self::PubRel(published) => {
                published.client
            }
            Self::Stat(stat) => stat.client,
            Self::Recv(recv) => recv.client,
        }
    }
}

fn result<'a>(name: &[u8], client: u8, params: &mut Params<'_>) -> Result<Urc<'a>, ParamError> {
    Ok(match name {
        b"RECV" => {
            let slot = params.u8()?;
            if !params.is_empty() {
                return Err(ParamError::WrongName);
            }
            Urc::RecvNotice { client, slot }
        }
        b"PUBEX" => Urc::PubEx(Published::read(client, params)?),
        b"OPEN" => Urc::Open {
            client,
            result: OpenResult::from_code(params.i32()?),
        },
        b"CLOSE" => Urc::Close {
            client,
            result: CloseResult::from_code(params.i32()?),
        },
        b"CONN" => {
            let result = params.i32()?;
            let return_code = if params.is_empty() {
                None
            } else {
                Some(params.i32()?)
            };
            Urc::Conn {
                client,
                result: ConnectResult::new(result, return_code),
            }
        }
        b"DISC" => Urc::Disc {
            client,
            result: CloseResult::from_code(params.i32()?),
        },
        b"SUB" => Urc::Sub {
            client,
            msg_id: params.u16()?,
            result: subscribed(params)?,
        },
        b"UNS" => {
            let ended = Published::read(client, params)?;
            Urc::Uns {
                client,
                msg_id: ended.msg_id,
                result: ended.result,
            }
        }
        b"PUBREL" => {
            let result = PubResult::new(params.i32()?);
            Urc::PubRel(Published {
                client,
                msg_id: params.u16()?,
                result,
            })
        }
        b"PING" => Urc::Ping {
            client,
            result: params.u8()?,
        },
        _ => return Err(ParamError::WrongName),
    })
}

fn subscribed(params: &mut Params<'_>) -> Result<SubResult, ParamError> {
    Ok(match params.i32()? {
        0 => {
            let mut granted = Granted::default();
            while !params.is_empty() {
                granted.push(params.u8()?);
            }
            SubResult::Acknowledged(granted)
        }
        1 => SubResult::Retransmission(params.u32().ok()),
        2 => SubResult::Failed,
        other => SubResult::Unknown(other),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Qos, ReturnCode};
    use std::vec::Vec;

    fn parse(line: &[u8]) -> Option<Urc<'_>> {
        Urc::parse(Line::new(line))
    }

    const fn published(msg_id: u16, result: PubResult) -> Published {
        Published {
            client: 0,
            msg_id,
            result,
        }
    }

    #[test]
    #[rustfmt::skip]
    fn results_of_the_logs() {
        let conn = |result| Some(Urc::Conn { client: 0, result });
        let open = |result| Some(Urc::Open { client: 0, result });
        let ack = PubResult::Acknowledged;
        let cases: &[(&[u8], Option<Urc<'_>>)] = &[
            (b"+QMTOPEN: 0,0", open(OpenResult::Opened)),
            (b"+QMTOPEN: 0,-1", open(OpenResult::NetworkFailed)),
            (b"+QMTOPEN: 1,-1", Some(Urc::Open { client: 1, result: OpenResult::NetworkFailed })),
            (b"+QMTOPEN: 0,2", open(OpenResult::Occupied)),
            (b"+QMTOPEN: 0,3", open(OpenResult::PdpFailed)),
            (b"+QMTOPEN: 0,4", open(OpenResult::DnsFailed)),
            (b"+QMTOPEN: 0,5", open(OpenResult::NetworkError)),
            (b"+QMTOPEN: 0,77", open(OpenResult::Unknown(77))),
            (b"+QMTCLOSE: 0,0", Some(Urc::Close { client: 0, result: CloseResult::Closed })),
            (b"+QMTCLOSE: 0,-1", Some(Urc::Close { client: 0, result: CloseResult::Failed })),
            (b"+QMTDISC: 0,0", Some(Urc::Disc { client: 0, result: CloseResult::Closed })),
            (b"+QMTCONN: 0,0,0", conn(ConnectResult::Accepted)),
            (b"+QMTCONN: 0,0", conn(ConnectResult::Accepted)),
            (b"+QMTCONN: 0,0,2", conn(ConnectResult::Refused(ReturnCode::IdentifierRejected))),
            (b"+QMTCONN: 0,0,5", conn(ConnectResult::Refused(ReturnCode::NotAuthorized))),
            (b"+QMTCONN: 0,0,9", conn(ConnectResult::Refused(ReturnCode::Unknown(9)))),
            (b"+QMTCONN: 0,1", conn(ConnectResult::Retransmission)),
            (b"+QMTCONN: 0,2", conn(ConnectResult::SendFailed)),
            (b"+QMTCONN: 0,7", conn(ConnectResult::Unknown(7))),
            (b"+QMTPUB: 0,1,0", Some(Urc::Pub(published(1, ack)))),
            (b"+QMTPUB: 0,0,0", Some(Urc::Pub(published(0, ack)))),
            (b"+QMTPUB: 0,7,1,2", Some(Urc::Pub(published(7, PubResult::Retransmission(Some(2)))))),
            (b"+QMTPUB: 0,65535,2", Some(Urc::Pub(published(65_535, PubResult::Failed)))),
            (b"+QMTPUBEX: 0,0,0", Some(Urc::PubEx(published(0, ack)))),
            (b"+QMTPUBEX: 0,1,0", Some(Urc::PubEx(published(1, ack)))),
            (b"+QMTPUBREL: 0,1,9", Some(Urc::PubRel(published(9, PubResult::Retransmission(None))))),
            (b"+QMTUNS: 0,3,0", Some(Urc::Uns { client: 0, msg_id: 3, result: ack })),
            (b"+QMTSUB: 0,3,2", Some(Urc::Sub { client: 0, msg_id: 3, result: SubResult::Failed })),
            (b"+QMTSUB: 0,3,1,2", Some(Urc::Sub { client: 0, msg_id: 3, result: SubResult::Retransmission(Some(2)) })),
            (b"+QMTPING: 0,1", Some(Urc::Ping { client: 0, result: 1 })),
            (b"+QMTRECV: 0,4", Some(Urc::RecvNotice { client: 0, slot: 4 })),
            // No URCs: answers, other names, rubbish.
            (b"+QMTOPEN: 0,\"host\",8883", None),
            (b"+QMTRECV: 0,0,0,0,0,1", None),
            (b"+QMTCFG: \"version\",4", None),
            (b"+QMTPUB: 0,70000,0", None),
            (b"+QMTPUB: 0", None),
            (b"+QMTSTAT", None),
            (b"+QMTSTAT:", None),
            (b"+QMTSTAT: ,", None),
            (b"+QMT", None),
            (b"+QMT:", None),
            (b"+QMTUNKNOWN: 0,0", None),
            (b"+CEREG: 1", None),
            (b"", None),
        ];
        for (line, expected) in cases {
            assert_eq!(parse(line), *expected, "{}", line.escape_ascii());
            if let Some(urc) = expected {
                assert_eq!(urc.client(), line[line.iter().position(|b| *b == b' ').unwrap() + 1] - b'0');
            }
        }
    }

    #[test]
    fn every_cause_of_a_lost_connection() {
        for (number, cause) in (1..).zip(StatCause::ALL) {
            let line = std::format!("+QMTSTAT: 2,{number}");
            assert_eq!(
                parse(line.as_bytes()),
                Some(Urc::Stat(Stat {
                    client: 2,
                    cause: *cause
                }))
            );
        }
        assert_eq!(
            parse(b"+QMTSTAT: 0,9"),
            Some(Urc::Stat(Stat {
                client: 0,
                cause: StatCause::Unknown(9)
            }))
        );
    }

    #[test]
    fn what_a_server_grants() {
        let granted = |line| match parse(line) {
            Some(Urc::Sub {
                client: 0,
                result: SubResult::Acknowledged(granted),
                ..
            }) => granted,
            other => panic!("{other:?}"),
        };
        let list = |line| granted(line).iter().collect::<Vec<_>>();
        assert_eq!(list(b"+QMTSUB: 0,2,0,1"), [Some(Qos::AtLeastOnce)]);
        assert_eq!(
            list(b"+QMTSUB: 0,1,0,0,1,128"),
            [Some(Qos::AtMostOnce), Some(Qos::AtLeastOnce), None]
        );
        assert_eq!(list(b"+QMTSUB: 0,1,0"), []);
        assert!(SubResult::Acknowledged(granted(b"+QMTSUB: 0,2,0,1")).is_ok());
        assert!(!SubResult::Acknowledged(granted(b"+QMTSUB: 0,2,0,128")).is_ok());
    }

    #[test]
    fn no_cut_of_a_line_panics() {
        for line in [
            &b"+QMTRECV: 0,0,\"t\",5,\"hello\""[..],
            b"+QMTRECV: 0,0,\"t\",2\r\nab",
            b"+QMTSUB: 0,1,0,0,1,128",
            b"+QMTCONN: 0,0,5",
            b"+QMTPUBREL: 0,1,9",
        ] {
            for end in 0..line.len() {
                let _ = parse(&line[..end]);
                for byte in [0, b'"', b',', b'\r', 0xFF] {
                    let mut changed = line.to_vec();
                    changed[end] = byte;
                    let _ = parse(&changed);
                }
            }
        }
    }
}
