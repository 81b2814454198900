//! How a session ended, and what is worth knowing besides its faults.

use crate::session::Session;
use crate::session::attempt::{Api, Attempt, Tls};
use crate::session::module::Family;
use crate::time::{date_text, utc_text};

/// One phrase: `open failed -1`, `refused 5`, `failed 2 times, then success`.
pub(super) fn outcome(session: &Session) -> String {
    let Some(last) = session.attempts.last() else {
        return if session.commands == 0 {
            "nothing was tried".to_owned()
        } else {
            "setup only, no connection was tried".to_owned()
        };
    };
    let end = end_of(last);
    let failures = session
        .attempts
        .iter()
        .filter(|attempt| attempt.failed())
        .count();
    if last.is_success() && failures > 0 {
        let times = if failures == 1 {
            "once".to_owned()
        } else {
            format!("{failures} times")
        };
        return format!("failed {times}, then success");
    }
    let kicks = session
        .attempts
        .iter()
        .filter(|a| a.is_connected() && a.stats.iter().any(|stat| stat.code == 1 && stat.connected))
        .count();
    if kicks > 1 {
        return format!("connected and closed by the server {kicks} times");
    }
    end
}

fn end_of(attempt: &Attempt) -> String {
    if let Some((code, _)) = attempt.refusal().filter(|_| !attempt.is_connected()) {
        return format!("refused {code}");
    }
    if attempt.is_connected() {
        let closed = attempt
            .stats
            .iter()
            .find(|stat| stat.connected && stat.code != 5);
        return match closed {
            Some(stat) if stat.code == 1 => "connected, then closed by the server".to_owned(),
            Some(stat) => format!("connected, then lost ({})", stat.code),
            None => "success".to_owned(),
        };
    }
    if attempt.no_connack().is_some() {
        return "closed without CONNACK".to_owned();
    }
    match attempt.code() {
        Some(0) if attempt.api.is_mqtt() => {
            if attempt.closed_before_connect().is_some() {
                "opened, closed by the server before CONNECT".to_owned()
            } else if attempt
                .connects
                .iter()
                .any(|connect| connect.refused.is_some())
            {
                "opened, CONNECT refused by the module".to_owned()
            } else {
                "opened, not connected".to_owned()
            }
        }
        Some(0) => "success".to_owned(),
        Some(code) => format!("open failed {code}"),
        None if attempt.refused.is_some() => "open refused".to_owned(),
        None if attempt.given_up.is_some() => "open given up".to_owned(),
        None => "the log ends before the result".to_owned(),
    }
}

pub(super) fn notes(session: &Session, now_unix_s: i64) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(family) = session.family().filter(|family| !family.is_quectel()) {
        notes.push(format!("These are commands of a {} module; the doctor knows their MQTT and TLS causes, the fixes are for Quectel where they begin with AT+Q.", family.name()));
    } else if let Some(family) = session
        .attempts
        .iter()
        .find_map(|attempt| match attempt.api {
            Api::Cmqtt | Api::Smconn => Some(Family::Simcom),
            Api::EspAt => Some(Family::Espressif),
            _ => None,
        })
    {
        let name = family.name();
        notes.push(format!(
            "These are commands of a {name} module, not of Quectel."
        ));
    }
    if session.module.from_prose {
        notes.push("The module is known from the text around the log only.".to_owned());
    }
    notes.extend(token_note(session, now_unix_s));
    let unchecked = session.attempts.iter().find(|attempt| {
        let level = attempt
            .ssl()
            .and_then(|settings| settings.number("seclevel"));
        attempt.is_open() && matches!(attempt.tls, Tls::On(_)) && level == Some(0)
    });
    if let Some(attempt) = unchecked {
        let context = attempt.ssl_context().unwrap_or_default();
        notes.push(format!("seclevel 0 in SSL context {context}: the connection is encrypted, but anyone may be at its other end."));
    }
    if session.attempts_dropped > 0 {
        notes.push(format!(
            "{} connections in the middle of the log were left out.",
            session.attempts_dropped
        ));
    }
    let answered = !session.known_verbs.is_empty()
        || !session.refusals.is_empty()
        || session.attempts.iter().any(|a| a.result.is_some());
    if session.commands > 2 && !answered {
        notes
            .push("The log shows commands without answers; they are taken as accepted.".to_owned());
    }
    notes
}

/// A token that was valid in the log and is not any more: a copy of the log needs a new one.
fn token_note(session: &Session, now_unix_s: i64) -> Option<String> {
    session.attempts.iter().find_map(|attempt| {
        let connect = attempt.connects.iter().find(|connect| connect.password.sas().is_some())?;
        let end = connect.password.sas()?.expiry_unix_s?;
        let logged = session.unix_s(attempt)?;
        (logged <= end && end < now_unix_s).then(|| {
            format!(
                "The token in line {} was valid when this was logged ({}), and ended on {}: a copy needs a new one.",
                connect.quote.number,
                date_text(logged),
                utc_text(end)
            )
        })
    })
}
