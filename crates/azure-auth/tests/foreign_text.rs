//! Whatever arrives or is pasted is answered: every sample cut short anywhere and with any byte changed.

#![expect(clippy::unwrap_used, reason = "a test may stop at the first surprise")]

use azure_auth::dps::{Registration, Response};
use azure_auth::topics::Topic;
use azure_auth::{ConnectionString, Encoded, Identity, SasToken, SharedAccessKey};

const SAMPLES: &[&str] = &[
    "HostName=contoso.azure-devices.net;DeviceId=d;ModuleId=m;SharedAccessKey=AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=;",
    "\"HostName=h.net;DeviceId=d;x509=true\"\r\n",
    "SharedAccessSignature sr=h%2Fdevices%2Fd&sig=1sY1G3%2B%2BFZar2HfkFZit4C3IGSAfGbAJ1zno1WkK9d4%3D&se=1700003600&skn=device",
    "devices/d/modules/m/inputs/i/%24.mid=1&a&b=&c=%C3%A9",
    "devices/d/messages/devicebound/?%24.to=%2Fdevices%2Fd",
    "$iothub/twin/res/204/?$rid=1&$version=6",
    "$dps/registrations/res/202/?$rid=1&retry-after=3",
    r#"{"operationId":"5.1","status":"assigned","registrationState":{"assignedHub":"h.net","errorCode":0,"payload":[{}]}}"#,
];

/// Bytes that mean something to one of the readers, and some that mean nothing.
const BYTES: &[u8] = b"\0\r\n \"#$%&'+,-./09:;=?AZaz[\\]{}\x1a\x1b\x7f";

fn variants(sample: &str) -> impl Iterator<Item = String> {
    let cut = (0..=sample.len()).map(|end| sample[..end].to_owned());
    let changed = (0..sample.len()).flat_map(move |at| {
        BYTES.iter().map(move |byte| {
            let mut bytes = sample.as_bytes().to_vec();
            bytes[at] = *byte;
            String::from_utf8(bytes).unwrap()
        })
    });
    cut.chain(changed)
}

/// Whether text can stand in a quoted parameter of an AT command.
fn is_sendable(text: &str) -> bool {
    text.bytes()
        .all(|byte| (byte.is_ascii_graphic() && byte != b'"') || byte == b' ')
}

#[test]
fn accepted_texts_can_be_sent_and_are_accepted_again() {
    let mut accepted = [0; 2];
    for text in SAMPLES.iter().flat_map(|sample| variants(sample)) {
        if let Ok(given) = ConnectionString::parse(&text) {
            accepted[0] += 1;
            let identity = given.identity();
            let again = Identity::new(identity.hub(), identity.device_id(), identity.module_id());
            assert_eq!(again, Ok(identity), "{text}");
            let optional = [
                given.shared_access_key(),
                given.shared_access_key_name(),
                given.shared_access_signature(),
            ];
            for part in optional
                .into_iter()
                .flatten()
                .chain([given.connect_host(), given.device_id()])
            {
                assert!(is_sendable(part), "{text}");
            }
        }
        if let Ok(token) = SasToken::parse(&text) {
            accepted[1] += 1;
            assert!(is_sendable(token.expose()), "{text}");
            let again = SasToken::parse(token.expose()).map(|token| token.expiry_unix_s());
            assert_eq!(again, Ok(token.expiry_unix_s()), "{text}");
        }
    }
    assert!(accepted.iter().all(|count| *count > 100), "{accepted:?}");
}

#[test]
fn topics_and_bodies_are_answered() {
    let registration = Registration::new("0ne1", "d").unwrap();
    let (mut bags, mut bodies) = (0, 0);
    for text in SAMPLES.iter().flat_map(|sample| variants(sample)) {
        if let Topic::C2d { properties, .. } | Topic::Input { properties, .. } = Topic::parse(&text)
        {
            bags += 1;
            for property in properties {
                let found = properties.find(property.name.raw());
                assert!(
                    property.name.raw().contains('%') || found.is_some(),
                    "{text}"
                );
            }
        }
        if let Ok(answer) = Response::parse(text.as_bytes()) {
            bodies += 1;
            let hub = answer
                .assigned_hub
                .map(|hub| hub.decode(&mut [0; 64]).map(str::len));
            assert!(hub.is_none_or(|len| len.is_ok()), "{text}");
        }
        let decoded = Encoded::new(&text)
            .decode_bytes(&mut [0; 256])
            .map(<[u8]>::len);
        assert!(decoded.is_ok_and(|len| len <= text.len()), "{text}");
        let key = SharedAccessKey::from_base64(&text);
        assert!(key.is_err() || text.is_empty() || text.len() >= 4, "{text}");
        let covers =
            SasToken::parse(&text).is_ok_and(|token| token.covers_registration(&registration));
        assert!(!covers, "{text}");
    }
    assert!(bags > 100 && bodies > 100, "{bags} {bodies}");
}
