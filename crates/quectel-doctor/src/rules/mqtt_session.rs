//! Causes in the answer to CONNECT, and in the session afterwards.

use super::{Case, Cause, Confidence, Evidence, Rule, Severity};
use crate::host::Cloud;
use crate::session::attempt::{Action, Api};

const REOPEN: &[&str] = &[
    "AT+QMTCLOSE={client}",
    "AT+QMTOPEN={client},\"{host}\",{port}",
];

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "mqtt.version-3",
        title: "The client speaks MQTT 3.1, the cloud 3.1.1",
        severity: Severity::Warning,
        symptom: "CONNACK 1, or the server closes at CONNECT",
        reason: "Version 3 (MQTT 3.1) is the factory value of many firmwares; Azure and AWS want 4 (MQTT 3.1.1).",
        check: &["AT+QMTCFG=\"version\",{client}"],
        fix: &[
            "AT+QMTCLOSE={client}",
            "AT+QMTCFG=\"version\",{client},4",
            "AT+QMTOPEN={client},\"{host}\",{port}",
        ],
        sources: &[
            "Azure IoT Hub: MQTT 3.1.1",
            "BG96 MQTT Application Note V1.0, AT+QMTCFG version",
        ],
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
        check: &[
            "AT+QMTCFG=\"ssl\",{client}",
            "AT+QMTCFG=\"version\",{client}",
        ],
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
        fix: &[
            "AT+CPSMS=0",
            "AT+QMTCFG=\"keepalive\",{client},120",
            "AT+QMTOPEN={client},\"{host}\",{port}",
        ],
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

fn version_3(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let refusal = attempt.refusal().map(|(code, _)| code);
    if attempt.api != Api::Qmt || (refusal.is_none() && attempt.no_connack().is_none()) {
        return None;
    }
    if !(case.cloud().is_azure() || case.cloud().is_aws()) || case.connected_otherwise() {
        return None;
    }
    let version = attempt.config().and_then(|client| client.get("version"));
    let number = version.and_then(crate::session::settings::Value::number);
    let visible = attempt.state.has_configuration();
    if number == Some(4) || number == Some(5) || (version.is_none() && !visible && case.has_error())
    {
        return None;
    }
    let detail = match number {
        Some(3) => "`version` is set to 3, MQTT 3.1.".to_owned(),
        _ => format!("`version` 4 was never set for client {}.", attempt.client),
    };
    let quotes = case.failure_with([version.map(|value| &value.quote)]);
    Some(if refusal == Some(1) {
        Evidence::error(Confidence::Certain, detail).at(quotes)
    } else if number == Some(3) && !case.has_error_of(&["az.", "dps.", "aws.", "syn."]) {
        // Nothing else explains why the server refused it.
        Evidence::error(Confidence::Likely, detail).at(quotes)
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
    if matches!(wanted, 4 | 5)
        && (case.has_error_of(&specific) || case.has_error_of(&["mqtt.version-3"]))
    {
        return None;
    }
    let later = if case.connected_later() {
        " A later CONNECT was accepted."
    } else {
        ""
    };
    let evidence =
        Evidence::error(Confidence::Certain, format!("{words}{later}")).quoting([quote.0, quote.1]);
    // What Azure wants is known; of another server only its user knows.
    Some(match case.cloud() {
        _ if !matches!(wanted, 4 | 5) => evidence,
        Cloud::AzureHub => evidence.with_fix(super::azure_identity::CONNECT.iter().copied()),
        Cloud::AzureDps => evidence.with_fix(super::dps::CONNECT.iter().copied()),
        _ => evidence,
    })
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
    let stat = case
        .attempt
        .stats
        .iter()
        .find(|stat| matches!(stat.code, 2 | 6 | 7) && stat.connected)?;
    let sleep = case.attempt.state.network.sleep.as_ref().or(case
        .session
        .state
        .network
        .sleep
        .as_ref());
    let why = if sleep.is_some() {
        " Power saving is switched on."
    } else {
        ""
    };
    let detail = format!("`+QMTSTAT` reports {}.{why}", stat.code);
    Some(
        Evidence::warning(Confidence::Likely, detail)
            .quoting(core::iter::once(&stat.quote).chain(sleep)),
    )
}

fn closed_by_peer(case: &Case<'_>) -> Option<Evidence> {
    let stat = case
        .attempt
        .stats
        .iter()
        .find(|stat| stat.code == 1 && stat.connected && stat.after != Action::Disconnect)?;
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
