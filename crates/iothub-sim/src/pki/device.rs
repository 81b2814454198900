//! Client certificates for devices.

use core::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{
    CertificateParams, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose, PKCS_RSA_SHA256,
};

use super::{KeyKind, PkiError, Validity, named};
use crate::thumbprint::Thumbprint;

/// A client certificate with its key, in the forms that modules take.
#[derive(Clone)]
#[non_exhaustive]
pub struct DeviceCertificate {
    /// Certificate as PEM.
    pub certificate_pem: String,
    /// Key as PKCS#8 PEM (`BEGIN PRIVATE KEY`).
    pub key_pem: String,
    /// The same key as PKCS#1 (`BEGIN RSA PRIVATE KEY`) or SEC1 (`BEGIN EC PRIVATE KEY`) PEM, which some
    /// modules want.
    pub traditional_key_pem: String,
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

    pub(super) fn new(certificate: &rcgen::Certificate, key: &KeyPair) -> Self {
        Self {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            traditional_key_pem: traditional_key_pem(key).unwrap_or_default(),
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

/// A PKCS#8 key in the older form of its algorithm.
fn traditional_key_pem(key: &KeyPair) -> Option<String> {
    // PrivateKeyInfo: a sequence of version, algorithm, and an octet string with the older form.
    let (info, _) = value(key.serialized_der())?;
    let (_, after_version) = value(info)?;
    let (_, after_algorithm) = value(after_version)?;
    let (inner, _) = value(after_algorithm)?;
    if key.is_compatible(&PKCS_RSA_SHA256) {
        return Some(pem("RSA PRIVATE KEY", inner));
    }
    // ECPrivateKey: version, private key; curve and public key are optional there and wanted here.
    let (sequence, _) = value(inner)?;
    let (_, after_version) = value(sequence)?;
    let (private_key, _) = value(after_version)?;
    const P256: [u8; 12] = [
        0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07,
    ];
    let mut der = vec![0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20];
    der.extend_from_slice(private_key);
    der.extend(P256);
    der.extend([0xa1, 0x44, 0x03, 0x42, 0x00]);
    der.extend_from_slice(key.public_key_raw());
    // The lengths above are those of P-256.
    (der.len() == 0x77 + 2).then(|| pem("EC PRIVATE KEY", &der))
}

/// The value of the first DER element, and what follows the element.
fn value(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&first, rest) = der.get(1..)?.split_first()?;
    let (length, rest) = if first < 0x80 {
        (usize::from(first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = bytes
            .iter()
            .fold(0, |length: usize, byte| length << 8 | usize::from(*byte));
        (length, rest)
    };
    rest.split_at_checked(length)
}

pub(super) fn pem(label: &str, der: &[u8]) -> String {
    let base64 = STANDARD.encode(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    for line in base64.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text.push_str(&format!("-----END {label}-----\n"));
    text
}

pub(super) fn device_params(common_name: &str, validity: Validity) -> CertificateParams {
    let mut params = named(common_name, validity);
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::KeyEncipherment,
    ];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    params
}
