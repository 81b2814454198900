//! One thing broken in a right session, for each cause that the simulator can show.

use iothub_sim::sas_token;
use quectel_azure_tests::world::{DEVICE, DPS, HUB, NOW_UNIX_S};
use quectel_sim::{SimState, Timing};

use super::plan::{Act, Model, Plan, user_name};

/// Which sessions a fault can be shown in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum With {
    Any,
    Sas,
    X509,
    /// Firmware that can send the server name.
    Sni,
    /// Firmware that cannot.
    NoSni,
    /// A publish with Ctrl-Z.
    CtrlZ,
    /// A publish with a length.
    Length,
}

impl With {
    pub(crate) fn fits(self, model: Model, x509: bool) -> bool {
        match self {
            Self::Any => true,
            Self::Sas => !x509,
            Self::X509 => x509,
            Self::Sni => model.sni,
            Self::NoSni => !model.sni,
            Self::CtrlZ => !model.length,
            Self::Length => model.length,
        }
    }
}

pub(crate) struct Fault {
    /// What the doctor must name first; further names are the same fault.
    pub(crate) ids: &'static [&'static str],
    pub(crate) with: With,
    pub(crate) breaks: fn(&mut Plan),
}

const fn fault(ids: &'static [&'static str], with: With, breaks: fn(&mut Plan)) -> Fault {
    Fault { ids, with, breaks }
}

const BALTIMORE: &str = include_str!("../../fixtures/Baltimore_CyberTrust_Root.pem");

fn line(text: impl Into<String>) -> Act {
    Act::Line(text.into())
}

fn root(plan: &mut Plan, name: &str, pem: &str, declared: usize) {
    plan.set(
        "upload",
        Act::Upload(name.into(), declared, pem.as_bytes().to_vec()),
    );
}

fn expiry(plan: &mut Plan, end: u64) {
    let password = plan.token(&format!("{HUB}/devices/{DEVICE}"), end);
    let act = plan.connect(DEVICE, &user_name(), &password);
    plan.set("connect", act);
}

fn password(plan: &mut Plan, change: impl Fn(String) -> String) {
    let password = change(plan.password());
    let act = plan.connect(DEVICE, &user_name(), &password);
    plan.set("connect", act);
}

fn identity(plan: &mut Plan, id: &str, user: &str) {
    let password = plan.password();
    let act = plan.connect(id, user, &password);
    plan.set("connect", act);
}

fn dps(plan: &mut Plan, id: &str, user: &str, resource: &str, policy: Option<&str>) {
    let open = plan.open(DPS, 8883);
    plan.set("open", open);
    let token = sas_token(resource, &plan.key, NOW_UNIX_S + 3_600, policy);
    let connect = plan.connect(id, user, &token);
    plan.set("connect", connect);
}

pub(crate) const TLS: &[Fault] = &[
    fault(&["tls.sni-missing"], With::Sni, |p| p.remove("sni")),
    fault(&["tls.sni-missing"], With::Sni, |p| p.ssl_item("sni", "0")),
    fault(
        &["tls.sni-unsupported-fw", "tls.sni-missing"],
        With::NoSni,
        |p| {
            p.setup.require_sni = true;
            p.before("bind", line(format!("AT+QSSLCFG=\"sni\",{},1", p.ssl)));
        },
    ),
    fault(
        &["tls.setting-query-not-set", "tls.sni-missing"],
        With::Sni,
        |p| {
            p.line("sni", format!("AT+QSSLCFG=\"sni\",{}", p.ssl));
        },
    ),
    fault(&["tls.ctx-mismatch"], With::Any, |p| {
        p.setup.require_sni = true;
        p.line(
            "bind",
            format!("AT+QMTCFG=\"ssl\",{},1,{}", p.client, (p.ssl + 1) % 6),
        );
    }),
    fault(&["tls.ctx-mismatch", "tls.not-enabled"], With::Any, |p| {
        p.line(
            "bind",
            format!("AT+QMTCFG=\"ssl\",{},1,{}", p.client + 1, p.ssl),
        );
    }),
    fault(&["tls.seclevel2-no-client-cert"], With::Sas, |p| {
        p.ssl_item("seclevel", "2")
    }),
    fault(&["tls.seclevel2-no-client-cert"], With::X509, |p| {
        p.remove("clientkey")
    }),
    fault(&["tls.seclevel2-no-client-cert"], With::X509, |p| {
        p.remove("clientcert")
    }),
    fault(&["tls.seclevel-needs-ca"], With::Sas, |p| {
        p.remove("cacert")
    }),
    fault(&["tls.ca-retired-baltimore"], With::Any, |p| {
        root(p, "ca.pem", BALTIMORE, BALTIMORE.len());
    }),
    fault(&["tls.not-enabled"], With::Any, |p| p.remove("bind")),
    fault(&["tls.not-enabled"], With::Any, |p| {
        p.line("bind", format!("AT+QMTCFG=\"ssl\",{},0", p.client))
    }),
    fault(&["tls.version-too-old"], With::Any, |p| {
        p.ssl_item("sslversion", "1")
    }),
    fault(&["tls.cipher-pinned"], With::Any, |p| {
        p.ssl_item("ciphersuite", "0X0035")
    }),
    fault(&["tls.settings-lost-after-reboot"], With::Any, |p| {
        p.before("open", Act::Wait(15_000));
        p.before("open", line("AT+CFUN=1,1"));
        p.before("open", Act::Wait(15_000));
        p.before("open", line("AT+QIACT=1"));
    }),
    fault(&["tls.clock-not-set"], With::Any, |p| {
        p.config.unix_s = 315_964_800;
        p.config = p.config.clone().without_clock();
    }),
];

pub(crate) const FILES: &[Fault] = &[
    fault(&["file.length-mismatch"], With::Any, |p| {
        root(p, "ca.pem", BALTIMORE, BALTIMORE.len() - 40);
    }),
    fault(&["file.length-mismatch"], With::Any, |p| {
        root(
            p,
            "ca.pem",
            BALTIMORE.get(..900).unwrap_or_default(),
            BALTIMORE.len(),
        );
    }),
    fault(&["file.name-mismatch"], With::Any, |p| {
        p.set("upload", Act::Upload("RAM:ca.pem".into(), 0, Vec::new()))
    }),
    fault(&["file.name-mismatch"], With::Any, |p| {
        p.set("upload", Act::Upload("CA.pem".into(), 0, Vec::new()))
    }),
    fault(&["file.missing-on-module"], With::Any, |p| {
        p.set("upload", Act::Upload("other.pem".into(), 0, Vec::new()));
        p.after("upload", line("AT+QFLST=\"*\""));
    }),
    fault(&["file.exists-407"], With::Any, |p| {
        p.config = p.config.clone().file("ca.pem", BALTIMORE.as_bytes());
    }),
    fault(&["file.cert-key-swapped"], With::X509, |p| {
        p.ssl_item("clientcert", "\"client.key\"");
        p.ssl_item("clientkey", "\"client.pem\"");
    }),
];

pub(crate) const NETWORK: &[Fault] = &[
    fault(
        &["net.apn-missing-or-wrong", "net.pdp-not-active"],
        With::Any,
        |p| {
            p.config.apns = vec!["internet".into()];
            p.line("apn", "AT+QICSGP=1,1,\"\",\"\",\"\",0".into());
        },
    ),
    fault(&["net.pdp-not-active"], With::Any, |p| {
        p.line("activate", "AT+QIDEACT=1".into());
        p.line(
            "bind",
            format!("AT+QMTCFG=\"ssl\",{},1,{}", p.client, p.ssl),
        );
        p.config.apns = vec!["another".into()];
    }),
    fault(&["net.pdpcid-mismatch"], With::Any, |p| {
        p.before("bind", line(format!("AT+QMTCFG=\"pdpcid\",{},3", p.client)));
    }),
    fault(&["net.sim-not-ready"], With::Any, |p| {
        p.config = p.config.clone().sim(SimState::Absent)
    }),
    fault(&["net.no-signal", "net.not-registered"], With::Any, |p| {
        p.config.coverage = false
    }),
    fault(
        &["net.registration-denied", "net.not-registered"],
        With::Any,
        |p| p.config.registers = false,
    ),
    fault(&["net.dns-failed"], With::Any, |p| {
        let open = p.open("contoso2.azure-devices.net", 8883);
        p.set("open", open);
    }),
    fault(&["az.host-malformed"], With::Any, |p| {
        let open = p.open("contoso.azure-device.net", 8883);
        p.set("open", open);
    }),
    fault(&["syn.host-has-scheme"], With::Any, |p| {
        let open = p.open(&format!("mqtts://{HUB}"), 8883);
        p.set("open", open);
    }),
    fault(&["net.pdp-dropped"], With::Any, |p| {
        p.before("publish", Act::Happens(|world| world.module.drop_pdp(1)));
        p.before("publish", Act::Wait(5_000));
    }),
    fault(&["fw.reset-or-brownout"], With::Any, |p| {
        p.before("publish", Act::Happens(|world| world.module.power_cycle()));
        p.before("publish", Act::Wait(20_000));
    }),
];

pub(crate) const SEQUENCE: &[Fault] = &[
    fault(&["mqtt.conn-before-open"], With::Any, |p| {
        let open = format!("AT+QMTOPEN={},\"{HUB}\",8883", p.client);
        p.line("open", open);
        p.config = p.config.clone().timing(Timing::Realistic);
    }),
    fault(&["mqtt.conn-too-late"], With::Any, |p| {
        p.setup.rules.connect_timeout_ms = 5_000;
        p.before("connect", Act::Wait(20_000));
    }),
    fault(&["mqtt.id-occupied"], With::Any, |p| {
        p.remove("close");
        let open = p.open(HUB, 8883);
        p.after("publish", open);
        p.goes_on = true;
    }),
    fault(
        &["mqtt.version-3", "mqtt.connack-1-protocol"],
        With::Any,
        |p| {
            p.line("version", format!("AT+QMTCFG=\"version\",{},3", p.client));
        },
    ),
    fault(&["mqtt.pub-not-terminated"], With::CtrlZ, |p| {
        let topic = format!("devices/{DEVICE}/messages/events/");
        if let Act::Publish(line, payload, _) = p.publish(&topic, 1, 1) {
            p.set("publish", Act::Publish(line, payload, b""));
        }
        p.before("close", line("AT+CSQ"));
        p.goes_on = true;
    }),
    fault(&["mqtt.pub-length"], With::Length, |p| {
        p.line(
            "publish",
            format!(
                "AT+QMTPUBEX={},1,1,0,\"devices/{DEVICE}/messages/events/\"",
                p.client
            ),
        );
        p.goes_on = true;
    }),
    fault(&["mqtt.msgid-invalid"], With::Any, |p| {
        let act = p.publish(&format!("devices/{DEVICE}/messages/events/"), 0, 1);
        p.set("publish", act);
    }),
    fault(&["syn.smart-quotes"], With::Any, |p| {
        p.line(
            "bind",
            format!("AT+QMTCFG=\u{201C}ssl\u{201D},{},1,{}", p.client, p.ssl),
        );
    }),
    fault(&["fw.dialect"], With::Any, |p| {
        p.line("bind", "AT+CMQTTSTART".into());
        p.line("version", "AT+CMQTTACCQ=0,\"dev-1\",1".into());
        p.steps.truncate(p.steps.len() - 6);
    }),
];

pub(crate) const AZURE: &[Fault] = &[
    fault(&["az.sas-expired"], With::Sas, |p| {
        expiry(p, NOW_UNIX_S - 3_600)
    }),
    fault(&["az.sas-sr-mismatch"], With::Sas, |p| {
        let token = p.token(&format!("{HUB}/devices/dev-2"), NOW_UNIX_S + 3_600);
        let act = p.connect(DEVICE, &user_name(), &token);
        p.set("connect", act);
    }),
    fault(&["az.sas-sig-not-encoded"], With::Sas, |p| {
        password(p, |token| token.replace("%3D", "="))
    }),
    fault(&["az.sas-sig-not-encoded"], With::Sas, |p| {
        password(p, |token| token.replace("%3D", "%253D"))
    }),
    fault(&["az.password-is-connection-string"], With::Sas, |p| {
        let key = p.key.to_base64();
        password(p, |_| {
            format!("HostName={HUB};DeviceId={DEVICE};SharedAccessKey={key}")
        });
    }),
    fault(&["az.password-is-connection-string"], With::Sas, |p| {
        let key = p.key.to_base64();
        password(p, |_| key.clone());
    }),
    fault(&["az.sas-truncated"], With::Sas, |p| {
        password(p, |token| {
            token.split("&se=").next().unwrap_or_default().to_owned()
        });
    }),
    fault(&["az.sas-truncated"], With::Sas, |p| {
        password(p, |token| {
            token.get(..token.len() / 2).unwrap_or_default().to_owned()
        });
    }),
    fault(&["az.username-format"], With::Any, |p| {
        identity(p, DEVICE, HUB)
    }),
    fault(&["az.username-format"], With::Any, |p| {
        identity(p, DEVICE, &format!("{HUB}{DEVICE}/?api-version=2021-04-12"))
    }),
    fault(&["az.clientid-mismatch"], With::Any, |p| {
        identity(p, "DEV-1", &user_name())
    }),
    fault(&["az.clientid-mismatch"], With::Any, |p| {
        identity(p, "modem", &user_name())
    }),
    fault(&["az.host-mismatch"], With::Any, |p| {
        identity(
            p,
            DEVICE,
            &format!("fabrikam.azure-devices.net/{DEVICE}/?api-version=2021-04-12"),
        );
    }),
    fault(&["az.x509-vs-sas"], With::X509, |p| {
        let token = p.token(&format!("{HUB}/devices/{DEVICE}"), NOW_UNIX_S + 3_600);
        let act = p.connect(DEVICE, &user_name(), &token);
        p.set("connect", act);
    }),
    fault(
        &["az.x509-vs-sas", "mqtt.connack-5-not-authorized"],
        With::Sas,
        |p| password(p, |_| String::new()),
    ),
    fault(&["az.topic-not-allowed"], With::Any, |p| {
        let act = p.publish("sensors/1", 1, 1);
        p.set("publish", act);
    }),
    fault(&["az.topic-not-allowed"], With::Any, |p| {
        let act = p.publish("devices/dev-2/messages/events/", 1, 1);
        p.set("publish", act);
    }),
    fault(&["az.qos2"], With::Any, |p| {
        let act = p.publish(&format!("devices/{DEVICE}/messages/events/"), 1, 2);
        p.set("publish", act);
    }),
    fault(&["az.keepalive-too-long"], With::Any, |p| {
        p.line(
            "keepalive",
            format!("AT+QMTCFG=\"keepalive\",{},3600", p.client),
        );
    }),
    fault(&["mqtt.sub-refused"], With::Any, |p| {
        let act = p.subscribe("sensors/#");
        p.set("subscribe", act);
    }),
    fault(&["az.api-version-missing"], With::Any, |p| {
        p.setup.rules.accept_any_api_version = true;
        identity(p, DEVICE, &format!("{HUB}/{DEVICE}"));
    }),
    fault(&["az.sas-expired-midsession"], With::Sas, |p| {
        expiry(p, NOW_UNIX_S + 120);
        p.before("close", Act::Wait(300_000));
    }),
];

pub(crate) const DPS_FAULTS: &[Fault] = &[
    fault(&["dps.clientid-not-regid"], With::Sas, |p| {
        let resource = "0ne00ABC/registrations/reg-1";
        dps(
            p,
            "modem",
            "0ne00ABC/registrations/reg-1/api-version=2019-03-31",
            resource,
            Some("registration"),
        );
    }),
    fault(&["dps.username-format"], With::Sas, |p| {
        let resource = "0ne00ABC/registrations/reg-1";
        dps(
            p,
            "reg-1",
            "0ne00ABC/registrations/reg-1",
            resource,
            Some("registration"),
        );
    }),
    fault(&["dps.hub-credentials"], With::Sas, |p| {
        let open = p.open(DPS, 8883);
        p.set("open", open);
    }),
];
