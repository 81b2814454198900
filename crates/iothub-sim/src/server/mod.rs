//! A hub that runs: TLS on a TCP port, in threads of its own.

mod clock;
mod connection;
mod introduction;
mod journal;
mod listening;
mod local;
mod saving;
mod shared;

use core::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};
use std::io;

pub(crate) use self::shared::Shared;
pub use self::{clock::Clock, local::LocalHub};
use crate::{
    config::ConfigError,
    pki::PkiError,
    service::ServiceOptions,
    state_folder::StateError,
    tls::{TlsConfigError, TlsOptions},
};

/// How a hub is run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServerOptions {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// The hub's clock.
    pub clock: Clock,
    /// TLS versions and SNI.
    pub tls: TlsOptions,
    /// Time that passes before each TLS handshake goes on, as on a slow network.
    pub handshake_delay: Duration,
    /// REST interface and page, if wanted.
    pub service: Option<ServiceOptions>,
    /// Connections served at a time; more wait in the operating system's queue.
    pub max_connections: usize,
}

impl Default for ServerOptions {
    /// A free port on 127.0.0.1, the computer's time, TLS 1.2 with SNI required.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            clock: Clock::default(),
            tls: TlsOptions::default(),
            handshake_delay: Duration::ZERO,
            service: None,
            max_connections: 20_000,
        }
    }
}

/// The hub could not be started.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The configuration contradicts itself.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The certificates could not be made.
    #[error(transparent)]
    Pki(#[from] PkiError),
    /// The certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] TlsConfigError),
    /// The port is taken or not allowed.
    #[error("cannot listen on {address}: {error}; choose another port, or 0 for a free one")]
    Listen {
        /// Address asked for.
        address: SocketAddr,
        /// What the system said.
        error: io::Error,
    },
    /// The state folder cannot be used.
    #[error(transparent)]
    State(#[from] StateError),
    /// No threads.
    #[error("cannot start the hub's threads: {0}")]
    Threads(io::Error),
}
