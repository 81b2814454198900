//! The shapes of logs: what terminals, frameworks, serial monitors and forums make of one dialogue.

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Host,
    Module,
    Prose,
}

pub(crate) struct Line {
    pub(crate) side: Side,
    pub(crate) ms: u64,
    pub(crate) text: String,
}

type Render = fn(&[Line]) -> Vec<u8>;

pub(crate) const SHAPES: &[(&str, Render)] = &[
    ("echo", echo),
    ("bare", bare),
    ("forum", forum),
    ("qcom", qcom),
    ("arduino", arduino),
    ("platformio", platformio),
    ("arrows", |lines| sides(lines, "---> ", "<--- ")),
    ("short-arrows", |lines| sides(lines, "-> ", "<- ")),
    ("shifts", |lines| sides(lines, ">>> ", "<<< ")),
    ("columns", columns),
    ("docklight", docklight),
    ("records", records),
    ("bytewise", bytewise),
    ("python", python),
    ("bytes", bytes),
    ("shell", shell),
    ("sscom", sscom),
    ("undecoded", undecoded),
    ("zephyr", |lines| {
        stamped(lines, "<inf> modem_quectel_bg9x: ")
    }),
    ("esp-idf", esp_idf),
    ("doubled", doubled),
    ("one-line", one_line),
    ("cr-only", cr_only),
    ("utf-16", utf_16),
    ("unknown-prefix", |lines| {
        sides(lines, "~uart1 frame~ ", "~uart1 frame~ ")
    }),
    ("markdown", markdown),
    ("html", html),
    ("cmd-rsp", |lines| sides(lines, "CMD: ", "RSP: ")),
    ("bracketed", |lines| sides(lines, "[TX] ", "[RX] ")),
    ("guillemets", |lines| sides(lines, "\u{BB} ", "\u{AB} ")),
    ("unicode-arrows", |lines| {
        sides(lines, "\u{2192} ", "\u{2190} ")
    }),
    ("at-arrows", |lines| sides(lines, "[AT>>] ", "[AT<<] ")),
    ("sniffer", |lines| sides(lines, "0 ", "1 ")),
    ("sent-received", |lines| {
        sides(lines, "Sent: ", "Received: ")
    }),
    ("syslog", syslog),
    ("tabs", |lines| sides(lines, "\t", "\t\t")),
    ("no-ok", no_ok),
    ("lower-case", lower_case),
    ("spaced", spaced),
    ("remarks", remarks),
    ("arrow-inline", arrow_inline),
    ("mail", |lines| sides(lines, "> > ", "> > ")),
    ("levels", |lines| {
        sides(lines, "D/modem: --> ", "D/modem: <-- ")
    }),
    ("python-logging", |lines| {
        sides(
            lines,
            "DEBUG:modem.at:TX AT_PORT ",
            "DEBUG:modem.at:RX AT_PORT ",
        )
    }),
];

fn text(lines: &[Line], form: impl FnMut(&Line) -> String) -> Vec<u8> {
    lines.iter().map(form).collect::<String>().into_bytes()
}

/// Data behind a prompt is typed by the host; a terminal shows it as it is.
fn is_command(line: &Line) -> bool {
    line.side == Side::Host
        && line
            .text
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case("AT"))
}

fn echo(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| match line.side {
        Side::Module if line.text == ">" => "> ".to_owned(),
        Side::Module => format!("\r\n{}\r\n", line.text),
        _ => format!("{}\r\n", line.text),
    })
}

fn bare(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| format!("{}\n", line.text))
}

fn forum(lines: &[Line]) -> Vec<u8> {
    let mut open = false;
    text(lines, |line| line.text.clone() + "\n\n")
        .into_iter()
        .flat_map(|byte| {
            if byte == b'"' {
                open = !open;
                if open {
                    "\u{201C}".bytes().collect::<Vec<_>>()
                } else {
                    "\u{201D}".bytes().collect()
                }
            } else {
                vec![byte]
            }
        })
        .collect()
}

fn clock(ms: u64) -> String {
    let seconds = ms / 1000 + 36_000;
    format!(
        "{:02}:{:02}:{:02}.{:03}",
        seconds / 3600 % 24,
        seconds / 60 % 60,
        seconds % 60,
        ms % 1000
    )
}

fn qcom(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| match line.side {
        Side::Prose => format!("{}\r\n", line.text),
        _ => format!(
            "[2026-03-05_{}]{}\r\n",
            clock(line.ms).replace('.', ":"),
            line.text
        ),
    })
}

fn arduino(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| {
        format!("{} -> {}\n", clock(line.ms), line.text)
    })
}

fn platformio(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| match line.side {
        Side::Host => format!("{} > bgxx: >> {}\n", clock(line.ms), line.text),
        Side::Module => format!("{} > bgxx: << {}\n", clock(line.ms), line.text),
        Side::Prose => format!("{} > app: {}\n", clock(line.ms), line.text),
    })
}

fn sides(lines: &[Line], host: &str, module: &str) -> Vec<u8> {
    text(lines, |line| match line.side {
        Side::Host => format!("{host}{}\n", line.text),
        Side::Module => format!("{module}{}\n{module}\n", line.text),
        Side::Prose => format!("{}\n", line.text),
    })
}

fn columns(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| match line.side {
        Side::Host => format!("2026-03-05 {} TX {}\n", clock(line.ms), line.text),
        Side::Module => format!("2026-03-05 {} RX {}\n", clock(line.ms), line.text),
        Side::Prose => format!("{}\n", line.text),
    })
}

fn docklight(lines: &[Line]) -> Vec<u8> {
    let mut data = false;
    lines
        .iter()
        .map(|line| {
            let at = clock(line.ms);
            let was_data =
                core::mem::replace(&mut data, line.side == Side::Module && line.text == ">");
            match line.side {
                Side::Host if was_data => {
                    format!("{at} [TX] - {}<SUB>\n", line.text.trim_end_matches("<SUB>"))
                }
                Side::Host => format!("{at} [TX] - {}<CR>\n", line.text),
                Side::Module if line.text == ">" => format!("{at} [RX] - <CR><LF>> \n"),
                Side::Module => format!("{at} [RX] - <CR><LF>{}<CR><LF>\n", line.text),
                Side::Prose => format!("{}\n", line.text),
            }
        })
        .collect::<String>()
        .into_bytes()
}

fn records(lines: &[Line]) -> Vec<u8> {
    let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"");
    text(lines, |line| match line.side {
        Side::Host => {
            let half = line.text.len() / 2;
            match line.text.split_at_checked(half) {
                Some((first, second)) => format!(
                    "[SEND][{:4}][{}]\n[SEND][{:4}][{}\\r]\n",
                    first.len(),
                    escape(first),
                    second.len() + 1,
                    escape(second)
                ),
                None => format!(
                    "[SEND][{:4}][{}\\r]\n",
                    line.text.len() + 1,
                    escape(&line.text)
                ),
            }
        }
        Side::Module if line.text == ">" => "[RECV][   4][\\r\\n> ]\n".to_owned(),
        Side::Module => format!(
            "[RECV][{:4}][\\r\\n{}\\r\\n]\n",
            line.text.len() + 4,
            escape(&line.text)
        ),
        Side::Prose => format!("{}\n", line.text),
    })
}

fn bytewise(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| {
        let head =
            |way: &str, n: usize| format!("[{:08}ms][INFO][CELL]: AT {way} ({n:2}): ", line.ms);
        let pieces = |way: &str| {
            let chars: Vec<char> = line.text.chars().collect();
            chars
                .chunks(3)
                .map(|c| format!("{}{}\n", head(way, c.len()), c.iter().collect::<String>()))
                .collect::<String>()
        };
        match line.side {
            Side::Host => format!("{}{}<cr>\n", pieces("TX"), head("TX", 1)),
            Side::Module if line.text == ">" => {
                format!("{}<cr><ln>\n{}> \n", head("RX", 2), head("RX", 2))
            }
            Side::Module => format!(
                "{}<cr><ln>\n{}{}<cr>\n{}<ln>\n",
                head("RX", 2),
                pieces("RX"),
                head("RX", 1),
                head("RX", 1)
            ),
            Side::Prose => format!("[{:08}ms][DBG ][CELL]: {}\n", line.ms, line.text),
        }
    })
}

fn python(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| match line.side {
        Side::Host => format!("DEBUG: {}\n", line.text),
        Side::Module => format!(
            "INFO: Result: {{'status': 0, 'response': ['{}'], 'interval': 0}}\n",
            line.text.replace('\'', "\\'")
        ),
        Side::Prose => format!("INFO: {}\n", line.text),
    })
}

fn bytes(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| {
        let escaped = line.text.replace('\\', "\\\\").replace('\'', "\\'");
        match line.side {
            Side::Host => format!(
                "2026-03-05 {},000 DEBUG Sent: b'{escaped}\\r\\n'\n",
                clock(line.ms).get(..8).unwrap_or_default()
            ),
            Side::Module if line.text == ">" => "DEBUG Received: b'\\r\\n> '\n".to_owned(),
            Side::Module => format!(
                "2026-03-05 {},010 DEBUG Received: b'\\r\\n{escaped}\\r\\n'\n",
                clock(line.ms).get(..8).unwrap_or_default()
            ),
            Side::Prose => format!("{}\n", line.text),
        }
    })
}

fn shell(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| {
        if is_command(line) {
            format!("modem> {}\r\r\n", line.text)
        } else {
            format!("{}\r\r\n", line.text)
        }
    })
}

fn sscom(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| match line.side {
        Side::Host => format!(
            "[{}]\u{53D1}\u{2192}\u{25C7}{}\r\n",
            clock(line.ms),
            line.text
        ),
        Side::Module => format!(
            "[{}]\u{6536}\u{2190}\u{25C6}\r\n{}\r\n",
            clock(line.ms),
            line.text
        ),
        Side::Prose => format!("{}\r\n", line.text),
    })
}

fn undecoded(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| match line.side {
        Side::Prose => format!("{}\n", line.text),
        _ => format!("[{}]???{}\n", clock(line.ms), line.text),
    })
}

fn stamped(lines: &[Line], tag: &str) -> Vec<u8> {
    text(lines, |line| {
        format!("[{},000] {tag}{}\n", clock(line.ms), line.text)
    })
}

fn esp_idf(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| {
        format!(
            "\u{1B}[0;32mI ({}) QUECTEL: {}\u{1B}[0m\n",
            line.ms, line.text
        )
    })
}

fn doubled(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| {
        if is_command(line) {
            format!("{0}\n{0}\n", line.text)
        } else {
            format!("{}\n", line.text)
        }
    })
}

/// Every answer behind its command on one line, blanks between.
fn one_line(lines: &[Line]) -> Vec<u8> {
    let mut out = String::new();
    for line in lines {
        let joins = line.side == Side::Module
            && line.text != ">"
            && !line.text.contains("RDY")
            && !line.text.contains("POWER");
        if !joins || out.is_empty() {
            out.push('\n');
        } else {
            out.push(' ');
        }
        out.push_str(&line.text);
    }
    out.into_bytes()
}

fn cr_only(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| format!("{}\r", line.text))
}

fn utf_16(lines: &[Line]) -> Vec<u8> {
    let plain: String = lines
        .iter()
        .map(|line| format!("{}\r\n", line.text))
        .collect();
    [0xFF, 0xFE]
        .into_iter()
        .chain(plain.encode_utf16().flat_map(u16::to_le_bytes))
        .collect()
}

fn markdown(lines: &[Line]) -> Vec<u8> {
    let body: String = lines
        .iter()
        .map(|line| match line.side {
            Side::Host => format!("    {}\n", line.text),
            Side::Module => format!("    {}\n    \n", line.text),
            Side::Prose => format!("    # {}\n", line.text),
        })
        .collect();
    format!("```console\n{body}```\n").into_bytes()
}

fn html(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| {
        let escaped = line
            .text
            .replace('&', "&amp;")
            .replace('"', "&quot;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        format!("{escaped}\n")
    })
}

/// Many tools leave the final OK out.
fn no_ok(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| match line.side {
        Side::Module if line.text == "OK" => String::new(),
        _ => format!("{}\n", line.text),
    })
}

fn lower_case(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| {
        if !is_command(line) {
            return format!("{}\n", line.text);
        }
        let end = line.text.find('"').unwrap_or(line.text.len());
        let (verb, rest) = line.text.split_at(end);
        format!("{}{rest}\n", verb.to_ascii_lowercase())
    })
}

/// Blanks around the signs, as people type them.
fn spaced(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| {
        let spread = |text: &str| {
            let mut quoted = false;
            let mut out = String::new();
            for c in text.chars() {
                quoted ^= c == '"';
                if c == ',' && !quoted {
                    out.push_str(" , ");
                } else {
                    out.push(c);
                }
            }
            out
        };
        match line.text.split_once('=') {
            Some((verb, rest)) if is_command(line) && !rest.starts_with('?') => {
                format!("{verb} = {}\n", spread(rest))
            }
            _ if line.text.starts_with('+') => match line.text.split_once(": ") {
                Some((name, rest)) if !name.contains("CME") => format!("{name} : {rest}\n"),
                _ => format!("{}\n", line.text),
            },
            _ => format!("{}\n", line.text),
        }
    })
}

/// A sentence behind every third command, as in a tutorial.
fn remarks(lines: &[Line]) -> Vec<u8> {
    let mut count = 0;
    text(lines, |line| {
        count += usize::from(is_command(line));
        if is_command(line) && count % 3 == 0 {
            format!(
                "Then I send the next command to the module:\n{}\n",
                line.text
            )
        } else {
            format!("{}\n", line.text)
        }
    })
}

fn arrow_inline(lines: &[Line]) -> Vec<u8> {
    let mut out = String::new();
    for line in lines {
        let joins = line.side == Side::Module
            && line.text != ">"
            && !line.text.contains("RDY")
            && !line.text.contains("POWER");
        out.push_str(if joins { "   ->  " } else { "\n" });
        out.push_str(&line.text);
    }
    out.into_bytes()
}

fn syslog(lines: &[Line]) -> Vec<u8> {
    text(lines, |line| {
        let at = clock(line.ms);
        let arrow = if line.side == Side::Host { ">>" } else { "<<" };
        let second = at.get(..8).unwrap_or_default();
        format!("Mar  5 {second} gw modem[123]: {arrow} {}\n", line.text)
    })
}
