//! The basic commands and the settings of the AT interpreter.

use super::Handler;
use crate::{
    at::{Command, Form},
    module::{Module, Outcome},
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("E", echo),
    ("V", verbose),
    ("Q", quiet),
    ("X", |m, c| small(m, c, 4, |s| &mut s.x)),
    ("&C", |m, c| small(m, c, 2, |s| &mut s.dcd)),
    ("&D", |m, c| small(m, c, 2, |s| &mut s.dtr)),
    ("L", |_, _| Outcome::Ok),
    ("M", |_, _| Outcome::Ok),
    ("H", |_, _| Outcome::Ok),
    ("O", |m, _| m.back_to_data()),
    ("Z", restore),
    ("&F", factory),
    ("&W", store),
    ("&V", show),
    ("S0", |m, c| register(m, c, 255, |s| &mut s.s0)),
    ("S3", |m, c| register(m, c, 127, |s| &mut s.s3)),
    ("S4", |m, c| register(m, c, 127, |s| &mut s.s4)),
    ("S5", |m, c| register(m, c, 127, |s| &mut s.s5)),
    ("S6", |m, c| register(m, c, 255, |s| &mut s.s6)),
    ("S7", |m, c| register(m, c, 255, |s| &mut s.s7)),
    ("S8", |m, c| register(m, c, 255, |s| &mut s.s8)),
    ("S10", |m, c| register(m, c, 254, |s| &mut s.s10)),
    ("+CMEE", cmee),
    ("+IPR", ipr),
    ("+IFC", |m, c| pair(m, c, &[0, 2], |s| &mut s.ifc)),
    ("+ICF", |m, c| {
        pair(m, c, &[1, 2, 3, 4, 5, 6], |s| &mut s.icf)
    }),
    ("+QURCCFG", urc_port),
    ("+QINDCFG", indications),
    ("+QISDE", send_echo),
    ("+QPOWD", power_down),
    ("+QSCLK", sleep),
    ("+CBC", battery),
];

type Settings = crate::session::Session;

/// The number of a basic command: 0 when there is none.
fn basic_number(command: &Command, max: u64) -> Option<u8> {
    if command.form != Form::Exec {
        return None;
    }
    command
        .optional(0, 0, max, 0)
        .and_then(|n| u8::try_from(n).ok())
}

fn small(
    module: &mut Module,
    command: &Command,
    max: u64,
    field: fn(&mut Settings) -> &mut u8,
) -> Outcome {
    let Some(value) = basic_number(command, max) else {
        return Outcome::Error;
    };
    *field(&mut module.session) = value;
    Outcome::Ok
}

fn echo(module: &mut Module, command: &Command) -> Outcome {
    let Some(value) = basic_number(command, 1) else {
        return Outcome::Error;
    };
    module.session.echo = value == 1;
    Outcome::Ok
}

fn verbose(module: &mut Module, command: &Command) -> Outcome {
    let Some(value) = basic_number(command, 1) else {
        return Outcome::Error;
    };
    module.session.verbose = value == 1;
    Outcome::Ok
}

fn quiet(module: &mut Module, command: &Command) -> Outcome {
    let Some(value) = basic_number(command, 1) else {
        return Outcome::Error;
    };
    module.session.quiet = value == 1;
    Outcome::Ok
}

fn restore(module: &mut Module, command: &Command) -> Outcome {
    if basic_number(command, 0).is_none() {
        return Outcome::Error;
    }
    module.session.restore_profile();
    Outcome::Ok
}

fn factory(module: &mut Module, command: &Command) -> Outcome {
    if basic_number(command, 1).is_none() {
        return Outcome::Error;
    }
    module.session.factory_reset();
    Outcome::Ok
}

fn store(module: &mut Module, command: &Command) -> Outcome {
    if basic_number(command, 0).is_none() {
        return Outcome::Error;
    }
    module.session.store_profile();
    Outcome::Ok
}

fn show(module: &mut Module, _: &Command) -> Outcome {
    let s = &module.session;
    let lines = [
        format!("&C: {}", s.dcd),
        format!("&D: {}", s.dtr),
        format!("E: {}", u8::from(s.echo)),
        format!("Q: {}", u8::from(s.quiet)),
        format!("V: {}", u8::from(s.verbose)),
        format!("X: {}", s.x),
        format!("S0: {}", s.s0),
        format!("S3: {}", s.s3),
        format!("S4: {}", s.s4),
        format!("S5: {}", s.s5),
        format!("S7: {}", s.s7),
        format!("S10: {}", s.s10),
    ];
    for line in lines {
        module.info(line);
    }
    Outcome::Ok
}

fn register(
    module: &mut Module,
    command: &Command,
    max: u64,
    field: fn(&mut Settings) -> &mut u8,
) -> Outcome {
    match command.form {
        Form::Read => {
            let value = *field(&mut module.session);
            module.info(format!("{value:03}"));
            Outcome::Ok
        }
        Form::Set => match command
            .number_in(0, 0, max)
            .and_then(|n| u8::try_from(n).ok())
        {
            Some(value) => {
                *field(&mut module.session) = value;
                Outcome::Ok
            }
            None => Outcome::Error,
        },
        Form::Test | Form::Exec => Outcome::Error,
    }
}

fn cmee(module: &mut Module, command: &Command) -> Outcome {
    match command.form {
        Form::Read => {
            module.info(format!("+CMEE: {}", module.session.cmee));
            Outcome::Ok
        }
        Form::Set => match command
            .number_in(0, 0, 2)
            .and_then(|n| u8::try_from(n).ok())
        {
            Some(value) => {
                module.session.cmee = value;
                Outcome::Ok
            }
            None => Outcome::Error,
        },
        Form::Test | Form::Exec => Outcome::Error,
    }
}

fn ipr(module: &mut Module, command: &Command) -> Outcome {
    match command.form {
        Form::Test => {
            let rates: Vec<String> = module
                .profile
                .line
                .baud_rates
                .iter()
                .map(u32::to_string)
                .collect();
            module.info(format!("+IPR: (),({})", rates.join(",")));
            Outcome::Ok
        }
        Form::Read => {
            module.info(format!("+IPR: {}", module.session.baud));
            Outcome::Ok
        }
        Form::Set => {
            // 0 is "find out": what comes next decides, and nothing changes here.
            if command.number(0) == Some(0) {
                return Outcome::Ok;
            }
            let rate = command.number(0).and_then(|n| u32::try_from(n).ok());
            match rate.filter(|rate| module.profile.line.baud_rates.contains(rate)) {
                // The OK still goes out at the old rate.
                Some(rate) => Outcome::then(move |module| module.set_baud(rate)),
                None => Outcome::Error,
            }
        }
        Form::Exec => Outcome::Error,
    }
}

fn pair(
    module: &mut Module,
    command: &Command,
    allowed: &[u64],
    field: fn(&mut Settings) -> &mut (u8, u8),
) -> Outcome {
    let name = &command.name;
    match command.form {
        Form::Read => {
            let (first, second) = *field(&mut module.session);
            module.info(format!("{name}: {first},{second}"));
            Outcome::Ok
        }
        Form::Set => {
            let old = *field(&mut module.session);
            let first = command.number(0);
            let second = command.optional(1, 0, 9, u64::from(old.1));
            match (first, second) {
                (Some(first), Some(second))
                    if allowed.contains(&first) && allowed.contains(&second) =>
                {
                    let byte = |n: u64| u8::try_from(n).unwrap_or(0);
                    *field(&mut module.session) = (byte(first), byte(second));
                    Outcome::Ok
                }
                _ => Outcome::Error,
            }
        }
        Form::Test | Form::Exec => Outcome::Error,
    }
}

fn urc_port(module: &mut Module, command: &Command) -> Outcome {
    if command.form == Form::Test {
        return Outcome::Ok;
    }
    let named = command
        .text(0)
        .is_some_and(|name| name.eq_ignore_ascii_case("urcport"));
    if command.form != Form::Set || !named {
        return Outcome::Error;
    }
    let Some(port) = command.text(1) else {
        module.info(format!(
            "+QURCCFG: \"urcport\",\"{}\"",
            module.session.urc_port
        ));
        return Outcome::Ok;
    };
    let Some(port) = module
        .profile
        .urc
        .ports
        .iter()
        .find(|known| known.eq_ignore_ascii_case(&port))
        .cloned()
    else {
        return Outcome::Error;
    };
    module.session.store("urcport", &port);
    module.session.urc_port = port;
    Outcome::Ok
}

fn indications(module: &mut Module, command: &Command) -> Outcome {
    let all = command
        .text(0)
        .is_some_and(|name| name.eq_ignore_ascii_case("all"));
    if command.form != Form::Set || command.args.is_empty() {
        return Outcome::Error;
    }
    match command.number(1) {
        None => {
            let name = command.text(0).unwrap_or_default();
            module.info(format!(
                "+QINDCFG: \"{name}\",{}",
                u8::from(module.session.qindcfg_all)
            ));
            Outcome::Ok
        }
        Some(value @ (0 | 1)) => {
            if all {
                module.session.qindcfg_all = value == 1;
            }
            Outcome::Ok
        }
        Some(_) => Outcome::Error,
    }
}

fn send_echo(module: &mut Module, command: &Command) -> Outcome {
    match (command.form, command.number(0)) {
        (Form::Read, _) => {
            module.info(format!("+QISDE: {}", u8::from(module.session.qisde)));
            Outcome::Ok
        }
        (Form::Set, Some(value @ (0 | 1))) => {
            module.session.qisde = value == 1;
            Outcome::Ok
        }
        _ => Outcome::Error,
    }
}

fn battery(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    module.info("+CBC: 0,85,3900");
    Outcome::Ok
}

fn power_down(_: &mut Module, command: &Command) -> Outcome {
    let mode = match command.form {
        Form::Exec => Some(1),
        Form::Set => command.number_in(0, 0, 1),
        Form::Read | Form::Test => None,
    };
    match mode {
        Some(mode) => Outcome::then(move |module| module.shut_down(mode == 1)),
        None => Outcome::Error,
    }
}

fn sleep(module: &mut Module, command: &Command) -> Outcome {
    let max = u64::from(module.profile.line.sleep_max);
    match (command.form, command.number_in(0, 0, max)) {
        (Form::Read, _) => {
            module.info(format!("+QSCLK: {}", module.session.qsclk));
            Outcome::Ok
        }
        (Form::Set, Some(value)) => {
            module.session.qsclk = u8::try_from(value).unwrap_or(0);
            Outcome::Ok
        }
        _ => Outcome::Error,
    }
}
