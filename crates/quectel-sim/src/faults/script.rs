//! Faults as data: when something breaks, what breaks, and how often. The format is TOML.

use serde::{Deserialize, Serialize};

use super::Faults;
use crate::ProfileError;

/// When a rule takes effect. Everything that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FaultRule {
    /// At this time of the module, in milliseconds.
    pub at_ms: Option<u64>,
    /// When so many bytes have been written to the host.
    pub at_byte: Option<u64>,
    /// When the host sends a command line that starts like this (upper or lower case).
    pub command: Option<String>,
    /// When the module writes a line that starts like this.
    pub line: Option<String>,
    /// The first so many matches are let pass.
    pub skip: u32,
    /// How often the rule acts; 0 for ever.
    pub times: Option<u32>,
    /// What breaks.
    pub action: FaultAction,
}

/// What breaks.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum FaultAction {
    /// Nothing: for counting.
    #[default]
    Nothing,
    /// The next so many bytes to the host are lost.
    Drop(usize),
    /// The next so many bytes to the host come twice.
    Duplicate(usize),
    /// One bit of each of the next so many bytes to the host is wrong.
    Flip(usize),
    /// So many foreign bytes come first.
    Noise(usize),
    /// The UART falls silent for so many milliseconds; nothing is lost.
    Stall(u64),
    /// The next bytes come in pieces of so many, 20 ms apart.
    Split(usize),
    /// This unsolicited result code comes at this place.
    Urc(String),
    /// The module does not hear or say anything until it is reset.
    Hang,
    /// The command line is swallowed.
    Swallow,
    /// The module restarts without a word.
    Reboot,
    /// The power is gone for so many milliseconds.
    BrownOut(u64),
    /// The module sleeps as PSM makes it, for so many milliseconds: `PSM POWER DOWN`, no connection is left, a new start.
    Sleep(u64),
    /// The network takes this PDP context away.
    LosePdp(u8),
    /// The network is gone for so many milliseconds.
    LoseNetwork(u64),
    /// The data stack answers 552 until the power is cycled.
    Wedge,
    /// This MQTT client is occupied, as after a restart of the host.
    OccupyMqtt(u8),
    /// The next `>` prompt is not written, although the module waits for input.
    NoPrompt,
    /// This MQTT client reports so many `+QMTSTAT: n,1`.
    StatStorm(u8, u32),
    /// Unsolicited result codes go to another port from now on.
    NoUrcPort,
    /// Each `OK` comes so much later from now on, in milliseconds.
    LateOk(u64),
    /// The next so many PUBACKs are lost.
    LosePubacks(u32),
    /// The server closes the connection of this MQTT client.
    ServerCloses(u8),
    /// The server refuses the next CONNECT of any MQTT client with this return code, 1 to 5.
    RefuseConnect(u8),
    /// No host name has an address from now on.
    NoDns,
    /// The network refuses PDP contexts from now on.
    NoPdp,
    /// The next upload loses its last so many bytes.
    ShortUpload(usize),
    /// The bytes of the next uploads are lost in blocks: one byte after every so many, as without flow control.
    UploadGaps(usize),
}

/// What a fault script says.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Script {
    fault: Vec<FaultRule>,
    chaos: Option<u32>,
    always: Always,
}

/// Faults that last; their meaning is that of the fields of [`Faults`].
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Always {
    hung: Option<bool>,
    no_urcs: Option<bool>,
    prompt_bare: Option<bool>,
    late_ok_ms: Option<u64>,
    late_app_rdy_ms: Option<u64>,
    dns_fails: Option<bool>,
    pdp_refused: Option<bool>,
    wedged: Option<bool>,
    upload_gap: Option<usize>,
    split: Option<usize>,
    urc_between_lines: Option<String>,
    drop_byte: Option<f64>,
    duplicate_byte: Option<f64>,
    flip_bit: Option<f64>,
    insert_noise: Option<f64>,
}

/// Reads a TOML text: tables `[[fault]]`, `chaos = <per mille>`, and `[always]`.
pub(super) fn parse(file: &str, text: &str) -> Result<Script, ProfileError> {
    toml::from_str(text).map_err(|e| ProfileError::Syntax {
        file: file.to_owned(),
        message: e.to_string().trim_end().to_owned(),
    })
}

fn set<T>(field: &mut T, value: Option<T>) {
    if let Some(value) = value {
        *field = value;
    }
}

impl Script {
    /// Switches on what the script says.
    pub(super) fn apply(self, faults: &mut Faults) {
        for rule in self.fault {
            faults.add(rule);
        }
        let always = self.always;
        set(&mut faults.chaos, self.chaos);
        set(&mut faults.hung, always.hung);
        set(&mut faults.no_urcs, always.no_urcs);
        set(&mut faults.prompt_bare, always.prompt_bare);
        set(&mut faults.late_ok_ms, always.late_ok_ms);
        set(&mut faults.late_app_rdy_ms, always.late_app_rdy_ms);
        set(&mut faults.dns_fails, always.dns_fails);
        set(&mut faults.pdp_refused, always.pdp_refused);
        set(&mut faults.wedged, always.wedged);
        set(&mut faults.upload_gap, always.upload_gap);
        set(&mut faults.split, always.split);
        set(&mut faults.drop_byte, always.drop_byte);
        set(&mut faults.duplicate_byte, always.duplicate_byte);
        set(&mut faults.flip_bit, always.flip_bit);
        set(&mut faults.insert_noise, always.insert_noise);
        if always.urc_between_lines.is_some() {
            faults.urc_between_lines = always.urc_between_lines;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read() {
        let text = r#"
            chaos = 20
            [[fault]]
            command = "AT+QMTPUB"
            skip = 2
            action = { late-ok = 3000 }
            [[fault]]
            at_ms = 1000
            action = "reboot"
            [[fault]]
            line = "+QMTOPEN"
            action = { stat-storm = [0, 5] }
        "#;
        let script = parse("f.toml", text).unwrap();
        assert_eq!(script.chaos, Some(20));
        let rules = script.fault;
        assert_eq!(rules.len(), 3);
        assert_eq!(rules[0].action, FaultAction::LateOk(3000));
        assert_eq!(rules[1].action, FaultAction::Reboot);
        assert_eq!(rules[2].action, FaultAction::StatStorm(0, 5));
    }

    #[test]
    fn errors_name_file_line_and_key() {
        let cases = [
            ("[[fault]]\naction = \"explode\"\n", "line 2", "explode"),
            ("[[fault]]\nat_mss = 1\n", "line 2", "at_mss"),
            ("[always]\nno_such = true\n", "line 2", "no_such"),
            ("[[fault]]\naction = { drop = \"x\" }\n", "line 2", "drop"),
        ];
        for (text, line, key) in cases {
            let error = parse("f.toml", text).unwrap_err().to_string();
            assert!(
                error.contains("f.toml") && error.contains(line) && error.contains(key),
                "{error}"
            );
        }
    }
}
