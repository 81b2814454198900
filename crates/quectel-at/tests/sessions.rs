//! Generated sessions: whatever the module says, in whatever pieces it comes, the link reports what was meant.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use quectel_at::{
    Answer, Command, DataPhase, Event, Exchange, Link, Payload, PayloadForm, PayloadRule, Writer,
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
/// Size of the receive buffer; the longest generated line but for overflows is shorter.
const BUFFER: usize = 600;

/// What the module may say while nobody asks, or in the middle of a response.
#[derive(Debug, Clone)]
enum Said {
    Urc(&'static str),
    /// `+QMTRECV` with a length, without, or in the EC200U form.
    Message(Form, Vec<u8>),
    /// `+QIURC: "recv"` with data.
    Pushed(Vec<u8>),
    /// A line of so many bytes, which does not fit.
    Long(usize),
}

#[derive(Debug, Clone, Copy)]
enum Form {
    Counted,
    Uncounted,
    NextLine,
}

impl Said {
    /// The module's bytes and the event.
    fn write(&self, bytes: &mut Vec<u8>, events: &mut Vec<String>) {
        let line = match self {
            Self::Urc(line) => line.as_bytes().to_vec(),
            Self::Message(form, payload) => {
                let mut line = b"+QMTRECV: 0,7,\"a/b,c\"".to_vec();
                match form {
                    Form::Counted => line.extend(format!(",{},\"", payload.len()).bytes()),
                    Form::Uncounted => line.extend(b",\""),
                    Form::NextLine => line.extend(format!(",{}\r\n", payload.len()).bytes()),
                }
                line.extend_from_slice(payload);
                if !matches!(form, Form::NextLine) {
                    line.push(b'"');
                }
                line
            }
            Self::Pushed(data) => {
                let head = format!("+QIURC: \"recv\",3,{}\r\n", data.len());
                [head.as_bytes(), data].concat()
            }
            Self::Long(length) => vec![b'#'; *length],
        };
        bytes.extend(b"\r\n");
        bytes.extend(&line);
        bytes.extend(b"\r\n");
        events.push(if let Self::Long(length) = self {
            format!("lost {}", length - BUFFER)
        } else {
            format!("urc {}", line.escape_ascii())
        });
    }
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let tricky = prop::sample::select(vec![
        &b"\r\nOK\r\n"[..],
        b"\"\r\nOK\r\n",
        b"\r\n> ",
        b"\0\x1a\x1b",
        b"ERROR\r\n+CME ERROR: 3\r\n",
        b"{\"a\": \"b\"}",
        b"\r\n+QMTRECV: 0,0,\"t\",5,\"",
    ]);
    let part = prop_oneof![
        tricky.prop_map(<[u8]>::to_vec),
        prop::collection::vec(any::<u8>(), 1..40)
    ];
    prop::collection::vec(part, 1..6).prop_map(|parts| parts.concat())
}

fn said() -> impl Strategy<Value = Said> {
    let urcs = prop::sample::select(vec![
        "RDY",
        "APP RDY",
        "+CREG: 5",
        "+CREG: 1,\"D509\",\"80D413D\",7",
        "+CPIN: READY",
        "+QMTSTAT: 0,1",
        "+QMTPUB: 0,1,0",
        "+QMTRECV: 0,3",
        "+QIURC: \"closed\",3",
        "+QIURC: \"recv\",3",
        "+QIURC: \"dnsgip\",0,2,600",
        "+QIURC: \"incoming\",11,1,\"10.0.0.7\",4711",
        "+QMTCONN: 0,0,0",
        "+SOMETHING NEW",
        "no name > at all, \"quoted",
        "+",
        ":",
    ]);
    let uncounted = payload().prop_map(|mut bytes| {
        // What would end it has no place in a payload without length.
        while let Some(at) = bytes.windows(3).position(|w| w == b"\"\r\n") {
            bytes[at] = b'\'';
        }
        // Nor the two that would, with the closing quote, begin an end too early.
        Said::Message(Form::Uncounted, bytes)
    });
    prop_oneof![
        4 => urcs.prop_map(Said::Urc),
        2 => payload().prop_map(|bytes| Said::Message(Form::Counted, bytes)),
        1 => uncounted,
        1 => payload().prop_map(|bytes| Said::Message(Form::NextLine, bytes)),
        1 => payload().prop_map(Said::Pushed),
        1 => (BUFFER + 1..3 * BUFFER).prop_map(Said::Long),
    ]
}

/// What the host does.
#[derive(Debug, Clone)]
enum Asked {
    Nothing,
    /// `AT+CREG?`: the same name in both roles.
    Read,
    /// A command without answer, and how it ends.
    Plain(&'static str),
    /// A prompt and a payload, which the module echoes as it echoes commands.
    Publish {
        ctrl_z: bool,
        payload: Vec<u8>,
    },
    Upload(Vec<u8>),
    Download(Vec<u8>),
    Receive(Vec<u8>),
}

const CREG: &[Answer] = &[Answer::shaped(b"+CREG", |mut params| {
    params.u8().is_ok() && params.param().is_ok_and(|stat| !stat.quoted)
})];
const QFUPL: &[Answer] = &[Answer::once(b"+QFUPL")];
const QIRD: &[Answer] = &[Answer::once(b"+QIRD")];

struct Typed(&'static str, Exchange);

impl Command for Typed {
    fn encode(&self, line: &mut Writer<'_>) {
        line.raw(self.0);
    }

    fn exchange(&self) -> Exchange {
        self.1
    }
}

impl Asked {
    fn command(&self) -> Option<Typed> {
        Some(match self {
            Self::Nothing => return None,
            Self::Read => Typed("+CREG?", Exchange::answered(CREG, 300)),
            Self::Plain(_) => Typed("+QIACT=1", Exchange::plain(300)),
            Self::Publish { ctrl_z, .. } => {
                let data = DataPhase::Prompt { ctrl_z: *ctrl_z };
                Typed(
                    "+QMTPUB=0,1,1,0,\"t\"",
                    Exchange::plain(300).with_data(data),
                )
            }
            Self::Upload(_) => Typed(
                "+QFUPL=\"a\"",
                Exchange::answered(QFUPL, 300).with_data(DataPhase::Upload { ack: false }),
            ),
            Self::Download(data) => {
                let size = u32::try_from(data.len()).ok();
                Typed(
                    "+QFREAD=1",
                    Exchange::plain(300).with_data(DataPhase::Download { size }),
                )
            }
            Self::Receive(_) => Typed(
                "+QIRD=3",
                Exchange::answered(QIRD, 300).with_data(DataPhase::Counted { rule: &QIRD_DATA }),
            ),
        })
    }

    fn payload(&self) -> &[u8] {
        match self {
            Self::Publish { payload, .. } | Self::Upload(payload) => payload,
            _ => &[],
        }
    }
}

fn asked() -> impl Strategy<Value = Asked> {
    let results = prop::sample::select(vec![
        "OK",
        "ERROR",
        "+CME ERROR: 3",
        "+CMS ERROR: 500",
        "0",
        "4",
    ]);
    prop_oneof![
        2 => Just(Asked::Nothing),
        2 => Just(Asked::Read),
        1 => results.prop_map(Asked::Plain),
        1 => (any::<bool>(), payload()).prop_map(|(ctrl_z, payload)| Asked::Publish { ctrl_z, payload }),
        1 => payload().prop_map(Asked::Upload),
        1 => payload().prop_map(Asked::Download),
        1 => payload().prop_map(Asked::Receive),
    ]
}

/// One command, its answer, and what the module says before, inside and after.
type Turn = (Asked, Vec<Said>, Vec<Said>, Vec<Said>);

fn turn() -> impl Strategy<Value = Turn> {
    let few = || prop::collection::vec(said(), 0..3);
    (asked(), few(), few(), few())
}

struct Session<'b> {
    link: Link<'b>,
    cuts: Vec<usize>,
    cut: usize,
    got: Vec<String>,
    sent: Vec<u8>,
}

impl Session<'_> {
    /// The module sends these bytes, cut into pieces.
    fn hear(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let size = self.cuts[self.cut % self.cuts.len()].min(bytes.len());
            self.cut += 1;
            let (mut piece, rest) = bytes.split_at(size);
            bytes = rest;
            while let Some(event) = self.link.poll(1, &mut piece) {
                let text = text(event);
                match (self.got.last_mut(), text.strip_prefix("data ")) {
                    (Some(last), Some(more)) if last.starts_with("data ") => last.push_str(more),
                    _ => self.got.push(text),
                }
                self.pump();
            }
            self.pump();
        }
    }

    fn pump(&mut self) {
        let mut chunk = [0; 50];
        loop {
            match self.link.poll_transmit(&mut chunk) {
                0 => return,
                n => self.sent.extend_from_slice(&chunk[..n]),
            }
        }
    }

    /// One turn; the events that are meant are added to `meant`.
    fn turn(&mut self, (asked, before, inside, after): &Turn, echo: bool, meant: &mut Vec<String>) {
        let mut bytes = Vec::new();
        let Some(command) = asked.command() else {
            for said in before.iter().chain(inside).chain(after) {
                said.write(&mut bytes, meant);
            }
            return self.hear(&bytes);
        };
        let line = format!("AT{}\r", command.0);
        self.link
            .send_with(1, &command, Payload::Copied(asked.payload()))
            .unwrap();
        self.sent.clear();
        self.pump();
        assert_eq!(self.sent, line.as_bytes());
        self.sent.clear();
        if echo {
            bytes.extend_from_slice(line.as_bytes());
        }
        for said in before {
            said.write(&mut bytes, meant);
        }
        let mut result = "OK";
        match asked {
            Asked::Nothing => {}
            Asked::Plain(code) => result = code,
            Asked::Read => {
                bytes.extend(b"\r\n+CREG: 2,1,\"D509\",\"80D413D\",7\r\n");
                meant.push("answer +CREG: 2,1,\\\"D509\\\",\\\"80D413D\\\",7".into());
            }
            Asked::Publish { ctrl_z, payload } => {
                bytes.extend(b"\r\n> ");
                self.hear(&bytes);
                bytes.clear();
                let end = if *ctrl_z { &b"\x1a"[..] } else { b"" };
                let whole = [payload, end].concat();
                assert_eq!(self.sent, whole);
                if echo {
                    bytes.extend(whole);
                }
            }
            Asked::Upload(data) => {
                bytes.extend(b"\r\nCONNECT\r\n");
                self.hear(&bytes);
                assert_eq!(self.sent, *data);
                bytes = b"+QFUPL: 3,242\r\n".to_vec();
                meant.push("answer +QFUPL: 3,242".into());
            }
            Asked::Download(data) => {
                bytes.extend(b"\r\nCONNECT\r\n");
                bytes.extend_from_slice(data);
                meant.push(format!("data {}", data.escape_ascii()));
            }
            Asked::Receive(data) => {
                let head = format!("+QIRD: {}\r\n", data.len());
                bytes.extend([b"\r\n", head.as_bytes(), data, b"\r\n"].concat());
                meant.push(format!(
                    "answer {}{}",
                    head.escape_default(),
                    data.escape_ascii()
                ));
            }
        }
        for said in inside {
            said.write(&mut bytes, meant);
        }
        bytes.extend(format!("\r\n{result}\r\n").bytes());
        meant.push(format!("done {result}"));
        for said in after {
            said.write(&mut bytes, meant);
        }
        self.hear(&bytes);
    }
}

fn text(event: Event<'_>) -> String {
    match event {
        Event::Answer(line) => format!("answer {line}"),
        Event::Urc(line) => format!("urc {line}"),
        Event::Data(data) => format!("data {}", data.escape_ascii()),
        Event::Done { line, .. } => format!("done {line}"),
        Event::Late { line, .. } => format!("late {line}"),
        Event::Lost { bytes, .. } => format!("lost {bytes}"),
        _ => "timed out".into(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn sessions_are_understood_in_any_pieces(
        turns in prop::collection::vec(turn(), 1..6),
        echo in any::<bool>(),
        cuts in prop_oneof![
            Just(vec![1]),
            Just(vec![64]),
            Just(vec![100_000]),
            prop::collection::vec(1_usize..40, 1..60),
        ],
    ) {
        let (mut rx, mut tx) = ([0; BUFFER], [0; 600]);
        let link = Link::new(&mut rx, &mut tx, RULES);
        let mut session = Session { link, cuts, cut: 0, got: Vec::new(), sent: Vec::new() };
        let mut meant = Vec::new();
        for turn in &turns {
            session.turn(turn, echo, &mut meant);
        }
        prop_assert_eq!(session.got, meant);
    }
}
