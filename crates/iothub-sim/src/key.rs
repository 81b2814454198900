//! Shared access keys.

use core::{fmt, str::FromStr};

use aws_lc_rs::{
    hmac,
    rand::{SecureRandom, SystemRandom},
};
use base64::{Engine, engine::general_purpose::STANDARD};

/// The text is not the base64 of a shared access key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeyError {
    /// The text is not padded standard base64.
    #[error("shared access key is not padded standard base64")]
    NotBase64,
    /// The decoded key has no byte.
    #[error("shared access key is empty")]
    Empty,
}

/// A symmetric key of a device, a policy or an enrollment.
///
/// `Debug` never shows its bytes; [`to_base64`](Self::to_base64) does, for connection strings.
///
/// # Reference
///
/// Azure IoT Hub documentation, "Control access to IoT Hub with shared access signatures".
#[derive(Clone, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct SharedAccessKey(Vec<u8>);

impl SharedAccessKey {
    /// A key of these bytes.
    #[must_use]
    pub fn from_bytes(bytes: impl Into<Vec<u8>>) -> Self {
        Self(bytes.into())
    }

    /// A random key of 32 bytes, the length the hub generates.
    #[must_use]
    pub fn generate() -> Self {
        let mut bytes = vec![0; 32];
        // The system's generator fails only where no TLS would work either; such a key signs nothing.
        if SystemRandom::new().fill(&mut bytes).is_err() {
            bytes.clear();
        }
        Self(bytes)
    }

    /// The key as padded standard base64: what a connection string carries.
    #[must_use]
    pub fn to_base64(&self) -> String {
        STANDARD.encode(&self.0)
    }

    /// The key of one device of an enrollment group: the HMAC-SHA256 of its registration id.
    ///
    /// # Reference
    ///
    /// Azure DPS documentation, "Symmetric key attestation", group enrollments.
    #[must_use]
    pub fn derive(&self, registration_id: &str) -> Self {
        Self(self.sign(registration_id.as_bytes()))
    }

    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        hmac::sign(&self.hmac_key(), message).as_ref().to_vec()
    }

    pub(crate) fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        !self.0.is_empty() && hmac::verify(&self.hmac_key(), message, signature).is_ok()
    }

    fn hmac_key(&self) -> hmac::Key {
        hmac::Key::new(hmac::HMAC_SHA256, &self.0)
    }
}

impl FromStr for SharedAccessKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let bytes = STANDARD.decode(text).map_err(|_| KeyError::NotBase64)?;
        if bytes.is_empty() {
            return Err(KeyError::Empty);
        }
        Ok(Self(bytes))
    }
}

impl TryFrom<String> for SharedAccessKey {
    type Error = KeyError;

    fn try_from(text: String) -> Result<Self, KeyError> {
        text.parse()
    }
}

impl From<SharedAccessKey> for String {
    fn from(key: SharedAccessKey) -> Self {
        key.to_base64()
    }
}

impl fmt::Debug for SharedAccessKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SharedAccessKey(*** {} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms() {
        for (text, result) in [
            ("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=", None),
            ("", Some(KeyError::Empty)),
            ("AAE", Some(KeyError::NotBase64)),
            ("AA_-", Some(KeyError::NotBase64)),
            ("not a key", Some(KeyError::NotBase64)),
        ] {
            let key = text.parse::<SharedAccessKey>();
            assert_eq!(key.as_ref().err(), result.as_ref());
            if let Ok(key) = key {
                assert_eq!(key.to_base64(), text);
                assert_eq!(format!("{key:?}"), "SharedAccessKey(*** 32 bytes)");
            }
        }
    }

    #[test]
    fn group_key_of_the_documentation() {
        let group = "8isrFI1sGsIlvvFSSFRiMfCNzv21fjbE/+ah/lSh3lF8e2YG1Te7w1KpZhJFFXJrqYKi9yegxkqIChbqOS9Egw==";
        let group: SharedAccessKey = group.parse().unwrap();
        assert_eq!(
            group
                .derive("sn-007-888-abc-mac-a1-b2-c3-d4-e5-f6")
                .to_base64(),
            "Jsm0lyGpjaVYVP2g3FnmnmG9dI/9qU24wNoykUmermc="
        );
    }

    #[test]
    fn generated_keys_differ() {
        let key = SharedAccessKey::generate();
        assert_eq!(key.to_base64().len(), 44);
        assert_ne!(key, SharedAccessKey::generate());
    }
}
