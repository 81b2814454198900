//! PDP contexts: definitions, activation, loss.

use std::collections::BTreeMap;

use crate::{module::Module, profile::Profile};

/// One context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Context {
    /// 1 IPv4, 2 IPv6, 3 both.
    pub(crate) kind: u8,
    pub(crate) apn: String,
    pub(crate) user: String,
    pub(crate) password: String,
    pub(crate) auth: u8,
    /// Whether `AT+CGDCONT` or `AT+QICSGP` defined it.
    pub(crate) defined: bool,
    pub(crate) active: bool,
    /// The network took it away and the host has not said `AT+QIDEACT` yet.
    pub(crate) lost: bool,
    pub(crate) dns: Option<[String; 2]>,
}

impl Context {
    fn new() -> Self {
        Self {
            kind: 1,
            ..Self::default()
        }
    }

    /// Whether the host has changed its definition.
    fn is_configured(&self) -> bool {
        self.defined && (self.kind, self.auth) != (1, 0)
            || [&self.apn, &self.user, &self.password]
                .iter()
                .any(|text| !text.is_empty())
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Contexts {
    contexts: BTreeMap<u8, Context>,
    base: String,
    pub(crate) version: u64,
}

impl Contexts {
    pub(crate) fn new(profile: &Profile, nonvolatile: &[(String, String)]) -> Self {
        let mut contexts: BTreeMap<u8, Context> = (1..=profile.pdp.contexts)
            .map(|cid| (cid, Context::new()))
            .collect();
        // Every module ships with context 1 defined.
        if let Some(first) = contexts.get_mut(&1) {
            first.defined = true;
        }
        for (name, value) in nonvolatile {
            let cid = name
                .strip_prefix("pdp.")
                .and_then(|cid| cid.parse::<u8>().ok());
            let Some(context) = cid.and_then(|cid| contexts.get_mut(&cid)) else {
                continue;
            };
            let mut fields = value.split('\u{1f}').map(str::to_owned);
            let mut next = || fields.next().unwrap_or_default();
            context.kind = next().parse().unwrap_or(1);
            (context.apn, context.user, context.password) = (next(), next(), next());
            context.auth = next().parse().unwrap_or(0);
            context.defined = true;
        }
        Self {
            contexts,
            base: profile.pdp.address.clone(),
            version: 0,
        }
    }

    /// The definitions, for non-volatile memory.
    pub(crate) fn stored(&self) -> impl Iterator<Item = (String, String)> {
        self.contexts
            .iter()
            .filter(|(_, c)| c.is_configured())
            .map(|(cid, c)| {
                let fields = [
                    c.kind.to_string(),
                    c.apn.clone(),
                    c.user.clone(),
                    c.password.clone(),
                    c.auth.to_string(),
                ];
                (format!("pdp.{cid}"), fields.join("\u{1f}"))
            })
    }

    pub(crate) fn get(&self, cid: u8) -> Option<&Context> {
        self.contexts.get(&cid)
    }

    pub(crate) fn get_mut(&mut self, cid: u8) -> Option<&mut Context> {
        self.version += 1;
        self.contexts.get_mut(&cid)
    }

    pub(crate) fn is_active(&self, cid: u8) -> bool {
        self.contexts.get(&cid).is_some_and(|c| c.active)
    }

    pub(crate) fn first_active(&self) -> Option<u8> {
        self.contexts
            .iter()
            .find(|(_, c)| c.active)
            .map(|(cid, _)| *cid)
    }

    pub(crate) fn active_count(&self) -> usize {
        self.contexts.values().filter(|c| c.active).count()
    }

    pub(crate) fn active(&self) -> Vec<(u8, String)> {
        self.contexts
            .iter()
            .filter(|(_, c)| c.active)
            .map(|(cid, _)| (*cid, self.address(*cid)))
            .collect()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u8, &Context)> {
        self.contexts.iter().map(|(cid, c)| (*cid, c))
    }

    pub(crate) fn deactivate_all(&mut self) {
        for context in self.contexts.values_mut() {
            (context.active, context.lost) = (false, false);
        }
    }

    /// The address of a context: that of the profile for context 1, counted up for others.
    pub(crate) fn address(&self, cid: u8) -> String {
        let Some((head, last)) = self.base.rsplit_once('.') else {
            return self.base.clone();
        };
        let last = last
            .parse::<u8>()
            .unwrap_or(0)
            .wrapping_add(cid)
            .wrapping_sub(1);
        format!("{head}.{last}")
    }
}

impl Module {
    /// Whether the network gives this context an address: registered, attached, an APN that it knows.
    pub(crate) fn network_accepts(&self, cid: u8) -> bool {
        let Some(context) = self.pdp.get(cid) else {
            return false;
        };
        let known = self.config.apns.is_empty()
            || self
                .config
                .apns
                .iter()
                .any(|apn| apn.eq_ignore_ascii_case(&context.apn));
        self.radio.registration.registered()
            && self.radio.attached
            && known
            && !self.faults.pdp_refused
    }

    pub(crate) fn activate_context(&mut self, cid: u8) {
        if let Some(context) = self.pdp.get_mut(cid) {
            (context.active, context.lost) = (true, false);
        }
    }

    /// `AT+QIDEACT`: connections go down with the context.
    pub(crate) fn deactivate_context(&mut self, cid: u8) {
        if let Some(context) = self.pdp.get_mut(cid) {
            (context.active, context.lost) = (false, false);
        }
        self.close_connections_of(cid, false);
    }

    /// The network takes a context away.
    pub(crate) fn lose_context(&mut self, cid: u8) {
        let needs = self.profile.pdp.needs_deactivation;
        let Some(context) = self.pdp.get_mut(cid) else {
            return;
        };
        if !context.active {
            return;
        }
        (context.active, context.lost) = (false, needs);
        self.urc(format!("+QIURC: \"pdpdeact\",{cid}"));
        self.close_connections_of(cid, true);
    }

    pub(crate) fn drop_all_contexts(&mut self) {
        for (cid, _) in self.pdp.active() {
            self.lose_context(cid);
        }
    }
}
