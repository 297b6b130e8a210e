//! Rules that can never answer, because an earlier one always answers first.
//!
//! No false alarm: an earlier rule is named only if the conditions of the later one imply all conditions of the earlier
//! one. Cases that cannot be proved that way (regular expressions that are not the same, overlapping times) are passed
//! over.

mod alone;
mod implied;
mod index;
mod tables;
mod text;

use std::collections::BTreeSet;

use crate::check::{Fields, Report};
use crate::model::{Bot, Rule, Step};
use crate::problem::{Problem, Shadow, ShadowReason};
use crate::sources::Spot;
use mynah_matching::fold::Folding;
use mynah_matching::keyword::Item;
use text::Wording;

/// The places of a rule that shadowing speaks of.
#[derive(Debug)]
pub(crate) struct RuleSpots {
    header: Spot,
    /// Whether every key could be read.
    pub(crate) is_whole: bool,
    /// The items of `keyword`, in order.
    keywords: Vec<(String, Spot)>,
}

impl RuleSpots {
    pub(crate) fn of(fields: &Fields<'_>) -> Self {
        let keywords = fields.texts("keyword").into_iter();
        Self {
            header: fields.spot.clone(),
            is_whole: !fields.is_partly_unknown(),
            keywords: keywords.map(|text| (text.text.to_owned(), text.spot)).collect(),
        }
    }
}

/// Finds rules that can never answer. `sound` says which rules were read without an error.
pub(crate) fn find(bot: &Bot, sound: &[bool], spots: &[RuleSpots], report: &mut Report) {
    let finder = Finder::new(bot, sound);
    for (later, spots) in spots.iter().enumerate() {
        let is_looked_at = sound.get(later) == Some(&true) && !bot.rules[later].off;
        if is_looked_at && !finder.look_at_alone(later, spots, report) {
            finder.look_at(later, spots, report);
        }
    }
}

struct Finder<'b> {
    bot: &'b Bot,
    wordings: Vec<Wording>,
    index: index::Index,
}

impl<'b> Finder<'b> {
    fn new(bot: &'b Bot, sound: &'b [bool]) -> Self {
        let wording = |rule: &Rule| match &rule.table {
            None => Wording::of(&rule.when.text, bot.fold_hant),
            Some(table) => Wording::of(&tables::always_asked(table), bot.fold_hant),
        };
        let wordings: Vec<Wording> = bot.rules.iter().map(wording).collect();
        let can = |rule: usize| sound.get(rule) == Some(&true) && can_shadow(&bot.rules[rule]);
        let index = index::Index::new(&wordings, can);
        Self { bot, wordings, index }
    }

    fn look_at(&self, later: usize, spots: &RuleSpots, report: &mut Report) {
        if let Some(table) = &self.bot.rules[later].table {
            return self.look_at_rows(later, table, spots, report);
        }
        let candidates = self.index.candidates(&self.wordings[later]);
        let earlier =
            || candidates.iter().copied().filter(|earlier| self.may_shadow(*earlier, later));
        if let Some((first, why)) = earlier().find_map(|earlier| self.always_first(earlier, later))
        {
            let shadow = self.shadow(first, later, why);
            report.add(Problem::NeverFires(shadow), spots.header.clone());
            return;
        }
        let earlier: Vec<usize> = earlier().collect();
        if earlier.is_empty() {
            return;
        }
        for (keyword, spot) in &spots.keywords {
            let wanted = Item::with_stars(keyword, Folding::new(false, self.bot.fold_hant));
            let mut same =
                earlier.iter().filter(|earlier| self.wordings[**earlier].has_keyword(&wanted));
            if let Some(twin) = same.find(|earlier| self.answers(**earlier, later, keyword)) {
                let place = self.bot.rules[*twin].place.clone();
                report.add(Problem::DuplicateKeyword { place }, spot.clone());
            }
        }
    }

    fn shadow(&self, earlier: usize, later: usize, why: ShadowReason) -> Shadow {
        let place = self.bot.rules[earlier].place.clone();
        let beside_order = |rule: usize| {
            let (is_other, priority, _) = rank(&self.bot.rules[rule], 0);
            (is_other, priority)
        };
        Shadow { place, why, is_by_order: beside_order(earlier) == beside_order(later) }
    }

    /// Whether the earlier rule answers every message that the later one could answer by this keyword.
    fn answers(&self, earlier: usize, later: usize, keyword: &str) -> bool {
        let earlier = &self.wordings[earlier];
        let folding = Folding::new(self.bot.rules[later].when.text.case, self.bot.fold_hant);
        earlier.is_implied_by(&self.wordings[later].with_keyword(keyword, folding)).is_some()
    }

    /// Whether the earlier rule really comes earlier and asks for nothing beside the text that the
    /// later one does not.
    fn may_shadow(&self, earlier: usize, later: usize) -> bool {
        let (first, second) = (&self.bot.rules[earlier], &self.bot.rules[later]);
        rank(first, earlier) < rank(second, later)
            && self.works_wherever(first, second)
            && implied::beside_the_text(&first.when, &second.when)
    }

    /// Whether no `[[group]] only` lets the later rule work where the earlier does not.
    fn works_wherever(&self, first: &Rule, second: &Rule) -> bool {
        let lists = self.bot.tables.iter().filter_map(|table| table.only.as_ref());
        is_builtin(first)
            || lists.into_iter().all(|only| !is_in(only, second) || is_in(only, first))
    }

    fn always_first(&self, earlier: usize, later: usize) -> Option<(usize, ShadowReason)> {
        let why = self.wordings[earlier].is_implied_by(&self.wordings[later])?;
        Some((earlier, why))
    }
}

/// Whether a rule keeps others from answering at all.
fn can_shadow(rule: &Rule) -> bool {
    !rule.off
        && !rule.go_on
        && !rule.when.text.case
        && rule.when.chance.is_none()
        && rule.when.comparisons.is_empty()
        && rule.when.after.is_none()
        && rule.when.similar.is_none()
        && rule.table.as_ref().is_none_or(|table| tables::can_shadow(table))
}

/// The order in which rules are asked.
fn rank(rule: &Rule, position: usize) -> (bool, std::cmp::Reverse<i64>, usize) {
    (!is_builtin(rule), std::cmp::Reverse(rule.priority), position)
}

/// Whether a rule runs a built-in handler; those are asked before all others and work everywhere.
fn is_builtin(rule: &Rule) -> bool {
    rule.then.iter().any(|step| matches!(step, Step::Run(name) if name.starts_with("builtin.")))
}

fn is_in(only: &BTreeSet<String>, rule: &Rule) -> bool {
    is_builtin(rule) || rule.name.id.as_ref().is_some_and(|id| only.contains(id))
}

#[cfg(test)]
mod tests;
