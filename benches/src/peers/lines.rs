//! Splitting at line feeds with `memchr`: the floor, and what parsers of single lines need in front of them.

/// The lines of `bytes` that are not empty, and what is left behind the last.
pub fn split<'a>(bytes: &'a [u8], mut seen: impl FnMut(&'a [u8])) -> &'a [u8] {
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'\n', rest) {
        let line = rest[..at].strip_suffix(b"\r").unwrap_or(&rest[..at]);
        if !line.is_empty() {
            seen(line);
        }
        rest = &rest[at + 1..];
    }
    rest
}

/// Lines out of pieces: what is unfinished is kept until its line feed comes.
#[derive(Debug, Default)]
pub struct Lines {
    kept: Vec<u8>,
}

impl Lines {
    /// Takes the bytes; `seen` gets each line.
    pub fn take(&mut self, bytes: &[u8], mut seen: impl FnMut(&[u8])) {
        let mut bytes = bytes;
        if !self.kept.is_empty() {
            let Some(at) = memchr::memchr(b'\n', bytes) else {
                self.kept.extend_from_slice(bytes);
                return;
            };
            self.kept.extend_from_slice(&bytes[..=at]);
            split(&self.kept, &mut seen);
            self.kept.clear();
            bytes = &bytes[at + 1..];
        }
        let rest = split(bytes, seen);
        self.kept.extend_from_slice(rest);
    }
}
