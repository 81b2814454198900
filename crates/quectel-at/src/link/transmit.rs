//! The bytes on their way out.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use core::ops::Range;

use super::Payload;
use crate::{Command, DataPhase, WriteError, Writer};

/// Bytes of an upload that the module takes before it acknowledges them.
pub(super) const ACK_BLOCK: usize = 1_024;
const CTRL_Z: u8 = 0x1A;

#[derive(Clone, Copy)]
enum Source<'b> {
    None,
    Buffer,
    Borrowed(&'b [u8]),
}

/// The bytes on their way out: `AT` line CR, then the payload as far as it is allowed.
pub(super) struct Transmit<'b> {
    buf: &'b mut [u8],
    /// Length of the command line with `AT` and CR.
    line: usize,
    payload: Source<'b>,
    /// Length of the payload without Ctrl-Z.
    data_len: usize,
    /// Length of the payload with its Ctrl-Z.
    payload_len: usize,
    /// Bytes of line and payload that are out.
    sent: usize,
    /// Bytes of the payload that may go out.
    allowed: usize,
    secret: Option<Range<usize>>,
    pub(super) hide_payload: bool,
    /// The secret part of the bytes that were taken last.
    pub(super) last: Range<usize>,
}

impl<'b> Transmit<'b> {
    pub(super) fn new(buf: &'b mut [u8]) -> Self {
        Self {
            buf,
            line: 0,
            payload: Source::None,
            data_len: 0,
            payload_len: 0,
            sent: 0,
            allowed: 0,
            secret: None,
            hide_payload: false,
            last: 0..0,
        }
    }

    /// Writes the command line and keeps the payload; nothing stays behind if that fails.
    pub(super) fn load(
        &mut self,
        command: &dyn Command,
        payload: Payload<'_, 'b>,
        data: DataPhase,
    ) -> Result<(), WriteError> {
        // Bytes that were sent outside a command may still stand here.
        self.wipe();
        let loaded = self.write(command, payload, data);
        if loaded.is_err() {
            self.line = self.buf.len();
            self.wipe();
        }
        loaded
    }

    fn write(
        &mut self,
        command: &dyn Command,
        payload: Payload<'_, 'b>,
        data: DataPhase,
    ) -> Result<(), WriteError> {
        let capacity = self.buf.len();
        let overflow = WriteError::Overflow { capacity };
        let mut writer = Writer::new(self.buf);
        writer.raw("AT");
        command.encode(&mut writer);
        let encoded = writer.finish()?;
        *self.buf.get_mut(encoded.len).ok_or(overflow)? = b'\r';
        self.line = encoded.len + 1;
        (self.payload, self.data_len) = match payload {
            Payload::None => (Source::None, 0),
            Payload::Borrowed(bytes) => (Source::Borrowed(bytes), bytes.len()),
            Payload::Copied(bytes) => {
                self.buf
                    .get_mut(self.line..)
                    .and_then(|room| room.get_mut(..bytes.len()))
                    .ok_or(overflow)?
                    .copy_from_slice(bytes);
                (Source::Buffer, bytes.len())
            }
        };
        let ctrl_z = data == DataPhase::Prompt { ctrl_z: true };
        self.payload_len = self.data_len + usize::from(ctrl_z);
        self.secret = encoded.secret;
        Ok(())
    }

    pub(super) fn load_raw(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        self.wipe();
        let room = self
            .buf
            .get_mut(..bytes.len())
            .filter(|room| room.len() <= 8);
        room.ok_or(WriteError::Overflow { capacity: 8 })?
            .copy_from_slice(bytes);
        self.line = bytes.len();
        Ok(())
    }

    pub(super) fn allow(&mut self, more: usize) {
        self.allowed = self.allowed.saturating_add(more).min(self.payload_len);
    }

    pub(super) fn pending(&self) -> bool {
        self.sent < self.line + self.allowed
    }

    pub(super) fn complete(&self) -> bool {
        self.sent >= self.line + self.payload_len
    }

    pub(super) fn is_echo(&self, line: &[u8]) -> bool {
        // A CR inside the stored line is its end.
        self.buf
            .get(..self.line.saturating_sub(1))
            .is_some_and(|sent| sent == line.trim_ascii_end())
    }

    pub(super) fn payload_byte(&self, at: usize) -> Option<u8> {
        if at >= self.data_len {
            return (at < self.payload_len).then_some(CTRL_Z);
        }
        match self.payload {
            Source::None => None,
            Source::Buffer => self.buf.get(self.line + at).copied(),
            Source::Borrowed(bytes) => bytes.get(at).copied(),
        }
    }

    /// Whether the payload's byte at this place has been taken.
    pub(super) fn is_out(&self, at: usize) -> bool {
        self.line + at < self.sent
    }

    /// Copies the next bytes into `out`.
    pub(super) fn take(&mut self, out: &mut [u8]) -> usize {
        let from = self.sent;
        let line = self.buf.get(from..self.line).unwrap_or_default();
        let taken = copy(line, out);
        self.sent += taken;
        if self.allowed > 0 {
            self.take_payload(out.get_mut(taken..).unwrap_or_default());
        }
        self.last = self.hidden(from, self.sent);
        self.sent - from
    }

    /// Copies what may go out of the payload, once the line is out, into `out`.
    #[inline(never)]
    fn take_payload(&mut self, out: &mut [u8]) {
        let payload = match self.payload {
            Source::None => &[],
            Source::Buffer => self.buf.get(self.line..).unwrap_or_default(),
            Source::Borrowed(bytes) => bytes,
        };
        let Some(at) = self.sent.checked_sub(self.line) else {
            return;
        };
        let data = payload.get(at..self.allowed.min(self.data_len));
        let taken = copy(data.unwrap_or_default(), out);
        self.sent += taken;
        if at + taken == self.data_len
            && self.allowed > self.data_len
            && let Some(slot) = out.get_mut(taken)
        {
            *slot = CTRL_Z;
            self.sent += 1;
        }
    }

    /// The secret part of the bytes `from..to`, counted from `from`.
    fn hidden(&self, from: usize, to: usize) -> Range<usize> {
        let clip = |range: &Range<usize>| {
            range.start.clamp(from, to) - from..range.end.clamp(from, to) - from
        };
        let payload = self.line..self.line + self.payload_len;
        if self.hide_payload && payload.start < to && payload.end > from {
            return clip(&payload);
        }
        self.secret.as_ref().map_or(0..0, clip)
    }

    /// Clears what was sent, since it may hold a token or a key.
    pub(super) fn wipe(&mut self) {
        let used = (self.line + self.payload_len).min(self.buf.len());
        if used == 0 {
            return;
        }
        if let Some(used) = self.buf.get_mut(..used) {
            used.fill(0);
            core::hint::black_box(used);
        }
        self.line = 0;
        self.payload = Source::None;
        self.data_len = 0;
        self.payload_len = 0;
        self.sent = 0;
        self.allowed = 0;
        self.secret = None;
        self.hide_payload = false;
    }
}

impl core::fmt::Debug for Transmit<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(
            f,
            "Transmit({} of {} bytes sent)",
            self.sent,
            self.line + self.payload_len
        )
    }
}

/// Copies as many bytes as there are and as fit, and returns how many.
fn copy(from: &[u8], to: &mut [u8]) -> usize {
    let n = from.len().min(to.len());
    if let (Some(from), Some(to)) = (from.get(..n), to.get_mut(..n)) {
        to.copy_from_slice(from);
    }
    n
}
