//! Where inside a line the framer is, and how it gets to the line's end.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::header::{Length, counted_ahead, data_length, is_without_data, message_end};
use super::{Framer, PayloadForm, RawFrame};
use crate::find::{below, line_end};

/// Where inside a line the framer is. What `extent` means then stands behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// Between lines.
    Start,
    /// In the name, which may turn out to be one of the table's.
    Name,
    /// In a line without payload, or behind its payload.
    Plain,
    /// In a line whose payload may come on the next line. `extent`: the length's place among the parameters.
    NextLine,
    /// In the first parameters of a line with a payload in quotes.
    BeforeTopic,
    /// In the first quoted parameter.
    Topic,
    /// After it: before the payload.
    AfterTopic,
    /// After the CR of a line whose payload follows. `extent`: bytes of the payload.
    LineFeed,
    /// In a counted payload; a quote follows. `extent`: how long the line is at the payload's end.
    Quoted,
    /// In a counted payload that ends the line. `extent`: how long the line is then.
    Counted,
    /// In a payload that ends at a quote, CR, LF. `extent`: how long the line was at its beginning.
    Uncounted,
    /// In it after a quote and CR.
    QuoteCr,
}

impl Scan {
    /// Bytes from this one on only join the line; those below are looked at.
    const fn floor(self) -> u8 {
        match self {
            // Only letters: everything up to the colon is looked at.
            Self::Name => b':' + 1,
            Self::BeforeTopic | Self::Topic | Self::AfterTopic => b'"' + 1,
            Self::Quoted | Self::Counted => 0,
            _ => b'\r' + 1,
        }
    }
}

/// Where a prefix is told from most other names: the fourth letter, `R` of `+QMTRECV`.
const TELLING: usize = 4;

/// What a piece of the input gave, and the rest of the input.
pub(super) type Found<'i> = (Option<RawFrame<'i>>, &'i [u8]);

impl Framer<'_> {
    /// Changes the state, and what may be joined without a look in it.
    pub(super) fn enter(&mut self, scan: Scan) {
        self.scan = scan;
        self.skipping = false;
        self.floor = scan.floor();
        self.joining = match scan {
            Scan::Start | Scan::LineFeed | Scan::QuoteCr => 0,
            Scan::Quoted => self.extent,
            // The last byte ends the line.
            Scan::Counted => self.extent.saturating_sub(1),
            _ => usize::MAX,
        };
    }

    /// Remembers which names may be in the table.
    pub(super) fn learn(&mut self) {
        let rules = self.rules.iter().chain(&self.rule);
        self.telling = rules.fold(0, |all, rule| match rule.prefix.get(TELLING) {
            Some(letter) => all | 1 << (letter & 63),
            None => u64::MAX,
        });
    }

    /// Begins a line, which is not empty.
    #[inline]
    pub(super) fn begin<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        match input {
            [b'+', _, _, _, letter, ..] if self.telling >> (letter & 63) & 1 == 0 => {}
            [b'+', ..] => return self.begin_named(input),
            _ => {}
        }
        match line_end(input) {
            Some(n) => self.end(input, n, 1),
            None => self.suspend(input, Scan::Plain),
        }
    }

    /// Begins a line whose name may be in the table: at once if it is here whole and has the usual form.
    fn begin_named<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        let mut rules = self.rules.iter().chain(&self.rule);
        let rule = rules.find_map(|rule| Some((rule.form, input.strip_prefix(rule.prefix)?)));
        let end = match rule {
            Some((PayloadForm::Quoted, text)) => {
                message_end(text, self.max_payload).map(|end| input.len() - text.len() + end)
            }
            Some((PayloadForm::NextLine(_), text)) if is_without_data(text) => {
                line_end(text).map(|end| input.len() - text.len() + end)
            }
            _ => None,
        };
        match end {
            Some(end) => self.end(input, end, 1),
            None => self.line(input, Scan::Name),
        }
    }

    /// Keeps the beginning of a line whose end has not come.
    fn suspend<'i>(&mut self, input: &'i [u8], scan: Scan) -> Found<'i> {
        self.enter(scan);
        self.store(input);
        (None, &[])
    }

    /// Goes on with a line; returns it when it is complete.
    pub(super) fn line<'i>(&mut self, input: &'i [u8], scan: Scan) -> Found<'i> {
        let (mut input, mut scan, mut at) = (input, scan, 0);
        loop {
            if matches!(scan, Scan::Quoted | Scan::Counted) {
                at = self.extent - self.len.min(self.extent);
                if scan == Scan::Counted && at <= input.len() {
                    return self.end(input, at, 0);
                }
            }
            let rest = input.get(at..).unwrap_or_default();
            let next = match scan {
                Scan::Quoted | Scan::LineFeed | Scan::QuoteCr => (!rest.is_empty()).then_some(0),
                _ => below(rest, scan.floor()),
            };
            let Some(n) = next else {
                return self.suspend(input, scan);
            };
            at += n;
            let byte = rest.get(n).copied().unwrap_or_default();
            match (scan, byte) {
                (Scan::Name, b'+') if self.len + at == 0 => at += 1,
                (Scan::Name, b':') => (scan, at, input) = self.name(input, at + 1),
                (Scan::Name, _) => scan = Scan::Plain,
                (Scan::Start | Scan::Plain, b'\r' | b'\n') => return self.end(input, at, 1),
                (Scan::NextLine, b'\r' | b'\n') => {
                    (scan, at, input) = self.before_data(input, at, byte);
                }
                (Scan::BeforeTopic, b'"') => (scan, at) = (Scan::Topic, at + 1),
                (Scan::Topic, b'"') => (scan, at) = self.after_topic(input, at + 1),
                (Scan::AfterTopic, b'"' | b'\r') => (scan, at) = self.payload(input, at, byte),
                (Scan::BeforeTopic | Scan::Topic | Scan::AfterTopic, b'\r' | b'\n') => {
                    scan = Scan::Plain;
                }
                (Scan::LineFeed, _) => {
                    // The CR has been kept as part of the line, and so is the LF.
                    at += usize::from(byte == b'\n');
                    self.extent = self.extent.saturating_add(self.len + at);
                    scan = Scan::Counted;
                }
                (Scan::Quoted, b'"') => (scan, at) = (Scan::Plain, at + 1),
                // No closing quote: the line ends here.
                (Scan::Quoted, _) => return self.end(input, at, 0),
                (Scan::QuoteCr, b'\n') => {
                    // The CR has been kept and is cut off again.
                    self.len = self.len.saturating_sub(1);
                    return self.end(input, at, 1);
                }
                (Scan::QuoteCr, _) => scan = Scan::Uncounted,
                // The quote must belong to the payload, not open it.
                (Scan::Uncounted, b'\r')
                    if self.len + at > self.extent && self.before(input, at, 1) == Some(b'"') =>
                {
                    match input.get(at + 1) {
                        Some(b'\n') => return self.end(input, at, 2),
                        Some(_) => {}
                        None => scan = Scan::QuoteCr,
                    }
                    at += 1;
                }
                _ => at += 1,
            }
        }
    }

    /// Copies the input's first bytes to the line and returns the rest, with the place where it goes on.
    fn flush<'i>(&mut self, input: &'i [u8], at: usize) -> (&'i [u8], usize) {
        let (line, rest) = input.split_at(at.min(input.len()));
        self.store(line);
        (rest, 0)
    }

    /// After the colon of a name: looks it up.
    fn name<'i>(&mut self, input: &'i [u8], at: usize) -> (Scan, usize, &'i [u8]) {
        let (mut name, mut rest, mut next) = (input.get(..at), input, at);
        if self.len > 0 {
            // The line is copied anyway.
            (rest, next) = self.flush(input, at);
            name = self.buf.get(..self.len);
        }
        let mut rules = self.rules.iter().chain(&self.rule);
        let rule = rules.find(|rule| Some(rule.prefix) == name).copied();
        let scan = match rule.map(|rule| rule.form) {
            None => Scan::Plain,
            Some(PayloadForm::Quoted) => Scan::BeforeTopic,
            Some(PayloadForm::NextLine(place)) => {
                self.extent = usize::from(place);
                Scan::NextLine
            }
        };
        (scan, next, rest)
    }

    /// After the quote that closes the first quoted parameter.
    fn after_topic(&mut self, input: &[u8], at: usize) -> (Scan, usize) {
        // The usual case, when the end of the input is far.
        match counted_ahead(input.get(at..).unwrap_or_default()) {
            Some((length, used)) if length <= self.max_payload => {
                self.count(length, at + used);
                (Scan::Quoted, at + used)
            }
            _ => (Scan::AfterTopic, at),
        }
    }

    /// A payload of so many bytes begins at `input[at]`.
    fn count(&mut self, length: u32, at: usize) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.extent = (self.len + at).saturating_add(length);
    }

    /// At the byte behind a topic that opens a payload in quotes or ends the line.
    fn payload(&mut self, input: &[u8], at: usize, byte: u8) -> (Scan, usize) {
        match (self.length_before(input, at, byte), byte) {
            (Length::None, b'"') => {
                self.extent = self.len + at + 1;
                (Scan::Uncounted, at + 1)
            }
            (Length::Is(length), b'"') if length <= self.max_payload => {
                self.count(length, at + 1);
                (Scan::Quoted, at + 1)
            }
            // The EC200U form: the length is the last parameter and the payload stands on the next line.
            (Length::Is(length), b'\r') if length > 0 && length <= self.max_payload => {
                self.extent = usize::try_from(length).unwrap_or(usize::MAX);
                (Scan::LineFeed, at + 1)
            }
            // A payload without quotes, or something unknown, ends with the line.
            _ => (Scan::Plain, at),
        }
    }

    /// At the end of a line whose payload may come on the next line.
    fn before_data<'i>(&mut self, input: &'i [u8], at: usize, byte: u8) -> (Scan, usize, &'i [u8]) {
        let length = self.len + at;
        let cut = length > self.buf.len();
        let (mut line, mut rest, mut next) = (input.get(..at.min(self.buf.len())), input, at);
        if self.len > 0 {
            (rest, next) = self.flush(input, at);
            line = self.buf.get(..length.min(self.buf.len()));
        }
        match data_length(line.unwrap_or_default(), self.extent, cut) {
            Some(length) if byte == b'\r' && length > 0 && length <= self.max_payload => {
                self.extent = usize::try_from(length).unwrap_or(usize::MAX);
                (Scan::LineFeed, next + 1, rest)
            }
            _ => (Scan::Plain, next, rest),
        }
    }
}
