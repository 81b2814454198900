//! What a password and a user name of MQTT CONNECT are, without keeping the secret itself.

use crate::host::has_placeholder;

/// A password, by its kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Password {
    /// No such parameter.
    Absent,
    Empty,
    Sas(Sas),
    /// `HostName=…;SharedAccessKey=…`; whether a ready token stands inside.
    ConnectionString {
        with_token: bool,
    },
    /// Base64 of 32 or 64 bytes.
    RawKey,
    /// Asterisks, x, `<token>`.
    Hidden,
    Other,
}

/// The parts of a SAS token.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Sas {
    /// `sr`, decoded.
    pub(crate) resource: Option<String>,
    pub(crate) signature: Signature,
    pub(crate) expiry_unix_s: Option<i64>,
    /// `se` is there but is no number.
    pub(crate) expiry_unreadable: bool,
    /// `skn`, decoded.
    pub(crate) policy: Option<String>,
    /// A field was taken out by the poster.
    pub(crate) hidden: bool,
    /// The prefix `SharedAccessSignature` is not followed by one blank and `sr=`.
    pub(crate) bad_prefix: bool,
}

/// How `sig` is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Signature {
    #[default]
    Missing,
    Encoded,
    /// With `+`, `/` or `=` as they are.
    Raw,
    /// `%252B`: encoded twice.
    Twice,
    /// Too short for HMAC-SHA256.
    Short,
}

const PREFIX: &str = "SharedAccessSignature";

impl Password {
    pub(crate) fn of(text: Option<&str>) -> Self {
        let Some(text) = text else {
            return Self::Absent;
        };
        let text = text.trim();
        if text.is_empty() {
            return Self::Empty;
        }
        let lower = text.to_ascii_lowercase();
        if ["hostname=", "sharedaccesskey=", "deviceid="]
            .iter()
            .any(|key| lower.contains(key))
        {
            return Self::ConnectionString {
                with_token: text.contains("SharedAccessSignature sr="),
            };
        }
        if lower.starts_with("sharedaccesssignature")
            || (lower.contains("sr=") && lower.contains("sig="))
        {
            return Self::Sas(Sas::of(text));
        }
        if has_placeholder(text) || text.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '.')) {
            return Self::Hidden;
        }
        if ["redacted", "password", "token", "secret"]
            .iter()
            .any(|word| lower.contains(word))
            && text.len() < 40
        {
            return Self::Hidden;
        }
        if is_raw_key(text) {
            Self::RawKey
        } else {
            Self::Other
        }
    }

    pub(crate) const fn sas(&self) -> Option<&Sas> {
        match self {
            Self::Sas(sas) => Some(sas),
            _ => None,
        }
    }
}

/// 32 or 64 bytes in Base64, with the padding that they need.
fn is_raw_key(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    let base64 = body
        .bytes()
        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/'));
    base64 && matches!((text.len(), body.len()), (44, 43) | (88, 86) | (43, 43))
}

impl Sas {
    fn of(text: &str) -> Self {
        let body = text.strip_prefix(PREFIX).unwrap_or(text);
        let mut sas = Self {
            bad_prefix: !text.starts_with("SharedAccessSignature sr="),
            ..Self::default()
        };
        // Fields may come in any order; only the blank behind the prefix is fixed.
        if body.starts_with(' ')
            && body.trim_start().starts_with(['s', 'S'])
            && !body.starts_with("  ")
        {
            sas.bad_prefix = !text.starts_with(PREFIX);
        }
        for pair in body.trim().split('&') {
            let (key, value) = pair.trim().split_once('=').unwrap_or((pair, ""));
            let hidden =
                has_placeholder(value) || value.chars().all(|c| matches!(c, '*' | 'x' | 'X' | '.'));
            if !value.is_empty() && hidden {
                sas.hidden = true;
            }
            match key {
                "sr" if !value.is_empty() => sas.resource = Some(decode(value)),
                "sig" if !value.is_empty() => {
                    sas.signature = if hidden {
                        Signature::Encoded
                    } else {
                        signature(value)
                    };
                }
                "se" => {
                    sas.expiry_unix_s = value.trim().parse().ok();
                    sas.expiry_unreadable =
                        sas.expiry_unix_s.is_none() && !hidden && !value.is_empty();
                }
                "skn" if !value.is_empty() => sas.policy = Some(decode(value)),
                _ => {}
            }
        }
        sas
    }

    /// A field that every token has is not there.
    pub(crate) fn is_truncated(&self) -> bool {
        !self.hidden
            && (self.resource.is_none()
                || matches!(self.signature, Signature::Missing | Signature::Short)
                || self.expiry_unix_s.is_none())
    }
}

fn signature(value: &str) -> Signature {
    let decoded = decode(value);
    let lower = value.to_ascii_lowercase();
    if lower.contains("%25") {
        Signature::Twice
    } else if value.contains(['+', '/', '=']) {
        Signature::Raw
    } else if decoded.len() < 40 {
        Signature::Short
    } else {
        Signature::Encoded
    }
}

/// Percent escapes resolved once; what is no escape stays.
pub(crate) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, after @ ..]) => {
                let digit = |b: &u8| {
                    char::from(*b)
                        .to_digit(16)
                        .and_then(|d| u8::try_from(d).ok())
                };
                digit(high)
                    .zip(digit(low))
                    .map(|(high, low)| (high * 16 + low, after))
            }
            _ => None,
        };
        let (byte, after) = escaped.unwrap_or((*first, tail));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A user name of MQTT CONNECT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UserName {
    Absent,
    Empty,
    /// `{host}/{device}[/{module}][/?api-version=…]`.
    Hub(HubUser),
    /// `{idScope}/registrations/{id}[/api-version=…]`.
    Dps(DpsUser),
    Hidden,
    /// Anything else, for brokers that are not Azure's; not kept.
    Other,
    /// Something with an Azure host in it that is neither.
    BrokenHub {
        host: Option<String>,
    },
}

/// Parts of a hub's user name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HubUser {
    pub(crate) host: String,
    /// `d1` or `d1/m1`.
    pub(crate) device: String,
    pub(crate) api_version: Option<String>,
    /// `/api-version=` without `?`, which the hub takes too.
    pub(crate) without_question_mark: bool,
}

/// Parts of DPS's user name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DpsUser {
    pub(crate) id_scope: String,
    pub(crate) registration: String,
    pub(crate) api_version: Option<String>,
    /// `?api-version=`, which DPS does not take.
    pub(crate) with_question_mark: bool,
}

impl UserName {
    pub(crate) fn of(text: Option<&str>) -> Self {
        let Some(text) = text else {
            return Self::Absent;
        };
        let text = text.trim();
        if text.is_empty() {
            return Self::Empty;
        }
        if let Some((scope, rest)) = text.split_once("/registrations/") {
            return Self::Dps(dps_user(scope, rest));
        }
        let lower = text.to_ascii_lowercase();
        let azure = lower.contains("azure-device")
            || lower.contains("-devices.net")
            || lower.contains("api-version=");
        if !azure {
            return if has_placeholder(text) {
                Self::Hidden
            } else {
                Self::Other
            };
        }
        match text.split_once('/') {
            Some((host, rest)) if host.contains('.') => hub_user(host, rest),
            _ => Self::BrokenHub {
                host: lower.contains('.').then(|| host_part(text)),
            },
        }
    }
}

fn host_part(text: &str) -> String {
    text.split(['/', '?']).next().unwrap_or(text).to_owned()
}

fn hub_user(host: &str, rest: &str) -> UserName {
    let (path, query) = match rest.find("api-version=") {
        Some(at) => rest.split_at_checked(at).unwrap_or((rest, "")),
        None => (rest, ""),
    };
    let question = path.ends_with('?') || query.is_empty();
    let slashed = path.trim_end_matches('?').ends_with('/');
    let device = path.trim_end_matches('?').trim_end_matches('/').to_owned();
    if device.is_empty() || (!query.is_empty() && !slashed) {
        return UserName::BrokenHub {
            host: Some(host.to_owned()),
        };
    }
    let api_version = version(query);
    UserName::Hub(HubUser {
        host: host.to_owned(),
        device,
        api_version,
        without_question_mark: !question,
    })
}

fn dps_user(scope: &str, rest: &str) -> DpsUser {
    let (registration, query) = rest.split_once('/').unwrap_or((rest, ""));
    let with_question_mark = query.starts_with('?') || registration.contains('?');
    let registration = registration
        .split('?')
        .next()
        .unwrap_or(registration)
        .to_owned();
    let query = rest
        .find("api-version=")
        .and_then(|at| rest.get(at..))
        .unwrap_or_default();
    DpsUser {
        id_scope: scope.to_owned(),
        registration,
        api_version: version(query),
        with_question_mark,
    }
}

fn version(query: &str) -> Option<String> {
    let value = query.strip_prefix("api-version=")?;
    Some(value.split('&').next().unwrap_or(value).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIG: &str = "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY%3D";

    #[test]
    fn passwords_are_told_apart() {
        let token = format!(
            "SharedAccessSignature sr=h%2Fdevices%2Fd1&sig={SIG}&se=1893456000&skn=registration"
        );
        let Password::Sas(sas) = Password::of(Some(&token)) else {
            panic!("no token")
        };
        assert_eq!(sas.resource.as_deref(), Some("h/devices/d1"));
        assert_eq!(
            (sas.signature, sas.expiry_unix_s),
            (Signature::Encoded, Some(1_893_456_000))
        );
        assert_eq!(sas.policy.as_deref(), Some("registration"));
        assert!(!sas.is_truncated() && !sas.bad_prefix);
        for (text, password) in [
            (None, Password::Absent),
            (Some(""), Password::Empty),
            (
                Some("HostName=h;DeviceId=d;SharedAccessKey=abc="),
                Password::ConnectionString { with_token: false },
            ),
            (
                Some("c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI="),
                Password::RawKey,
            ),
            (Some("********"), Password::Hidden),
            (Some("<sas token>"), Password::Hidden),
            (Some("geheim"), Password::Other),
        ] {
            assert_eq!(Password::of(text), password, "{text:?}");
        }
    }

    #[test]
    fn faults_of_a_token_are_seen() {
        for (fields, signature, truncated) in [
            (
                "sr=h&sig=QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZW+=&se=1",
                Signature::Raw,
                false,
            ),
            (
                "sr=h&sig=QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWY%253D&se=1",
                Signature::Twice,
                false,
            ),
            ("sr=h&sig=QUJD", Signature::Short, true),
            ("sr=h&se=1", Signature::Missing, true),
        ] {
            let Password::Sas(sas) = Password::of(Some(&format!("SharedAccessSignature {fields}")))
            else {
                panic!()
            };
            assert_eq!(
                (sas.signature, sas.is_truncated()),
                (signature, truncated),
                "{fields}"
            );
        }
    }

    #[test]
    fn user_names_are_told_apart() {
        let hub = |text: &str| match UserName::of(Some(text)) {
            UserName::Hub(user) => (
                user.host,
                user.device,
                user.api_version,
                user.without_question_mark,
            ),
            other => panic!("{other:?}"),
        };
        let version = || Some("2021-04-12".to_owned());
        let host = || "h.azure-devices.net".to_owned();
        assert_eq!(
            hub("h.azure-devices.net/d1/?api-version=2021-04-12"),
            (host(), "d1".into(), version(), false)
        );
        assert_eq!(
            hub("h.azure-devices.net/d1/api-version=2021-04-12"),
            (host(), "d1".into(), version(), true)
        );
        assert_eq!(
            hub("h.azure-devices.net/d1/m1/?api-version=2021-04-12&x=1").1,
            "d1/m1"
        );
        assert_eq!(
            hub("h.azure-devices.net/d1"),
            (host(), "d1".into(), None, false)
        );
        let UserName::Dps(dps) =
            UserName::of(Some("0ne0001/registrations/d1/api-version=2019-03-31"))
        else {
            panic!()
        };
        assert_eq!(
            (dps.registration.as_str(), dps.api_version.as_deref()),
            ("d1", Some("2019-03-31"))
        );
        assert!(matches!(
            UserName::of(Some("h.azure-devices.net")),
            UserName::BrokenHub { .. }
        ));
        assert!(matches!(
            UserName::of(Some("h.azure-devices.net/d1?api-version=2021-04-12")),
            UserName::BrokenHub { .. }
        ));
        assert_eq!(UserName::of(Some("alice")), UserName::Other);
    }
}
