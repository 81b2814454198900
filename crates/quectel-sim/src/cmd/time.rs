//! The clock: by hand, from the network, from a time server.

use super::Handler;
use crate::{
    at::{Command, Form},
    module::{Civil, Module, Outcome},
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("+CCLK", clock),
    ("+QLTS", network_time),
    ("+CTZU", update),
    ("+CTZR", report),
    ("+QNTP", time_server),
];

const QUARTER_S: i64 = 15 * 60;

fn clock(module: &mut Module, command: &Command) -> Outcome {
    match command.form {
        Form::Read => {
            let zone = module.clock.zone_quarters;
            let shift = if module.profile.clock.cclk_local {
                zone * QUARTER_S
            } else {
                0
            };
            let date = Civil::from_unix(module.own_unix_s() + shift).two_digits();
            module.info(format!("+CCLK: \"{date}{zone:+03}\""));
            Outcome::Ok
        }
        Form::Set => {
            let Some((date, zone)) = command.text(0).as_deref().and_then(Civil::parse) else {
                return Outcome::Error;
            };
            let shift = if module.profile.clock.cclk_local {
                zone * QUARTER_S
            } else {
                0
            };
            module.clock.zone_quarters = zone;
            module.set_clock(date.to_unix() - shift);
            Outcome::Ok
        }
        Form::Test | Form::Exec => Outcome::Error,
    }
}

fn network_time(module: &mut Module, command: &Command) -> Outcome {
    let mode = match command.form {
        Form::Exec => Some(0),
        Form::Set => command.number_in(0, 0, 2),
        Form::Read | Form::Test => None,
    };
    let Some(mode) = mode else {
        return Outcome::Error;
    };
    let Some((synchronised, at_ms)) = module.clock.network else {
        module.info("+QLTS: \"\"");
        return Outcome::Ok;
    };
    let zone = module.clock.zone_quarters;
    let running = synchronised + i64::try_from((module.now_ms() - at_ms) / 1000).unwrap_or(0);
    let unix_s = match mode {
        0 => synchronised,
        1 => running,
        _ => running + zone * QUARTER_S,
    };
    let date = Civil::from_unix(unix_s);
    let date = if module.profile.clock.qlts_year_digits == 2 {
        date.two_digits()
    } else {
        date.four_digits()
    };
    module.info(format!("+QLTS: \"{date}{zone:+03},0\""));
    Outcome::Ok
}

fn update(module: &mut Module, command: &Command) -> Outcome {
    match (command.form, command.number(0)) {
        (Form::Read, _) => {
            module.info(format!("+CTZU: {}", module.session.ctzu));
            Outcome::Ok
        }
        (Form::Set, Some(value @ (0 | 1 | 3))) => {
            if value == 3 && module.profile.identity.family.starts_with("bg") {
                return Outcome::Error;
            }
            module.session.store("ctzu", value);
            module.session.ctzu = u8::try_from(value).unwrap_or(0);
            if let (true, Some((unix_s, at_ms))) = (value > 0, module.clock.network) {
                let passed = i64::try_from((module.now_ms() - at_ms) / 1000).unwrap_or(0);
                module.set_clock(unix_s + passed);
            }
            Outcome::Ok
        }
        _ => Outcome::Error,
    }
}

fn report(module: &mut Module, command: &Command) -> Outcome {
    match (command.form, command.number_in(0, 0, 2)) {
        (Form::Read, _) => {
            module.info(format!("+CTZR: {}", module.session.ctzr));
            Outcome::Ok
        }
        (Form::Set, Some(value)) => {
            module.session.ctzr = u8::try_from(value).unwrap_or(0);
            Outcome::Ok
        }
        _ => Outcome::Error,
    }
}

fn time_server(module: &mut Module, command: &Command) -> Outcome {
    if command.form == Form::Read {
        if let Some((server, port)) = module.ntp_running.clone() {
            module.info(format!("+QNTP: \"{server}\",{port}"));
        }
        return Outcome::Ok;
    }
    let contexts = u64::from(module.profile.pdp.contexts);
    let context = command
        .number_in(0, 1, contexts)
        .and_then(|n| u8::try_from(n).ok());
    let port = command.optional(2, 1, 65_535, 123);
    let set = command.optional(3, 0, 1, 1);
    let (Form::Set, Some(context), Some(server), Some(port), Some(set)) =
        (command.form, context, command.text(1), port, set)
    else {
        return Outcome::Error;
    };
    if !module.pdp.is_active(context) {
        module.sockets.last_error = 561;
        return Outcome::ErrorAfter(0);
    }
    Outcome::then(move |module| ask_time_server(module, server, port, set == 1))
}

fn ask_time_server(module: &mut Module, server: String, port: u64, set: bool) {
    module.ntp_running = Some((server, port));
    let ntp_ms = module.profile.timing.ntp_ms;
    if !module.config.ntp || module.faults.dns_fails {
        let code = if module.faults.dns_fails { 565 } else { 569 };
        module.after(ntp_ms.max(10_000), move |module| {
            module.ntp_running = None;
            module.urc(format!("+QNTP: {code}"));
        });
        return;
    }
    module.after(ntp_ms, move |module| {
        module.ntp_running = None;
        let unix_s = module.world_unix_s();
        let zone = module.clock.zone_quarters;
        if set {
            module.set_clock(unix_s);
        }
        let date = Civil::from_unix(unix_s + zone * QUARTER_S).four_digits();
        module.urc(format!("+QNTP: 0,\"{date}{zone:+03}\""));
    });
}
