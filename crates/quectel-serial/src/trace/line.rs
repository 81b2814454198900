//! One line of the conversation, ready to be shown.

use core::fmt;
use core::time::Duration;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Direction {
    /// The host to the module, `->`.
    ToModule,
    /// The module to the host, `<-`.
    FromModule,
}

impl Direction {
    /// Its arrow: `->` to the module, `<-` from it.
    pub const fn arrow(self) -> &'static str {
        match self {
            Self::ToModule => "->",
            Self::FromModule => "<-",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    Shown(Vec<u8>),
    /// So many secret bytes; they are not kept.
    Secret(usize),
    /// Content of a file.
    File(Vec<u8>),
}

/// One line, prompt or payload of the conversation, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WireLine {
    pub(super) at: Duration,
    pub(super) direction: Direction,
    pub(super) parts: Vec<Part>,
}

impl WireLine {
    /// When its last byte went out or came in, from the start of the driver.
    pub const fn at(&self) -> Duration {
        self.at
    }

    /// Who spoke.
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The text for reading, without line ends; `None` for a line without text.
    ///
    /// Secrets are `***`, long ones `<1732 secret bytes>`, contents of files `<1294 bytes>`.
    pub fn readable(&self) -> Option<String> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Shown(bytes) => push_readable(&mut text, bytes),
                Part::Secret(n) => push_secret(&mut text, *n),
                Part::File(bytes) => text.push_str(&format!("<{} bytes>", bytes.len())),
            }
        }
        let trimmed = text.trim_matches(['\r', '\n']);
        // What is left of line ends inside would break the line.
        (!trimmed.trim().is_empty()).then(|| trimmed.replace('\r', "\\r").replace('\n', "\\n"))
    }

    /// Every byte, those that are not printable ASCII as `\r`, `\n`, `\t`, `\\` or `\xNN`; only secrets are replaced.
    pub fn exact(&self) -> String {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Shown(bytes) | Part::File(bytes) => push_exact(&mut text, bytes),
                Part::Secret(n) => push_secret(&mut text, *n),
            }
        }
        text
    }
}

impl fmt::Display for WireLine {
    /// Time in seconds, arrow and readable text.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.readable().unwrap_or_default();
        write!(
            f,
            "{:>9.3} {} {text}",
            self.at.as_secs_f64(),
            self.direction.arrow()
        )
    }
}

fn push_secret(text: &mut String, n: usize) {
    // The length of a short one, such as a PIN, would help to guess it.
    if n > 256 {
        text.push_str(&format!("<{n} secret bytes>"))
    } else {
        text.push_str("***")
    }
}

fn push_exact(text: &mut String, bytes: &[u8]) {
    for &byte in bytes {
        match byte {
            b'"' | b'\'' => text.push(char::from(byte)),
            _ => text.extend(byte.escape_ascii().map(char::from)),
        }
    }
}

fn push_readable(text: &mut String, bytes: &[u8]) {
    for chunk in bytes.utf8_chunks() {
        for c in chunk.valid().chars() {
            match c {
                '\r' | '\n' => text.push(c),
                '\t' => text.push_str("\\t"),
                c if c.is_control() || moves_text(c) => text.extend(c.escape_unicode()),
                c => text.push(c),
            }
        }
        for byte in chunk.invalid() {
            text.extend(byte.escape_ascii().map(char::from));
        }
    }
}

/// Marks of text direction, which could make a terminal show something else than what came.
const fn moves_text(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        let shown = |bytes: &[u8]| Part::Shown(bytes.to_vec());
        let cases = [
            (
                vec![shown(b"AT+QMTOPEN=0,\"h\",8883\r")],
                Some("AT+QMTOPEN=0,\"h\",8883"),
                "AT+QMTOPEN=0,\"h\",8883\\r",
            ),
            (vec![shown(b"\r\n")], None, "\\r\\n"),
            (
                vec![shown(b"AT+CPIN=\""), Part::Secret(4), shown(b"\"\r")],
                Some("AT+CPIN=\"***\""),
                "AT+CPIN=\"***\"\\r",
            ),
            (
                vec![Part::Secret(1732)],
                Some("<1732 secret bytes>"),
                "<1732 secret bytes>",
            ),
            (
                vec![Part::File(b"a\0".to_vec())],
                Some("<2 bytes>"),
                "a\\x00",
            ),
            (
                vec![shown("21 °C\x1a".as_bytes())],
                Some("21 °C\\u{1a}"),
                "21 \\xc2\\xb0C\\x1a",
            ),
            (
                vec![shown(b"\x1b[2J\xff\\")],
                Some("\\u{1b}[2J\\xff\\"),
                "\\x1b[2J\\xff\\\\",
            ),
            (
                vec![shown("\u{202e}x".as_bytes())],
                Some("\\u{202e}x"),
                "\\xe2\\x80\\xaex",
            ),
            (
                vec![shown(b"\r\n{\n1\r\n")],
                Some("{\\n1"),
                "\\r\\n{\\n1\\r\\n",
            ),
        ];
        for (parts, readable, exact) in cases {
            let line = WireLine {
                at: Duration::ZERO,
                direction: Direction::ToModule,
                parts,
            };
            assert_eq!(line.readable().as_deref(), readable);
            assert_eq!(line.exact(), exact);
        }
    }

    #[test]
    fn display_has_time_and_arrow() {
        let parts = vec![Part::Shown(b"+CSQ: 20,99\r\n".to_vec())];
        let line = WireLine {
            at: Duration::from_millis(1234),
            direction: Direction::FromModule,
            parts,
        };
        assert_eq!(line.to_string(), "    1.234 <- +CSQ: 20,99");
    }
}
