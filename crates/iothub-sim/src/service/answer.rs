//! Answers of the service side.

use core::convert::Infallible;

use http_body_util::{BodyExt, Full, combinators::BoxBody};
use hyper::{
    Response, StatusCode,
    body::Bytes,
    header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue},
};
use serde_json::{Value, json};

use crate::{message::ServiceError, method::MethodError, reason::Reason};

pub(super) type Body = BoxBody<Bytes, Infallible>;

/// A request that cannot be fulfilled: status, Azure's number and name, and a text.
#[derive(Debug)]
pub(super) struct Failure {
    status: StatusCode,
    code: u32,
    name: &'static str,
    text: String,
}

impl Failure {
    pub(super) fn bad_request(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, 400_004, "ArgumentInvalid", text)
    }

    pub(super) fn unauthorized(text: impl Into<String>) -> Self {
        Self::new(
            StatusCode::UNAUTHORIZED,
            401_002,
            "IotHubUnauthorizedAccess",
            text,
        )
    }

    pub(super) fn not_found(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, 404_001, "DeviceNotFound", text)
    }

    pub(super) fn no_such_path() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            404_000,
            "ResourceNotFound",
            "there is no such path here; the service API is described in docs/hub.md",
        )
    }

    pub(super) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            405_000,
            "MethodNotAllowed",
            "the path exists, but not with this HTTP method",
        )
    }

    pub(super) fn precondition(text: impl Into<String>) -> Self {
        Self::new(
            StatusCode::PRECONDITION_FAILED,
            412_001,
            "PreconditionFailed",
            text,
        )
    }

    pub(super) fn too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            413_001,
            "MessageTooLarge",
            "the request's body is longer than 262144 bytes",
        )
    }

    pub(super) fn timed_out() -> Self {
        Self::new(
            StatusCode::GATEWAY_TIMEOUT,
            504_101,
            "GatewayTimeout",
            "the device did not answer in time",
        )
    }

    pub(super) fn not_online(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, 404_103, "DeviceNotOnline", text)
    }

    fn new(status: StatusCode, code: u32, name: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            code,
            name,
            text: text.into(),
        }
    }

    pub(super) const fn code(&self) -> u32 {
        self.code
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn into_response(self) -> Response<Body> {
        let body = json!({
            "Message": format!("ErrorCode:{};{}", self.name, self.text),
            "errorCode": self.code,
            "ExceptionMessage": self.text,
        });
        let mut response = json_response(self.status, &body);
        // The SDKs look for the name here.
        response.headers_mut().insert(
            HeaderName::from_static("iothub-errorcode"),
            HeaderValue::from_static(self.name),
        );
        response
    }
}

impl From<ServiceError> for Failure {
    fn from(error: ServiceError) -> Self {
        let text = error.to_string();
        match error {
            ServiceError::NotFound(_) => Self::not_found(text),
            ServiceError::Exists(_) => {
                Self::new(StatusCode::CONFLICT, 409_001, "DeviceAlreadyExists", text)
            }
            ServiceError::QueueFull(_) => Self::new(
                StatusCode::FORBIDDEN,
                403_004,
                "DeviceMaximumQueueDepthExceeded",
                text,
            ),
            ServiceError::TooLarge(_) => Self::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                413_001,
                "MessageTooLarge",
                text,
            ),
            ServiceError::Id(_)
            | ServiceError::Twin(_)
            | ServiceError::TimeToLive(_)
            | ServiceError::Feedback(_) => Self::bad_request(text),
        }
    }
}

impl From<MethodError> for Failure {
    fn from(error: MethodError) -> Self {
        let text = error.to_string();
        match error {
            MethodError::NotFound(_) => Self::not_found(text),
            MethodError::NotOnline(_) => Self::not_online(text),
            MethodError::Name(_)
            | MethodError::TooLarge(_)
            | MethodError::NotJson
            | MethodError::Timeout => Self::bad_request(text),
        }
    }
}

impl From<Reason> for Failure {
    fn from(reason: Reason) -> Self {
        Self::unauthorized(reason.to_string())
    }
}

pub(super) fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into()).boxed()
}

pub(super) fn response(
    status: StatusCode,
    content_type: &'static str,
    body: Body,
) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

pub(super) fn json_response(status: StatusCode, body: &Value) -> Response<Body> {
    let body = full(body.to_string());
    response(status, "application/json; charset=utf-8", body)
}

pub(super) fn ok(body: &Value) -> Response<Body> {
    json_response(StatusCode::OK, body)
}

pub(super) fn empty() -> Response<Body> {
    let mut response = Response::new(full(""));
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// Adds a header whose value is known to be printable.
pub(super) fn with_header(
    mut response: Response<Body>,
    name: &'static str,
    value: &str,
) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(value) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    response
}

pub(super) fn with_etag(response: Response<Body>, etag: &str) -> Response<Body> {
    with_header(response, "etag", &format!("\"{etag}\""))
}
