//! The authority that issues certificates from signing requests.

use core::fmt;

use rcgen::{Issuer, KeyPair, PKCS_ECDSA_P384_SHA384};
use rustls::pki_types::{CertificateDer, pem::PemObject};

use super::{DAY_S, PkiError, Validity, authority, device::device_params};
use crate::csr::SigningRequest;

const NAME: &str = "Test Device Issuing CA";

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
        let params = authority(NAME, Validity::default(), None);
        let certificate = params.self_signed(&key)?.der().to_vec();
        Ok(Self {
            issuer: Issuer::new(params, key),
            certificate,
            life_s: u64::from(life_days) * DAY_S,
        })
    }

    /// An authority that was made before and kept.
    ///
    /// # Errors
    ///
    /// Certificate or key is unreadable.
    pub fn from_pem(
        certificate_pem: &str,
        key_pem: &str,
        life_days: u32,
    ) -> Result<Self, PkiError> {
        let certificate = CertificateDer::from_pem_slice(certificate_pem.as_bytes())
            .map_err(|error| PkiError::Unreadable(error.to_string()))?;
        let key =
            KeyPair::from_pem(key_pem).map_err(|error| PkiError::Unreadable(error.to_string()))?;
        Ok(Self {
            issuer: Issuer::new(authority(NAME, Validity::default(), None), key),
            certificate: certificate.to_vec(),
            life_s: u64::from(life_days) * DAY_S,
        })
    }

    /// Its certificate as PEM.
    #[must_use]
    pub fn certificate_pem(&self) -> String {
        super::device::pem("CERTIFICATE", &self.certificate)
    }

    /// Its key as PKCS#8 PEM, to keep it for [`from_pem`](Self::from_pem).
    #[must_use]
    pub fn key_pem(&self) -> String {
        self.issuer.key().serialize_pem()
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
