//! Settings of SSL contexts and MQTT clients, as far as the log shows them.

use crate::mask::Quote;

/// A setting in force, and the line that shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Value {
    pub(crate) args: Vec<String>,
    pub(crate) quote: Quote,
    /// The module told it on request; nobody set it in this log.
    pub(crate) read: bool,
}

impl Value {
    /// The first argument, without quotes.
    pub(crate) fn text(&self) -> &str {
        self.args.first().map_or("", String::as_str)
    }

    /// The first argument as a decimal number.
    pub(crate) fn number(&self) -> Option<i64> {
        self.text().trim().parse().ok()
    }

    /// The first argument as a cipher suite's code: `0XC02F`.
    pub(crate) fn hex(&self) -> Option<u32> {
        let text = self.text().trim();
        let digits = text
            .strip_prefix("0x")
            .or_else(|| text.strip_prefix("0X"))?;
        u32::from_str_radix(digits, 16).ok()
    }
}

/// The settings of one context or client, by name in small letters.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Settings {
    values: Vec<(String, Value)>,
}

/// No module has more settings per context.
const MAX_SETTINGS: usize = 48;

impl Settings {
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.values
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value)
    }

    pub(crate) fn number(&self, name: &str) -> Option<i64> {
        self.get(name)?.number()
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.get(name)
            .map(Value::text)
            .filter(|text| !text.is_empty())
    }

    pub(crate) fn put(&mut self, name: &str, value: Value) {
        if let Some((_, known)) = self.values.iter_mut().find(|(known, _)| known == name) {
            // What was read confirms what was set; the line that set it is the better evidence.
            if !(value.read && !known.read && known.args == value.args) {
                *known = value;
            }
        } else if self.values.len() < MAX_SETTINGS {
            self.values.push((name.to_owned(), value));
        }
    }

    /// Something was set here in this log, not only read.
    pub(crate) fn is_written(&self) -> bool {
        self.values.iter().any(|(_, value)| !value.read)
    }

    /// The lines that set something, the first ones.
    pub(crate) fn quotes(&self) -> impl Iterator<Item = &Quote> {
        self.values
            .iter()
            .filter(|(_, value)| !value.read)
            .map(|(_, value)| &value.quote)
    }

    /// Names whose values differ between two contexts.
    pub(crate) fn differences(&self, other: &Self) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        for (name, value) in &self.values {
            if other
                .get(name)
                .is_none_or(|theirs| !same(&theirs.args, &value.args))
            {
                names.push(name.clone());
            }
        }
        for (name, _) in &other.values {
            if self.get(name).is_none() {
                names.push(name.clone());
            }
        }
        names
    }
}

fn same(a: &[String], b: &[String]) -> bool {
    a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.eq_ignore_ascii_case(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str, read: bool) -> Value {
        Value {
            args: vec![text.into()],
            quote: Quote::new(1, ""),
            read,
        }
    }

    #[test]
    fn settings_are_compared_by_value() {
        let (mut a, mut b) = (Settings::default(), Settings::default());
        a.put("sni", value("1", false));
        a.put("ciphersuite", value("0XFFFF", false));
        b.put("ciphersuite", value("0xffff", true));
        assert_eq!(a.differences(&b), ["sni"]);
        assert!(a.is_written() && !b.is_written());
        assert_eq!(b.get("ciphersuite").and_then(Value::hex), Some(0xFFFF));
    }
}
