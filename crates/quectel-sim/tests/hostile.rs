//! No bytes, no events and no order of calls make a module panic or stop.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use common::config;
use proptest::{collection::vec, prelude::*};
use quectel_sim::{
    ConnectFailure, FaultAction, Module, NetEvent, NetRequest, PowerState, SimState, SocketId,
    Timing,
};

const PROFILES: [&str; 6] = [
    "bg96@BG96MAR02A07M1G",
    "bg96",
    "bg95",
    "ec25",
    "ec200u",
    "eg800k",
];

/// Pieces that lead deep into the module.
const PIECES: &[&str] = &[
    "AT",
    "AT+QIACT=1",
    "AT+QIDEACT=1",
    "AT+QMTOPEN=0,\"h\",1883",
    "AT+QMTCONN=0,\"id\",\"u\",\"p\"",
    "AT+QMTPUB=0,1,1,0,\"t\"",
    "AT+QMTPUB=0,1,1,0,\"t\",5",
    "AT+QMTPUBEX=0,1,1,0,\"t\",5",
    "AT+QMTPUBEX=0,1,1,0,\"t\",\"x\"",
    "AT+QMTSUB=0,1,\"t\",1",
    "AT+QMTCLOSE=0",
    "AT+QMTDISC=0",
    "AT+QMTRECV=0",
    "AT+QMTCFG=\"ssl\",0,1,2",
    "AT+QMTCFG=\"ssl\",0,0",
    "AT+QMTCFG=\"recv/mode\",0,1,1",
    "AT+QMTCFG=\"willex\",0,1,0,0,\"t\",3",
    "AT+QMTCFG=\"version\",0,4",
    "AT+QFUPL=\"f\",5,1",
    "AT+QFUPL=\"f\",5,1,1",
    "AT+QFOPEN=\"f\"",
    "AT+QFWRITE=1,3",
    "AT+QFREAD=1",
    "AT+QFSEEK=1,4294967295,2",
    "AT+QFCLOSE=1",
    "AT+QFDEL=\"*\"",
    "AT+QFDWL=\"f\"",
    "AT+QIOPEN=1,0,\"TCP\",\"h\",80,0,0",
    "AT+QIOPEN=1,1,\"TCP\",\"h\",80,0,2",
    "AT+QIOPEN=1,2,\"TCP LISTENER\",\"127.0.0.1\",0,2020,1",
    "AT+QISEND=0,4",
    "AT+QISEND=0",
    "AT+QISENDEX=0,\"0AFF\"",
    "AT+QIRD=0,100",
    "AT+QISTATE?",
    "AT+QICLOSE=0",
    "AT+QSSLOPEN=1,2,4,\"h\",8883,0",
    "AT+QSSLOPEN=1,2,5,\"h\",8883,2",
    "AT+QSSLSEND=4,3",
    "AT+QSSLRECV=4,1500",
    "AT+QSSLCLOSE=4",
    "AT+QSSLCFG=\"ciphersuite\",2,0X0035",
    "AT+QPING=1,\"h\"",
    "AT+QIDNSGIP=1,\"h\"",
    "AT+CFUN=1,1",
    "AT+QPOWD",
    "ATS3=0",
    "ATV0",
    "ATQ1",
    "AT&F",
    "ATO",
    "A/",
    "+++",
    "\x1a",
    "\x1b",
    "hello",
    "\r",
    "\r\n",
    "\"",
    ";",
];

#[derive(Debug, Clone)]
enum Step {
    Piece(usize, bool),
    Bytes(Vec<u8>),
    Wait(u64),
    Answer(u8, Vec<u8>),
    Control(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..PIECES.len(), prop::bool::weighted(0.9)).prop_map(|(at, end)| Step::Piece(at, end)),
        2 => vec(any::<u8>(), 0..40).prop_map(Step::Bytes),
        1 => (0u64..200_000).prop_map(Step::Wait),
        4 => (any::<u8>(), vec(any::<u8>(), 0..40)).prop_map(|(kind, data)| Step::Answer(kind, data)),
        1 => any::<u8>().prop_map(Step::Control),
    ]
}

/// Valid packets for a client, so that more than the first byte is looked at.
const PACKETS: &[&[u8]] = &[
    b"\x20\x02\x00\x00",
    b"\x20\x02\x00\x05",
    b"\x40\x02\x00\x01",
    b"\x50\x02\x00\x01",
    b"\x62\x02\x00\x01",
    b"\x70\x02\x00\x01",
    b"\x90\x03\x00\x01\x01",
    b"\xd0\x00",
    b"\x32\x07\x00\x01t\x00\x01xx",
    b"\x34\x07\x00\x01t\x00\x02xx",
];

fn answer(module: &mut Module, now: u64, open: &mut Vec<SocketId>, kind: u8, data: Vec<u8>) {
    while let Some(request) = module.poll_net() {
        if let NetRequest::Connect { socket, .. } | NetRequest::Listen { socket, .. } = request {
            open.push(socket);
        } else if let NetRequest::Resolve { lookup, .. } = request {
            module.net_event(
                now,
                NetEvent::Resolved {
                    lookup,
                    addresses: vec![],
                },
            );
        }
    }
    let Some(socket) = open.get(usize::from(kind) % open.len().max(1)).copied() else {
        return;
    };
    let event = match kind % 9 {
        0 | 1 => NetEvent::Connected { socket, peer: None },
        2 => NetEvent::ConnectFailed {
            socket,
            reason: ConnectFailure::Dns,
        },
        3 => NetEvent::Closed { socket },
        4 => NetEvent::Data { socket, data },
        5 => NetEvent::Listening { socket, port: 1 },
        6 => NetEvent::Accepted {
            listener: socket,
            socket: SocketId(0x8000_0000),
            peer: None,
            port: 1,
        },
        _ => {
            let packet = PACKETS[data.len() % PACKETS.len()].to_vec();
            NetEvent::Data {
                socket,
                data: packet,
            }
        }
    };
    module.net_event(now, event);
}

fn control(module: &mut Module, kind: u8) {
    let actions = [
        FaultAction::Drop(3),
        FaultAction::Duplicate(3),
        FaultAction::Noise(3),
        FaultAction::Stall(100),
        FaultAction::Split(1),
        FaultAction::Urc("+X".to_owned()),
        FaultAction::Hang,
        FaultAction::Swallow,
        FaultAction::Reboot,
        FaultAction::BrownOut(50),
        FaultAction::LoseNetwork(50),
        FaultAction::OccupyMqtt(0),
        FaultAction::NoPrompt,
        FaultAction::StatStorm(0, 9),
        FaultAction::LateOk(10),
        FaultAction::ServerCloses(0),
        FaultAction::ShortUpload(2),
        FaultAction::UploadGaps(1),
    ];
    if let Some(action) = actions.get(usize::from(kind / 12)) {
        module.break_down(action.clone());
    }
    match kind % 12 {
        0 => module.drop_pdp(1),
        1 => module.raise_urc("+X: 1"),
        2 => module.power_cycle(),
        3 => module.press_power_key(),
        4 => module.power_on(),
        5 => module.set_sim(SimState::Absent),
        6 => module.set_sim(SimState::Ready),
        7 => module.set_registration(quectel_sim::Registration::Searching),
        8 => module.set_registration(quectel_sim::Registration::Home),
        9 => module.faults().flip_bit = 0.1,
        10 => module.reset(),
        _ => module.power_off(),
    }
}

fn run(profile: usize, steps: Vec<Step>) {
    let setup = config(PROFILES[profile])
        .timing(Timing::Fast)
        .power(PowerState::Ready)
        .nonvolatile("urcport", "uart1");
    let mut module = Module::new(setup);
    let (mut now, mut open, mut out) = (0, Vec::new(), Vec::new());
    for step in steps {
        match step {
            Step::Piece(at, end) => {
                module.uart_rx(now, PIECES[at].as_bytes());
                if end {
                    module.uart_rx(now, b"\r");
                }
            }
            Step::Bytes(bytes) => module.uart_rx(now, &bytes),
            Step::Wait(ms) => now += ms,
            Step::Answer(kind, data) => answer(&mut module, now, &mut open, kind, data),
            Step::Control(kind) => control(&mut module, kind),
        }
        module.uart_tx(now, &mut out);
        assert!(out.len() < 8 << 20, "the module does not stop talking");
    }
    // Whatever happened: after a power cycle it answers.
    *module.faults() = quectel_sim::Faults::default();
    module.set_sim(SimState::Ready);
    module.power_cycle();
    now += 10_000;
    module.uart_tx(now, &mut out);
    out.clear();
    module.uart_rx(now, b"\rATE1V1Q0\rAT&F;&W\rAT\r");
    now += 10_000;
    module.uart_tx(now, &mut out);
    let text = String::from_utf8_lossy(&out).into_owned();
    assert!(
        text.ends_with("AT\r\r\nOK\r\n") || text.ends_with("\r\nOK\r\n"),
        "{text:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn any_sequence(profile in 0..PROFILES.len(), steps in vec(step(), 0..60)) {
        run(profile, steps);
    }

    #[test]
    fn any_bytes(profile in 0..PROFILES.len(), bytes in vec(any::<u8>(), 0..2000)) {
        run(profile, vec![Step::Bytes(bytes)]);
    }

    #[test]
    fn the_split_of_the_bytes_does_not_matter(
        pieces in vec(0..PIECES.len(), 0..12),
        cuts in vec(0usize..400, 0..8),
    ) {
        let mut bytes: Vec<u8> = b"ATE0\r".to_vec();
        for at in pieces {
            bytes.extend_from_slice(PIECES[at].as_bytes());
            bytes.push(b'\r');
        }
        let setup = || config("bg95").timing(Timing::Fast).power(PowerState::Ready);
        let mut whole = (Module::new(setup()), Vec::new());
        whole.0.uart_rx(0, &bytes);
        whole.0.uart_tx(0, &mut whole.1);
        let mut split = (Module::new(setup()), Vec::new());
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        for pair in cuts.windows(2) {
            split.0.uart_rx(0, &bytes[pair[0]..pair[1]]);
            split.0.uart_tx(0, &mut split.1);
        }
        prop_assert_eq!(whole.1, split.1);
    }
}
