//! Opening, connecting, disconnecting, closing: `+QMTOPEN`, `+QMTCONN`, `+QMTDISC`, `+QMTCLOSE`.

use quectel_at::{Answer, Command, Exchange, Line, ParamError, Params, Repeat, Writer};

use crate::{SHORT_MS, Secret};

/// `<client>,"<host>",<port>`: the result URC has a number in second place.
const OPEN_CLIENTS: &[Answer] = &[Answer {
    name: b"+QMTOPEN",
    shape: |mut params| params.u8().is_ok() && params.param().is_ok_and(|host| host.quoted),
    repeat: Repeat::Many,
}];
/// `<client>,<state>` and nothing more: the result URC has a third field, or on older firmware says 0, which is no state.
const CONNECTIONS: &[Answer] = &[Answer {
    name: b"+QMTCONN",
    shape: |params| Connection::read(params).is_ok(),
    repeat: Repeat::Many,
}];

/// `AT+QMTOPEN=<client>,"<host>",<port>`: connects to the server, with TLS if it is on; after `OK` the result comes as
/// [`Urc::Open`](crate::Urc::Open).
///
/// [`QmtConn`] must follow within seconds: servers drop silent connections.
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTOPEN; forums.quectel.com 8115 (6.1 s on EDGE), 5965 (URC before `ERROR`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtOpen<'a> {
    /// Client, 0 to 5.
    pub client: u8,
    /// Name or address, at most 100 bytes, without a scheme.
    pub host: &'a str,
    /// Port, 8883 for TLS.
    pub port: u16,
}

impl QmtOpen<'_> {
    /// Milliseconds until the result must have come: 75 s on BG96, 120 s on the EC200 class.
    pub const RESULT_TIMEOUT_MS: u32 = 120_000;
}

impl Command for QmtOpen<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QMTOPEN")
            .num(u32::from(self.client))
            .quoted(self.host.as_bytes())
            .num(u32::from(self.port));
    }

    fn exchange(&self) -> Exchange {
        // Some firmware says OK or ERROR only when the attempt is over.
        Exchange::plain(15_000)
    }
}

/// `AT+QMTOPEN?`: lists the open clients; answered by any number of [`OpenClient`] lines. BGx has been seen not to
/// answer over the UART: [`QmtConnRead`] is safer.
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTOPEN; LTEmC (no answer on BGx).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtOpenRead;

impl Command for QmtOpenRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.read("+QMTOPEN");
    }

    fn exchange(&self) -> Exchange {
        Exchange::maybe(OPEN_CLIENTS, SHORT_MS)
    }
}

/// One open client: `+QMTOPEN: <client>,"<host>",<port>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct OpenClient<'a> {
    /// Client, 0 to 5.
    pub client: u8,
    /// The server as it was named.
    pub host: &'a str,
    /// Its port.
    pub port: u16,
}

impl<'a> OpenClient<'a> {
    /// Reads an answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QMTOPEN").ok_or(ParamError::WrongName)?;
        Ok(Self {
            client: params.u8()?,
            host: params.text()?,
            port: params.u16()?,
        })
    }
}

/// `AT+QMTCLOSE=<client>`: closes the connection without a DISCONNECT; after `OK` the result comes as
/// [`Urc::Close`](crate::Urc::Close).
///
/// For a client that is not open the families answer `ERROR`, `OK` with a result or `OK` alone: all mean closed.
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTCLOSE; EC600S log (`OK` and 0); jcmendez/quectel-bg9x-atat (`OK` alone).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtClose {
    /// Client, 0 to 5.
    pub client: u8,
}

impl QmtClose {
    /// Milliseconds until the result of an open client must have come. That of a closed one comes within 2,000 or not.
    pub const RESULT_TIMEOUT_MS: u32 = 30_000;
}

impl Command for QmtClose {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QMTCLOSE").num(u32::from(self.client));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(5_000)
    }
}

/// `AT+QMTCONN=<client>,"<client id>"[,"<user>"[,"<password>"]]`: logs in; after `OK` the result comes as
/// [`Urc::Conn`](crate::Urc::Conn).
///
/// ```
/// use quectel_at::{Command, Writer};
/// use quectel_mqtt::{QmtConn, Secret};
/// let mut buf = [0; 128];
/// let mut line = Writer::new(&mut buf);
/// let conn = QmtConn {
///     client: 0,
///     client_id: "mydevice1",
///     user: Some("hub.azure-devices.net/mydevice1/?api-version=2021-04-12"),
///     password: Some(Secret::new("")),
/// };
/// conn.encode(&mut line);
/// let len = line.finish()?.len;
/// assert!(buf[..len].ends_with(b"api-version=2021-04-12\",\"\""));
/// # Ok::<(), quectel_at::WriteError>(())
/// ```
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTCONN; forums.quectel.com 8115 (165-byte password).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtConn<'a> {
    /// Client, 0 to 5.
    pub client: u8,
    /// The client identifier.
    pub client_id: &'a str,
    /// The user name; `None` leaves it out, and with it the password unless there is one.
    pub user: Option<&'a str>,
    /// The password; `None` leaves it out, `Some` of an empty text sends an empty one.
    pub password: Option<Secret<'a>>,
}

impl QmtConn<'_> {
    /// Milliseconds until the result must have come; working drivers wait 30 s to 60 s.
    pub const RESULT_TIMEOUT_MS: u32 = 60_000;
}

impl Command for QmtConn<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QMTCONN")
            .num(u32::from(self.client))
            .quoted(self.client_id.as_bytes());
        // A password cannot stand without a user name before it.
        let user = self.user.or_else(|| self.password.map(|_| ""));
        if let Some(user) = user {
            line.quoted(user.as_bytes());
        }
        if let Some(password) = self.password {
            line.secret(password.expose().as_bytes());
        }
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(15_000)
    }
}

/// `AT+QMTCONN?`: asks for the state of the clients; answered by one [`Connection`] line for each open client, none for
/// a closed one.
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTCONN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtConnRead;

impl Command for QmtConnRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.read("+QMTCONN");
    }

    fn exchange(&self) -> Exchange {
        Exchange::maybe(CONNECTIONS, SHORT_MS)
    }
}

/// Where a client is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectionState {
    /// 1: the connection is open, MQTT is not connected.
    Initial,
    /// 2: CONNECT is out.
    Connecting,
    /// 3: connected.
    Connected,
    /// 4: DISCONNECT is out.
    Disconnecting,
}

/// The state of one client: `+QMTCONN: <client>,<state>`, as an answer to [`QmtConnRead`] only.
///
/// ```
/// use quectel_at::Line;
/// use quectel_mqtt::{Connection, ConnectionState};
/// let state = Connection::parse(Line::new(b"+QMTCONN: 0,3"))?.state;
/// assert_eq!(state, ConnectionState::Connected);
/// # Ok::<(), quectel_at::ParamError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Connection {
    /// Client, 0 to 5.
    pub client: u8,
    /// Where it is.
    pub state: ConnectionState,
}

impl Connection {
    /// Reads an answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Self, ParamError> {
        Self::read(line.params(b"+QMTCONN").ok_or(ParamError::WrongName)?)
    }

    fn read(mut params: Params<'_>) -> Result<Self, ParamError> {
        let client = params.u8()?;
        let state = match params.u8()? {
            1 => ConnectionState::Initial,
            2 => ConnectionState::Connecting,
            3 => ConnectionState::Connected,
            4 => ConnectionState::Disconnecting,
            _ => return Err(ParamError::NotANumber),
        };
        // A third field makes it the result of a CONNECT.
        if params.is_empty() {
            Ok(Self { client, state })
        } else {
            Err(ParamError::WrongName)
        }
    }
}

/// `AT+QMTDISC=<client>`: sends DISCONNECT and closes the connection; after `OK` the result comes as
/// [`Urc::Disc`](crate::Urc::Disc).
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTDISC; johncobb/catm1_bg96 README.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtDisc {
    /// Client, 0 to 5.
    pub client: u8,
}

impl QmtDisc {
    /// Milliseconds until the result of a connected client must have come.
    pub const RESULT_TIMEOUT_MS: u32 = 30_000;
}

impl Command for QmtDisc {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QMTDISC").num(u32::from(self.client));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(5_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{is_answer, written};
    use std::format;

    #[test]
    fn commands_of_the_reference_log() {
        let conn = QmtConn {
            client: 0,
            client_id: "mydevice1",
            user: Some("mqtt-quectel.azure-devices.net/mydevice1"),
            password: Some(Secret::new(
                "SharedAccessSignature sr=a%2Fb&sig=c%3D&se=1563244357",
            )),
        };
        let cases: &[(&dyn Command, &str)] = &[
            (
                &QmtOpen {
                    client: 0,
                    host: "mqtt-quectel.azure-devices.net",
                    port: 8883,
                },
                "+QMTOPEN=0,\"mqtt-quectel.azure-devices.net\",8883",
            ),
            (&QmtOpenRead, "+QMTOPEN?"),
            (
                &conn,
                "+QMTCONN=0,\"mydevice1\",\"mqtt-quectel.azure-devices.net/mydevice1\",\
                 \"SharedAccessSignature sr=a%2Fb&sig=c%3D&se=1563244357\"",
            ),
            (
                &QmtConn {
                    user: None,
                    password: None,
                    ..conn
                },
                "+QMTCONN=0,\"mydevice1\"",
            ),
            (
                &QmtConn {
                    user: Some("token"),
                    password: None,
                    ..conn
                },
                "+QMTCONN=0,\"mydevice1\",\"token\"",
            ),
            (
                &QmtConn {
                    user: Some("u"),
                    password: Some(Secret::new("")),
                    ..conn
                },
                "+QMTCONN=0,\"mydevice1\",\"u\",\"\"",
            ),
            (
                &QmtConn {
                    user: None,
                    password: Some(Secret::new("p")),
                    ..conn
                },
                "+QMTCONN=0,\"mydevice1\",\"\",\"p\"",
            ),
            (&QmtConnRead, "+QMTCONN?"),
            (&QmtClose { client: 0 }, "+QMTCLOSE=0"),
            (&QmtDisc { client: 5 }, "+QMTDISC=5"),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
    }

    #[test]
    fn the_password_is_marked_and_hidden() {
        let conn = QmtConn {
            client: 0,
            client_id: "a",
            user: Some("u"),
            password: Some(Secret::new("hunter2")),
        };
        let mut buf = [0; 64];
        let mut line = Writer::new(&mut buf);
        conn.encode(&mut line);
        let encoded = line.finish().unwrap();
        assert_eq!(&buf[encoded.secret.unwrap()], b"hunter2");
        assert!(!format!("{conn:?}").contains("hunter2"));
    }

    #[test]
    fn states_and_results_are_told_apart() {
        let cases: &[(&[u8], bool)] = &[
            (b"+QMTCONN: 0,1", true),
            (b"+QMTCONN: 0,3", true),
            (b"+QMTCONN: 5,4", true),
            (b"+QMTCONN: 0,0", false),
            (b"+QMTCONN: 0,0,0", false),
            (b"+QMTCONN: 0,0,5", false),
            (b"+QMTCONN: 0,1,3", false),
            (b"+QMTCONN: 0,5", false),
            (b"+QMTCONN: 0", false),
        ];
        for (line, expected) in cases {
            assert_eq!(
                is_answer(&QmtConnRead, line),
                *expected,
                "{}",
                line.escape_ascii()
            );
            assert_eq!(Connection::parse(Line::new(line)).is_ok(), *expected);
        }
        assert!(is_answer(&QmtOpenRead, b"+QMTOPEN: 0,\"host\",8883"));
        assert!(!is_answer(&QmtOpenRead, b"+QMTOPEN: 0,-1"));
        assert_eq!(
            OpenClient::parse(Line::new(b"+QMTOPEN: 0,\"host\",8883")),
            Ok(OpenClient {
                client: 0,
                host: "host",
                port: 8883
            })
        );
    }
}
