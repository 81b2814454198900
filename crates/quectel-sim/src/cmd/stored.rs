//! Settings that nothing here depends on: they are checked, kept and shown again, so that drivers find them.

use super::Handler;
use crate::{
    at::{self, Arg, Command, Form},
    module::{Module, Outcome},
    profile::{Slot, parse_form},
};

/// Command, factory value as the read form prints it (nothing when it prints nothing), test form.
const SETTINGS: &[(&str, &str, &str)] = &[
    ("+CSCS", "\"GSM\"", "(\"GSM\",\"IRA\",\"UCS2\")"),
    ("+CMGF", "0", "(0,1)"),
    ("+CNMI", "2,1,0,0,0", "(0-2),(0-3),(0,2),(0-2),(0,1)"),
    ("+CSMP", "17,167,0,0", ""),
    ("+CSDH", "0", "(0,1)"),
    ("+CSCA", "\"+8613010112500\",145", ""),
    ("+CGSMS", "1", "(0-3)"),
    ("+CMMS", "0", "(0-2)"),
    ("+CGEREP", "0,0", "(0-2),(0,1)"),
    ("+CGCLASS", "\"A\"", ""),
    ("+CSCON", "0,0", "(0,1)"),
    ("+CRC", "0", "(0,1)"),
    ("+CLIP", "0,1", "(0,1)"),
    ("+COLP", "0,1", "(0,1)"),
    ("+CCWA", "0", "(0,1)"),
    ("+CUSD", "0", "(0-2)"),
    ("+CVHU", "0", "(0,1)"),
    ("+CMOD", "0", "(0)"),
    ("+CSTA", "129", "(129,145,161)"),
    ("+CMER", "0,0,0,0,0", "(0-3),(0),(0),(0-2),(0,1)"),
    (
        "+CPSMS",
        "0",
        "(0,1),,,(\"00000000\"-\"11111111\"),(\"00000000\"-\"11111111\")",
    ),
    ("+CEDRXS", "", "(0-3),(4,5),(\"0000\"-\"1111\")"),
    (
        "+QPSMS",
        "0,,,\"86400\",\"10\"",
        "(0,1),,,<Requested_Periodic-TAU>,<Requested_Active-Time>",
    ),
    ("+QPSMCFG", "60,4", "(20-4294967295),(0-255)"),
    ("+QLEDMODE", "0", "(0-3)"),
];

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("+CSCS", setting),
    ("+CMGF", setting),
    ("+CNMI", setting),
    ("+CSMP", setting),
    ("+CSDH", setting),
    ("+CSCA", setting),
    ("+CGSMS", setting),
    ("+CMMS", setting),
    ("+CGEREP", setting),
    ("+CGCLASS", setting),
    ("+CSCON", setting),
    ("+CRC", setting),
    ("+CLIP", setting),
    ("+COLP", setting),
    ("+CCWA", setting),
    ("+CUSD", setting),
    ("+CVHU", setting),
    ("+CMOD", setting),
    ("+CSTA", setting),
    ("+CMER", setting),
    ("+CPSMS", setting),
    ("+CEDRXS", setting),
    ("+QPSMS", setting),
    ("+QPSMCFG", setting),
    ("+QLEDMODE", setting),
];

/// The test form of one of these commands.
pub(super) fn test_form(name: &str) -> Option<&'static str> {
    let (.., form) = SETTINGS.iter().find(|(known, ..)| *known == name)?;
    Some(form)
}

fn setting(module: &mut Module, command: &Command) -> Outcome {
    let name = command.name.as_str();
    let Some((_, default, form)) = SETTINGS.iter().find(|(known, ..)| *known == name) else {
        return Outcome::Error;
    };
    let old = module.session.load(name).unwrap_or(default).to_owned();
    match command.form {
        Form::Read => {
            if !old.is_empty() {
                module.info(format!("{name}: {old}"));
            }
            Outcome::Ok
        }
        Form::Set => {
            if !in_range(
                &parse_form(form),
                &command.args,
                module.profile.line.quoted_numbers,
            ) {
                return Outcome::Error;
            }
            let old = at::parameters(old.as_bytes()).0;
            let new = kept(&command.args, &old);
            module.session.keep(name, new);
            Outcome::Ok
        }
        Form::Exec | Form::Test => Outcome::Ok,
    }
}

/// Parameters beyond the known ones are let pass: nothing depends on them.
fn in_range(slots: &[Slot], args: &[Arg], quoted_numbers: bool) -> bool {
    slots
        .iter()
        .zip(args)
        .all(|(slot, arg)| arg.omitted() || slot.accepts(arg, quoted_numbers))
}

/// What was left out at the end keeps its value.
fn kept(new: &[Arg], old: &[Arg]) -> String {
    let rest = old.get(new.len()..).unwrap_or_default();
    new.iter()
        .chain(rest)
        .map(Arg::shown)
        .collect::<Vec<_>>()
        .join(",")
}
