//! What the service answers.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::json::{JsonText, Value};

/// How far a registration is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistrationStatus<'a> {
    /// The device has no hub yet.
    Unassigned,
    /// The service works on it: ask again later.
    Assigning,
    /// The device has a hub.
    Assigned,
    /// The registration failed; the error code says why.
    Failed,
    /// The enrollment is disabled.
    Disabled,
    /// Anything else, as the service wrote it.
    Other(JsonText<'a>),
}

impl<'a> RegistrationStatus<'a> {
    fn from_text(text: JsonText<'a>) -> Self {
        let known = [
            ("unassigned", Self::Unassigned),
            ("assigning", Self::Assigning),
            ("assigned", Self::Assigned),
            ("failed", Self::Failed),
            ("disabled", Self::Disabled),
        ];
        known
            .into_iter()
            .find(|(name, _)| text.is(name))
            .map_or(Self::Other(text), |(_, status)| status)
    }
}

/// The body is no answer of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ResponseError {
    /// There is no body; the status in the topic is all there is.
    #[error("the answer of DPS has no body: only the status in its topic says what happened")]
    Empty,
    /// It is not UTF-8.
    #[error("the answer of DPS is not UTF-8 text: it was damaged on the way, ask again")]
    NotUtf8,
    /// It is not a JSON object, is cut off, or is nested more than 32 deep.
    #[error(
        "the answer of DPS is not a whole JSON object: it was cut off or damaged on the way, ask again with a larger receive buffer"
    )]
    NotJson,
}

impl ResponseError {
    /// Kebab-case name of the error.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Empty => "dps-response-empty",
            Self::NotUtf8 => "dps-response-not-utf8",
            Self::NotJson => "dps-response-not-json",
        }
    }
}

/// An answer of the service; what it does not say, or says in another form, is `None`.
///
/// ```
/// use azure_auth::dps::{RegistrationStatus, Response};
///
/// let body = br#"{"operationId":"5.1","status":"assigned","registrationState":{
///     "registrationId":"my-reg","assignedHub":"contoso.azure-devices.net","deviceId":"dev-1","status":"assigned"}}"#;
/// let answer = Response::parse(body)?;
/// assert_eq!(answer.status, Some(RegistrationStatus::Assigned));
/// assert_eq!(answer.assigned_hub.and_then(|hub| hub.plain()), Some("contoso.azure-devices.net"));
/// assert_eq!(answer.device_id.and_then(|id| id.plain()), Some("dev-1"));
/// # Ok::<(), azure_auth::dps::ResponseError>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Response<'a> {
    /// `operationId`, for [`super::write_status_topic`]; `None` also when empty.
    pub operation_id: Option<JsonText<'a>>,
    /// `status`.
    pub status: Option<RegistrationStatus<'a>>,
    /// `registrationState.substatus`, such as `initialAssignment`.
    pub substatus: Option<JsonText<'a>>,
    /// `registrationState.assignedHub`: host name of the hub.
    pub assigned_hub: Option<JsonText<'a>>,
    /// `registrationState.deviceId`.
    pub device_id: Option<JsonText<'a>>,
    /// `errorCode`, such as 401002; of the registration, else of the answer.
    pub error_code: Option<u32>,
    /// `registrationState.errorMessage`, else `message`.
    pub error_message: Option<JsonText<'a>>,
    /// `trackingId` of an error, for the support of the service.
    pub tracking_id: Option<JsonText<'a>>,
    /// `registrationState.connectionProfile` (preview): `None` and `classic` are MQTT 3.1.1, which is all that
    /// this crate speaks.
    pub connection_profile: Option<JsonText<'a>>,
    /// `registrationState.payload`: what a custom allocation returned, JSON text.
    pub payload: Option<&'a str>,
}

impl<'a> Response<'a> {
    /// Reads the body of an answer, whatever its topic's status is.
    ///
    /// # Errors
    /// [`ResponseError`] when the body is not one whole JSON object.
    pub fn parse(body: &'a [u8]) -> Result<Self, ResponseError> {
        if body.trim_ascii().is_empty() {
            return Err(ResponseError::Empty);
        }
        let text = core::str::from_utf8(body).map_err(|_| ResponseError::NotUtf8)?;
        let answer = Value::parse(text)
            .filter(|value| value.is_object())
            .ok_or(ResponseError::NotJson)?;
        let state = answer.member("registrationState");
        let of_state = |name| state.and_then(|state| state.member(name));
        let text_of = |value: Option<Value<'a>>| value.and_then(Value::text);
        let number_of = |value: Option<Value<'a>>| value.and_then(Value::number);
        Ok(Self {
            operation_id: text_of(answer.member("operationId")).filter(|id| !id.raw().is_empty()),
            status: text_of(answer.member("status"))
                .or_else(|| text_of(of_state("status")))
                .map(RegistrationStatus::from_text),
            substatus: text_of(of_state("substatus")),
            assigned_hub: text_of(of_state("assignedHub")),
            device_id: text_of(of_state("deviceId")),
            error_code: number_of(of_state("errorCode"))
                .filter(|code| *code != 0)
                .or_else(|| number_of(answer.member("errorCode"))),
            error_message: text_of(of_state("errorMessage"))
                .or_else(|| text_of(answer.member("message"))),
            tracking_id: text_of(answer.member("trackingId")),
            connection_profile: text_of(of_state("connectionProfile")),
            payload: of_state("payload")
                .filter(|payload| !payload.is_null())
                .map(Value::raw),
        })
    }
}

/// Seconds to wait before asking DPS again: what it said if that is 1 to 300, else 2.
///
/// Two seconds keep to the limit of five status requests in ten seconds.
///
/// # Reference
/// azure-iot-sdk-c `prov_device_ll_client.c` for the range, azure-iot-device 2.14.0 for the default.
#[must_use]
pub fn poll_after_s(retry_after_s: Option<u32>) -> u32 {
    retry_after_s
        .filter(|after| (1..=300).contains(after))
        .unwrap_or(2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: Option<JsonText<'_>>) -> Option<&str> {
        text.map(|text| text.raw())
    }

    #[test]
    fn answers_by_status() {
        use RegistrationStatus as S;
        type Case<'a> = (&'a str, Option<S<'a>>, [Option<&'a str>; 4], Option<u32>);
        // operationId, assignedHub, deviceId, message; error code
        let cases: &[Case<'_>] = &[
            (
                r#"{"operationId":"5.1","status":"assigning"}"#,
                Some(S::Assigning),
                [Some("5.1"), None, None, None],
                None,
            ),
            (
                r#"{"operationId":"5.1","status":"assigning","registrationState":{"registrationId":"r","status":"assigning"}}"#,
                Some(S::Assigning),
                [Some("5.1"), None, None, None],
                None,
            ),
            (
                r#"{"operationId":"5.1","status":"failed","registrationState":{"errorCode":400207,"errorMessage":"Custom allocation failed","assignedHub":null}}"#,
                Some(S::Failed),
                [Some("5.1"), None, None, Some("Custom allocation failed")],
                Some(400_207),
            ),
            (
                r#"{"operationId":"","status":"disabled","registrationState":{"status":"disabled"}}"#,
                Some(S::Disabled),
                [None; 4],
                None,
            ),
            (
                r#"{"errorCode":401002,"trackingId":"t","message":"Invalid certificate.","timestampUtc":"2020-04-10T05:24:22.4718526Z"}"#,
                None,
                [None, None, None, Some("Invalid certificate.")],
                Some(401_002),
            ),
            (
                r#"{"status":7,"registrationState":"x","operationId":{}}"#,
                None,
                [None; 4],
                None,
            ),
            (
                r#"{"registrationState":{"status":"assigned","assignedHub":"h.net","deviceId":"d","errorCode":0}}"#,
                Some(S::Assigned),
                [None, Some("h.net"), Some("d"), None],
                None,
            ),
            ("{}", None, [None; 4], None),
        ];
        for (body, status, texts, code) in cases {
            let answer = Response::parse(body.as_bytes()).unwrap();
            assert_eq!(answer.status, *status, "{body}");
            let got = [
                answer.operation_id,
                answer.assigned_hub,
                answer.device_id,
                answer.error_message,
            ]
            .map(plain);
            assert_eq!(got, *texts, "{body}");
            assert_eq!(answer.error_code, *code, "{body}");
        }
        let other = Response::parse(br#"{"status":"paused"}"#).unwrap().status;
        assert!(matches!(other, Some(S::Other(text)) if text.is("paused")));
    }

    #[test]
    fn payload_and_profile() {
        let body = br#"{"registrationState":{"payload":{"a":[1]},"connectionProfile":"mqttV5","substatus":"initialAssignment"}}"#;
        let answer = Response::parse(body).unwrap();
        assert_eq!(answer.payload, Some(r#"{"a":[1]}"#));
        assert_eq!(plain(answer.connection_profile), Some("mqttV5"));
        assert_eq!(plain(answer.substatus), Some("initialAssignment"));
        assert_eq!(
            Response::parse(br#"{"registrationState":{"payload":null}}"#)
                .unwrap()
                .payload,
            None
        );
    }

    #[test]
    fn bodies_that_are_no_answer() {
        let cases: &[(&[u8], ResponseError)] = &[
            (b"", ResponseError::Empty),
            (b" \r\n", ResponseError::Empty),
            (b"\xff", ResponseError::NotUtf8),
            (b"[]", ResponseError::NotJson),
            (b"\"assigned\"", ResponseError::NotJson),
            (br#"{"status":"assigned""#, ResponseError::NotJson),
            (b"<html>", ResponseError::NotJson),
        ];
        for (body, expected) in cases {
            assert_eq!(Response::parse(body), Err(*expected));
        }
    }

    #[test]
    fn waiting_times() {
        for (given, expected) in [
            (None, 2),
            (Some(0), 2),
            (Some(1), 1),
            (Some(3), 3),
            (Some(300), 300),
            (Some(301), 2),
        ] {
            assert_eq!(poll_after_s(given), expected, "{given:?}");
        }
    }
}
