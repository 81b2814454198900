//! Reads the dialogues of `tests/transcripts`; their README tells the format.
#![expect(
    clippy::panic,
    reason = "a helper of tests; a wrong file stops the test with its place"
)]

use std::path::Path;

/// One dialogue.
#[derive(Debug)]
pub struct Transcript {
    /// The file's name without `.at`.
    pub name: String,
    /// Size of the link's receive buffer in bytes.
    pub buffer: usize,
    /// What happens, in order.
    pub steps: Vec<Step>,
}

/// One thing that happens.
#[derive(Debug)]
#[expect(
    clippy::exhaustive_enums,
    reason = "each kind of line must be replayed"
)]
pub enum Step {
    /// The clock stands here, in milliseconds.
    Time(u64),
    /// The host sends a command line, without its CR, and later its payload.
    Command {
        /// With `AT`, without CR.
        line: String,
        /// What it sends after a prompt or `CONNECT`, in as many parts as the module asks for.
        payload: Vec<u8>,
        /// Bytes that the command downloads, where only the host knows that.
        download: u32,
    },
    /// The host sends a part of the payload.
    Payload(Vec<u8>),
    /// The module sends.
    Modem(Vec<u8>),
    /// The link reports this.
    Event(String),
}

/// Every dialogue, sorted by name.
///
/// # Panics
/// If a file cannot be read or has a line of another form.
pub fn all(folder: &Path) -> Vec<Transcript> {
    let mut paths: Vec<_> = std::fs::read_dir(folder)
        .expect("the folder can be read")
        .map(|entry| entry.expect("its entries can be read").path())
        .filter(|path| path.extension().is_some_and(|end| end == "at"))
        .collect();
    paths.sort();
    paths.iter().map(|path| read(path)).collect()
}

fn read(path: &Path) -> Transcript {
    let text = std::fs::read_to_string(path).expect("the file can be read");
    let name = path.file_stem().expect("the file has a name");
    let mut transcript = Transcript {
        name: name.to_string_lossy().into_owned(),
        buffer: 4096,
        steps: Vec::new(),
    };
    let mut download = 0;
    for (number, line) in text.lines().enumerate() {
        let place = || format!("{}:{}: {line}", path.display(), number + 1);
        let (kind, rest) = line.split_once(' ').unwrap_or((line, ""));
        match kind {
            "#" => {
                if let Some(bytes) = rest.strip_prefix("Receive buffer: ") {
                    transcript.buffer = bytes.parse().unwrap_or_else(|_| panic!("{}", place()));
                }
                if let Some(rest) = rest.strip_prefix("Download: ") {
                    let bytes = rest.split(' ').next().unwrap_or_default();
                    download = bytes.parse().unwrap_or_else(|_| panic!("{}", place()));
                }
            }
            ">" => host(&mut transcript.steps, unescape(rest), &mut download),
            "<" => transcript.steps.push(Step::Modem(unescape(rest))),
            "@" => {
                let at = rest.parse().unwrap_or_else(|_| panic!("{}", place()));
                transcript.steps.push(Step::Time(at));
            }
            "=" => transcript.steps.push(Step::Event(rest.to_string())),
            _ => panic!("{}", place()),
        }
    }
    transcript
}

/// A line that begins with `AT` and ends with CR is a command; everything else is the payload of the last one.
fn host(steps: &mut Vec<Step>, bytes: Vec<u8>, download: &mut u32) {
    if let (Ok(line), Some(b'\r')) = (str::from_utf8(&bytes), bytes.last())
        && line
            .get(..2)
            .is_some_and(|at| at.eq_ignore_ascii_case("AT"))
    {
        steps.push(Step::Command {
            line: line.trim_end_matches('\r').to_string(),
            payload: Vec::new(),
            download: core::mem::take(download),
        });
        return;
    }
    let command = steps.iter_mut().rev().find_map(|step| match step {
        Step::Command { payload, .. } => Some(payload),
        _ => None,
    });
    command
        .expect("a payload belongs to a command")
        .extend_from_slice(&bytes);
    steps.push(Step::Payload(bytes));
}

/// Bytes from `\r`, `\n`, `\\`, `\xHH` and everything else as it is.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'\\' {
            bytes.push(*first);
            continue;
        }
        let (byte, tail) = match tail {
            [b'r', tail @ ..] => (b'\r', tail),
            [b'n', tail @ ..] => (b'\n', tail),
            [b'\\', tail @ ..] => (b'\\', tail),
            [b'x', a, b, tail @ ..] => {
                let digits = [*a, *b];
                let digits = str::from_utf8(&digits).expect("hex digits are text");
                (u8::from_str_radix(digits, 16).expect("hex digits"), tail)
            }
            _ => panic!("a backslash stands alone in {text}"),
        };
        bytes.push(byte);
        rest = tail;
    }
    bytes
}

/// The text from which `unescape` makes these bytes again, as it stands in `=` lines.
pub fn escape(bytes: &[u8]) -> String {
    let mut text = String::new();
    for (at, byte) in bytes.iter().enumerate() {
        match byte {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'\\' => text.push_str("\\\\"),
            b' ' if at + 1 == bytes.len() => text.push_str("\\x20"),
            b' '..=b'~' => text.push(char::from(*byte)),
            byte => text.push_str(&format!("\\x{byte:02x}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_survive_as_text() {
        let all: Vec<u8> = (0..=255).chain(*b" ").collect();
        assert_eq!(unescape(&escape(&all)), all);
        assert_eq!(escape(b"> "), ">\\x20");
    }
}
