//! The flow: one state per step, each in its file, named by what it does and holding only its own data.
//!
//! A state is told what the module says ([`Note`]) and, whenever no command is running, is asked to go on
//! ([`Outcome`]). It sends, waits and moves on through [`Turn`] only.

mod certificates;
mod clock;
mod connect;
mod disconnect;
mod identify;
mod mqtt;
mod open;
mod pdp;
mod register;
mod session;
mod sim;
mod subscribe;
mod tls;

use quectel_at::{Command, Line, Link, Payload, ResultCode, SendError};

use crate::context::{Context, Notice};
use crate::{Reason, Step};

pub(crate) use connect::write_credentials;
pub(crate) use session::{Outgoing, Session};

/// What the module said.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Note<'a> {
    /// A line that answers the running command.
    Answer(Line<'a>),
    /// A line that no command asked for.
    Urc(Line<'a>),
}

/// Why a state is asked to go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The state was entered.
    Enter,
    /// Its command ended.
    Done(ResultCode),
    /// Its command got no final result code in time.
    TimedOut,
    /// The time it asked for has come.
    Timer,
    /// A line was noted while no command was running.
    Noted,
}

/// What a state may do: send a command, set a timer, tell something.
pub(crate) struct Turn<'x, 'b> {
    pub(crate) cx: &'x mut Context<'b>,
    pub(crate) link: &'x mut Link<'b>,
}

impl<'b> Turn<'_, 'b> {
    pub(crate) fn send(&mut self, command: &dyn Command) -> Result<(), Reason> {
        self.send_with(command, Payload::None)
    }

    pub(crate) fn send_with(
        &mut self,
        command: &dyn Command,
        payload: Payload<'_, 'b>,
    ) -> Result<(), Reason> {
        self.cx.timer = None;
        self.link
            .send_with(self.cx.now, command, payload)
            .map_err(|error| match error {
                SendError::Write(_) => Reason::CommandTooLong,
                _ => Reason::CommandRefused,
            })
    }

    /// Asks to be called again after `ms` milliseconds if nothing happens before.
    pub(crate) fn wait(&mut self, ms: u32) {
        self.cx.timer = Some(self.cx.now.saturating_add(u64::from(ms)));
    }

    /// Leaves the step for another one.
    pub(crate) fn enter(&mut self, step: Step, state: State) -> State {
        self.cx.step = step;
        self.cx.timer = None;
        self.cx.entered = true;
        self.cx.tell(Notice::Step(step));
        state
    }
}

/// Where the flow is.
#[derive(Debug)]
pub(crate) enum State {
    /// Nothing runs.
    Idle,
    Identify(identify::Identify),
    Sim(sim::Sim),
    Register(register::Register),
    Pdp(pdp::Pdp),
    Clock(clock::Clock),
    Certificates(certificates::Certificates),
    Tls(tls::Tls),
    Mqtt(mqtt::Mqtt),
    Open(open::Open),
    Connect(connect::Connect),
    Subscribe(subscribe::Subscribe),
    Session(Session),
    Disconnect(disconnect::Disconnect),
}

impl State {
    pub(crate) fn start() -> Self {
        Self::Identify(identify::Identify::default())
    }

    pub(crate) fn disconnect() -> Self {
        Self::Disconnect(disconnect::Disconnect::default())
    }

    /// Ends the flow after a failure, freeing what the module still holds for it.
    pub(crate) fn clean_up(step: Step, reason: Reason, escape: bool) -> Self {
        Self::Disconnect(disconnect::Disconnect::after(step, reason, escape))
    }

    /// Keeps what a line says; sends nothing.
    pub(crate) fn note(&mut self, note: Note<'_>, cx: &mut Context<'_>) {
        match self {
            Self::Idle => {}
            Self::Identify(s) => s.note(note, cx),
            Self::Sim(s) => s.note(note, cx),
            Self::Register(s) => s.note(note, cx),
            Self::Pdp(s) => s.note(note, cx),
            Self::Clock(s) => s.note(note, cx),
            Self::Certificates(s) => s.note(note, cx),
            Self::Tls(s) => s.note(note, cx),
            Self::Mqtt(s) => s.note(note, cx),
            Self::Open(s) => s.note(note, cx),
            Self::Connect(s) => s.note(note, cx),
            Self::Subscribe(s) => s.note(note, cx),
            Self::Session(s) => s.note(note, cx),
            Self::Disconnect(s) => s.note(note, cx),
        }
    }

    /// Goes on while no command is running.
    pub(crate) fn advance(self, outcome: Outcome, turn: &mut Turn<'_, '_>) -> Result<Self, Reason> {
        match self {
            Self::Idle => Ok(Self::Idle),
            Self::Identify(s) => s.advance(outcome, turn),
            Self::Sim(s) => s.advance(outcome, turn),
            Self::Register(s) => s.advance(outcome, turn),
            Self::Pdp(s) => s.advance(outcome, turn),
            Self::Clock(s) => s.advance(outcome, turn),
            Self::Certificates(s) => s.advance(outcome, turn),
            Self::Tls(s) => s.advance(outcome, turn),
            Self::Mqtt(s) => s.advance(outcome, turn),
            Self::Open(s) => s.advance(outcome, turn),
            Self::Connect(s) => s.advance(outcome, turn),
            Self::Subscribe(s) => s.advance(outcome, turn),
            Self::Session(s) => s.advance(outcome, turn),
            Self::Disconnect(s) => s.advance(outcome, turn),
        }
    }
}
