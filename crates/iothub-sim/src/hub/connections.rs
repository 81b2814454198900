//! Connections: what belongs to one, how it is written to, how it ends.

use std::collections::BTreeMap;

use mqtt311::{Decoder, Packet, PacketId, Will};

use super::{Hub, TlsFacts, provisioning::Registering, timers::Expiry};
use crate::{
    identity::Identity,
    properties::Properties,
    reason::Reason,
    record::{ConnectionId, Event, Refusal, Telemetry},
    time::Now,
};

/// One TLS connection.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) tls: TlsFacts,
    pub(super) decoder: Decoder,
    pub(super) out: Vec<u8>,
    pub(super) phase: Phase,
    pub(super) last_received_ms: u64,
    /// When the timer for silence fires.
    pub(super) silence_timer_ms: Option<u64>,
}

#[derive(Debug)]
pub(super) enum Phase {
    AwaitingConnect,
    Attached(Box<Attached>),
    /// Nothing is read any more; the connection ends when `out` has gone.
    Closing,
}

/// An accepted CONNECT.
#[derive(Debug)]
pub(super) struct Attached {
    pub(super) identity: Identity,
    pub(super) service: Service,
    pub(super) keep_alive_s: u16,
    pub(super) token_expires_unix_s: Option<u64>,
    pub(super) will: Option<Will>,
    pub(super) last_packet_id: u16,
    /// Cloud-to-device messages that wait for PUBACK: packet identifier to sequence number.
    pub(super) unacknowledged: BTreeMap<PacketId, u64>,
}

/// What an accepted connection talks to.
#[derive(Debug)]
pub(super) enum Service {
    Hub,
    Provisioning(Box<Registering>),
}

impl Hub {
    pub(super) fn attached(&self, id: ConnectionId) -> Option<&Attached> {
        match &self.connections.get(&id)?.phase {
            Phase::Attached(attached) => Some(attached),
            Phase::AwaitingConnect | Phase::Closing => None,
        }
    }

    pub(super) fn attached_mut(&mut self, id: ConnectionId) -> Option<&mut Attached> {
        match &mut self.connections.get_mut(&id)?.phase {
            Phase::Attached(attached) => Some(attached),
            Phase::AwaitingConnect | Phase::Closing => None,
        }
    }

    pub(super) fn send(&mut self, now: Now, id: ConnectionId, packet: &Packet) {
        let limit = self.rules.max_unread;
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        if matches!(connection.phase, Phase::Closing) {
            return;
        }
        // Everything sent is built here within the limits of MQTT; a packet without bytes is nothing.
        if packet.encode(&mut connection.out).is_err() {
            return;
        }
        self.ready.insert(id);
        let unread = connection.out.len();
        if unread > limit {
            connection.out.clear();
            self.end(now, id, Reason::NotReading { unread });
        }
    }

    /// Ends a connection from this side, or notes that it has ended from the other.
    pub(super) fn end(&mut self, now: Now, id: ConnectionId, reason: Reason) {
        self.disarm_connection(id);
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let phase = core::mem::replace(&mut connection.phase, Phase::Closing);
        let sni = connection.tls.server_name.clone();
        self.ready.insert(id);
        match phase {
            Phase::Closing => {}
            Phase::AwaitingConnect => {
                // Opening a connection and leaving it without a word is no refusal.
                if !matches!(reason, Reason::Lost | Reason::Stopped) {
                    self.record(
                        now,
                        Event::Refused(Refusal {
                            connection: Some(id),
                            sni,
                            client_id: None,
                            user_name: None,
                            reason,
                        }),
                    );
                }
            }
            Phase::Attached(attached) => self.detach(now, id, *attached, reason),
        }
    }

    fn detach(&mut self, now: Now, id: ConnectionId, attached: Attached, reason: Reason) {
        let Attached {
            identity,
            will,
            token_expires_unix_s,
            ..
        } = attached;
        if let Some(expires) = token_expires_unix_s {
            self.expiries.remove(&(expires, Expiry::Token(id)));
        }
        if self.attached.get(&identity) == Some(&id) {
            self.attached.remove(&identity);
        }
        if let Some(endpoint) = self.endpoints.get_mut(&identity) {
            endpoint.connection_changed_unix_s = now.unix_s;
        }
        let graceful = matches!(reason, Reason::Disconnect | Reason::Stopped);
        self.record(
            now,
            Event::Disconnected {
                connection: id,
                identity: identity.clone(),
                reason,
            },
        );
        if let Some(will) = will
            && !graceful
        {
            self.publish_will(now, identity, will);
        }
    }

    fn publish_will(&mut self, now: Now, identity: Identity, will: Will) {
        let bag = format!("{}/messages/events/", identity.path());
        let bag = will.topic.strip_prefix(&bag).unwrap_or_default();
        let (mut properties, warnings) = Properties::from_bag(bag).unwrap_or_default();
        properties.set("iothub-MessageType", "Will");
        self.record(
            now,
            Event::Telemetry(Telemetry {
                identity,
                topic: will.topic,
                properties,
                payload: will.payload,
                qos: will.qos.to_wire(),
                is_will: true,
                warnings,
            }),
        );
    }
}
