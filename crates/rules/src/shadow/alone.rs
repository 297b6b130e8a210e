//! Rules whose own conditions never hold together. No false alarm, as among rules.

use mynah_matching::Conditions;

use super::text::Wording;
use super::{Finder, RuleSpots};
use crate::check::Report;
use crate::model::Rule;
use crate::problem::{Problem, SelfBarred};

impl Finder<'_> {
    /// Says why a rule can never answer, whatever the other rules are. Returns whether it says so.
    pub(super) fn look_at_alone(
        &self,
        rule: usize,
        spots: &RuleSpots,
        report: &mut Report,
    ) -> bool {
        let wording = &self.wordings[rule];
        let rule = &self.bot.rules[rule];
        let why = no_chance(rule)
            .or_else(|| no_rest(rule))
            .or_else(|| self.after_no_one(rule))
            .or_else(|| self.has_excluded(rule, wording))
            .or_else(|| no_such_text(rule, wording));
        let is_found = why.is_some();
        if let Some(why) = why {
            report.add(Problem::SelfBarred(why), spots.header.clone());
        }
        is_found
    }

    /// It answers only after itself, or after rules that are switched off.
    fn after_no_one(&self, rule: &Rule) -> Option<SelfBarred> {
        let after = rule.when.after.as_ref()?;
        let own = rule.name.id.as_ref();
        let cannot = |id: &String| {
            let named = |other: &&Rule| other.name.id.as_ref() == Some(id);
            Some(id) == own || self.bot.rules.iter().find(named).is_some_and(|other| other.off)
        };
        let never = after.ids.iter().all(cannot);
        never.then(|| match after.ids.iter().find(|id| Some(*id) != own) {
            Some(off) => SelfBarred::AfterOff { id: off.clone() },
            None => SelfBarred::AfterItself,
        })
    }

    /// Every text that it asks for has an item of `none`.
    fn has_excluded(&self, rule: &Rule, wording: &Wording) -> Option<SelfBarred> {
        let text = &rule.when.text;
        // Letters are compared without their case here. Of the questions of a table only some are in the wording.
        if text.none.is_empty() || text.case || rule.table.is_some() {
            return None;
        }
        let none = Conditions { keyword: text.none.clone(), ..Conditions::default() };
        Wording::of(&none, self.bot.fold_hant).is_implied_by(wording)?;
        Some(SelfBarred::Excluded { none: text.none.clone() })
    }
}

fn no_chance(rule: &Rule) -> Option<SelfBarred> {
    rule.when.chance.is_some_and(|chance| chance <= 0.0).then_some(SelfBarred::NoChance)
}

/// Its sentence is the rest behind a prefix or before a suffix, and it has neither.
fn no_rest(rule: &Rule) -> Option<SelfBarred> {
    let text = &rule.when.text;
    let is_rest = rule.answer_as.as_ref().is_some_and(|sentence| sentence.to_string() == "{rest}");
    let has_rest = !text.prefix.is_empty() || !text.suffix.is_empty();
    // A regex may have a group of this name.
    (is_rest && !has_rest && text.regex.is_empty()).then_some(SelfBarred::NoRest)
}

/// The whole texts of `exact` lack something that another condition asks for.
fn no_such_text(rule: &Rule, wording: &Wording) -> Option<SelfBarred> {
    if rule.when.text.case || rule.table.is_some() {
        return None;
    }
    let (exact, key, text) = wording.exact_without()?;
    Some(SelfBarred::Apart { exact, key, text })
}
