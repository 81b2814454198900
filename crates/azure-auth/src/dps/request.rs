//! What the device publishes to the service.

use super::Registration;
use crate::json::Value;
use crate::text::{BufferTooSmall, emit};
use crate::topics::{Rid, TopicError, check_rid};

/// Filter for all answers of the service.
pub const RESPONSE_FILTER: &str = "$dps/registrations/res/#";

/// A body that cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BodyError {
    /// The body does not fit the buffer.
    #[error(transparent)]
    BufferTooSmall(#[from] BufferTooSmall),
    /// The payload is not a JSON object.
    #[error(
        "the payload of the registration is not a JSON object nested at most 32 deep: give something like {{\"modelId\":\"dtmi:com:example:Thermostat;1\"}}"
    )]
    Payload,
}

impl BodyError {
    /// Kebab-case name of the error.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BufferTooSmall(error) => error.name(),
            Self::Payload => "dps-payload-invalid",
        }
    }
}

/// Writes the topic that registers the device.
///
/// # Errors
/// [`TopicError`] when the topic does not fit `out`, or `rid` cannot stand in a topic.
pub fn write_register_topic<'o>(rid: &str, out: &'o mut [u8]) -> Result<&'o str, TopicError> {
    check_rid(rid)?;
    Ok(emit(
        out,
        format_args!("$dps/registrations/PUT/iotdps-register/{}", Rid(rid)),
    )?)
}

/// Writes the topic that asks how far an operation is; its message is empty. 125 bytes are usual.
///
/// # Errors
/// [`TopicError`] when the topic does not fit `out`, or an id cannot stand in a topic.
pub fn write_status_topic<'o>(
    rid: &str,
    operation_id: &str,
    out: &'o mut [u8],
) -> Result<&'o str, TopicError> {
    check_rid(rid)?;
    check_rid(operation_id).map_err(|_| TopicError::OperationId)?;
    let rid = Rid(rid);
    Ok(emit(
        out,
        format_args!(
            "$dps/registrations/GET/iotdps-get-operationstatus/{rid}&operationId={operation_id}"
        ),
    )?)
}

/// Writes the JSON body that registers the device. `payload` is a JSON object for custom allocation or a Plug
/// and Play model id.
///
/// # Errors
/// [`BodyError`] when the body does not fit `out`, or `payload` is not a JSON object.
pub fn write_register_body<'o>(
    registration: &Registration<'_>,
    payload: Option<&str>,
    out: &'o mut [u8],
) -> Result<&'o str, BodyError> {
    // No character of a registration id needs an escape in JSON.
    let id = registration.registration_id();
    let Some(payload) = payload else {
        return Ok(emit(out, format_args!("{{\"registrationId\":\"{id}\"}}"))?);
    };
    let payload = Value::parse(payload)
        .filter(|value| value.is_object())
        .ok_or(BodyError::Payload)?;
    Ok(emit(
        out,
        format_args!(
            "{{\"registrationId\":\"{id}\",\"payload\":{}}}",
            payload.raw()
        ),
    )?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics() {
        let id = "5.0011d24afe6e9ba0.10b4ae9c-a1a4-4d1a-8b07-cf9c1e5f0b3d";
        let mut out = [0; 160];
        let topic = write_status_topic("1", id, &mut out).unwrap();
        assert_eq!(topic.len(), 125);
        assert!(topic.ends_with(
            "status/?$rid=1&operationId=5.0011d24afe6e9ba0.10b4ae9c-a1a4-4d1a-8b07-cf9c1e5f0b3d"
        ));
        assert_eq!(
            write_status_topic("1", "", &mut out),
            Err(TopicError::OperationId)
        );
        assert_eq!(
            write_status_topic("1", "a&b", &mut out),
            Err(TopicError::OperationId)
        );
        assert_eq!(write_status_topic("#", "a", &mut out), Err(TopicError::Rid));
        assert_eq!(write_register_topic("", &mut out), Err(TopicError::Rid));
    }

    #[test]
    fn bodies() {
        let registration = Registration::new("0ne1", "Dev:1").unwrap();
        let cases = [
            (None, Ok(r#"{"registrationId":"Dev:1"}"#)),
            (Some("{}"), Ok(r#"{"registrationId":"Dev:1","payload":{}}"#)),
            (
                Some(" {\"a\":[1]}\n"),
                Ok(r#"{"registrationId":"Dev:1","payload":{"a":[1]}}"#),
            ),
            (Some(""), Err(BodyError::Payload)),
            (Some("[]"), Err(BodyError::Payload)),
            (Some("{},\"x\":1"), Err(BodyError::Payload)),
            (Some("{\"a\":"), Err(BodyError::Payload)),
        ];
        for (payload, expected) in cases {
            assert_eq!(
                write_register_body(&registration, payload, &mut [0; 64]),
                expected,
                "{payload:?}"
            );
        }
        assert_eq!(
            write_register_body(&registration, None, &mut [0; 8]),
            Err(BodyError::BufferTooSmall(BufferTooSmall {
                need: 26,
                have: 8
            }))
        );
    }
}
