//! C interface of quectel-azure: the device client over memory of the caller.
//!
//! No heap, no callback, no global, no thread. `include/quectel_azure.h` is generated from this crate.

#![cfg_attr(target_os = "none", no_std)]
#![expect(non_camel_case_types, reason = "these are the names that C sees")]

mod client;
mod guard;
mod info;
#[cfg(all(feature = "panic-handler", target_os = "none"))]
mod panic_handler;
mod pointers;
mod result;
mod types;

pub use client::*;
pub use info::*;
pub use result::*;
pub use types::*;
