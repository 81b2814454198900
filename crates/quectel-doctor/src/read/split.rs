//! One line of text into the things that were said in it, also when they are glued together.

use super::token::{command_at, glued_at, information_at, is_base64_line, is_token_start, word_at};

/// What was said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Said<'a> {
    /// A command line from the host, or its echo.
    Command(&'a str),
    /// An information line or URC: its name in capitals as it stood, and its value.
    Information {
        /// `QMTOPEN`.
        name: &'a str,
        /// `0,-1`.
        value: &'a str,
    },
    /// A final result code.
    Result(Final<'a>),
    /// The module started or went down.
    Boot(Boot),
    /// `>`.
    Prompt,
    /// Anything else: payload, a file's contents, identity, prose.
    Text(&'a str),
}

/// A final result code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Final<'a> {
    Ok,
    Error,
    /// `+CME ERROR: <number or words>`, also `+CMS ERROR`.
    Cme(&'a str),
    /// Data mode; the final result comes after the data.
    Connect,
    SendOk,
    SendFail,
    NoCarrier,
}

/// Lines of a module that starts or stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Boot {
    /// `RDY`.
    Ready,
    /// `APP RDY`, `*ATREADY: 1`: later in the same start.
    AppReady,
    /// `POWERED DOWN`, `NORMAL POWER DOWN`, `PSM POWER DOWN`.
    Down,
}

/// Calls `say` for everything in `line`, in order.
pub(crate) fn split<'a>(line: &'a str, say: &mut dyn FnMut(Said<'a>)) {
    let mut rest = line;
    // Every step takes at least one byte; the bound is for lines that are nothing but glue.
    for _ in 0..64 {
        let text = rest.trim().trim_start_matches([';', '|']).trim_start();
        if text.is_empty() {
            return;
        }
        rest = step(text, say);
    }
}

fn step<'a>(text: &'a str, say: &mut dyn FnMut(Said<'a>)) -> &'a str {
    if ["//", "# ", "/*"]
        .iter()
        .any(|comment| text.starts_with(comment))
    {
        return "";
    }
    if let Some(after) = answer_arrow(text).or_else(|| text.strip_prefix("->  ")) {
        return after;
    }
    if let Some(after) = text.strip_prefix('>') {
        say(Said::Prompt);
        return payload(after, say);
    }
    if let Some(head) = command_at(text) {
        let end = command_end(text, head);
        let (command, rest) = text.split_at_checked(end).unwrap_or((text, ""));
        say(Said::Command(trim_command(command)));
        return if rest.starts_with('(') { "" } else { rest };
    }
    if let Some((name, value)) = information_at(text) {
        return information(text, name, value, say);
    }
    if let Some(word) = word_at(text) {
        let rest = text.get(word.len()..).unwrap_or_default();
        say(said_word(word));
        let rest = without_comment(rest);
        return if word == "CONNECT" {
            rest.trim_start()
                .trim_start_matches(|c: char| c.is_ascii_digit())
        } else {
            rest
        };
    }
    let end = glued_in_text(text).unwrap_or(text.len());
    let (said, rest) = text.split_at_checked(end).unwrap_or((text, ""));
    say(Said::Text(said.trim_end()));
    rest
}

fn said_word(word: &'static str) -> Said<'static> {
    match word {
        "OK" => Said::Result(Final::Ok),
        "ERROR" => Said::Result(Final::Error),
        "CONNECT" => Said::Result(Final::Connect),
        "SEND OK" => Said::Result(Final::SendOk),
        "SEND FAIL" => Said::Result(Final::SendFail),
        "NO CARRIER" => Said::Result(Final::NoCarrier),
        "RDY" => Said::Boot(Boot::Ready),
        "APP RDY" | "*ATREADY: 1" => Said::Boot(Boot::AppReady),
        "POWERED DOWN" | "NORMAL POWER DOWN" | "PSM POWER DOWN" => Said::Boot(Boot::Down),
        other => Said::Text(other),
    }
}

/// Payload behind a prompt on the same line, and the result that was glued to it.
fn payload<'a>(after: &'a str, say: &mut dyn FnMut(Said<'a>)) -> &'a str {
    let text = after.trim_start_matches('>');
    let text = text.strip_prefix(' ').unwrap_or(text);
    let text = text.trim_start_matches("> ");
    let trimmed = text.trim_end();
    if trimmed.is_empty() || is_token_start(trimmed) {
        return text;
    }
    for (tail, length) in [(" OK", 3), (" ERROR", 6)] {
        if trimmed.ends_with(tail)
            && let Some((body, rest)) = trimmed.split_at_checked(trimmed.len() - length)
        {
            say(Said::Text(body));
            return rest;
        }
    }
    say(Said::Text(text));
    ""
}

fn information<'a>(
    text: &'a str,
    name: &'a str,
    value: &'a str,
    say: &mut dyn FnMut(Said<'a>),
) -> &'a str {
    // A message may hold anything; only its end is the line's end.
    let whole = ["QMTRECV", "QIURC", "QSSLURC", "CMQTTRXPAYLOAD", "QIRD"]
        .iter()
        .any(|n| name.eq_ignore_ascii_case(n));
    let end = if whole { None } else { glued_at(text) };
    let (line, rest) = text
        .split_at_checked(end.unwrap_or(text.len()))
        .unwrap_or((text, ""));
    let offset = text.len() - value.len();
    let value = without_comment(line.get(offset..).unwrap_or_default()).trim();
    let value = ["->", "<-", "=>", "\u{2192}"]
        .iter()
        .find_map(|arrow| value.strip_suffix(arrow))
        .map_or(value, str::trim_end);
    if name.eq_ignore_ascii_case("CME") || name.eq_ignore_ascii_case("CMS") {
        say(Said::Result(Final::Cme(value)));
    } else {
        say(Said::Information { name, value });
    }
    rest
}

/// `->`, `<-` and the like between a command and its answer on one line.
fn answer_arrow(text: &str) -> Option<&str> {
    [
        "-->", "<--", "->", "<-", "=>", "<=", "\u{2192}", "\u{2190}", "..", "--",
    ]
    .iter()
    .find_map(|arrow| text.strip_prefix(arrow))
    .filter(|after| is_token_start(after.trim_start()) || after.trim().is_empty())
}

/// The end of the command that `text` begins with: an answer, an arrow or a comment on the same line.
fn command_end(text: &str, head: usize) -> usize {
    let glued = glued_at(text).unwrap_or(text.len());
    let mut quoted = false;
    let trust_quotes = text.bytes().filter(|b| *b == b'"').count() % 2 == 0;
    let bytes = text.as_bytes();
    // `AT+QGMR EG800K… OK`: a command without parameters ends at its name.
    let after = text.get(head..).unwrap_or_default();
    let next = after.trim_start().bytes().next();
    if after.starts_with(' ') && !matches!(next, Some(b'=' | b'?' | b';' | b',')) {
        return head;
    }
    for (at, byte) in bytes.iter().enumerate().skip(head) {
        if at >= glued {
            break;
        }
        if *byte == b'"' && trust_quotes {
            quoted = !quoted;
        }
        let blank_before = at > 0 && bytes.get(at - 1).is_some_and(u8::is_ascii_whitespace);
        if quoted || !blank_before || !text.is_char_boundary(at) {
            continue;
        }
        let rest = text.get(at..).unwrap_or_default();
        let comment = rest.starts_with("//") || rest.starts_with("# ") || rest.starts_with("/*");
        if comment || answer_arrow(rest).is_some() || rest.starts_with('\u{2192}') {
            return at;
        }
        let aside = rest.starts_with('(')
            && at >= 2
            && bytes.get(at - 2).is_some_and(u8::is_ascii_whitespace);
        if aside {
            return at;
        }
    }
    glued
}

fn without_comment(text: &str) -> &str {
    let comment = [" //", "\t//", " # ", "   ("]
        .iter()
        .filter_map(|mark| text.find(mark))
        .min();
    text.get(..comment.unwrap_or(text.len())).unwrap_or(text)
}

/// A command without what markdown and source code left behind it.
fn trim_command(command: &str) -> &str {
    let mut text = command.trim().trim_end_matches(['`', '\\']).trim_end();
    text = text.strip_suffix("**").unwrap_or(text);
    let quotes = text.bytes().filter(|b| *b == b'"').count();
    let lone = quotes == 1 && text.ends_with('"');
    let text = if lone {
        text.trim_end_matches('"')
    } else {
        text
    };
    let text = text
        .strip_suffix('\'')
        .filter(|t| !t.contains('\''))
        .unwrap_or(text);
    text.strip_suffix(';').unwrap_or(text).trim_end()
}

/// Something glued to other text: `<root.pem> +QFUPL: 1758,384a`, `Signal Quality:27AT+CGREG?`.
fn glued_in_text(text: &str) -> Option<usize> {
    if is_base64_line(text, 16) {
        return None;
    }
    if text.starts_with('<') || text.starts_with('[') {
        let close = text.find(['>', ']'])?;
        let after = text.get(close + 1..)?;
        let token = after.trim_start();
        return is_token_start(token).then(|| text.len() - token.len());
    }
    // `EG800K…   ->  OK`
    if let Some(at) = text.find("  -> ")
        && text
            .get(at..)
            .is_some_and(|rest| answer_arrow(rest.trim_start()).is_some())
    {
        return Some(at + 2);
    }
    if let Some(at) = text.find(" OK +").filter(|at| {
        text.get(at + 4..)
            .is_some_and(|rest| information_at(rest).is_some())
    }) {
        return Some(at + 1);
    }
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        if c == 'A' && before.is_ascii_alphanumeric() {
            let rest = text.get(at..)?;
            if rest.starts_with("AT+") && command_at(rest).is_some() {
                return Some(at);
            }
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(line: &str) -> Vec<Said<'_>> {
        let mut all = Vec::new();
        split(line, &mut |said| all.push(said));
        all
    }

    fn info<'a>(name: &'a str, value: &'a str) -> Said<'a> {
        Said::Information { name, value }
    }

    #[test]
    fn glued_lines_come_apart() {
        use Said::{Command, Prompt, Result, Text};
        let ok = || Result(Final::Ok);
        for (line, expected) in [
            ("AT+CSQ", vec![Command("AT+CSQ")]),
            ("+CPIN: READY OK", vec![info("CPIN", "READY"), ok()]),
            ("OK +QMTDISC: 0,0", vec![ok(), info("QMTDISC", "0,0")]),
            (
                "+NETOPEN: 0AT+IPADDR",
                vec![info("NETOPEN", "0"), Command("AT+IPADDR")],
            ),
            (
                "SEND OKAT+QIRD=0,0",
                vec![Result(Final::SendOk), Command("AT+QIRD=0,0")],
            ),
            (
                "<root.pem data> +QFUPL: 1758,384a",
                vec![Text("<root.pem data>"), info("QFUPL", "1758,384a")],
            ),
            (
                "CONNECT +QFUPL: 1280,4f54",
                vec![Result(Final::Connect), info("QFUPL", "1280,4f54")],
            ),
            (">This is data OK", vec![Prompt, Text("This is data"), ok()]),
            ("> 0123456789", vec![Prompt, Text("0123456789")]),
            (">", vec![Prompt]),
            (
                "Signal Quality:27AT+CGREG?",
                vec![Text("Signal Quality:27"), Command("AT+CGREG?")],
            ),
            (
                "+CPIN: READYAT+QICSGP=1,1,\"Z\"",
                vec![info("CPIN", "READY"), Command("AT+QICSGP=1,1,\"Z\"")],
            ),
            (
                "AT+QMTDISC=0 OK +QMTDISC: 0,0",
                vec![Command("AT+QMTDISC=0"), ok(), info("QMTDISC", "0,0")],
            ),
            (
                "AT+CSQ  ->  +CSQ: 20,99",
                vec![Command("AT+CSQ"), info("CSQ", "20,99")],
            ),
            ("AT+CREG? //wait until home", vec![Command("AT+CREG?")]),
            ("+CME ERROR: 407", vec![Result(Final::Cme("407"))]),
            (
                "+QMTCONN: 0,0,5 +QMTSTAT: 0,4",
                vec![info("QMTCONN", "0,0,5"), info("QMTSTAT", "0,4")],
            ),
            ("at+cgreg?;+creg?", vec![Command("at+cgreg?;+creg?")]),
            ("APP RDY", vec![Said::Boot(Boot::AppReady)]),
            (
                "AT+QMTOPEN=0, \"h\",8883",
                vec![Command("AT+QMTOPEN=0, \"h\",8883")],
            ),
        ] {
            assert_eq!(said(line), expected, "{line}");
        }
    }

    #[test]
    fn messages_and_prose_stay_whole() {
        for line in [
            "+QMTRECV: 0,0,\"t\",\"{\"a\":\"AT+CSQ\"} OK\"",
            "APN OK: The IP address is 100.110.43.143",
            "I enable it using AT+QMTCFG=\"ssl\",0,1,2 as you said",
            "Any idea what I do wrong?",
            "AAAA+/00a0AAaAT+Aa==",
            "AT+abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ012345678",
        ] {
            assert_eq!(said(line).len(), 1, "{line}");
        }
    }
}
