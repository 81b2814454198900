//! Opens the connection: name resolution, TCP, TLS handshake.

use quectel_mqtt::{OpenResult, QmtClose, QmtOpen, Urc};

use super::{Note, Outcome, State, Turn, connect::Connect};
use crate::context::Context;
use crate::{Reason, Step};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Doing {
    #[default]
    Command,
    Await,
    Free,
}

/// `AT+QMTOPEN` and its result.
#[derive(Debug, Default)]
pub(crate) struct Open {
    doing: Doing,
    result: Option<OpenResult>,
    closed: bool,
    /// An occupied client is closed and opened again once.
    again: bool,
}

/// Milliseconds for `+QMTCLOSE`.
const CLOSE_MS: u32 = 10_000;

impl Open {
    pub(crate) fn note(&mut self, note: Note<'_>, cx: &mut Context<'_>) {
        let Note::Urc(line) = note else { return };
        let ours = cx.config.slots.mqtt;
        match Urc::parse(line) {
            Some(Urc::Open { client, result }) if client == ours => {
                self.result = Some(result);
                cx.evidence.set(line.bytes());
            }
            Some(Urc::Close { client, .. }) if client == ours => self.closed = true,
            _ => {}
        }
    }

    pub(crate) fn advance(
        mut self,
        outcome: Outcome,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        match (self.doing, outcome) {
            (_, Outcome::Enter) => self.open(turn)?,
            // A few firmwares print the result and then ERROR without OK.
            (Doing::Command | Doing::Await, _) if self.result.is_some() => return self.judge(turn),
            (Doing::Command, Outcome::Done(result)) if result.is_ok() => {
                self.doing = Doing::Await;
                turn.wait(u32::from(turn.cx.config.timeouts.open_s) * 1_000);
            }
            (Doing::Command, Outcome::Done(_)) => return self.free(turn),
            (Doing::Command, Outcome::TimedOut) => return Err(Reason::CommandTimeout),
            (Doing::Await, Outcome::Timer) => return Err(Reason::OpenTimeout),
            (Doing::Free, Outcome::Done(result)) if result.is_ok() && !self.closed => {
                turn.wait(CLOSE_MS)
            }
            (Doing::Free, Outcome::Noted) if !self.closed => {}
            (Doing::Free, _) => self.open(turn)?,
            (Doing::Command | Doing::Await, _) => {}
        }
        Ok(State::Open(self))
    }

    fn open(&mut self, turn: &mut Turn<'_, '_>) -> Result<(), Reason> {
        let config = &turn.cx.config;
        self.doing = Doing::Command;
        self.result = None;
        let command = QmtOpen {
            client: config.slots.mqtt,
            host: turn.cx.host(),
            port: config.port,
        };
        turn.send(&command)
    }

    /// Closes a client that is occupied, or was refused for a reason that the module does not tell.
    fn free(mut self, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        if self.again {
            return Err(Reason::OpenRefused);
        }
        self.again = true;
        self.closed = false;
        self.doing = Doing::Free;
        turn.send(&QmtClose {
            client: turn.cx.config.slots.mqtt,
        })?;
        Ok(State::Open(self))
    }

    fn judge(self, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        match self.result {
            Some(OpenResult::Opened) => {
                Ok(turn.enter(Step::Connect, State::Connect(Connect::default())))
            }
            Some(OpenResult::Occupied) => self.free(turn),
            Some(OpenResult::DnsFailed) => Err(Reason::DnsFailed),
            Some(OpenResult::WrongParameter) => Err(Reason::OpenRefused),
            Some(OpenResult::PdpFailed) => Err(Reason::PdpFailed),
            _ => Err(Reason::OpenFailed),
        }
    }
}
