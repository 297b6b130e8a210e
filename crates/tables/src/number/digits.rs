//! Sections of digits: `#,##0.00`, `000-0000-0000`, `0.0%`, `0.00E+00`.

use super::code::Token;
use super::decimal::Decimal;

/// A section of digits, with texts before, behind and between them.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Digits {
    before_point: Vec<Part>,
    /// The point with the parts behind it.
    behind_point: Option<Vec<Part>>,
    /// Whether a positive exponent has a sign, and the parts of the exponent.
    exponent: Option<(bool, Vec<Part>)>,
    has_thousands: bool,
    /// The power of ten by which the number is multiplied.
    power: i32,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Text(String),
    /// `0`, `#` or `?`.
    Place(char),
}

impl Digits {
    pub(super) fn of(tokens: Vec<Token>) -> Option<Self> {
        let mut digits = Self {
            before_point: Vec::new(),
            behind_point: None,
            exponent: None,
            has_thousands: false,
            power: 0,
        };
        // Commas between places part thousands; those behind the last place divide by a thousand.
        let mut commas = 0;
        for token in tokens {
            match token {
                Token::Literal(text) => digits.list().push(Part::Text(text)),
                Token::Percent => {
                    digits.power += 2;
                    digits.list().push(Part::Text("%".to_owned()));
                }
                Token::Place(place) => {
                    digits.has_thousands |= std::mem::take(&mut commas) > 0;
                    digits.list().push(Part::Place(place));
                }
                Token::Comma if digits.places() > 0 => commas += 1,
                Token::Comma => digits.list().push(Part::Text(",".to_owned())),
                Token::Point if digits.behind_point.is_none() && digits.exponent.is_none() => {
                    digits.power -= 3 * std::mem::take(&mut commas);
                    digits.behind_point = Some(Vec::new());
                }
                Token::Point => digits.list().push(Part::Text(".".to_owned())),
                Token::Exponent(has_sign) if digits.exponent.is_none() => {
                    digits.exponent = Some((has_sign, Vec::new()));
                }
                _ => return None,
            }
        }
        digits.power -= 3 * commas;
        Some(digits)
    }

    /// The list for the next part.
    fn list(&mut self) -> &mut Vec<Part> {
        let exponent = self.exponent.as_mut().map(|(_, parts)| parts);
        exponent.or(self.behind_point.as_mut()).unwrap_or(&mut self.before_point)
    }

    fn places(&self) -> usize {
        places(&self.before_point) + self.behind_point.as_deref().map_or(0, places)
    }

    /// A number that is not negative.
    pub(super) fn show(&self, value: f64) -> String {
        let mut shown = String::new();
        if self.places() == 0 && self.behind_point.is_none() {
            // A section without places is a text.
            for part in &self.before_point {
                if let Part::Text(text) = part {
                    shown.push_str(text);
                }
            }
            return shown;
        }
        let decimals = self.behind_point.as_deref().map_or(0, places);
        let decimal = Decimal::of(value).times_ten_to(self.power);
        let (decimal, exponent) = match &self.exponent {
            None => (decimal, 0),
            Some(_) => self.mantissa(decimal, decimals),
        };
        let (whole, behind) = decimal.rounded(decimals);
        self.push_whole(&whole, &mut shown);
        if let Some(parts) = &self.behind_point {
            shown.push('.');
            push_decimals(parts, &behind, &mut shown);
        }
        if let Some((has_sign, parts)) = &self.exponent {
            shown.push('E');
            match exponent {
                ..0 => shown.push('-'),
                _ if *has_sign => shown.push('+'),
                _ => {}
            }
            let digits = exponent.unsigned_abs().to_string();
            push_right(parts, digits.trim_start_matches('0'), false, &mut shown);
        }
        shown
    }

    /// The number between one and ten, or up to as many digits as there are places before the point, and its exponent.
    fn mantissa(&self, decimal: Decimal, decimals: usize) -> (Decimal, i32) {
        if decimal.is_zero() {
            return (decimal, 0);
        }
        let step = i32::try_from(places(&self.before_point)).unwrap_or(1).max(1);
        let exponent = decimal.exponent().div_euclid(step) * step;
        let mantissa = decimal.clone().times_ten_to(-exponent);
        if mantissa.rounded(decimals).0.len() > step.unsigned_abs() as usize {
            let exponent = exponent + step;
            return (decimal.times_ten_to(-exponent), exponent);
        }
        (mantissa, exponent)
    }

    fn push_whole(&self, whole: &str, shown: &mut String) {
        if places(&self.before_point) == 0 {
            let texts = self.before_point.iter();
            texts.for_each(|part| shown.extend(part.text()));
            shown.push_str(whole);
        } else {
            push_right(&self.before_point, whole, self.has_thousands, shown);
        }
    }
}

impl Part {
    fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }
}

fn places(parts: &[Part]) -> usize {
    parts.iter().filter(|part| matches!(part, Part::Place(_))).count()
}

/// Fills places from the right: the first one takes all digits that are left.
fn push_right(parts: &[Part], digits: &str, has_thousands: bool, shown: &mut String) {
    let count = places(parts);
    let width = count.max(digits.len());
    // The number of digits to the right of the next one.
    let mut behind = width;
    let digit = |kind: char, behind: usize, shown: &mut String| {
        match digits.len().checked_sub(behind + 1) {
            Some(at) => shown.push_str(&digits[at..=at]),
            None if kind == '0' => shown.push('0'),
            None if kind == '?' => return shown.push(' '),
            None => return,
        }
        if has_thousands && behind > 0 && behind.is_multiple_of(3) {
            shown.push(',');
        }
    };
    let mut is_first = true;
    for part in parts {
        let Part::Place(kind) = part else {
            shown.extend(part.text());
            continue;
        };
        let extra = if std::mem::take(&mut is_first) { width - count } else { 0 };
        for _ in 0..=extra {
            behind -= 1;
            digit(*kind, behind, shown);
        }
    }
}

/// Fills places from the left. Zeros at the end are shown only in places of `0`.
fn push_decimals(parts: &[Part], digits: &str, shown: &mut String) {
    let kinds = parts.iter().filter_map(|part| match part {
        Part::Place(kind) => Some(*kind),
        Part::Text(_) => None,
    });
    let needed = kinds.zip(digits.chars()).enumerate();
    let needed = needed.filter(|(_, (kind, digit))| *kind == '0' || *digit != '0');
    let needed = needed.map(|(place, _)| place + 1).last().unwrap_or(0);
    let mut digits = digits.chars().enumerate();
    for part in parts {
        match part {
            Part::Text(text) => shown.push_str(text),
            Part::Place(kind) => match digits.next() {
                Some((place, digit)) if place < needed => shown.push(digit),
                _ if *kind == '?' => shown.push(' '),
                _ => {}
            },
        }
    }
}
