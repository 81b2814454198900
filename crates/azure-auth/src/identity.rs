//! Who a device is: the hub's host name, the device id, the module id.

use core::fmt;

use crate::text::{BufferTooSmall, emit, length};
use crate::user_name::UserName;

/// Longest device id, module id and registration id in characters.
///
/// # Reference
/// Azure IoT Hub, "Understand the identity registry": device identity properties.
pub const ID_MAX: usize = 128;

/// What is wrong with a host name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HostFault {
    /// It is empty.
    #[error("is empty: give the full host name, such as contoso.azure-devices.net")]
    Empty,
    /// It begins with a scheme such as `mqtts://` or `ssl://`.
    #[error("has a scheme: give the host name alone, without anything like mqtts://")]
    Scheme,
    /// It ends in a port.
    #[error("has a port: give the host name alone, without :8883")]
    Port,
    /// It contains a slash.
    #[error("contains a slash: give the host name alone, without a path")]
    Slash,
    /// It contains a character that no host name has, such as a blank or a quotation mark.
    #[error(
        "has an impossible character at byte {at}: a host name has letters, digits, '-' and '.'"
    )]
    Character {
        /// Byte offset of the character, from 0.
        at: u8,
    },
    /// It has no dot, as the hub's name without its domain.
    #[error("has no dot: give the full host name, such as contoso.azure-devices.net")]
    NoDot,
    /// A part between the dots is empty, longer than 63 characters, or begins or ends with `-`.
    #[error(
        "has a malformed part between its dots: look for a doubled, leading or trailing dot or hyphen"
    )]
    Label,
    /// It is longer than 253 characters.
    #[error("is longer than 253 characters")]
    TooLong,
}

/// What is wrong with a device id, module id, registration id or id scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdFault {
    /// It is empty.
    #[error("is empty")]
    Empty,
    /// It is longer than 128 characters.
    #[error("is longer than 128 characters")]
    TooLong,
    /// It contains a character that the service does not allow there.
    #[error(
        "has a character at byte {at} that the service does not allow: look for blanks, quotation marks and percent-encoding"
    )]
    Character {
        /// Byte offset of the character, from 0.
        at: u8,
    },
    /// It begins or ends with a special character; only a registration id must not.
    #[error(
        "begins or ends with '-', ':', '.' or '_': it must begin and end with a letter or digit"
    )]
    Ends,
}

/// A name that cannot be the identity of a device; nothing is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdentityError {
    /// The host name of the hub or of the gateway.
    #[error("the host name {0}")]
    Host(HostFault),
    /// The device id.
    #[error("the device id {0}")]
    DeviceId(IdFault),
    /// The module id.
    #[error("the module id {0}")]
    ModuleId(IdFault),
    /// The id scope of the Device Provisioning Service.
    #[error("the id scope {0}; it looks like 0ne00000A0A")]
    IdScope(IdFault),
    /// The registration id.
    #[error("the registration id {0}")]
    RegistrationId(IdFault),
}

impl IdentityError {
    /// Kebab-case name of the error.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Host(_) => "host-name-invalid",
            Self::DeviceId(_) => "device-id-invalid",
            Self::ModuleId(_) => "module-id-invalid",
            Self::IdScope(_) => "id-scope-invalid",
            Self::RegistrationId(_) => "registration-id-invalid",
        }
    }
}

/// A device or module of an IoT Hub, with names that the service can have.
///
/// The names stand unencoded in client id, user name and topics; only a SAS token encodes them.
///
/// ```
/// use azure_auth::{HostFault, Identity, IdentityError};
///
/// let identity = Identity::new("contoso.azure-devices.net", "dev-1", Some("mod1"))?;
/// let mut out = [0; 96];
/// assert_eq!(identity.client_id(&mut out)?, "dev-1/mod1");
/// assert_eq!(
///     identity.user_name(&mut out)?,
///     "contoso.azure-devices.net/dev-1/mod1/?api-version=2021-04-12"
/// );
/// assert_eq!(
///     Identity::new("mqtts://contoso.azure-devices.net", "dev-1", None),
///     Err(IdentityError::Host(HostFault::Scheme))
/// );
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Reference
/// Azure IoT Hub, "Communicate with an IoT hub using the MQTT protocol"; "Understand the identity registry".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity<'a> {
    hub: &'a str,
    device_id: &'a str,
    module_id: Option<&'a str>,
}

impl<'a> Identity<'a> {
    /// Takes the hub's full host name, a device id and, for a module of the device, a module id.
    ///
    /// `hub` is the name of the hub also when the connection goes to a gateway. A name without a dot is
    /// refused except `localhost`.
    ///
    /// # Errors
    /// [`IdentityError`] names the first of the three that the service cannot have, and what is wrong with it.
    pub fn new(
        hub: &'a str,
        device_id: &'a str,
        module_id: Option<&'a str>,
    ) -> Result<Self, IdentityError> {
        check_host(hub).map_err(IdentityError::Host)?;
        check_id(device_id).map_err(IdentityError::DeviceId)?;
        if let Some(module_id) = module_id {
            check_id(module_id).map_err(IdentityError::ModuleId)?;
        }
        Ok(Self {
            hub,
            device_id,
            module_id,
        })
    }

    /// Host name of the hub.
    #[must_use]
    pub const fn hub(&self) -> &'a str {
        self.hub
    }

    /// Device id.
    #[must_use]
    pub const fn device_id(&self) -> &'a str {
        self.device_id
    }

    /// Module id, when this is a module.
    #[must_use]
    pub const fn module_id(&self) -> Option<&'a str> {
        self.module_id
    }

    /// Whether the ids can stand in an MQTT topic name: the service allows `#` and `+`, MQTT does not.
    #[must_use]
    pub fn fits_topics(&self) -> bool {
        let fits = |id: &str| !id.contains(['#', '+']);
        fits(self.device_id) && self.module_id.is_none_or(fits)
    }

    /// Writes the MQTT user name `{hub}/{device}[/{module}]/?api-version=2021-04-12`; [`UserName`] has more parts.
    ///
    /// # Errors
    /// [`BufferTooSmall`] with the length that is needed.
    pub fn user_name<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, BufferTooSmall> {
        UserName::new(self).write(out)
    }

    /// Length of [`Identity::user_name`] in bytes.
    #[must_use]
    pub fn user_name_len(&self) -> usize {
        UserName::new(self).text_len()
    }

    /// Writes the MQTT client id `{device}[/{module}]`.
    ///
    /// # Errors
    /// [`BufferTooSmall`] with the length that is needed.
    pub fn client_id<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, BufferTooSmall> {
        emit(out, Slashed(self.device_id, self.module_id))
    }

    /// Length of [`Identity::client_id`] in bytes.
    #[must_use]
    pub fn client_id_len(&self) -> usize {
        length(Slashed(self.device_id, self.module_id))
    }

    /// Writes the resource that a SAS token gives access to, `{hub}/devices/{device}[/modules/{module}]`, unencoded.
    ///
    /// # Errors
    /// [`BufferTooSmall`] with the length that is needed.
    pub fn resource<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, BufferTooSmall> {
        emit(out, crate::resource::Resource::Identity(*self))
    }
}

/// `{device}` or `{device}/{module}`.
pub(crate) struct Slashed<'a>(pub(crate) &'a str, pub(crate) Option<&'a str>);

impl fmt::Display for Slashed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)?;
        match self.1 {
            Some(module_id) => write!(f, "/{module_id}"),
            None => Ok(()),
        }
    }
}

/// Checks the syntax of a host name.
pub(crate) fn check_host(host: &str) -> Result<(), HostFault> {
    if host.is_empty() {
        return Err(HostFault::Empty);
    }
    if host.contains("://") {
        return Err(HostFault::Scheme);
    }
    if host.contains('/') {
        return Err(HostFault::Slash);
    }
    if host.len() > 253 {
        return Err(HostFault::TooLong);
    }
    if let Some((_, port)) = host.rsplit_once(':')
        && port.bytes().all(|byte| byte.is_ascii_digit())
    {
        return Err(HostFault::Port);
    }
    if let Some(at) = host
        .bytes()
        .position(|byte| !byte.is_ascii_alphanumeric() && !matches!(byte, b'-' | b'.'))
    {
        return Err(HostFault::Character { at: short(at) });
    }
    if host.split('.').any(|label| {
        label.is_empty() || label.len() > 63 || label.starts_with('-') || label.ends_with('-')
    }) {
        return Err(HostFault::Label);
    }
    if !host.contains('.') && !host.eq_ignore_ascii_case("localhost") {
        return Err(HostFault::NoDot);
    }
    Ok(())
}

fn check_id(id: &str) -> Result<(), IdFault> {
    check_characters(id, |byte| {
        byte.is_ascii_alphanumeric() || b"-:.+%_#*?!(),=@;$'".contains(&byte)
    })
}

/// Checks the length of an id and that all its bytes are `allowed`.
pub(crate) fn check_characters(id: &str, allowed: impl Fn(u8) -> bool) -> Result<(), IdFault> {
    if id.is_empty() {
        return Err(IdFault::Empty);
    }
    if let Some(at) = id.bytes().take(ID_MAX).position(|byte| !allowed(byte)) {
        return Err(IdFault::Character { at: short(at) });
    }
    if id.len() > ID_MAX {
        return Err(IdFault::TooLong);
    }
    Ok(())
}

/// An offset that the length check before keeps below 256.
fn short(at: usize) -> u8 {
    u8::try_from(at).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};

    #[test]
    fn host_names() {
        let label = "a".repeat(63);
        let long = [label.as_str(); 4].join(".");
        let cases: &[(&str, Result<(), HostFault>)] = &[
            ("contoso.azure-devices.net", Ok(())),
            ("contoso.device.azure-devices.net", Ok(())),
            ("my-hub.azure-devices.cn", Ok(())),
            ("Contoso.Azure-Devices.NET", Ok(())),
            ("localhost", Ok(())),
            ("127.0.0.1", Ok(())),
            ("", Err(HostFault::Empty)),
            ("contoso", Err(HostFault::NoDot)),
            ("ssl://contoso.azure-devices.net", Err(HostFault::Scheme)),
            ("contoso.azure-devices.net:8883", Err(HostFault::Port)),
            ("contoso.azure-devices.net/device1", Err(HostFault::Slash)),
            (
                " contoso.azure-devices.net",
                Err(HostFault::Character { at: 0 }),
            ),
            (
                "contoso.azure-devices.net\r\n",
                Err(HostFault::Character { at: 25 }),
            ),
            (
                "contoso\".azure-devices.net",
                Err(HostFault::Character { at: 7 }),
            ),
            (
                "contoso_1.azure-devices.net",
                Err(HostFault::Character { at: 7 }),
            ),
            (
                "cont\u{f6}so.azure-devices.net",
                Err(HostFault::Character { at: 4 }),
            ),
            ("contoso.azure-devices.net.", Err(HostFault::Label)),
            ("contoso..azure-devices.net", Err(HostFault::Label)),
            ("-contoso.azure-devices.net", Err(HostFault::Label)),
            (&long, Err(HostFault::TooLong)),
            (&long[1..254], Ok(())),
        ];
        for (host, expected) in cases {
            assert_eq!(check_host(host), *expected, "{host}");
        }
    }

    #[test]
    fn device_and_module_ids() {
        let max: String = "d".repeat(128);
        let over: String = "d".repeat(129);
        let cases: &[(&str, Result<(), IdFault>)] = &[
            ("device1", Ok(())),
            ("d%@v:1_x.y-z(!),'*$=;", Ok(())),
            ("a#b+c?d", Ok(())),
            (&max, Ok(())),
            (&over, Err(IdFault::TooLong)),
            ("", Err(IdFault::Empty)),
            ("mod 1", Err(IdFault::Character { at: 3 })),
            ("a/b", Err(IdFault::Character { at: 1 })),
            ("device\"", Err(IdFault::Character { at: 6 })),
            ("device\u{1a}", Err(IdFault::Character { at: 6 })),
            ("ger\u{e4}t", Err(IdFault::Character { at: 3 })),
            ("a&b", Err(IdFault::Character { at: 1 })),
        ];
        for (id, expected) in cases {
            assert_eq!(check_id(id), *expected, "{id}");
        }
        let hub = "contoso.azure-devices.net";
        assert_eq!(
            Identity::new(hub, "mod 1", None),
            Err(IdentityError::DeviceId(IdFault::Character { at: 3 }))
        );
        assert_eq!(
            Identity::new(hub, "d", Some("")),
            Err(IdentityError::ModuleId(IdFault::Empty))
        );
        assert_eq!(
            Identity::new(hub, "", None).unwrap_err().to_string(),
            "the device id is empty"
        );
    }

    #[test]
    fn writes_names_or_the_need() -> Result<(), IdentityError> {
        let device = Identity::new("contoso.azure-devices.net", "dev-1", None)?;
        let module = Identity::new("contoso.azure-devices.net", "dev-1", Some("m"))?;
        let cases = [
            (device, "dev-1", "contoso.azure-devices.net/devices/dev-1"),
            (
                module,
                "dev-1/m",
                "contoso.azure-devices.net/devices/dev-1/modules/m",
            ),
        ];
        for (identity, client_id, resource) in cases {
            let mut out = [0; 64];
            assert_eq!(identity.client_id(&mut out), Ok(client_id));
            assert_eq!(identity.client_id_len(), client_id.len());
            assert_eq!(identity.resource(&mut out), Ok(resource));
        }
        let need = device.user_name_len();
        assert_eq!(need, 55);
        assert_eq!(
            device.user_name(&mut [0; 54]),
            Err(BufferTooSmall { need, have: 54 })
        );
        Ok(())
    }

    #[test]
    fn only_wildcards_do_not_fit_topics() -> Result<(), IdentityError> {
        let hub = "contoso.azure-devices.net";
        let cases = [
            ("a", None, true),
            ("a#b", None, false),
            ("a", Some("+"), false),
            ("$a?", Some("b"), true),
        ];
        for (device_id, module_id, fits) in cases {
            assert_eq!(
                Identity::new(hub, device_id, module_id)?.fits_topics(),
                fits,
                "{device_id}"
            );
        }
        Ok(())
    }
}
