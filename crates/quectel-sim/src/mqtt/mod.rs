//! The module's six MQTT clients.

mod connect;
mod flight;
mod receive;

use std::collections::BTreeSet;

use mqtt311::{Decoder, Packet};

pub(crate) use flight::{Flight, FlightKind};
pub(crate) use receive::Message;

use crate::{
    conn::{OpenFailure, OpenRequest, Owner},
    module::{Group, Module, MqttState, Outcome, TimerId},
    net::{SocketId, Transport},
    profile::{CloseClosed, OpenOrder, Profile},
};

/// One client.
#[derive(Debug)]
pub(crate) struct MqttClient {
    pub(crate) state: MqttState,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) socket: Option<SocketId>,
    decoder: Decoder,
    /// Packets are not looked at while a CONNACK waits for its time.
    hold: bool,
    /// The peer closed while its CONNACK was held back.
    closed_after_connack: bool,
    held: Vec<u8>,
    pub(crate) flights: Vec<Flight>,
    pub(crate) slots: Vec<Option<Message>>,
    received_ids: BTreeSet<u16>,
    /// Results that the server has given, and that hardware would show a little later.
    results: Vec<(TimerId, String)>,
    /// The result of the open is part of the answer to `AT+QMTOPEN`.
    answers: bool,
    connect_timer: Option<TimerId>,
    connect_started_ms: u64,
    ping_timer: Option<TimerId>,
    pings_unanswered: u64,
    last_sent_ms: u64,
}

impl MqttClient {
    pub(crate) fn new(profile: &Profile) -> Self {
        Self {
            state: MqttState::Closed,
            host: String::new(),
            port: 0,
            socket: None,
            decoder: Decoder::new(profile.mqtt.packet_max),
            hold: false,
            closed_after_connack: false,
            held: Vec::new(),
            flights: Vec::new(),
            slots: vec![None; profile.mqtt.slots],
            received_ids: BTreeSet::new(),
            results: Vec::new(),
            answers: false,
            connect_timer: None,
            connect_started_ms: 0,
            ping_timer: None,
            pings_unanswered: 0,
            last_sent_ms: 0,
        }
    }
}

/// `timeout` of `AT+QMTCFG`.
#[derive(Debug, Clone, Copy)]
struct Patience {
    packet_ms: u64,
    retries: u64,
    notice: bool,
}

impl Module {
    pub(crate) fn client(&self, at: u8) -> Option<&MqttClient> {
        self.mqtt.get(usize::from(at))
    }

    pub(crate) fn client_mut(&mut self, at: u8) -> Option<&mut MqttClient> {
        self.mqtt.get_mut(usize::from(at))
    }

    pub(crate) fn mqtt_state(&self, at: u8) -> MqttState {
        self.client(at)
            .map_or(MqttState::Closed, |client| client.state)
    }

    fn patience(&self, at: u8) -> Patience {
        let value = |place| self.item_number(Group::Mqtt, "timeout", at, place);
        Patience {
            packet_ms: value(0).max(1) * 1000,
            retries: value(1),
            notice: value(2) == 1,
        }
    }

    /// `AT+QMTOPEN` after its `OK`.
    pub(crate) fn start_mqtt(&mut self, at: u8, host: &str, port: u16, context: u8) {
        let answers = self.profile.mqtt.open_order == OpenOrder::ResultFirst;
        let tls = self.item_number(Group::Mqtt, "ssl", at, 0) == 1;
        let tls_context = u8::try_from(self.item_number(Group::Mqtt, "ssl", at, 1)).unwrap_or(0);
        let tls = tls.then(|| self.tls_settings(tls_context, host));
        let packet_max = self.profile.mqtt.packet_max;
        let Some(client) = self.client_mut(at) else {
            return;
        };
        client.state = MqttState::Opening;
        client.slots.fill_with(|| None);
        client.answers = answers;
        client.host = host.to_owned();
        client.port = port;
        client.decoder = Decoder::new(packet_max);
        if self.open_is_wedged() {
            return self.refuse_open(at, -1);
        }
        let request = OpenRequest {
            owner: Owner::Mqtt(at),
            context,
            transport: Transport::Tcp,
            host: host.to_owned(),
            port,
            tls,
            timeout_ms: self.profile.mqtt.open_limit_s * 1000,
        };
        let socket = self.open_connection(request);
        if let Some(client) = self.client_mut(at) {
            client.socket = Some(socket);
        }
    }

    fn refuse_open(&mut self, at: u8, code: i64) {
        let answers = self.client(at).is_some_and(|c| c.answers);
        self.reset_client(at);
        self.show_open(at, code, answers);
    }

    /// The result of `AT+QMTOPEN`: a URC, or the end of the command itself.
    fn show_open(&mut self, at: u8, code: i64, answers: bool) {
        let text = format!("+QMTOPEN: {at},{code}");
        if !answers {
            return self.urc(text);
        }
        self.info(text);
        self.finish(if code == 0 {
            Outcome::Ok
        } else {
            Outcome::ErrorAfter(0)
        });
    }

    /// Shows a result after so many milliseconds, or before the client says that its session is over.
    pub(crate) fn result_later(&mut self, at: u8, due_ms: u64, text: String) {
        let timer = self.after_exactly(due_ms, move |module| {
            let now = module.now;
            module.show_results(at, now);
        });
        if let Some(client) = self.client_mut(at) {
            client.results.push((timer, text));
        }
    }

    /// Shows the results that are due until then.
    fn show_results(&mut self, at: u8, until_ms: u64) {
        let Some(client) = self.client_mut(at) else {
            return;
        };
        let (due, rest) = core::mem::take(&mut client.results)
            .into_iter()
            .partition(|(timer, _)| timer.at_ms() <= until_ms);
        client.results = rest;
        let due: Vec<(TimerId, String)> = due;
        for (timer, text) in due {
            self.cancel(Some(timer));
            self.urc(text);
        }
    }

    pub(crate) fn mqtt_opened(&mut self, at: u8) {
        let Some(client) = self
            .client_mut(at)
            .filter(|c| c.state == MqttState::Opening)
        else {
            return;
        };
        client.state = MqttState::Open;
        let answers = core::mem::take(&mut client.answers);
        self.show_open(at, 0, answers);
        let close_ms = self.profile.mqtt.close_after_open_ms;
        let socket = self.client(at).and_then(|c| c.socket);
        if close_ms > 0 {
            self.after_exactly(close_ms, move |module| {
                if module
                    .client(at)
                    .is_some_and(|c| c.socket == socket && c.state != MqttState::Closed)
                {
                    module.end_client(at, 1);
                }
            });
        }
    }

    pub(crate) fn mqtt_not_opened(&mut self, at: u8, socket: SocketId, failure: &OpenFailure) {
        let opening = |c: &&MqttClient| c.socket == Some(socket) && c.state == MqttState::Opening;
        if self.client(at).filter(opening).is_none() {
            return;
        }
        let code = match failure {
            OpenFailure::Dns => 4,
            OpenFailure::Tls(_) => self.profile.mqtt.tls_fail,
            OpenFailure::Refused | OpenFailure::Timeout => self.profile.mqtt.tcp_fail,
        };
        self.refuse_open(at, code);
    }

    pub(crate) fn mqtt_closed_by_peer(&mut self, at: u8, socket: SocketId) {
        let Some(client) = self.client(at).filter(|c| c.socket == Some(socket)) else {
            return;
        };
        match client.state {
            MqttState::Opening => self.mqtt_not_opened(at, socket, &OpenFailure::Refused),
            MqttState::Closed | MqttState::Disconnecting => {}
            // A server that refuses closes right behind its CONNACK, which is shown first.
            MqttState::Connecting if client.hold => {
                if let Some(client) = self.client_mut(at) {
                    client.closed_after_connack = true;
                }
            }
            MqttState::Open | MqttState::Connecting | MqttState::Connected => {
                self.end_client(at, 1)
            }
        }
    }

    pub(crate) fn mqtt_context_gone(&mut self, at: u8, lost: bool) {
        let state = self.mqtt_state(at);
        if state == MqttState::Opening {
            return self.refuse_open(at, self.profile.mqtt.tcp_fail);
        }
        self.show_results(at, u64::MAX);
        self.reset_client(at);
        let stat = self.profile.pdp.loss_stat;
        match state {
            MqttState::Closed => {}
            _ if lost && stat > 0 => self.urc(format!("+QMTSTAT: {at},{stat}")),
            _ => {}
        }
    }

    /// The session is over: `+QMTSTAT` says why, and the client is closed.
    pub(crate) fn end_client(&mut self, at: u8, stat: u8) {
        self.drop_client(at);
        if stat > 0 {
            self.urc(format!("+QMTSTAT: {at},{stat}"));
        }
    }

    /// Closes the transport and forgets the session.
    fn drop_client(&mut self, at: u8) {
        self.show_results(at, u64::MAX);
        if let Some(socket) = self.client(at).and_then(|c| c.socket) {
            self.close_connection(socket);
        }
        self.reset_client(at);
    }

    /// Forgets the session; messages in the receive slots stay readable until the next open.
    fn reset_client(&mut self, at: u8) {
        let profile = self.profile.clone();
        let Some(client) = self.client_mut(at) else {
            return;
        };
        let mut old = core::mem::replace(client, MqttClient::new(&profile));
        core::mem::swap(&mut client.slots, &mut old.slots);
        for timer in old
            .flights
            .iter()
            .map(|f| f.timer)
            .chain([old.connect_timer, old.ping_timer])
            .chain(old.results.into_iter().map(|(timer, _)| Some(timer)))
        {
            self.cancel(timer);
        }
    }

    pub(crate) fn forget_mqtt(&mut self) {
        for at in 0..6 {
            self.reset_client(at);
            if let Some(client) = self.client_mut(at) {
                client.slots.fill_with(|| None);
            }
        }
    }

    /// `AT+QMTCLOSE` of an open client, after its `OK`.
    pub(crate) fn close_mqtt(&mut self, at: u8) {
        self.drop_client(at);
        self.after(self.profile.timing.close_ms, move |module| {
            module.urc(format!("+QMTCLOSE: {at},0"))
        });
    }

    /// What `AT+QMTCLOSE` of a closed client does.
    pub(crate) fn close_closed(&self) -> CloseClosed {
        self.profile.mqtt.close_closed
    }

    /// `AT+QMTDISC` after its `OK`.
    pub(crate) fn disconnect_mqtt(&mut self, at: u8) {
        self.send_packet(at, &Packet::Disconnect);
        let Some(client) = self.client_mut(at) else {
            return;
        };
        client.state = MqttState::Disconnecting;
        let socket = client.socket;
        self.after(self.profile.timing.close_ms, move |module| {
            if module
                .client(at)
                .is_none_or(|c| c.socket != socket || c.state != MqttState::Disconnecting)
            {
                return;
            }
            module.drop_client(at);
            module.urc(format!("+QMTDISC: {at},0"));
            if module.profile.mqtt.disconnect_stat {
                module.urc(format!("+QMTSTAT: {at},5"));
            }
        });
    }

    /// Sends a packet; false when it cannot be encoded or the connection is gone.
    pub(crate) fn send_packet(&mut self, at: u8, packet: &Packet) -> bool {
        let Some(socket) = self.client(at).and_then(|c| c.socket) else {
            return false;
        };
        let Ok(bytes) = packet.to_bytes() else {
            return false;
        };
        let now = self.now;
        if let Some(client) = self.client_mut(at) {
            client.last_sent_ms = now;
        }
        self.send_on(socket, &bytes)
    }
}
