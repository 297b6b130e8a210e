//! Reads the lines of RiveScript.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::RANDOM;
use crate::book::Book;
use crate::remark::{Place, Reason};

/// A trigger with its answers.
#[derive(Debug, Clone)]
pub(crate) struct Trigger {
    pub(crate) place: Place,
    pub(crate) topic: String,
    /// Without its weight.
    pub(crate) pattern: String,
    pub(crate) weight: u32,
    pub(crate) previous: Option<String>,
    pub(crate) replies: Vec<String>,
    pub(crate) conditions: Vec<String>,
    pub(crate) redirect: Option<String>,
}

/// All that the files say.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) vars: BTreeMap<String, String>,
    pub(crate) globals: BTreeMap<String, String>,
    pub(crate) arrays: BTreeMap<String, Vec<String>>,
    /// Words, their replacement, and the place.
    pub(crate) subs: Vec<(String, String, Place)>,
    pub(crate) persons: usize,
    pub(crate) triggers: Vec<Trigger>,
    pub(crate) begin: Vec<Trigger>,
    /// The topics that each topic includes or inherits.
    pub(crate) topics: BTreeMap<String, Vec<String>>,
}

/// A line: its sign, the text behind it with the lines that continue it, and its number.
struct Line {
    sign: char,
    text: String,
    number: usize,
}

/// The place in the file while it is read.
struct Reading {
    file: Arc<str>,
    topic: String,
    in_begin: bool,
}

impl Script {
    /// Whether any trigger is in a topic of its own.
    pub(crate) fn has_topics(&self) -> bool {
        self.triggers.iter().any(|trigger| trigger.topic != RANDOM)
    }

    /// Reads a file.
    pub(crate) fn add(&mut self, file: &str, text: &str, book: &mut Book) {
        let mut reading = Reading { file: file.into(), topic: RANDOM.to_owned(), in_begin: false };
        for line in lines(text, file, book) {
            let place = Place::new(Arc::clone(&reading.file), line.number);
            match line.sign {
                '!' => self.define(&line.text, place, book),
                '>' => self.open(&line.text, &mut reading),
                '<' => {
                    reading.topic = RANDOM.to_owned();
                    reading.in_begin = false;
                }
                '+' => {
                    let (pattern, weight) = without_weight(&line.text.to_lowercase());
                    let trigger = Trigger {
                        place,
                        topic: reading.topic.clone(),
                        pattern,
                        weight,
                        previous: None,
                        replies: vec![],
                        conditions: vec![],
                        redirect: None,
                    };
                    self.block(&reading).push(trigger);
                }
                _ => {
                    let Some(last) = self.block(&reading).last_mut() else { continue };
                    match line.sign {
                        '%' => last.previous = Some(line.text.to_lowercase()),
                        '-' => last.replies.push(line.text),
                        '*' => last.conditions.push(line.text),
                        '@' => last.redirect = Some(line.text),
                        _ => {}
                    }
                }
            }
        }
    }

    fn block(&mut self, reading: &Reading) -> &mut Vec<Trigger> {
        if reading.in_begin { &mut self.begin } else { &mut self.triggers }
    }

    /// `! type name = value`.
    fn define(&mut self, text: &str, place: Place, book: &mut Book) {
        let (left, value) = text.split_once('=').unwrap_or((text, ""));
        let value = value.trim();
        let (kind, name) = left.trim().split_once(char::is_whitespace).unwrap_or((left.trim(), ""));
        let name = name.trim().to_owned();
        let plain = value.replace(CONTINUED, "");
        match kind {
            "version" | "local" => {}
            "var" => drop(self.vars.insert(name, plain)),
            "global" => drop(self.globals.insert(name, plain)),
            "array" => drop(self.arrays.insert(name, items(value))),
            "sub" if !name.is_empty() => self.subs.push((name.to_lowercase(), plain, place)),
            "person" => self.persons += 1,
            _ => {
                let place = book.item(place.file, place.line);
                book.remark(&place, Reason::Form, format!("! {text}"));
            }
        }
    }

    /// `> begin`, `> topic name includes a inherits b`.
    fn open(&mut self, text: &str, reading: &mut Reading) {
        let mut words = text.split_whitespace();
        match words.next() {
            Some("begin") => reading.in_begin = true,
            Some("topic") => {
                let name = words.next().unwrap_or(RANDOM).to_owned();
                let above = words.filter(|word| !matches!(*word, "includes" | "inherits"));
                let topics = self.topics.entry(name.clone()).or_default();
                topics.extend(above.map(str::to_owned));
                reading.topic = name;
            }
            _ => {}
        }
    }
}

/// Separates the lines of a list.
const CONTINUED: &str = "<crlf>";

/// The items of an array: with `|` between them, else with blanks.
fn items(value: &str) -> Vec<String> {
    let mut items = Vec::new();
    for line in value.split(CONTINUED) {
        let of_line: Vec<&str> = if line.contains('|') {
            line.split('|').collect()
        } else {
            line.split_whitespace().collect()
        };
        let of_line = of_line.into_iter().map(|item| item.replace("\\s", " ").trim().to_owned());
        items.extend(of_line.filter(|item| !item.is_empty()));
    }
    items
}

/// A trigger without `{weight=n}`, and n.
pub(super) fn without_weight(text: &str) -> (String, u32) {
    let Some(begin) = text.find("{weight=") else { return (squeezed(text), 1) };
    let Some(length) = text[begin..].find('}') else { return (squeezed(text), 1) };
    let number = text[begin + "{weight=".len()..begin + length].trim();
    let rest =
        format!("{} {}", &text[..begin].trim_end(), &text[begin + length + 1..].trim_start());
    (squeezed(&rest), number.parse().unwrap_or(1).clamp(1, 1_000_000))
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The lines with their continuations, without comments and code.
fn lines(text: &str, file: &str, book: &mut Book) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    let mut concat = "";
    let (mut in_comment, mut in_code) = (false, false);
    for (index, raw) in text.lines().enumerate() {
        let number = index + 1;
        let mut line = raw.trim();
        if in_code {
            in_code = !(line.starts_with('<') && line.contains("object"));
            continue;
        }
        if in_comment || line.starts_with("/*") {
            in_comment = !line.contains("*/");
            continue;
        }
        if let Some(at) = line.find(" // ") {
            line = line[..at].trim_end();
        }
        let mut chars = line.chars();
        let Some(sign) = chars.next().filter(|_| !line.starts_with("//")) else { continue };
        let rest = chars.as_str().trim();
        match sign {
            '>' if rest.starts_with("object") => {
                in_code = true;
                let place = book.item(file, number);
                book.remark(&place, Reason::Code, line);
            }
            '!' if rest.starts_with("local") && rest.contains("concat") => {
                concat = match rest.split_once('=').map(|(_, value)| value.trim()) {
                    Some("space") => " ",
                    Some("newline") => "\n",
                    _ => "",
                };
            }
            '^' => {
                let Some(last) = lines.last_mut() else { continue };
                last.text.push_str(if last.sign == '!' { CONTINUED } else { concat });
                last.text.push_str(rest);
            }
            '!' | '>' | '<' | '+' | '-' | '%' | '@' | '*' => {
                lines.push(Line { sign, text: rest.to_owned(), number });
            }
            _ => {
                let place = book.item(file, number);
                book.remark(&place, Reason::Unreadable, line);
            }
        }
    }
    lines
}
