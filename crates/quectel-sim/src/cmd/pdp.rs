//! PDP contexts, name look-up, ping.

use super::Handler;
use crate::{
    at::{Command, Form},
    module::{Module, Outcome},
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("+CGDCONT", define),
    ("+QICSGP", configure),
    ("+QIACT", activate),
    ("+QIDEACT", deactivate),
    ("+CGACT", activate_3gpp),
    ("+CGPADDR", address),
    ("+CGCONTRDP", parameters),
    ("+QILOCIP", local_address),
    ("+QIDNSCFG", name_servers),
    ("+QIDNSGIP", look_up),
    ("+QPING", ping),
    ("+QIGETERROR", last_error),
];

/// A context number in range.
fn context(module: &Module, command: &Command, at: usize) -> Option<u8> {
    command
        .number_in(at, 1, u64::from(module.profile.pdp.contexts))
        .and_then(|n| u8::try_from(n).ok())
}

/// "PPP" stands last, so that the numbers of the others are those of `AT+QICSGP`.
const KINDS: [&str; 4] = ["IP", "IPV6", "IPV4V6", "PPP"];

/// `<context_type>` of `AT+QICSGP`, which knows no PPP: such a context carries IPv4.
const fn type_of(kind: u8) -> u8 {
    if kind == 4 { 1 } else { kind }
}

fn define(module: &mut Module, command: &Command) -> Outcome {
    match command.form {
        Form::Read => {
            let tail = module.profile.pdp.cgdcont_tail.clone();
            let lines: Vec<String> = module
                .pdp
                .iter()
                .filter(|(_, c)| c.defined)
                .map(|(cid, c)| {
                    let kind = KINDS
                        .get(usize::from(c.kind).wrapping_sub(1))
                        .unwrap_or(&"IP");
                    format!("+CGDCONT: {cid},\"{kind}\",\"{}\",\"0.0.0.0\"{tail}", c.apn)
                })
                .collect();
            for line in lines {
                module.info(line);
            }
            Outcome::Ok
        }
        Form::Set => {
            let Some(cid) = context(module, command, 0) else {
                return Outcome::Error;
            };
            let kind = match command.text(1) {
                None if command.args.len() == 1 => None,
                None => return Outcome::Error,
                Some(kind) => {
                    let kind = kind.to_ascii_uppercase();
                    let Some(at) = KINDS.iter().position(|known| *known == kind) else {
                        return Outcome::Error;
                    };
                    u8::try_from(at + 1).ok()
                }
            };
            let compression = (command.optional(4, 0, 3, 0), command.optional(5, 0, 4, 0));
            if !matches!(compression, (Some(_), Some(_))) {
                return Outcome::Error;
            }
            let apn = command.args.get(2).map(crate::at::Arg::string);
            let Some(context) = module.pdp.get_mut(cid) else {
                return Outcome::Error;
            };
            context.defined = kind.is_some();
            context.kind = kind.unwrap_or(1);
            context.apn = apn.unwrap_or_default();
            Outcome::Ok
        }
        Form::Test | Form::Exec => Outcome::Error,
    }
}

fn configure(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(cid)) = (command.form, context(module, command, 0)) else {
        return Outcome::Error;
    };
    if command.args.len() == 1 {
        if let Some(c) = module.pdp.get(cid) {
            let line = format!(
                "+QICSGP: {},\"{}\",\"{}\",\"{}\",{}",
                type_of(c.kind),
                c.apn,
                c.user,
                c.password,
                c.auth
            );
            module.info(line);
        }
        return Outcome::Ok;
    }
    let types = u64::from(module.profile.pdp.types);
    let (Some(kind), Some(auth)) = (command.number_in(1, 1, types), command.optional(5, 0, 3, 0))
    else {
        return Outcome::Error;
    };
    let text = |at: usize| command.text(at).unwrap_or_default();
    let too_long = [2, 3, 4].into_iter().any(|at| text(at).len() > 127);
    if too_long || command.args.len() > 6 {
        return Outcome::Error;
    }
    let byte = |n: u64| u8::try_from(n).unwrap_or(0);
    if let Some(c) = module.pdp.get_mut(cid) {
        (c.kind, c.auth, c.defined) = (byte(kind), byte(auth), true);
        (c.apn, c.user, c.password) = (text(2), text(3), text(4));
    }
    Outcome::Ok
}

fn activate(module: &mut Module, command: &Command) -> Outcome {
    match command.form {
        Form::Read => {
            for (cid, address) in module.pdp.active() {
                let kind = module.pdp.get(cid).map_or(1, |c| type_of(c.kind));
                let second = if kind == 3 {
                    format!(",\"2001:db8::{cid}\"")
                } else {
                    String::new()
                };
                module.info(format!("+QIACT: {cid},1,{kind},\"{address}\"{second}"));
            }
            Outcome::Ok
        }
        Form::Set => {
            let Some(cid) = context(module, command, 0) else {
                return Outcome::Error;
            };
            start_context(module, cid)
        }
        Form::Test | Form::Exec => Outcome::Error,
    }
}

fn start_context(module: &mut Module, cid: u8) -> Outcome {
    let qiact_ms = module.profile.timing.qiact_ms;
    if module.pdp.is_active(cid) {
        let answer = module.profile.pdp.qiact_when_active.clone();
        module.sockets.last_error = if answer == "OK" { 0 } else { 572 };
        return Outcome::Final(answer);
    }
    let lost = module.pdp.get(cid).is_some_and(|c| c.lost);
    let full = module.pdp.active_count() >= module.profile.pdp.max_active;
    if lost || full || module.faults.wedged || !module.network_accepts(cid) {
        module.sockets.last_error = 561;
        return Outcome::ErrorAfter(qiact_ms);
    }
    module.activate_context(cid);
    module.sockets.last_error = 0;
    Outcome::OkAfter(qiact_ms)
}

fn deactivate(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(cid)) = (command.form, context(module, command, 0)) else {
        return Outcome::Error;
    };
    module.deactivate_context(cid);
    Outcome::OkAfter(module.profile.timing.qideact_ms)
}

fn activate_3gpp(module: &mut Module, command: &Command) -> Outcome {
    match command.form {
        Form::Read => {
            let lines: Vec<String> = module
                .pdp
                .iter()
                .filter(|(_, c)| c.defined)
                .map(|(cid, c)| format!("+CGACT: {cid},{}", u8::from(c.active)))
                .collect();
            for line in lines {
                module.info(line);
            }
            Outcome::Ok
        }
        Form::Set => match (command.number_in(0, 0, 1), context(module, command, 1)) {
            (Some(1), Some(cid)) if module.pdp.is_active(cid) => Outcome::Ok,
            (Some(1), Some(cid)) => start_context(module, cid),
            (Some(_), Some(cid)) => {
                module.deactivate_context(cid);
                Outcome::Ok
            }
            _ => Outcome::Error,
        },
        Form::Test | Form::Exec => Outcome::Error,
    }
}

fn address(module: &mut Module, command: &Command) -> Outcome {
    let wanted: Vec<u8> = match command.form {
        Form::Set => match context(module, command, 0) {
            Some(cid) => vec![cid],
            None => return Outcome::Error,
        },
        Form::Exec if !module.profile.pdp.cgpaddr_bare => vec![],
        Form::Exec => module
            .pdp
            .iter()
            .filter(|(_, c)| c.defined)
            .map(|(cid, _)| cid)
            .collect(),
        Form::Read | Form::Test => return Outcome::Error,
    };
    for cid in wanted {
        let address = if module.pdp.is_active(cid) {
            module.pdp.address(cid)
        } else {
            "0.0.0.0".to_owned()
        };
        let quote = if module.profile.pdp.cgpaddr_quoted {
            "\""
        } else {
            ""
        };
        module.info(format!("+CGPADDR: {cid},{quote}{address}{quote}"));
    }
    Outcome::Ok
}

fn local_address(module: &mut Module, command: &Command) -> Outcome {
    match (command.form, module.pdp.active().first()) {
        (Form::Exec, Some((_, address))) => {
            module.info(address.clone());
            Outcome::Ok
        }
        (Form::Exec, None) => Outcome::ErrorAfter(0),
        _ => Outcome::Error,
    }
}

fn parameters(module: &mut Module, command: &Command) -> Outcome {
    let wanted = context(module, command, 0);
    let dns = module.profile.pdp.dns.clone();
    for (cid, address) in module.pdp.active() {
        if wanted.is_some_and(|wanted| wanted != cid) {
            continue;
        }
        let apn = module
            .pdp
            .get(cid)
            .map(|c| c.apn.clone())
            .unwrap_or_default();
        let servers = format!(
            "\"{}\",\"{}\"",
            dns.first().map_or("", |s| s),
            dns.get(1).map_or("", |s| s)
        );
        module.info(format!(
            "+CGCONTRDP: {cid},5,\"{apn}\",\"{address}\",,{servers}"
        ));
    }
    Outcome::Ok
}

fn name_servers(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(cid)) = (command.form, context(module, command, 0)) else {
        return Outcome::Error;
    };
    if !module.pdp.is_active(cid) {
        return Outcome::ErrorAfter(0);
    }
    let default = module.profile.pdp.dns.clone();
    let server = |at: usize| default.get(at).cloned().unwrap_or_default();
    if let Some(first) = command.text(1) {
        let second = command.text(2).unwrap_or_else(|| "0.0.0.0".to_owned());
        if let Some(c) = module.pdp.get_mut(cid) {
            c.dns = Some([first, second]);
        }
        return Outcome::Ok;
    }
    let [first, second] = module
        .pdp
        .get(cid)
        .and_then(|c| c.dns.clone())
        .unwrap_or_else(|| [server(0), server(1)]);
    module.info(format!("+QIDNSCFG: {cid},\"{first}\",\"{second}\""));
    Outcome::Ok
}

fn look_up(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(cid), Some(host)) =
        (command.form, context(module, command, 0), command.text(1))
    else {
        return Outcome::Error;
    };
    if !module.pdp.is_active(cid) {
        module.sockets.last_error = 561;
        return Outcome::ErrorAfter(0);
    }
    if module.sockets.look_up.is_some() {
        module.sockets.last_error = 564;
        return Outcome::ErrorAfter(0);
    }
    module.sockets.last_error = 0;
    Outcome::then(move |module| module.start_look_up(&host))
}

fn ping(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(cid), Some(host)) =
        (command.form, context(module, command, 0), command.text(1))
    else {
        return Outcome::Error;
    };
    let (Some(_), Some(count)) = (
        command.optional(2, 1, 255, 4),
        command.optional(3, 1, 10, 4),
    ) else {
        return Outcome::Error;
    };
    if !module.pdp.is_active(cid) {
        module.note_failure(561);
        return Outcome::then(|module| module.urc("+QPING: 561"));
    }
    module.sockets.last_error = 0;
    Outcome::then(move |module| module.start_ping(&host, count))
}

fn last_error(module: &mut Module, command: &Command) -> Outcome {
    if command.form != Form::Exec {
        return Outcome::Error;
    }
    let code = module.sockets.last_error;
    let blank = if module.profile.tcp.geterror_space {
        " "
    } else {
        ""
    };
    module.info(format!(
        "+QIGETERROR: {code},{blank}{}",
        crate::codes::tcp_text(code)
    ));
    Outcome::Ok
}
