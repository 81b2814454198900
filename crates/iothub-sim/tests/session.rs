//! An accepted connection: telemetry, subscriptions, cloud-to-device messages, its end.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{
    ACCEPTED, HOST, RESUMED, START, World, config, connect, id, key, persistent, publish,
    publish_qos1, subscribe, token,
};
use iothub_sim::{
    CloudToDeviceMessage, CloudToDeviceOutcome, Config, Event, Fault, Feature, Identity,
    ServiceError, Telemetry, Throttle, Warning, sas_token,
};
use mqtt311::{Connect, Packet, Publish, QoS, Suback, SubackCode, Unsubscribe, Will};

const C2D: &str = "devices/dev1/messages/devicebound/#";
const EVENTS: &str = "devices/dev1/messages/events/";

fn dev1() -> Identity {
    Identity::device(HOST, "dev1")
}

fn telemetry(world: &mut World) -> Vec<Telemetry> {
    world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Telemetry(telemetry) => Some(telemetry),
            _ => None,
        })
        .collect()
}

fn outcomes(world: &mut World) -> Vec<(u64, CloudToDeviceOutcome)> {
    world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::CloudToDevice {
                sequence_number,
                outcome,
                ..
            } => Some((sequence_number, outcome)),
            _ => None,
        })
        .collect()
}

#[test]
fn telemetry_with_properties() {
    let mut world = World::new(&config());
    let connection = world.connected(&connect());
    world.events();
    let bag = "%24.ct=application%2Fjson&%24.ce=utf-8&alarm=high%20temp";
    let answer = world.exchange(
        connection,
        &publish_qos1(7, &format!("{EVENTS}{bag}"), "{}"),
    );
    assert_eq!(answer, (vec![Packet::Puback(id(7))], false));
    let answer = world.exchange(connection, &publish(EVENTS, "21"));
    assert_eq!(answer, (vec![], false));
    let got = telemetry(&mut world);
    let [first, second] = got.as_slice() else {
        panic!("{got:?}");
    };
    assert_eq!(first.identity, dev1());
    assert_eq!(first.properties.value("$.ct"), Some("application/json"));
    assert_eq!(first.properties.value("alarm"), Some("high temp"));
    assert_eq!((first.payload.as_slice(), first.qos), (&b"{}"[..], 1));
    assert_eq!((second.payload.as_slice(), second.qos), (&b"21"[..], 0));
    assert_eq!(second.warnings, []);
}

#[test]
fn doubtful_telemetry_is_accepted_with_a_warning() {
    for (dup, retain, bag, expected) in [
        (true, false, "", Warning::Duplicate),
        (false, true, "", Warning::Retain),
        (false, false, "?a=1", Warning::QuestionMark),
    ] {
        let mut world = World::new(&config());
        let connection = world.connected(&connect());
        let publish = Publish {
            dup,
            retain,
            qos: QoS::AtLeastOnce,
            packet_id: Some(id(1)),
            topic: format!("{EVENTS}{bag}"),
            payload: vec![],
        };
        world.send(connection, &Packet::Publish(publish));
        let got = telemetry(&mut world);
        let [message] = got.as_slice() else {
            panic!("{got:?}");
        };
        assert_eq!(message.warnings, [expected]);
        let retained = message.properties.value("mqtt-retain");
        assert_eq!(retained, retain.then_some("true"));
    }
    let mut strict = config();
    strict.rules.refuse_question_mark = true;
    let mut world = World::new(&strict);
    let connection = world.connected(&connect());
    world.send(connection, &publish(&format!("{EVENTS}?a=1"), ""));
    assert_eq!(world.reasons(), ["property-bag"]);
}

#[test]
fn what_ends_a_connection() {
    let big = "x".repeat(256 * 1024 + 1);
    let qos2 = Packet::Publish(Publish {
        qos: QoS::ExactlyOnce,
        packet_id: Some(id(1)),
        topic: EVENTS.to_owned(),
        ..Publish::default()
    });
    let rows = [
        ("second-connect", Packet::Connect(connect())),
        ("qos2", qos2),
        ("topic", publish("devices/dev1/messages/events", "")),
        ("topic", publish("devices/dev2/messages/events/", "")),
        ("topic", publish("$iothub/twin/get/?$rid=1", "")),
        ("topic", publish("$iothub/twin/GET/", "")),
        ("topic", publish("test", "")),
        ("id-encoded", publish("devices/dev%31/messages/events/", "")),
        (
            "topic-name",
            publish("devices/dev1/messages/events/a=b+c", ""),
        ),
        (
            "property-bag",
            publish("devices/dev1/messages/events/at=12:30", ""),
        ),
        ("message-size", publish(EVENTS, &big)),
        ("unexpected-packet", Packet::Pubrel(id(1))),
        ("unexpected-packet", Packet::Pingresp),
        ("disconnect", Packet::Disconnect),
    ];
    for (code, packet) in rows {
        let mut world = World::new(&config());
        let connection = world.connected(&connect());
        let answer = world.exchange(connection, &packet);
        assert_eq!(answer, (vec![], true), "{code}");
        assert_eq!(world.reasons(), [code], "{code}");
    }
}

#[test]
fn bad_topics_may_be_ignored() {
    let mut lenient = config();
    lenient.rules.ignore_bad_topics = true;
    let mut world = World::new(&lenient);
    let connection = world.connected(&connect());
    world.events();
    let answer = world.exchange(connection, &publish_qos1(1, "topic/pub", "hello"));
    assert_eq!(answer, (vec![Packet::Puback(id(1))], false));
    let events = world.events();
    assert!(
        matches!(
            events.as_slice(),
            [Event::Warned {
                warning: Warning::TopicIgnored(_),
                ..
            }]
        ),
        "{events:?}"
    );
}

#[test]
fn the_largest_message_is_accepted() {
    let mut world = World::new(&config());
    let connection = world.connected(&connect());
    let payload = "x".repeat(256 * 1024 - 3);
    let answer = world.exchange(
        connection,
        &publish_qos1(1, &format!("{EVENTS}a=1"), &payload),
    );
    assert_eq!(answer, (vec![Packet::Puback(id(1))], false));
    assert_eq!(
        telemetry(&mut world).first().unwrap().payload.len(),
        256 * 1024 - 3
    );
}

#[test]
fn subscriptions() {
    let granted = SubackCode::Granted;
    let filters = [
        (
            "devices/+/messages/devicebound/#",
            granted(QoS::AtLeastOnce),
        ),
        ("#", SubackCode::Failure),
        ("$iothub/methods/POST/#", granted(QoS::AtLeastOnce)),
        ("devices/dev2/messages/devicebound/#", SubackCode::Failure),
        ("$iothub/twin/res/#", granted(QoS::AtLeastOnce)),
        (
            "$iothub/twin/PATCH/properties/desired/#",
            granted(QoS::AtLeastOnce),
        ),
        ("$iothub/credentials/res/#", granted(QoS::AtLeastOnce)),
        // The sixth at a time.
        (C2D, SubackCode::Failure),
    ];
    let names: Vec<_> = filters.iter().map(|(filter, _)| *filter).collect();
    let codes: Vec<_> = filters.iter().map(|(_, code)| *code).collect();
    let mut world = World::new(&config());
    let connection = world.connected(&connect());
    world.events();
    let answer = world.exchange(connection, &subscribe(5, &names, QoS::ExactlyOnce));
    let suback = Suback {
        packet_id: id(5),
        codes,
    };
    assert_eq!(answer, (vec![Packet::Suback(suback)], false));
    let events = world.events();
    assert!(
        matches!(
            &events[0],
            Event::Subscribed {
                result: Ok(Feature::CloudToDevice),
                ..
            }
        ),
        "{events:?}"
    );

    let unsubscribe = Packet::Unsubscribe(Unsubscribe {
        packet_id: id(6),
        filters: vec!["$iothub/twin/res/#".to_owned(), "never/made".to_owned()],
    });
    let answer = world.exchange(connection, &unsubscribe);
    assert_eq!(answer, (vec![Packet::Unsuback(id(6))], false));
    let (packets, _) = world.exchange(connection, &subscribe(7, &[C2D], QoS::AtMostOnce));
    let suback = Suback {
        packet_id: id(7),
        codes: vec![granted(QoS::AtMostOnce)],
    };
    assert_eq!(packets, [Packet::Suback(suback)]);

    let mut strict = config();
    strict.rules.close_on_bad_filter = true;
    let mut world = World::new(&strict);
    let connection = world.connected(&connect());
    assert_eq!(
        world.exchange(connection, &subscribe(1, &["#"], QoS::AtMostOnce)),
        (vec![], true)
    );
    assert_eq!(world.reasons(), ["filter"]);
}

#[test]
fn a_message_to_a_subscribed_device() {
    let mut world = World::new(&config());
    let connection = world.connected(&connect());
    world.exchange(connection, &subscribe(1, &[C2D], QoS::AtLeastOnce));
    let message = CloudToDeviceMessage::new("on")
        .with_property("$.mid", "m/1")
        .with_property("lamp", "");
    let number = world
        .hub
        .send_to_device(world.now, &dev1(), message)
        .unwrap();
    assert_eq!(world.hub.take_ready(), [connection]);
    let expected = Publish {
        qos: QoS::AtLeastOnce,
        topic: "devices/dev1/messages/devicebound/%24.mid=m%2F1&%24.to=%2Fdevices%2Fdev1%2Fmessages%2Fdevicebound&lamp=".to_owned(),
        packet_id: Some(id(1)),
        payload: b"on".to_vec(),
        ..Publish::default()
    };
    let again = Publish {
        dup: true,
        ..expected.clone()
    };
    assert_eq!(
        world.receive(connection),
        (vec![Packet::Publish(expected)], false)
    );
    // Not acknowledged: once more when the lock ends, and only then.
    world.advance(30);
    world.exchange(connection, &Packet::Pingreq);
    world.advance(29);
    assert_eq!(world.receive(connection), (vec![], false));
    world.advance(1);
    assert_eq!(
        world.receive(connection),
        (vec![Packet::Publish(again)], false)
    );
    assert_eq!(outcomes(&mut world), []);
    world.send(connection, &Packet::Puback(id(1)));
    assert_eq!(
        outcomes(&mut world),
        [(number, CloudToDeviceOutcome::Completed)]
    );
    world.advance(60);
    assert_eq!(world.receive(connection), (vec![], false));
}

#[test]
fn a_session_keeps_subscriptions_and_messages() {
    let mut world = World::new(&config());
    let first = world.open();
    assert_eq!(
        world.exchange(first, &Packet::Connect(persistent())),
        (vec![ACCEPTED], false)
    );
    world.exchange(first, &subscribe(1, &[C2D], QoS::AtLeastOnce));
    world.hub.lost(world.now, first);
    let send = |world: &mut World, text: &str| {
        let message = CloudToDeviceMessage::new(text);
        world
            .hub
            .send_to_device(world.now, &dev1(), message)
            .unwrap()
    };
    let a = send(&mut world, "a");

    // Without subscribing again.
    let second = world.open();
    let (packets, _) = world.exchange(second, &Packet::Connect(persistent()));
    let [resumed, Packet::Publish(publish)] = packets.as_slice() else {
        panic!("{packets:?}");
    };
    assert_eq!(resumed, &RESUMED);
    assert_eq!(
        (publish.payload.as_slice(), publish.dup),
        (&b"a"[..], false)
    );

    // Unacknowledged, so it comes again on the next connection, marked.
    let third = world.open();
    let (packets, _) = world.exchange(third, &Packet::Connect(persistent()));
    let [_, Packet::Publish(publish)] = packets.as_slice() else {
        panic!("{packets:?}");
    };
    assert!(publish.dup);
    world.send(third, &Packet::Puback(publish.packet_id.unwrap()));
    assert_eq!(outcomes(&mut world), [(a, CloudToDeviceOutcome::Completed)]);

    // A clean session forgets both.
    world.send(third, &Packet::Disconnect);
    let b = send(&mut world, "b");
    let fourth = world.open();
    assert_eq!(
        world.exchange(fourth, &Packet::Connect(connect())),
        (vec![ACCEPTED], false)
    );
    assert_eq!(outcomes(&mut world), [(b, CloudToDeviceOutcome::Purged)]);
    send(&mut world, "c");
    assert_eq!(world.receive(fourth), (vec![], false));
    // And leaves nothing for later.
    world.send(fourth, &Packet::Disconnect);
    let fifth = world.open();
    assert_eq!(
        world.exchange(fifth, &Packet::Connect(persistent())),
        (vec![ACCEPTED], false)
    );
}

#[test]
fn at_qos_0_a_message_is_done_when_it_is_sent() {
    let mut world = World::new(&config());
    let number = world
        .hub
        .send_to_device(world.now, &dev1(), CloudToDeviceMessage::new("x"))
        .unwrap();
    let connection = world.connected(&persistent());
    let (packets, _) = world.exchange(connection, &subscribe(1, &[C2D], QoS::AtMostOnce));
    assert!(
        matches!(packets.as_slice(), [Packet::Suback(_), Packet::Publish(p)] if p.packet_id.is_none()),
        "{packets:?}"
    );
    assert_eq!(
        outcomes(&mut world),
        [(number, CloudToDeviceOutcome::Completed)]
    );
}

#[test]
fn messages_expire_and_queues_fill() {
    let mut world = World::new(&config());
    let mut short = CloudToDeviceMessage::new("x");
    short.time_to_live_s = 60;
    let number = world.hub.send_to_device(world.now, &dev1(), short).unwrap();
    world.advance(59);
    assert_eq!(outcomes(&mut world), []);
    world.advance(1);
    assert_eq!(
        outcomes(&mut world),
        [(number, CloudToDeviceOutcome::Expired)]
    );

    let mut send = |payload: Vec<u8>, to: &Identity| {
        world
            .hub
            .send_to_device(world.now, to, CloudToDeviceMessage::new(payload))
    };
    assert_eq!(
        send(vec![0; 65_537], &dev1()),
        Err(ServiceError::TooLarge(65_537))
    );
    let stranger = Identity::device(HOST, "dev2");
    assert_eq!(
        send(vec![], &stranger),
        Err(ServiceError::NotFound("dev2".to_owned()))
    );
    for _ in 0..50 {
        assert!(send(vec![0; 65_536], &dev1()).is_ok());
    }
    assert_eq!(
        send(vec![], &dev1()),
        Err(ServiceError::QueueFull("dev1".to_owned()))
    );
}

#[test]
fn a_lock_of_no_time_does_not_hang_the_hub() {
    let mut config = config();
    config.rules.lock_timeout_ms = 0;
    let mut world = World::new(&config);
    let connection = world.connected(&connect());
    world.exchange(connection, &subscribe(1, &[C2D], QoS::AtLeastOnce));
    let message = CloudToDeviceMessage::new("x");
    world
        .hub
        .send_to_device(world.now, &dev1(), message)
        .unwrap();
    world.advance(1);
    assert_eq!(world.receive(connection).0.len(), 2);
}

/// Whatever a configuration says, the hub goes on.
#[test]
fn extreme_rules() {
    for (long, short) in [(u64::MAX, u32::MAX), (0, 0)] {
        let mut config = config();
        let mut throttle = Throttle::default();
        throttle.longest_delay_ms = long;
        throttle.messages_per_day = Some(u64::MAX);
        throttle.connections_per_s = Some(short.max(1));
        throttle.telemetry_per_s = Some(short);
        throttle.twin_reads_per_s = Some(short);
        throttle.twin_updates_per_s = Some(short);
        let rules = &mut config.rules;
        rules.throttle = Some(throttle);
        rules.lock_timeout_ms = long;
        rules.expiry_tolerance_s = long;
        rules.expiry_grace_s = long;
        rules.connect_timeout_ms = long;
        let mut world = World::new(&config);
        let connection = world.connected(&connect());
        let filters = [C2D, "$iothub/twin/res/#"];
        world.exchange(connection, &subscribe(1, &filters, QoS::AtLeastOnce));
        let mut message = CloudToDeviceMessage::new("x");
        message.time_to_live_s = long;
        let sent = world
            .hub
            .send_to_device(world.now, &dev1(), message.clone());
        assert_eq!(sent, Err(ServiceError::TimeToLive(long)));
        message.time_to_live_s = iothub_sim::MAX_TIME_TO_LIVE_S;
        let sent = world.hub.send_to_device(world.now, &dev1(), message);
        assert!(sent.is_ok());
        let delay_ms = long;
        let late = Fault::DelayPubacks { count: 1, delay_ms };
        world.hub.inject(world.now, &dev1(), late);
        world.exchange(
            connection,
            &publish_qos1(1, "devices/dev1/messages/events/", "x"),
        );
        world.exchange(connection, &publish("$iothub/twin/GET/?$rid=1", ""));
        for _ in 0..5 {
            world.advance(1);
            world.receive(connection);
        }
        assert!(world.hub.next_poll(world.now).is_some());
        let silent = world.open();
        world.advance(3);
        assert_eq!(world.receive(silent).1, long == 0);
    }
}

#[test]
fn one_connection_per_identity() {
    let mut world = World::new(&config());
    let older = world.connected(&persistent());
    let newer = world.connected(&persistent());
    assert_eq!(world.reasons(), ["taken-over"]);
    assert_eq!(world.receive(older), (vec![], true));
    // The end of the older connection does not touch the newer one.
    world.hub.lost(world.now, older);
    assert_eq!(
        world.exchange(newer, &Packet::Pingreq),
        (vec![Packet::Pingresp], false)
    );
}

#[test]
fn keep_alive() {
    for (keep_alive_s, allowed_s) in [
        (60, 90),
        (1177, 1765),
        (1178, 1767),
        (1767, 1767),
        (65_535, 1767),
        (0, 1767),
    ] {
        let mut long = config();
        long.rules.expiry_grace_s = 100_000;
        let mut world = World::new(&long);
        let connection = world.connected(&Connect {
            keep_alive_s,
            ..connect()
        });
        world.advance(allowed_s - 1);
        assert_eq!(
            world.exchange(connection, &Packet::Pingreq),
            (vec![Packet::Pingresp], false)
        );
        world.advance(allowed_s - 1);
        assert_eq!(world.reasons(), [] as [&str; 0], "{keep_alive_s}");
        world.advance(1);
        assert_eq!(world.reasons(), ["keep-alive"], "{keep_alive_s}");
        assert_eq!(world.receive(connection), (vec![], true));
    }
}

#[test]
fn a_token_expires_while_connected() {
    for (grace_s, expected_after) in [(0, 100), (600, 700)] {
        let mut config = config();
        config.rules.expiry_grace_s = grace_s;
        let mut world = World::new(&config);
        let token = sas_token(&format!("{HOST}/devices/dev1"), &key(), START + 100, None);
        let connection = world.connected(&Connect {
            password: Some(token.into_bytes()),
            keep_alive_s: 1177,
            ..connect()
        });
        let next = world.hub.next_poll(world.now);
        assert_eq!(next, Some(expected_after * 1000));
        world.advance(expected_after - 1);
        assert_eq!(world.reasons(), [] as [&str; 0]);
        world.advance(1);
        assert_eq!(world.reasons(), ["token-expired"]);
        assert_eq!(world.receive(connection), (vec![], true));
    }
}

#[test]
fn a_will_speaks_for_a_lost_device() {
    let with_will = Connect {
        will: Some(Will {
            topic: format!("{EVENTS}state=lost"),
            payload: b"gone".to_vec(),
            qos: QoS::AtLeastOnce,
            retain: false,
        }),
        ..connect()
    };
    for graceful in [false, true] {
        let mut world = World::new(&config());
        let connection = world.connected(&with_will);
        if graceful {
            world.send(connection, &Packet::Disconnect);
        } else {
            world.hub.lost(world.now, connection);
        }
        let got = telemetry(&mut world);
        if graceful {
            assert_eq!(got, []);
            continue;
        }
        let [will] = got.as_slice() else {
            panic!("{got:?}");
        };
        assert!(will.is_will);
        assert_eq!(will.payload, b"gone");
        assert_eq!(will.properties.value("state"), Some("lost"));
        assert_eq!(will.properties.value("iothub-MessageType"), Some("Will"));
    }
}

#[test]
fn a_client_that_does_not_read_is_dropped() {
    let mut config = config();
    config.rules.max_unread = 1000;
    let mut world = World::new(&config);
    let connection = world.connected(&connect());
    for _ in 0..501 {
        world.send(connection, &Packet::Pingreq);
    }
    assert_eq!(world.reasons(), ["not-reading"]);
    assert_eq!(world.receive(connection), (vec![], true));
}

#[test]
fn any_split_of_the_bytes_gives_the_same() {
    let mut bytes = Vec::new();
    for packet in [
        Packet::Connect(connect()),
        subscribe(1, &[C2D], QoS::AtLeastOnce),
        publish_qos1(2, EVENTS, "hello"),
        Packet::Pingreq,
        Packet::Disconnect,
    ] {
        packet.encode(&mut bytes).unwrap();
    }
    let run = |chunk: usize| {
        let mut world = World::new(&config());
        let connection = world.open();
        for part in bytes.chunks(chunk) {
            world.hub.receive(world.now, connection, part);
        }
        (world.receive(connection), world.events())
    };
    let whole = run(bytes.len());
    assert_eq!(whole.0.0.len(), 4);
    for chunk in [1, 2, 3, 7, 64] {
        assert_eq!(run(chunk), whole, "{chunk}");
    }
}

#[test]
fn two_hubs_know_different_devices() {
    let mut config = config();
    config.hubs.extend(
        Config::single_device(
            "b.azure-devices.net",
            iothub_sim::Device::with_key("dev1", key()),
        )
        .hubs,
    );
    let mut world = World::new(&config);
    let first = world.connected(&connect());
    let second = world.connected(&Connect {
        user_name: Some("b.azure-devices.net/dev1/?api-version=2021-04-12".to_owned()),
        password: Some(
            sas_token("b.azure-devices.net/devices/dev1", &key(), START + 60, None).into_bytes(),
        ),
        ..connect()
    });
    assert_eq!(world.reasons(), [] as [&str; 0]);
    for connection in [first, second] {
        assert_eq!(
            world.exchange(connection, &Packet::Pingreq),
            (vec![Packet::Pingresp], false)
        );
    }
    assert!(!token().is_empty());
}
