//! Transport connections: plain, or with the module's own TLS on top.

use core::net::IpAddr;
use std::collections::BTreeMap;

use crate::{
    module::{Module, TimerId},
    net::{ConnectFailure, NetEvent, NetRequest, SocketId, Transport},
    tls::{Progress, Session, TlsSettings},
};

/// Who uses a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Owner {
    /// An MQTT client.
    Mqtt(u8),
    /// A socket of `AT+QSSLOPEN`.
    Ssl(u8),
    /// A socket of `AT+QIOPEN`.
    Tcp(u8),
}

/// Why a connection was not opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OpenFailure {
    Dns,
    Refused,
    Timeout,
    Tls(String),
}

enum Layer {
    Plain,
    /// TLS that starts when the transport is there.
    Waiting(Box<TlsSettings>),
    Handshake(Box<Session>),
    Tls(Box<Session>),
}

struct Conn {
    owner: Owner,
    context: u8,
    layer: Layer,
    started_ms: u64,
    timeout: Option<TimerId>,
    peer: Option<IpAddr>,
    sent: usize,
    delivered: usize,
}

/// What to open.
pub(crate) struct OpenRequest {
    pub(crate) owner: Owner,
    pub(crate) context: u8,
    pub(crate) transport: Transport,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: Option<TlsSettings>,
    /// Limit for the transport, in milliseconds.
    pub(crate) timeout_ms: u64,
}

#[derive(Default)]
pub(crate) struct Conns {
    open: BTreeMap<SocketId, Conn>,
    last: u32,
    last_lookup: u32,
}

impl Conns {
    pub(crate) fn new_lookup(&mut self) -> crate::net::LookupId {
        self.last_lookup = self.last_lookup.wrapping_add(1);
        crate::net::LookupId(self.last_lookup)
    }
}

impl Module {
    /// Starts to open a connection; the owner hears of it later.
    pub(crate) fn open_connection(&mut self, request: OpenRequest) -> SocketId {
        self.conns.last = self.conns.last.wrapping_add(1) & 0x7FFF_FFFF;
        let socket = SocketId(self.conns.last);
        let limit = request.timeout_ms;
        let timeout = self.after_exactly(limit, move |module| {
            module.fail_connection(socket, OpenFailure::Timeout)
        });
        let layer = request
            .tls
            .map_or(Layer::Plain, |tls| Layer::Waiting(Box::new(tls)));
        let conn = Conn {
            owner: request.owner,
            context: request.context,
            layer,
            started_ms: self.now,
            timeout: Some(timeout),
            peer: None,
            sent: 0,
            delivered: 0,
        };
        self.conns.open.insert(socket, conn);
        if self.faults.dns_fails && request.host.parse::<IpAddr>().is_err() {
            self.fail_connection(socket, OpenFailure::Dns);
        } else {
            let (transport, host, port) = (request.transport, request.host, request.port);
            self.net_out.push_back(NetRequest::Connect {
                socket,
                transport,
                host,
                port,
            });
        }
        socket
    }

    /// Takes over a connection that a peer opened to a listener.
    pub(crate) fn adopt_connection(
        &mut self,
        socket: SocketId,
        owner: Owner,
        context: u8,
        peer: Option<IpAddr>,
    ) {
        let conn = Conn {
            owner,
            context,
            layer: Layer::Plain,
            started_ms: self.now,
            timeout: None,
            peer,
            sent: 0,
            delivered: 0,
        };
        self.conns.open.insert(socket, conn);
    }

    /// Asks for a listener; its peers are adopted one by one.
    pub(crate) fn listen(&mut self, transport: Transport, port: u16) -> SocketId {
        self.conns.last = self.conns.last.wrapping_add(1) & 0x7FFF_FFFF;
        let socket = SocketId(self.conns.last);
        self.net_out.push_back(NetRequest::Listen {
            socket,
            transport,
            port,
        });
        socket
    }

    /// Sends through a connection; false when it is gone.
    pub(crate) fn send_on(&mut self, socket: SocketId, data: &[u8]) -> bool {
        let Some(conn) = self.conns.open.get_mut(&socket) else {
            return false;
        };
        conn.sent += data.len();
        let bytes = match &mut conn.layer {
            Layer::Plain => data.to_vec(),
            Layer::Tls(session) => session.encrypt(data),
            Layer::Waiting(_) | Layer::Handshake(_) => return false,
        };
        if !bytes.is_empty() {
            self.net_out.push_back(NetRequest::Send {
                socket,
                data: bytes,
            });
        }
        true
    }

    /// Closes a connection without a word to its owner.
    pub(crate) fn close_connection(&mut self, socket: SocketId) {
        let Some(mut conn) = self.conns.open.remove(&socket) else {
            return;
        };
        self.cancel(conn.timeout);
        if let Layer::Tls(session) = &mut conn.layer {
            let bytes = session.close_notify();
            if !bytes.is_empty() {
                self.net_out.push_back(NetRequest::Send {
                    socket,
                    data: bytes,
                });
            }
        }
        self.net_out.push_back(NetRequest::Close { socket });
    }

    /// A restart: everything is closed and nobody hears of it.
    pub(crate) fn close_all_connections(&mut self) {
        let sockets: Vec<SocketId> = self.conns.open.keys().copied().collect();
        for socket in sockets {
            self.close_connection(socket);
        }
        self.forget_mqtt();
        self.forget_sockets();
        self.forget_ssl_sockets();
    }

    /// The context of these connections is gone.
    pub(crate) fn close_connections_of(&mut self, context: u8, lost: bool) {
        let gone: Vec<(SocketId, Owner)> = self
            .conns
            .open
            .iter()
            .filter(|(_, c)| c.context == context)
            .map(|(s, c)| (*s, c.owner))
            .collect();
        for (socket, owner) in gone {
            self.close_connection(socket);
            match owner {
                Owner::Mqtt(client) => self.mqtt_context_gone(client, lost),
                Owner::Ssl(id) => self.ssl_context_gone(id),
                Owner::Tcp(id) => self.tcp_context_gone(id),
            }
        }
    }

    pub(crate) fn peer_of(&self, socket: SocketId) -> Option<IpAddr> {
        self.conns.open.get(&socket)?.peer
    }

    /// Bytes given to a connection, and those of them that left.
    pub(crate) fn sent_on(&self, socket: SocketId) -> (usize, usize) {
        self.conns
            .open
            .get(&socket)
            .map_or((0, 0), |c| (c.sent, c.delivered.min(c.sent)))
    }

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

    fn fail_connection(&mut self, socket: SocketId, failure: OpenFailure) {
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
