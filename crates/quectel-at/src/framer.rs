//! Cuts the module's bytes into lines, prompts and counted data.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod scan;
#[cfg(all(target_pointer_width = "64", not(narrow)))]
mod wide;
#[cfg(not(all(target_pointer_width = "64", not(narrow))))]
#[path = "framer/narrow.rs"]
mod wide;

use crate::Line;
use crate::find::WIDE;
use scan::State;
use wide::Notes;

pub(crate) use wide::Parts;

/// Where a line announces bytes that are data, whatever they look like.
///
/// A value is the number of parameters in front of the length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PayloadForm {
    /// `<n>` or `<n>,…`, CR LF and n bytes.
    NextLine = 0,
    /// `"recv",<id>,<n>` or `"recv",<id>,<n>,…`, CR LF and n bytes; a line with another word, or without `<n>`, has no
    /// payload.
    Recv = 2,
    /// `<client>,<msgid>,"<topic>",[<n>,]"<payload>"`, or, in the EC200U form, `<client>,<msgid>,"<topic>",<n>`, CR LF and
    /// n bytes.
    Quoted = 3,
}

/// One entry of the table of lines that carry a payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PayloadRule {
    /// The name of the line: `+` and letters, such as `+QMTRECV`; 5 to 16 bytes.
    pub name: &'static [u8],
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line,
    Prompt,
    Ack,
    Data,
}

/// What the quick ways gave.
pub(crate) enum Quick<'i> {
    /// A line, and the rest of the input.
    #[cfg_attr(
        not(all(target_pointer_width = "64", not(narrow))),
        expect(dead_code, reason = "there are none")
    )]
    Line(Place<'i>, &'i [u8]),
    /// Nothing: all bytes only joined a line.
    #[cfg_attr(
        not(all(target_pointer_width = "64", not(narrow))),
        expect(dead_code, reason = "there are none")
    )]
    Joined,
    /// What is left makes a reader think.
    Other(&'i [u8]),
}

/// Where the bytes of a frame are: in the input, or in the framer's buffer.
pub(crate) type Place<'i> = Option<&'i [u8]>;

/// Cuts bytes into frames: any split of the bytes gives the same frames, in time linear in the bytes.
///
/// A line ends at CR or LF; empty lines are no frames. Lines longer than the buffer are reported as overflow, and
/// framing goes on at the next line end.
///
/// The lines are found by a state machine that takes a byte at a time and keeps them in the buffer. On a 64-bit processor
/// quick ways stand in front of it: a line that lies whole in the input is not copied, and a byte that comes alone inside
/// a line is only kept, since nothing but a control character or the end of a counted payload ends a line.
///
/// A `+QMTRECV` line that ends with a number behind its topic announces so many bytes on the next line, as EC200U does; a
/// payload without quotes that is a number looks the same.
///
/// An announced length of more than 65,535 bytes is not believed: the line ends as others do. Whatever announces less takes
/// so many bytes, garbage too. The LF that ends the header is taken with them.
///
/// A `+QMTRECV` payload without length, or whose length does not fit the buffer, is taken to end at the first `"` CR LF,
/// so a payload that holds these three bytes is cut there: let the module send lengths (`AT+QMTCFG="recv/mode",<idx>,0,1`).
/// A length in front of the CR must fit the buffer, or what follows is taken for lines.
///
/// # Reference
/// quectel MQTT notes: `+QMTRECV` in `recv/mode` 0,0 and 0,1; TCP/IP note: `+QIURC: "recv"`, `+QIRD`; ITU-T V.250, 5.7.
// In this order the fields take least code: single bytes are in reach of short instructions, and what begins as 0 does not
// stand together, or else it is cleared by a call of `memset`.
#[derive(Debug)]
#[repr(C)]
pub struct Framer<'b> {
    buf: &'b mut [u8],
    /// Bytes of the unfinished line, also those that do not fit.
    len: usize,
    state: State,
    /// The last byte of a line that has been looked at; 0 if no LF belongs to it.
    last: u8,
    await_prompt: bool,
    await_ack: bool,
    skip_space: bool,
    /// The table, and what is added to it.
    rules: [&'static [PayloadRule]; 2],
    /// What is added to it for the next line.
    added: &'static [PayloadRule],
    /// Bytes of the last line, also those that did not fit.
    ended: usize,
    /// The quotes of a header, the last three bytes of a payload without length, or how many bytes of a payload are to come.
    number: u32,
    /// Raw data still to come.
    data_left: u32,
    /// What the quick ways know.
    notes: Notes,
}

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
        let mut framer = Self {
            buf,
            len: 0,
            state: State::Start,
            last: 0,
            await_prompt: false,
            await_ack: false,
            skip_space: false,
            rules: [rules, &[]],
            added: &[],
            ended: 0,
            number: 0,
            data_left: 0,
            notes: Notes::new(),
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
        self.last = 0;
    }

    /// Adds a rule to the table until it is replaced, such as that of `+QIRD` while its command runs. A line keeps to the
    /// rules of the time when it began.
    pub fn set_rule(&mut self, rule: Option<&'static PayloadRule>) {
        self.added = rule.map_or(&[], core::slice::from_ref);
        if self.state == State::Start {
            self.change_rules();
        }
    }

    fn change_rules(&mut self) {
        let [_, added] = &mut self.rules;
        if !WIDE || !core::ptr::eq(added.as_ptr(), self.added.as_ptr()) {
            *added = self.added;
            self.learn();
        }
    }

    /// Whether a line, a payload or data are unfinished.
    pub fn is_inside(&self) -> bool {
        self.data_left > 0 || self.state != State::Start
    }

    /// Gives up an unfinished line, payload or data and returns how many bytes are lost.
    pub fn reset(&mut self) -> usize {
        let lost = self.len;
        self.data_left = 0;
        self.skip_space = false;
        self.last = 0;
        self.begin();
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
        match self.quick(input) {
            Quick::Line(place, rest) => {
                *input = rest;
                let kind = Kind::Line;
                return Some(RawFrame { kind, place });
            }
            Quick::Joined => {
                *input = &[];
                return None;
            }
            Quick::Other(rest) => *input = rest,
        }
        let frame;
        (frame, *input) = self.look(input);
        frame
    }

    /// The next frame, and the rest of the input, which is empty if there is none.
    pub(crate) fn look<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        if self.data_left > 0 && self.state == State::Start {
            return self.data(input);
        }
        let mut input = input;
        loop {
            input = self.join_many(input);
            let [byte, rest @ ..] = input else {
                self.settle();
                return (None, input);
            };
            input = rest;
            if !WIDE && self.stays(*byte) {
                continue;
            }
            if let Some(kind) = self.take(*byte) {
                return (Some(RawFrame { kind, place: None }), input);
            }
        }
    }

    /// Takes a byte that leaves the line where it is, as most do.
    fn stays(&mut self, byte: u8) -> bool {
        match self.buf.get_mut(self.len) {
            Some(slot) => *slot = byte,
            None => return false,
        }
        let stays = self.passes(byte);
        self.len += usize::from(stays);
        stays
    }

    /// Takes a byte.
    fn take(&mut self, byte: u8) -> Option<Kind> {
        self.look_at_kept();
        if self.state == State::Start {
            let skip_space = core::mem::take(&mut self.skip_space);
            let kind = match byte {
                b'\r' | b'\n' => return None,
                b' ' if skip_space => return None,
                b'>' if self.await_prompt => Kind::Prompt,
                b'A' if self.await_ack => Kind::Ack,
                _ => Kind::Line,
            };
            if let Kind::Prompt = kind {
                self.await_prompt = false;
                self.skip_space = true;
            }
            if !matches!(kind, Kind::Line) {
                self.settle();
                return Some(kind);
            }
            self.begin_line();
        }
        self.pass(byte).then_some(Kind::Line)
    }

    /// Takes a byte of a line; whether it ends the line.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn pass(&mut self, byte: u8) -> bool {
        if let Some(slot) = self.buf.get_mut(self.len) {
            *slot = byte;
        }
        let len = self.len.saturating_add(1);
        self.len = len;
        self.last = byte;
        self.notes.looked_at(len);
        let state = self.state;
        self.step(byte, len);
        if self.state != State::Start {
            return false;
        }
        self.notes.forget_parts();
        self.ended = match state {
            State::Counted => len,
            State::Uncounted => len - 2,
            _ => len - 1,
        };
        self.begin();
        true
    }

    /// Is in a line of which nothing is known.
    fn begin_line(&mut self) {
        self.state = State::Header;
        self.number = 0;
        self.notes.forget_parts();
    }

    /// Is between lines.
    fn begin(&mut self) {
        self.len = 0;
        self.state = State::Start;
        self.notes.end_line();
        self.change_rules();
    }

    fn data<'i>(&mut self, input: &'i [u8]) -> Found<'i> {
        let line_feed = !input.is_empty() && core::mem::take(&mut self.last) == b'\r';
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
            place: Some(data),
        };
        ((!data.is_empty()).then_some(frame), rest)
    }

    /// The frame with its bytes, valid until the next poll.
    #[inline]
    pub fn resolve<'a, 'i: 'a>(&'a self, raw: RawFrame<'i>) -> Frame<'a> {
        let bytes = self.bytes(raw.place);
        match raw.kind {
            Kind::Line if raw.place.is_none() && self.ended > self.buf.len() => Frame::Overflow {
                head: bytes,
                dropped: self.ended - self.buf.len(),
            },
            Kind::Line => Frame::Line(bytes),
            Kind::Prompt => Frame::Prompt,
            Kind::Ack => Frame::Ack,
            Kind::Data => Frame::Data(bytes),
        }
    }

    #[inline]
    pub(crate) fn bytes<'a, 'i: 'a>(&'a self, place: Place<'i>) -> &'a [u8] {
        place.unwrap_or_else(|| self.buf.get(..self.ended).unwrap_or(self.buf))
    }

    /// The line that has just ended, with what is known of it.
    #[inline]
    pub(crate) fn line<'a, 'i: 'a>(&'a self, place: Place<'i>) -> Line<'a> {
        Line::with(self.bytes(place), self.notes.parts())
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
}

/// The table of the unit tests.
#[cfg(test)]
pub(crate) const RULES: &[PayloadRule] = &[
    PayloadRule {
        name: b"+QMTRECV",
        form: PayloadForm::Quoted,
    },
    PayloadRule {
        name: b"+QIURC",
        form: PayloadForm::Recv,
    },
];
/// The rule that the unit tests add to it.
#[cfg(test)]
pub(crate) const QIRD: PayloadRule = PayloadRule {
    name: b"+QIRD",
    form: PayloadForm::NextLine,
};
