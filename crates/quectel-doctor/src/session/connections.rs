//! Connections as the log shows them: opened, connected, closed.

use std::rc::Rc;

use super::attempt::{
    Action, Api, Attempt, Connect, ConnectResult, LateSetting, MAX_EVENTS, OpenResult, Stat, Tls,
};
use super::builder::Builder;
use super::credential::{Password, UserName};
use super::opens::{Target, tls_of_client};
use super::pending::Pending;
use crate::command::Command;
use crate::host::Cloud;
use crate::mask::Quote;
use crate::time::{Stamp, elapsed_ms};

/// Connections of one session that are kept: the first and the last ones.
const MAX_ATTEMPTS: usize = 300;
const KEEP_FIRST: usize = 50;

impl Builder {
    pub(super) fn begin(&mut self, target: Target, pending: &mut Pending) -> usize {
        let key = (target.api, target.client);
        if let Some(before) = self
            .open
            .get(&key)
            .and_then(|at| self.session.attempts.get_mut(*at))
            && before.result.is_none()
            && before.given_up.is_none()
        {
            before.given_up = Some((
                pending.quote.clone(),
                elapsed_ms(pending.stamp, before.stamp),
            ));
        }
        let unix_s = self.now();
        let attempt = Attempt {
            api: target.api,
            client: target.client,
            quote: Some(pending.quote.clone()),
            stamp: pending.stamp,
            cloud: Cloud::of(&target.host),
            host: target.host,
            port: target.port,
            tls: target.tls,
            pdp_context: target.pdp_context,
            state: Rc::clone(&self.session.state),
            unix_s,
            ..blank_attempt(target.api, target.client)
        };
        let index = self.push_attempt(attempt);
        pending.attempt = Some(index);
        index
    }

    fn push_attempt(&mut self, attempt: Attempt) -> usize {
        if self.session.attempts.len() >= MAX_ATTEMPTS {
            self.session.attempts.remove(KEEP_FIRST);
            self.session.attempts_dropped += 1;
            for at in self.open.values_mut().filter(|at| **at > KEEP_FIRST) {
                *at -= 1;
            }
        }
        let index = self.session.attempts.len();
        self.open.insert((attempt.api, attempt.client), index);
        self.session.attempts.push(attempt);
        index
    }

    /// The time by the log, or by the module's clock where that can be right.
    fn now(&self) -> Option<i64> {
        let clock = self
            .session
            .state
            .network
            .clock
            .as_ref()
            .map(|seen| seen.value);
        let module = clock
            .filter(|clock| !clock.is_implausible())
            .map(|clock| clock.unix_s);
        self.stamp
            .and_then(Stamp::unix_s)
            .or_else(|| self.session.clock.map(|(_, last)| last))
            .or(module)
    }

    /// The connection of this client; one is made up when the log shows only its answers.
    pub(super) fn current(&mut self, api: Api, client: u8) -> usize {
        if let Some(at) = self
            .open
            .get(&(api, client))
            .copied()
            .filter(|at| *at < self.session.attempts.len())
        {
            return at;
        }
        let state = Rc::clone(&self.session.state);
        let tls = if api == Api::Qmt {
            tls_of_client(&state, client)
        } else {
            Tls::Unknown
        };
        let attempt = Attempt {
            stamp: self.stamp,
            unix_s: self.now(),
            tls,
            state,
            ..blank_attempt(api, client)
        };
        self.push_attempt(attempt)
    }

    pub(super) fn current_mut(&mut self, api: Api, client: u8) -> Option<&mut Attempt> {
        let at = self.current(api, client);
        self.session.attempts.get_mut(at)
    }

    /// `+QMTOPEN: x,<code>` and the like.
    pub(super) fn open_result(&mut self, api: Api, client: u8, code: i32, quote: Quote) {
        let stamp = self.stamp;
        let at = self.current(api, client);
        let known = self
            .session
            .attempts
            .get(at)
            .is_some_and(|attempt| attempt.result.is_some());
        let asked = self
            .session
            .attempts
            .iter()
            .any(|attempt| attempt.api == api && attempt.quote.is_some());
        if known && asked {
            return;
        }
        if known {
            self.open.remove(&(api, client));
        }
        if let Some(attempt) = self.current_mut(api, client) {
            attempt.result = Some(OpenResult { code, quote, stamp });
        }
    }

    pub(super) fn connect_qmt(&mut self, command: &Command, pending: &mut Pending) {
        let client = command.number(0).unwrap_or(0);
        let index = self.current(Api::Qmt, client);
        pending.attempt = Some(index);
        let connect = Connect {
            client_id: command.arg(1).to_owned(),
            user: UserName::of(command.args.get(2).map(|arg| arg.text.as_str())),
            password: Password::of(command.args.get(3).map(|arg| arg.text.as_str())),
            ..blank_connect(pending, command)
        };
        let Some(attempt) = self.session.attempts.get_mut(index) else {
            return;
        };
        let connect = Connect {
            before_open: attempt.quote.is_some() && attempt.result.is_none(),
            after_failed_open: attempt
                .result
                .as_ref()
                .is_some_and(|result| result.code != 0),
            ..connect
        };
        attempt.last_action = Action::Connect;
        // A log that begins here: the user name tells where the connection goes.
        if attempt.host.is_empty() {
            attempt.cloud = match &connect.user {
                UserName::Hub(_) => Cloud::AzureHub,
                UserName::Dps(_) => Cloud::AzureDps,
                _ => attempt.cloud,
            };
        }
        if attempt.connects.len() < MAX_EVENTS {
            attempt.connects.push(connect);
        }
    }

    /// `+QMTCONN: x,<result>[,<ret>]` as a URC.
    pub(super) fn connect_result(
        &mut self,
        api: Api,
        client: u8,
        result: i32,
        ret: Option<i32>,
        quote: Quote,
    ) {
        let stamp = self.stamp;
        let Some(attempt) = self.current_mut(api, client) else {
            return;
        };
        let result = ConnectResult {
            result,
            ret,
            quote,
            stamp,
        };
        let waiting = |c: &&mut Connect| c.result.as_ref().is_none_or(|known| known.result == 1);
        if let Some(connect) = attempt.connects.iter_mut().rev().find(waiting) {
            connect.result = Some(result);
        } else if attempt.connects.len() < MAX_EVENTS {
            attempt.connects.push(Connect {
                result: Some(result),
                ..unseen_connect()
            });
            attempt.last_action = Action::Connect;
        }
    }

    /// `+QMTSTAT: x,<code>`.
    pub(super) fn status(&mut self, api: Api, client: u8, code: i64, quote: Quote) {
        let stamp = self.stamp;
        let Some(attempt) = self.current_mut(api, client) else {
            return;
        };
        let stat = Stat {
            code,
            quote,
            stamp,
            after: attempt.last_action,
            connected: attempt.is_connected(),
        };
        if attempt.stats.len() < MAX_EVENTS {
            attempt.stats.push(stat);
        }
    }

    /// The host closes or disconnects.
    pub(super) fn close(&mut self, command: &Command, pending: &Pending) {
        let api = match command.verb.as_str() {
            "+QSSLCLOSE" => Api::Qssl,
            "+QICLOSE" => Api::Tcp,
            "+CMQTTDISC" => Api::Cmqtt,
            "+SMDISC" => Api::Smconn,
            _ => Api::Qmt,
        };
        let client = command.number(0).unwrap_or(0);
        let Some(at) = self.open.get(&(api, client)).copied() else {
            return;
        };
        let Some(attempt) = self.session.attempts.get_mut(at) else {
            return;
        };
        if attempt.result.is_none() && attempt.quote.is_some() && attempt.given_up.is_none() {
            attempt.given_up = Some((
                pending.quote.clone(),
                elapsed_ms(pending.stamp, attempt.stamp),
            ));
        }
        attempt.closed.get_or_insert_with(|| pending.quote.clone());
        attempt.last_action = Action::Disconnect;
    }

    /// `ERROR` to a command that opens, connects or subscribes.
    pub(super) fn connection_refused(&mut self, command: &Command, index: usize, answer: &Quote) {
        let Some(attempt) = self.session.attempts.get_mut(index) else {
            return;
        };
        let by_command = |refused: &Option<Quote>| refused.is_none();
        match command.verb.as_str() {
            "+QMTCONN" => {
                if let Some(connect) = attempt
                    .connects
                    .last_mut()
                    .filter(|connect| by_command(&connect.refused))
                {
                    connect.refused = Some(answer.clone());
                }
            }
            "+QMTSUB" => {
                if let Some(subscribe) = attempt.subscribes.last_mut() {
                    subscribe.refused = Some(answer.clone());
                }
            }
            "+QMTOPEN" | "+QSSLOPEN" | "+QIOPEN" | "+CMQTTCONNECT" | "+SMCONN" | "+MQTTCONN"
            | "+QHTTPGET" | "+QHTTPPOST" => {
                attempt.refused = Some(answer.clone());
            }
            _ => {}
        }
    }

    /// A setting of a client whose connection is already open.
    pub(super) fn late_setting(&mut self, command: &Command, quote: &Quote, refused: bool) {
        let Some(client) = command.number::<u8>(1).filter(|_| command.args.len() > 2) else {
            return;
        };
        let Some(at) = self.open.get(&(Api::Qmt, client)).copied() else {
            return;
        };
        let Some(attempt) = self.session.attempts.get_mut(at) else {
            return;
        };
        let live =
            attempt.code() == Some(0) && attempt.closed.is_none() && attempt.stats.is_empty();
        if live && attempt.late_settings.len() < MAX_EVENTS {
            let after_connect = !attempt.connects.is_empty();
            attempt.late_settings.push(LateSetting {
                name: command.name(0),
                quote: quote.clone(),
                refused,
                after_connect,
            });
        }
    }
}

fn blank_attempt(api: Api, client: u8) -> Attempt {
    Attempt {
        api,
        client,
        quote: None,
        stamp: None,
        host: String::new(),
        cloud: Cloud::Hidden,
        port: None,
        tls: Tls::Unknown,
        pdp_context: None,
        state: Rc::default(),
        refused: None,
        result: None,
        connects: Vec::new(),
        publishes: Vec::new(),
        subscribes: Vec::new(),
        stats: Vec::new(),
        late_settings: Vec::new(),
        closed: None,
        given_up: None,
        pdp_dropped: None,
        last_action: Action::Open,
        unix_s: None,
    }
}

pub(super) fn blank_connect(pending: &Pending, command: &Command) -> Connect {
    Connect {
        quote: pending.quote.clone(),
        stamp: pending.stamp,
        line_length: command.line_length,
        ..unseen_connect()
    }
}

pub(super) fn unseen_connect() -> Connect {
    Connect {
        quote: Quote::new(0, ""),
        stamp: None,
        before_open: false,
        after_failed_open: false,
        client_id: String::new(),
        user: UserName::Absent,
        password: Password::Absent,
        line_length: 0,
        refused: None,
        result: None,
    }
}
