//! Quectel TLS settings (`+QSSLCFG`) and TLS sockets (`+QSSL…`); no_std, no heap.
//!
//! [`SslConfig`] is one TLS context. Its default verifies the server: certificate chain, dates, name where the firmware
//! can, TLS 1.2, with the server's name sent (SNI). Anything weaker is asked for by name and shows in
//! [`SslConfig::weaknesses`].
//!
//! ```
//! use quectel_at::{Command, Line, Writer};
//! use quectel_ssl::{SslAnswer, SslConfig, SslItems};
//!
//! let config = SslConfig::new(2, "cacert.pem");
//! let mut lines = Vec::new();
//! for command in config.steps(SslItems::BG96_OLD) {
//!     let mut buf = [0; 128];
//!     let mut line = Writer::new(&mut buf);
//!     command.encode(&mut line);
//!     let len = line.finish()?.len;
//!     lines.push(String::from_utf8(buf[..len].to_vec())?);
//! }
//! assert_eq!(lines[3], "+QSSLCFG=\"cacert\",2,\"cacert.pem\"");
//!
//! // What the module stored can be read back and compared.
//! let answer = SslAnswer::parse(Line::new(b"+QSSLCFG: \"seclevel\",2,0"))?;
//! assert!(config.compare(&answer).is_err());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

#[cfg(test)]
extern crate std;

mod config;
mod item;
mod qsslcfg;
mod socket;
mod socket_error;
mod urc;
mod value;

/// Shared with the other crates.
pub use quectel_at::Secret;

pub use config::{ClientCertificate, Mismatch, SslConfig, Weakness};
pub use item::{ItemName, SslItems};
pub use qsslcfg::{QsslCfg, QsslCfgRead, QsslCfgTest, SslAnswer, SslItem};
pub use socket::{
    AccessMode, QsslClose, QsslOpen, QsslRecv, QsslSend, QsslState, Received, SocketState,
};
pub use socket_error::SocketError;
pub use urc::{RULES, Urc};
pub use value::{CheckHost, CipherSuite, SecLevel, SslVersion};

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
