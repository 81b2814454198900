//! Decimal numbers between commas, all that most URCs hold.

/// Reads numbers one after the other. Quicker than [`quectel_at::Params`], which must look for quotes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Numbers<'a> {
    /// `None` after the last number.
    rest: Option<&'a [u8]>,
}

impl<'a> Numbers<'a> {
    pub(crate) const fn new(text: &'a [u8]) -> Self {
        Self { rest: Some(text) }
    }

    /// Whether every number has been read.
    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_none()
    }

    /// The next number; `None` at the end and where there is something else.
    #[inline]
    pub(crate) fn i32(&mut self) -> Option<i32> {
        let text = skip_spaces(self.rest?);
        let (digits, negative) = match text {
            [b'-', digits @ ..] => (digits, true),
            digits => (digits, false),
        };
        let (value, rest) = number(digits)?;
        let value = i32::try_from(value).ok()?;
        self.rest = match rest {
            [] => None,
            [b',', rest @ ..] => Some(rest),
            rest => match skip_spaces(rest) {
                [] => None,
                [b',', rest @ ..] => Some(rest),
                _ => return None,
            },
        };
        Some(if negative { -value } else { value })
    }

    /// The next number, 0 to 65,535.
    #[inline]
    pub(crate) fn u16(&mut self) -> Option<u16> {
        u16::try_from(self.i32()?).ok()
    }

    /// The next number, 0 to 255.
    #[inline]
    pub(crate) fn u8(&mut self) -> Option<u8> {
        u8::try_from(self.i32()?).ok()
    }
}

#[inline]
pub(crate) fn skip_spaces(mut text: &[u8]) -> &[u8] {
    while let [b' ', rest @ ..] = text {
        text = rest;
    }
    text
}

/// A decimal number and what follows it.
#[inline]
pub(crate) fn number(text: &[u8]) -> Option<(u32, &[u8])> {
    let mut rest = text;
    let mut sum = 0_u32;
    while let [byte, tail @ ..] = rest {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        sum = sum.checked_mul(10)?.checked_add(u32::from(digit))?;
        rest = tail;
    }
    (rest.len() < text.len()).then_some((sum, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_their_ends() {
        let cases: &[(&[u8], &[i32], bool)] = &[
            (b"0,-1", &[0, -1], true),
            (b" 0 , 65999 ", &[0, 65_999], true),
            (b"0,2147483647", &[0, i32::MAX], true),
            (b"0,2147483648", &[0], false),
            (b"0,4294967296", &[0], false),
            (b"0,\"host\",8883", &[0], false),
            (b"0,", &[0], false),
            (b"0,-", &[0], false),
            (b"0 1", &[], false),
            (b"", &[], false),
        ];
        for (text, expected, ended) in cases {
            let mut numbers = Numbers::new(text);
            let got: std::vec::Vec<_> = core::iter::from_fn(|| numbers.i32()).collect();
            assert_eq!(
                (&got[..], numbers.is_empty()),
                (*expected, *ended),
                "{}",
                text.escape_ascii()
            );
        }
    }
}
