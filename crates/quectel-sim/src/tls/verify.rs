//! What the module checks of the server's certificate, by security level.

use rustls::{
    CertificateError, DigitallySignedStruct, Error, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime},
};

use super::{
    TlsSettings, certificates,
    path::{self, Certificate, Checks, PathError},
};

/// Checks with the module's clock and the CA files as they are stored.
#[derive(Debug)]
pub(super) struct Verifier {
    seclevel: u8,
    /// None when a CA file is missing, damaged or without a certificate.
    anchors: Option<Vec<Certificate>>,
    check_host: Option<String>,
    cn_fallback: bool,
    checks: Checks,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(super) fn new(
        settings: &TlsSettings,
        unix_s: i64,
        algorithms: WebPkiSupportedAlgorithms,
    ) -> Self {
        Self {
            seclevel: settings.seclevel,
            anchors: load_anchors(&settings.ca),
            check_host: settings.check_host.clone(),
            cn_fallback: settings.cn_fallback,
            checks: Checks {
                unix_s: (!settings.ignore_time).then_some(unix_s),
                signatures: !settings.ignore_signature,
                intermediates: !settings.ignore_chain,
            },
            algorithms,
        }
    }

    fn check(
        &self,
        leaf: &CertificateDer<'_>,
        sent: &[CertificateDer<'_>],
    ) -> Result<(), PathError> {
        let leaf = Certificate::from_der(leaf)?;
        let sent = sent
            .iter()
            .map(|der| Certificate::from_der(der))
            .collect::<Result<Vec<_>, _>>()?;
        let anchors = self.anchors.as_deref().unwrap_or_default();
        path::verify(&leaf, &sent, anchors, self.checks, self.algorithms.all)?;
        self.check_host.as_ref().map_or(Ok(()), |host| {
            path::check_name(&leaf, host, self.cn_fallback)
        })
    }
}

fn load_anchors(files: &[Option<Vec<u8>>]) -> Option<Vec<Certificate>> {
    let mut anchors = Vec::new();
    for file in files {
        let found = certificates(file.as_ref()?).ok()?;
        for der in &found {
            anchors.push(Certificate::from_der(der).ok()?);
        }
    }
    (!anchors.is_empty()).then_some(anchors)
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        if self.seclevel == 0 {
            return Ok(ServerCertVerified::assertion());
        }
        let error = match self.check(end_entity, intermediates) {
            Ok(()) => return Ok(ServerCertVerified::assertion()),
            Err(PathError::Encoding) => CertificateError::BadEncoding,
            Err(PathError::UnknownIssuer) => CertificateError::UnknownIssuer,
            Err(PathError::Signature) => CertificateError::BadSignature,
            Err(PathError::NotYetValid) => CertificateError::NotValidYet,
            Err(PathError::Expired) => CertificateError::Expired,
            Err(PathError::Name) => CertificateError::NotValidForName,
        };
        Err(error.into())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, cert, dss, &self.algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, cert, dss, &self.algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}
