//! Packet identifiers in use.

use core::num::NonZeroU16;

/// How many packets may await their acknowledgement at once; the module refuses a sixth.
///
/// # Reference
/// BG96 MQTT Application Note V1.0, AT+QMTPUB (inflight window).
pub const IN_FLIGHT: usize = 5;

/// The packet identifier of a message with QoS 1 or 2 or of a subscription, 1 to 65,535.
///
/// # Reference
/// MQTT 3.1.1, 2.3.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct PacketId(NonZeroU16);

impl PacketId {
    /// The smallest one.
    pub const FIRST: Self = Self(NonZeroU16::MIN);

    /// The identifier with this number; `None` for 0, which means QoS 0.
    pub const fn new(number: u16) -> Option<Self> {
        match NonZeroU16::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// Its number.
    pub const fn get(self) -> u16 {
        self.0.get()
    }

    /// The one after it; 1 comes after 65,535.
    const fn next(self) -> Self {
        match self.0.checked_add(1) {
            Some(number) => Self(number),
            None => Self::FIRST,
        }
    }
}

/// Gives out packet identifiers, never one that is still in flight.
///
/// ```
/// use quectel_mqtt::PacketIds;
/// let mut ids = PacketIds::new();
/// let first = ids.take().unwrap();
/// assert_eq!(first.get(), 1);
/// assert_eq!(ids.take().unwrap().get(), 2);
/// assert!(ids.release(first));
/// assert_eq!(ids.in_flight(), 1);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PacketIds {
    next: PacketId,
    taken: [Option<PacketId>; IN_FLIGHT],
}

impl Default for PacketIds {
    fn default() -> Self {
        Self::new()
    }
}

impl PacketIds {
    /// Begins with 1.
    pub const fn new() -> Self {
        Self::starting_at(PacketId::FIRST)
    }

    /// Begins with this one.
    pub const fn starting_at(next: PacketId) -> Self {
        Self {
            next,
            taken: [None; IN_FLIGHT],
        }
    }

    /// Takes the next free identifier; `None` while [`IN_FLIGHT`] are in flight.
    pub fn take(&mut self) -> Option<PacketId> {
        let free = self.taken.iter().position(Option::is_none)?;
        let mut id = self.next;
        // At most four are in flight here, so the fifth candidate is free at the latest.
        while self.contains(id) {
            id = id.next();
        }
        self.next = id.next();
        if let Some(slot) = self.taken.get_mut(free) {
            *slot = Some(id);
        }
        Some(id)
    }

    /// Gives an identifier back when its acknowledgement has come or is given up; false if it was not in flight.
    pub fn release(&mut self, id: PacketId) -> bool {
        match self.taken.iter_mut().find(|slot| **slot == Some(id)) {
            Some(slot) => {
                *slot = None;
                true
            }
            None => false,
        }
    }

    /// Gives all identifiers back, as when the connection is lost; numbering goes on.
    pub fn clear(&mut self) {
        self.taken = [None; IN_FLIGHT];
    }

    /// Whether an identifier is in flight.
    pub fn contains(&self, id: PacketId) -> bool {
        self.taken.contains(&Some(id))
    }

    /// How many are in flight.
    pub fn in_flight(&self) -> usize {
        self.taken.iter().flatten().count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn five_at_most_and_none_twice() {
        let mut ids = PacketIds::new();
        let taken: std::vec::Vec<_> = (0..5).map(|_| ids.take().unwrap()).collect();
        assert_eq!(
            taken
                .iter()
                .map(|id| id.get())
                .collect::<std::vec::Vec<_>>(),
            [1, 2, 3, 4, 5]
        );
        assert_eq!(ids.take(), None);
        assert!(ids.release(taken[2]));
        assert!(!ids.release(taken[2]));
        assert_eq!(ids.take().unwrap().get(), 6);
        ids.clear();
        assert_eq!((ids.in_flight(), ids.take().unwrap().get()), (0, 7));
    }

    #[test]
    fn wraps_to_1_and_skips_what_is_in_flight() {
        let mut ids = PacketIds::starting_at(PacketId::new(65_535).unwrap());
        let last = ids.take().unwrap();
        let first = ids.take().unwrap();
        assert_eq!((last.get(), first.get()), (65_535, 1));
        for _ in 0..70_000 {
            let id = ids.take().unwrap();
            assert!(id != last && id != first);
            assert!(ids.release(id));
        }
        assert_eq!(PacketId::new(0), None);
    }
}
