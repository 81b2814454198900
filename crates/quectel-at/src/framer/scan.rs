//! Where inside a line the framer is, and how it gets to the line's end.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::{CONTROL, PayloadForm, PayloadRule};
use crate::find::{self, WIDE};

/// Bytes from which a line's rule can be told: the longest prefix with a space and `"recv",`.
pub(super) const HEAD: usize = LONGEST_PREFIX + 8;

/// Bytes of the longest prefix in a table.
const LONGEST_PREFIX: usize = 12;

/// No payload is longer, so that a length cannot overflow while its digits come.
const MOST_PAYLOAD: usize = 1 << 28;

/// Where inside a line the scan is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// Between lines.
    Start,
    /// At the beginning of a line that has not been looked at yet.
    Unread,
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
    /// In the parameters before a length.
    Fields,
    /// In a quoted one of them.
    Text,
    /// Before the length of a payload that stands on the next line.
    BeforeSize,
    /// In this length.
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
    /// Commas in front of the length, while in [`State::Fields`].
    place: u8,
    /// The length, then how many bytes of the payload are to come.
    number: u32,
    /// No longer payload is believed.
    most: u32,
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

    /// Whether a byte that is no control character changes nothing at once, so that it can be looked at later.
    pub(super) const fn can_wait(&self) -> bool {
        !matches!(self.state, State::Start | State::LineFeed | State::Counted)
    }

    /// Looks at the beginning of a line, and returns how many of its bytes have been passed.
    pub(super) fn begin<'r>(
        &mut self,
        head: &[u8],
        rules: impl IntoIterator<Item = &'r PayloadRule>,
    ) -> usize {
        self.state = State::Plain;
        self.number = 0;
        for rule in rules {
            let Some(text) = head.strip_prefix(rule.prefix) else {
                continue;
            };
            match rule.form {
                PayloadForm::Quoted => self.state = State::BeforeTopic,
                PayloadForm::NextLine(0) => self.state = State::BeforeSize,
                PayloadForm::NextLine(place) => {
                    let text = text.strip_prefix(b" ").unwrap_or(text);
                    if text.first() != Some(&b'"') || text.starts_with(b"\"recv\",") {
                        self.state = State::Fields;
                        self.place = place;
                    }
                }
            }
            return rule.prefix.len();
        }
        0
    }

    /// Goes on with a line. Where it ends: how many of these bytes belong to it, and how many of them are its line end,
    /// of which the first may have come earlier.
    pub(super) fn run(&mut self, bytes: &[u8]) -> Option<(usize, usize)> {
        let mut at = 0;
        loop {
            let rest = bytes.get(at..)?;
            match self.state {
                State::Quoted | State::Counted => {
                    let left = usize::try_from(self.number).unwrap_or(usize::MAX);
                    let n = left.min(rest.len());
                    self.number -= u32::try_from(n).unwrap_or(self.number);
                    at += n;
                    if self.number > 0 {
                        return None;
                    }
                    if self.state == State::Counted {
                        self.state = State::Start;
                        return Some((at, 0));
                    }
                    self.state = State::Plain;
                    continue;
                }
                State::Plain if WIDE => at += find::below(rest, CONTROL)?,
                State::BeforeTopic | State::Topic if WIDE => at += find::below(rest, b'"' + 1)?,
                _ => {}
            }
            let byte = *bytes.get(at)?;
            let crossed = self.state == State::QuoteCr;
            self.state = self.step(byte);
            // The payload has begun without LF.
            at += usize::from(self.state != State::Counted || byte == b'\n');
            if self.state == State::Start {
                return Some((at, 1 + usize::from(crossed)));
            }
        }
    }

    /// The state behind one more byte; [`State::Start`] if it ends the line.
    fn step(&mut self, byte: u8) -> State {
        use State::*;
        match (self.state, byte) {
            (Length | Size | AfterSize, b'\r') if self.number > 0 => LineFeed,
            (QuoteCr, b'\n') => Start,
            (Uncounted | Quote | QuoteCr, b'"') => Quote,
            (Quote, b'\r') => QuoteCr,
            (Uncounted | Quote | QuoteCr, _) => Uncounted,
            (LineFeed, _) => Counted,
            (_, b'\r' | b'\n') => Start,
            (BeforeTopic, b'"') => Topic,
            (Topic, b'"') => AfterTopic,
            (AfterTopic, b',') => BeforeLength,
            (BeforeLength, b'"') => Uncounted,
            (Length, b',') => BeforePayload,
            (BeforePayload, b'"') => Quoted,
            (BeforeLength | Length, b'0'..=b'9') => self.digit(byte, Length),
            (BeforeSize | Size, b'0'..=b'9') => self.digit(byte, Size),
            (Fields, b',') => {
                self.place -= 1;
                if self.place == 0 { BeforeSize } else { Fields }
            }
            (Fields, b'"') => Text,
            (Text, b'"') => Fields,
            (Size, b',' | b' ') => AfterSize,
            (BeforeTopic | Topic | Fields | Text | AfterSize, _)
            | (AfterTopic | BeforeLength | BeforePayload | BeforeSize, b' ') => self.state,
            _ => Plain,
        }
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
