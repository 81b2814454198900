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
/// Bytes of kept telemetry.
const KEPT_BYTES: usize = 64 * 1024 * 1024;
/// Records that a slow follower may be behind.
const LIVE: usize = 1024;

#[derive(Debug, Default)]
pub(crate) struct Journal {
    kept: Mutex<Kept>,
    grown: Condvar,
}

#[derive(Debug)]
struct Kept {
    records: VecDeque<Arc<Record>>,
    /// How many records have fallen out at the front.
    dropped: usize,
    /// Telemetry in `records`, in bytes.
    bytes: usize,
    listeners: Vec<Sender<Record>>,
    live: broadcast::Sender<Arc<Record>>,
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            records: VecDeque::new(),
            dropped: 0,
            bytes: 0,
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
            kept.bytes += telemetry_bytes(&record);
            let record = Arc::new(record);
            // Nobody there to receive is no loss.
            let _ = kept.live.send(record.clone());
            kept.records.push_back(record);
            while kept.records.len() > KEPT || kept.bytes > KEPT_BYTES {
                let Some(oldest) = kept.records.pop_front() else {
                    break;
                };
                kept.bytes -= telemetry_bytes(&oldest);
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
            let _ = sender.send(Record::clone(record));
        }
        kept.listeners.push(sender);
        receiver
    }

    /// The last `past` records that are wanted, and everything that follows them.
    pub(crate) fn follow(
        &self,
        past: usize,
        wanted: impl Fn(&Record) -> bool,
    ) -> (VecDeque<Arc<Record>>, broadcast::Receiver<Arc<Record>>) {
        let kept = self.lock();
        let mut records = VecDeque::new();
        let newest_first = kept.records.iter().rev();
        for record in newest_first.filter(|record| wanted(record)).take(past) {
            records.push_front(record.clone());
        }
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
            let records: Vec<Arc<Record>> = kept.records.iter().skip(unseen).cloned().collect();
            seen = kept.dropped + kept.records.len();
            if !records.is_empty() {
                // Unlocked, so that `wanted` may use the hub.
                drop(kept);
                if let Some(found) = records.iter().find_map(|record| wanted(record)) {
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

fn telemetry_bytes(record: &Record) -> usize {
    match &record.event {
        Event::Telemetry(telemetry) => telemetry.payload.len() + telemetry.topic.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{identity::Identity, properties::Properties, record::Telemetry, time::Now};

    fn telemetry(bytes: usize) -> Record {
        Record {
            at: Now::default(),
            event: Event::Telemetry(Telemetry {
                identity: Identity::device("h.net", "d"),
                topic: String::new(),
                properties: Properties::default(),
                payload: vec![0; bytes],
                qos: 0,
                is_will: false,
                warnings: Vec::new(),
            }),
        }
    }

    #[test]
    fn what_is_kept_is_bounded() {
        let journal = Journal::default();
        for _ in 0..KEPT + 5 {
            journal.extend(vec![telemetry(10)]);
        }
        assert_eq!(journal.follow(usize::MAX, |_| true).0.len(), KEPT);
        assert_eq!(journal.follow(usize::MAX, |_| false).0.len(), 0);
        for _ in 0..300 {
            journal.extend(vec![telemetry(256 * 1024)]);
        }
        assert_eq!(journal.follow(usize::MAX, |_| true).0.len(), 256);
        assert_eq!(journal.follow(3, |_| true).0.len(), 3);
        assert!(
            journal
                .wait_for(Duration::ZERO, |record| Some(record.clone()))
                .is_some()
        );
    }
}
