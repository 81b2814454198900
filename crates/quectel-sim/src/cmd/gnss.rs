//! Satellite navigation: it can be switched on and off, and never has a fix.

use super::Handler;
use crate::{
    at::{Arg, Command, Form},
    module::{Module, Outcome},
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("+QGPS", switch),
    ("+QGPSEND", end),
    ("+QGPSLOC", |m, c| position(m, c)),
    ("+QGPSGNMEA", |m, c| position(m, c)),
    ("+QGPSCFG", configure),
];

/// It runs already.
const ONGOING: u16 = 504;
/// It does not run.
const NOT_ACTIVE: u16 = 505;
/// No fix yet.
const NOT_FIXED: u16 = 516;

fn switch(module: &mut Module, command: &Command) -> Outcome {
    match (command.form, command.number_in(0, 1, 4)) {
        (Form::Read, _) => {
            module.info(format!("+QGPS: {}", u8::from(module.session.gnss)));
            Outcome::Ok
        }
        (Form::Set, Some(_)) if module.session.gnss => Outcome::Cme(ONGOING),
        (Form::Set, Some(_)) => {
            module.session.gnss = true;
            Outcome::Ok
        }
        _ => Outcome::Error,
    }
}

fn end(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    if core::mem::take(&mut module.session.gnss) {
        Outcome::Ok
    } else {
        Outcome::Cme(NOT_ACTIVE)
    }
}

fn position(module: &Module, command: &Command) -> Outcome {
    match command.form {
        Form::Read | Form::Set | Form::Exec if module.session.gnss => Outcome::Cme(NOT_FIXED),
        Form::Read | Form::Set | Form::Exec => Outcome::Cme(NOT_ACTIVE),
        Form::Test => Outcome::Ok,
    }
}

/// Items are kept as they are given; which there are depends on the firmware.
fn configure(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(item)) = (command.form, command.text(0)) else {
        return Outcome::Error;
    };
    let key = format!("QGPSCFG.{}", item.to_ascii_lowercase());
    let values = command.args.get(1..).unwrap_or_default();
    if values.is_empty() {
        let Some(value) = module.session.load(&key).map(str::to_owned) else {
            return Outcome::Error;
        };
        module.info(format!("+QGPSCFG: \"{item}\",{value}"));
    } else {
        let values: Vec<String> = values.iter().map(Arg::shown).collect();
        module.session.store(&key, values.join(","));
    }
    Outcome::Ok
}
