//! Finds the rules that can match a text without asking each.
//!
//! Every rule has literals of which its text must contain one: its keywords, its exact texts, what its regex cannot do
//! without. One pass over the folded text finds all literals of all rules. The rules behind those found, in order, are the
//! candidates, together with the few rules that have no literal; each is then checked in full, and the first that matches
//! ends the work. So the answer is that of asking every rule, at a cost that hardly grows with them.
//!
//! `wanted` says which literals a rule needs, `literals` knows those of a regex, `finder` finds all of them in a text, `index`
//! has the rules behind each, `hits` and `candidates` collect the results of one search.

mod candidates;
mod finder;
mod hits;
mod index;
mod injected;
mod literals;
mod wanted;

use crate::conditions::Conditions;
use crate::fold::{Folding, fold_each};
use crate::text::Text;

pub use candidates::Candidates;
pub(crate) use finder::{Finder, KeyLengths};
use index::{Index, IndexBuilder};
use injected::{Mistake, injected};
use wanted::{Anchor, Wanted};

/// The index of a rule book.
#[derive(Debug)]
pub struct Engine {
    index: Index,
    /// The rules without a literal, in order.
    always: Box<[u32]>,
    /// Whether any literal comes from a regex: these look at the text before marks combine with letters.
    has_regexes: bool,
}

/// Collects rules for an index.
#[derive(Debug, Default)]
pub struct EngineBuilder {
    rules: Vec<Wanted>,
    has_regexes: bool,
}

impl EngineBuilder {
    /// Adds the next rule in the order of the search; gives whether being a [certain](Candidates::are_certain) candidate
    /// proves that its conditions on the text hold.
    pub fn add(&mut self, conditions: &Conditions, hant: bool) -> bool {
        self.has_regexes |= !conditions.regex.is_empty();
        let wanted = Wanted::new(conditions, hant);
        let proves = wanted.proves(conditions);
        self.rules.push(wanted);
        proves
    }

    /// Adds a rule that is never a candidate.
    pub fn add_never(&mut self) {
        self.rules.push(Wanted::nothing());
    }

    /// Builds the index.
    pub fn build(self) -> Engine {
        let shares = wanted::shares(&self.rules);
        let mut index = IndexBuilder::default();
        let mut always = Vec::new();
        for (place, wanted) in (0_u32..).zip(&self.rules) {
            match wanted.best(&shares) {
                Some(set) if injected(Mistake::FirstOfSet) => {
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
    /// All rules that can match.
    pub fn candidates(&self, text: &Text<'_>) -> Candidates {
        Candidates::collect(|found| {
            let full = text.folded(Folding::new(false, text.hant()));
            self.index.search(full.text(), found);
            let mut are_certain = true;
            if self.has_regexes && !full.is_plain() && !injected(Mistake::MarksForgotten) {
                // Regexes see marks and letters one by one: rarely there are any, and the text differs.
                if let Some(each) = fold_each(text.as_str(), text.hant()) {
                    self.index.search(&each, found);
                    are_certain = injected(Mistake::MarksCertain);
                }
            }
            if !injected(Mistake::AlwaysForgotten) {
                found.extend_from_slice(&self.always);
            }
            are_certain
        })
    }

    /// The rules that are looked at for every text, because no fixed text rules them out.
    pub fn always(&self) -> &[u32] {
        &self.always
    }

    /// The rules that one text of so many characters can make candidates at worst, so that all their regexes and
    /// patterns run: those that are always looked at, and those behind the literals that are dearest by `cost`, one at
    /// the beginning and as many elsewhere as there is room for.
    pub fn dearest(&self, characters: usize, cost: impl Fn(u32) -> usize) -> Vec<u32> {
        let mut dear: Vec<u32> = self.always.iter().copied().filter(|one| cost(*one) > 0).collect();
        let (mut at_begin, mut elsewhere) = (Vec::new(), Vec::new());
        self.index.for_each_list(|literal, anchor, rules| {
            let rules: Vec<u32> = rules.iter().copied().filter(|place| cost(*place) > 0).collect();
            let list = CostlyList {
                cost: rules.iter().map(|place| cost(*place)).sum(),
                length: literal.chars().count(),
                rules,
            };
            match anchor {
                _ if list.rules.is_empty() => {}
                Anchor::Begin | Anchor::Whole => at_begin.push(list),
                Anchor::Anywhere
                | Anchor::End
                | Anchor::Word
                | Anchor::WordBegin
                | Anchor::WordEnd => elsewhere.push(list),
            }
        });
        let first = at_begin.into_iter().max_by_key(|list| list.cost);
        dear.extend(first.into_iter().flat_map(|list| list.rules));
        // The most for each character of room first.
        elsewhere.sort_by_key(|list| std::cmp::Reverse(list.cost / list.length.max(1)));
        let mut room = characters;
        for list in elsewhere {
            let Some(left) = room.checked_sub(list.length) else { break };
            room = left;
            dear.extend(list.rules);
        }
        // A rule may wait for several literals.
        dear.sort_unstable();
        dear.dedup();
        dear
    }

    /// Bytes on the heap.
    pub fn heap(&self) -> usize {
        self.index.heap() + size_of_val(&*self.always)
    }
}

/// The rules behind a literal that cost something.
struct CostlyList {
    rules: Vec<u32>,
    cost: usize,
    /// The characters that a text spends on it.
    length: usize,
}

#[cfg(test)]
mod tests;
