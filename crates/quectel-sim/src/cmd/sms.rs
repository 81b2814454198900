//! Messages: a module that has none and sends whatever it is given, which is all that drivers ask of it at their start.

use super::Handler;
use crate::{
    at::{Command, Form},
    module::{Module, Outcome, PromptEnd},
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("+CSMS", service),
    ("+CPMS", storage),
    ("+CMGS", send),
    ("+CMGL", list),
    ("+CMGR", read),
    ("+CMGD", delete),
];

/// Longest message in PDU form, in characters.
const PDU_MAX: usize = 512;
/// How many messages the card takes.
const PLACES: u32 = 255;

fn cms(code: u16) -> Outcome {
    Outcome::Final(format!("+CMS ERROR: {code}"))
}

fn service(module: &mut Module, command: &Command) -> Outcome {
    match (command.form, command.number_in(0, 0, 1)) {
        (Form::Read, _) => {
            module.info("+CSMS: 0,1,1,1");
            Outcome::Ok
        }
        (Form::Set, Some(_)) => {
            module.info("+CSMS: 1,1,1");
            Outcome::Ok
        }
        _ => Outcome::Error,
    }
}

fn storage(module: &mut Module, command: &Command) -> Outcome {
    match command.form {
        Form::Read => {
            let one = format!("\"ME\",0,{PLACES}");
            module.info(format!("+CPMS: {one},{one},{one}"));
            Outcome::Ok
        }
        Form::Set => {
            let known = |at: usize| {
                command
                    .text(at)
                    .is_none_or(|name| ["SM", "ME", "MT"].contains(&name.as_str()))
            };
            if command.arg(0).is_none() || !(0..3).all(known) {
                return cms(302);
            }
            module.info(format!("+CPMS: 0,{PLACES},0,{PLACES},0,{PLACES}"));
            Outcome::Ok
        }
        Form::Test | Form::Exec => Outcome::Error,
    }
}

fn send(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Set || command.arg(0).is_none() {
        return Outcome::Error;
    }
    if let Err(10) = module.sim.read() {
        return cms(310);
    }
    if !module.radio.registration.registered() {
        return cms(331);
    }
    Outcome::prompt(PromptEnd::CtrlZ, PDU_MAX, |module, _| {
        module.info("+CMGS: 1");
        Outcome::Ok
    })
}

fn list(_: &mut Module, command: &Command) -> Outcome {
    match command.form {
        Form::Set | Form::Exec => Outcome::Ok,
        Form::Read | Form::Test => Outcome::Error,
    }
}

fn read(_: &mut Module, command: &Command) -> Outcome {
    match (command.form, command.number(0)) {
        (Form::Set, Some(_)) => cms(321),
        _ => Outcome::Error,
    }
}

fn delete(_: &mut Module, command: &Command) -> Outcome {
    match (
        command.form,
        command.number(0),
        command.optional(1, 0, 4, 0),
    ) {
        (Form::Set, Some(_), Some(_)) => Outcome::Ok,
        _ => Outcome::Error,
    }
}
