//! Nothing is acknowledged before the state folder has it.
//!
//! What a change has caused waits until the change is on disk: bytes for devices, answers of the service
//! side, calls of [`LocalHub`](super::LocalHub). Changes that come while a state is being written wait
//! together for the next one. Telemetry changes nothing and does not wait.

use core::time::Duration;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::Instant,
};

use tokio::sync::{Notify, watch};

use super::shared::{Shared, locked};
use crate::{
    record::{ConnectionId, Event, Record},
    state_folder::StateFolder,
};

/// After a failure, the time until the next attempt; also the longest pause between two states.
const RETRY: Duration = Duration::from_millis(500);

/// A state folder, and who waits for it.
pub(super) struct Saving {
    written: Mutex<Written>,
    /// Tells the saving task that there is something to save.
    unsaved: Notify,
    /// Changes that nobody has to wait for any more.
    settled: watch::Sender<u64>,
    /// Connections whose next bytes tell of a change that is not saved yet.
    held: Mutex<HashMap<ConnectionId, u64>>,
}

/// The state folder, and what it holds already.
struct Written {
    folder: StateFolder,
    changes: u64,
    /// The last attempt failed, and a record says so.
    failing: bool,
    /// The folder belongs to others now.
    released: bool,
}

impl Saving {
    /// `changes` is what the folder's state contains.
    pub(super) fn new(folder: StateFolder, changes: u64) -> Self {
        Self {
            written: Mutex::new(Written {
                folder,
                changes,
                failing: false,
                released: false,
            }),
            unsaved: Notify::new(),
            settled: watch::Sender::new(changes),
            held: Mutex::default(),
        }
    }

    /// Holds the bytes of these connections back until this change is saved.
    ///
    /// Called under the hub's lock, so that the change cannot be saved in between.
    pub(super) fn changed(&self, changes: u64, told: &[ConnectionId]) {
        if *self.settled.borrow() < changes {
            let mut held = locked(&self.held);
            held.extend(told.iter().map(|id| (*id, changes)));
        }
        self.unsaved.notify_one();
    }

    fn is_settled(&self, changes: u64) -> bool {
        *self.settled.borrow() >= changes
    }
}

impl Shared {
    /// Whether a connection's bytes must stay in the hub for now; it is woken when they may leave.
    pub(super) fn is_held(&self, id: ConnectionId) -> bool {
        let saving = self.saving.as_ref();
        saving.is_some_and(|saving| locked(&saving.held).contains_key(&id))
    }

    pub(super) fn forget_held(&self, id: ConnectionId) {
        if let Some(saving) = &self.saving {
            locked(&saving.held).remove(&id);
        }
    }

    /// Waits until all changes so far are saved, or cannot be.
    pub(crate) async fn saved(&self) {
        let Some(saving) = &self.saving else {
            return;
        };
        let changes = self.lock_hub().changes();
        let mut settled = saving.settled.subscribe();
        // The sender lives as long as the hub.
        let _ = settled.wait_for(|settled| *settled >= changes).await;
    }

    /// As [`saved`](Self::saved), for callers that may block.
    pub(super) fn save_now(&self) {
        let Some(saving) = &self.saving else {
            return;
        };
        let changes = self.lock_hub().changes();
        if !saving.is_settled(changes) {
            self.save();
        }
    }

    /// Saves what has changed; a failure becomes a record once, and nobody waits for it.
    pub(super) fn save(&self) {
        let Some(saving) = &self.saving else {
            return;
        };
        let mut written = locked(&saving.written);
        let hub = self.lock_hub();
        let changes = hub.changes();
        if written.released || (changes == written.changes && !written.failing) {
            return;
        }
        let state = hub.save();
        drop(hub);
        match written.folder.save(&state) {
            Ok(()) => {
                written.changes = changes;
                written.failing = false;
            }
            Err(error) if !written.failing => {
                written.failing = true;
                let event = Event::StateNotSaved {
                    problem: error.to_string(),
                };
                let at = self.clock.now();
                self.journal.extend(vec![Record { at, event }]);
            }
            Err(_) => {}
        }
        drop(written);
        self.settle(saving, changes);
    }

    /// Saves for the last time and lets other hubs use the folder.
    pub(super) fn save_and_release(&self) {
        self.save();
        if let Some(saving) = &self.saving {
            let mut written = locked(&saving.written);
            written.released = true;
            written.folder.release();
            drop(written);
            // What still happens belongs to no state.
            self.settle(saving, u64::MAX);
        }
    }

    fn settle(&self, saving: &Saving, changes: u64) {
        saving.settled.send_if_modified(|settled| {
            let more = *settled < changes;
            *settled = (*settled).max(changes);
            more
        });
        let mut free = Vec::new();
        locked(&saving.held).retain(|id, change| {
            let held = *change > changes;
            if !held {
                free.push(*id);
            }
            held
        });
        self.wake(&free);
    }
}

/// Saves changes as they come, never more than half of the time.
pub(super) async fn save_changes(shared: Arc<Shared>) {
    let Some(saving) = &shared.saving else {
        return;
    };
    let mut stopping = shared.stopping.subscribe();
    loop {
        tokio::select! {
            () = saving.unsaved.notified() => {}
            // A folder that could not be written may be back.
            () = tokio::time::sleep(RETRY) => {}
            _ = stopping.wait_for(|stop| *stop) => return,
        }
        let started = Instant::now();
        let saver = shared.clone();
        // Only a panic or the end of the runtime ends it early; the next round tries again.
        let _ = tokio::task::spawn_blocking(move || saver.save()).await;
        tokio::time::sleep(started.elapsed().min(RETRY)).await;
    }
}
