//! `--list` and `--explain`.

use quectel_doctor::Cause;
use quectel_serial::Reason;
use serde_json::{Value, json};

use crate::complaint::Complaint;
use crate::console::Console;

/// Fewer common letters than this share of the longer id is no misspelling of it.
const ALIKE: f64 = 0.6;

/// Ids that are proposed for an unknown one.
const PROPOSALS: usize = 4;

pub(crate) fn list(as_json: bool, console: &mut Console<'_>) -> Result<(), Complaint> {
    let text = if as_json {
        all()
    } else {
        quectel_doctor::list()
    };
    put(&text, console)
}

/// All causes as JSON.
pub(super) fn all() -> String {
    pretty(&Value::from_iter(quectel_doctor::catalogue().map(entry)))
}

pub(crate) fn explain(
    typed: &str,
    as_json: bool,
    console: &mut Console<'_>,
) -> Result<(), Complaint> {
    let id = bare(typed);
    if let Some(cause) = quectel_doctor::catalogue().find(|cause| cause.id == id) {
        let text = if as_json {
            pretty(&entry(cause))
        } else {
            quectel_doctor::explain(cause.id).unwrap_or_default()
        };
        return put(&text, console);
    }
    if let Some(reason) = Reason::ALL.iter().find(|reason| reason.name() == id) {
        let text = if as_json {
            pretty(
                &json!({"id": reason.name(), "title": reason.text(), "remedy": reason.remedy(), "causes": reason.causes()}),
            )
        } else {
            reason_text(*reason)
        };
        return put(&text, console);
    }
    Err(unknown(&id))
}

/// As it stands in a report, too: `error[tls.sni-missing]:`.
fn bare(typed: &str) -> String {
    let inside = typed
        .split_once('[')
        .map_or(typed, |(_, rest)| rest.split(']').next().unwrap_or(rest));
    inside
        .trim_matches(|c: char| c.is_whitespace() || matches!(c, '`' | '"' | '\'' | ':' | '.'))
        .to_ascii_lowercase()
}

fn reason_text(reason: Reason) -> String {
    let mut text = format!(
        "{} (an error of this program)\n{}\n\nWhat to do: {}\n",
        reason.name(),
        reason.text(),
        reason.remedy()
    );
    if !reason.causes().is_empty() {
        text.push_str("\nLikely causes; explain them with --explain ID:\n");
    }
    for id in reason.causes() {
        let title = quectel_doctor::catalogue()
            .find(|cause| cause.id == *id)
            .map_or("", |cause| cause.title);
        text.push_str(&format!("  {id}: {title}\n"));
    }
    text
}

fn unknown(id: &str) -> Complaint {
    let ids = || quectel_doctor::catalogue().map(|cause| cause.id);
    let mut near: Vec<&str> = ids()
        .filter(|known| {
            known.starts_with(&format!("{id}.")) || (id.len() > 2 && known.contains(id))
        })
        .collect();
    if near.is_empty() {
        let mut ranked: Vec<(f64, &str)> = ids()
            .chain(Reason::ALL.iter().map(|reason| reason.name()))
            .map(|known| (likeness(id, known), known))
            .filter(|(alike, _)| *alike >= ALIKE)
            .collect();
        ranked.sort_by(|a, b| b.0.total_cmp(&a.0));
        near = ranked.into_iter().map(|(_, known)| known).collect();
    }
    let complaint = Complaint::usage(format!("there is no cause {id:?}"));
    if near.is_empty() {
        return complaint.remedy("quectel-azure doctor --list shows all");
    }
    let more = if near.len() > PROPOSALS { ", …" } else { "" };
    near.truncate(PROPOSALS);
    complaint.remedy(format!(
        "perhaps {}{more}; quectel-azure doctor --list shows all",
        near.join(", ")
    ))
}

/// 1 for equal texts, 0 for texts without a common pair of letters (Dice's coefficient).
fn likeness(a: &str, b: &str) -> f64 {
    let pairs = |text: &str| -> Vec<[char; 2]> {
        let letters: Vec<char> = text.chars().collect();
        letters
            .windows(2)
            .filter_map(|pair| pair.try_into().ok())
            .collect()
    };
    let (a, mut b) = (pairs(a), pairs(b));
    let all = a.len() + b.len();
    if all == 0 {
        return 0.0;
    }
    let mut common = 0_u32;
    for pair in a {
        if let Some(at) = b.iter().position(|other| *other == pair) {
            b.swap_remove(at);
            common += 1;
        }
    }
    2.0 * f64::from(common) / all as f64
}

fn entry(cause: &Cause) -> Value {
    json!({
        "id": cause.id,
        "title": cause.title,
        "severity": cause.severity,
        "symptom": cause.symptom,
        "reason": cause.reason,
        "check": cause.check,
        "fix": cause.fix,
        "sources": cause.sources,
    })
}

/// JSON for programs that people look at, too.
pub(crate) fn pretty(value: &Value) -> String {
    format!("{value:#}\n")
}

/// Writes a result; a reader that is gone needs nothing more.
pub(crate) fn put(text: &str, console: &mut Console<'_>) -> Result<(), Complaint> {
    match console.out.write_all(text.as_bytes()) {
        Err(e) if e.kind() != std::io::ErrorKind::BrokenPipe => Err(Complaint::failure(format!(
            "cannot write to standard output: {e}"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_found_as_it_stands_in_a_report() {
        for typed in [
            "tls.sni-missing",
            "error[tls.sni-missing]:",
            " TLS.SNI-Missing ",
            "`tls.sni-missing`",
        ] {
            assert_eq!(bare(typed), "tls.sni-missing", "{typed}");
        }
    }

    #[test]
    fn a_misspelt_id_is_recognised() {
        for (typed, expected) in [
            ("tls.sni-mising", "perhaps tls.sni-missing"),
            ("sni", "tls.sni-unsupported-fw"),
            ("tls", "perhaps tls."),
            ("open-faild", "open-failed"),
            ("xyzzy", "doctor --list shows all"),
        ] {
            let mut text = Vec::new();
            unknown(typed).write(&mut text, false).unwrap();
            let text = String::from_utf8(text).unwrap();
            assert!(text.contains(expected), "{text}");
        }
    }
}
