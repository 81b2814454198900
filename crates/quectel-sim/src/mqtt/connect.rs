//! CONNECT and its answer, and the stream of packets from the server.

use mqtt311::{Connack, Connect, ConnectReturnCode, Packet, Protocol, QoS, Will};

use super::{FlightKind, Patience};
use crate::module::{Group, Module, MqttState};

impl Module {
    /// `AT+QMTCONN` after its `OK`.
    pub(crate) fn connect_mqtt(
        &mut self,
        at: u8,
        client_id: String,
        user: Option<String>,
        password: Option<Vec<u8>>,
    ) {
        let number = |name: &str| self.item_number(Group::Mqtt, name, at, 0);
        let connect = Connect {
            protocol: if number("version") == 3 {
                Protocol::V31
            } else {
                Protocol::V311
            },
            clean_session: number("session") == 1,
            keep_alive_s: u16::try_from(number("keepalive")).unwrap_or(0),
            client_id,
            will: self.will(at),
            user_name: user,
            password,
        };
        let packet = Packet::Connect(connect);
        let patience = self.patience(at);
        let now = self.now;
        if !self.send_packet(at, &packet) {
            self.urc(format!("+QMTCONN: {at},2"));
            return self.end_client(at, 3);
        }
        let Some(client) = self.client_mut(at) else {
            return;
        };
        client.state = MqttState::Connecting;
        client.connect_started_ms = now;
        self.wait_for_connack(at, patience, 0);
    }

    fn wait_for_connack(&mut self, at: u8, patience: Patience, tries: u64) {
        let timer = self.after_exactly(patience.packet_ms, move |module| {
            if tries < patience.retries {
                if patience.notice {
                    module.urc(format!("+QMTCONN: {at},1"));
                }
                // A second CONNECT on the same connection is a protocol violation, so the module only waits longer.
                module.wait_for_connack(at, patience, tries + 1);
            } else {
                module.urc(format!("+QMTCONN: {at},2"));
                module.end_client(at, 4);
            }
        });
        if let Some(client) = self.client_mut(at) {
            client.connect_timer = Some(timer);
        }
    }

    fn will(&self, at: u8) -> Option<Will> {
        for name in ["willex", "will"] {
            let values = self.item_values(Group::Mqtt, name, at);
            if values.first().and_then(crate::at::Arg::number) == Some(1) {
                let [_, qos, retain, topic, message] = values.as_slice() else {
                    continue;
                };
                let qos = qos
                    .number()
                    .and_then(|n| u8::try_from(n).ok())
                    .and_then(QoS::from_wire);
                return Some(Will {
                    topic: topic.string(),
                    payload: message.text.clone(),
                    qos: qos.unwrap_or(QoS::AtMostOnce),
                    retain: retain.number() == Some(1),
                });
            }
        }
        None
    }

    /// Bytes of the server.
    pub(crate) fn mqtt_data(&mut self, at: u8, data: &[u8]) {
        let Some(client) = self.client_mut(at) else {
            return;
        };
        if client.hold {
            client.held.extend_from_slice(data);
            return;
        }
        client.decoder.push(data);
        self.mqtt_packets(at);
    }

    fn mqtt_packets(&mut self, at: u8) {
        loop {
            let Some(client) = self.client_mut(at).filter(|c| !c.hold) else {
                return;
            };
            match client.decoder.next_packet() {
                Ok(Some(packet)) => self.mqtt_packet(at, packet),
                Ok(None) => return,
                Err(error) => {
                    self.remark(&format!("MQTT client {at}: {error}"));
                    return self.end_client(at, 1);
                }
            }
        }
    }

    fn mqtt_packet(&mut self, at: u8, packet: Packet) {
        match packet {
            Packet::Connack(connack) => self.connack(at, connack),
            Packet::Publish(publish) => self.publish_received(at, publish),
            Packet::Pubrel(id) => self.publish_released(at, id),
            Packet::Puback(id) => self.acknowledged(at, id.get(), FlightKind::Publish1, ""),
            Packet::Pubrec(id) => self.publish_taken_over(at, id),
            Packet::Pubcomp(id) => self.acknowledged(at, id.get(), FlightKind::Release, ""),
            Packet::Suback(suback) => {
                let codes: Vec<String> = suback
                    .codes
                    .iter()
                    .map(|code| code.to_wire().to_string())
                    .collect();
                let granted = format!(",{}", codes.join(","));
                self.acknowledged(at, suback.packet_id.get(), FlightKind::Subscribe, &granted);
            }
            Packet::Unsuback(id) => self.acknowledged(at, id.get(), FlightKind::Unsubscribe, ""),
            Packet::Pingresp => {
                if let Some(client) = self.client_mut(at) {
                    client.pings_unanswered = 0;
                }
            }
            Packet::Connect(_)
            | Packet::Subscribe(_)
            | Packet::Unsubscribe(_)
            | Packet::Pingreq
            | Packet::Disconnect => {
                self.remark(&format!(
                    "MQTT client {at}: a server does not send {}",
                    packet.name()
                ));
                self.end_client(at, 1);
            }
        }
    }

    /// The answer to CONNECT takes effect when hardware would show it.
    fn connack(&mut self, at: u8, connack: Connack) {
        let Some(client) = self
            .client_mut(at)
            .filter(|c| c.state == MqttState::Connecting)
        else {
            return;
        };
        client.hold = true;
        let timer = client.connect_timer.take();
        let (started, socket) = (client.connect_started_ms, client.socket);
        self.cancel(timer);
        let due = (started + self.scaled(self.profile.timing.connect_ms)).saturating_sub(self.now);
        self.after_exactly(due, move |module| {
            if module
                .client(at)
                .is_some_and(|c| c.socket == socket && c.state == MqttState::Connecting)
            {
                let refused = module.faults.refuse_connect.take();
                let refused = refused.and_then(ConnectReturnCode::from_wire);
                module.connack_now(at, refused.unwrap_or(connack.code));
            }
        });
    }

    fn connack_now(&mut self, at: u8, code: ConnectReturnCode) {
        if code != ConnectReturnCode::Accepted {
            self.urc(format!("+QMTCONN: {at},0,{}", code.to_wire()));
            return self.end_client(at, 4);
        }
        let Some(client) = self.client_mut(at) else {
            return;
        };
        client.state = MqttState::Connected;
        client.hold = false;
        let closed = client.closed_after_connack;
        let held = core::mem::take(&mut client.held);
        let ret = if self.profile.mqtt.conn_ret { ",0" } else { "" };
        self.urc(format!("+QMTCONN: {at},0{ret}"));
        self.plan_ping(at);
        if let Some(client) = self.client_mut(at) {
            client.decoder.push(&held);
        }
        self.mqtt_packets(at);
        if closed {
            self.end_client(at, 1);
        }
    }
}
