//! Waits for registration in the network.

use quectel_at::Chain;
use quectel_at::commands::{CeregRead, CgregRead, CregRead, Csq, Registration, RegistrationStat};

use super::{Note, Outcome, State, Turn, pdp::Pdp};
use crate::context::Context;
use crate::{Reason, Step};

#[derive(Debug, Clone, Copy, Default)]
enum Doing {
    #[default]
    Ask,
    AskEps,
    Pause,
    Signal,
}

/// Polls `AT+CREG?;+CGREG?;+CEREG?` until one of them says registered.
///
/// On LTE-M `+CGREG` stays at 4 while `+CEREG` says 1, so one of the three suffices.
#[derive(Debug, Default)]
pub(crate) struct Register {
    doing: Doing,
    registered: bool,
    denied: bool,
    began_at: Option<u64>,
}

/// Milliseconds between two polls.
const POLL_MS: u32 = 1_000;

impl Register {
    pub(crate) fn note(&mut self, note: Note<'_>, cx: &mut Context<'_>) {
        let Note::Answer(line) = note else { return };
        if let Ok(registration) = Registration::parse_read(line) {
            self.registered |= registration.stat.is_registered();
            self.denied |= registration.stat == RegistrationStat::Denied;
            cx.evidence.set(line.bytes());
        } else if let Ok(quality) = Csq::parse(line) {
            cx.signal_dbm = quality.rssi_dbm();
        }
    }

    pub(crate) fn advance(
        mut self,
        outcome: Outcome,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        let began_at = *self.began_at.get_or_insert(turn.cx.now);
        match (self.doing, outcome) {
            (_, Outcome::Noted) => {}
            (_, Outcome::Enter) | (Doing::Pause, _) => {
                self.doing = Doing::Ask;
                self.registered = false;
                self.denied = false;
                turn.send(&Chain(&[&CregRead, &CgregRead, &CeregRead]))?;
            }
            (Doing::Ask | Doing::AskEps, _) if self.registered => {
                self.doing = Doing::Signal;
                turn.send(&Csq)?;
            }
            // The chain stops at the first command that the firmware lacks.
            (Doing::Ask, Outcome::Done(result)) if !result.is_ok() => {
                self.doing = Doing::AskEps;
                turn.send(&CeregRead)?;
            }
            (Doing::Ask | Doing::AskEps, _) => {
                let limit =
                    began_at.saturating_add(u64::from(turn.cx.config.timeouts.register_s) * 1_000);
                if turn.cx.now >= limit {
                    return Err(if self.denied {
                        Reason::RegistrationDenied
                    } else {
                        Reason::NotRegistered
                    });
                }
                self.doing = Doing::Pause;
                turn.wait(POLL_MS);
            }
            (Doing::Signal, _) => return Ok(turn.enter(Step::Pdp, State::Pdp(Pdp::default()))),
        }
        Ok(State::Register(self))
    }
}
