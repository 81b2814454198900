//! `sim modem`: a simulated module that runs until it is told to end.

mod args;
mod log;

use core::net::SocketAddr;
use std::io;
use std::path::{Path, PathBuf};

use quectel_sim::run::{Control, Folder, HostTable, Simulator};
use quectel_sim::{Identity, Module, ModuleConfig, PowerState, Profile, Timing};

pub(crate) use args::SimModemArgs;
use log::LogFile;

use super::{LOOK, simulator};
use crate::complaint::Complaint;
use crate::console::Console;

/// `sim modem`
pub(crate) fn run(args: &SimModemArgs, console: &mut Console<'_>) -> Result<(), Complaint> {
    if args.print_profile {
        return print_profile(args, console);
    }
    let folder = match &args.world.state {
        Some(path) => Some(Folder::open(path).map_err(|e| unusable("state folder", path, &e))?),
        None => None,
    };
    let config = config(args, folder.as_ref())?;
    let identity = config.profile.identity.clone();
    let module = module(args, config)?;
    let mut log = args.test.log.as_deref().map(LogFile::open).transpose()?;
    let simulator = simulator()?;
    let running = Running::start(&simulator, args, module, folder)?;
    let channel = match args.test.control {
        Some(address) => Some(
            simulator
                .control_port(running.control.clone(), address)
                .map_err(|e| busy("--control", &address.to_string(), &e))?,
        ),
        None => None,
    };
    let address = channel.as_ref().map(|channel| channel.address());
    announce(args, &running, &identity, address, console);
    while !console.cancel.is_cancelled() && !running.control.has_stopped() {
        std::thread::sleep(LOOK);
        if let Some(log) = &mut log {
            log.write(&running.control, console)?;
        }
    }
    if let Some(log) = &mut log {
        log.write(&running.control, console)?;
    }
    Ok(())
}

/// Tells where everything is.
fn announce(
    args: &SimModemArgs,
    running: &Running,
    identity: &Identity,
    control: Option<SocketAddr>,
    console: &mut Console<'_>,
) {
    let (model, revision) = (&identity.model, &identity.revision);
    let firmware = args.firmware.as_deref();
    let known = firmware.and_then(|firmware| Profile::stands_in(&args.model, firmware));
    let path = |path: &PathBuf| path.display().to_string();
    let rows = [
        (
            "firmware",
            known.map(|known| format!("{revision} is not known itself; it behaves like {known}")),
        ),
        ("link", args.link.as_ref().map(path)),
        (
            "control channel",
            control.map(|address| address.to_string()),
        ),
        ("state", args.world.state.as_ref().map(path)),
    ];
    let _ = writeln!(
        console.out,
        "{model}, firmware {revision}, simulated; its AT port is {}",
        running.port
    );
    for (what, value) in rows {
        if let Some(value) = value {
            let _ = writeln!(console.out, "{what:<17}{value}");
        }
    }
    let _ = console.out.flush();
}

/// `--print-profile`
fn print_profile(args: &SimModemArgs, console: &mut Console<'_>) -> Result<(), Complaint> {
    let layers = Profile::layers(&args.model, args.firmware.as_deref())
        .map_err(|e| Complaint::usage(e.to_string()))?;
    for (name, text) in layers {
        let _ = writeln!(
            console.out,
            "# ---- {name}, over what stands before\n\n{text}"
        );
    }
    Ok(())
}

/// The module and everything around it.
fn config(args: &SimModemArgs, folder: Option<&Folder>) -> Result<ModuleConfig, Complaint> {
    let mut profile = super::profile(&args.model, args.firmware.as_deref())?;
    if let Some(path) = &args.config {
        let text = read(path)?;
        profile
            .overlay(&path.display().to_string(), &text)
            .map_err(|e| Complaint::usage(e.to_string()))?;
    }
    let mut config = ModuleConfig::with_profile(profile)
        .timing(if args.real_time {
            Timing::Realistic
        } else {
            Timing::Fast
        })
        .sim(args.world.sim.clone());
    config.seed = args.test.chaos.unwrap_or(config.seed);
    config.port.clone_from(&args.module_port);
    config.coverage = !args.world.no_network;
    config.registers = !args.world.registration_denied;
    config.apns.clone_from(&args.world.apns);
    if args.warm {
        config.power = PowerState::Ready;
    }
    if args.world.no_clock {
        config = config.without_clock();
    }
    if let Some(baud) = args.baud {
        let rates = &config.profile.line.baud_rates;
        if !rates.contains(&baud) {
            let known: Vec<String> = rates.iter().map(u32::to_string).collect();
            return Err(Complaint::usage(format!(
                "--baud {baud}: this module has no such rate; it has {}",
                known.join(", ")
            )));
        }
        config.pace_uart = true;
        config
            .nonvolatile
            .push(("IPR".to_owned(), baud.to_string()));
    }
    if let (Some(folder), Some(path)) = (folder, &args.world.state) {
        folder
            .load(&mut config)
            .map_err(|e| unusable("state folder", path, &e))?;
    }
    if args.world.full_storage {
        config.profile.file.ufs_free = used(&config);
    }
    Ok(config)
}

/// Bytes of the files that are not in RAM or on the card.
fn used(config: &ModuleConfig) -> u64 {
    let files = config.files.iter();
    files
        .filter(|(name, _)| !name.starts_with("RAM:") && !name.starts_with("SD:"))
        .map(|(_, content)| u64::try_from(content.len()).unwrap_or(u64::MAX))
        .sum()
}

fn module(args: &SimModemArgs, config: ModuleConfig) -> Result<Module, Complaint> {
    let mut module = Module::new(config);
    if args.test.chaos.is_some() {
        module.faults().chaos = args.test.chaos_rate;
    }
    if let Some(path) = &args.test.faults {
        let text = read(path)?;
        module
            .faults()
            .load(&path.display().to_string(), &text)
            .map_err(|e| Complaint::usage(e.to_string()))?;
    }
    Ok(module)
}

/// A module that is reachable as long as this lives.
struct Running {
    port: String,
    control: Control,
    _alive: Box<dyn core::any::Any>,
}

impl Running {
    fn start(
        simulator: &Simulator,
        args: &SimModemArgs,
        module: Module,
        folder: Option<Folder>,
    ) -> Result<Self, Complaint> {
        let hosts = HostTable::new();
        for (name, to) in &args.world.hosts {
            hosts.insert(name, *to);
        }
        if args.world.host_dns {
            hosts.allow_system();
        }
        if args.pty {
            return Self::on_terminal(simulator, args, module, &hosts, folder);
        }
        let tcp = simulator
            .tcp(module, &hosts, args.listen, folder)
            .map_err(|e| busy("--listen", &args.listen.to_string(), &e))?;
        Ok(Self {
            port: format!("tcp:{}", tcp.address()),
            control: tcp.control(),
            _alive: Box::new(tcp),
        })
    }

    #[cfg(unix)]
    fn on_terminal(
        simulator: &Simulator,
        args: &SimModemArgs,
        module: Module,
        hosts: &HostTable,
        folder: Option<Folder>,
    ) -> Result<Self, Complaint> {
        let link = args.link.as_deref();
        let pty = simulator
            .pty(module, hosts, link, folder)
            .map_err(|e| match link {
                Some(link) => unlinkable(link, &e),
                None => Complaint::failure(format!("there is no pseudo terminal: {e}"))
                    .remedy("use --listen"),
            })?;
        Ok(Self {
            port: pty.path().display().to_string(),
            control: pty.control(),
            _alive: Box::new(pty),
        })
    }

    #[cfg(not(unix))]
    fn on_terminal(
        _: &Simulator,
        _: &SimModemArgs,
        _: Module,
        _: &HostTable,
        _: Option<Folder>,
    ) -> Result<Self, Complaint> {
        Err(Complaint::usage(
            "there are no pseudo terminals here; use --listen",
        ))
    }
}

fn read(path: &Path) -> Result<String, Complaint> {
    std::fs::read_to_string(path)
        .map_err(|e| Complaint::usage(format!("cannot read {}: {e}", path.display())))
}

fn unusable(what: &str, path: &Path, error: &io::Error) -> Complaint {
    Complaint::usage(format!("cannot use {what} {}: {error}", path.display()))
}

fn busy(option: &str, address: &str, error: &io::Error) -> Complaint {
    let complaint = Complaint::failure(format!("{option}: cannot listen on {address}: {error}"));
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            complaint.remedy("end the program that listens there, or take port 0 for a free one")
        }
        io::ErrorKind::AddrNotAvailable => {
            complaint.remedy("give an address of this computer, such as 127.0.0.1")
        }
        _ => complaint,
    }
}

#[cfg(unix)]
fn unlinkable(link: &Path, error: &io::Error) -> Complaint {
    let path = link.display();
    if error.kind() == io::ErrorKind::AlreadyExists {
        Complaint::usage(format!("--link: {path} exists already"))
            .remedy("remove it, or give another path; another simulated module may be using it")
    } else {
        Complaint::usage(format!("--link: cannot make {path}: {error}"))
    }
}
