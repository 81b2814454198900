//! Causes between the open and the CONNECT.

use super::{Case, Cause, Confidence, Evidence, Rule, Severity};
use crate::host::scheme;
use crate::session::attempt::Api;
use crate::time::elapsed_ms;

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "mqtt.id-occupied",
        title: "The MQTT client is still open from before",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,2`",
        reason: "The host restarted and the module did not: the client of the earlier run is still in use.",
        check: &["AT+QMTOPEN?", "AT+QMTCONN?"],
        fix: &[
            "AT+QMTDISC={client}",
            "AT+QMTCLOSE={client}",
            "(wait for the URCs of both, ignore ERROR, then)",
            "AT+QMTOPEN={client},\"{host}\",{port}",
        ],
        sources: &[
            "BG95-M3 driver after a flash of the host",
            "BG96 MQTT Application Note V1.0, result 2",
        ],
        rule: Rule::Attempt(id_occupied),
    },
    Cause {
        id: "mqtt.conn-before-open",
        title: "QMTCONN was sent before the connection was open",
        severity: Severity::Error,
        symptom: "`QMTCONN` answers ERROR, and `+QMTOPEN: x,0` comes later",
        reason: "OK only says that the open was begun; its result is the URC `+QMTOPEN:`, which may take 75 s.",
        check: &["AT+QMTOPEN?"],
        fix: &[
            "AT+QMTOPEN={client},\"{host}\",{port}",
            "(wait for +QMTOPEN: {client},0, then)",
            "AT+QMTCONN={client},\"{device}\",…",
        ],
        sources: &["BC28 and EC20 firmware with fixed delays"],
        rule: Rule::Attempt(before_open),
    },
    Cause {
        id: "mqtt.conn-too-late",
        title: "The server closed before QMTCONN came",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,0`, a pause, `+QMTSTAT: x,1`, then `QMTCONN` answers ERROR",
        reason: "A server waits only some seconds for the first packet; typing by hand is often too slow.",
        check: &["AT+QMTCONN?"],
        fix: &[
            "AT+QMTOPEN={client},\"{host}\",{port}",
            "(right after +QMTOPEN: {client},0)",
            "AT+QMTCONN={client},\"{device}\",…",
        ],
        sources: &["thingscloud.xyz: 5 s", "EC200S with Aliyun"],
        rule: Rule::Attempt(too_late),
    },
    Cause {
        id: "mqtt.cfg-after-open",
        title: "The client was configured after it was opened",
        severity: Severity::Error,
        symptom: "`QMTCFG` behind `+QMTOPEN: x,0` answers ERROR or has no effect",
        reason: "`QMTCFG` is read when the connection opens; what comes later waits for the next open.",
        check: &[
            "AT+QMTCFG=\"ssl\",{client}",
            "AT+QMTCFG=\"version\",{client}",
        ],
        fix: &[
            "AT+QMTCLOSE={client}",
            "(send the QMTCFG lines, then)",
            "AT+QMTOPEN={client},\"{host}\",{port}",
        ],
        sources: &[
            "EC200 driver that relies on the ERROR",
            "thingscloud.xyz: configure before connecting",
        ],
        rule: Rule::Attempt(configured_late),
    },
    Cause {
        id: "mqtt.wrong-parameter",
        title: "The module does not accept the parameters of the open",
        severity: Severity::Error,
        symptom: "`+QMTOPEN: x,1`, or ERROR to the command",
        reason: "Usually the host (a scheme, a port inside it, more than 100 characters) or a client index over 5.",
        check: &["AT+QMTOPEN=?"],
        fix: &["AT+QMTOPEN={client},\"{host}\",{port}"],
        sources: &["BG96 MQTT Application Note V1.0, result 1"],
        rule: Rule::Attempt(wrong_parameter),
    },
];

fn id_occupied(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    if attempt.api != Api::Qmt || attempt.code() != Some(2) {
        return None;
    }
    let detail = format!("Client {} was already open.", attempt.client);
    let quotes = attempt.failure_quotes();
    let later = case
        .session
        .attempts
        .iter()
        .skip(case.index + 1)
        .any(|a| a.client == attempt.client && a.is_open());
    Some(if later || attempt.is_connected() {
        Evidence::warning(
            Confidence::Certain,
            format!("{detail} It was cured in this log."),
        )
        .at(quotes)
    } else {
        Evidence::error(Confidence::Certain, detail).at(quotes)
    })
}

fn before_open(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let early = attempt
        .connects
        .iter()
        .find(|connect| connect.before_open && connect.result.is_none());
    if let Some(connect) = early
        .filter(|c| c.refused.is_some() || (attempt.result.is_some() && !attempt.is_connected()))
    {
        let quotes = [
            attempt.quote.as_ref(),
            Some(&connect.quote),
            connect.refused.as_ref(),
            attempt.result.as_ref().map(|r| &r.quote),
        ];
        let detail = format!(
            "`QMTCONN` went out before `+QMTOPEN: {},…` had come.",
            attempt.client
        );
        let confidence = if attempt.result.is_some() {
            Confidence::Certain
        } else {
            Confidence::Likely
        };
        return Some(Evidence::error(confidence, detail).quoting(quotes.into_iter().flatten()));
    }
    let after = attempt
        .connects
        .iter()
        .find(|connect| connect.after_failed_open && connect.refused.is_some())?;
    let detail = "`QMTCONN` went out although the open had failed.";
    let quotes = [
        attempt.result.as_ref().map(|r| &r.quote),
        Some(&after.quote),
        after.refused.as_ref(),
    ];
    Some(Evidence::warning(Confidence::Likely, detail).quoting(quotes.into_iter().flatten()))
}

fn too_late(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let closed = attempt.closed_before_connect()?;
    let opened = attempt.result.as_ref().filter(|result| result.code == 0)?;
    let gap = elapsed_ms(closed.stamp, opened.stamp);
    if gap.is_some_and(|ms| ms < 4000)
        || super::firmware::is_known_bug(case).is_some()
        || attempt.is_connected()
    {
        return None;
    }
    let connect = attempt.connects.first().map(|connect| &connect.quote);
    let waited = gap.map_or(String::new(), |ms| format!(" after {} s", ms / 1000));
    let detail = format!("The server closed{waited}, before `QMTCONN` was sent.");
    let confidence = if gap.is_some() {
        Confidence::Certain
    } else {
        Confidence::Likely
    };
    let quotes = [Some(&opened.quote), Some(&closed.quote), connect]
        .into_iter()
        .flatten();
    Some(Evidence::error(confidence, detail).quoting(quotes))
}

fn configured_late(case: &Case<'_>) -> Option<Evidence> {
    const MATTERS: &[&str] = &[
        "ssl",
        "version",
        "pdpcid",
        "keepalive",
        "session",
        "will",
        "willex",
        "timeout",
    ];
    let attempt = case.attempt;
    let late: Vec<_> = attempt
        .late_settings
        .iter()
        .filter(|late| MATTERS.contains(&late.name.as_str()))
        .collect();
    let first = late.first()?;
    let decisive = late
        .iter()
        .any(|late| late.refused || matches!(late.name.as_str(), "ssl" | "version" | "pdpcid"));
    let names: Vec<&str> = late.iter().map(|late| late.name.as_str()).collect();
    let detail = format!(
        "`{}` was configured while client {} was already open.",
        names.join("`, `"),
        attempt.client
    );
    let opened = attempt.result.as_ref().map(|result| &result.quote);
    let quotes: Vec<_> = opened
        .into_iter()
        .chain(late.iter().map(|late| &late.quote))
        .collect();
    if attempt.failed() && decisive {
        return Some(Evidence::error(Confidence::Likely, detail).quoting(quotes));
    }
    let useless = first.after_connect || late.iter().any(|late| late.refused);
    useless.then(|| Evidence::warning(Confidence::Likely, detail).quoting(quotes))
}

fn wrong_parameter(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    if attempt.api != Api::Qmt {
        return None;
    }
    let host = attempt.host.as_str();
    let why = if attempt.client > 5 {
        Some("the client index is over 5")
    } else if host.len() > 100 {
        Some("the host has more than 100 characters")
    } else if scheme(host).is_some() {
        Some("a scheme stands in front of the host")
    } else if crate::host::bare_host(host) != host.trim() {
        Some("the host has a port or a path in it")
    } else if attempt.port.is_none() || attempt.port == Some(0) {
        Some("there is no port")
    } else {
        None
    };
    let words = why.map_or(String::new(), |why| format!(": {why}"));
    let quotes = attempt.failure_quotes();
    if attempt.code() == Some(1) {
        return Some(
            Evidence::error(
                Confidence::Likely,
                format!("`+QMTOPEN: {},1` says so{words}.", attempt.client),
            )
            .at(quotes),
        );
    }
    let plain_refusal = attempt.refused.is_some() && attempt.result.is_none();
    let explained = case.has_any(&[
        "syn.numeric-quoted",
        "syn.host-has-scheme",
        "syn.smart-quotes",
        "syn.placeholder-left",
        "fw.dialect",
    ]);
    (plain_refusal && why.is_some() && !explained).then(|| {
        Evidence::error(Confidence::Likely, format!("The open was refused{words}.")).at(quotes)
    })
}
