//! The module's wall clock and the civil calendar.

/// Seconds since 1970 of 1980-01-06, the GPS epoch, where an unset clock starts.
const GPS_EPOCH: i64 = 315_964_800;

/// A clock that runs with the module's time and may never have been set.
#[derive(Debug, Clone)]
pub(crate) struct WallClock {
    /// Where an unset clock starts, in seconds since 1970.
    epoch: i64,
    /// Seconds since 1970 when the module's time was `set_at_ms`.
    set: Option<(i64, u64)>,
    /// The last time that the network sent: seconds since 1970 and the module's time then.
    pub(crate) network: Option<(i64, u64)>,
    /// Zone label, quarters of an hour.
    pub(crate) zone_quarters: i64,
}

impl WallClock {
    /// An unset clock; `epoch` is a date like `80/01/06`.
    pub(crate) fn new(epoch: &str) -> Self {
        let epoch = Civil::parse(&format!("{epoch},00:00:00"))
            .map_or(GPS_EPOCH, |(date, _)| date.to_unix());
        Self {
            epoch,
            set: None,
            network: None,
            zone_quarters: 0,
        }
    }

    /// The power is gone.
    pub(crate) const fn lose(&mut self) {
        (self.set, self.network, self.zone_quarters) = (None, None, 0);
    }

    pub(crate) const fn set(&mut self, unix_s: i64, now_ms: u64) {
        self.set = Some((unix_s, now_ms));
    }

    pub(crate) fn unix_s(&self, now_ms: u64) -> i64 {
        let (base, at) = self.set.unwrap_or((self.epoch, 0));
        base + i64::try_from(now_ms.saturating_sub(at) / 1000).unwrap_or(0)
    }
}

/// A date and time of day without zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: i64,
    pub(crate) day: i64,
    pub(crate) hour: i64,
    pub(crate) minute: i64,
    pub(crate) second: i64,
}

impl Civil {
    pub(crate) fn from_unix(unix_s: i64) -> Self {
        let (days, second) = (unix_s.div_euclid(86_400), unix_s.rem_euclid(86_400));
        // Days to civil date, proleptic Gregorian, with years that start in March.
        let z = days + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z.rem_euclid(146_097);
        let yoe = (doe - doe / 1460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        Self {
            year: yoe + era * 400 + i64::from(month <= 2),
            month,
            day: doy - (153 * mp + 2) / 5 + 1,
            hour: second / 3600,
            minute: second / 60 % 60,
            second: second % 60,
        }
    }

    pub(crate) fn to_unix(self) -> i64 {
        let year = if self.month <= 2 {
            self.year - 1
        } else {
            self.year
        };
        let era = year.div_euclid(400);
        let yoe = year.rem_euclid(400);
        let mp = (self.month + 9) % 12;
        let doy = (153 * mp + 2) / 5 + self.day - 1;
        let doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
        (era * 146_097 + doe - 719_468) * 86_400 + self.hour * 3600 + self.minute * 60 + self.second
    }

    /// `yy/MM/dd,hh:mm:ss`
    pub(crate) fn two_digits(self) -> String {
        format!("{:02}/{}", self.year.rem_euclid(100), self.tail())
    }

    /// `yyyy/MM/dd,hh:mm:ss`
    pub(crate) fn four_digits(self) -> String {
        format!("{:04}/{}", self.year, self.tail())
    }

    fn tail(self) -> String {
        format!(
            "{:02}/{:02},{:02}:{:02}:{:02}",
            self.month, self.day, self.hour, self.minute, self.second
        )
    }

    /// Reads `yy/MM/dd,hh:mm:ss` with an optional `±zz`; gives the zone in quarters of an hour.
    pub(crate) fn parse(text: &str) -> Option<(Self, i64)> {
        let (date, time) = text.split_once(',')?;
        let mut date = date.split('/').map(number);
        let (year, month, day) = (date.next()??, date.next()??, date.next()??);
        let at = time.find(['+', '-']).unwrap_or(time.len());
        let (time, zone) = time.split_at_checked(at)?;
        let mut time = time.split(':').map(number);
        let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
        let zone = match zone.split_at_checked(1) {
            Some(("+", quarters)) => number(quarters)?,
            Some((_, quarters)) => -number(quarters)?,
            None => 0,
        };
        let year = if year < 100 {
            year + if year < 70 { 2000 } else { 1900 }
        } else {
            year
        };
        let valid = (1..=12).contains(&month)
            && (1..=31).contains(&day)
            && hour < 24
            && minute < 60
            && second < 60
            && (-96..=96).contains(&zone)
            && (1970..=2069).contains(&year);
        valid.then_some((
            Self {
                year,
                month,
                day,
                hour,
                minute,
                second,
            },
            zone,
        ))
    }
}

fn number(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
    if plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calendar() {
        let cases = [
            (0, "1970/01/01,00:00:00"),
            (GPS_EPOCH, "1980/01/06,00:00:00"),
            (951_782_400, "2000/02/29,00:00:00"),
            (1_529_927_866, "2018/06/25,11:57:46"),
            (4_102_444_799, "2099/12/31,23:59:59"),
        ];
        for (unix_s, text) in cases {
            assert_eq!(Civil::from_unix(unix_s).four_digits(), text);
            assert_eq!(Civil::from_unix(unix_s).to_unix(), unix_s);
        }
    }

    #[test]
    fn reading() {
        assert_eq!(
            Civil::parse("26/08/07,12:00:00+00").map(|(c, z)| (c.to_unix(), z)),
            Some((1_786_104_000, 0))
        );
        assert_eq!(
            Civil::parse("26/08/07,12:00:00-20").map(|(_, z)| z),
            Some(-20)
        );
        for bad in [
            "",
            "26/08/07",
            "26/13/07,12:00:00",
            "26/08/07,24:00:00",
            "26/08/07,12:00",
            "x/y/z,1:2:3+0",
        ] {
            assert_eq!(Civil::parse(bad), None, "{bad}");
        }
    }
}
