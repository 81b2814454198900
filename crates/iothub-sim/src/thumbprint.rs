//! Certificate thumbprints.

use core::{fmt, str::FromStr};

use aws_lc_rs::digest;

/// The text is not a certificate thumbprint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ThumbprintError {
    /// A character is neither a hexadecimal digit nor a separator.
    #[error("thumbprint contains a character that is no hexadecimal digit, colon or space")]
    NotHex,
    /// Neither 40 nor 64 digits.
    #[error("thumbprint has {0} hexadecimal digits; SHA-1 has 40, SHA-256 has 64")]
    Length(usize),
}

/// The SHA-1 or SHA-256 digest of a certificate's DER.
///
/// Parses hexadecimal digits of either case, with or without colons or spaces between them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Deserialize, serde::Serialize)]
#[serde(try_from = "String", into = "String")]
#[expect(
    clippy::exhaustive_enums,
    reason = "the two digests that IoT Hub stores"
)]
pub enum Thumbprint {
    /// 20 bytes.
    Sha1([u8; 20]),
    /// 32 bytes.
    Sha256([u8; 32]),
}

impl Thumbprint {
    /// The SHA-1 thumbprint of a certificate.
    #[must_use]
    pub fn sha1(certificate_der: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, certificate_der);
        Self::Sha1(copied(digest.as_ref()))
    }

    /// The SHA-256 thumbprint of a certificate.
    #[must_use]
    pub fn sha256(certificate_der: &[u8]) -> Self {
        let digest = digest::digest(&digest::SHA256, certificate_der);
        Self::Sha256(copied(digest.as_ref()))
    }

    /// Whether this is the thumbprint of that certificate.
    #[must_use]
    pub fn matches(&self, certificate_der: &[u8]) -> bool {
        match self {
            Self::Sha1(_) => *self == Self::sha1(certificate_der),
            Self::Sha256(_) => *self == Self::sha256(certificate_der),
        }
    }
}

fn copied<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut array = [0; N];
    for (to, from) in array.iter_mut().zip(bytes) {
        *to = *from;
    }
    array
}

impl FromStr for Thumbprint {
    type Err = ThumbprintError;

    fn from_str(text: &str) -> Result<Self, ThumbprintError> {
        let digits = text
            .chars()
            .filter(|c| !matches!(c, ':' | ' '))
            .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
            .collect::<Option<Vec<u8>>>()
            .ok_or(ThumbprintError::NotHex)?;
        let bytes: Vec<u8> = digits
            .chunks_exact(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect();
        match digits.len() {
            40 => Ok(Self::Sha1(copied(&bytes))),
            64 => Ok(Self::Sha256(copied(&bytes))),
            length => Err(ThumbprintError::Length(length)),
        }
    }
}

impl TryFrom<String> for Thumbprint {
    type Error = ThumbprintError;

    fn try_from(text: String) -> Result<Self, ThumbprintError> {
        text.parse()
    }
}

impl From<Thumbprint> for String {
    fn from(thumbprint: Thumbprint) -> Self {
        thumbprint.to_string()
    }
}

impl fmt::Display for Thumbprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes: &[u8] = match self {
            Self::Sha1(bytes) => bytes,
            Self::Sha256(bytes) => bytes,
        };
        bytes.iter().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_and_text() {
        let sha1 = "a9:99:3e:36:47:06:81:6a:ba:3e:25:71:78:50:c2:6c:9c:d0:d8:9d";
        let sha256 = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD";
        for text in [sha1, sha256] {
            let thumbprint: Thumbprint = text.parse().unwrap();
            assert!(thumbprint.matches(b"abc"));
            assert!(!thumbprint.matches(b"abd"));
        }
        assert_eq!(Thumbprint::sha256(b"abc").to_string(), sha256);
        assert_eq!("abc".parse::<Thumbprint>(), Err(ThumbprintError::Length(3)));
        assert_eq!("xyz".parse::<Thumbprint>(), Err(ThumbprintError::NotHex));
    }
}
