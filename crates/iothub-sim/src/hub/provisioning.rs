//! Connections to the Device Provisioning Service.

use mqtt311::{Connect, Packet, Publish, QoS, Suback, SubackCode, Subscribe, Unsubscribe};

use super::{Hub, TlsFacts, connect::Admission, connections::Service};
use crate::{
    config::{Attestation, GroupAttestation, ProvisioningService},
    identity::{Identity, registration_id_is_valid},
    percent,
    reason::Reason,
    record::{ConnectionId, Event, Proof},
    sas::Token,
    time::Now,
    topic::{Feature, rid_of},
    user_name::ProvisioningUserName,
};

/// The api-versions of the provisioning service that are or were in use.
const API_VERSIONS: [&str; 10] = [
    "2017-11-15",
    "2018-04-01",
    "2018-11-01",
    "2019-03-31",
    "2021-06-01",
    "2021-10-01",
    "2025-07-01-preview",
    "2026-11-01",
    "2026-11-02-preview",
    "2026-11-15-preview",
];
const RESPONSES: &str = "$dps/registrations/res/#";

/// A device that registers.
#[derive(Debug)]
pub(super) struct Registering {
    pub(super) id_scope: String,
    /// As the device writes it.
    pub(super) registration_id: String,
    pub(super) api_version: String,
    pub(super) proven: Proven,
    /// Quality of service granted for the answers.
    pub(super) subscribed: Option<QoS>,
}

/// What CONNECT has shown about the device's right to register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Proven {
    /// The key of its own enrollment.
    Enrollment,
    /// A key derived from the key of this group.
    Group(String),
    /// Nothing yet: the certificate is judged when it registers.
    Nothing,
}

/// A request of a device that registers.
enum Request {
    Register { rid: String },
    Status { rid: String, operation_id: String },
}

pub(super) fn is_provisioning_host(name: &str) -> bool {
    name.to_ascii_lowercase()
        .ends_with(".azure-devices-provisioning.net")
}

impl Hub {
    pub(super) fn judge_registration(
        &self,
        now: Now,
        tls: &TlsFacts,
        connect: &Connect,
        user: ProvisioningUserName,
    ) -> Result<Admission, Reason> {
        if let Some(sni) = &tls.server_name
            && self.hubs.iter().any(|hub| hub.is_called(sni))
        {
            return Err(Reason::HostMismatch {
                sni: sni.clone(),
                host: "global.azure-devices-provisioning.net".to_owned(),
            });
        }
        let id = &user.registration_id;
        if !registration_id_is_valid(id) {
            return Err(Reason::RegistrationId { id: id.clone() });
        }
        if connect.client_id != *id {
            return Err(Reason::ClientId {
                client_id: connect.client_id.clone(),
                expected: id.clone(),
            });
        }
        if !self.rules.accept_any_api_version && !API_VERSIONS.contains(&user.api_version.as_str())
        {
            return Err(Reason::ApiVersionUnknown {
                version: user.api_version,
                use_instead: "2019-03-31",
            });
        }
        let service = self.provisioning_service(&user.id_scope);
        let password = connect.password.as_deref().unwrap_or_default();
        let (proof, proven, token_expires_unix_s) = if password.is_empty() {
            if tls.client_certificates.is_empty() {
                return Err(Reason::PasswordMissing { id: id.clone() });
            }
            (Proof::Certificate, Proven::Nothing, None)
        } else {
            let (proven, expires) = self.judge_token(now, password, &user, service)?;
            (Proof::SasToken, proven, Some(expires))
        };
        Ok(Admission {
            identity: Identity::registration(&user.id_scope, id),
            proof,
            token_expires_unix_s,
            api_version: user.api_version.clone(),
            client_type: None,
            model_id: None,
            service: Service::Provisioning(Box::new(Registering {
                id_scope: user.id_scope,
                registration_id: user.registration_id,
                api_version: user.api_version,
                proven,
                subscribed: None,
            })),
        })
    }

    fn judge_token(
        &self,
        now: Now,
        password: &[u8],
        user: &ProvisioningUserName,
        service: Option<&ProvisioningService>,
    ) -> Result<(Proven, u64), Reason> {
        let token = Token::parse(password, self.rules.accept_raw_signature)?;
        if let Some(policy) = &token.policy
            && policy != "registration"
        {
            return Err(Reason::TokenSkn {
                policy: policy.clone(),
            });
        }
        let path = format!("registrations/{}", user.registration_id);
        if !token.covers(&user.id_scope, &path) {
            return Err(Reason::TokenScope {
                scope: token.scope,
                expected: format!("{}/{path}", user.id_scope),
            });
        }
        let proven = match service {
            Some(service) => proven_by(&token, &user.registration_id, service)?,
            None => Proven::Nothing,
        };
        let ends = token
            .expires_unix_s
            .saturating_add(self.rules.expiry_tolerance_s);
        if now.unix_s >= ends {
            return Err(Reason::TokenExpired {
                expired_unix_s: token.expires_unix_s,
                now_unix_s: now.unix_s,
            });
        }
        Ok((proven, token.expires_unix_s))
    }

    pub(super) fn provisioning_service(&self, id_scope: &str) -> Option<&ProvisioningService> {
        self.provisioning
            .iter()
            .find(|service| service.id_scope == id_scope)
    }

    pub(super) fn registering(&self, id: ConnectionId) -> Option<&Registering> {
        match &self.attached(id)?.service {
            Service::Provisioning(registering) => Some(registering),
            Service::Hub => None,
        }
    }

    fn registering_mut(&mut self, id: ConnectionId) -> Option<&mut Registering> {
        match &mut self.attached_mut(id)?.service {
            Service::Provisioning(registering) => Some(registering),
            Service::Hub => None,
        }
    }

    /// Handles what means something else here than at a hub; `false` for everything else.
    pub(super) fn registration_packet(
        &mut self,
        now: Now,
        id: ConnectionId,
        packet: &Packet,
    ) -> bool {
        match packet {
            Packet::Publish(publish) => self.registration_publish(now, id, publish),
            Packet::Subscribe(subscribe) => self.registration_subscribe(now, id, subscribe),
            Packet::Unsubscribe(unsubscribe) => {
                self.registration_unsubscribe(now, id, unsubscribe);
            }
            _ => return false,
        }
        true
    }

    fn registration_publish(&mut self, now: Now, id: ConnectionId, publish: &Publish) {
        if publish.qos == QoS::ExactlyOnce {
            return self.end(now, id, Reason::Qos2 { packet: "PUBLISH" });
        }
        let request = match request(&publish.topic) {
            Ok(request) => request,
            Err(reason) => return self.end(now, id, reason),
        };
        if let Some(packet_id) = publish.packet_id
            && let Some(identity) = self.attached(id).map(|attached| attached.identity.clone())
        {
            self.acknowledge(now, id, &identity, packet_id);
        }
        match request {
            Request::Register { rid } => self.register(now, id, &rid, &publish.payload),
            Request::Status { rid, operation_id } => {
                self.registration_status(now, id, &rid, &operation_id);
            }
        }
    }

    fn registration_subscribe(&mut self, now: Now, id: ConnectionId, subscribe: &Subscribe) {
        let mut codes = Vec::new();
        let identity = self.attached(id).map(|attached| attached.identity.clone());
        for subscription in &subscribe.subscriptions {
            let granted = subscription.qos.min(QoS::AtLeastOnce);
            let result = if subscription.filter == RESPONSES {
                if let Some(registering) = self.registering_mut(id) {
                    registering.subscribed = Some(granted);
                }
                codes.push(SubackCode::Granted(granted));
                Ok(Feature::Registration)
            } else {
                codes.push(SubackCode::Failure);
                Err(Reason::Filter {
                    filter: subscription.filter.clone(),
                    hint: format!("the provisioning service has only `{RESPONSES}`"),
                })
            };
            if let Some(identity) = identity.clone() {
                let filter = subscription.filter.clone();
                self.record(
                    now,
                    Event::Subscribed {
                        identity,
                        filter,
                        result,
                    },
                );
            }
        }
        let suback = Suback {
            packet_id: subscribe.packet_id,
            codes,
        };
        self.send(now, id, &Packet::Suback(suback));
    }

    fn registration_unsubscribe(&mut self, now: Now, id: ConnectionId, unsubscribe: &Unsubscribe) {
        if unsubscribe.filters.iter().any(|filter| filter == RESPONSES)
            && let Some(registering) = self.registering_mut(id)
        {
            registering.subscribed = None;
        }
        self.send(now, id, &Packet::Unsuback(unsubscribe.packet_id));
    }
}

/// Finds the enrollment or group whose key has signed the token.
///
/// Without any that could have, the device may still connect: it learns at its registration that it is
/// not enrolled.
fn proven_by(
    token: &Token<'_>,
    registration_id: &str,
    service: &ProvisioningService,
) -> Result<Proven, Reason> {
    let own = service
        .enrollments
        .iter()
        .find(|e| e.registration_id.eq_ignore_ascii_case(registration_id));
    if let Some(enrollment) = own {
        return match &enrollment.attestation {
            Attestation::SymmetricKeys { primary, secondary }
                if token.signed_with([primary, secondary]) =>
            {
                Ok(Proven::Enrollment)
            }
            Attestation::SymmetricKeys { .. } => Err(Reason::TokenSignature {
                of: format!("the enrollment `{registration_id}`"),
            }),
            Attestation::Certificate { .. } => Err(Reason::PasswordForCertificate {
                id: registration_id.to_owned(),
            }),
        };
    }
    let mut tried = Vec::new();
    for group in &service.groups {
        let GroupAttestation::SymmetricKeys { primary, secondary } = &group.attestation else {
            continue;
        };
        let derived = [primary, secondary].map(|key| key.derive(registration_id));
        if token.signed_with(&derived) {
            return Ok(Proven::Group(group.name.clone()));
        }
        if token.signed_with([primary, secondary]) {
            return Err(Reason::GroupKey {
                group: group.name.clone(),
            });
        }
        tried.push(format!("`{}`", group.name));
    }
    if tried.is_empty() {
        return Ok(Proven::Nothing);
    }
    Err(Reason::TokenSignature {
        of: format!(
            "any device of the group {} with this registration id",
            tried.join(" or ")
        ),
    })
}

fn request(topic: &str) -> Result<Request, Reason> {
    const REGISTER: &str = "$dps/registrations/PUT/iotdps-register/";
    const STATUS: &str = "$dps/registrations/GET/iotdps-get-operationstatus/";
    let refused = |hint: &str| Reason::Topic {
        topic: topic.to_owned(),
        hint: hint.to_owned(),
    };
    let rid =
        |tail: &str| rid_of(tail).ok_or_else(|| refused("the request needs `?$rid={request id}`"));
    if let Some(tail) = topic.strip_prefix(REGISTER) {
        return Ok(Request::Register { rid: rid(tail)? });
    }
    if let Some(tail) = topic.strip_prefix(STATUS) {
        let operation_id = tail
            .trim_start_matches('?')
            .split('&')
            .find_map(|pair| pair.strip_prefix("operationId="))
            .map(percent::decode_lossy)
            .unwrap_or_default();
        return Ok(Request::Status {
            rid: rid(tail)?,
            operation_id,
        });
    }
    Err(refused(
        "the provisioning service has `$dps/registrations/PUT/iotdps-register/?$rid=…` and `$dps/registrations/GET/iotdps-get-operationstatus/?$rid=…&operationId=…`",
    ))
}
