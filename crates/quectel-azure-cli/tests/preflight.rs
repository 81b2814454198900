//! `doctor --preflight`: faults of a configuration, without a module.

mod support;

use iothub_sim::{DeviceCertificate, KeyKind, Validity};
use quectel_azure_cli::Status;
use serde_json::Value;
use support::{Bench, DEVICE, HUB, Ran, command, text};

fn preflight(bench: &Bench, more: &[&str]) -> Ran {
    let device = bench.path("device");
    let args = [
        "doctor",
        "--preflight",
        "--connection-string-file",
        text(&device),
        "--apn",
        "iot.example",
    ];
    command(&[&args, more].concat())
}

fn ids(ran: &Ran) -> Vec<String> {
    let report: Value = serde_json::from_str(&ran.out).unwrap_or_default();
    let ids = report["findings"].as_array().into_iter().flatten();
    ids.filter_map(|finding| finding["id"].as_str().map(str::to_owned))
        .collect()
}

#[test]
fn a_good_configuration_has_no_fault() {
    let bench = Bench::with_key();
    let ran = preflight(&bench, &["--model", "EC25", "--message", "hello"]);
    assert_eq!(ran.status, Status::Done, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.starts_with("nothing wrong found") && ran.out.contains("nothing was sent"),
        "{}",
        ran.out
    );
}

#[test]
fn connection_strings_are_judged() {
    let bench = Bench::with_key();
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let good = format!("HostName={HUB};DeviceId={DEVICE};SharedAccessKey={key}");
    let token = |se: u64| {
        format!(
            "HostName={HUB};DeviceId={DEVICE};SharedAccessSignature=SharedAccessSignature \
             sr={HUB}%2Fdevices%2F{DEVICE}&sig=1sY1G3%2B%2BFZar2HfkFZit4C3IGSAfGbAJ1zno1WkK9d4%3D&se={se}"
        )
    };
    for (device, id) in [
        (good.replace(HUB, "contoso"), "az.host-malformed"),
        (
            good.replace(HUB, "contoso.azure-device.net"),
            "az.host-malformed",
        ),
        (good.replace(key, "not base64!"), "config.key"),
        (good.replace(DEVICE, "a device"), "config."),
        (
            good.replace(&format!("DeviceId={DEVICE};"), ""),
            "config.connection-string",
        ),
        (token(1_700_003_600), "az.sas-expired"),
        (
            token(4_102_444_800).replacen("devices%2Fdev-1", "devices%2Fdev-2", 1),
            "az.sas-sr-mismatch",
        ),
    ] {
        bench.write("device", &device);
        let ran = preflight(&bench, &["--json"]);
        assert_eq!(
            ran.status,
            Status::Failed,
            "{device}: {}{}",
            ran.out,
            ran.err
        );
        assert!(
            ids(&ran).iter().any(|found| found.starts_with(id)),
            "{device}: {}",
            ran.out
        );
        assert!(
            !ran.out.contains(key) && !ran.out.contains("1sY1G3"),
            "{}",
            ran.out
        );
        assert!(
            preflight(&bench, &[]).out.contains(&format!("error[{id}")),
            "{id}"
        );
    }
}

#[test]
fn certificates_and_keys_are_judged() {
    let bench = Bench::with_certificate();
    let made =
        |validity| DeviceCertificate::self_signed(DEVICE, KeyKind::default(), validity).unwrap();
    let other = made(Validity::default());
    let old = made(Validity::around(1_500_000_000));
    let files = |cert: &str, key: &str| {
        let (cert, key) = (bench.write("c", cert), bench.write("k", key));
        let args = ["--json", "--cert", text(&cert), "--key", text(&key)];
        preflight(&bench, &args)
    };
    let (cert, key) = (bench.read("cert"), bench.read("key"));
    assert_eq!(ids(&files(&cert, &key)), Vec::<String>::new());
    for (name, cert, key, id) in [
        (
            "another key",
            cert.as_str(),
            other.key_pem.as_str(),
            "file.cert-key-not-a-pair",
        ),
        (
            "expired",
            &old.certificate_pem,
            &old.key_pem,
            "config.certificate",
        ),
        ("swapped", &key, &cert, "file.pem-armor-missing"),
        ("no PEM", "certificate", &key, "file.pem-armor-missing"),
    ] {
        let ran = files(cert, key);
        assert_eq!(ran.status, Status::Failed, "{name}: {}{}", ran.out, ran.err);
        assert!(ids(&ran).contains(&id.to_owned()), "{name}: {}", ran.out);
    }
}

#[test]
fn roots_are_judged() {
    let bench = Bench::with_key();
    let root = |name: &str, content: &[u8]| {
        let file = bench.write(name, content);
        ids(&preflight(&bench, &["--json", "--ca", text(&file)]))
    };
    let roots = quectel_serial::quectel_azure::azure_auth::roots::DIGICERT_GLOBAL_ROOT_G2_PEM;
    assert_eq!(root("g2", roots), Vec::<String>::new());
    let retired = quectel_serial::quectel_azure::azure_auth::roots::DIGICERT_GLOBAL_ROOT_CA_PEM;
    assert_eq!(root("ca", retired), ["tls.ca-wrong-for-host"]);
    // The beginning is right, and then a line is not.
    let damaged: String = String::from_utf8_lossy(roots)
        .lines()
        .enumerate()
        .map(|(n, line)| if n == 2 { "A".repeat(line.len()) } else { line.to_owned() } + "\n")
        .collect();
    assert_eq!(root("damaged", damaged.as_bytes()), ["file.bom-or-garbage"]);
    let empty = b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    assert_eq!(root("empty", empty), ["file.pem-armor-missing"]);
    assert_eq!(root("text", b"root"), ["file.pem-armor-missing"]);
}

#[test]
fn module_and_message_are_judged() {
    let bench = Bench::with_key();
    let long = "x".repeat(5000);
    let pin = bench.write("pin", "12");
    for (args, id) in [
        (
            vec!["--model", "BG96", "--message", long.as_str()],
            "mqtt.pub-length",
        ),
        (vec!["--pin-file", text(&pin)], "net.sim-not-ready"),
    ] {
        let ran = preflight(&bench, &[&args[..], &["--json"]].concat());
        assert_eq!(
            (ran.status, ids(&ran)),
            (Status::Failed, vec![id.to_owned()]),
            "{}",
            ran.err
        );
    }
    let old = ["--model", "BG96", "--firmware", "BG96MAR02A07M1G"];
    let ran = preflight(&bench, &old);
    assert_eq!(ran.status, Status::Done, "{}", ran.out);
    assert!(
        ran.out.contains("warning[tls.sni-unsupported-fw]"),
        "{}",
        ran.out
    );
}

#[test]
fn what_cannot_be_read_or_is_not_known_is_status_2() {
    let bench = Bench::with_key();
    for args in [
        ["--model", "SIM7600"],
        ["--ca", "no-such-file"],
        ["--profile", "none"],
        ["--ca", "/"],
    ] {
        let ran = preflight(&bench, &args);
        assert_eq!(
            (ran.status, ran.out.as_str()),
            (Status::Usage, ""),
            "{args:?}"
        );
        assert!(ran.err.contains("what to do:"), "{}", ran.err);
    }
    let ran = command(&["doctor", "--preflight"]);
    assert_eq!(ran.status, Status::Usage);
    assert!(ran.err.contains("no connection string"), "{}", ran.err);
    let ran = command(&["doctor", "--preflight", "--port", "tcp:127.0.0.1:1"]);
    assert_eq!(ran.status, Status::Usage);
}
