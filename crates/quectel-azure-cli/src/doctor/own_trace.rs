//! The times of this program's own traces, in brackets, as the doctor's reader knows them.

use std::io::{self, BufRead, Read};

/// How a trace of this program begins.
const HEADER: &[u8] = b"# quectel-azure ";

/// Longer than any time at the beginning of a line.
const LONGEST_TIME: usize = 24;

/// Gives on what it reads; `    1.234 -> AT` becomes `[1.234] -> AT`, so that the time is no part of the dialogue.
pub(super) struct Bracketed<R> {
    from: R,
    /// Whether it is such a trace; unknown before the first byte.
    own: Option<bool>,
    /// The beginning of a line, until it is known whether it is a time; `None` inside a line.
    time: Option<Vec<u8>>,
}

impl<R: BufRead> Bracketed<R> {
    /// A log that may be a trace of this program.
    pub(super) const fn detect(from: R) -> Self {
        Self {
            from,
            own: None,
            time: Some(Vec::new()),
        }
    }

    /// A conversation that this program has recorded.
    pub(super) const fn own(from: R) -> Self {
        Self {
            from,
            own: Some(true),
            time: Some(Vec::new()),
        }
    }

    fn byte(&mut self, byte: u8, out: &mut Vec<u8>) {
        let Some(time) = &mut self.time else {
            out.push(byte);
            if byte == b'\n' {
                self.time = Some(Vec::new());
            }
            return;
        };
        if matches!(byte, b' ' | b'.' | b'0'..=b'9') && time.len() < LONGEST_TIME {
            time.push(byte);
            return;
        }
        let time = self.time.take().unwrap_or_default();
        let number = time.trim_ascii();
        if matches!(byte, b'-' | b'<') && number.contains(&b'.') && time.ends_with(b" ") {
            out.push(b'[');
            out.extend_from_slice(number);
            out.extend_from_slice(b"] ");
        } else {
            out.extend_from_slice(&time);
        }
        self.byte(byte, out);
    }
}

impl<R: BufRead> Read for Bracketed<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        // A held time and its brackets must fit behind the bytes that come.
        let Some(room) = buf
            .len()
            .checked_sub(LONGEST_TIME + 8)
            .filter(|room| *room > 0)
        else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        loop {
            let bytes = self.from.fill_buf()?;
            let own = *self.own.get_or_insert_with(|| bytes.starts_with(HEADER));
            let taken = bytes
                .get(..bytes.len().min(room / 2))
                .unwrap_or_default()
                .to_vec();
            self.from.consume(taken.len());
            let mut out = Vec::with_capacity(taken.len() * 2);
            if !own {
                out = taken;
            } else if taken.is_empty() {
                out.extend(self.time.take().unwrap_or_default());
            } else {
                taken.iter().for_each(|byte| self.byte(*byte, &mut out));
                if out.is_empty() {
                    continue;
                }
            }
            return out.as_slice().read(buf);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::BufReader;

    fn all(mut from: Bracketed<impl BufRead>) -> String {
        let (mut text, mut buf) = (Vec::new(), [0; 64]);
        loop {
            match from.read(&mut buf).unwrap() {
                0 => return String::from_utf8(text).unwrap(),
                n => text.extend_from_slice(&buf[..n]),
            }
        }
    }

    #[test]
    fn only_times_of_own_traces_get_brackets() {
        let own = "# quectel-azure 0.1.0; seconds, direction, text\n    0.003 -> AT\\r\n12345.678 <- OK\n 12 345\n\n1.5 dBm\n9";
        let expected = "# quectel-azure 0.1.0; seconds, direction, text\n[0.003] -> AT\\r\n[12345.678] <- OK\n 12 345\n\n1.5 dBm\n9";
        for size in [16, 17, 23, 8192] {
            let reader = BufReader::with_capacity(size, own.as_bytes());
            assert_eq!(all(Bracketed::detect(reader)), expected);
        }
        let other = "    0.003 -> AT\n";
        assert_eq!(all(Bracketed::detect(other.as_bytes())), other);
        assert_eq!(all(Bracketed::own(other.as_bytes())), "[0.003] -> AT\n");
    }
}
