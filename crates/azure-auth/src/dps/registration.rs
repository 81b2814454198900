//! Who registers.

use crate::identity::{IdFault, IdentityError, check_characters};
use crate::resource::Resource;
use crate::sas::SasRequest;
use crate::text::{BufferTooSmall, emit};

/// Host of the service in the global cloud; the same for every id scope.
pub const GLOBAL_HOST: &str = "global.azure-devices-provisioning.net";
/// Host of the service in the cloud of the US government.
pub const GOVERNMENT_HOST: &str = "global.azure-devices-provisioning.us";
/// Host of the service in China, operated by 21Vianet.
pub const CHINA_HOST: &str = "global.azure-devices-provisioning.cn";

/// The api-version that user names name.
pub const API_VERSION: &str = "2019-03-31";

/// A registration of an id scope, with names that the service can have.
///
/// # Reference
/// Azure IoT Hub DPS, "IoT Hub Device Provisioning Service terminology".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Registration<'a> {
    id_scope: &'a str,
    registration_id: &'a str,
}

impl<'a> Registration<'a> {
    /// Takes the id scope, such as `0ne00000A0A`, and the registration id: up to 128 letters, digits and
    /// `-`, `:`, `.`, `_`, which may not stand at the ends.
    ///
    /// # Errors
    /// [`IdentityError`] names the first of the two that the service cannot have.
    pub fn new(id_scope: &'a str, registration_id: &'a str) -> Result<Self, IdentityError> {
        check_characters(id_scope, |byte| byte.is_ascii_alphanumeric())
            .map_err(IdentityError::IdScope)?;
        check_registration_id(registration_id).map_err(IdentityError::RegistrationId)?;
        Ok(Self {
            id_scope,
            registration_id,
        })
    }

    /// Id scope.
    #[must_use]
    pub const fn id_scope(&self) -> &'a str {
        self.id_scope
    }

    /// Registration id.
    #[must_use]
    pub const fn registration_id(&self) -> &'a str {
        self.registration_id
    }

    /// The MQTT client id, which is the registration id.
    #[must_use]
    pub const fn client_id(&self) -> &'a str {
        self.registration_id
    }

    /// Writes the MQTT user name `{idScope}/registrations/{registrationId}/api-version=2019-03-31`; unlike that
    /// of a hub it has no `?`.
    ///
    /// # Errors
    /// [`BufferTooSmall`] with the length that is needed, at most 177 with an id scope of 11.
    pub fn user_name<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, BufferTooSmall> {
        emit(
            out,
            format_args!("{}/api-version={API_VERSION}", self.resource()),
        )
    }

    /// A request for the SAS token of the registration.
    #[must_use]
    pub const fn sas_request(&self, expiry_unix_s: u64) -> SasRequest<'a> {
        SasRequest::for_dps(self.id_scope, self.registration_id, expiry_unix_s)
    }

    pub(crate) const fn resource(&self) -> Resource<'a> {
        Resource::Registration {
            id_scope: self.id_scope,
            registration_id: self.registration_id,
        }
    }
}

fn check_registration_id(id: &str) -> Result<(), IdFault> {
    let special = ['-', ':', '.', '_'];
    check_characters(id, |byte| {
        byte.is_ascii_alphanumeric() || special.contains(&char::from(byte))
    })?;
    if id.starts_with(special) || id.ends_with(special) {
        return Err(IdFault::Ends);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_registrations() {
        let over = "r".repeat(129);
        let cases: &[(&str, &str, Result<(), IdentityError>)] = &[
            ("0ne00000A0A", "Dev:Mixed-Case.01", Ok(())),
            ("0ne00000A0A", "a", Ok(())),
            ("", "a", Err(IdentityError::IdScope(IdFault::Empty))),
            (
                "0ne 0000",
                "a",
                Err(IdentityError::IdScope(IdFault::Character { at: 3 })),
            ),
            (
                "0ne/1",
                "a",
                Err(IdentityError::IdScope(IdFault::Character { at: 3 })),
            ),
            (
                "0ne1",
                "",
                Err(IdentityError::RegistrationId(IdFault::Empty)),
            ),
            (
                "0ne1",
                &over,
                Err(IdentityError::RegistrationId(IdFault::TooLong)),
            ),
            (
                "0ne1",
                "a@b",
                Err(IdentityError::RegistrationId(IdFault::Character { at: 1 })),
            ),
            (
                "0ne1",
                "-a",
                Err(IdentityError::RegistrationId(IdFault::Ends)),
            ),
            (
                "0ne1",
                "a_",
                Err(IdentityError::RegistrationId(IdFault::Ends)),
            ),
        ];
        for (id_scope, registration_id, expected) in cases {
            let got = Registration::new(id_scope, registration_id).map(drop);
            assert_eq!(got, *expected, "{id_scope} {registration_id}");
        }
        let longest = Registration::new("0ne00000A0A", &over[1..]).unwrap();
        assert_eq!(longest.user_name(&mut [0; 177]).map(str::len), Ok(177));
    }
}
