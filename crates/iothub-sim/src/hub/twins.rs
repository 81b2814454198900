//! Device twins over MQTT and for the service side.

use mqtt311::{Packet, Publish};
use serde_json::{Map, Value, json};

use super::{Hub, throttle::TwinRequest};
use crate::{
    identity::Identity,
    message::ServiceError,
    record::Event,
    time::{Now, Utc},
    topic::Feature,
    twin::{self, Twin, TwinError},
    warning::Warning,
};

impl Hub {
    /// The twin of a device or module.
    #[must_use]
    pub fn twin(&self, identity: &Identity) -> Option<&Twin> {
        self.endpoints.get(identity).map(|endpoint| &endpoint.twin)
    }

    /// Merges a patch into the desired properties and tells the device, if it listens.
    ///
    /// Returns the new version of the desired properties.
    ///
    /// # Errors
    ///
    /// The device is unknown, or the patch is not acceptable.
    pub fn update_desired(
        &mut self,
        now: Now,
        identity: &Identity,
        patch: Value,
    ) -> Result<u64, ServiceError> {
        let patch = twin::checked_patch(patch)?;
        let twin = self.twin_mut(identity)?;
        let version = twin.desired.merge(&patch, now.unix_s)?;
        twin.version += 1;
        self.push_desired(now, identity, patch, version);
        Ok(version)
    }

    /// Replaces the desired properties and tells the device, if it listens.
    ///
    /// Returns the new version of the desired properties.
    ///
    /// # Errors
    ///
    /// The device is unknown, or the document is not acceptable.
    pub fn replace_desired(
        &mut self,
        now: Now,
        identity: &Identity,
        document: Value,
    ) -> Result<u64, ServiceError> {
        let document = twin::checked_patch(document)?;
        let twin = self.twin_mut(identity)?;
        // The device must also hear of what is gone.
        let mut patch = document.clone();
        for name in twin.desired.properties.keys() {
            patch.entry(name.clone()).or_insert(Value::Null);
        }
        let version = twin.desired.replace(document, now.unix_s)?;
        twin.version += 1;
        self.push_desired(now, identity, patch, version);
        Ok(version)
    }

    /// Merges a patch into the tags, or replaces them.
    ///
    /// # Errors
    ///
    /// The device is unknown, or the tags are not acceptable.
    pub fn update_tags(
        &mut self,
        identity: &Identity,
        tags: Value,
        update: TagUpdate,
    ) -> Result<(), ServiceError> {
        let tags = twin::checked_patch(tags)?;
        let twin = self.twin_mut(identity)?;
        match update {
            TagUpdate::Merge => twin.merge_tags(&tags)?,
            TagUpdate::Replace => twin.replace_tags(tags)?,
        }
        twin.version += 1;
        Ok(())
    }

    pub(super) fn twin_get(&mut self, now: Now, identity: &Identity, rid: &str) {
        if let Some(status) = self.faults.twin_status(identity) {
            return self.answer_twin(now, identity, rid, Answer::injected(status));
        }
        if !self.twin_passes(now, identity, TwinRequest::Read) {
            return self.answer_twin(now, identity, rid, Answer::throttled(now));
        }
        let Some(endpoint) = self.endpoints.get(identity) else {
            return;
        };
        let body = endpoint.twin.for_device();
        self.answer_twin(now, identity, rid, Answer::ok(200, body));
    }

    pub(super) fn twin_reported(&mut self, now: Now, identity: &Identity, rid: &str, body: &[u8]) {
        if let Some(status) = self.faults.twin_status(identity) {
            return self.answer_twin(now, identity, rid, Answer::injected(status));
        }
        if !self.twin_passes(now, identity, TwinRequest::Update) {
            return self.answer_twin(now, identity, rid, Answer::throttled(now));
        }
        let Some(endpoint) = self.endpoints.get_mut(identity) else {
            return;
        };
        let merged = twin::parse_patch(body).and_then(|patch| {
            let version = endpoint.twin.reported.merge(&patch, now.unix_s)?;
            endpoint.twin.version += 1;
            Ok((patch, version))
        });
        match merged {
            Ok((patch, version)) => {
                self.changed();
                self.record(
                    now,
                    Event::Reported {
                        identity: identity.clone(),
                        patch: Value::Object(patch).to_string(),
                        version,
                    },
                );
                let answer = Answer {
                    status: 204,
                    version: Some(version),
                    body: None,
                };
                self.answer_twin(now, identity, rid, answer);
            }
            Err(error) => {
                self.warn(now, identity, Warning::ReportedRefused(error.clone()));
                let answer = Answer::error(now, 400, 400_000, &error.to_string());
                self.answer_twin(now, identity, rid, answer);
            }
        }
    }

    fn answer_twin(&mut self, now: Now, identity: &Identity, rid: &str, answer: Answer) {
        if !self.listens(identity, Feature::TwinResponses) {
            return self.warn(now, identity, Warning::TwinResponseUnheard);
        }
        let mut topic = format!("$iothub/twin/res/{}/?$rid={rid}", answer.status);
        if let Some(version) = answer.version {
            topic.push_str(&format!("&$version={version}"));
        }
        let payload = answer
            .body
            .map_or_else(Vec::new, |body| body.to_string().into_bytes());
        self.publish_to(now, identity, topic, payload);
    }

    fn push_desired(
        &mut self,
        now: Now,
        identity: &Identity,
        mut patch: Map<String, Value>,
        version: u64,
    ) {
        if !self.listens(identity, Feature::DesiredProperties) {
            return;
        }
        patch.insert("$version".to_owned(), version.into());
        let topic = format!("$iothub/twin/PATCH/properties/desired/?$version={version}");
        let payload = Value::Object(patch).to_string().into_bytes();
        self.publish_to(now, identity, topic, payload);
    }

    /// Sends a QoS 0 message to the connection of an identity.
    fn publish_to(&mut self, now: Now, identity: &Identity, topic: String, payload: Vec<u8>) {
        if let Some(connection) = self.attached.get(identity).copied() {
            let publish = Publish {
                topic,
                payload,
                ..Publish::default()
            };
            self.send(now, connection, &Packet::Publish(publish));
        }
    }

    fn twin_mut(&mut self, identity: &Identity) -> Result<&mut Twin, ServiceError> {
        self.changed();
        match self.endpoints.get_mut(identity) {
            Some(endpoint) => Ok(&mut endpoint.twin),
            None => Err(ServiceError::NotFound(identity.client_id())),
        }
    }
}

/// Whether new tags are merged into the old ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "PATCH and PUT")]
pub enum TagUpdate {
    /// `null` deletes, objects merge.
    Merge,
    /// The old tags go.
    Replace,
}

struct Answer {
    status: u16,
    version: Option<u64>,
    body: Option<Value>,
}

impl Answer {
    const fn ok(status: u16, body: Value) -> Self {
        Self {
            status,
            version: None,
            body: Some(body),
        }
    }

    const fn injected(status: u16) -> Self {
        Self {
            status,
            version: None,
            body: None,
        }
    }

    fn throttled(now: Now) -> Self {
        Self::error(now, 429, 429_001, "too many requests; try again later")
    }

    fn error(now: Now, status: u16, code: u32, message: &str) -> Self {
        Self::ok(
            status,
            json!({
                "errorCode": code,
                "trackingId": format!("{:016x}", now.monotonic_ms),
                "message": message,
                "timestampUtc": Utc(now.unix_s).to_string(),
            }),
        )
    }
}

impl From<TwinError> for ServiceError {
    fn from(error: TwinError) -> Self {
        Self::Twin(error)
    }
}
