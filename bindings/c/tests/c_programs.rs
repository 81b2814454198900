//! The C programs against a simulated module and a local hub.
//!
//! `bindings/c/ci.sh` compiles the programs and runs these tests. `C_PROGRAMS` is the folder of the programs,
//! `C_RUNNER` what to run them under, such as `valgrind --quiet --error-exitcode=99`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use core::net::SocketAddr;
use core::time::Duration;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use hmac::{Hmac, KeyInit, Mac};
use iothub_sim::{
    CloudToDeviceMessage, Config, Device, DeviceCertificate, Event, KeyKind, LocalHub, Pki,
    PkiOptions, ServerOptions, SharedAccessKey, Telemetry, Validity,
};
use quectel_sim::run::{HostTable, Simulator};
use quectel_sim::{Module, ModuleConfig, Timing};

const HUB: &str = "contoso.azure-devices.net";
const DEVICE: &str = "dev-1";
const KEY: &[u8; 32] = b"0123456789abcdef0123456789abcdef";

fn hub(device: Device) -> LocalHub {
    let pki = Pki::new(&PkiOptions::for_hosts([HUB])).unwrap();
    let mut options = ServerOptions::default();
    // Old firmware cannot send SNI.
    options.tls.require_sni = false;
    LocalHub::start_with(&Config::single_device(HUB, device), &pki, &options).unwrap()
}

fn hub_with_key() -> LocalHub {
    hub(Device::with_key(DEVICE, SharedAccessKey::from_bytes(*KEY)))
}

fn hosts(hub: &LocalHub) -> HostTable {
    let table = HostTable::new();
    table.insert(&format!("{HUB}:8883"), hub.addr());
    table
}

fn module(model: &str) -> Module {
    Module::new(ModuleConfig::new(model).unwrap().timing(Timing::Fast))
}

/// A new folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path =
            std::env::temp_dir().join(format!("quectel-azure-c-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn program(name: &str) -> Command {
    let folder = std::env::var_os("C_PROGRAMS").expect("bindings/c/ci.sh compiles the programs");
    let program = PathBuf::from(folder).join(name);
    let runner = std::env::var("C_RUNNER").unwrap_or_default();
    let mut words = runner.split_whitespace();
    let Some(first) = words.next() else {
        return Command::new(program);
    };
    let mut command = Command::new(first);
    command.args(words).arg(program);
    command
}

fn publish<'a>(connection_string: &str, arguments: impl IntoIterator<Item = &'a OsStr>) -> Output {
    program("publish")
        .env("QUECTEL_AZURE_CONNECTION_STRING", connection_string)
        .args(arguments)
        .output()
        .expect("the program can be started")
}

fn words<'a>(fixed: &'a [&'a str], ca: &'a Path) -> Vec<&'a OsStr> {
    let fixed = fixed.iter().map(OsStr::new);
    fixed.chain([OsStr::new("--ca"), ca.as_os_str()]).collect()
}

fn telemetry(hub: &LocalHub, payload: &[u8]) -> Option<Telemetry> {
    hub.wait_for(Duration::from_secs(10), |record| match &record.event {
        Event::Telemetry(telemetry) if telemetry.payload == payload => Some(telemetry.clone()),
        _ => None,
    })
}

#[track_caller]
fn assert_ended(output: &Output, status: i32, said: &[&str]) {
    let out = String::from_utf8_lossy(&output.stdout);
    let error = String::from_utf8_lossy(&output.stderr);
    let all = format!("{out}{error}");
    assert_eq!(output.status.code(), Some(status), "{all}");
    for words in said {
        assert!(all.contains(words), "`{words}` is missing:\n{all}");
    }
}

#[test]
#[ignore = "bindings/c/ci.sh runs it, with the C programs"]
fn publish_with_a_key_over_tcp_and_receive() {
    let folder = Folder::new("tcp");
    let hub = hub_with_key();
    let ca = folder.file("ca.pem", hub.ca_pem());
    hub.send_to_device(
        DEVICE,
        CloudToDeviceMessage::new("be quiet\u{7}").with_property("lamp", "a b"),
    )
    .unwrap();
    let simulator = Simulator::new().unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let modem = simulator
        .tcp(module("bg96"), &hosts(&hub), any, None)
        .unwrap();
    let port = format!("tcp:{}", modem.address());
    let arguments = [
        "--port",
        &port,
        "--apn",
        "iot.example",
        "--message",
        "warm",
        "--property",
        "room=cellar 1",
        "--wait-for-message",
        "10",
    ];
    let output = publish(
        &hub.connection_string(DEVICE).unwrap(),
        words(&arguments, &ca),
    );
    let said = [
        "step identify\n",
        "module BG96, firmware BG96",
        "step register\n",
        "connected\n",
        "message 1 acknowledged\n",
        "message received: be quiet\\x07\n",
        "lamp=a%20b",
    ];
    assert_ended(&output, 0, &said);
    let telemetry = telemetry(&hub, b"warm").expect("the message arrives");
    assert_eq!(telemetry.qos, 1);
    assert_eq!(telemetry.properties.value("room"), Some("cellar 1"));
}

#[test]
#[ignore = "bindings/c/ci.sh runs it, with the C programs"]
fn publish_twice_with_a_certificate_over_a_pseudo_terminal() {
    let folder = Folder::new("pty");
    let device =
        DeviceCertificate::self_signed(DEVICE, KeyKind::default(), Validity::default()).unwrap();
    let hub = hub(Device::with_thumbprint(DEVICE, device.sha256_thumbprint()));
    let ca = folder.file("ca.pem", hub.ca_pem());
    let cert = folder.file("device.pem", &device.certificate_pem);
    let key = folder.file("key.pem", &device.key_pem);
    let simulator = Simulator::new().unwrap();
    let modem = simulator
        .pty(module("ec25"), &hosts(&hub), None, None)
        .unwrap();
    for message in ["first", "second"] {
        let message_words = ["--message", message];
        let mut arguments = words(&message_words, &ca);
        let port = modem.path().as_os_str();
        arguments.extend([
            OsStr::new("--port"),
            port,
            OsStr::new("--cert"),
            cert.as_os_str(),
        ]);
        arguments.extend([OsStr::new("--key"), key.as_os_str()]);
        let text = format!("HostName={HUB};DeviceId={DEVICE};x509=true");
        assert_ended(&publish(&text, arguments), 0, &["message 1 acknowledged\n"]);
        assert!(telemetry(&hub, message.as_bytes()).is_some());
    }
}

#[test]
#[ignore = "bindings/c/ci.sh runs it, with the C programs"]
fn failures_name_step_reason_and_remedy() {
    let folder = Folder::new("failures");
    let hub = hub_with_key();
    let ca = folder.file("ca.pem", hub.ca_pem());
    let simulator = Simulator::new().unwrap();
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let modem = simulator
        .tcp(module("ec21"), &hosts(&hub), any, None)
        .unwrap();
    let port = format!("tcp:{}", modem.address());
    let arguments = ["--port", &port, "--message", "warm"];

    let good = hub.connection_string(DEVICE).unwrap();
    let wrong_key = good.replace("SharedAccessKey=MDEy", "SharedAccessKey=NDEy");
    let output = publish(&wrong_key, words(&arguments, &ca));
    assert_ended(
        &output,
        1,
        &[
            "publish: connect: connect-refused: ",
            "What to do: ",
            "The module said: +QMTCONN: 0,",
        ],
    );
    let no_root = publish(&good, arguments.iter().map(OsStr::new));
    assert_ended(
        &no_root,
        1,
        &[
            "publish: open: open-failed: ",
            "The module said: +QMTOPEN: 0,",
        ],
    );
    let no_key = publish("HostName=h.example", words(&arguments, &ca));
    assert_ended(
        &no_key,
        2,
        &["publish: connection string: connection-string: "],
    );
    let no_port = publish(
        &good,
        words(&["--port", "/nonexistent", "--message", "warm"], &ca),
    );
    assert_ended(&no_port, 1, &["publish: /nonexistent: "]);
    let no_message = publish(&good, words(&["--port", &port], &ca));
    assert_ended(&no_message, 2, &["usage: publish"]);
    let closing = TcpListener::bind(any).unwrap();
    let gone = format!("tcp:{}", closing.local_addr().unwrap());
    let closer = std::thread::spawn(move || closing.accept().map(drop));
    let lost = publish(&good, words(&["--port", &gone, "--message", "warm"], &ca));
    closer.join().unwrap().unwrap();
    assert_ended(&lost, 1, &["publish: the port was lost: "]);
    // The failures have left the module so that the next run works.
    assert_ended(
        &publish(&good, words(&arguments, &ca)),
        0,
        &["message 1 acknowledged\n"],
    );
}

#[test]
#[ignore = "bindings/c/ci.sh runs it, with the C programs"]
fn a_main_loop_publishes_with_a_key_held_elsewhere() {
    let folder = Folder::new("superloop");
    let hub = hub_with_key();
    let ca = folder.file("ca.pem", hub.ca_pem());
    let simulator = Simulator::new().unwrap();
    let modem = simulator
        .pty(module("ec200u"), &hosts(&hub), None, None)
        .unwrap();
    let mut child = program("superloop")
        .args([
            modem.path().as_os_str(),
            OsStr::new(HUB),
            OsStr::new(DEVICE),
            ca.as_os_str(),
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the program can be started");
    let mut answers = child.stdin.take().unwrap();
    let mut said = String::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line = line.unwrap();
        if let Some(hex) = line.strip_prefix("sign ") {
            writeln!(answers, "{}", sign(hex)).unwrap();
        }
        said.push_str(&line);
        said.push('\n');
    }
    let status = child.wait().unwrap();
    assert!(
        status.success() && said.contains("sign ") && said.ends_with("done\n"),
        "{status}\n{said}"
    );
    let payload = b"\"from a main loop\"\r\nOK";
    let telemetry = telemetry(&hub, payload).expect("the message arrives");
    assert_eq!(telemetry.qos, 0);
}

fn sign(hex: &str) -> String {
    let digits: Vec<u8> = hex
        .bytes()
        .map(|digit| char::from(digit).to_digit(16).unwrap().try_into().unwrap())
        .collect();
    let text: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(KEY).unwrap();
    mac.update(&text);
    mac.finalize()
        .into_bytes()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}
