//! Enrollments found and proven.

use serde_json::{Map, Value, json};

use super::{
    super::provisioning::{Proven, Registering},
    Refused,
};
use crate::{
    config::{
        Attestation, Credentials, Enrollment, EnrollmentGroup, EnrollmentSettings,
        GroupAttestation, ProvisioningService,
    },
    pki::ClientCertificate,
    reason::Reason,
    thumbprint::Thumbprint,
    time::Now,
    twin,
    x509::{self, Authorities},
};

/// An enrollment that has been found and proven.
pub(super) struct Admitted {
    pub(super) settings: EnrollmentSettings,
    pub(super) device_id: String,
    pub(super) credentials: Credentials,
    /// `symmetricKey` or `x509` of the answer.
    pub(super) attestation: (&'static str, Value),
}

impl Admitted {
    /// Adds what the answer says about the attestation and the enrollment.
    pub(super) fn describe(&self, document: &mut Map<String, Value>) {
        let (name, value) = self.attestation.clone();
        document.insert(name.to_owned(), value);
        let payload = self.settings.payload.as_deref();
        if let Some(payload) = payload.and_then(twin::parse_object) {
            document.insert("payload".to_owned(), Value::Object(payload));
        }
    }
}

/// Finds the enrollment or group of a device and judges its certificate.
pub(super) fn admit(
    now: Now,
    registering: &Registering,
    service: &ProvisioningService,
    chain: &[Vec<u8>],
) -> Result<Admitted, Refused> {
    let id = &registering.registration_id;
    let own = service
        .enrollments
        .iter()
        .find(|enrollment| enrollment.registration_id.eq_ignore_ascii_case(id));
    if let Some(enrollment) = own {
        return admit_individual(id, enrollment, chain);
    }
    if let Proven::Group(name) = &registering.proven
        && let Some(group) = service.groups.iter().find(|group| group.name == *name)
        && let GroupAttestation::SymmetricKeys { primary, secondary } = &group.attestation
    {
        return Ok(Admitted {
            settings: group.settings.clone(),
            device_id: id.clone(),
            credentials: Credentials::SharedAccessKeys {
                primary: primary.derive(id),
                secondary: secondary.derive(id),
            },
            attestation: ("symmetricKey", json!({ "enrollmentGroupId": group.name })),
        });
    }
    admit_by_authority(now, id, service, chain)
}

fn admit_individual(
    id: &str,
    enrollment: &Enrollment,
    chain: &[Vec<u8>],
) -> Result<Admitted, Refused> {
    let (credentials, attestation) = match &enrollment.attestation {
        Attestation::SymmetricKeys { primary, secondary } => {
            let credentials = Credentials::SharedAccessKeys {
                primary: primary.clone(),
                secondary: secondary.clone(),
            };
            (credentials, ("symmetricKey", json!({})))
        }
        Attestation::Certificate { primary, secondary } => {
            let Some(leaf) = chain.first() else {
                return Err((401, Reason::CertificateMissing { id: id.to_owned() }));
            };
            if !primary.matches(leaf) && !secondary.is_some_and(|t| t.matches(leaf)) {
                let reason = Reason::CertificateThumbprint {
                    id: id.to_owned(),
                    sha1: Thumbprint::sha1(leaf),
                    sha256: Thumbprint::sha256(leaf),
                };
                return Err((401, reason));
            }
            check_common_name(id, leaf)?;
            (thumbprint_of(leaf), ("x509", certificate_info(leaf, None)))
        }
    };
    Ok(Admitted {
        settings: enrollment.settings.clone(),
        device_id: enrollment
            .device_id
            .clone()
            .unwrap_or_else(|| id.to_owned()),
        credentials,
        attestation,
    })
}

fn admit_by_authority(
    now: Now,
    id: &str,
    service: &ProvisioningService,
    chain: &[Vec<u8>],
) -> Result<Admitted, Refused> {
    let unknown = || {
        let reason = Reason::EnrollmentUnknown {
            id: id.to_owned(),
            id_scope: service.id_scope.clone(),
        };
        (404, reason)
    };
    let leaf = chain.first().ok_or_else(unknown)?;
    let mut why = None;
    for group in &service.groups {
        let GroupAttestation::Authority(authority) = &group.attestation else {
            continue;
        };
        match trusted(authority, chain, now) {
            Ok(()) => {
                check_common_name(id, leaf)?;
                return Ok(admitted_by(group, id, leaf));
            }
            Err(detail) => why = Some(detail),
        }
    }
    match why {
        None => Err(unknown()),
        Some(detail) => {
            let id = id.to_owned();
            Err((401, Reason::CertificateUntrusted { id, detail }))
        }
    }
}

fn trusted(authority: &[u8], chain: &[Vec<u8>], now: Now) -> Result<(), String> {
    match Authorities::new(&[authority.to_vec()]) {
        Ok(Some(authorities)) => authorities.verify(chain, now.unix_s),
        _ => Err(
            "the group's authority is not a usable certificate; give the group the PEM file of one"
                .to_owned(),
        ),
    }
}

fn admitted_by(group: &EnrollmentGroup, id: &str, leaf: &[u8]) -> Admitted {
    Admitted {
        settings: group.settings.clone(),
        device_id: id.to_owned(),
        credentials: thumbprint_of(leaf),
        attestation: ("x509", certificate_info(leaf, Some(&group.name))),
    }
}

fn thumbprint_of(leaf: &[u8]) -> Credentials {
    Credentials::SelfSigned {
        primary: Thumbprint::sha256(leaf),
        secondary: None,
    }
}

fn check_common_name(id: &str, leaf: &[u8]) -> Result<(), Refused> {
    let common_name = x509::common_name(leaf).unwrap_or_default();
    if common_name.eq_ignore_ascii_case(id) {
        return Ok(());
    }
    let id = id.to_owned();
    Err((401, Reason::CertificateCommonName { common_name, id }))
}

fn certificate_info(leaf: &[u8], group: Option<&str>) -> Value {
    let version_1 = ClientCertificate::parse(leaf).is_some_and(|leaf| leaf.is_version_1());
    let mut info = json!({
        "certificateInfo": {
            "subjectName": format!("CN={}", x509::common_name(leaf).unwrap_or_default()),
            "sha1Thumbprint": Thumbprint::sha1(leaf).to_string(),
            "sha256Thumbprint": Thumbprint::sha256(leaf).to_string(),
            "version": if version_1 { 1 } else { 3 },
        }
    });
    if let (Some(group), Value::Object(info)) = (group, &mut info) {
        info.insert("enrollmentGroupId".to_owned(), group.into());
    }
    info
}
