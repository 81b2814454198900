//! A command line taken apart: verb, form and parameters, also when its quotes are a mess.

/// The form of an extended command (3GPP TS 27.007, V.250).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// `AT+X`
    Exec,
    /// `AT+X?`
    Read,
    /// `AT+X=?`
    Test,
    /// `AT+X=…`
    Set,
}

/// A parameter without its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Arg {
    pub(crate) text: String,
    pub(crate) quoted: bool,
}

/// One command of a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Command {
    /// In capitals and without `AT`: `+QMTCFG`, `I`, `E0`; empty for `AT` alone.
    pub(crate) verb: String,
    pub(crate) form: Form,
    pub(crate) args: Vec<Arg>,
    /// A quoted parameter went on behind its closing quote, as JSON does.
    pub(crate) ragged_quotes: bool,
    /// A quote was opened and not closed.
    pub(crate) open_quote: bool,
    /// Bytes of the whole command line.
    pub(crate) line_length: usize,
}

/// No manual has more parameters in one command.
const MAX_ARGS: usize = 24;

impl Command {
    /// Parameter `n` from 0, or the empty text.
    pub(crate) fn arg(&self, n: usize) -> &str {
        self.args.get(n).map_or("", |arg| arg.text.as_str())
    }

    /// Parameter `n` as a number in its range.
    pub(crate) fn number<T: core::str::FromStr>(&self, n: usize) -> Option<T> {
        self.args.get(n)?.text.parse().ok()
    }

    /// Parameter `n` in small letters: the names of settings are matched without case.
    pub(crate) fn name(&self, n: usize) -> String {
        self.arg(n).to_ascii_lowercase()
    }

    pub(crate) fn is(&self, verb: &str) -> bool {
        self.verb == verb
    }

    pub(crate) fn is_set(&self, verb: &str) -> bool {
        self.verb == verb && self.form == Form::Set
    }
}

/// The commands of a line such as `at+cgreg?;+creg?`.
pub(crate) fn parse_line(line: &str) -> Vec<Command> {
    let body = line.get(2..).unwrap_or_default();
    let length = line.len();
    let mut commands = Vec::new();
    let mut rest = body;
    loop {
        let (part, next) = split_chain(rest);
        commands.push(parse(part.trim(), length));
        match next {
            Some(next) if commands.len() < MAX_ARGS => rest = next,
            _ => return commands,
        }
    }
}

/// Up to a `;` outside quotes that a further command follows.
fn split_chain(text: &str) -> (&str, Option<&str>) {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            ';' if !quoted => {
                let next = text.get(at + 1..).unwrap_or_default();
                if next.trim_start().starts_with(['+', '&', '^', '$']) {
                    return (text.get(..at).unwrap_or(text), Some(next));
                }
            }
            _ => {}
        }
    }
    (text, None)
}

fn parse(text: &str, line_length: usize) -> Command {
    let head = text.find(['=', '?']).unwrap_or(text.len());
    let (verb, rest) = text.split_at_checked(head).unwrap_or((text, ""));
    let verb: String = verb.trim().to_ascii_uppercase();
    let mut command = Command {
        verb,
        form: Form::Exec,
        args: Vec::new(),
        ragged_quotes: false,
        open_quote: false,
        line_length,
    };
    let rest = rest.trim();
    if let Some(value) = rest.strip_prefix('=') {
        let value = value.trim();
        if value == "?" {
            command.form = Form::Test;
        } else {
            command.form = Form::Set;
            parse_args(value, &mut command);
        }
    } else if rest.starts_with('?') {
        command.form = Form::Read;
    }
    command
}

fn parse_args(text: &str, command: &mut Command) {
    let mut rest = text;
    while command.args.len() < MAX_ARGS {
        let trimmed = rest.trim_start();
        let (arg, after) = match trimmed.strip_prefix('"') {
            Some(inside) => quoted(inside, command),
            None => {
                let end = trimmed.find(',').unwrap_or(trimmed.len());
                let (plain, after) = trimmed.split_at_checked(end).unwrap_or((trimmed, ""));
                (
                    Arg {
                        text: plain.trim().to_owned(),
                        quoted: false,
                    },
                    after,
                )
            }
        };
        command.args.push(arg);
        match after.strip_prefix(',') {
            Some(next) => rest = next,
            None => return,
        }
    }
}

/// A quoted parameter ends at a quote that a comma or the end follows; if none does, at the last quote.
fn quoted<'a>(inside: &'a str, command: &mut Command) -> (Arg, &'a str) {
    let mut first_quote = None;
    for (at, _) in inside.match_indices('"') {
        let after = inside.get(at + 1..).unwrap_or_default().trim_start();
        if after.is_empty() || after.starts_with(',') {
            // `"{"a":1,"b":2}"`: a quote before this one stood in the middle of the text.
            command.ragged_quotes |= first_quote.is_some();
            let text = inside.get(..at).unwrap_or_default().to_owned();
            return (Arg { text, quoted: true }, after);
        }
        first_quote.get_or_insert(at);
    }
    match first_quote {
        // `"sni"2,1` or `"thing1)`: take what the first quote encloses.
        Some(at) => {
            command.ragged_quotes = true;
            let after = inside.get(at + 1..).unwrap_or_default();
            let comma = after.find(',').unwrap_or(after.len());
            let text = inside.get(..at).unwrap_or_default().to_owned();
            (
                Arg { text, quoted: true },
                after.get(comma..).unwrap_or_default(),
            )
        }
        None => {
            command.open_quote = true;
            // The closing quote was lost in `"sni,2,1`: the comma ends a name, not a token or a path.
            let end = inside
                .find(',')
                .filter(|_| command.args.is_empty())
                .unwrap_or(inside.len());
            let (text, after) = inside.split_at_checked(end).unwrap_or((inside, ""));
            (
                Arg {
                    text: text.to_owned(),
                    quoted: true,
                },
                after,
            )
        }
    }
}

/// The fields of an information line's value, split at commas outside quotes.
pub(crate) fn fields(value: &str) -> Vec<Arg> {
    let mut command = Command {
        verb: String::new(),
        form: Form::Set,
        args: Vec::new(),
        ragged_quotes: false,
        open_quote: false,
        line_length: 0,
    };
    parse_args(value.trim(), &mut command);
    command.args
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(command: &Command) -> Vec<&str> {
        command.args.iter().map(|arg| arg.text.as_str()).collect()
    }

    #[test]
    fn command_lines_come_apart() {
        for (line, verb, form, args) in [
            ("AT", "", Form::Exec, &[][..]),
            ("ATI", "I", Form::Exec, &[]),
            (
                "at+qmtcfg=\"ssl\",0,1,2",
                "+QMTCFG",
                Form::Set,
                &["ssl", "0", "1", "2"],
            ),
            (
                "AT+QMTOPEN = 0, \"h\" , 8883",
                "+QMTOPEN",
                Form::Set,
                &["0", "h", "8883"],
            ),
            (
                "AT+QMTOPEN=0,mqtt.example.cloud,1883",
                "+QMTOPEN",
                Form::Set,
                &["0", "mqtt.example.cloud", "1883"],
            ),
            ("AT+QMTCONN?", "+QMTCONN", Form::Read, &[]),
            ("AT+QSSLCFG=?", "+QSSLCFG", Form::Test, &[]),
            (
                "AT+QICSGP=1,1,\"\",\"\",\"\",0",
                "+QICSGP",
                Form::Set,
                &["1", "1", "", "", "", "0"],
            ),
            (
                "AT+QFUPL=\"a,b.pem\",10",
                "+QFUPL",
                Form::Set,
                &["a,b.pem", "10"],
            ),
            (
                "AT+QSSLCFG=\"sni,2,1",
                "+QSSLCFG",
                Form::Set,
                &["sni", "2", "1"],
            ),
        ] {
            let parsed = parse_line(line);
            let command = parsed.first().unwrap();
            assert_eq!(
                (command.verb.as_str(), command.form),
                (verb, form),
                "{line}"
            );
            assert_eq!(texts(command), args, "{line}");
        }
    }

    #[test]
    fn chains_are_several_commands() {
        let verbs: Vec<_> = parse_line("at+cgreg?;+creg?;+qnwinfo")
            .into_iter()
            .map(|c| c.verb)
            .collect();
        assert_eq!(verbs, ["+CGREG", "+CREG", "+QNWINFO"]);
        assert_eq!(parse_line("AT+QMTCONN=0,\"a;+b\"").len(), 1);
    }

    #[test]
    fn json_in_quotes_is_noticed() {
        let json = parse_line("AT+QMTCFG=\"will\",0,1,1,0,\"t\",\"{\"a\":1}\"");
        assert!(json.first().unwrap().ragged_quotes);
        assert!(
            !parse_line("AT+QMTCFG=\"will\",0,1")
                .first()
                .unwrap()
                .ragged_quotes
        );
        assert!(parse_line("AT+QMTCONN=0,\"d").first().unwrap().open_quote);
    }

    #[test]
    fn information_values_have_fields() {
        let values: Vec<_> = fields("1,1,1,\"10.64.12.7\"")
            .into_iter()
            .map(|arg| arg.text)
            .collect();
        assert_eq!(values, ["1", "1", "1", "10.64.12.7"]);
        assert_eq!(
            fields("0, -1").get(1).map(|arg| arg.text.as_str()),
            Some("-1")
        );
    }
}
