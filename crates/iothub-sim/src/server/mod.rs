//! A hub that runs: TLS on a TCP port, in threads of its own.

mod clock;
mod connection;
mod journal;

use core::{
    fmt,
    net::{Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{
    collections::HashMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc::Receiver},
};

use tokio::{
    net::TcpListener,
    runtime::Runtime,
    sync::{Notify, Semaphore, watch},
};

pub use self::clock::Clock;
use self::{clock::RunningClock, connection::serve, journal::Journal};
use crate::{
    config::{Config, ConfigError, Credentials},
    hub::{Fault, Hub},
    identity::Identity,
    message::{CloudToDeviceMessage, ServiceError},
    method::{MethodCall, MethodError, MethodOutcome},
    pki::{Pki, PkiError, PkiOptions},
    record::{ConnectionId, Event, Record, Refusal},
    time::Now,
    tls::{TlsConfigError, TlsOptions, TlsServer},
    twin::Twin,
};

/// How long a graceful stop waits for the last bytes to leave.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

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
    /// No threads.
    #[error("cannot start the hub's threads: {0}")]
    Threads(io::Error),
}

/// A running hub on this computer.
///
/// Stops when dropped; [`stop`](Self::stop) waits until connections are closed.
///
/// ```
/// use core::time::Duration;
/// use iothub_sim::{CloudToDeviceMessage, Config, Device, LocalHub};
///
/// let config = Config::single_device("contoso.azure-devices.net", Device::with_generated_keys("dev1"));
/// let hub = LocalHub::start(&config)?;
/// println!("connect to {} and trust\n{}", hub.addr(), hub.ca_pem());
/// println!("{}", hub.connection_string("dev1").unwrap_or_default());
///
/// hub.send_to_device("dev1", CloudToDeviceMessage::new("hello"))?;
/// // … a device connects and publishes …
/// let telemetry = hub.wait_for(Duration::from_millis(1), |record| match &record.event {
///     iothub_sim::Event::Telemetry(telemetry) => Some(telemetry.clone()),
///     _ => None,
/// });
/// assert!(telemetry.is_none(), "nobody was there");
/// assert!(hub.refused().is_empty());
/// hub.stop();
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct LocalHub {
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
    addr: SocketAddr,
    config: Config,
    ca_pem: String,
}

impl fmt::Debug for LocalHub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalHub")
            .field("addr", &self.addr)
            .finish_non_exhaustive()
    }
}

impl LocalHub {
    /// Starts a hub on a free port of 127.0.0.1 with certificates of its own.
    ///
    /// # Errors
    ///
    /// The configuration contradicts itself, or the computer has no port or thread left.
    pub fn start(config: &Config) -> Result<Self, StartError> {
        let hosts = config
            .hubs
            .iter()
            .flat_map(crate::config::IotHub::host_names);
        let pki = Pki::new(&PkiOptions::for_hosts(hosts))?;
        Self::start_with(config, &pki, &ServerOptions::default())
    }

    /// Starts a hub with these certificates and options.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), or the certificates cannot be used.
    pub fn start_with(
        config: &Config,
        pki: &Pki,
        options: &ServerOptions,
    ) -> Result<Self, StartError> {
        let hub = Hub::new(config)?;
        let tls = TlsServer::new(pki.server_chain(), &options.tls)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("iothub-sim")
            .enable_all()
            .build()
            .map_err(StartError::Threads)?;
        let listen = |error| StartError::Listen {
            address: options.listen,
            error,
        };
        let listener = runtime
            .block_on(TcpListener::bind(options.listen))
            .map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let shared = Arc::new(Shared::new(hub, options));
        runtime.spawn(accept(shared.clone(), listener, tls));
        runtime.spawn(run_timers(shared.clone()));
        Ok(Self {
            shared,
            runtime: Some(runtime),
            addr,
            config: config.clone(),
            ca_pem: pki.root_pem().to_owned(),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The root certificate as PEM: what a device must trust.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// The connection string of a device of the first hub that has it.
    ///
    /// `None` when there is no such device.
    #[must_use]
    pub fn connection_string(&self, device_id: &str) -> Option<String> {
        self.config.connection_string(device_id)
    }

    /// Everything that has happened and will happen, in order.
    #[must_use]
    pub fn records(&self) -> Receiver<Record> {
        self.shared.journal.listen()
    }

    /// Waits until `wanted` finds what it looks for, among past records first.
    ///
    /// `None` when the time is over. The last 10,000 records are kept.
    pub fn wait_for<T>(
        &self,
        timeout: Duration,
        wanted: impl FnMut(&Record) -> Option<T>,
    ) -> Option<T> {
        self.shared.journal.wait_for(timeout, wanted)
    }

    /// The refused connections so far, with reasons.
    #[must_use]
    pub fn refused(&self) -> Vec<Refusal> {
        self.shared.journal.refused()
    }

    /// Sends a message to a device of the first hub that has it.
    ///
    /// # Errors
    ///
    /// See [`Hub::send_to_device`].
    pub fn send_to_device(
        &self,
        device_id: &str,
        message: CloudToDeviceMessage,
    ) -> Result<u64, ServiceError> {
        let identity = self.identity(device_id)?;
        self.with_hub(|hub, now| hub.send_to_device(now, &identity, message))
    }

    /// Calls a direct method of a device and waits until it ends.
    ///
    /// # Errors
    ///
    /// See [`Hub::invoke_method`].
    pub fn invoke_method(
        &self,
        device_id: &str,
        call: MethodCall,
    ) -> Result<MethodOutcome, MethodError> {
        let most = call
            .response_timeout_s
            .saturating_add(call.connect_timeout_s)
            .saturating_add(5);
        let identity = self
            .identity(device_id)
            .map_err(|_| MethodError::NotFound(device_id.to_owned()))?;
        let called = self.with_hub(|hub, now| hub.invoke_method(now, &identity, call))?;
        let outcome = self.wait_for(Duration::from_secs(most), |record| match &record.event {
            Event::MethodEnded { id, outcome, .. } if *id == called => Some(outcome.clone()),
            _ => None,
        });
        Ok(outcome.unwrap_or(MethodOutcome::TimedOut))
    }

    /// The twin of a device of the first hub that has it.
    #[must_use]
    pub fn twin(&self, device_id: &str) -> Option<Twin> {
        let identity = self.identity(device_id).ok()?;
        self.with_hub(|hub, _| hub.twin(&identity).cloned())
    }

    /// Merges a JSON patch into the desired properties of a device and tells it.
    ///
    /// Returns the new version.
    ///
    /// # Errors
    ///
    /// The text is not JSON, or see [`Hub::update_desired`].
    pub fn update_desired(&self, device_id: &str, patch: &str) -> Result<u64, ServiceError> {
        let identity = self.identity(device_id)?;
        let patch = crate::twin::parse_patch(patch.as_bytes())?;
        self.with_hub(|hub, now| hub.update_desired(now, &identity, patch.into()))
    }

    /// Arms a fault for a device, or carries it out at once.
    ///
    /// # Errors
    ///
    /// The device is unknown.
    pub fn inject(&self, device_id: &str, fault: Fault) -> Result<(), ServiceError> {
        let identity = self.identity(device_id)?;
        self.with_hub(|hub, now| hub.inject(now, &identity, fault));
        Ok(())
    }

    /// Acts on the hub behind the server directly.
    ///
    /// All connections wait meanwhile, so `act` should be quick.
    pub fn with_hub<T>(&self, act: impl FnOnce(&mut Hub, Now) -> T) -> T {
        self.shared.with_hub(act)
    }

    /// Moves the hub's clock forward.
    pub fn advance_clock(&self, seconds: u64) {
        self.shared.clock.advance(seconds);
        self.shared.timers_changed.notify_one();
    }

    /// Ends all connections and waits for their last bytes to leave.
    pub fn stop(mut self) {
        self.shared.stop();
        if let Some(runtime) = self.runtime.take() {
            let idle = self.shared.clone();
            runtime.block_on(async move {
                let all = idle.max_connections;
                let _ = tokio::time::timeout(STOP_TIMEOUT, idle.free.acquire_many(all)).await;
            });
            runtime.shutdown_timeout(STOP_TIMEOUT);
        }
    }

    fn identity(&self, device_id: &str) -> Result<Identity, ServiceError> {
        self.config
            .identity(device_id)
            .ok_or_else(|| ServiceError::NotFound(device_id.to_owned()))
    }
}

impl Drop for LocalHub {
    fn drop(&mut self) {
        self.shared.stop();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

impl Config {
    /// The identity of a device of the first hub that has it.
    #[must_use]
    pub fn identity(&self, device_id: &str) -> Option<Identity> {
        self.hubs
            .iter()
            .find(|hub| hub.devices.iter().any(|device| device.id == device_id))
            .map(|hub| Identity::device(&hub.host, device_id))
    }

    /// The connection string of a device of the first hub that has it.
    ///
    /// `None` when there is no such device.
    ///
    /// # Reference
    ///
    /// Azure IoT Hub documentation, device connection strings.
    #[must_use]
    pub fn connection_string(&self, device_id: &str) -> Option<String> {
        self.hubs.iter().find_map(|hub| {
            let device = hub.devices.iter().find(|device| device.id == device_id)?;
            let proof = match &device.credentials {
                Credentials::SharedAccessKeys { primary, .. } => {
                    format!("SharedAccessKey={}", primary.to_base64())
                }
                Credentials::SelfSigned { .. } | Credentials::CertificateAuthority => {
                    "x509=true".to_owned()
                }
            };
            Some(format!(
                "HostName={};DeviceId={device_id};{proof}",
                hub.host
            ))
        })
    }
}

/// What all tasks of a running hub share.
struct Shared {
    hub: Mutex<Hub>,
    clock: RunningClock,
    journal: Journal,
    /// Wakes the task of a connection that has something to transmit.
    wakers: Mutex<HashMap<ConnectionId, Arc<Notify>>>,
    timers_changed: Notify,
    /// When the timer task wakes, in the hub's monotonic milliseconds.
    wakes_at_ms: AtomicU64,
    free: Semaphore,
    max_connections: u32,
    stopping: watch::Sender<bool>,
}

impl Shared {
    fn new(hub: Hub, options: &ServerOptions) -> Self {
        let most = options.max_connections.min(Semaphore::MAX_PERMITS);
        Self {
            hub: Mutex::new(hub),
            clock: RunningClock::start(options.clock),
            journal: Journal::default(),
            wakers: Mutex::default(),
            timers_changed: Notify::new(),
            wakes_at_ms: AtomicU64::new(u64::MAX),
            free: Semaphore::new(most),
            max_connections: u32::try_from(most).unwrap_or(u32::MAX),
            stopping: watch::Sender::new(false),
        }
    }

    /// Acts on the hub, then passes on what that has caused.
    fn with_hub<T>(&self, act: impl FnOnce(&mut Hub, Now) -> T) -> T {
        let mut hub = self.lock_hub();
        let now = self.clock.now();
        let result = act(&mut hub, now);
        self.journal.extend(hub.take_records());
        let ready = hub.take_ready();
        let next_ms = hub.next_poll(now).unwrap_or(u64::MAX);
        drop(hub);
        if next_ms < self.wakes_at_ms.load(Ordering::Relaxed) {
            self.timers_changed.notify_one();
        }
        if !ready.is_empty() {
            let wakers = self.wakers();
            for waker in ready.iter().filter_map(|id| wakers.get(id)) {
                waker.notify_one();
            }
        }
        result
    }

    fn lock_hub(&self) -> MutexGuard<'_, Hub> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wakers(&self) -> MutexGuard<'_, HashMap<ConnectionId, Arc<Notify>>> {
        self.wakers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        self.stopping.send_replace(true);
        self.with_hub(Hub::stop);
    }
}

async fn accept(shared: Arc<Shared>, listener: TcpListener, tls: TlsServer) {
    let mut stopping = shared.stopping.subscribe();
    loop {
        let Ok(permit) = shared.free.acquire().await else {
            return;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopping.wait_for(|stop| *stop) => return,
        };
        match accepted {
            Ok((stream, _)) => {
                permit.forget();
                let shared = shared.clone();
                let tls = tls.clone();
                tokio::spawn(async move {
                    serve(&shared, &tls, stream).await;
                    shared.free.add_permits(1);
                });
            }
            // Out of file descriptors, most likely: wait for connections to end.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn run_timers(shared: Arc<Shared>) {
    let mut stopping = shared.stopping.subscribe();
    loop {
        let wait_ms = shared.with_hub(|hub, now| {
            hub.poll(now);
            let next_ms = hub.next_poll(now).unwrap_or(u64::MAX);
            shared.wakes_at_ms.store(next_ms, Ordering::Relaxed);
            next_ms.saturating_sub(now.monotonic_ms)
        });
        // Never longer than an hour, so that no far deadline overflows the runtime's timer.
        let wait = Duration::from_millis(wait_ms.clamp(1, 3_600_000));
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            () = shared.timers_changed.notified() => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
    }
}
