//! The command `quectel-azure`: a demonstration, publishing over a real module, the doctor, the simulators.
//!
//! The command is a function, so that other programs can run it, too.
//!
//! ```
//! use quectel_azure_cli::{CancelToken, Status, run, with_process_console};
//! let status = with_process_console(CancelToken::default(), |console| run(["quectel-azure", "--version"], console));
//! assert_eq!(status, Status::Done);
//! ```

#![forbid(unsafe_code)]

mod args;
mod complaint;
mod console;
mod demo;
mod doctor;
mod inputs;
mod publish;
mod sim;
mod view;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};

pub use console::{Console, process_variable, with_process_console};
pub use doctor::{catalogue_json, diagnose};
pub use quectel_serial::CancelToken;

use args::{Cli, Command, SimCommand};

/// How a run of the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// All was done.
    Done,
    /// It failed; standard error says where and why.
    Failed,
    /// Wrong usage or input; nothing was sent.
    Usage,
}

impl Status {
    /// The exit status: 0, 1, 2.
    pub const fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
        }
    }
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status.code())
    }
}

/// Runs the command with these arguments, the first of which is its name.
pub fn run<I, T>(args: I, console: &mut Console<'_>) -> Status
where
    I: IntoIterator<Item = T>,
    T: Into<OsString> + Clone,
{
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return show_usage(error, console),
    };
    let result = match &cli.command {
        Command::Demo(args) => demo::run(args, console).map(|()| Status::Done),
        Command::Publish(args) => publish::run(args, console).map(|()| Status::Done),
        Command::Doctor(args) => doctor::run(args, console),
        Command::Ports => ports(console).map(|()| Status::Done),
        Command::Sim(command) => match &**command {
            SimCommand::Modem(args) => sim::modem::run(args, console).map(|()| Status::Done),
            SimCommand::Hub(args) => sim::hub::run(args, console).map(|()| Status::Done),
        },
    };
    let _ = console.out.flush();
    match result {
        Ok(status) => status,
        Err(complaint) => {
            let _ = complaint.write(console.err, console.err_colour);
            complaint.status
        }
    }
}

/// Help and version are results; everything else is a complaint, which must not repeat a secret.
fn show_usage(mut error: clap::Error, console: &mut Console<'_>) -> Status {
    // A word in a place where none belongs may be a key.
    let stray = match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(word)) => !word.starts_with('-'),
        _ => false,
    };
    if stray && error.kind() == ErrorKind::UnknownArgument {
        let hidden = ContextValue::String("***".to_owned());
        error.insert(ContextKind::InvalidArg, hidden);
    }
    let styled = error.render();
    let text = |colour| {
        if colour {
            styled.ansi().to_string()
        } else {
            styled.to_string()
        }
    };
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
            let _ = console.out.write_all(text(console.out_colour).as_bytes());
            Status::Done
        }
        _ => {
            let _ = console
                .err
                .write_all(complaint::scrub(&text(console.err_colour)).as_bytes());
            Status::Usage
        }
    }
}

#[expect(clippy::unnecessary_wraps, reason = "all commands have the same form")]
fn ports(console: &mut Console<'_>) -> Result<(), complaint::Complaint> {
    let ports = quectel_serial::available_ports();
    if ports.is_empty() {
        let _ = writeln!(console.err, "this computer has no serial port");
    }
    for port in ports {
        let _ = writeln!(console.out, "{port}");
    }
    Ok(())
}
