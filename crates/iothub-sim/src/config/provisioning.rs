//! The Device Provisioning Service: scopes, enrollments, groups.

use std::{collections::BTreeSet, sync::Arc};

use super::ConfigError;
use crate::{
    identity::{check_id, registration_id_is_valid},
    key::SharedAccessKey,
    pki::IssuingAuthority,
    thumbprint::Thumbprint,
};

/// One instance of the Device Provisioning Service.
///
/// # Reference
///
/// Azure documentation, "Communicate with DPS using the MQTT protocol".
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ProvisioningService {
    /// Id scope such as `0ne00000A0A`.
    pub id_scope: String,
    /// Individual enrollments.
    pub enrollments: Vec<Enrollment>,
    /// Enrollment groups.
    pub groups: Vec<EnrollmentGroup>,
    /// What `retry-after` asks for, in seconds.
    pub retry_after_s: u64,
    /// Status queries that are answered with `assigning` before the result comes.
    pub polls_before_result: u32,
    /// Issues device certificates from signing requests (preview).
    pub issuer: Option<Arc<IssuingAuthority>>,
}

impl ProvisioningService {
    /// A service without enrollments that assigns at the second status query and asks for 3 s between.
    #[must_use]
    pub const fn new(id_scope: String) -> Self {
        Self {
            id_scope,
            enrollments: Vec::new(),
            groups: Vec::new(),
            retry_after_s: 3,
            polls_before_result: 1,
            issuer: None,
        }
    }

    /// Adds an individual enrollment.
    #[must_use]
    pub fn with_enrollment(mut self, enrollment: Enrollment) -> Self {
        self.enrollments.push(enrollment);
        self
    }

    /// Adds an enrollment group.
    #[must_use]
    pub fn with_group(mut self, group: EnrollmentGroup) -> Self {
        self.groups.push(group);
        self
    }

    pub(super) fn check(&self, hosts: &BTreeSet<String>) -> Result<(), ConfigError> {
        let scope = &self.id_scope;
        if scope.is_empty() || !scope.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err(ConfigError::Scope(scope.clone()));
        }
        let mut names = BTreeSet::new();
        for enrollment in &self.enrollments {
            let id = &enrollment.registration_id;
            if !registration_id_is_valid(id) {
                return Err(ConfigError::RegistrationId(id.clone()));
            }
            if let Some(device_id) = &enrollment.device_id {
                check_id(device_id).map_err(|error| ConfigError::Id {
                    id: device_id.clone(),
                    error,
                })?;
            }
            if !names.insert(id.to_ascii_lowercase()) {
                return Err(ConfigError::DuplicateEnrollment(id.clone()));
            }
            enrollment.settings.check(id, hosts)?;
        }
        let mut groups = BTreeSet::new();
        for group in &self.groups {
            if !groups.insert(&group.name) {
                return Err(ConfigError::DuplicateEnrollment(group.name.clone()));
            }
            group.settings.check(&group.name, hosts)?;
        }
        Ok(())
    }
}

/// The enrollment of one device.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Enrollment {
    /// Registration id; compared without case.
    pub registration_id: String,
    /// How the device proves that it is this one.
    pub attestation: Attestation,
    /// Device id in the hub; the registration id unless set.
    pub device_id: Option<String>,
    /// What happens when it registers.
    pub settings: EnrollmentSettings,
}

impl Enrollment {
    /// An enrollment that assigns to the first hub.
    #[must_use]
    pub fn new(registration_id: &str, attestation: Attestation) -> Self {
        Self {
            registration_id: registration_id.to_owned(),
            attestation,
            device_id: None,
            settings: EnrollmentSettings::default(),
        }
    }

    /// An enrollment with this primary key and a random secondary one.
    #[must_use]
    pub fn with_key(registration_id: &str, primary: SharedAccessKey) -> Self {
        let attestation = Attestation::SymmetricKeys {
            primary,
            secondary: SharedAccessKey::generate(),
        };
        Self::new(registration_id, attestation)
    }
}

/// The enrollment of all devices of a kind.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EnrollmentGroup {
    /// Name of the group.
    pub name: String,
    /// How a device proves that it belongs to the group.
    pub attestation: GroupAttestation,
    /// What happens when one registers.
    pub settings: EnrollmentSettings,
}

impl EnrollmentGroup {
    /// A group that assigns to the first hub.
    #[must_use]
    pub fn new(name: &str, attestation: GroupAttestation) -> Self {
        Self {
            name: name.to_owned(),
            attestation,
            settings: EnrollmentSettings::default(),
        }
    }
}

/// How one device proves its registration id.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attestation {
    /// A SAS token signed with either key.
    SymmetricKeys {
        /// Valid at any time.
        primary: SharedAccessKey,
        /// Valid at any time, too.
        secondary: SharedAccessKey,
    },
    /// A client certificate with either thumbprint, and the registration id as common name.
    Certificate {
        /// Valid at any time.
        primary: Thumbprint,
        /// Valid at any time, too.
        secondary: Option<Thumbprint>,
    },
}

/// How a device proves that it belongs to a group.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum GroupAttestation {
    /// A SAS token signed with a key derived from either group key
    /// ([`SharedAccessKey::derive`]).
    SymmetricKeys {
        /// Never signs a token itself.
        primary: SharedAccessKey,
        /// Never signs a token itself, either.
        secondary: SharedAccessKey,
    },
    /// A client certificate below this authority (DER), with the registration id as common name.
    Authority(Vec<u8>),
}

/// What happens when a device of an enrollment registers.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct EnrollmentSettings {
    /// A disabled enrollment is answered with the status `disabled`.
    pub disabled: bool,
    /// Hosts of the hubs to assign to, by a hash of the registration id; the first hub if empty.
    pub hubs: Vec<String>,
    /// What a second registration does; by default the api-version decides.
    pub reprovisioning: Option<Reprovisioning>,
    /// Tags of the device's first twin, a JSON object.
    pub initial_tags: Option<String>,
    /// Desired properties of the device's first twin, a JSON object.
    pub initial_desired: Option<String>,
    /// `payload` of the answer, a JSON object, as custom allocation returns it.
    pub payload: Option<String>,
    /// Lets the registration fail instead.
    pub failure: Option<RegistrationFailure>,
}

impl EnrollmentSettings {
    fn check(&self, name: &str, hosts: &BTreeSet<String>) -> Result<(), ConfigError> {
        for host in &self.hubs {
            if !hosts.contains(&host.to_ascii_lowercase()) {
                return Err(ConfigError::EnrollmentHub {
                    enrollment: name.to_owned(),
                    host: host.clone(),
                });
            }
        }
        for (what, text) in [
            ("initial tags", &self.initial_tags),
            ("initial desired properties", &self.initial_desired),
            ("payload", &self.payload),
        ] {
            let parsed = text.as_deref().map(crate::twin::parse_object);
            if parsed == Some(None) {
                return Err(ConfigError::EnrollmentJson {
                    enrollment: name.to_owned(),
                    what,
                });
            }
        }
        Ok(())
    }
}

/// A registration that ends with the status `failed`.
#[derive(Debug, Clone, PartialEq, Eq, serde::Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RegistrationFailure {
    /// Number such as 400207 (custom allocation failed), 400208 (no hub) or 400209 (unauthorized).
    pub code: u32,
    /// Text for the device's developer.
    pub message: String,
}

impl RegistrationFailure {
    /// A failure.
    #[must_use]
    pub fn new(code: u32, message: &str) -> Self {
        Self {
            code,
            message: message.to_owned(),
        }
    }
}

/// What a second registration does when another hub is assigned than before.
///
/// # Reference
///
/// Azure documentation, "IoT Hub device reprovisioning concepts".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reprovisioning {
    /// The twin moves along.
    #[default]
    MigrateData,
    /// The twin begins anew.
    ResetData,
    /// The device stays where it is.
    Never,
}
