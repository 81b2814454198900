//! The doctor at a live module: a plan of commands that reads first, then finds the fault by experiment.
//!
//! Sans-I/O: [`Live::command`] says what to send, [`Live::line`] takes what the module says, and [`Live::report`] tells
//! what was found. Everything that an experiment changes is read before and put back afterwards, also after
//! [`Live::stop`].
//!
//! ```
//! use quectel_doctor::live::{Live, Options};
//!
//! let mut live = Live::new(Options::default());
//! assert_eq!(live.command().map(|command| command.text), Some("AT"));
//! live.line("AT");
//! live.line("OK");
//! assert_eq!(live.command().map(|command| command.text), Some("ATI"));
//! ```

mod facts;
mod network;
mod plan;
mod proofs;
mod tls;
mod verdict;

use crate::report::Report;

/// What the doctor is to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "filled in by the caller")]
pub struct Options {
    /// Host that the module is to reach; without it only the module and its network are examined.
    pub host: Option<String>,
    /// Its TCP port.
    pub port: u16,
    /// PDP context, 1 to 16.
    pub pdp: u8,
    /// MQTT client whose settings are in question, 0 to 5.
    pub client: u8,
    /// The module's name for the port that is used, such as `uart1` or `usbat`: experiments have their results sent to
    /// it. `None` leaves the module's setting.
    pub urc_port: Option<String>,
}

impl Default for Options {
    /// No host, port 8883, PDP context 1, MQTT client 0, URC port as set.
    fn default() -> Self {
        Self {
            host: None,
            port: 8883,
            pdp: 1,
            client: 0,
            urc_port: None,
        }
    }
}

/// What a command does to the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Effect {
    /// It reads.
    Reads,
    /// It sends something over the mobile network and leaves the settings alone.
    Connects,
    /// It changes a setting that is put back afterwards.
    Changes,
    /// It puts something back.
    Restores,
}

/// A command to send, with CR behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Command<'a> {
    /// The command line without its end.
    pub text: &'a str,
    /// How long its answer may take, in milliseconds.
    pub timeout_ms: u32,
    /// What it does.
    pub effect: Effect,
}

/// How the answer to a command ends.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Until {
    /// With the final result code.
    Final,
    /// With a URC that begins so, after the final result code.
    Urc(String),
    /// With the first address of a name, or its error.
    Addresses,
    /// With the summary of a ping, or its error.
    Ping,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Step {
    /// Names the step in the plan; each is done once.
    key: String,
    text: String,
    until: Until,
    timeout_ms: u32,
    effect: Effect,
}

/// How a command ended.
#[derive(Debug, Clone, PartialEq, Eq)]
enum End {
    Ok,
    /// `ERROR` or `+CME ERROR: 10`.
    Error(String),
    /// The time was over.
    Silent,
}

/// A step that is done.
#[derive(Debug, Clone)]
struct Heard {
    key: String,
    text: String,
    lines: Vec<String>,
    end: End,
    /// Line of its command in the conversation, from 1.
    number: u64,
    /// It belongs to the module as it was found, not to an experiment.
    plain: bool,
}

/// Whether experiments may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Consent {
    NotAsked,
    Given,
    Refused,
}

/// Longer lines of the module are cut.
const LONGEST_LINE: usize = 1024;
/// More lines of one answer are dropped.
const MOST_LINES: usize = 256;

/// An examination of a module.
#[derive(Debug)]
pub struct Live {
    options: Options,
    heard: Vec<Heard>,
    running: Option<Step>,
    lines: Vec<String>,
    consent: Consent,
    stopped: bool,
    /// Lines of the conversation so far.
    count: u64,
}

impl Live {
    /// An examination that has not begun.
    #[must_use]
    pub const fn new(options: Options) -> Self {
        Self {
            options,
            heard: Vec::new(),
            running: None,
            lines: Vec::new(),
            consent: Consent::NotAsked,
            stopped: false,
            count: 0,
        }
    }

    /// The command that waits for its answer: the same until that is complete. `None` when all is done, or when
    /// [`Self::question`] wants to be answered first.
    pub fn command(&mut self) -> Option<Command<'_>> {
        if self.running.is_none() {
            self.running = self.next_step();
            self.lines.clear();
        }
        self.running.as_ref().map(|step| Command {
            text: &step.text,
            timeout_ms: step.timeout_ms,
            effect: step.effect,
        })
    }

    /// What the experiments would do, one sentence each; empty when there is nothing to ask.
    #[must_use]
    pub fn question(&self) -> Vec<String> {
        if self.consent == Consent::NotAsked && self.running.is_none() && !self.stopped {
            self.experiments()
        } else {
            Vec::new()
        }
    }

    /// The answer to [`Self::question`].
    pub const fn allow(&mut self) {
        self.consent = Consent::Given;
    }

    /// The other answer: only reads.
    pub const fn refuse(&mut self) {
        self.consent = Consent::Refused;
    }

    /// Ends the examination: [`Self::command`] only closes what is open and puts back what was changed.
    pub const fn stop(&mut self) {
        self.stopped = true;
    }

    /// Takes a line of the module, without its end; true when the answer is complete.
    pub fn line(&mut self, line: &str) -> bool {
        let line = line.trim();
        let Some(step) = &self.running else {
            return false;
        };
        if line.is_empty() || line == step.text {
            return false;
        }
        let cut = line
            .char_indices()
            .nth(LONGEST_LINE)
            .map_or(line, |(at, _)| line.split_at(at).0);
        if self.lines.len() < MOST_LINES {
            self.lines.push(cut.to_owned());
        }
        let is_urc = match &step.until {
            Until::Urc(prefix) => line.starts_with(prefix.as_str()),
            Until::Addresses => {
                line.starts_with("+QIURC: \"dnsgip\",")
                    && !line.starts_with("+QIURC: \"dnsgip\",0,")
            }
            Until::Ping => line.starts_with("+QPING:") && !line.starts_with("+QPING: 0,\""),
            Until::Final => line == "OK",
        };
        match line {
            _ if is_urc => self.done(End::Ok),
            _ if line == "ERROR"
                || line.starts_with("+CME ERROR")
                || line.starts_with("+CMS ERROR") =>
            {
                self.done(End::Error(line.to_owned()))
            }
            _ => false,
        }
    }

    /// The time of the command is over.
    pub fn timeout(&mut self) {
        self.done(End::Silent);
    }

    fn done(&mut self, end: End) -> bool {
        let Some(step) = self.running.take() else {
            return false;
        };
        let lines = core::mem::take(&mut self.lines);
        let number = self.count + 1;
        self.count += 1 + lines.len() as u64;
        self.heard.push(Heard {
            plain: matches!(step.effect, Effect::Reads) || step.key.starts_with("mqtt"),
            key: step.key,
            text: step.text,
            lines,
            end,
            number,
        });
        true
    }

    /// Whether the module has answered anything.
    #[must_use]
    pub fn has_answered(&self) -> bool {
        self.heard.iter().any(|heard| heard.end != End::Silent)
    }

    /// The conversation, one line each, with the numbers that the report quotes.
    #[must_use]
    pub fn conversation(&self) -> String {
        let mut text = String::new();
        for heard in &self.heard {
            for line in core::iter::once(&heard.text).chain(&heard.lines) {
                text.push_str(&crate::mask::mask(line));
                text.push('\n');
            }
        }
        text
    }

    /// What was found; `today_unix_s` is today's unix second by the host's clock.
    #[must_use]
    pub fn report(&self, today_unix_s: i64) -> Report {
        verdict::report(self, today_unix_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Answers every command with what `say` gives for it, and the result code.
    fn examined(options: Options, say: impl Fn(&str) -> Vec<String>) -> Live {
        let mut live = Live::new(options);
        for _ in 0..500 {
            let Some(text) = live.command().map(|command| command.text.to_owned()) else {
                if live.question().is_empty() {
                    return live;
                }
                live.allow();
                continue;
            };
            let said = say(&text);
            if said.is_empty() {
                live.timeout();
                continue;
            }
            // The echo is no answer.
            assert!(!live.line(&text));
            assert!(
                said.iter().any(|line| live.line(line)),
                "{text}: no end in {said:?}"
            );
        }
        live
    }

    fn lines(text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    #[test]
    fn a_silent_module_is_asked_once() {
        let live = examined(Options::default(), |_| Vec::new());
        assert!(!live.has_answered());
        assert_eq!(live.conversation(), "AT\n");
    }

    #[test]
    fn a_module_that_refuses_everything_is_left_alone() {
        let options = Options {
            host: Some("h.example".to_owned()),
            ..Options::default()
        };
        let live = examined(options, |text| {
            lines(if text == "AT" { "OK" } else { "ERROR" })
        });
        let report = live.report(1_800_000_000);
        assert_eq!(report.findings[0].id, "net.sim-not-ready");
        assert!(!live.conversation().contains("AT+QIOPEN"));
    }

    #[test]
    fn the_answers_of_all_families_are_understood() {
        for (answer, expected) in [
            ("+QMTCFG: \"ssl\",0\nOK", None),
            ("+QMTCFG: \"ssl\",1,2\nOK", Some(2)),
            // Some firmware repeats the client.
            ("+QMTCFG: \"ssl\",0,1,2\nOK", Some(2)),
            ("+QMTCFG: \"ssl\",0,0\nOK", None),
            ("ERROR", None),
        ] {
            let live = examined(Options::default(), |text| {
                lines(if text == "AT+QMTCFG=\"ssl\",0" {
                    answer
                } else {
                    "OK"
                })
            });
            assert_eq!(live.ssl_of(0), expected, "{answer}");
        }
    }

    #[test]
    fn firmware_without_the_server_name_is_not_told_to_use_certificates() {
        for (sni, id, fix) in [
            ("ERROR", "tls.sni-unsupported-fw", "AT+QSSLCFG=?"),
            (
                "+QSSLCFG: \"sni\",2,1\nOK",
                "tls.handshake-failed",
                "AT+QSSLCFG=\"seclevel\",2,2",
            ),
        ] {
            let options = Options {
                host: Some("h.example".to_owned()),
                ..Options::default()
            };
            let live = examined(options, |text| {
                let words: Vec<&str> = text.split(['=', ',']).collect();
                lines(&match *words.as_slice() {
                    ["AT+CPIN?"] => "+CPIN: READY\nOK".to_owned(),
                    ["AT+CEREG?"] => "+CEREG: 0,1\nOK".to_owned(),
                    ["AT+QIACT?"] => "+QIACT: 1,1,1,\"10.0.0.1\"\nOK".to_owned(),
                    ["AT+QMTCFG", "\"ssl\"", "0"] => "+QMTCFG: \"ssl\",1,2\nOK".to_owned(),
                    ["AT+QSSLCFG", "\"sni\"", "2"] => sni.to_owned(),
                    ["AT+QSSLCFG", item @ "\"seclevel\"", n] => {
                        format!("+QSSLCFG: {item},{n},1\nOK")
                    }
                    ["AT+QIDNSGIP", ..] => {
                        "OK\n+QIURC: \"dnsgip\",0,1,600\n+QIURC: \"dnsgip\",\"192.0.2.1\""
                            .to_owned()
                    }
                    ["AT+QIOPEN", _, socket, ..] => format!("OK\n+QIOPEN: {socket},0"),
                    ["AT+QSSLOPEN", _, _, socket, ..] => format!("OK\n+QSSLOPEN: {socket},566"),
                    ["AT+QMTOPEN", client, ..] => format!("OK\n+QMTOPEN: {client},-1"),
                    _ => "OK".to_owned(),
                })
            });
            let report = live.report(1_800_000_000);
            let found = report.findings.iter().find(|finding| finding.id == id);
            let fixes = found.map(|found| found.fix.as_slice());
            assert!(
                fixes.is_some_and(|fixes| fixes.iter().any(|line| line == fix)),
                "{fixes:?}\n{}",
                live.conversation()
            );
        }
    }

    #[test]
    fn a_name_that_would_leave_its_quotes_is_not_sent() {
        for host in ["h\",8883\rAT+CFUN=0", "a b", ""] {
            let options = Options {
                host: Some(host.to_owned()),
                ..Options::default()
            };
            let live = examined(options, |text| {
                lines(match text {
                    "AT+CPIN?" => "+CPIN: READY\nOK",
                    "AT+CEREG?" => "+CEREG: 0,1\nOK",
                    _ => "OK",
                })
            });
            assert!(!live.conversation().contains("CFUN=0"), "{host:?}");
            assert!(!live.conversation().contains("QIDNSGIP"), "{host:?}");
        }
    }
}
