//! What Azure does over AMQP, or not at all.

use hyper::{Method, StatusCode, header::ACCEPT};
use serde_json::json;

use super::{
    answer::{Failure, empty, json_response, ok},
    registry,
    router::{Call, Outcome},
    stream::{Wish, stream},
};
use crate::{
    config::{Permission, Throttle},
    hub::{Chaos, Fault, Hub},
    identity::Identity,
    message::CloudToDeviceMessage,
    properties::Properties,
};

/// Records of the past unless `limit` asks for fewer or more.
const PAST: usize = 200;
const NO_TIME_TO_LIVE: &str = "time-to-live-s is not a number of seconds, 1 to 172800";

impl Call<'_> {
    pub(super) fn extension(&self, path: &[&str]) -> Outcome {
        self.need(Permission::ServiceConnect)?;
        match (&self.method, path) {
            (&Method::GET, ["overview"]) => Ok(ok(&registry::overview(self.service))),
            (&Method::GET, ["records"]) => self.records(),
            (&Method::POST, ["devices", device, "messages"]) => self.message(&self.device(device)),
            (&Method::POST, ["devices", device, "faults"]) => self.fault(&self.device(device)),
            (&Method::POST, ["registrations", id_scope, id, "faults"]) => {
                self.registration_fault(id_scope, id)
            }
            (&Method::POST, ["chaos"]) => self.chaos(),
            (&Method::POST, ["throttle"]) => self.throttle(),
            (&Method::POST, ["restart"]) => {
                self.service.shared.with_hub(Hub::restart);
                Ok(empty())
            }
            (_, ["chaos" | "restart" | "throttle"]) => Err(Failure::method_not_allowed()),
            (
                _,
                ["overview" | "records"]
                | ["devices", _, "messages" | "faults"]
                | ["registrations", _, _, "faults"],
            ) => Err(Failure::method_not_allowed()),
            _ => Err(Failure::no_such_path()),
        }
    }

    fn records(&self) -> Outcome {
        let accept = self
            .headers
            .get(ACCEPT)
            .and_then(|value| value.to_str().ok());
        let wish = Wish {
            events: accept.is_some_and(|accept| accept.contains("text/event-stream")),
            kinds: self
                .query
                .iter()
                .filter(|(name, _)| name == "kind")
                .map(|(_, kind)| kind.clone())
                .collect(),
            follow: self.parameter("follow") != Some("false"),
        };
        let limit = match self.parameter("limit") {
            None => PAST,
            Some(limit) => limit
                .parse()
                .map_err(|_| Failure::bad_request("limit is not a number of records"))?,
        };
        let journal = &self.service.shared.journal;
        let (past, live) = journal.follow(limit, |record| wish.wants(record));
        Ok(stream(wish, past, live))
    }

    /// The query is the message's property bag, but for `hub` and `time-to-live-s`.
    fn message(&self, device: &Identity) -> Outcome {
        let mut message = CloudToDeviceMessage::new(self.body.to_vec());
        let mut properties = Properties::default();
        for (name, value) in &self.query {
            match name.as_str() {
                "hub" | "api-version" => {}
                "time-to-live-s" => {
                    message.time_to_live_s = value
                        .parse()
                        .map_err(|_| Failure::bad_request(NO_TIME_TO_LIVE))?;
                }
                name => properties.set(name, value),
            }
        }
        message.properties = properties;
        let shared = &self.service.shared;
        let number = shared.with_hub(|hub, now| hub.send_to_device(now, device, message))?;
        Ok(json_response(
            StatusCode::CREATED,
            &json!({ "sequenceNumber": number }),
        ))
    }

    fn chaos(&self) -> Outcome {
        let chaos: Option<Chaos> = serde_json::from_slice(&self.body)
            .map_err(|error| Failure::bad_request(format!("not a chaos: {error}")))?;
        self.service.shared.with_hub(|hub, _| hub.set_chaos(chaos));
        Ok(empty())
    }

    fn throttle(&self) -> Outcome {
        let throttle: Option<Throttle> = serde_json::from_slice(&self.body)
            .map_err(|error| Failure::bad_request(format!("not a throttle: {error}")))?;
        let shared = &self.service.shared;
        shared.with_hub(|hub, _| hub.set_throttle(throttle));
        Ok(empty())
    }

    fn wanted_fault(&self) -> Result<Fault, Failure> {
        let bad =
            |error: &dyn core::fmt::Display| Failure::bad_request(format!("not a fault: {error}"));
        let first = self.body.first();
        if first.is_some_and(u8::is_ascii_alphabetic) {
            // Not JSON, so the form of configuration files: `drop-pubacks = 3`.
            let text = String::from_utf8_lossy(&self.body);
            return text.parse::<Fault>().map_err(|error| bad(&error));
        }
        serde_json::from_slice(&self.body).map_err(|error| bad(&error))
    }

    /// A registration need not be enrolled: groups take any.
    fn registration_fault(&self, id_scope: &str, id: &str) -> Outcome {
        let fault = self.wanted_fault()?;
        let identity = Identity::registration(id_scope, id);
        let shared = &self.service.shared;
        shared.with_hub(|hub, now| hub.inject(now, &identity, fault));
        Ok(empty())
    }

    fn fault(&self, device: &Identity) -> Outcome {
        let fault = self.wanted_fault()?;
        let shared = &self.service.shared;
        shared.with_hub(|hub, now| match hub.identity_info(device) {
            Some(_) => {
                hub.inject(now, device, fault);
                Ok(empty())
            }
            None => Err(Failure::not_found(format!(
                "`{}` is not registered",
                device.client_id()
            ))),
        })
    }
}
