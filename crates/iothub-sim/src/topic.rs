//! The topics and topic filters of a hub.

use mqtt311::{check_topic_filter, check_topic_name};

use crate::{identity::Identity, percent, reason::Reason};

/// What a PUBLISH from a client means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Inbound {
    Telemetry { bag: String },
    MethodResponse { status: i64, rid: String },
    TwinGet { rid: String },
    TwinReported { rid: String },
    IssueCertificate { rid: String },
}

/// What a subscription of a client is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Feature {
    /// Cloud-to-device messages.
    CloudToDevice,
    /// Direct method calls.
    Methods,
    /// Answers to twin requests.
    TwinResponses,
    /// Changes of desired properties.
    DesiredProperties,
    /// Messages routed to a module's inputs.
    ModuleInputs,
    /// Answers to certificate requests.
    Credentials,
    /// Answers of the provisioning service.
    Registration,
}

/// Reads the topic of a PUBLISH that `identity` sent.
pub(crate) fn inbound(topic: &str, identity: &Identity) -> Result<Inbound, Reason> {
    if let Err(error) = check_topic_name(topic) {
        return Err(Reason::TopicName {
            topic: topic.to_owned(),
            error,
        });
    }
    let events = format!("{}/messages/events/", identity.path());
    if let Some(bag) = topic.strip_prefix(&events) {
        return Ok(Inbound::Telemetry {
            bag: bag.to_owned(),
        });
    }
    let refused = |hint: String| {
        Err(Reason::Topic {
            topic: topic.to_owned(),
            hint,
        })
    };
    if let Some(rest) = topic.strip_prefix("$iothub/") {
        return match iothub(rest) {
            Ok(inbound) => Ok(inbound),
            Err(hint) => refused(hint.to_owned()),
        };
    }
    if topic == events.trim_end_matches('/') {
        return refused(format!("append the slash, `{events}`"));
    }
    if let Some(rest) = topic.strip_prefix("devices/") {
        let named = rest.split('/').next().unwrap_or_default();
        if named != identity.device_id {
            if percent::decode_lossy(named) == identity.device_id {
                return Err(Reason::IdEncoded {
                    id: named.to_owned(),
                });
            }
            return refused(format!(
                "this connection belongs to `{}`, telemetry goes to `{events}`",
                identity.client_id()
            ));
        }
    }
    refused(format!("telemetry goes to `{events}`"))
}

/// The topics below `$iothub/`.
fn iothub(rest: &str) -> Result<Inbound, &'static str> {
    const RID: &str = "the request needs `?$rid={request id}` at its end";
    let rid = |tail: &str| rid_of(tail).ok_or(RID);
    if let Some(tail) = rest.strip_prefix("twin/GET/") {
        return Ok(Inbound::TwinGet { rid: rid(tail)? });
    }
    if let Some(tail) = rest.strip_prefix("twin/PATCH/properties/reported/") {
        return Ok(Inbound::TwinReported { rid: rid(tail)? });
    }
    if let Some(tail) = rest.strip_prefix("credentials/POST/issueCertificate/") {
        return Ok(Inbound::IssueCertificate { rid: rid(tail)? });
    }
    if let Some(tail) = rest.strip_prefix("methods/res/") {
        let (status, tail) = tail.split_once('/').ok_or(RID)?;
        let status = status
            .parse()
            .map_err(|_| "a method response is `$iothub/methods/res/{status}/?$rid={request id}` with an integer status")?;
        let rid = rid(tail)?;
        return Ok(Inbound::MethodResponse { status, rid });
    }
    Err(
        "the topics below `$iothub/` are twin/GET/, twin/PATCH/properties/reported/ and methods/res/{status}/, each with `?$rid=` and in this spelling",
    )
}

/// The request id of `?$rid={rid}[&…]`, taken as opaque text.
pub(crate) fn rid_of(tail: &str) -> Option<String> {
    tail.strip_prefix('?')?
        .split('&')
        .find_map(|pair| pair.strip_prefix("$rid="))
        .filter(|rid| !rid.is_empty())
        .map(str::to_owned)
}

/// Reads a topic filter that `identity` subscribes to.
pub(crate) fn subscription(filter: &str, identity: &Identity) -> Result<Feature, Reason> {
    let refused = |hint: String| {
        Err(Reason::Filter {
            filter: filter.to_owned(),
            hint,
        })
    };
    if let Err(error) = check_topic_filter(filter) {
        return refused(error.to_string());
    }
    match filter {
        "$iothub/methods/POST/#" => return Ok(Feature::Methods),
        "$iothub/twin/res/#" => return Ok(Feature::TwinResponses),
        "$iothub/twin/PATCH/properties/desired/#" => return Ok(Feature::DesiredProperties),
        "$iothub/credentials/res/#" => return Ok(Feature::Credentials),
        _ => {}
    }
    let path = identity.path();
    if let Some(below) = filter.strip_prefix("devices/") {
        let (named, tail) = below.split_once('/').unwrap_or((below, ""));
        if named == "+" || named == identity.device_id {
            match (&identity.module_id, tail) {
                (None, "messages/devicebound/#") => return Ok(Feature::CloudToDevice),
                (Some(module_id), tail) => {
                    let inputs = tail
                        .strip_prefix("modules/")
                        .and_then(|tail| tail.strip_prefix(module_id.as_str()));
                    if matches!(inputs, Some("/inputs/#" | "/#")) {
                        return Ok(Feature::ModuleInputs);
                    }
                }
                _ => {}
            }
        }
    }
    refused(format!(
        "this connection may subscribe to `{path}/messages/devicebound/#`, `$iothub/methods/POST/#`, `$iothub/twin/res/#` and `$iothub/twin/PATCH/properties/desired/#`"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device() -> Identity {
        Identity::device("h.net", "dev1")
    }

    fn module() -> Identity {
        Identity::module("h.net", "dev1", "mod1")
    }

    #[test]
    fn inbound_topics() {
        let rid = || "1f".to_owned();
        for (identity, topic, expected) in [
            (
                device(),
                "devices/dev1/messages/events/",
                Ok(Inbound::Telemetry { bag: String::new() }),
            ),
            (
                device(),
                "devices/dev1/messages/events/a=1",
                Ok(Inbound::Telemetry {
                    bag: "a=1".to_owned(),
                }),
            ),
            (
                module(),
                "devices/dev1/modules/mod1/messages/events/a=1",
                Ok(Inbound::Telemetry {
                    bag: "a=1".to_owned(),
                }),
            ),
            (
                device(),
                "$iothub/twin/GET/?$rid=1f",
                Ok(Inbound::TwinGet { rid: rid() }),
            ),
            (
                device(),
                "$iothub/twin/GET/?x=1&$rid=1f",
                Ok(Inbound::TwinGet { rid: rid() }),
            ),
            (
                device(),
                "$iothub/twin/PATCH/properties/reported/?$rid=1f&$version=3",
                Ok(Inbound::TwinReported { rid: rid() }),
            ),
            (
                device(),
                "$iothub/methods/res/-1/?$rid=1f",
                Ok(Inbound::MethodResponse {
                    status: -1,
                    rid: rid(),
                }),
            ),
            (
                device(),
                "$iothub/credentials/POST/issueCertificate/?$rid=1f",
                Ok(Inbound::IssueCertificate { rid: rid() }),
            ),
            (device(), "devices/dev1/messages/events", Err("topic")),
            (device(), "devices/dev2/messages/events/", Err("topic")),
            (
                device(),
                "devices/dev1/modules/mod1/messages/events/",
                Err("topic"),
            ),
            (
                device(),
                "devices/dev%31/messages/events/",
                Err("id-encoded"),
            ),
            (
                device(),
                "devices/dev1/messages/events/a+b=1",
                Err("topic-name"),
            ),
            (device(), "", Err("topic-name")),
            (device(), "$iothub/twin/get/?$rid=1f", Err("topic")),
            (device(), "$iothub/twin/GET/", Err("topic")),
            (device(), "$iothub/twin/GET/?$rid=", Err("topic")),
            (device(), "$iothub/methods/res/ok/?$rid=1f", Err("topic")),
            (device(), "$iothub/methods/res/200", Err("topic")),
            (device(), "sensors/1", Err("topic")),
        ] {
            let read = inbound(topic, &identity);
            assert_eq!(
                read.as_ref().map_err(Reason::code),
                expected.as_ref().map_err(|code| *code),
                "{topic}"
            );
        }
    }

    #[test]
    fn filters() {
        for (identity, filter, expected) in [
            (
                device(),
                "devices/dev1/messages/devicebound/#",
                Ok(Feature::CloudToDevice),
            ),
            (
                device(),
                "devices/+/messages/devicebound/#",
                Ok(Feature::CloudToDevice),
            ),
            (device(), "$iothub/methods/POST/#", Ok(Feature::Methods)),
            (device(), "$iothub/twin/res/#", Ok(Feature::TwinResponses)),
            (
                device(),
                "$iothub/twin/PATCH/properties/desired/#",
                Ok(Feature::DesiredProperties),
            ),
            (
                device(),
                "$iothub/credentials/res/#",
                Ok(Feature::Credentials),
            ),
            (
                module(),
                "devices/dev1/modules/mod1/inputs/#",
                Ok(Feature::ModuleInputs),
            ),
            (
                module(),
                "devices/dev1/modules/mod1/#",
                Ok(Feature::ModuleInputs),
            ),
            (module(), "devices/dev1/modules/mod12/#", Err("filter")),
            (
                module(),
                "devices/dev1/messages/devicebound/#",
                Err("filter"),
            ),
            (device(), "#", Err("filter")),
            (device(), "devices/#", Err("filter")),
            (
                device(),
                "devices/dev1/messages/devicebound/",
                Err("filter"),
            ),
            (
                device(),
                "devices/dev2/messages/devicebound/#",
                Err("filter"),
            ),
            (
                device(),
                "devices/dev1/messages/devicebound#",
                Err("filter"),
            ),
            (device(), "$iothub/#", Err("filter")),
            (device(), "", Err("filter")),
        ] {
            assert_eq!(
                subscription(filter, &identity).map_err(|r| r.code()),
                expected,
                "{filter}"
            );
        }
    }
}
