//! Builds sessions from the items of a log, one at a time.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::attempt::Api;
use super::module::Module;
use super::pem::PemCollector;
use super::pending::{Pending, echo_key};
use super::prose::{glued, learn_identity, without_fragments};
use super::state::State;
use super::{Restart, Session};
use crate::command::parse_line;
use crate::mask::Quote;
use crate::read::{Boot, Final, Item, Said};
use crate::time::Stamp;

/// Sessions of one paste that are kept.
const MAX_SESSIONS: usize = 32;
/// So many sentences between two commands are a new post, not a remark.
pub(super) const PARAGRAPH: u32 = 3;

/// What the session before left behind.
pub(super) struct Inherited {
    pub(super) state: State,
    /// The host that it talked to.
    pub(super) host: String,
    pub(super) module: Module,
}

/// Reads items and keeps what they tell.
#[derive(Default)]
pub(crate) struct Builder {
    pub(super) done: Vec<Session>,
    pub(super) session: Session,
    /// What the session before left behind, until it is clear whether this one goes on with it.
    pub(super) inherited: Option<Inherited>,
    pub(super) pending: Option<Pending>,
    /// A command that the next one overtook before it was answered.
    pub(super) unanswered: Option<Quote>,
    /// The pair of commands of which the second was answered; a further result belongs to the first.
    pub(super) overtaken: Option<(Quote, Quote)>,
    /// The file whose upload was the last thing done.
    pub(super) last_upload: Option<String>,
    /// The connection whose publish was the last thing done.
    pub(super) last_publish: Option<usize>,
    pub(super) open: BTreeMap<(Api, u8), usize>,
    pub(super) pem: PemCollector,
    pub(super) stamp: Option<Stamp>,
    pub(super) among_settings: bool,
    /// The query that was the last command, until the next command tells whether it stands among settings.
    pub(super) pending_query: Option<usize>,
    pub(super) prose_run: u32,
    pub(super) prose_module: Option<(String, Option<String>)>,
    pub(super) asks_line_endings: Option<Quote>,
    style: Option<u8>,
    /// The module is on its way down or up: `RDY` is the end of this restart, not another one.
    restarting: bool,
    seen_ready: bool,
    restart_commanded: bool,
    last_answer_line: u64,
}

impl Builder {
    /// Takes the next thing that was said.
    pub(crate) fn item(&mut self, item: Item<'_>) {
        if let Some(stamp) = item.stamp {
            self.stamp = Some(stamp);
            self.session.first_stamp.get_or_insert(stamp);
            if let Some(now) = stamp.unix_s() {
                let first = self.session.clock.map_or(now, |(first, _)| first);
                self.session.clock = Some((first, now));
            }
        }
        self.said(&item);
        self.session.last_line = item.line;
    }

    fn said(&mut self, item: &Item<'_>) {
        match item.said {
            Said::Command(text) => self.command(text, item),
            Said::Information { name, value } => {
                self.last_answer_line = item.line;
                self.prose_run = 0;
                self.information(&name.to_ascii_uppercase(), value, item);
            }
            Said::Result(result) => {
                self.last_answer_line = item.line;
                self.prose_run = 0;
                self.result(result, item);
            }
            Said::Boot(boot) => self.boot(boot, item),
            Said::Prompt => self.prompt(),
            Said::Text(text) => self.text(text, item),
        }
    }

    /// The sessions of the log.
    pub(crate) fn finish(mut self) -> Vec<Session> {
        self.finish_pending(None, None);
        self.abandon_pem();
        self.close_session();
        let mut sessions = self.done;
        if let Some((model, firmware)) = self.prose_module
            && let Some(unnamed) = sessions
                .iter_mut()
                .find(|s| s.module == Module::default() && !s.attempts.is_empty())
        {
            unnamed.module = Module {
                model: Some(model),
                firmware,
                quote: None,
                from_prose: true,
            };
        }
        if let Some(quote) = self.asks_line_endings {
            for session in &mut sessions {
                session
                    .asks_line_endings
                    .get_or_insert_with(|| quote.clone());
            }
        }
        without_fragments(sessions)
    }

    fn command(&mut self, text: &str, item: &Item<'_>) {
        let key = echo_key(text);
        if let Some(pending) = &self.pending
            && pending.key == key
            && pending.answers == 0
            && !pending.data
        {
            return;
        }
        let quote = Quote::new(item.line, item.raw);
        if self.last_answer_line == item.line && !item.source && glued(item.raw) {
            self.session.glued.get_or_insert_with(|| quote.clone());
        }
        self.interrupt(&quote);
        let commands = parse_line(text);
        let mut pending = Pending::new(commands, text, quote);
        self.maybe_new_session(&pending, item);
        self.stamp = item.stamp.or(self.stamp);
        pending.stamp = item.stamp.or(self.stamp);
        pending.typographic = item.typographic;
        pending.source = item.source;
        self.session.commands += 1;
        if self.session.first_line == 0 {
            self.session.first_line = item.line;
        }
        self.overtaken = None;
        self.last_upload = None;
        self.last_publish = None;
        self.sent(&mut pending);
        self.pending = Some(pending);
    }

    /// A command comes while another one is under way.
    fn interrupt(&mut self, quote: &Quote) {
        self.unanswered = None;
        if self.pem.is_open() {
            self.abandon_pem();
        }
        let Some(pending) = &self.pending else { return };
        let answered = pending.answers > 0 || pending.data || pending.source;
        let overtaken = (!answered).then(|| pending.quote.clone());
        if pending.is_upload() {
            self.upload_interrupted(quote);
        } else if pending.is_publish() && pending.data {
            self.publish_swallows(quote);
        }
        self.finish_pending(None, None);
        self.unanswered = overtaken;
    }

    fn maybe_new_session(&mut self, pending: &Pending, item: &Item<'_>) {
        let style = match item.stamp.filter(|_| item.stamped) {
            None => u8::from(item.prefixed),
            Some(Stamp::Date(_)) => 2,
            Some(Stamp::TimeOfDay(_)) => 3,
            Some(Stamp::Ticks(_)) => 4,
        };
        let changed = self.style.is_some_and(|known| known != style);
        self.style = Some(style);
        let prose = core::mem::take(&mut self.prose_run);
        let over = self
            .session
            .attempts
            .last()
            .is_some_and(|attempt| attempt.result.is_some() || attempt.closed.is_some());
        let another = prose >= PARAGRAPH || (prose > 0 && (changed || pending.asks_identity()));
        if over && another {
            self.next_session();
        }
    }

    /// Begins a new session that may or may not go on with the settings of this one.
    pub(super) fn next_session(&mut self) {
        let host = self
            .session
            .attempts
            .last()
            .map(|attempt| attempt.host.clone())
            .unwrap_or_default();
        let state = State::clone(&self.session.state);
        let module = self.session.module.clone();
        self.close_session();
        self.inherited = Some(Inherited {
            state,
            host,
            module,
        });
    }

    fn close_session(&mut self) {
        self.untried_credentials();
        self.open.clear();
        self.inherited = None;
        // Another session has its own clock.
        self.stamp = None;
        let line = self.session.last_line;
        let session = core::mem::take(&mut self.session);
        if session.is_dialogue() && self.done.len() < MAX_SESSIONS {
            self.done.push(session);
        }
        self.session.last_line = line;
    }

    /// Changes what is in force, also in the state that the session may turn out to go on with.
    pub(super) fn change(&mut self, change: impl Fn(&mut State)) {
        change(Rc::make_mut(&mut self.session.state));
        if let Some(inherited) = &mut self.inherited {
            change(&mut inherited.state);
        }
    }

    fn result(&mut self, result: Final<'_>, item: &Item<'_>) {
        let quote = Quote::new(item.line, item.raw);
        match result {
            Final::NoCarrier => {}
            Final::Connect => self.connect_prompt(&quote, item.stamp.or(self.stamp)),
            _ if self.pending.is_some() => self.finish_pending(Some(result), Some(quote)),
            _ => self.stray(result, quote),
        }
    }

    /// A final result that no command is waiting for.
    fn stray(&mut self, result: Final<'_>, quote: Quote) {
        if result == Final::Error && self.publish_overrun(&quote) {
            return;
        }
        if result == Final::Error && self.spilt(&quote) {
            return;
        }
        if let Some(pair) = self.overtaken.take()
            && self.session.overlaps.len() < 32
        {
            self.session.overlaps.push(pair);
        }
    }

    /// The rest of a file that was longer than declared: taken for a command, or echoed behind the upload.
    fn spilt(&mut self, quote: &Quote) -> bool {
        let Some(name) = self.last_upload.take() else {
            return false;
        };
        self.change(|state| {
            if let Some(file) = state.file_mut(&name, quote) {
                file.stray_error = Some(quote.clone());
            }
        });
        true
    }

    fn boot(&mut self, boot: Boot, item: &Item<'_>) {
        let again = match boot {
            Boot::Ready => {
                self.seen_ready = true;
                core::mem::take(&mut self.restarting)
            }
            // Without a connection before it, this is the end of the first start.
            Boot::AppReady => {
                core::mem::take(&mut self.restarting)
                    || self.seen_ready
                    || self.session.attempts.is_empty()
            }
            Boot::Down => core::mem::replace(&mut self.restarting, true),
        };
        if !again {
            self.restart(&Quote::new(item.line, item.raw));
        }
    }

    /// The host asked the module to restart or to switch off.
    pub(super) fn restart_asked(&mut self, quote: &Quote) {
        self.restart_commanded = true;
        self.restart(quote);
        self.restarting = true;
    }

    fn restart(&mut self, quote: &Quote) {
        let pending = |index: &usize| {
            self.session
                .attempts
                .get(*index)
                .is_some_and(|a| a.closed.is_none() && !a.failed())
        };
        let while_open = self.open.values().any(pending);
        let asked = self.pending.as_ref().is_some_and(Pending::asks_restart);
        let commanded = core::mem::take(&mut self.restart_commanded) || asked;
        let in_session =
            self.session.state.has_configuration() || !self.session.attempts.is_empty();
        if self.session.restarts.len() < 64 {
            self.session.restarts.push(Restart {
                quote: quote.clone(),
                commanded,
                while_open,
                in_session,
            });
        }
        self.change(|state| state.restart(quote));
        self.open.clear();
    }

    fn prompt(&mut self) {
        if let Some(pending) = &mut self.pending {
            pending.data = true;
        }
        self.publish_prompted();
        self.upload_prompted();
    }

    fn text(&mut self, text: &str, item: &Item<'_>) {
        if self.pending.is_none() && !self.pem.is_open() && text.starts_with("-----END") {
            self.spilt(&Quote::new(item.line, item.raw));
        }
        let (ours, complete) = self.pem.line(text, item.line, item.ending);
        if let Some(pem) = complete {
            self.pem_complete(pem, item);
        }
        let quote = Quote::new(item.line, item.raw);
        if ours {
            self.upload_contents(text, &quote);
            return;
        }
        let Some(pending) = &mut self.pending else {
            self.aside(text, &quote, item);
            return;
        };
        let one_word = pending.asks_one_word();
        if pending.asks_identity() && learn_identity(&mut pending.identity, text, one_word, &quote)
        {
            pending.answers += 1;
            if text.ends_with(" OK") {
                self.finish_pending(Some(Final::Ok), Some(quote));
            }
        } else if pending.data && !pending.data_done {
            pending.data_started = true;
            let glued = text.strip_suffix(" OK").filter(|_| pending.is_publish());
            self.payload(glued.unwrap_or(text), &quote, item.ending);
            if glued.is_some() {
                self.finish_pending(Some(Final::Ok), Some(quote));
            }
        } else {
            self.aside(text, &quote, item);
        }
    }

    fn abandon_pem(&mut self) {
        if let Some(pem) = self.pem.abandon()
            && self.session.pems.len() < 32
        {
            self.session.pems.push(pem);
        }
    }
}
