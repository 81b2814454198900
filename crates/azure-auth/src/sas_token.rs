//! Reading a SAS token.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use core::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use subtle::ConstantTimeEq as _;

use crate::dps::Registration;
use crate::identity::Identity;
use crate::key::SharedAccessKey;
use crate::percent::Encoded;
use crate::resource::Resource;
use crate::text::pour;

const PREFIX: &str = "SharedAccessSignature ";

/// A field of a SAS token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenField {
    /// `sr`, the resource.
    Resource,
    /// `sig`, the signature.
    Signature,
    /// `se`, the expiry.
    Expiry,
    /// `skn`, the name of the policy.
    Policy,
}

impl TokenField {
    const ALL: [Self; 4] = [Self::Resource, Self::Signature, Self::Expiry, Self::Policy];

    /// Its key in the token.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Resource => "sr",
            Self::Signature => "sig",
            Self::Expiry => "se",
            Self::Policy => "skn",
        }
    }
}

impl fmt::Display for TokenField {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

/// The text is not a SAS token; nothing of it is repeated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It does not begin with `SharedAccessSignature sr=`.
    #[error(
        "this is not a SAS token: it begins with \"SharedAccessSignature sr=\", with one blank"
    )]
    Prefix,
    /// It is a connection string.
    #[error("this is a connection string, not a SAS token: give it as the connection string")]
    ConnectionString,
    /// It has a character that cannot be sent as a password.
    #[error(
        "the SAS token has a quotation mark, blank, line end or non-ASCII character at byte {at}: copy it again as one line"
    )]
    Character {
        /// Byte offset of the character in the token, from 0.
        at: u16,
    },
    /// A field that every token has is missing.
    #[error("the SAS token has no {0}: it is cut off or incomplete")]
    Missing(TokenField),
    /// A field stands there twice.
    #[error("the SAS token has {0} twice: two tokens were joined")]
    Duplicate(TokenField),
    /// The expiry is not a number of seconds.
    #[error("se of the SAS token is not a number: it is the time of expiry in unix seconds")]
    Expiry,
    /// The signature is not the base64 text of 32 bytes.
    #[error(
        "sig of the SAS token is not the base64 text of 32 bytes, percent-encoded: '+', '/' and '=' stand as %2B, %2F and %3D"
    )]
    Signature,
}

impl TokenError {
    /// Kebab-case name of the error.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Prefix => "token-prefix",
            Self::ConnectionString => "token-is-connection-string",
            Self::Character { .. } => "token-character",
            Self::Missing(_) => "token-field-missing",
            Self::Duplicate(_) => "token-field-duplicate",
            Self::Expiry => "token-expiry-invalid",
            Self::Signature => "token-signature-invalid",
        }
    }
}

/// A SAS token that someone else made, borrowed; never shown by `Debug`.
///
/// Parsing does not say that the hub accepts it: compare [`SasToken::expiry_unix_s`] with the time and ask
/// [`SasToken::covers`].
///
/// ```
/// use azure_auth::{Identity, SasToken};
///
/// let token = SasToken::parse(
///     "SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fdevice1\
///      &sig=1sY1G3%2B%2BFZar2HfkFZit4C3IGSAfGbAJ1zno1WkK9d4%3D&se=1700003600",
/// )?;
/// assert_eq!(token.expiry_unix_s(), 1_700_003_600);
/// assert!(token.resource().is("contoso.azure-devices.net/devices/device1"));
/// assert!(token.covers(&Identity::new("contoso.azure-devices.net", "device1", None)?));
/// assert!(!token.covers(&Identity::new("contoso.azure-devices.net", "device2", None)?));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Reference
/// Azure IoT Hub, "Control access to IoT Hub with shared access signatures".
#[derive(Clone, Copy)]
pub struct SasToken<'a> {
    text: &'a str,
    resource: Encoded<'a>,
    signature: Encoded<'a>,
    expiry_text: &'a str,
    expiry_unix_s: u64,
    policy: Option<Encoded<'a>>,
}

impl<'a> SasToken<'a> {
    /// Reads a token; its fields may come in any order. Blanks and line ends around it are ignored, and one
    /// pair of quotation marks.
    ///
    /// # Errors
    /// [`TokenError`] says what is missing or malformed.
    pub fn parse(text: &'a str) -> Result<Self, TokenError> {
        let text = crate::text::unwrapped(text);
        let Some(fields) = text.strip_prefix(PREFIX) else {
            let is_connection_string = text.contains(';') && text.contains("HostName=");
            return Err(if is_connection_string {
                TokenError::ConnectionString
            } else {
                TokenError::Prefix
            });
        };
        if let Some(at) = fields
            .bytes()
            .position(|byte| !byte.is_ascii_graphic() || byte == b'"')
        {
            let at = at.saturating_add(PREFIX.len());
            return Err(TokenError::Character {
                at: u16::try_from(at).unwrap_or(u16::MAX),
            });
        }
        let mut found = [None; TokenField::ALL.len()];
        for pair in fields.split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            for (slot, field) in found.iter_mut().zip(TokenField::ALL) {
                if field.key() == key && slot.replace(value).is_some() {
                    return Err(TokenError::Duplicate(field));
                }
            }
        }
        let [resource, signature, expiry, policy] = found;
        let given = |value: Option<&'a str>, field| {
            value
                .filter(|value| !value.is_empty())
                .ok_or(TokenError::Missing(field))
        };
        let resource = Encoded::new(given(resource, TokenField::Resource)?);
        let signature = Encoded::new(given(signature, TokenField::Signature)?);
        let expiry_text = given(expiry, TokenField::Expiry)?;
        // A raw '+' decodes to a blank at the service.
        if signature.raw().contains('+') || signature_bytes(signature).is_none() {
            return Err(TokenError::Signature);
        }
        let expiry_unix_s = crate::text::decimal(expiry_text).ok_or(TokenError::Expiry)?;
        Ok(Self {
            text,
            resource,
            signature,
            expiry_text,
            expiry_unix_s,
            policy: policy.map(Encoded::new),
        })
    }

    /// The token itself, without what stood around it. It is a secret until it expires.
    #[must_use]
    pub const fn expose(&self) -> &'a str {
        self.text
    }

    /// When the token expires, in unix seconds by the clock of the service.
    #[must_use]
    pub const fn expiry_unix_s(&self) -> u64 {
        self.expiry_unix_s
    }

    /// The resource that the token gives access to.
    #[must_use]
    pub const fn resource(&self) -> Encoded<'a> {
        self.resource
    }

    /// The shared access policy that signed; `None` for a key of the device or module itself.
    #[must_use]
    pub const fn policy(&self) -> Option<Encoded<'a>> {
        self.policy
    }

    /// Whether the token's resource is that of `identity` or above it.
    #[must_use]
    pub fn covers(&self, identity: &Identity<'_>) -> bool {
        Resource::Identity(*identity).is_covered_by(self.resource.bytes())
    }

    /// Whether the token's resource is that of a registration with DPS or above it.
    #[must_use]
    pub fn covers_registration(&self, registration: &Registration<'_>) -> bool {
        registration.resource().is_covered_by(self.resource.bytes())
    }

    /// Whether `key` signed the token, compared in constant time.
    #[must_use]
    pub fn is_signed_by(&self, key: &SharedAccessKey) -> bool {
        let Some(signature) = signature_bytes(self.signature) else {
            return false;
        };
        // The service signs `sr` as it was received: others write %2f where this crate writes %2F.
        let mut signer = key.signer();
        pour(
            &mut signer,
            format_args!("{}\n{}", self.resource.raw(), self.expiry_text),
        );
        signer.finish().ct_eq(&signature).into()
    }
}

fn signature_bytes(signature: Encoded<'_>) -> Option<[u8; 32]> {
    let mut base64 = [0; 44];
    let base64 = signature.decode_bytes(&mut base64).ok()?;
    let mut bytes = [0; 32];
    let len = STANDARD.decode_slice(base64, &mut bytes).ok()?;
    (len == bytes.len()).then_some(bytes)
}

impl fmt::Debug for SasToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SasToken")
            .field("sr", &self.resource)
            .field("sig", &format_args!("***"))
            .field("se", &self.expiry_unix_s)
            .field("skn", &self.policy)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;

    const SIG: &str = "sig=1sY1G3%2B%2BFZar2HfkFZit4C3IGSAfGbAJ1zno1WkK9d4%3D";

    #[test]
    fn tokens_and_what_is_no_token() {
        let cases = [
            (
                format!("SharedAccessSignature sr=h%2fdevices%2fd&{SIG}&se=1"),
                Ok((1, None)),
            ),
            (
                format!("SharedAccessSignature {SIG}&se=18446744073709551615&sr=h&skn=device"),
                Ok((u64::MAX, Some("device"))),
            ),
            (
                format!(" \"SharedAccessSignature sr=h&{SIG}&se=2&x=y\"\r\n"),
                Ok((2, None)),
            ),
            ("".into(), Err(TokenError::Prefix)),
            (format!("sr=h&{SIG}&se=1"), Err(TokenError::Prefix)),
            (
                "HostName=h.n;DeviceId=d;SharedAccessKey=AA==".into(),
                Err(TokenError::ConnectionString),
            ),
            (
                format!("SharedAccessSignature sr=h\"&{SIG}&se=1"),
                Err(TokenError::Character { at: 26 }),
            ),
            (
                format!("SharedAccessSignature  sr=h&{SIG}&se=1"),
                Err(TokenError::Character { at: 22 }),
            ),
            (
                format!("SharedAccessSignature sr=h&{SIG}&se=1\r\nAT"),
                Err(TokenError::Character { at: 86 }),
            ),
            (
                format!("SharedAccessSignature {SIG}&se=1"),
                Err(TokenError::Missing(TokenField::Resource)),
            ),
            (
                format!("SharedAccessSignature sr=&{SIG}&se=1"),
                Err(TokenError::Missing(TokenField::Resource)),
            ),
            (
                "SharedAccessSignature sr=h&se=1".into(),
                Err(TokenError::Missing(TokenField::Signature)),
            ),
            (
                format!("SharedAccessSignature sr=h&{SIG}"),
                Err(TokenError::Missing(TokenField::Expiry)),
            ),
            (
                format!("SharedAccessSignature sr=h&{SIG}&se=1&se=2"),
                Err(TokenError::Duplicate(TokenField::Expiry)),
            ),
            (
                format!("SharedAccessSignature sr=h&{SIG}&se=1h"),
                Err(TokenError::Expiry),
            ),
            (
                format!("SharedAccessSignature sr=h&{SIG}&se=+1"),
                Err(TokenError::Expiry),
            ),
            (
                format!("SharedAccessSignature sr=h&{SIG}&se=18446744073709551616"),
                Err(TokenError::Expiry),
            ),
            (
                "SharedAccessSignature sr=h&sig=1sY1&se=1".into(),
                Err(TokenError::Signature),
            ),
            (
                format!(
                    "SharedAccessSignature sr=h&{}&se=1",
                    SIG.replace("%2B", "+")
                ),
                Err(TokenError::Signature),
            ),
            (
                "SharedAccessSignature sr=h&sig=1sY1G3&se=1".into(),
                Err(TokenError::Signature),
            ),
        ];
        for (text, expected) in cases {
            let parsed = SasToken::parse(&text);
            let got = parsed.map(|token| {
                (
                    token.expiry_unix_s(),
                    token.policy().map(|policy| policy.raw()),
                )
            });
            assert_eq!(got, expected, "{text}");
        }
    }

    #[test]
    fn debug_hides_the_signature() {
        let text = format!("SharedAccessSignature sr=h&{SIG}&se=1");
        let shown = format!("{:?}", SasToken::parse(&text));
        assert_eq!(
            shown,
            "Ok(SasToken { sr: \"h\", sig: ***, se: 1, skn: None })"
        );
    }
}
