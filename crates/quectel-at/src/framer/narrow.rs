//! What stands in the place of the quick ways where a processor has no room for their code: nothing.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]
#![expect(
    clippy::needless_pass_by_ref_mut,
    reason = "the quick ways change what they know"
)]

use super::{Framer, Quick};

/// Nothing is found in a line.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts;

impl Parts {
    pub(crate) const NONE: Self = Self;

    pub(crate) fn of(self, _: &[u8]) -> Option<(&[u8], &[u8])> {
        None
    }
}

#[derive(Debug)]
pub(super) struct Notes;

impl Notes {
    pub(super) fn new() -> Self {
        Self
    }

    pub(super) fn parts(&self) -> Parts {
        Parts
    }

    pub(super) fn forget_parts(&mut self) {}

    pub(super) fn looked_at(&mut self, _: usize) {}

    pub(super) fn end_line(&mut self) {}
}

impl Framer<'_> {
    pub(super) fn learn(&mut self) {}

    pub(super) fn settle(&mut self) {}

    pub(super) fn look_at_kept(&mut self) {}

    pub(crate) fn join(&mut self, _: u8) -> bool {
        false
    }

    pub(crate) fn ends_with(&mut self, _: u8) -> bool {
        false
    }

    pub(crate) fn quick<'i>(&mut self, input: &'i [u8]) -> Quick<'i> {
        Quick::Other(input)
    }

    pub(super) fn join_many<'i>(&mut self, input: &'i [u8]) -> &'i [u8] {
        input
    }
}
