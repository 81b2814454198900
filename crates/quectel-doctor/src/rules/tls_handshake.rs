//! Causes in the handshake as a whole: too slow, or failed for no visible reason.

use super::{Case, Cause, Confidence, Evidence, Rule, Severity};
use crate::session::attempt::{Api, Tls};
use crate::session::settings::Value;
use crate::time::elapsed_ms;

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "tls.negotiate-timeout",
        title: "The handshake ran out of time, or was not waited for",
        severity: Severity::Warning,
        symptom: "`-1` after exactly `negotiatetime` seconds, or a new command before the answer",
        reason: "On NB-IoT and 2G a handshake with a long chain takes tens of seconds; `negotiatetime` is 10 to 300 s and \
                 the answer to `QMTOPEN` may take 75 s.",
        check: &["AT+QSSLCFG=\"negotiatetime\",{ssl}"],
        fix: &[
            "AT+QSSLCFG=\"negotiatetime\",{ssl},300",
            "(then wait for +QMTOPEN: before any other command)",
        ],
        sources: &["BG96 SSL AT Commands Manual V1.0, AT+QSSLCFG negotiatetime"],
        rule: Rule::Attempt(negotiate_timeout),
    },
    Cause {
        id: "tls.handshake-failed",
        title: "The connection failed before MQTT, and no specific cause is visible",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,-1`, `+QSSLOPEN: x,566`",
        reason: "This one code stands for every fault of TCP and TLS; three experiments separate them.",
        check: &[
            "AT+QSSLCFG=\"sni\",{ssl}",
            "AT+QSSLCFG=\"cacert\",{ssl}",
            "AT+CCLK?",
            "AT+QIACT?",
        ],
        fix: &[
            "AT+QSSLCFG=\"sni\",{ssl},1",
            "AT+QSSLOPEN={pdp},{ssl},0,\"{host}\",{port},0",
            "(and the same without TLS: 0 here and 566 above means TLS, 566 in both means the network)",
            "AT+QIOPEN={pdp},1,\"TCP\",\"{host}\",{port},0,0",
            "(last, and only for the test: AT+QSSLCFG=\"seclevel\",{ssl},0)",
        ],
        sources: &[
            "forums.quectel.com/t/3562",
            "EG800K measurement: one code for all faults",
        ],
        rule: Rule::Fallback(handshake_failed),
    },
];

fn negotiate_timeout(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    if !matches!(attempt.tls, Tls::On(_)) {
        return None;
    }
    if let Some((quote, waited)) = attempt
        .given_up
        .as_ref()
        .filter(|_| attempt.result.is_none())
    {
        let waited = waited.filter(|ms| (0..75_000).contains(ms))?;
        let detail = format!(
            "The host gave up after {} s, before the answer to the open could come.",
            waited / 1000
        );
        return Some(
            Evidence::warning(Confidence::Likely, detail).at(case.failure_with([Some(quote)])),
        );
    }
    let limit = attempt.ssl()?.get("negotiatetime")?;
    let seconds = limit.number().filter(|n| (5..=300).contains(n))?;
    let took = elapsed_ms(attempt.result.as_ref()?.stamp, attempt.stamp)?;
    if !case.tls_failed() || (took - seconds * 1000).abs() > 3000 {
        return None;
    }
    let detail = format!(
        "The open failed after {} s, which is the `negotiatetime` that was set.",
        took / 1000
    );
    Some(Evidence::warning(Confidence::Likely, detail).at(case.failure_with([Some(&limit.quote)])))
}

fn handshake_failed(case: &Case<'_>) -> Option<Evidence> {
    if !case.tls_failed() || case.has_error() {
        return None;
    }
    let code = case.attempt.code().unwrap_or_default();
    let settings = case.intended();
    let mut seen = Vec::new();
    for (name, words) in [
        ("cacert", "a root is bound"),
        ("sni", "the name is sent"),
        ("ignorelocaltime", "the dates' setting is made"),
    ] {
        if settings.is_some_and(|s| s.get(name).is_some_and(|value: &Value| !value.read)) {
            seen.push(words);
        }
    }
    let seen = if seen.is_empty() {
        String::new()
    } else {
        format!(" In the log {}.", seen.join(", "))
    };
    let what = if case.attempt.api == Api::Qmt {
        "+QMTOPEN"
    } else {
        "the open"
    };
    let detail = format!(
        "{what} to {} failed with {code}, and nothing in the settings explains it.{seen}",
        case.host()
    );
    let quotes = case.failure_with([]);
    let transient = case
        .reference()
        .is_some_and(|(_, changed)| changed.is_empty());
    Some(if transient {
        let detail = format!(
            "The open to {} failed with {code}; with the same settings it came up at another time.",
            case.host()
        );
        Evidence::warning(Confidence::Possible, detail).at(quotes)
    } else {
        Evidence::error(Confidence::Possible, detail).at(quotes)
    })
}
