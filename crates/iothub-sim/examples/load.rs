//! Loads a hub with many TLS devices and reports how it fares.
//!
//! `cargo run --release -p iothub-sim --example load -- [DEVICES] [SECONDS] [HALF_OPEN]`
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
        _ => measure(number(0, 1000), number(1, 20), number(2, 0)),
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

#[expect(clippy::print_stdout, reason = "what the program is for")]
fn measure(devices: usize, seconds: usize, half_open: usize) -> Result<(), Failure> {
    let hub = HubProcess::start(devices)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    let idle_kib = hub.memory_kib()?;
    let mut sockets = Vec::new();
    for _ in 0..half_open {
        sockets.push(std::net::TcpStream::connect(hub.addr)?);
    }
    if half_open > 0 {
        std::thread::sleep(Duration::from_secs(1));
        let grown = hub.memory_kib()?.saturating_sub(idle_kib);
        println!("half-open sockets        {half_open}");
        println!(
            "memory for each          {:.1} KiB",
            ratio(grown, half_open)
        );
    }
    let before_kib = hub.memory_kib()?;
    let mut config = ClientConfig::builder_with_protocol_versions(&[&rustls::version::TLS12])
        .with_root_certificates(hub.roots.clone())
        .with_no_client_auth();
    config.resumption = rustls::client::Resumption::disabled();
    let connector = TlsConnector::from(Arc::new(config));
    runtime.block_on(async {
        let begun = Instant::now();
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
        let elapsed = begun.elapsed().as_secs_f64();
        println!("devices                  {devices}");
        println!(
            "connections per second   {:.0}",
            ratio(devices as u64, 1) / elapsed
        );
        let connected_kib = hub.memory_kib()?.saturating_sub(before_kib);
        println!(
            "memory per connection    {:.1} KiB",
            ratio(connected_kib, devices)
        );

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
        report(&mut latencies, devices * seconds);
        Ok::<(), Failure>(())
    })?;
    println!("memory at the end        {} KiB", hub.memory_kib()?);
    drop(sockets);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "what the program is for")]
fn report(latencies: &mut [Duration], expected: usize) {
    latencies.sort_unstable();
    let at = |percent: usize| {
        let index = (latencies.len() * percent / 100).min(latencies.len().saturating_sub(1));
        latencies.get(index).copied().unwrap_or_default()
    };
    println!("messages acknowledged    {} of {expected}", latencies.len());
    println!("PUBACK latency p50       {:?}", at(50));
    println!("PUBACK latency p99       {:?}", at(99));
    println!("PUBACK latency maximum   {:?}", at(100));
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
