//! What was looked at and is in order, so that nobody needs to look again.

use super::RuledOut;
use crate::rules::Found;
use crate::session::Session;
use crate::session::attempt::{Attempt, Tls};
use crate::session::settings::Settings;
use crate::time::{date_text, utc_text};

pub(super) fn ruled_out(session: &Session, found: &[Found]) -> Vec<RuledOut> {
    let attempt = session
        .attempts
        .iter()
        .rev()
        .find(|attempt| attempt.failed())
        .or_else(|| session.attempts.last());
    let Some(attempt) = attempt else {
        return Vec::new();
    };
    let mut all: Vec<RuledOut> = Vec::new();
    let mut add = |id: &'static str, reason: Option<String>| {
        let known = found.iter().any(|found| found.cause.id == id);
        if let Some(reason) = reason.filter(|_| !known) {
            all.push(RuledOut { id, reason });
        }
    };
    add("tls.not-enabled", enabled(attempt));
    add("tls.ctx-mismatch", context(attempt));
    if let Some(settings) = attempt.ssl() {
        add("tls.sni-missing", sni(settings));
        add("tls.seclevel2-no-client-cert", mutual(settings));
        add("tls.version-too-old", version(settings));
        add("tls.cipher-pinned", cipher(settings));
        add("tls.clock-not-set", clock(attempt, settings));
    }
    add("tls.ca-retired-baltimore", root(attempt));
    add("file.exists-407", handled_407(session));
    add("net.pdp-not-active", pdp(attempt));
    add("net.pdpcid-mismatch", pdp_context(attempt));
    add("net.not-registered", registered(attempt));
    add("az.sas-expired", token(session, attempt));
    all
}

fn enabled(attempt: &Attempt) -> Option<String> {
    let context = attempt.ssl_context()?;
    attempt.api.is_mqtt().then(|| {
        format!(
            "client {} has TLS on, with SSL context {context}",
            attempt.client
        )
    })
}

fn context(attempt: &Attempt) -> Option<String> {
    let Tls::On(bound) = attempt.tls else {
        return None;
    };
    let written = attempt.state.written_contexts();
    let pdp = attempt
        .pdp_context
        .map_or(String::new(), |pdp| format!(", PDP context {pdp}"));
    written.contains(&bound).then(|| {
        format!(
            "client {} uses SSL context {bound}{pdp}: the context that was configured",
            attempt.client
        )
    })
}

fn sni(settings: &Settings) -> Option<String> {
    let value = settings.text("sni").filter(|value| *value != "0")?;
    Some(format!("the server's name is sent (sni {value})"))
}

fn mutual(settings: &Settings) -> Option<String> {
    let level = settings.number("seclevel")?;
    match level {
        2 => {
            let (certificate, key) = (settings.text("clientcert")?, settings.text("clientkey")?);
            Some(format!(
                "seclevel 2 has both files: `{certificate}` and `{key}`"
            ))
        }
        0 | 1 => Some(format!("seclevel {level} asks for no client certificate")),
        _ => None,
    }
}

fn version(settings: &Settings) -> Option<String> {
    match settings.number("sslversion")? {
        3 => Some("sslversion 3 is TLS 1.2".to_owned()),
        4 => Some("sslversion 4 allows every version".to_owned()),
        _ => None,
    }
}

fn cipher(settings: &Settings) -> Option<String> {
    (settings.get("ciphersuite")?.hex()? == 0xFFFF)
        .then(|| "all cipher suites are offered".to_owned())
}

fn clock(attempt: &Attempt, settings: &Settings) -> Option<String> {
    if settings.number("ignorelocaltime") == Some(1) {
        return Some("ignorelocaltime 1: dates are not checked".to_owned());
    }
    let clock = attempt.state.network.clock.as_ref()?.value;
    (!clock.is_implausible())
        .then(|| format!("the module's clock is set ({})", date_text(clock.unix_s)))
}

fn root(attempt: &Attempt) -> Option<String> {
    let settings = attempt.ssl()?;
    let file = attempt.state.bound_file(settings, "cacert")?;
    let root = file
        .root()
        .filter(|root| root.certain && !root.is_retired())?;
    Some(format!("`{}` is the {}", file.name, root.root.name))
}

fn handled_407(session: &Session) -> Option<String> {
    let refused = session.uploads.iter().filter(|upload| {
        upload
            .refused
            .as_ref()
            .is_some_and(|(r, _)| r.cme() == Some(407))
    });
    let names: Vec<&str> = refused.map(|upload| upload.name.as_str()).collect();
    let again = |name: &&str| {
        session
            .uploads
            .iter()
            .any(|upload| upload.name == *name && upload.finished && upload.refused.is_none())
    };
    (!names.is_empty() && names.iter().all(again))
        .then(|| "407 was handled rightly: deleted and uploaded again".to_owned())
}

fn pdp(attempt: &Attempt) -> Option<String> {
    let network = &attempt.state.network;
    let context = *network.active_contexts().first()?;
    let address = network
        .pdp
        .get(&context)
        .and_then(|pdp| pdp.address.as_ref())
        .map(|seen| format!(" with {}", seen.value));
    Some(format!(
        "PDP context {context} is active{}",
        address.unwrap_or_default()
    ))
}

fn pdp_context(attempt: &Attempt) -> Option<String> {
    let used = attempt.pdp_context?;
    let active = attempt.state.network.active_contexts();
    active
        .contains(&used)
        .then(|| format!("the connection uses PDP context {used}, which is the active one"))
}

fn registered(attempt: &Attempt) -> Option<String> {
    attempt
        .state
        .network
        .is_registered()
        .then(|| "the module is on the network".to_owned())
}

fn token(session: &Session, attempt: &Attempt) -> Option<String> {
    let sas = attempt
        .connects
        .iter()
        .rev()
        .find_map(|connect| connect.password.sas())?;
    let end = sas.expiry_unix_s?;
    match session.unix_s(attempt) {
        Some(logged) if logged <= end => Some(format!(
            "the token is valid until {}, and the log is of {}",
            utc_text(end),
            date_text(logged)
        )),
        None => Some(format!("the token is valid until {}", utc_text(end))),
        Some(_) => None,
    }
}
