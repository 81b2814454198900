//! Whatever the pieces, the framer finds the same frames as in the whole, and no more bytes than there were.
//!
//! Input: a byte of options, a byte for the receive buffer's size, a byte that counts the lengths of pieces, these
//! lengths, and what the module says.
#![no_main]

use libfuzzer_sys::fuzz_target;
use quectel_at::{Frame, Framer, PayloadForm, PayloadRule};

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
const QIRD: PayloadRule = PayloadRule {
    name: b"+QIRD",
    form: PayloadForm::NextLine,
};

#[derive(Debug, PartialEq)]
enum Owned {
    Line(Vec<u8>),
    Overflow(Vec<u8>, usize),
    Prompt,
    Ack,
    Data(Vec<u8>),
}

#[derive(Debug, PartialEq)]
struct Outcome {
    frames: Vec<Owned>,
    is_inside: bool,
    /// Bytes of the unfinished line.
    left: usize,
}

fn run<'i>(options: u8, size: usize, pieces: impl Iterator<Item = &'i [u8]>) -> Outcome {
    let mut buffer = vec![0; size];
    let mut framer = Framer::new(&mut buffer, RULES);
    framer.await_prompt(options & 1 != 0);
    framer.await_ack(options & 2 != 0);
    framer.set_rule((options & 4 != 0).then_some(&QIRD));
    let mut frames = Vec::new();
    for mut piece in pieces {
        while let Some(frame) = framer.poll(&mut piece) {
            let (frame, data) = match frame {
                Frame::Line(line) if options & 8 != 0 && line.starts_with(b"CONNECT") => {
                    (Owned::Line(line.to_vec()), line.len() as u32)
                }
                Frame::Line(line) => (Owned::Line(line.to_vec()), 0),
                Frame::Overflow { head, dropped } => {
                    assert_eq!(head.len(), size);
                    (Owned::Overflow(head.to_vec(), dropped), 0)
                }
                Frame::Prompt => (Owned::Prompt, 0),
                Frame::Ack => (Owned::Ack, 0),
                Frame::Data(data) => (Owned::Data(data.to_vec()), 0),
                other => panic!("an unknown frame: {other:?}"),
            };
            if data > 0 {
                framer.await_data(data);
            }
            match (frames.last_mut(), frame) {
                (Some(Owned::Data(earlier)), Owned::Data(more)) => earlier.extend(more),
                (_, frame) => frames.push(frame),
            }
        }
        assert!(piece.is_empty(), "no frame, and yet bytes are left");
    }
    Outcome {
        frames,
        is_inside: framer.is_inside(),
        left: framer.reset(),
    }
}

fuzz_target!(|data: &[u8]| {
    let [options, size, count, rest @ ..] = data else {
        return;
    };
    let (steps, input) = rest.split_at(rest.len().min(usize::from(count % 16)));
    // A name of the table must fit, so that it is known when it comes in pieces.
    let size = usize::from(*size).max(16);
    let whole = run(*options, size, core::iter::once(input));

    let bytes: usize = whole
        .frames
        .iter()
        .map(|frame| match frame {
            Owned::Line(bytes) | Owned::Data(bytes) => bytes.len(),
            Owned::Overflow(head, dropped) => head.len() + dropped,
            Owned::Prompt | Owned::Ack => 1,
        })
        .sum();
    assert!(bytes + whole.left <= input.len(), "more bytes than came");

    let mut rest = input;
    let mut steps = steps.iter().cycle();
    let pieces = core::iter::from_fn(|| {
        if rest.is_empty() {
            return None;
        }
        // Pieces of nothing are as good as any, but the input must end.
        let step = steps.next().map_or(1, |step| usize::from(*step).max(1));
        let piece;
        (piece, rest) = rest.split_at(step.min(rest.len()));
        Some(piece)
    });
    assert_eq!(run(*options, size, pieces), whole);
});
