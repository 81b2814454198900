//! The client: starts the thread of a connection and waits for it without holding the interpreter.

use core::time::Duration;
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use quectel_serial::quectel_azure::{Delivery, Misuse};
use quectel_serial::{CancelToken, Port, PortSettings, Settings, Trace, TraceForm};

use crate::fault::Fault;
use crate::module::SimulatedPort;
use crate::settings::{PySettings, duration};
use crate::worker::{self, Job, Order, Outgoing, Reply, Shared, Task};

/// How long Python's signal handlers and events wait at most.
const LOOK: Duration = Duration::from_millis(50);

/// What a client connects through.
#[derive(FromPyObject)]
enum PyPort {
    #[pyo3(transparent)]
    Named(String),
    #[pyo3(transparent)]
    Simulated(SimulatedPort),
}

enum Place {
    Named(String, PortSettings),
    Simulated(SimulatedPort),
}

impl Place {
    fn open(&self) -> Result<Box<dyn Port>, Fault> {
        match self {
            Self::Named(name, settings) => Ok(quectel_serial::open(name, *settings)?),
            Self::Simulated(port) => port.open(),
        }
    }
}

/// A connection and its thread.
struct Session {
    jobs: Sender<Job>,
    cancel: CancelToken,
    shared: Arc<Shared>,
}

/// Connects a module to a hub. Several threads may use it; their calls follow each other.
#[pyclass(frozen, module = "quectel_azure._native")]
pub(crate) struct Client {
    place: Arc<Place>,
    settings: Arc<Settings>,
    trace: Option<PathBuf>,
    session: Mutex<Option<Session>>,
    /// Threads do not survive a fork.
    process: u32,
}

type ReceivedTuple<'py> = (String, Bound<'py, PyBytes>, Vec<(String, Option<String>)>);

#[pymethods]
impl Client {
    #[new]
    #[pyo3(signature = (port, settings, trace=None))]
    fn new(port: PyPort, settings: PySettings, trace: Option<PathBuf>) -> Result<Self, Fault> {
        let place = match port {
            PyPort::Named(name) => Place::Named(name, settings.port_settings()),
            PyPort::Simulated(port) => Place::Simulated(port),
        };
        let name = match &place {
            Place::Named(name, _) => Some(name.as_str()),
            Place::Simulated(_) => None,
        };
        let settings = settings.checked(name)?;
        Ok(Self {
            place: Arc::new(place),
            settings: Arc::new(settings),
            trace,
            session: Mutex::default(),
            process: std::process::id(),
        })
    }

    #[getter]
    fn host_name(&self) -> &str {
        &self.settings.hub
    }

    #[getter]
    fn device_id(&self) -> &str {
        &self.settings.device_id
    }

    #[getter]
    fn is_connected(&self) -> bool {
        self.shared().is_some_and(|shared| shared.is_connected())
    }

    /// Model, firmware, profile, address and signal in dBm, once they are known.
    #[getter]
    fn module(&self) -> Option<(String, String, &'static str, String, Option<i16>)> {
        let facts = self.shared()?.module()?;
        Some((
            facts.model,
            facts.firmware,
            facts.profile,
            facts.address,
            facts.signal_dbm,
        ))
    }

    #[pyo3(signature = (timeout_s=None, on_event=None))]
    fn connect(
        &self,
        py: Python<'_>,
        timeout_s: Option<f64>,
        on_event: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let limit = limit(timeout_s)?;
        let (shared, cancel, reply) = self.start(limit, on_event.is_some())?;
        match wait(py, &shared, &cancel, reply, on_event)? {
            Some(_) => Ok(()),
            None => Err(shared.ended().into()),
        }
    }

    /// Returns the number of the message.
    #[pyo3(signature = (payload, *, properties, content_type, content_encoding, message_id, correlation_id, qos, timeout_s=None, on_event=None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "keywords in Python; a message has so many fields"
    )]
    fn publish(
        &self,
        py: Python<'_>,
        payload: &[u8],
        properties: Vec<(String, String)>,
        content_type: Option<String>,
        content_encoding: Option<String>,
        message_id: Option<String>,
        correlation_id: Option<String>,
        qos: u8,
        timeout_s: Option<f64>,
        on_event: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<u32> {
        let delivery = match qos {
            0 => Delivery::AtMostOnce,
            1 => Delivery::AtLeastOnce,
            _ => {
                let text = format!("qos must be 0 or 1, not {qos}: IoT Hub has no QoS 2");
                return Err(Fault::misuse("invalid-value", text).into());
            }
        };
        let payload = payload.to_vec();
        let outgoing = Outgoing {
            payload,
            properties,
            content_type,
            content_encoding,
            message_id,
            correlation_id,
            delivery,
        };
        let number = self.job(py, Task::Publish(outgoing), limit(timeout_s)?, on_event)?;
        Ok(number.map_or_else(|| self.ended(), Ok)?)
    }

    /// The next cloud-to-device message as topic, payload and properties; `None` when none came in time.
    #[pyo3(signature = (timeout_s=None, on_event=None))]
    fn receive<'py>(
        &self,
        py: Python<'py>,
        timeout_s: Option<f64>,
        on_event: Option<&Bound<'py, PyAny>>,
    ) -> PyResult<Option<ReceivedTuple<'py>>> {
        let mut left = limit(timeout_s)?;
        let shared = self.live()?;
        loop {
            let slice = left.map_or(LOOK, |left| left.min(LOOK));
            let received = py.detach(|| shared.receive(slice));
            show(&shared, on_event)?;
            if let Some(message) = received? {
                let payload = PyBytes::new(py, &message.payload);
                return Ok(Some((message.topic, payload, message.properties)));
            }
            py.check_signals()?;
            left = left.map(|left| left.saturating_sub(slice));
            if left == Some(Duration::ZERO) {
                return Ok(None);
            }
        }
    }

    /// Whether a message is there, or will never be, now or after so many seconds.
    fn wait_for_message(&self, py: Python<'_>, timeout_s: f64) -> Result<bool, Fault> {
        let wait = duration("timeout_s", timeout_s)?;
        let shared = self.live()?;
        Ok(py.detach(|| shared.wait_for_message(wait)))
    }

    #[pyo3(signature = (timeout_s=None, on_event=None))]
    fn disconnect(
        &self,
        py: Python<'_>,
        timeout_s: Option<f64>,
        on_event: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        let limit = limit(timeout_s)?;
        match self.shared() {
            Some(shared) if !shared.has_ended() => {}
            // A connection that ended is disconnected.
            _ => return Ok(()),
        }
        // A connection that ended meanwhile is disconnected, too.
        self.job(py, Task::Disconnect, limit, on_event).map(|_| ())
    }

    /// Ends the connection, and what other threads wait for, within a few seconds; a second call does it at once.
    fn cancel(&self) {
        if let Some(session) = &*self.lock() {
            session.cancel.cancel();
        }
    }
}

impl Client {
    fn lock(&self) -> MutexGuard<'_, Option<Session>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn shared(&self) -> Option<Arc<Shared>> {
        self.lock().as_ref().map(|session| session.shared.clone())
    }

    fn check_process(&self) -> Result<(), Fault> {
        if std::process::id() == self.process {
            return Ok(());
        }
        let text = "the client belongs to the process that made it, and this is a fork of that; make a client here";
        Err(Fault::misuse("forked", text))
    }

    /// What is shared with the thread of a connection that has not ended.
    fn live(&self) -> Result<Arc<Shared>, Fault> {
        self.check_process()?;
        self.shared().ok_or_else(|| Misuse::NotConnected.into())
    }

    fn start(
        &self,
        limit: Option<Duration>,
        observed: bool,
    ) -> Result<(Arc<Shared>, CancelToken, Receiver<Reply>), Fault> {
        self.check_process()?;
        let mut session = self.lock();
        if session
            .as_ref()
            .is_some_and(|session| !session.shared.has_ended())
        {
            return Err(Misuse::AlreadyRunning.into());
        }
        let trace = self.trace()?;
        let (jobs, queue) = channel();
        let (connected, reply) = channel();
        let cancel = CancelToken::default();
        let shared = Arc::new(Shared::default());
        let (place, settings) = (self.place.clone(), self.settings.clone());
        let its_shared = shared.clone();
        let order = Order {
            limit,
            cancel: cancel.clone(),
            trace,
            observed,
            connected,
            jobs: queue,
        };
        thread::Builder::new()
            .name("quectel-azure".to_owned())
            .spawn(move || worker::run(|| place.open(), &settings, order, &its_shared))
            .map_err(|e| Fault::simulator(format!("no thread could be started: {e}")))?;
        *session = Some(Session {
            jobs,
            cancel: cancel.clone(),
            shared: shared.clone(),
        });
        Ok((shared, cancel, reply))
    }

    fn trace(&self) -> Result<Trace<'static>, Fault> {
        let Some(path) = &self.trace else {
            return Ok(Trace::default());
        };
        Trace::default()
            .record_file(TraceForm::Readable, path)
            .map_err(|e| {
                Fault::misuse(
                    "trace-file",
                    format!("cannot write the trace {}: {e}", path.display()),
                )
            })
    }

    /// Gives the thread something to do and waits for its end; `None` if the connection ended before that was begun.
    fn job(
        &self,
        py: Python<'_>,
        task: Task,
        limit: Option<Duration>,
        on_event: Option<&Bound<'_, PyAny>>,
    ) -> PyResult<Option<u32>> {
        self.check_process()?;
        let (reply, result) = channel();
        let (shared, cancel) = {
            let session = self.lock();
            let Some(session) = session.as_ref() else {
                return Ok(None);
            };
            // Refused if the thread is gone; then it has dropped `reply`, too.
            let _ = session.jobs.send(Job { task, limit, reply });
            (session.shared.clone(), session.cancel.clone())
        };
        wait(py, &shared, &cancel, result, on_event)
    }

    fn ended(&self) -> Result<u32, Fault> {
        Err(self
            .shared()
            .map_or_else(|| Misuse::NotConnected.into(), |shared| shared.ended()))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        // The thread disconnects on its own; nobody waits for it.
        if let Some(session) = &*self.lock() {
            session.cancel.cancel();
        }
    }
}

fn limit(timeout_s: Option<f64>) -> Result<Option<Duration>, Fault> {
    timeout_s
        .map(|seconds| duration("timeout_s", seconds))
        .transpose()
}

/// Waits for the end of a job, `None` if it was dropped; shows events and serves signals meanwhile. A signal or an event handler that raises ends
/// the connection, because nobody knows then how far the job has come.
fn wait(
    py: Python<'_>,
    shared: &Shared,
    cancel: &CancelToken,
    mut reply: Receiver<Reply>,
    on_event: Option<&Bound<'_, PyAny>>,
) -> PyResult<Option<u32>> {
    loop {
        // Borrowed as unique: a receiver may be used by one thread only, whichever that is.
        let borrowed = &mut reply;
        let got = py.detach(move || borrowed.recv_timeout(LOOK));
        if let Err(raised) = show(shared, on_event).and_then(|()| py.check_signals()) {
            wind_down(py, shared, cancel);
            return Err(raised);
        }
        match got {
            Ok(result) => return Ok(Some(result?)),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                // The thread drops the job a moment before it tells why it ended.
                py.detach(|| shared.wait_for_end(LOOK));
                return Ok(None);
            }
        }
    }
}

/// Ends the connection and waits for that; a signal that raises makes it short.
fn wind_down(py: Python<'_>, shared: &Shared, cancel: &CancelToken) {
    cancel.cancel();
    while !py.detach(|| shared.wait_for_end(LOOK)) {
        if py.check_signals().is_err() {
            cancel.cancel();
        }
    }
}

fn show(shared: &Shared, on_event: Option<&Bound<'_, PyAny>>) -> PyResult<()> {
    let shown = shared.take_shown();
    let Some(on_event) = on_event else {
        return Ok(());
    };
    for event in shown {
        on_event.call1((event.kind, event.at_s, event.text))?;
    }
    Ok(())
}
