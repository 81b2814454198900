//! Names and reachability: `+QIDNSCFG`, `+QIDNSGIP`, `+QPING`.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::{NetworkError, SHORT_MS};
use crate::{Answer, Command, Exchange, Line, ParamError, Params, Writer};

const QIDNSCFG: &[Answer] = &[Answer::once(b"+QIDNSCFG")];

/// `AT+QIDNSCFG=<context>`: asks for a context's DNS servers; answered by [`DnsServers`]. `ERROR` while the context is
/// not active.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QIDNSCFG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QidnsCfgRead {
    /// 1 to 16.
    pub context: u8,
}

impl Command for QidnsCfgRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QIDNSCFG").num(u32::from(self.context));
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(QIDNSCFG, SHORT_MS)
    }
}

/// The answer to [`QidnsCfgRead`]: `+QIDNSCFG: <context>,"<primary>","<secondary>"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct DnsServers<'a> {
    /// 1 to 16.
    pub context: u8,
    /// Address of the first server; empty if there is none.
    pub primary: &'a [u8],
    /// Address of the second server; empty if there is none.
    pub secondary: &'a [u8],
}

impl<'a> DnsServers<'a> {
    /// Reads the answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QIDNSCFG").ok_or(ParamError::WrongName)?;
        Ok(Self {
            context: params.u8()?,
            primary: params.bytes()?,
            secondary: params.bytes().unwrap_or_default(),
        })
    }
}

/// `AT+QIDNSCFG=<context>,"<primary>"[,"<secondary>"]`: sets a context's DNS servers.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QIDNSCFG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QidnsCfg<'a> {
    /// An active context, 1 to 16.
    pub context: u8,
    /// Address of the first server.
    pub primary: &'a str,
    /// Address of the second server.
    pub secondary: Option<&'a str>,
}

impl Command for QidnsCfg<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QIDNSCFG").num(u32::from(self.context));
        line.quoted(self.primary.as_bytes());
        if let Some(secondary) = self.secondary {
            line.quoted(secondary.as_bytes());
        }
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

/// `AT+QIDNSGIP=<context>,"<host>"`: looks a name up, one at a time; `OK` comes at once, then
/// [`QiUrc::DnsGip`](super::QiUrc).
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QIDNSGIP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QidnsGip<'a> {
    /// An active context, 1 to 16.
    pub context: u8,
    /// The name.
    pub host: &'a str,
}

impl QidnsGip<'_> {
    /// Milliseconds from `OK` until the last URC must have come.
    pub const RESULT_MS: u32 = 60_000;
}

impl Command for QidnsGip<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QIDNSGIP")
            .num(u32::from(self.context))
            .quoted(self.host.as_bytes());
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(5_000)
    }
}

/// `AT+QPING=<context>,"<host>",<timeout>,<count>`: pings a host; `OK` comes at once, then [`PingResult`] URCs.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QPING.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Qping<'a> {
    /// An active context, 1 to 16.
    pub context: u8,
    /// Name or address.
    pub host: &'a str,
    /// Seconds to wait for each reply, 1 to 255, usually 4.
    pub timeout_s: u8,
    /// Requests, 1 to 10, usually 4.
    pub count: u8,
}

impl Qping<'_> {
    /// Milliseconds from `OK` until the [`PingResult::Summary`] must have come: the name is looked up first.
    pub fn result_ms(&self) -> u32 {
        QidnsGip::RESULT_MS + u32::from(self.timeout_s) * u32::from(self.count) * 1_000
    }
}

impl Command for Qping<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QPING")
            .num(u32::from(self.context))
            .quoted(self.host.as_bytes())
            .num(u32::from(self.timeout_s))
            .num(u32::from(self.count));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(5_000)
    }
}

/// One URC of [`Qping`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PingResult<'a> {
    /// One reply: `+QPING: 0,"<address>",<bytes>,<ms>,<ttl>`.
    Reply {
        /// Who replied.
        address: &'a [u8],
        /// Bytes of the request.
        bytes: u16,
        /// Milliseconds until the reply.
        ms: u32,
        /// Hops left.
        ttl: u8,
    },
    /// The end: `+QPING: 0,<sent>,<received>,<lost>,<min>,<max>,<average>`.
    Summary {
        /// Requests sent.
        sent: u8,
        /// Replies received.
        received: u8,
        /// Least milliseconds until a reply.
        min_ms: u32,
        /// Most milliseconds until a reply.
        max_ms: u32,
        /// Milliseconds until a reply on average.
        average_ms: u32,
    },
    /// One request without reply (569), or the end because nothing could be sent (561, 565).
    Failed(NetworkError),
}

impl<'a> PingResult<'a> {
    /// Reads the URC.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QPING").ok_or(ParamError::WrongName)?;
        let error = NetworkError::new(params.u16()?);
        if !error.is_ok() {
            return Ok(Self::Failed(error));
        }
        let mut peek = params;
        if peek.param()?.quoted {
            return Ok(Self::Reply {
                address: params.bytes()?,
                bytes: params.u16()?,
                ms: params.u32()?,
                ttl: params.u8()?,
            });
        }
        Self::summary(params)
    }

    fn summary(mut params: Params<'_>) -> Result<Self, ParamError> {
        let (sent, received) = (params.u8()?, params.u8()?);
        params.u8()?;
        Ok(Self::Summary {
            sent,
            received,
            min_ms: params.u32()?,
            max_ms: params.u32()?,
            average_ms: params.u32()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::{parses, written};

    #[test]
    fn commands_as_typed() {
        let one = QidnsCfg {
            context: 1,
            primary: "8.8.8.8",
            secondary: None,
        };
        let two = QidnsCfg {
            secondary: Some("1.1.1.1"),
            ..one
        };
        let gip = QidnsGip {
            context: 1,
            host: "hub.azure-devices.net",
        };
        let ping = Qping {
            context: 1,
            host: "www.baidu.com",
            timeout_s: 4,
            count: 10,
        };
        let cases: &[(&dyn Command, &str)] = &[
            (&QidnsCfgRead { context: 1 }, "+QIDNSCFG=1"),
            (&one, "+QIDNSCFG=1,\"8.8.8.8\""),
            (&two, "+QIDNSCFG=1,\"8.8.8.8\",\"1.1.1.1\""),
            (&gip, "+QIDNSGIP=1,\"hub.azure-devices.net\""),
            (&ping, "+QPING=1,\"www.baidu.com\",4,10"),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
        assert_eq!(ping.result_ms(), 100_000);
    }

    #[test]
    fn servers() {
        let servers = |primary: &'static [u8], secondary: &'static [u8]| {
            Ok(DnsServers {
                context: 1,
                primary,
                secondary,
            })
        };
        parses(
            DnsServers::parse,
            &[
                (
                    "+QIDNSCFG: 1,\"10.0.0.10\",\"10.0.0.11\"",
                    servers(b"10.0.0.10", b"10.0.0.11"),
                ),
                ("+QIDNSCFG: 1,\"10.0.0.10\"", servers(b"10.0.0.10", b"")),
                ("+QIDNSCFG: 1", Err(ParamError::Missing)),
                ("+QIDNSGIP: 1", Err(ParamError::WrongName)),
            ],
        );
    }

    #[test]
    fn pings() {
        parses(
            PingResult::parse,
            &[
                (
                    "+QPING: 0,\"61.135.169.125\",32,192,255",
                    Ok(PingResult::Reply {
                        address: b"61.135.169.125",
                        bytes: 32,
                        ms: 192,
                        ttl: 255,
                    }),
                ),
                (
                    "+QPING: 0,4,4,0,192,479,287",
                    Ok(PingResult::Summary {
                        sent: 4,
                        received: 4,
                        min_ms: 192,
                        max_ms: 479,
                        average_ms: 287,
                    }),
                ),
                (
                    "+QPING: 569",
                    Ok(PingResult::Failed(NetworkError::new(569))),
                ),
                ("+QPING: 0", Err(ParamError::Missing)),
                ("+QPING: 0,4,4", Err(ParamError::Missing)),
            ],
        );
    }
}
