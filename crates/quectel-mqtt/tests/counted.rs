//! What the framer has found in a message is what a decoder finds in its bytes.

use proptest::prelude::*;
use quectel_at::{Event, Line, Link};
use quectel_mqtt::{RULES, Recv};

/// Pieces of messages, whole ones, and what looks like them.
fn said() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        &b"\r\n"[..],
        b"+QMTRECV: ",
        b"+QMTRECV:0,",
        b"+QMTPUB: 0,1,0\r\n",
        b"0,12,\"",
        b"0,",
        b"\"t\"",
        b"$iothub/methods/POST/reboot/?$rid=1\",",
        b"\",",
        b"\",3,\"",
        b"\",003,\"",
        b",3,\"abc\"\r\n",
        b"\"",
        b",",
        b"abc",
        b"\"\r\n",
        b"x\r\n",
        b"\r\n+QMTRECV: 0,7,\"t\",5,\"hello\"\r\n",
        b"\r\n+QMTRECV: 0,7,\"t\",5,\"a\"\r\nb\"\r\n",
        b"\r\n+QMTRECV: 0,7,\"t\",5,\"hello\"x\r\n",
        b"\r\n+QMTRECV: 0,7,\"t\",0,\"\"\r\n",
        b"\r\n+QMTRECV: 0,x,\"t\",1,\"y\"\r\n",
        b"\r\n+QMTRECV: 0,7,\"t\" ,1,\"y\"\r\n",
        b"\r\n+QMTRECV: 0,\"t\",1,\"y\",2,\"yy\"\r\n",
        b"\r\n+QMTRECV: 0,7,\"a topic\",1,\"y\"\r\n",
        b"\r\n+QMTRECV: 0,7,\"\xC3\xA9\",1,\"y\"\r\n",
        b"\r\n+QMTRECV: 0,7,\"a topic that is longer than what is looked at together\",9,\"012345678\"\r\n",
    ]);
    prop::collection::vec(words, 0..16).prop_map(|words| words.concat())
}

/// How many lines have been counted, if each is read alike with and without that.
fn counted(bytes: &[u8], step: usize) -> Result<usize, TestCaseError> {
    let (mut rx, mut tx) = ([0; 256], [0; 64]);
    let mut link = Link::new(&mut rx, &mut tx, RULES);
    let mut counted = 0;
    for mut piece in bytes.chunks(step) {
        while let Some(event) = link.poll(0, &mut piece) {
            if let Event::Urc(line) = event {
                counted += usize::from(line.counted().is_some());
                let bytes = line.bytes();
                prop_assert_eq!(
                    Recv::parse(line),
                    Recv::parse(Line::new(bytes)),
                    "{}",
                    bytes.escape_ascii()
                );
            }
        }
    }
    Ok(counted)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn a_message_is_read_alike_with_and_without_what_the_framer_found(
        bytes in said(),
        step in prop_oneof![2 => 1_usize..9, 1 => 9_usize..70, 1 => Just(usize::MAX)],
    ) {
        counted(&bytes, step)?;
    }
}

#[test]
fn a_message_is_counted_in_any_pieces() {
    let bytes = b"\r\n+QMTRECV: 0,7,\"a_topic_of_some_length\",5,\"hello\"\r\n";
    let quick = cfg!(all(target_pointer_width = "64", not(narrow)));
    for step in [1, 13, 29, 45, usize::MAX] {
        assert_eq!(
            counted(bytes, step).ok(),
            Some(usize::from(quick)),
            "{step}"
        );
    }
}
