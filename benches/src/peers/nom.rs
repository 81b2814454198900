//! A straightforward parser with `nom`: streaming parsers over a buffer, one alternative per kind of line.

use nom::branch::alt;
use nom::bytes::streaming::{tag, take, take_till, take_until, take_while};
use nom::character::streaming::{char, u8 as byte, u16 as short, u32 as number};
use nom::combinator::map_opt;
use nom::sequence::{delimited, preceded, terminated};
use nom::{Err, IResult, Parser};

use super::{answer_prefix, registration};
use crate::mix::Meant;

/// A buffer that is parsed again when more has come.
#[derive(Debug, Default)]
pub struct Nom {
    kept: Vec<u8>,
    results: usize,
}

impl Nom {
    /// Takes the bytes; `seen` gets each event, decoded.
    pub fn take(&mut self, bytes: &[u8], seen: impl FnMut(Meant<'_>)) {
        if self.kept.is_empty() {
            let rest = parse(bytes, &mut self.results, seen);
            self.kept.extend_from_slice(rest);
        } else {
            self.kept.extend_from_slice(bytes);
            let rest = parse(&self.kept, &mut self.results, seen).len();
            self.kept.drain(..self.kept.len() - rest);
        }
    }
}

fn parse<'a>(bytes: &'a [u8], results: &mut usize, mut seen: impl FnMut(Meant<'a>)) -> &'a [u8] {
    let mut rest = bytes;
    loop {
        match line(rest, answer_prefix(*results)) {
            Ok((after, meant)) => {
                if let Some(meant) = meant {
                    *results += usize::from(matches!(meant, Meant::Ok | Meant::Error(_)));
                    seen(meant);
                }
                rest = after;
            }
            Err(Err::Incomplete(_)) => return rest,
            Err(_) => rest = &rest[rest.len().min(1)..],
        }
    }
}

fn line<'a>(input: &'a [u8], answer: &'static [u8]) -> IResult<&'a [u8], Option<Meant<'a>>> {
    let (input, _) = take_while(|byte| matches!(byte, b'\r' | b'\n')).parse(input)?;
    if !answer.is_empty() && input.starts_with(answer) {
        let (input, line) = terminated(take_until("\r\n"), tag("\r\n")).parse(input)?;
        return Ok((input, Some(Meant::Answer(line))));
    }
    let meant = alt((
        message,
        published,
        stat,
        cereg,
        socket,
        tag("OK").map(|_| Meant::Ok),
        preceded(tag("+CME ERROR: "), short).map(Meant::Error),
    ));
    alt((
        terminated(meant, tag("\r\n")).map(Some),
        terminated(take_until("\r\n"), tag("\r\n")).map(|_| None),
    ))
    .parse(input)
}

fn quoted(input: &[u8]) -> IResult<&[u8], &[u8]> {
    delimited(char('"'), take_till(|byte| byte == b'"'), char('"')).parse(input)
}

fn message(input: &[u8]) -> IResult<&[u8], Meant<'_>> {
    let (input, _) = tag("+QMTRECV: ").parse(input)?;
    let (input, client) = terminated(byte, char(',')).parse(input)?;
    let (input, id) = terminated(number, char(',')).parse(input)?;
    let (input, topic) = terminated(quoted, char(',')).parse(input)?;
    let (input, length) = terminated(number, char(',')).parse(input)?;
    let (input, payload) = delimited(char('"'), take(length), char('"')).parse(input)?;
    Ok((input, Meant::Message(client, id, topic, payload)))
}

fn published(input: &[u8]) -> IResult<&[u8], Meant<'_>> {
    let numbers = (
        terminated(byte, char(',')),
        terminated(short, char(',')),
        byte,
    );
    preceded(tag("+QMTPUB: "), numbers)
        .map(|(client, id, result)| Meant::Published(client, id, result))
        .parse(input)
}

fn stat(input: &[u8]) -> IResult<&[u8], Meant<'_>> {
    preceded(tag("+QMTSTAT: "), (terminated(byte, char(',')), byte))
        .map(|(client, cause)| Meant::Stat(client, cause))
        .parse(input)
}

fn cereg(input: &[u8]) -> IResult<&[u8], Meant<'_>> {
    let fields = (
        terminated(byte, char(',')),
        terminated(quoted, char(',')),
        terminated(quoted, char(',')),
        byte,
    );
    map_opt(
        preceded(tag("+CEREG: "), fields),
        |(stat, area, cell, act)| {
            let text = core::str::from_utf8;
            registration(stat, text(area).ok()?, text(cell).ok()?, act)
        },
    )
    .parse(input)
}

fn socket(input: &[u8]) -> IResult<&[u8], Meant<'_>> {
    preceded(tag("+QIURC: "), (terminated(quoted, char(',')), byte))
        .map(|(kind, id)| Meant::Socket(kind, id))
        .parse(input)
}
