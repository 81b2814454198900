//! Listeners and the UDP service.

use core::net::IpAddr;
use std::collections::VecDeque;

use super::{Access, Datagram, Service, Socket, SocketState};
use crate::{
    conn::Owner,
    module::Module,
    net::{NetRequest, SocketId},
};

impl Module {
    pub(crate) fn listener_failed(&mut self, socket: SocketId) {
        let Some(id) = self.listener_of(socket) else {
            return;
        };
        self.sockets.take(id);
        self.urc(format!("+QIOPEN: {id},556"));
    }

    fn listener_of(&self, socket: SocketId) -> Option<u8> {
        (0..12).find(|id| self.sockets.get(*id).is_some_and(|e| e.socket == socket))
    }

    pub(crate) fn listener_ready(&mut self, socket: SocketId) {
        if let Some(id) = self.listener_of(socket) {
            self.urc(format!("+QIOPEN: {id},0"));
        }
    }

    /// A peer came to a listener.
    pub(crate) fn accepted(
        &mut self,
        listener: SocketId,
        socket: SocketId,
        peer: Option<IpAddr>,
        port: u16,
    ) {
        let server = self.listener_of(listener);
        let free = (0..12).find(|id| self.sockets.get(*id).is_none());
        let (Some(server), Some(id)) = (server, free) else {
            self.net_out.push_back(NetRequest::Close { socket });
            if server.is_some() {
                self.urc("+QIURC: \"incoming full\"");
            }
            return;
        };
        let Some((context, access, local_port)) = self
            .sockets
            .get(server)
            .map(|entry| (entry.context, entry.access, entry.local_port))
        else {
            return;
        };
        let host = peer.map_or_else(|| "0.0.0.0".to_owned(), |peer| peer.to_string());
        self.adopt_connection(socket, Owner::Tcp(id), context, peer);
        let entry = Socket {
            service: Service::TcpIncoming,
            access,
            context,
            host: host.clone(),
            port,
            local_port,
            server,
            state: SocketState::Connected,
            socket,
            received: VecDeque::new(),
            datagrams: VecDeque::new(),
            told: false,
            total: 0,
        };
        self.sockets.put(id, entry);
        self.urc(format!(
            "+QIURC: \"incoming\",{id},{server},\"{host}\",{port}"
        ));
    }

    /// A datagram for a UDP service.
    pub(crate) fn datagram_received(
        &mut self,
        socket: SocketId,
        peer: IpAddr,
        port: u16,
        data: Vec<u8>,
    ) {
        let Some(id) = self.listener_of(socket) else {
            return;
        };
        let Some(entry) = self.sockets.get_mut(id) else {
            return;
        };
        entry.total += data.len();
        if entry.access == Access::Push {
            let mut text =
                format!("+QIURC: \"recv\",{id},{},\"{peer}\",{port}\r\n", data.len()).into_bytes();
            text.extend(data);
            self.urc(text);
            return;
        }
        if entry.datagrams.len() >= DATAGRAMS {
            entry.datagrams.pop_front();
        }
        entry.datagrams.push_back(Datagram { peer, port, data });
        if !core::mem::replace(&mut entry.told, true) {
            self.urc(format!("+QIURC: \"recv\",{id}"));
        }
    }

    /// Takes a datagram for `AT+QIRD`; the next one is announced when none is left.
    pub(crate) fn take_datagram(&mut self, id: u8) -> Option<Datagram> {
        let entry = self.sockets.get_mut(id)?;
        let datagram = entry.datagrams.pop_front();
        if entry.datagrams.is_empty() {
            entry.told = false;
        }
        datagram
    }

    /// Sends a datagram from a UDP service.
    pub(crate) fn send_datagram(&mut self, id: u8, host: &str, port: u16, data: Vec<u8>) -> bool {
        let Some(entry) = self.sockets.get(id) else {
            return false;
        };
        if entry.service != Service::UdpLocal {
            return false;
        }
        let (socket, host) = (entry.socket, host.to_owned());
        self.net_out.push_back(NetRequest::SendTo {
            socket,
            host,
            port,
            data,
        });
        true
    }
}

/// Datagrams that wait for the host; beyond this the oldest is lost.
const DATAGRAMS: usize = 64;
