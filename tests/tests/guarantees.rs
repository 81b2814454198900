//! `docs/guarantees.md` names tests that exist, and no text of a command injects another.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use quectel_at::{Command, Link, Params, Secret, SendError};
use quectel_azure_tests::root;
use quectel_file::{FileName, QfDel, QfLst, QfUpl};
use quectel_mqtt::{
    Delivery, PacketId, QmtConn, QmtOpen, QmtPub, QmtPubExInline, QmtSub, Qos, TopicFilter,
};
use quectel_ssl::{QsslCfg, SslItem};

/// The words in backquotes of a line.
fn words(line: &str) -> impl Iterator<Item = &str> {
    line.split('`').skip(1).step_by(2)
}

#[test]
fn every_test_that_the_table_names_exists() {
    let page = std::fs::read_to_string(root().join("docs/guarantees.md")).unwrap();
    let rows: Vec<_> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").nth(2))
        .collect();
    assert!(rows.len() >= 26, "the table is there");
    let mut names = 0;
    for row in rows {
        let mut file = String::new();
        for word in words(row) {
            if word.contains('/') {
                file = std::fs::read_to_string(root().join(word)).expect(word);
            } else {
                // A test of its own or one of proptest's.
                let test = file.find(&format!("fn {word}(")).expect(word);
                let before = file[..test].rfind("#[test]").expect(word);
                assert!(!file[before..test].contains('{'), "{word} is a test");
                names += 1;
            }
        }
        assert!(!file.is_empty(), "nothing shows it: {row}");
    }
    assert!(names >= 20, "{names} tests are named");
}

/// The page is written by `benches/report.sh`; a run that missed the goal must not stay in it.
#[test]
fn the_measured_cost_of_a_byte_does_not_grow_with_the_frame() {
    let page = std::fs::read_to_string(root().join("docs/benchmarks.md")).unwrap();
    let table = page
        .split("## Cost of a byte by the length of the frame")
        .nth(1)
        .and_then(|rest| rest.split("##").next())
        .unwrap();
    for way in ["whole", "64 bytes", "byte by byte"] {
        let row = table
            .lines()
            .find(|line| line.starts_with(&format!("| {way} |")))
            .expect(way);
        let ratio: f64 = row.split('|').nth(7).unwrap().trim().parse().expect(row);
        assert!(ratio <= 1.3, "{row}");
    }
}

/// The line of a command, with its `AT` and CR; `None` if it was refused.
fn sent(command: &dyn Command) -> Option<Vec<u8>> {
    let (mut rx, mut tx, mut chunk) = ([0; 8], [0; 4_000], [0; 4_000]);
    let mut link = Link::new(&mut rx, &mut tx, &[]);
    match link.send(0, command) {
        Ok(()) => {
            let n = link.poll_transmit(&mut chunk);
            Some(chunk[..n].to_vec())
        }
        Err(SendError::Write(_)) => None,
        Err(SendError::Busy) => unreachable!("nothing else runs"),
        Err(other) => unreachable!("{other}"),
    }
}

/// Whether the line is one command with this text as a parameter of its own.
fn carries(line: &[u8], text: &str) -> bool {
    let begin = line.iter().position(|byte| *byte == b'=').unwrap() + 1;
    let (end, body) = line[begin..].split_last().unwrap();
    let control = |byte: &u8| *byte < b' ' || *byte == 0x7F;
    let mut params = Params::new(body);
    let mut found = false;
    while let Ok(param) = params.param() {
        found |= param.quoted && param.bytes == text.as_bytes();
    }
    *end == b'\r' && !body.iter().any(control) && found
}

#[test]
fn no_text_of_a_command_injects_another() {
    let mut texts: Vec<String> = (0..=0xFF_u8)
        .map(|byte| format!("a{}b", char::from(byte)))
        .collect();
    texts.extend(
        [
            "x\r\nAT+CFUN=0\r",
            "\";+CFUN=0;\"",
            "x;+CFUN=0",
            "x\",\"y",
            "\u{1a}",
            "+++",
            "%24.to=ü",
        ]
        .map(String::from),
    );
    let (mut refused, mut carried) = (0, 0);
    for text in &texts {
        let filters = [TopicFilter {
            filter: text,
            qos: Qos::AtMostOnce,
        }];
        let delivery = Delivery::AtMostOnce;
        let file = FileName::new(text).ok();
        let secret = Some(Secret::new(text));
        let sub = QmtSub::new(0, PacketId::new(1).unwrap(), &filters).unwrap();
        let mut commands: Vec<Box<dyn Command + '_>> = vec![
            Box::new(QmtOpen {
                client: 0,
                host: text,
                port: 8883,
            }),
            Box::new(QmtConn {
                client: 0,
                client_id: text,
                user: Some(text),
                password: secret,
            }),
            Box::new(QmtConn {
                client: 0,
                client_id: "id",
                user: None,
                password: secret,
            }),
            Box::new(sub),
            Box::new(QmtPub {
                client: 0,
                delivery,
                retain: false,
                topic: text,
                length: None,
            }),
            Box::new(QmtPubExInline {
                client: 0,
                delivery,
                retain: false,
                topic: "t",
                payload: text.as_bytes(),
            }),
            Box::new(QsslCfg {
                context: 0,
                item: SslItem::CaCert(text),
            }),
            Box::new(QsslCfg {
                context: 0,
                item: SslItem::ClientKey("key.pem", secret),
            }),
            Box::new(QfLst {
                pattern: Some(text),
            }),
        ];
        if let Some(name) = file {
            commands.push(Box::new(QfUpl::new(name, 3)));
            commands.push(Box::new(QfDel { name }));
        }
        let bad = text
            .bytes()
            .any(|byte| byte < b' ' || byte == b'"' || byte == 0x7F);
        for command in commands {
            match sent(&*command) {
                Some(line) => {
                    assert!(!bad && carries(&line, text), "{}", line.escape_ascii());
                    carried += 1;
                }
                None => {
                    assert!(bad, "{text:?} is refused");
                    refused += 1;
                }
            }
        }
    }
    assert!(
        carried > 2_000 && refused > 250,
        "{carried} carried, {refused} refused"
    );
}
