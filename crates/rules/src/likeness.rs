//! `similar`: how much two sentences have in common.
//!
//! The units of a sentence are its Chinese characters and its other words, folded, without punctuation and fillers (`请问`,
//! `the`). Likeness is the shared
//! part of the units and of the pairs of neighbours: 2 × shared ÷ all. Of two sentences of which one says no (`不能开发票`,
//! `能开发票`) it is half of that. It is the same on every machine, and symmetric.

mod fillers;
mod nearest;
mod negation;

use std::collections::HashMap;

use mynah_matching::fold::Folding;

use crate::rows::place_of;

pub(crate) use nearest::Nearest;

/// A sentence of more units is like no other.
const MOST_UNITS: usize = 200;

/// A sentence taken apart.
#[derive(Debug, Clone)]
pub(crate) struct Sentence {
    /// Units, and pairs of neighbours with a blank between, each with how often it occurs.
    parts: HashMap<Box<str>, u32>,
    count: u32,
    /// Whether it says no.
    is_negative: bool,
}

/// The sentences of a rule, and the likeness that one of them must reach.
#[derive(Debug)]
pub(crate) struct Similar(Nearest);

impl Similar {
    /// The sentences with the least likeness, above 0 and at most 1.
    pub(crate) fn new(texts: &[String], at_least: f64, folding: Folding) -> Self {
        let texts = texts.iter().map(|text| text.as_str().into()).collect();
        Self(Nearest::new(texts, at_least, folding).0)
    }

    /// Whether a sentence is like one of these.
    pub(crate) fn holds(&self, said: &Sentence) -> bool {
        !self.0.near(said, 0.0).is_empty()
    }

    /// The least likeness with the sentences.
    pub(crate) fn wanted(&self) -> String {
        let texts: Vec<&str> = (0..place_of(self.0.len().min(3))).map(|n| self.0.text(n)).collect();
        format!("{} ({})", texts.join(", "), self.0.at_least())
    }

    /// The three sentences that are most like this one, for people.
    pub(crate) fn best(&self, said: &Sentence) -> String {
        self.0.best(said)
    }
}

/// The three sentences with the greatest likeness, for people.
fn three_best(mut by_likeness: Vec<(f64, &str)>) -> String {
    by_likeness.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    let shown = by_likeness.iter().take(3).map(|(like, text)| format!("{text} {like:.2}"));
    shown.collect::<Vec<_>>().join(", ")
}

/// The likeness of two sentences with so many parts, of which they share so many.
fn likeness(shared: u32, parts: u32, others: u32, agree: bool) -> f64 {
    if parts == 0 || others == 0 {
        return 0.0;
    }
    let like = f64::from(2 * shared) / f64::from(parts + others);
    if agree { like } else { like / 2.0 }
}

impl Sentence {
    /// Takes a text apart.
    pub(crate) fn new(text: &str, folding: Folding) -> Self {
        let folded = folding.fold(text);
        let units = units(folded.text());
        let is_negative = negation::is_negative(&units);
        let is_short = units.len() <= MOST_UNITS;
        let units = fillers::without_fillers(units);
        let mut parts: HashMap<Box<str>, u32> = HashMap::new();
        let mut count = 0;
        if is_short {
            let pairs = units.windows(2).map(|pair| pair.join(" "));
            for part in units.iter().cloned().chain(pairs) {
                *parts.entry(part.into()).or_default() += 1;
                count += 1;
            }
        }
        Self { parts, count, is_negative }
    }

    /// From 0, nothing in common, to 1, the same units in the same order.
    pub(crate) fn likeness(&self, other: &Self) -> f64 {
        let shared: u32 = self
            .parts
            .iter()
            .map(|(part, times)| *other.parts.get(part).unwrap_or(&0).min(times))
            .sum();
        likeness(shared, self.count, other.count, self.is_negative == other.is_negative)
    }
}

/// The units of a folded text.
fn units(text: &str) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    let mut is_open = false;
    for c in text.chars() {
        let is_unit = is_ideograph(c);
        if is_unit || !c.is_alphanumeric() {
            is_open = false;
        }
        if is_unit {
            units.push(c.to_string());
        } else if c.is_alphanumeric() {
            match units.last_mut().filter(|_| is_open) {
                Some(word) => word.push(c),
                None => units.push(c.to_string()),
            }
            is_open = true;
        }
    }
    units
}

/// Whether a character is a word by itself: Chinese characters and kana.
const fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3134f}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sentence(text: &str) -> Sentence {
        Sentence::new(text, Folding::new(false, false))
    }

    fn likeness(one: &str, other: &str) -> f64 {
        sentence(one).likeness(&sentence(other))
    }

    #[test]
    fn units_are_characters_and_words() {
        assert_eq!(units("how do i, return-it?"), ["how", "do", "i", "return", "it"]);
        assert_eq!(units("买 iphone15 多少钱"), ["买", "iphone15", "多", "少", "钱"]);
        assert_eq!(units("！？ 。"), [""; 0]);
    }

    #[test]
    fn likeness_goes_from_nothing_to_the_same() {
        let is_about = |one: &str, other: &str, expected: f64| {
            let found = likeness(one, other);
            assert!((found - expected).abs() < 0.005, "{one} {other}: {found}");
        };
        is_about("怎么退货", "怎么退货？", 1.0);
        is_about("How do I return it", "how do I RETURN it!", 1.0);
        is_about("怎么退货", "怎么退款", 10.0 / 14.0);
        is_about("怎么退货", "今天天气", 0.0);
        is_about("", "", 0.0);
        is_about("？", "怎么退货", 0.0);
        let long = "字".repeat(MOST_UNITS + 1);
        is_about(&long, &long, 0.0);
    }

    #[test]
    fn the_best_sentences_are_shown_first() {
        let texts = ["怎么退款", "怎么退货", "营业时间", "退货"].map(str::to_owned);
        let similar = Similar::new(&texts, 0.75, Folding::new(false, false));
        let said = sentence("怎么退货啊");
        assert!(similar.holds(&said));
        assert_eq!(similar.best(&said), "怎么退货 1.00, 怎么退款 0.71, 退货 0.60");
    }

    proptest! {
        #[test]
        fn a_text_is_like_itself_unless_it_has_no_words_or_too_many(text in "[怎么退货款 a-c！]{0,12}|[怎么货]{195,205}") {
            let count = units(&text).len();
            let expected = if (1..=MOST_UNITS).contains(&count) { 1.0 } else { 0.0 };
            prop_assert!((likeness(&text, &text) - expected).abs() < f64::EPSILON, "{count} units");
        }

        #[test]
        fn likeness_is_symmetric_and_within_bounds(one in "[怎么退货款 a-c]{0,12}", other in "[怎么退货款 a-c]{0,12}") {
            let found = likeness(&one, &other);
            prop_assert!((0.0..=1.0).contains(&found));
            prop_assert!((found - likeness(&other, &one)).abs() < f64::EPSILON);
        }
    }
}
