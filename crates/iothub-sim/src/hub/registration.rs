//! Registrations: enrollments judged, hubs assigned, answers written.

use std::collections::VecDeque;

use base64::{Engine, engine::general_purpose::STANDARD};
use mqtt311::{Packet, Publish};
use serde_json::{Map, Value, json};

use super::{
    Hub,
    provisioning::{Proven, Registering},
    registry::Endpoint,
};
use crate::{
    config::{
        Attestation, Credentials, Enrollment, EnrollmentGroup, EnrollmentSettings,
        GroupAttestation, ProvisioningService, RegistrationFailure, Reprovisioning,
    },
    identity::Identity,
    reason::Reason,
    record::{ConnectionId, Event, Registration, RegistrationOutcome},
    thumbprint::Thumbprint,
    time::{Now, Utc},
    twin,
    warning::Warning,
    x509::{self, Authorities},
};

/// Status queries allowed within [`POLL_WINDOW_MS`].
const MAX_POLLS: usize = 5;
const POLL_WINDOW_MS: u64 = 10_000;
/// The last api-version in which a second registration changes nothing unless the enrollment says so.
const LAST_STICKY: &str = "2018-04-01";
const FIRST_WITH_SIGNING: &str = "2025-07-01-preview";
const FIRST_WITH_PROFILE: &str = "2026-11-02-preview";
/// Bytes of a registration.
const MAX_BODY: usize = 96 * 1024;

/// What is known about a device that has registered.
#[derive(Debug)]
pub(super) struct RegistrationState {
    operation_id: String,
    registration_id: String,
    pub(super) created_unix_s: u64,
    updated_unix_s: u64,
    /// Counts registrations.
    pub(super) generation: u64,
    polls_left: u32,
    retry_after_s: u64,
    /// When the device was told to come back later.
    assigning_since_ms: Option<u64>,
    polls_ms: VecDeque<u64>,
    pub(super) device: Option<Identity>,
    substatus: &'static str,
    failure: Option<RegistrationFailure>,
    /// Parts of `registrationState` that depend on the attestation and the enrollment.
    extra: Map<String, Value>,
}

/// An enrollment that has been found and proven.
struct Admitted {
    settings: EnrollmentSettings,
    device_id: String,
    credentials: Credentials,
    /// `symmetricKey` or `x509` of the answer.
    attestation: (&'static str, Value),
}

/// An answer of the service.
struct Answer {
    status: u16,
    retry_after_s: Option<u64>,
    body: Value,
}

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
        let Some(service) = self.provisioning_service(&scope) else {
            let known: Vec<_> = self
                .provisioning
                .iter()
                .map(|s| s.id_scope.as_str())
                .collect();
            let known = known.join(", ");
            return Err((
                404,
                Reason::IdScopeUnknown {
                    id_scope: scope,
                    known,
                },
            ));
        };
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
        let mut extra = Map::new();
        if let Some(csr) = &request.csr {
            let issuer = service.issuer.clone();
            let issued = self
                .issue(now, issuer, &registration_id, csr)
                .map_err(|detail| (400, Reason::SigningRequest { detail }))?;
            admitted.credentials = Credentials::CertificateAuthority;
            extra.insert("issuedCertificateChain".to_owned(), issued);
        }
        let (name, value) = admitted.attestation.clone();
        extra.insert(name.to_owned(), value);
        if let Some(payload) = admitted
            .settings
            .payload
            .as_deref()
            .and_then(twin::parse_object)
        {
            extra.insert("payload".to_owned(), Value::Object(payload));
        }
        if with_profile {
            extra.insert("connectionProfile".to_owned(), "classic".into());
        }
        let (device, substatus) = match &admitted.settings.failure {
            None => {
                let (device, substatus) = self.assign(now, identity, &admitted, sticky);
                (Some(device), substatus)
            }
            Some(_) => (None, "initialAssignment"),
        };
        let earlier = self.registrations.get(identity);
        let generation = earlier.map_or(1, |state| state.generation + 1);
        let state = RegistrationState {
            operation_id: operation_id(identity, generation),
            registration_id,
            created_unix_s: earlier.map_or(now.unix_s, |state| state.created_unix_s),
            updated_unix_s: now.unix_s,
            generation,
            polls_left,
            retry_after_s,
            assigning_since_ms: Some(now.monotonic_ms),
            polls_ms: VecDeque::new(),
            device,
            substatus,
            failure: admitted.settings.failure,
            extra,
        };
        let answer = state.assigning(false);
        self.registrations.insert(identity.clone(), state);
        self.changed();
        Ok((answer, RegistrationOutcome::Assigning))
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
        let answer = Answer::error(now, status, None, &reason.to_string());
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

/// Finds the enrollment or group of a device and judges its certificate.
fn admit(
    now: Now,
    registering: &Registering,
    service: &ProvisioningService,
    chain: &[Vec<u8>],
) -> Result<Admitted, Refused> {
    let id = &registering.registration_id;
    let own = service
        .enrollments
        .iter()
        .find(|enrollment| enrollment.registration_id.eq_ignore_ascii_case(id));
    if let Some(enrollment) = own {
        return admit_individual(id, enrollment, chain);
    }
    if let Proven::Group(name) = &registering.proven
        && let Some(group) = service.groups.iter().find(|group| group.name == *name)
        && let GroupAttestation::SymmetricKeys { primary, secondary } = &group.attestation
    {
        return Ok(Admitted {
            settings: group.settings.clone(),
            device_id: id.clone(),
            credentials: Credentials::SharedAccessKeys {
                primary: primary.derive(id),
                secondary: secondary.derive(id),
            },
            attestation: ("symmetricKey", json!({ "enrollmentGroupId": group.name })),
        });
    }
    admit_by_authority(now, id, service, chain)
}

fn admit_individual(
    id: &str,
    enrollment: &Enrollment,
    chain: &[Vec<u8>],
) -> Result<Admitted, Refused> {
    let (credentials, attestation) = match &enrollment.attestation {
        Attestation::SymmetricKeys { primary, secondary } => {
            let credentials = Credentials::SharedAccessKeys {
                primary: primary.clone(),
                secondary: secondary.clone(),
            };
            (credentials, ("symmetricKey", json!({})))
        }
        Attestation::Certificate { primary, secondary } => {
            let Some(leaf) = chain.first() else {
                return Err((401, Reason::CertificateMissing { id: id.to_owned() }));
            };
            if !primary.matches(leaf) && !secondary.is_some_and(|t| t.matches(leaf)) {
                let reason = Reason::CertificateThumbprint {
                    id: id.to_owned(),
                    sha1: Thumbprint::sha1(leaf),
                    sha256: Thumbprint::sha256(leaf),
                };
                return Err((401, reason));
            }
            check_common_name(id, leaf)?;
            (thumbprint_of(leaf), ("x509", certificate_info(leaf, None)))
        }
    };
    Ok(Admitted {
        settings: enrollment.settings.clone(),
        device_id: enrollment
            .device_id
            .clone()
            .unwrap_or_else(|| id.to_owned()),
        credentials,
        attestation,
    })
}

fn admit_by_authority(
    now: Now,
    id: &str,
    service: &ProvisioningService,
    chain: &[Vec<u8>],
) -> Result<Admitted, Refused> {
    let unknown = || {
        let reason = Reason::EnrollmentUnknown {
            id: id.to_owned(),
            id_scope: service.id_scope.clone(),
        };
        (404, reason)
    };
    let leaf = chain.first().ok_or_else(unknown)?;
    let mut why = None;
    for group in &service.groups {
        let GroupAttestation::Authority(authority) = &group.attestation else {
            continue;
        };
        match trusted(authority, chain, now) {
            Ok(()) => {
                check_common_name(id, leaf)?;
                return Ok(admitted_by(group, id, leaf));
            }
            Err(detail) => why = Some(detail),
        }
    }
    match why {
        None => Err(unknown()),
        Some(detail) => {
            let id = id.to_owned();
            Err((401, Reason::CertificateUntrusted { id, detail }))
        }
    }
}

fn trusted(authority: &[u8], chain: &[Vec<u8>], now: Now) -> Result<(), String> {
    match Authorities::new(&[authority.to_vec()]) {
        Ok(Some(authorities)) => authorities.verify(chain, now.unix_s),
        _ => Err("the group's authority is not a usable certificate".to_owned()),
    }
}

fn admitted_by(group: &EnrollmentGroup, id: &str, leaf: &[u8]) -> Admitted {
    Admitted {
        settings: group.settings.clone(),
        device_id: id.to_owned(),
        credentials: thumbprint_of(leaf),
        attestation: ("x509", certificate_info(leaf, Some(&group.name))),
    }
}

fn thumbprint_of(leaf: &[u8]) -> Credentials {
    Credentials::SelfSigned {
        primary: Thumbprint::sha256(leaf),
        secondary: None,
    }
}

fn check_common_name(id: &str, leaf: &[u8]) -> Result<(), Refused> {
    let common_name = x509::common_name(leaf).unwrap_or_default();
    if common_name.eq_ignore_ascii_case(id) {
        return Ok(());
    }
    let id = id.to_owned();
    Err((401, Reason::CertificateCommonName { common_name, id }))
}

fn certificate_info(leaf: &[u8], group: Option<&str>) -> Value {
    let mut info = json!({
        "certificateInfo": {
            "subjectName": format!("CN={}", x509::common_name(leaf).unwrap_or_default()),
            "sha1Thumbprint": Thumbprint::sha1(leaf).to_string(),
            "sha256Thumbprint": Thumbprint::sha256(leaf).to_string(),
            "version": 3,
        }
    });
    if let (Some(group), Value::Object(info)) = (group, &mut info) {
        info.insert("enrollmentGroupId".to_owned(), group.into());
    }
    info
}

/// `5.{16 hexadecimal digits}.{uuid}`, 55 characters as the service's own.
fn operation_id(identity: &Identity, generation: u64) -> String {
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
    /// A registration of which a saved state knows only the result.
    pub(super) fn restored(
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
    fn poll(&mut self, now: Now) -> (Answer, Option<RegistrationOutcome>) {
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

    fn assigning(&self, with_state: bool) -> Answer {
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
    fn error(now: Now, status: u16, retry_after_s: Option<u64>, message: &str) -> Self {
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

    fn disabled(registration_id: &str) -> Self {
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
