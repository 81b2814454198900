//! Results: one number space for misuse, settings and reasons of failure.

use quectel_azure::{ConfigError, Misuse, Reason};

use crate::quectel_azure_bytes;

/// 0 is success. Values are frozen; new ones are added. `quectel_azure_result_name` gives the name,
/// `quectel_azure_result_text` one line for a person.
///
/// Values from 10 to 99 are reasons of failure, see docs/errors.md.
pub type quectel_azure_result = i32;

macro_rules! results {
    ($($(#[$doc:meta])* $constant:ident = $number:literal, $name:literal, $text:literal;)+) => {
        $($(#[$doc])* pub const $constant: quectel_azure_result = $number;)+

        fn own(result: quectel_azure_result) -> Option<(&'static str, &'static str)> {
            match result {
                $($number => Some(($name, $text)),)+
                _ => None,
            }
        }
    };
}

results! {
    /// Success.
    QUECTEL_AZURE_OK = 0, "ok", "success";
    /// A pointer that must not be NULL is NULL.
    QUECTEL_AZURE_ERROR_NULL_POINTER = 1, "null-pointer", "a pointer that must not be NULL is NULL";
    /// The size given at init is not the size that the library was built with: header and library do not belong together.
    QUECTEL_AZURE_ERROR_ABI_MISMATCH = 2, "abi-mismatch", "header and library do not belong together: build both from the same version";
    /// The library has a fault and the client cannot be used until it is initialised again. Please report it.
    QUECTEL_AZURE_ERROR_PANIC = 3, "panic", "the library has a fault; initialise the client again and please report it";
    /// The client was not initialised, or was deinitialised.
    QUECTEL_AZURE_ERROR_NOT_INITIALISED = 4, "not-initialised", "the client was not initialised";
    /// A text is not UTF-8.
    QUECTEL_AZURE_ERROR_NOT_UTF8 = 5, "not-utf8", "a text is not UTF-8";
    /// A number is not one of its constants.
    QUECTEL_AZURE_ERROR_INVALID_VALUE = 6, "invalid-value", "a number is not one of its constants";
    /// `connect` while the flow is running.
    QUECTEL_AZURE_ERROR_ALREADY_RUNNING = 100, "already-running", "the client is connecting or connected already";
    /// `publish` or `disconnect` without a connection.
    QUECTEL_AZURE_ERROR_NOT_CONNECTED = 101, "not-connected", "the client is not connected";
    /// The module is busy with an earlier command or five messages are in flight: poll and try again.
    QUECTEL_AZURE_ERROR_BUSY = 102, "busy", "the module is busy or five messages are in flight; poll and try again";
    /// The payload is longer than the module takes.
    QUECTEL_AZURE_ERROR_PAYLOAD_TOO_LONG = 103, "payload-too-long", "the payload is longer than the module takes in one message";
    /// The payload holds Ctrl-Z or ESC, which this firmware cannot send.
    QUECTEL_AZURE_ERROR_PAYLOAD_BYTE = 104, "payload-byte", "this firmware cannot send Ctrl-Z or ESC in a payload; encode it";
    /// Message or properties do not fit the client's buffers.
    QUECTEL_AZURE_ERROR_DOES_NOT_FIT = 105, "does-not-fit", "the message with its properties does not fit the client's buffers";
    /// A property name is empty.
    QUECTEL_AZURE_ERROR_PROPERTY = 106, "property", "a property name is empty";
    /// No signature was asked for.
    QUECTEL_AZURE_ERROR_NO_SIGNATURE_NEEDED = 107, "no-signature-needed", "no signature was asked for";
    /// Hub name, device id or module id is not valid.
    QUECTEL_AZURE_ERROR_IDENTITY = 120, "identity", "hub name, device id or module id is not valid";
    /// The shared access key is not valid.
    QUECTEL_AZURE_ERROR_KEY = 121, "key", "the shared access key is not valid base64 of 1 to 64 bytes";
    /// The SAS token cannot be read.
    QUECTEL_AZURE_ERROR_TOKEN = 122, "token", "the SAS token cannot be read";
    /// The root certificate is not PEM text.
    QUECTEL_AZURE_ERROR_CA_NOT_PEM = 123, "ca-not-pem", "the root certificate is not PEM text";
    /// The client certificate is not PEM text.
    QUECTEL_AZURE_ERROR_CERTIFICATE_NOT_PEM = 124, "certificate-not-pem", "the client certificate is not PEM text";
    /// The client key is not PEM text.
    QUECTEL_AZURE_ERROR_KEY_NOT_PEM = 125, "key-not-pem", "the client key is not PEM text; are certificate and key swapped?";
    /// A slot is out of range.
    QUECTEL_AZURE_ERROR_SLOTS = 126, "slots", "PDP context must be 1 to 16, SSL context and MQTT client 0 to 5";
    /// The keep alive is out of range.
    QUECTEL_AZURE_ERROR_KEEP_ALIVE = 127, "keep-alive", "keep alive must be 1 to 1177 seconds";
    /// The port is 0.
    QUECTEL_AZURE_ERROR_PORT = 128, "port", "port 0 cannot be connected to; IoT Hub listens on 8883";
    /// A string cannot be sent in an AT command.
    QUECTEL_AZURE_ERROR_TEXT = 129, "text", "a setting holds quotes or control characters";
    /// The receive buffer is too small.
    QUECTEL_AZURE_ERROR_RX_BUFFER = 130, "rx-buffer", "the receive buffer must have at least 512 bytes";
    /// The transmit buffer is too small.
    QUECTEL_AZURE_ERROR_TX_BUFFER = 131, "tx-buffer", "the transmit buffer is too small; give it at least 1,024 bytes";
    /// The scratch buffer is too small.
    QUECTEL_AZURE_ERROR_SCRATCH_BUFFER = 132, "scratch-buffer", "the scratch buffer is too small; give it at least 1,024 bytes";
    /// Another setting is wrong.
    QUECTEL_AZURE_ERROR_CONFIG = 149, "config", "a setting is wrong";
}

fn words(result: quectel_azure_result) -> (&'static str, &'static str) {
    let reason = || {
        let number = u8::try_from(result).ok()?;
        let reason = Reason::ALL.iter().find(|reason| reason.number() == number)?;
        Some((reason.name(), reason.text()))
    };
    own(result).or_else(reason).unwrap_or(("unknown", "a result of a newer library"))
}

/// The result's name in kebab-case, such as `open-failed`. Never NULL; not NUL-terminated; lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn quectel_azure_result_name(result: quectel_azure_result) -> quectel_azure_bytes {
    quectel_azure_bytes::from(words(result).0.as_bytes())
}

/// One line for a person. Never NULL; not NUL-terminated; lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn quectel_azure_result_text(result: quectel_azure_result) -> quectel_azure_bytes {
    quectel_azure_bytes::from(words(result).1.as_bytes())
}

pub(crate) fn reason(reason: Reason) -> quectel_azure_result {
    i32::from(reason.number())
}

pub(crate) fn misuse(error: Misuse) -> quectel_azure_result {
    match error {
        Misuse::AlreadyRunning => QUECTEL_AZURE_ERROR_ALREADY_RUNNING,
        Misuse::NotConnected => QUECTEL_AZURE_ERROR_NOT_CONNECTED,
        Misuse::Busy => QUECTEL_AZURE_ERROR_BUSY,
        Misuse::PayloadTooLong { .. } => QUECTEL_AZURE_ERROR_PAYLOAD_TOO_LONG,
        Misuse::PayloadByte { .. } => QUECTEL_AZURE_ERROR_PAYLOAD_BYTE,
        Misuse::Property => QUECTEL_AZURE_ERROR_PROPERTY,
        Misuse::NoSignatureNeeded => QUECTEL_AZURE_ERROR_NO_SIGNATURE_NEEDED,
        _ => QUECTEL_AZURE_ERROR_DOES_NOT_FIT,
    }
}

pub(crate) fn config(error: ConfigError) -> quectel_azure_result {
    match error {
        ConfigError::Identity(_) => QUECTEL_AZURE_ERROR_IDENTITY,
        ConfigError::Key(_) => QUECTEL_AZURE_ERROR_KEY,
        ConfigError::Token(_) => QUECTEL_AZURE_ERROR_TOKEN,
        ConfigError::CaNotPem => QUECTEL_AZURE_ERROR_CA_NOT_PEM,
        ConfigError::CertificateNotPem => QUECTEL_AZURE_ERROR_CERTIFICATE_NOT_PEM,
        ConfigError::KeyNotPem => QUECTEL_AZURE_ERROR_KEY_NOT_PEM,
        ConfigError::Slots => QUECTEL_AZURE_ERROR_SLOTS,
        ConfigError::KeepAlive => QUECTEL_AZURE_ERROR_KEEP_ALIVE,
        ConfigError::Port => QUECTEL_AZURE_ERROR_PORT,
        ConfigError::Text => QUECTEL_AZURE_ERROR_TEXT,
        ConfigError::RxBuffer => QUECTEL_AZURE_ERROR_RX_BUFFER,
        ConfigError::TxBuffer => QUECTEL_AZURE_ERROR_TX_BUFFER,
        ConfigError::ScratchBuffer => QUECTEL_AZURE_ERROR_SCRATCH_BUFFER,
        _ => QUECTEL_AZURE_ERROR_CONFIG,
    }
}
