//! Which earlier rules can have to do with a later one: without it a thousand rules would be a million comparisons.

use std::collections::BTreeMap;

use mynah_matching::Literals;

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
    literals: Literals,
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
        let texts: Vec<&str> = by_text.keys().copied().collect();
        others.truncate(MOST);
        Self { literals: Literals::new(&texts), rules: by_text.into_values().collect(), others }
    }

    /// The rules that may be implied by this one, in order.
    pub(super) fn candidates(&self, later: &Wording) -> Vec<usize> {
        let mut met = Vec::new();
        for text in later.looked_through() {
            met.extend(self.literals.find(&text, MOST_HITS));
        }
        met.sort_unstable();
        met.dedup();
        let lists = met.into_iter().map(|text| &self.rules[text]);
        let mut found: Vec<usize> = lists.flatten().chain(&self.others).copied().collect();
        found.sort_unstable();
        found.dedup();
        found.truncate(MOST_CANDIDATES);
        found
    }
}
