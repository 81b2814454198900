//! The certificates of the simulated cloud: a chain like Azure's, and certificates for devices.

mod client;
mod device;
mod issuing;
mod trust;

use core::{fmt, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, SanType, date_time_ymd,
};

use rustls::pki_types::{CertificateDer, pem::PemObject};

use self::device::device_params;
pub(crate) use self::{
    client::{Algorithms, ClientCertificate, verifies},
    trust::second_look,
};
pub use self::{device::DeviceCertificate, issuing::IssuingAuthority};

/// 2013-08-01, when the root that Azure uses today begins.
const ROOT_FROM: u64 = 1_375_315_200;
/// 2038-01-15, when it ends.
const ROOT_UNTIL: u64 = 2_147_126_400;
const DAY_S: u64 = 86_400;
const ROOT_NAME: &str = "Test Global Root G2";

/// A certificate could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PkiError {
    /// The certificate library refused.
    #[error("certificate cannot be made: {0}")]
    Certificate(String),
    /// A certificate or key that was made before cannot be read.
    #[error("certificate or key cannot be read: {0}")]
    Unreadable(String),
}

impl From<rcgen::Error> for PkiError {
    fn from(error: rcgen::Error) -> Self {
        Self::Certificate(error.to_string())
    }
}

/// Algorithm of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum KeyKind {
    /// RSA with 2048 bits and SHA-256, as Azure's own chain.
    #[default]
    Rsa2048,
    /// ECDSA on P-256 with SHA-256.
    EcdsaP256,
}

impl KeyKind {
    fn generate(self) -> Result<KeyPair, PkiError> {
        Ok(KeyPair::generate_for(match self {
            Self::Rsa2048 => &PKCS_RSA_SHA256,
            Self::EcdsaP256 => &PKCS_ECDSA_P256_SHA256,
        })?)
    }
}

/// From when until when a certificate is valid, in seconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "two dates")]
pub struct Validity {
    /// First second.
    pub from_unix_s: u64,
    /// Last second.
    pub until_unix_s: u64,
}

impl Default for Validity {
    /// From 2013-08-01 to 2038-01-15: any date a test is likely to play at.
    fn default() -> Self {
        Self {
            from_unix_s: ROOT_FROM,
            until_unix_s: ROOT_UNTIL,
        }
    }
}

impl Validity {
    /// A year around this date.
    #[must_use]
    pub const fn around(unix_s: u64) -> Self {
        Self {
            from_unix_s: unix_s.saturating_sub(30 * DAY_S),
            until_unix_s: unix_s.saturating_add(335 * DAY_S),
        }
    }

    fn apply(self, params: &mut CertificateParams) {
        let epoch = date_time_ymd(1970, 1, 1);
        // Beyond the year 9999 the library cannot count, and X.509 has no date.
        let date = |unix_s: u64| epoch + Duration::from_secs(unix_s.min(253_402_300_799));
        params.not_before = date(self.from_unix_s);
        params.not_after = date(self.until_unix_s);
    }
}

/// A deliberate fault of the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum CertificateFault {
    /// None: a correct chain.
    #[default]
    None,
    /// The leaf ended a day before its regular beginning.
    Expired,
    /// The leaf begins a day after its regular end.
    NotYetValid,
    /// The leaf is for another host.
    WrongName,
    /// The chain ends at a root that nobody was given.
    UnknownRoot,
    /// Only the leaf is sent, without its intermediate.
    MissingIntermediate,
}

/// The text is not a deliberate fault of the server's certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is none, expired, not-yet-valid, wrong-name, unknown-root or missing-intermediate")]
pub struct CertificateFaultError;

impl core::str::FromStr for CertificateFault {
    type Err = CertificateFaultError;

    fn from_str(text: &str) -> Result<Self, CertificateFaultError> {
        Ok(match text {
            "none" => Self::None,
            "expired" => Self::Expired,
            "not-yet-valid" => Self::NotYetValid,
            "wrong-name" => Self::WrongName,
            "unknown-root" => Self::UnknownRoot,
            "missing-intermediate" => Self::MissingIntermediate,
            _ => return Err(CertificateFaultError),
        })
    }
}

/// What the test PKI looks like.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PkiOptions {
    /// DNS names of the server's certificate; a `*` label is allowed.
    pub host_names: Vec<String>,
    /// Algorithm of root, intermediate and leaf.
    pub key_kind: KeyKind,
    /// Validity of the leaf.
    pub leaf: Validity,
    /// Validity of root and intermediate.
    pub authorities: Validity,
    /// A deliberate fault.
    pub fault: CertificateFault,
}

impl PkiOptions {
    /// A correct RSA chain for these hosts, the provisioning service's names and `localhost`.
    pub fn for_hosts<'a>(hosts: impl IntoIterator<Item = &'a str>) -> Self {
        let fixed = [
            "global.azure-devices-provisioning.net",
            "*.azure-devices-provisioning.net",
            "localhost",
        ];
        let mut host_names: Vec<String> = Vec::new();
        for name in hosts.into_iter().chain(fixed) {
            let name = name.to_ascii_lowercase();
            if !host_names.contains(&name) {
                host_names.push(name);
            }
        }
        Self {
            host_names,
            key_kind: KeyKind::default(),
            leaf: Validity::default(),
            authorities: Validity::default(),
            fault: CertificateFault::default(),
        }
    }
}

/// A certificate authority with the server's chain below it.
pub struct Pki {
    root: Issuer<'static, KeyPair>,
    root_der: Vec<u8>,
    root_pem: String,
    server: ServerChain,
}

/// The chain a server sends, leaf first and without the root, and the leaf's key.
#[derive(Clone)]
#[non_exhaustive]
pub struct ServerChain {
    /// Certificates as DER.
    pub certificates: Vec<Vec<u8>>,
    /// Key of the first one, PKCS#8 DER.
    pub(crate) key: Vec<u8>,
    /// DNS names of the first one.
    pub(crate) host_names: Vec<String>,
}

impl fmt::Debug for Pki {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pki")
            .field("server", &self.server)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for ServerChain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerChain")
            .field("host_names", &self.host_names)
            .field("certificates", &self.certificates.len())
            .finish_non_exhaustive()
    }
}

impl Pki {
    /// Makes root, intermediate and leaf.
    ///
    /// # Errors
    ///
    /// A name or date that X.509 cannot express.
    pub fn new(options: &PkiOptions) -> Result<Self, PkiError> {
        Self::below(self_signed_root(ROOT_NAME, options)?, options)
    }

    /// Makes intermediate and leaf below a root that was made before and kept.
    ///
    /// # Errors
    ///
    /// The root's certificate or key is unreadable, or a name or date that X.509 cannot express.
    pub fn with_root(
        options: &PkiOptions,
        certificate_pem: &str,
        key_pem: &str,
    ) -> Result<Self, PkiError> {
        let certificate = CertificateDer::from_pem_slice(certificate_pem.as_bytes())
            .map_err(|error| PkiError::Unreadable(error.to_string()))?;
        let key =
            KeyPair::from_pem(key_pem).map_err(|error| PkiError::Unreadable(error.to_string()))?;
        // Only the name and the key of an issuer appear in what it signs.
        let params = authority(ROOT_NAME, options.authorities, None);
        let root = Issuer::new(params, key);
        let root_pem = certificate_pem.to_owned();
        Self::below((root, certificate.to_vec(), root_pem), options)
    }

    fn below((root, root_der, root_pem): Root, options: &PkiOptions) -> Result<Self, PkiError> {
        let server = if options.fault == CertificateFault::UnknownRoot {
            let (stranger, ..) = self_signed_root("Unknown Root", options)?;
            server_chain(&stranger, options)?
        } else {
            server_chain(&root, options)?
        };
        Ok(Self {
            root,
            root_der,
            root_pem,
            server,
        })
    }

    /// The root certificate as PEM: what a device must trust.
    #[must_use]
    pub fn root_pem(&self) -> &str {
        &self.root_pem
    }

    /// The root's key as PKCS#8 PEM, to keep it for [`with_root`](Self::with_root).
    #[must_use]
    pub fn root_key_pem(&self) -> String {
        self.root.key().serialize_pem()
    }

    /// The root certificate as DER.
    #[must_use]
    pub fn root_der(&self) -> &[u8] {
        &self.root_der
    }

    /// What the server sends.
    #[must_use]
    pub const fn server_chain(&self) -> &ServerChain {
        &self.server
    }

    /// A device certificate signed by the root, for identities with
    /// [`Credentials::CertificateAuthority`](crate::Credentials::CertificateAuthority).
    ///
    /// # Errors
    ///
    /// A name or date that X.509 cannot express.
    pub fn issue_device_certificate(
        &self,
        common_name: &str,
        kind: KeyKind,
        validity: Validity,
    ) -> Result<DeviceCertificate, PkiError> {
        let key = kind.generate()?;
        let params = device_params(common_name, validity);
        let certificate = params.signed_by(&key, &self.root)?;
        Ok(DeviceCertificate::new(&certificate, &key))
    }
}

fn named(common_name: &str, validity: Validity) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = rcgen::DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, common_name);
    validity.apply(&mut params);
    params
}

fn authority(common_name: &str, validity: Validity, below: Option<u8>) -> CertificateParams {
    let mut params = named(common_name, validity);
    params
        .distinguished_name
        .push(DnType::OrganizationName, "iothub-sim");
    params.is_ca = IsCa::Ca(match below {
        None => BasicConstraints::Unconstrained,
        Some(depth) => BasicConstraints::Constrained(depth),
    });
    params.key_usages = vec![
        KeyUsagePurpose::KeyCertSign,
        KeyUsagePurpose::CrlSign,
        KeyUsagePurpose::DigitalSignature,
    ];
    params
}

type Root = (Issuer<'static, KeyPair>, Vec<u8>, String);

fn self_signed_root(name: &str, options: &PkiOptions) -> Result<Root, PkiError> {
    let key = options.key_kind.generate()?;
    let params = authority(name, options.authorities, None);
    let certificate = params.self_signed(&key)?;
    let (der, pem) = (certificate.der().to_vec(), certificate.pem());
    Ok((Issuer::new(params, key), der, pem))
}

fn server_chain(
    root: &Issuer<'static, KeyPair>,
    options: &PkiOptions,
) -> Result<ServerChain, PkiError> {
    use CertificateFault as Fault;
    let middle_key = options.key_kind.generate()?;
    let middle_params = authority("Test TLS Issuing CA 01", options.authorities, Some(0));
    let middle = middle_params.signed_by(&middle_key, root)?;
    let middle_issuer = Issuer::new(middle_params, middle_key);

    let Validity {
        from_unix_s,
        until_unix_s,
    } = options.leaf;
    let validity = match options.fault {
        Fault::Expired => Validity {
            from_unix_s: from_unix_s.saturating_sub(366 * DAY_S),
            until_unix_s: from_unix_s.saturating_sub(DAY_S),
        },
        Fault::NotYetValid => Validity {
            from_unix_s: until_unix_s.saturating_add(DAY_S),
            until_unix_s: until_unix_s.saturating_add(366 * DAY_S),
        },
        _ => options.leaf,
    };
    let names: Vec<String> = match options.fault {
        Fault::WrongName => vec!["wrong-name.example".to_owned()],
        _ => options.host_names.clone(),
    };
    let key = options.key_kind.generate()?;
    let mut params = named(names.first().map_or("localhost", String::as_str), validity);
    for name in &names {
        let name = name.as_str().try_into()?;
        params.subject_alt_names.push(SanType::DnsName(name));
    }
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    let leaf = params.signed_by(&key, &middle_issuer)?;
    let mut certificates = vec![leaf.der().to_vec()];
    if options.fault != Fault::MissingIntermediate {
        certificates.push(middle.der().to_vec());
    }
    Ok(ServerChain {
        certificates,
        key: key.serialize_der(),
        host_names: options.host_names.clone(),
    })
}
