//! One line of the module, seen as name and parameters.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::{Params, find};

/// One line of the module as it came, without its CR and LF; a counted payload is included.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    bytes: &'a [u8],
    #[cfg(target_pointer_width = "64")]
    found: Parts,
}

/// What the framer has found in a line: where its first text in quotes ends, and where the payload behind it begins, of
/// which it has counted the bytes, and behind which only a quote ends the line. 0 if it has not.
#[derive(Debug, Clone, Copy, Default)]
#[cfg_attr(
    not(target_pointer_width = "64"),
    expect(dead_code, reason = "small processors have no quick ways")
)]
pub(crate) struct Parts {
    pub(crate) text_end: u32,
    pub(crate) payload: u32,
}

impl<'a> Line<'a> {
    /// Wraps the bytes of a line.
    pub const fn new(bytes: &'a [u8]) -> Self {
        const NOTHING: Parts = Parts {
            text_end: 0,
            payload: 0,
        };
        Self::with(bytes, NOTHING)
    }

    /// The same with what the framer has found.
    #[inline(always)]
    #[cfg_attr(
        not(target_pointer_width = "64"),
        expect(unused_variables, reason = "small processors have no quick ways")
    )]
    pub(crate) const fn with(bytes: &'a [u8], found: Parts) -> Self {
        Self {
            bytes,
            #[cfg(target_pointer_width = "64")]
            found,
        }
    }

    /// The line up to the closing quote of its first text, and its payload in quotes, if the framer has found and counted
    /// them already: a decoder need not look for them again. `None` says nothing about the line.
    #[inline(always)]
    pub fn counted(self) -> Option<(&'a [u8], &'a [u8])> {
        #[cfg(target_pointer_width = "64")]
        if self.found.payload > 0 {
            let [inside @ .., _] = self.bytes else {
                return None;
            };
            return Some((
                self.bytes.get(..self.found.text_end as usize)?,
                inside.get(self.found.payload as usize..)?,
            ));
        }
        None
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
