//! Stored numbers as a sheet shows them.

/// How the cells of a style show numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum NumberFormat {
    /// As many digits as needed.
    General,
    /// A date, a time, or both.
    Date,
    /// A number with a fixed form.
    Fixed(Fixed),
}

/// `¥#,##0.00`, `0%`, `00000` and the like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fixed {
    before: String,
    /// The least digits before the point.
    digits: usize,
    has_thousands: bool,
    decimals: usize,
    is_percent: bool,
    after: String,
}

impl NumberFormat {
    /// The format of a number that Excel knows without a code.
    pub(crate) fn built_in(id: u32) -> Self {
        match id {
            14..=22 | 27..=36 | 45..=47 | 50..=58 => Self::Date,
            1 => Self::of("0"),
            2 => Self::of("0.00"),
            3 => Self::of("#,##0"),
            4 => Self::of("#,##0.00"),
            9 => Self::of("0%"),
            10 => Self::of("0.00%"),
            _ => Self::General,
        }
    }

    /// The format of a code. Of several sections, for positive and negative numbers, the first counts.
    pub(crate) fn of(code: &str) -> Self {
        let plain = without_literals(code);
        let is_date =
            plain.chars().any(|c| matches!(c.to_ascii_lowercase(), 'y' | 'm' | 'd' | 'h' | 's'))
                && !plain.contains(['0', '#', '?']);
        let has_seconds = plain.to_ascii_lowercase().contains("ss");
        if is_date || has_seconds {
            return Self::Date;
        }
        Fixed::read(code).map_or(Self::General, Self::Fixed)
    }

    /// A number in this format. Dates count from 1900, or from 1904.
    pub(crate) fn show(&self, stored: &str, from_1904: bool) -> String {
        let Ok(value) = stored.trim().parse::<f64>() else { return stored.trim().to_owned() };
        match self {
            Self::General => general(value),
            Self::Date => date(value, from_1904).unwrap_or_else(|| general(value)),
            Self::Fixed(fixed) => fixed.show(value),
        }
    }
}

/// A code without texts in quotation marks, escaped signs and conditions in brackets.
fn without_literals(code: &str) -> String {
    let mut plain = String::new();
    let mut signs = code.chars();
    while let Some(c) = signs.next() {
        match c {
            '"' => drop(signs.by_ref().find(|c| *c == '"')),
            '[' => drop(signs.by_ref().find(|c| *c == ']')),
            '\\' | '_' | '*' => drop(signs.next()),
            ';' => break,
            c => plain.push(c),
        }
    }
    plain
}

impl Fixed {
    fn read(code: &str) -> Option<Self> {
        let (mut before, mut core, mut after) = (String::new(), String::new(), String::new());
        let mut signs = code.chars();
        while let Some(c) = signs.next() {
            let is_core = matches!(c, '0' | '#' | ',' | '.') && after.is_empty();
            let literal = if core.is_empty() { &mut before } else { &mut after };
            match c {
                c if is_core => core.push(c),
                '"' => literal.extend(signs.by_ref().take_while(|c| *c != '"')),
                '\\' => literal.extend(signs.next()),
                // Room as wide as a sign, or filled with it.
                '_' | '*' => drop(signs.next()),
                '[' => literal.extend(currency(
                    &signs.by_ref().take_while(|c| *c != ']').collect::<String>(),
                )),
                ';' => break,
                '%' => after.push('%'),
                '¥' | '￥' | '$' | '€' | '£' | ' ' | '-' | '+' | '(' | ')' => literal.push(c),
                _ => return None,
            }
        }
        let (whole, decimals) = core.split_once('.').unwrap_or((&core, ""));
        let is_known =
            core.contains('0') && decimals.chars().all(|c| c == '0') && !whole.ends_with(',');
        is_known.then(|| Self {
            digits: whole.matches('0').count(),
            has_thousands: whole.contains(','),
            decimals: decimals.len(),
            is_percent: after.contains('%'),
            before,
            after,
        })
    }

    fn show(&self, value: f64) -> String {
        let value = if self.is_percent { value * 100.0 } else { value };
        let written = format!("{:.*}", self.decimals, rounded(value.abs()));
        let (whole, decimals) = written.split_once('.').unwrap_or((&written, ""));
        let whole = format!("{whole:0>width$}", width = self.digits);
        let whole = if self.has_thousands { thousands(&whole) } else { whole };
        let is_zero = written.chars().all(|c| matches!(c, '0' | '.'));
        let sign = if value < 0.0 && !is_zero { "-" } else { "" };
        let point = if decimals.is_empty() { "" } else { "." };
        format!("{sign}{}{whole}{point}{decimals}{}", self.before, self.after)
    }
}

/// The sign in `[$¥-804]`.
fn currency(bracket: &str) -> Option<char> {
    bracket.strip_prefix('$')?.chars().next().filter(|c| *c != '-')
}

fn thousands(digits: &str) -> String {
    let mut text = String::new();
    for (n, digit) in digits.chars().enumerate() {
        if n > 0 && (digits.len() - n).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number without the digits that only its binary form has: a sheet shows 15.
fn rounded(value: f64) -> f64 {
    format!("{value:.14e}").parse().unwrap_or(value)
}

fn general(value: f64) -> String {
    let rounded = rounded(value);
    let size = rounded.abs();
    if size != 0.0 && !(1e-9..1e20).contains(&size) {
        format!("{rounded:E}")
    } else {
        rounded.to_string()
    }
}

/// Days since the epoch as date, time, or both.
fn date(value: f64, from_1904: bool) -> Option<String> {
    if !(0.0..2_958_466.0).contains(&value) {
        return None;
    }
    let exact = (value * 86_400.0).round();
    #[expect(clippy::cast_possible_truncation, reason = "within the bounds above")]
    let seconds = exact as i64;
    let (mut days, time) = (seconds / 86_400, seconds % 86_400);
    let clock = clock(time);
    if days == 0 && !from_1904 {
        return Some(if clock.is_empty() { "00:00".to_owned() } else { clock });
    }
    // Days from 1970-01-01. Excel has a 29 February 1900, which counts as the 28th here.
    days = if from_1904 {
        days - 24_107
    } else if days > 59 {
        days - 25_569
    } else {
        days - 25_568
    };
    let day = civil(days);
    Some(if clock.is_empty() { day } else { format!("{day} {clock}") })
}

/// The time of day; empty for midnight.
fn clock(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (seconds, rest) {
        (0, _) => String::new(),
        (_, 0) => format!("{hours:02}:{minutes:02}"),
        _ => format!("{hours:02}:{minutes:02}:{rest:02}"),
    }
}

/// A day of the calendar, by its number from 1970-01-01 (Howard Hinnant's `civil_from_days`).
fn civil(days: i64) -> String {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_as_by_a_sheet() {
        for (code, stored, shown) in [
            ("", "7", "7"),
            ("", "7.0", "7"),
            ("", "0.30000000000000004", "0.3"),
            ("", "-1.5", "-1.5"),
            ("", "13800000000", "13800000000"),
            ("", "1E+21", "1E21"),
            ("0.00", "5", "5.00"),
            ("#,##0", "1234567.8", "1,234,568"),
            ("#,##0.00;[Red]-#,##0.00", "-1234.5", "-1,234.50"),
            ("\"¥\"#,##0.00", "99", "¥99.00"),
            ("[$¥-804]#,##0", "99", "¥99"),
            ("0%", "0.5", "50%"),
            ("00000", "42", "00042"),
            ("0\"天\"", "7", "7天"),
            ("#,##0,\"k\"", "7000", "7000"),
            ("@", "12", "12"),
            ("yyyy-mm-dd", "46349", "2026-11-23"),
            ("yyyy\"年\"m\"月\"d\"日\"", "46349.5", "2026-11-23 12:00"),
            ("h:mm:ss", "0.39583333333", "09:30"),
            ("[Red]0.0", "1.25", "1.2"),
            ("mmm-yy", "1", "1900-01-01"),
            ("yyyy", "60", "1900-02-28"),
        ] {
            let format =
                if code.is_empty() { NumberFormat::General } else { NumberFormat::of(code) };
            assert_eq!(format.show(stored, false), shown, "{code}: {stored}");
        }
        assert_eq!(NumberFormat::built_in(14).show("0", true), "1904-01-01");
        assert_eq!(NumberFormat::built_in(22).show("46349.25", false), "2026-11-23 06:00");
        assert_eq!(NumberFormat::built_in(9).show("0.125", false), "12%");
        assert_eq!(NumberFormat::built_in(0).show("ABC", false), "ABC");
    }
}
