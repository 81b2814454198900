//! What a hub remembers over a restart, and what it refuses to remember.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod common;

use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    path::Path,
};

use common::{
    HOST, RESUMED, START, World, config, key, persistent, publish, subscribe, tls::TlsClient,
};
use iothub_sim::{
    Clock, CloudToDeviceMessage, CloudToDeviceOutcome, Event, Hub, Identity, LocalHub,
    RestoreError, SavedState, ServerOptions, ServiceOptions, StartError, StateError, StateFolder,
    sas_token,
};
use mqtt311::{Connect, Packet, QoS};
use rustls::StreamOwned;
use serde_json::{Value, json};

const C2D: &str = "devices/dev1/messages/devicebound/#";

fn dev1() -> Identity {
    Identity::device(HOST, "dev1")
}

/// What a new hub knows after a restart.
fn restarted(world: &World) -> World {
    let json = world.hub.save().to_json();
    let mut next = World::new(&config());
    next.now = world.now;
    next.hub.restore(SavedState::from_json(&json).unwrap());
    assert_eq!(
        next.hub.save().to_json(),
        json,
        "nothing is lost in the second round"
    );
    next
}

#[test]
fn sessions_queues_and_twins_survive() {
    let mut world = World::new(&config());
    let before = world.hub.changes();
    let connection = world.connected(&persistent());
    let filters = [C2D, "$iothub/twin/res/#"];
    world.exchange(connection, &subscribe(1, &filters, QoS::AtLeastOnce));
    world.exchange(
        connection,
        &publish(
            "$iothub/twin/PATCH/properties/reported/?$rid=1",
            "{\"fw\":1}",
        ),
    );
    world
        .hub
        .update_desired(world.now, &dev1(), json!({"rate": 5}))
        .unwrap();
    world.send(connection, &Packet::Disconnect);
    let message = CloudToDeviceMessage::new([0, 255]).with_property("a", "b");
    let first = world
        .hub
        .send_to_device(world.now, &dev1(), message)
        .unwrap();
    assert!(world.hub.changes() > before);

    let mut world = restarted(&world);
    let twin = world.hub.twin(&dev1()).unwrap();
    assert_eq!(
        Value::Object(twin.reported.properties.clone()),
        json!({"fw": 1})
    );
    assert_eq!((twin.desired.version, twin.reported.version), (2, 2));
    let connection = world.open();
    let (packets, _) = world.exchange(connection, &Packet::Connect(persistent()));
    let [resumed, Packet::Publish(publish)] = packets.as_slice() else {
        panic!("{packets:?}");
    };
    assert_eq!(resumed, &RESUMED);
    assert_eq!(publish.payload, [0, 255]);
    assert!(publish.topic.ends_with("&a=b"), "{}", publish.topic);

    // Numbers go on where they were, and time limits hold.
    let second = world
        .hub
        .send_to_device(world.now, &dev1(), CloudToDeviceMessage::new(""))
        .unwrap();
    assert_eq!(second, first + 1);
    let mut world = restarted(&world);
    world.advance(3600);
    let expired = world
        .events()
        .iter()
        .filter(|event| {
            matches!(
                event,
                Event::CloudToDevice {
                    outcome: CloudToDeviceOutcome::Expired,
                    ..
                }
            )
        })
        .count();
    assert_eq!(expired, 2);
}

#[test]
fn a_clean_session_is_not_remembered() {
    let mut world = World::new(&config());
    let before = world.hub.changes();
    let connection = world.connected(&common::connect());
    world.exchange(connection, &subscribe(1, &[C2D], QoS::AtLeastOnce));
    assert_eq!(world.hub.changes(), before, "nothing to save");
    let connection = world.connected(&persistent());
    assert_eq!(world.hub.changes(), before + 1, "a persistent one is new");
    world.exchange(connection, &subscribe(1, &[C2D], QoS::AtLeastOnce));
    assert_eq!(world.hub.changes(), before + 2);
    world.connected(&persistent());
    assert_eq!(world.hub.changes(), before + 2, "and is resumed as it was");
    world.connected(&common::connect());
    assert_eq!(world.hub.changes(), before + 3, "until a clean one ends it");
    let mut world = restarted(&world);
    let connection = world.open();
    let (packets, _) = world.exchange(connection, &Packet::Connect(persistent()));
    assert_eq!(packets, [common::ACCEPTED]);
}

#[test]
fn configured_keys_win() {
    let world = World::new(&config());
    let saved = world.hub.save();
    let mut other = Hub::new(&iothub_sim::Config::single_device(
        HOST,
        iothub_sim::Device::with_key("dev1", iothub_sim::SharedAccessKey::from_bytes([5])),
    ))
    .unwrap();
    other.restore(saved);
    let mut world = World::new(&config());
    world.hub = other;
    let connection = world.open();
    world.send(connection, &Packet::Connect(persistent()));
    assert_eq!(
        world.reasons(),
        ["token-signature"],
        "signed with the key of the old configuration"
    );
}

#[test]
fn states_that_cannot_be_used() {
    let newer = SavedState::from_json("{\"version\":2,\"more\":1}").unwrap_err();
    assert_eq!(
        newer,
        RestoreError::Newer {
            found: 2,
            supported: 1
        }
    );
    for text in [
        "",
        "{",
        "[]",
        "{}",
        "{\"version\":1}",
        "{\"version\":\"1\"}",
    ] {
        let error = SavedState::from_json(text).unwrap_err();
        assert!(matches!(error, RestoreError::Damaged(_)), "{text}: {error}");
    }
}

fn options() -> ServerOptions {
    let mut options = ServerOptions::default();
    options.clock = Clock::StartingAt(START);
    options
}

fn start(path: &Path) -> LocalHub {
    let mut folder = StateFolder::open(path).unwrap();
    let file = folder.configuration().unwrap();
    LocalHub::start_in(folder, &file, &options()).unwrap()
}

#[test]
fn a_folder_keeps_everything() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("new/state");
    let hub = start(&path);
    let string = hub.connection_string("device1").unwrap();
    let ca = hub.ca_pem().to_owned();
    hub.update_desired("device1", "{\"rate\":5}").unwrap();
    let introduction = hub.introduction(&path.join("root.pem"));
    for part in [
        format!("on {}", hub.addr()),
        format!("trust: {}", path.join("root.pem").display()),
        format!("device1: {string}"),
        "id scope 0ne00000A0A".to_owned(),
        "HostName=contoso.azure-devices.net;SharedAccessKeyName=iothubowner;SharedAccessKey="
            .to_owned(),
        "group devices: key ".to_owned(),
    ] {
        assert!(introduction.contains(&part), "{part} in {introduction}");
    }
    hub.stop();

    let hub = start(&path);
    assert_eq!(hub.connection_string("device1").unwrap(), string);
    assert_eq!(hub.ca_pem(), ca);
    assert_eq!(hub.twin("device1").unwrap().desired.version, 2);
    assert_eq!(fs::read_to_string(path.join("root.pem")).unwrap(), ca);

    // The chain of the second start still ends at the root of the first.
    let key = string
        .rsplit_once("SharedAccessKey=")
        .unwrap()
        .1
        .parse()
        .unwrap();
    let host = "contoso.azure-devices.net";
    let connect = Packet::Connect(Connect {
        client_id: "device1".to_owned(),
        user_name: Some(format!("{host}/device1/?api-version=2021-04-12")),
        password: Some(
            sas_token(&format!("{host}/devices/device1"), &key, START + 600, None).into_bytes(),
        ),
        ..Connect::default()
    });
    let tcp = TcpStream::connect(hub.addr()).unwrap();
    let mut client = StreamOwned::new(TlsClient::new(&ca, START).connection(), tcp);
    client.write_all(&connect.to_bytes().unwrap()).unwrap();
    let mut answer = [0; 4];
    client.read_exact(&mut answer).unwrap();
    assert_eq!(answer, [0x20, 2, 0, 0]);

    #[cfg(unix)]
    for file in ["seed", "root-key.pem", "state.json", "hub.toml"] {
        use std::os::unix::fs::PermissionsExt;
        let mode = fs::metadata(path.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
}

/// What a killed hub leaves behind is what lies in its folder at that moment.
#[test]
fn what_was_acknowledged_is_in_the_folder() {
    let temp = tempfile::tempdir().unwrap();
    let hub = start(temp.path());
    let on_disk = || {
        let text = fs::read_to_string(temp.path().join("state.json")).unwrap();
        let mut folder = StateFolder::open(temp.path()).unwrap();
        let mut hub = Hub::new(&folder.configuration().unwrap().config).unwrap();
        hub.restore(SavedState::from_json(&text).unwrap());
        hub
    };
    let string = hub.connection_string("device1").unwrap();
    let (_, key) = string.rsplit_once("SharedAccessKey=").unwrap();
    let host = "contoso.azure-devices.net";
    let identity = Identity::device(host, "device1");
    let token = sas_token(
        &format!("{host}/devices/device1"),
        &key.parse().unwrap(),
        START + 600,
        None,
    );
    let tcp = TcpStream::connect(hub.addr()).unwrap();
    tcp.set_read_timeout(Some(core::time::Duration::from_secs(10)))
        .unwrap();
    let client = TlsClient::new(hub.ca_pem(), START).connection();
    let mut client = StreamOwned::new(client, tcp);
    let mut decoder = mqtt311::Decoder::new(1 << 16);
    let mut exchange = |packet: &Packet| {
        client.write_all(&packet.to_bytes().unwrap()).unwrap();
        loop {
            if let Some(packet) = decoder.next_packet().unwrap() {
                return packet;
            }
            let mut chunk = [0; 4096];
            let n = client.read(&mut chunk).unwrap();
            assert!(n > 0, "closed");
            decoder.push(&chunk[..n]);
        }
    };
    exchange(&Packet::Connect(Connect {
        client_id: "device1".to_owned(),
        user_name: Some(format!("{host}/device1/?api-version=2021-04-12")),
        password: Some(token.into_bytes()),
        clean_session: false,
        ..Connect::default()
    }));
    exchange(&subscribe(1, &["$iothub/twin/res/#"], QoS::AtMostOnce));
    for n in 2..12 {
        let patch = format!("{{\"n\":{n}}}");
        let topic = "$iothub/twin/PATCH/properties/reported/?$rid=1";
        let Packet::Publish(answer) = exchange(&publish(topic, &patch)) else {
            panic!("no answer");
        };
        assert!(
            answer.topic.ends_with(&format!("$version={n}")),
            "{}",
            answer.topic
        );
        assert_eq!(on_disk().twin(&identity).unwrap().reported.version, n);
        // The embedding program is told no sooner either.
        hub.send_to_device("device1", CloudToDeviceMessage::new("x"))
            .unwrap();
        let queued = on_disk().identity_info(&identity).unwrap().queued_messages;
        assert_eq!(u64::try_from(queued).unwrap(), n - 1);
    }
    let json = on_disk().save().to_json();
    assert!(
        json.contains("$iothub/twin/res/#"),
        "the session is kept: {json}"
    );
    hub.stop();
}

#[test]
fn folders_that_cannot_be_used_stay_as_they_are() {
    let contents = |path: &Path| {
        let mut files: Vec<_> = fs::read_dir(path)
            .unwrap()
            .map(|entry| {
                let path = entry.unwrap().path();
                (path.clone(), fs::read(&path).unwrap())
            })
            .collect();
        files.sort();
        files
    };
    for (file, text, expected) in [
        (
            "state.json",
            "{\"version\":99}",
            "format 99, which a newer version",
        ),
        ("state.json", "{", "damaged"),
        ("seed", "not base64", "not the base64 of a key"),
    ] {
        let temp = tempfile::tempdir().unwrap();
        fs::write(temp.path().join(file), text).unwrap();
        let before = contents(temp.path());
        let error = StateFolder::open(temp.path()).unwrap_err().to_string();
        assert!(error.contains(expected) && error.contains(file), "{error}");
        assert_eq!(contents(temp.path()), before);
    }
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(
        StateFolder::open(&file),
        Err(StateError::Io { .. })
    ));

    fs::write(temp.path().join("root.pem"), "x").unwrap();
    fs::write(temp.path().join("root-key.pem"), "x").unwrap();
    let before = contents(temp.path());
    let mut folder = StateFolder::open(temp.path()).unwrap();
    let configuration = folder.configuration().unwrap();
    match LocalHub::start_in(folder, &configuration, &options()) {
        Err(StartError::State(StateError::Pki { path, .. })) => assert!(path.ends_with("root.pem")),
        other => panic!("{other:?}"),
    }
    assert_eq!(contents(temp.path()), before);
    assert_eq!(key().to_base64(), common::KEY);
}

#[cfg(unix)]
#[test]
fn a_folder_is_for_one_hub_at_a_time() {
    let temp = tempfile::tempdir().unwrap();
    let first = start(temp.path());
    let mut folder = StateFolder::open(temp.path()).unwrap();
    let file = folder.configuration().unwrap();
    let error = LocalHub::start_in(folder, &file, &options()).unwrap_err();
    assert!(
        error.to_string().contains("another hub uses this folder"),
        "{error}"
    );
    // Also without a graceful stop.
    drop(first);
    drop(start(temp.path()));
    start(temp.path()).stop();
}

#[test]
fn a_busy_port_makes_no_folder() {
    let temp = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    for service in [false, true] {
        let path = temp.path().join("state");
        let mut folder = StateFolder::open(&path).unwrap();
        let file = folder.configuration().unwrap();
        let mut options = options();
        if service {
            let mut wanted = ServiceOptions::new(key());
            wanted.listen = taken.local_addr().unwrap();
            options.service = Some(wanted);
        } else {
            options.listen = taken.local_addr().unwrap();
        }
        let error = LocalHub::start_in(folder, &file, &options).unwrap_err();
        assert!(error.to_string().contains("choose another port"), "{error}");
        assert!(!path.exists());
    }
}

#[test]
fn a_folder_that_vanishes_is_reported_once() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join("state");
    let hub = start(&path);
    fs::remove_dir_all(&path).unwrap();
    hub.update_desired("device1", "{\"rate\":5}").unwrap();
    let problem = hub.wait_for(
        core::time::Duration::from_secs(10),
        |record| match &record.event {
            Event::StateNotSaved { problem } => Some(problem.clone()),
            _ => None,
        },
    );
    assert!(problem.unwrap().contains("state.json: cannot be written"));
}
