//! Runs one command at a time and sorts the module's lines into answers and URCs.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

mod sort;
#[cfg(test)]
mod tests;
mod transmit;

use core::ops::Range;

use crate::framer::{Framer, PayloadRule, Place, Quick};
use crate::{Command, DataPhase, Exchange, Frame, Line, RawFrame, ResultCode, WriteError};
use transmit::{ACK_BLOCK, Transmit};

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
        /// What is known: of a line that does not fit, its beginning, which is not counted as dropped; of an echo, all of
        /// it; else nothing.
        head: Line<'a>,
    },
}

/// An event that does not borrow the link yet; [`Link::resolve`] turns it into an [`Event`].
#[derive(Debug, Clone, Copy)]
pub struct RawEvent<'i> {
    kind: Kind,
    place: Place<'i>,
}

/// What an event is; its result code and its number of bytes stand in the link until the next poll.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Answer,
    Urc,
    Data,
    Done,
    Late,
    TimedOut,
    Lost,
}

/// What is left of the input, and where the bytes of an event are.
struct Turn<'i> {
    rest: &'i [u8],
    place: Place<'i>,
}

impl<'i> Turn<'i> {
    #[inline(always)]
    fn end(self, kind: Option<Kind>) -> (Option<RawEvent<'i>>, &'i [u8]) {
        let place = self.place;
        (kind.map(|kind| RawEvent { kind, place }), self.rest)
    }
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

/// One serial line to a module: sends a command, finds its answers, passes on everything else.
///
/// Driven as `poll_transmit`, `poll_timeout`, `poll`: bytes out, the next deadline, bytes in. Times are monotonic
/// milliseconds of any origin.
///
/// - A line is an answer only if the running command's [`Exchange`] says so, and only after the command's last byte
///   has gone out. Everything else is a URC, also between an answer and its `OK`.
/// - The echo of the command and of its payload is removed, whether it is on or off.
/// - A final result code without a running command is [`Event::Late`]; so is one that must be an earlier command's:
///   an `OK` before the answer that must come first, or, after a timeout, a result before the echo while echo is on.
#[derive(Debug)]
pub struct Link<'b> {
    framer: Framer<'b>,
    /// The time of the last byte while nothing else is awaited: then a byte inside a line needs no look; or [`NEVER`].
    quiet_at: u64,
    now: u64,
    /// When bytes came last.
    heard_at: u64,
    /// When the running command times out; [`NEVER`] while none runs.
    due: u64,
    /// Bytes have gone out since the deadline was set.
    rearm: bool,
    /// Bytes have gone out or were dropped since the last look, or an echo is expected.
    unusual: bool,
    phase: Phase,
    tx: Transmit<'b>,
    exchange: Exchange,
    /// Whether an answer of the running command has no name.
    bare: bool,
    /// One bit for each name of an answer, so that most URCs are told from answers at once.
    answers: u64,
    /// The same while answers are awaited, and a bit for errors: a line without one of them is a URC.
    telling: u64,
    /// Which `Repeat::Once` answers have come, one bit each.
    seen: u32,
    /// Whether the module has reacted to the running command: by its echo, an answer, a prompt, `CONNECT`.
    reacted: bool,
    echoed: bool,
    /// Whether the last command that ended was echoed.
    echo_on: bool,
    /// Whether the last final result code was a digit.
    numeric: bool,
    /// Whether the running command's data come in.
    downloading: bool,
    /// How much of the payload's echo has come; `None` when none is expected.
    payload_echo: Option<usize>,
    /// Final result codes that timed-out commands still owe.
    owed: u8,
    /// The last final result code.
    result: ResultCode,
    /// Bytes and reason of the last [`Event::Lost`].
    lost: (usize, LostReason),
    /// Bytes that [`Link::reset`] dropped and that are not reported yet.
    dropped: usize,
}

/// Milliseconds without a byte after which an unfinished line is given up.
const STALL_MS: u64 = 2_000;

/// No time is known to be quiet.
const NEVER: u64 = u64::MAX;

impl<'b> Link<'b> {
    /// A link over `rx`, which must hold the longest line with its payload, and `tx`, which must hold the longest
    /// command with its copied payload. `rules` names the lines that carry payloads.
    pub fn new(rx: &'b mut [u8], tx: &'b mut [u8], rules: &'static [PayloadRule]) -> Self {
        Self {
            framer: Framer::new(rx, rules),
            quiet_at: NEVER,
            now: 0,
            heard_at: 0,
            due: NEVER,
            rearm: false,
            unusual: false,
            phase: Phase::Idle,
            tx: Transmit::new(tx),
            exchange: Exchange::plain(0),
            bare: false,
            answers: 0,
            telling: sort::ERRORS,
            seen: 0,
            reacted: false,
            echoed: false,
            echo_on: false,
            numeric: false,
            downloading: false,
            payload_echo: None,
            owed: 0,
            result: ResultCode::Ok,
            lost: (0, LostReason::Incomplete),
            dropped: 0,
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
        let exchange = command.exchange();
        self.tx.load(command, payload, exchange.data)?;
        self.exchange = exchange;
        self.phase = Phase::Line;
        self.bare = false;
        self.answers = 0;
        for list in &self.exchange.answers {
            for answer in *list {
                self.bare |= answer.name.is_empty();
                self.answers |= sort::tell(answer.name);
            }
        }
        self.seen = 0;
        self.reacted = false;
        self.echoed = false;
        self.payload_echo = None;
        self.arm();
        if let DataPhase::Counted { rule } = exchange.data {
            self.framer.set_rule(Some(rule));
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

    /// Forgets everything that is unfinished, for a module that has just rebooted. Bytes of an unfinished line are
    /// reported by the next poll.
    pub fn reset(&mut self) {
        self.finish();
        self.owed = 0;
        self.dropped = self.dropped.saturating_add(self.framer.reset());
        self.unusual = true;
        self.quiet_at = NEVER;
    }

    /// Copies the bytes to send next into `out` and returns how many; 0 when there is nothing to send.
    pub fn poll_transmit(&mut self, out: &mut [u8]) -> usize {
        let n = self.tx.take(out);
        if n > 0 {
            self.rearm = true;
            self.unusual = true;
            self.quiet_at = NEVER;
        }
        if !self.tx.pending() {
            match self.phase {
                Phase::Line => {
                    self.phase = Phase::Waiting;
                    self.telling = self.answers | sort::ERRORS;
                    let prompt = matches!(self.exchange.data, DataPhase::Prompt { .. });
                    self.framer.await_prompt(prompt);
                }
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
        let due = self.due.min(self.stalls_at());
        (due != NEVER).then_some(due)
    }

    /// Takes bytes from the front of `input` and returns one event; `None` when the input is empty and no deadline
    /// has passed. `now` is less than [`u64::MAX`].
    ///
    /// A deadline counts once the input is empty. What is in the input of a call that comes too late is still heard;
    /// what is given to the call after it is late.
    #[inline]
    pub fn poll<'a, 'i: 'a>(&'a mut self, now: u64, input: &mut &'i [u8]) -> Option<Event<'a>> {
        let raw = self.poll_raw(now, input)?;
        Some(self.resolve(raw))
    }

    /// The event with its bytes, valid until the next poll.
    #[inline]
    pub fn resolve<'a, 'i: 'a>(&'a self, raw: RawEvent<'i>) -> Event<'a> {
        let line = self.framer.line(raw.place);
        match raw.kind {
            Kind::Answer => Event::Answer(line),
            Kind::Urc => Event::Urc(line),
            Kind::Data => Event::Data(line.bytes()),
            Kind::Done => Event::Done {
                result: self.result,
                line,
            },
            Kind::Late => Event::Late {
                result: self.result,
                line,
            },
            Kind::TimedOut => Event::TimedOut,
            Kind::Lost => {
                let (bytes, reason) = self.lost;
                let head = match reason {
                    // Nothing that is not counted is known.
                    LostReason::Incomplete => Line::new(&[]),
                    LostReason::Overflow | LostReason::StaleEcho => line,
                };
                Event::Lost {
                    bytes,
                    reason,
                    head,
                }
            }
        }
    }

    /// Like [`Link::poll`] without borrowing the link.
    #[inline(always)]
    pub fn poll_raw<'i>(&mut self, now: u64, input: &mut &'i [u8]) -> Option<RawEvent<'i>> {
        let event;
        if let [byte] = **input {
            if now == self.quiet_at && self.framer.join(byte) {
                *input = &[];
                return None;
            }
            (event, *input) = self.look_at_byte(now, input);
        } else {
            (event, *input) = self.look(now, input);
        }
        event
    }

    /// Like [`Link::poll_raw`], for a byte that does more than to join a line: not many do.
    #[cold]
    fn look_at_byte<'i>(&mut self, now: u64, input: &'i [u8]) -> (Option<RawEvent<'i>>, &'i [u8]) {
        match input {
            [byte] if now == self.quiet_at && self.framer.ends_with(*byte) => {
                self.on_quick_line_at(None, &[])
            }
            _ => self.look(now, input),
        }
    }

    /// Like [`Link::poll_raw`], for more than a byte that only joins a line.
    #[inline(always)]
    fn look<'i>(&mut self, now: u64, input: &'i [u8]) -> (Option<RawEvent<'i>>, &'i [u8]) {
        if now == self.quiet_at {
            match self.framer.quick(input) {
                Quick::Line(place, rest) => return self.on_quick_line_at(place, rest),
                Quick::Joined => return (None, &[]),
                Quick::Other(rest) => {
                    let mut turn = Turn { rest, place: None };
                    let kind = self.look_on(&mut turn, !input.is_empty());
                    return turn.end(kind);
                }
            }
        }
        let mut turn = Turn {
            rest: input,
            place: None,
        };
        let kind = self.hear(now, &mut turn);
        turn.end(kind)
    }

    /// A line has ended while nothing but bytes is awaited.
    #[inline(always)]
    fn on_quick_line_at<'i>(
        &mut self,
        place: Place<'i>,
        rest: &'i [u8],
    ) -> (Option<RawEvent<'i>>, &'i [u8]) {
        if self.is_named_urc(self.framer.bytes(place)) {
            let kind = Kind::Urc;
            return (Some(RawEvent { kind, place }), rest);
        }
        let mut turn = Turn { rest, place };
        let kind = self.on_quick_line(&mut turn);
        turn.end(kind)
    }

    /// The same, for a line that may be no URC.
    #[inline(never)]
    fn on_quick_line(&mut self, turn: &mut Turn<'_>) -> Option<Kind> {
        let sorted = self.sort(self.framer.bytes(turn.place));
        match self.on_line(sorted) {
            None => self.look_on(turn, true),
            kind => {
                self.quiet();
                kind
            }
        }
    }

    /// Time has gone on, or something besides bytes is awaited.
    #[cold]
    #[inline(never)]
    fn hear(&mut self, now: u64, turn: &mut Turn<'_>) -> Option<Kind> {
        self.tick(now);
        let heard = !turn.rest.is_empty();
        if heard {
            self.heard_at = self.now;
            if self.unusual
                && let Some(kind) = self.look_first(turn)
            {
                return Some(kind);
            }
            if self.quiet() {
                match self.framer.quick(turn.rest) {
                    Quick::Line(place, rest) => {
                        *turn = Turn { rest, place };
                        return self.on_quick_line(turn);
                    }
                    Quick::Joined => {
                        turn.rest = &[];
                        return None;
                    }
                    Quick::Other(rest) => turn.rest = rest,
                }
            }
        }
        self.look_on(turn, heard)
    }

    /// The rest of [`Link::look`]: lines in pieces, prompts, data, echoes, deadlines.
    #[cold]
    #[inline(never)]
    fn look_on(&mut self, turn: &mut Turn<'_>, heard: bool) -> Option<Kind> {
        loop {
            if self.unusual
                && let Some(kind) = self.look_first(turn)
            {
                return Some(kind);
            }
            let frame;
            (frame, turn.rest) = self.framer.look(turn.rest);
            let Some(frame) = frame else { break };
            turn.place = frame.place();
            if let Some(kind) = self.on_frame(frame) {
                self.quiet();
                return Some(kind);
            }
        }
        if heard && self.quiet() {
            return None;
        }
        self.check_time()
    }

    /// Whether nothing but bytes is awaited at this time.
    fn quiet(&mut self) -> bool {
        let quiet = self.due > self.now && !self.unusual;
        self.quiet_at = if quiet { self.now } else { NEVER };
        quiet
    }

    /// What comes before the next frame: a deadline to set, bytes that were dropped, the echo of a payload.
    fn look_first(&mut self, turn: &mut Turn<'_>) -> Option<Kind> {
        if core::mem::take(&mut self.rearm) && self.due != NEVER && self.due > self.now {
            self.arm();
        }
        let dropped = core::mem::take(&mut self.dropped);
        if dropped > 0 {
            self.quiet_at = NEVER;
            return Some(self.lose(dropped, LostReason::Incomplete));
        }
        turn.rest = self.swallow_payload_echo(turn.rest);
        self.unusual = self.payload_echo.is_some();
        None
    }

    fn tick(&mut self, now: u64) {
        self.now = self.now.max(now);
    }

    fn arm(&mut self) {
        self.due = self.now.saturating_add(u64::from(self.exchange.timeout_ms));
        self.quiet_at = NEVER;
    }

    /// When an unfinished line or payload is given up; [`NEVER`] between lines, and while a download has its own deadline.
    fn stalls_at(&self) -> u64 {
        if self.framer.is_inside() && !self.downloading {
            self.heard_at.saturating_add(STALL_MS)
        } else {
            NEVER
        }
    }

    fn check_time(&mut self) -> Option<Kind> {
        if self.stalls_at() <= self.now {
            let bytes = self.framer.reset();
            if bytes > 0 {
                self.reacted |= self.is_busy();
                return Some(self.lose(bytes, LostReason::Incomplete));
            }
        }
        if self.due > self.now || self.due == NEVER {
            return None;
        }
        self.abandon();
        Some(Kind::TimedOut)
    }

    fn lose(&mut self, bytes: usize, reason: LostReason) -> Kind {
        self.lost = (bytes, reason);
        Kind::Lost
    }

    fn finish(&mut self) {
        self.phase = Phase::Idle;
        self.telling = sort::ERRORS;
        self.due = NEVER;
        self.payload_echo = None;
        self.downloading = false;
        self.framer.await_prompt(false);
        self.framer.await_ack(false);
        self.framer.set_rule(None);
        self.tx.wipe();
    }

    fn on_frame(&mut self, raw: RawFrame<'_>) -> Option<Kind> {
        match self.framer.resolve(raw) {
            Frame::Line(bytes) => {
                let sorted = self.sort(bytes);
                self.on_line(sorted)
            }
            Frame::Overflow { dropped, .. } => {
                // It may have been the answer, so that its OK must not count as late.
                self.reacted |= self.is_busy();
                Some(self.lose(dropped, LostReason::Overflow))
            }
            Frame::Data(_) if self.downloading => {
                self.arm();
                Some(Kind::Data)
            }
            // The rest of a download that was given up.
            Frame::Data(bytes) => {
                let bytes = bytes.len();
                Some(self.lose(bytes, LostReason::Incomplete))
            }
            Frame::Prompt => {
                self.react();
                self.begin_payload(usize::MAX);
                if self.echoed {
                    self.payload_echo = Some(0);
                    self.unusual = true;
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

    /// Removes the echo of the payload behind a prompt: the module sends back what it gets while ATE1 holds.
    fn swallow_payload_echo<'i>(&mut self, input: &'i [u8]) -> &'i [u8] {
        let Some(mut at) = self.payload_echo else {
            return input;
        };
        let mut input = self.framer.skip_prompt_space(input);
        // A URC may come before the payload has gone out.
        if !self.tx.is_out(0) || self.framer.is_inside() {
            return input;
        }
        while let [byte, rest @ ..] = input {
            let expected = self.tx.payload_byte(at);
            // Without a space of its own the prompt has taken the payload's.
            let taken = at == 0 && expected == Some(b' ') && self.tx.payload_byte(1) == Some(*byte);
            if !self.tx.is_out(at) || expected != Some(*byte) && !taken {
                self.payload_echo = None;
                return input;
            }
            at += 1 + usize::from(taken && expected != Some(*byte));
            input = rest;
        }
        self.payload_echo = Some(at);
        input
    }
}
