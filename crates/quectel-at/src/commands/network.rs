//! Registration, attachment, operator: `+CREG` and its like, `+CGATT`, `+COPS?`, `+QNWINFO`.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::SHORT_MS;
use crate::find::{WIDE, after};
use crate::{Answer, Command, Exchange, Line, ParamError, Params, Writer};

const CGATT: &[Answer] = &[Answer::once(b"+CGATT")];
const COPS: &[Answer] = &[Answer::once(b"+COPS")];
const QNWINFO: &[Answer] = &[Answer::once(b"+QNWINFO")];

/// Whether these are the parameters of a read answer: `<n>,<stat>`, and not of the URC `<stat>[,"<area>",…]`.
fn is_read(mut params: Params<'_>) -> bool {
    let first = params.param();
    let stat = params.rest().trim_ascii_start().first();
    first.is_ok_and(|n| !n.quoted) && stat.is_some_and(|byte| !matches!(byte, b'"' | b','))
}

/// The read and the set command of one registration domain.
macro_rules! registration {
    ($read:ident $set:ident $name:literal $answers:ident $what:literal $reference:literal) => {
        const $answers: &[Answer] = &[Answer::shaped($name.as_bytes(), is_read)];

        #[doc = concat!("`AT", $name, "?`: asks for the registration ", $what, "; answered by [`Registration`].")]
        ///
        /// The URC of the same name has no `<n>` and is no answer.
        ///
        /// # Reference
        #[doc = $reference]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
        pub struct $read;

        impl Command for $read {
            fn encode(&self, line: &mut Writer<'_>) {
                line.read($name);
            }

            fn exchange(&self) -> Exchange {
                Exchange::answered($answers, SHORT_MS)
            }
        }

        #[doc = concat!("`AT", $name, "=<n>`: which changes of the registration ", $what, " give a URC.")]
        ///
        /// # Reference
        #[doc = $reference]
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
        pub struct $set {
            /// 0 none, 1 `<stat>`, 2 also area, cell and technology; 4 (BG9x, not `+CREG`) also PSM timers.
            pub n: u8,
        }

        impl Command for $set {
            fn encode(&self, line: &mut Writer<'_>) {
                line.set($name).num(u32::from(self.n));
            }

            fn exchange(&self) -> Exchange {
                Exchange::plain(SHORT_MS)
            }
        }
    };
}

registration!(CregRead Creg "+CREG" CREG "for calls and SMS" "BG96 AT Commands Manual V2.2, AT+CREG.");
registration!(CgregRead Cgreg "+CGREG" CGREG "for GPRS data; on LTE-M it stays at 4" "BG96 AT Commands Manual V2.2, AT+CGREG.");
registration!(CeregRead Cereg "+CEREG" CEREG "for LTE data" "BG96 AT Commands Manual V2.2, AT+CEREG.");

/// Which service a registration is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "the three commands")]
pub enum RegistrationDomain {
    /// `+CREG`: calls and SMS.
    Circuit,
    /// `+CGREG`: data over GSM and WCDMA.
    Packet,
    /// `+CEREG`: data over LTE.
    Lte,
}

/// How the module stands with the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum RegistrationStat {
    /// 0: not registered, and not searching.
    NotSearching,
    /// 1: registered at home.
    Home,
    /// 2: searching.
    Searching,
    /// 3: the network refuses.
    Denied,
    /// 4: unknown; usual for `+CGREG` on LTE-M.
    Unknown,
    /// 5: registered abroad.
    Roaming,
    /// 6: SMS only, at home.
    SmsOnlyHome,
    /// 7: SMS only, abroad.
    SmsOnlyRoaming,
    /// A number that is not in the manual.
    Other(u8),
}

impl RegistrationStat {
    /// The meaning of `<stat>`.
    pub const fn new(stat: u8) -> Self {
        match stat {
            0 => Self::NotSearching,
            1 => Self::Home,
            2 => Self::Searching,
            3 => Self::Denied,
            4 => Self::Unknown,
            5 => Self::Roaming,
            6 => Self::SmsOnlyHome,
            7 => Self::SmsOnlyRoaming,
            other => Self::Other(other),
        }
    }

    /// Whether data can flow.
    pub const fn is_registered(self) -> bool {
        matches!(self, Self::Home | Self::Roaming)
    }
}

/// What `+CREG`, `+CGREG` or `+CEREG` say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Registration {
    /// Which of the three.
    pub domain: RegistrationDomain,
    /// How the module stands with the network.
    pub stat: RegistrationStat,
    /// Location or tracking area, if told.
    pub area: Option<u16>,
    /// Cell, if told.
    pub cell: Option<u32>,
    /// Technology as the family numbers it (0 GSM, 7 LTE, 8 Cat-M1, 9 Cat-NB1), if told.
    pub technology: Option<u8>,
}

impl Registration {
    /// Reads the answer `<n>,<stat>[,"<area>","<cell>",<act>]` under any of the three names.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape, such as that of the URC.
    pub fn parse_read(line: Line<'_>) -> Result<Self, ParamError> {
        let (domain, mut params) = Self::open(line)?;
        if !is_read(params) {
            return Err(ParamError::Missing);
        }
        params.u8()?;
        Self::fields(domain, params)
    }

    /// Reads the URC `<stat>[,"<area>","<cell>",<act>]` under any of the three names.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    #[cfg_attr(target_pointer_width = "64", inline)]
    pub fn parse_urc(line: Line<'_>) -> Result<Self, ParamError> {
        let (domain, params) = Self::open(line)?;
        Self::fields(domain, params)
    }

    #[inline(always)]
    fn open(line: Line<'_>) -> Result<(RegistrationDomain, Params<'_>), ParamError> {
        if WIDE && let Some(params) = line.params(b"+CEREG") {
            return Ok((RegistrationDomain::Lte, params));
        }
        let (domain, name) = match after(line.bytes(), b"+C").unwrap_or_default() {
            [b'E', name @ ..] => (RegistrationDomain::Lte, name),
            [b'G', name @ ..] => (RegistrationDomain::Packet, name),
            name => (RegistrationDomain::Circuit, name),
        };
        let params = Line::new(name).params(b"REG");
        Ok((domain, params.ok_or(ParamError::WrongName)?))
    }

    #[inline(always)]
    fn fields(domain: RegistrationDomain, mut params: Params<'_>) -> Result<Self, ParamError> {
        let stat = RegistrationStat::new(params.u8()?);
        // Where the module is matters less than whether it is registered: an odd field is one that was not told.
        let area = params.hex_digits(0xFFFF).ok();
        Ok(Self {
            domain,
            stat,
            area: area.and_then(|area| u16::try_from(area).ok()),
            cell: params.hex_digits(u32::MAX).ok(),
            technology: params.u8().ok(),
        })
    }
}

/// `AT+CGATT=<0|1>`: attaches to or detaches from the data service, at most 140 s.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+CGATT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Cgatt {
    /// Whether to attach.
    pub attach: bool,
}

impl Command for Cgatt {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+CGATT").num(u32::from(self.attach));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(140_000)
    }
}

/// `AT+CGATT?`: asks whether the module is attached; answered by [`CgattRead::parse`].
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+CGATT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct CgattRead;

impl CgattRead {
    /// Reads `+CGATT: <0|1>`: whether it is attached.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<bool, ParamError> {
        let mut params = line.params(b"+CGATT").ok_or(ParamError::WrongName)?;
        match params.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(ParamError::NotANumber),
        }
    }
}

impl Command for CgattRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.read("+CGATT");
    }

    fn exchange(&self) -> Exchange {
        // The module may be busy with the network when it is asked.
        Exchange::answered(CGATT, 10_000)
    }
}

/// `AT+COPS?`: asks for the operator, at most 180 s; answered by [`Operator`].
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+COPS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct CopsRead;

impl Command for CopsRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.read("+COPS");
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(COPS, 180_000)
    }
}

/// The answer to [`CopsRead`]: `+COPS: <mode>[,<format>,"<oper>"[,<act>]]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Operator<'a> {
    /// 0 automatic, 1 manual, 2 deregistered by hand, 3 format only, 4 manual then automatic.
    pub mode: u8,
    /// Name or number of the operator; `None` while not registered.
    pub name: Option<&'a [u8]>,
    /// Whether the name is the number of country and network, such as `46001`.
    pub numeric: bool,
    /// Technology as the family numbers it (0 GSM, 7 LTE, 8 Cat-M1, 9 Cat-NB1), if told.
    pub technology: Option<u8>,
}

impl<'a> Operator<'a> {
    /// Reads the answer line.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'a>) -> Result<Self, ParamError> {
        let mut params = line.params(b"+COPS").ok_or(ParamError::WrongName)?;
        let mode = params.u8()?;
        let numeric = params.u8().is_ok_and(|format| format == 2);
        Ok(Self {
            mode,
            name: params.bytes().ok().filter(|name| !name.is_empty()),
            numeric,
            technology: params.u8().ok(),
        })
    }
}

/// `AT+QNWINFO`: asks for technology, operator, band and channel; answered by [`NetworkInfo`].
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+QNWINFO.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Qnwinfo;

impl Qnwinfo {
    /// Reads the answer line; `None` without service.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<Option<NetworkInfo<'_>>, ParamError> {
        let mut params = line.params(b"+QNWINFO").ok_or(ParamError::WrongName)?;
        let technology = params.bytes()?;
        if ["No Service", "NOSERVICE", "NONE"]
            .iter()
            .any(|none| technology.eq_ignore_ascii_case(none.as_bytes()))
        {
            return Ok(None);
        }
        Ok(Some(NetworkInfo {
            technology,
            operator: params.bytes()?,
            band: params.bytes()?,
            channel: params.u32()?,
        }))
    }
}

impl Command for Qnwinfo {
    fn encode(&self, line: &mut Writer<'_>) {
        line.raw("+QNWINFO");
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(QNWINFO, SHORT_MS)
    }
}

/// The answer to [`Qnwinfo`]: `+QNWINFO: "<act>","<oper>","<band>",<channel>`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct NetworkInfo<'a> {
    /// Such as `CAT-M1`, `eMTC`, `FDD LTE`, `EDGE`.
    pub technology: &'a [u8],
    /// Number of country and network, such as `46001`.
    pub operator: &'a [u8],
    /// Such as `LTE BAND 4`.
    pub band: &'a [u8],
    /// Channel number of the band.
    pub channel: u32,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::{is_answer, parses, written};

    #[test]
    fn commands_as_typed() {
        let cases: &[(&dyn Command, &str)] = &[
            (&CregRead, "+CREG?"),
            (&CgregRead, "+CGREG?"),
            (&CeregRead, "+CEREG?"),
            (&Creg { n: 2 }, "+CREG=2"),
            (&Cgreg { n: 0 }, "+CGREG=0"),
            (&Cereg { n: 4 }, "+CEREG=4"),
            (&Cgatt { attach: true }, "+CGATT=1"),
            (&Cgatt { attach: false }, "+CGATT=0"),
            (&CgattRead, "+CGATT?"),
            (&CopsRead, "+COPS?"),
            (&Qnwinfo, "+QNWINFO"),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
    }

    #[test]
    fn answers_and_urcs_of_the_same_name() {
        let cases: &[(&dyn Command, &str, bool)] = &[
            (&CregRead, "+CREG: 2,1,\"D509\",\"80D413D\",7", true),
            (&CregRead, "+CREG: 1,1", true),
            (&CregRead, "+CREG: 1", false),
            (&CregRead, "+CREG: 1,\"D509\",\"80D413D\",7", false),
            (&CregRead, "+CGREG: 0,4", false),
            (&CgregRead, "+CGREG: 0,4", true),
            (&CgregRead, "+CGREG: 1,\"FFFE\",\"82E76B2\",9", false),
            (
                &CeregRead,
                "+CEREG: 4,1,\"D509\",\"80D413D\",8,,,\"00000001\",\"00000001\"",
                true,
            ),
            (&CeregRead, "+CEREG: 5,", false),
        ];
        for (command, line, expected) in cases {
            assert_eq!(is_answer(*command, line.as_bytes()), *expected, "{line}");
        }
    }

    #[test]
    fn registrations() {
        use RegistrationDomain::{Circuit, Lte, Packet};
        use RegistrationStat::{Denied, Home, Other, Roaming, Searching, Unknown};
        let of = |domain, stat, place: Option<(u16, u32, u8)>| {
            Ok(Registration {
                domain,
                stat,
                area: place.map(|p| p.0),
                cell: place.map(|p| p.1),
                technology: place.map(|p| p.2),
            })
        };
        parses(
            Registration::parse_read,
            &[
                (
                    "+CREG: 2,1,\"D509\",\"80D413D\",7",
                    of(Circuit, Home, Some((0xD509, 0x80D_413D, 7))),
                ),
                (
                    "+CGREG: 2,1,\"5650\",\"29A7DF4\",2",
                    of(Packet, Home, Some((0x5650, 0x29A_7DF4, 2))),
                ),
                ("+CGREG: 0,4", of(Packet, Unknown, None)),
                ("+CEREG: 2,4", of(Lte, Unknown, None)),
                ("+CEREG: 0,5", of(Lte, Roaming, None)),
                ("+CREG: 0,3", of(Circuit, Denied, None)),
                ("+CREG: 0,12", of(Circuit, Other(12), None)),
                ("+CREG: 0,?", Err(ParamError::NotANumber)),
                ("+CREG: 1", Err(ParamError::Missing)),
                ("+CREG: 1,\"D509\",\"80D413D\",7", Err(ParamError::Missing)),
                ("+COPS: 0", Err(ParamError::WrongName)),
            ],
        );
        parses(
            Registration::parse_urc,
            &[
                ("+CEREG: 2", of(Lte, Searching, None)),
                (
                    "+CGREG: 1,\"FFFE\",\"82E76B2\",9",
                    of(Packet, Home, Some((0xFFFE, 0x82E_76B2, 9))),
                ),
                ("+CEREG: ", Err(ParamError::NotANumber)),
            ],
        );
        assert!(Home.is_registered() && Roaming.is_registered());
        assert!(!Unknown.is_registered() && !RegistrationStat::SmsOnlyHome.is_registered());
        for n in 0..=255 {
            let registered = RegistrationStat::new(n).is_registered();
            assert_eq!(registered, n == 1 || n == 5);
        }
    }

    #[test]
    fn attachment_operator_network() {
        parses(
            CgattRead::parse,
            &[
                ("+CGATT: 1", Ok(true)),
                ("+CGATT: 0", Ok(false)),
                ("+CGATT: 2", Err(ParamError::NotANumber)),
            ],
        );
        let operator = |mode, name: Option<&'static [u8]>, numeric, technology| {
            Ok(Operator {
                mode,
                name,
                numeric,
                technology,
            })
        };
        parses(
            Operator::parse,
            &[
                (
                    "+COPS: 0,0,\"CHN-UNICOM\",7",
                    operator(0, Some(b"CHN-UNICOM"), false, Some(7)),
                ),
                (
                    "+COPS: 0,0,\"AT&T 4G\",8",
                    operator(0, Some(b"AT&T 4G"), false, Some(8)),
                ),
                (
                    "+COPS: 1,2,\"46001\"",
                    operator(1, Some(b"46001"), true, None),
                ),
                ("+COPS: 0", operator(0, None, false, None)),
                ("+COPS: 2", operator(2, None, false, None)),
                ("+COPS: ", Err(ParamError::NotANumber)),
            ],
        );
        let network =
            |technology: &'static [u8], operator: &'static [u8], band: &'static [u8], channel| {
                Ok(Some(NetworkInfo {
                    technology,
                    operator,
                    band,
                    channel,
                }))
            };
        parses(
            Qnwinfo::parse,
            &[
                (
                    "+QNWINFO: \"CAT-M1\",\"33450\",\"LTE BAND 4\",2250",
                    network(b"CAT-M1", b"33450", b"LTE BAND 4", 2250),
                ),
                (
                    "+QNWINFO: \"FDD LTE\",310260,\"LTE BAND 2\",775",
                    network(b"FDD LTE", b"310260", b"LTE BAND 2", 775),
                ),
                (
                    "+QNWINFO: \"EDGE\",\"46001\",\"GSM 900\",120",
                    network(b"EDGE", b"46001", b"GSM 900", 120),
                ),
                ("+QNWINFO: No Service", Ok(None)),
                ("+QNWINFO: \"NONE\"", Ok(None)),
                ("+QNWINFO: \"EDGE\"", Err(ParamError::Missing)),
            ],
        );
    }
}
