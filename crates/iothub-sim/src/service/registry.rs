//! Identities and twins for the service side.

use hyper::{Response, StatusCode};
use serde_json::{Value, json};

use super::{
    Service,
    answer::{Body, Failure, empty, json_response, ok, with_etag, with_header},
    documents,
    query::Query,
    router::Outcome,
};
use crate::{
    hub::{Hub, IdentityInfo, TagUpdate},
    identity::Identity,
    message::ServiceError,
    twin::{self, Twin, TwinError},
};

/// Whether a twin document is merged or replaces the old one.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TwinChange {
    Merge,
    Replace,
}

fn found(hub: &Hub, identity: &Identity) -> Result<IdentityInfo, Failure> {
    hub.identity_info(identity)
        .ok_or_else(|| Failure::not_found(format!("`{}` is not registered", identity.client_id())))
}

fn check_etag(if_match: Option<&str>, count: u64) -> Result<(), Failure> {
    match if_match {
        None | Some("*" | "") => Ok(()),
        Some(etag) if etag == documents::etag(count) => Ok(()),
        Some(_) => Err(Failure::precondition(
            "the etag in If-Match is not the current one",
        )),
    }
}

fn shown(status: StatusCode, info: &IdentityInfo) -> Response<Body> {
    let answer = json_response(status, &documents::identity(info));
    with_etag(answer, &documents::etag(info.generation))
}

pub(super) fn show(service: &Service, identity: &Identity) -> Outcome {
    let info = service.shared.with_hub(|hub, _| found(hub, identity))?;
    Ok(shown(StatusCode::OK, &info))
}

/// Devices of a hub, at most `top`.
pub(super) fn list(service: &Service, host: &str, top: usize) -> Value {
    service.shared.with_hub(|hub, _| {
        hub.identities()
            .filter(|info| info.identity.hub == host && info.identity.module_id.is_none())
            .take(top)
            .map(|info| documents::identity(&info))
            .collect()
    })
}

pub(super) fn modules(service: &Service, device: &Identity) -> Outcome {
    service.shared.with_hub(|hub, _| {
        found(hub, device)?;
        let modules: Value = hub
            .identities()
            .filter(|info| {
                info.identity.hub == device.hub
                    && info.identity.device_id == device.device_id
                    && info.identity.module_id.is_some()
            })
            .map(|info| documents::identity(&info))
            .collect();
        Ok(ok(&modules))
    })
}

/// Creates without `If-Match`, updates with it.
pub(super) fn put(
    service: &Service,
    identity: &Identity,
    body: &Value,
    if_match: Option<&str>,
) -> Outcome {
    for (field, expected) in [
        ("deviceId", Some(&identity.device_id)),
        ("moduleId", identity.module_id.as_ref()),
    ] {
        let given = body.get(field).and_then(Value::as_str);
        if given.is_some() && given != expected.map(String::as_str) {
            return Err(Failure::bad_request(format!(
                "{field} is not that of the path"
            )));
        }
    }
    let (credentials, enabled) = documents::read_identity(body)?;
    service.shared.with_hub(|hub, now| {
        if let Some(if_match) = if_match {
            let info = found(hub, identity)?;
            check_etag(Some(if_match), info.generation)?;
            hub.update_identity(now, identity, &credentials, enabled)?;
        } else {
            hub.create_identity(identity, &credentials)?;
            if !enabled {
                hub.update_identity(now, identity, &credentials, enabled)?;
            }
        }
        Ok(shown(StatusCode::OK, &found(hub, identity)?))
    })
}

pub(super) fn delete(service: &Service, identity: &Identity, if_match: Option<&str>) -> Outcome {
    service.shared.with_hub(|hub, now| {
        let info = found(hub, identity)?;
        check_etag(if_match, info.generation)?;
        hub.delete_identity(now, identity)?;
        Ok(empty())
    })
}

pub(super) fn twin(service: &Service, identity: &Identity) -> Outcome {
    service.shared.with_hub(|hub, _| shown_twin(hub, identity))
}

fn shown_twin(hub: &Hub, identity: &Identity) -> Outcome {
    let info = found(hub, identity)?;
    let Some(twin) = hub.twin(identity) else {
        return Err(Failure::not_found("the twin does not exist"));
    };
    let answer = ok(&documents::twin(&info, twin));
    Ok(with_etag(answer, &documents::etag(twin.version)))
}

/// What a twin document contains, be it the service's own or one that a client has changed.
const TWIN_NAMES: [&str; 20] = [
    "tags",
    "properties",
    "deviceId",
    "moduleId",
    "etag",
    "deviceEtag",
    "version",
    "status",
    "statusReason",
    "statusUpdateTime",
    "connectionState",
    "connectionStateUpdatedTime",
    "lastActivityTime",
    "cloudToDeviceMessageCount",
    "authenticationType",
    "x509Thumbprint",
    "modelId",
    "capabilities",
    "deviceScope",
    "parentScopes",
];
const TWIN_FORM: &str =
    "a change of a twin is such as {\"tags\":{…},\"properties\":{\"desired\":{…}}}";

/// Refuses names that no twin has, which would change nothing without a word.
///
/// `json` is the body's text.
pub(super) fn check_twin(body: &Value, json: &[u8]) -> Result<(), Failure> {
    check_numbers(json)?;
    let names = body.as_object().into_iter().flat_map(|body| body.keys());
    for name in names {
        if !TWIN_NAMES.contains(&name.as_str()) {
            let name: String = name.chars().take(40).collect();
            return Err(Failure::bad_request(format!(
                "a twin has no `{name}`; {TWIN_FORM}"
            )));
        }
    }
    Ok(())
}

/// Refuses whole numbers that twins cannot hold, and that would become others without a word.
pub(super) fn check_numbers(json: &[u8]) -> Result<(), Failure> {
    Ok(twin::check_integers(json).map_err(ServiceError::from)?)
}

/// `properties.desired` of a change. A whole twin that was read before may be sent back: what the
/// device has reported is left out then.
fn desired_of(body: &Value) -> Result<Option<&Value>, Failure> {
    let refused = |what: &str| Err(Failure::bad_request(format!("{what}; {TWIN_FORM}")));
    let properties = match body.get("properties") {
        _ if !body.is_object() => return refused("the body is not a JSON object"),
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Object(properties)) => properties,
        Some(_) => return refused("`properties` is not a JSON object"),
    };
    for name in properties.keys() {
        match name.as_str() {
            "desired" => {}
            "reported" if properties.contains_key("desired") => {}
            "reported" => return refused("only the device changes `properties.reported`"),
            name => {
                let name: String = name.chars().take(40).collect();
                return refused(&format!("`properties` has no `{name}`"));
            }
        }
    }
    Ok(properties.get("desired"))
}

/// Whether the desired properties can be changed so, before the tags are: a refused request changes nothing.
fn try_desired(twin: &Twin, desired: &Value, change: TwinChange) -> Result<(), TwinError> {
    let desired = twin::checked_patch(desired.clone())?;
    let mut section = twin.desired.clone();
    match change {
        TwinChange::Merge => section.merge(&desired, 0)?,
        TwinChange::Replace => section.replace(desired, 0)?,
    };
    Ok(())
}

pub(super) fn change_twin(
    service: &Service,
    identity: &Identity,
    body: &Value,
    if_match: Option<&str>,
    change: TwinChange,
) -> Outcome {
    let replace = change == TwinChange::Replace;
    let section = |value: Option<&Value>| match value {
        Some(value) if !value.is_null() => Some(value.clone()),
        _ => replace.then(|| json!({})),
    };
    let tags = section(body.get("tags"));
    let desired = section(desired_of(body)?);
    let update = if replace {
        TagUpdate::Replace
    } else {
        TagUpdate::Merge
    };
    service.shared.with_hub(|hub, now| {
        found(hub, identity)?;
        let version = hub.twin(identity).map_or(0, |twin| twin.version);
        check_etag(if_match, version)?;
        if let (Some(twin), Some(desired)) = (hub.twin(identity), &desired) {
            try_desired(twin, desired, change).map_err(ServiceError::from)?;
        }
        if let Some(tags) = tags {
            hub.update_tags(identity, tags, update)?;
        }
        match desired {
            Some(desired) if replace => {
                hub.replace_desired(now, identity, desired)?;
            }
            Some(desired) => {
                hub.update_desired(now, identity, desired)?;
            }
            None => {}
        }
        shown_twin(hub, identity)
    })
}

pub(super) fn query(
    service: &Service,
    host: &str,
    body: &Value,
    from: usize,
    most: usize,
) -> Outcome {
    let text = body
        .get("query")
        .and_then(Value::as_str)
        .ok_or_else(|| Failure::bad_request("query is missing"))?;
    let query = Query::parse(text).map_err(Failure::bad_request)?;
    let twins: Vec<Value> = service.shared.with_hub(|hub, _| {
        hub.identities()
            .filter(|info| {
                info.identity.hub == host && info.identity.module_id.is_some() == query.modules
            })
            .filter_map(|info| Some(documents::twin(&info, hub.twin(&info.identity)?)))
            .filter(|twin| query.matches(twin))
            .collect()
    });
    if let Some(name) = &query.count_as {
        let count = twins.len();
        let answer = ok(&json!([{ name.as_str(): count }]));
        return Ok(with_header(answer, "x-ms-item-type", "Raw"));
    }
    let total = twins.len();
    let page: Value = twins.into_iter().skip(from).take(most).collect();
    let answer = with_header(ok(&page), "x-ms-item-type", "Twin");
    let next = from.saturating_add(most);
    if next < total {
        return Ok(with_header(answer, "x-ms-continuation", &next.to_string()));
    }
    Ok(answer)
}

pub(super) fn device_statistics(service: &Service, host: &str) -> Value {
    let devices = devices(service, host);
    let enabled = devices.iter().filter(|info| info.enabled).count();
    json!({
        "totalDeviceCount": devices.len(),
        "enabledDeviceCount": enabled,
        "disabledDeviceCount": devices.len() - enabled,
    })
}

pub(super) fn service_statistics(service: &Service, host: &str) -> Value {
    let devices = devices(service, host);
    let connected = devices.iter().filter(|info| info.connected).count();
    json!({ "connectedDeviceCount": connected })
}

fn devices(service: &Service, host: &str) -> Vec<IdentityInfo> {
    service.shared.with_hub(|hub, _| {
        hub.identities()
            .filter(|info| info.identity.hub == host && info.identity.module_id.is_none())
            .collect()
    })
}

/// All hubs with everybody in them, for the page.
pub(super) fn overview(service: &Service) -> Value {
    service.shared.with_hub(|hub, now| {
        let identities: Vec<Value> = hub
            .identities()
            .map(|info| {
                let mut document = json!({
                    "hub": info.identity.hub,
                    "deviceId": info.identity.device_id,
                    "moduleId": info.identity.module_id,
                    "enabled": info.enabled,
                    "connected": info.connected,
                    "queued": info.queued_messages,
                });
                if let (Some(twin), Value::Object(document)) =
                    (hub.twin(&info.identity), &mut document)
                {
                    document.insert("twin".to_owned(), twin.for_device());
                }
                document
            })
            .collect();
        json!({
            "unixTime": now.unix_s,
            "hubs": hub.hosts().collect::<Vec<_>>(),
            "identities": identities,
        })
    })
}
