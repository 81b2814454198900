//! Causes in the SAS token.

use super::{Case, Cause, Confidence, Evidence, Rule, Severity};
use crate::host::{Cloud, has_placeholder, same_host};
use crate::mask::Quote;
use crate::session::attempt::Connect;
use crate::session::credential::{Password, Sas, Signature, UserName};
use crate::time::{Stamp, utc_text};

const NEW_TOKEN: &[&str] = &[
    "(on the PC: az iot hub generate-sas-token -n <hub> -d {device} --du 31536000)",
    "AT+QMTCONN={client},\"{device}\",\"{host}/{device}/?api-version=2021-04-12\",\"<SAS token>\"",
];

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "az.sas-expired",
        title: "The SAS token has expired",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,5`, sometimes 4",
        reason: "`se` is the end of the token in unix seconds; the hub refuses it afterwards with CONNACK 5.",
        check: &["AT+CCLK?"],
        fix: NEW_TOKEN,
        sources: &[
            "Azure IoT Hub: Control access with shared access signatures",
            "BG96 firmware with a fixed se",
        ],
        rule: Rule::Attempt(expired),
    },
    Cause {
        id: "az.sas-expired-midsession",
        title: "The SAS token expired while the session was open",
        severity: Severity::Error,
        symptom: "`+QMTSTAT: x,1` within a minute of `se`",
        reason: "The hub closes a session when its token ends (401003, then 404104); a new token needs a new CONNECT.",
        check: &["AT+CCLK?"],
        fix: NEW_TOKEN,
        sources: &["learn.microsoft.com: troubleshoot-error-codes 401003"],
        rule: Rule::Attempt(expired_midsession),
    },
    Cause {
        id: "az.password-is-connection-string",
        title: "The password is a connection string or a key, not a token",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,5`",
        reason: "The hub wants a token that was signed with the key: only the part from `SharedAccessSignature sr=` on.",
        check: &[],
        fix: NEW_TOKEN,
        sources: &["azure-docs: iot-mqtt-connect-to-iot-hub"],
        rule: Rule::Attempt(connection_string),
    },
    Cause {
        id: "az.sas-sr-mismatch",
        title: "The token is for another resource",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,5`",
        reason: "`sr` must be `{host}/devices/{device}` of the same hub and device as host and client id.",
        check: &[],
        fix: NEW_TOKEN,
        sources: &[
            "Xinyuan-LilyGO/T-SIM7600X issue 100",
            "Azure/azure-iot-sdk-c issue 660",
        ],
        rule: Rule::Attempt(resource_mismatch),
    },
    Cause {
        id: "az.sas-sig-not-encoded",
        title: "The signature in the token is not URL-encoded, or twice",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,5`",
        reason: "`+`, `/` and `=` of the Base64 signature must stand as %2B, %2F and %3D, encoded once.",
        check: &[],
        fix: NEW_TOKEN,
        sources: &["Azure IoT Hub: Control access with shared access signatures"],
        rule: Rule::Attempt(signature_encoding),
    },
    Cause {
        id: "az.sas-truncated",
        title: "The token is cut off",
        severity: Severity::Error,
        symptom: "ERROR to `QMTCONN`, or `+QMTCONN: x,0,5`",
        reason: "A buffer or the module's line length cut the password: `sr`, `sig` or `se` is missing or incomplete.",
        check: &[],
        fix: NEW_TOKEN,
        sources: &[
            "DA16K override note: 64-byte buffers",
            "BG9x MQTT Application Note: lengths of QMTCONN",
        ],
        rule: Rule::Attempt(truncated),
    },
];

/// The server refused the credentials, or closed at CONNECT.
pub(super) fn not_let_in(case: &Case<'_>) -> bool {
    let attempt = case.attempt;
    attempt
        .refusal()
        .is_some_and(|(code, _)| matches!(code, 2 | 4 | 5))
        || attempt.no_connack().is_some()
}

/// How much a fault of the credentials weighs: an error when the server refused them, a warning when it never saw
/// them, nothing when it took them.
pub(super) fn weight(case: &Case<'_>) -> Option<Severity> {
    if not_let_in(case) {
        Some(Severity::Error)
    } else if case.attempt.is_connected() || case.attempt.connects.is_empty() {
        None
    } else {
        Some(Severity::Warning)
    }
}

/// The connection goes to Azure, by its host or by the user name.
pub(super) fn is_azure(case: &Case<'_>) -> bool {
    let user = case.attempt.connect().map(|connect| &connect.user);
    let by_user = matches!(
        user,
        Some(UserName::Hub(_) | UserName::Dps(_) | UserName::BrokenHub { .. })
    );
    case.cloud().is_azure() || by_user
}

pub(super) fn credentials<'a>(case: &Case<'a>) -> Option<(&'a Connect, &'a Sas)> {
    let connect = case
        .attempt
        .connects
        .iter()
        .rev()
        .find(|connect| connect.password.sas().is_some())?;
    Some((connect, connect.password.sas()?))
}

fn lines(case: &Case<'_>, connect: &Connect) -> Vec<Quote> {
    let mut quotes = vec![connect.quote.clone()];
    quotes.extend(case.attempt.refusal().map(|(_, quote)| quote.clone()));
    quotes.extend(case.attempt.no_connack().cloned());
    quotes
}

fn expired(case: &Case<'_>) -> Option<Evidence> {
    let severity = weight(case).filter(|_| is_azure(case))?;
    let (connect, sas) = credentials(case)?;
    let end = sas.expiry_unix_s?;
    let (time, known) = case.time();
    if end >= time {
        return None;
    }
    let clock = if known {
        "the log's clock says"
    } else {
        "the log has no date, and today is"
    };
    let detail = format!(
        "The token ended on {}; {clock} {}.",
        utc_text(end),
        utc_text(time)
    );
    let confidence = if known {
        Confidence::Certain
    } else {
        Confidence::Possible
    };
    // Without a date an old token in an old log says nothing by itself.
    if severity < Severity::Error && !known {
        return None;
    }
    Some(Evidence::new(severity, confidence, detail).at(lines(case, connect)))
}

fn expired_midsession(case: &Case<'_>) -> Option<Evidence> {
    let (connect, sas) = credentials(case)?;
    let end = sas.expiry_unix_s?;
    let stat = case.attempt.stats.iter().find(|stat| {
        let at = stat.stamp.and_then(Stamp::unix_s);
        stat.connected && stat.code == 1 && at.is_some_and(|at| (at - end).abs() <= 90)
    })?;
    let detail = format!(
        "The session was closed when its token ended, on {}.",
        utc_text(end)
    );
    Some(Evidence::error(Confidence::Certain, detail).quoting([&connect.quote, &stat.quote]))
}

fn connection_string(case: &Case<'_>) -> Option<Evidence> {
    if !is_azure(case) || case.attempt.is_connected() {
        return None;
    }
    let connect = case.attempt.connects.iter().rev().find(|connect| {
        matches!(
            connect.password,
            Password::ConnectionString { .. } | Password::RawKey
        )
    })?;
    let (detail, confidence) = match connect.password {
        Password::ConnectionString { with_token: true } => (
            "The password is a connection string with a token in it; only the token itself is the password.",
            Confidence::Certain,
        ),
        Password::ConnectionString { .. } => {
            ("The password is a connection string.", Confidence::Certain)
        }
        _ => (
            "The password looks like the device's key itself.",
            Confidence::Likely,
        ),
    };
    Some(Evidence::error(confidence, detail).at(lines(case, connect)))
}

/// `sr` without the tail of old tools.
fn resource(sas: &Sas) -> Option<&str> {
    let resource = sas.resource.as_deref()?;
    Some(
        resource
            .split("/api-version")
            .next()
            .unwrap_or(resource)
            .trim_end_matches('/'),
    )
}

/// A text that was taken out cannot be compared with one that was not.
pub(super) fn comparable(a: &str, b: &str) -> bool {
    has_placeholder(a) == has_placeholder(b)
}

/// The registration that the user name is of, when the token is for another one.
fn other_registration(user: &UserName, resource: &str) -> Option<String> {
    let UserName::Dps(user) = user else {
        return None;
    };
    let wanted = format!("{}/registrations/{}", user.id_scope, user.registration);
    let hub = resource.contains("/devices/");
    let same = resource.eq_ignore_ascii_case(&wanted) || !comparable(resource, &wanted);
    (!hub && !same).then_some(wanted)
}

fn resource_mismatch(case: &Case<'_>) -> Option<Evidence> {
    let severity = weight(case).filter(|_| is_azure(case))?;
    let (connect, sas) = credentials(case)?;
    let resource = resource(sas).filter(|resource| !resource.is_empty())?;
    // Of a token that ends in its first field nobody knows how the field went on.
    if matches!(sas.signature, Signature::Missing)
        && sas.is_truncated()
        && sas.expiry_unix_s.is_none()
    {
        return None;
    }
    let quotes = lines(case, connect);
    if case.cloud() == Cloud::AzureDps {
        let wanted = other_registration(&connect.user, resource)?;
        let detail = format!("`sr` is `{resource}`, and must be `{wanted}`.");
        return Some(Evidence::new(severity, Confidence::Likely, detail).at(quotes));
    }
    if resource.contains("/registrations/") {
        return None;
    }
    let (host, path) = resource.split_once('/').unwrap_or((resource, ""));
    let open_host = crate::host::bare_host(&case.attempt.host);
    let (user_host, user_device) = match &connect.user {
        UserName::Hub(user) => (user.host.as_str(), Some(user.device.as_str())),
        _ => (open_host, None),
    };
    // Where only one of the two is a name that Azure has, that one counts.
    let right = [open_host, user_host]
        .into_iter()
        .find(|name| Cloud::of(name) == Cloud::AzureHub);
    let hosts_agree = match right {
        Some(right) if Cloud::of(open_host) != Cloud::of(user_host) && !open_host.is_empty() => {
            same_host(host, right) || !comparable(host, right)
        }
        _ => {
            same_host(host, open_host) || same_host(host, user_host) || !comparable(host, open_host)
        }
    };
    let device = path
        .strip_prefix("devices/")
        .map(|device| device.replace("/modules/", "/"));
    let wanted_host = right.unwrap_or(if open_host.is_empty() {
        user_host
    } else {
        open_host
    });
    let wanted_device = connect.client_id.replacen('/', "/modules/", 1);
    let wanted = format!("{wanted_host}/devices/{wanted_device}");
    let policy = sas.policy.is_some();
    let devices_agree = match &device {
        Some(device) => {
            *device == connect.client_id
                || connect.client_id.is_empty()
                || !comparable(device, &connect.client_id)
        }
        // A policy's token may cover the whole hub.
        None => policy,
    };
    if hosts_agree && devices_agree {
        return None;
    }
    // The token agrees with the user name: then it is the client id that is wrong.
    if hosts_agree && device.is_some() && device.as_deref() == user_device {
        return None;
    }
    let tail = if device.is_none() && !policy {
        " A token for a whole hub needs `skn`, the name of its policy."
    } else {
        ""
    };
    let detail = format!("`sr` is `{resource}`, and must be `{wanted}`.{tail}");
    let confidence = if has_placeholder(&wanted) {
        Confidence::Possible
    } else {
        Confidence::Likely
    };
    Some(Evidence::new(severity, confidence, detail).at(quotes))
}

fn signature_encoding(case: &Case<'_>) -> Option<Evidence> {
    let severity = weight(case).filter(|_| is_azure(case))?;
    let (connect, sas) = credentials(case)?;
    let detail = match sas.signature {
        Signature::Raw => {
            "`sig` has `+`, `/` or `=` as they are; they must stand as %2B, %2F and %3D."
        }
        Signature::Twice => "`sig` was URL-encoded twice: it has %25 in it.",
        _ => return None,
    };
    Some(Evidence::new(severity, Confidence::Likely, detail).at(lines(case, connect)))
}

fn truncated(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let refused = attempt
        .connects
        .iter()
        .any(|connect| connect.refused.is_some() && !connect.before_open);
    if !(not_let_in(case) || refused) || !is_azure(case) || attempt.is_connected() {
        return None;
    }
    let (connect, sas) = credentials(case)?;
    if sas.bad_prefix && !sas.hidden && !sas.is_truncated() {
        let detail =
            "The password does not begin with `SharedAccessSignature sr=`, with one blank between.";
        return Some(Evidence::error(Confidence::Likely, detail).at(lines(case, connect)));
    }
    if !sas.is_truncated() {
        return None;
    }
    let mut missing = Vec::new();
    if sas.resource.is_none() {
        missing.push("`sr` is missing");
    }
    match sas.signature {
        Signature::Missing => missing.push("`sig` is missing"),
        Signature::Short => missing.push("`sig` is too short"),
        _ => {}
    }
    if sas.expiry_unix_s.is_none() {
        missing.push(if sas.expiry_unreadable {
            "`se` is no number"
        } else {
            "`se` is missing"
        });
    }
    let mut quotes = lines(case, connect);
    quotes.extend(connect.refused.clone());
    Some(
        Evidence::error(
            Confidence::Likely,
            format!("In the token {}.", missing.join(", ")),
        )
        .at(quotes),
    )
}
