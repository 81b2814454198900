//! Percent-encoding as the service's own SDKs do it.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use core::fmt::{self, Write as _};
use core::iter::Peekable;
use core::slice;

use crate::text::BufferTooSmall;

/// Writes everything except `A-Z a-z 0-9 - . _ ~` as `%XX` with upper-case digits; a space is `%20`.
///
/// # Reference
/// azure-sdk-for-c `az_span.c` and azure-iot-device 2.14.0 encode the same set.
pub(crate) struct PercentEncoded<T>(pub(crate) T);

impl<T: fmt::Display> fmt::Display for PercentEncoded<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Encoder(f), "{}", self.0)
    }
}

struct Encoder<'f, 'b>(&'f mut fmt::Formatter<'b>);

impl fmt::Write for Encoder<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for byte in text.bytes() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
                self.0.write_char(char::from(byte))?;
            } else {
                write!(self.0, "%{byte:02X}")?;
            }
        }
        Ok(())
    }
}

/// Percent-encoded text as it stands in a topic or in a SAS token.
///
/// An incomplete or impossible escape stands for itself: the service decides what it accepts, and a
/// receiver gains nothing from refusing a whole message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Encoded<'a>(&'a str);

/// The decoded bytes are no UTF-8 text; take them with [`Encoded::decode_bytes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotUtf8 {
    /// The bytes are not UTF-8.
    #[error("the decoded value is not UTF-8 text: read it as bytes")]
    NotUtf8,
    /// The buffer is too small.
    #[error(transparent)]
    BufferTooSmall(#[from] BufferTooSmall),
}

impl NotUtf8 {
    /// Kebab-case name of the error.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NotUtf8 => "not-utf8",
            Self::BufferTooSmall(error) => error.name(),
        }
    }
}

impl<'a> Encoded<'a> {
    /// Takes text that may contain escapes.
    #[must_use]
    pub const fn new(raw: &'a str) -> Self {
        Self(raw)
    }

    /// The text as it was received.
    #[must_use]
    pub const fn raw(&self) -> &'a str {
        self.0
    }

    /// The decoded bytes, one by one.
    pub fn bytes(&self) -> impl Iterator<Item = u8> + use<'a> {
        Decoder {
            rest: self.0.as_bytes().iter().peekable(),
        }
    }

    /// Whether the decoded text is `text`, byte by byte.
    ///
    /// ```
    /// assert!(azure_auth::Encoded::new("%24.mid").is("$.mid"));
    /// ```
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.bytes().eq(text.bytes())
    }

    /// Decodes into `out`.
    ///
    /// # Errors
    /// [`BufferTooSmall`] when the decoded bytes do not fit.
    pub fn decode_bytes<'o>(&self, out: &'o mut [u8]) -> Result<&'o [u8], BufferTooSmall> {
        let have = out.len();
        let mut need = 0_usize;
        for byte in self.bytes() {
            if let Some(place) = out.get_mut(need) {
                *place = byte;
            }
            need = need.saturating_add(1);
        }
        let out: &'o [u8] = out;
        out.get(..need).ok_or(BufferTooSmall { need, have })
    }

    /// Decodes text into `out`.
    ///
    /// # Errors
    /// When the decoded bytes do not fit, or are not UTF-8.
    ///
    /// ```
    /// let mut out = [0; 16];
    /// assert_eq!(azure_auth::Encoded::new("c%2F1%20%C3%A9").decode(&mut out), Ok("c/1 é"));
    /// ```
    pub fn decode<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, NotUtf8> {
        let bytes = self.decode_bytes(out)?;
        core::str::from_utf8(bytes).map_err(|_| NotUtf8::NotUtf8)
    }
}

impl fmt::Debug for Encoded<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

struct Decoder<'a> {
    rest: Peekable<slice::Iter<'a, u8>>,
}

impl Iterator for Decoder<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let byte = *self.rest.next()?;
        if byte != b'%' {
            return Some(byte);
        }
        let mut ahead = self.rest.clone();
        let high = ahead.next().copied().and_then(hex_digit);
        let low = ahead.next().copied().and_then(hex_digit);
        match (high, low) {
            (Some(high), Some(low)) => {
                self.rest = ahead;
                Some(high << 4 | low)
            }
            _ => Some(byte),
        }
    }
}

const fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::emit;

    #[test]
    fn encodes_all_but_the_unreserved_set() {
        let cases = [
            ("abcXYZ019-._~", "abcXYZ019-._~"),
            ("id 1", "id%201"),
            ("a+b", "a%2Bb"),
            (
                "d%@v:1_x.y-z(!),'*$=;",
                "d%25%40v%3A1_x.y-z%28%21%29%2C%27%2A%24%3D%3B",
            ),
            ("é", "%C3%A9"),
            ("\r\n\"\u{1a}", "%0D%0A%22%1A"),
            ("", ""),
        ];
        for (plain, encoded) in cases {
            let mut out = [0; 128];
            assert_eq!(emit(&mut out, PercentEncoded(plain)), Ok(encoded));
            let mut back = [0; 128];
            assert_eq!(Encoded::new(encoded).decode(&mut back), Ok(plain));
            assert!(Encoded::new(encoded).is(plain));
        }
    }

    #[test]
    fn impossible_escapes_stand_for_themselves() {
        let cases = [
            ("%", "%"),
            ("%4", "%4"),
            ("%zz", "%zz"),
            ("%%41", "%A"),
            ("%4%41", "%4A"),
            ("a%2", "a%2"),
            ("%2f", "/"),
            ("a+b", "a+b"),
        ];
        for (encoded, plain) in cases {
            let mut out = [0; 16];
            assert_eq!(
                Encoded::new(encoded).decode(&mut out),
                Ok(plain),
                "{encoded}"
            );
        }
    }

    #[test]
    fn decoding_reports_size_and_foreign_bytes() {
        let mut out = [0; 2];
        assert_eq!(
            Encoded::new("%41bc").decode(&mut out),
            Err(NotUtf8::BufferTooSmall(BufferTooSmall { need: 3, have: 2 }))
        );
        assert_eq!(Encoded::new("%FF").decode(&mut out), Err(NotUtf8::NotUtf8));
        assert_eq!(Encoded::new("%FF").decode_bytes(&mut out), Ok(&[0xFF][..]));
    }
}
