//! Connects a Quectel module to Azure IoT Hub over the module's own TLS and MQTT.
//!
//! [`Client`] is the whole flow as one state machine over bytes and milliseconds: identify the module, unlock the SIM,
//! register, activate the PDP context, learn the time, upload certificates, configure TLS and MQTT, open, connect,
//! subscribe; then publish, receive, disconnect. It reads no clock, opens no port and allocates nothing.
//!
//! ```no_run
//! use quectel_azure::{Buffers, Client, Config, Credential, Event, Message};
//! # fn uart_write(_: &[u8]) {} fn uart_read(_: Option<u64>, _: &mut [u8]) -> usize { 0 } fn now_ms() -> u64 { 0 }
//! let config = Config::new("hub.azure-devices.net", "dev-1", Credential::SharedAccessKey("a2V5"))
//!     .apn("iot.example");
//! let (mut rx, mut tx, mut scratch) = ([0; 4096], [0; 2048], [0; 1024]);
//! let mut client = Client::new(config, Buffers { rx: &mut rx, tx: &mut tx, scratch: &mut scratch })?;
//! client.connect(now_ms())?;
//! let (mut chunk, mut got) = ([0; 64], [0; 64]);
//! loop {
//!     loop {
//!         let n = client.poll_transmit(&mut chunk);
//!         if n == 0 { break }
//!         uart_write(&chunk[..n]);
//!     }
//!     let n = uart_read(client.poll_timeout(), &mut got);
//!     let mut input = &got[..n];
//!     let mut connected = false;
//!     while let Some(event) = client.poll(now_ms(), &mut input) {
//!         match event {
//!             Event::Connected => connected = true,
//!             Event::Failed(failure) => return Err(failure.reason.into()),
//!             _ => {}
//!         }
//!     }
//!     if connected {
//!         client.publish(now_ms(), &Message::new(b"{\"t\":21}"))?;
//!         break;
//!     }
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#![no_std]
#![forbid(unsafe_code)]

#[cfg(test)]
extern crate std;

mod client;
mod config;
mod context;
mod event;
mod flow;
pub mod profile;
mod reason;
mod text;

pub use azure_auth;
pub use client::{Buffers, Client};
pub use config::{
    Apn, ApnAuth, CaFile, Config, Credential, Delivery, FlowControl, Message, Session, Slots,
    Timeouts, UrcPort,
};
pub use event::{Event, Failure, MessageId, ModuleInfo, ReceivedMessage, Step, Warning};
pub use profile::Profile;
pub use quectel_at::{CmeError, Line, ResultCode};
pub use reason::{Blame, ConfigError, Misuse, Reason};
