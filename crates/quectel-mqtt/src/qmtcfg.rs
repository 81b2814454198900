//! `AT+QMTCFG`: sets, reads and lists the settings of a client.

use quectel_at::{Answer, Command, DataPhase, Exchange, Line, ParamError, Params, Writer};

use crate::{ItemName, MqttVersion, Qos, SHORT_MS, Secret, Value, Will, WillEx};

const ONE: &[Answer] = &[Answer::once(b"+QMTCFG")];
const MANY: &[Answer] = &[Answer::many(b"+QMTCFG")];

/// A setting with its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MqttItem<'a> {
    /// `version`
    Version(MqttVersion),
    /// `pdpcid`: PDP context, 1 to 16.
    PdpCid(u8),
    /// `ssl`: TLS context, 0 to 5; `None` for plain TCP.
    Ssl(Option<u8>),
    /// `keepalive`: 0 to 3,600 seconds; 0 sends no PINGREQ. IoT Hub needs 1 to 1,177.
    KeepAlive(u16),
    /// `session`: whether the server forgets the session at disconnection.
    CleanSession(bool),
    /// `timeout`
    Timeout {
        /// Seconds until a packet is repeated: 1 to 60, on EC600S up to 1,200.
        packet_s: u16,
        /// How often it is repeated: 0 (BG96: 1) to 10.
        retries: u8,
        /// Whether each repetition is reported.
        notice: bool,
    },
    /// `will`
    Will(Option<Will<'a>>),
    /// `willex`: the message follows as the payload of [`quectel_at::Link::send_with`].
    WillEx(Option<WillEx<'a>>),
    /// `recv/mode`
    RecvMode {
        /// Whether messages are stored for [`QmtRecv`](crate::QmtRecv) instead of coming in the URC.
        stored: bool,
        /// Whether the payload's length is told, without which some payloads cannot be delimited.
        length: bool,
    },
    /// `send/mode`: whether payloads are sent as hex.
    SendHex(bool),
    /// `dataformat`: whether payloads are hex.
    DataFormat {
        /// Sent ones.
        send_hex: bool,
        /// Received ones.
        recv_hex: bool,
    },
    /// `view/mode`: whether input is echoed.
    ViewMode(bool),
    /// `edit/timeout`: 1 to 180 seconds for the input after a prompt; `None` waits for ever.
    EditTimeout(Option<u8>),
    /// `close/time`: 5 to 60 seconds.
    CloseTime(u8),
    /// `qmtping`: 5 to 60 seconds until an unanswered PINGREQ is repeated.
    PingInterval(u8),
    /// `aliauth`
    AliAuth {
        /// Product key.
        product_key: &'a str,
        /// Device name.
        device_name: &'a str,
        /// Device secret.
        device_secret: Secret<'a>,
    },
}

impl<'a> MqttItem<'a> {
    /// Which setting it is.
    pub const fn name(&self) -> ItemName {
        match self {
            Self::Version(_) => ItemName::Version,
            Self::PdpCid(_) => ItemName::PdpCid,
            Self::Ssl(_) => ItemName::Ssl,
            Self::KeepAlive(_) => ItemName::KeepAlive,
            Self::CleanSession(_) => ItemName::Session,
            Self::Timeout { .. } => ItemName::Timeout,
            Self::Will(_) => ItemName::Will,
            Self::WillEx(_) => ItemName::WillEx,
            Self::RecvMode { .. } => ItemName::RecvMode,
            Self::SendHex(_) => ItemName::SendMode,
            Self::DataFormat { .. } => ItemName::DataFormat,
            Self::ViewMode(_) => ItemName::ViewMode,
            Self::EditTimeout(_) => ItemName::EditTimeout,
            Self::CloseTime(_) => ItemName::CloseTime,
            Self::PingInterval(_) => ItemName::QmtPing,
            Self::AliAuth { .. } => ItemName::AliAuth,
        }
    }

    /// Reads the answer to [`QmtCfgRead`]: `+QMTCFG: "<item>",<value>…`, without the client's index.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape; [`ParamError::WrongName`] also for an unknown setting and for one
    /// that [`QmtCfgOther::parse`] reads.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QMTCFG").ok_or(ParamError::WrongName)?;
        let name = ItemName::parse(params.bytes()?).ok_or(ParamError::WrongName)?;
        parse_value(name, &mut params)
    }

    fn encode_value(&self, line: &mut Writer<'_>) {
        let flag = |on: bool| u32::from(on);
        match *self {
            Self::Version(version) => line.num(u32::from(version.number())),
            Self::PdpCid(number) | Self::CloseTime(number) | Self::PingInterval(number) => {
                line.num(u32::from(number))
            }
            Self::KeepAlive(seconds) => line.num(u32::from(seconds)),
            Self::CleanSession(on) | Self::SendHex(on) | Self::ViewMode(on) => line.num(flag(on)),
            Self::Timeout {
                packet_s,
                retries,
                notice,
            } => line
                .num(u32::from(packet_s))
                .num(u32::from(retries))
                .num(flag(notice)),
            Self::RecvMode {
                stored: first,
                length: second,
            }
            | Self::DataFormat {
                send_hex: first,
                recv_hex: second,
            } => line.num(flag(first)).num(flag(second)),
            Self::Ssl(None) | Self::Will(None) | Self::WillEx(None) | Self::EditTimeout(None) => {
                line.num(0)
            }
            Self::Ssl(Some(number)) | Self::EditTimeout(Some(number)) => {
                line.num(1).num(u32::from(number))
            }
            Self::Will(Some(will)) => line
                .num(1)
                .num(u32::from(will.qos.number()))
                .num(flag(will.retain))
                .quoted(will.topic.as_bytes())
                .quoted(will.message.as_bytes()),
            Self::WillEx(Some(will)) => line
                .num(1)
                .num(u32::from(will.qos.number()))
                .num(flag(will.retain))
                .quoted(will.topic.as_bytes())
                .num(u32::from(will.length)),
            Self::AliAuth {
                product_key,
                device_name,
                device_secret,
            } => line
                .quoted(product_key.as_bytes())
                .quoted(device_name.as_bytes())
                .secret(device_secret.expose().as_bytes()),
        };
    }
}

fn parse_value<'a>(name: ItemName, params: &mut Params<'a>) -> Result<MqttItem<'a>, ParamError> {
    Ok(match name {
        ItemName::Version => MqttItem::Version(MqttVersion::from_number(params.u8()?)?),
        ItemName::PdpCid => MqttItem::PdpCid(params.u8()?),
        ItemName::Ssl => MqttItem::Ssl(switched(params, Params::u8)?),
        ItemName::KeepAlive => MqttItem::KeepAlive(params.u16()?),
        ItemName::Session => MqttItem::CleanSession(flag(params)?),
        ItemName::Timeout => MqttItem::Timeout {
            packet_s: params.u16()?,
            retries: params.u8()?,
            // Optional in the command, so perhaps in the answer.
            notice: !params.is_empty() && flag(params)?,
        },
        ItemName::Will => MqttItem::Will(switched(params, will)?),
        ItemName::WillEx => MqttItem::WillEx(switched(params, will_ex)?),
        ItemName::RecvMode => MqttItem::RecvMode {
            stored: flag(params)?,
            length: !params.is_empty() && flag(params)?,
        },
        ItemName::SendMode => MqttItem::SendHex(flag(params)?),
        ItemName::DataFormat => MqttItem::DataFormat {
            send_hex: flag(params)?,
            recv_hex: flag(params)?,
        },
        ItemName::ViewMode => MqttItem::ViewMode(flag(params)?),
        ItemName::EditTimeout => MqttItem::EditTimeout(switched(params, Params::u8)?),
        ItemName::CloseTime => MqttItem::CloseTime(params.u8()?),
        ItemName::QmtPing => MqttItem::PingInterval(params.u8()?),
        ItemName::AliAuth => MqttItem::AliAuth {
            product_key: params.text()?,
            device_name: params.text()?,
            device_secret: Secret::new(params.text()?),
        },
        ItemName::OneNet
        | ItemName::HwAuth
        | ItemName::HwProdId
        | ItemName::CtWing
        | ItemName::ProtocolCheck
        | ItemName::WakeupTopic => return Err(ParamError::WrongName),
    })
}

fn will<'a>(params: &mut Params<'a>) -> Result<Will<'a>, ParamError> {
    Ok(Will {
        qos: Qos::parse(params.u8()?)?,
        retain: flag(params)?,
        topic: params.text()?,
        message: params.text()?,
    })
}

fn will_ex<'a>(params: &mut Params<'a>) -> Result<WillEx<'a>, ParamError> {
    Ok(WillEx {
        qos: Qos::parse(params.u8()?)?,
        retain: flag(params)?,
        topic: params.text()?,
        length: params.u16()?,
    })
}

/// `0`, or `1` and a value.
fn switched<'a, T>(
    params: &mut Params<'a>,
    read: impl FnOnce(&mut Params<'a>) -> Result<T, ParamError>,
) -> Result<Option<T>, ParamError> {
    match flag(params)? {
        true => read(params).map(Some),
        false => Ok(None),
    }
}

fn flag(params: &mut Params<'_>) -> Result<bool, ParamError> {
    match params.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(ParamError::NotANumber),
    }
}

fn head(line: &mut Writer<'_>, client: u8, item: ItemName) {
    line.set("+QMTCFG").word(item.name());
    if item.has_client() {
        line.num(u32::from(client));
    }
}

/// `AT+QMTCFG="<item>",<client>,<value>…`: changes a setting. It holds until the module resets, and for connections
/// that are opened later.
///
/// ```
/// use quectel_at::{Command, Writer};
/// use quectel_mqtt::{MqttItem, QmtCfg};
/// let mut buf = [0; 32];
/// let mut line = Writer::new(&mut buf);
/// QmtCfg { client: 0, item: MqttItem::Ssl(Some(2)) }.encode(&mut line);
/// let len = line.finish()?.len;
/// assert_eq!(&buf[..len], b"+QMTCFG=\"ssl\",0,1,2");
/// # Ok::<(), quectel_at::WriteError>(())
/// ```
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTCFG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtCfg<'a> {
    /// Client, 0 to 5.
    pub client: u8,
    /// The setting and its value.
    pub item: MqttItem<'a>,
}

impl Command for QmtCfg<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        head(line, self.client, self.item.name());
        self.item.encode_value(line);
    }

    fn exchange(&self) -> Exchange {
        let exchange = Exchange::plain(SHORT_MS);
        match self.item {
            MqttItem::WillEx(Some(_)) => exchange.with_data(DataPhase::Prompt { ctrl_z: false }),
            _ => exchange,
        }
    }
}

/// `AT+QMTCFG="<item>",<client>`: reads a setting; answered by [`MqttItem::parse`], or `OK` alone where nothing is set.
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTCFG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtCfgRead {
    /// Client, 0 to 5.
    pub client: u8,
    /// Which setting.
    pub item: ItemName,
}

impl Command for QmtCfgRead {
    fn encode(&self, line: &mut Writer<'_>) {
        head(line, self.client, self.item);
    }

    fn exchange(&self) -> Exchange {
        Exchange::maybe(ONE, SHORT_MS)
    }
}

/// `AT+QMTCFG=?`: lists the settings that the firmware has, one line each; see [`QmtCfgTest::item`].
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTCFG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtCfgTest;

impl QmtCfgTest {
    /// The setting that a line of the answer is about; `None` for one that is not known here.
    ///
    /// ```
    /// use quectel_at::Line;
    /// use quectel_mqtt::{ItemName, QmtCfgTest};
    /// let line = Line::new(b"+QMTCFG: \"recv/mode\",(0-5),(0,1),(0,1)");
    /// assert_eq!(QmtCfgTest::item(line), Some(ItemName::RecvMode));
    /// ```
    pub fn item(line: Line<'_>) -> Option<ItemName> {
        ItemName::parse(line.params(b"+QMTCFG")?.bytes().ok()?)
    }
}

impl Command for QmtCfgTest {
    fn encode(&self, line: &mut Writer<'_>) {
        line.test("+QMTCFG");
    }

    fn exchange(&self) -> Exchange {
        Exchange::maybe(MANY, SHORT_MS)
    }
}

/// `AT+QMTCFG="<item>",<client>,<values>`: changes a setting whose fields differ from firmware to firmware: the helpers
/// of other clouds (`onenet`, `hwauth`, `hwprodid`, `CTWing`), `protocol/check` and `wakeup/topic`.
///
/// # Reference
/// `AT+QMTCFG=?` of EC600S, EG25-G and EG800K.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QmtCfgOther<'a> {
    /// Client, 0 to 5.
    pub client: u8,
    /// Which setting.
    pub item: ItemName,
    /// Its fields, in the manual's order.
    pub values: &'a [Value<'a>],
}

impl QmtCfgOther<'_> {
    /// Reads the answer to [`QmtCfgRead`]: the setting, and its fields as they stand.
    ///
    /// # Errors
    /// [`ParamError::WrongName`] if the line is about no known setting.
    pub fn parse(line: Line<'_>) -> Result<(ItemName, &[u8]), ParamError> {
        let mut params = line.params(b"+QMTCFG").ok_or(ParamError::WrongName)?;
        let name = ItemName::parse(params.bytes()?).ok_or(ParamError::WrongName)?;
        Ok((name, params.rest()))
    }
}

impl Command for QmtCfgOther<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        head(line, self.client, self.item);
        for value in self.values {
            match value {
                Value::Number(number) => line.num(*number),
                Value::Text(text) => line.quoted(text.as_bytes()),
                Value::Secret(secret) => line.secret(secret.expose().as_bytes()),
            };
        }
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::written;
    use std::format;

    const WILL: Will<'static> = Will {
        qos: Qos::AtLeastOnce,
        retain: false,
        topic: "t",
        message: "gone",
    };
    const WILL_EX: WillEx<'static> = WillEx {
        qos: Qos::AtMostOnce,
        retain: true,
        topic: "t",
        length: 4,
    };

    /// Every setting, and its fields as sent and answered.
    #[rustfmt::skip]
    const ITEMS: &[(MqttItem<'static>, &str)] = &[
        (MqttItem::Version(MqttVersion::V311), "4"),
        (MqttItem::Version(MqttVersion::V31), "3"),
        (MqttItem::PdpCid(2), "2"),
        (MqttItem::Ssl(Some(2)), "1,2"),
        (MqttItem::Ssl(None), "0"),
        (MqttItem::KeepAlive(150), "150"),
        (MqttItem::CleanSession(true), "1"),
        (MqttItem::Timeout { packet_s: 5, retries: 3, notice: true }, "5,3,1"),
        (MqttItem::Will(None), "0"),
        (MqttItem::Will(Some(WILL)), "1,1,0,\"t\",\"gone\""),
        (MqttItem::Will(Some(Will { message: "", ..WILL })), "1,1,0,\"t\",\"\""),
        (MqttItem::WillEx(None), "0"),
        (MqttItem::WillEx(Some(WILL_EX)), "1,0,1,\"t\",4"),
        (MqttItem::RecvMode { stored: false, length: true }, "0,1"),
        (MqttItem::RecvMode { stored: true, length: false }, "1,0"),
        (MqttItem::SendHex(false), "0"),
        (MqttItem::DataFormat { send_hex: false, recv_hex: true }, "0,1"),
        (MqttItem::ViewMode(true), "1"),
        (MqttItem::EditTimeout(Some(30)), "1,30"),
        (MqttItem::EditTimeout(None), "0"),
        (MqttItem::CloseTime(5), "5"),
        (MqttItem::PingInterval(5), "5"),
        (
            MqttItem::AliAuth { product_key: "key", device_name: "name", device_secret: Secret::new("secret") },
            "\"key\",\"name\",\"secret\"",
        ),
    ];

    #[test]
    fn every_item_is_written_and_read_back() {
        for (item, fields) in ITEMS {
            let name = item.name();
            let client = if name.has_client() { "0," } else { "" };
            assert_eq!(
                written(&QmtCfg {
                    client: 0,
                    item: *item
                }),
                format!("+QMTCFG=\"{name}\",{client}{fields}")
            );
            let answer = format!("+QMTCFG: \"{name}\",{fields}");
            assert_eq!(
                MqttItem::parse(Line::new(answer.as_bytes())),
                Ok(*item),
                "{answer}"
            );
        }
        let typed = ItemName::ALL
            .iter()
            .filter(|name| ITEMS.iter().any(|(item, _)| item.name() == **name));
        assert_eq!(typed.count(), ItemName::ALL.len() - 6);
    }

    #[test]
    fn read_and_test_forms() {
        assert_eq!(
            written(&QmtCfgRead {
                client: 0,
                item: ItemName::Version
            }),
            "+QMTCFG=\"version\",0"
        );
        assert_eq!(
            written(&QmtCfgRead {
                client: 0,
                item: ItemName::CloseTime
            }),
            "+QMTCFG=\"close/time\""
        );
        assert_eq!(written(&QmtCfgTest), "+QMTCFG=?");
        let other = QmtCfgOther {
            client: 1,
            item: ItemName::OneNet,
            values: &[
                Value::Text("id"),
                Value::Secret(Secret::new("key")),
                Value::Number(1),
            ],
        };
        assert_eq!(written(&other), "+QMTCFG=\"onenet\",1,\"id\",\"key\",1");
        assert!(!format!("{other:?}").contains("key"));
        assert_eq!(
            QmtCfgOther::parse(Line::new(b"+QMTCFG: \"onenet\",\"id\",\"key\"")),
            Ok((ItemName::OneNet, &b"\"id\",\"key\""[..]))
        );
    }

    #[test]
    fn answers_with_fields_left_out_or_wrong() {
        let cases: &[(&[u8], Result<MqttItem<'_>, ParamError>)] = &[
            (
                b"+QMTCFG: \"timeout\",5,3",
                Ok(MqttItem::Timeout {
                    packet_s: 5,
                    retries: 3,
                    notice: false,
                }),
            ),
            (
                b"+QMTCFG: \"recv/mode\",0",
                Ok(MqttItem::RecvMode {
                    stored: false,
                    length: false,
                }),
            ),
            (b"+QMTCFG: \"SSL\",1,2", Ok(MqttItem::Ssl(Some(2)))),
            (b"+QMTCFG: \"ssl\",1", Err(ParamError::Missing)),
            (b"+QMTCFG: \"version\",5", Err(ParamError::NotANumber)),
            (b"+QMTCFG: \"onenet\",\"a\"", Err(ParamError::WrongName)),
            (b"+QMTCFG: \"clientid\",0", Err(ParamError::WrongName)),
            (b"+QSSLCFG: \"sni\",0,1", Err(ParamError::WrongName)),
        ];
        for (line, expected) in cases {
            assert_eq!(
                MqttItem::parse(Line::new(line)),
                *expected,
                "{}",
                line.escape_ascii()
            );
        }
    }

    #[test]
    fn only_willex_has_a_prompt() {
        let data = |item| QmtCfg { client: 0, item }.exchange().data;
        assert_eq!(
            data(MqttItem::WillEx(Some(WILL_EX))),
            DataPhase::Prompt { ctrl_z: false }
        );
        assert_eq!(data(MqttItem::WillEx(None)), DataPhase::None);
        assert_eq!(data(MqttItem::Will(Some(WILL))), DataPhase::None);
    }
}
