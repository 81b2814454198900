//! What TLS sockets report by themselves.

use quectel_at::{Line, PayloadForm, PayloadRule};

use crate::SocketError;
use crate::socket::split_payload;

/// The lines of TLS and TCP sockets that carry a payload, for [`quectel_at::Framer`].
pub const RULES: &[PayloadRule] = &[
    PayloadRule {
        name: b"+QSSLURC",
        form: PayloadForm::Recv,
    },
    PayloadRule {
        name: b"+QIURC",
        form: PayloadForm::Recv,
    },
];

/// A URC of a TLS socket.
///
/// ```
/// use quectel_at::Line;
/// use quectel_ssl::{SocketError, Urc};
/// let urc = Urc::parse(Line::new(b"+QSSLOPEN: 4,566"));
/// assert_eq!(urc, Some(Urc::Open { id: 4, result: Err(SocketError::new(566)) }));
/// ```
///
/// # Reference
/// BG96 SSL AT Commands Manual V1.0, AT+QSSLOPEN and URCs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Urc<'a> {
    /// `+QSSLOPEN: <id>,<err>`: the result of [`QsslOpen`](crate::QsslOpen).
    Open {
        /// Socket.
        id: u8,
        /// Whether it is connected.
        result: Result<(), SocketError>,
    },
    /// `+QSSLURC: "recv",<id>`: data are waiting; not repeated until they have been read.
    Waiting {
        /// Socket.
        id: u8,
    },
    /// `+QSSLURC: "recv",<id>,<length>` CR LF and the data.
    Data {
        /// Socket.
        id: u8,
        /// The bytes as they came.
        data: &'a [u8],
    },
    /// `+QSSLURC: "closed",<id>`: the peer closed it; [`QsslClose`](crate::QsslClose) must follow.
    Closed {
        /// Socket.
        id: u8,
    },
}

impl<'a> Urc<'a> {
    /// Reads a line; `None` if it is none of these.
    pub fn parse(line: Line<'a>) -> Option<Self> {
        if let Some(mut params) = line.params(b"+QSSLOPEN") {
            let id = params.u8().ok()?;
            let result = SocketError::check(params.i32().ok()?);
            return params.is_empty().then_some(Self::Open { id, result });
        }
        let (head, payload) = split_payload(line);
        let mut params = head.params(b"+QSSLURC")?;
        let kind = params.bytes().ok()?;
        let id = params.u8().ok()?;
        match kind {
            b"closed" => Some(Self::Closed { id }),
            b"recv" if params.is_empty() => Some(Self::Waiting { id }),
            b"recv" => {
                let length = usize::from(params.u16().ok()?);
                let data = payload.get(..length)?;
                Some(Self::Data { id, data })
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind() {
        let cases: &[(&[u8], Option<Urc<'_>>)] = &[
            (
                b"+QSSLOPEN: 4,0",
                Some(Urc::Open {
                    id: 4,
                    result: Ok(()),
                }),
            ),
            (
                b"+QSSLOPEN: 4,566",
                Some(Urc::Open {
                    id: 4,
                    result: Err(SocketError::new(566)),
                }),
            ),
            // BC66 speaks another dialect.
            (b"+QSSLOPEN: 3,5,-9", None),
            (b"+QSSLURC: \"recv\",4", Some(Urc::Waiting { id: 4 })),
            (
                b"+QSSLURC: \"recv\",4,6\r\n\r\nOK\r\n",
                Some(Urc::Data {
                    id: 4,
                    data: b"\r\nOK\r\n",
                }),
            ),
            (
                b"+QSSLURC: \"recv\",4,0",
                Some(Urc::Data { id: 4, data: b"" }),
            ),
            (b"+QSSLURC: \"closed\",4", Some(Urc::Closed { id: 4 })),
            (b"+QSSLURC: \"recv\",4,9\r\nshort", None),
            (b"+QSSLURC: \"recv\"", None),
            (b"+QSSLURC: \"new\",4", None),
            (b"+QSSLOPEN,3,5,-9", None),
            (b"+QSSLOPEN: ", None),
            (b"", None),
        ];
        for (line, expected) in cases {
            assert_eq!(
                Urc::parse(Line::new(line)),
                *expected,
                "{}",
                line.escape_ascii()
            );
        }
    }
}
