//! Files of the plugins of CowAgent: keywords, welcomes, forbidden words.

use std::sync::Arc;

use serde_json::{Map, Value as Json};

use crate::book::{Book, Rule, Value};
use crate::json::{self, Keys};
use crate::names;
use crate::remark::{Place, Reason};
use crate::{ImportError, Input};

/// Reads the files; forbidden words (`banwords.txt`) are looked for first.
pub(crate) fn read(inputs: &[&Input], book: &mut Book) -> Result<(), ImportError> {
    let (words, others): (Vec<&Input>, Vec<&Input>) =
        inputs.iter().copied().partition(|input| input.extension() == "txt");
    for input in words {
        forbidden(input, book)?;
    }
    for input in others {
        let tree = json::read(input, book)?;
        let Some(tree) = tree.as_object() else {
            return Err(input.bad(1, "the settings of a plugin are an object"));
        };
        let keys = Keys::of(input.text()?);
        for (key, value, line) in keys.in_order(tree) {
            let place = Place::new(input.name.as_str(), line);
            match (key.as_str(), value) {
                ("keyword", Json::Object(all)) => keywords(all, &place, &keys, book),
                ("group_welc_fixed_msg", Json::Object(all)) => {
                    welcomes(all, &place, &keys, book);
                }
                (_, Json::String(text)) if key.ends_with("prompt") && !text.trim().is_empty() => {
                    let place = book.item(place.file, line);
                    book.remark(&place, Reason::Form, format!("{key}: {text}"));
                }
                _ => book.remark(&place, Reason::Options, key.as_str()),
            }
        }
    }
    Ok(())
}

/// A message with one of the words gets no answer.
fn forbidden(input: &Input, book: &mut Book) -> Result<(), ImportError> {
    let words: Vec<String> = input
        .text()?
        .lines()
        .map(str::trim)
        .filter(|word| !word.is_empty() && !word.starts_with('#'))
        .map(str::to_owned)
        .collect();
    if !words.is_empty() {
        let place = book.table(input.name.as_str(), 1, words.len());
        book.items += words.len();
        let rule = Rule::new(place, &input.name)
            .with("keyword", Value::texts(words))
            .with("silent", Value::Bool(true));
        book.section("words that get no answer").rules.push(rule);
    }
    Ok(())
}

/// `"keyword": { "question": "answer" }`; newer plugins write groups of keywords.
fn keywords(all: &Map<String, Json>, place: &Place, keys: &Keys<'_>, book: &mut Book) {
    for (question, answer, line) in keys.in_order(all) {
        let place = book.item(Arc::clone(&place.file), line);
        let questions = answer.get("keywords").map_or_else(|| vec![question.clone()], json::texts);
        let contains = answer.get("match_type").and_then(Json::as_str) == Some("contains");
        let answers = json::texts(answer.get("reply").unwrap_or(answer));
        let answers: Vec<String> =
            answers.into_iter().filter(|text| !text.trim().is_empty()).collect();
        if answers.is_empty() || questions.iter().all(|one| one.trim().is_empty()) {
            book.remark(&place, Reason::Empty, question.as_str());
            continue;
        }
        if answers.iter().any(|text| is_file(text)) {
            book.remark(&place, Reason::Address, question.as_str());
        }
        let texts: Vec<String> = answers.iter().map(|text| names::template(text)).collect();
        // Several answers are sent one after the other.
        let key = if texts.len() == 1 { "reply" } else { "reply_all_of" };
        let rule = Rule::new(place, question)
            .with(if contains { "keyword" } else { "exact" }, Value::texts(questions))
            .with(key, Value::texts(texts));
        book.section("").rules.push(rule);
    }
}

/// Whether an answer is the address of a picture or file.
fn is_file(answer: &str) -> bool {
    let ends = [
        ".jpg", ".webp", ".jpeg", ".png", ".gif", ".img", ".pdf", ".doc", ".docx", ".xls", ".xlsx",
        ".zip", ".rar", ".mp4",
    ];
    answer.starts_with("http") && ends.iter().any(|end| answer.ends_with(end))
}

/// `"group_welc_fixed_msg": { "group": "text" }`.
fn welcomes(all: &Map<String, Json>, place: &Place, keys: &Keys<'_>, book: &mut Book) {
    for (group, text, line) in keys.in_order(all) {
        let place = book.item(Arc::clone(&place.file), line);
        let text = text.as_str().unwrap_or_default().trim();
        if text.is_empty() {
            book.remark(&place, Reason::Empty, group.as_str());
            continue;
        }
        let reply = names::template(text).replace("{{nickname}}", "{joined}");
        let rule = Rule::new(place, group)
            .with("event", Value::text("join"))
            .with("groups", Value::texts(vec![group.clone()]))
            .with("reply", Value::text(reply));
        book.section("welcomes").rules.push(rule);
    }
}
