//! The rows of tables that are nearest to a message: for handlers that answer out of them.

use mynah_core::{Event, StateView};
use mynah_matching::conditions::Taken;

use super::RuleBook;
use super::event_facts::{About, EventFacts};
use super::rule::Rule;
use super::search::{Run, Search};
use crate::decision::{Decision, Moment};

/// A row of a `[[table]]` that is near to a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NearestRow {
    /// The question, as it is compared: in lower case, without full width.
    pub question: String,
    /// The answer, as it is written in the table.
    pub reply: String,
}

impl RuleBook {
    /// The rows of these tables whose questions have the most in common with a message, the nearest first, at most so many.
    /// Rows without an answer in words, and questions that have nothing in common with it, are left out.
    ///
    /// A table gives rows only where its `in`, `groups`, `from`, `not_from`, `when` and the `only` of the group let it
    /// answer this person, and a row only in its own groups. Of events other than messages there are none.
    #[must_use]
    pub fn nearest_rows(
        &self,
        event: &Event,
        state: &dyn StateView,
        at: &Moment,
        tables: &[String],
        most: usize,
    ) -> Vec<NearestRow> {
        let Some(about) = About::of(event).filter(|about| about.message.is_some()) else {
            return Vec::new();
        };
        let mut facts = EventFacts::new(about, None, at.now, &self.zone, self.hant);
        facts.only = self.table(facts.chat).and_then(|table| table.only.as_ref());
        let mut found = Vec::new();
        for rule in &self.rules {
            let Some(table) = rule.table.as_deref().filter(|_| is_asked(rule, tables)) else {
                continue;
            };
            let mut out = Decision::default();
            let mut run = Run::new(self, &facts, state, at, Search::Indexed, None, &mut out);
            if run.passed_over(event).is_none() && run.gives_rows(rule) {
                let rows = table.nearest(facts.sentence(), facts.chat);
                found.extend(rows.into_iter().map(|(like, question, row)| {
                    let (question, reply) = (table.text(question), table.rows.reply(row));
                    (like, question, reply)
                }));
            }
        }
        // The sort is stable: of equally near rows the upper one comes first.
        found.sort_by(|(one, ..), (other, ..)| other.total_cmp(one));
        let rows = found.into_iter().take(most);
        let own = |text: &str| text.to_owned();
        rows.map(|(_, question, reply)| NearestRow { question: own(question), reply: own(reply) })
            .collect()
    }

    /// The ids of its tables.
    pub fn table_ids(&self) -> impl Iterator<Item = &str> {
        let tables = self.rules.iter().filter(|rule| rule.is_named && rule.table.is_some());
        tables.map(|rule| &*rule.reference.id)
    }
}

fn is_asked(rule: &Rule, tables: &[String]) -> bool {
    rule.is_named && !rule.off && tables.iter().any(|id| **id == *rule.reference.id)
}

impl Run<'_, '_> {
    /// Whether a table lets this person in this chat have its rows.
    fn gives_rows(&mut self, rule: &Rule) -> bool {
        if self.facts.only.is_some_and(|only| !only.contains(&*rule.reference.id)) {
            return false;
        }
        let Some(rest) = rule.rest.as_deref() else { return true };
        let chat = self.facts.chat;
        let is_place = rest.place.is_none_or(|place| place == chat.kind);
        let is_group = rest.groups.is_empty()
            || chat.is_group() && rest.groups.iter().any(|glob| glob.fits(&chat.name));
        is_place
            && is_group
            && self.check_person(rest).is_ok()
            && self.check_values(rule, rest, &Taken::default()).is_ok()
            // Values of all members are not at hand here.
            && self.pending.take_lacks().is_empty()
    }
}
