//! The properties at the end of a topic.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use core::str::Split;

use super::SystemProperty;
use crate::percent::Encoded;

/// The properties of a message as they stand in its topic, `name=value&name=value`.
///
/// Malformed parts are kept as they are: a message with an odd property is still a message. A leading `?` is
/// skipped.
///
/// ```
/// use azure_auth::topics::PropertyBag;
///
/// let bag = PropertyBag::new("%24.mid=id%201&ack&note=&colour=red");
/// let mut out = [0; 16];
/// assert_eq!(bag.find("$.mid").and_then(|property| property.value).map(|id| id.decode(&mut out)), Some(Ok("id 1")));
/// assert_eq!(bag.find("ack").map(|property| property.value), Some(None));
/// assert_eq!(bag.find("note").and_then(|property| property.value).map(|note| note.raw()), Some(""));
/// assert_eq!(bag.iter().count(), 4);
/// ```
///
/// # Reference
/// Azure IoT Hub, "Communicate with an IoT hub using the MQTT protocol": receiving cloud-to-device messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PropertyBag<'a>(&'a str);

/// One property of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property<'a> {
    /// Name; system properties begin with `$.`.
    pub name: Encoded<'a>,
    /// Value; `None` when there is no `=`, which the service calls null.
    pub value: Option<Encoded<'a>>,
}

impl<'a> PropertyBag<'a> {
    /// Takes the end of a topic.
    #[must_use]
    pub fn new(raw: &'a str) -> Self {
        Self(raw.strip_prefix('?').unwrap_or(raw))
    }

    /// The text as it was received, without a leading `?`.
    #[must_use]
    pub const fn raw(&self) -> &'a str {
        self.0
    }

    /// Whether there is no property.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.iter().next().is_none()
    }

    /// The properties in their order.
    #[must_use]
    pub fn iter(&self) -> Properties<'a> {
        Properties(self.0.split('&'))
    }

    /// The first property whose decoded name is `name`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<Property<'a>> {
        self.iter().find(|property| property.name.is(name))
    }

    /// The value of a system property; `None` also when it is null.
    #[must_use]
    pub fn system(&self, property: SystemProperty) -> Option<Encoded<'a>> {
        self.find(property.name())?.value
    }
}

impl<'a> IntoIterator for PropertyBag<'a> {
    type Item = Property<'a>;
    type IntoIter = Properties<'a>;

    fn into_iter(self) -> Properties<'a> {
        self.iter()
    }
}

/// The properties of a [`PropertyBag`].
#[derive(Clone, Debug)]
pub struct Properties<'a>(Split<'a, char>);

impl<'a> Iterator for Properties<'a> {
    type Item = Property<'a>;

    fn next(&mut self) -> Option<Property<'a>> {
        let part = self.0.find(|part| !part.is_empty())?;
        Some(match part.split_once('=') {
            Some((name, value)) => Property {
                name: Encoded::new(name),
                value: Some(Encoded::new(value)),
            },
            None => Property {
                name: Encoded::new(part),
                value: None,
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn bags_in_every_form() {
        type Case<'a> = (&'a str, &'a [(&'a str, Option<&'a str>)]);
        let cases: &[Case<'_>] = &[
            ("", &[]),
            ("?", &[]),
            ("&&", &[]),
            ("a", &[("a", None)]),
            ("a=", &[("a", Some(""))]),
            ("?a=1", &[("a", Some("1"))]),
            ("a&b=2", &[("a", None), ("b", Some("2"))]),
            ("b=2&a", &[("b", Some("2")), ("a", None)]),
            ("a=1=2&", &[("a", Some("1=2"))]),
            ("=v", &[("", Some("v"))]),
            (
                "%24.to=%2Fdevices%2Fd&iothub-ack=full",
                &[
                    ("%24.to", Some("%2Fdevices%2Fd")),
                    ("iothub-ack", Some("full")),
                ],
            ),
        ];
        for (text, expected) in cases {
            let bag = PropertyBag::new(text);
            let got: Vec<_> = bag
                .iter()
                .map(|p| (p.name.raw(), p.value.map(|v| v.raw())))
                .collect();
            assert_eq!(got, *expected, "{text}");
            assert_eq!(bag.is_empty(), expected.is_empty(), "{text}");
        }
    }

    #[test]
    fn system_names_are_found_raw_and_encoded() {
        for property in SystemProperty::ALL {
            let name = property.name();
            let raw = std::format!("x=1&{name}=v&y");
            let encoded = raw.replace('$', "%24");
            for text in [&raw, &encoded] {
                assert_eq!(
                    PropertyBag::new(text)
                        .system(property)
                        .map(|value| value.raw()),
                    Some("v"),
                    "{text}"
                );
            }
        }
        assert_eq!(
            PropertyBag::new("$.midx=1&.mid=2&$.mid").system(SystemProperty::MessageId),
            None
        );
    }
}
