//! Wakes the module's AT port, whatever state it was left in, and learns model and firmware.

use quectel_at::commands::{At, Ate, Ati, Cmee, Identity, Ifc, Qgmr, QurcCfg, QurcCfgRead};

use super::{Note, Outcome, State, Turn, sim::Sim};
use crate::context::{Context, Notice};
use crate::{FlowControl, Profile, Reason, Step, UrcPort, Warning};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Doing {
    /// `AT` until `OK`.
    #[default]
    Sync,
    EchoOff,
    Errors,
    FlowControl,
    Identify,
    Revision,
    ReadUrcPort,
    SetUrcPort,
}

/// Finds the module behind the port.
///
/// A module may be booting, or stuck in a prompt, in an upload or in data mode because an earlier driver died.
/// So `AT` is tried, then ESC for a prompt, then silence (which ends an upload) and `+++` (which ends data mode).
#[derive(Debug, Default)]
pub(crate) struct Identify {
    doing: Doing,
    tries: u8,
    began_at: Option<u64>,
    /// What the pause before the next `AT` is for.
    pausing: Pause,
    /// Something came that is no AT text.
    garbled: bool,
    /// `AT` was answered, but not with `OK`.
    refused: bool,
    urc_port_is_right: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Pause {
    #[default]
    None,
    /// The module said `ERROR`: it is still booting.
    Boot,
    /// ESC was sent.
    Escape,
    /// Nothing is sent, so that an upload ends.
    Silence,
    /// `+++` was sent.
    Plus,
}

/// Milliseconds between tries while the module boots.
const BOOT_MS: u32 = 500;
/// Milliseconds for the module to leave a prompt.
const ESCAPE_MS: u32 = 200;
/// Milliseconds that end an upload of this driver, see `certificates::SILENCE_S`; also the guard time of `+++`.
const SILENCE_MS: u32 = 5_500;
/// Milliseconds after `+++`.
const GUARD_MS: u32 = 1_100;

impl Identify {
    pub(crate) fn note(&mut self, note: Note<'_>, cx: &mut Context<'_>) {
        match note {
            Note::Urc(line) => {
                let text = line.bytes();
                if self.doing == Doing::Sync && !text.iter().all(|b| matches!(b, 0x20..=0x7E)) {
                    self.garbled = true;
                    cx.evidence.set(text);
                }
            }
            Note::Answer(line) => match self.doing {
                Doing::Identify => match Identity::parse_line(line) {
                    Some(Identity::Model(model)) => cx.model.set(model),
                    Some(Identity::Revision(revision)) => cx.revision.set(revision),
                    _ => {}
                },
                Doing::Revision => cx.revision.set(line.bytes()),
                Doing::ReadUrcPort => {
                    self.urc_port_is_right = port_name(cx.config.urc_port).is_some_and(|name| {
                        QurcCfgRead::parse(line).is_ok_and(|port| port == name.as_bytes())
                    });
                }
                _ => {}
            },
        }
    }

    pub(crate) fn advance(
        mut self,
        outcome: Outcome,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        if self.doing == Doing::Sync {
            return self.sync(outcome, turn);
        }
        let ok = match outcome {
            Outcome::Done(result) => result.is_ok(),
            // The module stopped in the middle: begin again.
            Outcome::TimedOut => {
                self.doing = Doing::Sync;
                return self.sync(outcome, turn);
            }
            _ => return Ok(State::Identify(self)),
        };
        match self.doing {
            Doing::Sync | Doing::EchoOff => {
                self.doing = Doing::Errors;
                turn.send(&Cmee::Numeric)?;
            }
            Doing::Errors if turn.cx.config.flow_control == FlowControl::RtsCts => {
                self.doing = Doing::FlowControl;
                turn.send(&Ifc {
                    dce_by_dte: 2,
                    dte_by_dce: 2,
                })?;
            }
            Doing::FlowControl if !ok => return Err(Reason::CommandRefused),
            Doing::Errors | Doing::FlowControl => {
                self.doing = Doing::Identify;
                turn.send(&Ati)?;
            }
            Doing::Identify if !ok => return Err(Reason::CommandRefused),
            Doing::Identify => {
                self.doing = Doing::Revision;
                turn.send(&Qgmr)?;
            }
            // Old firmware without AT+QGMR has told its revision in ATI.
            Doing::Revision => {
                self.choose_profile(turn.cx);
                if turn.cx.config.urc_port == UrcPort::Keep {
                    return Ok(turn.enter(Step::Sim, State::Sim(Sim::default())));
                }
                self.doing = Doing::ReadUrcPort;
                turn.send(&QurcCfgRead)?;
            }
            Doing::ReadUrcPort if self.urc_port_is_right => {
                return Ok(turn.enter(Step::Sim, State::Sim(Sim::default())));
            }
            Doing::ReadUrcPort => {
                self.doing = Doing::SetUrcPort;
                turn.send(&QurcCfg {
                    port: port_name(turn.cx.config.urc_port).unwrap_or("uart1"),
                })?;
            }
            Doing::SetUrcPort => return Ok(turn.enter(Step::Sim, State::Sim(Sim::default()))),
        }
        Ok(State::Identify(self))
    }

    fn choose_profile(&self, cx: &mut Context<'_>) {
        cx.profile = cx
            .config
            .profile
            .unwrap_or_else(|| Profile::find(cx.model.text(), cx.revision.text()));
        cx.tell(Notice::Identified);
        if !cx.profile.is_known() {
            cx.warn(Warning::UnknownModule);
        }
    }

    fn sync(mut self, outcome: Outcome, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        let limit = self.limit(turn.cx);
        match outcome {
            Outcome::Done(result) if result.is_ok() => {
                self.doing = Doing::EchoOff;
                turn.send(&Ate { on: false })?;
                return Ok(State::Identify(self));
            }
            Outcome::Noted => return Ok(State::Identify(self)),
            _ => {}
        }
        if turn.cx.now >= limit {
            let garbled = self.garbled || turn.cx.noise > 0;
            return Err(if self.refused {
                Reason::CommandRefused
            } else if garbled {
                Reason::ModuleGarbled
            } else {
                Reason::ModuleSilent
            });
        }
        if matches!(outcome, Outcome::Done(_)) {
            self.refused = true;
            self.pausing = Pause::Boot;
            self.wait(BOOT_MS, turn);
            return Ok(State::Identify(self));
        }
        if outcome == Outcome::Timer {
            return self.after_pause(turn);
        }
        if outcome == Outcome::TimedOut {
            self.tries = self.tries.saturating_add(1);
        }
        // One round: three times AT, ESC and AT, silence and AT, +++ and AT.
        match self.tries % 6 {
            3 => self.pause(Pause::Escape, turn),
            4 => self.pause(Pause::Silence, turn),
            5 => self.pause(Pause::Plus, turn),
            _ => {
                turn.send(&At)?;
                Ok(State::Identify(self))
            }
        }
    }

    /// When the module must have answered.
    fn limit(&mut self, cx: &Context<'_>) -> u64 {
        let began_at = *self.began_at.get_or_insert(cx.now);
        began_at.saturating_add(u64::from(cx.config.timeouts.sync_s) * 1_000)
    }

    /// Waits, but not beyond the limit.
    fn wait(&mut self, ms: u32, turn: &mut Turn<'_, '_>) {
        let left = self.limit(turn.cx).saturating_sub(turn.cx.now);
        turn.wait(u32::try_from(left).map_or(ms, |left| left.min(ms)));
    }

    fn pause(mut self, pause: Pause, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        self.pausing = pause;
        // A command that waits for its answer never stands before a pause, so these bytes always go out.
        match pause {
            Pause::Escape => {
                let _ = turn.link.send_raw(b"\x1B");
                self.wait(ESCAPE_MS, turn);
            }
            Pause::Plus => self.wait(GUARD_MS, turn),
            _ => self.wait(SILENCE_MS, turn),
        }
        Ok(State::Identify(self))
    }

    fn after_pause(mut self, turn: &mut Turn<'_, '_>) -> Result<State, Reason> {
        if self.pausing == Pause::Plus {
            self.pausing = Pause::None;
            let _ = turn.link.send_raw(b"+++");
            self.wait(GUARD_MS, turn);
        } else {
            self.pausing = Pause::None;
            turn.send(&At)?;
        }
        Ok(State::Identify(self))
    }
}

fn port_name(port: UrcPort) -> Option<&'static str> {
    match port {
        UrcPort::Keep => None,
        UrcPort::Uart1 => Some("uart1"),
        UrcPort::UsbAt => Some("usbat"),
        UrcPort::UsbModem => Some("usbmodem"),
        UrcPort::All => Some("all"),
    }
}
