//! Shows the flow as it happens.

use core::time::Duration;
use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use quectel_serial::{Direction, Error, Event, Notice, Step, WireLine};

use crate::console::{Ink, inked};

/// How much of the wire is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Nothing.
    Hidden,
    /// Lines for reading.
    Readable,
    /// Every byte.
    Exact,
}

/// Writes steps with their times, the AT conversation and warnings. A stream that is gone is not written to any more.
pub(crate) struct View<'v> {
    to: &'v mut (dyn Write + Send),
    colour: bool,
    wire: Wire,
    running: Option<(Step, Duration)>,
    /// The line of the running step has no end yet.
    open: bool,
    /// What the running step found out.
    found: String,
    /// How the running step ends if it does not move on.
    outcome: Outcome,
    gone: bool,
}

/// How a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It did what it is for, and the flow moved on.
    Done,
    /// It did not.
    Failed,
    /// The user ended it.
    Cancelled,
}

impl Outcome {
    /// What an error of the driver makes of the running step.
    pub(crate) const fn of(error: &Error) -> Self {
        match error {
            Error::Cancelled { .. } => Self::Cancelled,
            _ => Self::Failed,
        }
    }
}

/// A view that the driver's observer and the command share.
pub(crate) type Shared<'v> = Mutex<View<'v>>;

/// The view, also after a panic of another thread.
pub(crate) fn lock<'a, 'v>(view: &'a Shared<'v>) -> MutexGuard<'a, View<'v>> {
    view.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<'v> View<'v> {
    pub(crate) fn new(to: &'v mut (dyn Write + Send), colour: bool, wire: Wire) -> Self {
        Self {
            to,
            colour,
            wire,
            running: None,
            open: false,
            found: String::new(),
            outcome: Outcome::Done,
            gone: false,
        }
    }

    /// What the driver tells.
    pub(crate) fn notice(&mut self, notice: Notice<'_>) {
        match notice {
            Notice::Event { at, event } => self.event(at, event),
            Notice::Wire(line) => self.wire(line),
            Notice::Ended { at, error } => self.end_step(at, Outcome::of(error)),
            _ => {}
        }
    }

    /// A line by itself.
    pub(crate) fn line(&mut self, text: &str) {
        self.close_line();
        self.put(&format!("{text}\n"));
    }

    /// A warning.
    pub(crate) fn warn(&mut self, text: &str) {
        let label = inked("warning:", Ink::Warn, self.colour).to_string();
        self.line(&format!("  {label} {text}"));
    }

    /// A title with a blank line before it.
    pub(crate) fn title(&mut self, text: &str) {
        let title = inked(text, Ink::Strong, self.colour).to_string();
        self.line(&format!("\n{title}"));
    }

    /// A row of two columns.
    pub(crate) fn row(&mut self, name: &str, text: &str) {
        let name = inked(format!("{name:<13}"), Ink::Strong, self.colour).to_string();
        self.line(&format!("  {name} {text}"));
    }

    /// The running step did not do what it is for, also if the flow goes on.
    pub(crate) const fn spoil(&mut self, outcome: Outcome) {
        self.outcome = outcome;
    }

    /// Ends the running step, if there is one.
    pub(crate) fn end_step(&mut self, at: Duration, outcome: Outcome) {
        let Some((step, since)) = self.running.take() else {
            return;
        };
        let spent = span(at.saturating_sub(since));
        let spoilt = core::mem::replace(&mut self.outcome, Outcome::Done);
        let outcome = match outcome {
            Outcome::Done => spoilt,
            other => other,
        };
        let mark = match outcome {
            Outcome::Done => inked("ok", Ink::Good, self.colour),
            Outcome::Failed => inked("failed", Ink::Bad, self.colour),
            Outcome::Cancelled => inked("cancelled", Ink::Warn, self.colour),
        };
        let found = core::mem::take(&mut self.found);
        let found = if found.is_empty() {
            found
        } else {
            format!("  {found}")
        };
        let end = format!("{spent:>9}  {mark}{found}\n");
        if self.open {
            self.open = false;
            self.put(&end);
        } else {
            let name = inked(format!("{:<13}", step.name()), Ink::Strong, self.colour).to_string();
            self.put(&format!("  {name}{end}"));
        }
    }

    fn event(&mut self, at: Duration, event: &Event<'_>) {
        match event {
            Event::Step(step) => {
                let moved_on = match self.running {
                    // The module started anew, so that all begins again.
                    Some((running, _)) if *step <= running => Outcome::Failed,
                    // Ended by an error that was not told.
                    Some((running, _)) if *step == Step::Disconnect && running != Step::Session => {
                        Outcome::Failed
                    }
                    _ => Outcome::Done,
                };
                self.end_step(at, moved_on);
                self.begin_step(*step, at);
            }
            Event::Identified(info) => {
                self.found = format!(
                    "{} {} (profile {})",
                    info.model, info.revision, info.profile.name
                );
            }
            Event::Warning(warning) => {
                self.warn(warning.text());
            }
            Event::PublishFailed { .. } => self.spoil(Outcome::Failed),
            Event::Disconnected => self.end_step(at, Outcome::Done),
            Event::Failed(_) => self.end_step(at, Outcome::Failed),
            _ => {}
        }
    }

    fn begin_step(&mut self, step: Step, at: Duration) {
        self.running = Some((step, at));
        self.outcome = Outcome::Done;
        let name = inked(format!("{:<13}", step.name()), Ink::Strong, self.colour).to_string();
        if self.wire == Wire::Hidden {
            self.close_line();
            self.put(&format!("  {name}"));
            self.open = true;
        } else {
            self.put(&format!("\n{name} {}\n", purpose(step)));
        }
    }

    fn wire(&mut self, line: &WireLine) {
        let text = match self.wire {
            Wire::Hidden => None,
            Wire::Readable => line.readable(),
            Wire::Exact => Some(line.exact()),
        };
        let Some(text) = text else { return };
        let time = inked(
            format!("{:>9.3}", line.at().as_secs_f64()),
            Ink::Faint,
            self.colour,
        )
        .to_string();
        let arrow = match line.direction() {
            Direction::ToModule => inked("->", Ink::Strong, self.colour),
            _ => inked("<-", Ink::Faint, self.colour),
        };
        self.line(&format!("{time} {arrow} {text}"));
    }

    fn close_line(&mut self) {
        if core::mem::take(&mut self.open) {
            self.put("\n");
        }
    }

    fn put(&mut self, text: &str) {
        if !self.gone {
            self.gone = self
                .to
                .write_all(text.as_bytes())
                .and_then(|()| self.to.flush())
                .is_err();
        }
    }
}

/// A span in the unit that reads best.
pub(crate) fn span(span: Duration) -> String {
    let s = span.as_secs_f64();
    if s < 1.0 {
        format!("{:.1} ms", s * 1e3)
    } else {
        format!("{s:.1} s")
    }
}

const fn purpose(step: Step) -> &'static str {
    match step {
        Step::Identify => "wake the AT port, learn model and firmware",
        Step::Sim => "wait for the SIM",
        Step::Register => "wait for the mobile network",
        Step::Pdp => "activate the data connection",
        Step::Clock => "learn the time",
        Step::Certificates => "put the certificates on the module",
        Step::Tls => "configure TLS: verify the server, send its name",
        Step::Mqtt => "configure MQTT and free its client",
        Step::Open => "resolve the name, connect, shake hands",
        Step::Connect => "prove the device's identity to the hub",
        Step::Subscribe => "subscribe to cloud-to-device messages",
        Step::Session => "connected: publish and receive",
        Step::Disconnect => "end the connection and free the module's MQTT client",
        _ => "",
    }
}

/// A body as text if it is text, else as hexadecimal digits.
pub(crate) fn body(bytes: &[u8]) -> String {
    match core::str::from_utf8(bytes) {
        Ok(text)
            if !text
                .chars()
                .any(|c| c.is_control() && !matches!(c, '\n' | '\r' | '\t')) =>
        {
            text.to_owned()
        }
        _ => {
            let digits: Vec<String> = bytes.iter().map(|b| format!("{b:02x}")).collect();
            format!("{} bytes: {}", bytes.len(), digits.join(" "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn steps_get_their_times_on_one_line() {
        let mut text = Vec::new();
        let mut view = View::new(&mut text, false, Wire::Hidden);
        for (ms, event) in [
            (0, Event::Step(Step::Identify)),
            (120, Event::Step(Step::Sim)),
            (130, Event::Warning(quectel_serial::Warning::NoSni)),
            (200, Event::Step(Step::Session)),
            (201, Event::Connected),
            (1_400, Event::Step(Step::Disconnect)),
            (1_401, Event::Disconnected),
        ] {
            view.notice(Notice::event(at(ms), &event));
        }
        let text = String::from_utf8(text).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[0], "  identify      120.0 ms  ok");
        assert_eq!(lines[1], "  sim          ");
        assert!(
            lines[2].starts_with("  warning: this firmware cannot send"),
            "{text}"
        );
        assert_eq!(lines[3], "  sim            80.0 ms  ok");
        assert_eq!(lines[4], "  session          1.2 s  ok");
        assert_eq!(lines[5], "  disconnect      1.0 ms  ok");
    }

    #[test]
    fn only_a_step_that_moved_on_is_ok() {
        let io = std::io::ErrorKind::BrokenPipe;
        let port = || Error::Port {
            step: Step::Sim,
            port: "p".into(),
            source: io.into(),
        };
        let cancelled = || Error::Cancelled {
            step: Step::Sim,
            freed: false,
        };
        let limit = || Error::TimeLimit { step: Step::Sim };
        let cases: [(Option<Error>, &[Event<'_>], &str); 6] = [
            (Some(port()), &[], "failed"),
            (
                Some(cancelled()),
                &[Event::Step(Step::Disconnect)],
                "cancelled",
            ),
            (Some(limit()), &[Event::Step(Step::Disconnect)], "failed"),
            (None, &[Event::Step(Step::Disconnect)], "failed"),
            (None, &[Event::Step(Step::Identify)], "failed"),
            (None, &[Event::Step(Step::Register)], "ok"),
        ];
        for (error, events, expected) in cases {
            let mut text = Vec::new();
            let mut view = View::new(&mut text, false, Wire::Hidden);
            view.notice(Notice::event(at(0), &Event::Step(Step::Sim)));
            if let Some(error) = &error {
                view.notice(Notice::ended(at(100), error));
            }
            for event in events {
                view.notice(Notice::event(at(100), event));
            }
            let text = String::from_utf8(text).unwrap();
            let line = text.lines().next().unwrap();
            assert_eq!(line, format!("  sim           100.0 ms  {expected}"));
        }
    }

    #[test]
    fn bodies() {
        assert_eq!(body("21 °C\n".as_bytes()), "21 °C\n");
        assert_eq!(body(b"\x1b[2J"), "4 bytes: 1b 5b 32 4a");
        assert_eq!(body(&[0xFF, 0x00]), "2 bytes: ff 00");
    }
}
