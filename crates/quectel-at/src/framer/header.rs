//! What stands in front of a payload, and where it leads.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::Framer;
use crate::{Params, find};

/// Digits of a length.
const DIGITS: usize = 10;

/// Bytes in front of a payload that are looked at: `",4294967295,` and a few spaces.
pub(super) const LOOK_BACK: usize = 16;

/// What stands between the first quoted parameter and the payload.
pub(super) enum Length {
    /// Only a comma.
    None,
    /// The length.
    Is(u32),
    /// Something else.
    Other,
}

impl Framer<'_> {
    /// What stands between the first quoted parameter and `input[at]`, which is this byte: a quote or CR.
    pub(super) fn length_before(&self, input: &[u8], at: usize, byte: u8) -> Length {
        let mut back = Back {
            framer: self,
            input,
            at,
            back: 1,
        };
        back.skip(b' ');
        if byte == b'"' && !back.skip_one(b',') {
            return Length::Other;
        }
        back.skip(b' ');
        let (mut length, mut unit) = (Some(0_u32), Some(1_u32));
        let mut digits = 0;
        while let Some(digit @ b'0'..=b'9') = back.byte() {
            let value = unit.and_then(|unit| unit.checked_mul(u32::from(digit - b'0')));
            length = length
                .zip(value)
                .and_then(|(sum, value)| sum.checked_add(value));
            unit = unit.and_then(|unit| unit.checked_mul(10));
            digits += 1;
            back.back += 1;
        }
        if digits == 0 {
            return if back.byte() == Some(b'"') {
                Length::None
            } else {
                Length::Other
            };
        }
        back.skip(b' ');
        let comma = back.skip_one(b',');
        back.skip(b' ');
        match length {
            Some(length) if comma && digits <= DIGITS && back.byte() == Some(b'"') => {
                Length::Is(length)
            }
            _ => Length::Other,
        }
    }

    /// The byte of the line so many bytes in front of `input[at]`, at most [`LOOK_BACK`].
    pub(super) fn before(&self, input: &[u8], at: usize, back: usize) -> Option<u8> {
        match at.checked_sub(back) {
            Some(n) => input.get(n).copied(),
            None if self.len <= self.buf.len() => {
                self.buf.get((self.len + at).checked_sub(back)?).copied()
            }
            None => self.tail.get((LOOK_BACK + at).checked_sub(back)?).copied(),
        }
    }
}

/// Reads a line backwards, as far as [`LOOK_BACK`].
struct Back<'a> {
    framer: &'a Framer<'a>,
    input: &'a [u8],
    at: usize,
    back: usize,
}

impl Back<'_> {
    fn byte(&self) -> Option<u8> {
        if self.back > LOOK_BACK {
            return None;
        }
        self.framer.before(self.input, self.at, self.back)
    }

    fn skip_one(&mut self, byte: u8) -> bool {
        let is = self.byte() == Some(byte);
        self.back += usize::from(is);
        is
    }

    fn skip(&mut self, byte: u8) {
        while self.skip_one(byte) {}
    }
}

/// The length in front of a payload in quotes and how many bytes come before the payload, if all are here.
pub(super) fn counted_ahead(text: &[u8]) -> Option<(u32, usize)> {
    let mut rest = text.strip_prefix(b",")?;
    let mut length = 0_u32;
    while let [digit @ b'0'..=b'9', tail @ ..] = rest {
        length = length
            .checked_mul(10)?
            .checked_add(u32::from(digit - b'0'))?;
        rest = tail;
    }
    let used = text.len() - rest.strip_prefix(b",\"")?.len();
    // A comma, the digits, a comma, a quote.
    (4..=DIGITS + 3).contains(&used).then_some((length, used))
}

/// The length that a line such as `+QIURC: "recv",0,5` tells at this place of its parameters; `cut` if only the
/// beginning of the line is known.
pub(super) fn data_length(line: &[u8], place: usize, cut: bool) -> Option<u32> {
    let colon = find::byte(line, b':')?;
    let text = line.get(colon + 1..)?;
    let text = text.strip_prefix(b" ").unwrap_or(text);
    if text.starts_with(b"\"") && !text.starts_with(b"\"recv\",") {
        return None;
    }
    let mut params = Params::new(text);
    for _ in 0..place {
        params.param().ok()?;
    }
    let length = params.u32().ok();
    // The number may have been cut too.
    length.filter(|_| !cut || !params.is_empty())
}
