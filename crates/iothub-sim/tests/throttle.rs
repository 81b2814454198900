//! Limits of a tier, as devices see them over MQTT.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{HOST, REFUSED, World, config, connect, publish, publish_qos1, subscribe};
use iothub_sim::{Config, Event, Identity, ProvisioningService, SharedAccessKey, Throttle};
use mqtt311::{Packet, QoS};

const EVENTS: &str = "devices/dev1/messages/events/";

fn throttled(limits: impl FnOnce(&mut Throttle)) -> Config {
    let mut throttle = Throttle::default();
    limits(&mut throttle);
    let mut config = config();
    config.rules.throttle = Some(throttle);
    config
}

fn warnings(world: &mut World) -> Vec<String> {
    let events = world.events();
    let warned = events.iter().filter_map(|event| match event {
        Event::Warned { warning, .. } => Some(warning.to_string()),
        _ => None,
    });
    warned.collect()
}

#[test]
fn telemetry_is_acknowledged_late_and_in_order_and_then_ends_the_connection() {
    let mut world = World::new(&throttled(|t| {
        t.telemetry_per_s = Some(2);
        t.longest_delay_ms = 2000;
    }));
    let connection = world.connected(&connect());
    let mut at_once = Vec::new();
    for number in 1..=6 {
        at_once.extend(
            world
                .exchange(connection, &publish_qos1(number, EVENTS, "x"))
                .0,
        );
    }
    let ids = |from: u16, to: u16| {
        (from..=to)
            .map(|n| Packet::Puback(common::id(n)))
            .collect::<Vec<_>>()
    };
    assert_eq!(at_once, ids(1, 2), "a second's worth");
    let received = world
        .events()
        .iter()
        .filter(|e| matches!(e, Event::Telemetry(_)))
        .count();
    assert_eq!(received, 6, "late, but not lost");
    world.advance(1);
    assert_eq!(world.receive(connection).0, ids(3, 4));
    world.advance(1);
    assert_eq!(world.receive(connection).0, ids(5, 6));

    for number in 7..=20 {
        world.send(connection, &publish_qos1(number, EVENTS, "x"));
    }
    assert!(world.receive(connection).1);
    assert_eq!(world.reasons(), ["throttled"]);
}

#[test]
fn twin_requests_are_answered_429() {
    let mut world = World::new(&throttled(|t| {
        t.twin_reads_per_s = Some(1);
        t.twin_updates_per_s = Some(1);
    }));
    let connection = world.connected(&connect());
    world.exchange(
        connection,
        &subscribe(1, &["$iothub/twin/res/#"], QoS::AtMostOnce),
    );
    let get = publish("$iothub/twin/GET/?$rid=1", "");
    let patch = publish(
        "$iothub/twin/PATCH/properties/reported/?$rid=2",
        "{\"a\":1}",
    );
    for (packet, first) in [(get, "200"), (patch, "204")] {
        for status in [first, "429"] {
            let (packets, _) = world.exchange(connection, &packet);
            let [Packet::Publish(answer)] = packets.as_slice() else {
                panic!("{packets:?}");
            };
            let prefix = format!("$iothub/twin/res/{status}/?$rid=");
            assert!(answer.topic.starts_with(&prefix), "{}", answer.topic);
            let body = String::from_utf8_lossy(&answer.payload);
            assert_eq!(body.contains("\"errorCode\":429001"), status == "429");
        }
    }
    assert_eq!(
        world
            .hub
            .twin(&Identity::device(HOST, "dev1"))
            .unwrap()
            .reported
            .version,
        2
    );
    let warned = warnings(&mut world);
    assert!(
        warned[0].starts_with("more than 1 twin reads a second"),
        "{warned:?}"
    );
    world.advance(1);
    let (packets, _) = world.exchange(connection, &publish("$iothub/twin/GET/?$rid=3", ""));
    assert!(matches!(&packets[..], [Packet::Publish(p)] if p.topic.contains("/200/")));
}

#[test]
fn connections_and_the_quota_of_a_day() {
    let mut world = World::new(&throttled(|t| {
        t.connections_per_s = Some(2);
        t.messages_per_day = Some(3);
    }));
    world.connected(&connect());
    let connection = world.connected(&connect());
    let other = world.open();
    assert_eq!(
        world.exchange(other, &Packet::Connect(connect())),
        (vec![REFUSED], true)
    );
    assert_eq!(world.reasons(), ["taken-over", "throttled"]);

    // 4097 bytes are two messages.
    for (number, payload) in [(1, "x".repeat(4097)), (2, String::new())] {
        let (packets, _) = world.exchange(connection, &publish_qos1(number, EVENTS, &payload));
        assert_eq!(packets.len(), 1);
    }
    assert!(world.exchange(connection, &publish_qos1(3, EVENTS, "x")).1);
    world.advance(10);
    let other = world.open();
    assert_eq!(
        world.exchange(other, &Packet::Connect(connect())),
        (vec![REFUSED], true)
    );
    assert_eq!(world.reasons(), ["quota-exceeded", "quota-exceeded"]);
    world.advance(24 * 3600);
    world.hub.set_throttle(None);
    let mut fresh = connect();
    let expires = world.now.unix_s + 60;
    let resource = format!("{HOST}/devices/dev1");
    fresh.password =
        Some(iothub_sim::sas_token(&resource, &common::key(), expires, None).into_bytes());
    world.connected(&fresh);
}

#[test]
fn registrations_in_a_minute() {
    let key = SharedAccessKey::from_bytes([7; 32]);
    let mut service = ProvisioningService::new("0ne1".to_owned());
    service
        .enrollments
        .push(iothub_sim::Enrollment::with_key("r1", key.clone()));
    let config = throttled(|t| t.registrations_per_min = Some(1)).with_provisioning(service);
    let mut world = World::new(&config);
    let token = iothub_sim::sas_token("0ne1/registrations/r1", &key, world.now.unix_s + 600, None);
    let connection = world.connected(&mqtt311::Connect {
        client_id: "r1".to_owned(),
        user_name: Some("0ne1/registrations/r1/api-version=2019-03-31".to_owned()),
        password: Some(token.into_bytes()),
        ..mqtt311::Connect::default()
    });
    world.exchange(
        connection,
        &subscribe(1, &["$dps/registrations/res/#"], QoS::AtMostOnce),
    );
    let register = publish("$dps/registrations/PUT/iotdps-register/?$rid=1", "");
    for (seconds, expected) in [
        (0, "202/?$rid=1&retry-after=3"),
        (1, "429/?$rid=1&retry-after=5"),
        (60, "202/"),
    ] {
        world.advance(seconds);
        let (packets, _) = world.exchange(connection, &register);
        let [Packet::Publish(answer)] = packets.as_slice() else {
            panic!("{packets:?}");
        };
        let topic = answer
            .topic
            .strip_prefix("$dps/registrations/res/")
            .unwrap();
        assert!(topic.starts_with(expected), "{topic}");
    }
}
