//! The certificates of a configuration: dates, roles, and whether key and certificate belong together.

use quectel_serial::quectel_azure::azure_auth::roots::{ROOTS, Role};
use quectel_serial::{Proof, Settings};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use x509_cert::Certificate;
use x509_cert::der::DecodePem;

use super::preflight::Problem;

const G2: &str = "leave --ca out: DigiCert Global Root G2, which Azure uses, is built in";

pub(super) fn problems(settings: &Settings, now: u64) -> Vec<Problem> {
    let mut problems = Vec::new();
    if let Proof::X509 { certificate, key } = &settings.proof {
        client(certificate, key.reveal(), settings, now, &mut problems);
    }
    if let Some(ca) = &settings.ca {
        root(ca, settings, now, &mut problems);
    }
    problems
}

fn client(
    certificate: &str,
    key: &str,
    settings: &Settings,
    now: u64,
    problems: &mut Vec<Problem>,
) {
    let Ok(parsed) = Certificate::from_pem(certificate) else {
        problems.push(Problem::error(
            "file.pem-armor-missing",
            "The client certificate is not a certificate in PEM.",
            "look at it with: openssl x509 -in FILE -noout -text",
        ));
        return;
    };
    if let Some(when) = dates(&parsed, now) {
        problems.push(Problem::error(
            "config.certificate",
            format!("The client certificate {when}."),
            "make a new certificate, and register it at the hub; check this computer's clock",
        ));
    }
    let subject = parsed.tbs_certificate().subject().to_string();
    if !subject.contains(&format!("CN={}", settings.device_id)) {
        let message = format!(
            "The certificate's subject is {subject}, and the device is {}: a certificate that is signed by an authority \
             must have the device id as its common name; one registered by its thumbprint need not.",
            settings.device_id
        );
        let fix = "check how the device is registered";
        problems.push(Problem::error("config.certificate", message, fix).warning());
    }
    problems.extend(pair(certificate, key));
}

fn pair(certificate: &str, key: &str) -> Option<Problem> {
    let Ok(key) = PrivateKeyDer::from_pem_slice(key.as_bytes()) else {
        // An encrypted key and one that is no PEM are the settings' own findings.
        return None;
    };
    let chain: Result<Vec<CertificateDer<'static>>, _> =
        CertificateDer::pem_slice_iter(certificate.as_bytes()).collect();
    let provider = rustls::crypto::aws_lc_rs::default_provider();
    match CertifiedKey::from_der(chain.ok()?, key, &provider) {
        Err(rustls::Error::InconsistentKeys(_)) => Some(Problem::error(
            "file.cert-key-not-a-pair",
            "The key does not belong to the client certificate: their public keys differ.",
            "compare: openssl x509 -in CERT -noout -pubkey and openssl pkey -in KEY -pubout",
        )),
        Err(error) => Some(Problem::error(
            "file.key-format",
            format!("The client key cannot be used: {error}."),
            "make a key of 2048-bit RSA or of the curve P-256",
        )),
        Ok(_) => None,
    }
}

fn root(ca: &str, settings: &Settings, now: u64, problems: &mut Vec<Problem>) {
    let Ok(parsed) = Certificate::from_pem(ca) else {
        // That it is no PEM is a finding of the settings' own check.
        if settings.check().is_ok() {
            problems.push(Problem::error(
                "file.bom-or-garbage",
                "The root certificate has its BEGIN and END lines, and what is between them is no certificate.",
                "look at it with: openssl x509 -in FILE -noout -text",
            ));
        }
        return;
    };
    let tbs = parsed.tbs_certificate();
    let subject = tbs.subject().to_string();
    if let Some(when) = dates(&parsed, now) {
        let id = if subject.contains("Baltimore") {
            "tls.ca-retired-baltimore"
        } else {
            "tls.ca-wrong-for-host"
        };
        problems.push(Problem::error(
            id,
            format!("The root certificate ({subject}) {when}."),
            G2,
        ));
        return;
    }
    if tbs.issuer() != tbs.subject() {
        let message =
            format!("The certificate of --ca ({subject}) is signed by another: it is no root.");
        let fix = "give the root at the end of the chain; for Azure leave --ca out";
        problems.push(Problem::error("tls.ca-wrong-for-host", message, fix).warning());
        return;
    }
    let azure = settings
        .hub
        .to_ascii_lowercase()
        .ends_with(".azure-devices.net");
    let known = ROOTS
        .iter()
        .find(|root| subject.contains(&format!("CN={}", root.name)));
    if azure && known.is_none_or(|root| root.role != Role::Current) {
        let message = format!(
            "The root of --ca is {subject}; hubs of Azure's global cloud are signed under DigiCert Global Root G2."
        );
        let problem = Problem::error("tls.ca-wrong-for-host", message, G2);
        // A hub of a test has a root of its own.
        problems.push(if known.is_some() {
            problem
        } else {
            problem.warning()
        });
    }
}

/// `expired …` or `is not valid before …`, by this computer's clock.
fn dates(certificate: &Certificate, now: u64) -> Option<String> {
    let validity = certificate.tbs_certificate().validity();
    let (from, until) = (validity.not_before, validity.not_after);
    if until.to_unix_duration().as_secs() < now {
        return Some(format!("expired on {until}"));
    }
    (from.to_unix_duration().as_secs() > now)
        .then(|| format!("is not valid before {from} by this computer's clock"))
}
