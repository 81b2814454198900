//! What a log tells about a module: settings, files, network, connections and how they ended.

pub(crate) mod attempt;
mod builder;
mod changes;
mod commands;
mod connections;
pub(crate) mod credential;
pub(crate) mod files;
mod information;
pub(crate) mod module;
pub(crate) mod network;
mod opens;
pub(crate) mod pem;
mod pending;
mod prose;
mod publishes;
pub(crate) mod settings;
pub(crate) mod state;
mod uploads;

use std::rc::Rc;

use self::attempt::Attempt;
use self::module::{Family, Module};
use self::pem::PemSeen;
use self::state::State;
use crate::command::{Command, Form};
use crate::mask::Quote;
use crate::time::Stamp;

pub(crate) use self::builder::Builder;

/// The answer of a refused command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refused {
    Error,
    /// The number or the words behind `+CME ERROR:`.
    Cme(String),
}

impl Refused {
    /// The number behind `+CME ERROR:`.
    pub(crate) fn cme(&self) -> Option<u32> {
        match self {
            Self::Error => None,
            Self::Cme(text) => text.trim().parse().ok(),
        }
    }
}

/// A command that was answered with `ERROR` or `+CME ERROR`.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) command: Command,
    pub(crate) quote: Quote,
    pub(crate) answer: Quote,
    pub(crate) refused: Refused,
    /// Typographic quotes stood in it.
    pub(crate) typographic: bool,
    /// How many connections had been tried before.
    pub(crate) attempts_before: usize,
    /// The same setting, or the same command, was accepted later; after so many connections.
    pub(crate) repaired_at: Option<usize>,
}

/// A setting that was asked for: `AT+QSSLCFG="sni",2`, without a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Query {
    pub(crate) verb: String,
    pub(crate) name: String,
    pub(crate) number: Option<u8>,
    pub(crate) quote: Quote,
    pub(crate) answer: Option<Quote>,
    pub(crate) attempts_before: usize,
    /// It stands between commands that set something.
    pub(crate) among_settings: bool,
}

/// The module started again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Restart {
    pub(crate) quote: Quote,
    /// The host asked for it.
    pub(crate) commanded: bool,
    /// A connection was open or being opened.
    pub(crate) while_open: bool,
    /// Something had been configured or connected before.
    pub(crate) in_session: bool,
}

/// An upload and what went wrong with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Upload {
    pub(crate) name: String,
    pub(crate) quote: Quote,
    pub(crate) declared: Option<u64>,
    /// `CONNECT` came.
    pub(crate) prompted: bool,
    /// `+QFUPL:` or `OK` came.
    pub(crate) finished: bool,
    /// Contents were sent before `CONNECT`.
    pub(crate) early: Option<Quote>,
    /// The next command came before `+QFUPL:`.
    pub(crate) interrupted: Option<Quote>,
    pub(crate) refused: Option<(Refused, Quote)>,
}

/// One session with one module.
#[derive(Debug, Clone, Default)]
pub(crate) struct Session {
    pub(crate) module: Module,
    /// What is in force at its end.
    pub(crate) state: Rc<State>,
    pub(crate) attempts: Vec<Attempt>,
    /// Connections that were left out because there were too many.
    pub(crate) attempts_dropped: u64,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) queries: Vec<Query>,
    pub(crate) restarts: Vec<Restart>,
    pub(crate) uploads: Vec<Upload>,
    pub(crate) pems: Vec<PemSeen>,
    /// Two commands were under way at once: the second of them.
    pub(crate) overlaps: Vec<(Quote, Quote)>,
    pub(crate) dns_failures: Vec<Quote>,
    /// Lines in which an answer and the next command stick together.
    pub(crate) glued: Option<Quote>,
    /// The poster asks about line endings.
    pub(crate) asks_line_endings: Option<Quote>,
    /// How often commands with straight and with typographic quotes were accepted.
    pub(crate) accepted_straight: u32,
    pub(crate) accepted_typographic: u32,
    /// Commands that were answered with OK, by verb: the module knows them.
    pub(crate) known_verbs: Vec<String>,
    /// Lines that only a Wi-Fi module or another vendor's module says.
    pub(crate) foreign: Vec<(Family, Quote)>,
    /// `+QIGETERROR: <code>`.
    pub(crate) last_tcp_error: Option<(i64, Quote)>,
    /// The answer to `AT+QSSLCFG=?` listed these settings.
    pub(crate) ssl_items: Vec<String>,
    pub(crate) ssl_items_quote: Option<Quote>,
    pub(crate) first_line: u64,
    pub(crate) last_line: u64,
    pub(crate) commands: u64,
    /// The log's clock in unix seconds, at the beginning and at the end.
    pub(crate) clock: Option<(i64, i64)>,
    pub(crate) first_stamp: Option<Stamp>,
}

impl Session {
    /// The family of the module, from its name or from the commands that it accepts.
    pub(crate) fn family(&self) -> Option<Family> {
        self.module
            .family()
            .or_else(|| self.foreign.first().map(|(family, _)| *family))
            .or_else(|| {
                let quectel = |verb: &String| {
                    ["+QMT", "+QSSL", "+QFUPL", "+QICSGP"]
                        .iter()
                        .any(|p| verb.starts_with(p))
                };
                self.known_verbs
                    .iter()
                    .any(quectel)
                    .then_some(Family::Quectel)
            })
    }

    /// Anything was asked of a module here.
    pub(crate) fn is_dialogue(&self) -> bool {
        self.commands > 0 || !self.attempts.is_empty()
    }

    /// The log's clock, where a connection was tried.
    pub(crate) fn unix_s(&self, attempt: &Attempt) -> Option<i64> {
        attempt.unix_s.or_else(|| self.clock.map(|(_, last)| last))
    }

    /// Everything that was tried came up in the end, and something was.
    pub(crate) fn is_success(&self) -> bool {
        self.attempts.last().is_some_and(Attempt::is_success)
    }
}

/// What a refused command was about: settings by name and number, everything else by its verb.
pub(crate) fn subject(command: &Command) -> (String, String) {
    let named = matches!(
        command.verb.as_str(),
        "+QSSLCFG" | "+QMTCFG" | "+CSSLCFG" | "+SMCONF" | "+QCFG"
    );
    let key = if named && command.form == Form::Set {
        format!("{}/{}", command.name(0), command.arg(1))
    } else if matches!(command.verb.as_str(), "+QFUPL" | "+QFDEL" | "+QIACT") {
        command.name(0)
    } else {
        String::new()
    };
    (command.verb.clone(), key)
}
