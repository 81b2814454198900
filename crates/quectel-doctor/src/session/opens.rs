//! The commands that open a connection, of every kind.

use std::rc::Rc;

use super::attempt::{Api, Connect, Tls};
use super::builder::Builder;
use super::connections::{blank_connect, unseen_connect};
use super::credential::{Password, UserName};
use super::pending::Pending;
use super::state::State;
use crate::command::Command;
use crate::host::{Cloud, bare_host};

/// Where a connection goes, and how.
pub(super) struct Target {
    pub(super) api: Api,
    pub(super) client: u8,
    pub(super) host: String,
    pub(super) port: Option<u16>,
    pub(super) tls: Tls,
    pub(super) pdp_context: Option<u8>,
}

impl Builder {
    pub(super) fn open_qmt(&mut self, command: &Command, pending: &mut Pending) {
        let client = command.number(0).unwrap_or(0);
        let host = command.arg(1).to_owned();
        self.settle_inheritance(&host, client);
        let tls = tls_of_client(&self.session.state, client);
        let pdp_context = self
            .session
            .state
            .clients
            .get(&client)
            .and_then(|c| c.number("pdpcid"))
            .unwrap_or(1);
        let port = command.number(2).or_else(|| port_in(&host));
        let pdp_context = u8::try_from(pdp_context).ok();
        self.begin(
            Target {
                api: Api::Qmt,
                client,
                host,
                port,
                tls,
                pdp_context,
            },
            pending,
        );
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
        let tls = if plain {
            Tls::Off
        } else {
            state.http_context.map_or(Tls::Unknown, Tls::On)
        };
        let host = bare_host(&url).to_owned();
        self.begin(
            Target {
                api: Api::Http,
                client: 0,
                host,
                port: None,
                tls,
                pdp_context: None,
            },
            pending,
        );
    }

    pub(super) fn open_cmqtt(&mut self, command: &Command, pending: &mut Pending) {
        let client = command.number(0).unwrap_or(0);
        let url = command.arg(1).to_owned();
        let state = &self.session.state;
        let bound = state
            .clients
            .get(&client)
            .and_then(|c| c.get("ssl"))
            .and_then(|v| v.args.get(1)?.parse().ok());
        let acquired = state.acquired_with_tls.get(&client).copied();
        let tls = match (bound, acquired) {
            (Some(context), Some(true) | None) => Tls::On(context),
            (None, Some(true)) => Tls::On(0),
            (_, Some(false)) => Tls::NeverOn,
            (None, None) => Tls::Unknown,
        };
        let target = Target {
            api: Api::Cmqtt,
            client,
            port: port_in(&url),
            host: bare_host(&url).to_owned(),
            tls,
            pdp_context: None,
        };
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
        let port = state
            .smconf
            .get("url/port")
            .and_then(|port| port.parse().ok())
            .or_else(|| port_in(&host));
        let tls = if state.smssl {
            Tls::On(0)
        } else {
            Tls::NeverOn
        };
        let host = bare_host(&host).to_owned();
        let index = self.begin(
            Target {
                api: Api::Smconn,
                client: 0,
                host,
                port,
                tls,
                pdp_context: None,
            },
            pending,
        );
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
        let target = Target {
            api: Api::EspAt,
            client,
            host: command.arg(1).to_owned(),
            port: command.number(2),
            tls,
            pdp_context: None,
        };
        let index = self.begin(target, pending);
        self.known_credentials(index, pending);
    }

    /// Credentials that were configured before and go out with this connection.
    fn known_credentials(&mut self, index: usize, pending: &Pending) {
        let state = &self.session.state;
        let Some((user, password)) = state.credentials.clone() else {
            return;
        };
        let client_id = state.smconf.get("clientid").cloned().unwrap_or_default();
        let connect = Connect {
            quote: pending.quote.clone(),
            stamp: pending.stamp,
            client_id,
            user,
            password,
            ..unseen_connect()
        };
        if let Some(attempt) = self.session.attempts.get_mut(index) {
            attempt.connects.push(connect);
        }
    }

    /// Credentials that were configured, and the command that connects is not in the log.
    pub(super) fn untried_credentials(&mut self) {
        let Some((user, password)) = self.session.state.credentials.clone() else {
            return;
        };
        let cloud = match &user {
            UserName::Hub(_) => Cloud::AzureHub,
            UserName::Dps(_) => Cloud::AzureDps,
            _ => return,
        };
        if !self.session.attempts.is_empty() {
            return;
        }
        let client_id = self.session.state.smconf.get("clientid").cloned();
        let api = if self.session.state.esp_scheme.is_some() {
            Api::EspAt
        } else {
            Api::Smconn
        };
        if let Some(attempt) = self.current_mut(api, 0) {
            attempt.cloud = cloud;
            attempt.connects.push(Connect {
                client_id: client_id.unwrap_or_default(),
                user,
                password,
                ..unseen_connect()
            });
        }
    }

    /// The session decides at its first connection whether it goes on with the settings of the one before.
    fn settle_inheritance(&mut self, host: &str, client: u8) {
        let Some(inherited) = self.inherited.take() else {
            return;
        };
        let own = self
            .session
            .state
            .clients
            .get(&client)
            .is_some_and(|c| c.get("ssl").is_some());
        let known_client = inherited
            .state
            .clients
            .get(&client)
            .is_some_and(|c| c.get("ssl").is_some());
        let known_host = !host.is_empty() && inherited.host.eq_ignore_ascii_case(host);
        if !own && (known_host || known_client) {
            self.session.state = Rc::new(inherited.state);
            if self.session.module == super::module::Module::default() {
                self.session.module = inherited.module;
            }
        }
    }
}

fn port_in(host: &str) -> Option<u16> {
    host.trim_end_matches('/')
        .rsplit_once(':')
        .and_then(|(_, port)| port.parse().ok())
}

pub(super) fn tls_of_client(state: &State, client: u8) -> Tls {
    match state
        .clients
        .get(&client)
        .and_then(|settings| settings.get("ssl"))
    {
        Some(ssl) if ssl.text() == "1" => Tls::On(
            ssl.args
                .get(1)
                .and_then(|context| context.trim().parse().ok())
                .unwrap_or(0),
        ),
        Some(_) => Tls::Off,
        None if state.has_configuration() || state.settings_lost.is_some() => Tls::NeverOn,
        None => Tls::Unknown,
    }
}
