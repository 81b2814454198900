//! Function level, signal, registration, operator.

use super::Handler;
use crate::{
    at::{Command, Form},
    module::{Module, Outcome, Registration},
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("+CFUN", function),
    ("+CSQ", signal),
    ("+QCSQ", signal_details),
    ("+CREG", |m, c| registration(m, c, 0)),
    ("+CGREG", |m, c| registration(m, c, 1)),
    ("+CEREG", |m, c| registration(m, c, 2)),
    ("+CGATT", attach),
    ("+COPS", operator),
    ("+QNWINFO", network_information),
    ("+QSPN", operator_names),
    ("+QENG", serving_cell),
    ("+CESQ", extended_signal),
    ("+QTEMP", temperature),
    ("+CPOL", preferred_operators),
];

fn function(module: &mut Module, command: &Command) -> Outcome {
    match command.form {
        Form::Read => {
            module.info(format!("+CFUN: {}", module.radio.cfun));
            Outcome::Ok
        }
        Form::Set => {
            let level = command.number(0).filter(|level| matches!(level, 0 | 1 | 4));
            let (Some(level), Some(reset)) = (level, command.optional(1, 0, 1, 0)) else {
                return Outcome::Error;
            };
            if reset == 1 {
                return Outcome::then(Module::restart_by_command);
            }
            let level = u8::try_from(level).unwrap_or(1);
            let old = core::mem::replace(&mut module.radio.cfun, level);
            if level != 1 {
                module.set_registration(Registration::Idle);
                return Outcome::Ok;
            }
            if old == 1 {
                return Outcome::Ok;
            }
            Outcome::then(move |module| {
                if old == 0 {
                    let word = module.sim.urc_word();
                    module.urc(format!("+CPIN: {word}"));
                    if module.sim.is_ready() {
                        module.urc("+QUSIM: 1");
                        module.urc("+QIND: SMS DONE");
                    }
                }
                module.start_registration();
            })
        }
        Form::Test | Form::Exec => Outcome::Error,
    }
}

fn signal(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    let (rssi, ber) = if module.radio.cfun == 1 && module.radio.coverage {
        (module.radio.rssi, module.radio.ber)
    } else {
        (99, 99)
    };
    module.info(format!("+CSQ: {rssi},{ber}"));
    Outcome::Ok
}

fn signal_details(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    if !module.radio.registration.registered() {
        module.info("+QCSQ: \"NOSERVICE\"");
        return Outcome::Ok;
    }
    let radio = &module.profile.radio;
    let word = &radio.qcsq;
    let line = match word.as_str() {
        "GSM" => format!("+QCSQ: \"GSM\",{}", radio.rssi_dbm),
        "WCDMA" => format!(
            "+QCSQ: \"WCDMA\",{},{},{}",
            radio.rssi_dbm, radio.rsrp, radio.rsrq
        ),
        _ => format!(
            "+QCSQ: \"{word}\",{},{},{},{}",
            radio.rssi_dbm, radio.rsrp, radio.sinr, radio.rsrq
        ),
    };
    module.info(line);
    Outcome::Ok
}

fn registration(module: &mut Module, command: &Command, domain: usize) -> Outcome {
    let name = &command.name;
    match command.form {
        Form::Read => {
            let n = module.session.reg_n.get(domain).copied().unwrap_or(0);
            let fields = module.registration_fields(domain, n);
            module.info(format!("{name}: {n},{fields}"));
            Outcome::Ok
        }
        Form::Set => {
            let four = domain > 0 && module.profile.identity.family.starts_with("bg");
            let n = command.number(0).filter(|n| *n <= 2 || (four && *n == 4));
            match (
                n.and_then(|n| u8::try_from(n).ok()),
                module.session.reg_n.get_mut(domain),
            ) {
                (Some(n), Some(setting)) => {
                    *setting = n;
                    Outcome::Ok
                }
                _ => Outcome::Error,
            }
        }
        Form::Test | Form::Exec => Outcome::Error,
    }
}

fn attach(module: &mut Module, command: &Command) -> Outcome {
    match (command.form, command.number_in(0, 0, 1)) {
        (Form::Read, _) => {
            let attached = module.radio.attached && module.radio.registration.registered();
            module.info(format!("+CGATT: {}", u8::from(attached)));
            Outcome::Ok
        }
        (Form::Set, Some(0)) => {
            module.radio.attached = false;
            module.drop_all_contexts();
            Outcome::Ok
        }
        (Form::Set, Some(_)) => {
            if !module.radio.registration.registered() {
                return Outcome::Cme(30);
            }
            module.radio.attached = true;
            Outcome::Ok
        }
        _ => Outcome::Error,
    }
}

fn operator(module: &mut Module, command: &Command) -> Outcome {
    let radio = &module.profile.radio;
    match command.form {
        Form::Test => {
            let line = format!(
                "+COPS: (2,\"{}\",\"{}\",\"{}\",{}),,(0-4),(0-2)",
                radio.operator, radio.short_operator, radio.plmn, radio.act
            );
            module.info(line);
            // A scan takes minutes on hardware.
            Outcome::OkAfter(60_000)
        }
        Form::Read => {
            let (mode, format) = (module.radio.cops_mode, module.radio.cops_format);
            let line = if module.radio.registration.registered() {
                let name = match format {
                    0 => &radio.operator,
                    1 => &radio.short_operator,
                    _ => &radio.plmn,
                };
                format!("+COPS: {mode},{format},\"{name}\",{}", radio.act)
            } else {
                format!("+COPS: {mode}")
            };
            module.info(line);
            Outcome::Ok
        }
        Form::Set => {
            let (Some(mode), Some(format)) = (
                command.number_in(0, 0, 4),
                command.optional(1, 0, 2, u64::from(module.radio.cops_format)),
            ) else {
                return Outcome::Error;
            };
            if (mode == 1 || mode == 4) && command.arg(2).is_none() {
                return Outcome::Error;
            }
            module.radio.cops_format = u8::try_from(format).unwrap_or(0);
            if mode != 3 {
                module.radio.cops_mode = u8::try_from(mode).unwrap_or(0);
            }
            match mode {
                2 => module.set_registration(Registration::Idle),
                0 | 1 | 4 if !module.radio.registration.registered() => {
                    return Outcome::then(Module::start_registration);
                }
                _ => {}
            }
            Outcome::Ok
        }
        Form::Exec => Outcome::Error,
    }
}

fn network_information(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    let radio = &module.profile.radio;
    let line = if module.radio.registration.registered() {
        format!(
            "+QNWINFO: \"{}\",\"{}\",\"{}\",{}",
            radio.qnwinfo, radio.plmn, radio.band, radio.channel
        )
    } else {
        radio.no_service.clone()
    };
    module.info(line);
    Outcome::Ok
}

fn operator_names(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    let radio = &module.profile.radio;
    let line = if module.radio.registration.registered() {
        format!(
            "+QSPN: \"{}\",\"{}\",\"\",0,\"{}\"",
            radio.operator, radio.short_operator, radio.plmn
        )
    } else {
        "+QSPN: \"\",\"\",\"\",0,\"\"".to_owned()
    };
    module.info(line);
    Outcome::Ok
}

/// `AT+QENG="servingcell"`; there are no neighbours.
fn serving_cell(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(what)) = (command.form, command.text(0)) else {
        return Outcome::Error;
    };
    let radio = &module.profile.radio;
    match what.to_ascii_lowercase().as_str() {
        "neighbourcell" => return Outcome::Ok,
        "servingcell" => {}
        _ => return Outcome::Error,
    }
    let line = if module.radio.registration.registered() {
        let (country, network) = radio.plmn.split_at_checked(3).unwrap_or(("", ""));
        let band: String = radio.band.chars().filter(char::is_ascii_digit).collect();
        format!(
            "+QENG: \"servingcell\",\"NOCONN\",\"{}\",\"FDD\",{country},{network},{},54,{},{band},5,5,{},{},{},{},{},36",
            radio.cell_word,
            radio.cell,
            radio.channel,
            radio.tac,
            radio.rsrp,
            radio.rsrq,
            -radio.rssi_dbm.abs(),
            radio.sinr
        )
    } else {
        "+QENG: \"servingcell\",\"SEARCH\"".to_owned()
    };
    module.info(line);
    Outcome::Ok
}

/// `AT+CESQ` (3GPP TS 27.007, 8.69): what GSM and UTRAN would report is unknown on LTE.
fn extended_signal(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    let radio = &module.profile.radio;
    let (rsrq, rsrp) = if module.radio.registration.registered() {
        // Steps of half a dB from -19.5 dB, and of one dB from -140 dBm.
        (
            (radio.rsrq * 2 + 40).clamp(0, 34),
            (radio.rsrp + 141).clamp(0, 97),
        )
    } else {
        (255, 255)
    };
    module.info(format!("+CESQ: 99,99,255,255,{rsrq},{rsrp}"));
    Outcome::Ok
}

fn temperature(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    module.info("+QTEMP: 33,32,31");
    Outcome::Ok
}

fn preferred_operators(_: &mut Module, command: &Command) -> Outcome {
    match command.form {
        Form::Read => Outcome::Ok,
        Form::Set | Form::Exec | Form::Test => Outcome::Error,
    }
}
