//! Things that happen later, in order of time and then of scheduling.

use std::collections::{BTreeMap, BTreeSet};

use super::Module;

/// Something to do with the module.
pub(crate) type Action = Box<dyn FnOnce(&mut Module) + Send>;

/// Names a scheduled action so that it can be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct TimerId(u64, u64);

impl TimerId {
    /// When it is due.
    pub(crate) const fn at_ms(self) -> u64 {
        self.0
    }
}

#[derive(Default)]
pub(crate) struct Timers {
    order: BTreeSet<TimerId>,
    actions: BTreeMap<u64, Action>,
    next: u64,
}

impl Timers {
    pub(crate) fn add(&mut self, at_ms: u64, action: Action) -> TimerId {
        self.next += 1;
        let id = TimerId(at_ms, self.next);
        self.order.insert(id);
        self.actions.insert(self.next, action);
        id
    }

    pub(crate) fn cancel(&mut self, id: TimerId) {
        self.order.remove(&id);
        self.actions.remove(&id.1);
    }

    pub(crate) fn clear(&mut self) {
        self.order.clear();
        self.actions.clear();
    }

    pub(crate) fn next_at(&self) -> Option<u64> {
        self.order.first().map(|id| id.0)
    }

    /// Takes the earliest action that is due, with the time it was due.
    pub(crate) fn take_due(&mut self, now: u64) -> Option<(u64, Action)> {
        let id = *self.order.first()?;
        if id.0 > now {
            return None;
        }
        self.order.remove(&id);
        Some((id.0, self.actions.remove(&id.1)?))
    }
}

impl Module {
    /// Does this in so many milliseconds of profile time, which the timing factor scales.
    pub(crate) fn after(
        &mut self,
        profile_ms: u64,
        action: impl FnOnce(&mut Self) + Send + 'static,
    ) -> TimerId {
        let at = self.now + self.scaled(profile_ms);
        self.timers.add(at, Box::new(action))
    }

    /// Does this in exactly so many milliseconds: a timeout that the host configured.
    pub(crate) fn after_exactly(
        &mut self,
        ms: u64,
        action: impl FnOnce(&mut Self) + Send + 'static,
    ) -> TimerId {
        let at = self.now.saturating_add(ms);
        self.timers.add(at, Box::new(action))
    }

    /// Profile time to module time.
    pub(crate) fn scaled(&self, profile_ms: u64) -> u64 {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "milliseconds far below 2^52"
        )]
        let scaled = (profile_ms as f64 * self.factor.max(0.0)) as u64;
        scaled
    }
}
