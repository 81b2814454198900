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

/// Parameters that are secrets: the verb with what stands behind it, and the positions of its parameters from 0.
/// From the last of them on everything is one, since quotes inside a password shift what follows.
const SECRET_PARAMETERS: &[(&str, &[usize])] = &[
    ("+QMTCONN=", &[2, 3]),
    ("+QICSGP=", &[3, 4]),
    ("+QICSGP:", &[2, 3]),
    ("+CGAUTH=", &[2, 3]),
    ("+CGAUTH:", &[2, 3]),
    ("+CPIN=", &[0, 1]),
    ("+CLCK=", &[2]),
    ("+CPWD=", &[1, 2]),
    ("+CMQTTCONNECT=", &[4, 5]),
    ("+QFTPCFG=", &[1, 2]),
    ("+UMQTT=", &[1, 2]),
    ("+MQTTUSERCFG=", &[3, 4]),
    ("+MQTTUSERNAME=", &[1]),
    ("+MQTTPASSWORD=", &[1]),
    ("+CWJAP=", &[1]),
    ("+QSTAAPINFO=", &[1]),
];

/// Settings whose values are secrets: the verb, the setting, and the positions from 0.
const SECRET_SETTINGS: &[(&str, &str, &[usize])] = &[
    ("+QMTCFG=", "ALIAUTH", &[2, 3, 4]),
    ("+QMTCFG=", "ONENET", &[2, 3]),
    ("+QMTCFG=", "HWAUTH", &[2, 3]),
    ("+QSSLCFG=", "PSK", &[2, 3]),
    ("+QSSLCFG=", "CLIENTKEY", &[3]),
    ("+SMCONF=", "PASSWORD", &[1]),
    ("+SMCONF=", "USERNAME", &[1]),
    ("+QHTTPCFG=", "AUTH", &[1]),
];

/// Names that a secret stands behind, also as the end of a longer name: `access_token`, `client_secret`.
const SECRET_NAMES: &[&str] = &[
    "sig",
    "sharedaccesskey",
    "accesskey",
    "accountkey",
    "primarykey",
    "secondarykey",
    "privatekey",
    "private_key",
    "apikey",
    "api_key",
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
];

/// `text` without its secrets.
pub(crate) fn mask(text: &str) -> String {
    let mut out = mask_parameters(text);
    for name in SECRET_NAMES {
        out = mask_named(out, name);
    }
    for name in ["Bearer ", "Basic "] {
        out = mask_behind(out, name);
    }
    mask_base64(&out)
}

/// Commands with secrets in a line: where their parameters begin, and which are secret.
fn secret_commands(upper: &str) -> Vec<(usize, &'static [usize])> {
    let mut all = Vec::new();
    for (at, _) in upper.match_indices('+') {
        let Some(rest) = upper.get(at..) else {
            continue;
        };
        let letters = rest.get(1..).unwrap_or_default();
        let length = letters
            .find(|c: char| !c.is_ascii_alphanumeric())
            .unwrap_or(letters.len());
        let (verb, after) = rest.split_at_checked(1 + length).unwrap_or((rest, ""));
        let blanks = after.len() - after.trim_start().len();
        let Some(sign) = after
            .trim_start()
            .chars()
            .next()
            .filter(|c| matches!(c, '=' | ':'))
        else {
            continue;
        };
        let start = at + verb.len() + blanks + 1;
        let is = |known: &str| known.strip_suffix(sign) == Some(verb);
        let plain = SECRET_PARAMETERS.iter().find(|(known, _)| is(known));
        let setting = SECRET_SETTINGS.iter().find(|(known, name, _)| {
            let first = upper.get(start..).unwrap_or_default().split(',').next();
            is(known) && first.is_some_and(|first| first.contains(name))
        });
        let positions = plain
            .map(|(_, args)| *args)
            .or_else(|| setting.map(|(_, _, args)| *args));
        all.extend(positions.map(|positions| (start, positions)));
    }
    all
}

fn mask_parameters(text: &str) -> String {
    let upper = text.to_ascii_uppercase();
    let commands = secret_commands(&upper);
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (n, (start, secret)) in commands.iter().enumerate() {
        let next = commands.get(n + 1).map_or(text.len(), |(start, _)| *start);
        out.push_str(text.get(done..*start).unwrap_or_default());
        let last = secret.last().copied().unwrap_or_default();
        for (n, parameter) in split_parameters(text.get(*start..next).unwrap_or_default())
            .into_iter()
            .enumerate()
        {
            if n > 0 {
                out.push(',');
            }
            if secret.contains(&n) || n > last {
                out.push_str(&hidden(parameter));
            } else {
                out.push_str(parameter);
            }
        }
        done = next;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
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

/// What a fix says in place of a secret; only these words, so that nothing of a log comes out with them.
const PLACEHOLDERS: &[&str] = &[
    "<pin>",
    "<PIN>",
    "<user name>",
    "<password>",
    "<SAS token>",
    "\u{2026}",
];

/// A secret parameter, as far as its shape is of use: Azure's user name and token keep all but the signature.
fn hidden(parameter: &str) -> String {
    let inside = parameter
        .trim()
        .trim_matches(|c: char| is_quote(c) || matches!(c, '\\' | '\'' | '\r'));
    let azure = inside.starts_with("SharedAccessSignature sr")
        || (inside.starts_with("HostName=") && inside.contains("SharedAccess"))
        || inside.contains("/registrations/")
        || inside.contains(".azure-devices.net/")
        || inside.contains("/?api-version");
    if PLACEHOLDERS.contains(&inside)
        || inside.is_empty()
        || azure
        || inside.chars().all(|c| c == '*')
    {
        return parameter.to_owned();
    }
    let number = inside.len() == 1 && inside.bytes().all(|b| b.is_ascii_digit());
    if number {
        return parameter.to_owned();
    }
    parameter.replace(inside, "***")
}

/// The end of a value: a quote, a blank, a separator.
fn value_end(text: &str) -> usize {
    let ends = |c: char| {
        is_quote(c)
            || c.is_whitespace()
            || matches!(c, '\\' | '\'' | '<' | ']' | '&' | ';' | ',' | '}')
    };
    text.find(ends).unwrap_or(text.len())
}

/// The value behind `name` and `=` or `:`, with the quotes of JSON or source code between.
fn mask_named(text: String, name: &str) -> String {
    let lower = text.to_ascii_lowercase();
    if !lower.contains(name) {
        return text;
    }
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (at, _) in lower.match_indices(name) {
        let after = text.get(at + name.len()..).unwrap_or_default();
        let quotes = |c: char| is_quote(c) || matches!(c, '\\' | '\'' | ' ');
        let sign = after.trim_start_matches(quotes);
        let Some(rest) = sign
            .strip_prefix(['=', ':'])
            .map(|rest| rest.trim_start_matches(quotes))
        else {
            continue;
        };
        let start = text.len() - rest.len();
        let end = value_end(rest);
        if start < done || end == 0 {
            continue;
        }
        out.push_str(text.get(done..start).unwrap_or_default());
        out.push_str("***");
        done = start + end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

/// The word behind `name`.
fn mask_behind(text: String, name: &str) -> String {
    let Some((before, rest)) = text.split_once(name) else {
        return text;
    };
    // `Basic` begins sentences too; credentials have no short words.
    let end = value_end(rest);
    if end < 12 {
        return text;
    }
    format!("{before}{name}***{}", rest.get(end..).unwrap_or_default())
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
            ("AT+CPIN=\"<pin>\"".into(), "AT+CPIN=\"<pin>\""),
            ("AT+CPIN=\"<1234>\"".into(), "AT+CPIN=\"***\""),
            ("AT+QMTCONN=0,\"d1\",\"<user name>\",\"<geheim>\"".into(), "AT+QMTCONN=0,\"d1\",\"<user name>\",\"***\""),
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
    fn nothing_in_a_fix_of_the_catalogue_is_taken_for_a_secret() {
        for cause in crate::catalogue() {
            for line in cause.fix.iter().chain(cause.check) {
                assert_eq!(mask(line), *line, "{}", cause.id);
            }
        }
    }

    #[test]
    fn long_lines_are_cut() {
        let quote = Quote::new(7, &"ab ".repeat(200));
        let text = quote.masked();
        assert_eq!((quote.number, text.chars().count()), (7, MAX_QUOTE + 1));
    }
}
