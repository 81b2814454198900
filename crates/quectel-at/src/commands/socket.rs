//! Sockets: `+QIOPEN`, `+QISEND`, `+QIRD`, `+QICLOSE`, `+QISTATE`.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::{NetworkError, SHORT_MS};
use crate::{
    Answer, Command, DataPhase, Exchange, Line, ParamError, PayloadForm, PayloadRule, Writer,
};

const SENT: &[Answer] = &[Answer::once(b"+QISEND")];
const QIRD: &[Answer] = &[Answer::once(b"+QIRD")];
/// Where the answer announces its data.
const QIRD_DATA: PayloadRule = PayloadRule {
    name: b"+QIRD",
    form: PayloadForm::NextLine,
};
const QISTATE: &[Answer] = &[Answer::many(b"+QISTATE")];

/// What a socket does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SocketKind {
    /// `TCP`: connects to a server.
    Tcp,
    /// `UDP`: sends to one peer.
    Udp,
    /// `TCP LISTENER`: takes connections.
    TcpListener,
    /// `UDP SERVICE`: hears any peer.
    UdpService,
}

impl SocketKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::TcpListener => "TCP LISTENER",
            Self::UdpService => "UDP SERVICE",
        }
    }
}

/// `AT+QIOPEN=<context>,<id>,"<kind>","<host>",<port>,<local port>,<mode>`: opens a socket; `OK` comes at once, then
/// [`SocketOpened`].
///
/// After 150 s without result the socket must be closed. Transparent mode (2), which takes the line, is not offered.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QIOPEN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QiOpen<'a> {
    /// An active context, 1 to 16.
    pub context: u8,
    /// 0 to 11.
    pub socket: u8,
    /// What it does.
    pub kind: SocketKind,
    /// Name or address; a listener's own is `127.0.0.1`.
    pub host: &'a str,
    /// The peer's port; 0 for a listener.
    pub port: u16,
    /// The own port; 0 for any.
    pub local_port: u16,
    /// Whether data come unasked with [`QiUrc::Recv`](super::QiUrc) instead of waiting for [`QiRd`].
    pub push: bool,
}

impl QiOpen<'_> {
    /// Milliseconds from `OK` until [`SocketOpened`] must have come.
    pub const RESULT_MS: u32 = 150_000;
}

impl Command for QiOpen<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QIOPEN")
            .num(u32::from(self.context))
            .num(u32::from(self.socket))
            .word(self.kind.name())
            .quoted(self.host.as_bytes())
            .num(u32::from(self.port))
            .num(u32::from(self.local_port))
            .num(u32::from(self.push));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(5_000)
    }
}

/// The URC that ends [`QiOpen`]: `+QIOPEN: <id>,<err>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketOpened {
    /// 0 to 11.
    pub socket: u8,
    /// 0, or why it failed.
    pub error: NetworkError,
}

impl SocketOpened {
    /// Reads the URC.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QIOPEN").ok_or(ParamError::WrongName)?;
        Ok(Self {
            socket: params.u8()?,
            error: NetworkError::new(params.u16()?),
        })
    }
}

/// `AT+QISEND=<id>,<len>`: after the prompt come exactly `len` bytes, sent with
/// [`Link::send_with`](crate::Link::send_with); `SEND OK`, or `SEND FAIL` while the buffer is full.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QISEND.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QiSend {
    /// 0 to 11.
    pub socket: u8,
    /// Bytes that follow, 1 to 1,460.
    pub len: u16,
}

impl Command for QiSend {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QISEND")
            .num(u32::from(self.socket))
            .num(u32::from(self.len));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(10_000).with_data(DataPhase::Prompt { ctrl_z: false })
    }
}

/// `AT+QISEND=<id>,0`: asks what the peer has acknowledged; answered by [`SocketSent`].
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QISEND.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QiSendStatus {
    /// 0 to 11.
    pub socket: u8,
}

impl Command for QiSendStatus {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QISEND").num(u32::from(self.socket)).num(0);
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(SENT, SHORT_MS)
    }
}

/// The answer to [`QiSendStatus`]: `+QISEND: <total>,<acknowledged>,<unacknowledged>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketSent {
    /// Bytes sent.
    pub total: u32,
    /// Bytes that the peer acknowledged.
    pub acked: u32,
    /// Bytes that it has not.
    pub unacked: u32,
}

impl SocketSent {
    /// Reads the answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QISEND").ok_or(ParamError::WrongName)?;
        Ok(Self {
            total: params.u32()?,
            acked: params.u32()?,
            unacked: params.u32()?,
        })
    }
}

/// `AT+QIRD=<id>,<len>`: reads data that wait in the module; answered by [`QiRd::parse`].
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QIRD; Azure-Samples/iot-middleware-freertos-samples 381 (bytes).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QiRd {
    /// 0 to 11.
    pub socket: u8,
    /// At most so many bytes, 1 to 1,500.
    pub len: u16,
}

impl QiRd {
    /// Reads the answer `+QIRD: <n>` with its `n` bytes; none if there were none.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape, or fewer bytes than it says.
    pub fn parse(line: Line<'_>) -> Result<&[u8], ParamError> {
        let bytes = line.bytes();
        let head_len = crate::find::byte::<b'\n'>(bytes).map_or(bytes.len(), |end| end + 1);
        let (head, data) = bytes.split_at_checked(head_len).unwrap_or_default();
        let head = Line::new(head.trim_ascii_end());
        let mut params = head.params(b"+QIRD").ok_or(ParamError::WrongName)?;
        data.get(..usize::from(params.u16()?))
            .ok_or(ParamError::Missing)
    }
}

impl Command for QiRd {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QIRD")
            .num(u32::from(self.socket))
            .num(u32::from(self.len.max(1)));
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(QIRD, 5_000).with_data(DataPhase::Counted { rule: &QIRD_DATA })
    }
}

/// `AT+QIRD=<id>,0`: asks how much has come; answered by [`SocketReceived`].
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QIRD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QiRdStatus {
    /// 0 to 11.
    pub socket: u8,
}

impl Command for QiRdStatus {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QIRD").num(u32::from(self.socket)).num(0);
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(QIRD, SHORT_MS)
    }
}

/// The answer to [`QiRdStatus`]: `+QIRD: <total>,<read>,<unread>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketReceived {
    /// Bytes that came.
    pub total: u32,
    /// Bytes that were read.
    pub read: u32,
    /// Bytes that wait.
    pub unread: u32,
}

impl SocketReceived {
    /// Reads the answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QIRD").ok_or(ParamError::WrongName)?;
        Ok(Self {
            total: params.u32()?,
            read: params.u32()?,
            unread: params.u32()?,
        })
    }
}

/// `AT+QICLOSE=<id>,<timeout>`: closes a socket, also one that the peer closed.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QICLOSE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QiClose {
    /// 0 to 11.
    pub socket: u8,
    /// Seconds to wait for the peer, usually 10.
    pub timeout_s: u16,
}

impl Command for QiClose {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QICLOSE")
            .num(u32::from(self.socket))
            .num(u32::from(self.timeout_s));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(u32::from(self.timeout_s) * 1_000 + SHORT_MS)
    }
}

/// `AT+QISTATE=1,<id>`: asks for a socket's state; answered by [`SocketState`], or by `OK` alone if it is not open.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QISTATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QiState {
    /// 0 to 11.
    pub socket: u8,
}

impl Command for QiState {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QISTATE").num(1).num(u32::from(self.socket));
    }

    fn exchange(&self) -> Exchange {
        Exchange::maybe(QISTATE, SHORT_MS)
    }
}

/// The answer to [`QiState`]: `+QISTATE: <id>,"<kind>","<address>",<port>,<local port>,<state>,<context>,…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SocketState<'a> {
    /// 0 to 11.
    pub socket: u8,
    /// Such as `TCP`.
    pub kind: &'a [u8],
    /// The peer's address.
    pub address: &'a [u8],
    /// The peer's port.
    pub port: u16,
    /// The own port.
    pub local_port: u16,
    /// 0 initial, 1 opening, 2 connected, 3 listening (some BG96 firmware: connected), 4 closing.
    pub state: u8,
    /// 1 to 16.
    pub context: u8,
}

impl<'a> SocketState<'a> {
    /// Reads the answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QISTATE").ok_or(ParamError::WrongName)?;
        Ok(Self {
            socket: params.u8()?,
            kind: params.bytes()?,
            address: params.bytes()?,
            port: params.u16()?,
            local_port: params.u16()?,
            state: params.u8()?,
            context: params.u8()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::{parses, written};
    use crate::{Event, Link};

    #[test]
    fn commands_as_typed() {
        let open = QiOpen {
            context: 1,
            socket: 0,
            kind: SocketKind::Tcp,
            host: "104.155.82.190",
            port: 1883,
            local_port: 0,
            push: true,
        };
        let listen = QiOpen {
            kind: SocketKind::TcpListener,
            host: "127.0.0.1",
            port: 0,
            local_port: 2020,
            push: false,
            ..open
        };
        let close = QiClose {
            socket: 0,
            timeout_s: 10,
        };
        let read = |len| QiRd { socket: 0, len };
        let cases: &[(&dyn Command, &str)] = &[
            (&open, "+QIOPEN=1,0,\"TCP\",\"104.155.82.190\",1883,0,1"),
            (
                &listen,
                "+QIOPEN=1,0,\"TCP LISTENER\",\"127.0.0.1\",0,2020,0",
            ),
            (&QiSend { socket: 0, len: 4 }, "+QISEND=0,4"),
            (&QiSendStatus { socket: 0 }, "+QISEND=0,0"),
            (&read(1500), "+QIRD=0,1500"),
            // A length of 0 would be the question for the counters.
            (&read(0), "+QIRD=0,1"),
            (&QiRdStatus { socket: 0 }, "+QIRD=0,0"),
            (&close, "+QICLOSE=0,10"),
            (&QiState { socket: 0 }, "+QISTATE=1,0"),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
    }

    #[test]
    fn answers_of_the_logs() {
        parses(
            |line| SocketOpened::parse(line).map(|opened| (opened.socket, opened.error.code)),
            &[
                ("+QIOPEN: 0,0", Ok((0, 0))),
                ("+QIOPEN: 2,566", Ok((2, 566))),
                ("+QIOPEN: 0", Err(ParamError::Missing)),
            ],
        );
        parses(
            |line| SocketReceived::parse(line).map(|got| (got.total, got.read, got.unread)),
            &[("+QIRD: 3615,3530,85", Ok((3615, 3530, 85)))],
        );
        parses(
            |line| SocketSent::parse(line).map(|sent| (sent.total, sent.acked, sent.unacked)),
            &[
                ("+QISEND: 9,9,0", Ok((9, 9, 0))),
                ("+QISEND: 9,9", Err(ParamError::Missing)),
            ],
        );
        parses(
            |line| SocketState::parse(line).map(|s| (s.kind, s.address, s.port, s.state)),
            &[(
                "+QISTATE: 0,\"TCP\",\"104.155.82.190\",1883,22742,3,1,0,0,\"uart1\"",
                Ok((&b"TCP"[..], &b"104.155.82.190"[..], 1883, 3)),
            )],
        );
        parses(
            QiRd::parse,
            &[
                ("+QIRD: 5\r\nhello", Ok(b"hello")),
                ("+QIRD: 4\r\n\r\n\r\n", Ok(b"\r\n\r\n")),
                ("+QIRD: 0", Ok(b"")),
                ("+QIRD: 5\r\nhell", Err(ParamError::Missing)),
                ("+QIRD: x", Err(ParamError::NotANumber)),
            ],
        );
    }

    #[test]
    fn data_over_the_link() {
        let (mut rx, mut tx) = ([0; 64], [0; 64]);
        let mut link = Link::new(&mut rx, &mut tx, &[]);
        link.send(0, &QiRd { socket: 0, len: 9 }).unwrap();
        assert_eq!(link.poll_transmit(&mut [0; 32]), b"AT+QIRD=0,9\r".len());
        let mut input = &b"\r\n+QIRD: 4\r\nOK\r\n\r\n\r\nOK\r\n"[..];
        let Some(Event::Answer(line)) = link.poll(1, &mut input) else {
            panic!("no answer");
        };
        assert_eq!(QiRd::parse(line), Ok(&b"OK\r\n"[..]));
        assert!(matches!(link.poll(1, &mut input), Some(Event::Done { .. })));
    }
}
