//! Records both directions of the wire with times and without secrets.

mod assemble;
mod line;
mod secrets;

use core::fmt;
use core::ops::Range;
use core::time::Duration;
use std::fs::File;
use std::io::{self, LineWriter, Write};
use std::path::Path;

pub use line::{Direction, WireLine};

use assemble::Assembler;

/// How a recorder writes the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum TraceForm {
    /// Lines for reading: `    1.234 <- +CSQ: 20,99`.
    #[default]
    Readable,
    /// Every byte: `    1.234 <- +CSQ: 20,99\r\n`.
    Exact,
}

struct Recorder<'o> {
    form: TraceForm,
    to: Box<dyn Write + Send + 'o>,
}

/// Where the conversation is recorded; by default nowhere.
///
/// Secrets are replaced before anything is written: what the client marks as secret, its echo, and everything that
/// looks like a signature or a key. A recorder that fails is dropped and the flow goes on; [`Trace::fault`] tells.
///
/// ```
/// use quectel_serial::{Trace, TraceForm};
/// let trace = Trace::default().record(TraceForm::Readable, std::io::stderr());
/// assert!(trace.fault().is_none());
/// ```
#[derive(Default)]
pub struct Trace<'o> {
    assembler: Assembler,
    recorders: Vec<Recorder<'o>>,
    fault: Option<io::Error>,
}

impl fmt::Debug for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Trace")
            .field("recorders", &self.recorders.len())
            .field("fault", &self.fault)
            .finish()
    }
}

impl<'o> Trace<'o> {
    /// The same with one more recorder.
    #[must_use]
    pub fn record(mut self, form: TraceForm, to: impl Write + Send + 'o) -> Self {
        self.recorders.push(Recorder {
            form,
            to: Box::new(to),
        });
        self
    }

    /// The same with a file, which is made or overwritten; each line is in it as soon as it is complete.
    ///
    /// # Errors
    /// The file cannot be made.
    pub fn record_file(self, form: TraceForm, path: &Path) -> io::Result<Self> {
        let mut file = LineWriter::new(File::create(path)?);
        writeln!(
            file,
            "# quectel-azure {}; seconds, direction, text",
            env!("CARGO_PKG_VERSION")
        )?;
        Ok(self.record(form, file))
    }

    /// The first error of a recorder, which is dropped then.
    pub const fn fault(&self) -> Option<&io::Error> {
        self.fault.as_ref()
    }

    pub(crate) fn sent(&mut self, at: Duration, chunk: &[u8], secret: &Range<usize>) {
        self.assembler.sent(at, chunk, secret);
    }

    pub(crate) fn sent_all(&mut self, at: Duration) {
        self.assembler.sent_all(at);
    }

    pub(crate) fn received(&mut self, at: Duration, bytes: &[u8]) {
        self.assembler.received(at, bytes);
    }

    pub(crate) fn quiet(&mut self, at: Duration) {
        self.assembler.quiet(at);
    }

    pub(crate) fn finish(&mut self, at: Duration) {
        self.assembler.finish(at);
    }

    /// Writes what is complete to the recorders and gives it to `show`.
    pub(crate) fn deliver(&mut self, mut show: impl FnMut(&WireLine)) {
        for line in self.assembler.take() {
            let fault = &mut self.fault;
            self.recorders
                .retain_mut(|recorder| match recorder.write(&line) {
                    Ok(()) => true,
                    Err(e) => {
                        fault.get_or_insert(e);
                        false
                    }
                });
            show(&line);
        }
    }
}

impl Recorder<'_> {
    fn write(&mut self, line: &WireLine) -> io::Result<()> {
        match self.form {
            TraceForm::Readable if line.readable().is_none() => Ok(()),
            TraceForm::Readable => writeln!(self.to, "{line}"),
            TraceForm::Exact => {
                writeln!(
                    self.to,
                    "{:>9.3} {} {}",
                    line.at().as_secs_f64(),
                    line.direction().arrow(),
                    line.exact()
                )
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::{Arc, Mutex};

    /// Takes so many writes, then fails.
    #[derive(Clone)]
    struct Disk(Arc<Mutex<Vec<u8>>>, usize);

    impl Write for Disk {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.1 = self.1.checked_sub(1).ok_or(io::ErrorKind::StorageFull)?;
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_full_disk_stops_its_recorder_only() {
        let (good, bad) = (Disk(Arc::default(), 1000), Disk(Arc::default(), 1));
        let mut trace = Trace::default()
            .record(TraceForm::Readable, good.clone())
            .record(TraceForm::Exact, bad.clone());
        let mut seen = 0;
        for _ in 0..3 {
            trace.sent(Duration::from_millis(5), b"AT\r", &(0..0));
            trace.received(Duration::from_millis(7), b"\r\nOK\r\n");
            trace.deliver(|_| seen += 1);
        }
        assert_eq!(seen, 9);
        assert_eq!(
            trace.fault().map(io::Error::kind),
            Some(io::ErrorKind::StorageFull)
        );
        let text = String::from_utf8(good.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text, "    0.005 -> AT\n    0.007 <- OK\n".repeat(3));
    }
}
