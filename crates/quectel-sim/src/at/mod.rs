//! Command lines: `AT`, basic commands, extended commands, parameters (ITU-T V.250, 5.2 to 5.4).

use std::collections::VecDeque;

/// One parameter as written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Arg {
    /// Its bytes, without the quotes.
    pub(crate) text: Vec<u8>,
    /// Whether it stood in quotes.
    pub(crate) quoted: bool,
}

impl Arg {
    /// Whether nothing was written between the commas.
    pub(crate) fn omitted(&self) -> bool {
        self.text.is_empty() && !self.quoted
    }

    /// Decimal digits as a number.
    pub(crate) fn number(&self) -> Option<u64> {
        if self.text.is_empty() || !self.text.iter().all(u8::is_ascii_digit) {
            return None;
        }
        core::str::from_utf8(&self.text).ok()?.parse().ok()
    }

    /// Hexadecimal digits, with or without `0X`.
    pub(crate) fn code(&self) -> Option<u128> {
        let text = core::str::from_utf8(&self.text).ok()?;
        let digits = text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))
            .unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        u128::from_str_radix(digits, 16).ok()
    }

    /// The text, with foreign bytes replaced.
    pub(crate) fn string(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }

    /// The parameter as a query shows it again.
    pub(crate) fn shown(&self) -> String {
        if self.quoted {
            format!("\"{}\"", self.string())
        } else {
            self.string()
        }
    }
}

/// Which form of a command was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `=?`
    Test,
    /// `?`
    Read,
    /// `=` with parameters.
    Set,
    /// The bare name.
    Exec,
}

/// One command of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// Upper case, with its leading character: `+CSQ`, `&F`, `E`, `S3`.
    pub(crate) name: String,
    /// The form.
    pub(crate) form: Form,
    /// The parameters of the set form, or the number of a basic command.
    pub(crate) args: Vec<Arg>,
    /// A quote is not closed, or something stands beside a closing quote.
    pub(crate) malformed: bool,
}

impl Command {
    /// The parameter at this place unless it is missing or empty.
    pub(crate) fn arg(&self, at: usize) -> Option<&Arg> {
        self.args.get(at).filter(|arg| !arg.omitted())
    }

    /// The unquoted number at this place.
    pub(crate) fn number(&self, at: usize) -> Option<u64> {
        self.arg(at).filter(|arg| !arg.quoted).and_then(Arg::number)
    }

    /// The unquoted number at this place if it is in this range.
    pub(crate) fn number_in(&self, at: usize, low: u64, high: u64) -> Option<u64> {
        self.number(at).filter(|n| (low..=high).contains(n))
    }

    /// A number that may be omitted: its default, the number, or nothing when it is out of range.
    pub(crate) fn optional(&self, at: usize, low: u64, high: u64, default: u64) -> Option<u64> {
        if self.arg(at).is_none() {
            Some(default)
        } else {
            self.number_in(at, low, high)
        }
    }

    /// The text at this place.
    pub(crate) fn text(&self, at: usize) -> Option<String> {
        self.arg(at).map(Arg::string)
    }
}

/// Finds the command part of a received line: what follows the first `AT` or `at`.
///
/// Noise and a `+++` that nobody took may stand before it; letters and digits may not, so that a spilled
/// `-----END CERTIFICATE` is no command. `None` means that the line has no such prefix.
pub(crate) fn after_prefix(line: &[u8]) -> Option<&[u8]> {
    let starts = |at: usize| {
        let before = at.checked_sub(1).and_then(|before| line.get(before));
        matches!(line.get(at..at + 2), Some(b"AT" | b"at"))
            && before.is_none_or(|b| !b.is_ascii_alphanumeric())
    };
    let at = (0..line.len()).find(|at| starts(*at))?;
    line.get(at + 2..)
}

/// Splits what follows `AT` into commands.
pub(crate) fn parse_line(mut rest: &[u8]) -> VecDeque<Command> {
    let mut commands = VecDeque::new();
    loop {
        rest = skip(rest, |b| b == b' ' || b == b';' || b < 0x20);
        let Some(first) = rest.first() else {
            return commands;
        };
        let (command, used) = match first {
            b'A'..=b'Z' | b'a'..=b'z' | b'&' => basic(rest),
            _ => extended(rest),
        };
        commands.push_back(command);
        rest = rest.get(used.max(1)..).unwrap_or_default();
    }
}

fn skip(bytes: &[u8], drop: impl Fn(u8) -> bool) -> &[u8] {
    let kept = bytes.iter().position(|b| !drop(*b)).unwrap_or(bytes.len());
    bytes.get(kept..).unwrap_or_default()
}

fn digits(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| b.is_ascii_digit()).count()
}

/// A basic command: a letter (or `&` and a letter) and a number; `S` has a number and then `=` or `?`.
fn basic(rest: &[u8]) -> (Command, usize) {
    let named = if rest.first() == Some(&b'&') { 2 } else { 1 };
    let mut name: String = rest
        .iter()
        .take(named)
        .map(|b| char::from(b.to_ascii_uppercase()))
        .collect();
    let mut used = named.min(rest.len());
    let mut form = Form::Exec;
    if name == "D" {
        // A dial string takes the rest of the line.
        return (
            Command {
                name,
                form,
                args: vec![],
                malformed: false,
            },
            rest.len(),
        );
    }
    let tail = rest.get(used..).unwrap_or_default();
    let mut count = digits(tail);
    if name == "S" {
        name.extend(tail.iter().take(count).map(|b| char::from(*b)));
        used += count;
        count = 0;
    }
    let tail = rest.get(used..).unwrap_or_default();
    let mut args = vec![];
    if count > 0 {
        args.push(Arg {
            text: tail.iter().take(count).copied().collect(),
            quoted: false,
        });
        used += count;
    } else if tail.starts_with(b"=?") {
        (form, used) = (Form::Test, used + 2);
    } else if tail.first() == Some(&b'?') {
        (form, used) = (Form::Read, used + 1);
    } else if tail.first() == Some(&b'=') {
        let value = tail.get(1..).unwrap_or_default();
        let count = digits(value);
        args.push(Arg {
            text: value.iter().take(count).copied().collect(),
            quoted: false,
        });
        (form, used) = (Form::Set, used + 1 + count);
    }
    (
        Command {
            name,
            form,
            args,
            malformed: false,
        },
        used,
    )
}

/// An extended command: it ends at a semicolon outside quotes.
fn extended(rest: &[u8]) -> (Command, usize) {
    let mut quoted = false;
    let end = rest
        .iter()
        .position(|b| {
            quoted ^= *b == b'"';
            *b == b';' && !quoted
        })
        .unwrap_or(rest.len());
    let text = trim(rest.get(..end).unwrap_or_default());
    let name_length = 1 + text
        .iter()
        .skip(1)
        .take_while(|b| {
            b.is_ascii_alphanumeric() || matches!(b, b'!' | b'%' | b'-' | b'.' | b'/' | b':' | b'_')
        })
        .count();
    let name: String = text
        .iter()
        .take(name_length)
        .map(|b| char::from(b.to_ascii_uppercase()))
        .collect();
    let tail = trim(text.get(name_length..).unwrap_or_default());
    let (form, args, malformed) = match tail {
        [] => (Form::Exec, vec![], false),
        [b'?'] => (Form::Read, vec![], false),
        [b'=', tail @ ..] if trim(tail) == b"?" => (Form::Test, vec![], false),
        [b'=', tail @ ..] => {
            let (args, malformed) = parameters(tail);
            (Form::Set, args, malformed)
        }
        _ => (Form::Exec, vec![], true),
    };
    (
        Command {
            name,
            form,
            args,
            malformed,
        },
        end,
    )
}

fn trim(bytes: &[u8]) -> &[u8] {
    let start = skip(bytes, |b| b == b' ');
    let end = start
        .iter()
        .rposition(|b| *b != b' ')
        .map_or(0, |at| at + 1);
    start.get(..end).unwrap_or_default()
}

/// Splits parameters at commas outside quotes.
pub(crate) fn parameters(text: &[u8]) -> (Vec<Arg>, bool) {
    let mut args = Vec::new();
    let mut malformed = false;
    let mut quoted = false;
    let mut start = 0;
    for at in 0..=text.len() {
        quoted ^= text.get(at) == Some(&b'"');
        if at == text.len() || (text.get(at) == Some(&b',') && !quoted) {
            let piece = trim(text.get(start..at).unwrap_or_default());
            start = at + 1;
            match piece {
                [b'"', inner @ .., b'"'] if !inner.contains(&b'"') => {
                    args.push(Arg {
                        text: inner.to_vec(),
                        quoted: true,
                    });
                }
                plain => {
                    malformed |= plain.contains(&b'"');
                    args.push(Arg {
                        text: plain.to_vec(),
                        quoted: false,
                    });
                }
            }
        }
    }
    (args, malformed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn show(line: &str) -> String {
        let Some(rest) = after_prefix(line.as_bytes()) else {
            return "-".to_owned();
        };
        let shown: Vec<String> = parse_line(rest)
            .iter()
            .map(|c| {
                let args: Vec<String> = c.args.iter().map(Arg::shown).collect();
                let form = match c.form {
                    Form::Test => "=?",
                    Form::Read => "?",
                    Form::Set => "=",
                    Form::Exec => "",
                };
                format!(
                    "{}{form}{}{}",
                    c.name,
                    args.join("|"),
                    if c.malformed { "!" } else { "" }
                )
            })
            .collect();
        shown.join(" ; ")
    }

    #[test]
    fn lines() {
        let cases = [
            ("AT", ""),
            (
                "at+cgreg?;+creg?;+cereg?;+qnwinfo",
                "+CGREG? ; +CREG? ; +CEREG? ; +QNWINFO",
            ),
            ("AT&FZE0", "&F ; Z ; E0"),
            ("ATE0V1;&W", "E0 ; V1 ; &W"),
            ("AT+IPR=460800;&W", "+IPR=460800 ; &W"),
            ("ATS3=13S4?", "S3=13 ; S4?"),
            (
                "AT+QMTOPEN = 0, \"host\" , 8883",
                "+QMTOPEN=0|\"host\"|8883",
            ),
            ("AT+QMTPUB=0,0,0,0,\"a;b,c\"", "+QMTPUB=0|0|0|0|\"a;b,c\""),
            ("AT+QSSLCFG=?", "+QSSLCFG=?"),
            ("AT+QICSGP=1,1,\"apn\",,\"\"", "+QICSGP=1|1|\"apn\"||\"\""),
            ("AT+QFDEL=\"x", "+QFDEL=\"x!"),
            ("AT+QFDEL=\"x\"y", "+QFDEL=\"x\"y!"),
            ("+++\u{1b}AT+CSQ", "+CSQ"),
            ("-----END CERTIFICATE", "-"),
            ("ATD*99#", "D"),
            ("AT%", "%"),
        ];
        for (line, expected) in cases {
            assert_eq!(show(line), expected, "{line}");
        }
    }

    #[test]
    fn hexadecimal_and_decimal() {
        let arg = |text: &str| Arg {
            text: text.as_bytes().to_vec(),
            quoted: false,
        };
        assert_eq!(arg("0XC02F").code(), Some(0xC02F));
        assert_eq!(arg("0xfFfF").code(), Some(0xFFFF));
        assert_eq!(arg("0x").code(), None);
        assert_eq!(arg("12").number(), Some(12));
        assert_eq!(arg("-1").number(), None);
        assert_eq!(arg("99999999999999999999999").number(), None);
    }
}
