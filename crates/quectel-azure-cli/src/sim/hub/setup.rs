//! What the hub consists of: options, configuration file, state folder.

use core::fmt::Write;
use core::net::SocketAddr;
use core::time::Duration;
use std::path::Path;

use iothub_sim::{
    ConfigFile, DeviceCertificate, Identity, KeyKind, LocalHub, ServerOptions, ServiceOptions,
    SharedAccessKey, StartError, StateError, StateFolder, Validity,
};

use super::SimHubArgs;
use crate::args::Auth;
use crate::complaint::Complaint;

const NAME: &str = "local-hub.azure-devices.net";
const DEVICE: &str = "device-1";

/// A hub that can be started.
pub(super) struct Setup {
    file: ConfigFile,
    folder: Option<StateFolder>,
    service_key: SharedAccessKey,
    /// Made for the device of a hub that did not exist before.
    certificate: Option<DeviceCertificate>,
}

impl Setup {
    /// Reads what there is; writes nothing.
    pub(super) fn new(args: &SimHubArgs) -> Result<Self, Complaint> {
        let mut folder = match &args.state {
            Some(path) => Some(StateFolder::open(path).map_err(state_fault)?),
            None => None,
        };
        let seed = folder
            .as_ref()
            .map_or_else(SharedAccessKey::generate, |folder| folder.seed().clone());
        let mut certificate = None;
        let mut file = match &args.config {
            Some(path) => {
                ConfigFile::read(path, &seed).map_err(|e| Complaint::usage(e.to_string()))?
            }
            None => own_configuration(args, &seed, folder.as_mut(), &mut certificate)?,
        };
        add_faults(args, &mut file)?;
        Ok(Self {
            service_key: seed.derive("service"),
            file,
            folder,
            certificate,
        })
    }

    /// The device that faults and files are for.
    pub(super) fn first_device(&self) -> Option<Identity> {
        first_device(&self.file)
    }

    /// Starts it; also returns the certificate that was made for its first device.
    pub(super) fn start(
        self,
        listen: SocketAddr,
        service: Option<SocketAddr>,
    ) -> Result<(LocalHub, Option<DeviceCertificate>), Complaint> {
        let mut options = ServerOptions::default();
        options.listen = listen;
        options.service = service.map(|listen| {
            let mut service = ServiceOptions::new(self.service_key);
            service.listen = listen;
            service
        });
        let started = match self.folder {
            Some(folder) => LocalHub::start_in(folder, &self.file, &options),
            None => LocalHub::start_file(&self.file, &options),
        };
        let hub = started.map_err(|error| match error {
            StartError::Config(error) => Complaint::usage(error.to_string()),
            StartError::State(error) => state_fault(error),
            error => Complaint::failure(format!("the hub did not start: {error}")),
        })?;
        Ok((hub, self.certificate))
    }
}

/// The configuration that the state folder has, or a first one.
fn own_configuration(
    args: &SimHubArgs,
    seed: &SharedAccessKey,
    folder: Option<&mut StateFolder>,
    certificate: &mut Option<DeviceCertificate>,
) -> Result<ConfigFile, Complaint> {
    let configured = match &folder {
        Some(folder) => folder.is_configured().map_err(state_fault)?,
        None => false,
    };
    let first_only = args.name.is_some() || args.device.is_some() || args.auth.is_some();
    if configured && first_only {
        let folder = args.state.as_deref().unwrap_or_else(|| Path::new("."));
        return Err(Complaint::usage(format!(
            "the cloud of this state folder exists already; leave --name, --device and --auth out, or edit {}",
            folder.join("hub.toml").display()
        )));
    }
    let name = args.name.as_deref().unwrap_or(NAME);
    let device = args.device.as_deref().unwrap_or(DEVICE);
    if !configured && args.auth == Some(Auth::X509) {
        let made = DeviceCertificate::self_signed(device, KeyKind::default(), Validity::default())
            .map_err(|e| {
                Complaint::usage(format!("the device's certificate cannot be made: {e}"))
            })?;
        *certificate = Some(made);
    }
    let first = first_configuration(name, device, certificate.as_ref());
    match folder {
        Some(folder) => folder.configuration_or(&first).map_err(state_fault),
        None => ConfigFile::parse(&first, Path::new("--name and --device"), seed)
            .map_err(|e| Complaint::usage(e.problem)),
    }
}

/// One hub with one device, and one id scope.
fn first_configuration(name: &str, device: &str, made: Option<&DeviceCertificate>) -> String {
    let mut text = String::from(
        "# The local cloud: hubs, devices, provisioning. docs/hub.md has all keys.\n\
         # Keys that are left out follow from the file `seed` beside this one and stay the same.\n\n",
    );
    // Writing into a string cannot fail; names that are possible look the same as strings of Rust and TOML.
    let _ = writeln!(
        text,
        "[[hub]]\nhost = {name:?}\n\n[[hub.device]]\nid = {device:?}"
    );
    if let Some(made) = made {
        let thumbprint = made.sha256_thumbprint();
        let _ = writeln!(text, "primary_thumbprint = \"{thumbprint}\"");
    }
    text.push_str(
        "\n[[provisioning]]\nid_scope = \"0ne00000A0A\"\n\n[[provisioning.group]]\nname = \"devices\"\n",
    );
    text
}

fn add_faults(args: &SimHubArgs, file: &mut ConfigFile) -> Result<(), Complaint> {
    if let Some(fault) = args.certificate_fault {
        file.certificate_fault = fault;
    }
    if let Some(delay_ms) = args.handshake_delay {
        file.handshake_delay = Duration::from_millis(delay_ms);
    }
    for fault in &args.faults {
        if fault.is_immediate() {
            return Err(Complaint::usage(
                "this fault happens to an open connection at once, and at the start there is none; use the page or POST /sim/devices/{id}/faults",
            ));
        }
        let first = first_device(file).ok_or_else(|| {
            Complaint::usage("a --fault waits for the first device, and there is none")
        })?;
        file.faults.push((first, fault.clone()));
    }
    Ok(())
}

fn first_device(file: &ConfigFile) -> Option<Identity> {
    let hub = file
        .config
        .hubs
        .iter()
        .find(|hub| !hub.devices.is_empty())?;
    let device = hub.devices.first()?;
    Some(Identity::device(&hub.host, &device.id))
}

fn state_fault(error: StateError) -> Complaint {
    match error {
        StateError::Config(error) => Complaint::usage(error.to_string()),
        error => Complaint::failure(error.to_string()),
    }
}
