//! TLS sockets: `+QSSLOPEN`, `+QSSLSEND`, `+QSSLRECV`, `+QSSLCLOSE`, `+QSSLSTATE`.

use quectel_at::{
    Answer, Command, DataPhase, Exchange, Line, ParamError, PayloadForm, PayloadRule, Writer,
};

const RECV: &[Answer] = &[Answer::once(b"+QSSLRECV")];
/// Where the answer announces its data.
const RECV_DATA: PayloadRule = PayloadRule {
    name: b"+QSSLRECV",
    form: PayloadForm::NextLine,
};
const STATE: &[Answer] = &[Answer::many(b"+QSSLSTATE")];

/// How received data come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum AccessMode {
    /// 0: `+QSSLURC: "recv",<id>` announces them and [`QsslRecv`] reads them.
    #[default]
    Buffer,
    /// 1: inside the URC.
    Push,
    /// 2: raw; the module says `CONNECT` and the line belongs to the socket.
    Transparent,
}

/// `AT+QSSLOPEN=<pdp>,<ssl>,<id>,"<host>",<port>,<mode>`: connects; after `OK` the result comes as
/// [`Urc::Open`](crate::Urc::Open).
///
/// # Reference
/// BG96 SSL AT Commands Manual V1.0, AT+QSSLOPEN; EG800K log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QsslOpen<'a> {
    /// PDP context, 1 to 16.
    pub pdp_context: u8,
    /// TLS context, 0 to 5.
    pub ssl_context: u8,
    /// Socket, 0 to 11.
    pub id: u8,
    /// Name or address.
    pub host: &'a str,
    /// Port.
    pub port: u16,
    /// How received data come.
    pub mode: AccessMode,
}

impl QsslOpen<'_> {
    /// Milliseconds until the result must have come, besides the context's `negotiatetime`.
    pub const RESULT_TIMEOUT_MS: u32 = 150_000;
}

impl Command for QsslOpen<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QSSLOPEN")
            .num(u32::from(self.pdp_context))
            .num(u32::from(self.ssl_context))
            .num(u32::from(self.id))
            .quoted(self.host.as_bytes())
            .num(u32::from(self.port))
            .num(match self.mode {
                AccessMode::Buffer => 0,
                AccessMode::Push => 1,
                AccessMode::Transparent => 2,
            });
    }

    fn exchange(&self) -> Exchange {
        match self.mode {
            // CONNECT itself is the result.
            AccessMode::Transparent => Exchange::plain(Self::RESULT_TIMEOUT_MS),
            AccessMode::Buffer | AccessMode::Push => Exchange::plain(15_000),
        }
    }
}

/// `AT+QSSLSEND=<id>[,<length>]`: after the prompt the payload goes out; ends with `SEND OK` or `SEND FAIL`.
///
/// # Reference
/// BG96 SSL AT Commands Manual V1.0, AT+QSSLSEND.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QsslSend {
    /// Socket, 0 to 11.
    pub id: u8,
    /// Bytes that follow, 1 to 1,460; `None` ends them with Ctrl-Z, which they then must not hold.
    pub length: Option<u16>,
}

impl Command for QsslSend {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QSSLSEND").num(u32::from(self.id));
        if let Some(length) = self.length {
            line.num(u32::from(length));
        }
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(10_000).with_data(DataPhase::Prompt {
            ctrl_z: self.length.is_none(),
        })
    }
}

/// `AT+QSSLRECV=<id>,<length>`: reads what has been received; answered by [`Received`].
///
/// # Reference
/// BG96 SSL AT Commands Manual V1.0, AT+QSSLRECV; EG800K log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QsslRecv {
    /// Socket, 0 to 11.
    pub id: u8,
    /// At most so many bytes, 1 to 1,500.
    pub length: u16,
}

impl Command for QsslRecv {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QSSLRECV")
            .num(u32::from(self.id))
            .num(u32::from(self.length));
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(RECV, 5_000).with_data(DataPhase::Counted { rule: &RECV_DATA })
    }
}

/// The answer to [`QsslRecv`]: `+QSSLRECV: <n>` CR LF and n bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Received<'a> {
    /// The bytes as they came; empty when there are none.
    pub data: &'a [u8],
}

impl<'a> Received<'a> {
    /// Reads the answer line with its payload.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape; [`ParamError::Missing`] if bytes are missing.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let (head, data) = split_payload(line);
        let count = head
            .params(b"+QSSLRECV")
            .ok_or(ParamError::WrongName)?
            .u16()?;
        let data = data.get(..usize::from(count)).ok_or(ParamError::Missing)?;
        Ok(Self { data })
    }
}

/// The line proper and the payload behind its CR LF.
pub(crate) fn split_payload(line: Line<'_>) -> (Line<'_>, &[u8]) {
    let bytes = line.bytes();
    let Some(end) = bytes.iter().position(|&b| b == b'\r') else {
        return (line, &[]);
    };
    let (head, tail) = bytes.split_at(end);
    let payload = match tail {
        [b'\r', b'\n', payload @ ..] | [b'\r', payload @ ..] => payload,
        _ => tail,
    };
    (Line::new(head), payload)
}

/// `AT+QSSLCLOSE=<id>[,<timeout>]`: closes a socket.
///
/// # Reference
/// BG96 SSL AT Commands Manual V1.0, AT+QSSLCLOSE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QsslClose {
    /// Socket, 0 to 11.
    pub id: u8,
    /// Seconds for the peer to agree, 0 to 65,535 (milliseconds with `closetimemode` 1); 10 when left out.
    pub timeout_s: Option<u16>,
}

impl Command for QsslClose {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QSSLCLOSE").num(u32::from(self.id));
        if let Some(timeout_s) = self.timeout_s {
            line.num(u32::from(timeout_s));
        }
    }

    fn exchange(&self) -> Exchange {
        let timeout_s = u32::from(self.timeout_s.unwrap_or(10));
        Exchange::plain(timeout_s * 1_000 + 5_000)
    }
}

/// `AT+QSSLSTATE[=<id>]`: lists the open sockets; answered by any number of [`SocketState`] lines.
///
/// # Reference
/// BG96 SSL AT Commands Manual V1.0, AT+QSSLSTATE; EG800K log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QsslState {
    /// One socket, or all.
    pub id: Option<u8>,
}

impl Command for QsslState {
    fn encode(&self, line: &mut Writer<'_>) {
        match self.id {
            Some(id) => line.set("+QSSLSTATE").num(u32::from(id)),
            None => line.raw("+QSSLSTATE"),
        };
    }

    fn exchange(&self) -> Exchange {
        Exchange::maybe(STATE, 2_000)
    }
}

/// One open socket: `+QSSLSTATE: <id>,"SSLClient","<ip>",<port>,<local port>,<state>,<pdp>,…,<ssl>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketState<'a> {
    /// Socket.
    pub id: u8,
    /// The peer's address.
    pub address: &'a str,
    /// The peer's port.
    pub port: u16,
    /// The own port; EG800K reports 0.
    pub local_port: u16,
    /// 0 initial, 1 opening, 2 connected, 3 listening, 4 closing. A live BG96 client socket has been seen with 3.
    pub state: u8,
    /// PDP context.
    pub pdp_context: u8,
    /// TLS context, if the line tells it.
    pub ssl_context: Option<u8>,
}

impl<'a> SocketState<'a> {
    /// Reads an answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QSSLSTATE").ok_or(ParamError::WrongName)?;
        let id = params.u8()?;
        let _client = params.bytes()?;
        let mut state = Self {
            id,
            address: params.text()?,
            port: params.u16()?,
            local_port: params.u16()?,
            state: params.u8()?,
            pdp_context: params.u8()?,
            ssl_context: None,
        };
        // Server, mode and serial port stand before it.
        for _ in 0..3 {
            let _ = params.bytes();
        }
        state.ssl_context = params.u8().ok();
        Ok(state)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::written;
    use quectel_at::{Event, Link, Payload, ResultCode};

    #[test]
    fn commands() {
        let open = QsslOpen {
            pdp_context: 1,
            ssl_context: 1,
            id: 4,
            host: "tcpbin.com",
            port: 4243,
            mode: AccessMode::Buffer,
        };
        let cases: &[(&dyn Command, &str)] = &[
            (&open, "+QSSLOPEN=1,1,4,\"tcpbin.com\",4243,0"),
            (
                &QsslSend {
                    id: 4,
                    length: Some(15),
                },
                "+QSSLSEND=4,15",
            ),
            (
                &QsslSend {
                    id: 4,
                    length: None,
                },
                "+QSSLSEND=4",
            ),
            (
                &QsslRecv {
                    id: 4,
                    length: 1500,
                },
                "+QSSLRECV=4,1500",
            ),
            (
                &QsslClose {
                    id: 4,
                    timeout_s: None,
                },
                "+QSSLCLOSE=4",
            ),
            (
                &QsslClose {
                    id: 4,
                    timeout_s: Some(0),
                },
                "+QSSLCLOSE=4,0",
            ),
            (&QsslState { id: None }, "+QSSLSTATE"),
            (&QsslState { id: Some(4) }, "+QSSLSTATE=4"),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
    }

    #[test]
    fn state_of_an_eg800k() {
        let line =
            Line::new(b"+QSSLSTATE: 4,\"SSLClient\",\"45.79.112.203\",4243,0,2,1,4,0,\"uart1\",1");
        assert_eq!(
            SocketState::parse(line),
            Ok(SocketState {
                id: 4,
                address: "45.79.112.203",
                port: 4243,
                local_port: 0,
                state: 2,
                pdp_context: 1,
                ssl_context: Some(1)
            })
        );
        assert_eq!(
            SocketState::parse(Line::new(b"+QSSLSTATE: 4")),
            Err(ParamError::Missing)
        );
    }

    #[test]
    fn received_bytes_are_data_whatever_they_look_like() {
        type Expected = Result<&'static [u8], ParamError>;
        let cases: &[(&[u8], Expected)] = &[
            (b"+QSSLRECV: 0", Ok(b"")),
            (b"+QSSLRECV: 6\r\n\r\nOK\r\n", Ok(b"\r\nOK\r\n")),
            (b"+QSSLRECV: 2\r\nab", Ok(b"ab")),
            (b"+QSSLRECV: 3\r\nab", Err(ParamError::Missing)),
            (b"+QSSLRECV: x", Err(ParamError::NotANumber)),
            (b"+QIRD: 0", Err(ParamError::WrongName)),
        ];
        for (line, expected) in cases {
            assert_eq!(Received::parse(Line::new(line)).map(|r| r.data), *expected);
        }
    }

    #[test]
    fn echo_test_over_the_link() {
        let (mut rx, mut tx) = ([0; 128], [0; 128]);
        let mut link = Link::new(&mut rx, &mut tx, crate::RULES);
        let mut chunk = [0; 64];
        link.send_with(
            0,
            &QsslSend {
                id: 4,
                length: Some(3),
            },
            Payload::Copied(b"abc"),
        )
        .unwrap();
        link.poll_transmit(&mut chunk);
        assert!(link.poll(1, &mut &b"\r\n> "[..]).is_none());
        let n = link.poll_transmit(&mut chunk);
        assert_eq!(&chunk[..n], b"abc");
        let mut input = &b"\r\nSEND OK\r\n\r\n+QSSLURC: \"recv\",4\r\n"[..];
        assert!(matches!(
            link.poll(2, &mut input),
            Some(Event::Done {
                result: ResultCode::SendOk,
                ..
            })
        ));
        assert!(matches!(link.poll(2, &mut input), Some(Event::Urc(_))));

        link.send(
            3,
            &QsslRecv {
                id: 4,
                length: 1500,
            },
        )
        .unwrap();
        link.poll_transmit(&mut chunk);
        let mut input = &b"\r\n+QSSLRECV: 4\r\nOK\r\n\r\n\r\nOK\r\n"[..];
        match link.poll(4, &mut input) {
            Some(Event::Answer(line)) => assert_eq!(Received::parse(line).unwrap().data, b"OK\r\n"),
            other => panic!("{other:?}"),
        }
        assert!(matches!(
            link.poll(4, &mut input),
            Some(Event::Done {
                result: ResultCode::Ok,
                ..
            })
        ));
    }
}
