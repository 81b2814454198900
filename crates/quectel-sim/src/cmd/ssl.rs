//! TLS sockets.

use super::{Handler, tcp::identifier};
use crate::{
    at::{Command, Form},
    module::{Module, Outcome, PromptEnd},
    ssl::SslState,
    tcp::Access,
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("+QSSLOPEN", open),
    ("+QSSLSEND", send),
    ("+QSSLRECV", receive),
    ("+QSSLCLOSE", close),
    ("+QSSLSTATE", state),
];

fn open(module: &mut Module, command: &Command) -> Outcome {
    let contexts = u64::from(module.profile.pdp.contexts);
    let byte = |n: u64| u8::try_from(n).ok();
    let context = command.number_in(0, 1, contexts).and_then(byte);
    let tls = command.number_in(1, 0, 5).and_then(byte);
    let port = command
        .number_in(4, 1, 65_535)
        .and_then(|n| u16::try_from(n).ok());
    let (Form::Set, Some(context), Some(tls), Some(id)) =
        (command.form, context, tls, identifier(command, 2))
    else {
        return Outcome::Error;
    };
    let (Some(host), Some(port), Some(mode)) =
        (command.text(3), port, command.optional(5, 0, 2, 0))
    else {
        return Outcome::Error;
    };
    let access = Access::new(mode);
    let problem = if module.open_is_wedged() {
        552
    } else if module.ssl.get(id).is_some() {
        563
    } else if !module.pdp.is_active(context) {
        561
    } else {
        0
    };
    if problem > 0 {
        if access == Access::Transparent {
            module.sockets.last_error = problem;
            return Outcome::ErrorAfter(0);
        }
        module.note_failure(problem);
        return Outcome::then(move |module| module.urc(format!("+QSSLOPEN: {id},{problem}")));
    }
    module.sockets.last_error = 0;
    if access == Access::Transparent {
        module.start_ssl(id, context, tls, &host, port, access);
        return Outcome::Wait;
    }
    Outcome::then(move |module| module.start_ssl(id, context, tls, &host, port, access))
}

fn send(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(id)) = (command.form, identifier(command, 0)) else {
        return Outcome::Error;
    };
    let max = module.profile.ssl.send_max;
    let live = module
        .ssl
        .get(id)
        .is_some_and(|socket| socket.state == SslState::Connected);
    let length = match command.arg(1) {
        None => None,
        Some(_) => match command.number_in(1, 1, u64::try_from(max).unwrap_or(1460)) {
            Some(length) => usize::try_from(length).ok(),
            None => return Outcome::Error,
        },
    };
    if !live {
        return Outcome::ErrorAfter(0);
    }
    let (end, max) = length.map_or((PromptEnd::CtrlZ, max), |length| {
        (PromptEnd::Count(length), length)
    });
    Outcome::prompt(end, max, move |module, data| {
        let socket = module
            .ssl
            .get(id)
            .filter(|s| s.state == SslState::Connected)
            .map(|s| s.socket);
        match socket {
            Some(socket) if module.send_on(socket, &data) => Outcome::Final("SEND OK".to_owned()),
            Some(_) => Outcome::Final("SEND FAIL".to_owned()),
            None => Outcome::ErrorAfter(0),
        }
    })
}

fn receive(module: &mut Module, command: &Command) -> Outcome {
    let max = u64::try_from(module.profile.ssl.recv_max).unwrap_or(1500);
    let (Form::Set, Some(id), Some(length)) = (
        command.form,
        identifier(command, 0),
        command.number_in(1, 1, max),
    ) else {
        return Outcome::Error;
    };
    let Some(bytes) = module.take_ssl_received(id, usize::try_from(length).unwrap_or(1500)) else {
        return Outcome::ErrorAfter(0);
    };
    module.info(format!("+QSSLRECV: {}", bytes.len()));
    if !bytes.is_empty() {
        module.info_raw(&bytes);
        let end = module.response_end();
        module.info_raw(end.as_bytes());
    }
    Outcome::Ok
}

fn close(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(id), Some(_)) = (
        command.form,
        identifier(command, 0),
        command.optional(1, 0, 65_535, 10),
    ) else {
        return Outcome::Error;
    };
    module.close_ssl(id);
    Outcome::Ok
}

fn state(module: &mut Module, command: &Command) -> Outcome {
    let wanted: Vec<u8> = match (command.form, command.args.len()) {
        (Form::Exec | Form::Read, _) => (0..12).collect(),
        // D: esp32-BG95 asks with a query type, as AT+QISTATE has it.
        (Form::Set, 2) => match (command.number(0), identifier(command, 1)) {
            (Some(1), Some(id)) => vec![id],
            (Some(0), Some(context)) => {
                let within = |id: &u8| module.ssl.get(*id).is_some_and(|s| s.context == context);
                (0..12).filter(within).collect()
            }
            _ => return Outcome::Error,
        },
        (Form::Set, _) => match identifier(command, 0) {
            Some(id) => vec![id],
            None => return Outcome::Error,
        },
        (Form::Test, _) => return Outcome::Ok,
    };
    for id in wanted {
        let Some(socket) = module.ssl.get(id) else {
            continue;
        };
        let state = match socket.state {
            SslState::Opening => 1,
            SslState::Connected => 2,
            SslState::Closing => 4,
        };
        let peer = module
            .peer_of(socket.socket)
            .map_or_else(|| socket.host.clone(), |peer| peer.to_string());
        let line = format!(
            "+QSSLSTATE: {id},\"SSLClient\",\"{peer}\",{},{},{state},{},{id},{},\"{}\",{}",
            socket.port,
            socket.local_port,
            socket.context,
            socket.access as u8,
            module.config.port,
            socket.tls,
        );
        module.info(line);
    }
    Outcome::Ok
}
