//! Topics that arrive.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use super::PropertyBag;
use crate::text::decimal;

/// What a topic that arrived says.
///
/// `rid` is the request id: any text, chosen by whoever asked; an answer repeats it.
///
/// ```
/// use azure_auth::topics::Topic;
///
/// assert_eq!(
///     Topic::parse("$iothub/twin/res/204/?$rid=3&$version=6"),
///     Topic::TwinResponse { status: 204, rid: "3", version: Some(6) }
/// );
/// assert_eq!(
///     Topic::parse("$dps/registrations/res/202/?$rid=1&retry-after=3"),
///     Topic::DpsResponse { status: 202, rid: "1", retry_after_s: Some(3) }
/// );
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Topic<'a> {
    /// A cloud-to-device message.
    C2d {
        /// The device it is for.
        device_id: &'a str,
        /// The module it is for.
        module_id: Option<&'a str>,
        /// Its properties.
        properties: PropertyBag<'a>,
    },
    /// A message to an input of a module.
    Input {
        /// The device it is for.
        device_id: &'a str,
        /// The module it is for.
        module_id: &'a str,
        /// The input.
        input: &'a str,
        /// Its properties.
        properties: PropertyBag<'a>,
    },
    /// A direct method is called.
    Method {
        /// Name of the method.
        name: &'a str,
        /// Request id, to be repeated in the answer.
        rid: &'a str,
    },
    /// The answer to a request for the device twin or to an update of its reported properties.
    TwinResponse {
        /// Status as in HTTP: 200 with the twin, 204 updated, 400, 429, 5xx.
        status: u16,
        /// Request id of the request.
        rid: &'a str,
        /// New version of the reported properties, after an update.
        version: Option<u64>,
    },
    /// The desired properties of the device twin have changed.
    DesiredPatch {
        /// Version of the desired properties; it always rises.
        version: Option<u64>,
    },
    /// The answer of DPS.
    DpsResponse {
        /// Status as in HTTP: 200, 202 while assigning, 401, 404, 429, 5xx.
        status: u16,
        /// Request id of the request.
        rid: &'a str,
        /// Seconds to wait before asking again; see [`crate::dps::poll_after_s`].
        retry_after_s: Option<u32>,
    },
    /// The answer to a request for a new certificate (preview).
    CredentialResponse {
        /// Status as in HTTP: 202 accepted, 200 with the certificates.
        status: u16,
        /// Request id of the request.
        rid: &'a str,
        /// Version, if the service says one.
        version: Option<u64>,
    },
    /// None of these.
    Unknown,
}

impl<'a> Topic<'a> {
    /// Reads a topic name that the hub or DPS published to.
    #[must_use]
    pub fn parse(topic: &'a str) -> Self {
        known(topic).unwrap_or(Self::Unknown)
    }
}

fn known(topic: &str) -> Option<Topic<'_>> {
    let (first, rest) = topic.split_once('/')?;
    match first {
        "devices" => message(rest),
        "$iothub" => iothub(rest),
        "$dps" => {
            let Answer { status, rid, query } = answer(rest.strip_prefix("registrations/res/")?)?;
            Some(Topic::DpsResponse {
                status,
                rid,
                retry_after_s: query.number("retry-after"),
            })
        }
        _ => None,
    }
}

fn message(rest: &str) -> Option<Topic<'_>> {
    let (device_id, rest) = rest.split_once('/')?;
    if let Some(bag) = rest.strip_prefix("messages/devicebound/") {
        return Some(Topic::C2d {
            device_id,
            module_id: None,
            properties: PropertyBag::new(bag),
        });
    }
    let (module_id, rest) = rest.strip_prefix("modules/")?.split_once('/')?;
    if let Some(bag) = rest.strip_prefix("messages/devicebound/") {
        return Some(Topic::C2d {
            device_id,
            module_id: Some(module_id),
            properties: PropertyBag::new(bag),
        });
    }
    let rest = rest.strip_prefix("inputs/")?;
    let (input, bag) = rest.split_once('/').unwrap_or((rest, ""));
    Some(Topic::Input {
        device_id,
        module_id,
        input,
        properties: PropertyBag::new(bag),
    })
}

fn iothub(rest: &str) -> Option<Topic<'_>> {
    if let Some(rest) = rest.strip_prefix("methods/POST/") {
        let (name, query) = rest.split_once('/')?;
        return Some(Topic::Method {
            name,
            rid: Query::new(query).rid()?,
        });
    }
    if let Some(rest) = rest.strip_prefix("twin/res/") {
        let Answer { status, rid, query } = answer(rest)?;
        return Some(Topic::TwinResponse {
            status,
            rid,
            version: query.version(),
        });
    }
    if let Some(query) = rest.strip_prefix("twin/PATCH/properties/desired/") {
        return Some(Topic::DesiredPatch {
            version: Query::new(query).version(),
        });
    }
    // The documentation writes `credential` in one place, the service's SDKs `credentials`.
    let rest = rest
        .strip_prefix("credentials/res/")
        .or_else(|| rest.strip_prefix("credential/res/"))?;
    let Answer { status, rid, query } = answer(rest)?;
    Some(Topic::CredentialResponse {
        status,
        rid,
        version: query.version(),
    })
}

struct Answer<'a> {
    status: u16,
    rid: &'a str,
    query: Query<'a>,
}

/// `{status}/?$rid={rid}…`
fn answer(rest: &str) -> Option<Answer<'_>> {
    let (status, query) = rest.split_once('/')?;
    let query = Query::new(query);
    Some(Answer {
        status: decimal(status)?,
        rid: query.rid()?,
        query,
    })
}

/// `?name=value&…` after the last slash; the order is free.
#[derive(Clone, Copy)]
struct Query<'a>(PropertyBag<'a>);

impl<'a> Query<'a> {
    fn new(text: &'a str) -> Self {
        Self(PropertyBag::new(text))
    }

    fn text(self, name: &str) -> Option<&'a str> {
        Some(self.0.find(name)?.value?.raw())
    }

    fn number<T: core::str::FromStr>(self, name: &str) -> Option<T> {
        decimal(self.text(name)?)
    }

    fn rid(self) -> Option<&'a str> {
        self.text("$rid")
    }

    fn version(self) -> Option<u64> {
        self.number("$version")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_of_the_hub() {
        let bag = PropertyBag::new;
        let c2d = |properties| Topic::C2d {
            device_id: "d",
            module_id: None,
            properties,
        };
        let cases = [
            ("devices/d/messages/devicebound/", c2d(bag(""))),
            ("devices/d/messages/devicebound/a&b=", c2d(bag("a&b="))),
            ("devices/d/messages/devicebound/?a=1", c2d(bag("a=1"))),
            ("devices/d/messages/devicebound/a=1/2", c2d(bag("a=1/2"))),
            (
                "devices/d/modules/m/messages/devicebound/a=1",
                Topic::C2d {
                    device_id: "d",
                    module_id: Some("m"),
                    properties: bag("a=1"),
                },
            ),
            (
                "devices/d/modules/m/inputs/in1/a=1",
                Topic::Input {
                    device_id: "d",
                    module_id: "m",
                    input: "in1",
                    properties: bag("a=1"),
                },
            ),
            ("devices/d/messages/devicebound", Topic::Unknown),
            ("devices/d/messages/events/", Topic::Unknown),
            ("devices/d", Topic::Unknown),
            (
                "$iothub/methods/POST/reboot/?$rid=a1f",
                Topic::Method {
                    name: "reboot",
                    rid: "a1f",
                },
            ),
            (
                "$iothub/methods/POST/reboot/?%24rid=2",
                Topic::Method {
                    name: "reboot",
                    rid: "2",
                },
            ),
            ("$iothub/methods/POST/reboot/", Topic::Unknown),
            ("$iothub/methods/POST/reboot", Topic::Unknown),
            ("$iothub/methods/res/200/?$rid=1", Topic::Unknown),
            (
                "$iothub/twin/res/200/?$rid=x-1",
                Topic::TwinResponse {
                    status: 200,
                    rid: "x-1",
                    version: None,
                },
            ),
            (
                "$iothub/twin/res/204/?$version=9&$rid=1",
                Topic::TwinResponse {
                    status: 204,
                    rid: "1",
                    version: Some(9),
                },
            ),
            (
                "$iothub/twin/res/204/?$rid=1&$version=x",
                Topic::TwinResponse {
                    status: 204,
                    rid: "1",
                    version: None,
                },
            ),
            ("$iothub/twin/res/abc/?$rid=1", Topic::Unknown),
            ("$iothub/twin/res/+20/?$rid=1", Topic::Unknown),
            ("$iothub/twin/res/99999/?$rid=1", Topic::Unknown),
            ("$iothub/twin/res/200/?$version=1", Topic::Unknown),
            (
                "$iothub/twin/PATCH/properties/desired/?$version=4",
                Topic::DesiredPatch { version: Some(4) },
            ),
            (
                "$iothub/twin/PATCH/properties/desired/",
                Topic::DesiredPatch { version: None },
            ),
            (
                "$iothub/credentials/res/202/?$rid=5",
                Topic::CredentialResponse {
                    status: 202,
                    rid: "5",
                    version: None,
                },
            ),
            (
                "$iothub/credential/res/200/?$rid=5",
                Topic::CredentialResponse {
                    status: 200,
                    rid: "5",
                    version: None,
                },
            ),
            ("", Topic::Unknown),
            ("/", Topic::Unknown),
            ("device/topic", Topic::Unknown),
        ];
        for (topic, expected) in cases {
            assert_eq!(Topic::parse(topic), expected, "{topic}");
        }
    }

    #[test]
    fn topics_of_dps() {
        let dps = |status, rid, retry_after_s| Topic::DpsResponse {
            status,
            rid,
            retry_after_s,
        };
        let cases = [
            (
                "$dps/registrations/res/202/?$rid=1&retry-after=3",
                dps(202, "1", Some(3)),
            ),
            (
                "$dps/registrations/res/429/?retry-after=120&$rid=1",
                dps(429, "1", Some(120)),
            ),
            ("$dps/registrations/res/200/?$rid=1", dps(200, "1", None)),
            (
                "$dps/registrations/res/202/?$rid=1&retry-after=soon",
                dps(202, "1", None),
            ),
            ("$dps/registrations/res/200/", Topic::Unknown),
            (
                "$dps/registrations/PUT/iotdps-register/?$rid=1",
                Topic::Unknown,
            ),
        ];
        for (topic, expected) in cases {
            assert_eq!(Topic::parse(topic), expected, "{topic}");
        }
    }
}
