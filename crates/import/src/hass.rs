//! Sentences of Home Assistant: intents with templates, lists and expansion rules.
//!
//! A sentence runs the handler that has the name of its intent; the slots are captures, or `args` where the file gives
//! their values.

mod build;
mod emit;
mod lists;
mod resolve;
mod template;

use std::collections::{BTreeMap, BTreeSet};

use mynah_core::{sort_by_key, to_map};

use crate::book::{Book, Rule, Value};
use crate::names;
use crate::remark::{Place, Reason};
use crate::yaml::{self, Node};
use crate::{ImportError, Input};

/// All that the files say.
#[derive(Default)]
struct Sentences {
    rules: BTreeMap<String, String>,
    lists: BTreeMap<String, lists::List>,
    skip_words: Vec<String>,
    /// The texts of answers by intent and key.
    responses: BTreeMap<(String, String), String>,
    blocks: Vec<Block>,
    /// Whether blanks in templates do not count: in languages that are written without them.
    without_blanks: bool,
}

/// Some sentences of an intent that share their slots.
struct Block {
    intent: String,
    file: std::sync::Arc<str>,
    /// The sentences with their lines.
    sentences: Vec<(String, usize)>,
    slots: Vec<(String, String)>,
    rules: BTreeMap<String, String>,
    lists: BTreeMap<String, lists::List>,
    requires: Vec<(String, Vec<String>)>,
    excludes: Vec<(String, Vec<String>)>,
    /// Slots that the context gives.
    context_slots: Vec<String>,
    response: String,
}

/// Reads the files together: lists and expansion rules are for all of them.
pub(crate) fn read(inputs: &[&Input], book: &mut Book) -> Result<(), ImportError> {
    let mut all = Sentences::default();
    let mut trees = Vec::new();
    for input in inputs {
        let tree = yaml::read(input)?;
        // Lists may use the rules of any file.
        all.rules.extend(texts(tree.get("expansion_rules")));
        trees.push((tree, &input.name));
    }
    for (tree, file) in &trees {
        all.add(tree, file, book);
    }
    skip(&all.skip_words, book);
    build::build(&all, book);
    Ok(())
}

impl Sentences {
    fn add(&mut self, tree: &Node, file: &str, book: &mut Book) {
        let language = tree.get("language").and_then(Node::text).unwrap_or_default();
        self.without_blanks |= ["zh", "ja"].iter().any(|one| language.starts_with(one));
        for (name, list) in tree.get("lists").map(Node::entries).unwrap_or_default() {
            self.lists.insert(name.clone(), lists::read(list, &self.rules));
        }
        let words = tree.get("skip_words").map(Node::items).unwrap_or_default();
        self.skip_words.extend(words.iter().filter_map(Node::text).map(str::to_owned));
        let responses = tree.get("responses").and_then(|node| node.get("intents"));
        for (intent, keys) in responses.map(Node::entries).unwrap_or_default() {
            for (key, text) in texts(Some(keys)) {
                self.responses.insert((intent.clone(), key), text);
            }
        }
        for (intent, body) in tree.get("intents").map(Node::entries).unwrap_or_default() {
            for data in body.get("data").map(Node::items).unwrap_or_default() {
                self.blocks.push(block(intent, file, data, &self.rules));
            }
        }
        if tree.get("intents").is_none()
            && let Some(data) = tree.get("data")
        {
            // A newer form, in which the name of the folder is the intent.
            let place = book.item(file, data.line);
            book.remark(&place, Reason::Form, "data");
        }
    }
}

fn block(intent: &str, file: &str, data: &Node, rules: &BTreeMap<String, String>) -> Block {
    let sentences = data.get("sentences").map(Node::items).unwrap_or_default();
    let sentences = sentences.iter().filter_map(|one| Some((one.text()?.to_owned(), one.line)));
    let lists = data.get("lists").map(Node::entries).unwrap_or_default();
    let (mut requires, mut context_slots) = (Vec::new(), Vec::new());
    for (name, value) in data.get("requires_context").map(Node::entries).unwrap_or_default() {
        match value.get("slot") {
            Some(_) => context_slots.push(name.clone()),
            None => requires.push((name.clone(), values(value))),
        }
    }
    let excludes = data.get("excludes_context").map(Node::entries).unwrap_or_default();
    Block {
        intent: intent.to_owned(),
        file: file.into(),
        sentences: sentences.collect(),
        slots: texts(data.get("slots")).into_iter().collect(),
        rules: texts(data.get("expansion_rules")),
        lists: to_map(lists.iter().map(|(name, list)| (name.clone(), lists::read(list, rules)))),
        requires,
        excludes: excludes.iter().map(|(name, value)| (name.clone(), values(value))).collect(),
        context_slots,
        response: data.get("response").and_then(Node::text).unwrap_or("default").to_owned(),
    }
}

/// The texts of a map.
fn texts(node: Option<&Node>) -> BTreeMap<String, String> {
    let entries = node.map(Node::entries).unwrap_or_default();
    to_map(entries.iter().filter_map(|(name, one)| Some((name.clone(), one.text()?.to_owned()))))
}

/// The values of a condition: one, or several.
fn values(node: &Node) -> Vec<String> {
    let node = node.get("value").unwrap_or(node);
    node.items().iter().filter_map(Node::text).map(str::to_owned).collect()
}

/// Words that do not count are taken out of the message.
fn skip(words: &[String], book: &mut Book) {
    let mut words: BTreeSet<&str> = words.iter().map(|word| word.trim()).collect();
    words.remove("");
    if words.is_empty() {
        return;
    }
    let mut words: Vec<&str> = words.into_iter().collect();
    sort_by_key(&mut words, |word| std::cmp::Reverse(word.chars().count()));
    let words: Vec<String> =
        words.into_iter().map(|word| names::in_regex(word).replace(' ', r"\s+")).collect();
    let regex = format!(r"^(?<before>|.*\W)(?:{})(?<after>|\W.*)$", words.join("|"));
    let rule = Rule::new(Place::default(), "skip_words")
        .with("regex", Value::text(regex))
        .with("answer_as", Value::text("{before}{after}"));
    book.section("words that do not count").rules.push(rule);
}
