//! Days and hours from a timestamp and an offset, without a date library, to keep the browser build small.

use protocol::Timestamp;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

const DAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A moment in local time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Days since 1970-01-01.
    pub day: i64,
    minute: i64,
}

impl Moment {
    /// Converts to the local time that is `offset` minutes ahead of UTC.
    pub fn new(at: Timestamp, offset: i32) -> Self {
        // Timestamps far beyond the year 9999 are clamped, so that nothing overflows.
        let local = at.0.min(1 << 50) as i64 + i64::from(offset) * MINUTE_MS;
        Self {
            day: local.div_euclid(DAY_MS),
            minute: local.rem_euclid(DAY_MS) / MINUTE_MS,
        }
    }

    /// `14:05`
    pub fn time(self) -> String {
        format!("{:02}:{:02}", self.minute / 60, self.minute % 60)
    }

    /// `2026-11-24`
    pub fn date(self) -> String {
        let (year, month, day) = civil(self.day);
        format!("{year:04}-{month:02}-{day:02}")
    }

    /// "Today", "Yesterday", or "Tuesday, 24 November 2026".
    pub fn day_label(self, today: i64) -> String {
        match today - self.day {
            0 => "Today".to_owned(),
            1 => "Yesterday".to_owned(),
            _ => {
                let (year, month, day) = civil(self.day);
                // 1970-01-01 was a Thursday.
                let weekday = DAYS[(self.day + 3).rem_euclid(7) as usize];
                format!("{weekday}, {day} {} {year}", MONTHS[month as usize - 1])
            }
        }
    }
}

/// The value of `<time datetime>`, always in UTC.
pub fn iso(at: Timestamp) -> String {
    let moment = Moment::new(at, 0);
    format!("{}T{}:{:02}Z", moment.date(), moment.time(), at.0 / 1_000 % 60)
}

/// "just now", "5 min ago", "3 h ago", "2 days ago".
pub fn ago(at: Timestamp, now: Timestamp) -> String {
    match now.0.saturating_sub(at.0) / 60_000 {
        0 => "just now".to_owned(),
        minutes @ 1..60 => format!("{minutes} min ago"),
        minutes @ 60..1_440 => format!("{} h ago", minutes / 60),
        minutes @ 1_440..2_880 => format!("{} day ago", minutes / 1_440),
        minutes => format!("{} days ago", minutes / 1_440),
    }
}

/// Converts a day number to year, month and day. After Howard Hinnant, "chrono-compatible low-level date algorithms".
fn civil(day: i64) -> (i64, i64, i64) {
    let z = day + 719_468;
    let era = z.div_euclid(146_097);
    let day_of_era = z.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates() {
        for (seconds, iso_text) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_798_761_599, "2026-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
        ] {
            assert_eq!(iso(Timestamp(seconds * 1_000)), iso_text);
        }
    }

    #[test]
    fn local_days() {
        let at = Timestamp(951_782_399_000);
        let utc = Moment::new(at, 0);
        assert_eq!(
            (utc.time().as_str(), utc.date().as_str()),
            ("23:59", "2000-02-28")
        );
        let east = Moment::new(at, 60);
        assert_eq!(
            (east.time().as_str(), east.date().as_str()),
            ("00:59", "2000-02-29")
        );
        let west = Moment::new(Timestamp(0), -300);
        assert_eq!(
            (west.time().as_str(), west.date().as_str()),
            ("19:00", "1969-12-31")
        );
        assert_eq!(utc.day_label(utc.day), "Today");
        assert_eq!(utc.day_label(east.day), "Yesterday");
        assert_eq!(east.day_label(20_000), "Tuesday, 29 February 2000");
    }

    #[test]
    fn relative_times() {
        let now = Timestamp(10 * 86_400_000);
        for (back, label) in [
            (59, "just now"),
            (61, "1 min ago"),
            (7_200, "2 h ago"),
            (90_000, "1 day ago"),
            (200_000, "2 days ago"),
        ] {
            assert_eq!(ago(Timestamp(now.0 - back * 1_000), now), label);
        }
        assert_eq!(ago(Timestamp(now.0 + 5_000), now), "just now");
    }
}
