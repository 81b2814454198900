//! Carries out the module's network requests with real sockets.

use core::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    time::Duration,
};
use std::{collections::HashMap, io};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, lookup_host},
    sync::mpsc::{
        Receiver, Sender, UnboundedReceiver, UnboundedSender, channel, unbounded_channel,
    },
    task::AbortHandle,
    time::timeout,
};

use super::{
    hosts::{HostTable, Target},
    udp::{self, Outgoing},
};
use crate::net::{ConnectFailure, NetEvent, NetRequest, SocketId, Transport};

/// Events that wait for the module; beyond this the sockets are not read, so peers are slowed down.
const EVENTS_WAITING: usize = 64;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(60);
pub(super) const READ_CHUNK: usize = 16 * 1024;
/// Connections of listeners are numbered from here, beyond those that the module numbers.
const ACCEPTED_FROM: u32 = 0x8000_0000;

/// The sockets of one module.
pub(super) struct Network {
    hosts: HostTable,
    events: Sender<NetEvent>,
    /// Dropping a sender makes its connection flush and close.
    open: HashMap<SocketId, UnboundedSender<Vec<u8>>>,
    listeners: HashMap<SocketId, AbortHandle>,
    datagrams: HashMap<SocketId, UnboundedSender<Outgoing>>,
    accepted: UnboundedSender<(SocketId, TcpStream, SocketAddr)>,
    accepted_queue: UnboundedReceiver<(SocketId, TcpStream, SocketAddr)>,
    next_accepted: u32,
}

impl Network {
    pub(super) fn new(hosts: HostTable) -> (Self, Receiver<NetEvent>) {
        let (events, receiver) = channel(EVENTS_WAITING);
        let (accepted, accepted_queue) = unbounded_channel();
        let network = Self {
            hosts,
            events,
            open: HashMap::new(),
            listeners: HashMap::new(),
            datagrams: HashMap::new(),
            accepted,
            accepted_queue,
            next_accepted: ACCEPTED_FROM,
        };
        (network, receiver)
    }

    /// Carries out one request.
    pub(super) fn request(&mut self, request: NetRequest) {
        match request {
            NetRequest::Connect {
                socket,
                transport,
                host,
                port,
            } => {
                let (sender, outgoing) = unbounded_channel();
                self.open.insert(socket, sender);
                let target = self.hosts.target(&host, port);
                let (events, host) = (self.events.clone(), (host, port));
                tokio::spawn(async move {
                    match transport {
                        Transport::Tcp => tcp(socket, target, host, outgoing, events).await,
                        Transport::Udp => udp::client(socket, target, host, outgoing, events).await,
                    }
                });
            }
            NetRequest::Send { socket, data } => {
                if let Some(sender) = self.open.get(&socket)
                    && sender.send(data).is_err()
                {
                    self.open.remove(&socket);
                }
            }
            NetRequest::Close { socket } => {
                self.open.remove(&socket);
                self.datagrams.remove(&socket);
                if let Some(listener) = self.listeners.remove(&socket) {
                    listener.abort();
                }
            }
            NetRequest::Resolve { lookup, host } => {
                let (target, events) = (self.hosts.target(&host, 0), self.events.clone());
                tokio::spawn(async move {
                    let addresses = resolve(target, &host, 0).await;
                    let addresses = addresses.iter().map(SocketAddr::ip).collect();
                    let _ = events.send(NetEvent::Resolved { lookup, addresses }).await;
                });
            }
            NetRequest::Listen {
                socket,
                transport: Transport::Udp,
                port,
            } => self.serve_udp(socket, port),
            NetRequest::Listen { socket, port, .. } => self.listen(socket, port),
            NetRequest::SendTo {
                socket,
                host,
                port,
                data,
            } => {
                let target = self.hosts.target(&host, port);
                if let Some(sender) = self.datagrams.get(&socket) {
                    let _ = sender.send((target, host, port, data));
                }
            }
        }
    }

    fn listen(&mut self, socket: SocketId, port: u16) {
        let (events, accepted) = (self.events.clone(), self.accepted.clone());
        let task = tokio::spawn(async move {
            let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
            let listener = match TcpListener::bind((loopback, port)).await {
                Ok(listener) => listener,
                Err(_) => match TcpListener::bind((loopback, 0)).await {
                    Ok(listener) => listener,
                    Err(_) => {
                        let reason = ConnectFailure::Refused;
                        let _ = events
                            .send(NetEvent::ConnectFailed { socket, reason })
                            .await;
                        return;
                    }
                },
            };
            let port = listener.local_addr().map_or(port, |address| address.port());
            let _ = events.send(NetEvent::Listening { socket, port }).await;
            while let Ok((stream, peer)) = listener.accept().await {
                if accepted.send((socket, stream, peer)).is_err() {
                    return;
                }
            }
        });
        self.listeners.insert(socket, task.abort_handle());
    }

    fn serve_udp(&mut self, socket: SocketId, port: u16) {
        let (sender, outgoing) = unbounded_channel();
        self.datagrams.insert(socket, sender);
        let task = tokio::spawn(udp::service(socket, port, outgoing, self.events.clone()));
        self.listeners.insert(socket, task.abort_handle());
    }

    /// Waits for a peer of a listener and starts to serve it; gives the event for the module.
    pub(super) async fn next_accepted(&mut self) -> Option<NetEvent> {
        let (listener, stream, peer) = self.accepted_queue.recv().await?;
        let socket = SocketId(self.next_accepted);
        self.next_accepted = self.next_accepted.checked_add(1).unwrap_or(ACCEPTED_FROM);
        let (sender, outgoing) = unbounded_channel();
        self.open.insert(socket, sender);
        tokio::spawn(serve(socket, stream, outgoing, self.events.clone()));
        Some(NetEvent::Accepted {
            listener,
            socket,
            peer: Some(peer.ip()),
            port: peer.port(),
        })
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        for listener in self.listeners.values() {
            listener.abort();
        }
    }
}

pub(super) async fn resolve(target: Target, host: &str, port: u16) -> Vec<SocketAddr> {
    match target {
        Target::Address(address) => vec![address],
        Target::Closed(address) => vec![SocketAddr::new(address, port)],
        Target::Nowhere => Vec::new(),
        Target::System => lookup_host((host, port))
            .await
            .map(Iterator::collect)
            .unwrap_or_default(),
    }
}

fn failure(error: &io::Error) -> ConnectFailure {
    match error.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => {
            ConnectFailure::Refused
        }
        _ => ConnectFailure::Unreachable,
    }
}

async fn tcp(
    socket: SocketId,
    target: Target,
    (host, port): (String, u16),
    outgoing: UnboundedReceiver<Vec<u8>>,
    events: Sender<NetEvent>,
) {
    if let Target::Closed(_) = target {
        let reason = ConnectFailure::Refused;
        let _ = events
            .send(NetEvent::ConnectFailed { socket, reason })
            .await;
        return;
    }
    let addresses = resolve(target, &host, port).await;
    let Some(address) = addresses.first().copied() else {
        let _ = events
            .send(NetEvent::ConnectFailed {
                socket,
                reason: ConnectFailure::Dns,
            })
            .await;
        return;
    };
    let reason = match timeout(CONNECT_TIMEOUT, TcpStream::connect(address)).await {
        Ok(Ok(stream)) => {
            let _ = stream.set_nodelay(true);
            if events
                .send(NetEvent::Connected {
                    socket,
                    peer: Some(address.ip()),
                })
                .await
                .is_ok()
            {
                serve(socket, stream, outgoing, events).await;
            }
            return;
        }
        Ok(Err(error)) => failure(&error),
        Err(_) => ConnectFailure::Unreachable,
    };
    let _ = events
        .send(NetEvent::ConnectFailed { socket, reason })
        .await;
}

/// Passes bytes in both directions until either side ends.
async fn serve(
    socket: SocketId,
    mut stream: TcpStream,
    mut outgoing: UnboundedReceiver<Vec<u8>>,
    events: Sender<NetEvent>,
) {
    let (mut reader, mut writer) = stream.split();
    let mut chunk = vec![0; READ_CHUNK];
    loop {
        tokio::select! {
            data = outgoing.recv() => {
                // Without a sender the module has closed the connection: everything is written by now.
                let Some(data) = data else {
                    let _ = writer.shutdown().await;
                    return;
                };
                if writer.write_all(&data).await.is_err() {
                    break;
                }
                if events.send(NetEvent::Sent { socket, count: data.len() }).await.is_err() {
                    return;
                }
            }
            got = reader.read(&mut chunk) => {
                let data = match got {
                    Ok(count) if count > 0 => chunk.get(..count).unwrap_or_default().to_vec(),
                    _ => break,
                };
                if events.send(NetEvent::Data { socket, data }).await.is_err() {
                    return;
                }
            }
        }
    }
    let _ = events.send(NetEvent::Closed { socket }).await;
}
