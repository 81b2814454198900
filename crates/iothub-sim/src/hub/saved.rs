//! What a hub remembers over a restart.

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use mqtt311::QoS;
use serde::{Deserialize, Serialize};

use super::{
    Hub,
    registration::RegistrationState,
    registry::{Endpoint, Queued, Session},
    timers::Expiry,
};
use crate::{
    config::Credentials, identity::Identity, message::CloudToDeviceMessage, properties::Properties,
    topic, twin::Twin,
};

/// Version of the format that this crate writes, and the newest one it reads.
const VERSION: u32 = 1;

/// Identities, twins, sessions, queues and registrations of a hub, to be kept as JSON.
///
/// Configured identities and keys are not in it, unless the service side has changed them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SavedState {
    version: u32,
    last_sequence_number: u64,
    identities: Vec<SavedIdentity>,
    deleted: Vec<Identity>,
    registrations: Vec<SavedRegistration>,
    /// Authorities by hub, as base64 DER.
    authorities: BTreeMap<String, Vec<String>>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SavedIdentity {
    #[serde(flatten)]
    identity: Identity,
    /// Absent when the configuration knows them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    credentials: Option<Credentials>,
    enabled: bool,
    twin: Twin,
    /// Topic filters with their quality of service; absent without a session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<BTreeMap<String, u8>>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    queue: Vec<SavedMessage>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SavedMessage {
    sequence_number: u64,
    expires_unix_s: u64,
    payload: String,
    properties: Properties,
    delivered_before: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct SavedRegistration {
    #[serde(flatten)]
    identity: Identity,
    created_unix_s: u64,
    generation: u64,
    device: Option<Identity>,
}

/// A saved state cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// It was written by a newer version of this program.
    #[error(
        "it has format {found}, which a newer version of this program wrote; this one reads up to format {supported}"
    )]
    Newer {
        /// Its format.
        found: u32,
        /// The newest format that this version reads.
        supported: u32,
    },
    /// It is not what this program writes.
    #[error("it is damaged: {0}")]
    Damaged(String),
}

impl SavedState {
    /// Reads the JSON of a saved state.
    ///
    /// # Errors
    ///
    /// It is damaged, or of a newer version.
    pub fn from_json(text: &str) -> Result<Self, RestoreError> {
        #[derive(Deserialize)]
        struct Head {
            version: u32,
        }
        let damaged = |error: serde_json::Error| RestoreError::Damaged(error.to_string());
        let head: Head = serde_json::from_str(text).map_err(damaged)?;
        if head.version > VERSION {
            return Err(RestoreError::Newer {
                found: head.version,
                supported: VERSION,
            });
        }
        serde_json::from_str(text).map_err(damaged)
    }

    /// The state as JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Strings as keys and no foreign types: this cannot fail.
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

impl Hub {
    /// Counts the changes of what [`save`](Self::save) saves.
    #[must_use]
    pub const fn changes(&self) -> u64 {
        self.changes
    }

    /// What is to be remembered over a restart.
    #[must_use]
    pub fn save(&self) -> SavedState {
        SavedState {
            version: VERSION,
            last_sequence_number: self.last_sequence_number,
            identities: self
                .endpoints
                .iter()
                .map(|(identity, endpoint)| saved_identity(identity, endpoint))
                .collect(),
            deleted: self.deleted.iter().cloned().collect(),
            registrations: self
                .registrations
                .iter()
                .map(|(identity, state)| SavedRegistration {
                    identity: identity.clone(),
                    created_unix_s: state.created_unix_s,
                    generation: state.generation,
                    device: state.device.clone(),
                })
                .collect(),
            authorities: self
                .hubs
                .iter()
                .map(|hub| {
                    let certificates = hub.authority_certificates();
                    let encoded = certificates.iter().map(|der| STANDARD.encode(der));
                    (hub.host.clone(), encoded.collect())
                })
                .collect(),
        }
    }

    /// Adds what was remembered to a hub that has just been made from its configuration.
    ///
    /// Identities of hubs that are not configured any more are left out.
    pub fn restore(&mut self, state: SavedState) {
        self.last_sequence_number = self.last_sequence_number.max(state.last_sequence_number);
        for identity in state.deleted {
            self.endpoints.remove(&identity);
            self.deleted.insert(identity);
        }
        for hub in &mut self.hubs {
            for text in state.authorities.get(&hub.host).into_iter().flatten() {
                if let Ok(der) = STANDARD.decode(text) {
                    hub.accept_authority(&der);
                }
            }
        }
        for saved in state.identities {
            self.restore_identity(saved);
        }
        for saved in state.registrations {
            let id = saved.identity.device_id.clone();
            let restored =
                RegistrationState::new(id, saved.created_unix_s, saved.generation, saved.device);
            self.registrations.insert(saved.identity, restored);
        }
    }

    fn restore_identity(&mut self, saved: SavedIdentity) {
        let identity = saved.identity;
        if !self.hubs.iter().any(|hub| hub.host == identity.hub) {
            return;
        }
        let endpoint = match (self.endpoints.get_mut(&identity), saved.credentials) {
            (Some(endpoint), None) => endpoint,
            (Some(endpoint), Some(credentials)) => {
                endpoint.credentials = credentials;
                endpoint.enabled = saved.enabled;
                endpoint.managed = true;
                endpoint
            }
            (None, Some(credentials)) => {
                let mut endpoint = Endpoint::new(&credentials, saved.enabled);
                endpoint.managed = true;
                self.endpoints.entry(identity.clone()).or_insert(endpoint)
            }
            // It came from a configuration that does not have it any more.
            (None, None) => return,
        };
        endpoint.twin = saved.twin;
        endpoint.session = saved.session.map(|filters| Session {
            clean: false,
            subscriptions: filters
                .into_iter()
                .filter_map(|(filter, qos)| {
                    let feature = topic::subscription(&filter, &identity).ok()?;
                    Some((filter, (feature, QoS::from_wire(qos)?)))
                })
                .collect(),
        });
        for message in saved.queue {
            let Ok(payload) = STANDARD.decode(&message.payload) else {
                continue;
            };
            let mut restored = CloudToDeviceMessage::new(payload);
            restored.properties = message.properties;
            let number = message.sequence_number;
            self.expiries.insert((
                message.expires_unix_s,
                Expiry::Message(identity.clone(), number),
            ));
            endpoint.queue.push_back(Queued {
                sequence_number: number,
                message: restored,
                expires_unix_s: message.expires_unix_s,
                locked_until_ms: None,
                delivered_before: message.delivered_before,
            });
        }
    }
}

fn saved_identity(identity: &Identity, endpoint: &Endpoint) -> SavedIdentity {
    SavedIdentity {
        identity: identity.clone(),
        credentials: endpoint.managed.then(|| endpoint.credentials.clone()),
        enabled: endpoint.enabled,
        twin: endpoint.twin.clone(),
        session: endpoint
            .session
            .as_ref()
            .filter(|session| !session.clean)
            .map(|session| {
                let filters = session.subscriptions.iter();
                filters
                    .map(|(filter, (_, qos))| (filter.clone(), qos.to_wire()))
                    .collect()
            }),
        queue: endpoint
            .queue
            .iter()
            .map(|queued| SavedMessage {
                sequence_number: queued.sequence_number,
                expires_unix_s: queued.expires_unix_s,
                payload: STANDARD.encode(&queued.message.payload),
                properties: queued.message.properties.clone(),
                delivered_before: queued.delivered_before,
            })
            .collect(),
    }
}
