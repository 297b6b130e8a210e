//! RiveScript: triggers with wildcards, topics, redirects, conditions.

mod order;
mod replies;
mod script;
mod triggers;

use std::collections::{BTreeMap, BTreeSet};

use crate::answers::{self, Answer, Unit};
use crate::book::{Book, Rule, Value};
use crate::names::{self, Ids};
use crate::previous::Previous;
use crate::remark::Reason;
use crate::{ImportError, Input};

use script::{Script, Trigger};

/// The topic in which everybody begins.
const RANDOM: &str = "random";

/// Reads the files together: their triggers, topics and variables are one brain.
pub(crate) fn read(inputs: &[&Input], book: &mut Book) -> Result<(), ImportError> {
    let mut script = Script::default();
    for input in inputs {
        script.add(&input.name, input.text()?, book);
    }
    for (name, value) in &script.vars {
        book.vars.insert(names::variable(name), value.clone());
    }
    for (name, value) in &script.globals {
        book.vars.insert(env(name), value.clone());
    }
    let used = triggers::used_arrays(&script);
    for (name, items) in script.arrays.iter().filter(|(name, _)| used.contains(*name)) {
        book.lists.insert(names::variable(name), items.clone());
    }
    substitutions(&script, book);
    begin(&script, book);
    let mut previous = Previous::default();
    let mut units = Vec::new();
    for trigger in order::sorted(&script) {
        units.extend(unit(trigger, &script, &mut previous, book));
    }
    let subs = &script.subs;
    let spoken = |text: &str| {
        let known = script.vars.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("{{bot.{}}}", names::variable(name)), value)
        });
        vec![substituted(&known, subs)]
    };
    answers::write(units, &previous, &mut Ids::default(), spoken, book);
    Ok(())
}

/// The name of a global variable.
fn env(name: &str) -> String {
    format!("env_{}", names::variable(name))
}

/// `! sub a = b`: a message with a is answered as the same message with b.
fn substitutions(script: &Script, book: &mut Book) {
    for (from, to, place) in &script.subs {
        let subject = format!("! sub {from} = {to}");
        let mut place = place.clone();
        book.count(&mut place);
        if has_words(to, from) {
            book.remark(&place, Reason::Loop, subject);
            continue;
        }
        let regex = format!(r"^(?<before>|.*\W){}(?<after>|\W.*)$", names::in_regex(from));
        let rule = Rule::new(place, &subject)
            .with("regex", Value::text(regex))
            .with("answer_as", Value::text(format!("{{before}}{}{{after}}", names::template(to))));
        book.section("substitutions").rules.push(rule);
    }
}

/// Whether a text has these words.
fn has_words(text: &str, words: &str) -> bool {
    let padded = |text: &str| format!(" {} ", text.to_lowercase());
    padded(text).contains(&padded(words))
}

/// A text with the substitutions made.
fn substituted(text: &str, subs: &[(String, String, crate::remark::Place)]) -> String {
    let mut padded = format!(" {} ", text.to_lowercase().replace('’', "'"));
    for (from, to, _) in subs {
        let mut done = String::new();
        let mut rest = padded.as_str();
        while let Some(at) = rest.find(from.as_str()) {
            let end = at + from.len();
            let is_edge = |c: Option<char>| c.is_none_or(|c| !c.is_alphanumeric());
            let whole =
                is_edge(rest[..at].chars().next_back()) && is_edge(rest[end..].chars().next());
            done.push_str(&rest[..at]);
            done.push_str(if whole { to } else { from });
            rest = &rest[end..];
        }
        padded = done + rest;
    }
    padded.trim().to_owned()
}

/// A `> begin` that lets no message pass answers all of them; one that only says `{ok}` does nothing.
fn begin(script: &Script, book: &mut Book) {
    for trigger in &script.begin {
        let is_pass = |reply: &String| reply.trim() == "{ok}";
        let subject = format!("> begin {}", trigger.pattern);
        let mut place = trigger.place.clone();
        if trigger.pattern != "request" || !trigger.conditions.is_empty() {
            book.count(&mut place);
            book.remark(&place, Reason::Form, subject);
        } else if trigger.replies.iter().any(|reply| reply.contains("{ok}")) {
            if !trigger.replies.iter().all(is_pass) {
                book.count(&mut place);
                book.remark(&place, Reason::Form, subject);
            }
        } else if !trigger.replies.is_empty() {
            book.count(&mut place);
            let replies: Vec<_> =
                trigger.replies.iter().map(|reply| names::template(reply)).collect();
            let key = if replies.len() == 1 { "reply" } else { "reply_one_of" };
            let rule = Rule::new(place, &subject)
                .with("pattern", Value::text("{star}"))
                .with(key, Value::texts(replies));
            book.section("begin").rules.push(rule);
        }
    }
}

/// A trigger with its answers; losses are remarked.
fn unit(
    trigger: &Trigger,
    script: &Script,
    previous: &mut Previous,
    book: &mut Book,
) -> Option<Unit> {
    let mut place = trigger.place.clone();
    book.count(&mut place);
    let place = &place;
    let subject = format!("+ {}", trigger.pattern);
    let (key, sentence, stars) = match triggers::condition(&trigger.pattern, script) {
        Ok(condition) => condition,
        Err(reason) => {
            book.remark(place, reason, subject);
            return None;
        }
    };
    let mut groups: Vec<Vec<Answer>> = Vec::new();
    let mut lost = BTreeSet::new();
    let mut read = |text: &str, when: Vec<(String, Value)>, book: &mut Book| {
        let read = replies::read(text, &stars, script, &mut |reason| {
            book.remark(place, reason, format!("{subject} - {text}"));
        });
        match read {
            Ok(answers) => Some(
                answers
                    .into_iter()
                    .map(|one| Answer { when: when.clone(), ..one })
                    .collect::<Vec<_>>(),
            ),
            Err(reason) => {
                lost.insert(reason);
                book.remark(place, reason, format!("{subject} - {text}"));
                None
            }
        }
    };
    for condition in &trigger.conditions {
        match replies::condition(condition, &stars) {
            Ok((when, text)) => groups.extend(read(&text, vec![when], book)),
            Err(reason) => book.remark(place, reason, format!("{subject} * {condition}")),
        }
    }
    let redirect = trigger.redirect.iter().map(|to| format!("{{@{to}}}"));
    let all: Vec<String> = redirect.chain(trigger.replies.iter().cloned()).collect();
    let answers: Vec<Answer> =
        all.iter().filter_map(|text| read(text, vec![], book)).flatten().collect();
    if !answers.is_empty() {
        groups.push(answers);
    }
    if groups.is_empty() {
        if lost.is_empty() {
            book.remark(place, Reason::Empty, subject);
        }
        return None;
    }
    let when = topic(&trigger.topic, script);
    let after = trigger.previous.as_ref().filter(|one| one.trim() != "*");
    let after = after.map(|one| previous.number(&substituted(one, &script.subs)));
    let rule = Rule::new(place.clone(), &subject).with(key, Value::text(sentence));
    let section = if trigger.topic == RANDOM { String::new() } else { trigger.topic.clone() };
    let section = if section.is_empty() { "rules".to_owned() } else { format!("topic {section}") };
    Some(Unit { rule, section, when, after, answers: groups })
}

/// The restriction to a topic and to those that include or inherit it.
fn topic(name: &str, script: &Script) -> Vec<(String, Value)> {
    if !script.has_topics() {
        return Vec::new();
    }
    let mut topics = BTreeMap::from([(name.to_owned(), ())]);
    loop {
        let more: Vec<String> = script
            .topics
            .iter()
            .filter(|(one, above)| {
                !topics.contains_key(*one) && above.iter().any(|above| topics.contains_key(above))
            })
            .map(|(one, _)| one.clone())
            .collect();
        if more.is_empty() {
            break;
        }
        topics.extend(more.into_iter().map(|one| (one, ())));
    }
    let mut values: Vec<String> = topics.into_keys().collect();
    if values.iter().any(|one| one == RANDOM) {
        values.insert(0, String::new());
    }
    vec![("topic".to_owned(), Value::texts(values))]
}
