//! Programs that share nothing with this crate: a script and gammu on a pseudo terminal, and mosquitto as the broker.
//!
//! A program that the machine lacks is skipped with a reason; with `REQUIRE_TOOLS=1` in the environment it is an error.
#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use core::{net::SocketAddr, time::Duration};
use std::{
    fs,
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Arc,
    thread,
    time::Instant,
};

use common::{
    config,
    pki::{Authority, Identity},
};
use mqtt311::{Connack, ConnectReturnCode, Decoder, Packet, Publish, Suback, SubackCode};
use quectel_sim::{
    Module, ModuleConfig, PowerState, Timing,
    run::{HostTable, InProcess, Simulator},
};
use rustls::{ServerConfig, ServerConnection, StreamOwned, crypto::aws_lc_rs, version::TLS12};

const HOST: &str = "mqtt-quectel.azure-devices.net";

/// The program, if the machine has it.
fn tool(names: &[&str]) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = std::env::split_paths(&paths)
        .chain(["/usr/sbin".into(), "/usr/bin".into()])
        .collect();
    let found = names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|p| p.is_file());
    if found.is_none() {
        assert!(
            std::env::var_os("REQUIRE_TOOLS").is_none(),
            "{names:?} is not installed"
        );
        eprintln!("skipped: {names:?} is not installed");
    }
    found
}

fn ready(profile: &str) -> ModuleConfig {
    config(profile)
        .timing(Timing::Fast)
        .power(PowerState::Ready)
        .nonvolatile("urcport", "uart1")
}

fn pki() -> (Authority, Identity) {
    let root = Authority::root("Root", true, (2020, 2040));
    let server = root.issue(&[HOST], HOST, true, (2020, 2039));
    (root, server)
}

/// A broker behind TLS that answers one connection and sends one message back.
fn broker(identity: &Identity) -> (SocketAddr, thread::JoinHandle<Vec<Packet>>) {
    let config = ServerConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(identity.chain.clone(), identity.private_key())
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let handle = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut stream = StreamOwned::new(ServerConnection::new(Arc::new(config)).unwrap(), stream);
        let mut decoder = Decoder::new(4096);
        let mut packets = Vec::new();
        let mut chunk = [0; 512];
        while let Ok(count @ 1..) = stream.read(&mut chunk) {
            decoder.push(&chunk[..count]);
            while let Ok(Some(packet)) = decoder.next_packet() {
                for answer in answers(&packet) {
                    stream.write_all(&answer.to_bytes().unwrap()).unwrap();
                }
                packets.push(packet);
            }
        }
        packets
    });
    (address, handle)
}

fn answers(packet: &Packet) -> Vec<Packet> {
    match packet {
        Packet::Connect(_) => {
            vec![Packet::Connack(Connack {
                session_present: false,
                code: ConnectReturnCode::Accepted,
            })]
        }
        Packet::Subscribe(subscribe) => {
            let codes = subscribe
                .subscriptions
                .iter()
                .map(|s| SubackCode::Granted(s.qos))
                .collect();
            vec![Packet::Suback(Suback {
                packet_id: subscribe.packet_id,
                codes,
            })]
        }
        Packet::Publish(publish) => {
            let back = Publish {
                topic: "mydevice1/back".to_owned(),
                payload: b"hello".to_vec(),
                ..Publish::default()
            };
            publish
                .packet_id
                .map(Packet::Puback)
                .into_iter()
                .chain([Packet::Publish(back)])
                .collect()
        }
        _ => vec![],
    }
}

#[test]
fn a_script_on_a_pseudo_terminal() {
    let Some(python) = tool(&["python3"]) else {
        return;
    };
    let (root, server) = pki();
    let (address, broker) = broker(&server);
    let dir = tempfile::tempdir().unwrap();
    let ca = dir.path().join("ca.pem");
    fs::write(&ca, &root.pem).unwrap();
    let hosts = HostTable::new();
    hosts.insert(HOST, address);
    let simulator = Simulator::new().unwrap();
    let module = Module::new(ready("bg96@BG96MAR02A08M1G"));
    let pty = simulator.pty(module, &hosts, None, None).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/pty_client.py");
    let output = Command::new(python)
        .arg(script)
        .arg(pty.path())
        .arg(&ca)
        .arg(HOST)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let packets = broker.join().unwrap();
    let names: Vec<&str> = packets.iter().map(Packet::name).collect();
    assert_eq!(names, ["CONNECT", "SUBSCRIBE", "PUBLISH"]);
    let Some(Packet::Publish(publish)) = packets.last() else {
        panic!("no PUBLISH")
    };
    assert_eq!(
        (publish.topic.as_str(), publish.payload.as_slice()),
        ("mydevice1/topic", &b"0123456789"[..])
    );
}

/// Gammu speaks to modems of any make; what it finds out it found out by itself.
#[test]
fn gammu_identifies_the_module_and_its_network() {
    let Some(gammu) = tool(&["gammu"]) else {
        return;
    };
    let dir = tempfile::tempdir().unwrap();
    for (profile, packet_network) in [("bg96", false), ("ec25", true)] {
        let simulator = Simulator::new().unwrap();
        let module = Module::new(ready(profile));
        let pty = simulator
            .pty(module, &HostTable::new(), None, None)
            .unwrap();
        let settings = dir.path().join("gammurc");
        let text = format!(
            "[gammu]\ndevice = {}\nconnection = at115200\n",
            pty.path().display()
        );
        fs::write(&settings, text).unwrap();
        let ask = |what: &str| {
            let output = Command::new(&gammu)
                .arg("-c")
                .arg(&settings)
                .arg(what)
                .output()
                .unwrap();
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(output.status.success(), "{profile} {what}: {text}");
            text
        };
        let identity = ask("identify");
        let model = format!("({})", profile.to_uppercase());
        for part in ["Quectel", &model, "IMEI", "SIM IMSI"] {
            assert!(identity.contains(part), "{part} is not in {identity}");
        }
        let network = ask("networkinfo");
        assert!(network.contains("home network"), "{network}");
        assert_eq!(
            network.contains("Packet network       : "),
            packet_network,
            "{network}"
        );
    }
}

/// A mosquitto of the test's own.
struct Mosquitto {
    child: Child,
    port: u16,
}

impl Mosquitto {
    fn start(program: &Path, dir: &Path, identity: &Identity, root: &Authority) -> Self {
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let file = |name: &str, content: &str| {
            let path = dir.join(name);
            fs::write(&path, content).unwrap();
            path.display().to_string()
        };
        let (ca, cert, key) = (
            file("ca.pem", &root.pem),
            file("cert.pem", &identity.pem),
            file("key.pem", &identity.key_pem),
        );
        let user = if fs::metadata(dir).unwrap().uid() == 0 {
            "user root\n"
        } else {
            ""
        };
        let text = format!(
            "{user}allow_anonymous true\nlistener {port} 127.0.0.1\ncafile {ca}\ncertfile {cert}\nkeyfile {key}\n"
        );
        let conf = file("mosquitto.conf", &text);
        let child = Command::new(program)
            .args(["-c", &conf])
            .stderr(Stdio::null())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let deadline = Instant::now() + Duration::from_secs(10);
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "mosquitto does not listen");
            thread::sleep(Duration::from_millis(20));
        }
        Self { child, port }
    }
}

impl Drop for Mosquitto {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Host {
    port: InProcess,
    seen: String,
}

impl Host {
    fn expect(&mut self, wanted: &str) -> String {
        let deadline = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(at) = self.seen.find(wanted) {
                let rest = self.seen.split_off(at + wanted.len());
                return core::mem::replace(&mut self.seen, rest);
            }
            let mut chunk = [0; 512];
            match self.port.read(&mut chunk) {
                Ok(count) => self
                    .seen
                    .push_str(&String::from_utf8_lossy(&chunk[..count])),
                Err(_) => assert!(
                    Instant::now() < deadline,
                    "{wanted:?} not in {:?}",
                    self.seen
                ),
            }
        }
    }

    fn command(&mut self, line: &str, wanted: &str) -> String {
        self.port.write_all(format!("{line}\r").as_bytes()).unwrap();
        self.expect(wanted)
    }
}

#[test]
fn mosquitto_is_the_broker() {
    let Some(program) = tool(&["mosquitto"]) else {
        return;
    };
    let (root, server) = pki();
    let dir = tempfile::tempdir().unwrap();
    let broker = Mosquitto::start(&program, dir.path(), &server, &root);
    let hosts = HostTable::new();
    hosts.insert(HOST, SocketAddr::from(([127, 0, 0, 1], broker.port)));
    let simulator = Simulator::new().unwrap();
    let mut setup = ready("ec25").file("ca.pem", root.pem.as_bytes());
    setup.seed = 3;
    let mut host = Host {
        port: simulator.in_process(Module::new(setup), &hosts),
        seen: String::new(),
    };
    let ok = "\r\nOK\r\n";
    for line in [
        "ATE0",
        "AT+QIACT=1",
        "AT+QSSLCFG=\"cacert\",2,\"ca.pem\"",
        "AT+QSSLCFG=\"seclevel\",2,1",
        "AT+QSSLCFG=\"ignorelocaltime\",2,0",
        "AT+QMTCFG=\"ssl\",0,1,2",
        "AT+QMTCFG=\"version\",0,4",
        "AT+QMTCFG=\"keepalive\",0,5",
        "AT+QMTCFG=\"recv/mode\",0,0,1",
        "AT+QMTCFG=\"will\",0,1,1,0,\"gone\",\"bye\"",
    ] {
        host.command(line, ok);
    }
    host.command(
        &format!("AT+QMTOPEN=0,\"{HOST}\",8883"),
        "+QMTOPEN: 0,0\r\n",
    );
    host.command("AT+QMTCONN=0,\"device\"", "+QMTCONN: 0,0,0\r\n");
    host.command(
        "AT+QMTSUB=0,1,\"a/+\",1,\"b/#\",2",
        "+QMTSUB: 0,1,0,1,2\r\n",
    );
    for (id, qos, topic) in [(0, 0, "a/x"), (2, 1, "a/y"), (3, 2, "b/c/d")] {
        host.command(
            &format!("AT+QMTPUBEX=0,{id},{qos},0,\"{topic}\",9"),
            "\r\n> ",
        );
        host.port.write_all(b"a\r\nOK\r\nbc").unwrap();
        let got = host.expect("+QMTPUBEX: ");
        let got = got + &host.expect("\r\n");
        assert!(
            got.ends_with(&format!("+QMTPUBEX: 0,{id},0\r\n")),
            "{got:?}"
        );
        let wanted = format!("\"{topic}\",9,\"a\r\nOK\r\nbc\"\r\n");
        if !got.contains(&wanted) {
            host.expect(&wanted);
        }
    }
    host.command("AT+QMTUNS=0,4,\"a/+\"", "+QMTUNS: 0,4,0\r\n");
    // Longer than one and a half times the keep alive: only PINGREQs keep this connection.
    thread::sleep(Duration::from_secs(9));
    host.command("AT+QMTCONN?", "+QMTCONN: 0,3\r\n");
    host.command("AT+QMTDISC=0", "+QMTDISC: 0,0\r\n");
    assert!(!host.seen.contains("+QMTSTAT"), "{:?}", host.seen);
}
