//! Connections as the log shows them: opened, connected, closed.

use std::rc::Rc;

use super::attempt::{Action, Api, Attempt, Connect, ConnectResult, LateSetting, MAX_EVENTS, OpenResult, Stat, Tls};
use super::builder::Builder;
use super::credential::{Password, UserName};
use super::pending::Pending;
use super::state::State;
use crate::command::Command;
use crate::host::{Cloud, bare_host};
use crate::mask::Quote;
use crate::time::{Stamp, elapsed_ms};

/// Connections of one session that are kept: the first and the last ones.
const MAX_ATTEMPTS: usize = 300;
const KEEP_FIRST: usize = 50;

/// Where a connection goes, and how.
struct Target {
    api: Api,
    client: u8,
    host: String,
    port: Option<u16>,
    tls: Tls,
    pdp_context: Option<u8>,
}

impl Builder {
    pub(super) fn open_qmt(&mut self, command: &Command, pending: &mut Pending) {
        let client = command.number(0).unwrap_or(0);
        let host = command.arg(1).to_owned();
        self.settle_inheritance(&host, client);
        let tls = tls_of_client(&self.session.state, client);
        let pdp_context = self.session.state.clients.get(&client).and_then(|c| c.number("pdpcid")).unwrap_or(1);
        let port = command.number(2).or_else(|| port_in(&host));
        let pdp_context = u8::try_from(pdp_context).ok();
        self.begin(Target { api: Api::Qmt, client, host, port, tls, pdp_context }, pending);
    }

    pub(super) fn open_socket(&mut self, command: &Command, pending: &mut Pending, tls: bool) {
        let (api, skip) = if tls { (Api::Qssl, 1) } else { (Api::Tcp, 0) };
        let context = command.number(1).unwrap_or(0);
        let target = Target {
            api,
            client: command.number(1 + skip).unwrap_or(0),
            host: command.arg(3).to_owned(),
            port: command.number(4),
            tls: if tls { Tls::On(context) } else { Tls::Off },
            pdp_context: command.number(0),
        };
        self.settle_inheritance(&target.host, u8::MAX);
        self.begin(target, pending);
    }

    pub(super) fn open_http(&mut self, pending: &mut Pending) {
        let state = &self.session.state;
        let url = state.http_host.clone().unwrap_or_default();
        let plain = url.to_ascii_lowercase().starts_with("http://");
        let tls = if plain { Tls::Off } else { state.http_context.map_or(Tls::Unknown, Tls::On) };
        let host = bare_host(&url).to_owned();
        self.begin(Target { api: Api::Http, client: 0, host, port: None, tls, pdp_context: None }, pending);
    }

    pub(super) fn open_cmqtt(&mut self, command: &Command, pending: &mut Pending) {
        let client = command.number(0).unwrap_or(0);
        let url = command.arg(1).to_owned();
        let state = &self.session.state;
        let bound = state.clients.get(&client).and_then(|c| c.get("ssl")).and_then(|v| v.args.get(1)?.parse().ok());
        let acquired = state.acquired_with_tls.get(&client).copied();
        let tls = match (bound, acquired) {
            (Some(context), Some(true) | None) => Tls::On(context),
            (None, Some(true)) => Tls::On(0),
            (_, Some(false)) => Tls::NeverOn,
            (None, None) => Tls::Unknown,
        };
        let target =
            Target { api: Api::Cmqtt, client, port: port_in(&url), host: bare_host(&url).to_owned(), tls, pdp_context: None };
        let index = self.begin(target, pending);
        let connect = Connect {
            client_id: String::new(),
            user: UserName::of(command.args.get(4).map(|arg| arg.text.as_str())),
            password: Password::of(command.args.get(5).map(|arg| arg.text.as_str())),
            ..blank_connect(pending, command)
        };
        if let Some(attempt) = self.session.attempts.get_mut(index) {
            attempt.connects.push(connect);
        }
    }

    pub(super) fn open_smconn(&mut self, pending: &mut Pending) {
        let state = &self.session.state;
        let host = state.smconf.get("url").cloned().unwrap_or_default();
        let port = state.smconf.get("url/port").and_then(|port| port.parse().ok()).or_else(|| port_in(&host));
        let tls = if state.smssl { Tls::On(0) } else { Tls::NeverOn };
        let host = bare_host(&host).to_owned();
        let index = self.begin(Target { api: Api::Smconn, client: 0, host, port, tls, pdp_context: None }, pending);
        self.known_credentials(index, pending);
    }

    /// ESP-AT's `AT+MQTTCONN=<link>,"host",<port>,<reconnect>`.
    pub(super) fn open_esp_at(&mut self, command: &Command, pending: &mut Pending) {
        let tls = match self.session.state.esp_scheme {
            Some(0 | 1) => Tls::NeverOn,
            Some(_) => Tls::On(0),
            None => Tls::Unknown,
        };
        let client = command.number(0).unwrap_or(0);
        let target =
            Target { api: Api::EspAt, client, host: command.arg(1).to_owned(), port: command.number(2), tls, pdp_context: None };
        let index = self.begin(target, pending);
        self.known_credentials(index, pending);
    }

    /// Credentials that were configured before and go out with this connection.
    fn known_credentials(&mut self, index: usize, pending: &Pending) {
        let state = &self.session.state;
        let Some((user, password)) = state.credentials.clone() else { return };
        let client_id = state.smconf.get("clientid").cloned().unwrap_or_default();
        let connect =
            Connect { quote: pending.quote.clone(), stamp: pending.stamp, client_id, user, password, ..unseen_connect() };
        if let Some(attempt) = self.session.attempts.get_mut(index) {
            attempt.connects.push(connect);
        }
    }

    /// The session decides at its first connection whether it goes on with the settings of the one before.
    fn settle_inheritance(&mut self, host: &str, client: u8) {
        let Some(inherited) = self.inherited.take() else { return };
        let own = self.session.state.clients.get(&client).is_some_and(|c| c.get("ssl").is_some());
        let known_client = inherited.state.clients.get(&client).is_some_and(|c| c.get("ssl").is_some());
        let known_host = !host.is_empty() && inherited.host.eq_ignore_ascii_case(host);
        if !own && (known_host || known_client) {
            self.session.state = Rc::new(inherited.state);
            if self.session.module == super::module::Module::default() {
                self.session.module = inherited.module;
            }
        }
    }

    fn begin(&mut self, target: Target, pending: &mut Pending) -> usize {
        let key = (target.api, target.client);
        if let Some(before) = self.open.get(&key).and_then(|at| self.session.attempts.get_mut(*at))
            && before.result.is_none()
            && before.given_up.is_none()
        {
            before.given_up = Some((pending.quote.clone(), elapsed_ms(pending.stamp, before.stamp)));
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
        let clock = self.session.state.network.clock.as_ref().map(|seen| seen.value);
        let module = clock.filter(|clock| !clock.is_implausible()).map(|clock| clock.unix_s);
        self.stamp.and_then(Stamp::unix_s).or(self.session.clock.map(|(_, last)| last)).or(module)
    }

    /// The connection of this client; one is made up when the log shows only its answers.
    pub(super) fn current(&mut self, api: Api, client: u8) -> usize {
        if let Some(at) = self.open.get(&(api, client)).copied().filter(|at| *at < self.session.attempts.len()) {
            return at;
        }
        let attempt =
            Attempt { stamp: self.stamp, unix_s: self.now(), state: Rc::clone(&self.session.state), ..blank_attempt(api, client) };
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
        let known = self.session.attempts.get(at).is_some_and(|attempt| attempt.result.is_some());
        let asked = self.session.attempts.iter().any(|attempt| attempt.api == api && attempt.quote.is_some());
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
        let Some(attempt) = self.session.attempts.get_mut(index) else { return };
        let connect = Connect {
            before_open: attempt.quote.is_some() && attempt.result.is_none(),
            after_failed_open: attempt.result.as_ref().is_some_and(|result| result.code != 0),
            ..connect
        };
        attempt.last_action = Action::Connect;
        if attempt.connects.len() < MAX_EVENTS {
            attempt.connects.push(connect);
        }
    }

    /// `+QMTCONN: x,<result>[,<ret>]` as a URC.
    pub(super) fn connect_result(&mut self, api: Api, client: u8, result: i32, ret: Option<i32>, quote: Quote) {
        let stamp = self.stamp;
        let Some(attempt) = self.current_mut(api, client) else { return };
        let result = ConnectResult { result, ret, quote, stamp };
        let waiting = |c: &&mut Connect| c.result.as_ref().is_none_or(|known| known.result == 1);
        if let Some(connect) = attempt.connects.iter_mut().rev().find(waiting) {
            connect.result = Some(result);
        } else if attempt.connects.len() < MAX_EVENTS {
            attempt.connects.push(Connect { result: Some(result), ..unseen_connect() });
            attempt.last_action = Action::Connect;
        }
    }

    /// `+QMTSTAT: x,<code>`.
    pub(super) fn status(&mut self, api: Api, client: u8, code: i64, quote: Quote) {
        let stamp = self.stamp;
        let Some(attempt) = self.current_mut(api, client) else { return };
        let stat = Stat { code, quote, stamp, after: attempt.last_action, connected: attempt.is_connected() };
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
        let Some(at) = self.open.get(&(api, client)).copied() else { return };
        let Some(attempt) = self.session.attempts.get_mut(at) else { return };
        if attempt.result.is_none() && attempt.quote.is_some() && attempt.given_up.is_none() {
            attempt.given_up = Some((pending.quote.clone(), elapsed_ms(pending.stamp, attempt.stamp)));
        }
        attempt.closed.get_or_insert_with(|| pending.quote.clone());
        attempt.last_action = Action::Disconnect;
    }

    /// `ERROR` to a command that opens, connects or subscribes.
    pub(super) fn connection_refused(&mut self, command: &Command, index: usize, answer: &Quote) {
        let Some(attempt) = self.session.attempts.get_mut(index) else { return };
        let by_command = |refused: &Option<Quote>| refused.is_none();
        match command.verb.as_str() {
            "+QMTCONN" => {
                if let Some(connect) = attempt.connects.last_mut().filter(|connect| by_command(&connect.refused)) {
                    connect.refused = Some(answer.clone());
                }
            }
            "+QMTSUB" => {
                if let Some(subscribe) = attempt.subscribes.last_mut() {
                    subscribe.refused = Some(answer.clone());
                }
            }
            "+QMTOPEN" | "+QSSLOPEN" | "+QIOPEN" | "+CMQTTCONNECT" | "+SMCONN" | "+MQTTCONN" | "+QHTTPGET" | "+QHTTPPOST" => {
                attempt.refused = Some(answer.clone());
            }
            _ => {}
        }
    }

    /// A setting of a client whose connection is already open.
    pub(super) fn late_setting(&mut self, command: &Command, quote: &Quote, refused: bool) {
        let Some(client) = command.number::<u8>(1).filter(|_| command.args.len() > 2) else { return };
        let Some(at) = self.open.get(&(Api::Qmt, client)).copied() else { return };
        let Some(attempt) = self.session.attempts.get_mut(at) else { return };
        let live = attempt.code() == Some(0) && attempt.closed.is_none() && attempt.stats.is_empty();
        if live && attempt.late_settings.len() < MAX_EVENTS {
            let after_connect = !attempt.connects.is_empty();
            attempt.late_settings.push(LateSetting { name: command.name(0), quote: quote.clone(), refused, after_connect });
        }
    }
}

fn port_in(host: &str) -> Option<u16> {
    host.trim_end_matches('/').rsplit_once(':').and_then(|(_, port)| port.parse().ok())
}

fn tls_of_client(state: &State, client: u8) -> Tls {
    match state.clients.get(&client).and_then(|settings| settings.get("ssl")) {
        Some(ssl) if ssl.text() == "1" => {
            Tls::On(ssl.args.get(1).and_then(|context| context.trim().parse().ok()).unwrap_or(0))
        }
        Some(_) => Tls::Off,
        None if state.has_configuration() || state.settings_lost.is_some() => Tls::NeverOn,
        None => Tls::Unknown,
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

fn blank_connect(pending: &Pending, command: &Command) -> Connect {
    Connect {
        quote: pending.quote.clone(),
        stamp: pending.stamp,
        line_length: command.line_length,
        ..unseen_connect()
    }
}

fn unseen_connect() -> Connect {
    Connect {
        quote: Quote { number: 0, text: String::new() },
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
