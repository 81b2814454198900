//! `doctor`: says why it does not work, and what to type next.

mod catalogue;
mod certificates;
pub(crate) mod failed;
mod live;
mod log;
mod preflight;

use std::io::{BufReader, Read};
use std::path::PathBuf;

use clap::{ArgGroup, Args};
use quectel_doctor::{ReadError, Report};

use crate::Status;
use crate::args::{DeviceArgs, ModuleArgs, NetworkArgs};
use crate::complaint::Complaint;
use crate::console::Console;

const EXAMPLES: &str = "\
Examples:
  quectel-azure doctor session.log         a log of any terminal program, with or without timestamps
  quectel-azure doctor < session.log       the same from standard input; paste and end with Ctrl-D
  quectel-azure doctor --json a.log b.log  for programs
  quectel-azure doctor --explain tls.sni-missing
  quectel-azure doctor --port /dev/ttyUSB2 --hub contoso.azure-devices.net
                                           reads the module, then asks before it experiments
  quectel-azure doctor --preflight --connection-string-file device.txt --model BG96
                                           checks a configuration; needs no module";

const STATUS: &str = "\
Exit status:
  0  nothing is wrong (there may be warnings)
  1  at least one error was found
  2  wrong usage, or the input cannot be read";

const SCHEMA: &str = "\
JSON, one object for one log, a list of them for several:
  log          name of the file, - for standard input
  findings[]   id, title, severity (error|warning|info), confidence (certain|likely|possible),
               lines[] {number, text}, message, fix[], session; the weightiest first
  module       model, firmware, family of the session with the first error; null where unknown
  outcome      how that session ended, such as \"open failed -1\"
  ruled_out[]  id, reason; of the same session
  notes[]      sentences; of the same session
  sessions[]   module, outcome, first_line, last_line, ruled_out[], notes[]
  lines_read   number
A log that cannot be read has log and error {kind, message} instead. Fields may be added, none is taken away.";

/// Say why a connection fails and what to type next: from a log, at a live module, or from a configuration.
///
/// Reads what people paste: logs of terminal programs and libraries, with timestamps, arrows, echo and prose between
/// the lines. Says what is wrong, shows the lines, and gives the commands that cure it, with the log's own numbers and
/// names. Keys, tokens and passwords are masked, and nothing is sent anywhere.
///
/// With --port it reads everything from the module that can be read without changing anything. With --yes, or when you
/// allow it, it then separates name, TCP, TLS and MQTT faults by experiment.
#[derive(Debug, Args)]
#[command(after_help = STATUS, after_long_help = format!("{EXAMPLES}\n\n{STATUS}\n\n{SCHEMA}"))]
#[command(group = ArgGroup::new("mode").args(["logs", "explain", "list", "port", "preflight"]))]
pub(crate) struct DoctorArgs {
    /// Logs to read; - or none is standard input.
    #[arg(value_name = "LOG")]
    pub(crate) logs: Vec<PathBuf>,
    /// Write JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Explain a cause such as tls.sni-missing, or an error such as open-failed.
    #[arg(long, value_name = "ID")]
    pub(crate) explain: Option<String>,
    /// List all causes that are known.
    #[arg(long)]
    pub(crate) list: bool,

    /// Examine the module behind this AT port: a device such as /dev/ttyUSB2 or COM3, or tcp:HOST:PORT.
    #[arg(long, value_name = "PORT", help_heading = "Live module")]
    pub(crate) port: Option<String>,
    /// Bits per second.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 115_200,
        help_heading = "Live module"
    )]
    pub(crate) baud: u32,
    /// Host that the module is to reach; without it the one of the connection string.
    #[arg(long, value_name = "HOST", help_heading = "Live module")]
    pub(crate) hub: Option<String>,
    /// Do not ask before experiments: they use the mobile network, and change settings that are put back.
    #[arg(long, help_heading = "Live module", requires = "port")]
    pub(crate) yes: bool,
    /// Write the conversation to a file, without secrets; the report quotes its line numbers.
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Live module",
        requires = "port"
    )]
    pub(crate) trace: Option<PathBuf>,
    /// Show every command.
    #[arg(long, short, help_heading = "Live module")]
    pub(crate) verbose: bool,

    /// Check a configuration, with the options of publish: what would fail before a byte is sent.
    #[arg(long, help_heading = "Configuration")]
    pub(crate) preflight: bool,
    /// Model of the module as ATI says it, such as BG96.
    #[arg(long, value_name = "MODEL", help_heading = "Configuration")]
    pub(crate) model: Option<String>,
    /// Firmware revision of the module as ATI says it, such as BG96MAR02A07M1G.
    #[arg(
        long,
        value_name = "REVISION",
        requires = "model",
        help_heading = "Configuration"
    )]
    pub(crate) firmware: Option<String>,
    /// The message that is to be sent.
    #[arg(
        long,
        value_name = "TEXT",
        conflicts_with = "message_file",
        help_heading = "Configuration"
    )]
    pub(crate) message: Option<String>,
    /// File with the message.
    #[arg(long, value_name = "FILE", help_heading = "Configuration")]
    pub(crate) message_file: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) device: DeviceArgs,
    #[command(flatten)]
    pub(crate) network: NetworkArgs,
    #[command(flatten)]
    pub(crate) module: ModuleArgs,
}

/// Reads a log as [`quectel_doctor::diagnose`] does, and traces of this program, too.
///
/// # Errors
/// As [`quectel_doctor::diagnose`].
///
/// ```
/// let report = quectel_azure_cli::diagnose("AT+CPIN?\n+CME ERROR: 10\n".as_bytes())?;
/// assert_eq!(report.findings[0].id, "net.sim-not-ready");
/// # Ok::<(), quectel_doctor::ReadError>(())
/// ```
pub fn diagnose(log: impl Read) -> Result<Report, ReadError> {
    quectel_doctor::diagnose(BufReader::new(log))
}

/// The doctor's catalogue as JSON: a list of objects with id, title, severity, symptom, reason, check, fix, sources.
#[must_use]
pub fn catalogue_json() -> String {
    catalogue::all()
}

/// What the findings make of the exit status.
const fn status(errors: bool) -> Status {
    if errors { Status::Failed } else { Status::Done }
}

pub(crate) fn run(args: &DoctorArgs, console: &mut Console<'_>) -> Result<Status, Complaint> {
    if args.list {
        catalogue::list(args.json, console)?;
        return Ok(Status::Done);
    }
    if let Some(id) = &args.explain {
        catalogue::explain(id, args.json, console)?;
        return Ok(Status::Done);
    }
    if args.preflight {
        return preflight::run(args, console);
    }
    if let Some(port) = &args.port {
        return live::run(port, args, console);
    }
    log::run(args, console)
}
