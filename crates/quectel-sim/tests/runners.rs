//! Modules in real time with real loopback sockets: in the process, over TCP, on a pseudo terminal.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use core::time::Duration;
use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    thread,
    time::Instant,
};

use common::config;
use mqtt311::{Connack, ConnectReturnCode, Decoder, Packet};
use quectel_sim::{
    Module, ModuleConfig, PowerState, Timing,
    run::{Folder, HostTable, InProcess, Simulator},
};

fn ready(profile: &str) -> ModuleConfig {
    config(profile)
        .timing(Timing::Fast)
        .power(PowerState::Ready)
        .nonvolatile("urcport", "uart1")
}

/// A port with what was read ahead.
struct Host<P> {
    port: P,
    ahead: Vec<u8>,
}

impl<P: Read + Write> Host<P> {
    const fn new(port: P) -> Self {
        Self {
            port,
            ahead: Vec::new(),
        }
    }

    /// Reads up to the end of this text.
    fn expect(&mut self, wanted: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let text = String::from_utf8_lossy(&self.ahead).into_owned();
            if let Some(at) = text.find(wanted) {
                let end = at + wanted.len();
                self.ahead.drain(..end);
                return text[..end].to_owned();
            }
            let mut chunk = [0; 512];
            match self.port.read(&mut chunk) {
                Ok(count) if count > 0 => self.ahead.extend_from_slice(&chunk[..count]),
                Ok(_) => panic!("closed after {text:?}"),
                Err(_) if Instant::now() < deadline => {}
                Err(error) => panic!("{error}: {wanted:?} not in {text:?}"),
            }
        }
    }

    fn command(&mut self, line: &str) -> String {
        self.port.write_all(format!("{line}\r").as_bytes()).unwrap();
        self.expect("OK\r\n")
    }
}

/// A broker that accepts one connection and answers CONNECT.
fn broker() -> (core::net::SocketAddr, thread::JoinHandle<Vec<&'static str>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handle = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let mut decoder = Decoder::new(4096);
        let mut names = Vec::new();
        let mut chunk = [0; 512];
        while let Ok(count) = stream.read(&mut chunk) {
            if count == 0 {
                break;
            }
            decoder.push(&chunk[..count]);
            while let Ok(Some(packet)) = decoder.next_packet() {
                names.push(packet.name());
                if let Packet::Connect(_) = packet {
                    let code = ConnectReturnCode::Accepted;
                    let answer = Packet::Connack(Connack {
                        session_present: false,
                        code,
                    });
                    stream.write_all(&answer.to_bytes().unwrap()).unwrap();
                }
            }
        }
        names
    });
    (address, handle)
}

fn session(host: &mut Host<InProcess>) {
    host.command("ATE0");
    host.command("AT+QIACT=1");
    host.command("AT+QMTOPEN=0,\"real.name.example\",8883");
    host.expect("+QMTOPEN: 0,0\r\n");
    host.command("AT+QMTCONN=0,\"id\"");
    host.expect("+QMTCONN: 0,0,0\r\n");
    host.command("AT+QMTDISC=0");
    host.expect("+QMTDISC: 0,0\r\n");
}

#[test]
fn in_process_with_a_real_socket() {
    let (address, broker) = broker();
    let hosts = HostTable::new();
    hosts.insert("real.name.example", address);
    let simulator = Simulator::new().unwrap();
    let mut host = Host::new(simulator.in_process(Module::new(ready("bg96")), &hosts));
    session(&mut host);
    assert_eq!(broker.join().unwrap(), ["CONNECT", "DISCONNECT"]);
    // Control reaches the module while it runs.
    host.port
        .control()
        .with(|module| module.raise_urc("+QIND: HELLO"));
    host.expect("+QIND: HELLO\r\n");
    let mut port = host.port;
    port.control().stop();
    port.set_timeout(Duration::from_secs(2));
    let mut rest = Vec::new();
    port.read_to_end(&mut rest).unwrap();
    assert!(port.write_all(b"AT\r").is_err());
}

#[test]
fn unknown_names_and_closed_ports() {
    let hosts = HostTable::new();
    let closed = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    hosts.insert("closed.example", closed);
    let simulator = Simulator::new().unwrap();
    let mut host = Host::new(simulator.in_process(Module::new(ready("bg96")), &hosts));
    host.command("ATE0");
    host.command("AT+QIACT=1");
    host.command("AT+QMTOPEN=0,\"nowhere.example\",8883");
    host.expect("+QMTOPEN: 0,4\r\n");
    host.command("AT+QMTOPEN=0,\"closed.example\",8883");
    host.expect("+QMTOPEN: 0,-1\r\n");
}

#[test]
fn over_tcp_one_host_after_the_other() {
    let simulator = Simulator::new().unwrap();
    let module = Module::new(ready("ec25"));
    let port = simulator
        .tcp(
            module,
            &HostTable::new(),
            "127.0.0.1:0".parse().unwrap(),
            None,
        )
        .unwrap();
    for _ in 0..2 {
        let stream = TcpStream::connect(port.address()).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(200)))
            .unwrap();
        assert!(Host::new(stream).command("AT+CGMM").contains("EC25"));
    }
}

#[cfg(unix)]
#[test]
fn on_a_pseudo_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("modem");
    let simulator = Simulator::new().unwrap();
    let pty = simulator
        .pty(
            Module::new(ready("bg95")),
            &HostTable::new(),
            Some(&link),
            None,
        )
        .unwrap();
    for _ in 0..2 {
        let file = std::fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&link)
            .unwrap();
        let got = Host::new(file).command("ATI");
        assert_eq!(
            got,
            "ATI\r\r\nQuectel\r\nBG95-M3\r\nRevision: BG95M3LAR02A03\r\n\r\nOK\r\n"
        );
    }
    drop(pty);
    assert!(!link.exists());
}

#[test]
fn a_folder_makes_the_second_run_warm() {
    let dir = tempfile::tempdir().unwrap();
    let folder = Folder::open(dir.path()).unwrap();
    let simulator = Simulator::new().unwrap();
    let run = |lines: &[&str]| {
        let mut setup = config("ec25").timing(Timing::Fast).power(PowerState::Ready);
        folder.load(&mut setup).unwrap();
        let port =
            simulator.in_process_with(Module::new(setup), &HostTable::new(), Some(folder.clone()));
        let mut host = Host::new(port);
        let got: Vec<String> = lines.iter().map(|line| host.command(line)).collect();
        let mut port = host.port;
        port.control().stop();
        let mut rest = Vec::new();
        port.read_to_end(&mut rest).unwrap();
        got
    };
    run(&[
        "ATE0;&W",
        "AT+QURCCFG=\"urcport\",\"uart1\"",
        "AT+QICSGP=1,1,\"my.apn\"",
    ]);
    let got = run(&["AT+QURCCFG=\"urcport\"", "AT+QICSGP=1"]);
    assert_eq!(got[0], "\r\n+QURCCFG: \"urcport\",\"uart1\"\r\n\r\nOK\r\n");
    assert_eq!(
        got[1],
        "\r\n+QICSGP: 1,\"my.apn\",\"\",\"\",0\r\n\r\nOK\r\n"
    );
}

#[test]
fn hundreds_of_modules_in_one_process() {
    let simulator = Simulator::new().unwrap();
    let hosts = HostTable::new();
    let mut all: Vec<Host<InProcess>> = (0..300)
        .map(|seed| Host::new(simulator.in_process(Module::new(ready("bg95").seed(seed)), &hosts)))
        .collect();
    for host in &mut all {
        host.port.write_all(b"AT+GMM\r").unwrap();
    }
    for host in &mut all {
        assert!(host.expect("OK\r\n").contains("BG95-M3"));
    }
}
