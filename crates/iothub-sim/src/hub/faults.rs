//! Faults on request: what networks and services do on bad days.

use std::collections::BTreeMap;

use mqtt311::{ConnectReturnCode, PacketId};

use super::{Hub, timers::Timer};
use crate::{identity::Identity, reason::Reason, record::ConnectionId, time::Now};

/// One fault for one identity.
///
/// As JSON: `"drop"`, `{"drop-pubacks": 3}`, `{"delay-pubacks": {"count": 1, "delay_ms": 500}}`. As text:
/// `drop`, `drop-pubacks = 3`, `delay-pubacks = { count = 1, delay_ms = 500 }`.
///
/// ```
/// use iothub_sim::Fault;
///
/// assert_eq!("drop-pubacks = 3".parse(), Ok(Fault::DropPubacks(3)));
/// assert_eq!("half-open".parse(), Ok(Fault::HalfOpen));
/// assert!("close-at-packet".parse::<Fault>().is_err(), "it needs a number");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Fault {
    /// Drop the connection instead of answering this packet after CONNECT, counted from now (1 is the
    /// next one).
    CloseAtPacket(u32),
    /// Leave this many QoS 1 messages unacknowledged.
    DropPubacks(u32),
    /// Acknowledge this many QoS 1 messages only after this time.
    DelayPubacks {
        /// How many.
        count: u32,
        /// How long, in milliseconds.
        delay_ms: u64,
    },
    /// The connection, or the next one if there is none, stays open and nothing is read or answered any
    /// more, until the client connects anew.
    HalfOpen,
    /// Refuse this many CONNECTs with this return code, although they are correct.
    RefuseConnects {
        /// How many.
        count: u32,
        /// With what.
        #[serde(deserialize_with = "return_code")]
        code: ConnectReturnCode,
    },
    /// Treat the open connection's token as expired now.
    ExpireToken,
    /// Answer this many twin requests with this status, for example 429 or 500, and without a body.
    TwinStatus {
        /// How many.
        count: u32,
        /// With what.
        status: u16,
    },
    /// Answer this many requests to the provisioning service with this status, for example 429; the
    /// identity is that of [`Identity::registration`].
    ProvisioningStatus {
        /// How many.
        count: u32,
        /// With what.
        status: u16,
        /// What `retry-after` asks for, in seconds.
        retry_after_s: u64,
    },
    /// Send these bytes to the client now, whatever they are.
    Garbage(Vec<u8>),
    /// Drop the connection now, without a word.
    Drop,
}

/// The text is not a fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a fault: {problem}")]
pub struct FaultError {
    text: String,
    problem: String,
}

impl core::str::FromStr for Fault {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Table {
            fault: Fault,
        }
        let text = text.trim();
        let table = if text.contains('=') {
            format!("fault = {{ {text} }}")
        } else {
            format!("fault = \"{text}\"")
        };
        match toml::from_str::<Table>(&table) {
            Ok(table) => Ok(table.fault),
            Err(error) => Err(FaultError {
                text: text.to_owned(),
                problem: error.message().to_owned(),
            }),
        }
    }
}

impl Fault {
    /// Whether it happens to an open connection at once, and does nothing without one.
    #[must_use]
    pub const fn is_immediate(&self) -> bool {
        matches!(self, Self::ExpireToken | Self::Garbage(_) | Self::Drop)
    }
}

fn return_code<'de, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<ConnectReturnCode, D::Error> {
    use serde::{Deserialize, de::Error};
    let code = u8::deserialize(deserializer)?;
    ConnectReturnCode::from_wire(code)
        .ok_or_else(|| Error::custom("the return code of a CONNACK is 0 to 5"))
}

/// Random faults, the same for the same seed and the same traffic.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "a seed and a rate")]
pub struct Chaos {
    /// Start of the random numbers.
    pub seed: u64,
    /// Packets out of a thousand that meet a fault, 0 to 1000.
    pub per_thousand: u16,
}

#[derive(Debug, Default)]
pub(super) struct Faults {
    active: BTreeMap<Identity, Active>,
    chaos: Option<(Chaos, u64)>,
}

#[derive(Debug, Default)]
struct Active {
    close_at_packet: Option<u32>,
    dropped_pubacks: u32,
    delayed_pubacks: (u32, u64),
    half_open: Option<ConnectionId>,
    half_open_next: bool,
    refused_connects: Option<(u32, ConnectReturnCode)>,
    twin_status: Option<(u32, u16)>,
    provisioning_status: Option<(u32, (u16, u64))>,
}

impl Faults {
    pub(super) fn twin_status(&mut self, identity: &Identity) -> Option<u16> {
        let armed = &mut self.active.get_mut(identity)?.twin_status;
        take_one(armed)
    }

    pub(super) fn provisioning_status(&mut self, identity: &Identity) -> Option<(u16, u64)> {
        let armed = &mut self.active.get_mut(identity)?.provisioning_status;
        take_one(armed)
    }

    pub(super) fn refusal(&mut self, identity: &Identity) -> Option<ConnectReturnCode> {
        let armed = &mut self.active.get_mut(identity)?.refused_connects;
        take_one(armed)
    }

    /// Learns of a new connection.
    pub(super) fn connected(&mut self, identity: &Identity, connection: ConnectionId) {
        if let Some(active) = self.active.get_mut(identity)
            && core::mem::take(&mut active.half_open_next)
        {
            active.half_open = Some(connection);
        }
    }

    /// A number below `bound` from the chaos, `None` without chaos.
    fn draw(&mut self, bound: u64) -> Option<u64> {
        let (_, state) = self.chaos.as_mut()?;
        // splitmix64
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Some((z ^ (z >> 31)) % bound.max(1))
    }

    /// The fault that chaos has for this packet.
    fn random(&mut self) -> Option<Fault> {
        let per_thousand = u64::from(self.chaos.as_ref()?.0.per_thousand);
        if self.draw(1000)? >= per_thousand {
            return None;
        }
        Some(match self.draw(5)? {
            0 => Fault::Drop,
            1 => Fault::DropPubacks(1),
            2 => Fault::DelayPubacks {
                count: 1,
                delay_ms: self.draw(5000)?,
            },
            3 => Fault::HalfOpen,
            _ => Fault::Garbage(vec![0xf0, 0x0f]),
        })
    }
}

fn take_one<T: Copy>(armed: &mut Option<(u32, T)>) -> Option<T> {
    let (count, value) = (*armed)?;
    *armed = (count > 1).then(|| (count - 1, value));
    (count > 0).then_some(value)
}

impl Hub {
    /// Arms a fault for an identity, or carries it out at once where it is of that kind.
    pub fn inject(&mut self, now: Now, identity: &Identity, fault: Fault) {
        let connection = self.attached.get(identity).copied();
        let active = self.faults.active.entry(identity.clone()).or_default();
        match fault {
            Fault::CloseAtPacket(count) => active.close_at_packet = Some(count),
            Fault::DropPubacks(count) => active.dropped_pubacks = count,
            Fault::DelayPubacks { count, delay_ms } => active.delayed_pubacks = (count, delay_ms),
            Fault::HalfOpen => {
                active.half_open = connection;
                active.half_open_next = connection.is_none();
            }
            Fault::RefuseConnects { count, code } => active.refused_connects = Some((count, code)),
            Fault::TwinStatus { count, status } => active.twin_status = Some((count, status)),
            Fault::ProvisioningStatus {
                count,
                status,
                retry_after_s,
            } => active.provisioning_status = Some((count, (status, retry_after_s))),
            Fault::ExpireToken | Fault::Garbage(_) | Fault::Drop => {
                if let Some(connection) = connection {
                    self.strike(now, connection, fault);
                }
            }
        }
    }

    /// Starts or ends random faults for everybody.
    pub fn set_chaos(&mut self, chaos: Option<Chaos>) {
        self.faults.chaos = chaos.map(|chaos| (chaos, chaos.seed));
    }

    /// Drops all connections as a service that restarts; sessions and queues stay.
    pub fn restart(&mut self, now: Now) {
        let mut ids: Vec<_> = self.connections.keys().copied().collect();
        ids.sort_unstable();
        for id in ids {
            self.end(now, id, Reason::OnRequest("restart".to_owned()));
        }
    }

    fn strike(&mut self, now: Now, id: ConnectionId, fault: Fault) {
        match fault {
            Fault::ExpireToken => {
                let reason = Reason::TokenExpired {
                    expired_unix_s: now.unix_s,
                    now_unix_s: now.unix_s,
                };
                self.end(now, id, reason);
            }
            Fault::Garbage(bytes) => {
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.out.extend(bytes);
                    self.ready.insert(id);
                }
            }
            _ => self.end(now, id, Reason::OnRequest("connection dropped".to_owned())),
        }
    }

    /// Whether this packet of a client is to be handled at all.
    pub(super) fn survives_faults(
        &mut self,
        now: Now,
        id: ConnectionId,
        identity: &Identity,
    ) -> bool {
        if let Some(fault) = self.faults.random() {
            self.inject(now, identity, fault);
            if self.attached(id).is_none() {
                return false;
            }
        }
        let Some(active) = self.faults.active.get_mut(identity) else {
            return true;
        };
        if active.half_open == Some(id) {
            return false;
        }
        if let Some(left) = &mut active.close_at_packet {
            *left = left.saturating_sub(1);
            if *left == 0 {
                active.close_at_packet = None;
                self.strike(now, id, Fault::Drop);
                return false;
            }
        }
        true
    }

    /// Sends PUBACK for a message, unless a fault has other plans.
    pub(super) fn acknowledge(
        &mut self,
        now: Now,
        id: ConnectionId,
        identity: &Identity,
        packet_id: PacketId,
    ) {
        if let Some(active) = self.faults.active.get_mut(identity) {
            if active.dropped_pubacks > 0 {
                active.dropped_pubacks -= 1;
                return;
            }
            let (count, delay_ms) = &mut active.delayed_pubacks;
            if *count > 0 {
                *count -= 1;
                let at_ms = now.monotonic_ms.saturating_add(*delay_ms);
                self.timers.insert((at_ms, Timer::Puback(id, packet_id)));
                return;
            }
        }
        self.send(now, id, &mqtt311::Packet::Puback(packet_id));
    }
}
