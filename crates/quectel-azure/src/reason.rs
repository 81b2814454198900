//! Why something failed: one table of names, numbers, words, remedies and likely causes.

/// Who is to blame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Blame {
    /// The module refused a command or cannot do it.
    Modem,
    /// SIM, operator, name resolution or the way to the server.
    Network,
    /// The server or its TLS.
    Hub,
    /// A deadline passed.
    Deadline,
    /// Bytes of the module could not be read.
    Line,
    /// The settings of this library.
    Settings,
}

impl Blame {
    /// Its name in kebab-case.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Modem => "modem",
            Self::Network => "network",
            Self::Hub => "hub",
            Self::Deadline => "deadline",
            Self::Line => "line",
            Self::Settings => "settings",
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal, $blame:ident, $text:literal, $remedy:literal, [$($cause:literal),*];)+) => {
        /// Why a step failed. The name is its identity; numbers exist for C and are never used again.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[non_exhaustive]
        #[repr(u8)]
        pub enum Reason {
            $(#[doc = $text] $variant = $number,)+
        }

        impl Reason {
            /// Every reason, by number.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// Its name in kebab-case.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// Its number, never used for another reason.
            pub const fn number(self) -> u8 {
                self as u8
            }

            /// Who is to blame.
            pub const fn blame(self) -> Blame {
                match self { $(Self::$variant => Blame::$blame),+ }
            }

            /// What happened, in one sentence.
            pub const fn text(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }

            /// What to do about it.
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy),+ }
            }

            /// Ids of the likely causes in the doctor's catalogue, the likeliest first.
            pub const fn causes(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($cause),*]),+ }
            }
        }
    };
}

reasons! {
    ModuleSilent = 10, "module-silent", Deadline,
        "the module does not answer AT",
        "check power, the TX and RX lines, the baud rate and whether this is the module's AT port; another program may hold it",
        ["fw.reset-or-brownout"];
    ModuleGarbled = 11, "module-garbled", Line,
        "the module answers, but not with AT result codes",
        "check the baud rate (AT+IPR), ground and line quality, and that the port is not a diagnostic or NMEA port",
        [];
    ModuleReset = 12, "module-reset", Modem,
        "the module restarted in the middle of the flow",
        "check the supply: a module draws up to 2 A while it transmits; then connect again",
        ["fw.reset-or-brownout", "tls.settings-lost-after-reboot"];
    CommandRefused = 13, "command-refused", Modem,
        "the module refused a command that the flow needs",
        "look at the module's line; an unknown firmware may need another profile",
        ["tls.setting-rejected", "fw.dialect"];
    CommandTimeout = 14, "command-timeout", Deadline,
        "the module began a command and did not finish it in time",
        "try again; if it stays so, restart the module (AT+CFUN=1,1)",
        [];
    AnswerUnreadable = 15, "answer-unreadable", Line,
        "an answer of the module could not be read",
        "look at the module's line; noise on the serial line or an unknown firmware form",
        [];
    SimMissing = 20, "sim-missing", Network,
        "there is no SIM in the module",
        "insert the SIM, check its holder and the SIM's supply, then connect again",
        ["net.sim-not-ready"];
    SimPinRequired = 21, "sim-pin-required", Settings,
        "the SIM asks for a PIN and none is set",
        "set the PIN in the configuration, or remove it from the SIM",
        ["net.sim-not-ready"];
    SimPinWrong = 22, "sim-pin-wrong", Settings,
        "the SIM refused the PIN",
        "correct the PIN before the next try: three wrong ones lock the SIM",
        ["net.sim-not-ready"];
    SimLocked = 23, "sim-locked", Network,
        "the SIM is locked and asks for its PUK or a personalisation code",
        "unlock it with the operator's PUK in a telephone",
        ["net.sim-not-ready"];
    SimNotReady = 24, "sim-not-ready", Deadline,
        "the SIM did not become ready in time",
        "check the SIM's contacts; restart the module",
        ["net.sim-not-ready"];
    NotRegistered = 30, "not-registered", Network,
        "the module found no network that takes it in time",
        "check the antenna and the signal, that the SIM is active, and the bands and technologies set in AT+QCFG",
        ["net.not-registered", "net.no-signal"];
    RegistrationDenied = 31, "registration-denied", Network,
        "the network refused the SIM",
        "ask the operator whether the SIM is active and may roam and use this technology",
        ["net.registration-denied"];
    PdpFailed = 32, "pdp-failed", Network,
        "the PDP context could not be activated",
        "check the APN, its user name and password; ask the operator whether data are allowed",
        ["net.apn-missing-or-wrong", "net.pdp-not-active"];
    PdpLost = 33, "pdp-lost", Network,
        "the network took the PDP context away",
        "connect again; if it happens often, check signal and data plan",
        ["net.pdp-dropped"];
    ClockUnknown = 40, "clock-unknown", Network,
        "neither the module nor the network knows the time, and a SAS token needs it",
        "give the device the time, let the module reach an NTP server (AT+QNTP), or use a token made elsewhere",
        ["tls.clock-not-set"];
    StorageFull = 50, "storage-full", Modem,
        "the module's file storage is full",
        "delete files that nobody needs (AT+QFLST, AT+QFDEL=\"name\"); not AT+QFDEL=\"*\", which takes others' files too",
        ["file.storage-full"];
    FileConflict = 51, "file-conflict", Settings,
        "the module has another file of the same name",
        "choose another name, or allow the file to be replaced",
        ["file.exists-407"];
    FileFailed = 52, "file-failed", Modem,
        "the module could not store or read a file",
        "look at the module's line; AT+QFLDS=\"UFS\" shows the free space",
        ["file.storage-full"];
    UploadDamaged = 53, "upload-damaged", Line,
        "the module received other bytes than were sent: size or checksum differ",
        "use RTS/CTS flow control or a lower baud rate, then connect again; the damaged file is replaced",
        ["file.length-mismatch"];
    CertificateUnreadable = 54, "certificate-unreadable", Settings,
        "a certificate or key is not PEM text",
        "give the whole PEM file with its BEGIN and END lines, without byte order mark or NUL",
        ["file.pem-armor-missing", "file.bom-or-garbage"];
    SettingNotStored = 60, "setting-not-stored", Modem,
        "the module says OK to a TLS setting but reads back another value",
        "restart the module; if it stays so, its firmware is not supported",
        ["tls.setting-rejected"];
    DnsFailed = 70, "dns-failed", Network,
        "the module could not resolve the host name",
        "check the host name for typing errors and for a scheme such as https://; check the APN and AT+QIDNSCFG",
        ["net.dns-failed", "syn.host-has-scheme", "az.host-malformed"];
    OpenFailed = 71, "open-failed", Hub,
        "the connection or its TLS handshake failed; the module does not say which",
        "check the root certificate, the host name, the clock, SNI support of the firmware and whether port 8883 is open; with X.509 also that certificate and key belong together",
        ["tls.handshake-failed", "tls.sni-missing", "tls.ca-wrong-for-host", "tls.clock-not-set", "net.port-blocked"];
    OpenRefused = 72, "open-refused", Modem,
        "the module refused to open the connection: wrong parameter, client occupied or no PDP context",
        "look at the module's line; AT+QMTCLOSE=<client> frees an occupied client",
        ["mqtt.id-occupied", "mqtt.wrong-parameter", "net.pdp-not-active"];
    OpenTimeout = 73, "open-timeout", Deadline,
        "the connection was not open in time",
        "check the signal; a firewall that drops packets looks the same",
        ["net.port-blocked", "tls.negotiate-timeout"];
    ConnectRefused = 80, "connect-refused", Hub,
        "the hub refused the device's credentials",
        "check device id, key and hub name, that the device is enabled, and the time; an X.509 device needs its registered certificate",
        ["mqtt.connack-5-not-authorized", "az.sas-expired", "az.sas-sr-mismatch", "az.clientid-mismatch"];
    ConnectFailed = 81, "connect-failed", Hub,
        "the hub did not accept the MQTT connection",
        "look at the module's line; the hub closes without a word when the user name or the protocol version is wrong",
        ["mqtt.no-connack", "mqtt.version-3", "az.username-format"];
    SubscribeRefused = 82, "subscribe-refused", Hub,
        "the hub refused the subscription",
        "check the topic filter; a hub allows five subscriptions",
        ["mqtt.sub-refused"];
    PublishFailed = 83, "publish-failed", Hub,
        "a message was not acknowledged",
        "look at the module's line and send the message again after connecting",
        ["mqtt.pub-failed", "az.topic-not-allowed"];
    ClosedByHub = 84, "closed-by-hub", Hub,
        "the hub closed the connection",
        "another client with the same device id, an expired token, a wrong topic and a quota all look like this; connect again",
        ["mqtt.closed-by-peer", "az.duplicate-client", "az.sas-expired-midsession", "az.topic-not-allowed"];
    ConnectionLost = 85, "connection-lost", Network,
        "the connection to the hub was lost",
        "connect again; check signal and keep-alive interval",
        ["mqtt.keepalive-failed", "net.pdp-dropped"];
    TokenExpired = 90, "token-expired", Settings,
        "the SAS token has expired",
        "make a new token; the clock of the machine that makes it must be right",
        ["az.sas-expired"];
    CommandTooLong = 91, "command-too-long", Settings,
        "a command does not fit the transmit buffer",
        "give the client larger tx and scratch buffers",
        ["syn.line-too-long"];
    Cancelled = 92, "cancelled", Settings,
        "the flow was ended by the program",
        "connect again when wanted",
        [];
}

impl core::fmt::Display for Reason {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.text())
    }
}

impl core::error::Error for Reason {}

/// What is wrong with the settings; nothing has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Hub name, device id or module id is not valid.
    #[error("hub, device id or module id: {0}")]
    Identity(azure_auth::IdentityError),
    /// The shared access key is not valid.
    #[error("shared access key: {0}")]
    Key(azure_auth::KeyError),
    /// The SAS token cannot be read.
    #[error("SAS token: {0}")]
    Token(azure_auth::TokenError),
    /// The SAS token was made for another hub or device.
    #[error(
        "the SAS token is for another hub, device or module: its `sr` must cover <hub>/devices/<device id>"
    )]
    TokenScope,
    /// The root certificate is not PEM text.
    #[error(
        "the root certificate is not PEM text: it must have BEGIN and END CERTIFICATE lines, no byte order mark and no NUL"
    )]
    CaNotPem,
    /// The client certificate is not PEM text.
    #[error("the client certificate is not PEM text: it must have BEGIN and END CERTIFICATE lines")]
    CertificateNotPem,
    /// The client key is not PEM text.
    #[error(
        "the client key is not PEM text: it must have BEGIN and END PRIVATE KEY lines; are certificate and key swapped?"
    )]
    KeyNotPem,
    /// The client key is encrypted.
    #[error(
        "the client key is encrypted, and a module cannot ask for its password: decrypt it first, for example with \
         openssl pkey -in key.pem -out plain.pem"
    )]
    KeyEncrypted,
    /// A slot is out of range.
    #[error("PDP context must be 1 to 16, SSL context and MQTT client 0 to 5")]
    Slots,
    /// The keep alive is out of range.
    #[error(
        "keep alive must be 1 to 1177 seconds; the hub closes idle connections after 1767 seconds"
    )]
    KeepAlive,
    /// The port is 0.
    #[error("port 0 cannot be connected to; IoT Hub listens on 8883")]
    Port,
    /// A string cannot be sent in an AT command.
    #[error(
        "APN, user, password, PIN, gateway, file name and NTP server must not contain quotes or control characters"
    )]
    Text,
    /// The receive buffer is too small.
    #[error(
        "the receive buffer must have at least 512 bytes, and room for the longest cloud-to-device message"
    )]
    RxBuffer,
    /// The transmit buffer is too small.
    #[error(
        "the transmit buffer is too small for the CONNECT command of this device: give it at least 1,024 bytes"
    )]
    TxBuffer,
    /// The scratch buffer is too small.
    #[error(
        "the scratch buffer is too small for the user name and token of this device: give it at least 1,024 bytes"
    )]
    ScratchBuffer,
}

/// A call that the client cannot serve now; nothing has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Misuse {
    /// `connect` while the flow is running.
    #[error("the client is connecting or connected already")]
    AlreadyRunning,
    /// `publish` or `disconnect` without a connection.
    #[error("the client is not connected; call connect and wait for Event::Connected")]
    NotConnected,
    /// `publish` while a command is running or five messages are in flight.
    #[error(
        "the module is busy with an earlier command or five messages are in flight; poll and try again"
    )]
    Busy,
    /// The payload is longer than the module takes.
    #[error("the payload has {len} bytes; this module takes at most {max}")]
    PayloadTooLong {
        /// Bytes of the payload.
        len: usize,
        /// The most that the module takes in one message.
        max: usize,
    },
    /// The payload cannot be sent on this firmware.
    #[error(
        "this firmware ends a payload at Ctrl-Z (0x1A) or ESC (0x1B), so it cannot send byte {byte:#04x}; encode the payload, for example in base64"
    )]
    PayloadByte {
        /// The byte.
        byte: u8,
    },
    /// Topic and properties do not fit the scratch buffer, or command and payload the transmit buffer.
    #[error("the message with its properties does not fit the client's buffers")]
    DoesNotFit,
    /// A property cannot be sent.
    #[error("a property name is empty")]
    Property,
    /// `provide_signature` when no signature was asked for.
    #[error("no signature was asked for")]
    NoSignatureNeeded,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_names_are_unique_and_texts_are_there() {
        for pair in Reason::ALL.windows(2) {
            assert!(pair[0].number() < pair[1].number());
        }
        for (n, a) in Reason::ALL.iter().enumerate() {
            assert!(!a.text().is_empty() && !a.remedy().is_empty());
            assert!(
                a.name()
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b == b'-')
            );
            assert!(Reason::ALL[n + 1..].iter().all(|b| a.name() != b.name()));
        }
    }
}
