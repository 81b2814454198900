//! Why a TCP/IP or TLS command failed: `+QIGETERROR`.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::SHORT_MS;
use crate::{Answer, Command, Exchange, Line, ParamError, Writer};

const QIGETERROR: &[Answer] = &[Answer::once(b"+QIGETERROR")];

/// `AT+QIGETERROR`: asks why the last TCP/IP or TLS command failed; answered by [`NetworkError`].
///
/// It knows nothing of MQTT commands.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, AT+QIGETERROR; EG800K log (`0,operate successfully`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QiGetError;

impl QiGetError {
    /// Reads the answer `+QIGETERROR: <err>,<text>`.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<NetworkError, ParamError> {
        let mut params = line.params(b"+QIGETERROR").ok_or(ParamError::WrongName)?;
        params.u16().map(NetworkError::new)
    }
}

impl Command for QiGetError {
    fn encode(&self, line: &mut Writer<'_>) {
        line.raw("+QIGETERROR");
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(QIGETERROR, SHORT_MS)
    }
}

/// A TCP/IP error code: of [`QiGetError`], and of the results of DNS, NTP, ping and sockets.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, summary of error codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkError {
    /// 0 for none, else 550 and up.
    pub code: u16,
}

impl NetworkError {
    /// The error with this number, known or not.
    pub const fn new(code: u16) -> Self {
        Self { code }
    }

    /// What it means, in the manual's words.
    pub fn text(self) -> &'static str {
        TABLE
            .iter()
            .find(|(known, _)| *known == self.code)
            .map_or("code not in the manual", |(_, text)| text)
    }

    /// Whether it is no error.
    pub const fn is_ok(self) -> bool {
        self.code == 0
    }
}

impl core::fmt::Display for NetworkError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{} ({})", self.code, self.text())
    }
}

const TABLE: &[(u16, &str)] = &[
    (0, "operation successful"),
    (550, "unknown error"),
    (551, "operation blocked"),
    (552, "invalid parameters"),
    (553, "memory not enough"),
    (554, "create socket failed"),
    (555, "operation not supported"),
    (556, "socket bind failed"),
    (557, "socket listen failed"),
    (558, "socket write failed"),
    (559, "socket read failed"),
    (560, "socket accept failed"),
    (561, "open PDP context failed"),
    (562, "close PDP context failed"),
    (563, "socket identity has been used"),
    (564, "DNS busy"),
    (565, "DNS parse failed"),
    (566, "socket connect failed"),
    (567, "socket has been closed"),
    (568, "operation busy"),
    (569, "operation timeout"),
    (570, "PDP context broken down"),
    (571, "cancel send"),
    (572, "operation not allowed"),
    (573, "APN not configured"),
    (574, "port busy"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::{parses, written};

    #[test]
    fn codes_of_the_logs() {
        assert_eq!(written(&QiGetError), "+QIGETERROR");
        parses(
            |line| QiGetError::parse(line).map(|error| (error.code, error.text())),
            &[
                (
                    "+QIGETERROR: 552, invalid parameters",
                    Ok((552, "invalid parameters")),
                ),
                (
                    "+QIGETERROR: 0,operate successfully",
                    Ok((0, "operation successful")),
                ),
                (
                    "+QIGETERROR: 566,socket connect failed",
                    Ok((566, "socket connect failed")),
                ),
                (
                    "+QIGETERROR: 579,SSL handshake",
                    Ok((579, "code not in the manual")),
                ),
                ("+QIGETERROR: none", Err(ParamError::NotANumber)),
                ("+QIGETERROR: 70000", Err(ParamError::NotANumber)),
                ("+CME ERROR: 3", Err(ParamError::WrongName)),
            ],
        );
        assert!(NetworkError::new(0).is_ok() && !NetworkError::new(565).is_ok());
        assert_eq!(
            std::format!("{}", NetworkError::new(565)),
            "565 (DNS parse failed)"
        );
    }

    #[test]
    fn codes_are_sorted_and_complete() {
        assert!(TABLE.is_sorted_by(|a, b| a.0 < b.0));
        for code in 550..=574 {
            assert!(TABLE.iter().any(|(known, _)| *known == code), "{code}");
        }
    }
}
