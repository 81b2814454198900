//! Device twins: documents, merge, limits.

use core::fmt;

use serde_json::{Map, Value, json};

use crate::time::Utc;

/// Bytes of a section of properties, as compact JSON.
const MAX_SECTION: usize = 32 * 1024;
/// Bytes of the tags.
const MAX_TAGS: usize = 8 * 1024;
const MAX_DEPTH: usize = 10;
const MAX_KEY: usize = 1024;
const MAX_STRING: usize = 4096;
/// Whole numbers are limited to 53 bits with sign.
const NUMBERS: core::ops::RangeInclusive<i64> = -4_503_599_627_370_496..=4_503_599_627_370_495;

/// The twin of a device or module.
///
/// # Reference
///
/// Azure IoT Hub documentation, "Understand and use device twins in IoT Hub".
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Twin {
    /// Set by the service, invisible to the device.
    pub tags: Map<String, Value>,
    /// Set by the service for the device.
    pub desired: Section,
    /// Set by the device for the service.
    pub reported: Section,
    /// Counts all changes, from 1.
    pub version: u64,
}

/// One section of a twin's properties.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
#[non_exhaustive]
pub struct Section {
    /// The properties.
    pub properties: Map<String, Value>,
    /// Counts the changes of this section, from 1.
    pub version: u64,
    /// When it changed, in seconds since 1970.
    pub updated_unix_s: u64,
}

impl Default for Twin {
    fn default() -> Self {
        Self {
            tags: Map::new(),
            desired: Section::default(),
            reported: Section::default(),
            version: 1,
        }
    }
}

impl Default for Section {
    fn default() -> Self {
        Self {
            properties: Map::new(),
            version: 1,
            updated_unix_s: 0,
        }
    }
}

/// A twin document or patch is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TwinError {
    /// Not JSON.
    #[error("it is not JSON: {0}")]
    NotJson(String),
    /// JSON, but no object.
    #[error("it is not a JSON object")]
    NotObject,
    /// A name with characters that are not allowed, or too long.
    #[error(
        "the name `{0}` is empty, longer than 1024 bytes, or contains `.`, `$`, a space or a control character"
    )]
    Name(String),
    /// Objects in objects.
    #[error("it is nested deeper than 10 levels")]
    Depth,
    /// A text above 4 KiB.
    #[error("the value of `{0}` is longer than 4096 bytes")]
    Text(String),
    /// A whole number beyond 53 bits.
    #[error("the number at `{0}` is outside -4503599627370496..4503599627370495")]
    Number(String),
    /// The section would exceed its limit.
    #[error("the section would have {size} bytes; {limit} are allowed")]
    Size {
        /// Bytes with the change.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
}

/// Reads a JSON object of any content.
pub(crate) fn parse_object(text: &str) -> Option<Map<String, Value>> {
    serde_json::from_str(text).ok()
}

/// Reads a patch or document: an object within the limits of names, depth and values.
pub(crate) fn parse_patch(bytes: &[u8]) -> Result<Map<String, Value>, TwinError> {
    let value: Value =
        serde_json::from_slice(bytes).map_err(|error| TwinError::NotJson(error.to_string()))?;
    check_integers(bytes)?;
    checked_patch(value)
}

/// Refuses whole numbers beyond 64 bits, which the JSON reader turns into fractions without a word.
///
/// `json` has been read as JSON before.
pub(crate) fn check_integers(json: &[u8]) -> Result<(), TwinError> {
    /// As many digits as no whole number of 64 bits has.
    const TOO_LONG: usize = 20;
    let mut rest = json;
    let (mut text, mut name): (&[u8], &[u8]) = (b"", b"");
    while let Some((first, after)) = rest.split_first() {
        rest = match first {
            b'"' => {
                let end = text_end(after);
                let (inside, after) = after.split_at_checked(end).unwrap_or((after, b""));
                text = inside;
                after.get(1..).unwrap_or_default()
            }
            b':' => {
                name = text;
                after
            }
            b'0'..=b'9' => {
                let part_of_number =
                    |b: &u8| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-');
                let length = after.iter().take_while(|b| part_of_number(b)).count();
                let (digits, after) = after.split_at_checked(length).unwrap_or((after, b""));
                if length + 1 >= TOO_LONG && digits.iter().all(u8::is_ascii_digit) {
                    let name = String::from_utf8_lossy(name);
                    return Err(TwinError::Number(shortened(&name)));
                }
                after
            }
            _ => after,
        };
    }
    Ok(())
}

/// Bytes before the quotation mark that ends a JSON text.
fn text_end(inside: &[u8]) -> usize {
    let mut escaped = false;
    let end = inside.iter().position(|byte| {
        let ends = *byte == b'"' && !escaped;
        escaped = *byte == b'\\' && !escaped;
        ends
    });
    end.unwrap_or(inside.len())
}

pub(crate) fn checked_patch(value: Value) -> Result<Map<String, Value>, TwinError> {
    let Value::Object(mut patch) = value else {
        return Err(TwinError::NotObject);
    };
    // What a reader copies back from a document is no property.
    patch.remove("$version");
    patch.remove("$metadata");
    check_object(&patch, 1)?;
    Ok(patch)
}

fn check_object(object: &Map<String, Value>, depth: usize) -> Result<(), TwinError> {
    if depth > MAX_DEPTH {
        return Err(TwinError::Depth);
    }
    for (name, value) in object {
        let bad = |c: char| matches!(c, '.' | '$' | ' ') || c.is_control();
        if name.is_empty() || name.len() > MAX_KEY || name.contains(bad) {
            return Err(TwinError::Name(shortened(name)));
        }
        check_value(name, value, depth)?;
    }
    Ok(())
}

fn check_value(name: &str, value: &Value, depth: usize) -> Result<(), TwinError> {
    match value {
        Value::Object(object) => check_object(object, depth + 1),
        Value::Array(values) if depth >= MAX_DEPTH && !values.is_empty() => Err(TwinError::Depth),
        Value::Array(values) => values
            .iter()
            .try_for_each(|value| check_value(name, value, depth + 1)),
        Value::String(text) if text.len() > MAX_STRING => Err(TwinError::Text(shortened(name))),
        Value::Number(number) if number.is_f64() => Ok(()),
        Value::Number(number) => match number.as_i64() {
            Some(whole) if NUMBERS.contains(&whole) => Ok(()),
            _ => Err(TwinError::Number(shortened(name))),
        },
        Value::String(_) | Value::Bool(_) | Value::Null => Ok(()),
    }
}

fn shortened(name: &str) -> String {
    name.chars().take(40).collect()
}

impl Section {
    /// Merges a patch: `null` deletes, objects merge, everything else replaces.
    ///
    /// Returns the new version. On an error nothing changes.
    pub(crate) fn merge(
        &mut self,
        patch: &Map<String, Value>,
        unix_s: u64,
    ) -> Result<u64, TwinError> {
        let mut merged = self.properties.clone();
        merge(&mut merged, patch);
        self.replace(merged, unix_s)
    }

    pub(crate) fn replace(
        &mut self,
        properties: Map<String, Value>,
        unix_s: u64,
    ) -> Result<u64, TwinError> {
        check_size(&properties, MAX_SECTION)?;
        self.properties = properties;
        self.version = self.version.saturating_add(1);
        self.updated_unix_s = unix_s;
        Ok(self.version)
    }

    /// The section as the device reads it.
    fn for_device(&self) -> Value {
        let mut object = self.properties.clone();
        object.insert("$version".to_owned(), self.version.into());
        Value::Object(object)
    }

    /// The section as the service reads it.
    fn for_service(&self) -> Value {
        let mut object = self.properties.clone();
        let updated = Utc(self.updated_unix_s).to_string();
        object.insert("$metadata".to_owned(), json!({ "$lastUpdated": updated }));
        object.insert("$version".to_owned(), self.version.into());
        Value::Object(object)
    }
}

fn check_size(object: &Map<String, Value>, limit: usize) -> Result<(), TwinError> {
    struct Counter(usize);
    impl fmt::Write for Counter {
        fn write_str(&mut self, text: &str) -> fmt::Result {
            self.0 += text.len();
            Ok(())
        }
    }
    let mut counter = Counter(0);
    for (name, value) in object {
        // Counting cannot fail.
        let _ = fmt::write(&mut counter, format_args!("{name}{value}"));
    }
    if counter.0 > limit {
        return Err(TwinError::Size {
            size: counter.0,
            limit,
        });
    }
    Ok(())
}

fn merge(target: &mut Map<String, Value>, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match (target.get_mut(name), value) {
            (_, Value::Null) => {
                target.remove(name);
            }
            (Some(Value::Object(below)), Value::Object(patch)) => merge(below, patch),
            (_, Value::Object(patch)) => {
                // Merging into nothing drops the nulls.
                let mut fresh = Map::new();
                merge(&mut fresh, patch);
                target.insert(name.clone(), Value::Object(fresh));
            }
            (_, other) => {
                target.insert(name.clone(), other.clone());
            }
        }
    }
}

impl Twin {
    pub(crate) fn merge_tags(&mut self, patch: &Map<String, Value>) -> Result<(), TwinError> {
        let mut merged = self.tags.clone();
        merge(&mut merged, patch);
        self.replace_tags(merged)
    }

    pub(crate) fn replace_tags(&mut self, tags: Map<String, Value>) -> Result<(), TwinError> {
        check_size(&tags, MAX_TAGS)?;
        self.tags = tags;
        Ok(())
    }

    /// What a twin request of the device is answered with.
    pub(crate) fn for_device(&self) -> Value {
        json!({
            "desired": self.desired.for_device(),
            "reported": self.reported.for_device(),
        })
    }

    /// The `properties` of the service API: both sections with metadata and versions.
    #[must_use]
    pub fn properties_for_service(&self) -> Value {
        json!({
            "desired": self.desired.for_service(),
            "reported": self.reported.for_service(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(value: Value) -> Map<String, Value> {
        match value {
            Value::Object(object) => object,
            other => panic!("{other}"),
        }
    }

    #[test]
    fn merging() {
        for (start, patch, expected) in [
            (json!({}), json!({"a": 1}), json!({"a": 1})),
            (json!({"a": 1, "b": 2}), json!({"a": null}), json!({"b": 2})),
            (
                json!({"a": {"x": 1, "y": 2}}),
                json!({"a": {"y": null, "z": 3}}),
                json!({"a": {"x": 1, "z": 3}}),
            ),
            (
                json!({"a": 1}),
                json!({"a": {"b": 2, "c": null}}),
                json!({"a": {"b": 2}}),
            ),
            (json!({"a": {"b": 2}}), json!({"a": 1}), json!({"a": 1})),
            (json!({"a": [1, 2]}), json!({"a": [3]}), json!({"a": [3]})),
            (json!({"a": 1}), json!({}), json!({"a": 1})),
        ] {
            let mut section = Section {
                properties: object(start),
                ..Section::default()
            };
            assert_eq!(section.merge(&object(patch), 5), Ok(2));
            assert_eq!(Value::Object(section.properties), expected);
            assert_eq!(section.updated_unix_s, 5);
        }
    }

    #[test]
    fn limits() {
        let nested = |levels: usize| (1..levels).fold(json!({}), |inner, _| json!({"a": inner}));
        let long = "x".repeat(4097);
        let rows = [
            ("{".to_owned(), Some("it is not JSON")),
            ("[1]".to_owned(), Some("it is not a JSON object")),
            ("\"{}\"".to_owned(), Some("it is not a JSON object")),
            (json!({"a.b": 1}).to_string(), Some("the name `a.b`")),
            (json!({"a": {"$b": 1}}).to_string(), Some("the name `$b`")),
            (json!({"a b": 1}).to_string(), Some("the name `a b`")),
            (json!({"": 1}).to_string(), Some("the name ``")),
            (json!({"a\u{1}": 1}).to_string(), Some("the name")),
            (nested(10).to_string(), None),
            (nested(11).to_string(), Some("it is nested deeper")),
            (json!({"a": &long[1..]}).to_string(), None),
            (json!({"a": long}).to_string(), Some("the value of `a`")),
            (json!({"a": [long]}).to_string(), Some("the value of `a`")),
            (json!({"a": 4_503_599_627_370_495_i64}).to_string(), None),
            (
                "{\"a\":1, \"b\" : 99999999999999999999}".to_owned(),
                Some("the number at `b`"),
            ),
            (
                "{\"b\":{\"c\":[\"\\\"x:\",-123456789012345678901]}}".to_owned(),
                Some("the number at `c`"),
            ),
            (
                "{\"b\":\"\\\\\\\"99999999999999999999\",\"c\":1e30,\"d\":100000000000000000000.5}"
                    .to_owned(),
                None,
            ),
            (
                "{\"b\":0.12345678901234567890123,\"c\":-1E-30}".to_owned(),
                None,
            ),
            (
                json!({"a": 4_503_599_627_370_496_i64}).to_string(),
                Some("the number at `a`"),
            ),
            (
                json!({"a": -4_503_599_627_370_497_i64}).to_string(),
                Some("the number at `a`"),
            ),
            (
                json!({"a": u64::MAX}).to_string(),
                Some("the number at `a`"),
            ),
            (json!({"a": 1e300}).to_string(), None),
            (json!({"$version": 4, "a": null}).to_string(), None),
        ];
        for (text, expected) in rows {
            let error = parse_patch(text.as_bytes()).err().map(|e| e.to_string());
            match (&error, expected) {
                (None, None) => {}
                (Some(error), Some(start)) if error.starts_with(start) => {}
                other => panic!("{text}: {other:?}"),
            }
        }
        let mut section = Section::default();
        let big = object(json!({"a": vec!["x".repeat(4000); 9]}));
        assert!(matches!(
            section.merge(&big, 0),
            Err(TwinError::Size { .. })
        ));
        assert_eq!(section, Section::default());
    }

    #[test]
    fn both_readers() {
        let mut twin = Twin::default();
        twin.desired.merge(&object(json!({"t": 20})), 0).unwrap();
        assert_eq!(
            twin.for_device(),
            json!({"desired": {"t": 20, "$version": 2}, "reported": {"$version": 1}})
        );
        let properties = twin.properties_for_service();
        assert_eq!(
            properties["desired"]["$metadata"]["$lastUpdated"],
            "1970-01-01T00:00:00Z"
        );
    }
}
