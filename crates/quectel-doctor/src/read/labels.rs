//! Tags that a program prints in front of AT traffic, learnt from the log itself.

use super::token::{command_at, information_at, is_token_start};

/// Prefix shapes that were seen in front of commands and information lines.
#[derive(Debug, Default)]
pub(crate) struct Labels {
    shapes: Vec<Shape>,
    /// Takes nothing off: for learning what stands in front.
    blind: bool,
}

/// A prefix, and how often a command or an information line, and how often a result, stood behind it.
#[derive(Debug)]
struct Shape {
    text: String,
    tokens: u32,
    results: u32,
}

impl Shape {
    /// It came often enough to be a prefix, not a sentence.
    const fn is_prefix(&self) -> bool {
        self.tokens >= OFTEN || (self.tokens > 0 && self.results > 0)
    }
}

/// No more shapes than this are counted; a log has one or two.
const MAX_SHAPES: usize = 64;

/// A shape that came this often is a prefix, not a sentence.
const OFTEN: u32 = 2;

impl Labels {
    /// Labels that take nothing off.
    pub(crate) const fn blind() -> Self {
        Self {
            shapes: Vec::new(),
            blind: true,
        }
    }

    /// Counts the text in front of the first command or information line of `rest`.
    pub(crate) fn learn(&mut self, rest: &str) {
        let result = rest
            .strip_suffix("OK")
            .or_else(|| rest.strip_suffix("ERROR"))
            .or_else(|| rest.strip_suffix("RDY"))
            .filter(|label| !label.ends_with(char::is_alphanumeric));
        let token = token_after_label(rest).and_then(|at| rest.get(..at));
        let Some(label) = token.or(result) else {
            return;
        };
        let numbers = label.bytes().all(|b| b.is_ascii_digit() || b == b' ');
        let lower = label.to_ascii_lowercase();
        let spelt_out = ["<cr", "<l", "\\r", "\\n", "rx (", "tx ("];
        let record = spelt_out.iter().any(|mark| lower.contains(mark));
        let code = record || label.contains(['"', '\'', '{']);
        if numbers || code || label.len() > 96 || label.trim().is_empty() {
            return;
        }
        let text = shape(label);
        let (tokens, results) = (u32::from(token.is_some()), u32::from(token.is_none()));
        if let Some(known) = self.shapes.iter_mut().find(|known| known.text == text) {
            known.tokens += tokens;
            known.results += results;
        } else if self.shapes.len() < MAX_SHAPES {
            self.shapes.push(Shape {
                text,
                tokens,
                results,
            });
        }
    }

    /// Takes nothing off.
    pub(crate) const fn is_blind(&self) -> bool {
        self.blind
    }

    fn strip<'a>(&self, text: &'a str) -> Option<&'a str> {
        self.shapes
            .iter()
            .filter(|shape| shape.is_prefix())
            .find_map(|shape| text.get(matching(&shape.text, text)?..))
    }
}

/// Where a command or an information line begins behind other text.
fn token_after_label(text: &str) -> Option<usize> {
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        let boundary = !before.is_ascii_alphanumeric() && before != '"' && before != '=';
        if at > 0 && boundary && matches!(c, 'A' | 'a' | '+') {
            let rest = text.get(at..)?;
            let extended = matches!(rest.as_bytes().get(2), Some(b'+' | b'&' | b'E' | b'I'));
            if information_at(rest).is_some() || (command_at(rest).is_some() && extended) {
                return Some(at);
            }
        }
        before = c;
    }
    None
}

/// Runs of digits become one `0`, runs of blanks one blank.
fn shape(label: &str) -> String {
    let mut out = String::with_capacity(label.len());
    for c in label.chars() {
        let c = if c.is_ascii_digit() {
            '0'
        } else if c.is_whitespace() {
            ' '
        } else {
            c
        };
        if !(matches!(c, '0' | ' ') && out.ends_with(c)) {
            out.push(c);
        }
    }
    out
}

/// How much of `text` has this shape, at its beginning; blanks at the end of the shape may be missing.
fn matching(shape: &str, text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    for wanted in shape.trim_end().bytes() {
        let run: fn(&u8) -> bool = match wanted {
            b'0' => u8::is_ascii_digit,
            b' ' => u8::is_ascii_whitespace,
            _ => {
                if bytes.get(at) != Some(&wanted) {
                    return None;
                }
                at += 1;
                continue;
            }
        };
        let length = bytes.iter().skip(at).take_while(|byte| run(byte)).count();
        if length == 0 {
            return None;
        }
        at += length;
    }
    Some(at)
}

/// Words that introduce an example in prose, not a line of a log.
const PROSE: &[&str] = &[
    "example", "examples", "try", "use", "using", "note", "fix", "like", "tried", "solution",
    "syntax", "format", "usage", "ex", "eg", "ie", "todo", "then", "with", "and", "or", "is",
    "was", "should", "instead", "correct",
];

/// Takes off a learnt prefix, or one tag such as `bgxx:`, `modem>`, `[CELL]:` in front of a token.
pub(crate) fn eat_label<'a>(text: &'a str, prefixed: bool, learned: &Labels) -> Option<&'a str> {
    if learned.blind {
        return None;
    }
    if let Some(rest) = learned.strip(text) {
        return Some(rest);
    }
    if let Some(inner) = text.strip_prefix('[') {
        let (tag, rest) = inner.split_once(']')?;
        let plain = tag.len() <= 32 && !tag.contains(['"', '*', '<']);
        let rest = rest.strip_prefix(':').unwrap_or(rest);
        return (plain && (prefixed || is_token_start(rest.trim_start()))).then_some(rest);
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || "_.-/#@".contains(c)))?;
    let (tag, rest) = text.split_at_checked(end)?;
    let after = rest
        .strip_prefix([':', '>', '|'])
        .or_else(|| rest.strip_prefix(": "))?;
    let prompt = rest.starts_with('>');
    let fits =
        (1..=32).contains(&tag.len()) && !PROSE.iter().any(|word| tag.eq_ignore_ascii_case(word));
    let follows = is_token_start(after.trim_start())
        || (prompt && after.trim().is_empty())
        || (prefixed && directional(after.trim_start()));
    (fits && follows).then_some(after)
}

fn directional(text: &str) -> bool {
    ["<<", ">>", "->", "<-", "TX", "RX"]
        .iter()
        .any(|arrow| text.starts_with(arrow))
}

#[cfg(test)]
mod tests {
    use super::super::prefix::strip;
    use super::super::side::Side;
    use super::*;
    use crate::time::Stamp;

    fn stripped(line: &str) -> (Option<Side>, bool, &str) {
        let out = strip(line, &Labels::default());
        (out.side, out.record, out.rest)
    }

    #[test]
    fn prefixes_of_known_tools_are_taken_off() {
        use Side::{Host, Module};
        for (line, side, rest) in [
            ("[2018-06-25_11:57:46:330]ati", None, "ati"),
            ("17:13:30.563 -> AT+CFUN=1,1", Some(Host), "AT+CFUN=1,1"),
            ("09:12:40.010 > bgxx: >> AT+CSQ", Some(Host), "AT+CSQ"),
            ("09:12:40.010 > bgxx: << OK", Some(Module), "OK"),
            ("09:00:00.100 > AT+QMTOPEN?", Some(Host), "AT+QMTOPEN?"),
            ("09:00:00.130 < OK", Some(Module), "OK"),
            ("---> AT", Some(Host), "AT"),
            ("<- Revision: BG96", Some(Module), "Revision: BG96"),
            ("2023-02-14 08:31:04.117 TX AT+CSQ", Some(Host), "AT+CSQ"),
            ("2023-02-14 08:31:09.020 RX ", Some(Module), ""),
            ("00:00:01.001 [TX] - ATI", Some(Host), "ATI"),
            (
                "[10:00:00.000]\u{53D1}\u{2192}\u{25C7}AT+CSQ",
                Some(Host),
                "AT+CSQ",
            ),
            ("[10:00:00.021]\u{6536}\u{2190}\u{25C6}", Some(Module), ""),
            ("[16:30:46.541]???AT+CSQ", None, "AT+CSQ"),
            ("modem> AT+CSQ", None, "AT+CSQ"),
            ("modem> ", None, ""),
            ("I (44731) SIM7600: +CSQ: 20,99", None, "+CSQ: 20,99"),
            (
                "[00:00:22.108,000] <inf> modem_quectel_bg9x: +CSQ: 1,99",
                None,
                "+CSQ: 1,99",
            ),
            ("DEBUG: AT+QMTCONN=0,\"x\"", None, "AT+QMTCONN=0,\"x\""),
            ("INFO:root:AT+CSQ", None, "AT+CSQ"),
            ("* AT+QFLST", None, "AT+QFLST"),
            ("0 AT+CSQ", None, "AT+CSQ"),
            ("1\t+CSQ: 3,99", None, "+CSQ: 3,99"),
            ("[AT>>] AT+CSQ", Some(Host), "AT+CSQ"),
            ("CMD: AT+CSQ", Some(Host), "AT+CSQ"),
            ("> 0123456789", None, "> 0123456789"),
            ("AT", None, "AT"),
            ("<private_key.pem>", None, "<private_key.pem>"),
            (
                "I enable it using AT+QMTCFG=\"ssl\",0,1,2",
                None,
                "I enable it using AT+QMTCFG=\"ssl\",0,1,2",
            ),
        ] {
            assert_eq!(stripped(line), (side, false, rest), "{line}");
        }
    }

    #[test]
    fn records_are_pieces_of_a_stream() {
        use Side::{Host, Module};
        for (line, side, rest) in [
            ("[SEND][   3][AT\\r]", Host, "AT\\r"),
            ("[RECV][   6][\\r\\nOK\\r\\n]", Module, "\\r\\nOK\\r\\n"),
            ("\\n\\rV][  16]\\r\\nRDY\\r\\n", Module, "\\r\\nRDY\\r\\n"),
            ("[00000103ms][INFO][CELL]: AT RX ( 2): ,1", Module, ",1"),
            ("[00000002ms][INFO][CELL]: AT TX ( 2): AT", Host, "AT"),
        ] {
            assert_eq!(stripped(line), (Some(side), true, rest), "{line}");
        }
    }

    #[test]
    fn an_unknown_prefix_is_learnt_after_two_lines() {
        let mut labels = Labels::default();
        let line = |n: u32| format!("~~uart{n} frame~ AT+CSQ");
        assert_eq!(strip(&line(1), &labels).rest, line(1));
        for n in 0..2 {
            labels.learn(strip(&line(n), &labels).rest);
        }
        assert_eq!(strip("~~uart9 frame~ BG96", &labels).rest, "BG96");
        assert_eq!(
            strip("12:00:01 x", &labels).stamp,
            Some(Stamp::TimeOfDay(43_201_000))
        );
    }
}
