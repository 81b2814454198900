//! Calls: there is nobody to call, and no PPP server behind `ATD*99#`.

use super::Handler;
use crate::{
    at::{Command, Form},
    module::{Module, Outcome},
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("D", dial),
    ("A", dial),
    ("P", |_, _| Outcome::Ok),
    ("T", |_, _| Outcome::Ok),
    ("+CGDATA", dial),
    ("+CHUP", exec_ok),
    ("+CLCC", exec_ok),
    ("+CPAS", activity),
    ("+CEER", cause),
];

fn dial(_: &mut Module, _: &Command) -> Outcome {
    Outcome::Final("NO CARRIER".to_owned())
}

fn exec_ok(_: &mut Module, command: &Command) -> Outcome {
    match command.form {
        Form::Exec => Outcome::Ok,
        Form::Read | Form::Set | Form::Test => Outcome::Error,
    }
}

fn activity(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    module.info("+CPAS: 0");
    Outcome::Ok
}

fn cause(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    module.info("+CEER: No cause information available");
    Outcome::Ok
}
