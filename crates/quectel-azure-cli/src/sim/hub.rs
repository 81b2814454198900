//! `sim hub`: a local IoT Hub that runs until it is told to end.

mod files;
mod hints;
mod setup;

use core::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use clap::Args;
use iothub_sim::{CertificateFault, Fault, Record};

use self::files::Files;
use self::setup::Setup;
use super::LOOK;
use crate::args::Auth;
use crate::complaint::{Complaint, scrub};
use crate::console::Console;

/// The port of MQTT over TLS, which Azure's SDKs cannot change.
const PORT: u16 = 8883;

#[derive(Debug, Args)]
pub(crate) struct SimHubArgs {
    /// TCP port for devices; 0 takes a free one [default: 8883].
    #[arg(long, value_name = "PORT", help_heading = "Addresses")]
    pub(crate) port: Option<u16>,
    /// Address to listen on; another one than 127.0.0.1 lets other computers in.
    #[arg(
        long,
        value_name = "ADDRESS[:PORT]",
        default_value = "127.0.0.1",
        value_parser = listen,
        help_heading = "Addresses"
    )]
    pub(crate) listen: (IpAddr, Option<u16>),
    /// Serve the REST interface and the page, too; on 127.0.0.1:8080 without a value.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        num_args = 0..=1,
        default_missing_value = "127.0.0.1:8080",
        help_heading = "Addresses"
    )]
    pub(crate) service: Option<SocketAddr>,

    /// Folder that keeps certificates, identities, twins and queues over a restart; made if it is not there.
    #[arg(long, value_name = "FOLDER", help_heading = "Cloud")]
    pub(crate) state: Option<PathBuf>,
    /// What the cloud consists of (docs/hub.md), instead of one hub with one device.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["name", "device", "auth"], help_heading = "Cloud")]
    pub(crate) config: Option<PathBuf>,
    /// Host name of the hub, as in its certificate [default: local-hub.azure-devices.net].
    #[arg(long, value_name = "NAME", help_heading = "Cloud")]
    pub(crate) name: Option<String>,
    /// Id of the device that it knows [default: device-1].
    #[arg(long, value_name = "ID", help_heading = "Cloud")]
    pub(crate) device: Option<String>,
    /// How that device proves its identity [default: sas].
    #[arg(long, value_enum, help_heading = "Cloud")]
    pub(crate) auth: Option<Auth>,
    /// Folder for root certificate, connection string and what else a device needs; the state folder, or the current
    /// one.
    #[arg(long, value_name = "FOLDER", help_heading = "Cloud")]
    pub(crate) out: Option<PathBuf>,

    /// A fault that waits for the first device, such as "drop-pubacks=3", half-open (docs/hub.md has all); may be given
    /// several times.
    #[arg(long = "fault", value_name = "FAULT", help_heading = "Faults")]
    pub(crate) faults: Vec<Fault>,
    /// A wrong certificate: expired, not-yet-valid, wrong-name, unknown-root, missing-intermediate.
    #[arg(long, value_name = "FAULT", help_heading = "Faults")]
    pub(crate) certificate_fault: Option<CertificateFault>,
    /// Milliseconds by which each TLS handshake is late.
    #[arg(long, value_name = "MS", help_heading = "Faults", value_parser = clap::value_parser!(u64).range(..=600_000))]
    pub(crate) handshake_delay: Option<u64>,
}

fn listen(text: &str) -> Result<(IpAddr, Option<u16>), String> {
    let parsed = match (text.parse::<SocketAddr>(), text.parse::<IpAddr>()) {
        (Ok(both), _) => Some((both.ip(), Some(both.port()))),
        (_, Ok(address)) => Some((address, None)),
        _ => None,
    };
    parsed.ok_or_else(|| {
        "an address is such as 127.0.0.1, 127.0.0.1:8883, 0.0.0.0 or [::1]:8883".to_owned()
    })
}

impl SimHubArgs {
    fn address(&self) -> Result<SocketAddr, Complaint> {
        let (address, port) = self.listen;
        match (self.port, port) {
            (Some(one), Some(other)) if one != other => Err(Complaint::usage(format!(
                "--port says {one} and --listen {other}; leave one of them out"
            ))),
            (one, other) => Ok(SocketAddr::new(address, one.or(other).unwrap_or(PORT))),
        }
    }
}

/// `sim hub`
pub(crate) fn run(args: &SimHubArgs, console: &mut Console<'_>) -> Result<(), Complaint> {
    let files = Files::new(args)?;
    let setup = Setup::new(args)?;
    let first = setup.first_device();
    let (hub, made) = setup.start(args.address()?, args.service)?;
    let written = files.write(&hub, first.as_ref(), made.as_ref())?;
    let _ = console.out.write_all(written.describe(&hub).as_bytes());
    let _ = console.out.write_all(hints::of(&hub, &written).as_bytes());
    let open = |address: SocketAddr| !address.ip().is_loopback();
    if open(hub.addr()) || hub.service_addr().is_some_and(open) {
        let _ = writeln!(
            console.out,
            "other computers can reach this hub; whoever has a key of it can use it"
        );
    }
    let _ = console.out.flush();
    let records = hub.records();
    while !console.cancel.is_cancelled() {
        if let Ok(record) = records.recv_timeout(LOOK) {
            log(&record, console);
        }
    }
    hub.stop();
    rest(&records, console);
    Ok(())
}

fn log(record: &Record, console: &mut Console<'_>) {
    let _ = writeln!(console.out, "{}", scrub(&record.to_string()));
    let _ = console.out.flush();
}

/// What happened while it stopped.
fn rest(records: &Receiver<Record>, console: &mut Console<'_>) {
    for record in records.try_iter() {
        log(&record, console);
    }
    let _ = writeln!(console.out, "the hub has stopped");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_have_a_port() {
        for (text, expected) in [
            ("127.0.0.1", Some(("127.0.0.1", None))),
            ("0.0.0.0:1", Some(("0.0.0.0", Some(1)))),
            ("::1", Some(("::1", None))),
            ("[::1]:8883", Some(("::1", Some(8883)))),
            ("localhost", None),
            ("127.0.0.1:x", None),
        ] {
            let parsed = listen(text).ok();
            let expected = expected.map(|(address, port)| (address.parse().unwrap(), port));
            assert_eq!(parsed, expected, "{text}");
        }
    }
}
