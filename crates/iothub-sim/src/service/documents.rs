//! JSON documents of the service API: identities, twins, records.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use super::answer::Failure;
use crate::{
    config::Credentials,
    hub::IdentityInfo,
    key::SharedAccessKey,
    record::{Event, Record, RegistrationOutcome, Telemetry},
    thumbprint::Thumbprint,
    time::Utc,
    twin::Twin,
};

/// What a device that never was anywhere shows as time.
const NEVER: &str = "0001-01-01T00:00:00Z";

pub(super) fn etag(count: u64) -> String {
    STANDARD.encode(count.to_be_bytes())
}

fn time(unix_s: u64) -> String {
    if unix_s == 0 {
        NEVER.to_owned()
    } else {
        Utc(unix_s).to_string()
    }
}

const fn connection_state(info: &IdentityInfo) -> &'static str {
    if info.connected {
        "Connected"
    } else {
        "Disconnected"
    }
}

const fn status(info: &IdentityInfo) -> &'static str {
    if info.enabled { "enabled" } else { "disabled" }
}

const fn authentication_type(credentials: &Credentials) -> &'static str {
    match credentials {
        Credentials::SharedAccessKeys { .. } => "sas",
        Credentials::SelfSigned { .. } => "selfSigned",
        Credentials::CertificateAuthority => "certificateAuthority",
    }
}

fn thumbprints(credentials: &Credentials) -> Value {
    match credentials {
        Credentials::SelfSigned { primary, secondary } => json!({
            "primaryThumbprint": primary.to_string(),
            "secondaryThumbprint": secondary.map(|thumbprint| thumbprint.to_string()),
        }),
        _ => json!({ "primaryThumbprint": null, "secondaryThumbprint": null }),
    }
}

/// An identity as the registry shows it, keys included.
pub(super) fn identity(info: &IdentityInfo) -> Value {
    let symmetric_key = match &info.credentials {
        Credentials::SharedAccessKeys { primary, secondary } => json!({
            "primaryKey": primary.to_base64(),
            "secondaryKey": secondary.to_base64(),
        }),
        _ => json!({ "primaryKey": null, "secondaryKey": null }),
    };
    let mut document = json!({
        "deviceId": info.identity.device_id,
        "generationId": info.generation.to_string(),
        "etag": etag(info.generation),
        "connectionState": connection_state(info),
        "connectionStateUpdatedTime": time(info.connection_changed_unix_s),
        "lastActivityTime": time(info.connection_changed_unix_s),
        "cloudToDeviceMessageCount": info.queued_messages,
        "authentication": {
            "symmetricKey": symmetric_key,
            "x509Thumbprint": thumbprints(&info.credentials),
            "type": authentication_type(&info.credentials),
        },
    });
    if let Value::Object(document) = &mut document {
        match &info.identity.module_id {
            Some(module_id) => {
                document.insert("moduleId".to_owned(), module_id.as_str().into());
            }
            None => {
                document.insert("status".to_owned(), status(info).into());
                document.insert("statusReason".to_owned(), Value::Null);
                document.insert("statusUpdatedTime".to_owned(), NEVER.into());
                document.insert("capabilities".to_owned(), json!({ "iotEdge": false }));
            }
        }
    }
    document
}

/// What the body of a create or update says about credentials and status.
pub(super) fn read_identity(body: &Value) -> Result<(Credentials, bool), Failure> {
    let enabled = match body.get("status") {
        None | Some(Value::Null) => true,
        Some(Value::String(status)) if status == "enabled" => true,
        Some(Value::String(status)) if status == "disabled" => false,
        Some(_) => {
            return Err(Failure::bad_request(
                "status is neither enabled nor disabled",
            ));
        }
    };
    let authentication = body.get("authentication").unwrap_or(&Value::Null);
    let text = |section: &str, name: &str| {
        let value = authentication.get(section)?.get(name)?.as_str()?;
        (!value.is_empty()).then(|| value.to_owned())
    };
    let kind = match authentication.get("type").and_then(Value::as_str) {
        Some(kind) => kind.to_ascii_lowercase(),
        None if text("x509Thumbprint", "primaryThumbprint").is_some() => "selfsigned".to_owned(),
        None => "sas".to_owned(),
    };
    let key = |name| match text("symmetricKey", name) {
        Some(text) => text
            .parse::<SharedAccessKey>()
            .map_err(|error| Failure::bad_request(format!("{name}: {error}"))),
        None => Ok(SharedAccessKey::generate()),
    };
    let thumbprint = |name| {
        text("x509Thumbprint", name)
            .map(|text| text.parse::<Thumbprint>())
            .transpose()
            .map_err(|error| Failure::bad_request(format!("{name}: {error}")))
    };
    let credentials = match kind.as_str() {
        "sas" => Credentials::SharedAccessKeys {
            primary: key("primaryKey")?,
            secondary: key("secondaryKey")?,
        },
        "selfsigned" => Credentials::SelfSigned {
            primary: thumbprint("primaryThumbprint")?
                .ok_or_else(|| Failure::bad_request("a primaryThumbprint is needed"))?,
            secondary: thumbprint("secondaryThumbprint")?,
        },
        "certificateauthority" => Credentials::CertificateAuthority,
        other => {
            return Err(Failure::bad_request(format!(
                "authentication type `{other}` is not sas, selfSigned or certificateAuthority"
            )));
        }
    };
    Ok((credentials, enabled))
}

/// A twin as the service API shows it.
pub(super) fn twin(info: &IdentityInfo, twin: &Twin) -> Value {
    let mut document = json!({
        "deviceId": info.identity.device_id,
        "etag": etag(twin.version),
        "deviceEtag": etag(info.generation),
        "status": status(info),
        "statusUpdateTime": NEVER,
        "connectionState": connection_state(info),
        "lastActivityTime": time(info.connection_changed_unix_s),
        "cloudToDeviceMessageCount": info.queued_messages,
        "authenticationType": authentication_type(&info.credentials),
        "x509Thumbprint": thumbprints(&info.credentials),
        "modelId": "",
        "version": twin.version,
        "tags": twin.tags,
        "properties": twin.properties_for_service(),
        "capabilities": { "iotEdge": false },
    });
    if let (Some(module_id), Value::Object(document)) = (&info.identity.module_id, &mut document) {
        document.insert("moduleId".to_owned(), module_id.as_str().into());
    }
    document
}

/// A record for streams: its kind, who it is about, one line of text, and for telemetry the message.
pub(super) fn record(record: &Record) -> Value {
    let event = &record.event;
    let mut document = Map::new();
    let mut set = |name: &str, value: Value| {
        document.insert(name.to_owned(), value);
    };
    set("at", Utc(record.at.unix_s).to_string().into());
    set("kind", kind(event).into());
    set("text", event.to_string().into());
    if let Some(identity) = event.identity() {
        set("hub", identity.hub.as_str().into());
        set("deviceId", identity.device_id.as_str().into());
        if let Some(module_id) = &identity.module_id {
            set("moduleId", module_id.as_str().into());
        }
    }
    match event {
        Event::Telemetry(message) => set("message", telemetry(message)),
        Event::Refused(refusal) => set("reason", refusal.reason.code().into()),
        Event::Disconnected { reason, .. } => set("reason", reason.code().into()),
        Event::Registration(registration) => {
            if let RegistrationOutcome::Refused { reason, .. } = &registration.outcome {
                set("reason", reason.code().into());
            }
        }
        Event::CloudToDevice {
            sequence_number,
            message_id,
            outcome,
            ..
        } => {
            set("sequenceNumber", (*sequence_number).into());
            set("messageId", message_id.clone().into());
            set("outcome", format!("{outcome:?}").into());
        }
        _ => {}
    }
    Value::Object(document)
}

/// Stands in a stream for records that its reader was too slow for.
pub(super) fn dropped(count: u64) -> Value {
    json!({
        "kind": "dropped",
        "text": format!("{count} records of all kinds are missing here: the reader was too slow"),
        "dropped": count,
    })
}

pub(super) const fn kind(event: &Event) -> &'static str {
    match event {
        Event::Refused(_) => "refused",
        Event::Connected(_) => "connected",
        Event::Disconnected { .. } => "disconnected",
        Event::Telemetry(_) => "telemetry",
        Event::Subscribed { .. } => "subscribed",
        Event::Unsubscribed { .. } => "unsubscribed",
        Event::MethodEnded { .. } => "method",
        Event::Reported { .. } => "reported",
        Event::Registration(_) => "registration",
        Event::Warned { .. } => "warning",
        Event::StateNotSaved { .. } => "state-not-saved",
        Event::CloudToDevice { .. } => "cloud-to-device",
    }
}

fn telemetry(message: &Telemetry) -> Value {
    let mut document = json!({
        "topic": message.topic,
        "qos": message.qos,
        "systemProperties": message.properties.system,
        "properties": message.properties.application,
        "will": message.is_will,
    });
    if let Value::Object(document) = &mut document {
        let (name, body) = match str::from_utf8(&message.payload) {
            Ok(text) => (
                "body",
                serde_json::from_str(text).unwrap_or_else(|_| text.into()),
            ),
            Err(_) => ("bodyBase64", STANDARD.encode(&message.payload).into()),
        };
        document.insert(name.to_owned(), body);
    }
    document
}

/// One entry of feedback on cloud-to-device messages.
pub(super) fn feedback(record: &Record) -> Option<Value> {
    let Event::CloudToDevice {
        identity,
        message_id,
        outcome,
        ..
    } = &record.event
    else {
        return None;
    };
    Some(json!({
        "originalMessageId": message_id,
        "description": format!("{outcome:?}").replace("Completed", "Success"),
        "deviceId": identity.device_id,
        "deviceGenerationId": "1",
        "enqueuedTimeUtc": Utc(record.at.unix_s).to_string(),
    }))
}
