use super::*;
use crate::framer::RULES;
use crate::{Answer, Chain, Writer};
use std::string::{String, ToString};
use std::vec::Vec;
use std::{format, vec};

struct Test {
    line: &'static str,
    exchange: Exchange,
}

impl Command for Test {
    fn encode(&self, line: &mut Writer<'_>) {
        line.raw(self.line);
    }
    fn exchange(&self) -> Exchange {
        self.exchange
    }
}

fn text(event: Event<'_>) -> String {
    match event {
        Event::Answer(line) => format!("answer {line}"),
        Event::Urc(line) => format!("urc {line}"),
        Event::Data(data) => format!("data {}", data.escape_ascii()),
        Event::Done { line, .. } => format!("done {line}"),
        Event::Late { line, .. } => format!("late {line}"),
        Event::TimedOut => "timed out".to_string(),
        Event::Lost { bytes, reason, .. } => format!("lost {bytes} {reason:?}"),
    }
}

/// Sends the command, gives the module's bytes in pieces of `step`, returns events and sent bytes.
fn talk(
    command: &dyn Command,
    payload: Payload<'_, '_>,
    input: &[u8],
    step: usize,
) -> (Vec<String>, Vec<u8>) {
    let (mut rx, mut tx) = ([0; 128], [0; 128]);
    let mut link = Link::new(&mut rx, &mut tx, RULES);
    let copied: Vec<u8>;
    let payload = match payload {
        Payload::None => Payload::None,
        Payload::Copied(b) | Payload::Borrowed(b) => {
            copied = b.to_vec();
            Payload::Copied(&copied)
        }
    };
    link.send_with(0, command, payload).unwrap();
    let (mut events, mut sent): (Vec<String>, Vec<u8>) = (vec![], vec![]);
    let mut chunk = [0; 16];
    let mut pump = |link: &mut Link<'_>| loop {
        let n = link.poll_transmit(&mut chunk);
        if n == 0 {
            break;
        }
        sent.extend_from_slice(&chunk[..n]);
    };
    pump(&mut link);
    // A 0xFF in the input stands where the module waits for the host.
    for piece in input
        .split(|&b| b == 0xFF)
        .flat_map(|part| part.chunks(step))
    {
        let mut piece = piece;
        loop {
            let event = link.poll(1, &mut piece).map(text);
            pump(&mut link);
            match event {
                Some(event) => match (events.last_mut(), event.strip_prefix("data ")) {
                    (Some(last), Some(more)) if last.starts_with("data ") => last.push_str(more),
                    _ => events.push(event),
                },
                None => break,
            }
        }
    }
    (events, sent)
}

const QFUPL: &[Answer] = &[Answer::once(b"+QFUPL")];
const QIRD: &[Answer] = &[Answer::once(b"+QIRD")];
const CREG: &[Answer] = &[Answer::once(b"+CREG")];
const CSQ_ANSWER: &[Answer] = &[Answer::once(b"+CSQ")];
const CSQ: Exchange = Exchange::answered(CSQ_ANSWER, 300);

#[test]
#[expect(
    clippy::type_complexity,
    reason = "a table with its columns in one place"
)]
fn answers_urcs_echo_and_data() {
    let prompt = |ctrl_z| Exchange::plain(300).with_data(DataPhase::Prompt { ctrl_z });
    let cases: &[(&str, Exchange, &[u8], &[u8], &[&str], &[u8])] = &[
        ("+CSQ", CSQ, b"", b"AT+CSQ\r\r\n+CSQ: 24,99\r\n\r\nOK\r\n", &["answer +CSQ: 24,99", "done OK"], b"AT+CSQ\r"),
        ("+CSQ", CSQ, b"", b"\r\n+CSQ: 24,99\r\n\r\n+CSQ: 1,99\r\n\r\nAPP RDY\r\n\r\nOK\r\n",
            &["answer +CSQ: 24,99", "urc +CSQ: 1,99", "urc APP RDY", "done OK"], b"AT+CSQ\r"),
        ("+QMTPUB=0,1,1,0,\"t\"", prompt(true), b"hi", b"\r\n> \xFF\r\nOK\r\n\r\n+QMTPUB: 0,1,0\r\n",
            &["done OK", "urc +QMTPUB: 0,1,0"], b"AT+QMTPUB=0,1,1,0,\"t\"\rhi\x1a"),
        ("+QMTPUB", prompt(true), b"0123\r\nOK", b"AT+QMTPUB\r\r\n> \xFF0123\r\nOK\x1a\r\nOK\r\n", &["done OK"], b"AT+QMTPUB\r0123\r\nOK\x1a"),
        ("+QMTPUBEX", prompt(false), b" x", b"\r\n>\xFF\r\nOK\r\n", &["done OK"], b"AT+QMTPUBEX\r x"),
        ("+QFUPL", Exchange::answered(QFUPL, 300).with_data(DataPhase::Upload { ack: false }), b"ABC",
            b"\r\nCONNECT\r\n\xFF+QFUPL: 3,242\r\n\r\nOK\r\n", &["answer +QFUPL: 3,242", "done OK"], b"AT+QFUPL\rABC"),
        ("+QFREAD=1", Exchange::plain(300).with_data(DataPhase::Download { size: None }), b"",
            b"\r\nCONNECT 9\r\n\r\nOK\r\n> \0\r\n\r\nOK\r\n", &["data \\r\\nOK\\r\\n> \\x00", "done OK"], b"AT+QFREAD=1\r"),
        ("+QIRD=1", Exchange::answered(QIRD, 300).with_data(DataPhase::Counted { rule: &crate::framer::QIRD }), b"",
            b"\r\n+QIRD: 4\r\nOK\r\n\r\n\r\nOK\r\n", &["answer +QIRD: 4\\r\\nOK\\r\\n", "done OK"], b"AT+QIRD=1\r"),
        ("+CSQ", CSQ, b"", b"\r\n+QMTRECV: 0,0,\"t\",9,\"a\"\r\nOK\r\n\"\r\n+CSQ: 1,2\r\n\r\nOK\r\n",
            &["urc +QMTRECV: 0,0,\\\"t\\\",9,\\\"a\\\"\\r\\nOK\\r\\n\\\"", "answer +CSQ: 1,2", "done OK"], b"AT+CSQ\r"),
        ("+CSQ", CSQ, b"", b"+QMTRECV: 0,0,\"t\",\"{\n 1 }\"\r\n+QMTRECV: 0,0,\"t\",3\r\nOK\n\r\n+CSQ: 1,2\r\nOK\r\n",
            &["urc +QMTRECV: 0,0,\\\"t\\\",\\\"{\\n 1 }\\\"", "urc +QMTRECV: 0,0,\\\"t\\\",3\\r\\nOK\\n", "answer +CSQ: 1,2", "done OK"], b"AT+CSQ\r"),
        ("+CSQ", CSQ, b"", b"+QIURC: \"recv\",0,4\r\nOK\r\n\r\n+QIURC: \"closed\",0\r\nERROR\r\n",
            &["urc +QIURC: \\\"recv\\\",0,4\\r\\nOK\\r\\n", "urc +QIURC: \\\"closed\\\",0", "done ERROR"], b"AT+CSQ\r"),
        ("E0", Exchange::plain(300), b"", b"ATE0\r0\r", &["done 0"], b"ATE0\r"),
    ];
    for (line, exchange, payload, input, events, sent) in cases {
        for step in [1, 2, 3, 5, 1000] {
            let command = Test {
                line,
                exchange: *exchange,
            };
            let payload = if payload.is_empty() {
                Payload::None
            } else {
                Payload::Copied(payload)
            };
            let got = talk(&command, payload, input, step);
            assert_eq!(got.0, *events, "{line} in steps of {step}");
            assert_eq!(got.1, *sent, "{line} in steps of {step}");
        }
    }
}

#[test]
fn overflow_is_reported_and_the_result_kept() {
    let mut input = vec![b'x'; 200];
    input.extend_from_slice(b"\r\nOK\r\n");
    for step in [1, 7, 1000] {
        let got = talk(
            &Test {
                line: "",
                exchange: Exchange::plain(300),
            },
            Payload::None,
            &input,
            step,
        )
        .0;
        assert_eq!(got, ["lost 72 Overflow", "done OK"]);
    }
}

#[test]
fn chained_reads_are_all_answers() {
    let a = Test {
        line: "+CREG?",
        exchange: Exchange::answered(CREG, 300),
    };
    let b = Test {
        line: "+CSQ",
        exchange: CSQ,
    };
    let got = talk(
        &Chain(&[&a, &b]),
        Payload::None,
        b"\r\n+CREG: 0,1\r\n\r\n+CSQ: 1,2\r\n\r\nOK\r\n",
        4,
    );
    assert_eq!(got.0, ["answer +CREG: 0,1", "answer +CSQ: 1,2", "done OK"]);
    assert_eq!(got.1, b"AT+CREG?;+CSQ\r");
}

#[test]
fn late_results_do_not_answer_the_next_command() {
    let (mut rx, mut tx) = ([0; 64], [0; 64]);
    let mut link = Link::new(&mut rx, &mut tx, RULES);
    let mut chunk = [0; 64];
    link.send(
        0,
        &Test {
            line: "+CSQ",
            exchange: CSQ,
        },
    )
    .unwrap();
    link.poll_transmit(&mut chunk);
    assert_eq!(link.poll_timeout(), Some(300));
    assert_eq!(link.poll(300, &mut &[][..]).map(text).unwrap(), "timed out");
    link.send(
        301,
        &Test {
            line: "+CSQ",
            exchange: CSQ,
        },
    )
    .unwrap();
    // Nothing is an answer before the command is out.
    assert_eq!(
        link.poll(302, &mut &b"+CSQ: 9,9\r\nOK\r\n"[..])
            .map(text)
            .unwrap(),
        "urc +CSQ: 9,9"
    );
    let mut input = &b"OK\r\n+CSQ: 1,2\r\nOK\r\nOK\r\n"[..];
    link.poll_transmit(&mut chunk);
    let mut got = vec![];
    while let Some(event) = link.poll(303, &mut input) {
        got.push(text(event));
    }
    assert_eq!(got, ["late OK", "answer +CSQ: 1,2", "done OK", "late OK"]);
}

#[test]
fn data_of_a_download_that_timed_out_are_lost_and_time_nothing_out() {
    let (mut rx, mut tx) = ([0; 64], [0; 64]);
    let mut link = Link::new(&mut rx, &mut tx, RULES);
    let mut chunk = [0; 64];
    let download = Test {
        line: "+QFREAD=1",
        exchange: Exchange::plain(300).with_data(DataPhase::Download { size: None }),
    };
    link.send(0, &download).unwrap();
    link.poll_transmit(&mut chunk);
    assert!(link.poll(1, &mut &b"\r\nCONNECT 9\r\n"[..]).is_none());
    assert_eq!(
        link.poll(980, &mut &b""[..]).map(text).unwrap(),
        "timed out"
    );
    let lost = link.poll(1_000, &mut &b"6173"[..]);
    assert!(matches!(lost, Some(Event::Lost { head, .. }) if head.bytes().is_empty()));
    assert_eq!(lost.map(text).unwrap(), "lost 4 Incomplete");
    for now in [1_300, 2_000, 10_000, 20_000] {
        let event = link.poll(now, &mut &b""[..]).map(text);
        assert_ne!(event.as_deref(), Some("timed out"));
    }
}

#[test]
fn a_command_after_raw_bytes_goes_out_whole() {
    let (mut rx, mut tx) = ([0; 64], [0; 64]);
    let mut link = Link::new(&mut rx, &mut tx, RULES);
    let mut chunk = [0; 64];
    for raw in [&b"\x1B"[..], b"+++"] {
        link.send_raw(raw).unwrap();
        assert_eq!(link.poll_transmit(&mut chunk), raw.len());
        link.send(0, &crate::commands::At).unwrap();
        let n = link.poll_transmit(&mut chunk);
        assert_eq!(&chunk[..n], b"AT\r");
        assert!(link.poll(1, &mut &b"OK\r\n"[..]).is_some());
    }
}

#[test]
fn secrets_are_located_and_wiped() {
    struct Pin;
    impl Command for Pin {
        fn encode(&self, line: &mut Writer<'_>) {
            line.set("+CPIN").secret(b"1234");
        }
        fn exchange(&self) -> Exchange {
            Exchange::plain(300)
        }
    }
    let (mut rx, mut tx) = ([0; 64], [0; 64]);
    let mut link = Link::new(&mut rx, &mut tx, RULES);
    let mut chunk = [0; 11];
    link.send(0, &Pin).unwrap();
    link.poll_transmit(&mut chunk);
    assert_eq!(&chunk[link.transmitted_secret()], b"12");
    link.poll_transmit(&mut chunk);
    assert_eq!(&chunk[link.transmitted_secret()], b"34");
    assert!(link.poll(1, &mut &b"OK\r\n"[..]).is_some());
    assert_eq!(tx, [0; 64]);
}

#[test]
fn a_pause_in_a_download_loses_nothing_and_its_rest_is_not_the_next_commands() {
    let download = Test {
        line: "+QFREAD",
        exchange: Exchange::plain(10_000).with_data(DataPhase::Download { size: None }),
    };
    let (mut rx, mut tx) = ([0; 64], [0; 64]);
    let mut link = Link::new(&mut rx, &mut tx, RULES);
    let hear = |link: &mut Link<'_>, now, mut bytes: &[u8]| {
        let mut events = Vec::new();
        while let Some(event) = link.poll(now, &mut bytes) {
            events.push(text(event));
        }
        events
    };
    link.send(0, &download).unwrap();
    link.poll_transmit(&mut [0; 64]);
    assert_eq!(hear(&mut link, 1, b"\r\nCONNECT 9\r\n123"), ["data 123"]);
    // Longer than an unfinished line may take.
    assert_eq!(hear(&mut link, 3_000, b""), [""; 0]);
    assert_eq!(
        hear(&mut link, 3_001, b"\r\nOK\r\n"),
        ["data \\r\\nOK\\r\\n"]
    );
    assert_eq!(hear(&mut link, 3_002, b"\r\nOK\r\n"), ["done OK"]);

    let short = Test {
        line: "+QFREAD",
        exchange: Exchange {
            timeout_ms: 300,
            ..download.exchange
        },
    };
    link.send(4_000, &short).unwrap();
    link.poll_transmit(&mut [0; 64]);
    assert_eq!(
        hear(&mut link, 4_000, b"\r\nCONNECT 9\r\n123"),
        ["data 123"]
    );
    assert_eq!(hear(&mut link, 4_300, b""), ["timed out"]);
    let at = Test {
        line: "",
        exchange: Exchange::plain(300),
    };
    link.send(4_301, &at).unwrap();
    link.poll_transmit(&mut [0; 64]);
    assert_eq!(hear(&mut link, 4_302, b"456789"), ["lost 6 Incomplete"]);
    assert_eq!(hear(&mut link, 4_602, b""), ["timed out"]);
}

#[test]
fn a_command_in_the_middle_of_a_line_changes_nothing_of_it() {
    const QIRD: &[Answer] = &[Answer::once(b"+QIRD")];
    let data = DataPhase::Counted {
        rule: &crate::framer::QIRD,
    };
    let qird = Test {
        line: "+QIRD=0",
        exchange: Exchange::answered(QIRD, 300).with_data(data),
    };
    for begin in [&b"\r\n+QIRD: 4"[..], b"\r\n+QIRD: 4,\"10.0.0.1\",80"] {
        for step in [1, 2, 7, 100] {
            let (mut rx, mut tx) = ([0; 64], [0; 64]);
            let mut link = Link::new(&mut rx, &mut tx, RULES);
            let mut events = Vec::new();
            for mut piece in begin.chunks(step) {
                while let Some(event) = link.poll(0, &mut piece) {
                    events.push(text(event));
                }
            }
            link.send(0, &qird).unwrap();
            link.poll_transmit(&mut [0; 64]);
            for mut piece in b"\r\nOK\r\n".chunks(step) {
                while let Some(event) = link.poll(0, &mut piece) {
                    events.push(text(event));
                }
            }
            // The rule of a command that came later does not apply.
            assert_eq!(events.len(), 2, "{events:?} in {step}");
            assert_eq!(events[1], "done OK", "in {step}");
        }
    }
}
