//! What the user decides.

use azure_auth::roots;

use crate::{Buffers, ConfigError, Profile};

/// How the device proves its identity to the hub.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Credential<'b> {
    /// The device's symmetric key in base64; SAS tokens are made from it.
    SharedAccessKey(&'b str),
    /// A SAS token made elsewhere, beginning with `SharedAccessSignature sr=`.
    SasToken(&'b str),
    /// A symmetric key held elsewhere, such as in a secure element: [`crate::Event::SignatureNeeded`] asks for the
    /// HMAC-SHA256 of a text.
    ExternalKey,
    /// A client certificate, uploaded to the module together with its key.
    X509 {
        /// The certificate, PEM; intermediates may follow.
        certificate: &'b [u8],
        /// Its private key, PEM.
        key: &'b [u8],
    },
}

impl core::fmt::Debug for Credential<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::SharedAccessKey(_) => "SharedAccessKey(***)",
            Self::SasToken(_) => "SasToken(***)",
            Self::ExternalKey => "ExternalKey",
            Self::X509 { .. } => "X509 { certificate, key: *** }",
        })
    }
}

/// The protocol that authenticates at the access point.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, `AT+QICSGP`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ApnAuth {
    /// No authentication.
    #[default]
    None,
    /// PAP.
    Pap,
    /// CHAP.
    Chap,
    /// PAP or CHAP.
    PapOrChap,
}

/// The access point of the mobile network.
#[derive(Clone, Copy, Default)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain settings, filled in by the user"
)]
pub struct Apn<'b> {
    /// Its name; empty keeps what the module has stored.
    pub name: &'b str,
    /// User name, or empty.
    pub user: &'b str,
    /// Password, or empty.
    pub password: &'b str,
    /// How user name and password are sent.
    pub auth: ApnAuth,
}

impl core::fmt::Debug for Apn<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Apn")
            .field("name", &self.name)
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

/// The root certificate that the module trusts.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain settings, filled in by the user"
)]
pub struct CaFile<'b> {
    /// PEM text of one certificate.
    pub pem: &'b [u8],
    /// Name of the file on the module; `None` derives one from the content, so that another certificate gets another
    /// name and an old file is never overwritten.
    pub name: Option<&'b str>,
    /// Whether a file of that name with another content is replaced. A derived name needs no permission.
    pub replace: bool,
}

impl Default for CaFile<'_> {
    /// DigiCert Global Root G2, the root of every IoT Hub and DPS endpoint of the global cloud since 2024.
    fn default() -> Self {
        Self {
            pem: roots::DIGICERT_GLOBAL_ROOT_G2_PEM,
            name: None,
            replace: false,
        }
    }
}

/// Which of the module's numbered resources the client uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain settings, filled in by the user"
)]
pub struct Slots {
    /// PDP context, 1 to 16 (EC200 class: 1 to 15).
    pub pdp: u8,
    /// SSL context, 0 to 5.
    pub ssl: u8,
    /// MQTT client, 0 to 5.
    pub mqtt: u8,
}

impl Default for Slots {
    fn default() -> Self {
        Self {
            pdp: 1,
            ssl: 2,
            mqtt: 0,
        }
    }
}

/// The port on which the module sends URCs and asynchronous results, such as `+QMTOPEN: 0,0`.
///
/// It must be the port that the client drives, or nothing asynchronous ever arrives.
///
/// # Reference
/// EC2x AT manual, `AT+QURCCFG`; the EC2x and EC200 families come with `usbat`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum UrcPort {
    /// Leave the module's setting as it is.
    Keep,
    /// The main UART.
    #[default]
    Uart1,
    /// The AT port on USB.
    UsbAt,
    /// The modem port on USB.
    UsbModem,
    /// All ports; not on BG9x.
    All,
}

/// Flow control of the serial line to the module.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, `AT+IFC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum FlowControl {
    /// Leave the module's setting as it is: none, unless it was set before.
    #[default]
    Keep,
    /// By RTS and CTS: `AT+IFC=2,2`.
    RtsCts,
}

/// What the hub keeps for the device while it is away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Session {
    /// Subscriptions and undelivered cloud-to-device messages are kept (CleanSession 0).
    #[default]
    Persistent,
    /// Nothing is kept; messages that wait are dropped by connecting (CleanSession 1).
    Clean,
}

/// The longest the flow waits in its slow steps, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::exhaustive_structs,
    reason = "plain settings, filled in by the user"
)]
pub struct Timeouts {
    /// For the module to answer `AT` at all, including the time it needs to leave a prompt or an upload.
    pub sync_s: u16,
    /// For the SIM to become ready.
    pub sim_s: u16,
    /// For registration in the network.
    pub register_s: u16,
    /// For `AT+QMTOPEN`: name resolution, TCP and the TLS handshake.
    pub open_s: u16,
    /// For the hub's CONNACK.
    pub connect_s: u16,
    /// For the hub's SUBACK and PUBACK.
    pub acknowledge_s: u16,
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            sync_s: 20,
            sim_s: 20,
            register_s: 180,
            open_s: 150,
            connect_s: 60,
            acknowledge_s: 60,
        }
    }
}

/// Everything that [`crate::Client`] needs to know.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Config<'b> {
    /// Host name of the hub, such as `contoso.azure-devices.net`; it stands in the user name and in the token.
    pub hub: &'b str,
    /// Device id.
    pub device_id: &'b str,
    /// Module id, for a module identity.
    pub module_id: Option<&'b str>,
    /// How the device proves its identity.
    pub credential: Credential<'b>,
    /// Host to connect to, if it is not the hub (`GatewayHostName`).
    pub gateway: Option<&'b str>,
    /// TCP port, 8883 by default.
    pub port: u16,
    /// Access point of the mobile network.
    pub apn: Apn<'b>,
    /// PIN of the SIM, if it asks for one.
    pub sim_pin: Option<&'b str>,
    /// Root certificate that the module trusts.
    pub ca: CaFile<'b>,
    /// Numbered resources of the module.
    pub slots: Slots,
    /// Keep alive in seconds, 1 to 1177: the hub closes after 1.5 times this without a packet.
    pub keep_alive_s: u16,
    /// What the hub keeps while the device is away.
    pub session: Session,
    /// Whether to subscribe to cloud-to-device messages.
    pub receive: bool,
    /// Life of a SAS token in seconds.
    pub token_lifetime_s: u32,
    /// Server that is asked for the time if neither the module nor the network knows it; empty asks nobody.
    pub ntp_server: &'b str,
    /// Port on which the module is to send URCs: the one that the client drives.
    pub urc_port: UrcPort,
    /// Flow control of the serial line; both lines must be connected.
    pub flow_control: FlowControl,
    /// The module's profile, if it must not be chosen from `ATI` and `AT+QGMR`.
    pub profile: Option<&'static Profile>,
    /// Limits of the slow steps.
    pub timeouts: Timeouts,
}

impl<'b> Config<'b> {
    /// A device of a hub, with everything else at its default.
    pub fn new(hub: &'b str, device_id: &'b str, credential: Credential<'b>) -> Self {
        Self {
            hub,
            device_id,
            module_id: None,
            credential,
            gateway: None,
            port: 8883,
            apn: Apn::default(),
            sim_pin: None,
            ca: CaFile::default(),
            slots: Slots::default(),
            keep_alive_s: 240,
            session: Session::default(),
            receive: true,
            token_lifetime_s: 86_400,
            ntp_server: "pool.ntp.org",
            urc_port: UrcPort::default(),
            flow_control: FlowControl::default(),
            profile: None,
            timeouts: Timeouts::default(),
        }
    }

    /// The same with an access point that needs no user name.
    #[must_use]
    pub const fn apn(self, name: &'b str) -> Self {
        Self {
            apn: Apn {
                name,
                user: "",
                password: "",
                auth: ApnAuth::None,
            },
            ..self
        }
    }
}

/// The least that a receive buffer must hold: the longest line of the flow itself.
const MIN_RX: usize = 512;

impl Config<'_> {
    /// What can be checked without a module.
    pub(crate) fn check(&self, buffers: &Buffers<'_>) -> Result<(), ConfigError> {
        let ensure = |ok: bool, error| if ok { Ok(()) } else { Err(error) };
        let Slots { pdp, ssl, mqtt } = self.slots;
        ensure(
            (1..=16).contains(&pdp) && ssl <= 5 && mqtt <= 5,
            ConfigError::Slots,
        )?;
        ensure(
            (1..=1_177).contains(&self.keep_alive_s),
            ConfigError::KeepAlive,
        )?;
        ensure(self.port != 0, ConfigError::Port)?;
        let texts = [
            Some(self.apn.name),
            Some(self.apn.user),
            Some(self.apn.password),
            self.sim_pin,
            self.gateway,
            self.ca.name,
            Some(self.ntp_server),
        ];
        ensure(
            texts.into_iter().flatten().all(is_sendable),
            ConfigError::Text,
        )?;
        ensure(
            is_pem(self.ca.pem, b"CERTIFICATE-----"),
            ConfigError::CaNotPem,
        )?;
        if let Credential::X509 { certificate, key } = self.credential {
            ensure(
                is_pem(certificate, b"CERTIFICATE-----"),
                ConfigError::CertificateNotPem,
            )?;
            ensure(!is_encrypted(key), ConfigError::KeyEncrypted)?;
            ensure(is_pem(key, b"PRIVATE KEY-----"), ConfigError::KeyNotPem)?;
        }
        ensure(buffers.rx.len() >= MIN_RX, ConfigError::RxBuffer)
    }
}

fn is_sendable(text: &str) -> bool {
    text.bytes().all(|b| b != b'"' && b >= 0x20 && b != 0x7F)
}

/// Whether bytes are PEM text of this kind: armour lines around base64 of a DER sequence, no byte order mark, no NUL.
fn is_pem(bytes: &[u8], label_end: &[u8]) -> bool {
    let mut lines = bytes
        .trim_ascii()
        .split(|&b| b == b'\n' || b == b'\r')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty());
    let mut blocks = 0_u32;
    while let Some(line) = lines.next() {
        if !line.starts_with(b"-----BEGIN ") || !line.ends_with(label_end) {
            return false;
        }
        let Some(digits) = block_digits(&mut lines, label_end) else {
            return false;
        };
        if digits == 0 || digits % 4 != 0 {
            return false;
        }
        blocks += 1;
    }
    blocks > 0
}

/// How many base64 digits stand before the END line; `None` if something else does.
fn block_digits<'a>(lines: &mut impl Iterator<Item = &'a [u8]>, label_end: &[u8]) -> Option<usize> {
    let mut digits = 0;
    for line in lines {
        if line.starts_with(b"-----END ") {
            return line.ends_with(label_end).then_some(digits);
        }
        let is_digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
        // A DER sequence begins with 0x30, which base64 writes as M.
        let begins_well = digits > 0 || line.first() == Some(&b'M');
        if !begins_well || !line.iter().all(is_digit) {
            return None;
        }
        digits += line.len();
    }
    None
}

/// Whether a key file asks for a password, which the module cannot give.
fn is_encrypted(key: &[u8]) -> bool {
    let has = |needle: &[u8]| key.windows(needle.len()).any(|part| part == needle);
    has(b"BEGIN ENCRYPTED PRIVATE KEY") || has(b"Proc-Type: 4,ENCRYPTED")
}

/// How surely a message must arrive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Delivery {
    /// QoS 0: sent, not acknowledged.
    AtMostOnce,
    /// QoS 1: the hub acknowledges it.
    #[default]
    AtLeastOnce,
}

/// One device-to-cloud message.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Message<'a> {
    /// The body, any bytes.
    pub payload: &'a [u8],
    /// Application properties.
    pub properties: &'a [(&'a str, &'a str)],
    /// Content type, such as `application/json`.
    pub content_type: Option<&'a str>,
    /// Content encoding, such as `utf-8`; needed for routing by body.
    pub content_encoding: Option<&'a str>,
    /// Message id.
    pub message_id: Option<&'a str>,
    /// Correlation id.
    pub correlation_id: Option<&'a str>,
    /// How surely it must arrive.
    pub delivery: Delivery,
}

impl<'a> Message<'a> {
    /// A message without properties, delivered at least once.
    pub const fn new(payload: &'a [u8]) -> Self {
        Self {
            payload,
            properties: &[],
            content_type: None,
            content_encoding: None,
            message_id: None,
            correlation_id: None,
            delivery: Delivery::AtLeastOnce,
        }
    }

    /// The same with application properties.
    #[must_use]
    pub const fn properties(self, properties: &'a [(&'a str, &'a str)]) -> Self {
        Self { properties, ..self }
    }

    /// The same as JSON in UTF-8, so that the hub can route by its body.
    #[must_use]
    pub const fn json(self) -> Self {
        Self {
            content_type: Some("application/json"),
            content_encoding: Some("utf-8"),
            ..self
        }
    }

    /// The same with another delivery.
    #[must_use]
    pub const fn delivery(self, delivery: Delivery) -> Self {
        Self { delivery, ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_is_recognised() {
        let cases: &[(&[u8], bool)] = &[
            (b"-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n", true),
            (b"-----BEGIN CERTIFICATE-----\r\nMIID\r\nAA==\r\n-----END CERTIFICATE-----", true),
            (
                b"-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n\n-----BEGIN CERTIFICATE-----\nMIIE\n\
                  -----END CERTIFICATE-----\n",
                true,
            ),
            (b"\xEF\xBB\xBF-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n", false),
            (b"-----BEGIN CERTIFICATE-----\nMIID\n-----END CERTIFICATE-----\n\0", false),
            (b"-----BEGIN CERTIFICATE-----\nMIID\n", false),
            (b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", false),
            (b"-----BEGIN CERTIFICATE-----\nMIIDA\n-----END CERTIFICATE-----\n", false),
            (b"-----BEGIN CERTIFICATE-----\nMI D\n-----END CERTIFICATE-----\n", false),
            (b"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n", false),
            (b"-----BEGIN PRIVATE KEY-----\nMIID\n-----END PRIVATE KEY-----\n", false),
            (b"", false),
        ];
        for (bytes, expected) in cases {
            assert_eq!(
                is_pem(bytes, b"CERTIFICATE-----"),
                *expected,
                "{}",
                bytes.escape_ascii()
            );
        }
        assert!(is_pem(
            b"-----BEGIN EC PRIVATE KEY-----\nMIIB\n-----END EC PRIVATE KEY-----",
            b"PRIVATE KEY-----"
        ));
    }
}
