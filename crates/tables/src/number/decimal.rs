//! Decimal numbers: a sheet rounds the half up, by the 15 digits that it shows and not by the binary value.

/// A number that is not negative: 0.d₁d₂d₃… × 10^`point`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decimal {
    /// From 0 to 9, without zeros at the ends; empty for zero.
    digits: Vec<u8>,
    point: i32,
}

impl Decimal {
    /// The first 15 digits of a number.
    pub(super) fn of(value: f64) -> Self {
        let written = format!("{:.14e}", value.abs());
        let (digits, exponent) = written.split_once('e').unwrap_or((&written, "0"));
        let digits = digits.bytes().filter(u8::is_ascii_digit).map(|digit| digit - b'0');
        Self { digits: digits.collect(), point: exponent.parse::<i32>().unwrap_or(0) + 1 }.trimmed()
    }

    fn trimmed(mut self) -> Self {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
        }
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
        self.point -= i32::try_from(zeros).unwrap_or(0);
        if self.digits.is_empty() {
            self.point = 0;
        }
        self
    }

    pub(super) fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The exponent of its first digit.
    pub(super) fn exponent(&self) -> i32 {
        self.point - 1
    }

    /// Times ten to a power.
    pub(super) fn times_ten_to(mut self, power: i32) -> Self {
        if !self.is_zero() {
            self.point += power;
        }
        self
    }

    /// With so many digits behind the point: those before it, without zeros in front, and those behind it.
    pub(super) fn rounded(&self, decimals: usize) -> (String, String) {
        let digit = |place: i32| {
            usize::try_from(place).ok().and_then(|place| self.digits.get(place)).map_or(0, |d| *d)
        };
        let end = self.point.saturating_add(i32::try_from(decimals).unwrap_or(i32::MAX));
        let start = self.point.min(0);
        let mut kept: Vec<u8> = (start..end.max(start)).map(digit).collect();
        if digit(end) >= 5 && end >= start {
            let mut place = kept.len();
            loop {
                let Some(before) = place.checked_sub(1) else {
                    kept.insert(0, 1);
                    break;
                };
                place = before;
                kept[place] = (kept[place] + 1) % 10;
                if kept[place] != 0 {
                    break;
                }
            }
        }
        // The last `decimals` digits are behind the point.
        let mut text: String = kept.into_iter().map(|digit| char::from(b'0' + digit)).collect();
        if text.len() < decimals {
            text.insert_str(0, &"0".repeat(decimals - text.len()));
        }
        let behind = text.split_off(text.len() - decimals);
        (text.trim_start_matches('0').to_owned(), behind)
    }
}
