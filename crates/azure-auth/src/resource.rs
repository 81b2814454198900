//! The resource that a SAS token gives access to.

use core::fmt;

use crate::identity::Identity;

/// The text behind `sr`, before percent-encoding.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Resource<'a> {
    /// `{hub}/devices/{device}[/modules/{module}]`.
    Identity(Identity<'a>),
    /// `{idScope}/registrations/{registrationId}`.
    Registration {
        id_scope: &'a str,
        registration_id: &'a str,
    },
    /// Any other text.
    Text(&'a str),
}

impl<'a> Resource<'a> {
    /// The text in pieces; the first one is the host or the id scope.
    fn pieces(&self) -> [&'a str; 5] {
        match *self {
            Self::Identity(identity) => {
                let (modules, module_id) = match identity.module_id() {
                    Some(module_id) => ("/modules/", module_id),
                    None => ("", ""),
                };
                [
                    identity.hub(),
                    "/devices/",
                    identity.device_id(),
                    modules,
                    module_id,
                ]
            }
            Self::Registration {
                id_scope,
                registration_id,
            } => [id_scope, "/registrations/", registration_id, "", ""],
            Self::Text(text) => [text, "", "", "", ""],
        }
    }

    /// Whether a token for `scope` is good for this resource: the same, or a parent by path segment.
    ///
    /// The host name compares without case, the ids with it.
    pub(crate) fn is_covered_by(&self, mut scope: impl Iterator<Item = u8>) -> bool {
        let pieces = self.pieces();
        let [host, ..] = pieces;
        let mut text = pieces.iter().flat_map(|piece| piece.bytes());
        let mut at = 0_usize;
        loop {
            match (scope.next(), text.next()) {
                (None, rest) => return at > 0 && matches!(rest, None | Some(b'/')),
                (Some(_), None) => return false,
                (Some(given), Some(own)) => {
                    let same = if at < host.len() {
                        given.eq_ignore_ascii_case(&own)
                    } else {
                        given == own
                    };
                    if !same {
                        return false;
                    }
                }
            }
            at = at.saturating_add(1);
        }
    }
}

impl fmt::Display for Resource<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.pieces()
            .iter()
            .try_for_each(|piece| f.write_str(piece))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IdentityError;

    #[test]
    fn scopes_cover_by_path_segment() -> Result<(), IdentityError> {
        let device = Resource::Identity(Identity::new("contoso.azure-devices.net", "Dev-1", None)?);
        let module = Resource::Identity(Identity::new(
            "contoso.azure-devices.net",
            "Dev-1",
            Some("m"),
        )?);
        // scope, covers the device, covers the module
        let cases = [
            ("contoso.azure-devices.net/devices/Dev-1", true, true),
            (
                "contoso.azure-devices.net/devices/Dev-1/modules/m",
                false,
                true,
            ),
            (
                "contoso.azure-devices.net/devices/Dev-1/modules",
                false,
                true,
            ),
            ("contoso.azure-devices.net/devices", true, true),
            ("CONTOSO.azure-devices.NET", true, true),
            ("contoso.azure-devices.net/devices/dev-1", false, false),
            ("contoso.azure-devices.net/devices/Dev", false, false),
            ("contoso.azure-devices.net/devices/Dev-12", false, false),
            ("contoso.azure", false, false),
            ("fabrikam.azure-devices.net", false, false),
            ("", false, false),
        ];
        for (scope, covers_device, covers_module) in cases {
            assert_eq!(
                device.is_covered_by(scope.bytes()),
                covers_device,
                "{scope}"
            );
            assert_eq!(
                module.is_covered_by(scope.bytes()),
                covers_module,
                "{scope}"
            );
        }
        Ok(())
    }
}
