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
    use crate::{Command, Line, ParamError, Params, Writer};
    use std::string::String;

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

    #[test]
    fn at_is_nothing_behind_the_prefix() {
        assert_eq!(written(&super::At), "");
    }
}
