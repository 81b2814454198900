//! Cloud-to-device messages: queue, lock, redelivery, expiry.

use mqtt311::{Packet, PacketId, Publish, QoS};

use super::{
    Hub,
    registry::Queued,
    timers::{Expiry, Timer},
};
use crate::{
    identity::Identity,
    message::{CloudToDeviceMessage, MAX_TIME_TO_LIVE_S, ServiceError},
    record::{CloudToDeviceOutcome, ConnectionId, Event},
    time::Now,
    topic::Feature,
    warning::Warning,
};

const MAX_QUEUED: usize = 50;
const MAX_MESSAGE: usize = 64 * 1024;

impl Hub {
    /// Queues a message for a device and delivers it as soon as the device can take it.
    ///
    /// Returns the message's sequence number; a [`CloudToDevice`](Event::CloudToDevice) record with it
    /// tells how the message ended.
    ///
    /// # Errors
    ///
    /// The device is unknown, its queue is full, or the message's size, time to live or `iothub-ack` is
    /// not one the hub takes. A life below one minute is taken, so that tests need not wait.
    ///
    /// # Reference
    ///
    /// Azure IoT Hub documentation, "Send cloud-to-device messages from an IoT hub".
    pub fn send_to_device(
        &mut self,
        now: Now,
        identity: &Identity,
        message: CloudToDeviceMessage,
    ) -> Result<u64, ServiceError> {
        let name = || identity.client_id();
        let endpoint = self
            .endpoints
            .get_mut(identity)
            .filter(|_| identity.module_id.is_none())
            .ok_or_else(|| ServiceError::NotFound(name()))?;
        if endpoint.queue.len() >= MAX_QUEUED {
            return Err(ServiceError::QueueFull(name()));
        }
        if !(1..=MAX_TIME_TO_LIVE_S).contains(&message.time_to_live_s) {
            return Err(ServiceError::TimeToLive(message.time_to_live_s));
        }
        match message.properties.value("iothub-ack") {
            None | Some("none" | "positive" | "negative" | "full") => {}
            Some(other) => {
                return Err(ServiceError::Feedback(other.chars().take(40).collect()));
            }
        }
        let size = message.payload.len() + message.properties.to_bag().len();
        if size > MAX_MESSAGE {
            return Err(ServiceError::TooLarge(size));
        }
        self.last_sequence_number += 1;
        let sequence_number = self.last_sequence_number;
        let expires_unix_s = now.unix_s.saturating_add(message.time_to_live_s);
        endpoint.queue.push_back(Queued {
            sequence_number,
            message,
            expires_unix_s,
            locked_until_ms: None,
            delivered_before: false,
        });
        self.expiries.insert((
            expires_unix_s,
            Expiry::Message(identity.clone(), sequence_number),
        ));
        self.changed();
        self.deliver(now, identity);
        Ok(sequence_number)
    }

    /// Hands over every message that is not locked, if the device is there and has subscribed.
    pub(super) fn deliver(&mut self, now: Now, identity: &Identity) {
        let Some(id) = self.attached.get(identity).copied() else {
            return;
        };
        let Some(endpoint) = self.endpoints.get(identity) else {
            return;
        };
        let Some(qos) = endpoint.subscribed(Feature::CloudToDevice) else {
            return;
        };
        let free: Vec<u64> = endpoint
            .queue
            .iter()
            .filter(|queued| queued.locked_until_ms.is_none())
            .map(|queued| queued.sequence_number)
            .collect();
        for number in free {
            if qos == QoS::AtMostOnce {
                self.hand_over(now, id, identity, number, None);
                self.complete(now, identity, number, CloudToDeviceOutcome::Completed);
            } else {
                let packet_id = self.packet_id_of(id, number);
                self.hand_over(now, id, identity, number, packet_id);
            }
        }
    }

    /// The packet identifier this message already has on this connection, or a fresh one.
    fn packet_id_of(&mut self, id: ConnectionId, number: u64) -> Option<PacketId> {
        let attached = self.attached(id)?;
        let mut known = attached.unacknowledged.iter();
        match known.find(|(_, unacknowledged)| **unacknowledged == number) {
            Some((packet_id, _)) => Some(*packet_id),
            None => self.next_packet_id(id),
        }
    }

    fn hand_over(
        &mut self,
        now: Now,
        id: ConnectionId,
        identity: &Identity,
        number: u64,
        packet_id: Option<PacketId>,
    ) {
        // Never at once, or `poll` would hand it over for ever.
        let lock_ms = self.rules.lock_timeout_ms.max(1);
        let lock_ends_ms = now.monotonic_ms.saturating_add(lock_ms);
        let Some(queued) = self.queued_mut(identity, number) else {
            return;
        };
        let mut properties = queued.message.properties.clone();
        let to = format!("/{}/messages/devicebound", identity.path());
        properties.set("$.to", &to);
        let publish = Publish {
            dup: packet_id.is_some() && queued.delivered_before,
            qos: match packet_id {
                Some(_) => QoS::AtLeastOnce,
                None => QoS::AtMostOnce,
            },
            retain: false,
            topic: format!("{}/{}", to.trim_start_matches('/'), properties.to_bag()),
            packet_id,
            payload: queued.message.payload.clone(),
        };
        queued.delivered_before = true;
        if let Some(packet_id) = packet_id {
            queued.locked_until_ms = Some(lock_ends_ms);
            let timer = Timer::Lock(identity.clone(), number);
            self.timers.insert((lock_ends_ms, timer));
            if let Some(attached) = self.attached_mut(id) {
                attached.unacknowledged.insert(packet_id, number);
            }
        }
        self.send(now, id, &Packet::Publish(publish));
    }

    pub(super) fn puback(
        &mut self,
        now: Now,
        id: ConnectionId,
        identity: &Identity,
        packet_id: PacketId,
    ) {
        let number = self
            .attached_mut(id)
            .and_then(|attached| attached.unacknowledged.remove(&packet_id));
        match number {
            Some(number) => {
                self.complete(now, identity, number, CloudToDeviceOutcome::Completed);
            }
            None => {
                let packet_id = packet_id.get();
                self.warn(now, identity, Warning::StrayPuback { packet_id });
            }
        }
    }

    pub(super) fn unlock(&mut self, now: Now, identity: &Identity, number: u64) {
        let Some(queued) = self.queued_mut(identity, number) else {
            return;
        };
        if queued
            .locked_until_ms
            .is_some_and(|at| at <= now.monotonic_ms)
        {
            queued.locked_until_ms = None;
            self.deliver(now, identity);
        }
    }

    pub(super) fn message_expired(&mut self, now: Now, identity: &Identity, number: u64) {
        self.complete(now, identity, number, CloudToDeviceOutcome::Expired);
    }

    fn complete(
        &mut self,
        now: Now,
        identity: &Identity,
        number: u64,
        outcome: CloudToDeviceOutcome,
    ) {
        let Some(endpoint) = self.endpoints.get_mut(identity) else {
            return;
        };
        let at = endpoint
            .queue
            .iter()
            .position(|queued| queued.sequence_number == number);
        if let Some(queued) = at.and_then(|at| endpoint.queue.remove(at)) {
            self.changed();
            self.settled(now, identity, &queued, outcome);
        }
    }

    pub(super) fn settled(
        &mut self,
        now: Now,
        identity: &Identity,
        queued: &Queued,
        outcome: CloudToDeviceOutcome,
    ) {
        let properties = &queued.message.properties;
        let wants_feedback = match properties.value("iothub-ack") {
            Some("full") => true,
            Some("positive") => outcome == CloudToDeviceOutcome::Completed,
            Some("negative") => outcome != CloudToDeviceOutcome::Completed,
            _ => false,
        };
        self.record(
            now,
            Event::CloudToDevice {
                identity: identity.clone(),
                sequence_number: queued.sequence_number,
                message_id: properties.value("$.mid").map(str::to_owned),
                wants_feedback,
                outcome,
            },
        );
    }

    fn queued_mut(&mut self, identity: &Identity, number: u64) -> Option<&mut Queued> {
        let queue = &mut self.endpoints.get_mut(identity)?.queue;
        queue
            .iter_mut()
            .find(|queued| queued.sequence_number == number)
    }
}
