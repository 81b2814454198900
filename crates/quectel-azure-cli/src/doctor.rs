//! `doctor`: says why it does not work, and what to type next.

mod catalogue;
pub(crate) mod failed;
mod log;
mod own_trace;

use std::path::PathBuf;

use clap::{ArgGroup, Args};

use crate::Status;
use crate::complaint::Complaint;
use crate::console::Console;

const EXAMPLES: &str = "\
Examples:
  quectel-azure doctor session.log         a log of any terminal program, with or without timestamps
  quectel-azure doctor < session.log       the same from standard input; paste and end with Ctrl-D
  quectel-azure doctor --json a.log b.log  for programs
  quectel-azure doctor --explain tls.sni-missing";

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

/// Say why a connection fails and what to type next: from a log.
///
/// Reads what people paste: logs of terminal programs and libraries, with timestamps, arrows, echo and prose between
/// the lines. Says what is wrong, shows the lines, and gives the commands that cure it, with the log's own numbers and
/// names. Keys, tokens and passwords are masked. Nothing is sent anywhere.
#[derive(Debug, Args)]
#[command(after_help = STATUS, after_long_help = format!("{EXAMPLES}\n\n{STATUS}\n\n{SCHEMA}"))]
#[command(group = ArgGroup::new("mode").args(["logs", "explain", "list"]))]
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
    log::run(args, console)
}
