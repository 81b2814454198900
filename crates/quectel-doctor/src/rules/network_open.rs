//! Causes between the module and the open: PDP context, APN, DNS.

use super::{Case, Cause, Confidence, Context, Evidence, Rule, Severity};
use crate::mask::Quote;
use crate::session::attempt::{Api, Attempt};
use crate::session::network::{Network, Pdp};

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "net.pdpcid-mismatch",
        title: "MQTT uses another PDP context than the one that is active",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,3` although `AT+QIACT?` shows an address",
        reason: "`AT+QMTCFG=\"pdpcid\"` chooses the context, and 1 is its factory value; the module cannot bring up one that \
                 has no APN.",
        check: &["AT+QMTCFG=\"pdpcid\",{client}", "AT+QIACT?"],
        fix: &[
            "AT+QMTCFG=\"pdpcid\",{client},{active}",
            "AT+QMTOPEN={client},\"{host}\",{port}",
        ],
        sources: &[
            "community.platformio.org/t/52963",
            "BG96 MQTT Application Note V1.0, AT+QMTCFG pdpcid",
        ],
        rule: Rule::Attempt(pdpcid_mismatch),
    },
    Cause {
        id: "net.apn-missing-or-wrong",
        title: "The APN is empty, or is not an APN",
        severity: Severity::Error,
        symptom: "`AT+QIACT` answers ERROR, `561` or `573`, `+QMTOPEN: x,3`",
        reason: "The context needs the APN of the SIM's provider; the name of the operator is not one.",
        check: &["AT+QICSGP={pdp}", "AT+CGDCONT?", "AT+CGCONTRDP"],
        fix: &[
            "AT+QICSGP={pdp},1,\"<apn of your SIM>\",\"\",\"\",0",
            "AT+QIACT={pdp}",
            "AT+QIACT?",
        ],
        sources: &[
            "forums.quectel.com/t/5965 (`Orange F`)",
            "BG96 TCP/IP AT Commands Manual V1.0, AT+QICSGP",
        ],
        rule: Rule::Session(apn),
    },
    Cause {
        id: "net.pdp-not-active",
        title: "The PDP context is not active: the module has no address",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,3`, or `-1` while `AT+QIACT?` lists nothing",
        reason: "Without an active context there is no way to the network; most firmware wants `AT+QIACT` before the open.",
        check: &["AT+QIACT?", "AT+CGPADDR={pdp}", "AT+QIGETERROR"],
        fix: &[
            "AT+QICSGP={pdp},1,\"{apn}\",\"\",\"\",0",
            "AT+QIACT={pdp}",
            "AT+QIACT?",
        ],
        sources: &[
            "forums.quectel.com/t/3562",
            "BG96 TCP/IP AT Commands Manual V1.0, AT+QIACT",
        ],
        rule: Rule::Session(pdp_not_active),
    },
    Cause {
        id: "net.pdp-ipv6-only",
        title: "The context is IPv6 only",
        severity: Severity::Warning,
        symptom: "the open fails with 4, 5 or -1 although there is an address",
        reason: "Type 2 of `AT+QICSGP` is IPv6; servers without an IPv6 address cannot be reached from it.",
        check: &["AT+QICSGP={pdp}", "AT+QIACT?"],
        fix: &[
            "AT+QIDEACT={pdp}",
            "AT+QICSGP={pdp},1,\"{apn}\",\"\",\"\",0",
            "AT+QIACT={pdp}",
        ],
        sources: &["forum.arduino.cc/t/943247"],
        rule: Rule::Attempt(ipv6_only),
    },
    Cause {
        id: "net.dns-failed",
        title: "The name of the host was not found",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,4`, `565`",
        reason: "The name is wrong, or the name server of the network (private APNs often have none) does not know it.",
        check: &["AT+QIDNSCFG={pdp}", "AT+QIDNSGIP={pdp},\"{host}\""],
        fix: &[
            "AT+QIDNSCFG={pdp},\"8.8.8.8\",\"1.1.1.1\"",
            "AT+QIDNSGIP={pdp},\"{host}\"",
        ],
        sources: &["BG96 MQTT Application Note V1.0, result 4 of AT+QMTOPEN"],
        rule: Rule::SessionFallback(dns_failed),
    },
];

/// The open failed in a way that a missing network explains.
fn network_class(attempt: &Attempt) -> bool {
    match attempt.api {
        Api::Qmt => matches!(attempt.code(), Some(-1 | 3 | 5)),
        Api::Qssl | Api::Tcp => matches!(attempt.code(), Some(561 | 566 | 569 | 570 | 573)),
        Api::Http => matches!(attempt.code(), Some(701..=720)),
        Api::Cmqtt | Api::Smconn | Api::EspAt => false,
    }
}

/// The result says that the context could not be activated.
fn says_pdp(attempt: &Attempt) -> bool {
    match attempt.api {
        Api::Qmt => attempt.code() == Some(3),
        Api::Qssl | Api::Tcp => matches!(attempt.code(), Some(561 | 570 | 573)),
        _ => false,
    }
}

fn pdpcid_mismatch(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let active = attempt.state.network.active_contexts();
    let used = attempt.pdp_context?;
    let fits = attempt.api == Api::Qmt || matches!(attempt.api, Api::Qssl | Api::Tcp);
    if active.is_empty()
        || active.contains(&used)
        || !fits
        || !network_class(attempt)
        || !case.could_be("pdpcid")
    {
        return None;
    }
    let set = attempt.config().and_then(|client| client.get("pdpcid"));
    let by = if set.is_some() || attempt.api != Api::Qmt {
        "is told to use"
    } else {
        "uses by its factory value"
    };
    let list = active
        .iter()
        .map(u8::to_string)
        .collect::<Vec<_>>()
        .join(", ");
    let shown = active
        .first()
        .and_then(|n| attempt.state.network.pdp.get(n))
        .and_then(|pdp| pdp.active.as_ref());
    let detail = format!("The connection {by} PDP context {used}, but the active one is {list}.");
    let quotes = case.failure_with([set.map(|value| &value.quote), shown.map(|seen| &seen.quote)]);
    Some(if says_pdp(attempt) {
        Evidence::error(Confidence::Certain, detail).at(quotes)
    } else if set.is_some() {
        Evidence::error(Confidence::Likely, detail).at(quotes)
    } else {
        Evidence::warning(Confidence::Possible, detail).at(quotes)
    })
}

/// Evidence that no context is up, when no context is known to be up.
fn inactive(network: &Network) -> Option<(&'static str, Quote, bool)> {
    if !network.active_contexts().is_empty() {
        return None;
    }
    if let Some(quote) = &network.none_active {
        return Some((
            "`AT+QIACT?` listed no context before the open",
            quote.clone(),
            !network.contradicted,
        ));
    }
    let down = network
        .pdp
        .values()
        .find_map(|pdp| pdp.active.as_ref().filter(|seen| !seen.value));
    if let Some(seen) = down {
        return Some((
            "The context was down or had no address before the open",
            seen.quote.clone(),
            !network.contradicted,
        ));
    }
    let refused = network.pdp.values().find_map(|pdp| pdp.refused.clone())?;
    Some((
        "`AT+QIACT` was refused, and nothing shows that the context was already up",
        refused,
        false,
    ))
}

fn pdp_not_active(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let mut all = Vec::new();
    for (index, attempt) in session.attempts.iter().enumerate() {
        let case = Case::new(context, index, attempt);
        if attempt.is_open()
            || case.has_any(&["net.pdpcid-mismatch"])
            || !network_class(attempt)
            || !case.could_be("pdp")
        {
            continue;
        }
        let shown = inactive(&attempt.state.network);
        let evidence = match (says_pdp(attempt), shown) {
            (true, Some((words, quote, _))) => Evidence::error(
                Confidence::Certain,
                format!("{words}, and the module could not activate it."),
            )
            .at([quote]),
            (true, None) => Evidence::error(
                Confidence::Likely,
                "The module could not activate its PDP context for the open.",
            ),
            (false, Some((words, quote, true))) => {
                Evidence::error(Confidence::Likely, format!("{words}.")).at([quote])
            }
            (false, Some((words, quote, false))) => {
                Evidence::warning(Confidence::Possible, format!("{words}.")).at([quote])
            }
            (false, None) => continue,
        };
        all.push(evidence.at(attempt.failure_quotes()).of(index));
    }
    let network = &session.state.network;
    let refused = network.pdp.values().find_map(|pdp| pdp.refused.clone());
    if session.attempts.is_empty()
        && let (Some(refused), Some((words, quote, true))) = (refused, inactive(network))
    {
        let words = words.replace(" before the open", "");
        all.push(
            Evidence::error(
                Confidence::Likely,
                format!("{words}, and `AT+QIACT` was refused."),
            )
            .at([refused, quote]),
        );
    }
    all
}

/// The APN cannot be one: empty, with a blank in it, or the operator's name.
fn bad_apn<'a>(network: &'a Network, pdp: &'a Pdp) -> Option<(String, &'a Quote)> {
    let apn = pdp.apn.as_ref()?;
    let name = apn.value.trim();
    if name.is_empty() {
        return Some(("The APN is empty".to_owned(), &apn.quote));
    }
    let operator = network
        .operator
        .as_ref()
        .is_some_and(|operator| operator.value.eq_ignore_ascii_case(name));
    if operator {
        return Some((
            format!("The APN `{name}` is the name of the operator"),
            &apn.quote,
        ));
    }
    name.contains(' ')
        .then(|| (format!("The APN `{name}` has a blank in it"), &apn.quote))
}

fn apn(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let mut all = Vec::new();
    for (index, attempt) in session
        .attempts
        .iter()
        .enumerate()
        .filter(|(_, attempt)| network_class(attempt))
    {
        let network = &attempt.state.network;
        let by_code = attempt.code() == Some(573);
        let used = attempt.pdp_context.unwrap_or(1);
        let bad = network.pdp.get(&used).and_then(|pdp| bad_apn(network, pdp));
        let down = !by_code
            && network.active_contexts().is_empty()
            && (says_pdp(attempt) || inactive(network).is_some());
        let evidence = match bad {
            Some((words, quote)) if down || by_code => Evidence::error(
                Confidence::Likely,
                format!("{words}, and the context did not come up."),
            )
            .quoting([quote]),
            // Empty works with many SIMs; with an address it is no finding.
            Some((words, quote)) if !words.ends_with("empty") => Evidence::warning(
                Confidence::Possible,
                format!("{words}; the context came up all the same."),
            )
            .quoting([quote]),
            None if by_code => Evidence::error(
                Confidence::Likely,
                "The module says that no APN is configured (573).",
            ),
            _ => continue,
        };
        all.push(evidence.at(attempt.failure_quotes()).of(index));
    }
    if session.attempts.is_empty() {
        let network = &session.state.network;
        for pdp in network.pdp.values() {
            if let (Some(refused), Some((words, quote))) = (&pdp.refused, bad_apn(network, pdp)) {
                let detail = format!("{words}, and `AT+QIACT` was refused.");
                all.push(Evidence::error(Confidence::Likely, detail).quoting([quote, refused]));
            }
        }
    }
    all
}

fn ipv6_only(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let failed = match attempt.api {
        Api::Qmt => matches!(attempt.code(), Some(-1 | 4 | 5)),
        _ => matches!(attempt.code(), Some(564..=566 | 569)),
    };
    let network = &attempt.state.network;
    let pdp = network
        .pdp
        .get(&attempt.pdp_context.unwrap_or(1))
        .or_else(|| network.pdp.values().next())?;
    let address = pdp
        .address
        .as_ref()
        .filter(|seen| seen.value.contains(':') && !seen.value.contains('.'));
    if !failed || !(pdp.kind == Some(2) || address.is_some()) {
        return None;
    }
    let apn = pdp.apn.as_ref().map(|seen| &seen.quote);
    let detail = "The PDP context is of type 2, IPv6 only.";
    let quotes = case.failure_with([apn, address.map(|seen| &seen.quote)]);
    Some(Evidence::warning(Confidence::Possible, detail).at(quotes))
}

fn dns_failed(context: &Context<'_>) -> Vec<Evidence> {
    let session = context.session;
    let mut all = Vec::new();
    let explained = [
        "syn.host-has-scheme",
        "az.host-malformed",
        "syn.placeholder-left",
        "net.pdp-not-active",
    ];
    for (index, attempt) in session.attempts.iter().enumerate() {
        let case = Case::new(context, index, attempt);
        let by_code = match attempt.api {
            Api::Qmt => attempt.code() == Some(4),
            Api::Qssl | Api::Tcp => matches!(attempt.code(), Some(564 | 565)),
            Api::Cmqtt => attempt.code() == Some(25),
            _ => false,
        };
        if by_code && !case.has_any(&explained) {
            let detail = format!("No address was found for `{}`.", case.host());
            let evidence = if case.connected_later() {
                Evidence::warning(Confidence::Likely, detail)
            } else {
                Evidence::error(Confidence::Likely, detail)
            };
            all.push(evidence.at(attempt.failure_quotes()).of(index));
        }
    }
    let unresolved = !session.attempts.iter().any(Attempt::is_open);
    if all.is_empty() && unresolved && !explained.iter().any(|id| context.has(id)) {
        let lines = session
            .dns_failures
            .iter()
            .take(2)
            .cloned()
            .collect::<Vec<_>>();
        if !lines.is_empty() {
            all.push(
                Evidence::error(Confidence::Likely, "The module could not resolve the name.")
                    .at(lines),
            );
        }
    }
    all
}
