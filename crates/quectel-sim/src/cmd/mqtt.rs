//! MQTT: open, connect, subscribe, receive, close.

use mqtt311::{Packet, PacketId, QoS, Subscribe, Subscription, Unsubscribe};

use super::{Handler, mqtt_publish};
use crate::{
    at::{Command, Form},
    module::{Group, Module, MqttState, Outcome},
    mqtt::FlightKind,
    profile::{CloseClosed, OpenOrder},
};

pub(super) const COMMANDS: &[(&str, Handler)] = &[
    ("+QMTOPEN", open),
    ("+QMTCLOSE", close),
    ("+QMTCONN", connect),
    ("+QMTDISC", disconnect),
    ("+QMTSUB", subscribe),
    ("+QMTUNS", unsubscribe),
    ("+QMTPUB", mqtt_publish::publish),
    ("+QMTPUBEX", mqtt_publish::publish_ex),
    ("+QMTRECV", receive),
];

/// Longest host name (manual).
const HOST_MAX: usize = 100;
/// Topics of one `AT+QMTSUB`.
const TOPICS_MAX: usize = 5;

/// A client number in range.
pub(super) fn client(command: &Command) -> Option<u8> {
    command
        .number_in(0, 0, 5)
        .and_then(|n| u8::try_from(n).ok())
}

fn open(module: &mut Module, command: &Command) -> Outcome {
    if command.form == Form::Read {
        for at in 0..6 {
            let Some(client) = module.client(at) else {
                continue;
            };
            let shown = !matches!(client.state, MqttState::Closed | MqttState::Opening);
            if shown && module.profile.mqtt.open_read {
                let line = format!("+QMTOPEN: {at},\"{}\",{}", client.host, client.port);
                module.info(line);
            }
        }
        return Outcome::Ok;
    }
    let port_arg = command
        .arg(2)
        .filter(|arg| !arg.quoted || module.profile.line.quoted_numbers);
    let port = port_arg
        .and_then(crate::at::Arg::number)
        .and_then(|n| u16::try_from(n).ok())
        .filter(|p| *p > 0);
    let (Form::Set, Some(at), Some(host), Some(port)) =
        (command.form, client(command), command.text(1), port)
    else {
        return Outcome::Error;
    };
    if host.len() > HOST_MAX || command.args.len() > 3 {
        return Outcome::Error;
    }
    if module.mqtt_state(at) != MqttState::Closed || module.mqtt_is_occupied(at) {
        let setting = module.profile.mqtt.occupied.clone();
        return answer_or_urc(module, setting, at, 2);
    }
    let context = u8::try_from(module.item_number(Group::Mqtt, "pdpcid", at, 0)).unwrap_or(1);
    if !module.pdp.is_active(context) {
        if !module.profile.pdp.mqtt_activates || !module.network_accepts(context) {
            let setting = module.profile.mqtt.no_pdp.clone();
            return answer_or_urc(module, setting, at, 3);
        }
        module.activate_context(context);
    }
    if module.profile.mqtt.open_order == OpenOrder::ResultFirst {
        module.start_mqtt(at, &host, port, context);
        return Outcome::Wait;
    }
    Outcome::then(move |module| module.start_mqtt(at, &host, port, context))
}

/// `urc`: `OK` and then `+QMTOPEN` with this result; otherwise the final result code itself.
fn answer_or_urc(module: &mut Module, setting: String, at: u8, result: u8) -> Outcome {
    let text = format!("+QMTOPEN: {at},{result}");
    if setting != "urc" {
        Outcome::Final(setting)
    } else if module.profile.mqtt.open_order == OpenOrder::ResultFirst {
        module.info(text);
        Outcome::ErrorAfter(0)
    } else {
        Outcome::then(move |module| module.urc(text))
    }
}

fn close(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(at)) = (command.form, client(command)) else {
        return Outcome::Error;
    };
    if module.mqtt_state(at) != MqttState::Closed || module.free_mqtt(at) {
        return Outcome::then(move |module| module.close_mqtt(at));
    }
    match module.close_closed() {
        CloseClosed::Error => Outcome::ErrorAfter(0),
        CloseClosed::Ok => Outcome::Ok,
        CloseClosed::OkUrc => Outcome::then(move |module| module.urc(format!("+QMTCLOSE: {at},0"))),
    }
}

fn connect(module: &mut Module, command: &Command) -> Outcome {
    if command.form == Form::Read {
        for at in 0..6 {
            let state = match module.mqtt_state(at) {
                MqttState::Closed | MqttState::Opening => continue,
                MqttState::Open => 1,
                MqttState::Connecting => 2,
                MqttState::Connected => 3,
                MqttState::Disconnecting => 4,
            };
            module.info(format!("+QMTCONN: {at},{state}"));
        }
        return Outcome::Ok;
    }
    let (Form::Set, Some(at), Some(id)) = (command.form, client(command), command.text(1)) else {
        return Outcome::Error;
    };
    let (user, password) = (command.text(2), command.arg(3).map(|arg| arg.text.clone()));
    let limits = &module.profile.mqtt;
    let too_long = |length: usize, limit: usize| {
        length > limit || (limits.connect_length_limit > 0 && length > limits.connect_length_limit)
    };
    if command.args.len() > 4
        || too_long(id.len(), limits.id_max)
        || too_long(user.as_ref().map_or(0, String::len), limits.user_max)
        || too_long(password.as_ref().map_or(0, Vec::len), limits.password_max)
        || module.mqtt_state(at) != MqttState::Open
    {
        return Outcome::ErrorAfter(0);
    }
    // MQTT 3.1.1 has no password without a user name; the module sends an empty one.
    let user = user.or_else(|| password.is_some().then(String::new));
    Outcome::then(move |module| module.connect_mqtt(at, id, user, password))
}

fn disconnect(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(at)) = (command.form, client(command)) else {
        return Outcome::Error;
    };
    if module.mqtt_state(at) != MqttState::Connected {
        return Outcome::ErrorAfter(0);
    }
    Outcome::then(move |module| module.disconnect_mqtt(at))
}

/// A message id from 1 to 65535.
fn message_id(command: &Command) -> Option<PacketId> {
    command
        .number_in(1, 1, 65_535)
        .and_then(|n| u16::try_from(n).ok())
        .and_then(PacketId::new)
}

fn subscribe(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(at), Some(id)) = (command.form, client(command), message_id(command))
    else {
        return Outcome::Error;
    };
    let pairs = command.args.get(2..).unwrap_or_default();
    let subscriptions: Option<Vec<Subscription>> = pairs
        .chunks(2)
        .map(|pair| {
            let [filter, qos] = pair else { return None };
            let qos = qos
                .number()
                .and_then(|n| u8::try_from(n).ok())
                .and_then(QoS::from_wire)?;
            let valid =
                !filter.text.is_empty() && filter.text.len() <= module.profile.mqtt.topic_max;
            valid.then(|| Subscription {
                filter: filter.string(),
                qos,
            })
        })
        .collect();
    let Some(subscriptions) =
        subscriptions.filter(|all| !all.is_empty() && all.len() <= TOPICS_MAX)
    else {
        return Outcome::Error;
    };
    if module.mqtt_state(at) != MqttState::Connected || module.in_flight(at, id.get()) {
        return Outcome::ErrorAfter(0);
    }
    let packet = Packet::Subscribe(Subscribe {
        packet_id: id,
        subscriptions,
    });
    Outcome::then(move |module| {
        module.launch(at, id.get(), FlightKind::Subscribe, packet, "+QMTSUB")
    })
}

fn unsubscribe(module: &mut Module, command: &Command) -> Outcome {
    let (Form::Set, Some(at), Some(id)) = (command.form, client(command), message_id(command))
    else {
        return Outcome::Error;
    };
    let filters: Vec<String> = command
        .args
        .iter()
        .skip(2)
        .filter(|arg| !arg.text.is_empty())
        .map(crate::at::Arg::string)
        .collect();
    if filters.is_empty() || filters.len() != command.args.len() - 2 {
        return Outcome::Error;
    }
    if module.mqtt_state(at) != MqttState::Connected || module.in_flight(at, id.get()) {
        return Outcome::ErrorAfter(0);
    }
    let packet = Packet::Unsubscribe(Unsubscribe {
        packet_id: id,
        filters,
    });
    Outcome::then(move |module| {
        module.launch(at, id.get(), FlightKind::Unsubscribe, packet, "+QMTUNS")
    })
}

fn receive(module: &mut Module, command: &Command) -> Outcome {
    if command.form == Form::Read {
        for at in 0..6 {
            let Some(client) = module
                .client(at)
                .filter(|c| c.state == MqttState::Connected)
            else {
                continue;
            };
            let slots: Vec<String> = client
                .slots
                .iter()
                .map(|slot| u8::from(slot.is_some()).to_string())
                .collect();
            module.info(format!("+QMTRECV: {at},{}", slots.join(",")));
        }
        return Outcome::Ok;
    }
    let (Form::Set, Some(at)) = (command.form, client(command)) else {
        return Outcome::Error;
    };
    let slots = module.profile.mqtt.slots;
    let last = u64::try_from(slots.saturating_sub(1)).unwrap_or(0);
    let wanted = match command.arg(1) {
        None => 0..slots,
        Some(_) => match command
            .number_in(1, 0, last)
            .and_then(|n| usize::try_from(n).ok())
        {
            Some(slot) => slot..slot + 1,
            None => return Outcome::Error,
        },
    };
    for slot in wanted {
        let message = module
            .client_mut(at)
            .and_then(|c| c.slots.get_mut(slot))
            .and_then(Option::take);
        if let Some(message) = message {
            let text = module.message_text(at, &message);
            module.info(text);
        }
    }
    Outcome::Ok
}
