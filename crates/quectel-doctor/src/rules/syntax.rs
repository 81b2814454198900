//! Causes in how commands were typed, pasted or sent.

use super::{Case, Cause, Confidence, Context, Evidence, Rule, Severity};
use crate::command::Form;
use crate::host::{bare_host, has_placeholder, scheme};
use crate::session::attempt::{Api, Attempt};
use crate::session::{Refusal, Refused, Session};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "syn.smart-quotes",
        title: "Typographic quotes were sent to the module",
        severity: Severity::Error,
        symptom: "`ERROR` to commands with \u{201C}curly\u{201D} quotes, OK to the same with straight ones",
        reason: "The module knows the ASCII quote only; a word processor or a web page turned it into another character.",
        check: &[],
        fix: &[],
        sources: &["johncobb/catm1_bg96 README"],
        rule: Rule::SessionFallback(smart_quotes),
    },
    Cause {
        id: "syn.host-has-scheme",
        title: "The host has a scheme in front",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,4` or `x,1`",
        reason: "`AT+QMTOPEN` takes the bare name; `mqtts://`, `https://` or `tcp://` becomes part of it (SIMCom alone wants \
                 `tcp://`).",
        check: &[],
        fix: &["AT+QMTOPEN={client},\"{host}\",8883"],
        sources: &["Sixfab pico_lte test suite"],
        rule: Rule::Attempt(host_scheme),
    },
    Cause {
        id: "syn.placeholder-left",
        title: "A placeholder of an example was left in the command",
        severity: Severity::Error,
        symptom: "ERROR, or `+QMTOPEN: x,4`",
        reason: "`<host>`, `{account}` or `YOUR_…` stands for something that only you know.",
        check: &[],
        fix: &["(put your own value in its place)"],
        sources: &["johncobb/catm1_bg96 README"],
        rule: Rule::SessionFallback(placeholders),
    },
    Cause {
        id: "syn.quotes-in-string",
        title: "Quotes stand inside a quoted parameter",
        severity: Severity::Error,
        symptom: "ERROR to a command with JSON in it",
        reason: "The module takes the first inner quote for the end of the parameter; there is no escape for it.",
        check: &[],
        fix: &[
            "AT+QMTCFG=\"willex\",{client},1,1,0,\"<topic>\",<bytes>",
            "AT+QMTPUBEX={client},1,1,0,\"<topic>\",<bytes>",
        ],
        sources: &["EC2x MQTT Application Note, willex"],
        rule: Rule::Session(quotes_inside),
    },
    Cause {
        id: "syn.numeric-quoted",
        title: "A number stands in quotes, or a text without them",
        severity: Severity::Warning,
        symptom: "ERROR to `\"8883\"` or `\"0XFFFF\"`",
        reason: "Numbers are written without quotes and names with them.",
        check: &[],
        fix: &[],
        sources: &["johncobb/catm1_bg96 issue 9"],
        rule: Rule::Session(numeric_quoted),
    },
    Cause {
        id: "syn.cmd-before-previous-done",
        title: "A command was sent before the one before it was answered",
        severity: Severity::Error,
        symptom: "answers seem to belong to the wrong command; commands are lost",
        reason: "The module works on one command at a time: wait for OK or ERROR before the next one.",
        check: &[],
        fix: &["(wait for the final result of every command)"],
        sources: &["Azure/embedded-wireless-framework issue 20"],
        rule: Rule::SessionFallback(overlap),
    },
    Cause {
        id: "syn.line-too-long",
        title: "The command line is longer than the module takes",
        severity: Severity::Error,
        symptom: "ERROR to a `QMTCONN` with a long token",
        reason: "A line over the limit of the family is refused as a whole.",
        check: &[],
        fix: &["(use a shorter device id or hub name, or a token without skn)"],
        sources: &["BG96 AT Commands Manual V2.2: ERROR also for a line that is too long"],
        rule: Rule::Fallback(too_long),
    },
    Cause {
        id: "syn.echo-or-urc-glue",
        title: "Answers and the next command stick together in the log",
        severity: Severity::Info,
        symptom: "`+NETOPEN: 0AT+IPADDR`",
        reason: "The echo mixes with what the module says; without it the log is easier to read for programs too.",
        check: &[],
        fix: &["ATE0"],
        sources: &["Xinyuan-LilyGO/LilyGo-Modem-Series issue 77"],
        rule: Rule::Session(glue),
    },
];

/// A refusal that the quotes explain: no command with such quotes was ever accepted here, and others were.
pub(super) fn is_typographic_fault(session: &Session, refusal: &Refusal) -> bool {
    session.accepted_straight > 0 && may_be_typographic(session, refusal)
}

/// Where no command with quotes was accepted at all, it may be the forum that turned them.
fn may_be_typographic(session: &Session, refusal: &Refusal) -> bool {
    let specific = refusal
        .refused
        .cme()
        .is_some_and(|code| code != 58 && code != 3 && code != 50 && code != 100);
    let quoted = refusal.command.args.iter().any(|arg| arg.quoted) || refusal.command.open_quote;
    refusal.typographic && quoted && !specific && session.accepted_typographic == 0
}

/// The command as it should have been typed.
fn retyped(refusal: &Refusal) -> String {
    let args = refusal.command.args.iter().map(|arg| {
        let number = arg.text.parse::<i64>().is_ok()
            || arg.text.starts_with("0x")
            || arg.text.starts_with("0X");
        if arg.quoted && !number {
            format!("\"{}\"", arg.text)
        } else {
            arg.text.clone()
        }
    });
    crate::mask::mask(&format!(
        "AT{}={}",
        refusal.command.verb,
        args.collect::<Vec<_>>().join(",")
    ))
}

fn smart_quotes(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let certain = session.accepted_straight > 0;
    if !certain && context.has_error() {
        return Vec::new();
    }
    let faults: Vec<&Refusal> = session
        .refusals
        .iter()
        .filter(|r| may_be_typographic(session, r))
        .collect();
    let open: Vec<&&Refusal> = faults
        .iter()
        .filter(|refusal| refusal.repaired_at.is_none())
        .collect();
    if open.is_empty() {
        return Vec::new();
    }
    let detail = format!(
        "{} command{} with typographic quotes answered ERROR.",
        open.len(),
        if open.len() == 1 { "" } else { "s" }
    );
    let quotes = open
        .iter()
        .flat_map(|refusal| [&refusal.quote, &refusal.answer]);
    let mut fix: Vec<String> = Vec::new();
    for refusal in &open {
        let line = retyped(refusal);
        if !fix.contains(&line) && fix.len() < 8 {
            fix.push(line);
        }
    }
    let confidence = if certain {
        Confidence::Certain
    } else {
        Confidence::Possible
    };
    let mild = session.is_success() || !certain;
    let evidence = if mild {
        Evidence::warning(confidence, detail)
    } else {
        Evidence::error(confidence, detail)
    };
    vec![evidence.quoting(quotes).with_fix(fix)]
}

fn host_scheme(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let scheme = scheme(&attempt.host)?;
    if !attempt.api.is_quectel() || attempt.api == Api::Http || attempt.is_open() {
        return None;
    }
    let detail = format!(
        "The host is `{}`: `{scheme}://` does not belong to the name.",
        attempt.host
    );
    Some(Evidence::error(Confidence::Certain, detail).at(attempt.failure_quotes()))
}

/// What nobody takes out of a post to hide it, as asterisks do.
fn is_left_over(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let stars = ["*", "xxxx", "..."].iter().any(|sign| lower.contains(sign));
    has_placeholder(text) && !stars
}

fn placeholder_in_host(attempt: &Attempt) -> Option<Evidence> {
    let host = bare_host(&attempt.host);
    let unresolved = matches!(attempt.code(), Some(1 | 4 | 564 | 565))
        || (attempt.refused.is_some() && attempt.result.is_none());
    (is_left_over(host) && unresolved).then(|| {
        let detail = format!("`{host}` still has a placeholder in it.");
        Evidence::error(Confidence::Likely, detail).at(attempt.failure_quotes())
    })
}

/// Commands whose parameters only the user knows.
const FILLED_IN: &[&str] = &[
    "+QICSGP", "+CGDCONT", "+QMTCONN", "+QMTCFG", "+QFUPL", "+CNACT", "+SMCONF",
];

fn placeholders(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let attempts = session.attempts.iter().enumerate();
    let mut all: Vec<Evidence> = attempts
        .filter_map(|(index, attempt)| placeholder_in_host(attempt).map(|e| e.of(index)))
        .collect();
    let refused = session.refusals.iter().find(|refusal| {
        FILLED_IN.contains(&refusal.command.verb.as_str())
            && refusal.repaired_at.is_none()
            && refusal.refused == Refused::Error
            && refusal
                .command
                .args
                .iter()
                .any(|arg| is_left_over(&arg.text))
    });
    // Something else may have refused the command, and the poster may have hidden the value.
    if let Some(refusal) = refused.filter(|_| all.is_empty() && !context.has_error()) {
        let detail = "A command with a placeholder in it was refused.";
        let quotes = [&refusal.quote, &refusal.answer];
        all.push(Evidence::error(Confidence::Possible, detail).quoting(quotes));
    }
    all
}

fn quotes_inside(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let refusal = session.refusals.iter().find(|refusal| {
        let command = &refusal.command;
        command.ragged_quotes
            && command.form == Form::Set
            && refusal.repaired_at.is_none()
            && !is_typographic_fault(session, refusal)
    });
    let Some(refusal) = refusal else {
        return Vec::new();
    };
    let detail = "A quoted parameter has quotes inside, and the command was refused.";
    let evidence = if session.is_success() {
        Evidence::warning(Confidence::Likely, detail)
    } else {
        Evidence::error(Confidence::Likely, detail)
    };
    vec![evidence.quoting([&refusal.quote, &refusal.answer])]
}

fn numeric_quoted(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let wrong = session
        .refusals
        .iter()
        .filter(|refusal| refusal.repaired_at.is_none() && refusal.refused == Refused::Error);
    let found = wrong.filter_map(|refusal| {
        let command = &refusal.command;
        let quoted_number = |n: usize| {
            command.args.get(n).filter(|arg| {
                let digits = arg.text.parse::<i64>().is_ok()
                    || arg.text.to_ascii_lowercase().starts_with("0x");
                arg.quoted && digits
            })
        };
        let what = match command.verb.as_str() {
            "+QMTOPEN" if command.form == Form::Set => {
                let bare = command
                    .args
                    .get(1)
                    .filter(|arg| !arg.quoted && !arg.text.is_empty());
                match (quoted_number(2), bare) {
                    (Some(port), _) => format!("The port \"{}\" stands in quotes.", port.text),
                    (None, Some(host)) => {
                        format!("The host `{}` stands without quotes.", host.text)
                    }
                    (None, None) => return None,
                }
            }
            "+QSSLCFG" | "+QMTCFG" if command.form == Form::Set => {
                let number = quoted_number(1)
                    .or_else(|| quoted_number(2))
                    .filter(|_| !is_typographic_fault(session, refusal))?;
                format!("The number \"{}\" stands in quotes.", number.text)
            }
            "+QFUPL" | "+QFDEL" => {
                let name = command
                    .args
                    .first()
                    .filter(|arg| !arg.quoted && !arg.text.is_empty())?;
                format!("The name `{}` stands without quotes.", name.text)
            }
            _ => return None,
        };
        Some(
            Evidence::warning(Confidence::Likely, what)
                .quoting([&refusal.quote, &refusal.answer])
                .with_fix([retyped(refusal)]),
        )
    });
    found.take(1).collect()
}

fn overlap(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let Some((first, second)) = session.overlaps.first() else {
        return Vec::new();
    };
    let times = session.overlaps.len();
    let detail = format!(
        "{times} command{} went out before the one before had its final result.",
        if times == 1 { "" } else { "s" }
    );
    let failed = session.attempts.iter().any(Attempt::failed) && !session.is_success();
    let evidence = if failed && !context.has_error() {
        Evidence::error(Confidence::Likely, detail)
    } else {
        Evidence::warning(Confidence::Likely, detail)
    };
    vec![evidence.quoting([first, second])]
}

/// From this length on the lines of some families end.
const LONG_LINE: usize = 256;

fn too_long(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let connect = attempt
        .connects
        .iter()
        .find(|c| c.refused.is_some() && c.line_length >= LONG_LINE && !c.before_open)?;
    let still_open = attempt.code() == Some(0) && attempt.stats.is_empty();
    if !still_open || case.has_error() {
        return None;
    }
    let detail = format!(
        "`QMTCONN` has {} characters and was refused although the client was open.",
        connect.line_length
    );
    let quotes = core::iter::once(&connect.quote).chain(&connect.refused);
    Some(Evidence::error(Confidence::Possible, detail).quoting(quotes))
}

fn glue(context: &Context<'_>) -> Vec<Evidence> {
    let glued = context.session.glued.iter();
    glued
        .map(|quote| {
            Evidence::info("The log has an answer and a command on one line.").quoting([quote])
        })
        .collect()
}
