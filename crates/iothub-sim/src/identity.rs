//! Who talks to the hub: a device, or a module of a device.

use core::fmt;

/// A device or module identity of one hub.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
#[non_exhaustive]
pub struct Identity {
    /// Host name of the hub, or id scope of the provisioning service; lower case.
    pub hub: String,
    /// Device id; its case matters.
    pub device_id: String,
    /// Module id, for a module identity.
    pub module_id: Option<String>,
}

impl Identity {
    /// A device of the hub with this host name.
    #[must_use]
    pub fn device(hub: &str, device_id: &str) -> Self {
        Self {
            hub: hub.to_ascii_lowercase(),
            device_id: device_id.to_owned(),
            module_id: None,
        }
    }

    /// A module of a device of the hub with this host name.
    #[must_use]
    pub fn module(hub: &str, device_id: &str, module_id: &str) -> Self {
        Self {
            module_id: Some(module_id.to_owned()),
            ..Self::device(hub, device_id)
        }
    }

    /// A device that registers with the provisioning service of this id scope.
    ///
    /// Registration ids are compared without case.
    #[must_use]
    pub fn registration(id_scope: &str, registration_id: &str) -> Self {
        Self::device(id_scope, &registration_id.to_ascii_lowercase())
    }

    /// The MQTT client identifier: `{device}` or `{device}/{module}`.
    #[must_use]
    pub fn client_id(&self) -> String {
        match &self.module_id {
            Some(module_id) => format!("{}/{module_id}", self.device_id),
            None => self.device_id.clone(),
        }
    }

    /// The path below the hub's host: `devices/{device}` or `devices/{device}/modules/{module}`.
    pub(crate) fn path(&self) -> String {
        match &self.module_id {
            Some(module_id) => format!("devices/{}/modules/{module_id}", self.device_id),
            None => format!("devices/{}", self.device_id),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.hub, self.client_id())
    }
}

/// Whether a registration id has the form that the provisioning service allows.
///
/// # Reference
///
/// Azure documentation, DPS service concepts: registration ID.
pub(crate) fn registration_id_is_valid(id: &str) -> bool {
    let inner = |c: char| c.is_ascii_alphanumeric() || "-:._".contains(c);
    let edge = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    id.len() <= 128
        && id.chars().all(inner)
        && edge(id.chars().next())
        && edge(id.chars().next_back())
}

/// What is wrong with a device or module id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Empty, or longer than 128 characters.
    #[error("id must have 1 to 128 characters")]
    Length,
    /// A character outside the allowed set.
    #[error(
        "id contains `{0}`; allowed are ASCII letters, digits and - : . + % _ # * ? ! ( ) , = @ ; $ '"
    )]
    Character(char),
}

/// Checks a device or module id.
///
/// # Errors
///
/// Length or characters are not those IoT Hub allows.
///
/// # Reference
///
/// Azure IoT Hub documentation, "Understand the identity registry", device identity properties.
pub fn check_id(id: &str) -> Result<(), IdError> {
    if id.is_empty() || id.len() > 128 {
        return Err(IdError::Length);
    }
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-:.+%_#*?!(),=@;$'".contains(c);
    match id.chars().find(|c| !allowed(*c)) {
        Some(c) => Err(IdError::Character(c)),
        None => Ok(()),
    }
}

/// Whether an id collides with MQTT's topic rules, so that its owner could never publish.
pub(crate) fn unusable_in_topics(id: &str) -> bool {
    id.starts_with('$') || id.contains(['#', '+'])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        let long = "a".repeat(129);
        for (id, expected) in [
            ("dev-1", Ok(())),
            ("d%@v:1_x.y-z(!),'*$=;", Ok(())),
            ("a#b+c?d", Ok(())),
            ("", Err(IdError::Length)),
            (&long, Err(IdError::Length)),
            ("a b", Err(IdError::Character(' '))),
            ("a/b", Err(IdError::Character('/'))),
            ("gerät", Err(IdError::Character('ä'))),
        ] {
            assert_eq!(check_id(id), expected, "{id}");
        }
        for (id, expected) in [("a#b", true), ("a+b", true), ("$a", true), ("a$%?", false)] {
            assert_eq!(unusable_in_topics(id), expected, "{id}");
        }
    }

    #[test]
    fn registration_ids() {
        for (id, valid) in [
            ("a", true),
            ("My-Dev:1.x_2", true),
            ("", false),
            ("-a", false),
            ("a.", false),
            ("a/b", false),
            ("a b", false),
        ] {
            assert_eq!(registration_id_is_valid(id), valid, "{id}");
        }
        assert!(!registration_id_is_valid(&"a".repeat(129)));
    }

    #[test]
    fn names() {
        let module = Identity::module("Contoso.Azure-Devices.net", "Dev", "Mod");
        assert_eq!(module.client_id(), "Dev/Mod");
        assert_eq!(module.path(), "devices/Dev/modules/Mod");
        assert_eq!(module.to_string(), "contoso.azure-devices.net/Dev/Mod");
    }
}
