//! Limits of a hub's tier: rates and the daily quota.

use mqtt311::PacketId;

use super::{Hub, timers::Timer};
use crate::{
    config::Throttle, identity::Identity, reason::Reason, record::ConnectionId, time::Now,
    warning::Warning,
};

/// Messages are counted in blocks of this many bytes.
const BLOCK: usize = 4096;
const DAY_S: u64 = 86_400;
const SECOND_US: u64 = 1_000_000;

/// What a hub has used of its limits.
#[derive(Debug, Default)]
pub(super) struct Meters {
    connections: Meter,
    telemetry: Meter,
    twin_reads: Meter,
    twin_updates: Meter,
    /// Day since 1970, and blocks used in it.
    used: (u64, u64),
}

/// Counts events against a rate; a second's worth may come at once.
#[derive(Debug, Default)]
pub(super) struct Meter {
    /// When the rate would be kept again.
    even_at_us: u64,
}

impl Meter {
    /// How long the next event is late at this rate (events in `per_us`), in milliseconds.
    fn late_ms(&self, now: Now, rate: u32, per_us: u64) -> u64 {
        let now_us = now.monotonic_ms.saturating_mul(1000);
        let burst_us = per_us.saturating_sub(interval_us(rate, per_us));
        let late_us = self
            .even_at_us
            .saturating_sub(now_us.saturating_add(burst_us));
        late_us.div_ceil(1000)
    }

    fn count(&mut self, now: Now, rate: u32, per_us: u64) {
        let now_us = now.monotonic_ms.saturating_mul(1000);
        let from_us = self.even_at_us.max(now_us);
        self.even_at_us = from_us.saturating_add(interval_us(rate, per_us));
    }

    /// Counts the event if it is within the rate.
    fn passes(&mut self, now: Now, rate: u32, per_us: u64) -> bool {
        let passes = self.late_ms(now, rate, per_us) == 0;
        if passes {
            self.count(now, rate, per_us);
        }
        passes
    }
}

const fn interval_us(rate: u32, per_us: u64) -> u64 {
    let rate = if rate == 0 { 1 } else { rate };
    per_us / rate as u64
}

/// A request about a twin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TwinRequest {
    Read,
    Update,
}

impl Hub {
    /// Sets or ends the limits of a tier; what was used of the day's quota stays used.
    pub const fn set_throttle(&mut self, throttle: Option<Throttle>) {
        self.rules.throttle = throttle;
    }

    fn meters(&mut self, host: &str) -> Option<(&mut Meters, Throttle)> {
        let throttle = self.rules.throttle?;
        let hub = self.hubs.iter_mut().find(|hub| hub.host == host)?;
        Some((&mut hub.meters, throttle))
    }

    /// Judges one more connection to a hub.
    pub(super) fn throttle_connection(&mut self, now: Now, host: &str) -> Result<(), Reason> {
        let Some((meters, throttle)) = self.meters(host) else {
            return Ok(());
        };
        if let Some(limit) = throttle.messages_per_day
            && meters.used_today(now) >= limit
        {
            return Err(Reason::QuotaExceeded { limit });
        }
        match throttle.connections_per_s {
            Some(limit) if !meters.connections.passes(now, limit, SECOND_US) => {
                let what = "connections a second";
                Err(Reason::Throttled { what, limit })
            }
            _ => Ok(()),
        }
    }

    /// Judges a message of this size; how late its PUBACK is to be, in milliseconds.
    pub(super) fn throttle_telemetry(
        &mut self,
        now: Now,
        identity: &Identity,
        size: usize,
    ) -> Result<u64, Reason> {
        let Some((meters, throttle)) = self.meters(&identity.hub) else {
            return Ok(0);
        };
        if let Some(limit) = throttle.messages_per_day {
            if meters.used_today(now) >= limit {
                return Err(Reason::QuotaExceeded { limit });
            }
            let blocks = size.div_ceil(BLOCK).max(1);
            meters.used.1 = meters.used.1.saturating_add(blocks as u64);
        }
        let Some(limit) = throttle.telemetry_per_s else {
            return Ok(0);
        };
        let late_ms = meters.telemetry.late_ms(now, limit, SECOND_US);
        if late_ms > throttle.longest_delay_ms {
            let what = "messages a second";
            return Err(Reason::Throttled { what, limit });
        }
        meters.telemetry.count(now, limit, SECOND_US);
        if late_ms > 0 {
            let what = "messages a second";
            self.warn(now, identity, Warning::Throttled { what, limit });
        }
        Ok(late_ms)
    }

    /// Whether a twin request is within the limits.
    pub(super) fn twin_passes(
        &mut self,
        now: Now,
        identity: &Identity,
        request: TwinRequest,
    ) -> bool {
        let Some((meters, throttle)) = self.meters(&identity.hub) else {
            return true;
        };
        let (meter, limit, what) = match request {
            TwinRequest::Read => (
                &mut meters.twin_reads,
                throttle.twin_reads_per_s,
                "twin reads a second",
            ),
            TwinRequest::Update => (
                &mut meters.twin_updates,
                throttle.twin_updates_per_s,
                "twin updates a second",
            ),
        };
        let Some(limit) = limit else {
            return true;
        };
        let passes = meter.passes(now, limit, SECOND_US);
        if !passes {
            self.warn(now, identity, Warning::Throttled { what, limit });
        }
        passes
    }

    /// The limit of registrations in a minute, if one more exceeds it.
    pub(super) fn throttle_registration(&mut self, now: Now) -> Option<u32> {
        let limit = self.rules.throttle?.registrations_per_min?;
        let passes = self.registration_meter.passes(now, limit, 60 * SECOND_US);
        (!passes).then_some(limit)
    }

    /// Sends PUBACK when a throttled message's turn has come.
    pub(super) fn acknowledge_late(
        &mut self,
        now: Now,
        id: ConnectionId,
        identity: &Identity,
        packet_id: PacketId,
        late_ms: u64,
    ) {
        if late_ms == 0 {
            return self.acknowledge(now, id, identity, packet_id);
        }
        let at_ms = now.monotonic_ms.saturating_add(late_ms);
        self.timers.insert((at_ms, Timer::Puback(id, packet_id)));
    }
}

impl Meters {
    fn used_today(&mut self, now: Now) -> u64 {
        let today = now.unix_s / DAY_S;
        if self.used.0 != today {
            self.used = (today, 0);
        }
        self.used.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(monotonic_ms: u64) -> Now {
        Now {
            unix_s: 0,
            monotonic_ms,
        }
    }

    #[test]
    fn a_second_s_worth_then_the_rate() {
        let mut meter = Meter::default();
        let burst = (0..20)
            .filter(|_| meter.passes(at(5000), 10, SECOND_US))
            .count();
        assert_eq!(burst, 10);
        assert_eq!(meter.late_ms(at(5000), 10, SECOND_US), 100);
        let steady = (0..100)
            .filter(|tick| meter.passes(at(5050 + tick * 50), 10, SECOND_US))
            .count();
        assert_eq!(steady, 50, "every other tick");
        assert!(
            Meter::default().passes(at(0), 0, SECOND_US),
            "no division by zero"
        );
    }
}
