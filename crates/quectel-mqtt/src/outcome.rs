//! What became of a packet.

use quectel_at::{ParamError, Params};

use crate::Qos;
use crate::result::{ReturnCode, show};

/// How `AT+QMTCONN` ended: `+QMTCONN: <client>,<result>[,<return code>]`.
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTCONN; older EC200 firmware prints success as `+QMTCONN: 0,0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectResult {
    /// The server accepted the connection.
    Accepted,
    /// The server refused it; `+QMTSTAT: <client>,4` follows and the client is closed.
    Refused(ReturnCode),
    /// CONNECT is being repeated; the result comes later.
    Retransmission,
    /// CONNECT could not be sent.
    SendFailed,
    /// A number that no manual lists.
    Unknown(i32),
}

impl ConnectResult {
    pub(crate) const fn new(result: i32, return_code: Option<i32>) -> Self {
        match (result, return_code) {
            (0, None | Some(0)) => Self::Accepted,
            (0, Some(code)) => Self::Refused(ReturnCode::from_code(code)),
            (1, _) => Self::Retransmission,
            (2, _) => Self::SendFailed,
            (other, _) => Self::Unknown(other),
        }
    }

    /// Whether MQTT is connected.
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Accepted)
    }

    /// Whether another result follows.
    pub const fn is_interim(self) -> bool {
        matches!(self, Self::Retransmission)
    }

    /// Its name, in lower case with hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Accepted => "connect-ok",
            Self::Refused(code) => code.name(),
            Self::Retransmission => "connect-retransmission",
            Self::SendFailed => "connect-send-failed",
            Self::Unknown(_) => "connect-unknown",
        }
    }
}

impl core::fmt::Display for ConnectResult {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Accepted => show(f, 0, "connected", ""),
            Self::Refused(code) => write!(f, "refused with {code}"),
            Self::Retransmission => show(f, 1, "CONNECT is repeated", ""),
            Self::SendFailed => show(
                f,
                2,
                "CONNECT could not be sent",
                "check the signal; open again",
            ),
            Self::Unknown(code) => show(
                f,
                *code,
                "unknown code",
                "look the number up in the module's MQTT manual",
            ),
        }
    }
}

/// How a publish, or the end of a subscription, went.
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTPUB and AT+QMTUNS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PubResult {
    /// Acknowledged by the server; at QoS 0 only written to the network.
    Acknowledged,
    /// The packet is being repeated, so many times so far; the result comes later.
    Retransmission(Option<u32>),
    /// Given up; the message may have arrived all the same.
    Failed,
    /// A number that no manual lists.
    Unknown(i32),
}

impl PubResult {
    pub(crate) const fn new(result: i32) -> Self {
        match result {
            0 => Self::Acknowledged,
            1 => Self::Retransmission(None),
            2 => Self::Failed,
            other => Self::Unknown(other),
        }
    }

    /// Reads `<result>[,<value>]`; the value is that of a repetition.
    #[inline(always)]
    pub(crate) fn read(params: &mut Params<'_>) -> Result<Self, ParamError> {
        Ok(match Self::new(params.i32()?) {
            Self::Retransmission(_) => Self::Retransmission(params.u32().ok()),
            other => other,
        })
    }

    /// Whether the packet was acknowledged.
    pub const fn is_ok(self) -> bool {
        matches!(self, Self::Acknowledged)
    }

    /// Whether another result follows.
    pub const fn is_interim(self) -> bool {
        matches!(self, Self::Retransmission(_))
    }

    /// Its name, in lower case with hyphens.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Acknowledged => "publish-ok",
            Self::Retransmission(_) => "publish-retransmission",
            Self::Failed => "publish-failed",
            Self::Unknown(_) => "publish-unknown",
        }
    }
}

impl core::fmt::Display for PubResult {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Acknowledged => show(f, 0, "acknowledged", ""),
            Self::Retransmission(_) => show(f, 1, "the packet is repeated", ""),
            Self::Failed => show(
                f,
                2,
                "the packet was not acknowledged",
                "check the connection, then send it again",
            ),
            Self::Unknown(code) => show(
                f,
                *code,
                "unknown code",
                "look the number up in the module's MQTT manual",
            ),
        }
    }
}

/// What the server granted, one entry for each topic filter, at most five.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Granted {
    values: [u8; 5],
    count: u8,
}

impl Granted {
    /// What a SUBACK refuses with.
    pub const REFUSED: u8 = 128;

    /// Adds one; a sixth is dropped.
    pub(crate) fn push(&mut self, value: u8) {
        if let Some(slot) = self.values.get_mut(usize::from(self.count)) {
            *slot = value;
            self.count += 1;
        }
    }

    /// The quality of service granted to each topic filter; `None` for a refused one.
    pub fn iter(&self) -> impl Iterator<Item = Option<Qos>> + '_ {
        self.values
            .iter()
            .take(usize::from(self.count))
            .map(|value| Qos::from_number(*value))
    }

    /// Whether any topic filter was refused.
    pub fn any_refused(&self) -> bool {
        self.iter().any(|qos| qos.is_none())
    }
}

impl core::fmt::Debug for Granted {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

/// How a subscription went: `+QMTSUB: <client>,<msgid>,<result>[,<value>…]`.
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTSUB; MQTT 3.1.1, 3.9.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SubResult {
    /// The server answered; look at what it granted. Nothing is listed if the module does not say.
    Acknowledged(Granted),
    /// The packet is being repeated, so many times so far; the result comes later.
    Retransmission(Option<u32>),
    /// Given up.
    Failed,
    /// A number that no manual lists.
    Unknown(i32),
}

impl SubResult {
    /// Whether the server answered and refused no topic filter.
    pub fn is_ok(&self) -> bool {
        matches!(self, Self::Acknowledged(granted) if !granted.any_refused())
    }

    /// Whether another result follows.
    pub const fn is_interim(&self) -> bool {
        matches!(self, Self::Retransmission(_))
    }

    /// Its name, in lower case with hyphens.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Acknowledged(granted) if granted.any_refused() => "subscribe-refused",
            Self::Acknowledged(_) => "subscribe-ok",
            Self::Retransmission(_) => "subscribe-retransmission",
            Self::Failed => "subscribe-failed",
            Self::Unknown(_) => "subscribe-unknown",
        }
    }
}

impl core::fmt::Display for SubResult {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Acknowledged(granted) if granted.any_refused() => show(
                f,
                0,
                "the server refused a topic filter",
                "check the filter; IoT Hub knows only its own topics",
            ),
            Self::Acknowledged(_) => show(f, 0, "subscribed", ""),
            Self::Retransmission(_) => show(f, 1, "the packet is repeated", ""),
            Self::Failed => show(
                f,
                2,
                "the packet was not acknowledged",
                "check the connection, then subscribe again",
            ),
            Self::Unknown(code) => show(
                f,
                *code,
                "unknown code",
                "look the number up in the module's MQTT manual",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn granted_keeps_five() {
        let mut granted = Granted::default();
        assert!(!granted.any_refused());
        for value in [0, 1, 2, 1, 128, 0] {
            granted.push(value);
        }
        let got: std::vec::Vec<_> = granted.iter().collect();
        assert_eq!(
            got,
            [
                Some(Qos::AtMostOnce),
                Some(Qos::AtLeastOnce),
                Some(Qos::ExactlyOnce),
                Some(Qos::AtLeastOnce),
                None
            ]
        );
        assert!(granted.any_refused());
    }
}
