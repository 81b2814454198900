//! The values of settings and parameters.

use quectel_at::{ParamError, Secret};

/// Quality of service of a message or a subscription.
///
/// # Reference
/// MQTT 3.1.1, 4.3.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(clippy::exhaustive_enums, reason = "MQTT has three")]
pub enum Qos {
    /// 0: sent once, not acknowledged.
    AtMostOnce,
    /// 1: repeated until acknowledged; may arrive twice.
    AtLeastOnce,
    /// 2: arrives exactly once. IoT Hub closes the connection on it.
    ExactlyOnce,
}

impl Qos {
    /// 0, 1 or 2.
    pub const fn number(self) -> u8 {
        match self {
            Self::AtMostOnce => 0,
            Self::AtLeastOnce => 1,
            Self::ExactlyOnce => 2,
        }
    }

    /// The quality with this number.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            0 => Some(Self::AtMostOnce),
            1 => Some(Self::AtLeastOnce),
            2 => Some(Self::ExactlyOnce),
            _ => None,
        }
    }

    pub(crate) fn parse(number: u8) -> Result<Self, ParamError> {
        Self::from_number(number).ok_or(ParamError::NotANumber)
    }
}

/// `version`: which MQTT is spoken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MqttVersion {
    /// 3: MQTT 3.1, the default. IoT Hub closes the connection.
    V31,
    /// 4: MQTT 3.1.1.
    V311,
}

impl MqttVersion {
    /// The module's number.
    pub const fn number(self) -> u8 {
        match self {
            Self::V31 => 3,
            Self::V311 => 4,
        }
    }

    /// The version with this number.
    ///
    /// # Errors
    /// [`ParamError::NotANumber`] if there is none.
    pub const fn from_number(number: u8) -> Result<Self, ParamError> {
        match number {
            3 => Ok(Self::V31),
            4 => Ok(Self::V311),
            _ => Err(ParamError::NotANumber),
        }
    }
}

/// A message that the server publishes when the connection is lost.
///
/// # Reference
/// MQTT 3.1.1, 3.1.2.5; BG96 MQTT Application Note V1.0, AT+QMTCFG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "MQTT defines its fields")]
pub struct Will<'a> {
    /// Its quality of service.
    pub qos: Qos,
    /// Whether the server keeps it.
    pub retain: bool,
    /// Its topic.
    pub topic: &'a str,
    /// Its text, without quotes and control characters; may be empty.
    pub message: &'a str,
}

/// A will whose message follows after a prompt (`willex`; EC2x, EC200).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "MQTT defines its fields")]
pub struct WillEx<'a> {
    /// Its quality of service.
    pub qos: Qos,
    /// Whether the server keeps it.
    pub retain: bool,
    /// Its topic.
    pub topic: &'a str,
    /// Bytes of the message that follow, 0 to 256.
    pub length: u16,
}

/// One value of a setting whose fields differ from firmware to firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Value<'a> {
    /// Without quotes.
    Number(u32),
    /// In quotes.
    Text(&'a str),
    /// In quotes, and masked in traces.
    Secret(Secret<'a>),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_both_ways() {
        for number in 0..=2 {
            assert_eq!(Qos::from_number(number).map(Qos::number), Some(number));
        }
        assert_eq!(Qos::from_number(128), None);
        for number in 3..=4 {
            assert_eq!(
                MqttVersion::from_number(number).map(MqttVersion::number),
                Ok(number)
            );
        }
        assert_eq!(MqttVersion::from_number(5), Err(ParamError::NotANumber));
    }
}
