//! Causes in the name of the server that the handshake carries.

use super::{Case, Cause, Confidence, Context, Evidence, Rule, Severity};
use crate::session::attempt::{Api, Tls};
use crate::session::settings::Settings;
use crate::session::{Refusal, Session};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "tls.sni-missing",
        title: "The server name is not sent in the TLS handshake (SNI is off)",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,-1` (EC200 family: `x,5`), `+QSSLOPEN: x,566`, although certificate, clock and cipher are right",
        reason: "Shared front ends (DPS, AWS, HiveMQ Cloud, EMQX) answer a handshake without a name with another \
                 certificate or drop it; the modules' factory setting is off.",
        check: &["AT+QSSLCFG=\"sni\",{ssl}"],
        fix: &[
            "AT+QMTCLOSE={client}",
            "AT+QSSLCFG=\"sni\",{ssl},1",
            "AT+QMTOPEN={client},\"{host}\",{port}",
        ],
        sources: &[
            "forums.quectel.com/t/8115 (BG96 with DPS)",
            "github.com/zimbora/esp32-BG95 pull 5 and 6",
            "EG800K measurement: 566 with ignorelocaltime 1, 0 with sni 1",
            "Xinyuan-LilyGO/T-SIM7600X issue 49",
        ],
        rule: Rule::Fallback(sni_missing),
    },
    Cause {
        id: "tls.sni-unsupported-fw",
        title: "This firmware cannot send the server name",
        severity: Severity::Error,
        symptom: "`AT+QSSLCFG=\"sni\",x,1` answers ERROR",
        reason: "Early firmware (BG96 R02) has no `sni` item; the DPS global endpoint and other shared hosts need the name.",
        check: &["AT+QSSLCFG=?", "AT+QGMR"],
        fix: &[
            "(update the firmware; or go to the assigned hub directly instead of the shared DPS endpoint:)",
            "AT+QMTOPEN={client},\"<your hub>.azure-devices.net\",8883",
        ],
        sources: &[
            "BG96 SSL AT Commands Manual V1.0 (no sni)",
            "RAKwireless RUI3 cellular manual (later dump with sni)",
        ],
        rule: Rule::Session(sni_unsupported_anywhere),
    },
];

/// The name goes out: 1, or SIMCom's form with the name itself.
pub(super) fn sni_is_on(settings: &Settings) -> bool {
    settings.text("sni").is_some_and(|value| value != "0")
}

fn sni_missing(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let plain_address = attempt.cloud == crate::host::Cloud::Address;
    if !case.tls_failed() || plain_address || !case.could_be("sni") || attempt.host.is_empty() {
        return None;
    }
    // Where the network is at fault, no handshake was begun.
    if case.has_error_of(&["net."]) {
        return None;
    }
    let empty = Settings::default();
    let bound = attempt.ssl().unwrap_or(&empty);
    if sni_is_on(bound) || case.intended().is_some_and(sni_is_on) {
        return None;
    }
    let shared = attempt.cloud.shares_its_address();
    if matches!(attempt.tls, Tls::Unknown) && !shared {
        return None;
    }
    if let Some(success) = case.is_proven_by_change_of("sni") {
        let set = success
            .ssl()
            .and_then(|s| s.get("sni"))
            .map(|value| &value.quote);
        let came_up = success.result.as_ref().map(|result| &result.quote);
        let detail = format!(
            "The open to {} failed without the server name and came up with it: confirmed and resolved in this log.",
            case.host()
        );
        return Some(
            Evidence::error(Confidence::Certain, detail).at(case.failure_with([set, came_up])),
        );
    }
    let context = attempt.ssl_context().map_or_else(
        || "its SSL context".to_owned(),
        |n| format!("SSL context {n}"),
    );
    let detail = format!(
        "`sni` was never set to 1 in {context} before the open to {} failed.",
        case.host()
    );
    let evidence = if shared && attempt.tls != Tls::Unknown {
        Evidence::error(Confidence::Likely, detail)
    } else if case.has_error() || attempt.tls == Tls::Unknown {
        Evidence::warning(Confidence::Possible, detail)
    } else {
        Evidence::error(Confidence::Possible, detail)
    };
    let read = bound.get("sni").map(|value| &value.quote);
    let evidence = evidence.at(case.failure_with([read]));
    let unsupported = case.has_any(&["tls.sni-unsupported-fw"]);
    Some(if unsupported {
        evidence.with_fix([
            "(this firmware has no sni item; after the update:)",
            "AT+QSSLCFG=\"sni\",{ssl},1",
        ])
    } else if attempt.api == Api::Qssl {
        evidence.with_fix(["AT+QSSLCFG=\"sni\",{ssl},1"])
    } else if attempt.api == Api::Cmqtt {
        evidence.with_fix(["AT+CSSLCFG=\"enableSNI\",{ssl},1"])
    } else {
        evidence
    })
}

/// Firmware whose `AT+QSSLCFG=?` has no `sni`.
const WITHOUT_SNI: &[&str] = &["BG96MAR02"];

/// The setting was refused and never accepted.
fn refused_sni(session: &Session) -> Option<&Refusal> {
    session.refusals.iter().find(|refusal| {
        let name = refusal.command.name(0);
        let verb = refusal.command.is_set("+QSSLCFG") || refusal.command.is_set("+CSSLCFG");
        verb && matches!(name.as_str(), "sni" | "enablesni")
            && refusal.repaired_at.is_none()
            && !super::syntax::is_typographic_fault(session, refusal)
    })
}

const REFUSED: &str =
    "The module refused the setting `sni`, so the handshake goes out without the server's name.";

fn sni_unsupported_anywhere(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let cases = session.attempts.iter().enumerate();
    let cases = cases.map(|(index, attempt)| Case::new(context, index, attempt));
    let of_connections =
        cases.filter_map(|case| sni_unsupported(&case).map(|evidence| evidence.of(case.index)));
    let mut all: Vec<Evidence> = of_connections.collect();
    // A log that ends before the open: it will bite.
    if session.attempts.is_empty()
        && let Some(refusal) = refused_sni(session)
    {
        let quotes = [&refusal.quote, &refusal.answer];
        all.push(Evidence::warning(Confidence::Likely, REFUSED).quoting(quotes));
    }
    all
}

fn sni_unsupported(case: &Case<'_>) -> Option<Evidence> {
    let evidence = without_sni(case)?;
    Some(if case.cloud().is_azure() {
        evidence
    } else {
        evidence.with_fix([
            "(update the firmware until this lists sni:)",
            "AT+QSSLCFG=?",
        ])
    })
}

fn without_sni(case: &Case<'_>) -> Option<Evidence> {
    if !case.tls_failed() || !case.could_be("sni") || case.intended().is_some_and(sni_is_on) {
        return None;
    }
    if let Some(refusal) = refused_sni(case.session) {
        let quotes = case.failure_with([Some(&refusal.quote), Some(&refusal.answer)]);
        return Some(Evidence::error(Confidence::Likely, REFUSED).at(quotes));
    }
    let items = &case.session.ssl_items;
    if !items.is_empty() && !items.iter().any(|item| item == "sni") {
        let detail = "The module's own list of settings (`AT+QSSLCFG=?`) has no `sni`.";
        return Some(
            Evidence::error(Confidence::Likely, detail)
                .at(case.failure_with([case.session.ssl_items_quote.as_ref()])),
        );
    }
    let firmware = case.session.module.firmware.as_deref()?;
    let old = WITHOUT_SNI
        .iter()
        .any(|prefix| firmware.starts_with(prefix));
    let needs = case.cloud().shares_its_address();
    (old && needs).then(|| {
        let detail = format!(
            "Firmware {firmware} has no `sni` item at all, and {} needs the name.",
            case.cloud().name()
        );
        let quotes = case.failure_with([case.session.module.quote.as_ref()]);
        // Where something else already explains the failure, this is what comes next.
        let evidence = if case.has_error() {
            Evidence::warning(Confidence::Likely, detail)
        } else {
            Evidence::error(Confidence::Likely, detail)
        };
        evidence.at(quotes)
    })
}
