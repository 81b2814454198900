//! Configuration from a TOML file.

mod tables;

use core::{fmt, time::Duration};
use std::{
    fs,
    path::{Path, PathBuf},
};

use rustls::pki_types::{CertificateDer, pem::PemObject};
use toml::Spanned;

use self::tables::{Chain, Root, Versions};
use super::{Config, ConfigError, IotHub};
use crate::{
    hub::{Chaos, Fault},
    identity::Identity,
    key::SharedAccessKey,
    pki::{CertificateFault, KeyKind, PkiOptions},
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
    /// A deliberate fault of the server's chain.
    pub certificate_fault: CertificateFault,
    /// Days that a certificate from a signing request lives, by id scope, where any are issued.
    pub issuing: Vec<(String, u32)>,
    /// Time that passes before each TLS handshake goes on.
    pub handshake_delay: Duration,
    /// Faults that wait for their identities.
    pub faults: Vec<(Identity, Fault)>,
    /// Random faults for everybody.
    pub chaos: Option<Chaos>,
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
        let faults = root.fault.into_iter();
        let faults = faults
            .map(|table| table.read(&source, &config))
            .collect::<Result<_, _>>()?;
        let tls = root.tls.unwrap_or_default();
        Ok(Self {
            config,
            key_kind: match tls.chain {
                Some(Chain::Ecdsa) => KeyKind::EcdsaP256,
                Some(Chain::Rsa) | None => KeyKind::Rsa2048,
            },
            certificate_fault: tls.fault.unwrap_or_default(),
            tls: TlsOptions {
                require_sni: tls.require_sni.unwrap_or(true),
                versions: match tls.versions {
                    Some(Versions::Both) => TlsVersions::Tls12And13,
                    Some(Versions::Tls13) => TlsVersions::Tls13,
                    Some(Versions::Tls12) | None => TlsVersions::Tls12,
                },
            },
            issuing,
            handshake_delay: Duration::from_millis(tls.handshake_delay_ms.unwrap_or(0)),
            faults,
            chaos: root.chaos,
        })
    }

    /// What the server's certificates must look like.
    #[must_use]
    pub fn pki_options(&self) -> PkiOptions {
        let hosts = self.config.hubs.iter().flat_map(IotHub::host_names);
        let mut options = PkiOptions::for_hosts(hosts);
        options.key_kind = self.key_kind;
        options.fault = self.certificate_fault;
        options
    }
}

/// The text under the reader's eyes.
struct Source<'a> {
    text: &'a str,
    path: &'a Path,
    seed: &'a SharedAccessKey,
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
