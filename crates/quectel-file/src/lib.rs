//! Quectel file commands (`+QF…`): upload, list, read, delete, checksum; no_std, no heap.
//!
//! Each command is a small struct that a [`quectel_at::Link`] sends; each answer has a type with a `parse` function.
//! [`UploadPlan`] decides whether a file must be sent at all, and [`Contents::verify_upload`] compares what the module
//! received with what was sent: size **and** checksum, since a NUL at an odd end leaves the checksum unchanged.
//!
//! ```
//! use quectel_at::Line;
//! use quectel_file::{Contents, Policy, Stored, Transferred, UploadPlan};
//!
//! let pem = b"ABC";
//! let wanted = Contents::of(pem);
//! assert_eq!(UploadPlan::new(Stored::Absent, wanted, Policy::Keep), UploadPlan::Upload);
//!
//! // AT+QFUPL="a.pem",3,10 -> CONNECT, ABC, then:
//! let answer = Transferred::parse(Line::new(b"+QFUPL: 3,242"))?;
//! wanted.verify_upload(answer.contents)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

#[cfg(test)]
extern crate std;

mod checksum;
mod error;
mod handle;
mod manage;
mod name;
mod plan;
mod transfer;

pub use checksum::{Checksum, Contents, UploadError};
pub use error::FileError;
pub use handle::{
    Handle, OpenFile, OpenMode, Opened, Origin, Position, QfClose, QfFlush, QfOpen, QfOpenRead,
    QfPosition, QfRead, QfSeek, QfTucat, QfWrite, Written,
};
pub use manage::{FileEntry, QfDel, QfDelAll, QfLds, QfLdsUsage, QfLst, Space, Usage};
pub use name::{FileName, MAX_NAME, NameError, Storage, same_name};
pub use plan::{Conflict, Policy, Stored, UploadPlan};
pub use transfer::{Direction, QfDwl, QfUpl, Transferred};

/// Milliseconds for a command that the manuals answer within 300 ms: flash is slower when it is nearly full, and
/// working drivers wait one to two seconds.
const SHORT_MS: u32 = 2_000;

/// Milliseconds that `bytes` need on a line of 9,600 baud, the slowest in use.
const fn transfer_ms(bytes: u32) -> u32 {
    bytes.saturating_add(bytes / 16)
}

#[cfg(test)]
mod tests {
    use quectel_at::{Command, Line, Writer};
    use std::string::String;

    /// The command without `AT` and CR.
    pub(crate) fn written(command: &dyn Command) -> String {
        let mut buf = [0; 256];
        let mut line = Writer::new(&mut buf);
        command.encode(&mut line);
        let len = line.finish().unwrap().len;
        String::from_utf8(buf[..len].to_vec()).unwrap()
    }

    /// Whether the command takes this line for an answer.
    pub(crate) fn is_answer(command: &dyn Command, bytes: &[u8]) -> bool {
        let exchange = command.exchange();
        exchange
            .answers
            .iter()
            .flat_map(|list| list.iter())
            .any(|answer| {
                Line::new(bytes)
                    .params(answer.name)
                    .is_some_and(answer.shape)
            })
    }
}
