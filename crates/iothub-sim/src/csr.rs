//! Certificate signing requests (PKCS#10).

use aws_lc_rs::signature::{
    ECDSA_P384_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, UnparsedPublicKey, VerificationAlgorithm,
};
use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::{PKCS_ECDSA_P384_SHA384, PublicKeyData, SignatureAlgorithm};
use x509_cert::{
    der::{
        Decode, Encode,
        oid::{
            ObjectIdentifier,
            db::{
                rfc4519,
                rfc5912::{ECDSA_WITH_SHA_256, ECDSA_WITH_SHA_384, ID_EC_PUBLIC_KEY, SECP_384_R_1},
            },
        },
    },
    request::CertReq,
};

/// A request whose signature has been verified.
pub(crate) struct SigningRequest {
    pub(crate) common_name: String,
    /// The point of a P-384 public key.
    public_key: Vec<u8>,
}

impl SigningRequest {
    /// Reads base64 of DER and verifies that the requester has the key.
    ///
    /// # Reference
    ///
    /// Azure documentation, DPS certificate management (preview): EC P-384, no PEM lines.
    pub(crate) fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("-----") || text.contains(['\r', '\n']) {
            return Err("it must be the base64 of the DER in one line, without PEM lines");
        }
        let der = STANDARD.decode(text).map_err(|_| "it is not base64")?;
        let request = CertReq::from_der(&der).map_err(|_| "it is not a PKCS#10 request")?;
        let key = &request.info.public_key;
        let curve = key
            .algorithm
            .parameters
            .as_ref()
            .and_then(|any| any.decode_as::<ObjectIdentifier>().ok());
        if key.algorithm.oid != ID_EC_PUBLIC_KEY || curve != Some(SECP_384_R_1) {
            return Err("its key is not an EC key on P-384");
        }
        let algorithm: &'static dyn VerificationAlgorithm = match request.algorithm.oid {
            ECDSA_WITH_SHA_384 => &ECDSA_P384_SHA384_ASN1,
            ECDSA_WITH_SHA_256 => &ECDSA_P384_SHA256_ASN1,
            _ => return Err("it is not signed with ECDSA and SHA-384"),
        };
        let public_key = key.subject_public_key.raw_bytes().to_vec();
        let signed = request.info.to_der().map_err(|_| "it is not DER")?;
        UnparsedPublicKey::new(algorithm, &public_key)
            .verify(&signed, request.signature.raw_bytes())
            .map_err(|_| "its signature was not made with its key")?;
        let common_name = request
            .info
            .subject
            .iter()
            .filter(|attribute| attribute.oid == rfc4519::COMMON_NAME)
            .last()
            .and_then(|attribute| String::from_utf8(attribute.value.value().to_vec()).ok())
            .ok_or("its subject has no common name")?;
        Ok(Self {
            common_name,
            public_key,
        })
    }
}

impl PublicKeyData for SigningRequest {
    fn der_bytes(&self) -> &[u8] {
        &self.public_key
    }

    fn algorithm(&self) -> &'static SignatureAlgorithm {
        &PKCS_ECDSA_P384_SHA384
    }
}
