//! One TCP connection of a running hub.

use core::time::Duration;
use std::sync::Arc;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Notify,
    time::{Instant, timeout},
};

use super::shared::Shared;
use crate::{
    reason::Reason,
    record::ConnectionId,
    tls::{HANDSHAKE_TIMEOUT_S, TlsServer, TlsSession},
};

const CHUNK: usize = 8 * 1024;
/// While this much encrypted data waits for the client, nothing more is taken from the hub.
const HIGH_WATER: usize = 64 * 1024;
/// How long a closing connection may take to let its last bytes go.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(5);

struct Served<'a> {
    shared: &'a Shared,
    tls: TlsSession,
    id: Option<ConnectionId>,
    wake: Arc<Notify>,
    /// Encrypted bytes for the client, from `sent` on.
    out: Vec<u8>,
    sent: usize,
    closing: bool,
}

pub(super) async fn serve(shared: &Shared, tls: &TlsServer, mut stream: TcpStream) {
    // Small packets both ways; waiting to fill a segment only delays PUBACK.
    let _ = stream.set_nodelay(true);
    let mut served = Served {
        shared,
        tls: TlsSession::new(tls),
        id: None,
        wake: Arc::new(Notify::new()),
        out: Vec::new(),
        sent: 0,
        closing: false,
    };
    if !shared.handshake_delay.is_zero() {
        tokio::time::sleep(shared.handshake_delay).await;
    }
    served.run(&mut stream).await;
    if let Some(id) = served.id {
        shared.wakers().remove(&id);
        shared.with_hub(|hub, now| hub.lost(now, id));
        shared.forget_held(id);
    }
    let _ = timeout(FLUSH_TIMEOUT, async {
        let _ = stream.write_all(served.unsent()).await;
        let _ = stream.shutdown().await;
    })
    .await;
}

impl Served<'_> {
    async fn run(&mut self, stream: &mut TcpStream) {
        let (mut reader, mut writer) = stream.split();
        let mut chunk = vec![0; CHUNK];
        let mut stopping = self.shared.stopping.subscribe();
        let wake = self.wake.clone();
        let handshake_ends = Instant::now() + Duration::from_secs(HANDSHAKE_TIMEOUT_S);
        while !self.closing {
            let waiting = !self.unsent().is_empty();
            let handshaking = self.id.is_none();
            tokio::select! {
                read = reader.read(&mut chunk), if self.unsent().len() < HIGH_WATER => match read {
                    Ok(0) | Err(_) => return self.left(),
                    Ok(n) => self.received(chunk.get(..n).unwrap_or_default()),
                },
                written = writer.write(self.out.get(self.sent..).unwrap_or_default()), if waiting => {
                    match written {
                        Ok(0) | Err(_) => return,
                        Ok(n) => self.wrote(n),
                    }
                }
                () = wake.notified() => self.pull(),
                () = tokio::time::sleep_until(handshake_ends), if handshaking => {
                    self.refuse(Reason::HandshakeTimeout { seconds: HANDSHAKE_TIMEOUT_S });
                }
                _ = stopping.wait_for(|stop| *stop), if handshaking => return,
            }
        }
    }

    fn received(&mut self, bytes: &[u8]) {
        let mut plaintext = Vec::new();
        let input = self.tls.receive(bytes, &mut plaintext);
        if let Some(facts) = input.established {
            let id = self.shared.with_hub(|hub, now| hub.open(now, facts));
            self.shared.wakers().insert(id, self.wake.clone());
            self.id = Some(id);
        }
        if let Some(id) = self.id
            && !plaintext.is_empty()
        {
            self.shared
                .with_hub(|hub, now| hub.receive(now, id, &plaintext));
        }
        if let Some(reason) = input.failed {
            self.refuse(reason);
        } else if input.closed && self.id.is_none() {
            self.left();
        }
        self.pull();
        self.closing |= input.closed;
    }

    /// The client has closed the connection.
    fn left(&mut self) {
        if let Some(reason) = self.tls.broken_off() {
            self.refuse(reason);
        }
    }

    fn refuse(&mut self, reason: Reason) {
        if self.id.is_none() {
            let name = self.tls.server_name().map(str::to_owned);
            self.shared
                .with_hub(|hub, now| hub.refuse_tls(now, name, reason));
        }
        self.closing = true;
    }

    fn wrote(&mut self, n: usize) {
        self.sent += n;
        if self.sent >= self.out.len() {
            self.out.clear();
            self.out.shrink_to(CHUNK);
            self.sent = 0;
        }
        self.pull();
    }

    /// Takes what the hub and TLS have for the client, unless too much waits already.
    fn pull(&mut self) {
        if let Some(id) = self.id {
            let mut plaintext = Vec::new();
            // Not `with_hub`: taking bytes out causes nothing that others must hear of.
            let mut hub = self.shared.lock_hub();
            // A client that does not read must not keep a closing connection open.
            let takes = self.unsent().len() < HIGH_WATER || hub.is_closing(id);
            if takes && !self.shared.is_held(id) {
                let closing = hub.transmit(id, &mut plaintext);
                drop(hub);
                self.tls.send(&plaintext);
                if closing {
                    self.tls.close();
                    self.closing = true;
                }
            }
        }
        self.tls.transmit(&mut self.out);
    }

    fn unsent(&self) -> &[u8] {
        self.out.get(self.sent..).unwrap_or_default()
    }
}
