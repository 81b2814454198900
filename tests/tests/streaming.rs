//! Every transcript gives the events that it names, for every split of the module's bytes.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests; what is wrong stops the test with its place"
)]

use quectel_at::{Event, Link, LostReason, Payload, PayloadRule};
use quectel_azure_tests::exchange::Typed;
use quectel_azure_tests::root;
use quectel_azure_tests::transcript::{self, Step, Transcript, escape};

const RULES: &[PayloadRule] = quectel_mqtt::RULES;

/// What the host or the clock does, and what the module answers and the link reports until the next such step.
struct Part {
    action: Action,
    modem: Vec<u8>,
    events: Vec<String>,
}

enum Action {
    Nothing,
    Time(u64),
    Command {
        command: Typed,
        line: Vec<u8>,
        payload: Vec<u8>,
    },
    Payload(Vec<u8>),
}

struct Dialogue {
    name: String,
    buffer: usize,
    parts: Vec<Part>,
}

impl Dialogue {
    fn new(transcript: Transcript) -> Self {
        let part = |action| Part {
            action,
            modem: Vec::new(),
            events: Vec::new(),
        };
        let mut parts = vec![part(Action::Nothing)];
        for step in transcript.steps {
            let last = parts.last_mut().unwrap();
            match step {
                Step::Modem(bytes) => last.modem.extend_from_slice(&bytes),
                Step::Event(event) => last.events.push(event),
                Step::Time(now) => parts.push(part(Action::Time(now))),
                Step::Payload(bytes) => parts.push(part(Action::Payload(bytes))),
                Step::Command {
                    line,
                    payload,
                    download,
                } => parts.push(part(Action::Command {
                    command: Typed::new(&line, download),
                    line: [line.as_bytes(), b"\r"].concat(),
                    payload,
                })),
            }
        }
        Self {
            name: transcript.name,
            buffer: transcript.buffer,
            parts,
        }
    }

    /// Bytes of the module in all.
    fn len(&self) -> usize {
        self.parts.iter().map(|part| part.modem.len()).sum()
    }

    /// Replays it with the module's bytes cut at these places, which are sorted, and compares.
    fn replay(&self, cuts: &[usize]) {
        let (mut rx, mut tx) = (vec![0; self.buffer], vec![0; 4096]);
        let mut host = Host {
            link: Link::new(&mut rx, &mut tx, RULES),
            now: 0,
            events: Vec::new(),
            sent: Vec::new(),
        };
        let (mut cuts, mut at) = (cuts.iter().copied().peekable(), 0);
        for (number, part) in self.parts.iter().enumerate() {
            host.act(&part.action, &self.name);
            let mut rest = &part.modem[..];
            while !rest.is_empty() {
                while cuts.next_if(|cut| *cut <= at).is_some() {}
                let n = cuts
                    .peek()
                    .map_or(rest.len(), |cut| rest.len().min(cut - at));
                host.hear(&rest[..n]);
                rest = &rest[n..];
                at += n;
            }
            let events = core::mem::take(&mut host.events);
            assert_eq!(
                events, part.events,
                "{}, part {number}, cut at {cuts:?}",
                self.name
            );
        }
        assert_eq!(
            escape(&host.sent),
            "",
            "{}: nothing more is sent",
            self.name
        );
    }
}

struct Host<'b> {
    link: Link<'b>,
    now: u64,
    events: Vec<String>,
    sent: Vec<u8>,
}

impl Host<'_> {
    fn act(&mut self, action: &Action, name: &str) {
        match action {
            Action::Nothing => {}
            Action::Time(now) => {
                self.now = *now;
                self.hear(&[]);
            }
            Action::Command {
                command,
                line,
                payload,
            } => {
                // What ends the payload is the link's part.
                let ended = matches!(
                    quectel_at::Command::exchange(command).data,
                    quectel_at::DataPhase::Prompt { ctrl_z: true }
                );
                let payload = if ended {
                    payload.strip_suffix(b"\x1a").unwrap_or(payload)
                } else {
                    payload
                };
                self.link
                    .send_with(self.now, command, Payload::Copied(payload))
                    .unwrap();
                self.pump();
                self.expect(line, name);
            }
            Action::Payload(bytes) => self.expect(bytes, name),
        }
    }

    fn expect(&mut self, bytes: &[u8], name: &str) {
        assert_eq!(
            escape(&self.sent),
            escape(bytes),
            "{name}: what the host sends"
        );
        self.sent.clear();
    }

    fn pump(&mut self) {
        let mut chunk = [0; 100];
        loop {
            let n = self.link.poll_transmit(&mut chunk);
            if n == 0 {
                return;
            }
            self.sent.extend_from_slice(&chunk[..n]);
        }
    }

    fn hear(&mut self, mut bytes: &[u8]) {
        while let Some(event) = self.link.poll(self.now, &mut bytes) {
            let text = text(event);
            match (self.events.last_mut(), text.strip_prefix("data ")) {
                (Some(last), Some(more)) if last.starts_with("data ") => last.push_str(more),
                _ => self.events.push(text),
            }
            self.pump();
        }
        assert_eq!(bytes, b"", "all bytes are taken");
        self.pump();
    }
}

fn text(event: Event<'_>) -> String {
    let line = |line: quectel_at::Line<'_>| escape(line.bytes());
    match event {
        Event::Answer(answer) => format!("answer {}", line(answer)),
        Event::Urc(urc) => format!("urc {}", line(urc)),
        Event::Data(bytes) => format!("data {}", escape(bytes)),
        Event::Done { line: text, .. } => format!("done {}", line(text)),
        Event::Late { line: text, .. } => format!("late {}", line(text)),
        Event::TimedOut => "timed out".into(),
        Event::Lost { bytes, reason, .. } => {
            let reason = match reason {
                LostReason::Overflow => "overflow",
                LostReason::Incomplete => "incomplete",
                LostReason::StaleEcho => "stale echo",
                other => panic!("a new reason: {other:?}"),
            };
            format!("lost {bytes} {reason}")
        }
        other => panic!("a new event: {other:?}"),
    }
}

fn dialogues() -> Vec<Dialogue> {
    let all = transcript::all(&root().join("tests/transcripts"));
    assert!(all.len() > 50, "the transcripts are there");
    all.into_iter().map(Dialogue::new).collect()
}

/// A small generator, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % end.max(1) as u64).unwrap()
    }
}

#[test]
fn whole() {
    for dialogue in dialogues() {
        dialogue.replay(&[]);
    }
}

#[test]
fn in_pieces_of_one_size() {
    for dialogue in dialogues() {
        for size in 1..=64 {
            let cuts: Vec<_> = (1..dialogue.len()).step_by(size).collect();
            dialogue.replay(&cuts);
            let cuts: Vec<_> = (size..dialogue.len()).step_by(size).collect();
            dialogue.replay(&cuts);
        }
    }
}

/// Every split of what the module says between two actions of the host, in all such parts at once.
#[test]
fn every_split_at_two_places() {
    for dialogue in dialogues() {
        let parts = || dialogue.parts.iter().map(|part| part.modem.len());
        for a in 0..=parts().max().unwrap() {
            for b in a..=parts().max().unwrap() {
                let mut begin = 0;
                let mut cuts = Vec::new();
                for len in parts() {
                    cuts.extend([begin + a.min(len), begin + b.min(len)]);
                    begin += len;
                }
                dialogue.replay(&cuts);
            }
        }
    }
}

/// Bytes that the replays of one dialogue may take.
const BUDGET: usize = 4_000_000;

/// Every pair of cuts anywhere in a dialogue, where it is short.
#[test]
fn every_split_at_two_places_of_short_dialogues() {
    let mut seen = 0;
    for dialogue in dialogues() {
        let len = dialogue.len();
        if len * len / 2 * len > BUDGET {
            continue;
        }
        seen += 1;
        for a in 0..len {
            for b in a..len {
                dialogue.replay(&[a, b]);
            }
        }
    }
    assert!(seen > 40, "most dialogues are short");
}

#[test]
fn random_splits() {
    let mut random = Random(5);
    for dialogue in dialogues() {
        for _ in 0..100 {
            let most = 1 + random.below(60);
            let mut cuts = vec![random.below(most)];
            while cuts[cuts.len() - 1] < dialogue.len() {
                cuts.push(cuts[cuts.len() - 1] + 1 + random.below(most));
            }
            dialogue.replay(&cuts);
        }
    }
}
