//! The secrets that went out, so that they can be recognised when they come back as an echo.

use core::ops::Range;

use memchr::memmem;
use zeroize::Zeroizing;

/// Oldest ones are forgotten beyond this; a flow sends a PIN, a token and a key.
const MOST: usize = 64;
/// Anything shorter would hide half of the conversation.
const SHORTEST: usize = 4;
/// Lines of a longer secret, such as a PEM file, that are recognised by themselves.
const SHORTEST_LINE: usize = 16;

type Bytes = Zeroizing<Vec<u8>>;

/// What introduces a secret, and what ends it; for secrets that nobody announced, such as a damaged echo.
const MARKS: &[(&[u8], &[u8])] = &[
    (b"sig=", b"&\" \r\n;"),
    (b"SharedAccessKey=", b"\"; \r\n,"),
    (b"PRIVATE KEY-----", b"-"),
];

#[derive(Default)]
pub(super) struct Secrets {
    known: Vec<Bytes>,
    /// The one that is on its way out.
    open: Bytes,
}

impl Secrets {
    /// Takes the next chunk that goes out and which part of it is secret.
    pub(super) fn learn(&mut self, chunk: &[u8], secret: &Range<usize>) {
        let bytes = chunk.get(secret.clone()).unwrap_or_default();
        if bytes.is_empty() || secret.start > 0 {
            self.close();
        }
        self.open.extend_from_slice(bytes);
        if secret.end < chunk.len() {
            self.close();
        }
    }

    /// Nothing more goes out for now; an echo may come.
    pub(super) fn pause(&mut self) {
        let whole = core::mem::take(&mut self.open);
        for line in whole.split(|b| matches!(b, b'\r' | b'\n')) {
            if line.len() >= SHORTEST_LINE && line.len() < whole.len() {
                self.remember(Zeroizing::new(line.to_vec()));
            }
        }
        self.open = whole;
    }

    fn close(&mut self) {
        self.pause();
        let whole = core::mem::take(&mut self.open);
        if whole.len() >= SHORTEST {
            self.remember(whole);
        }
    }

    fn remember(&mut self, secret: Bytes) {
        if self.known.contains(&secret) {
            return;
        }
        if self.known.len() >= MOST {
            self.known.remove(0);
        }
        self.known.push(secret);
    }

    fn all(&self) -> impl Iterator<Item = &[u8]> {
        let open = Some(&self.open).filter(|s| s.len() >= SHORTEST);
        self.known.iter().chain(open).map(|s| s.as_slice())
    }

    /// Where secrets stand in `bytes`: in order, not overlapping.
    pub(super) fn find(&self, bytes: &[u8]) -> Vec<Range<usize>> {
        let mut found: Vec<Range<usize>> = Vec::new();
        for secret in self.all() {
            found.extend(memmem::find_iter(bytes, secret).map(|at| at..at + secret.len()));
        }
        for (mark, ends) in MARKS {
            for at in memmem::find_iter(bytes, mark) {
                let start = at + mark.len();
                let rest = bytes.get(start..).unwrap_or_default();
                let len = rest
                    .iter()
                    .position(|b| ends.contains(b))
                    .unwrap_or(rest.len());
                found.push(start..start + len);
            }
        }
        found.extend(access_point_password(bytes));
        found.retain(|range| !range.is_empty());
        found.sort_by_key(|range| range.start);
        let mut merged: Vec<Range<usize>> = Vec::with_capacity(found.len());
        for range in found {
            match merged.last_mut() {
                Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
                _ => merged.push(range),
            }
        }
        merged
    }

    /// How many bytes at the end of `bytes` may be the beginning of a secret.
    pub(super) fn begun(&self, bytes: &[u8]) -> usize {
        let begins = |secret: &[u8]| {
            let longest = bytes.len().min(secret.len().saturating_sub(1));
            let fits = |n: &usize| secret.get(..*n).is_some_and(|start| bytes.ends_with(start));
            (1..=longest).rev().find(fits).unwrap_or(0)
        };
        self.all().map(begins).max().unwrap_or(0)
    }
}

/// The password in `+QICSGP: <type>,"<apn>","<user>","<password>",<auth>`: the module tells one that an earlier user set.
///
/// # Reference
/// BG96 TCP/IP AT Commands Manual V1.0, `AT+QICSGP`.
fn access_point_password(line: &[u8]) -> Option<Range<usize>> {
    const NAME: &[u8] = b"+QICSGP:";
    let start = line.len() - line.trim_ascii_start().len();
    if !line.get(start..)?.starts_with(NAME) {
        return None;
    }
    let mut quotes = memchr::memchr_iter(b'"', line);
    let open = quotes.nth(4)? + 1;
    Some(open..quotes.next().unwrap_or(line.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_that_the_module_tells_is_found() {
        let secrets = Secrets::default();
        for (line, password) in [
            ("\r\n+QICSGP: 1,\"apn\",\"user\",\"pw\",1\r\n", Some("pw")),
            ("+QICSGP: 1,\"apn\",\"user\",\"pw", Some("pw")),
            ("+QICSGP: 1,\"apn\",\"\",\"\",0", None),
            ("+QICSGP: 1,\"apn\"", None),
            ("+CGDCONT: 1,\"IP\",\"apn\",\"0.0.0.0\",0", None),
        ] {
            let found = secrets.find(line.as_bytes());
            let found: Vec<&str> = found.into_iter().map(|range| &line[range]).collect();
            assert_eq!(found, password.into_iter().collect::<Vec<_>>(), "{line}");
        }
    }

    fn learnt(text: &[u8], secret: Range<usize>, step: usize) -> Secrets {
        let mut secrets = Secrets::default();
        for (n, chunk) in text.chunks(step).enumerate() {
            let at = n * step;
            let clip = |x: usize| x.clamp(at, at + chunk.len()) - at;
            secrets.learn(chunk, &(clip(secret.start)..clip(secret.end)));
        }
        secrets.pause();
        secrets
    }

    /// The text with `*` in place of each secret.
    fn masked(secrets: &Secrets, text: &[u8]) -> String {
        let mut shown = text.to_vec();
        for range in secrets.find(text) {
            shown[range].fill(b'*');
        }
        String::from_utf8(shown).unwrap()
    }

    #[test]
    fn a_secret_is_found_however_it_was_chunked() {
        for step in [1, 2, 3, 5, 64] {
            let secrets = learnt(b"AT+X=\"hunter22\"\r", 6..14, step);
            let cases = [
                ("AT+X=\"hunter22\" hunter22", "AT+X=\"********\" ********"),
                ("hunter2", "hunter2"),
            ];
            for (text, expected) in cases {
                assert_eq!(masked(&secrets, text.as_bytes()), expected, "step {step}");
            }
            assert_eq!(secrets.begun(b"abc hunt"), 4);
            assert_eq!(secrets.begun(b"hunter22"), 0);
        }
    }

    #[test]
    fn lines_of_a_key_are_found_alone() {
        let key = b"-----BEGIN KEY-----\nMIIEowIBAAKCAQEA\n-----END KEY-----\n";
        let secrets = learnt(key, 0..key.len(), 16);
        assert_eq!(
            masked(&secrets, b"<MIIEowIBAAKCAQEA>"),
            "<****************>"
        );
    }

    #[test]
    fn marks_hide_what_nobody_announced() {
        let cases = [
            ("sr=h&sig=abc%3D&se=1", "sr=h&sig=******&se=1"),
            (
                "HostName=h;SharedAccessKey=YWJj;x",
                "HostName=h;SharedAccessKey=****;x",
            ),
            ("sig=\"", "sig=\""),
            (
                "-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END",
                "-----BEGIN RSA PRIVATE KEY-----******-----END",
            ),
        ];
        for (text, expected) in cases {
            assert_eq!(masked(&Secrets::default(), text.as_bytes()), expected);
        }
    }

    #[test]
    fn the_number_of_secrets_is_bounded() {
        let mut secrets = Secrets::default();
        for n in 0..1000 {
            let text = format!("secret {n}");
            secrets.learn(text.as_bytes(), &(0..text.len()));
            secrets.learn(b"x", &(0..0));
        }
        assert_eq!(secrets.known.len(), MOST);
        assert_eq!(masked(&secrets, b"secret 999"), "**********");
    }
}
