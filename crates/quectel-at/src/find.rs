//! Finds bytes a word at a time: what stands in front of them is short, and this takes little flash.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

const WORD: usize = size_of::<usize>();
/// 0x01 in every byte.
const EACH: usize = usize::MAX / 0xFF;

/// Where the first byte stands for whose word `marks` sets the highest bit of that byte; it may set bits of later bytes
/// too, and no others.
#[inline(always)]
fn first(bytes: &[u8], marks: impl Fn(usize) -> usize, is: impl Fn(u8) -> bool) -> Option<usize> {
    let (mut at, mut rest) = (0, bytes);
    while let Some((word, tail)) = rest.split_first_chunk::<WORD>() {
        let found = marks(usize::from_le_bytes(*word)) & (EACH << 7);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
        at += WORD;
        rest = tail;
    }
    let n = rest.iter().position(|byte| is(*byte))?;
    Some(at + n)
}

/// Where the first byte less than `floor`, which is at most 128, stands.
#[inline]
pub(crate) fn below(bytes: &[u8], floor: u8) -> Option<usize> {
    let floors = EACH * usize::from(floor);
    first(
        bytes,
        |word| word.wrapping_sub(floors) & !word,
        |byte| byte < floor,
    )
}

/// Where this byte stands first.
#[inline]
pub(crate) fn byte(bytes: &[u8], wanted: u8) -> Option<usize> {
    let each = EACH * usize::from(wanted);
    first(
        bytes,
        |word| {
            let zero = word ^ each;
            zero.wrapping_sub(EACH) & !zero
        },
        |byte| byte == wanted,
    )
}

/// Where the first CR or LF stands.
#[inline]
pub(crate) fn line_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 0;
    loop {
        at += below(bytes.get(at..)?, b'\r' + 1)?;
        if let Some(b'\r' | b'\n') = bytes.get(at) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_same_as_looking_at_each_byte(bytes in prop::collection::vec(any::<u8>(), 0..40), wanted: u8, floor in 0_u8..=128) {
            prop_assert_eq!(below(&bytes, floor), bytes.iter().position(|b| *b < floor));
            prop_assert_eq!(byte(&bytes, wanted), bytes.iter().position(|b| *b == wanted));
            prop_assert_eq!(line_end(&bytes), bytes.iter().position(|b| matches!(b, b'\r' | b'\n')));
        }
    }
}
