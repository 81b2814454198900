//! What the tasks of a running hub share, and the tasks that serve nobody in particular.

use core::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};
use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore, oneshot, watch},
};

use super::{
    ServerOptions, clock::RunningClock, connection::serve, journal::Journal, saving::Saving,
};
use crate::{
    hub::Hub,
    identity::Identity,
    method::{MethodCall, MethodError, MethodOutcome},
    record::{ConnectionId, Event, MethodId, Record},
    state_folder::StateFolder,
    time::Now,
    tls::TlsServer,
};

/// Feedback kept for a service that does not fetch it.
const MAX_FEEDBACK: usize = 1000;

/// What all tasks of a running hub share.
pub(crate) struct Shared {
    hub: Mutex<Hub>,
    pub(super) clock: RunningClock,
    pub(crate) journal: Journal,
    /// Wakes the task of a connection that has something to transmit.
    wakers: Mutex<HashMap<ConnectionId, Arc<Notify>>>,
    pub(super) timers_changed: Notify,
    /// When the timer task wakes, in the hub's monotonic milliseconds.
    wakes_at_ms: AtomicU64,
    pub(super) free: Semaphore,
    pub(super) max_connections: u32,
    pub(super) handshake_delay: Duration,
    pub(crate) stopping: watch::Sender<bool>,
    pub(super) saving: Option<Saving>,
    /// Who waits for the end of a method call.
    callers: Mutex<HashMap<MethodId, oneshot::Sender<MethodOutcome>>>,
    /// Feedback on cloud-to-device messages that nobody has fetched.
    feedback: Mutex<Feedback>,
}

/// Feedback that waits, each with the number that locks it.
#[derive(Debug, Default)]
pub(crate) struct Feedback {
    waiting: VecDeque<(u64, Record)>,
    last: u64,
}

impl Feedback {
    fn push(&mut self, record: Record) {
        self.last += 1;
        self.waiting.push_back((self.last, record));
        if self.waiting.len() > MAX_FEEDBACK {
            self.waiting.pop_front();
        }
    }

    pub(crate) fn oldest(&self) -> Option<(u64, &Record)> {
        let (token, record) = self.waiting.front()?;
        Some((*token, record))
    }

    pub(crate) fn remove_oldest(&mut self) {
        self.waiting.pop_front();
    }
}

impl Shared {
    pub(super) fn new(hub: Hub, options: &ServerOptions, folder: Option<StateFolder>) -> Self {
        let most = options.max_connections.min(Semaphore::MAX_PERMITS);
        let saving = folder.map(|folder| Saving::new(folder, hub.changes()));
        Self {
            saving,
            callers: Mutex::default(),
            feedback: Mutex::default(),
            hub: Mutex::new(hub),
            clock: RunningClock::start(options.clock),
            journal: Journal::default(),
            wakers: Mutex::default(),
            timers_changed: Notify::new(),
            wakes_at_ms: AtomicU64::new(u64::MAX),
            free: Semaphore::new(most),
            handshake_delay: options.handshake_delay,
            max_connections: u32::try_from(most).unwrap_or(u32::MAX),
            stopping: watch::Sender::new(false),
        }
    }

    /// Acts on the hub, then passes on what that has caused.
    pub(crate) fn with_hub<T>(&self, act: impl FnOnce(&mut Hub, Now) -> T) -> T {
        let mut hub = self.lock_hub();
        let now = self.clock.now();
        let before = hub.changes();
        let result = act(&mut hub, now);
        let records = hub.take_records();
        self.pass_on(&records);
        self.journal.extend(records);
        let ready = hub.take_ready();
        let next_ms = hub.next_poll(now).unwrap_or(u64::MAX);
        if let Some(saving) = &self.saving
            && hub.changes() > before
        {
            saving.changed(hub.changes(), &ready);
        }
        drop(hub);
        if next_ms < self.wakes_at_ms.load(Ordering::Relaxed) {
            self.timers_changed.notify_one();
        }
        self.wake(&ready);
        result
    }

    pub(super) fn wake(&self, ready: &[ConnectionId]) {
        if !ready.is_empty() {
            let wakers = self.wakers();
            for waker in ready.iter().filter_map(|id| wakers.get(id)) {
                waker.notify_one();
            }
        }
    }

    /// Calls a method; the outcome comes later.
    pub(crate) fn call(
        &self,
        identity: &Identity,
        call: MethodCall,
    ) -> Result<oneshot::Receiver<MethodOutcome>, MethodError> {
        self.with_hub(|hub, now| {
            let id = hub.invoke_method(now, identity, call)?;
            let (sender, receiver) = oneshot::channel();
            // Still under the hub's lock: the outcome cannot have been passed on yet.
            locked(&self.callers).insert(id, sender);
            Ok(receiver)
        })
    }

    /// The oldest feedback, to be removed or kept by the caller.
    pub(crate) fn feedback(&self) -> MutexGuard<'_, Feedback> {
        locked(&self.feedback)
    }

    fn pass_on(&self, records: &[Record]) {
        for record in records {
            match &record.event {
                Event::MethodEnded { id, outcome, .. } => {
                    if let Some(caller) = locked(&self.callers).remove(id) {
                        // The caller may have given up.
                        let _ = caller.send(outcome.clone());
                    }
                }
                Event::CloudToDevice {
                    wants_feedback: true,
                    ..
                } => locked(&self.feedback).push(record.clone()),
                _ => {}
            }
        }
    }

    pub(super) fn lock_hub(&self) -> MutexGuard<'_, Hub> {
        locked(&self.hub)
    }

    pub(super) fn wakers(&self) -> MutexGuard<'_, HashMap<ConnectionId, Arc<Notify>>> {
        locked(&self.wakers)
    }

    pub(super) fn stop(&self) {
        self.stopping.send_replace(true);
        self.with_hub(Hub::stop);
        self.save_and_release();
    }
}

pub(super) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) async fn accept(shared: Arc<Shared>, listener: TcpListener, tls: TlsServer) {
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

pub(super) async fn run_timers(shared: Arc<Shared>) {
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
