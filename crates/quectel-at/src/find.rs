//! Finds the bytes that end or divide a line: many at a time where the processor has room for the code, else each alone.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

/// A processor with room for code that passes over many bytes at once.
pub(crate) const WIDE: bool = cfg!(all(target_pointer_width = "64", not(narrow)));

const WORD: usize = size_of::<usize>();
/// 0x01 in every byte.
const EACH: usize = usize::MAX / 0xFF;
/// Words that are looked at together, without a jump that depends on which of them it is, since that is not foreseen.
const ROW: usize = 4;

/// Where the first byte stands for whose word `marks` sets the highest bit of that byte; it may set bits of later bytes
/// too, and no others.
#[inline(always)]
fn first(
    bytes: &[u8],
    marks: impl Fn(usize) -> usize + Copy,
    is: impl Fn(u8) -> bool + Copy,
) -> Option<usize> {
    if !WIDE {
        return bytes.iter().position(|byte| is(*byte));
    }
    match bytes.first_chunk() {
        Some(row) => match in_row(row, marks) {
            Some(at) => Some(at),
            None => further(bytes, marks),
        },
        None => short(bytes, marks, is),
    }
}

/// The same behind the first row.
#[inline(never)]
fn further(bytes: &[u8], marks: impl Fn(usize) -> usize + Copy) -> Option<usize> {
    let (rows, _) = bytes.as_chunks();
    for (n, row) in rows.iter().enumerate().skip(1) {
        if let Some(at) = in_row(row, marks) {
            return Some(n * ROW * WORD + at);
        }
    }
    // The last row may have been looked at in part.
    let row = bytes.last_chunk()?;
    in_row(row, marks).map(|at| bytes.len() - row.len() + at)
}

/// The same in less than a row.
#[inline(never)]
fn short(
    bytes: &[u8],
    marks: impl Fn(usize) -> usize + Copy,
    is: impl Fn(u8) -> bool + Copy,
) -> Option<usize> {
    let Some(last) = bytes.last_chunk::<WORD>() else {
        return bytes.iter().position(|byte| is(*byte));
    };
    let (words, _) = bytes.as_chunks::<WORD>();
    for (n, word) in words.iter().enumerate() {
        if let Some(at) = in_word(marks(usize::from_le_bytes(*word))) {
            return Some(n * WORD + at);
        }
    }
    // The last word may have been looked at in part.
    in_word(marks(usize::from_le_bytes(*last))).map(|at| bytes.len() - WORD + at)
}

#[inline(always)]
fn in_word(marks: usize) -> Option<usize> {
    let found = marks & (EACH << 7);
    (found != 0).then_some(found.trailing_zeros() as usize / 8)
}

#[inline(always)]
fn in_row(row: &[u8; ROW * WORD], marks: impl Fn(usize) -> usize) -> Option<usize> {
    let (words, _) = row.as_chunks::<WORD>();
    let [a, b, c, d] = words.first_chunk()?;
    let marks = |word: &[u8; WORD]| marks(usize::from_le_bytes(*word)) & (EACH << 7);
    let (a, b, c, d) = (marks(a), marks(b), marks(c), marks(d));
    if a | b | c | d == 0 {
        return None;
    }
    let (first, second, at) = if a | b != 0 { (a, b, 0) } else { (c, d, 2) };
    let (found, at) = if first != 0 {
        (first, at)
    } else {
        (second, at + 1)
    };
    Some(at * WORD + found.trailing_zeros() as usize / 8)
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

/// The same, where it is likely to stand among the first bytes.
#[inline(always)]
pub(crate) fn below_nearby(bytes: &[u8], floor: u8) -> Option<usize> {
    let floors = EACH * usize::from(floor);
    let marks = |word: &[u8; WORD]| {
        let word = usize::from_le_bytes(*word);
        word.wrapping_sub(floors) & !word & (EACH << 7)
    };
    let (words, _) = bytes.as_chunks();
    if let Some([a, b]) = words.first_chunk() {
        let (a, b) = (marks(a), marks(b));
        let (found, at) = if a != 0 { (a, 0) } else { (b, WORD) };
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize / 8);
        }
    }
    below(bytes, floor)
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_same_as_looking_at_each_byte(
            bytes in prop::collection::vec(prop_oneof![3 => 0x30_u8.., 1 => any::<u8>(), 1 => 0_u8..0x30], 0..90),
            wanted: u8,
            floor in 0_u8..=128,
        ) {
            let first = |is: &dyn Fn(u8) -> bool| bytes.iter().position(|byte| is(*byte));
            prop_assert_eq!(below(&bytes, floor), first(&|b| b < floor));
            prop_assert_eq!(below_nearby(&bytes, floor), first(&|b| b < floor));
            prop_assert_eq!(byte(&bytes, wanted), first(&|b| b == wanted));
        }
    }
}
