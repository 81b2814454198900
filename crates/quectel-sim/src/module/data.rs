//! Data mode: uploads, transparent connections, and the `+++` that leaves them.

use super::{
    Group, Module,
    input::{Mode, Plus},
};
use crate::conn::Owner;

/// Silence before and after `+++`, and the longest time between the characters.
const ESCAPE_GUARD_MS: u64 = 1000;

impl Module {
    /// Enters the transparent mode of a connection.
    pub(super) fn open_transparent(&mut self, owner: Owner) {
        self.write_final("CONNECT");
        self.input.plus = Plus::default();
        self.input.mode = Mode::Transparent(owner);
        match owner {
            Owner::Tcp(id) => self.tell_received(id),
            Owner::Ssl(id) => self.tell_ssl_received(id),
            Owner::Mqtt(_) => {}
        }
    }

    /// Leaves transparent mode because the connection is gone; false when it was not in it.
    pub(crate) fn leave_transparent(&mut self, owner: Owner) -> bool {
        let inside = self.is_transparent(owner);
        if inside {
            self.input.mode = Mode::Line;
            self.write_final("NO CARRIER");
            self.flush_urcs();
        }
        inside
    }

    /// Whether the UART belongs to this connection.
    pub(crate) fn is_transparent(&self, owner: Owner) -> bool {
        matches!(self.input.mode, Mode::Transparent(inside) if inside == owner)
    }

    /// A byte of the host in transparent mode: sent in packets, or after a pause.
    fn transparent_byte(&mut self, owner: Owner, byte: u8) {
        let size =
            usize::try_from(self.item_number(Group::Tcp, "transpktsize", 0, 0)).unwrap_or(1024);
        let wait_ms = self.item_number(Group::Tcp, "transwaittm", 0, 0) * 100;
        self.input.outgoing.push(byte);
        let old = self.input.flush.take();
        self.cancel(old);
        if self.input.outgoing.len() >= size {
            self.flush_transparent(owner);
        } else {
            self.input.flush =
                Some(self.after_exactly(wait_ms, move |module| module.flush_transparent(owner)));
        }
    }

    fn flush_transparent(&mut self, owner: Owner) {
        let bytes = core::mem::take(&mut self.input.outgoing);
        let socket = match owner {
            Owner::Tcp(id) => self.sockets.get(id).map(|entry| entry.socket),
            Owner::Ssl(id) => self.ssl.get(id).map(|entry| entry.socket),
            Owner::Mqtt(_) => None,
        };
        if let Some(socket) = socket
            && !bytes.is_empty()
        {
            self.send_on(socket, &bytes);
        }
    }

    pub(super) fn data_byte(&mut self, byte: u8, last_ms: u64) {
        let quiet_before = self.now.saturating_sub(last_ms) >= ESCAPE_GUARD_MS;
        let held = self.input.plus.count;
        let old = self.input.plus.timer.take();
        self.cancel(old);
        if byte == b'+' && held < 3 && (held > 0 || quiet_before) {
            self.input.plus.count = held + 1;
            // Either the guard time passes and this was the escape sequence, or these were data.
            self.input.plus.timer =
                Some(self.after_exactly(ESCAPE_GUARD_MS, Self::escape_guard_passed));
            return;
        }
        self.input.plus.count = 0;
        for _ in 0..held {
            self.store_data_byte(b'+');
        }
        self.store_data_byte(byte);
    }

    fn escape_guard_passed(&mut self) {
        let held = core::mem::take(&mut self.input.plus.count);
        self.input.plus.timer = None;
        if held == 3 {
            match self.input.mode {
                Mode::Transparent(_) => {
                    self.input.mode = Mode::Line;
                    self.write_final("OK");
                    self.flush_urcs();
                }
                Mode::Transfer(_) => self.end_of_data(),
                _ => {}
            }
        } else {
            for _ in 0..held {
                self.store_data_byte(b'+');
            }
        }
    }

    fn store_data_byte(&mut self, byte: u8) {
        match &self.input.mode {
            Mode::Transparent(owner) => {
                let owner = *owner;
                self.transparent_byte(owner, byte);
            }
            Mode::Transfer(transfer) => {
                let (want, silence, ack) = (transfer.want, transfer.silence_ms, transfer.ack);
                self.input.received += 1;
                // CTS stops a host in time, and so do acknowledged blocks.
                let guarded = ack || self.session.ifc.1 == 2;
                if !guarded && self.faults.loses_byte(self.input.received) {
                    return self.restart_silence(silence);
                }
                self.input.data.push(byte);
                let got = self.input.data.len();
                if ack && got.is_multiple_of(1024) {
                    self.write_raw(b"A");
                }
                if got >= want {
                    self.end_of_data();
                } else {
                    self.restart_silence(silence);
                }
            }
            // The count was reached while plus signs were held back: the rest is command text.
            Mode::Line => self.line_byte(byte),
            Mode::Prompt(_) => self.prompt_byte(byte),
        }
    }
}
