//! The sessions of the forum thread that this project began with, typed command by command at the simulated module.
//!
//! # Reference
//! forums.quectel.com, "Connect module to Azure IoT Hub", thread 8115: the vendor's BG96 log of 2018-06-25, the EC21
//! user's session, and the BG96 user's two sessions against the Device Provisioning Service. Certificates are made by
//! the tests where the real ones no longer serve; names, numbers and order are the thread's.

use iothub_sim::{Device, KeyKind, SharedAccessKey, sas_token};
use quectel_azure_tests::world::{DPS, HubSetup, World, device_certificate, module};

/// 2018-06-25 11:57:46 UTC, the first line of the vendor's log.
const LOG_UNIX_S: u64 = 1_529_927_866;
/// 2019-07-16: the end of the token in that log.
const TOKEN_END_UNIX_S: u64 = 1_563_244_357;

const QUECTEL_HUB: &str = "mqtt-quectel.azure-devices.net";
const OLSBERGS_HUB: &str = "olsbergs-iot-test.azure-devices.net";

fn upload(world: &mut World, name: &str, content: &[u8]) -> String {
    let heard = world.type_line(&format!("AT+QFUPL=\"{name}\",{},10", content.len()), 50);
    assert!(heard.contains("CONNECT"), "{name}: {heard}");
    world.send(content);
    world.run_until(world.now_ms + 500);
    world.heard()
}

/// Types a line and waits until the module has said `expected`, at most `wait_ms`.
fn expect(world: &mut World, line: &str, wait_ms: u64, expected: &str) {
    let end = world.now_ms + wait_ms;
    let mut heard = world.type_line(line, 0);
    while !heard.contains(expected) && world.now_ms < end {
        world.run_until(world.now_ms + 100);
        heard.push_str(&world.heard());
    }
    assert!(
        heard.contains(expected),
        "{line}\nexpected {expected:?} in {heard:?}\n{:?}",
        world.refusals()
    );
}

/// Without the final CRLF, as the EC21 user's C string was.
fn baltimore() -> Vec<u8> {
    let pem = include_str!("../fixtures/Baltimore_CyberTrust_Root.pem");
    pem.trim_end().replace('\n', "\r\n").into_bytes()
}

#[test]
fn the_vendors_bg96_log_succeeds() {
    let key = SharedAccessKey::generate();
    let mut setup = HubSetup::new().without_sni();
    // The log's user name has no api-version.
    setup.rules.accept_any_api_version = true;
    setup.rules.accept_legacy_user_name = true;
    setup.unix_s = LOG_UNIX_S;
    setup.hosts = vec![QUECTEL_HUB.into()];
    setup.device = Device::with_key("mydevice1", key.clone());
    let bg96 = module("bg96", Some("BG96MAR02A08M1G"), LOG_UNIX_S);
    let mut world = World::new(setup, bg96);
    world.run_until(1_000);
    world.heard();

    expect(
        &mut world,
        "ati",
        500,
        "Quectel\r\nBG96\r\nRevision: BG96MAR02A08M1G\r\n\r\nOK\r\n",
    );
    let heard = world.type_line("at+cgreg?;+creg?;+cereg?;+qnwinfo", 500);
    for part in ["+CGREG: ", "+CREG: ", "+CEREG: ", "+QNWINFO: ", "OK"] {
        assert!(heard.contains(part), "{heard:?}");
    }
    // Activated before the log begins.
    expect(&mut world, "AT+QICSGP=1,1,\"internet\"", 500, "OK");
    expect(&mut world, "AT+QIACT=1", 5_000, "OK");
    let ca = world.ca_pem.clone();
    upload(&mut world, "cacert.pem", ca.as_bytes());
    let listed = format!("+QFLST: \"cacert.pem\",{}", ca.len());
    expect(&mut world, "at+qflst=\"UFS:*\"", 500, &listed);
    expect(
        &mut world,
        "AT+QSSLCFG=\"cacert\",2,\"UFS:cacert.pem\"",
        500,
        "OK",
    );
    expect(&mut world, "AT+QSSLCFG=\"seclevel\",2,1", 500, "OK");
    expect(&mut world, "AT+QSSLCFG=\"sslversion\",2,4", 500, "OK");
    expect(&mut world, "AT+QMTCFG=\"ssl\",0,1,2", 500, "OK");
    expect(&mut world, "at+qmtcfg=\"version\",0,4", 500, "OK");
    let open = format!("AT+QMTOPEN=0,\"{QUECTEL_HUB}\",8883");
    expect(&mut world, &open, 20_000, "\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n");
    let token = sas_token(
        &format!("{QUECTEL_HUB}/devices/mydevice1"),
        &key,
        TOKEN_END_UNIX_S,
        None,
    );
    let conn = format!("AT+QMTCONN=0,\"mydevice1\",\"{QUECTEL_HUB}/mydevice1\",\"{token}\"");
    expect(
        &mut world,
        &conn,
        5_000,
        "\r\nOK\r\n\r\n+QMTCONN: 0,0,0\r\n",
    );
    expect(
        &mut world,
        "AT+QMTPUB=0,1,1,0,\"devices/mydevice1/messages/events/\"",
        500,
        "\r\n> ",
    );
    world.send(b"0123456789\x1A");
    world.run_until(world.now_ms + 5_000);
    let heard = world.heard();
    assert!(
        heard.contains("\r\nOK\r\n\r\n+QMTPUB: 0,1,0\r\n"),
        "{heard:?}"
    );
    assert_eq!(world.telemetry()[0].payload, b"0123456789");
    expect(
        &mut world,
        "AT+QMTCLOSE=0",
        12_000,
        "\r\nOK\r\n\r\n+QMTCLOSE: 0,0\r\n",
    );
}

/// The log's own topic is not one of IoT Hub's: the hub closes the connection.
#[test]
fn the_logs_topic_makes_the_hub_close() {
    let key = SharedAccessKey::generate();
    let mut setup = HubSetup::new().without_sni();
    // The log's user name has no api-version.
    setup.rules.accept_any_api_version = true;
    setup.rules.accept_legacy_user_name = true;
    setup.unix_s = LOG_UNIX_S;
    setup.hosts = vec![QUECTEL_HUB.into()];
    setup.device = Device::with_key("mydevice1", key.clone());
    let mut world = World::new(setup, module("bg96", Some("BG96MAR02A08M1G"), LOG_UNIX_S));
    world.run_until(1_000);
    expect(&mut world, "AT+QICSGP=1,1,\"internet\"", 500, "OK");
    expect(&mut world, "AT+QIACT=1", 5_000, "OK");
    expect(&mut world, "AT+QMTCFG=\"ssl\",0,1,2", 500, "OK");
    expect(&mut world, "AT+QMTCFG=\"version\",0,4", 500, "OK");
    expect(
        &mut world,
        &format!("AT+QMTOPEN=0,\"{QUECTEL_HUB}\",8883"),
        20_000,
        "+QMTOPEN: 0,0",
    );
    let token = sas_token(
        &format!("{QUECTEL_HUB}/devices/mydevice1"),
        &key,
        TOKEN_END_UNIX_S,
        None,
    );
    let conn = format!("AT+QMTCONN=0,\"mydevice1\",\"{QUECTEL_HUB}/mydevice1\",\"{token}\"");
    expect(&mut world, &conn, 5_000, "+QMTCONN: 0,0,0");
    world.type_line("AT+QMTPUB=0,1,1,0,\"mydevice1/topic\"", 500);
    world.send(b"0123456789\x1A");
    world.run_until(world.now_ms + 10_000);
    let heard = world.heard();
    assert!(heard.contains("+QMTSTAT: 0,1"), "{heard:?}");
    assert!(world.telemetry().is_empty());
}

/// TLS context 1 is configured but MQTT is bound to context 2.
#[test]
fn the_ec21_users_session_fails_and_succeeds_when_corrected() {
    let key = SharedAccessKey::generate();
    let mut setup = HubSetup::new();
    setup.hosts = vec![OLSBERGS_HUB.into()];
    setup.device = Device::with_key("ec21", key.clone());
    let unix_s = setup.unix_s;
    let mut world = World::new(setup, module("ec21", Some("EC21EUXGAR08A02M1G"), unix_s));
    world.run_until(1_000);
    // The user's evaluation board shows URCs on the port that he types at.
    expect(&mut world, "AT+QURCCFG=\"urcport\",\"uart1\"", 500, "OK");

    expect(&mut world, "AT+QICSGP=1,1,\"online.telia.se\"", 500, "OK");
    expect(&mut world, "AT+QIACT=1", 5_000, "OK");
    for line in ["AT+CREG=1", "AT+CGREG=1", "AT+CEREG=1", "AT+CGATT=1"] {
        expect(&mut world, line, 500, "OK");
    }
    let heard = world.type_line("at+cgreg?;+creg?;+cereg?;+cgdcont?;+qnwinfo", 500);
    assert!(
        heard.contains("+CGDCONT: 1,\"IP\",\"online.telia.se\""),
        "{heard:?}"
    );
    let heard = upload(&mut world, "RAM:cacert.pem", &baltimore());
    assert_eq!(heard, "+QFUPL: 1280,4f54\r\n\r\nOK\r\n");
    expect(
        &mut world,
        "AT+QSSLCFG=\"cacert\",1,\"RAM:cacert.pem\"",
        500,
        "OK",
    );
    expect(&mut world, "AT+QSSLCFG=\"seclevel\",1,2", 500, "OK");
    expect(&mut world, "AT+QSSLCFG=\"sslversion\",1,4", 500, "OK");
    expect(&mut world, "AT+QMTCFG=\"ssl\",0,1,2", 500, "OK");
    expect(&mut world, "AT+QMTCFG=\"version\",0,4", 500, "OK");
    let open = format!("AT+QMTOPEN=0,\"{OLSBERGS_HUB}\",8883");
    expect(
        &mut world,
        &open,
        60_000,
        "\r\nOK\r\n\r\n+QMTOPEN: 0,-1\r\n",
    );

    // Corrected: the root that the hub has, one TLS context, the server's name, no client certificate.
    let ca = world.ca_pem.clone();
    upload(&mut world, "RAM:root.pem", ca.as_bytes());
    expect(
        &mut world,
        "AT+QSSLCFG=\"cacert\",2,\"RAM:root.pem\"",
        500,
        "OK",
    );
    expect(&mut world, "AT+QSSLCFG=\"seclevel\",2,1", 500, "OK");
    expect(&mut world, "AT+QSSLCFG=\"sslversion\",2,4", 500, "OK");
    expect(&mut world, "AT+QSSLCFG=\"sni\",2,1", 500, "OK");
    expect(&mut world, &open, 60_000, "\r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n");
    let token = sas_token(
        &format!("{OLSBERGS_HUB}/devices/ec21"),
        &key,
        unix_s + 3_600,
        None,
    );
    let conn = format!(
        "AT+QMTCONN=0,\"ec21\",\"{OLSBERGS_HUB}/ec21/?api-version=2021-04-12\",\"{token}\""
    );
    expect(&mut world, &conn, 5_000, "+QMTCONN: 0,0,0");
}

/// All three contexts agree, both times; the firmware cannot send the name that the shared endpoint needs.
#[test]
fn the_bg96_users_dps_sessions_fail_without_sni() {
    // PDP context, TLS context, MQTT client of the two logs.
    for (pdp, ssl, mqtt) in [(2, 0, 1), (1, 2, 0)] {
        let setup = HubSetup::new();
        let unix_s = setup.unix_s;
        let mut world = World::new(setup, module("bg96", Some("BG96MAR02A07M1G"), unix_s));
        world.run_until(1_000);
        let client = device_certificate(unix_s, KeyKind::Rsa2048);
        let ca = world.ca_pem.clone();
        let settings = |name: &str, value: &str| format!("AT+QSSLCFG=\"{name}\",{ssl},{value}");
        expect(&mut world, "AT+CPIN?", 500, "+CPIN: READY");
        expect(
            &mut world,
            &format!("AT+QICSGP={pdp},1,\"ZONG\",\"\",\"\",3"),
            500,
            "OK",
        );
        expect(&mut world, &format!("AT+QIACT={pdp}"), 5_000, "OK");
        expect(
            &mut world,
            &format!("AT+CGPADDR={pdp}"),
            500,
            &format!("+CGPADDR: {pdp},"),
        );
        expect(&mut world, &settings("sslversion", "3"), 500, "OK");
        expect(&mut world, &settings("ciphersuite", "0XFFFF"), 500, "OK");
        expect(&mut world, &settings("negotiatetime", "300"), 500, "OK");
        upload(&mut world, "ca_cert.pem", ca.as_bytes());
        upload(
            &mut world,
            "client_cert.pem",
            client.certificate_pem.as_bytes(),
        );
        upload(&mut world, "client_key.pem", client.key_pem.as_bytes());
        let again = format!("AT+QFUPL=\"ca_cert.pem\",{}", ca.len());
        expect(&mut world, &again, 500, "+CME ERROR: 407");
        expect(&mut world, "AT+QFDEL=\"ca_cert.pem\"", 500, "OK");
        upload(&mut world, "ca_cert.pem", ca.as_bytes());
        for (name, value) in [
            ("seclevel", "2"),
            ("cacert", "\"ca_cert.pem\""),
            ("clientcert", "\"client_cert.pem\""),
            ("clientkey", "\"client_key.pem\""),
            ("ignorelocaltime", "1"),
        ] {
            expect(&mut world, &settings(name, value), 500, "OK");
        }
        expect(&mut world, &settings("sni", "1"), 500, "ERROR");
        for (name, value) in [
            ("version", 4),
            ("pdpcid", pdp),
            ("keepalive", 150),
            ("session", 1),
        ] {
            expect(
                &mut world,
                &format!("AT+QMTCFG=\"{name}\",{mqtt},{value}"),
                500,
                "OK",
            );
        }
        expect(
            &mut world,
            &format!("AT+QMTCFG=\"ssl\",{mqtt},1,{ssl}"),
            500,
            "OK",
        );
        let open = format!("AT+QMTOPEN={mqtt},\"{DPS}\",8883");
        expect(
            &mut world,
            &open,
            60_000,
            &format!("\r\nOK\r\n\r\n+QMTOPEN: {mqtt},-1\r\n"),
        );
        assert!(
            !world.refusals().is_empty(),
            "the handshake reached the server and was refused there"
        );
        assert_eq!(
            world.type_line("AT+QMTOPEN?", 500),
            "AT+QMTOPEN?\r\r\nOK\r\n"
        );
    }
}
