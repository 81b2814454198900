//! A stream of bytes to a stream of packets.

use crate::{DecodeError, Packet, decode};

/// An idle buffer larger than this is given back, so that ten thousand quiet connections stay small.
const KEPT_CAPACITY: usize = 4096;

/// Collects the bytes of one connection and yields its packets.
///
/// Memory stays within the packet limit plus what was pushed since the last packet was taken; a
/// hostile length field is refused before anything is stored for it.
///
/// ```
/// use mqtt311::{Decoder, Packet};
///
/// let mut decoder = Decoder::new(1024);
/// decoder.push(&[0xc0, 0x00, 0xe0]);
/// assert_eq!(decoder.next_packet(), Ok(Some(Packet::Pingreq)));
/// assert_eq!(decoder.next_packet(), Ok(None));
/// decoder.push(&[0x00]);
/// assert_eq!(decoder.next_packet(), Ok(Some(Packet::Disconnect)));
/// ```
#[derive(Debug)]
pub struct Decoder {
    buffer: Vec<u8>,
    taken: usize,
    max_packet: usize,
    failed: Option<DecodeError>,
}

impl Decoder {
    /// A decoder that refuses packets longer than `max_packet` bytes, fixed header included.
    #[must_use]
    pub const fn new(max_packet: usize) -> Self {
        Self {
            buffer: Vec::new(),
            taken: 0,
            max_packet,
            failed: None,
        }
    }

    /// Changes the longest packet accepted, in bytes with the fixed header: a server allows little
    /// before CONNECT and more after.
    pub const fn set_max_packet(&mut self, max_packet: usize) {
        self.max_packet = max_packet;
    }

    /// Appends received bytes; take the packets out before the next call.
    ///
    /// After an error the bytes are dropped: there is no way back into the stream.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        if self.taken > 0 {
            self.buffer.drain(..self.taken);
            self.taken = 0;
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole packet, or `None` until more bytes arrive.
    ///
    /// # Errors
    ///
    /// The stream is not MQTT 3.1.1 any more. The error is final and comes back on every call.
    pub fn next_packet(&mut self) -> Result<Option<Packet>, DecodeError> {
        if let Some(error) = self.failed {
            return Err(error);
        }
        let unread = self.buffer.get(self.taken..).unwrap_or_default();
        match decode(unread, self.max_packet) {
            Ok(Some((packet, consumed))) => {
                self.taken += consumed;
                if self.taken >= self.buffer.len() {
                    self.release();
                }
                Ok(Some(packet))
            }
            Ok(None) => Ok(None),
            Err(error) => {
                self.failed = Some(error);
                self.release();
                Err(error)
            }
        }
    }

    /// How many received bytes wait for the rest of their packet.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.buffer.len() - self.taken
    }

    fn release(&mut self) {
        self.taken = 0;
        self.buffer.clear();
        self.buffer.shrink_to(KEPT_CAPACITY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_final() {
        let mut decoder = Decoder::new(64);
        decoder.push(&[0xc0, 0x00, 0xff]);
        assert_eq!(decoder.next_packet(), Ok(Some(Packet::Pingreq)));
        let error = Err(DecodeError::PacketType(0xff));
        assert_eq!(decoder.next_packet(), error);
        decoder.push(&[0xc0, 0x00]);
        assert_eq!(decoder.next_packet(), error);
        assert_eq!(decoder.buffered(), 0);
    }

    #[test]
    fn a_hostile_length_stores_nothing() {
        let mut decoder = Decoder::new(256 * 1024);
        decoder.push(&[0x30, 0xff, 0xff, 0xff, 0x7f]);
        assert!(matches!(
            decoder.next_packet(),
            Err(DecodeError::TooLarge {
                size: 268_435_460,
                ..
            })
        ));
        decoder.push(&[0; 1000]);
        assert_eq!(decoder.buffered(), 0);
        assert!(decoder.buffer.capacity() <= KEPT_CAPACITY);
    }

    #[test]
    fn a_large_packet_leaves_no_large_buffer() {
        let mut decoder = Decoder::new(256 * 1024);
        let mut bytes = vec![0x30, 0x80, 0x80, 0x04, 0x00, 0x01, b't'];
        bytes.resize(4 + 65_536, 7);
        for chunk in bytes.chunks(1000) {
            assert_eq!(decoder.next_packet(), Ok(None));
            decoder.push(chunk);
        }
        assert!(matches!(
            decoder.next_packet(),
            Ok(Some(Packet::Publish(_)))
        ));
        assert!(decoder.buffer.capacity() <= KEPT_CAPACITY);
    }
}
