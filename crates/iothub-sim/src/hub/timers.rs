//! Deadlines in monotonic milliseconds, expiries in seconds since 1970.

use mqtt311::{Packet, PacketId};

use super::{Hub, connections::Phase};
use crate::{
    identity::Identity,
    reason::Reason,
    record::{ConnectionId, MethodId},
    time::Now,
};

/// The load balancer in front of the real hub drops a connection after this silence, in seconds.
const MAX_SILENCE_S: u64 = 1767;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// Silence of a connection: before CONNECT, or 1.5 times the keep alive.
    Silence(ConnectionId),
    /// The lock of a cloud-to-device message.
    Lock(Identity, u64),
    /// The end of a direct method call.
    Method(MethodId),
    /// A PUBACK that a fault holds back.
    Puback(ConnectionId, PacketId),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Expiry {
    Token(ConnectionId),
    Message(Identity, u64),
}

impl Hub {
    /// Lets deadlines pass. Call it at the time that [`next_poll`](Self::next_poll) gives; early and
    /// late calls are harmless.
    pub fn poll(&mut self, now: Now) {
        // Whatever a deadline starts lies in the future, so both loops end.
        while let Some((at_ms, _)) = self.timers.first()
            && *at_ms <= now.monotonic_ms
            && let Some((_, timer)) = self.timers.pop_first()
        {
            match timer {
                Timer::Silence(id) => self.silence(now, id),
                Timer::Lock(identity, number) => self.unlock(now, &identity, number),
                Timer::Method(id) => self.method_timer(now, id),
                Timer::Puback(id, packet_id) => self.send(now, id, &Packet::Puback(packet_id)),
            }
        }
        while let Some((at_s, _)) = self.expiries.first()
            && *at_s <= now.unix_s
            && let Some((_, expiry)) = self.expiries.pop_first()
        {
            match expiry {
                Expiry::Token(id) => self.token_expired(now, id),
                Expiry::Message(identity, number) => self.message_expired(now, &identity, number),
            }
        }
    }

    /// The next monotonic time in milliseconds at which [`poll`](Self::poll) has something to do.
    #[must_use]
    pub fn next_poll(&self, now: Now) -> Option<u64> {
        let timer = self.timers.first().map(|(at_ms, _)| *at_ms);
        let expiry = self.expiries.first().map(|(at_s, _)| {
            let left_s = at_s.saturating_sub(now.unix_s);
            now.monotonic_ms.saturating_add(left_s.saturating_mul(1000))
        });
        match (timer, expiry) {
            (Some(timer), Some(expiry)) => Some(timer.min(expiry)),
            (timer, expiry) => timer.or(expiry),
        }
    }

    pub(super) fn arm_connection(&mut self, id: ConnectionId) {
        self.disarm_connection(id);
        if let Some(deadline) = self.silence_ends_ms(id) {
            self.arm_silence(id, deadline);
        }
    }

    pub(super) fn disarm_connection(&mut self, id: ConnectionId) {
        let armed = self
            .connections
            .get_mut(&id)
            .and_then(|connection| connection.silence_timer_ms.take());
        if let Some(at_ms) = armed {
            self.timers.remove(&(at_ms, Timer::Silence(id)));
        }
    }

    fn arm_silence(&mut self, id: ConnectionId, at_ms: u64) {
        if let Some(connection) = self.connections.get_mut(&id) {
            connection.silence_timer_ms = Some(at_ms);
            self.timers.insert((at_ms, Timer::Silence(id)));
        }
    }

    /// Seconds of silence that a keep alive allows.
    ///
    /// Keep alive 0 is undocumented; the hub's gateway is taken to treat it as its maximum.
    const fn allowed_silence_s(keep_alive_s: u16) -> u64 {
        let allowed = keep_alive_s as u64 * 3 / 2;
        if keep_alive_s == 0 || allowed > MAX_SILENCE_S {
            MAX_SILENCE_S
        } else {
            allowed
        }
    }

    fn silence_ends_ms(&self, id: ConnectionId) -> Option<u64> {
        let connection = self.connections.get(&id)?;
        let allowed_ms = match &connection.phase {
            Phase::AwaitingConnect => self.rules.connect_timeout_ms,
            // Half a second of an odd keep alive counts, too.
            Phase::Attached(attached) if attached.keep_alive_s == 1 => 1500,
            Phase::Attached(attached) => Self::allowed_silence_s(attached.keep_alive_s) * 1000,
            Phase::Closing => return None,
        };
        Some(connection.last_received_ms.saturating_add(allowed_ms))
    }

    fn silence(&mut self, now: Now, id: ConnectionId) {
        let Some(ends_ms) = self.silence_ends_ms(id) else {
            return;
        };
        if ends_ms > now.monotonic_ms {
            // Traffic only moves the deadline; the timer follows when it fires.
            self.arm_silence(id, ends_ms);
            return;
        }
        let reason = match self.attached(id) {
            Some(attached) => Reason::KeepAlive {
                silence_s: Self::allowed_silence_s(attached.keep_alive_s),
                keep_alive_s: attached.keep_alive_s,
            },
            None => Reason::NoConnect {
                seconds: self.rules.connect_timeout_ms / 1000,
            },
        };
        self.end(now, id, reason);
    }

    fn token_expired(&mut self, now: Now, id: ConnectionId) {
        let expired = self.attached(id).and_then(|a| a.token_expires_unix_s);
        let Some(expires_unix_s) = expired else {
            return;
        };
        self.end(
            now,
            id,
            Reason::TokenExpired {
                expired_unix_s: expires_unix_s.saturating_sub(self.rules.expiry_grace_s),
                now_unix_s: now.unix_s,
            },
        );
    }
}
