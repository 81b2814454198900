//! Making a SAS token: in one call with the key at hand, in two when another place signs.

use core::fmt;

use base64::display::Base64Display;
use base64::engine::general_purpose::STANDARD;

use crate::identity::Identity;
use crate::key::SharedAccessKey;
use crate::percent::PercentEncoded;
use crate::resource::Resource;
use crate::text::{BufferTooSmall, emit, length, pour};

/// What a SAS token shall say: resource, expiry, and the name of the policy if its key signs.
///
/// ```
/// use azure_auth::{Identity, SasRequest, SharedAccessKey};
///
/// let identity = Identity::new("contoso.azure-devices.net", "device1", None)?;
/// let request = SasRequest::for_identity(&identity, 1_700_003_600);
/// let key = SharedAccessKey::from_base64("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")?;
///
/// let mut password = [0; 256];
/// let password = request.token(&key, &mut password)?;
/// assert_eq!(
///     password,
///     "SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fdevice1\
///      &sig=1sY1G3%2B%2BFZar2HfkFZit4C3IGSAfGbAJ1zno1WkK9d4%3D&se=1700003600"
/// );
///
/// // The same with a key that a secure element keeps.
/// let mut text = [0; 128];
/// let text = request.to_sign(&mut text)?;
/// assert_eq!(text, b"contoso.azure-devices.net%2Fdevices%2Fdevice1\n1700003600");
/// let signature = key.sign(text);
/// let mut out = [0; 256];
/// assert_eq!(request.finish(&signature, &mut out)?, password);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Reference
/// Azure IoT Hub, "Control access to IoT Hub with shared access signatures"; azure-sdk-for-c
/// `az_iot_hub_client_sas.c` for the set of encoded characters.
#[derive(Clone, Copy, Debug)]
pub struct SasRequest<'a> {
    resource: Resource<'a>,
    expiry_unix_s: u64,
    policy: Option<&'a str>,
}

impl<'a> SasRequest<'a> {
    /// A token for a device or module, signed with its own key.
    ///
    /// The hub counts `expiry_unix_s` by its own clock: a device whose clock is slow makes tokens that are
    /// expired already.
    #[must_use]
    pub const fn for_identity(identity: &Identity<'a>, expiry_unix_s: u64) -> Self {
        Self {
            resource: Resource::Identity(*identity),
            expiry_unix_s,
            policy: None,
        }
    }

    /// A token for a registration with DPS; its policy is `registration`.
    #[must_use]
    pub const fn for_dps(id_scope: &'a str, registration_id: &'a str, expiry_unix_s: u64) -> Self {
        Self {
            resource: Resource::Registration {
                id_scope,
                registration_id,
            },
            expiry_unix_s,
            policy: Some("registration"),
        }
    }

    /// A token for any other resource, such as `contoso.azure-devices.net/devices`, given unencoded.
    #[must_use]
    pub const fn for_resource(resource: &'a str, expiry_unix_s: u64) -> Self {
        Self {
            resource: Resource::Text(resource),
            expiry_unix_s,
            policy: None,
        }
    }

    /// Names the shared access policy whose key signs, as `skn`.
    #[must_use]
    pub const fn policy(self, name: &'a str) -> Self {
        Self {
            policy: Some(name),
            ..self
        }
    }

    /// Leaves `skn` out, as some SDKs do for DPS.
    #[must_use]
    pub const fn without_policy(self) -> Self {
        Self {
            policy: None,
            ..self
        }
    }

    /// When the token expires, in unix seconds.
    #[must_use]
    pub const fn expiry_unix_s(&self) -> u64 {
        self.expiry_unix_s
    }

    /// Writes the text whose HMAC-SHA256 is the signature: `sr`, a line feed, the expiry.
    ///
    /// # Errors
    /// [`BufferTooSmall`] with the length that is needed.
    pub fn to_sign<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        emit(out, ToSign(self)).map(str::as_bytes)
    }

    /// Writes the token with the signature that another place made of [`SasRequest::to_sign`].
    ///
    /// # Errors
    /// [`BufferTooSmall`] with the length that is needed.
    pub fn finish<'o>(
        &self,
        signature: &[u8; 32],
        out: &'o mut [u8],
    ) -> Result<&'o str, BufferTooSmall> {
        emit(
            out,
            Signed {
                request: self,
                signature,
            },
        )
    }

    /// Writes the token, signed with `key`.
    ///
    /// # Errors
    /// [`BufferTooSmall`] with the length that is needed.
    pub fn token<'o>(
        &self,
        key: &SharedAccessKey,
        out: &'o mut [u8],
    ) -> Result<&'o str, BufferTooSmall> {
        let mut signer = key.signer();
        pour(&mut signer, ToSign(self));
        self.finish(&signer.finish(), out)
    }

    /// The longest that the token can be in bytes, whatever the signature is.
    #[must_use]
    pub fn token_max_len(&self) -> usize {
        // '+' and '/' take three bytes; they can be all 44 characters but the padding and the one before it,
        // whose low bits are zero.
        length(Signed {
            request: self,
            signature: &[0; 32],
        })
        .saturating_add(42 * 2)
    }
}

struct ToSign<'r, 'a>(&'r SasRequest<'a>);

impl fmt::Display for ToSign<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}\n{}",
            PercentEncoded(self.0.resource),
            self.0.expiry_unix_s
        )
    }
}

struct Signed<'r, 'a> {
    request: &'r SasRequest<'a>,
    signature: &'r [u8; 32],
}

impl fmt::Display for Signed<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SasRequest {
            resource,
            expiry_unix_s,
            policy,
        } = self.request;
        let signature = Base64Display::new(self.signature, &STANDARD);
        write!(
            f,
            "SharedAccessSignature sr={}&sig={}&se={expiry_unix_s}",
            PercentEncoded(resource),
            PercentEncoded(signature),
        )?;
        match policy {
            Some(name) => write!(f, "&skn={}", PercentEncoded(name)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::IdentityError;

    #[test]
    fn tokens_need_their_length() -> Result<(), IdentityError> {
        let identity = Identity::new("contoso.azure-devices.net", "device1", None)?;
        let request = SasRequest::for_identity(&identity, 1_700_003_600);
        let mut out = [0; 512];
        for (signature, expected) in [([0_u8; 32], 135), ([0xff; 32], 219)] {
            let len = request.finish(&signature, &mut out).map(str::len);
            assert_eq!(len, Ok(expected));
            assert_eq!(request.token_max_len(), 219);
            assert_eq!(
                request.finish(&signature, &mut out[..100]),
                Err(BufferTooSmall {
                    need: expected,
                    have: 100
                })
            );
        }
        assert_eq!(
            request.to_sign(&mut [0; 10]),
            Err(BufferTooSmall { need: 56, have: 10 })
        );
        Ok(())
    }

    #[test]
    fn policy_names_are_encoded() {
        let request = SasRequest::for_resource("h/devices", 1).policy("a&b");
        let mut out = [0; 256];
        let token = request.finish(&[0; 32], &mut out).unwrap();
        assert!(token.starts_with("SharedAccessSignature sr=h%2Fdevices&sig="));
        assert!(token.ends_with("&se=1&skn=a%26b"));
    }
}
