//! What the module says about itself.

use super::Handler;
use crate::{
    at::{Command, Form},
    module::{Module, Outcome},
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("I", information),
    ("+GMI", |m, c| bare(m, c, |p| p.manufacturer.clone())),
    ("+CGMI", |m, c| bare(m, c, |p| p.manufacturer.clone())),
    ("+GMM", |m, c| bare(m, c, |p| p.model.clone())),
    ("+CGMM", |m, c| bare(m, c, |p| p.model.clone())),
    ("+GMR", |m, c| bare(m, c, |p| p.revision.clone())),
    ("+CGMR", |m, c| bare(m, c, |p| p.revision.clone())),
    ("+QGMR", |m, c| {
        bare(m, c, |p| format!("{}{}", p.revision, p.app_revision))
    }),
    ("+GCAP", |m, c| bare(m, c, |_| "+GCAP: +CGSM".to_owned())),
    ("+GSN", serial),
    ("+CGSN", serial),
];

fn information(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec || command.optional(0, 0, 0, 0).is_none() {
        return Outcome::Error;
    }
    let identity = &module.profile.identity;
    let lines = [
        identity.manufacturer.clone(),
        identity.ati_model.clone(),
        format!("Revision: {}", identity.revision),
    ];
    for line in lines {
        module.info(line);
    }
    Outcome::Ok
}

fn bare(
    module: &mut Module,
    command: &Command,
    value: fn(&crate::profile::Identity) -> String,
) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    let line = value(&module.profile.identity);
    module.info(line);
    Outcome::Ok
}

fn serial(module: &mut Module, command: &Command) -> Outcome {
    let identity = &module.profile.identity;
    let line = match (command.form, command.number(0)) {
        (Form::Exec, _) => identity.imei.clone(),
        (Form::Set, Some(1)) if identity.gsn_kinds => identity.imei.clone(),
        (Form::Set, Some(0)) if identity.gsn_kinds => identity.serial.clone(),
        _ => return Outcome::Error,
    };
    module.info(line);
    Outcome::Ok
}
