//! The control channel: one JSON object a line over TCP, for tests in any language.

use core::net::SocketAddr;
use std::io;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::{TcpListener, TcpStream},
    task::AbortHandle,
};

use super::{Control, Simulator};
use crate::{FaultRule, LogKind, Module, Registration, SimState};

/// Longest request line, in bytes.
const LINE_MAX: u64 = 8 << 20;

/// A listening control channel.
///
/// Each line is an object with `"do"` and its fields; each answer is `{"ok":…}` or `{"error":"…"}`:
///
/// | `do` | fields |
/// |---|---|
/// | `urc` | `text` |
/// | `signal` | `rssi`, `ber` |
/// | `clock` | `unix_s` |
/// | `sim` | `state`: `absent`, `ready`, `failure`, `pin:1234` or `puk:12345678` |
/// | `registration` | `stat`: 0 to 5 |
/// | `coverage` | `present`: whether there is a network |
/// | `drop-pdp` | `context` |
/// | `power` | `state`: `on`, `off`, `cycle`, `key` or `reset` |
/// | `fault` | a rule as in TOML: `{"do":"fault","command":"AT+QMTPUB","action":"no-prompt"}` |
/// | `faults` | `toml`: rules as TOML; without it all faults end |
/// | `put-file` | `name`, `content` (hexadecimal) |
/// | `get-file` | `name` |
/// | `state`, `log`, `stop` | |
#[derive(Debug)]
pub struct ControlPort {
    address: SocketAddr,
    task: AbortHandle,
    /// Keeps the threads alive.
    _simulator: Simulator,
}

impl ControlPort {
    /// The address that tests connect to.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for ControlPort {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Simulator {
    /// Opens a control channel to a running module; port 0 chooses a free one.
    ///
    /// # Errors
    ///
    /// The address cannot be bound.
    pub fn control_port(&self, control: Control, address: SocketAddr) -> io::Result<ControlPort> {
        let runtime = self.runtime()?;
        let listener = std::net::TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener)?
        };
        let task = runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, control.clone()));
            }
        });
        Ok(ControlPort {
            address,
            task: task.abort_handle(),
            _simulator: self.clone(),
        })
    }
}

async fn serve(mut stream: TcpStream, control: Control) {
    let (reader, mut writer) = stream.split();
    let mut reader = BufReader::new(reader);
    loop {
        let mut line = Vec::new();
        let mut limited = tokio::io::AsyncReadExt::take(&mut reader, LINE_MAX);
        match limited.read_until(b'\n', &mut line).await {
            Ok(count) if count > 0 => {}
            _ => return,
        }
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let answer = match serde_json::from_slice(&line) {
            Ok(request) => match perform(&control, request) {
                Ok(value) => json!({ "ok": value }),
                Err(error) => json!({ "error": error }),
            },
            Err(error) => json!({ "error": error.to_string() }),
        };
        if writer
            .write_all(format!("{answer}\n").as_bytes())
            .await
            .is_err()
        {
            return;
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case")]
enum Request {
    Urc { text: String },
    Signal { rssi: u8, ber: u8 },
    Clock { unix_s: i64 },
    Sim { state: String },
    Registration { stat: u8 },
    Coverage { present: bool },
    DropPdp { context: u8 },
    Power { state: String },
    Fault(FaultRule),
    Faults { toml: Option<String> },
    PutFile { name: String, content: String },
    GetFile { name: String },
    State,
    Log,
    Stop,
}

fn perform(control: &Control, request: Request) -> Result<Value, String> {
    if let Request::Stop = request {
        control.stop();
        return Ok(Value::Null);
    }
    control.with(|module| act(module, request))
}

fn act(module: &mut Module, request: Request) -> Result<Value, String> {
    match request {
        Request::Urc { text } => module.raise_urc(&text),
        Request::Signal { rssi, ber } => module.set_signal(rssi, ber),
        Request::Clock { unix_s } => module.set_clock(unix_s),
        Request::Sim { state } => module.set_sim(sim_state(&state)?),
        Request::Registration { stat } => module.set_registration(registration(stat)?),
        Request::Coverage { present } => module.set_coverage(present),
        Request::DropPdp { context } => module.drop_pdp(context),
        Request::Power { state } => power(module, &state)?,
        Request::Fault(rule) => module.faults().add(rule),
        Request::Faults { toml: Some(text) } => module
            .faults()
            .load("faults", &text)
            .map_err(|e| e.to_string())?,
        Request::Faults { toml: None } => *module.faults() = crate::Faults::default(),
        Request::PutFile { name, content } => {
            let content = bytes(&content).ok_or("\"content\" is not hexadecimal")?;
            if !module.put_file(&name, &content) {
                return Err(format!("there is no room for {name}, or no such storage"));
            }
        }
        Request::GetFile { name } => {
            let content = module
                .file(&name)
                .ok_or_else(|| format!("there is no file {name}"))?;
            return Ok(Value::String(
                content.iter().map(|b| format!("{b:02x}")).collect(),
            ));
        }
        Request::State => return Ok(state(module)),
        Request::Log => return Ok(log(module)),
        Request::Stop => {}
    }
    Ok(Value::Null)
}

fn sim_state(text: &str) -> Result<SimState, String> {
    match text.split_once(':') {
        Some(("pin", pin)) => Ok(SimState::Pin(pin.to_owned())),
        Some(("puk", puk)) => Ok(SimState::Puk(puk.to_owned())),
        None if text == "absent" => Ok(SimState::Absent),
        None if text == "ready" => Ok(SimState::Ready),
        None if text == "failure" => Ok(SimState::Failure),
        _ => Err(format!(
            "unknown SIM state \"{text}\": absent, ready, failure, pin:<digits> or puk:<digits>"
        )),
    }
}

fn registration(stat: u8) -> Result<Registration, String> {
    Ok(match stat {
        0 => Registration::Idle,
        1 => Registration::Home,
        2 => Registration::Searching,
        3 => Registration::Denied,
        4 => Registration::Unknown,
        5 => Registration::Roaming,
        other => return Err(format!("unknown registration {other}: 0 to 5")),
    })
}

fn power(module: &mut Module, text: &str) -> Result<(), String> {
    match text {
        "on" => module.power_on(),
        "off" => module.power_off(),
        "cycle" => module.power_cycle(),
        "key" => module.press_power_key(),
        "reset" => module.reset(),
        other => {
            return Err(format!(
                "unknown power state \"{other}\": on, off, cycle, key or reset"
            ));
        }
    }
    Ok(())
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> = hex
        .chars()
        .map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok()))
        .collect();
    let digits = digits.filter(|digits| digits.len().is_multiple_of(2))?;
    Some(
        digits
            .chunks(2)
            .map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit))
            .collect(),
    )
}

fn state(module: &Module) -> Value {
    let state = module.state();
    let mqtt: Vec<String> = state
        .mqtt
        .iter()
        .map(|state| format!("{state:?}").to_ascii_lowercase())
        .collect();
    json!({
        "now_ms": module.now_ms(),
        "model": module.profile().identity.model,
        "running": state.running,
        "busy": state.busy,
        "in_data_phase": state.in_data_phase,
        "registration": format!("{:?}", state.registration).to_ascii_lowercase(),
        "contexts": state.contexts,
        "mqtt": mqtt,
        "files": state.files,
        "unix_s": state.unix_s,
        "urc_port": state.urc_port,
    })
}

fn log(module: &Module) -> Value {
    let entries = module.log().map(|entry| {
        let kind = match entry.kind {
            LogKind::Command => "command",
            LogKind::Reply => "reply",
            LogKind::Urc => "urc",
            LogKind::UrcElsewhere => "urc-elsewhere",
            LogKind::Note => "note",
        };
        json!([entry.at_ms, kind, entry.text])
    });
    Value::Array(entries.collect())
}
