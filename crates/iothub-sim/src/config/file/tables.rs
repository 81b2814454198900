//! The tables of a configuration file.

use serde::Deserialize;
use toml::Spanned;

use super::{
    super::{
        Attestation, Config, Credentials, Device, Enrollment, EnrollmentGroup, EnrollmentSettings,
        GroupAttestation, IotHub, Module, Permission, Policy, ProvisioningService,
        RegistrationFailure, Reprovisioning, Rules,
    },
    ConfigFileError, Source,
};
use crate::{
    hub::{Chaos, Fault},
    identity::Identity,
    key::SharedAccessKey,
    pki::CertificateFault,
    thumbprint::Thumbprint,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Root {
    #[serde(default)]
    pub(super) hub: Vec<HubTable>,
    #[serde(default)]
    pub(super) provisioning: Vec<ProvisioningTable>,
    pub(super) rules: Option<Rules>,
    pub(super) tls: Option<TlsTable>,
    #[serde(default)]
    pub(super) fault: Vec<FaultTable>,
    pub(super) chaos: Option<Chaos>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FaultTable {
    device: Option<Spanned<String>>,
    module: Option<String>,
    id_scope: Option<String>,
    registration_id: Option<Spanned<String>>,
    fault: Spanned<Fault>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TlsTable {
    pub(super) require_sni: Option<bool>,
    pub(super) versions: Option<Versions>,
    pub(super) chain: Option<Chain>,
    pub(super) fault: Option<CertificateFault>,
    pub(super) handshake_delay_ms: Option<u64>,
}

#[derive(Deserialize)]
pub(super) enum Versions {
    #[serde(rename = "1.2")]
    Tls12,
    #[serde(rename = "1.2, 1.3")]
    Both,
    #[serde(rename = "1.3")]
    Tls13,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Chain {
    Rsa,
    Ecdsa,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct HubTable {
    host: String,
    #[serde(default)]
    other_hosts: Vec<String>,
    #[serde(default)]
    authorities: Vec<Spanned<String>>,
    #[serde(default)]
    policy: Vec<PolicyTable>,
    #[serde(default)]
    device: Vec<DeviceTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PolicyTable {
    name: String,
    primary_key: Option<SharedAccessKey>,
    secondary_key: Option<SharedAccessKey>,
    permissions: Vec<Permission>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct DeviceTable {
    id: Spanned<String>,
    primary_key: Option<SharedAccessKey>,
    secondary_key: Option<SharedAccessKey>,
    primary_thumbprint: Option<Thumbprint>,
    secondary_thumbprint: Option<Thumbprint>,
    certificate_authority: Option<bool>,
    disabled: Option<bool>,
    #[serde(default)]
    module: Vec<Self>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ProvisioningTable {
    pub(super) id_scope: String,
    retry_after_s: Option<u64>,
    polls_before_result: Option<u32>,
    pub(super) issue_certificates_for_days: Option<u32>,
    #[serde(default)]
    enrollment: Vec<EnrollmentTable>,
    #[serde(default)]
    group: Vec<GroupTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EnrollmentTable {
    registration_id: Spanned<String>,
    device_id: Option<String>,
    primary_key: Option<SharedAccessKey>,
    secondary_key: Option<SharedAccessKey>,
    primary_thumbprint: Option<Thumbprint>,
    secondary_thumbprint: Option<Thumbprint>,
    #[serde(flatten)]
    settings: SettingsTable,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupTable {
    name: Spanned<String>,
    primary_key: Option<SharedAccessKey>,
    secondary_key: Option<SharedAccessKey>,
    authority: Option<Spanned<String>>,
    #[serde(flatten)]
    settings: SettingsTable,
}

#[derive(Deserialize)]
struct SettingsTable {
    disabled: Option<bool>,
    #[serde(default)]
    hubs: Vec<String>,
    reprovisioning: Option<Reprovisioning>,
    initial_tags: Option<serde_json::Value>,
    initial_desired: Option<serde_json::Value>,
    payload: Option<serde_json::Value>,
    failure: Option<RegistrationFailure>,
}

/// The ways to prove an identity, of which a table may have one.
struct Proofs {
    primary_key: Option<SharedAccessKey>,
    secondary_key: Option<SharedAccessKey>,
    primary_thumbprint: Option<Thumbprint>,
    secondary_thumbprint: Option<Thumbprint>,
}

impl FaultTable {
    /// Whom it meets, and with what.
    pub(super) fn read(
        self,
        source: &Source<'_>,
        config: &Config,
    ) -> Result<(Identity, Fault), ConfigFileError> {
        let at = self.fault.span().start;
        let fault = self.fault.into_inner();
        if fault.is_immediate() {
            let problem = "happens to an open connection at once, and at the start there is none";
            return Err(source.error(Some(at), problem));
        }
        let identity = match (&self.device, &self.id_scope, &self.registration_id) {
            (Some(device), None, None) => {
                let mut identity = config
                    .identity(device.get_ref())
                    .ok_or_else(|| source.at(device, "is not a device of this file"))?;
                identity.module_id = self.module;
                identity
            }
            (None, Some(id_scope), Some(id)) if self.module.is_none() => {
                Identity::registration(id_scope, id.get_ref())
            }
            _ => {
                let problem =
                    "a fault meets a device (and module), or an id_scope with a registration_id";
                return Err(source.error(Some(at), problem));
            }
        };
        Ok((identity, fault))
    }
}

impl HubTable {
    pub(super) fn read(self, source: &Source<'_>) -> Result<IotHub, ConfigFileError> {
        let mut hub = IotHub::new(&self.host);
        hub.other_hosts = self.other_hosts;
        // Policies of the file replace those that every hub has.
        for policy in &mut hub.policies {
            policy.primary_key = source.derived(&[&self.host, "policy", &policy.name, "1"]);
            policy.secondary_key = source.derived(&[&self.host, "policy", &policy.name, "2"]);
        }
        for table in self.policy {
            let derived = |which| source.derived(&[&self.host, "policy", &table.name, which]);
            let policy = Policy {
                primary_key: table.primary_key.unwrap_or_else(|| derived("1")),
                secondary_key: table.secondary_key.unwrap_or_else(|| derived("2")),
                name: table.name.clone(),
                permissions: table.permissions,
            };
            hub.policies.retain(|known| known.name != policy.name);
            hub.policies.push(policy);
        }
        for file in &self.authorities {
            hub.authorities.extend(source.certificates(file)?);
        }
        for table in self.device {
            let id = table.id.get_ref().clone();
            let mut device = Device::new(&id, table.credentials(source, &[&self.host, &id])?);
            device.enabled = !table.disabled.unwrap_or(false);
            for module in table.module {
                let name = module.id.get_ref().clone();
                if module.disabled.is_some() || !module.module.is_empty() {
                    let problem = "is a module, which has neither `disabled` nor modules";
                    return Err(source.at(&module.id, problem));
                }
                let credentials = module.credentials(source, &[&self.host, &id, &name])?;
                device.modules.push(Module::new(&name, credentials));
            }
            hub.devices.push(device);
        }
        Ok(hub)
    }
}

impl DeviceTable {
    fn credentials(
        &self,
        source: &Source<'_>,
        place: &[&str],
    ) -> Result<Credentials, ConfigFileError> {
        let proofs = Proofs {
            primary_key: self.primary_key.clone(),
            secondary_key: self.secondary_key.clone(),
            primary_thumbprint: self.primary_thumbprint,
            secondary_thumbprint: self.secondary_thumbprint,
        };
        let signed = self.certificate_authority.unwrap_or(false);
        if signed && (proofs.has_key() || proofs.has_thumbprint()) {
            return Err(source.at(&self.id, TWO_PROOFS));
        }
        if signed {
            return Ok(Credentials::CertificateAuthority);
        }
        Ok(match proofs.read(source, &self.id, place)? {
            Attestation::SymmetricKeys { primary, secondary } => {
                Credentials::SharedAccessKeys { primary, secondary }
            }
            Attestation::Certificate { primary, secondary } => {
                Credentials::SelfSigned { primary, secondary }
            }
        })
    }
}

const TWO_PROOFS: &str =
    "has more than one of keys, thumbprints and certificate_authority; leave one";

impl Proofs {
    const fn has_key(&self) -> bool {
        self.primary_key.is_some() || self.secondary_key.is_some()
    }

    const fn has_thumbprint(&self) -> bool {
        self.primary_thumbprint.is_some() || self.secondary_thumbprint.is_some()
    }

    fn read(
        self,
        source: &Source<'_>,
        name: &Spanned<String>,
        place: &[&str],
    ) -> Result<Attestation, ConfigFileError> {
        if self.has_key() && self.has_thumbprint() {
            return Err(source.at(name, TWO_PROOFS));
        }
        match (self.primary_thumbprint, self.secondary_thumbprint) {
            (Some(primary), secondary) => Ok(Attestation::Certificate { primary, secondary }),
            (None, Some(_)) => {
                Err(source.at(name, "has a secondary_thumbprint without a primary one"))
            }
            (None, None) => {
                let derived = |which: &'static str| {
                    let mut place = place.to_vec();
                    place.push(which);
                    source.derived(&place)
                };
                Ok(Attestation::SymmetricKeys {
                    primary: self.primary_key.unwrap_or_else(|| derived("1")),
                    secondary: self.secondary_key.unwrap_or_else(|| derived("2")),
                })
            }
        }
    }
}

impl ProvisioningTable {
    pub(super) fn read(self, source: &Source<'_>) -> Result<ProvisioningService, ConfigFileError> {
        let mut service = ProvisioningService::new(self.id_scope.clone());
        service.retry_after_s = self.retry_after_s.unwrap_or(service.retry_after_s);
        service.polls_before_result = self
            .polls_before_result
            .unwrap_or(service.polls_before_result);
        for table in self.enrollment {
            let id = table.registration_id.get_ref().clone();
            let proofs = Proofs {
                primary_key: table.primary_key,
                secondary_key: table.secondary_key,
                primary_thumbprint: table.primary_thumbprint,
                secondary_thumbprint: table.secondary_thumbprint,
            };
            let place = [self.id_scope.as_str(), &id];
            let attestation = proofs.read(source, &table.registration_id, &place)?;
            service.enrollments.push(Enrollment {
                registration_id: id,
                attestation,
                device_id: table.device_id,
                settings: table.settings.read(),
            });
        }
        for table in self.group {
            let name = table.name.get_ref().clone();
            let has_key = table.primary_key.is_some() || table.secondary_key.is_some();
            let attestation = match &table.authority {
                Some(_) if has_key => {
                    return Err(source.at(&table.name, "has keys and an authority; leave one"));
                }
                Some(file) => match source.certificates(file)?.into_iter().next() {
                    Some(certificate) => GroupAttestation::Authority(certificate),
                    None => return Err(source.at(file, "contains no certificate")),
                },
                None => {
                    let derived = |which| source.derived(&[&self.id_scope, "group", &name, which]);
                    GroupAttestation::SymmetricKeys {
                        primary: table.primary_key.unwrap_or_else(|| derived("1")),
                        secondary: table.secondary_key.unwrap_or_else(|| derived("2")),
                    }
                }
            };
            service.groups.push(EnrollmentGroup {
                name,
                attestation,
                settings: table.settings.read(),
            });
        }
        Ok(service)
    }
}

impl SettingsTable {
    fn read(self) -> EnrollmentSettings {
        let text = |value: Option<serde_json::Value>| value.map(|value| value.to_string());
        EnrollmentSettings {
            disabled: self.disabled.unwrap_or(false),
            hubs: self.hubs,
            reprovisioning: self.reprovisioning,
            initial_tags: text(self.initial_tags),
            initial_desired: text(self.initial_desired),
            payload: text(self.payload),
            failure: self.failure,
        }
    }
}
