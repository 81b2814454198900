//! The native part of the Python package `quectel_azure`; what a user types is in `python/quectel_azure`.

#![forbid(unsafe_code)]

mod client;
mod command;
mod doctor;
mod fault;
mod hub;
mod module;
mod sas;
mod settings;
mod worker;

/// Native part of quectel_azure; use the package's own modules.
#[pyo3::pymodule]
mod _native {
    #[pymodule_export]
    use crate::client::Client;
    #[pymodule_export]
    use crate::command::run_command;
    #[pymodule_export]
    use crate::doctor::{catalogue, diagnose, diagnose_file, explain};
    #[pymodule_export]
    use crate::hub::PyLocalHub;
    #[pymodule_export]
    use crate::module::{SimulatedModule, SimulatedPort};
    #[pymodule_export]
    use crate::sas::{derive_key, sas_token, sign};
}
