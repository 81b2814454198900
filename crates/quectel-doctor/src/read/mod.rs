//! From the bytes of a pasted log to the items of a dialogue, for every shape in which people paste it.

mod clean;
mod labels;
mod literal;
mod physical;
mod prefix;
mod record;
mod side;
mod split;
mod stamp;
mod table;
mod token;

use std::io::BufRead;

use self::clean::clean;
use self::labels::Labels;
use self::literal::{Content, expand};
use self::physical::PhysicalLines;
use self::prefix::{Stripped, strip};
use self::record::Assembler;
use self::split::split;
use crate::error::ReadError;
use crate::time::Stamp;

pub(crate) use self::record::Ending;
use self::side::Side;
pub(crate) use self::split::{Boot, Final, Said};

/// One thing that was said, and where.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'a> {
    /// The line of the log, from 1.
    pub(crate) line: u64,
    /// The line as it stands in the log.
    pub(crate) raw: &'a str,
    pub(crate) stamp: Option<Stamp>,
    /// The stamp stands on this line, not alone on the one before.
    pub(crate) stamped: bool,
    /// Typographic quotes stood in the line.
    pub(crate) typographic: bool,
    /// The line is source code: commands that nobody answers.
    pub(crate) source: bool,
    /// A stamp, an arrow or a tag stood in front of it: a tool wrote it, not a person.
    pub(crate) prefixed: bool,
    /// The tool spells the control characters of this side out: an end of line in it is a byte.
    pub(crate) spelt_out: bool,
    pub(crate) ending: Ending,
    pub(crate) said: Said<'a>,
}

/// The prefixes of a log are learnt from this many lines before the first one is read.
const LOOK_AHEAD_LINES: usize = 2000;
const LOOK_AHEAD_BYTES: usize = 512 * 1024;

/// Reads a log and calls `sink` for everything that was said in it; returns how many lines there were.
///
/// Memory does not grow with the log: lines are cut at 64 KiB, and only the first 2000 are held.
///
/// # Errors
/// [`ReadError::Io`] when reading fails, [`ReadError::NotText`] when the beginning is no text.
pub(crate) fn read_log(
    reader: impl BufRead,
    sink: &mut dyn FnMut(Item<'_>),
) -> Result<u64, ReadError> {
    let mut lines = PhysicalLines::new(reader)?;
    let mut reader = Reader {
        labels: Labels::default(),
        assembler: Assembler::default(),
        spelt_out: [0; 3],
        lone_stamp: None,
    };
    let mut head = Vec::new();
    let mut held = 0;
    let mut line = String::new();
    while head.len() < LOOK_AHEAD_LINES
        && held < LOOK_AHEAD_BYTES
        && let Some(number) = lines.next_line(&mut line)?
    {
        held += line.len();
        reader.learn(&line);
        head.push((number, line.clone()));
    }
    if is_binary(head.iter().map(|(_, line)| line.as_str())) {
        return Err(ReadError::NotText);
    }
    let mut count = 0;
    for (number, line) in head {
        reader.line(number, &line, sink);
        count = number;
    }
    while let Some(number) = lines.next_line(&mut line)? {
        reader.line(number, &line, sink);
        count = number;
    }
    reader.assembler.flush();
    reader.deliver(sink);
    Ok(count)
}

/// A third of the characters is none that anybody types.
fn is_binary<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let (mut all, mut odd) = (0_usize, 0_usize);
    for c in lines.flat_map(str::chars) {
        let terminal = matches!(c, '\t' | '\u{1B}' | '\u{1A}' | '\r');
        all += 1;
        odd += usize::from(c == char::REPLACEMENT_CHARACTER || (c.is_control() && !terminal));
    }
    odd > 32 && odd * 3 > all
}

struct Reader {
    labels: Labels,
    assembler: Assembler,
    /// How many lines of each side came with their control characters spelt out.
    spelt_out: [u32; 3],
    /// A stamp that stood alone on its line: it belongs to the next one.
    lone_stamp: Option<Stamp>,
}

/// What holds for all that one line says.
#[derive(Clone, Copy)]
struct Frame<'a> {
    line: u64,
    raw: &'a str,
    typographic: bool,
    stripped: Stripped<'a>,
    stamp: Option<Stamp>,
}

impl Reader {
    fn learn(&mut self, line: &str) {
        let line = table::plain(line);
        let cleaned = clean(&line);
        let rest = strip(&cleaned.text, &Labels::blind()).rest;
        self.labels.learn(rest);
    }

    fn line(&mut self, number: u64, raw: &str, sink: &mut dyn FnMut(Item<'_>)) {
        let line = table::plain(raw);
        let cleaned = clean(&line);
        let stripped = strip(&cleaned.text, &self.labels);
        if stripped.rest.trim().is_empty() {
            self.lone_stamp = stripped.stamp.or(self.lone_stamp);
            if !stripped.record {
                return;
            }
        }
        let lone = self.lone_stamp.take();
        let stamp = stripped.stamp.or(lone);
        let frame = Frame {
            line: number,
            raw,
            typographic: cleaned.typographic,
            stripped,
            stamp,
        };
        let counter = counter_of(stripped.side);
        let spelt_out = self.spelt_out.get(counter).copied().unwrap_or_default();
        match expand(stripped.rest, stripped.record) {
            // Nobody says whose bytes they are: a program's literal, or prose about `\r\n`.
            Content::Stream(piece) if stripped.side.is_none() && !stripped.record => {
                self.literal(&frame, &piece, sink);
            }
            Content::Stream(piece) => {
                if let Some(count) = self.spelt_out.get_mut(counter) {
                    *count = count.saturating_add(1);
                }
                self.assembler
                    .push(stripped.side, number, stripped.stamp, &piece);
                self.deliver(sink);
            }
            // A tool that spells CR and LF out on one side's lines does so on all of them.
            Content::Line(text)
                if stripped.side.is_some() && spelt_out >= OFTEN && self.assembler.is_open() =>
            {
                self.assembler
                    .push(stripped.side, number, stripped.stamp, &text);
                self.deliver(sink);
            }
            Content::Line(text) => {
                self.finish_stream(sink);
                split(&text, &mut |said| sink(item(&frame, false, said)));
            }
            Content::Lines { lines, source } => {
                self.finish_stream(sink);
                for text in &lines {
                    split(text, &mut |said| sink(item(&frame, source, said)));
                }
            }
        }
    }

    /// Control characters spelt out in a line that belongs to no side.
    fn literal(&mut self, frame: &Frame<'_>, piece: &str, sink: &mut dyn FnMut(Item<'_>)) {
        self.finish_stream(sink);
        self.assembler.push(None, frame.line, frame.stamp, piece);
        self.assembler.flush();
        for line in self.assembler.take() {
            let ending = line.ending;
            split(&line.text, &mut |said| {
                sink(Item {
                    ending,
                    ..item(frame, false, said)
                });
            });
        }
    }

    /// The trace goes on in another shape: what is pending in it is complete.
    fn finish_stream(&mut self, sink: &mut dyn FnMut(Item<'_>)) {
        self.assembler.flush();
        self.deliver(sink);
    }

    fn deliver(&mut self, sink: &mut dyn FnMut(Item<'_>)) {
        for line in self.assembler.take() {
            let (text, ending) = (line.text.as_str(), line.ending);
            let spelt_out = self
                .spelt_out
                .get(counter_of(line.side))
                .is_some_and(|count| *count > 1);
            split(text, &mut |said| {
                sink(Item {
                    line: line.number,
                    raw: text,
                    stamp: line.stamp,
                    stamped: line.stamp.is_some(),
                    typographic: false,
                    source: false,
                    prefixed: true,
                    spelt_out,
                    ending,
                    said,
                });
            });
        }
    }
}

const fn counter_of(side: Option<Side>) -> usize {
    match side {
        Some(Side::Host) => 0,
        Some(Side::Module) => 1,
        None => 2,
    }
}

/// From this many lines on a tool's habit is taken as its rule.
const OFTEN: u32 = 3;

fn item<'a>(frame: &Frame<'a>, source: bool, said: Said<'a>) -> Item<'a> {
    Item {
        line: frame.line,
        raw: frame.raw,
        stamp: frame.stamp,
        stamped: frame.stripped.stamp.is_some(),
        typographic: frame.typographic,
        source,
        prefixed: frame.stripped.prefixed,
        spelt_out: false,
        ending: Ending::Unknown,
        said,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(log: &str) -> Vec<String> {
        let mut all = Vec::new();
        read_log(log.as_bytes(), &mut |item| {
            all.push(match item.said {
                Said::Command(text) => format!("{} C {text}", item.line),
                Said::Information { name, value } => format!("{} I {name}={value}", item.line),
                Said::Result(result) => format!("{} R {result:?}", item.line),
                Said::Boot(boot) => format!("{} B {boot:?}", item.line),
                Said::Prompt => format!("{} >", item.line),
                Said::Text(text) => format!("{} T {text}", item.line),
            });
        })
        .unwrap();
        all
    }

    #[test]
    fn a_framework_trace_with_its_prefix_overwritten() {
        let log = "   [SEND][   3][AT\\r]\n   \\n\\rV][  16]\\r\\nRDY\\r\\nAT\\r\\r\\nOK\\r\\n\n\
                   [SEND][   8][AT+CFUN=]\n[SEND][   1][1]\n[SEND][   1][\\r]\n[RECV][   6][\\r\\nOK\\r\\n]\n";
        assert_eq!(
            said(log),
            [
                "1 C AT",
                "2 B Ready",
                "2 C AT",
                "2 R Ok",
                "3 C AT+CFUN=1",
                "6 R Ok"
            ]
        );
    }

    #[test]
    fn a_program_that_prints_dictionaries() {
        let log = "DEBUG: AT+QMTCONN=0,\"x\"\n\
                   INFO: Result: {'status': 1, 'response': ['+QMTCONN: 0,0,5', '+QMTSTAT: 0,4'], 'interval': 0}\n";
        assert_eq!(
            said(log),
            [
                "1 C AT+QMTCONN=0,\"x\"",
                "2 I QMTCONN=0,0,5",
                "2 I QMTSTAT=0,4"
            ]
        );
    }

    #[test]
    fn a_tool_that_spells_control_characters_out() {
        let log = "00:00:01.001 [TX] - ATI<CR>\n\
                   00:00:01.032 [RX] - ATI<CR><CR><LF>Quectel<CR><LF>BG95-M3<CR><LF><CR><LF>OK<CR><LF>\n\
                   00:00:12.001 [TX] - AT+QMTPUB=0,2,1,0,\"t\"<CR>\n\
                   00:00:12.030 [RX] - <CR><LF>> \n\
                   00:00:12.040 [TX] - {\"t\":21.5}<SUB>\n\
                   00:00:12.060 [RX] - <CR><LF>OK<CR><LF>\n";
        assert_eq!(
            said(log),
            [
                "1 C ATI",
                "2 C ATI",
                "2 T Quectel",
                "2 T BG95-M3",
                "2 R Ok",
                "3 C AT+QMTPUB=0,2,1,0,\"t\"",
                "4 >",
                "5 T {\"t\":21.5}",
                "6 R Ok"
            ]
        );
    }

    #[test]
    fn the_traces_of_this_project() {
        let readable = "# quectel-azure 0.1.0; seconds, direction, text\n\
                        \u{20}   0.003 -> AT\n    0.004 <- OK\n    1.200 -> AT+QMTPUB=0,1,1,0,\"t\"\n\
                        \u{20}   1.210 <- >\n    1.211 -> {\"t\":21.5}\\u{1a}\n    1.290 <- +QMTPUB: 0,1,0\n";
        let exact = "    0.003 -> AT\\r\n    0.004 <- \\r\\nOK\\r\\n\n    1.200 -> AT+QMTPUB=0,1,1,0,\"t\"\\r\n\
                     \u{20}   1.210 <- \\r\\n> \n    1.211 -> {\"t\":21.5}\\x1a\n    1.290 <- \\r\\n+QMTPUB: 0,1,0\\r\\n\n";
        let log = "     0.003 > AT\n     0.004 < OK\n     1.200 > AT+QMTPUB=0,1,1,0,\"t\"\n\
                   \u{20}    1.290 ! +QMTPUB: 0,1,0\n";
        let said = |log| {
            said(log)
                .iter()
                .map(|s| s.split_once(' ').unwrap().1.to_owned())
                .collect::<Vec<_>>()
        };
        let expected = [
            "C AT",
            "R Ok",
            "C AT+QMTPUB=0,1,1,0,\"t\"",
            ">",
            "T {\"t\":21.5}",
            "I QMTPUB=0,1,0",
        ];
        assert_eq!(said(exact), expected);
        assert_eq!(
            said(log),
            [expected[0], expected[1], expected[2], expected[5]]
        );
        assert_eq!(said(readable), expected);
    }

    #[test]
    fn empty_input_says_nothing() {
        assert!(said("").is_empty());
        assert!(said("\n\n  \n").is_empty());
    }
}
