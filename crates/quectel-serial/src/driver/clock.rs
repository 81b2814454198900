//! The driver's clock.

use core::time::Duration;
use std::time::Instant;

/// Whole milliseconds.
pub(super) fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Time since the driver was made.
pub(super) struct Clock {
    start: Instant,
    /// Time that tests pass by hand.
    #[cfg(test)]
    pub(super) by_hand: Option<Box<dyn Fn() -> u64 + Send>>,
}

impl Default for Clock {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            #[cfg(test)]
            by_hand: None,
        }
    }
}

impl Clock {
    pub(super) fn now(&self) -> Duration {
        #[cfg(test)]
        if let Some(by_hand) = &self.by_hand {
            return Duration::from_millis(by_hand());
        }
        self.start.elapsed()
    }

    pub(super) fn now_ms(&self) -> u64 {
        ms(self.now())
    }
}
