//! What is an answer and what is a URC.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::transmit::ACK_BLOCK;
use super::{Kind, Link, LostReason, Phase};
use crate::{DataPhase, Line, Params, Repeat, ResultCode};

/// What a line is.
pub(super) enum Sorted {
    Echo,
    /// The echo of a command that is not running any more, so many bytes long.
    StaleEcho(usize),
    /// A final result code, and whether it is a digit.
    Final(ResultCode, bool),
    /// An answer, with the bit of one that comes only once.
    Answer(u32),
    Urc,
}

impl Link<'_> {
    /// Whether the running command's line is out, so that the module may answer it.
    fn is_out(&self) -> bool {
        !matches!(self.phase, Phase::Idle | Phase::Line)
    }

    /// Whether a line with a name is a URC, at a glance.
    #[inline]
    pub(super) fn is_named_urc(&self, bytes: &[u8]) -> bool {
        matches!(bytes, [b'+', ..]) && self.telling & tell(bytes) == 0
    }

    /// What a line is; looks only.
    pub(super) fn sort(&self, bytes: &[u8]) -> Sorted {
        let out = self.is_out();
        if let [b'+', rest @ ..] = bytes {
            if rest.starts_with(b"CM")
                && let Some(result) = ResultCode::parse(bytes, false)
            {
                return Sorted::Final(result.in_words(bytes), false);
            }
            if out
                && self.answers & tell(bytes) != 0
                && let Some(bit) = self.answer_bit(bytes)
            {
                return Sorted::Answer(bit);
            }
            return Sorted::Urc;
        }
        if out && !self.reacted && self.tx.is_echo(bytes) {
            return Sorted::Echo;
        }
        // A line without a name may be a digit too, unless the module is known to give result codes as digits.
        let numeric = out && (self.numeric || !self.bare) && bytes.len() == 1;
        match ResultCode::parse(bytes, numeric) {
            Some(ResultCode::Connect(_)) if numeric && !self.connects() => {}
            Some(result) => return Sorted::Final(result, numeric),
            None => {}
        }
        if out
            && self.bare
            && !is_urc_text(bytes)
            && let Some(bit) = self.answer_bit(bytes)
        {
            return Sorted::Answer(bit);
        }
        if let [b'A' | b'a', b'T' | b't', ..] = bytes {
            return Sorted::StaleEcho(bytes.len());
        }
        Sorted::Urc
    }

    /// Whether the running command goes on after `CONNECT`.
    fn connects(&self) -> bool {
        matches!(
            self.exchange.data,
            DataPhase::Upload { .. } | DataPhase::Download { .. }
        )
    }

    /// The bit of the answer that this line is; 0 for one that may repeat.
    fn answer_bit(&self, bytes: &[u8]) -> Option<u32> {
        let named = bytes.first() == Some(&b'+');
        let mut next = 1_u32;
        for list in &self.exchange.answers {
            for answer in *list {
                // Those that may repeat, and more than there are bits, have none.
                let bit = match answer.repeat {
                    Repeat::Many => 0,
                    Repeat::Once => next,
                };
                next = next.wrapping_shl(1);
                if self.seen & bit != 0 || answer.name.is_empty() == named {
                    continue;
                }
                let params = if named {
                    Line::new(bytes).params(answer.name)
                } else {
                    Some(Params::new(bytes))
                };
                if params.is_some_and(answer.shape) {
                    return Some(bit);
                }
            }
        }
        None
    }

    /// Takes a line; `None` if it concerns nobody but the link.
    pub(super) fn on_line(&mut self, sorted: Sorted) -> Option<Kind> {
        match sorted {
            Sorted::Urc => Some(Kind::Urc),
            Sorted::Answer(bit) => {
                self.seen |= bit;
                self.react();
                Some(Kind::Answer)
            }
            Sorted::Echo => {
                self.echoed = true;
                self.react();
                None
            }
            Sorted::StaleEcho(bytes) => Some(self.lose(bytes, LostReason::StaleEcho)),
            Sorted::Final(result, numeric) => {
                self.numeric = numeric;
                self.on_final(result)
            }
        }
    }

    /// The module has reacted to the running command itself. It takes one after the other, so it owes nothing older.
    pub(super) fn react(&mut self) {
        self.reacted = true;
        self.owed = 0;
    }

    fn on_final(&mut self, result: ResultCode) -> Option<Kind> {
        self.result = result;
        if !self.is_out() {
            self.owed = self.owed.saturating_sub(1);
            return Some(Kind::Late);
        }
        if let ResultCode::Connect(count) = result
            && self.connects()
        {
            self.connect(count);
            return None;
        }
        // An OK without the answer that must precede it belongs to a command that timed out, and so does a result
        // without an echo while echo is on.
        let answerless = result == ResultCode::Ok && self.exchange.answer_required;
        if !self.reacted && (answerless || self.owed > 0 && self.echo_on) {
            self.owed = self.owed.saturating_sub(1);
            return Some(Kind::Late);
        }
        self.echo_on = self.echoed;
        self.finish();
        Some(Kind::Done)
    }

    fn connect(&mut self, count: Option<u32>) {
        self.react();
        if let DataPhase::Upload { ack } = self.exchange.data {
            self.framer.await_ack(ack);
            self.begin_payload(if ack { ACK_BLOCK } else { usize::MAX });
        }
        if let DataPhase::Download { size } = self.exchange.data {
            if self.numeric {
                self.framer.expect_no_line_feed();
            }
            self.framer.await_data(size.or(count).unwrap_or(0));
            self.downloading = true;
            self.phase = Phase::Sent;
            self.arm();
        }
    }
}

/// One bit for the letters in which most names differ.
#[inline]
pub(super) const fn tell(name: &[u8]) -> u64 {
    match name {
        [_, a, b, ..] => 1 << ((*a ^ b.rotate_left(2)) & 63),
        _ => u64::MAX,
    }
}

/// The bit of `+CME ERROR` and `+CMS ERROR`.
pub(super) const ERRORS: u64 = tell(b"+CM");

/// Lines without a `+` that are URCs and so never an answer without a name.
fn is_urc_text(line: &[u8]) -> bool {
    matches!(
        line,
        b"RDY" | b"APP RDY" | b"POWERED DOWN" | b"NORMAL POWER DOWN" | b"PSM POWER DOWN" | b"RING"
    )
}
