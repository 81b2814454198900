//! All that is in force at one moment of a session.

use std::collections::BTreeMap;

use super::credential::{Password, UserName};
use super::files::{File, base_name, normal_name};
use super::network::Network;
use super::settings::Settings;
use crate::mask::Quote;

/// Settings, files and network at one moment; every connection keeps the state it was tried in.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// SSL contexts by number.
    pub(crate) ssl: BTreeMap<u8, Settings>,
    /// MQTT clients by number.
    pub(crate) clients: BTreeMap<u8, Settings>,
    pub(crate) files: Vec<File>,
    /// The last listing of all files, until something changes: names, and its line.
    pub(crate) listing: Option<Listing>,
    pub(crate) network: Network,
    /// A restart after the settings were made, and no setting since.
    pub(crate) settings_lost: Option<Quote>,
    /// The last restart that wiped settings out.
    pub(crate) restart: Option<Quote>,
    /// What was in force before that restart.
    pub(crate) before_restart: Option<Box<Before>>,
    /// SIMCom's `AT+SMCONF` values other than secrets, and whether `AT+SMSSL` came.
    pub(crate) smconf: BTreeMap<String, String>,
    pub(crate) smssl: bool,
    /// What `AT+SMCONF` or ESP-AT's `AT+MQTTUSERCFG` said about the credentials.
    pub(crate) credentials: Option<(UserName, Password)>,
    /// ESP-AT's scheme: 1 is plain TCP, 2 to 5 are TLS.
    pub(crate) esp_scheme: Option<u8>,
    /// SIMCom's `AT+CMQTTACCQ` with server type 1, by client.
    pub(crate) acquired_with_tls: BTreeMap<u8, bool>,
    /// `AT+QHTTPCFG="sslctxid"`.
    pub(crate) http_context: Option<u8>,
    /// `AT+QHTTPURL`'s host, when it was seen.
    pub(crate) http_host: Option<String>,
}

/// Settings that a restart wiped out.
#[derive(Debug, Clone, Default)]
pub(crate) struct Before {
    pub(crate) ssl: BTreeMap<u8, Settings>,
    pub(crate) clients: BTreeMap<u8, Settings>,
}

/// What `AT+QFLST` listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Listing {
    pub(crate) names: Vec<String>,
    pub(crate) quote: Quote,
    /// Of the UFS; `AT+QFLST="RAM:*"` says nothing about it.
    pub(crate) ufs: bool,
}

/// Files of which a session keeps facts.
const MAX_FILES: usize = 64;

impl State {
    pub(crate) fn file(&self, name: &str) -> Option<&File> {
        let name = normal_name(name);
        self.files.iter().find(|file| file.name == name)
    }

    /// Files whose last part is the same but whose whole name is not: another storage, case or folder.
    pub(crate) fn near_miss(&self, name: &str) -> Option<&File> {
        let (whole, base) = (normal_name(name), base_name(name));
        self.files
            .iter()
            .find(|file| file.name != whole && base_name(&file.name) == base && file.gone.is_none())
    }

    pub(crate) fn file_mut(&mut self, name: &str, quote: &Quote) -> Option<&mut File> {
        let name = normal_name(name);
        let known = self.files.iter().position(|file| file.name == name);
        let at = match known {
            Some(at) => at,
            None if self.files.len() < MAX_FILES => {
                self.files.push(File::new(name, quote.clone()));
                self.files.len() - 1
            }
            None => return None,
        };
        self.files.get_mut(at)
    }

    /// The file that a context's setting names, such as `cacert`.
    pub(crate) fn bound_file<'a>(
        &'a self,
        context: &'a Settings,
        setting: &str,
    ) -> Option<&'a File> {
        self.file(context.text(setting)?)
            .filter(|file| file.gone.is_none())
    }

    /// Contexts in which this log set something.
    pub(crate) fn written_contexts(&self) -> Vec<u8> {
        self.ssl
            .iter()
            .filter(|(_, context)| context.is_written())
            .map(|(number, _)| *number)
            .collect()
    }

    /// Any MQTT client or SSL context was configured in this log.
    pub(crate) fn has_configuration(&self) -> bool {
        self.clients.values().any(Settings::is_written)
            || self.ssl.values().any(Settings::is_written)
    }

    /// Settings are volatile: a restart forgets them, and the RAM's files.
    pub(crate) fn restart(&mut self, quote: &Quote) {
        if self.has_configuration() {
            self.settings_lost = Some(quote.clone());
            self.restart = Some(quote.clone());
            self.before_restart = Some(Box::new(Before {
                ssl: core::mem::take(&mut self.ssl),
                clients: core::mem::take(&mut self.clients),
            }));
        }
        self.ssl.clear();
        self.clients.clear();
        self.acquired_with_tls.clear();
        for file in self
            .files
            .iter_mut()
            .filter(|file| file.name.starts_with("RAM:"))
        {
            file.gone.get_or_insert_with(|| quote.clone());
        }
        self.network.restart();
    }
}
