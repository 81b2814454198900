//! Runs one command at a time and sorts the module's lines into answers and URCs.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use core::ops::Range;

use crate::framer::{Framer, PayloadForm, PayloadRule, Place};
use crate::{
    Command, DataPhase, Exchange, Frame, Line, RawFrame, Repeat, ResultCode, WriteError, Writer,
};

/// Why a command was not taken. Nothing has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// Another command is still running.
    #[error("another AT command is still running; poll until it is done")]
    Busy,
    /// The command line cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The data that a command sends after the module's prompt or `CONNECT`.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Payload<'p, 'b> {
    /// No data.
    None,
    /// Copied into the link's transmit buffer, behind the command line.
    Copied(&'p [u8]),
    /// Sent from where it is.
    Borrowed(&'b [u8]),
}

/// Why bytes of the module were dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum LostReason {
    /// The line is longer than the receive buffer.
    Overflow,
    /// An unfinished line or payload was given up after a pause.
    Incomplete,
    /// The echo of a command that is not running any more.
    StaleEcho,
}

/// What the module said, or that it said nothing in time.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Event<'a> {
    /// An information response of the running command.
    Answer(Line<'a>),
    /// A line that no command asked for.
    Urc(Line<'a>),
    /// Raw data of the running download.
    Data(&'a [u8]),
    /// The running command ended with this final result code.
    Done {
        /// The code.
        result: ResultCode,
        /// The line as it came.
        line: Line<'a>,
    },
    /// A final result code that no command waits for, such as the late `OK` of one that timed out.
    Late {
        /// The code.
        result: ResultCode,
        /// The line as it came.
        line: Line<'a>,
    },
    /// The running command got no final result code in time.
    TimedOut,
    /// Bytes were dropped; framing goes on with the next line.
    Lost {
        /// How many.
        bytes: usize,
        /// Why.
        reason: LostReason,
        /// The beginning of what was dropped, if it is known.
        head: Line<'a>,
    },
}

/// An event that does not borrow the link yet; [`Link::resolve`] turns it into an [`Event`].
#[derive(Debug, Clone, Copy)]
pub struct RawEvent<'i> {
    kind: Kind,
    place: Place<'i>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Answer,
    Urc,
    Data,
    Done(ResultCode),
    Late(ResultCode),
    TimedOut,
    Lost(usize, LostReason),
}

/// Where the running command is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Idle,
    /// The command line is being sent.
    Line,
    /// The command line is out; the module has not asked for data yet, or there are none.
    Waiting,
    /// The payload is being sent.
    Payload,
    /// Everything is out.
    Sent,
}

#[derive(Debug, Clone, Copy)]
enum Source<'b> {
    None,
    Buffer,
    Borrowed(&'b [u8]),
}

/// One serial line to a module: sends a command, finds its answers, passes on everything else.
///
/// Driven as `poll_transmit`, `poll_timeout`, `poll`: bytes out, the next deadline, bytes in. Times are monotonic
/// milliseconds of any origin.
///
/// - A line is an answer only if the running command's [`Exchange`] says so, and only after the command's last byte
///   has gone out. Everything else is a URC, also between an answer and its `OK`.
/// - The echo of the command and of its payload is removed, whether it is on or off.
/// - A final result code without a running command is [`Event::Late`].
#[derive(Debug)]
pub struct Link<'b> {
    framer: Framer<'b>,
    tx: Transmit<'b>,
    phase: Phase,
    exchange: Exchange,
    /// Which `Repeat::Once` answers have come, one bit each.
    seen: u32,
    answered: bool,
    echoed: bool,
    /// How much of the payload's echo has come; `None` when none is expected.
    payload_echo: Option<usize>,
    /// Final result codes that timed-out commands still owe.
    owed: u8,
    deadline: Option<u64>,
    /// When the unfinished line or payload is given up.
    stalled_at: Option<u64>,
    now: u64,
}

/// Milliseconds without a byte after which an unfinished line is given up, while no command is running out of time.
const STALL_MS: u64 = 2_000;

impl<'b> Link<'b> {
    /// A link over `rx`, which must hold the longest line with its payload, and `tx`, which must hold the longest
    /// command with its copied payload. `rules` names the lines that carry payloads.
    pub fn new(rx: &'b mut [u8], tx: &'b mut [u8], rules: &'static [PayloadRule]) -> Self {
        Self {
            framer: Framer::new(rx, rules),
            tx: Transmit {
                buf: tx,
                line: 0,
                payload: Source::None,
                data_len: 0,
                payload_len: 0,
                sent: 0,
                allowed: 0,
                secret: None,
                hide_payload: false,
                last: 0..0,
            },
            phase: Phase::Idle,
            exchange: Exchange::plain(0),
            seen: 0,
            answered: false,
            echoed: false,
            payload_echo: None,
            owed: 0,
            deadline: None,
            stalled_at: None,
            now: 0,
        }
    }

    /// Whether a command is running.
    pub fn is_busy(&self) -> bool {
        self.phase != Phase::Idle
    }

    /// Starts a command without payload.
    ///
    /// # Errors
    /// [`SendError`]: another command is running, or the line cannot be written.
    pub fn send(&mut self, now: u64, command: &dyn Command) -> Result<(), SendError> {
        self.send_with(now, command, Payload::None)
    }

    /// Starts a command that sends `payload` when the module asks for it.
    ///
    /// # Errors
    /// [`SendError`]: another command is running, or the line or the payload does not fit.
    pub fn send_with(
        &mut self,
        now: u64,
        command: &dyn Command,
        payload: Payload<'_, 'b>,
    ) -> Result<(), SendError> {
        if self.is_busy() || self.tx.pending() {
            return Err(SendError::Busy);
        }
        self.tick(now);
        self.exchange = command.exchange();
        self.tx.load(command, payload, self.exchange.data)?;
        self.phase = Phase::Line;
        self.seen = 0;
        self.answered = false;
        self.echoed = false;
        self.payload_echo = None;
        self.arm();
        if let DataPhase::Counted { prefix } = self.exchange.data {
            self.framer.set_rule(Some(PayloadRule {
                prefix,
                form: PayloadForm::NextLine(0),
            }));
        }
        if matches!(self.exchange.data, DataPhase::Prompt { .. }) {
            self.framer.await_prompt(true);
        }
        Ok(())
    }

    /// Marks the payload of the running command as secret, such as a private key.
    pub fn hide_payload(&mut self) {
        self.tx.hide_payload = true;
    }

    /// Sends bytes outside any command: ESC to leave a prompt, `+++` to leave data mode. At most 8 bytes.
    ///
    /// # Errors
    /// [`SendError::Busy`] while a command is running; [`SendError::Write`] if there are more than 8 bytes.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<(), SendError> {
        if self.is_busy() || self.tx.pending() {
            return Err(SendError::Busy);
        }
        Ok(self.tx.load_raw(bytes)?)
    }

    /// Forgets the running command, as if it had timed out; its answers will be late.
    pub fn abandon(&mut self) {
        if self.is_busy() {
            self.owed = self.owed.saturating_add(1);
            self.finish();
        }
    }

    /// Forgets everything that is unfinished, for a module that has just rebooted.
    pub fn reset(&mut self) {
        self.finish();
        self.owed = 0;
        self.framer.reset();
        self.stalled_at = None;
    }

    /// Copies the bytes to send next into `out` and returns how many; 0 when there is nothing to send.
    pub fn poll_transmit(&mut self, out: &mut [u8]) -> usize {
        let n = self.tx.take(out);
        if !self.tx.pending() {
            match self.phase {
                Phase::Line => self.phase = Phase::Waiting,
                Phase::Payload if self.tx.complete() => self.phase = Phase::Sent,
                _ => {}
            }
        }
        n
    }

    /// Which bytes of the chunk that [`Link::poll_transmit`] gave last are secret.
    pub fn transmitted_secret(&self) -> Range<usize> {
        self.tx.last.clone()
    }

    /// When [`Link::poll`] must be called at the latest, in milliseconds; `None` while nothing is awaited.
    pub fn poll_timeout(&self) -> Option<u64> {
        match (self.deadline, self.stalled_at) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Takes bytes from the front of `input` and returns one event; `None` when the input is empty and no deadline
    /// has passed.
    pub fn poll<'a, 'i: 'a>(&'a mut self, now: u64, input: &mut &'i [u8]) -> Option<Event<'a>> {
        let raw = self.poll_raw(now, input)?;
        Some(self.resolve(raw))
    }

    /// The event with its bytes, valid until the next poll.
    pub fn resolve<'a, 'i: 'a>(&'a self, raw: RawEvent<'i>) -> Event<'a> {
        let bytes = self.framer.bytes(raw.place);
        let line = Line::new(bytes);
        match raw.kind {
            Kind::Answer => Event::Answer(line),
            Kind::Urc => Event::Urc(line),
            Kind::Data => Event::Data(bytes),
            Kind::Done(result) => Event::Done { result, line },
            Kind::Late(result) => Event::Late { result, line },
            Kind::TimedOut => Event::TimedOut,
            Kind::Lost(bytes, reason) => Event::Lost {
                bytes,
                reason,
                head: line,
            },
        }
    }

    /// Like [`Link::poll`] without borrowing the link.
    pub fn poll_raw<'i>(&mut self, now: u64, input: &mut &'i [u8]) -> Option<RawEvent<'i>> {
        self.tick(now);
        loop {
            self.swallow_payload_echo(input);
            let had_input = !input.is_empty();
            let Some(frame) = self.framer.poll_raw(input) else {
                if had_input || self.stalled_at.is_none() {
                    self.stalled_at = self.framer.is_inside().then(|| self.now + STALL_MS);
                }
                return self.check_time();
            };
            self.stalled_at = None;
            if let Some(kind) = self.on_frame(frame) {
                return Some(RawEvent {
                    kind,
                    place: frame.place(),
                });
            }
        }
    }

    fn tick(&mut self, now: u64) {
        self.now = self.now.max(now);
    }

    fn arm(&mut self) {
        self.deadline = Some(self.now.saturating_add(u64::from(self.exchange.timeout_ms)));
    }

    fn check_time(&mut self) -> Option<RawEvent<'static>> {
        let nothing = Place::Input(&[]);
        if self.stalled_at.is_some_and(|at| at <= self.now) {
            self.stalled_at = None;
            let lost = self.framer.reset();
            if lost > 0 {
                return Some(RawEvent {
                    kind: Kind::Lost(lost, LostReason::Incomplete),
                    place: nothing,
                });
            }
        }
        if self.deadline.is_some_and(|at| at <= self.now) {
            self.abandon();
            return Some(RawEvent {
                kind: Kind::TimedOut,
                place: nothing,
            });
        }
        None
    }

    fn finish(&mut self) {
        self.phase = Phase::Idle;
        self.deadline = None;
        self.payload_echo = None;
        self.framer.await_prompt(false);
        self.framer.await_ack(false);
        self.framer.set_rule(None);
        self.tx.wipe();
    }

    fn on_frame(&mut self, raw: RawFrame<'_>) -> Option<Kind> {
        match self.framer.resolve(raw) {
            Frame::Line(bytes) => {
                let line = Line::new(bytes);
                let sorted = self.sort(line);
                self.on_line(sorted)
            }
            Frame::Overflow { dropped, .. } => Some(Kind::Lost(dropped, LostReason::Overflow)),
            Frame::Data(_) => {
                self.arm();
                Some(Kind::Data)
            }
            Frame::Prompt => {
                self.begin_payload(usize::MAX);
                if self.echoed {
                    self.payload_echo = Some(0);
                }
                None
            }
            Frame::Ack => {
                self.tx.allow(ACK_BLOCK);
                self.arm();
                None
            }
        }
    }

    fn begin_payload(&mut self, allowed: usize) {
        self.tx.allow(allowed);
        self.phase = Phase::Payload;
        self.arm();
    }

    /// What a line is; looks only.
    fn sort(&self, line: Line<'_>) -> Sorted {
        let sent = matches!(self.phase, Phase::Waiting | Phase::Payload | Phase::Sent);
        if sent && !self.echoed && !self.answered && self.tx.is_echo(line.bytes()) {
            return Sorted::Echo;
        }
        let bare_expected = sent
            && self
                .exchange
                .answers
                .iter()
                .any(|list| list.iter().any(|a| a.name.is_empty()));
        if let Some(result) = ResultCode::parse(line.bytes(), sent && !bare_expected) {
            return Sorted::Final(result, sent);
        }
        if sent && let Some(bit) = self.answer_bit(line) {
            return Sorted::Answer(bit);
        }
        if matches!(line.bytes(), [b'A' | b'a', b'T' | b't', ..]) {
            return Sorted::StaleEcho(line.bytes().len());
        }
        Sorted::Urc
    }

    fn on_line(&mut self, sorted: Sorted) -> Option<Kind> {
        match sorted {
            Sorted::Echo => {
                self.echoed = true;
                None
            }
            Sorted::StaleEcho(bytes) => Some(Kind::Lost(bytes, LostReason::StaleEcho)),
            Sorted::Urc => Some(Kind::Urc),
            Sorted::Answer(bit) => {
                self.seen |= bit;
                self.answered = true;
                Some(Kind::Answer)
            }
            Sorted::Final(result, sent) => self.on_final(result, sent),
        }
    }

    fn on_final(&mut self, result: ResultCode, sent: bool) -> Option<Kind> {
        if !sent {
            self.owed = self.owed.saturating_sub(1);
            return Some(Kind::Late(result));
        }
        if let ResultCode::Connect(count) = result {
            match self.exchange.data {
                DataPhase::Upload { ack } => {
                    self.framer.await_ack(ack);
                    self.begin_payload(if ack { ACK_BLOCK } else { usize::MAX });
                    return None;
                }
                DataPhase::Download { size } => {
                    self.framer.await_data(size.or(count).unwrap_or(0));
                    self.answered = true;
                    self.phase = Phase::Sent;
                    self.arm();
                    return None;
                }
                _ => {}
            }
        }
        // An OK without the answer that must precede it belongs to a command that timed out.
        let owed_one =
            self.owed > 0 && !self.answered && !self.echoed && self.exchange.answer_required;
        if owed_one {
            self.owed -= 1;
            return Some(Kind::Late(result));
        }
        self.finish();
        Some(Kind::Done(result))
    }

    /// The bit of the answer that this line is; 0 for one that may repeat.
    fn answer_bit(&self, line: Line<'_>) -> Option<u32> {
        let mut number = 0_u32;
        for list in self.exchange.answers {
            for answer in list {
                let bit = 1_u32.checked_shl(number).unwrap_or(0);
                number += 1;
                let params = if answer.name.is_empty() {
                    if is_urc_text(line.bytes()) {
                        continue;
                    }
                    Some(crate::Params::new(line.bytes()))
                } else {
                    line.params(answer.name)
                };
                let free = answer.repeat == Repeat::Many || self.seen & bit == 0;
                if free && params.is_some_and(answer.shape) {
                    return Some(if answer.repeat == Repeat::Many {
                        0
                    } else {
                        bit
                    });
                }
            }
        }
        None
    }

    /// Removes the echo of the payload behind a prompt: the module sends back what it gets while ATE1 holds.
    fn swallow_payload_echo(&mut self, input: &mut &[u8]) {
        let Some(mut at) = self.payload_echo else {
            return;
        };
        while let [byte, rest @ ..] = *input {
            // The space of the prompt stands before the echo.
            if at == 0 && *byte == b' ' && self.tx.payload_byte(0) != Some(b' ') {
                *input = rest;
                continue;
            }
            if self.tx.payload_byte(at) != Some(*byte) {
                self.payload_echo = None;
                return;
            }
            at += 1;
            *input = rest;
        }
        self.payload_echo = Some(at);
    }
}

/// Lines without a `+` that are URCs and so never an answer without a name.
fn is_urc_text(line: &[u8]) -> bool {
    line.starts_with(b"+")
        || matches!(
            line,
            b"RDY"
                | b"APP RDY"
                | b"POWERED DOWN"
                | b"NORMAL POWER DOWN"
                | b"PSM POWER DOWN"
                | b"RING"
        )
}

enum Sorted {
    Echo,
    StaleEcho(usize),
    Final(ResultCode, bool),
    Answer(u32),
    Urc,
}

/// Bytes of an upload that the module takes before it acknowledges them.
const ACK_BLOCK: usize = 1_024;
const CTRL_Z: u8 = 0x1A;

/// The bytes on their way out: `AT` line CR, then the payload as far as it is allowed.
struct Transmit<'b> {
    buf: &'b mut [u8],
    /// Length of the command line with `AT` and CR.
    line: usize,
    payload: Source<'b>,
    /// Length of the payload without Ctrl-Z.
    data_len: usize,
    /// Length of the payload with its Ctrl-Z.
    payload_len: usize,
    /// Bytes of line and payload that are out.
    sent: usize,
    /// Bytes of the payload that may go out.
    allowed: usize,
    secret: Option<Range<usize>>,
    hide_payload: bool,
    last: Range<usize>,
}

impl<'b> Transmit<'b> {
    fn load(
        &mut self,
        command: &dyn Command,
        payload: Payload<'_, 'b>,
        data: DataPhase,
    ) -> Result<(), WriteError> {
        let capacity = self.buf.len();
        let overflow = WriteError::Overflow { capacity };
        self.wipe();
        let encoded = {
            let mut writer = Writer::new(self.buf);
            writer.raw("AT");
            command.encode(&mut writer);
            writer.finish()?
        };
        *self.buf.get_mut(encoded.len).ok_or(overflow)? = b'\r';
        let line = encoded.len + 1;
        let ctrl_z = data == DataPhase::Prompt { ctrl_z: true };
        let (payload, len) = match payload {
            Payload::None => (Source::None, 0),
            Payload::Borrowed(bytes) => (Source::Borrowed(bytes), bytes.len()),
            Payload::Copied(bytes) => {
                self.buf
                    .get_mut(line..line + bytes.len())
                    .ok_or(overflow)?
                    .copy_from_slice(bytes);
                (Source::Buffer, bytes.len())
            }
        };
        self.line = line;
        self.payload = payload;
        self.data_len = len;
        self.payload_len = len + usize::from(ctrl_z);
        self.secret = encoded.secret;
        Ok(())
    }

    fn load_raw(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.wipe();
        let room = self
            .buf
            .get_mut(..bytes.len())
            .filter(|room| room.len() <= 8);
        room.ok_or(WriteError::Overflow { capacity: 8 })?
            .copy_from_slice(bytes);
        self.line = bytes.len();
        Ok(())
    }

    fn allow(&mut self, more: usize) {
        self.allowed = self.allowed.saturating_add(more).min(self.payload_len);
    }

    fn pending(&self) -> bool {
        self.sent < self.line + self.allowed
    }

    fn complete(&self) -> bool {
        self.sent >= self.line + self.payload_len
    }

    fn is_echo(&self, line: &[u8]) -> bool {
        // A CR inside the stored line is its end.
        self.buf
            .get(..self.line.saturating_sub(1))
            .is_some_and(|sent| sent == line.trim_ascii_end())
    }

    fn payload_byte(&self, at: usize) -> Option<u8> {
        if at >= self.data_len {
            return (at < self.payload_len).then_some(CTRL_Z);
        }
        match self.payload {
            Source::None => None,
            Source::Buffer => self.buf.get(self.line + at).copied(),
            Source::Borrowed(bytes) => bytes.get(at).copied(),
        }
    }

    fn take(&mut self, out: &mut [u8]) -> usize {
        let from = self.sent;
        let end = (self.line + self.allowed).min(from + out.len());
        let mut n = 0;
        for (slot, at) in out.iter_mut().zip(from..end) {
            let byte = if at < self.line {
                self.buf.get(at).copied()
            } else {
                self.payload_byte(at - self.line)
            };
            let Some(byte) = byte else { break };
            *slot = byte;
            n += 1;
        }
        self.last = self.hidden(from, from + n);
        self.sent += n;
        n
    }

    /// The secret part of the bytes `from..to`, counted from `from`.
    fn hidden(&self, from: usize, to: usize) -> Range<usize> {
        let clip = |range: &Range<usize>| {
            range.start.clamp(from, to) - from..range.end.clamp(from, to) - from
        };
        let payload = self.line..self.line + self.payload_len;
        if self.hide_payload && payload.start < to && payload.end > from {
            return clip(&payload);
        }
        self.secret.as_ref().map_or(0..0, clip)
    }

    /// Clears what was sent, since it may hold a token or a key.
    fn wipe(&mut self) {
        let used = (self.line + self.payload_len).min(self.buf.len());
        if let Some(used) = self.buf.get_mut(..used) {
            used.fill(0);
            core::hint::black_box(used);
        }
        self.line = 0;
        self.payload = Source::None;
        self.data_len = 0;
        self.payload_len = 0;
        self.sent = 0;
        self.allowed = 0;
        self.secret = None;
        self.hide_payload = false;
    }
}

impl core::fmt::Debug for Transmit<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "Transmit({} of {} bytes sent)",
            self.sent,
            self.line + self.payload_len
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Answer, Chain};
    use std::string::{String, ToString};
    use std::vec::Vec;
    use std::{format, vec};

    struct Test {
        line: &'static str,
        exchange: Exchange,
    }

    impl Command for Test {
        fn encode(&self, line: &mut Writer<'_>) {
            line.raw(self.line);
        }
        fn exchange(&self) -> Exchange {
            self.exchange
        }
    }

    const RULES: &[PayloadRule] = &[
        PayloadRule {
            prefix: b"+QMTRECV:",
            form: PayloadForm::Quoted,
        },
        PayloadRule {
            prefix: b"+QIURC:",
            form: PayloadForm::NextLine(2),
        },
    ];

    fn text(event: Event<'_>) -> String {
        match event {
            Event::Answer(line) => format!("answer {line}"),
            Event::Urc(line) => format!("urc {line}"),
            Event::Data(data) => format!("data {}", data.escape_ascii()),
            Event::Done { line, .. } => format!("done {line}"),
            Event::Late { line, .. } => format!("late {line}"),
            Event::TimedOut => "timed out".to_string(),
            Event::Lost { bytes, reason, .. } => format!("lost {bytes} {reason:?}"),
        }
    }

    /// Sends the command, gives the module's bytes in pieces of `step`, returns events and sent bytes.
    fn talk(
        command: &dyn Command,
        payload: Payload<'_, '_>,
        input: &[u8],
        step: usize,
    ) -> (Vec<String>, Vec<u8>) {
        let (mut rx, mut tx) = ([0; 128], [0; 128]);
        let mut link = Link::new(&mut rx, &mut tx, RULES);
        let copied: Vec<u8>;
        let payload = match payload {
            Payload::None => Payload::None,
            Payload::Copied(b) | Payload::Borrowed(b) => {
                copied = b.to_vec();
                Payload::Copied(&copied)
            }
        };
        link.send_with(0, command, payload).unwrap();
        let (mut events, mut sent): (Vec<String>, Vec<u8>) = (vec![], vec![]);
        let mut chunk = [0; 16];
        let mut pump = |link: &mut Link<'_>| loop {
            let n = link.poll_transmit(&mut chunk);
            if n == 0 {
                break;
            }
            sent.extend_from_slice(&chunk[..n]);
        };
        pump(&mut link);
        // A 0xFF in the input stands where the module waits for the host.
        for piece in input
            .split(|&b| b == 0xFF)
            .flat_map(|part| part.chunks(step))
        {
            let mut piece = piece;
            loop {
                let event = link.poll(1, &mut piece).map(text);
                pump(&mut link);
                match event {
                    Some(event) => match (events.last_mut(), event.strip_prefix("data ")) {
                        (Some(last), Some(more)) if last.starts_with("data ") => {
                            last.push_str(more)
                        }
                        _ => events.push(event),
                    },
                    None => break,
                }
            }
        }
        (events, sent)
    }

    const QFUPL: &[Answer] = &[Answer::once(b"+QFUPL")];
    const QIRD: &[Answer] = &[Answer::once(b"+QIRD")];
    const CREG: &[Answer] = &[Answer::once(b"+CREG")];
    const CSQ_ANSWER: &[Answer] = &[Answer::once(b"+CSQ")];
    const CSQ: Exchange = Exchange::answered(CSQ_ANSWER, 300);

    #[test]
    #[expect(clippy::type_complexity, reason = "a table with its columns in one place")]
    fn answers_urcs_echo_and_data() {
        let prompt = |ctrl_z| Exchange::plain(300).with_data(DataPhase::Prompt { ctrl_z });
        let cases: &[(&str, Exchange, &[u8], &[u8], &[&str], &[u8])] = &[
            ("+CSQ", CSQ, b"", b"AT+CSQ\r\r\n+CSQ: 24,99\r\n\r\nOK\r\n", &["answer +CSQ: 24,99", "done OK"], b"AT+CSQ\r"),
            ("+CSQ", CSQ, b"", b"\r\n+CSQ: 24,99\r\n\r\n+CSQ: 1,99\r\n\r\nAPP RDY\r\n\r\nOK\r\n",
                &["answer +CSQ: 24,99", "urc +CSQ: 1,99", "urc APP RDY", "done OK"], b"AT+CSQ\r"),
            ("+QMTPUB=0,1,1,0,\"t\"", prompt(true), b"hi", b"\r\n> \xFF\r\nOK\r\n\r\n+QMTPUB: 0,1,0\r\n",
                &["done OK", "urc +QMTPUB: 0,1,0"], b"AT+QMTPUB=0,1,1,0,\"t\"\rhi\x1a"),
            ("+QMTPUB", prompt(true), b"0123\r\nOK", b"AT+QMTPUB\r\r\n> \xFF0123\r\nOK\x1a\r\nOK\r\n", &["done OK"], b"AT+QMTPUB\r0123\r\nOK\x1a"),
            ("+QMTPUBEX", prompt(false), b" x", b"\r\n>\xFF\r\nOK\r\n", &["done OK"], b"AT+QMTPUBEX\r x"),
            ("+QFUPL", Exchange::answered(QFUPL, 300).with_data(DataPhase::Upload { ack: false }), b"ABC",
                b"\r\nCONNECT\r\n\xFF+QFUPL: 3,242\r\n\r\nOK\r\n", &["answer +QFUPL: 3,242", "done OK"], b"AT+QFUPL\rABC"),
            ("+QFREAD=1", Exchange::plain(300).with_data(DataPhase::Download { size: None }), b"",
                b"\r\nCONNECT 9\r\n\r\nOK\r\n> \0\r\n\r\nOK\r\n", &["data \\r\\nOK\\r\\n> \\x00", "done OK"], b"AT+QFREAD=1\r"),
            ("+QIRD=1", Exchange::answered(QIRD, 300).with_data(DataPhase::Counted { prefix: b"+QIRD:" }), b"",
                b"\r\n+QIRD: 4\r\nOK\r\n\r\n\r\nOK\r\n", &["answer +QIRD: 4\\r\\nOK\\r\\n", "done OK"], b"AT+QIRD=1\r"),
            ("+CSQ", CSQ, b"", b"\r\n+QMTRECV: 0,0,\"t\",9,\"a\"\r\nOK\r\n\"\r\n+CSQ: 1,2\r\n\r\nOK\r\n",
                &["urc +QMTRECV: 0,0,\\\"t\\\",9,\\\"a\\\"\\r\\nOK\\r\\n\\\"", "answer +CSQ: 1,2", "done OK"], b"AT+CSQ\r"),
            ("+CSQ", CSQ, b"", b"+QMTRECV: 0,0,\"t\",\"{\n 1 }\"\r\n+QMTRECV: 0,0,\"t\",3\r\nOK\n\r\n+CSQ: 1,2\r\nOK\r\n",
                &["urc +QMTRECV: 0,0,\\\"t\\\",\\\"{\\n 1 }\\\"", "urc +QMTRECV: 0,0,\\\"t\\\",3\\r\\nOK\\n", "answer +CSQ: 1,2", "done OK"], b"AT+CSQ\r"),
            ("+CSQ", CSQ, b"", b"+QIURC: \"recv\",0,4\r\nOK\r\n\r\n+QIURC: \"closed\",0\r\nERROR\r\n",
                &["urc +QIURC: \\\"recv\\\",0,4\\r\\nOK\\r\\n", "urc +QIURC: \\\"closed\\\",0", "done ERROR"], b"AT+CSQ\r"),
            ("E0", Exchange::plain(300), b"", b"ATE0\r0\r", &["done 0"], b"ATE0\r"),
        ];
        for (line, exchange, payload, input, events, sent) in cases {
            for step in [1, 2, 3, 5, 1000] {
                let command = Test {
                    line,
                    exchange: *exchange,
                };
                let payload = if payload.is_empty() {
                    Payload::None
                } else {
                    Payload::Copied(payload)
                };
                let got = talk(&command, payload, input, step);
                assert_eq!(got.0, *events, "{line} in steps of {step}");
                assert_eq!(got.1, *sent, "{line} in steps of {step}");
            }
        }
    }

    #[test]
    fn overflow_is_reported_and_the_result_kept() {
        let mut input = vec![b'x'; 200];
        input.extend_from_slice(b"\r\nOK\r\n");
        for step in [1, 7, 1000] {
            let got = talk(
                &Test {
                    line: "",
                    exchange: Exchange::plain(300),
                },
                Payload::None,
                &input,
                step,
            )
            .0;
            assert_eq!(got, ["lost 72 Overflow", "done OK"]);
        }
    }

    #[test]
    fn chained_reads_are_all_answers() {
        let a = Test {
            line: "+CREG?",
            exchange: Exchange::answered(CREG, 300),
        };
        let b = Test {
            line: "+CSQ",
            exchange: CSQ,
        };
        let got = talk(
            &Chain(&[&a, &b]),
            Payload::None,
            b"\r\n+CREG: 0,1\r\n\r\n+CSQ: 1,2\r\n\r\nOK\r\n",
            4,
        );
        assert_eq!(got.0, ["answer +CREG: 0,1", "answer +CSQ: 1,2", "done OK"]);
        assert_eq!(got.1, b"AT+CREG?;+CSQ\r");
    }

    #[test]
    fn late_results_do_not_answer_the_next_command() {
        let (mut rx, mut tx) = ([0; 64], [0; 64]);
        let mut link = Link::new(&mut rx, &mut tx, RULES);
        let mut chunk = [0; 64];
        link.send(
            0,
            &Test {
                line: "+CSQ",
                exchange: CSQ,
            },
        )
        .unwrap();
        link.poll_transmit(&mut chunk);
        assert_eq!(link.poll_timeout(), Some(300));
        assert_eq!(link.poll(300, &mut &[][..]).map(text).unwrap(), "timed out");
        link.send(
            301,
            &Test {
                line: "+CSQ",
                exchange: CSQ,
            },
        )
        .unwrap();
        // Nothing is an answer before the command is out.
        assert_eq!(
            link.poll(302, &mut &b"+CSQ: 9,9\r\nOK\r\n"[..])
                .map(text)
                .unwrap(),
            "urc +CSQ: 9,9"
        );
        let mut input = &b"OK\r\n+CSQ: 1,2\r\nOK\r\nOK\r\n"[..];
        link.poll_transmit(&mut chunk);
        let mut got = vec![];
        while let Some(event) = link.poll(303, &mut input) {
            got.push(text(event));
        }
        assert_eq!(got, ["late OK", "answer +CSQ: 1,2", "done OK", "late OK"]);
    }

    #[test]
    fn secrets_are_located_and_wiped() {
        struct Pin;
        impl Command for Pin {
            fn encode(&self, line: &mut Writer<'_>) {
                line.set("+CPIN").secret(b"1234");
            }
            fn exchange(&self) -> Exchange {
                Exchange::plain(300)
            }
        }
        let (mut rx, mut tx) = ([0; 64], [0; 64]);
        let mut link = Link::new(&mut rx, &mut tx, RULES);
        let mut chunk = [0; 11];
        link.send(0, &Pin).unwrap();
        link.poll_transmit(&mut chunk);
        assert_eq!(&chunk[link.transmitted_secret()], b"12");
        link.poll_transmit(&mut chunk);
        assert_eq!(&chunk[link.transmitted_secret()], b"34");
        assert!(link.poll(1, &mut &b"OK\r\n"[..]).is_some());
        assert_eq!(tx, [0; 64]);
    }
}
