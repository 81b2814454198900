//! Lines of machine-readable logs, a JSON object or CSV fields, as the line of text that a terminal would show.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::stamp::eat_stamp;
use super::token::is_token_start;

/// The text of a line of JSON or CSV; any other line as it is.
pub(crate) fn plain(line: &str) -> Cow<'_, str> {
    let text = line.trim();
    let found = if text.starts_with('{') {
        json(text.trim_end_matches(','))
    } else if text.starts_with('|') {
        row(text)
    } else {
        csv(text).or_else(|| hex(text))
    };
    found.map_or(Cow::Borrowed(line), Cow::Owned)
}

/// Keys under which loggers keep what was said.
const TEXT_KEYS: &[&str] = &[
    "data", "msg", "message", "text", "line", "raw", "payload", "content", "at", "value", "log",
];

/// Keys under which they keep who said it.
const SIDE_KEYS: &[&str] = &[
    "dir",
    "direction",
    "side",
    "src",
    "source",
    "from",
    "type",
    "event",
];

fn json(text: &str) -> Option<String> {
    if !text.ends_with('}') || text.len() > 16 * 1024 {
        return None;
    }
    let object: Map<String, Value> = serde_json::from_str(text).ok()?;
    let strings = || {
        object
            .iter()
            .filter_map(|(key, value)| Some((key.to_ascii_lowercase(), value.as_str()?)))
    };
    let stamp = strings()
        .find(|(_, value)| eat_stamp(value).is_some_and(|(taken, _)| taken + 8 >= value.len()));
    let arrow = strings()
        .filter(|(key, _)| SIDE_KEYS.contains(&key.as_str()))
        .find_map(|(_, value)| arrow(value));
    // A message of the user's own may be JSON too: only a logger says when or which way.
    if stamp.is_none() && arrow.is_none() {
        return None;
    }
    let said = strings()
        .find(|(_, value)| is_token_start(value.trim()))
        .or_else(|| {
            arrow?;
            strings().find(|(key, _)| TEXT_KEYS.contains(&key.as_str()))
        })?;
    let said = said.1.trim().replace('\r', "\\r").replace('\n', "\\n");
    let stamp = stamp.map_or("", |(_, value)| value);
    Some(format!("{stamp} {}{said}", arrow.unwrap_or_default()))
}

fn arrow(value: &str) -> Option<&'static str> {
    let lower = value.to_ascii_lowercase();
    let is = |words: &[&str]| words.contains(&lower.as_str());
    if is(&[
        "tx", "send", "sent", "out", "write", "host", ">", ">>", "w", "request", "cmd",
    ]) {
        Some(">> ")
    } else if is(&[
        "rx", "recv", "received", "in", "read", "modem", "module", "<", "<<", "r", "response",
        "urc",
    ]) {
        Some("<< ")
    } else {
        None
    }
}

/// `10:00:01.1,TX,"AT+QMTOPEN=0,""host"",8883"`: a quoted field that begins like a line of a dialogue.
fn csv(text: &str) -> Option<String> {
    let (start, separator) = quoted_field(text)?;
    let before = text.get(..start)?;
    let body = text.get(start + 1..)?;
    let mut said = String::with_capacity(body.len());
    let mut rest = body;
    loop {
        let (piece, after) = rest.split_once('"')?;
        said.push_str(piece);
        if let Some(next) = after.strip_prefix('"') {
            said.push('"');
            rest = next;
        } else if after.is_empty() || after.starts_with(separator) {
            break;
        } else {
            // No CSV: a quote in the middle of a field.
            return None;
        }
    }
    let before = before.replace(['"', separator], " ");
    Some(format!("{} {said}", before.trim()))
}

/// The quote that opens a field with a line of a dialogue in it, and what separates the fields.
fn quoted_field(text: &str) -> Option<(usize, char)> {
    for (at, _) in text.match_indices('"').take(8) {
        let before = text.get(..at)?;
        let separator = match before.chars().next_back() {
            None => ',',
            Some(c @ (',' | ';' | '\t')) => c,
            Some(_) => continue,
        };
        // Parameters of a command are no fields of a table.
        let lower = before.to_ascii_lowercase();
        if lower.contains("at+") || lower.contains(": ") || lower.contains('+') {
            return None;
        }
        if is_token_start(text.get(at + 1..)?.trim_start()) {
            return Some((at, separator));
        }
    }
    None
}

/// `| 1 | AT+CSQ | OK |`: what is said in the cells of a table, in its order.
fn row(text: &str) -> Option<String> {
    let cells = text.strip_prefix('|')?.strip_suffix('|')?.split('|');
    let said: Vec<&str> = cells
        .map(str::trim)
        .filter(|cell| is_token_start(cell))
        .collect();
    (!said.is_empty()).then(|| said.join(" -> "))
}

/// `TX 41 54 0D` and `00000000  41 54 0d 0a  |AT..|`: bytes, as a record of a byte stream.
fn hex(text: &str) -> Option<String> {
    let dump = text
        .split_once("  |")
        .filter(|(_, ascii)| ascii.ends_with('|'));
    let body = dump.map_or(text, |(body, _)| body);
    let last = body
        .rsplit(char::is_whitespace)
        .find(|word| !word.is_empty())?;
    if last.len() != 2 || !last.bytes().all(|b| b.is_ascii_hexdigit()) {
        return None;
    }
    let mut side = None;
    let mut stamp = String::new();
    let mut bytes = Vec::new();
    for word in body.split_whitespace() {
        let pair = (word.len() == 2)
            .then(|| u8::from_str_radix(word, 16).ok())
            .flatten();
        match pair {
            Some(byte) => bytes.push(byte),
            // Behind the first byte there is nothing but bytes.
            None if !bytes.is_empty() => return None,
            None => {
                let plain = word.trim_matches(['[', ']', ':', '(', ')', '|', '-']);
                let offset = plain.len() >= 4 && plain.bytes().all(|b| b.is_ascii_hexdigit());
                if let Some(arrow) = arrow(plain).or_else(|| arrow(word)) {
                    side = Some(arrow);
                } else if eat_stamp(word).is_some() {
                    stamp = format!("{stamp}{word} ");
                } else if !offset && !plain.is_empty() {
                    return None;
                }
            }
        }
    }
    let few = if side.is_some() { 2 } else { 6 };
    let readable = |byte: &u8| matches!(byte, b' '..=b'~' | b'\r' | b'\n' | 0x1A);
    if bytes.len() < few || (dump.is_none() && side.is_none()) || !bytes.iter().all(readable) {
        return None;
    }
    let said: String = bytes
        .iter()
        .map(|byte| match byte {
            b'\r' => "\\r".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\\' => "\\\\".to_owned(),
            0x1A => "\\x1A".to_owned(),
            byte => char::from(*byte).to_string(),
        })
        .collect();
    let word = if side == Some(">> ") { "SEND" } else { "RECV" };
    Some(format!("{stamp}[{word}][{:4}][{said}]", bytes.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machine_readable_lines_become_lines() {
        for (line, text) in [
            (
                "{\"t\":\"2024-11-02T08:00:01Z\",\"dir\":\"tx\",\"data\":\"AT+QMTCFG=\\\"ssl\\\",0,1,2\"}",
                "2024-11-02T08:00:01Z >> AT+QMTCFG=\"ssl\",0,1,2",
            ),
            ("{\"dir\":\"RX\",\"msg\":\"\\r\\nOK\\r\\n\"},", " << OK"),
            (
                "10:00:01.1,TX,\"AT+QMTOPEN=0,\"\"h\"\",8883\"",
                "10:00:01.1 TX AT+QMTOPEN=0,\"h\",8883",
            ),
            ("1;RX;\"+QMTOPEN: 0,4\";", "1 RX +QMTOPEN: 0,4"),
            ("| 1 | AT+CSQ | OK |", "AT+CSQ -> OK"),
            ("| 5 |  | +QMTOPEN: 0,-1 |", "+QMTOPEN: 0,-1"),
            ("TX 41 54 0D", "[SEND][   3][AT\\r]"),
            (
                "12:00:01.5 RX: 0D 0A 4F 4B 0D 0A",
                "12:00:01.5 [RECV][   6][\\r\\nOK\\r\\n]",
            ),
            (
                "00000000  41 54 49 0d 0d 0a 4f 4b  0d 0a  |ATI...OK..|",
                "[RECV][  10][ATI\\r\\r\\nOK\\r\\n]",
            ),
        ] {
            assert_eq!(plain(line), text, "{line}");
        }
    }

    #[test]
    fn payloads_and_commands_stay() {
        for line in [
            "{\"t\":21.5,\"data\":\"hello\"}",
            "{\"dir\":\"north\",\"data\":\"AT+CSQ\"",
            "AT+QMTCONN=0,\"+49123\",\"a\"",
            "[12:00:00] AT+QMTCONN=0,\"+49123\"",
            "+QMTRECV: 0,0,\"t\",\"AT+CSQ\"",
            "10:00:05.9,RX,OK",
            "+QIRD: 41 42 43 44 45 46",
            "12 34 56 78 90 12 34",
            "| --- | --- |",
            "RX 80 81 82",
        ] {
            assert_eq!(plain(line), line);
        }
    }
}
