//! YAML as a tree with lines, within limits. Anchors and aliases are refused: a few of them can stand for billions of nodes.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::{ImportError, Input};

/// Nodes may be nested so deep.
const DEPTH: usize = 64;

/// A file may have so many nodes.
const NODES: usize = 4_000_000;

/// A node with its line, from 1.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Yaml,
}

/// The value of a node.
#[derive(Debug, Clone)]
pub(crate) enum Yaml {
    /// A text, a number, a truth value: as written.
    Scalar(String),
    /// Nothing, `~` or `null`.
    Null,
    List(Vec<Node>),
    Map(Vec<(String, Node)>),
}

impl Node {
    /// The value of a key.
    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entries().iter().find(|entry| entry.0 == key).map(|entry| &entry.1)
    }

    /// The entries of a map; nothing for another node.
    pub(crate) fn entries(&self) -> &[(String, Self)] {
        if let Yaml::Map(entries) = &self.value { entries } else { &[] }
    }

    /// The items of a list; a single value is a list of one.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Yaml::List(items) => items,
            Yaml::Null => &[],
            Yaml::Scalar(_) | Yaml::Map(_) => std::slice::from_ref(self),
        }
    }

    pub(crate) fn text(&self) -> Option<&str> {
        if let Yaml::Scalar(text) = &self.value { Some(text) } else { None }
    }
}

/// A list or map whose end was not read yet.
struct Open {
    line: usize,
    is_map: bool,
    key: Option<String>,
    items: Vec<Node>,
    entries: Vec<(String, Node)>,
}

/// Reads the first document of a file.
pub(crate) fn read(input: &Input) -> Result<Node, ImportError> {
    let mut open: Vec<Open> = Vec::new();
    let mut nodes = 0;
    for event in Parser::new_from_str(input.text()?) {
        let (event, span) = event.map_err(|error| {
            input.bad(error.marker().line(), format!("not YAML: {}", error.info()))
        })?;
        let line = line_of(&span);
        let done = match event {
            Event::Alias(_) => return Err(input.bad(line, "aliases (`*name`) are not read")),
            Event::Scalar(text, style, ..) => Some(scalar(&text, style, line)),
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                if open.len() >= DEPTH {
                    return Err(input.bad(line, format!("nested more than {DEPTH} deep")));
                }
                let is_map = matches!(event, Event::MappingStart(..));
                open.push(Open { line, is_map, key: None, items: vec![], entries: vec![] });
                None
            }
            Event::SequenceEnd | Event::MappingEnd => open.pop().map(close),
            _ => None,
        };
        let Some(node) = done else { continue };
        nodes += 1;
        if nodes > NODES {
            return Err(input.bad(line, format!("more than {NODES} values")));
        }
        match open.last_mut() {
            None => return Ok(node),
            Some(last) => add(last, node),
        }
    }
    Ok(Node { line: 1, value: Yaml::Null })
}

fn line_of(span: &Span) -> usize {
    span.start.line().max(1)
}

fn scalar(text: &str, style: ScalarStyle, line: usize) -> Node {
    let is_null =
        style == ScalarStyle::Plain && matches!(text, "" | "~" | "null" | "Null" | "NULL");
    Node { line, value: if is_null { Yaml::Null } else { Yaml::Scalar(text.to_owned()) } }
}

fn close(open: Open) -> Node {
    let value = if open.is_map { Yaml::Map(open.entries) } else { Yaml::List(open.items) };
    Node { line: open.line, value }
}

/// Adds a node to the list or map that is open. A key that is not a text becomes an empty one.
fn add(open: &mut Open, node: Node) {
    if !open.is_map {
        open.items.push(node);
        return;
    }
    match open.key.take() {
        None => open.key = Some(node.text().unwrap_or_default().to_owned()),
        Some(key) => open.entries.push((key, node)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_text(text: &str) -> Result<Node, ImportError> {
        read(&Input { name: "a.yml".into(), bytes: text.as_bytes().to_vec(), found: false })
    }

    #[test]
    fn a_tree_knows_its_lines() {
        let tree = read_text("a:\n- b\n- 'null'\n- null\nc: {d: 5}\n").expect("YAML");
        let items = tree.get("a").expect("a").items();
        assert_eq!((items[0].text(), items[0].line), (Some("b"), 2));
        assert_eq!((items[1].text(), items[2].text()), (Some("null"), None));
        assert_eq!(tree.get("c").and_then(|c| c.get("d")).and_then(Node::text), Some("5"));
    }

    #[test]
    fn bombs_are_refused() {
        let aliases = "a: &a [x, x]\nb: &b [*a, *a]\n";
        assert!(read_text(aliases).unwrap_err().to_string().contains("aliases"));
        let deep = "[".repeat(100_000);
        assert!(read_text(&deep).is_err());
        assert!(read_text("a: [b\nc: {").is_err());
        assert!(read_text("\u{0}\u{1}").is_err());
    }
}
