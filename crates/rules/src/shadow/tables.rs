//! Tables among the rules: the questions that a table always answers, and rows that an earlier rule always answers.

use mynah_matching::Conditions;
use mynah_matching::keyword::Stem;

use super::text::Wording;
use super::{Finder, RuleSpots, rank};
use crate::check::Report;
use crate::model::{AnswerTable, Asked, Matching};
use crate::problem::{Problem, Shadow, SheetProblem};
use mynah_matching::pattern::Pattern;

/// A table with more questions shadows no rule: comparing all of them would take longer than everything else.
const MOST_QUESTIONS: usize = 2_000;

/// So many questions of a table are compared with earlier rules.
const MOST_COMPARED: usize = 20_000;

/// So many rows are named.
const MOST_NAMED: usize = 10;

/// Whether a table keeps later rules from answering: it has questions that it answers in every chat.
pub(super) fn can_shadow(table: &AnswerTable) -> bool {
    table.questions.len() <= MOST_QUESTIONS && !is_empty(&always_asked(table))
}

fn is_empty(when: &Conditions) -> bool {
    when.exact.is_empty() && when.keyword.is_empty() && when.pattern.is_empty()
}

/// The questions of a table that it answers in every chat, as the conditions of a rule.
pub(super) fn always_asked(table: &AnswerTable) -> Conditions {
    let mut when = Conditions::default();
    if table.questions.len() > MOST_QUESTIONS {
        return when;
    }
    let everywhere = |question: &&Asked| table.rows.groups(question.row).is_none();
    for (at, question) in table.questions.iter().enumerate().filter(|(_, one)| everywhere(one)) {
        add(&mut when, table, question, table.patterns.get(at));
    }
    when
}

/// Adds a question to conditions. Where it has a star that a rule would take for another sign, it is left out.
fn add(when: &mut Conditions, table: &AnswerTable, question: &Asked, pattern: Option<&Pattern>) {
    let text = || question.text.to_string();
    match table.matching {
        Matching::Exact => when.exact.push(text()),
        Matching::Keyword => {
            let stem = Stem::read(&question.text);
            if !stem.begins_inside && !stem.ends_inside {
                when.keyword.push(text());
            }
        }
        Matching::Pattern => when.pattern.extend(pattern.cloned()),
        Matching::Similar(_) => {}
    }
}

impl Finder<'_> {
    /// Says which rows never answer, because an earlier rule answers all their questions.
    pub(super) fn look_at_rows(
        &self,
        later: usize,
        table: &AnswerTable,
        spots: &RuleSpots,
        report: &mut Report,
    ) {
        let order = |rule: usize| rank(&self.bot.rules[rule], rule);
        if table.questions.len() > MOST_COMPARED
            || !(0..self.bot.rules.len()).any(|rule| order(rule) < order(later))
        {
            return;
        }
        let mut never: Vec<(u32, Shadow)> = Vec::new();
        let mut rows = 0;
        let mut at = 0;
        for questions in table.questions.chunk_by(|one, other| one.row == other.row) {
            let shadows: Option<Vec<Shadow>> = (at..)
                .zip(questions)
                .map(|(at, question)| {
                    self.shadow_of(later, table, question, table.patterns.get(at))
                })
                .collect();
            at += questions.len();
            rows += 1;
            let shadow = shadows.and_then(|shadows| shadows.into_iter().next());
            never.extend(questions.first().zip(shadow).map(|(one, shadow)| (one.row, shadow)));
        }
        if let Some((_, shadow)) = never.first().filter(|_| never.len() == rows) {
            return report.add(Problem::NeverFires(shadow.clone()), spots.header.clone());
        }
        let count = never.len();
        for (row, shadow) in never.into_iter().take(MOST_NAMED) {
            let row = format!("{}:{}", table.name, table.rows.number(row));
            let problem = SheetProblem::NeverFires { row, shadow };
            report.add(Problem::Sheet(problem), spots.header.clone());
        }
        if count > MOST_NAMED {
            let problem = SheetProblem::MoreNeverFire { count: count - MOST_NAMED };
            report.add(Problem::Sheet(problem), spots.header.clone());
        }
    }

    /// The earlier rule that answers every message that asks a question.
    fn shadow_of(
        &self,
        later: usize,
        table: &AnswerTable,
        question: &Asked,
        pattern: Option<&Pattern>,
    ) -> Option<Shadow> {
        let mut when = Conditions::default();
        add(&mut when, table, question, pattern);
        if is_empty(&when) {
            return None;
        }
        let wording = Wording::of(&when, self.bot.fold_hant);
        let candidates = self.index.candidates(&wording);
        let mut earlier = candidates.into_iter().filter(|earlier| self.may_shadow(*earlier, later));
        earlier.find_map(|earlier| {
            let why = self.wordings[earlier].is_implied_by(&wording)?;
            Some(self.shadow(earlier, later, why))
        })
    }
}
