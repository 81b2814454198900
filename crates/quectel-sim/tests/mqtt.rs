//! The module's MQTT clients against a small broker in virtual time.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::{
    config,
    world::{Broker, Listener, World},
};
use mqtt311::{ConnectReturnCode, Packet, PacketId, Protocol, Publish, QoS};
use quectel_sim::{MqttState, PowerState, Timing};

fn world_with(profile: &str, broker: Broker) -> World {
    let setup = config(profile)
        .timing(Timing::Fast)
        .power(PowerState::Ready)
        .nonvolatile("urcport", "uart1");
    let mut world = World::new(setup);
    world.listen(
        "broker",
        1883,
        Listener {
            broker,
            ..Listener::default()
        },
    );
    world.send("ATE0\r");
    world.send("AT+QIACT=1\r");
    world
}

fn world(profile: &str) -> World {
    world_with(profile, Broker::default())
}

/// A connected client 0.
fn connected(profile: &str, broker: Broker, settings: &[&str]) -> World {
    let mut world = world_with(profile, broker);
    for setting in settings {
        world.ok(setting);
    }
    assert_eq!(
        world.send("AT+QMTOPEN=0,\"broker\",1883\r"),
        "\\r\\nOK\\r\\n\\r\\n+QMTOPEN: 0,0\\r\\n"
    );
    assert_eq!(
        world.send("AT+QMTCONN=0,\"id\",\"u\",\"p\"\r"),
        "\\r\\nOK\\r\\n\\r\\n+QMTCONN: 0,0,0\\r\\n"
    );
    world
}

fn state(world: &World) -> MqttState {
    world.bench.module.state().mqtt[0]
}

const OK: &str = "\\r\\nOK\\r\\n";

#[test]
fn byte_recipes() {
    // Section 9.3 of the notes.
    let mut w = connected("bg96@BG96MAR02A07M1G", Broker::default(), &[]);
    assert_eq!(w.send("AT+QMTPUB=0,1,1,0,\"t\"\r"), "\\r\\n> ");
    assert_eq!(
        w.send("hello\x1a"),
        format!("{OK}\\r\\n+QMTPUB: 0,1,0\\r\\n")
    );
    assert_eq!(
        w.send("AT+QMTSUB=0,2,\"t\",1\r"),
        format!("{OK}\\r\\n+QMTSUB: 0,2,0,1\\r\\n")
    );
    assert_eq!(
        w.send("AT+QMTUNS=0,3,\"t\"\r"),
        format!("{OK}\\r\\n+QMTUNS: 0,3,0\\r\\n")
    );
    assert_eq!(
        w.send("AT+QMTCONN?\r"),
        "\\r\\n+QMTCONN: 0,3\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        w.send("AT+QMTOPEN?\r"),
        "\\r\\n+QMTOPEN: 0,\"broker\",1883\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        w.send("AT+QMTDISC=0\r"),
        format!("{OK}\\r\\n+QMTDISC: 0,0\\r\\n")
    );
    assert_eq!(w.send("AT+QMTCONN?\r"), OK);

    let mut w = connected("ec25", Broker::default(), &[]);
    assert_eq!(w.send("AT+QMTPUBEX=0,1,1,0,\"t\",5\r"), "\\r\\n> ");
    assert_eq!(w.send("hello"), format!("{OK}\\r\\n+QMTPUBEX: 0,1,0\\r\\n"));
    assert_eq!(w.send("AT+QMTPUBEX=0,1,1,0,\"t\"\r"), "\\r\\nERROR\\r\\n");
    assert_eq!(
        w.send("AT+QMTPUBEX=0,1,1,0,\"t\",\"hello\"\r"),
        "\\r\\nERROR\\r\\n"
    );

    let mut w = connected("bg95", Broker::default(), &[]);
    assert_eq!(
        w.send("AT+QMTPUBEX=0,1,1,0,\"t\",\"hello\"\r"),
        format!("{OK}\\r\\n+QMTPUB: 0,1,0\\r\\n")
    );
    assert_eq!(w.send("AT+QMTPUB=0,2,1,0,\"t\",5\r"), "\\r\\n> ");
    // The count decides: Ctrl-Z inside is data, and one after it is harmless.
    assert_eq!(
        w.send("a\x1ab\x1bc\r\n"),
        format!("{OK}\\r\\n+QMTPUB: 0,2,0\\r\\n")
    );
    let Some(Packet::Publish(publish)) = w.packets.last() else {
        panic!("no publish")
    };
    assert_eq!(publish.payload, b"a\x1ab\x1bc");
    assert_eq!(w.send("AT\r"), OK);
}

#[test]
fn prompts() {
    let mut w = connected("bg96@BG96MAR02A07M1G", Broker::default(), &[]);
    w.ok("ATE1");
    assert_eq!(
        w.send("AT+QMTPUB=0,0,0,0,\"t\"\r"),
        "AT+QMTPUB=0,0,0,0,\"t\"\\r\\r\\n> "
    );
    assert_eq!(
        w.send("0123\x1a"),
        format!("0123{OK}\\r\\n+QMTPUB: 0,0,0\\r\\n")
    );
    assert_eq!(
        w.send("AT+QMTPUB=0,0,0,0,\"t\"\r"),
        "AT+QMTPUB=0,0,0,0,\"t\"\\r\\r\\n> "
    );
    assert_eq!(w.send("abc\x1b"), format!("abc{OK}"));
    // A length is an error on this firmware (TinyGSM and others send one).
    assert!(
        w.send("AT+QMTPUB=0,0,0,0,\"t\",3\r")
            .ends_with("\\r\\nERROR\\r\\n")
    );
    w.ok("ATE0");
    w.send("AT+QMTPUB=0,0,0,0,\"t\"\r");
    w.send(vec![b'x'; 2000]);
    w.send("\x1a");
    let Some(Packet::Publish(publish)) = w.packets.last() else {
        panic!("no publish")
    };
    assert_eq!(publish.payload.len(), 1548);
}

#[test]
fn urcs_wait_for_a_prompt_to_end() {
    let mut w = connected("bg96", Broker::default(), &[]);
    assert_eq!(w.send("AT+QMTPUB=0,0,0,0,\"t\",4\r"), "\\r\\n> ");
    let message = Packet::Publish(Publish {
        topic: "d".to_owned(),
        payload: b"x".to_vec(),
        ..Publish::default()
    });
    assert_eq!(w.push(&message), "");
    assert_eq!(w.send("ab"), "");
    assert_eq!(
        w.send("cd"),
        format!("{OK}\\r\\n+QMTRECV: 0,0,\"d\",\"x\"\\r\\n\\r\\n+QMTPUB: 0,0,0\\r\\n")
    );
}

#[test]
fn receive_modes() {
    let message = |payload: &[u8]| {
        Packet::Publish(Publish {
            topic: "t".to_owned(),
            payload: payload.to_vec(),
            ..Publish::default()
        })
    };
    let mut w = connected(
        "ec25",
        Broker::default(),
        &["AT+QMTCFG=\"recv/mode\",0,0,0"],
    );
    assert_eq!(
        w.push(&message(b"x")),
        "\\r\\n+QMTRECV: 0,0,\"t\",\"x\"\\r\\n"
    );
    let mut w = connected(
        "ec25",
        Broker::default(),
        &["AT+QMTCFG=\"recv/mode\",0,0,1"],
    );
    assert_eq!(
        w.push(&message(b"a\r\nOK\r\n\"")),
        "\\r\\n+QMTRECV: 0,0,\"t\",8,\"a\\r\\nOK\\r\\n\"\"\\r\\n"
    );
    let mut w = connected(
        "ec25",
        Broker::default(),
        &["AT+QMTCFG=\"recv/mode\",0,1,0"],
    );
    assert_eq!(w.push(&message(b"x")), "\\r\\n+QMTRECV: 0,0\\r\\n");
    assert_eq!(w.push(&message(b"y")), "\\r\\n+QMTRECV: 0,1\\r\\n");
    assert_eq!(
        w.send("AT+QMTRECV?\r"),
        "\\r\\n+QMTRECV: 0,1,1,0,0,0\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        w.send("AT+QMTRECV=0,0\r"),
        "\\r\\n+QMTRECV: 0,0,\"t\",\"x\"\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(w.send("AT+QMTRECV=0,0\r"), OK);
    assert_eq!(
        w.send("AT+QMTRECV=0\r"),
        "\\r\\n+QMTRECV: 0,0,\"t\",\"y\"\\r\\n\\r\\nOK\\r\\n"
    );
    for slot in 0..5 {
        assert_eq!(
            w.push(&message(b"z")),
            format!("\\r\\n+QMTRECV: 0,{slot}\\r\\n")
        );
    }
    assert_eq!(w.push(&message(b"lost")), "");
    assert_eq!(w.send("AT+QMTRECV=0,5\r"), "\\r\\nERROR\\r\\n");
    let mut w = connected(
        "ec25",
        Broker::default(),
        &["AT+QMTCFG=\"recv/mode\",0,1,1"],
    );
    w.push(&message(b"x"));
    assert_eq!(
        w.send("AT+QMTRECV=0,0\r"),
        "\\r\\n+QMTRECV: 0,0,\"t\",1,\"x\"\\r\\n\\r\\nOK\\r\\n"
    );
}

#[test]
fn stored_messages_outlive_their_connection() {
    let mut w = connected(
        "ec25",
        Broker::default(),
        &["AT+QMTCFG=\"recv/mode\",0,1,0"],
    );
    w.push(&Packet::Publish(Publish {
        topic: "t".to_owned(),
        payload: b"x".to_vec(),
        ..Publish::default()
    }));
    w.push(&Packet::Publish(Publish {
        topic: "t".to_owned(),
        payload: b"y".to_vec(),
        ..Publish::default()
    }));
    w.send("AT+QMTCLOSE=0\r");
    w.wait(1_000);
    assert_eq!(
        w.send("AT+QMTRECV=0,1\r"),
        "\\r\\n+QMTRECV: 0,0,\"t\",\"y\"\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(w.send("AT+QMTRECV=0,1\r"), OK);
    // The next connection begins with empty slots.
    w.ok("AT+QMTOPEN=0,\"broker\",1883");
    assert_eq!(w.send("AT+QMTRECV=0\r"), OK);
}

#[test]
fn received_messages_are_acknowledged() {
    let mut w = connected("bg95", Broker::default(), &[]);
    let message = |qos, dup| {
        let packet_id = PacketId::new(9);
        Packet::Publish(Publish {
            topic: "t".to_owned(),
            payload: b"x".to_vec(),
            qos,
            dup,
            packet_id,
            retain: false,
        })
    };
    assert_eq!(
        w.push(&message(QoS::AtLeastOnce, false)),
        "\\r\\n+QMTRECV: 0,9,\"t\",\"x\"\\r\\n"
    );
    assert_eq!(w.packets.last().map(Packet::name), Some("PUBACK"));
    assert_eq!(
        w.push(&message(QoS::ExactlyOnce, false)),
        "\\r\\n+QMTRECV: 0,9,\"t\",\"x\"\\r\\n"
    );
    assert_eq!(w.packets.last().map(Packet::name), Some("PUBREC"));
    assert_eq!(w.push(&message(QoS::ExactlyOnce, true)), "");
    assert_eq!(w.push(&Packet::Pubrel(PacketId::new(9).unwrap())), "");
    assert_eq!(w.packets.last().map(Packet::name), Some("PUBCOMP"));
}

#[test]
fn what_connect_says() {
    let cases: &[(&str, &[&str], Protocol, bool, u16)] = &[
        ("bg96", &[], Protocol::V31, true, 120),
        (
            "bg96",
            &["AT+QMTCFG=\"version\",0,4"],
            Protocol::V311,
            true,
            120,
        ),
        (
            "ec25",
            &["AT+QMTCFG=\"session\",0,0", "AT+QMTCFG=\"keepalive\",0,30"],
            Protocol::V31,
            false,
            30,
        ),
    ];
    for (profile, settings, protocol, clean, keep_alive) in cases {
        let w = connected(profile, Broker::default(), settings);
        let Some(Packet::Connect(connect)) = w.packets.first() else {
            panic!("no CONNECT")
        };
        assert_eq!(
            (
                connect.protocol,
                connect.clean_session,
                connect.keep_alive_s
            ),
            (*protocol, *clean, *keep_alive)
        );
        assert_eq!(
            (connect.client_id.as_str(), connect.user_name.as_deref()),
            ("id", Some("u"))
        );
        assert!(connect.will.is_none());
    }
    let will = "AT+QMTCFG=\"will\",0,1,1,0,\"gone\",\"bye\"";
    let w = connected("bg95", Broker::default(), &[will]);
    let Some(Packet::Connect(connect)) = w.packets.first() else {
        panic!("no CONNECT")
    };
    let will = connect.will.clone().unwrap();
    assert_eq!(
        (will.topic.as_str(), will.payload.as_slice(), will.qos),
        ("gone", &b"bye"[..], QoS::AtLeastOnce)
    );
}

#[test]
fn refusals() {
    // ThingsBoard logs (field transcript 16).
    for (code, number) in [
        (ConnectReturnCode::IdentifierRejected, 2),
        (ConnectReturnCode::NotAuthorized, 5),
    ] {
        let mut w = world_with(
            "bg96",
            Broker {
                code,
                ..Broker::default()
            },
        );
        w.ok("AT+QMTOPEN=0,\"broker\",1883");
        assert_eq!(
            w.send("AT+QMTCONN=0,\"BG96Client\"\r"),
            format!("{OK}\\r\\n+QMTCONN: 0,0,{number}\\r\\n\\r\\n+QMTSTAT: 0,4\\r\\n")
        );
        assert_eq!(state(&w), MqttState::Closed);
        assert_eq!(w.send("AT+QMTCONN=0,\"x\"\r"), "\\r\\nERROR\\r\\n");
        assert_eq!(
            w.send("AT+QMTOPEN=0,\"broker\",1883\r"),
            format!("{OK}\\r\\n+QMTOPEN: 0,0\\r\\n")
        );
    }
}

#[test]
fn open_results() {
    let cases = [
        ("bg96", "\"nowhere\",1883", "4"),
        ("bg96", "\"broker\",1884", "-1"),
        ("ec200u", "\"broker\",1884", "5"),
        ("ec25", "\"https://broker\",1883", "4"),
    ];
    for (profile, target, result) in cases {
        let mut w = world(profile);
        assert_eq!(
            w.send(format!("AT+QMTOPEN=0,{target}\r")),
            format!("{OK}\\r\\n+QMTOPEN: 0,{result}\\r\\n")
        );
    }
    let mut w = world("bg96");
    w.ok("AT+QIDEACT=1");
    assert_eq!(
        w.send("AT+QMTOPEN=0,\"broker\",1883\r"),
        format!("{OK}\\r\\n+QMTOPEN: 0,3\\r\\n")
    );
    let mut w = connected("bg95", Broker::default(), &[]);
    assert_eq!(
        w.send("AT+QMTOPEN=0,\"broker\",1883\r"),
        format!("{OK}\\r\\n+QMTOPEN: 0,2\\r\\n")
    );
    for bad in [
        "6,\"broker\",1883",
        "0,\"broker\",0",
        "0,\"broker\",70000",
        "0,\"broker\",\"1883\"",
        "0,\"broker\"",
        "0",
    ] {
        assert_eq!(
            w.send(format!("AT+QMTOPEN={bad}\r")),
            "\\r\\nERROR\\r\\n",
            "{bad}"
        );
    }
}

#[test]
fn closing() {
    let cases = [
        ("bg96", "\\r\\nERROR\\r\\n"),
        ("bg95", "\\r\\nOK\\r\\n"),
        ("ec25", "\\r\\nERROR\\r\\n"),
        ("ec200u", "\\r\\nOK\\r\\n\\r\\n+QMTCLOSE: 0,0\\r\\n"),
    ];
    for (profile, closed) in cases {
        let mut w = world(profile);
        assert_eq!(w.send("AT+QMTCLOSE=0\r"), closed, "{profile}");
        w.ok("AT+QMTOPEN=0,\"broker\",1883");
        assert_eq!(
            w.send("AT+QMTCLOSE=0\r"),
            format!("{OK}\\r\\n+QMTCLOSE: 0,0\\r\\n"),
            "{profile}"
        );
        assert_eq!(w.send("AT+QMTCLOSE=0\r"), closed, "{profile}");
        assert_eq!(w.send("AT+QMTDISC=0\r"), "\\r\\nERROR\\r\\n", "{profile}");
    }
}

#[test]
fn the_server_closes() {
    let mut w = world("bg96");
    w.ok("AT+QMTOPEN=0,\"broker\",1883");
    assert_eq!(w.close_all(), "\\r\\n+QMTSTAT: 0,1\\r\\n");
    assert_eq!(w.send("AT+QMTCONN=0,\"x\"\r"), "\\r\\nERROR\\r\\n");
    let mut w = connected("bg96", Broker::default(), &[]);
    assert_eq!(w.close_all(), "\\r\\n+QMTSTAT: 0,1\\r\\n");
    assert_eq!(w.send("AT+QMTPUB=0,0,0,0,\"t\"\r"), "\\r\\nERROR\\r\\n");
    let mut w = connected("bg96", Broker::default(), &[]);
    assert_eq!(
        w.push_bytes(b"\xff\xff\xff\xff\xff\xff"),
        "\\r\\n+QMTSTAT: 0,1\\r\\n"
    );
}

#[test]
fn a_lost_context_ends_everything() {
    let mut w = connected("bg96", Broker::default(), &[]);
    w.bench.module.drop_pdp(1);
    assert_eq!(
        w.bench.read(),
        "\\r\\n+QIURC: \"pdpdeact\",1\\r\\n\\r\\n+QMTSTAT: 0,1\\r\\n"
    );
    assert_eq!(w.send("AT+QIACT=1\r"), "\\r\\nERROR\\r\\n");
    assert_eq!(w.send("AT+QIDEACT=1\r"), OK);
    assert_eq!(w.send("AT+QIACT=1\r"), OK);
}

#[test]
fn retransmission() {
    let silent = Broker {
        answers_publish: false,
        answers_subscribe: false,
        ..Broker::default()
    };
    let mut w = connected("bg96", silent.clone(), &["AT+QMTCFG=\"timeout\",0,5,2,1"]);
    w.send("AT+QMTPUB=0,7,1,0,\"t\",1\r");
    w.send("x");
    let got = w.wait(15_000);
    assert_eq!(
        got,
        "\\r\\n+QMTPUB: 0,7,1,1\\r\\n\\r\\n+QMTPUB: 0,7,1,2\\r\\n\\r\\n+QMTPUB: 0,7,2\\r\\n\\r\\n+QMTSTAT: 0,6\\r\\n"
    );
    let dups: Vec<bool> = w
        .packets
        .iter()
        .filter_map(|p| {
            if let Packet::Publish(p) = p {
                Some(p.dup)
            } else {
                None
            }
        })
        .collect();
    assert_eq!(dups, [false, true, true]);
    let mut w = connected("bg96", silent, &[]);
    w.send("AT+QMTSUB=0,1,\"t\",0\r");
    assert_eq!(w.wait(19_999), "");
    assert_eq!(w.wait(1), "\\r\\n+QMTSUB: 0,1,2\\r\\n");
    assert_eq!(state(&w), MqttState::Connected);
    // A lost acknowledgement is made good by the retransmission.
    let mut w = connected("bg96", Broker::default(), &[]);
    w.bench.module.faults().pubacks_lost = 1;
    w.send("AT+QMTPUB=0,7,1,0,\"t\",1\r");
    assert_eq!(w.send("x"), OK);
    assert_eq!(w.wait(5_000), "\\r\\n+QMTPUB: 0,7,0\\r\\n");
}

#[test]
fn no_answer_to_connect() {
    let mut w = world_with(
        "bg96",
        Broker {
            answers_connect: false,
            ..Broker::default()
        },
    );
    w.ok("AT+QMTOPEN=0,\"broker\",1883");
    w.send("AT+QMTCONN=0,\"x\"\r");
    assert_eq!(
        w.send("AT+QMTCONN?\r"),
        "\\r\\n+QMTCONN: 0,2\\r\\n\\r\\nOK\\r\\n"
    );
    assert_eq!(
        w.wait(20_000),
        "\\r\\n+QMTCONN: 0,2\\r\\n\\r\\n+QMTSTAT: 0,4\\r\\n"
    );
}

#[test]
fn a_repeated_connect_is_told_without_a_count() {
    let silent = Broker {
        answers_connect: false,
        ..Broker::default()
    };
    let mut w = world_with("bg96", silent);
    w.ok("AT+QMTCFG=\"timeout\",0,5,1,1");
    w.ok("AT+QMTOPEN=0,\"broker\",1883");
    w.send("AT+QMTCONN=0,\"x\"\r");
    assert_eq!(w.wait(5_000), "\\r\\n+QMTCONN: 0,1\\r\\n");
    assert_eq!(
        w.wait(5_000),
        "\\r\\n+QMTCONN: 0,2\\r\\n\\r\\n+QMTSTAT: 0,4\\r\\n"
    );
}

#[test]
fn at_most_five_in_flight() {
    let silent = Broker {
        answers_publish: false,
        ..Broker::default()
    };
    let mut w = connected("bg96", silent, &[]);
    for id in 1..=5 {
        w.send(format!("AT+QMTPUB=0,{id},1,0,\"t\",1\r"));
        w.send("x");
    }
    assert_eq!(w.send("AT+QMTPUB=0,6,1,0,\"t\",1\r"), "\\r\\nERROR\\r\\n");
    assert_eq!(w.send("AT+QMTPUB=0,0,0,0,\"t\",1\r"), "\\r\\n> ");
}

#[test]
fn keep_alive() {
    let mut w = connected("bg96", Broker::default(), &["AT+QMTCFG=\"keepalive\",0,30"]);
    w.wait(29_999);
    let pings = |w: &World| {
        w.packets
            .iter()
            .filter(|p| matches!(p, Packet::Pingreq))
            .count()
    };
    assert_eq!(pings(&w), 0);
    w.wait(1);
    assert_eq!(pings(&w), 1);
    assert_eq!(w.wait(60_000), "");
    assert_eq!(pings(&w), 3);
    let deaf = Broker {
        answers_ping: false,
        ..Broker::default()
    };
    let mut w = connected("bg96", deaf, &["AT+QMTCFG=\"keepalive\",0,30"]);
    assert_eq!(w.wait(60_000), "\\r\\n+QMTSTAT: 0,2\\r\\n");
    assert_eq!(pings(&w), 4);
    let mut w = connected("bg96", Broker::default(), &["AT+QMTCFG=\"keepalive\",0,0"]);
    w.wait(4_000_000);
    assert_eq!(pings(&w), 0);
}

#[test]
fn qos_2() {
    let mut w = connected("bg96", Broker::default(), &[]);
    w.send("AT+QMTPUB=0,3,2,0,\"t\",1\r");
    assert_eq!(w.send("x"), format!("{OK}\\r\\n+QMTPUB: 0,3,0\\r\\n"));
    assert_eq!(w.packets.last().map(Packet::name), Some("PUBREL"));
}

#[test]
fn a_repeated_release_is_told() {
    let silent = Broker {
        answers_release: false,
        ..Broker::default()
    };
    let mut w = connected("bg95", silent, &["AT+QMTCFG=\"timeout\",0,5,1,1"]);
    w.send("AT+QMTPUB=0,9,2,0,\"t\",1\r");
    assert_eq!(w.send("x"), OK);
    assert_eq!(w.wait(5_000), "\\r\\n+QMTPUBREL: 0,1,9\\r\\n");
    assert!(w.wait(5_000).starts_with("\\r\\n+QMTPUB: 0,9,2\\r\\n"));
}

#[test]
fn subscribe_lists() {
    let mut w = connected("bg96", Broker::default(), &[]);
    assert_eq!(
        w.send("AT+QMTSUB=0,1,\"a\",0,\"forbidden\",1,\"c\",2\r"),
        format!("{OK}\\r\\n+QMTSUB: 0,1,0,0,128,1\\r\\n")
    );
    for bad in [
        "0,0,\"a\",0",
        "0,1,\"a\"",
        "0,1",
        "0,1,\"a\",3",
        "0,1,\"\",0",
        "0,70000,\"a\",0",
    ] {
        assert_eq!(
            w.send(format!("AT+QMTSUB={bad}\r")),
            "\\r\\nERROR\\r\\n",
            "{bad}"
        );
    }
    for bad in [
        "0,0,1,0,\"t\"",
        "0,1,3,0,\"t\"",
        "0,1,1,2,\"t\"",
        "0,1,1,0",
        "6,1,1,0,\"t\"",
        "0,1,1,0,\"\"",
    ] {
        assert_eq!(
            w.send(format!("AT+QMTPUB={bad}\r")),
            "\\r\\nERROR\\r\\n",
            "{bad}"
        );
    }
}

#[test]
fn a_restart_of_the_host_finds_the_client_open() {
    let mut w = connected("bg95", Broker::default(), &[]);
    assert_eq!(
        w.send("AT+QMTOPEN=0,\"broker\",1883\r"),
        format!("{OK}\\r\\n+QMTOPEN: 0,2\\r\\n")
    );
    assert_eq!(
        w.send("AT+QMTCLOSE=0\r"),
        format!("{OK}\\r\\n+QMTCLOSE: 0,0\\r\\n")
    );
    assert_eq!(
        w.send("AT+QMTOPEN=0,\"broker\",1883\r"),
        format!("{OK}\\r\\n+QMTOPEN: 0,0\\r\\n")
    );
}

#[test]
fn family_formats() {
    let overlay = |text: &str| {
        let mut setup = config("ec200u")
            .timing(Timing::Fast)
            .power(PowerState::Ready)
            .nonvolatile("urcport", "uart1");
        setup.profile.overlay("test", text).unwrap();
        let mut w = World::new(setup);
        w.listen("broker", 1883, Listener::default());
        w.send("ATE0\r");
        w.ok("AT+QMTOPEN=0,\"broker\",1883");
        w
    };
    let message = Packet::Publish(Publish {
        topic: "topic".to_owned(),
        payload: vec![b'x'; 23],
        ..Publish::default()
    });
    // Field transcript 37: EC200U.
    let mut w = overlay("[mqtt]\nconn_ret = false\n");
    assert_eq!(
        w.send("AT+QMTCONN=0,\"id\"\r"),
        format!("{OK}\\r\\n+QMTCONN: 0,0\\r\\n")
    );
    assert_eq!(
        w.push(&message),
        format!(
            "\\r\\n+QMTRECV: 0,0,\"topic\",23\\r\\n{}\\r\\n",
            "x".repeat(23)
        )
    );
    // The second example of the BG96 manual.
    let mut w = overlay("[mqtt]\nreceive_newline = false\nreceive_quotes = false\n");
    w.ok("AT+QMTCONN=0,\"id\"");
    assert_eq!(
        w.push(&message),
        format!("\\r\\n+QMTRECV: 0,0,\"topic\",{}\\r\\n", "x".repeat(23))
    );
    // Field transcript 19: EG800AK closes at once.
    let mut w = overlay("[mqtt]\nclose_after_open_ms = 100\n");
    assert_eq!(w.wait(100), "\\r\\n+QMTSTAT: 0,1\\r\\n");
    assert_eq!(w.send("AT+QMTCONN=0,\"id\"\r"), "\\r\\nERROR\\r\\n");
}
