//! A module in the same process: `Read` and `Write` like a serial port.

use core::time::Duration;
use std::{
    collections::VecDeque,
    io::{self, Read, Write},
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::Instant,
};

use tokio::sync::mpsc::{Sender, channel};

use super::{
    Control, Folder, HostTable, Shared, Simulator,
    driver::{self, UartSink},
};
use crate::Module;

/// What a host that does not read may leave in the buffer.
const BUFFER: usize = 4 << 20;

#[derive(Default)]
struct Buffer {
    bytes: Mutex<(VecDeque<u8>, bool)>,
    changed: Condvar,
}

struct Sink(Arc<Buffer>);

impl UartSink for Sink {
    fn put(&mut self, bytes: &[u8]) {
        let mut state = self.0.bytes.lock().unwrap_or_else(PoisonError::into_inner);
        if state.0.len() < BUFFER {
            state.0.extend(bytes);
        }
        drop(state);
        self.0.changed.notify_all();
    }

    fn close(&mut self) {
        self.0
            .bytes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .1 = true;
        self.0.changed.notify_all();
    }
}

/// The host's end of the UART of a module in the same process.
///
/// Clones are the same port. A read waits for the first byte no longer than the timeout (5 s at first) and then fails
/// with [`io::ErrorKind::TimedOut`]; after the module was stopped it gives 0 bytes.
#[derive(Clone)]
pub struct InProcess {
    buffer: Arc<Buffer>,
    to_module: Sender<Vec<u8>>,
    shared: Arc<Shared>,
    timeout: Duration,
    /// Keeps the threads alive.
    simulator: Simulator,
}

impl core::fmt::Debug for InProcess {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("InProcess")
            .field("control", &self.control())
            .finish_non_exhaustive()
    }
}

impl Simulator {
    /// Runs a module and gives the host's end of its UART.
    #[must_use]
    pub fn in_process(&self, module: Module, hosts: &HostTable) -> InProcess {
        self.in_process_with(module, hosts, None)
    }

    /// The same with a folder that keeps the non-volatile memory.
    #[must_use]
    pub fn in_process_with(
        &self,
        module: Module,
        hosts: &HostTable,
        folder: Option<Folder>,
    ) -> InProcess {
        let shared = Shared::new(module, folder);
        let buffer = Arc::new(Buffer::default());
        let (to_module, from_host) = channel(256);
        if let Ok(runtime) = self.runtime() {
            runtime.spawn(driver::run(
                shared.clone(),
                hosts.clone(),
                from_host,
                Sink(buffer.clone()),
            ));
        }
        InProcess {
            buffer,
            to_module,
            shared,
            timeout: Duration::from_secs(5),
            simulator: self.clone(),
        }
    }
}

impl InProcess {
    /// Reaches into the module.
    #[must_use]
    pub fn control(&self) -> Control {
        Control {
            shared: self.shared.clone(),
        }
    }

    /// Sets how long a read waits for its first byte.
    pub const fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    /// The simulator that runs the module.
    #[must_use]
    pub const fn simulator(&self) -> &Simulator {
        &self.simulator
    }

    /// Throws away what the module has written so far.
    pub fn clear_input(&self) {
        self.buffer
            .bytes
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .clear();
    }
}

impl Read for InProcess {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        let deadline = Instant::now() + self.timeout;
        let mut state = self
            .buffer
            .bytes
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        loop {
            if !state.0.is_empty() {
                let count = out.len().min(state.0.len());
                for (to, from) in out.iter_mut().zip(state.0.drain(..count)) {
                    *to = from;
                }
                return Ok(count);
            }
            if state.1 {
                return Ok(0);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            state = self
                .buffer
                .changed
                .wait_timeout(state, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
    }
}

impl Write for InProcess {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let gone = || {
            io::Error::new(
                io::ErrorKind::BrokenPipe,
                "the simulated module was stopped",
            )
        };
        if self.shared.has_stopped() {
            return Err(gone());
        }
        let mut chunk = bytes.to_vec();
        // A blocking send would panic inside an asynchronous task of the caller's.
        loop {
            match self.to_module.try_send(chunk) {
                Ok(()) => return Ok(bytes.len()),
                Err(tokio::sync::mpsc::error::TrySendError::Closed(_)) => return Err(gone()),
                Err(tokio::sync::mpsc::error::TrySendError::Full(back)) => {
                    chunk = back;
                    std::thread::sleep(Duration::from_millis(1));
                }
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
