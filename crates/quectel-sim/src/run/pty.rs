//! A module on a pseudo terminal: a path that programs open like a serial port.

use std::{
    fs,
    io::{self, Read, Write},
    os::{
        fd::{AsFd, OwnedFd},
        unix::fs::symlink,
    },
    path::{Path, PathBuf},
    thread,
};

use nix::{
    fcntl::{FcntlArg, OFlag, fcntl},
    poll::{PollFd, PollFlags, PollTimeout, poll},
    pty::openpty,
    sys::termios::{BaudRate, ControlFlags, SetArg, cfgetospeed, cfmakeraw, tcgetattr, tcsetattr},
    unistd::ttyname,
};
use tokio::sync::mpsc::{Receiver, Sender, channel};

use super::{
    Control, Folder, HostTable, Shared, Simulator, driver,
    tcp::{CHUNKS_WAITING, ChannelSink},
};
use crate::Module;

/// A module on a pseudo terminal.
///
/// ```
/// use quectel_sim::{Module, ModuleConfig, run::{HostTable, Simulator}};
///
/// let module = Module::new(ModuleConfig::new("ec25")?);
/// let pty = Simulator::new()?.pty(module, &HostTable::new(), None, None)?;
/// println!("connect to {}", pty.path().display());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Pty {
    path: PathBuf,
    link: Option<PathBuf>,
    control: Control,
    /// Without it the module would read an error between two hosts.
    _slave: OwnedFd,
    /// Keeps the threads alive.
    _simulator: Simulator,
}

impl Simulator {
    /// Runs a module on a new pseudo terminal; `link` is a path that will point to it.
    ///
    /// A link that leads nowhere, as one of a run that was killed does, is replaced.
    ///
    /// # Errors
    ///
    /// The system has no pseudo terminal, or the link cannot be made; [`io::ErrorKind::AlreadyExists`] if something else
    /// has its path.
    pub fn pty(
        &self,
        module: Module,
        hosts: &HostTable,
        link: Option<&Path>,
        folder: Option<Folder>,
    ) -> io::Result<Pty> {
        let runtime = self.runtime()?;
        let pair = openpty(None, None)?;
        let mut settings = tcgetattr(&pair.slave)?;
        cfmakeraw(&mut settings);
        tcsetattr(&pair.slave, SetArg::TCSANOW, &settings)?;
        let path = ttyname(&pair.slave)?;
        let flags = OFlag::from_bits_truncate(fcntl(&pair.master, FcntlArg::F_GETFL)?);
        fcntl(&pair.master, FcntlArg::F_SETFL(flags | OFlag::O_NONBLOCK))?;
        if let Some(link) = link {
            make_link(&path, link)?;
        }
        let shared = Shared::new(module, folder);
        let (to_module, from_host) = channel(256);
        let (to_host, from_module) = channel(CHUNKS_WAITING);
        let reader = fs::File::from(pair.master);
        let writer = reader.try_clone()?;
        let (read_shared, write_shared) = (shared.clone(), shared.clone());
        let settings = pair.slave.try_clone()?;
        thread::Builder::new()
            .name("quectel-sim pty".to_owned())
            .spawn(move || read_host(&reader, &settings, &to_module, &read_shared))?;
        thread::Builder::new()
            .name("quectel-sim pty".to_owned())
            .spawn(move || write_host(&writer, from_module, &write_shared))?;
        runtime.spawn(driver::run(
            shared.clone(),
            hosts.clone(),
            from_host,
            ChannelSink(to_host),
        ));
        Ok(Pty {
            path,
            link: link.map(Path::to_path_buf),
            control: Control { shared },
            _slave: pair.slave,
            _simulator: self.clone(),
        })
    }
}

impl Pty {
    /// The path that a host opens.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reaches into the module.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }

    /// The host's side of the terminal, for its settings.
    #[must_use]
    pub fn slave(&self) -> std::os::fd::BorrowedFd<'_> {
        self._slave.as_fd()
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.control.stop();
        if let Some(link) = &self.link
            && fs::read_link(link).is_ok_and(|to| to == self.path)
        {
            let _ = fs::remove_file(link);
        }
    }
}

fn make_link(path: &Path, link: &Path) -> io::Result<()> {
    let stale = fs::read_link(link).is_ok_and(|old| old == path || !link.exists());
    if stale {
        fs::remove_file(link)?;
    }
    symlink(path, link)
}

/// How soon a thread notices that the module was stopped.
const LOOK_MS: u16 = 100;

fn ready(file: &fs::File, flags: PollFlags) -> bool {
    let mut wanted = [PollFd::new(file.as_fd(), flags)];
    poll(&mut wanted, PollTimeout::from(LOOK_MS)).is_ok_and(|count| count > 0)
}

fn read_host(
    mut master: &fs::File,
    settings: &OwnedFd,
    to_module: &Sender<Vec<u8>>,
    shared: &Shared,
) {
    let mut chunk = [0; 4096];
    while !shared.has_stopped() {
        if !ready(master, PollFlags::POLLIN) {
            continue;
        }
        match master.read(&mut chunk) {
            Ok(count) if count > 0 => {
                let bytes = chunk.get(..count).unwrap_or_default().to_vec();
                if let Some(baud) = host_baud(settings) {
                    shared.lock().set_host_baud(baud);
                }
                if to_module.blocking_send(bytes).is_err() {
                    return;
                }
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                ) => {}
            Ok(_) | Err(_) => return,
        }
    }
}

/// The rate that the host set on its side, if it is one that a module has.
fn host_baud(settings: &OwnedFd) -> Option<u32> {
    let terminal = tcgetattr(settings).ok()?;
    // A rate in numbers (BOTHER, which is CBAUDEX alone) has no name, and asking for one is a fault.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if terminal.control_flags & ControlFlags::CBAUD == ControlFlags::CBAUDEX {
        return None;
    }
    Some(match cfgetospeed(&terminal) {
        BaudRate::B4800 => 4_800,
        BaudRate::B9600 => 9_600,
        BaudRate::B19200 => 19_200,
        // A terminal that nobody has set up says 38400; programs that do not care leave it so.
        BaudRate::B57600 => 57_600,
        BaudRate::B115200 => 115_200,
        BaudRate::B230400 => 230_400,
        #[cfg(any(target_os = "linux", target_os = "android"))]
        BaudRate::B460800 => 460_800,
        #[cfg(any(target_os = "linux", target_os = "android"))]
        BaudRate::B921600 => 921_600,
        _ => return None,
    })
}

fn write_host(mut master: &fs::File, mut from_module: Receiver<Vec<u8>>, shared: &Shared) {
    while let Some(bytes) = from_module.blocking_recv() {
        let mut rest = bytes.as_slice();
        while !rest.is_empty() {
            if shared.has_stopped() {
                return;
            }
            if !ready(master, PollFlags::POLLOUT) {
                continue;
            }
            match master.write(rest) {
                Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::Interrupted | io::ErrorKind::WouldBlock
                    ) => {}
                Err(_) => return,
            }
        }
    }
}
