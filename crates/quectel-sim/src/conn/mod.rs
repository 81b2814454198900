//! Transport connections: plain, or with the module's own TLS on top.

mod events;

use core::net::IpAddr;
use std::collections::BTreeMap;

use crate::{
    module::{Module, TimerId},
    net::{NetRequest, SocketId, Transport},
    tls::{Session, TlsSettings},
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
}
