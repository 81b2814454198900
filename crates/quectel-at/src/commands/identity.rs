//! Echo, error form, and who the module and its card are.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::SHORT_MS;
use crate::{Answer, Command, Exchange, Line, ParamError, Params, Repeat, Writer};

const TEXTS: &[Answer] = &[Answer::bare(is_text, Repeat::Many)];
const TEXT: &[Answer] = &[Answer::bare(is_text, Repeat::Once)];
const DIGITS: &[Answer] = &[Answer::bare(is_number, Repeat::Once)];
const QCCID: &[Answer] = &[Answer::once(b"+QCCID")];

/// `ATE0`/`ATE1`: whether the module sends every received byte back. Factory setting 1, stored by `AT&W`.
///
/// The `ATE0` that turns it off is itself echoed.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, ATE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Ate {
    /// Whether the module echoes.
    pub on: bool,
}

impl Command for Ate {
    fn encode(&self, line: &mut Writer<'_>) {
        line.raw(if self.on { "E1" } else { "E0" });
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

/// `ATV0`/`ATV1`: whether final result codes are words (`OK`) or numbers (`0`). Factory setting 1, stored by `AT&W`.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, ATV.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Atv {
    /// Whether they are words.
    pub verbose: bool,
}

impl Command for Atv {
    fn encode(&self, line: &mut Writer<'_>) {
        line.raw(if self.verbose { "V1" } else { "V0" });
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

/// `AT+CMEE=<n>`: how errors are told. Factory setting 1; not stored.
///
/// # Reference
/// 3GPP TS 27.007, 9.1; BG96 AT Commands Manual V2.2, AT+CMEE.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the standard has three")]
pub enum Cmee {
    /// 0: `ERROR` only.
    Off,
    /// 1: `+CME ERROR: 10`.
    Numeric,
    /// 2: `+CME ERROR: SIM not inserted`.
    Verbose,
}

impl Command for Cmee {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+CMEE").num(match self {
            Self::Off => 0,
            Self::Numeric => 1,
            Self::Verbose => 2,
        });
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

/// `ATI`: manufacturer, model and firmware in lines without names; each is an [`Identity`].
///
/// # Reference
/// BG96 AT Commands Manual V2.2, ATI; LTEmC log (BG77).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Ati;

impl Command for Ati {
    fn encode(&self, line: &mut Writer<'_>) {
        line.raw("I");
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(TEXTS, SHORT_MS)
    }
}

/// One line of the answer to [`Ati`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Identity<'a> {
    /// `Quectel`.
    Manufacturer(&'a [u8]),
    /// Such as `BG96`, `BG95-M3`, or `EG25` for an EG25-G.
    Model(&'a [u8]),
    /// The firmware without `Revision: `, such as `BG96MAR02A07M1G`.
    Revision(&'a [u8]),
}

impl<'a> Identity<'a> {
    /// Reads one line; `None` if it is empty.
    pub fn parse_line(line: Line<'a>) -> Option<Self> {
        let text = line.bytes().trim_ascii();
        if let Some(revision) = text.strip_prefix(b"Revision:") {
            return Some(Self::Revision(revision.trim_ascii_start()));
        }
        if text.len() >= 7 && text.get(..7)?.eq_ignore_ascii_case(b"Quectel") {
            return Some(Self::Manufacturer(text));
        }
        (!text.is_empty()).then_some(Self::Model(text))
    }
}

/// A command without parameters whose answer is one line.
macro_rules! asks {
    ($(#[$doc:meta])* $name:ident $text:literal $answers:ident $read:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
        pub struct $name;

        impl $name {
            /// Reads the answer line.
            ///
            /// # Errors
            /// [`ParamError`] if the line has another shape.
            pub fn parse(line: Line<'_>) -> Result<&[u8], ParamError> {
                $read(line)
            }
        }

        impl Command for $name {
            fn encode(&self, line: &mut Writer<'_>) {
                line.raw($text);
            }

            fn exchange(&self) -> Exchange {
                Exchange::answered($answers, SHORT_MS)
            }
        }
    };
}

asks! {
    /// `AT+QGMR`: modem and application firmware in one bare line, such as `BG96MAR02A08M1G_01.012.01.012`.
    ///
    /// # Reference
    /// BG96 AT Commands Manual V2.2, AT+QGMR; EG25-G and BG95-M3 outputs.
    Qgmr "+QGMR" TEXT text
}

asks! {
    /// `AT+CGMM`: the model in one bare line, such as `BG96` or `BG770A-GL`.
    ///
    /// # Reference
    /// BG96 AT Commands Manual V2.2, AT+CGMM.
    Cgmm "+CGMM" TEXT text
}

asks! {
    /// `AT+CGMR`: the firmware in one bare line, such as `BG96MAR02A07M1G`.
    ///
    /// # Reference
    /// BG96 AT Commands Manual V2.2, AT+CGMR.
    Cgmr "+CGMR" TEXT text
}

asks! {
    /// `AT+CGSN`: the IMEI, 15 digits in one bare line.
    ///
    /// # Reference
    /// BG96 AT Commands Manual V2.2, AT+CGSN.
    Cgsn "+CGSN" DIGITS number
}

asks! {
    /// `AT+CIMI`: the IMSI, up to 15 digits in one bare line. Without a card: `+CME ERROR: 10`, 13 or 14.
    ///
    /// # Reference
    /// BG96 AT Commands Manual V2.2, AT+CIMI.
    Cimi "+CIMI" DIGITS number
}

asks! {
    /// `AT+QCCID`: the card's number, up to 20 digits, the last perhaps `F`. `ERROR` while the card is off.
    ///
    /// # Reference
    /// BG96 AT Commands Manual V2.2, AT+QCCID.
    Qccid "+QCCID" QCCID card_number
}

fn is_text(params: Params<'_>) -> bool {
    !params.rest().trim_ascii().is_empty()
}

fn is_number(params: Params<'_>) -> bool {
    let text = params.rest().trim_ascii();
    (5..=20).contains(&text.len()) && text.iter().all(u8::is_ascii_digit)
}

fn text(line: Line<'_>) -> Result<&[u8], ParamError> {
    match line.bytes().trim_ascii() {
        [] => Err(ParamError::Missing),
        text => Ok(text),
    }
}

fn number(line: Line<'_>) -> Result<&[u8], ParamError> {
    if is_number(Params::new(line.bytes())) {
        Ok(line.bytes().trim_ascii())
    } else {
        Err(ParamError::NotANumber)
    }
}

fn card_number(line: Line<'_>) -> Result<&[u8], ParamError> {
    let mut params = line.params(b"+QCCID").ok_or(ParamError::WrongName)?;
    match params.bytes()? {
        [] => Err(ParamError::Missing),
        digits if digits.iter().all(u8::is_ascii_hexdigit) => Ok(digits),
        _ => Err(ParamError::NotANumber),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::{is_answer, parses, written};

    #[test]
    fn commands_as_typed() {
        let cases: &[(&dyn Command, &str)] = &[
            (&Ate { on: false }, "E0"),
            (&Ate { on: true }, "E1"),
            (&Atv { verbose: true }, "V1"),
            (&Atv { verbose: false }, "V0"),
            (&Cmee::Off, "+CMEE=0"),
            (&Cmee::Numeric, "+CMEE=1"),
            (&Cmee::Verbose, "+CMEE=2"),
            (&Ati, "I"),
            (&Qgmr, "+QGMR"),
            (&Cgmm, "+CGMM"),
            (&Cgmr, "+CGMR"),
            (&Cgsn, "+CGSN"),
            (&Cimi, "+CIMI"),
            (&Qccid, "+QCCID"),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
    }

    #[test]
    fn lines_of_ati() {
        let cases: &[(&[u8], Option<Identity<'_>>)] = &[
            (b"Quectel", Some(Identity::Manufacturer(b"Quectel"))),
            (b"BG77", Some(Identity::Model(b"BG77"))),
            (b"BG95-M3", Some(Identity::Model(b"BG95-M3"))),
            (
                b"Revision: BG77LAR02A04",
                Some(Identity::Revision(b"BG77LAR02A04")),
            ),
            (
                b"Revision: EC25EFAR06A17M4G ",
                Some(Identity::Revision(b"EC25EFAR06A17M4G")),
            ),
            (b" ", None),
        ];
        for (line, expected) in cases {
            assert_eq!(Identity::parse_line(Line::new(line)), *expected);
        }
    }

    #[test]
    fn numbers_and_texts() {
        let imei = Line::new(b"866425031234567");
        assert_eq!(Cgsn::parse(imei), Ok(imei.bytes()));
        assert_eq!(Cimi::parse(Line::new(b"RDY")), Err(ParamError::NotANumber));
        assert_eq!(
            Qgmr::parse(Line::new(b"BG95M3LAR02A03_01.011.01.011")),
            Ok(&b"BG95M3LAR02A03_01.011.01.011"[..])
        );
        assert_eq!(Cgmm::parse(Line::new(b"")), Err(ParamError::Missing));
        assert!(is_answer(&Cgsn, b"866425031234567"));
        assert!(!is_answer(&Cgsn, b"SMS DONE"));
        parses(
            Qccid::parse,
            &[
                ("+QCCID: 89860025128306012474", Ok(b"89860025128306012474")),
                ("+QCCID: 8986002512830601247F", Ok(b"8986002512830601247F")),
                ("+QCCID: ", Err(ParamError::Missing)),
                ("+QCCID: none!", Err(ParamError::NotANumber)),
                ("+CCID: 1", Err(ParamError::WrongName)),
            ],
        );
    }
}
