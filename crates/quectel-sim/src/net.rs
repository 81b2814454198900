//! What a [`Module`](crate::Module) asks of the network, and what it is told.
//!
//! The module opens no socket. Whoever runs it carries out each [`NetRequest`] and reports back with [`NetEvent`]s:
//! the runners of [`run`](crate::run) with real loopback sockets, a test with memory.

use core::net::IpAddr;

/// Names one transport connection of one module; never reused while the module lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SocketId(pub u32);

/// Names one name look-up of one module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LookupId(pub u32);

/// The transport of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Transport {
    /// A TCP connection.
    Tcp,
    /// A connected UDP socket.
    Udp,
}

/// Something that the module wants done on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetRequest {
    /// Open a connection; answered by [`NetEvent::Connected`] or [`NetEvent::ConnectFailed`].
    Connect {
        /// The connection that later events name.
        socket: SocketId,
        /// TCP or UDP.
        transport: Transport,
        /// The host as the AT command wrote it: a name or an address literal.
        host: String,
        /// The port as the AT command wrote it.
        port: u16,
    },
    /// Wait for peers on a port; answered by [`NetEvent::Listening`] or [`NetEvent::ConnectFailed`], then [`NetEvent::Accepted`].
    Listen {
        /// The listener.
        socket: SocketId,
        /// TCP or UDP.
        transport: Transport,
        /// The port as the AT command wrote it; the runner may bind another one.
        port: u16,
    },
    /// Write bytes; answered by [`NetEvent::Sent`] when they left.
    Send {
        /// The connection.
        socket: SocketId,
        /// The bytes, never empty.
        data: Vec<u8>,
    },
    /// Send a datagram from a UDP listener.
    SendTo {
        /// The listener.
        socket: SocketId,
        /// The host as the AT command wrote it.
        host: String,
        /// The port as the AT command wrote it.
        port: u16,
        /// The datagram.
        data: Vec<u8>,
    },
    /// Close a connection. No event follows.
    Close {
        /// The connection.
        socket: SocketId,
    },
    /// Look up a host name; answered by [`NetEvent::Resolved`].
    Resolve {
        /// The look-up.
        lookup: LookupId,
        /// The name as the AT command wrote it.
        host: String,
    },
}

/// Something that happened on the network.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum NetEvent {
    /// The connection is open.
    Connected {
        /// The connection.
        socket: SocketId,
        /// The address that the name stood for, shown by `AT+QISTATE` and `AT+QSSLSTATE`.
        peer: Option<IpAddr>,
    },
    /// The connection could not be opened; it is gone.
    ConnectFailed {
        /// The connection.
        socket: SocketId,
        /// Why.
        reason: ConnectFailure,
    },
    /// The listener is ready.
    Listening {
        /// The listener.
        socket: SocketId,
        /// The port that was bound.
        port: u16,
    },
    /// A peer connected to a listener.
    Accepted {
        /// The listener.
        listener: SocketId,
        /// The peer's connection, numbered by the runner from [`SocketId`] `0x8000_0000` upwards.
        socket: SocketId,
        /// The peer's address.
        peer: Option<IpAddr>,
        /// The peer's port.
        port: u16,
    },
    /// A datagram arrived at a UDP listener.
    Datagram {
        /// The listener.
        socket: SocketId,
        /// The sender's address.
        peer: IpAddr,
        /// The sender's port.
        port: u16,
        /// The datagram.
        data: Vec<u8>,
    },
    /// Bytes arrived.
    Data {
        /// The connection.
        socket: SocketId,
        /// The bytes.
        data: Vec<u8>,
    },
    /// So many bytes left for the peer.
    Sent {
        /// The connection.
        socket: SocketId,
        /// Number of bytes.
        count: usize,
    },
    /// The peer closed or reset the connection; it is gone.
    Closed {
        /// The connection.
        socket: SocketId,
    },
    /// The addresses of a host name; none when it has none.
    Resolved {
        /// The look-up.
        lookup: LookupId,
        /// The addresses.
        addresses: Vec<IpAddr>,
    },
}

/// Why a connection could not be opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ConnectFailure {
    /// The host name has no address.
    Dns,
    /// The peer refused.
    Refused,
    /// The peer did not answer in time, or is not reachable.
    Unreachable,
}
