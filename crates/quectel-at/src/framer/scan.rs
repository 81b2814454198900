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

/// The states behind a quote, a comma, a space, any other byte, CR, LF, and a digit.
#[rustfmt::skip]
const NEXT: [[State; 7]; State::LineFeed as usize] = {
    use State::*;
    [
        /* Start */ [Plain, Plain, Plain, Plain, Start, Start, Plain],
        /* Name */ [Name, Name, Name, Name, Start, Start, Name],
        /* Plain */ [Plain, Plain, Plain, Plain, Start, Start, Plain],
        /* BeforeTopic */ [Topic, BeforeTopic, BeforeTopic, BeforeTopic, Start, Start, BeforeTopic],
        /* Topic */ [AfterTopic, Topic, Topic, Topic, Start, Start, Topic],
        /* AfterTopic */ [Plain, BeforeLength, AfterTopic, Plain, Start, Start, Plain],
        /* BeforeLength */ [Uncounted, Plain, BeforeLength, Plain, Start, Start, Length],
        /* Length */ [Plain, BeforePayload, Plain, Plain, LineFeed, Start, Length],
        /* BeforePayload */ [Quoted, Plain, BeforePayload, Plain, Start, Start, Plain],
        /* First */ [Word, Fields, First, First, Start, Start, First],
        /* Word */ [Fields, Word, Word, Word, Start, Start, Word],
        /* Fields */ [Text, Fields, Fields, Fields, Start, Start, Fields],
        /* Text */ [Fields, Text, Text, Text, Start, Start, Text],
        /* BeforeSize */ [Plain, Plain, BeforeSize, Plain, Start, Start, Size],
        /* Size */ [Plain, AfterSize, AfterSize, Plain, LineFeed, Start, Size],
        /* AfterSize */ [AfterSize, AfterSize, AfterSize, AfterSize, LineFeed, Start, AfterSize],
        /* Uncounted */ [Quote, Uncounted, Uncounted, Uncounted, Uncounted, Uncounted, Uncounted],
        /* Quote */ [Quote, Uncounted, Uncounted, Uncounted, QuoteCr, Uncounted, Uncounted],
        /* QuoteCr */ [Quote, Uncounted, Uncounted, Uncounted, Uncounted, Start, Uncounted],
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
        self.state = if state < LineFeed {
            self.next(byte, stored)
        } else if state == LineFeed && byte == b'\n' {
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
        };
    }

    fn next(&mut self, byte: u8, stored: &[u8]) -> State {
        let column = match byte {
            b'"' => 0,
            b',' => 1,
            b' ' => 2,
            b'\r' => 4,
            b'\n' => 5,
            b'0'..=b'9' => 6,
            _ => 3,
        };
        let row = NEXT.get(self.state as usize);
        let next = row.and_then(|row| row.get(column)).copied();
        match next.unwrap_or(State::Plain) {
            next @ (State::Length | State::Size) => {
                self.number = self.number * 10 + u32::from(byte & 0xF);
                if self.number > self.most {
                    State::Plain
                } else {
                    next
                }
            }
            // Nothing follows.
            State::LineFeed if self.number == 0 => State::Start,
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
