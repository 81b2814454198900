//! Running a command line: one command after the other, stop at the first error.

use std::collections::VecDeque;

use super::{
    Module, PromptEnd,
    input::{Prompt, Transfer},
    timers::Action,
};
use crate::{
    at::{self, Command},
    cmd,
    codes::cme_text,
    conn::Owner,
    faults::Place,
};

/// No storage is larger.
const TRANSFER_LIMIT: usize = 64 << 20;

/// What a command leads to.
pub(crate) enum Outcome {
    /// `OK`, or the next command of the line.
    Ok,
    /// The same after this much profile time, in milliseconds.
    OkAfter(u64),
    /// `OK`, and then this.
    OkThen(Action),
    /// `ERROR`.
    Error,
    /// `ERROR` after this much profile time, in milliseconds.
    ErrorAfter(u64),
    /// `+CME ERROR`.
    Cme(u16),
    /// This final result code; empty for none.
    Final(String),
    /// A `>` prompt.
    Prompt(Prompt),
    /// `CONNECT` and data from the host.
    Transfer(Transfer),
    /// Nothing yet: [`Module::finish`] is called later.
    Wait,
    /// Transparent mode of a connection.
    Transparent(Owner),
}

impl Outcome {
    /// A `>` prompt; input beyond `max` bytes is dropped.
    pub(crate) fn prompt(
        end: PromptEnd,
        max: usize,
        job: impl FnOnce(&mut Module, Vec<u8>) -> Self + Send + 'static,
    ) -> Self {
        Self::Prompt(Prompt {
            end,
            max,
            echo: true,
            timeout_ms: None,
            job: Box::new(job),
        })
    }

    /// `CONNECT` and so many bytes, or fewer when the host falls silent.
    pub(crate) fn transfer(
        want: usize,
        silence_ms: u64,
        ack: bool,
        job: impl FnOnce(&mut Module, Vec<u8>) -> Self + Send + 'static,
    ) -> Self {
        Self::Transfer(Transfer {
            want: want.min(TRANSFER_LIMIT),
            silence_ms,
            ack,
            job: Box::new(job),
        })
    }

    pub(crate) fn then(action: impl FnOnce(&mut Module) + Send + 'static) -> Self {
        Self::OkThen(Box::new(action))
    }
}

/// A command line that runs.
pub(super) struct Exec {
    queue: VecDeque<Command>,
    lines: Vec<Vec<u8>>,
    first: bool,
    /// Profile time of the running command, in milliseconds.
    latency_ms: u64,
    /// Raw bytes that follow the information response.
    raw: Vec<u8>,
}

impl Module {
    pub(super) fn run_line(&mut self, line: &[u8]) {
        if line.iter().all(|b| *b <= b' ') {
            return;
        }
        self.faults_at(Place::Command(line));
        if self.faults.swallows() || self.faults.hung {
            return;
        }
        if self.is_bricked_for(line) {
            return;
        }
        let Some(rest) = at::after_prefix(line) else {
            let answer = self.profile.line.junk.clone();
            self.write_final(&answer);
            return;
        };
        let queue = at::parse_line(rest);
        let latency_ms = self.profile.timing.command_ms;
        self.exec = Some(Exec {
            queue,
            lines: vec![],
            first: true,
            latency_ms,
            raw: vec![],
        });
        self.step();
    }

    /// Starts the next command, or ends the line with `OK`.
    fn step(&mut self) {
        let Some(exec) = self.exec.as_mut() else {
            return;
        };
        let Some(command) = exec.queue.pop_front() else {
            return self.next_command(0);
        };
        exec.latency_ms = self.profile.timing.command_ms;
        let outcome = cmd::dispatch(self, &command);
        self.finish(outcome);
    }

    /// Carries out what a command led to.
    pub(crate) fn finish(&mut self, outcome: Outcome) {
        match outcome {
            Outcome::Ok => self.next_command(0),
            Outcome::OkAfter(ms) => self.next_command(ms),
            Outcome::OkThen(action) => {
                let last = self.exec.as_ref().is_none_or(|exec| exec.queue.is_empty());
                if last {
                    // The action may write URCs, which must come after the OK.
                    self.after(self.profile.timing.command_ms, |module| {
                        module.write_block();
                        module.end_line("OK");
                        action(module);
                    });
                } else {
                    action(self);
                    self.next_command(0);
                }
            }
            Outcome::Error => {
                let answer = self.profile.line.incorrect.clone();
                self.fail(answer, 0);
            }
            Outcome::ErrorAfter(ms) => self.fail("ERROR".to_owned(), ms),
            Outcome::Cme(code) => {
                let answer = self.cme(code);
                self.fail(answer, 0);
            }
            Outcome::Final(text) => self.fail(text, 0),
            Outcome::Prompt(prompt) => {
                self.after(self.profile.timing.prompt_ms, |module| {
                    module.write_block();
                    module.open_prompt(prompt);
                });
            }
            Outcome::Transfer(transfer) => {
                self.after(self.profile.timing.prompt_ms, |module| {
                    module.open_transfer(transfer)
                });
            }
            Outcome::Transparent(owner) => {
                self.exec = None;
                self.open_transparent(owner);
            }
            Outcome::Wait => {}
        }
    }

    fn next_command(&mut self, extra_ms: u64) {
        let latency = self.exec.as_ref().map_or(0, |exec| exec.latency_ms);
        self.after(latency + extra_ms, |module| {
            module.write_block();
            if module
                .exec
                .as_ref()
                .is_some_and(|exec| !exec.queue.is_empty())
            {
                module.step();
            } else {
                module.end_line("OK");
            }
        });
    }

    fn fail(&mut self, answer: String, extra_ms: u64) {
        let latency = self.exec.as_ref().map_or(0, |exec| exec.latency_ms);
        self.after(latency + extra_ms, move |module| {
            module.write_block();
            module.end_line(&answer);
        });
    }

    /// Writes the information response of the command that just ended.
    fn write_block(&mut self) {
        let Some(exec) = self.exec.as_mut() else {
            return;
        };
        let lines = core::mem::take(&mut exec.lines);
        let raw = core::mem::take(&mut exec.raw);
        let first = core::mem::replace(&mut exec.first, false);
        if !lines.is_empty() {
            self.write_information(&lines, first);
        }
        if !raw.is_empty() {
            self.write_raw(&raw);
        }
    }

    fn end_line(&mut self, result: &str) {
        if result == "OK" && self.faults.late_ok_ms > 0 {
            let late = self.faults.late_ok_ms;
            self.after_exactly(late, |module| module.end_line_now("OK"));
        } else {
            self.end_line_now(result);
        }
    }

    fn end_line_now(&mut self, result: &str) {
        self.write_final(result);
        self.exec = None;
        self.flush_urcs();
    }

    pub(super) fn abort_line(&mut self) {
        self.exec = None;
    }

    /// Adds a line to the information response of the running command.
    pub(crate) fn info(&mut self, line: impl Into<Vec<u8>>) {
        if let Some(exec) = self.exec.as_mut() {
            exec.lines.push(line.into());
        }
    }

    /// Adds bytes that follow the information response of the running command.
    pub(crate) fn info_raw(&mut self, bytes: &[u8]) {
        if let Some(exec) = self.exec.as_mut() {
            exec.raw.extend_from_slice(bytes);
        }
    }

    /// Adds a line that follows data of the host: only a profile that says so puts CR LF before it.
    pub(crate) fn info_after_data(&mut self, line: &str) {
        let end = self.response_end();
        let lead = if self.profile.file.upload_crlf {
            end.as_str()
        } else {
            ""
        };
        let text = format!("{lead}{line}{end}");
        self.info_raw(text.as_bytes());
    }

    /// CR LF, or whatever S3 and S4 say.
    pub(crate) fn response_end(&self) -> String {
        self.line_end().iter().map(|b| char::from(*b)).collect()
    }

    /// Makes the running command take this much profile time, in milliseconds.
    pub(crate) fn takes(&mut self, ms: u64) {
        if let Some(exec) = self.exec.as_mut() {
            exec.latency_ms = ms;
        }
    }

    /// `+CME ERROR` as `AT+CMEE` wants it.
    pub(crate) fn cme(&self, code: u16) -> String {
        match (self.session.cmee, cme_text(code)) {
            (0, _) => "ERROR".to_owned(),
            (2, Some(text)) => format!("+CME ERROR: {text}"),
            _ => format!("+CME ERROR: {code}"),
        }
    }

    /// Whether a command line is being carried out.
    #[must_use]
    pub const fn busy(&self) -> bool {
        self.exec.is_some()
    }
}
