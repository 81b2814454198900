//! Reads the comma-separated parameters of an information response or URC.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::find::{self, WIDE};

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

    /// The usual case of a decimal number: nothing but digits. Worth its flash only on a processor with room for it.
    #[inline]
    fn plain(&mut self) -> Option<u32> {
        let text = self.rest.filter(|_| WIDE)?;
        let (mut sum, mut rest) = (0_u32, text);
        while let [byte, tail @ ..] = rest
            && let digit = byte.wrapping_sub(b'0')
            && digit < 10
        {
            sum = sum.wrapping_mul(10).wrapping_add(u32::from(digit));
            rest = tail;
        }
        let digits = text.len() - rest.len();
        self.rest = match rest {
            [b',', rest @ ..] if digits > 0 && digits < 10 => Some(rest),
            [] if digits > 0 && digits < 10 => None,
            _ => return None,
        };
        Some(sum)
    }

    /// The usual case of a hex number: up to eight digits in quotes, with more behind them. Worth its flash only on a
    /// processor with room for it.
    #[inline]
    fn hex_in_quotes(&mut self) -> Option<u32> {
        let [b'"', text @ ..] = self.rest.filter(|_| WIDE)? else {
            return None;
        };
        let word = text.first_chunk()?;
        let digits = find::byte(text.get(..9)?, b'"')?;
        let [b'"', b',', rest @ ..] = text.get(digits..)? else {
            return None;
        };
        let value = hex_word(u64::from_le_bytes(*word), digits)?;
        self.rest = Some(rest);
        Some(value)
    }

    /// A number that is a whole parameter, in quotes or not. A CR ends it too, and is then the first byte of the rest:
    /// a payload may stand behind it.
    fn number(&mut self, base: u64) -> Result<u32, ParamError> {
        let text = skip_spaces(self.rest.ok_or(ParamError::Missing)?);
        let unquoted = text.strip_prefix(b"\"");
        let text = unquoted.unwrap_or(text);
        let (mut sum, mut rest) = (0_u64, text);
        while let [byte, tail @ ..] = rest
            && let value = digit(*byte)
            && value < base
        {
            sum = sum.wrapping_mul(base).wrapping_add(value);
            rest = tail;
        }
        // More would not fit, whatever the base.
        let mut fits = (1..=MOST_DIGITS).contains(&(text.len() - rest.len()));
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
        u32::try_from(sum).map_err(|_| ParamError::NotANumber)
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
    #[inline]
    pub fn i32(&mut self) -> Result<i32, ParamError> {
        if let Some(number) = self.plain() {
            return i32::try_from(number).map_err(|_| ParamError::NotANumber);
        }
        self.signed()
    }

    fn signed(&mut self) -> Result<i32, ParamError> {
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
    #[inline]
    pub fn u32(&mut self) -> Result<u32, ParamError> {
        match self.plain() {
            Some(number) => Ok(number),
            None => self.number(10),
        }
    }

    /// The next parameter as a decimal number, 0 to 65,535.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    #[inline]
    pub fn u16(&mut self) -> Result<u16, ParamError> {
        u16::try_from(self.u32()?).map_err(|_| ParamError::NotANumber)
    }

    /// The next parameter as a decimal number, 0 to 255.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    #[inline]
    pub fn u8(&mut self) -> Result<u8, ParamError> {
        u8::try_from(self.u32()?).map_err(|_| ParamError::NotANumber)
    }

    /// The next parameter as a hex number, upper or lower case, with or without `0x`, quoted or not.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    pub fn hex(&mut self) -> Result<u32, ParamError> {
        if let Some(number) = self.hex_in_quotes() {
            return Ok(number);
        }
        if let Some([b'0', b'x' | b'X', digits @ ..]) = self.rest.map(skip_spaces) {
            self.rest = Some(digits);
        }
        self.number(16)
    }
}

/// The value of a word's first digits, 1 to 8, all at a time.
#[inline]
fn hex_word(word: u64, digits: usize) -> Option<u32> {
    const EACH: u64 = u64::MAX / 0xFF;
    let aside = u32::try_from(8_usize.checked_sub(digits)?).ok()? * 8;
    // The last digit becomes the last byte; those in front become 0.
    let word = word.checked_shl(aside)?;
    // The highest bit of a byte of 7 bits that is not less than `least`.
    let from = |word: u64, least: u8| (word & EACH * 0x7F) + EACH * u64::from(0x80 - least);
    let lower = word | EACH * 0x20;
    let is_digit = from(word, b'0') & !from(word, b'9' + 1);
    let is_letter = from(lower, b'a') & !from(lower, b'f' + 1);
    let wrong = (!(is_digit | is_letter) | word) & (EACH << 7);
    if wrong >> aside != 0 {
        return None;
    }
    let values = (word & EACH * 0xF) + (word >> 6 & EACH) * 9;
    let pairs = values.swap_bytes();
    let pairs = (pairs | pairs >> 4) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs | pairs >> 8) & 0x0000_FFFF_0000_FFFF;
    u32::try_from((fours | fours >> 16) & 0xFFFF_FFFF).ok()
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
fn digit(byte: u8) -> u64 {
    let digit = byte.wrapping_sub(b'0');
    let letter = (byte | 0x20).wrapping_sub(b'a');
    u64::from(if digit < 10 {
        digit
    } else {
        letter.saturating_add(10)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
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

    proptest! {
        #[test]
        fn short_ways_give_what_the_long_way_gives(
            text in "([0-9]{1,11}|\"[0-9a-fA-F]{1,9}\"|\"[ -~]{0,9}\"|[ -~]{0,3})(,[ -~]{0,12})?",
        ) {
            let mut long = Params::new(text.as_bytes());
            let mut short = long;
            prop_assert_eq!(short.u32(), long.number(10));
            prop_assert_eq!(short.rest, long.rest);
            let mut long = Params::new(text.as_bytes());
            let mut short = long;
            if !text.contains('x') && !text.contains('X') {
                prop_assert_eq!(short.hex(), long.number(16));
                prop_assert_eq!(short.rest, long.rest);
            }
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
