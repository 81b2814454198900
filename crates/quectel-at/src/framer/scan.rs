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

    /// Whether a counted payload goes on.
    pub(super) const fn is_in_payload(&self) -> bool {
        matches!(self.state, State::Quoted | State::Counted)
    }

    /// Passes so many bytes of a counted payload; false if it ends with them.
    pub(super) fn pass(&mut self, bytes: usize) -> bool {
        match u32::try_from(bytes) {
            Ok(bytes) if bytes < self.number => {
                self.number -= bytes;
                true
            }
            _ => false,
        }
    }

    /// Looks at the beginning of a line, and returns how many of its bytes have been passed.
    pub(super) fn begin(&mut self, head: &[u8], rule: Option<PayloadRule>) -> usize {
        self.state = State::Plain;
        self.number = 0;
        let Some(rule) = rule else { return 0 };
        match rule.form {
            PayloadForm::Quoted => self.state = State::BeforeTopic,
            PayloadForm::NextLine(0) => self.state = State::BeforeSize,
            PayloadForm::NextLine(place) if may_have_size(head, rule.prefix) => {
                self.state = State::Fields;
                self.place = place;
            }
            PayloadForm::NextLine(_) => {}
        }
        let passed = rule.prefix.len();
        passed + usize::from(head.get(passed) == Some(&b' '))
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
                State::Fields | State::Text if WIDE => at += find::below(rest, b',' + 1)?,
                State::AfterTopic
                    if WIDE
                        && let Some((length, passed)) = counted_ahead(rest)
                        && length <= self.most =>
                {
                    self.state = State::Quoted;
                    self.number = length;
                    at += passed;
                    continue;
                }
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

/// Whether the first parameter is a number, or the word of data that have come.
fn may_have_size(head: &[u8], prefix: &[u8]) -> bool {
    let text = head.get(prefix.len()..).unwrap_or_default();
    let text = text.strip_prefix(b" ").unwrap_or(text);
    text.first() != Some(&b'"') || text.starts_with(b"\"recv\",")
}

/// Where a line ends that has no payload, or one with a length in quotes, if it is here as far as that and does not make
/// a reader think.
#[inline]
pub(super) fn whole(input: &[u8], rule: Option<PayloadRule>, scan: &Scan) -> Option<usize> {
    let from = match rule {
        None => 0,
        Some(PayloadRule {
            prefix,
            form: PayloadForm::Quoted,
        }) => {
            // Nothing but digits and a comma, then the topic, which hardly ever holds a space.
            let topic = next_quote(input, prefix.len() + 1)?;
            let behind = next_quote(input, topic)?;
            let (length, passed) = counted_ahead(input.get(behind..)?)?;
            if length > scan.most {
                return None;
            }
            behind + passed + usize::try_from(length).ok()?
        }
        Some(PayloadRule { prefix, .. }) if may_have_size(input, prefix) => {
            // Too few parameters for a size.
            let behind = next_quote(input, next_quote(input, prefix.len() + 1)?)? + 1;
            let end = behind + find::below(input.get(behind..)?, b',' + 1)?;
            return matches!(input.get(end), Some(b'\r' | b'\n')).then_some(end);
        }
        Some(_) => 0,
    };
    let end = from + find::below(input.get(from..)?, CONTROL)?;
    matches!(input.get(end), Some(b'\r' | b'\n')).then_some(end)
}

/// The place behind the next quote, if no space or control character comes first.
#[inline]
fn next_quote(input: &[u8], from: usize) -> Option<usize> {
    let at = from + find::below(input.get(from..)?, b'"' + 1)?;
    (input.get(at) == Some(&b'"')).then_some(at + 1)
}

/// The length in front of a payload in quotes, and the bytes up to the payload.
#[inline]
fn counted_ahead(rest: &[u8]) -> Option<(u32, usize)> {
    let mut text = rest.strip_prefix(b",")?;
    let mut length = 0_u32;
    while let [digit @ b'0'..=b'9', tail @ ..] = text {
        length = length
            .wrapping_mul(10)
            .wrapping_add(u32::from(digit - b'0'));
        text = tail;
    }
    let passed = rest.len() - text.strip_prefix(b",\"")?.len();
    // A comma, one to nine digits, which cannot overflow, a comma and a quote.
    (4..=12).contains(&passed).then_some((length, passed))
}
