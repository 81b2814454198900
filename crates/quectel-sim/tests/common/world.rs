//! A module and its servers in virtual time, joined in memory.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::{
    collections::BTreeMap,
    io::{Read, Write},
    sync::Arc,
};

use mqtt311::{Connack, ConnectReturnCode, Decoder, Packet, Publish, QoS, Suback, SubackCode};
use quectel_sim::{ConnectFailure, ModuleConfig, NetEvent, NetRequest, SocketId};
use rustls::{ServerConfig, ServerConnection};

use super::Bench;

/// What the server does with MQTT packets.
#[derive(Clone)]
pub(crate) struct Broker {
    pub(crate) code: ConnectReturnCode,
    /// Whether CONNECT is answered at all.
    pub(crate) answers_connect: bool,
    pub(crate) answers_publish: bool,
    /// Whether PUBREL is answered.
    pub(crate) answers_release: bool,
    pub(crate) answers_subscribe: bool,
    pub(crate) answers_ping: bool,
    /// Whether publishes come back to the client.
    pub(crate) loops_back: bool,
}

impl Default for Broker {
    fn default() -> Self {
        Self {
            code: ConnectReturnCode::Accepted,
            answers_connect: true,
            answers_publish: true,
            answers_release: true,
            answers_subscribe: true,
            answers_ping: true,
            loops_back: false,
        }
    }
}

/// A listening server.
#[derive(Clone, Default)]
pub(crate) struct Listener {
    pub(crate) tls: Option<Arc<ServerConfig>>,
    pub(crate) broker: Broker,
    /// Gives back what it gets instead of speaking MQTT.
    pub(crate) echo: bool,
}

struct Peer {
    tls: Option<ServerConnection>,
    decoder: Decoder,
    listener: Listener,
    closed: bool,
}

pub(crate) struct World {
    pub(crate) bench: Bench,
    listeners: BTreeMap<(String, u16), Listener>,
    peers: BTreeMap<SocketId, Peer>,
    /// Every packet that a server got.
    pub(crate) packets: Vec<Packet>,
    /// Server name of each TLS connection.
    pub(crate) names: Vec<Option<String>>,
    /// Why servers ended handshakes.
    pub(crate) tls_errors: Vec<String>,
}

impl World {
    pub(crate) fn new(config: ModuleConfig) -> Self {
        Self {
            bench: Bench::with(config),
            listeners: BTreeMap::new(),
            peers: BTreeMap::new(),
            packets: Vec::new(),
            names: Vec::new(),
            tls_errors: Vec::new(),
        }
    }

    pub(crate) fn listen(&mut self, host: &str, port: u16, listener: Listener) {
        self.listeners.insert((host.to_owned(), port), listener);
    }

    /// Writes to the UART and lets everything happen that can happen at this time.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> String {
        let mut text = self.bench.send(bytes);
        text.push_str(&self.settle());
        text
    }

    /// A command line that must be answered with OK; gives all that came.
    pub(crate) fn ok(&mut self, command: &str) -> String {
        let got = self.send(format!("{command}\r"));
        assert!(got.contains("\\r\\nOK\\r\\n"), "{command}: {got}");
        got
    }

    pub(crate) fn wait(&mut self, ms: u64) -> String {
        let end = self.bench.now + ms;
        let mut text = self.settle();
        while let Some(at) = self.bench.module.poll_timeout().filter(|at| *at <= end) {
            let step = at.saturating_sub(self.bench.now);
            text.push_str(&self.bench.wait(step));
            text.push_str(&self.settle());
        }
        text.push_str(&self.bench.wait(end - self.bench.now));
        text.push_str(&self.settle());
        text
    }

    fn settle(&mut self) -> String {
        let mut text = String::new();
        loop {
            let requests = core::mem::take(&mut self.bench.requests);
            if requests.is_empty() {
                return text;
            }
            for request in requests {
                self.request(request);
            }
            text.push_str(&self.bench.read());
        }
    }

    fn event(&mut self, event: NetEvent) {
        let now = self.bench.now;
        self.bench.module.net_event(now, event);
    }

    fn request(&mut self, request: NetRequest) {
        match request {
            NetRequest::Connect {
                socket, host, port, ..
            } => {
                let known = self.listeners.keys().any(|(name, _)| *name == host);
                let Some(listener) = self.listeners.get(&(host, port)).cloned() else {
                    let reason = if known {
                        ConnectFailure::Refused
                    } else {
                        ConnectFailure::Dns
                    };
                    return self.event(NetEvent::ConnectFailed { socket, reason });
                };
                let tls = listener
                    .tls
                    .clone()
                    .map(|config| ServerConnection::new(config).unwrap());
                self.peers.insert(
                    socket,
                    Peer {
                        tls,
                        decoder: Decoder::new(1 << 20),
                        listener,
                        closed: false,
                    },
                );
                self.event(NetEvent::Connected {
                    socket,
                    peer: "192.0.2.1".parse().ok(),
                });
            }
            NetRequest::Send { socket, data } => {
                let count = data.len();
                self.event(NetEvent::Sent { socket, count });
                self.received(socket, &data);
            }
            NetRequest::Close { socket } => {
                self.peers.remove(&socket);
            }
            NetRequest::Resolve { lookup, host } => {
                let known = self.listeners.keys().any(|(name, _)| *name == host);
                let addresses = if known {
                    vec!["192.0.2.1".parse().unwrap()]
                } else {
                    vec![]
                };
                self.event(NetEvent::Resolved { lookup, addresses });
            }
            _ => {}
        }
    }

    fn received(&mut self, socket: SocketId, mut data: &[u8]) {
        let Some(peer) = self.peers.get_mut(&socket) else {
            return;
        };
        let mut plain = Vec::new();
        match &mut peer.tls {
            None => plain.extend_from_slice(data),
            Some(tls) => {
                while !data.is_empty() {
                    tls.read_tls(&mut data).unwrap();
                    let handshaking = tls.is_handshaking();
                    match tls.process_new_packets() {
                        Ok(state) => {
                            let mut bytes = vec![0; state.plaintext_bytes_to_read()];
                            tls.reader().read_exact(&mut bytes).unwrap();
                            plain.append(&mut bytes);
                            if handshaking && !tls.is_handshaking() {
                                self.names.push(tls.server_name().map(str::to_owned));
                            }
                        }
                        Err(error) => {
                            self.tls_errors.push(error.to_string());
                            peer.closed = true;
                            break;
                        }
                    }
                }
            }
        }
        let answer = self.answer(socket, &plain);
        self.write(socket, &answer);
        if self.peers.get(&socket).is_some_and(|peer| peer.closed) {
            self.peers.remove(&socket);
            self.event(NetEvent::Closed { socket });
        }
    }

    fn answer(&mut self, socket: SocketId, plain: &[u8]) -> Vec<u8> {
        let Some(peer) = self.peers.get_mut(&socket) else {
            return vec![];
        };
        if peer.listener.echo {
            return plain.to_vec();
        }
        peer.decoder.push(plain);
        let mut out = Vec::new();
        while let Ok(Some(packet)) = peer.decoder.next_packet() {
            let broker = &peer.listener.broker;
            let answers = match &packet {
                Packet::Connect(_) if broker.answers_connect => {
                    vec![Packet::Connack(Connack {
                        session_present: false,
                        code: broker.code,
                    })]
                }
                Packet::Subscribe(subscribe) if broker.answers_subscribe => {
                    let codes = subscribe.subscriptions.iter().map(|s| {
                        if s.filter.starts_with("forbidden") {
                            SubackCode::Failure
                        } else {
                            SubackCode::Granted(s.qos.min(QoS::AtLeastOnce))
                        }
                    });
                    vec![Packet::Suback(Suback {
                        packet_id: subscribe.packet_id,
                        codes: codes.collect(),
                    })]
                }
                Packet::Unsubscribe(unsubscribe) => vec![Packet::Unsuback(unsubscribe.packet_id)],
                Packet::Publish(publish) => {
                    let mut answers = match (publish.qos, publish.packet_id) {
                        (QoS::AtLeastOnce, Some(id)) if broker.answers_publish => {
                            vec![Packet::Puback(id)]
                        }
                        (QoS::ExactlyOnce, Some(id)) if broker.answers_publish => {
                            vec![Packet::Pubrec(id)]
                        }
                        _ => vec![],
                    };
                    if broker.loops_back {
                        answers.push(Packet::Publish(Publish {
                            qos: QoS::AtMostOnce,
                            packet_id: None,
                            dup: false,
                            ..publish.clone()
                        }));
                    }
                    answers
                }
                Packet::Pubrel(id) if broker.answers_release => vec![Packet::Pubcomp(*id)],
                Packet::Pingreq if broker.answers_ping => vec![Packet::Pingresp],
                _ => vec![],
            };
            peer.closed |= matches!(packet, Packet::Disconnect);
            self.packets.push(packet);
            for answer in answers {
                answer.encode(&mut out).unwrap();
            }
        }
        out
    }

    fn write(&mut self, socket: SocketId, plain: &[u8]) {
        let Some(peer) = self.peers.get_mut(&socket) else {
            return;
        };
        let data = match &mut peer.tls {
            None => plain.to_vec(),
            Some(tls) => {
                if !plain.is_empty() {
                    tls.writer().write_all(plain).unwrap();
                }
                let mut out = Vec::new();
                while tls.wants_write() {
                    tls.write_tls(&mut out).unwrap();
                }
                out
            }
        };
        if !data.is_empty() {
            self.event(NetEvent::Data { socket, data });
        }
    }

    /// Sends a packet of the server's own on every connection.
    pub(crate) fn push(&mut self, packet: &Packet) -> String {
        let bytes = packet.to_bytes().unwrap();
        self.push_bytes(&bytes)
    }

    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) -> String {
        let sockets: Vec<SocketId> = self.peers.keys().copied().collect();
        for socket in sockets {
            self.write(socket, bytes);
        }
        let mut text = self.bench.read();
        text.push_str(&self.settle());
        text
    }

    /// Closes every connection from the server's side.
    pub(crate) fn close_all(&mut self) -> String {
        let sockets: Vec<SocketId> = self.peers.keys().copied().collect();
        for socket in sockets {
            self.peers.remove(&socket);
            self.event(NetEvent::Closed { socket });
        }
        let mut text = self.bench.read();
        text.push_str(&self.settle());
        text
    }
}
