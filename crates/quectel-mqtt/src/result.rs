//! The result and return codes.

macro_rules! codes {
    (
        $(#[$doc:meta])* $enum:ident, unknown $unknown_name:literal:
        $($(#[$row_doc:meta])* $variant:ident = $code:literal, $name:literal, $text:literal, $remedy:literal;)+
    ) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum $enum {
            $($(#[$row_doc])* $variant,)+
            /// A number that no manual lists.
            Unknown(i32),
        }

        impl $enum {
            /// Every known code.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The code with this number, known or not.
            pub const fn from_code(code: i32) -> Self {
                match code {
                    $($code => Self::$variant,)+
                    other => Self::Unknown(other),
                }
            }

            /// The module's number.
            pub const fn code(self) -> i32 {
                match self {
                    $(Self::$variant => $code,)+
                    Self::Unknown(code) => code,
                }
            }

            /// Its name, in lower case with hyphens.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                    Self::Unknown(_) => $unknown_name,
                }
            }

            /// What it means.
            pub const fn text(self) -> &'static str {
                match self {
                    $(Self::$variant => $text,)+
                    Self::Unknown(_) => "unknown code",
                }
            }

            /// What to do about it; empty where nothing is wrong.
            pub const fn remedy(self) -> &'static str {
                match self {
                    $(Self::$variant => $remedy,)+
                    Self::Unknown(_) => "look the number up in the module's MQTT manual",
                }
            }
        }

        impl core::fmt::Display for $enum {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                show(f, self.code(), self.text(), self.remedy())
            }
        }
    };
}

pub(crate) fn show(
    f: &mut core::fmt::Formatter<'_>,
    code: i32,
    text: &str,
    remedy: &str,
) -> core::fmt::Result {
    write!(f, "{code} ({text})")?;
    if remedy.is_empty() {
        return Ok(());
    }
    write!(f, "; {remedy}")
}

codes! {
    /// How `AT+QMTOPEN` ended.
    ///
    /// # Reference
    /// BG96 MQTT Application Note V1.0, AT+QMTOPEN; EC200U: forums.quectel.com (5 for a TLS failure).
    OpenResult, unknown "open-unknown":
    /// The TCP connection or the TLS handshake failed; the module does not tell which.
    NetworkFailed = -1, "open-network-failed", "failed to open network",
        "check PDP context and port with a plain socket; if that connects, the TLS handshake fails: root certificate, \
         server name (sni), clock, client certificate, TLS context bound by QMTCFG";
    /// Connected, with TLS if it is on. MQTT itself is not connected yet.
    Opened = 0, "open-ok", "network opened", "";
    /// A parameter is out of its range, or the host is no name.
    WrongParameter = 1, "open-wrong-parameter", "wrong parameter",
        "give the bare host name without scheme or port, and a client index of 0 to 5";
    /// This client index is open already, as after a restart of the host.
    Occupied = 2, "open-occupied", "MQTT identifier is occupied", "close it first: AT+QMTDISC, AT+QMTCLOSE, then open again";
    /// There is no PDP context.
    PdpFailed = 3, "open-pdp-failed", "failed to activate PDP",
        "check APN and registration, activate the context (AT+QIACT) and bind it (AT+QMTCFG=\"pdpcid\")";
    /// The host's name could not be resolved.
    DnsFailed = 4, "open-dns-failed", "failed to parse domain name", "check the host's spelling and the DNS server (AT+QIDNSCFG)";
    /// The connection failed or broke; the EC200 class also says so when TLS fails.
    NetworkError = 5, "open-network-error", "network connection error",
        "check host and port, then the TLS settings: root certificate, server name (sni), clock, client certificate";
}

impl OpenResult {
    /// Whether the connection is open.
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Opened)
    }
}

codes! {
    /// How `AT+QMTCLOSE` or `AT+QMTDISC` ended.
    ///
    /// # Reference
    /// BG96 MQTT Application Note V1.0, AT+QMTCLOSE and AT+QMTDISC.
    CloseResult, unknown "close-unknown":
    /// The connection could not be closed.
    Failed = -1, "close-failed", "failed to close", "treat the client as closed; reset the module if it cannot be opened again";
    /// It is closed.
    Closed = 0, "close-ok", "closed", "";
}

codes! {
    /// The return code of a CONNACK that refuses the connection.
    ///
    /// # Reference
    /// MQTT 3.1.1, 3.2.2.3.
    ReturnCode, unknown "connack-unknown":
    /// 1: the MQTT version is not accepted.
    ProtocolVersion = 1, "connack-protocol-version", "unacceptable protocol version", "AT+QMTCFG=\"version\",<client>,4";
    /// 2: the client identifier is not allowed.
    IdentifierRejected = 2, "connack-identifier-rejected", "identifier rejected", "use the device id as client identifier";
    /// 3: MQTT is not available.
    ServerUnavailable = 3, "connack-server-unavailable", "server unavailable", "try again later";
    /// 4: user name or password are malformed.
    BadCredentials = 4, "connack-bad-credentials", "bad user name or password", "check user name and password";
    /// 5: not authorised. IoT Hub says so to every fault of a token, a certificate or a user name.
    NotAuthorized = 5, "connack-not-authorized", "not authorized",
        "check that host, device id, user name and the token's sr agree, and that the token has not expired";
}

codes! {
    /// Why a client was closed without being asked to.
    ///
    /// # Reference
    /// BG96 MQTT Application Note V1.0, +QMTSTAT.
    StatCause, unknown "stat-reserved":
    /// 1: the server closed or reset the connection, or the PDP context is gone.
    PeerClosed = 1, "stat-peer-closed", "connection closed or reset by the peer",
        "open again; if it follows a publish or a subscription, check topic and QoS; if it follows the open, connect sooner";
    /// 2: PINGREQ was not sent or not answered.
    PingFailed = 2, "stat-ping-failed", "sending PINGREQ timed out or failed", "deactivate the PDP context, activate it and open again";
    /// 3: CONNECT was not sent.
    ConnectFailed = 3, "stat-connect-failed", "sending CONNECT timed out or failed", "check user name, password and signal; open again";
    /// 4: no CONNACK, or one that refuses.
    ConnackFailed = 4, "stat-connack-failed", "receiving CONNACK timed out or failed", "check user name, password and client identifier; open again";
    /// 5: the server closed after our DISCONNECT: normal.
    Disconnected = 5, "stat-disconnected", "the server closed after DISCONNECT", "";
    /// 6: packets could not be sent.
    SendFailed = 6, "stat-send-failed", "the client closed after sending failed repeatedly", "check the signal; open again";
    /// 7: the link is down or the server is gone.
    LinkDown = 7, "stat-link-down", "the link is not alive or the server is unavailable", "check registration and PDP context; open again";
    /// 8: the client closed the connection itself.
    ClientClosed = 8, "stat-client-closed", "the client closed the connection", "open again";
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConnectResult;
    use std::string::ToString;

    #[test]
    fn codes_go_both_ways_and_say_what_to_do() {
        for code in -2..=9 {
            assert_eq!(OpenResult::from_code(code).code(), code);
            assert_eq!(CloseResult::from_code(code).code(), code);
            assert_eq!(ReturnCode::from_code(code).code(), code);
            assert_eq!(StatCause::from_code(code).code(), code);
        }
        assert_eq!(
            (
                OpenResult::ALL.len(),
                CloseResult::ALL.len(),
                ReturnCode::ALL.len(),
                StatCause::ALL.len()
            ),
            (7, 2, 5, 8)
        );
        assert_eq!(OpenResult::from_code(6), OpenResult::Unknown(6));
        assert_eq!(StatCause::from_code(255), StatCause::Unknown(255));
        assert!(
            OpenResult::Occupied
                .to_string()
                .starts_with("2 (MQTT identifier is occupied); close")
        );
        assert_eq!(OpenResult::Opened.to_string(), "0 (network opened)");
        assert!(
            ConnectResult::new(0, Some(5))
                .to_string()
                .starts_with("refused with 5 (not authorized); check")
        );
    }

    #[test]
    fn names_are_unique() {
        let mut names: std::vec::Vec<_> = OpenResult::ALL
            .iter()
            .map(|r| r.name())
            .chain(CloseResult::ALL.iter().map(|r| r.name()))
            .chain(ReturnCode::ALL.iter().map(|r| r.name()))
            .chain(StatCause::ALL.iter().map(|r| r.name()))
            .collect();
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), count);
    }
}
