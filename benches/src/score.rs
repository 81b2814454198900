//! Runs every parser over the mix, and counts what it understood.

use crate::mix::{Meant, Mix};
use crate::ours::{BUFFER, Ours};
use crate::peers::{AtCommands, Atat, Nom};

/// The pieces in which the bytes are given.
pub const STEPS: [(&str, usize); 3] =
    [("whole", usize::MAX), ("64 bytes", 64), ("byte by byte", 1)];

/// Everybody who is measured, in the order of the tables.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the tables are closed")]
pub enum Who {
    /// `quectel-at` and `quectel-mqtt`.
    Ours,
    /// `atat`.
    Atat,
    /// `at-commands` behind a split into lines.
    AtCommands,
    /// A parser with `nom`.
    Nom,
}

impl Who {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Ours, Self::Atat, Self::AtCommands, Self::Nom];

    /// The name in the tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ours => "quectel-at",
            Self::Atat => "atat",
            Self::AtCommands => "at-commands",
            Self::Nom => "nom",
        }
    }

    /// How much of the mix is measured in pieces of `step` bytes: byte by byte, less for those who look at their whole
    /// buffer again for each piece.
    pub fn share(self, mix: &Mix, step: usize) -> &[u8] {
        match self {
            Self::Atat | Self::Nom if step == 1 => &mix.bytes[..mix.bytes.len().min(256 << 10)],
            _ => &mix.bytes,
        }
    }

    /// Parses `bytes` in pieces of `step` bytes; `seen` gets each event, decoded.
    #[inline]
    pub fn run(self, bytes: &[u8], step: usize, mut seen: impl FnMut(Meant<'_>)) {
        let pieces = bytes.chunks(step);
        match self {
            Self::Ours => run_ours(bytes, step, |typed| {
                if let Some(meant) = typed.meant() {
                    seen(meant);
                }
            }),
            Self::Atat => {
                let mut atat = Atat::default();
                pieces.for_each(|piece| atat.take(piece, &mut seen));
            }
            Self::AtCommands => {
                let mut lines = AtCommands::default();
                pieces.for_each(|piece| lines.take(piece, &mut seen));
            }
            Self::Nom => {
                let mut nom = Nom::default();
                pieces.for_each(|piece| nom.take(piece, &mut seen));
            }
        }
    }

    /// How many events of the mix it understood in this order, and how many others it reported.
    pub fn score(self, mix: &Mix, step: usize) -> Score {
        let mut score = Score {
            meant: mix.prints.len(),
            ..Score::default()
        };
        let mut rest = &mix.prints[..];
        self.run(&mix.bytes, step, |meant| {
            let print = meant.print();
            // What comes much later is not this event.
            match rest.iter().take(200).position(|it| *it == print) {
                Some(at) => {
                    score.right += 1;
                    rest = &rest[at + 1..];
                }
                None => score.wrong += 1,
            }
        });
        score
    }
}

/// What a parser understood.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a row of a table")]
pub struct Score {
    /// Events of the mix.
    pub meant: usize,
    /// Events reported as they were meant.
    pub right: usize,
    /// Events reported that were not meant so.
    pub wrong: usize,
}

impl Score {
    /// Events of the mix that were not reported as they were meant.
    pub const fn lost(self) -> usize {
        self.meant - self.right
    }
}

/// This project's parser over `bytes` in pieces of `step` bytes.
#[inline]
pub fn run_ours(bytes: &[u8], step: usize, mut seen: impl FnMut(&crate::ours::Typed<'_>)) {
    let (mut rx, mut tx) = ([0; BUFFER], [0; 256]);
    let mut ours = Ours::new(&mut rx, &mut tx);
    if step == 1 {
        ours.take_each(bytes, seen);
    } else {
        for piece in bytes.chunks(step) {
            ours.take(piece, &mut seen);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ours_loses_nothing_however_the_bytes_are_cut() {
        let mix = Mix::new(1 << 18);
        for step in [1, 7, 64, usize::MAX] {
            let score = Who::Ours.score(&mix, step);
            assert_eq!((score.lost(), score.wrong), (0, 0), "{score:?} in {step}");
        }
    }

    #[test]
    fn ours_allocates_nothing() {
        let mix = Mix::new(1 << 18);
        for step in [1, 64, usize::MAX] {
            let made = allocation_counter::measure(|| run_ours(&mix.bytes, step, |_| {}));
            assert_eq!(made.count_total, 0, "in {step}");
        }
    }

    #[test]
    fn the_others_get_what_they_can_understand() {
        let mix = Mix::new(1 << 16);
        for who in Who::ALL {
            for step in [64, usize::MAX] {
                let score = who.score(&mix, step);
                assert!(score.right * 2 > score.meant, "{who:?}: {score:?}");
            }
        }
    }
}
