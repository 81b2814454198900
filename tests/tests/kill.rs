//! The driver is killed at every point of the flow; the next run must succeed with what it left behind: files half
//! uploaded, prompts open, the MQTT client occupied.

use quectel_azure::azure_auth::ConnectionString;
use quectel_azure::{CaFile, Client, Config, Credential, Message};
use quectel_azure_tests::host::{Chunk, Memory, Seen, connect, drive};
use quectel_azure_tests::world::{DEVICE, HUB, HubSetup, NOW_UNIX_S, World, module};

/// Runs a client until it has sent `bytes` bytes, then forgets it. Returns how many it sent and whether it connected.
fn run_for(world: &mut World, config: Config<'_>, bytes: usize) -> (usize, bool) {
    let mut memory = Memory::new();
    let mut client = memory.client(config);
    client.connect(world.now_ms).expect("the client is idle");
    let (mut sent, mut published) = (0, false);
    loop {
        let mut one = [0];
        while client.poll_transmit(&mut one) > 0 {
            world.send(&one);
            sent += 1;
            if sent == bytes {
                return (sent, client.is_connected());
            }
        }
        if !step(&mut client, world, &mut published) {
            return (sent, client.is_connected());
        }
    }
}

/// Gives the client what the module said, or lets time pass; false when nothing happens any more.
fn step(client: &mut Client<'_>, world: &mut World, published: &mut bool) -> bool {
    world.settle();
    let heard = core::mem::take(&mut world.uart);
    let mut input = &heard[..];
    let mut moved = !heard.is_empty();
    let mut connected = false;
    let mut done = false;
    while let Some(event) = client.poll(world.now_ms, &mut input) {
        moved = true;
        connected |= matches!(event, quectel_azure::Event::Connected);
        done |= matches!(
            event,
            quectel_azure::Event::Published(_) | quectel_azure::Event::Failed(_)
        );
    }
    if connected && !*published {
        *published = true;
        client
            .publish(world.now_ms, &Message::new(b"last words"))
            .expect("connected");
        return true;
    }
    if done {
        return false;
    }
    if !moved {
        let next = client
            .poll_timeout()
            .into_iter()
            .chain(world.next_at())
            .min();
        match next {
            Some(at) => world.run_until(at.max(world.now_ms + 1)),
            None => return false,
        }
    }
    true
}

fn config<'a>(connection_string: &'a str, ca_pem: &'a str) -> Config<'a> {
    let parsed = ConnectionString::parse(connection_string).expect("the hub's connection string");
    let key = parsed.shared_access_key().expect("a key");
    let mut config = Config::new(HUB, DEVICE, Credential::SharedAccessKey(key)).apn("internet");
    config.ca = CaFile {
        pem: ca_pem.as_bytes(),
        ..CaFile::default()
    };
    config
}

fn world(model: &str, firmware: Option<&str>) -> World {
    World::new(
        HubSetup::new().without_sni(),
        module(model, firmware, NOW_UNIX_S),
    )
}

#[test]
fn the_next_run_succeeds_after_a_kill_at_any_byte() {
    for (model, firmware) in [
        ("bg96", Some("BG96MAR02A08M1G")),
        ("bg95", None),
        ("ec25", None),
        ("ec200u", None),
    ] {
        let mut whole = world(model, firmware);
        let (text, pem) = (whole.connection_string.clone(), whole.ca_pem.clone());
        let (total, connected) = run_for(&mut whole, config(&text, &pem), usize::MAX);
        assert!(
            connected,
            "{model}: the flow works undisturbed: {:?}",
            whole.refusals()
        );
        // Every byte near the end, where the prompt of the publish is; otherwise about a hundred places.
        let stride = (total / 100).max(1);
        let places = (1..total).filter(|at| at % stride == 0 || at + 80 > total);
        for at in places {
            let mut world = world(model, firmware);
            let (text, pem) = (world.connection_string.clone(), world.ca_pem.clone());
            run_for(&mut world, config(&text, &pem), at);
            world.run_until(world.now_ms + 100);
            world.uart.clear();
            let mut memory = Memory::new();
            let mut client = memory.client(config(&text, &pem));
            let seen = connect(&mut client, &mut world);
            assert_eq!(
                seen.last(),
                Some(&Seen::Connected),
                "{model} {firmware:?} killed after {at} of {total} bytes: {seen:?} {:?}",
                world.refusals()
            );
        }
    }
}

/// The second run finds its files and does not send them again.
#[test]
fn a_warm_start_uploads_nothing() {
    let mut world = world("ec21", None);
    let (text, pem) = (world.connection_string.clone(), world.ca_pem.clone());
    let (first, connected) = run_for(&mut world, config(&text, &pem), usize::MAX);
    assert!(connected);
    let (second, connected) = run_for(&mut world, config(&text, &pem), usize::MAX);
    assert!(connected);
    assert!(
        first - second >= pem.len() / 2,
        "first {first} bytes, second {second} bytes"
    );
}

/// Ctrl-C at any byte: the client ends by itself, soon, and the next run works.
#[test]
fn a_disconnect_at_any_byte_ends_soon() {
    for (model, firmware) in [("bg96", Some("BG96MAR02A08M1G")), ("ec25", None)] {
        let mut whole = world(model, firmware);
        let (text, pem) = (whole.connection_string.clone(), whole.ca_pem.clone());
        let (total, _) = run_for(&mut whole, config(&text, &pem), usize::MAX);
        let places = (1..total).filter(|at| at % (total / 40).max(1) == 0 || at + 40 > total);
        for at in places {
            let mut world = world(model, firmware);
            let (text, pem) = (world.connection_string.clone(), world.ca_pem.clone());
            let mut memory = Memory::new();
            let mut client = memory.client(config(&text, &pem));
            client.connect(world.now_ms).expect("the client is idle");
            let (mut sent, mut published, mut one) = (0, false, [0]);
            // A token's length differs from key to key, so the last places may lie behind the end.
            'run: loop {
                while client.poll_transmit(&mut one) > 0 {
                    world.send(&one);
                    sent += 1;
                    if sent == at {
                        break 'run;
                    }
                }
                if !step(&mut client, &mut world, &mut published) {
                    break;
                }
            }
            let began = world.now_ms;
            client.disconnect(world.now_ms).expect("it runs");
            let seen = drive(&mut client, &mut world, Chunk(0), 60_000, Seen::settles);
            assert_eq!(
                seen.last(),
                Some(&Seen::Disconnected),
                "{model} at byte {at}: {seen:?}"
            );
            assert!(
                world.now_ms - began <= 15_000,
                "{model} at byte {at}: {} ms",
                world.now_ms - began
            );
            let seen = connect(&mut client, &mut world);
            assert_eq!(
                seen.last(),
                Some(&Seen::Connected),
                "{model} at byte {at}: {seen:?}"
            );
        }
    }
}
