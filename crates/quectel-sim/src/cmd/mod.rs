//! The commands: one table from name to function, and the functions by subject.

mod call;
mod file;
mod forms;
mod general;
mod gnss;
mod identity;
mod items;
mod mqtt;
mod mqtt_publish;
mod network;
mod pdp;
mod sim;
mod sms;
mod ssl;
mod stored;
mod tcp;
mod time;

use crate::{
    at::{Command, Form},
    module::{Module, Outcome},
};

type Handler = fn(&mut Module, &Command) -> Outcome;

/// All commands; a profile takes away those that its firmware lacks.
const TABLES: [&[(&str, Handler)]; 15] = [
    general::COMMANDS,
    identity::COMMANDS,
    sim::COMMANDS,
    network::COMMANDS,
    time::COMMANDS,
    pdp::COMMANDS,
    items::COMMANDS,
    file::COMMANDS,
    ssl::COMMANDS,
    tcp::COMMANDS,
    mqtt::COMMANDS,
    stored::COMMANDS,
    sms::COMMANDS,
    gnss::COMMANDS,
    call::COMMANDS,
];

/// Carries out one command.
pub(crate) fn dispatch(module: &mut Module, command: &Command) -> Outcome {
    let name = command.name.as_str();
    let absent = module
        .profile
        .commands
        .absent
        .iter()
        .any(|absent| absent == name);
    let handler = TABLES
        .iter()
        .flat_map(|table| table.iter())
        .find(|(known, _)| *known == name);
    let Some((_, handler)) = handler.filter(|_| !absent) else {
        return Outcome::Final(module.profile.line.unknown.clone());
    };
    if command.malformed || module.refuses_early(name) {
        return Outcome::Error;
    }
    if command.form == Form::Test
        && let Some(form) = forms::test_form(&module.profile, name)
    {
        if !form.is_empty() {
            module.info(format!("{name}: {form}"));
        }
        return Outcome::Ok;
    }
    handler(module, command)
}
