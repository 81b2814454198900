//! The command `quectel-azure`.

#![forbid(unsafe_code)]

use std::process::ExitCode;

use quectel_azure_cli::{CancelToken, run, with_process_console};

fn main() -> ExitCode {
    let cancel = CancelToken::default();
    let token = cancel.clone();
    // Without a handler Ctrl-C ends the process at once, which the next run copes with.
    let _ = ctrlc::set_handler(move || token.cancel());
    with_process_console(cancel, |console| run(std::env::args_os(), console)).into()
}
