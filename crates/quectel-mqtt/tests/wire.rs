//! Bytes of modules through the link into typed URCs, for any split of the bytes.

use quectel_at::{Event, Link};
use quectel_mqtt::{
    ConnectResult, OpenResult, PubResult, Published, RULES, ReturnCode, Stat, StatCause, Urc,
};

/// The lines of one session, each with what it means, in the forms of all families.
fn session() -> Vec<(&'static [u8], String)> {
    let recv = |client: u8, msg_id: u32, topic: &str, payload: &[u8], length: Option<u32>| {
        format!(
            "{client} {msg_id} {topic} {} {length:?}",
            payload.escape_ascii()
        )
    };
    let show = |urc: Urc<'_>| format!("{urc:?}");
    let published = |msg_id, result| Published {
        client: 0,
        msg_id,
        result,
    };
    vec![
        (b"\r\n+QMTOPEN: 0,0\r\n", show(Urc::Open { client: 0, result: OpenResult::Opened })),
        (
            b"\r\n+QMTCONN: 0,0,5\r\n",
            show(Urc::Conn { client: 0, result: ConnectResult::Refused(ReturnCode::NotAuthorized) }),
        ),
        (b"\r\n+QMTSTAT: 0,4\r\n", show(Urc::Stat(Stat { client: 0, cause: StatCause::ConnackFailed }))),
        (b"\r\n+QMTPUB: 0,1,0\r\n", show(Urc::Pub(published(1, PubResult::Acknowledged)))),
        (b"\r\n+QMTPUBEX: 0,2,1,3\r\n", show(Urc::PubEx(published(2, PubResult::Retransmission(Some(3)))))),
        (b"\r\n+QMTRECV: 0,0,\"t\",\"x\"\r\n", recv(0, 0, "t", b"x", None)),
        (b"\r\n+QMTRECV: 0,0,\"t\",1,\"x\"\r\n", recv(0, 0, "t", b"x", Some(1))),
        (b"\r\n+QMTRECV: 0,3\r\n", show(Urc::RecvNotice { client: 0, slot: 3 })),
        // A payload that looks like the end of a command, a prompt and another URC.
        (
            b"\r\n+QMTRECV: 0,7,\"t\",32,\"\"\r\nOK\r\n> \0\x1a\r\n+QMTSTAT: 0,1\r\n\"\"\"\"\"\r\n",
            recv(0, 7, "t", b"\"\r\nOK\r\n> \0\x1a\r\n+QMTSTAT: 0,1\r\n\"\"\"\"", Some(32)),
        ),
        (
            b"\r\n+QMTRECV: 0,0,\"$iothub/twin/res/200/?$rid=1\",\"{\n   \"desired\": { },\n   }\"\r\n",
            recv(0, 0, "$iothub/twin/res/200/?$rid=1", b"{\n   \"desired\": { },\n   }", None),
        ),
        (b"\r\n+QMTRECV: 1,65999,\"\",\"\"\r\n", recv(1, 65_999, "", b"", None)),
        (b"\r\n+QMTRECV: 0,0,\"t\",0,\"\"\r\n", recv(0, 0, "t", b"", Some(0))),
        (b"\r\n+QMTRECV: 0,0,\"t\",hello\r\n", recv(0, 0, "t", b"hello", None)),
        (b"\r\n+QMTRECV: 0,0,\"t\",6\r\n\r\nOK\r\n\r\n", recv(0, 0, "t", b"\r\nOK\r\n", Some(6))),
        (b"\r\n+QMTSTAT: 0,1\r\n", show(Urc::Stat(Stat { client: 0, cause: StatCause::PeerClosed }))),
    ]
}

fn decode(pieces: &[&[u8]]) -> Vec<String> {
    let (mut rx, mut tx) = ([0; 256], [0; 16]);
    let mut link = Link::new(&mut rx, &mut tx, RULES);
    let mut got = Vec::new();
    for piece in pieces {
        let mut input = *piece;
        while let Some(event) = link.poll(0, &mut input) {
            got.push(match event {
                Event::Urc(line) => match Urc::parse(line) {
                    Some(Urc::Recv(recv)) => format!(
                        "{} {} {} {} {:?}",
                        recv.client,
                        recv.msg_id,
                        recv.topic.escape_ascii(),
                        recv.payload.escape_ascii(),
                        recv.length
                    ),
                    Some(urc) => format!("{urc:?}"),
                    None => format!("unknown {line}"),
                },
                other => format!("{other:?}"),
            });
        }
    }
    got
}

#[test]
fn any_split_gives_the_expected_urcs() {
    let session = session();
    let bytes: Vec<u8> = session
        .iter()
        .flat_map(|(line, _)| line.iter().copied())
        .collect();
    let expected: Vec<String> = session.into_iter().map(|(_, urc)| urc).collect();
    assert_eq!(decode(&[&bytes]), expected);
    let singles: Vec<&[u8]> = bytes.chunks(1).collect();
    assert_eq!(decode(&singles), expected, "byte by byte");
    for cut in 0..bytes.len() {
        let (a, b) = bytes.split_at(cut);
        assert_eq!(decode(&[a, b]), expected, "cut at {cut}");
    }
}
