//! Failed handshakes in words, with a remedy.

use rustls::{AlertDescription, CertificateError, Error, PeerIncompatible};

use super::{TlsVersions, hello::Offer};
use crate::reason::Reason;

/// A client whose versions of TLS are not spoken.
pub(super) fn no_version(spoken: TlsVersions, offer: Option<&Offer>) -> Reason {
    let offered = offer.map_or_else(String::new, |offer| {
        format!(" (offered: {})", offer.versions_named())
    });
    let wanted = match spoken {
        TlsVersions::Tls12 => "TLS 1.2",
        TlsVersions::Tls12And13 => "TLS 1.2 or 1.3",
        TlsVersions::Tls13 => "TLS 1.3",
    };
    let detail = format!(
        "the client offers no TLS version that is spoken here{offered}; set it to {wanted}"
    );
    Reason::TlsFailed { detail }
}

/// A client that sends an alert instead of a ClientHello.
pub(super) fn gave_up(alert: AlertDescription) -> Reason {
    let detail = format!(
        "the client gave up by itself with the TLS alert {alert:?} before its ClientHello; its own TLS settings do not work (versions, cipher suites, certificate and key), see its log"
    );
    Reason::TlsFailed { detail }
}

/// Puts a TLS error into words with a remedy.
pub(super) fn failure(
    error: &Error,
    offered: &[rustls::CipherSuite],
    spoken: TlsVersions,
) -> Reason {
    let detail = match error {
        Error::AlertReceived(alert) => refused_by_client(*alert),
        Error::PeerIncompatible(
            PeerIncompatible::Tls12NotOffered
            | PeerIncompatible::Tls12NotOfferedOrEnabled
            | PeerIncompatible::ServerTlsVersionIsDisabledByOurConfig
            | PeerIncompatible::SupportedVersionsExtensionRequired,
        ) => return no_version(spoken, None),
        Error::InvalidCertificate(CertificateError::BadSignature) => "the client's signature was not made with the key of its certificate (RSA: at least 2048 bits); load the certificate and the key that belong together".to_owned(),
        Error::InvalidCertificate(_) => "the client's certificate or its key cannot be used; make an X.509 certificate with an RSA key of 2048 bits or an ECDSA key on P-256, and load it with the key that belongs to it".to_owned(),
        Error::PeerIncompatible(
            why @ (PeerIncompatible::NoCipherSuitesInCommon
            | PeerIncompatible::NoKxGroupsInCommon
            | PeerIncompatible::NoSignatureSchemesInCommon
            | PeerIncompatible::NamedGroupsExtensionRequired
            | PeerIncompatible::SignatureAlgorithmsExtensionRequired),
        ) => format!(
            "the client offers no cipher suite, curve and signature that fit ({}); allow ECDHE with AES-GCM, for example 0xC02F or 0xC030{}",
            lacking(why),
            listed(offered)
        ),
        other => other.to_string(),
    };
    Reason::TlsFailed { detail }
}

fn lacking(why: &PeerIncompatible) -> &'static str {
    match why {
        PeerIncompatible::NoKxGroupsInCommon => "no curve in common, P-256 is one",
        PeerIncompatible::NamedGroupsExtensionRequired => "it names no curves",
        PeerIncompatible::NoSignatureSchemesInCommon => "no signature algorithm in common",
        PeerIncompatible::SignatureAlgorithmsExtensionRequired => {
            "it names no signature algorithms"
        }
        _ => "no cipher suite in common",
    }
}

fn listed(offered: &[rustls::CipherSuite]) -> String {
    if offered.is_empty() {
        return String::new();
    }
    let names: Vec<_> = offered
        .iter()
        .map(|suite| format!("{:#06x}", u16::from(*suite)))
        .collect();
    format!(" (offered: {})", names.join(" "))
}

fn refused_by_client(alert: AlertDescription) -> String {
    use AlertDescription as A;
    let why = match alert {
        A::UnknownCA => "it does not trust the chain's root; load this hub's root certificate",
        A::CertificateExpired => {
            "it finds the certificate out of date; check its clock and the certificate's dates"
        }
        A::BadCertificate | A::CertificateUnknown | A::UnsupportedCertificate => {
            "it objects to the certificate; check root certificate, host name and clock"
        }
        A::DecryptError => "it cannot verify the handshake's signature",
        A::CloseNotify | A::UserCanceled => "it gave up",
        _ => "see the alert",
    };
    format!("the client refused the server with the TLS alert {alert:?}: {why}")
}
