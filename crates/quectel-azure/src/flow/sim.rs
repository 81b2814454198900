//! Waits for the SIM, and unlocks it.

use quectel_at::commands::{Cfun, CfunRead, Cpin, CpinRead, SimState};

use super::{Note, Outcome, State, Turn, register::Register};
use crate::client::cme;
use crate::context::Context;
use crate::{Reason, Step};

#[derive(Debug, Clone, Copy, Default)]
enum Doing {
    #[default]
    ReadFunction,
    FullFunction,
    ReadPin,
    EnterPin,
    Pause,
}

/// Brings the module to full function and the SIM to READY.
#[derive(Debug, Default)]
pub(crate) struct Sim {
    doing: Doing,
    function: Option<u8>,
    state: Option<SimState>,
    began_at: Option<u64>,
    pin_sent: bool,
}

/// Milliseconds between two looks at a SIM that is busy.
const RETRY_MS: u32 = 500;

impl Sim {
    pub(crate) fn note(&mut self, note: Note<'_>, cx: &mut Context<'_>) {
        let Note::Answer(line) = note else { return };
        match self.doing {
            Doing::ReadFunction => self.function = CfunRead::parse(line).ok(),
            Doing::ReadPin => {
                self.state = CpinRead::parse(line).ok();
                cx.evidence.set(line.bytes());
            }
            _ => {}
        }
    }

    pub(crate) fn advance(
        mut self,
        outcome: Outcome,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        let began_at = *self.began_at.get_or_insert(turn.cx.now);
        match (self.doing, outcome) {
            (_, Outcome::Noted) => return Ok(State::Sim(self)),
            (_, Outcome::Enter) => turn.send(&CfunRead)?,
            (Doing::ReadFunction, _) if self.function != Some(1) => {
                self.doing = Doing::FullFunction;
                turn.send(&Cfun::FULL)?;
            }
            (Doing::ReadFunction | Doing::FullFunction | Doing::Pause, _) => self.read(turn)?,
            (Doing::EnterPin, Outcome::Done(result)) if !result.is_ok() => {
                return Err(Reason::SimPinWrong);
            }
            (Doing::EnterPin, _) => self.read(turn)?,
            (Doing::ReadPin, _) => return self.judge(outcome, began_at, turn),
        }
        Ok(State::Sim(self))
    }

    fn read(&mut self, turn: &mut Turn<'_, '_>) -> Result<(), Reason> {
        self.doing = Doing::ReadPin;
        self.state = None;
        turn.send(&CpinRead)
    }

    fn judge(
        mut self,
        outcome: Outcome,
        began_at: u64,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        match self.state {
            Some(SimState::Ready) => {
                return Ok(turn.enter(Step::Register, State::Register(Register::default())));
            }
            Some(SimState::Pin) => {
                let pin = turn.cx.config.sim_pin.ok_or(Reason::SimPinRequired)?;
                // A PIN is sent once: the second wrong try would be the user's.
                if self.pin_sent {
                    return Err(Reason::SimPinWrong);
                }
                self.pin_sent = true;
                self.doing = Doing::EnterPin;
                turn.send(&Cpin { pin })?;
                return Ok(State::Sim(self));
            }
            Some(SimState::NotReady) | None => {}
            Some(_) => return Err(Reason::SimLocked),
        }
        if cme(outcome) == Some(SIM_NOT_INSERTED) {
            return Err(Reason::SimMissing);
        }
        let limit = began_at.saturating_add(u64::from(turn.cx.config.timeouts.sim_s) * 1_000);
        if turn.cx.now >= limit {
            return Err(Reason::SimNotReady);
        }
        self.doing = Doing::Pause;
        turn.wait(RETRY_MS);
        Ok(State::Sim(self))
    }
}

/// `+CME ERROR: 10`.
const SIM_NOT_INSERTED: u16 = 10;
