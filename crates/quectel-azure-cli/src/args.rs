//! The command line.

use core::time::Duration;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::doctor::DoctorArgs;
use crate::sim::hub::SimHubArgs;
use crate::sim::modem::SimModemArgs;

/// Name of the variable that holds the connection string.
pub(crate) const CONNECTION_STRING: &str = "QUECTEL_AZURE_CONNECTION_STRING";
/// Name of the variable that holds the password of the access point.
pub(crate) const APN_PASSWORD: &str = "QUECTEL_AZURE_APN_PASSWORD";
/// Name of the variable that holds the PIN of the SIM.
pub(crate) const SIM_PIN: &str = "QUECTEL_AZURE_SIM_PIN";

const SECRETS: &str = "\
Secrets: other users of this computer can read the command line of a running program.
Give connection strings, keys, passwords and PINs in files or in the environment instead.
They are never shown and never written to a trace.";

const STATUS: &str = "\
Exit status:
  0  all was done
  1  it failed: step, the module's words and a remedy are on standard error
  2  wrong usage or input, nothing was sent";

/// Connects Quectel cellular modules to Azure IoT Hub over the module's own TLS and MQTT.
#[derive(Debug, Parser)]
#[command(
    name = "quectel-azure",
    version,
    subcommand_required = true,
    arg_required_else_help = true
)]
#[command(after_help = SECRETS, after_long_help = format!("{SECRETS}\n\n{STATUS}"))]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Show the whole way with a simulated module and a local hub; needs nothing else.
    Demo(DemoArgs),
    /// Connect a module and send one message to the hub.
    #[command(after_help = SECRETS, after_long_help = format!("{SECRETS}\n\n{STATUS}"))]
    Publish(Box<PublishArgs>),
    Doctor(Box<DoctorArgs>),
    /// List the serial ports of this computer.
    Ports,
    /// Run one of the simulators.
    #[command(subcommand)]
    Sim(Box<SimCommand>),
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// Model of the simulated module, such as ec21, ec25, bg96, bg95, ec200u.
    #[arg(long, value_name = "MODEL", default_value = "ec25")]
    pub(crate) model: String,
    /// Its firmware revision; without it the newest one that is simulated.
    #[arg(long, value_name = "REVISION")]
    pub(crate) firmware: Option<String>,
    /// How the device proves its identity.
    #[arg(long, value_enum, default_value = "sas")]
    pub(crate) auth: Auth,
    /// Let the module take the times of a real one, from switching it on; without it, it works as fast as it can.
    #[arg(long)]
    pub(crate) real_time: bool,
    /// Show the wire byte for byte.
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Write the AT conversation to a file, without secrets.
    #[arg(long, value_name = "FILE")]
    pub(crate) trace: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Auth {
    /// A SAS token made from the device's key.
    Sas,
    /// A client certificate.
    X509,
}

#[derive(Debug, Args)]
pub(crate) struct PublishArgs {
    /// The module's AT port: a device such as /dev/ttyUSB2 or COM3, a pseudo terminal, or tcp:HOST:PORT.
    #[arg(long, value_name = "PORT", help_heading = "Port")]
    pub(crate) port: String,
    /// Bits per second.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 115_200,
        help_heading = "Port"
    )]
    pub(crate) baud: u32,
    /// Flow control between computer and module; rts-cts sets it on both sides.
    #[arg(long, value_enum, default_value = "none", help_heading = "Port")]
    pub(crate) flow_control: Flow,
    /// Port on which the module is to send its results and URCs: the one that this command uses.
    #[arg(long, value_enum, default_value = "auto", help_heading = "Port")]
    pub(crate) urc_port: UrcPortArg,

    #[command(flatten)]
    pub(crate) device: DeviceArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    #[command(flatten)]
    pub(crate) message: MessageArgs,
    #[command(flatten)]
    pub(crate) module: ModuleArgs,

    /// Give up after so many seconds; the steps have their own limits, too.
    #[arg(long, value_name = "S", default_value_t = 600, help_heading = "Run", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) timeout: u64,
    /// After publishing, wait so many seconds for a cloud-to-device message and show it; none is a failure.
    #[arg(long, value_name = "S", help_heading = "Run", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub(crate) wait_for_message: Option<u64>,
    /// Write the AT conversation to a file, without secrets; an existing file is overwritten.
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub(crate) trace: Option<PathBuf>,
    /// Show the AT conversation; twice: byte for byte.
    #[arg(long, short, help_heading = "Run", action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Flow {
    /// No flow control.
    None,
    /// By the RTS and CTS lines.
    RtsCts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum UrcPortArg {
    /// The AT port on USB if the computer knows the port as a USB device of Quectel, otherwise the main UART.
    Auto,
    /// As the module is set.
    Keep,
    /// The main UART.
    Uart1,
    /// The AT port on USB.
    Usbat,
    /// The modem port on USB.
    Usbmodem,
    /// All ports; not on BG9x.
    All,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Device")]
pub(crate) struct DeviceArgs {
    /// The device's connection string. Visible to other users of this computer: prefer the file or the variable
    /// QUECTEL_AZURE_CONNECTION_STRING.
    #[arg(long, value_name = "TEXT", conflicts_with = "connection_string_file")]
    pub(crate) connection_string: Option<String>,
    /// File with the device's connection string; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) connection_string_file: Option<PathBuf>,
    /// The device's certificate (PEM), for a connection string with x509=true.
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) cert: Option<PathBuf>,
    /// The key of the certificate (PEM).
    #[arg(long, value_name = "FILE", requires = "cert")]
    pub(crate) key: Option<PathBuf>,
    /// The root certificate that the module is to trust (PEM), instead of DigiCert Global Root G2.
    #[arg(long, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// TCP port of the hub.
    #[arg(long, value_name = "N", default_value_t = 8883, value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) hub_port: u16,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Network")]
pub(crate) struct NetworkArgs {
    /// Access point name; without it the module's own setting stays.
    #[arg(long, value_name = "NAME")]
    pub(crate) apn: Option<String>,
    /// User name at the access point.
    #[arg(long, value_name = "NAME", requires = "apn")]
    pub(crate) apn_user: Option<String>,
    /// Password at the access point. Visible to other users of this computer: prefer the file or the variable
    /// QUECTEL_AZURE_APN_PASSWORD.
    #[arg(
        long,
        value_name = "TEXT",
        requires = "apn_user",
        conflicts_with = "apn_password_file"
    )]
    pub(crate) apn_password: Option<String>,
    /// File with the password at the access point.
    #[arg(long, value_name = "FILE", requires = "apn_user")]
    pub(crate) apn_password_file: Option<PathBuf>,
    /// File with the PIN of the SIM; the variable QUECTEL_AZURE_SIM_PIN holds it, too.
    #[arg(long, value_name = "FILE")]
    pub(crate) pin_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Message")]
pub(crate) struct MessageArgs {
    /// The message; without it and without a file it is read from standard input.
    #[arg(long, short, value_name = "TEXT", conflicts_with = "message_file")]
    pub(crate) message: Option<String>,
    /// File with the message, any bytes; - is standard input.
    #[arg(long, value_name = "FILE")]
    pub(crate) message_file: Option<PathBuf>,
    /// Application property of the message; may be given several times.
    #[arg(long = "property", short, value_name = "NAME=VALUE", value_parser = property)]
    pub(crate) properties: Vec<(String, String)>,
    /// Mark the message as JSON in UTF-8, so that the hub can route by its body.
    #[arg(long)]
    pub(crate) json: bool,
    /// 1: the hub acknowledges the message; 0: it does not.
    #[arg(long, value_name = "0|1", default_value_t = 1, value_parser = clap::value_parser!(u8).range(0..=1))]
    pub(crate) qos: u8,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Module")]
pub(crate) struct ModuleArgs {
    /// MQTT client of the module, 0 to 5.
    #[arg(long, value_name = "N", default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=5))]
    pub(crate) mqtt_client: u8,
    /// SSL context of the module, 0 to 5.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u8).range(0..=5))]
    pub(crate) ssl_context: u8,
    /// PDP context of the module, 1 to 16.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=16))]
    pub(crate) pdp_context: u8,
    /// Profile of the module, if it must not be chosen from what the module says of itself.
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum SimCommand {
    /// A simulated module on a TCP port or pseudo terminal, until Ctrl-C.
    Modem(SimModemArgs),
    /// A local IoT Hub, until Ctrl-C.
    Hub(SimHubArgs),
}

fn property(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("a property is NAME=VALUE".to_owned()),
    }
}

impl PublishArgs {
    pub(crate) const fn time_limit(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn a_property_has_two_sides() {
        assert_eq!(property("a=b=c"), Ok(("a".into(), "b=c".into())));
        assert_eq!(property("a="), Ok(("a".into(), String::new())));
        assert!(property("=b").is_err() && property("a").is_err());
    }
}
