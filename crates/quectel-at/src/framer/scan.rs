//! Where inside a line the framer is, and how it gets to the line's end.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::{Framer, PayloadForm, PayloadRule, RawFrame};

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

/// Where a prefix is told from most other names: the fourth letter, `R` of `+QMTRECV`.
const TELLING: usize = 4;

/// Bytes in front of a payload that are looked at: `",4294967295,` and a few spaces.
pub(super) const LOOK_BACK: usize = 16;

impl Framer<'_> {
    /// Changes the state, and what may be joined without a look in it.
    pub(super) fn enter(&mut self, scan: Scan) {
        self.scan = scan;
        self.skipping = false;
        (self.floor, self.joining) = match scan {
            // Only letters: everything up to the colon is looked at.
            Scan::Name => (b':' + 1, usize::MAX),
            Scan::BeforeTopic | Scan::Topic | Scan::AfterTopic => (b'"' + 1, usize::MAX),
            Scan::Plain | Scan::NextLine | Scan::Uncounted => (b'\r' + 1, usize::MAX),
            Scan::Quoted => (0, self.extent),
            // The last byte ends the line.
            Scan::Counted => (0, self.extent.saturating_sub(1)),
            Scan::Start | Scan::LineFeed | Scan::QuoteCr => (0, 0),
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
    pub(super) fn begin<'i>(&mut self, input: &mut &'i [u8]) -> Option<RawFrame<'i>> {
        let scan = match input {
            [b'+', _, _, _, letter, ..] if self.telling >> (letter & 63) & 1 == 0 => Scan::Plain,
            [b'+', ..] => Scan::Name,
            _ => Scan::Plain,
        };
        if scan == Scan::Plain
            && let Some(n) = memchr::memchr2(b'\r', b'\n', input)
        {
            return Some(self.end(input, n, 1));
        }
        self.line(input, scan)
    }

    /// Goes on with a line; returns it when it is complete.
    pub(super) fn line<'i>(&mut self, input: &mut &'i [u8], scan: Scan) -> Option<RawFrame<'i>> {
        let mut scan = scan;
        let mut at = 0;
        loop {
            let rest = input.get(at..).unwrap_or_default();
            if rest.is_empty() {
                self.enter(scan);
                self.store(input);
                *input = &[];
                return None;
            }
            match scan {
                Scan::Start | Scan::Plain => match memchr::memchr2(b'\r', b'\n', rest) {
                    Some(n) => return Some(self.end(input, at + n, 1)),
                    None => at = input.len(),
                },
                Scan::Name => (scan, at) = self.name(input, at),
                Scan::NextLine => match memchr::memchr2(b'\r', b'\n', rest) {
                    Some(n) => (scan, at) = self.before_data(input, at + n),
                    None => at = input.len(),
                },
                Scan::BeforeTopic | Scan::Topic | Scan::AfterTopic => {
                    match memchr::memchr3(b'"', b'\r', b'\n', rest) {
                        Some(n) => (scan, at) = self.quote(input, scan, at + n),
                        None => at = input.len(),
                    }
                }
                Scan::LineFeed => {
                    // The CR has been kept as part of the line, and so is the LF.
                    at += usize::from(rest.first() == Some(&b'\n'));
                    self.extent = self.extent.saturating_add(self.len + at);
                    scan = Scan::Counted;
                }
                Scan::Quoted => {
                    let left = self.extent - self.len.min(self.extent);
                    match input.get(left) {
                        None => at = input.len(),
                        Some(b'"') => (scan, at) = (Scan::Plain, left + 1),
                        // No closing quote: the line ends here.
                        Some(_) => return Some(self.end(input, left, 0)),
                    }
                }
                Scan::Counted => {
                    let left = self.extent - self.len.min(self.extent);
                    if left <= input.len() {
                        return Some(self.end(input, left, 0));
                    }
                    at = input.len();
                }
                Scan::Uncounted => {
                    let Some(n) = memchr::memchr(b'\r', rest) else {
                        at = input.len();
                        continue;
                    };
                    let cr = at + n;
                    at = cr + 1;
                    // The quote must belong to the payload, not open it.
                    if self.len + cr > self.extent && self.before(input, cr, 1) == Some(b'"') {
                        match input.get(at) {
                            Some(b'\n') => return Some(self.end(input, cr, 2)),
                            Some(_) => {}
                            None => scan = Scan::QuoteCr,
                        }
                    }
                }
                Scan::QuoteCr => {
                    if rest.first() == Some(&b'\n') {
                        // The CR has been kept and is cut off again.
                        self.len = self.len.saturating_sub(1);
                        return Some(self.end(input, 0, 1));
                    }
                    scan = Scan::Uncounted;
                }
            }
        }
    }

    /// In the name: looks it up at its colon.
    fn name(&mut self, input: &mut &[u8], at: usize) -> (Scan, usize) {
        let begin = at + usize::from(self.len + at == 0);
        let rest = input.get(begin..).unwrap_or_default();
        let Some(n) = rest.iter().position(|byte| *byte <= b':') else {
            return (Scan::Name, input.len());
        };
        if rest.get(n) != Some(&b':') {
            return (Scan::Plain, begin + n);
        }
        let mut at = begin + n + 1;
        let mut name = input.get(..at);
        if self.len > 0 {
            // The line is copied anyway.
            self.store(name.unwrap_or_default());
            *input = input.get(at..).unwrap_or_default();
            at = 0;
            name = self.buf.get(..self.len);
        }
        let rule = |rule: &&PayloadRule| Some(rule.prefix) == name;
        let form = self.rules.iter().chain(&self.rule).find(rule);
        match form.map(|rule| rule.form) {
            None => (Scan::Plain, at),
            Some(PayloadForm::Quoted) => (Scan::BeforeTopic, at),
            Some(PayloadForm::NextLine(place)) => {
                self.extent = usize::from(place);
                (Scan::NextLine, at)
            }
        }
    }

    /// At a quote or the end of a line whose payload stands in quotes.
    fn quote(&mut self, input: &[u8], scan: Scan, at: usize) -> (Scan, usize) {
        let byte = input.get(at).copied().unwrap_or_default();
        match (scan, byte) {
            (Scan::BeforeTopic, b'"') => (Scan::Topic, at + 1),
            (Scan::Topic, b'"') => (Scan::AfterTopic, at + 1),
            (Scan::AfterTopic, b'"' | b'\r') => match self.length_before(input, at, byte) {
                Length::None if byte == b'"' => {
                    self.extent = self.len + at + 1;
                    (Scan::Uncounted, at + 1)
                }
                Length::Is(length) if byte == b'"' => {
                    self.extent = (self.len + at + 1).saturating_add(length);
                    (Scan::Quoted, at + 1)
                }
                // The EC200U form: the length is the last parameter and the payload stands on the next line.
                Length::Is(length) if length > 0 => {
                    self.extent = length;
                    (Scan::LineFeed, at + 1)
                }
                // A payload without quotes, or something unknown, ends with the line.
                _ => (Scan::Plain, at),
            },
            _ => (Scan::Plain, at),
        }
    }

    /// What stands between the first quoted parameter and `input[at]`, which is this byte.
    fn length_before(&self, input: &[u8], at: usize, byte: u8) -> Length {
        let mut back = 1;
        let skip = |back: &mut usize| {
            while *back < LOOK_BACK && self.before(input, at, *back) == Some(b' ') {
                *back += 1;
            }
            self.before(input, at, *back)
        };
        let mut found = Length::None;
        let mut last = skip(&mut back);
        if byte == b'"' {
            if last != Some(b',') {
                return Length::Other;
            }
            back += 1;
            last = skip(&mut back);
        }
        let (mut sum, mut unit) = (0_u32, 1_u32);
        while let Some(digit @ b'0'..=b'9') = last
            && back < LOOK_BACK
        {
            sum = sum.saturating_add(u32::from(digit - b'0').saturating_mul(unit));
            unit = unit.saturating_mul(10);
            back += 1;
            last = self.before(input, at, back);
            found = match usize::try_from(sum) {
                Ok(length) if sum <= self.max_payload => Length::Is(length),
                _ => Length::Other,
            };
        }
        if unit > 1 {
            if last == Some(b' ') {
                last = skip(&mut back);
            }
            if last != Some(b',') {
                return Length::Other;
            }
            back += 1;
            last = skip(&mut back);
        }
        if last == Some(b'"') {
            found
        } else {
            Length::Other
        }
    }

    /// At the end of a line whose payload may come on the next line.
    fn before_data(&mut self, input: &mut &[u8], at: usize) -> (Scan, usize) {
        if input.get(at) != Some(&b'\r') {
            return (Scan::Plain, at);
        }
        let length = self.len + at;
        let (line, at) = if self.len == 0 {
            (input.get(..at.min(self.buf.len())), at)
        } else {
            self.store(input.get(..at).unwrap_or_default());
            *input = input.get(at..).unwrap_or_default();
            (self.buf.get(..self.len.min(self.buf.len())), 0)
        };
        match data_length(
            line.unwrap_or_default(),
            self.extent,
            length > self.buf.len(),
        ) {
            Some(length) if length > 0 && length <= self.max_payload => {
                self.extent = usize::try_from(length).unwrap_or(usize::MAX);
                (Scan::LineFeed, at + 1)
            }
            _ => (Scan::Plain, at),
        }
    }

    /// The byte of the line so many bytes in front of `input[at]`, at most [`LOOK_BACK`].
    fn before(&self, input: &[u8], at: usize, back: usize) -> Option<u8> {
        match at.checked_sub(back) {
            Some(n) => input.get(n).copied(),
            None if self.len <= self.buf.len() => {
                self.buf.get((self.len + at).checked_sub(back)?).copied()
            }
            None => self.tail.get((LOOK_BACK + at).checked_sub(back)?).copied(),
        }
    }
}

/// What stands in front of a payload.
enum Length {
    /// Only a comma.
    None,
    /// The length.
    Is(usize),
    /// Something else.
    Other,
}

/// The length that a line such as `+QIURC: "recv",0,5` tells at this place of its parameters; `cut` if only the
/// beginning of the line is known.
fn data_length(line: &[u8], place: usize, cut: bool) -> Option<u32> {
    let mut params = crate::Line::new(line).parameters()?;
    for n in 0..place {
        let param = params.param().ok()?;
        if n == 0 && param.quoted && param.bytes != b"recv" {
            return None;
        }
    }
    let length = params.u32().ok();
    // The number may have been cut too.
    length.filter(|_| !cut || !params.is_empty())
}
