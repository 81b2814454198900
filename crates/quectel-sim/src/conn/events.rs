//! What the network reports: connections open, bring data, close.

use core::net::IpAddr;

use super::{Layer, OpenFailure, Owner};
use crate::{
    module::Module,
    net::{ConnectFailure, NetEvent, NetRequest, SocketId},
    tls::{Progress, Session},
};

impl Module {
    /// Something happened on the network.
    pub fn net_event(&mut self, now_ms: u64, event: NetEvent) {
        self.tick(now_ms);
        match event {
            NetEvent::Connected { socket, peer } => self.transport_open(socket, peer),
            NetEvent::ConnectFailed { socket, reason } => {
                let failure = match reason {
                    ConnectFailure::Dns => OpenFailure::Dns,
                    ConnectFailure::Unreachable => OpenFailure::Timeout,
                    ConnectFailure::Refused => OpenFailure::Refused,
                };
                if self.conns.open.contains_key(&socket) {
                    self.fail_connection(socket, failure);
                } else {
                    self.listener_failed(socket);
                }
            }
            NetEvent::Data { socket, data } => self.transport_data(socket, &data),
            NetEvent::Sent { socket, count } => {
                if let Some(conn) = self.conns.open.get_mut(&socket) {
                    conn.delivered += count;
                }
            }
            NetEvent::Closed { socket } => self.transport_closed(socket),
            NetEvent::Listening { socket, .. } => self.listener_ready(socket),
            NetEvent::Accepted {
                listener,
                socket,
                peer,
                port,
            } => self.accepted(listener, socket, peer, port),
            NetEvent::Datagram {
                socket,
                peer,
                port,
                data,
            } => {
                self.datagram_received(socket, peer, port, data);
            }
            NetEvent::Resolved { lookup, addresses } => self.resolved(lookup, &addresses),
        }
        let now = self.now;
        self.tick(now);
    }

    fn transport_open(&mut self, socket: SocketId, peer: Option<IpAddr>) {
        let own_time = self.own_unix_s();
        let Some(conn) = self.conns.open.get_mut(&socket) else {
            return;
        };
        conn.peer = peer;
        let timeout = conn.timeout.take();
        match core::mem::replace(&mut conn.layer, Layer::Plain) {
            Layer::Waiting(settings) => {
                let limit_ms = settings.negotiate_s.saturating_mul(1000);
                match Session::start(*settings, own_time) {
                    Ok((session, hello)) => {
                        conn.layer = Layer::Handshake(Box::new(session));
                        self.net_out.push_back(NetRequest::Send {
                            socket,
                            data: hello,
                        });
                        let timer = self.after_exactly(limit_ms, move |module| {
                            module.fail_connection(
                                socket,
                                OpenFailure::Tls("handshake timed out".to_owned()),
                            );
                        });
                        if let Some(conn) = self.conns.open.get_mut(&socket) {
                            conn.timeout = Some(timer);
                        }
                    }
                    Err(reason) => self.fail_connection(socket, OpenFailure::Tls(reason)),
                }
            }
            layer => {
                conn.layer = layer;
                self.connection_ready(socket, self.profile.timing.tcp_open_ms);
            }
        }
        self.cancel(timeout);
    }

    /// Tells the owner that its connection is open, not earlier than hardware would.
    fn connection_ready(&mut self, socket: SocketId, least_ms: u64) {
        let Some(conn) = self.conns.open.get_mut(&socket) else {
            return;
        };
        let timeout = conn.timeout.take();
        let (owner, started) = (conn.owner, conn.started_ms);
        self.cancel(timeout);
        let due = (started + self.scaled(least_ms)).saturating_sub(self.now);
        self.after_exactly(due, move |module| {
            if module.conns.open.contains_key(&socket) {
                module.owner_opened(owner, socket);
            }
        });
    }

    fn owner_opened(&mut self, owner: Owner, socket: SocketId) {
        match owner {
            Owner::Mqtt(client) => self.mqtt_opened(client),
            Owner::Ssl(id) => self.ssl_opened(id, socket),
            Owner::Tcp(id) => self.tcp_opened(id, socket),
        }
    }

    pub(super) fn fail_connection(&mut self, socket: SocketId, failure: OpenFailure) {
        let Some(conn) = self.conns.open.remove(&socket) else {
            return;
        };
        self.cancel(conn.timeout);
        self.net_out.push_back(NetRequest::Close { socket });
        self.remark(&format!("connection {} not opened: {failure:?}", socket.0));
        let timing = &self.profile.timing;
        let least_ms = match failure {
            OpenFailure::Dns => timing.dns_fail_ms,
            _ => timing.tls_fail_ms,
        };
        let due = (conn.started_ms + self.scaled(least_ms)).saturating_sub(self.now);
        let owner = conn.owner;
        self.after_exactly(due, move |module| match owner {
            Owner::Mqtt(client) => module.mqtt_not_opened(client, socket, &failure),
            Owner::Ssl(id) => module.ssl_not_opened(id, socket, &failure),
            Owner::Tcp(id) => module.tcp_not_opened(id, socket, &failure),
        });
    }

    fn transport_data(&mut self, socket: SocketId, data: &[u8]) {
        let Some(conn) = self.conns.open.get_mut(&socket) else {
            return;
        };
        let owner = conn.owner;
        let Progress {
            to_peer,
            plain,
            opened,
            failed,
        } = match &mut conn.layer {
            Layer::Plain => {
                let data = data.to_vec();
                return self.owner_data(owner, socket, &data);
            }
            Layer::Waiting(_) => return,
            Layer::Handshake(session) | Layer::Tls(session) => session.receive(data),
        };
        if opened
            && let Layer::Handshake(session) = core::mem::replace(&mut conn.layer, Layer::Plain)
        {
            conn.layer = Layer::Tls(session);
        }
        let handshaking = matches!(conn.layer, Layer::Handshake(_));
        if !to_peer.is_empty() {
            self.net_out.push_back(NetRequest::Send {
                socket,
                data: to_peer,
            });
        }
        if opened {
            self.connection_ready(socket, self.profile.timing.tls_open_ms);
        }
        if !plain.is_empty() {
            self.owner_data(owner, socket, &plain);
        }
        if let Some(reason) = failed {
            if handshaking {
                self.fail_connection(socket, OpenFailure::Tls(reason));
            } else {
                self.remark(&format!("TLS of connection {} ended: {reason}", socket.0));
                self.transport_closed(socket);
                self.net_out.push_back(NetRequest::Close { socket });
            }
        }
    }

    fn owner_data(&mut self, owner: Owner, socket: SocketId, data: &[u8]) {
        match owner {
            Owner::Mqtt(client) => self.mqtt_data(client, data),
            Owner::Ssl(id) => self.ssl_data(id, data),
            Owner::Tcp(id) => self.tcp_data(id, socket, data),
        }
    }

    fn transport_closed(&mut self, socket: SocketId) {
        let Some(conn) = self.conns.open.get(&socket) else {
            return;
        };
        match conn.layer {
            Layer::Handshake(_) | Layer::Waiting(_) => {
                self.fail_connection(
                    socket,
                    OpenFailure::Tls("the peer closed in the handshake".to_owned()),
                );
            }
            Layer::Plain | Layer::Tls(_) => {
                let owner = conn.owner;
                let timeout = conn.timeout;
                self.conns.open.remove(&socket);
                self.cancel(timeout);
                match owner {
                    Owner::Mqtt(client) => self.mqtt_closed_by_peer(client, socket),
                    Owner::Ssl(id) => self.ssl_closed_by_peer(id),
                    Owner::Tcp(id) => self.tcp_closed_by_peer(id, socket),
                }
            }
        }
    }
}
