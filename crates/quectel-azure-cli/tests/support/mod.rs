//! Runs the command in this process against simulated modules and a local hub.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::unwrap_used,
    reason = "a part of several tests, each of which uses some of it"
)]

use core::net::SocketAddr;
use core::time::Duration;
use std::path::{Path, PathBuf};

use iothub_sim::{Config, Device, DeviceCertificate, KeyKind, LocalHub, Validity};
use quectel_azure_cli::{CancelToken, Console, Status, run};
use quectel_sim::run::{HostTable, Simulator, TcpPort};
use quectel_sim::{Module, ModuleConfig, PowerState, Timing};
use tempfile::TempDir;

pub const HUB: &str = "contoso.azure-devices.net";
pub const DEVICE: &str = "dev-1";

/// What a run of the command left.
#[derive(Debug)]
pub struct Ran {
    pub status: Status,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// The error without progress: from `error:` on.
    pub fn error(&self) -> &str {
        self.err.find("error:").map_or("", |at| &self.err[at..])
    }
}

/// Runs the command with these arguments, standard input and variables.
pub fn command_with(
    args: &[&str],
    input: &str,
    variables: &[(&str, &str)],
    cancel: CancelToken,
) -> Ran {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let variable = |name: &str| {
        variables
            .iter()
            .find(|(n, _)| *n == name)
            .map(|(_, value)| (*value).to_owned())
    };
    let args = core::iter::once("quectel-azure").chain(args.iter().copied());
    let status = run(
        args,
        &mut Console {
            input: &mut input.as_bytes(),
            out: &mut out,
            err: &mut err,
            variable: &variable,
            out_colour: false,
            err_colour: false,
            interactive: false,
            cancel,
        },
    );
    Ran {
        status,
        out: String::from_utf8(out).unwrap(),
        err: String::from_utf8(err).unwrap(),
    }
}

/// Runs the command with these arguments only.
pub fn command(args: &[&str]) -> Ran {
    command_with(args, "", &[], CancelToken::default())
}

/// A hub with one device, and the device's files in a folder.
pub struct Bench {
    pub hub: LocalHub,
    pub folder: TempDir,
    hosts: HostTable,
}

impl Bench {
    /// A device with a key.
    pub fn with_key() -> Self {
        Self::new(Device::with_generated_keys(DEVICE), None)
    }

    /// A device with a certificate.
    pub fn with_certificate() -> Self {
        let made = DeviceCertificate::self_signed(DEVICE, KeyKind::default(), Validity::default())
            .unwrap();
        Self::new(
            Device::with_thumbprint(DEVICE, made.sha256_thumbprint()),
            Some(made),
        )
    }

    fn new(device: Device, certificate: Option<DeviceCertificate>) -> Self {
        let hub = LocalHub::start(&Config::single_device(HUB, device)).unwrap();
        let hosts = HostTable::new();
        hosts.insert(&format!("{HUB}:8883"), hub.addr());
        let bench = Self {
            folder: TempDir::new().unwrap(),
            hosts,
            hub,
        };
        bench.write("device", bench.hub.connection_string(DEVICE).unwrap());
        bench.write("root", bench.hub.ca_pem());
        if let Some(certificate) = certificate {
            bench.write("cert", &certificate.certificate_pem);
            bench.write("key", &certificate.key_pem);
        }
        bench
    }

    /// The path of a file of the bench.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    /// Makes another server known in the simulated network.
    pub fn host(&self, name: &str, to: SocketAddr) {
        self.hosts.insert(name, to);
    }

    /// Switches a module on.
    pub fn module(&self, config: ModuleConfig) -> TcpPort {
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        Simulator::new()
            .unwrap()
            .tcp(Module::new(config), &self.hosts, any, None)
            .unwrap()
    }

    /// Publishes over the module, with more arguments behind the usual ones.
    pub fn publish(&self, module: &TcpPort, more: &[&str]) -> Ran {
        let port = format!("tcp:{}", module.address());
        self.publish_over(&port, more)
    }

    pub fn publish_over(&self, port: &str, more: &[&str]) -> Ran {
        let (device, root) = (self.path("device"), self.path("root"));
        let args = [
            "publish",
            "--port",
            port,
            "--connection-string-file",
            text(&device),
            "--ca",
            text(&root),
        ];
        let args = [
            args.as_slice(),
            &["--apn", "iot.example", "--message", "hello"],
            more,
        ]
        .concat();
        command(&args)
    }

    /// The first messages that arrived at the hub, so many.
    pub fn telemetry(&self, count: usize) -> Vec<iothub_sim::Telemetry> {
        let mut arrived = Vec::new();
        self.hub.wait_for(Duration::from_secs(10), |record| {
            if let iothub_sim::Event::Telemetry(telemetry) = &record.event {
                arrived.push(telemetry.clone());
            }
            (arrived.len() >= count).then_some(())
        });
        arrived
    }
}

/// A module that has booted and answers as fast as it can.
pub fn ready(model: &str) -> ModuleConfig {
    ModuleConfig::new(model)
        .unwrap()
        .timing(Timing::Fast)
        .power(PowerState::Ready)
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
