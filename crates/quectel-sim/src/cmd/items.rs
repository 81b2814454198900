//! The four configuration commands: `AT+QSSLCFG`, `AT+QMTCFG`, `AT+QCFG`, `AT+QICFG`.
//!
//! Which items exist, their ranges and their factory values are data of the profile.

use super::Handler;
use crate::{
    at::{self, Arg, Command, Form},
    module::{Group, Module, MqttState, Outcome, PromptEnd},
    profile::{Item, Items, Slot, parse_form},
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("+QSSLCFG", ssl),
    ("+QMTCFG", mqtt),
    ("+QCFG", general),
    ("+QICFG", tcp),
];

impl Module {
    /// The values of an item as they are now: set by the host, or from the factory.
    pub(crate) fn item_values(&self, group: Group, name: &str, index: u8) -> Vec<Arg> {
        if let Some(values) = self.items.get(group, name, index) {
            return values.to_vec();
        }
        let items = match group {
            Group::Ssl => &self.profile.items.ssl,
            Group::Mqtt => &self.profile.items.mqtt,
            Group::Tcp => &self.profile.items.tcp,
        };
        items.find(name).map(factory_values).unwrap_or_default()
    }

    /// One value of an item as a number; 0 when the family has no such item.
    pub(crate) fn item_number(&self, group: Group, name: &str, index: u8, at: usize) -> u64 {
        self.item_values(group, name, index)
            .get(at)
            .and_then(Arg::number)
            .unwrap_or(0)
    }

    /// Whether a switch of `AT+QCFG` is on; false when the family has no such item.
    pub(crate) fn cfg_is_on(&self, name: &str) -> bool {
        self.profile.items.cfg.find(name).is_some()
            && self.session.load(&format!("QCFG.{name}")) == Some("1")
    }

    /// One value of an item as text.
    pub(crate) fn item_text(&self, group: Group, name: &str, index: u8, at: usize) -> String {
        self.item_values(group, name, index)
            .get(at)
            .map(Arg::string)
            .unwrap_or_default()
    }
}

fn factory_values(item: &Item) -> Vec<Arg> {
    if item.default.is_empty() {
        Vec::new()
    } else {
        at::parameters(item.default.as_bytes()).0
    }
}

fn joined(values: &[Arg]) -> String {
    values.iter().map(Arg::shown).collect::<Vec<_>>().join(",")
}

fn test_lines(module: &mut Module, command: &str, items: &Items) {
    for item in items {
        let separator = if item.test.is_empty() { "" } else { "," };
        module.info(format!(
            "{command}: \"{}\"{separator}{}",
            item.name, item.test
        ));
    }
}

fn in_range(slots: &[Slot], values: &[Arg], quoted_numbers: bool) -> bool {
    values.len() <= slots.len()
        && slots
            .iter()
            .zip(values)
            .all(|(slot, value)| value.omitted() || slot.accepts(value, quoted_numbers))
}

fn ssl(module: &mut Module, command: &Command) -> Outcome {
    let profile = module.profile.clone();
    let items = &profile.items.ssl;
    match command.form {
        Form::Test => {
            test_lines(module, "+QSSLCFG", items);
            return Outcome::Ok;
        }
        Form::Read | Form::Exec => return Outcome::Error,
        Form::Set => {}
    }
    let Some(item) = command.text(0).and_then(|name| items.find(&name)) else {
        return Outcome::Error;
    };
    // Without context: all of them (M for cacertex, K for the others).
    if command.args.len() == 1 {
        for context in 0..6 {
            show_ssl(module, item, context);
        }
        return Outcome::Ok;
    }
    let slots = parse_form(&item.test);
    let context = command
        .number_in(1, 0, 5)
        .and_then(|n| u8::try_from(n).ok());
    let (Some(context), Some(values)) = (context, command.args.get(2..)) else {
        return Outcome::Error;
    };
    if values.is_empty() {
        show_ssl(module, item, context);
        return Outcome::Ok;
    }
    let slots = slots.get(1..).unwrap_or_default();
    let empty = values.iter().all(Arg::omitted);
    if empty || !in_range(slots, values, profile.line.quoted_numbers) {
        return Outcome::Error;
    }
    let values = values.iter().map(|value| canonical(slots, value)).collect();
    module.items.set(Group::Ssl, &item.name, context, values);
    Outcome::Ok
}

/// Suite codes are shown as the manual writes them.
fn canonical(slots: &[Slot], value: &Arg) -> Arg {
    match (slots.first(), value.code()) {
        (Some(Slot::Codes(_)), Some(code)) => Arg {
            text: format!("0X{code:04X}").into_bytes(),
            quoted: false,
        },
        _ => value.clone(),
    }
}

fn show_ssl(module: &mut Module, item: &Item, context: u8) {
    let values = module.item_values(Group::Ssl, &item.name, context);
    let shown = if module.profile.ssl.quoted_answers {
        joined(&values)
    } else {
        values.iter().map(Arg::string).collect::<Vec<_>>().join(",")
    };
    module.info(format!("+QSSLCFG: \"{}\",{context},{shown}", item.name));
}

fn mqtt(module: &mut Module, command: &Command) -> Outcome {
    let profile = module.profile.clone();
    let items = &profile.items.mqtt;
    match command.form {
        Form::Test => {
            test_lines(module, "+QMTCFG", items);
            return Outcome::Ok;
        }
        Form::Read | Form::Exec => return Outcome::Error,
        Form::Set => {}
    }
    let Some(item) = command.text(0).and_then(|name| items.find(&name)) else {
        return Outcome::Error;
    };
    let slots = parse_form(&item.test);
    // EG800K: "close/time" has no client index.
    let indexed = item.name != "close/time";
    let (index, first) = if indexed {
        (command.number_in(1, 0, 5), 2)
    } else {
        (Some(0), 1)
    };
    let values = command.args.get(first..);
    let (Some(index), Some(values)) = (index.and_then(|n| u8::try_from(n).ok()), values) else {
        return Outcome::Error;
    };
    if values.is_empty() {
        let shown = joined(&module.item_values(Group::Mqtt, &item.name, index));
        if !shown.is_empty() {
            module.info(format!("+QMTCFG: \"{}\",{shown}", item.name));
        }
        return Outcome::Ok;
    }
    let connected = module
        .mqtt
        .get(usize::from(index))
        .is_some_and(|c| c.state == MqttState::Connected);
    if connected && !profile.mqtt.configure_connected {
        return Outcome::Error;
    }
    let slots = slots.get(usize::from(indexed)..).unwrap_or_default();
    if !in_range(slots, values, profile.line.quoted_numbers) || !complete(&item.name, values) {
        return Outcome::Error;
    }
    if item.name == "willex" && values.len() > 1 {
        return will_prompt(index, values.to_vec());
    }
    let values = completed(module, item, index, values);
    module.items.set(Group::Mqtt, &item.name, index, values);
    Outcome::Ok
}

/// Whether enough values are there.
fn complete(name: &str, values: &[Arg]) -> bool {
    let given = values.iter().filter(|value| !value.omitted()).count();
    let on = values.first().and_then(Arg::number) == Some(1);
    match name {
        "ssl" if on => given == 2,
        "ssl" => given == 1,
        "will" | "willex" if on => given == 5,
        "will" | "willex" => given == 1,
        "timeout" | "dataformat" => given >= 2,
        "edit/timeout" if on => given == 2,
        "aliauth" => given == 3,
        _ => given >= 1,
    }
}

/// Values that were left out keep what they were.
fn completed(module: &Module, item: &Item, index: u8, values: &[Arg]) -> Vec<Arg> {
    if matches!(item.name.as_str(), "ssl" | "will" | "willex" | "aliauth") {
        return values.to_vec();
    }
    let old = module.item_values(Group::Mqtt, &item.name, index);
    let count = old.len().max(values.len());
    (0..count)
        .filter_map(|at| {
            values
                .get(at)
                .filter(|value| !value.omitted())
                .or_else(|| old.get(at))
                .cloned()
        })
        .collect()
}

/// `"willex"`: the message follows a prompt.
fn will_prompt(index: u8, mut values: Vec<Arg>) -> Outcome {
    let length = values
        .get(4)
        .and_then(Arg::number)
        .and_then(|n| usize::try_from(n).ok())
        .unwrap_or(0);
    Outcome::prompt(PromptEnd::Count(length), length, move |module, message| {
        if let Some(last) = values.get_mut(4) {
            *last = Arg {
                text: message,
                quoted: true,
            };
        }
        module.items.set(Group::Mqtt, "willex", index, values);
        Outcome::Ok
    })
}

fn general(module: &mut Module, command: &Command) -> Outcome {
    let profile = module.profile.clone();
    let items = &profile.items.cfg;
    match command.form {
        Form::Test => {
            test_lines(module, "+QCFG", items);
            return Outcome::Ok;
        }
        Form::Read | Form::Exec => return Outcome::Error,
        Form::Set => {}
    }
    let Some(item) = command.text(0).and_then(|name| items.find(&name)) else {
        return Outcome::Error;
    };
    let key = format!("QCFG.{}", item.name);
    let old = module
        .session
        .load(&key)
        .unwrap_or(&item.default)
        .to_owned();
    let values = command.args.get(1..).unwrap_or_default();
    if values.is_empty() {
        module.info(format!("+QCFG: \"{}\",{old}", item.name));
        return Outcome::Ok;
    }
    let slots = parse_form(&item.test);
    if !in_range(&slots, values, profile.line.quoted_numbers) {
        return Outcome::Error;
    }
    if has_special_effect(module, item, values) {
        return Outcome::Ok;
    }
    // What follows the values is <effect>.
    let old = at::parameters(old.as_bytes()).0;
    let kept = |at: usize, value: &Arg| {
        let unchanged = item.name == "band" && matches!(value.code(), Some(0 | 0x4000_0000));
        if unchanged {
            old.get(at).cloned().unwrap_or_default()
        } else {
            value.clone()
        }
    };
    let new: Vec<Arg> = values
        .iter()
        .take(old.len())
        .enumerate()
        .map(|(at, value)| kept(at, value))
        .collect();
    module.session.store(&key, joined(&new));
    if item.name == "urc/cache" && !module.cfg_is_on("urc/cache") {
        return Outcome::then(Module::release_cached);
    }
    Outcome::Ok
}

/// Mark in non-volatile memory that only `AT&F1` takes away.
const BRICKED: &str = "bricked";

impl Module {
    /// Whether this command line gets no answer because of `"iotopmode",1`.
    pub(crate) fn is_bricked_for(&mut self, line: &[u8]) -> bool {
        if self.session.load(BRICKED) != Some("1") {
            return false;
        }
        let cure = line.trim_ascii().eq_ignore_ascii_case(b"AT&F1");
        if cure {
            self.session.store(BRICKED, 0);
        }
        !cure
    }
}

/// Items that do more than keep a value; true when there is no value to keep.
fn has_special_effect(module: &mut Module, item: &Item, values: &[Arg]) -> bool {
    match item.name.as_str() {
        // A factory reset of the non-volatile memory takes the files with it.
        "nvrestore" => {
            module.files.erase_first();
            true
        }
        "iotopmode" => {
            let narrow_band = values.first().and_then(Arg::number) == Some(1);
            if narrow_band && module.profile.commands.iotopmode_bricks {
                module.session.store(BRICKED, 1);
            }
            false
        }
        _ => false,
    }
}

fn tcp(module: &mut Module, command: &Command) -> Outcome {
    let profile = module.profile.clone();
    let items = &profile.items.tcp;
    match command.form {
        Form::Test => {
            test_lines(module, "+QICFG", items);
            return Outcome::Ok;
        }
        Form::Read | Form::Exec => return Outcome::Error,
        Form::Set => {}
    }
    let Some(item) = command.text(0).and_then(|name| items.find(&name)) else {
        return Outcome::Error;
    };
    let values = command.args.get(1..).unwrap_or_default();
    if values.is_empty() {
        let shown = joined(&module.item_values(Group::Tcp, &item.name, 0));
        module.info(format!("+QICFG: \"{}\",{shown}", item.name));
        return Outcome::Ok;
    }
    if !in_range(&parse_form(&item.test), values, profile.line.quoted_numbers) {
        return Outcome::Error;
    }
    module.items.set(Group::Tcp, &item.name, 0, values.to_vec());
    Outcome::Ok
}
