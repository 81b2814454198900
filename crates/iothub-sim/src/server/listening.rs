//! Threads and ports, before anything else of a hub exists.

use core::net::SocketAddr;

use tokio::{net::TcpListener, runtime::Runtime};

use super::{ServerOptions, StartError};

/// The threads and ports of a hub that is about to start.
pub(super) struct Listening {
    pub(super) runtime: Runtime,
    pub(super) devices: (TcpListener, SocketAddr),
    pub(super) service: Option<(TcpListener, SocketAddr)>,
}

impl Listening {
    pub(super) fn new(options: &ServerOptions) -> Result<Self, StartError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("iothub-sim")
            .enable_all()
            .build()
            .map_err(StartError::Threads)?;
        let devices = listen(&runtime, options.listen)?;
        let service = match &options.service {
            Some(service) => Some(listen(&runtime, service.listen)?),
            None => None,
        };
        Ok(Self {
            runtime,
            devices,
            service,
        })
    }
}

fn listen(runtime: &Runtime, address: SocketAddr) -> Result<(TcpListener, SocketAddr), StartError> {
    let failed = |error| StartError::Listen { address, error };
    let listener = runtime
        .block_on(TcpListener::bind(address))
        .map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}
