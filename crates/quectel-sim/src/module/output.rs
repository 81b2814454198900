//! What the module writes: echo, information responses, result codes, URCs; and how fast the UART passes it on.

use std::collections::VecDeque;

use super::{Module, log::LogKind};
use crate::faults::Place;

/// Between the pieces of a split answer.
const SPLIT_PAUSE_MS: u64 = 20;
/// Held-back URCs beyond this are dropped, oldest first.
const URCS_HELD: usize = 256;

pub(super) struct Output {
    bytes: VecDeque<u8>,
    /// Bytes taken so far.
    taken: u64,
    /// After so many bytes taken, nothing for so many milliseconds.
    pauses: VecDeque<(u64, u64)>,
    silent_until: u64,
    paced: bool,
    /// When the next byte is on the wire, in microseconds.
    next_us: u64,
    held: VecDeque<Vec<u8>>,
    /// Held back by `AT+QCFG="urc/cache",1`.
    cached: VecDeque<Vec<u8>>,
    flush_planned: bool,
}

impl Output {
    pub(super) const fn new(paced: bool) -> Self {
        Self {
            bytes: VecDeque::new(),
            taken: 0,
            pauses: VecDeque::new(),
            silent_until: 0,
            paced,
            next_us: 0,
            held: VecDeque::new(),
            cached: VecDeque::new(),
            flush_planned: false,
        }
    }

    pub(super) const fn is_paced(&self) -> bool {
        self.paced
    }

    /// Makes a pause after the bytes that wait now.
    fn pause(&mut self, ms: u64) {
        let place = self.taken + u64::try_from(self.bytes.len()).unwrap_or(0);
        self.pauses.push_back((place, ms));
    }

    /// How many bytes may go before the next pause, which begins if they are none.
    fn allowed(&mut self, now_ms: u64) -> usize {
        loop {
            if now_ms < self.silent_until {
                return 0;
            }
            match self.pauses.front() {
                None => return usize::MAX,
                Some((place, ms)) if *place <= self.taken => {
                    self.silent_until = now_ms + ms;
                    self.pauses.pop_front();
                }
                Some((place, _)) => {
                    return usize::try_from(place - self.taken).unwrap_or(usize::MAX);
                }
            }
        }
    }

    fn push(&mut self, now_ms: u64, baud: u32, bytes: &[u8]) {
        if self.paced && self.bytes.is_empty() {
            self.next_us = self.next_us.max(now_ms.saturating_mul(1000)) + byte_us(baud);
        }
        self.bytes.extend(bytes);
    }

    pub(super) fn take(&mut self, now_ms: u64, baud: u32, out: &mut Vec<u8>) {
        let now_us = now_ms.saturating_mul(1000);
        while !self.bytes.is_empty() {
            let count = self.allowed(now_ms).min(self.bytes.len());
            if count == 0 {
                return;
            }
            for _ in 0..count {
                if self.paced && self.next_us > now_us {
                    return;
                }
                let Some(byte) = self.bytes.pop_front() else {
                    return;
                };
                out.push(byte);
                self.taken += 1;
                self.next_us += byte_us(baud);
            }
        }
    }

    pub(super) fn next_at(&self, baud: u32) -> Option<u64> {
        if self.bytes.is_empty() {
            return None;
        }
        // Waking up for every byte would be slow; 32 of them arrive together, as from a FIFO.
        let batch = u64::try_from(self.bytes.len().min(32)).unwrap_or(32) - 1;
        let wire = if self.paced {
            (self.next_us + batch * byte_us(baud)).div_ceil(1000)
        } else {
            0
        };
        Some(wire.max(self.silent_until))
    }

    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.pauses.clear();
        self.held.clear();
        self.cached.clear();
    }
}

/// The host's line to the module: when the bytes arrive.
#[derive(Debug, Default)]
pub(super) struct Wire {
    free_us: u64,
}

impl Wire {
    /// When the last of so many bytes is there, in milliseconds.
    pub(super) fn arrival_ms(&mut self, now_ms: u64, baud: u32, count: usize) -> u64 {
        let count = u64::try_from(count).unwrap_or(0);
        self.free_us = self.free_us.max(now_ms.saturating_mul(1000)) + count * byte_us(baud);
        self.free_us.div_ceil(1000)
    }
}

/// One start bit, eight data bits, one stop bit.
fn byte_us(baud: u32) -> u64 {
    10_000_000 / u64::from(baud.max(1))
}

impl Module {
    /// Writes bytes as they are, or as faults leave them.
    pub(crate) fn write_raw(&mut self, bytes: &[u8]) {
        let mut bytes = self.faults.on_output(&mut self.rng, bytes);
        self.garble(&mut bytes);
        let (now, baud) = (self.now, self.session.baud);
        match self.faults.split_size() {
            0 => self.output.push(now, baud, &bytes),
            size => {
                for piece in bytes.chunks(size) {
                    self.output.push(now, baud, piece);
                    self.output.pause(SPLIT_PAUSE_MS);
                }
            }
        }
        if let Some(written) = self.faults.count_output(bytes.len()) {
            self.faults_at(Place::Byte(written));
        }
    }

    /// Nothing reaches the host for a while; nothing is lost.
    pub(crate) fn stall_output(&mut self, ms: u64) {
        self.output.pause(ms);
    }

    pub(super) fn write_echo(&mut self, bytes: &[u8]) {
        let mut bytes = bytes.to_vec();
        self.garble(&mut bytes);
        self.output.push(self.now, self.session.baud, &bytes);
    }

    /// What a host with another baud rate reads.
    fn garble(&mut self, bytes: &mut [u8]) {
        if self.baud_differs() {
            for byte in bytes {
                *byte = 0x80 | self.rng.next_u64().to_le_bytes()[0];
            }
        }
    }

    pub(super) fn write_prompt(&mut self, prompt: &str) {
        self.note(LogKind::Reply, b">");
        self.write_raw(prompt.as_bytes());
    }

    /// CR LF, or whatever S3 and S4 say.
    pub(super) const fn line_end(&self) -> [u8; 2] {
        [self.session.s3, self.session.s4]
    }

    /// Writes an information response: the lines of one command.
    pub(super) fn write_information(&mut self, lines: &[Vec<u8>], first: bool) {
        let end = self.line_end();
        let mut lead = self.session.verbose && (first || self.profile.line.concat_blank_line);
        for line in lines {
            self.note(LogKind::Reply, line);
            self.faults_at(Place::Line(line));
            let mut bytes = Vec::with_capacity(line.len() + 4);
            if core::mem::take(&mut lead) {
                bytes.extend(end);
            }
            bytes.extend(line);
            bytes.extend(end);
            self.write_raw(&bytes);
            self.urc_between_lines();
        }
    }

    /// A fault: a URC between any two lines.
    fn urc_between_lines(&mut self) {
        if let Some(text) = self.faults.urc_between_lines.clone() {
            self.urc_here(text.as_bytes());
        }
    }

    /// Writes a final (or intermediate) result code.
    pub(crate) fn write_final(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        self.note(LogKind::Reply, text.as_bytes());
        self.faults_at(Place::Line(text.as_bytes()));
        if self.session.quiet {
            return;
        }
        let [cr, lf] = self.line_end();
        let numeric = match text {
            "OK" => "0",
            "CONNECT" => "1",
            "RING" => "2",
            "NO CARRIER" => "3",
            "ERROR" => "4",
            "NO DIALTONE" => "6",
            "BUSY" => "7",
            "NO ANSWER" => "8",
            _ => "",
        };
        let mut bytes = Vec::new();
        if self.session.verbose {
            bytes.extend([cr, lf]);
            bytes.extend(text.as_bytes());
            bytes.extend([cr, lf]);
        } else if numeric.is_empty() {
            bytes.extend(text.as_bytes());
            bytes.extend([cr, lf]);
        } else {
            bytes.extend(numeric.as_bytes());
            bytes.push(cr);
        }
        self.write_raw(&bytes);
    }

    /// Sends an unsolicited result code, at once or when the port is in command mode again.
    pub(crate) fn urc(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        if !self.urc_port_is_ours() || self.faults.no_urcs {
            self.note(LogKind::UrcElsewhere, text);
            return;
        }
        if self.cfg_is_on("urc/cache") {
            if self.output.cached.len() >= URCS_HELD {
                self.output.cached.pop_front();
            }
            self.output.cached.push_back(text.to_vec());
            return;
        }
        self.urc_here(text);
    }

    /// `AT+QCFG="urc/cache",0`: what was cached goes out.
    pub(crate) fn release_cached(&mut self) {
        while let Some(text) = self.output.cached.pop_front() {
            self.urc_here(&text);
        }
    }

    /// Sends an unsolicited result code to the host whatever the port setting is.
    pub(crate) fn urc_here(&mut self, text: &[u8]) {
        self.note(LogKind::Urc, text);
        self.faults_at(Place::Line(text));
        if self.output.held.len() >= URCS_HELD {
            self.output.held.pop_front();
        }
        self.output.held.push_back(text.to_vec());
        self.flush_urcs();
    }

    /// Writes the URCs that were held back, if they may be written now.
    pub(super) fn flush_urcs(&mut self) {
        if self.output.held.is_empty() {
            return;
        }
        if !self.may_write_urc() {
            if !self.in_data_phase() && !self.output.flush_planned {
                self.output.flush_planned = true;
                let wait = self.typing_ends_at().saturating_sub(self.now).max(1);
                self.after_exactly(wait, |module| {
                    module.output.flush_planned = false;
                    module.flush_urcs();
                });
            }
            return;
        }
        while let Some(text) = self.output.held.pop_front() {
            let end = self.line_end();
            let mut bytes = Vec::with_capacity(text.len() + 4);
            if self.session.verbose {
                bytes.extend(end);
            }
            bytes.extend(&text);
            bytes.extend(end);
            self.write_raw(&bytes);
        }
    }

    /// Whether `AT+QURCCFG="urcport"` sends URCs to the port that the host is wired to.
    fn urc_port_is_ours(&self) -> bool {
        let port = &self.session.urc_port;
        self.session.qindcfg_all && (port == "all" || *port == self.config.port)
    }

    /// `AT+IPR`
    pub(crate) const fn set_baud(&mut self, baud: u32) {
        self.session.baud = baud;
    }

    pub(super) fn clear_output(&mut self) {
        self.output.clear();
    }
}
