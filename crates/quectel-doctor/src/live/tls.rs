//! Experiments with TLS, in an SSL context that nothing uses.

use super::facts::SSL_ITEMS;
use super::plan::step;
use super::{Effect, Live, Step, Until};

/// The handshake may take the module's `negotiatetime`, up to 300 seconds; a server that answers does it in 30.
const HANDSHAKE_TIMEOUT_MS: u32 = 90_000;

/// A variation of the settings; each goes on from the one before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Variant {
    /// The settings as they are.
    AsSet,
    /// The server's name is sent.
    Name,
    /// The dates of the server's certificate are not looked at.
    Dates,
    /// A client certificate is offered, if one is configured.
    ClientCertificate,
    /// No client certificate is offered.
    NoClientCertificate,
    /// The server is not verified.
    Unverified,
    /// Every version of TLS.
    Versions,
    /// Every cipher suite.
    Suites,
}

impl Variant {
    /// In the order in which they are tried, the most frequent cause first.
    pub(super) const ALL: [Self; 8] = [
        Self::AsSet,
        Self::Name,
        Self::Dates,
        Self::NoClientCertificate,
        Self::ClientCertificate,
        Self::Unverified,
        Self::Versions,
        Self::Suites,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::AsSet => "as-set",
            Self::Name => "name",
            Self::Dates => "dates",
            Self::ClientCertificate => "certificate",
            Self::NoClientCertificate => "no-certificate",
            Self::Unverified => "unverified",
            Self::Versions => "versions",
            Self::Suites => "suites",
        }
    }

    pub(super) fn key(self) -> String {
        format!("open-{}", self.name())
    }

    /// The setting that it changes: item and value.
    const fn change(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::AsSet => return None,
            Self::Name => ("sni", "1"),
            Self::Dates => ("ignorelocaltime", "1"),
            Self::ClientCertificate => ("seclevel", "2"),
            Self::NoClientCertificate => ("seclevel", "1"),
            Self::Unverified => ("seclevel", "0"),
            Self::Versions => ("sslversion", "4"),
            Self::Suites => ("ciphersuite", "0XFFFF"),
        })
    }
}

impl Live {
    /// The contexts of the experiments: the one in question, and the spare one.
    fn contexts(&self) -> Option<(u8, u8)> {
        Some((self.ssl_of(self.options.client)?, self.spare()?))
    }

    pub(super) fn tls_step(&self) -> Option<Step> {
        let (bound, spare) = self.contexts()?;
        if !self.tcp_works() {
            return None;
        }
        if let Some(step) = self.to_copy(bound, spare) {
            return Some(step);
        }
        for variant in Variant::ALL {
            if !self.applies(variant, bound) {
                continue;
            }
            if self.works(variant) {
                return None;
            }
            if self.has(&variant.key()) {
                continue;
            }
            if let Some((item, value)) = variant.change() {
                let key = format!("set-{}", variant.name());
                match self.get(&key) {
                    None => return Some(set(key, item, spare, value, Effect::Changes)),
                    Some(heard) if !heard.is_ok() => continue,
                    Some(_) => {}
                }
            }
            return self.open(variant, spare);
        }
        None
    }

    /// The settings in question, into the spare context.
    fn to_copy(&self, bound: u8, spare: u8) -> Option<Step> {
        for item in SSL_ITEMS {
            let (Some(wanted), Some(is)) = (self.ssl_item(item, bound), self.ssl_item(item, spare))
            else {
                continue;
            };
            let key = format!("copy-{item}");
            if wanted != is && !self.has(&key) {
                return Some(set(key, item, spare, &wanted, Effect::Changes));
            }
        }
        None
    }

    fn open(&self, variant: Variant, spare: u8) -> Option<Step> {
        let host = self.options.host.as_deref()?;
        let (pdp, port, socket) = (self.pdp(), self.options.port, self.ssl_socket());
        let text = format!("AT+QSSLOPEN={pdp},{spare},{socket},\"{host}\",{port},0");
        let urc = Until::Urc(format!("+QSSLOPEN: {socket},"));
        Some(step(variant.key(), text, Effect::Connects).until(urc, HANDSHAKE_TIMEOUT_MS))
    }

    /// Whether the variation changes anything.
    fn applies(&self, variant: Variant, bound: u8) -> bool {
        let is = |item: &str| self.ssl_item(item, bound);
        let level = is("seclevel");
        let has_files = ["clientcert", "clientkey"]
            .iter()
            .all(|item| is(item).is_some_and(|name| !name.is_empty()));
        match variant {
            Variant::NoClientCertificate => level.as_deref() == Some("2"),
            Variant::ClientCertificate => has_files && level.as_deref() != Some("2"),
            Variant::Dates | Variant::Unverified if level.as_deref() == Some("0") => false,
            _ => match variant.change() {
                None => true,
                Some((item, value)) => is(item).is_some_and(|now| !now.eq_ignore_ascii_case(value)),
            },
        }
    }

    /// Whether the handshake succeeded with this variation.
    pub(super) fn works(&self, variant: Variant) -> bool {
        self.result(&variant.key(), "+QSSLOPEN") == Some(0)
    }

    pub(super) fn tls_works_as_set(&self) -> bool {
        self.works(Variant::AsSet)
    }

    /// Whether TLS was tried and nothing helped.
    pub(super) fn no_variant_works(&self) -> bool {
        self.has(&Variant::AsSet.key()) && !Variant::ALL.iter().any(|v| self.works(*v))
    }

    /// The settings of the spare context that were changed, as they were.
    pub(super) fn ssl_to_restore(&self) -> Option<Step> {
        let (_, spare) = self.contexts()?;
        for item in SSL_ITEMS {
            let Some(was) = self.ssl_item(item, spare) else {
                continue;
            };
            let copied = self.has(&format!("copy-{item}"));
            let varied = Variant::ALL.iter().any(|variant| {
                variant
                    .change()
                    .is_some_and(|(changed, _)| changed == *item)
                    && self.has(&format!("set-{}", variant.name()))
            });
            if !copied && !varied {
                continue;
            }
            let key = format!("back-{item}");
            if !self.has(&key) {
                return Some(set(key, item, spare, &was, Effect::Restores));
            }
            let check = format!("check-{item}");
            if !self.has(&check) {
                let text = format!("AT+QSSLCFG=\"{item}\",{spare}");
                return Some(step(check, text, Effect::Restores));
            }
        }
        None
    }

    /// Settings that could not be put back: item, value as found, value now.
    pub(super) fn not_restored(&self) -> Vec<(&'static str, String, String)> {
        let Some((_, spare)) = self.contexts() else {
            return Vec::new();
        };
        let left = |item: &'static &'static str| {
            let was = self.ssl_item(item, spare)?;
            let heard = self.get(&format!("check-{item}"))?;
            let now = heard
                .values("+QSSLCFG")
                .and_then(|values| values.get(2).cloned())
                .unwrap_or_default();
            (was != now).then_some((*item, was, now))
        };
        SSL_ITEMS.iter().filter_map(left).collect()
    }
}

fn set(key: String, item: &str, context: u8, value: &str, effect: Effect) -> Step {
    // File names are text, everything else is a number.
    let value = match item {
        "cacert" | "clientcert" | "clientkey" => format!("\"{value}\""),
        _ => value.to_owned(),
    };
    step(
        key,
        format!("AT+QSSLCFG=\"{item}\",{context},{value}"),
        effect,
    )
}
