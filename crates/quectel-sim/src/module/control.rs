//! What tests can do to a module and read from it.

use super::{Module, Power, SimState};
use crate::{faults::Faults, profile::Profile};

/// Registration with the network, as 3GPP TS 27.007 counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Registration {
    /// 0: not registered, not searching.
    Idle,
    /// 1: registered, home network.
    Home,
    /// 2: searching.
    Searching,
    /// 3: denied.
    Denied,
    /// 4: unknown.
    Unknown,
    /// 5: registered, roaming.
    Roaming,
}

impl Registration {
    pub(crate) const fn stat(self) -> u8 {
        match self {
            Self::Idle => 0,
            Self::Home => 1,
            Self::Searching => 2,
            Self::Denied => 3,
            Self::Unknown => 4,
            Self::Roaming => 5,
        }
    }

    pub(crate) const fn registered(self) -> bool {
        matches!(self, Self::Home | Self::Roaming)
    }
}

/// State of one MQTT client, as `AT+QMTCONN?` counts it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum MqttState {
    /// No connection.
    Closed,
    /// `AT+QMTOPEN` runs.
    Opening,
    /// 1: the connection is open.
    Open,
    /// 2: CONNECT was sent.
    Connecting,
    /// 3: connected.
    Connected,
    /// 4: DISCONNECT was sent.
    Disconnecting,
}

/// A look inside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleState {
    /// Whether the module is in operation.
    pub running: bool,
    /// Whether a command is being carried out.
    pub busy: bool,
    /// Whether the module waits for prompt input or data.
    pub in_data_phase: bool,
    /// Registration with the network.
    pub registration: Registration,
    /// Active PDP contexts with their addresses.
    pub contexts: Vec<(u8, String)>,
    /// The MQTT clients.
    pub mqtt: [MqttState; 6],
    /// Files with their storage prefix and size in bytes.
    pub files: Vec<(String, usize)>,
    /// What the module's own clock says, in seconds since 1970.
    pub unix_s: i64,
    /// Where URCs go.
    pub urc_port: String,
}

impl Module {
    /// The module's time, in milliseconds.
    #[must_use]
    pub const fn now_ms(&self) -> u64 {
        self.now
    }

    /// The model and firmware.
    #[must_use]
    pub fn profile(&self) -> &Profile {
        &self.profile
    }

    /// The faults that are switched on.
    pub const fn faults(&mut self) -> &mut Faults {
        &mut self.faults
    }

    /// Reads the state.
    #[must_use]
    pub fn state(&self) -> ModuleState {
        ModuleState {
            running: self.power == Power::On,
            busy: self.busy(),
            in_data_phase: self.in_data_phase(),
            registration: self.radio.registration,
            contexts: self.pdp.active(),
            mqtt: core::array::from_fn(|at| {
                self.mqtt
                    .get(at)
                    .map_or(MqttState::Closed, |client| client.state)
            }),
            files: self.files.listing(),
            unix_s: self.own_unix_s(),
            urc_port: self.session.urc_port.clone(),
        }
    }

    /// Sends any unsolicited result code, without CR LF.
    pub fn raise_urc(&mut self, text: &str) {
        self.urc(text);
    }

    /// Sets `<rssi>` and `<ber>` of `AT+CSQ`.
    pub const fn set_signal(&mut self, rssi: u8, ber: u8) {
        self.radio.rssi = rssi;
        self.radio.ber = ber;
    }

    /// Sets the registration; a change gives the URCs that the host asked for, and losing it takes the contexts away.
    pub fn set_registration(&mut self, registration: Registration) {
        let lost = self.radio.registration.registered() && !registration.registered();
        self.register(registration);
        if lost {
            self.drop_all_contexts();
        }
    }

    /// Whether the network lets the module register from now on.
    pub const fn allow_registration(&mut self, allowed: bool) {
        self.radio.registers = allowed;
    }

    /// Whether there is a network from now on: without one the module loses its registration and its contexts and
    /// searches; with one it registers again.
    pub fn set_coverage(&mut self, present: bool) {
        self.radio.coverage = present;
        if present {
            if !self.radio.registration.registered() && self.power == Power::On {
                self.start_registration();
            }
        } else if self.radio.registration != Registration::Idle {
            self.set_registration(Registration::Searching);
        }
    }

    /// The network takes a PDP context away.
    pub fn drop_pdp(&mut self, context: u8) {
        self.lose_context(context);
    }

    /// Changes the SIM card.
    pub fn set_sim(&mut self, sim: SimState) {
        self.sim.replace(sim);
        if self.sim.is_ready() {
            self.start_registration();
        } else {
            self.set_registration(Registration::Idle);
        }
        if self.power == Power::On {
            if self.session.simstat_urc {
                self.urc(format!("+QSIMSTAT: 1,{}", u8::from(self.sim.is_inserted())));
            }
            self.urc(format!("+CPIN: {}", self.sim.urc_word()));
        }
    }

    /// Sets the module's own clock, in seconds since 1970.
    pub const fn set_clock(&mut self, unix_s: i64) {
        let now = self.now;
        self.clock.set(unix_s, now);
    }

    /// Stores a file, replacing one of the same name; the name may have a storage prefix.
    ///
    /// Returns whether there was room for it.
    pub fn put_file(&mut self, name: &str, content: &[u8]) -> bool {
        self.files.put(name, content.to_vec())
    }

    /// The content of a file; the name may have a storage prefix.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&[u8]> {
        self.files.content(name)
    }

    /// Everything that survives a power cut, but the files: for [`ModuleConfig::nonvolatile`](crate::ModuleConfig).
    #[must_use]
    pub fn nonvolatile(&self) -> Vec<(String, String)> {
        self.session.stored().chain(self.pdp.stored()).collect()
    }

    /// The files that survive a power cut, with their names as [`ModuleConfig::files`](crate::ModuleConfig) takes them.
    #[must_use]
    pub fn stored_files(&self) -> Vec<(String, Vec<u8>)> {
        self.files.stored()
    }

    /// A number that changes when [`nonvolatile`](Self::nonvolatile) or [`stored_files`](Self::stored_files) do.
    #[must_use]
    pub const fn storage_version(&self) -> u64 {
        self.files
            .version()
            .wrapping_add(self.session.version)
            .wrapping_add(self.pdp.version)
    }
}
