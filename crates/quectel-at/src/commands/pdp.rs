//! Data contexts: `+QICSGP`, `+QIACT`, `+QIDEACT`, `+CGPADDR`.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::SHORT_MS;
use crate::{Answer, Command, Exchange, Line, ParamError, Writer};

const QICSGP: &[Answer] = &[Answer::once(b"+QICSGP")];
const QIACT: &[Answer] = &[Answer::many(b"+QIACT")];
const CGPADDR: &[Answer] = &[Answer::many(b"+CGPADDR")];

/// `AT+QICSGP=<context>`: asks for a context's settings; answered by [`QicsgpRead::parse`].
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QICSGP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QicsgpRead {
    /// 1 to 16; EC200-class 1 to 15.
    pub context: u8,
}

impl QicsgpRead {
    /// Reads the answer `+QICSGP: <type>,"<apn>","<user>","<password>",<auth>`; the context is not in it.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<ContextSettings<'_>, ParamError> {
        let mut params = line.params(b"+QICSGP").ok_or(ParamError::WrongName)?;
        let (kind, apn, user) = (params.u8()?, params.bytes()?, params.bytes()?);
        params.bytes()?;
        Ok(ContextSettings {
            kind,
            apn,
            user,
            auth: params.u8()?,
        })
    }
}

impl Command for QicsgpRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QICSGP").num(u32::from(self.context));
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(QICSGP, SHORT_MS)
    }
}

/// The answer to [`QicsgpRead`], without the password.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextSettings<'a> {
    /// 1 IPv4, 2 IPv6, 3 both.
    pub kind: u8,
    /// Access point name; empty if none is set.
    pub apn: &'a [u8],
    /// User name; empty if none is set.
    pub user: &'a [u8],
    /// 0 none, 1 PAP, 2 CHAP, 3 either.
    pub auth: u8,
}

/// `AT+QICSGP=<context>,1,"<apn>"[,"<user>","<password>",<auth>]`: sets up an IPv4 context.
///
/// User, password and method are left out where there is none of them.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QICSGP.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Qicsgp<'a> {
    /// 1 to 16; EC200-class 1 to 15.
    pub context: u8,
    /// Access point name.
    pub apn: &'a str,
    /// User name; empty for none.
    pub user: &'a str,
    /// Password; secret.
    pub password: &'a str,
    /// 0 none, 1 PAP, 2 CHAP, 3 either.
    pub auth: u8,
}

impl core::fmt::Debug for Qicsgp<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Qicsgp")
            .field("context", &self.context)
            .field("apn", &self.apn)
            .field("user", &self.user)
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

impl Command for Qicsgp<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QICSGP").num(u32::from(self.context)).num(1);
        line.quoted(self.apn.as_bytes());
        if !self.user.is_empty() || self.auth != 0 {
            line.quoted(self.user.as_bytes());
            line.secret(self.password.as_bytes());
            line.num(u32::from(self.auth));
        }
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

/// `AT+QIACT?`: asks for the active contexts; answered by any number of [`ActiveContext`] lines.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QIACT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QiactRead;

impl Command for QiactRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.read("+QIACT");
    }

    fn exchange(&self) -> Exchange {
        Exchange::maybe(QIACT, SHORT_MS)
    }
}

/// One line of the answer to [`QiactRead`]: `+QIACT: <context>,<state>,<type>,"<address>"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ActiveContext<'a> {
    /// 1 to 16.
    pub context: u8,
    /// 1 active, 0 not.
    pub state: u8,
    /// 1 IPv4, 2 IPv6, 3 both.
    pub kind: u8,
    /// The module's address in this context; the IPv4 one of two.
    pub address: &'a [u8],
}

impl<'a> ActiveContext<'a> {
    /// Reads an answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QIACT").ok_or(ParamError::WrongName)?;
        Ok(Self {
            context: params.u8()?,
            state: params.u8()?,
            kind: params.u8()?,
            // A context that is not active has no address.
            address: params.bytes().unwrap_or_default(),
        })
    }
}

/// `AT+QIACT=<context>`: activates a context, at most 150 s; at most three may be active.
///
/// Many families answer `ERROR` if it is active already; the reason is in [`QiGetError`](super::QiGetError).
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QIACT; BG770A, EC600S and BG95 logs (`ERROR`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Qiact {
    /// 1 to 16; EC200-class 1 to 15.
    pub context: u8,
}

impl Command for Qiact {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QIACT").num(u32::from(self.context));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(150_000)
    }
}

/// `AT+QIDEACT=<context>`: deactivates a context, at most 40 s; its sockets and MQTT clients end.
///
/// Needed before [`Qiact`] works again once the network has taken the context away.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QIDEACT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Qideact {
    /// 1 to 16; EC200-class 1 to 15.
    pub context: u8,
}

impl Command for Qideact {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QIDEACT").num(u32::from(self.context));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(40_000)
    }
}

/// `AT+CGPADDR=<context>`: asks for a context's address; answered by [`ContextAddress`].
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+CGPADDR; LTEmC (BG9x says nothing without a context).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Cgpaddr {
    /// 1 to 16.
    pub context: u8,
}

impl Command for Cgpaddr {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+CGPADDR").num(u32::from(self.context));
    }

    fn exchange(&self) -> Exchange {
        Exchange::maybe(CGPADDR, SHORT_MS)
    }
}

/// The answer to [`Cgpaddr`]: `+CGPADDR: <context>[,"<address>"]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct ContextAddress<'a> {
    /// 1 to 16.
    pub context: u8,
    /// The module's address in this context, if it has one.
    pub address: Option<&'a [u8]>,
}

impl<'a> ContextAddress<'a> {
    /// Reads the answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+CGPADDR").ok_or(ParamError::WrongName)?;
        Ok(Self {
            context: params.u8()?,
            address: params
                .bytes()
                .ok()
                .filter(|address| !matches!(*address, b"" | b"0.0.0.0")),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::{parses, written};

    #[test]
    fn commands_as_typed() {
        let open = Qicsgp {
            context: 1,
            apn: "fast.t-mobile.com",
            user: "",
            password: "",
            auth: 0,
        };
        let closed = Qicsgp {
            user: "u",
            password: "p",
            auth: 1,
            ..open
        };
        let cases: &[(&dyn Command, &str)] = &[
            (&QicsgpRead { context: 1 }, "+QICSGP=1"),
            (&open, "+QICSGP=1,1,\"fast.t-mobile.com\""),
            (&closed, "+QICSGP=1,1,\"fast.t-mobile.com\",\"u\",\"p\",1"),
            (
                &Qicsgp { auth: 3, ..open },
                "+QICSGP=1,1,\"fast.t-mobile.com\",\"\",\"\",3",
            ),
            (&QiactRead, "+QIACT?"),
            (&Qiact { context: 1 }, "+QIACT=1"),
            (&Qideact { context: 16 }, "+QIDEACT=16"),
            (&Cgpaddr { context: 1 }, "+CGPADDR=1"),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
        assert_eq!(Qiact { context: 1 }.exchange().timeout_ms, 150_000);
        assert_eq!(Qideact { context: 1 }.exchange().timeout_ms, 40_000);
    }

    #[test]
    fn the_password_is_secret() {
        let login = Qicsgp {
            context: 1,
            apn: "a",
            user: "me",
            password: "hush",
            auth: 1,
        };
        let mut buf = [0; 64];
        let mut line = Writer::new(&mut buf);
        login.encode(&mut line);
        let secret = line.finish().unwrap().secret.unwrap();
        assert_eq!(&buf[secret], b"hush");
        assert!(!std::format!("{login:?}").contains("hush"));
    }

    #[test]
    fn settings_and_addresses() {
        let settings = |kind, apn: &'static [u8], user: &'static [u8], auth| {
            Ok(ContextSettings {
                kind,
                apn,
                user,
                auth,
            })
        };
        parses(
            QicsgpRead::parse,
            &[
                ("+QICSGP: 1,\"\",\"\",\"\",0", settings(1, b"", b"", 0)),
                (
                    "+QICSGP: 1,\"fast.t-mobile.com\",\"\",\"\",0",
                    settings(1, b"fast.t-mobile.com", b"", 0),
                ),
                ("+QICSGP: 3,\"a\",\"u\",\"p\",2", settings(3, b"a", b"u", 2)),
                ("+QICSGP: 1,\"a\"", Err(ParamError::Missing)),
                ("+QIACT: 1,1,1,\"\"", Err(ParamError::WrongName)),
            ],
        );
        let active = |context, state, kind, address: &'static [u8]| {
            Ok(ActiveContext {
                context,
                state,
                kind,
                address,
            })
        };
        parses(
            ActiveContext::parse,
            &[
                (
                    "+QIACT: 1,1,1,\"10.0.0.172\"",
                    active(1, 1, 1, b"10.0.0.172"),
                ),
                (
                    "+QIACT: 1,1,3,\"10.2.0.114\",\"2001:db8::1\"",
                    active(1, 1, 3, b"10.2.0.114"),
                ),
                ("+QIACT: 2,0,1", active(2, 0, 1, b"")),
                ("+QIACT: 1", Err(ParamError::Missing)),
                ("+QIACT: x,1,1", Err(ParamError::NotANumber)),
            ],
        );
        let address = |context, address| Ok(ContextAddress { context, address });
        parses(
            ContextAddress::parse,
            &[
                (
                    "+CGPADDR: 1,\"10.76.51.180\"",
                    address(1, Some(b"10.76.51.180")),
                ),
                (
                    "+CGPADDR: 1,10.76.51.180",
                    address(1, Some(b"10.76.51.180")),
                ),
                ("+CGPADDR: 2,\"\"", address(2, None)),
                ("+CGPADDR: 2,0.0.0.0", address(2, None)),
                ("+CGPADDR: 2", address(2, None)),
                ("+CGPADDR: ", Err(ParamError::NotANumber)),
            ],
        );
    }
}
