//! The handle of a running hub.

use core::{fmt, net::SocketAddr, time::Duration};
use std::sync::{Arc, mpsc::Receiver};

use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;

use super::{
    ServerOptions, StartError,
    listening::Listening,
    saving::save_changes,
    shared::{Shared, accept, run_timers},
};
use crate::{
    config::{Config, ConfigFile, IotHub},
    hub::{Fault, Hub},
    identity::Identity,
    key::SharedAccessKey,
    message::{CloudToDeviceMessage, ServiceError},
    method::{MethodCall, MethodError, MethodOutcome},
    pki::{IssuingAuthority, Pki, PkiOptions},
    record::{Event, Record, Refusal},
    service::{self, Service},
    state_folder::StateFolder,
    time::Now,
    tls::{TlsServer, service_tls},
    twin::Twin,
};

/// How long a graceful stop waits for the last bytes to leave.
const STOP_TIMEOUT: Duration = Duration::from_secs(2);

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
    service: Option<(SocketAddr, SharedAccessKey)>,
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
        let hosts = config.hubs.iter().flat_map(IotHub::host_names);
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
        let listening = Listening::new(options)?;
        Self::run(
            listening,
            Hub::new(config)?,
            config.clone(),
            pki,
            options,
            None,
        )
    }

    /// Starts a hub that keeps its certificates and state in a folder.
    ///
    /// Certificates, TLS rules and faults come from the configuration file.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start), or the folder cannot be used. Nothing is written then.
    pub fn start_in(
        mut folder: StateFolder,
        file: &ConfigFile,
        options: &ServerOptions,
    ) -> Result<Self, StartError> {
        // First of all, so that a busy port leaves the folder as it is.
        let listening = Listening::new(options)?;
        let mut config = file.config.clone();
        for (id_scope, days) in &file.issuing {
            set_issuer(&mut config, id_scope, folder.issuer(*days)?);
        }
        let pki = folder.pki(&file.pki_options())?;
        let mut hub = Hub::new(&config)?;
        folder.restore(&mut hub)?;
        folder.store()?;
        Self::run_file(listening, hub, config, &pki, file, options, Some(folder))
    }

    /// Starts a hub as a configuration file says, with new certificates, and forgets all at its end.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start).
    pub fn start_file(file: &ConfigFile, options: &ServerOptions) -> Result<Self, StartError> {
        let listening = Listening::new(options)?;
        let mut config = file.config.clone();
        for (id_scope, days) in &file.issuing {
            set_issuer(&mut config, id_scope, IssuingAuthority::new(*days)?);
        }
        let pki = Pki::new(&file.pki_options())?;
        let hub = Hub::new(&config)?;
        Self::run_file(listening, hub, config, &pki, file, options, None)
    }

    fn run_file(
        listening: Listening,
        mut hub: Hub,
        config: Config,
        pki: &Pki,
        file: &ConfigFile,
        options: &ServerOptions,
        folder: Option<StateFolder>,
    ) -> Result<Self, StartError> {
        for (identity, fault) in &file.faults {
            hub.inject(Now::default(), identity, fault.clone());
        }
        hub.set_chaos(file.chaos);
        let mut options = options.clone();
        options.tls = file.tls.clone();
        options.handshake_delay = options.handshake_delay.max(file.handshake_delay);
        Self::run(listening, hub, config, pki, &options, folder)
    }

    fn run(
        listening: Listening,
        hub: Hub,
        config: Config,
        pki: &Pki,
        options: &ServerOptions,
        folder: Option<StateFolder>,
    ) -> Result<Self, StartError> {
        let tls = TlsServer::new(pki.server_chain(), &options.tls)?;
        let service_tls = service_tls(pki.server_chain())?;
        let Listening {
            runtime,
            devices: (listener, addr),
            service,
        } = listening;
        let shared = Arc::new(Shared::new(hub, options, folder));
        runtime.spawn(accept(shared.clone(), listener, tls));
        let mut service_side = None;
        if let (Some((listener, addr)), Some(wanted)) = (service, &options.service) {
            let acceptor = TlsAcceptor::from(Arc::new(service_tls));
            let service = Service::new(shared.clone(), &wanted.key);
            runtime.spawn(service::accept(service, listener, acceptor));
            service_side = Some((addr, wanted.key.clone()));
        }
        runtime.spawn(run_timers(shared.clone()));
        runtime.spawn(save_changes(shared.clone()));
        Ok(Self {
            shared,
            runtime: Some(runtime),
            addr,
            service: service_side,
            config,
            ca_pem: pki.root_pem().to_owned(),
        })
    }

    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Where the service side listens, if it was asked for.
    #[must_use]
    pub fn service_addr(&self) -> Option<SocketAddr> {
        self.service.as_ref().map(|(addr, _)| *addr)
    }

    /// Id scopes of the provisioning services.
    pub fn id_scopes(&self) -> impl Iterator<Item = &str> {
        let services = self.config.provisioning.iter();
        services.map(|service| service.id_scope.as_str())
    }

    pub(super) const fn service(&self) -> Option<&(SocketAddr, SharedAccessKey)> {
        self.service.as_ref()
    }

    pub(super) const fn config(&self) -> &Config {
        &self.config
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
        self.with_hub(|hub, _| hub.find_device(device_id))
            .map(|info| info.connection_string())
    }

    /// Everything that has happened and will happen, in order.
    ///
    /// What is not received piles up.
    #[must_use]
    pub fn records(&self) -> Receiver<Record> {
        self.shared.journal.listen()
    }

    /// Waits until `wanted` finds what it looks for, among past records first.
    ///
    /// `None` when the time is over. The last 10,000 records are kept, with at most 64 MiB of telemetry.
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
    /// All connections wait meanwhile, so `act` should be quick. A hub with a state folder has saved what
    /// `act` has changed when this returns.
    pub fn with_hub<T>(&self, act: impl FnOnce(&mut Hub, Now) -> T) -> T {
        let result = self.shared.with_hub(act);
        self.shared.save_now();
        result
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
        self.with_hub(|hub, _| hub.find_device(device_id))
            .map(|info| info.identity)
            .ok_or_else(|| ServiceError::NotFound(device_id.to_owned()))
    }
}

fn set_issuer(config: &mut Config, id_scope: &str, issuer: IssuingAuthority) {
    let issuer = Arc::new(issuer);
    for service in &mut config.provisioning {
        if service.id_scope == *id_scope {
            service.issuer = Some(issuer.clone());
        }
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
