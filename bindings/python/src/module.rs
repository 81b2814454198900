//! The simulated module.

use core::net::SocketAddr;
use core::sync::atomic::{AtomicBool, Ordering};
use core::time::Duration;
use std::io::{self, Read, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use pyo3::prelude::*;
use quectel_serial::Port;
use quectel_sim::run::{Control, Folder, HostTable, InProcess, Simulator, TcpPort};
use quectel_sim::{
    Module, ModuleConfig, PowerState, Profile, ProfileError, Registration, SimState, Timing,
};

use crate::fault::Fault;
use crate::settings::choice;

/// The name of a port that is in this process.
const IN_PROCESS: &str = "simulated";

/// `quectel_azure.sim._ModuleSettings`, attribute by attribute. May have a PIN, so no `Debug`.
#[derive(FromPyObject)]
struct ModuleSettings {
    model: String,
    firmware: Option<String>,
    transport: String,
    hosts: Vec<(String, String)>,
    sim: String,
    sim_pin: Option<String>,
    registers: bool,
    has_clock: bool,
    apns: Vec<String>,
    timing: String,
    boots: bool,
    folder: Option<PathBuf>,
    seed: u64,
}

#[derive(Debug, Clone, Copy)]
enum Transport {
    InProcess,
    Tcp,
    #[cfg(unix)]
    Pty,
}

const TRANSPORTS: &[(&str, Transport)] = &[
    ("in-process", Transport::InProcess),
    ("tcp", Transport::Tcp),
    #[cfg(unix)]
    ("pty", Transport::Pty),
];

const TIMINGS: [(&str, Timing); 2] = [("fast", Timing::Fast), ("realistic", Timing::Realistic)];

const REGISTRATIONS: [(&str, Registration); 5] = [
    ("idle", Registration::Idle),
    ("home", Registration::Home),
    ("searching", Registration::Searching),
    ("denied", Registration::Denied),
    ("roaming", Registration::Roaming),
];

/// What runs a module; dropping it stops that.
enum Runner {
    InProcess,
    Tcp {
        _port: TcpPort,
    },
    #[cfg(unix)]
    Pty {
        _port: quectel_sim::run::Pty,
    },
}

/// A simulated module that is switched on.
#[pyclass(frozen, module = "quectel_azure._native")]
pub(crate) struct SimulatedModule {
    control: Control,
    runner: Mutex<Option<Runner>>,
    place: SimulatedPlace,
    model: String,
    firmware: String,
}

/// Where a client finds a simulated module.
#[derive(Clone)]
enum SimulatedPlace {
    Named(String),
    InProcess(SimulatedPort),
}

/// The AT port of a simulated module in this process.
#[pyclass(frozen, module = "quectel_azure._native", from_py_object)]
#[derive(Clone)]
pub(crate) struct SimulatedPort {
    uart: Arc<Mutex<InProcess>>,
    in_use: Arc<AtomicBool>,
}

#[pymethods]
impl SimulatedPort {
    fn __repr__(&self) -> &'static str {
        "<AT port of a simulated module in this process>"
    }
}

#[pymethods]
impl SimulatedModule {
    #[new]
    fn new(settings: ModuleSettings) -> Result<Self, Fault> {
        let transport = choice("transport", &settings.transport, TRANSPORTS)?;
        let hosts = host_table(&settings.hosts)?;
        let folder = settings
            .folder
            .as_ref()
            .map(Folder::open)
            .transpose()
            .map_err(|e| failed(&e))?;
        let config = settings.config(folder.as_ref())?;
        let (model, firmware) = (
            config.profile.identity.model.clone(),
            config.profile.identity.revision.clone(),
        );
        let module = Module::new(config);
        let simulator = Simulator::new().map_err(|e| failed(&e))?;
        let (control, runner, place) = match transport {
            Transport::InProcess => {
                let uart = simulator.in_process_with(module, &hosts, folder);
                let control = uart.control();
                let port = SimulatedPort {
                    uart: Arc::new(Mutex::new(uart)),
                    in_use: Arc::default(),
                };
                (control, Runner::InProcess, SimulatedPlace::InProcess(port))
            }
            Transport::Tcp => {
                let any = SocketAddr::from(([127, 0, 0, 1], 0));
                let port = simulator
                    .tcp(module, &hosts, any, folder)
                    .map_err(|e| failed(&e))?;
                let name = format!("tcp:{}", port.address());
                (
                    port.control(),
                    Runner::Tcp { _port: port },
                    SimulatedPlace::Named(name),
                )
            }
            #[cfg(unix)]
            Transport::Pty => {
                let port = simulator
                    .pty(module, &hosts, None, folder)
                    .map_err(|e| failed(&e))?;
                let name = port.path().display().to_string();
                (
                    port.control(),
                    Runner::Pty { _port: port },
                    SimulatedPlace::Named(name),
                )
            }
        };
        Ok(Self {
            control,
            runner: Mutex::new(Some(runner)),
            place,
            model,
            firmware,
        })
    }

    /// What a client's `port` is set to.
    #[getter]
    fn port<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        match &self.place {
            SimulatedPlace::Named(name) => Ok(name.into_pyobject(py)?.into_any()),
            SimulatedPlace::InProcess(port) => Ok(Bound::new(py, port.clone())?.into_any()),
        }
    }

    #[getter]
    fn model(&self) -> &str {
        &self.model
    }

    #[getter]
    fn firmware(&self) -> &str {
        &self.firmware
    }

    /// Files with their storage prefix and size in bytes.
    fn files(&self) -> Vec<(String, usize)> {
        self.control.with(|module| module.state().files)
    }

    /// The content of a file.
    fn read_file(&self, name: &str) -> Option<Vec<u8>> {
        self.control
            .with(|module| module.file(name).map(<[u8]>::to_vec))
    }

    /// Whether one of its MQTT clients is connected.
    #[getter]
    fn is_connected(&self) -> bool {
        let clients = self.control.with(|module| module.state().mqtt);
        clients.contains(&quectel_sim::MqttState::Connected)
    }

    fn raise_urc(&self, line: &str) {
        self.control.with(|module| module.raise_urc(line));
    }

    fn set_signal(&self, rssi: u8) {
        self.control.with(|module| module.set_signal(rssi, 99));
    }

    #[pyo3(signature = (state, pin=None))]
    fn set_sim(&self, state: &str, pin: Option<String>) -> Result<(), Fault> {
        let sim = sim(state, pin)?;
        self.control.with(|module| module.set_sim(sim));
        Ok(())
    }

    fn set_registration(&self, state: &str) -> Result<(), Fault> {
        let registration = choice("registration", state, &REGISTRATIONS)?;
        self.control
            .with(|module| module.set_registration(registration));
        Ok(())
    }

    fn drop_pdp(&self, context: u8) {
        self.control.with(|module| module.drop_pdp(context));
    }

    /// Switches it off: its connections and its port close.
    fn close(&self, py: Python<'_>) {
        self.control.stop();
        let runner = self
            .runner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        py.detach(|| drop(runner));
    }
}

impl ModuleSettings {
    fn config(self, folder: Option<&Folder>) -> Result<ModuleConfig, Fault> {
        let profile = Profile::select(&self.model, self.firmware.as_deref())?;
        let mut config = ModuleConfig::with_profile(profile)
            .timing(choice("timing", &self.timing, &TIMINGS)?)
            .power(if self.boots {
                PowerState::Booting
            } else {
                PowerState::Ready
            })
            .sim(sim(&self.sim, self.sim_pin)?)
            .seed(self.seed);
        if !self.has_clock {
            config = config.without_clock();
        }
        config.registers = self.registers;
        config.apns = self.apns;
        if let Some(folder) = folder {
            folder.load(&mut config).map_err(|e| failed(&e))?;
        }
        Ok(config)
    }
}

fn sim(state: &str, pin: Option<String>) -> Result<SimState, Fault> {
    match (state, pin) {
        ("ready", None) => Ok(SimState::Ready),
        ("ready", Some(pin)) => Ok(SimState::Pin(pin)),
        ("absent", None) => Ok(SimState::Absent),
        ("failure", None) => Ok(SimState::Failure),
        ("absent" | "failure", Some(_)) => Err(Fault::misuse(
            "invalid-value",
            "only a SIM that is ready has a PIN",
        )),
        (other, _) => {
            let text = format!("sim must be one of ready, absent, failure, not {other:?}");
            Err(Fault::misuse("invalid-value", text))
        }
    }
}

fn host_table(hosts: &[(String, String)]) -> Result<HostTable, Fault> {
    let table = HostTable::new();
    for (name, address) in hosts {
        let address = address.parse().map_err(|_| {
            Fault::misuse(
                "invalid-value",
                format!("host {name} must lead to ADDRESS:PORT, not {address:?}"),
            )
        })?;
        table.insert(name, address);
    }
    Ok(table)
}

fn failed(error: &io::Error) -> Fault {
    Fault::simulator(format!("the simulated module did not start: {error}"))
}

impl From<ProfileError> for Fault {
    fn from(error: ProfileError) -> Self {
        Self::misuse("profile", error.to_string())
    }
}

/// The port while a client has it.
struct OpenPort {
    uart: InProcess,
    in_use: Arc<AtomicBool>,
}

impl SimulatedPort {
    pub(crate) fn open(&self) -> Result<Box<dyn Port>, Fault> {
        if self.in_use.swap(true, Ordering::AcqRel) {
            return Err(Fault::port_busy(IN_PROCESS));
        }
        let uart = self
            .uart
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        // What the module said while nobody listened is lost, as on a real line.
        uart.clear_input();
        Ok(Box::new(OpenPort {
            uart,
            in_use: self.in_use.clone(),
        }))
    }
}

impl Drop for OpenPort {
    fn drop(&mut self) {
        self.in_use.store(false, Ordering::Release);
    }
}

impl Port for OpenPort {
    fn read(&mut self, buf: &mut [u8], timeout: Duration) -> io::Result<usize> {
        self.uart.set_timeout(timeout);
        match self.uart.read(buf) {
            Ok(0) if !buf.is_empty() => Err(io::ErrorKind::UnexpectedEof.into()),
            Err(e) if e.kind() == io::ErrorKind::TimedOut => Ok(0),
            other => other,
        }
    }

    fn write(&mut self, bytes: &[u8], _: Duration) -> io::Result<usize> {
        self.uart.write(bytes)
    }

    fn clear(&mut self) -> io::Result<()> {
        self.uart.clear_input();
        Ok(())
    }

    fn name(&self) -> &str {
        IN_PROCESS
    }
}
