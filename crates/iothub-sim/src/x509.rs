//! Client certificates: names and chains.

use core::{fmt, time::Duration};
use std::sync::Arc;

use rustls::{
    CertificateError, RootCertStore,
    pki_types::{CertificateDer, UnixTime},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use x509_cert::{
    Certificate,
    der::{Decode, oid::db::rfc4519},
};

/// The common name of a certificate's subject, the last one if there are several.
pub(crate) fn common_name(der: &[u8]) -> Option<String> {
    let certificate = Certificate::from_der(der).ok()?;
    let subject = certificate.tbs_certificate().subject();
    let value = subject
        .iter()
        .filter(|attribute| attribute.oid == rfc4519::COMMON_NAME)
        .last()?
        .value
        .value();
    String::from_utf8(value.to_vec()).ok()
}

/// Authorities that may sign client certificates.
pub(crate) struct Authorities(Arc<dyn ClientCertVerifier>);

impl fmt::Debug for Authorities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Authorities")
    }
}

impl Authorities {
    /// `Ok(None)` for no authority, otherwise the position of the first unusable certificate.
    pub(crate) fn new(certificates: &[Vec<u8>]) -> Result<Option<Self>, usize> {
        if certificates.is_empty() {
            return Ok(None);
        }
        let mut roots = RootCertStore::empty();
        for (index, der) in certificates.iter().enumerate() {
            roots
                .add(CertificateDer::from(der.clone()))
                .map_err(|_| index)?;
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map(|verifier| Some(Self(verifier)))
            .map_err(|_| 0)
    }

    /// Checks a chain, leaf first, at this date.
    pub(crate) fn verify(&self, chain: &[Vec<u8>], unix_s: u64) -> Result<(), String> {
        let Some((leaf, intermediates)) = chain.split_first() else {
            return Err("no certificate was presented".to_owned());
        };
        let leaf = CertificateDer::from(leaf.as_slice());
        let intermediates: Vec<_> = intermediates
            .iter()
            .map(|der| CertificateDer::from(der.as_slice()))
            .collect();
        let now = UnixTime::since_unix_epoch(Duration::from_secs(unix_s));
        match self.0.verify_client_cert(&leaf, &intermediates, now) {
            Ok(_) => Ok(()),
            Err(rustls::Error::InvalidCertificate(error)) => Err(describe(&error)),
            Err(error) => Err(error.to_string()),
        }
    }
}

fn describe(error: &CertificateError) -> String {
    match error {
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "it has expired; issue a new one".to_owned()
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            "it is not valid yet; check its dates".to_owned()
        }
        CertificateError::UnknownIssuer => {
            "no authority of the hub signed it; upload the authority's certificate, and send intermediates with the device certificate".to_owned()
        }
        other => other.to_string(),
    }
}
