//! `sim modem`: a simulated module that runs until it is told to end.

use core::net::SocketAddr;
use std::io;

use clap::Args;

use super::{LOOK, Modem, profile, simulator};
use crate::complaint::Complaint;
use crate::console::Console;

#[derive(Debug, Args)]
pub(crate) struct SimModemArgs {
    /// Model, such as ec21, ec25, bg96, bg95, ec200u.
    #[arg(long, value_name = "MODEL", default_value = "ec25")]
    pub(crate) model: String,
    /// Firmware revision; without it the newest one that is simulated.
    #[arg(long, value_name = "REVISION")]
    pub(crate) firmware: Option<String>,
    /// Address of the AT port; port 0 takes a free one.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:0",
        conflicts_with = "pty"
    )]
    pub(crate) listen: SocketAddr,
    /// Take the times of a real module, from switching it on; without it, it works as fast as it can.
    #[arg(long)]
    pub(crate) real_time: bool,
    /// Make a pseudo terminal instead.
    #[arg(long)]
    pub(crate) pty: bool,
    /// Where a host name and port of the simulated network leads to, such as
    /// hub.azure-devices.net:8883=127.0.0.1:8883; may be given several times.
    #[arg(long = "host", value_name = "NAME:PORT=ADDRESS:PORT", value_parser = host)]
    pub(crate) hosts: Vec<(String, u16, SocketAddr)>,
}

/// `sim modem`
pub(crate) fn run(args: &SimModemArgs, console: &mut Console<'_>) -> Result<(), Complaint> {
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

fn host(text: &str) -> Result<(String, u16, SocketAddr), String> {
    const FORM: &str =
        "the form is NAME:PORT=ADDRESS:PORT, such as hub.azure-devices.net:8883=127.0.0.1:8883";
    let (from, to) = text.split_once('=').ok_or(FORM)?;
    let (name, port) = from.rsplit_once(':').ok_or(FORM)?;
    Ok((
        name.to_owned(),
        port.parse().map_err(|_| FORM)?,
        to.parse().map_err(|_| FORM)?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_two_sides() {
        let local = SocketAddr::from(([127, 0, 0, 1], 9));
        assert_eq!(
            host("h.example:8883=127.0.0.1:9"),
            Ok(("h.example".into(), 8883, local))
        );
        for wrong in [
            "h.example",
            "h.example:8883",
            "h.example=127.0.0.1:9",
            "h:x=127.0.0.1:9",
            "h:1=localhost",
        ] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }
}
