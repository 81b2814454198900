//! Physical lines of a log file: LF, CR LF, CR CR LF or lone CR, UTF-8 or UTF-16, of bounded length.

use std::io::{self, BufRead, BufReader, Read};

/// A longer line is cut here; the rest of it is skipped.
const MAX_LINE: usize = 64 * 1024;
/// Bytes from which the encoding and the line ends are told.
const HEAD: u64 = 8 * 1024;

/// Lines of a reader, one at a time, without their line end.
pub(crate) struct PhysicalLines<'r> {
    reader: Box<dyn BufRead + 'r>,
    number: u64,
    terminator: u8,
    bytes: Vec<u8>,
}

impl<'r> PhysicalLines<'r> {
    /// Looks at the beginning for a byte-order mark of UTF-16 and for the line ends.
    pub(crate) fn new(reader: impl BufRead + 'r) -> io::Result<Self> {
        let (head, reader) = peek(reader)?;
        let little = head.starts_with(&[0xFF, 0xFE]);
        let reader: Box<dyn BufRead + 'r> = if little || head.starts_with(&[0xFE, 0xFF]) {
            Box::new(BufReader::new(Utf16 {
                reader,
                little,
                out: Vec::new(),
                at: 0,
                high: None,
            }))
        } else {
            Box::new(reader)
        };
        let (head, reader) = peek(reader)?;
        // A file without a single LF at its beginning is an old terminal's, with CR alone.
        let terminator = if !head.contains(&b'\n') && head.contains(&b'\r') {
            b'\r'
        } else {
            b'\n'
        };
        Ok(Self {
            reader: Box::new(reader),
            number: 0,
            terminator,
            bytes: Vec::new(),
        })
    }

    /// The next line into `out`, and its number from 1; `None` at the end.
    pub(crate) fn next_line(&mut self, out: &mut String) -> io::Result<Option<u64>> {
        out.clear();
        self.bytes.clear();
        if !self.read_raw()? {
            return Ok(None);
        }
        self.number = self.number.saturating_add(1);
        while self.bytes.last() == Some(&b'\r') {
            self.bytes.pop();
        }
        match core::str::from_utf8(&self.bytes) {
            Ok(text) => out.push_str(text),
            Err(_) => out.push_str(&String::from_utf8_lossy(&self.bytes)),
        }
        if self.number == 1 && out.starts_with('\u{FEFF}') {
            out.drain(..'\u{FEFF}'.len_utf8());
        }
        Ok(Some(self.number))
    }

    fn read_raw(&mut self) -> io::Result<bool> {
        let mut any = false;
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if chunk.is_empty() {
                return Ok(any);
            }
            any = true;
            let (taken, done) = match chunk.iter().position(|byte| *byte == self.terminator) {
                Some(at) => (at + 1, true),
                None => (chunk.len(), false),
            };
            let room = MAX_LINE.saturating_sub(self.bytes.len());
            let text = taken - usize::from(done);
            self.bytes
                .extend(chunk.iter().take(text.min(room)).filter(|byte| **byte != 0));
            self.reader.consume(taken);
            if done {
                return Ok(true);
            }
        }
    }
}

/// The beginning of what a reader gives, and a reader that gives it again: the same however its buffers are filled.
fn peek<'r>(mut reader: impl BufRead + 'r) -> io::Result<(Vec<u8>, impl BufRead + 'r)> {
    let mut head = Vec::new();
    reader.by_ref().take(HEAD).read_to_end(&mut head)?;
    Ok((head.clone(), io::Cursor::new(head).chain(reader)))
}

/// UTF-16 with a byte-order mark, read as UTF-8.
struct Utf16<R> {
    reader: R,
    little: bool,
    out: Vec<u8>,
    at: usize,
    high: Option<u16>,
}

impl<R: Read> Utf16<R> {
    fn fill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.at = 0;
        let mut raw = Vec::with_capacity(4096);
        self.reader.by_ref().take(4096).read_to_end(&mut raw)?;
        let mut units: Vec<u16> = self.high.take().into_iter().collect();
        for pair in raw.chunks_exact(2) {
            if let [a, b] = pair {
                let bytes = [*a, *b];
                units.push(if self.little {
                    u16::from_le_bytes(bytes)
                } else {
                    u16::from_be_bytes(bytes)
                });
            }
        }
        if raw.len() == 4096
            && units
                .last()
                .is_some_and(|unit| (0xD800..0xDC00).contains(unit))
        {
            self.high = units.pop();
        }
        self.out
            .extend(String::from_utf16_lossy(&units).into_bytes());
        Ok(())
    }
}

impl<R: Read> Read for Utf16<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.out.len() {
            self.fill()?;
        }
        let rest = self.out.get(self.at..).unwrap_or_default();
        let n = rest.len().min(buf.len());
        for (to, from) in buf.iter_mut().zip(rest) {
            *to = *from;
        }
        self.at += n;
        Ok(n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines, which are the same when the bytes come one by one.
    fn lines(bytes: &[u8]) -> Vec<String> {
        let all = lines_of(bytes);
        assert_eq!(lines_of(BufReader::with_capacity(1, bytes)), all);
        all
    }

    fn lines_of(reader: impl BufRead) -> Vec<String> {
        let mut reader = PhysicalLines::new(reader).unwrap();
        let (mut all, mut line) = (Vec::new(), String::new());
        while reader.next_line(&mut line).unwrap().is_some() {
            all.push(line.clone());
        }
        all
    }

    #[test]
    fn every_line_end_is_a_line_end() {
        for text in [
            "AT\nOK\n",
            "AT\r\nOK\r\n",
            "AT\r\r\nOK\r\r\n",
            "AT\rOK\r",
            "\u{FEFF}AT\nOK",
            "AT\r\r\r\r\r\r\r\r\nOK",
        ] {
            assert_eq!(lines(text.as_bytes()), ["AT", "OK"], "{text:?}");
        }
    }

    #[test]
    fn powershell_redirects_are_utf16() {
        let bytes: Vec<u8> = [0xFF, 0xFE]
            .into_iter()
            .chain(
                "AT\r\nOK \u{1F600}\r\n"
                    .encode_utf16()
                    .flat_map(u16::to_le_bytes),
            )
            .collect();
        assert_eq!(lines(&bytes), ["AT", "OK \u{1F600}"]);
    }

    #[test]
    fn a_long_line_is_cut_and_the_next_one_is_whole() {
        let mut bytes = vec![b'x'; 3 * MAX_LINE];
        bytes.extend(b"\nOK\n");
        let lines = lines(&bytes);
        assert_eq!(lines.first().map(String::len), Some(MAX_LINE));
        assert_eq!(lines.get(1).map(String::as_str), Some("OK"));
    }
}
