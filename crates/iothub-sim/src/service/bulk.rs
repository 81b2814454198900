//! Up to a hundred identities in one request.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::{
    Service,
    answer::{Failure, json_response},
    registry::{self, TwinChange},
    router::Outcome,
};
use crate::identity::Identity;

/// Identities that one request may hold.
const MOST: usize = 100;

/// Carries out each entry's `importMode`; the answer lists those that failed.
///
/// # Reference
///
/// Azure IoT Hub REST API, "Bulk Registry - Update Registry".
pub(super) fn update(service: &Service, host: &str, body: &Value) -> Outcome {
    let entries = body
        .as_array()
        .ok_or_else(|| Failure::bad_request("the body is not an array of devices"))?;
    if entries.len() > MOST {
        let text = format!("the body has more than {MOST} devices");
        return Err(Failure::bad_request(text));
    }
    let mut errors = Vec::new();
    for entry in entries {
        let text = |name: &str| entry.get(name).and_then(Value::as_str).map(str::to_owned);
        let mut identity = Identity::device(host, &text("id").unwrap_or_default());
        identity.module_id = text("moduleId").filter(|id| !id.is_empty());
        let mode = text("importMode").unwrap_or_else(|| "create".to_owned());
        if let Err(failure) = carry_out(service, &identity, entry, &mode) {
            errors.push(json!({
                "deviceId": identity.device_id,
                "moduleId": identity.module_id,
                "errorCode": failure.code(),
                "errorStatus": failure.text(),
                "operation": mode,
            }));
        }
    }
    let status = if errors.is_empty() {
        StatusCode::OK
    } else {
        StatusCode::BAD_REQUEST
    };
    let answer = json!({
        "isSuccessful": errors.is_empty(),
        "errors": errors,
        "warnings": [],
    });
    Ok(json_response(status, &answer))
}

fn carry_out(
    service: &Service,
    identity: &Identity,
    entry: &Value,
    mode: &str,
) -> Result<(), Failure> {
    // Without a tag there is nothing that could match.
    let etag = |name: &str| Some(entry.get(name).and_then(Value::as_str).unwrap_or("none"));
    let exists = || {
        let shared = &service.shared;
        shared.with_hub(|hub, _| hub.identity_info(identity).is_some())
    };
    match mode.to_ascii_lowercase().as_str() {
        "create" => registry::put(service, identity, entry, None)?,
        "update" => registry::put(service, identity, entry, Some("*"))?,
        "updateifmatchetag" => registry::put(service, identity, entry, etag("eTag"))?,
        "createorupdate" | "createorupdateifmatchetag" if !exists() => {
            registry::put(service, identity, entry, None)?
        }
        "createorupdate" => registry::put(service, identity, entry, Some("*"))?,
        "createorupdateifmatchetag" => registry::put(service, identity, entry, etag("eTag"))?,
        "delete" => return registry::delete(service, identity, None).map(drop),
        "deleteifmatchetag" => {
            return registry::delete(service, identity, etag("eTag")).map(drop);
        }
        "updatetwin" | "updatetwinifmatchetag" => {
            let if_match = etag("twinETag").filter(|_| mode.len() > "updatetwin".len());
            registry::change_twin(service, identity, entry, if_match, TwinChange::Merge)?
        }
        _ => {
            let text = format!("importMode `{mode}` does not exist");
            return Err(Failure::bad_request(text));
        }
    };
    Ok(())
}
