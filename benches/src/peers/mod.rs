//! What this project's parser is measured beside, each used the way its documentation says.

mod at_commands;
mod atat;
mod lines;
mod nom;

pub use at_commands::AtCommands;
pub use atat::Atat;
pub use lines::{Lines, split};
pub use nom::Nom;

use crate::mix::Meant;

/// The beginning of the running command's answer, which a parser without a link must be told; empty if it has none.
fn answer_prefix(results: usize) -> &'static [u8] {
    [&b"+CSQ:"[..], b"+CEREG:", b"", b"+CPIN:"][results % crate::mix::COMMANDS.len()]
}

/// A number in hex, as area and cell are given.
fn hex(text: &str) -> Option<u32> {
    u32::from_str_radix(text, 16).ok()
}

/// A URC of the network.
fn registration<'a>(stat: u8, area: &str, cell: &str, act: u8) -> Option<Meant<'a>> {
    let area = u16::try_from(hex(area)?).ok()?;
    Some(Meant::Registration(stat, area, hex(cell)?, act))
}
