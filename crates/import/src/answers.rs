//! Rules with several answers, of which some set variables or lead to another sentence.

use crate::book::{Book, Rule, Value};
use crate::names::Ids;
use crate::previous::Previous;
use crate::remark::Reason;

/// One of the answers of a rule, as templates.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Answer {
    pub(crate) set: Vec<(String, String)>,
    pub(crate) add: Vec<(String, Value)>,
    /// The words; empty if it says nothing.
    pub(crate) text: String,
    /// The sentence that answers instead, behind the words.
    pub(crate) answer_as: Option<String>,
    /// How often it is drawn, compared with the others.
    pub(crate) weight: u32,
    /// Restrictions of its own.
    pub(crate) when: Vec<(String, Value)>,
}

/// A sentence with its answers.
#[derive(Debug, Clone)]
pub(crate) struct Unit {
    /// Its conditions.
    pub(crate) rule: Rule,
    pub(crate) section: String,
    pub(crate) when: Vec<(String, Value)>,
    /// The sentence of the bot that it follows.
    pub(crate) after: Option<usize>,
    /// Groups of answers; of each group whose restriction holds one is drawn, and the first such group counts.
    pub(crate) answers: Vec<Vec<Answer>>,
}

/// A rule follows at most so many others.
const MOST_AFTER: usize = 200;

/// How long a rule may follow another; the originals have no limit.
const WITHIN: &str = "1d";

/// Writes the units as rules. `spoken` gives the sentences of an answer that other rules may follow.
pub(crate) fn write(
    units: Vec<Unit>,
    previous: &Previous,
    ids: &mut Ids,
    spoken: impl Fn(&str) -> Vec<String>,
    book: &mut Book,
) {
    let mut followed: Vec<Vec<String>> = vec![Vec::new(); previous.len()];
    let mut done = Vec::new();
    for unit in units {
        let mut rules = Vec::new();
        for group in &unit.answers {
            for (mut rule, follows) in rules_of(&unit, group, previous, &spoken) {
                if !follows.is_empty() {
                    let id = ids.of(&rule.subject);
                    rule.put("id", Value::text(id.clone()));
                    follows.into_iter().for_each(|number| followed[number].push(id.clone()));
                }
                rules.push(rule);
            }
        }
        done.push((unit.section, unit.after, rules));
    }
    for (section, after, rules) in done {
        for mut rule in rules {
            if let Some(number) = after {
                let mut after = followed[number].clone();
                if after.is_empty() {
                    book.remark(&rule.place, Reason::NoSuchReply, rule.subject.clone());
                    continue;
                }
                if after.len() > MOST_AFTER {
                    after.truncate(MOST_AFTER);
                    book.remark(&rule.place, Reason::ManyReplies, rule.subject.clone());
                }
                rule.put("after", Value::texts(after));
                rule.put("within", Value::text(WITHIN));
            }
            book.section(&section).rules.push(rule);
        }
    }
}

/// All but the words and the weight of an answer, and the sentences that follow it: answers that are equal here share a rule.
type Kin = (String, Vec<usize>);

/// The rules of a group of answers: answers with equal actions share a rule, and `chance` chooses among the rules.
fn rules_of(
    unit: &Unit,
    group: &[Answer],
    previous: &Previous,
    spoken: &impl Fn(&str) -> Vec<String>,
) -> Vec<(Rule, Vec<usize>)> {
    let mut kin: Vec<(Kin, Vec<&Answer>)> = Vec::new();
    for answer in group {
        let mut follows: Vec<usize> =
            spoken(&answer.text).iter().flat_map(|text| previous.matching(text)).collect();
        follows.sort_unstable();
        follows.dedup();
        let actions = format!(
            "{:?}{:?}{:?}{}",
            answer.set,
            answer.add,
            answer.answer_as,
            answer.text.is_empty()
        );
        let key = (actions, follows);
        match kin.iter_mut().find(|one| one.0 == key) {
            Some(one) => one.1.push(answer),
            None => kin.push((key, vec![answer])),
        }
    }
    let total =
        |answers: &[&Answer]| answers.iter().map(|one| f64::from(one.weight.max(1))).sum::<f64>();
    let mut left: f64 = kin.iter().map(|one| total(&one.1)).sum();
    let last = kin.len().saturating_sub(1);
    let rules = kin.into_iter().enumerate().map(|(number, ((_, follows), answers))| {
        let mut rule = unit.rule.clone();
        if number < last {
            rule.put("chance", Value::Number(total(&answers) / left));
        }
        left -= total(&answers);
        let when: Vec<_> = unit.when.iter().chain(&answers[0].when).cloned().collect();
        if !when.is_empty() {
            rule.put("when", Value::Table(when));
        }
        act(&mut rule, &answers);
        (rule, follows)
    });
    rules.collect()
}

/// Adds the actions of answers that differ in their words alone.
fn act(rule: &mut Rule, answers: &[&Answer]) {
    let first = answers[0];
    if !first.set.is_empty() {
        // In their order: one may use the old value of another. The last one counts if a variable is set twice.
        let later = |at: usize| first.set[at + 1..].iter().any(|one| one.0 == first.set[at].0);
        let set = first.set.iter().enumerate().filter(|(at, _)| !later(*at));
        rule.put("set", Value::table(set.map(|(_, pair)| pair.clone())));
    }
    if !first.add.is_empty() {
        rule.put("add", Value::Table(first.add.clone()));
    }
    if !first.text.is_empty() {
        let even = answers.iter().all(|one| one.weight.max(1) == first.weight.max(1));
        let text = |one: &&Answer| Value::text(one.text.clone());
        let weighted = |one: &&Answer| {
            let weight = Value::Int(i64::from(one.weight.max(1)));
            Value::Table(vec![("text".into(), text(one)), ("weight".into(), weight)])
        };
        match answers {
            [one] => rule.put("reply", text(one)),
            _ if even => rule.put("reply_one_of", Value::List(answers.iter().map(text).collect())),
            _ => rule.put("reply_one_of", Value::List(answers.iter().map(weighted).collect())),
        }
    }
    if let Some(sentence) = &first.answer_as {
        rule.put("answer_as", Value::text(sentence.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remark::Place;

    fn written(answers: Vec<Answer>) -> Vec<Rule> {
        let rule = Rule::new(Place::default(), "hi").with("exact", Value::text("hi"));
        let unit = Unit {
            rule,
            section: String::new(),
            when: vec![],
            after: None,
            answers: vec![answers],
        };
        let mut book = Book::default();
        write(vec![unit], &Previous::default(), &mut Ids::default(), |_| vec![], &mut book);
        book.sections.remove(0).rules
    }

    fn said(text: &str) -> Answer {
        Answer { text: text.into(), weight: 1, ..Answer::default() }
    }

    #[test]
    fn texts_share_a_rule_and_other_actions_are_drawn_by_chance() {
        let to = Answer { answer_as: Some("b".into()), weight: 2, ..Answer::default() };
        let rules = written(vec![said("a"), said("b"), to]);
        assert_eq!(rules.len(), 2);
        assert_eq!(rules[0].get("chance"), Some(&Value::Number(0.5)));
        assert_eq!(
            rules[0].get("reply_one_of"),
            Some(&Value::List(vec![Value::text("a"), Value::text("b")]))
        );
        assert_eq!(
            (rules[1].get("chance"), rules[1].get("answer_as")),
            (None, Some(&Value::text("b")))
        );
    }
}
