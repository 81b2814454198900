//! Where inside a line the framer is, and how it gets to the line's end.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::{Framer, PayloadForm, RawFrame};

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
    /// In a counted payload that ends when the line is so long.
    Counted { end: usize, quoted: bool },
    /// After a counted payload in quotes, before the closing quote.
    Closing,
    /// In a payload without length that begins here in the line and ends at a quote, CR, LF.
    Uncounted(usize),
    /// In it after a quote and CR.
    QuoteCr(usize),
}

const RECV: &[u8] = b"\"recv\"";

/// The end of a line: how many bytes of the input belong to it, how many are consumed, how many stored ones do not
/// belong to it.
struct End {
    keep: usize,
    eat: usize,
    trim: usize,
}

impl Framer<'_> {
    /// Changes the state, and what may be joined without a look in it.
    pub(super) fn enter(&mut self, scan: Scan) {
        self.scan = scan;
        (self.floor, self.joining) = match scan {
            // Only letters: everything up to the colon is looked at.
            Scan::Name => (b':' + 1, usize::MAX),
            Scan::BeforeTopic | Scan::Topic => (b'"' + 1, usize::MAX),
            Scan::Plain | Scan::Uncounted(_) => (b'\r' + 1, usize::MAX),
            // The last byte ends the line, or comes before the quote that does.
            Scan::Counted { end, .. } => (0, end.saturating_sub(1)),
            _ => (0, 0),
        };
    }

    /// Goes on with a line; returns it when it is complete.
    pub(super) fn line<'i>(&mut self, input: &mut &'i [u8]) -> Option<RawFrame<'i>> {
        let mut at = 0;
        loop {
            let fresh = input.get(at..).unwrap_or_default();
            let Some(&byte) = fresh.first() else {
                self.store(input);
                *input = &[];
                return None;
            };
            let end = match self.scan {
                Scan::Start | Scan::Plain => self.plain(fresh, &mut at),
                Scan::Name => self.name(input, &mut at),
                Scan::BeforeTopic => self.until_quote(fresh, &mut at, Scan::Topic),
                Scan::Topic => self.until_quote(fresh, &mut at, Scan::Length(None)),
                Scan::Length(_) | Scan::AfterLength(_) => self.before_payload(byte, &mut at),
                Scan::Kind { .. } | Scan::Field(_) | Scan::FieldLength(_) | Scan::FieldTail(_) => {
                    self.field(byte, &mut at)
                }
                Scan::LineFeed(left) => {
                    // The CR has been kept as part of the line, and so is the LF.
                    at += usize::from(byte == b'\n');
                    self.count(left, at, false);
                    None
                }
                Scan::Counted { end, quoted } => self.counted(fresh, &mut at, end, quoted),
                Scan::Closing if byte == b'"' => {
                    at += 1;
                    self.enter(Scan::Plain);
                    None
                }
                // No closing quote: the line ends here.
                Scan::Closing => Some(End {
                    keep: at,
                    eat: at,
                    trim: 0,
                }),
                Scan::Uncounted(from) => self.uncounted(input, &mut at, from),
                Scan::QuoteCr(from) => self.after_quote_cr(byte, at, from),
            };
            if let Some(End { keep, eat, trim }) = end {
                let (line, rest) = input.split_at(eat.min(input.len()));
                self.after_cr = line.last() == Some(&b'\r');
                *input = rest;
                return Some(self.finish(line.get(..keep).unwrap_or(line), trim));
            }
        }
    }

    fn plain(&self, fresh: &[u8], at: &mut usize) -> Option<End> {
        match memchr::memchr2(b'\r', b'\n', fresh) {
            Some(n) => Some(End {
                keep: *at + n,
                eat: *at + n + 1,
                trim: 0,
            }),
            None => {
                *at += fresh.len();
                None
            }
        }
    }

    /// In the name: looks it up at its colon.
    fn name(&mut self, input: &mut &[u8], at: &mut usize) -> Option<End> {
        let fresh = input.get(*at..).unwrap_or_default();
        let Some(n) = fresh.iter().position(|byte| *byte <= b':') else {
            *at = input.len();
            return None;
        };
        // The sign in front of the name is no end of it.
        if n == 0 && self.len == 0 && *at == 0 {
            *at = 1;
            return None;
        }
        *at += n;
        if fresh.get(n) != Some(&b':') {
            self.enter(Scan::Plain);
            return None;
        }
        *at += 1;
        if self.len > 0 {
            // The line is copied anyway.
            let (name, rest) = input.split_at((*at).min(input.len()));
            self.store(name);
            *input = rest;
            *at = 0;
        }
        let name = if self.len > 0 {
            self.buf.get(..self.len)
        } else {
            input.get(..*at)
        };
        let rule = self
            .rules
            .iter()
            .chain(&self.rule)
            .find(|rule| Some(rule.prefix) == name);
        self.enter(match rule.map(|rule| rule.form) {
            None => Scan::Plain,
            Some(PayloadForm::Quoted) => Scan::BeforeTopic,
            Some(PayloadForm::NextLine(commas)) => Scan::Kind { matched: 0, commas },
        });
        None
    }

    fn until_quote(&mut self, fresh: &[u8], at: &mut usize, next: Scan) -> Option<End> {
        match memchr::memchr3(b'"', b'\r', b'\n', fresh) {
            None => *at += fresh.len(),
            Some(n) if fresh.get(n) == Some(&b'"') => {
                *at += n + 1;
                self.enter(next);
            }
            Some(n) => {
                *at += n;
                self.enter(Scan::Plain);
            }
        }
        None
    }

    /// Between the first quoted parameter and the payload.
    fn before_payload(&mut self, byte: u8, at: &mut usize) -> Option<End> {
        *at += 1;
        let next = match (self.scan, byte) {
            (Scan::Length(None), b',' | b' ') => return None,
            (Scan::Length(sum), b'0'..=b'9') => Scan::Length(Some(digit(sum, byte))),
            (Scan::Length(Some(length)), b',') => Scan::AfterLength(length),
            (Scan::AfterLength(_), b' ') => return None,
            (Scan::AfterLength(length), b'"') if length <= self.max_payload => {
                self.count(length, *at, true);
                return None;
            }
            (Scan::Length(None), b'"') => Scan::Uncounted(self.len + *at),
            // The EC200U form: the length is the last parameter and the payload stands on the next line.
            (Scan::Length(Some(length)), b'\r') if self.is_payload(length) => {
                Scan::LineFeed(length)
            }
            // A payload without quotes, or something unknown, ends with the line.
            _ => {
                *at -= 1;
                Scan::Plain
            }
        };
        self.enter(next);
        None
    }

    /// In the parameters of a line whose data follow.
    fn field(&mut self, byte: u8, at: &mut usize) -> Option<End> {
        *at += 1;
        let next = match (self.scan, byte) {
            (Scan::FieldLength(Some(length)) | Scan::FieldTail(length), b'\r')
                if self.is_payload(length) =>
            {
                Scan::LineFeed(length)
            }
            (_, b'\r' | b'\n') => {
                *at -= 1;
                Scan::Plain
            }
            (Scan::Kind { matched: 0, .. }, b' ') => return None,
            (Scan::Kind { matched, commas }, byte)
                if RECV.get(usize::from(matched)) == Some(&byte) =>
            {
                Scan::Kind {
                    matched: matched + 1,
                    commas,
                }
            }
            (Scan::Kind { matched, commas }, _)
                if matched == 0 || usize::from(matched) == RECV.len() =>
            {
                *at -= 1;
                if commas == 0 {
                    Scan::FieldLength(None)
                } else {
                    Scan::Field(commas)
                }
            }
            (Scan::Field(1), b',') => Scan::FieldLength(None),
            (Scan::Field(commas), b',') => Scan::Field(commas - 1),
            (Scan::FieldLength(sum), b'0'..=b'9') => Scan::FieldLength(Some(digit(sum, byte))),
            (Scan::FieldLength(None), b' ') | (Scan::Field(_) | Scan::FieldTail(_), _) => {
                return None;
            }
            // Further parameters may follow, as in `+QIURC: "recv",0,5,"10.0.0.1",80`.
            (Scan::FieldLength(Some(length)), b',') => Scan::FieldTail(length),
            _ => Scan::Plain,
        };
        self.enter(next);
        None
    }

    fn is_payload(&self, length: u32) -> bool {
        length > 0 && length <= self.max_payload
    }

    /// A payload of so many bytes begins here.
    fn count(&mut self, length: u32, at: usize, quoted: bool) {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let end = (self.len + at).saturating_add(length);
        self.enter(Scan::Counted { end, quoted });
    }

    fn counted(&mut self, fresh: &[u8], at: &mut usize, end: usize, quoted: bool) -> Option<End> {
        let left = end.saturating_sub(self.len + *at);
        if left > fresh.len() {
            *at += fresh.len();
            return None;
        }
        *at += left;
        if quoted {
            self.enter(Scan::Closing);
            return None;
        }
        Some(End {
            keep: *at,
            eat: *at,
            trim: 0,
        })
    }

    fn uncounted(&mut self, input: &[u8], at: &mut usize, from: usize) -> Option<End> {
        let fresh = input.get(*at..).unwrap_or_default();
        let Some(n) = memchr::memchr(b'\r', fresh) else {
            *at = input.len();
            return None;
        };
        let cr = *at + n;
        *at = cr + 1;
        // The quote must belong to the payload, not open it.
        if self.len + cr > from && self.before(input, cr) == Some(b'"') {
            if input.get(*at) == Some(&b'\n') {
                return Some(End {
                    keep: cr,
                    eat: *at + 1,
                    trim: 0,
                });
            }
            if *at == input.len() {
                self.enter(Scan::QuoteCr(from));
            }
        }
        None
    }

    /// After a quote and CR that an earlier input ended with.
    fn after_quote_cr(&mut self, byte: u8, at: usize, from: usize) -> Option<End> {
        if byte == b'\n' {
            // The CR has been kept and is cut off again.
            return Some(End {
                keep: at,
                eat: at + 1,
                trim: 1,
            });
        }
        self.enter(Scan::Uncounted(from));
        None
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

fn digit(sum: Option<u32>, byte: u8) -> u32 {
    sum.unwrap_or(0)
        .saturating_mul(10)
        .saturating_add(u32::from(byte - b'0'))
}
