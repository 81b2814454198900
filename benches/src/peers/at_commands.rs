//! `at-commands`: a parser of parameters, here behind a split into lines. It has no framing and no URCs of its own.

use at_commands::parser::CommandParser;

use super::{Lines, answer_prefix, registration};
use crate::mix::Meant;

/// Lines, tried one kind after the other.
#[derive(Debug, Default)]
pub struct AtCommands {
    lines: Lines,
    results: usize,
}

impl AtCommands {
    /// Takes the bytes; `seen` gets each event, decoded.
    pub fn take(&mut self, bytes: &[u8], mut seen: impl FnMut(Meant<'_>)) {
        let results = &mut self.results;
        self.lines.take(bytes, |line| {
            if let Some(meant) = decode(line, results) {
                seen(meant);
            }
        });
    }
}

fn decode<'a>(line: &'a [u8], results: &mut usize) -> Option<Meant<'a>> {
    let answer = answer_prefix(*results);
    if !answer.is_empty() && line.starts_with(answer) {
        return Some(Meant::Answer(line));
    }
    if line == b"OK" {
        *results += 1;
        return Some(Meant::Ok);
    }
    let parse = |name: &[u8]| CommandParser::parse(line).expect_identifier(name);
    if let Ok((code,)) = parse(b"+CME ERROR:").expect_int_parameter().finish() {
        *results += 1;
        return Some(Meant::Error(u16::try_from(code).ok()?));
    }
    urc(line)
}

fn urc(line: &[u8]) -> Option<Meant<'_>> {
    let parse = |name: &[u8]| CommandParser::parse(line).expect_identifier(name);
    if let Ok((client, id, topic, _, payload)) = parse(b"+QMTRECV:")
        .expect_int_parameter()
        .expect_int_parameter()
        .expect_string_parameter()
        .expect_int_parameter()
        .expect_raw_string()
        .finish()
    {
        let payload = payload.strip_prefix('"')?.strip_suffix('"')?;
        let (client, id) = (u8::try_from(client).ok()?, u32::try_from(id).ok()?);
        return Some(Meant::Message(
            client,
            id,
            topic.as_bytes(),
            payload.as_bytes(),
        ));
    }
    if let Ok((client, id, result)) = parse(b"+QMTPUB:")
        .expect_int_parameter()
        .expect_int_parameter()
        .expect_int_parameter()
        .finish()
    {
        let (client, id) = (u8::try_from(client).ok()?, u16::try_from(id).ok()?);
        return Some(Meant::Published(client, id, u8::try_from(result).ok()?));
    }
    if let Ok((client, cause)) = parse(b"+QMTSTAT:")
        .expect_int_parameter()
        .expect_int_parameter()
        .finish()
    {
        let (client, cause) = (u8::try_from(client).ok()?, u8::try_from(cause).ok()?);
        return Some(Meant::Stat(client, cause));
    }
    if let Ok((stat, area, cell, act)) = parse(b"+CEREG:")
        .expect_int_parameter()
        .expect_string_parameter()
        .expect_string_parameter()
        .expect_int_parameter()
        .finish()
    {
        let (stat, act) = (u8::try_from(stat).ok()?, u8::try_from(act).ok()?);
        return registration(stat, area, cell, act);
    }
    let (kind, id) = parse(b"+QIURC:")
        .expect_string_parameter()
        .expect_int_parameter()
        .finish()
        .ok()?;
    Some(Meant::Socket(kind.as_bytes(), u8::try_from(id).ok()?))
}
