//! The general commands that every flow needs.

use crate::{Command, Exchange, Writer};

/// `AT`: answers `OK` if the module listens.
///
/// # Reference
/// ITU-T V.250, 5.2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct At;

impl Command for At {
    fn encode(&self, _line: &mut Writer<'_>) {}

    fn exchange(&self) -> Exchange {
        Exchange::plain(300)
    }
}
