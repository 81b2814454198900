//! Publishes and subscribes of the connection that is open.

use super::attempt::{Action, Api, Attempt, MAX_EVENTS, Publish, Subscribe};
use super::builder::Builder;
use super::pending::Pending;
use crate::command::{Command, fields};
use crate::mask::Quote;
use crate::read::Ending;

impl Builder {
    pub(super) fn publish(&mut self, command: &Command, pending: &mut Pending) {
        let (api, client) = match command.verb.as_str() {
            "+SMPUB" => (Api::Smconn, 0),
            "+CMQTTPUB" => (Api::Cmqtt, command.number(0).unwrap_or(0)),
            _ => (Api::Qmt, command.number(0).unwrap_or(0)),
        };
        let index = self.current(api, client);
        pending.attempt = Some(index);
        let stamp = pending.stamp;
        let Some(attempt) = self.session.attempts.get_mut(index) else {
            return;
        };
        attempt.last_action = Action::Publish;
        if attempt.publishes.len() >= MAX_EVENTS {
            // The last one is the one that the next answer belongs to.
            attempt.publishes.remove(MAX_EVENTS / 2);
        }
        attempt.publishes.push(publish(command, pending, stamp));
    }

    pub(super) fn publish_prompted(&mut self) {
        if let Some(publish) = self.pending_publish() {
            publish.prompted = true;
        }
    }

    fn pending_publish(&mut self) -> Option<&mut Publish> {
        let pending = self
            .pending
            .as_ref()
            .filter(|pending| pending.is_publish())?;
        self.session
            .attempts
            .get_mut(pending.attempt?)?
            .publishes
            .last_mut()
    }

    /// Text in a data phase: what is published, or what stands for a file.
    pub(super) fn payload(&mut self, text: &str, quote: &Quote, ending: Ending) {
        let spelt =
            text.trim_end().ends_with("^Z") || text.contains('\u{1A}') || ending == Ending::Sub;
        if let Some(publish) = self.pending_publish() {
            publish.payload_bytes += text.len() as u64;
            publish.typed_ctrl_z |= spelt;
        } else if self
            .pending
            .as_ref()
            .is_some_and(|pending| pending.is_verb(&["+QHTTPURL"]))
        {
            let url = text.trim().to_owned();
            self.change(|state| state.http_host = Some(url.clone()));
        } else {
            self.upload_label(text, quote);
        }
    }

    /// The next command comes while the module still waits for the end of the payload.
    pub(super) fn publish_swallows(&mut self, quote: &Quote) {
        if let Some(publish) = self.pending_publish() {
            publish.swallowed = Some(quote.clone());
        }
    }

    pub(super) fn publish_finished(
        &mut self,
        pending: &Pending,
        refused: bool,
        answered: bool,
        answer: Option<&Quote>,
    ) {
        if !pending.is_publish() {
            return;
        }
        let Some(attempt) = pending
            .attempt
            .and_then(|at| self.session.attempts.get_mut(at))
        else {
            return;
        };
        let Some(publish) = attempt
            .publishes
            .last_mut()
            .filter(|p| p.quote.number == pending.quote.number)
        else {
            return;
        };
        if refused {
            publish.refused = answer.cloned();
        } else if answered {
            publish.accepted = true;
            self.last_publish = pending.attempt;
        }
    }

    /// `ERROR` behind a publish: more payload was sent than announced, and the rest was taken for a command.
    pub(super) fn publish_overrun(&mut self, quote: &Quote) -> bool {
        let attempt = self.last_publish.take();
        let attempt = attempt.and_then(|at| self.session.attempts.get_mut(at));
        let Some(publish) = attempt.and_then(|attempt| attempt.publishes.last_mut()) else {
            return false;
        };
        let announced = publish.length.and_then(|n| u64::try_from(n).ok());
        let more = announced.is_some_and(|announced| publish.payload_bytes > announced);
        if more {
            publish.overrun = Some(quote.clone());
        }
        more
    }

    /// The connection whose MQTT client stands first in a result, and the numbers behind it, `least` or more.
    fn answered(&mut self, value: &str, least: usize) -> Option<(&mut Attempt, Vec<i64>)> {
        let fields = fields(value);
        let mut numbers = fields.iter().filter_map(|field| field.text.parse().ok());
        let client = numbers.next()?;
        let numbers: Vec<i64> = numbers.collect();
        if numbers.len() < least {
            return None;
        }
        let attempt = self.current_mut(Api::Qmt, u8::try_from(client).ok()?)?;
        Some((attempt, numbers))
    }

    /// `+QMTPUB: x,m,<result>`, also `+QMTPUBEX:`.
    pub(super) fn publish_result(&mut self, value: &str, quote: &Quote) {
        let Some((attempt, fields)) = self.answered(value, 2) else {
            return;
        };
        let [id, result, ..] = fields.as_slice() else {
            return;
        };
        let waiting = attempt.publishes.iter_mut().rev().find(|publish| {
            publish.message_id.is_none_or(|known| known == *id)
                && publish.result.as_ref().is_none_or(|(r, _)| *r == 1)
        });
        if let Some(publish) = waiting {
            publish.result = Some((*result, quote.clone()));
            if *result == 0 {
                publish.swallowed = None;
            }
        }
    }

    pub(super) fn subscribe(&mut self, command: &Command, pending: &mut Pending) {
        let index = self.current(Api::Qmt, command.number(0).unwrap_or(0));
        pending.attempt = Some(index);
        let topics = command
            .args
            .iter()
            .skip(2)
            .filter(|arg| arg.quoted || arg.text.parse::<u8>().is_err());
        let subscribe = Subscribe {
            quote: pending.quote.clone(),
            topics: topics.map(|arg| arg.text.clone()).collect(),
            message_id: command.number(1),
            refused: None,
            result: None,
        };
        let Some(attempt) = self.session.attempts.get_mut(index) else {
            return;
        };
        attempt.last_action = Action::Subscribe;
        if attempt.subscribes.len() < MAX_EVENTS {
            attempt.subscribes.push(subscribe);
        }
    }

    /// `+QMTSUB: x,m,<result>,<granted>…`.
    pub(super) fn subscribe_result(&mut self, value: &str, quote: &Quote) {
        let Some((attempt, fields)) = self.answered(value, 1) else {
            return;
        };
        let [id, rest @ ..] = fields.as_slice() else {
            return;
        };
        let waiting = attempt
            .subscribes
            .iter_mut()
            .rev()
            .find(|s| s.result.is_none() && s.message_id.is_none_or(|known| known == *id));
        if let Some(subscribe) = waiting {
            subscribe.result = Some((rest.to_vec(), quote.clone()));
        }
    }
}

fn publish(command: &Command, pending: &Pending, stamp: Option<crate::time::Stamp>) -> Publish {
    let mut publish = Publish {
        quote: pending.quote.clone(),
        verb: command.verb.clone(),
        topic: command.arg(4).to_owned(),
        message_id: command.number(1),
        qos: command.number(2),
        retain: command.number(3),
        length: command.number(5),
        inline_payload: command.args.get(5).is_some_and(|arg| arg.quoted),
        arguments: command.args.len(),
        ragged_quotes: command.ragged_quotes,
        prompted: false,
        payload_bytes: 0,
        swallowed: None,
        overrun: None,
        typed_ctrl_z: false,
        refused: None,
        accepted: false,
        result: None,
        stamp,
    };
    match command.verb.as_str() {
        // AT+SMPUB=<topic>,<length>,<qos>,<retain>
        "+SMPUB" => {
            publish.topic = command.arg(0).to_owned();
            publish.message_id = None;
            publish.length = command.number(1);
            publish.qos = command.number(2);
            publish.retain = command.number(3);
        }
        // AT+CMQTTPUB=<client>,<qos>,<timeout>; the topic went before with AT+CMQTTTOPIC.
        "+CMQTTPUB" => {
            publish.topic = String::new();
            publish.message_id = None;
            publish.qos = command.number(1);
            publish.retain = None;
            publish.length = None;
        }
        _ => {}
    }
    publish
}
