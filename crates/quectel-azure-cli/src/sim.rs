//! The simulators: a module, a hub.

pub(crate) mod hub;
pub(crate) mod modem;

use core::net::SocketAddr;
use core::time::Duration;
use std::io::{self, Read, Write};

use quectel_serial::Port;
use quectel_sim::run::{HostTable, InProcess, Simulator};
use quectel_sim::{Module, ModuleConfig, Profile, Timing};

use crate::complaint::Complaint;

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
