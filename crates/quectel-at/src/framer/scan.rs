//! Where inside a line the framer is, and how it gets to the line's end.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::{Framer, PayloadForm};
use crate::find::after;
use crate::{Line, Params};

/// The end of a payload without length.
const END: u32 = u32::from_be_bytes(*b"\"\r\n\0") >> 8;

/// In front of a payload in quotes stand the two of its topic and its own first.
const QUOTES: u32 = 3;

/// No longer payload is believed.
pub(super) const MOST_PAYLOAD: u32 = 0xFFFF;

/// Where inside a line the framer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum State {
    /// Between lines.
    Start,
    /// In a line of which is not known yet whether it has a payload.
    Header,
    /// In a line without payload, or behind its payload.
    Plain,
    /// In a payload that ends at a quote, CR, LF.
    Uncounted,
    /// In a payload that ends the line, of which so many bytes are to come.
    Counted,
    /// In a payload in quotes of which so many bytes are to come.
    Quoted,
}

impl Framer<'_> {
    /// Whether a byte of a line changes nothing but how many are to come, as most do.
    pub(super) fn passes(&mut self, byte: u8) -> bool {
        if self.state < State::Counted {
            return byte > b':' && matches!(self.state, State::Header | State::Plain);
        }
        let more = self.number > 1;
        self.number -= u32::from(more);
        more
    }

    /// Passes one more byte of a line, the last of the first `len`. [`State::Start`] if it ends the line.
    #[inline(always)]
    pub(super) fn step(&mut self, byte: u8, len: usize) {
        match self.state {
            state @ (State::Counted | State::Quoted) => {
                self.number -= 1;
                if self.number == 0 {
                    self.state = if state == State::Quoted {
                        State::Plain
                    } else {
                        State::Start
                    };
                }
            }
            State::Uncounted => {
                self.number = (self.number << 8 | u32::from(byte)) & 0xFF_FFFF;
                if self.number == END {
                    self.state = State::Start;
                }
            }
            state => {
                let tells = match byte {
                    b'\r' | b'\n' => {
                        self.state = State::Start;
                        byte == b'\r'
                    }
                    b'"' => {
                        self.number = self.number.wrapping_add(1);
                        self.number == QUOTES
                    }
                    _ => false,
                };
                if tells && state == State::Header {
                    self.header(len);
                }
            }
        }
    }

    /// Finds out whether a payload follows a header of so many bytes, of which the payload's quote has come, or the CR, with
    /// which the line ends otherwise.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn header(&mut self, len: usize) {
        // 1 or 0: the order of the states.
        let quote = self.state as u8;
        let stored = self.buf.get(..len).unwrap_or(self.buf);
        for rules in &self.rules {
            for rule in *rules {
                if let Some(params) = Line::new(stored).params(rule.name) {
                    let cut = len > stored.len();
                    if let Some((state, number)) = announced(rule.form, params, quote, cut) {
                        self.state = state;
                        self.number = number;
                    }
                    return;
                }
            }
        }
    }
}

/// The payload that a header announces: in which state it begins, with which number.
///
/// `quote` is 1 if the header ends with the payload's quote, 0 if with CR. Where the header is cut, since it does not fit the
/// buffer, a payload in quotes is taken to have no length.
#[inline(always)]
fn announced(
    form: PayloadForm,
    mut params: Params<'_>,
    quote: u8,
    cut: bool,
) -> Option<(State, u32)> {
    let counted = form == PayloadForm::Quoted;
    if quote > 0 && !counted {
        return None;
    }
    if form == PayloadForm::Recv {
        after(params.ahead(), b"\"recv\"")?;
    }
    let mut last = None;
    for _ in 0..form as u8 {
        last = params.piece();
    }
    if quote > 0 && cut {
        return Some((State::Uncounted, 0));
    }
    if counted {
        // The topic.
        last?.in_quotes()?;
    }
    if quote > 0 && params.ahead().len() == 1 {
        return Some((State::Uncounted, 0));
    }
    let number = params.number(10, MOST_PAYLOAD).ok()?;
    let whole = !params.is_empty();
    let behind = params.ahead().len();
    if number == 0 || !whole || counted && behind != usize::from(quote) {
        return None;
    }
    Some(match quote {
        // With the LF of the header.
        0 => (State::Counted, number + 1),
        _ => (State::Quoted, number),
    })
}
