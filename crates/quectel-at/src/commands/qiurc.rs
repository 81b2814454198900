//! The URC of the TCP/IP stack: `+QIURC`.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::NetworkError;
use crate::find::WIDE;
use crate::params::place;
use crate::{Line, Params};

/// What `+QIURC: "<kind>",…` tells.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, URCs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QiUrc<'a> {
    /// `"pdpdeact",<context>`: the network or a reset took the context away; `AT+QIDEACT` must come before `AT+QIACT`.
    PdpDeact {
        /// 1 to 16.
        context: u8,
    },
    /// `"closed",<id>`: the peer closed the socket; `AT+QICLOSE` frees it.
    Closed {
        /// 0 to 11.
        socket: u8,
    },
    /// `"recv",<id>[,<len>]`: data have come; without length they wait for `AT+QIRD`.
    Recv {
        /// 0 to 11.
        socket: u8,
        /// Bytes that follow the line in push mode.
        len: Option<u16>,
    },
    /// `"incoming",<id>,<server>,"<address>",<port>`: a listener accepted a connection.
    Incoming {
        /// The new socket, 0 to 11.
        socket: u8,
        /// The listener, 0 to 11.
        server: u8,
    },
    /// `"incoming full"`: a listener had no socket left.
    IncomingFull,
    /// `"dnsgip",<err>,<count>,<ttl>`: the lookup ended; so many [`QiUrc::DnsAddress`] follow.
    DnsGip {
        /// 0, or why it failed.
        error: NetworkError,
        /// Addresses that follow.
        count: u8,
        /// Seconds for which they hold.
        ttl_s: u32,
    },
    /// `"dnsgip","<address>"`: one address of the name.
    DnsAddress(&'a [u8]),
    /// A kind that is not in the manual, or one with parameters of another shape.
    Other(&'a [u8]),
}

/// The kinds that have parameters of their own, each with a NUL behind it.
const KINDS: &[u8] = b"pdpdeact\0closed\0recv\0incoming\0incoming full\0dnsgip\0";

/// The place of the last of the kinds.
const DNSGIP: usize = 5;

impl<'a> QiUrc<'a> {
    /// Reads a line; `None` if it is no `+QIURC`.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn parse(line: Line<'a>) -> Option<Self> {
        let params = line.params(b"+QIURC")?;
        if let Some(urc) = Self::usual(params.rest()) {
            return Some(urc);
        }
        Self::read(params)
    }

    /// The usual cases: data have come or a socket is closed, and its number is all that follows.
    #[inline]
    fn usual(text: &[u8]) -> Option<Self> {
        if !WIDE {
            return None;
        }
        let closed = text.strip_prefix(b"\"closed\",");
        let mut params = Params::new(match closed {
            Some(number) => number,
            None => text.strip_prefix(b"\"recv\",")?,
        });
        let socket = params.u8().ok().filter(|_| params.is_empty())?;
        Some(match closed {
            Some(_) => Self::Closed { socket },
            None => Self::Recv { socket, len: None },
        })
    }

    #[cfg_attr(target_pointer_width = "64", inline(never))]
    fn read(mut params: Params<'a>) -> Option<Self> {
        let word = params.piece()?.bytes;
        let kind = place(KINDS, word);
        if let Some(urc) = Self::of(kind, params) {
            return Some(urc);
        }
        if kind == DNSGIP
            && let Ok(address) = params.quoted()
        {
            return Some(Self::DnsAddress(address));
        }
        Some(Self::Other(word))
    }

    /// The kind at this place of [`KINDS`] with its numbers, if they are what it has.
    fn of(kind: usize, mut params: Params<'_>) -> Option<Self> {
        Some(match kind {
            0 => Self::PdpDeact {
                context: params.u8().ok()?,
            },
            1 => Self::Closed {
                socket: params.u8().ok()?,
            },
            2 => Self::Recv {
                socket: params.u8().ok()?,
                len: params.u16().ok(),
            },
            3 => Self::Incoming {
                socket: params.u8().ok()?,
                server: params.u8().ok()?,
            },
            4 => Self::IncomingFull,
            DNSGIP => Self::DnsGip {
                error: NetworkError::new(params.u16().ok()?),
                count: params.u8().unwrap_or(0),
                ttl_s: params.u32().unwrap_or(0),
            },
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_short_way_gives_what_the_long_way_gives(
            text in "\"(closed|recv)\",[0-9]{0,3}(,[0-9]{0,2})?|[ -~]{0,12}",
        ) {
            if let Some(short) = QiUrc::usual(text.as_bytes()) {
                prop_assert_eq!(Some(short), QiUrc::read(Params::new(text.as_bytes())));
            }
        }
    }

    #[test]
    fn urcs_of_the_manual_and_the_logs() {
        let dns = |code, count, ttl_s| QiUrc::DnsGip {
            error: NetworkError::new(code),
            count,
            ttl_s,
        };
        let cases: &[(&[u8], Option<QiUrc<'_>>)] = &[
            (
                b"+QIURC: \"pdpdeact\",1",
                Some(QiUrc::PdpDeact { context: 1 }),
            ),
            (b"+QIURC: \"closed\",0", Some(QiUrc::Closed { socket: 0 })),
            (
                b"+QIURC: \"recv\",2",
                Some(QiUrc::Recv {
                    socket: 2,
                    len: None,
                }),
            ),
            (
                b"+QIURC: \"recv\",0,4\r\ntest",
                Some(QiUrc::Recv {
                    socket: 0,
                    len: Some(4),
                }),
            ),
            (
                b"+QIURC: \"recv\",0,4,\"10.7.76.34\",7687\r\ntest",
                Some(QiUrc::Recv {
                    socket: 0,
                    len: Some(4),
                }),
            ),
            (
                b"+QIURC: \"incoming\",11,0,\"10.7.76.34\",54579",
                Some(QiUrc::Incoming {
                    socket: 11,
                    server: 0,
                }),
            ),
            (b"+QIURC: \"incoming full\"", Some(QiUrc::IncomingFull)),
            (b"+QIURC: \"dnsgip\",0,1,600", Some(dns(0, 1, 600))),
            (
                b"+QIURC: \"dnsgip\",0,1,4294967295",
                Some(dns(0, 1, u32::MAX)),
            ),
            (
                b"+QIURC: \"dnsgip\",\"1.2.3.4\"",
                Some(QiUrc::DnsAddress(b"1.2.3.4")),
            ),
            (b"+QIURC: \"dnsgip\",565", Some(dns(565, 0, 0))),
            (b"+QIURC: \"closed\"", Some(QiUrc::Other(b"closed"))),
            (b"+QIURC: \"news\",1", Some(QiUrc::Other(b"news"))),
            (b"+QIND: SMS DONE", None),
        ];
        for (line, expected) in cases {
            assert_eq!(QiUrc::parse(Line::new(line)), *expected);
        }
    }
}
