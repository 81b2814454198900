//! Reads the comma-separated parameters of an information response or URC.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::find::{self, WIDE};

/// Why a parameter could not be read.
///
/// As wide as a number, so that either of the two comes back in registers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[repr(u32)]
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

/// 0x01 in every byte.
const EACH: u64 = u64::MAX / 0xFF;

/// The most that a number with a sign may be.
const SIGNED: u32 = i32::MAX.cast_unsigned();

/// One parameter as it stood in the line, without its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Param<'a> {
    /// The bytes between the commas or quotes.
    pub bytes: &'a [u8],
    /// Whether the parameter stood in double quotes.
    pub quoted: bool,
}

/// A parameter without its quotes.
pub(crate) struct Piece<'a> {
    pub(crate) bytes: &'a [u8],
    quotes: Quotes,
}

impl<'a> Piece<'a> {
    /// The bytes, if they stood between two quotes.
    #[inline]
    pub(crate) fn in_quotes(self) -> Option<&'a [u8]> {
        (self.quotes == Quotes::Both).then_some(self.bytes)
    }
}

#[derive(PartialEq, Eq)]
enum Quotes {
    None,
    Both,
    /// The closing one is missing.
    Open,
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

    /// The same without the spaces in front of it.
    #[cfg_attr(target_pointer_width = "64", inline)]
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    pub fn ahead(&self) -> &'a [u8] {
        skip_spaces(self.rest())
    }

    /// How many parameters are left.
    pub fn count(mut self) -> usize {
        let mut n = 0;
        while self.param().is_ok() {
            n += 1;
        }
        n
    }

    /// The next parameter. One without quotes ends at a CR too, since a payload may stand behind it.
    ///
    /// # Errors
    /// [`ParamError::Missing`] at the end of the line.
    #[inline]
    pub fn param(&mut self) -> Result<Param<'a>, ParamError> {
        let piece = self.piece().ok_or(ParamError::Missing)?;
        Ok(Param {
            bytes: piece.bytes,
            quoted: piece.quotes != Quotes::None,
        })
    }

    #[inline(never)]
    pub(crate) fn piece(&mut self) -> Option<Piece<'a>> {
        let mut text = self.ahead();
        self.rest.take()?;
        let (mut quotes, mut end) = (Quotes::None, 0);
        if let [b'"', inside @ ..] = text {
            (text, quotes, end) = (inside, Quotes::Open, inside.len());
        }
        for (at, byte) in text.iter().enumerate() {
            match (byte, &quotes) {
                (b'"', Quotes::Open) => (end, quotes) = (at, Quotes::Both),
                (_, Quotes::Open) => {}
                (b',' | b'\r', _) => {
                    self.rest = text.get(at + 1..);
                    break;
                }
                // Whatever stands between the closing quote and the comma is not a parameter of its own.
                (b' ', _) | (_, Quotes::Both) => {}
                (_, Quotes::None) => end = at + 1,
            }
        }
        let bytes = text.get(..end)?;
        Some(Piece { bytes, quotes })
    }

    /// The bytes of the next parameter, which must stand in quotes.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotQuoted`].
    #[inline(always)]
    pub fn quoted(&mut self) -> Result<&'a [u8], ParamError> {
        if let Some(bytes) = self.between_quotes() {
            return Ok(bytes);
        }
        let piece = if WIDE {
            let mut params = *self;
            let piece = params.piece();
            *self = params;
            piece
        } else {
            self.piece()
        };
        let piece = piece.ok_or(ParamError::Missing)?;
        piece.in_quotes().ok_or(ParamError::NotQuoted)
    }

    /// The usual case of a text in quotes: a comma is next to them.
    #[inline]
    fn between_quotes(&mut self) -> Option<&'a [u8]> {
        let [b'"', text @ ..] = self.rest.filter(|_| WIDE)? else {
            return None;
        };
        let (bytes, after) = text.split_at_checked(find::byte::<b'"'>(text)?)?;
        let [_, b',', rest @ ..] = after else {
            return None;
        };
        self.rest = Some(rest);
        Some(bytes)
    }

    /// The usual case of a small number: a digit alone.
    #[inline]
    fn one_digit(&mut self) -> Option<u8> {
        let text = self.rest.filter(|_| WIDE)?;
        let digit = text.first()?.wrapping_sub(b'0');
        let rest = match text {
            [_, b',', rest @ ..] if digit < 10 => Some(rest),
            [_] if digit < 10 => None,
            _ => return None,
        };
        self.rest = rest;
        Some(digit)
    }

    /// The usual case of a large number: nothing but digits, at most seven, read all at a time.
    #[inline]
    fn digits(&mut self) -> Option<u32> {
        let text = self.rest.filter(|_| WIDE)?;
        let (value, digits) = decimal_word(word(text)?)?;
        self.rest = match text.get(digits..)? {
            [b',', rest @ ..] => Some(rest),
            [] => None,
            _ => return None,
        };
        Some(value)
    }

    /// The usual case of a hex number: up to eight digits in quotes, with more behind them.
    #[inline]
    fn hex_in_quotes(&mut self) -> Option<u32> {
        let [b'"', text @ ..] = self.rest.filter(|_| WIDE)? else {
            return None;
        };
        let (value, digits) = hex_word(u64::from_le_bytes(*text.first_chunk()?))?;
        let [b'"', b',', rest @ ..] = text.get(digits..)? else {
            return None;
        };
        self.rest = Some(rest);
        Some(value)
    }

    /// [`Params::number`], apart from the usual cases: they keep in registers what no reference is taken of.
    #[inline(always)]
    fn number_apart(&mut self, base: u32, most: u32) -> Result<u32, ParamError> {
        if !WIDE {
            return self.number(base, most);
        }
        let mut params = *self;
        let number = params.number(base, most);
        *self = params;
        number
    }

    /// A number of at most `most` that is a whole parameter, in quotes or not.
    #[inline(never)]
    pub(crate) fn number(&mut self, base: u32, most: u32) -> Result<u32, ParamError> {
        let Some(Piece {
            bytes: digits,
            quotes,
        }) = self.piece()
        else {
            return Err(ParamError::Missing);
        };
        let mut digits = digits;
        let mut minus = false;
        if let ([b'-', behind @ ..], SIGNED) = (digits, most) {
            (digits, minus) = (behind, true);
        }
        if quotes == Quotes::Open || digits.is_empty() {
            return Err(ParamError::NotANumber);
        }
        let mut sum = 0_u32;
        for byte in digits {
            let value = digit(*byte);
            let next = u64::from(sum) * u64::from(base) + u64::from(value);
            sum = match u32::try_from(next) {
                Ok(next) if value < base && next <= most => next,
                _ => return Err(ParamError::NotANumber),
            };
        }
        Ok(if minus { sum.wrapping_neg() } else { sum })
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

    /// The next parameter as a signed decimal number, -2,147,483,647 to 2,147,483,647.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    #[inline(always)]
    pub fn i32(&mut self) -> Result<i32, ParamError> {
        match self.one_digit() {
            Some(number) => Ok(i32::from(number)),
            None => self.number_apart(10, SIGNED).map(u32::cast_signed),
        }
    }

    /// The next parameter as a decimal number, 0 to 4,294,967,295.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    #[inline(always)]
    pub fn u32(&mut self) -> Result<u32, ParamError> {
        match self.digits() {
            Some(number) => Ok(number),
            None => self.number_apart(10, u32::MAX),
        }
    }

    /// The next parameter as a decimal number, 0 to 65,535.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    #[inline(always)]
    pub fn u16(&mut self) -> Result<u16, ParamError> {
        if let Some(number) = self.digits() {
            return u16::try_from(number).map_err(|_| ParamError::NotANumber);
        }
        let [low, high, ..] = self.number_apart(10, 0xFFFF)?.to_le_bytes();
        Ok(u16::from_le_bytes([low, high]))
    }

    /// The next parameter as a decimal number, 0 to 255.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    #[inline(always)]
    pub fn u8(&mut self) -> Result<u8, ParamError> {
        if let Some(number) = self.one_digit() {
            return Ok(number);
        }
        let [low, ..] = self.number_apart(10, 0xFF)?.to_le_bytes();
        Ok(low)
    }

    /// The next parameter as a hex number, upper or lower case, with or without `0x`, quoted or not.
    ///
    /// # Errors
    /// [`ParamError::Missing`]; [`ParamError::NotANumber`].
    pub fn hex(&mut self) -> Result<u32, ParamError> {
        let mut ahead = *self;
        match self.hex_digits(u32::MAX) {
            Err(ParamError::NotANumber) => match ahead.bytes()? {
                [b'0', b'x' | b'X', digits @ ..] => Params::new(digits).number(16, u32::MAX),
                _ => Err(ParamError::NotANumber),
            },
            number => number,
        }
    }

    /// The same without `0x`, at most `most`.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub(crate) fn hex_digits(&mut self, most: u32) -> Result<u32, ParamError> {
        match self.hex_in_quotes() {
            Some(number) if number <= most => Ok(number),
            Some(_) => Err(ParamError::NotANumber),
            None => self.number_apart(16, most),
        }
    }
}

/// The place of a word in a list, in which each word ends with a NUL: one text takes less flash than many. How many
/// words there are if it is none of them.
#[inline(never)]
pub(crate) fn place(list: &[u8], word: &[u8]) -> usize {
    let (mut place, mut rest) = (0, Some(word));
    for byte in list {
        if *byte == 0 {
            if rest.is_some_and(<[u8]>::is_empty) {
                break;
            }
            place += 1;
            rest = Some(word);
        } else {
            rest = match rest {
                Some([first, behind @ ..]) if first == byte => Some(behind),
                _ => None,
            };
        }
    }
    place
}

/// The first eight bytes of a text of at least four, with zeros behind a shorter one.
#[inline]
fn word(text: &[u8]) -> Option<u64> {
    if let Some(word) = text.first_chunk() {
        return Some(u64::from_le_bytes(*word));
    }
    let first = u32::from_le_bytes(*text.first_chunk()?);
    let last = u32::from_le_bytes(*text.last_chunk()?);
    // Where both have a byte it is the same.
    Some(u64::from(first) | (u64::from(last) << (text.len() * 8 - 32)))
}

/// The value of the decimal digits that a word begins with, 1 to 7, and how many there are.
#[inline(always)]
pub(crate) fn decimal_word(word: u64) -> Option<(u32, usize)> {
    let values = word ^ (EACH * u64::from(b'0'));
    // The highest bit of each byte that is no digit; wrong behind the first of them, where it does not matter.
    let others = (values.wrapping_add(EACH * (0x80 - 10)) | values) & (EACH << 7);
    if others == 0 || others & 0x80 != 0 {
        return None;
    }
    let digits = others.trailing_zeros() / 8;
    // The last digit becomes the last byte; those in front become 0.
    let values = values << ((64 - digits * 8) & 63);
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let even = (pairs & 0xFF_0000_00FF).wrapping_mul(100 + (1_000_000 << 32));
    let odd = ((pairs >> 16) & 0xFF_0000_00FF).wrapping_mul(1 + (10_000 << 32));
    let sum = u32::try_from(even.wrapping_add(odd) >> 32).ok()?;
    Some((sum, digits as usize))
}

/// The value of the hex digits that a word begins with, 1 to 8, and how many there are.
#[inline]
fn hex_word(word: u64) -> Option<(u32, usize)> {
    // The highest bit of a byte of 7 bits that is not less than `least`.
    let from = |word: u64, least: u8| (word & (EACH * 0x7F)) + EACH * u64::from(0x80 - least);
    let lower = word | (EACH * 0x20);
    let is_digit = from(word, b'0') & !from(word, b'9' + 1);
    let is_letter = from(lower, b'a') & !from(lower, b'f' + 1);
    let others = (!(is_digit | is_letter) | word) & (EACH << 7);
    let digits = others.trailing_zeros() / 8;
    // The last digit becomes the last byte; those in front become 0.
    let word = word.checked_shl(64 - digits * 8)?;
    let values = (word & (EACH * 0xF)) + ((word >> 6) & EACH) * 9;
    let pairs = values.swap_bytes();
    let pairs = (pairs | (pairs >> 4)) & 0x00FF_00FF_00FF_00FF;
    let fours = (pairs | (pairs >> 8)) & 0x0000_FFFF_0000_FFFF;
    let sum = u32::try_from((fours | (fours >> 16)) & 0xFFFF_FFFF).ok()?;
    Some((sum, digits as usize))
}

#[inline(always)]
fn skip_spaces(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] = text {
        text = rest;
    }
    text
}

/// The value of a digit of any base up to 16; 16 or more for other bytes.
#[inline]
fn digit(byte: u8) -> u32 {
    let digit = byte.wrapping_sub(b'0');
    let letter = (byte | 0x20).wrapping_sub(b'a');
    u32::from(if digit < 10 {
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
            prop_assert_eq!(short.u32(), long.number(10, u32::MAX));
            prop_assert_eq!(short.rest, long.rest);
            let (mut long, mut short) = (Params::new(text.as_bytes()), Params::new(text.as_bytes()));
            prop_assert_eq!(short.u8().map(u32::from), long.number(10, 0xFF));
            prop_assert_eq!(short.rest, long.rest);
            let (mut long, mut short) = (Params::new(text.as_bytes()), Params::new(text.as_bytes()));
            prop_assert_eq!(short.i32().map(i32::cast_unsigned), long.number(10, SIGNED));
            prop_assert_eq!(short.rest, long.rest);
            let (mut long, mut short) = (Params::new(text.as_bytes()), Params::new(text.as_bytes()));
            prop_assert_eq!(short.quoted().ok(), long.piece().and_then(Piece::in_quotes));
            prop_assert_eq!(short.rest, long.rest);
            let mut long = Params::new(text.as_bytes());
            let mut short = long;
            if !text.contains('x') && !text.contains('X') {
                prop_assert_eq!(short.hex(), long.number(16, u32::MAX));
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
        assert_eq!(Params::new(b"--1").i32(), Err(ParamError::NotANumber));
        assert_eq!(Params::new(b"5-3").i32(), Err(ParamError::NotANumber));
        assert_eq!(Params::new(b"-5").u32(), Err(ParamError::NotANumber));
        assert_eq!(Params::new(b"\"12").u32(), Err(ParamError::NotANumber));
        assert_eq!(Params::new(b"0XC02f").hex(), Ok(0xC02F));
        assert_eq!(Params::new(b"\"0x1A\",2").hex(), Ok(0x1A));
        assert_eq!(Params::new(b"0xG").hex(), Err(ParamError::NotANumber));
        assert_eq!(Params::new(b"f5f").hex(), Ok(0xF5F));
        assert_eq!(Params::new(b"123456789").hex(), Err(ParamError::NotANumber));
    }
}
