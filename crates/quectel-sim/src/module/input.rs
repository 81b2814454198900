//! What the host writes: command lines, prompt input, counted data.

use std::collections::VecDeque;

use super::{Module, Outcome, TimerId, log::LogKind};
use crate::{conn::Owner, profile::BeforeReady};

const CTRL_Z: u8 = 0x1A;
const ESC: u8 = 0x1B;
/// What a host may send ahead while a command runs.
const RECEIVE_QUEUE: usize = 64 * 1024;

/// What to do with the input of a prompt or a data phase.
pub(crate) type Job = Box<dyn FnOnce(&mut Module, Vec<u8>) -> Outcome + Send>;

/// How the input of a `>` prompt ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PromptEnd {
    /// With Ctrl-Z; ESC cancels.
    CtrlZ,
    /// After so many bytes.
    Count(usize),
}

/// A `>` prompt that a command opens.
pub(crate) struct Prompt {
    pub(crate) end: PromptEnd,
    /// What goes beyond is dropped.
    pub(crate) max: usize,
    pub(crate) echo: bool,
    /// Silence after which the module gives up, in milliseconds.
    pub(crate) timeout_ms: Option<u64>,
    pub(crate) job: Job,
}

/// A data phase after `CONNECT` that a command opens.
pub(crate) struct Transfer {
    pub(crate) want: usize,
    /// Silence after which the module takes what it has, in milliseconds.
    pub(crate) silence_ms: u64,
    /// Whether each 1024 bytes are acknowledged with an `A`.
    pub(crate) ack: bool,
    pub(crate) job: Job,
}

pub(super) enum Mode {
    Line,
    Prompt(Prompt),
    Transfer(Transfer),
    /// Transparent mode of this connection.
    Transparent(Owner),
}

pub(super) struct Input {
    pub(super) mode: Mode,
    pub(super) line: Vec<u8>,
    pub(super) overlong: bool,
    pub(super) after_cr: bool,
    pub(super) previous_line: Vec<u8>,
    pub(super) data: Vec<u8>,
    /// Bytes of a data phase, including those that a fault loses.
    pub(super) received: usize,
    pub(super) silence: Option<TimerId>,
    pub(super) last_ms: u64,
    pub(super) plus: Plus,
    pub(super) queue: VecDeque<u8>,
    /// Bytes in transparent mode that have not been sent.
    pub(super) outgoing: Vec<u8>,
    pub(super) flush: Option<TimerId>,
}

#[derive(Default)]
pub(super) struct Plus {
    pub(super) count: u8,
    pub(super) timer: Option<TimerId>,
}

impl Default for Input {
    fn default() -> Self {
        Self {
            mode: Mode::Line,
            line: Vec::new(),
            overlong: false,
            after_cr: false,
            previous_line: Vec::new(),
            data: Vec::new(),
            received: 0,
            silence: None,
            last_ms: 0,
            plus: Plus::default(),
            queue: VecDeque::new(),
            outgoing: Vec::new(),
            flush: None,
        }
    }
}

impl Module {
    /// Whether a URC may be written now: in command mode, and no line is being typed.
    pub(super) fn may_write_urc(&self) -> bool {
        let typing = !self.input.line.is_empty()
            && self.exec.is_none()
            && self.now < self.input.last_ms + self.profile.line.urc_hold_ms;
        matches!(self.input.mode, Mode::Line) && !typing
    }

    /// When held-back URCs can be looked at again.
    pub(super) fn typing_ends_at(&self) -> u64 {
        self.input.last_ms + self.profile.line.urc_hold_ms
    }

    pub(super) fn reset_input(&mut self) {
        self.input = Input::default();
    }

    /// Whether the module waits for prompt input or data.
    pub(super) const fn in_data_phase(&self) -> bool {
        !matches!(self.input.mode, Mode::Line)
    }

    pub(super) fn receive(&mut self, byte: u8) {
        if self.deaf() {
            return;
        }
        let busy = matches!(self.input.mode, Mode::Line) && self.exec.is_some();
        if busy || !self.input.queue.is_empty() {
            if self.input.queue.len() < RECEIVE_QUEUE {
                self.input.queue.push_back(byte);
            }
            return;
        }
        self.take_byte(byte);
    }

    /// Gives bytes that came while a command ran to whoever waits for them now.
    pub(super) fn drain_receive_queue(&mut self) {
        while !(matches!(self.input.mode, Mode::Line) && self.exec.is_some()) {
            let Some(byte) = self.input.queue.pop_front() else {
                return;
            };
            self.take_byte(byte);
            self.run_due();
        }
    }

    fn take_byte(&mut self, byte: u8) {
        let last = self.input.last_ms;
        self.input.last_ms = self.now;
        match self.input.mode {
            Mode::Line => self.line_byte(byte),
            Mode::Prompt(_) => self.prompt_byte(byte),
            Mode::Transfer(_) | Mode::Transparent(_) => self.data_byte(byte, last),
        }
    }

    pub(super) fn line_byte(&mut self, byte: u8) {
        if byte == b'\n' && (self.input.after_cr || self.input.line.is_empty()) {
            self.input.after_cr = false;
            return;
        }
        self.input.after_cr = byte == self.session.s3;
        if self.session.echo && !self.mute_before_ready() {
            self.write_echo(&[byte]);
        }
        if byte == self.session.s3 {
            self.end_of_line();
        } else if byte == self.session.s5 || byte == 0x7F {
            self.input.line.pop();
        } else if self.input.line.len() < self.profile.line.max_length {
            self.input.line.push(byte);
            if matches!(self.input.line.as_slice(), b"A/" | b"a/") {
                self.input.line = self.input.previous_line.clone();
                self.end_of_line();
            }
        } else {
            self.input.overlong = true;
        }
    }

    fn end_of_line(&mut self) {
        let line = core::mem::take(&mut self.input.line);
        let overlong = core::mem::take(&mut self.input.overlong);
        if self.mute_before_ready() {
            return;
        }
        if !line.is_empty() {
            self.note(LogKind::Command, &line);
        }
        if overlong {
            self.write_final("ERROR");
        } else if self.before_ready() && self.profile.boot.before_ready == BeforeReady::Error {
            if !line.is_empty() {
                self.write_final("ERROR");
            }
        } else {
            self.input.previous_line.clone_from(&line);
            self.run_line(&line);
        }
        self.flush_urcs();
    }

    /// Opens a `>` prompt.
    pub(super) fn open_prompt(&mut self, prompt: Prompt) {
        let text = self.faults.prompt_text(&self.profile.line.prompt);
        self.write_prompt(&text);
        self.input.data.clear();
        let timeout = prompt.timeout_ms;
        let empty = prompt.end == PromptEnd::Count(0);
        self.input.mode = Mode::Prompt(prompt);
        if empty {
            self.end_of_data();
        } else if let Some(ms) = timeout {
            self.restart_silence(ms);
        }
    }

    /// Writes `CONNECT` and opens a data phase.
    pub(super) fn open_transfer(&mut self, transfer: Transfer) {
        self.write_final("CONNECT");
        self.input.data.clear();
        self.input.received = 0;
        self.input.plus = Plus::default();
        let silence = transfer.silence_ms;
        let empty = transfer.want == 0;
        self.input.mode = Mode::Transfer(transfer);
        if empty {
            self.end_of_data();
        } else {
            self.restart_silence(silence);
        }
    }

    pub(super) fn restart_silence(&mut self, ms: u64) {
        let old = self.input.silence.take();
        self.cancel(old);
        self.input.silence = Some(self.after_exactly(ms, Self::end_of_data));
    }

    pub(super) fn prompt_byte(&mut self, byte: u8) {
        let Mode::Prompt(prompt) = &self.input.mode else {
            return;
        };
        let (end, max, echo, timeout) = (prompt.end, prompt.max, prompt.echo, prompt.timeout_ms);
        match (end, byte) {
            (PromptEnd::CtrlZ, CTRL_Z) => return self.end_of_data(),
            (PromptEnd::CtrlZ, ESC) => return self.cancel_prompt(),
            (PromptEnd::Count(_), ESC) if self.profile.line.esc_cancels_counted => {
                return self.cancel_prompt();
            }
            _ => {}
        }
        if self.input.data.len() < max {
            self.input.data.push(byte);
        }
        if echo && self.session.echo {
            self.write_echo(&[byte]);
        }
        if let PromptEnd::Count(count) = end
            && self.input.data.len() >= count
        {
            self.end_of_data();
        } else if let Some(ms) = timeout {
            self.restart_silence(ms);
        }
    }

    fn cancel_prompt(&mut self) {
        let silence = self.input.silence.take();
        self.cancel(silence);
        self.input.mode = Mode::Line;
        let answer = self.profile.line.esc.clone();
        self.finish(Outcome::Final(answer));
    }

    /// The input is complete, or the host fell silent: hand it over.
    pub(super) fn end_of_data(&mut self) {
        let silence = self.input.silence.take();
        self.cancel(silence);
        let data = core::mem::take(&mut self.input.data);
        let job = match core::mem::replace(&mut self.input.mode, Mode::Line) {
            Mode::Prompt(prompt) => prompt.job,
            Mode::Transfer(transfer) => transfer.job,
            Mode::Line | Mode::Transparent(_) => return,
        };
        let outcome = job(self, data);
        self.finish(outcome);
    }
}
