//! Records of a running hub, kept for those who ask and passed on to those who listen.

use core::time::Duration;
use std::{
    collections::VecDeque,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    time::Instant,
};

use tokio::sync::broadcast;

use crate::record::{Event, Record, Refusal};

/// Records kept for late listeners.
const KEPT: usize = 10_000;
/// Records that a slow follower may be behind.
const LIVE: usize = 4096;

#[derive(Debug, Default)]
pub(crate) struct Journal {
    kept: Mutex<Kept>,
    grown: Condvar,
}

#[derive(Debug)]
struct Kept {
    records: VecDeque<Record>,
    /// How many records have fallen out at the front.
    dropped: usize,
    listeners: Vec<Sender<Record>>,
    live: broadcast::Sender<Arc<Record>>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            records: VecDeque::new(),
            dropped: 0,
            listeners: Vec::new(),
            live: broadcast::Sender::new(LIVE),
        }
    }
}

impl Journal {
    pub(super) fn extend(&self, records: Vec<Record>) {
        if records.is_empty() {
            return;
        }
        let mut kept = self.lock();
        for record in records {
            kept.listeners
                .retain(|listener| listener.send(record.clone()).is_ok());
            if kept.live.receiver_count() > 0 {
                // A receiver that has just gone is no loss.
                let _ = kept.live.send(Arc::new(record.clone()));
            }
            kept.records.push_back(record);
            if kept.records.len() > KEPT {
                kept.records.pop_front();
                kept.dropped += 1;
            }
        }
        drop(kept);
        self.grown.notify_all();
    }

    pub(super) fn listen(&self) -> Receiver<Record> {
        let (sender, receiver) = channel();
        let mut kept = self.lock();
        for record in &kept.records {
            // The receiver is still here.
            let _ = sender.send(record.clone());
        }
        kept.listeners.push(sender);
        receiver
    }

    /// The last `past` records, and everything that follows them.
    pub(crate) fn follow(&self, past: usize) -> (Vec<Record>, broadcast::Receiver<Arc<Record>>) {
        let kept = self.lock();
        let skipped = kept.records.len().saturating_sub(past);
        let records = kept.records.iter().skip(skipped).cloned().collect();
        (records, kept.live.subscribe())
    }

    pub(crate) fn refused(&self) -> Vec<Refusal> {
        self.lock()
            .records
            .iter()
            .filter_map(|record| match &record.event {
                Event::Refused(refusal) => Some(refusal.clone()),
                _ => None,
            })
            .collect()
    }

    pub(super) fn wait_for<T>(
        &self,
        timeout: Duration,
        mut wanted: impl FnMut(&Record) -> Option<T>,
    ) -> Option<T> {
        let deadline = Instant::now() + timeout;
        let mut seen = 0;
        let mut kept = self.lock();
        loop {
            let unseen = seen.max(kept.dropped) - kept.dropped;
            let records: Vec<Record> = kept.records.iter().skip(unseen).cloned().collect();
            seen = kept.dropped + kept.records.len();
            if !records.is_empty() {
                // Unlocked, so that `wanted` may use the hub.
                drop(kept);
                if let Some(found) = records.iter().find_map(&mut wanted) {
                    return Some(found);
                }
                kept = self.lock();
                if kept.dropped + kept.records.len() > seen {
                    continue;
                }
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            (kept, _) = self
                .grown
                .wait_timeout(kept, left)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
