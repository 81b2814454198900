//! What the two sides of an AT dialogue say: where a command, an information line or a final result begins.

/// A word of the module that is a line of its own.
const WORDS: &[&str] = &[
    "OK",
    "ERROR",
    "CONNECT",
    "SEND OK",
    "SEND FAIL",
    "NO CARRIER",
    "RDY",
    "APP RDY",
    "POWERED DOWN",
    "NORMAL POWER DOWN",
    "PSM POWER DOWN",
    "SMS DONE",
    "PB DONE",
    "Call Ready",
    "SMS Ready",
    "*ATREADY: 1",
];

/// `text` begins with something that one side of the dialogue says.
pub(crate) fn is_token_start(text: &str) -> bool {
    command_at(text).is_some() || information_at(text).is_some() || word_at(text).is_some()
}

/// The word of the module that `text` begins with and that a line end, a blank or `+`, `A`, `<` follows.
pub(crate) fn word_at(text: &str) -> Option<&'static str> {
    let word = WORDS.iter().rev().find(|word| text.starts_with(**word))?;
    let rest = text.get(word.len()..)?;
    let ends = match rest.as_bytes().first() {
        None | Some(b'\r' | b'\n' | b'\\' | b'<' | b'+') => true,
        Some(b' ') => is_end_or_token(rest.trim_start(), word),
        Some(_) => command_at(rest).is_some(),
    };
    ends.then_some(*word)
}

/// After `OK ` in prose comes a word; after `OK ` in a log nothing, a number for CONNECT, or the next token.
fn is_end_or_token(rest: &str, word: &str) -> bool {
    rest.is_empty()
        || ["//", "->", "<-", "=>", ";", "|"]
            .iter()
            .any(|next| rest.starts_with(next))
        || rest.starts_with("# ")
        || rest.starts_with('+')
        || rest.starts_with('(')
        || command_at(rest).is_some()
        || WORDS.contains(&rest)
        || (word == "CONNECT" && rest.bytes().all(|b| b.is_ascii_digit()))
}

/// The name of the information line that `text` begins with: `+QMTOPEN: 0,-1`, also `+QMTOPEN : 0, -1`.
pub(crate) fn information_at(text: &str) -> Option<(&str, &str)> {
    let body = text.strip_prefix(['+', '^'])?;
    let end = body.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))?;
    if !(2..=16).contains(&end) || !body.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let (name, rest) = body.split_at_checked(end)?;
    let capitals = name.bytes().filter(u8::is_ascii_uppercase).count();
    let known = name
        .get(..1)
        .is_some_and(|c| c.eq_ignore_ascii_case("q") || c.eq_ignore_ascii_case("c"));
    if capitals * 2 < name.len() && !known {
        return None;
    }
    if name.eq_ignore_ascii_case("CME") || name.eq_ignore_ascii_case("CMS") {
        let after = rest.trim_start();
        let after = after
            .get(..5)
            .filter(|word| word.eq_ignore_ascii_case("ERROR"))
            .and_then(|_| after.get(5..))?;
        return Some((
            name,
            after
                .trim_start()
                .strip_prefix(':')
                .unwrap_or(after)
                .trim_start(),
        ));
    }
    if name == "APP" {
        return rest
            .trim_start()
            .starts_with("PDP")
            .then(|| (name, rest.trim_start()));
    }
    let value = rest.trim_start().strip_prefix(':')?;
    Some((name, value.trim_start()))
}

/// The length of the command head (`AT+QMTCFG`, `ATI`, `AT`) that `text` begins with.
pub(crate) fn command_at(text: &str) -> Option<usize> {
    if !text.get(..2)?.eq_ignore_ascii_case("AT") {
        return None;
    }
    let rest = text.get(2..)?;
    let upper = text.starts_with('A');
    let Some(first) = rest.bytes().next() else {
        return Some(2);
    };
    if is_pem_body(text) {
        return None;
    }
    match first {
        b'+' | b'&' | b'^' | b'$' | b'*' | b'#' | b'%' | b'!' => {
            let name = rest.get(1..)?;
            let letters = name
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(name.len());
            let named = letters > 0 && name.starts_with(|c: char| c.is_ascii_alphabetic());
            named.then_some(3 + letters)
        }
        b'\r' | b'\n' | b'\\' | b'<' => Some(2),
        _ => basic_command(rest, upper),
    }
}

/// No command without parameters is as long as a line of a PEM body.
const LONG_LINE: usize = 40;

/// A line of a PEM body of at least so many characters, whatever words it happens to have in it.
pub(crate) fn is_base64_line(text: &str, length: usize) -> bool {
    let text = text.trim_end();
    let body = text.trim_end_matches('=');
    text.len() >= length
        && text.len().is_multiple_of(4)
        && text.len() - body.len() <= 2
        && body
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'))
}

/// A line of a PEM body that begins with `AT`: as long as none without parameters, or the last one, which may be short:
/// no command ends with its padding.
fn is_pem_body(text: &str) -> bool {
    let text = text.trim_end();
    is_base64_line(text, LONG_LINE)
        || text.ends_with("==") && is_base64_line(text, 8)
        || text.ends_with('=') && is_base64_line(text, 24)
}

/// `ATI`, `ATE0`, `ATZ`, `ATV1`…: a letter, perhaps a digit, and then the end or the next basic command.
fn basic_command(rest: &str, upper: bool) -> Option<usize> {
    let bytes = rest.as_bytes();
    let letter = bytes.first()?.to_ascii_uppercase();
    if !b"IEZVQHOADSX".contains(&letter) {
        return None;
    }
    let digits = bytes
        .iter()
        .skip(1)
        .take_while(|b| b.is_ascii_digit())
        .count();
    let after = bytes.get(1 + digits);
    let ends = match after {
        None | Some(b'\r' | b'\n' | b'\\' | b'<' | b'&' | b'+' | b';' | b'=' | b'?') => true,
        Some(b' ') => {
            let more = rest.get(1 + digits..).unwrap_or_default().trim();
            let identity = letter == b'I'
                && (more.starts_with("Quectel")
                    || more.starts_with("SIMCOM")
                    || more.contains("Revision:"));
            more.is_empty()
                || (upper && (digits > 0 || identity || more == "OK" || more == "ERROR"))
        }
        Some(_) => false,
    };
    ends.then_some(3 + digits)
}

/// Where in `text` the next glued command or information line begins, after the first byte, outside quotes.
pub(crate) fn glued_at(text: &str) -> Option<usize> {
    let mut quoted = false;
    // An odd number of quotes means that one was lost; then they say nothing about what is inside.
    let trust_quotes = text.bytes().filter(|b| *b == b'"').count() % 2 == 0;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if c == '"' && trust_quotes {
            quoted = !quoted;
        }
        if at > 0 && !quoted && begins_glued(text.get(at..)?, before) {
            return Some(at);
        }
        before = c;
    }
    None
}

fn begins_glued(rest: &str, before: char) -> bool {
    match rest.bytes().next() {
        Some(b'A' | b'a') => {
            let extended = matches!(rest.as_bytes().get(2), Some(b'+' | b'&'));
            extended
                && command_at(rest).is_some()
                && !(before == '=' || before == '"' || before == '\'')
        }
        Some(b'+') => {
            information_at(rest).is_some() && before != ';' && !before.is_ascii_alphabetic()
        }
        Some(b'O') => before == ' ' && (rest.trim_end() == "OK" || rest.starts_with("OK +")),
        Some(b'E') => before == ' ' && rest.trim_end() == "ERROR",
        Some(b'C') => {
            before == ' ' && (rest.trim_end() == "CONNECT" || rest.starts_with("CONNECT +"))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_recognised() {
        for (text, head) in [
            ("AT", Some(2)),
            ("at", Some(2)),
            ("ATI", Some(3)),
            ("ATE0", Some(4)),
            ("AT&FZE0", Some(7)),
            ("AT+QMTCFG=\"ssl\",0", Some(9)),
            ("at+cgreg?;+creg?", Some(8)),
            ("ATTENTION", None),
            ("at the moment", None),
            ("AT command", None),
            ("ATM is", None),
            ("AT+", None),
            ("AT\\r", Some(2)),
            // The last lines of keys.
            ("aTd00+0+AA0Aa0a+AA==", None),
            ("AT+abcdefghijklmno==", None),
            // A line of one.
            (
                "ATD0+AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
                None,
            ),
        ] {
            assert_eq!(command_at(text), head, "{text}");
        }
    }

    #[test]
    fn information_lines_are_recognised() {
        for (text, expected) in [
            ("+QMTOPEN: 0,-1", Some(("QMTOPEN", "0,-1"))),
            ("+QMTOPEN : 0, -1", Some(("QMTOPEN", "0, -1"))),
            ("+CME ERROR: 407", Some(("CME", "407"))),
            ("+CME ERROR 407", Some(("CME", "407"))),
            ("+APP PDP: ACTIVE", Some(("APP", "PDP: ACTIVE"))),
            ("+1 for this: yes", None),
            ("+a: b", None),
            ("+Support for this", None),
        ] {
            assert_eq!(information_at(text), expected, "{text}");
        }
    }

    #[test]
    fn words_in_prose_are_no_results() {
        for (text, expected) in [
            ("OK", Some("OK")),
            ("OK, thank you", None),
            ("OK I see", None),
            ("OK +QMTDISC: 0,0", Some("OK")),
            ("OKAT+CGPADDR=1", Some("OK")),
            ("CONNECT 150", Some("CONNECT")),
            ("Connect to Azure", None),
            ("ERROR: none", None),
            ("APP RDY", Some("APP RDY")),
        ] {
            assert_eq!(word_at(text), expected, "{text}");
        }
    }

    #[test]
    fn glue_is_found_outside_quotes() {
        for (text, at) in [
            ("+NETOPEN: 0AT+IPADDR", Some(11)),
            ("+CPIN: READY OK", Some(13)),
            ("SEND OKAT+QIRD=0,0", Some(7)),
            ("AT+QMTPUBEX=0,0,0,0,\"t\",\"AT+QMTOPEN\"", None),
            ("at+cgreg?;+creg?;+cereg?", None),
            ("+QMTCONN: 0,0,5 +QMTSTAT: 0,4", Some(16)),
        ] {
            assert_eq!(glued_at(text), at, "{text}");
        }
    }
}
