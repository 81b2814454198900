//! The program itself: exit status, environment, Ctrl-C.

use std::io::{BufRead, BufReader};
use std::process::{Command, Output, Stdio};

fn program() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_quectel-azure"));
    command
        .env_remove("QUECTEL_AZURE_CONNECTION_STRING")
        .stdin(Stdio::null());
    command
}

fn error(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn exit_status_and_streams() {
    let done = program().arg("demo").output().unwrap();
    assert_eq!(done.status.code(), Some(0), "{}", error(&done));
    assert!(String::from_utf8(done.stdout).unwrap().contains("done in "));
    assert!(done.stderr.is_empty());

    let string = "HostName=h.example;DeviceId=d;SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let args = ["publish", "--port", "/dev/no-such-port", "--message", "x"];
    let failed = program()
        .args(args)
        .env("QUECTEL_AZURE_CONNECTION_STRING", string)
        .output()
        .unwrap();
    assert_eq!(failed.status.code(), Some(1), "{}", error(&failed));
    assert!(
        error(&failed).starts_with("error: cannot open port"),
        "{}",
        error(&failed)
    );

    let usage = program().args(args).output().unwrap();
    assert_eq!(usage.status.code(), Some(2), "{}", error(&usage));
    assert!(
        error(&usage).starts_with("error: no connection string"),
        "{}",
        error(&usage)
    );
}

#[test]
fn a_reader_that_goes_away_does_not_end_the_demonstration_in_a_panic() {
    let mut child = program()
        .arg("demo")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(!error(&output).contains("panicked"), "{}", error(&output));
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_a_simulator_and_a_flow() {
    let mut modem = program()
        .args(["sim", "modem", "--model", "bg96"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(modem.stdout.take().unwrap())
        .read_line(&mut line)
        .unwrap();
    let port = line.trim().rsplit(' ').next().unwrap().to_owned();
    assert!(port.starts_with("tcp:127.0.0.1:"), "{line}");

    // The name of the hub leads nowhere, so this ends by itself at the latest at the open step; it is cancelled before.
    let string = "HostName=h.example;DeviceId=d;SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = format!("tcp:{}", listener.local_addr().unwrap());
    let flow = program()
        .args(["publish", "--port", &silent, "--message", "x"])
        .env("QUECTEL_AZURE_CONNECTION_STRING", string)
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let _peer = listener.accept().unwrap();
    interrupt(flow.id());
    let output = flow.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(
        error(&output).contains("error: cancelled"),
        "{}",
        error(&output)
    );

    interrupt(modem.id());
    assert_eq!(modem.wait().unwrap().code(), Some(0));
}

/// The writer of the pipe stays, so that nothing but the signal ends the reading.
#[cfg(unix)]
#[test]
fn ctrl_c_ends_reading_the_message_at_once() {
    let string = "HostName=h.example;DeviceId=d;SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let mut child = program()
        .args(["publish", "--port", "/dev/no-such-port"])
        .env("QUECTEL_AZURE_CONNECTION_STRING", string)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    // More than the pipe holds: when it is out, the program reads.
    std::io::Write::write_all(&mut input, &[b'x'; 200_000]).unwrap();
    interrupt(child.id());
    let since = std::time::Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().unwrap() {
            break Some(status);
        }
        if since.elapsed().as_secs() >= 5 {
            child.kill().unwrap();
            break None;
        }
        std::thread::sleep(core::time::Duration::from_millis(20));
    };
    let output = child.wait_with_output().unwrap();
    drop(input);
    assert_eq!(status.and_then(|s| s.code()), Some(1), "{}", error(&output));
    assert!(
        error(&output).contains("cancelled while the message was read; nothing was sent"),
        "{}",
        error(&output)
    );
}

#[cfg(unix)]
fn interrupt(id: u32) {
    let kill = Command::new("kill")
        .args(["-INT", &id.to_string()])
        .status();
    assert!(kill.is_ok_and(|status| status.success()));
}
