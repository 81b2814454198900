//! The MQTT user name of a hub connection.

use core::fmt;

use crate::identity::{Identity, Slashed};
use crate::percent::PercentEncoded;
use crate::text::{BufferTooSmall, emit, length};

/// The api-version that user names name.
///
/// # Reference
/// Azure IoT Hub, "Communicate with an IoT hub using the MQTT protocol".
pub const API_VERSION: &str = "2021-04-12";

/// The user name `{hub}/{device}[/{module}]/?api-version=…[&DeviceClientType=…][&model-id=…]`.
///
/// ```
/// use azure_auth::{Identity, UserName};
///
/// let identity = Identity::new("contoso.azure-devices.net", "dev-1", None)?;
/// let mut out = [0; 160];
/// assert_eq!(
///     UserName::new(&identity).model_id("dtmi:com:example:Thermostat;1").write(&mut out)?,
///     "contoso.azure-devices.net/dev-1/?api-version=2021-04-12\
///      &model-id=dtmi%3Acom%3Aexample%3AThermostat%3B1"
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug)]
pub struct UserName<'a> {
    identity: Identity<'a>,
    device_client_type: Option<&'a str>,
    model_id: Option<&'a str>,
}

impl<'a> UserName<'a> {
    /// The user name with the api-version alone.
    #[must_use]
    pub const fn new(identity: &Identity<'a>) -> Self {
        Self {
            identity: *identity,
            device_client_type: None,
            model_id: None,
        }
    }

    /// Adds `DeviceClientType`, any text that names product and version; it is percent-encoded.
    #[must_use]
    pub const fn device_client_type(self, text: &'a str) -> Self {
        Self {
            device_client_type: Some(text),
            ..self
        }
    }

    /// Adds the Plug and Play `model-id`, such as `dtmi:com:example:Thermostat;1`; it is percent-encoded.
    #[must_use]
    pub const fn model_id(self, dtmi: &'a str) -> Self {
        Self {
            model_id: Some(dtmi),
            ..self
        }
    }

    /// Length of the text in bytes.
    #[must_use]
    pub fn text_len(&self) -> usize {
        length(self)
    }

    /// Writes the text.
    ///
    /// # Errors
    /// [`BufferTooSmall`] with the length that is needed.
    pub fn write<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, BufferTooSmall> {
        emit(out, self)
    }
}

impl fmt::Display for UserName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ids = Slashed(self.identity.device_id(), self.identity.module_id());
        write!(
            f,
            "{}/{ids}/?api-version={API_VERSION}",
            self.identity.hub()
        )?;
        if let Some(text) = self.device_client_type {
            write!(f, "&DeviceClientType={}", PercentEncoded(text))?;
        }
        if let Some(dtmi) = self.model_id {
            write!(f, "&model-id={}", PercentEncoded(dtmi))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IdentityError;
    use std::string::ToString;

    #[test]
    fn parts_come_in_their_order() -> Result<(), IdentityError> {
        let identity = Identity::new("contoso.azure-devices.net", "d%@v", None)?;
        let plain = UserName::new(&identity);
        let base = "contoso.azure-devices.net/d%@v/?api-version=2021-04-12";
        let cases = [
            (plain, ""),
            (
                plain.model_id("dtmi:a;1").device_client_type("x/1.0 (y)"),
                "&DeviceClientType=x%2F1.0%20%28y%29&model-id=dtmi%3Aa%3B1",
            ),
            (plain.device_client_type(""), "&DeviceClientType="),
        ];
        for (user_name, more) in cases {
            let text = user_name.to_string();
            assert_eq!(text.strip_prefix(base), Some(more));
            assert_eq!(user_name.text_len(), text.len());
        }
        Ok(())
    }
}
