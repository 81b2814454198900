//! Topics to publish to, and filters to subscribe to.

use core::fmt;

use super::SystemProperty;
use crate::identity::Identity;
use crate::percent::PercentEncoded;
use crate::text::{BufferTooSmall, emit};

/// Filter for calls of direct methods.
pub const METHOD_FILTER: &str = "$iothub/methods/POST/#";
/// Filter for the answers to twin requests.
pub const TWIN_RESPONSE_FILTER: &str = "$iothub/twin/res/#";
/// Filter for changes of the desired properties.
pub const DESIRED_FILTER: &str = "$iothub/twin/PATCH/properties/desired/#";
/// Filter for the answers to certificate requests (preview).
pub const CREDENTIAL_FILTER: &str = "$iothub/credentials/res/#";

/// A topic that cannot be; nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TopicError {
    /// The topic does not fit the buffer.
    #[error(transparent)]
    BufferTooSmall(#[from] BufferTooSmall),
    /// The device id or module id has `#` or `+`, which no topic name may have.
    #[error(
        "the device id or module id has '#' or '+', which MQTT does not allow in a topic: give the device another id"
    )]
    WildcardInId,
    /// A property has no name.
    #[error("property {index} has no name")]
    NoPropertyName {
        /// Which of the application properties, from 0.
        index: usize,
    },
    /// The request id is empty or has a character that cannot stand in a topic.
    #[error(
        "the request id is empty or has a blank, a control or non-ASCII character, '\"', '#', '+', '&' or '/'"
    )]
    Rid,
    /// The operation id is empty or has a character that cannot stand in a topic.
    #[error(
        "the operation id is empty or has a blank, a control or non-ASCII character, '\"', '#', '+', '&' or '/'"
    )]
    OperationId,
}

impl TopicError {
    /// Kebab-case name of the error.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BufferTooSmall(error) => error.name(),
            Self::WildcardInId => "topic-wildcard-in-id",
            Self::NoPropertyName { .. } => "topic-no-property-name",
            Self::Rid => "topic-rid",
            Self::OperationId => "topic-operation-id",
        }
    }
}

/// Writes the topic of a telemetry message, or of a will, with its properties percent-encoded.
///
/// The names and values count toward the size of the message, 262144 bytes.
///
/// # Errors
/// [`TopicError`] when the topic does not fit `out`, a property has no name, or the id cannot stand in a topic.
pub fn write_telemetry<'o>(
    identity: &Identity<'_>,
    system: &[(SystemProperty, &str)],
    properties: &[(&str, &str)],
    out: &'o mut [u8],
) -> Result<&'o str, TopicError> {
    let path = Path::new(identity)?;
    if let Some(index) = properties.iter().position(|(name, _)| name.is_empty()) {
        return Err(TopicError::NoPropertyName { index });
    }
    Ok(emit(
        out,
        format_args!("{path}/messages/events/{}", Bag { system, properties }),
    )?)
}

/// Writes the filter for cloud-to-device messages; for a module, the filter for everything sent to it.
///
/// # Errors
/// [`TopicError`] when the filter does not fit `out`, or the id cannot stand in a topic.
pub fn write_c2d_filter<'o>(
    identity: &Identity<'_>,
    out: &'o mut [u8],
) -> Result<&'o str, TopicError> {
    let path = Path::new(identity)?;
    // Modules get messages at their inputs; azure-iot-sdk-c subscribes to all of the module's topics.
    let end = if identity.module_id().is_some() {
        "#"
    } else {
        "messages/devicebound/#"
    };
    Ok(emit(out, format_args!("{path}/{end}"))?)
}

/// Writes the topic of the answer to a direct method; `status` is any number, `rid` that of the call.
///
/// # Errors
/// [`TopicError`] when the topic does not fit `out`, or `rid` cannot stand in a topic.
pub fn write_method_response<'o>(
    status: i32,
    rid: &str,
    out: &'o mut [u8],
) -> Result<&'o str, TopicError> {
    check_rid(rid)?;
    Ok(emit(
        out,
        format_args!("$iothub/methods/res/{status}/{}", Rid(rid)),
    )?)
}

/// Writes the topic that asks for the device twin; its message is empty.
///
/// # Errors
/// [`TopicError`] when the topic does not fit `out`, or `rid` cannot stand in a topic.
pub fn write_twin_get<'o>(rid: &str, out: &'o mut [u8]) -> Result<&'o str, TopicError> {
    check_rid(rid)?;
    Ok(emit(out, format_args!("$iothub/twin/GET/{}", Rid(rid)))?)
}

/// Writes the topic that updates the reported properties of the device twin; its message is a JSON merge patch.
///
/// # Errors
/// [`TopicError`] when the topic does not fit `out`, or `rid` cannot stand in a topic.
pub fn write_reported_patch<'o>(rid: &str, out: &'o mut [u8]) -> Result<&'o str, TopicError> {
    check_rid(rid)?;
    Ok(emit(
        out,
        format_args!("$iothub/twin/PATCH/properties/reported/{}", Rid(rid)),
    )?)
}

/// Writes the topic that asks for a new certificate (preview).
///
/// # Errors
/// [`TopicError`] when the topic does not fit `out`, or `rid` cannot stand in a topic.
pub fn write_issue_certificate<'o>(rid: &str, out: &'o mut [u8]) -> Result<&'o str, TopicError> {
    check_rid(rid)?;
    Ok(emit(
        out,
        format_args!("$iothub/credentials/POST/issueCertificate/{}", Rid(rid)),
    )?)
}

/// Whether a request id can stand in a topic and comes back whole.
pub(crate) fn check_rid(rid: &str) -> Result<(), TopicError> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"\"#+&/".contains(&byte);
    if !rid.is_empty() && rid.bytes().all(fits) {
        Ok(())
    } else {
        Err(TopicError::Rid)
    }
}

/// `?$rid={rid}`
pub(crate) struct Rid<'a>(pub(crate) &'a str);

impl fmt::Display for Rid<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "?$rid={}", self.0)
    }
}

/// `devices/{device}[/modules/{module}]`
struct Path<'i, 'a>(&'i Identity<'a>);

impl<'i, 'a> Path<'i, 'a> {
    fn new(identity: &'i Identity<'a>) -> Result<Self, TopicError> {
        if identity.fits_topics() {
            Ok(Self(identity))
        } else {
            Err(TopicError::WildcardInId)
        }
    }
}

impl fmt::Display for Path<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "devices/{}", self.0.device_id())?;
        match self.0.module_id() {
            Some(module_id) => write!(f, "/modules/{module_id}"),
            None => Ok(()),
        }
    }
}

struct Bag<'s> {
    system: &'s [(SystemProperty, &'s str)],
    properties: &'s [(&'s str, &'s str)],
}

impl fmt::Display for Bag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let system = self
            .system
            .iter()
            .map(|(property, value)| (property.name(), *value));
        let mut separator = "";
        for (name, value) in system.chain(self.properties.iter().copied()) {
            write!(
                f,
                "{separator}{}={}",
                PercentEncoded(name),
                PercentEncoded(value)
            )?;
            separator = "&";
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IdentityError;

    const HUB: &str = "contoso.azure-devices.net";

    #[test]
    fn telemetry_of_devices_and_modules() -> Result<(), IdentityError> {
        let device = Identity::new(HUB, "d%@v:1", None)?;
        let module = Identity::new(HUB, "d", Some("m"))?;
        let plus = Identity::new(HUB, "a+b", None)?;
        type Case<'a> = (
            Identity<'a>,
            &'a [(SystemProperty, &'a str)],
            &'a [(&'a str, &'a str)],
            Result<&'a str, TopicError>,
        );
        let cases: &[Case<'_>] = &[
            (device, &[], &[], Ok("devices/d%@v:1/messages/events/")),
            (module, &[], &[], Ok("devices/d/modules/m/messages/events/")),
            (
                module,
                &[(SystemProperty::OutputName, "o")],
                &[],
                Ok("devices/d/modules/m/messages/events/%24.on=o"),
            ),
            (
                device,
                &[],
                &[("a", ""), ("b", ":/+?")],
                Ok("devices/d%@v:1/messages/events/a=&b=%3A%2F%2B%3F"),
            ),
            (
                device,
                &[],
                &[("a\"\r\n", "\u{1a}")],
                Ok("devices/d%@v:1/messages/events/a%22%0D%0A=%1A"),
            ),
            (
                device,
                &[],
                &[("a", "1"), ("", "2")],
                Err(TopicError::NoPropertyName { index: 1 }),
            ),
            (plus, &[], &[], Err(TopicError::WildcardInId)),
        ];
        for (identity, system, properties, expected) in cases {
            assert_eq!(
                write_telemetry(identity, system, properties, &mut [0; 80]),
                *expected
            );
        }
        assert_eq!(
            write_telemetry(&module, &[], &[], &mut [0; 8]),
            Err(TopicError::BufferTooSmall(BufferTooSmall {
                need: 36,
                have: 8
            }))
        );
        Ok(())
    }

    #[test]
    fn filters_and_requests() -> Result<(), IdentityError> {
        let device = Identity::new(HUB, "d", None)?;
        let module = Identity::new(HUB, "d", Some("m"))?;
        let hash = Identity::new(HUB, "d", Some("m#"))?;
        let mut out = [0; 64];
        assert_eq!(
            write_c2d_filter(&device, &mut out),
            Ok("devices/d/messages/devicebound/#")
        );
        assert_eq!(
            write_c2d_filter(&module, &mut out),
            Ok("devices/d/modules/m/#")
        );
        assert_eq!(
            write_c2d_filter(&hash, &mut out),
            Err(TopicError::WildcardInId)
        );
        assert_eq!(
            write_method_response(-1, "a1", &mut out),
            Ok("$iothub/methods/res/-1/?$rid=a1")
        );
        assert_eq!(
            write_twin_get("1", &mut out),
            Ok("$iothub/twin/GET/?$rid=1")
        );
        assert_eq!(
            write_reported_patch("2", &mut out),
            Ok("$iothub/twin/PATCH/properties/reported/?$rid=2")
        );
        assert_eq!(
            write_issue_certificate("3", &mut out),
            Ok("$iothub/credentials/POST/issueCertificate/?$rid=3")
        );
        for rid in ["", "a b", "a\r", "a\"", "#", "1+1", "1&2", "a/b", "\u{e9}"] {
            assert_eq!(write_twin_get(rid, &mut out), Err(TopicError::Rid), "{rid}");
        }
        Ok(())
    }
}
