//! Reads the comma-separated parameters of an information response or URC.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::find;

/// Why a parameter could not be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ParamError {
    /// The line ends before this parameter.
    #[error("the line has fewer parameters than expected")]
    Missing,
    /// The parameter is not a number, or does not fit its range.
    #[error("a parameter is not a number in its range")]
    NotANumber,
    /// The parameter is not UTF-8 text.
    #[error("a parameter is not UTF-8 text")]
    NotText,
    /// The line does not begin with the expected name.
    #[error("the line has another name than expected")]
    WrongName,
}

/// Digits that fit 64 bits in every base up to 16.
const MOST_DIGITS: usize = 16;

/// One parameter as it stood in the line, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param<'a> {
    /// The bytes between the commas or quotes.
    pub bytes: &'a [u8],
    /// Whether the parameter stood in double quotes.
    pub quoted: bool,
}

/// Iterates over parameters: numbers, hex numbers and quoted strings, with commas inside quotes kept.
///
/// ```
/// use quectel_at::Params;
/// let mut p = Params::new(b"0,\"UFS:a,b.pem\",4f54");
/// assert_eq!(p.u8(), Ok(0));
/// assert_eq!(p.bytes(), Ok(&b"UFS:a,b.pem"[..]));
/// assert_eq!(p.hex(), Ok(0x4f54));
/// assert!(p.is_empty());
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Params<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Params<'a> {
    /// Reads the text after `+NAME: `.
    pub const fn new(text: &'a [u8]) -> Self {
        Self { rest: Some(text) }
    }

    /// Whether every parameter has been read.
    pub const fn is_empty(&self) -> bool {
        self.rest.is_none()
    }

    /// What has not been read yet, as it stands.
    pub fn rest(&self) -> &'a [u8] {
        self.rest.unwrap_or_default()
    }

    /// How many parameters are left.
    pub fn count(mut self) -> usize {
        let mut n = 0;
        while self.param().is_ok() {
            n += 1;
        }
        n
    }

    /// The next parameter.
    ///
    /// # Errors
    /// [`ParamError::Missing`] at the end of the line.
    pub fn param(&mut self) -> Result<Param<'a>, ParamError> {
        let mut text = self.rest.ok_or(ParamError::Missing)?;
        while let [b' ', tail @ ..] = text {
            text = tail;
        }
        if let [b'"', tail @ ..] = text {
            let (bytes, after) = split_at_byte(tail, b'"');
            self.rest = match after.unwrap_or_default() {
                [] => None,
                [b',', rest @ ..] => Some(rest),
                // Whatever stands between the closing quote and the comma is not a parameter of its own.
                after => split_at_byte(after, b',').1,
            };
            return Ok(Param {
                bytes,
                quoted: true,
            });
        }
        // Numbers are short, so each byte is looked at.
        let comma = text.iter().position(|byte| *byte == b',');
        let (bytes, after) = match comma.and_then(|at| text.split_at_checked(at)) {
            Some((before, from)) => (before, from.get(1..)),
            None => (text, None),
        };
        self.rest = after;
        Ok(Param {
            bytes: bytes.trim_ascii_end(),
            quoted: false,
        })
    }

    /// Reads digits that are a whole parameter, in quotes or not; otherwise nothing has been read.
    #[inline]
    fn digits(&mut self, base: u64, value: impl Fn(u8) -> Option<u8>) -> Option<u32> {
        let text = self.rest?;
        let text = text.strip_prefix(b" ").unwrap_or(text);
        let (text, quoted) = match text {
            [b'"', text @ ..] => (text, true),
            text => (text, false),
        };
        let mut rest = text;
        let mut sum = 0_u64;
        while let [digit, tail @ ..] = rest
            && let Some(digit) = value(*digit)
        {
            sum = sum.wrapping_mul(base).wrapping_add(u64::from(digit));
            rest = tail;
        }
        // More would not fit, whatever the base.
        if !(1..=MOST_DIGITS).contains(&(text.len() - rest.len())) {
            return None;
        }
        let number = u32::try_from(sum).ok()?;
        if quoted {
            rest = rest.strip_prefix(b"\"")?;
        }
        self.rest = match rest {
            [] => None,
            [b',', rest @ ..] => Some(rest),
            _ => return None,
        };
        Some(number)
    }

    /// The next parameter's bytes, quoted or not.
    ///
    /// # Errors
    /// [`ParamError::Missing`] at the end of the line.
    pub fn bytes(&mut self) -> Result<&'a [u8], ParamError> {
        Ok(self.param()?.bytes)
    }

    /// The next parameter as text, quoted or not.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotText`].
    pub fn text(&mut self) -> Result<&'a str, ParamError> {
        core::str::from_utf8(self.bytes()?).map_err(|_| ParamError::NotText)
    }

    /// The next parameter as a signed decimal number.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    pub fn i32(&mut self) -> Result<i32, ParamError> {
        let bytes = self.bytes()?;
        let (digits, negative) = match bytes {
            [b'-', digits @ ..] => (digits, true),
            digits => (digits, false),
        };
        let value = i32::try_from(decimal(digits)?).map_err(|_| ParamError::NotANumber)?;
        Ok(if negative { -value } else { value })
    }

    /// The next parameter as a decimal number, 0 to 4,294,967,295.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    pub fn u32(&mut self) -> Result<u32, ParamError> {
        match self.digits(10, decimal_digit) {
            Some(number) => Ok(number),
            // With spaces behind it, or not a number.
            None => decimal(self.bytes()?),
        }
    }

    /// The next parameter as a decimal number, 0 to 65,535.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    pub fn u16(&mut self) -> Result<u16, ParamError> {
        u16::try_from(self.u32()?).map_err(|_| ParamError::NotANumber)
    }

    /// The next parameter as a decimal number, 0 to 255.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    pub fn u8(&mut self) -> Result<u8, ParamError> {
        u8::try_from(self.u32()?).map_err(|_| ParamError::NotANumber)
    }

    /// The next parameter as a hex number, upper or lower case, with or without `0x`, quoted or not.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    pub fn hex(&mut self) -> Result<u32, ParamError> {
        if let Some(number) = self.digits(16, hex_digit) {
            return Ok(number);
        }
        let digits = match self.bytes()? {
            [b'0', b'x' | b'X', digits @ ..] => digits,
            digits => digits,
        };
        if digits.is_empty() || digits.len() > 8 {
            return Err(ParamError::NotANumber);
        }
        digits.iter().try_fold(0_u32, |sum, digit| {
            let value = hex_digit(*digit).ok_or(ParamError::NotANumber)?;
            Ok(sum << 4 | u32::from(value))
        })
    }
}

#[inline]
fn decimal_digit(byte: u8) -> Option<u8> {
    let value = byte.wrapping_sub(b'0');
    (value < 10).then_some(value)
}

#[inline]
fn hex_digit(byte: u8) -> Option<u8> {
    let is_letter = (byte | 0x20).wrapping_sub(b'a') < 6;
    // Computed, not chosen: whether a digit or a letter comes is not foreseen.
    let value = (byte & 0xF) + 9 * (byte >> 6 & 1);
    (is_letter | byte.is_ascii_digit()).then_some(value)
}

fn decimal(digits: &[u8]) -> Result<u32, ParamError> {
    if digits.is_empty() {
        return Err(ParamError::NotANumber);
    }
    digits.iter().try_fold(0_u32, |sum, digit| {
        let value = decimal_digit(*digit).ok_or(ParamError::NotANumber)?;
        sum.checked_mul(10)
            .and_then(|sum| sum.checked_add(u32::from(value)))
            .ok_or(ParamError::NotANumber)
    })
}

/// The bytes before the first `byte`, and those after it if there is one.
fn split_at_byte(text: &[u8], byte: u8) -> (&[u8], Option<&[u8]>) {
    match find::byte(text, byte).and_then(|at| text.split_at_checked(at)) {
        Some((before, from)) => (before, from.get(1..)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn splits_real_lines() {
        let cases: &[(&[u8], &[&[u8]])] = &[
            (b"", &[b""]),
            (b"0,-1", &[b"0", b"-1"]),
            (b"\"UFS:cacert.pem\",1280", &[b"UFS:cacert.pem", b"1280"]),
            (
                b"\"2017/01/13,03:40:48+32,0\"",
                &[b"2017/01/13,03:40:48+32,0"],
            ),
            (b"1, \"a\" , 3 ", &[b"1", b"a", b"3"]),
            (
                b"2,1,\"D509\",\"80D413D\",7",
                &[b"2", b"1", b"D509", b"80D413D", b"7"],
            ),
            (b"1,,,", &[b"1", b"", b"", b""]),
            (b"\"open", &[b"open"]),
        ];
        for (line, expected) in cases {
            let mut p = Params::new(line);
            let mut got = Vec::new();
            while let Ok(x) = p.bytes() {
                got.push(x);
            }
            assert_eq!(
                got,
                *expected,
                "{}",
                std::string::String::from_utf8_lossy(line)
            );
        }
    }

    #[test]
    fn numbers_have_ranges() {
        assert_eq!(Params::new(b"-113").i32(), Ok(-113));
        assert_eq!(Params::new(b"256").u8(), Err(ParamError::NotANumber));
        assert_eq!(
            Params::new(b"4294967296").u32(),
            Err(ParamError::NotANumber)
        );
        assert_eq!(Params::new(b"").u32(), Err(ParamError::NotANumber));
        assert_eq!(Params::new(b"-").i32(), Err(ParamError::NotANumber));
        assert_eq!(Params::new(b"0XC02f").hex(), Ok(0xC02F));
        assert_eq!(Params::new(b"f5f").hex(), Ok(0xF5F));
        assert_eq!(Params::new(b"123456789").hex(), Err(ParamError::NotANumber));
    }
}
