//! Cuts the module's bytes into lines, prompts and counted data.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

/// Where a line announces bytes that are data, whatever they look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadForm {
    /// `…,"text",[<n>,]"payload"`: after the first quoted parameter comes a payload in quotes, with its length before
    /// it or not, or, in the EC200U form, the length alone and the payload on the next line.
    Quoted,
    /// `…,<n>` CR LF and n bytes, where `<n>` is the parameter at this position, counted from 0; a line without that
    /// parameter has no payload.
    NextLine(u8),
}

/// One entry of the table of lines that carry a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadRule {
    /// The beginning of the line up to and including the colon, such as `+QMTRECV:`; at most 12 bytes.
    pub prefix: &'static [u8],
    /// Where its payload stands.
    pub form: PayloadForm,
}

/// What the framer found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Frame<'a> {
    /// A line without its CR and LF, together with its payload.
    Line(&'a [u8]),
    /// A line that does not fit the buffer: its beginning, and how many bytes were dropped.
    Overflow {
        /// The first bytes, as many as fit.
        head: &'a [u8],
        /// Bytes that are lost.
        dropped: usize,
    },
    /// The module asks for input with `>`.
    Prompt,
    /// The module acknowledges 1,024 bytes of an upload.
    Ack,
    /// Raw data of a download; may come in several pieces.
    Data(&'a [u8]),
}

/// A frame that does not borrow the framer yet; [`Framer::resolve`] turns it into a [`Frame`].
#[derive(Debug, Clone, Copy)]
pub struct RawFrame<'i> {
    kind: Kind,
    place: Place<'i>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Line,
    Overflow { dropped: usize },
    Prompt,
    Ack,
    Data,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'i> {
    Input(&'i [u8]),
    Buffer(usize),
}

/// Where inside a line the framer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scan {
    /// Between lines.
    Start,
    /// In the name, which may turn out to be one of the table's.
    Name,
    /// In a line without payload.
    Plain,
    /// `Quoted`: before the quote that opens the first quoted parameter.
    BeforeTopic,
    /// `Quoted`: in the first quoted parameter.
    Topic,
    /// `Quoted`: after it.
    AfterTopic,
    /// `Quoted`: in the length.
    Length(u32),
    /// `Quoted`: after the length and a comma.
    AfterLength(u32),
    /// `NextLine`: in the line, before the parameter with the length; counts commas down.
    Field(u8),
    /// `NextLine`: in the parameter with the length.
    FieldLength(Option<u32>),
    /// `NextLine`: in the parameters after the length.
    FieldTail(u32),
    /// After the CR of a line whose payload follows.
    LineFeed(u32),
    /// In a counted payload.
    Counted { left: u32, quoted: bool },
    /// After a counted payload in quotes, before the closing quote.
    Closing,
    /// In a payload without length: it ends at a quote, CR, LF.
    Uncounted(Tail),
}

/// How much of `"\r\n` has been seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tail {
    None,
    Quote,
    QuoteCr,
}

/// What a step over new bytes found.
enum Step {
    /// All bytes belong to the unfinished line.
    More,
    /// The line ends; `keep` of the new bytes belong to it and `eat` are consumed.
    End {
        keep: usize,
        eat: usize,
        trim: usize,
    },
    /// Go on with the same bytes from here.
    Skip(usize),
}

/// Cuts bytes into frames: any split of the bytes gives the same frames, in time linear in the bytes.
///
/// A line ends at CR or LF; empty lines are no frames. Lines longer than the buffer are reported as overflow, and
/// framing goes on at the next line end. A line that lies whole in the input is not copied.
///
/// A `+QMTRECV` payload without length is taken to end at the first `"` CR LF, so a payload that holds these three
/// bytes is cut there: let the module send lengths (`AT+QMTCFG="recv/mode",<idx>,0,1`).
///
/// # Reference
/// quectel MQTT notes: `+QMTRECV` in `recv/mode` 0,0 and 0,1; TCP/IP note: `+QIURC: "recv"`, `+QIRD`; ITU-T V.250, 5.7.
#[derive(Debug)]
pub struct Framer<'b> {
    buf: &'b mut [u8],
    rules: &'static [PayloadRule],
    rule: Option<PayloadRule>,
    scan: Scan,
    /// Bytes of the unfinished line, also those that no longer fit.
    len: usize,
    /// Raw data still to come.
    data_left: u32,
    /// The last line ended with CR, so an LF may follow that is neither data nor line.
    after_cr: bool,
    max_payload: u32,
    done: bool,
    await_prompt: bool,
    await_ack: bool,
    skip_space: bool,
}

const LONGEST_PREFIX: usize = 12;

impl<'i> RawFrame<'i> {
    pub(crate) fn place(self) -> Place<'i> {
        self.place
    }
}

impl<'b> Framer<'b> {
    /// Uses `buf` for lines that come in pieces; the longest line, with its payload, must fit.
    pub fn new(buf: &'b mut [u8], rules: &'static [PayloadRule]) -> Self {
        let max_payload = u32::try_from(buf.len().max(1 << 16)).unwrap_or(u32::MAX);
        Self {
            buf,
            rules,
            rule: None,
            scan: Scan::Start,
            len: 0,
            data_left: 0,
            after_cr: false,
            max_payload,
            done: false,
            await_prompt: false,
            await_ack: false,
            skip_space: false,
        }
    }

    /// Sets whether `>` at the beginning of a line is a prompt.
    pub fn await_prompt(&mut self, await_prompt: bool) {
        self.await_prompt = await_prompt;
    }

    /// Sets whether `A` at the beginning of a line acknowledges a part of an upload.
    pub fn await_ack(&mut self, await_ack: bool) {
        self.await_ack = await_ack;
    }

    /// Takes the next `bytes` bytes as raw data. Call it when a line has just ended.
    pub fn await_data(&mut self, bytes: u32) {
        self.data_left = bytes;
    }

    /// Adds a rule to the table until it is replaced, such as `+QIRD:` while its command runs.
    pub fn set_rule(&mut self, rule: Option<PayloadRule>) {
        self.rule = rule;
    }

    /// Whether a line, a payload or data are unfinished.
    pub fn is_inside(&self) -> bool {
        self.data_left > 0 || (self.scan != Scan::Start && !self.done)
    }

    /// Gives up an unfinished line, payload or data and returns how many bytes are lost.
    pub fn reset(&mut self) -> usize {
        let lost = if self.done { 0 } else { self.len };
        self.data_left = 0;
        self.scan = Scan::Start;
        self.len = 0;
        self.done = false;
        self.await_prompt = false;
        self.await_ack = false;
        lost
    }

    /// Takes bytes from the front of `input` until a frame is complete; `None` when the input is empty.
    pub fn poll<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Frame<'a>> {
        let raw = self.poll_raw(input)?;
        Some(self.resolve(raw))
    }

    /// Like [`Framer::poll`] without borrowing the framer.
    pub fn poll_raw<'i>(&mut self, input: &mut &'i [u8]) -> Option<RawFrame<'i>> {
        if self.done {
            self.done = false;
            self.len = 0;
            self.scan = Scan::Start;
        }
        loop {
            if input.is_empty() {
                return None;
            }
            if self.data_left > 0 {
                if self.after_cr {
                    self.after_cr = false;
                    if let [b'\n', rest @ ..] = *input {
                        *input = rest;
                        continue;
                    }
                }
                let n = input
                    .len()
                    .min(usize::try_from(self.data_left).unwrap_or(usize::MAX));
                let (data, rest) = input.split_at(n);
                *input = rest;
                self.data_left -= u32::try_from(n).unwrap_or(self.data_left);
                return Some(RawFrame {
                    kind: Kind::Data,
                    place: Place::Input(data),
                });
            }
            if self.scan == Scan::Start {
                if let Some(kind) = self.start(input) {
                    return Some(RawFrame {
                        kind,
                        place: Place::Input(&[]),
                    });
                }
                if input.is_empty() {
                    return None;
                }
            }
            if let Some(frame) = self.line(input) {
                return Some(frame);
            }
        }
    }

    /// The frame with its bytes, valid until the next poll.
    pub fn resolve<'a, 'i: 'a>(&'a self, raw: RawFrame<'i>) -> Frame<'a> {
        let bytes = self.bytes(raw.place);
        match raw.kind {
            Kind::Line => Frame::Line(bytes),
            Kind::Overflow { dropped } => Frame::Overflow {
                head: bytes,
                dropped,
            },
            Kind::Prompt => Frame::Prompt,
            Kind::Ack => Frame::Ack,
            Kind::Data => Frame::Data(bytes),
        }
    }

    pub(crate) fn bytes<'a, 'i: 'a>(&'a self, place: Place<'i>) -> &'a [u8] {
        match place {
            Place::Input(bytes) => bytes,
            Place::Buffer(len) => self.buf.get(..len).unwrap_or_default(),
        }
    }

    /// Skips line ends; finds a prompt or an acknowledgement; otherwise begins a line.
    fn start(&mut self, input: &mut &[u8]) -> Option<Kind> {
        while let [first, rest @ ..] = *input {
            match first {
                b'\r' | b'\n' => {}
                b' ' if self.skip_space => {}
                b'>' if self.await_prompt => {
                    *input = rest;
                    self.await_prompt = false;
                    self.skip_space = true;
                    return Some(Kind::Prompt);
                }
                b'A' if self.await_ack => {
                    *input = rest;
                    return Some(Kind::Ack);
                }
                _ => {
                    self.skip_space = false;
                    self.scan = if *first == b'+' {
                        Scan::Name
                    } else {
                        Scan::Plain
                    };
                    return None;
                }
            }
            self.skip_space = false;
            *input = rest;
        }
        None
    }

    /// Goes on with a line; returns it when it is complete.
    fn line<'i>(&mut self, input: &mut &'i [u8]) -> Option<RawFrame<'i>> {
        let mut at = 0;
        loop {
            let fresh = input.get(at..).unwrap_or_default();
            if fresh.is_empty() {
                self.store(input);
                *input = &[];
                return None;
            }
            match self.step(input, at, fresh) {
                Step::More => at = input.len(),
                Step::Skip(n) => at += n,
                Step::End { keep, eat, trim } => {
                    let (line, rest) = input.split_at((at + eat).min(input.len()));
                    self.after_cr = line.last() == Some(&b'\r');
                    let frame = self.finish(line.get(..at + keep).unwrap_or(line), trim);
                    *input = rest;
                    return Some(frame);
                }
            }
        }
    }

    fn finish<'i>(&mut self, fresh: &'i [u8], trim: usize) -> RawFrame<'i> {
        self.done = true;
        let total = (self.len + fresh.len()).saturating_sub(trim);
        if total > self.buf.len() {
            self.store(fresh);
            self.len = total;
            let dropped = total - self.buf.len();
            return RawFrame {
                kind: Kind::Overflow { dropped },
                place: Place::Buffer(self.buf.len()),
            };
        }
        if self.len == 0 {
            let line = fresh.get(..total).unwrap_or(fresh);
            return RawFrame {
                kind: Kind::Line,
                place: Place::Input(line),
            };
        }
        self.store(fresh);
        self.len = total;
        RawFrame {
            kind: Kind::Line,
            place: Place::Buffer(total),
        }
    }

    fn store(&mut self, bytes: &[u8]) {
        if let Some(room) = self.buf.get_mut(self.len..) {
            let n = room.len().min(bytes.len());
            if let (Some(to), Some(from)) = (room.get_mut(..n), bytes.get(..n)) {
                to.copy_from_slice(from);
            }
        }
        self.len = self.len.saturating_add(bytes.len());
    }

    /// Looks at new bytes; `input[..at]` belong to the line and are not stored yet.
    fn step(&mut self, input: &[u8], at: usize, fresh: &[u8]) -> Step {
        match self.scan {
            Scan::Start | Scan::Plain => plain(fresh),
            Scan::Name => self.name(input, at, fresh),
            Scan::BeforeTopic => self.until_quote(fresh, Scan::Topic),
            Scan::Topic => self.until_quote(fresh, Scan::AfterTopic),
            Scan::AfterTopic | Scan::Length(_) | Scan::AfterLength(_) => self.before_payload(fresh),
            Scan::Field(_) | Scan::FieldLength(_) | Scan::FieldTail(_) => self.field(fresh),
            Scan::LineFeed(left) => {
                // The CR has been kept as part of the line, and so is the LF.
                self.scan = Scan::Counted {
                    left,
                    quoted: false,
                };
                if fresh.first() == Some(&b'\n') {
                    Step::Skip(1)
                } else {
                    Step::Skip(0)
                }
            }
            Scan::Counted { left, quoted } => self.counted(fresh, left, quoted),
            Scan::Closing => match fresh.first() {
                Some(b'"') => {
                    self.scan = Scan::Plain;
                    Step::Skip(1)
                }
                // No closing quote: the line ends here.
                _ => Step::End {
                    keep: 0,
                    eat: 0,
                    trim: 0,
                },
            },
            Scan::Uncounted(tail) => self.uncounted(fresh, tail),
        }
    }

    fn name(&mut self, input: &[u8], at: usize, fresh: &[u8]) -> Step {
        let end = fresh
            .iter()
            .position(|&b| matches!(b, b':' | b'\r' | b'\n'));
        let Some(end) = end else {
            if self.len + at + fresh.len() > LONGEST_PREFIX {
                self.scan = Scan::Plain;
            }
            return Step::More;
        };
        if fresh.get(end) != Some(&b':') {
            return Step::End {
                keep: end,
                eat: end + 1,
                trim: 0,
            };
        }
        // The name is short, so gathering its parts is bounded.
        let mut name = [0_u8; LONGEST_PREFIX];
        let stored = self
            .buf
            .get(..self.len.min(self.buf.len()))
            .unwrap_or_default();
        let new = input.get(..at + end + 1).unwrap_or_default();
        let length = self.len + new.len();
        self.scan = Scan::Plain;
        if length <= LONGEST_PREFIX && self.len <= stored.len() {
            for (to, from) in name.iter_mut().zip(stored.iter().chain(new)) {
                *to = *from;
            }
            let name = name.get(..length).unwrap_or_default();
            if let Some(rule) = self
                .rules
                .iter()
                .chain(&self.rule)
                .find(|rule| rule.prefix == name)
            {
                self.scan = match rule.form {
                    PayloadForm::Quoted => Scan::BeforeTopic,
                    PayloadForm::NextLine(0) => Scan::FieldLength(None),
                    PayloadForm::NextLine(n) => Scan::Field(n),
                };
            }
        }
        Step::Skip(end + 1)
    }

    fn until_quote(&mut self, fresh: &[u8], next: Scan) -> Step {
        match memchr::memchr3(b'"', b'\r', b'\n', fresh) {
            Some(n) if fresh.get(n) == Some(&b'"') => {
                self.scan = next;
                Step::Skip(n + 1)
            }
            Some(n) => Step::End {
                keep: n,
                eat: n + 1,
                trim: 0,
            },
            None => Step::More,
        }
    }

    fn before_payload(&mut self, fresh: &[u8]) -> Step {
        let Some(&byte) = fresh.first() else {
            return Step::More;
        };
        self.scan = match (self.scan, byte) {
            (_, b'\r' | b'\n') => {
                // The EC200U form: the length is the last parameter and the payload stands on the next line.
                return match self.scan {
                    Scan::Length(left) if left > 0 && left <= self.max_payload && byte == b'\r' => {
                        self.scan = Scan::LineFeed(left);
                        Step::Skip(1)
                    }
                    _ => Step::End {
                        keep: 0,
                        eat: 1,
                        trim: 0,
                    },
                };
            }
            (Scan::AfterTopic, b',' | b' ') => Scan::AfterTopic,
            (Scan::AfterTopic | Scan::Length(_), b'0'..=b'9') => {
                let sum = if let Scan::Length(sum) = self.scan {
                    sum
                } else {
                    0
                };
                Scan::Length(
                    sum.saturating_mul(10)
                        .saturating_add(u32::from(byte - b'0')),
                )
            }
            (Scan::Length(left), b',') => Scan::AfterLength(left),
            (Scan::AfterLength(left), b' ') => Scan::AfterLength(left),
            (Scan::AfterLength(left), b'"') if left <= self.max_payload => {
                Scan::Counted { left, quoted: true }
            }
            (Scan::AfterTopic, b'"') => Scan::Uncounted(Tail::None),
            // A payload without quotes, or something unknown, ends with the line.
            _ => Scan::Plain,
        };
        Step::Skip(1)
    }

    fn field(&mut self, fresh: &[u8]) -> Step {
        let Some(&byte) = fresh.first() else {
            return Step::More;
        };
        self.scan = match (self.scan, byte) {
            (Scan::FieldLength(Some(left)) | Scan::FieldTail(left), b'\r')
                if left > 0 && left <= self.max_payload =>
            {
                Scan::LineFeed(left)
            }
            (_, b'\r' | b'\n') => {
                return Step::End {
                    keep: 0,
                    eat: 1,
                    trim: 0,
                };
            }
            (Scan::Field(1), b',') => Scan::FieldLength(None),
            (Scan::Field(n), b',') => Scan::Field(n - 1),
            (Scan::Field(n), _) => Scan::Field(n),
            (Scan::FieldLength(sum), b'0'..=b'9') => Scan::FieldLength(Some(
                sum.unwrap_or(0)
                    .saturating_mul(10)
                    .saturating_add(u32::from(byte - b'0')),
            )),
            (Scan::FieldLength(None), b' ') => Scan::FieldLength(None),
            // Further parameters may follow, as in `+QIURC: "recv",0,5,"10.0.0.1",80`.
            (Scan::FieldLength(Some(left)), b',') => Scan::FieldTail(left),
            (Scan::FieldTail(left), _) => Scan::FieldTail(left),
            _ => Scan::Plain,
        };
        Step::Skip(1)
    }

    fn counted(&mut self, fresh: &[u8], left: u32, quoted: bool) -> Step {
        let n = fresh.len().min(usize::try_from(left).unwrap_or(usize::MAX));
        let left = left - u32::try_from(n).unwrap_or(left);
        if left > 0 {
            self.scan = Scan::Counted { left, quoted };
            return Step::More;
        }
        if quoted {
            self.scan = Scan::Closing;
            return Step::Skip(n);
        }
        Step::End {
            keep: n,
            eat: n,
            trim: 0,
        }
    }

    fn uncounted(&mut self, fresh: &[u8], tail: Tail) -> Step {
        let Some(&byte) = fresh.first() else {
            return Step::More;
        };
        match (tail, byte) {
            // The CR has been kept and is cut off again.
            (Tail::QuoteCr, b'\n') => {
                return Step::End {
                    keep: 0,
                    eat: 1,
                    trim: 1,
                };
            }
            (Tail::Quote, b'\r') => {
                self.scan = Scan::Uncounted(Tail::QuoteCr);
                return Step::Skip(1);
            }
            _ => {}
        }
        match memchr::memchr(b'"', fresh) {
            Some(n) => {
                self.scan = Scan::Uncounted(Tail::Quote);
                Step::Skip(n + 1)
            }
            None => {
                self.scan = Scan::Uncounted(Tail::None);
                Step::More
            }
        }
    }
}

fn plain(fresh: &[u8]) -> Step {
    match memchr::memchr2(b'\r', b'\n', fresh) {
        Some(n) => Step::End {
            keep: n,
            eat: n + 1,
            trim: 0,
        },
        None => Step::More,
    }
}
