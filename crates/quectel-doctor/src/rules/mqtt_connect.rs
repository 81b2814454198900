//! Causes between the open and an accepted CONNECT, and in the session afterwards.

use super::{Case, Cause, Confidence, Evidence, Rule, Severity};
use crate::host::scheme;
use crate::session::attempt::{Action, Api};
use crate::time::elapsed_ms;

const REOPEN: &[&str] = &["AT+QMTCLOSE={client}", "AT+QMTOPEN={client},\"{host}\",{port}"];

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
        sources: &["BG95-M3 driver after a flash of the host", "BG96 MQTT Application Note V1.0, result 2"],
        rule: Rule::Attempt(id_occupied),
    },
    Cause {
        id: "mqtt.conn-before-open",
        title: "QMTCONN was sent before the connection was open",
        severity: Severity::Error,
        symptom: "`QMTCONN` answers ERROR, and `+QMTOPEN: x,0` comes later",
        reason: "OK only says that the open was begun; its result is the URC `+QMTOPEN:`, which may take 75 s.",
        check: &["AT+QMTOPEN?"],
        fix: &["AT+QMTOPEN={client},\"{host}\",{port}", "(wait for +QMTOPEN: {client},0, then)", "AT+QMTCONN={client},\"{device}\",…"],
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
        fix: &["AT+QMTOPEN={client},\"{host}\",{port}", "(right after +QMTOPEN: {client},0)", "AT+QMTCONN={client},\"{device}\",…"],
        sources: &["thingscloud.xyz: 5 s", "EC200S with Aliyun"],
        rule: Rule::Attempt(too_late),
    },
    Cause {
        id: "mqtt.cfg-after-open",
        title: "The client was configured after it was opened",
        severity: Severity::Error,
        symptom: "`QMTCFG` behind `+QMTOPEN: x,0` answers ERROR or has no effect",
        reason: "`QMTCFG` is read when the connection opens; what comes later waits for the next open.",
        check: &["AT+QMTCFG=\"ssl\",{client}", "AT+QMTCFG=\"version\",{client}"],
        fix: &["AT+QMTCLOSE={client}", "(send the QMTCFG lines, then)", "AT+QMTOPEN={client},\"{host}\",{port}"],
        sources: &["EC200 driver that relies on the ERROR", "thingscloud.xyz: configure before connecting"],
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
    Cause {
        id: "mqtt.version-3",
        title: "The client speaks MQTT 3.1, the cloud 3.1.1",
        severity: Severity::Warning,
        symptom: "CONNACK 1, or the server closes at CONNECT",
        reason: "Version 3 (MQTT 3.1) is the factory value of many firmwares; Azure and AWS want 4 (MQTT 3.1.1).",
        check: &["AT+QMTCFG=\"version\",{client}"],
        fix: &["AT+QMTCLOSE={client}", "AT+QMTCFG=\"version\",{client},4", "AT+QMTOPEN={client},\"{host}\",{port}"],
        sources: &["Azure IoT Hub: MQTT 3.1.1", "BG96 MQTT Application Note V1.0, AT+QMTCFG version"],
        rule: Rule::Fallback(version_3),
    },
    Cause {
        id: "mqtt.connack-1-protocol",
        title: "The server refuses the protocol version (CONNACK 1)",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,1`",
        reason: "The server does not speak the version of MQTT that the client asked for.",
        check: &["AT+QMTCFG=\"version\",{client}"],
        fix: &["AT+QMTCFG=\"version\",{client},4"],
        sources: &["MQTT 3.1.1, table 3.1"],
        rule: Rule::Fallback(connack_1),
    },
    Cause {
        id: "mqtt.connack-2-id-rejected",
        title: "The server refuses the client id (CONNACK 2)",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,2`",
        reason: "The client id is not one that the server allows; most clouds want the id of the device.",
        check: &[],
        fix: &["AT+QMTCONN={client},\"<client id that the server expects>\",…"],
        sources: &["BG96 with ThingsBoard", "MQTT 3.1.1, table 3.1"],
        rule: Rule::Fallback(connack_2),
    },
    Cause {
        id: "mqtt.connack-3-unavailable",
        title: "The server is not available (CONNACK 3)",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,3`",
        reason: "The connection is good and the MQTT service behind it is not; it is the server's matter.",
        check: &[],
        fix: &["(try again later with growing pauses)"],
        sources: &["MQTT 3.1.1, table 3.1"],
        rule: Rule::Fallback(connack_3),
    },
    Cause {
        id: "mqtt.connack-4-bad-credentials",
        title: "The server refuses user name or password (CONNACK 4)",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,4`",
        reason: "The credentials are malformed or wrong; TLS and network are good.",
        check: &[],
        fix: &["AT+QMTCONN={client},\"{device}\",\"<user name>\",\"<password>\""],
        sources: &["MQTT 3.1.1, table 3.1"],
        rule: Rule::Fallback(connack_4),
    },
    Cause {
        id: "mqtt.connack-5-not-authorized",
        title: "The server does not let this client in (CONNACK 5)",
        severity: Severity::Error,
        symptom: "`+QMTCONN: x,0,5`, often with `+QMTSTAT: x,4` behind it",
        reason: "One code for many causes: unknown or disabled device, wrong key, expired or malformed token, missing \
                 credentials; TLS and network are good.",
        check: &["AT+CCLK?"],
        fix: &["AT+QMTCONN={client},\"{device}\",\"<user name>\",\"<password>\""],
        sources: &["BG96 with ThingsBoard", "Azure/azure-iot-sdk-c issue 997"],
        rule: Rule::Fallback(connack_5),
    },
    Cause {
        id: "mqtt.no-connack",
        title: "CONNECT was sent and no CONNACK came back",
        severity: Severity::Error,
        symptom: "OK to `QMTCONN`, then `+QMTSTAT: x,1` or `x,4`, or `+QMTCONN: x,1`",
        reason: "The server closes without a word when TLS is missing, the protocol version is wrong, or a policy forbids the \
                 client.",
        check: &["AT+QMTCFG=\"ssl\",{client}", "AT+QMTCFG=\"version\",{client}"],
        fix: REOPEN,
        sources: &["floci-io/floci pull 3180 (AWS)"],
        rule: Rule::Fallback(no_connack),
    },
    Cause {
        id: "mqtt.keepalive-failed",
        title: "The connection died: the keep-alive was not answered",
        severity: Severity::Warning,
        symptom: "`+QMTSTAT: x,2`, `x,6` or `x,7`",
        reason: "Coverage, a NAT that forgets idle connections, or power saving (PSM, eDRX) between two pings.",
        check: &["AT+CSQ", "AT+CPSMS?", "AT+QMTCFG=\"keepalive\",{client}"],
        fix: &["AT+CPSMS=0", "AT+QMTCFG=\"keepalive\",{client},120", "AT+QMTOPEN={client},\"{host}\",{port}"],
        sources: &["BG96 MQTT Application Note V1.0, +QMTSTAT"],
        rule: Rule::Attempt(keepalive_failed),
    },
    Cause {
        id: "mqtt.closed-by-peer",
        title: "The server closed the connection",
        severity: Severity::Error,
        symptom: "`+QMTSTAT: x,1` in a connected session",
        reason: "MQTT 3.1.1 gives no reason; look at what went out last before it: a topic, a QoS, a second login with the \
                 same client id, or silence longer than the keep-alive.",
        check: &["AT+QMTCONN?"],
        fix: REOPEN,
        sources: &["MQTT 3.1.1, 3.14"],
        rule: Rule::Fallback(closed_by_peer),
    },
];

fn id_occupied(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    if attempt.api != Api::Qmt || attempt.code() != Some(2) {
        return None;
    }
    let detail = format!("Client {} was already open.", attempt.client);
    let quotes = attempt.failure_quotes();
    let later = case.session.attempts.iter().skip(case.index + 1).any(|a| a.client == attempt.client && a.is_open());
    Some(if later || attempt.is_connected() {
        Evidence::warning(Confidence::Certain, format!("{detail} It was cured in this log.")).at(quotes)
    } else {
        Evidence::error(Confidence::Certain, detail).at(quotes)
    })
}

fn before_open(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let early = attempt.connects.iter().find(|connect| connect.before_open && connect.result.is_none());
    if let Some(connect) = early.filter(|c| c.refused.is_some() || (attempt.result.is_some() && !attempt.is_connected())) {
        let quotes = [attempt.quote.as_ref(), Some(&connect.quote), connect.refused.as_ref(), attempt.result.as_ref().map(|r| &r.quote)];
        let detail = format!("`QMTCONN` went out before `+QMTOPEN: {},…` had come.", attempt.client);
        let confidence = if attempt.result.is_some() { Confidence::Certain } else { Confidence::Likely };
        return Some(Evidence::error(confidence, detail).quoting(quotes.into_iter().flatten()));
    }
    let after = attempt.connects.iter().find(|connect| connect.after_failed_open && connect.refused.is_some())?;
    let detail = "`QMTCONN` went out although the open had failed.";
    let quotes = [attempt.result.as_ref().map(|r| &r.quote), Some(&after.quote), after.refused.as_ref()];
    Some(Evidence::warning(Confidence::Likely, detail).quoting(quotes.into_iter().flatten()))
}

fn too_late(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let closed = attempt.closed_before_connect()?;
    let opened = attempt.result.as_ref().filter(|result| result.code == 0)?;
    let gap = elapsed_ms(closed.stamp, opened.stamp);
    if gap.is_some_and(|ms| ms < 4000) || super::firmware::is_known_bug(case).is_some() || attempt.is_connected() {
        return None;
    }
    let connect = attempt.connects.first().map(|connect| &connect.quote);
    let waited = gap.map_or(String::new(), |ms| format!(" after {} s", ms / 1000));
    let detail = format!("The server closed{waited}, before `QMTCONN` was sent.");
    let confidence = if gap.is_some() { Confidence::Certain } else { Confidence::Likely };
    let quotes = [Some(&opened.quote), Some(&closed.quote), connect].into_iter().flatten();
    Some(Evidence::error(confidence, detail).quoting(quotes))
}

fn configured_late(case: &Case<'_>) -> Option<Evidence> {
    const MATTERS: &[&str] = &["ssl", "version", "pdpcid", "keepalive", "session", "will", "willex", "timeout"];
    let attempt = case.attempt;
    let late: Vec<_> = attempt.late_settings.iter().filter(|late| MATTERS.contains(&late.name.as_str())).collect();
    let first = late.first()?;
    let decisive = late.iter().any(|late| late.refused || matches!(late.name.as_str(), "ssl" | "version" | "pdpcid"));
    let names: Vec<&str> = late.iter().map(|late| late.name.as_str()).collect();
    let detail = format!("`{}` was configured while client {} was already open.", names.join("`, `"), attempt.client);
    let opened = attempt.result.as_ref().map(|result| &result.quote);
    let quotes: Vec<_> = opened.into_iter().chain(late.iter().map(|late| &late.quote)).collect();
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
        return Some(Evidence::error(Confidence::Likely, format!("`+QMTOPEN: {},1` says so{words}.", attempt.client)).at(quotes));
    }
    let plain_refusal = attempt.refused.is_some() && attempt.result.is_none();
    let explained = case.has_any(&["syn.numeric-quoted", "syn.host-has-scheme", "syn.smart-quotes", "syn.placeholder-left", "fw.dialect"]);
    (plain_refusal && why.is_some() && !explained).then(|| {
        Evidence::error(Confidence::Likely, format!("The open was refused{words}.")).at(quotes)
    })
}

fn version_3(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let refusal = attempt.refusal().map(|(code, _)| code);
    if attempt.api != Api::Qmt || (refusal.is_none() && attempt.no_connack().is_none()) {
        return None;
    }
    if !(case.cloud().is_azure() || case.cloud().is_aws()) {
        return None;
    }
    let version = attempt.config().and_then(|client| client.get("version"));
    let number = version.and_then(crate::session::settings::Value::number);
    let visible = attempt.state.has_configuration();
    if number == Some(4) || number == Some(5) || (version.is_none() && !visible && case.has_error()) {
        return None;
    }
    let detail = match number {
        Some(3) => "`version` is set to 3, MQTT 3.1.".to_owned(),
        _ => format!("`version` 4 was never set for client {}.", attempt.client),
    };
    let quotes = case.failure_with([version.map(|value| &value.quote)]);
    Some(if refusal == Some(1) {
        Evidence::error(Confidence::Certain, detail).at(quotes)
    } else if attempt.no_connack().is_some() && !case.has_error() && visible {
        Evidence::error(Confidence::Likely, detail).at(quotes)
    } else {
        Evidence::warning(Confidence::Possible, detail).at(quotes)
    })
}

fn connack(case: &Case<'_>, wanted: i32, words: &str) -> Option<Evidence> {
    let attempt = case.attempt;
    let quote = attempt.connects.iter().find_map(|connect| {
        let result = connect.result.as_ref()?;
        (result.refusal() == Some(wanted)).then_some((&connect.quote, &result.quote))
    })?;
    // The specific cause says more than the code.
    let specific = ["az.", "dps.", "aws.", "syn."];
    if matches!(wanted, 4 | 5) && case.has_error_of(&specific) {
        return None;
    }
    let later = if case.connected_later() { " A later CONNECT was accepted." } else { "" };
    Some(Evidence::error(Confidence::Certain, format!("{words}{later}")).quoting([quote.0, quote.1]))
}

fn connack_1(case: &Case<'_>) -> Option<Evidence> {
    connack(case, 1, "The CONNACK says: unacceptable protocol version.")
}

fn connack_2(case: &Case<'_>) -> Option<Evidence> {
    connack(case, 2, "The CONNACK says: identifier rejected.")
}

fn connack_3(case: &Case<'_>) -> Option<Evidence> {
    connack(case, 3, "The CONNACK says: server unavailable.")
}

fn connack_4(case: &Case<'_>) -> Option<Evidence> {
    connack(case, 4, "The CONNACK says: bad user name or password.")
}

fn connack_5(case: &Case<'_>) -> Option<Evidence> {
    connack(case, 5, "The CONNACK says: not authorized.")
}

fn no_connack(case: &Case<'_>) -> Option<Evidence> {
    let quote = case.attempt.no_connack()?;
    if case.has_error() {
        return None;
    }
    let sent = case.attempt.connect().map(|connect| &connect.quote);
    let detail = format!("Nothing answered the CONNECT to {}.", case.host());
    Some(Evidence::error(Confidence::Likely, detail).quoting(sent.into_iter().chain([quote])))
}

fn keepalive_failed(case: &Case<'_>) -> Option<Evidence> {
    let stat = case.attempt.stats.iter().find(|stat| matches!(stat.code, 2 | 6 | 7) && stat.connected)?;
    let sleep = case.attempt.state.network.sleep.as_ref().or(case.session.state.network.sleep.as_ref());
    let why = if sleep.is_some() { " Power saving is switched on." } else { "" };
    let detail = format!("`+QMTSTAT` reports {}.{why}", stat.code);
    Some(Evidence::warning(Confidence::Likely, detail).quoting(core::iter::once(&stat.quote).chain(sleep)))
}

fn closed_by_peer(case: &Case<'_>) -> Option<Evidence> {
    let stat = case.attempt.stats.iter().find(|stat| stat.code == 1 && stat.connected && stat.after != Action::Disconnect)?;
    let explained = [
        "az.topic-not-allowed",
        "az.qos2",
        "az.duplicate-client",
        "az.sas-expired-midsession",
        "mqtt.sub-refused",
        "net.pdp-dropped",
        "fw.reset-or-brownout",
    ];
    if case.has_any(&explained) {
        return None;
    }
    let after = match stat.after {
        Action::Publish => "a publish",
        Action::Subscribe => "a subscribe",
        _ => "the CONNECT",
    };
    let detail = format!("The server closed the session; the last thing sent before was {after}.");
    let evidence = if case.connected_later() {
        Evidence::warning(Confidence::Likely, detail)
    } else {
        Evidence::error(Confidence::Likely, detail)
    };
    Some(evidence.quoting([&stat.quote]))
}
