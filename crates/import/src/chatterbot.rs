//! Conversations of ChatterBot: each sentence is an answer to the one before it.

use std::collections::{HashMap, HashSet};

use crate::book::{Book, Rule, Value};
use crate::remark::{Place, Reason};
use crate::yaml::{self, Node, Yaml};
use crate::{ImportError, Input, names};

/// A question: its place, its answers, and its title.
struct Question {
    place: Place,
    text: String,
    answers: Vec<String>,
    section: String,
}

/// Reads the files: a sentence that occurs several times has the answers of all of its places.
pub(crate) fn read(inputs: &[&Input], book: &mut Book) -> Result<(), ImportError> {
    let mut questions: Vec<Question> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut said: HashSet<(usize, String)> = HashSet::new();
    for input in inputs {
        let tree = yaml::read(input)?;
        let section = tree.get("categories").map(Node::items).unwrap_or_default();
        let section: Vec<&str> = section.iter().filter_map(Node::text).collect();
        let section = section.join(", ");
        for conversation in tree.get("conversations").map(Node::items).unwrap_or_default() {
            let Yaml::List(sentences) = &conversation.value else {
                let place = book.item(input.name.as_str(), conversation.line);
                book.remark(&place, Reason::Form, text_of(conversation));
                continue;
            };
            for pair in sentences.windows(2) {
                let place = book.item(input.name.as_str(), pair[0].line);
                let (question, answer) = (text_of(&pair[0]), text_of(&pair[1]));
                if names_nothing(&question) || answer.trim().is_empty() {
                    book.remark(&place, Reason::Empty, format!("{question} → {answer}"));
                    continue;
                }
                let next = questions.len();
                let number = *known.entry(question.trim().to_lowercase()).or_insert(next);
                if number == next {
                    let section = section.clone();
                    let text = question.trim().to_owned();
                    questions.push(Question { place, text, answers: vec![], section });
                }
                if said.insert((number, answer.clone())) {
                    questions[number].answers.push(answer);
                }
            }
        }
    }
    for question in questions {
        let replies = question.answers.iter().map(|answer| names::template(answer.trim()));
        let replies: Vec<String> = replies.collect();
        let key = if replies.len() == 1 { "reply" } else { "reply_one_of" };
        let rule = Rule::new(question.place, &question.text)
            .with("exact", Value::text(question.text))
            .with(key, Value::texts(replies));
        book.section(&question.section).rules.push(rule);
    }
    Ok(())
}

/// A sentence; newer files write it as a map with `text`.
fn text_of(node: &Node) -> String {
    node.text().or_else(|| node.get("text").and_then(Node::text)).unwrap_or_default().to_owned()
}

/// Whether a question has no letter or digit that could be compared.
fn names_nothing(question: &str) -> bool {
    question.trim().is_empty()
}
