//! A run that fails says why, in the doctor's words.

mod support;

use quectel_azure_cli::Status;
use quectel_sim::{ModuleConfig, PowerState, SimState, Timing};
use support::{Bench, DEVICE, HUB, Ran, ready};

/// Publishes over a module in the simulated network of the bench, with another device and root.
fn publish(bench: &Bench, config: ModuleConfig, device: &str, root: &str) -> Ran {
    bench.write("device", device);
    bench.write("root", root);
    bench.publish(&bench.module(config), &["--timeout", "5"])
}

#[test]
fn a_failure_names_its_cause_and_what_to_type() {
    let bench = Bench::with_key();
    let good = || ready("ec25");
    let (device, root) = (bench.read("device"), bench.read("root"));
    let old = ModuleConfig::with_firmware("bg96", "BG96MAR02A07M1G")
        .unwrap()
        .timing(Timing::Fast)
        .power(PowerState::Ready);
    let mut apn = good();
    apn.apns = vec!["other.example".into()];
    let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    let wrong_key = format!("HostName={HUB};DeviceId={DEVICE};SharedAccessKey={key}");
    let other_root = Bench::with_key().read("root");
    let misspelt = device.replace(HUB, "contosso.azure-devices.net");
    for (name, config, device, root, id, fix) in [
        (
            "wrong root",
            good(),
            &device,
            &other_root,
            "tls.ca-wrong-for-host",
            "leave --ca out",
        ),
        ("no SNI", old, &device, &root, "tls.sni-", "AT+"),
        (
            "wrong key",
            good(),
            &wrong_key,
            &root,
            "mqtt.connack-5-not-authorized",
            "",
        ),
        ("wrong APN", apn, &device, &root, "net.", "AT+QICSGP=1,1,"),
        (
            "no SIM",
            good().sim(SimState::Absent),
            &device,
            &root,
            "net.sim-not-ready",
            "AT+CPIN?",
        ),
        (
            "wrong host",
            good(),
            &misspelt,
            &root,
            "net.dns-failed",
            "AT+QIDNSGIP=1,\"contosso.",
        ),
    ] {
        let ran = publish(&bench, config, device, root);
        assert_eq!(ran.status, Status::Failed, "{name}: {}", ran.err);
        let error = ran.error();
        let cause = error.split("\n  cause:       ").nth(1).unwrap_or_default();
        assert!(
            cause.starts_with(id) && cause.contains(fix),
            "{name}: {error}"
        );
        assert!(
            !error.contains(key) && !error.contains("***"),
            "{name}: {error}"
        );
        let remedy = error.find("what to do:").unwrap();
        assert!(remedy < error.find("cause:").unwrap(), "{name}: {error}");
    }
}

#[test]
fn firmware_without_a_server_name_is_named() {
    let bench = Bench::with_key();
    let old = ModuleConfig::with_firmware("bg96", "BG96MAR02A07M1G")
        .unwrap()
        .timing(Timing::Fast)
        .power(PowerState::Ready);
    let ran = bench.publish(&bench.module(old), &[]);
    assert!(
        ran.error().contains("tls.sni-unsupported-fw"),
        "{}",
        ran.err
    );
}

#[test]
fn a_wrong_clock_of_the_module_is_put_right() {
    let bench = Bench::with_key();
    for clock in [1_000_000_000, 4_000_000_000] {
        let ran = bench.publish(&bench.module(ready("ec25").unix_s(clock)), &[]);
        assert_eq!(ran.status, Status::Done, "{clock}: {}", ran.err);
    }
}

#[test]
fn a_trace_of_this_program_is_a_log_for_the_doctor() {
    let bench = Bench::with_key();
    let trace = bench.path("trace");
    let mut apn = ready("ec25");
    apn.apns = vec!["other.example".into()];
    let ran = bench.publish(&bench.module(apn), &["--trace", support::text(&trace)]);
    assert_eq!(ran.status, Status::Failed);
    let ran = support::command(&["doctor", support::text(&trace)]);
    assert_eq!(ran.status, Status::Failed, "{}{}", ran.out, ran.err);
    assert!(
        ran.out.contains("error[net.") && ran.out.contains("AT+QIACT=1"),
        "{}",
        ran.out
    );
}

#[test]
fn an_error_before_the_module_is_touched_has_no_finding() {
    let ran = support::command(&["publish", "--port", "tcp:127.0.0.1:1", "--message", "x"]);
    assert_eq!(ran.status, Status::Usage);
    assert!(
        !ran.err.contains("cause:") && !ran.err.contains("may be:"),
        "{}",
        ran.err
    );
}
