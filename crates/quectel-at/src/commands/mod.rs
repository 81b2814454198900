//! The general commands that every flow needs.
//!
//! Each is a struct of its parameters; what it answers has a `parse`. Timeouts longer than a few seconds are
//! the manual's maximum response times.

mod clock;
mod datetime;
mod dns;
mod identity;
mod net_error;
mod network;
mod pdp;
mod power;
mod qcfg;
mod qiurc;
mod signal;
mod sim;
mod socket;
mod uart;

pub use clock::*;
pub use datetime::*;
pub use dns::*;
pub use identity::*;
pub use net_error::*;
pub use network::*;
pub use pdp::*;
pub use power::*;
pub use qcfg::*;
pub use qiurc::*;
pub use signal::*;
pub use sim::*;
pub use socket::*;
pub use uart::*;

use crate::{Command, Exchange, Writer};

/// Milliseconds for a command that the manuals answer within 300 ms: the time of slow lines, USB bridges and busy hosts
/// comes on top, and an answer missed is worse than one awaited.
const SHORT_MS: u32 = 2_000;

/// `AT`: answers `OK` if the module listens.
///
/// # Reference
/// ITU-T V.250, 5.2.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct At;

impl Command for At {
    fn encode(&self, _line: &mut Writer<'_>) {}

    fn exchange(&self) -> Exchange {
        Exchange::plain(300)
    }
}

#[cfg(test)]
mod properties;

#[cfg(test)]
mod tests {
    use crate::{Chain, Command, Event, Line, Link, ParamError, Params, Writer};
    use std::format;
    use std::string::String;
    use std::vec::Vec;

    /// A line, and what its parser makes of it.
    pub(super) type Case<T> = (&'static str, Result<T, ParamError>);

    /// Parses each line.
    pub(super) fn parses<T: PartialEq + core::fmt::Debug>(
        parse: impl Fn(Line<'static>) -> Result<T, ParamError>,
        cases: &[Case<T>],
    ) {
        for (line, expected) in cases {
            assert_eq!(parse(Line::new(line.as_bytes())), *expected, "{line}");
        }
    }

    /// The command without `AT` and CR.
    pub(super) fn written(command: &dyn Command) -> String {
        let mut buf = [0; 512];
        let mut line = Writer::new(&mut buf);
        command.encode(&mut line);
        let len = line.finish().unwrap().len;
        String::from_utf8(buf[..len].to_vec()).unwrap()
    }

    /// Whether the command takes this line for an answer.
    pub(super) fn is_answer(command: &dyn Command, bytes: &[u8]) -> bool {
        let answers = command.exchange().answers;
        answers.iter().flat_map(|list| list.iter()).any(|answer| {
            let params = if answer.name.is_empty() {
                Some(Params::new(bytes))
            } else {
                Line::new(bytes).params(answer.name)
            };
            params.is_some_and(answer.shape)
        })
    }

    /// Runs a command against the module's bytes; `A` stands before an answer, `U` before a URC.
    fn talk(command: &dyn Command, mut input: &[u8]) -> Vec<String> {
        let (mut rx, mut tx) = ([0; 128], [0; 128]);
        let mut link = Link::new(&mut rx, &mut tx, &[]);
        link.send(0, command).unwrap();
        link.poll_transmit(&mut [0; 128]);
        let mut seen = Vec::new();
        while let Some(event) = link.poll(1, &mut input) {
            seen.push(match event {
                Event::Answer(line) => format!("A {line}"),
                Event::Urc(line) => format!("U {line}"),
                Event::Done { line, .. } => format!("{line}"),
                other => panic!("{other:?}"),
            });
        }
        seen
    }

    #[test]
    fn one_line_of_four_questions_and_urcs_between() {
        let chain: &[&dyn Command] = &[
            &super::CgregRead,
            &super::CregRead,
            &super::CeregRead,
            &super::Qnwinfo,
        ];
        let chain = Chain(chain);
        assert_eq!(written(&chain), "+CGREG?;+CREG?;+CEREG?;+QNWINFO");
        assert_eq!(
            talk(
                &chain,
                b"AT+CGREG?;+CREG?;+CEREG?;+QNWINFO\r\r\n+CGREG: 0,4\r\n\r\n+CREG: 1\r\n\r\n+CREG: 1,1\r\n\r\n\
                +CEREG: 5,\"D509\",\"80D413D\",8\r\n\r\n+CEREG: 2,5,\"D509\",\"80D413D\",8\r\n\r\n\
                +QNWINFO: \"CAT-M1\",\"33450\",\"LTE BAND 4\",2250\r\n\r\nOK\r\n",
            ),
            [
                "A +CGREG: 0,4",
                "U +CREG: 1",
                "A +CREG: 1,1",
                r#"U +CEREG: 5,\"D509\",\"80D413D\",8"#,
                r#"A +CEREG: 2,5,\"D509\",\"80D413D\",8"#,
                r#"A +QNWINFO: \"CAT-M1\",\"33450\",\"LTE BAND 4\",2250"#,
                "OK",
            ]
        );
    }

    #[test]
    fn identity_in_three_lines_and_a_late_boot_urc() {
        assert_eq!(
            talk(
                &super::Ati,
                b"ATI\r\r\nQuectel\r\nBG77\r\nAPP RDY\r\nRevision: BG77LAR02A04\r\n\r\nOK\r\n",
            ),
            [
                "A Quectel",
                "A BG77",
                "U APP RDY",
                "A Revision: BG77LAR02A04",
                "OK"
            ]
        );
    }

    #[test]
    fn waits_as_long_as_the_manual_says() {
        let cases: &[(&dyn Command, u32)] = &[
            (&super::At, 300),
            (&super::CpinRead, 5_000),
            (&super::Cfun::FULL, 15_000),
            (&super::Cgatt { attach: true }, 140_000),
            (&super::CopsRead, 180_000),
            (&super::Qiact { context: 1 }, 150_000),
            (&super::Qideact { context: 1 }, 40_000),
        ];
        for (command, timeout_ms) in cases {
            assert_eq!(command.exchange().timeout_ms, *timeout_ms);
        }
    }

    #[test]
    fn at_is_nothing_behind_the_prefix() {
        assert_eq!(written(&super::At), "");
    }
}
