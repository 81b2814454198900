//! Activates the PDP context.

use quectel_at::commands::{
    ActiveContext, QiGetError, Qiact, QiactRead, Qicsgp, QicsgpRead, Qideact,
};

use super::{Note, Outcome, State, Turn, clock::Clock};
use crate::context::Context;
use crate::{ApnAuth, Reason, Step};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Doing {
    #[default]
    ReadSettings,
    ReadActive,
    Deactivate,
    Set,
    Activate,
    Confirm,
    AskError,
}

/// Sets the access point and activates the context, unless it is active with that access point already.
///
/// Several families answer `AT+QIACT` with `ERROR` when the context is active, so its state is asked for first.
#[derive(Debug, Default)]
pub(crate) struct Pdp {
    doing: Doing,
    same_apn: bool,
    active: bool,
    /// `AT+QIDEACT` and `AT+QIACT` are repeated once: after the network took a context away it must be closed first.
    again: bool,
}

impl Pdp {
    pub(crate) fn note(&mut self, note: Note<'_>, cx: &mut Context<'_>) {
        let Note::Answer(line) = note else { return };
        if let Ok(settings) = QicsgpRead::parse(line) {
            let apn = cx.config.apn;
            self.same_apn = apn.name.is_empty()
                || (settings.apn == apn.name.as_bytes() && settings.user == apn.user.as_bytes());
        } else if let Ok(context) = ActiveContext::parse(line) {
            if context.context == cx.config.slots.pdp && context.state == 1 {
                self.active = true;
                cx.address.set(context.address);
            }
        } else if self.doing == Doing::AskError
            && QiGetError::parse(line).is_ok_and(|error| error.code != 0)
        {
            cx.evidence.set(line.bytes());
        }
    }

    pub(crate) fn advance(
        mut self,
        outcome: Outcome,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        let context = turn.cx.config.slots.pdp;
        let ok = match outcome {
            Outcome::Enter => {
                turn.send(&QicsgpRead { context })?;
                return Ok(State::Pdp(self));
            }
            Outcome::Done(result) => result.is_ok(),
            Outcome::TimedOut if self.doing == Doing::Activate => return Err(Reason::PdpFailed),
            Outcome::TimedOut => return Err(Reason::CommandTimeout),
            _ => return Ok(State::Pdp(self)),
        };
        match self.doing {
            Doing::ReadSettings => {
                self.same_apn |= turn.cx.config.apn.name.is_empty();
                self.read_active(Doing::ReadActive, turn)?;
            }
            Doing::ReadActive | Doing::Confirm if self.active && self.same_apn => {
                return Ok(turn.enter(Step::Clock, State::Clock(Clock::default())));
            }
            Doing::ReadActive if self.active => self.deactivate(turn)?,
            Doing::ReadActive | Doing::Deactivate if !self.same_apn => self.set(turn)?,
            Doing::ReadActive | Doing::Deactivate => self.activate(turn)?,
            Doing::Set if !ok => return Err(Reason::CommandRefused),
            Doing::Set => {
                self.same_apn = true;
                self.activate(turn)?;
            }
            Doing::Activate => self.read_active(Doing::Confirm, turn)?,
            Doing::Confirm => {
                self.doing = Doing::AskError;
                turn.send(&QiGetError)?;
            }
            Doing::AskError if self.again => return Err(Reason::PdpFailed),
            Doing::AskError => {
                self.again = true;
                self.deactivate(turn)?;
            }
        }
        Ok(State::Pdp(self))
    }

    fn read_active(&mut self, doing: Doing, turn: &mut Turn<'_, '_>) -> Result<(), Reason> {
        self.doing = doing;
        self.active = false;
        turn.send(&QiactRead)
    }

    fn deactivate(&mut self, turn: &mut Turn<'_, '_>) -> Result<(), Reason> {
        self.doing = Doing::Deactivate;
        turn.send(&Qideact {
            context: turn.cx.config.slots.pdp,
        })
    }

    fn activate(&mut self, turn: &mut Turn<'_, '_>) -> Result<(), Reason> {
        self.doing = Doing::Activate;
        turn.send(&Qiact {
            context: turn.cx.config.slots.pdp,
        })
    }

    fn set(&mut self, turn: &mut Turn<'_, '_>) -> Result<(), Reason> {
        let apn = turn.cx.config.apn;
        let auth = match apn.auth {
            ApnAuth::None => 0,
            ApnAuth::Pap => 1,
            ApnAuth::Chap => 2,
            ApnAuth::PapOrChap => 3,
        };
        self.doing = Doing::Set;
        let context = turn.cx.config.slots.pdp;
        turn.send(&Qicsgp {
            context,
            apn: apn.name,
            user: apn.user,
            password: apn.password,
            auth,
        })
    }
}
