//! What a host name says about the service behind it.

/// The service behind a host name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cloud {
    AzureHub,
    AzureDps,
    /// AWS IoT Core; whether the name carries `-ats`.
    Aws {
        ats: bool,
    },
    HiveMq,
    EmqxServerless,
    Badssl,
    Other,
    /// An IP address.
    Address,
    /// The poster hid all of it.
    Hidden,
}

impl Cloud {
    /// The service of a host as typed, with or without a scheme or port.
    pub(crate) fn of(host: &str) -> Self {
        let name = bare_host(host).to_ascii_lowercase();
        let name = name.trim_end_matches('.');
        if name.is_empty() || is_hidden(name) {
            return Self::Hidden;
        }
        if name.parse::<core::net::IpAddr>().is_ok() {
            return Self::Address;
        }
        let ends = |suffixes: &[&str]| suffixes.iter().any(|suffix| name.ends_with(suffix));
        if ends(&[
            ".azure-devices-provisioning.net",
            ".azure-devices-provisioning.us",
            ".azure-devices-provisioning.cn",
        ]) {
            Self::AzureDps
        } else if ends(&[
            ".azure-devices.net",
            ".azure-devices.us",
            ".azure-devices.cn",
        ]) {
            Self::AzureHub
        } else if name.contains(".iot.")
            && (name.ends_with(".amazonaws.com") || name.ends_with(".amazonaws.com.cn"))
        {
            Self::Aws {
                ats: name.contains("-ats.iot."),
            }
        } else if ends(&[".hivemq.cloud"]) {
            Self::HiveMq
        } else if ends(&[".emqxsl.com", ".emqxsl.cn", ".emqx.cloud"]) {
            Self::EmqxServerless
        } else if ends(&["badssl.com"]) {
            Self::Badssl
        } else {
            Self::Other
        }
    }

    pub(crate) const fn is_azure(self) -> bool {
        matches!(self, Self::AzureHub | Self::AzureDps)
    }

    pub(crate) const fn is_aws(self) -> bool {
        matches!(self, Self::Aws { .. })
    }

    /// A service that has no port without TLS.
    pub(crate) const fn needs_tls(self) -> bool {
        matches!(
            self,
            Self::AzureHub
                | Self::AzureDps
                | Self::Aws { .. }
                | Self::HiveMq
                | Self::EmqxServerless
        )
    }

    /// One address serves many names: without the name in the handshake the wrong certificate or none comes.
    pub(crate) const fn shares_its_address(self) -> bool {
        matches!(
            self,
            Self::AzureDps | Self::Aws { .. } | Self::HiveMq | Self::EmqxServerless | Self::Badssl
        )
    }

    /// How messages call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AzureHub => "Azure IoT Hub",
            Self::AzureDps => "the Device Provisioning Service",
            Self::Aws { .. } => "AWS IoT Core",
            Self::HiveMq => "HiveMQ Cloud",
            Self::EmqxServerless => "EMQX Serverless",
            Self::Badssl => "badssl.com",
            Self::Other | Self::Address | Self::Hidden => "the server",
        }
    }
}

/// The host without scheme, port and path.
pub(crate) fn bare_host(host: &str) -> &str {
    let host = host.trim();
    let host = host.split_once("://").map_or(host, |(_, rest)| rest);
    let host = host.split('/').next().unwrap_or(host);
    match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

/// `https://`, `mqtts://` in front of a host.
pub(crate) fn scheme(host: &str) -> Option<&str> {
    host.trim().split_once("://").map(|(scheme, _)| scheme)
}

/// Nothing is left of a name but asterisks, x, brackets.
fn is_hidden(name: &str) -> bool {
    let inside = name.trim_matches(['<', '>', '[', ']', '{', '}', '"']);
    let bracketed = inside.len() < name.len() && !inside.contains("azure") && !inside.contains('.');
    bracketed
        || inside
            .chars()
            .all(|c| matches!(c, '*' | 'x' | 'X' | '.' | '-' | ' '))
}

/// Part of a name stands for something that the poster took out or never filled in.
pub(crate) fn has_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let bracketed = [('<', '>'), ('{', '}'), ('[', ']')]
        .iter()
        .any(|(open, close)| {
            let inside = lower
                .split_once(*open)
                .and_then(|(_, rest)| rest.split_once(*close));
            // `{"a":1}` is JSON, not a name that somebody was to fill in.
            inside.is_some_and(|(name, _)| !name.contains(['"', ':', ',', '=']))
        });
    bracketed
        || [
            "***", "xxxx", "your_", "your-", "yourhub", "my_hub", "...", "\u{2026}",
        ]
        .iter()
        .any(|p| lower.contains(p))
}

/// Two hosts name the same endpoint.
pub(crate) fn same_host(a: &str, b: &str) -> bool {
    let (a, b) = (
        bare_host(a).trim_end_matches('.'),
        bare_host(b).trim_end_matches('.'),
    );
    // The host for TLS 1.3 and the classic one are the same hub.
    a.eq_ignore_ascii_case(b)
        || a.to_ascii_lowercase().replace(".device.azure-", ".azure-")
            == b.to_ascii_lowercase().replace(".device.azure-", ".azure-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_known_by_their_names() {
        for (host, cloud) in [
            ("contoso.azure-devices.net", Cloud::AzureHub),
            ("CONTOSO.azure-devices.net.", Cloud::AzureHub),
            ("<hub>.azure-devices.net", Cloud::AzureHub),
            ("mqtts://contoso.azure-devices.net:8883", Cloud::AzureHub),
            ("global.azure-devices-provisioning.net", Cloud::AzureDps),
            (
                "********-ats.iot.us-east-1.amazonaws.com",
                Cloud::Aws { ats: true },
            ),
            (
                "a1b2.iot.us-east-1.amazonaws.com",
                Cloud::Aws { ats: false },
            ),
            ("x.s1.eu.hivemq.cloud", Cloud::HiveMq),
            ("contoso-devices.net", Cloud::Other),
            ("10.0.0.1", Cloud::Address),
            ("[private broker]", Cloud::Hidden),
            ("********", Cloud::Hidden),
            ("", Cloud::Hidden),
        ] {
            assert_eq!(Cloud::of(host), cloud, "{host}");
        }
    }

    #[test]
    fn parts_of_hosts() {
        assert_eq!(bare_host("mqtts://a.b:8883/x"), "a.b");
        assert_eq!(scheme("https://a.b"), Some("https"));
        assert_eq!(scheme("a.b"), None);
        assert!(same_host(
            "Contoso.device.azure-devices.net",
            "contoso.azure-devices.net"
        ));
        assert!(!same_host("a.azure-devices.net", "b.azure-devices.net"));
        assert!(
            has_placeholder("{account.name}-ats")
                && has_placeholder("<hub>")
                && !has_placeholder("contoso")
        );
    }
}
