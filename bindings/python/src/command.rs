//! The command `quectel-azure` for those who installed the Python package.

use core::time::Duration;
use std::ffi::OsString;

use pyo3::prelude::*;
use quectel_azure_cli::{CancelToken, Status, run, with_process_console};

/// How often Python may deal with signals.
const LOOK: Duration = Duration::from_millis(20);

/// Runs the command with these arguments, the first of which is its name; returns the exit status. Ctrl-C ends it in
/// order, as it ends the command itself.
#[pyfunction]
pub(crate) fn run_command(py: Python<'_>, arguments: Vec<OsString>) -> PyResult<u8> {
    let cancel = CancelToken::default();
    let token = cancel.clone();
    py.detach(|| {
        let command = std::thread::Builder::new()
            .name("quectel-azure".to_owned())
            .spawn(move || with_process_console(cancel, |console| run(arguments, console)))?;
        while !command.is_finished() {
            std::thread::sleep(LOOK);
            // KeyboardInterrupt, or what else the program makes of a signal.
            if Python::attach(|py| py.check_signals()).is_err() {
                token.cancel();
            }
        }
        Ok(command.join().unwrap_or(Status::Failed).code())
    })
}
