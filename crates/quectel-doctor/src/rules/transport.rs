//! Causes in TCP: a port that does not answer, a stack that has stopped working.

use super::{Case, Cause, Confidence, Context, Evidence, Rule, Severity};
use crate::session::attempt::{Api, Attempt, Tls};
use crate::time::elapsed_ms;

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "net.data-stack-wedged",
        title: "The module's IP stack has stopped working",
        severity: Severity::Error,
        symptom: "every `QSSLOPEN` and every `QIOPEN` returns 552 while `AT+QIACT?` still shows an address",
        reason: "After many opens and closes some firmware refuses all of them; only switching the module off and on helps.",
        check: &["AT+QIACT?", "AT+QSSLSTATE", "AT+QIGETERROR"],
        fix: &[
            "AT+QPOWD=1",
            "(switch it on again, wait for RDY, configure, and keep one long session)",
        ],
        sources: &["EG800K measurement: after about twenty opens"],
        rule: Rule::Session(wedged),
    },
    Cause {
        id: "net.port-blocked",
        title: "The server's port is not reached",
        severity: Severity::Warning,
        symptom: "`5`, `-1` or `566` after tens of seconds",
        reason: "The operator or a private APN lets only some ports through, or nothing listens at that port.",
        check: &[
            "AT+QIOPEN={pdp},1,\"TCP\",\"{host}\",{port},0,0",
            "AT+QPING={pdp},\"{host}\"",
        ],
        fix: &[
            "(ask the provider of the SIM to open port {port}; Azure has no other port for a module's MQTT)",
        ],
        sources: &["Azure IoT Hub: ports 8883 and 443", "johncobb/catm1_bg96"],
        rule: Rule::Attempt(port_blocked),
    },
];

fn wedged(context: &Context<'_>) -> Vec<Evidence> {
    let attempts = &context.session.attempts;
    let of = |api: Api| {
        attempts
            .iter()
            .rev()
            .find(|a| a.api == api && a.code() == Some(552))
    };
    let (Some(tls), Some(tcp)) = (of(Api::Qssl), of(Api::Tcp)) else {
        return Vec::new();
    };
    let quotes = tls.failure_quotes().into_iter().chain(tcp.failure_quotes());
    vec![
        Evidence::error(
            Confidence::Likely,
            "Both kinds of open are answered with 552.",
        )
        .at(quotes),
    ]
}

fn failed_to_reach(attempt: &Attempt) -> bool {
    match attempt.api {
        Api::Qmt => matches!(attempt.code(), Some(-1 | 5)),
        Api::Qssl | Api::Tcp => matches!(attempt.code(), Some(566 | 569)),
        _ => false,
    }
}

/// Causes that explain the failure better than a blocked port.
const BETTER: &[&str] = &[
    "net.",
    "tls.ctx",
    "tls.ca",
    "file.",
    "tls.settings",
    "tls.not-enabled",
    "tls.server",
];

fn port_blocked(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    if !failed_to_reach(attempt) || case.reference().is_some() {
        return None;
    }
    let same_port = |other: &&Attempt| {
        other.api == Api::Tcp
            && other.result.is_some()
            && other.host.eq_ignore_ascii_case(&attempt.host)
            && other.port == attempt.port
    };
    let tcp: Vec<&Attempt> = case.session.attempts.iter().filter(same_port).collect();
    if tcp.iter().any(|tcp| tcp.is_open()) {
        return None;
    }
    let number = attempt.port.map(|port| format!("port {port}"));
    let port = number.unwrap_or_else(|| "the port".to_owned());
    let mine = attempt.failure_quotes();
    if let Some(tcp) = tcp.first().filter(|_| attempt.api != Api::Tcp) {
        let detail = format!(
            "A plain TCP connection to {port} of {} failed too, so it is not TLS.",
            case.host()
        );
        let quotes = mine.into_iter().chain(tcp.failure_quotes());
        return Some(Evidence::error(Confidence::Likely, detail).at(quotes));
    }
    if case.has_error_of(BETTER) {
        return None;
    }
    let answered = attempt.result.as_ref().and_then(|result| result.stamp);
    let took = elapsed_ms(answered, attempt.stamp);
    let plain = matches!(attempt.tls, Tls::Off | Tls::NeverOn)
        && !attempt.cloud.needs_tls()
        && attempt.port != Some(8883);
    let detail = if let Some(ms) = took.filter(|ms| (20_000..200_000).contains(ms)) {
        let seconds = ms / 1000;
        format!("The open failed only after {seconds} s, as when nothing answers.")
    } else if plain {
        format!(
            "The TCP connection to {port} of {} was not made.",
            case.host()
        )
    } else {
        return None;
    };
    Some(Evidence::warning(Confidence::Possible, detail).at(mine))
}
