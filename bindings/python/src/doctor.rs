//! The doctor: a log in, JSON and text out.

use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

use pyo3::prelude::*;
use quectel_doctor::{Color, ReadError, Report};

use crate::fault::Fault;

/// The report of a log as JSON and as text.
#[pyfunction]
pub(crate) fn diagnose(py: Python<'_>, log: Vec<u8>) -> PyResult<(String, String)> {
    py.detach(|| report_of(log.as_slice()))
}

/// The report of a file as JSON and as text.
#[pyfunction]
pub(crate) fn diagnose_file(py: Python<'_>, path: PathBuf) -> PyResult<(String, String)> {
    py.detach(|| report_of(File::open(path)?))
}

fn report_of(log: impl Read) -> PyResult<(String, String)> {
    match quectel_azure_cli::diagnose(log) {
        Ok(report) => Ok(both(&report)),
        Err(ReadError::Io(error)) => Err(error.into()),
        Err(error) => Err(Fault::misuse(error.name(), error.to_string()).into()),
    }
}

fn both(report: &Report) -> (String, String) {
    (report.to_json(), report.to_text(Color::Off))
}

/// What the catalogue says about a cause; nothing when there is no such cause.
#[pyfunction]
pub(crate) fn explain(id: &str) -> Option<String> {
    quectel_doctor::explain(id)
}

/// The catalogue as JSON.
#[pyfunction]
pub(crate) fn catalogue() -> String {
    quectel_azure_cli::catalogue_json()
}
