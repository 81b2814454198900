//! The card and the radio's function level.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::SHORT_MS;
use crate::{Answer, Command, Exchange, Line, ParamError, Writer};

const CPIN: &[Answer] = &[Answer::once(b"+CPIN")];
const CFUN: &[Answer] = &[Answer::once(b"+CFUN")];

/// `AT+CPIN?`: asks what the card waits for; answered by [`CpinRead::parse`] within 5 s.
///
/// Without a card: `+CME ERROR: 10`; card off: 13; card busy: 14.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+CPIN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct CpinRead;

impl CpinRead {
    /// Reads `+CPIN: <code>`, the answer and the URC alike.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<SimState, ParamError> {
        let mut params = line.params(b"+CPIN").ok_or(ParamError::WrongName)?;
        Ok(match params.bytes()? {
            b"READY" => SimState::Ready,
            b"SIM PIN" => SimState::Pin,
            b"SIM PUK" => SimState::Puk,
            b"SIM PIN2" => SimState::Pin2,
            b"SIM PUK2" => SimState::Puk2,
            b"NOT READY" | b"NOT INSERTED" => SimState::NotReady,
            [b'P', b'H', b'-', ..] => SimState::Personalisation,
            [] => return Err(ParamError::Missing),
            _ => SimState::Other,
        })
    }
}

impl Command for CpinRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.read("+CPIN");
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(CPIN, 5_000)
    }
}

/// What the card waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SimState {
    /// Nothing: `READY`.
    Ready,
    /// Its PIN.
    Pin,
    /// Its PUK: the PIN was wrong three times.
    Puk,
    /// Its PIN2.
    Pin2,
    /// Its PUK2.
    Puk2,
    /// The card was removed, or has not started yet.
    NotReady,
    /// The module is locked to a network, provider or company: `PH-NET PIN` and its like.
    Personalisation,
    /// Words that are not in the manual.
    Other,
}

/// `AT+CPIN="<pin>"`: unlocks the card, at most 5 s. The URC `+CPIN: READY` follows; a wrong PIN gives
/// `+CME ERROR: 16`, and the third wrong one locks the card.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+CPIN.
#[derive(Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Cpin<'a> {
    /// 4 to 8 digits; secret.
    pub pin: &'a str,
}

impl core::fmt::Debug for Cpin<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Cpin { pin: *** }")
    }
}

impl Command for Cpin<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+CPIN").secret(self.pin.as_bytes());
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(5_000)
    }
}

/// `AT+CFUN?`: asks for the function level; answered by [`CfunRead::parse`].
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+CFUN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct CfunRead;

impl CfunRead {
    /// Reads `+CFUN: <level>`: 0 minimum, 1 full, 4 radio off.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<u8, ParamError> {
        let mut params = line.params(b"+CFUN").ok_or(ParamError::WrongName)?;
        params.u8()
    }
}

impl Command for CfunRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.read("+CFUN");
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(CFUN, SHORT_MS)
    }
}

/// `AT+CFUN=<level>[,1]`: sets the function level, at most 15 s, or restarts the module.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+CFUN.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Cfun {
    /// 0 minimum (card off), 1 full, 4 radio off.
    pub function: u8,
    /// Whether the module restarts; needs level 1.
    pub reset: bool,
}

impl Cfun {
    /// Card and radio on.
    pub const FULL: Self = Self {
        function: 1,
        reset: false,
    };
    /// `AT+CFUN=1,1`: `OK` comes first, `RDY` some seconds later.
    pub const RESTART: Self = Self {
        function: 1,
        reset: true,
    };
    /// Card and radio off.
    pub const MINIMUM: Self = Self {
        function: 0,
        reset: false,
    };
}

impl Command for Cfun {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+CFUN").num(u32::from(self.function));
        if self.reset {
            line.num(1);
        }
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(15_000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::{parses, written};

    #[test]
    fn commands_as_typed() {
        let cases: &[(&dyn Command, &str)] = &[
            (&CpinRead, "+CPIN?"),
            (&Cpin { pin: "1234" }, "+CPIN=\"1234\""),
            (&CfunRead, "+CFUN?"),
            (&Cfun::FULL, "+CFUN=1"),
            (&Cfun::RESTART, "+CFUN=1,1"),
            (&Cfun::MINIMUM, "+CFUN=0"),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
    }

    #[test]
    fn the_pin_is_secret() {
        let pin = Cpin { pin: "1234" };
        let mut buf = [0; 32];
        let mut line = Writer::new(&mut buf);
        pin.encode(&mut line);
        let secret = line.finish().unwrap().secret.unwrap();
        assert_eq!(&buf[secret], b"1234");
        assert!(!std::format!("{pin:?}").contains("1234"));
    }

    #[test]
    fn states_and_levels() {
        parses(
            CpinRead::parse,
            &[
                ("+CPIN: READY", Ok(SimState::Ready)),
                ("+CPIN: SIM PIN", Ok(SimState::Pin)),
                ("+CPIN: SIM PUK", Ok(SimState::Puk)),
                ("+CPIN: SIM PIN2", Ok(SimState::Pin2)),
                ("+CPIN: SIM PUK2", Ok(SimState::Puk2)),
                ("+CPIN: NOT READY", Ok(SimState::NotReady)),
                ("+CPIN: NOT INSERTED", Ok(SimState::NotReady)),
                ("+CPIN: PH-NET PIN", Ok(SimState::Personalisation)),
                ("+CPIN: PH-CORP PUK", Ok(SimState::Personalisation)),
                ("+CPIN: WAIT", Ok(SimState::Other)),
                ("+CPIN: ", Err(ParamError::Missing)),
                ("+CFUN: 1", Err(ParamError::WrongName)),
            ],
        );
        parses(
            CfunRead::parse,
            &[
                ("+CFUN: 1", Ok(1)),
                ("+CFUN: 4,0", Ok(4)),
                ("+CFUN: x", Err(ParamError::NotANumber)),
                ("+CPIN: READY", Err(ParamError::WrongName)),
            ],
        );
    }
}
