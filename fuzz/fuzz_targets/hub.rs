//! The local hub: configuration files, saved states, CONNECT, sequences of packets and deadlines, REST requests.
#![no_main]

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use iothub_sim::{
    CloudToDeviceMessage, Config, ConfigFile, ConnectionId, Event, Fault, Hub, Identity, LocalHub,
    MethodCall, Now, SavedState, ServerOptions, ServiceOptions, SharedAccessKey, TlsFacts,
    sas_token,
};
use libfuzzer_sys::fuzz_target;
use mqtt311::{Connect, Decoder, Packet};

const HOST: &str = "a.net";
const START: u64 = 1_800_000_000;
const CLOUD: &str = r#"
[rules]
certificate_renewal = true
[rules.throttle]
telemetry_per_s = 5
longest_delay_ms = 2000
twin_reads_per_s = 5
messages_per_day = 40
[[hub]]
host = "a.net"
[[hub.device]]
id = "d"
[[hub.device.module]]
id = "m"
[[provisioning]]
id_scope = "0ne1"
[[provisioning.enrollment]]
registration_id = "d"
[[provisioning.group]]
name = "g"
"#;

fn seed() -> SharedAccessKey {
    SharedAccessKey::from_bytes([1; 32])
}

fn cloud() -> &'static Config {
    static CONFIG: OnceLock<Config> = OnceLock::new();
    CONFIG.get_or_init(|| {
        let file = ConfigFile::parse(CLOUD, Path::new("hub.toml"), &seed());
        file.expect("the target's own cloud").config
    })
}

fn key(place: &str) -> SharedAccessKey {
    seed().derive(place)
}

fuzz_target!(|data: &[u8]| {
    let Some((mode, rest)) = data.split_first() else {
        return;
    };
    match *mode {
        b'c' => configuration(rest),
        b's' => saved(rest),
        b'n' => connect(rest),
        b'd' => Session::new(Who::Device).run(rest),
        b'm' => Session::new(Who::Module).run(rest),
        b'p' => Session::new(Who::Registration).run(rest),
        b'r' => rest_request(rest),
        _ => {}
    }
});

fn configuration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    match ConfigFile::parse(text, Path::new("hub.toml"), &seed()) {
        Ok(file) => drop(Hub::new(&file.config)),
        Err(error) => assert!(error.to_string().starts_with("hub.toml")),
    }
    drop(text.parse::<Fault>());
}

fn saved(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(state) = SavedState::from_json(text) {
        let mut hub = Hub::new(cloud()).unwrap();
        hub.restore(state);
        let once = hub.save().to_json();
        let mut hub = Hub::new(cloud()).unwrap();
        hub.restore(SavedState::from_json(&once).unwrap());
        assert_eq!(hub.save().to_json(), once);
    }
}

/// Client id, user name and password, between NUL bytes.
fn connect(data: &[u8]) {
    let mut parts = data.splitn(3, |byte| *byte == 0);
    let mut text = || String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let connect = Connect {
        client_id: text(),
        user_name: Some(text()),
        password: Some(text().into_bytes()),
        ..Connect::default()
    };
    let Ok(bytes) = Packet::Connect(connect).to_bytes() else {
        return;
    };
    let mut hub = Hub::new(cloud()).unwrap();
    let now = Now {
        unix_s: START,
        monotonic_ms: 0,
    };
    let id = hub.open(now, TlsFacts::default());
    hub.receive(now, id, &bytes);
    for record in hub.take_records() {
        assert!(!record.to_string().is_empty());
    }
}

#[derive(Clone, Copy)]
enum Who {
    Device,
    Module,
    Registration,
}

/// A hub with one connection, and the operations of an input.
struct Session {
    hub: Hub,
    now: Now,
    id: ConnectionId,
    identity: Identity,
    connect: Vec<u8>,
}

impl Session {
    fn new(who: Who) -> Self {
        let (identity, client_id, user_name, resource, place) = match who {
            Who::Device => (
                Identity::device(HOST, "d"),
                "d",
                "a.net/d/?api-version=2021-04-12",
                "a.net/devices/d",
                "a.net/d/1",
            ),
            Who::Module => (
                Identity::module(HOST, "d", "m"),
                "d/m",
                "a.net/d/m/?api-version=2021-04-12",
                "a.net/devices/d/modules/m",
                "a.net/d/m/1",
            ),
            Who::Registration => (
                Identity::registration("0ne1", "d"),
                "d",
                "0ne1/registrations/d/api-version=2026-11-02-preview",
                "0ne1/registrations/d",
                "0ne1/d/1",
            ),
        };
        let connect = Connect {
            client_id: client_id.to_owned(),
            user_name: Some(user_name.to_owned()),
            password: Some(sas_token(resource, &key(place), START + 1000, None).into_bytes()),
            ..Connect::default()
        };
        let mut hub = Hub::new(cloud()).unwrap();
        let now = Now {
            unix_s: START,
            monotonic_ms: 0,
        };
        let id = hub.open(now, TlsFacts::default());
        let connect = Packet::Connect(connect).to_bytes().unwrap();
        hub.receive(now, id, &connect);
        assert!(
            hub.take_records()
                .iter()
                .any(|r| matches!(r.event, Event::Connected(_)))
        );
        Self {
            hub,
            now,
            id,
            identity,
            connect,
        }
    }

    fn open(&mut self) {
        self.id = self.hub.open(self.now, TlsFacts::default());
        self.hub.receive(self.now, self.id, &self.connect);
    }

    fn run(mut self, data: &[u8]) {
        let mut rest = data;
        let mut received = Decoder::new(1 << 22);
        while let Some((operation, tail)) = rest.split_first() {
            rest = tail;
            self.operation(*operation, &mut rest);
            let mut out = Vec::new();
            let closed = self.hub.transmit(self.id, &mut out);
            received.push(&out);
            while received
                .next_packet()
                .expect("the hub sends MQTT")
                .is_some()
            {}
            if closed {
                assert_eq!(received.buffered(), 0, "whole packets");
                received = Decoder::new(1 << 22);
            }
            for record in self.hub.take_records() {
                assert!(!record.to_string().is_empty());
            }
        }
        let once = self.hub.save().to_json();
        let mut again = Hub::new(cloud()).unwrap();
        again.restore(SavedState::from_json(&once).unwrap());
        assert_eq!(again.save().to_json(), once);
    }

    fn operation(&mut self, operation: u8, rest: &mut &[u8]) {
        let (now, identity) = (self.now, self.identity.clone());
        match operation {
            // So many bytes from the client.
            0..=0xef => {
                let (chunk, tail) = rest.split_at(usize::from(operation).min(rest.len()));
                *rest = tail;
                self.hub.receive(now, self.id, chunk);
            }
            0xf0 => {
                let seconds = rest.first().copied().unwrap_or(1);
                *rest = rest.get(1..).unwrap_or_default();
                self.now.unix_s += u64::from(seconds);
                self.now.monotonic_ms += u64::from(seconds) * 1000;
                self.hub.poll(self.now);
            }
            0xf1 => {
                let message = CloudToDeviceMessage::new("x").with_property("iothub-ack", "full");
                drop(self.hub.send_to_device(now, &identity, message));
            }
            0xf2 => {
                let mut call = MethodCall::new("m");
                call.connect_timeout_s = 5;
                drop(self.hub.invoke_method(now, &identity, call));
            }
            0xf3 => {
                let patch = serde_json::json!({"a": {"b": 1}, "c": null});
                drop(self.hub.update_desired(now, &identity, patch));
            }
            0xf4 => {
                self.hub.lost(now, self.id);
                self.open();
            }
            0xf5 => self.hub.restart(now),
            0xf6 => self.hub.inject(
                now,
                &identity,
                Fault::DelayPubacks {
                    count: 2,
                    delay_ms: 50,
                },
            ),
            0xf7 => self.hub.inject(now, &identity, Fault::HalfOpen),
            0xf8 => self.hub.inject(now, &identity, Fault::ExpireToken),
            _ => self.open(),
        }
    }
}

/// Method and path in the first line, the body after it.
fn rest_request(data: &[u8]) {
    static HUB: OnceLock<LocalHub> = OnceLock::new();
    let hub = HUB.get_or_init(|| {
        let file = ConfigFile::parse(CLOUD, Path::new("hub.toml"), &seed()).unwrap();
        let mut options = ServerOptions::default();
        options.service = Some(ServiceOptions::new(seed()));
        LocalHub::start_file(&file, &options).unwrap()
    });
    let line = data.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let body = data.get(line.len() + 1..).unwrap_or_default();
    let mut request = line.to_vec();
    let key = seed().to_base64();
    let head = format!(
        " HTTP/1.1\r\nHost: a.net\r\nConnection: close\r\nAuthorization: Bearer {key}\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    request.extend(head.as_bytes());
    request.extend(body);
    let mut stream = TcpStream::connect(hub.service_addr().unwrap()).unwrap();
    let _ = stream.set_read_timeout(Some(Duration::from_millis(200)));
    let _ = stream.write_all(&request);
    let _ = stream.shutdown(Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.take(1 << 16).read_to_end(&mut answer);
    // 22 begins a TLS handshake, which is answered with an alert.
    let alert = line.first() == Some(&22) && answer.starts_with(&[21]);
    assert!(answer.is_empty() || alert || answer.starts_with(b"HTTP/1.1 "));
}
