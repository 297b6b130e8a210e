//! Dates, times of a day, and durations.

use super::code::Token;

/// Durations of more days are shown as numbers.
const MOST_DAYS: f64 = 2_958_466.0;

/// Whether a section shows a part of a date, not only of a time. An `m` is minutes behind hours and before seconds.
pub(super) fn has_date(tokens: &[Token]) -> bool {
    let parts: Vec<char> = tokens.iter().filter_map(letter).collect();
    parts.iter().enumerate().any(|(at, part)| match part {
        'h' | 's' => false,
        'm' => {
            let before = at.checked_sub(1).map(|before| parts[before]);
            before != Some('h') && parts.get(at + 1) != Some(&'s') && !is_elapsed(tokens, 'm')
        }
        _ => true,
    })
}

fn letter(token: &Token) -> Option<char> {
    match token {
        Token::Part(letter, _) | Token::Elapsed(letter, _) => Some(*letter),
        _ => None,
    }
}

fn is_elapsed(tokens: &[Token], letter: char) -> bool {
    tokens.iter().any(|token| matches!(token, Token::Elapsed(elapsed, _) if *elapsed == letter))
}

/// A time of a day or a duration in days, not negative; `None` if it is too long.
pub(super) fn show(tokens: &[Token], days: f64) -> Option<String> {
    if days >= MOST_DAYS {
        return None;
    }
    let decimals = tokens.iter().filter(|token| matches!(token, Token::Place(_))).count().min(3);
    let per_second = [1_i64, 10, 100, 1_000][decimals];
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let exact = (days * 86_400.0 * per_second as f64).round();
    #[expect(clippy::cast_possible_truncation, reason = "within the bounds above")]
    let units = exact as i64;
    let (seconds, fraction) = (units / per_second, units % per_second);
    let is_halved = tokens.iter().any(|token| matches!(token, Token::HalfOfDay(..)));
    let mut shown = String::new();
    // The digits of a second are shown at their first place.
    let mut is_fraction_shown = false;
    for token in tokens {
        let (value, width) = match token {
            Token::Literal(text) => {
                shown.push_str(text);
                continue;
            }
            Token::HalfOfDay(before_noon, after_noon) => {
                shown.push_str(if seconds / 3_600 % 24 < 12 { before_noon } else { after_noon });
                continue;
            }
            Token::Point => {
                shown.push('.');
                continue;
            }
            Token::Place(_) if std::mem::replace(&mut is_fraction_shown, true) => continue,
            Token::Place(_) => (fraction, decimals),
            Token::Elapsed('h', width) => (seconds / 3_600, *width),
            Token::Elapsed('m', width) => (seconds / 60, *width),
            Token::Elapsed(_, width) => (seconds, *width),
            Token::Part('h', width) if is_halved => ((seconds / 3_600 + 11) % 12 + 1, *width),
            Token::Part('h', width) => (seconds / 3_600 % 24, *width),
            Token::Part('m', width) => (seconds / 60 % 60, *width),
            Token::Part(_, width) => (seconds % 60, *width),
            _ => return None,
        };
        shown.push_str(&format!("{value:0width$}"));
    }
    Some(shown)
}

/// Days since the epoch as date, time, or both.
pub(super) fn date(value: f64, from_1904: bool) -> Option<String> {
    if !(0.0..MOST_DAYS).contains(&value) {
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
