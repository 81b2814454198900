//! A running hub on a real socket.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use core::time::Duration;
use std::{
    io::{Read, Write},
    net::TcpStream,
};

use common::{
    ACCEPTED, HOST, KEY, START, config, connect, id, publish_qos1, subscribe, tls::TlsClient,
};
use iothub_sim::{
    Clock, CloudToDeviceMessage, Event, Fault, KeyKind, LocalHub, MethodCall, MethodOutcome, Pki,
    PkiOptions, Record, ServerOptions, StartError,
};
use mqtt311::{Decoder, Packet, QoS};
use rustls::{ClientConnection, StreamOwned};

const SOON: Duration = Duration::from_secs(10);

fn start() -> LocalHub {
    let mut options = PkiOptions::for_hosts([HOST]);
    options.key_kind = KeyKind::EcdsaP256;
    let pki = Pki::new(&options).unwrap();
    let mut options = ServerOptions::default();
    options.clock = Clock::StartingAt(START);
    LocalHub::start_with(&config(), &pki, &options).unwrap()
}

struct Client {
    tls: StreamOwned<ClientConnection, TcpStream>,
    decoder: Decoder,
}

impl Client {
    fn open(hub: &LocalHub) -> Self {
        let tcp = TcpStream::connect(hub.addr()).unwrap();
        tcp.set_read_timeout(Some(SOON)).unwrap();
        Self {
            tls: StreamOwned::new(TlsClient::new(hub.ca_pem(), START).connection(), tcp),
            decoder: Decoder::new(1 << 20),
        }
    }

    fn connected(hub: &LocalHub) -> Self {
        let mut client = Self::open(hub);
        client.send(&Packet::Connect(connect()));
        assert_eq!(client.receive(), Some(ACCEPTED));
        client
    }

    fn send(&mut self, packet: &Packet) {
        self.tls.write_all(&packet.to_bytes().unwrap()).unwrap();
        self.tls.flush().unwrap();
    }

    /// The next packet, or `None` at the end of the connection.
    fn receive(&mut self) -> Option<Packet> {
        loop {
            if let Some(packet) = self.decoder.next_packet().unwrap() {
                return Some(packet);
            }
            let mut chunk = [0; 4096];
            match self.tls.read(&mut chunk) {
                Ok(0) => return None,
                Ok(n) => self.decoder.push(&chunk[..n]),
                Err(error) => panic!("{error}"),
            }
        }
    }
}

fn ended(record: &Record) -> Option<&'static str> {
    match &record.event {
        Event::Disconnected { reason, .. } => Some(reason.code()),
        _ => None,
    }
}

#[test]
fn telemetry_goes_up_and_a_message_comes_down() {
    let hub = start();
    assert_eq!(
        hub.connection_string("dev1").unwrap(),
        format!("HostName={HOST};DeviceId=dev1;SharedAccessKey={KEY}")
    );
    assert_eq!(hub.connection_string("dev2"), None);
    let records = hub.records();
    let mut client = Client::connected(&hub);
    client.send(&subscribe(
        1,
        &["devices/dev1/messages/devicebound/#"],
        QoS::AtLeastOnce,
    ));
    assert!(matches!(client.receive(), Some(Packet::Suback(_))));
    client.send(&publish_qos1(2, "devices/dev1/messages/events/a=1", "up"));
    assert_eq!(client.receive(), Some(Packet::Puback(id(2))));
    let telemetry = hub.wait_for(SOON, |record| match &record.event {
        Event::Telemetry(telemetry) => Some(telemetry.payload.clone()),
        _ => None,
    });
    assert_eq!(telemetry, Some(b"up".to_vec()));
    hub.send_to_device("dev1", CloudToDeviceMessage::new("down"))
        .unwrap();
    let Some(Packet::Publish(publish)) = client.receive() else {
        panic!("no message");
    };
    assert_eq!(publish.payload, b"down");
    client.send(&Packet::Puback(publish.packet_id.unwrap()));
    client.send(&Packet::Disconnect);
    assert_eq!(hub.wait_for(SOON, ended), Some("disconnect"));
    hub.stop();
    let kinds: Vec<String> = records.iter().map(|record| record.to_string()).collect();
    assert_eq!(kinds.len(), 5, "{kinds:#?}");
    assert!(
        kinds[0].contains("connected #1 contoso.azure-devices.net/dev1"),
        "{kinds:#?}"
    );
}

#[test]
fn refusals_are_listed() {
    let hub = start();
    let mut plain = TcpStream::connect(hub.addr()).unwrap();
    plain.write_all(b"\x10\x00").unwrap();
    assert_eq!(plain.read(&mut [0; 16]).unwrap(), 0);
    let mut client = Client::open(&hub);
    client.send(&Packet::Pingreq);
    assert_eq!(client.receive(), None);
    let codes: Vec<_> = hub
        .refused()
        .iter()
        .map(|refusal| refusal.reason.code())
        .collect();
    assert_eq!(codes, ["not-tls", "not-connect"]);
}

#[test]
fn a_client_that_leaves_during_the_handshake_is_mentioned() {
    let hub = start();
    drop(TcpStream::connect(hub.addr()).unwrap());
    let mut stream = TcpStream::connect(hub.addr()).unwrap();
    stream.write_all(&[22, 3, 1, 0, 200, 1]).unwrap();
    drop(stream);
    let reason = hub.wait_for(SOON, |record| match &record.event {
        Event::Refused(refusal) => Some(refusal.reason.to_string()),
        _ => None,
    });
    assert!(reason.unwrap().contains("left in the middle"));
    assert_eq!(hub.refused().len(), 1, "who says nothing is not refused");
}

#[test]
fn the_clock_can_be_moved() {
    let hub = start();
    let mut client = Client::connected(&hub);
    hub.advance_clock(3600);
    assert_eq!(client.receive(), None);
    assert_eq!(hub.wait_for(SOON, ended), Some("keep-alive"));
}

#[test]
fn methods_and_twins_wait_for_the_device() {
    let hub = start();
    let mut client = Client::connected(&hub);
    let filters = [
        "$iothub/methods/POST/#",
        "$iothub/twin/PATCH/properties/desired/#",
    ];
    client.send(&subscribe(1, &filters, QoS::AtMostOnce));
    assert!(matches!(client.receive(), Some(Packet::Suback(_))));
    let device = std::thread::spawn(move || {
        let Some(Packet::Publish(request)) = client.receive() else {
            panic!("no call");
        };
        let (_, rid) = request.topic.split_once("?$rid=").unwrap();
        client.send(&publish_qos1(
            2,
            &format!("$iothub/methods/res/200/?$rid={rid}"),
            "{}",
        ));
        assert_eq!(client.receive(), Some(Packet::Puback(id(2))));
        let patch = client.receive();
        (client, patch)
    });
    let outcome = hub.invoke_method("dev1", MethodCall::new("blink")).unwrap();
    let payload = b"{}".to_vec();
    assert_eq!(
        outcome,
        MethodOutcome::Response {
            status: 200,
            payload
        }
    );
    assert_eq!(hub.update_desired("dev1", "{\"a\":1}"), Ok(2));
    let (mut client, patch) = device.join().unwrap();
    let Some(Packet::Publish(patch)) = patch else {
        panic!("no patch");
    };
    assert_eq!(patch.payload, br#"{"$version":2,"a":1}"#);
    assert_eq!(hub.twin("dev1").unwrap().desired.version, 2);
    assert!(hub.update_desired("dev1", "[").is_err());
    assert!(hub.twin("dev2").is_none());
    hub.inject("dev1", Fault::Drop).unwrap();
    assert_eq!(client.receive(), None);
    assert_eq!(hub.wait_for(SOON, ended), Some("on-request"));
}

#[test]
fn a_second_connection_takes_over() {
    let hub = start();
    let mut first = Client::connected(&hub);
    let mut second = Client::connected(&hub);
    assert_eq!(first.receive(), None);
    second.send(&Packet::Pingreq);
    assert_eq!(second.receive(), Some(Packet::Pingresp));
}

#[test]
fn a_slow_handshake_still_succeeds() {
    let mut options = PkiOptions::for_hosts([HOST]);
    options.key_kind = KeyKind::EcdsaP256;
    let pki = Pki::new(&options).unwrap();
    let mut options = ServerOptions::default();
    options.clock = Clock::StartingAt(START);
    options.handshake_delay = Duration::from_millis(300);
    let hub = LocalHub::start_with(&config(), &pki, &options).unwrap();
    let begun = std::time::Instant::now();
    Client::connected(&hub);
    assert!(begun.elapsed() >= Duration::from_millis(300));
}

#[test]
fn stopping_closes_connections_and_frees_the_port() {
    let hub = start();
    let addr = hub.addr();
    let mut client = Client::connected(&hub);
    let _handshaking = TcpStream::connect(addr).unwrap();
    hub.stop();
    assert_eq!(client.receive(), None);

    let mut options = ServerOptions::default();
    options.listen = addr;
    let pki = Pki::new(&PkiOptions::for_hosts([HOST])).unwrap();
    let again = LocalHub::start_with(&config(), &pki, &options).unwrap();
    match LocalHub::start_with(&config(), &pki, &options) {
        Err(StartError::Listen { address, .. }) => assert_eq!(address, addr),
        other => panic!("{other:?}"),
    }
    drop(again);
}
