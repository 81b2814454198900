//! The identity registry, for the service side.

use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::{Hub, registry::Endpoint};
use crate::{
    config::{Credentials, Permission},
    identity::{Identity, check_id},
    message::ServiceError,
    reason::Reason,
    record::CloudToDeviceOutcome,
    sas::{Token, sas_token},
    time::Now,
};

/// What the registry knows about an identity.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct IdentityInfo {
    /// Whose it is.
    pub identity: Identity,
    /// How it proves itself.
    pub credentials: Credentials,
    /// Whether it may connect.
    pub enabled: bool,
    /// Whether it is connected.
    pub connected: bool,
    /// When it connected or disconnected last, in seconds since 1970; 0 for never.
    pub connection_changed_unix_s: u64,
    /// Cloud-to-device messages that wait for it.
    pub queued_messages: usize,
    /// Counts changes of the identity.
    pub generation: u64,
}

impl IdentityInfo {
    /// The connection string of the device or module.
    ///
    /// # Reference
    ///
    /// Azure IoT Hub documentation, device connection strings.
    #[must_use]
    pub fn connection_string(&self) -> String {
        connection_string(&self.identity, &self.credentials)
    }

    /// Whether this certificate (PEM) is one that is registered for it by thumbprint.
    #[must_use]
    pub fn has_certificate(&self, pem: &str) -> bool {
        let Credentials::SelfSigned { primary, secondary } = &self.credentials else {
            return false;
        };
        CertificateDer::from_pem_slice(pem.as_bytes()).is_ok_and(|der| {
            primary.matches(&der) || secondary.is_some_and(|thumbprint| thumbprint.matches(&der))
        })
    }

    /// A token of its primary key, for clients that cannot make one; `None` without keys.
    #[must_use]
    pub fn sas_token(&self, expires_unix_s: u64) -> Option<String> {
        let Credentials::SharedAccessKeys { primary, .. } = &self.credentials else {
            return None;
        };
        let resource = format!("{}/{}", self.identity.hub, self.identity.path());
        Some(sas_token(&resource, primary, expires_unix_s, None))
    }
}

pub(crate) fn connection_string(identity: &Identity, credentials: &Credentials) -> String {
    let mut text = format!("HostName={};DeviceId={}", identity.hub, identity.device_id);
    if let Some(module_id) = &identity.module_id {
        text.push_str(";ModuleId=");
        text.push_str(module_id);
    }
    match credentials {
        Credentials::SharedAccessKeys { primary, .. } => {
            text.push_str(";SharedAccessKey=");
            text.push_str(&primary.to_base64());
        }
        Credentials::SelfSigned { .. } | Credentials::CertificateAuthority => {
            text.push_str(";x509=true");
        }
    }
    text
}

impl Hub {
    /// Host names of the hubs, the principal name of each.
    pub fn hosts(&self) -> impl Iterator<Item = &str> {
        self.hubs.iter().map(|hub| hub.host.as_str())
    }

    /// The device with this id in the first hub that has it.
    #[must_use]
    pub fn find_device(&self, device_id: &str) -> Option<IdentityInfo> {
        self.hosts()
            .find_map(|host| self.identity_info(&Identity::device(host, device_id)))
    }

    /// Everybody in the registries of all hubs, in order.
    pub fn identities(&self) -> impl Iterator<Item = IdentityInfo> {
        self.endpoints
            .iter()
            .map(|(identity, endpoint)| self.info(identity, endpoint))
    }

    /// What the registry knows about an identity.
    #[must_use]
    pub fn identity_info(&self, identity: &Identity) -> Option<IdentityInfo> {
        let endpoint = self.endpoints.get(identity)?;
        Some(self.info(identity, endpoint))
    }

    fn info(&self, identity: &Identity, endpoint: &Endpoint) -> IdentityInfo {
        IdentityInfo {
            identity: identity.clone(),
            credentials: endpoint.credentials.clone(),
            enabled: endpoint.enabled,
            connected: self.attached.contains_key(identity),
            connection_changed_unix_s: endpoint.connection_changed_unix_s,
            queued_messages: endpoint.queue.len(),
            generation: endpoint.generation,
        }
    }

    /// Registers a device, or a module of a registered device.
    ///
    /// # Errors
    ///
    /// The id is not allowed or taken, or the module's device does not exist.
    pub fn create_identity(
        &mut self,
        identity: &Identity,
        credentials: &Credentials,
    ) -> Result<(), ServiceError> {
        let hub_exists = self.hubs.iter().any(|hub| hub.host == identity.hub);
        let device = device_of(identity);
        let parent_exists = identity.module_id.is_none() || self.endpoints.contains_key(&device);
        if !hub_exists || !parent_exists {
            return Err(ServiceError::NotFound(device.client_id()));
        }
        for id in core::iter::once(&identity.device_id).chain(&identity.module_id) {
            check_id(id).map_err(ServiceError::Id)?;
        }
        if self.endpoints.contains_key(identity) {
            return Err(ServiceError::Exists(identity.client_id()));
        }
        let mut endpoint = Endpoint::new(credentials, true);
        endpoint.managed = true;
        self.endpoints.insert(identity.clone(), endpoint);
        self.deleted.remove(identity);
        self.changed();
        Ok(())
    }

    /// Changes how an identity proves itself and whether it may connect.
    ///
    /// A disabled device loses its connection.
    ///
    /// # Errors
    ///
    /// The identity does not exist.
    pub fn update_identity(
        &mut self,
        now: Now,
        identity: &Identity,
        credentials: &Credentials,
        enabled: bool,
    ) -> Result<(), ServiceError> {
        let endpoint = self
            .endpoints
            .get_mut(identity)
            .ok_or_else(|| ServiceError::NotFound(identity.client_id()))?;
        endpoint.credentials = credentials.clone();
        endpoint.enabled = enabled;
        endpoint.managed = true;
        endpoint.generation += 1;
        self.changed();
        if !enabled {
            let id = identity.device_id.clone();
            self.cut_off(now, identity, &Reason::IdentityDisabled { id });
        }
        Ok(())
    }

    /// Removes an identity, its modules, twin and queue.
    ///
    /// # Errors
    ///
    /// The identity does not exist.
    pub fn delete_identity(&mut self, now: Now, identity: &Identity) -> Result<(), ServiceError> {
        if !self.endpoints.contains_key(identity) {
            return Err(ServiceError::NotFound(identity.client_id()));
        }
        let reason = Reason::IdentityUnknown {
            id: identity.client_id(),
            hub: identity.hub.clone(),
            hint: "; it was deleted".to_owned(),
        };
        self.cut_off(now, identity, &reason);
        for gone in self.family(identity) {
            self.endpoints.remove(&gone);
            self.deleted.insert(gone);
        }
        self.changed();
        Ok(())
    }

    /// Drops the cloud-to-device messages that wait for a device; how many there were.
    ///
    /// # Errors
    ///
    /// The identity does not exist.
    pub fn purge_messages(&mut self, now: Now, identity: &Identity) -> Result<usize, ServiceError> {
        let endpoint = self
            .endpoints
            .get_mut(identity)
            .ok_or_else(|| ServiceError::NotFound(identity.client_id()))?;
        let purged = core::mem::take(&mut endpoint.queue);
        for queued in &purged {
            self.settled(now, identity, queued, CloudToDeviceOutcome::Purged);
        }
        self.changed();
        Ok(purged.len())
    }

    /// Judges the SAS token of a service request: the hub it is for, and what it permits.
    ///
    /// # Errors
    ///
    /// As for a device: form, signature, expiry; and only policies count.
    pub fn authorize(&self, now: Now, token: &str) -> Result<(String, Vec<Permission>), Reason> {
        let token = Token::parse(token.as_bytes(), self.rules.accept_raw_signature)?;
        let host = token.scope.split('/').next().unwrap_or_default();
        let hub = self
            .hubs
            .iter()
            .find(|hub| hub.is_called(host))
            .ok_or_else(|| Reason::HubUnknown {
                host: host.to_owned(),
                hubs: self.hosts().collect::<Vec<_>>().join(", "),
            })?;
        let name = token.policy.as_deref().unwrap_or_default();
        let policy = hub
            .policies
            .iter()
            .find(|policy| policy.name == name)
            .ok_or_else(|| Reason::TokenPolicyUnknown {
                policy: name.to_owned(),
            })?;
        if !token.signed_with([&policy.primary_key, &policy.secondary_key]) {
            return Err(Reason::TokenSignature {
                of: format!("the policy `{name}`"),
            });
        }
        if now.unix_s >= token.expires_unix_s {
            return Err(Reason::TokenExpired {
                expired_unix_s: token.expires_unix_s,
                now_unix_s: now.unix_s,
            });
        }
        Ok((hub.host.clone(), policy.permissions.clone()))
    }

    /// Ends the connections of an identity and its modules.
    fn cut_off(&mut self, now: Now, identity: &Identity, reason: &Reason) {
        for member in self.family(identity) {
            if let Some(connection) = self.attached.get(&member).copied() {
                self.end(now, connection, reason.clone());
            }
        }
    }

    /// An identity and, for a device, its modules.
    fn family(&self, identity: &Identity) -> Vec<Identity> {
        self.endpoints
            .keys()
            .filter(|known| {
                *known == identity
                    || (identity.module_id.is_none() && device_of(known) == *identity)
            })
            .cloned()
            .collect()
    }
}

fn device_of(identity: &Identity) -> Identity {
    Identity {
        module_id: None,
        ..identity.clone()
    }
}
