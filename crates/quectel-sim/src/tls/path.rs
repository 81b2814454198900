//! Certification paths, checked as a module's TLS stack does it.
//!
//! webpki cannot serve here: it does not date trust anchors, it cannot leave dates out, and it insists on
//! alternative names.

use core::net::IpAddr;

use der::{
    Decode, Encode, Reader, SliceReader,
    asn1::{AnyRef, ObjectIdentifier},
};
use rustls::pki_types::SignatureVerificationAlgorithm;
use x509_cert::{
    Certificate as Parsed,
    ext::pkix::{BasicConstraints, SubjectAltName, name::GeneralName},
};

/// Why a chain is not good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PathError {
    Encoding,
    UnknownIssuer,
    Signature,
    NotYetValid,
    Expired,
    Name,
}

/// What is checked.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checks {
    /// The date to check against, in seconds since 1970.
    pub(super) unix_s: Option<i64>,
    pub(super) signatures: bool,
    /// The levels between leaf and root.
    pub(super) intermediates: bool,
}

/// Longest chain, and most signatures looked at for one handshake.
const MAX_DEPTH: usize = 8;
const MAX_SIGNATURES: usize = 64;

/// A certificate with the bytes that its signature covers.
#[derive(Debug, Clone)]
pub(super) struct Certificate {
    der: Vec<u8>,
    signed: Vec<u8>,
    parsed: Parsed,
}

impl Certificate {
    pub(super) fn from_der(der: &[u8]) -> Result<Self, PathError> {
        let read = || -> Result<Self, der::Error> {
            let outer = AnyRef::from_der(der)?;
            let signed = SliceReader::new(outer.value())?.tlv_bytes()?.to_vec();
            Ok(Self {
                der: der.to_vec(),
                signed,
                parsed: Parsed::from_der(der)?,
            })
        };
        read().map_err(|_| PathError::Encoding)
    }

    fn self_issued(&self) -> bool {
        let tbs = self.parsed.tbs_certificate();
        tbs.issuer() == tbs.subject()
    }

    fn issued_by(&self, issuer: &Self) -> bool {
        self.parsed.tbs_certificate().issuer() == issuer.parsed.tbs_certificate().subject()
    }

    fn is_authority(&self) -> bool {
        let constraints = self
            .parsed
            .tbs_certificate()
            .get_extension::<BasicConstraints>();
        matches!(
            constraints,
            Ok(Some((_, BasicConstraints { ca: true, .. })))
        )
    }

    fn check_date(&self, unix_s: Option<i64>) -> Result<(), PathError> {
        let Some(now) = unix_s else { return Ok(()) };
        let validity = self.parsed.tbs_certificate().validity();
        let seconds = |time: x509_cert::time::Time| {
            i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
        };
        if now < seconds(validity.not_before) {
            return Err(PathError::NotYetValid);
        }
        if now > seconds(validity.not_after) {
            return Err(PathError::Expired);
        }
        Ok(())
    }

    fn signed_by(&self, issuer: &Self, algorithms: &[&dyn SignatureVerificationAlgorithm]) -> bool {
        let check = || -> Option<bool> {
            let signature_id = content(self.parsed.signature_algorithm())?;
            let key = issuer.parsed.tbs_certificate().subject_public_key_info();
            let key_id = content(&key.algorithm)?;
            let (key, signature) = (
                key.subject_public_key.as_bytes()?,
                self.parsed.signature().as_bytes()?,
            );
            Some(algorithms.iter().any(|algorithm| {
                algorithm.signature_alg_id().as_ref() == signature_id
                    && algorithm.public_key_alg_id().as_ref() == key_id
                    && algorithm
                        .verify_signature(key, &self.signed, signature)
                        .is_ok()
            }))
        };
        check().unwrap_or(false)
    }
}

/// An AlgorithmIdentifier without its outer tag and length, as rustls compares them.
fn content(identifier: &impl Encode) -> Option<Vec<u8>> {
    let der = identifier.to_der().ok()?;
    Some(AnyRef::from_der(&der).ok()?.value().to_vec())
}

/// Looks for a path from the leaf to a root among the anchors.
pub(super) fn verify(
    leaf: &Certificate,
    sent: &[Certificate],
    anchors: &[Certificate],
    checks: Checks,
    algorithms: &[&dyn SignatureVerificationAlgorithm],
) -> Result<(), PathError> {
    let mut search = Search {
        sent,
        anchors,
        checks,
        algorithms,
        signatures_left: MAX_SIGNATURES,
    };
    search.from(leaf, 0)
}

struct Search<'a> {
    sent: &'a [Certificate],
    anchors: &'a [Certificate],
    checks: Checks,
    algorithms: &'a [&'a dyn SignatureVerificationAlgorithm],
    signatures_left: usize,
}

impl Search<'_> {
    fn from(&mut self, certificate: &Certificate, depth: usize) -> Result<(), PathError> {
        certificate.check_date(self.checks.unix_s)?;
        if self
            .anchors
            .iter()
            .any(|anchor| anchor.der == certificate.der && anchor.self_issued())
        {
            return Ok(());
        }
        if depth >= MAX_DEPTH {
            return Err(PathError::UnknownIssuer);
        }
        let mut worst = PathError::UnknownIssuer;
        let (anchors, sent) = (self.anchors, self.sent);
        for issuer in anchors.iter().chain(sent) {
            if !certificate.issued_by(issuer) || issuer.der == certificate.der {
                continue;
            }
            let step = self.step(certificate, issuer, depth);
            match step {
                Ok(()) => return Ok(()),
                Err(PathError::UnknownIssuer) => {}
                Err(error) => worst = error,
            }
        }
        // Without the middle levels, any root among the anchors will do for a chain that leads nowhere else.
        if !self.checks.intermediates
            && depth == 0
            && self.anchors.iter().any(Certificate::self_issued)
        {
            return Ok(());
        }
        Err(worst)
    }

    fn step(
        &mut self,
        certificate: &Certificate,
        issuer: &Certificate,
        depth: usize,
    ) -> Result<(), PathError> {
        if !issuer.self_issued() && !issuer.is_authority() {
            return Err(PathError::UnknownIssuer);
        }
        if self.checks.signatures {
            self.signatures_left = self
                .signatures_left
                .checked_sub(1)
                .ok_or(PathError::UnknownIssuer)?;
            if !certificate.signed_by(issuer, self.algorithms) {
                return Err(PathError::Signature);
            }
        }
        self.from(issuer, depth + 1)
    }
}

const COMMON_NAME: ObjectIdentifier = ObjectIdentifier::new_unwrap("2.5.4.3");

/// Compares the host with the alternative names, or without those with the common name.
pub(super) fn check_name(
    leaf: &Certificate,
    host: &str,
    cn_fallback: bool,
) -> Result<(), PathError> {
    let tbs = leaf.parsed.tbs_certificate();
    let names = match tbs.get_extension::<SubjectAltName>() {
        Ok(Some((_, SubjectAltName(names)))) => names,
        Ok(None) => {
            let common = tbs
                .subject()
                .iter()
                .filter(|attribute| attribute.oid == COMMON_NAME);
            let mut texts =
                common.map(|attribute| String::from_utf8_lossy(attribute.value.value()));
            let found = cn_fallback
                && texts.any(|text: std::borrow::Cow<'_, str>| name_matches(text.as_ref(), host));
            return if found { Ok(()) } else { Err(PathError::Name) };
        }
        Err(_) => return Err(PathError::Encoding),
    };
    let address: Option<IpAddr> = host.parse().ok();
    let found = names.iter().any(|name| match (name, address) {
        (GeneralName::DnsName(name), None) => name_matches(name.as_str(), host),
        (GeneralName::IpAddress(bytes), Some(IpAddr::V4(address))) => {
            bytes.as_bytes() == address.octets()
        }
        (GeneralName::IpAddress(bytes), Some(IpAddr::V6(address))) => {
            bytes.as_bytes() == address.octets()
        }
        _ => false,
    });
    if found { Ok(()) } else { Err(PathError::Name) }
}

/// `*.example.net` stands for one label.
fn name_matches(pattern: &str, host: &str) -> bool {
    let host = host.trim_end_matches('.');
    match pattern.strip_prefix("*.") {
        Some(domain) => host
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest.eq_ignore_ascii_case(domain)),
        None => pattern.eq_ignore_ascii_case(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        let cases = [
            ("hub.test", "hub.test", true),
            ("hub.test", "HUB.test.", true),
            ("*.azure-devices.net", "contoso.azure-devices.net", true),
            ("*.azure-devices.net", "a.b.azure-devices.net", false),
            ("*.azure-devices.net", "azure-devices.net", false),
            ("hub.test", "other.test", false),
        ];
        for (pattern, host, expected) in cases {
            assert_eq!(name_matches(pattern, host), expected, "{pattern} {host}");
        }
    }

    #[test]
    fn garbage_is_no_certificate() {
        for bytes in [
            &b""[..],
            b"\x30",
            b"\x30\x03\x02\x01\x00",
            &[0x30, 0x84, 0xFF, 0xFF, 0xFF, 0xFF],
        ] {
            assert_eq!(
                Certificate::from_der(bytes).map(drop),
                Err(PathError::Encoding)
            );
        }
    }
}
