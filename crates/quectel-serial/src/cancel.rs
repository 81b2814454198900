//! Ends a running flow from another thread or a signal handler.

use core::sync::atomic::{AtomicU8, Ordering};
use std::sync::Arc;

/// Ends what a [`crate::Driver`] does: it disconnects and frees the module, so that the next run finds it ready.
///
/// Clones are the same token. It may be used from a handler of Ctrl-C.
#[derive(Debug, Clone, Default)]
pub struct CancelToken {
    calls: Arc<AtomicU8>,
}

impl CancelToken {
    /// Ends the flow within a few seconds; a second call ends the cleaning up, too.
    pub fn cancel(&self) {
        // Saturates, so that 256 calls are not none.
        let more = |calls: u8| Some(calls.saturating_add(1));
        let _ = self
            .calls
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
    }

    /// Whether the flow is to end.
    pub fn is_cancelled(&self) -> bool {
        self.calls.load(Ordering::Relaxed) > 0
    }

    /// Whether it is to end without cleaning up.
    pub fn is_urgent(&self) -> bool {
        self.calls.load(Ordering::Relaxed) > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_counted_over_clones() {
        let token = CancelToken::default();
        assert!(!token.is_cancelled());
        token.clone().cancel();
        assert!(token.is_cancelled() && !token.is_urgent());
        for _ in 0..300 {
            token.cancel();
        }
        assert!(token.is_urgent());
    }
}
