//! Causes in the four strings that must agree: host, client id, user name, token.

use super::azure_token::{comparable, credentials, is_azure, not_let_in, weight};
use super::{Case, Cause, Confidence, Evidence, Rule, Severity};
use crate::host::{Cloud, bare_host, has_placeholder, same_host, scheme};
use crate::session::attempt::{Api, Connect};
use crate::session::credential::{HubUser, Password, UserName};

pub(super) const CONNECT: &[&str] = &[
    "AT+QMTCONN={client},\"{device}\",\"{host}/{device}/?api-version=2021-04-12\",\"<SAS token>\"",
];

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "az.host-malformed",
        title: "The host is not a name that Azure has",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,4` or `-1`",
        reason: "A hub is `<name>.azure-devices.net`, with two dots and a hyphen, and nothing in front or behind.",
        check: &["AT+QIDNSGIP={pdp},\"{host}\""],
        fix: &["AT+QMTOPEN={client},\"<name>.azure-devices.net\",8883"],
        sources: &[
            "Xinyuan-LilyGO/T-SIM7600X issue 100",
            "botletics/SIM7000-LTE-Shield issue 187",
        ],
        rule: Rule::Attempt(host_malformed),
    },
    Cause {
        id: "az.host-mismatch",
        title: "The open goes to another hub than the user name or the token names",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,5`",
        reason: "Host of the open, host in the user name and host in `sr` are one and the same hub.",
        check: &[],
        fix: CONNECT,
        sources: &["Azure/azure-iot-sdk-c issue 660"],
        rule: Rule::Attempt(host_mismatch),
    },
    Cause {
        id: "az.wrong-port",
        title: "Azure has MQTT on port 8883 only",
        severity: Severity::Error,
        symptom: "`-1`, `5` or a timeout",
        reason: "1883 is not offered, and 443 is MQTT over WebSocket, which the modules do not speak.",
        check: &[],
        fix: &["AT+QMTOPEN={client},\"{host}\",8883"],
        sources: &["Azure IoT Hub: Connect with MQTT, ports"],
        rule: Rule::Attempt(wrong_port),
    },
    Cause {
        id: "az.clientid-mismatch",
        title: "The client id is not the device id",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,5`",
        reason: "The client id must be exactly the device id, in the same case; for a module `{device}/{module}`.",
        check: &[],
        fix: CONNECT,
        sources: &["Azure IoT Hub: Connect with MQTT"],
        rule: Rule::Attempt(client_id_mismatch),
    },
    Cause {
        id: "az.username-format",
        title: "The user name has not the form that Azure wants",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,5`, or the server closes",
        reason: "It is `{host}/{device}/?api-version=2021-04-12`, with both slashes and the device of the client id.",
        check: &[],
        fix: CONNECT,
        sources: &[
            "Azure IoT Hub: Connect with MQTT",
            "MicrosoftDocs/azure-docs issue 38897",
        ],
        rule: Rule::Attempt(user_name_format),
    },
    Cause {
        id: "az.x509-vs-sas",
        title: "Certificate and password do not fit together",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,5`",
        reason: "A device with X.509 has seclevel 2 with both files and no password; one with a SAS token has seclevel 1.",
        check: &[
            "AT+QSSLCFG=\"seclevel\",{ssl}",
            "AT+QSSLCFG=\"clientcert\",{ssl}",
        ],
        fix: &[
            "(X.509:)",
            "AT+QSSLCFG=\"seclevel\",{ssl},2",
            "(SAS:)",
            "AT+QSSLCFG=\"seclevel\",{ssl},1",
        ],
        sources: &["Azure IoT Hub: authenticate with X.509"],
        rule: Rule::Attempt(certificate_or_token),
    },
    Cause {
        id: "az.api-version-missing",
        title: "The user name has no api-version",
        severity: Severity::Warning,
        symptom: "it connects, and twins or methods do not work",
        reason: "Azure says that the connection may behave unexpectedly without it.",
        check: &[],
        fix: CONNECT,
        sources: &[
            "Azure IoT Hub: Connect with MQTT",
            "forums.quectel.com/t/8115 (reference log)",
        ],
        rule: Rule::Attempt(api_version_missing),
    },
];

/// Spellings that come near to `azure-devices.net`.
const MISSPELT: &[&str] = &[
    "-devices.net",
    ".devices.net",
    "azure-device.",
    "azuredevices.",
    "azure-devices.com",
    "azure-devices,net",
    "azure-devices-net",
    "azure-deveices",
    "azure_devices",
    "azure-divices",
];

fn is_misspelt(host: &str) -> bool {
    let name = host.to_ascii_lowercase();
    !Cloud::of(&name).is_azure() && MISSPELT.iter().any(|part| name.contains(part))
}

fn host_malformed(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let raw = attempt.host.as_str();
    let quectel_refusal =
        attempt.api.is_quectel() && attempt.refused.is_some() && attempt.result.is_none();
    if (scheme(raw).is_some() && attempt.api.is_quectel()) || attempt.is_open() || quectel_refusal {
        return None;
    }
    let trailing = case.cloud().is_azure() && (raw.ends_with('.') || raw != raw.trim());
    let wrong = if trailing {
        "ends with a dot or a blank"
    } else if is_misspelt(bare_host(raw)) {
        "is not under azure-devices.net"
    } else {
        return host_in_token(case);
    };
    if attempt.result.is_none() && attempt.refused.is_none() {
        return None;
    }
    let detail = format!("The host `{raw}` {wrong}.");
    let confidence = if has_placeholder(raw) {
        Confidence::Possible
    } else {
        Confidence::Likely
    };
    Some(Evidence::error(confidence, detail).at(attempt.failure_quotes()))
}

/// The host of the token is misspelt, and the other one cannot be seen or is right.
fn host_in_token(case: &Case<'_>) -> Option<Evidence> {
    let severity = weight(case)?;
    let connect = case.attempt.connect()?;
    let resource = connect.password.sas()?.resource.as_deref()?;
    let host = resource
        .split('/')
        .next()
        .filter(|host| is_misspelt(host))?;
    let detail = format!("The host in `sr`, `{host}`, is not under azure-devices.net.");
    Some(Evidence::new(severity, Confidence::Possible, detail).quoting([&connect.quote]))
}

fn hub_user<'a>(case: &Case<'a>) -> Option<(&'a Connect, &'a HubUser)> {
    let connect = case.attempt.connect()?;
    match &connect.user {
        UserName::Hub(user) => Some((connect, user)),
        _ => None,
    }
}

fn host_mismatch(case: &Case<'_>) -> Option<Evidence> {
    let severity = weight(case)?;
    if case.cloud() == Cloud::AzureDps
        || case.attempt.host.is_empty()
        || case.has_any(&["az.host-malformed"])
    {
        return None;
    }
    let connect = case.attempt.connect()?;
    let open = bare_host(&case.attempt.host);
    let user = match &connect.user {
        UserName::Hub(user) => user.host.as_str(),
        UserName::BrokenHub { host: Some(host) } if Cloud::of(host).is_azure() => host.as_str(),
        _ => return None,
    };
    if same_host(open, user) || !comparable(open, user) {
        return None;
    }
    let detail = format!("`QMTOPEN` goes to `{open}`, and the user name says `{user}`.");
    let quotes = case.failure_with([Some(&connect.quote)]);
    Some(if case.cloud().is_azure() {
        Evidence::new(severity, Confidence::Likely, detail).at(quotes)
    } else {
        // A gateway in between is possible.
        Evidence::warning(Confidence::Possible, detail).at(quotes)
    })
}

fn wrong_port(case: &Case<'_>) -> Option<Evidence> {
    let port = case.attempt.port.filter(|port| *port != 8883)?;
    let attempt = case.attempt;
    let failed =
        attempt.failed() || (attempt.is_open() && attempt.api.is_mqtt() && !attempt.is_connected());
    if !case.cloud().is_azure() || !failed || attempt.api == Api::Http {
        return None;
    }
    let detail = format!("The connection goes to port {port} of {}.", case.host());
    Some(Evidence::error(Confidence::Certain, detail).at(attempt.failure_quotes()))
}

/// The device that the token names, in the form of a client id.
fn device_of_token(case: &Case<'_>) -> Option<String> {
    let (_, sas) = credentials(case)?;
    let resource = sas.resource.as_deref()?;
    let path = resource.split_once("/devices/")?.1;
    let path = path.split("/api-version").next().unwrap_or(path);
    Some(
        path.replace("/modules/", "/")
            .trim_end_matches('/')
            .to_owned(),
    )
}

fn client_id_mismatch(case: &Case<'_>) -> Option<Evidence> {
    let severity = weight(case).filter(|_| case.cloud() != Cloud::AzureDps)?;
    let (connect, user) = hub_user(case)?;
    let id = connect.client_id.as_str();
    let token = device_of_token(case);
    let token_agrees = token.as_deref().is_none_or(|token| token == user.device);
    if id.is_empty() || id == user.device || !token_agrees || !comparable(id, &user.device) {
        return None;
    }
    let case_only = id.eq_ignore_ascii_case(&user.device);
    let hint = if case_only {
        " Only the case differs, and it counts."
    } else {
        ""
    };
    let detail = format!(
        "The client id is `{id}`, but the user name is of device `{}`.{hint}",
        user.device
    );
    Some(
        Evidence::new(severity, Confidence::Likely, detail)
            .at(case.failure_with([Some(&connect.quote)])),
    )
}

fn user_name_format(case: &Case<'_>) -> Option<Evidence> {
    let severity = weight(case).filter(|_| is_azure(case) && case.cloud() != Cloud::AzureDps)?;
    let connect = case
        .attempt
        .connect()
        .filter(|connect| connect.quote.number > 0)?;
    let quotes = case.failure_with([Some(&connect.quote)]);
    let detail = match &connect.user {
        UserName::BrokenHub { .. } => "The user name lacks a slash or the device.".to_owned(),
        UserName::Absent | UserName::Empty if severity < Severity::Error => return None,
        UserName::Absent | UserName::Empty => "There is no user name.".to_owned(),
        UserName::Other => "The user name is not of Azure's form.".to_owned(),
        UserName::Hub(user) => {
            let token = device_of_token(case);
            let token_agrees = token.as_deref() == Some(connect.client_id.as_str());
            if user.device != connect.client_id
                && token_agrees
                && comparable(&user.device, &connect.client_id)
            {
                format!(
                    "The user name is of device `{}`, client id and token of `{}`.",
                    user.device, connect.client_id
                )
            } else {
                let version = user
                    .api_version
                    .as_deref()
                    .filter(|version| !is_version(version))?;
                format!("`{version}` is no api-version: it is a date such as 2021-04-12.")
            }
        }
        UserName::Dps(_) | UserName::Hidden => return None,
    };
    Some(Evidence::new(severity, Confidence::Likely, detail).at(quotes))
}

/// `2021-04-12`, `2020-05-31-preview`.
fn is_version(text: &str) -> bool {
    let date = text.strip_suffix("-preview").unwrap_or(text);
    let parts: Vec<&str> = date.split('-').collect();
    let lengths: Vec<usize> = parts.iter().map(|part| part.len()).collect();
    has_placeholder(text)
        || (lengths == [4, 2, 2]
            && parts
                .iter()
                .all(|part| part.bytes().all(|b| b.is_ascii_digit())))
}

fn certificate_or_token(case: &Case<'_>) -> Option<Evidence> {
    if !not_let_in(case) || !is_azure(case) {
        return None;
    }
    let connect = case
        .attempt
        .connect()
        .filter(|connect| connect.quote.number > 0)?;
    let settings = case
        .attempt
        .ssl()
        .filter(|settings| settings.is_written())?;
    let level = settings.get("seclevel");
    let pair = settings.text("clientcert").is_some() && settings.text("clientkey").is_some();
    let mutual = pair && level.is_some_and(|value| value.number() == Some(2));
    let quotes = case.failure_with([Some(&connect.quote), level.map(|value| &value.quote)]);
    match connect.password {
        Password::Absent | Password::Empty if !mutual => {
            let detail = "There is neither a password nor a client certificate in use.";
            Some(Evidence::error(Confidence::Likely, detail).at(quotes))
        }
        Password::Sas(_) if mutual => {
            let detail = "A client certificate and a SAS token are both sent; the hub takes the one that the device is registered for.";
            let refused = matches!(case.attempt.refusal(), Some((4 | 5, _)));
            Some(if refused && !case.has_error_of(&["az.", "dps."]) {
                Evidence::error(Confidence::Likely, detail).at(quotes)
            } else {
                Evidence::warning(Confidence::Possible, detail).at(quotes)
            })
        }
        _ => None,
    }
}

fn api_version_missing(case: &Case<'_>) -> Option<Evidence> {
    let (connect, user) = hub_user(case)?;
    if user.api_version.is_some() || !case.attempt.is_open() {
        return None;
    }
    let detail = format!("The user name ends with the device `{}`.", user.device);
    Some(Evidence::warning(Confidence::Likely, detail).quoting([&connect.quote]))
}
