//! Learns the time, and gives it to the module's clock if that does not know it.

use quectel_at::commands::{CclkRead, CclkSet, DateTime, NtpResult, Qlts, Qntp};

use super::{Note, Outcome, State, Turn, certificates::Certificates, connect::token_expiry};
use crate::context::Context;
use crate::{Reason, Step};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Doing {
    #[default]
    ReadClock,
    ReadNetworkTime,
    AskServer,
    WaitForServer,
    SetClock,
}

/// Certificate dates are checked against the module's clock, and a SAS token needs unix time.
///
/// The zone of `+CCLK` means different things on different families, so unix time is taken from the network
/// (`AT+QLTS=1` is GMT) or from a time server; `+CCLK` only shows whether the module's clock runs at all.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    doing: Doing,
    module: Option<u64>,
    heard: bool,
}

/// Earlier times come from a clock that was never set: modules begin in 1970, 1980 or 2004.
const PLAUSIBLE_FROM_UNIX_S: u64 = 1_420_070_400;
/// Seconds that the module's clock may differ from the known time: a day, for its zone may be wrong.
const TOLERANCE_S: u64 = 86_400;
/// Milliseconds for `+QNTP`.
const NTP_MS: u32 = 125_000;

impl Clock {
    pub(crate) fn note(&mut self, note: Note<'_>, cx: &mut Context<'_>) {
        match note {
            Note::Answer(line) => {
                if let Ok(time) = CclkRead::parse(line) {
                    self.module = plausible(Some(time));
                } else if let Ok(time) = Qlts::parse(line)
                    && let Some(unix) = plausible(time)
                {
                    cx.set_unix_time(unix);
                }
            }
            Note::Urc(line) => {
                if let Ok(result) = NtpResult::parse(line) {
                    self.heard = true;
                    cx.evidence.set(line.bytes());
                    if let Some(unix) = plausible(result.time) {
                        cx.set_unix_time(unix);
                        // The module sets its clock by the server's answer.
                        self.module = Some(unix);
                    }
                }
            }
        }
    }

    pub(crate) fn advance(
        mut self,
        outcome: Outcome,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        match (self.doing, outcome) {
            (_, Outcome::Enter) => turn.send(&CclkRead)?,
            (Doing::WaitForServer, Outcome::Noted) if !self.heard => {}
            (Doing::WaitForServer, _) => return self.settle(turn),
            (_, Outcome::Noted | Outcome::Timer) => {}
            (Doing::ReadClock, _) => {
                if turn.cx.unix_time_s().is_some() {
                    return self.settle(turn);
                }
                self.doing = Doing::ReadNetworkTime;
                turn.send(&Qlts { mode: 1 })?;
            }
            (Doing::ReadNetworkTime, _) => {
                if turn.cx.unix_time_s().is_some() || turn.cx.config.ntp_server.is_empty() {
                    return self.settle(turn);
                }
                self.doing = Doing::AskServer;
                let server = turn.cx.config.ntp_server;
                turn.send(&Qntp {
                    context: turn.cx.config.slots.pdp,
                    server,
                    port: 123,
                    set_clock: true,
                })?;
            }
            (Doing::AskServer, Outcome::Done(result)) if result.is_ok() && !self.heard => {
                self.doing = Doing::WaitForServer;
                turn.wait(NTP_MS);
            }
            (Doing::AskServer, _) => return self.settle(turn),
            (Doing::SetClock, Outcome::Done(result)) => {
                turn.cx.module_clock = result.is_ok();
                return leave(turn);
            }
            (Doing::SetClock, _) => return leave(turn),
        }
        Ok(State::Clock(self))
    }

    /// Decides whether the module's clock can be trusted, and sets it where it cannot.
    fn settle(mut self, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        let known = turn.cx.unix_time_s();
        match (known, self.module) {
            (Some(known), Some(module)) if known.abs_diff(module) <= TOLERANCE_S => {
                turn.cx.module_clock = true;
            }
            (Some(known), _) => {
                if let Some(time) = DateTime::from_unix_s(known) {
                    self.doing = Doing::SetClock;
                    turn.send(&CclkSet { time })?;
                    return Ok(State::Clock(self));
                }
            }
            (None, Some(module)) => {
                turn.cx.module_clock = true;
                turn.cx.set_unix_time(module);
            }
            (None, None) => {}
        }
        leave(turn)
    }
}

/// Goes on to the certificates, if the credential can be used at this time.
fn leave(turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
    token_expiry(turn.cx)?;
    Ok(turn.enter(
        Step::Certificates,
        State::Certificates(Certificates::default()),
    ))
}

fn plausible(time: Option<DateTime>) -> Option<u64> {
    time?.unix_s().filter(|&unix| unix >= PLAUSIBLE_FROM_UNIX_S)
}
