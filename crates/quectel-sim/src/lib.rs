//! A simulated Quectel cellular module: AT commands in, real TLS and MQTT out.
//!
//! [`Module`] is a function of bytes and time: it keeps files, TLS contexts and MQTT clients as a module does, speaks
//! TLS and MQTT itself, and asks whoever runs it for sockets. The runners of [`run`] give it real loopback sockets.
//! It shares no code with the driver crates of this workspace, so that a misreading of a manual is not made twice.
//!
//! # Without any runner
//!
//! ```
//! use quectel_sim::{Module, ModuleConfig, PowerState, Timing};
//!
//! let config = ModuleConfig::with_firmware("bg96", "BG96MAR02A08M1G")?
//!     .timing(Timing::Fast)
//!     .power(PowerState::Ready)
//!     .file("cacert.pem", b"-----BEGIN CERTIFICATE-----\n");
//! let mut module = Module::new(config);
//! module.uart_rx(0, b"ATE0;+QFLST=\"UFS:*\"\r");
//! let mut out = Vec::new();
//! module.uart_tx(0, &mut out);
//! assert_eq!(out, b"ATE0;+QFLST=\"UFS:*\"\r\r\n+QFLST: \"cacert.pem\",28\r\n\r\nOK\r\n");
//! # Ok::<(), quectel_sim::ProfileError>(())
//! ```

#![forbid(unsafe_code)]

mod at;
mod cmd;
mod codes;
mod conn;
mod faults;
mod files;
mod module;
mod mqtt;
mod net;
mod pdp;
mod profile;
mod radio;
mod rng;
pub mod run;
mod session;
mod sim_card;
mod ssl;
mod tcp;
mod tls;

pub use faults::{FaultAction, FaultRule, Faults};
pub use module::{
    LogEntry, LogKind, Module, ModuleConfig, ModuleState, MqttState, PowerState, Registration,
    SimState, Timing,
};
pub use net::{ConnectFailure, LookupId, NetEvent, NetRequest, SocketId, Transport};
pub use profile::{
    BeforeReady, Boot, BootStep, Clock, CloseClosed, Commands, File, HostCheck, Identity, Item,
    ItemLists, Items, Line, Mqtt, Pdp, Profile, ProfileError, PublishEx, Radio, Ssl, Tcp, Timings,
    Urc,
};
