//! Cuts the two byte streams into lines, prompts, payloads and file contents.

use core::ops::Range;
use core::time::Duration;

use super::line::{Direction, Part, WireLine};
use super::secrets::Secrets;

/// Where a line is given out though it has not ended.
const LONGEST: usize = 8_192;
/// An unfinished line of the module is given out after such a pause.
const PAUSE: Duration = Duration::from_millis(250);

/// What goes out now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sending {
    Line,
    /// After the module's prompt.
    Payload,
    /// After the module's `CONNECT`; so many bytes are left.
    File(usize),
}

/// What comes in now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Receiving {
    Line,
    /// After `CONNECT n`; so many bytes are left.
    Counted(usize),
    /// Until `+QFDWL:`.
    Download,
}

/// What the last command makes of the module's `CONNECT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Transfer {
    None,
    Upload(usize),
    Download,
}

pub(super) struct Assembler {
    secrets: Secrets,
    sending: Sending,
    out: Vec<Part>,
    out_len: usize,
    receiving: Receiving,
    input: Vec<u8>,
    input_at: Duration,
    transfer: Transfer,
    done: Vec<WireLine>,
}

impl Default for Assembler {
    fn default() -> Self {
        Self {
            secrets: Secrets::default(),
            sending: Sending::Line,
            out: Vec::new(),
            out_len: 0,
            receiving: Receiving::Line,
            input: Vec::new(),
            input_at: Duration::ZERO,
            transfer: Transfer::None,
            done: Vec::new(),
        }
    }
}

impl Assembler {
    /// What is complete by now.
    pub(super) fn take(&mut self) -> Vec<WireLine> {
        core::mem::take(&mut self.done)
    }

    /// Bytes that went out; `secret` is the secret part of them.
    pub(super) fn sent(&mut self, at: Duration, chunk: &[u8], secret: &Range<usize>) {
        self.secrets.learn(chunk, secret);
        for (n, &byte) in chunk.iter().enumerate() {
            self.push_out(byte, secret.contains(&n));
            match &mut self.sending {
                Sending::Line if byte == b'\r' => self.end_command(at),
                Sending::File(left) => {
                    *left = left.saturating_sub(1);
                    if *left == 0 {
                        self.end_out(at);
                    }
                }
                _ if self.out_len >= LONGEST => self.end_out(at),
                _ => {}
            }
        }
    }

    /// Nothing more goes out for now.
    pub(super) fn sent_all(&mut self, at: Duration) {
        self.secrets.pause();
        if !matches!(self.sending, Sending::File(_)) {
            self.end_out(at);
        }
    }

    fn push_out(&mut self, byte: u8, secret: bool) {
        self.out_len += 1;
        let is_file = matches!(self.sending, Sending::File(_));
        match (self.out.last_mut(), secret, is_file) {
            (Some(Part::Secret(n)), true, _) => *n += 1,
            (_, true, _) => self.out.push(Part::Secret(1)),
            (Some(Part::File(bytes)), false, true) | (Some(Part::Shown(bytes)), false, false) => {
                bytes.push(byte)
            }
            (_, false, true) => self.out.push(Part::File(vec![byte])),
            (_, false, false) => self.out.push(Part::Shown(vec![byte])),
        }
    }

    fn end_command(&mut self, at: Duration) {
        let head = match self.out.first() {
            Some(Part::Shown(bytes)) => bytes.as_slice(),
            _ => b"",
        };
        self.transfer = transfer(head);
        self.end_out(at);
    }

    fn end_out(&mut self, at: Duration) {
        self.sending = Sending::Line;
        self.out_len = 0;
        let parts = core::mem::take(&mut self.out);
        if !parts.is_empty() {
            self.done.push(WireLine {
                at,
                direction: Direction::ToModule,
                parts,
            });
        }
    }

    /// Bytes that came in.
    pub(super) fn received(&mut self, at: Duration, bytes: &[u8]) {
        self.input_at = at;
        for &byte in bytes {
            self.input.push(byte);
            match self.receiving {
                Receiving::Counted(left) if left <= 1 => {
                    self.end_download(at, self.input.len());
                    self.receiving = Receiving::Line;
                }
                Receiving::Counted(left) => self.receiving = Receiving::Counted(left - 1),
                Receiving::Download if byte == b'\n' => self.check_download_end(at),
                Receiving::Line if byte == b'\n' => self.end_line(at),
                Receiving::Line if byte == b'>' && self.is_prompt() => {
                    self.end_input(at, self.input.len());
                    self.sending = Sending::Payload;
                }
                _ => {}
            }
            if self.input.len() >= LONGEST {
                self.give_out_part(at);
            }
        }
    }

    /// Nothing came in for a while.
    pub(super) fn quiet(&mut self, at: Duration) {
        if !self.input.is_empty() && at.saturating_sub(self.input_at) >= PAUSE {
            self.give_out_part(at);
        }
    }

    /// Gives out what is unfinished on both sides.
    pub(super) fn finish(&mut self, at: Duration) {
        self.end_out(at);
        let begun = self.secrets.begun(&self.input);
        self.end_input(at, self.input.len() - begun);
        if begun > 0 {
            self.input.clear();
            let parts = vec![Part::Secret(begun)];
            self.done.push(WireLine {
                at,
                direction: Direction::FromModule,
                parts,
            });
        }
    }

    /// An unfinished line, except what may be the beginning of a secret.
    fn give_out_part(&mut self, at: Duration) {
        let begun = self.secrets.begun(&self.input);
        let len = self.input.len() - begun;
        match self.receiving {
            Receiving::Line => self.end_input(at, len),
            _ => self.end_download(at, len),
        }
    }

    fn is_prompt(&self) -> bool {
        // The command is out and waits; a `>` anywhere else is text.
        self.out.is_empty() && self.input.trim_ascii() == b">"
    }

    fn end_line(&mut self, at: Duration) {
        let line = self.input.trim_ascii();
        let connect = line.strip_prefix(b"CONNECT");
        let begins_file = matches!(self.sending, Sending::File(_));
        if let Some(rest) = connect {
            match (number(rest.trim_ascii()), self.transfer) {
                (_, Transfer::Upload(n)) => self.sending = Sending::File(n),
                (Some(n), _) if n > 0 => self.receiving = Receiving::Counted(n),
                (_, Transfer::Download) => self.receiving = Receiving::Download,
                _ => {}
            }
        } else if begins_file && !line.is_empty() && !line.iter().all(|b| *b == b'A') {
            // The module ended the upload before all bytes were out.
            self.end_out(at);
        }
        self.end_input(at, self.input.len());
    }

    fn check_download_end(&mut self, at: Duration) {
        let body = self.input.strip_suffix(b"\n").unwrap_or(&self.input);
        let start = memchr::memrchr(b'\n', body).map_or(0, |n| n + 1);
        let line = self.input.get(start..).unwrap_or_default();
        if line.starts_with(b"+QFDWL:") || line.starts_with(b"+CME ERROR:") {
            self.end_download(at, start);
            self.receiving = Receiving::Line;
            self.end_input(at, self.input.len());
        }
    }

    fn end_input(&mut self, at: Duration, len: usize) {
        self.give_out(at, len, Part::Shown);
    }

    fn end_download(&mut self, at: Duration, len: usize) {
        self.give_out(at, len, Part::File);
    }

    fn give_out(&mut self, at: Duration, len: usize, part: fn(Vec<u8>) -> Part) {
        let len = len.min(self.input.len());
        if len == 0 {
            return;
        }
        let bytes: Vec<u8> = self.input.drain(..len).collect();
        let mut parts = Vec::new();
        let mut from = 0;
        let end = bytes.len()..bytes.len();
        for secret in self.secrets.find(&bytes).into_iter().chain([end]) {
            let shown = bytes.get(from..secret.start).unwrap_or_default();
            if !shown.is_empty() {
                parts.push(part(shown.to_vec()));
            }
            if !secret.is_empty() {
                parts.push(Part::Secret(secret.len()));
            }
            from = secret.end;
        }
        self.done.push(WireLine {
            at,
            direction: Direction::FromModule,
            parts,
        });
    }
}

/// What `AT+QFUPL`, `AT+QFWRITE`, `AT+QFDWL` and `AT+QFREAD` announce.
///
/// # Reference
/// BG96 FILE AT Commands Manual V1.0.
fn transfer(command: &[u8]) -> Transfer {
    let head = command.to_ascii_uppercase();
    if head.starts_with(b"AT+QFDWL=") {
        return Transfer::Download;
    }
    if !head.starts_with(b"AT+QFUPL=") && !head.starts_with(b"AT+QFWRITE=") {
        return Transfer::None;
    }
    let mut quoted = false;
    let mut parameters = command.trim_ascii_end().split(|&b| {
        quoted ^= b == b'"';
        b == b',' && !quoted
    });
    let size = parameters.nth(1).and_then(number).filter(|n| *n > 0);
    size.map_or(Transfer::None, Transfer::Upload)
}

fn number(digits: &[u8]) -> Option<usize> {
    core::str::from_utf8(digits).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One thing that happens on the wire.
    enum On<'a> {
        /// Sent, with its secret part.
        Tx(&'a [u8], Range<usize>),
        Idle,
        Rx(&'a [u8]),
        Quiet(u64),
    }
    use On::{Idle, Quiet, Rx, Tx};

    const PLAIN: Range<usize> = 0..0;

    fn shown(script: &[On<'_>], step: usize, exact: bool) -> Vec<String> {
        let mut assembler = Assembler::default();
        let mut now = 0;
        for on in script {
            let at = Duration::from_millis(now);
            match on {
                Tx(bytes, secret) => {
                    for (n, chunk) in bytes.chunks(step).enumerate() {
                        let clip = |x: usize| x.clamp(n * step, n * step + chunk.len()) - n * step;
                        assembler.sent(at, chunk, &(clip(secret.start)..clip(secret.end)));
                    }
                }
                Idle => assembler.sent_all(at),
                Rx(bytes) => bytes
                    .chunks(step)
                    .for_each(|chunk| assembler.received(at, chunk)),
                Quiet(ms) => {
                    now += ms;
                    assembler.quiet(Duration::from_millis(now));
                }
            }
        }
        assembler.finish(Duration::from_millis(now));
        let text = |line: WireLine| {
            let text = if exact {
                Some(line.exact())
            } else {
                line.readable()
            };
            text.map(|text| format!("{} {text}", line.direction().arrow()))
        };
        assembler.take().into_iter().filter_map(text).collect()
    }

    #[test]
    fn conversations() {
        let cases: &[(&[On<'_>], &[&str])] = &[
            (
                &[
                    Tx(b"AT+CSQ\r", PLAIN),
                    Idle,
                    Rx(b"AT+CSQ\r\r\n+CSQ: 20,99\r\n\r\nOK\r\n"),
                ],
                &["-> AT+CSQ", "<- AT+CSQ", "<- +CSQ: 20,99", "<- OK"],
            ),
            (
                &[
                    Tx(b"AT+CPIN=\"1234\"\r", 9..13),
                    Idle,
                    Rx(b"AT+CPIN=\"1234\"\r\r\nOK\r\n"),
                ],
                &["-> AT+CPIN=\"***\"", "<- AT+CPIN=\"***\"", "<- OK"],
            ),
            (
                &[
                    Tx(b"AT+QMTPUB=0,1,1,0,\"t\"\r", PLAIN),
                    Idle,
                    Rx(b"\r\n> "),
                    Tx(b"{\"t\":\r21}\x1a", PLAIN),
                    Idle,
                    Rx(b"\r\nOK\r\n\r\n+QMTPUB: 0,1,0\r\n"),
                ],
                &[
                    "-> AT+QMTPUB=0,1,1,0,\"t\"",
                    "<- >",
                    "-> {\"t\":\\r21}\\u{1a}",
                    "<- OK",
                    "<- +QMTPUB: 0,1,0",
                ],
            ),
            (
                &[
                    Tx(b"AT+QFUPL=\"UFS:a,b\",5,100\r", PLAIN),
                    Idle,
                    Rx(b"\r\nCONNECT\r\n"),
                    Tx(b"ab\rde", PLAIN),
                    Idle,
                    Rx(b"\r\n+QFUPL: 5,4f54\r\n\r\nOK\r\n"),
                ],
                &[
                    "-> AT+QFUPL=\"UFS:a,b\",5,100",
                    "<- CONNECT",
                    "-> <5 bytes>",
                    "<- +QFUPL: 5,4f54",
                    "<- OK",
                ],
            ),
            (
                &[
                    Tx(b"AT+QFREAD=1\r", PLAIN),
                    Idle,
                    Rx(b"\r\nCONNECT 6\r\nOK\r\n>x\r\nOK\r\n"),
                ],
                &["-> AT+QFREAD=1", "<- CONNECT 6", "<- <6 bytes>", "<- OK"],
            ),
            (
                &[
                    Tx(b"AT+QFDWL=\"a\"\r", PLAIN),
                    Idle,
                    Rx(b"\r\nCONNECT\r\n1\r\nOK\r\n\r\n+QFDWL: 7,1\r\n\r\nOK\r\n"),
                ],
                &[
                    "-> AT+QFDWL=\"a\"",
                    "<- CONNECT",
                    "<- <9 bytes>",
                    "<- +QFDWL: 7,1",
                    "<- OK",
                ],
            ),
            (
                &[Tx(b"\x1b", PLAIN), Idle, Rx(b"0\r"), Quiet(300), Rx(b"x")],
                &["-> \\u{1b}", "<- 0", "<- x"],
            ),
        ];
        for (script, expected) in cases {
            for step in [1, 2, 3, 7, 1000] {
                assert_eq!(shown(script, step, false), *expected, "in steps of {step}");
            }
        }
    }

    #[test]
    fn keys_leave_nothing_but_their_length() {
        let key = format!(
            "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
            "MIIEvQIBADANBgkq".repeat(60)
        );
        let script = [
            Tx(b"AT+QFUPL=\"key\",1015,100\r", PLAIN),
            Idle,
            Rx(b"\r\nCONNECT\r\n"),
            Tx(key.as_bytes(), 0..key.len()),
            Idle,
            // A pseudo terminal that is not raw echoes data too.
            Rx(key.as_bytes()),
            Rx(b"\r\n+QFUPL: 1015,1\r\n"),
        ];
        assert_eq!(key.len(), 1015);
        for step in [1, 64, 5000] {
            for exact in [false, true] {
                let shown = shown(&script, step, exact);
                assert!(
                    shown.iter().any(|line| line == "-> <1015 secret bytes>"),
                    "{shown:?}"
                );
                assert!(shown.iter().all(|line| !line.contains("MII")), "{shown:?}");
            }
        }
    }

    #[test]
    fn a_pause_inside_an_echo_gives_no_secret_away() {
        let token = b"SharedAccessSignature sr=hub&s=c2VjcmV0c2VjcmV0&se=1";
        let echo = [b"X=\"".as_slice(), token, b"\"\r\r\nOK\r\n"].concat();
        for cut in 1..echo.len() {
            let (a, b) = echo.split_at(cut);
            let script = [
                Tx(token, 0..token.len()),
                Tx(b"\r", PLAIN),
                Idle,
                Rx(a),
                Quiet(300),
                Rx(b),
            ];
            let all = shown(&script, 9, true).join("\n");
            assert!(
                !all.contains("c2V") && !all.contains("0&se"),
                "cut at {cut}: {all}"
            );
        }
        // The same when the echo never ends.
        let all = shown(&[Tx(token, 0..token.len()), Idle, Rx(&echo[..40])], 9, true).join("\n");
        assert!(!all.contains("c2V"), "{all}");
    }

    #[test]
    fn exact_form_keeps_every_byte() {
        let script = [Tx(b"AT\r", PLAIN), Idle, Rx(b"AT\r\r\n> \xff\r\nOK\r\n")];
        let expected = [
            "-> AT\\r",
            "<- AT\\r\\r\\n",
            "<- >",
            "<-  \\xff\\r\\n",
            "<- OK\\r\\n",
        ];
        for step in [1, 4, 100] {
            assert_eq!(shown(&script, step, true), expected);
        }
    }

    #[test]
    fn endless_noise_is_given_out_in_pieces() {
        let noise = vec![0xF0; 3 * LONGEST + 5];
        let lines = shown(&[Rx(&noise)], 64, true);
        assert_eq!(lines.len(), 4);
        assert_eq!(
            lines
                .iter()
                .map(|line| line.matches("\\xf0").count())
                .sum::<usize>(),
            noise.len()
        );
    }
}
