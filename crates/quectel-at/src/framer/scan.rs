//! Where inside a line the framer is, and how it gets to the line's end.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::header::{Length, counted_ahead, data_length};
use super::{Framer, PayloadForm, RawFrame};
use crate::find::{below, line_end, quote_or_end};

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

/// Bytes of the longest prefix in a table.
const LONGEST_PREFIX: usize = 12;

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
            Some(letter) => all | 1 << (letter & 31),
            None => u32::MAX,
        });
    }

    /// Takes a single byte that begins a line or leads from one of its parts to the next; false if it may end one.
    #[inline(never)]
    pub(super) fn turn(&mut self, byte: u8) -> bool {
        let next = match (self.scan, byte) {
            (_, b'\r' | b'\n') => return self.skipping,
            (Scan::Start, b'+') if self.skipping => Scan::Name,
            (Scan::Start, _) if self.skipping => Scan::Plain,
            (Scan::Name, b':') => return self.turn_from_name(),
            // Digits and punctuation are in no name of the table.
            (Scan::Name, ..b':') => Scan::Plain,
            (Scan::BeforeTopic, b'"') => Scan::Topic,
            (Scan::Topic, b'"') => Scan::AfterTopic,
            (Scan::AfterTopic, b'"') => return self.resume(&[byte]).0.is_none(),
            (Scan::Name | Scan::Plain | Scan::NextLine | Scan::Uncounted, _)
            | (Scan::BeforeTopic | Scan::Topic | Scan::AfterTopic, _) => self.scan,
            _ => return false,
        };
        if self.scan != next {
            self.enter(next);
        }
        self.store(&[byte]);
        true
    }

    /// The colon behind a name that came in pieces, alone.
    fn turn_from_name(&mut self) -> bool {
        self.store(b":");
        let name = self.buf.get(..self.len);
        let next = match self.find_rule(|prefix| Some(prefix) == name) {
            None => Scan::Plain,
            Some(PayloadForm::Quoted) => Scan::BeforeTopic,
            Some(PayloadForm::NextLine(place)) => {
                self.extent = usize::from(place);
                Scan::NextLine
            }
        };
        self.enter(next);
        true
    }

    /// Begins a line, which is not empty.
    #[inline]
    pub(super) fn begin<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        match input {
            [b'+', _, _, _, letter, ..] if self.telling >> (letter & 31) & 1 == 0 => {}
            [b'+', ..] => return self.name(input),
            _ => {}
        }
        self.plain(input)
    }

    /// Goes on with a line that came in pieces.
    pub(super) fn resume<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        match self.scan {
            Scan::Start | Scan::Plain => self.plain(input),
            Scan::Name => self.name(input),
            Scan::NextLine => self.next_line(input),
            Scan::BeforeTopic | Scan::Topic | Scan::AfterTopic => self.header(input, self.scan),
            Scan::LineFeed => self.line_feed(input, 0),
            Scan::Quoted => self.quoted(input),
            Scan::Counted => self.counted(input),
            Scan::Uncounted => self.uncounted(input),
            Scan::QuoteCr if input.first() == Some(&b'\n') => {
                // The CR has been kept and is cut off again.
                self.len = self.len.saturating_sub(1);
                self.end(input, 0, 1)
            }
            Scan::QuoteCr => self.uncounted(input),
        }
    }

    /// Keeps the beginning of a line whose end has not come.
    fn suspend<'i>(&mut self, input: &'i [u8], scan: Scan) -> Found<'i> {
        if self.scan != scan {
            self.enter(scan);
        }
        self.store(input);
        (None, &[])
    }

    /// In a line without payload, or behind its payload.
    #[inline]
    fn plain<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        match line_end(input) {
            Some(at) => self.end(input, at, 1),
            None => self.suspend(input, Scan::Plain),
        }
    }

    /// In the name: looks it up at its colon.
    fn name<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        if self.len == 0 && input.len() >= LONGEST_PREFIX {
            let rule = self.find_rule(|prefix| input.starts_with(prefix));
            return self.named(rule, input);
        }
        let sign = usize::from(self.len == 0);
        let rest = input.get(sign..).unwrap_or_default();
        let Some(n) = below(rest, b':' + 1) else {
            return self.suspend(input, Scan::Name);
        };
        if rest.get(n) != Some(&b':') {
            return self.plain(input);
        }
        let (name, rest) = input.split_at((sign + n + 1).min(input.len()));
        if self.len == 0 {
            let rule = self.find_rule(|prefix| prefix == name);
            return self.named(rule, input);
        }
        self.store(name);
        let name = self.buf.get(..self.len);
        let rule = self.find_rule(|prefix| Some(prefix) == name);
        self.named(rule, rest)
    }

    fn find_rule(&self, is: impl Fn(&[u8]) -> bool) -> Option<PayloadForm> {
        let mut rules = self.rules.iter().chain(&self.rule);
        Some(rules.find(|rule| is(rule.prefix))?.form)
    }

    /// In a line whose name is known.
    fn named<'i>(&mut self, form: Option<PayloadForm>, input: &'i [u8]) -> Found<'i> {
        match form {
            None => self.plain(input),
            Some(PayloadForm::Quoted) => self.header(input, Scan::BeforeTopic),
            Some(PayloadForm::NextLine(place)) => {
                self.extent = usize::from(place);
                self.next_line(input)
            }
        }
    }

    /// Between the name and a payload in quotes.
    fn header<'i>(&mut self, input: &'i [u8], scan: Scan) -> Found<'i> {
        let mut scan = scan;
        let mut at = 0;
        loop {
            let rest = input.get(at..).unwrap_or_default();
            let Some(n) = quote_or_end(rest) else {
                return self.suspend(input, scan);
            };
            at += n + 1;
            match (scan, rest.get(n)) {
                (Scan::BeforeTopic, Some(b'"')) => scan = Scan::Topic,
                (Scan::Topic, Some(b'"')) => {
                    scan = Scan::AfterTopic;
                    // The usual case, when the end of the input is far; not worth its flash on a small processor.
                    if cfg!(target_pointer_width = "64")
                        && let Some((length, used)) =
                            counted_ahead(input.get(at..).unwrap_or_default())
                        && length <= self.max_payload
                    {
                        self.count(length, at + used);
                        return self.quoted(input);
                    }
                }
                (Scan::AfterTopic, Some(byte @ (b'"' | b'\r'))) => {
                    return self.payload(input, at, *byte);
                }
                (_, Some(b'\r' | b'\n')) => return self.plain(input),
                _ => {}
            }
        }
    }

    /// After the byte behind a topic that opens a payload in quotes or ends the line.
    fn payload<'i>(&mut self, input: &'i [u8], at: usize, byte: u8) -> Found<'i> {
        match (self.length_before(input, at - 1, byte), byte) {
            (Length::None, b'"') => {
                self.extent = self.len + at;
                self.uncounted(input)
            }
            (Length::Is(length), b'"') if length <= self.max_payload => {
                self.count(length, at);
                self.quoted(input)
            }
            // The EC200U form: the length is the last parameter and the payload stands on the next line.
            (Length::Is(length), b'\r') if length > 0 && length <= self.max_payload => {
                self.extent = usize::try_from(length).unwrap_or(usize::MAX);
                self.line_feed(input, at)
            }
            // A payload without quotes, or something unknown, ends with the line.
            _ => self.plain_from(input, at - 1),
        }
    }

    /// In a line without payload whose end does not come before `input[at]`.
    fn plain_from<'i>(&mut self, input: &'i [u8], at: usize) -> Found<'i> {
        match line_end(input.get(at..).unwrap_or_default()) {
            Some(n) => self.end(input, at + n, 1),
            None => self.suspend(input, Scan::Plain),
        }
    }

    /// A payload of so many bytes begins at `input[at]`.
    fn count(&mut self, length: u32, at: usize) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        self.extent = (self.len + at).saturating_add(length);
    }

    /// In a counted payload in quotes.
    fn quoted<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        let end = self.extent - self.len.min(self.extent);
        match input.get(end..) {
            None | Some([]) => self.suspend(input, Scan::Quoted),
            Some([b'"', b'\r', ..]) => self.end(input, end + 1, 1),
            Some([b'"', ..]) => self.plain_from(input, end + 1),
            // No closing quote: the line ends here.
            Some(_) => self.end(input, end, 0),
        }
    }

    /// In a counted payload that ends the line.
    fn counted<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        let end = self.extent - self.len.min(self.extent);
        if end <= input.len() {
            self.end(input, end, 0)
        } else {
            self.suspend(input, Scan::Counted)
        }
    }

    /// In a payload that ends at a quote, CR, LF.
    fn uncounted<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        let mut at = self.extent - self.len.min(self.extent);
        while let Some(n) = line_end(input.get(at..).unwrap_or_default()) {
            let cr = at + n;
            at = cr + 1;
            // The quote must belong to the payload, not open it.
            if input.get(cr) == Some(&b'\r')
                && self.len + cr > self.extent
                && self.before(input, cr, 1) == Some(b'"')
            {
                match input.get(at) {
                    Some(b'\n') => return self.end(input, cr, 2),
                    Some(_) => {}
                    None => return self.suspend(input, Scan::QuoteCr),
                }
            }
        }
        self.suspend(input, Scan::Uncounted)
    }

    /// At the end of a line whose payload may come on the next line.
    fn next_line<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        let Some(at) = line_end(input) else {
            return self.suspend(input, Scan::NextLine);
        };
        let (line, rest) = input.split_at(at);
        let cut = self.len + at > self.buf.len();
        let place = self.extent;
        let (length, input, at) = if self.len == 0 {
            let known = line.get(..self.buf.len()).unwrap_or(line);
            (data_length(known, place, cut), input, at)
        } else {
            self.store(line);
            let known = self.buf.get(..self.len).unwrap_or(self.buf);
            (data_length(known, place, cut), rest, 0)
        };
        match length {
            Some(length)
                if length > 0 && length <= self.max_payload && input.get(at) == Some(&b'\r') =>
            {
                self.extent = usize::try_from(length).unwrap_or(usize::MAX);
                self.line_feed(input, at + 1)
            }
            _ => self.end(input, at, 1),
        }
    }

    /// After the CR of a line whose payload follows. CR and LF are kept as part of the line.
    fn line_feed<'i>(&mut self, input: &'i [u8], at: usize) -> Found<'i> {
        match input.get(at) {
            None => self.suspend(input, Scan::LineFeed),
            Some(byte) => {
                let at = at + usize::from(*byte == b'\n');
                self.extent = self.extent.saturating_add(self.len + at);
                self.counted(input)
            }
        }
    }
}
