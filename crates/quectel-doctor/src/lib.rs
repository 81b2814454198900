//! Reads an AT log of a Quectel module and says why the connection failed and what to type next.
//!
//! ```
//! let log = "\
//! AT+QSSLCFG=\"cacert\",1,\"cacert.pem\"
//! OK
//! AT+QSSLCFG=\"seclevel\",1,1
//! OK
//! AT+QMTCFG=\"ssl\",0,1,2
//! OK
//! AT+QMTOPEN=0,\"contoso.azure-devices.net\",8883
//! OK
//! +QMTOPEN: 0,-1
//! ";
//! let report = quectel_doctor::diagnose(log.as_bytes())?;
//! let first = report.findings.first().ok_or("nothing found")?;
//! assert_eq!(first.id, "tls.ctx-mismatch");
//! assert_eq!(first.fix[1], "AT+QMTCFG=\"ssl\",0,1,1");
//! # Ok::<(), Box<dyn core::error::Error>>(())
//! ```

#![forbid(unsafe_code)]

mod catalogue;
mod command;
mod doctor;
mod error;
mod host;
pub mod live;
mod mask;
mod read;
mod report;
mod rules;
mod session;
mod time;

use std::io::BufRead;

pub use catalogue::{catalogue, explain, list, to_markdown};
pub use doctor::{Doctor, Progress};
pub use error::ReadError;
pub use report::{Color, Finding, ModuleReport, QuotedLine, Report, RuledOut, SessionReport};
pub use rules::{Cause, Confidence, Severity};

/// Reads a log in any of the usual shapes and says what is wrong.
///
/// Memory is bounded whatever the length of the log. A log without dates is judged by today.
///
/// # Errors
/// [`ReadError::Io`] when reading fails, [`ReadError::NotText`] when the input is binary, and
/// [`ReadError::NotALog`] when there is no AT dialogue in it.
pub fn diagnose(reader: impl BufRead) -> Result<Report, ReadError> {
    Doctor::new().read(reader, |_| {})
}

/// As [`diagnose`], with the unix second that counts as today for a log without dates.
///
/// # Errors
/// As [`diagnose`].
pub fn diagnose_at(reader: impl BufRead, today_unix_s: i64) -> Result<Report, ReadError> {
    Doctor::at(today_unix_s).read(reader, |_| {})
}
