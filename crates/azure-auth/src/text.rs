//! Text into a caller's buffer, with the needed length known even when it does not fit.

use core::fmt;

/// The text does not fit the buffer; nothing of it may be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the text needs {need} bytes but the buffer holds {have}: give a larger buffer or shorter names"
)]
pub struct BufferTooSmall {
    /// Length of the whole text in bytes.
    pub need: usize,
    /// Length of the buffer in bytes.
    pub have: usize,
}

impl BufferTooSmall {
    /// Kebab-case name of the error.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        "buffer-too-small"
    }
}

/// Writes what fits and counts the rest.
pub(crate) struct TextWriter<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl<'o> TextWriter<'o> {
    pub(crate) fn new(out: &'o mut [u8]) -> Self {
        Self { out, len: 0 }
    }

    pub(crate) fn finish_bytes(self) -> Result<&'o [u8], BufferTooSmall> {
        let have = self.out.len();
        let too_small = BufferTooSmall {
            need: self.len,
            have,
        };
        let out: &'o [u8] = self.out;
        out.get(..self.len).ok_or(too_small)
    }

    pub(crate) fn finish(self) -> Result<&'o str, BufferTooSmall> {
        // Only whole `str`s were copied, so this is always UTF-8.
        self.finish_bytes()
            .map(|bytes| core::str::from_utf8(bytes).unwrap_or_default())
    }
}

impl fmt::Write for TextWriter<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.len.saturating_add(text.len());
        if let Some(room) = self.out.get_mut(self.len..end) {
            room.copy_from_slice(text.as_bytes());
        }
        self.len = end;
        Ok(())
    }
}

struct Counter(usize);

impl fmt::Write for Counter {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.0 = self.0.saturating_add(text.len());
        Ok(())
    }
}

/// Writes `text` to `out`.
pub(crate) fn emit(out: &mut [u8], text: impl fmt::Display) -> Result<&str, BufferTooSmall> {
    let mut writer = TextWriter::new(out);
    pour(&mut writer, text);
    writer.finish()
}

/// The length of `text` in bytes.
pub(crate) fn length(text: impl fmt::Display) -> usize {
    let mut counter = Counter(0);
    pour(&mut counter, text);
    counter.0
}

/// Writes `text` to a sink of this crate; none of them ever reports an error.
pub(crate) fn pour(sink: &mut impl fmt::Write, text: impl fmt::Display) {
    let _ = write!(sink, "{text}");
}

/// The text without blanks and line ends around it, and without one pair of quotation marks.
pub(crate) fn unwrapped(text: &str) -> &str {
    let text = text.trim_ascii();
    let inner = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.map_or(text, str::trim_ascii)
}

/// A number of decimal digits alone: no sign, no blank.
pub(crate) fn decimal<T: core::str::FromStr>(text: &str) -> Option<T> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_fits_exactly_or_names_the_need() {
        let cases: &[(usize, Result<&str, BufferTooSmall>)] = &[
            (6, Ok("ab-123")),
            (7, Ok("ab-123")),
            (5, Err(BufferTooSmall { need: 6, have: 5 })),
            (2, Err(BufferTooSmall { need: 6, have: 2 })),
            (0, Err(BufferTooSmall { need: 6, have: 0 })),
        ];
        for (size, expected) in cases {
            let mut out = [0; 8];
            assert_eq!(
                emit(&mut out[..*size], format_args!("ab-{}", 123)),
                *expected,
                "{size}"
            );
        }
        assert_eq!(length(format_args!("ab-{}", 123)), 6);
    }

    #[test]
    fn wrapping_and_numbers() {
        for (text, expected) in [
            (" a ", "a"),
            ("\"a\"\r\n", "a"),
            ("\" a \"", "a"),
            ("\"a", "\"a"),
            ("\"", "\""),
            ("", ""),
        ] {
            assert_eq!(unwrapped(text), expected, "{text}");
        }
        for (text, expected) in [
            ("0", Some(0_u8)),
            ("255", Some(255)),
            ("256", None),
            ("+1", None),
            ("", None),
        ] {
            assert_eq!(decimal(text), expected, "{text}");
        }
    }
}
