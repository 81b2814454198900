//! Causes in single settings of TLS: asked instead of set, refused, too old, too narrow, too short.

use super::{Case, Cause, Confidence, Evidence, Rule, Severity};
use crate::command::{Command, Form};
use crate::session::attempt::Tls;
use crate::session::{Query, Refusal};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "tls.setting-query-not-set",
        title: "A setting was asked for instead of set",
        severity: Severity::Error,
        symptom: "the command is answered with `+QSSLCFG: …` instead of OK alone",
        reason: "Without a value `AT+QSSLCFG=\"<name>\",<n>` reads SSL context n; a much-copied example has this line.",
        check: &["AT+QSSLCFG=\"ignorelocaltime\",{ssl}"],
        fix: &["AT+QSSLCFG=\"ignorelocaltime\",{ssl},1"],
        sources: &[
            "johncobb/catm1_bg96 issue 9 and README",
            "BG96 MQTT Application Note V1.0, example",
        ],
        rule: Rule::Attempt(query_not_set),
    },
    Cause {
        id: "tls.setting-rejected",
        title: "A setting was refused and never repeated correctly",
        severity: Severity::Error,
        symptom: "`ERROR` behind a `QSSLCFG` or `QMTCFG` line, and the session goes on",
        reason: "A refused setting keeps its factory value: a wrong spelling, a quoted number, or an item that this family \
                 does not have.",
        check: &["AT+QSSLCFG=?", "AT+QMTCFG=?"],
        fix: &[],
        sources: &["johncobb/catm1_bg96 issue 9 (`\"0XFFFF\"` in quotes)"],
        rule: Rule::Attempt(setting_rejected),
    },
    Cause {
        id: "tls.version-too-old",
        title: "The TLS version is too old for the server",
        severity: Severity::Error,
        symptom: "`-1` against Azure, AWS and other clouds",
        reason: "`sslversion` counts 0 SSL 3.0, 1 TLS 1.0, 2 TLS 1.1, 3 TLS 1.2, 4 all; clouds take 1.2 and newer only.",
        check: &["AT+QSSLCFG=\"sslversion\",{ssl}"],
        fix: &["AT+QSSLCFG=\"sslversion\",{ssl},4"],
        sources: &[
            "Azure/azure-iot-sdk-c issue 660",
            "Azure IoT Hub: TLS 1.0 and 1.1 end on 2025-08-31",
        ],
        rule: Rule::Attempt(version_too_old),
    },
    Cause {
        id: "tls.cipher-pinned",
        title: "Only one cipher suite is offered",
        severity: Severity::Warning,
        symptom: "`+QMTOPEN: x,5` or `x,-1` with everything else right",
        reason: "A server whose certificate or policy does not fit the one suite refuses the handshake; 0XFFFF offers all.",
        check: &["AT+QSSLCFG=\"ciphersuite\",{ssl}"],
        fix: &["AT+QSSLCFG=\"ciphersuite\",{ssl},0XFFFF"],
        sources: &[
            "community.platformio.org/t/52963 (EC200U, 0XC02F)",
            "Azure IoT Hub: suites since 2025-08-31",
        ],
        rule: Rule::Attempt(cipher_pinned),
    },
    Cause {
        id: "tls.on-plain-port",
        title: "TLS is on, but the port is the one without TLS",
        severity: Severity::Error,
        symptom: "`-1` or a timeout on port 1883",
        reason: "On port 1883 brokers expect MQTT at once and do not understand a TLS handshake.",
        check: &["AT+QMTCFG=\"ssl\",{client}"],
        fix: &["AT+QMTOPEN={client},\"{host}\",8883"],
        sources: &["MQTT 3.1.1, ports registered with IANA: 1883 and 8883"],
        rule: Rule::Attempt(plain_port),
    },
];

/// A setting of the connection that was asked for where it was meant to be set.
fn is_meant_as_setting(case: &Case<'_>, query: &Query, target: u8, reads: usize) -> bool {
    let Some(number) = query.number else {
        return false;
    };
    let state = &case.attempt.state;
    let table = if query.verb == "+QSSLCFG" {
        &state.ssl
    } else {
        &state.clients
    };
    let is_set = |n: u8| {
        let value = table.get(&n).and_then(|s| s.get(&query.name));
        value.is_some_and(|value| !value.read)
    };
    if query.name.is_empty() || is_set(target) || is_set(number) {
        return false;
    }
    // A number that is no context in use was meant as the value; a lone read among settings too.
    let in_use = table.get(&number).is_some_and(|s| s.is_written());
    (number != target && !in_use) || (query.among_settings && reads == 1)
}

fn query_not_set(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let before = |query: &&Query| query.attempts_before <= case.index;
    let queries = || case.session.queries.iter().filter(before);
    let reads = queries().count();
    let (query, ssl, target) = queries().find_map(|query| {
        let ssl = query.verb == "+QSSLCFG";
        let target = if ssl {
            case.intended_context()?
        } else {
            attempt.client
        };
        is_meant_as_setting(case, query, target, reads).then_some((query, ssl, target))
    })?;
    let matters = if ssl {
        case.tls_failed() && case.could_be(&query.name)
    } else {
        attempt.failed()
    };
    if !matters {
        return None;
    }
    let number = query.number.unwrap_or_default();
    let (name, what) = (&query.name, if ssl { "SSL context" } else { "client" });
    let detail = format!(
        "`{name}` was never set for {what} {target}: the command without a value only asked {what} {number} for it."
    );
    let evidence = Evidence::error(Confidence::Likely, detail)
        .at(case.failure_with([Some(&query.quote), query.answer.as_ref()]));
    Some(evidence.with_fix([format!("AT{}=\"{name}\",{target},{number}", query.verb)]))
}

/// Settings that some families lack and that no connection needs.
const OPTIONAL: &[&str] = &[
    "recv/mode",
    "send/mode",
    "dataformat",
    "view/mode",
    "edit/timeout",
    "checkhost",
    "negotiatetime",
    "session",
    "closetimemode",
];

/// Settings without which a connection to a cloud does not come up.
const DECISIVE: &[&str] = &[
    "seclevel",
    "cacert",
    "clientcert",
    "clientkey",
    "ssl",
    "version",
    "ciphersuite",
    "sslversion",
    "pdpcid",
    "ignorelocaltime",
    "authmode",
];

/// Extras that are off unless switched on; firmware without them refuses the 0 too, and that changes nothing.
const OFF_AT_FIRST: &[&str] = &[
    "ignorecertitem",
    "ignoremulticertchainverify",
    "ignoreinvalidcertsign",
    "session_cache",
    "renegotiation",
    "dtls",
];

fn changes_nothing(command: &Command) -> bool {
    command.arg(2) == "0" && OFF_AT_FIRST.contains(&command.name(0).as_str())
}

/// A setting of this connection that was refused and not repeated before it.
fn refused_setting<'a>(case: &Case<'a>, decisive: bool) -> Option<&'a Refusal> {
    let client = case.attempt.client;
    let context = case.intended_context();
    case.session.refusals.iter().find(|refusal| {
        let command = &refusal.command;
        let named = matches!(command.verb.as_str(), "+QSSLCFG" | "+QMTCFG" | "+CSSLCFG");
        let set = named && command.form == Form::Set && command.args.len() > 2;
        let number = command.number::<u8>(1);
        let ours = if command.is("+QMTCFG") {
            number == Some(client)
        } else {
            number.is_some() && number == context
        };
        let open = refusal.repaired_at.is_none_or(|at| at > case.index);
        let name = command.name(0);
        let other = name == "sni" || name == "enablesni" || OPTIONAL.contains(&name.as_str());
        set && ours
            && open
            && refusal.attempts_before <= case.index
            && DECISIVE.contains(&name.as_str()) == decisive
            && (decisive || !other)
            && !changes_nothing(command)
            && !super::syntax::is_typographic_fault(case.session, refusal)
    })
}

fn setting_rejected(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let did_not_work = case.tls_failed() || attempt.failed();
    let decisive = refused_setting(case, true);
    let refusal = decisive.or_else(|| refused_setting(case, false))?;
    let name = refusal.command.name(0);
    if !did_not_work {
        let unsafe_now = matches!(name.as_str(), "seclevel" | "cacert" | "authmode");
        return (unsafe_now && attempt.is_open()).then(|| {
            let detail = format!("`{name}` was refused, so the server is not checked as intended.");
            Evidence::warning(Confidence::Likely, detail).quoting([&refusal.quote, &refusal.answer])
        });
    }
    let file = matches!(name.as_str(), "cacert" | "clientcert" | "clientkey");
    let number = refusal
        .command
        .args
        .get(2)
        .filter(|arg| arg.quoted && !file);
    let hint = number.map_or(String::new(), |arg| {
        format!(" The number \"{}\" must stand without quotes.", arg.text)
    });
    let detail = format!("`{name}` was refused and is still at its factory value.{hint}");
    let values = refusal
        .command
        .args
        .iter()
        .skip(2)
        .map(|arg| arg.text.as_str());
    let values: Vec<&str> = values.collect();
    let values = if file {
        format!("\"{}\"", values.first().copied().unwrap_or_default())
    } else {
        values.join(",")
    };
    let (verb, index) = (&refusal.command.verb, refusal.command.arg(1));
    let again = format!("AT{verb}=\"{name}\",{index},{values}");
    let evidence = match decisive {
        Some(_) => Evidence::error(Confidence::Likely, detail),
        None => Evidence::warning(Confidence::Possible, detail),
    };
    let quotes = case.failure_with([Some(&refusal.quote), Some(&refusal.answer)]);
    Some(evidence.at(quotes).with_fix([format!("AT{verb}=?"), again]))
}

fn version_too_old(case: &Case<'_>) -> Option<Evidence> {
    let version = case
        .intended()?
        .get("sslversion")
        .filter(|value| matches!(value.number(), Some(0..=2)))?;
    if !case.tls_failed() || !case.could_be("sslversion") {
        return None;
    }
    let name = match version.number() {
        Some(0) => "SSL 3.0",
        Some(1) => "TLS 1.0",
        _ => "TLS 1.1",
    };
    let detail = format!(
        "`sslversion` {} is {name} and nothing newer.",
        version.text()
    );
    let quotes = case.failure_with([Some(&version.quote)]);
    Some(if case.is_proven_by_change_of("sslversion").is_some() {
        Evidence::error(Confidence::Certain, detail).at(quotes)
    } else if case.cloud().needs_tls() {
        Evidence::error(Confidence::Likely, detail).at(quotes)
    } else {
        Evidence::warning(Confidence::Possible, detail).at(quotes)
    })
}

/// Suites that no cloud takes any more: static RSA, RC4, 3DES.
const LEGACY_SUITES: &[u32] = &[
    0x0035, 0x002F, 0x0005, 0x0004, 0x000A, 0x003D, 0x003C, 0xC011, 0xC012,
];

fn cipher_pinned(case: &Case<'_>) -> Option<Evidence> {
    let suite = case
        .intended()?
        .get("ciphersuite")
        .filter(|value| value.hex().is_some_and(|code| code != 0xFFFF))?;
    if !case.tls_failed() || !case.could_be("ciphersuite") {
        return None;
    }
    let legacy = suite
        .hex()
        .is_some_and(|code| LEGACY_SUITES.contains(&code));
    let quotes = case.failure_with([Some(&suite.quote)]);
    let detail = format!("The handshake offers {} and nothing else.", suite.text());
    Some(if case.is_proven_by_change_of("ciphersuite").is_some() {
        Evidence::error(Confidence::Certain, detail).at(quotes)
    } else if legacy && case.cloud().needs_tls() {
        Evidence::error(
            Confidence::Likely,
            format!("{detail} It is one of those that clouds have switched off."),
        )
        .at(quotes)
    } else {
        Evidence::warning(Confidence::Possible, detail).at(quotes)
    })
}

fn plain_port(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let on = matches!(attempt.tls, Tls::On(_)) && attempt.api.is_mqtt();
    if !on || attempt.port != Some(1883) || attempt.is_open() || attempt.result.is_none() {
        return None;
    }
    let binding = attempt
        .config()
        .and_then(|client| client.get("ssl"))
        .map(|value| &value.quote);
    let detail = format!(
        "Client {} has TLS on and connects to port 1883.",
        attempt.client
    );
    Some(Evidence::error(Confidence::Likely, detail).at(case.failure_with([binding])))
}
