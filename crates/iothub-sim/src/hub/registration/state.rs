//! A registration over time, and the answers about it.

use std::collections::VecDeque;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};

use crate::{
    config::RegistrationFailure,
    identity::Identity,
    reason::Reason,
    record::RegistrationOutcome,
    thumbprint::Thumbprint,
    time::{Now, Utc},
};

/// Status queries allowed within [`POLL_WINDOW_MS`].
const MAX_POLLS: usize = 5;
const POLL_WINDOW_MS: u64 = 10_000;

/// What is known about a device that has registered.
#[derive(Debug)]
pub(in crate::hub) struct RegistrationState {
    pub(in crate::hub) operation_id: String,
    pub(in crate::hub) registration_id: String,
    pub(in crate::hub) created_unix_s: u64,
    pub(in crate::hub) updated_unix_s: u64,
    /// Counts registrations.
    pub(in crate::hub) generation: u64,
    pub(in crate::hub) polls_left: u32,
    pub(in crate::hub) retry_after_s: u64,
    /// When the device was told to come back later.
    pub(in crate::hub) assigning_since_ms: Option<u64>,
    pub(in crate::hub) polls_ms: VecDeque<u64>,
    pub(in crate::hub) device: Option<Identity>,
    pub(in crate::hub) substatus: &'static str,
    pub(in crate::hub) failure: Option<RegistrationFailure>,
    /// Parts of `registrationState` that depend on the attestation and the enrollment.
    pub(in crate::hub) extra: Map<String, Value>,
}

/// An answer of the service.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) retry_after_s: Option<u64>,
    pub(super) body: Value,
}

/// `5.{16 hexadecimal digits}.{uuid}`, 55 characters as the service's own.
pub(super) fn operation_id(identity: &Identity, generation: u64) -> String {
    let text = format!("{identity}/{generation}");
    let digest = Thumbprint::sha256(text.as_bytes())
        .to_string()
        .to_ascii_lowercase();
    let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
    format!(
        "5.{}.{}-{}-{}-{}-{}",
        part(0, 16),
        part(16, 24),
        part(24, 28),
        part(28, 32),
        part(32, 36),
        part(36, 48)
    )
}

impl RegistrationState {
    /// A finished registration without an operation that could be asked for.
    pub(in crate::hub) fn new(
        registration_id: String,
        created_unix_s: u64,
        generation: u64,
        device: Option<Identity>,
    ) -> Self {
        Self {
            operation_id: String::new(),
            registration_id,
            created_unix_s,
            updated_unix_s: created_unix_s,
            generation,
            polls_left: 0,
            retry_after_s: 0,
            assigning_since_ms: None,
            polls_ms: VecDeque::new(),
            device,
            substatus: "initialAssignment",
            failure: None,
            extra: Map::new(),
        }
    }

    /// Answers one status query.
    pub(super) fn poll(&mut self, now: Now) -> (Answer, Option<RegistrationOutcome>) {
        let window_begins = now.monotonic_ms.saturating_sub(POLL_WINDOW_MS);
        while self.polls_ms.front().is_some_and(|at| *at < window_begins) {
            self.polls_ms.pop_front();
        }
        if self.polls_ms.len() >= MAX_POLLS {
            let reason = Reason::PolledTooOften;
            let wait_s = Some(POLL_WINDOW_MS / 1000);
            let answer = Answer::error(now, 429, wait_s, &reason.to_string());
            let outcome = RegistrationOutcome::Refused {
                status: 429,
                reason,
            };
            return (answer, Some(outcome));
        }
        self.polls_ms.push_back(now.monotonic_ms);
        if self.polls_left > 0 {
            self.polls_left -= 1;
            self.assigning_since_ms = Some(now.monotonic_ms);
            return (self.assigning(true), None);
        }
        self.assigning_since_ms = None;
        let (status, outcome) = match (&self.failure, &self.device) {
            (None, Some(device)) => (
                "assigned",
                RegistrationOutcome::Assigned {
                    device: device.clone(),
                    substatus: self.substatus,
                },
            ),
            (failure, _) => {
                let code = failure.as_ref().map_or(400_208, |failure| failure.code);
                ("failed", RegistrationOutcome::Failed { code })
            }
        };
        let answer = Answer {
            status: 200,
            retry_after_s: None,
            body: json!({
                "operationId": self.operation_id,
                "status": status,
                "registrationState": self.document(status),
            }),
        };
        (answer, Some(outcome))
    }

    pub(super) fn assigning(&self, with_state: bool) -> Answer {
        let mut body = json!({ "operationId": self.operation_id, "status": "assigning" });
        if with_state && let Value::Object(body) = &mut body {
            let state = json!({ "registrationId": self.registration_id, "status": "assigning" });
            body.insert("registrationState".to_owned(), state);
        }
        Answer {
            status: 202,
            retry_after_s: Some(self.retry_after_s),
            body,
        }
    }

    fn document(&self, status: &str) -> Value {
        let mut document = self.extra.clone();
        let mut set = |name: &str, value: Value| {
            document.insert(name.to_owned(), value);
        };
        set("registrationId", self.registration_id.as_str().into());
        set("createdDateTimeUtc", timestamp(self.created_unix_s).into());
        set(
            "lastUpdatedDateTimeUtc",
            timestamp(self.updated_unix_s).into(),
        );
        set(
            "etag",
            STANDARD.encode(format!("\"{}\"", self.generation)).into(),
        );
        set("status", status.into());
        if let Some(device) = &self.device {
            set("assignedHub", device.hub.as_str().into());
            set("deviceId", device.device_id.as_str().into());
            set("substatus", self.substatus.into());
        }
        if let Some(failure) = &self.failure {
            set("errorCode", failure.code.into());
            set("errorMessage", failure.message.as_str().into());
        }
        Value::Object(document)
    }
}

/// `2020-04-10T03:11:13.0000000Z`
fn timestamp(unix_s: u64) -> String {
    let seconds = Utc(unix_s).to_string();
    format!("{}.0000000Z", seconds.trim_end_matches('Z'))
}

impl Answer {
    pub(super) fn error(now: Now, status: u16, retry_after_s: Option<u64>, message: &str) -> Self {
        let detail = match status {
            401 => 2,
            404 => 201,
            429 => 1,
            _ => 0,
        };
        Self {
            status,
            retry_after_s,
            body: json!({
                "errorCode": u32::from(status) * 1000 + detail,
                "trackingId": format!("{:032x}", now.monotonic_ms),
                "message": message,
                "timestampUtc": timestamp(now.unix_s),
            }),
        }
    }

    pub(super) fn disabled(registration_id: &str) -> Self {
        Self {
            status: 200,
            retry_after_s: None,
            body: json!({
                "operationId": "",
                "status": "disabled",
                "registrationState": { "registrationId": registration_id, "status": "disabled" },
            }),
        }
    }
}
