//! The simulators: a module, a hub.

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, Read, Write};
use std::path::Path;

use iothub_sim::{Config, Device, LocalHub, Pki, PkiOptions, ServerOptions};
use quectel_serial::Port;
use quectel_sim::run::{HostTable, InProcess, Simulator};
use quectel_sim::{Module, ModuleConfig, Profile, Timing};

use crate::args::{SimHubArgs, SimModemArgs};
use crate::complaint::{Complaint, scrub};
use crate::console::Console;

/// The access point that is used with the simulated network, which takes any.
pub(crate) const APN: &str = "iot.example";

/// How often a simulator that runs looks whether it is to end.
const LOOK: Duration = Duration::from_millis(100);

/// The profile of a simulated module.
pub(crate) fn profile(model: &str, firmware: Option<&str>) -> Result<Profile, Complaint> {
    Profile::select(model, firmware).map_err(|error| Complaint::usage(error.to_string()))
}

/// A simulated module that is not switched on yet.
pub(crate) struct Modem {
    profile: Profile,
    hosts: Vec<(String, u16, SocketAddr)>,
    timing: Timing,
}

impl Modem {
    pub(crate) const fn new(profile: Profile) -> Self {
        Self {
            profile,
            hosts: Vec::new(),
            timing: Timing::Fast,
        }
    }

    /// The same, but with the times of a real module if `real`.
    pub(crate) fn real_time(mut self, real: bool) -> Self {
        self.timing = if real {
            Timing::Realistic
        } else {
            Timing::Fast
        };
        self
    }

    /// The same with a host of its network.
    pub(crate) fn host(mut self, name: &str, port: u16, to: SocketAddr) -> Self {
        self.hosts.push((name.to_owned(), port, to));
        self
    }

    /// Model and firmware.
    pub(crate) fn describe(&self) -> String {
        let identity = &self.profile.identity;
        format!("{}, firmware {}", identity.model, identity.revision)
    }

    fn hosts(&self) -> HostTable {
        let table = HostTable::new();
        for (name, port, to) in &self.hosts {
            table.insert(&format!("{name}:{port}"), *to);
        }
        table
    }

    fn module(self) -> Module {
        Module::new(ModuleConfig::with_profile(self.profile).timing(self.timing))
    }

    /// Switches it on in this process.
    pub(crate) fn start(self) -> Result<SimulatedPort, Complaint> {
        let hosts = self.hosts();
        Ok(SimulatedPort(
            simulator()?.in_process(self.module(), &hosts),
        ))
    }
}

fn simulator() -> Result<Simulator, Complaint> {
    Simulator::new()
        .map_err(|e| Complaint::failure(format!("the simulated module did not start: {e}")))
}

/// The AT port of a module in this process.
pub(crate) struct SimulatedPort(InProcess);

impl Port for SimulatedPort {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.0.set_timeout(timeout);
        match self.0.read(buf) {
            Ok(0) if !buf.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(e) if e.kind() == io::ErrorKind::TimedOut => Ok(0),
            other => other,
        }
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.0.clear_input();
        Ok(())
    }

    fn name(&self) -> &str {
        "simulated"
    }
}

/// `sim modem`
pub(crate) fn modem(args: &SimModemArgs, console: &mut Console<'_>) -> Result<(), Complaint> {
    let modem =
        Modem::new(profile(&args.model, args.firmware.as_deref())?).real_time(args.real_time);
    let modem = args.hosts.iter().fold(modem, |modem, (name, port, to)| {
        modem.host(name, *port, *to)
    });
    let hosts = modem.hosts();
    let simulator = simulator()?;
    let what = modem.describe();
    let failed =
        |e: &io::Error| Complaint::failure(format!("the simulated module did not start: {e}"));
    let tcp;
    #[cfg(unix)]
    let pty;
    let port = match args.pty {
        #[cfg(unix)]
        true => {
            pty = simulator
                .pty(modem.module(), &hosts, None, None)
                .map_err(|e| failed(&e))?;
            pty.path().display().to_string()
        }
        #[cfg(not(unix))]
        true => {
            return Err(Complaint::usage(
                "there are no pseudo terminals here; use --listen",
            ));
        }
        false => {
            tcp = simulator
                .tcp(modem.module(), &hosts, args.listen, None)
                .map_err(|e| failed(&e))?;
            format!("tcp:{}", tcp.address())
        }
    };
    let _ = writeln!(console.out, "{what}, simulated; its AT port is {port}");
    let _ = console.out.flush();
    while !console.cancel.is_cancelled() {
        std::thread::sleep(LOOK);
    }
    Ok(())
}

/// `sim hub`
pub(crate) fn hub(args: &SimHubArgs, console: &mut Console<'_>) -> Result<(), Complaint> {
    let failed = |error: &dyn core::fmt::Display| {
        Complaint::failure(format!("the hub did not start: {error}"))
    };
    let config = Config::single_device(&args.name, Device::with_generated_keys(&args.device));
    config
        .check()
        .map_err(|e| Complaint::usage(e.to_string()))?;
    let pki = Pki::new(&PkiOptions::for_hosts([args.name.as_str()])).map_err(|e| failed(&e))?;
    let mut options = ServerOptions::default();
    options.listen = args.listen;
    let hub = LocalHub::start_with(&config, &pki, &options).map_err(|e| failed(&e))?;
    let root = args.out.join("local-hub-root.pem");
    let device = args.out.join("local-hub-device.txt");
    write_file(&root, hub.ca_pem(), false)?;
    write_file(
        &device,
        &hub.connection_string(&args.device).unwrap_or_default(),
        true,
    )?;
    let _ = writeln!(console.out, "hub {} listens on {}", args.name, hub.addr());
    let _ = writeln!(console.out, "root certificate   {}", root.display());
    let _ = writeln!(console.out, "connection string  {}", device.display());
    let _ = console.out.flush();
    let records = hub.records();
    while !console.cancel.is_cancelled() {
        if let Ok(record) = records.recv_timeout(LOOK) {
            let _ = writeln!(console.out, "{}", scrub(&record.to_string()));
            let _ = console.out.flush();
        }
    }
    hub.stop();
    Ok(())
}

/// Writes a text; a private one is readable for its owner only.
fn write_file(path: &Path, text: &str, private: bool) -> Result<(), Complaint> {
    let mut options = std::fs::OpenOptions::new();
    // Not emptied before the rights are set, so that the order holds also for a file of an earlier run.
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    if private {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    let written = options.open(path).and_then(|mut file| {
        // The mode above is for new files only.
        #[cfg(unix)]
        if private {
            use std::os::unix::fs::PermissionsExt;
            file.set_permissions(std::fs::Permissions::from_mode(0o600))?;
        }
        file.set_len(0)?;
        file.write_all(text.as_bytes())
    });
    #[cfg(not(unix))]
    let _ = private;
    written.map_err(|e| Complaint::usage(format!("cannot write {}: {e}", path.display())))
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn a_private_file_is_private_also_if_it_was_there() {
        let folder = tempfile::tempdir().unwrap();
        for (name, before) in [("new", None), ("old", Some("a longer text of before"))] {
            let path = folder.path().join(name);
            if let Some(text) = before {
                std::fs::write(&path, text).unwrap();
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            }
            write_file(&path, "secret", true).unwrap();
            let mode = std::fs::metadata(&path).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600, "{name}");
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "secret");
        }
    }
}
