//! Why each rule answered or did not, kept small: the rules that matched and nearly matched one by one, the others
//! grouped by the missing condition.

use mynah_core::{Timestamp, sort_by_key};
use mynah_page::view::{FoldRow, StepRow};
use mynah_rules::{Lang, RuleRef, Trace, Verdict};

use crate::testing::why::Why;

/// So many near misses are kept one by one.
const NEAR: usize = 50;

/// So many rules are named of those that lacked the same.
const NAMED: usize = 20;

/// The outcomes of the rules that were looked at.
#[derive(Debug, Default)]
pub(super) struct Reasons {
    deciding: Vec<(RuleRef, Verdict)>,
    near: Vec<(RuleRef, Verdict)>,
    rest: Vec<Fold>,
    is_near: bool,
}

/// Rules that lacked the same.
#[derive(Debug)]
struct Fold {
    /// The key of the condition that failed; none for rules that are switched off.
    key: Option<&'static str>,
    count: usize,
    first: Vec<(RuleRef, Verdict)>,
}

impl Trace for Reasons {
    fn looked_at(&mut self, rule: &RuleRef, verdict: Verdict) {
        let is_near = std::mem::take(&mut self.is_near);
        let key = match &verdict {
            Verdict::Acted { .. }
            | Verdict::Redirected { .. }
            | Verdict::Fetched(_)
            | Verdict::InDialog { .. }
            | Verdict::Quiet { .. } => {
                return self.deciding.push((rule.clone(), verdict));
            }
            Verdict::Failed(_) if is_near && self.near.len() < NEAR => {
                return self.near.push((rule.clone(), verdict));
            }
            Verdict::Failed(failed) => Some(failed.key),
            Verdict::Off => None,
        };
        let at = self.rest.iter().position(|fold| fold.key == key).unwrap_or_else(|| {
            self.rest.push(Fold { key, count: 0, first: Vec::new() });
            self.rest.len() - 1
        });
        let fold = &mut self.rest[at];
        fold.count += 1;
        if fold.first.len() < NAMED {
            fold.first.push((rule.clone(), verdict));
        }
    }

    fn nearly(&mut self, _rule: &RuleRef) {
        self.is_near = true;
    }
}

impl Reasons {
    /// The rules that matched.
    pub(super) fn deciding(&self, at: Timestamp, lang: Lang) -> Vec<StepRow> {
        rows(&self.deciding, at, lang)
    }

    /// The rules that nearly matched.
    pub(super) fn near(&self, at: Timestamp, lang: Lang) -> Vec<StepRow> {
        rows(&self.near, at, lang)
    }

    /// All others, the most frequent reason first.
    pub(super) fn rest(&self, at: Timestamp, lang: Lang) -> Vec<FoldRow> {
        let mut folds: Vec<FoldRow> = self
            .rest
            .iter()
            .map(|fold| FoldRow {
                why: Why::lacking(fold.key, lang),
                count: fold.count,
                first: rows(&fold.first, at, lang),
            })
            .collect();
        sort_by_key(&mut folds, |fold| std::cmp::Reverse(fold.count));
        folds
    }
}

fn rows(looked_at: &[(RuleRef, Verdict)], at: Timestamp, lang: Lang) -> Vec<StepRow> {
    looked_at.iter().map(|(rule, verdict)| step(rule, verdict, at, lang)).collect()
}

fn step(rule: &RuleRef, verdict: &Verdict, at: Timestamp, lang: Lang) -> StepRow {
    let until = match verdict {
        Verdict::Quiet { left: Some(left), .. } => Some((at + *left).as_millis()),
        _ => None,
    };
    let why = Why::of(rule, verdict);
    StepRow {
        rule: rule.id.to_string(),
        file: rule.file.to_string(),
        line: rule.line,
        verdict: why.verdict(),
        why: why.reason(lang),
        until,
    }
}

#[cfg(test)]
mod tests {
    use mynah_rules::Failed;

    use super::*;

    fn rule(line: u32) -> RuleRef {
        RuleRef { id: format!("bot.toml:{line}").into(), file: "bot.toml".into(), line }
    }

    fn failed(key: &'static str) -> Verdict {
        Verdict::Failed(Failed { key, expected: "a".to_owned(), actual: "b".to_owned() })
    }

    #[test]
    fn of_many_rules_the_deciding_one_and_the_near_misses_are_never_cut_off() {
        let mut reasons = Reasons::default();
        for line in 0..10_000 {
            match line {
                500 => {
                    reasons.nearly(&rule(line));
                    reasons.looked_at(&rule(line), failed("at_me"));
                }
                600..700 => reasons.looked_at(&rule(line), Verdict::Off),
                _ => reasons.looked_at(&rule(line), failed("keyword")),
            }
        }
        reasons.looked_at(&rule(10_000), Verdict::Acted { goes_on: false });
        let (at, lang) = (Timestamp::default(), Lang::En);
        let lines = |rows: Vec<StepRow>| rows.iter().map(|row| row.line).collect::<Vec<_>>();
        assert_eq!(lines(reasons.deciding(at, lang)), [10_000]);
        assert_eq!(lines(reasons.near(at, lang)), [500]);
        let rest: Vec<_> =
            reasons.rest(at, lang).into_iter().map(|fold| (fold.why, fold.count)).collect();
        assert_eq!(
            rest,
            [("keyword not in the text".to_owned(), 9_899), ("switched off".to_owned(), 100)]
        );
    }
}
