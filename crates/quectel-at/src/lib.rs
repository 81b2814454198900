//! AT command codec for Quectel modules, in three layers:
//!
//! 1. [`Writer`] builds a command line and refuses what could inject another one;
//! 2. [`Framer`] cuts the module's bytes into lines, prompts and counted data, for any split of the bytes;
//! 3. [`Link`] runs one command at a time and decides what is an answer and what is a URC.
//!
//! No heap, no clock, no I/O: bytes and milliseconds go in, bytes and events come out.
//!
//! ```
//! use quectel_at::{Event, Link, commands::At};
//! let (mut rx, mut tx) = ([0; 128], [0; 128]);
//! let mut link = Link::new(&mut rx, &mut tx, &[]);
//! link.send(0, &At)?;
//! let mut chunk = [0; 64];
//! let n = link.poll_transmit(&mut chunk);
//! assert_eq!(&chunk[..n], b"AT\r");
//! let mut input = &b"AT\r\r\nOK\r\n"[..];
//! assert!(matches!(link.poll(5, &mut input), Some(Event::Done { .. })));
//! # Ok::<(), quectel_at::SendError>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod command;
pub mod commands;
mod find;
mod framer;
mod line;
mod link;
mod params;
mod result_code;
mod secret;
mod writer;

pub use command::{Answer, Chain, Command, DataPhase, Exchange, Repeat};
pub use framer::{Frame, Framer, PayloadForm, PayloadRule, RawFrame};
pub use line::Line;
pub use link::{Event, Link, LostReason, Payload, RawEvent, SendError};
pub use params::{Param, ParamError, Params};
pub use result_code::{CmeError, CmsError, ResultCode};
pub use secret::Secret;
pub use writer::{Encoded, WriteError, Writer};
