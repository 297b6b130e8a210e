//! Whether the texts that one rule asks for are always texts that another asks for.
//!
//! A rule has unlimited texts, but they are alike: beside and between its fixed words any text may occur. So a few
//! texts represent all: the fixed words with characters around them that no rule mentions, a letter (which words must
//! not touch) and an ideograph (which they may). A condition that fits these fits any text in their place.

use std::borrow::Cow;
use std::cell::OnceCell;

use crate::problem::ShadowReason;
use mynah_matching::Conditions;
use mynah_matching::fold::Folding;
use mynah_matching::keyword::{Item, without_final_signs};
use mynah_matching::pattern::{Fillings, Matcher, Pattern};

/// A letter of a script with spaces, and an ideograph, both so rare that no rule mentions them.
const LETTER: &str = "ʬ";
const IDEOGRAPH: &str = "𪚥";

/// Digits that no rule mentions.
const DIGITS: &str = "90817263546372819";

/// A Chinese numeral and a decimal that no rule mentions.
const NUMERAL: &str = "九千零八十一亿";
const DECIMAL: &str = "-90817.2635";

/// Samples of any whole number.
const WHOLE: [&str; 2] = [DIGITS, NUMERAL];

/// Samples of any number.
const NUMBERS: [&str; 3] = [DIGITS, NUMERAL, DECIMAL];

/// The texts that represent any text in a hole; a lone punctuation mark is special at the end of a text.
const ANYTHING: [&str; 3] = [LETTER, IDEOGRAPH, "ʬ。ʬ"];

/// The possible neighbours of a fixed word.
const BESIDE: [&str; 4] = ["", LETTER, IDEOGRAPH, " "];

/// The possible text after a fixed word at the end.
const FINAL: [&str; 2] = ["", "!"];

/// Lists of so many pairs of items are not compared: that would take longer than everything else.
const MOST_PAIRS: usize = 1_000_000;

/// More ways through a pattern than this are not looked at.
const MOST: usize = 256;

/// The conditions of a rule on the text, ready to be compared.
#[derive(Debug, Clone)]
pub(super) struct Wording {
    conditions: Vec<Condition>,
    /// Whether there is a condition that nothing is known of.
    is_opaque: bool,
}

/// One condition: a text fits if it fits one of the items.
#[derive(Debug, Clone)]
struct Condition {
    key: &'static str,
    items: Vec<OneOf>,
}

/// An item of a condition with the texts that stand for all that fit it.
#[derive(Debug, Clone)]
struct OneOf {
    written: String,
    fits: Fits,
    /// `None` if there are too many ways.
    texts: OnceCell<Option<Vec<String>>>,
    /// Of a sentence: texts of which each way through it contains one.
    required: Vec<String>,
}

#[derive(Debug, Clone)]
enum Fits {
    Contains(Item),
    Is(Item),
    Begins(Item),
    Ends(Item),
    Sentence(Matcher),
    /// A regular expression fits only where the same one is asked for.
    Regex,
}

impl Fits {
    fn fit(&self, text: &str) -> bool {
        match self {
            Self::Contains(item) => item.find(text).is_some(),
            Self::Is(item) => item.is(text),
            Self::Begins(item) => item.rest_after(text).is_some(),
            Self::Ends(item) => item.rest_before(text).is_some(),
            Self::Sentence(matcher) => matcher.fit(text).is_some(),
            Self::Regex => false,
        }
    }
}

impl Wording {
    pub(super) fn of(when: &Conditions, hant: bool) -> Self {
        let folding = Folding::new(when.case, hant);
        let mut conditions = Vec::new();
        let mut add = |key: &'static str, items: Vec<OneOf>| {
            if !items.is_empty() {
                conditions.push(Condition { key, items });
            }
        };
        let words = |key: &'static str, words: &[String]| -> Vec<OneOf> {
            words.iter().map(|word| OneOf::word(key, word, folding)).collect()
        };
        add("keyword", words("keyword", &when.keyword));
        for word in &when.all {
            add("all", words("all", std::slice::from_ref(word)));
        }
        for list in &when.all_of {
            add("all", words("all", list));
        }
        add("exact", words("exact", &when.exact));
        add("prefix", words("prefix", &when.prefix));
        add("suffix", words("suffix", &when.suffix));
        add(
            "pattern",
            when.pattern.iter().map(|pattern| OneOf::sentence(pattern, folding)).collect(),
        );
        add(
            "regex",
            when.regex.iter().map(|regex| OneOf::regex(regex.as_str(), when.case)).collect(),
        );
        let mentions = conditions.iter().flat_map(|condition| &condition.items);
        let is_opaque = mentions.into_iter().any(|item| {
            [LETTER, IDEOGRAPH, DIGITS, NUMERAL, DECIMAL]
                .iter()
                .any(|unused| item.written.contains(unused))
        });
        Self { conditions, is_opaque }
    }

    /// The same, but of the keywords only this one.
    pub(super) fn with_keyword(&self, keyword: &str, folding: Folding) -> Self {
        // Not cloned as a whole: there may be thousands of keywords.
        let others = self.conditions.iter().filter(|condition| condition.key != "keyword");
        let mut conditions: Vec<Condition> = others.cloned().collect();
        let items = vec![OneOf::word("keyword", keyword, folding)];
        conditions.push(Condition { key: "keyword", items });
        Self { conditions, is_opaque: self.is_opaque }
    }

    /// Whether this is one of its keywords.
    pub(super) fn has_keyword(&self, wanted: &Item) -> bool {
        let mut keywords = self.conditions.iter().filter(|condition| condition.key == "keyword");
        keywords.any(|condition| {
            condition
                .items
                .iter()
                .any(|item| matches!(&item.fits, Fits::Contains(known) if known == wanted))
        })
    }

    /// The folded fixed texts by which another wording can contain this one; empty if anything may.
    pub(super) fn needles(&self) -> Vec<&str> {
        let sets = self
            .conditions
            .iter()
            .map(|condition| condition.items.iter().map(OneOf::needles).collect::<Vec<_>>());
        let mut whole = sets.filter(|set| set.iter().all(|needles| !needles.is_empty()));
        whole.next().map(|set| set.concat()).unwrap_or_default()
    }

    /// Texts that contain every needle that its own texts contain.
    pub(super) fn looked_through(&self) -> impl Iterator<Item = Cow<'_, str>> {
        let items = self.conditions.iter().flat_map(|condition| &condition.items);
        items.flat_map(OneOf::looked_through)
    }

    /// Why every text that fits `later` fits this one too; `None` if that is not certain.
    pub(super) fn is_implied_by(&self, later: &Self) -> Option<ShadowReason> {
        if self.is_opaque || later.is_opaque {
            return None;
        }
        let mut reasons = Vec::new();
        for condition in &self.conditions {
            reasons.push(later.conditions.iter().find_map(|other| condition.is_implied_by(other))?);
        }
        Some(
            reasons
                .into_iter()
                .find(|reason| *reason != ShadowReason::Weaker)
                .unwrap_or(ShadowReason::Weaker),
        )
    }
}

impl Wording {
    /// The first text of `exact`, and the key and an item of another condition that it lacks, if each text of `exact`
    /// certainly lacks all items of some condition.
    pub(super) fn exact_without(&self) -> Option<(String, &'static str, String)> {
        if self.is_opaque {
            return None;
        }
        let exact = self.conditions.iter().find(|condition| condition.key == "exact")?;
        let others = || self.conditions.iter().filter(|condition| condition.key != "exact");
        let mut first = None;
        for item in &exact.items {
            let texts = item.texts()?;
            let lacked =
                others().find(|other| other.items.iter().all(|one| one.is_lacked_by(texts)))?;
            let of_lacked = lacked.items.first()?;
            first = first
                .or_else(|| Some((item.written.clone(), lacked.key, of_lacked.written.clone())));
        }
        first
    }
}

impl Condition {
    fn is_implied_by(&self, other: &Self) -> Option<ShadowReason> {
        if self.items.len().saturating_mul(other.items.len()) > MOST_PAIRS {
            return None;
        }
        let mut reason = None;
        for wanted in &other.items {
            let why = self.fits_all_of(wanted)?;
            reason = reason.or(Some(why));
        }
        reason
    }

    /// Whether every text of an item of another rule fits one of the items here.
    fn fits_all_of(&self, wanted: &OneOf) -> Option<ShadowReason> {
        if let Fits::Regex = wanted.fits {
            let same = self
                .items
                .iter()
                .any(|item| matches!(item.fits, Fits::Regex) && item.written == wanted.written);
            return same.then_some(ShadowReason::Weaker);
        }
        let texts = wanted.texts()?;
        let mut used = None;
        for text in texts {
            let item = self.items.iter().find(|item| item.fits.fit(text))?;
            used = used.or(Some(item));
        }
        let item = used?;
        Some(match item.fits {
            Fits::Sentence(_) | Fits::Regex => ShadowReason::Weaker,
            Fits::Is(_) => ShadowReason::Same { key: self.key, text: item.written.clone() },
            _ if item.written == wanted.written => {
                ShadowReason::Same { key: self.key, text: item.written.clone() }
            }
            _ => ShadowReason::Inside {
                key: self.key,
                earlier: item.written.clone(),
                later: wanted.written.clone(),
            },
        })
    }
}

impl OneOf {
    fn word(key: &'static str, word: &str, folding: Folding) -> Self {
        let fits = match key {
            "exact" => Fits::Is(Item::new(word, folding)),
            "prefix" => Fits::Begins(Item::new(word, folding)),
            "suffix" => Fits::Ends(Item::new(word, folding)),
            _ => Fits::Contains(Item::with_stars(word, folding)),
        };
        Self { written: word.to_owned(), fits, texts: OnceCell::new(), required: Vec::new() }
    }

    /// Whether none of the texts of a whole message has it: certain only for plain words, since messages may have other
    /// signs around the text.
    fn is_lacked_by(&self, texts: &[String]) -> bool {
        let (Fits::Contains(item) | Fits::Begins(item) | Fits::Ends(item)) = &self.fits else {
            return false;
        };
        item.text().chars().all(char::is_alphanumeric)
            && self.written.chars().all(char::is_alphanumeric)
            && !texts.iter().any(|text| self.fits.fit(text))
    }

    /// The texts that stand for all that fit it; made when first asked for, as few rules come so near to another.
    fn texts(&self) -> Option<&[String]> {
        self.texts.get_or_init(|| self.texts_around()).as_deref()
    }

    /// A word with all that may stand beside it.
    fn texts_around(&self) -> Option<Vec<String>> {
        let (item, before, after): (_, &[&str], &[&str]) = match &self.fits {
            Fits::Contains(item) => (item, &BESIDE, &BESIDE),
            Fits::Is(item) => (item, &[""], &FINAL),
            Fits::Begins(item) => (item, &[""], &BESIDE),
            Fits::Ends(item) => (item, &BESIDE, &FINAL),
            Fits::Sentence(_) | Fits::Regex => return None,
        };
        let around =
            before.iter().flat_map(|before| after.iter().map(move |after| (before, after)));
        let texts = around.map(|(before, after)| format!("{before}{}{after}", item.text()));
        Some(self.fitting(texts))
    }

    /// Those texts that fit, as a rule that ignores case sees them: a word may not stand beside a letter.
    fn fitting(&self, texts: impl Iterator<Item = String>) -> Vec<String> {
        texts
            .filter(|text| self.fits.fit(text))
            .map(|text| without_case(&text).into_owned())
            .collect()
    }

    /// The texts in which a needle is searched. No needle goes beyond a word: it begins and ends without a space, and
    /// has none of the rare characters.
    fn looked_through(&self) -> Vec<Cow<'_, str>> {
        match &self.fits {
            Fits::Contains(item) | Fits::Is(item) | Fits::Begins(item) | Fits::Ends(item) => {
                vec![without_case(item.text())]
            }
            Fits::Sentence(_) | Fits::Regex => {
                self.texts().into_iter().flatten().map(|text| text.as_str().into()).collect()
            }
        }
    }

    fn sentence(pattern: &Pattern, folding: Folding) -> Self {
        let fillings = Fillings { texts: &ANYTHING, whole: &WHOLE, numbers: &NUMBERS };
        let texts = pattern.instances(fillings, MOST).map(|texts| {
            let texts = texts.into_iter().map(|text| folding.fold(&text).into_text());
            texts.flat_map(|text| with_other_ends(&text)).collect()
        });
        let matcher = Matcher::new(pattern, folding);
        let longest = Matcher::required(pattern, folding)
            .into_iter()
            .max_by_key(|set| set.iter().map(String::len).min().unwrap_or(0));
        let required =
            longest.iter().flatten().map(|text| without_case(text.trim()).into_owned()).collect();
        let mut sentence = Self {
            written: pattern.to_string(),
            fits: Fits::Sentence(matcher),
            texts: OnceCell::new(),
            required,
        };
        sentence.texts = texts.map(|texts: Vec<String>| sentence.fitting(texts.into_iter())).into();
        sentence
    }

    fn regex(source: &str, case: bool) -> Self {
        // A text that only the same regular expression gives: it is found by it, never matched against it.
        let written = format!("\u{0}{case} {source}\u{0}");
        Self {
            written: written.clone(),
            fits: Fits::Regex,
            texts: Some(vec![written]).into(),
            required: Vec::new(),
        }
    }

    /// Fixed texts of which every text that fits it contains one, folded; none if there are none.
    fn needles(&self) -> Vec<&str> {
        match &self.fits {
            Fits::Contains(item) | Fits::Is(item) | Fits::Begins(item) | Fits::Ends(item) => {
                vec![item.text()]
            }
            Fits::Regex => vec![self.written.as_str()],
            Fits::Sentence(_) => self.required.iter().map(String::as_str).collect(),
        }
    }
}

/// A text with the possible signs at its end, whatever its own are; as it is if it consists of such signs.
fn with_other_ends(text: &str) -> Vec<String> {
    match without_final_signs(text) {
        "" => vec![text.trim().to_owned()],
        rest => FINAL.iter().map(|end| format!("{rest}{end}")).collect(),
    }
}

/// A text as a rule that ignores case sees it.
fn without_case(text: &str) -> Cow<'_, str> {
    Folding::new(false, false).fold(text).into_cow()
}
