//! The clock of a running hub.

use core::sync::atomic::{AtomicU64, Ordering};
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::time::Now;

/// Which time a running hub believes it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Clock {
    /// The computer's time.
    #[default]
    System,
    /// This many seconds since 1970 at the start, then at the computer's pace.
    StartingAt(u64),
}

#[derive(Debug)]
pub(super) struct RunningClock {
    unix_start_s: u64,
    started: Instant,
    advanced_ms: AtomicU64,
}

impl RunningClock {
    pub(super) fn start(clock: Clock) -> Self {
        Self {
            unix_start_s: match clock {
                Clock::System => SystemTime::now()
                    .duration_since(UNIX_EPOCH)
                    .map_or(0, |since| since.as_secs()),
                Clock::StartingAt(unix_s) => unix_s,
            },
            started: Instant::now(),
            advanced_ms: AtomicU64::new(0),
        }
    }

    pub(super) fn now(&self) -> Now {
        let run_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        let monotonic_ms = run_ms.saturating_add(self.advanced_ms.load(Ordering::Relaxed));
        Now {
            unix_s: self.unix_start_s.saturating_add(monotonic_ms / 1000),
            monotonic_ms,
        }
    }

    pub(super) fn advance(&self, seconds: u64) {
        self.advanced_ms
            .fetch_add(seconds.saturating_mul(1000), Ordering::Relaxed);
    }
}
