//! The serial line: URC port, rate, flow control.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::SHORT_MS;
use crate::{Answer, Command, Exchange, Line, ParamError, Params, Writer};

const URC_PORT: &[Answer] = &[Answer::shaped(b"+QURCCFG", is_urc_port)];

/// `AT+QURCCFG="urcport"`: asks which port URCs come out of; answered by [`QurcCfgRead::parse`].
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+QURCCFG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QurcCfgRead;

impl QurcCfgRead {
    /// Reads the answer `+QURCCFG: "urcport","uart1"`: the port's name.
    ///
    /// # Errors
    /// [`ParamError`] if the line has another shape.
    pub fn parse(line: Line<'_>) -> Result<&[u8], ParamError> {
        let mut params = line.params(b"+QURCCFG").ok_or(ParamError::WrongName)?;
        params.bytes()?;
        params.bytes()
    }
}

impl Command for QurcCfgRead {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QURCCFG").word("urcport");
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(URC_PORT, SHORT_MS)
    }
}

fn is_urc_port(mut params: Params<'_>) -> bool {
    params
        .bytes()
        .is_ok_and(|item| item.eq_ignore_ascii_case(b"urcport"))
}

/// `AT+QURCCFG="urcport","<port>"`: sends URCs out of this port; effective at once and stored.
///
/// EC2x and EC200-class modules are shipped with `usbat`, so that a UART never sees a URC.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+QURCCFG; EC2x AT Commands Manual, AT+QURCCFG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QurcCfg {
    /// `usbat`, `usbmodem` or `uart1`; EC2x also `uart2` and `all`.
    pub port: &'static str,
}

impl Command for QurcCfg {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QURCCFG").word("urcport").word(self.port);
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

/// `AT+IPR=<rate>`: the line's rate; the `OK` still comes at the old one. Stored only by `AT&W`.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+IPR.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Ipr {
    /// Bits per second: 9,600 to 921,600 on BG96, 4,800 to 4,000,000 on EC2x.
    pub baud: u32,
}

impl Command for Ipr {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+IPR").num(self.baud);
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

/// `AT+IFC=<dce_by_dte>,<dte_by_dce>`: flow control in data mode. Factory setting 0,0; not stored.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+IFC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Ifc {
    /// How the host holds the module: 0 not at all, 2 by RTS.
    pub dce_by_dte: u8,
    /// How the module holds the host: 0 not at all, 2 by CTS.
    pub dte_by_dce: u8,
}

impl Command for Ifc {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+IFC")
            .num(u32::from(self.dce_by_dte))
            .num(u32::from(self.dte_by_dce));
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::{is_answer, parses, written};

    #[test]
    fn commands_as_typed() {
        let hardware = Ifc {
            dce_by_dte: 2,
            dte_by_dce: 2,
        };
        let cases: &[(&dyn Command, &str)] = &[
            (&QurcCfgRead, "+QURCCFG=\"urcport\""),
            (&QurcCfg { port: "uart1" }, "+QURCCFG=\"urcport\",\"uart1\""),
            (&Ipr { baud: 460_800 }, "+IPR=460800"),
            (&hardware, "+IFC=2,2"),
        ];
        for (command, expected) in cases {
            assert_eq!(written(*command), *expected);
        }
    }

    #[test]
    fn port_of_the_answer() {
        parses(
            QurcCfgRead::parse,
            &[
                ("+QURCCFG: \"urcport\",\"uart1\"", Ok(b"uart1")),
                ("+QURCCFG: \"urcport\",\"usbat\"", Ok(b"usbat")),
                ("+QURCCFG: \"urcport\"", Err(ParamError::Missing)),
                ("+QINDCFG: \"all\",0", Err(ParamError::WrongName)),
            ],
        );
        assert!(is_answer(&QurcCfgRead, b"+QURCCFG: \"urcport\",\"all\""));
        assert!(!is_answer(&QurcCfgRead, b"+QURCCFG: 1"));
    }
}
