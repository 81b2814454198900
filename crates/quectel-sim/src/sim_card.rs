//! The SIM card: present, locked, blocked.

use crate::module::SimState;

/// Wrong PINs before the PUK is asked for, and wrong PUKs before the card is dead.
const PIN_TRIES: u8 = 3;
const PUK_TRIES: u8 = 10;

#[derive(Debug, Clone)]
pub(crate) struct SimCard {
    state: SimState,
    /// The state that a restart goes back to.
    after_restart: SimState,
    /// Whether the module has looked at the card since it started.
    pub(crate) seen: bool,
    pub(crate) pin_tries: u8,
    pub(crate) puk_tries: u8,
}

impl SimCard {
    pub(crate) fn new(state: SimState) -> Self {
        Self {
            after_restart: state.clone(),
            state,
            seen: false,
            pin_tries: PIN_TRIES,
            puk_tries: PUK_TRIES,
        }
    }

    pub(crate) fn replace(&mut self, state: SimState) {
        self.after_restart = state.clone();
        self.state = state;
        (self.pin_tries, self.puk_tries) = (PIN_TRIES, PUK_TRIES);
    }

    pub(crate) fn restart(&mut self) {
        self.seen = false;
        self.state = self.after_restart.clone();
    }

    /// Whether the card asks for its PIN at each start.
    pub(crate) const fn asks_for_pin(&self) -> bool {
        matches!(self.after_restart, SimState::Pin(_) | SimState::Puk(_))
    }

    /// Usable: the module has seen it, and it asks for nothing.
    /// Whether there is a card.
    pub(crate) fn is_inserted(&self) -> bool {
        !matches!(self.read(), Err(10))
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.seen && self.state == SimState::Ready
    }

    /// The word of the `+CPIN` URC.
    pub(crate) const fn urc_word(&self) -> &'static str {
        match self.state {
            SimState::Ready => "READY",
            SimState::Pin(_) => "SIM PIN",
            SimState::Puk(_) => "SIM PUK",
            SimState::Absent | SimState::Failure => "NOT READY",
        }
    }

    /// The word of `AT+CPIN?`, or the CME code.
    pub(crate) fn read(&self) -> Result<&'static str, u16> {
        match self.state {
            SimState::Absent => Err(10),
            SimState::Failure => Err(13),
            _ if !self.seen => Err(14),
            SimState::Ready => Ok("READY"),
            SimState::Pin(_) => Ok("SIM PIN"),
            SimState::Puk(_) => Ok("SIM PUK"),
        }
    }

    /// The CME code of a command that needs the card.
    pub(crate) fn problem(&self) -> Option<u16> {
        match self.read() {
            Err(code) => Some(code),
            Ok("SIM PIN") => Some(11),
            Ok("SIM PUK") => Some(12),
            Ok(_) => None,
        }
    }

    /// `AT+CPIN=<pin>[,<newpin>]`: the CME code on failure.
    pub(crate) fn unlock(&mut self, secret: &str, new_pin: Option<&str>) -> Result<(), u16> {
        match self.state.clone() {
            SimState::Pin(pin) if new_pin.is_none() => {
                if pin == secret {
                    self.pin_tries = PIN_TRIES;
                    self.state = SimState::Ready;
                    return Ok(());
                }
                self.pin_tries = self.pin_tries.saturating_sub(1);
                if self.pin_tries == 0 {
                    self.state = SimState::Puk("00000000".to_owned());
                    self.after_restart = self.state.clone();
                    return Err(12);
                }
                Err(16)
            }
            SimState::Puk(puk) => {
                let Some(new_pin) = new_pin else {
                    return Err(12);
                };
                if puk == secret {
                    (self.pin_tries, self.puk_tries) = (PIN_TRIES, PUK_TRIES);
                    self.after_restart = SimState::Pin(new_pin.to_owned());
                    self.state = SimState::Ready;
                    return Ok(());
                }
                self.puk_tries = self.puk_tries.saturating_sub(1);
                if self.puk_tries == 0 {
                    self.state = SimState::Failure;
                    self.after_restart = SimState::Failure;
                    return Err(13);
                }
                Err(16)
            }
            SimState::Absent => Err(10),
            SimState::Failure => Err(13),
            SimState::Ready | SimState::Pin(_) => Err(3),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pin_and_puk() {
        let mut card = SimCard::new(SimState::Pin("1234".to_owned()));
        card.seen = true;
        assert_eq!(card.read(), Ok("SIM PIN"));
        assert_eq!(card.unlock("0000", None), Err(16));
        assert_eq!(card.unlock("1234", None), Ok(()));
        assert!(card.is_ready());
        card.restart();
        card.seen = true;
        for expected in [16, 16, 12] {
            assert_eq!(card.unlock("9", None), Err(expected));
        }
        assert_eq!(card.read(), Ok("SIM PUK"));
        assert_eq!(card.unlock("00000000", Some("4321")), Ok(()));
        card.restart();
        card.seen = true;
        assert_eq!(card.unlock("4321", None), Ok(()));
    }
}
