//! A hub in virtual time with a bare MQTT client, for the tests beside this folder.
#![allow(
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::unwrap_used,
    clippy::panic,
    clippy::expect_used,
    reason = "shared by several test programs, each of which uses a part"
)]

pub mod tls;

use iothub_sim::{
    Config, ConnectionId, Device, Event, Hub, Now, SharedAccessKey, TlsFacts, sas_token,
};
use mqtt311::{
    Connack, Connect, ConnectReturnCode, Decoder, Packet, PacketId, Publish, QoS, Subscribe,
    Subscription,
};

pub const HOST: &str = "contoso.azure-devices.net";
pub const START: u64 = 1_700_000_000;
pub const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub fn key() -> SharedAccessKey {
    KEY.parse().unwrap()
}

/// A hub with the device `dev1` of [`KEY`].
pub fn config() -> Config {
    Config::single_device(HOST, Device::with_key("dev1", key()))
}

/// A token of `dev1` that is valid for an hour from [`START`].
pub fn token() -> String {
    sas_token(&format!("{HOST}/devices/dev1"), &key(), START + 3600, None)
}

/// The CONNECT of `dev1`.
pub fn connect() -> Connect {
    Connect {
        clean_session: true,
        keep_alive_s: 60,
        client_id: "dev1".to_owned(),
        user_name: Some(format!("{HOST}/dev1/?api-version=2021-04-12")),
        password: Some(token().into_bytes()),
        ..Connect::default()
    }
}

pub fn persistent() -> Connect {
    Connect {
        clean_session: false,
        ..connect()
    }
}

pub fn id(value: u16) -> PacketId {
    PacketId::new(value).unwrap()
}

pub fn publish(topic: &str, payload: &str) -> Packet {
    Packet::Publish(Publish {
        topic: topic.to_owned(),
        payload: payload.as_bytes().to_vec(),
        ..Publish::default()
    })
}

pub fn publish_qos1(packet_id: u16, topic: &str, payload: &str) -> Packet {
    Packet::Publish(Publish {
        qos: QoS::AtLeastOnce,
        packet_id: Some(id(packet_id)),
        topic: topic.to_owned(),
        payload: payload.as_bytes().to_vec(),
        ..Publish::default()
    })
}

pub fn subscribe(packet_id: u16, filters: &[&str], qos: QoS) -> Packet {
    Packet::Subscribe(Subscribe {
        packet_id: id(packet_id),
        subscriptions: filters
            .iter()
            .map(|filter| Subscription {
                filter: (*filter).to_owned(),
                qos,
            })
            .collect(),
    })
}

pub const ACCEPTED: Packet = Packet::Connack(Connack {
    session_present: false,
    code: ConnectReturnCode::Accepted,
});
pub const RESUMED: Packet = Packet::Connack(Connack {
    session_present: true,
    code: ConnectReturnCode::Accepted,
});
pub const REFUSED: Packet = Packet::Connack(Connack {
    session_present: false,
    code: ConnectReturnCode::NotAuthorized,
});

pub struct World {
    pub hub: Hub,
    pub now: Now,
}

impl World {
    pub fn new(config: &Config) -> Self {
        Self {
            hub: Hub::new(config).unwrap(),
            now: Now {
                unix_s: START,
                monotonic_ms: 0,
            },
        }
    }

    pub fn open(&mut self) -> ConnectionId {
        self.hub.open(self.now, TlsFacts::default())
    }

    pub fn send(&mut self, connection: ConnectionId, packet: &Packet) {
        let bytes = packet.to_bytes().unwrap();
        self.hub.receive(self.now, connection, &bytes);
    }

    /// What the hub sends, and whether it closes.
    pub fn receive(&mut self, connection: ConnectionId) -> (Vec<Packet>, bool) {
        let mut bytes = Vec::new();
        let closed = self.hub.transmit(connection, &mut bytes);
        let mut decoder = Decoder::new(1 << 20);
        decoder.push(&bytes);
        let mut packets = Vec::new();
        while let Some(packet) = decoder.next_packet().unwrap() {
            packets.push(packet);
        }
        assert_eq!(decoder.buffered(), 0);
        (packets, closed)
    }

    /// Sends one packet on a fresh connection and tells what comes back.
    pub fn exchange(&mut self, connection: ConnectionId, packet: &Packet) -> (Vec<Packet>, bool) {
        self.send(connection, packet);
        self.receive(connection)
    }

    /// A connection whose CONNECT has been accepted.
    pub fn connected(&mut self, connect: &Connect) -> ConnectionId {
        let connection = self.open();
        let (packets, closed) = self.exchange(connection, &Packet::Connect(connect.clone()));
        assert!(
            matches!(packets.first(), Some(Packet::Connack(c)) if c.code == ConnectReturnCode::Accepted),
            "{packets:?} {:?}",
            self.hub.take_records()
        );
        assert!(!closed);
        connection
    }

    pub fn advance(&mut self, seconds: u64) {
        self.now.unix_s += seconds;
        self.now.monotonic_ms += seconds * 1000;
        self.hub.poll(self.now);
    }

    pub fn events(&mut self) -> Vec<Event> {
        let records = self.hub.take_records();
        records.into_iter().map(|record| record.event).collect()
    }

    /// Codes of the reasons for which connections were refused or ended.
    pub fn reasons(&mut self) -> Vec<&'static str> {
        self.events()
            .iter()
            .filter_map(|event| match event {
                Event::Refused(refusal) => Some(refusal.reason.code()),
                Event::Disconnected { reason, .. } => Some(reason.code()),
                _ => None,
            })
            .collect()
    }
}
