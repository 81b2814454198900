//! Sockets of `AT+QIOPEN`.

mod format;
mod lookup;
mod server;

use core::net::IpAddr;
use std::collections::VecDeque;

use crate::{
    conn::{OpenFailure, OpenRequest, Owner},
    module::{Module, Outcome},
    net::{LookupId, NetRequest, SocketId, Transport},
};

/// A peer that sends faster than the host reads is cut off here.
const RECEIVE_LIMIT: usize = 8 << 20;
/// Longest `recv` URC of push mode.
const PUSH_CHUNK: usize = 1500;
/// Limit of `AT+QIOPEN` (manual).
const OPEN_TIMEOUT_MS: u64 = 150_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    Tcp,
    Udp,
    TcpListener,
    UdpLocal,
    TcpIncoming,
}

impl Service {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Tcp => "TCP",
            Self::Udp => "UDP",
            Self::TcpListener => "TCP LISTENER",
            Self::UdpLocal => "UDP SERVICE",
            Self::TcpIncoming => "TCP INCOMING",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SocketState {
    Opening,
    Connected,
    Listening,
    Closing,
}

/// Access modes of `AT+QIOPEN` and `AT+QSSLOPEN`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Buffer,
    Push,
    Transparent,
}

impl Access {
    pub(crate) const fn new(mode: u64) -> Self {
        match mode {
            0 => Self::Buffer,
            1 => Self::Push,
            _ => Self::Transparent,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Socket {
    pub(crate) service: Service,
    pub(crate) access: Access,
    pub(crate) context: u8,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) local_port: u16,
    pub(crate) server: u8,
    pub(crate) state: SocketState,
    pub(crate) socket: SocketId,
    pub(crate) received: VecDeque<u8>,
    pub(crate) datagrams: VecDeque<Datagram>,
    /// The host knows that there is something to read.
    told: bool,
    pub(crate) total: usize,
}

/// What a UDP service got.
#[derive(Debug)]
pub(crate) struct Datagram {
    pub(crate) peer: IpAddr,
    pub(crate) port: u16,
    pub(crate) data: Vec<u8>,
}

#[derive(Debug, Default)]
pub(crate) struct Sockets {
    pub(crate) list: [Option<Socket>; 12],
    /// For `AT+QIGETERROR`.
    pub(crate) last_error: u16,
    pub(crate) look_up: Option<LookUp>,
    opens: u32,
}

/// What waits for the addresses of a name.
#[derive(Debug)]
pub(crate) enum LookUp {
    Name(LookupId),
    Ping(LookupId, u64),
}

impl Sockets {
    pub(crate) fn get(&self, id: u8) -> Option<&Socket> {
        self.list.get(usize::from(id))?.as_ref()
    }

    pub(crate) fn get_mut(&mut self, id: u8) -> Option<&mut Socket> {
        self.list.get_mut(usize::from(id))?.as_mut()
    }

    fn put(&mut self, id: u8, socket: Socket) {
        if let Some(slot) = self.list.get_mut(usize::from(id)) {
            *slot = Some(socket);
        }
    }

    fn take(&mut self, id: u8) -> Option<Socket> {
        self.list.get_mut(usize::from(id))?.take()
    }
}

impl Module {
    /// Counts an open; true when the data stack is wedged and answers 552.
    pub(crate) fn open_is_wedged(&mut self) -> bool {
        self.sockets.opens += 1;
        let limit = self.profile.tcp.wedge_after;
        if limit > 0 && self.sockets.opens > limit {
            self.faults.wedged = true;
        }
        self.faults.wedged
    }

    /// The power was cut: the data stack starts afresh.
    pub(crate) const fn unwedge(&mut self) {
        self.sockets.opens = 0;
        self.faults.wedged = false;
    }

    pub(crate) fn new_local_port(&mut self) -> u16 {
        u16::try_from(20_000 + self.rng.below(20_000)).unwrap_or(20_000)
    }

    pub(crate) fn start_tcp(
        &mut self,
        id: u8,
        service: Service,
        context: u8,
        host: &str,
        ports: (u16, u16),
        access: Access,
    ) {
        let (port, local) = ports;
        let local_port = if local == 0 {
            self.new_local_port()
        } else {
            local
        };
        let owner = Owner::Tcp(id);
        let (state, socket) = match service {
            Service::TcpListener | Service::UdpLocal => {
                let transport = if service == Service::TcpListener {
                    Transport::Tcp
                } else {
                    Transport::Udp
                };
                (SocketState::Listening, self.listen(transport, local_port))
            }
            _ => {
                let transport = if service == Service::Udp {
                    Transport::Udp
                } else {
                    Transport::Tcp
                };
                let request = OpenRequest {
                    owner,
                    context,
                    transport,
                    host: host.to_owned(),
                    port,
                    tls: None,
                    timeout_ms: OPEN_TIMEOUT_MS,
                };
                (SocketState::Opening, self.open_connection(request))
            }
        };
        let socket = Socket {
            service,
            access,
            context,
            host: host.to_owned(),
            port,
            local_port,
            server: id,
            state,
            socket,
            received: VecDeque::new(),
            datagrams: VecDeque::new(),
            told: false,
            total: 0,
        };
        self.sockets.put(id, socket);
    }

    pub(crate) fn tcp_opened(&mut self, id: u8, socket: SocketId) {
        let Some(entry) = self
            .sockets
            .get_mut(id)
            .filter(|entry| entry.socket == socket)
        else {
            return;
        };
        entry.state = SocketState::Connected;
        if entry.access == Access::Transparent {
            self.finish(Outcome::Transparent(Owner::Tcp(id)));
        } else {
            self.urc(format!("+QIOPEN: {id},0"));
            self.tell_received(id);
        }
    }

    pub(crate) fn tcp_not_opened(&mut self, id: u8, socket: SocketId, failure: &OpenFailure) {
        let Some(entry) = self.sockets.get(id).filter(|entry| entry.socket == socket) else {
            return;
        };
        let transparent = entry.access == Access::Transparent;
        self.sockets.take(id);
        let code = match failure {
            OpenFailure::Dns => 565,
            OpenFailure::Timeout => 569,
            OpenFailure::Refused | OpenFailure::Tls(_) => self.profile.tcp.fail_code,
        };
        if self.profile.tcp.geterror_async {
            self.sockets.last_error = code;
        }
        if transparent {
            self.finish(Outcome::ErrorAfter(0));
        } else {
            self.urc(format!("+QIOPEN: {id},{code}"));
        }
    }

    pub(crate) fn tcp_data(&mut self, id: u8, socket: SocketId, data: &[u8]) {
        let Some(entry) = self
            .sockets
            .get_mut(id)
            .filter(|entry| entry.socket == socket)
        else {
            return;
        };
        entry.total += data.len();
        if entry.received.len() + data.len() > RECEIVE_LIMIT {
            return;
        }
        entry.received.extend(data);
        self.tell_received(id);
    }

    /// Tells the host of received bytes, or passes them on.
    pub(crate) fn tell_received(&mut self, id: u8) {
        let inside = self.is_transparent(Owner::Tcp(id));
        let Some(entry) = self.sockets.get_mut(id) else {
            return;
        };
        if entry.received.is_empty() || entry.state == SocketState::Opening {
            return;
        }
        match entry.access {
            Access::Buffer => {
                let waiting = entry.received.len();
                if !core::mem::replace(&mut entry.told, true) {
                    let notice = self.received_notice(id, waiting);
                    self.urc(notice);
                }
            }
            Access::Push => {
                let all: Vec<u8> = entry.received.drain(..).collect();
                for piece in all.chunks(PUSH_CHUNK) {
                    let header = format!("+QIURC: \"recv\",{id},{}", piece.len());
                    let text = self.received_block(&header, piece);
                    self.urc(text);
                }
            }
            Access::Transparent if inside => {
                let all: Vec<u8> = entry.received.drain(..).collect();
                self.write_raw(&all);
            }
            Access::Transparent => {}
        }
    }

    /// Takes received bytes for `AT+QIRD`; the next ones are announced when none are left.
    pub(crate) fn take_received(&mut self, id: u8, length: usize) -> Vec<u8> {
        let Some(entry) = self.sockets.get_mut(id) else {
            return Vec::new();
        };
        let count = length.min(entry.received.len());
        let bytes = entry.received.drain(..count).collect();
        if entry.received.is_empty() {
            entry.told = false;
        }
        bytes
    }

    pub(crate) fn tcp_closed_by_peer(&mut self, id: u8, socket: SocketId) {
        let Some(entry) = self
            .sockets
            .get_mut(id)
            .filter(|entry| entry.socket == socket)
        else {
            return;
        };
        if entry.state == SocketState::Opening {
            return self.tcp_not_opened(id, socket, &OpenFailure::Refused);
        }
        entry.state = SocketState::Closing;
        if self.leave_transparent(Owner::Tcp(id)) {
            self.sockets.take(id);
        } else {
            self.urc(format!("+QIURC: \"closed\",{id}"));
        }
    }

    pub(crate) fn tcp_context_gone(&mut self, id: u8) {
        self.leave_transparent(Owner::Tcp(id));
        self.sockets.take(id);
    }

    pub(crate) fn close_tcp(&mut self, id: u8) {
        if let Some(entry) = self.sockets.take(id) {
            if entry.state == SocketState::Listening {
                self.net_out.push_back(NetRequest::Close {
                    socket: entry.socket,
                });
            }
            self.close_connection(entry.socket);
        }
    }

    pub(crate) fn forget_sockets(&mut self) {
        for id in 0..12 {
            if let Some(entry) = self.sockets.take(id)
                && entry.state == SocketState::Listening
            {
                self.net_out.push_back(NetRequest::Close {
                    socket: entry.socket,
                });
            }
        }
        self.sockets.look_up = None;
        self.sockets.last_error = 0;
    }

    /// `ATO`
    pub(crate) fn back_to_data(&self) -> Outcome {
        let tcp = |id: &u8| {
            let live =
                |s: &Socket| s.access == Access::Transparent && s.state == SocketState::Connected;
            self.sockets.get(*id).is_some_and(live)
        };
        let ssl = |id: &u8| {
            self.ssl
                .get(*id)
                .is_some_and(|s| s.access == Access::Transparent && s.is_connected())
        };
        let found = (0..12)
            .find(tcp)
            .map(Owner::Tcp)
            .or_else(|| (0..12).find(ssl).map(Owner::Ssl));
        found.map_or_else(
            || Outcome::Final("NO CARRIER".to_owned()),
            Outcome::Transparent,
        )
    }
}
