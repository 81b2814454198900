//! Credentials of hub identities, judged.

use mqtt311::Connect;

use super::{
    Hub, TlsFacts,
    registry::{Endpoint, HubState},
};
use crate::{
    config::{Credentials, Permission},
    identity::Identity,
    key::SharedAccessKey,
    reason::Reason,
    record::Proof,
    sas::Token,
    thumbprint::Thumbprint,
    time::Now,
    x509,
};

impl Hub {
    pub(super) fn authenticate(
        &self,
        now: Now,
        tls: &TlsFacts,
        connect: &Connect,
        hub: &HubState,
        identity: &Identity,
        endpoint: &Endpoint,
    ) -> Result<(Proof, Option<u64>), Reason> {
        let password = connect.password.as_deref().unwrap_or_default();
        let id = || identity.client_id();
        if password.is_empty() {
            return match &endpoint.credentials {
                Credentials::SharedAccessKeys { .. } => Err(Reason::PasswordMissing { id: id() }),
                credentials => {
                    certificate(now, tls, hub, identity, credentials).map(|proof| (proof, None))
                }
            };
        }
        let token = Token::parse(password, self.rules.accept_raw_signature);
        let has_policy = matches!(&token, Ok(token) if token.policy.is_some());
        let own_keys: &[&SharedAccessKey] = match &endpoint.credentials {
            Credentials::SharedAccessKeys { primary, secondary } => &[primary, secondary],
            _ if has_policy => &[],
            _ => return Err(Reason::PasswordForCertificate { id: id() }),
        };
        let token = token?;
        let scope_fits = hub
            .names
            .iter()
            .any(|host| token.covers(host, &identity.path()));
        if !scope_fits {
            return Err(Reason::TokenScope {
                scope: token.scope,
                expected: format!("{}/{}", hub.host, identity.path()),
            });
        }
        let proof = match &token.policy {
            None if token.signed_with(own_keys.iter().copied()) => Proof::SasToken,
            None => {
                return Err(Reason::TokenSignature {
                    of: format!("`{}`", id()),
                });
            }
            Some(name) => {
                policy(hub, name, &token)?;
                Proof::PolicyToken
            }
        };
        let ends = token
            .expires_unix_s
            .saturating_add(self.rules.expiry_tolerance_s);
        if now.unix_s >= ends {
            return Err(Reason::TokenExpired {
                expired_unix_s: token.expires_unix_s,
                now_unix_s: now.unix_s,
            });
        }
        Ok((proof, Some(token.expires_unix_s)))
    }
}

fn policy(hub: &HubState, name: &str, token: &Token<'_>) -> Result<(), Reason> {
    let Some(policy) = hub.policies.iter().find(|policy| policy.name == name) else {
        return Err(Reason::TokenPolicyUnknown {
            policy: name.to_owned(),
        });
    };
    if !token.signed_with([&policy.primary_key, &policy.secondary_key]) {
        return Err(Reason::TokenSignature {
            of: format!("the policy `{name}`"),
        });
    }
    if !policy.permissions.contains(&Permission::DeviceConnect) {
        return Err(Reason::TokenPolicyForbids {
            policy: name.to_owned(),
            permission: "DeviceConnect",
        });
    }
    Ok(())
}

/// Judges the client certificate of an X.509 identity.
fn certificate(
    now: Now,
    tls: &TlsFacts,
    hub: &HubState,
    identity: &Identity,
    credentials: &Credentials,
) -> Result<Proof, Reason> {
    let id = identity.client_id();
    let Some(leaf) = tls.client_certificates.first() else {
        return Err(Reason::CertificateMissing { id });
    };
    match credentials {
        Credentials::SelfSigned { primary, secondary } => {
            let known = primary.matches(leaf) || secondary.is_some_and(|t| t.matches(leaf));
            if !known {
                return Err(Reason::CertificateThumbprint {
                    id,
                    sha1: Thumbprint::sha1(leaf),
                    sha256: Thumbprint::sha256(leaf),
                });
            }
            Ok(Proof::Thumbprint)
        }
        Credentials::CertificateAuthority => {
            let chain = &tls.client_certificates;
            let trusted = match &hub.authorities {
                Some(authorities) => authorities.verify(chain, now.unix_s),
                None => Err("the hub has no certificate authority; upload one".to_owned()),
            };
            trusted.map_err(|detail| Reason::CertificateUntrusted {
                id: id.clone(),
                detail,
            })?;
            let common_name = x509::common_name(leaf).unwrap_or_default();
            if common_name != id {
                return Err(Reason::CertificateCommonName { common_name, id });
            }
            Ok(Proof::CertificateAuthority)
        }
        Credentials::SharedAccessKeys { .. } => Err(Reason::PasswordMissing { id }),
    }
}
