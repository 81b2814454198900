//! The service side over HTTP: IoT Hub's REST API, an extension for what Azure does over AMQP, and a page.
//!
//! Plain HTTP and HTTPS share the port; the first byte of a connection tells them apart.

mod answer;
mod bulk;
mod documents;
mod extension;
mod query;
mod registry;
mod router;
mod stream;

use core::{convert::Infallible, net::SocketAddr, time::Duration};
use std::sync::Arc;

use hyper::{Request, body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
    time::timeout,
};
use tokio_rustls::TlsAcceptor;

use crate::{key::SharedAccessKey, server::Shared};

/// First byte of a TLS record that carries a handshake message.
const HANDSHAKE_RECORD: u8 = 22;
const HEADER_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections served at a time; streams are held open, so there are more than a page needs.
const MAX_CONNECTIONS: usize = 256;

/// How the service side is run.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ServiceOptions {
    /// Address to listen on; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Key that opens everything as `Authorization: Bearer {base64}`; the page asks for it.
    pub key: SharedAccessKey,
}

impl ServiceOptions {
    /// A free port of 127.0.0.1 with this key.
    #[must_use]
    pub fn new(key: SharedAccessKey) -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            key,
        }
    }
}

/// What every request needs.
pub(crate) struct Service {
    shared: Arc<Shared>,
    key: String,
}

impl Service {
    pub(crate) fn new(shared: Arc<Shared>, key: &SharedAccessKey) -> Arc<Self> {
        Arc::new(Self {
            shared,
            key: key.to_base64(),
        })
    }
}

pub(crate) async fn accept(service: Arc<Service>, listener: TcpListener, tls: TlsAcceptor) {
    let mut stopping = service.shared.stopping.subscribe();
    let free = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = free.clone().acquire_owned().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                let (service, tls) = (service.clone(), tls.clone());
                tokio::spawn(async move {
                    serve(service, tls, stream).await;
                    drop(permit);
                });
            }
            // Out of file descriptors, most likely: wait for connections to end.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(service: Arc<Service>, tls: TlsAcceptor, stream: TcpStream) {
    let mut first = [0];
    match timeout(HEADER_TIMEOUT, stream.peek(&mut first)).await {
        Ok(Ok(1)) => {}
        _ => return,
    }
    if first == [HANDSHAKE_RECORD] {
        if let Ok(Ok(stream)) = timeout(HEADER_TIMEOUT, tls.accept(stream)).await {
            serve_http(service, TokioIo::new(stream)).await;
        }
    } else {
        serve_http(service, TokioIo::new(stream)).await;
    }
}

async fn serve_http<I>(service: Arc<Service>, io: I)
where
    I: hyper::rt::Read + hyper::rt::Write + Unpin,
{
    let mut stopping = service.shared.stopping.subscribe();
    let respond = service_fn(|request: Request<Incoming>| {
        let service = service.clone();
        async move { Ok::<_, Infallible>(router::respond(&service, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_buf_size(64 * 1024)
        .serve_connection(io, respond);
    tokio::select! {
        // A client that breaks off is not worth a word.
        _ = connection => {}
        _ = stopping.wait_for(|stop| *stop) => {}
    }
}
