//! A session with a module as a list of named steps, which a fault changes, and the log that comes of it.

use core::fmt::Write as _;

use iothub_sim::{Device, KeyKind, SharedAccessKey, sas_token};
use quectel_azure_tests::world::{
    DEVICE, HUB, HubSetup, NOW_UNIX_S, World, device_certificate, module,
};
use quectel_sim::ModuleConfig;

/// A module of the simulator, and what its sessions look like.
#[derive(Clone, Copy)]
pub(crate) struct Model {
    pub(crate) name: &'static str,
    pub(crate) firmware: Option<&'static str>,
    pub(crate) sni: bool,
    /// `QMTPUBEX` with a length instead of `QMTPUB` with Ctrl-Z.
    pub(crate) length: bool,
}

/// What the host does.
#[derive(Clone)]
pub(crate) enum Act {
    /// A command, until its final result.
    Line(String),
    /// A command, until this information line comes, or an error.
    Until(String, &'static str),
    /// Name, declared size, contents.
    Upload(String, usize, Vec<u8>),
    /// A command with a prompt, the payload, and what ends it.
    Publish(String, Vec<u8>, &'static [u8]),
    /// Nothing, so many milliseconds.
    Wait(u64),
    /// Something happens to the module.
    Happens(fn(&mut World)),
}

pub(crate) struct Plan {
    pub(crate) model: Model,
    pub(crate) x509: bool,
    pub(crate) client: u8,
    pub(crate) ssl: u8,
    pub(crate) config: ModuleConfig,
    pub(crate) setup: HubSetup,
    pub(crate) key: SharedAccessKey,
    pub(crate) steps: Vec<(&'static str, Act)>,
    /// The session goes on after a failure.
    pub(crate) goes_on: bool,
}

pub(crate) fn user_name() -> String {
    format!("{HUB}/{DEVICE}/?api-version=2021-04-12")
}

impl Plan {
    /// A session in which all is right; `seed` varies numbers.
    pub(crate) fn new(model: Model, x509: bool, seed: u8) -> Self {
        let key = SharedAccessKey::from_bytes([seed.wrapping_add(7); 32]);
        let mut setup = HubSetup::new();
        setup.device = Device::with_key(DEVICE, key.clone());
        setup.require_sni = model.sni;
        let config = module(model.name, model.firmware, NOW_UNIX_S);
        let client = seed % 3;
        let ssl = 1 + seed % 4;
        let mut plan = Self {
            model,
            x509,
            client,
            ssl,
            config,
            setup,
            key,
            steps: Vec::new(),
            goes_on: false,
        };
        plan.network();
        plan.tls();
        plan.mqtt();
        plan
    }

    fn push(&mut self, name: &'static str, line: String) {
        self.steps.push((name, Act::Line(line)));
    }

    fn network(&mut self) {
        self.push("identity", "ATI".into());
        if !self.model.name.starts_with("bg") {
            // URCs come out at the USB port from the factory.
            self.push("port", "AT+QURCCFG=\"urcport\",\"uart1\"".into());
        }
        self.push("errors", "AT+CMEE=1".into());
        self.push("sim", "AT+CPIN?".into());
        self.push("signal", "AT+CSQ".into());
        self.push("registration", "AT+CEREG?".into());
        self.push("apn", "AT+QICSGP=1,1,\"internet\",\"\",\"\",0".into());
        self.push("activate", "AT+QIACT=1".into());
        self.push("address", "AT+QIACT?".into());
        self.push("clock", "AT+CCLK?".into());
    }

    fn tls(&mut self) {
        let ssl = self.ssl;
        // The contents follow when the world has made its certificates.
        self.steps
            .push(("upload", Act::Upload("ca.pem".into(), 0, Vec::new())));
        let set = |name: &str, value: &str| format!("AT+QSSLCFG=\"{name}\",{ssl},{value}");
        self.push("sslversion", set("sslversion", "4"));
        self.push("ciphersuite", set("ciphersuite", "0XFFFF"));
        self.push("cacert", set("cacert", "\"ca.pem\""));
        self.push(
            "seclevel",
            set("seclevel", if self.x509 { "2" } else { "1" }),
        );
        self.push("ignorelocaltime", set("ignorelocaltime", "0"));
        if self.model.sni {
            self.push("sni", set("sni", "1"));
        }
        if self.x509 {
            let pair = device_certificate(NOW_UNIX_S, KeyKind::EcdsaP256);
            self.setup.device = Device::with_thumbprint(DEVICE, pair.sha256_thumbprint());
            for (name, file, text) in [
                ("upload-cert", "client.pem", &pair.certificate_pem),
                ("upload-key", "client.key", &pair.key_pem),
            ] {
                let bytes = text.clone().into_bytes();
                self.steps
                    .push((name, Act::Upload(file.into(), bytes.len(), bytes)));
            }
            self.push("clientcert", set("clientcert", "\"client.pem\""));
            self.push("clientkey", set("clientkey", "\"client.key\""));
        }
    }

    fn mqtt(&mut self) {
        let (client, ssl) = (self.client, self.ssl);
        self.push("bind", format!("AT+QMTCFG=\"ssl\",{client},1,{ssl}"));
        self.push("version", format!("AT+QMTCFG=\"version\",{client},4"));
        self.push("keepalive", format!("AT+QMTCFG=\"keepalive\",{client},240"));
        let open = self.open(HUB, 8883);
        self.steps.push(("open", open));
        let connect = self.connect(DEVICE, &user_name(), &self.password());
        self.steps.push(("connect", connect));
        let filter = format!("devices/{DEVICE}/messages/devicebound/#");
        self.steps.push(("subscribe", self.subscribe(&filter)));
        let topic = format!("devices/{DEVICE}/messages/events/");
        self.steps.push(("publish", self.publish(&topic, 1, 1)));
        let close = format!("AT+QMTDISC={client}");
        self.steps.push(("close", Act::Until(close, "+QMTDISC:")));
    }

    pub(crate) fn open(&self, host: &str, port: u16) -> Act {
        let line = format!("AT+QMTOPEN={},\"{host}\",{port}", self.client);
        Act::Until(line, "+QMTOPEN:")
    }

    pub(crate) fn token(&self, resource: &str, end: u64) -> String {
        sas_token(resource, &self.key, end, None)
    }

    pub(crate) fn password(&self) -> String {
        if self.x509 {
            return String::new();
        }
        self.token(&format!("{HUB}/devices/{DEVICE}"), NOW_UNIX_S + 86_400)
    }

    pub(crate) fn connect(&self, id: &str, user: &str, password: &str) -> Act {
        let line = format!(
            "AT+QMTCONN={},\"{id}\",\"{user}\",\"{password}\"",
            self.client
        );
        Act::Until(line, "+QMTCONN:")
    }

    pub(crate) fn subscribe(&self, filter: &str) -> Act {
        Act::Until(
            format!("AT+QMTSUB={},1,\"{filter}\",1", self.client),
            "+QMTSUB:",
        )
    }

    pub(crate) fn publish(&self, topic: &str, id: u16, qos: u8) -> Act {
        let client = self.client;
        let payload = b"{\"t\":21.5}".to_vec();
        if self.model.length {
            let line = format!(
                "AT+QMTPUBEX={client},{id},{qos},0,\"{topic}\",{}",
                payload.len()
            );
            Act::Publish(line, payload, b"")
        } else {
            let line = format!("AT+QMTPUB={client},{id},{qos},0,\"{topic}\"");
            Act::Publish(line, payload, b"\x1A")
        }
    }

    pub(crate) fn set(&mut self, name: &str, act: Act) {
        let step = self.steps.iter_mut().find(|(known, _)| *known == name);
        step.expect("the plan has this step").1 = act;
    }

    pub(crate) fn line(&mut self, name: &str, line: String) {
        self.set(name, Act::Line(line));
    }

    pub(crate) fn ssl_item(&mut self, name: &'static str, value: &str) {
        let line = format!("AT+QSSLCFG=\"{name}\",{},{value}", self.ssl);
        self.line(name, line);
    }

    pub(crate) fn remove(&mut self, name: &str) {
        let count = self.steps.len();
        self.steps.retain(|(known, _)| *known != name);
        assert_ne!(count, self.steps.len(), "the plan has no step {name}");
    }

    pub(crate) fn before(&mut self, name: &str, act: Act) {
        let at = self.steps.iter().position(|(known, _)| *known == name);
        let at = at.expect("the plan has this step");
        self.steps.insert(at, ("extra", act));
    }

    pub(crate) fn after(&mut self, name: &str, act: Act) {
        let at = self.steps.iter().position(|(known, _)| *known == name);
        let at = at.expect("the plan has this step");
        self.steps.insert(at + 1, ("extra", act));
    }
}

/// How the log comes out.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// A terminal with the module's echo.
    Terminal,
    /// Quectel's own tool: a stamp in front of every line.
    Qcom,
    /// A program that logs both sides, without echo.
    Arrows,
    /// Date, time, TX and RX.
    Columns,
}

pub(crate) const SHAPES: [Shape; 4] = [Shape::Terminal, Shape::Qcom, Shape::Arrows, Shape::Columns];

struct Recorder {
    shape: Shape,
    log: String,
}

impl Recorder {
    fn note(&mut self, ms: u64, host: bool, text: &str) {
        // 2026-11-22 12:00:00 and what has passed since.
        let (s, ms) = (ms / 1_000, ms % 1_000);
        let (h, m, s) = (12 + s / 3_600, s / 60 % 60, s % 60);
        for line in text.split('\n').map(|line| line.trim_end_matches('\r')) {
            if line.is_empty() && !matches!(self.shape, Shape::Terminal) {
                continue;
            }
            let side = match (self.shape, host) {
                (Shape::Arrows, true) => ">> ",
                (Shape::Arrows, false) => "<< ",
                (Shape::Columns, true) => "TX ",
                (Shape::Columns, false) => "RX ",
                _ => "",
            };
            let _ = match self.shape {
                Shape::Terminal | Shape::Arrows => writeln!(self.log, "{side}{line}"),
                Shape::Qcom => {
                    writeln!(self.log, "[2026-11-22_{h:02}:{m:02}:{s:02}:{ms:03}]{line}")
                }
                Shape::Columns => writeln!(
                    self.log,
                    "2026-11-22 {h:02}:{m:02}:{s:02}.{ms:03} {side}{line}"
                ),
            };
        }
    }
}

/// Carries a plan out and returns the log.
pub(crate) fn run(plan: Plan, shape: Shape) -> String {
    let mut world = World::new(plan.setup, plan.config);
    world.run_until(1_000);
    world.heard();
    let mut recorder = Recorder {
        shape,
        log: String::new(),
    };
    if matches!(shape, Shape::Arrows | Shape::Columns) {
        world.type_line("ATE0", 100);
    }
    for (name, act) in plan.steps {
        let act = match (name, act) {
            ("upload", Act::Upload(file, 0, _)) => {
                let ca = world.ca_pem.clone().into_bytes();
                Act::Upload(file, ca.len(), ca)
            }
            (_, act) => act,
        };
        let good = perform(&mut world, &mut recorder, act);
        if !good && !plan.goes_on && matches!(name, "open" | "connect" | "publish") {
            break;
        }
    }
    world.run_until(world.now_ms + 3_000);
    let rest = world.heard();
    recorder.note(world.now_ms, false, &rest);
    recorder.log
}

/// Says a line and hears the answer; whether all went well.
fn say(
    world: &mut World,
    recorder: &mut Recorder,
    line: &str,
    ends: &[&str],
    wait_ms: u64,
) -> bool {
    if matches!(recorder.shape, Shape::Arrows | Shape::Columns) {
        recorder.note(world.now_ms, true, line);
    }
    let end = world.now_ms + wait_ms;
    let mut heard = world.type_line(line, 0);
    let over = |heard: &str| {
        let refused = ["\r\nERROR\r\n", "+CME ERROR:"]
            .iter()
            .any(|word| heard.contains(word));
        refused || ends.iter().any(|word| heard.contains(word))
    };
    while !over(&heard) && world.now_ms < end {
        world.run_until(world.now_ms + 50);
        heard.push_str(&world.heard());
    }
    // The rest of the line, and what follows at once.
    world.run_until(world.now_ms + 20);
    heard.push_str(&world.heard());
    recorder.note(world.now_ms, false, heard.trim_matches(['\r', '\n']));
    !heard.contains("ERROR") && ends.iter().any(|word| heard.contains(word))
}

fn perform(world: &mut World, recorder: &mut Recorder, act: Act) -> bool {
    match act {
        Act::Line(line) => say(world, recorder, &line, &["\r\nOK\r\n"], 10_000),
        Act::Until(line, urc) => {
            say(world, recorder, &line, &[urc], 40_000) && {
                let end = recorder.log.rsplit(urc).next().unwrap_or_default();
                let codes: Vec<&str> = end.trim().split(',').skip(1).collect();
                codes.iter().all(|code| code.trim() == "0") || urc == "+QMTSUB:"
            }
        }
        Act::Upload(name, declared, content) => {
            let line = format!("AT+QFUPL=\"{name}\",{declared},10");
            if say(world, recorder, &line, &["CONNECT\r\n"], 5_000) {
                world.send(&content);
                world.run_until(world.now_ms + 12_000);
                let heard = world.heard();
                recorder.note(world.now_ms, false, heard.trim_matches(['\r', '\n']));
            }
            true
        }
        Act::Publish(line, payload, end) => {
            if !say(world, recorder, &line, &["> ", ">"], 5_000) {
                return false;
            }
            recorder.note(world.now_ms, true, &String::from_utf8_lossy(&payload));
            world.send(&payload);
            world.send(end);
            world.run_until(world.now_ms + 3_000);
            let heard = world.heard();
            recorder.note(world.now_ms, false, heard.trim_matches(['\r', '\n']));
            heard.contains("OK") && !heard.contains("+QMTSTAT")
        }
        Act::Wait(ms) => {
            let end = world.now_ms + ms;
            while world.now_ms < end {
                world.run_until((world.now_ms + 500).min(end));
                let heard = world.heard();
                if !heard.trim().is_empty() {
                    recorder.note(world.now_ms, false, heard.trim_matches(['\r', '\n']));
                }
            }
            true
        }
        Act::Happens(what) => {
            what(world);
            true
        }
    }
}
