//! The names of the settings, and sets of them.

macro_rules! items {
    ($($(#[$doc:meta])* $variant:ident = $name:literal;)+) => {
        /// A setting of `AT+QMTCFG` by name.
        ///
        /// # Reference
        /// BG96 MQTT Application Note V1.0, AT+QMTCFG; test forms of BG95-M3 (01.011), EC600S and EG800K.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum ItemName {
            $($(#[$doc])* $variant,)+
        }

        impl ItemName {
            /// Every setting.
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// As the module spells it, such as `keepalive`.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }
        }
    };
}

items! {
    /// Which MQTT is spoken.
    Version = "version";
    /// PDP context.
    PdpCid = "pdpcid";
    /// TLS context.
    Ssl = "ssl";
    /// Seconds between PINGREQs.
    KeepAlive = "keepalive";
    /// Clean session.
    Session = "session";
    /// How long and how often a packet is repeated.
    Timeout = "timeout";
    /// Will message.
    Will = "will";
    /// Will message that follows after a prompt (EC2x, EC200).
    WillEx = "willex";
    /// How messages come (all but old BG96).
    RecvMode = "recv/mode";
    /// Whether payloads are sent as hex (EC2x, EC200).
    SendMode = "send/mode";
    /// Whether payloads are sent and received as hex (EC200).
    DataFormat = "dataformat";
    /// Whether input is echoed (EC200).
    ViewMode = "view/mode";
    /// How long a prompt waits for input (EC200).
    EditTimeout = "edit/timeout";
    /// How long closing takes (EG800K); for all clients.
    CloseTime = "close/time";
    /// Seconds between repeated PINGREQs (EC2x, EC200).
    QmtPing = "qmtping";
    /// Alibaba Cloud credentials.
    AliAuth = "aliauth";
    /// OneNET credentials.
    OneNet = "onenet";
    /// Huawei Cloud credentials.
    HwAuth = "hwauth";
    /// Huawei Cloud product.
    HwProdId = "hwprodid";
    /// China Telecom credentials.
    CtWing = "CTWing";
    /// Protocol check (EG25).
    ProtocolCheck = "protocol/check";
    /// Topic that wakes the host (EG800K).
    WakeupTopic = "wakeup/topic";
}

impl ItemName {
    /// The setting that the module calls so, in any case.
    pub fn parse(name: &[u8]) -> Option<Self> {
        Self::ALL
            .iter()
            .copied()
            .find(|item| item.name().as_bytes().eq_ignore_ascii_case(name))
    }

    /// Whether it belongs to one client; `close/time` is for all.
    pub const fn has_client(self) -> bool {
        !matches!(self, Self::CloseTime)
    }
}

impl core::fmt::Display for ItemName {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.name())
    }
}

/// A set of settings: those that a firmware has.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct MqttItems(u32);

impl MqttItems {
    /// None.
    pub const EMPTY: Self = Self(0);

    /// All that are known.
    pub const ALL: Self = Self::of(ItemName::ALL);

    /// Those of BG96 firmware up to R02 and R03: no `recv/mode`.
    ///
    /// # Reference
    /// BG96 MQTT Application Note V1.0, AT+QMTCFG=?.
    pub const BG96_OLD: Self = Self::of(&[
        ItemName::Version,
        ItemName::PdpCid,
        ItemName::Ssl,
        ItemName::KeepAlive,
        ItemName::Session,
        ItemName::Timeout,
        ItemName::Will,
        ItemName::AliAuth,
    ]);

    /// Those of BG95, BG77, BG600L and newer BG96.
    ///
    /// # Reference
    /// `AT+QMTCFG=?` of BG95M3LAR02A03_01.011.01.011.
    pub const BG95: Self = Self::BG96_OLD.with(ItemName::RecvMode);

    /// Those of EC2x and EG2x.
    pub const EC2X: Self = Self::BG95
        .with(ItemName::WillEx)
        .with(ItemName::SendMode)
        .with(ItemName::QmtPing);

    /// Those of the EC200 class: EC200, EC600, EG8xx, EG91x.
    ///
    /// # Reference
    /// `AT+QMTCFG=?` of an EC600S.
    pub const EC200: Self = Self::EC2X
        .with(ItemName::DataFormat)
        .with(ItemName::ViewMode)
        .with(ItemName::EditTimeout)
        .with(ItemName::OneNet)
        .with(ItemName::HwAuth)
        .with(ItemName::HwProdId)
        .with(ItemName::CtWing);

    /// These settings.
    pub const fn of(mut items: &[ItemName]) -> Self {
        let mut set = Self::EMPTY;
        while let [first, rest @ ..] = items {
            set = set.with(*first);
            items = rest;
        }
        set
    }

    /// The same with one more.
    pub const fn with(self, item: ItemName) -> Self {
        Self(self.0 | 1 << item as u32)
    }

    /// The same without one, such as one that the module has refused.
    pub const fn without(self, item: ItemName) -> Self {
        Self(self.0 & !(1 << item as u32))
    }

    /// Whether a setting is among them.
    pub const fn contains(self, item: ItemName) -> bool {
        self.0 & (1 << item as u32) != 0
    }

    /// Each of them.
    pub fn iter(self) -> impl Iterator<Item = ItemName> {
        ItemName::ALL
            .iter()
            .copied()
            .filter(move |item| self.contains(*item))
    }
}

impl core::fmt::Debug for MqttItems {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_and_names() {
        assert!(ItemName::ALL.len() <= 32);
        for item in ItemName::ALL {
            assert_eq!(ItemName::parse(item.name().as_bytes()), Some(*item));
            assert!(MqttItems::ALL.contains(*item));
            assert!(!MqttItems::ALL.without(*item).contains(*item));
        }
        assert_eq!(ItemName::parse(b"SSL"), Some(ItemName::Ssl));
        // A name that PicoLTE uses and no module knows.
        assert_eq!(ItemName::parse(b"clean_session"), None);
        assert!(!MqttItems::BG96_OLD.contains(ItemName::RecvMode));
        assert!(!MqttItems::BG95.contains(ItemName::SendMode));
        assert_eq!(MqttItems::BG96_OLD.iter().count(), 8);
    }
}
