//! Rows of Koishi's dialogue plugin.

use std::collections::{HashMap, HashSet};

use serde_json::Value as Json;

use crate::book::{Book, Rule, Value};
use crate::json::{self, Lines};
use crate::names;
use crate::remark::{Place, Reason};
use crate::{ImportError, Input};

/// The bits of `flag`.
const FROZEN: u64 = 1;
const REGEXP: u64 = 2;
const CONTEXT: u64 = 4;
const SUBSTITUTE: u64 = 8;
const COMPLEMENT: u64 = 16;

/// How long a row may follow another if it does not say so.
const TIMEOUT: &str = "20s";

/// A row.
struct Row {
    place: Place,
    /// The conditions; rows with equal ones share a question.
    keys: Vec<(&'static str, Value)>,
    is_regex: bool,
    id: String,
    after: Vec<String>,
    within: String,
    /// The probability of this answer.
    weight: f64,
    messages: Vec<String>,
    answer_as: Option<String>,
    subject: String,
}

/// Reads the files: exact questions first, as the plugin prefers them.
pub(crate) fn read(inputs: &[&Input], book: &mut Book) -> Result<(), ImportError> {
    let mut rows = Vec::new();
    for input in inputs {
        let tree = json::read(input, book)?;
        let list = tree.as_array().or_else(|| tree.get("dialogue").and_then(Json::as_array));
        let Some(list) = list else {
            return Err(input.bad(1, "dialogues are a list of rows"));
        };
        let mut lines = Lines::of(input.text()?);
        for one in list {
            let question = text(one, "original").or_else(|| text(one, "question"));
            let line = lines.of_text(question.as_deref().unwrap_or_default());
            let place = book.item(input.name.as_str(), line);
            match row(one, place.clone(), book) {
                Ok(row) => rows.push(row),
                Err(reason) => book.remark(&place, reason, question.unwrap_or_default()),
            }
        }
    }
    let (exact, regex): (Vec<Row>, Vec<Row>) = rows.into_iter().partition(|row| !row.is_regex);
    let mut groups: Vec<Vec<Row>> = Vec::new();
    let mut places: HashMap<String, usize> = HashMap::new();
    for row in exact.into_iter().chain(regex) {
        let same = format!("{:?}{:?}", row.keys, row.after);
        let place = *places.entry(same).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.push(row),
            None => groups.push(vec![row]),
        }
    }
    write(&groups, book);
    Ok(())
}

fn text(row: &Json, key: &str) -> Option<String> {
    row.get(key).and_then(Json::as_str).map(str::to_owned).filter(|text| !text.trim().is_empty())
}

fn row(one: &Json, place: Place, book: &mut Book) -> Result<Row, Reason> {
    let question = text(one, "original").or_else(|| text(one, "question")).ok_or(Reason::Empty)?;
    let answer = text(one, "answer").ok_or(Reason::Empty)?;
    let flag = one.get("flag").and_then(Json::as_u64).unwrap_or_default();
    let number = |key: &str, default: f64| one.get(key).and_then(Json::as_f64).unwrap_or(default);
    let is_regex = flag & REGEXP != 0;
    let mut keys = vec![(if is_regex { "regex" } else { "exact" }, Value::text(question.trim()))];
    let (strict, called) = (number("probS", 1.0), number("probA", 0.0));
    let needs_call = strict == 0.0 && called > 0.0;
    if needs_call {
        keys.push(("at_me", Value::Bool(true)));
    }
    let guilds = list(one.get("guilds").or_else(|| one.get("groups")));
    if !guilds.is_empty() {
        book.remark(&place, Reason::Groups, guilds.join(", "));
        if flag & COMPLEMENT == 0 {
            keys.push(("groups", Value::texts(guilds)));
        }
    }
    if let Some(hours) = hours(one) {
        keys.push(("time", Value::text(hours)));
    }
    for (bit, reason) in
        [(FROZEN, Reason::Frozen), (CONTEXT, Reason::Context), (SUBSTITUTE, Reason::Options)]
    {
        if flag & bit != 0 {
            book.remark(&place, reason, question.as_str());
        }
    }
    let (messages, answer_as) = answered(&answer, is_regex)?;
    let timeout = one.get("successorTimeout").and_then(Json::as_u64).filter(|time| *time >= 1000);
    let id = |value: &Json| {
        value.as_u64().map(|id| id.to_string()).or_else(|| value.as_str().map(str::to_owned))
    };
    Ok(Row {
        place,
        keys,
        is_regex,
        id: one.get("id").and_then(id).unwrap_or_default(),
        after: list(one.get("predecessors")),
        within: timeout.map_or(TIMEOUT.to_owned(), |time| format!("{}s", time / 1000)),
        weight: if needs_call { called } else { strict }.clamp(0.0, 1.0),
        messages,
        answer_as,
        subject: question,
    })
}

/// The items of a list: as JSON, or as a database stores it, with commas between them.
fn list(value: Option<&Json>) -> Vec<String> {
    let texts = json::texts(value.unwrap_or(&Json::Null));
    let items = texts.iter().flat_map(|text| text.split(',')).map(str::trim);
    items.filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

/// The hours of a row, which are minutes of the day.
fn hours(one: &Json) -> Option<String> {
    let minutes = |key: &str| one.get(key).and_then(Json::as_u64).filter(|time| *time < 24 * 60);
    let (from, to) = (minutes("startTime")?, minutes("endTime").unwrap_or_default());
    let shown = |time: u64| format!("{:02}:{:02}", time / 60, time % 60);
    (from != to).then(|| format!("{}-{}", shown(from), shown(to)))
}

/// The messages of an answer, or the question that it leads to.
fn answered(answer: &str, is_regex: bool) -> Result<(Vec<String>, Option<String>), Reason> {
    if let Some(inside) = answer.trim().strip_prefix("$(dialogue ")
        && let Some(target) = inside.strip_suffix(')')
        && !target.contains('$')
    {
        return Ok((Vec::new(), Some(names::template(target.trim()))));
    }
    if answer.contains("[CQ:") || answer.contains("<image") || answer.contains("<img") {
        return Err(Reason::Media);
    }
    let mut messages = vec![String::new()];
    let mut rest = answer;
    while let Some(at) = rest.find('$') {
        let last = messages.len() - 1;
        messages[last].push_str(&names::template(&rest[..at]));
        let sign = rest[at + 1..].chars().next();
        let said = match sign {
            Some('$') => "$".to_owned(),
            Some('a') => "{at}".to_owned(),
            Some('A') => "@所有人 ".to_owned(),
            Some('s') => "{sender}".to_owned(),
            Some('m') => String::new(),
            Some('0') => "{text}".to_owned(),
            Some('(') => return Err(Reason::Code),
            Some(digit) if is_regex && digit.is_ascii_digit() => format!("{{{digit}}}"),
            Some('n') => {
                messages.push(String::new());
                String::new()
            }
            _ => {
                messages[last].push('$');
                rest = &rest[at + 1..];
                continue;
            }
        };
        let last = messages.len() - 1;
        messages[last].push_str(&said);
        rest = &rest[at + 1 + sign.map_or(0, char::len_utf8)..];
    }
    let last = messages.len() - 1;
    messages[last].push_str(&names::template(rest));
    let messages: Vec<String> = messages
        .into_iter()
        .map(|text| text.trim().to_owned())
        .filter(|text| !text.is_empty())
        .collect();
    if messages.is_empty() { Err(Reason::Empty) } else { Ok((messages, None)) }
}

/// Rows of one question: one of them is drawn, or none if their probabilities are less than 1 together.
fn write(groups: &[Vec<Row>], book: &mut Book) {
    let ids: HashSet<&str> =
        groups.iter().flatten().flat_map(|row| row.after.iter().map(String::as_str)).collect();
    let followed = |id: &str| ids.contains(id);
    for group in groups {
        let plain = group.iter().all(|row| row.messages.len() == 1 && row.answer_as.is_none());
        let together = plain && group.len() > 1 && !group.iter().any(|row| followed(&row.id));
        let total: f64 = group.iter().map(|row| row.weight).sum();
        let mut left = total.max(1.0);
        let parts: Vec<&[Row]> =
            if together { vec![group.as_slice()] } else { group.chunks(1).collect() };
        for part in parts {
            let first = &part[0];
            let weight: f64 = part.iter().map(|row| row.weight).sum();
            if weight <= 0.0 {
                book.remark(&first.place, Reason::Empty, first.subject.as_str());
                continue;
            }
            let mut rule = Rule::new(first.place.clone(), &first.subject);
            rule.keys.clone_from(&first.keys);
            if weight < left - 1e-9 {
                rule.put("chance", Value::Number(weight / left));
            }
            left -= weight;
            if !first.after.is_empty() {
                let ids = first.after.iter().map(|id| format!("q{id}")).collect();
                rule.put("after", Value::texts(ids));
                rule.put("within", Value::text(first.within.clone()));
            }
            if followed(&first.id) {
                rule.put("id", Value::text(format!("q{}", first.id)));
            }
            act(&mut rule, part);
            book.section("").rules.push(rule);
        }
    }
}

fn act(rule: &mut Rule, part: &[Row]) {
    let first = &part[0];
    if let Some(sentence) = &first.answer_as {
        rule.put("answer_as", Value::text(sentence.clone()));
    } else if part.len() == 1 {
        let key = if first.messages.len() == 1 { "reply" } else { "reply_all_of" };
        rule.put(key, Value::texts(first.messages.clone()));
    } else if part.iter().all(|row| (row.weight - first.weight).abs() < 1e-9) {
        let texts = part.iter().map(|row| Value::text(row.messages[0].clone()));
        rule.put("reply_one_of", Value::List(texts.collect()));
    } else {
        let weighted = |row: &Row| {
            #[expect(clippy::cast_possible_truncation, reason = "a probability of at most 1")]
            let weight = (row.weight * 1000.0).round() as i64;
            let text = Value::text(row.messages[0].clone());
            Value::Table(vec![("text".into(), text), ("weight".into(), Value::Int(weight))])
        };
        rule.put("reply_one_of", Value::List(part.iter().map(weighted).collect()));
    }
}
