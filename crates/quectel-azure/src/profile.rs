//! What differs between modules, as one table.

pub use quectel_mqtt::MqttItems;
pub use quectel_ssl::{ItemName, SslItems};

/// How a family publishes over MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PublishForm {
    /// `AT+QMTPUB` without length: the payload ends with Ctrl-Z.
    QmtPubCtrlZ,
    /// `AT+QMTPUB` with a length behind the topic.
    QmtPubLength,
    /// `AT+QMTPUBEX` with a length behind the topic.
    QmtPubExLength,
}

/// One family of modules and firmware.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Profile {
    /// Name of the row, such as `bg96-old`.
    pub name: &'static str,
    /// Beginnings of the model names that belong to it.
    pub models: &'static [&'static str],
    /// Beginnings of the firmware revisions that belong to it; empty for all.
    pub revisions: &'static [&'static str],
    /// Prefix that `AT+QFLST` prints before file names.
    pub file_prefix: &'static str,
    /// Which items of `AT+QSSLCFG` exist.
    pub ssl_items: SslItems,
    /// Whether `AT+QSSLCFG="checkhost"` takes the name to check instead of 0 or 1.
    pub check_host_by_name: bool,
    /// Which items of `AT+QMTCFG` exist; without `recv/mode` received payloads are not counted.
    pub mqtt_items: MqttItems,
    /// How messages are published.
    pub publish: PublishForm,
    /// Longest payload of one message in bytes.
    pub max_payload: u16,
    /// Whether URCs must be routed to the UART with `AT+QURCCFG`.
    pub urc_port: bool,
    /// Milliseconds from `RDY` until AT commands are safe; `APP RDY` ends the wait early.
    pub settle_ms: u16,
    /// Most PDP contexts.
    pub max_pdp: u8,
    /// Seconds to wait for `+QMTCLOSE` of a closed client.
    pub close_s: u8,
    /// Where the facts are from.
    pub source: &'static str,
}

/// The table; the first row that fits is used, the last one fits everything.
///
/// # Reference
/// Each row names its source; the rows follow the families' manuals, test commands and recorded sessions.
pub const PROFILES: &[Profile] = &[
    Profile {
        name: "bg96-old",
        models: &["BG96"],
        revisions: &["BG96MAR01", "BG96MAR02", "BG96MAR03"],
        file_prefix: "",
        ssl_items: SslItems::BG96_OLD,
        check_host_by_name: false,
        mqtt_items: MqttItems::BG96_OLD,
        publish: PublishForm::QmtPubCtrlZ,
        max_payload: 1_548,
        urc_port: true,
        settle_ms: 5_000,
        max_pdp: 16,
        close_s: 10,
        source: "BG96 MQTT Application Note V1.0; BG96 SSL AT Commands Manual V1.0; forum thread 8115",
    },
    Profile {
        name: "bg96",
        models: &["BG96"],
        revisions: &[],
        file_prefix: "",
        ssl_items: SslItems::BG96_NEW,
        check_host_by_name: true,
        mqtt_items: MqttItems::BG95,
        publish: PublishForm::QmtPubLength,
        max_payload: 4_096,
        urc_port: true,
        settle_ms: 5_000,
        max_pdp: 16,
        close_s: 10,
        source: "LooUQ LTEmC driver; mbed-os BG96 driver (sni); EWF issue 20",
    },
    Profile {
        name: "bg95",
        models: &["BG95", "BG77", "BG600", "BG950", "BG770"],
        revisions: &[],
        file_prefix: "",
        ssl_items: SslItems::BG95,
        check_host_by_name: false,
        mqtt_items: MqttItems::BG95,
        publish: PublishForm::QmtPubLength,
        max_payload: 4_096,
        urc_port: true,
        settle_ms: 10_000,
        max_pdp: 16,
        close_s: 2,
        source: "BG95-M3 01.011 test commands; LooUQ LTEmC driver; zephyr PR 57110 (APP RDY)",
    },
    Profile {
        name: "ec200",
        models: &[
            "EC200", "EC600", "EC800", "EG800", "EG810", "EG912", "EG915", "EG950",
        ],
        revisions: &[],
        file_prefix: "UFS:",
        ssl_items: SslItems::EC200,
        check_host_by_name: false,
        mqtt_items: MqttItems::EC200,
        publish: PublishForm::QmtPubExLength,
        max_payload: 4_096,
        urc_port: true,
        settle_ms: 5_000,
        max_pdp: 15,
        close_s: 5,
        source: "EG800KCNGCR07A06M04 hardware report; EC600S test commands",
    },
    Profile {
        name: "ec2x",
        models: &[
            "EC20", "EC21", "EC25", "EG21", "EG25", "EG91", "EG95", "EM05",
        ],
        revisions: &[],
        file_prefix: "UFS:",
        ssl_items: SslItems::EC2X,
        check_host_by_name: false,
        mqtt_items: MqttItems::EC2X,
        publish: PublishForm::QmtPubExLength,
        max_payload: 1_500,
        urc_port: true,
        settle_ms: 5_000,
        max_pdp: 16,
        close_s: 10,
        source: "EG25-G 30.203 test commands; EC25EFAR06A17M4G provisioning log; RIC3D driver",
    },
    Profile {
        name: "unknown",
        models: &[""],
        revisions: &[],
        file_prefix: "UFS:",
        ssl_items: SslItems::EC2X,
        check_host_by_name: false,
        mqtt_items: MqttItems::BG95,
        publish: PublishForm::QmtPubExLength,
        max_payload: 1_500,
        urc_port: true,
        settle_ms: 10_000,
        max_pdp: 15,
        close_s: 5,
        source: "the EC2x row, as the newest documented command set",
    },
];

impl Profile {
    /// The row for a model as `ATI` names it and a firmware revision.
    ///
    /// ```
    /// use quectel_azure::Profile;
    /// assert_eq!(Profile::find("BG96", "BG96MAR02A07M1G").name, "bg96-old");
    /// assert_eq!(Profile::find("EC21", "EC21EUXGAR08A02M1G").name, "ec2x");
    /// assert!(!Profile::find("SIM7600", "").is_known());
    /// ```
    pub fn find(model: &str, revision: &str) -> &'static Self {
        let fits = |p: &&Self| {
            p.models.iter().any(|m| begins(model, m))
                && (p.revisions.is_empty() || p.revisions.iter().any(|r| begins(revision, r)))
        };
        PROFILES.iter().find(fits).unwrap_or(&UNKNOWN)
    }

    /// The row of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        PROFILES.iter().find(|p| p.name.eq_ignore_ascii_case(name))
    }

    /// Whether the firmware can send the server's name in the TLS handshake.
    pub const fn has_sni(&self) -> bool {
        self.ssl_items.contains(ItemName::Sni)
    }

    /// Whether the model was found in the table.
    pub fn is_known(&self) -> bool {
        self.name != UNKNOWN.name
    }
}

const UNKNOWN: Profile = PROFILES[PROFILES.len() - 1];

fn begins(text: &str, with: &str) -> bool {
    text.get(..with.len())
        .is_some_and(|start| start.eq_ignore_ascii_case(with))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_chosen_by_model_and_firmware() {
        let cases = [
            ("BG96", "BG96MAR02A08M1G_01.012.01.012", "bg96-old"),
            ("BG96", "BG96MAR04A02M1G", "bg96"),
            ("BG95-M3", "BG95M3LAR02A03_01.011.01.011", "bg95"),
            ("BG77", "BG77LAR02A04", "bg95"),
            ("BG770A-GL", "BG770AGLAAR01A03", "bg95"),
            ("EG25", "EG25GGBR07A08M2G", "ec2x"),
            ("EG912", "", "ec200"),
            ("EC200U", "", "ec200"),
            ("EG91", "EG91NAFBR05A06M4G", "ec2x"),
            ("", "", "unknown"),
        ];
        for (model, revision, expected) in cases {
            assert_eq!(
                Profile::find(model, revision).name,
                expected,
                "{model} {revision}"
            );
        }
    }
}
