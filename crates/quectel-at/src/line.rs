//! One line of the module, seen as name and parameters.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::{Params, find};

/// One line of the module as it came, without its CR and LF; a counted payload is included.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    bytes: &'a [u8],
    parts: Parts,
}

/// What the quick ways of the framer have found in a line: where its first text in quotes ends, and where the payload
/// behind it begins, of which the bytes have been counted, and behind which only a quote ends the line. 0 if they have not.
#[cfg(all(target_pointer_width = "64", not(narrow)))]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Parts {
    pub(crate) text_end: u32,
    pub(crate) payload: u32,
}

/// There are no quick ways.
#[cfg(not(all(target_pointer_width = "64", not(narrow))))]
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Parts;

impl Parts {
    #[cfg(all(target_pointer_width = "64", not(narrow)))]
    const NONE: Self = Self {
        text_end: 0,
        payload: 0,
    };
    #[cfg(not(all(target_pointer_width = "64", not(narrow))))]
    const NONE: Self = Self;

    #[cfg(all(target_pointer_width = "64", not(narrow)))]
    #[inline(always)]
    fn of(self, line: &[u8]) -> Option<(&[u8], &[u8])> {
        if self.payload == 0 {
            return None;
        }
        let head = line.get(..self.text_end as usize)?;
        let (_, inside) = line.split_last()?;
        Some((head, inside.get(self.payload as usize..)?))
    }

    #[cfg(not(all(target_pointer_width = "64", not(narrow))))]
    fn of(self, _: &[u8]) -> Option<(&[u8], &[u8])> {
        None
    }
}

impl<'a> Line<'a> {
    /// Wraps the bytes of a line.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self::with(bytes, Parts::NONE)
    }

    /// The same with what the framer has found.
    #[inline(always)]
    pub(crate) const fn with(bytes: &'a [u8], parts: Parts) -> Self {
        Self { bytes, parts }
    }

    /// The line up to the closing quote of its first text, and its payload in quotes, if the framer has found and counted
    /// them already: a decoder need not look for them again. `None` says nothing about the line.
    #[inline(always)]
    pub fn counted(self) -> Option<(&'a [u8], &'a [u8])> {
        self.parts.of(self.bytes)
    }

    /// The bytes as they came.
    pub const fn bytes(self) -> &'a [u8] {
        self.bytes
    }

    /// The name before the colon, such as `+QMTOPEN`, or the whole line if it has none.
    pub fn name(self) -> &'a [u8] {
        match find::byte::<b':'>(self.bytes) {
            Some(at) => self.bytes.get(..at).unwrap_or_default().trim_ascii_end(),
            None => self.bytes.trim_ascii_end(),
        }
    }

    /// The parameters, if the line's name is `name` (such as `+QMTOPEN`).
    #[inline(always)]
    pub fn params(self, name: &[u8]) -> Option<Params<'a>> {
        self.text(name).map(Params::new)
    }

    /// What stands behind the name and the colon, if the line's name is `name`.
    #[cfg_attr(target_pointer_width = "64", inline)]
    fn text(self, name: &[u8]) -> Option<&'a [u8]> {
        match find::after(self.bytes, name)? {
            [b':', b' ', text @ ..] | [b':', text @ ..] => Some(text),
            _ => None,
        }
    }
}

impl PartialEq for Line<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.bytes == other.bytes
    }
}

impl Eq for Line<'_> {}

impl core::fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Line(\"{self}\")")
    }
}

impl core::fmt::Display for Line<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}", self.bytes.escape_ascii())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_parameters() {
        let line = Line::new(b"+QMTOPEN: 0,-1");
        assert_eq!(line.name(), b"+QMTOPEN");
        let mut p = line.params(b"+QMTOPEN").unwrap();
        assert_eq!((p.u8(), p.i32()), (Ok(0), Ok(-1)));
        assert!(line.params(b"+QMTOPE").is_none());
        assert_eq!(Line::new(b"APP RDY").name(), b"APP RDY");
    }
}
