//! Hubs and identities with what is kept for them between connections.

use std::collections::{BTreeMap, VecDeque};

use mqtt311::QoS;

use super::throttle::Meters;
use crate::{
    config::{ConfigError, Credentials, IotHub, Policy},
    identity::Identity,
    message::CloudToDeviceMessage,
    topic::Feature,
    twin::Twin,
    x509::Authorities,
};

/// One hub without its identities.
#[derive(Debug)]
pub(super) struct HubState {
    /// Principal host name, lower case.
    pub(super) host: String,
    /// All host names, lower case.
    pub(super) names: Vec<String>,
    pub(super) policies: Vec<Policy>,
    pub(super) authorities: Option<Authorities>,
    pub(super) meters: Meters,
}

impl HubState {
    pub(super) fn new(hub: &IotHub) -> Result<Self, ConfigError> {
        let authorities =
            Authorities::new(&hub.authorities).map_err(|index| ConfigError::Authority {
                host: hub.host.clone(),
                index,
            })?;
        Ok(Self {
            host: hub.host.to_ascii_lowercase(),
            names: hub.host_names().map(str::to_ascii_lowercase).collect(),
            policies: hub.policies.clone(),
            authorities,
            meters: Meters::default(),
        })
    }

    /// Accepts certificates of one more authority; an unusable one changes nothing.
    pub(super) fn accept_authority(&mut self, der: &[u8]) {
        let mut certificates = self.authority_certificates().to_vec();
        if certificates.iter().any(|known| known == der) {
            return;
        }
        certificates.push(der.to_vec());
        if let Ok(authorities) = Authorities::new(&certificates) {
            self.authorities = authorities;
        }
    }

    pub(super) fn authority_certificates(&self) -> &[Vec<u8>] {
        self.authorities
            .as_ref()
            .map_or(&[], Authorities::certificates)
    }

    pub(super) fn is_called(&self, host: &str) -> bool {
        self.names
            .iter()
            .any(|name| name.eq_ignore_ascii_case(host))
    }
}

/// An identity with its session.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) credentials: Credentials,
    pub(super) enabled: bool,
    /// Kept between connections without clean session.
    pub(super) session: Option<Session>,
    /// Cloud-to-device messages, oldest first.
    pub(super) queue: VecDeque<Queued>,
    pub(super) twin: Twin,
    /// Made or changed after the start, so that a saved state knows better than the configuration.
    pub(super) managed: bool,
    /// Counts changes of the identity, from 1.
    pub(super) generation: u64,
    pub(super) connection_changed_unix_s: u64,
}

#[derive(Debug, Default)]
pub(super) struct Session {
    /// Topic filter to what it is for, and the granted quality of service.
    pub(super) subscriptions: BTreeMap<String, (Feature, QoS)>,
    /// Ends with its connection.
    pub(super) clean: bool,
}

#[derive(Debug)]
pub(super) struct Queued {
    pub(super) sequence_number: u64,
    pub(super) message: CloudToDeviceMessage,
    pub(super) expires_unix_s: u64,
    /// Handed over and not yet acknowledged; free again at this time.
    pub(super) locked_until_ms: Option<u64>,
    pub(super) delivered_before: bool,
}

impl Endpoint {
    pub(super) fn new(credentials: &Credentials, enabled: bool) -> Self {
        Self {
            credentials: credentials.clone(),
            enabled,
            session: None,
            queue: VecDeque::new(),
            twin: Twin::default(),
            managed: false,
            generation: 1,
            connection_changed_unix_s: 0,
        }
    }

    /// The granted quality of service of a subscription for this feature.
    pub(super) fn subscribed(&self, feature: Feature) -> Option<QoS> {
        let session = self.session.as_ref()?;
        session
            .subscriptions
            .values()
            .filter(|(subscribed, _)| *subscribed == feature)
            .map(|(_, qos)| *qos)
            .max()
    }
}

pub(super) fn endpoints(hub: &IotHub) -> Vec<(Identity, Endpoint)> {
    let mut all = Vec::new();
    for device in &hub.devices {
        all.push((
            Identity::device(&hub.host, &device.id),
            Endpoint::new(&device.credentials, device.enabled),
        ));
        for module in &device.modules {
            all.push((
                Identity::module(&hub.host, &device.id, &module.id),
                Endpoint::new(&module.credentials, true),
            ));
        }
    }
    all
}
