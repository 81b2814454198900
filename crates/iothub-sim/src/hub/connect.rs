//! CONNECT, judged.

use std::collections::{BTreeMap, VecDeque};

use mqtt311::{Connack, Connect, ConnectReturnCode, DecodeError, Packet, Protocol, QoS, Will};

use super::{
    Hub, MAX_PACKET, TlsFacts,
    connections::{Attached, Phase, Service},
    provisioning::is_provisioning_host,
    registry::{Endpoint, HubState, Session},
    timers::Expiry,
};
use crate::{
    identity::{Identity, unusable_in_topics},
    percent,
    reason::Reason,
    record::{CloudToDeviceOutcome, Connected, ConnectionId, Event, Proof, Refusal},
    time::Now,
    topic::{self, Inbound},
    user_name::{self, HubUserName, UserName},
};

/// The api-versions of the hub that are or were in use.
const API_VERSIONS: [&str; 14] = [
    "2016-02-03",
    "2016-11-14",
    "2017-06-30",
    "2017-11-08-preview",
    "2018-04-01",
    "2018-06-30",
    "2019-03-30",
    "2019-07-01-preview",
    "2019-10-01",
    "2020-03-13",
    "2020-05-31-preview",
    "2020-09-30",
    "2021-04-12",
    "2025-08-01-preview",
];
const FIRST_WITH_MODELS: &str = "2020-05-31-preview";

/// What an accepted CONNECT has shown.
pub(super) struct Admission {
    pub(super) identity: Identity,
    pub(super) proof: Proof,
    pub(super) token_expires_unix_s: Option<u64>,
    pub(super) service: Service,
    pub(super) api_version: String,
    pub(super) client_type: Option<String>,
    pub(super) model_id: Option<String>,
}

impl Hub {
    pub(super) fn undecodable(&mut self, now: Now, id: ConnectionId, error: DecodeError) {
        let reason = match error {
            DecodeError::ProtocolLevel(level) => Reason::ProtocolLevel { level },
            DecodeError::TooLarge { size, limit } => Reason::MessageSize { size, limit },
            other => Reason::Malformed(other),
        };
        if matches!(reason, Reason::ProtocolLevel { .. }) {
            self.refuse_with_connack(now, id, ConnectReturnCode::NotAuthorized);
        }
        self.end(now, id, reason);
    }

    pub(super) fn connect(&mut self, now: Now, id: ConnectionId, connect: Connect) {
        let Some(connection) = self.connections.get(&id) else {
            return;
        };
        let sni = connection.tls.server_name.clone();
        // The hub has one code for everything it refuses; tests may ask for another.
        let usual = ConnectReturnCode::NotAuthorized;
        let judged = self.judge(now, &connection.tls, &connect);
        let judged = match judged {
            Err(reason) => Err((reason, usual)),
            Ok(admission) => match self.faults.refusal(&admission.identity) {
                Some(code) => Err((Reason::OnRequest("CONNECT refused".to_owned()), code)),
                None if matches!(admission.service, Service::Provisioning(_)) => Ok(admission),
                None => match self.throttle_connection(now, &admission.identity.hub) {
                    Ok(()) => Ok(admission),
                    Err(reason) => Err((reason, usual)),
                },
            },
        };
        match judged {
            Ok(admission) => self.admit(now, id, connect, admission),
            Err((reason, code)) => {
                self.refuse_with_connack(now, id, code);
                self.disarm_connection(id);
                if let Some(connection) = self.connections.get_mut(&id) {
                    connection.phase = Phase::Closing;
                }
                self.record(
                    now,
                    Event::Refused(Refusal {
                        connection: Some(id),
                        sni,
                        client_id: Some(connect.client_id),
                        user_name: connect.user_name,
                        reason,
                    }),
                );
            }
        }
    }

    fn refuse_with_connack(&mut self, now: Now, id: ConnectionId, code: ConnectReturnCode) {
        let refusal = Packet::Connack(Connack {
            session_present: false,
            code,
        });
        self.send(now, id, &refusal);
    }

    fn judge(&self, now: Now, tls: &TlsFacts, connect: &Connect) -> Result<Admission, Reason> {
        if connect.protocol == Protocol::V31 {
            return Err(Reason::ProtocolLevel { level: 3 });
        }
        let text = connect
            .user_name
            .as_deref()
            .ok_or(Reason::UserNameMissing)?;
        let user = match user_name::parse(text)? {
            UserName::Hub(user) => user,
            UserName::Provisioning(user) => {
                return self.judge_registration(now, tls, connect, user);
            }
        };
        if user.legacy && !self.rules.accept_legacy_user_name {
            return Err(Reason::UserNameLegacy {
                user_name: text.to_owned(),
            });
        }
        let hub = self.hub_of(&user, tls)?;
        self.check_version(&user)?;
        let mut identity = Identity::device(&hub.host, &user.device_id);
        identity.module_id.clone_from(&user.module_id);
        check_client_id(&connect.client_id, &identity)?;
        let endpoint = self.endpoint_of(&identity)?;
        let (proof, token_expires_unix_s) =
            self.authenticate(now, tls, connect, hub, &identity, endpoint)?;
        check_will(connect.will.as_ref(), &identity)?;
        Ok(Admission {
            identity,
            proof,
            token_expires_unix_s,
            service: Service::Hub,
            api_version: user.api_version,
            client_type: user.client_type,
            model_id: user.model_id,
        })
    }

    fn hub_of(&self, user: &HubUserName, tls: &TlsFacts) -> Result<&HubState, Reason> {
        let named = |host: &str| self.hubs.iter().find(|hub| hub.is_called(host));
        let hub = named(&user.host).ok_or_else(|| Reason::HubUnknown {
            host: user.host.clone(),
            hubs: self.hub_list(),
        })?;
        // A gateway host such as `localhost` says nothing about the hub; another hub's name does.
        match tls.server_name.as_deref() {
            Some(sni)
                if is_provisioning_host(sni)
                    || named(sni).is_some_and(|other| other.host != hub.host) =>
            {
                Err(Reason::HostMismatch {
                    sni: sni.to_owned(),
                    host: user.host.clone(),
                })
            }
            _ => Ok(hub),
        }
    }

    fn hub_list(&self) -> String {
        let names: Vec<_> = self.hubs.iter().map(|hub| hub.host.as_str()).collect();
        names.join(", ")
    }

    fn check_version(&self, user: &HubUserName) -> Result<(), Reason> {
        let version = user.api_version.as_str();
        if version.is_empty() && !self.rules.accept_any_api_version {
            return Err(Reason::ApiVersionMissing);
        }
        if !self.rules.accept_any_api_version && !API_VERSIONS.contains(&version) {
            return Err(Reason::ApiVersionUnknown {
                version: version.to_owned(),
                use_instead: "2021-04-12",
            });
        }
        if user.model_id.is_some() && version < FIRST_WITH_MODELS {
            return Err(Reason::ModelIdNeedsNewer {
                version: version.to_owned(),
            });
        }
        Ok(())
    }

    fn endpoint_of(&self, identity: &Identity) -> Result<&Endpoint, Reason> {
        for id in core::iter::once(&identity.device_id).chain(&identity.module_id) {
            if unusable_in_topics(id) {
                return Err(Reason::IdNotForMqtt { id: id.clone() });
            }
        }
        let endpoint = self
            .endpoints
            .get(identity)
            .ok_or_else(|| self.unknown(identity))?;
        let device = Identity {
            module_id: None,
            ..identity.clone()
        };
        let device_enabled = self.endpoints.get(&device).is_none_or(|d| d.enabled);
        if !(endpoint.enabled && device_enabled) {
            return Err(Reason::IdentityDisabled {
                id: identity.device_id.clone(),
            });
        }
        Ok(endpoint)
    }

    fn unknown(&self, identity: &Identity) -> Reason {
        let id = identity.client_id();
        let near = self
            .endpoints
            .keys()
            .find(|known| known.hub == identity.hub && known.client_id().eq_ignore_ascii_case(&id));
        let decoded = percent::decode_lossy(&id);
        let plain = self
            .endpoints
            .keys()
            .any(|known| known.hub == identity.hub && known.client_id() == decoded);
        if plain {
            return Reason::IdEncoded { id };
        }
        Reason::IdentityUnknown {
            id,
            hub: identity.hub.clone(),
            hint: near.map_or_else(String::new, |near| {
                format!("; did you mean `{}`? Case matters", near.client_id())
            }),
        }
    }

    fn admit(&mut self, now: Now, id: ConnectionId, connect: Connect, admission: Admission) {
        let Admission {
            identity,
            proof,
            token_expires_unix_s,
            service,
            api_version,
            client_type,
            model_id,
        } = admission;
        if let Some(older) = self.attached.get(&identity).copied() {
            let client_id = connect.client_id.clone();
            self.end(now, older, Reason::TakenOver { client_id });
        }
        let session_present = self.begin_session(now, &identity, connect.clean_session);
        let token_expires_unix_s =
            token_expires_unix_s.map(|at| at.saturating_add(self.rules.expiry_grace_s));
        if let Some(expires) = token_expires_unix_s {
            self.expiries.insert((expires, Expiry::Token(id)));
        }
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        connection.decoder.set_max_packet(MAX_PACKET);
        connection.phase = Phase::Attached(Box::new(Attached {
            identity: identity.clone(),
            service,
            keep_alive_s: connect.keep_alive_s,
            token_expires_unix_s,
            will: connect.will,
            last_packet_id: 0,
            unacknowledged: BTreeMap::new(),
        }));
        let sni = connection.tls.server_name.clone();
        self.attached.insert(identity.clone(), id);
        self.faults.connected(&identity, id);
        self.arm_connection(id);
        let connack = Connack {
            session_present,
            code: ConnectReturnCode::Accepted,
        };
        self.send(now, id, &Packet::Connack(connack));
        self.record(
            now,
            Event::Connected(Connected {
                connection: id,
                identity: identity.clone(),
                sni,
                proof,
                keep_alive_s: connect.keep_alive_s,
                clean_session: connect.clean_session,
                session_present,
                api_version,
                client_type,
                model_id,
            }),
        );
        self.deliver(now, &identity);
        self.send_waiting_calls(now, &identity);
    }

    /// Resumes or begins the session; `true` when one was resumed.
    fn begin_session(&mut self, now: Now, identity: &Identity, clean: bool) -> bool {
        let Some(endpoint) = self.endpoints.get_mut(identity) else {
            return false;
        };
        let stored = endpoint.session.take().filter(|session| !session.clean);
        let purged = if clean {
            core::mem::take(&mut endpoint.queue)
        } else {
            VecDeque::new()
        };
        for queued in &mut endpoint.queue {
            queued.locked_until_ms = None;
        }
        endpoint.connection_changed_unix_s = now.unix_s;
        let resumed = !clean && stored.is_some();
        // A clean session is not saved, so that one more or less of them is no change.
        let same = clean != stored.is_some() && purged.is_empty();
        endpoint.session = Some(match stored {
            Some(session) if !clean => session,
            _ => Session {
                clean,
                ..Session::default()
            },
        });
        if !same {
            self.changed();
        }
        for queued in &purged {
            self.settled(now, identity, queued, CloudToDeviceOutcome::Purged);
        }
        resumed
    }
}

fn check_client_id(client_id: &str, identity: &Identity) -> Result<(), Reason> {
    let expected = identity.client_id();
    if client_id == expected {
        return Ok(());
    }
    if percent::decode_lossy(client_id) == expected {
        return Err(Reason::IdEncoded {
            id: client_id.to_owned(),
        });
    }
    Err(Reason::ClientId {
        client_id: client_id.to_owned(),
        expected,
    })
}

fn check_will(will: Option<&Will>, identity: &Identity) -> Result<(), Reason> {
    let Some(will) = will else {
        return Ok(());
    };
    if will.qos == QoS::ExactlyOnce {
        return Err(Reason::Qos2 { packet: "will" });
    }
    match topic::inbound(&will.topic, identity)? {
        Inbound::Telemetry { .. } => Ok(()),
        _ => Err(Reason::Topic {
            topic: will.topic.clone(),
            hint: format!("a will goes to `{}/messages/events/`", identity.path()),
        }),
    }
}
