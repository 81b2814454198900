//! Packets of an accepted connection.

use mqtt311::{
    Packet, PacketId, Publish, QoS, Suback, SubackCode, Subscribe, Subscription, Unsubscribe,
};

use super::{Hub, MAX_TELEMETRY, connections::Phase};
use crate::{
    identity::Identity,
    properties::Properties,
    reason::Reason,
    record::{ConnectionId, Event, Telemetry},
    time::Now,
    topic::{self, Feature, Inbound},
    warning::Warning,
};

impl Hub {
    pub(super) fn packet(&mut self, now: Now, id: ConnectionId, packet: Packet) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let identity = match &connection.phase {
            Phase::AwaitingConnect => {
                return match packet {
                    Packet::Connect(connect) => self.connect(now, id, connect),
                    other => self.end(
                        now,
                        id,
                        Reason::NotConnect {
                            packet: other.name(),
                        },
                    ),
                };
            }
            Phase::Attached(attached) => attached.identity.clone(),
            Phase::Closing => return,
        };
        if !self.survives_faults(now, id, &identity) {
            return;
        }
        if self.registering(id).is_some() && self.registration_packet(now, id, &packet) {
            return;
        }
        match packet {
            Packet::Connect(_) => self.end(now, id, Reason::SecondConnect),
            Packet::Publish(publish) => self.publish(now, id, identity, publish),
            Packet::Puback(packet_id) => self.puback(now, id, &identity, packet_id),
            Packet::Subscribe(subscribe) => self.subscribe(now, id, &identity, subscribe),
            Packet::Unsubscribe(unsubscribe) => self.unsubscribe(now, id, identity, unsubscribe),
            Packet::Pingreq => self.send(now, id, &Packet::Pingresp),
            Packet::Disconnect => self.end(now, id, Reason::Disconnect),
            other => self.end(
                now,
                id,
                Reason::UnexpectedPacket {
                    packet: other.name(),
                },
            ),
        }
    }

    fn publish(&mut self, now: Now, id: ConnectionId, identity: Identity, publish: Publish) {
        let packet_id = publish.packet_id;
        match self.accept(now, &identity, publish) {
            Ok(late_ms) => {
                if let Some(packet_id) = packet_id {
                    self.acknowledge_late(now, id, &identity, packet_id, late_ms);
                }
            }
            Err(reason) => self.end(now, id, reason),
        }
    }

    /// Handles a message; how late it is to be acknowledged, in milliseconds.
    fn accept(&mut self, now: Now, identity: &Identity, publish: Publish) -> Result<u64, Reason> {
        if publish.qos == QoS::ExactlyOnce {
            return Err(Reason::Qos2 { packet: "PUBLISH" });
        }
        let inbound = match topic::inbound(&publish.topic, identity) {
            Ok(inbound) => inbound,
            Err(reason) if self.rules.ignore_bad_topics => {
                self.warn(now, identity, Warning::TopicIgnored(reason));
                return Ok(0);
            }
            Err(reason) => return Err(reason),
        };
        match inbound {
            Inbound::Telemetry { bag } => {
                return self.telemetry(now, identity, publish, &bag);
            }
            Inbound::MethodResponse { status, rid } => {
                self.method_response(now, identity, status, &rid, publish.payload)?;
            }
            Inbound::TwinGet { rid } => self.twin_get(now, identity, &rid),
            Inbound::TwinReported { rid } => {
                self.twin_reported(now, identity, &rid, &publish.payload);
            }
            Inbound::IssueCertificate { rid } => {
                let (topic, body) = (&publish.topic, &publish.payload);
                self.renew_certificate(now, identity, &rid, topic, body)?;
            }
        }
        Ok(0)
    }

    fn telemetry(
        &mut self,
        now: Now,
        identity: &Identity,
        publish: Publish,
        bag: &str,
    ) -> Result<u64, Reason> {
        let size = bag.len() + publish.payload.len();
        if size > MAX_TELEMETRY {
            return Err(Reason::MessageSize {
                size,
                limit: MAX_TELEMETRY,
            });
        }
        let (mut properties, mut warnings) = Properties::from_bag(bag)?;
        if warnings.contains(&Warning::QuestionMark) && self.rules.refuse_question_mark {
            return Err(Reason::PropertyBag {
                bag: bag.to_owned(),
                character: '?',
            });
        }
        let late_ms = self.throttle_telemetry(now, identity, size)?;
        if publish.retain {
            properties.set("mqtt-retain", "true");
            warnings.push(Warning::Retain);
        }
        if publish.dup {
            warnings.push(Warning::Duplicate);
        }
        self.record(
            now,
            Event::Telemetry(Telemetry {
                identity: identity.clone(),
                topic: publish.topic,
                properties,
                payload: publish.payload,
                qos: publish.qos.to_wire(),
                is_will: false,
                warnings,
            }),
        );
        Ok(late_ms)
    }

    fn subscribe(&mut self, now: Now, id: ConnectionId, identity: &Identity, subscribe: Subscribe) {
        let mut codes = Vec::new();
        for subscription in subscribe.subscriptions {
            let filter = subscription.filter.clone();
            let result = self.add_subscription(identity, &subscription);
            codes.push(match &result {
                // The hub grants QoS 1 to whoever asks for 2.
                Ok(_) => SubackCode::Granted(subscription.qos.min(QoS::AtLeastOnce)),
                Err(_) => SubackCode::Failure,
            });
            let refused = result.clone().err();
            self.record(
                now,
                Event::Subscribed {
                    identity: identity.clone(),
                    filter,
                    result,
                },
            );
            if let Some(reason) = refused
                && self.rules.close_on_bad_filter
            {
                return self.end(now, id, reason);
            }
        }
        let suback = Suback {
            packet_id: subscribe.packet_id,
            codes,
        };
        self.session_changed(identity);
        self.send(now, id, &Packet::Suback(suback));
        self.deliver(now, identity);
        self.send_waiting_calls(now, identity);
    }

    fn add_subscription(
        &mut self,
        identity: &Identity,
        subscription: &Subscription,
    ) -> Result<Feature, Reason> {
        let feature = topic::subscription(&subscription.filter, identity)?;
        let limit = self.rules.max_subscriptions;
        let session = self
            .endpoints
            .get_mut(identity)
            .and_then(|endpoint| endpoint.session.as_mut());
        if let Some(session) = session {
            let known = session.subscriptions.contains_key(&subscription.filter);
            if !known && session.subscriptions.len() >= limit {
                return Err(Reason::Filter {
                    filter: subscription.filter.clone(),
                    hint: format!("{limit} subscriptions at a time are allowed"),
                });
            }
            let granted = subscription.qos.min(QoS::AtLeastOnce);
            session
                .subscriptions
                .insert(subscription.filter.clone(), (feature, granted));
        }
        Ok(feature)
    }

    fn unsubscribe(
        &mut self,
        now: Now,
        id: ConnectionId,
        identity: Identity,
        unsubscribe: Unsubscribe,
    ) {
        for filter in unsubscribe.filters {
            let session = self
                .endpoints
                .get_mut(&identity)
                .and_then(|endpoint| endpoint.session.as_mut());
            if let Some(session) = session {
                session.subscriptions.remove(&filter);
            }
            let identity = identity.clone();
            self.record(now, Event::Unsubscribed { identity, filter });
        }
        self.session_changed(&identity);
        self.send(now, id, &Packet::Unsuback(unsubscribe.packet_id));
    }

    /// Only sessions that outlive their connection are saved.
    fn session_changed(&mut self, identity: &Identity) {
        let endpoint = self.endpoints.get(identity);
        let session = endpoint.and_then(|endpoint| endpoint.session.as_ref());
        if session.is_some_and(|session| !session.clean) {
            self.changed();
        }
    }

    /// The next packet identifier that nothing on this connection uses.
    pub(super) fn next_packet_id(&mut self, id: ConnectionId) -> Option<PacketId> {
        let attached = self.attached_mut(id)?;
        // At most 50 messages are in flight, so one of the next 51 numbers is free.
        for _ in 0..=u16::MAX {
            attached.last_packet_id = attached.last_packet_id.checked_add(1).unwrap_or(1);
            if let Some(packet_id) = PacketId::new(attached.last_packet_id)
                && !attached.unacknowledged.contains_key(&packet_id)
            {
                return Some(packet_id);
            }
        }
        None
    }
}
