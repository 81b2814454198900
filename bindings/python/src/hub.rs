//! The local hub.

use core::net::SocketAddr;
use core::time::Duration;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use iothub_sim::{
    CloudToDeviceMessage, Config, Device, DeviceCertificate, Event, Fault as HubFault, IotHub,
    KeyKind, LocalHub, Pki, PkiError, PkiOptions, Record, ServerOptions, ServiceError,
    SharedAccessKey, StartError, Telemetry, Validity,
};
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::fault::Fault;
use crate::settings::duration;

/// How long Python's signal handlers wait at most.
const LOOK: Duration = Duration::from_millis(50);

/// `quectel_azure.sim._HubSettings`, attribute by attribute.
#[derive(FromPyObject)]
struct HubSettings {
    host_name: String,
    devices: Vec<String>,
    x509_devices: Vec<String>,
    require_sni: bool,
    listen: String,
}

/// A running hub.
#[pyclass(frozen, module = "quectel_azure._native", name = "LocalHub")]
pub(crate) struct PyLocalHub {
    hub: Mutex<Option<Arc<LocalHub>>>,
    telemetry: Mutex<Arriving>,
    config: Config,
    certificates: Vec<(String, DeviceCertificate)>,
    ca_pem: String,
    address: SocketAddr,
}

/// Telemetry that nobody has asked for yet.
struct Arriving {
    records: Receiver<Record>,
    waiting: VecDeque<Telemetry>,
}

type TelemetryTuple<'py> = (
    String,
    Bound<'py, PyBytes>,
    Vec<(String, Option<String>)>,
    String,
    u8,
);
/// Client id, server name, code and text.
type RefusalTuple = (Option<String>, Option<String>, &'static str, String);

#[pymethods]
impl PyLocalHub {
    #[new]
    fn new(py: Python<'_>, settings: HubSettings) -> Result<Self, Fault> {
        py.detach(|| Self::start(&settings))
    }

    #[getter]
    fn address(&self) -> String {
        self.address.to_string()
    }

    #[getter]
    fn ca_pem(&self) -> &[u8] {
        self.ca_pem.as_bytes()
    }

    fn connection_string(&self, device_id: &str) -> Result<String, Fault> {
        self.config
            .connection_string(device_id)
            .ok_or_else(|| unknown(device_id))
    }

    /// Certificate and key of a device, PEM.
    fn certificate<'py>(
        &self,
        py: Python<'py>,
        device_id: &str,
    ) -> Result<(Bound<'py, PyBytes>, Bound<'py, PyBytes>), Fault> {
        let found = self.certificates.iter().find(|(id, _)| id == device_id);
        let (_, made) = found.ok_or_else(|| unknown(device_id))?;
        let bytes = |text: &str| PyBytes::new(py, text.as_bytes());
        Ok((bytes(&made.certificate_pem), bytes(&made.key_pem)))
    }

    /// The next telemetry as device id, payload, properties, topic and QoS; `None` when none came in time.
    #[pyo3(signature = (timeout_s, device_id=None))]
    fn wait_for_telemetry<'py>(
        &self,
        py: Python<'py>,
        timeout_s: f64,
        device_id: Option<&str>,
    ) -> PyResult<Option<TelemetryTuple<'py>>> {
        let started = Instant::now();
        let wait = duration("timeout_s", timeout_s)?;
        loop {
            let left = wait.saturating_sub(started.elapsed());
            if let Some(telemetry) = py.detach(|| self.arrived(left.min(LOOK), device_id)) {
                return Ok(Some(tuple(py, telemetry)));
            }
            py.check_signals()?;
            if left.is_zero() {
                return Ok(None);
            }
        }
    }

    /// Returns the sequence number.
    fn send(
        &self,
        device_id: &str,
        payload: &[u8],
        properties: Vec<(String, String)>,
    ) -> Result<u64, Fault> {
        let message = CloudToDeviceMessage::new(payload);
        let message = properties.iter().fold(message, |message, (name, value)| {
            message.with_property(name, value)
        });
        Ok(self.running()?.send_to_device(device_id, message)?)
    }

    /// Drops the connection of a device without a word.
    fn drop_connection(&self, device_id: &str) -> Result<(), Fault> {
        Ok(self.running()?.inject(device_id, HubFault::Drop)?)
    }

    /// The refused connections so far.
    fn refused(&self) -> Result<Vec<RefusalTuple>, Fault> {
        let refused = self.running()?.refused();
        let tuple = |refusal: iothub_sim::Refusal| {
            let text = refusal.reason.to_string();
            (refusal.client_id, refusal.sni, refusal.reason.code(), text)
        };
        Ok(refused.into_iter().map(tuple).collect())
    }

    fn close(&self, py: Python<'_>) {
        let hub = self.lock().take();
        py.detach(|| {
            // If somebody is using it in another thread, the last one drops it.
            if let Some(Ok(hub)) = hub.map(Arc::try_unwrap) {
                hub.stop();
            }
        });
    }
}

impl PyLocalHub {
    fn start(settings: &HubSettings) -> Result<Self, Fault> {
        let mut hub = IotHub::new(&settings.host_name);
        for id in &settings.devices {
            hub = hub.with_device(Device::with_key(id, SharedAccessKey::generate()));
        }
        let mut certificates = Vec::new();
        for id in &settings.x509_devices {
            let made = DeviceCertificate::self_signed(id, KeyKind::default(), Validity::default())?;
            hub = hub.with_device(Device::with_thumbprint(id, made.sha256_thumbprint()));
            certificates.push((id.clone(), made));
        }
        let config = Config::new([hub]);
        config
            .check()
            .map_err(|e| Fault::misuse("hub-settings", e.to_string()))?;
        let pki = Pki::new(&PkiOptions::for_hosts([settings.host_name.as_str()]))?;
        let mut options = ServerOptions::default();
        options.tls.require_sni = settings.require_sni;
        options.listen = settings.listen.parse().map_err(|_| {
            Fault::misuse(
                "invalid-value",
                format!("listen must be ADDRESS:PORT, not {:?}", settings.listen),
            )
        })?;
        let hub = LocalHub::start_with(&config, &pki, &options)?;
        Ok(Self {
            telemetry: Mutex::new(Arriving {
                records: hub.records(),
                waiting: VecDeque::new(),
            }),
            ca_pem: hub.ca_pem().to_owned(),
            address: hub.addr(),
            hub: Mutex::new(Some(Arc::new(hub))),
            config,
            certificates,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<LocalHub>>> {
        self.hub.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn running(&self) -> Result<Arc<LocalHub>, Fault> {
        self.lock()
            .clone()
            .ok_or_else(|| Fault::misuse("closed", "the hub is closed"))
    }

    /// The first telemetry of the device, or of any; others stay for those who ask for them.
    fn arrived(&self, wait: Duration, device_id: Option<&str>) -> Option<Telemetry> {
        let wanted =
            |telemetry: &Telemetry| device_id.is_none_or(|id| telemetry.identity.client_id() == id);
        let mut arriving = self
            .telemetry
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(at) = arriving.waiting.iter().position(wanted) {
            return arriving.waiting.remove(at);
        }
        let end = Instant::now() + wait;
        loop {
            match arriving
                .records
                .recv_timeout(end.saturating_duration_since(Instant::now()))
            {
                Ok(Record {
                    event: Event::Telemetry(telemetry),
                    ..
                }) if wanted(&telemetry) => return Some(telemetry),
                Ok(Record {
                    event: Event::Telemetry(telemetry),
                    ..
                }) => arriving.waiting.push_back(telemetry),
                Ok(_) => {}
                Err(RecvTimeoutError::Timeout) => return None,
                Err(RecvTimeoutError::Disconnected) => {
                    drop(arriving);
                    std::thread::sleep(end.saturating_duration_since(Instant::now()));
                    return None;
                }
            }
        }
    }
}

fn tuple(py: Python<'_>, telemetry: Telemetry) -> TelemetryTuple<'_> {
    let system = telemetry
        .properties
        .system
        .into_iter()
        .map(|(name, value)| (name, Some(value)));
    let properties = system.chain(telemetry.properties.application).collect();
    let payload = PyBytes::new(py, &telemetry.payload);
    (
        telemetry.identity.client_id(),
        payload,
        properties,
        telemetry.topic,
        telemetry.qos,
    )
}

fn unknown(device_id: &str) -> Fault {
    Fault::misuse(
        "unknown-device",
        format!("the hub has no such device with such credentials: {device_id:?}"),
    )
}

impl From<PkiError> for Fault {
    fn from(error: PkiError) -> Self {
        Self::simulator(error.to_string())
    }
}

impl From<StartError> for Fault {
    fn from(error: StartError) -> Self {
        Self::simulator(format!("the local hub did not start: {error}"))
    }
}

impl From<ServiceError> for Fault {
    fn from(error: ServiceError) -> Self {
        Self::misuse("hub-service", error.to_string())
    }
}
