//! Loads a hub with many TLS devices and reports how it fares.
//!
//! `cargo run --release -p iothub-sim --example load -- [DEVICES] [SECONDS] [HALF_OPEN]`; with `write`
//! instead of numbers it runs what `docs/hub-load.md` shows and writes that file.
//!
//! The hub runs in a process of its own, so that its memory can be told from the devices'. Each device
//! connects with TLS 1.2 and a SAS token, then publishes one QoS 1 message per second; the latency is
//! the time from writing PUBLISH to reading its PUBACK. `HALF_OPEN` sockets are opened beside them that
//! never send a byte. Run it on an otherwise idle machine; both processes share the cores.

use core::{net::SocketAddr, time::Duration};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitCode, Stdio},
    sync::Arc,
    time::{Instant, SystemTime, UNIX_EPOCH},
};

use iothub_sim::{
    Config, Device, IotHub, LocalHub, Pki, PkiOptions, ServerOptions, SharedAccessKey, sas_token,
};
use mqtt311::{Connect, Decoder, Packet, PacketId, Publish, QoS};
use rustls::{
    ClientConfig, RootCertStore,
    pki_types::{CertificateDer, ServerName, pem::PemObject},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
    time::{Instant as TokioInstant, sleep_until},
};
use tokio_rustls::{TlsConnector, client::TlsStream};

type Failure = Box<dyn core::error::Error + Send + Sync>;

const HOST: &str = "contoso.azure-devices.net";

fn key() -> SharedAccessKey {
    SharedAccessKey::from_bytes([7; 32])
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: usize| {
        let given = arguments.get(index).and_then(|text| text.parse().ok());
        given.unwrap_or(default)
    };
    let done = match arguments.first().map(String::as_str) {
        Some("hub") => run_hub(number(1, 1000)),
        Some("write") => write_docs(),
        _ => show(Scenario {
            devices: number(0, 1000),
            seconds: number(1, 20),
            half_open: number(2, 0),
        }),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

/// The hub's process: prints address and root certificate, then waits for the end of its input.
#[expect(clippy::print_stdout, reason = "what the program is for")]
fn run_hub(devices: usize) -> Result<(), Failure> {
    let hub = (0..devices).fold(IotHub::new(HOST), |hub, n| {
        hub.with_device(Device::with_key(&format!("device{n}"), key()))
    });
    let pki = Pki::new(&PkiOptions::for_hosts([HOST]))?;
    let hub = LocalHub::start_with(&Config::new([hub]), &pki, &ServerOptions::default())?;
    println!("{}", hub.addr());
    println!("{}END", hub.ca_pem());
    let mut line = String::new();
    std::io::stdin().read_line(&mut line)?;
    hub.stop();
    Ok(())
}

struct HubProcess {
    child: Child,
    addr: SocketAddr,
    roots: RootCertStore,
}

impl HubProcess {
    fn start(devices: usize) -> Result<Self, Failure> {
        let mut child = Command::new(std::env::current_exe()?)
            .args(["hub", &devices.to_string()])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let output = child.stdout.take().ok_or("no output")?;
        let mut lines = BufReader::new(output).lines();
        let addr = lines.next().ok_or("no address")??.parse()?;
        let mut pem = String::new();
        for line in lines {
            let line = line?;
            if line == "END" {
                break;
            }
            pem.push_str(&line);
            pem.push('\n');
        }
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(pem.as_bytes())?)?;
        Ok(Self { child, addr, roots })
    }

    /// Resident memory in KiB.
    fn memory_kib(&self) -> Result<u64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find(|line| line.starts_with("VmRSS:"));
        let number = line.and_then(|line| line.split_whitespace().nth(1));
        Ok(number.ok_or("no VmRSS")?.parse()?)
    }
}

impl Drop for HubProcess {
    fn drop(&mut self) {
        // The end of its input stops it.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

#[derive(Clone, Copy)]
struct Scenario {
    devices: usize,
    seconds: usize,
    half_open: usize,
}

/// Names and values, in the order of the table.
type Rows = Vec<(&'static str, String)>;

#[expect(clippy::print_stdout, reason = "what the program is for")]
fn show(scenario: Scenario) -> Result<(), Failure> {
    for (name, value) in measure(scenario)? {
        println!("{name:<40} {value}");
    }
    Ok(())
}

/// Writes `docs/hub-load.md` from the repository's folder.
fn write_docs() -> Result<(), Failure> {
    let plain = Scenario {
        devices: 1000,
        seconds: 30,
        half_open: 0,
    };
    let besieged = Scenario {
        half_open: 10_000,
        ..plain
    };
    let (plain, besieged) = (measure(plain)?, measure(besieged)?);
    let mut text = format!(
        "# The local hub under load\n\n\
         Written by `cargo run --release -p iothub-sim --example load -- write` on {}.\n\n\
         Hub and devices are two processes that share the cores. Each device has a TLS 1.2 connection of its own (RSA chain,\n\
         full handshake, SAS token) and publishes one QoS 1 message a second; latency is the time from writing PUBLISH to reading\n\
         PUBACK. Memory is the growth of the hub's resident memory. Half-open sockets are TCP connections that never send a byte; the\n\
         hub closes them after 30 s, and later connections use their memory.\n\n\
         | | alone | with half-open sockets |\n|---|---:|---:|\n",
        machine()
    );
    for ((name, alone), (_, with)) in plain.iter().zip(&besieged) {
        text.push_str(&format!("| {name} | {alone} | {with} |\n"));
    }
    std::fs::write("docs/hub-load.md", text)?;
    Ok(())
}

/// Processor and cores.
fn machine() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find(|line| line.starts_with("model name"))
        .and_then(|line| line.split_once(':'))
        .map_or("an unknown processor", |(_, model)| model.trim());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    format!("{cores} cores of {model}")
}

fn measure(scenario: Scenario) -> Result<Rows, Failure> {
    let hub = HubProcess::start(scenario.devices)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let idle_kib = hub.memory_kib()?;
    let mut sockets = Vec::new();
    for _ in 0..scenario.half_open {
        sockets.push(std::net::TcpStream::connect(hub.addr)?);
    }
    let mut rows = vec![("half-open sockets", scenario.half_open.to_string())];
    let each = if scenario.half_open > 0 {
        std::thread::sleep(Duration::from_secs(1));
        let grown = hub.memory_kib()?.saturating_sub(idle_kib);
        format!("{:.1} KiB", ratio(grown, scenario.half_open))
    } else {
        "-".to_owned()
    };
    rows.push(("memory for each of them", each));
    runtime.block_on(drive(&hub, scenario, &mut rows))?;
    rows.push((
        "memory at the end",
        format!("{:.0} MiB", ratio(hub.memory_kib()?, 1024)),
    ));
    drop(sockets);
    Ok(rows)
}

async fn drive(hub: &HubProcess, scenario: Scenario, rows: &mut Rows) -> Result<(), Failure> {
    let Scenario {
        devices, seconds, ..
    } = scenario;
    let before_kib = hub.memory_kib()?;
    let begun = Instant::now();
    let streams = connect_all(hub, devices).await?;
    let elapsed = begun.elapsed().as_secs_f64();
    let connected_kib = hub.memory_kib()?.saturating_sub(before_kib);
    rows.push(("devices", devices.to_string()));
    let rate = ratio(devices as u64, 1) / elapsed;
    rows.push(("connections per second", format!("{rate:.0}")));
    let each = ratio(connected_kib, devices);
    rows.push(("memory per connection", format!("{each:.1} KiB")));

    let start = TokioInstant::now() + Duration::from_millis(200);
    let publishing: Vec<_> = streams
        .into_iter()
        .enumerate()
        .map(|(n, stream)| {
            // Spread over the second, as independent devices are.
            let offset = Duration::from_secs(1).mul_f64(ratio(n as u64, devices));
            tokio::spawn(publish(stream, n, seconds, start + offset))
        })
        .collect();
    let mut latencies = Vec::new();
    for task in publishing {
        latencies.extend(task.await??);
    }
    report(&mut latencies, devices * seconds, rows);
    Ok(())
}

async fn connect_all(
    hub: &HubProcess,
    devices: usize,
) -> Result<Vec<TlsStream<TcpStream>>, Failure> {
    let mut config = ClientConfig::builder_with_protocol_versions(&[&rustls::version::TLS12])
        .with_root_certificates(hub.roots.clone())
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    let connector = TlsConnector::from(Arc::new(config));
    // As many handshakes at once as keep both sides busy.
    let turns = Arc::new(Semaphore::new(32));
    let mut connecting = Vec::new();
    for n in 0..devices {
        let (connector, turns, addr) = (connector.clone(), turns.clone(), hub.addr);
        connecting.push(tokio::spawn(async move {
            let _turn = turns.acquire().await?;
            connect(&connector, addr, n).await
        }));
    }
    let mut streams = Vec::new();
    for task in connecting {
        streams.push(task.await??);
    }
    Ok(streams)
}

fn report(latencies: &mut [Duration], expected: usize, rows: &mut Rows) {
    latencies.sort_unstable();
    let at = |percent: usize| {
        let index = (latencies.len() * percent / 100).min(latencies.len().saturating_sub(1));
        let latency = latencies.get(index).copied().unwrap_or_default();
        format!("{:.1} ms", latency.as_secs_f64() * 1000.0)
    };
    let lost = expected.saturating_sub(latencies.len());
    rows.push(("messages acknowledged", latencies.len().to_string()));
    rows.push(("messages lost", lost.to_string()));
    rows.push(("PUBACK latency, median", at(50)));
    rows.push(("PUBACK latency, 99th percentile", at(99)));
    rows.push(("PUBACK latency, maximum", at(100)));
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn ratio(amount: u64, count: usize) -> f64 {
    amount as f64 / count.max(1) as f64
}

async fn connect(
    connector: &TlsConnector,
    addr: SocketAddr,
    n: usize,
) -> Result<TlsStream<TcpStream>, Failure> {
    let tcp = TcpStream::connect(addr).await?;
    tcp.set_nodelay(true)?;
    let mut stream = connector.connect(ServerName::try_from(HOST)?, tcp).await?;
    let unix_s = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let id = format!("device{n}");
    let token = sas_token(&format!("{HOST}/devices/{id}"), &key(), unix_s + 3600, None);
    let connect = Packet::Connect(Connect {
        clean_session: true,
        keep_alive_s: 60,
        client_id: id.clone(),
        user_name: Some(format!("{HOST}/{id}/?api-version=2021-04-12")),
        password: Some(token.into_bytes()),
        ..Connect::default()
    });
    stream.write_all(&connect.to_bytes()?).await?;
    let mut answer = [0; 4];
    stream.read_exact(&mut answer).await?;
    if answer == [0x20, 2, 0, 0] {
        Ok(stream)
    } else {
        Err(format!("{id} was refused: {answer:x?}").into())
    }
}

async fn publish(
    mut stream: TlsStream<TcpStream>,
    n: usize,
    count: usize,
    start: TokioInstant,
) -> Result<Vec<Duration>, Failure> {
    let mut latencies = Vec::new();
    let mut decoder = Decoder::new(1024);
    let mut chunk = [0; 1024];
    for second in 0..count {
        sleep_until(start + Duration::from_secs(second as u64)).await;
        let packet = Packet::Publish(Publish {
            qos: QoS::AtLeastOnce,
            packet_id: PacketId::new(u16::try_from(second % 65_535)? + 1),
            topic: format!(
                "devices/device{n}/messages/events/%24.ct=application%2Fjson&n={second}"
            ),
            payload: format!("{{\"temperature\":21.5,\"second\":{second}}}").into_bytes(),
            ..Publish::default()
        });
        let sent = Instant::now();
        stream.write_all(&packet.to_bytes()?).await?;
        loop {
            match decoder.next_packet()? {
                Some(Packet::Puback(_)) => break,
                Some(other) => return Err(format!("{} instead of PUBACK", other.name()).into()),
                None => {}
            }
            let received = stream.read(&mut chunk).await?;
            if received == 0 {
                return Err(format!("device{n} was disconnected").into());
            }
            decoder.push(chunk.get(..received).unwrap_or_default());
        }
        latencies.push(sent.elapsed());
    }
    Ok(latencies)
}
