//! Any bytes, times and network events: a module never panics, never talks for ever, and answers after a power cycle.
//! A text that starts with `[` is a profile or a fault script instead.
//!
//! Input: one byte for the profile, then what the host writes. 0xFF introduces something else: `w` and two bytes let
//! milliseconds pass (little end first), `n` and a kind, a length and so many bytes are a network event.
#![no_main]

use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use quectel_sim::{
    ConnectFailure, Faults, Module, ModuleConfig, NetEvent, NetRequest, PowerState, Profile,
    ProfileError, SimState, SocketId, Timing,
};

/// Made once: reading a profile takes longer than a whole run.
static PROFILES: LazyLock<Vec<Profile>> = LazyLock::new(|| {
    let named = [
        ("bg96", Some("BG96MAR02A07M1G")),
        ("bg96", None),
        ("bg95", None),
        ("ec25", None),
        ("ec200u", None),
        ("eg800k", None),
    ];
    named
        .into_iter()
        .map(|(model, firmware)| Profile::select(model, firmware).expect("it exists"))
        .collect()
});
/// 22 November 2026.
const TODAY: i64 = 1_795_305_600;
/// More than a module says in answer to the longest input.
const OUTPUT_MAX: usize = 16 << 20;

fuzz_target!(|data: &[u8]| {
    match (data.first(), core::str::from_utf8(data)) {
        (Some(b'['), Ok(text)) => toml(text),
        (Some(first), _) => module(usize::from(*first), &data[1..]),
        (None, _) => {}
    }
});

/// An error names the file; a script that is taken can be carried out.
fn toml(text: &str) {
    let named = |error: ProfileError| assert!(error.to_string().starts_with("fuzz.toml"));
    let mut profile = PROFILES[2].clone();
    let before = profile.clone();
    if let Err(error) = profile.overlay("fuzz.toml", text) {
        assert_eq!(profile, before, "a file that is refused changes nothing");
        named(error);
    }
    let mut faults = Faults::default();
    if let Err(error) = faults.load("fuzz.toml", text) {
        named(error);
    }
    let mut module = Module::new(setup(profile));
    let _ = module.faults().load("fuzz.toml", text);
    talk(
        &mut module,
        b"AT\rAT+CSQ\rAT+QMTOPEN=0,\"h\",1883\r\xffw\xff\xffATI\r",
    );
}

fn setup(profile: Profile) -> ModuleConfig {
    let mut config = ModuleConfig::with_profile(profile)
        .timing(Timing::Fast)
        .power(PowerState::Ready)
        .nonvolatile("urcport", "uart1")
        .unix_s(TODAY);
    config.log_lines = 100;
    config
}

fn module(first: usize, input: &[u8]) {
    let profile = &PROFILES[first % PROFILES.len()];
    let mut module = Module::new(setup(profile.clone()));
    let mut now = talk(&mut module, input);
    *module.faults() = Faults::default();
    module.set_sim(SimState::Ready);
    module.power_cycle();
    let mut out = Vec::new();
    now += 10_000;
    module.uart_tx(now, &mut out);
    out.clear();
    module.uart_rx(now, b"\rATE1V1Q0\rAT&F;&F1;&W\rAT\r");
    module.uart_tx(now + 10_000, &mut out);
    assert!(
        out.ends_with(b"\r\nOK\r\n"),
        "{:?}",
        String::from_utf8_lossy(&out)
    );
}

/// Gives the time at the end.
fn talk(module: &mut Module, mut input: &[u8]) -> u64 {
    let (mut now, mut open, mut out) = (0, Vec::new(), Vec::new());
    while let Some((first, rest)) = input.split_first() {
        input = match (first, rest) {
            (0xff, [b'w', low, high, rest @ ..]) => {
                now += u64::from(u16::from_le_bytes([*low, *high]));
                rest
            }
            (0xff, [b'n', kind, length, rest @ ..]) => {
                let (bytes, rest) = rest.split_at(rest.len().min(usize::from(*length)));
                happen(module, now, &mut open, *kind, bytes);
                rest
            }
            _ => {
                let end = input[1..].iter().position(|b| *b == 0xff);
                let (bytes, rest) = input.split_at(end.map_or(input.len(), |at| at + 1));
                module.uart_rx(now, bytes);
                rest
            }
        };
        module.uart_tx(now, &mut out);
        assert!(out.len() < OUTPUT_MAX, "it does not stop talking");
    }
    now
}

fn happen(module: &mut Module, now: u64, open: &mut Vec<SocketId>, kind: u8, bytes: &[u8]) {
    while let Some(request) = module.poll_net() {
        match request {
            NetRequest::Connect { socket, .. } | NetRequest::Listen { socket, .. } => {
                open.push(socket);
            }
            NetRequest::Resolve { lookup, .. } => {
                let addresses = vec![[10, 0, 0, kind].into()];
                module.net_event(now, NetEvent::Resolved { lookup, addresses });
            }
            _ => {}
        }
    }
    let Some(socket) = open
        .get(usize::from(kind >> 3) % open.len().max(1))
        .copied()
    else {
        return;
    };
    let event = match kind % 8 {
        0 => NetEvent::Connected { socket, peer: None },
        1 => NetEvent::ConnectFailed {
            socket,
            reason: ConnectFailure::Refused,
        },
        2 => NetEvent::Closed { socket },
        3 => NetEvent::Listening { socket, port: 1 },
        4 => NetEvent::Accepted {
            listener: socket,
            socket: SocketId(0x8000_0000),
            peer: None,
            port: 1,
        },
        5 => NetEvent::Sent {
            socket,
            count: bytes.len(),
        },
        _ => NetEvent::Data {
            socket,
            data: bytes.to_vec(),
        },
    };
    module.net_event(now, event);
}
