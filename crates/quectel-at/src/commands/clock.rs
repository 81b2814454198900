//! The module's clock: `+CCLK`, `+QLTS`, `+QNTP`, `+CTZU`.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::{DateTime, NetworkError, SHORT_MS};
use crate::{Answer, Command, Exchange, Line, ParamError, Params, Writer};

const CCLK: &[Answer] = &[Answer::once(b"+CCLK")];
const QLTS: &[Answer] = &[Answer::once(b"+QLTS")];

/// `AT+CCLK?`: asks for the clock; answered by [`CclkRead::parse`].
///
/// Certificates are checked against it. Without network time it begins in 1980, 1970 or 2004. Families disagree
/// whether it is local or GMT, so its zone is not to be trusted.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+CCLK; TinyGSM (zones).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct CclkRead;

impl CclkRead {
    /// Reads the answer `+CCLK: "yy/MM/dd,hh:mm:ss±zz"`.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<DateTime, ParamError> {
        let params = line.params(b"+CCLK").ok_or(ParamError::WrongName)?;
        DateTime::parse(date_text(params)?)
    }
}

impl Command for CclkRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.read("+CCLK");
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(CCLK, SHORT_MS)
    }
}

/// `AT+CCLK="yy/MM/dd,hh:mm:ss±zz"`: sets the clock.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+CCLK.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct CclkSet {
    /// The time; the year is written with two digits.
    pub time: DateTime,
}

impl Command for CclkSet {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+CCLK").quoted(&self.time.short());
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

/// `AT+QLTS=<mode>`: asks for the time that the network told; answered by [`Qlts::parse`].
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+QLTS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Qlts {
    /// 0 as last told, 1 now in GMT, 2 now in local time.
    pub mode: u8,
}

impl Qlts {
    /// Reads the answer `+QLTS: "yyyy/MM/dd,hh:mm:ss±zz,<dst>"`; `None` if the network has not told any time.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Option<DateTime>, ParamError> {
        let params = line.params(b"+QLTS").ok_or(ParamError::WrongName)?;
        match date_text(params)? {
            [] => Ok(None),
            text => DateTime::parse(text).map(Some),
        }
    }
}

impl Command for Qlts {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QLTS").num(u32::from(self.mode));
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(QLTS, SHORT_MS)
    }
}

/// The text of a date, which has commas of its own, with or without quotes.
fn date_text(mut params: Params<'_>) -> Result<&[u8], ParamError> {
    let whole = params.rest();
    let param = params.param()?;
    Ok(if param.quoted {
        param.bytes
    } else {
        whole.trim_ascii()
    })
}

/// `AT+QNTP=<context>,"<server>",<port>,<set>`: asks a time server; `OK` comes at once, then [`NtpResult`].
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+QNTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Qntp<'a> {
    /// An active context, 1 to 16.
    pub context: u8,
    /// Name or address of the server.
    pub server: &'a str,
    /// 1 to 65,535, usually 123.
    pub port: u16,
    /// Whether the module sets its clock by the answer.
    pub set_clock: bool,
}

impl Qntp<'_> {
    /// Milliseconds from `OK` until the [`NtpResult`] must have come.
    pub const RESULT_MS: u32 = 125_000;
}

impl Command for Qntp<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QNTP")
            .num(u32::from(self.context))
            .quoted(self.server.as_bytes())
            .num(u32::from(self.port))
            .num(u32::from(self.set_clock));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(5_000)
    }
}

/// The URC that ends [`Qntp`]: `+QNTP: <err>[,"yyyy/MM/dd,hh:mm:ss±zz"]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NtpResult {
    /// 0, or a TCP/IP error code such as 561, 565 or 569; see [`NtpResult::reason`].
    pub error: u16,
    /// The server's time.
    pub time: Option<DateTime>,
}

impl NtpResult {
    /// Reads the URC.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QNTP").ok_or(ParamError::WrongName)?;
        let error = params.u16()?;
        let time = match date_text(params) {
            Ok([]) | Err(ParamError::Missing) => None,
            Ok(text) => Some(DateTime::parse(text)?),
            Err(error) => return Err(error),
        };
        Ok(Self { error, time })
    }

    /// The error in words.
    pub fn reason(self) -> NetworkError {
        NetworkError::new(self.error)
    }
}

/// `AT+CTZU=<mode>`: whether network time sets the clock; stored.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+CTZU; EC2x AT Commands Manual, AT+CTZU (3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Ctzu {
    /// 0 no, 1 yes; EC2x also 3: yes, and in local time.
    pub mode: u8,
}

impl Command for Ctzu {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+CTZU").num(u32::from(self.mode));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::{parses, written};

    #[test]
    fn commands_as_typed() {
        let time = DateTime::from_unix_s(1_786_104_000).unwrap();
        let ntp = Qntp {
            context: 1,
            server: "pool.ntp.org",
            port: 123,
            set_clock: true,
        };
        let cases: &[(&dyn Command, &str)] = &[
            (&CclkRead, "+CCLK?"),
            (&CclkSet { time }, "+CCLK=\"26/08/07,12:00:00+00\""),
            (&Qlts { mode: 1 }, "+QLTS=1"),
            (&ntp, "+QNTP=1,\"pool.ntp.org\",123,1"),
            (&Ctzu { mode: 1 }, "+CTZU=1"),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
    }

    #[test]
    fn clocks_of_the_logs() {
        let unix = |date: DateTime| date.unix_s();
        parses(
            |line| CclkRead::parse(line).map(unix),
            &[
                ("+CCLK: \"80/01/06,00:00:31+00\"", Ok(Some(315_964_831))),
                ("+CCLK: \"26/08/07,12:00:00+00\"", Ok(Some(1_786_104_000))),
                ("+CCLK: 26/08/07,12:00:00+00", Ok(Some(1_786_104_000))),
                ("+CCLK: \"26/08/07\"", Err(ParamError::Missing)),
                ("+CCLK: \"\"", Err(ParamError::Missing)),
                (
                    "+CCLK: \"26/99/07,12:00:00+00\"",
                    Err(ParamError::NotANumber),
                ),
                ("+QLTS: \"\"", Err(ParamError::WrongName)),
            ],
        );
        parses(
            |line| Qlts::parse(line).map(|date| date.and_then(unix)),
            &[
                (
                    "+QLTS: \"2017/01/13,03:40:48+32,0\"",
                    Ok(Some(1_484_250_048)),
                ),
                ("+QLTS: \"17/01/13,03:40:48+32,1\"", Ok(Some(1_484_250_048))),
                ("+QLTS: \"\"", Ok(None)),
                ("+QLTS: ", Ok(None)),
                ("+QLTS: \"now\"", Err(ParamError::NotANumber)),
            ],
        );
    }

    #[test]
    fn results_of_the_time_server() {
        let time = DateTime::parse(b"2026/07/18,16:32:18-20").ok();
        assert!(time.is_some());
        parses(
            NtpResult::parse,
            &[
                (
                    "+QNTP: 0,\"2026/07/18,16:32:18-20\"",
                    Ok(NtpResult { error: 0, time }),
                ),
                (
                    "+QNTP: 569",
                    Ok(NtpResult {
                        error: 569,
                        time: None,
                    }),
                ),
                ("+QNTP: \"pool.ntp.org\",123", Err(ParamError::NotANumber)),
                ("+QNTP: 0,\"later\"", Err(ParamError::NotANumber)),
            ],
        );
        let failed = NtpResult::parse(Line::new(b"+QNTP: 565")).unwrap();
        assert_eq!(failed.reason().text(), "DNS parse failed");
    }
}
