//! The little JSON that the service's answers need: checked, bounded, without a heap.

#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use core::fmt;
use core::str::Chars;

use crate::text::{BufferTooSmall, TextWriter, decimal, pour};

/// Deepest nesting that is read; a device twin has at most 10 levels.
const DEPTH_MAX: u32 = 32;

/// A JSON string as it stands between its quotation marks, escapes included.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct JsonText<'a>(&'a str);

impl<'a> JsonText<'a> {
    /// The text as it was received, with its escapes.
    #[must_use]
    pub const fn raw(&self) -> &'a str {
        self.0
    }

    /// The text, if it needs no decoding.
    #[must_use]
    pub fn plain(&self) -> Option<&'a str> {
        (!self.0.contains('\\')).then_some(self.0)
    }

    /// The decoded characters. Half of a surrogate pair becomes U+FFFD.
    pub fn chars(&self) -> impl Iterator<Item = char> + use<'a> {
        Unescaped(self.0.chars())
    }

    /// Whether the decoded text is `text`.
    #[must_use]
    pub fn is(&self, text: &str) -> bool {
        self.chars().eq(text.chars())
    }

    /// Decodes into `out`.
    ///
    /// # Errors
    /// [`BufferTooSmall`] with the length that is needed.
    pub fn decode<'o>(&self, out: &'o mut [u8]) -> Result<&'o str, BufferTooSmall> {
        let mut writer = TextWriter::new(out);
        for character in self.chars() {
            pour(&mut writer, character);
        }
        writer.finish()
    }
}

impl fmt::Debug for JsonText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.0, f)
    }
}

impl fmt::Display for JsonText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars()
            .try_for_each(|character| fmt::Write::write_char(f, character))
    }
}

struct Unescaped<'a>(Chars<'a>);

impl Unescaped<'_> {
    /// Four hexadecimal digits.
    fn unit(&mut self) -> Option<u32> {
        (0..4).try_fold(0, |unit, _| Some(unit << 4 | self.0.next()?.to_digit(16)?))
    }

    fn unicode(&mut self) -> Option<char> {
        let unit = self.unit()?;
        if !(0xD800..0xDC00).contains(&unit) {
            return char::from_u32(unit);
        }
        let mut ahead = Self(self.0.clone());
        let low = match (ahead.0.next()?, ahead.0.next()?) {
            ('\\', 'u') => ahead.unit()?,
            _ => return None,
        };
        let low = low.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
        *self = ahead;
        char::from_u32(0x1_0000 + ((unit - 0xD800) << 10) + low)
    }
}

impl Iterator for Unescaped<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        let character = self.0.next()?;
        if character != '\\' {
            return Some(character);
        }
        Some(match self.0.next()? {
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode().unwrap_or(char::REPLACEMENT_CHARACTER),
            other => other,
        })
    }
}

/// A JSON value whose syntax has been checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Value<'a>(&'a str);

impl<'a> Value<'a> {
    /// Reads text that is one JSON value and nothing more.
    pub(crate) fn parse(text: &'a str) -> Option<Self> {
        let mut scanner = Scanner { text, at: 0 };
        let value = scanner.value()?;
        scanner.skip_blanks();
        scanner.peek().is_none().then_some(value)
    }

    /// The JSON text itself.
    pub(crate) const fn raw(self) -> &'a str {
        self.0
    }

    pub(crate) fn is_object(self) -> bool {
        self.0.starts_with('{')
    }

    pub(crate) fn is_null(self) -> bool {
        self.0 == "null"
    }

    /// The member `name` of an object, the first one of that name.
    pub(crate) fn member(self, name: &str) -> Option<Self> {
        let mut scanner = Scanner {
            text: self.0,
            at: 0,
        };
        scanner.eat(b'{')?;
        loop {
            let key = scanner.key()?;
            let value = scanner.value()?;
            if key.is(name) {
                return Some(value);
            }
            scanner.skip_blanks();
            scanner.eat(b',')?;
        }
    }

    pub(crate) fn text(self) -> Option<JsonText<'a>> {
        Some(JsonText(self.0.strip_prefix('"')?.strip_suffix('"')?))
    }

    /// A whole number without sign, fraction or exponent.
    pub(crate) fn number(self) -> Option<u32> {
        decimal(self.0)
    }
}

struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.at += 1;
        Some(byte)
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn skip_while(&mut self, is: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.peek().is_some_and(&is) {
            self.at += 1;
        }
        self.at - start
    }

    fn skip_blanks(&mut self) {
        self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\r' | b'\n'));
    }

    /// A value of any kind; containers are walked with a stack of bits instead of recursion.
    fn value(&mut self) -> Option<Value<'a>> {
        self.skip_blanks();
        let start = self.at;
        let mut open = Containers {
            objects: 0,
            depth: 0,
        };
        loop {
            self.skip_blanks();
            let closed = match self.peek()? {
                b'{' => {
                    self.at += 1;
                    open.push(true)?;
                    self.skip_blanks();
                    if self.eat(b'}').is_some() {
                        true
                    } else {
                        self.key()?;
                        continue;
                    }
                }
                b'[' => {
                    self.at += 1;
                    open.push(false)?;
                    self.skip_blanks();
                    if self.eat(b']').is_none() {
                        continue;
                    }
                    true
                }
                _ => {
                    self.scalar()?;
                    false
                }
            };
            if closed {
                open.pop();
            }
            if !self.next_element(&mut open)? {
                return self.text.get(start..self.at).map(Value);
            }
        }
    }

    /// After a value: whether the container it stands in goes on with another one.
    fn next_element(&mut self, open: &mut Containers) -> Option<bool> {
        while open.depth > 0 {
            self.skip_blanks();
            match (self.next()?, open.in_object()) {
                (b',', true) => {
                    self.key()?;
                    return Some(true);
                }
                (b',', false) => return Some(true),
                (b'}', true) | (b']', false) => open.pop(),
                _ => return None,
            }
        }
        Some(false)
    }

    /// `"name" :`
    fn key(&mut self) -> Option<JsonText<'a>> {
        self.skip_blanks();
        let key = self.string()?;
        self.skip_blanks();
        self.eat(b':')?;
        Some(key)
    }

    fn scalar(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string().map(drop),
            b't' => self.word("true"),
            b'f' => self.word("false"),
            b'n' => self.word("null"),
            _ => self.number(),
        }
    }

    fn word(&mut self, word: &str) -> Option<()> {
        word.bytes().try_for_each(|byte| self.eat(byte))
    }

    fn string(&mut self) -> Option<JsonText<'a>> {
        self.eat(b'"')?;
        let start = self.at;
        loop {
            match self.next()? {
                b'"' => return self.text.get(start..self.at - 1).map(JsonText),
                b'\\' => match self.next()? {
                    b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => {}
                    b'u' => {
                        (0..4).try_for_each(|_| self.next()?.is_ascii_hexdigit().then_some(()))?
                    }
                    _ => return None,
                },
                0..0x20 => return None,
                _ => {}
            }
        }
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.eat(b'-');
        let leading_zero = self.peek()? == b'0';
        let digits = self.skip_while(|byte| byte.is_ascii_digit());
        if digits == 0 || (leading_zero && digits > 1) {
            return None;
        }
        if self.eat(b'.').is_some() && self.skip_while(|byte| byte.is_ascii_digit()) == 0 {
            return None;
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.skip_while(|byte| byte.is_ascii_digit()) == 0 {
                return None;
            }
        }
        Some(())
    }
}

/// The containers around a value, one bit each: set for an object.
struct Containers {
    objects: u32,
    depth: u32,
}

impl Containers {
    fn push(&mut self, object: bool) -> Option<()> {
        if self.depth == DEPTH_MAX {
            return None;
        }
        self.objects = self.objects << 1 | u32::from(object);
        self.depth += 1;
        Some(())
    }

    const fn pop(&mut self) {
        self.objects >>= 1;
        self.depth -= 1;
    }

    const fn in_object(&self) -> bool {
        self.objects & 1 == 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::{String, ToString};

    #[test]
    fn values_and_what_is_none() {
        let deep = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        let cases: &[(&str, bool)] = &[
            ("{}", true),
            (" [ ] \r\n", true),
            ("[1,-0.5,2e10,3E-2,0,\"a\",true,false,null,{},[[]]]", true),
            (
                "{\"a\":{\"b\":[1,{\"c\":\"d\"}]},\"e\":\"\\u00e9\\n\"}",
                true,
            ),
            ("\"é\"", true),
            (&deep(32), true),
            (&deep(33), false),
            ("", false),
            ("{", false),
            ("}", false),
            ("[1,]", false),
            ("[,1]", false),
            ("[1 2]", false),
            ("[1}", false),
            ("{\"a\"}", false),
            ("{\"a\":}", false),
            ("{\"a\":1,}", false),
            ("{a:1}", false),
            ("{'a':1}", false),
            ("{\"a\":1]", false),
            ("{} {}", false),
            ("\"a", false),
            ("\"\\x\"", false),
            ("\"\\u12g4\"", false),
            ("\"a\nb\"", false),
            ("\"\\", false),
            ("tru", false),
            ("nulll", false),
            ("-", false),
            ("01", false),
            ("1.", false),
            (".5", false),
            ("1e", false),
            ("+1", false),
            ("NaN", false),
        ];
        for (text, is_value) in cases {
            assert_eq!(Value::parse(text).is_some(), *is_value, "{text}");
            assert_eq!(
                serde_json::from_str::<serde_json::Value>(text).is_ok(),
                *is_value || *text == deep(33),
                "{text}"
            );
        }
    }

    #[test]
    fn every_prefix_and_every_changed_byte_is_judged_as_by_serde() {
        // Half of a surrogate pair, which serde_json alone refuses, cannot arise from this by one byte.
        let text = "{\"a\":{\"b\":[1,{\"c\":\"\\u00e9\"}]},\"e\":-1.5e3,\"f\":[true,null,[]]}";
        let judge = |text: &str| {
            let by_serde = serde_json::from_str::<serde_json::Value>(text).is_ok();
            assert_eq!(Value::parse(text).is_some(), by_serde, "{text}");
        };
        for at in 0..text.len() {
            judge(&text[..at]);
            for byte in 0..0x80_u8 {
                let mut changed = text.as_bytes().to_vec();
                changed[at] = byte;
                judge(&String::from_utf8(changed).unwrap());
            }
        }
    }

    #[test]
    fn members_are_found_by_decoded_name() {
        let text = "{ \"a\\u0062\" : 1 , \"n\":null,\"o\":{\"ab\":2}, \"s\":\"x\", \"s\":\"y\", \"f\":1.0, \"big\":4294967296 }";
        let value = Value::parse(text).unwrap();
        assert_eq!(value.member("ab").and_then(Value::number), Some(1));
        assert_eq!(
            value
                .member("o")
                .and_then(|o| o.member("ab"))
                .and_then(Value::number),
            Some(2)
        );
        assert_eq!(
            value.member("s").and_then(Value::text).map(|s| s.raw()),
            Some("x")
        );
        assert_eq!(value.member("n").map(Value::is_null), Some(true));
        assert_eq!(value.member("f").and_then(Value::number), None);
        assert_eq!(value.member("big").and_then(Value::number), None);
        assert_eq!(value.member("missing"), None);
        assert_eq!(Value::parse("{}").unwrap().member("a"), None);
        assert_eq!(Value::parse("[1]").unwrap().member("a"), None);
        assert_eq!(Value::parse("1").unwrap().text(), None);
    }

    #[test]
    fn strings_are_decoded() {
        let cases = [
            ("", ""),
            ("plain", "plain"),
            ("\\\"\\\\\\/\\b\\f\\n\\r\\t", "\"\\/\u{8}\u{c}\n\r\t"),
            ("\\u00e9\\u20AC", "é€"),
            ("\\ud83d\\ude00!", "\u{1f600}!"),
            ("\\ud83d", "\u{fffd}"),
            ("\\ud83dx", "\u{fffd}x"),
            ("\\ud83d\\n", "\u{fffd}\n"),
            ("\\ud83d\\u0041", "\u{fffd}A"),
            ("\\ude00a", "\u{fffd}a"),
        ];
        for (raw, expected) in cases {
            let text = JsonText(raw);
            let mut out = [0; 32];
            assert_eq!(text.decode(&mut out), Ok(expected), "{raw}");
            assert_eq!(text.to_string(), expected, "{raw}");
            assert!(text.is(expected), "{raw}");
            assert_eq!(text.plain().is_some(), raw == expected, "{raw}");
        }
        assert_eq!(
            JsonText("\\u20ac").decode(&mut [0; 2]),
            Err(BufferTooSmall { need: 3, have: 2 })
        );
    }
}
