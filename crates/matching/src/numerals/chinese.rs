//! Chinese numerals: `二十`, `三百五`, `1万2`, `二零二六`.

use super::BELOW;

/// A part of a numeral.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// `零`, which parts places.
    Zero,
    /// Another digit, or a run of ASCII digits of that length.
    Digits { value: u64, length: usize },
    /// `十`, `百`, `千`: a place within four.
    Place(u64),
    /// `万`, `亿`: four places and eight.
    Group(u64),
}

/// Whether a character is part of numerals, ASCII digits left out.
pub(super) fn is_numeral(c: char) -> bool {
    part(c).is_some()
}

fn part(c: char) -> Option<Part> {
    if c < '\u{3007}' {
        return None;
    }
    let digit = |value| Some(Part::Digits { value, length: 1 });
    match c {
        '零' | '〇' => Some(Part::Zero),
        '一' | '壹' => digit(1),
        '二' | '两' | '兩' | '贰' | '貳' => digit(2),
        '三' | '叁' => digit(3),
        '四' | '肆' => digit(4),
        '五' | '伍' => digit(5),
        '六' | '陆' | '陸' => digit(6),
        '七' | '柒' => digit(7),
        '八' | '捌' => digit(8),
        '九' | '玖' => digit(9),
        '十' | '拾' => Some(Part::Place(10)),
        '百' | '佰' => Some(Part::Place(100)),
        '千' | '仟' => Some(Part::Place(1_000)),
        '万' | '萬' => Some(Part::Group(10_000)),
        '亿' | '億' => Some(Part::Group(100_000_000)),
        _ => None,
    }
}

/// The number of a numeral in ASCII digits.
pub(super) fn read(text: &str) -> Option<String> {
    let parts = parts(text)?;
    if parts.iter().any(|part| matches!(part, Part::Place(_) | Part::Group(_))) {
        return Some(Reader::default().read(&parts)?.to_string());
    }
    // Digit by digit: a year, a number of an order.
    let digits = text.chars().map(|c| match part(c)? {
        Part::Zero => Some('0'),
        Part::Digits { value, .. } => char::from_digit(u32::try_from(value).ok()?, 10),
        Part::Place(_) | Part::Group(_) => None,
    });
    let digits: String = digits.collect::<Option<_>>()?;
    (!digits.is_empty()).then_some(digits)
}

fn parts(text: &str) -> Option<Vec<Part>> {
    let mut parts = Vec::new();
    for c in text.chars() {
        let digit = c.to_digit(10).map(u64::from);
        match (digit, parts.last_mut()) {
            (Some(digit), Some(Part::Digits { value, length })) if *length < 12 => {
                (*value, *length) = (*value * 10 + digit, *length + 1);
            }
            (Some(value), _) => parts.push(Part::Digits { value, length: 1 }),
            (None, _) => parts.push(part(c)?),
        }
    }
    Some(parts)
}

/// Adds up the places of a numeral.
#[derive(Debug, Default)]
struct Reader {
    /// The groups so far: whole 亿 and 万.
    total: u64,
    /// The places of the present group.
    group: u64,
    /// The digits whose place is not known yet.
    digits: Option<(u64, usize)>,
    /// The last place or group; the next one in the group is smaller.
    last: Option<u64>,
    /// The smallest place of the present group so far.
    smallest: Option<u64>,
    after_zero: bool,
}

impl Reader {
    fn read(mut self, parts: &[Part]) -> Option<u64> {
        for part in parts {
            self.take(*part)?;
        }
        if let Some((digits, length)) = self.digits {
            self.group += self.last_digits(digits, length)?;
        }
        Some(self.total + self.group).filter(|number| *number < BELOW)
    }

    fn take(&mut self, part: Part) -> Option<()> {
        match part {
            Part::Zero => {
                // A zero comes behind a place, and only one.
                let is_behind_place = self.digits.is_none() && self.last.is_some();
                (is_behind_place && !self.after_zero).then_some(())?;
                self.after_zero = true;
            }
            Part::Digits { value, length } => {
                self.digits.is_none().then_some(())?;
                self.digits = Some((value, length));
            }
            Part::Place(place) => {
                self.smallest.is_none_or(|smallest| place < smallest).then_some(())?;
                // 十 alone is ten.
                let alone = (place == 10).then_some((1, 1));
                let (digits, _) = self.digits.take().or(alone)?;
                (digits > 0 && digits < 10).then_some(())?;
                self.group += digits * place;
                (self.last, self.smallest, self.after_zero) = (Some(place), Some(place), false);
            }
            Part::Group(unit) => self.close(unit)?,
        }
        Some(())
    }

    /// Ends a group with its unit.
    fn close(&mut self, unit: u64) -> Option<()> {
        let digits = self.digits.take().map_or(0, |(digits, _)| digits);
        let group = self.group + digits;
        let is_next = self.last.is_none_or(|last| last < 10_000 || unit < last);
        let fits = self.total.is_multiple_of(unit.saturating_mul(10_000)) || self.total == 0;
        (group > 0 && group < BELOW && is_next && fits).then_some(())?;
        self.total = self.total.checked_add(group.checked_mul(unit)?)?;
        self.group = 0;
        (self.last, self.smallest, self.after_zero) = (Some(unit), None, false);
        Some(())
    }

    /// The value of the digits at the end: `三百五` is 350, `三百零五` 305, `1万2000` 12000.
    fn last_digits(&self, digits: u64, length: usize) -> Option<u64> {
        let last = self.last?;
        if length > 1 {
            return (digits < last).then_some(digits);
        }
        Some(if self.after_zero || last == 10 { digits } else { digits * (last / 10) })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A number as schoolbooks write it, four places at a time.
    fn written(number: u64) -> String {
        const DIGITS: [&str; 10] = ["零", "一", "二", "三", "四", "五", "六", "七", "八", "九"];
        const UNITS: [(u64, &str); 3] = [(100_000_000, "亿"), (10_000, "万"), (1, "")];
        const PLACES: [(u64, &str); 4] = [(1_000, "千"), (100, "百"), (10, "十"), (1, "")];
        if number == 0 {
            return "零".to_owned();
        }
        let mut text = String::new();
        let mut is_gap = false;
        for (unit, unit_name) in UNITS {
            let group = number / unit % 10_000;
            let mut has_digit = false;
            for (place, place_name) in PLACES {
                let digit = group / place % 10;
                if digit == 0 {
                    is_gap = true;
                    continue;
                }
                if is_gap && !text.is_empty() {
                    text.push('零');
                }
                is_gap = false;
                has_digit = true;
                text.push_str(DIGITS[usize::try_from(digit).expect("a digit")]);
                text.push_str(place_name);
            }
            if has_digit {
                text.push_str(unit_name);
                // A zero before 万 and 亿 is not read.
                is_gap = false;
            }
        }
        text
    }

    #[test]
    fn numbers_are_written_as_in_schoolbooks() {
        for (number, text) in [
            (0, "零"),
            (20, "二十"),
            (102, "一百零二"),
            (1_010, "一千零一十"),
            (10_200, "一万零二百"),
            (100_000_003, "一亿零三"),
            (120_000, "一十二万"),
        ] {
            assert_eq!(written(number), text);
        }
    }

    fn check(number: u64) {
        let text = written(number);
        assert_eq!(read(&text).as_deref(), Some(number.to_string().as_str()), "{text}");
        // People leave the one before a ten out.
        if let Some(rest) = text.strip_prefix("一十") {
            let text = format!("十{rest}");
            assert_eq!(read(&text).as_deref(), Some(number.to_string().as_str()), "{text}");
        }
        let of_money: String = text
            .chars()
            .map(|c| {
                "一二三四五六七八九十百千"
                    .chars()
                    .position(|one| one == c)
                    .map_or(c, |at| "壹贰叁肆伍陆柒捌玖拾佰仟".chars().nth(at).unwrap_or(c))
            })
            .collect();
        assert_eq!(read(&of_money).as_deref(), Some(number.to_string().as_str()), "{of_money}");
    }

    #[test]
    fn all_small_numerals_are_read() {
        (0..=20_000).for_each(check);
        check(1_000_000_000);
        check(999_999_999_999);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(crate::cases(20_000)))]

        #[test]
        fn numerals_are_read_as_schoolbooks_write_them(number in prop_oneof![
            0_u64..=1_000_000_000,
            // Numbers with many zeros.
            (1_u64..=9_999, 0_u32..6, 0_u64..=999).prop_map(|(head, zeros, tail)| head * 10_u64.pow(zeros) + tail),
        ]) {
            check(number);
        }

        #[test]
        fn digits_with_a_unit_are_read(digits in 1_u64..=9_999, more in 1_u64..=9) {
            for (unit, size) in [("万", 10_000), ("亿", 100_000_000)] {
                let expected = (digits * size).to_string();
                prop_assert_eq!(read(&format!("{digits}{unit}")), Some(expected));
                let expected = (digits * size + more * size / 10).to_string();
                prop_assert_eq!(read(&format!("{digits}{unit}{more}")), Some(expected));
            }
        }
    }
}
