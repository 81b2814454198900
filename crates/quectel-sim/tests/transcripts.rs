//! Sessions that people published, replayed with both sides as they were seen; the number is that of the collection of
//! field transcripts. Certificates are made for the test where the real ones are not public or no longer work.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod common;

use std::sync::{Arc, LazyLock};

use common::{
    config, hide,
    pki::{Authority, Identity},
    world::{Broker, Listener, World},
};
use mqtt311::{ConnectReturnCode, Packet, Publish};
use quectel_sim::{ModuleConfig, PowerState, Timing};
use rustls::{
    ServerConfig, crypto::aws_lc_rs, server::ResolvesServerCertUsingSni, sign::CertifiedKey,
    version::TLS12,
};

struct Pki {
    root: Authority,
    server: Identity,
}

const HUB: &str = "mqtt-quectel.azure-devices.net";

static PKI: LazyLock<Pki> = LazyLock::new(|| {
    let root = Authority::root("Root", true, (2010, 2040));
    let names = [
        HUB,
        "broker.hivemq.test",
        "badssl.com",
        "tcpbin.com",
        "test.iot.us-west-2.amazonaws.com",
    ];
    let server = root.issue(&names, HUB, true, (2015, 2039));
    Pki { root, server }
});

fn tls(named_only: bool) -> Arc<ServerConfig> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&TLS12])
        .unwrap()
        .with_no_client_auth();
    let (chain, key) = (PKI.server.chain.clone(), PKI.server.private_key());
    Arc::new(if named_only {
        let key = CertifiedKey::from_der(chain, key, &provider).unwrap();
        let mut resolver = ResolvesServerCertUsingSni::new();
        for name in [
            "broker.hivemq.test",
            "badssl.com",
            "test.iot.us-west-2.amazonaws.com",
        ] {
            resolver.add(name, key.clone()).unwrap();
        }
        builder.with_cert_resolver(Arc::new(resolver))
    } else {
        builder.with_single_cert(chain, key).unwrap()
    })
}

fn ready(profile: &str) -> ModuleConfig {
    config(profile)
        .timing(Timing::Fast)
        .power(PowerState::Ready)
        .nonvolatile("urcport", "uart1")
}

/// Runs a dialogue: `> ` lines are sent with a carriage return, `>> ` lines as they are, `< ` lines must come, and
/// `@ ` lines let time pass.
fn replay(world: &mut World, dialogue: &str) {
    let mut got = String::new();
    for line in dialogue
        .lines()
        .map(str::trim_start)
        .filter(|line| !line.is_empty())
    {
        if let Some(bytes) = line.strip_prefix(">> ") {
            assert_eq!(got, "", "before {line}");
            got = world.send(hide(bytes));
        } else if let Some(command) = line.strip_prefix("> ") {
            assert_eq!(got, "", "before {line}");
            got = world.send(format!("{command}\r"));
        } else if let Some(ms) = line.strip_prefix("@ ") {
            got.push_str(&world.wait(ms.parse().unwrap()));
        } else if let Some(expected) = line.strip_prefix("< ") {
            let Some(rest) = got.strip_prefix(expected) else {
                panic!("expected {expected}\ngot {got}")
            };
            got = rest.to_owned();
        } else {
            panic!("{line}");
        }
    }
    assert_eq!(got, "", "at the end");
}

fn quiet(mut world: World) -> World {
    world.ok("ATE0");
    world
}

#[test]
fn no_1_bg96_reaches_azure() {
    let file = PKI.root.pem.as_bytes();
    let mut setup = ready("bg96@BG96MAR02A08M1G")
        .file("cacert.pem", file)
        .nonvolatile("CREG", "0");
    setup.profile.overlay("radio", "[radio]\nqnwinfo = \"EDGE\"\nplmn = \"46001\"\nband = \"GSM 900\"\nchannel = 120\nps_stat = 1\neps_stat = 4\n").unwrap();
    let mut w = World::new(setup);
    w.listen(
        HUB,
        8883,
        Listener {
            tls: Some(tls(false)),
            ..Listener::default()
        },
    );
    w.ok("ATE0;+CGREG=1;+CREG=1;+CEREG=2");
    w.ok("AT+QIACT=1");
    let size = file.len();
    // The log shows no blank lines; the framing is that of section 1.3.
    replay(
        &mut w,
        r#"
        > ati
        < \r\nQuectel\r\nBG96\r\nRevision: BG96MAR02A08M1G\r\n\r\nOK\r\n
        > at+cgreg?;+creg?;+cereg?;+qnwinfo
        < \r\n+CGREG: 1,1\r\n\r\n+CREG: 1,1\r\n\r\n+CEREG: 2,4\r\n\r\n+QNWINFO: "EDGE","46001","GSM 900",120\r\n\r\nOK\r\n
    "#,
    );
    assert_eq!(
        w.send("at+qflst=\"UFS:*\"\r"),
        format!("\\r\\n+QFLST: \"cacert.pem\",{size}\\r\\n\\r\\nOK\\r\\n")
    );
    replay(
        &mut w,
        r#"
        > AT+QSSLCFG="cacert",2,"UFS:cacert.pem"
        < \r\nOK\r\n
        > AT+QSSLCFG="seclevel",2,1
        < \r\nOK\r\n
        > AT+QSSLCFG="sslversion",2,4
        < \r\nOK\r\n
        > AT+QMTCFG="ssl",0,1,2
        < \r\nOK\r\n
        > at+qmtcfg="version",0,4
        < \r\nOK\r\n
        > AT+QMTOPEN=0,"mqtt-quectel.azure-devices.net",8883
        < \r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n
        > AT+QMTCONN=0,"mydevice1","mqtt-quectel.azure-devices.net/mydevice1","SharedAccessSignature sr=mqtt-quectel.azure-devices.net%2Fdevices%2Fmydevice1&sig=83aqJBcsRIN9R2ZdzGxwjIGHZslTXUNZNeeq1qbmh9A%3D&se=1563244357"
        < \r\nOK\r\n\r\n+QMTCONN: 0,0,0\r\n
        > AT+QMTPUB=0,1,1,0,"mydevice1/topic"
        < \r\n> 
        >> 0123456789\x1a
        < \r\nOK\r\n\r\n+QMTPUB: 0,1,0\r\n
        > AT+QMTCLOSE=0
        < \r\nOK\r\n\r\n+QMTCLOSE: 0,0\r\n
    "#,
    );
    let Some(Packet::Connect(connect)) = w.packets.first() else {
        panic!("no CONNECT")
    };
    assert_eq!(connect.client_id, "mydevice1");
    assert_eq!(connect.password.as_ref().map(Vec::len), Some(142));
}

#[test]
fn no_1_takes_as_long_as_it_took() {
    let mut setup = ready("bg96@BG96MAR02A08M1G")
        .file("cacert.pem", PKI.root.pem.as_bytes())
        .timing(Timing::Realistic);
    setup.power = PowerState::Ready;
    let mut w = World::new(setup);
    w.listen(
        HUB,
        8883,
        Listener {
            tls: Some(tls(false)),
            ..Listener::default()
        },
    );
    w.send("ATE0\r");
    w.wait(100);
    w.send("AT+QIACT=1\r");
    w.wait(5_000);
    w.send("AT+QMTCFG=\"ssl\",0,1,2\r");
    w.wait(100);
    w.send("AT+QMTOPEN=0,\"mqtt-quectel.azure-devices.net\",8883\r");
    assert_eq!(w.wait(100), "\\r\\nOK\\r\\n");
    assert_eq!(w.wait(5_900), "");
    assert_eq!(w.wait(200), "\\r\\n+QMTOPEN: 0,0\\r\\n");
    w.send("AT+QMTCONN=0,\"id\"\r");
    assert_eq!(w.wait(1_000), "\\r\\nOK\\r\\n");
    assert_eq!(w.wait(200), "\\r\\n+QMTCONN: 0,0,0\\r\\n");
}

#[test]
fn no_2_bg96_amazon_reads_instead_of_setting() {
    let mut w = quiet(World::new(
        ready("bg96@BG96MAR02A07M1G").file("rootCA.pem", &[b'x'; 1220]),
    ));
    w.listen(
        "test.iot.us-west-2.amazonaws.com",
        8883,
        Listener {
            tls: Some(tls(true)),
            ..Listener::default()
        },
    );
    w.ok("AT+QIACT=1");
    replay(
        &mut w,
        r#"
        > AT+CGREG?
        < \r\n+CGREG: 0,4\r\n\r\nOK\r\n
        > AT+QFLST
        < \r\n+QFLST: "rootCA.pem",1220\r\n+QFLST: "security/",2\r\n\r\nOK\r\n
        > AT+QFDEL="rootCA.pem"
        < \r\nOK\r\n
        > AT+QMTCFG="SSL",0,1,2
        < \r\nOK\r\n
        > AT+QFUPL="rootCA.pem",3,100
        < \r\nCONNECT\r\n
        >> ABC
        < +QFUPL: 3,242\r\n\r\nOK\r\n
        > AT+QSSLCFG="cacert",2,"rootCA.pem"
        < \r\nOK\r\n
        > AT+QSSLCFG="seclevel",2,2
        < \r\nOK\r\n
        > AT+QSSLCFG="sslversion",2,4
        < \r\nOK\r\n
        > AT+QSSLCFG="ciphersuite",2,"0XFFFF"
        < \r\nERROR\r\n
        > AT+QSSLCFG="ciphersuite",2,0XFFFF
        < \r\nOK\r\n
        > AT+QSSLCFG="ignorelocaltime",1
        < \r\n+QSSLCFG: "ignorelocaltime",1,1\r\n\r\nOK\r\n
        > AT+QMTOPEN=0,"test.iot.us-west-2.amazonaws.com",8883
        < \r\nOK\r\n\r\n+QMTOPEN: 0,-1\r\n
    "#,
    );
}

#[test]
fn no_4_ec25_ram_files() {
    let mut w = quiet(World::new(ready("ec25@EC25AFFAR07A08M4G")));
    replay(
        &mut w,
        r#"
        > AT+QICSGP=1,1,"fast.t-mobile.com"
        < \r\nOK\r\n
        > AT+QICSGP=1
        < \r\n+QICSGP: 1,"fast.t-mobile.com","","",0\r\n\r\nOK\r\n
        > AT+QFUPL="RAM:user_key.pem",10,100
        < \r\nCONNECT\r\n
        >> 1234567890
        < +QFUPL: 10,3938\r\n\r\nOK\r\n
        > AT+QIACT?
        < \r\nOK\r\n
        > AT+QIACT=1
        < \r\nOK\r\n
        > AT+QSSLCFG="clientkey",2,"RAM:user_key.pem"
        < \r\nOK\r\n
        > AT+QSSLCFG="ciphersuite",2,0xFFFF
        < \r\nOK\r\n
        > AT+QSSLCFG="ignorelocaltime",2,1
        < \r\nOK\r\n
        > AT+QMTOPEN?
        < \r\nOK\r\n
    "#,
    );
}

#[test]
fn no_5_bg95_m5() {
    let mut setup = ready("bg95@BG95M5LAR02A04");
    setup
        .profile
        .overlay("5", "[mqtt]\nopen_order = \"result-first\"\n")
        .unwrap();
    let mut w = quiet(World::new(setup));
    w.listen(
        "test.iot.us-west-2.amazonaws.com",
        8883,
        Listener {
            tls: Some(tls(true)),
            ..Listener::default()
        },
    );
    replay(
        &mut w,
        r#"
        > AT+QMTCFG="SSL",0,1,2
        < \r\nOK\r\n
        > AT+QMTCFG="version",0,4
        < \r\nOK\r\n
        > AT+QFDEL="*"
        < \r\nOK\r\n
        > AT+QSSLCFG="cacert",2,"cacert.pem"
        < \r\nOK\r\n
        > AT+QICSGP=1,1,"Orange F","","",1
        < \r\nOK\r\n
        > AT+QIACT=1
        < \r\nOK\r\n
        > AT+QIACT?
        < \r\n+QIACT: 1,1,1,"10.76.51.180"\r\n\r\nOK\r\n
        > AT+QMTOPEN=0,"test.iot.us-west-2.amazonaws.com",8883
        < \r\n+QMTOPEN: 0,-1\r\n\r\nERROR\r\n
    "#,
    );
}

#[test]
fn no_14_bg95_hivemq_wants_a_name() {
    let mut setup = ready("bg95");
    setup.timing = Timing::Realistic;
    let mut w = World::new(setup);
    w.listen(
        "broker.hivemq.test",
        8883,
        Listener {
            tls: Some(tls(true)),
            ..Listener::default()
        },
    );
    w.send("ATE0;+QIACT=1;+QMTCFG=\"ssl\",0,1,0\r");
    w.wait(3_000);
    w.send("AT+QMTOPEN=0,\"broker.hivemq.test\",8883\r");
    assert_eq!(w.wait(100), "\\r\\nOK\\r\\n");
    // 0.33 s in the log.
    assert_eq!(w.wait(200), "");
    assert_eq!(w.wait(100), "\\r\\n+QMTOPEN: 0,-1\\r\\n");
    w.send("AT+QSSLCFG=\"SNI\",0,1\r");
    w.wait(100);
    w.send("AT+QMTOPEN=0,\"broker.hivemq.test\",8883\r");
    assert!(w.wait(10_000).ends_with("+QMTOPEN: 0,0\\r\\n"));
}

#[test]
fn no_16_thingsboard() {
    let mut w = quiet(World::new(ready("bg96")));
    w.ok("AT+QIACT=1");
    let listen = |w: &mut World, code| {
        w.listen(
            "demo",
            1883,
            Listener {
                broker: Broker {
                    code,
                    ..Broker::default()
                },
                ..Listener::default()
            },
        );
    };
    listen(&mut w, ConnectReturnCode::IdentifierRejected);
    replay(
        &mut w,
        r#"
        > AT+QMTOPEN=0,"demo",1883
        < \r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n
        > AT+QMTCONN=0,"BG96Client"
        < \r\nOK\r\n\r\n+QMTCONN: 0,0,2\r\n\r\n+QMTSTAT: 0,4\r\n
    "#,
    );
    listen(&mut w, ConnectReturnCode::NotAuthorized);
    replay(
        &mut w,
        r#"
        > AT+QMTOPEN=0,"demo",1883
        < \r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n
        > AT+QMTCONN=0,"id"
        < \r\nOK\r\n\r\n+QMTCONN: 0,0,5\r\n\r\n+QMTSTAT: 0,4\r\n
    "#,
    );
    listen(&mut w, ConnectReturnCode::Accepted);
    replay(
        &mut w,
        r#"
        > AT+QMTOPEN=0,"demo",1883
        < \r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n
        > AT+QMTCONN=0,"id","token"
        < \r\nOK\r\n\r\n+QMTCONN: 0,0,0\r\n
    "#,
    );
}

#[test]
fn no_17_length_form_of_qmtpub() {
    // BG770A behaves like a BG95 whose context is up.
    let mut setup = ready("bg95");
    setup.profile.overlay("bg770a", "[identity]\nati_model = \"BG770A-GL\"\nrevision = \"BG770AGLAAR01A03\"\n[pdp]\nactive_at_boot = 1\n").unwrap();
    let mut w = quiet(World::new(setup));
    w.listen("demo", 1883, Listener::default());
    replay(
        &mut w,
        r#"
        > AT+QIACT=1
        < \r\nERROR\r\n
        > AT+QIACT?
        < \r\n+QIACT: 1,1,1,"10.76.51.180"\r\n\r\nOK\r\n
        > AT+QMTOPEN=0,"demo",1883
        < \r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n
        > AT+QMTCONN=0,"id"
        < \r\nOK\r\n\r\n+QMTCONN: 0,0,0\r\n
        > AT+QMTPUB=0,1,1,0,"t",33
        < \r\n> 
        >> 123456789012345678901234567890123
        < \r\nOK\r\n\r\n+QMTPUB: 0,1,0\r\n
    "#,
    );
}

#[test]
fn no_18_and_20_ec600s_and_ec200s() {
    let mut setup = ready("ec200u");
    setup
        .profile
        .overlay("ec600s", "[line]\nunknown = \"ERROR\"\n")
        .unwrap();
    let mut w = quiet(World::new(setup));
    w.listen("demo", 1883, Listener::default());
    replay(
        &mut w,
        r#"
        > AT+QMTCLOSE=0
        < \r\nOK\r\n\r\n+QMTCLOSE: 0,0\r\n
        > AT+QIACT=1
        < \r\nERROR\r\n
        > AT+QICSGP=1,3,"cmnet"
        < \r\nOK\r\n
        > AT+QIACT?
        < \r\n+QIACT: 1,1,3,"10.76.51.180","2001:db8::1"\r\n\r\nOK\r\n
        > AT+QMTCFG="aliauth",0,"key","name","secret"
        < \r\nOK\r\n
        > AT+QMTOPEN=0,"demo",1883
        < \r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n
        > AT+QMTCONN=0,0
        < \r\nOK\r\n\r\n+QMTCONN: 0,0,0\r\n
        > AT+QMTPUBEX=0,0,0,0,"t",5
        < \r\n> 
        >> hello
        < \r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n
        > AT+QMTDISC=0
        < \r\nOK\r\n\r\n+QMTDISC: 0,0\r\n
    "#,
    );
}

#[test]
fn no_19_eg800ak_closes_at_once() {
    let mut w = quiet(World::new(ready(
        "eg800k@EG800KLALCR07A02M04_01.001.01.001",
    )));
    w.listen("demo", 1883, Listener::default());
    replay(
        &mut w,
        r#"
        > AT+QMTOPEN=0,"demo",1883
        < \r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n
        @ 100
        < \r\n+QMTSTAT: 0,1\r\n
        > AT+QMTCONN=0,"id"
        < \r\nERROR\r\n
    "#,
    );
}

#[test]
fn no_22_and_42_sockets() {
    let mut setup = ready("bg96@BG96MAR02A07M1G");
    setup
        .profile
        .overlay("475", "[tcp]\nconnected_state = 3\n")
        .unwrap();
    let mut w = quiet(World::new(setup));
    w.listen(
        "104.155.82.190",
        1883,
        Listener {
            echo: true,
            ..Listener::default()
        },
    );
    w.ok("AT+QIACT=1");
    replay(
        &mut w,
        r#"
        > AT+QIOPEN=1,0,"TCP","104.155.82.190",1883,22742,0
        < \r\nOK\r\n\r\n+QIOPEN: 0,0\r\n
        > AT+QISTATE=1,0
        < \r\n+QISTATE: 0,"TCP","192.0.2.1",1883,22742,3,1,0,0,"uart1"\r\n\r\nOK\r\n
        > AT+QISEND=0,5
        < \r\n> 
        >> 12345
        < \r\nSEND OK\r\n\r\n+QIURC: "recv",0\r\n
        > AT+QIRD=0,0
        < \r\n+QIRD: 5,0,5\r\n\r\nOK\r\n
        > AT+QIRD=0,5
        < \r\n+QIRD: 5\r\n12345\r\n\r\nOK\r\n
    "#,
    );
}

#[test]
fn no_29_bg95_in_rust() {
    let mut w = quiet(World::new(ready("bg95")));
    w.listen("demo", 1883, Listener::default());
    w.ok("AT+QIACT=1");
    replay(
        &mut w,
        r#"
        > AT+QMTOPEN=0,"demo",1883
        < \r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n
        > AT+QMTOPEN=0,"demo",1883
        < \r\nOK\r\n\r\n+QMTOPEN: 0,2\r\n
        > AT+QMTCLOSE=0
        < \r\nOK\r\n\r\n+QMTCLOSE: 0,0\r\n
        > AT+QMTOPEN=0,"demo",1883
        < \r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n
        > AT+QMTCONN=0,"id"
        < \r\nOK\r\n\r\n+QMTCONN: 0,0,0\r\n
        > AT+QMTPUBEX=0,1,1,0,"t","{...}"
        < \r\nOK\r\n\r\n+QMTPUB: 0,1,0\r\n
        > AT+QNTP=1,"pool.ntp.org",123
        < \r\nOK\r\n\r\n+QNTP: 0,"2026/08/07,20:00:00+32"\r\n
    "#,
    );
}

fn connected(profile: &str) -> World {
    let mut w = quiet(World::new(ready(profile)));
    w.listen("demo", 1883, Listener::default());
    w.ok("AT+QIACT=1");
    w.ok("AT+QMTOPEN=1,\"demo\",1883");
    w.ok("AT+QMTCONN=1,\"id\"");
    w
}

#[test]
fn no_30_39_and_41_messages() {
    let mut w = connected("bg95");
    let message = |topic: &str, payload: &str| {
        Packet::Publish(Publish {
            topic: topic.to_owned(),
            payload: payload.into(),
            ..Publish::default()
        })
    };
    assert_eq!(
        w.push(&message(
            "$iothub/twin/res/200/?$rid=1",
            "{\n   \"desired\": { }\n   }"
        )),
        "\\r\\n+QMTRECV: 1,0,\"$iothub/twin/res/200/?$rid=1\",\"{\\n   \"desired\": { }\\n   }\"\\r\\n"
    );
    let topic = "devices/id/messages/devicebound/%24.mid=d279&%24.to=%2Fdevices%2Fid%2Fmessages%2Fdevicebound";
    let mut w = connected("bg96@BG96MAR02A07M1G");
    assert_eq!(
        w.push(&message(topic, "test c2d msg2")),
        format!("\\r\\n+QMTRECV: 1,0,\"{topic}\",\"test c2d msg2\"\\r\\n")
    );
    replay(
        &mut w,
        r#"
        > AT+QMTPUB=1,0,0,0,"devices/id/messages/events/mId=1234567&mTyp=alrt"
        < \r\n> 
        >> {"dVal":"wind=12.4"}\x1a
        < \r\nOK\r\n\r\n+QMTPUB: 1,0,0\r\n
    "#,
    );
}

#[test]
fn no_34_35_and_36_eg800k() {
    let root = PKI.root.pem.as_bytes();
    let mut w = quiet(World::new(ready("eg800k").file("isrgx1.pem", root)));
    w.listen(
        "badssl.com",
        443,
        Listener {
            tls: Some(tls(true)),
            echo: true,
            ..Listener::default()
        },
    );
    w.listen(
        "tcpbin.com",
        4243,
        Listener {
            tls: Some(tls(false)),
            echo: true,
            ..Listener::default()
        },
    );
    replay(
        &mut w,
        r#"
        > AT+QSSLCFG="cacert",1,"isrgx1.pem"
        < \r\nOK\r\n
        > AT+QSSLCFG="seclevel",1,1
        < \r\nOK\r\n
        > AT+QSSLOPEN=1,1,4,"badssl.com",443,0
        < \r\nOK\r\n\r\n+QSSLOPEN: 4,566\r\n
        > AT+QIGETERROR
        < \r\n+QIGETERROR: 0,operate successfully\r\n\r\nOK\r\n
        > AT+CCLK?
        < \r\n+CCLK: "26/08/07,20:00:00+32"\r\n\r\nOK\r\n
        > AT+QSSLCFG="ignorelocaltime",1,1
        < \r\nOK\r\n
        > AT+QSSLOPEN=1,1,4,"badssl.com",443,0
        < \r\nOK\r\n\r\n+QSSLOPEN: 4,566\r\n
        > AT+QSSLCFG="sni",1,1
        < \r\nOK\r\n
        > AT+QSSLOPEN=1,1,4,"badssl.com",443,0
        < \r\nOK\r\n\r\n+QSSLOPEN: 4,0\r\n
        > AT+QSSLCLOSE=4
        < \r\nOK\r\n
        > AT+QSSLOPEN=1,1,4,"tcpbin.com",4243,0
        < \r\nOK\r\n\r\n+QSSLOPEN: 4,0\r\n
        > AT+QSSLSTATE
        < \r\n+QSSLSTATE: 4,"SSLClient","192.0.2.1",4243,0,2,1,4,0,"uart1",1\r\n\r\nOK\r\n
        > AT+QSSLSEND=4,15
        < \r\n> 
        >> fifteen bytes !
        < \r\nSEND OK\r\n\r\n+QSSLURC: "recv",4\r\n
        > AT+QSSLRECV=4,1500
        < \r\n+QSSLRECV: 15\r\nfifteen bytes !\r\n\r\nOK\r\n
        > AT+QSSLRECV=4,1500
        < \r\n+QSSLRECV: 0\r\n\r\nOK\r\n
    "#,
    );
    // About 20 opens wedge the data stack until the power is cycled.
    let mut setup = ready("eg800k");
    setup
        .profile
        .overlay("36", "[tcp]\nwedge_after = 20\n")
        .unwrap();
    let mut w = quiet(World::new(setup));
    w.listen(
        "tcpbin.com",
        4243,
        Listener {
            tls: Some(tls(false)),
            echo: true,
            ..Listener::default()
        },
    );
    for _ in 0..20 {
        assert!(
            w.send("AT+QSSLOPEN=1,1,4,\"tcpbin.com\",4243,0\r")
                .ends_with("+QSSLOPEN: 4,0\\r\\n")
        );
        w.ok("AT+QSSLCLOSE=4");
    }
    replay(
        &mut w,
        r#"
        > AT+QSSLOPEN=1,1,4,"tcpbin.com",4243,0
        < \r\nOK\r\n\r\n+QSSLOPEN: 4,552\r\n
        > AT+QIACT?
        < \r\n+QIACT: 1,1,1,"10.76.51.180"\r\n\r\nOK\r\n
        > AT+QIDEACT=1
        < \r\nOK\r\n
        > AT+QIACT=1
        < \r\nERROR\r\n
    "#,
    );
}

#[test]
fn no_38_microsofts_driver() {
    let mut w = World::new(ready("bg96").file("ca_cert.pem", &[b'x'; 1261]));
    replay(
        &mut w,
        r#"
        > AT
        < AT\r\r\nOK\r\n
        > ATE0
        < ATE0\r\r\nOK\r\n
        > AT+CMEE=1
        < \r\nOK\r\n
        > AT+QISDE=0
        < \r\nOK\r\n
        > AT+QMTCFG="ssl",0,1,2
        < \r\nOK\r\n
        > AT+QMTCFG="version",0,4
        < \r\nOK\r\n
        > AT+QSSLSTATE
        < \r\nOK\r\n
        > AT+CPIN?
        < \r\n+CPIN: READY\r\n\r\nOK\r\n
        >> AT+CFUN=
        >> 1
        >> \r
        < \r\nOK\r\n
        > AT+CFUN?
        < \r\n+CFUN: 1\r\n\r\nOK\r\n
        > AT+QICSGP=1
        < \r\n+QICSGP: 1,"","","",0\r\n\r\nOK\r\n
        > AT+QIDNSCFG=1
        < \r\nERROR\r\n
        > AT+QIACT?
        < \r\nOK\r\n
        > AT+QIACT=1
        < \r\nOK\r\n
        > AT+QIACT?
        < \r\n+QIACT: 1,1,1,"10.76.51.180"\r\n\r\nOK\r\n
        > AT+QIDNSCFG=1
        < \r\n+QIDNSCFG: 1,"10.0.0.10","10.0.0.11"\r\n\r\nOK\r\n
        > AT+QICLOSE=0
        < \r\nOK\r\n
        > AT+QFUPL="ca_cert.pem",1294,100
        < \r\n+CME ERROR: 407\r\n
        > AT+QFLST="*"
        < \r\n+QFLST: "ca_cert.pem",1261\r\n+QFLST: "security/",2\r\n\r\nOK\r\n
    "#,
    );
}

#[test]
fn no_44_seeed_wiki() {
    let mut w = quiet(World::new(ready("eg25")));
    w.listen("test.mosquitto.org", 1883, Listener::default());
    w.ok("AT+QIACT=1");
    replay(
        &mut w,
        r#"
        > AT+QMTCFG="recv/mode",0,0,1
        < \r\nOK\r\n
        > AT+QMTOPEN=0,"test.mosquitto.org",1883
        < \r\nOK\r\n\r\n+QMTOPEN: 0,0\r\n
        > AT+QMTCONN=0,"clientExample"
        < \r\nOK\r\n\r\n+QMTCONN: 0,0,0\r\n
        > AT+QMTPUBEX=0,0,0,0,"test/topic",30
        < \r\n> 
        >> This is test data, hello MQTT.
        < \r\nOK\r\n\r\n+QMTPUBEX: 0,0,0\r\n
    "#,
    );
}

#[test]
fn thread_8115_bilal_dps_without_server_name() {
    // BG96MAR02A07M1G cannot send the server's name, and the global endpoint serves only named hosts.
    let setup = ready("bg96@BG96MAR02A07M1G").file("ca_cert.pem", PKI.root.pem.as_bytes());
    let setup = setup
        .file("client_cert.pem", PKI.server.pem.as_bytes())
        .file("client_key.pem", PKI.server.key_pem.as_bytes());
    let mut w = quiet(World::new(setup));
    w.listen(
        "global.azure-devices-provisioning.net",
        8883,
        Listener {
            tls: Some(tls(true)),
            ..Listener::default()
        },
    );
    replay(
        &mut w,
        r#"
        > AT+CPIN?
        < \r\n+CPIN: READY\r\n\r\nOK\r\n
        > AT+QICSGP=2,1,"ZONG","","",3
        < \r\nOK\r\n
        > AT+QIACT=2
        < \r\nOK\r\n
        > AT+CGPADDR=2
        < \r\n+CGPADDR: 2,10.76.51.181\r\n\r\nOK\r\n
        > AT+QSSLCFG="sslversion",0,3
        < \r\nOK\r\n
        > AT+QSSLCFG="ciphersuite",0,0XFFFF
        < \r\nOK\r\n
        > AT+QSSLCFG="negotiatetime",0,300
        < \r\nOK\r\n
        > AT+QFUPL="ca_cert.pem",1282
        < \r\n+CME ERROR: 407\r\n
        > AT+QSSLCFG="seclevel",0,2
        < \r\nOK\r\n
        > AT+QSSLCFG="cacert",0,"ca_cert.pem"
        < \r\nOK\r\n
        > AT+QSSLCFG="clientcert",0,"client_cert.pem"
        < \r\nOK\r\n
        > AT+QSSLCFG="clientkey",0,"client_key.pem"
        < \r\nOK\r\n
        > AT+QSSLCFG="ignorelocaltime",0,1
        < \r\nOK\r\n
        > AT+QSSLCFG="ignorelocaltime",0
        < \r\n+QSSLCFG: "ignorelocaltime",0,1\r\n\r\nOK\r\n
        > AT+QMTCFG="version",1,4
        < \r\nOK\r\n
        > AT+QMTCFG="pdpcid",1,2
        < \r\nOK\r\n
        > AT+QMTCFG="keepalive",1,150
        < \r\nOK\r\n
        > AT+QMTCFG="session",1,1
        < \r\nOK\r\n
        > AT+QMTCFG="ssl",1,1,0
        < \r\nOK\r\n
        > AT+QMTOPEN=1,"global.azure-devices-provisioning.net",8883
        < \r\nOK\r\n\r\n+QMTOPEN: 1,-1\r\n
        > AT+QMTOPEN?
        < \r\nOK\r\n
    "#,
    );
}
