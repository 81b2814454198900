//! The way in: a log of any length, read once from beginning to end.

use std::io::{self, BufRead, Read};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::ReadError;
use crate::report::Report;
use crate::{read, session};

/// How far a log has been read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Bytes that were read so far.
    pub bytes: u64,
}

/// Reads logs; memory is bounded whatever their length.
///
/// ```
/// let log = "AT+QMTOPEN=0,\"contoso.azure-devices.net\",8883\nOK\n+QMTOPEN: 0,3\n";
/// let mut bytes = 0;
/// let report = quectel_doctor::Doctor::new().read(log.as_bytes(), |progress| bytes = progress.bytes)?;
/// assert_eq!(bytes, log.len() as u64);
/// assert!(report.findings.iter().any(|finding| finding.id == "net.pdp-not-active"));
/// # Ok::<(), quectel_doctor::ReadError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Doctor {
    today_unix_s: i64,
}

impl Default for Doctor {
    fn default() -> Self {
        Self::new()
    }
}

impl Doctor {
    /// A doctor who judges logs without dates by today.
    #[must_use]
    pub fn new() -> Self {
        let today = SystemTime::now().duration_since(UNIX_EPOCH);
        let seconds = today.map_or(0, |since| since.as_secs());
        Self::at(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    /// A doctor for whom this unix second is today, in a log without dates.
    #[must_use]
    pub const fn at(today_unix_s: i64) -> Self {
        Self { today_unix_s }
    }

    /// Reads a log in any of the usual shapes and says what is wrong; `progress` is called after every chunk that
    /// the reader delivers, at most once per 64 KiB, and at the end.
    ///
    /// # Errors
    /// [`ReadError::Io`] when reading fails, [`ReadError::NotText`] when the input is binary, and
    /// [`ReadError::NotALog`] when there is no AT dialogue in it.
    pub fn read(
        &self,
        reader: impl BufRead,
        mut progress: impl FnMut(Progress),
    ) -> Result<Report, ReadError> {
        let mut told = Progress::default();
        let mut last = Progress::default();
        let mut builder = session::Builder::default();
        let counted = Counted {
            reader,
            bytes: 0,
            tell: |bytes: u64| {
                last = Progress { bytes };
                if bytes - told.bytes >= STEP {
                    told = last;
                    progress(last);
                }
            },
        };
        let lines = read::read_log(counted, &mut |item| builder.item(item))?;
        if last != told || last == Progress::default() {
            progress(last);
        }
        let sessions = builder.finish();
        if sessions.is_empty() {
            return Err(ReadError::NotALog { lines });
        }
        Ok(Report::of(&sessions, lines, self.today_unix_s))
    }
}

/// Bytes between two calls of `progress`.
const STEP: u64 = 64 * 1024;

/// A reader that says how much was taken from it.
struct Counted<R, F> {
    reader: R,
    bytes: u64,
    tell: F,
}

impl<R: BufRead, F: FnMut(u64)> Read for Counted<R, F> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buf)?;
        self.count(n);
        Ok(n)
    }
}

impl<R: BufRead, F: FnMut(u64)> BufRead for Counted<R, F> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
        self.count(amount);
    }
}

impl<R, F: FnMut(u64)> Counted<R, F> {
    fn count(&mut self, n: usize) {
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(n).unwrap_or(u64::MAX));
        (self.tell)(self.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_grows_to_the_whole_length() {
        let log = "AT\r\nOK\r\n".repeat(50_000);
        let mut seen = Vec::new();
        let report =
            Doctor::at(0).read(io::BufReader::new(log.as_bytes()), |at| seen.push(at.bytes));
        assert!(report.is_ok());
        assert!(
            seen.windows(2).all(|pair| matches!(pair, [a, b] if a < b)),
            "{seen:?}"
        );
        assert_eq!(seen.last().copied(), Some(400_000));
        assert!((5..8).contains(&seen.len()), "{seen:?}");
    }
}
