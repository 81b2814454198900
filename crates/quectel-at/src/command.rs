//! What a command is: a line to send, and how the module answers it.

use crate::{Params, PayloadRule, Writer};

/// An AT command: a small struct of its parameters, named by the manual's mnemonic.
pub trait Command {
    /// Writes the command without the leading `AT` and the terminating CR.
    fn encode(&self, line: &mut Writer<'_>);

    /// How the module answers.
    fn exchange(&self) -> Exchange;
}

/// How many lines of one shape belong to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Repeat {
    /// At most one; a second such line is a URC.
    Once,
    /// Any number, such as the files of `AT+QFLST`.
    Many,
}

/// The shape of one information response line.
#[derive(Debug, Clone, Copy)]
pub struct Answer {
    /// The name before the colon, such as `+CREG`; empty for a line without a name, such as an IMEI.
    pub name: &'static [u8],
    /// Decides between the answer and the URC of the same name; sees the parameters (without a name: the line).
    pub shape: fn(Params<'_>) -> bool,
    /// How many such lines there may be.
    pub repeat: Repeat,
}

impl Answer {
    /// One line `name: …` of any shape.
    pub const fn once(name: &'static [u8]) -> Self {
        Self {
            name,
            shape: |_| true,
            repeat: Repeat::Once,
        }
    }

    /// Any number of lines `name: …`.
    pub const fn many(name: &'static [u8]) -> Self {
        Self {
            name,
            shape: |_| true,
            repeat: Repeat::Many,
        }
    }

    /// One line `name: …` whose parameters have this shape.
    pub const fn shaped(name: &'static [u8], shape: fn(Params<'_>) -> bool) -> Self {
        Self {
            name,
            shape,
            repeat: Repeat::Once,
        }
    }

    /// Lines without a name whose text has this shape.
    pub const fn bare(shape: fn(Params<'_>) -> bool, repeat: Repeat) -> Self {
        Self {
            name: b"",
            shape,
            repeat,
        }
    }
}

/// What travels besides lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum DataPhase {
    /// Nothing.
    #[default]
    None,
    /// The module prompts with `>`; the payload is then sent.
    Prompt {
        /// Whether Ctrl-Z ends the payload; otherwise its announced length does.
        ctrl_z: bool,
    },
    /// The module says `CONNECT`; the payload is then sent.
    Upload {
        /// Whether the module acknowledges each 1,024 bytes with `A`.
        ack: bool,
    },
    /// The module says `CONNECT` or `CONNECT <n>`; data then come in.
    Download {
        /// Bytes to come; `None` if the number stands behind `CONNECT`.
        size: Option<u32>,
    },
    /// The answer announces the bytes that follow its line, as in `+QIRD: 5`.
    Counted {
        /// The answer's name, and where its line announces them.
        rule: &'static PayloadRule,
    },
}

/// How the module answers a command.
#[derive(Debug, Clone, Copy)]
pub struct Exchange {
    /// The lines that are answers; every other line is a URC. One list per chained command.
    pub answers: [&'static [Answer]; Self::CHAIN],
    /// Whether at least one answer line comes before `OK`. An `OK` without it belongs to an earlier command.
    pub answer_required: bool,
    /// What travels besides lines.
    pub data: DataPhase,
    /// Milliseconds from the last byte sent until the final result code must have come.
    pub timeout_ms: u32,
}

impl Exchange {
    /// The most commands that one line may hold.
    pub const CHAIN: usize = 4;

    /// Answered by a final result code only.
    pub const fn plain(timeout_ms: u32) -> Self {
        Self {
            answers: [&[]; Self::CHAIN],
            answer_required: false,
            data: DataPhase::None,
            timeout_ms,
        }
    }

    /// Answered by at least one of these lines.
    pub const fn answered(answers: &'static [Answer], timeout_ms: u32) -> Self {
        Self {
            answer_required: true,
            ..Self::maybe(answers, timeout_ms)
        }
    }

    /// Answered by any number of these lines, also none.
    pub const fn maybe(answers: &'static [Answer], timeout_ms: u32) -> Self {
        let mut exchange = Self::plain(timeout_ms);
        exchange.answers[0] = answers;
        exchange
    }

    /// The same with a data phase.
    pub const fn with_data(self, data: DataPhase) -> Self {
        Self { data, ..self }
    }
}

/// Several commands in one line, as in `AT+CGREG?;+CREG?;+CEREG?;+QNWINFO`.
///
/// The module stops at the first error. At most [`Exchange::CHAIN`] commands, none with a data phase.
///
/// # Reference
/// ITU-T V.250, 5.2.1; BG96 AT Commands Manual V2.2, 1.3.
#[derive(Clone, Copy)]
pub struct Chain<'a>(pub &'a [&'a dyn Command]);

impl Command for Chain<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        for (n, command) in self.0.iter().take(Exchange::CHAIN).enumerate() {
            if n > 0 {
                line.raw(";");
            }
            command.encode(line);
        }
    }

    fn exchange(&self) -> Exchange {
        let mut all = Exchange::plain(0);
        for (slot, command) in all.answers.iter_mut().zip(self.0) {
            let one = command.exchange();
            *slot = one.answers[0];
            all.answer_required |= one.answer_required;
            all.timeout_ms = all.timeout_ms.saturating_add(one.timeout_ms);
        }
        all
    }
}

impl core::fmt::Debug for Chain<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Chain({} commands)", self.0.len())
    }
}
