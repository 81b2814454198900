//! Cuts the module's bytes into lines, prompts and counted data.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod scan;
#[cfg(all(target_pointer_width = "64", not(narrow)))]
mod wide;
#[cfg(not(all(target_pointer_width = "64", not(narrow))))]
#[path = "framer/narrow.rs"]
mod wide;

use crate::Line;
use crate::find::{WIDE, after};
use scan::{Scan, State};
use wide::Notes;

pub(crate) use wide::Parts;

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
    /// The beginning of the line: `+`, letters and a colon, such as `+QMTRECV:`; 5 to 12 bytes.
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

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Line,
    Overflow,
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
/// An announced length of more than 65,536 bytes is believed only if the buffer is as long; else the line ends as others
/// do. Whatever announces less takes so many bytes, garbage too.
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
    /// Bytes of the last line that are in the buffer.
    fits: usize,
    rules: &'static [PayloadRule],
    /// Bytes of the last line that did not fit.
    dropped: usize,
    /// Raw data still to come.
    data_left: u32,
    scan: Scan,
    rule: Option<PayloadRule>,
    /// What the quick ways know.
    notes: Notes,
    /// The last line ended with CR, so an LF may follow that is neither data nor line.
    after_cr: bool,
    await_prompt: bool,
    await_ack: bool,
    skip_space: bool,
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
        let scan = Scan::new(buf.len());
        let mut framer = Self {
            buf,
            len: 0,
            scan,
            fits: 0,
            dropped: 0,
            rules,
            rule: None,
            data_left: 0,
            notes: Notes::new(),
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

    /// Adds a rule to the table until it is replaced, such as `+QIRD:` while its command runs. A line whose name has come,
    /// with its colon, keeps to the rules of that time.
    pub fn set_rule(&mut self, rule: Option<PayloadRule>) {
        if self.rule == rule {
            return;
        }
        self.heed_name();
        self.rule = rule;
        self.learn();
    }

    /// Whether a line, a payload or data are unfinished.
    pub fn is_inside(&self) -> bool {
        self.data_left > 0 || self.scan.state != State::Start
    }

    /// Gives up an unfinished line, payload or data and returns how many bytes are lost.
    pub fn reset(&mut self) -> usize {
        let lost = self.len;
        self.data_left = 0;
        self.skip_space = false;
        self.after_cr = false;
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
        if self.data_left > 0 && self.scan.state == State::Start {
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
            if let Some(frame) = self.take(*byte) {
                return (Some(frame), input);
            }
        }
    }

    /// Takes a byte that leaves the line where it is, as most do.
    fn stays(&mut self, byte: u8) -> bool {
        match self.buf.get_mut(self.len) {
            Some(slot) if self.scan.stays(byte) => *slot = byte,
            _ => return false,
        }
        self.len += 1;
        true
    }

    /// Takes a byte.
    fn take<'i>(&mut self, byte: u8) -> Option<RawFrame<'i>> {
        self.look_at_kept();
        if self.scan.state == State::Start {
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
                return Some(RawFrame {
                    kind,
                    place: Some(&[]),
                });
            }
            self.scan.state = State::Name;
            self.notes.forget_parts();
        }
        self.pass(byte)
    }

    /// Takes a byte of a line.
    #[cfg_attr(not(target_pointer_width = "64"), inline(never))]
    fn pass<'i>(&mut self, byte: u8) -> Option<RawFrame<'i>> {
        if let Some(slot) = self.buf.get_mut(self.len) {
            *slot = byte;
        }
        self.len = self.len.saturating_add(1);
        self.notes.looked_at(self.len);
        let stored = self.buf.get(..self.len).unwrap_or_default();
        let line_end = match self.scan.state {
            State::Counted | State::LineFeed => 0,
            State::QuoteCr => 2,
            _ => 1,
        };
        if self.scan.state == State::Name && byte == b':' {
            let named = |rule: &&PayloadRule| after(stored, rule.prefix).is_some();
            let rule = self.rules.iter().find(named);
            let rule = rule.or_else(|| self.rule.as_ref().filter(named));
            self.scan.begin(rule.map(|rule| rule.form));
        } else {
            self.scan.step(byte, stored);
        }
        if self.scan.state != State::Start {
            return None;
        }
        self.after_cr = byte == b'\r';
        self.notes.forget_parts();
        let len = self.len - line_end;
        self.fits = len.min(self.buf.len());
        self.dropped = len - self.fits;
        self.begin();
        Some(RawFrame {
            kind: if self.dropped == 0 {
                Kind::Line
            } else {
                Kind::Overflow
            },
            place: None,
        })
    }

    /// Is between lines.
    fn begin(&mut self) {
        self.len = 0;
        self.scan.state = State::Start;
        self.notes.end_line();
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
            place: Some(data),
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
        place.unwrap_or_else(|| self.buf.get(..self.fits).unwrap_or_default())
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
        prefix: b"+QMTRECV:",
        form: PayloadForm::Quoted,
    },
    PayloadRule {
        prefix: b"+QIURC:",
        form: PayloadForm::NextLine(2),
    },
];
