//! Runners: real time and real loopback sockets for a [`Module`], which a host reaches in the same process, over TCP or
//! on a pseudo terminal.
//!
//! A [`Simulator`] drives any number of modules. Each runner hands out a [`Control`] for tests.

mod driver;
mod hosts;
mod json;
mod memory;
mod network;
#[cfg(unix)]
mod pty;
mod storage;
mod tcp;
mod udp;

use core::fmt;
use std::{
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use tokio::{
    runtime::{Builder, Runtime},
    sync::Notify,
};

pub use hosts::HostTable;
pub use json::ControlPort;
pub use memory::InProcess;
#[cfg(unix)]
pub use pty::Pty;
pub use storage::Folder;
pub use tcp::TcpPort;

use crate::Module;

/// Runs modules in real time on its own threads, until it and all that it started are dropped.
///
/// ```
/// use std::io::{Read, Write};
/// use quectel_sim::{Module, ModuleConfig, PowerState, Timing, run::{HostTable, Simulator}};
///
/// let config = ModuleConfig::new("bg95")?.timing(Timing::Fast).power(PowerState::Ready);
/// let simulator = Simulator::new()?;
/// let mut uart = simulator.in_process(Module::new(config), &HostTable::new());
/// uart.write_all(b"AT+GMM\r")?;
/// let mut answer = [0; 24];
/// uart.read_exact(&mut answer)?;
/// assert_eq!(&answer, b"AT+GMM\r\r\nBG95-M3\r\n\r\nOK\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Simulator {
    runtime: Arc<Owned>,
}

/// A runtime that may be dropped anywhere: its threads are not waited for.
struct Owned(Option<Runtime>);

impl Drop for Owned {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").finish_non_exhaustive()
    }
}

impl Simulator {
    /// A simulator with one thread, which is enough for hundreds of modules.
    ///
    /// # Errors
    ///
    /// The operating system gives no thread.
    pub fn new() -> io::Result<Self> {
        Self::with_threads(1)
    }

    /// A simulator with so many threads.
    ///
    /// # Errors
    ///
    /// The operating system gives no threads.
    pub fn with_threads(threads: usize) -> io::Result<Self> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads.max(1))
            .thread_name("quectel-sim")
            .enable_all()
            .build()?;
        Ok(Self {
            runtime: Arc::new(Owned(Some(runtime))),
        })
    }

    fn runtime(&self) -> io::Result<&Runtime> {
        self.runtime
            .0
            .as_ref()
            .ok_or_else(|| io::Error::other("the simulator has stopped"))
    }
}

/// A module that is being run.
struct Shared {
    module: Mutex<Module>,
    wake: Notify,
    started: Instant,
    stop: Notify,
    stopped: core::sync::atomic::AtomicBool,
    folder: Option<Folder>,
}

impl Shared {
    fn new(module: Module, folder: Option<Folder>) -> Arc<Self> {
        Arc::new(Self {
            module: Mutex::new(module),
            wake: Notify::new(),
            started: Instant::now(),
            stop: Notify::new(),
            stopped: core::sync::atomic::AtomicBool::new(false),
            folder,
        })
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// A panic inside the module in one test must not hide what the others see.
    fn lock(&self) -> MutexGuard<'_, Module> {
        self.module.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn has_stopped(&self) -> bool {
        self.stopped.load(core::sync::atomic::Ordering::Acquire)
    }
}

/// Reaches into a module that is being run.
#[derive(Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("module", &*self.shared.lock())
            .finish_non_exhaustive()
    }
}

impl Control {
    /// Does something with the module at its present time.
    ///
    /// ```
    /// # use quectel_sim::{Module, ModuleConfig, run::{HostTable, Simulator}};
    /// # let simulator = Simulator::new()?;
    /// # let uart = simulator.in_process(Module::new(ModuleConfig::new("ec25")?), &HostTable::new());
    /// uart.control().with(|module| module.drop_pdp(1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn with<R>(&self, action: impl FnOnce(&mut Module) -> R) -> R {
        let result = {
            let mut module = self.shared.lock();
            module.tick(self.shared.now_ms());
            action(&mut module)
        };
        self.shared.wake.notify_one();
        result
    }

    /// The module's time, in milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> u64 {
        self.shared.now_ms()
    }

    /// Whether the module is not run any more.
    #[must_use]
    pub fn has_stopped(&self) -> bool {
        self.shared.has_stopped()
    }

    /// Stops running the module: its connections and its UART close.
    pub fn stop(&self) {
        self.shared
            .stopped
            .store(true, core::sync::atomic::Ordering::Release);
        self.shared.stop.notify_one();
    }
}
