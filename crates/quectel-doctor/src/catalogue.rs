//! The causes as a catalogue: all of them, one of them explained, and the page of the documentation.

use core::fmt::Write as _;

use crate::rules::{Cause, Severity, causes};

/// All causes that the doctor knows, the most frequent and most hidden first.
pub fn catalogue() -> impl Iterator<Item = &'static Cause> {
    causes()
}

/// One line per cause: id, severity and title.
#[must_use]
pub fn list() -> String {
    let width = causes()
        .map(|cause| cause.id.len())
        .max()
        .unwrap_or_default();
    let mut out = String::new();
    for cause in causes() {
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "{:width$}  {:7}  {}",
            cause.id,
            word(cause.severity),
            cause.title
        );
    }
    out
}

/// The catalogue's entry for `id`; `None` when there is no such cause.
#[must_use]
pub fn explain(id: &str) -> Option<String> {
    let cause = causes().find(|cause| cause.id == id)?;
    let mut out = format!(
        "{} ({})\n{}\n\n",
        cause.id,
        word(cause.severity),
        cause.title
    );
    let _ = writeln!(out, "What you see: {}\n", cause.symptom);
    let _ = writeln!(out, "Why: {}\n", cause.reason);
    commands(&mut out, "Look without changing anything:", cause.check);
    commands(&mut out, "Cure:", cause.fix);
    let _ = writeln!(out, "Seen in: {}", cause.sources.join("; "));
    Some(out)
}

fn commands(out: &mut String, title: &str, lines: &[&str]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "{title}");
    for line in lines {
        let _ = writeln!(out, "  {}", readable(line));
    }
    out.push('\n');
}

/// Names in angle brackets instead of the braces of the templates.
fn readable(template: &str) -> String {
    const NAMES: &[(&str, &str)] = &[
        ("{ssl}", "<ssl context>"),
        ("{bound}", "<ssl context>"),
        ("{client}", "<client>"),
        ("{pdp}", "<pdp context>"),
        ("{active}", "<active pdp context>"),
        ("{host}", "<host>"),
        ("{port}", "<port>"),
        ("{cacert}", "<root file>"),
        ("{clientcert}", "<certificate file>"),
        ("{clientkey}", "<key file>"),
        ("{device}", "<device>"),
        ("{apn}", "<apn>"),
    ];
    NAMES
        .iter()
        .fold(template.to_owned(), |text, (name, words)| {
            text.replace(name, words)
        })
}

const fn word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

/// The catalogue as the page `docs/causes.md`.
#[must_use]
pub fn to_markdown() -> String {
    let mut out = String::from(
        "# Causes that the doctor knows\n\n\
         Generated from the rows in `crates/quectel-doctor/src/rules`; `UPDATE_GOLDEN=1 cargo test -p quectel-doctor` writes it.\n\n\
         | id | severity | title |\n|---|---|---|\n",
    );
    for cause in causes() {
        let _ = writeln!(
            out,
            "| [`{}`](#{}) | {} | {} |",
            cause.id,
            anchor(cause.id),
            word(cause.severity),
            cause.title
        );
    }
    for cause in causes() {
        let _ = writeln!(
            out,
            "\n## {}\n\n**{}** ({})\n",
            cause.id,
            cause.title,
            word(cause.severity)
        );
        let _ = writeln!(out, "What you see: {}\n\n{}\n", cause.symptom, cause.reason);
        block(&mut out, "Look without changing anything:", cause.check);
        block(&mut out, "Cure:", cause.fix);
        let _ = writeln!(out, "Seen in: {}", cause.sources.join("; "));
    }
    out
}

fn block(out: &mut String, title: &str, lines: &[&str]) {
    if lines.is_empty() {
        return;
    }
    let _ = writeln!(out, "{title}\n\n```text");
    for line in lines {
        let _ = writeln!(out, "{}", readable(line));
    }
    out.push_str("```\n\n");
}

/// The anchor that Markdown renderers make of a heading.
fn anchor(id: &str) -> String {
    id.chars().filter(|c| *c != '.').collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_unique_and_complete() {
        let ids: Vec<&str> = catalogue().map(|cause| cause.id).collect();
        for (n, id) in ids.iter().enumerate() {
            assert!(
                !ids.iter().skip(n + 1).any(|other| other == id),
                "{id} twice"
            );
        }
        for cause in catalogue() {
            assert!(
                cause.id.contains('.') && !cause.title.is_empty() && !cause.reason.is_empty(),
                "{}",
                cause.id
            );
            assert!(
                !cause.sources.is_empty() && !cause.symptom.is_empty(),
                "{}",
                cause.id
            );
            let text = explain(cause.id).unwrap();
            assert!(
                text.contains(cause.title) && !text.contains('{')
                    || text.contains("{idScope}")
                    || text.contains("{device}")
                    || text.contains("{host}")
                    || text.contains("{account}")
                    || text.contains("{id}"),
                "{text}"
            );
        }
        assert_eq!(explain("tls.nonsense"), None);
        assert_eq!(list().lines().count(), ids.len());
    }
}
