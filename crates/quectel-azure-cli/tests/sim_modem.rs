//! `sim modem` as its user sees it: the ports, the switches, the errors, the end.

#![cfg(unix)]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use core::time::Duration;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Instant;

use tempfile::tempdir;

/// A running `sim modem`.
struct Sim {
    child: Child,
    out: BufReader<ChildStdout>,
    first: String,
}

fn program(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quectel-azure"));
    command
        .args(["sim", "modem"])
        .args(args)
        .stdin(Stdio::null());
    command
}

impl Sim {
    fn start(args: &[&str]) -> Self {
        let mut child = program(args).stdout(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        out.read_line(&mut first).unwrap();
        Self { child, out, first }
    }

    /// The next line of the output that starts like this, without that.
    fn line(&mut self, start: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.out.read_line(&mut line).unwrap() > 0, "no {start}");
            if let Some(rest) = line.strip_prefix(start) {
                return rest.trim().to_owned();
            }
        }
    }

    fn port(&self) -> &str {
        self.first.trim().rsplit(' ').next().unwrap()
    }

    fn host(&self) -> Host<TcpStream> {
        let address = self.port().strip_prefix("tcp:").unwrap();
        let stream = TcpStream::connect(address).unwrap();
        stream
            .set_read_timeout(Some(Duration::from_millis(100)))
            .unwrap();
        Host(stream)
    }

    fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let kill = Command::new("kill").args([name, &id]).status();
        assert!(kill.is_ok_and(|status| status.success()));
    }

    fn end(mut self, signal: &str) {
        self.signal(signal);
        assert_eq!(self.child.wait().unwrap().code(), Some(0), "{signal}");
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

struct Host<P>(P);

impl<P: Read + Write> Host<P> {
    /// Reads until one of these texts has come.
    fn until(&mut self, wanted: &[&str]) -> String {
        let deadline = Instant::now() + Duration::from_secs(10);
        let mut text = String::new();
        while !wanted.iter().any(|wanted| text.contains(wanted)) {
            let mut byte = [0];
            match self.0.read(&mut byte) {
                Ok(1) => text.push(char::from(byte[0])),
                _ if Instant::now() < deadline => {}
                other => panic!("{other:?}: none of {wanted:?} in {text:?}"),
            }
        }
        text
    }

    fn send(&mut self, line: &str) {
        self.0.write_all(format!("{line}\r").as_bytes()).unwrap();
    }

    /// Sends a command and reads up to its final result code.
    fn command(&mut self, line: &str) -> String {
        self.send(line);
        let mut said = self.until(&["\r\nOK\r\n", "ERROR\r\n", "ERROR: "]);
        if said.ends_with(": ") {
            said += &self.until(&["\r\n"]);
        }
        said
    }
}

fn refused(args: &[&str]) -> (Option<i32>, String) {
    let output = program(args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code(), text)
}

#[test]
fn help_explains_every_option() {
    let output = program(&["--help"]).output().unwrap();
    let help = String::from_utf8(output.stdout).unwrap();
    for word in [
        "--model",
        "--firmware",
        "--config",
        "--real-time",
        "--warm",
        "--listen",
        "--pty",
        "--link",
        "--baud",
        "--module-port",
        "--print-profile",
        "--sim",
        "--no-network",
        "--registration-denied",
        "--apn",
        "--no-clock",
        "--full-storage",
        "--state",
        "--host ",
        "--host-dns",
        "--control",
        "--faults",
        "--chaos ",
        "--chaos-rate",
        "--log",
        "eg800k",
        "reaches only this computer",
        "SIGTERM",
        "[[fault]]",
    ] {
        assert!(help.contains(word), "no {word} in\n{help}");
    }
}

#[test]
fn the_fields_of_a_profile_can_be_read() {
    let output = program(&["--model", "bg95", "--print-profile"])
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    for word in [
        "profiles/base.toml",
        "profiles/bg95.toml",
        "[mqtt]",
        "publish_max",
        "APP RDY",
    ] {
        assert!(text.contains(word), "no {word}");
    }
    assert!(!text.contains("profiles/ec2x.toml"));
}

#[test]
fn every_model_runs() {
    for (args, expected) in [
        (
            &["--model", "bg96", "--firmware", "BG96MAR02A07M1G"][..],
            "BG96, firmware BG96MAR02A07M1G",
        ),
        (
            &["--model", "bg96", "--firmware", "BG96MAR02A08M1G"],
            "BG96, firmware BG96MAR02A08M1G",
        ),
        (&["--model", "bg96"], "BG96, firmware BG96MAR04A02M1G"),
        (&["--model", "bg95"], "BG95-M3, firmware"),
        (&["--model", "bg77"], "BG77, firmware"),
        (&["--model", "ec21"], "EC21, firmware EC21EUXGAR08A02M1G"),
        (&["--model", "ec25"], "EC25, firmware"),
        (&["--model", "eg25"], "EG25, firmware"),
        (&["--model", "eg91"], "EG91, firmware"),
        (&["--model", "ec200u"], "EC200U, firmware"),
        (&["--model", "eg915u"], "EG915U, firmware"),
        (&["--model", "EG800K"], "EG800K, firmware"),
    ] {
        let sim = Sim::start(&[args, &["--warm"]].concat());
        assert!(sim.first.starts_with(expected), "{}", sim.first);
        assert!(sim.host().command("AT").ends_with("OK\r\n"));
    }
}

#[test]
fn a_revision_that_is_not_known_is_said_to_behave_like_another() {
    let mut sim = Sim::start(&["--warm", "--firmware", "EC25AFFAR07A08M4G"]);
    assert_eq!(
        sim.line("firmware "),
        "EC25AFFAR07A08M4G is not known itself; it behaves like EC25EFAR06A17M4G"
    );
    let said = sim.host().command("ATI");
    assert!(said.contains("Revision: EC25AFFAR07A08M4G"), "{said}");
}

#[test]
fn a_terminal_with_a_link_that_goes_away_again() {
    let folder = tempdir().unwrap();
    let link = folder.path().join("modem");
    let path = link.to_str().unwrap();
    // A run that was killed leaves such a link.
    std::os::unix::fs::symlink(folder.path().join("gone"), &link).unwrap();
    for signal in ["-INT", "-TERM"] {
        let mut sim = Sim::start(&["--warm", "--pty", "--link", path]);
        assert!(sim.port().starts_with("/dev/"), "{}", sim.first);
        assert_eq!(sim.line("link "), path);
        assert_eq!(fs::read_link(&link).unwrap(), Path::new(sim.port()));
        let terminal = fs::OpenOptions::new()
            .read(true)
            .write(true)
            .open(&link)
            .unwrap();
        let said = Host(terminal).command("AT+GMM");
        assert_eq!(said, "AT+GMM\r\r\nEC25\r\n\r\nOK\r\n");
        let (status, error) = refused(&["--pty", "--link", path]);
        assert_eq!(status, Some(2), "{error}");
        assert!(
            error.starts_with(&format!("error: --link: {path} exists already")),
            "{error}"
        );
        sim.end(signal);
        assert!(fs::symlink_metadata(&link).is_err(), "{signal}");
    }
    fs::write(&link, "a file of somebody").unwrap();
    let (status, error) = refused(&["--pty", "--link", path]);
    assert_eq!(status, Some(2), "{error}");
    assert_eq!(fs::read_to_string(&link).unwrap(), "a file of somebody");
}

#[test]
fn a_second_run_is_a_warm_start() {
    let folder = tempdir().unwrap();
    let state = folder.path().join("state");
    let state = state.to_str().unwrap();
    let sim = Sim::start(&["--warm", "--state", state]);
    let mut host = sim.host();
    host.send("AT+QFUPL=\"ca.pem\",3");
    host.until(&["CONNECT\r\n"]);
    host.0.write_all(b"abc").unwrap();
    host.until(&["+QFUPL: 3,"]);
    assert!(
        host.command("AT+QURCCFG=\"urcport\",\"uart1\"")
            .contains("OK")
    );
    sim.end("-TERM");

    let sim = Sim::start(&["--warm", "--state", state, "--full-storage"]);
    let mut host = sim.host();
    assert!(host.command("AT+QFLST").contains("\"UFS:ca.pem\",3"));
    assert!(host.command("AT+QURCCFG=\"urcport\"").contains("\"uart1\""));
    let said = host.command("AT+QFUPL=\"b.pem\",3");
    assert!(said.contains("+CME ERROR: "), "{said}");
    sim.end("-INT");
    assert!(Path::new(state).join("files").read_dir().unwrap().count() == 1);
}

#[test]
fn switches() {
    for (args, command, expected) in [
        (&["--sim", "absent"][..], "AT+CPIN?", "+CME ERROR: 10"),
        (&["--sim", "failure"], "AT+CPIN?", "+CME ERROR: 13"),
        (&["--sim", "pin:1234"], "AT+CPIN?", "+CPIN: SIM PIN"),
        (&["--sim", "puk:12345678"], "AT+CPIN?", "+CPIN: SIM PUK"),
        (&[], "AT+CEREG?", "+CEREG: 0,1"),
        (&["--no-network"], "AT+CEREG?", "+CEREG: 0,2"),
        (&["--no-network"], "AT+CSQ", "+CSQ: 99,99"),
        (&["--registration-denied"], "AT+CEREG?", "+CEREG: 0,3"),
        (&["--no-clock"], "AT+CCLK?", "+CCLK: \"80/01/06,"),
        (&["--full-storage"], "AT+QFLDS=\"UFS\"", "+QFLDS: 0,"),
        (
            &["--apn", "right"],
            "AT+QICSGP=1,1,\"wrong\";+QIACT=1",
            "ERROR",
        ),
        (
            &["--apn", "right"],
            "AT+QICSGP=1,1,\"right\";+QIACT=1",
            "OK",
        ),
        (&["--baud", "9600"], "AT+IPR?", "+IPR: 9600"),
    ] {
        let sim = Sim::start(args);
        let mut host = sim.host();
        // Nobody hears RDY that comes before the connection, so the host asks until it is answered.
        let deadline = Instant::now() + Duration::from_secs(10);
        let said = loop {
            let said = host.command(command);
            if said.contains(expected) || Instant::now() > deadline {
                break said;
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        assert!(said.contains(expected), "{args:?}: {said}");
    }
}

#[test]
fn the_rate_paces_the_port() {
    let sim = Sim::start(&["--warm", "--baud", "9600"]);
    let mut host = sim.host();
    host.command("ATE0");
    let since = Instant::now();
    let count = host.command("AT&V").len();
    // Ten bits a byte, and some room for the clock's grain.
    let least = Duration::from_millis(u64::try_from(count).unwrap() * 10_000 / 9600 * 8 / 10);
    assert!(since.elapsed() >= least, "{count} in {:?}", since.elapsed());
}

#[test]
fn hosts_are_mapped_with_and_without_port() {
    let server = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = server.local_addr().unwrap();
    let one = format!("one.example:8883={address}");
    let all = format!("all.example={address}");
    let sim = Sim::start(&["--warm", "--model", "bg96", "--host", &one, "--host", &all]);
    let mut host = sim.host();
    host.command("AT+QICSGP=1,1,\"apn\"");
    host.command("AT+QIACT=1");
    for (id, (name, port, result)) in [
        ("one.example", 8883, 0),
        ("one.example", 443, 566),
        ("all.example", 443, 0),
        ("other.example", 8883, 565),
    ]
    .into_iter()
    .enumerate()
    {
        host.send(&format!("AT+QIOPEN=1,{id},\"TCP\",\"{name}\",{port}"));
        let said = host.until(&["+QIOPEN: "]) + &host.until(&["\r\n"]);
        let expected = format!("+QIOPEN: {id},{result}\r\n");
        assert!(said.ends_with(&expected), "{name}:{port}: {said}");
    }
}

#[test]
fn the_control_channel_reaches_the_module() {
    let mut sim = Sim::start(&[
        "--warm",
        "--model",
        "bg96",
        "--control",
        "127.0.0.1:0",
        "--sim",
        "ready",
    ]);
    let address = sim.line("control channel ");
    let mut host = sim.host();
    host.command("ATE0");
    let mut control = BufReader::new(TcpStream::connect(address).unwrap());
    let mut ask = |request: &str| {
        control
            .get_mut()
            .write_all(format!("{request}\n").as_bytes())
            .unwrap();
        let mut answer = String::new();
        control.read_line(&mut answer).unwrap();
        answer
    };
    assert_eq!(
        ask("{\"do\":\"urc\",\"text\":\"+HELLO: 1\"}"),
        "{\"ok\":null}\n"
    );
    host.until(&["\r\n+HELLO: 1\r\n"]);
    ask("{\"do\":\"signal\",\"rssi\":9,\"ber\":99}");
    assert!(host.command("AT+CSQ").contains("+CSQ: 9,99"));
    ask("{\"do\":\"coverage\",\"present\":false}");
    assert!(host.command("AT+CEREG?").contains("+CEREG: 0,2"));
    assert!(ask("{\"do\":\"state\"}").contains("\"registration\":\"searching\""));
    assert!(ask("{\"do\":\"log\"}").contains("AT+CEREG?"));
    assert!(ask("{\"do\":\"dance\"}").contains("error"));
    ask("{\"do\":\"stop\"}");
    assert_eq!(sim.child.wait().unwrap().code(), Some(0));
}

#[test]
fn the_module_port_decides_where_urcs_are_heard() {
    for (port, heard) in [("uart1", false), ("usbat", true)] {
        let sim = Sim::start(&["--warm", "--model", "ec25", "--module-port", port]);
        let mut host = sim.host();
        host.command("ATE0");
        host.send("AT+QPING=1,\"h.example\"");
        let said = host.until(&["OK\r\n"]) + &host.command("AT");
        assert_eq!(said.contains("+QPING: 561"), heard, "{port}: {said}");
    }
}

#[test]
fn configuration_and_faults_take_effect() {
    let folder = tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let config = write("mine.toml", "[identity]\nati_model = \"MINE\"\n");
    let faults = write(
        "faults.toml",
        "[[fault]]\ncommand = \"AT+CSQ\"\naction = { urc = \"+FAULT: 1\" }\n",
    );
    let log = write("log.txt", "");
    let sim = Sim::start(&[
        "--warm", "--model", "bg96", "--config", &config, "--faults", &faults, "--log", &log,
    ]);
    let mut host = sim.host();
    assert!(host.command("ATI").contains("\r\nMINE\r\n"));
    host.send("AT+CSQ");
    host.until(&["+FAULT: 1"]);
    host.command("AT+QMTCONN=0,\"dev\",\"user\",\"top-secret\"");
    sim.end("-TERM");
    let log = fs::read_to_string(log).unwrap();
    assert!(
        log.contains(" > ATI\n") && log.contains(" ! +FAULT: 1\n"),
        "{log}"
    );
    assert!(
        log.contains("\"user\",\"***\"") && !log.contains("top-secret"),
        "{log}"
    );
}

#[test]
fn chaos_breaks_something() {
    let sim = Sim::start(&[
        "--warm",
        "--model",
        "bg96",
        "--chaos",
        "7",
        "--chaos-rate",
        "1000",
    ]);
    let mut host = sim.host();
    let mut heard = Vec::new();
    for _ in 0..20 {
        host.send("ATE0");
        let mut chunk = [0; 1024];
        let count = host.0.read(&mut chunk).unwrap_or(0);
        heard.extend_from_slice(&chunk[..count]);
    }
    let clean = b"\r\nOK\r\n".repeat(20);
    assert!(
        !heard.ends_with(&clean[..100]),
        "{:?}",
        String::from_utf8_lossy(&heard)
    );
}

#[test]
fn errors_say_what_is_wrong_where() {
    let folder = tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let key = write("key.toml", "[mqtt]\nno_such_key = 1\n");
    let value = write("value.toml", "\n[urc]\nport = \"com1\"\n");
    let fault = write("fault.toml", "[[fault]]\naction = \"explode\"\n");
    let file = write("file", "");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let taken = taken.local_addr().unwrap().to_string();
    let nowhere = folder.path().join("no/such/link");
    let nowhere = nowhere.to_str().unwrap();
    for (args, status, words) in [
        (
            &["--model", "sim7600"][..],
            2,
            &["sim7600", "bg96", "eg800k"][..],
        ),
        (
            &["--model", "bg96", "--firmware", "BG96"],
            2,
            &["\"BG96\"", "BG96MAR02A07M1G", "BG96MAR04A02M1G"],
        ),
        (
            &["--config", &key],
            2,
            &["key.toml", "line 2", "no_such_key"],
        ),
        (
            &["--config", &value],
            2,
            &["value.toml", "line 3", "urc.port", "usbat"],
        ),
        (&["--config", "no.toml"], 2, &["cannot read no.toml"]),
        (
            &["--faults", &fault],
            2,
            &["fault.toml", "line 2", "explode"],
        ),
        (&["--faults", "no.toml"], 2, &["cannot read no.toml"]),
        (&["--state", &file], 2, &["cannot use state folder", "file"]),
        (
            &["--log", "/no/such/log"],
            2,
            &["cannot write the log /no/such/log"],
        ),
        (
            &["--listen", &taken],
            1,
            &["--listen", &taken, "what to do", "port 0"],
        ),
        (&["--control", &taken], 1, &["--control", &taken]),
        (
            &["--listen", "203.0.113.1:1"],
            1,
            &["203.0.113.1:1", "127.0.0.1"],
        ),
        (&["--baud", "12345"], 2, &["--baud 12345", "115200"]),
        (&["--pty", "--link", nowhere], 2, &["--link", nowhere]),
        (&["--link", "x"], 2, &["--pty"]),
        (&["--host", "h"], 2, &["NAME:PORT=ADDRESS:PORT"]),
        (&["--sim", "none"], 2, &["ready, absent"]),
        (&["--chaos-rate", "5"], 2, &["--chaos"]),
    ] {
        let (code, error) = refused(args);
        assert_eq!(code, Some(status), "{args:?}: {error}");
        for word in words {
            assert!(error.contains(word), "no {word} in {error}");
        }
    }
}
