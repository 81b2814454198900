//! Where inside a line the framer is, and how it gets to the line's end.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::PayloadForm;
use crate::find::after;

/// No payload is longer, so that a length cannot overflow while its digits come.
const MOST_PAYLOAD: usize = 1 << 28;

/// Where inside a line the scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
pub(super) enum State {
    /// Between lines.
    Start,
    /// In the name, which may turn out to be one of the table's.
    Name,
    /// In a line without payload, or behind its payload.
    Plain,
    /// In front of the first quoted parameter, the topic.
    BeforeTopic,
    /// In the topic.
    Topic,
    /// Behind it.
    AfterTopic,
    /// Behind the comma that follows it: before a length or a payload in quotes.
    BeforeLength,
    /// In the length.
    Length,
    /// Behind the comma that follows the length: before a payload in quotes.
    BeforePayload,
    /// In the first parameter of a line that may have a payload on the next line.
    First,
    /// In quotes in it.
    Word,
    /// In the parameters before the length of such a payload.
    Fields,
    /// In a quoted one of them.
    Text,
    /// Before this length.
    BeforeSize,
    /// In it.
    Size,
    /// Behind it.
    AfterSize,
    // From here on a CR or LF need not end the line.
    /// In a payload that ends at a quote, CR, LF.
    Uncounted,
    /// In it behind a quote.
    Quote,
    /// In it behind a quote and CR.
    QuoteCr,
    /// Behind the CR of a line whose payload follows.
    LineFeed,
    /// In a payload in quotes of which so many bytes are to come.
    Quoted,
    /// In a payload that ends the line, of which so many bytes are to come.
    Counted,
}

/// The states behind a quote, a comma, a space, and any other byte that is no digit of a length and no line end.
#[rustfmt::skip]
const NEXT: [[State; 4]; State::Uncounted as usize] = {
    use State::*;
    [
        /* Start */ [Plain; 4],
        /* Name */ [Name; 4],
        /* Plain */ [Plain; 4],
        /* BeforeTopic */ [Topic, BeforeTopic, BeforeTopic, BeforeTopic],
        /* Topic */ [AfterTopic, Topic, Topic, Topic],
        /* AfterTopic */ [Plain, BeforeLength, AfterTopic, Plain],
        /* BeforeLength */ [Uncounted, Plain, BeforeLength, Plain],
        /* Length */ [Plain, BeforePayload, Plain, Plain],
        /* BeforePayload */ [Quoted, Plain, BeforePayload, Plain],
        /* First */ [Word, Fields, First, First],
        /* Word */ [Fields, Word, Word, Word],
        /* Fields */ [Text, Fields, Fields, Fields],
        /* Text */ [Fields, Text, Text, Text],
        /* BeforeSize */ [Plain, Plain, BeforeSize, Plain],
        /* Size */ [Plain, AfterSize, AfterSize, Plain],
        /* AfterSize */ [AfterSize; 4],
    ]
};

/// How far a line has been looked at.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) state: State,
    /// Commas in front of the length of a payload on the next line.
    place: u8,
    /// No longer payload is believed.
    pub(super) most: u32,
    /// The length, then how many bytes of the payload are to come.
    pub(super) number: u32,
}

impl Scan {
    pub(super) fn new(buffer: usize) -> Self {
        let most = buffer.clamp(1 << 16, MOST_PAYLOAD);
        Self {
            state: State::Start,
            place: 0,
            number: 0,
            most: u32::try_from(most).unwrap_or(0),
        }
    }

    /// The name is known.
    pub(super) fn begin(&mut self, form: Option<PayloadForm>) {
        self.number = 0;
        self.state = match form {
            None => State::Plain,
            Some(PayloadForm::Quoted) => State::BeforeTopic,
            Some(PayloadForm::NextLine(0)) => State::BeforeSize,
            Some(PayloadForm::NextLine(place)) => {
                self.place = place;
                State::First
            }
        };
    }

    /// Passes one more byte if it changes nothing but how many are to come, as most do.
    pub(super) fn stays(&mut self, byte: u8) -> bool {
        use State::*;
        /// Bytes greater than a colon leave these states as they are.
        const STAY: u32 = (1 << Name as u32)
            | (1 << Plain as u32)
            | (1 << BeforeTopic as u32)
            | (1 << Topic as u32)
            | (1 << Word as u32)
            | (1 << Text as u32)
            | (1 << Uncounted as u32);
        if self.state < Quoted {
            return byte > b':' && (STAY >> self.state as u32) & 1 != 0;
        }
        let more = self.number > 1;
        self.number -= u32::from(more);
        more
    }

    /// Passes one more byte of a line, the last of those that are stored. [`State::Start`] if it ends the line.
    pub(super) fn step(&mut self, byte: u8, stored: &[u8]) {
        use State::*;
        let state = self.state;
        self.state = if state >= LineFeed {
            if state == LineFeed && byte == b'\n' {
                Counted
            } else {
                self.number -= 1;
                match (state, self.number) {
                    (Quoted, 0) => Plain,
                    (Quoted, _) => Quoted,
                    (_, 0) => Start,
                    // The first byte of the payload may come without LF.
                    _ => Counted,
                }
            }
        } else if state >= Uncounted {
            match byte {
                b'"' => Quote,
                b'\r' if state == Quote => QuoteCr,
                b'\n' if state == QuoteCr => Start,
                _ => Uncounted,
            }
        } else if matches!(byte, b'\r' | b'\n') {
            let counted = matches!(state, Length | Size | AfterSize) && self.number > 0;
            if counted && byte == b'\r' {
                LineFeed
            } else {
                Start
            }
        } else if byte.is_ascii_digit()
            && matches!(state, BeforeLength | Length | BeforeSize | Size)
        {
            self.number = self.number * 10 + u32::from(byte & 0xF);
            match state {
                _ if self.number > self.most => Plain,
                BeforeLength | Length => Length,
                _ => Size,
            }
        } else {
            self.punctuation(byte, stored)
        };
    }

    fn punctuation(&mut self, byte: u8, stored: &[u8]) -> State {
        let column = match byte {
            b'"' => 0,
            b',' => 1,
            b' ' => 2,
            _ => 3,
        };
        let row = NEXT.get(self.state as usize);
        let next = row.and_then(|row| row.get(column)).copied();
        match next.unwrap_or(State::Plain) {
            State::Quoted if self.number == 0 => State::Plain,
            State::Fields if byte == b',' => {
                self.place -= 1;
                if self.place == 0 {
                    State::BeforeSize
                } else {
                    State::Fields
                }
            }
            // Other words tell of other things, with other numbers.
            State::Fields if self.state == State::Word && !is_recv(stored) => State::Plain,
            next => next,
        }
    }
}

/// Whether these bytes end with the word of data that have come.
fn is_recv(stored: &[u8]) -> bool {
    const WORD: &[u8] = b"\"recv\"";
    let from = stored.len().checked_sub(WORD.len());
    from.and_then(|from| after(stored.get(from..)?, WORD))
        .is_some()
}
