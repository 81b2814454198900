//! Timestamps at the beginning of a line, in the shapes that terminals and loggers print.

use crate::time::{Stamp, days_from_civil};

/// A stamp at the start of `text`, and how many bytes it takes, with its brackets.
pub(crate) fn eat_stamp(text: &str) -> Option<(usize, Stamp)> {
    let first = *text.as_bytes().first()?;
    if first == b'[' || first == b'(' {
        return bracketed(text, if first == b'[' { b']' } else { b')' });
    }
    if first.is_ascii_digit() {
        let mut at = Cursor {
            bytes: text.as_bytes(),
            at: 0,
        };
        let stamp = date_time(&mut at).or_else(|| {
            at.at = 0;
            ticks_with_unit(&mut at)
        })?;
        return at.ends_word().then_some((at.at, stamp));
    }
    if first.is_ascii_uppercase() {
        let mut at = Cursor {
            bytes: text.as_bytes(),
            at: 0,
        };
        let stamp = syslog(&mut at)?;
        return Some((at.at, stamp));
    }
    None
}

/// `[2018-06-25_11:57:46:330]`, `[00:00:22.108,000]`, `[37218]`, `[   12.345678]`, `[00000002ms]`.
fn bracketed(text: &str, close: u8) -> Option<(usize, Stamp)> {
    let mut at = Cursor {
        bytes: text.as_bytes(),
        at: 1,
    };
    at.skip(|b| b == b' ');
    let start = at.at;
    let stamp = date_time(&mut at)
        .or_else(|| {
            at.at = start;
            ticks_with_unit(&mut at)
        })
        .or_else(|| {
            at.at = start;
            bare_ticks(&mut at)
        })?;
    // `[2024-01-31 18:24:01 INFO]`: the rest of the bracket is a level or a thread.
    let rest = at.bytes.get(at.at..)?;
    let end = rest.iter().take(32).position(|byte| *byte == close)?;
    Some((at.at + end + 1, stamp))
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn skip(&mut self, wanted: impl Fn(u8) -> bool) -> usize {
        let start = self.at;
        while self.peek().is_some_and(&wanted) {
            self.at += 1;
        }
        self.at - start
    }

    fn one_of(&mut self, wanted: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|byte| wanted.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    /// A number of `min` to `max` digits that no further digit follows.
    fn number(&mut self, min: usize, max: usize) -> Option<i64> {
        let start = self.at;
        let digits = self.skip(|b| b.is_ascii_digit());
        if digits < min || digits > max {
            return None;
        }
        let text = core::str::from_utf8(self.bytes.get(start..self.at)?).ok()?;
        text.parse().ok()
    }

    fn ends_word(&self) -> bool {
        self.peek().is_none_or(|b| !b.is_ascii_alphanumeric())
    }
}

fn date_time(at: &mut Cursor<'_>) -> Option<Stamp> {
    let start = at.at;
    if let Some(days) = date(at) {
        let after_date = at.at;
        at.skip(|b| matches!(b, b' ' | b'_' | b'T' | b',' | b'-' | b'/'));
        let Some(ms) = time_of_day(at) else {
            at.at = after_date;
            return at
                .ends_word()
                .then(|| Stamp::Date(days.saturating_mul(86_400_000)));
        };
        let zone_ms = zone(at).unwrap_or(0);
        return Some(Stamp::Date(days.saturating_mul(86_400_000) + ms - zone_ms));
    }
    at.at = start;
    time_of_day(at).map(Stamp::TimeOfDay)
}

/// Year first, or day and month in either order with the year last.
fn date(at: &mut Cursor<'_>) -> Option<i64> {
    let first = at.number(1, 4)?;
    let separator = at.one_of(b"-/.")?;
    let second = at.number(1, 2)?;
    at.one_of(&[separator])?;
    let third = at.number(1, 4)?;
    let (year, month, day) = if first >= 1970 {
        (first, second, third)
    } else if third >= 1970 {
        let american = second > 12 || (separator == b'/' && first <= 12);
        if american {
            (third, first, second)
        } else {
            (third, second, first)
        }
    } else {
        return None;
    };
    let valid =
        (1970..2200).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    valid.then(|| days_from_civil(year, month, day))
}

/// `11:57:46`, with `:330`, `.330`, `,330` or `.108,000` behind it, and AM or PM.
fn time_of_day(at: &mut Cursor<'_>) -> Option<i64> {
    let mut hour = at.number(1, 2)?;
    at.one_of(b":")?;
    let minute = at.number(2, 2)?;
    at.one_of(b":")?;
    let second = at.number(2, 2)?;
    let mut ms = 0;
    let before_fraction = at.at;
    if at.one_of(b".,:").is_some() {
        let start = at.at;
        let digits = at.skip(|b| b.is_ascii_digit());
        if digits == 0 || digits > 9 {
            at.at = before_fraction;
        } else {
            let shown = at
                .bytes
                .get(start..start + digits.min(3))
                .unwrap_or_default();
            let value = shown
                .iter()
                .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
            ms = match digits {
                1 => value * 100,
                2 => value * 10,
                _ => value,
            };
            let micros = at.at;
            if at.one_of(b",.").is_none() || at.skip(|b| b.is_ascii_digit()) != 3 {
                at.at = micros;
            }
        }
    }
    let before_half = at.at;
    at.skip(|b| b == b' ');
    match (at.one_of(b"AaPp"), at.one_of(b"Mm")) {
        (Some(half), Some(_)) if at.ends_word() => {
            hour = hour % 12
                + if half.eq_ignore_ascii_case(&b'p') {
                    12
                } else {
                    0
                };
        }
        _ => at.at = before_half,
    }
    let valid = hour < 24 && minute < 60 && second < 61;
    valid.then(|| ((hour * 60 + minute) * 60 + second) * 1000 + ms)
}

/// `Z`, `+02:00`, `+0200`; milliseconds east of Greenwich.
fn zone(at: &mut Cursor<'_>) -> Option<i64> {
    let start = at.at;
    if at.one_of(b"Z").is_some() {
        return Some(0);
    }
    let sign = at.one_of(b"+-")?;
    let parsed = (|| {
        let digits = at.number(2, 4)?;
        let (hours, minutes) = if digits > 99 || at.peek() != Some(b':') {
            if digits > 99 {
                (digits / 100, digits % 100)
            } else {
                (digits, 0)
            }
        } else {
            at.one_of(b":")?;
            (digits, at.number(2, 2)?)
        };
        Some((hours * 60 + minutes) * 60_000)
    })();
    let Some(ms) = parsed else {
        at.at = start;
        return None;
    };
    Some(if sign == b'-' { -ms } else { ms })
}

/// `00000002ms`.
fn ticks_with_unit(at: &mut Cursor<'_>) -> Option<Stamp> {
    let ms = at.number(1, 12)?;
    at.skip(|b| b == b' ');
    (at.one_of(b"m").is_some() && at.one_of(b"s").is_some()).then_some(Stamp::Ticks(ms))
}

/// `37218` milliseconds, or `12.345678` seconds; only inside brackets.
fn bare_ticks(at: &mut Cursor<'_>) -> Option<Stamp> {
    let whole = at.number(1, 12)?;
    if at.one_of(b".").is_none() {
        return Some(Stamp::Ticks(whole));
    }
    let start = at.at;
    at.number(1, 9)?;
    let shown = at.bytes.get(start..at.at)?;
    let ms = (0..3).fold(0, |ms, n| {
        ms * 10 + shown.get(n).map_or(0, |digit| i64::from(digit - b'0'))
    });
    Some(Stamp::Ticks(whole.saturating_mul(1000) + ms))
}

/// `1.234 -> `, `1.019 < `, `0.000 ! `: seconds with three decimals and who speaks, as this project's programs write.
///
/// Answers how many bytes stand in front of the mark, and the stamp.
pub(crate) fn eat_seconds(text: &str) -> Option<(usize, Stamp)> {
    let bytes = text.as_bytes();
    let mut at = Cursor { bytes, at: 0 };
    let seconds = at.number(1, 9)?;
    at.one_of(b".")?;
    let ms = at.number(3, 3)?;
    if at.skip(|b| b == b' ') != 1 {
        return None;
    }
    let rest = bytes.get(at.at..)?;
    let marked = MARKS.iter().any(|mark| {
        rest.strip_prefix(*mark)
            .is_some_and(|after| after.first().is_none_or(|b| *b == b' '))
    });
    marked.then_some((at.at, Stamp::Ticks(seconds * 1000 + ms)))
}

/// The driver's arrows, and the simulated module's command, answer, URC and URC of another port.
const MARKS: [&[u8]; 6] = [b"->", b"<-", b">", b"<", b"!", b"?"];

/// `Jun 25 11:57:46`, `Mon Jun 25 11:57:46 2018`; without a year it is only a time of day.
fn syslog(at: &mut Cursor<'_>) -> Option<Stamp> {
    const DAYS: [&[u8]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
    const MONTHS: [&[u8]; 12] = [
        b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
        b"Dec",
    ];
    if DAYS.iter().any(|day| at.bytes.starts_with(day)) {
        at.at += 3;
        at.skip(|b| matches!(b, b' ' | b','));
    }
    let name = at.bytes.get(at.at..at.at + 3)?;
    let month = MONTHS.iter().zip(1..).find(|(known, _)| **known == name)?.1;
    at.at += 3;
    at.skip(|b| b == b' ');
    let day = at.number(1, 2)?;
    at.skip(|b| b == b' ');
    let ms = time_of_day(at)?;
    let before_year = at.at;
    at.skip(|b| b == b' ');
    match at.number(4, 4).filter(|year| (1970..2200).contains(year)) {
        Some(year) => Some(Stamp::Date(
            days_from_civil(year, month, day) * 86_400_000 + ms,
        )),
        None => {
            at.at = before_year;
            Some(Stamp::TimeOfDay(ms))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn stamps_of_known_tools() {
        let noon = (11 * 3600 + 57 * 60 + 46) * 1000 + 330;
        for (text, taken, stamp) in [
            (
                "[2018-06-25_11:57:46:330]ati",
                25,
                Stamp::Date(17_707 * DAY + noon),
            ),
            (
                "2018-06-25 11:57:46.330 TX",
                23,
                Stamp::Date(17_707 * DAY + noon),
            ),
            (
                "2018/06/25T11:57:46,330Z x",
                24,
                Stamp::Date(17_707 * DAY + noon),
            ),
            (
                "2018-06-25T13:57:46.330+02:00 x",
                29,
                Stamp::Date(17_707 * DAY + noon),
            ),
            (
                "25.06.2018 11:57:46.330 AT",
                23,
                Stamp::Date(17_707 * DAY + noon),
            ),
            (
                "06/25/2018 11:57:46.330 AT",
                23,
                Stamp::Date(17_707 * DAY + noon),
            ),
            ("11:57:46.330 -> AT", 12, Stamp::TimeOfDay(noon)),
            ("[11:57:46.330] AT", 14, Stamp::TimeOfDay(noon)),
            ("[11:57:46.330,000] <inf>", 18, Stamp::TimeOfDay(noon)),
            ("11:57:46.330 PM x", 15, Stamp::TimeOfDay(noon + DAY / 2)),
            ("Jun 25 11:57:46 host", 15, Stamp::TimeOfDay(noon - 330)),
            (
                "Mon Jun 25 11:57:46 2018 host",
                24,
                Stamp::Date(17_707 * DAY + noon - 330),
            ),
            ("[00000031ms][INFO]", 12, Stamp::Ticks(31)),
            ("[37218] ### URC", 7, Stamp::Ticks(37_218)),
            ("[   12.045678] x", 14, Stamp::Ticks(12_045)),
            ("(44731) SIM", 7, Stamp::Ticks(44_731)),
        ] {
            assert_eq!(eat_stamp(text), Some((taken, stamp)), "{text}");
        }
    }

    #[test]
    fn seconds_stand_in_front_of_a_mark_only() {
        for (text, expected) in [
            ("0.003 -> AT", Some((6, Stamp::Ticks(3)))),
            ("12345.678 <- OK", Some((10, Stamp::Ticks(12_345_678)))),
            ("1.019 > AT", Some((6, Stamp::Ticks(1019)))),
            ("1.019 < OK", Some((6, Stamp::Ticks(1019)))),
            ("0.000 ! RDY", Some((6, Stamp::Ticks(0)))),
            ("1.019 >", Some((6, Stamp::Ticks(1019)))),
            ("1.5 > AT", None),
            ("1.019 dBm", None),
            ("1.019 >> AT", None),
            ("1.019  > AT", None),
            ("1.019 >2", None),
            ("1.019", None),
            ("", None),
        ] {
            assert_eq!(eat_seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn other_text_is_no_stamp() {
        for text in [
            "0123456789",
            "AT+CSQ",
            "1, 2, 3",
            "12:30",
            "[private broker]",
            "[TX] - AT",
            "",
            "1.2.3.4",
        ] {
            assert_eq!(eat_stamp(text), None, "{text}");
        }
    }
}
