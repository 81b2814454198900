//! `sim hub`: a local IoT Hub that runs until it is told to end.

use core::net::SocketAddr;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use iothub_sim::{Config, Device, LocalHub, Pki, PkiOptions, ServerOptions};

use super::LOOK;
use crate::complaint::{Complaint, scrub};
use crate::console::Console;

#[derive(Debug, Args)]
pub(crate) struct SimHubArgs {
    /// Address of the MQTT port; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8883")]
    pub(crate) listen: SocketAddr,
    /// Host name of the hub, as in its certificate.
    #[arg(
        long,
        value_name = "NAME",
        default_value = "local-hub.azure-devices.net"
    )]
    pub(crate) name: String,
    /// Id of the device that it knows.
    #[arg(long, value_name = "ID", default_value = "device-1")]
    pub(crate) device: String,
    /// Folder that the root certificate and the connection string are written to.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    pub(crate) out: PathBuf,
}

/// `sim hub`
pub(crate) fn run(args: &SimHubArgs, console: &mut Console<'_>) -> Result<(), Complaint> {
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
