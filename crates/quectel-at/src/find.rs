//! Finds the bytes that end or divide a line.
//!
//! A word is looked at at a time: what stands in front of these bytes is short, and this takes little flash. Where it is
//! long, processors with vectors go on with the crate memchr.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

const WORD: usize = size_of::<usize>();
/// 0x01 in every byte.
const EACH: usize = usize::MAX / 0xFF;

/// Where the first byte stands for whose word `marks` sets the highest bit of that byte; it may set bits of later bytes
/// too, and no others.
#[inline(always)]
fn first(bytes: &[u8], marks: impl Fn(usize) -> usize, is: impl Fn(u8) -> bool) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<WORD>();
    for (n, word) in words.iter().enumerate() {
        let found = marks(usize::from_le_bytes(*word)) & (EACH << 7);
        if found != 0 {
            return Some(n * WORD + found.trailing_zeros() as usize / 8);
        }
    }
    let n = rest.iter().position(|byte| is(*byte))?;
    Some(words.len() * WORD + n)
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
    if cfg!(target_pointer_width = "64") {
        let far = |far: &[u8]| memchr::memchr2(b'\r', b'\n', far);
        return near_or_far(bytes, *b"\r\n", line_end_by_words, far);
    }
    line_end_by_words(bytes)
}

/// Where the first double quote, CR or LF stands.
#[inline]
pub(crate) fn quote_or_end(bytes: &[u8]) -> Option<usize> {
    if cfg!(target_pointer_width = "64") {
        let far = |far: &[u8]| memchr::memchr3(b'"', b'\r', b'\n', far);
        return near_or_far(bytes, *b"\"\r\n", quote_or_end_by_words, far);
    }
    quote_or_end_by_words(bytes)
}

/// Words that are looked at together before vectors are worth their start.
const NEAR: usize = 4;

/// Where one of these bytes stands first: among the next few words without a jump that depends on where, since that is
/// not foreseen; behind them as `far` finds it, and in what is short as `short` does.
#[inline(always)]
fn near_or_far<const N: usize>(
    bytes: &[u8],
    wanted: [u8; N],
    short: impl Fn(&[u8]) -> Option<usize>,
    far: impl Fn(&[u8]) -> Option<usize>,
) -> Option<usize> {
    let (words, _) = bytes.as_chunks::<WORD>();
    let Some([a, b, c, d]) = words.first_chunk::<NEAR>() else {
        return short(bytes);
    };
    let marks = |word: &[u8; WORD]| {
        let word = usize::from_le_bytes(*word);
        let zeros = wanted.map(|byte| {
            let zero = word ^ (EACH * usize::from(byte));
            zero.wrapping_sub(EACH) & !zero
        });
        zeros.into_iter().fold(0, |all, zero| all | zero) & (EACH << 7)
    };
    let (a, b, c, d) = (marks(a), marks(b), marks(c), marks(d));
    let (first, second, at) = if a | b != 0 { (a, b, 0) } else { (c, d, 2) };
    let (found, at) = if first != 0 {
        (first, at)
    } else {
        (second, at + 1)
    };
    if found != 0 {
        return Some(at * WORD + found.trailing_zeros() as usize / 8);
    }
    Some(NEAR * WORD + far(bytes.get(NEAR * WORD..)?)?)
}

#[inline]
fn line_end_by_words(bytes: &[u8]) -> Option<usize> {
    below_matching(bytes, b'\r' + 1, |byte| matches!(byte, b'\r' | b'\n'))
}

#[inline]
fn quote_or_end_by_words(bytes: &[u8]) -> Option<usize> {
    below_matching(bytes, b'"' + 1, |byte| matches!(byte, b'"' | b'\r' | b'\n'))
}

#[inline(always)]
fn below_matching(bytes: &[u8], floor: u8, is: impl Fn(u8) -> bool) -> Option<usize> {
    let mut at = 0;
    loop {
        at += below(bytes.get(at..)?, floor)?;
        if is(*bytes.get(at)?) {
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
        fn the_same_as_looking_at_each_byte(
            bytes in prop::collection::vec(prop_oneof![3 => 0x30_u8.., 1 => any::<u8>(), 1 => 0_u8..0x30], 0..60),
            wanted: u8,
            floor in 0_u8..=128,
        ) {
            let first = |is: &dyn Fn(u8) -> bool| bytes.iter().position(|byte| is(*byte));
            let end = first(&|b| matches!(b, b'\r' | b'\n'));
            let quote = first(&|b| matches!(b, b'"' | b'\r' | b'\n'));
            prop_assert_eq!(below(&bytes, floor), first(&|b| b < floor));
            prop_assert_eq!(byte(&bytes, wanted), first(&|b| b == wanted));
            prop_assert_eq!([line_end(&bytes), line_end_by_words(&bytes)], [end; 2]);
            prop_assert_eq!([quote_or_end(&bytes), quote_or_end_by_words(&bytes)], [quote; 2]);
        }
    }
}
