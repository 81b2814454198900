//! Messages from the server: acknowledged at once, shown as the receive mode says.

use mqtt311::{Packet, PacketId, Publish, QoS};

use crate::module::{Group, Module};

/// A message in a receive slot.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) id: u16,
    pub(crate) topic: String,
    pub(crate) payload: Vec<u8>,
}

impl Module {
    pub(super) fn publish_received(&mut self, at: u8, publish: Publish) {
        let id = publish.packet_id;
        match (publish.qos, id) {
            (QoS::AtLeastOnce, Some(id)) => {
                self.send_packet(at, &Packet::Puback(id));
            }
            (QoS::ExactlyOnce, Some(id)) => {
                self.send_packet(at, &Packet::Pubrec(id));
                let known = self
                    .client_mut(at)
                    .is_some_and(|c| !c.received_ids.insert(id.get()));
                if known {
                    return;
                }
            }
            _ => {}
        }
        let message = Message {
            id: id.map_or(0, PacketId::get),
            topic: publish.topic,
            payload: publish.payload,
        };
        self.deliver(at, message);
    }

    pub(super) fn publish_released(&mut self, at: u8, id: PacketId) {
        if let Some(client) = self.client_mut(at) {
            client.received_ids.remove(&id.get());
        }
        self.send_packet(at, &Packet::Pubcomp(id));
    }

    fn deliver(&mut self, at: u8, message: Message) {
        if self.item_number(Group::Mqtt, "recv/mode", at, 0) == 0 {
            let text = self.message_text(at, &message);
            self.urc(text);
            return;
        }
        let Some(client) = self.client_mut(at) else {
            return;
        };
        let free = client
            .slots
            .iter_mut()
            .enumerate()
            .find(|(_, slot)| slot.is_none());
        let Some((place, slot)) = free else {
            self.remark(&format!(
                "MQTT client {at}: all receive slots are full, a message is lost"
            ));
            return;
        };
        *slot = Some(message);
        self.urc(format!("+QMTRECV: {at},{place}"));
    }

    /// `+QMTRECV: <idx>,<msgid>,"<topic>"[,<len>],"<payload>"`
    pub(crate) fn message_text(&self, at: u8, message: &Message) -> Vec<u8> {
        let hex = self.item_number(Group::Mqtt, "dataformat", at, 1) == 1;
        let payload = if hex {
            message
                .payload
                .iter()
                .flat_map(|b| format!("{b:02X}").into_bytes())
                .collect()
        } else {
            message.payload.clone()
        };
        let newline = self.profile.mqtt.receive_newline;
        let with_length = newline || self.item_number(Group::Mqtt, "recv/mode", at, 1) == 1;
        let mut text = format!("+QMTRECV: {at},{},\"{}\"", message.id, message.topic).into_bytes();
        if with_length {
            text.extend(format!(",{}", payload.len()).into_bytes());
        }
        if newline {
            text.extend(b"\r\n");
            text.extend(payload);
            return text;
        }
        let quote: &[u8] = if self.profile.mqtt.receive_quotes {
            b"\""
        } else {
            b""
        };
        text.push(b',');
        text.extend(quote);
        text.extend(payload);
        text.extend(quote);
        text
    }
}
