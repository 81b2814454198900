//! What copying through terminals, forums and web pages does to a line, undone.

use std::borrow::Cow;

/// A cleaned line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Cleaned<'a> {
    /// The text in ASCII punctuation.
    pub(crate) text: Cow<'a, str>,
    /// Typographic quotes stood in it; a forum or the user put them there.
    pub(crate) typographic: bool,
}

/// Removes ANSI colours and invisible characters, resolves HTML entities and typographic punctuation.
pub(crate) fn clean(line: &str) -> Cleaned<'_> {
    let ansi = line.contains('\u{1B}') || line.contains("[0m") || line.contains("<ESC>");
    let entities = line.contains('&') && ENTITIES.iter().any(|(name, _)| line.contains(name));
    let tags = line.contains('<') && tag_in(line).is_some();
    if line.is_ascii() && !ansi && !entities && !tags {
        return Cleaned {
            text: Cow::Borrowed(line),
            typographic: false,
        };
    }
    let mut text = if ansi {
        without_ansi(line)
    } else {
        line.to_owned()
    };
    if tags {
        text = without_tags(&text);
    }
    if entities {
        for (name, plain) in ENTITIES {
            text = text.replace(name, plain);
        }
    }
    let typographic = text.contains(is_typographic_quote);
    let text = text.chars().filter_map(plain_character).collect::<String>();
    Cleaned {
        text: Cow::Owned(text),
        typographic,
    }
}

const ENTITIES: &[(&str, &str)] = &[
    ("&quot;", "\""),
    ("&#34;", "\""),
    ("&#x22;", "\""),
    ("&ldquo;", "\u{201C}"),
    ("&rdquo;", "\u{201D}"),
    ("&#8220;", "\u{201C}"),
    ("&#8221;", "\u{201D}"),
    ("&#39;", "'"),
    ("&#x27;", "'"),
    ("&apos;", "'"),
    ("&#43;", "+"),
    ("&#61;", "="),
    ("&#13;", ""),
    ("&#10;", ""),
    ("&#160;", " "),
    ("&lt;", "<"),
    ("&gt;", ">"),
    ("&nbsp;", " "),
    ("&amp;", "&"),
];

/// Names of HTML tags that a page leaves around a log; `<host>` and `<cert.pem>` are none.
const TAGS: &[&str] = &[
    "a",
    "b",
    "blockquote",
    "br",
    "code",
    "div",
    "em",
    "font",
    "hr",
    "i",
    "li",
    "ol",
    "p",
    "pre",
    "span",
    "strong",
    "table",
    "tbody",
    "td",
    "th",
    "tr",
    "tt",
    "u",
    "ul",
];

/// The first HTML tag: where it begins and ends.
fn tag_in(text: &str) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(at) = text.get(from..)?.find('<').map(|at| from + at) {
        let inner = text.get(at + 1..)?;
        let name = inner.strip_prefix('/').unwrap_or(inner);
        let length = name
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(name.len());
        let (name, rest) = name.split_at_checked(length)?;
        let known = TAGS.iter().any(|tag| tag.eq_ignore_ascii_case(name));
        if known
            && rest.starts_with(['>', ' ', '/'])
            && let Some(close) = inner.bytes().take(200).position(|byte| byte == b'>')
        {
            return Some((at, at + close + 2));
        }
        from = at + 1;
    }
    None
}

fn without_tags(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((start, end)) = tag_in(rest) {
        out.push_str(rest.get(..start).unwrap_or_default());
        out.push(' ');
        rest = rest.get(end..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

const fn is_typographic_quote(c: char) -> bool {
    matches!(
        c,
        '\u{201C}'..='\u{201F}' | '\u{2033}' | '\u{2018}'..='\u{201B}' | '\u{2032}' | '\u{FF02}' | '\u{00B4}'
    )
}

const fn plain_character(c: char) -> Option<char> {
    Some(match c {
        '\u{201C}'..='\u{201F}' | '\u{2033}' | '\u{FF02}' => '"',
        '\u{2018}'..='\u{201B}' | '\u{2032}' | '\u{00B4}' => '\'',
        '\u{2010}'..='\u{2015}' | '\u{2212}' => '-',
        '\u{FF0C}' => ',',
        '\u{FF1A}' => ':',
        '\u{FF1D}' => '=',
        '\u{FF1B}' => ';',
        '\u{FF1E}' => '>',
        '\u{00A0}' | '\u{3000}' | '\u{2007}' | '\u{202F}' => ' ',
        '\u{200B}'..='\u{200F}' | '\u{FEFF}' | '\u{2060}' => return None,
        _ => c,
    })
}

/// Escape sequences of terminals, also as tools print them: `<ESC>_[0;32m` and a bare `[0m`.
fn without_ansi(line: &str) -> String {
    let mut out = String::with_capacity(line.len());
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let sequence = rest
            .strip_prefix('\u{1B}')
            .or_else(|| rest.strip_prefix("<ESC>_"))
            .or_else(|| rest.strip_prefix("<ESC>"));
        let after = match sequence {
            Some(after) => Some(control_sequence(after).unwrap_or(after)),
            None => colour(rest),
        };
        match after {
            Some(after) => rest = after,
            None => {
                out.push(c);
                rest = rest.get(c.len_utf8()..).unwrap_or_default();
            }
        }
    }
    out
}

/// After `[` parameters and one letter.
fn control_sequence(text: &str) -> Option<&str> {
    let body = text.strip_prefix('[')?;
    let end = body.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == '?'))?;
    let (_, last) = body.split_at_checked(end)?;
    last.strip_prefix(|c: char| c.is_ascii_alphabetic())
}

/// `[0m`, `[0;32m`: a colour whose ESC was lost.
fn colour(text: &str) -> Option<&str> {
    let body = text.strip_prefix('[')?;
    let end = body.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    if end == 0 {
        return None;
    }
    let (_, last) = body.split_at_checked(end)?;
    last.strip_prefix('m')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_a_page_go_and_placeholders_stay() {
        for (line, plain) in [
            ("<pre><code>AT+CSQ<br/>", "  AT+CSQ "),
            (
                "AT+QMTCONN=0,<b>&ldquo;d1&rdquo;</b>",
                "AT+QMTCONN=0, \"d1\" ",
            ),
            ("<p class=\"x\">OK</p>", " OK "),
            ("<private_key.pem>", "<private_key.pem>"),
            ("<host> <CR><LF> <pre", "<host> <CR><LF> <pre"),
        ] {
            assert_eq!(clean(line).text, plain, "{line}");
        }
    }

    #[test]
    fn lines_are_cleaned() {
        for (line, expected, typographic) in [
            ("AT+CSQ", "AT+CSQ", false),
            (
                "AT+QSSLCFG=\u{201C}sni\u{201D},2,1",
                "AT+QSSLCFG=\"sni\",2,1",
                true,
            ),
            ("+QMTOPEN: 0,\u{2013}1", "+QMTOPEN: 0,-1", false),
            (
                "\u{1B}[0;32mI (44731) SIM7600: OK\u{1B}[0m",
                "I (44731) SIM7600: OK",
                false,
            ),
            ("<ESC>_[0;32mI (1) X: OK<ESC>_[0m", "I (1) X: OK", false),
            ("[0;32mI (1) X: OK[0m", "I (1) X: OK", false),
            (
                "AT+QMTOPEN=0,&quot;a&amp;b&quot;",
                "AT+QMTOPEN=0,\"a&b\"",
                false,
            ),
            ("a & b", "a & b", false),
            ("AT\u{00A0}OK\u{200B}", "AT OK", false),
        ] {
            let cleaned = clean(line);
            assert_eq!(
                (cleaned.text.as_ref(), cleaned.typographic),
                (expected, typographic)
            );
        }
    }
}
