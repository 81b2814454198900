//! Causes in client certificate and key: swapped, of different devices, unreadable.

use super::file_contents::suspects;
use super::{Case, Cause, Confidence, Evidence, Rule, Severity};
use crate::mask::Quote;
use crate::session::files::File;

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "file.cert-key-swapped",
        title: "Client certificate and key are in each other's place",
        severity: Severity::Error,
        symptom: "mutual TLS fails although all files are there",
        reason: "The module does not look into the files when they are bound; a key where the certificate belongs fails \
                 only in the handshake.",
        check: &["AT+QFDWL=\"{clientcert}\"", "AT+QFDWL=\"{clientkey}\""],
        fix: &[
            "AT+QSSLCFG=\"clientcert\",{ssl},\"{clientkey}\"",
            "AT+QSSLCFG=\"clientkey\",{ssl},\"{clientcert}\"",
        ],
        sources: &["forums.quectel.com/t/5965"],
        rule: Rule::Attempt(swapped),
    },
    Cause {
        id: "file.cert-key-not-a-pair",
        title: "Certificate and key carry the names of different devices",
        severity: Severity::Warning,
        symptom: "CONNACK 5, or the server drops the handshake",
        reason: "The key must be the one that the certificate was made for; names that differ in a number suggest that it \
                 is not.",
        check: &[],
        fix: &[
            "(upload the key of the same device and bind it)",
            "AT+QSSLCFG=\"clientkey\",{ssl},\"<key of that certificate>\"",
        ],
        sources: &["MicrosoftDocs/azure-docs issue 69882"],
        rule: Rule::Attempt(not_a_pair),
    },
    Cause {
        id: "file.key-format",
        title: "The private key is in a form that the module may not read",
        severity: Severity::Warning,
        symptom: "client authentication fails with a good certificate",
        reason: "An encrypted key cannot be opened without its password, and not every module reads elliptic-curve keys.",
        check: &["AT+QFDWL=\"{clientkey}\""],
        fix: &[
            "(on the PC: openssl pkcs8 -topk8 -nocrypt -in device.key -out device.pem, then upload device.pem)",
        ],
        sources: &["MicrosoftDocs/azure-docs issue 21179"],
        rule: Rule::Attempt(key_format),
    },
];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Certificate,
    Key,
}

/// What a name or a poster's placeholder says about a file.
fn kind_of_words(text: &str) -> Option<Kind> {
    let lower = text.to_ascii_lowercase();
    let key = lower.contains("key") || lower.contains("private");
    let certificate = lower.contains("cert") || lower.contains(".crt");
    match (key, certificate) {
        (true, false) => Some(Kind::Key),
        (false, true) => Some(Kind::Certificate),
        // `client_key_cert`: it says both. `certificate.pem.key`: the last word counts.
        (true, true) if lower.contains("private") => Some(Kind::Key),
        _ => None,
    }
}

fn kind_of_contents(file: &File) -> Option<(Kind, Confidence, &Quote)> {
    if let Some(pem) = &file.pem {
        let kind = if pem.is_key() {
            Kind::Key
        } else {
            Kind::Certificate
        };
        return Some((kind, Confidence::Certain, &pem.quote));
    }
    let (label, quote) = file.label.as_ref()?;
    Some((kind_of_words(label)?, Confidence::Likely, quote))
}

fn swapped(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let settings = case.intended()?;
    if !(case.tls_failed() || (attempt.is_open() && attempt.failed())) {
        return None;
    }
    let (certificate, key) = (settings.get("clientcert")?, settings.get("clientkey")?);
    let bindings = [&certificate.quote, &key.quote];
    let contents = |setting| case.file(setting).and_then(kind_of_contents);
    let (in_certificate, in_key) = (contents("clientcert"), contents("clientkey"));
    let key_for_certificate = in_certificate.filter(|(kind, ..)| *kind == Kind::Key);
    let certificate_for_key = in_key.filter(|(kind, ..)| *kind == Kind::Certificate);
    if let Some((_, confidence, quote)) = key_for_certificate.or(certificate_for_key) {
        let both = key_for_certificate.is_some() && certificate_for_key.is_some();
        let detail = if both {
            format!(
                "By the log `{}` holds the private key and `{}` the certificate.",
                certificate.text(),
                key.text()
            )
        } else {
            "The file bound as certificate or key holds the other of the two.".to_owned()
        };
        let second = certificate_for_key.map(|(_, _, quote)| quote);
        let quotes: Vec<&Quote> = core::iter::once(quote)
            .chain(second)
            .chain(bindings)
            .collect();
        return Some(Evidence::error(confidence, detail).quoting(quotes));
    }
    if in_certificate.is_some() || in_key.is_some() {
        return None;
    }
    let names = (kind_of_words(certificate.text()), kind_of_words(key.text()));
    let swapped = match names {
        (Some(Kind::Key), other) => other != Some(Kind::Key),
        (other, Some(Kind::Certificate)) => other != Some(Kind::Certificate),
        _ => false,
    };
    if swapped {
        let detail = format!(
            "`{}` is bound as certificate and `{}` as key.",
            certificate.text(),
            key.text()
        );
        return Some(Evidence::error(Confidence::Likely, detail).quoting(bindings));
    }
    let size = |setting| case.file(setting).and_then(|file| file.size);
    let sizes = size("clientcert").zip(size("clientkey"));
    let swapped = matches!(sizes, Some((1670..=1710, 1150..=1310)));
    swapped.then(|| {
        let detail = "The file bound as certificate has the size of an RSA key and the other one that of a certificate.";
        Evidence::warning(Confidence::Possible, detail).quoting(bindings)
    })
}

fn not_a_pair(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    if !(case.tls_failed() || attempt.failed()) {
        return None;
    }
    let settings = case.intended()?;
    let (certificate, key) = (settings.get("clientcert")?, settings.get("clientkey")?);
    let label = |setting: &str, name: &str| {
        let label = case
            .file(setting)
            .and_then(|file| file.label.as_ref().map(|(label, _)| label.clone()));
        label
            .filter(|label| device_in(label).is_some())
            .unwrap_or_else(|| name.to_owned())
    };
    let (cert_name, key_name) = (
        label("clientcert", certificate.text()),
        label("clientkey", key.text()),
    );
    let (mine, theirs) = (device_in(&cert_name)?, device_in(&key_name)?);
    if mine == theirs || shape(&mine) != shape(&theirs) {
        return None;
    }
    let detail = format!("The certificate is named after `{mine}` and the key after `{theirs}`.");
    Some(Evidence::warning(Confidence::Likely, detail).quoting([&certificate.quote, &key.quote]))
}

/// The part of a file name that names a device: what is left without the words that every such file has.
fn device_in(name: &str) -> Option<String> {
    const COMMON: &[&str] = &[
        "client",
        "cert",
        "certificate",
        "key",
        "private",
        "public",
        "pem",
        "crt",
        "cer",
        "der",
        "user",
        "my",
        "new",
        "aws",
        "azure",
        "tls",
        "ssl",
        "rsa",
        "ecc",
        "ufs",
        "ram",
        "security",
        "the",
        "input",
        "data",
        "bytes",
        "size",
    ];
    let lower = name.to_ascii_lowercase();
    lower
        .split(|c: char| !c.is_ascii_alphanumeric())
        .find(|word| {
            let both = word.bytes().any(|b| b.is_ascii_digit())
                && word.bytes().any(|b| b.is_ascii_alphabetic());
            word.len() >= 3 && both && !COMMON.contains(word)
        })
        .map(str::to_owned)
}

/// Digits as one sign: `dev07` and `dev08` have the same shape.
fn shape(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect()
}

fn key_format(case: &Case<'_>) -> Option<Evidence> {
    let (_, file) = suspects(case)
        .into_iter()
        .find(|(setting, _)| *setting == "clientkey")?;
    let pem = file.pem.as_ref()?;
    let detail = if pem.encrypted {
        format!("`{}` is an encrypted private key.", file.name)
    } else if pem.label.starts_with("EC ") {
        format!("`{}` is an elliptic-curve key.", file.name)
    } else {
        return None;
    };
    let confidence = if pem.encrypted {
        Confidence::Likely
    } else {
        Confidence::Possible
    };
    Some(Evidence::warning(confidence, detail).quoting([&pem.quote, &file.quote]))
}
