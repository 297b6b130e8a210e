//! The two date formats of the protocol: in headers and cookies, and as a browser prints a date.

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];

/// Days from the first of March of the year 0 to 1970-01-01.
const DAYS_BEFORE_1970: u64 = 719_468;

/// Converts the date in a header or cookie, with blanks or dashes, to seconds since 1970: `Mon, 12-Dec-2022 21:33:22
/// GMT`.
pub(crate) fn of_http(date: &str) -> Option<u64> {
    let mut time = None;
    let mut month = None;
    let mut numbers = [None; 2];
    for word in date.split([' ', ',', '-', '\t']).filter(|word| !word.is_empty()) {
        if word.contains(':') {
            let mut fields = word.split(':').map(|field| field.parse::<u64>().ok());
            time = Some((fields.next()??, fields.next()??, fields.next()??));
        } else if let Ok(number) = word.parse::<u64>() {
            match &mut numbers {
                [day @ None, _] => *day = Some(number),
                [_, year] => *year = year.or(Some(number)),
            }
        } else {
            let start = word.get(..3).unwrap_or_default();
            month = month.or(MONTHS.iter().position(|name| name.eq_ignore_ascii_case(start)));
        }
    }
    let (hour, minute, second) = time?;
    let month = u64::try_from(month?).ok()? + 1;
    let [Some(day), Some(year)] = numbers else { return None };
    let year = match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        other => other,
    };
    let date = (1..=31).contains(&day) && (1970..=9999).contains(&year);
    let valid = date && hour < 24 && minute < 60 && second < 62;
    valid.then(|| days_since_1970(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second)
}

/// A date in the format of a browser: `Thu Mar 17 2016 14:23:28 GMT+0000 (UTC)`.
pub(crate) fn of_browser(seconds: u64) -> String {
    let (days, time) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = civil(days);
    let month = MONTHS[usize::try_from(month - 1).unwrap_or_default() % 12];
    let weekday = DAYS[usize::try_from(days % 7).unwrap_or_default()];
    let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
    format!("{weekday} {month} {day:02} {year} {hour:02}:{minute:02}:{second:02} GMT+0000 (UTC)")
}

/// Days from 1970-01-01 to that day, by counting years from March so that the leap day comes last.
fn days_since_1970(year: u64, month: u64, day: u64) -> u64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    days - DAYS_BEFORE_1970
}

/// Year, month and day of that many days after 1970-01-01.
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + DAYS_BEFORE_1970;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let (month, carry) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    (era * 400 + year + carry, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn header_dates_are_read_in_both_forms() {
        for (date, expected) in [
            ("Mon, 12-Dec-2022 21:33:22 GMT", Some(1_670_880_802)),
            ("Mon, 12 Dec 2022 21:33:22 GMT", Some(1_670_880_802)),
            ("Thu, 29-Feb-24 00:00:00 GMT", Some(1_709_164_800)),
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("yesterday", None),
            ("12-Dec-2022", None),
            ("Mon, 12-Dec-99999 21:33:22 GMT", None),
            ("1:2", None),
        ] {
            assert_eq!(of_http(date), expected, "{date}");
        }
    }

    #[test]
    fn browser_dates_have_the_browser_format() {
        assert_eq!(of_browser(1_458_195_808), "Thu Mar 17 2016 06:23:28 GMT+0000 (UTC)");
        assert_eq!(of_browser(1_709_164_800), "Thu Feb 29 2024 00:00:00 GMT+0000 (UTC)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn days_survive_a_round_trip(days in 0_u64..2_900_000) {
            let (year, month, day) = civil(days);
            prop_assert_eq!(days_since_1970(year, month, day), days);
        }
    }
}
