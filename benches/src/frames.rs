//! Messages of one length each, to see whether the cost of a byte grows with the frame.

use quectel_at::{Frame, Framer};
use quectel_mqtt::RULES;

/// The lengths that are measured, in bytes.
pub const LENGTHS: [usize; 5] = [64, 256, 1024, 4096, 16_384];

/// One `+QMTRECV` of so many bytes with its line ends, at least 48.
pub fn one(length: usize) -> Vec<u8> {
    let line = |payload: &str| {
        format!(
            "\r\n+QMTRECV: 0,1,\"t\",{},\"{payload}\"\r\n",
            payload.len()
        )
    };
    let mut payload = String::new();
    while line(&payload).len() < length {
        payload.push(if payload.len() % 16 == 3 { '"' } else { 'x' });
    }
    line(&payload).into_bytes()
}

/// About 1 MiB of them.
pub fn of(length: usize) -> Vec<u8> {
    one(length).repeat((1 << 20) / length)
}

/// How many lines the framer finds in `bytes`, in pieces of `step` bytes.
pub fn count(bytes: &[u8], step: usize) -> usize {
    let mut buf = [0; 20_000];
    let mut framer = Framer::new(&mut buf, RULES);
    let mut lines = 0;
    for piece in bytes.chunks(step) {
        let mut input = piece;
        while let Some(frame) = framer.poll(&mut input) {
            lines += usize::from(matches!(frame, Frame::Line(_)));
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_frame_is_found_at_every_length() {
        for length in LENGTHS {
            assert!(one(length).len().abs_diff(length) <= 1, "{length}");
            for step in [1, 64, usize::MAX] {
                assert_eq!(count(&of(length), step), (1 << 20) / length, "{length}");
            }
        }
    }
}
