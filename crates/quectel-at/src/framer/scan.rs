//! Where inside a line the framer is, and how it gets to the line's end.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::{Framer, PayloadForm, PayloadRule, RawFrame};

/// Where inside a line the framer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scan {
    /// Between lines.
    Start,
    /// In the name, which may turn out to be one of the table's.
    Name,
    /// In a line without payload, or behind its payload.
    Plain,
    /// `Quoted`: before the quote that opens the first quoted parameter.
    BeforeTopic,
    /// `Quoted`: in the first quoted parameter.
    Topic,
    /// `Quoted`: after it, perhaps in the length.
    Length(Option<u32>),
    /// `Quoted`: after the length and a comma.
    AfterLength(u32),
    /// `NextLine`: in the first parameter, which is a number or `"recv"`, of which so many bytes have come.
    Kind { matched: u8, commas: u8 },
    /// `NextLine`: in the parameters before the length, so many commas away from it.
    Field(u8),
    /// `NextLine`: in the parameter with the length.
    FieldLength(Option<u32>),
    /// `NextLine`: in the parameters after the length.
    FieldTail(u32),
    /// After the CR of a line whose payload follows.
    LineFeed(u32),
    /// In a payload that ends when the line is so long; a quote follows.
    Quoted(usize),
    /// In a payload that ends when the line is so long, and the line with it.
    Counted(usize),
    /// In a payload without length that begins here in the line and ends at a quote, CR, LF.
    Uncounted(usize),
    /// In it after a quote and CR.
    QuoteCr(usize),
}

const RECV: &[u8] = b"\"recv\"";

/// Bytes of the longest prefix in a table.
const LONGEST_PREFIX: usize = 12;

/// Where a prefix is told from most other names: the fourth letter, `R` of `+QMTRECV`.
const TELLING: usize = 4;

impl Framer<'_> {
    /// Changes the state, and what may be joined without a look in it.
    pub(super) fn enter(&mut self, scan: Scan) {
        self.scan = scan;
        self.skipping = false;
        (self.floor, self.joining) = match scan {
            // Only letters: everything up to the colon is looked at.
            Scan::Name => (b':' + 1, usize::MAX),
            Scan::BeforeTopic | Scan::Topic => (b'"' + 1, usize::MAX),
            Scan::Plain | Scan::Uncounted(_) => (b'\r' + 1, usize::MAX),
            Scan::Quoted(end) => (0, end),
            // The last byte ends the line.
            Scan::Counted(end) => (0, end.saturating_sub(1)),
            _ => (0, 0),
        };
    }

    /// Remembers which names may be in the table.
    pub(super) fn learn(&mut self) {
        self.telling = self.rules.iter().chain(&self.rule).fold(0, |all, rule| {
            match rule.prefix.get(TELLING) {
                Some(letter) => all | 1 << (letter & 63),
                None => u64::MAX,
            }
        });
    }

    /// Begins a line, which is not empty.
    pub(super) fn begin<'i>(&mut self, input: &mut &'i [u8]) -> Option<RawFrame<'i>> {
        let line = *input;
        if line.first() != Some(&b'+') {
            return self.line(input, Scan::Plain, 0);
        }
        if line.len() < LONGEST_PREFIX {
            return self.line(input, Scan::Name, 1);
        }
        let letter = line.get(TELLING).copied().unwrap_or_default();
        if self.telling >> (letter & 63) & 1 == 0 {
            return self.line(input, Scan::Plain, 0);
        }
        let rule = self.find_rule(|rule| line.starts_with(rule.prefix));
        let at = rule.map_or(0, |rule| rule.prefix.len());
        self.line(input, after_name(rule), at)
    }

    fn find_rule(&self, is: impl Fn(&PayloadRule) -> bool) -> Option<PayloadRule> {
        self.rules
            .iter()
            .chain(&self.rule)
            .find(|rule| is(rule))
            .copied()
    }

    /// Goes on with a line at `input[at]`; returns it when it is complete.
    pub(super) fn line<'i>(
        &mut self,
        input: &mut &'i [u8],
        mut scan: Scan,
        mut at: usize,
    ) -> Option<RawFrame<'i>> {
        loop {
            let rest = input.get(at..).unwrap_or_default();
            let Some(&byte) = rest.first() else {
                self.enter(scan);
                self.store(input);
                *input = &[];
                return None;
            };
            match scan {
                Scan::Start | Scan::Plain => match memchr::memchr2(b'\r', b'\n', rest) {
                    Some(n) => return Some(self.end(input, at + n, 1, 0)),
                    None => at = input.len(),
                },
                Scan::Name => {
                    let Some(n) = rest.iter().position(|byte| *byte <= b':') else {
                        at = input.len();
                        continue;
                    };
                    at += n;
                    scan = Scan::Plain;
                    if rest.get(n) == Some(&b':') {
                        at += 1;
                        scan = self.named(input, &mut at);
                    }
                }
                Scan::BeforeTopic | Scan::Topic => {
                    match memchr::memchr3(b'"', b'\r', b'\n', rest) {
                        Some(n) => {
                            at += n;
                            if rest.get(n) != Some(&b'"') {
                                scan = Scan::Plain;
                            } else {
                                at += 1;
                                scan = if scan == Scan::Topic {
                                    Scan::Length(None)
                                } else {
                                    Scan::Topic
                                };
                            }
                        }
                        None => at = input.len(),
                    }
                }
                Scan::Length(_) | Scan::AfterLength(_) => {
                    (scan, at) = self.before_payload(scan, byte, at);
                }
                Scan::Kind { .. } | Scan::Field(_) | Scan::FieldLength(_) | Scan::FieldTail(_) => {
                    (scan, at) = self.field(scan, byte, at);
                }
                Scan::LineFeed(left) => {
                    // The CR has been kept as part of the line, and so is the LF.
                    at += usize::from(byte == b'\n');
                    scan = Scan::Counted(self.payload_end(left, at));
                }
                Scan::Quoted(end) => {
                    let left = end - self.len.min(end);
                    match input.get(left) {
                        None => at = input.len(),
                        Some(b'"') => {
                            at = left + 1;
                            scan = Scan::Plain;
                        }
                        // No closing quote: the line ends here.
                        Some(_) => return Some(self.end(input, left, 0, 0)),
                    }
                }
                Scan::Counted(end) => {
                    let left = end - self.len.min(end);
                    if left <= input.len() {
                        return Some(self.end(input, left, 0, 0));
                    }
                    at = input.len();
                }
                Scan::Uncounted(from) => {
                    let Some(n) = memchr::memchr(b'\r', rest) else {
                        at = input.len();
                        continue;
                    };
                    let cr = at + n;
                    at = cr + 1;
                    // The quote must belong to the payload, not open it.
                    if self.len + cr > from && self.before(input, cr) == Some(b'"') {
                        match input.get(at) {
                            Some(b'\n') => return Some(self.end(input, cr, 2, 0)),
                            Some(_) => {}
                            None => scan = Scan::QuoteCr(from),
                        }
                    }
                }
                // The CR has been kept and is cut off again.
                Scan::QuoteCr(_) if byte == b'\n' => return Some(self.end(input, at, 1, 1)),
                Scan::QuoteCr(from) => scan = Scan::Uncounted(from),
            }
        }
    }

    /// After the colon of a name that came in pieces, or at the end of the input.
    fn named(&mut self, input: &mut &[u8], at: &mut usize) -> Scan {
        if self.len == 0 {
            let name = input.get(..*at);
            return after_name(self.find_rule(|rule| Some(rule.prefix) == name));
        }
        // The line is copied anyway.
        let (name, rest) = input.split_at((*at).min(input.len()));
        self.store(name);
        *input = rest;
        *at = 0;
        let name = self.buf.get(..self.len);
        after_name(self.find_rule(|rule| Some(rule.prefix) == name))
    }

    /// Between the first quoted parameter and the payload.
    fn before_payload(&self, scan: Scan, byte: u8, at: usize) -> (Scan, usize) {
        let next = match (scan, byte) {
            (Scan::Length(None), b',' | b' ') | (Scan::AfterLength(_), b' ') => scan,
            (Scan::Length(sum), b'0'..=b'9') => Scan::Length(Some(digit(sum, byte))),
            (Scan::Length(Some(length)), b',') => Scan::AfterLength(length),
            (Scan::AfterLength(length), b'"') if length <= self.max_payload => {
                Scan::Quoted(self.payload_end(length, at + 1))
            }
            (Scan::Length(None), b'"') => Scan::Uncounted(self.len + at + 1),
            // The EC200U form: the length is the last parameter and the payload stands on the next line.
            (Scan::Length(Some(length)), b'\r') if self.is_payload(length) => {
                Scan::LineFeed(length)
            }
            // A payload without quotes, or something unknown, ends with the line.
            _ => return (Scan::Plain, at),
        };
        (next, at + 1)
    }

    /// In the parameters of a line whose data follow.
    fn field(&self, scan: Scan, byte: u8, at: usize) -> (Scan, usize) {
        let next = match (scan, byte) {
            (Scan::FieldLength(Some(length)) | Scan::FieldTail(length), b'\r')
                if self.is_payload(length) =>
            {
                Scan::LineFeed(length)
            }
            (_, b'\r' | b'\n') => return (Scan::Plain, at),
            (Scan::Kind { matched: 0, .. } | Scan::FieldLength(None), b' ') => scan,
            (Scan::Kind { matched, commas }, byte) => match RECV.get(usize::from(matched)) {
                Some(expected) if *expected == byte => Scan::Kind {
                    matched: matched + 1,
                    commas,
                },
                Some(_) if matched > 0 => Scan::Plain,
                _ if commas == 0 => return (Scan::FieldLength(None), at),
                _ => return (Scan::Field(commas), at),
            },
            (Scan::Field(1), b',') => Scan::FieldLength(None),
            (Scan::Field(commas), b',') => Scan::Field(commas - 1),
            (Scan::Field(_) | Scan::FieldTail(_), _) => scan,
            (Scan::FieldLength(sum), b'0'..=b'9') => Scan::FieldLength(Some(digit(sum, byte))),
            // Further parameters may follow, as in `+QIURC: "recv",0,5,"10.0.0.1",80`.
            (Scan::FieldLength(Some(length)), b',') => Scan::FieldTail(length),
            _ => Scan::Plain,
        };
        (next, at + 1)
    }

    fn is_payload(&self, length: u32) -> bool {
        length > 0 && length <= self.max_payload
    }

    /// How long the line is when a payload of so many bytes, which begins at `input[at]`, ends.
    fn payload_end(&self, length: u32, at: usize) -> usize {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        (self.len + at).saturating_add(length)
    }

    /// The byte of the line in front of `input[at]`.
    fn before(&self, input: &[u8], at: usize) -> Option<u8> {
        match at.checked_sub(1) {
            Some(n) => input.get(n).copied(),
            None if self.len <= self.buf.len() => self.buf.get(self.len.checked_sub(1)?).copied(),
            None => Some(self.last),
        }
    }
}

/// What follows the name of a line.
fn after_name(rule: Option<PayloadRule>) -> Scan {
    match rule.map(|rule| rule.form) {
        None => Scan::Plain,
        Some(PayloadForm::Quoted) => Scan::BeforeTopic,
        Some(PayloadForm::NextLine(commas)) => Scan::Kind { matched: 0, commas },
    }
}

fn digit(sum: Option<u32>, byte: u8) -> u32 {
    sum.unwrap_or(0)
        .saturating_mul(10)
        .saturating_add(u32::from(byte - b'0'))
}
