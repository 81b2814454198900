//! A module behind a TCP port: one host at a time.

use core::net::SocketAddr;
use std::io;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, Sender, channel},
};

use super::{
    Control, Folder, HostTable, Shared, Simulator,
    driver::{self, UartSink},
};
use crate::Module;

/// Chunks that wait for a slow host; what comes then is lost, as on a UART without flow control.
pub(super) const CHUNKS_WAITING: usize = 4096;

pub(super) struct ChannelSink(pub(super) Sender<Vec<u8>>);

impl UartSink for ChannelSink {
    fn put(&mut self, bytes: &[u8]) {
        let _ = self.0.try_send(bytes.to_vec());
    }
}

/// A module that listens on a TCP port.
#[derive(Debug)]
pub struct TcpPort {
    address: SocketAddr,
    control: Control,
    /// Keeps the threads alive.
    _simulator: Simulator,
}

impl Simulator {
    /// Runs a module behind a TCP port; port 0 chooses a free one.
    ///
    /// # Errors
    ///
    /// The address cannot be bound.
    pub fn tcp(
        &self,
        module: Module,
        hosts: &HostTable,
        address: SocketAddr,
        folder: Option<Folder>,
    ) -> io::Result<TcpPort> {
        let runtime = self.runtime()?;
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Shared::new(module, folder);
        let (to_module, from_host) = channel(256);
        let (to_host, from_module) = channel(CHUNKS_WAITING);
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let stop = runtime
            .spawn(serve(listener, to_module, from_module))
            .abort_handle();
        let (run_shared, hosts) = (shared.clone(), hosts.clone());
        runtime.spawn(async move {
            driver::run(run_shared, hosts, from_host, ChannelSink(to_host)).await;
            stop.abort();
        });
        Ok(TcpPort {
            address,
            control: Control { shared },
            _simulator: self.clone(),
        })
    }
}

impl TcpPort {
    /// The address that hosts connect to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Reaches into the module.
    #[must_use]
    pub fn control(&self) -> Control {
        self.control.clone()
    }
}

impl Drop for TcpPort {
    fn drop(&mut self) {
        self.control.stop();
    }
}

async fn serve(
    listener: TcpListener,
    to_module: Sender<Vec<u8>>,
    mut from_module: Receiver<Vec<u8>>,
) {
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(_) => return,
            },
            // Nobody is connected: what the module says is lost.
            said = from_module.recv() => match said {
                Some(_) => continue,
                None => return,
            },
        };
        let _ = stream.set_nodelay(true);
        if !host(stream, &to_module, &mut from_module).await {
            return;
        }
    }
}

/// One host until it goes; false when the module is gone.
async fn host(
    mut stream: TcpStream,
    to_module: &Sender<Vec<u8>>,
    from_module: &mut Receiver<Vec<u8>>,
) -> bool {
    let (mut reader, mut writer) = stream.split();
    let mut chunk = [0; 4096];
    loop {
        tokio::select! {
            said = from_module.recv() => {
                let Some(said) = said else { return false };
                if writer.write_all(&said).await.is_err() {
                    return true;
                }
            }
            got = reader.read(&mut chunk) => {
                let bytes = match got {
                    Ok(count) if count > 0 => chunk.get(..count).unwrap_or_default().to_vec(),
                    _ => return true,
                };
                if to_module.send(bytes).await.is_err() {
                    return false;
                }
            }
        }
    }
}
