//! A simulated module and a simulated hub in one thread and in virtual time: no socket, no clock, no waiting.

use core::net::{IpAddr, Ipv4Addr};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use iothub_sim::{
    CertificateFault, Config, Device, DeviceCertificate, Event, Hub, KeyKind, LinkId, Now, Pki,
    PkiOptions, Record, Refusal, Rules, Telemetry, TlsHub, TlsOptions, TlsServer, Validity,
};
use quectel_sim::{
    ConnectFailure, Module, ModuleConfig, NetEvent, NetRequest, PowerState, SocketId, Timing,
};

/// Host name of the hub in the tests.
pub const HUB: &str = "contoso.azure-devices.net";
/// The hub's one device.
pub const DEVICE: &str = "dev-1";
/// The DPS host, which the hub's certificate covers too.
pub const DPS: &str = "global.azure-devices-provisioning.net";
/// 2026-11-22 12:00:00 UTC.
pub const NOW_UNIX_S: u64 = 1_795_348_800;

/// How the hub is set up.
pub struct HubSetup {
    /// Host names: the first is the hub's.
    pub hosts: Vec<String>,
    /// The device.
    pub device: Device,
    /// What is wrong with the server's certificate.
    pub fault: CertificateFault,
    /// Unix time at which the test begins.
    pub unix_s: u64,
    /// Whether TLS without SNI is refused.
    pub require_sni: bool,
    /// What the hub takes beyond the documentation.
    pub rules: Rules,
}

impl HubSetup {
    /// A hub with one device that has generated keys, today.
    pub fn new() -> Self {
        Self {
            hosts: vec![HUB.into(), DPS.into()],
            device: Device::with_generated_keys(DEVICE),
            fault: CertificateFault::None,
            unix_s: NOW_UNIX_S,
            require_sni: true,
            rules: Rules::default(),
        }
    }

    /// A hub that tolerates firmware without SNI, as the classic hosts did.
    pub fn without_sni(mut self) -> Self {
        self.require_sni = false;
        self
    }
}

impl Default for HubSetup {
    fn default() -> Self {
        Self::new()
    }
}

/// Module, hub, and the network between them.
pub struct World {
    /// The module.
    pub module: Module,
    /// The hub behind TLS.
    pub hub: TlsHub,
    /// Root certificate of the hub's server certificate, PEM.
    pub ca_pem: String,
    /// Connection string of the device.
    pub connection_string: String,
    /// Everything that the hub recorded.
    pub records: Vec<Record>,
    /// What the module has sent and the host has not read yet.
    pub uart: Vec<u8>,
    /// Whether names resolve and connections open.
    pub network_up: bool,
    /// Monotonic milliseconds.
    pub now_ms: u64,
    unix_s: u64,
    hosts: Vec<String>,
    links: BTreeMap<SocketId, LinkId>,
}

/// A certificate of a device for X.509, valid in the test's year.
pub fn device_certificate(unix_s: u64, kind: KeyKind) -> DeviceCertificate {
    DeviceCertificate::self_signed(DEVICE, kind, Validity::around(unix_s))
        .expect("a certificate can be made")
}

/// A module that is up, fast and knows the world's time.
pub fn module(model: &str, firmware: Option<&str>, unix_s: u64) -> ModuleConfig {
    let config = match firmware {
        Some(firmware) => ModuleConfig::with_firmware(model, firmware),
        None => ModuleConfig::new(model),
    };
    config
        .expect("the simulator has the model")
        .timing(Timing::Fast)
        .power(PowerState::Ready)
        .unix_s(i64::try_from(unix_s).expect("a time of this age"))
}

/// The hub's certificates: made once for each setup, since RSA keys take long.
fn pki(setup: &HubSetup) -> Arc<Pki> {
    static MADE: Mutex<BTreeMap<String, Arc<Pki>>> = Mutex::new(BTreeMap::new());
    let key = format!("{:?} {} {:?}", setup.hosts, setup.unix_s, setup.fault);
    let mut made = MADE
        .lock()
        .expect("no test panics while it makes certificates");
    let make = || {
        let mut options = PkiOptions::for_hosts(setup.hosts.iter().map(String::as_str));
        options.leaf = Validity::around(setup.unix_s);
        options.authorities = Validity::around(setup.unix_s);
        options.fault = setup.fault;
        Arc::new(Pki::new(&options).expect("certificates can be made"))
    };
    Arc::clone(made.entry(key).or_insert_with(make))
}

impl World {
    /// Brings both up.
    pub fn new(setup: HubSetup, module: ModuleConfig) -> Self {
        let pki = pki(&setup);
        let mut config = Config::single_device(&setup.hosts[0], setup.device);
        config.rules = setup.rules;
        let device = config.hubs[0].devices[0].id.clone();
        let hub = Hub::new(&config).expect("the hub's settings are right");

        let mut tls = TlsOptions::default();
        tls.require_sni = setup.require_sni;
        let tls = TlsServer::new(pki.server_chain(), &tls).expect("TLS can be set up");
        Self {
            module: Module::new(module),
            hub: TlsHub::new(hub, tls),
            ca_pem: pki.root_pem().to_owned(),
            connection_string: config
                .connection_string(&device)
                .expect("the device is configured"),
            records: Vec::new(),
            uart: Vec::new(),
            network_up: true,
            now_ms: 0,
            unix_s: setup.unix_s,
            hosts: setup.hosts,
            links: BTreeMap::new(),
        }
    }

    /// The time as the hub sees it.
    pub fn now(&self) -> Now {
        Now {
            unix_s: self.unix_s + self.now_ms / 1_000,
            monotonic_ms: self.now_ms,
        }
    }

    /// Gives bytes to the module.
    pub fn send(&mut self, bytes: &[u8]) {
        self.module.uart_rx(self.now_ms, bytes);
        self.settle();
    }

    /// The next time at which module or hub have something to do.
    pub fn next_at(&self) -> Option<u64> {
        let hub = self.hub.next_poll(self.now());
        self.module.poll_timeout().into_iter().chain(hub).min()
    }

    /// Lets time pass up to `now_ms`.
    pub fn run_until(&mut self, now_ms: u64) {
        self.settle();
        while let Some(at) = self.next_at().filter(|at| *at <= now_ms) {
            self.now_ms = self.now_ms.max(at);
            self.module.tick(self.now_ms);
            self.hub.poll(self.now());
            self.settle();
            if self.next_at() == Some(at) {
                // Nothing moved: both wait for the same millisecond to be over.
                self.now_ms += 1;
            }
        }
        self.now_ms = self.now_ms.max(now_ms);
        self.module.tick(self.now_ms);
        self.settle();
    }

    /// Carries bytes between module and hub until neither has any.
    pub fn settle(&mut self) {
        for _ in 0..10_000 {
            let mut moved = false;
            while let Some(request) = self.module.poll_net() {
                moved = true;
                self.carry_out(request);
            }
            moved |= self.carry_from_hub();
            if !moved {
                break;
            }
        }
        self.module.uart_tx(self.now_ms, &mut self.uart);
        let records = self.hub.hub().take_records();
        self.records.extend(records);
    }

    fn carry_out(&mut self, request: NetRequest) {
        let now = self.now();
        match request {
            NetRequest::Connect { socket, host, .. } => {
                let known = self.network_up
                    && self
                        .hosts
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(&host));
                let event = if known {
                    self.links.insert(socket, self.hub.connect(now));
                    NetEvent::Connected {
                        socket,
                        peer: Some(LOOPBACK),
                    }
                } else {
                    NetEvent::ConnectFailed {
                        socket,
                        reason: ConnectFailure::Dns,
                    }
                };
                self.module.net_event(self.now_ms, event);
            }
            NetRequest::Send { socket, data } => {
                if let Some(link) = self.links.get(&socket) {
                    self.hub.receive(now, *link, &data);
                }
                self.module.net_event(
                    self.now_ms,
                    NetEvent::Sent {
                        socket,
                        count: data.len(),
                    },
                );
            }
            NetRequest::Close { socket } => {
                if let Some(link) = self.links.remove(&socket) {
                    self.hub.disconnect(now, link);
                }
            }
            NetRequest::Resolve { lookup, host } => {
                let known = self.network_up
                    && self
                        .hosts
                        .iter()
                        .any(|name| name.eq_ignore_ascii_case(&host));
                let addresses = if known { vec![LOOPBACK] } else { Vec::new() };
                self.module
                    .net_event(self.now_ms, NetEvent::Resolved { lookup, addresses });
            }
            NetRequest::Listen { socket, .. } => {
                let reason = ConnectFailure::Unreachable;
                self.module
                    .net_event(self.now_ms, NetEvent::ConnectFailed { socket, reason });
            }
            _ => {}
        }
    }

    fn carry_from_hub(&mut self) -> bool {
        let mut moved = false;
        for (socket, link) in self.links.clone() {
            let mut data = Vec::new();
            let closing = self.hub.transmit(link, &mut data);
            if !data.is_empty() {
                moved = true;
                self.module
                    .net_event(self.now_ms, NetEvent::Data { socket, data });
            }
            if closing {
                moved = true;
                self.links.remove(&socket);
                self.module
                    .net_event(self.now_ms, NetEvent::Closed { socket });
            }
        }
        moved
    }

    /// Types a command as a person would, waits `wait_ms` and returns what the module said meanwhile.
    pub fn type_line(&mut self, line: &str, wait_ms: u64) -> String {
        self.send(line.as_bytes());
        self.send(b"\r");
        self.run_until(self.now_ms + wait_ms);
        self.heard()
    }

    /// What the module said since the last call.
    pub fn heard(&mut self) -> String {
        String::from_utf8_lossy(&core::mem::take(&mut self.uart)).into_owned()
    }

    /// Messages that the hub received.
    pub fn telemetry(&self) -> Vec<&Telemetry> {
        self.records
            .iter()
            .filter_map(|record| match &record.event {
                Event::Telemetry(telemetry) => Some(telemetry),
                _ => None,
            })
            .collect()
    }

    /// Connections that the hub refused.
    pub fn refusals(&self) -> Vec<&Refusal> {
        self.records
            .iter()
            .filter_map(|record| match &record.event {
                Event::Refused(refusal) => Some(refusal),
                _ => None,
            })
            .collect()
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
