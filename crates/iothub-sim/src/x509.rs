//! Client certificates: names and chains.

use core::{fmt, time::Duration};
use std::sync::Arc;

use rustls::{
    RootCertStore,
    pki_types::{CertificateDer, UnixTime},
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use x509_cert::{
    Certificate,
    der::{Decode, oid::db::rfc4519},
};

use crate::pki::second_look;

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
pub(crate) struct Authorities {
    verifier: Arc<dyn ClientCertVerifier>,
    certificates: Vec<Vec<u8>>,
}

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
            .map(|verifier| {
                Some(Self {
                    verifier,
                    certificates: certificates.to_vec(),
                })
            })
            .map_err(|_| 0)
    }

    /// Their certificates.
    pub(crate) fn certificates(&self) -> &[Vec<u8>] {
        &self.certificates
    }

    /// Checks a chain, leaf first, at this date; says what is wrong with it, and the remedy.
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
        match self.verifier.verify_client_cert(&leaf, &intermediates, now) {
            Ok(_) => Ok(()),
            Err(_) => second_look(&self.certificates, chain, unix_s),
        }
    }
}
