//! Power-down, and the URCs of start and end.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::{CpinRead, SHORT_MS, SimState};
use crate::{Command, Exchange, Line, Writer};

/// `AT+QPOWD=<0|1>`: turns the module off; `OK` comes at once, `POWERED DOWN` when it is done.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+QPOWD; zephyr PR 93072 (BG95-M3 without `POWERED DOWN`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Qpowd {
    /// Whether the module detaches from the network first.
    pub normal: bool,
}

impl Qpowd {
    /// Milliseconds from `OK` until [`PowerUrc::PoweredDown`] must have come; after that the supply may be cut.
    pub const RESULT_MS: u32 = 65_000;
}

impl Command for Qpowd {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QPOWD").num(u32::from(self.normal));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

/// A URC that tells how far the module has started, or that it ends.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, URCs; EC2x AT Commands Manual; zephyr PR 57110 (`APP RDY`) and issue 55807
/// (`NORMAL POWER DOWN`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum PowerUrc<'a> {
    /// `RDY`: it has booted. BG95 answers `ERROR` until [`PowerUrc::AppReady`].
    Ready,
    /// `APP RDY`: settings made from now on are kept.
    AppReady,
    /// `POWERED DOWN`: it is off, or about to restart.
    PoweredDown,
    /// `NORMAL POWER DOWN`: its power key was pressed.
    NormalPowerDown,
    /// `PSM POWER DOWN`: it sleeps; its MQTT session ends.
    PsmPowerDown,
    /// `+CFUN: <level>`.
    Cfun(u8),
    /// `+CPIN: READY`.
    SimReady,
    /// `+CPIN: …` with anything else.
    Sim(SimState),
    /// `+QUSIM: <kind>`: 0 SIM, 1 USIM.
    Qusim(u8),
    /// `+QIND: <what>`, such as `SMS DONE` or `PB DONE`.
    Qind(&'a [u8]),
}

impl<'a> PowerUrc<'a> {
    /// Reads a line; `None` if it is none of these.
    pub fn parse(line: Line<'a>) -> Option<Self> {
        match line.bytes().trim_ascii() {
            b"RDY" => return Some(Self::Ready),
            b"APP RDY" => return Some(Self::AppReady),
            b"POWERED DOWN" => return Some(Self::PoweredDown),
            b"NORMAL POWER DOWN" => return Some(Self::NormalPowerDown),
            b"PSM POWER DOWN" => return Some(Self::PsmPowerDown),
            _ => {}
        }
        if let Ok(state) = CpinRead::parse(line) {
            return Some(match state {
                SimState::Ready => Self::SimReady,
                other => Self::Sim(other),
            });
        }
        if let Some(mut params) = line.params(b"+QIND") {
            return params.bytes().ok().map(Self::Qind);
        }
        if let Some(mut params) = line.params(b"+QUSIM") {
            return params.u8().ok().map(Self::Qusim);
        }
        line.params(b"+CFUN")?.u8().ok().map(Self::Cfun)
    }

    /// Whether the module ends or sleeps: everything that it was asked for is lost.
    pub const fn is_down(self) -> bool {
        matches!(
            self,
            Self::PoweredDown | Self::NormalPowerDown | Self::PsmPowerDown
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::written;

    #[test]
    fn commands_as_typed() {
        assert_eq!(written(&Qpowd { normal: true }), "+QPOWD=1");
        assert_eq!(written(&Qpowd { normal: false }), "+QPOWD=0");
    }

    #[test]
    fn urcs_of_start_and_end() {
        let cases: &[(&[u8], Option<PowerUrc<'_>>)] = &[
            (b"RDY", Some(PowerUrc::Ready)),
            (b"APP RDY", Some(PowerUrc::AppReady)),
            (b"+CFUN: 1", Some(PowerUrc::Cfun(1))),
            (b"+CPIN: READY", Some(PowerUrc::SimReady)),
            (b"+CPIN: NOT READY", Some(PowerUrc::Sim(SimState::NotReady))),
            (b"+QUSIM: 1", Some(PowerUrc::Qusim(1))),
            (b"+QIND: SMS DONE", Some(PowerUrc::Qind(b"SMS DONE"))),
            (b"+QIND: PB DONE", Some(PowerUrc::Qind(b"PB DONE"))),
            (b"POWERED DOWN", Some(PowerUrc::PoweredDown)),
            (b"NORMAL POWER DOWN", Some(PowerUrc::NormalPowerDown)),
            (b"PSM POWER DOWN", Some(PowerUrc::PsmPowerDown)),
            (b"RDY?", None),
            (b"+CFUN: on", None),
            (b"+QIURC: \"pdpdeact\",1", None),
        ];
        for (line, expected) in cases {
            let urc = PowerUrc::parse(Line::new(line));
            assert_eq!(urc, *expected);
            let down = line.ends_with(b"DOWN");
            assert_eq!(urc.is_some_and(PowerUrc::is_down), down);
        }
    }
}
