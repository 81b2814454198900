//! One line of the module, seen as name and parameters.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::framer::Parts;
use crate::{Params, find};

/// One line of the module as it came, without its CR and LF; a counted payload is included.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    bytes: &'a [u8],
    parts: Parts,
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
        let text = find::after(self.bytes, name)?.strip_prefix(b":")?;
        Some(text.strip_prefix(b" ").unwrap_or(text))
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
