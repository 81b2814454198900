//! Cuts the module's bytes into lines, prompts and counted data.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod scan;

use crate::find::{self, WIDE};
use scan::{HEAD, Scan, State};

/// Where a line announces bytes that are data, whatever they look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadForm {
    /// `…,"text",[<n>,]"payload"`: after the first quoted parameter comes a payload in quotes, with its length before
    /// it or not, or, in the EC200U form, the length alone and the payload on the next line.
    Quoted,
    /// `…,<n>` CR LF and n bytes, where `<n>` is the parameter at this position, counted from 0; a line without that
    /// parameter has no payload. If the first parameter is a word, it must be `"recv"`.
    NextLine(u8),
}

/// One entry of the table of lines that carry a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadRule {
    /// The beginning of the line: `+`, letters and a colon, such as `+QMTRECV:`; at most 12 bytes.
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
    Overflow,
    Prompt,
    Ack,
    Data,
}

#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'i> {
    Input(&'i [u8]),
    Buffer(usize),
}

/// Cuts bytes into frames: any split of the bytes gives the same frames, in time linear in the bytes.
///
/// A line ends at CR or LF; empty lines are no frames. Lines longer than the buffer are reported as overflow, and
/// framing goes on at the next line end. A line that lies whole in the input is not copied.
///
/// A byte that comes alone inside a line is only kept; the line is looked at when a control character comes, since
/// nothing else ends it.
///
/// A `+QMTRECV` payload without length is taken to end at the first `"` CR LF, so a payload that holds these three
/// bytes is cut there: let the module send lengths (`AT+QMTCFG="recv/mode",<idx>,0,1`).
///
/// # Reference
/// quectel MQTT notes: `+QMTRECV` in `recv/mode` 0,0 and 0,1; TCP/IP note: `+QIURC: "recv"`, `+QIRD`; ITU-T V.250, 5.7.
#[derive(Debug)]
pub struct Framer<'b> {
    buf: &'b mut [u8],
    /// Bytes of the unfinished line, also those that no longer fit.
    len: usize,
    /// A single byte from this one on only joins the line: the quick way.
    floor: u16,
    /// Between lines a CR or LF is only skipped, and nothing else is special.
    skipping: bool,
    scan: Scan,
    /// How many bytes of the unfinished line have been looked at.
    seen: usize,
    /// Bytes of the last line that did not fit.
    dropped: usize,
    rules: &'static [PayloadRule],
    rule: Option<PayloadRule>,
    /// A bit for each letter that stands in a rule's prefix where most names differ.
    telling: u32,
    /// Raw data still to come.
    data_left: u32,
    /// The last line ended with CR, so an LF may follow that is neither data nor line.
    after_cr: bool,
    await_prompt: bool,
    await_ack: bool,
    skip_space: bool,
}

/// Control characters are less than this, as far as they end something.
const CONTROL: u8 = b'\r' + 1;
/// Other bytes join a line without a look.
const JOINS: u16 = CONTROL as u16;
/// More than any byte.
const NONE_JOINS: u16 = u8::MAX as u16 + 1;

/// Where a prefix is told from most other names: the fourth letter, `R` of `+QMTRECV`.
const TELLING: usize = 4;

/// What a piece of the input gave, and the rest of the input.
type Found<'i> = (Option<RawFrame<'i>>, &'i [u8]);

impl<'i> RawFrame<'i> {
    pub(crate) fn place(self) -> Place<'i> {
        self.place
    }
}

impl<'b> Framer<'b> {
    /// Uses `buf` for lines that come in pieces; the longest line, with its payload, must fit.
    pub fn new(buf: &'b mut [u8], rules: &'static [PayloadRule]) -> Self {
        let scan = Scan::new(buf.len());
        let mut framer = Self {
            buf,
            len: 0,
            floor: NONE_JOINS,
            skipping: true,
            scan,
            seen: 0,
            dropped: 0,
            rules,
            rule: None,
            telling: 0,
            data_left: 0,
            after_cr: false,
            await_prompt: false,
            await_ack: false,
            skip_space: false,
        };
        framer.learn();
        framer
    }

    /// Sets whether `>` at the beginning of a line is a prompt.
    pub fn await_prompt(&mut self, await_prompt: bool) {
        self.await_prompt = await_prompt;
        self.settle();
    }

    /// Sets whether `A` at the beginning of a line acknowledges a part of an upload.
    pub fn await_ack(&mut self, await_ack: bool) {
        self.await_ack = await_ack;
        self.settle();
    }

    /// Takes the next `bytes` bytes as raw data. Call it when a line has just ended.
    pub fn await_data(&mut self, bytes: u32) {
        self.data_left = bytes;
        self.settle();
    }

    /// Says that no LF belongs to the line that has just ended, as with numeric result codes.
    pub(crate) fn expect_no_line_feed(&mut self) {
        self.after_cr = false;
    }

    /// Adds a rule to the table until it is replaced, such as `+QIRD:` while its command runs. It is for lines that
    /// begin later.
    pub fn set_rule(&mut self, rule: Option<PayloadRule>) {
        self.catch_up();
        self.rule = rule;
        self.learn();
    }

    /// Remembers which names may be in the table.
    fn learn(&mut self) {
        let rules = self.rules.iter().chain(&self.rule);
        self.telling = rules.fold(0, |all, rule| match rule.prefix.get(TELLING) {
            Some(letter) => all | 1 << (letter & 31),
            None => u32::MAX,
        });
    }

    /// Whether a line, a payload or data are unfinished.
    pub fn is_inside(&self) -> bool {
        self.data_left > 0 || self.scan.state != State::Start
    }

    /// Gives up an unfinished line, payload or data and returns how many bytes are lost.
    pub fn reset(&mut self) -> usize {
        let lost = self.len;
        self.data_left = 0;
        self.len = 0;
        self.scan.state = State::Start;
        self.floor = NONE_JOINS;
        self.settle();
        lost
    }

    /// Takes bytes from the front of `input` until a frame is complete; `None` when the input is empty.
    pub fn poll<'a, 'i: 'a>(&'a mut self, input: &mut &'i [u8]) -> Option<Frame<'a>> {
        let raw = self.poll_raw(input)?;
        Some(self.resolve(raw))
    }

    /// Like [`Framer::poll`] without borrowing the framer.
    #[inline]
    pub fn poll_raw<'i>(&mut self, input: &mut &'i [u8]) -> Option<RawFrame<'i>> {
        if let [byte] = **input
            && self.join(byte)
        {
            *input = &[];
            return None;
        }
        if self.join_all(input) {
            *input = &[];
            return None;
        }
        if let Some((line, rest)) = self.whole_line(input) {
            *input = rest;
            return Some(RawFrame {
                kind: Kind::Line,
                place: Place::Input(line),
            });
        }
        let frame;
        (frame, *input) = self.look(input);
        frame
    }

    /// Takes a single byte that gives no frame; false if it may give one.
    #[inline]
    pub(crate) fn join(&mut self, byte: u8) -> bool {
        if u16::from(byte) >= self.floor
            && let Some(slot) = self.buf.get_mut(self.len)
        {
            *slot = byte;
            self.len += 1;
            return true;
        }
        self.skipping && self.skip_or_begin(byte)
    }

    /// Takes a byte between lines; false if there is no room for it.
    fn skip_or_begin(&mut self, byte: u8) -> bool {
        if matches!(byte, b'\r' | b'\n') {
            return true;
        }
        let Some(slot) = self.buf.first_mut() else {
            return false;
        };
        *slot = byte;
        self.len = 1;
        self.enter(State::Unread);
        true
    }

    /// Takes bytes that lie inside a counted payload; false if they do not, or reach its end.
    #[inline]
    pub(crate) fn join_all(&mut self, bytes: &[u8]) -> bool {
        if !self.scan.is_in_payload() || self.seen < self.len {
            return false;
        }
        let end = self.len.saturating_add(bytes.len());
        if let Some(room) = self.buf.get_mut(self.len..end)
            && self.scan.pass(bytes.len())
        {
            room.copy_from_slice(bytes);
            self.len = end;
            self.seen = end;
            return true;
        }
        false
    }

    /// The usual case, where a processor has room for its code: a line that is here whole, and the rest of the input.
    #[inline]
    pub(crate) fn whole_line<'i>(&mut self, input: &'i [u8]) -> Option<(&'i [u8], &'i [u8])> {
        if !WIDE || !self.skipping {
            return None;
        }
        // The end of one line and the beginning of the next.
        let mut input = input.strip_prefix(b"\n\r\n").unwrap_or(input);
        while let [b'\r' | b'\n', rest @ ..] = input {
            input = rest;
        }
        let at = scan::whole(input, self.rule_of(input), &self.scan)?;
        let (line, rest) = input.split_at_checked(at)?;
        if line.len() > self.buf.len() {
            return None;
        }
        let (end, rest) = rest.split_first()?;
        self.after_cr = *end == b'\r';
        Some((line, rest))
    }

    /// The next frame, and the rest of the input, which is empty if there is none.
    pub(crate) fn look<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        let mut input = input;
        if self.scan.state == State::Start {
            if !self.skipping {
                let frame;
                (frame, input) = self.start(input);
                if frame.is_some() {
                    return (frame, input);
                }
            }
            while let [b'\r' | b'\n', rest @ ..] = input {
                input = rest;
            }
            if input.is_empty() {
                return (None, input);
            }
            if input.len() >= HEAD {
                let passed = self.scan.begin(input, self.rule_of(input));
                return self.run(input, passed);
            }
            self.enter(State::Unread);
        }
        self.resume(input)
    }

    /// The rule of the table that a line with this beginning has.
    #[inline]
    fn rule_of(&self, head: &[u8]) -> Option<PayloadRule> {
        match head {
            [b'+', _, _, _, letter, ..] if self.telling >> (letter & 31) & 1 != 0 => {
                let mut rules = self.rules.iter().chain(&self.rule);
                rules.find(|rule| head.starts_with(rule.prefix)).copied()
            }
            _ => None,
        }
    }

    /// Goes on with a line of which nothing or the beginning has come.
    fn resume<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        let mut input = input;
        if self.scan.state == State::Unread {
            let wanted = HEAD.min(self.buf.len()).saturating_sub(self.len);
            let near = input.get(..wanted).unwrap_or(input);
            let near = find::below(near, CONTROL).unwrap_or(near.len());
            let (head, rest) = input.split_at(near.min(input.len()));
            self.store(head);
            input = rest;
        }
        if input.is_empty() {
            return (None, input);
        }
        self.catch_up();
        if self.scan.state == State::Plain && matches!(input, [b'\r' | b'\n', ..]) {
            return self.end(input, 1, 1);
        }
        self.run(input, 0)
    }

    /// Looks at the bytes that have only joined the line.
    fn catch_up(&mut self) {
        let stored = self.buf.get(..self.len).unwrap_or_default();
        if self.scan.state == State::Unread {
            self.seen = self.scan.begin(stored, self.rule_of(stored));
        }
        // Nothing among them ends the line.
        if self.scan.state != State::Plain {
            self.scan.run(stored.get(self.seen..).unwrap_or_default());
        }
        self.seen = self.len;
    }

    /// Goes on with a line whose bytes have been looked at as far as `input[passed]`.
    fn run<'i>(&mut self, input: &'i [u8], passed: usize) -> Found<'i> {
        match self.scan.run(input.get(passed..).unwrap_or_default()) {
            Some((end, line_end)) => self.end(input, passed + end, line_end),
            None => {
                self.store(input);
                self.seen = self.len;
                self.enter(self.scan.state);
                (None, &[])
            }
        }
    }

    /// Changes the state, and what may be joined in it without a look.
    fn enter(&mut self, state: State) {
        self.scan.state = state;
        self.floor = if self.scan.can_wait() {
            JOINS
        } else {
            NONE_JOINS
        };
        self.skipping = false;
    }

    fn data<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        let line_feed = !input.is_empty() && core::mem::take(&mut self.after_cr);
        let input = match input {
            [b'\n', rest @ ..] if line_feed => rest,
            input => input,
        };
        let left = usize::try_from(self.data_left).unwrap_or(usize::MAX);
        let (data, rest) = input.split_at(input.len().min(left));
        self.data_left -= u32::try_from(data.len()).unwrap_or(self.data_left);
        self.settle();
        let frame = RawFrame {
            kind: Kind::Data,
            place: Place::Input(data),
        };
        ((!data.is_empty()).then_some(frame), rest)
    }

    /// The frame with its bytes, valid until the next poll.
    #[inline]
    pub fn resolve<'a, 'i: 'a>(&'a self, raw: RawFrame<'i>) -> Frame<'a> {
        let bytes = self.bytes(raw.place);
        match raw.kind {
            Kind::Line => Frame::Line(bytes),
            Kind::Overflow => Frame::Overflow {
                head: bytes,
                dropped: self.dropped,
            },
            Kind::Prompt => Frame::Prompt,
            Kind::Ack => Frame::Ack,
            Kind::Data => Frame::Data(bytes),
        }
    }

    #[inline]
    pub(crate) fn bytes<'a, 'i: 'a>(&'a self, place: Place<'i>) -> &'a [u8] {
        match place {
            Place::Input(bytes) => bytes,
            Place::Buffer(len) => self.buf.get(..len).unwrap_or_default(),
        }
    }

    /// Skips the space that follows a prompt, once bytes have come.
    pub(crate) fn skip_prompt_space<'i>(&mut self, input: &'i [u8]) -> &'i [u8] {
        let [first, rest @ ..] = input else {
            return input;
        };
        let skip = core::mem::take(&mut self.skip_space) && *first == b' ';
        self.settle();
        if skip { rest } else { input }
    }

    /// Between lines, where more than line ends is awaited.
    fn start<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        if self.data_left > 0 {
            return self.data(input);
        }
        let mut input = input;
        while let [first, rest @ ..] = input {
            let kind = match first {
                b'\r' | b'\n' => None,
                b' ' if self.skip_space => None,
                b'>' if self.await_prompt => Some(Kind::Prompt),
                b'A' if self.await_ack => Some(Kind::Ack),
                _ => break,
            };
            input = rest;
            self.skip_space = false;
            if let Some(kind) = kind {
                if let Kind::Prompt = kind {
                    self.await_prompt = false;
                    self.skip_space = true;
                }
                let place = Place::Input(&[]);
                return (Some(RawFrame { kind, place }), input);
            }
        }
        self.skip_space &= input.is_empty();
        self.settle();
        (None, input)
    }

    /// Finds out whether anything but line ends is awaited between lines.
    fn settle(&mut self) {
        self.skipping = !self.await_prompt
            && !self.await_ack
            && !self.skip_space
            && self.data_left == 0
            && self.scan.state == State::Start;
    }

    /// Ends the line behind so many bytes of the input, the last of which are its line end.
    #[inline]
    fn end<'i>(&mut self, input: &'i [u8], end: usize, line_end: usize) -> Found<'i> {
        let (line, rest) = input.split_at(end.min(input.len()));
        self.after_cr = line.last() == Some(&b'\r');
        let fresh = line.get(..end.saturating_sub(line_end)).unwrap_or(line);
        let frame = if self.len == 0 && fresh.len() <= self.buf.len() {
            if !self.skipping {
                self.reset();
            }
            RawFrame {
                kind: Kind::Line,
                place: Place::Input(fresh),
            }
        } else {
            self.store(fresh);
            // A part of the line end may have been kept.
            self.len -= line_end.saturating_sub(end).min(self.len);
            self.end_stored()
        };
        (Some(frame), rest)
    }

    /// Ends a line that came in pieces or does not fit.
    fn end_stored<'i>(&mut self) -> RawFrame<'i> {
        let fits = self.len.min(self.buf.len());
        self.dropped = self.len - fits;
        self.reset();
        RawFrame {
            kind: if self.dropped == 0 {
                Kind::Line
            } else {
                Kind::Overflow
            },
            place: Place::Buffer(fits),
        }
    }

    fn store(&mut self, bytes: &[u8]) {
        let room = self.buf.get_mut(self.len..).unwrap_or_default();
        let n = room.len().min(bytes.len());
        if let (Some(to), Some(from)) = (room.get_mut(..n), bytes.get(..n)) {
            to.copy_from_slice(from);
        }
        self.len = self.len.saturating_add(bytes.len());
    }
}
