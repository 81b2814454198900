//! Configuration from a TOML file.

use core::fmt;
use std::{
    fs,
    path::{Path, PathBuf},
};

use rustls::pki_types::{CertificateDer, pem::PemObject};
use serde::Deserialize;
use toml::Spanned;

use super::{
    Attestation, Config, ConfigError, Credentials, Device, Enrollment, EnrollmentGroup,
    EnrollmentSettings, GroupAttestation, IotHub, Module, Permission, Policy, ProvisioningService,
    RegistrationFailure, Reprovisioning, Rules,
};
use crate::{
    key::SharedAccessKey,
    pki::KeyKind,
    thumbprint::Thumbprint,
    tls::{TlsOptions, TlsVersions},
};

/// What a configuration file says.
///
/// Keys that the file leaves out are derived from a seed, so that they stay the same as long as the
/// seed does.
///
/// ```
/// use iothub_sim::{ConfigFile, SharedAccessKey};
///
/// let text = r#"
/// [[hub]]
/// host = "contoso.azure-devices.net"
///
/// [[hub.device]]
/// id = "dev1"
/// "#;
/// let seed = SharedAccessKey::from_bytes([1; 32]);
/// let file = ConfigFile::parse(text, "hub.toml".as_ref(), &seed)?;
/// assert!(file.config.connection_string("dev1").is_some());
///
/// let typo = ConfigFile::parse(&text.replace("id =", "name ="), "hub.toml".as_ref(), &seed);
/// let error = typo.unwrap_err().to_string();
/// assert!(error.starts_with("hub.toml:6: [[hub.device]] name: unknown field"), "{error}");
/// # Ok::<(), iothub_sim::ConfigFileError>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ConfigFile {
    /// Hubs, provisioning services and rules.
    pub config: Config,
    /// SNI and TLS versions.
    pub tls: TlsOptions,
    /// Algorithm of the server's chain.
    pub key_kind: KeyKind,
    /// Days that a certificate from a signing request lives, by id scope, where any are issued.
    pub issuing: Vec<(String, u32)>,
}

/// What is wrong with a configuration file, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConfigFileError {
    /// The file.
    pub file: PathBuf,
    /// Line from 1, unless the whole file is meant.
    pub line: Option<usize>,
    /// Table and key, as far as the line shows them.
    pub key: Option<String>,
    /// What is wrong.
    pub problem: String,
}

impl core::error::Error for ConfigFileError {}

impl fmt::Display for ConfigFileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        f.write_str(": ")?;
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.problem)
    }
}

impl ConfigFile {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or see [`parse`](Self::parse).
    pub fn read(path: &Path, seed: &SharedAccessKey) -> Result<Self, ConfigFileError> {
        let text = fs::read_to_string(path).map_err(|error| ConfigFileError {
            file: path.to_owned(),
            line: None,
            key: None,
            problem: format!("cannot be read: {error}"),
        })?;
        Self::parse(&text, path, seed)
    }

    /// Reads the text of a file. `path` appears in errors, and certificate files are looked for beside
    /// it.
    ///
    /// # Errors
    ///
    /// The first fault with its line and key.
    pub fn parse(text: &str, path: &Path, seed: &SharedAccessKey) -> Result<Self, ConfigFileError> {
        let source = Source { text, path, seed };
        let root: Root = toml::from_str(text)
            .map_err(|error| source.error(error.span().map(|span| span.start), error.message()))?;
        let mut config = Config::default();
        if let Some(rules) = root.rules {
            config.rules = rules;
        }
        for hub in root.hub {
            config.hubs.push(hub.read(&source)?);
        }
        let mut issuing = Vec::new();
        for service in root.provisioning {
            if let Some(days) = service.issue_certificates_for_days {
                issuing.push((service.id_scope.clone(), days));
            }
            config.provisioning.push(service.read(&source)?);
        }
        config.check().map_err(|error| source.misfit(&error))?;
        let tls = root.tls.unwrap_or_default();
        Ok(Self {
            config,
            key_kind: match tls.chain {
                Some(Chain::Ecdsa) => KeyKind::EcdsaP256,
                Some(Chain::Rsa) | None => KeyKind::Rsa2048,
            },
            tls: TlsOptions {
                require_sni: tls.require_sni.unwrap_or(true),
                versions: match tls.versions {
                    Some(Versions::Both) => TlsVersions::Tls12And13,
                    Some(Versions::Tls13) => TlsVersions::Tls13,
                    Some(Versions::Tls12) | None => TlsVersions::Tls12,
                },
            },
            issuing,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Root {
    #[serde(default)]
    hub: Vec<HubTable>,
    #[serde(default)]
    provisioning: Vec<ProvisioningTable>,
    rules: Option<Rules>,
    tls: Option<TlsTable>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct TlsTable {
    require_sni: Option<bool>,
    versions: Option<Versions>,
    chain: Option<Chain>,
}

#[derive(Deserialize)]
enum Versions {
    #[serde(rename = "1.2")]
    Tls12,
    #[serde(rename = "1.2, 1.3")]
    Both,
    #[serde(rename = "1.3")]
    Tls13,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Chain {
    Rsa,
    Ecdsa,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HubTable {
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
struct ProvisioningTable {
    id_scope: String,
    retry_after_s: Option<u64>,
    polls_before_result: Option<u32>,
    issue_certificates_for_days: Option<u32>,
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

/// The text under the reader's eyes.
struct Source<'a> {
    text: &'a str,
    path: &'a Path,
    seed: &'a SharedAccessKey,
}

/// The ways to prove an identity, of which a table may have one.
struct Proofs {
    primary_key: Option<SharedAccessKey>,
    secondary_key: Option<SharedAccessKey>,
    primary_thumbprint: Option<Thumbprint>,
    secondary_thumbprint: Option<Thumbprint>,
}

impl HubTable {
    fn read(self, source: &Source<'_>) -> Result<IotHub, ConfigFileError> {
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
    fn read(self, source: &Source<'_>) -> Result<ProvisioningService, ConfigFileError> {
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

impl Source<'_> {
    /// A key that is the same for the same seed and place.
    fn derived(&self, place: &[&str]) -> SharedAccessKey {
        self.seed.derive(&place.join("/"))
    }

    fn certificates(&self, file: &Spanned<String>) -> Result<Vec<Vec<u8>>, ConfigFileError> {
        let folder = self.path.parent().unwrap_or_else(|| Path::new("."));
        let path = folder.join(file.get_ref());
        let certificates = CertificateDer::pem_file_iter(&path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| self.at(file, &format!("cannot read {}: {error}", path.display())))?;
        if certificates.is_empty() {
            return Err(self.at(file, &format!("{} contains no certificate", path.display())));
        }
        Ok(certificates.into_iter().map(|der| der.to_vec()).collect())
    }

    fn at(&self, place: &Spanned<String>, problem: &str) -> ConfigFileError {
        self.error(Some(place.span().start), problem)
    }

    /// Finds the line of a fault that only the whole configuration shows.
    fn misfit(&self, error: &ConfigError) -> ConfigFileError {
        let named = match error {
            ConfigError::Host(name)
            | ConfigError::DuplicateHost(name)
            | ConfigError::DuplicateDevice(name)
            | ConfigError::DuplicatePolicy(name)
            | ConfigError::DuplicateScope(name)
            | ConfigError::Scope(name)
            | ConfigError::DuplicateEnrollment(name)
            | ConfigError::RegistrationId(name)
            | ConfigError::Id { id: name, .. }
            | ConfigError::EnrollmentHub { host: name, .. }
            | ConfigError::EnrollmentJson {
                enrollment: name, ..
            }
            | ConfigError::Authority { host: name, .. } => Some(name.as_str()),
            ConfigError::NoHub => None,
        };
        let find = |name: &str| self.text.rfind(&format!("\"{name}\""));
        // A module is named `device/module` in errors.
        let offset = named.and_then(|name| find(name).or_else(|| find(name.rsplit('/').next()?)));
        self.error(offset, &error.to_string())
    }

    fn error(&self, offset: Option<usize>, problem: &str) -> ConfigFileError {
        let before = offset.and_then(|offset| self.text.get(..offset));
        ConfigFileError {
            file: self.path.to_owned(),
            line: before.map(|before| before.matches('\n').count() + 1),
            key: before.and_then(|before| key_at(self.text, before)),
            problem: problem.to_owned(),
        }
    }
}

/// The table header above a place and the key in its line, such as `[[hub.device]] id`.
fn key_at(text: &str, before: &str) -> Option<String> {
    let line_start = before.rfind('\n').map_or(0, |at| at + 1);
    let line = text.get(line_start..)?.lines().next()?;
    let header = before
        .lines()
        .rev()
        .map(str::trim)
        .find(|line| line.starts_with('['));
    let key = line
        .split_once('=')
        .map(|(key, _)| key.trim())
        .filter(|key| !key.starts_with('#'));
    match (header, key) {
        (Some(header), Some(key)) => Some(format!("{header} {key}")),
        (None, Some(key)) => Some(key.to_owned()),
        (Some(header), None) => Some(header.to_owned()),
        (None, None) => Some(line.trim().to_owned()).filter(|line| line.starts_with('[')),
    }
}
