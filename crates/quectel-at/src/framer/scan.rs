//! Where inside a line the framer is, and how it gets to the line's end.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::PayloadForm;

/// No payload is longer, so that a length cannot overflow while its digits come.
const MOST_PAYLOAD: usize = 1 << 28;

/// Where inside a line the scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// In a payload in quotes of which so many bytes are to come.
    Quoted,
    /// In a payload that ends at a quote, CR, LF.
    Uncounted,
    /// In it behind a quote.
    Quote,
    /// In it behind a quote and CR.
    QuoteCr,
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
    /// Behind the CR of a line whose payload follows.
    LineFeed,
    /// In a payload that ends the line, of which so many bytes are to come.
    Counted,
}

/// How far a line has been looked at.
#[derive(Debug)]
pub(super) struct Scan {
    pub(super) state: State,
    /// Commas in front of the length of a payload on the next line.
    place: u8,
    /// The length, then how many bytes of the payload are to come.
    pub(super) number: u32,
    /// No longer payload is believed.
    pub(super) most: u32,
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

    /// Passes one more byte of a line, the last of those that are stored. [`State::Start`] if it ends the line.
    pub(super) fn step(&mut self, byte: u8, stored: &[u8]) {
        use State::*;
        self.state = match (self.state, byte) {
            // The first byte of the payload, without LF.
            (LineFeed, b'\n') => Counted,
            (LineFeed | Counted, _) => self.count(Counted, Start),
            (Quoted, _) => self.count(Quoted, Plain),
            (QuoteCr, b'\n') => Start,
            (Uncounted | Quote | QuoteCr, b'"') => Quote,
            (Quote, b'\r') => QuoteCr,
            (Uncounted | Quote | QuoteCr, _) => Uncounted,
            (Length | Size | AfterSize, b'\r') if self.number > 0 => LineFeed,
            (_, b'\r' | b'\n') => Start,
            (BeforeTopic, b'"') => Topic,
            (Topic, b'"') => AfterTopic,
            (AfterTopic, b',') => BeforeLength,
            (BeforeLength, b'"') => Uncounted,
            (Length, b',') => BeforePayload,
            (BeforePayload, b'"') if self.number > 0 => Quoted,
            (BeforeLength | Length, b'0'..=b'9') => self.digit(byte, Length),
            (BeforeSize | Size, b'0'..=b'9') => self.digit(byte, Size),
            (Size, b',' | b' ') => AfterSize,
            (First | Fields, b',') => {
                self.place -= 1;
                if self.place == 0 { BeforeSize } else { Fields }
            }
            (First, b'"') => Word,
            // Other words tell of other things, with other numbers.
            (Word, b'"') if !stored.ends_with(b"\"recv\"") => Plain,
            (Fields, b'"') => Text,
            (Word | Text, b'"') => Fields,
            (BeforeTopic | Topic | First | Word | Fields | Text | AfterSize | Name, _)
            | (AfterTopic | BeforeLength | BeforePayload | BeforeSize, b' ') => self.state,
            _ => Plain,
        };
    }

    /// The state behind one more byte of a counted payload.
    fn count(&mut self, inside: State, behind: State) -> State {
        self.number -= 1;
        if self.number > 0 { inside } else { behind }
    }

    fn digit(&mut self, byte: u8, state: State) -> State {
        self.number = self.number * 10 + u32::from(byte & 0xF);
        if self.number > self.most {
            State::Plain
        } else {
            state
        }
    }
}
