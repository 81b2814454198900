//! The error numbers of TCP and TLS sockets.

/// Why a socket command failed: the number in `+QSSLOPEN`, `+QIOPEN` and `+QIGETERROR`; unknown numbers are kept.
///
/// The number tells less than it seems to: EG800K answers 566 to every fault of a certificate.
///
/// ```
/// use quectel_ssl::SocketError;
/// assert_eq!(SocketError::check(0), Ok(()));
/// assert_eq!(SocketError::check(565).unwrap_err().text(), Some("DNS parse failed"));
/// ```
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, summary of error codes; BG96 SSL AT Commands Manual V1.0, summary of error
/// codes; EG800KCNGCR07A06M04 measurement (566 for certificate faults, 552 when wedged).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SocketError(i32);

impl SocketError {
    /// The error with this number, known or not.
    pub const fn new(code: i32) -> Self {
        Self(code)
    }

    /// Success for 0.
    ///
    /// # Errors
    /// The error with this number, for any other.
    pub const fn check(code: i32) -> Result<(), Self> {
        match code {
            0 => Ok(()),
            code => Err(Self(code)),
        }
    }

    /// Its number.
    pub const fn code(self) -> i32 {
        self.0
    }

    /// What it means; `None` for an unknown number.
    pub fn text(self) -> Option<&'static str> {
        self.row().map(|row| row.1)
    }

    /// What to do about it.
    pub fn remedy(self) -> &'static str {
        self.row()
            .map_or("look the number up in the module's TCP/IP manual", |row| {
                row.2
            })
    }

    /// Every known number with its meaning and its remedy.
    pub const fn table() -> &'static [(i32, &'static str, &'static str)] {
        TABLE
    }

    fn row(self) -> Option<&'static (i32, &'static str, &'static str)> {
        TABLE.iter().find(|row| row.0 == self.0)
    }
}

impl core::fmt::Display for SocketError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.0)?;
        if let Some(text) = self.text() {
            write!(f, " ({text})")?;
        }
        write!(f, "; {}", self.remedy())
    }
}

impl core::error::Error for SocketError {}

const TABLE: &[(i32, &str, &str)] = &[
    (
        550,
        "unknown error",
        "try again; reset the module if it stays",
    ),
    (
        551,
        "operation blocked",
        "wait for the running operation to end",
    ),
    (
        552,
        "invalid parameters",
        "check the command; if every open gives this, the module's network stack hangs: cycle its power",
    ),
    (553, "memory not enough", "close other connections first"),
    (
        554,
        "create socket failed",
        "close sockets that are no longer used",
    ),
    (
        555,
        "operation not supported",
        "use a command that this firmware has",
    ),
    (556, "socket bind failed", "use another local port, or 0"),
    (557, "socket listen failed", "use another port"),
    (
        558,
        "socket write failed",
        "close the socket and open it again",
    ),
    (
        559,
        "socket read failed",
        "close the socket and open it again",
    ),
    (
        560,
        "socket accept failed",
        "close the socket and open it again",
    ),
    (
        561,
        "open PDP context failed",
        "check the APN and the registration, then AT+QIACT",
    ),
    (
        562,
        "close PDP context failed",
        "try again; reset the module if it stays",
    ),
    (
        563,
        "socket identity has been used",
        "close that socket first, or use another number",
    ),
    (
        564,
        "DNS busy",
        "one name is resolved at a time; wait and try again",
    ),
    (
        565,
        "DNS parse failed",
        "check the host's name and the DNS server (AT+QIDNSCFG)",
    ),
    (
        566,
        "socket connect failed",
        "check host and port with a plain socket; if that connects, the TLS handshake fails: root certificate, server \
         name (sni), clock, client certificate",
    ),
    (567, "socket has been closed", "open it again"),
    (568, "operation busy", "wait and try again"),
    (569, "operation timeout", "check the signal; try again"),
    (570, "PDP context broken down", "AT+QIDEACT, then AT+QIACT"),
    (571, "cancel send", "send again"),
    (
        572,
        "operation not allowed",
        "check the state of socket and context",
    ),
    (573, "APN not configured", "set the APN with AT+QICSGP"),
    (574, "port busy", "use another local port"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    #[test]
    fn the_table_is_complete_and_sorted() {
        assert!(TABLE.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
        assert_eq!((TABLE[0].0, TABLE[TABLE.len() - 1].0), (550, 574));
    }

    #[test]
    fn unknown_numbers_are_kept() {
        // A BC66 printed -9.
        let error = SocketError::check(-9).unwrap_err();
        assert_eq!((error.code(), error.text()), (-9, None));
        assert!(error.to_string().starts_with("-9; "));
        assert!(
            SocketError::new(563)
                .to_string()
                .starts_with("563 (socket identity has been used); close")
        );
    }
}
