//! What tools print in front of the text of a line: stamps, levels, tags, arrows, columns.

use super::labels::{Labels, eat_label};
use super::side::{Side, arrow, direction_word, side_of_word, tagged_arrow};
use super::stamp::{eat_seconds, eat_stamp};
use super::token::is_token_start;
use crate::time::Stamp;

/// A line without its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stripped<'a> {
    pub(crate) stamp: Option<Stamp>,
    pub(crate) side: Option<Side>,
    /// The rest is a piece of a byte stream, not a line: it ends where its own CR and LF say.
    pub(crate) record: bool,
    /// Something was taken off.
    pub(crate) prefixed: bool,
    pub(crate) rest: &'a str,
}

/// Takes prefixes off until the text begins with something that a modem or its host says.
pub(crate) fn strip<'a>(line: &'a str, learned: &Labels) -> Stripped<'a> {
    let mut out = Stripped {
        stamp: None,
        side: None,
        record: false,
        prefixed: false,
        rest: line,
    };
    for _ in 0..10 {
        let text = out.rest.trim_start();
        if text.is_empty() || is_token_start(text) {
            out.rest = text;
            break;
        }
        let Some(piece) = piece(text, &out, learned) else {
            // Payload keeps its indentation when nothing stood in front of it.
            out.rest = if out.prefixed { text } else { out.rest };
            break;
        };
        out.prefixed = true;
        out.stamp = out.stamp.or(piece.stamp);
        out.side = piece.side.or(out.side);
        out.rest = piece.rest;
        if piece.record {
            out.record = true;
            break;
        }
    }
    out
}

#[derive(Clone, Copy)]
struct Piece<'a> {
    stamp: Option<Stamp>,
    side: Option<Side>,
    record: bool,
    rest: &'a str,
}

impl<'a> Piece<'a> {
    const fn plain(rest: &'a str) -> Self {
        Self {
            stamp: None,
            side: None,
            record: false,
            rest,
        }
    }

    const fn of(side: Side, rest: &'a str) -> Self {
        Self {
            stamp: None,
            side: Some(side),
            record: false,
            rest,
        }
    }
}

fn piece<'a>(text: &'a str, so_far: &Stripped<'_>, learned: &Labels) -> Option<Piece<'a>> {
    if let Some((side, rest)) = record(text) {
        return Some(Piece {
            stamp: None,
            side: Some(side),
            record: true,
            rest,
        });
    }
    if !so_far.prefixed
        && let Some(piece) = own_trace(text)
    {
        return Some(piece);
    }
    if let Some((taken, stamp)) = eat_stamp(text) {
        return Some(Piece {
            stamp: Some(stamp),
            side: None,
            record: false,
            rest: text.get(taken..)?,
        });
    }
    if let Some((side, rest)) = arrow(text).or_else(|| direction_word(text, so_far.prefixed)) {
        return Some(Piece::of(side, rest));
    }
    // PlatformIO's monitor puts `>` between its stamp and the program's own tag.
    if let Some(rest) = text.strip_prefix("> ").filter(|_| so_far.stamp.is_some())
        && eat_label(rest, true, learned).is_some()
    {
        return Some(Piece::plain(rest));
    }
    if so_far.stamp.is_some()
        && let Some(rest) = python_logging(text)
    {
        return Some(Piece::plain(rest));
    }
    if let Some((ticks, rest)) = esp_idf(text) {
        return Some(Piece {
            stamp: Some(Stamp::Ticks(ticks)),
            ..Piece::plain(rest)
        });
    }
    if so_far.prefixed
        && !learned.is_blind()
        && let Some((side, rest)) = tagged_arrow(text)
    {
        return Some(Piece::of(side, rest));
    }
    if let Some(rest) = level(text).or_else(|| bullet(text)) {
        return Some(Piece::plain(rest));
    }
    if let Some((side, rest)) = symbols(text, so_far.stamp.is_some()) {
        return Some(Piece {
            side,
            ..Piece::plain(rest)
        });
    }
    if so_far.prefixed
        && let Some(rest) = separator(text)
    {
        return Some(Piece::plain(rest));
    }
    eat_label(text, so_far.prefixed, learned).map(Piece::plain)
}

/// `[SEND][   3][AT\r]`, its remains after a CR moved the cursor, and `AT TX ( 2): AT`.
fn record(text: &str) -> Option<(Side, &str)> {
    let mangled = text
        .trim_start_matches("\\n")
        .trim_start_matches("\\r")
        .trim_start_matches("\\n");
    if let Some(rest) = mangled
        .strip_prefix("V]")
        .or_else(|| mangled.strip_prefix("CV]"))
    {
        return Some((Side::Module, record_body(rest)?));
    }
    if let Some(inner) = text.strip_prefix('[') {
        let (word, rest) = inner.split_once(']')?;
        return Some((side_of_word(word.trim())?, record_body(rest)?));
    }
    let rest = text.strip_prefix("AT ")?;
    let side = side_of_word(rest.get(..2)?)?;
    let counted = rest.get(2..)?.trim_start().strip_prefix('(')?;
    let (count, body) = counted.split_once("):")?;
    count
        .trim()
        .bytes()
        .all(|b| b.is_ascii_digit())
        .then_some(())?;
    Some((side, body.strip_prefix(' ').unwrap_or(body)))
}

/// After the direction: `[   3][AT\r]`, `[   9]AT\r`.
fn record_body(text: &str) -> Option<&str> {
    let (count, body) = text.strip_prefix('[')?.split_once(']')?;
    let digits = count.trim();
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    Some(match body.strip_prefix('[') {
        Some(inner) => inner.strip_suffix(']').unwrap_or(inner),
        None => body,
    })
}

/// `0.003 -> AT`, `1.019 < OK`, `0.000 ! RDY`: this project's traces, whose marks always say who speaks.
fn own_trace(text: &str) -> Option<Piece<'_>> {
    let (taken, stamp) = eat_seconds(text)?;
    let (mark, rest) = text.get(taken..)?.split_once(' ').unwrap_or_default();
    let side = match mark {
        "->" | ">" => Side::Host,
        _ => Side::Module,
    };
    Some(Piece {
        stamp: Some(stamp),
        ..Piece::of(side, rest)
    })
}

fn is_level(word: &str) -> bool {
    const LEVELS: &[&str] = &[
        "info", "debug", "dbg", "inf", "wrn", "warn", "warning", "err", "trace", "notice",
        "verbose", "log", "error", "i", "d", "w", "e", "v",
    ];
    let word = word.trim();
    LEVELS.iter().any(|known| word.eq_ignore_ascii_case(known))
}

/// `- modem - INFO - `, which Python's logging prints behind its stamp.
fn python_logging(text: &str) -> Option<&str> {
    let (first, rest) = text.strip_prefix("- ")?.split_once(" - ")?;
    let (second, rest) = rest.split_once(" - ")?;
    let name = |word: &str| word.len() <= 48 && !word.contains(['"', '=', '\'']);
    ((name(first) && is_level(second)) || (is_level(first) && name(second))).then_some(rest)
}

/// `INFO:`, `[DBG ]`, `<inf>`, `I (44731) SIM7600:`.
fn level(text: &str) -> Option<&str> {
    for (open, close) in [('[', ']'), ('<', '>'), ('(', ')')] {
        if let Some(inner) = text.strip_prefix(open) {
            let (word, rest) = inner.split_once(close)?;
            return is_level(word).then_some(rest);
        }
    }
    let end = text.find(|c: char| !c.is_ascii_alphabetic())?;
    let (word, rest) = text.split_at_checked(end)?;
    let rest = rest
        .strip_prefix([':', '|', '/'])
        .or_else(|| rest.strip_prefix(" - "))?;
    (is_level(word) && !rest.trim().is_empty()).then_some(rest)
}

/// `I (44731) SIM7600: `: milliseconds since the start, and the rest.
fn esp_idf(text: &str) -> Option<(i64, &str)> {
    let rest = text.get(1..)?.strip_prefix(" (")?;
    "IDWEV".contains(text.chars().next()?).then_some(())?;
    let (ticks, rest) = rest.split_once(") ")?;
    let ticks = ticks.parse().ok()?;
    let (tag, body) = rest.split_once(": ")?;
    (tag.len() <= 32).then_some((ticks, body))
}

/// `* AT+CSQ`, `1. AT`, `**AT+QICLOSE=0**`, a backtick, or a sniffer's column `0 AT`.
fn bullet(text: &str) -> Option<&str> {
    let marked = text.strip_prefix("**").or_else(|| text.strip_prefix('`'));
    if let Some(rest) = marked {
        return is_token_start(rest.trim_start()).then_some(rest);
    }
    if super::literal::is_whole_literal(text) {
        return None;
    }
    if text.starts_with(['*', '-', '\u{2022}', '|', '$', '"', '\'']) {
        let rest = text.get(text.chars().next()?.len_utf8()..)?;
        let spaced = rest.starts_with(' ') || text.starts_with(['|', '"', '\'']);
        return (spaced && is_token_start(rest.trim_start())).then_some(rest);
    }
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if !(1..=3).contains(&digits) {
        return None;
    }
    let rest = text.get(digits..)?;
    let after = rest.strip_prefix(['.', ')', ':', ',', ';', '|', '\t', ' '])?;
    (is_token_start(after.trim_start()) || after.trim() == ">").then_some(after)
}

/// Arrows and words that no ASCII tool prints: `发→◇`, `收←◆`, or the question marks left of them.
fn symbols(text: &str, after_stamp: bool) -> Option<(Option<Side>, &str)> {
    let mut end = 0;
    let mut side = None;
    for (count, c) in text.chars().enumerate() {
        let symbol = !c.is_ascii() || (after_stamp && c == '?');
        if !symbol || count > 8 {
            break;
        }
        side = match c {
            '\u{53D1}' | '\u{2192}' | '\u{25C7}' => Some(Side::Host),
            '\u{6536}' | '\u{2190}' | '\u{25C6}' => Some(Side::Module),
            _ => side,
        };
        end += c.len_utf8();
    }
    if end == 0 {
        return None;
    }
    let rest = text.get(end..)?;
    let rest = rest.strip_prefix(':').unwrap_or(rest);
    let undecoded = after_stamp
        && text
            .get(..end)
            .is_some_and(|run| run.len() >= 2 && run.bytes().all(|b| b == b'?'));
    let ends = undecoded
        || (after_stamp && (rest.trim().is_empty() || side.is_some()))
        || is_token_start(rest.trim_start());
    ends.then_some((side, rest))
}

/// Punctuation between two pieces: `[TX] - ATI`, `12:00:01 | AT`.
fn separator(text: &str) -> Option<&str> {
    let rest = text.strip_prefix(['-', ':', '|', ',', ';', '\t'])?;
    (rest.is_empty() || rest.starts_with([' ', '\t']) || is_token_start(rest)).then_some(rest)
}
