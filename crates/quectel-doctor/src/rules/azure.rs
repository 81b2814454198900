//! Causes in what is said to an IoT Hub: topics, QoS, retain, keep-alive, a second client.

use super::azure_token::is_azure;
use super::{Case, Cause, Confidence, Context, Evidence, Rule, Severity};
use crate::host::{Cloud, has_placeholder};
use crate::session::attempt::{Action, Attempt, Stat};
use crate::time::elapsed_ms;

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "az.topic-not-allowed",
        title: "Azure does not take this topic",
        severity: Severity::Error,
        symptom: "the publish says OK, then `+QMTSTAT: x,1`",
        reason: "IoT Hub is not a general broker: telemetry goes to `devices/{device}/messages/events/`, everything else to its \
                 own `$iothub/…` topics; another topic closes the connection.",
        check: &[],
        fix: &["AT+QMTPUB={client},1,1,0,\"devices/{device}/messages/events/\""],
        sources: &[
            "forums.quectel.com/t/8115 (reference log)",
            "Azure IoT Hub: Connect with MQTT",
        ],
        rule: Rule::Attempt(topic),
    },
    Cause {
        id: "az.duplicate-client",
        title: "Two clients log in with one identity and throw each other out",
        severity: Severity::Error,
        symptom: "connected, then `+QMTSTAT: x,1` seconds later, again and again",
        reason: "A hub keeps one connection per device: a second login closes the first one (400027).",
        check: &[],
        fix: &[
            "(stop the other client, such as a test program on the PC, or give it another device id)",
        ],
        sources: &["learn.microsoft.com: troubleshoot-error-codes 400027"],
        rule: Rule::Session(duplicate),
    },
    Cause {
        id: "az.qos2",
        title: "QoS 2 is not supported",
        severity: Severity::Error,
        symptom: "`+QMTSTAT: x,1` after a publish with QoS 2",
        reason: "IoT Hub closes the connection at a publish with QoS 2; it takes 0 and 1.",
        check: &[],
        fix: &["AT+QMTPUB={client},1,1,0,\"devices/{device}/messages/events/\""],
        sources: &["Azure IoT Hub: Connect with MQTT"],
        rule: Rule::Attempt(qos_2),
    },
    Cause {
        id: "az.keepalive-too-long",
        title: "The keep-alive is longer than the hub waits",
        severity: Severity::Warning,
        symptom: "`+QMTSTAT: x,1` after half an hour of silence",
        reason: "The hub waits 1.5 times the keep-alive and never longer than 1767 s, so 1177 s is the most; 0 sends no ping.",
        check: &["AT+QMTCFG=\"keepalive\",{client}"],
        fix: &["AT+QMTCFG=\"keepalive\",{client},240"],
        sources: &["Azure IoT Hub: Connect with MQTT, keep-alive"],
        rule: Rule::Attempt(keepalive),
    },
    Cause {
        id: "az.retain",
        title: "Retained messages are not kept",
        severity: Severity::Info,
        symptom: "nothing is retained",
        reason: "The hub does not store the message; it only adds the property `mqtt-retain`.",
        check: &[],
        fix: &["AT+QMTPUB={client},1,1,0,\"devices/{device}/messages/events/\""],
        sources: &["Azure IoT Hub: Connect with MQTT"],
        rule: Rule::Attempt(retain),
    },
];

/// The device, or device and module, that a topic must name.
fn identity(attempt: &Attempt) -> Option<&str> {
    let id = attempt.connect()?.client_id.as_str();
    (!id.is_empty() && !has_placeholder(id)).then_some(id)
}

/// `devices/{device}` or `devices/{device}/modules/{module}` at the beginning of a topic: the rest.
fn below_device<'a>(topic: &'a str, identity: Option<&str>) -> Option<&'a str> {
    let rest = topic.strip_prefix("devices/")?;
    let (device, rest) = rest.split_once('/')?;
    let (expected_device, expected_module) = match identity {
        Some(id) => id
            .split_once('/')
            .map_or((Some(id), None), |(device, module)| {
                (Some(device), Some(module))
            }),
        None => (None, None),
    };
    let known = |given: &str, expected: Option<&str>| {
        given == "+" || has_placeholder(given) || expected.is_none_or(|expected| expected == given)
    };
    if !known(device, expected_device) {
        return None;
    }
    match rest.strip_prefix("modules/") {
        Some(module) => {
            let (module, rest) = module.split_once('/')?;
            known(module, expected_module).then_some(rest)
        }
        None => Some(rest),
    }
}

fn publish_allowed(topic: &str, cloud: Cloud, identity: Option<&str>) -> bool {
    if cloud == Cloud::AzureDps {
        return [
            "$dps/registrations/PUT/iotdps-register/",
            "$dps/registrations/GET/iotdps-get-operationstatus/",
        ]
        .iter()
        .any(|prefix| topic.starts_with(prefix));
    }
    let own = [
        "$iothub/twin/GET/",
        "$iothub/twin/PATCH/properties/reported/",
        "$iothub/methods/res/",
        "$iothub/credentials/POST/",
    ];
    own.iter().any(|prefix| topic.starts_with(prefix))
        || below_device(topic, identity).is_some_and(|rest| rest.starts_with("messages/events"))
}

fn subscribe_allowed(filter: &str, cloud: Cloud, identity: Option<&str>) -> bool {
    if cloud == Cloud::AzureDps {
        return filter.starts_with("$dps/registrations/res/");
    }
    let own = [
        "$iothub/twin/res/",
        "$iothub/twin/PATCH/properties/desired/",
        "$iothub/methods/POST/",
        "$iothub/credentials/res/",
        "$iothub/credential/",
    ];
    own.iter().any(|prefix| filter.starts_with(prefix))
        || below_device(filter, identity).is_some_and(|rest| {
            ["messages/devicebound", "inputs/", "#"]
                .iter()
                .any(|part| rest.starts_with(part))
        })
}

/// The server closed after this action, as the last word on it.
fn closed_after(attempt: &Attempt, action: Action) -> Option<&Stat> {
    attempt
        .stats
        .iter()
        .find(|stat| stat.code == 1 && stat.after == action)
}

/// What about a topic is wrong, when it shows.
fn what_is_wrong(topic: &str, identity: Option<&str>) -> String {
    let named = topic
        .strip_prefix("devices/")
        .and_then(|rest| rest.split('/').next());
    let other = named
        .zip(identity)
        .filter(|(device, id)| id.split('/').next() != Some(device));
    if topic.starts_with('/') {
        " It begins with a slash.".to_owned()
    } else if let Some((device, id)) = other {
        format!(" It names `{device}`, and the client is `{id}`.")
    } else {
        String::new()
    }
}

fn topic(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    if !is_azure(case)
        || !(attempt.is_connected() || attempt.code() == Some(0))
        || attempt.no_connack().is_some()
    {
        return None;
    }
    let identity = identity(attempt);
    let cloud = case.cloud();
    let hidden = |topic: &str| topic.is_empty() || has_placeholder(topic);
    let publish = attempt
        .publishes
        .iter()
        .find(|p| !hidden(&p.topic) && !publish_allowed(&p.topic, cloud, identity));
    let filter = attempt.subscribes.iter().find_map(|subscribe| {
        let bad = subscribe
            .topics
            .iter()
            .find(|topic| !hidden(topic) && !subscribe_allowed(topic, cloud, identity))?;
        Some((subscribe, bad))
    });
    let (name, quote, action) = match (publish, filter) {
        (Some(publish), _) => (publish.topic.as_str(), &publish.quote, Action::Publish),
        (None, Some((subscribe, topic))) => (topic.as_str(), &subscribe.quote, Action::Subscribe),
        (None, None) => return None,
    };
    let hint = what_is_wrong(name, identity);
    let what = if action == Action::Publish {
        "was published to"
    } else {
        "was subscribed"
    };
    let detail = format!(
        "`{name}` {what}, which {} does not have.{hint}",
        cloud_name(cloud)
    );
    let closed = closed_after(attempt, action);
    let quotes = core::iter::once(quote).chain(closed.map(|stat| &stat.quote));
    let evidence = match closed {
        Some(_) => Evidence::error(Confidence::Likely, detail),
        None => Evidence::warning(Confidence::Likely, detail),
    };
    let evidence = evidence.quoting(quotes);
    Some(if action == Action::Subscribe {
        let filter = if cloud == Cloud::AzureDps {
            "$dps/registrations/res/#"
        } else {
            "devices/{device}/messages/devicebound/#"
        };
        evidence.with_fix([format!("AT+QMTSUB={{client}},1,\"{filter}\",1")])
    } else {
        evidence
    })
}

const fn cloud_name(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::AzureDps => "the Device Provisioning Service",
        _ => "IoT Hub",
    }
}

/// Two logins throw each other out within so many milliseconds.
const SOON_MS: i64 = 60_000;

/// The client id that a connection logged in with.
fn login(attempt: &Attempt) -> &str {
    attempt
        .connect()
        .map_or("", |connect| connect.client_id.as_str())
}

/// The same identity on two clients of one module.
fn twins(connected: &[&Attempt]) -> Option<Evidence> {
    connected.iter().enumerate().find_map(|(n, first)| {
        let id = login(first);
        let twin = connected.iter().skip(n + 1).find(|other| {
            other.client != first.client
                && !id.is_empty()
                && login(other) == id
                && first.closed.is_none()
        })?;
        let detail = format!(
            "Clients {} and {} both log in as `{id}`.",
            first.client, twin.client
        );
        let connects = [first.connect(), twin.connect()].into_iter().flatten();
        let quotes = connects.map(|connect| &connect.quote);
        Some(Evidence::error(Confidence::Certain, detail).quoting(quotes))
    })
}

/// How the server closed a session soon after its login, without a cause in what was sent.
fn thrown_out(attempt: &Attempt) -> Option<&Stat> {
    let stat = attempt.stats.iter().find(|stat| {
        stat.code == 1
            && stat.connected
            && matches!(stat.after, Action::Connect | Action::Subscribe)
    })?;
    let mut results = attempt.connects.iter().rev();
    let accepted = results.find_map(|connect| connect.result.as_ref())?;
    let soon = elapsed_ms(stat.stamp, accepted.stamp).is_none_or(|ms| ms <= SOON_MS);
    let mut filters = attempt.subscribes.iter().flat_map(|s| &s.topics);
    let good_filters = filters.all(|topic| subscribe_allowed(topic, attempt.cloud, None));
    (soon && good_filters && attempt.publishes.is_empty()).then_some(stat)
}

fn duplicate(context: &Context<'_>) -> Vec<Evidence> {
    let is_login = |a: &Attempt| a.cloud == Cloud::AzureHub && a.is_connected();
    let attempts = &context.session.attempts;
    let connected: Vec<&Attempt> = attempts.iter().filter(|a| is_login(a)).collect();
    if let Some(twins) = twins(&connected) {
        return vec![twins];
    }
    let cycles: Vec<(usize, &Attempt, &Stat)> = attempts
        .iter()
        .enumerate()
        .filter(|(_, attempt)| is_login(attempt))
        .filter_map(|(index, attempt)| Some((index, attempt, thrown_out(attempt)?)))
        .collect();
    let id = cycles.first().map_or("", |(_, attempt, _)| login(attempt));
    if cycles.len() < 2 || cycles.iter().any(|(_, attempt, _)| login(attempt) != id) {
        return Vec::new();
    }
    let detail = format!(
        "`{id}` was connected {} times and closed by the hub seconds later each time.",
        cycles.len()
    );
    let quotes = cycles.iter().map(|(_, _, stat)| &stat.quote);
    let evidence = Evidence::error(Confidence::Likely, detail).quoting(quotes);
    cycles
        .iter()
        .map(|(index, ..)| evidence.clone().of(*index))
        .collect()
}

fn qos_2(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    if !is_azure(case) || !attempt.is_open() {
        return None;
    }
    let publish = attempt
        .publishes
        .iter()
        .find(|publish| publish.qos == Some(2))?;
    let closed = closed_after(attempt, Action::Publish);
    let quotes = core::iter::once(&publish.quote).chain(closed.map(|stat| &stat.quote));
    let detail = format!("A publish to `{}` went out with QoS 2.", publish.topic);
    Some(match closed {
        Some(_) => Evidence::error(Confidence::Likely, detail).quoting(quotes),
        None => Evidence::warning(Confidence::Likely, detail).quoting(quotes),
    })
}

fn retain(case: &Case<'_>) -> Option<Evidence> {
    let publish = case
        .attempt
        .publishes
        .iter()
        .find(|publish| publish.retain == Some(1))?;
    (is_azure(case) && case.attempt.is_open()).then(|| {
        Evidence::info(format!("`{}` was published with retain.", publish.topic))
            .quoting([&publish.quote])
    })
}

fn keepalive(case: &Case<'_>) -> Option<Evidence> {
    let keepalive = case.attempt.config()?.get("keepalive")?;
    let seconds = keepalive.number().filter(|n| *n > 1177 || *n == 0)?;
    is_azure(case).then(|| {
        let detail = format!(
            "The keep-alive of client {} is {seconds} s.",
            case.attempt.client
        );
        Evidence::warning(Confidence::Certain, detail).quoting([&keepalive.quote])
    })
}
