//! Finds the bytes that end or divide a line: many at a time where the processor has room for the code, else each alone.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

/// A processor with room for code that passes over many bytes at once.
pub(crate) const WIDE: bool = cfg!(all(target_pointer_width = "64", not(narrow)));

/// Bytes that are looked at together.
const ROW: usize = 16;
/// The same where there are less.
const HALF: usize = ROW / 2;

/// 0x01 in every byte.
const EACH: u64 = u64::MAX / 0xFF;

/// What is looked for.
trait Wanted: Copy {
    fn is(self, byte: u8) -> bool;

    /// The highest bit of the first byte that is wanted; of those behind it, and of no others, it may be set too.
    fn marks(self, word: u64) -> u64;
}

/// A byte less than this, or no ASCII.
#[cfg(any(test, all(target_pointer_width = "64", not(narrow))))]
#[derive(Clone, Copy)]
struct Below<const FLOOR: u8>;

#[cfg(any(test, all(target_pointer_width = "64", not(narrow))))]
impl<const FLOOR: u8> Wanted for Below<FLOOR> {
    #[inline(always)]
    fn is(self, byte: u8) -> bool {
        byte.cast_signed() < FLOOR.cast_signed()
    }

    #[inline(always)]
    fn marks(self, word: u64) -> u64 {
        word.wrapping_sub(EACH * u64::from(FLOOR)) | word
    }
}

/// This byte.
#[derive(Clone, Copy)]
struct Byte<const WANTED: u8>;

impl<const WANTED: u8> Wanted for Byte<WANTED> {
    #[inline(always)]
    fn is(self, byte: u8) -> bool {
        byte == WANTED
    }

    #[inline(always)]
    fn marks(self, word: u64) -> u64 {
        let zero = word ^ (EACH * u64::from(WANTED));
        zero.wrapping_sub(EACH) & !zero
    }
}

/// By one comparison of vectors: in this form, alone in a loop, compilers for x86-64 see that the bits are those of a mask.
#[inline(always)]
fn by_vector<const N: usize>(row: &[u8; N], wanted: impl Wanted) -> Option<usize> {
    let mut bits = 0;
    let mut at = 0;
    let (pairs, _) = row.as_chunks();
    for [first, second] in pairs {
        bits |= (u64::from(wanted.is(*first)) | (u64::from(wanted.is(*second)) << 1)) << at;
        at += 2;
    }
    (bits != 0).then_some(bits.trailing_zeros() as usize)
}

/// Eight bytes at a time.
#[inline(always)]
fn by_words<const N: usize>(row: &[u8; N], wanted: impl Wanted) -> Option<usize> {
    let (words, _) = row.as_chunks();
    let mut at = 0;
    for word in words {
        let marks = wanted.marks(u64::from_le_bytes(*word)) & (EACH << 7);
        if marks != 0 {
            return Some(at + marks.trailing_zeros() as usize / 8);
        }
        at += size_of::<u64>();
    }
    None
}

#[inline(always)]
fn in_row<const N: usize>(row: &[u8; N], wanted: impl Wanted) -> Option<usize> {
    if cfg!(target_arch = "x86_64") {
        by_vector(row, wanted)
    } else {
        by_words(row, wanted)
    }
}

/// Where the first byte stands that is wanted.
#[inline(always)]
fn first(bytes: &[u8], wanted: impl Wanted) -> Option<usize> {
    if !WIDE {
        return bytes.iter().position(|byte| wanted.is(*byte));
    }
    let (rows, _) = bytes.as_chunks::<ROW>();
    let mut at = 0;
    for row in rows {
        if let Some(found) = in_row(row, wanted) {
            return Some(at + found);
        }
        at += ROW;
    }
    last(bytes, wanted)
}

/// The same in less than a row, or in the last row, which may have been looked at in part.
#[inline(never)]
fn last(bytes: &[u8], wanted: impl Wanted) -> Option<usize> {
    if let Some(row) = bytes.last_chunk::<ROW>() {
        return in_row(row, wanted).map(|at| bytes.len() - ROW + at);
    }
    let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) else {
        return bytes.iter().position(|byte| wanted.is(*byte));
    };
    match in_row::<HALF>(first, wanted) {
        Some(at) => Some(at),
        None => in_row::<HALF>(last, wanted).map(|at| bytes.len() - HALF + at),
    }
}

/// What stands behind this beginning of a text: a call for each takes less flash than `memcmp` and what surrounds it.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) fn after<'a>(text: &'a [u8], beginning: &[u8]) -> Option<&'a [u8]> {
    if WIDE {
        return text.strip_prefix(beginning);
    }
    for (at, byte) in beginning.iter().enumerate() {
        if text.get(at) != Some(byte) {
            return None;
        }
    }
    text.get(beginning.len()..)
}

/// Where the first byte stands that is less than `FLOOR`, or no ASCII.
#[cfg(any(test, all(target_pointer_width = "64", not(narrow))))]
#[inline(always)]
pub(crate) fn below<const FLOOR: u8>(bytes: &[u8]) -> Option<usize> {
    first(bytes, Below::<FLOOR>)
}

/// Where this byte stands first.
#[inline(always)]
pub(crate) fn byte<const WANTED: u8>(bytes: &[u8]) -> Option<usize> {
    first(bytes, Byte::<WANTED>)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_same_as_looking_at_each_byte(
            bytes in prop::collection::vec(prop_oneof![3 => 0x30_u8.., 1 => any::<u8>(), 1 => 0_u8..0x30], 0..90),
        ) {
            let first = |is: &dyn Fn(u8) -> bool| bytes.iter().position(|b| is(*b));
            prop_assert_eq!(below::<14>(&bytes), first(&|b| !(14..128).contains(&b)));
            prop_assert_eq!(below::<0x23>(&bytes), first(&|b| !(0x23..128).contains(&b)));
            prop_assert_eq!(byte::<b'"'>(&bytes), first(&|b| b == b'"'));
            // Either way, whatever this processor prefers.
            for row in bytes.as_chunks::<ROW>().0 {
                prop_assert_eq!(by_words(row, Below::<14>), by_vector(row, Below::<14>));
                prop_assert_eq!(by_words(row, Below::<0x23>), by_vector(row, Below::<0x23>));
                prop_assert_eq!(by_words(row, Byte::<b'"'>), by_vector(row, Byte::<b'"'>));
            }
        }
    }
}
