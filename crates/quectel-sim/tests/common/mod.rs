//! A module in virtual time, without any network.
#![allow(dead_code, reason = "each test program uses its own part")]

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use quectel_sim::{Module, ModuleConfig, NetRequest, PowerState, Profile, Timing};

/// A module with its time.
pub(crate) struct Bench {
    pub(crate) module: Module,
    pub(crate) now: u64,
    pub(crate) requests: Vec<NetRequest>,
}

impl Bench {
    /// A ready module that answers at once.
    pub(crate) fn ready(profile: &str) -> Self {
        Self::with(
            config(profile)
                .timing(Timing::Fast)
                .power(PowerState::Ready),
        )
    }

    pub(crate) fn with(config: ModuleConfig) -> Self {
        let mut bench = Self {
            module: Module::new(config),
            now: 0,
            requests: Vec::new(),
        };
        bench.module.tick(0);
        bench
    }

    /// Writes to the UART and gives what the module has written by then.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.module.uart_rx(self.now, bytes.as_ref());
        self.read()
    }

    /// What the module has written by now.
    pub(crate) fn read(&mut self) -> String {
        let mut out = Vec::new();
        self.module.uart_tx(self.now, &mut out);
        while let Some(request) = self.module.poll_net() {
            self.requests.push(request);
        }
        show(&out)
    }

    /// Lets time pass, timer by timer, and gives what the module wrote meanwhile.
    pub(crate) fn wait(&mut self, ms: u64) -> String {
        let end = self.now + ms;
        let mut text = String::new();
        while let Some(at) = self.module.poll_timeout().filter(|at| *at <= end) {
            self.now = self.now.max(at);
            self.module.tick(self.now);
            text.push_str(&self.read());
        }
        self.now = end;
        self.module.tick(end);
        text.push_str(&self.read());
        text
    }
}

/// `bg96@BG96MAR02A07M1G` or `ec25`.
pub(crate) fn config(profile: &str) -> ModuleConfig {
    // 2026-08-07 12:00:00 UTC
    ModuleConfig::with_profile(select(profile))
        .unix_s(1_786_104_000)
        .seed(7)
}

/// Making a profile takes as long as a hundred commands, and tables have many rows.
fn select(name: &str) -> Profile {
    static MADE: Mutex<BTreeMap<String, Profile>> = Mutex::new(BTreeMap::new());
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let profile = made.entry(name.to_owned()).or_insert_with(|| {
        let (model, firmware) = match name.split_once('@') {
            Some((model, firmware)) => (model, Some(firmware)),
            None => (name, None),
        };
        Profile::select(model, firmware).unwrap()
    });
    profile.clone()
}

/// Bytes as text in which everything can be seen.
pub(crate) fn show(bytes: &[u8]) -> String {
    bytes
        .iter()
        .map(|b| match b {
            b'\r' => "\\r".to_owned(),
            b'\n' => "\\n".to_owned(),
            b'\\' => "\\\\".to_owned(),
            0x20..=0x7E => char::from(*b).to_string(),
            other => format!("\\x{other:02x}"),
        })
        .collect()
}

/// The opposite of [`show`].
pub(crate) fn hide(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        match rest.next() {
            Some(b'r') => out.push(b'\r'),
            Some(b'n') => out.push(b'\n'),
            Some(b'x') => {
                let digits: String = rest.by_ref().take(2).map(char::from).collect();
                out.push(
                    u8::from_str_radix(&digits, 16).expect("two hexadecimal digits after \\x"),
                );
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

pub(crate) mod pki;
pub(crate) mod world;
