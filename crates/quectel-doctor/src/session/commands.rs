//! What a command changes once the module has accepted it, and what a refusal tells.

use super::attempt::Api;
use super::builder::Builder;
use super::changes::{delete, listed, rest_of, set_network, set_other, ssl_name};
use super::module::family_of_verb;
use super::network::Seen;
use super::pending::{Pending, is_restart};
use super::settings::Value;
use super::{Query, Refusal, Refused, subject};
use crate::command::{Command, Form};
use crate::mask::Quote;
use crate::read::Final;

const MAX_REFUSALS: usize = 200;

impl Builder {
    /// A command line goes out.
    pub(super) fn sent(&mut self, pending: &mut Pending) {
        let commands = core::mem::take(&mut pending.commands);
        let sets = commands.iter().any(is_setting);
        let opens = commands
            .iter()
            .any(|command| matches!(command.verb.as_str(), "+QMTOPEN" | "+QSSLOPEN"));
        if let Some(query) = self.last_query()
            && !(sets || opens)
        {
            query.among_settings = false;
        }
        for command in &commands {
            self.sent_one(command, pending);
        }
        self.among_settings = sets;
        pending.commands = commands;
    }

    fn last_query(&mut self) -> Option<&mut Query> {
        let at = self.pending_query.take()?;
        self.session.queries.get_mut(at)
    }

    fn sent_one(&mut self, command: &Command, pending: &mut Pending) {
        match (command.verb.as_str(), command.form) {
            ("+QMTOPEN", Form::Set) => self.open_qmt(command, pending),
            ("+QSSLOPEN", Form::Set) => self.open_socket(command, pending, true),
            ("+QIOPEN", Form::Set) => self.open_socket(command, pending, false),
            ("+QHTTPGET" | "+QHTTPPOST", _) if command.form != Form::Test => {
                self.open_http(pending)
            }
            ("+CMQTTCONNECT", Form::Set) => self.open_cmqtt(command, pending),
            ("+SMCONN", Form::Exec) => self.open_smconn(pending),
            ("+MQTTCONN", Form::Set) => self.open_esp_at(command, pending),
            ("+QMTCONN", Form::Set) => self.connect_qmt(command, pending),
            (
                "+QMTDISC" | "+QMTCLOSE" | "+QSSLCLOSE" | "+QICLOSE" | "+CMQTTDISC" | "+SMDISC",
                _,
            ) => {
                self.close(command, pending);
            }
            ("+QMTPUB" | "+QMTPUBEX" | "+SMPUB" | "+CMQTTPUB", Form::Set) => {
                self.publish(command, pending)
            }
            ("+QMTSUB", Form::Set) => self.subscribe(command, pending),
            ("+QFUPL" | "+QSECWRITE" | "+CCERTDOWN", Form::Set) => self.upload(command, pending),
            ("+QSSLCFG" | "+QMTCFG", Form::Set) if command.args.len() <= 2 => {
                self.query(command, pending)
            }
            _ => {}
        }
    }

    fn query(&mut self, command: &Command, pending: &mut Pending) {
        if self.session.queries.len() >= 128 {
            return;
        }
        pending.query = Some(self.session.queries.len());
        self.pending_query = pending.query;
        self.session.queries.push(Query {
            verb: command.verb.clone(),
            name: command.name(0),
            number: command.number(1),
            quote: pending.quote.clone(),
            answer: None,
            attempts_before: self.session.attempts.len(),
            among_settings: self.among_settings,
        });
    }

    /// The command under way is over: by its final result, or because something else came.
    pub(super) fn finish_pending(&mut self, result: Option<Final<'_>>, quote: Option<Quote>) {
        let Some(mut pending) = self.pending.take() else {
            return;
        };
        let refused = match result {
            Some(Final::Error | Final::SendFail) => Some(Refused::Error),
            Some(Final::Cme(text)) => Some(Refused::Cme(text.to_owned())),
            _ => None,
        };
        if result.is_some()
            && let Some(overtaken) = self.unanswered.take()
        {
            self.overtaken = Some((overtaken, pending.quote.clone()));
        }
        if pending.asks_identity() {
            self.identified(&pending);
        }
        let commands = core::mem::take(&mut pending.commands);
        for command in &commands {
            match &refused {
                Some(refused) => self.refused(command, &pending, refused, quote.as_ref()),
                None => self.accepted(command, &pending, result.is_some()),
            }
        }
        pending.commands = commands;
        self.publish_finished(
            &pending,
            refused.is_some(),
            result.is_some(),
            quote.as_ref(),
        );
        self.upload_finished(&pending, refused, quote);
    }

    /// The answers to `ATI` and the like are complete.
    fn identified(&mut self, pending: &Pending) {
        let found = pending.identity.clone();
        if found.model.is_none() && found.firmware.is_none() {
            return;
        }
        if self.session.module.contradicts(&found) {
            self.next_session();
            // Another module: nothing of the one before holds for it.
            self.inherited = None;
            self.session.first_line = pending.quote.number;
            self.session.commands = 1;
        }
        let module = &mut self.session.module;
        module.model = found.model.or_else(|| module.model.take());
        module.firmware = found.firmware.or_else(|| module.firmware.take());
        module.quote = found.quote.or_else(|| module.quote.take());
    }

    fn refused(
        &mut self,
        command: &Command,
        pending: &Pending,
        refused: &Refused,
        answer: Option<&Quote>,
    ) {
        let Some(answer) = answer else { return };
        self.refused_network(command, refused, answer);
        if let Some(attempt) = pending.attempt {
            self.connection_refused(command, attempt, answer);
        }
        if command.is_set("+QMTCFG") {
            self.late_setting(command, &pending.quote, true);
        }
        if self.session.refusals.len() < MAX_REFUSALS {
            self.session.refusals.push(Refusal {
                command: command.clone(),
                quote: pending.quote.clone(),
                answer: answer.clone(),
                refused: refused.clone(),
                typographic: pending.typographic,
                attempts_before: self.session.attempts.len(),
                repaired_at: None,
            });
        }
    }

    fn refused_network(&mut self, command: &Command, refused: &Refused, answer: &Quote) {
        let words = match refused {
            Refused::Cme(words) => words.clone(),
            Refused::Error => String::new(),
        };
        let sim =
            matches!(refused.cme(), Some(10..=15)) || words.to_ascii_uppercase().contains("SIM ");
        if sim && !matches!(refused.cme(), Some(400..)) {
            let seen = Seen {
                value: words,
                quote: answer.clone(),
            };
            self.change(|state| state.network.sim = Some(seen.clone()));
        }
        if (command.is_set("+QIACT") || command.is_set("+CGACT"))
            && let Some(context) = context_of(command)
        {
            self.change(|state| {
                state.network.pdp.entry(context).or_default().refused = Some(answer.clone())
            });
        }
    }

    fn accepted(&mut self, command: &Command, pending: &Pending, answered: bool) {
        if answered {
            self.note_accepted(command, pending.typographic, &pending.quote);
        }
        let quote = &pending.quote;
        match (command.verb.as_str(), command.form) {
            ("+QSSLCFG" | "+CSSLCFG", Form::Set) => self.set_ssl(command, quote),
            ("+QMTCFG", Form::Set) => {
                self.set_mqtt(command, quote);
                self.late_setting(command, quote, false);
            }
            (
                "+CMQTTSSLCFG" | "+CMQTTACCQ" | "+SMCONF" | "+SMSSL" | "+QHTTPCFG" | "+MQTTUSERCFG"
                | "+MQTTCLIENTID" | "+MQTTUSERNAME" | "+MQTTPASSWORD",
                Form::Set,
            ) => {
                self.change(|state| set_other(state, command, quote));
            }
            _ if is_restart(command) => self.restart_asked(quote),
            ("+QFDEL", Form::Set) => self.change(|state| delete(state, command, quote)),
            ("+QFLST", Form::Set | Form::Exec | Form::Read)
                if answered || !pending.listed_files.is_empty() =>
            {
                let names = pending.listed_files.clone();
                self.change(|state| listed(state, command, &names, quote));
            }
            ("+SMCONN", Form::Exec) if answered => {
                self.open_result(Api::Smconn, 0, 0, quote.clone());
                self.connect_result(Api::Smconn, 0, 0, Some(0), quote.clone());
            }
            _ => self.change(|state| set_network(state, command, pending, answered)),
        }
    }

    fn note_accepted(&mut self, command: &Command, typographic: bool, quote: &Quote) {
        if command.args.iter().any(|arg| arg.quoted) {
            let counter = if typographic {
                &mut self.session.accepted_typographic
            } else {
                &mut self.session.accepted_straight
            };
            *counter = counter.saturating_add(1);
        }
        if self.session.known_verbs.len() < 200 && !self.session.known_verbs.contains(&command.verb)
        {
            self.session.known_verbs.push(command.verb.clone());
        }
        if let Some(family) = family_of_verb(&command.verb).filter(|family| !family.is_quectel()) {
            self.foreign(family, quote.clone());
        }
        if command.form == Form::Set {
            let subject = subject(command);
            let attempts = self.session.attempts.len();
            for refusal in self
                .session
                .refusals
                .iter_mut()
                .filter(|refusal| refusal.repaired_at.is_none())
            {
                if super::subject(&refusal.command) == subject {
                    refusal.repaired_at = Some(attempts);
                }
            }
        }
    }

    fn set_ssl(&mut self, command: &Command, quote: &Quote) {
        let Some(context) = command.number::<u8>(1) else {
            return;
        };
        if command.args.len() < 3 {
            return;
        }
        let name = ssl_name(&command.name(0), command.is("+CSSLCFG"));
        let args = rest_of(command, 2);
        self.change(|state| {
            let value = Value {
                args: args.clone(),
                quote: quote.clone(),
                read: false,
            };
            state.settings_lost = None;
            state.ssl.entry(context).or_default().put(&name, value);
        });
    }

    fn set_mqtt(&mut self, command: &Command, quote: &Quote) {
        let Some(client) = command.number::<u8>(1) else {
            return;
        };
        if command.args.len() < 3 {
            return;
        }
        let (name, args) = (command.name(0), rest_of(command, 2));
        // Passwords of other clouds are no business of a report.
        let args = if name == "aliauth" || name == "onenet" || name == "hwauth" {
            Vec::new()
        } else {
            args
        };
        self.change(|state| {
            let value = Value {
                args: args.clone(),
                quote: quote.clone(),
                read: false,
            };
            if name == "ssl" {
                state.settings_lost = None;
            }
            state.clients.entry(client).or_default().put(&name, value);
        });
    }
}

fn is_setting(command: &Command) -> bool {
    matches!(
        command.verb.as_str(),
        "+QSSLCFG" | "+QMTCFG" | "+QFUPL" | "+QFDEL"
    ) && command.form == Form::Set
}

fn context_of(command: &Command) -> Option<u8> {
    if command.is("+CGACT") {
        command.number(1)
    } else {
        command.number(0)
    }
}
