//! Any sequence of calls: each command ends at most once, nothing answers a command that is not out, and what goes out
//! is the command's line, then its payload, and nothing else.
//!
//! Input: operations of one byte, some with arguments; see [`Model::step`].
#![no_main]

use libfuzzer_sys::fuzz_target;
use quectel_at::commands::At;
use quectel_at::{
    Answer, Chain, Command, DataPhase, Event, Exchange, Link, Params, Payload, PayloadForm,
    PayloadRule, Repeat, SendError, Writer,
};

const RULES: &[PayloadRule] = &[
    PayloadRule {
        name: b"+QMTRECV",
        form: PayloadForm::Quoted,
    },
    PayloadRule {
        name: b"+QIURC",
        form: PayloadForm::Recv,
    },
];
const QIRD_DATA: PayloadRule = PayloadRule {
    name: b"+QIRD",
    form: PayloadForm::NextLine,
};

struct Test {
    line: &'static str,
    exchange: Exchange,
}

impl Command for Test {
    fn encode(&self, line: &mut Writer<'_>) {
        line.set(self.line).secret(b"1234");
    }

    fn exchange(&self) -> Exchange {
        self.exchange
    }
}

const fn test(line: &'static str, exchange: Exchange) -> Test {
    Test { line, exchange }
}

fn digits(mut params: Params<'_>) -> bool {
    params.u32().is_ok()
}

const CSQ: Test = test("+CSQ", Exchange::answered(&[Answer::once(b"+CSQ")], 300));
const QFLST: Test = test("+QFLST", Exchange::maybe(&[Answer::many(b"+QFLST")], 300));
const GSN: Test = test(
    "+GSN",
    Exchange::answered(&[Answer::bare(digits, Repeat::Once)], 300),
);
const UPLOADED: &[Answer] = &[Answer::once(b"+QFUPL")];
const DATA: &[Test] = &[
    CSQ,
    QFLST,
    GSN,
    test("+QMTPUB", with(DataPhase::Prompt { ctrl_z: true })),
    test("+QMTPUBEX", with(DataPhase::Prompt { ctrl_z: false })),
    test(
        "+QFUPL",
        Exchange::answered(UPLOADED, 5_000).with_data(DataPhase::Upload { ack: true }),
    ),
    test(
        "+QFUPL",
        Exchange::answered(UPLOADED, 5_000).with_data(DataPhase::Upload { ack: false }),
    ),
    test("+QFREAD", with(DataPhase::Download { size: None })),
    test("+QFDWL", with(DataPhase::Download { size: Some(20) })),
    test(
        "+QIRD",
        Exchange::answered(&[Answer::once(b"+QIRD")], 300)
            .with_data(DataPhase::Counted { rule: &QIRD_DATA }),
    ),
];

const fn with(data: DataPhase) -> Exchange {
    Exchange::plain(300).with_data(data)
}

/// What modules say, so that whole dialogues need few bytes.
const SAID: &[&[u8]] = &[
    b"\r\nOK\r\n",
    b"\r\nERROR\r\n",
    b"\r\n> ",
    b"\r\nCONNECT\r\n",
    b"\r\nCONNECT 9\r\n",
    b"\r\n+CSQ: 24,99\r\n",
    b"\r\n+QFUPL: 3,242\r\n",
    b"\r\n+QIRD: 4\r\nABCD\r\n",
    b"\r\n+QMTRECV: 0,0,\"t\",2,\"ab\"\r\n",
    b"\r\n+QMTSTAT: 0,1\r\n",
    b"861075027000000\r\n",
    b"A",
    b"0\r",
    b"AT+CSQ=\"1234\"\r",
    b"AT+QMTPUB=\"1234\"\r",
    b"\r\n+CME ERROR: 58\r\n",
];

/// A byte at each place that tells the place.
static PAYLOAD: [u8; 3_000] = {
    let mut bytes = [0; 3_000];
    let mut at = 0;
    while at < bytes.len() {
        bytes[at] = b' ' + (at % 91) as u8;
        at += 1;
    }
    bytes
};

/// What may still go out, and how much of it is the command's line.
struct Running {
    bytes: Vec<u8>,
    line: usize,
    out: usize,
}

struct Model<'b> {
    link: Link<'b>,
    now: u64,
    running: Option<Running>,
    /// Bytes of `send_raw` that are not out.
    raw: Vec<u8>,
}

impl<'b> Model<'b> {
    /// Takes an operation and its arguments from the front of the input.
    fn step(&mut self, operation: u8, input: &mut &[u8]) {
        match operation % 8 {
            0 => {
                let kind = byte(input);
                let length = usize::from(byte(input)) * 12 % PAYLOAD.len();
                self.send(kind, length);
            }
            1 => self.transmit(usize::from(byte(input))),
            2 => {
                let length = usize::from(byte(input)).min(input.len());
                let (piece, rest) = input.split_at(length);
                *input = rest;
                self.poll(piece);
            }
            3 => {
                self.link.abandon();
                self.running = None;
            }
            4 => {
                let length = usize::from(byte(input) % 12);
                self.send_raw(&PAYLOAD[..length]);
            }
            5 => {
                self.link.reset();
                self.running = None;
                self.raw.clear();
            }
            6 => {
                self.now += u64::from(byte(input)) * 20;
                self.poll(&[]);
            }
            _ => self.poll(SAID[usize::from(byte(input)) % SAID.len()]),
        }
        assert_eq!(self.link.is_busy(), self.running.is_some());
    }

    fn send(&mut self, kind: u8, length: usize) {
        let (borrowed, kind) = (kind & 0x80 != 0, usize::from(kind & 0x7F));
        let chain = Chain(&[&CSQ, &At, &QFLST]);
        let command: &dyn Command = match kind % (DATA.len() + 2) {
            0 => &At,
            1 => &chain,
            n => &DATA[n - 2],
        };
        let data = command.exchange().data;
        let takes = matches!(data, DataPhase::Prompt { .. } | DataPhase::Upload { .. });
        let sent = if takes { &PAYLOAD[..length] } else { &[] };
        let payload = match (takes, borrowed) {
            (false, _) => Payload::None,
            (true, true) => Payload::Borrowed(sent),
            (true, false) => Payload::Copied(sent),
        };
        let free = self.running.is_none() && self.raw.is_empty();
        match self.link.send_with(self.now, command, payload) {
            Ok(()) => {
                assert!(free, "two commands at a time");
                let mut room = [0; 256];
                let mut writer = Writer::new(&mut room);
                writer.raw("AT");
                command.encode(&mut writer);
                let length = writer.finish().expect("the link has written it").len;
                let mut bytes = room[..length].to_vec();
                bytes.push(b'\r');
                let line = bytes.len();
                bytes.extend_from_slice(sent);
                if data == (DataPhase::Prompt { ctrl_z: true }) {
                    bytes.push(0x1A);
                }
                self.running = Some(Running {
                    bytes,
                    line,
                    out: 0,
                });
            }
            Err(SendError::Busy) => assert!(!free, "busy with nothing"),
            Err(_) => assert!(free && !borrowed, "only a copied payload is too long"),
        }
    }

    fn send_raw(&mut self, bytes: &[u8]) {
        let free = self.running.is_none() && self.raw.is_empty();
        match self.link.send_raw(bytes) {
            Ok(()) => {
                assert!(free && bytes.len() <= 8);
                self.raw = bytes.to_vec();
            }
            Err(SendError::Busy) => assert!(!free, "busy with nothing"),
            Err(_) => assert!(free && bytes.len() > 8),
        }
    }

    fn transmit(&mut self, room: usize) {
        let mut room = vec![0; room];
        let n = self.link.poll_transmit(&mut room);
        let secret = self.link.transmitted_secret();
        assert!(secret.start <= secret.end && secret.end <= n);
        match &mut self.running {
            Some(running) => {
                let left = &running.bytes[running.out..];
                assert!(left.starts_with(&room[..n]), "other bytes, or too many");
                let line_is_in = running.out < running.line;
                running.out += n;
                assert!(
                    !line_is_in || running.out <= running.line,
                    "the payload without being asked"
                );
            }
            None => {
                assert!(self.raw.starts_with(&room[..n]), "bytes of nobody");
                self.raw.drain(..n);
            }
        }
    }

    /// Polls until there is no event left.
    fn poll(&mut self, mut input: &[u8]) {
        // Each event takes a byte at least, but for what is lost, a timeout and what was reset.
        let most = input.len() + 4;
        for _ in 0..=most {
            let Some(event) = self.link.poll(self.now, &mut input) else {
                assert!(input.is_empty(), "no event, and yet bytes are left");
                let next = self.link.poll_timeout();
                assert!(next.is_none_or(|at| at > self.now), "a deadline was missed");
                return;
            };
            let out = |running: &Running| running.out >= running.line;
            match event {
                Event::Answer(_) => {
                    assert!(self.running.as_ref().is_some_and(out), "nobody asked");
                }
                Event::Done { .. } => {
                    assert!(self.running.as_ref().is_some_and(out), "nothing to end");
                    self.running = None;
                }
                Event::TimedOut => {
                    assert!(self.running.is_some(), "nothing to time out");
                    self.running = None;
                }
                Event::Urc(_) | Event::Data(_) | Event::Late { .. } | Event::Lost { .. } => {}
                other => panic!("an unknown event: {other:?}"),
            }
        }
        panic!("events without end");
    }
}

/// The next argument; 0 at the end.
fn byte(input: &mut &[u8]) -> u8 {
    let Some((first, rest)) = input.split_first() else {
        return 0;
    };
    *input = rest;
    *first
}

fuzz_target!(|data: &[u8]| {
    let mut input = data;
    let rx_len = usize::from(byte(&mut input)) + 1;
    let (mut rx, mut tx) = (vec![0; rx_len], vec![0; 2_000]);
    let mut model = Model {
        link: Link::new(&mut rx, &mut tx, RULES),
        now: 0,
        running: None,
        raw: Vec::new(),
    };
    while let Some((operation, rest)) = input.split_first() {
        input = rest;
        model.step(*operation, &mut input);
    }
});
