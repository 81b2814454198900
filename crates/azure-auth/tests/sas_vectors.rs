//! SAS tokens, user names and topics that other implementations made; see `rules` in the file.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

use azure_auth::dps::Registration;
use azure_auth::topics::{self, PropertyBag, SystemProperty};
use azure_auth::{Identity, SasRequest, SasToken, SharedAccessKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

fn vectors() -> Value {
    serde_json::from_str(include_str!("sas_vectors.json")).unwrap()
}

fn list<'v>(all: &'v Value, name: &str) -> &'v [Value] {
    let list = all[name].as_array().unwrap();
    assert!(!list.is_empty(), "{name}");
    list
}

fn text<'v>(vector: &'v Value, name: &str) -> &'v str {
    vector[name]
        .as_str()
        .unwrap_or_else(|| panic!("{name} in {vector}"))
}

fn key_of_hex(hex: &str) -> SharedAccessKey {
    let digits: Vec<u8> = hex
        .chars()
        .map(|digit| u8::try_from(digit.to_digit(16).unwrap()).unwrap())
        .collect();
    let bytes: Vec<u8> = digits
        .chunks(2)
        .map(|pair| pair[0] << 4 | pair[1])
        .collect();
    SharedAccessKey::from_base64(&STANDARD.encode(bytes)).unwrap()
}

/// The request that the named parts of a resource make, with its policy still to be set.
fn by_names(resource: &str, expiry: u64) -> Option<SasRequest<'_>> {
    if let Some((id_scope, registration_id)) = resource.split_once("/registrations/") {
        return Some(
            Registration::new(id_scope, registration_id)
                .unwrap()
                .sas_request(expiry)
                .without_policy(),
        );
    }
    let (hub, ids) = resource.split_once("/devices/").unwrap();
    let (device_id, module_id) = match ids.split_once("/modules/") {
        Some((device_id, module_id)) => (device_id, Some(module_id)),
        None => (ids, None),
    };
    // One vector has a blank in its module id, which the documented character set has not.
    let identity = Identity::new(hub, device_id, module_id);
    assert_eq!(identity.is_err(), resource.contains(' '), "{resource}");
    identity
        .ok()
        .map(|identity| SasRequest::for_identity(&identity, expiry))
}

#[test]
fn tokens_are_made_and_read_back() {
    for vector in list(&vectors(), "vectors") {
        let name = text(vector, "name");
        let key = SharedAccessKey::from_base64(text(vector, "key_base64")).unwrap();
        let expiry = vector["expiry"].as_u64().unwrap();
        let resource = text(vector, "resource_uri");
        let requests = [
            Some(SasRequest::for_resource(resource, expiry)),
            by_names(resource, expiry),
        ];
        for request in requests.into_iter().flatten() {
            let request = match vector["policy_name"].as_str() {
                Some(policy) => request.policy(policy),
                None => request,
            };
            let (mut to_sign, mut out) = ([0; 512], [0; 512]);
            let to_sign = request.to_sign(&mut to_sign).unwrap();
            assert_eq!(to_sign, text(vector, "string_to_sign").as_bytes(), "{name}");
            let signature = key.sign(to_sign);
            assert_eq!(
                STANDARD.encode(signature),
                text(vector, "signature_base64"),
                "{name}"
            );
            assert_eq!(
                request.finish(&signature, &mut out),
                Ok(text(vector, "token")),
                "{name}"
            );
            assert_eq!(
                request.token(&key, &mut out),
                Ok(text(vector, "token")),
                "{name}"
            );
        }
        let token = SasToken::parse(text(vector, "token")).unwrap();
        assert_eq!(
            token.expose().len() as u64,
            vector["token_len"].as_u64().unwrap(),
            "{name}"
        );
        assert_eq!(token.expiry_unix_s(), expiry, "{name}");
        assert!(token.resource().is(resource), "{name}");
        assert_eq!(token.resource().raw(), text(vector, "sr_encoded"), "{name}");
        assert_eq!(
            token.policy().map(|policy| policy.raw()),
            vector["policy_name"].as_str(),
            "{name}"
        );
        assert!(token.is_signed_by(&key), "{name}");
        assert!(!token.is_signed_by(&key.derive("other")), "{name}");
        assert!(
            key_of_hex(text(vector, "key_hex")).sign(b"x") == key.sign(b"x"),
            "{name}"
        );
    }
}

#[test]
fn keys_of_group_enrollments() {
    let all = vectors();
    let groups = list(&all, "vectors")
        .iter()
        .filter(|vector| !vector["group_key_base64"].is_null());
    let mut seen = 0;
    for vector in groups {
        let group = SharedAccessKey::from_base64(text(vector, "group_key_base64")).unwrap();
        let derived = group.derive(text(vector, "registration_id"));
        assert_eq!(
            derived.expose_base64(&mut [0; 88]),
            Ok(text(vector, "derived_key_base64"))
        );
        seen += 1;
    }
    assert_eq!(seen, 2);
}

#[test]
fn user_names_and_client_ids() {
    let mut seen = 0;
    for vector in list(&vectors(), "vectors") {
        let (Some(user_name), Some(client_id)) = (
            vector["mqtt_username"].as_str(),
            vector["mqtt_client_id"].as_str(),
        ) else {
            continue;
        };
        let resource = text(vector, "resource_uri");
        let token = SasToken::parse(text(vector, "token")).unwrap();
        let mut out = [0; 256];
        if let Some((id_scope, registration_id)) = resource.split_once("/registrations/") {
            let registration = Registration::new(id_scope, registration_id).unwrap();
            assert_eq!(registration.user_name(&mut out), Ok(user_name));
            assert_eq!(registration.client_id(), client_id);
            assert!(token.covers_registration(&registration));
        } else if !resource.contains(' ') {
            let (hub, device_id) = resource.split_once("/devices/").unwrap();
            let identity = Identity::new(hub, device_id, None).unwrap();
            assert_eq!(identity.user_name(&mut out), Ok(user_name));
            assert_eq!(identity.user_name_len(), user_name.len());
            assert_eq!(identity.client_id(&mut out), Ok(client_id));
            assert!(token.covers(&identity));
        } else {
            continue;
        }
        seen += 1;
    }
    assert_eq!(seen, 5);
}

#[test]
fn signatures_over_lower_case_escapes() {
    for vector in list(&vectors(), "lowercase_hex_vectors") {
        let key = key_of_hex(text(vector, "key_hex"));
        let token = SasToken::parse(text(vector, "token")).unwrap();
        assert_eq!(token.resource().raw(), text(vector, "sr_encoded"));
        assert_eq!(Some(token.expiry_unix_s()), vector["expiry"].as_u64());
        assert_eq!(
            token.policy().map(|policy| policy.raw()),
            vector["policy_name"].as_str()
        );
        assert!(token.is_signed_by(&key));
        // The signature over the text exactly as it stands.
        let signed = format!("{}\n{}", text(vector, "sr_encoded"), vector["expiry"]);
        let signature = STANDARD.encode(key.sign(signed.as_bytes()));
        let signature = signature
            .replace('+', "%2B")
            .replace('/', "%2F")
            .replace('=', "%3D");
        assert!(token.expose().contains(&format!("&sig={signature}&")));
    }
}

#[test]
fn property_bags() {
    for vector in list(&vectors(), "property_bag") {
        let properties: Vec<(&str, &str)> = vector["props"]
            .as_array()
            .unwrap()
            .iter()
            .map(|pair| (pair[0].as_str().unwrap(), pair[1].as_str().unwrap()))
            .collect();
        let system_of = |name: &str| {
            SystemProperty::ALL
                .into_iter()
                .find(|property| property.name() == name)
        };
        let system: Vec<_> = properties
            .iter()
            .filter_map(|(name, value)| Some((system_of(name)?, *value)))
            .collect();
        let application: Vec<_> = properties
            .iter()
            .filter(|(name, _)| system_of(name).is_none())
            .copied()
            .collect();
        assert_eq!((system.len(), application.len()), (4, 1));

        let identity = Identity::new("contoso.azure-devices.net", "dev-1", None).unwrap();
        let topic = text(vector, "topic");
        let mut out = [0; 256];
        assert_eq!(
            topics::write_telemetry(&identity, &system, &application, &mut out),
            Ok(topic)
        );

        let bag = PropertyBag::new(
            topic
                .strip_prefix("devices/dev-1/messages/events/")
                .unwrap(),
        );
        assert_eq!(bag.iter().count(), properties.len());
        for (name, value) in properties {
            let found = bag.find(name).and_then(|property| property.value).unwrap();
            assert_eq!(found.decode(&mut out), Ok(value));
        }
    }
}
