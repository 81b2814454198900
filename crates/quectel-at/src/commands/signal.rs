//! Signal strength: `+CSQ`, `+QCSQ`.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::SHORT_MS;
use crate::{Answer, Command, Exchange, Line, ParamError, Params, Writer};

const CSQ: &[Answer] = &[Answer::once(b"+CSQ")];
const QCSQ: &[Answer] = &[Answer::once(b"+QCSQ")];

/// `AT+CSQ`: asks for the signal strength of any technology; answered by [`SignalQuality`].
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+CSQ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Csq;

impl Csq {
    /// Reads the answer `+CSQ: <rssi>,<ber>`.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<SignalQuality, ParamError> {
        let mut params = line.params(b"+CSQ").ok_or(ParamError::WrongName)?;
        Ok(SignalQuality {
            rssi: params.u8()?,
            ber: params.u8()?,
        })
    }
}

impl Command for Csq {
    fn encode(&self, line: &mut Writer<'_>) {
        line.raw("+CSQ");
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(CSQ, SHORT_MS)
    }
}

/// The answer to [`Csq`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct SignalQuality {
    /// 0 to 31 in steps of 2 dB, 99 unknown.
    pub rssi: u8,
    /// Bit error rate class 0 to 7, 99 unknown; always 99 on LTE.
    pub ber: u8,
}

impl SignalQuality {
    /// Signal strength in dBm: −113 or less to −51 or more; `None` if unknown.
    pub fn rssi_dbm(self) -> Option<i16> {
        (self.rssi <= 31).then(|| i16::from(self.rssi) * 2 - 113)
    }
}

/// `AT+QCSQ`: asks for the signal of the serving cell; answered by [`CellSignal`].
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+QCSQ; EC2x AT Commands Manual, AT+QCSQ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Qcsq;

impl Command for Qcsq {
    fn encode(&self, line: &mut Writer<'_>) {
        line.raw("+QCSQ");
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(QCSQ, SHORT_MS)
    }
}

/// The answer to [`Qcsq`], by technology.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum CellSignal<'a> {
    /// `NOSERVICE`.
    NoService,
    /// `GSM`.
    Gsm {
        /// Signal strength in dBm.
        rssi: i16,
    },
    /// `WCDMA` or `TDSCDMA`.
    Wcdma {
        /// Signal strength in dBm.
        rssi: i16,
        /// Received signal code power in dBm.
        rscp: i16,
        /// Chip energy to interference in dB.
        ecio: i16,
    },
    /// `LTE`, `CAT-M1`, `CAT-NB1`, `eMTC`, `NBIoT`.
    Lte {
        /// The technology as the module names it.
        technology: &'a [u8],
        /// Signal strength in dBm; some EC25 firmware leaves the sign out.
        rssi: i16,
        /// Reference signal received power in dBm.
        rsrp: i16,
        /// Signal to noise in fifths of a dB above −20 dB, 0 to 250.
        sinr: i16,
        /// Reference signal received quality in dB.
        rsrq: i16,
    },
    /// A technology that is not in the manual.
    Other(&'a [u8]),
}

impl<'a> CellSignal<'a> {
    /// Reads the answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+QCSQ").ok_or(ParamError::WrongName)?;
        let technology = params.bytes()?;
        Ok(match technology {
            b"NOSERVICE" => Self::NoService,
            b"GSM" => Self::Gsm {
                rssi: level(&mut params)?,
            },
            b"WCDMA" | b"TDSCDMA" => Self::Wcdma {
                rssi: level(&mut params)?,
                rscp: level(&mut params)?,
                ecio: level(&mut params)?,
            },
            b"LTE" | b"CAT-M1" | b"CAT-NB1" | b"eMTC" | b"NBIoT" => Self::Lte {
                technology,
                rssi: level(&mut params)?,
                rsrp: level(&mut params)?,
                sinr: level(&mut params)?,
                rsrq: level(&mut params)?,
            },
            other => Self::Other(other),
        })
    }

    /// Signal to noise in dB, rounded down, −20 to +30; `None` where the technology has none.
    pub fn sinr_db(self) -> Option<i16> {
        match self {
            Self::Lte { sinr, .. } => Some(sinr.div_euclid(5).saturating_sub(20)),
            _ => None,
        }
    }
}

fn level(params: &mut Params<'_>) -> Result<i16, ParamError> {
    i16::try_from(params.i32()?).map_err(|_| ParamError::NotANumber)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::{parses, written};

    #[test]
    fn commands_as_typed() {
        assert_eq!(written(&Csq), "+CSQ");
        assert_eq!(written(&Qcsq), "+QCSQ");
    }

    #[test]
    fn strength_in_dbm() {
        parses(
            |line| Csq::parse(line).map(SignalQuality::rssi_dbm),
            &[
                ("+CSQ: 0,99", Ok(Some(-113))),
                ("+CSQ: 1,99", Ok(Some(-111))),
                ("+CSQ: 2,99", Ok(Some(-109))),
                ("+CSQ: 21,99", Ok(Some(-71))),
                ("+CSQ: 30,0", Ok(Some(-53))),
                ("+CSQ: 31,0", Ok(Some(-51))),
                ("+CSQ: 32,0", Ok(None)),
                ("+CSQ: 99,99", Ok(None)),
                ("+CSQ: 99", Err(ParamError::Missing)),
                ("+QCSQ: 99", Err(ParamError::WrongName)),
            ],
        );
    }

    #[test]
    fn cells_of_every_technology() {
        let lte = |technology: &'static [u8], rssi, rsrp, sinr, rsrq| {
            Ok(CellSignal::Lte {
                technology,
                rssi,
                rsrp,
                sinr,
                rsrq,
            })
        };
        parses(
            CellSignal::parse,
            &[
                ("+QCSQ: \"NOSERVICE\"", Ok(CellSignal::NoService)),
                (
                    "+QCSQ: \"CAT-M1\",-52,-81,195,-10",
                    lte(b"CAT-M1", -52, -81, 195, -10),
                ),
                (
                    "+QCSQ: \"LTE\",50,-78,188,-14",
                    lte(b"LTE", 50, -78, 188, -14),
                ),
                (
                    "+QCSQ: \"eMTC\",-60,-90,100,-12",
                    lte(b"eMTC", -60, -90, 100, -12),
                ),
                ("+QCSQ: \"GSM\",-73", Ok(CellSignal::Gsm { rssi: -73 })),
                (
                    "+QCSQ: \"WCDMA\",-67,-68,-4",
                    Ok(CellSignal::Wcdma {
                        rssi: -67,
                        rscp: -68,
                        ecio: -4,
                    }),
                ),
                ("+QCSQ: \"NR5G\",-1", Ok(CellSignal::Other(b"NR5G"))),
                ("+QCSQ: \"GSM\"", Err(ParamError::Missing)),
                ("+QCSQ: \"GSM\",99999", Err(ParamError::NotANumber)),
            ],
        );
    }

    #[test]
    fn noise_in_db() {
        let of = |text: &'static str| {
            CellSignal::parse(Line::new(text.as_bytes()))
                .unwrap()
                .sinr_db()
        };
        assert_eq!(of("+QCSQ: \"LTE\",0,0,0,0"), Some(-20));
        assert_eq!(of("+QCSQ: \"LTE\",0,0,195,0"), Some(19));
        assert_eq!(of("+QCSQ: \"LTE\",0,0,250,0"), Some(30));
        assert_eq!(of("+QCSQ: \"GSM\",-73"), None);
    }
}
