//! Which side a line comes from: arrows of every length, `TX` and `RX` and their like.

use super::token::is_token_start;

/// Which side wrote the line, as far as the tool says; only a hint, the content decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Host,
    Module,
}

const ARROWS: &[(&str, Side)] = &[
    ("--->", Side::Host),
    ("<---", Side::Module),
    ("==>", Side::Host),
    ("<==", Side::Module),
    ("-->", Side::Host),
    ("<--", Side::Module),
    (">>>", Side::Host),
    ("<<<", Side::Module),
    ("->", Side::Host),
    ("<-", Side::Module),
    ("=>", Side::Host),
    ("<=", Side::Module),
    (">>", Side::Host),
    ("<<", Side::Module),
    ("\u{BB}", Side::Host),
    ("\u{AB}", Side::Module),
    ("\u{2192}", Side::Host),
    ("\u{2190}", Side::Module),
];

pub(super) fn arrow(text: &str) -> Option<(Side, &str)> {
    if let Some((arrow, side)) = ARROWS.iter().find(|(arrow, _)| text.starts_with(arrow)) {
        return Some((*side, text.get(arrow.len()..)?));
    }
    // A lone `>` in front of anything but a command is the module's prompt; mail quotes with several.
    if text.starts_with('>') {
        let rest = text.trim_start_matches(['>', ' ']);
        return is_token_start(rest).then_some((Side::Host, rest));
    }
    let rest = text.strip_prefix('<')?;
    (rest.is_empty() || rest.starts_with(char::is_whitespace) || is_token_start(rest))
        .then_some((Side::Module, rest))
}

/// `gw modem[123]: >> AT`: a host, a program and a process in front of an arrow and a token.
pub(super) fn tagged_arrow(text: &str) -> Option<(Side, &str)> {
    const LONGEST_TAG: usize = 48;
    for (at, c) in text.char_indices().take(LONGEST_TAG) {
        if c == '"' {
            return None;
        }
        let rest = text.get(at..)?;
        let found = ARROWS.iter().find(|(arrow, _)| rest.starts_with(arrow));
        if let Some((arrow, side)) = found.filter(|_| at > 0) {
            let after = rest.get(arrow.len()..)?;
            return is_token_start(after.trim_start()).then_some((*side, after));
        }
    }
    None
}

pub(super) fn side_of_word(word: &str) -> Option<Side> {
    const HOST: &[&str] = &[
        "tx", "send", "sent", "sending", "cmd", "command", "req", "request", "out", "write", "dte",
        "host", "mcu", "s", "t", "at>>", "at->", "->", ">>", ">",
    ];
    const MODULE: &[&str] = &[
        "rx",
        "recv",
        "rcvd",
        "received",
        "receive",
        "receiving",
        "rsp",
        "resp",
        "response",
        "reply",
        "answer",
        "in",
        "read",
        "dce",
        "module",
        "modem",
        "r",
        "at<<",
        "at<-",
        "<-",
        "<<",
        "<",
        "urc",
    ];
    let is = |list: &[&str]| list.iter().any(|known| word.eq_ignore_ascii_case(known));
    if is(HOST) {
        Some(Side::Host)
    } else if is(MODULE) {
        Some(Side::Module)
    } else {
        None
    }
}

/// `TX:`, `[RX] -`, `(TX)`, `Sent:`, `TX ` in a column.
pub(super) fn direction_word(text: &str, prefixed: bool) -> Option<(Side, &str)> {
    let close = match text.as_bytes().first()? {
        b'[' => Some(']'),
        b'(' => Some(')'),
        b'{' => Some('}'),
        _ => None,
    };
    if let Some(close) = close {
        let (word, rest) = text.get(1..)?.split_once(close)?;
        return Some((side_of_word(word.trim().trim_end_matches(':'))?, rest));
    }
    let end = text.find(|c: char| !c.is_ascii_alphabetic())?;
    let (word, rest) = text.split_at_checked(end)?;
    let side = side_of_word(word)?;
    // `modem> ` is the prompt of a shell in front of both sides.
    let prompt = word.len() <= 2;
    let punctuated = rest
        .trim_start()
        .strip_prefix(':')
        .or_else(|| rest.strip_prefix('>').filter(|_| prompt));
    if let Some(rest) = punctuated {
        let named = word.len() > 1 || prefixed || is_token_start(rest.trim_start());
        return named.then_some((side, rest));
    }
    let column = word.len() >= 2 && word.bytes().all(|b| b.is_ascii_uppercase());
    let follows = prefixed || is_token_start(rest.trim_start());
    (column && follows && rest.starts_with([' ', '\t', ',', '|'])).then_some((side, rest))
}
