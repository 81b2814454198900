//! One connection as a rule sees it: its settings, and the connections that speak for or against a suspicion.

use super::{Context, Found, Severity};
use crate::host::Cloud;
use crate::mask::Quote;
use crate::session::Session;
use crate::session::attempt::{Attempt, Tls};
use crate::session::files::File;
use crate::session::settings::Settings;

/// A connection and its surroundings.
pub(crate) struct Case<'a> {
    pub(crate) session: &'a Session,
    pub(crate) found: &'a [Found],
    pub(crate) now_unix_s: i64,
    pub(crate) attempt: &'a Attempt,
    pub(crate) index: usize,
    /// A connection to the same host whose TLS came up, and what was different there.
    reference: Option<(&'a Attempt, &'a [String])>,
}

/// The connection whose TLS came up for each one whose TLS did not, and what was different: found out once for
/// all rules.
pub(crate) type References = Vec<Option<(usize, Vec<String>)>>;

pub(crate) fn references(session: &Session) -> References {
    let attempts = &session.attempts;
    let all = attempts.iter().enumerate();
    all.map(|(index, attempt)| {
        let later = index + 1..attempts.len();
        let (at, other) = later
            .chain((0..index).rev())
            .filter_map(|at| Some((at, attempts.get(at)?)))
            .find(|(_, other)| is_reference(attempt, other))?;
        Some((at, differences(attempt, other)))
    })
    .collect()
}

impl<'a> Case<'a> {
    pub(crate) fn new(context: &Context<'a>, index: usize, attempt: &'a Attempt) -> Self {
        let session = context.session;
        let reference = context.references.get(index).and_then(Option::as_ref);
        let reference =
            reference.and_then(|(at, names)| Some((session.attempts.get(*at)?, names.as_slice())));
        Self {
            session,
            found: context.found,
            now_unix_s: context.now_unix_s,
            attempt,
            index,
            reference,
        }
    }

    /// The number of the SSL context that the user configured: the bound one, or the one he mistook for it.
    pub(crate) fn intended_context(&self) -> Option<u8> {
        let written = self.attempt.state.written_contexts();
        match self.attempt.tls {
            Tls::On(bound) if written.is_empty() || written.contains(&bound) => Some(bound),
            Tls::Off => None,
            Tls::On(_) | Tls::NeverOn | Tls::Unknown => {
                let size = |number: &u8| {
                    self.attempt
                        .state
                        .ssl
                        .get(number)
                        .map_or(0, |c| c.quotes().count())
                };
                written.into_iter().max_by_key(size)
            }
        }
    }

    /// The settings of [`Self::intended_context`].
    pub(crate) fn intended(&self) -> Option<&'a Settings> {
        let number = self.intended_context()?;
        self.attempt.state.ssl.get(&number)
    }

    /// The open failed in a way that every fault of TLS looks like, and nothing proves these settings good.
    pub(crate) fn tls_failed(&self) -> bool {
        self.attempt.is_tls_class_failure()
    }

    /// Could a fault of this setting have made the open fail? Not if it worked elsewhere unchanged.
    pub(crate) fn could_be(&self, setting: &str) -> bool {
        self.reference
            .is_none_or(|(_, changed)| changed.iter().any(|name| name == setting))
    }

    /// A connection that differs in this setting alone came up.
    pub(crate) fn is_proven_by_change_of(&self, setting: &str) -> Option<&'a Attempt> {
        let (other, changed) = self.reference?;
        if changed.len() != 1 || changed.iter().all(|name| name != setting) {
            return None;
        }
        // Where the very settings that worked had failed before, nothing is proven.
        let failed = |a: &Attempt| is_reference(a, other) && differences(a, other).is_empty();
        let contradicted = self.session.attempts.iter().any(failed);
        (!contradicted).then_some(other)
    }

    /// The connection whose TLS came up, with the names of what was different.
    pub(crate) const fn reference(&self) -> Option<(&'a Attempt, &'a [String])> {
        self.reference
    }

    /// A file that the intended context names.
    pub(crate) fn file(&self, setting: &str) -> Option<&'a File> {
        self.attempt.state.bound_file(self.intended()?, setting)
    }

    /// The time at this connection: by the log's clock, else today.
    pub(crate) fn time(&self) -> (i64, bool) {
        match self.session.unix_s(self.attempt) {
            Some(time) => (time, true),
            None => (self.now_unix_s, false),
        }
    }

    /// An error was already found for this connection.
    pub(crate) fn has_error(&self) -> bool {
        self.found.iter().any(|found| {
            found.evidence.severity == Severity::Error
                && (found.attempts.contains(&self.index) || found.attempts.is_empty())
        })
    }

    /// One of these causes was already found for this connection or the session.
    pub(crate) fn has_any(&self, ids: &[&str]) -> bool {
        self.found.iter().any(|found| {
            ids.contains(&found.cause.id)
                && (found.attempts.contains(&self.index) || found.attempts.is_empty())
        })
    }

    /// An error whose id begins like this was found for this connection.
    pub(crate) fn has_error_of(&self, prefixes: &[&str]) -> bool {
        self.found.iter().any(|found| {
            found.evidence.severity == Severity::Error
                && prefixes
                    .iter()
                    .any(|prefix| found.cause.id.starts_with(prefix))
                && (found.attempts.contains(&self.index) || found.attempts.is_empty())
        })
    }

    pub(crate) const fn cloud(&self) -> Cloud {
        self.attempt.cloud
    }

    /// Another connection of the same client to the same host was accepted, with the client configured alike.
    pub(crate) fn connected_otherwise(&self) -> bool {
        let mine = self.attempt;
        let same = |other: &Attempt| {
            other.api == mine.api
                && other.client == mine.client
                && other.host.eq_ignore_ascii_case(&mine.host)
                && other.tls == mine.tls
                && other.is_connected()
        };
        !mine.host.is_empty() && self.session.attempts.iter().any(same)
    }

    /// A later connection of the same client was accepted by the server.
    pub(crate) fn connected_later(&self) -> bool {
        self.session
            .attempts
            .iter()
            .skip(self.index + 1)
            .any(|later| {
                later.api == self.attempt.api
                    && later.client == self.attempt.client
                    && later.is_connected()
            })
    }

    /// The lines of the failure, and those of some settings.
    pub(crate) fn failure_with<'q>(
        &self,
        settings: impl IntoIterator<Item = Option<&'q Quote>>,
    ) -> Vec<Quote> {
        let mut quotes = self.attempt.failure_quotes();
        quotes.extend(settings.into_iter().flatten().cloned());
        quotes
    }

    /// `contoso-hub.azure-devices.net`, or words for a host that nobody can see.
    pub(crate) fn host(&self) -> &str {
        if self.attempt.host.is_empty() {
            "the server"
        } else {
            &self.attempt.host
        }
    }
}

/// The same host by the same means, with TLS, and it came up.
fn is_reference(attempt: &Attempt, other: &Attempt) -> bool {
    other.api == attempt.api
        && other.is_open()
        && !attempt.is_open()
        && matches!(other.tls, Tls::On(_))
        && matches!(attempt.tls, Tls::On(_))
        && !attempt.host.is_empty()
        && other.host.eq_ignore_ascii_case(&attempt.host)
        && other.port == attempt.port
}

/// What was different when it worked: settings of the bound context, the context itself, files, the network.
fn differences(attempt: &Attempt, other: &Attempt) -> Vec<String> {
    let empty = Settings::default();
    let (mine, theirs) = (
        attempt.ssl().unwrap_or(&empty),
        other.ssl().unwrap_or(&empty),
    );
    let mut names = mine.differences(theirs);
    if attempt.tls != other.tls {
        names.push("context".to_owned());
    }
    for setting in ["cacert", "clientcert", "clientkey"] {
        let file = |a: &Attempt, s: &Settings| {
            a.state
                .bound_file(s, setting)
                .map(|file| (file.size, file.checksum))
        };
        if !names.iter().any(|name| name == setting) && file(attempt, mine) != file(other, theirs) {
            names.push(setting.to_owned());
        }
    }
    if attempt.state.network.active_contexts() != other.state.network.active_contexts() {
        names.push("pdp".to_owned());
    }
    let clock = |a: &Attempt| {
        a.state
            .network
            .clock
            .as_ref()
            .map(|seen| seen.value.is_implausible())
    };
    if clock(attempt) == Some(true) && clock(other) != Some(true) {
        names.push("clock".to_owned());
    }
    if attempt.pdp_context != other.pdp_context {
        names.push("pdpcid".to_owned());
    }
    names
}

/// The PDP context that a connection uses, the one that is active, and the APN.
fn packet_data(session: &Session, attempt: Option<&Attempt>) -> (Option<u8>, Option<u8>, String) {
    let network = attempt.map_or(&session.state.network, |a| &a.state.network);
    let active = network.active_contexts().first().copied();
    let used = attempt.and_then(|a| a.pdp_context).or(active);
    let pdp = used.and_then(|n| network.pdp.get(&n));
    let apn = pdp
        .and_then(|pdp| pdp.apn.as_ref())
        .map(|apn| apn.value.clone());
    let apn = apn.filter(|apn| !apn.is_empty());
    let hint = || "<apn of your SIM>".to_owned();
    (used, active.or(used), apn.unwrap_or_else(hint))
}

/// Numbers and names of the user's own log, for the commands of a fix.
pub(crate) struct Variables {
    values: Vec<(&'static str, String)>,
}

impl Variables {
    /// Of the connection that a finding belongs to, or of the last one.
    pub(crate) fn of(session: &Session, attempt: Option<usize>) -> Self {
        let attempt = attempt
            .and_then(|at| session.attempts.get(at))
            .or_else(|| session.attempts.last());
        let number =
            |n: Option<u8>, default: &str| n.map_or_else(|| default.to_owned(), |n| n.to_string());
        let context = Context {
            session,
            found: &[],
            references: &[],
            now_unix_s: 0,
        };
        let case = attempt.map(|attempt| Case::new(&context, 0, attempt));
        let ssl = case
            .as_ref()
            .and_then(Case::intended_context)
            .or_else(|| attempt.and_then(Attempt::ssl_context));
        let bound = attempt.and_then(Attempt::ssl_context).or(ssl);
        let settings = case.as_ref().and_then(Case::intended);
        let file = |name: &str, default: &str| {
            settings
                .and_then(|s| s.text(name))
                .unwrap_or(default)
                .to_owned()
        };
        let host = attempt
            .map(|a| a.host.clone())
            .filter(|h| !h.is_empty())
            .unwrap_or_else(|| "<host>".into());
        let port = attempt.and_then(|a| a.port).unwrap_or(8883).to_string();
        let connect = attempt.and_then(Attempt::connect);
        let device = connect
            .map(|c| c.client_id.clone())
            .filter(|id| !id.is_empty())
            .unwrap_or_else(|| "<device>".into());
        let (pdp, active, apn) = packet_data(session, attempt);
        let values = vec![
            ("{ssl}", number(ssl, "2")),
            ("{bound}", number(bound, "2")),
            ("{client}", number(attempt.map(|a| a.client), "0")),
            ("{pdp}", number(pdp, "1")),
            ("{active}", number(active, "1")),
            ("{host}", crate::host::bare_host(&host).to_owned()),
            ("{port}", port),
            ("{cacert}", file("cacert", "cacert.pem")),
            ("{clientcert}", file("clientcert", "client.pem")),
            ("{clientkey}", file("clientkey", "client.key")),
            ("{device}", device),
            ("{apn}", apn),
        ];
        Self { values }
    }

    /// A command with the user's numbers and names in it.
    pub(crate) fn fill(&self, template: &str) -> String {
        let mut text = template.to_owned();
        for (name, value) in &self.values {
            if text.contains(name) {
                text = text.replace(name, value);
            }
        }
        text
    }
}
