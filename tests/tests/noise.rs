//! The flow with a URC between any two lines, and with a serial line that loses and changes bytes.

use quectel_azure::azure_auth::ConnectionString;
use quectel_azure::{CaFile, Client, Config, Credential, Event, Message};
use quectel_azure_tests::host::{Memory, Seen, connect};
use quectel_azure_tests::world::{DEVICE, HUB, HubSetup, NOW_UNIX_S, World, module};

/// A generator of reproducible numbers.
struct Dice(u32);

impl Dice {
    fn below(&mut self, n: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % n
    }
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

/// Runs connect and one publish with a serial line that changes what both sides say; true if the message arrived.
/// In virtual time it must end by itself.
fn run(
    client: &mut Client<'_>,
    world: &mut World,
    to_module: &mut dyn FnMut(Vec<u8>) -> Vec<u8>,
    to_host: &mut dyn FnMut(Vec<u8>) -> Vec<u8>,
) -> bool {
    client.connect(world.now_ms).expect("the client is idle");
    let end = world.now_ms + 3_600_000;
    let mut out = [0; 256];
    loop {
        let mut moved = false;
        loop {
            let n = client.poll_transmit(&mut out);
            if n == 0 {
                break;
            }
            moved = true;
            world.send(&to_module(out[..n].to_vec()));
        }
        world.settle();
        let heard = core::mem::take(&mut world.uart);
        moved |= !heard.is_empty();
        let heard = if heard.is_empty() {
            heard
        } else {
            to_host(heard)
        };
        let mut input = &heard[..];
        let mut connected = false;
        while let Some(event) = client.poll(world.now_ms, &mut input) {
            moved = true;
            match event {
                Event::Connected => connected = true,
                Event::Published(_) => return true,
                Event::Failed(_) | Event::PublishFailed { .. } => return false,
                _ => {}
            }
        }
        if connected {
            client
                .publish(world.now_ms, &Message::new(b"hello"))
                .expect("connected");
        } else if !moved {
            let next = client
                .poll_timeout()
                .into_iter()
                .chain(world.next_at())
                .min();
            let at = next.expect("the client waits for something");
            assert!(at <= end, "the flow ends by itself");
            world.run_until(at.max(world.now_ms + 1));
        }
    }
}

const URCS: &[&str] = &[
    "+CEREG: 1",
    "+CREG: 1,\"D509\",\"80D413D\",7",
    "+QIND: SMS DONE",
    "+CTZV: \"+32\"",
    "+CPIN: READY",
    "+QIURC: \"recv\",7",
    "+QMTSTAT: 5,1",
    "+QMTRECV: 3,0,\"foreign\",2,\"OK\"",
    "+UNKNOWN: \"OK\"",
];

#[test]
fn a_urc_between_any_two_lines_changes_nothing() {
    for (model, firmware) in [
        ("bg96", Some("BG96MAR02A08M1G")),
        ("bg95", None),
        ("ec25", None),
        ("eg800k", None),
    ] {
        for seed in 0..8 {
            let mut world = World::new(
                HubSetup::new().without_sni(),
                module(model, firmware, NOW_UNIX_S),
            );
            let (text, pem) = (world.connection_string.clone(), world.ca_pem.clone());
            let mut memory = Memory::new();
            let mut client = memory.client(config(&text, &pem));
            let mut dice = Dice(seed);
            let mut inserted = 0;
            let mut insert = |heard: Vec<u8>| {
                let mut out = Vec::new();
                for (at, &byte) in heard.iter().enumerate() {
                    // Before a line; a prompt and counted data are not lines.
                    let before_line = byte == b'\r'
                        && heard[at..].starts_with(b"\r\n")
                        && heard.get(at + 2) != Some(&b'>');
                    let after_line = at == 0 || heard[..at].ends_with(b"\r\n");
                    if before_line && after_line && dice.below(2) == 0 {
                        let urc = URCS[dice.below(9) as usize % URCS.len()];
                        out.extend_from_slice(format!("\r\n{urc}\r\n").as_bytes());
                        inserted += 1;
                    }
                    out.push(byte);
                }
                out
            };
            let arrived = run(&mut client, &mut world, &mut |bytes| bytes, &mut insert);
            assert!(inserted >= 20, "{inserted} URCs");
            assert!(
                arrived,
                "{model} {firmware:?} seed {seed}: {:?} {:?}",
                client.step(),
                world.refusals()
            );
        }
    }
}

#[test]
fn a_bad_serial_line_ends_in_success_or_failure_and_the_next_run_works() {
    let (mut good, mut bad) = (0, 0);
    for model in ["bg95", "ec25"] {
        for seed in 0..30 {
            let mut world = World::new(HubSetup::new(), module(model, None, NOW_UNIX_S));
            let (text, pem) = (world.connection_string.clone(), world.ca_pem.clone());
            let mut memory = Memory::new();
            let mut client = memory.client(config(&text, &pem));
            let mut dice = (Dice(seed), Dice(seed + 1_000));
            let spoil = |dice: &mut Dice, bytes: Vec<u8>| -> Vec<u8> {
                bytes
                    .into_iter()
                    .filter_map(|byte| match dice.below(1_500) {
                        0 => None,
                        1 => Some(byte ^ 1 << dice.below(8)),
                        _ => Some(byte),
                    })
                    .collect()
            };
            let arrived = run(
                &mut client,
                &mut world,
                &mut |bytes| spoil(&mut dice.0, bytes),
                &mut |bytes| spoil(&mut dice.1, bytes),
            );
            *(if arrived { &mut good } else { &mut bad }) += 1;
            world.run_until(world.now_ms + 1_000);
            world.uart.clear();
            let mut memory = Memory::new();
            let seen = connect(&mut memory.client(config(&text, &pem)), &mut world);
            assert_eq!(
                seen.last(),
                Some(&Seen::Connected),
                "{model} seed {seed}: {seen:?}"
            );
        }
    }
    assert!(
        good > 0 && bad > 0,
        "the line is neither perfect nor dead: {good} good, {bad} bad"
    );
}
