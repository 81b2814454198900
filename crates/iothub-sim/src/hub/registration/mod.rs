//! Registrations: enrollments judged, hubs assigned, answers written.

mod enrollment;
mod state;

use mqtt311::{Packet, Publish};
use serde_json::{Map, Value};

pub(super) use self::state::RegistrationState;
use self::{
    enrollment::{Admitted, admit},
    state::{Answer, operation_id},
};
use super::{Hub, provisioning::Registering, registry::Endpoint};
use crate::{
    config::{Credentials, EnrollmentSettings, ProvisioningService, Reprovisioning},
    identity::Identity,
    reason::Reason,
    record::{ConnectionId, Event, Registration, RegistrationOutcome},
    time::Now,
    twin,
    warning::Warning,
};

/// The last api-version in which a second registration changes nothing unless the enrollment says so.
const LAST_STICKY: &str = "2018-04-01";
const FIRST_WITH_SIGNING: &str = "2025-07-01-preview";
const FIRST_WITH_PROFILE: &str = "2026-11-02-preview";
/// Bytes of a registration.
const MAX_BODY: usize = 96 * 1024;

/// When to try again after too many registrations.
const THROTTLED_RETRY_AFTER_S: u64 = 5;

type Refused = (u16, Reason);

impl Hub {
    pub(super) fn register(&mut self, now: Now, id: ConnectionId, rid: &str, body: &[u8]) {
        let Some(identity) = self.attached(id).map(|attached| attached.identity.clone()) else {
            return;
        };
        if let Some((status, retry_after_s)) = self.faults.provisioning_status(&identity) {
            let answer = Answer::error(now, status, Some(retry_after_s), "injected fault");
            return self.answer_registration(now, id, rid, answer);
        }
        if let Some(limit) = self.throttle_registration(now) {
            let what = "registrations a minute";
            let reason = Reason::Throttled { what, limit };
            return self.refuse_registration(now, id, &identity, rid, (429, reason));
        }
        let payload = serde_json::from_slice::<Value>(body)
            .ok()
            .and_then(|body| body.get("payload").map(Value::to_string));
        let (answer, outcome) = match self.try_register(now, id, &identity, body) {
            Ok(done) => done,
            Err((status, reason)) => {
                let answer = Answer::error(now, status, None, &reason.to_string());
                (answer, RegistrationOutcome::Refused { status, reason })
            }
        };
        self.record(
            now,
            Event::Registration(Registration {
                identity,
                payload,
                outcome,
            }),
        );
        self.answer_registration(now, id, rid, answer);
    }

    fn try_register(
        &mut self,
        now: Now,
        id: ConnectionId,
        identity: &Identity,
        body: &[u8],
    ) -> Result<(Answer, RegistrationOutcome), Refused> {
        let Some(registering) = self.registering(id) else {
            return Err((500, Reason::Lost));
        };
        let request = parse_body(body, registering)?;
        let scope = registering.id_scope.clone();
        let registration_id = registering.registration_id.clone();
        let sticky = registering.api_version.as_str() <= LAST_STICKY;
        let with_profile = registering.api_version.as_str() >= FIRST_WITH_PROFILE;
        let service = self.existing_service(&scope)?;
        let chain = self
            .connections
            .get(&id)
            .map_or(&[][..], |c| &c.tls.client_certificates);
        let mut admitted = admit(now, registering, service, chain)?;
        let (polls_left, retry_after_s) = (service.polls_before_result, service.retry_after_s);
        if admitted.settings.disabled {
            let answer = Answer::disabled(&registration_id);
            return Ok((answer, RegistrationOutcome::Disabled));
        }
        let issuer = service.issuer.clone();
        let mut extra = Map::new();
        if let Some(csr) = &request.csr {
            let issued = self
                .issue(now, issuer, &registration_id, csr)
                .map_err(|detail| (400, Reason::SigningRequest { detail }))?;
            admitted.credentials = Credentials::CertificateAuthority;
            extra.insert("issuedCertificateChain".to_owned(), issued);
        }
        if with_profile {
            extra.insert("connectionProfile".to_owned(), "classic".into());
        }
        admitted.describe(&mut extra);
        let (device, substatus) = match &admitted.settings.failure {
            None => {
                let (device, substatus) = self.assign(now, identity, &admitted, sticky);
                (Some(device), substatus)
            }
            Some(_) => (None, "initialAssignment"),
        };
        let earlier = self.registrations.get(identity);
        let generation = earlier.map_or(1, |state| state.generation + 1);
        let created_unix_s = earlier.map_or(now.unix_s, |state| state.created_unix_s);
        let mut state = RegistrationState::new(registration_id, created_unix_s, generation, device);
        state.operation_id = operation_id(identity, generation);
        state.updated_unix_s = now.unix_s;
        state.assigning_since_ms = Some(now.monotonic_ms);
        state.polls_left = polls_left;
        state.retry_after_s = retry_after_s;
        state.substatus = substatus;
        state.failure = admitted.settings.failure;
        state.extra = extra;
        let answer = state.assigning(false);
        self.registrations.insert(identity.clone(), state);
        self.changed();
        Ok((answer, RegistrationOutcome::Assigning))
    }

    fn existing_service(&self, id_scope: &str) -> Result<&ProvisioningService, Refused> {
        self.provisioning_service(id_scope).ok_or_else(|| {
            let known = self.provisioning.iter().map(|s| s.id_scope.as_str());
            let reason = Reason::IdScopeUnknown {
                id_scope: id_scope.to_owned(),
                known: known.collect::<Vec<_>>().join(", "),
            };
            (404, reason)
        })
    }

    pub(super) fn registration_status(
        &mut self,
        now: Now,
        id: ConnectionId,
        rid: &str,
        operation_id: &str,
    ) {
        let Some(identity) = self.attached(id).map(|attached| attached.identity.clone()) else {
            return;
        };
        if let Some((status, retry_after_s)) = self.faults.provisioning_status(&identity) {
            let answer = Answer::error(now, status, Some(retry_after_s), "injected fault");
            return self.answer_registration(now, id, rid, answer);
        }
        let state = self
            .registrations
            .get_mut(&identity)
            .filter(|state| !operation_id.is_empty() && state.operation_id == operation_id);
        let Some(state) = state else {
            let reason = Reason::OperationUnknown {
                id: identity.device_id.clone(),
                operation_id: operation_id.to_owned(),
            };
            return self.refuse_registration(now, id, &identity, rid, (404, reason));
        };
        let retry_after_s = state.retry_after_s;
        let early = state.assigning_since_ms.and_then(|since_ms| {
            let after_ms = now.monotonic_ms.saturating_sub(since_ms);
            (after_ms < retry_after_s.saturating_mul(1000)).then_some(Warning::PolledEarly {
                after_ms,
                retry_after_s,
            })
        });
        let (answer, outcome) = state.poll(now);
        if let Some(warning) = early {
            self.warn(now, &identity, warning);
        }
        if let Some(outcome) = outcome {
            self.record(
                now,
                Event::Registration(Registration {
                    identity,
                    payload: None,
                    outcome,
                }),
            );
        }
        self.answer_registration(now, id, rid, answer);
    }

    fn refuse_registration(
        &mut self,
        now: Now,
        id: ConnectionId,
        identity: &Identity,
        rid: &str,
        (status, reason): Refused,
    ) {
        let retry_after_s = (status == 429).then_some(THROTTLED_RETRY_AFTER_S);
        let answer = Answer::error(now, status, retry_after_s, &reason.to_string());
        self.record(
            now,
            Event::Registration(Registration {
                identity: identity.clone(),
                payload: None,
                outcome: RegistrationOutcome::Refused { status, reason },
            }),
        );
        self.answer_registration(now, id, rid, answer);
    }

    fn answer_registration(&mut self, now: Now, id: ConnectionId, rid: &str, answer: Answer) {
        if self.registering(id).is_none_or(|r| r.subscribed.is_none()) {
            if let Some(identity) = self.attached(id).map(|attached| attached.identity.clone()) {
                self.warn(now, &identity, Warning::RegistrationUnheard);
            }
            return;
        }
        let mut topic = format!("$dps/registrations/res/{}/?$rid={rid}", answer.status);
        if let Some(seconds) = answer.retry_after_s {
            topic.push_str(&format!("&retry-after={seconds}"));
        }
        let publish = Publish {
            topic,
            payload: answer.body.to_string().into_bytes(),
            ..Publish::default()
        };
        self.send(now, id, &Packet::Publish(publish));
    }

    /// Puts the device into a hub: its first one, or another by the rules of reprovisioning.
    fn assign(
        &mut self,
        now: Now,
        identity: &Identity,
        admitted: &Admitted,
        sticky: bool,
    ) -> (Identity, &'static str) {
        let host = self.allocated_host(&admitted.settings, &identity.device_id);
        let target = Identity::device(&host, &admitted.device_id);
        let earlier = self
            .registrations
            .get(identity)
            .and_then(|state| state.device.clone());
        let policy = admitted.settings.reprovisioning.unwrap_or(if sticky {
            Reprovisioning::Never
        } else {
            Reprovisioning::MigrateData
        });
        let (device, substatus, kept) = match earlier {
            Some(earlier) if earlier == target => (target, "initialAssignment", None),
            Some(earlier) if policy == Reprovisioning::Never => {
                (earlier, "initialAssignment", None)
            }
            Some(earlier) => {
                if let Some(connection) = self.attached.get(&earlier).copied() {
                    let reason =
                        Reason::OnRequest("the device was moved to another hub".to_owned());
                    self.end(now, connection, reason);
                }
                let old = self.endpoints.remove(&earlier);
                match policy {
                    Reprovisioning::MigrateData => (target, "deviceDataMigrated", old),
                    _ => (target, "deviceDataReset", None),
                }
            }
            None => (target, "initialAssignment", None),
        };
        if let Some(old) = kept {
            self.endpoints.insert(device.clone(), old);
        }
        let fresh = !self.endpoints.contains_key(&device);
        let endpoint = self
            .endpoints
            .entry(device.clone())
            .or_insert_with(|| Endpoint::new(&admitted.credentials, true));
        endpoint.credentials = admitted.credentials.clone();
        endpoint.managed = true;
        if fresh {
            let initial = |text: &Option<String>| text.as_deref().and_then(twin::parse_object);
            if let Some(tags) = initial(&admitted.settings.initial_tags) {
                endpoint.twin.tags = tags;
            }
            if let Some(desired) = initial(&admitted.settings.initial_desired) {
                endpoint.twin.desired.properties = desired;
            }
        }
        (device, substatus)
    }

    /// One of the enrollment's hubs, the same for the same id.
    fn allocated_host(&self, settings: &EnrollmentSettings, registration_id: &str) -> String {
        let hosts: Vec<String> = if settings.hubs.is_empty() {
            self.hubs
                .iter()
                .map(|hub| hub.host.clone())
                .take(1)
                .collect()
        } else {
            settings
                .hubs
                .iter()
                .map(|host| host.to_ascii_lowercase())
                .collect()
        };
        let digest =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, registration_id.as_bytes());
        let first = digest.as_ref().first().copied().unwrap_or_default();
        let index = usize::from(first) % hosts.len().max(1);
        hosts.into_iter().nth(index).unwrap_or_default()
    }
}

/// What a registration asks for.
struct Body {
    csr: Option<String>,
}

fn parse_body(body: &[u8], registering: &Registering) -> Result<Body, Refused> {
    let refused = |detail: &str| {
        let detail = detail.to_owned();
        (400, Reason::RegistrationBody { detail })
    };
    if body.len() > MAX_BODY {
        return Err(refused("it is longer than 98304 bytes"));
    }
    if body.iter().all(u8::is_ascii_whitespace) {
        return Ok(Body { csr: None });
    }
    let Ok(Value::Object(object)) = serde_json::from_slice(body) else {
        return Err(refused("it is neither empty nor a JSON object"));
    };
    let own = registering.registration_id.as_str();
    match object.get("registrationId") {
        None | Some(Value::Null) => {}
        Some(Value::String(id)) if id.eq_ignore_ascii_case(own) => {}
        Some(_) => return Err(refused("its registrationId is not that of the user name")),
    }
    if !matches!(
        object.get("payload"),
        None | Some(Value::Null | Value::Object(_))
    ) {
        return Err(refused("its payload is not a JSON object"));
    }
    if object.get("tpm").is_some_and(|tpm| !tpm.is_null()) {
        return Err(refused("TPM attestation does not exist over MQTT"));
    }
    let csr = match object.get("csr") {
        None | Some(Value::Null) => None,
        Some(Value::String(csr)) if registering.api_version.as_str() >= FIRST_WITH_SIGNING => {
            Some(csr.clone())
        }
        Some(Value::String(_)) => {
            return Err(refused(
                "a csr needs api-version 2025-07-01-preview or later",
            ));
        }
        Some(_) => return Err(refused("its csr is not a string")),
    };
    Ok(Body { csr })
}
