//! The options of `sim modem`.

use core::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;
use quectel_sim::SimState;

/// Shown below the options.
pub(super) const NOTES: &str = "\
Host names: the module reaches only this computer. --host says which address stands for a name, so that real names,
server name indication and port 8883 stay in the AT commands; a port of such a name that is not given refuses
connections, and any other name has no address. Loopback addresses need no --host. Only --host-dns opens the way to
the real network.

Files: --config overrides fields of the profile, --faults says what breaks and when:
  [mqtt]                        [[fault]]
  publish_max = 1024            command = \"AT+QMTPUB\"    # at the third publish
  [boot]                        skip = 2
  powered_down_ms = 5000        action = \"no-prompt\"
                                [always]
                                drop_byte = 0.001

The control channel takes one JSON object a line, such as {\"do\":\"urc\",\"text\":\"+QIURC: \\\"pdpdeact\\\",1\"},
{\"do\":\"signal\",\"rssi\":9,\"ber\":99}, {\"do\":\"coverage\",\"present\":false}, {\"do\":\"state\"} or {\"do\":\"log\"}.

Ctrl-C and SIGTERM end it: the link is removed, files and settings are kept with --state.";

#[derive(Debug, Args)]
#[command(after_long_help = NOTES)]
pub(crate) struct SimModemArgs {
    /// Model: bg96, bg95, bg77, ec21, ec25, eg25, eg91, ec200u, eg915u or eg800k.
    #[arg(long, value_name = "MODEL", default_value = "ec25")]
    pub(crate) model: String,
    /// Firmware revision; without it the newest one that is simulated. One that is not known behaves like the nearest.
    #[arg(long, value_name = "REVISION")]
    pub(crate) firmware: Option<String>,
    /// TOML file that overrides fields of the profile.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Print the fields of the profile with their meaning, as --config takes them, and end.
    #[arg(long)]
    pub(crate) print_profile: bool,
    /// Take the times of a real module, from switching it on; without it, it works as fast as it can.
    #[arg(long)]
    pub(crate) real_time: bool,
    /// Begin with a module that was switched on long ago and is registered, instead of with its start.
    #[arg(long)]
    pub(crate) warm: bool,

    /// Address of the AT port; port 0 takes a free one.
    #[arg(
        long,
        value_name = "ADDRESS:PORT",
        default_value = "127.0.0.1:0",
        conflicts_with = "pty",
        help_heading = "AT port"
    )]
    pub(crate) listen: SocketAddr,
    /// Make a pseudo terminal instead, and print its path.
    #[arg(long, help_heading = "AT port")]
    pub(crate) pty: bool,
    /// Path of a link to the pseudo terminal, such as /tmp/modem.
    #[arg(long, value_name = "PATH", requires = "pty", help_heading = "AT port")]
    pub(crate) link: Option<PathBuf>,
    /// Which port of the module the host is wired to; URCs and results come only where AT+QURCCFG sends them, which is
    /// usbat on EC2x, EG and EC200 modules until the host sets it.
    #[arg(
        long,
        value_name = "PORT",
        default_value = "uart1",
        value_parser = ["uart1", "usbat", "usbmodem"],
        help_heading = "AT port"
    )]
    pub(crate) module_port: String,
    /// Pass bytes no faster than so many bits per second, the module's rate until AT+IPR; without it at once.
    #[arg(long, value_name = "N", help_heading = "AT port")]
    pub(crate) baud: Option<u32>,

    #[command(flatten)]
    pub(crate) world: WorldArgs,
    #[command(flatten)]
    pub(crate) test: TestArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Around the module")]
pub(crate) struct WorldArgs {
    /// The SIM card: ready, absent, failure, pin:1234 or puk:12345678.
    #[arg(long, value_name = "STATE", default_value = "ready", value_parser = sim_state)]
    pub(crate) sim: SimState,
    /// There is no network: the module searches for ever.
    #[arg(long)]
    pub(crate) no_network: bool,
    /// The network denies the registration.
    #[arg(long, conflicts_with = "no_network")]
    pub(crate) registration_denied: bool,
    /// Access point that the network accepts; may be given several times. Without it any.
    #[arg(long = "apn", value_name = "NAME")]
    pub(crate) apns: Vec<String>,
    /// Nothing tells the module the time: its clock begins in 1980.
    #[arg(long)]
    pub(crate) no_clock: bool,
    /// There is no room for another file.
    #[arg(long)]
    pub(crate) full_storage: bool,
    /// Folder that keeps files and stored settings for the next start.
    #[arg(long, value_name = "FOLDER")]
    pub(crate) state: Option<PathBuf>,
    /// The address that a host name stands for, for one of its ports or for all, such as
    /// hub.azure-devices.net:8883=127.0.0.1:8883; may be given several times.
    #[arg(long = "host", value_name = "NAME[:PORT]=ADDRESS:PORT", value_parser = host)]
    pub(crate) hosts: Vec<(String, SocketAddr)>,
    /// Look names that no --host gives up with this computer's DNS, and let the module reach the real network.
    #[arg(long)]
    pub(crate) host_dns: bool,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Tests")]
pub(crate) struct TestArgs {
    /// Address of the control channel; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) control: Option<SocketAddr>,
    /// TOML file that says what breaks, and when.
    #[arg(long, value_name = "FILE")]
    pub(crate) faults: Option<PathBuf>,
    /// Break something now and then; the same seed breaks the same.
    #[arg(long, value_name = "SEED")]
    pub(crate) chaos: Option<u64>,
    /// How often --chaos strikes, per thousand command lines and URCs.
    #[arg(long, value_name = "N", default_value_t = 20, requires = "chaos", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub(crate) chaos_rate: u32,
    /// Write what passes the AT port to a file, without passwords; - is standard output.
    #[arg(long, value_name = "FILE")]
    pub(crate) log: Option<PathBuf>,
}

fn sim_state(text: &str) -> Result<SimState, String> {
    let digits = |secret: &str, min: usize| {
        (min..=8).contains(&secret.len()) && secret.bytes().all(|b| b.is_ascii_digit())
    };
    match text.split_once(':') {
        Some(("pin", pin)) if digits(pin, 4) => Ok(SimState::Pin(pin.to_owned())),
        Some(("puk", puk)) if digits(puk, 8) => Ok(SimState::Puk(puk.to_owned())),
        None if text == "ready" => Ok(SimState::Ready),
        None if text == "absent" => Ok(SimState::Absent),
        None if text == "failure" => Ok(SimState::Failure),
        _ => Err(
            "a card is ready, absent, failure, pin: with 4 to 8 digits or puk: with 8 digits"
                .to_owned(),
        ),
    }
}

fn host(text: &str) -> Result<(String, SocketAddr), String> {
    const FORM: &str = "the form is NAME=ADDRESS:PORT or NAME:PORT=ADDRESS:PORT, such as \
                        hub.azure-devices.net:8883=127.0.0.1:8883; the right side is an IP address";
    let (from, to) = text.split_once('=').ok_or(FORM)?;
    let name = match from.rsplit_once(':') {
        Some((name, port)) => {
            if !port.parse::<u16>().is_ok_and(|port| port > 0) {
                return Err(FORM.to_owned());
            }
            name
        }
        None => from,
    };
    if name.is_empty() || name.contains(|c: char| c.is_whitespace() || "/:".contains(c)) {
        return Err(FORM.to_owned());
    }
    Ok((from.to_owned(), to.parse().map_err(|_| FORM)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_has_two_sides() {
        let local = SocketAddr::from(([127, 0, 0, 1], 9));
        for name in ["h.example:8883", "h.example"] {
            let text = format!("{name}=127.0.0.1:9");
            assert_eq!(host(&text), Ok((name.to_owned(), local)));
        }
        for wrong in [
            "h.example",
            "h.example:8883",
            "h:x=127.0.0.1:9",
            "h:0=127.0.0.1:9",
            "h:1=localhost",
            "=127.0.0.1:9",
            "mqtts://h=127.0.0.1:9",
        ] {
            assert!(host(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_card_has_a_state() {
        for (text, expected) in [
            ("ready", SimState::Ready),
            ("absent", SimState::Absent),
            ("failure", SimState::Failure),
            ("pin:1234", SimState::Pin("1234".to_owned())),
            ("puk:12345678", SimState::Puk("12345678".to_owned())),
        ] {
            assert_eq!(sim_state(text), Ok(expected));
        }
        for wrong in ["", "pin", "pin:", "pin:12x4", "puk:1234", "Ready", "none"] {
            assert!(sim_state(wrong).is_err(), "{wrong}");
        }
    }
}
