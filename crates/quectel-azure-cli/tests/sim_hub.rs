//! `quectel-azure sim hub` as its user runs it: the program, its files, the lines that it prints to be pasted.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use core::time::Duration;
use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::mpsc::{Receiver, channel};

use tempfile::TempDir;

const PROGRAM: &str = env!("CARGO_BIN_EXE_quectel-azure");
const SOON: Duration = Duration::from_secs(30);

/// A program that runs, line by line.
struct Running {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

impl Running {
    /// Runs a line of a shell in this folder, with the program on its path.
    fn line(folder: &Path, line: &str) -> Self {
        let bin = Path::new(PROGRAM).parent().unwrap().display();
        let path = std::env::var("PATH").unwrap();
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec {}", line.trim())])
            .current_dir(folder)
            .env("PATH", format!("{bin}:{path}"))
            .env_remove("QUECTEL_AZURE_CONNECTION_STRING")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let (sender, lines) = channel();
        let out = BufReader::new(child.stdout.take().unwrap());
        std::thread::spawn(move || {
            out.lines()
                .map_while(Result::ok)
                .try_for_each(|line| sender.send(line))
        });
        Self {
            child,
            lines,
            seen: Vec::new(),
        }
    }

    fn hub(folder: &Path, options: &str) -> Self {
        Self::line(folder, &format!("quectel-azure sim hub {options}"))
    }

    /// The first line, past ones included, that contains this.
    fn wait_for(&mut self, part: &str) -> String {
        if let Some(line) = self.seen.iter().find(|line| line.contains(part)) {
            return line.clone();
        }
        while let Ok(line) = self.lines.recv_timeout(SOON) {
            self.seen.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
        panic!("no `{part}` in {:#?}", self.seen);
    }

    /// The address at the end of the first line.
    fn address(&mut self) -> String {
        let line = self.wait_for("listens on ");
        line.rsplit(' ').next().unwrap().to_owned()
    }

    fn end(mut self, signal: &str) -> (ExitStatus, Vec<String>) {
        let id = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args([signal, &id])
                .status()
                .unwrap()
                .success()
        );
        let status = self.child.wait().unwrap();
        // The reader may be behind; it ends with the program's output.
        while let Ok(line) = self.lines.recv_timeout(SOON) {
            self.seen.push(line);
        }
        (status, core::mem::take(&mut self.seen))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the hub where it is expected to end by itself.
fn refused(folder: &Path, options: &[&str]) -> (Option<i32>, String) {
    let output: Output = Command::new(PROGRAM)
        .args(["sim", "hub"])
        .args(options)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let error = String::from_utf8(output.stderr).unwrap();
    (output.status.code(), error)
}

/// Every file below a folder.
fn contents(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(contents(&path));
        } else {
            all.insert(path.display().to_string(), fs::read(&path).unwrap());
        }
    }
    all
}

fn request(address: &str, head: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(stream, "{head}\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn a_state_folder_from_the_first_start_to_the_second() {
    let temp = TempDir::new().unwrap();
    let folder = temp.path();
    let mut hub = Running::hub(folder, "--port 0 --service 127.0.0.1:0 --state 'my hub'");
    assert!(hub.address().starts_with("127.0.0.1:"));
    let file = |name: &str| fs::read_to_string(folder.join("my hub").join(name)).unwrap();
    let string = file("local-hub-device.txt");
    assert!(
        string
            .starts_with("HostName=local-hub.azure-devices.net;DeviceId=device-1;SharedAccessKey="),
        "{string}"
    );
    assert_eq!(
        hub.wait_for("id scope").split_whitespace().last(),
        Some("0ne00000A0A")
    );

    // Who does not speak TLS gets one line in the log, with the reason.
    let address = hub.address();
    TcpStream::connect(&address)
        .unwrap()
        .write_all(b"GET / HTTP/1.1\r\n\r\n")
        .unwrap();
    let line = hub.wait_for("refused");
    assert!(
        line.contains("does not speak TLS") && line.ends_with("[not-tls]"),
        "{line}"
    );

    // The page is for everybody, what it shows for those with the key.
    let page = hub.wait_for("page ");
    let page = page
        .rsplit("http://")
        .next()
        .unwrap()
        .trim_end_matches('/')
        .to_owned();
    assert!(request(&page, "GET / HTTP/1.1").starts_with("HTTP/1.1 200"));
    assert!(request(&page, "GET /sim/overview HTTP/1.1").starts_with("HTTP/1.1 401"));
    let all = file("local-hub.txt");
    let key = all
        .rsplit("/#")
        .next()
        .unwrap()
        .trim()
        .replace("%3D", "=")
        .replace("%2B", "+")
        .replace("%2F", "/");
    let answer = request(
        &page,
        &format!("GET /sim/overview HTTP/1.1\r\nAuthorization: Bearer {key}"),
    );
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");

    let (status, error) = refused(folder, &["--port", "0", "--state", "my hub"]);
    assert_eq!(status, Some(1));
    assert!(error.contains("another hub uses this folder"), "{error}");

    if Command::new("mosquitto_pub").arg("--help").output().is_ok() {
        let line = hub.wait_for("mosquitto_pub ");
        let mut publisher = Running::line(folder, &line);
        assert!(publisher.child.wait().unwrap().success(), "{line}");
        hub.wait_for("telemetry device-1 5 bytes, QoS 1");
        let forged = line.replace("$(cat ", "$(sed s/se=1/se=2/ ");
        let mut publisher = Running::line(folder, &forged);
        assert!(!publisher.child.wait().unwrap().success());
        hub.wait_for("[token-signature]");
    }
    let (status, lines) = hub.end("-TERM");
    assert_eq!(status.code(), Some(0));
    assert_eq!(lines.last().unwrap(), "the hub has stopped");
    let key = string.rsplit("SharedAccessKey=").next().unwrap();
    assert!(
        !lines.iter().any(|line| line.contains(key)),
        "no key is shown"
    );

    let root = file("local-hub-root.pem");
    let mut hub = Running::hub(folder, "--port 0 --state 'my hub'");
    hub.address();
    assert_eq!(file("local-hub-device.txt"), string);
    assert_eq!(file("local-hub-root.pem"), root);
    assert_eq!(hub.end("-INT").0.code(), Some(0));

    let (status, error) = refused(folder, &["--state", "my hub", "--device", "other"]);
    assert_eq!(status, Some(2), "{error}");
    assert!(
        error.contains("leave --name, --device and --auth out, or edit my hub/hub.toml"),
        "{error}"
    );
}

/// A request to the service side with the key from `local-hub.txt`.
fn ask(hub: &mut Running, folder: &Path, method: &str, path: &str, body: &str) -> String {
    let page = hub.wait_for("page ");
    let address = page.rsplit("http://").next().unwrap().trim_end_matches('/');
    let all = fs::read_to_string(folder.join("local-hub.txt")).unwrap();
    let key = all.rsplit("/#").next().unwrap().trim();
    let key = key
        .replace("%3D", "=")
        .replace("%2B", "+")
        .replace("%2F", "/");
    let length = body.len();
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    write!(stream, "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer {key}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_killed_hub_keeps_what_it_has_acknowledged() {
    let temp = TempDir::new().unwrap();
    let folder = temp.path().join("state");
    let options = "--port 0 --service 127.0.0.1:0 --state state";
    for round in 0..3 {
        let mut hub = Running::hub(temp.path(), options);
        let mut act = |method: &str, path: &str, body: &str| {
            let path = format!("{path}?api-version=2021-04-12");
            let answer = ask(&mut hub, &folder, method, &path, body);
            assert!(answer.starts_with("HTTP/1.1 20"), "{path}: {answer}");
            answer
        };
        if round > 0 {
            let last = round - 1;
            act("GET", &format!("/devices/made-{last}"), "");
            let twin = act("GET", "/twins/device-1", "");
            assert!(
                twin.contains(&format!("\"n\":{last}}}"))
                    || twin.contains(&format!("\"n\":{last},")),
                "{twin}"
            );
            assert!(
                twin.contains(&format!("\"version\":{}", round + 1)),
                "{twin}"
            );
            let count = format!("\"cloudToDeviceMessageCount\":{round}");
            assert!(twin.contains(&count), "{twin}");
        }
        act("PUT", &format!("/devices/made-{round}"), "{}");
        act("POST", "/sim/devices/device-1/messages", "x");
        let patch = format!("{{\"properties\":{{\"desired\":{{\"n\":{round}}}}}}}");
        act("PATCH", "/twins/device-1", &patch);
        // Dead within the instant: nothing could be saved after the answer.
        hub.end("-KILL");
    }
}

#[test]
fn the_printed_lines_connect_a_device_with_a_certificate() {
    let temp = TempDir::new().unwrap();
    let options = "--port 0 --auth x509 --name contoso.azure-devices.net --device dev-9 --fault drop-pubacks=0";
    let mut hub = Running::hub(temp.path(), options);
    hub.address();
    let modem = hub.wait_for("sim modem ");
    let publish = hub.wait_for("quectel-azure publish ");
    let mut modem = Running::line(temp.path(), &modem.replace("127.0.0.1:5000", "127.0.0.1:0"));
    let port = modem.wait_for("its AT port is ");
    let port = port.rsplit("its AT port is ").next().unwrap();
    let mut publisher = Running::line(temp.path(), &publish.replace("tcp:127.0.0.1:5000", port));
    assert!(publisher.child.wait().unwrap().success(), "{publish}");
    let line = hub.wait_for("connected #1 ");
    assert!(
        line.contains("contoso.azure-devices.net/dev-9 with a certificate"),
        "{line}"
    );
    hub.wait_for("telemetry dev-9 5 bytes, QoS 1");
}

#[test]
fn the_lines_of_the_documentation_are_understood() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/hub.md");
    let docs = fs::read_to_string(docs).unwrap();
    let lines: Vec<&str> = docs
        .lines()
        .filter_map(|line| line.strip_prefix("quectel-azure sim hub"))
        .collect();
    assert!(lines.len() >= 4);
    for options in lines {
        let mut options: Vec<&str> = options.split_whitespace().collect();
        options.push("--help");
        let (code, error) = refused(Path::new("."), &options);
        assert_eq!((code, error.as_str()), (Some(0), ""), "{options:?}");
    }
}

#[test]
fn a_configuration_file_with_its_own_folder_for_the_device() {
    let temp = TempDir::new().unwrap();
    fs::create_dir(temp.path().join("out")).unwrap();
    // The second device would be the first by its name.
    let text =
        "[[hub]]\nhost = \"a.example\"\n[[hub.device]]\nid = \"d 1\"\n[[hub.device]]\nid = \"a\"\n";
    for (text, expected) in [(text, true), (&text.replace("d 1", "d1"), false)] {
        fs::write(temp.path().join("hub.toml"), text).unwrap();
        if expected {
            let (status, error) = refused(temp.path(), &["--config", "hub.toml", "--port", "0"]);
            assert_eq!(status, Some(2));
            assert!(
                error.starts_with("error: hub.toml:4: [[hub.device]] id: "),
                "{error}"
            );
        } else {
            let mut hub = Running::hub(
                temp.path(),
                "--config hub.toml --listen 127.0.0.1:0 --out out",
            );
            hub.wait_for("hub a.example listens on ");
            assert!(temp.path().join("out/local-hub-device.txt").is_file());
            assert!(!temp.path().join("local-hub-device.txt").exists());
            let string = fs::read_to_string(temp.path().join("out/local-hub-device.txt")).unwrap();
            assert!(string.contains(";DeviceId=d1;"), "{string}");
        }
    }
}

#[test]
fn what_cannot_start_changes_nothing() {
    let temp = TempDir::new().unwrap();
    let folder = temp.path();
    fs::create_dir(folder.join("newer")).unwrap();
    fs::write(folder.join("newer/state.json"), "{\"version\":99}").unwrap();
    fs::write(folder.join("file"), "").unwrap();
    fs::write(
        folder.join("bad.toml"),
        "[[hub]]\nhost = \"a.example\"\nspeed = 1\n",
    )
    .unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let busy = taken.local_addr().unwrap().port().to_string();
    let before = contents(folder);
    let rows: &[(&[&str], i32, &str)] = &[
        (
            &["--port", &busy, "--state", "new"],
            1,
            "choose another port",
        ),
        (&["--port", &busy], 1, "cannot listen on 127.0.0.1:"),
        (
            &["--port", "0", "--state", "newer"],
            1,
            "newer/state.json: ",
        ),
        (
            &["--port", "0", "--state", "file"],
            1,
            "file: cannot be read",
        ),
        (
            &["--port", "0", "--config", "bad.toml"],
            2,
            "bad.toml:3: [[hub]] speed: unknown field",
        ),
        (
            &["--port", "0", "--config", "none.toml"],
            2,
            "none.toml: cannot be read",
        ),
        (
            &["--port", "0", "--config", "bad.toml", "--name", "a"],
            2,
            "cannot be used with",
        ),
        (
            &["--port", "1", "--listen", "127.0.0.1:2"],
            2,
            "leave one of them out",
        ),
        (&["--listen", "localhost"], 2, "an address is such as"),
        (
            &["--port", "0", "--name", "a b"],
            2,
            "`a b` is not a host name",
        ),
        (&["--port", "0", "--device", "a/b"], 2, "id contains `/`"),
        (
            &["--port", "0", "--out", "none"],
            2,
            "--out: none is not a folder",
        ),
        (
            &["--port", "0", "--fault", "drop"],
            2,
            "happens to an open connection at once",
        ),
        (&["--port", "0", "--fault", "explode"], 2, "is not a fault"),
        (
            &["--port", "0", "--certificate-fault", "old"],
            2,
            "it is none, expired",
        ),
    ];
    for (options, status, expected) in rows {
        let (code, error) = refused(folder, options);
        assert_eq!(code, Some(*status), "{options:?}: {error}");
        assert!(error.contains(expected), "{options:?}: {error}");
        assert_eq!(contents(folder), before, "{options:?}");
        assert!(!folder.join("new").exists());
    }
}
