//! TLS as the hub's front end runs it: TLS 1.2, SNI required, client certificate requested.

mod failure;
mod hello;
mod memory;
mod session;

use core::fmt;
use std::sync::Arc;

use rustls::{
    CertificateError, ServerConfig, SupportedProtocolVersion,
    client::danger::HandshakeSignatureValid,
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, aws_lc_rs, verify_tls12_signature,
        verify_tls13_signature, verify_tls13_signature_with_raw_key,
    },
    pki_types::{
        CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer, SubjectPublicKeyInfoDer, UnixTime,
    },
    server::danger::{ClientCertVerified, ClientCertVerifier},
    version::{TLS12, TLS13},
};

use x509_cert::der::Encode;

pub(crate) use self::memory::HANDSHAKE_TIMEOUT_S;
pub use self::{
    memory::{LinkId, TlsHub},
    session::{TlsInput, TlsSession},
};
use crate::pki::{Algorithms, ClientCertificate, ServerChain, verifies};

/// Which versions of TLS are offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[non_exhaustive]
pub enum TlsVersions {
    /// TLS 1.2 only, as the classic hub.
    #[default]
    Tls12,
    /// TLS 1.2 and 1.3, as the newer device host.
    Tls12And13,
    /// TLS 1.3 only.
    Tls13,
}

/// How the front end treats TLS clients.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct TlsOptions {
    /// Refuse a ClientHello without server name, or with one that is not served.
    pub require_sni: bool,
    /// Versions offered.
    pub versions: TlsVersions,
}

impl TlsVersions {
    /// Whether one of these version numbers of the wire is spoken.
    fn speaks(self, offered: &[u16]) -> bool {
        let (tls12, tls13) = (offered.contains(&0x0303), offered.contains(&0x0304));
        match self {
            Self::Tls12 => tls12,
            Self::Tls12And13 => tls12 || tls13,
            Self::Tls13 => tls13,
        }
    }
}

impl Default for TlsOptions {
    fn default() -> Self {
        Self {
            require_sni: true,
            versions: TlsVersions::default(),
        }
    }
}

/// The certificate chain cannot be used for TLS.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the server's certificate or key cannot be used for TLS: {0}")]
pub struct TlsConfigError(String);

/// The TLS side of a server: one for all its connections.
#[derive(Clone)]
pub struct TlsServer {
    config: Arc<ServerConfig>,
    require_sni: bool,
    versions: TlsVersions,
    served: Arc<[String]>,
}

impl fmt::Debug for TlsServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsServer")
            .field("require_sni", &self.require_sni)
            .field("served", &self.served)
            .finish_non_exhaustive()
    }
}

impl TlsServer {
    /// A server with this chain.
    ///
    /// # Errors
    ///
    /// Certificate and key do not fit together, or are unreadable.
    pub fn new(chain: &ServerChain, options: &TlsOptions) -> Result<Self, TlsConfigError> {
        let provider = Arc::new(provider());
        let versions: &[&SupportedProtocolVersion] = match options.versions {
            TlsVersions::Tls12 => &[&TLS12],
            TlsVersions::Tls12And13 => &[&TLS12, &TLS13],
            TlsVersions::Tls13 => &[&TLS13],
        };
        let verifier = Arc::new(Possession(provider.signature_verification_algorithms));
        let (certificates, key) = rustls_chain(chain);
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .and_then(|builder| {
                builder
                    .with_client_cert_verifier(verifier)
                    .with_single_cert(certificates, key)
            })
            .map_err(|error| TlsConfigError(error.to_string()))?;
        Ok(Self {
            config: Arc::new(config),
            require_sni: options.require_sni,
            versions: options.versions,
            served: chain.host_names.as_slice().into(),
        })
    }

    /// Whether a host of this name is served; a `*` label stands for one label.
    fn serves(&self, name: &str) -> bool {
        self.served
            .iter()
            .any(|served| match served.strip_prefix('*') {
                Some(suffix) => name
                    .split_once('.')
                    .is_some_and(|(_, rest)| suffix.strip_prefix('.') == Some(rest)),
                None => served.eq_ignore_ascii_case(name),
            })
    }
}

/// TLS for the service side: no client certificate, nothing said about names.
pub(crate) fn service_tls(chain: &ServerChain) -> Result<ServerConfig, TlsConfigError> {
    let (certificates, key) = rustls_chain(chain);
    ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS12, &TLS13])
        .and_then(|builder| {
            builder
                .with_no_client_auth()
                .with_single_cert(certificates, key)
        })
        .map_err(|error| TlsConfigError(error.to_string()))
}

fn rustls_chain(chain: &ServerChain) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
    let certificates = chain
        .certificates
        .iter()
        .map(|der| CertificateDer::from(der.clone()))
        .collect();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(chain.key.clone()));
    (certificates, key)
}

/// The suites of the hub that rustls has: ECDHE with AES-GCM, in Azure's order of preference.
///
/// The hub's four CBC suites are missing here because rustls has none.
fn provider() -> CryptoProvider {
    use aws_lc_rs::cipher_suite as suite;
    CryptoProvider {
        cipher_suites: vec![
            suite::TLS13_AES_256_GCM_SHA384,
            suite::TLS13_AES_128_GCM_SHA256,
            suite::TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384,
            suite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
            suite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
            suite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        ],
        ..aws_lc_rs::default_provider()
    }
}

/// Accepts any client certificate whose key the client has: trust is judged at CONNECT.
#[derive(Debug)]
struct Possession(WebPkiSupportedAlgorithms);

impl Possession {
    /// The algorithms of a signature's scheme; none for a scheme that was not offered.
    fn algorithms(&self, dss: &rustls::DigitallySignedStruct) -> &'static Algorithms {
        let mut schemes = self.0.mapping.iter();
        schemes
            .find(|(scheme, _)| *scheme == dss.scheme)
            .map_or(&[], |(_, algorithms)| algorithms)
    }
}

/// The certificate, if it is of the version that webpki refuses and the service takes.
fn version_1(certificate: &CertificateDer<'_>) -> Option<ClientCertificate> {
    ClientCertificate::parse(certificate).filter(ClientCertificate::is_version_1)
}

impl ClientCertVerifier for Possession {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[rustls::DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _now: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match version_1(cert) {
            None => verify_tls12_signature(message, cert, dss, &self.0),
            Some(own) if verifies(own.key(), self.algorithms(dss), message, dss.signature()) => {
                Ok(HandshakeSignatureValid::assertion())
            }
            Some(_) => Err(CertificateError::BadSignature.into()),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &rustls::DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        match version_1(cert).map(|own| own.key().to_der()) {
            None => verify_tls13_signature(message, cert, dss, &self.0),
            Some(Ok(key)) => {
                let key = SubjectPublicKeyInfoDer::from(key);
                verify_tls13_signature_with_raw_key(message, &key, dss, &self.0)
            }
            Some(Err(_)) => Err(CertificateError::BadEncoding.into()),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<rustls::SignatureScheme> {
        self.0.supported_schemes()
    }
}
