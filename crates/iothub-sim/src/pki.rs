//! The certificates of the simulated cloud: a chain like Azure's, and certificates for devices.

use core::{fmt, time::Duration};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384, PKCS_RSA_SHA256, SanType,
    date_time_ymd,
};

use crate::{csr::SigningRequest, thumbprint::Thumbprint};

/// 2013-08-01, when the root that Azure uses today begins.
const ROOT_FROM: u64 = 1_375_315_200;
/// 2038-01-15, when it ends.
const ROOT_UNTIL: u64 = 2_147_126_400;
const DAY_S: u64 = 86_400;

/// A certificate could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PkiError {
    /// The certificate library refused.
    #[error("certificate cannot be made: {0}")]
    Certificate(String),
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
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
        let (root, root_der, root_pem) = self_signed_root("Test Global Root G2", options)?;
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

/// A client certificate with its key, in the forms that modules take.
#[derive(Clone)]
#[non_exhaustive]
pub struct DeviceCertificate {
    /// Certificate as PEM.
    pub certificate_pem: String,
    /// Key as PKCS#8 PEM (`BEGIN PRIVATE KEY`).
    pub key_pem: String,
    /// Certificate as DER.
    pub certificate_der: Vec<u8>,
}

impl fmt::Debug for DeviceCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeviceCertificate")
            .field("sha1", &self.sha1_thumbprint())
            .finish_non_exhaustive()
    }
}

impl DeviceCertificate {
    /// A certificate that nobody else has signed, for identities with thumbprints.
    ///
    /// # Errors
    ///
    /// A name or date that X.509 cannot express.
    pub fn self_signed(
        common_name: &str,
        kind: KeyKind,
        validity: Validity,
    ) -> Result<Self, PkiError> {
        let key = kind.generate()?;
        let certificate = device_params(common_name, validity).self_signed(&key)?;
        Ok(Self::new(&certificate, &key))
    }

    fn new(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            certificate_der: certificate.der().to_vec(),
        }
    }

    /// Its SHA-1 thumbprint.
    #[must_use]
    pub fn sha1_thumbprint(&self) -> Thumbprint {
        Thumbprint::sha1(&self.certificate_der)
    }

    /// Its SHA-256 thumbprint.
    #[must_use]
    pub fn sha256_thumbprint(&self) -> Thumbprint {
        Thumbprint::sha256(&self.certificate_der)
    }
}

fn device_params(common_name: &str, validity: Validity) -> CertificateParams {
    let mut params = named(common_name, validity);
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
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

/// Issues device certificates from signing requests, as the preview of certificate management does.
///
/// EC P-384 throughout, signed with SHA-384.
pub struct IssuingAuthority {
    issuer: Issuer<'static, KeyPair>,
    certificate: Vec<u8>,
    /// Life of an issued certificate, in seconds.
    life_s: u64,
}

impl fmt::Debug for IssuingAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IssuingAuthority")
            .field("life_s", &self.life_s)
            .finish_non_exhaustive()
    }
}

impl IssuingAuthority {
    /// A new authority whose certificates live this many days (the service allows 7 to 90).
    ///
    /// # Errors
    ///
    /// No key could be made.
    pub fn new(life_days: u32) -> Result<Self, PkiError> {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P384_SHA384)?;
        let params = authority("Test Device Issuing CA", Validity::default(), None);
        let certificate = params.self_signed(&key)?.der().to_vec();
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
            life_s: u64::from(life_days) * DAY_S,
        })
    }

    /// Its certificate as DER: what a hub must accept as authority.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.certificate
    }

    /// Issues a certificate; the chain, leaf first.
    pub(crate) fn issue(
        &self,
        request: &SigningRequest,
        unix_s: u64,
    ) -> Result<Vec<Vec<u8>>, PkiError> {
        let validity = Validity {
            // A device clock may be a little behind.
            from_unix_s: unix_s.saturating_sub(300),
            until_unix_s: unix_s.saturating_add(self.life_s),
        };
        let params = device_params(&request.common_name, validity);
        let leaf = params.signed_by(request, &self.issuer)?;
        Ok(vec![leaf.der().to_vec(), self.certificate.clone()])
    }
}
