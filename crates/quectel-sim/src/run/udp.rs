//! UDP: connected sockets, and the UDP service.

use core::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::io;

use tokio::{
    net::UdpSocket,
    sync::mpsc::{Sender, UnboundedReceiver},
};

use super::{
    hosts::Target,
    network::{READ_CHUNK, resolve},
};
use crate::net::{ConnectFailure, NetEvent, SocketId};

/// A datagram on its way: where its host leads, host, port, bytes.
pub(super) type Outgoing = (Target, String, u16, Vec<u8>);

pub(super) async fn client(
    socket: SocketId,
    target: Target,
    (host, port): (String, u16),
    outgoing: UnboundedReceiver<Vec<u8>>,
    events: Sender<NetEvent>,
) {
    let addresses = resolve(target, &host, port).await;
    let Some(address) = addresses.first().copied() else {
        let reason = ConnectFailure::Dns;
        let _ = events
            .send(NetEvent::ConnectFailed { socket, reason })
            .await;
        return;
    };
    let Ok(peer) = connected(address).await else {
        let reason = ConnectFailure::Unreachable;
        let _ = events
            .send(NetEvent::ConnectFailed { socket, reason })
            .await;
        return;
    };
    let peer_address = Some(address.ip());
    if events
        .send(NetEvent::Connected {
            socket,
            peer: peer_address,
        })
        .await
        .is_ok()
    {
        serve(socket, peer, outgoing, events).await;
    }
}

async fn connected(address: SocketAddr) -> io::Result<UdpSocket> {
    let local = if address.ip().is_loopback() {
        Ipv4Addr::LOCALHOST
    } else {
        Ipv4Addr::UNSPECIFIED
    };
    let socket = UdpSocket::bind((IpAddr::V4(local), 0)).await?;
    socket.connect(address).await?;
    Ok(socket)
}

async fn serve(
    socket: SocketId,
    peer: UdpSocket,
    mut outgoing: UnboundedReceiver<Vec<u8>>,
    events: Sender<NetEvent>,
) {
    let mut chunk = vec![0; READ_CHUNK];
    loop {
        tokio::select! {
            data = outgoing.recv() => {
                let Some(data) = data else { return };
                let count = peer.send(&data).await.unwrap_or(0);
                if events.send(NetEvent::Sent { socket, count }).await.is_err() {
                    return;
                }
            }
            got = peer.recv(&mut chunk) => {
                // A refused datagram shows as an error of the next call; the socket stays usable.
                let Ok(count) = got else { continue };
                let data = chunk.get(..count).unwrap_or_default().to_vec();
                if events.send(NetEvent::Data { socket, data }).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// Sends and receives datagrams of a UDP listener.
pub(super) async fn service(
    socket: SocketId,
    port: u16,
    mut outgoing: UnboundedReceiver<Outgoing>,
    events: Sender<NetEvent>,
) {
    let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
    let bound = match UdpSocket::bind((loopback, port)).await {
        Ok(bound) => Ok(bound),
        Err(_) => UdpSocket::bind((loopback, 0)).await,
    };
    let Ok(local) = bound else {
        let reason = ConnectFailure::Refused;
        let _ = events
            .send(NetEvent::ConnectFailed { socket, reason })
            .await;
        return;
    };
    let port = local.local_addr().map_or(port, |address| address.port());
    let _ = events.send(NetEvent::Listening { socket, port }).await;
    let mut chunk = vec![0; READ_CHUNK];
    loop {
        tokio::select! {
            next = outgoing.recv() => {
                let Some((target, host, port, data)) = next else { return };
                if let Some(address) = resolve(target, &host, port).await.first() {
                    let _ = local.send_to(&data, address).await;
                }
            }
            got = local.recv_from(&mut chunk) => {
                let Ok((count, peer)) = got else { continue };
                let data = chunk.get(..count).unwrap_or_default().to_vec();
                let event = NetEvent::Datagram { socket, peer: peer.ip(), port: peer.port(), data };
                if events.send(event).await.is_err() {
                    return;
                }
            }
        }
    }
}
