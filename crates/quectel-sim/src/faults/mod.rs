//! Faults that tests switch on: what breaks, when, and how often.

mod act;
mod script;

pub use script::{FaultAction, FaultRule};

use crate::{ProfileError, rng::Rng};

/// The faults of one module; all off by default.
///
/// ```
/// use quectel_sim::{FaultAction, FaultRule, Module, ModuleConfig};
///
/// let mut module = Module::new(ModuleConfig::new("bg96")?);
/// module.faults().add(FaultRule {
///     command: Some("AT+QMTPUB".to_owned()),
///     action: FaultAction::NoPrompt,
///     ..FaultRule::default()
/// });
/// # Ok::<(), quectel_sim::ProfileError>(())
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Faults {
    /// The module hears and says nothing until it is reset or its power is cycled.
    pub hung: bool,
    /// So many more command lines are swallowed without an answer.
    pub swallow_lines: u32,
    /// No unsolicited result code reaches the host.
    pub no_urcs: bool,
    /// So many prompts are not written, although the module waits for input.
    pub prompts_lost: u32,
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
    /// These MQTT clients are occupied until `AT+QMTCLOSE`, as after a restart of the host.
    pub mqtt_occupied: [bool; 6],
    /// So many acknowledgements of publishes are lost.
    pub pubacks_lost: u32,
    /// The next upload loses its last so many bytes.
    pub upload_loses: usize,
    /// Uploads without acknowledgement and without `AT+IFC=2,2` lose one byte after every so many; 0 for none.
    pub upload_gap: usize,
    /// The server refuses the next CONNECT with this return code.
    pub refuse_connect: Option<u8>,
    /// All output comes in pieces of so many bytes, 20 ms apart; 0 for whole.
    pub split: usize,
    /// This unsolicited result code comes between any two lines.
    pub urc_between_lines: Option<String>,
    /// Probability that an output byte is dropped.
    pub drop_byte: f64,
    /// Probability that an output byte comes twice.
    pub duplicate_byte: f64,
    /// Probability that a bit of an output byte is flipped.
    pub flip_bit: f64,
    /// Probability that a foreign byte is inserted.
    pub insert_noise: f64,
    /// How often chaos strikes: per mille of the command lines and URCs; 0 for never.
    pub chaos: u32,
    rules: Vec<Armed>,
    next: Bytes,
    written: u64,
    /// What a fault makes the module write is no place for further faults.
    acting: bool,
}

/// A rule with what is left of it.
#[derive(Debug, Clone)]
struct Armed {
    rule: FaultRule,
    skip: u32,
    left: Option<u32>,
}

/// What happens to the next output bytes.
#[derive(Debug, Clone, Copy, Default)]
struct Bytes {
    drop: usize,
    duplicate: usize,
    flip: usize,
    noise: usize,
    split: usize,
}

/// Where something happens that a rule may wait for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place<'a> {
    Time(u64),
    Byte(u64),
    Command(&'a [u8]),
    Line(&'a [u8]),
}

impl Faults {
    /// Adds a rule.
    pub fn add(&mut self, rule: FaultRule) {
        let left = match rule.times {
            Some(0) => None,
            Some(times) => Some(times),
            None => Some(1),
        };
        self.rules.push(Armed {
            skip: rule.skip,
            left,
            rule,
        });
    }

    /// Adds the rules of a TOML text, and what it says about lasting faults:
    ///
    /// ```
    /// # let mut module = quectel_sim::Module::new(quectel_sim::ModuleConfig::new("bg95")?);
    /// module.faults().load("faults.toml", r#"
    ///     chaos = 5                       # per mille of the command lines and URCs
    ///     [always]
    ///     drop_byte = 0.001               # probability
    ///     late_app_rdy_ms = 5000
    ///     [[fault]]
    ///     line = "+QMTOPEN: 0,0"
    ///     action = { server-closes = 0 }
    /// "#)?;
    /// # Ok::<(), quectel_sim::ProfileError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ProfileError::Syntax`] names the file, the line and the key.
    pub fn load(&mut self, file: &str, text: &str) -> Result<(), ProfileError> {
        script::parse(file, text)?.apply(self);
        Ok(())
    }

    /// Takes the actions of the rules that wait for this place.
    pub(crate) fn due(&mut self, place: Place<'_>) -> Vec<FaultAction> {
        if self.rules.is_empty() {
            return Vec::new();
        }
        let mut actions = Vec::new();
        for armed in &mut self.rules {
            if armed.left == Some(0) || !matches(&armed.rule, place) {
                continue;
            }
            if armed.skip > 0 {
                armed.skip -= 1;
                continue;
            }
            let once = matches!(place, Place::Time(_) | Place::Byte(_));
            armed.left = if once {
                Some(0)
            } else {
                armed.left.map(|left| left - 1)
            };
            actions.push(armed.rule.action.clone());
        }
        self.rules.retain(|armed| armed.left != Some(0));
        actions
    }

    /// The time of the next rule that waits for one.
    pub(crate) fn next_at(&self) -> Option<u64> {
        self.rules.iter().filter_map(|armed| armed.rule.at_ms).min()
    }

    /// Output bytes so far, and whether a rule counts them.
    pub(crate) fn count_output(&mut self, count: usize) -> Option<u64> {
        self.written += u64::try_from(count).unwrap_or(0);
        self.rules
            .iter()
            .any(|armed| armed.rule.at_byte.is_some())
            .then_some(self.written)
    }

    pub(crate) const fn swallows(&mut self) -> bool {
        let swallow = self.swallow_lines > 0;
        self.swallow_lines = self.swallow_lines.saturating_sub(1);
        swallow
    }

    pub(crate) fn prompt_text(&mut self, usual: &str) -> String {
        if self.prompts_lost > 0 {
            self.prompts_lost -= 1;
            return String::new();
        }
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

    /// The pieces in which output is passed on: their size, 0 for whole.
    pub(crate) const fn split_size(&mut self) -> usize {
        match core::mem::replace(&mut self.next.split, 0) {
            0 => self.split,
            once => once,
        }
    }

    /// What the UART loses at the end of an upload.
    pub(crate) fn on_upload(&mut self, data: &mut Vec<u8>) {
        let lost = core::mem::take(&mut self.upload_loses);
        data.truncate(data.len().saturating_sub(lost));
    }

    /// Whether the UART loses this byte of an upload; the first one has number 1.
    pub(crate) const fn loses_byte(&self, number: usize) -> bool {
        self.upload_gap > 0 && number.is_multiple_of(self.upload_gap + 1)
    }

    /// What becomes of output bytes on the wire.
    pub(crate) fn on_output(&mut self, rng: &mut Rng, bytes: &[u8]) -> Vec<u8> {
        let chances = [
            self.drop_byte,
            self.duplicate_byte,
            self.flip_bit,
            self.insert_noise,
        ];
        let next = &mut self.next;
        if chances.iter().all(|p| *p <= 0.0)
            && next.drop + next.duplicate + next.flip + next.noise == 0
        {
            return bytes.to_vec();
        }
        let mut out = Vec::with_capacity(bytes.len());
        for _ in 0..core::mem::take(&mut next.noise) {
            out.push(rng.next_u64().to_le_bytes()[0]);
        }
        for byte in bytes {
            if rng.chance(chances[3]) {
                out.push(rng.next_u64().to_le_bytes()[0]);
            }
            if count_down(&mut next.drop) || rng.chance(chances[0]) {
                continue;
            }
            let mut byte = *byte;
            if count_down(&mut next.flip) || rng.chance(chances[2]) {
                byte ^= 1 << rng.below(8);
            }
            out.push(byte);
            if count_down(&mut next.duplicate) || rng.chance(chances[1]) {
                out.push(byte);
            }
        }
        out
    }
}

const fn count_down(left: &mut usize) -> bool {
    let some = *left > 0;
    *left = left.saturating_sub(1);
    some
}

fn starts_with(text: &[u8], prefix: &str) -> bool {
    text.get(..prefix.len())
        .is_some_and(|head| head.eq_ignore_ascii_case(prefix.as_bytes()))
}

fn matches(rule: &FaultRule, place: Place<'_>) -> bool {
    match place {
        Place::Time(now) => rule.at_ms.is_some_and(|at| at <= now),
        Place::Byte(count) => rule.at_byte.is_some_and(|at| at <= count),
        Place::Command(line) => rule
            .command
            .as_deref()
            .is_some_and(|prefix| starts_with(line, prefix)),
        Place::Line(line) => rule
            .line
            .as_deref()
            .is_some_and(|prefix| starts_with(line, prefix)),
    }
}
