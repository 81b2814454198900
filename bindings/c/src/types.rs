//! The structs and constants that C sees.

/// Bytes that belong to somebody else: not NUL-terminated, `data` may be NULL if `len` is 0.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct quectel_azure_bytes {
    /// First byte.
    pub data: *const u8,
    /// Number of bytes.
    pub len: usize,
}

impl From<&[u8]> for quectel_azure_bytes {
    fn from(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr(), len: bytes.len() }
    }
}

impl quectel_azure_bytes {
    /// No bytes.
    pub(crate) const NONE: Self = Self { data: core::ptr::null(), len: 0 };
}

/// Number of 8-byte words of a client. A larger library needs a new header.
pub const QUECTEL_AZURE_CLIENT_WORDS: usize = 320;

/// Storage of one client. It belongs to the caller, its content to the library; it must not be moved or copied
/// between init and deinit.
#[repr(C)]
pub struct quectel_azure_client {
    /// Not for the caller.
    pub opaque: [u64; QUECTEL_AZURE_CLIENT_WORDS],
}

/// `credential` is the device's key in base64.
pub const QUECTEL_AZURE_CREDENTIAL_SHARED_ACCESS_KEY: u8 = 0;
/// `credential` is a SAS token made elsewhere.
pub const QUECTEL_AZURE_CREDENTIAL_SAS_TOKEN: u8 = 1;
/// The key is held elsewhere: `QUECTEL_AZURE_EVENT_SIGNATURE_NEEDED` asks for signatures.
pub const QUECTEL_AZURE_CREDENTIAL_EXTERNAL_KEY: u8 = 2;
/// `certificate` and `private_key` are PEM text.
pub const QUECTEL_AZURE_CREDENTIAL_X509: u8 = 3;

/// Leave the module's URC port as it is.
pub const QUECTEL_AZURE_URC_PORT_KEEP: u8 = 0;
/// URCs come on the main UART.
pub const QUECTEL_AZURE_URC_PORT_UART1: u8 = 1;
/// URCs come on the AT port on USB.
pub const QUECTEL_AZURE_URC_PORT_USB_AT: u8 = 2;
/// URCs come on the modem port on USB.
pub const QUECTEL_AZURE_URC_PORT_USB_MODEM: u8 = 3;
/// URCs come on all ports; not on BG9x.
pub const QUECTEL_AZURE_URC_PORT_ALL: u8 = 4;

/// Settings. Fill it with `quectel_azure_config_init`, then set hub, device id and credential. All that it points to
/// must live as long as the client.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct quectel_azure_config {
    /// Host name of the hub, such as `contoso.azure-devices.net`. Required.
    pub hub: quectel_azure_bytes,
    /// Device id. Required.
    pub device_id: quectel_azure_bytes,
    /// Module id, or empty.
    pub module_id: quectel_azure_bytes,
    /// Key or token, see `credential_kind`.
    pub credential: quectel_azure_bytes,
    /// Client certificate, PEM, for X.509.
    pub certificate: quectel_azure_bytes,
    /// Its private key, PEM, for X.509.
    pub private_key: quectel_azure_bytes,
    /// Host to connect to if it is not the hub, or empty.
    pub gateway: quectel_azure_bytes,
    /// Access point name; empty keeps what the module has stored.
    pub apn: quectel_azure_bytes,
    /// User name at the access point, or empty.
    pub apn_user: quectel_azure_bytes,
    /// Password at the access point, or empty.
    pub apn_password: quectel_azure_bytes,
    /// PIN of the SIM, or empty.
    pub sim_pin: quectel_azure_bytes,
    /// Root certificate, PEM; empty takes DigiCert Global Root G2.
    pub ca_pem: quectel_azure_bytes,
    /// Time server; empty asks nobody.
    pub ntp_server: quectel_azure_bytes,
    /// Life of a SAS token in seconds.
    pub token_lifetime_s: u32,
    /// TCP port, 8883 by default.
    pub port: u16,
    /// Keep alive, 1 to 1177 seconds.
    pub keep_alive_s: u16,
    /// One of `QUECTEL_AZURE_CREDENTIAL_…`.
    pub credential_kind: u8,
    /// Authentication at the access point: 0 none, 1 PAP, 2 CHAP, 3 PAP or CHAP.
    pub apn_auth: u8,
    /// One of `QUECTEL_AZURE_URC_PORT_…`.
    pub urc_port: u8,
    /// PDP context, 1 to 16.
    pub pdp_context: u8,
    /// SSL context, 0 to 5.
    pub ssl_context: u8,
    /// MQTT client, 0 to 5.
    pub mqtt_client: u8,
    /// 1: the hub forgets subscriptions and waiting messages (CleanSession).
    pub clean_session: u8,
    /// 1: subscribe to cloud-to-device messages.
    pub receive: u8,
}

/// Memory that the client works in; it must live as long as the client and must not be used by the caller meanwhile.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct quectel_azure_buffers {
    /// Receive buffer: at least 512 bytes, and room for the longest message with its topic.
    pub rx: *mut u8,
    /// Its size in bytes.
    pub rx_size: usize,
    /// Transmit buffer: at least 1,024 bytes, and room for the longest payload with 512 bytes more.
    pub tx: *mut u8,
    /// Its size in bytes.
    pub tx_size: usize,
    /// For user names, tokens and topics: at least 1,024 bytes.
    pub scratch: *mut u8,
    /// Its size in bytes.
    pub scratch_size: usize,
}

/// A name with its value.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct quectel_azure_property {
    /// Name, UTF-8.
    pub name: quectel_azure_bytes,
    /// Value, UTF-8.
    pub value: quectel_azure_bytes,
}

/// The most application properties of one message.
pub const QUECTEL_AZURE_MAX_PROPERTIES: usize = 16;

/// A device-to-cloud message. Everything is copied by `quectel_azure_client_publish`.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct quectel_azure_message {
    /// Body.
    pub payload: quectel_azure_bytes,
    /// Application properties; may be NULL if there are none.
    pub properties: *const quectel_azure_property,
    /// How many, at most `QUECTEL_AZURE_MAX_PROPERTIES`.
    pub property_count: usize,
    /// Content type such as `application/json`, or empty.
    pub content_type: quectel_azure_bytes,
    /// Content encoding such as `utf-8`, or empty.
    pub content_encoding: quectel_azure_bytes,
    /// 0 or 1. With 1 the hub acknowledges the message.
    pub qos: u8,
}

/// A step begins: `step`.
pub const QUECTEL_AZURE_EVENT_STEP: u32 = 1;
/// Model and firmware are known: `model`, `revision`.
pub const QUECTEL_AZURE_EVENT_IDENTIFIED: u32 = 2;
/// Sign `payload` with HMAC-SHA256 and call `quectel_azure_client_provide_signature`.
pub const QUECTEL_AZURE_EVENT_SIGNATURE_NEEDED: u32 = 3;
/// Something is weaker than it should be: `line` says what.
pub const QUECTEL_AZURE_EVENT_WARNING: u32 = 4;
/// The hub accepted the device; messages may be published.
pub const QUECTEL_AZURE_EVENT_CONNECTED: u32 = 5;
/// Message `message_id` was acknowledged, or with QoS 0 sent.
pub const QUECTEL_AZURE_EVENT_PUBLISHED: u32 = 6;
/// Message `message_id` was not acknowledged: `result`.
pub const QUECTEL_AZURE_EVENT_PUBLISH_FAILED: u32 = 7;
/// A cloud-to-device message: `topic`, `payload`.
pub const QUECTEL_AZURE_EVENT_MESSAGE: u32 = 8;
/// A line of the module that the client does not use: `line`.
pub const QUECTEL_AZURE_EVENT_URC: u32 = 9;
/// The connection ended as `quectel_azure_client_disconnect` asked for.
pub const QUECTEL_AZURE_EVENT_DISCONNECTED: u32 = 10;
/// The flow or the connection ended in `step` because of `result`; `line` is what the module said.
/// `quectel_azure_client_connect` may try again.
pub const QUECTEL_AZURE_EVENT_FAILED: u32 = 11;

/// What happened. Kinds that you do not know must be ignored: later versions have more. Pointers are valid until the
/// next call with the same client.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct quectel_azure_event {
    /// One of `QUECTEL_AZURE_EVENT_…`.
    pub kind: u32,
    /// Reason, for FAILED and PUBLISH_FAILED.
    pub result: i32,
    /// Number of the message.
    pub message_id: u32,
    /// Name of the step in kebab-case.
    pub step: quectel_azure_bytes,
    /// The module's line, or the text of a warning.
    pub line: quectel_azure_bytes,
    /// Topic name of a message.
    pub topic: quectel_azure_bytes,
    /// Body of a message, or the text to sign.
    pub payload: quectel_azure_bytes,
    /// Model.
    pub model: quectel_azure_bytes,
    /// Firmware revision.
    pub revision: quectel_azure_bytes,
}

impl quectel_azure_event {
    pub(crate) const fn new(kind: u32) -> Self {
        const NONE: quectel_azure_bytes = quectel_azure_bytes::NONE;
        Self {
            kind,
            result: 0,
            message_id: 0,
            step: NONE,
            line: NONE,
            topic: NONE,
            payload: NONE,
            model: NONE,
            revision: NONE,
        }
    }
}
