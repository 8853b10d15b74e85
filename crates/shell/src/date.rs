//! Calendar dates by `strftime` formats: shared by `date`, `printf %(…)T` and `ls`.

/// A point of time by the calendar, in UTC shifted by an offset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// Year.
    pub year: i64,
    /// 1 to 12.
    pub month: u32,
    /// 1 to 31.
    pub day: u32,
    /// 0 to 23.
    pub hour: u32,
    /// 0 to 59.
    pub minute: u32,
    /// 0 to 59.
    pub second: u32,
    /// 0 is Sunday.
    pub weekday: u32,
    /// 1 to 366.
    pub yearday: u32,
}

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
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

impl Civil {
    /// Seconds since 1970 by the calendar, by Howard Hinnant's days-from-civil algorithm.
    pub fn from_unix(secs: i64) -> Civil {
        let days = secs.div_euclid(86_400);
        let rest = secs.rem_euclid(86_400) as u32;
        let shifted = days + 719_468;
        let era = shifted.div_euclid(146_097);
        let of_era = shifted.rem_euclid(146_097);
        let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let shifted_month = (5 * of_year + 2) / 153;
        let day = (of_year - (153 * shifted_month + 2) / 5 + 1) as u32;
        let month = if shifted_month < 10 {
            shifted_month + 3
        } else {
            shifted_month - 9
        } as u32;
        let year = year_of_era + era * 400 + i64::from(month <= 2);
        let yearday = (days - days_from_civil(year, 1, 1) + 1) as u32;
        Civil {
            year,
            month,
            day,
            hour: rest / 3600,
            minute: rest / 60 % 60,
            second: rest % 60,
            weekday: (days + 4).rem_euclid(7) as u32,
            yearday,
        }
    }
}

/// Days since 1970 of a date.
pub fn days_from_civil(year: i64, month: u32, day: u32) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let shifted = i64::from((month + 9) % 12);
    let of_year = (153 * shifted + 2) / 5 + i64::from(day) - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// Formats seconds since 1970 (and nanoseconds for `%N`) in UTC.
pub fn format(format: &str, secs: i64, nanos: u32) -> String {
    let at = Civil::from_unix(secs);
    let mut out = String::new();
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut letter = chars.next().unwrap_or('%');
        let mut pad = None;
        if matches!(letter, '-' | '_' | '0' | '^') {
            pad = Some(letter);
            letter = chars.next().unwrap_or('%');
        }
        let mut digits = String::new();
        while letter.is_ascii_digit() {
            digits.push(letter);
            letter = chars.next().unwrap_or('%');
        }
        let number = |value: i64, width: usize| match pad {
            Some('-') => value.to_string(),
            Some('_') => format!("{value:width$}"),
            _ => format!("{value:0width$}"),
        };
        let small = |value: u32| number(i64::from(value), 2);
        let twelve = if at.hour.is_multiple_of(12) {
            12
        } else {
            at.hour % 12
        };
        let text = match letter {
            'Y' => number(at.year, 4),
            'y' => number(at.year.rem_euclid(100), 2),
            'C' => number(at.year.div_euclid(100), 2),
            'm' => small(at.month),
            'd' => small(at.day),
            'e' => format!("{:2}", at.day),
            'H' => small(at.hour),
            'I' => small(twelve),
            'M' => small(at.minute),
            'S' => small(at.second),
            'N' => {
                let all = format!("{nanos:09}");
                let width = digits.parse().unwrap_or(9usize).min(9);
                all[..width].to_owned()
            }
            's' => secs.to_string(),
            'j' => number(i64::from(at.yearday), 3),
            'u' => (if at.weekday == 0 { 7 } else { at.weekday }).to_string(),
            'w' => at.weekday.to_string(),
            'a' => DAYS[at.weekday as usize][..3].to_owned(),
            'A' => DAYS[at.weekday as usize].to_owned(),
            'b' | 'h' => MONTHS[at.month as usize - 1][..3].to_owned(),
            'B' => MONTHS[at.month as usize - 1].to_owned(),
            'p' => if at.hour < 12 { "AM" } else { "PM" }.to_owned(),
            'P' => if at.hour < 12 { "am" } else { "pm" }.to_owned(),
            'F' => self::format("%Y-%m-%d", secs, nanos),
            'T' => self::format("%H:%M:%S", secs, nanos),
            'R' => self::format("%H:%M", secs, nanos),
            'r' => self::format("%I:%M:%S %p", secs, nanos),
            'D' | 'x' => self::format("%m/%d/%y", secs, nanos),
            'X' => self::format("%H:%M:%S", secs, nanos),
            'c' => self::format("%a %b %e %H:%M:%S %Y", secs, nanos),
            'z' => "+0000".to_owned(),
            ':' => {
                chars.next();
                "+00:00".to_owned()
            }
            'Z' => "UTC".to_owned(),
            'n' => "\n".to_owned(),
            't' => "\t".to_owned(),
            '%' => "%".to_owned(),
            other => format!("%{other}"),
        };
        out.push_str(&if pad == Some('^') {
            text.to_uppercase()
        } else {
            text
        });
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_formatted() {
        let secs = 1_767_603_600; // 2026-01-05T09:00:00Z
        assert_eq!(
            format("%F %T %a %j %s", secs, 0),
            "2026-01-05 09:00:00 Mon 005 1767603600"
        );
        assert_eq!(
            format("%a %b %e %H:%M:%S %Z %Y", secs, 0),
            "Mon Jan  5 09:00:00 UTC 2026"
        );
        assert_eq!(format("%-d %3N %p", secs, 123_456_789), "5 123 AM");
        assert_eq!(
            Civil::from_unix(days_from_civil(2024, 2, 29) * 86_400).day,
            29
        );
    }
}
