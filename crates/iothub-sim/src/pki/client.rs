//! A client's certificate as X.509 itself defines it, version 1 included.
//!
//! `openssl x509 -req` without extensions makes version 1, and the service takes it; webpki does not.

use core::time::Duration;

use rustls::pki_types::SignatureVerificationAlgorithm;
use x509_cert::{
    Certificate, Version,
    der::{
        AnyRef, Decode, Encode, Reader, SliceReader,
        oid::{AssociatedOid, db::rfc5280::ID_KP_CLIENT_AUTH},
    },
    ext::pkix::{BasicConstraints, ExtendedKeyUsage},
    name::Name,
    spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned},
};

/// Algorithms that verify signatures.
pub(crate) type Algorithms = [&'static dyn SignatureVerificationAlgorithm];

/// How a date stands to a certificate's validity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dated {
    Valid,
    NotYet,
    Expired,
}

/// A certificate with the bytes that its issuer has signed.
pub(crate) struct ClientCertificate {
    parsed: Certificate,
    signed: Vec<u8>,
}

impl ClientCertificate {
    /// Reads DER; `None` if it is no certificate.
    pub(crate) fn parse(der: &[u8]) -> Option<Self> {
        let parsed = Certificate::from_der(der).ok()?;
        let signed = SliceReader::new(der)
            .ok()?
            .sequence(|parts| {
                let signed = parts.tlv_bytes()?.to_vec();
                let _algorithm = parts.tlv_bytes()?;
                let _signature = parts.tlv_bytes()?;
                Ok::<_, x509_cert::der::Error>(signed)
            })
            .ok()?;
        Some(Self { parsed, signed })
    }

    /// Version 1, with nothing that only later versions have.
    pub(crate) fn is_version_1(&self) -> bool {
        let contents = self.parsed.tbs_certificate();
        contents.version() == Version::V1
            && contents.extensions().is_none()
            && contents.issuer_unique_id().is_none()
            && contents.subject_unique_id().is_none()
    }

    pub(crate) fn key(&self) -> &SubjectPublicKeyInfoOwned {
        self.parsed.tbs_certificate().subject_public_key_info()
    }

    pub(super) fn subject(&self) -> &Name {
        self.parsed.tbs_certificate().subject()
    }

    pub(super) fn issuer(&self) -> &Name {
        self.parsed.tbs_certificate().issuer()
    }

    pub(super) fn dated(&self, unix_s: u64) -> Dated {
        let validity = self.parsed.tbs_certificate().validity();
        let now = Duration::from_secs(unix_s);
        if now < validity.not_before.to_unix_duration() {
            Dated::NotYet
        } else if now > validity.not_after.to_unix_duration() {
            Dated::Expired
        } else {
            Dated::Valid
        }
    }

    /// `Some` for an authority, with the number of authorities that may stand below it.
    pub(super) fn authority(&self) -> Option<Option<u8>> {
        self.extension::<BasicConstraints>()
            .filter(|constraints| constraints.ca)
            .map(|constraints| constraints.path_len_constraint)
    }

    /// Whether its extended key usage, if there is one, allows a TLS client.
    pub(super) fn may_be_client(&self) -> bool {
        self.extension::<ExtendedKeyUsage>()
            .is_none_or(|usage| usage.0.contains(&ID_KP_CLIENT_AUTH))
    }

    fn extension<T: for<'a> Decode<'a> + AssociatedOid>(&self) -> Option<T> {
        let extensions = self.parsed.tbs_certificate().extensions()?;
        let extension = extensions.iter().find(|e| e.extn_id == T::OID)?;
        T::from_der(extension.extn_value.as_bytes()).ok()
    }

    /// Whether one of the algorithms is that of its signature.
    pub(super) fn signature_is_known(&self, algorithms: &Algorithms) -> bool {
        !self.signature_algorithms(algorithms).is_empty()
    }

    /// Whether this key has made its signature.
    pub(super) fn signed_by(
        &self,
        key: &SubjectPublicKeyInfoOwned,
        algorithms: &Algorithms,
    ) -> bool {
        let fitting = self.signature_algorithms(algorithms);
        let signature = self.parsed.signature().raw_bytes();
        verifies(key, &fitting, &self.signed, signature)
    }

    fn signature_algorithms(
        &self,
        algorithms: &Algorithms,
    ) -> Vec<&'static dyn SignatureVerificationAlgorithm> {
        let Some(wanted) = contents(self.parsed.signature_algorithm()) else {
            return Vec::new();
        };
        algorithms
            .iter()
            .copied()
            .filter(|algorithm| algorithm.signature_alg_id().as_ref() == wanted)
            .collect()
    }
}

/// Whether the key has signed the message with one of the algorithms.
pub(crate) fn verifies(
    key: &SubjectPublicKeyInfoOwned,
    algorithms: &Algorithms,
    message: &[u8],
    signature: &[u8],
) -> bool {
    let Some(kind) = contents(&key.algorithm) else {
        return false;
    };
    let bits = key.subject_public_key.raw_bytes();
    algorithms
        .iter()
        .filter(|algorithm| algorithm.public_key_alg_id().as_ref() == kind)
        .any(|algorithm| algorithm.verify_signature(bits, message, signature).is_ok())
}

/// An algorithm identifier without its outer tag and length, as the algorithms name themselves.
fn contents(algorithm: &AlgorithmIdentifierOwned) -> Option<Vec<u8>> {
    let der = algorithm.to_der().ok()?;
    let sequence = AnyRef::from_der(&der).ok()?;
    Some(sequence.value().to_vec())
}
