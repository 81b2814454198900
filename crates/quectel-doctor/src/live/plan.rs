//! What is asked, in which order: a function of what has been heard.

use super::facts::SSL_ITEMS;
use super::{Consent, Effect, Live, Step, Until};

/// Reads that change nothing on any of the modules: the key and the command.
const READS: &[(&str, &str)] = &[
    ("at", "AT"),
    ("ati", "ATI"),
    ("qgmr", "AT+QGMR"),
    ("cfun", "AT+CFUN?"),
    ("cpin", "AT+CPIN?"),
    ("csq", "AT+CSQ"),
    ("creg", "AT+CREG?"),
    ("cgreg", "AT+CGREG?"),
    ("cereg", "AT+CEREG?"),
    ("cops", "AT+COPS?"),
    ("nwinfo", "AT+QNWINFO"),
    ("cgdcont", "AT+CGDCONT?"),
    ("cgpaddr", "AT+CGPADDR"),
    ("qiact", "AT+QIACT?"),
    ("cclk", "AT+CCLK?"),
    ("flds", "AT+QFLDS=\"UFS\""),
    ("flst", "AT+QFLST=\"*\""),
    ("mqttopen", "AT+QMTOPEN?"),
    ("mqttconn", "AT+QMTCONN?"),
    ("urcport", "AT+QURCCFG=\"urcport\""),
    ("sslstate", "AT+QSSLSTATE"),
    ("istate", "AT+QISTATE?"),
];

/// Settings of the MQTT client that are read.
const MQTT_ITEMS: &[&str] = &["version", "pdpcid", "keepalive", "session", "timeout"];

/// A list of files or of operators takes its time; everything else is a matter of milliseconds.
const READ_TIMEOUT_MS: u32 = 10_000;

pub(super) fn step(key: impl Into<String>, text: impl Into<String>, effect: Effect) -> Step {
    Step {
        key: key.into(),
        text: text.into(),
        until: Until::Final,
        timeout_ms: READ_TIMEOUT_MS,
        effect,
    }
}

impl Step {
    pub(super) fn until(self, until: Until, timeout_ms: u32) -> Self {
        Self {
            until,
            timeout_ms,
            ..self
        }
    }

    pub(super) fn within(self, timeout_ms: u32) -> Self {
        Self { timeout_ms, ..self }
    }
}

impl Live {
    pub(super) fn next_step(&self) -> Option<Step> {
        if let Some(step) = self.to_close() {
            return Some(step);
        }
        if !self.stopped {
            if let Some(step) = self.first_new(self.reads()) {
                return Some(step);
            }
            if self.get("at").is_some_and(|heard| !heard.is_ok()) {
                return None;
            }
            if let Some(step) = self.first_new(self.context_reads()) {
                return Some(step);
            }
            if self.consent == Consent::Given && !self.experiments().is_empty() {
                let next = self
                    .urc_step()
                    .or_else(|| self.network_step())
                    .or_else(|| self.tls_step())
                    .or_else(|| self.mqtt_step());
                if next.is_some() {
                    return next;
                }
            }
        }
        self.to_restore()
    }

    fn first_new(&self, steps: Vec<Step>) -> Option<Step> {
        steps.into_iter().find(|step| !self.has(&step.key))
    }

    fn reads(&self) -> Vec<Step> {
        // A module that does not answer AT is not asked more.
        if self.get("at").is_some_and(|heard| !heard.is_ok()) {
            return Vec::new();
        }
        let mut steps: Vec<Step> = READS
            .iter()
            .map(|(key, text)| step(*key, *text, Effect::Reads))
            .collect();
        for client in 0..6 {
            steps.push(step(
                format!("ssl-{client}"),
                format!("AT+QMTCFG=\"ssl\",{client}"),
                Effect::Reads,
            ));
        }
        let client = self.options.client;
        for item in MQTT_ITEMS {
            steps.push(step(
                format!("mqttcfg-{item}"),
                format!("AT+QMTCFG=\"{item}\",{client}"),
                Effect::Reads,
            ));
        }
        if let Some(first) = steps.first_mut() {
            first.timeout_ms = 2_000;
        }
        steps
    }

    /// Reads that depend on other reads: name servers, the SSL contexts in question.
    fn context_reads(&self) -> Vec<Step> {
        let mut steps = Vec::new();
        if !self.active_contexts().is_empty() {
            let text = format!("AT+QIDNSCFG={}", self.pdp());
            steps.push(step("dnscfg", text, Effect::Reads));
        }
        let contexts = self
            .ssl_of(self.options.client)
            .into_iter()
            .chain(self.spare());
        for context in contexts {
            for item in SSL_ITEMS {
                steps.push(step(
                    format!("item-{item}-{context}"),
                    format!("AT+QSSLCFG=\"{item}\",{context}"),
                    Effect::Reads,
                ));
            }
        }
        steps
    }

    /// What may be tried beyond reading; empty when there is nothing to try or no way to it.
    pub(super) fn experiments(&self) -> Vec<String> {
        let read = self.first_new(self.reads()).is_none()
            && self.first_new(self.context_reads()).is_none();
        let Some(host) = self.options.host.as_deref().filter(|_| read) else {
            return Vec::new();
        };
        if self.sim_is_ready() == Some(false) || !self.is_registered() || !can_be_quoted(host) {
            return Vec::new();
        }
        let (pdp, port) = (self.pdp(), self.options.port);
        let mut all = Vec::new();
        if let Some((_, port)) = self.urc_ports() {
            all.push(format!(
                "have the results sent to this port (AT+QURCCFG=\"urcport\",\"{port}\"), and put the setting back"
            ));
        }
        if self.active_contexts().is_empty() {
            all.push(format!(
                "activate PDP context {pdp} (AT+QIACT={pdp}), and deactivate it afterwards"
            ));
        }
        all.push(format!(
            "look up {host} and open a TCP connection to its port {port}, over the mobile network"
        ));
        if let (Some(bound), Some(spare)) = (self.ssl_of(self.options.client), self.spare()) {
            all.push(format!(
                "try TLS with the settings of SSL context {bound}, and with variations of them, in SSL context {spare}, \
                 which nothing uses; its settings are put back afterwards"
            ));
        }
        if self.client_is_free() {
            let client = self.options.client;
            all.push(format!(
                "open MQTT client {client} to {host} if TLS works, and close it again"
            ));
        }
        all
    }
}

/// A name that cannot leave its quotes in a command line.
fn can_be_quoted(host: &str) -> bool {
    !host.is_empty() && host.bytes().all(|b| b.is_ascii_graphic() && b != b'"')
}
