//! Reads patterns.

use std::ops::Range;
use std::sync::Arc;

use super::{
    HoleKind, MAX_DEPTH, MAX_LENGTH, Node, Pattern, PatternError, PatternErrorKind as Kind,
    captures_of,
};
use crate::template::is_name;
use crate::{List, Lists};

/// Reads a pattern; the first mistake ends it.
pub(super) fn parse(source: &str, lists: &Lists) -> Result<Pattern, PatternError> {
    if source.chars().count() > MAX_LENGTH {
        return Err(error(Kind::TooLong, 0..source.len()));
    }
    let mut parser = Parser { source, lists, at: 0, depth: 0 };
    let nodes = parser.sequence("")?;
    if let Some('|') = parser.peek() {
        return Err(error(Kind::BarOutside, parser.at..parser.at + 1));
    }
    if let Some(c) = parser.peek() {
        return Err(error(Kind::Unopened(c), parser.at..parser.at + c.len_utf8()));
    }
    if nodes.iter().all(may_be_missing) {
        return Err(error(Kind::FitsNothing, 0..source.len()));
    }
    if borders(&nodes).holes_meet {
        return Err(error(Kind::HolesMeet, 0..source.len()));
    }
    Ok(Pattern { nodes })
}

fn error(kind: Kind, span: Range<usize>) -> PatternError {
    PatternError { span, kind }
}

struct Parser<'s> {
    source: &'s str,
    lists: &'s Lists,
    at: usize,
    depth: usize,
}

impl<'s> Parser<'s> {
    fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// Nodes up to one of the characters in `ends`, which is left in place.
    fn sequence(&mut self, ends: &str) -> Result<Vec<Node>, PatternError> {
        let mut nodes = Vec::new();
        let mut text = String::new();
        while let Some(c) = self.peek() {
            if matches!(c, '{' | '}') && self.rest()[1..].starts_with(c) {
                text.push(c);
                self.at += 2;
            } else if ends.contains(c) || matches!(c, '}' | ']' | ')' | '|') {
                break;
            } else if let Some((node, length)) = self.one_of() {
                flush(&mut text, &mut nodes);
                nodes.push(node);
                self.at += length;
            } else if matches!(c, '{' | '[' | '(') {
                flush(&mut text, &mut nodes);
                self.bracket(c, &mut nodes)?;
            } else {
                text.push(c);
                self.at += c.len_utf8();
            }
        }
        flush(&mut text, &mut nodes);
        Ok(nodes)
    }

    fn bracket(&mut self, open: char, nodes: &mut Vec<Node>) -> Result<(), PatternError> {
        let start = self.at;
        let node = match open {
            '{' => self.hole()?,
            '[' => optional(self.inner(&['[', ']'])?),
            _ => Node::Either(self.inner(&['(', ')'])?),
        };
        let known = captures_of(nodes);
        let of_node = captures_of(std::slice::from_ref(&node));
        if let Some(name) = of_node.keys().find(|name| known.contains_key(*name)) {
            return Err(error(Kind::SameName((*name).to_owned()), start..self.at));
        }
        nodes.push(node);
        let from = nodes.len().saturating_sub(2);
        // Only certain mistakes here, for an exact place; ways through missing parts are looked at in the end.
        if let [Node::Hole { kind: HoleKind::Text, .. }, Node::Hole { kind: HoleKind::Text, .. }] =
            &nodes[from..]
        {
            return Err(error(Kind::HolesMeet, start..self.at));
        }
        Ok(())
    }

    /// The contents of brackets: branches between bars.
    fn inner(&mut self, [open, close]: &[char; 2]) -> Result<Vec<Vec<Node>>, PatternError> {
        let start = self.at;
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(error(Kind::TooDeep, start..start + 1));
        }
        let ends = if *open == '(' { "|)" } else { "|]" };
        let mut branches = Vec::new();
        loop {
            self.at += 1;
            let from = self.at;
            let branch = self.sequence(ends)?;
            match self.peek() {
                None => return Err(error(Kind::Unclosed(*open), start..start + 1)),
                Some(c) if !ends.contains(c) => {
                    return Err(error(Kind::Unopened(c), self.at..self.at + c.len_utf8()));
                }
                Some(_) if branch.iter().all(is_blank) => {
                    return Err(error(Kind::Nothing, from..self.at + 1));
                }
                Some(c) => {
                    branches.push(branch);
                    if c == *close {
                        break;
                    }
                }
            }
        }
        self.at += 1;
        self.depth -= 1;
        Ok(branches)
    }

    /// `<name>` of a list, and its length.
    fn one_of(&self) -> Option<(Node, usize)> {
        let inside = self.rest().strip_prefix('<')?;
        let end = inside.find('>')?;
        let name = inside[..end].trim();
        let list = self.lists.get(name)?;
        Some((Node::OneOf { name: name.to_owned(), list: Arc::clone(list) }, end + 2))
    }

    /// The kind that is written behind the colon of a hole.
    fn kind(&self, written: &str) -> Result<HoleKind, Kind> {
        let list = match written {
            "int" => return Ok(HoleKind::Int),
            "number" => return Ok(HoleKind::Number),
            _ if written.contains('|') => {
                let mut items = written.split('|').map(str::trim);
                if items.clone().any(str::is_empty) {
                    return Err(Kind::Nothing);
                }
                Arc::new(List::new(items.by_ref().map(str::to_owned)))
            }
            _ => match self.lists.get(written) {
                Some(list) => Arc::clone(list),
                None => return Err(Kind::UnknownKind(written.to_owned())),
            },
        };
        Ok(HoleKind::OneOf { written: written.to_owned(), list })
    }

    /// `{name}` or `{name:int}`, from the opening brace.
    fn hole(&mut self) -> Result<Node, PatternError> {
        let start = self.at;
        let Some(length) = self.rest().find('}') else {
            return Err(error(Kind::Unclosed('{'), start..start + 1));
        };
        let inside = &self.rest()[1..length];
        self.at += length + 1;
        let (name, kind) = match inside.split_once(':') {
            None => (inside.trim(), HoleKind::Text),
            Some((name, kind)) => {
                let kind = self.kind(kind.trim()).map_err(|kind| error(kind, start..self.at))?;
                (name.trim(), kind)
            }
        };
        match name {
            "" => Err(error(Kind::NoName, start..self.at)),
            // A dot belongs to variables.
            name if !is_name(name) || name.contains('.') => {
                Err(error(Kind::BadName(name.to_owned()), start..self.at))
            }
            name => Ok(Node::Hole { name: name.to_owned(), kind }),
        }
    }
}

/// `[a|b]` is `[(a|b)]`.
fn optional(mut branches: Vec<Vec<Node>>) -> Node {
    let only = if branches.len() == 1 { branches.pop() } else { None };
    Node::Optional(only.unwrap_or_else(|| vec![Node::Either(branches)]))
}

fn flush(text: &mut String, nodes: &mut Vec<Node>) {
    if !text.is_empty() {
        nodes.push(Node::Text(std::mem::take(text)));
    }
}

fn is_blank(node: &Node) -> bool {
    matches!(node, Node::Text(text) if text.trim().is_empty())
}

fn may_be_missing(node: &Node) -> bool {
    match node {
        Node::Text(text) => text.trim().is_empty(),
        Node::Hole { .. } | Node::OneOf { .. } => false,
        Node::Optional(_) => true,
        Node::Either(branches) => branches.iter().any(|branch| branch.iter().all(may_be_missing)),
    }
}

/// How a sequence can begin and end, for telling whether holes can meet.
#[derive(Default)]
struct Borders {
    begins_with_hole: bool,
    ends_with_hole: bool,
    may_be_missing: bool,
    holes_meet: bool,
}

fn borders(nodes: &[Node]) -> Borders {
    let mut all = Borders { may_be_missing: true, ..Borders::default() };
    for node in nodes {
        let next = borders_of(node);
        all.holes_meet |= next.holes_meet || (all.ends_with_hole && next.begins_with_hole);
        all.begins_with_hole |= all.may_be_missing && next.begins_with_hole;
        all.ends_with_hole = next.ends_with_hole || (next.may_be_missing && all.ends_with_hole);
        all.may_be_missing &= next.may_be_missing;
    }
    all
}

fn borders_of(node: &Node) -> Borders {
    match node {
        // A space is enough between holes, so a blank text separates as words do.
        Node::Text(_) => Borders::default(),
        // The end of a number or of an item is known by itself.
        Node::OneOf { .. }
        | Node::Hole { kind: HoleKind::Int | HoleKind::Number | HoleKind::OneOf { .. }, .. } => {
            Borders::default()
        }
        Node::Hole { kind: HoleKind::Text, .. } => {
            Borders { begins_with_hole: true, ends_with_hole: true, ..Borders::default() }
        }
        Node::Optional(inner) => Borders { may_be_missing: true, ..borders(inner) },
        Node::Either(branches) => branches.iter().fold(Borders::default(), |all, branch| {
            let one = borders(branch);
            Borders {
                begins_with_hole: all.begins_with_hole || one.begins_with_hole,
                ends_with_hole: all.ends_with_hole || one.ends_with_hole,
                may_be_missing: all.may_be_missing || one.may_be_missing,
                holes_meet: all.holes_meet || one.holes_meet,
            }
        }),
    }
}
