//! Events.

use quectel_azure::Event;

use crate::{QUECTEL_AZURE_OK, quectel_azure_bytes, quectel_azure_result};

/// Nothing happened: the input is empty and no deadline has passed.
pub const QUECTEL_AZURE_EVENT_NONE: u32 = 0;
/// The flow enters `step`.
pub const QUECTEL_AZURE_EVENT_STEP: u32 = 1;
/// `model` and `revision` of the module are known.
pub const QUECTEL_AZURE_EVENT_IDENTIFIED: u32 = 2;
/// Sign `payload` with HMAC-SHA256 and call `quectel_azure_client_provide_signature`.
pub const QUECTEL_AZURE_EVENT_SIGNATURE_NEEDED: u32 = 3;
/// Something is weaker or slower than it should be: `line` says what.
pub const QUECTEL_AZURE_EVENT_WARNING: u32 = 4;
/// The hub accepted the device; messages may be published.
pub const QUECTEL_AZURE_EVENT_CONNECTED: u32 = 5;
/// The message `number` was acknowledged by the hub, or, delivered at most once, sent.
pub const QUECTEL_AZURE_EVENT_PUBLISHED: u32 = 6;
/// The message `number` was not acknowledged because of `result`.
pub const QUECTEL_AZURE_EVENT_PUBLISH_FAILED: u32 = 7;
/// A cloud-to-device message: `payload`, `properties`, `topic`.
pub const QUECTEL_AZURE_EVENT_MESSAGE: u32 = 8;
/// The module said a `line` that the client does not use.
pub const QUECTEL_AZURE_EVENT_URC: u32 = 9;
/// The connection ended as `quectel_azure_client_disconnect` asked for.
pub const QUECTEL_AZURE_EVENT_DISCONNECTED: u32 = 10;
/// The flow or the connection ended in `step` because of `result`; `line` is what the module said, and may be empty.
/// `quectel_azure_client_connect` may try again.
pub const QUECTEL_AZURE_EVENT_FAILED: u32 = 11;
/// Something that this interface has no kind for.
pub const QUECTEL_AZURE_EVENT_OTHER: u32 = 0xFFFF;

/// What happened. Kinds that you do not know must be ignored: later versions have more. Fields that the kind does not
/// name are zero. The pointers are valid until the next call with the same client, and only as long as the input that
/// was given to `quectel_azure_client_poll` is unchanged.
#[repr(C)]
#[derive(Debug, Clone, Copy)]
pub struct quectel_azure_event {
    /// One of `QUECTEL_AZURE_EVENT_*`.
    pub kind: u32,
    /// Reason of a failure.
    pub result: quectel_azure_result,
    /// Number of a message, as `quectel_azure_client_publish` gave it.
    pub number: u32,
    /// Name of the step in kebab-case, such as `register`.
    pub step: quectel_azure_bytes,
    /// The module's line, any bytes, or the text of a warning.
    pub line: quectel_azure_bytes,
    /// Body of a message, any bytes, or the text to sign.
    pub payload: quectel_azure_bytes,
    /// Properties of a message as they came: `name=value` joined by `&`, percent-encoded.
    pub properties: quectel_azure_bytes,
    /// Topic name of a message.
    pub topic: quectel_azure_bytes,
    /// Model as `ATI` gives it, such as `BG96`.
    pub model: quectel_azure_bytes,
    /// Firmware revision.
    pub revision: quectel_azure_bytes,
}

impl quectel_azure_event {
    pub(crate) const fn new(kind: u32) -> Self {
        const NONE: quectel_azure_bytes = quectel_azure_bytes::NONE;
        Self {
            kind,
            result: QUECTEL_AZURE_OK,
            number: 0,
            step: NONE,
            line: NONE,
            payload: NONE,
            properties: NONE,
            topic: NONE,
            model: NONE,
            revision: NONE,
        }
    }
}

impl From<Event<'_>> for quectel_azure_event {
    fn from(event: Event<'_>) -> Self {
        let new = Self::new;
        match event {
            Event::Step(step) => Self {
                step: step.name().into(),
                ..new(QUECTEL_AZURE_EVENT_STEP)
            },
            Event::Identified(module) => Self {
                model: module.model.into(),
                revision: module.revision.into(),
                ..new(QUECTEL_AZURE_EVENT_IDENTIFIED)
            },
            Event::SignatureNeeded { to_sign } => Self {
                payload: to_sign.into(),
                ..new(QUECTEL_AZURE_EVENT_SIGNATURE_NEEDED)
            },
            Event::Warning(warning) => Self {
                line: warning.text().into(),
                ..new(QUECTEL_AZURE_EVENT_WARNING)
            },
            Event::Connected => new(QUECTEL_AZURE_EVENT_CONNECTED),
            Event::Published(id) => Self {
                number: id.number(),
                ..new(QUECTEL_AZURE_EVENT_PUBLISHED)
            },
            Event::PublishFailed { id, reason } => Self {
                number: id.number(),
                result: reason.into(),
                ..new(QUECTEL_AZURE_EVENT_PUBLISH_FAILED)
            },
            Event::Message(message) => Self {
                payload: message.payload.into(),
                properties: message.properties.raw().into(),
                topic: message.topic.into(),
                ..new(QUECTEL_AZURE_EVENT_MESSAGE)
            },
            Event::Urc(line) => Self {
                line: line.bytes().into(),
                ..new(QUECTEL_AZURE_EVENT_URC)
            },
            Event::Disconnected => new(QUECTEL_AZURE_EVENT_DISCONNECTED),
            Event::Failed(failure) => Self {
                step: failure.step.name().into(),
                result: failure.reason.into(),
                line: failure.line.bytes().into(),
                ..new(QUECTEL_AZURE_EVENT_FAILED)
            },
            _ => new(QUECTEL_AZURE_EVENT_OTHER),
        }
    }
}
