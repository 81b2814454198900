//! `AT+QMTPUB` in both forms and `AT+QMTPUBEX` in both meanings.

use mqtt311::{Packet, PacketId, Publish, QoS};

use super::mqtt::client;
use crate::{
    at::{Command, Form},
    module::{Group, Module, MqttState, Outcome, PromptEnd},
    mqtt::FlightKind,
    profile::PublishEx,
};

/// What stands before the payload.
struct Head {
    at: u8,
    id: u16,
    qos: QoS,
    retain: bool,
    topic: String,
    urc: String,
}

fn head(module: &Module, command: &Command, urc: &str) -> Option<Head> {
    let qos = command
        .number_in(2, 0, 2)
        .and_then(|n| u8::try_from(n).ok())
        .and_then(QoS::from_wire)?;
    let id = command
        .number_in(1, 0, 65_535)
        .and_then(|n| u16::try_from(n).ok())?;
    let topic = command.arg(4).filter(|topic| topic.quoted)?.string();
    // Id 0 is for QoS 0 only; without topic there is nothing to send to.
    let id_fits = if qos == QoS::AtMostOnce {
        id == 0 || module.profile.mqtt.qos0_any_id
    } else {
        id > 0
    };
    let valid = id_fits
        && !topic.is_empty()
        && topic.len() <= module.profile.mqtt.topic_max
        && command.form == Form::Set;
    valid.then_some(())?;
    Some(Head {
        at: client(command)?,
        id,
        qos,
        retain: command.number_in(3, 0, 1)? == 1,
        topic,
        urc: urc.to_owned(),
    })
}

/// The publish cannot start: not connected, five in flight, or the id is in use.
fn refused(module: &Module, head: &Head) -> bool {
    let waits = head.qos != QoS::AtMostOnce;
    module.mqtt_state(head.at) != MqttState::Connected
        || (waits && module.publishes_in_flight(head.at) >= module.profile.mqtt.inflight_max)
        || (waits && module.in_flight(head.at, head.id))
}

pub(super) fn publish(module: &mut Module, command: &Command) -> Outcome {
    let Some(head) = head(module, command, "+QMTPUB") else {
        return Outcome::Error;
    };
    let max = module.profile.mqtt.publish_max;
    let end = match command.args.len() {
        5 => PromptEnd::CtrlZ,
        6 if module.profile.mqtt.publish_length => {
            match command.number_in(5, 0, u64::try_from(max).unwrap_or(u64::MAX)) {
                Some(length) => PromptEnd::Count(usize::try_from(length).unwrap_or(max)),
                None => return Outcome::Error,
            }
        }
        _ => return Outcome::Error,
    };
    prompt(module, head, end, max)
}

pub(super) fn publish_ex(module: &mut Module, command: &Command) -> Outcome {
    let urc = format!("+{}", module.profile.mqtt.publishex_urc);
    let Some(head) = head(module, command, &urc) else {
        return Outcome::Error;
    };
    let max = module.profile.mqtt.publishex_max;
    if command.args.len() != 6 {
        return Outcome::Error;
    }
    match module.profile.mqtt.publishex {
        PublishEx::None => Outcome::Error,
        PublishEx::Length => {
            match command.number_in(5, 0, u64::try_from(max).unwrap_or(u64::MAX)) {
                Some(length) => {
                    let length = usize::try_from(length).unwrap_or(max);
                    prompt(module, head, PromptEnd::Count(length), max)
                }
                None => Outcome::Error,
            }
        }
        PublishEx::Inline => match command.args.get(5).filter(|payload| payload.quoted) {
            Some(payload) if payload.text.len() <= max => {
                if refused(module, &head) {
                    return Outcome::ErrorAfter(0);
                }
                let payload = payload.text.clone();
                Outcome::then(move |module| send(module, head, payload))
            }
            _ => Outcome::Error,
        },
    }
}

fn prompt(module: &Module, head: Head, end: PromptEnd, max: usize) -> Outcome {
    if refused(module, &head) {
        return Outcome::ErrorAfter(0);
    }
    let max = if let PromptEnd::Count(count) = end {
        count
    } else {
        max
    };
    let at = head.at;
    let mut outcome = Outcome::prompt(end, max, move |module, payload| {
        if refused(module, &head) {
            return Outcome::ErrorAfter(0);
        }
        Outcome::then(move |module| send(module, head, payload))
    });
    if module.item_number(Group::Mqtt, "edit/timeout", at, 0) == 1
        && let Outcome::Prompt(prompt) = &mut outcome
    {
        prompt.timeout_ms = Some(module.item_number(Group::Mqtt, "edit/timeout", at, 1) * 1000);
    }
    outcome
}

fn send(module: &mut Module, head: Head, payload: Vec<u8>) {
    let Head {
        at,
        id,
        qos,
        retain,
        topic,
        urc,
    } = head;
    let hex = module.item_number(Group::Mqtt, "send/mode", at, 0) == 1
        || module.item_number(Group::Mqtt, "dataformat", at, 0) == 1;
    let payload = if hex {
        let text = String::from_utf8_lossy(&payload).into_owned();
        super::tcp::hex_bytes(&text).unwrap_or(payload)
    } else {
        payload
    };
    let packet_id = if qos == QoS::AtMostOnce {
        None
    } else {
        PacketId::new(id)
    };
    let packet = Packet::Publish(Publish {
        dup: false,
        qos,
        retain,
        topic,
        packet_id,
        payload,
    });
    match qos {
        QoS::AtLeastOnce => module.launch(at, id, FlightKind::Publish1, packet, &urc),
        QoS::ExactlyOnce => module.launch(at, id, FlightKind::Publish2, packet, &urc),
        QoS::AtMostOnce => {
            let result = if module.send_packet(at, &packet) {
                0
            } else {
                2
            };
            let due_ms = module.scaled(module.profile.timing.publish_ms);
            module.result_later(at, due_ms, format!("{urc}: {at},{id},{result}"));
        }
    }
}
