//! The report as text, in the manner of a compiler's messages.

use core::fmt::Write as _;

use super::{Color, Finding, Report, SessionReport};
use crate::rules::{Confidence, Severity};

/// Columns of a paragraph.
const WIDTH: usize = 100;

pub(super) fn render(report: &Report, color: Color) -> String {
    let mut out = Out {
        text: String::new(),
        color,
    };
    for (number, session) in report.sessions.iter().enumerate() {
        out.session(report, number, session);
    }
    out.summary(report);
    out.text
}

struct Out {
    text: String,
    color: Color,
}

const BOLD: &str = "1";
const BLUE: &str = "1;34";
const GREEN: &str = "32";

const fn severity_color(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "1;31",
        Severity::Warning => "1;33",
        Severity::Info => "1;36",
    }
}

const fn severity_word(severity: Severity) -> &'static str {
    match severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Info => "info",
    }
}

const fn confidence_word(confidence: Confidence) -> &'static str {
    match confidence {
        Confidence::Certain => "certain",
        Confidence::Likely => "likely",
        Confidence::Possible => "possible",
    }
}

impl Out {
    fn paint(&self, style: &str, text: &str) -> String {
        match self.color {
            Color::On => format!("\u{1B}[{style}m{text}\u{1B}[0m"),
            Color::Off => text.to_owned(),
        }
    }

    fn line(&mut self, text: &str) {
        self.text.push_str(text.trim_end());
        self.text.push('\n');
    }

    fn session(&mut self, report: &Report, number: usize, session: &SessionReport) {
        let module = match (&session.module.model, &session.module.firmware) {
            (Some(model), Some(firmware)) => format!("{model} ({firmware})"),
            (Some(model), None) => model.clone(),
            (None, Some(firmware)) => firmware.clone(),
            (None, None) => "unknown module".to_owned(),
        };
        let which = if report.sessions.len() > 1 {
            format!("session {}: ", number + 1)
        } else {
            String::new()
        };
        let head = format!(
            "{which}{module}, lines {}-{}: {}",
            session.first_line, session.last_line, session.outcome
        );
        let head = self.paint(BOLD, &head);
        self.line(&head);
        self.line("");
        let mut any = false;
        for finding in report
            .findings
            .iter()
            .filter(|finding| finding.session == number)
        {
            self.finding(finding);
            any = true;
        }
        if !any {
            let none = self.paint(GREEN, "nothing wrong found");
            self.line(&none);
            self.line("");
        }
        if !session.ruled_out.is_empty() {
            self.line("ruled out:");
            for out in &session.ruled_out {
                self.paragraph(&format!("{}: {}", out.id, out.reason), "  - ", "    ");
            }
            self.line("");
        }
        for note in &session.notes {
            self.paragraph(note, "note: ", "      ");
        }
        if !session.notes.is_empty() {
            self.line("");
        }
    }

    fn finding(&mut self, finding: &Finding) {
        let word = format!("{}[{}]", severity_word(finding.severity), finding.id);
        let head = self.paint(severity_color(finding.severity), &word);
        let title = self.paint(BOLD, finding.title);
        self.line(&format!(
            "{head}: {title} ({})",
            confidence_word(finding.confidence)
        ));
        let width = finding
            .lines
            .iter()
            .map(|line| line.number.to_string().len())
            .max()
            .unwrap_or(1);
        let bar = self.paint(BLUE, "|");
        for quoted in &finding.lines {
            let number = self.paint(BLUE, &format!("{:>width$}", quoted.number));
            self.line(&format!("  {number} {bar} {}", quoted.text));
        }
        let pad = " ".repeat(width + 4);
        self.paragraph(&finding.message, &format!("{pad}= "), &format!("{pad}  "));
        let mut first = true;
        for command in &finding.fix {
            let lead = if first { "fix: " } else { "     " };
            first = false;
            let command = self.paint(GREEN, command);
            self.line(&format!("{pad}{lead}{command}"));
        }
        self.line("");
    }

    /// Words wrapped at [`WIDTH`].
    fn paragraph(&mut self, text: &str, first: &str, next: &str) {
        let mut line = first.to_owned();
        let mut empty = true;
        for word in text.split_whitespace() {
            if !empty && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.line(&line);
                line = next.to_owned();
                empty = true;
            }
            if !empty {
                line.push(' ');
            }
            line.push_str(word);
            empty = false;
        }
        self.line(&line);
    }

    fn summary(&mut self, report: &Report) {
        let count = |severity| {
            report
                .findings
                .iter()
                .filter(|finding| finding.severity == severity)
                .count()
        };
        let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
        let plural = |n: usize| if n == 1 { "" } else { "s" };
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "{errors} error{}, {warnings} warning{}, {} lines read",
            plural(errors),
            plural(warnings),
            report.lines_read
        );
        self.line(&text);
    }
}
