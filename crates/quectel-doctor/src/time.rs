//! Calendar and stamps: the log's own clock. Unix seconds and monotonic milliseconds are never mixed.

/// Days from 1970-01-01 to a civil date.
pub(crate) const fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y - era * 400;
    let shifted = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// The civil date (year, month, day) of a number of days since 1970-01-01.
pub(crate) const fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let z = days + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 {
        shifted + 3
    } else {
        shifted - 9
    };
    let year = year_of_era + era * 400 + if month <= 2 { 1 } else { 0 };
    (year, month, day)
}

/// Unix seconds of a civil date at midnight UTC.
pub(crate) const fn unix_of_date(year: i64, month: i64, day: i64) -> i64 {
    days_from_civil(year, month, day) * 86_400
}

/// `2019-07-16 02:32 UTC`.
pub(crate) fn utc_text(unix_s: i64) -> String {
    let (year, month, day) = civil_from_days(unix_s.div_euclid(86_400));
    let second = unix_s.rem_euclid(86_400);
    format!(
        "{year:04}-{month:02}-{day:02} {:02}:{:02} UTC",
        second / 3600,
        second / 60 % 60
    )
}

/// `2019-07-16`.
pub(crate) fn date_text(unix_s: i64) -> String {
    let (year, month, day) = civil_from_days(unix_s.div_euclid(86_400));
    format!("{year:04}-{month:02}-{day:02}")
}

/// The clock of one line of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stamp {
    /// Date and time, as unix milliseconds, taken as UTC when the log names no zone.
    Date(i64),
    /// Time of day in milliseconds, no date.
    TimeOfDay(i64),
    /// Milliseconds since some start.
    Ticks(i64),
}

impl Stamp {
    /// Milliseconds from `earlier` to this stamp; `None` between clocks of different kinds.
    pub(crate) const fn since_ms(self, earlier: Self) -> Option<i64> {
        match (self, earlier) {
            (Self::Date(a), Self::Date(b)) | (Self::Ticks(a), Self::Ticks(b)) => {
                Some(a.saturating_sub(b))
            }
            (Self::TimeOfDay(a), Self::TimeOfDay(b)) => Some(if a < b {
                a.saturating_sub(b) + 86_400_000
            } else {
                a.saturating_sub(b)
            }),
            _ => None,
        }
    }

    /// Unix seconds, when the stamp carries a date.
    pub(crate) const fn unix_s(self) -> Option<i64> {
        match self {
            Self::Date(ms) => Some(ms.div_euclid(1000)),
            _ => None,
        }
    }
}

/// Milliseconds between two optional stamps.
pub(crate) fn elapsed_ms(later: Option<Stamp>, earlier: Option<Stamp>) -> Option<i64> {
    later?.since_ms(earlier?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn civil_dates_round_trip() {
        for (y, m, d, days) in [
            (1970, 1, 1, 0),
            (2000, 2, 29, 11_016),
            (2025, 5, 12, 20_220),
            (1969, 12, 31, -1),
            (2038, 1, 19, 24_855),
        ] {
            assert_eq!(days_from_civil(y, m, d), days);
            assert_eq!(civil_from_days(days), (y, m, d));
        }
    }

    #[test]
    fn the_token_of_the_reference_log_ends_in_july_2019() {
        assert_eq!(utc_text(1_563_244_357), "2019-07-16 02:32 UTC");
        assert_eq!(date_text(1_563_244_357), "2019-07-16");
    }

    #[test]
    fn a_time_of_day_may_pass_midnight() {
        let late = Stamp::TimeOfDay(86_399_000);
        assert_eq!(Stamp::TimeOfDay(1_000).since_ms(late), Some(2_000));
        assert_eq!(Stamp::Ticks(5).since_ms(late), None);
        assert_eq!(
            elapsed_ms(Some(Stamp::Date(5_000)), Some(Stamp::Date(2_000))),
            Some(3_000)
        );
    }
}
