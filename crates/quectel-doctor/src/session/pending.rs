//! The command that is under way, and what has been said to it so far.

use super::module::Module;
use crate::command::{Command, Form};
use crate::mask::Quote;
use crate::time::Stamp;

/// A command line whose final result has not come.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) commands: Vec<Command>,
    /// The command line in capitals and without blanks, to know its echo.
    pub(crate) key: String,
    pub(crate) quote: Quote,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) typographic: bool,
    pub(crate) source: bool,
    /// Information lines that answer it.
    pub(crate) answers: u32,
    pub(crate) answer_quote: Option<Quote>,
    /// `CONNECT` or `>` came: what follows is data.
    pub(crate) data: bool,
    pub(crate) data_started: bool,
    /// `+QFUPL:` came: the data are over.
    pub(crate) data_done: bool,
    pub(crate) payload_bytes: u64,
    /// Contexts that `AT+QIACT?` listed.
    pub(crate) listed_contexts: Vec<u8>,
    /// Names that `AT+QFLST` listed.
    pub(crate) listed_files: Vec<String>,
    pub(crate) identity: Module,
    /// The connection, and the publish, connect or subscribe in it, that this command began.
    pub(crate) attempt: Option<usize>,
    pub(crate) upload: Option<usize>,
    pub(crate) query: Option<usize>,
}

impl Pending {
    pub(crate) fn new(commands: Vec<Command>, text: &str, quote: Quote) -> Self {
        Self {
            commands,
            key: echo_key(text),
            quote,
            stamp: None,
            typographic: false,
            source: false,
            answers: 0,
            answer_quote: None,
            data: false,
            data_started: false,
            data_done: false,
            payload_bytes: 0,
            listed_contexts: Vec::new(),
            listed_files: Vec::new(),
            identity: Module::default(),
            attempt: None,
            upload: None,
            query: None,
        }
    }

    /// Does one of its commands have this verb and form?
    pub(crate) fn has(&self, verb: &str, form: Form) -> bool {
        self.commands
            .iter()
            .any(|command| command.verb == verb && command.form == form)
    }

    pub(crate) fn first(&self) -> Option<&Command> {
        self.commands.first()
    }

    pub(crate) fn is_verb(&self, verbs: &[&str]) -> bool {
        self.commands
            .iter()
            .any(|command| verbs.contains(&command.verb.as_str()))
    }

    pub(crate) fn asks_identity(&self) -> bool {
        self.is_verb(&[
            "I",
            "I1",
            "+GMM",
            "+CGMM",
            "+GMR",
            "+CGMR",
            "+QGMR",
            "+GMI",
            "+CGMI",
            "+SIMCOMATI",
        ])
    }

    /// `AT+CGMR` and `AT+CGMM` are answered with a bare word: the release (true) or the model.
    pub(crate) fn asks_one_word(&self) -> Option<bool> {
        if self.is_verb(&["+GMR", "+CGMR", "+QGMR"]) {
            Some(true)
        } else {
            self.is_verb(&["+GMM", "+CGMM"]).then_some(false)
        }
    }

    /// A command whose data phase ends with a count, not with a final result on its own.
    pub(crate) fn is_upload(&self) -> bool {
        self.is_verb(&[
            "+QFUPL",
            "+QFWRITE",
            "+QSECWRITE",
            "+CCERTDOWN",
            "+QSSLCERT",
            "+CFSWFILE",
        ])
    }

    /// A command after which the module restarts or switches off.
    pub(crate) fn asks_restart(&self) -> bool {
        self.commands.iter().any(is_restart)
    }

    pub(crate) fn is_publish(&self) -> bool {
        self.is_verb(&["+QMTPUB", "+QMTPUBEX", "+SMPUB", "+CMQTTPUB"])
    }
}

/// `AT+CFUN=1,1`, `AT+QPOWD` and other vendors' words for them.
pub(crate) fn is_restart(command: &Command) -> bool {
    let verbs = ["+QPOWD", "+CRESET", "+QRST", "+CPOF", "+CPOWD"];
    let cycle = command.is_set("+CFUN") && command.arg(0) == "1" && command.arg(1) == "1";
    cycle || (verbs.contains(&command.verb.as_str()) && command.form != Form::Test)
}

/// A command line as its echo repeats it.
pub(crate) fn echo_key(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| c.to_ascii_uppercase())
        .collect()
}
