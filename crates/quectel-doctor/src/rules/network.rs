//! Causes before there is a network: SIM, signal, registration; and a context that is lost.

use super::{Case, Cause, Confidence, Context, Evidence, Rule, Severity};
use crate::session::Session;
use crate::session::network::Network;

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "net.sim-not-ready",
        title: "The SIM is missing, locked or not ready",
        severity: Severity::Error,
        symptom: "`+CPIN:` other than READY, `+CME ERROR: 10`, `13`, `14`",
        reason: "Without a ready SIM the module does not register.",
        check: &["AT+CPIN?", "AT+QSIMSTAT?"],
        fix: &["AT+CPIN=\"<pin>\"", "AT+CPIN?"],
        sources: &["BG96 AT Commands Manual V2.2, AT+CPIN"],
        rule: Rule::Session(sim),
    },
    Cause {
        id: "net.registration-denied",
        title: "The network refuses the SIM",
        severity: Severity::Error,
        symptom: "registration status 3",
        reason: "The subscription is not active, or does not include this network, this access technology or roaming.",
        check: &["AT+CEREG?", "AT+CREG?", "AT+COPS?", "AT+CEER"],
        fix: &[
            "(ask the provider of the SIM; then)",
            "AT+COPS=0",
            "AT+CEREG?",
        ],
        sources: &["3GPP TS 27.007, +CREG"],
        rule: Rule::Session(denied),
    },
    Cause {
        id: "net.no-signal",
        title: "There is no signal",
        severity: Severity::Error,
        symptom: "`+CSQ: 99,99` to the end",
        reason: "99 means not known: antenna, coverage, or bands and access technologies that are switched off.",
        check: &["AT+CSQ", "AT+QCSQ", "AT+QNWINFO", "AT+QCFG=\"nwscanmode\""],
        fix: &[
            "(check the antenna, then let it search everywhere)",
            "AT+QCFG=\"nwscanmode\",0,1",
        ],
        sources: &["BG96 AT Commands Manual V2.2, AT+CSQ"],
        rule: Rule::Session(no_signal),
    },
    Cause {
        id: "net.not-registered",
        title: "The module is not registered",
        severity: Severity::Error,
        symptom: "registration status 0 or 2 to the end",
        reason: "One of CREG, CGREG and CEREG must come to 1 or 5 before anything else can work; the first search may take \
                 minutes.",
        check: &["AT+CEREG?", "AT+CGREG?", "AT+CREG?", "AT+QNWINFO", "AT+CSQ"],
        fix: &["AT+COPS=0", "AT+QCFG=\"nwscanseq\",020301,1", "AT+CEREG?"],
        sources: &["johncobb/catm1_bg96", "3GPP TS 27.007, +CREG"],
        rule: Rule::Session(not_registered),
    },
    Cause {
        id: "net.pdp-dropped",
        title: "The network took the PDP context away",
        severity: Severity::Error,
        symptom: "`+QIURC: \"pdpdeact\",n` while a connection is open",
        reason: "All connections of the context are dead, and the context must be released before it can be activated again.",
        check: &["AT+QIACT?", "AT+CSQ", "AT+CEREG?"],
        fix: &[
            "AT+QIDEACT={pdp}",
            "AT+QIACT={pdp}",
            "AT+QMTOPEN={client},\"{host}\",{port}",
        ],
        sources: &["BG96 TCP/IP AT Commands Manual V1.0, URC pdpdeact"],
        rule: Rule::Attempt(dropped),
    },
];

/// The network as it was when it mattered last: at the last connection that did not open, or at the end.
fn relevant(session: &Session) -> Option<&Network> {
    match session.attempts.last() {
        None => Some(&session.state.network),
        Some(attempt) if attempt.is_open() || attempt.result.is_none() => None,
        Some(attempt) => Some(&attempt.state.network),
    }
}

/// The log shows the start, and ends before the module has had time to register.
fn still_starting(session: &Session) -> bool {
    let told = session.state.network.registration_told;
    session.attempts.is_empty() && !session.restarts.is_empty() && told < PATIENCE
}

/// So many answers about the registration are no start any more.
const PATIENCE: u32 = 3;

fn milder_at_the_start(session: &Session, evidence: Evidence) -> Evidence {
    if still_starting(session) {
        evidence.milder()
    } else {
        evidence
    }
}

fn one(evidence: Option<Evidence>) -> Vec<Evidence> {
    evidence.into_iter().collect()
}

fn sim(context: &Context<'_>) -> Vec<Evidence> {
    one(relevant(context.session)
        .filter(|network| !network.is_registered())
        .and_then(|network| {
            let sim = network
                .sim
                .as_ref()
                .filter(|sim| !sim.value.eq_ignore_ascii_case("READY"))?;
            let words = if sim.value.is_empty() {
                "an error"
            } else {
                sim.value.as_str()
            };
            let detail = format!("The last answer about the SIM is {words}.");
            Some(Evidence::error(Confidence::Likely, detail).quoting([&sim.quote]))
        }))
}

fn denied(context: &Context<'_>) -> Vec<Evidence> {
    one(relevant(context.session)
        .filter(|network| !network.is_registered())
        .and_then(|network| {
            let status = network.registration.values().find(|seen| seen.value == 3)?;
            Some(
                Evidence::error(
                    Confidence::Likely,
                    "The last registration status is 3, denied.",
                )
                .quoting([&status.quote]),
            )
        }))
}

fn no_signal(context: &Context<'_>) -> Vec<Evidence> {
    // Without a SIM there is no network to measure.
    if context.has("net.sim-not-ready") {
        return Vec::new();
    }
    one(relevant(context.session)
        .filter(|network| !network.is_registered())
        .and_then(|network| {
            let rssi = network.rssi.as_ref().filter(|rssi| rssi.value == 99)?;
            let detail = "The last signal quality is 99, not known.";
            let evidence = Evidence::error(Confidence::Likely, detail).quoting([&rssi.quote]);
            Some(milder_at_the_start(context.session, evidence))
        }))
}

fn not_registered(context: &Context<'_>) -> Vec<Evidence> {
    if context.has("net.registration-denied") || context.has("net.sim-not-ready") {
        return Vec::new();
    }
    one(relevant(context.session)
        .filter(|network| !network.is_registered())
        .and_then(|network| {
            let status = network
                .registration
                .values()
                .find(|seen| matches!(seen.value, 0 | 2))?;
            let words = if status.value == 2 {
                "2, searching"
            } else {
                "0, not searching"
            };
            let lines = network.registration.values().map(|seen| &seen.quote);
            let detail = format!("The last registration status is {words}.");
            let evidence = Evidence::error(Confidence::Likely, detail).quoting(lines);
            Some(milder_at_the_start(context.session, evidence))
        }))
}

fn dropped(case: &Case<'_>) -> Option<Evidence> {
    let quote = case.attempt.pdp_dropped.as_ref()?;
    let detail = format!(
        "The context went down while client {} was open.",
        case.attempt.client
    );
    let quotes = [Some(quote), case.attempt.quote.as_ref()]
        .into_iter()
        .flatten();
    Some(if case.connected_later() {
        Evidence::warning(Confidence::Certain, detail).quoting(quotes)
    } else {
        Evidence::error(Confidence::Certain, detail).quoting(quotes)
    })
}
