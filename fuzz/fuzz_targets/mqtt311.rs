//! Any bytes: what is decoded is encoded to something that decodes to the same, and pieces change nothing.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mqtt311::{Decoder, decode};

/// Bytes of the longest packet accepted.
const LIMIT: usize = 4_096;

fuzz_target!(|data: &[u8]| {
    let mut rest = data;
    let mut packets = Vec::new();
    let end = loop {
        match decode(rest, LIMIT) {
            Ok(Some((packet, size))) => {
                assert!((2..=LIMIT).contains(&size) && size <= rest.len());
                let bytes = packet.to_bytes().expect("what was decoded has bytes");
                assert!(bytes.len() <= size, "longer than it came");
                assert_eq!(
                    decode(&bytes, LIMIT),
                    Ok(Some((packet.clone(), bytes.len())))
                );
                packets.push(packet);
                rest = &rest[size..];
            }
            Ok(None) => break Ok(None),
            Err(error) => break Err(error),
        }
    };

    let mut decoder = Decoder::new(LIMIT);
    let mut again = Vec::new();
    let step = data.first().map_or(1, |first| usize::from(first % 7) + 1);
    let mut last = Ok(None);
    for piece in data.chunks(step) {
        decoder.push(piece);
        last = loop {
            match decoder.next_packet() {
                Ok(Some(packet)) => again.push(packet),
                end => break end,
            }
        };
        assert!(decoder.buffered() < LIMIT + step);
    }
    assert_eq!(again, packets);
    assert_eq!(last, end);
});
