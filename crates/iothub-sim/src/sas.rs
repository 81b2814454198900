//! Shared access signatures, judged.
//!
//! The signature covers `sr` exactly as received; the scope is compared decoded. So a client may
//! encode `sr` in any way it likes, as long as it signs what it sends.

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{key::SharedAccessKey, percent, reason::Reason};

const PREFIX: &str = "SharedAccessSignature ";

/// A SAS token taken apart.
pub(crate) struct Token<'a> {
    /// `sr` as received: part of what is signed.
    raw_scope: &'a str,
    /// `sr` decoded.
    pub(crate) scope: String,
    signature: Vec<u8>,
    raw_expiry: &'a str,
    /// `se`, seconds since 1970.
    pub(crate) expires_unix_s: u64,
    /// `skn`, unless absent or empty.
    pub(crate) policy: Option<String>,
}

impl<'a> Token<'a> {
    pub(crate) fn parse(password: &'a [u8], accept_raw_signature: bool) -> Result<Self, Reason> {
        let fault = |fault| move || Reason::TokenForm { fault };
        let text = str::from_utf8(password).map_err(|_| fault("it is not UTF-8 text")())?;
        let fields = text
            .strip_prefix(PREFIX)
            .ok_or_else(fault("it does not begin with `SharedAccessSignature `"))?;
        let field = |name: &str| {
            fields
                .split('&')
                .filter_map(|field| field.split_once('='))
                .find(|(key, _)| *key == name)
                .map(|(_, value)| value)
        };
        let raw_scope = field("sr").ok_or_else(fault("the field `sr` is missing"))?;
        let raw_signature = field("sig").ok_or_else(fault("the field `sig` is missing"))?;
        let raw_expiry = field("se").ok_or_else(fault("the field `se` is missing"))?;
        let decimal = !raw_expiry.is_empty() && raw_expiry.bytes().all(|b| b.is_ascii_digit());
        let expires_unix_s = raw_expiry
            .parse()
            .ok()
            .filter(|_| decimal)
            .ok_or_else(fault("`se` is not a number of seconds since 1970"))?;
        // A raw `/` is what Microsoft's own service SDK for Python sends.
        if !accept_raw_signature
            && let Some(character) = raw_signature.chars().find(|c| "+=".contains(*c))
        {
            return Err(Reason::TokenSignatureRaw { character });
        }
        let signature = percent::decode(raw_signature)
            .and_then(|text| STANDARD.decode(text).ok())
            .ok_or_else(fault("`sig` is not percent-encoded base64"))?;
        let scope = percent::decode(raw_scope).ok_or_else(fault("`sr` is not UTF-8"))?;
        let policy = field("skn")
            .filter(|name| !name.is_empty())
            .map(percent::decode_lossy);
        Ok(Self {
            raw_scope,
            scope,
            signature,
            raw_expiry,
            expires_unix_s,
            policy,
        })
    }

    /// Whether any of these keys made the signature.
    pub(crate) fn signed_with<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k SharedAccessKey>,
    ) -> bool {
        let signed = format!("{}\n{}", self.raw_scope, self.raw_expiry);
        keys.into_iter()
            .any(|key| key.verifies(signed.as_bytes(), &self.signature))
    }

    /// Whether the token covers `host/path`: its scope is that or, by whole segments, above it.
    pub(crate) fn covers(&self, host: &str, path: &str) -> bool {
        let (scope_host, scope_path) = match self.scope.split_once('/') {
            Some((host, path)) => (host, Some(path)),
            None => (self.scope.as_str(), None),
        };
        scope_host.eq_ignore_ascii_case(host)
            && scope_path.is_none_or(|above| {
                path.strip_prefix(above)
                    .is_some_and(|below| below.is_empty() || below.starts_with('/'))
            })
    }
}

/// A token for `resource` (not yet encoded) that is valid until `expires_unix_s`.
///
/// For the service side and for tests; a device makes its own.
#[must_use]
pub fn sas_token(
    resource: &str,
    key: &SharedAccessKey,
    expires_unix_s: u64,
    policy: Option<&str>,
) -> String {
    let scope = percent::encode(resource);
    let signature = key.sign(format!("{scope}\n{expires_unix_s}").as_bytes());
    let signature = percent::encode(&STANDARD.encode(signature));
    let mut token = format!("{PREFIX}sr={scope}&sig={signature}&se={expires_unix_s}");
    if let Some(policy) = policy {
        token.push_str("&skn=");
        token.push_str(&percent::encode(policy));
    }
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Token<'_>, Reason> {
        Token::parse(text.as_bytes(), false)
    }

    #[test]
    fn any_order_and_any_hex_case() {
        let key: SharedAccessKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
            .parse()
            .unwrap();
        let token = "SharedAccessSignature sr=contoso.azure-devices.net%2Fdevices%2Fdevice1&sig=1sY1G3%2B%2BFZar2HfkFZit4C3IGSAfGbAJ1zno1WkK9d4%3D&se=1700003600";
        assert_eq!(
            sas_token(
                "contoso.azure-devices.net/devices/device1",
                &key,
                1_700_003_600,
                None
            ),
            token
        );
        let other_order = "SharedAccessSignature se=1700003600&skn=&sig=1sY1G3%2b%2bFZar2HfkFZit4C3IGSAfGbAJ1zno1WkK9d4%3d&sr=contoso.azure-devices.net%2Fdevices%2Fdevice1";
        for text in [token, other_order] {
            let parsed = parse(text).unwrap();
            assert!(parsed.signed_with([&SharedAccessKey::from_bytes([1]), &key]));
            assert!(parsed.covers("Contoso.azure-devices.net", "devices/device1"));
            assert_eq!(parsed.expires_unix_s, 1_700_003_600);
            assert_eq!(parsed.policy, None);
        }
        // The same scope in other letters is another text to sign.
        let changed = token.replace("%2F", "%2f");
        assert!(!parse(&changed).unwrap().signed_with([&key]));
    }

    #[test]
    fn scopes() {
        for (scope, covered) in [
            ("h.net", true),
            ("H.NET", true),
            ("h.net/devices", true),
            ("h.net/devices/d", true),
            ("h.net/devices/d/modules/m", true),
            ("h.net/devices/d/modules/mm", false),
            ("h.net/devices/d/modules", true),
            ("h.net/dev", false),
            ("h.net/devices/D", false),
            ("h.net/devices/d/", false),
            ("g.net/devices/d", false),
            ("", false),
        ] {
            let token = format!("SharedAccessSignature sr={scope}&sig=AAAA&se=1");
            let token = Token::parse(token.as_bytes(), false).unwrap();
            assert_eq!(
                token.covers("h.net", "devices/d/modules/m"),
                covered,
                "{scope}"
            );
        }
    }

    #[test]
    fn malformed() {
        for (text, code) in [
            ("", "token-form"),
            ("secret", "token-form"),
            ("sharedaccesssignature sr=a&sig=AAAA&se=1", "token-form"),
            ("SharedAccessSignature sig=AAAA&se=1", "token-form"),
            ("SharedAccessSignature sr=a&se=1", "token-form"),
            ("SharedAccessSignature sr=a&sig=AAAA", "token-form"),
            ("SharedAccessSignature sr=a&sig=AAAA&se=", "token-form"),
            ("SharedAccessSignature sr=a&sig=AAAA&se=+1", "token-form"),
            ("SharedAccessSignature sr=a&sig=AAAA&se=1.5", "token-form"),
            (
                "SharedAccessSignature sr=a&sig=AAAA&se=99999999999999999999999",
                "token-form",
            ),
            ("SharedAccessSignature sr=a&sig=A&se=1", "token-form"),
            ("SharedAccessSignature sr=%ff&sig=AAAA&se=1", "token-form"),
            (
                "SharedAccessSignature sr=a&sig=AA+A&se=1",
                "token-signature-raw",
            ),
            (
                "SharedAccessSignature sr=a&sig=AA==&se=1",
                "token-signature-raw",
            ),
        ] {
            assert_eq!(parse(text).err().map(|r| r.code()), Some(code), "{text}");
        }
        assert!(Token::parse(b"SharedAccessSignature sr=a&sig=AA+A&se=1", true).is_ok());
        assert!(parse("SharedAccessSignature sr=a&sig=AA/A&se=1").is_ok());
    }
}
