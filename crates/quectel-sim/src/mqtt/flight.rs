//! Packets that wait for an answer: retransmission, notices, keep alive.

use mqtt311::{Packet, PacketId};

use crate::module::{Group, Module, MqttState, TimerId};

/// What a packet in flight waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FlightKind {
    /// PUBACK
    Publish1,
    /// PUBREC
    Publish2,
    /// PUBCOMP
    Release,
    /// SUBACK
    Subscribe,
    /// UNSUBACK
    Unsubscribe,
}

/// A packet that waits for its answer.
#[derive(Debug)]
pub(crate) struct Flight {
    pub(crate) id: u16,
    pub(crate) kind: FlightKind,
    packet: Packet,
    /// Name of the URC that reports it.
    urc: String,
    started_ms: u64,
    tries: u64,
    pub(crate) timer: Option<TimerId>,
}

impl Flight {
    const fn is_publish(&self) -> bool {
        matches!(
            self.kind,
            FlightKind::Publish1 | FlightKind::Publish2 | FlightKind::Release
        )
    }
}

impl Module {
    /// How many publishes wait for an answer.
    pub(crate) fn publishes_in_flight(&self, at: u8) -> usize {
        self.client(at)
            .map_or(0, |c| c.flights.iter().filter(|f| f.is_publish()).count())
    }

    /// Whether this message id waits for an answer.
    pub(crate) fn in_flight(&self, at: u8, id: u16) -> bool {
        self.client(at)
            .is_some_and(|c| c.flights.iter().any(|f| f.id == id))
    }

    /// Sends a packet that the server must answer.
    pub(crate) fn launch(&mut self, at: u8, id: u16, kind: FlightKind, packet: Packet, urc: &str) {
        if !self.send_packet(at, &packet) {
            self.urc(format!("{urc}: {at},{id},2"));
            return;
        }
        let flight = Flight {
            id,
            kind,
            packet,
            urc: urc.to_owned(),
            started_ms: self.now,
            tries: 0,
            timer: None,
        };
        if let Some(client) = self.client_mut(at) {
            client.flights.push(flight);
        }
        self.plan_retry(at, id);
    }

    fn flight_mut(&mut self, at: u8, id: u16) -> Option<&mut Flight> {
        self.client_mut(at)?.flights.iter_mut().find(|f| f.id == id)
    }

    fn plan_retry(&mut self, at: u8, id: u16) {
        let wait_ms = self.patience(at).packet_ms;
        let timer = self.after_exactly(wait_ms, move |module| module.retry(at, id));
        let old = self
            .flight_mut(at, id)
            .and_then(|flight| flight.timer.replace(timer));
        self.cancel(old);
    }

    fn retry(&mut self, at: u8, id: u16) {
        let patience = self.patience(at);
        let Some(flight) = self.flight_mut(at, id) else {
            return;
        };
        flight.timer = None;
        if flight.tries >= patience.retries {
            let (urc, publish) = (flight.urc.clone(), flight.is_publish());
            if let Some(client) = self.client_mut(at) {
                client.flights.retain(|f| f.id != id);
            }
            self.urc(format!("{urc}: {at},{id},2"));
            let stat = self.profile.mqtt.failed_publish_stat;
            if publish && stat > 0 {
                self.end_client(at, stat);
            }
            return;
        }
        flight.tries += 1;
        let (tries, urc, released) = (
            flight.tries,
            flight.urc.clone(),
            flight.kind == FlightKind::Release,
        );
        if let Packet::Publish(publish) = &mut flight.packet {
            publish.dup = true;
        }
        let packet = flight.packet.clone();
        self.send_packet(at, &packet);
        if patience.notice && released {
            self.urc(format!("+QMTPUBREL: {at},1,{id}"));
        } else if patience.notice {
            self.urc(format!("{urc}: {at},{id},1,{tries}"));
        }
        self.plan_retry(at, id);
    }

    /// The server's last word on a packet.
    pub(super) fn acknowledged(&mut self, at: u8, id: u16, kind: FlightKind, value: &str) {
        if kind == FlightKind::Publish1 && self.faults.pubacks_lost > 0 {
            self.faults.pubacks_lost -= 1;
            return;
        }
        let Some(client) = self.client_mut(at) else {
            return;
        };
        let Some(place) = client
            .flights
            .iter()
            .position(|f| f.id == id && f.kind == kind)
        else {
            return;
        };
        let flight = client.flights.remove(place);
        self.cancel(flight.timer);
        let timing = &self.profile.timing;
        let least_ms = if flight.is_publish() {
            timing.publish_ms
        } else {
            timing.subscribe_ms
        };
        let due = (flight.started_ms + self.scaled(least_ms)).saturating_sub(self.now);
        let text = format!("{}: {at},{id},0{value}", flight.urc);
        self.result_later(at, due, text);
    }

    /// PUBREC: the second half of QoS 2 begins.
    pub(super) fn publish_taken_over(&mut self, at: u8, id: PacketId) {
        let release = Packet::Pubrel(id);
        let known = self.flight_mut(at, id.get()).is_some_and(|flight| {
            let known = matches!(flight.kind, FlightKind::Publish2 | FlightKind::Release);
            if known {
                (flight.kind, flight.packet, flight.tries) =
                    (FlightKind::Release, release.clone(), 0);
            }
            known
        });
        if known {
            self.send_packet(at, &release);
            self.plan_retry(at, id.get());
        }
    }

    /// Plans the next look at the keep alive.
    pub(super) fn plan_ping(&mut self, at: u8) {
        let keep_alive_ms = self.item_number(Group::Mqtt, "keepalive", at, 0) * 1000;
        let Some(client) = self.client(at) else {
            return;
        };
        if keep_alive_ms == 0 || client.state != MqttState::Connected {
            return;
        }
        let next_at = if client.pings_unanswered > 0 {
            self.now + self.patience(at).packet_ms
        } else {
            client.last_sent_ms + keep_alive_ms
        };
        let wait = next_at.saturating_sub(self.now).max(1);
        let timer = self.after_exactly(wait, move |module| module.ping_due(at, keep_alive_ms));
        let old = self
            .client_mut(at)
            .and_then(|client| client.ping_timer.replace(timer));
        self.cancel(old);
    }

    fn ping_due(&mut self, at: u8, keep_alive_ms: u64) {
        let (now, retries) = (self.now, self.patience(at).retries);
        let Some(client) = self.client_mut(at) else {
            return;
        };
        client.ping_timer = None;
        let unanswered = client.pings_unanswered;
        let silent = unanswered > 0 || now >= client.last_sent_ms + keep_alive_ms;
        if unanswered > retries {
            return self.end_client(at, 2);
        }
        if silent {
            client.pings_unanswered += 1;
            self.send_packet(at, &Packet::Pingreq);
        }
        self.plan_ping(at);
    }
}
