//! Finds the bytes that end or divide a line: many at a time where the processor has room for the code, else each alone.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

/// A processor with room for code that passes over many bytes at once.
pub(crate) const WIDE: bool = cfg!(all(target_pointer_width = "64", not(narrow)));

/// Bytes that are looked at together.
const ROW: usize = 16;
/// The same where there are less.
const HALF: usize = ROW / 2;

/// One bit for each byte that `is`, the first in the lowest place.
///
/// In this form, alone in a loop, compilers make one comparison of vectors of it, and a mask of their signs.
#[inline(always)]
fn bits<const N: usize>(row: &[u8; N], is: impl Fn(u8) -> bool + Copy) -> u64 {
    let mut bits = 0;
    let mut at = 0;
    let (pairs, _) = row.as_chunks();
    for [first, second] in pairs {
        bits |= (u64::from(is(*first)) | (u64::from(is(*second)) << 1)) << at;
        at += 2;
    }
    bits
}

/// Where the first byte stands that `is`.
#[inline(always)]
fn first(bytes: &[u8], is: impl Fn(u8) -> bool + Copy) -> Option<usize> {
    if !WIDE {
        return bytes.iter().position(|byte| is(*byte));
    }
    let (rows, _) = bytes.as_chunks::<ROW>();
    let mut at = 0;
    for row in rows {
        let found = bits(row, is);
        if found != 0 {
            return Some(at + found.trailing_zeros() as usize);
        }
        at += ROW;
    }
    last(bytes, is)
}

/// The same in less than a row, or in the last row, which may have been looked at in part.
#[inline(never)]
fn last(bytes: &[u8], is: impl Fn(u8) -> bool + Copy) -> Option<usize> {
    if let Some(row) = bytes.last_chunk::<ROW>() {
        let found = bits(row, is);
        return (found != 0).then(|| bytes.len() - ROW + found.trailing_zeros() as usize);
    }
    let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk::<HALF>()) else {
        return bytes.iter().position(|byte| is(*byte));
    };
    let found = bits::<HALF>(first, is);
    if found != 0 {
        return Some(found.trailing_zeros() as usize);
    }
    let found = bits(last, is);
    (found != 0).then(|| bytes.len() - HALF + found.trailing_zeros() as usize)
}

/// What stands behind this beginning of a text: a call for each takes less flash than `memcmp` and what surrounds it.
#[cfg_attr(target_pointer_width = "64", inline(always))]
#[cfg_attr(not(target_pointer_width = "64"), inline(never))]
pub(crate) fn after<'a>(text: &'a [u8], beginning: &[u8]) -> Option<&'a [u8]> {
    if WIDE {
        return text.strip_prefix(beginning);
    }
    let mut text = text;
    for byte in beginning {
        text = match text {
            [first, rest @ ..] if first == byte => rest,
            _ => return None,
        };
    }
    Some(text)
}

/// Where the first byte stands that is less than `FLOOR`, or no ASCII.
#[cfg(any(test, all(target_pointer_width = "64", not(narrow))))]
#[inline(always)]
pub(crate) fn below<const FLOOR: u8>(bytes: &[u8]) -> Option<usize> {
    first(bytes, |byte| byte.cast_signed() < FLOOR.cast_signed())
}

/// Where this byte stands first.
#[inline(always)]
pub(crate) fn byte<const WANTED: u8>(bytes: &[u8]) -> Option<usize> {
    first(bytes, |byte| byte == WANTED)
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
        }
    }
}
