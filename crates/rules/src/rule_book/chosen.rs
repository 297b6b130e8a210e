//! The rule that answers; of a table, its row.

use std::borrow::Cow;

use mynah_core::Chat;

use super::actions::random_of;
use super::answer_table::AnswerTable;
use super::rule::Rule;
use crate::decision::{Moment, RuleRef};
use crate::model::Step;

/// The rule that answers, and of a table the row.
pub(super) struct Chosen<'r> {
    pub(super) rule: &'r Rule,
    row: Option<ChosenRow<'r>>,
}

struct ChosenRow<'r> {
    table: &'r AnswerTable,
    row: u32,
    reference: RuleRef,
    /// The end of the names of the clocks of its question, if the table has brakes.
    state_key: Option<String>,
}

impl<'r> Chosen<'r> {
    /// The rule; of a table, one of the rows of the question that are for this chat, at random.
    pub(super) fn of(rule: &'r Rule, question: Option<u32>, chat: &Chat, at: &Moment) -> Self {
        let row = rule.table.as_deref().zip(question).and_then(|(table, question)| {
            let count = table.rows_here(question, chat).count();
            let drawn = if count > 1 {
                let purpose = format!("row:{}:{}", rule.key, table.state_key(question));
                random_of(at, &purpose).below(count as u64)
            } else {
                0
            };
            let drawn = usize::try_from(drawn).unwrap_or(0);
            let row = table.rows_here(question, chat).nth(drawn)?;
            let state_key = rule.brakes.is_some().then(|| table.state_key(question));
            Some(ChosenRow { table, row, reference: table.reference(row), state_key })
        });
        Self { rule, row }
    }

    /// The rule without a row.
    pub(super) fn rule(rule: &'r Rule) -> Self {
        Self { rule, row: None }
    }

    /// How it is named towards people.
    pub(super) fn reference(&self) -> &RuleRef {
        self.row.as_ref().map_or(&self.rule.reference, |row| &row.reference)
    }

    /// The end of the names of its cooldowns.
    pub(super) fn state_key(&self) -> Option<&str> {
        self.row.as_ref()?.state_key.as_deref()
    }

    /// Its actions.
    pub(super) fn steps(&self) -> Cow<'r, [Step]> {
        match &self.row {
            None => Cow::Borrowed(&self.rule.then),
            Some(row) => row.table.steps(&self.rule.then, row.row).into(),
        }
    }
}
