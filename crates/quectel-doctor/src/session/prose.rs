//! What stands around and between the lines of a dialogue: sentences, identities, repeated errors.

use super::Session;
use super::attempt::{Api, Attempt};
use super::builder::{Builder, PARAGRAPH};
use super::module::{Module, named_in_prose};
use crate::mask::Quote;
use crate::read::Item;

impl Builder {
    /// Text between commands: an identity without its command, or prose.
    pub(super) fn aside(&mut self, text: &str, quote: &Quote, item: &Item<'_>) {
        if text.starts_with("Revision:") {
            let mut module = core::mem::take(&mut self.session.module);
            module.learn(text, quote);
            self.session.module = module;
            return;
        }
        if !item.prefixed {
            self.told_in_prose(text, quote);
        }
        if text.len() >= 5
            && text
                .bytes()
                .all(|b| matches!(b, b'=' | b'*' | b'#' | b'~' | b'_'))
        {
            self.prose_run += PARAGRAPH;
        } else if !item.prefixed && is_prose(text) {
            self.prose_run += 1;
            if self.prose_module.is_none() {
                self.prose_module = named_in_prose(text);
            }
            if self.asks_line_endings.is_none() && asks_line_endings(text, item.raw) {
                self.asks_line_endings = Some(quote.clone());
            }
        }
    }

    /// `I always get +QMTOPEN: 0,-1`, below commands that nobody answers.
    fn told_in_prose(&mut self, text: &str, quote: &Quote) {
        let answered = !self.session.known_verbs.is_empty() || !self.session.refusals.is_empty();
        let Some((_, after)) = text.split_once("+QMTOPEN:").filter(|_| !answered) else {
            return;
        };
        let mut numbers = after
            .trim_start()
            .split([',', ' ', ';', ')'])
            .filter(|number| !number.is_empty())
            .map(|number| {
                number
                    .trim_end_matches(['.', '`', '"', '*', '?', '!'])
                    .parse::<i32>()
            });
        let (Some(Ok(client)), Some(Ok(code))) = (numbers.next(), numbers.next()) else {
            return;
        };
        let waits = |attempt: &Attempt| attempt.result.is_none() && attempt.api == Api::Qmt;
        if let Ok(client) = u8::try_from(client)
            && self.session.attempts.last().is_some_and(waits)
        {
            self.open_result(Api::Qmt, client, code, quote.clone());
        }
    }
}

/// A line of an identity, or all of it on one line.
pub(super) fn learn_identity(
    module: &mut Module,
    text: &str,
    one_word: Option<bool>,
    quote: &Quote,
) -> bool {
    if let Some(release) = one_word {
        // A sniffer's column in front.
        let column = |text: &&str| text.starts_with(['0', '1']) && text.get(1..2) == Some(" ");
        let text = Some(text)
            .filter(column)
            .and_then(|t| t.get(2..))
            .unwrap_or(text);
        return module.learn_answer(text.trim_end_matches(" OK"), release, quote);
    }
    if !text.contains(' ') || text.starts_with("Revision") {
        return module.learn(text.trim_end_matches(" OK"), quote);
    }
    let mut known = false;
    for word in text.split_whitespace() {
        known |= module.learn(word, quote);
    }
    known
}

/// A sentence: at least four words, most of them of letters.
pub(super) fn is_prose(text: &str) -> bool {
    let words = text
        .split_whitespace()
        .filter(|word| word.chars().filter(|c| c.is_alphabetic()).count() >= 2)
        .count();
    words >= 4
}

pub(super) fn asks_line_endings(text: &str, raw: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let named = raw.contains("\\r")
        || raw.contains("\\n")
        || lower.contains("line ending")
        || lower.contains("newline");
    named
        && (lower.contains("should")
            || lower.contains("tried")
            || lower.contains('?')
            || lower.contains("need"))
}

/// A command directly behind an answer, without a blank between.
pub(super) fn glued(raw: &str) -> bool {
    let mut before = ' ';
    for (at, c) in raw.char_indices() {
        if matches!(c, 'A' | 'a')
            && before.is_ascii_alphanumeric()
            && raw
                .get(at..at + 3)
                .is_some_and(|t| t.eq_ignore_ascii_case("AT+"))
        {
            return true;
        }
        before = c;
    }
    false
}

/// Drops a session that only repeats one line of another one, as a post quotes its error first.
pub(super) fn without_fragments(sessions: Vec<Session>) -> Vec<Session> {
    let is_fragment = |at: usize, session: &Session| {
        let [attempt] = session.attempts.as_slice() else {
            return false;
        };
        let bare = session.commands <= 2
            && !session.state.has_configuration()
            && attempt.connects.is_empty();
        bare && sessions.iter().enumerate().any(|(other_at, other)| {
            other_at != at
                && other.attempts.iter().any(|other| {
                    other.host.eq_ignore_ascii_case(&attempt.host)
                        && other.code() == attempt.code()
                        && !other.host.is_empty()
                })
                && other.state.has_configuration()
        })
    };
    let keep: Vec<bool> = sessions
        .iter()
        .enumerate()
        .map(|(at, session)| !is_fragment(at, session))
        .collect();
    sessions
        .into_iter()
        .zip(keep)
        .filter(|(_, keep)| *keep)
        .map(|(session, _)| session)
        .collect()
}
