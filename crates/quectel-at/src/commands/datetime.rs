//! Dates of the module: `yy/MM/dd,hh:mm:ss±zz`.
#![cfg_attr(not(test), deny(clippy::indexing_slicing))]

use crate::ParamError;

/// A date with time and time zone, as the module writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "the fields of the format")]
pub struct DateTime {
    /// 1970 to 2106; with two digits, 70 to 99 are of the last century.
    pub year: u16,
    /// 1 to 12.
    pub month: u8,
    /// 1 to 31.
    pub day: u8,
    /// 0 to 23.
    pub hour: u8,
    /// 0 to 59.
    pub minute: u8,
    /// 0 to 60.
    pub second: u8,
    /// Zone in quarter hours east of GMT, −96 to 96; the clock is local to it.
    pub quarters: i8,
}

const DAY_S: u64 = 86_400;

impl DateTime {
    /// Reads `yy/MM/dd,hh:mm:ss±zz` or `yyyy/MM/dd,hh:mm:ss±zz`; a missing zone is GMT, and what follows a comma behind
    /// it (the daylight saving of `+QLTS`) is left aside.
    ///
    /// # Errors
    /// [`ParamError::Missing`] if the text ends early; [`ParamError::NotANumber`] for a date that does not exist.
    pub fn parse(text: &[u8]) -> Result<Self, ParamError> {
        let mut cursor = Cursor(text);
        let (short, digits) = cursor.digits(4)?;
        let year = match digits {
            2 if short < 70 => 2_000 + short,
            2 => 1_900 + short,
            4 => short,
            _ => return Err(ParamError::NotANumber),
        };
        let date = Self {
            year,
            month: cursor.pair(b'/')?,
            day: cursor.pair(b'/')?,
            hour: cursor.pair(b',')?,
            minute: cursor.pair(b':')?,
            second: cursor.pair(b':')?,
            quarters: cursor.zone()?,
        };
        if date.is_valid() {
            Ok(date)
        } else {
            Err(ParamError::NotANumber)
        }
    }

    /// The same moment in seconds since 1970-01-01 00:00 GMT; `None` for a date that does not exist.
    pub fn unix_s(self) -> Option<u64> {
        if !self.is_valid() {
            return None;
        }
        let days = days_before_year(self.year)
            + days_before_month(self.year, self.month)
            + u64::from(self.day)
            - 1;
        let local = days * DAY_S
            + u64::from(self.hour) * 3_600
            + u64::from(self.minute) * 60
            + u64::from(self.second);
        local.checked_add_signed(-i64::from(self.quarters) * 900)
    }

    /// The date in GMT of seconds since 1970-01-01 00:00 GMT; `None` after the year 2106.
    pub fn from_unix_s(unix_s: u64) -> Option<Self> {
        let (days, rest) = (unix_s / DAY_S, unix_s % DAY_S);
        let year = (1970..=LAST_YEAR)
            .rev()
            .find(|year| days_before_year(*year) <= days)?;
        let mut day = days - days_before_year(year);
        if day >= 365 + u64::from(is_leap(year)) {
            return None;
        }
        let month = (1..=12)
            .rev()
            .find(|month| days_before_month(year, *month) <= day)?;
        day -= days_before_month(year, month);
        Some(Self {
            year,
            month,
            day: u8::try_from(day + 1).ok()?,
            hour: u8::try_from(rest / 3_600).ok()?,
            minute: u8::try_from(rest / 60 % 60).ok()?,
            second: u8::try_from(rest % 60).ok()?,
            quarters: 0,
        })
    }

    /// `yy/MM/dd,hh:mm:ss±zz`, as `AT+CCLK` wants it.
    pub(super) fn short(self) -> [u8; 20] {
        let mut text = *b"yy/MM/dd,hh:mm:ss+zz";
        let year = u8::try_from(self.year % 100).unwrap_or(0);
        let fields = [
            year,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second,
            self.quarters.unsigned_abs(),
        ];
        for (place, value) in text.chunks_mut(3).zip(fields) {
            if let [tens, units, ..] = place {
                *tens = b'0' + value / 10 % 10;
                *units = b'0' + value % 10;
            }
        }
        if self.quarters < 0
            && let Some(sign) = text.get_mut(17)
        {
            *sign = b'-';
        }
        text
    }

    /// Whether every field is in its range and the month has that day.
    fn is_valid(self) -> bool {
        (1970..=LAST_YEAR).contains(&self.year)
            && (1..=12).contains(&self.month)
            && (1..=month_days(self.year, self.month)).contains(&self.day)
            && self.hour < 24
            && self.minute < 60
            && self.second <= 60
            && (-96..=96).contains(&self.quarters)
    }
}

const LAST_YEAR: u16 = 2106;

const fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

/// Days from 1970 to the beginning of the year.
fn days_before_year(year: u16) -> u64 {
    let leaps = |n: u64| n / 4 - n / 100 + n / 400;
    let before = u64::from(year.saturating_sub(1));
    before.saturating_sub(1969) * 365 + leaps(before).saturating_sub(leaps(1969))
}

fn days_before_month(year: u16, month: u8) -> u64 {
    (1..month).map(|m| u64::from(month_days(year, m))).sum()
}

const fn month_days(year: u16, month: u8) -> u8 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// What is left of the text.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    /// A number of at most so many digits, and how many it has.
    fn digits(&mut self, most: usize) -> Result<(u16, usize), ParamError> {
        let (mut value, mut count) = (0_u16, 0);
        while let [digit @ b'0'..=b'9', rest @ ..] = self.0 {
            if count == most {
                return Err(ParamError::NotANumber);
            }
            value = value * 10 + u16::from(digit - b'0');
            count += 1;
            self.0 = rest;
        }
        match (count, self.0) {
            (0, []) => Err(ParamError::Missing),
            (0, _) => Err(ParamError::NotANumber),
            _ => Ok((value, count)),
        }
    }

    /// A separator and a number of one or two digits.
    fn pair(&mut self, separator: u8) -> Result<u8, ParamError> {
        match self.0 {
            [] => return Err(ParamError::Missing),
            [first, rest @ ..] if *first == separator => self.0 = rest,
            _ => return Err(ParamError::NotANumber),
        }
        let (value, _) = self.digits(2)?;
        u8::try_from(value).map_err(|_| ParamError::NotANumber)
    }

    fn zone(&mut self) -> Result<i8, ParamError> {
        let sign: i8 = match self.0 {
            [] | [b',', ..] => return Ok(0),
            [b'+', ..] => 1,
            [b'-', ..] => -1,
            _ => return Err(ParamError::NotANumber),
        };
        self.0 = self.0.get(1..).unwrap_or_default();
        let (value, _) = self.digits(2)?;
        if !matches!(self.0, [] | [b',', ..]) {
            return Err(ParamError::NotANumber);
        }
        i8::try_from(value)
            .map(|quarters| sign * quarters)
            .map_err(|_| ParamError::NotANumber)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_of_the_logs() {
        let cases: &[(&str, Result<u64, ParamError>)] = &[
            ("80/01/06,00:00:31+00", Ok(315_964_831)),
            ("70/01/01,00:00:00+00", Ok(0)),
            ("04/01/01,00:00:00+00", Ok(1_072_915_200)),
            ("26/08/07,12:00:00+00", Ok(1_786_104_000)),
            ("2017/01/13,03:40:48+32,0", Ok(1_484_250_048)),
            ("2026/07/18,16:32:18-20", Ok(1_784_410_338)),
            ("24/02/29,23:59:59-00", Ok(1_709_251_199)),
            ("24/02/29,23:59:59", Ok(1_709_251_199)),
            ("23/02/29,00:00:00+00", Err(ParamError::NotANumber)),
            ("26/13/01,00:00:00+00", Err(ParamError::NotANumber)),
            ("26/00/01,00:00:00+00", Err(ParamError::NotANumber)),
            ("26/01/00,00:00:00+00", Err(ParamError::NotANumber)),
            ("26/01/01,24:00:00+00", Err(ParamError::NotANumber)),
            ("26/01/01,00:00:00+97", Err(ParamError::NotANumber)),
            ("26/01/01,00:00:00+123", Err(ParamError::NotANumber)),
            ("26-01-01,00:00:00+00", Err(ParamError::NotANumber)),
            ("126/01/01,00:00:00+00", Err(ParamError::NotANumber)),
            ("26/01/01,00:00", Err(ParamError::Missing)),
            ("", Err(ParamError::Missing)),
        ];
        for (text, expected) in cases {
            let unix = DateTime::parse(text.as_bytes()).map(|date| date.unix_s().unwrap());
            assert_eq!(unix, *expected, "{text}");
        }
    }

    #[test]
    fn written_as_read() {
        for text in [
            "26/08/07,12:00:00+00",
            "99/12/31,23:59:59-48",
            "00/01/01,00:00:00+32",
        ] {
            let date = DateTime::parse(text.as_bytes()).unwrap();
            assert_eq!(date.short(), text.as_bytes());
        }
    }

    #[test]
    fn before_1970_there_is_no_unix_time() {
        let date = DateTime::parse(b"70/01/01,00:00:00+32").unwrap();
        assert_eq!(date.unix_s(), None);
        let impossible = DateTime { month: 13, ..date };
        assert_eq!(impossible.unix_s(), None);
    }

    #[test]
    fn every_day_and_back() {
        // A step that is no whole number of days walks through every hour as well.
        let mut unix = 0;
        while unix < 4_294_967_295 {
            let date = DateTime::from_unix_s(unix).unwrap();
            assert_eq!(date.unix_s(), Some(unix), "{date:?}");
            unix += 50_021;
        }
        let last = DateTime::from_unix_s(u64::from(u32::MAX)).unwrap();
        assert_eq!((last.year, last.month, last.day), (2106, 2, 7));
        assert_eq!(
            DateTime::from_unix_s(4_323_283_199).map(|date| date.year),
            Some(2106)
        );
        assert_eq!(DateTime::from_unix_s(4_323_283_200), None);
        assert_eq!(DateTime::from_unix_s(u64::MAX), None);
    }
}
