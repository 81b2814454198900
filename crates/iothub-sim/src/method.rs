//! Direct methods.

/// A direct method call to a device or module.
///
/// ```
/// use iothub_sim::MethodCall;
///
/// let mut call = MethodCall::new("reboot");
/// call.payload = br#"{"delay_s":5}"#.to_vec();
/// assert_eq!(call.response_timeout_s, 30);
/// ```
///
/// # Reference
///
/// Azure IoT Hub documentation, "Understand and invoke direct methods from IoT Hub".
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct MethodCall {
    /// Method name: ASCII without spaces and `$()<>@,;:\"/[]?={}`.
    pub name: String,
    /// Payload, JSON or empty, at most 128 KiB.
    pub payload: Vec<u8>,
    /// How long the device may take to answer, 5 to 300 s.
    pub response_timeout_s: u64,
    /// How long to wait for the device to connect and subscribe, 0 to 300 s.
    pub connect_timeout_s: u64,
}

impl MethodCall {
    /// A call without payload that must be answered within 30 s by a device that is there.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            payload: Vec::new(),
            response_timeout_s: 30,
            connect_timeout_s: 0,
        }
    }

    pub(crate) fn check(&self) -> Result<(), MethodError> {
        let bad = |c: char| !c.is_ascii_graphic() || "$()<>@,;:\\\"/[]?={}".contains(c);
        if self.name.is_empty() || self.name.contains(bad) {
            return Err(MethodError::Name(self.name.clone()));
        }
        if self.payload.len() > MAX_METHOD_PAYLOAD {
            return Err(MethodError::TooLarge(self.payload.len()));
        }
        if !self.payload.is_empty()
            && serde_json::from_slice::<serde::de::IgnoredAny>(&self.payload).is_err()
        {
            return Err(MethodError::NotJson);
        }
        if !(5..=300).contains(&self.response_timeout_s) || self.connect_timeout_s > 300 {
            return Err(MethodError::Timeout);
        }
        Ok(())
    }
}

/// Bytes of a method's payload, both ways.
pub(crate) const MAX_METHOD_PAYLOAD: usize = 128 * 1024;

/// The method cannot be called.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MethodError {
    /// No such device or module.
    #[error("`{0}` is not registered")]
    NotFound(String),
    /// The device is not connected, or has not subscribed to method calls (404103).
    #[error("`{0}` is not connected, or has not subscribed to `$iothub/methods/POST/#`")]
    NotOnline(String),
    /// The method name is empty or has characters that are not allowed.
    #[error("`{0}` is not a method name")]
    Name(String),
    /// The payload exceeds 128 KiB.
    #[error("payload of {0} bytes exceeds 131072 bytes")]
    TooLarge(usize),
    /// The payload is not JSON.
    #[error("the payload is not JSON")]
    NotJson,
    /// A time-out outside its range.
    #[error("the response time-out must be 5 to 300 s and the connect time-out 0 to 300 s")]
    Timeout,
}

/// How a direct method call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum MethodOutcome {
    /// The device has answered.
    Response {
        /// The device's status, any whole number.
        status: i64,
        /// The device's payload, JSON or empty if the device is well-behaved.
        payload: Vec<u8>,
    },
    /// The device was there and did not answer in time (504101).
    TimedOut,
    /// The device did not come within the connect time-out (404103).
    NeverOnline,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls() {
        let call = |name: &str, payload: &str, response_timeout_s, connect_timeout_s| MethodCall {
            name: name.to_owned(),
            payload: payload.as_bytes().to_vec(),
            response_timeout_s,
            connect_timeout_s,
        };
        let large = format!("\"{}\"", "x".repeat(128 * 1024));
        for (call, expected) in [
            (call("reboot", "", 30, 0), Ok(())),
            (call("set-Led_1.2*", "{\"a\":1}", 5, 300), Ok(())),
            (call("x", "null", 300, 0), Ok(())),
            (call("", "", 30, 0), Err(MethodError::Name(String::new()))),
            (
                call("a/b", "", 30, 0),
                Err(MethodError::Name("a/b".to_owned())),
            ),
            (
                call("a b", "", 30, 0),
                Err(MethodError::Name("a b".to_owned())),
            ),
            (call("ä", "", 30, 0), Err(MethodError::Name("ä".to_owned()))),
            (call("x", "{", 30, 0), Err(MethodError::NotJson)),
            (
                call("x", &large, 30, 0),
                Err(MethodError::TooLarge(131_074)),
            ),
            (call("x", "", 4, 0), Err(MethodError::Timeout)),
            (call("x", "", 301, 0), Err(MethodError::Timeout)),
            (call("x", "", 30, 301), Err(MethodError::Timeout)),
        ] {
            assert_eq!(call.check(), expected, "{}", call.name);
        }
    }
}
