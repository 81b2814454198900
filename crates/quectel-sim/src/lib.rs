//! A simulated Quectel cellular module: AT commands in, real TLS and MQTT out.
//!
//! [`Module`] is a function of bytes and time: it keeps files, TLS contexts and MQTT clients as a module does, speaks
//! TLS and MQTT itself, and asks whoever runs it for sockets. The runners of [`run`] give it real loopback sockets.
//! It shares no code with the driver crates of this workspace, so that a misreading of a manual is not made twice.
//!
//! # A module as a serial port
//!
//! [`run::Simulator::in_process`] gives a `Read` and `Write` handle, [`run::Simulator::tcp`] a TCP port, and on Unix
//! [`run::Simulator::pty`] a path that any program opens like `/dev/ttyUSB2`. A [`run::HostTable`] says which loopback
//! address stands for a host name, so real names, SNI and port 8883 stay in the commands; a [`run::Folder`] keeps files
//! and settings for the next start; a [`run::ControlPort`] takes JSON lines from tests in any language.
//!
//! # Another firmware, and faults
//!
//! All that differs between modules is data. [`Profile::overlay`] changes any field of a profile, with the names of
//! `profiles/base.toml`; [`Faults::load`] reads what shall break, where, and how often.
//!
//! ```
//! use quectel_sim::{Module, ModuleConfig, Profile};
//!
//! let mut profile = Profile::select("EC200U", None)?;
//! profile.overlay("mine.toml", r#"
//!     [identity]
//!     revision = "EC200UCNAAR03A11M08"
//!     [mqtt]
//!     receive_newline = true    # "+QMTRECV: 0,0,"topic",23" and the payload on the next line
//! "#)?;
//! let mut module = Module::new(ModuleConfig { profile, ..ModuleConfig::new("ec200u")? });
//! module.faults().load("faults.toml", r#"
//!     [[fault]]
//!     command = "AT+QMTPUB"     # at the third publish
//!     skip = 2
//!     action = "no-prompt"
//!
//!     [[fault]]
//!     at_ms = 60000
//!     action = { lose-pdp = 1 }
//! "#)?;
//! # Ok::<(), quectel_sim::ProfileError>(())
//! ```
//!
//! # Limits
//!
//! * TLS is rustls with an own verifier. SSL 3.0, TLS 1.0 and 1.1, and suites without elliptic-curve key exchange and
//!   AEAD are offered when the context asks for them, in a real `ClientHello`; the handshake then ends as a server that
//!   takes only modern TLS ends it. A leaf signed with SHA-1 is refused.
//! * Session resumption, renegotiation, ALPN, PSK and `ignorecertitem` are settings that are kept and have no effect.
//! * `AT+QNTP` and `AT+QPING` are answered from the simulated network; no packet leaves for them.
//! * Messages are taken and go nowhere, none ever comes; satellite navigation can be switched on and has no fix;
//!   `ATD` ends with `NO CARRIER`, because there is neither a telephone nor a PPP server.
//! * There is no CMUX, PSM sleep, HTTP, FTP, firmware update, or low-level radio.
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
    ItemLists, Items, Line, Mqtt, OpenOrder, Pdp, Profile, ProfileError, PublishEx, Radio, Ssl,
    Tcp, Timings, Urc,
};
