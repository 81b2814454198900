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
    /// The parameter does not stand in double quotes, or its closing quote is missing.
    #[error("a parameter does not stand in double quotes")]
    NotQuoted,
    /// The line does not begin with the expected name.
    #[error("the line has another name than expected")]
    WrongName,
}

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
        let text = skip_spaces(self.rest.ok_or(ParamError::Missing)?);
        let unquoted = text.strip_prefix(b"\"");
        let text = unquoted.unwrap_or(text);
        let end = if unquoted.is_some() { b'"' } else { b',' };
        let end = find::byte(text, end).unwrap_or(text.len());
        let (bytes, after) = text.split_at_checked(end).unwrap_or((text, &[]));
        // Whatever stands between the closing quote and the comma is not a parameter of its own.
        self.rest = find::byte(after, b',').and_then(|comma| after.get(comma + 1..));
        Ok(Param {
            bytes: if unquoted.is_some() {
                bytes
            } else {
                bytes.trim_ascii_end()
            },
            quoted: unquoted.is_some(),
        })
    }

    /// The bytes of the next parameter, which must stand in quotes.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotQuoted`], then nothing has been read.
    pub fn quoted(&mut self) -> Result<&'a [u8], ParamError> {
        let text = skip_spaces(self.rest.ok_or(ParamError::Missing)?);
        let text = text.strip_prefix(b"\"").ok_or(ParamError::NotQuoted)?;
        let end = find::byte(text, b'"').and_then(|end| text.split_at_checked(end));
        let (bytes, after) = end.ok_or(ParamError::NotQuoted)?;
        self.rest = match after {
            [_, b',', rest @ ..] => Some(rest),
            after => find::byte(after, b',').and_then(|comma| after.get(comma + 1..)),
        };
        Ok(bytes)
    }

    /// A number that is a whole parameter, in quotes or not. A CR ends it too, and is then the first byte of the rest:
    /// a payload may stand behind it.
    #[inline]
    fn number(&mut self, base: u32) -> Result<u32, ParamError> {
        let text = skip_spaces(self.rest.ok_or(ParamError::Missing)?);
        let unquoted = text.strip_prefix(b"\"");
        let text = unquoted.unwrap_or(text);
        let (mut sum, mut fits, mut rest) = (0_u32, true, text);
        while let [byte, tail @ ..] = rest
            && let value = digit(*byte)
            && value < base
        {
            let wide = u64::from(sum) * u64::from(base) + u64::from(value);
            fits &= wide >> 32 == 0;
            sum = (wide & u64::from(u32::MAX)) as u32;
            rest = tail;
        }
        fits &= rest.len() < text.len();
        if unquoted.is_some() {
            fits &= rest.first() == Some(&b'"');
            rest = rest.get(1..).unwrap_or_default();
        }
        self.rest = match skip_spaces(rest) {
            [] if fits => None,
            [b',', rest @ ..] if fits => Some(rest),
            rest @ [b'\r', ..] if fits => Some(rest),
            _ => {
                self.param()?;
                return Err(ParamError::NotANumber);
            }
        };
        Ok(sum)
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
        let text = self.rest.map(skip_spaces);
        let (text, negative) = match text {
            Some([b'-', digits @ ..]) => (Some(digits), true),
            text => (text, false),
        };
        self.rest = text;
        let value = i32::try_from(self.number(10)?).map_err(|_| ParamError::NotANumber)?;
        Ok(if negative { -value } else { value })
    }

    /// The next parameter as a decimal number, 0 to 4,294,967,295.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    pub fn u32(&mut self) -> Result<u32, ParamError> {
        self.number(10)
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
        if let Some([b'0', b'x' | b'X', digits @ ..]) = self.rest.map(skip_spaces) {
            self.rest = Some(digits);
        }
        self.number(16)
    }
}

#[inline]
fn skip_spaces(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] = text {
        text = rest;
    }
    text
}

/// The value of a digit of any base up to 16; 16 or more for other bytes.
#[inline]
fn digit(byte: u8) -> u32 {
    let letter = (byte | 0x20).wrapping_sub(b'a');
    let digit = byte.wrapping_sub(b'0');
    u32::from(if digit < 10 {
        digit
    } else {
        letter.saturating_add(10)
    })
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
