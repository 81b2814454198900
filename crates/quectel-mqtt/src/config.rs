//! One MQTT client as a whole.

use crate::{ItemName, MqttItem, MqttItems, MqttVersion, QmtCfg, Will};

/// The settings of one MQTT client.
///
/// ```
/// use quectel_mqtt::{MqttConfig, MqttItem, MqttItems};
/// let config = MqttConfig::new(0, 1, Some(2));
/// let items: Vec<_> = config.steps(MqttItems::BG96_OLD).map(|step| step.item).collect();
/// assert!(items.contains(&MqttItem::Ssl(Some(2))));
/// ```
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTCFG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "users fill it with struct update syntax"
)]
pub struct MqttConfig<'a> {
    /// Client, 0 to 5.
    pub client: u8,
    /// Which MQTT is spoken; IoT Hub needs 3.1.1.
    pub version: MqttVersion,
    /// PDP context, 1 to 16.
    pub pdp_context: u8,
    /// TLS context, 0 to 5; `None` for plain TCP.
    pub ssl_context: Option<u8>,
    /// Seconds between PINGREQs, 0 to 3,600; 0 sends none. IoT Hub needs 1 to 1,177.
    pub keep_alive_s: u16,
    /// Whether the server forgets subscriptions and queued messages at disconnection.
    pub clean_session: bool,
    /// Seconds until a packet is repeated, 1 to 60.
    pub packet_timeout_s: u16,
    /// How often a packet is repeated, 1 to 10.
    pub retries: u8,
    /// Whether each repetition is reported.
    pub notice: bool,
    /// What the server publishes when the connection is lost.
    pub will: Option<Will<'a>>,
    /// Whether received messages are stored for [`QmtRecv`](crate::QmtRecv), where the firmware can.
    pub stored: bool,
}

impl<'a> MqttConfig<'a> {
    /// MQTT 3.1.1; 240 s keep alive; clean session; the module's own packet timeout; messages in the URC, with their
    /// length where the firmware can.
    pub const fn new(client: u8, pdp_context: u8, ssl_context: Option<u8>) -> Self {
        Self {
            client,
            version: MqttVersion::V311,
            pdp_context,
            ssl_context,
            keep_alive_s: 240,
            clean_session: true,
            packet_timeout_s: 5,
            retries: 3,
            notice: false,
            will: None,
            stored: false,
        }
    }

    /// What a setting has to be; `None` if this configuration leaves it as it is.
    pub const fn item(&self, name: ItemName) -> Option<MqttItem<'a>> {
        Some(match name {
            ItemName::Version => MqttItem::Version(self.version),
            ItemName::PdpCid => MqttItem::PdpCid(self.pdp_context),
            ItemName::Ssl => MqttItem::Ssl(self.ssl_context),
            ItemName::KeepAlive => MqttItem::KeepAlive(self.keep_alive_s),
            ItemName::Session => MqttItem::CleanSession(self.clean_session),
            ItemName::Timeout => MqttItem::Timeout {
                packet_s: self.packet_timeout_s,
                retries: self.retries,
                notice: self.notice,
            },
            ItemName::Will => MqttItem::Will(self.will),
            ItemName::RecvMode => MqttItem::RecvMode {
                stored: self.stored,
                length: true,
            },
            // An earlier program may have turned hex on.
            ItemName::SendMode => MqttItem::SendHex(false),
            ItemName::DataFormat => MqttItem::DataFormat {
                send_hex: false,
                recv_hex: false,
            },
            _ => return None,
        })
    }

    /// The commands that configure the client, for a firmware that has these settings.
    pub fn steps(self, supported: MqttItems) -> impl Iterator<Item = QmtCfg<'a>> {
        ItemName::ALL
            .iter()
            .filter(move |name| supported.contains(**name))
            .filter_map(move |name| {
                self.item(*name).map(|item| QmtCfg {
                    client: self.client,
                    item,
                })
            })
    }

    /// The command number `n` of [`MqttConfig::steps`], counted from 0; `None` after the last one.
    pub fn step(&self, n: usize, supported: MqttItems) -> Option<QmtCfg<'a>> {
        self.steps(supported).nth(n)
    }

    /// Whether the client cannot be used if the module refuses this setting.
    pub const fn requires(&self, name: ItemName) -> bool {
        match name {
            ItemName::Version | ItemName::PdpCid | ItemName::Ssl => true,
            // Without it messages come in the URC, without their length.
            ItemName::RecvMode => self.stored,
            ItemName::Will => self.will.is_some(),
            _ => false,
        }
    }

    /// Compares what the module stored with what it was told.
    ///
    /// # Errors
    /// [`Mismatch`] with the setting's name.
    pub fn compare(&self, stored: &MqttItem<'_>) -> Result<(), Mismatch> {
        let item = stored.name();
        match self.item(item) {
            Some(wanted) if wanted != *stored => Err(Mismatch { item }),
            _ => Ok(()),
        }
    }

    /// Milliseconds until a packet has been acknowledged or given up, see [`crate::ack_timeout_ms`].
    pub const fn ack_timeout_ms(&self) -> u32 {
        crate::ack_timeout_ms(self.packet_timeout_s, self.retries)
    }
}

/// The module's MQTT client is not as it was set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the module did not keep the MQTT setting \"{item}\"; close the client (AT+QMTCLOSE) and set it again"
)]
#[non_exhaustive]
pub struct Mismatch {
    /// Which setting.
    pub item: ItemName,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::written;
    use quectel_at::Line;
    use std::string::{String, ToString};
    use std::vec::Vec;

    fn lines(config: MqttConfig<'_>, supported: MqttItems) -> Vec<String> {
        config.steps(supported).map(|step| written(&step)).collect()
    }

    #[test]
    fn commands_for_each_family() {
        let config = MqttConfig {
            keep_alive_s: 150,
            ..MqttConfig::new(1, 2, Some(0))
        };
        let mut expected = std::vec![
            "+QMTCFG=\"version\",1,4",
            "+QMTCFG=\"pdpcid\",1,2",
            "+QMTCFG=\"ssl\",1,1,0",
            "+QMTCFG=\"keepalive\",1,150",
            "+QMTCFG=\"session\",1,1",
            "+QMTCFG=\"timeout\",1,5,3,0",
            "+QMTCFG=\"will\",1,0",
        ];
        assert_eq!(lines(config, MqttItems::BG96_OLD), expected);
        assert_eq!(
            config
                .step(6, MqttItems::BG96_OLD)
                .map(|s| written(&s))
                .as_deref(),
            Some(expected[6])
        );
        assert_eq!(config.step(7, MqttItems::BG96_OLD), None);
        expected.push("+QMTCFG=\"recv/mode\",1,0,1");
        assert_eq!(lines(config, MqttItems::BG95), expected);
        expected.push("+QMTCFG=\"send/mode\",1,0");
        assert_eq!(lines(config, MqttItems::EC2X), expected);
        expected.push("+QMTCFG=\"dataformat\",1,0,0");
        assert_eq!(lines(config, MqttItems::EC200), expected);
    }

    #[test]
    fn read_back_is_compared() {
        let config = MqttConfig::new(0, 1, Some(2));
        let compare = |line| config.compare(&MqttItem::parse(Line::new(line)).unwrap());
        assert_eq!(compare(b"+QMTCFG: \"version\",4"), Ok(()));
        assert_eq!(compare(b"+QMTCFG: \"ssl\",1,2"), Ok(()));
        assert_eq!(compare(b"+QMTCFG: \"qmtping\",5"), Ok(()));
        assert_eq!(
            compare(b"+QMTCFG: \"version\",3"),
            Err(Mismatch {
                item: ItemName::Version
            })
        );
        assert_eq!(
            compare(b"+QMTCFG: \"ssl\",0"),
            Err(Mismatch {
                item: ItemName::Ssl
            })
        );
        assert!(
            compare(b"+QMTCFG: \"ssl\",1,1")
                .unwrap_err()
                .to_string()
                .contains("\"ssl\"")
        );
        assert_eq!(config.ack_timeout_ms(), 25_000);
    }
}
