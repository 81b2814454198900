//! Quick ways, where a processor has room for their code: many bytes at a time, and single bytes without a look.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::scan::{MOST_PAYLOAD, State};
use super::{Framer, PayloadForm, PayloadRule, Quick};
use crate::find::below;
use crate::params::decimal_word;

/// Control characters are less than this, as far as they end something.
const CONTROL: u8 = LAST_CONTROL + 1;
/// Greater bytes join a line without a look.
const LAST_CONTROL: u8 = b'\r';
/// No byte is greater.
const NONE_JOINS: u8 = u8::MAX;

/// Where a name is told from most others: the fourth letter, `R` of `+QMTRECV`.
const TELLING: usize = 4;

/// A quote and what stands in front of it in ASCII: spaces and control characters.
const AFTER_QUOTE: u8 = b'"' + 1;

/// No longer piece is put behind the beginning of a line before anybody looks at it.
const MOST_PIECE: usize = 256;

/// So many bytes of a line are looked at again with each piece, until its payload is known.
const MOST_HEAD: usize = 192;

/// What stands ahead in a line.
enum Ahead {
    /// Its end, at this place.
    Ends(usize, Parts),
    /// More of a line without payload, or of what stands behind a payload.
    Plain,
    /// More of the topic of a message.
    Topic,
    /// More of a payload in quotes, so many bytes.
    Payload(u32, Parts),
}

/// What is known of a line in whose header the framer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Nothing,
    /// Its name is not in the table.
    Plain,
    /// It is a message, and all that is kept leads into its topic.
    Topic,
    /// It makes a reader think.
    Hard,
}

/// What has been found in a line: where its first text in quotes ends, and where the payload behind it begins, of which the
/// bytes have been counted, and behind which only a quote ends the line. 0 if they have not.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parts {
    text_end: u32,
    payload: u32,
}

impl Parts {
    pub(crate) const NONE: Self = Self {
        text_end: 0,
        payload: 0,
    };

    /// The line up to the end of the text, and the payload.
    #[inline(always)]
    pub(crate) fn of(self, line: &[u8]) -> Option<(&[u8], &[u8])> {
        if self.payload == 0 {
            return None;
        }
        let head = line.get(..self.text_end as usize)?;
        let (_, inside) = line.split_last()?;
        Some((head, inside.get(self.payload as usize..)?))
    }
}

/// What the quick ways know.
#[derive(Debug)]
pub(super) struct Notes {
    /// A single byte greater than this only joins the line.
    floor: u8,
    /// Between lines a CR or LF is only skipped, and any other byte begins a line.
    ordinary: bool,
    /// How many bytes of the unfinished line have been looked at.
    seen: usize,
    known: Known,
    /// A bit for each letter that stands in a rule's name where most names differ.
    telling: u32,
    /// Bytes of the longest name.
    longest: usize,
    /// What has been found in the line.
    parts: Parts,
}

impl Notes {
    pub(super) fn new() -> Self {
        Self {
            floor: NONE_JOINS,
            ordinary: true,
            seen: 0,
            known: Known::Nothing,
            telling: 0,
            longest: 0,
            parts: Parts::NONE,
        }
    }

    pub(super) fn parts(&self) -> Parts {
        self.parts
    }

    /// Nothing has been found in the line.
    pub(super) fn forget_parts(&mut self) {
        self.parts = Parts::NONE;
    }

    /// So many bytes of the line have been looked at.
    pub(super) fn looked_at(&mut self, len: usize) {
        self.seen = len;
    }

    /// Is between lines.
    pub(super) fn end_line(&mut self) {
        self.seen = 0;
        self.known = Known::Nothing;
        self.floor = NONE_JOINS;
    }
}

impl Framer<'_> {
    /// Remembers which names may be in the table.
    pub(super) fn learn(&mut self) {
        (self.notes.longest, self.notes.telling) = (0, 0);
        for rule in self.rules.iter().copied().flatten() {
            self.notes.longest = self.notes.longest.max(rule.name.len());
            self.notes.telling |= match rule.name.get(TELLING) {
                Some(letter) => 1 << (letter & 31),
                None => u32::MAX,
            };
        }
    }

    /// The rule of the table that a line with this beginning has.
    #[inline(always)]
    fn rule_of(&self, head: &[u8]) -> Option<&PayloadRule> {
        let [b'+', _, _, _, letter, ..] = head else {
            return None;
        };
        if self.notes.telling >> (letter & 31) & 1 == 0 {
            return None;
        }
        self.search(head)
    }

    #[inline]
    fn search(&self, head: &[u8]) -> Option<&PayloadRule> {
        let [rules, added] = &self.rules;
        for rule in *rules {
            if begins(head, rule.name) {
                return Some(rule);
            }
        }
        added.first().filter(|rule| begins(head, rule.name))
    }

    /// Takes a single byte that gives no frame; false if it may give one.
    #[inline]
    pub(crate) fn join(&mut self, byte: u8) -> bool {
        if byte > self.notes.floor
            && let Some(slot) = self.buf.get_mut(self.len)
        {
            *slot = byte;
            self.len += 1;
            return true;
        }
        self.is_between_lines() && self.skip_or_begin(byte)
    }

    /// Whether nothing but lines is awaited, and none has begun.
    #[inline(always)]
    fn is_between_lines(&self) -> bool {
        self.notes.ordinary && self.state == State::Start
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
        self.begin_line();
        self.notes.floor = LAST_CONTROL;
        true
    }

    /// The usual cases, if there are any for these bytes; at the place of the call, since what it finds takes many registers.
    #[inline(always)]
    pub(crate) fn quick<'i>(&mut self, input: &'i [u8]) -> Quick<'i> {
        let mut input = input;
        if self.is_between_lines() {
            // The end of one line and the beginning of the next, at a glance.
            if input.first_chunk() == Some(b"\n\r\n+") {
                input = input.get(3..).unwrap_or_default();
            } else {
                while let [b'\r' | b'\n', rest @ ..] = input {
                    input = rest;
                }
            }
            if input.is_empty() {
                return Quick::Joined;
            }
            return self.next_line(input).unwrap_or(Quick::Other(input));
        }
        let rest = match self.left() {
            Some(left) => self.go_on_with_payload(input, left),
            None => self.go_on(input),
        };
        match rest {
            Some(rest) if self.state == State::Start => Quick::Line(None, rest),
            Some(_) => Quick::Joined,
            None => Quick::Other(input),
        }
    }

    /// A line that begins with the input.
    #[inline]
    fn next_line<'i>(&mut self, input: &'i [u8]) -> Option<Quick<'i>> {
        match self.line_ahead(input, 0) {
            Some(Ahead::Ends(at, parts)) if at <= self.buf.len() => {
                let (line, rest) = input.split_at_checked(at)?;
                let (end, rest) = rest.split_first()?;
                self.notes.parts = parts;
                self.last = *end;
                return Some(Quick::Line(Some(line), rest));
            }
            Some(Ahead::Ends(..)) => return None,
            None if below::<CONTROL>(input).is_some() => return None,
            ahead => {
                self.keep(input)?;
                self.begin_line();
                self.know(ahead);
            }
        }
        self.notes.floor = LAST_CONTROL;
        Some(Quick::Joined)
    }

    /// What stands ahead in a line whose name nobody has looked at; nothing in front of `from` ends it.
    #[inline(always)]
    fn line_ahead(&self, line: &[u8], from: usize) -> Option<Ahead> {
        match self.rule_of(line) {
            None => line_end(line, from),
            Some(rule) => ahead(line, rule),
        }
    }

    /// How many bytes of a payload in quotes are to come, if it is known that a payload comes.
    #[inline(always)]
    fn left(&self) -> Option<usize> {
        let known = self.state == State::Quoted && self.notes.seen == self.len;
        usize::try_from(self.number).ok().filter(|_| known)
    }

    /// The usual ways on inside a payload: the rest of the input, which is empty unless the line has ended.
    #[inline(always)]
    fn go_on_with_payload<'i>(&mut self, input: &'i [u8], left: usize) -> Option<&'i [u8]> {
        if input.len() < left {
            self.keep(input)?;
            self.pass_payload(input.len());
            self.notes.seen = self.len;
            return Some(&[]);
        }
        match input.get(left..) {
            Some([b'"', b'\r', rest @ ..]) => {
                self.keep(input.get(..left + 2)?)?;
                self.end(self.len - 1, b'\r', self.notes.parts);
                Some(rest)
            }
            _ => self.go_on_to_end(input, left),
        }
    }

    /// The same for any other line that has come in pieces.
    fn go_on<'i>(&mut self, input: &'i [u8]) -> Option<&'i [u8]> {
        match (self.state, self.notes.known) {
            (State::Header, Known::Nothing | Known::Topic) => self.go_on_with_head(input),
            (State::Header, Known::Plain) | (State::Plain, _) => self.go_on_to_end(input, 0),
            _ => None,
        }
    }

    /// The same where nothing but its end is to come, behind `from`.
    #[inline(never)]
    fn go_on_to_end<'i>(&mut self, input: &'i [u8], from: usize) -> Option<&'i [u8]> {
        let len = self.len;
        match line_end(input, from)? {
            Ahead::Ends(at, parts) => {
                let (line, rest) = input.split_at_checked(at + 1)?;
                self.keep(line)?;
                self.end(len + at, *line.last()?, parts);
                Some(rest)
            }
            _ => {
                self.keep(input)?;
                if self.state != State::Header {
                    self.state = State::Plain;
                    self.notes.seen = self.len;
                    self.notes.forget_parts();
                }
                Some(&[])
            }
        }
    }

    /// The same for a line of which nobody knows yet what payload it has.
    fn go_on_with_head<'i>(&mut self, input: &'i [u8]) -> Option<&'i [u8]> {
        if input.len() > MOST_PIECE {
            return None;
        }
        let len = self.len;
        self.keep(input)?;
        let stored = self.buf.get(..self.len)?;
        let ahead = match (self.notes.known, self.number) {
            // Its closing quote has not come.
            (Known::Topic, 1) => topic_ahead(stored, self.notes.seen),
            _ => self.line_ahead(stored, len),
        };
        match ahead {
            Some(Ahead::Ends(at, parts)) => {
                let end = *stored.get(at)?;
                let rest = input.get((at + 1).checked_sub(len)?..)?;
                self.end(at, end, parts);
                return Some(rest);
            }
            None if below::<CONTROL>(input).is_some() => {
                self.len = len;
                return None;
            }
            ahead => self.know(ahead),
        }
        Some(&[])
    }

    /// Whether a line in the buffer ends with this byte, which came alone.
    #[inline]
    pub(crate) fn ends_with(&mut self, byte: u8) -> bool {
        let len = self.len;
        match (self.state, byte, self.buf.get_mut(len)) {
            (State::Header | State::Plain, b'\r' | b'\n', Some(slot)) => *slot = byte,
            _ => return false,
        }
        self.complete(len, byte).is_some()
    }

    /// Ends a line of so many bytes, behind which its end is kept too; `None` if it may go on.
    #[inline]
    fn complete(&mut self, len: usize, end: u8) -> Option<()> {
        let mut parts = Parts::NONE;
        if self.state == State::Header {
            let stored = self.buf.get(..=len)?;
            if let Some(rule) = self.rule_of(stored) {
                match ahead(stored, rule) {
                    Some(Ahead::Ends(at, found)) if at == len => parts = found,
                    _ => return None,
                }
            }
        }
        self.end(len, end, parts);
        Some(())
    }

    /// Ends a line of so many bytes.
    #[inline]
    fn end(&mut self, len: usize, end: u8, parts: Parts) {
        self.notes.parts = parts;
        self.last = end;
        self.ended = len;
        self.begin();
    }

    /// Keeps bytes of a line; `None` if they do not fit.
    #[inline]
    fn keep(&mut self, bytes: &[u8]) -> Option<()> {
        let len = self.len + bytes.len();
        copy(self.buf.get_mut(self.len..len)?, bytes);
        self.len = len;
        Some(())
    }

    /// Remembers what stands ahead, if all that is kept led there.
    #[inline]
    fn know(&mut self, ahead: Option<Ahead>) {
        match ahead {
            Some(Ahead::Plain) if self.len > self.notes.longest => {
                self.notes.known = Known::Plain;
            }
            Some(Ahead::Topic) => {
                self.notes.known = Known::Topic;
                self.notes.seen = self.len;
                // In front of the topic.
                self.number = 1;
            }
            Some(Ahead::Payload(left, parts)) => {
                self.state = State::Quoted;
                self.number = left;
                self.notes.parts = parts;
                self.notes.seen = self.len;
            }
            // Not again and again.
            _ if self.len > MOST_HEAD => self.notes.known = Known::Hard,
            _ => {}
        }
    }

    /// Takes the bytes that only join the line, and returns the others.
    pub(super) fn join_many<'i>(&mut self, input: &'i [u8]) -> &'i [u8] {
        let room = self.buf.get_mut(self.len..).unwrap_or_default();
        let most = input.len().min(room.len());
        let known = self.notes.seen == self.len;
        let n = match self.state {
            State::Start => return input,
            // The last byte of a payload may end the line.
            State::Quoted | State::Counted if known => {
                let inside = usize::try_from(self.number).unwrap_or(usize::MAX) - 1;
                most.min(inside)
            }
            _ => {
                let near = input.get(..most).unwrap_or_default();
                below::<CONTROL>(near).unwrap_or(most)
            }
        };
        let (fresh, rest) = input.split_at(n.min(input.len()));
        if let Some(room) = room.get_mut(..n) {
            room.copy_from_slice(fresh);
            self.len += n;
        }
        if known && matches!(self.state, State::Quoted | State::Counted) {
            self.pass_payload(n);
            self.notes.seen = self.len;
        }
        rest
    }

    /// Passes so many bytes of a payload, or as many as are to come if it is in quotes, and returns how many.
    fn pass_payload(&mut self, bytes: usize) -> usize {
        let n = u32::try_from(bytes).map_or(self.number, |bytes| bytes.min(self.number));
        self.number -= n;
        if self.number == 0 {
            self.state = State::Plain;
        }
        usize::try_from(n).unwrap_or(bytes)
    }

    /// Looks at the bytes that have only joined the line, if there are any.
    #[inline]
    pub(super) fn look_at_kept(&mut self) {
        if self.notes.seen < self.len {
            self.catch_up();
        }
    }

    /// Finds out what needs no look.
    pub(super) fn settle(&mut self) {
        self.notes.ordinary =
            !self.await_prompt && !self.await_ack && !self.skip_space && self.data_left == 0;
        self.notes.floor = match self.state {
            State::Start | State::Counted => NONE_JOINS,
            _ => LAST_CONTROL,
        };
    }

    /// Looks at the bytes that have only joined the line. Nothing among them ends it.
    fn catch_up(&mut self) {
        let mut at = self.notes.seen;
        self.notes.seen = self.len;
        while let Some(rest @ [_, ..]) = self.buf.get(at..self.len) {
            let ahead = match self.state {
                State::Plain => return,
                State::Header => below::<AFTER_QUOTE>(rest),
                State::Quoted => {
                    let bytes = rest.len();
                    at += self.pass_payload(bytes);
                    continue;
                }
                _ => Some(0),
            };
            let Some((ahead, byte)) = ahead.and_then(|ahead| Some((ahead, *rest.get(ahead)?)))
            else {
                return;
            };
            at += ahead + 1;
            self.step(byte, at);
        }
    }
}

/// What stands ahead in a line of the table, unless it makes a reader think.
#[inline]
fn ahead(line: &[u8], rule: &PayloadRule) -> Option<Ahead> {
    let head = rule.name.len() + 2;
    if line.get(head - 1) != Some(&b' ') {
        return None;
    }
    let params = line.get(head..)?;
    match (rule.form, params) {
        (PayloadForm::Quoted, _) => {
            // The topic is the third parameter.
            let quote = head + below::<AFTER_QUOTE>(params)?;
            let numbers = line.get(..quote)?.last_chunk()?;
            let begins = line.get(quote) == Some(&b'"') && quote <= head + numbers.len();
            if !begins || !are_two(*numbers) {
                return None;
            }
            topic_ahead(line, quote + 1)
        }
        // Too few parameters for a length.
        (PayloadForm::Recv, [b'"', b'r', b'e', b'c', b'v', b'"', b',', rest @ ..]) => {
            let end = below::<{ b',' + 1 }>(rest)?;
            let ends = matches!(rest.get(end), Some(b'\r' | b'\n'));
            ends.then_some(plain_end(line.len() - rest.len() + end))
        }
        (PayloadForm::Recv, [b'"', b'r', b'e', b'c', b'v', b'"', ..]) => None,
        // Another word, if it is whole.
        (PayloadForm::Recv, [b'"', ..]) => {
            line_end(line, head).filter(|ahead| matches!(ahead, Ahead::Ends(..)))
        }
        _ => None,
    }
}

/// Whether two parameters stand in these bytes of ASCII, each with its comma, the last of which ends them.
#[inline(always)]
fn are_two(bytes: [u8; 8]) -> bool {
    const EACH: u64 = u64::MAX / 0xFF;
    let others = (u64::from_le_bytes(bytes) ^ (EACH * u64::from(b','))) + EACH * 0x7F;
    let commas = !others & (EACH << 7);
    let last = 1 << 63;
    let first = commas ^ last;
    commas & last != 0 && first != 0 && first & (first - 1) == 0
}

/// What stands ahead in a line with a payload in quotes, from within its topic, which hardly ever holds a space.
#[inline(always)]
fn topic_ahead(line: &[u8], topic: usize) -> Option<Ahead> {
    let Some(at) = below::<AFTER_QUOTE>(line.get(topic..)?) else {
        return Some(Ahead::Topic);
    };
    let quote = topic + at;
    if line.get(quote) != Some(&b'"') {
        return None;
    }
    let behind = quote + 1;
    let (length, passed) = counted_ahead(line.get(behind..)?)?;
    if length > MOST_PAYLOAD {
        return None;
    }
    let payload = behind + passed;
    let parts = Parts {
        text_end: u32::try_from(quote).ok()?,
        payload: u32::try_from(payload).ok()?,
    };
    let end = payload + usize::try_from(length).ok()?;
    match line.get(end..) {
        None => {
            let left = u32::try_from(end - line.len()).ok()?;
            Some(Ahead::Payload(left, parts))
        }
        Some([b'"', b'\r', ..]) => Some(Ahead::Ends(end + 1, parts)),
        Some(_) => None,
    }
}

/// Copies bytes: a piece of the usual size without a call of `memcpy`, in two halves that may overlap.
#[inline(always)]
fn copy(to: &mut [u8], from: &[u8]) {
    const HALF: usize = 32;
    if from.len() <= 2 * HALF
        && let (Some(first), Some(last)) = (from.first_chunk::<HALF>(), from.last_chunk::<HALF>())
    {
        if let Some(to) = to.first_chunk_mut() {
            *to = *first;
        }
        if let Some(to) = to.last_chunk_mut() {
            *to = *last;
        }
        return;
    }
    to.copy_from_slice(from);
}

/// Whether a line has this name, whose two halves may overlap.
#[inline(always)]
fn begins(line: &[u8], name: &[u8]) -> bool {
    let Some((head, [b':', ..])) = line.split_at_checked(name.len()) else {
        return false;
    };
    match name.len() {
        8..=16 => ends::<8>(head) == ends::<8>(name),
        4..8 => ends::<4>(head) == ends::<4>(name),
        // A call of `memcmp` would cost the others their registers.
        _ => head.iter().eq(name),
    }
}

/// The first and the last of these bytes.
#[inline(always)]
fn ends<const N: usize>(bytes: &[u8]) -> Option<(&[u8; N], &[u8; N])> {
    bytes.first_chunk().zip(bytes.last_chunk())
}

/// Whether and where a line without payload ends, behind `from`, unless another control character comes first.
#[inline(always)]
fn line_end(line: &[u8], from: usize) -> Option<Ahead> {
    let Some(at) = below::<CONTROL>(line.get(from..)?) else {
        return Some(Ahead::Plain);
    };
    let end = from + at;
    matches!(line.get(end), Some(b'\r' | b'\n')).then_some(plain_end(end))
}

fn plain_end(at: usize) -> Ahead {
    Ahead::Ends(at, Parts::NONE)
}

/// The length in front of a payload in quotes, and the bytes up to the payload.
#[inline(always)]
fn counted_ahead(rest: &[u8]) -> Option<(u32, usize)> {
    let (comma, digits) = rest.split_first()?;
    let word = u64::from_le_bytes(*digits.first_chunk()?);
    let (length, passed) = decimal_word(word)?;
    let behind = digits.get(passed..)?;
    (*comma == b',' && behind.starts_with(b",\"")).then_some((length, passed + 3))
}

#[cfg(test)]
mod tests {
    use super::super::{QIRD, RULES, RawFrame};
    use super::*;
    use proptest::prelude::*;
    use std::string::String;
    use std::vec;
    use std::vec::Vec;

    /// The frames, and the bytes of an unfinished line.
    type Frames = (Vec<(String, Vec<u8>)>, usize);

    /// A frame with all its bytes, also where it shows none.
    fn owned(framer: &Framer<'_>, frame: RawFrame<'_>) -> (String, Vec<u8>) {
        let bytes = framer.bytes(frame.place).to_vec();
        (std::format!("{:?}", framer.resolve(frame)), bytes)
    }

    /// The frames of these bytes; in front of the second part a rule goes and comes, or comes and goes.
    fn play(
        size: usize,
        parts: (&[u8], &[u8]),
        has_rule: bool,
        mut hear: impl FnMut(&mut Framer<'_>, &[u8], &mut Vec<(String, Vec<u8>)>),
    ) -> Frames {
        let mut buffer = vec![0; size];
        let mut framer = Framer::new(&mut buffer, RULES);
        let mut frames = Vec::new();
        framer.set_rule(has_rule.then_some(&QIRD));
        hear(&mut framer, parts.0, &mut frames);
        framer.set_rule((!has_rule).then_some(&QIRD));
        hear(&mut framer, parts.1, &mut frames);
        (frames, framer.reset())
    }

    /// By the state machine alone.
    fn slowly(size: usize, parts: (&[u8], &[u8]), has_rule: bool) -> Frames {
        play(size, parts, has_rule, |framer, bytes, frames| {
            for byte in bytes {
                if let Some(kind) = framer.take(*byte) {
                    let frame = RawFrame { kind, place: None };
                    frames.push(owned(framer, frame));
                }
            }
        })
    }

    fn quickly(size: usize, parts: (&[u8], &[u8]), has_rule: bool, step: usize) -> Frames {
        play(size, parts, has_rule, |framer, bytes, frames| {
            for mut piece in bytes.chunks(step) {
                while let Some(frame) = framer.poll_raw(&mut piece) {
                    frames.push(owned(framer, frame));
                }
            }
        })
    }

    fn said() -> impl Strategy<Value = Vec<u8>> {
        let words = prop::sample::select(vec![
            &b"\r\n"[..],
            b"\r",
            b"\n",
            b"+QMTRECV: ",
            b"+QMTRECV:",
            b"+QMT",
            b"+QIURC: ",
            b"+QIURC: \"recv\",0,",
            b"+QIURC: \"closed\",1",
            b"+QIRD: ",
            b"+QMTPUB: 0,1,0",
            b"0,12,\"",
            b"\",",
            b"\",3,\"",
            b"\"",
            b",",
            b"\"\r\n",
            b"12",
            b"5",
            b"0",
            b"4294967296",
            b"$iothub/methods/POST/reboot/?$rid=1",
            b"a topic",
            b"abc",
            b"OK",
            b"\0",
            b" ",
            b"+QMTRECV: 0,12,\"t\",20,\"0123456789",
            b"+QMTRECV: 0,12,7,\"t\",3,\"abc\"\r\n",
            b"+QMTRECV: 0,\"t\",3,\"abc\"\r\n",
            b"+QMTRECV: 0,65999,\"t\",3,\"a\r\n\"\r\n",
            b"+QMTRECV: 10,65999,\"t\",3,\"\r\nb\"\r\n",
            b"+QMTRECV: 0,1,",
            b"+QMTRECV: 0, 1, \"t\", 4, \"\r\nab\"\r\n",
            b"+QMTRECV: 0,1,\"t\", \"\r\nab\"\r\n",
            b"+QIRD: 3\r\n\r\nd\r\n",
            b"\"a\",\"b\"",
            b"0123456789",
            b"+QIURC:\"recv\",0,3\r\nabc",
            b"+QIURC:\"recv\",0,3,\"10.0.0.1\"\r\n",
            b"+QMTRECV: 0,12,\"t\",3,\"",
            b"+QMTRECV: 0,12,\"t\",3,\"abc\"",
            b"+QMTRECV: 0,12,\"a topic of two words\",3,\"abc",
            b"+QMTRECV: 0,12,\"open\r\n",
            b"+QIURC: \"recv\",0,3\r\nabc",
            b"+QIURC: \"recv\",0,3,\"10.0.0.1\",80\r\n",
            b"\x80",
            b"> ",
            b"\r\n+QMTRECV: 0,7,\"t\",5,\"hello\"\r\n",
            b"\r\n+QMTRECV: 0,7,\"t\",4\r\n\r\nab\r\n",
        ]);
        prop::collection::vec(words, 0..24).prop_map(|words| words.concat())
    }

    #[test]
    fn a_prefix_longer_than_most_is_heeded_in_any_pieces() {
        const LONG: PayloadRule = PayloadRule {
            name: b"+QABCDEFGHIJKL",
            form: PayloadForm::NextLine,
        };
        let bytes = b"+QABCDEFGHIJKL: 4\r\nOK\r\n\r\n";
        for cut in 0..bytes.len() {
            let (first, second) = bytes.split_at(cut);
            let mut buffer = [0; 64];
            let mut framer = Framer::new(&mut buffer, RULES);
            framer.set_rule(Some(&LONG));
            let mut frames = Vec::new();
            for mut piece in [first, second] {
                while let Some(frame) = framer.poll_raw(&mut piece) {
                    frames.push(owned(&framer, frame).1);
                }
            }
            assert_eq!(frames, [b"+QABCDEFGHIJKL: 4\r\nOK\r\n"], "{cut}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn quick_ways_find_what_the_state_machine_finds(
            bytes in said(),
            size in prop_oneof![3 => Just(600_usize), 1 => 16_usize..80],
            step in prop_oneof![2 => 1_usize..9, 1 => 9_usize..70, 1 => Just(usize::MAX)],
            change in any::<prop::sample::Index>(),
            has_rule: bool,
        ) {
            let parts = bytes.split_at(change.index(bytes.len() + 1));
            let quickly = quickly(size, parts, has_rule, step);
            prop_assert_eq!(quickly, slowly(size, parts, has_rule));
        }
    }
}
