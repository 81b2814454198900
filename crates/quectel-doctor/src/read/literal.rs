//! Control characters as tools and source code spell them: `\r`, `<CR>`, `b'…'`, `"AT\r\n"`, lists.

use std::borrow::Cow;

use super::token::{command_at, information_at, is_token_start};

/// What a line's text stands for.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Content<'a> {
    /// One line, whose end is the line's end.
    Line(Cow<'a, str>),
    /// Bytes with CR, LF and Ctrl-Z spelt out: a line ends only there.
    Stream(String),
    /// Lines that a program collected, or string literals of source code.
    Lines { lines: Vec<String>, source: bool },
}

/// Reads the text of a line; `record` says that a framework logged a piece of a byte stream.
pub(crate) fn expand(text: &str, record: bool) -> Content<'_> {
    if record {
        return Content::Stream(unescape(&unmark(text)).into_owned());
    }
    if let Some(lines) = list(text) {
        return Content::Lines {
            lines,
            source: false,
        };
    }
    if let Some(body) = bytes_literal(text) {
        return Content::Stream(unescape(body).into_owned());
    }
    if let Some(lines) = string_literals(text) {
        return Content::Lines {
            lines,
            source: true,
        };
    }
    let marked = unmark(text);
    let escaped = has_escape(&marked);
    let plain = if escaped {
        unescape(&marked)
    } else {
        Cow::Borrowed(marked.as_ref())
    };
    if plain.contains(['\r', '\n', '\u{1A}']) {
        return Content::Stream(plain.into_owned());
    }
    if plain == text {
        Content::Line(Cow::Borrowed(text))
    } else {
        Content::Line(Cow::Owned(plain.into_owned()))
    }
}

fn has_escape(text: &str) -> bool {
    text.contains('\\')
        && ["\\r", "\\n", "\\\"", "\\x", "\\u00", "\\u{", "\\?"]
            .iter()
            .any(|known| text.contains(known))
}

/// Resolves `\r`, `\n`, `\"`, `\x1a` and the like.
pub(crate) fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        out.push_str(before);
        let mut after = escape.chars();
        after.next();
        match after.next() {
            Some('r') => out.push('\r'),
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some(c @ ('"' | '\'' | '\\' | '?')) => out.push(c),
            Some('x') => match hex(after.as_str(), 2) {
                Some((value, left)) => {
                    out.push(value);
                    rest = left;
                    continue;
                }
                None => out.push_str("\\x"),
            },
            Some('u') => match braced(after.as_str()).or_else(|| hex(after.as_str(), 4)) {
                Some((value, left)) => {
                    out.push(value);
                    rest = left;
                    continue;
                }
                None => out.push_str("\\u"),
            },
            Some('0') if after.as_str().starts_with("32") => {
                out.push('\u{1A}');
                rest = after.as_str().get(2..).unwrap_or_default();
                continue;
            }
            Some('0') => {}
            Some(c) => {
                out.push('\\');
                out.push(c);
            }
            None => out.push('\\'),
        }
        rest = after.as_str();
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// `{1a}` of Rust's `\u{1a}`.
fn braced(text: &str) -> Option<(char, &str)> {
    let (digits, rest) = text.strip_prefix('{')?.split_once('}')?;
    let (value, none) = hex(digits, digits.len())?;
    none.is_empty().then_some((value, rest))
}

fn hex(text: &str, digits: usize) -> Option<(char, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    let value = u32::from_str_radix(number, 16).ok()?;
    Some((char::from_u32(value)?, rest))
}

/// `<CR>`, `<LF>`, `<ln>`, `<SUB>`, `[CR]`, `{LF}`, `<0D>` become the characters.
fn unmark(text: &str) -> Cow<'_, str> {
    if !text.contains(['<', '[', '{', '\u{240D}', '\u{240A}', '\u{241A}']) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut changed = false;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let symbol = match c {
            '\u{240D}' => Some(('\r', c.len_utf8())),
            '\u{240A}' => Some(('\n', c.len_utf8())),
            '\u{241A}' => Some(('\u{1A}', c.len_utf8())),
            '<' => marker(rest, '>'),
            '[' => marker(rest, ']'),
            // The braces of `\u{1a}` belong to that escape.
            '{' if !out.ends_with("\\u") => marker(rest, '}'),
            _ => None,
        };
        let (character, taken) = symbol.unwrap_or_else(|| (c, c.len_utf8()));
        changed |= symbol.is_some();
        out.push(character);
        rest = rest.get(taken..).unwrap_or_default();
    }
    if changed {
        Cow::Owned(out)
    } else {
        Cow::Borrowed(text)
    }
}

fn marker(text: &str, close: char) -> Option<(char, usize)> {
    let inner = text.get(1..)?;
    let end = inner.char_indices().take(8).find(|(_, c)| *c == close)?.0;
    let name = inner.get(..end)?;
    let is = |names: &[&str]| names.iter().any(|known| name.eq_ignore_ascii_case(known));
    let character = if is(&["cr", "0d", "0x0d", "\\r"]) {
        '\r'
    } else if is(&["lf", "ln", "nl", "0a", "0x0a", "\\n"]) {
        '\n'
    } else if is(&[
        "sub", "1a", "0x1a", "ctrl+z", "ctrl-z", "ctrl z", "ctrlz", "eof",
    ]) {
        '\u{1A}'
    } else {
        return None;
    };
    Some((character, end + 2))
}

/// The strings of `['+QMTOPEN: 0,0', 'OK']`, when one of them is a line of a dialogue.
fn list(text: &str) -> Option<Vec<String>> {
    let start = text.find("['").or_else(|| text.find("[\""))?;
    let mut rest = text.get(start + 1..)?;
    let mut lines = Vec::new();
    loop {
        rest = rest.trim_start().trim_start_matches(',').trim_start();
        rest = rest
            .strip_prefix(['b', 'u', 'r'])
            .filter(|next| next.starts_with(['\'', '"']))
            .unwrap_or(rest);
        let Some(quote) = rest.chars().next().filter(|c| matches!(c, '\'' | '"')) else {
            break;
        };
        let body = rest.get(1..)?;
        let end = unescaped(body, quote)?;
        lines.push(unescape(body.get(..end)?).into_owned());
        rest = body.get(end + 1..)?;
    }
    let answers = text.contains("response") || lines.iter().any(|line| is_token_start(line.trim()));
    (answers && !lines.is_empty()).then_some(lines)
}

/// The position of the first `quote` that no backslash stands before.
fn unescaped(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == quote {
            return Some(at);
        }
    }
    None
}

/// The inside of Python's `b'…'`.
fn bytes_literal(text: &str) -> Option<&str> {
    for opening in ["b'", "b\""] {
        let Some(at) = text.find(opening) else {
            continue;
        };
        let before = text.get(..at)?.chars().next_back();
        if before.is_some_and(|c| c.is_alphanumeric()) {
            continue;
        }
        let body = text.get(at + 2..)?;
        let end = unescaped(body, opening.chars().next_back()?)?;
        return body.get(..end);
    }
    None
}

/// A line that is one element of a list in source code: `"AT+QMTCFG=\\"ssl\\",0,1,2",`.
pub(crate) fn is_whole_literal(text: &str) -> bool {
    let Some(body) = text.strip_prefix('"') else {
        return false;
    };
    let Some(end) = unescaped(body, '"') else {
        return false;
    };
    let (inside, after) = body.split_at_checked(end).unwrap_or((body, ""));
    let after = after.strip_prefix('"').unwrap_or(after).trim();
    match after.split("//").next().unwrap_or(after).trim() {
        "" => inside.contains('\\'),
        "," | ";" | ")" | ");" | "}" | "};" | "}," => true,
        _ => false,
    }
}

/// The commands inside string literals of source code.
fn string_literals(text: &str) -> Option<Vec<String>> {
    // `+COPS: 0,0,"AT&T",7` is an answer, and `AT+QFUPL="AT+X"` a command, whatever stands in their quotes.
    if is_token_start(text.trim_start()) {
        return None;
    }
    let whole = is_whole_literal(text.trim());
    let mut lines: Vec<String> = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['"', '\'']) {
        let (before, quoted) = rest.split_at(at);
        let quote = quoted.chars().next()?;
        let body = quoted.get(1..)?;
        let Some(end) = unescaped(body, quote) else {
            break;
        };
        let inside = body.get(..end)?;
        let escaped = inside.contains('\\');
        let plain = unescape(inside);
        let command = command_at(&plain).is_some() || information_at(&plain).is_some();
        let format = lines.last_mut().filter(|line| line.contains("%s"));
        if let (false, Some(line)) = (command, format) {
            *line = line.replacen("%s", &plain, 1);
        } else if command
            && (whole || escaped || code_before(before))
            && (whole || escaped || at > 0 || !lines.is_empty())
        {
            lines.push(plain.trim_end_matches(['\r', '\n']).to_owned());
        }
        rest = body.get(end + 1..)?;
    }
    (!lines.is_empty()).then_some(lines)
}

fn code_before(before: &str) -> bool {
    let trimmed = before.trim_end();
    trimmed.ends_with(['(', ',', '=', '{', '[', '&'])
        || trimmed.starts_with("#define")
        || trimmed.contains("char ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(lines: &[&str], source: bool) -> Content<'static> {
        Content::Lines {
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            source,
        }
    }

    #[test]
    fn streams_are_spelt_in_many_ways() {
        for (text, record, expected) in [
            ("ATI<CR>", false, "ATI\r"),
            ("<cr><ln>+CSQ: 25", true, "\r\n+CSQ: 25"),
            ("{\"t\":21.5}<SUB>", false, "{\"t\":21.5}\u{1A}"),
            ("AT+QFUPL=\\\"a\\\",1,2\\r", true, "AT+QFUPL=\"a\",1,2\r"),
            ("\\r\\nOK\\r\\n", false, "\r\nOK\r\n"),
            (
                "Sent: b'AT+QMTOPEN=0,\"h\",8883\\r\\n'",
                false,
                "AT+QMTOPEN=0,\"h\",8883\r\n",
            ),
            ("1", true, "1"),
        ] {
            assert_eq!(
                expand(text, record),
                Content::Stream(expected.to_owned()),
                "{text}"
            );
        }
    }

    #[test]
    fn programs_print_lists() {
        assert_eq!(
            expand(
                "Result: {'status': 1, 'response': ['+QMTCONN: 0,0,2', '+QMTSTAT: 0,4'], 'interval': 0}",
                false
            ),
            lines(&["+QMTCONN: 0,0,2", "+QMTSTAT: 0,4"], false)
        );
        assert_eq!(
            expand("a ['x', 'y']", false),
            Content::Line("a ['x', 'y']".into())
        );
    }

    #[test]
    fn source_code_holds_commands() {
        for (text, expected) in [
            (
                "sendAT(\"AT+QSSLCFG=\\\"sni\\\",2,1\\r\\n\");",
                &["AT+QSSLCFG=\"sni\",2,1"][..],
            ),
            ("#define RESET \"AT+CFUN=1,1\\r\\n\"", &["AT+CFUN=1,1"]),
            ("static char *c[] = {\"AT\", \"ATE0\"};", &["AT", "ATE0"]),
        ] {
            assert_eq!(expand(text, false), lines(expected, true), "{text}");
        }
    }

    #[test]
    fn ordinary_lines_stay_as_they_are() {
        for text in [
            "AT+QMTOPEN=0,\"a\",8883",
            "+QMTRECV: 0,0,\"t\",\"{\"a\":1}\"",
            "<private_key.pem>",
            "[private broker]",
            "+COPS: 0,0,\"AT&T 4G\",8",
        ] {
            assert_eq!(expand(text, false), Content::Line(text.into()));
        }
        assert_eq!(
            expand("AT+QMTCFG=\\\"ssl\\\",0", false),
            Content::Line("AT+QMTCFG=\"ssl\",0".into())
        );
    }
}
