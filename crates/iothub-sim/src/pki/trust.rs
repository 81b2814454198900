//! A second look at chains that the strict check has refused.

use rustls::crypto::aws_lc_rs;
use x509_cert::{name::Name, spki::SubjectPublicKeyInfoOwned};

use super::client::{Algorithms, ClientCertificate, Dated};

/// More certificates between a device and its authority are not looked at.
const MAX_INTERMEDIATES: usize = 6;
/// Names are shown up to this many characters.
const MAX_NAME: usize = 120;

/// Accepts a chain (leaf first) that was refused only for the leaf's version 1; says why otherwise.
///
/// Names, signatures, dates and path lengths are checked; name constraints are not.
///
/// # Errors
///
/// What is wrong with the chain, and the remedy.
pub(crate) fn second_look(
    authorities: &[Vec<u8>],
    chain: &[Vec<u8>],
    unix_s: u64,
) -> Result<(), String> {
    let Some((leaf_der, sent)) = chain.split_first() else {
        return Err("no certificate was presented".to_owned());
    };
    let leaf = ClientCertificate::parse(leaf_der)
        .ok_or("it cannot be read as X.509 certificate; make it anew, for example with openssl")?;
    let parse = |ders: &[Vec<u8>]| -> Vec<_> {
        ders.iter()
            .filter_map(|der| ClientCertificate::parse(der))
            .collect()
    };
    let sent = parse(sent.get(..MAX_INTERMEDIATES).unwrap_or(sent));
    let anchors = parse(authorities);
    let look = Look {
        anchors,
        sent,
        algorithms: aws_lc_rs::default_provider()
            .signature_verification_algorithms
            .all,
        unix_s,
    };
    if authorities.contains(leaf_der) {
        return Err(
            "it is the certificate of the authority itself; issue one for the device with it"
                .to_owned(),
        );
    }
    look.alone(&leaf)?;
    look.issued(&leaf)?;
    if leaf.is_version_1() {
        return Ok(());
    }
    if !leaf.may_be_client() {
        return Err("its extended key usage does not allow TLS clients; issue it with `extendedKeyUsage = clientAuth`".to_owned());
    }
    Err("it or an intermediate breaks a rule of X.509 (path length, name constraints, a critical extension); find which with `openssl verify -x509_strict -CAfile authority.pem -untrusted intermediates.pem device.pem`".to_owned())
}

/// A name and a key that may have signed certificates.
struct Issuer<'a> {
    name: &'a Name,
    key: &'a SubjectPublicKeyInfoOwned,
    /// How many authorities may stand below it.
    below: Option<u8>,
}

struct Look {
    anchors: Vec<ClientCertificate>,
    sent: Vec<ClientCertificate>,
    algorithms: &'static Algorithms,
    unix_s: u64,
}

impl Look {
    /// What can be said about the device's certificate without its issuer.
    fn alone(&self, leaf: &ClientCertificate) -> Result<(), String> {
        if leaf.subject() == leaf.issuer() && leaf.signed_by(leaf.key(), self.algorithms) {
            return Err("it is self-signed, but a certificate that an authority has signed is expected here; sign it with the authority, or register the device with this certificate's thumbprint".to_owned());
        }
        if leaf.authority().is_some() {
            return Err("it is the certificate of an authority, not of a device; issue the device's with `basicConstraints = CA:FALSE`".to_owned());
        }
        match leaf.dated(self.unix_s) {
            Dated::Expired => return Err("it has expired; issue a new one".to_owned()),
            Dated::NotYet => {
                return Err("it is not valid yet; check its dates, and the clock of the machine that issued it".to_owned());
            }
            Dated::Valid => {}
        }
        if !leaf.signature_is_known(self.algorithms) {
            return Err("it is signed with an algorithm that is not accepted; sign it with SHA-256 and RSA or ECDSA".to_owned());
        }
        Ok(())
    }

    fn issued(&self, leaf: &ClientCertificate) -> Result<(), String> {
        let mut issuers = self.issuers().into_iter();
        if issuers.any(|issuer| self.signed(&issuer, leaf)) {
            return Ok(());
        }
        Err(self.why_not_issued(leaf))
    }

    /// The authorities, and the intermediates that lead to them.
    fn issuers(&self) -> Vec<Issuer<'_>> {
        let mut known: Vec<Issuer<'_>> = self
            .anchors
            .iter()
            .map(|anchor| Issuer {
                name: anchor.subject(),
                key: anchor.key(),
                below: None,
            })
            .collect();
        let mut waiting: Vec<_> = self
            .sent
            .iter()
            .filter(|sent| sent.dated(self.unix_s) == Dated::Valid)
            .filter_map(|sent| Some((sent, sent.authority()?)))
            .collect();
        loop {
            let before = waiting.len();
            waiting.retain(|(sent, own)| {
                let above = known
                    .iter()
                    .find(|issuer| issuer.below != Some(0) && self.signed(issuer, sent));
                let Some(above) = above else {
                    return true;
                };
                let inherited = above.below.map(|below| below.saturating_sub(1));
                let below = match (inherited, *own) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (a, b) => a.or(b),
                };
                known.push(Issuer {
                    name: sent.subject(),
                    key: sent.key(),
                    below,
                });
                false
            });
            if waiting.len() == before {
                return known;
            }
        }
    }

    fn signed(&self, issuer: &Issuer<'_>, certificate: &ClientCertificate) -> bool {
        issuer.name == certificate.issuer() && certificate.signed_by(issuer.key, self.algorithms)
    }

    fn why_not_issued(&self, leaf: &ClientCertificate) -> String {
        let issuer = shown(leaf.issuer());
        let named = |certificate: &&ClientCertificate| certificate.subject() == leaf.issuer();
        if let Some(sent) = self.sent.iter().find(named) {
            return if !leaf.signed_by(sent.key(), self.algorithms) {
                format!(
                    "its signature was not made with the key of the intermediate `{issuer}` that was sent with it; send the one that signed it"
                )
            } else if sent.authority().is_none() {
                format!(
                    "`{issuer}`, which signed it, is not the certificate of an authority; issue that one with `basicConstraints = CA:TRUE`"
                )
            } else if sent.dated(self.unix_s) != Dated::Valid {
                format!(
                    "the intermediate `{issuer}` that was sent with it is not valid at this date; issue that one anew"
                )
            } else {
                format!(
                    "no accepted authority signed the intermediate `{issuer}` that was sent with it; upload the certificate of `{}`, and send all intermediates",
                    shown(sent.issuer())
                )
            };
        }
        if self.anchors.iter().any(|anchor| named(&anchor)) {
            return format!(
                "its signature was not made with the key of the authority `{issuer}` (RSA: at least 2048 bits); the authority was made anew or the certificate was changed: sign it again, or upload the authority that signed it"
            );
        }
        format!(
            "no accepted authority signed it, its issuer is `{issuer}`; upload the authority's certificate, and send intermediates with the device certificate"
        )
    }
}

/// A name for one line of a log.
fn shown(name: &Name) -> String {
    name.to_string()
        .chars()
        .filter(|character| !character.is_control())
        .take(MAX_NAME)
        .collect()
}
