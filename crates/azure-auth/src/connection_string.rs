//! The connection string that the portal shows for a device.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod error;

use core::fmt;

use crate::identity::{Identity, IdentityError, check_host};
use crate::key::SharedAccessKey;
use crate::sas_token::SasToken;
use crate::text::unwrapped;

pub use error::{ConnectionStringError, Field};

/// A device's connection string, borrowed and checked; secrets are not shown by `Debug`.
///
/// ```
/// use azure_auth::{ConnectionString, ConnectionStringError, Field};
///
/// let given = ConnectionString::parse(
///     "HostName=contoso.azure-devices.net;DeviceId=device1;\
///      SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=;",
/// )?;
/// assert_eq!(given.identity().device_id(), "device1");
/// assert_eq!(given.connect_host(), "contoso.azure-devices.net");
/// assert_eq!(given.shared_access_key(), Some("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="));
/// assert_eq!(
///     ConnectionString::parse("HostName=contoso.azure-devices.net;x509=true").err(),
///     Some(ConnectionStringError::Missing(Field::DeviceId))
/// );
/// # Ok::<(), ConnectionStringError>(())
/// ```
///
/// # Reference
/// azure-iot-device 2.14.0 `connection_string.py` for keys and combinations.
#[derive(Clone, Copy)]
pub struct ConnectionString<'a> {
    identity: Identity<'a>,
    shared_access_key: Option<&'a str>,
    shared_access_key_name: Option<&'a str>,
    shared_access_signature: Option<&'a str>,
    gateway_host_name: Option<&'a str>,
    x509: bool,
}

impl<'a> ConnectionString<'a> {
    /// Reads a connection string and checks each field. A `;` at the end, blanks and line ends around it and
    /// one pair of quotation marks are ignored.
    ///
    /// # Errors
    /// [`ConnectionStringError`] names the field and what to do.
    pub fn parse(text: &'a str) -> Result<Self, ConnectionStringError> {
        let fields = Fields::split(text)?;
        let Some(host_name) = fields.value(Field::HostName) else {
            return Err(ConnectionStringError::Missing(Field::HostName));
        };
        let shared_access_key = fields.value(Field::SharedAccessKey);
        let shared_access_key_name = fields.value(Field::SharedAccessKeyName);
        let shared_access_signature = fields.value(Field::SharedAccessSignature);
        let gateway_host_name = fields.value(Field::GatewayHostName);
        let Some(device_id) = fields.value(Field::DeviceId) else {
            let service = shared_access_key_name.is_some();
            return Err(if service {
                ConnectionStringError::Service
            } else {
                ConnectionStringError::Missing(Field::DeviceId)
            });
        };
        let identity = Identity::new(host_name, device_id, fields.value(Field::ModuleId))
            .map_err(ConnectionStringError::Identity)?;
        if let Some(host) = gateway_host_name {
            check_host(host)
                .map_err(|fault| ConnectionStringError::Gateway(IdentityError::Host(fault)))?;
        }
        let x509 = match fields.value(Field::X509) {
            Some(value) if value.eq_ignore_ascii_case("true") => true,
            Some(value) if value.eq_ignore_ascii_case("false") => false,
            Some(_) => return Err(ConnectionStringError::X509),
            None => false,
        };
        let this = Self {
            identity,
            shared_access_key,
            shared_access_key_name,
            shared_access_signature,
            gateway_host_name,
            x509,
        };
        this.check_credential()?;
        Ok(this)
    }

    fn check_credential(&self) -> Result<(), ConnectionStringError> {
        match (
            self.shared_access_key,
            self.shared_access_signature,
            self.x509,
        ) {
            (Some(key), None, false) => {
                SharedAccessKey::from_base64(key).map_err(ConnectionStringError::Key)?;
            }
            (None, Some(token), false) => {
                SasToken::parse(token).map_err(ConnectionStringError::SharedAccessSignature)?;
            }
            (None, None, true) => {}
            (None, None, false) => return Err(ConnectionStringError::NoCredential),
            _ => return Err(ConnectionStringError::TwoCredentials),
        }
        let Some(name) = self.shared_access_key_name else {
            return Ok(());
        };
        if self.shared_access_key.is_none() {
            return Err(ConnectionStringError::NameWithoutKey);
        }
        if name.bytes().any(|byte| !byte.is_ascii_graphic()) {
            return Err(ConnectionStringError::SharedAccessKeyName);
        }
        Ok(())
    }

    /// The device or module.
    #[must_use]
    pub const fn identity(&self) -> Identity<'a> {
        self.identity
    }

    /// `HostName`, the hub.
    #[must_use]
    pub const fn host_name(&self) -> &'a str {
        self.identity.hub()
    }

    /// `DeviceId`.
    #[must_use]
    pub const fn device_id(&self) -> &'a str {
        self.identity.device_id()
    }

    /// `ModuleId`.
    #[must_use]
    pub const fn module_id(&self) -> Option<&'a str> {
        self.identity.module_id()
    }

    /// `SharedAccessKey` in base64, for [`SharedAccessKey::from_base64`]. It is a secret.
    #[must_use]
    pub const fn shared_access_key(&self) -> Option<&'a str> {
        self.shared_access_key
    }

    /// `SharedAccessKeyName`, the name of the policy that the key belongs to, for [`crate::SasRequest::policy`].
    #[must_use]
    pub const fn shared_access_key_name(&self) -> Option<&'a str> {
        self.shared_access_key_name
    }

    /// `SharedAccessSignature`, a SAS token. It is a secret.
    #[must_use]
    pub const fn shared_access_signature(&self) -> Option<&'a str> {
        self.shared_access_signature
    }

    /// `GatewayHostName`: the host to connect to, with the hub still named in user name and token.
    #[must_use]
    pub const fn gateway_host_name(&self) -> Option<&'a str> {
        self.gateway_host_name
    }

    /// Whether a client certificate proves the identity.
    #[must_use]
    pub const fn x509(&self) -> bool {
        self.x509
    }

    /// The host to connect to: the gateway if there is one, else the hub.
    #[must_use]
    pub const fn connect_host(&self) -> &'a str {
        match self.gateway_host_name {
            Some(gateway) => gateway,
            None => self.identity.hub(),
        }
    }
}

impl fmt::Debug for ConnectionString<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let masked = |secret: Option<&str>| secret.map(|_| format_args!("***"));
        f.debug_struct("ConnectionString")
            .field("HostName", &self.host_name())
            .field("DeviceId", &self.device_id())
            .field("ModuleId", &self.module_id())
            .field("SharedAccessKey", &masked(self.shared_access_key))
            .field("SharedAccessKeyName", &self.shared_access_key_name)
            .field(
                "SharedAccessSignature",
                &masked(self.shared_access_signature),
            )
            .field("GatewayHostName", &self.gateway_host_name)
            .field("x509", &self.x509)
            .finish()
    }
}

/// The values by field.
struct Fields<'a>([(Field, Option<&'a str>); Field::ALL.len()]);

impl<'a> Fields<'a> {
    fn split(text: &'a str) -> Result<Self, ConnectionStringError> {
        let text = unwrapped(text);
        let text = text.strip_suffix(';').unwrap_or(text);
        if text.is_empty() {
            return Err(ConnectionStringError::Empty);
        }
        if text.starts_with("SharedAccessSignature ") {
            return Err(ConnectionStringError::Token);
        }
        let mut fields = Self(Field::ALL.map(|field| (field, None)));
        // The ninth part is a duplicate or unknown at the latest, so the number stays small.
        for (part, number) in text.split(';').zip(1_u8..) {
            let Some((key, value)) = part.split_once('=') else {
                return Err(ConnectionStringError::NotAPair { part: number });
            };
            fields.set(key.trim_ascii(), value.trim_ascii(), number)?;
        }
        Ok(fields)
    }

    fn set(&mut self, key: &str, value: &'a str, part: u8) -> Result<(), ConnectionStringError> {
        let place = self
            .0
            .iter_mut()
            .find(|(field, _)| field.key().eq_ignore_ascii_case(key));
        let Some((field, slot)) = place else {
            return Err(ConnectionStringError::UnknownKey { part });
        };
        if field.key() != key {
            return Err(ConnectionStringError::Case(*field));
        }
        if value.is_empty() {
            return Err(ConnectionStringError::NoValue(*field));
        }
        match slot.replace(value) {
            None => Ok(()),
            Some(_) => Err(ConnectionStringError::Duplicate(*field)),
        }
    }

    fn value(&self, field: Field) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(own, _)| *own == field)
            .and_then(|(_, value)| *value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{HostFault, IdFault};
    use crate::key::KeyError;
    use crate::sas_token::TokenError;
    use std::format;

    const KEY: &str = "SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const HUB: &str = "HostName=contoso.azure-devices.net";
    const SIG: &str = "sig=1sY1G3%2B%2BFZar2HfkFZit4C3IGSAfGbAJ1zno1WkK9d4%3D";

    #[test]
    fn strings_that_are_accepted() -> Result<(), ConnectionStringError> {
        let whole = format!(
            "{HUB};DeviceId=d;ModuleId=m;{KEY};SharedAccessKeyName=device;GatewayHostName=edge.local"
        );
        let cases = [
            (
                format!("{HUB};DeviceId=d;{KEY}"),
                "contoso.azure-devices.net",
            ),
            (
                format!("{KEY};DeviceId=d;{HUB}"),
                "contoso.azure-devices.net",
            ),
            (
                format!(" {HUB} ; DeviceId = d ;{KEY} \r\n"),
                "contoso.azure-devices.net",
            ),
            (
                format!("\"{HUB};DeviceId=d;{KEY};\"\n"),
                "contoso.azure-devices.net",
            ),
            (
                format!("{HUB};DeviceId=d;x509=true;"),
                "contoso.azure-devices.net",
            ),
            (
                format!("{HUB};DeviceId=d;{KEY};x509=False"),
                "contoso.azure-devices.net",
            ),
            (
                format!(
                    "{HUB};DeviceId=d;SharedAccessSignature=SharedAccessSignature sr=h&{SIG}&se=1"
                ),
                "contoso.azure-devices.net",
            ),
            (whole.clone(), "edge.local"),
        ];
        for (text, host) in cases {
            let given = ConnectionString::parse(&text).map_err(|error| (error, text.clone()));
            assert_eq!(
                given.map(|given| (given.connect_host(), given.device_id())),
                Ok((host, "d"))
            );
        }
        let given = ConnectionString::parse(&whole)?;
        assert_eq!(given.module_id(), Some("m"));
        assert_eq!(
            given.shared_access_key(),
            KEY.strip_prefix("SharedAccessKey=")
        );
        assert_eq!(given.shared_access_key_name(), Some("device"));
        assert_eq!(
            (given.shared_access_signature(), given.x509()),
            (None, false)
        );
        assert_eq!(
            format!("{given:?}"),
            "ConnectionString { HostName: \"contoso.azure-devices.net\", DeviceId: \"d\", ModuleId: Some(\"m\"), \
             SharedAccessKey: Some(***), SharedAccessKeyName: Some(\"device\"), SharedAccessSignature: None, \
             GatewayHostName: Some(\"edge.local\"), x509: false }"
        );
        Ok(())
    }

    #[test]
    fn strings_that_are_refused() {
        use ConnectionStringError as E;
        let cases = [
            ("".into(), E::Empty),
            ("\"\";".into(), E::NotAPair { part: 1 }),
            (" ;\n".into(), E::Empty),
            (format!("SharedAccessSignature sr=h&{SIG}&se=1"), E::Token),
            ("contoso.azure-devices.net".into(), E::NotAPair { part: 1 }),
            (format!("{HUB};;DeviceId=d;{KEY}"), E::NotAPair { part: 2 }),
            (
                format!("{HUB};DeviceId=d;{KEY};Foo=1"),
                E::UnknownKey { part: 4 },
            ),
            (
                format!("{HUB},DeviceId=d,{KEY}"),
                E::Missing(Field::DeviceId),
            ),
            (
                format!("Hostname=h.n;DeviceId=d;{KEY}"),
                E::Case(Field::HostName),
            ),
            (
                format!("{HUB};DeviceId=d;DeviceId=d;{KEY}"),
                E::Duplicate(Field::DeviceId),
            ),
            (
                format!("{HUB};DeviceId=;{KEY}"),
                E::NoValue(Field::DeviceId),
            ),
            (
                format!("{HUB};DeviceId=d;SharedAccessKey="),
                E::NoValue(Field::SharedAccessKey),
            ),
            (format!("DeviceId=d;{KEY}"), E::Missing(Field::HostName)),
            (format!("{HUB};{KEY}"), E::Missing(Field::DeviceId)),
            (
                format!("{HUB};SharedAccessKeyName=iothubowner;{KEY}"),
                E::Service,
            ),
            (format!("{HUB};DeviceId=d"), E::NoCredential),
            (format!("{HUB};DeviceId=d;x509=false"), E::NoCredential),
            (
                format!("{HUB};DeviceId=d;x509=true;{KEY}"),
                E::TwoCredentials,
            ),
            (
                format!("{HUB};DeviceId=d;x509=true;SharedAccessKeyName=device"),
                E::NameWithoutKey,
            ),
            (format!("{HUB};DeviceId=d;x509=yes"), E::X509),
            (
                format!("{HUB};DeviceId=d;{KEY};SharedAccessKeyName=a b"),
                E::SharedAccessKeyName,
            ),
            (
                format!("HostName=contoso;DeviceId=d;{KEY}"),
                E::Identity(IdentityError::Host(HostFault::NoDot)),
            ),
            (
                format!("{HUB};DeviceId=a b;{KEY}"),
                E::Identity(IdentityError::DeviceId(IdFault::Character { at: 1 })),
            ),
            (
                format!("{HUB};DeviceId=d;ModuleId=a/b;{KEY}"),
                E::Identity(IdentityError::ModuleId(IdFault::Character { at: 1 })),
            ),
            (
                format!("{HUB};DeviceId=d;{KEY};GatewayHostName=a:1"),
                E::Gateway(IdentityError::Host(HostFault::Port)),
            ),
            (
                format!("{HUB};DeviceId=d;SharedAccessKey=AAE"),
                E::Key(KeyError::Truncated),
            ),
            (
                format!("{HUB};DeviceId=d;SharedAccessSignature=sr=h"),
                E::SharedAccessSignature(TokenError::Prefix),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(
                ConnectionString::parse(&text).err(),
                Some(expected),
                "{text}"
            );
        }
    }
}
