//! AIML 1 and 2: categories of patterns and templates.

mod order;
mod patterns;
mod templates;
mod tree;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crate::answers::{self, Unit};
use crate::book::{Book, Rule, Value};
use crate::names::{self, Ids};
use crate::previous::Previous;
use crate::remark::{Place, Reason};
use crate::{ImportError, Input};

use patterns::{Sentence, Word};
use tree::Node;

/// A category.
pub(crate) struct Category {
    place: Place,
    pattern: Sentence,
    that: Option<Sentence>,
    topic: Option<Sentence>,
    template: Vec<Node>,
}

/// Reads the files together: the categories of all of them are one graph.
pub(crate) fn read(inputs: &[&Input], book: &mut Book) -> Result<(), ImportError> {
    let mut found = Vec::new();
    for input in inputs {
        tree::read(input, book, &mut found)?;
    }
    let mut categories = without_replaced(found, book);
    categories.sort_by_cached_key(order::key);
    let fixed = templates::Fixed::of(&categories);
    let mut previous = Previous::default();
    let mut units = Vec::new();
    let sections = categories.len() > 200;
    let mut properties = BTreeMap::new();
    for category in &categories {
        let unit = unit(category, &fixed, &mut previous, &mut properties, book);
        units.extend(unit.map(|mut unit| {
            unit.section = if sections { section(&category.pattern) } else { String::new() };
            unit
        }));
    }
    for (name, place) in &properties {
        book.vars.entry(name.clone()).or_default();
        book.remark(place, Reason::Unset, name.clone());
    }
    if categories.iter().any(|one| one.pattern.is_latin()) {
        spellings(&Heard::of(&categories), book);
    }
    answers::write(units, &previous, &mut Ids::default(), spoken, book);
    Ok(())
}

/// Of the categories of one sentence the last one counts, as in the original.
fn without_replaced(found: Vec<Category>, book: &mut Book) -> Vec<Category> {
    let mut last: HashMap<String, usize> = HashMap::new();
    for (number, category) in found.iter().enumerate() {
        last.insert(category.path(), number);
    }
    let mut kept = Vec::new();
    for (number, category) in found.into_iter().enumerate() {
        if last.get(&category.path()) == Some(&number) {
            kept.push(category);
        } else {
            book.remark(&category.place, Reason::Replaced, category.pattern.to_string());
        }
    }
    kept
}

impl Category {
    /// Pattern, that and topic.
    fn path(&self) -> String {
        let shown = |one: &Option<Sentence>| one.as_ref().map_or("*".into(), Sentence::to_string);
        format!("{} <that> {} <topic> {}", self.pattern, shown(&self.that), shown(&self.topic))
    }
}

/// The sentences of an answer that a `<that>` may name: all of it, and the last sentence.
fn spoken(text: &str) -> Vec<String> {
    let spelled = patterns::spelled_out(text);
    let ends = |c: char| matches!(c, '.' | '!' | '?' | '。' | '！' | '？');
    let last = spelled.trim_end_matches(|c: char| ends(c) || c.is_whitespace()).rsplit(ends).next();
    let last = last.unwrap_or_default().to_owned();
    if last.trim() == spelled.trim() { vec![spelled] } else { vec![spelled, last] }
}

/// The title above the rules that begin with the same letter.
fn section(pattern: &Sentence) -> String {
    match pattern.first_letter() {
        None if pattern.begins_first() => "before the others".to_owned(),
        None => "everything else".to_owned(),
        Some(letter) if letter.is_alphabetic() => letter.to_uppercase().to_string(),
        Some(_) => "numbers and signs".to_owned(),
    }
}

/// The words that patterns wait for.
struct Heard<'c> {
    words: BTreeSet<&'c str>,
    /// Whether a wildcard takes any other words.
    takes_any: bool,
    /// Whether a pattern has more than one word.
    has_several: bool,
}

impl<'c> Heard<'c> {
    fn of(categories: &'c [Category]) -> Self {
        let mut heard = Self { words: BTreeSet::new(), takes_any: false, has_several: false };
        for sentence in categories.iter().map(|category| &category.pattern) {
            heard.has_several |= sentence.words().len() > 1;
            for word in sentence.words() {
                match word {
                    Word::Text(text) | Word::First(text) => drop(heard.words.insert(text)),
                    _ => heard.takes_any = true,
                }
            }
        }
        heard
    }

    /// Whether a message with these words may be answered otherwise than one without them.
    fn hears(&self, words: &str) -> bool {
        self.takes_any || words.split(' ').all(|word| self.words.contains(word))
    }
}

/// Interpreters of AIML write contractions out and drop commas before they compare. Spellings that no pattern can notice
/// are left out.
fn spellings(heard: &Heard<'_>, book: &mut Book) {
    const WHO: &str = "what|who|where|when|how|that|there|here|it|he|she";
    let forms = [
        (format!("(?<word>{WHO})['’]s"), "{word} is", "is"),
        ("(?<word>i)['’]m".to_owned(), "{word} am", "i am"),
        ("(?<word>you|we|they)['’]re".to_owned(), "{word} are", "are"),
        ("(?<word>i|you|we|they)['’]ve".to_owned(), "{word} have", "have"),
        ("(?<word>i|you|he|she|it|we|they)['’]ll".to_owned(), "{word} will", "will"),
        ("can['’]t".to_owned(), "can not", "can not"),
        ("won['’]t".to_owned(), "will not", "will not"),
        (
            "(?<word>do|does|did|is|are|was|were|have|has|had|could|would|should|must)n['’]t"
                .to_owned(),
            "{word} not",
            "not",
        ),
    ];
    let place = Place::default();
    for (form, written, _) in forms.into_iter().filter(|(_, _, words)| heard.hears(words)) {
        let rule = Rule::new(place.clone(), written)
            .with("regex", Value::text(format!(r"^(?<before>|.*\W){form}(?<after>|\W.*)$")))
            .with("answer_as", Value::text(format!("{{before}}{written}{{after}}")));
        book.section("spellings").rules.push(rule);
    }
    if !heard.takes_any && !heard.has_several {
        return;
    }
    let rule = Rule::new(place, ",")
        .with("regex", Value::text(r"^(?<before>.*\w)\s*[,;:]\s*(?<after>\w.*)$"))
        .with("answer_as", Value::text("{before} {after}"));
    book.section("spellings").rules.push(rule);
}

/// A category with its answers; losses are remarked.
fn unit(
    category: &Category,
    fixed: &templates::Fixed<'_>,
    previous: &mut Previous,
    properties: &mut BTreeMap<String, Place>,
    book: &mut Book,
) -> Option<Unit> {
    let place = &category.place;
    let subject = category.pattern.to_string();
    let (key, sentence, stars) = match category.pattern.condition() {
        Ok(condition) => condition,
        Err(reason) => {
            book.remark(place, reason, subject);
            return None;
        }
    };
    let mut when = Vec::new();
    if let Some(topic) = &category.topic {
        let Some(text) = topic.plain() else {
            book.remark(place, Reason::Topic, format!("{subject} <topic> {topic}"));
            return None;
        };
        when.push(("topic".to_owned(), Value::Text(names::template(&text))));
    }
    let read = templates::read(&category.template, &stars, fixed);
    for reason in &read.remarks {
        book.remark(place, *reason, subject.clone());
    }
    for name in &read.properties {
        properties.entry(name.clone()).or_insert_with(|| place.clone());
    }
    let groups = match read.groups {
        Ok(groups) => groups,
        Err(reason) => {
            book.remark(place, reason, subject);
            return None;
        }
    };
    let after = category.that.as_ref().map(|that| previous.number(&that.to_string()));
    let rule = Rule::new(place.clone(), &subject).with(key, Value::text(sentence));
    Some(Unit { rule, section: String::new(), when, after, answers: groups })
}
