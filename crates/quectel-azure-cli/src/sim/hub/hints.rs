//! Command lines that connect to the hub, ready to be pasted into a shell.

use core::fmt::Write;
use std::path::Path;

use iothub_sim::LocalHub;

use super::PORT;
use super::files::{FirstDevice, Written};

/// How to connect as the first device: this command, mosquitto, Python.
pub(super) fn of(hub: &LocalHub, written: &Written) -> String {
    let Some(first) = &written.first else {
        return String::new();
    };
    if first.token.is_none() && first.certificate.is_none() {
        return String::new();
    }
    let mut text = String::new();
    // Writing into a string cannot fail.
    let _ = write_lines(hub, written, first, &mut text);
    text
}

fn write_lines(
    hub: &LocalHub,
    written: &Written,
    first: &FirstDevice,
    out: &mut String,
) -> core::fmt::Result {
    let (host, id) = (&first.info.identity.hub, &first.info.identity.device_id);
    let root = quoted(&written.root.to_string_lossy());
    let string = quoted(&first.connection_string.to_string_lossy());
    let port = hub.addr().port();
    let files = first
        .certificate
        .as_ref()
        .map(|(certificate, key)| [certificate, key].map(|path| quoted(&path.to_string_lossy())));

    writeln!(out, "\nconnect with a simulated module, in two terminals:")?;
    let local = format!("127.0.0.1:{port}");
    let name = quoted(&format!("{host}:8883={local}"));
    writeln!(
        out,
        "  quectel-azure sim modem --listen 127.0.0.1:5000 --host {name}"
    )?;
    let mut line = format!(
        "  quectel-azure publish --port tcp:127.0.0.1:5000 --connection-string-file {string} --ca {root}"
    );
    if let Some([certificate, key]) = &files {
        write!(line, " --cert {certificate} --key {key}")?;
    }
    writeln!(out, "{line} --message hello")?;

    writeln!(out, "with mosquitto:")?;
    let user = quoted(&format!("{host}/{id}/?api-version=2021-04-12"));
    let topic = quoted(&format!("devices/{id}/messages/events/"));
    let mut line = format!(
        "  mosquitto_pub -h localhost -p {port} --cafile {root} -i {} -u {user}",
        quoted(id)
    );
    if let Some(token) = &first.token {
        write!(line, " -P \"$(cat {})\"", quoted(&token.to_string_lossy()))?;
    }
    if let Some([certificate, key]) = &files {
        write!(line, " --cert {certificate} --key {key}")?;
    }
    writeln!(out, "{line} -t {topic} -q 1 -m hello")?;

    if port == PORT && first.token.is_some() {
        writeln!(
            out,
            "with Azure's SDK for Python (pip install azure-iot-device):"
        )?;
        let program = python(&first.connection_string, &written.root);
        writeln!(out, "  python3 -c {}", quoted(&program))?;
    }
    writeln!(out, "Ctrl-C ends the hub\n")
}

/// A line that sends one message. The SDK's port is fixed.
fn python(string: &Path, root: &Path) -> String {
    let text = |path: &Path| format!("{:?}", path.to_string_lossy());
    format!(
        "from azure.iot.device import IoTHubDeviceClient as C; \
         c = C.create_from_connection_string(open({}).read() + \";GatewayHostName=localhost\", \
         server_verification_cert=open({}).read()); c.send_message(\"hello\"); c.shutdown()",
        text(string),
        text(root)
    )
}

/// A word for a POSIX shell.
fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_survive_the_shell() {
        for (word, expected) in [
            ("local-hub.txt", "local-hub.txt"),
            ("a b", "'a b'"),
            ("it's", r"'it'\''s'"),
            ("h/d/?api-version=1", "'h/d/?api-version=1'"),
            ("", "''"),
        ] {
            assert_eq!(quoted(word), expected);
        }
    }
}
