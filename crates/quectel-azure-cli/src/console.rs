//! Where the command reads and writes, and how it looks there.

use core::fmt::{self, Display};
use core::time::Duration;
use std::collections::VecDeque;
use std::io::{self, IsTerminal, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};

use quectel_serial::CancelToken;

/// The streams and the surroundings of one run of the command.
#[expect(
    clippy::exhaustive_structs,
    reason = "filled in by whoever runs the command"
)]
pub struct Console<'c> {
    /// Standard input.
    pub input: &'c mut (dyn Read + Send),
    /// Standard output: results.
    pub out: &'c mut (dyn Write + Send),
    /// Standard error: progress and errors.
    pub err: &'c mut (dyn Write + Send),
    /// Looks up a variable of the environment.
    pub variable: &'c (dyn Fn(&str) -> Option<String> + Sync),
    /// Whether standard output may have colours.
    pub out_colour: bool,
    /// Whether standard error may have colours.
    pub err_colour: bool,
    /// Whether somebody types the standard input.
    pub interactive: bool,
    /// Ends the run.
    pub cancel: CancelToken,
}

impl fmt::Debug for Console<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Console")
            .field("out_colour", &self.out_colour)
            .field("err_colour", &self.err_colour)
            .field("interactive", &self.interactive)
            .finish_non_exhaustive()
    }
}

/// A variable of this process.
pub fn process_variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Runs `with` on the streams of this process. Colours only on a terminal and if `NO_COLOR` is not set.
pub fn with_process_console<T>(cancel: CancelToken, with: impl FnOnce(&mut Console<'_>) -> T) -> T {
    let (mut out, mut err) = (io::stdout(), io::stderr());
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
        || std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    let out_colour = out.is_terminal() && !plain;
    let err_colour = err.is_terminal() && !plain;
    let interactive = io::stdin().is_terminal();
    let mut input = Cancellable::new(io::stdin, cancel.clone());
    with(&mut Console {
        input: &mut input,
        out: &mut out,
        err: &mut err,
        variable: &process_variable,
        out_colour,
        err_colour,
        interactive,
        cancel,
    })
}

/// How often a read that waits looks whether it is to end.
const LOOK: Duration = Duration::from_millis(50);

/// Bytes of a source that may block for ever, until the run is cancelled.
struct Cancellable<R> {
    /// Opens the source in the thread that reads it; `None` when that runs.
    open: Option<fn() -> R>,
    chunks: Option<Receiver<io::Result<Vec<u8>>>>,
    chunk: VecDeque<u8>,
    cancel: CancelToken,
}

impl<R: Read + 'static> Cancellable<R> {
    const fn new(open: fn() -> R, cancel: CancelToken) -> Self {
        Self {
            open: Some(open),
            chunks: None,
            chunk: VecDeque::new(),
            cancel,
        }
    }

    /// The next chunk; an empty one is the end.
    fn next(&mut self) -> io::Result<Vec<u8>> {
        if let Some(open) = self.open.take() {
            let (to, chunks) = sync_channel(1);
            self.chunks = Some(chunks);
            // Nobody waits for this thread: what blocks it ends with the process.
            std::thread::Builder::new().spawn(move || forward(open(), &to))?;
        }
        let Some(chunks) = &self.chunks else {
            return Ok(Vec::new());
        };
        loop {
            if self.cancel.is_cancelled() {
                return Err(io::Error::other("cancelled"));
            }
            match chunks.recv_timeout(LOOK) {
                Ok(chunk) => return chunk,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(Vec::new()),
            }
        }
    }
}

/// Gives on what it reads, to the end, to an error, or until nobody listens.
fn forward(mut from: impl Read, to: &SyncSender<io::Result<Vec<u8>>>) {
    loop {
        let mut chunk = vec![0; 4096];
        let read = from.read(&mut chunk).map(|n| {
            chunk.truncate(n);
            chunk
        });
        let last = match &read {
            Ok(chunk) => chunk.is_empty(),
            Err(e) => e.kind() != io::ErrorKind::Interrupted,
        };
        if to.send(read).is_err() || last {
            return;
        }
    }
}

impl<R: Read + 'static> Read for Cancellable<R> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        if self.chunk.is_empty() && !buf.is_empty() {
            self.chunk = self.next()?.into();
        }
        self.chunk.read(buf)
    }
}

/// The few ways in which text is set off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ink {
    Strong,
    Good,
    Bad,
    Warn,
    Faint,
}

/// Text with its ink, if colours are allowed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Inked<T> {
    text: T,
    ink: Option<Ink>,
}

/// `text` in `ink`, plain where colours are not allowed.
pub(crate) const fn inked<T>(text: T, ink: Ink, colour: bool) -> Inked<T> {
    Inked {
        text,
        ink: if colour { Some(ink) } else { None },
    }
}

impl<T: Display> Display for Inked<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = match self.ink {
            None => return self.text.fmt(f),
            Some(Ink::Strong) => "1",
            Some(Ink::Good) => "32",
            Some(Ink::Bad) => "1;31",
            Some(Ink::Warn) => "33",
            Some(Ink::Faint) => "2",
        };
        write!(f, "\x1b[{code}m")?;
        self.text.fmt(f)?;
        f.write_str("\x1b[0m")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ink_only_where_allowed() {
        assert_eq!(inked("ok", Ink::Good, false).to_string(), "ok");
        assert_eq!(
            inked("ok", Ink::Good, true).to_string(),
            "\x1b[32mok\x1b[0m"
        );
        assert_eq!(format!("{:>4}", inked("ok", Ink::Faint, false)), "  ok");
    }
}
