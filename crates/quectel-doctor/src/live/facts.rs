//! What the answers say.

use super::{End, Heard, Live};
use crate::command::fields;
use crate::time::unix_of_date;

/// Settings of an SSL context that are read, and put back after an experiment.
pub(super) const SSL_ITEMS: &[&str] = &[
    "sslversion",
    "ciphersuite",
    "cacert",
    "clientcert",
    "clientkey",
    "seclevel",
    "ignorelocaltime",
    "sni",
];

impl Heard {
    /// The values of the first line that begins with `name` and a colon.
    pub(super) fn values(&self, name: &str) -> Option<Vec<String>> {
        self.all_values(name).into_iter().next()
    }

    /// The values of all lines that begin with `name` and a colon.
    pub(super) fn all_values(&self, name: &str) -> Vec<Vec<String>> {
        let rest = |line: &String| {
            let rest = line.strip_prefix(name)?.strip_prefix(':')?;
            Some(
                fields(rest.trim())
                    .iter()
                    .map(|arg| arg.text.clone())
                    .collect(),
            )
        };
        self.lines.iter().filter_map(rest).collect()
    }

    pub(super) fn is_ok(&self) -> bool {
        self.end == End::Ok
    }
}

impl Live {
    pub(super) fn get(&self, key: &str) -> Option<&Heard> {
        self.heard.iter().find(|heard| heard.key == key)
    }

    pub(super) fn has(&self, key: &str) -> bool {
        self.get(key).is_some()
    }

    fn values(&self, key: &str, name: &str) -> Option<Vec<String>> {
        self.get(key)?.values(name)
    }

    /// The number at the end of a URC such as `+QIOPEN: 11,0`.
    pub(super) fn result(&self, key: &str, name: &str) -> Option<i64> {
        self.values(key, name)?.get(1)?.parse().ok()
    }

    /// `None` before the SIM was asked about.
    pub(super) fn sim_is_ready(&self) -> Option<bool> {
        let heard = self.get("cpin")?;
        Some(heard.lines.iter().any(|line| line.contains("READY")))
    }

    /// The states of registration: 1 home, 5 roaming, 3 denied.
    pub(super) fn registration(&self) -> Vec<i64> {
        [("creg", "+CREG"), ("cgreg", "+CGREG"), ("cereg", "+CEREG")]
            .iter()
            .filter_map(|(key, name)| {
                let values = self.values(key, name)?;
                // The URC has the state alone.
                values.get(1).or_else(|| values.first())?.parse().ok()
            })
            .collect()
    }

    pub(super) fn is_registered(&self) -> bool {
        self.registration()
            .iter()
            .any(|state| matches!(state, 1 | 5))
    }

    /// Signal strength as `AT+CSQ` gives it; 99 is none.
    pub(super) fn signal(&self) -> Option<i64> {
        self.values("csq", "+CSQ")?.first()?.parse().ok()
    }

    /// The active PDP contexts, as found.
    pub(super) fn active_contexts(&self) -> Vec<u8> {
        self.get("qiact").map_or_else(Vec::new, |heard| {
            heard
                .all_values("+QIACT")
                .iter()
                .filter(|values| values.get(1).is_some_and(|state| state == "1"))
                .filter_map(|values| values.first()?.parse().ok())
                .collect()
        })
    }

    /// The PDP context that the experiments use.
    pub(super) fn pdp(&self) -> u8 {
        let active = self.active_contexts();
        if active.contains(&self.options.pdp) {
            return self.options.pdp;
        }
        active.first().copied().unwrap_or(self.options.pdp)
    }

    /// The module's clock in unix seconds, without its zone.
    pub(super) fn clock(&self) -> Option<i64> {
        let text = self.values("cclk", "+CCLK")?.first()?.clone();
        let mut date = text
            .split(',')
            .next()?
            .split('/')
            .map(|part| part.trim().parse::<i64>().ok());
        let (year, month, day) = (date.next()??, date.next()??, date.next()??);
        let year = match year {
            0..=69 => year + 2000,
            70..=99 => year + 1900,
            other => other,
        };
        Some(unix_of_date(year, month, day))
    }

    /// The SSL context that the MQTT client uses; `None` without TLS.
    pub(super) fn ssl_of(&self, client: u8) -> Option<u8> {
        let values = self.values(&format!("ssl-{client}"), "+QMTCFG")?;
        // Some firmware repeats the client's number.
        let numbers: Vec<u8> = values
            .iter()
            .skip(1)
            .filter_map(|value| value.parse().ok())
            .collect();
        match numbers.as_slice() {
            [1, context] | [_, 1, context] => Some(*context),
            _ => None,
        }
    }

    /// The setting of an SSL context as found; `None` when the firmware has no such item.
    pub(super) fn ssl_item(&self, item: &str, context: u8) -> Option<String> {
        let heard = self.get(&format!("item-{item}-{context}"))?;
        if !heard.is_ok() {
            return None;
        }
        let values = heard.values("+QSSLCFG")?;
        Some(values.get(2).cloned().unwrap_or_default())
    }

    /// An SSL context that nothing uses.
    pub(super) fn spare(&self) -> Option<u8> {
        let bound: Vec<u8> = (0..6).filter_map(|client| self.ssl_of(client)).collect();
        let in_use: Vec<u8> = self.get("sslstate").map_or_else(Vec::new, |heard| {
            heard
                .all_values("+QSSLSTATE")
                .iter()
                .filter_map(|values| values.last()?.parse().ok())
                .collect()
        });
        (0..6)
            .rev()
            .find(|context| !bound.contains(context) && !in_use.contains(context))
    }

    /// A socket number that no line of the module's list begins with.
    fn free_socket(&self, key: &str, name: &str) -> u8 {
        let used: Vec<String> = self.get(key).map_or_else(Vec::new, |heard| {
            heard
                .all_values(name)
                .iter()
                .filter_map(|values| values.first().cloned())
                .collect()
        });
        (0..12)
            .rev()
            .find(|number: &u8| !used.contains(&number.to_string()))
            .unwrap_or(11)
    }

    pub(super) fn tcp_socket(&self) -> u8 {
        self.free_socket("istate", "+QISTATE")
    }

    pub(super) fn ssl_socket(&self) -> u8 {
        self.free_socket("sslstate", "+QSSLSTATE")
    }

    /// The first name server of the context.
    pub(super) fn name_server(&self) -> Option<String> {
        let values = self.values("dnscfg", "+QIDNSCFG")?;
        values
            .get(1)
            .filter(|address| !address.is_empty() && *address != "0.0.0.0")
            .cloned()
    }

    /// The name resolved to an address.
    pub(super) fn resolved(&self) -> Option<String> {
        let all = self.get("dns")?.all_values("+QIURC");
        all.iter()
            .filter_map(|values| values.get(1))
            .find(|value| value.contains('.') || value.contains(':'))
            .cloned()
    }
}
