//! Faults that tests switch on: what breaks, when, and how often.

use crate::rng::Rng;

/// The faults of one module; all off by default.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Faults {
    /// The module hears and says nothing until it is reset or its power is cycled.
    pub hung: bool,
    /// So many more command lines are swallowed without an answer.
    pub swallow_lines: u32,
    /// No unsolicited result code reaches the host.
    pub no_urcs: bool,
    /// The `>` prompt never comes.
    pub prompt_never: bool,
    /// The prompt is a bare `>` without CR LF and blank.
    pub prompt_bare: bool,
    /// Each `OK` comes so much later, in milliseconds.
    pub late_ok_ms: u64,
    /// `APP RDY` comes so much later, in milliseconds.
    pub late_app_rdy_ms: u64,
    /// No host name has an address.
    pub dns_fails: bool,
    /// The network gives no PDP context.
    pub pdp_refused: bool,
    /// Every open answers 552, and `AT+QIACT` `ERROR`, until the power is cycled.
    pub wedged: bool,
    /// So many acknowledgements of publishes are lost.
    pub pubacks_lost: u32,
    /// Uploads lose their last bytes: so many of the next one.
    pub upload_loses: usize,
    /// Probability that an output byte is dropped.
    pub drop_byte: f64,
    /// Probability that an output byte comes twice.
    pub duplicate_byte: f64,
    /// Probability that a bit of an output byte is flipped.
    pub flip_bit: f64,
    /// Probability that a foreign byte is inserted.
    pub insert_noise: f64,
}

impl Faults {
    pub(crate) fn hangs(&mut self) -> bool {
        let swallow = self.swallow_lines > 0;
        self.swallow_lines = self.swallow_lines.saturating_sub(1);
        swallow
    }

    pub(crate) fn prompt_text(&self, usual: &str) -> String {
        if self.prompt_bare {
            ">".to_owned()
        } else {
            usual.to_owned()
        }
    }

    pub(crate) fn boot_delay_ms(&self, line: &str) -> u64 {
        if line == "APP RDY" {
            self.late_app_rdy_ms
        } else {
            0
        }
    }

    /// What becomes of output bytes on the wire.
    pub(crate) fn on_output(&self, rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
        let quiet = [
            self.drop_byte,
            self.duplicate_byte,
            self.flip_bit,
            self.insert_noise,
        ]
        .iter()
        .all(|p| *p <= 0.0);
        if quiet {
            return bytes.to_vec();
        }
        let mut out = Vec::with_capacity(bytes.len());
        for byte in bytes {
            if rng.chance(self.insert_noise) {
                out.push(rng.next_u64().to_le_bytes()[0]);
            }
            if rng.chance(self.drop_byte) {
                continue;
            }
            let mut byte = *byte;
            if rng.chance(self.flip_bit) {
                byte ^= 1 << rng.below(8);
            }
            out.push(byte);
            if rng.chance(self.duplicate_byte) {
                out.push(byte);
            }
        }
        out
    }
}
