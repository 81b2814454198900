//! The guarantees of `docs/guarantees.md` that no other test shows.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use proptest::prelude::*;
use quectel_at::commands::{At, CpinRead, CregRead, Csq, Qicsgp, QidnsGip, Qntp};
use quectel_at::{
    Answer, Command, DataPhase, Event, Exchange, Frame, Framer, Link, LostReason, Params, Payload,
    PayloadForm, PayloadRule, WriteError, Writer,
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

struct Test(&'static str, Exchange);

impl Command for Test {
    fn encode(&self, line: &mut Writer<'_>) {
        line.raw(self.0);
    }

    fn exchange(&self) -> Exchange {
        self.1
    }
}

fn text(event: Event<'_>) -> String {
    match event {
        Event::Answer(line) => format!("answer {line}"),
        Event::Urc(line) => format!("urc {line}"),
        Event::Data(data) => format!("data {}", data.escape_ascii()),
        Event::Done { line, .. } => format!("done {line}"),
        Event::Late { line, .. } => format!("late {line}"),
        Event::Lost { bytes, reason, .. } => format!("lost {bytes} {reason:?}"),
        _ => "timed out".into(),
    }
}

/// Everything that the link says to these bytes; a call gives an event, or the input is empty.
fn hear(link: &mut Link<'_>, mut bytes: &[u8]) -> Vec<String> {
    let (mut events, most) = (Vec::new(), bytes.len() + 4);
    while let Some(event) = link.poll(1, &mut bytes) {
        events.push(text(event));
        assert!(events.len() <= most, "events without end");
    }
    assert!(bytes.is_empty());
    events
}

/// Sends the command whole and hears the module.
fn ask(command: &dyn Command, said: &[u8]) -> Vec<String> {
    let (mut rx, mut tx) = ([0; 256], [0; 128]);
    let mut link = Link::new(&mut rx, &mut tx, RULES);
    link.send(0, command).unwrap();
    link.poll_transmit(&mut [0; 128]);
    hear(&mut link, said)
}

// 3. No panic, no recursion, nothing dropped in silence

#[test]
fn line_ends_alone_take_no_stack() {
    let small = std::thread::Builder::new().stack_size(64 << 10);
    let thread = small.spawn(|| {
        let bytes = b"\r\n".repeat(200_000);
        let (mut rx, mut tx) = ([0; 64], [0; 64]);
        let mut link = Link::new(&mut rx, &mut tx, RULES);
        assert_eq!(hear(&mut link, &bytes), [""; 0]);
        hear(&mut link, b"RDY\r\n")
    });
    assert_eq!(thread.unwrap().join().unwrap(), ["urc RDY"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn every_byte_is_in_a_line_or_counted(
        bytes in prop::collection::vec(prop_oneof![4 => any::<u8>(), 1 => Just(b'\r'), 1 => Just(b'\n')], 0..400),
        room in 1_usize..40,
        step in 1_usize..50,
    ) {
        let mut buf = vec![0; room];
        let mut framer = Framer::new(&mut buf, &[]);
        let mut told = 0;
        for mut piece in bytes.chunks(step) {
            while let Some(frame) = framer.poll(&mut piece) {
                told += match frame {
                    Frame::Line(line) => line.len(),
                    Frame::Overflow { head, dropped } => head.len() + dropped,
                    _ => unreachable!("nothing else was asked for"),
                };
            }
        }
        told += framer.reset();
        let meant = bytes.iter().filter(|byte| !matches!(byte, b'\r' | b'\n')).count();
        prop_assert_eq!(told, meant);
    }

    #[test]
    fn any_bytes_are_heard_without_panic_or_loop(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
        begin in prop::sample::select(vec![
            &b""[..], b"+QMTRECV: 0,0,\"t\",", b"+QMTRECV: 0,0,\"t\",4294967295,\"", b"+QIURC: \"recv\",0,",
            b"\r\nCONNECT 99\r\n", b"\r\n> ",
        ]),
        step in 1_usize..70,
    ) {
        for data in [DataPhase::None, DataPhase::Prompt { ctrl_z: true }, DataPhase::Upload { ack: true },
            DataPhase::Download { size: None }, DataPhase::Counted { rule: &QIRD_DATA }] {
            let (mut rx, mut tx) = ([0; 100], [0; 128]);
            let mut link = Link::new(&mut rx, &mut tx, RULES);
            let command = Test("+X", Exchange::plain(300).with_data(data));
            link.send_with(0, &command, Payload::Copied(b"payload")).unwrap();
            link.poll_transmit(&mut [0; 128]);
            for piece in [begin, &bytes].concat().chunks(step) {
                hear(&mut link, piece);
                link.poll_transmit(&mut [0; 16]);
            }
        }
    }

    #[test]
    fn after_garbage_the_next_line_is_understood(
        garbage in prop::collection::vec(any::<u8>(), 0..300),
        step in 1_usize..60,
    ) {
        // Nothing that could be a result or begin a payload.
        let garbage: Vec<u8> = garbage.into_iter().map(|byte| match byte {
            b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'+' => b'#',
            byte => byte,
        }).collect();
        let (mut rx, mut tx) = ([0; 100], [0; 128]);
        let mut link = Link::new(&mut rx, &mut tx, RULES);
        link.send(0, &Csq).unwrap();
        link.poll_transmit(&mut [0; 128]);
        let mut events = Vec::new();
        for piece in [&garbage[..], b"\r\n+CSQ: 24,99\r\n\r\nOK\r\n"].concat().chunks(step) {
            events.extend(hear(&mut link, piece));
        }
        let from = events.len() - 2;
        prop_assert_eq!(&events[from..], ["answer +CSQ: 24,99", "done OK"]);
    }
}

#[test]
fn overflow_never_loses_the_result_that_follows() {
    for size in 60..200 {
        for ends in [&b"\r\n"[..], b"\r", b"\n", b"\r\n\r\n"] {
            let (mut rx, mut tx) = ([0; 64], [0; 64]);
            let mut link = Link::new(&mut rx, &mut tx, RULES);
            link.send(0, &At).unwrap();
            link.poll_transmit(&mut [0; 64]);
            let said = [&b"x".repeat(size)[..], ends, b"OK\r\n"].concat();
            let events = hear(&mut link, &said);
            assert_eq!(events.last().unwrap(), "done OK");
            let lost = format!(
                "lost {} {:?}",
                size.saturating_sub(64),
                LostReason::Overflow
            );
            assert_eq!(events.contains(&lost), size > 64, "{events:?}");
        }
    }
}

#[test]
fn a_payload_is_no_line_even_if_its_header_does_not_fit() {
    let said =
        b"\r\n+QMTRECV: 0,1,\"a/topic/of/many/levels\",8,\"\r\nOK\r\n+X\"\r\n\r\n+CSQ: 24,99\r\n";
    for size in 24..64 {
        for step in 1..=said.len() {
            let mut buf = vec![0; size];
            let mut framer = Framer::new(&mut buf, RULES);
            let (mut kept, mut lost) = (Vec::new(), 0);
            for mut piece in said.chunks(step) {
                while let Some(frame) = framer.poll(&mut piece) {
                    match frame {
                        Frame::Line(line) => kept.push(line.to_vec()),
                        Frame::Overflow { head, dropped } => {
                            kept.push(head.to_vec());
                            lost = dropped;
                        }
                        other => panic!("{other:?}"),
                    }
                }
            }
            // Both lines without the four line ends around them.
            let line = said.len() - b"\r\n\r\n\r\n+CSQ: 24,99\r\n".len();
            assert_eq!(kept.len(), 2, "{size} {step} {kept:?}");
            assert_eq!(kept[0], said[2..][..line.min(size)], "{size} {step}");
            assert_eq!(lost, line.saturating_sub(size), "{size} {step}");
            assert_eq!(kept[1], b"+CSQ: 24,99");
        }
    }
}

// 4. Answer or URC

#[test]
fn the_same_prefix_is_a_urc_or_an_answer_as_the_command_says() {
    const CFUN: &[Answer] = &[Answer::once(b"+CFUN")];
    const QMTCONN: &[Answer] = &[Answer::shaped(b"+QMTCONN", |params| params.count() == 2)];
    let cfun = Test("+CFUN?", Exchange::answered(CFUN, 300));
    let qmtconn = Test("+QMTCONN?", Exchange::maybe(QMTCONN, 300));
    let cases: &[(&dyn Command, &[u8], &[&str])] = &[
        (
            &CregRead,
            b"+CREG: 1\r\n+CREG: 2,1,\"D509\",\"80D413D\",7\r\n+CREG: 5\r\nOK\r\n",
            &[
                "urc +CREG: 1",
                "answer +CREG: 2,1,\\\"D509\\\",\\\"80D413D\\\",7",
                "urc +CREG: 5",
                "done OK",
            ],
        ),
        (
            &CpinRead,
            b"+CPIN: READY\r\n+CPIN: NOT READY\r\nOK\r\n+CPIN: READY\r\n",
            &[
                "answer +CPIN: READY",
                "urc +CPIN: NOT READY",
                "done OK",
                "urc +CPIN: READY",
            ],
        ),
        (
            &cfun,
            b"+CFUN: 1\r\nOK\r\n+CFUN: 1\r\n",
            &["answer +CFUN: 1", "done OK", "urc +CFUN: 1"],
        ),
        (
            &qmtconn,
            b"+QMTCONN: 0,0,0\r\n+QMTCONN: 0,3\r\nOK\r\n+QMTCONN: 0,1\r\n",
            &[
                "urc +QMTCONN: 0,0,0",
                "answer +QMTCONN: 0,3",
                "done OK",
                "urc +QMTCONN: 0,1",
            ],
        ),
        (
            &At,
            b"+NEVER SEEN: 1\r\nOK\r\n",
            &["urc +NEVER SEEN: 1", "done OK"],
        ),
    ];
    for (command, said, expected) in cases {
        assert_eq!(ask(*command, said), *expected);
    }
}

#[test]
fn nothing_answers_a_command_that_is_not_fully_out() {
    for out in 0..b"AT+CSQ\r".len() {
        let (mut rx, mut tx) = ([0; 64], [0; 64]);
        let mut link = Link::new(&mut rx, &mut tx, RULES);
        link.send(0, &Csq).unwrap();
        link.poll_transmit(&mut vec![0; out]);
        let early = hear(&mut link, b"+CSQ: 9,9\r\nOK\r\n");
        assert_eq!(early, ["urc +CSQ: 9,9", "late OK"], "after {out} bytes");
        link.poll_transmit(&mut [0; 64]);
        let answered = hear(&mut link, b"+CSQ: 24,99\r\nOK\r\n");
        assert_eq!(answered, ["answer +CSQ: 24,99", "done OK"]);
    }
}

// 5. Data modes

/// The lines that a framer finds in what comes in pieces of one size.
fn lines(said: &[u8], step: usize) -> Vec<Vec<u8>> {
    let mut buf = [0; 64];
    let mut framer = Framer::new(&mut buf, RULES);
    let mut lines = Vec::new();
    for mut piece in said.chunks(step) {
        while let Some(frame) = framer.poll(&mut piece) {
            let Frame::Line(line) = frame else {
                unreachable!("{frame:?}");
            };
            lines.push(line.to_vec());
        }
    }
    lines
}

#[test]
fn payloads_behind_spaces_are_counted() {
    let messages: &[&[u8]] = &[
        b"+QMTRECV: 0, 7, \"t\", 6, \"\r\nOK\r\n\"",
        b"+QMTRECV:0,7,\"t\",6,\"\r\nOK\r\n\"",
        b"+QMTRECV: 0,7, \"t\", \"\r\nOK\r\n\"",
        b"+QMTRECV: 0,7,\"t\" , 6 \r\n\r\nOK\r\n",
        b"+QIURC:  \"recv\", 0, 6\r\n\r\nOK\r\n",
        b"+QIURC:\"recv\",0,6,\"10.0.0.1\",80\r\n\r\nOK\r\n",
    ];
    for message in messages {
        let said = [message, &b"\r\nOK\r\n"[..]].concat();
        for step in 1..=said.len() {
            let lines = lines(&said, step);
            assert_eq!(lines, [*message, b"OK"], "{}", message.escape_ascii());
        }
    }
}

#[test]
fn lines_that_announce_nothing_hide_nothing() {
    let others: &[&[u8]] = &[
        b"+QMTRECV: 0,1,0,0,0,1",
        b"+QMTRECV: 0,1,\"t\"",
        b"+QMTRECV: 0,1,\"t\",0",
        b"+QMTRECV: 0,1,\"t\",12,5",
        b"+QMTRECV: 0,1,\"t\",12 degrees",
        b"+QMTRECV: 0,1,\"t\",65536",
        b"+QMTRECV: 0,1,\"t\",hello,\"x\"",
        b"+QMTRECV: 0,1,\"t\",{\"a\": 1}",
        b"+QMTRECV: 0,1,\"a\"b\"",
        b"+QMTRECV: 0,1,\"t",
        b"+QMTRECV: 0,\"t\",5",
        b"+QMTRECVX: 0,1,\"t\",5",
        // Cut off, and another line behind it.
        b"+QMTRECV: +QIURC: \"incoming\",1,2,\"10.0.0.1\",80",
        b"+QMTRECV: 0,1,+CEREG: 1,\"1A2B\",\"01234567\",7",
        b"+QMTRECV: 0,1,2,\"t\",\"x\"",
        b"+QIURC: \"recv\",0",
        b"+QIURC: \"recv\",0,x",
        b"+QIURC: \"closed\",1,2",
        b"+QIURC: \"incoming\",1,2,\"10.0.0.1\",80",
        b"+QIURC: \"dnsgip\",0,1,600",
    ];
    for other in others {
        let said = [other, &b"\r\nOK\r\n"[..]].concat();
        for step in 1..=said.len() {
            let lines = lines(&said, step);
            assert_eq!(lines, [*other, b"OK"], "{}", other.escape_ascii());
        }
    }
}

#[test]
fn every_byte_value_goes_up_and_down() {
    let all: Vec<u8> = (0..=255).chain((0..=255).rev()).collect();
    let (mut rx, mut tx) = ([0; 64], [0; 700]);
    let mut link = Link::new(&mut rx, &mut tx, RULES);
    let upload = Test(
        "+QFUPL",
        Exchange::plain(300).with_data(DataPhase::Upload { ack: false }),
    );
    let download = DataPhase::Download { size: Some(512) };
    let download = Test("+QFDWL", Exchange::plain(300).with_data(download));
    for step in [1, 64, 1000] {
        let mut chunk = [0; 600];
        link.send_with(1, &upload, Payload::Copied(&all)).unwrap();
        link.poll_transmit(&mut chunk);
        assert_eq!(hear(&mut link, b"\r\nCONNECT\r\n"), [""; 0]);
        let n = link.poll_transmit(&mut chunk);
        assert_eq!(&chunk[..n], all);
        assert_eq!(hear(&mut link, b"\r\nOK\r\n"), ["done OK"]);

        link.send(1, &download).unwrap();
        link.poll_transmit(&mut chunk);
        assert_eq!(hear(&mut link, b"\r\nCONNECT\r\n"), [""; 0]);
        let mut came = Vec::new();
        for mut piece in all.chunks(step) {
            while let Some(event) = link.poll(1, &mut piece) {
                let Event::Data(data) = event else {
                    unreachable!("only data: {event:?}")
                };
                came.extend_from_slice(data);
            }
        }
        assert_eq!(came, all);
        assert_eq!(hear(&mut link, b"\r\nOK\r\n"), ["done OK"]);
    }
}

#[test]
fn a_greater_sign_at_the_end_of_a_piece_is_a_prompt_only_between_lines() {
    let publish = Exchange::plain(300).with_data(DataPhase::Prompt { ctrl_z: true });
    let (mut rx, mut tx) = ([0; 128], [0; 64]);
    let mut link = Link::new(&mut rx, &mut tx, RULES);
    link.send_with(0, &Test("+QMTPUB", publish), Payload::Copied(b"x"))
        .unwrap();
    let mut chunk = [0; 64];
    link.poll_transmit(&mut chunk);
    for piece in [
        &b"\r\n+QMTRECV: 0,0,\"t\",6,\"ab\r\n>"[..],
        b" \"\r\n",
        b"value >",
        b"\r\n",
    ] {
        hear(&mut link, piece);
        assert_eq!(link.poll_transmit(&mut chunk), 0, "no prompt yet");
    }
    for piece in [&b"\r"[..], b"\n>"] {
        hear(&mut link, piece);
    }
    assert_eq!(link.poll_transmit(&mut chunk), 2);
    assert_eq!(&chunk[..2], b"x\x1a");
}

// 6. No injection

/// The line of a command, with its `AT` and CR.
fn sent(command: &dyn Command) -> Result<Vec<u8>, WriteError> {
    let (mut rx, mut tx) = ([0; 8], [0; 2_000]);
    let mut link = Link::new(&mut rx, &mut tx, &[]);
    match link.send(0, command) {
        Ok(()) => {
            let mut chunk = [0; 2_000];
            let n = link.poll_transmit(&mut chunk);
            Ok(chunk[..n].to_vec())
        }
        Err(quectel_at::SendError::Write(error)) => Err(error),
        Err(other) => unreachable!("{other}"),
    }
}

proptest! {
    #[test]
    fn any_bytes_in_a_string_parameter_give_one_command_line_or_an_error(
        texts in prop::collection::vec(
            prop_oneof![
                any::<String>(),
                "[ -~]{0,40}",
                prop::sample::select(vec![
                    "a\"", "\r\nAT+CFUN=0", "x\x1a", "\x1b", "a\x08", "\";+CFUN=0;\"", "\0", "\x7f", "a;+CFUN=0",
                ]).prop_map(String::from),
            ],
            3,
        ),
    ) {
        let [first, second, third] = &texts[..] else { unreachable!() };
        let commands: [(&dyn Command, &[&String]); 3] = [
            (&Qicsgp { context: 1, apn: first, user: second, password: third, auth: 1 }, &[first, second, third]),
            (&QidnsGip { context: 1, host: first }, &[first]),
            (&Qntp { context: 1, server: second, port: 123, set_clock: true }, &[second]),
        ];
        for (command, texts) in commands {
            let Ok(line) = sent(command) else {
                let bad = |byte: u8| byte < b' ' || byte == b'"' || byte == 0x7F;
                prop_assert!(texts.iter().any(|text| text.bytes().any(bad)), "refused without need: {texts:?}");
                continue;
            };
            // One line: the only control character is the CR at its end, and each text is one quoted parameter.
            let (end, body) = line.split_last().unwrap();
            prop_assert_eq!(*end, b'\r');
            prop_assert!(body.iter().all(|byte| *byte >= b' ' && *byte != 0x7F));
            let begin = body.iter().position(|byte| *byte == b'=').unwrap() + 1;
            let (mut params, mut quoted) = (Params::new(&body[begin..]), Vec::new());
            while let Ok(param) = params.param() {
                if param.quoted {
                    quoted.push(param.bytes.to_vec());
                }
            }
            let texts: Vec<Vec<u8>> = texts.iter().map(|text| text.as_bytes().to_vec()).collect();
            prop_assert_eq!(quoted, texts);
        }
    }
}
