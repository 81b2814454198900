//! One try to connect: what was asked, with which settings, and all that became of it.

use std::rc::Rc;

use super::credential::{Password, UserName};
use super::settings::Settings;
use super::state::State;
use crate::host::Cloud;
use crate::mask::Quote;
use crate::time::Stamp;

/// The commands that open a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Api {
    /// `AT+QMTOPEN`, `AT+QMTCONN`.
    Qmt,
    /// `AT+QSSLOPEN`.
    Qssl,
    /// `AT+QIOPEN`.
    Tcp,
    /// `AT+QHTTPURL`, `AT+QHTTPGET`.
    Http,
    /// SIMCom's `AT+CMQTTCONNECT`.
    Cmqtt,
    /// SIMCom's `AT+SMCONN`.
    Smconn,
    /// ESP-AT's `AT+MQTTCONN`.
    EspAt,
}

impl Api {
    pub(crate) const fn is_mqtt(self) -> bool {
        matches!(self, Self::Qmt | Self::Cmqtt | Self::Smconn | Self::EspAt)
    }

    pub(crate) const fn is_quectel(self) -> bool {
        matches!(self, Self::Qmt | Self::Qssl | Self::Tcp | Self::Http)
    }
}

/// Whether the connection is encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tls {
    /// With this SSL context.
    On(u8),
    /// Switched off by a line of the log.
    Off,
    /// The log shows how the client was configured, and TLS is not among it.
    NeverOn,
    /// The log shows no configuration at all.
    Unknown,
}

/// The answer to an open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct OpenResult {
    pub(crate) code: i32,
    pub(crate) quote: Quote,
    pub(crate) stamp: Option<Stamp>,
}

/// One `AT+QMTCONN` on a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Connect {
    pub(crate) quote: Quote,
    pub(crate) stamp: Option<Stamp>,
    /// Sent while the answer to the open was still due, or after it had failed.
    pub(crate) before_open: bool,
    pub(crate) after_failed_open: bool,
    pub(crate) client_id: String,
    pub(crate) user: UserName,
    pub(crate) password: Password,
    pub(crate) line_length: usize,
    /// `ERROR` to the command itself.
    pub(crate) refused: Option<Quote>,
    /// `+QMTCONN: x,<result>[,<ret>]`.
    pub(crate) result: Option<ConnectResult>,
}

/// The result of a CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ConnectResult {
    pub(crate) result: i32,
    /// CONNACK return code; old firmware leaves it out on success.
    pub(crate) ret: Option<i32>,
    pub(crate) quote: Quote,
    pub(crate) stamp: Option<Stamp>,
}

impl ConnectResult {
    pub(crate) const fn is_accepted(&self) -> bool {
        self.result == 0 && matches!(self.ret, None | Some(0))
    }

    /// The CONNACK return code of a refusal.
    pub(crate) const fn refusal(&self) -> Option<i32> {
        match (self.result, self.ret) {
            (0, Some(ret)) if ret != 0 => Some(ret),
            _ => None,
        }
    }
}

/// One publish.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Publish {
    pub(crate) quote: Quote,
    pub(crate) verb: String,
    pub(crate) topic: String,
    pub(crate) message_id: Option<i64>,
    pub(crate) qos: Option<i64>,
    pub(crate) retain: Option<i64>,
    /// The sixth parameter: a length, or the payload in quotes.
    pub(crate) length: Option<i64>,
    pub(crate) inline_payload: bool,
    pub(crate) arguments: usize,
    pub(crate) ragged_quotes: bool,
    pub(crate) prompted: bool,
    /// Bytes of payload in the log.
    pub(crate) payload_bytes: u64,
    /// The next command came while the module waited for the end of the payload.
    pub(crate) swallowed: Option<Quote>,
    /// `ERROR` behind it: the rest of a payload that was longer than announced.
    pub(crate) overrun: Option<Quote>,
    /// Ctrl-Z stands in the log as letters.
    pub(crate) typed_ctrl_z: bool,
    /// `ERROR` to the command.
    pub(crate) refused: Option<Quote>,
    pub(crate) accepted: bool,
    /// `+QMTPUB: x,m,<result>`.
    pub(crate) result: Option<(i64, Quote)>,
    pub(crate) stamp: Option<Stamp>,
}

/// One subscribe.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Subscribe {
    pub(crate) quote: Quote,
    pub(crate) topics: Vec<String>,
    pub(crate) message_id: Option<i64>,
    pub(crate) refused: Option<Quote>,
    /// `+QMTSUB: x,m,<result>,<value>…`.
    pub(crate) result: Option<(Vec<i64>, Quote)>,
}

/// What the host did last before something happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Open,
    Connect,
    Publish,
    Subscribe,
    Disconnect,
}

/// `+QMTSTAT: x,<code>`, or a closing that another API reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stat {
    pub(crate) code: i64,
    pub(crate) quote: Quote,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) after: Action,
    /// A CONNACK with code 0 had come.
    pub(crate) connected: bool,
}

/// A setting of the client that was changed while it was open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LateSetting {
    pub(crate) name: String,
    pub(crate) quote: Quote,
    pub(crate) refused: bool,
    pub(crate) after_connect: bool,
}

/// One connection.
#[derive(Debug, Clone)]
pub(crate) struct Attempt {
    pub(crate) api: Api,
    pub(crate) client: u8,
    pub(crate) quote: Option<Quote>,
    pub(crate) stamp: Option<Stamp>,
    pub(crate) host: String,
    pub(crate) cloud: Cloud,
    pub(crate) port: Option<u16>,
    pub(crate) tls: Tls,
    pub(crate) pdp_context: Option<u8>,
    /// Everything known when it was tried.
    pub(crate) state: Rc<State>,
    /// `ERROR` to the open command itself.
    pub(crate) refused: Option<Quote>,
    pub(crate) result: Option<OpenResult>,
    pub(crate) connects: Vec<Connect>,
    pub(crate) publishes: Vec<Publish>,
    pub(crate) subscribes: Vec<Subscribe>,
    pub(crate) stats: Vec<Stat>,
    pub(crate) late_settings: Vec<LateSetting>,
    /// The host closed it or disconnected.
    pub(crate) closed: Option<Quote>,
    /// The host opened or closed the same client before the answer had come.
    pub(crate) given_up: Option<(Quote, Option<i64>)>,
    /// The PDP context went down while it was open.
    pub(crate) pdp_dropped: Option<Quote>,
    pub(crate) last_action: Action,
    /// The log's clock in unix seconds, when it has one.
    pub(crate) unix_s: Option<i64>,
}

/// Publishes, subscribes and the like of one connection that are kept.
pub(crate) const MAX_EVENTS: usize = 48;

impl Attempt {
    /// The SSL context that is in force for it.
    pub(crate) fn ssl(&self) -> Option<&Settings> {
        self.state.ssl.get(&self.ssl_context()?)
    }

    pub(crate) fn ssl_context(&self) -> Option<u8> {
        match self.tls {
            Tls::On(context) => Some(context),
            _ => self.assumed_context(),
        }
    }

    /// A plain TCP connection to port 8883 opens: where it failed and a context was configured, the line that
    /// binds it was left out of the log.
    pub(crate) fn assumed_context(&self) -> Option<u8> {
        let wants_tls = self.port == Some(8883) || self.cloud.needs_tls();
        let failed = self.api == Api::Qmt && matches!(self.code(), Some(-1 | 5));
        if self.tls != Tls::NeverOn || !wants_tls || !failed || self.state.settings_lost.is_some() {
            return None;
        }
        let size = |number: &u8| self.state.ssl.get(number).map_or(0, |s| s.quotes().count());
        self.state.written_contexts().into_iter().max_by_key(size)
    }

    /// The settings of its MQTT client.
    pub(crate) fn config(&self) -> Option<&Settings> {
        self.state.clients.get(&self.client)
    }

    /// TCP, and TLS where it is on, came up.
    pub(crate) fn is_open(&self) -> bool {
        self.result.as_ref().is_some_and(|result| result.code == 0) || self.is_connected()
    }

    pub(crate) fn code(&self) -> Option<i32> {
        self.result.as_ref().map(|result| result.code)
    }

    /// A CONNACK accepted the client.
    pub(crate) fn is_connected(&self) -> bool {
        self.connects.iter().any(|connect| {
            connect
                .result
                .as_ref()
                .is_some_and(ConnectResult::is_accepted)
        })
    }

    /// The CONNACK's refusal, if there was one.
    pub(crate) fn refusal(&self) -> Option<(i32, &Quote)> {
        self.connects.iter().find_map(|connect| {
            let result = connect.result.as_ref()?;
            Some((result.refusal()?, &result.quote))
        })
    }

    /// CONNECT went out and no CONNACK came back: the peer closed, or nothing answered.
    pub(crate) fn no_connack(&self) -> Option<&Quote> {
        if self.is_connected() || self.refusal().is_some() || self.connects.is_empty() {
            return None;
        }
        let failed = self.connects.iter().find_map(|connect| {
            connect
                .result
                .as_ref()
                .filter(|result| matches!(result.result, 1 | 2))
                .map(|result| &result.quote)
        });
        let closed = self
            .stats
            .iter()
            .find(|stat| stat.after == Action::Connect && matches!(stat.code, 1 | 3 | 4));
        failed.or_else(|| closed.map(|stat| &stat.quote))
    }

    /// The open failed in a way that every fault of TLS looks like.
    pub(crate) fn is_tls_class_failure(&self) -> bool {
        let encrypted = match self.tls {
            Tls::On(_) => true,
            // Of a client whose configuration nobody sees, the port tells.
            Tls::Unknown => self.port != Some(1883) || self.cloud.needs_tls(),
            Tls::Off | Tls::NeverOn => self.assumed_context().is_some(),
        };
        let Some(code) = self.code() else {
            return false;
        };
        encrypted
            && match self.api {
                Api::Qmt => matches!(code, -1 | 5),
                Api::Qssl => matches!(code, 566 | 569 | 579 | 580),
                Api::Http => matches!(code, 701 | 703 | 710 | 714 | 715),
                Api::Cmqtt => matches!(code, 3 | 15 | 32 | 33 | 34),
                Api::Smconn | Api::EspAt | Api::Tcp => false,
            }
    }

    /// Nothing connected in the end.
    pub(crate) fn failed(&self) -> bool {
        if self.result.as_ref().is_some_and(|result| result.code != 0) || self.refused.is_some() {
            return !self.is_connected();
        }
        if matches!(self.api, Api::Smconn | Api::EspAt) {
            return !self.is_open();
        }
        self.refusal().is_some()
            || self.no_connack().is_some()
            || self.closed_before_connect().is_some()
    }

    /// The peer closed between the open and the first CONNECT.
    pub(crate) fn closed_before_connect(&self) -> Option<&Stat> {
        self.stats
            .iter()
            .find(|stat| stat.after == Action::Open && stat.code == 1)
    }

    /// It connected, and nothing went wrong afterwards.
    pub(crate) fn is_success(&self) -> bool {
        let up = if self.api.is_mqtt() {
            self.is_connected()
        } else {
            self.code() == Some(0)
        };
        up && self.refusal().is_none()
            && self
                .stats
                .iter()
                .all(|stat| stat.code == 5 || stat.after == Action::Disconnect)
    }

    /// The last CONNECT, whose credentials count.
    pub(crate) fn connect(&self) -> Option<&Connect> {
        self.connects.last()
    }

    /// The lines that show how it failed.
    pub(crate) fn failure_quotes(&self) -> Vec<Quote> {
        let mut quotes: Vec<Quote> = self.quote.iter().cloned().collect();
        if let Some(result) = self.result.as_ref().filter(|result| result.code != 0) {
            quotes.push(result.quote.clone());
        } else if let Some((_, quote)) = self.refusal() {
            quotes.push(quote.clone());
        } else if let Some(quote) = self.no_connack() {
            quotes.push(quote.clone());
        } else if let Some(quote) = &self.refused {
            quotes.push(quote.clone());
        }
        quotes
    }
}
