//! Extended settings: `+QCFG`.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::SHORT_MS;
use crate::{Answer, Command, Exchange, Line, ParamError, Params, Writer};

const QCFG: &[Answer] = &[Answer::once(b"+QCFG")];

/// `AT+QCFG="<item>"`: asks for a setting; answered by [`QcfgRead::parse`].
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+QCFG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct QcfgRead<'a> {
    /// Such as `nwscanmode`; lower case, which every family takes.
    pub item: &'a str,
}

impl QcfgRead<'_> {
    /// Reads the answer `+QCFG: "<item>",<value>[,…]`: the values of this item.
    ///
    /// # Errors
    /// [`ParamError::WrongName`] if the line is of another command or another item.
    pub fn parse<'l>(&self, line: Line<'l>) -> Result<Params<'l>, ParamError> {
        let mut params = line.params(b"+QCFG").ok_or(ParamError::WrongName)?;
        if params.bytes()?.eq_ignore_ascii_case(self.item.as_bytes()) {
            Ok(params)
        } else {
            Err(ParamError::WrongName)
        }
    }
}

impl Command for QcfgRead<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QCFG").quoted(self.item.as_bytes());
    }

    fn exchange(&self) -> Exchange {
        Exchange::answered(QCFG, SHORT_MS)
    }
}

/// A value of [`Qcfg`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum QcfgValue<'a> {
    /// A decimal number.
    Number(u32),
    /// A string in quotes.
    Text(&'a str),
    /// A hex number without quotes, such as the masks of `band`.
    Hex(u128),
    /// Two digits for each entry, 0 to 99, without quotes: `nwscanseq`.
    Sequence(&'a [u8]),
}

impl QcfgValue<'_> {
    fn write(self, line: &mut Writer<'_>) {
        match self {
            Self::Number(number) => {
                line.num(number);
            }
            Self::Text(text) => {
                line.quoted(text.as_bytes());
            }
            Self::Hex(mask) => {
                line.skip().raw("0x");
                let nibbles = (u128::BITS - mask.leading_zeros()).div_ceil(4).max(1);
                for n in (0..nibbles).rev() {
                    line.raw(digit(mask >> (4 * n) & 0xF));
                }
                // Marks the parameter as written; nothing is left out here.
                line.skip();
            }
            Self::Sequence(entries) => {
                line.skip();
                for entry in entries {
                    let entry = u128::from(*entry);
                    line.raw(digit(entry / 10 % 10)).raw(digit(entry % 10));
                }
                if !entries.is_empty() {
                    line.skip();
                }
            }
        }
    }
}

fn digit(value: u128) -> &'static str {
    let at = usize::try_from(value).unwrap_or(0);
    "0123456789abcdef".get(at..=at).unwrap_or("0")
}

/// `AT+QCFG="<item>",<value>[,…]`: changes a setting. A last value `<effect>`, where there is one, is 0 after the next
/// start, 1 now.
///
/// `nvrestore` erases the files of BG9x modules.
///
/// # Reference
/// BG96 AT Commands Manual V2.2, AT+QCFG; quectel-bg9x-atat 0.1.1 (`nvrestore`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a command is its parameters")]
pub struct Qcfg<'a> {
    /// Such as `nwscanmode`; lower case, which every family takes.
    pub item: &'a str,
    /// The values in the item's order.
    pub values: &'a [QcfgValue<'a>],
}

impl Command for Qcfg<'_> {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set("+QCFG").quoted(self.item.as_bytes());
        for value in self.values {
            value.write(line);
        }
    }

    fn exchange(&self) -> Exchange {
        Exchange::plain(SHORT_MS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::tests::{parses, written};

    #[test]
    fn commands_as_typed() {
        let cases: &[(&str, &[QcfgValue<'_>], &str)] = &[
            (
                "nwscanmode",
                &[QcfgValue::Number(3), QcfgValue::Number(1)],
                "+QCFG=\"nwscanmode\",3,1",
            ),
            (
                "nwscanseq",
                &[QcfgValue::Sequence(&[2, 3, 1]), QcfgValue::Number(1)],
                "+QCFG=\"nwscanseq\",020301,1",
            ),
            (
                "band",
                &[
                    QcfgValue::Hex(0xF),
                    QcfgValue::Hex(0x40_0A0E_189F),
                    QcfgValue::Hex(0xA0E_189F),
                ],
                "+QCFG=\"band\",0xf,0x400a0e189f,0xa0e189f",
            ),
            (
                "band",
                &[
                    QcfgValue::Hex(0),
                    QcfgValue::Hex(0x10_0002_0000_0000_0F0E_189F),
                ],
                "+QCFG=\"band\",0x0,0x100002000000000f0e189f",
            ),
            (
                "risignaltype",
                &[QcfgValue::Text("physical")],
                "+QCFG=\"risignaltype\",\"physical\"",
            ),
            (
                "x",
                &[QcfgValue::Sequence(&[]), QcfgValue::Number(1)],
                "+QCFG=\"x\",,1",
            ),
        ];
        for (item, values, expected) in cases {
            assert_eq!(written(&Qcfg { item, values }), *expected);
        }
        assert_eq!(
            written(&QcfgRead { item: "iotopmode" }),
            "+QCFG=\"iotopmode\""
        );
    }

    #[test]
    fn values_of_the_wanted_item() {
        let read = QcfgRead { item: "iotopmode" };
        parses(
            |line| read.parse(line)?.u8(),
            &[
                ("+QCFG: \"iotopmode\",2", Ok(2)),
                ("+QCFG: \"IOTOPMODE\",2", Ok(2)),
                ("+QCFG: \"nwscanmode\",0", Err(ParamError::WrongName)),
                ("+QCFG: \"iotopmode\"", Err(ParamError::Missing)),
            ],
        );
    }
}
