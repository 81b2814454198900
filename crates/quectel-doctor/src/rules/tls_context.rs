//! Causes in the SSL context: which one is bound, and what is set in it.

use super::{Case, Cause, Confidence, Evidence, Rule, Severity};
use crate::mask::Quote;
use crate::session::attempt::{Api, Attempt, Tls};
use crate::session::settings::Settings;
use crate::session::state::Before;

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "tls.ctx-mismatch",
        title: "TLS was configured in one SSL context and MQTT uses another",
        severity: Severity::Error,
        symptom: "every `QSSLCFG` line says OK, then `+QMTOPEN: x,-1`",
        reason: "`AT+QMTCFG=\"ssl\",<client>,1,<context>` names the context that the handshake uses; a context in which \
                 nothing was set has factory values.",
        check: &[
            "AT+QMTCFG=\"ssl\",{client}",
            "AT+QSSLCFG=\"cacert\",{bound}",
            "AT+QSSLCFG=\"seclevel\",{bound}",
        ],
        fix: &[
            "AT+QMTCLOSE={client}",
            "AT+QMTCFG=\"ssl\",{client},1,{ssl}",
            "AT+QMTOPEN={client},\"{host}\",{port}",
        ],
        sources: &["forums.quectel.com/t/8115 (EC21)"],
        rule: Rule::Attempt(context_mismatch),
    },
    Cause {
        id: "tls.seclevel2-no-client-cert",
        title: "seclevel 2 asks for a client certificate, and none is configured",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,-1` with the right root",
        reason: "Level 2 is mutual authentication and needs `clientcert` and `clientkey`; it is not a stricter check of the \
                 server. A device with a SAS token uses level 1.",
        check: &[
            "AT+QSSLCFG=\"seclevel\",{ssl}",
            "AT+QSSLCFG=\"clientcert\",{ssl}",
            "AT+QSSLCFG=\"clientkey\",{ssl}",
        ],
        fix: &["AT+QSSLCFG=\"seclevel\",{ssl},1"],
        sources: &[
            "forums.quectel.com/t/8115 (EC21)",
            "BG96 SSL AT Commands Manual V1.0, AT+QSSLCFG",
        ],
        rule: Rule::Attempt(level2_without_certificate),
    },
    Cause {
        id: "tls.not-enabled",
        title: "TLS is not switched on for this client, and the server speaks nothing else",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,0` on port 8883, then `+QMTSTAT: x,1` or no answer to `QMTCONN`",
        reason: "A plain TCP connection to port 8883 opens without complaint; the server closes it at the first MQTT packet. \
                 Nothing is wrong with the credentials yet.",
        check: &["AT+QMTCFG=\"ssl\",{client}"],
        fix: &[
            "AT+QMTCLOSE={client}",
            "AT+QMTCFG=\"ssl\",{client},1,{ssl}",
            "AT+QMTOPEN={client},\"{host}\",8883",
        ],
        sources: &[
            "botletics/SIM7000-LTE-Shield issues 118 and 187",
            "Azure IoT Hub: MQTT over TLS only",
        ],
        rule: Rule::Attempt(not_enabled),
    },
    Cause {
        id: "tls.seclevel-needs-ca",
        title: "The server is to be verified, but no root certificate is bound",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,-1` or `+QSSLOPEN: x,566` at once",
        reason: "With seclevel 1 or 2 the module needs a root in `cacert` to check the server's chain against.",
        check: &["AT+QSSLCFG=\"cacert\",{ssl}", "AT+QFLST=\"*\""],
        fix: &[
            "AT+QFUPL=\"cacert.pem\",1294,100",
            "(send DigiCert Global Root G2 with LF, expect +QFUPL: 1294,3d7c)",
            "AT+QSSLCFG=\"cacert\",{ssl},\"cacert.pem\"",
        ],
        sources: &["EG800K measurement: seclevel 1 without a file gives 566"],
        rule: Rule::Attempt(level_without_root),
    },
    Cause {
        id: "tls.settings-lost-after-reboot",
        title: "The module restarted after it was configured, and the settings are gone",
        severity: Severity::Error,
        symptom: "it worked, then `RDY` or `POWERED DOWN`, and the next open fails",
        reason: "`QSSLCFG` and `QMTCFG` are kept in RAM only: after a restart everything is back to factory values.",
        check: &["AT+QMTCFG=\"ssl\",{client}", "AT+QSSLCFG=\"cacert\",{ssl}"],
        fix: &[
            "(after every RDY send the whole block of QSSLCFG and QMTCFG again, then)",
            "AT+QMTOPEN={client},\"{host}\",{port}",
        ],
        sources: &["EG800K measurement: sni and cacert are default after a reboot"],
        rule: Rule::Attempt(settings_lost),
    },
];

fn did_not_work(case: &Case<'_>) -> bool {
    case.tls_failed() || (case.attempt.is_open() && case.attempt.failed())
}

fn context_mismatch(case: &Case<'_>) -> Option<Evidence> {
    if !case.attempt.api.is_quectel() || !case.could_be("context") {
        return None;
    }
    match case.attempt.tls {
        Tls::On(bound) => other_context(case, bound),
        Tls::NeverOn => other_client(case),
        Tls::Off | Tls::Unknown => None,
    }
}

/// What of root and security level was set in the other context only.
fn trust_elsewhere(theirs: &Settings, mine: Option<&Settings>) -> Option<&'static str> {
    let set = |settings: &Settings, name: &str| settings.get(name).is_some_and(|v| !v.read);
    let only_there = |name: &str| set(theirs, name) && !mine.is_some_and(|s| set(s, name));
    let unchecked = mine.and_then(|s| s.number("seclevel")) == Some(0);
    match (only_there("cacert"), only_there("seclevel")) {
        (true, true) => Some("The root and the security level"),
        (true, false) if !unchecked => Some("The root"),
        _ => None,
    }
}

/// Something was set in another context than the bound one.
fn other_context(case: &Case<'_>, bound: u8) -> Option<Evidence> {
    let attempt = case.attempt;
    let written = attempt.state.written_contexts();
    let other = *written.iter().find(|number| **number != bound)?;
    let client = attempt.config();
    let binding = client
        .and_then(|client| client.get("ssl"))
        .map(|value| &value.quote);
    let theirs = attempt.state.ssl.get(&other)?;
    let first = theirs.quotes().next();
    let untouched = !written.contains(&bound);
    let (what, confidence) = match trust_elsewhere(theirs, attempt.ssl()) {
        _ if untouched => ("Everything", Confidence::Certain),
        Some(what) => (what, Confidence::Likely),
        None => return None,
    };
    let detail = format!(
        "{what} was set in SSL context {other}, but the connection uses context {bound}, in which it was not."
    );
    let evidence = if did_not_work(case) {
        Evidence::error(confidence, detail)
    } else if attempt.is_open() && untouched {
        let detail = format!("{detail} It connected, but without checking the server.");
        Evidence::warning(Confidence::Likely, detail)
    } else {
        return None;
    };
    Some(evidence.at(case.failure_with([first, binding])))
}

/// TLS was switched on for another client.
fn other_client(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let wants_tls = attempt.port == Some(8883) || attempt.cloud.needs_tls();
    if !wants_tls || attempt.api != Api::Qmt || attempt.is_connected() || !attempt.failed() {
        return None;
    }
    let mut clients = attempt.state.clients.iter();
    let (client, ssl) = clients.find_map(|(client, settings)| {
        let ssl = settings.get("ssl").filter(|value| value.text() == "1")?;
        (*client != attempt.client).then_some((*client, ssl))
    })?;
    let context = ssl.args.get(1).map_or("2", String::as_str);
    let detail = format!(
        "TLS was switched on for client {client}, but `QMTOPEN` uses client {}.",
        attempt.client
    );
    let fix = [
        "AT+QMTCLOSE={client}".to_owned(),
        format!("AT+QMTCFG=\"ssl\",{{client}},1,{context}"),
        "AT+QMTOPEN={client},\"{host}\",{port}".to_owned(),
    ];
    let evidence = Evidence::error(Confidence::Likely, detail);
    Some(
        evidence
            .at(case.failure_with([Some(&ssl.quote)]))
            .with_fix(fix),
    )
}

fn level2_without_certificate(case: &Case<'_>) -> Option<Evidence> {
    let settings = case.intended()?;
    let level = settings
        .get("seclevel")
        .filter(|value| value.number() == Some(2))?;
    let missing: Vec<&str> = ["clientcert", "clientkey"]
        .into_iter()
        .filter(|name| settings.text(name).is_none())
        .collect();
    let possible = ["seclevel", "clientcert", "clientkey"]
        .iter()
        .any(|name| case.could_be(name));
    if missing.is_empty() || !did_not_work(case) || !possible {
        return None;
    }
    let context = case.intended_context().unwrap_or_default();
    let detail = format!(
        "SSL context {context} has seclevel 2 but no {}.",
        missing.join(" and no ")
    );
    let evidence =
        Evidence::error(Confidence::Likely, detail).at(case.failure_with([Some(&level.quote)]));
    let uses_certificate = missing.len() == 1;
    Some(if uses_certificate {
        let other = missing.first().copied().unwrap_or("clientkey");
        let file = if other == "clientkey" {
            "{clientkey}"
        } else {
            "{clientcert}"
        };
        evidence.with_fix([
            "(with a SAS token:)".to_owned(),
            "AT+QSSLCFG=\"seclevel\",{ssl},1".to_owned(),
            "(with X.509, after uploading the file:)".to_owned(),
            format!("AT+QSSLCFG=\"{other}\",{{ssl}},\"{file}\""),
        ])
    } else {
        evidence
    })
}

/// How much it weighs that TLS is not on, by what became of the connection.
fn weight_of_missing_tls(attempt: &Attempt) -> Option<(Severity, Confidence)> {
    let closed = attempt.no_connack().is_some() || attempt.closed_before_connect().is_some();
    let refused = attempt.failed() && matches!(attempt.api, Api::Smconn | Api::EspAt);
    Some(match (attempt.tls, attempt.code()) {
        (Tls::Unknown, _) if closed => (Severity::Warning, Confidence::Possible),
        (Tls::Unknown, _) => return None,
        (_, Some(0)) if closed => (Severity::Error, Confidence::Certain),
        (_, Some(0) | None) if refused => (Severity::Error, Confidence::Likely),
        (_, Some(0)) => (Severity::Warning, Confidence::Likely),
        // With a context configured, only the line that binds it may be missing in the log.
        (_, Some(-1 | 5)) if attempt.assumed_context().is_some() => {
            (Severity::Warning, Confidence::Possible)
        }
        (_, Some(-1 | 5)) => (Severity::Error, Confidence::Likely),
        _ if attempt.api == Api::Cmqtt && attempt.failed() => (Severity::Error, Confidence::Likely),
        _ => return None,
    })
}

fn not_enabled(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let wants_tls = attempt.port == Some(8883) || attempt.cloud.needs_tls();
    let reached = attempt
        .connects
        .iter()
        .any(|connect| connect.result.as_ref().is_some_and(|r| r.result == 0));
    if !attempt.api.is_mqtt() || !wants_tls || reached || attempt.state.settings_lost.is_some() {
        return None;
    }
    // The same client came up with the same settings: what turned TLS on is not in the log.
    if case.connected_otherwise() {
        return None;
    }
    let refused: Option<&Quote> = case
        .session
        .refusals
        .iter()
        .find(|refusal| refusal.command.is_set("+QMTCFG") && refusal.command.name(0) == "ssl")
        .map(|refusal| &refusal.quote);
    let how = match attempt.tls {
        Tls::On(_) => return None,
        Tls::Off => format!("TLS is switched off for client {}", attempt.client),
        Tls::NeverOn if refused.is_some() => format!(
            "The command that switches TLS on for client {} was refused",
            attempt.client
        ),
        Tls::NeverOn => format!("TLS was never switched on for client {}", attempt.client),
        Tls::Unknown => format!(
            "The log shows no line that switches TLS on for client {}",
            attempt.client
        ),
    };
    let port = attempt
        .port
        .map_or(String::new(), |port| format!(" port {port}"));
    let detail = format!("{how}, and the connection goes to {}{port}.", case.host());
    let (severity, confidence) = weight_of_missing_tls(attempt)?;
    let evidence = Evidence::new(severity, confidence, detail);
    let switched = attempt
        .config()
        .and_then(|client| client.get("ssl"))
        .map(|value| &value.quote);
    let evidence = evidence.at(case.failure_with([refused, switched]));
    Some(match attempt.api {
        Api::Smconn => evidence.with_fix([
            "AT+CSSLCFG=\"sslversion\",0,3",
            "AT+SMSSL=1,\"cacert.pem\",\"\"",
            "AT+SMCONN",
        ]),
        Api::EspAt => evidence.with_fix([
            "AT+MQTTUSERCFG={client},2,\"{device}\",\"<user name>\",\"<SAS token>\",0,0,\"\"",
        ]),
        Api::Cmqtt => evidence.with_fix([
            "AT+CMQTTACCQ={client},\"{device}\",1",
            "AT+CMQTTSSLCFG={client},0",
        ]),
        _ => evidence,
    })
}

fn level_without_root(case: &Case<'_>) -> Option<Evidence> {
    let settings = case.intended()?;
    let level = settings
        .get("seclevel")
        .filter(|value| matches!(value.number(), Some(1 | 2)))?;
    let bound = settings
        .get("cacert")
        .is_some_and(|value| !value.text().is_empty());
    if bound || !case.tls_failed() || !case.could_be("cacert") {
        return None;
    }
    let context = case.intended_context().unwrap_or_default();
    let detail = format!(
        "SSL context {context} has seclevel {}, and no `cacert` was accepted for it.",
        level.text()
    );
    Some(Evidence::error(Confidence::Likely, detail).at(case.failure_with([Some(&level.quote)])))
}

/// Settings of the bound context that a restart wiped out and nobody made again.
fn lost_settings<'a>(case: &Case<'a>, before: &'a Before) -> Vec<&'a str> {
    let Tls::On(bound) = case.attempt.tls else {
        return Vec::new();
    };
    let Some(then) = before.ssl.get(&bound) else {
        return Vec::new();
    };
    let names = [
        "cacert",
        "seclevel",
        "sni",
        "clientcert",
        "clientkey",
        "sslversion",
    ];
    let now = |name: &str| {
        case.attempt
            .ssl()
            .is_some_and(|now| now.get(name).is_some())
    };
    let lost = |name: &&str| then.get(name).is_some() && !now(name);
    names.into_iter().filter(lost).collect()
}

fn settings_lost(case: &Case<'_>) -> Option<Evidence> {
    let state = &case.attempt.state;
    let restart = state.restart.as_ref()?;
    let before = state.before_restart.as_deref()?;
    if !case.attempt.failed() {
        return None;
    }
    let client = before.clients.get(&case.attempt.client);
    let bound = client.and_then(|c| c.get("ssl")).map(|value| &value.quote);
    let first = || before.ssl.values().flat_map(Settings::quotes).next();
    let was_set = bound.or_else(first);
    let lost = lost_settings(case, before);
    let detail = if state.settings_lost.is_some() {
        "The module restarted between the settings and the open, and nothing was set again."
            .to_owned()
    } else if case.tls_failed() && !lost.is_empty() {
        format!(
            "The module restarted, and `{}` was not set again before the open.",
            lost.join("`, `")
        )
    } else {
        return None;
    };
    let quotes = case.failure_with([Some(restart), was_set]);
    Some(Evidence::error(Confidence::Likely, detail).at(quotes))
}
