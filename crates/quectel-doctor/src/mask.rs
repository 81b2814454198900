//! Secrets out of everything that is quoted: signatures, keys, passwords, PINs, bodies of key files.

use std::rc::Rc;

/// A line of the log that a report may quote, with its number.
///
/// The text is kept as it stands and masked when it is shown: most lines never are.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Quote {
    pub(crate) number: u64,
    raw: Rc<str>,
}

impl core::fmt::Debug for Quote {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "{}: {}", self.number, self.masked())
    }
}

/// Longer lines are cut in a report.
const MAX_QUOTE: usize = 180;

/// And so much is kept of them.
const MAX_RAW: usize = 2048;

impl Quote {
    pub(crate) fn new(number: u64, raw: &str) -> Self {
        let raw = raw.trim_end();
        let mut end = raw.len().min(MAX_RAW);
        while !raw.is_char_boundary(end) {
            end -= 1;
        }
        Self {
            number,
            raw: Rc::from(raw.get(..end).unwrap_or_default()),
        }
    }

    /// The line without its secrets, cut to 180 characters.
    pub(crate) fn masked(&self) -> String {
        // What is cut before masking cannot hold half a secret afterwards.
        let masked = mask(&self.raw);
        let mut text: String = masked
            .chars()
            .map(|c| if c.is_control() { ' ' } else { c })
            .collect();
        if let Some((at, _)) = text.char_indices().nth(MAX_QUOTE) {
            text.truncate(at);
            text.push('\u{2026}');
        }
        text
    }
}

/// Parameters that are secrets: the verb, and the positions of its parameters from 0.
const SECRET_PARAMETERS: &[(&str, &[usize])] = &[
    ("+QMTCONN", &[2, 3]),
    ("+QICSGP", &[3, 4]),
    ("+CGAUTH", &[2, 3]),
    ("+CPIN", &[0, 1]),
    ("+CLCK", &[2]),
    ("+CPWD", &[1, 2]),
    ("+CMQTTCONNECT", &[4, 5]),
    ("+QFTPCFG", &[1, 2]),
    ("+SMSSL", &[]),
    ("+UMQTT", &[1, 2]),
    ("+CNACT", &[]),
];

/// Settings whose values are secrets: the verb, the setting, and the positions from 0.
const SECRET_SETTINGS: &[(&str, &str, &[usize])] = &[
    ("+QMTCFG", "aliauth", &[2, 3, 4]),
    ("+QMTCFG", "onenet", &[2, 3]),
    ("+QMTCFG", "hwauth", &[2, 3]),
    ("+QSSLCFG", "psk", &[2, 3]),
    ("+QSSLCFG", "clientkey", &[3]),
    ("+SMCONF", "password", &[1]),
    ("+SMCONF", "username", &[1]),
    ("+QHTTPCFG", "auth", &[1]),
];

/// `text` without its secrets.
pub(crate) fn mask(text: &str) -> String {
    let mut out = mask_parameters(text);
    for (name, ends) in [
        ("sig=", "&"),
        ("SharedAccessKey=", ";"),
        ("Bearer ", ""),
        ("password=", "&;"),
        ("passwd=", "&;"),
    ] {
        out = mask_values(&out, name, ends);
    }
    mask_base64(&out)
}

fn mask_parameters(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    let mut positions: Option<(usize, &[usize])> = None;
    for (verb, args) in SECRET_PARAMETERS {
        positions = positions.or_else(|| Some((after_verb(&upper, verb)?, *args)));
    }
    for (verb, name, args) in SECRET_SETTINGS {
        positions = positions.or_else(|| {
            let start = after_verb(&upper, verb)?;
            let named = upper.get(start..)?.contains(&name.to_ascii_uppercase());
            named.then_some((start, *args))
        });
    }
    let Some((start, secret)) = positions else {
        return text.to_owned();
    };
    let (head, parameters) = text.split_at_checked(start).unwrap_or((text, ""));
    let mut out = head.to_owned();
    for (n, parameter) in split_parameters(parameters).into_iter().enumerate() {
        if n > 0 {
            out.push(',');
        }
        out.push_str(&if secret.contains(&n) {
            hidden(parameter)
        } else {
            parameter.to_owned()
        });
    }
    out
}

/// Where the parameters of `verb` begin in a line.
fn after_verb(upper: &str, verb: &str) -> Option<usize> {
    let at = upper.find(verb)? + verb.len();
    let rest = upper.get(at..)?;
    let blanks = rest.len() - rest.trim_start().len();
    rest.trim_start()
        .starts_with('=')
        .then_some(at + blanks + 1)
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\u{201C}'..='\u{201F}' | '\u{2033}' | '\u{FF02}')
}

fn split_parameters(text: &str) -> Vec<&str> {
    let (mut all, mut start, mut quoted) = (Vec::new(), 0, false);
    for (at, c) in text.char_indices() {
        if is_quote(c) {
            quoted = !quoted;
        } else if c == ',' && !quoted {
            all.push(text.get(start..at).unwrap_or_default());
            start = at + 1;
        }
    }
    all.push(text.get(start..).unwrap_or_default());
    all
}

/// A secret parameter, as far as its shape is of use: Azure's user name and token keep all but the signature.
fn hidden(parameter: &str) -> String {
    let inside = parameter
        .trim()
        .trim_matches(|c: char| is_quote(c) || matches!(c, '\\' | '\'' | '\r'));
    let azure = inside.starts_with("SharedAccessSignature")
        || inside.contains("SharedAccessKey=")
        || inside.contains("/registrations/")
        || (inside.contains("azure") && inside.contains('/'))
        || inside.contains("/?api-version");
    if inside.is_empty() || azure || inside.chars().all(|c| c == '*') {
        return parameter.to_owned();
    }
    let number = inside.len() == 1 && inside.bytes().all(|b| b.is_ascii_digit());
    if number {
        return parameter.to_owned();
    }
    parameter.replace(inside, "***")
}

/// The value behind `name`, up to one of `ends`, a quote, a blank or the end.
fn mask_values(text: &str, name: &str, ends: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let wanted = name.to_ascii_lowercase();
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in lower.match_indices(&wanted) {
        let value = at + name.len();
        if at < done {
            continue;
        }
        let rest = text.get(value..).unwrap_or_default();
        let end = rest
            .find(|c: char| {
                ends.contains(c)
                    || is_quote(c)
                    || c.is_whitespace()
                    || matches!(c, '\\' | '\'' | '<' | ']')
            })
            .unwrap_or(rest.len());
        out.push_str(text.get(done..value).unwrap_or_default());
        if end > 0 {
            out.push_str("***");
        }
        done = value + end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// Runs of Base64 as long as a key or a line of a PEM body keep their first four characters.
fn mask_base64(text: &str) -> String {
    const LONG: usize = 40;
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '=');
    let mut out = String::with_capacity(text.len());
    let mut run = String::new();
    for c in text.chars().chain(core::iter::once(' ')) {
        if is_base64(c) {
            run.push(c);
            continue;
        }
        let mixed = run.bytes().any(|b| b.is_ascii_uppercase())
            && run.bytes().any(|b| b.is_ascii_lowercase());
        if run.len() >= LONG && mixed {
            out.extend(run.chars().take(4));
            out.push_str("***");
        } else {
            out.push_str(&run);
        }
        run.clear();
        out.push(c);
    }
    out.pop();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_do_not_come_out() {
        let token =
            "SharedAccessSignature sr=h%2Fdevices%2Fd1&sig=83aqJBcsRIN9R2Zd%3D&se=1563244357";
        for (line, expected) in [
            (
                format!("AT+QMTCONN=0,\"d1\",\"h.azure-devices.net/d1\",\"{token}\""),
                "AT+QMTCONN=0,\"d1\",\"h.azure-devices.net/d1\",\"SharedAccessSignature sr=h%2Fdevices%2Fd1&sig=***&se=1563244357\"",
            ),
            ("AT+QMTCONN=0,\"d1\",\"user\",\"geheim\"".into(), "AT+QMTCONN=0,\"d1\",\"***\",\"***\""),
            ("AT+QMTCONN=0,\"d1\",\u{201C}user\u{201D},\u{201C}geheim\u{201D}".into(), "AT+QMTCONN=0,\"d1\",\u{201C}***\u{201D},\u{201C}***\u{201D}"),
            ("AT+CPIN=1234".into(), "AT+CPIN=***"),
            ("AT+CPIN?".into(), "AT+CPIN?"),
            ("AT+QICSGP=1,1,\"apn\",\"me\",\"pw\",1".into(), "AT+QICSGP=1,1,\"apn\",\"***\",\"***\",1"),
            ("AT+SMCONF=\"PASSWORD\",\"geheim\"".into(), "AT+SMCONF=\"PASSWORD\",\"***\""),
            (
                "HostName=h;DeviceId=d;SharedAccessKey=c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI=".into(),
                "HostName=h;DeviceId=d;SharedAccessKey=***",
            ),
            ("key c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0c2VjcmV0MTI= here".into(), "key c2Vj*** here"),
            ("AT+QMTCONN=0,\"d1\",\"\",\"\"".into(), "AT+QMTCONN=0,\"d1\",\"\",\"\""),
            ("AT+QSSLCFG=\"clientkey\",2,\"k.pem\",\"geheim\"".into(), "AT+QSSLCFG=\"clientkey\",2,\"k.pem\",\"***\""),
        ] {
            assert_eq!(mask(&line), expected);
        }
    }

    #[test]
    fn long_lines_are_cut() {
        let quote = Quote::new(7, &"ab ".repeat(200));
        let text = quote.masked();
        assert_eq!((quote.number, text.chars().count()), (7, MAX_QUOTE + 1));
    }
}
