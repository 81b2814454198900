//! Symmetric keys.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use core::fmt;

use base64::engine::general_purpose::STANDARD;
use base64::{DecodeError, DecodeSliceError, Engine as _};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::text::{BufferTooSmall, emit};

/// Longest key in bytes: the block size of SHA-256, and the longest that the services take.
pub const KEY_MAX: usize = 64;

/// The text is not a shared access key; nothing of it is repeated here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// It is empty.
    #[error("the shared access key is empty: copy the primary or secondary key of the device")]
    Empty,
    /// It is a connection string.
    #[error(
        "this is a whole connection string, not a key: give it as the connection string, or only what follows SharedAccessKey="
    )]
    ConnectionString,
    /// It is a SAS token.
    #[error("this is a SAS token, not a key: give it as the token")]
    Token,
    /// It has a character that base64 does not have.
    #[error(
        "the shared access key has a character at byte {at} that base64 does not have: copy the key again, unencoded"
    )]
    Character {
        /// Byte offset of the character, from 0.
        at: u8,
    },
    /// Its length or padding is not that of base64.
    #[error(
        "the shared access key is cut off: base64 comes in groups of four characters, padded with '='"
    )]
    Truncated,
    /// It decodes to more than 64 bytes.
    #[error("the shared access key is longer than 64 bytes: it is not a key of IoT Hub or DPS")]
    TooLong,
}

impl KeyError {
    /// Kebab-case name of the error.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Empty => "key-empty",
            Self::ConnectionString => "key-is-connection-string",
            Self::Token => "key-is-token",
            Self::Character { .. } => "key-character",
            Self::Truncated => "key-truncated",
            Self::TooLong => "key-too-long",
        }
    }
}

/// A symmetric key of 1 to 64 bytes; it is wiped on drop and never shown.
///
/// IoT Hub and DPS generate 32 bytes; DPS takes 16 to 64 bytes from the user.
///
/// ```
/// use azure_auth::SharedAccessKey;
///
/// // The group enrollment example of the DPS documentation.
/// let group = SharedAccessKey::from_base64(
///     "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==",
/// )?;
/// let device = group.derive("sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6");
/// let mut out = [0; 44];
/// assert_eq!(device.expose_base64(&mut out)?, "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc=");
/// assert_eq!(format!("{device:?}"), "SharedAccessKey(***)");
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
///
/// # Reference
/// Azure IoT Hub DPS, "Symmetric key attestation".
#[derive(Clone)]
pub struct SharedAccessKey {
    bytes: Zeroizing<[u8; KEY_MAX]>,
    len: usize,
}

impl SharedAccessKey {
    /// Decodes a key as the portal shows it: base64 with padding. Blanks and line ends around it are ignored.
    ///
    /// # Errors
    /// [`KeyError`] says why the text is no key.
    pub fn from_base64(text: &str) -> Result<Self, KeyError> {
        let text = text.trim_ascii();
        if text.is_empty() {
            return Err(KeyError::Empty);
        }
        if text.starts_with("SharedAccessSignature ") {
            return Err(KeyError::Token);
        }
        if text.contains(';') && text.contains("HostName=") {
            return Err(KeyError::ConnectionString);
        }
        let mut bytes = Zeroizing::new([0; KEY_MAX]);
        let len =
            STANDARD
                .decode_slice(text, bytes.as_mut_slice())
                .map_err(|error| match error {
                    DecodeSliceError::OutputSliceTooSmall => KeyError::TooLong,
                    DecodeSliceError::DecodeError(DecodeError::InvalidByte(at, byte))
                        if byte != b'=' =>
                    {
                        KeyError::Character {
                            at: u8::try_from(at).unwrap_or(u8::MAX),
                        }
                    }
                    DecodeSliceError::DecodeError(_) => KeyError::Truncated,
                })?;
        Ok(Self { bytes, len })
    }

    /// The key of one device of a group enrollment: HMAC-SHA256 of the registration id, exactly as it is
    /// used at registration, under the group's key.
    #[must_use]
    pub fn derive(&self, registration_id: &str) -> Self {
        let derived = Zeroizing::new(self.sign(registration_id.as_bytes()));
        let mut bytes = Zeroizing::new([0; KEY_MAX]);
        for (place, byte) in bytes.iter_mut().zip(derived.iter()) {
            *place = *byte;
        }
        Self {
            bytes,
            len: derived.len(),
        }
    }

    /// HMAC-SHA256 of `text` under the key.
    #[must_use]
    pub fn sign(&self, text: &[u8]) -> [u8; 32] {
        let mut signer = self.signer();
        signer.update(text);
        signer.finish()
    }

    /// Writes the key in base64. The text is a secret: whoever has it is the device.
    ///
    /// # Errors
    /// [`BufferTooSmall`] with the length that is needed, at most 88.
    pub fn expose_base64<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, BufferTooSmall> {
        let mut encoded = Zeroizing::new([0; 88]);
        let len = STANDARD
            .encode_slice(self.as_bytes(), encoded.as_mut_slice())
            .unwrap_or_default();
        let text = encoded
            .get(..len)
            .and_then(|bytes| core::str::from_utf8(bytes).ok())
            .unwrap_or_default();
        emit(out, text)
    }

    /// A sink that signs what is written to it.
    pub(crate) fn signer(&self) -> Signer {
        // HMAC pads a key with zeros to the block size, and the unused end of `bytes` is zero.
        let block: &[u8; KEY_MAX] = &self.bytes;
        Signer(Hmac::new(block.into()))
    }

    fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }
}

impl fmt::Debug for SharedAccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedAccessKey(***)")
    }
}

/// HMAC-SHA256 of the text written to it.
pub(crate) struct Signer(Hmac<Sha256>);

impl Signer {
    fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    pub(crate) fn finish(self) -> [u8; 32] {
        self.0.finalize().into_bytes().into()
    }
}

impl fmt::Write for Signer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.update(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::format;
    use std::string::String;

    #[test]
    fn texts_that_are_keys_or_not() {
        let max = format!("{}==", "A".repeat(86));
        let over = "A".repeat(88);
        let far = "A".repeat(400);
        let cases: &[(&str, Result<usize, KeyError>)] = &[
            ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", Ok(32)),
            ("  yMnKy8zNzs/Q0dLT1NXW1w==\r\n", Ok(16)),
            ("AA==", Ok(1)),
            (&max, Ok(64)),
            (&over, Err(KeyError::TooLong)),
            (&far, Err(KeyError::TooLong)),
            ("", Err(KeyError::Empty)),
            (" \n", Err(KeyError::Empty)),
            (
                "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
                Err(KeyError::Truncated),
            ),
            ("AAECA", Err(KeyError::Truncated)),
            ("AAE==AAE", Err(KeyError::Truncated)),
            ("====", Err(KeyError::Truncated)),
            ("AB==", Err(KeyError::Truncated)),
            ("AAEC-wQF", Err(KeyError::Character { at: 4 })),
            ("AAECAwQFBg%3D%3D", Err(KeyError::Character { at: 10 })),
            ("\u{201c}AAEC", Err(KeyError::Character { at: 0 })),
            ("AAEC AAEC", Err(KeyError::Character { at: 4 })),
            (
                "HostName=h.azure-devices.net;DeviceId=d;SharedAccessKey=AA==",
                Err(KeyError::ConnectionString),
            ),
            (
                "SharedAccessSignature sr=h&sig=AA&se=1",
                Err(KeyError::Token),
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(
                SharedAccessKey::from_base64(text).map(|key| key.len),
                *expected,
                "{text}"
            );
        }
    }

    #[test]
    fn signs_as_rfc_4231() -> Result<(), KeyError> {
        // Cases 1 and 2: a 20-byte key and a 4-byte key.
        let cases = [
            (
                "CwsLCwsLCwsLCwsLCwsLCwsLCws=",
                "Hi There",
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                "SmVmZQ==",
                "what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
        ];
        for (key, text, expected) in cases {
            let signature = SharedAccessKey::from_base64(key)?.sign(text.as_bytes());
            let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
            assert_eq!(hex, expected);
        }
        Ok(())
    }

    #[test]
    fn text_comes_back_and_debug_hides_it() -> Result<(), KeyError> {
        let text = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let key = SharedAccessKey::from_base64(text)?.clone();
        assert_eq!(key.expose_base64(&mut [0; 44]), Ok(text));
        assert_eq!(
            key.expose_base64(&mut [0; 43]),
            Err(BufferTooSmall { need: 44, have: 43 })
        );
        assert_eq!(format!("{key:?}"), "SharedAccessKey(***)");
        Ok(())
    }
}
