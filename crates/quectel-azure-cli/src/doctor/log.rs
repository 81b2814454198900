//! Logs: files and standard input.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use quectel_doctor::{Color, ReadError, Report, Severity};
use serde_json::{Value, json};

use super::catalogue::{pretty, put};
use super::{DoctorArgs, diagnose, status};
use crate::Status;
use crate::complaint::Complaint;
use crate::console::{Console, Ink, inked};

const STANDARD_INPUT: &str = "-";

/// A shorter input is read before anybody could read a progress bar.
const SHOWN_FROM: u64 = 8 * 1024 * 1024;

pub(super) fn run(args: &DoctorArgs, console: &mut Console<'_>) -> Result<Status, Complaint> {
    let standard_input = [Path::new(STANDARD_INPUT).to_owned()];
    let logs = if args.logs.is_empty() {
        &standard_input[..]
    } else {
        &args.logs
    };
    let inputs = logs.iter().filter(|path| is_standard_input(path)).count();
    if inputs > 1 {
        return Err(Complaint::usage("standard input can be read once only")
            .remedy("give - once, or give files"));
    }
    let mut objects = Vec::new();
    let (mut errors, mut unread) = (false, false);
    for path in logs {
        match read(path, console) {
            Ok(report) => {
                errors |= report.worst() == Some(Severity::Error);
                if args.json {
                    objects.push(with_name(&name(path), &report));
                } else {
                    show(path, &report, logs.len(), console)?;
                }
            }
            Err(unread_log) => {
                let (kind, complaint) = *unread_log;
                unread = true;
                objects.push(
                    json!({"log": name(path), "error": {"kind": kind, "message": complaint.to_string()}}),
                );
                let _ = complaint.write(console.err, console.err_colour);
                if complaint.status == Status::Failed {
                    return Ok(Status::Failed);
                }
            }
        }
    }
    if args.json {
        let value = match <[Value; 1]>::try_from(objects) {
            Ok([only]) => only,
            Err(several) => Value::Array(several),
        };
        put(&pretty(&value), console)?;
    }
    Ok(if unread {
        Status::Usage
    } else {
        status(errors)
    })
}

fn is_standard_input(path: &Path) -> bool {
    path.as_os_str() == STANDARD_INPUT
}

fn name(path: &Path) -> String {
    path.display().to_string()
}

fn show(
    path: &Path,
    report: &Report,
    of: usize,
    console: &mut Console<'_>,
) -> Result<(), Complaint> {
    let mut text = String::new();
    if of > 1 {
        let title = inked(name(path), Ink::Strong, console.out_colour);
        text.push_str(&format!("==> {title} <==\n\n"));
    }
    text.push_str(&report_text(report, console.out_colour));
    if of > 1 {
        text.push('\n');
    }
    put(&text, console)
}

/// The report for people.
pub(super) fn report_text(report: &Report, colour: bool) -> String {
    let mut text = report.to_text(if colour { Color::On } else { Color::Off });
    if let Some(first) = report.findings.first() {
        text.push_str(&format!(
            "more about a cause: quectel-azure doctor --explain {}\n",
            first.id
        ));
    }
    text
}

/// The report with the name of its log or port.
pub(super) fn with_name(from: &str, report: &Report) -> Value {
    // What the doctor wrote is JSON.
    let mut value: Value = serde_json::from_str(&report.to_json()).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert("log".to_owned(), from.into());
    }
    value
}

type Unread = Box<(&'static str, Complaint)>;

fn read(path: &Path, console: &mut Console<'_>) -> Result<Report, Unread> {
    if is_standard_input(path) {
        if console.interactive {
            let _ = writeln!(
                console.err,
                "Paste the dialogue with the module and end it with Ctrl-D (or give a file)."
            );
        }
        let cancel = console.cancel.clone();
        let result = diagnose(Watched::new(&mut *console.input, None));
        return result.map_err(|e| {
            if cancel.is_cancelled() {
                let complaint = Complaint::failure("cancelled while the log was read");
                return Box::new(("cancelled", complaint));
            }
            unread("standard input", e)
        });
    }
    let from = name(path);
    let file = File::open(path).map_err(|e| unread(&from, e.into()))?;
    let about = file.metadata().map_err(|e| unread(&from, e.into()))?;
    if about.is_dir() {
        let complaint = Complaint::usage(format!("{from} is a folder"))
            .remedy("name the log files in it, such as FOLDER/*.log");
        return Err(Box::new(("log-unreadable", complaint)));
    }
    let total = about.is_file().then_some(about.len());
    diagnose(Watched::new(file, total)).map_err(|e| unread(&from, e))
}

fn unread(from: &str, error: ReadError) -> Unread {
    let complaint = match &error {
        ReadError::Io(e) if e.kind() == io::ErrorKind::NotFound => Complaint::usage(format!(
            "there is no file {from}"
        ))
        .remedy("check the path; to give the log itself, use standard input"),
        ReadError::Io(e) => Complaint::usage(format!("cannot read {from}: {e}")),
        ReadError::NotText => Complaint::usage(format!("{from} is not text")).remedy(
            "paste the dialogue with the module as text, not a screenshot, an archive or a binary trace",
        ),
        ReadError::NotALog { lines: 0 } => Complaint::usage(format!("{from} is empty"))
            .remedy("paste the dialogue with the module: AT commands and answers"),
        ReadError::NotALog { lines } => Complaint::usage(format!(
            "there is no AT command and no answer of a modem in {from} ({lines} lines read)"
        ))
        .remedy("paste the dialogue with the module: AT commands and answers"),
        other => Complaint::usage(format!("{from}: {other}")),
    };
    Box::new((error.name(), complaint))
}

/// A reader that shows its progress on a terminal when there is much to read.
struct Watched<R> {
    from: R,
    read: u64,
    total: Option<u64>,
    bar: Option<ProgressBar>,
}

impl<R: Read> Watched<R> {
    const fn new(from: R, total: Option<u64>) -> Self {
        Self {
            from,
            read: 0,
            total,
            bar: None,
        }
    }

    fn start(&self) -> ProgressBar {
        let target = ProgressDrawTarget::stderr_with_hz(8);
        let (bar, template) = match self.total {
            Some(total) => (
                ProgressBar::with_draw_target(Some(total), target),
                "reading {bar:40} {bytes} of {total_bytes}, {eta} left",
            ),
            None => (
                ProgressBar::with_draw_target(None, target),
                "reading {spinner} {bytes}",
            ),
        };
        match ProgressStyle::with_template(template) {
            Ok(style) => bar.with_style(style),
            Err(_) => bar,
        }
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.from.read(buf)?;
        self.read += n as u64;
        let due = self.total.unwrap_or(self.read) >= SHOWN_FROM;
        if due && self.bar.is_none() {
            self.bar = Some(self.start());
        }
        if let Some(bar) = &self.bar {
            bar.set_position(self.read);
        }
        Ok(n)
    }
}

impl<R> Drop for Watched<R> {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
