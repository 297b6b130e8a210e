//! Whether a sentence says no: `不能开发票`, `I do not want it`.

/// Signs of a no among Chinese characters.
const CHINESE: [&str; 3] = ["不", "没", "未"];

/// Words with such a sign that say nothing of that kind; the sign is the character at that place.
const HARMLESS: [(&str, usize); 19] = [
    ("不好意思", 0),
    ("不客气", 0),
    ("不错", 0),
    ("不过", 0),
    ("不同", 0),
    ("不管", 0),
    ("不然", 0),
    ("不仅", 0),
    ("不但", 0),
    ("不断", 0),
    ("不久", 0),
    ("差不多", 1),
    ("对不起", 1),
    ("要不", 1),
    ("没关系", 0),
    ("没事", 0),
    ("没问题", 0),
    ("未来", 0),
    ("未必", 0),
];

/// Words that say no.
const ENGLISH: [&str; 16] = [
    "not", "no", "never", "cannot", "without", "none", "neither", "nor", "dont", "cant", "wont",
    "isnt", "arent", "doesnt", "didnt", "couldnt",
];

/// Whether the units of a sentence say no an odd number of times.
pub(super) fn is_negative(units: &[String]) -> bool {
    let times = (0..units.len()).filter(|at| says_no(units, *at)).count();
    times % 2 == 1
}

fn says_no(units: &[String], at: usize) -> bool {
    let unit = units[at].as_str();
    let before = at.checked_sub(1).map(|before| units[before].as_str());
    if unit == "t" {
        // The end of `don't`.
        return before.is_some_and(|before| before.ends_with('n'));
    }
    if ENGLISH.contains(&unit) {
        return true;
    }
    let is_sign = CHINESE.contains(&unit);
    // `能不能`, `有没有` and a question that ends in the sign ask, and do not say no.
    let asks =
        before.is_some() && units.get(at + 1).is_none_or(|after| Some(after.as_str()) == before);
    is_sign && !asks && !HARMLESS.iter().any(|(word, sign)| is_in(units, at, word, *sign))
}

/// Whether a unit is the character at that place of a word.
fn is_in(units: &[String], at: usize, word: &str, sign: usize) -> bool {
    let Some(start) = at.checked_sub(sign) else { return false };
    let mut rest = units[start..].iter();
    word.chars().all(|c| rest.next().is_some_and(|unit| unit.chars().eq([c])))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_no_is_told_from_a_question() {
        for (text, expected) in [
            ("能开发票吗", false),
            ("不能开发票吗", true),
            ("能不能开发票", false),
            ("有没有货", false),
            ("能开发票不", false),
            ("没有货", true),
            ("不好意思怎么退货", false),
            ("这个价格差不多", false),
            ("不得不退货", false),
            ("还未收到", true),
            ("how do I return it", false),
            ("I don\u{27}t want it", true),
            ("I do not want it", true),
            ("why can\u{27}t I log in", true),
            ("it was in the tin", false),
        ] {
            assert_eq!(is_negative(&crate::likeness::units(text)), expected, "{text}");
        }
    }
}
