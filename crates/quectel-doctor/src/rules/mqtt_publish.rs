//! Causes in publishing and subscribing.

use super::{Case, Cause, Confidence, Evidence, Rule, Severity};
use crate::mask::Quote;
use crate::session::attempt::{Action, Attempt, Publish};
use crate::session::module::Family;

pub(super) const CAUSES: &[Cause] = &[
    Cause {
        id: "mqtt.pub-not-terminated",
        title: "The payload was not ended with Ctrl-Z",
        severity: Severity::Error,
        symptom: "`>` and the payload, no result; later commands disappear",
        reason: "`QMTPUB` without a length takes everything as payload until the byte 0x1A; the letters `^Z` are not it.",
        check: &["AT"],
        fix: &[
            "(send the byte 0x1A; 0x1B cancels)",
            "AT+QMTPUB={client},1,1,0,\"<topic>\"",
            "(payload, then 0x1A)",
        ],
        sources: &[
            "forum.arduino.cc/t/943247",
            "BG96 MQTT Application Note V1.0, AT+QMTPUB",
        ],
        rule: Rule::Attempt(not_terminated),
    },
    Cause {
        id: "mqtt.pub-length",
        title: "The length of the payload is missing or wrong",
        severity: Severity::Error,
        symptom: "`AT+QMTPUBEX=…,\"topic\"` answers ERROR, or no result ever comes",
        reason: "On EC and EG modules `QMTPUBEX` takes a length and exactly so many bytes; on BG95 it takes the payload in \
                 quotes; `QMTPUB` of old BG96 takes neither.",
        check: &["AT+QMTPUBEX=?", "AT+QMTPUB=?"],
        fix: &[
            "AT+QMTPUBEX={client},1,1,0,\"<topic>\",<bytes>",
            "(exactly so many bytes, no Ctrl-Z)",
        ],
        sources: &["forum.arduino.cc/t/943247", "EC600S log"],
        rule: Rule::Attempt(length),
    },
    Cause {
        id: "mqtt.msgid-invalid",
        title: "Message id and QoS do not fit",
        severity: Severity::Error,
        symptom: "`QMTPUB` answers ERROR",
        reason: "The message id is 0 with QoS 0 and 1 to 65535 with QoS 1 and 2.",
        check: &["AT+QMTPUB=?"],
        fix: &["AT+QMTPUB={client},1,1,0,\"<topic>\""],
        sources: &["BG96 MQTT Application Note V1.0, AT+QMTPUB"],
        rule: Rule::Attempt(message_id),
    },
    Cause {
        id: "mqtt.sub-refused",
        title: "The server refuses the subscription",
        severity: Severity::Error,
        symptom: "`+QMTSUB: x,m,0,128`, or `+QMTSTAT: x,1` right after `QMTSUB`",
        reason: "128 is a refusal; 0, 1 and 2 are granted levels. Azure takes only its own filters.",
        check: &[],
        fix: &["AT+QMTSUB={client},1,\"devices/{device}/messages/devicebound/#\",1"],
        sources: &["MQTT 3.1.1, 3.9.3", "Azure IoT Hub: topics"],
        rule: Rule::Attempt(sub_refused),
    },
    Cause {
        id: "mqtt.pub-failed",
        title: "The publish failed",
        severity: Severity::Error,
        symptom: "`+QMTPUB: x,m,2`, or ERROR while not connected",
        reason: "The connection was already gone; a `+QMTSTAT` before it is easily lost when the receive buffer is cleared.",
        check: &["AT+QMTCONN?"],
        fix: &[
            "AT+QMTCLOSE={client}",
            "AT+QMTOPEN={client},\"{host}\",{port}",
        ],
        sources: &["BG96 MQTT Application Note V1.0, +QMTPUB"],
        rule: Rule::Fallback(pub_failed),
    },
];

fn not_terminated(case: &Case<'_>) -> Option<Evidence> {
    let publish = case.attempt.publishes.iter().find(|publish| {
        let open_ended =
            publish.verb == "+QMTPUB" && publish.length.is_none() && !publish.inline_payload;
        let no_result = publish.result.is_none() && !publish.accepted && publish.refused.is_none();
        let next = publish
            .swallowed
            .as_ref()
            .map_or(u64::MAX, |quote| quote.number);
        let meanwhile = publish.quote.number..next;
        let restarts = &case.session.restarts;
        let restarted = restarts
            .iter()
            .any(|restart| meanwhile.contains(&restart.quote.number));
        // A connection that was closed answers no publish.
        let typed = publish.typed_ctrl_z && case.attempt.stats.is_empty();
        let unanswered = publish.swallowed.is_some() || typed;
        open_ended && publish.prompted && no_result && unanswered && !restarted
    })?;
    let detail = match &publish.swallowed {
        Some(_) if publish.typed_ctrl_z => {
            "Ctrl-Z stands in the payload as letters, and the next command went into the payload."
        }
        Some(_) => "The next command came while the module still took payload, and went into it.",
        None => "Ctrl-Z stands in the log, but nothing answered it: it was not the byte 0x1A.",
    };
    let confidence = if publish.swallowed.is_some() {
        Confidence::Likely
    } else {
        Confidence::Possible
    };
    let quotes = core::iter::once(&publish.quote).chain(&publish.swallowed);
    Some(Evidence::error(confidence, detail).quoting(quotes))
}

fn wrong_length<'a>(case: &Case<'_>, publish: &'a Publish) -> Option<(String, Vec<&'a Quote>)> {
    let mut quotes = vec![&publish.quote];
    quotes.extend(&publish.refused);
    let family = case.session.family();
    let refused = publish.refused.is_some();
    if publish.verb == "+QMTPUBEX" {
        if refused && publish.arguments <= 5 {
            return Some((
                "`QMTPUBEX` has no sixth parameter: the length, or on BG95 the payload in quotes."
                    .to_owned(),
                quotes,
            ));
        }
        if refused && publish.inline_payload && matches!(family, Some(Family::Ec2x | Family::Ec200))
        {
            return Some((
                "`QMTPUBEX` of this family takes the length, not the payload itself.".to_owned(),
                quotes,
            ));
        }
        if refused
            && publish.length.is_some()
            && family == Some(Family::Bg9x)
            && !publish.inline_payload
        {
            return Some((
                "`QMTPUBEX` of this family takes the payload in quotes, not its length.".to_owned(),
                quotes,
            ));
        }
    }
    if publish.verb == "+QMTPUB" && refused && publish.length.is_some() && !publish.prompted {
        let detail = "`QMTPUB` was given a length, which old firmware does not know: its payload ends with Ctrl-Z.";
        return Some((detail.to_owned(), quotes));
    }
    let announced = publish.length.and_then(|n| u64::try_from(n).ok())?;
    let sent = publish.payload_bytes;
    if let Some(error) = &publish.overrun {
        quotes.push(error);
        let detail = format!(
            "{announced} bytes were announced and {sent} sent: the rest was taken for a command."
        );
        return Some((detail, quotes));
    }
    let no_result = publish.result.is_none() && !publish.accepted;
    if publish.prompted && sent > 0 && sent != announced && no_result {
        quotes.extend(&publish.swallowed);
        return Some((
            format!("{announced} bytes were announced and {sent} sent."),
            quotes,
        ));
    }
    None
}

fn length(case: &Case<'_>) -> Option<Evidence> {
    let (detail, quotes) = case
        .attempt
        .publishes
        .iter()
        .find_map(|publish| wrong_length(case, publish))?;
    Some(Evidence::error(Confidence::Likely, detail).quoting(quotes))
}

fn message_id(case: &Case<'_>) -> Option<Evidence> {
    let publish = case.attempt.publishes.iter().find(|publish| {
        let fits = match (publish.message_id, publish.qos) {
            (Some(id), Some(0)) => id == 0,
            (Some(id), Some(1 | 2)) => id != 0,
            _ => true,
        };
        publish.refused.is_some() && !fits && connected_at(case.attempt, publish)
    })?;
    let (id, qos) = (
        publish.message_id.unwrap_or_default(),
        publish.qos.unwrap_or_default(),
    );
    let detail = format!("Message id {id} was sent with QoS {qos}.");
    let right = if qos == 0 { "0,0" } else { "1,1" };
    let fix = format!(
        "AT{}={{client}},{right},0,\"{}\"",
        publish.verb, publish.topic
    );
    let quotes = core::iter::once(&publish.quote).chain(&publish.refused);
    Some(
        Evidence::error(Confidence::Likely, detail)
            .quoting(quotes)
            .with_fix([fix]),
    )
}

/// The client was connected when it published, as far as the log shows.
fn connected_at(attempt: &Attempt, publish: &Publish) -> bool {
    let gone = attempt
        .stats
        .iter()
        .any(|stat| stat.quote.number < publish.quote.number);
    attempt.is_connected() && !gone
}

fn sub_refused(case: &Case<'_>) -> Option<Evidence> {
    let attempt = case.attempt;
    let refused = attempt.subscribes.iter().find_map(|subscribe| {
        let (values, quote) = subscribe.result.as_ref()?;
        let refused = matches!(values.as_slice(), [0, granted @ ..] if granted.contains(&128))
            || values.first() == Some(&2);
        refused.then_some((subscribe, quote))
    });
    if let Some((subscribe, quote)) = refused {
        let detail = format!(
            "The filter `{}` was not granted.",
            subscribe.topics.join("`, `")
        );
        return Some(
            Evidence::error(Confidence::Certain, detail).quoting([&subscribe.quote, quote]),
        );
    }
    let stat = attempt
        .stats
        .iter()
        .find(|stat| stat.code == 1 && stat.after == Action::Subscribe && stat.connected)?;
    let subscribe = attempt
        .subscribes
        .last()
        .filter(|subscribe| subscribe.result.is_none())?;
    let detail = format!(
        "The server closed right after the subscription to `{}`.",
        subscribe.topics.join("`, `")
    );
    Some(Evidence::error(Confidence::Likely, detail).quoting([&subscribe.quote, &stat.quote]))
}

fn pub_failed(case: &Case<'_>) -> Option<Evidence> {
    if case.has_any(&[
        "mqtt.pub-length",
        "mqtt.msgid-invalid",
        "mqtt.pub-not-terminated",
        "syn.quotes-in-string",
    ]) {
        return None;
    }
    let attempt = case.attempt;
    let failed = attempt.publishes.iter().find_map(|publish| {
        let by_result = publish
            .result
            .as_ref()
            .filter(|(result, _)| *result == 2)
            .map(|(_, quote)| quote);
        let by_refusal = publish
            .refused
            .as_ref()
            .filter(|_| !connected_at(attempt, publish));
        Some((publish, by_result.or(by_refusal)?))
    });
    let (publish, quote) = failed?;
    let lost = attempt
        .stats
        .iter()
        .find(|stat| stat.quote.number < publish.quote.number)
        .map(|stat| &stat.quote);
    let detail = match lost {
        Some(_) => "The connection had been lost before the publish.",
        None if attempt.is_connected() => "The module could not send the publish.",
        None => "The client was not connected when it published.",
    };
    let quotes = [lost, Some(&publish.quote), Some(quote)]
        .into_iter()
        .flatten();
    let evidence = if case.has_error() {
        Evidence::warning(Confidence::Likely, detail)
    } else {
        Evidence::error(Confidence::Likely, detail)
    };
    Some(evidence.quoting(quotes))
}
