//! TLS and hub together without sockets: the far end of a simulated network.

use std::collections::BTreeMap;

use super::{TlsServer, TlsSession};
use crate::{hub::Hub, reason::Reason, record::ConnectionId, time::Now};

/// Time allowed for a TLS handshake.
pub(crate) const HANDSHAKE_TIMEOUT_S: u64 = 30;

/// Numbers the transport connections of a [`TlsHub`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(u64);

/// A hub behind TLS: encrypted bytes and time in, encrypted bytes and records out.
///
/// Made for tests in virtual time, where a simulated module and the hub share one thread. Each TCP
/// connection is a link.
///
/// ```
/// use iothub_sim::{Config, Device, Hub, Now, Pki, PkiOptions, TlsHub, TlsOptions, TlsServer};
///
/// let host = "contoso.azure-devices.net";
/// let config = Config::single_device(host, Device::with_generated_keys("dev1"));
/// let pki = Pki::new(&PkiOptions::for_hosts([host]))?;
/// let tls = TlsServer::new(pki.server_chain(), &TlsOptions::default())?;
/// let mut hub = TlsHub::new(Hub::new(&config)?, tls);
///
/// let now = Now { unix_s: 1_524_664_500, monotonic_ms: 0 };
/// let link = hub.connect(now);
/// hub.receive(now, link, b"\x10\x0c\x00\x04MQTT");
/// let mut answer = Vec::new();
/// assert!(hub.transmit(link, &mut answer), "no TLS: closed without an answer");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TlsHub {
    hub: Hub,
    tls: TlsServer,
    links: BTreeMap<LinkId, Link>,
    last_link: u64,
}

#[derive(Debug)]
struct Link {
    tls: TlsSession,
    connection: Option<ConnectionId>,
    closing: bool,
    handshake_ends_ms: u64,
}

impl TlsHub {
    /// Puts TLS in front of a hub.
    #[must_use]
    pub const fn new(hub: Hub, tls: TlsServer) -> Self {
        Self {
            hub,
            tls,
            links: BTreeMap::new(),
            last_link: 0,
        }
    }

    /// The hub behind TLS, for records and the service side.
    pub const fn hub(&mut self) -> &mut Hub {
        &mut self.hub
    }

    /// A client has opened a TCP connection.
    pub fn connect(&mut self, now: Now) -> LinkId {
        self.last_link += 1;
        let id = LinkId(self.last_link);
        self.links.insert(
            id,
            Link {
                tls: TlsSession::new(&self.tls),
                connection: None,
                closing: false,
                handshake_ends_ms: now.monotonic_ms.saturating_add(HANDSHAKE_TIMEOUT_S * 1000),
            },
        );
        id
    }

    /// Takes encrypted bytes of a client. An unknown link is ignored.
    pub fn receive(&mut self, now: Now, id: LinkId, bytes: &[u8]) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        if link.closing {
            return;
        }
        let mut plaintext = Vec::new();
        let input = link.tls.receive(bytes, &mut plaintext);
        if let Some(facts) = input.established {
            link.connection = Some(self.hub.open(now, facts));
        }
        if let Some(connection) = link.connection {
            self.hub.receive(now, connection, &plaintext);
        }
        if let Some(reason) = input.failed {
            self.fail(now, id, reason);
        } else if input.closed {
            self.disconnect(now, id);
        }
    }

    /// Moves the encrypted bytes for a client to the end of `out`; `true` means: send them, then close.
    pub fn transmit(&mut self, id: LinkId, out: &mut Vec<u8>) -> bool {
        let Some(link) = self.links.get_mut(&id) else {
            return true;
        };
        if let Some(connection) = link.connection {
            let mut plaintext = Vec::new();
            let closing = self.hub.transmit(connection, &mut plaintext);
            link.tls.send(&plaintext);
            if closing && !link.closing {
                link.tls.close();
                link.closing = true;
            }
        }
        link.tls.transmit(out);
        let closing = link.closing;
        if closing {
            self.links.remove(&id);
        }
        closing
    }

    /// The client's side of the TCP connection has ended.
    pub fn disconnect(&mut self, now: Now, id: LinkId) {
        let Some(link) = self.links.remove(&id) else {
            return;
        };
        if let Some(connection) = link.connection {
            self.hub.lost(now, connection);
        } else if let Some(reason) = link.tls.broken_off()
            && !link.closing
        {
            let server_name = link.tls.server_name().map(str::to_owned);
            self.hub.refuse_tls(now, server_name, reason);
        }
    }

    /// Lets deadlines pass; early and late calls are harmless.
    pub fn poll(&mut self, now: Now) {
        self.hub.poll(now);
        let late: Vec<LinkId> = self
            .links
            .iter()
            .filter(|(_, link)| link.handshake_late(now.monotonic_ms))
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            let reason = Reason::HandshakeTimeout {
                seconds: HANDSHAKE_TIMEOUT_S,
            };
            self.fail(now, id, reason);
        }
    }

    /// The next monotonic time in milliseconds at which [`poll`](Self::poll) has something to do.
    #[must_use]
    pub fn next_poll(&self, now: Now) -> Option<u64> {
        let handshakes = self
            .links
            .values()
            .filter(|link| link.connection.is_none() && !link.closing)
            .map(|link| link.handshake_ends_ms);
        handshakes.chain(self.hub.next_poll(now)).min()
    }

    fn fail(&mut self, now: Now, id: LinkId, reason: Reason) {
        let Some(link) = self.links.get_mut(&id) else {
            return;
        };
        link.closing = true;
        match link.connection {
            Some(connection) => self.hub.lost(now, connection),
            None => {
                let server_name = link.tls.server_name().map(str::to_owned);
                self.hub.refuse_tls(now, server_name, reason);
            }
        }
    }
}

impl Link {
    const fn handshake_late(&self, monotonic_ms: u64) -> bool {
        self.connection.is_none() && !self.closing && self.handshake_ends_ms <= monotonic_ms
    }
}
