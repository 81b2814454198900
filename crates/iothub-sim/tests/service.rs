//! Direct methods, twins and faults: what the cloud does with a connected device.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use common::{
    HOST, REFUSED, World, config, connect, id, key, persistent, publish, publish_qos1, subscribe,
};
use iothub_sim::{
    Chaos, Config, Device, Event, Fault, Identity, IotHub, MethodCall, MethodError, MethodOutcome,
    ServiceError, TagUpdate, TwinError, Warning,
};
use mqtt311::{Connack, ConnectReturnCode, Packet, Publish, QoS};
use serde_json::{Value, json};

const METHODS: &str = "$iothub/methods/POST/#";
const ANSWERS: &str = "$iothub/twin/res/#";
const DESIRED: &str = "$iothub/twin/PATCH/properties/desired/#";
const EVENTS: &str = "devices/dev1/messages/events/";

fn dev1() -> Identity {
    Identity::device(HOST, "dev1")
}

fn published(packets: &[Packet]) -> Vec<(&str, Value)> {
    packets
        .iter()
        .map(|packet| match packet {
            Packet::Publish(Publish {
                topic,
                payload,
                qos: QoS::AtMostOnce,
                ..
            }) => {
                let body = serde_json::from_slice(payload);
                (topic.as_str(), body.unwrap_or(Value::Null))
            }
            other => panic!("{other:?}"),
        })
        .collect()
}

fn outcomes(world: &mut World) -> Vec<MethodOutcome> {
    world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::MethodEnded { outcome, .. } => Some(outcome),
            _ => None,
        })
        .collect()
}

fn warnings(world: &mut World) -> Vec<Warning> {
    world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            Event::Warned { warning, .. } => Some(warning),
            _ => None,
        })
        .collect()
}

#[test]
fn a_method_and_its_answer() {
    let mut world = World::new(&config());
    let connection = world.connected(&connect());
    world.exchange(connection, &subscribe(1, &[METHODS], QoS::AtMostOnce));
    let mut call = MethodCall::new("reboot");
    call.payload = br#"{"s":5}"#.to_vec();
    world.hub.invoke_method(world.now, &dev1(), call).unwrap();
    let (packets, _) = world.receive(connection);
    let requests = published(&packets);
    assert_eq!(
        requests,
        [("$iothub/methods/POST/reboot/?$rid=1c", json!({"s": 5}))]
    );
    let answer = publish_qos1(9, "$iothub/methods/res/-7/?$rid=1c", "{\"ok\":1}");
    assert_eq!(
        world.exchange(connection, &answer),
        (vec![Packet::Puback(id(9))], false)
    );
    let payload = br#"{"ok":1}"#.to_vec();
    assert_eq!(
        outcomes(&mut world),
        [MethodOutcome::Response {
            status: -7,
            payload
        }]
    );
    // Once only.
    world.send(connection, &answer);
    let rid = "1c".to_owned();
    assert_eq!(
        warnings(&mut world),
        [Warning::UnknownMethodResponse { rid }]
    );
    world.advance(60);
    assert_eq!(outcomes(&mut world), []);
}

#[test]
fn answers_that_are_not_as_they_should_be() {
    let mut world = World::new(&config());
    let connection = world.connected(&connect());
    world.exchange(connection, &subscribe(1, &[METHODS], QoS::AtMostOnce));
    let invoke = |world: &mut World| {
        let call = MethodCall::new("x");
        world.hub.invoke_method(world.now, &dev1(), call).unwrap()
    };
    invoke(&mut world);
    world.events();
    world.send(connection, &publish("$iothub/methods/res/200/?$rid=1C", ""));
    assert_eq!(
        warnings(&mut world),
        [Warning::UnknownMethodResponse {
            rid: "1C".to_owned()
        }]
    );
    world.send(
        connection,
        &publish("$iothub/methods/res/200/?$rid=1c", "done"),
    );
    assert_eq!(warnings(&mut world), [Warning::MethodResponseNotJson]);
    invoke(&mut world);
    world.events();
    let large = "x".repeat(128 * 1024 + 1);
    world.send(
        connection,
        &publish("$iothub/methods/res/200/?$rid=2c", &large),
    );
    assert_eq!(world.reasons(), ["message-size"]);
}

#[test]
fn methods_without_an_answer() {
    let mut world = World::new(&config());
    let call = |response_timeout_s, connect_timeout_s| {
        let mut call = MethodCall::new("x");
        call.response_timeout_s = response_timeout_s;
        call.connect_timeout_s = connect_timeout_s;
        call
    };
    let invoke =
        |world: &mut World, to: &Identity, call| world.hub.invoke_method(world.now, to, call);
    let offline = Err(MethodError::NotOnline("dev1".to_owned()));
    assert_eq!(invoke(&mut world, &dev1(), call(5, 0)), offline);
    let stranger = Identity::device(HOST, "dev2");
    assert_eq!(
        invoke(&mut world, &stranger, call(5, 0)),
        Err(MethodError::NotFound("dev2".to_owned()))
    );
    assert_eq!(
        invoke(&mut world, &dev1(), call(4, 0)),
        Err(MethodError::Timeout)
    );

    invoke(&mut world, &dev1(), call(5, 20)).unwrap();
    world.advance(19);
    assert_eq!(outcomes(&mut world), []);
    world.advance(1);
    assert_eq!(outcomes(&mut world), [MethodOutcome::NeverOnline]);

    // Waits for the connection and the subscription, then for the answer.
    invoke(&mut world, &dev1(), call(7, 20)).unwrap();
    world.advance(10);
    let connection = world.connected(&connect());
    assert_eq!(
        invoke(&mut world, &dev1(), call(5, 0)),
        offline,
        "connected is not enough"
    );
    world.advance(5);
    let (packets, _) = world.exchange(connection, &subscribe(1, &[METHODS], QoS::AtMostOnce));
    assert_eq!(packets.len(), 2);
    world.advance(6);
    assert_eq!(outcomes(&mut world), []);
    world.advance(1);
    assert_eq!(outcomes(&mut world), [MethodOutcome::TimedOut]);
    assert_eq!(
        world.hub.next_poll(world.now),
        Some(30_000 + 90_000),
        "only the silence after the CONNECT at 30 s is left"
    );
}

#[test]
fn a_twin_is_read_and_reported() {
    let mut world = World::new(&config());
    let connection = world.connected(&connect());
    world.exchange(connection, &subscribe(1, &[ANSWERS], QoS::AtLeastOnce));
    world
        .hub
        .update_desired(world.now, &dev1(), json!({"rate": 5, "gone": null}))
        .unwrap();
    for body in ["", " ", "anything"] {
        let (packets, _) = world.exchange(connection, &publish("$iothub/twin/GET/?$rid=q-1", body));
        let expected = json!({"desired": {"rate": 5, "$version": 2}, "reported": {"$version": 1}});
        assert_eq!(
            published(&packets),
            [("$iothub/twin/res/200/?$rid=q-1", expected)]
        );
    }
    world.events();
    let patch = |rid: u32, body: &str| {
        publish(
            &format!("$iothub/twin/PATCH/properties/reported/?$rid={rid}"),
            body,
        )
    };
    let rows = [
        (
            patch(1, "{\"fw\":\"1.0\",\"a\":{\"b\":1}}"),
            "204/?$rid=1&$version=2",
        ),
        (
            patch(2, "{\"a\":{\"b\":null,\"c\":2}}"),
            "204/?$rid=2&$version=3",
        ),
        (patch(3, "[]"), "400/?$rid=3"),
        (patch(4, "{\"a.b\":1}"), "400/?$rid=4"),
        (patch(5, "{"), "400/?$rid=5"),
        (patch(6, ""), "400/?$rid=6"),
    ];
    for (packet, expected) in rows {
        let (packets, closed) = world.exchange(connection, &packet);
        let answers = published(&packets);
        assert_eq!(answers.len(), 1);
        assert_eq!(answers[0].0, format!("$iothub/twin/res/{expected}"));
        assert_eq!(
            answers[0].1["errorCode"].is_null(),
            expected.starts_with("204")
        );
        assert!(!closed);
    }
    let twin = world.hub.twin(&dev1()).unwrap();
    assert_eq!(
        Value::Object(twin.reported.properties.clone()),
        json!({"fw": "1.0", "a": {"c": 2}})
    );
    let reported = world.events().into_iter().filter_map(|event| match event {
        Event::Reported { patch, version, .. } => Some((patch, version)),
        _ => None,
    });
    assert_eq!(
        reported.collect::<Vec<_>>().pop().unwrap(),
        ("{\"a\":{\"b\":null,\"c\":2}}".to_owned(), 3)
    );
}

#[test]
fn nobody_hears_a_twin_without_subscription() {
    let mut world = World::new(&config());
    let connection = world.connected(&connect());
    let answer = world.exchange(connection, &publish("$iothub/twin/GET/?$rid=1", ""));
    assert_eq!(answer, (vec![], false));
    assert_eq!(warnings(&mut world), [Warning::TwinResponseUnheard]);
}

#[test]
fn desired_properties_reach_whoever_listens() {
    let mut world = World::new(&config());
    let update = |world: &mut World, patch| world.hub.update_desired(world.now, &dev1(), patch);
    assert_eq!(update(&mut world, json!({"a": 1})), Ok(2));
    let connection = world.connected(&connect());
    assert_eq!(update(&mut world, json!({"a": 2})), Ok(3));
    assert_eq!(
        world.receive(connection),
        (vec![], false),
        "not subscribed, and never sent later"
    );
    world.exchange(connection, &subscribe(1, &[DESIRED], QoS::AtLeastOnce));
    assert_eq!(update(&mut world, json!({"a": null, "b": {"c": 1}})), Ok(4));
    let (packets, _) = world.receive(connection);
    assert_eq!(
        published(&packets),
        [(
            "$iothub/twin/PATCH/properties/desired/?$version=4",
            json!({"a": null, "b": {"c": 1}, "$version": 4})
        )]
    );
    let replaced = world
        .hub
        .replace_desired(world.now, &dev1(), json!({"z": 1}));
    assert_eq!(replaced, Ok(5));
    let (packets, _) = world.receive(connection);
    assert_eq!(
        published(&packets),
        [(
            "$iothub/twin/PATCH/properties/desired/?$version=5",
            json!({"b": null, "z": 1, "$version": 5})
        )]
    );
    assert_eq!(
        update(&mut world, json!([])),
        Err(ServiceError::Twin(TwinError::NotObject))
    );
    let tags = |world: &mut World, tags, update| world.hub.update_tags(&dev1(), tags, update);
    assert_eq!(
        tags(&mut world, json!({"floor": 1, "x": 1}), TagUpdate::Merge),
        Ok(())
    );
    assert_eq!(
        tags(&mut world, json!({"x": null}), TagUpdate::Merge),
        Ok(())
    );
    assert_eq!(
        Value::Object(world.hub.twin(&dev1()).unwrap().tags.clone()),
        json!({"floor": 1})
    );
    assert_eq!(tags(&mut world, json!({}), TagUpdate::Replace), Ok(()));
    assert!(world.hub.twin(&dev1()).unwrap().tags.is_empty());
    assert_eq!(
        world.receive(connection),
        (vec![], false),
        "tags are not the device's business"
    );
}

#[test]
fn faults() {
    let start = |fault| {
        let mut world = World::new(&config());
        let connection = world.connected(&connect());
        world.exchange(connection, &subscribe(1, &[ANSWERS], QoS::AtMostOnce));
        world.events();
        world.hub.inject(world.now, &dev1(), fault);
        (world, connection)
    };
    let message = |n| publish_qos1(n, EVENTS, "x");
    let puback = |n| (vec![Packet::Puback(id(n))], false);
    let nothing = (vec![], false);

    let (mut world, connection) = start(Fault::CloseAtPacket(2));
    assert_eq!(world.exchange(connection, &message(1)), puback(1));
    assert_eq!(world.exchange(connection, &message(2)), (vec![], true));
    assert_eq!(world.reasons(), ["on-request"]);

    let (mut world, connection) = start(Fault::DropPubacks(2));
    assert_eq!(world.exchange(connection, &message(1)), nothing);
    assert_eq!(world.exchange(connection, &message(2)), nothing);
    assert_eq!(world.exchange(connection, &message(3)), puback(3));
    let messages = world
        .events()
        .iter()
        .filter(|event| matches!(event, Event::Telemetry(_)))
        .count();
    assert_eq!(messages, 3, "received, only not acknowledged");

    let (mut world, connection) = start(Fault::DelayPubacks {
        count: 1,
        delay_ms: 3000,
    });
    assert_eq!(world.exchange(connection, &message(1)), nothing);
    assert_eq!(world.exchange(connection, &message(2)), puback(2));
    world.advance(3);
    assert_eq!(world.receive(connection), puback(1));

    let (mut world, connection) = start(Fault::HalfOpen);
    assert_eq!(world.exchange(connection, &message(1)), nothing);
    assert_eq!(world.exchange(connection, &Packet::Pingreq), nothing);
    let again = world.connected(&connect());
    assert_eq!(world.exchange(again, &message(1)), puback(1));

    let (mut world, connection) = start(Fault::ExpireToken);
    assert_eq!(world.receive(connection), (vec![], true));
    assert_eq!(world.reasons(), ["token-expired"]);

    let (mut world, connection) = start(Fault::TwinStatus {
        count: 1,
        status: 429,
    });
    let get = publish("$iothub/twin/GET/?$rid=1", "");
    for expected in ["429", "200"] {
        let (packets, _) = world.exchange(connection, &get);
        assert_eq!(
            published(&packets)[0].0,
            format!("$iothub/twin/res/{expected}/?$rid=1")
        );
    }

    let (mut world, connection) = start(Fault::Garbage(vec![0xff, 0x00]));
    let mut out = Vec::new();
    assert!(!world.hub.transmit(connection, &mut out));
    assert_eq!(out, [0xff, 0x00]);
}

#[test]
fn refused_connects() {
    let mut world = World::new(&config());
    let code = ConnectReturnCode::ServerUnavailable;
    world
        .hub
        .inject(world.now, &dev1(), Fault::RefuseConnects { count: 2, code });
    let unavailable = Packet::Connack(Connack {
        session_present: false,
        code,
    });
    for _ in 0..2 {
        let connection = world.open();
        let answer = world.exchange(connection, &Packet::Connect(connect()));
        assert_eq!(answer, (vec![unavailable.clone()], true));
    }
    world.connected(&connect());
    assert_eq!(world.reasons(), ["on-request", "on-request"]);
    let usual = world.open();
    let wrong = mqtt311::Connect {
        password: None,
        ..connect()
    };
    assert_eq!(
        world.exchange(usual, &Packet::Connect(wrong)),
        (vec![REFUSED], true)
    );
}

#[test]
fn a_restart_keeps_sessions() {
    let mut world = World::new(&config());
    let connection = world.connected(&persistent());
    world.exchange(connection, &subscribe(1, &[METHODS], QoS::AtMostOnce));
    world.hub.restart(world.now);
    assert_eq!(world.receive(connection), (vec![], true));
    let connection = world.connected(&persistent());
    world
        .hub
        .invoke_method(world.now, &dev1(), MethodCall::new("x"))
        .unwrap();
    assert_eq!(world.receive(connection).0.len(), 1);
}

#[test]
fn chaos_is_the_same_for_the_same_seed() {
    let run = |seed, per_thousand| {
        let mut world = World::new(&config());
        world.hub.set_chaos(Some(Chaos { seed, per_thousand }));
        let mut outcome = Vec::new();
        for round in 0..40 {
            let connection = world.connected(&connect());
            for n in 1..10 {
                world.send(connection, &publish_qos1(n, EVENTS, "x"));
                let mut bytes = Vec::new();
                let closed = world.hub.transmit(connection, &mut bytes);
                outcome.push((round, bytes, closed));
                if closed {
                    break;
                }
            }
            world.advance(1);
        }
        outcome
    };
    let wild = run(1, 300);
    assert_eq!(wild, run(1, 300));
    assert_ne!(wild, run(2, 300));
    assert!(wild.iter().any(|(_, _, closed)| *closed));
    assert!(
        wild.iter().any(|(_, bytes, _)| bytes == &[0xf0, 0x0f]),
        "garbage"
    );
    assert!(
        run(1, 0)
            .iter()
            .all(|(_, bytes, closed)| bytes.len() == 4 && !closed)
    );
}

#[test]
fn a_module_has_a_twin_and_methods_of_its_own() {
    let device = Device::with_key("dev1", key()).with_module(iothub_sim::Module::new(
        "mod1",
        iothub_sim::Credentials::generated_keys(),
    ));
    let config = Config::new([IotHub::new(HOST).with_device(device)]);
    let mut world = World::new(&config);
    let module = Identity::module(HOST, "dev1", "mod1");
    assert_eq!(
        world
            .hub
            .update_desired(world.now, &module, json!({"a": 1})),
        Ok(2)
    );
    assert_eq!(world.hub.twin(&dev1()).unwrap().desired.version, 1);
    let offline = MethodError::NotOnline("dev1/mod1".to_owned());
    assert_eq!(
        world
            .hub
            .invoke_method(world.now, &module, MethodCall::new("x")),
        Err(offline)
    );
    let message = iothub_sim::CloudToDeviceMessage::new("x");
    let refused = world.hub.send_to_device(world.now, &module, message);
    assert_eq!(refused, Err(ServiceError::NotFound("dev1/mod1".to_owned())));
}
