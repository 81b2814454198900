//! Experiments with the network and with MQTT: name, TCP, the MQTT client.

use super::plan::step;
use super::{Effect, Live, Step, Until};

/// The manuals allow 150 seconds for activating a context and for opening a connection; networks that take more than
/// this half of it do not work in practice.
const OPEN_TIMEOUT_MS: u32 = 75_000;
const NAME_TIMEOUT_MS: u32 = 60_000;
const CLOSE_TIMEOUT_MS: u32 = 15_000;

impl Live {
    /// The port that gets the results, and the one that should, if they differ.
    pub(super) fn urc_ports(&self) -> Option<(String, String)> {
        let wanted = self.options.urc_port.clone()?;
        let values = self.get("urcport")?.values("+QURCCFG")?;
        let is = values.get(1)?.clone();
        (is != wanted && is != "all").then_some((is, wanted))
    }

    pub(super) fn urc_step(&self) -> Option<Step> {
        let (_, wanted) = self.urc_ports().filter(|_| !self.has("urc-on"))?;
        let text = format!("AT+QURCCFG=\"urcport\",\"{wanted}\"");
        Some(step("urc-on", text, Effect::Changes))
    }

    pub(super) fn network_step(&self) -> Option<Step> {
        let host = self.options.host.as_deref()?;
        let pdp = self.pdp();
        if self.active_contexts().is_empty() {
            match self.get("pdp-on") {
                None => {
                    return Some(
                        step("pdp-on", format!("AT+QIACT={pdp}"), Effect::Changes)
                            .within(2 * OPEN_TIMEOUT_MS),
                    );
                }
                Some(heard) if !heard.is_ok() => return None,
                Some(_) => {}
            }
        }
        if !self.has("dns") {
            let text = format!("AT+QIDNSGIP={pdp},\"{host}\"");
            return Some(
                step("dns", text, Effect::Connects).until(Until::Addresses, NAME_TIMEOUT_MS),
            );
        }
        if self.resolved().is_none() {
            let server = self.name_server().filter(|_| !self.has("ping"))?;
            let text = format!("AT+QPING={pdp},\"{server}\",5,1");
            return Some(step("ping", text, Effect::Connects).until(Until::Ping, CLOSE_TIMEOUT_MS));
        }
        if !self.has("tcp") {
            let (socket, port) = (self.tcp_socket(), self.options.port);
            let text = format!("AT+QIOPEN={pdp},{socket},\"TCP\",\"{host}\",{port},0,0");
            let urc = Until::Urc(format!("+QIOPEN: {socket},"));
            return Some(step("tcp", text, Effect::Connects).until(urc, OPEN_TIMEOUT_MS));
        }
        None
    }

    pub(super) fn tcp_works(&self) -> bool {
        self.result("tcp", "+QIOPEN") == Some(0)
    }

    /// The MQTT client is neither open nor connected, as found.
    pub(super) fn client_is_free(&self) -> bool {
        let client = self.options.client.to_string();
        [("mqttopen", "+QMTOPEN"), ("mqttconn", "+QMTCONN")]
            .iter()
            .all(|(key, name)| {
                self.get(key).is_some_and(|heard| {
                    heard.is_ok()
                        && !heard
                            .all_values(name)
                            .iter()
                            .any(|values| values.first() == Some(&client))
                })
            })
    }

    pub(super) fn mqtt_step(&self) -> Option<Step> {
        let host = self.options.host.as_deref()?;
        let (client, port) = (self.options.client, self.options.port);
        let tls = self.ssl_of(client).is_none() || self.tls_works_as_set();
        if !self.tcp_works() || !tls || !self.client_is_free() || self.has("mqtt-open") {
            return None;
        }
        let text = format!("AT+QMTOPEN={client},\"{host}\",{port}");
        let urc = Until::Urc(format!("+QMTOPEN: {client},"));
        Some(step("mqtt-open", text, Effect::Connects).until(urc, OPEN_TIMEOUT_MS))
    }

    /// What an experiment has opened, if it is open yet.
    pub(super) fn to_close(&self) -> Option<Step> {
        if self.has("tcp") && !self.has("tcp-close") {
            let text = format!("AT+QICLOSE={},5", self.tcp_socket());
            return Some(step("tcp-close", text, Effect::Restores).within(CLOSE_TIMEOUT_MS));
        }
        if let Some(open) = self
            .heard
            .iter()
            .rev()
            .find(|heard| heard.key.starts_with("open-"))
        {
            let key = open.key.replacen("open-", "shut-", 1);
            if !self.has(&key) {
                let text = format!("AT+QSSLCLOSE={},5", self.ssl_socket());
                return Some(step(key, text, Effect::Restores).within(CLOSE_TIMEOUT_MS));
            }
        }
        if self.has("mqtt-open") && !self.has("mqtt-close") {
            let client = self.options.client;
            let text = format!("AT+QMTCLOSE={client}");
            let urc = Until::Urc(format!("+QMTCLOSE: {client},"));
            return Some(step("mqtt-close", text, Effect::Restores).until(urc, CLOSE_TIMEOUT_MS));
        }
        None
    }

    /// What an experiment has changed, if it is not put back yet.
    pub(super) fn to_restore(&self) -> Option<Step> {
        if let Some(step) = self.ssl_to_restore() {
            return Some(step);
        }
        if self.get("pdp-on").is_some_and(|heard| heard.is_ok()) && !self.has("pdp-off") {
            let text = format!("AT+QIDEACT={}", self.pdp());
            return Some(step("pdp-off", text, Effect::Restores).within(OPEN_TIMEOUT_MS));
        }
        if let Some((was, _)) = self.urc_ports().filter(|_| self.has("urc-on"))
            && !self.has("urc-off")
        {
            let text = format!("AT+QURCCFG=\"urcport\",\"{was}\"");
            return Some(step("urc-off", text, Effect::Restores));
        }
        None
    }
}
