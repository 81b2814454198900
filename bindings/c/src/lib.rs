//! C interface of quectel-azure: the device client in memory of the caller.
//!
//! No heap, no callback, no global, no thread. `include/quectel_azure.h` is generated from this crate; its opening
//! comment, in `tests/header/opening.h`, tells the rules of loop, ownership and lifetime.

#![cfg_attr(target_os = "none", no_std)]
#![expect(unsafe_code, reason = "C passes pointers")]
#![expect(non_camel_case_types, reason = "these are the names that C sees")]

mod client;
mod config;
mod event;
mod guard;
mod info;
mod message;
#[cfg(all(feature = "panic-handler", target_os = "none"))]
mod panic_handler;
mod pointers;
mod poll;
mod result;
mod types;

pub use client::*;
pub use config::*;
pub use event::*;
pub use info::*;
pub use message::*;
pub use poll::*;
pub use result::*;
pub use types::*;
