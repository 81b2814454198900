//! The SIM card.

use super::Handler;
use crate::{
    at::{Command, Form},
    module::{Module, Outcome},
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("+CPIN", pin),
    ("+QPINC", counters),
    ("+CLCK", facility_lock),
    ("+CIMI", imsi),
    ("+CNUM", own_numbers),
    ("+QCCID", iccid),
    ("+ICCID", iccid),
    ("+CRSM", restricted_access),
    ("+QINISTAT", initialised),
    ("+QSIMSTAT", inserted),
    ("+QSIMDET", detection),
];

/// CFUN=0 switches the card off.
fn problem(module: &Module) -> Option<u16> {
    if module.radio.cfun == 0 {
        Some(13)
    } else {
        module.sim.problem()
    }
}

fn pin(module: &mut Module, command: &Command) -> Outcome {
    let sim_ms = module.profile.timing.sim_ms;
    module.takes(sim_ms);
    match command.form {
        Form::Read if module.radio.cfun == 0 => Outcome::Cme(13),
        Form::Read => match module.sim.read() {
            Ok(word) => {
                module.info(format!("+CPIN: {word}"));
                Outcome::Ok
            }
            Err(code) => Outcome::Cme(code),
        },
        Form::Set => {
            let Some(secret) = command.text(0) else {
                return Outcome::Error;
            };
            match module.sim.unlock(&secret, command.text(1).as_deref()) {
                Ok(()) => Outcome::then(|module| {
                    for line in ["+CPIN: READY", "+QUSIM: 1", "+QIND: SMS DONE"] {
                        module.urc(line);
                    }
                    module.start_registration();
                }),
                Err(code) => Outcome::Cme(code),
            }
        }
        Form::Test | Form::Exec => Outcome::Error,
    }
}

fn counters(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Read {
        return Outcome::Error;
    }
    let (pin, puk) = (module.sim.pin_tries, module.sim.puk_tries);
    module.info(format!("+QPINC: \"SC\",{pin},{puk}"));
    module.info("+QPINC: \"P2\",3,10");
    Outcome::Ok
}

/// Tells whether the card asks for its PIN; the lock itself is set by whoever makes the module.
fn facility_lock(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(facility)) = (command.form, command.text(0)) else {
        return Outcome::Error;
    };
    if let Some(code @ (10 | 13)) = problem(module) {
        return Outcome::Cme(code);
    }
    match command.number(1) {
        Some(2) => {
            let locked = facility.eq_ignore_ascii_case("SC") && module.sim.asks_for_pin();
            module.info(format!("+CLCK: {}", u8::from(locked)));
            Outcome::Ok
        }
        _ => Outcome::Cme(3),
    }
}

/// A data card has no number of its own.
fn own_numbers(module: &mut Module, command: &Command) -> Outcome {
    match (command.form, problem(module)) {
        (Form::Exec, None) => Outcome::Ok,
        (Form::Exec, Some(code)) => Outcome::Cme(code),
        _ => Outcome::Error,
    }
}

fn imsi(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    if let Some(code) = problem(module) {
        return Outcome::Cme(code);
    }
    let line = module.profile.identity.imsi.clone();
    module.info(line);
    Outcome::Ok
}

fn iccid(module: &mut Module, command: &Command) -> Outcome {
    let present = matches!(problem(module), None | Some(11 | 12));
    if command.form != Form::Exec || !present {
        return Outcome::ErrorAfter(0);
    }
    let line = format!("{}: {}", command.name, module.profile.identity.iccid);
    module.info(line);
    Outcome::Ok
}

/// Reads one file of the card: the list of home networks (EF-HPLMNwAcT).
fn restricted_access(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Set {
        return Outcome::Error;
    }
    if let Some(code) = problem(module) {
        return Outcome::Cme(code);
    }
    let line = match (command.number(0), command.number(1)) {
        (Some(176), Some(28_514)) => {
            let mut digits = module.profile.radio.plmn.chars().chain(['F']);
            let mut next = || digits.next().unwrap_or('F');
            let [a, b, c, d, e, f] = [next(), next(), next(), next(), next(), next()];
            format!("+CRSM: 144,0,\"{b}{a}{f}{c}{e}{d}4000FFFFFF0000\"")
        }
        // 6A 82: no such file.
        (Some(176), Some(_)) => "+CRSM: 106,130".to_owned(),
        _ => return Outcome::Error,
    };
    module.info(line);
    Outcome::Ok
}

fn initialised(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    let value = if module.sim.is_ready() {
        module.profile.boot.inistat
    } else {
        0
    };
    module.info(format!("+QINISTAT: {value}"));
    Outcome::Ok
}

fn inserted(module: &mut Module, command: &Command) -> Outcome {
    match (command.form, command.number_in(0, 0, 1)) {
        (Form::Read, _) => {
            let state = u8::from(module.sim.is_inserted());
            module.info(format!(
                "+QSIMSTAT: {},{state}",
                u8::from(module.session.simstat_urc)
            ));
            Outcome::Ok
        }
        (Form::Set, Some(value)) => {
            module.session.simstat_urc = value == 1;
            Outcome::Ok
        }
        _ => Outcome::Error,
    }
}

fn detection(module: &mut Module, command: &Command) -> Outcome {
    match (
        command.form,
        command.number_in(0, 0, 1),
        command.optional(1, 0, 1, 0),
    ) {
        (Form::Read, ..) => {
            let (enable, level) = module.session.simdet;
            module.info(format!("+QSIMDET: {enable},{level}"));
            Outcome::Ok
        }
        (Form::Set, Some(enable), Some(level)) => {
            let byte = |n: u64| u8::try_from(n).unwrap_or(0);
            module.session.simdet = (byte(enable), byte(level));
            Outcome::Ok
        }
        _ => Outcome::Error,
    }
}
