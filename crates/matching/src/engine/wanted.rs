//! Which literals a rule cannot do without.
//!
//! All literals are in the form of the folded text without case, whatever the rule's own folding: what a stricter
//! folding contains, the looser one contains as well.

use std::collections::HashMap;

use super::injected::{Mistake, injected};
use super::literals;
use crate::conditions::Conditions;
use crate::fold::{Folding, fold_each, is_caseless};
use crate::keyword::Stem;
use crate::pattern::Matcher;

/// Longer literals are cut: a few characters tell enough, and the index stays small.
const LONGEST: usize = 24;

/// A rule that needs more literals than this is looked at for every text.
const MOST: usize = 4096;

/// A text that must be found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Literal {
    pub(super) text: Box<str>,
    pub(super) anchor: Anchor,
}

/// Where it must be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Anchor {
    Anywhere = 0,
    Begin = 1,
    End = 2,
    /// Anywhere but inside a longer word, as `keyword` means it.
    Word = 3,
    /// It is the text.
    Whole = 4,
    /// Anywhere but behind a letter of the same word.
    WordBegin = 5,
    /// Anywhere but before a letter of the same word.
    WordEnd = 6,
}

impl Anchor {
    /// All of them, in order.
    pub(super) const ALL: [Self; 7] = [
        Self::Anywhere,
        Self::Begin,
        Self::End,
        Self::Word,
        Self::Whole,
        Self::WordBegin,
        Self::WordEnd,
    ];

    /// How many there are.
    pub(super) const COUNT: usize = Self::ALL.len();
}

/// The literals of a rule: of each set, one must be found in the text.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    sets: Vec<Vec<Literal>>,
    /// Whether no item was cut to a literal.
    are_whole: bool,
}

/// How many rules want each literal.
pub(super) type Shares = HashMap<Box<str>, u32>;

impl Wanted {
    /// A set that no text fulfils.
    pub(super) fn nothing() -> Self {
        Self { sets: vec![Vec::new()], are_whole: false }
    }

    /// The literals that these conditions need.
    pub(super) fn new(when: &Conditions, hant: bool) -> Self {
        let mut wanted = Self::default();
        let mut are_whole = true;
        let mut items = |list: &[String], anchor| -> Option<Vec<Literal>> {
            let literals = list.iter().map(|item| literal(item, anchor, hant));
            let literals: Vec<(Literal, bool)> = literals.collect::<Option<_>>()?;
            are_whole &= literals.iter().all(|(_, is_whole)| *is_whole);
            Some(literals.into_iter().map(|(literal, _)| literal).collect())
        };
        for (list, anchor) in [
            (&when.exact, Anchor::Whole),
            (&when.prefix, Anchor::Begin),
            (&when.suffix, Anchor::End),
            (&when.keyword, Anchor::Word),
        ] {
            if !list.is_empty() {
                wanted.sets.extend(items(list, anchor));
            }
        }
        for item in &when.all {
            wanted.sets.extend(items(std::slice::from_ref(item), Anchor::Word));
        }
        for list in &when.all_of {
            wanted.sets.extend(items(list, Anchor::Word));
        }
        if injected(Mistake::NoneRequired) && !when.none.is_empty() {
            wanted.sets.extend(items(&when.none, Anchor::Anywhere));
        }
        let folding = Folding::new(when.case, hant);
        let mut patterns: Vec<_> =
            when.pattern.iter().map(|pattern| Matcher::required(pattern, folding)).collect();
        if let ([pattern], [sets]) = (&*when.pattern, &mut *patterns)
            && Matcher::begins_with_text(pattern, folding)
            && !sets.is_empty()
        {
            let first = sets.remove(0);
            wanted.sets.extend(items(&first, Anchor::Begin));
        }
        wanted.are_whole = are_whole;
        wanted.add_alternatives(&patterns, |text| full(text, hant));
        let regexes: Vec<_> =
            when.regex.iter().map(|regex| literals::required(regex.hir())).collect();
        wanted.add_alternatives(&regexes, |text| each(text, hant));
        wanted
    }

    /// Adds the literals of a list of patterns or regexes, of which one is to match: for each of them one of its sets.
    fn add_alternatives(
        &mut self,
        alternatives: &[Vec<Vec<String>>],
        fold: impl Fn(&str) -> String,
    ) {
        if alternatives.is_empty() {
            return;
        }
        let fold_set = |set: &Vec<String>| -> Option<Vec<Literal>> {
            set.iter().map(|text| cut(fold(text).trim(), Anchor::Anywhere)).collect()
        };
        if let [only] = alternatives {
            // Each set of a single one may turn out to be the rarest.
            self.sets.extend(only.iter().filter_map(fold_set));
            return;
        }
        let longest = |sets: &Vec<Vec<String>>| {
            sets.iter().filter_map(fold_set).max_by_key(|set| shortest(set))
        };
        let all: Option<Vec<Vec<Literal>>> = alternatives.iter().map(longest).collect();
        self.sets.extend(all.map(|all| all.concat()).filter(|set| set.len() <= MOST));
    }

    /// Whether a rule of these conditions matches every text in which one of its literals is found, so that the text need
    /// not be looked at again: whole keywords or exact texts for which case does not matter, and nothing else.
    pub(super) fn proves(&self, when: &Conditions) -> bool {
        let only = when.all.is_empty()
            && when.all_of.is_empty()
            && when.none.is_empty()
            && when.prefix.is_empty()
            && when.suffix.is_empty()
            && when.pattern.is_empty()
            && when.regex.is_empty();
        let is_one = when.keyword.is_empty() != when.exact.is_empty();
        let mut literals = self.sets.iter().flatten();
        let ignores_case = !when.case
            || injected(Mistake::CaseForgotten)
            || literals.all(|literal| literal.text.chars().all(is_caseless));
        only && is_one && ignores_case && self.sets.len() == 1 && self.are_whole
    }

    /// The set to wait for: the one shared least with other rules, else the longest. `None` if there is none.
    pub(super) fn best(&self, shares: &Shares) -> Option<&[Literal]> {
        let cost = |set: &Vec<Literal>| -> u64 {
            set.iter()
                .map(|literal| u64::from(shares.get(&literal.text).copied().unwrap_or(1)))
                .sum()
        };
        let best = self.sets.iter().min_by_key(|set| (cost(set), std::cmp::Reverse(shortest(set))));
        best.map(Vec::as_slice)
    }
}

/// Counts how many rules want each literal.
pub(super) fn shares(rules: &[Wanted]) -> Shares {
    let mut shares = Shares::new();
    for literal in rules.iter().flat_map(|wanted| wanted.sets.iter().flatten()) {
        *shares.entry(literal.text.clone()).or_default() += 1;
    }
    shares
}

fn shortest(set: &[Literal]) -> usize {
    set.iter().map(|literal| literal.text.chars().count()).min().unwrap_or(0)
}

/// The literal of an item, and whether it is the whole item.
fn literal(item: &str, anchor: Anchor, hant: bool) -> Option<(Literal, bool)> {
    let (item, anchor) = match anchor {
        Anchor::Word => {
            let stem = Stem::read(item);
            (stem.text, anchor_of(stem))
        }
        anchor => (item, anchor),
    };
    // Without the spaces around: a text that contains the item contains its middle, apart from spaces at the same end.
    let item = full(item, hant);
    let literal = cut(item.trim(), anchor)?;
    let is_whole = *literal.text == *item.trim();
    // Nothing is known about the text beside a part of an item.
    let anchor = match anchor {
        Anchor::WordBegin | Anchor::WordEnd | Anchor::Word if !is_whole => Anchor::Anywhere,
        Anchor::Whole if !is_whole => Anchor::Begin,
        whole => whole,
    };
    Some((Literal { anchor, ..literal }, is_whole))
}

/// Where an item of `keyword`, `all` or `none` is found.
fn anchor_of(stem: Stem<'_>) -> Anchor {
    match (stem.begins_inside, stem.ends_inside) {
        _ if injected(Mistake::StarsForgotten) => Anchor::Word,
        (false, false) => Anchor::Word,
        (false, true) => Anchor::WordBegin,
        (true, false) => Anchor::WordEnd,
        (true, true) => Anchor::Anywhere,
    }
}

/// A literal of at most [`LONGEST`] characters: the end of one that is anchored at the end, else the beginning.
fn cut(text: &str, anchor: Anchor) -> Option<Literal> {
    if text.is_empty() {
        return None;
    }
    let characters = text.chars().count();
    let (skip, take) = match anchor {
        Anchor::End if !injected(Mistake::CutAtWrongEnd) => {
            (characters.saturating_sub(LONGEST), LONGEST)
        }
        _ => (0, LONGEST),
    };
    Some(Literal { text: text.chars().skip(skip).take(take).collect::<String>().into(), anchor })
}

fn full(text: &str, hant: bool) -> String {
    let hant = hant && !injected(Mistake::HantForgotten);
    Folding::new(injected(Mistake::CaseKept), hant).fold(text).into_text()
}

fn each(text: &str, hant: bool) -> String {
    fold_each(text, hant).unwrap_or_else(|| full(text, hant))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Pattern;

    fn wanted(pattern: &str) -> Vec<(String, Anchor)> {
        let when = Conditions {
            pattern: vec![Pattern::parse(pattern).expect("a pattern")],
            ..Conditions::default()
        };
        let sets = Wanted::new(&when, false).sets.into_iter().flatten();
        sets.map(|literal| (literal.text.into(), literal.anchor)).collect()
    }

    #[test]
    fn only_what_a_sentence_begins_with_is_wanted_at_the_beginning() {
        let (begin, anywhere) = (Anchor::Begin, Anchor::Anywhere);
        for (pattern, expected) in [
            ("天气 {city}", vec![("天气", begin)]),
            ("{city} 天气", vec![("天气", anywhere)]),
            ("[请问] 天气 {city} 吗", vec![("天气", anywhere), ("吗", anywhere)]),
            ("Buy {n} now", vec![("buy", begin), ("now", anywhere)]),
            // Nothing is left of characters that cannot be seen.
            ("\u{200b} {x} 天气", vec![("天气", anywhere)]),
        ] {
            let expected: Vec<_> =
                expected.into_iter().map(|(text, anchor)| (text.to_owned(), anchor)).collect();
            assert_eq!(wanted(pattern), expected, "{pattern}");
        }
    }
}
