//! Sockets.

use super::Handler;
use crate::{
    at::{Command, Form},
    conn::Owner,
    module::{Module, Outcome, PromptEnd},
    tcp::{Access, Service, SocketState},
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("+QIOPEN", open),
    ("+QICLOSE", close),
    ("+QISEND", send),
    ("+QISENDEX", send_hex),
    ("+QIRD", read),
    ("+QISTATE", state),
    ("+QISWTMD", switch_mode),
];

/// A socket number in range.
pub(super) fn identifier(command: &Command, at: usize) -> Option<u8> {
    command
        .number_in(at, 0, 11)
        .and_then(|n| u8::try_from(n).ok())
}

/// What `AT+QIOPEN` says.
struct Open {
    context: u8,
    id: u8,
    service: Service,
    host: String,
    port: u16,
    local: u16,
    access: Access,
}

fn parse_open(module: &Module, command: &Command) -> Option<Open> {
    let service = match command.text(2)?.to_ascii_uppercase().as_str() {
        "TCP" => Service::Tcp,
        "UDP" => Service::Udp,
        "TCP LISTENER" => Service::TcpListener,
        "UDP SERVICE" => Service::UdpLocal,
        _ => return None,
    };
    let remote = !matches!(service, Service::TcpListener | Service::UdpLocal);
    let contexts = u64::from(module.profile.pdp.contexts);
    (command.form == Form::Set).then_some(())?;
    Some(Open {
        context: u8::try_from(command.number_in(0, 1, contexts)?).ok()?,
        id: identifier(command, 1)?,
        service,
        host: command.text(3)?,
        port: u16::try_from(command.number_in(4, u64::from(remote), 65_535)?).ok()?,
        local: u16::try_from(command.optional(5, 0, 65_535, 0)?).ok()?,
        access: Access::new(command.optional(6, 0, 2, 0)?),
    })
}

fn open(module: &mut Module, command: &Command) -> Outcome {
    let Some(open) = parse_open(module, command) else {
        return Outcome::Error;
    };
    let id = open.id;
    let transparent = open.access == Access::Transparent;
    let problem = if module.open_is_wedged() {
        552
    } else if module.sockets.get(id).is_some() {
        563
    } else if !module.pdp.is_active(open.context) {
        561
    } else {
        0
    };
    module.sockets.last_error = problem;
    if problem > 0 && transparent {
        return Outcome::ErrorAfter(0);
    }
    if problem > 0 {
        return Outcome::then(move |module| module.urc(format!("+QIOPEN: {id},{problem}")));
    }
    let start = move |module: &mut Module| {
        let ports = (open.port, open.local);
        module.start_tcp(
            id,
            open.service,
            open.context,
            &open.host,
            ports,
            open.access,
        );
    };
    if transparent {
        start(module);
        return Outcome::Wait;
    }
    Outcome::then(start)
}

fn close(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(id)) = (command.form, identifier(command, 0)) else {
        return Outcome::Error;
    };
    if command.optional(1, 0, 65_535, 10).is_none() {
        return Outcome::Error;
    }
    module.close_tcp(id);
    Outcome::Ok
}

fn send(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(id)) = (command.form, identifier(command, 0)) else {
        return Outcome::Error;
    };
    let max = module.profile.tcp.send_max;
    let limit = u64::try_from(max).unwrap_or(u64::MAX);
    let length = match command.arg(1) {
        None => None,
        Some(_) => match command.number_in(1, 0, limit) {
            Some(length) => usize::try_from(length).ok(),
            None => return Outcome::Error,
        },
    };
    let Some(socket) = module.sockets.get(id) else {
        module.sockets.last_error = 567;
        return Outcome::ErrorAfter(0);
    };
    if length == Some(0) {
        let (total, acked) = module.sent_on(socket.socket);
        module.info(format!("+QISEND: {total},{acked},{}", total - acked));
        return Outcome::Ok;
    }
    let target = match (socket.service, socket.state) {
        (Service::UdpLocal, _) => match (command.text(2), command.number_in(3, 1, 65_535)) {
            (Some(host), Some(port)) => Some((host, u16::try_from(port).unwrap_or(0))),
            _ => return Outcome::Error,
        },
        (_, SocketState::Connected) => None,
        _ => {
            module.sockets.last_error = 567;
            return Outcome::ErrorAfter(0);
        }
    };
    let (end, max) = length.map_or((PromptEnd::CtrlZ, max), |n| (PromptEnd::Count(n), n));
    let mut outcome = Outcome::prompt(end, max, move |module, data| {
        let data = match module.sends_hex() {
            true => hex_bytes(&String::from_utf8_lossy(&data)),
            false => Some(data),
        };
        let Some(data) = data else {
            return Outcome::ErrorAfter(0);
        };
        let Some((host, port)) = target else {
            return send_now(module, id, &data);
        };
        if module.send_datagram(id, &host, port, data) {
            Outcome::Final("SEND OK".to_owned())
        } else {
            Outcome::ErrorAfter(0)
        }
    });
    if let Outcome::Prompt(prompt) = &mut outcome {
        prompt.echo = module.session.qisde;
    }
    outcome
}

fn send_now(module: &mut Module, id: u8, data: &[u8]) -> Outcome {
    let socket = module
        .sockets
        .get(id)
        .filter(|s| s.state == SocketState::Connected)
        .map(|s| s.socket);
    match socket {
        Some(socket) if module.send_on(socket, data) => Outcome::Final("SEND OK".to_owned()),
        Some(_) => Outcome::Final("SEND FAIL".to_owned()),
        None => Outcome::ErrorAfter(0),
    }
}

fn send_hex(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(id), Some(text)) = (command.form, identifier(command, 0), command.text(1))
    else {
        return Outcome::Error;
    };
    match hex_bytes(&text) {
        Some(data) if !data.is_empty() && data.len() <= 256 => send_now(module, id, &data),
        _ => Outcome::Error,
    }
}

/// Pairs of hexadecimal digits.
pub(super) fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) {
        return None;
    }
    let digits: Option<Vec<u8>> = text
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    Some(
        digits?
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect(),
    )
}

fn read(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(id)) = (command.form, identifier(command, 0)) else {
        return Outcome::Error;
    };
    let max = u64::try_from(module.profile.tcp.receive_max).unwrap_or(1500);
    let Some(length) = command.optional(1, 0, max, max) else {
        return Outcome::Error;
    };
    let Some(socket) = module.sockets.get(id) else {
        module.sockets.last_error = 567;
        return Outcome::ErrorAfter(0);
    };
    if length == 0 {
        let (total, unread) = (socket.total, socket.received.len());
        module.info(format!("+QIRD: {total},{},{unread}", total - unread));
        return Outcome::Ok;
    }
    if socket.service == Service::UdpLocal {
        return read_datagram(module, id);
    }
    let bytes = module.take_received(id, usize::try_from(length).unwrap_or(1500));
    let header = format!("+QIRD: {}", bytes.len());
    if bytes.is_empty() {
        module.info(header);
    } else {
        let block = module.received_block(&header, &bytes);
        module.info(block);
    }
    Outcome::Ok
}

/// A UDP service reads whole datagrams, with their senders.
fn read_datagram(module: &mut Module, id: u8) -> Outcome {
    let Some(datagram) = module.take_datagram(id) else {
        module.info("+QIRD: 0");
        return Outcome::Ok;
    };
    let (length, peer, port) = (datagram.data.len(), datagram.peer, datagram.port);
    module.info(format!("+QIRD: {length},\"{peer}\",{port}"));
    module.info_raw(&datagram.data);
    let end = module.response_end();
    module.info_raw(end.as_bytes());
    Outcome::Ok
}

fn state(module: &mut Module, command: &Command) -> Outcome {
    let wanted: Vec<u8> = match (command.form, command.number(0)) {
        (Form::Read | Form::Exec, _) => (0..12).collect(),
        (Form::Set, Some(0)) => {
            let context = command.number(1);
            (0..12)
                .filter(|id| {
                    module
                        .sockets
                        .get(*id)
                        .is_some_and(|s| Some(u64::from(s.context)) == context)
                })
                .collect()
        }
        (Form::Set, Some(1)) => match identifier(command, 1) {
            Some(id) => vec![id],
            None => return Outcome::Error,
        },
        _ => return Outcome::Error,
    };
    for id in wanted {
        let Some(socket) = module.sockets.get(id) else {
            continue;
        };
        let connected = module.profile.tcp.connected_state;
        let state = match socket.state {
            SocketState::Opening => 1,
            SocketState::Connected => connected,
            SocketState::Listening => 3,
            SocketState::Closing => 4,
        };
        let peer = module
            .peer_of(socket.socket)
            .map_or_else(|| socket.host.clone(), |peer| peer.to_string());
        let line = format!(
            "+QISTATE: {id},\"{}\",\"{peer}\",{},{},{state},{},{},{},\"{}\"",
            socket.service.word(),
            socket.port,
            socket.local_port,
            socket.context,
            socket.server,
            socket.access as u8,
            module.config.port,
        );
        module.info(line);
    }
    Outcome::Ok
}

fn switch_mode(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(id), Some(mode)) = (
        command.form,
        identifier(command, 0),
        command.number_in(1, 0, 2),
    ) else {
        return Outcome::Error;
    };
    let Some(socket) = module.sockets.get_mut(id) else {
        return Outcome::ErrorAfter(0);
    };
    socket.access = Access::new(mode);
    if socket.access == Access::Transparent {
        Outcome::Transparent(Owner::Tcp(id))
    } else {
        Outcome::Ok
    }
}
