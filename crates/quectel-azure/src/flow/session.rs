//! Publishes messages and waits for their acknowledgement.

use azure_auth::topics::{self, SystemProperty};
use quectel_at::{Command, Payload};
use quectel_mqtt::Delivery as WireDelivery;
use quectel_mqtt::{IN_FLIGHT, PacketId, PacketIds, PayloadError, QmtPub, QmtPubEx, Urc};

use super::{Note, Outcome, State, Turn};
use crate::context::{Context, Notice};
use crate::profile::PublishForm;
use crate::{Delivery, Message, MessageId, Misuse, Reason};

/// A message with its number.
pub(crate) struct Outgoing<'m> {
    pub(crate) id: MessageId,
    pub(crate) message: &'m Message<'m>,
}

/// One message on its way.
#[derive(Debug, Clone, Copy)]
struct InFlight {
    id: MessageId,
    /// `None` with QoS 0.
    packet_id: Option<PacketId>,
    expires_at: u64,
}

/// Connected: publish and receive.
#[derive(Debug, Default)]
pub(crate) struct Session {
    in_flight: [Option<InFlight>; IN_FLIGHT],
    packet_ids: PacketIds,
    /// The message whose command runs.
    sending: Option<usize>,
}

impl Session {
    pub(crate) fn is_free(&self) -> bool {
        self.sending.is_none() && self.in_flight.iter().any(Option::is_none)
    }

    /// Tells of each message on its way that it will not be acknowledged.
    pub(crate) fn give_up(&mut self, reason: Reason, cx: &mut Context<'_>) {
        for message in self.in_flight.iter_mut().filter_map(Option::take) {
            cx.tell(Notice::PublishFailed(message.id, reason));
        }
    }

    pub(crate) fn publish(
        &mut self,
        out: &Outgoing<'_>,
        turn: &mut Turn<'_, '_>,
    ) -> Result<(), Misuse> {
        if turn.link.is_busy() || self.sending.is_some() {
            return Err(Misuse::Busy);
        }
        let free = self
            .in_flight
            .iter()
            .position(Option::is_none)
            .ok_or(Misuse::Busy)?;
        let message = out.message;
        let announced = check(message, turn.cx)?;
        let packet_id = match message.delivery {
            Delivery::AtMostOnce => None,
            Delivery::AtLeastOnce => Some(self.packet_ids.take().ok_or(Misuse::Busy)?),
        };
        if let Err(error) = send(message, announced, packet_id, turn) {
            self.release(packet_id);
            return Err(error);
        }
        let limit = u64::from(turn.cx.config.timeouts.acknowledge_s) * 1_000;
        let expires_at = turn.cx.now.saturating_add(limit);
        if let Some(slot) = self.in_flight.get_mut(free) {
            *slot = Some(InFlight {
                id: out.id,
                packet_id,
                expires_at,
            });
        }
        self.sending = Some(free);
        Ok(())
    }

    fn release(&mut self, packet_id: Option<PacketId>) {
        if let Some(id) = packet_id {
            self.packet_ids.release(id);
        }
    }

    pub(crate) fn note(&mut self, note: Note<'_>, cx: &mut Context<'_>) {
        let Note::Urc(line) = note else { return };
        let Some(Urc::Pub(published) | Urc::PubEx(published)) = Urc::parse(line) else {
            return;
        };
        if published.client != cx.config.slots.mqtt || published.result.is_interim() {
            return;
        }
        // With QoS 0 several messages have the identifier 0; the module answers in order.
        let oldest = self
            .in_flight
            .iter_mut()
            .filter(|slot| {
                slot.is_some_and(|m| m.packet_id.map_or(0, PacketId::get) == published.msg_id)
            })
            .min_by_key(|slot| slot.map(|m| m.id.number()));
        let Some(message) = oldest.and_then(Option::take) else {
            return;
        };
        self.release(message.packet_id);
        if published.result.is_ok() {
            cx.tell(Notice::Published(message.id));
        } else {
            cx.evidence.set(line.bytes());
            cx.tell(Notice::PublishFailed(message.id, Reason::PublishFailed));
        }
    }

    pub(crate) fn advance(
        mut self,
        outcome: Outcome,
        turn: &mut Turn<'_, '_>,
    ) -> Result<State, Reason> {
        match outcome {
            Outcome::Done(result) => {
                let slot = self.sending.take().and_then(|n| self.in_flight.get_mut(n));
                if !result.is_ok()
                    && let Some(message) = slot.and_then(Option::take)
                {
                    self.release(message.packet_id);
                    turn.cx
                        .tell(Notice::PublishFailed(message.id, Reason::CommandRefused));
                }
            }
            Outcome::TimedOut => return Err(Reason::CommandTimeout),
            Outcome::Timer => self.expire(turn.cx),
            Outcome::Enter | Outcome::Noted => {}
        }
        turn.cx.timer = self
            .in_flight
            .iter()
            .flatten()
            .map(|message| message.expires_at)
            .min();
        Ok(State::Session(self))
    }

    fn expire(&mut self, cx: &mut Context<'_>) {
        for slot in &mut self.in_flight {
            if slot.is_some_and(|message| message.expires_at <= cx.now)
                && let Some(message) = slot.take()
            {
                if let Some(id) = message.packet_id {
                    self.packet_ids.release(id);
                }
                cx.tell(Notice::PublishFailed(message.id, Reason::PublishFailed));
            }
        }
    }
}

/// Whether the module can send the message; returns its length.
fn check(message: &Message<'_>, cx: &Context<'_>) -> Result<u16, Misuse> {
    let max = usize::from(cx.profile.max_payload);
    let len = message.payload.len();
    if message.properties.iter().any(|(name, _)| name.is_empty()) {
        return Err(Misuse::Property);
    }
    u16::try_from(len)
        .ok()
        .filter(|_| len <= max)
        .ok_or(Misuse::PayloadTooLong { len, max })
}

/// Sends the command in the form of the module's family.
fn send(
    message: &Message<'_>,
    announced: u16,
    packet_id: Option<PacketId>,
    turn: &mut Turn<'_, '_>,
) -> Result<(), Misuse> {
    let cx = &mut *turn.cx;
    let mut system = [(SystemProperty::ContentType, ""); 4];
    let system = system_properties(message, &mut system);
    let topic = topics::write_telemetry(&cx.identity, system, message.properties, cx.scratch)
        .map_err(|_| Misuse::DoesNotFit)?;
    let delivery = packet_id.map_or(WireDelivery::AtMostOnce, WireDelivery::AtLeastOnce);
    let client = cx.config.slots.mqtt;
    let (plain, extended);
    let command: &dyn Command = match cx.profile.publish {
        PublishForm::QmtPubExLength => {
            extended = QmtPubEx {
                client,
                delivery,
                retain: false,
                topic,
                length: announced,
            };
            &extended
        }
        form => {
            let length = (form == PublishForm::QmtPubLength).then_some(announced);
            plain = QmtPub {
                client,
                delivery,
                retain: false,
                topic,
                length,
            };
            plain.check(message.payload).map_err(|error| match error {
                PayloadError::ForbiddenByte { byte, .. } => Misuse::PayloadByte { byte },
                _ => Misuse::DoesNotFit,
            })?;
            &plain
        }
    };
    turn.link
        .send_with(cx.now, command, Payload::Copied(message.payload))
        .map_err(|_| Misuse::DoesNotFit)
}

fn system_properties<'m, 's>(
    message: &Message<'m>,
    room: &'s mut [(SystemProperty, &'m str); 4],
) -> &'s [(SystemProperty, &'m str)] {
    let given = [
        (SystemProperty::MessageId, message.message_id),
        (SystemProperty::CorrelationId, message.correlation_id),
        (SystemProperty::ContentType, message.content_type),
        (SystemProperty::ContentEncoding, message.content_encoding),
    ];
    let given = given
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    let mut count = 0;
    for (slot, property) in room.iter_mut().zip(given) {
        *slot = property;
        count += 1;
    }
    room.get(..count).unwrap_or_default()
}
