//! Reads the XML of AIML within limits. Entities other than those of XML itself are not read: they can be bombs.

use std::sync::Arc;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::Category;
use super::patterns::Sentence;
use crate::book::Book;
use crate::remark::{Place, Reason};
use crate::{ImportError, Input};

/// Elements may be nested so deep.
const DEPTH: usize = 64;

/// The most categories of an import.
const CATEGORIES: usize = 1_000_000;

/// So many attributes of an element are read.
const MOST_ATTRIBUTES: usize = 20;

/// A part of a template.
#[derive(Debug, Clone)]
pub(crate) enum Node {
    Text(String),
    Element { name: String, attributes: Vec<(String, String)>, children: Vec<Node> },
}

impl Node {
    /// The attribute of an element.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        match self {
            Self::Text(_) => None,
            Self::Element { attributes, .. } => {
                attributes.iter().find(|one| one.0 == name).map(|one| one.1.as_str())
            }
        }
    }
}

/// An element whose end was not read yet.
struct Open {
    name: String,
    attributes: Vec<(String, String)>,
    children: Vec<Node>,
    line: usize,
}

/// Adds the categories of a file. A file that is not well-formed gives those before the mistake.
pub(super) fn read(
    input: &Input,
    book: &mut Book,
    found: &mut Vec<Category>,
) -> Result<(), ImportError> {
    let text = input.text()?;
    let file: Arc<str> = input.name.as_str().into();
    let lines = Lines::of(text);
    let mut reader = Reader::from_str(text);
    reader.config_mut().allow_dangling_amp = true;
    let mut open: Vec<Open> = Vec::new();
    loop {
        let line = lines.at(reader.buffer_position());
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(error) => {
                let place = book.item(file, line);
                book.remark(&place, Reason::Unreadable, format!("not well-formed: {error}"));
                return Ok(());
            }
        };
        match event {
            Event::Start(start) => {
                if open.len() >= DEPTH {
                    return Err(
                        input.bad(line, format!("elements are nested more than {DEPTH} deep"))
                    );
                }
                open.push(opened(&start, line));
            }
            Event::Empty(start) => {
                let one = opened(&start, line);
                close(one, &mut open, &file, book, found);
            }
            Event::End(_) => {
                if let Some(one) = open.pop() {
                    close(one, &mut open, &file, book, found);
                }
            }
            Event::Text(text) => add_text(&mut open, &text.into_inner()),
            Event::CData(text) => add_text(&mut open, &text.into_inner()),
            Event::GeneralRef(entity) => add_text(&mut open, &resolved(&entity.into_inner())),
            Event::DocType(doctype) if doctype.contains("<!ENTITY") => {
                return Err(input.bad(line, "entities (`<!ENTITY`) are not read"));
            }
            Event::Eof => {
                if let Some(one) = open.iter().find(|one| one.name == "category").or(open.first()) {
                    let place = book.item(file, one.line);
                    let words = format!("the file ends inside of <{}>", one.name);
                    book.remark(&place, Reason::Unreadable, words);
                }
                return Ok(());
            }
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
        if found.len() > CATEGORIES {
            return Err(input.bad(line, format!("more than {CATEGORIES} categories")));
        }
    }
}

/// The lines of a text by their places.
struct Lines {
    ends: Vec<u64>,
}

impl Lines {
    fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        Self { ends: ends.map(|(at, _)| at as u64).collect() }
    }

    fn at(&self, place: u64) -> usize {
        self.ends.partition_point(|end| *end < place) + 1
    }
}

fn opened(start: &BytesStart<'_>, line: usize) -> Open {
    let name = start.name().as_ref().to_lowercase();
    let mut attributes = Vec::new();
    for one in start.attributes().with_checks(false).flatten().take(MOST_ATTRIBUTES) {
        attributes.push((one.key.as_ref().to_lowercase(), decoded(&one.value)));
    }
    Open { name, attributes, children: Vec::new(), line }
}

/// A value with the entities of XML.
fn decoded(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = rest.find('&') {
        text.push_str(&rest[..at]);
        let end = rest[at..].find(';').map_or(rest.len(), |end| at + end);
        text.push_str(&resolved(rest.get(at + 1..end).unwrap_or_default()));
        rest = rest.get(end + 1..).unwrap_or_default();
    }
    text + rest
}

/// The text of an entity of XML or of a number; others stay as they are written.
fn resolved(entity: &str) -> String {
    let of_number = |digits: &str, radix| {
        u32::from_str_radix(digits, radix).ok().and_then(char::from_u32).map(String::from)
    };
    let number = match entity.strip_prefix("#x").or_else(|| entity.strip_prefix("#X")) {
        Some(digits) => of_number(digits, 16),
        None => entity.strip_prefix('#').and_then(|digits| of_number(digits, 10)),
    };
    match entity {
        "amp" => "&".into(),
        "lt" => "<".into(),
        "gt" => ">".into(),
        "quot" => "\"".into(),
        "apos" => "'".into(),
        "nbsp" => " ".into(),
        _ => number.unwrap_or_else(|| format!("&{entity};")),
    }
}

fn add_text(open: &mut [Open], text: &str) {
    let Some(last) = open.last_mut() else { return };
    match last.children.last_mut() {
        Some(Node::Text(before)) => before.push_str(text),
        _ => last.children.push(Node::Text(text.to_owned())),
    }
}

/// An element ends: a category is done, another one is a part of the element around it.
fn close(
    one: Open,
    open: &mut [Open],
    file: &Arc<str>,
    book: &mut Book,
    found: &mut Vec<Category>,
) {
    if one.name == "category" {
        let place = book.item(Arc::clone(file), one.line);
        let topic = open.iter().rev().find(|above| above.name == "topic");
        let topic = topic.and_then(|topic| topic.attributes.iter().find(|at| at.0 == "name"));
        match category(one, place.clone(), topic.map(|at| at.1.as_str())) {
            Ok(category) => found.push(category),
            Err(subject) => book.remark(&place, Reason::Empty, subject),
        }
        return;
    }
    // Between categories nothing is kept.
    if let Some(last) = open.last_mut()
        && !matches!(last.name.as_str(), "aiml" | "topic")
    {
        let Open { name, attributes, children, .. } = one;
        last.children.push(Node::Element { name, attributes, children });
    }
}

/// The parts of a category; the words of one without pattern or template.
fn category(one: Open, place: Place, topic: Option<&str>) -> Result<Category, String> {
    let (mut pattern, mut that, mut inner, mut template) = (None, None, None, None);
    for child in one.children {
        if let Node::Element { name, children, .. } = child {
            match name.as_str() {
                "pattern" => pattern = Some(Sentence::of(&children)),
                "that" => that = Some(Sentence::of(&children)),
                "topic" => inner = Some(Sentence::of(&children)),
                "template" => template = Some(children),
                _ => {}
            }
        }
    }
    let shown = pattern.as_ref().map_or("<category>".to_owned(), Sentence::to_string);
    let any = Sentence::of_text("*");
    let is_given = |one: &Sentence| *one != any && !one.to_string().is_empty();
    let topic = inner.or_else(|| topic.map(Sentence::of_text)).filter(is_given);
    match (pattern, template) {
        (Some(pattern), Some(template)) => {
            Ok(Category { place, pattern, that: that.filter(is_given), topic, template })
        }
        _ => Err(shown),
    }
}
