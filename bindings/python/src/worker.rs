//! The thread that owns a driver while it is connected.
//!
//! The driver borrows its settings and its memory, and the port has to be read while Python does something else: so one
//! thread has them all, takes jobs, and reads the port between them. It never touches Python.

use core::time::Duration;
use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use quectel_serial::quectel_azure::{Delivery, Misuse};
use quectel_serial::{
    CancelToken, Direction, Driver, Error, Event, Message, Notice, Port, Received, Settings,
    Storage, Trace,
};

use crate::fault::Fault;

/// How long the port is read before the next look for jobs.
const IDLE: Duration = Duration::from_millis(10);
/// Events and messages that wait for Python; the oldest are dropped beyond this.
const MOST_WAITING: usize = 4096;

/// A message to publish, with its own memory.
pub(crate) struct Outgoing {
    pub(crate) payload: Vec<u8>,
    pub(crate) properties: Vec<(String, String)>,
    pub(crate) content_type: Option<String>,
    pub(crate) content_encoding: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) correlation_id: Option<String>,
    pub(crate) delivery: Delivery,
}

/// What the thread is asked to do.
pub(crate) enum Task {
    Publish(Outgoing),
    Disconnect,
}

/// How a task ended: the number of a message, or 0.
pub(crate) type Reply = Result<u32, Fault>;

/// A task, the time it may take, and where its end is told.
pub(crate) struct Job {
    pub(crate) task: Task,
    pub(crate) limit: Option<Duration>,
    pub(crate) reply: Sender<Reply>,
}

/// Something to show, with its time in seconds since the connection was begun.
pub(crate) struct Shown {
    pub(crate) kind: &'static str,
    pub(crate) at_s: f64,
    pub(crate) text: String,
}

/// What is known of the module.
#[derive(Clone)]
pub(crate) struct ModuleFacts {
    pub(crate) model: String,
    pub(crate) firmware: String,
    pub(crate) profile: &'static str,
    pub(crate) address: String,
    pub(crate) signal_dbm: Option<i16>,
}

/// What thread and callers share.
#[derive(Default)]
pub(crate) struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    shown: VecDeque<Shown>,
    inbox: VecDeque<Received>,
    module: Option<ModuleFacts>,
    connected: bool,
    /// Why the connection ended; `None` inside: it was disconnected.
    ended: Option<Option<Fault>>,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn take_shown(&self) -> VecDeque<Shown> {
        core::mem::take(&mut self.lock().shown)
    }

    pub(crate) fn module(&self) -> Option<ModuleFacts> {
        self.lock().module.clone()
    }

    pub(crate) fn is_connected(&self) -> bool {
        self.lock().connected
    }

    pub(crate) fn has_ended(&self) -> bool {
        self.lock().ended.is_some()
    }

    /// Why nothing can be done any more.
    pub(crate) fn ended(&self) -> Fault {
        self.lock()
            .ended
            .clone()
            .flatten()
            .unwrap_or_else(|| Misuse::NotConnected.into())
    }

    /// The oldest message; waits at most so long for one.
    pub(crate) fn receive(&self, wait: Duration) -> Result<Option<Received>, Fault> {
        let mut state = self.wait(wait);
        match (state.inbox.pop_front(), &state.ended) {
            (None, Some(ended)) => {
                Err(ended.clone().unwrap_or_else(|| Misuse::NotConnected.into()))
            }
            (message, _) => Ok(message),
        }
    }

    /// Whether a message is there, or none can come any more; waits at most so long for that.
    pub(crate) fn wait_for_message(&self, wait: Duration) -> bool {
        let state = self.wait(wait);
        !state.inbox.is_empty() || state.ended.is_some()
    }

    /// Whether the connection has ended; waits at most so long for that.
    pub(crate) fn wait_for_end(&self, wait: Duration) -> bool {
        let going_on = |state: &mut State| state.ended.is_none();
        let locked = self.changed.wait_timeout_while(self.lock(), wait, going_on);
        locked
            .unwrap_or_else(PoisonError::into_inner)
            .0
            .ended
            .is_some()
    }

    fn wait(&self, wait: Duration) -> MutexGuard<'_, State> {
        let nothing = |state: &mut State| state.inbox.is_empty() && state.ended.is_none();
        let locked = self.changed.wait_timeout_while(self.lock(), wait, nothing);
        locked.unwrap_or_else(PoisonError::into_inner).0
    }

    fn show(&self, notice: Notice<'_>) {
        let Some(shown) = shown(notice) else { return };
        let mut state = self.lock();
        if state.shown.len() >= MOST_WAITING {
            state.shown.pop_front();
        }
        state.shown.push_back(shown);
    }

    fn deliver(&self, message: Received) {
        let mut state = self.lock();
        if state.inbox.len() >= MOST_WAITING {
            state.inbox.pop_front();
        }
        state.inbox.push_back(message);
        drop(state);
        self.changed.notify_all();
    }

    fn learn(&self, driver: &Driver<'_>) {
        let module = driver.module();
        let facts = ModuleFacts {
            model: module.model.to_owned(),
            firmware: module.revision.to_owned(),
            profile: module.profile.name,
            address: module.address.to_owned(),
            signal_dbm: module.signal_dbm,
        };
        let mut state = self.lock();
        state.connected = driver.is_connected();
        state.module = Some(facts);
    }

    fn end(&self, why: Option<Fault>) {
        let mut state = self.lock();
        state.connected = false;
        state.ended.get_or_insert(why);
        drop(state);
        self.changed.notify_all();
    }
}

fn shown(notice: Notice<'_>) -> Option<Shown> {
    let (at, kind, text) = match notice {
        Notice::Event { at, event } => match event {
            Event::Step(step) => (at, "step", step.name().to_owned()),
            Event::Warning(warning) => (at, "warning", warning.text().to_owned()),
            Event::Urc(line) => (at, "urc", line.to_string()),
            _ => return None,
        },
        Notice::Wire(line) => {
            let kind = match line.direction() {
                Direction::ToModule => "sent",
                _ => "received",
            };
            (line.at(), kind, line.readable()?)
        }
        _ => return None,
    };
    Some(Shown {
        kind,
        at_s: at.as_secs_f64(),
        text,
    })
}

/// Marks the end even when the thread panics, so that nobody waits for it.
struct EndGuard(Arc<Shared>);

impl Drop for EndGuard {
    fn drop(&mut self) {
        self.0.end(Some(Fault::panicked()));
    }
}

/// How a connection is begun and driven.
pub(crate) struct Order {
    /// The time that connecting may take.
    pub(crate) limit: Option<Duration>,
    /// Ends all.
    pub(crate) cancel: CancelToken,
    /// Where the conversation is recorded.
    pub(crate) trace: Trace<'static>,
    /// Whether somebody takes what is shown.
    pub(crate) observed: bool,
    /// Where the result of connecting is told.
    pub(crate) connected: Sender<Reply>,
    /// What to do then.
    pub(crate) jobs: Receiver<Job>,
}

/// Connects, tells it, and serves jobs until the connection ends.
pub(crate) fn run(
    open: impl FnOnce() -> Result<Box<dyn Port>, Fault>,
    settings: &Settings,
    order: Order,
    shared: &Arc<Shared>,
) {
    let Order {
        limit,
        cancel,
        trace,
        observed,
        connected,
        jobs,
    } = order;
    let _guard = EndGuard(shared.clone());
    let mut storage = Storage::default();
    let result = open().and_then(|port| Ok(Driver::new(port, settings.config(), &mut storage)?));
    let result = result.and_then(|driver| {
        let mut driver = driver.cancel(cancel).trace(trace);
        if observed {
            driver = driver.observe(|notice| shared.show(notice));
        }
        driver.time_limit(limit);
        driver.connect()?;
        driver.time_limit(None);
        Ok(driver)
    });
    match result {
        Ok(mut driver) => {
            shared.learn(&driver);
            // The caller may be gone; then the job queue is closed, too.
            let _ = connected.send(Ok(0));
            let ending = serve(&mut driver, shared, &jobs);
            // The port must be free when the caller learns of the end.
            drop(driver);
            shared.end(ending.why);
            if let Some((reply, result)) = ending.reply {
                let _ = reply.send(result);
            }
        }
        Err(fault) => {
            shared.end(Some(fault.clone()));
            let _ = connected.send(Err(fault));
        }
    }
}

/// How a connection ended.
struct Ending {
    /// The fault, unless the caller ended it.
    why: Option<Fault>,
    /// The result of the job that it ended with.
    reply: Option<(Sender<Reply>, Reply)>,
}

fn serve(driver: &mut Driver<'_>, shared: &Shared, jobs: &Receiver<Job>) -> Ending {
    loop {
        match jobs.try_recv() {
            Ok(job) => {
                if let Some(ending) = carry_out(driver, shared, job) {
                    return ending;
                }
            }
            Err(TryRecvError::Disconnected) => {
                // Nobody is left who could be told.
                let _ = driver.disconnect();
                return Ending {
                    why: None,
                    reply: None,
                };
            }
            Err(TryRecvError::Empty) => match driver.receive(IDLE) {
                Ok(Some(message)) => shared.deliver(message),
                Ok(None) => {}
                Err(error) => {
                    return Ending {
                        why: Some(error.into()),
                        reply: None,
                    };
                }
            },
        }
    }
}

fn carry_out(driver: &mut Driver<'_>, shared: &Shared, job: Job) -> Option<Ending> {
    driver.time_limit(job.limit);
    let (result, leaves) = match job.task {
        Task::Publish(outgoing) => (publish(driver, &outgoing), false),
        Task::Disconnect => (driver.disconnect().map(|()| 0), true),
    };
    driver.time_limit(None);
    shared.learn(driver);
    let result = result.map_err(Fault::from);
    if driver.is_connected() && !leaves {
        let _ = job.reply.send(result);
        return None;
    }
    let why = if leaves { None } else { result.clone().err() };
    Some(Ending {
        why,
        reply: Some((job.reply, result)),
    })
}

fn publish(driver: &mut Driver<'_>, outgoing: &Outgoing) -> Result<u32, Error> {
    let properties: Vec<_> = outgoing
        .properties
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    let mut message = Message::new(&outgoing.payload)
        .properties(&properties)
        .delivery(outgoing.delivery);
    message.content_type = outgoing.content_type.as_deref();
    message.content_encoding = outgoing.content_encoding.as_deref();
    message.message_id = outgoing.message_id.as_deref();
    message.correlation_id = outgoing.correlation_id.as_deref();
    driver
        .publish(&message)
        .map(quectel_serial::MessageId::number)
}
