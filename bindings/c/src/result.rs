//! Results: one number space for misuse, settings and reasons of failure.

use quectel_azure::azure_auth::ConnectionStringError;
use quectel_azure::{ConfigError, Misuse, Reason};

use crate::quectel_azure_bytes;

/// What became of a call, and why a flow failed: 0 is success. Values are frozen and new ones are added, so treat a
/// value that you do not know as a failure. `quectel_azure_result_name` gives its name.
///
/// 1 to 9 are misuse of this interface, 10 to 99 reasons of failure (`QUECTEL_AZURE_REASON_*`, only in events), 100 to
/// 119 calls that the client cannot serve now, 120 to 149 wrong settings. A call that returns one of them has sent
/// nothing and has written to no output.
#[repr(transparent)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct quectel_azure_result(i32);

/// Success.
pub const QUECTEL_AZURE_OK: quectel_azure_result = quectel_azure_result(0);
/// A pointer that must not be NULL is NULL.
pub const QUECTEL_AZURE_ERROR_NULL_POINTER: quectel_azure_result = quectel_azure_result(1);
/// The size given is not the size that the library was built with: header and library do not belong together.
pub const QUECTEL_AZURE_ERROR_ABI_MISMATCH: quectel_azure_result = quectel_azure_result(2);
/// The library has a fault and the client cannot be used until it is initialised again. Please report it.
pub const QUECTEL_AZURE_ERROR_PANIC: quectel_azure_result = quectel_azure_result(3);
/// The client was not initialised, its initialisation failed, or it was deinitialised.
pub const QUECTEL_AZURE_ERROR_NOT_INITIALISED: quectel_azure_result = quectel_azure_result(4);
/// A text is not UTF-8.
pub const QUECTEL_AZURE_ERROR_NOT_UTF8: quectel_azure_result = quectel_azure_result(5);
/// A number is not one of its constants, or a length is longer than any memory.
pub const QUECTEL_AZURE_ERROR_INVALID_VALUE: quectel_azure_result = quectel_azure_result(6);
/// `quectel_azure_client_connect` while the flow is running.
pub const QUECTEL_AZURE_ERROR_ALREADY_RUNNING: quectel_azure_result = quectel_azure_result(100);
/// `quectel_azure_client_publish` or `quectel_azure_client_disconnect` without a connection.
pub const QUECTEL_AZURE_ERROR_NOT_CONNECTED: quectel_azure_result = quectel_azure_result(101);
/// The module is busy with an earlier command or five messages are in flight: poll and try again.
pub const QUECTEL_AZURE_ERROR_BUSY: quectel_azure_result = quectel_azure_result(102);
/// The payload is longer than the module takes in one message.
pub const QUECTEL_AZURE_ERROR_PAYLOAD_TOO_LONG: quectel_azure_result = quectel_azure_result(103);
/// The payload holds Ctrl-Z or ESC, which this firmware cannot send.
pub const QUECTEL_AZURE_ERROR_PAYLOAD_BYTE: quectel_azure_result = quectel_azure_result(104);
/// Message or properties do not fit the client's buffers.
pub const QUECTEL_AZURE_ERROR_DOES_NOT_FIT: quectel_azure_result = quectel_azure_result(105);
/// A property name is empty.
pub const QUECTEL_AZURE_ERROR_PROPERTY: quectel_azure_result = quectel_azure_result(106);
/// No signature was asked for.
pub const QUECTEL_AZURE_ERROR_NO_SIGNATURE_NEEDED: quectel_azure_result = quectel_azure_result(107);
/// The client cannot do this now, for a reason that has no number of its own.
pub const QUECTEL_AZURE_ERROR_MISUSE: quectel_azure_result = quectel_azure_result(119);
/// Hub name, device id or module id is not valid.
pub const QUECTEL_AZURE_ERROR_IDENTITY: quectel_azure_result = quectel_azure_result(120);
/// The shared access key is not valid.
pub const QUECTEL_AZURE_ERROR_KEY: quectel_azure_result = quectel_azure_result(121);
/// The SAS token cannot be read.
pub const QUECTEL_AZURE_ERROR_TOKEN: quectel_azure_result = quectel_azure_result(122);
/// The root certificate is not PEM text.
pub const QUECTEL_AZURE_ERROR_CA_NOT_PEM: quectel_azure_result = quectel_azure_result(123);
/// The client certificate is not PEM text.
pub const QUECTEL_AZURE_ERROR_CERTIFICATE_NOT_PEM: quectel_azure_result = quectel_azure_result(124);
/// The client key is not PEM text.
pub const QUECTEL_AZURE_ERROR_KEY_NOT_PEM: quectel_azure_result = quectel_azure_result(125);
/// A slot is out of range.
pub const QUECTEL_AZURE_ERROR_SLOTS: quectel_azure_result = quectel_azure_result(126);
/// The keep alive is out of range.
pub const QUECTEL_AZURE_ERROR_KEEP_ALIVE: quectel_azure_result = quectel_azure_result(127);
/// The TCP port is 0.
pub const QUECTEL_AZURE_ERROR_PORT: quectel_azure_result = quectel_azure_result(128);
/// A setting cannot be sent in an AT command.
pub const QUECTEL_AZURE_ERROR_TEXT: quectel_azure_result = quectel_azure_result(129);
/// The receive buffer is too small.
pub const QUECTEL_AZURE_ERROR_RX_BUFFER: quectel_azure_result = quectel_azure_result(130);
/// The transmit buffer is too small.
pub const QUECTEL_AZURE_ERROR_TX_BUFFER: quectel_azure_result = quectel_azure_result(131);
/// The scratch buffer is too small.
pub const QUECTEL_AZURE_ERROR_SCRATCH_BUFFER: quectel_azure_result = quectel_azure_result(132);
/// The connection string is not one of a device, or a field is missing, unknown or malformed.
pub const QUECTEL_AZURE_ERROR_CONNECTION_STRING: quectel_azure_result = quectel_azure_result(133);
/// A setting is wrong, for a reason that has no number of its own.
pub const QUECTEL_AZURE_ERROR_CONFIG: quectel_azure_result = quectel_azure_result(149);

/// Name and text of the results that are not reasons of failure.
const WORDS: &[(quectel_azure_result, &str, &str)] = &[
    (QUECTEL_AZURE_OK, "ok", "success"),
    (
        QUECTEL_AZURE_ERROR_NULL_POINTER,
        "null-pointer",
        "a pointer that must not be NULL is NULL",
    ),
    (
        QUECTEL_AZURE_ERROR_ABI_MISMATCH,
        "abi-mismatch",
        "header and library do not belong together; build both from the same version",
    ),
    (
        QUECTEL_AZURE_ERROR_PANIC,
        "panic",
        "the library has a fault; initialise the client again, and please report it",
    ),
    (
        QUECTEL_AZURE_ERROR_NOT_INITIALISED,
        "not-initialised",
        "the client was not initialised",
    ),
    (
        QUECTEL_AZURE_ERROR_NOT_UTF8,
        "not-utf8",
        "a text is not UTF-8",
    ),
    (
        QUECTEL_AZURE_ERROR_INVALID_VALUE,
        "invalid-value",
        "a number is not one of its constants, or a length is longer than the memory",
    ),
    (
        QUECTEL_AZURE_ERROR_ALREADY_RUNNING,
        "already-running",
        "the client is connecting or connected already",
    ),
    (
        QUECTEL_AZURE_ERROR_NOT_CONNECTED,
        "not-connected",
        "the client is not connected; connect and wait for the connected event",
    ),
    (
        QUECTEL_AZURE_ERROR_BUSY,
        "busy",
        "the module is busy or five messages are in flight; poll and try again",
    ),
    (
        QUECTEL_AZURE_ERROR_PAYLOAD_TOO_LONG,
        "payload-too-long",
        "the payload is longer than the module takes in one message",
    ),
    (
        QUECTEL_AZURE_ERROR_PAYLOAD_BYTE,
        "payload-byte",
        "this firmware cannot send Ctrl-Z or ESC in a payload; encode it, for example in base64",
    ),
    (
        QUECTEL_AZURE_ERROR_DOES_NOT_FIT,
        "does-not-fit",
        "the message with its properties does not fit the client's buffers",
    ),
    (
        QUECTEL_AZURE_ERROR_PROPERTY,
        "property",
        "a property name is empty",
    ),
    (
        QUECTEL_AZURE_ERROR_NO_SIGNATURE_NEEDED,
        "no-signature-needed",
        "no signature was asked for",
    ),
    (
        QUECTEL_AZURE_ERROR_MISUSE,
        "misuse",
        "the client cannot do this now",
    ),
    (
        QUECTEL_AZURE_ERROR_IDENTITY,
        "identity",
        "hub name, device id or module id is not valid; the hub is a host name without scheme",
    ),
    (
        QUECTEL_AZURE_ERROR_KEY,
        "key",
        "the shared access key is not valid base64 of 1 to 64 bytes",
    ),
    (
        QUECTEL_AZURE_ERROR_TOKEN,
        "token",
        "the SAS token cannot be read; it begins with SharedAccessSignature sr=",
    ),
    (
        QUECTEL_AZURE_ERROR_CA_NOT_PEM,
        "ca-not-pem",
        "the root certificate is not PEM text",
    ),
    (
        QUECTEL_AZURE_ERROR_CERTIFICATE_NOT_PEM,
        "certificate-not-pem",
        "the client certificate is not PEM text",
    ),
    (
        QUECTEL_AZURE_ERROR_KEY_NOT_PEM,
        "key-not-pem",
        "the client key is not PEM text; are certificate and key swapped?",
    ),
    (
        QUECTEL_AZURE_ERROR_SLOTS,
        "slots",
        "PDP context must be 1 to 16, SSL context and MQTT client 0 to 5",
    ),
    (
        QUECTEL_AZURE_ERROR_KEEP_ALIVE,
        "keep-alive",
        "keep alive must be 1 to 1177 seconds",
    ),
    (
        QUECTEL_AZURE_ERROR_PORT,
        "port",
        "port 0 cannot be connected to; IoT Hub listens on 8883",
    ),
    (
        QUECTEL_AZURE_ERROR_TEXT,
        "text",
        "a setting holds quotes or control characters",
    ),
    (
        QUECTEL_AZURE_ERROR_RX_BUFFER,
        "rx-buffer",
        "the receive buffer must have at least 512 bytes",
    ),
    (
        QUECTEL_AZURE_ERROR_TX_BUFFER,
        "tx-buffer",
        "the transmit buffer is too small; give it at least 1,024 bytes",
    ),
    (
        QUECTEL_AZURE_ERROR_SCRATCH_BUFFER,
        "scratch-buffer",
        "the scratch buffer is too small; give it at least 1,024 bytes",
    ),
    (
        QUECTEL_AZURE_ERROR_CONNECTION_STRING,
        "connection-string",
        "the connection string is not one of a device: it has HostName, DeviceId and SharedAccessKey (or x509=true), separated by semicolons",
    ),
    (QUECTEL_AZURE_ERROR_CONFIG, "config", "a setting is wrong"),
];

fn find_reason(result: quectel_azure_result) -> Option<Reason> {
    let same = |reason: &&Reason| i32::from(reason.number()) == result.0;
    Reason::ALL.iter().find(same).copied()
}

fn words(result: quectel_azure_result) -> (&'static str, &'static str) {
    if let Some((_, name, text)) = WORDS.iter().find(|(own, ..)| *own == result) {
        return (name, text);
    }
    find_reason(result).map_or(("unknown", "a result of a newer library"), |reason| {
        (reason.name(), reason.text())
    })
}

/// The result's name in kebab-case, such as `open-failed`; `unknown` for a number that is no result.
///
/// Never empty; it lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn quectel_azure_result_name(result: quectel_azure_result) -> quectel_azure_bytes {
    words(result).0.as_bytes().into()
}

/// What happened, in one line for a person.
///
/// Never empty; it lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn quectel_azure_result_text(result: quectel_azure_result) -> quectel_azure_bytes {
    words(result).1.as_bytes().into()
}

/// What to do about a reason of failure, in one line for a person; empty for other results, whose text says it.
///
/// It lives for ever.
#[unsafe(no_mangle)]
pub extern "C" fn quectel_azure_result_remedy(result: quectel_azure_result) -> quectel_azure_bytes {
    find_reason(result)
        .map_or("", Reason::remedy)
        .as_bytes()
        .into()
}

impl From<Reason> for quectel_azure_result {
    fn from(reason: Reason) -> Self {
        Self(i32::from(reason.number()))
    }
}

impl From<Misuse> for quectel_azure_result {
    fn from(misuse: Misuse) -> Self {
        match misuse {
            Misuse::AlreadyRunning => QUECTEL_AZURE_ERROR_ALREADY_RUNNING,
            Misuse::NotConnected => QUECTEL_AZURE_ERROR_NOT_CONNECTED,
            Misuse::Busy => QUECTEL_AZURE_ERROR_BUSY,
            Misuse::PayloadTooLong { .. } => QUECTEL_AZURE_ERROR_PAYLOAD_TOO_LONG,
            Misuse::PayloadByte { .. } => QUECTEL_AZURE_ERROR_PAYLOAD_BYTE,
            Misuse::DoesNotFit => QUECTEL_AZURE_ERROR_DOES_NOT_FIT,
            Misuse::Property => QUECTEL_AZURE_ERROR_PROPERTY,
            Misuse::NoSignatureNeeded => QUECTEL_AZURE_ERROR_NO_SIGNATURE_NEEDED,
            _ => QUECTEL_AZURE_ERROR_MISUSE,
        }
    }
}

impl From<ConfigError> for quectel_azure_result {
    fn from(error: ConfigError) -> Self {
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
}

impl From<ConnectionStringError> for quectel_azure_result {
    fn from(error: ConnectionStringError) -> Self {
        match error {
            ConnectionStringError::Identity(_) => QUECTEL_AZURE_ERROR_IDENTITY,
            ConnectionStringError::Key(_) => QUECTEL_AZURE_ERROR_KEY,
            ConnectionStringError::SharedAccessSignature(_) => QUECTEL_AZURE_ERROR_TOKEN,
            _ => QUECTEL_AZURE_ERROR_CONNECTION_STRING,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_and_name_stands_for_one_thing() {
        let own = WORDS
            .iter()
            .map(|(result, name, text)| (result.0, *name, *text));
        let reasons = Reason::ALL
            .iter()
            .map(|reason| (i32::from(reason.number()), reason.name(), reason.text()));
        let all: Vec<_> = own.chain(reasons).collect();
        for (n, (number, name, text)) in all.iter().enumerate() {
            assert_eq!(words(quectel_azure_result(*number)), (*name, *text));
            for (other_number, other_name, _) in &all[n + 1..] {
                assert!(
                    number != other_number && name != other_name,
                    "{number} {name}"
                );
            }
        }
        for reason in Reason::ALL {
            assert!((10..=99).contains(&reason.number()), "{}", reason.name());
        }
    }
}
