//! Finds the rules that can match a text without asking each.
//!
//! Every rule has literals of which its text must contain one: its keywords, its exact texts, what its regex cannot do
//! without. One automaton finds all literals of all rules in one pass over the folded text. The rules behind those found,
//! in order, are the candidates, together with the few rules that have no literal; each is then checked in full, and the
//! first that matches ends the work. So the answer is that of asking every rule, at a cost that hardly grows with them.
//!
//! `wanted` says which literals a rule needs, `literals` finds those of a regex, `index` holds the automaton.

mod index;
mod literals;
mod planted;
mod wanted;

use crate::fold::{Folding, fold_each};
use crate::model;
use crate::rule_book::look::Look;

use index::{Index, IndexBuilder};
use planted::{Mistake, planted};
use wanted::Wanted;

/// The index of a rule book.
#[derive(Debug)]
pub(crate) struct Engine {
    index: Index,
    /// The rules without a literal, in order.
    always: Box<[u32]>,
    /// Whether any literal comes from a regex: these look at the text before marks combine with letters.
    has_regexes: bool,
}

/// Collects rules for an index.
#[derive(Debug, Default)]
pub(crate) struct EngineBuilder {
    rules: Vec<Wanted>,
    has_regexes: bool,
}

impl EngineBuilder {
    /// Adds the next rule in the order of the search.
    pub(crate) fn add(&mut self, rule: &model::Rule, hant: bool) {
        self.has_regexes |= !rule.when.regex.is_empty();
        // A rule that is switched off is never a candidate.
        let wanted = if rule.off { Wanted::nothing() } else { Wanted::new(&rule.when, hant) };
        self.rules.push(wanted);
    }

    /// Builds the index.
    pub(crate) fn build(self) -> Engine {
        let shares = wanted::shares(&self.rules);
        let mut index = IndexBuilder::default();
        let mut always = Vec::new();
        for (place, wanted) in (0_u32..).zip(&self.rules) {
            match wanted.best(&shares) {
                Some(set) if planted(Mistake::FirstOfSet) => {
                    set.iter().take(1).for_each(|literal| index.add(literal, place));
                }
                Some(set) => set.iter().for_each(|literal| index.add(literal, place)),
                None => always.push(place),
            }
        }
        Engine { index: index.build(), always: always.into(), has_regexes: self.has_regexes }
    }
}

impl Engine {
    /// The places of all rules that can match, in order and each once.
    pub(crate) fn candidates(&self, look: &Look<'_>, found: &mut Vec<u32>) {
        let full = look.folded(Folding::new(false, look.hant));
        self.index.search(full.text(), found);
        if self.has_regexes && !full.is_plain() && !planted(Mistake::MarksForgotten) {
            // Regexes see marks and letters one by one: rarely there are any, and the text differs.
            if let Some(each) = fold_each(look.text, look.hant) {
                self.index.search(&each, found);
            }
        }
        if !planted(Mistake::AlwaysForgotten) {
            found.extend_from_slice(&self.always);
        }
        if !planted(Mistake::Unsorted) {
            found.sort_unstable();
        }
        if !planted(Mistake::Doubled) {
            found.dedup();
        }
    }

    /// The rules that are looked at for every message, because no text tells that they cannot match.
    pub(crate) fn always(&self) -> &[u32] {
        &self.always
    }

    /// The rules that one message can make candidates at worst, so that their regexes all run: those behind the literal
    /// that is dearest by `cost`, and those that are always looked at.
    pub(crate) fn dearest(&self, cost: impl Fn(u32) -> usize) -> Vec<u32> {
        let of_list = |list: &&[u32]| list.iter().map(|place| cost(*place)).sum::<usize>();
        let shared = self.index.lists().max_by_key(of_list).unwrap_or_default();
        let all = self.always.iter().chain(shared).copied();
        all.filter(|place| cost(*place) > 0).collect()
    }

    /// Bytes on the heap.
    pub(crate) fn heap(&self) -> usize {
        self.index.heap() + size_of_val(&*self.always)
    }
}

#[cfg(test)]
mod tests;
