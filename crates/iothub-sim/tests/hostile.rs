//! Hostile clients: they cost little and disturb nobody.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use core::time::Duration;
use std::{
    io::{Read, Write},
    net::TcpStream,
};

use common::{
    ACCEPTED, HOST, START, World, config, connect, id, publish_qos1, subscribe, tls::TlsClient,
};
use iothub_sim::{
    Clock, CloudToDeviceMessage, Config, Device, Hub, IotHub, KeyKind, LocalHub, Now, Pki,
    PkiOptions, ServerOptions, TlsHub, TlsOptions, TlsServer, sas_token,
};
use mqtt311::{Connect, Packet, QoS};
use proptest::{collection::vec, prelude::*};
use rustls::{ClientConnection, StreamOwned};

fn pki() -> Pki {
    let mut options = PkiOptions::for_hosts([HOST]);
    options.key_kind = KeyKind::EcdsaP256;
    Pki::new(&options).unwrap()
}

fn two_devices() -> Config {
    let hub = IotHub::new(HOST)
        .with_device(Device::with_key("dev1", common::key()))
        .with_device(Device::with_key("greedy", common::key()));
    Config::new([hub])
}

type Client = StreamOwned<ClientConnection, TcpStream>;

fn dial(hub: &LocalHub) -> Client {
    let tcp = TcpStream::connect(hub.addr()).unwrap();
    tcp.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    StreamOwned::new(TlsClient::new(hub.ca_pem(), START).connection(), tcp)
}

fn send(client: &mut Client, packet: &Packet) {
    client.write_all(&packet.to_bytes().unwrap()).unwrap();
}

fn expect(client: &mut Client, packet: &Packet) {
    let expected = packet.to_bytes().unwrap();
    let mut got = vec![0; expected.len()];
    client.read_exact(&mut got).unwrap();
    assert_eq!(got, expected);
}

#[test]
fn a_good_device_among_bad_ones() {
    let mut options = ServerOptions::default();
    options.clock = Clock::StartingAt(START);
    let hub = LocalHub::start_with(&two_devices(), &pki(), &options).unwrap();
    let mut good = dial(&hub);
    send(&mut good, &Packet::Connect(connect()));
    expect(&mut good, &ACCEPTED);

    let mut kept = Vec::new();
    for n in 0..200_u32 {
        let mut tcp = TcpStream::connect(hub.addr()).unwrap();
        match n % 4 {
            // Half open, half a record, no TLS at all.
            0 => {}
            1 => tcp.write_all(&[22, 3, 1, 255, 255, 1]).unwrap(),
            2 => tcp.write_all(b"GET / HTTP/1.1\r\n").unwrap(),
            _ => {
                let _ = tcp.write_all(&vec![22; 100_000]);
            }
        }
        kept.push(tcp);
    }
    let mut inside = Vec::new();
    for bytes in [
        &b""[..],
        b"\x10",
        b"\x10\xff\xff\xff\x7f",
        b"\x30\xff\xff\xff\xff\xff",
        b"\x10\x80\x80\x02\x00\x04MQTT\x04\x02\x00\x3c",
    ] {
        let mut client = dial(&hub);
        client.write_all(bytes).unwrap();
        client.flush().unwrap();
        inside.push(client);
    }
    // Subscribed, flooded with messages, and never reading.
    let mut greedy = dial(&hub);
    send(
        &mut greedy,
        &Packet::Connect(Connect {
            client_id: "greedy".to_owned(),
            user_name: Some(format!("{HOST}/greedy/?api-version=2021-04-12")),
            password: Some(
                sas_token(
                    &format!("{HOST}/devices/greedy"),
                    &common::key(),
                    START + 60,
                    None,
                )
                .into_bytes(),
            ),
            ..connect()
        }),
    );
    send(
        &mut greedy,
        &subscribe(
            1,
            &["devices/greedy/messages/devicebound/#"],
            QoS::AtMostOnce,
        ),
    );
    for _ in 0..300 {
        let _ = hub.send_to_device("greedy", CloudToDeviceMessage::new(vec![7; 60_000]));
    }

    // Each answer has a time limit of its own.
    for n in 1..=200 {
        send(
            &mut good,
            &publish_qos1(n, "devices/dev1/messages/events/", "still here"),
        );
        expect(&mut good, &Packet::Puback(id(n)));
    }
    // Whoever was not TLS, or not MQTT, has been told apart.
    let refused = hub.refused();
    let count = |code: &str| refused.iter().filter(|r| r.reason.code() == code).count();
    assert_eq!(count("not-tls"), 50);
    assert!(
        count("message-size") >= 1 && count("malformed") >= 1,
        "{refused:?}"
    );
    drop((kept, inside));
    hub.stop();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// Whatever an accepted client sends, the hub goes on, and serves the next one.
    #[test]
    fn any_bytes_after_connect(chunks in vec(vec(any::<u8>(), 0..200), 0..10)) {
        let mut world = World::new(&config());
        let connection = world.connected(&connect());
        for chunk in &chunks {
            world.hub.receive(world.now, connection, chunk);
        }
        world.advance(100_000);
        let next = world.connected(&Connect {
            password: Some(sas_token(&format!("{HOST}/devices/dev1"), &common::key(), u64::MAX / 2, None).into_bytes()),
            ..connect()
        });
        prop_assert_eq!(world.exchange(next, &Packet::Pingreq), (vec![Packet::Pingresp], false));
    }

    /// Topics and payloads that are nearly right.
    #[test]
    fn any_topic(topic in "(devices/dev1/messages/events/|\\$iothub/(twin/GET/|twin/PATCH/properties/reported/|methods/res/))?[^\0]{0,60}", body in vec(any::<u8>(), 0..80)) {
        let mut world = World::new(&config());
        let connection = world.connected(&connect());
        world.exchange(connection, &subscribe(1, &["$iothub/twin/res/#"], QoS::AtMostOnce));
        let packet = Packet::Publish(mqtt311::Publish {
            topic,
            payload: body,
            ..mqtt311::Publish::default()
        });
        let (packets, closed) = world.exchange(connection, &packet);
        prop_assert!(packets.len() <= 1);
        prop_assert_eq!(world.reasons().is_empty(), !closed);
    }

    /// Anything in the place of user name, client id and password.
    #[test]
    fn any_connect(user in "[^\0]{0,80}", client_id in "[^\0]{0,30}", password in vec(any::<u8>(), 0..120)) {
        let mut world = World::new(&config());
        let connection = world.open();
        let connect = Connect {
            user_name: Some(user),
            client_id,
            password: Some(password),
            ..connect()
        };
        let (_, closed) = world.exchange(connection, &Packet::Connect(connect));
        prop_assert!(closed);
        prop_assert_eq!(world.reasons().len(), 1);
    }

    #[test]
    fn any_bytes_instead_of_tls(first in prop_oneof![Just(22_u8), any::<u8>()], rest in vec(any::<u8>(), 0..300)) {
        let tls = SHARED.with(|pki| TlsServer::new(pki.server_chain(), &TlsOptions::default()));
        let mut hub = TlsHub::new(Hub::new(&config()).unwrap(), tls.unwrap());
        let now = Now { unix_s: START, monotonic_ms: 0 };
        let link = hub.connect(now);
        hub.receive(now, link, &[first]);
        hub.receive(now, link, &rest);
        let closed = hub.transmit(link, &mut Vec::new());
        let refused = hub.hub().take_records().len();
        prop_assert_eq!(closed, refused == 1);
    }
}

thread_local! {
    static SHARED: Pki = pki();
}
