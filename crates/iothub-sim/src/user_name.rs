//! The MQTT user name: hub, identity, api-version.

use crate::reason::Reason;

/// What a CONNECT's user name asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UserName {
    Hub(HubUserName),
    Provisioning(ProvisioningUserName),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HubUserName {
    pub(crate) host: String,
    pub(crate) device_id: String,
    pub(crate) module_id: Option<String>,
    /// Empty if the user name has none.
    pub(crate) api_version: String,
    pub(crate) model_id: Option<String>,
    pub(crate) client_type: Option<String>,
    /// Written without the `?`.
    pub(crate) legacy: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProvisioningUserName {
    pub(crate) id_scope: String,
    pub(crate) registration_id: String,
    pub(crate) api_version: String,
}

/// Reads a user name.
///
/// `{host}/{device}[/{module}]/?api-version=…` for a hub, `{scope}/registrations/{id}/api-version=…`
/// for the provisioning service.
pub(crate) fn parse(text: &str) -> Result<UserName, Reason> {
    let missing = || Reason::UserNameForm {
        user_name: text.to_owned(),
    };
    let (first, rest) = text.split_once('/').ok_or_else(missing)?;
    if first.is_empty() {
        return Err(missing());
    }
    if let Some(registration) = rest.strip_prefix("registrations/") {
        return provisioning(first, registration, text).map(UserName::Provisioning);
    }
    // Host and device alone were accepted for years; whether they still are is the hub's rule.
    let (device_id, rest) = rest.split_once('/').unwrap_or((rest, "?"));
    let (module_id, query) = match as_query(rest) {
        Some(query) => (None, query),
        None => {
            let (module_id, rest) = rest.split_once('/').ok_or_else(missing)?;
            (Some(module_id), as_query(rest).ok_or_else(missing)?)
        }
    };
    if device_id.is_empty() || module_id == Some("") {
        return Err(missing());
    }
    let (legacy, query) = query;
    let query = Query(query);
    let api_version = query.value("api-version").unwrap_or_default();
    Ok(UserName::Hub(HubUserName {
        host: first.to_owned(),
        device_id: device_id.to_owned(),
        module_id: module_id.map(str::to_owned),
        api_version,
        model_id: query.value("model-id"),
        client_type: query.value("DeviceClientType"),
        legacy,
    }))
}

/// The query of a hub's user name, and whether it lacks its `?`.
fn as_query(text: &str) -> Option<(bool, &str)> {
    match text.strip_prefix('?') {
        Some(query) => Some((false, query)),
        None => text.starts_with("api-version=").then_some((true, text)),
    }
}

fn provisioning(scope: &str, rest: &str, whole: &str) -> Result<ProvisioningUserName, Reason> {
    let (registration_id, query) =
        rest.split_once('/')
            .ok_or_else(|| Reason::ProvisioningUserNameForm {
                user_name: whole.to_owned(),
            })?;
    if registration_id.is_empty() || query.starts_with('?') {
        return Err(Reason::ProvisioningUserNameForm {
            user_name: whole.to_owned(),
        });
    }
    let api_version = Query(query)
        .value("api-version")
        .filter(|version| !version.is_empty())
        .ok_or(Reason::ApiVersionMissing)?;
    Ok(ProvisioningUserName {
        id_scope: scope.to_owned(),
        registration_id: registration_id.to_owned(),
        api_version,
    })
}

/// `name=value` pairs joined by `&`; of a name that appears twice the first counts.
struct Query<'a>(&'a str);

impl Query<'_> {
    fn value(&self, name: &str) -> Option<String> {
        self.0
            .split('&')
            .filter_map(|pair| pair.split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| crate::percent::decode_lossy(value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hub(host: &str, device: &str, module: Option<&str>) -> HubUserName {
        HubUserName {
            host: host.to_owned(),
            device_id: device.to_owned(),
            module_id: module.map(str::to_owned),
            api_version: "2021-04-12".to_owned(),
            model_id: None,
            client_type: None,
            legacy: false,
        }
    }

    #[test]
    fn accepted() {
        let host = "contoso.azure-devices.net";
        let plain = hub(host, "dev1", None);
        let rows = [
            (
                "contoso.azure-devices.net/dev1/?api-version=2021-04-12",
                plain.clone(),
            ),
            (
                "contoso.azure-devices.net/dev1/mod1/?api-version=2021-04-12",
                hub(host, "dev1", Some("mod1")),
            ),
            (
                "contoso.azure-devices.net/a#b+c?d/?api-version=2021-04-12",
                hub(host, "a#b+c?d", None),
            ),
            (
                "contoso.azure-devices.net/dev1/?DeviceClientType=iothubclient/1.2 (x)&unknown&api-version=2021-04-12&api-version=1&model-id=dtmi%3Acom%3Aexample%3AThermostat%3B1",
                HubUserName {
                    model_id: Some("dtmi:com:example:Thermostat;1".to_owned()),
                    client_type: Some("iothubclient/1.2 (x)".to_owned()),
                    ..plain.clone()
                },
            ),
            (
                "contoso.azure-devices.net/dev1/api-version=2021-04-12",
                HubUserName {
                    legacy: true,
                    ..plain
                },
            ),
        ];
        for (text, expected) in rows {
            assert_eq!(parse(text), Ok(UserName::Hub(expected)), "{text}");
        }
        assert_eq!(
            parse("0ne00000A0A/registrations/my.dev/api-version=2019-03-31&ClientVersion=x%2F1"),
            Ok(UserName::Provisioning(ProvisioningUserName {
                id_scope: "0ne00000A0A".to_owned(),
                registration_id: "my.dev".to_owned(),
                api_version: "2019-03-31".to_owned(),
            }))
        );
    }

    #[test]
    fn without_api_version() {
        for (text, device_id) in [
            ("contoso.azure-devices.net/dev1", "dev1"),
            ("contoso.azure-devices.net/dev1/?", "dev1"),
            ("contoso.azure-devices.net/dev1/?api-version=", "dev1"),
            ("contoso.azure-devices.net/dev1/?API-VERSION=1", "dev1"),
            (
                "contoso.azure-devices.net/dev1?api-version=1",
                "dev1?api-version=1",
            ),
        ] {
            let expected = HubUserName {
                api_version: String::new(),
                ..hub("contoso.azure-devices.net", device_id, None)
            };
            assert_eq!(parse(text), Ok(UserName::Hub(expected)), "{text}");
        }
    }

    #[test]
    fn refused() {
        for (text, code) in [
            ("", "user-name-form"),
            ("dev1", "user-name-form"),
            ("contoso.azure-devices.net/dev1/", "user-name-form"),
            (
                "contoso.azure-devices.net//?api-version=2021-04-12",
                "user-name-form",
            ),
            ("/dev1/?api-version=2021-04-12", "user-name-form"),
            ("0ne1/registrations/d", "provisioning-user-name-form"),
            (
                "0ne1/registrations/d/?api-version=2019-03-31",
                "provisioning-user-name-form",
            ),
            ("0ne1/registrations/d/x=1", "api-version-missing"),
        ] {
            assert_eq!(parse(text).unwrap_err().code(), code, "{text}");
        }
    }
}
