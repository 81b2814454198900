//! The property bag at the end of a telemetry or cloud-to-device topic.

use std::collections::BTreeMap;

use crate::{percent, reason::Reason, warning::Warning};

/// Properties of a message, decoded.
///
/// System properties have the names of the wire (`$.mid`, `$.ct`, …); application properties may
/// have no value at all (`key`), an empty one (`key=`) or a text.
///
/// # Reference
///
/// Azure IoT Hub documentation, "Create and read IoT Hub messages".
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Properties {
    /// Properties whose name begins with `$.`.
    pub system: BTreeMap<String, String>,
    /// All others.
    pub application: BTreeMap<String, Option<String>>,
}

impl Properties {
    /// The value of a property of either kind, if it has one.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        match self.system.get(name) {
            Some(value) => Some(value),
            None => self.application.get(name)?.as_deref(),
        }
    }

    /// Sets a property; a name that begins with `$.` is a system property.
    pub fn set(&mut self, name: &str, value: &str) {
        if name.starts_with("$.") {
            self.system.insert(name.to_owned(), value.to_owned());
        } else {
            self.application
                .insert(name.to_owned(), Some(value.to_owned()));
        }
    }

    /// Writes the bag as the hub sends it: system properties first, everything encoded.
    pub(crate) fn to_bag(&self) -> String {
        let mut pairs = Vec::new();
        for (name, value) in &self.system {
            pairs.push(format!(
                "{}={}",
                percent::encode(name),
                percent::encode(value)
            ));
        }
        for (name, value) in &self.application {
            let name = percent::encode(name);
            pairs.push(match value {
                Some(value) => format!("{name}={}", percent::encode(value)),
                None => name,
            });
        }
        pairs.join("&")
    }

    /// Reads a bag and says what looks wrong in it.
    ///
    /// Of a name that appears twice the last value counts.
    pub(crate) fn from_bag(bag: &str) -> Result<(Self, Vec<Warning>), Reason> {
        // Only these are known to end the connection; any other raw character is merely unwise.
        let breaking = |c: &char| !c.is_ascii() || c.is_ascii_control() || "/:".contains(*c);
        if let Some(character) = bag.chars().find(breaking) {
            return Err(Reason::PropertyBag {
                bag: bag.to_owned(),
                character,
            });
        }
        let mut properties = Self::default();
        let mut warnings = Vec::new();
        if bag.starts_with('?') {
            warnings.push(Warning::QuestionMark);
        }
        for pair in bag.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = match pair.split_once('=') {
                Some((name, value)) => (name, Some(percent::decode_lossy(value))),
                None => (pair, None),
            };
            let name = percent::decode_lossy(name);
            if name.starts_with("$.") {
                properties.system.insert(name, value.unwrap_or_default());
            } else {
                properties.application.insert(name, value);
            }
        }
        Ok((properties, warnings))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bags() {
        let system = |pairs: &[(&str, &str)]| -> BTreeMap<String, String> {
            pairs
                .iter()
                .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
                .collect()
        };
        let bag =
            "%24.ct=application%2Fjson&$.ce=utf-8&temp=21.5&none&empty=&text=a%20b%3A&&eq=a=b";
        let (properties, warnings) = Properties::from_bag(bag).unwrap();
        assert_eq!(
            properties.system,
            system(&[("$.ct", "application/json"), ("$.ce", "utf-8")])
        );
        for (name, value) in [
            ("temp", Some("21.5")),
            ("none", None),
            ("empty", Some("")),
            ("text", Some("a b:")),
            ("eq", Some("a=b")),
        ] {
            assert_eq!(properties.application.get(name).unwrap().as_deref(), value);
        }
        assert_eq!(warnings, []);
        assert_eq!(
            properties.to_bag(),
            "%24.ce=utf-8&%24.ct=application%2Fjson&empty=&eq=a%3Db&none&temp=21.5&text=a%20b%3A"
        );
        assert_eq!(Properties::from_bag("").unwrap().0, Properties::default());
    }

    #[test]
    fn what_the_hub_objects_to() {
        for (bag, character) in [
            ("a=12:30", ':'),
            ("a=b/c", '/'),
            ("a=grün", 'ü'),
            ("a=\u{1}", '\u{1}'),
        ] {
            let reason = Reason::PropertyBag {
                bag: bag.to_owned(),
                character,
            };
            assert_eq!(Properties::from_bag(bag), Err(reason));
        }
        let (properties, warnings) = Properties::from_bag("?a=1").unwrap();
        assert_eq!(properties.value("?a"), Some("1"));
        assert_eq!(warnings, [Warning::QuestionMark]);
    }
}
