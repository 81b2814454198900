//! Many modules in one process, each with an MQTT session over TLS, each publishing once a second.
//!
//! `cargo run --release -p quectel-sim --example scale -- [modules] [seconds] [file]`
//!
//! With a file, `docs/scale.md` for instance, the result is written to it.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement, not a library"
)]

use core::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use std::{
    fs,
    io::{Read, Write},
    sync::Arc,
    thread,
    time::Instant,
};

use mqtt311::{Connack, ConnectReturnCode, Decoder, Packet};
use quectel_sim::{
    Module, ModuleConfig, PowerState, Timing,
    run::{HostTable, InProcess, Simulator},
};
use rcgen::{CertificateParams, KeyPair};
use rustls::{
    ServerConfig, ServerConnection,
    crypto::aws_lc_rs,
    pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    version::TLS12,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

static PUBLISHES: AtomicUsize = AtomicUsize::new(0);

fn tls() -> Arc<ServerConfig> {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["hub.test".to_owned()])
        .unwrap()
        .self_signed(&key)
        .unwrap();
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    Arc::new(config)
}

/// One client of the broker: CONNECT and PUBLISH are answered, that is all.
async fn serve(mut stream: TcpStream, config: Arc<ServerConfig>) {
    let mut tls = ServerConnection::new(config).unwrap();
    let mut decoder = Decoder::new(64 * 1024);
    let mut chunk = vec![0; 4096];
    let mut out = Vec::new();
    while let Ok(count @ 1..) = stream.read(&mut chunk).await {
        let mut rest = &chunk[..count];
        while !rest.is_empty() && tls.read_tls(&mut rest).is_ok() {
            let Ok(state) = tls.process_new_packets() else {
                return;
            };
            let mut plain = vec![0; state.plaintext_bytes_to_read()];
            tls.reader().read_exact(&mut plain).unwrap();
            decoder.push(&plain);
        }
        while let Ok(Some(packet)) = decoder.next_packet() {
            let answer = match packet {
                Packet::Connect(_) => Packet::Connack(Connack {
                    session_present: false,
                    code: ConnectReturnCode::Accepted,
                }),
                Packet::Publish(publish) => {
                    PUBLISHES.fetch_add(1, Ordering::Relaxed);
                    match publish.packet_id {
                        Some(id) => Packet::Puback(id),
                        None => continue,
                    }
                }
                _ => continue,
            };
            tls.writer().write_all(&answer.to_bytes().unwrap()).unwrap();
        }
        out.clear();
        while tls.wants_write() {
            tls.write_tls(&mut out).unwrap();
        }
        if stream.write_all(&out).await.is_err() {
            return;
        }
    }
}

/// The host of one module.
struct Host {
    port: InProcess,
    seen: Vec<u8>,
    step: usize,
    published: u16,
    acknowledged: u16,
    next: Instant,
}

const SETUP: [(&str, &str); 6] = [
    ("ATE0\r", "OK\r\n"),
    ("AT+QIACT=1\r", "OK\r\n"),
    ("AT+QMTCFG=\"ssl\",0,1,2\r", "OK\r\n"),
    ("AT+QMTCFG=\"version\",0,4\r", "OK\r\n"),
    ("AT+QMTOPEN=0,\"hub.test\",8883\r", "+QMTOPEN: 0,0\r\n"),
    ("AT+QMTCONN=0,\"device\"\r", "+QMTCONN: 0,0,0\r\n"),
];

impl Host {
    fn connected(&self) -> bool {
        self.step > SETUP.len()
    }

    fn seen(&mut self, wanted: &str) -> bool {
        let found = self
            .seen
            .windows(wanted.len())
            .position(|part| part == wanted.as_bytes());
        if let Some(at) = found {
            self.seen.drain(..at + wanted.len());
        }
        found.is_some()
    }

    fn read(&mut self) {
        let mut chunk = [0; 1024];
        while let Ok(count @ 1..) = self.port.read(&mut chunk) {
            self.seen.extend_from_slice(&chunk[..count]);
        }
    }

    fn set_up(&mut self) {
        let ready = match self.step {
            0 => true,
            step => {
                let wanted = SETUP[step - 1].1;
                self.seen(wanted)
            }
        };
        if ready {
            if let Some((line, _)) = SETUP.get(self.step) {
                self.port.write_all(line.as_bytes()).unwrap();
            }
            self.step += 1;
        }
    }

    fn publish(&mut self, now: Instant) {
        if self.acknowledged < self.published && self.seen("+QMTPUB: 0,1,0\r\n") {
            self.acknowledged += 1;
        }
        if self.acknowledged == self.published && now >= self.next {
            self.next += Duration::from_secs(1);
            self.published += 1;
            self.port
                .write_all(b"AT+QMTPUB=0,1,1,0,\"devices/device/messages/events/\",11\r")
                .unwrap();
            self.port.write_all(b"{\"t\": 21.5}").unwrap();
        }
    }
}

fn resident_kib() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok())
        .unwrap_or(0)
}

fn cpu_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or("")
        .split_whitespace()
        .collect();
    let ticks = |at: usize| {
        fields
            .get(at)
            .and_then(|text| text.parse::<f64>().ok())
            .unwrap_or(0.0)
    };
    (ticks(11) + ticks(12)) / 100.0
}

fn main() {
    let mut args = std::env::args().skip(1);
    let mut number = |default| args.next().map_or(default, |text| text.parse().unwrap());
    let (modules, seconds): (u64, u64) = (number(1000), number(60));
    let file = args.next();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
    let hosts = HostTable::new();
    hosts.insert("hub.test", listener.local_addr().unwrap());
    let config = tls();
    runtime.spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, config.clone()));
        }
    });

    let before = resident_kib();
    let simulator = Simulator::new().unwrap();
    let started = Instant::now();
    let mut all: Vec<Host> = (0..modules)
        .map(|seed| {
            let mut setup = ModuleConfig::new("bg95")
                .unwrap()
                .timing(Timing::Fast)
                .power(PowerState::Ready)
                .seed(seed);
            setup.log_lines = 100;
            let mut port = simulator.in_process(Module::new(setup), &hosts);
            port.set_timeout(Duration::ZERO);
            let next = started;
            Host {
                port,
                seen: Vec::new(),
                step: 0,
                published: 0,
                acknowledged: 0,
                next,
            }
        })
        .collect();
    let idle = resident_kib();
    while all.iter().any(|host| !host.connected()) {
        for host in &mut all {
            host.read();
            if !host.connected() {
                host.set_up();
            }
        }
        thread::sleep(Duration::from_millis(1));
    }
    let connected = resident_kib();
    let connect_s = started.elapsed().as_secs_f64();
    let (begin, cpu) = (Instant::now(), cpu_s());
    for (at, host) in all.iter_mut().enumerate() {
        host.next = begin + Duration::from_micros(1_000_000 / modules * at as u64);
    }
    let end = begin + Duration::from_secs(seconds);
    while Instant::now() < end || all.iter().any(|host| host.acknowledged < host.published) {
        let now = Instant::now();
        assert!(
            now < end + Duration::from_secs(30),
            "some publishes were never acknowledged"
        );
        for host in &mut all {
            host.read();
            if now < end || host.acknowledged < host.published {
                let quiet = now >= end;
                if quiet {
                    host.next = now + Duration::from_secs(3600);
                }
                host.publish(now);
            }
        }
        thread::sleep(Duration::from_millis(2));
    }
    let published: u64 = all.iter().map(|host| u64::from(host.published)).sum();
    let received = PUBLISHES.load(Ordering::Relaxed);
    let share = (cpu_s() - cpu) / begin.elapsed().as_secs_f64();
    let report = Report {
        modules,
        seconds,
        connect_s,
        idle_kib: (idle - before) / modules,
        connected_kib: (connected - before) / modules,
        published,
        received: u64::try_from(received).unwrap(),
        cores: share,
    };
    print!("{}", report.text());
    if let Some(file) = file {
        fs::write(file, report.document()).unwrap();
    }
    assert_eq!(published, report.received, "messages were lost");
}

struct Report {
    modules: u64,
    seconds: u64,
    connect_s: f64,
    idle_kib: u64,
    connected_kib: u64,
    published: u64,
    received: u64,
    cores: f64,
}

impl Report {
    fn rows(&self) -> [(&'static str, String); 8] {
        [
            (
                "modules, each with one MQTT session over TLS 1.2",
                self.modules.to_string(),
            ),
            (
                "until all were connected",
                format!("{:.1} s", self.connect_s),
            ),
            (
                "publishing once a second each, QoS 1, for",
                format!("{} s", self.seconds),
            ),
            (
                "messages published and acknowledged",
                self.published.to_string(),
            ),
            (
                "messages that the broker received",
                self.received.to_string(),
            ),
            ("memory of an idle module", format!("{} KiB", self.idle_kib)),
            (
                "memory of a module with its session, broker's end included",
                format!("{} KiB", self.connected_kib),
            ),
            (
                "processor while publishing: modules, hosts and broker together",
                format!("{:.2} of a core", self.cores),
            ),
        ]
    }

    fn text(&self) -> String {
        let rows = self.rows();
        rows.iter()
            .map(|(what, value)| format!("{what}: {value}\n"))
            .collect()
    }

    fn document(&self) -> String {
        let rows: String = self
            .rows()
            .iter()
            .map(|(what, value)| format!("| {what} | {value} |\n"))
            .collect();
        format!(
            "# How many simulated modules fit\n\n\
             Written by `cargo run --release -p quectel-sim --example scale -- {} {} docs/scale.md`: the modules, their\n\
             hosts and the broker run in one process on loopback sockets. No message may be lost, or it fails.\n\n\
             Machine: {}.\n\n| | |\n|---|---|\n{rows}",
            self.modules,
            self.seconds,
            machine()
        )
    }
}

/// Processor, cores and system.
fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name")?.split_once(": "))
        .map_or("unknown processor", |(_, name)| name);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} cores, {}", model.trim(), std::env::consts::OS)
}
