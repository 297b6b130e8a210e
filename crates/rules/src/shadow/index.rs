//! Which earlier rules can have to do with a later one: without it a thousand rules would be a million comparisons.

use std::collections::BTreeMap;

use daachorse::{CharwiseDoubleArrayAhoCorasick, CharwiseDoubleArrayAhoCorasickBuilder};

use super::text::Wording;

/// So many rules that look for the same text are compared with later ones, the first of them: in a file where thousands
/// do, the time would grow with their square.
const MOST: usize = 100;

/// So many rules are compared with a later one, the first of them, if it contains the texts of even more.
const MOST_CANDIDATES: usize = 1_000;

/// So many places of one text are looked at: thousands of texts inside one another would be found millions of times.
const MOST_HITS: usize = 10_000;

/// Finds rules by the fixed texts that they look for.
pub(super) struct Index {
    automaton: Option<CharwiseDoubleArrayAhoCorasick<u32>>,
    /// For each text, the rules that look for it.
    rules: Vec<Vec<usize>>,
    /// The rules that look for no fixed text.
    others: Vec<usize>,
}

impl Index {
    /// Of the rules that can keep others from answering.
    pub(super) fn new(wordings: &[Wording], can: impl Fn(usize) -> bool) -> Self {
        let mut by_text: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        let mut others = Vec::new();
        for (rule, wording) in wordings.iter().enumerate().filter(|(rule, _)| can(*rule)) {
            let needles = wording.needles();
            if needles.is_empty() || needles.contains(&"") {
                others.push(rule);
                continue;
            }
            for needle in needles {
                let rules = by_text.entry(needle).or_default();
                if rules.len() < MOST {
                    rules.push(rule);
                }
            }
        }
        // Without an index the first rules are compared with all.
        let automaton = CharwiseDoubleArrayAhoCorasickBuilder::new().build(by_text.keys()).ok();
        if automaton.is_none() {
            others = (0..wordings.len()).filter(|rule| can(*rule)).collect();
        }
        others.truncate(MOST);
        Self { automaton, rules: by_text.into_values().collect(), others }
    }

    /// The rules that may be implied by this one, in order.
    pub(super) fn candidates(&self, later: &Wording) -> Vec<usize> {
        let mut met = Vec::new();
        if let Some(automaton) = &self.automaton {
            for text in later.looked_through() {
                let hits = automaton.find_overlapping_iter(&*text).take(MOST_HITS);
                met.extend(hits.map(|hit| hit.value()));
            }
        }
        met.sort_unstable();
        met.dedup();
        let lists = met.into_iter().filter_map(|text| self.rules.get(usize::try_from(text).ok()?));
        let mut found: Vec<usize> = lists.flatten().chain(&self.others).copied().collect();
        found.sort_unstable();
        found.dedup();
        found.truncate(MOST_CANDIDATES);
        found
    }
}
