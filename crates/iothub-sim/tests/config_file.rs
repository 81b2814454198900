//! Configuration files: what they can say, and how faults are reported.
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::path::Path;

use iothub_sim::{
    Attestation, CertificateFault, ConfigFile, Credentials, Fault, GroupAttestation, Identity,
    KeyKind, Permission, Pki, PkiOptions, Reprovisioning, SharedAccessKey, TlsVersions,
};

const WHOLE: &str = r#"
[tls]
require_sni = false
versions = "1.2, 1.3"
chain = "ecdsa"
fault = "wrong-name"

[rules]
max_subscriptions = 50
accept_legacy_user_name = true

[[hub]]
host = "contoso.azure-devices.net"
other_hosts = ["contoso.device.azure-devices.net"]

[[hub.policy]]
name = "device"
primary_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
permissions = ["device-connect"]

[[hub.device]]
id = "keys"
primary_key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="

[[hub.device.module]]
id = "mod1"

[[hub.device]]
id = "thumb"
primary_thumbprint = "DF:3C:24:F9:BF:D6:66:76:1B:26:80:73:FE:06:D1:CC:8D:4F:82:A4"
disabled = true

[[hub.device]]
id = "ca"
certificate_authority = true

[[hub]]
host = "fabrikam.azure-devices.net"

[[provisioning]]
id_scope = "0ne00000A0A"
retry_after_s = 5
polls_before_result = 0
issue_certificates_for_days = 30

[[provisioning.enrollment]]
registration_id = "reg-1"
device_id = "dev-a"
hubs = ["fabrikam.azure-devices.net"]
reprovisioning = "reset-data"
initial_tags = { site = 1 }
initial_desired = { rate = 5, deep = { a = [1, 2] } }
payload = { hello = true }

[[provisioning.enrollment]]
registration_id = "reg-2"
primary_thumbprint = "DF3C24F9BFD666761B268073FE06D1CC8D4F82A4"
failure = { code = 400207, message = "no" }

[[provisioning.group]]
name = "fleet"
disabled = true
"#;

fn seed() -> SharedAccessKey {
    SharedAccessKey::from_bytes([1; 32])
}

fn parse(text: &str) -> Result<ConfigFile, String> {
    ConfigFile::parse(text, Path::new("conf/hub.toml"), &seed()).map_err(|error| error.to_string())
}

#[test]
fn everything_that_can_be_said() {
    let file = parse(WHOLE).unwrap();
    assert!(!file.tls.require_sni);
    assert_eq!(file.tls.versions, TlsVersions::Tls12And13);
    assert_eq!(file.key_kind, KeyKind::EcdsaP256);
    assert_eq!(file.certificate_fault, CertificateFault::WrongName);
    assert_eq!(file.issuing, [("0ne00000A0A".to_owned(), 30)]);
    let config = file.config;
    assert_eq!(config.rules.max_subscriptions, 50);
    assert!(config.rules.accept_legacy_user_name);
    assert_eq!(
        config.rules.connect_timeout_ms, 30_000,
        "what is left out stays as it is"
    );

    let hub = &config.hubs[0];
    assert_eq!(hub.policies.len(), 5);
    let policy = hub
        .policies
        .iter()
        .find(|policy| policy.name == "device")
        .unwrap();
    assert_eq!(policy.permissions, [Permission::DeviceConnect]);
    let given: SharedAccessKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
        .parse()
        .unwrap();
    assert_eq!(policy.primary_key, given);
    let [keys, thumb, ca] = hub.devices.as_slice() else {
        panic!("{:?}", hub.devices);
    };
    assert!(
        matches!(&keys.credentials, Credentials::SharedAccessKeys { primary, .. } if *primary == given)
    );
    assert_eq!(keys.modules[0].id, "mod1");
    assert!(!thumb.enabled);
    assert!(matches!(
        thumb.credentials,
        Credentials::SelfSigned {
            secondary: None,
            ..
        }
    ));
    assert_eq!(ca.credentials, Credentials::CertificateAuthority);

    let service = &config.provisioning[0];
    assert_eq!((service.retry_after_s, service.polls_before_result), (5, 0));
    let [first, second] = service.enrollments.as_slice() else {
        panic!("{:?}", service.enrollments);
    };
    assert_eq!(first.device_id.as_deref(), Some("dev-a"));
    assert_eq!(
        first.settings.reprovisioning,
        Some(Reprovisioning::ResetData)
    );
    let desired = first.settings.initial_desired.as_deref();
    assert_eq!(desired, Some(r#"{"deep":{"a":[1,2]},"rate":5}"#));
    assert!(matches!(
        second.attestation,
        Attestation::Certificate { .. }
    ));
    assert_eq!(second.settings.failure.as_ref().unwrap().code, 400_207);
    assert!(service.groups[0].settings.disabled);
    assert!(matches!(
        service.groups[0].attestation,
        GroupAttestation::SymmetricKeys { .. }
    ));
}

#[test]
fn faults_from_the_start() {
    let text = r#"
[tls]
handshake_delay_ms = 250
[chaos]
seed = 7
per_thousand = 20
[[hub]]
host = "a.net"
[[hub.device]]
id = "d"
[[hub.device.module]]
id = "m"
[[provisioning]]
id_scope = "0ne1"
[[provisioning.enrollment]]
registration_id = "r"
[[fault]]
device = "d"
module = "m"
fault = { delay-pubacks = { count = 1, delay_ms = 500 } }
[[fault]]
id_scope = "0ne1"
registration_id = "R"
fault = { provisioning-status = { count = 2, status = 429, retry_after_s = 5 } }
"#;
    let file = parse(text).unwrap();
    assert_eq!(file.handshake_delay.as_millis(), 250);
    let chaos = file.chaos.map(|chaos| (chaos.seed, chaos.per_thousand));
    assert_eq!(chaos, Some((7, 20)));
    let throttled = Fault::ProvisioningStatus {
        count: 2,
        status: 429,
        retry_after_s: 5,
    };
    let late = "delay-pubacks = { count = 1, delay_ms = 500 }";
    assert_eq!(
        file.faults,
        [
            (Identity::module("a.net", "d", "m"), late.parse().unwrap()),
            (Identity::registration("0ne1", "r"), throttled),
        ]
    );
    for wrong in [
        "",
        "drop-pubacks",
        "slow = 1",
        "drop = 1 }\nx = { y = 1",
        "\"",
    ] {
        let error = wrong.parse::<Fault>().unwrap_err().to_string();
        assert!(error.contains("is not a fault"), "{error}");
    }
}

#[test]
fn keys_left_out_follow_from_the_seed() {
    let string = |seed: &SharedAccessKey| {
        let text = "[[hub]]\nhost = \"a.net\"\n[[hub.device]]\nid = \"d\"\n";
        let file = ConfigFile::parse(text, Path::new("x"), seed).unwrap();
        file.config.connection_string("d").unwrap()
    };
    assert_eq!(string(&seed()), string(&seed()));
    assert_ne!(
        string(&seed()),
        string(&SharedAccessKey::from_bytes([2; 32]))
    );
}

#[test]
fn certificate_files() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = PkiOptions::for_hosts(["a.net"]);
    options.key_kind = KeyKind::EcdsaP256;
    let pki = Pki::new(&options).unwrap();
    std::fs::write(folder.path().join("ca.pem"), pki.root_pem()).unwrap();
    std::fs::write(folder.path().join("empty.pem"), "nothing").unwrap();
    let path = folder.path().join("hub.toml");
    let text = |file: &str| {
        format!(
            "[[hub]]\nhost = \"a.net\"\nauthorities = [\"{file}\"]\n[[provisioning]]\nid_scope = \"0ne1\"\n[[provisioning.group]]\nname = \"g\"\nauthority = \"{file}\"\n"
        )
    };
    std::fs::write(&path, text("ca.pem")).unwrap();
    let config = ConfigFile::read(&path, &seed()).unwrap().config;
    assert_eq!(config.hubs[0].authorities, [pki.root_der()]);
    let group = GroupAttestation::Authority(pki.root_der().to_vec());
    assert_eq!(config.provisioning[0].groups[0].attestation, group);

    for (file, problem) in [
        ("empty.pem", "contains no certificate"),
        ("gone.pem", "cannot read"),
    ] {
        std::fs::write(&path, text(file)).unwrap();
        let error = ConfigFile::read(&path, &seed()).unwrap_err().to_string();
        assert!(
            error.contains("hub.toml:3: [[hub]] authorities: "),
            "{error}"
        );
        assert!(error.contains(problem), "{error}");
    }
    let gone = ConfigFile::read(&folder.path().join("gone.toml"), &seed()).unwrap_err();
    assert!(
        gone.to_string().contains("gone.toml: cannot be read: "),
        "{gone}"
    );
}

#[test]
fn faults_name_file_line_and_key() {
    let hub = "[[hub]]\nhost = \"a.net\"\n";
    let device = |rest: &str| format!("{hub}[[hub.device]]\nid = \"d\"\n{rest}\n");
    let scope = |rest: &str| format!("{hub}[[provisioning]]\nid_scope = \"0ne1\"\n{rest}\n");
    let rows = [
        (String::new(), "conf/hub.toml: no hub is configured"),
        (
            "[[hub]]\n".to_owned(),
            "conf/hub.toml:1: [[hub]]: missing field `host`",
        ),
        ("[[hub]\n".to_owned(), "conf/hub.toml:1: "),
        (
            "[[hub]]\nhost = 7\n".to_owned(),
            "conf/hub.toml:2: [[hub]] host: invalid type",
        ),
        (
            "[[hub]]\nhost = \"a b\"\n".to_owned(),
            "conf/hub.toml:2: [[hub]] host: `a b` is not a host name",
        ),
        ("[hubs]\n".to_owned(), "conf/hub.toml:1: "),
        (
            format!("{hub}{hub}"),
            "conf/hub.toml:4: [[hub]] host: host name `a.net` is configured twice",
        ),
        (
            device("primary_key = \"AAA\""),
            "conf/hub.toml:5: [[hub.device]] primary_key: shared access key is not padded standard base64",
        ),
        (
            device("primary_thumbprint = \"AB\""),
            "conf/hub.toml:5: [[hub.device]] primary_thumbprint: thumbprint has 2 hexadecimal digits",
        ),
        (
            device("colour = 1"),
            "conf/hub.toml:5: [[hub.device]] colour: unknown field `colour`",
        ),
        (
            device("certificate_authority = true\nprimary_key = \"AAAA\""),
            "conf/hub.toml:4: [[hub.device]] id: has more than one",
        ),
        (
            device(
                "primary_key = \"AAAA\"\nprimary_thumbprint = \"DF3C24F9BFD666761B268073FE06D1CC8D4F82A4\"",
            ),
            "conf/hub.toml:4: [[hub.device]] id: has more than one",
        ),
        (
            device("secondary_thumbprint = \"DF3C24F9BFD666761B268073FE06D1CC8D4F82A4\""),
            "conf/hub.toml:4: [[hub.device]] id: has a secondary_thumbprint",
        ),
        (
            device("[[hub.device]]\nid = \"d\""),
            "conf/hub.toml:6: [[hub.device]] id: device or module `d` is configured twice",
        ),
        (
            device("[[hub.device]]\nid = \"a/b\""),
            "conf/hub.toml:6: [[hub.device]] id: `a/b`: id contains `/`",
        ),
        (
            device("[[hub.policy]]\nname = \"p\"\npermissions = [\"all\"]"),
            "conf/hub.toml:7: [[hub.policy]] permissions: unknown variant `all`",
        ),
        (
            scope("[[provisioning.enrollment]]\nregistration_id = \"-\""),
            "conf/hub.toml:6: [[provisioning.enrollment]] registration_id: `-` is not a registration id",
        ),
        (
            scope("[[provisioning.enrollment]]\nregistration_id = \"r\"\nhubs = [\"b.net\"]"),
            "conf/hub.toml:7: [[provisioning.enrollment]] hubs: enrollment `r` names the hub `b.net`",
        ),
        (
            scope("[[provisioning.enrollment]]\nregistration_id = \"r\"\npayload = 5"),
            "conf/hub.toml:6: [[provisioning.enrollment]] registration_id: the payload of enrollment `r` is not a JSON object",
        ),
        (
            scope("[[provisioning.enrollment]]\nregistration_id = \"r\"\nreprovisioning = \"x\""),
            "conf/hub.toml:",
        ),
        (
            device("[[hub.device.module]]\nid = \"m\"\ndisabled = true"),
            "conf/hub.toml:6: [[hub.device.module]] id: is a module",
        ),
        (
            format!("{hub}[rules]\nspeed = 1\n"),
            "conf/hub.toml:4: [rules] speed: unknown field `speed`",
        ),
        (
            device("[[fault]]\ndevice = \"x\"\nfault = \"half-open\""),
            "conf/hub.toml:6: [[fault]] device: is not a device of this file",
        ),
        (
            device("[[fault]]\ndevice = \"d\"\nfault = \"drop\""),
            "conf/hub.toml:7: [[fault]] fault: happens to an open connection at once",
        ),
        (
            device("[[fault]]\nfault = \"half-open\""),
            "conf/hub.toml:6: [[fault]] fault: a fault meets a device",
        ),
        (
            device(
                "[[fault]]\ndevice = \"d\"\nfault = { refuse-connects = { count = 1, code = 9 } }",
            ),
            "conf/hub.toml:7: [[fault]] fault: the return code of a CONNACK is 0 to 5",
        ),
        (
            format!("{hub}[tls]\nversions = \"1.1\"\n"),
            "conf/hub.toml:4: [tls] versions: unknown variant `1.1`",
        ),
    ];
    for (text, expected) in rows {
        let error = parse(&text).unwrap_err();
        assert!(
            error.starts_with(expected),
            "{error}\n  instead of\n{expected}\n  for\n{text}"
        );
    }
}
