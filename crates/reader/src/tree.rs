//! From text to a tree in which every key and value knows its place, with every syntax error of the file.
//!
//! A file without syntax errors is parsed once. Otherwise the broken statements are examined one by one ([`repair`]),
//! repaired or blanked out, and the rest is parsed: so a syntax error hides no other mistake.

mod blame;
mod repair;
mod slip;
mod statement;
mod text;
mod typographic;

use std::collections::BTreeSet;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub use text::TextPlaces;

use crate::{Grammar, Syntax};

/// A parsed file.
#[derive(Debug)]
pub struct Parsed {
    /// Its tree, as far as it could be read.
    pub root: TableNode,
    /// Its syntax mistakes, with their places.
    pub problems: Vec<(Syntax, Range<usize>)>,
}

/// A value with its place.
#[derive(Debug, Clone)]
pub struct Node {
    /// Its place in bytes of the file; of a table with a header, the header.
    pub span: Range<usize>,
    /// The value.
    pub value: Value,
}

/// A value.
#[derive(Debug, Clone)]
pub enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Integer(i64),
    /// Another number.
    Float(f64),
    /// `true` or `false`.
    Flag(bool),
    /// A date or a time that is not in quotes, or a number beyond all bounds.
    Date,
    /// Something that could not be read; a syntax error says so.
    Unreadable,
    /// A list.
    List(Vec<Node>),
    /// A table.
    Table(TableNode),
}

/// A table: its entries in the order of the file.
#[derive(Debug, Clone, Default)]
pub struct TableNode {
    /// The entries.
    pub entries: Vec<Entry>,
    /// Whether a part of it could not be read, so that a key that seems missing may be there.
    pub broken: bool,
}

/// A key with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key.
    pub key: String,
    /// Its place.
    pub key_span: Range<usize>,
    /// The value.
    pub node: Node,
}

/// Reads a file.
#[must_use]
pub fn parse(source: &str, grammar: &dyn Grammar) -> Parsed {
    let (tree, errors) = DeTable::parse_recoverable(source);
    if errors.is_empty() && !has_other_brackets(&tree, grammar) {
        let root = table(tree.into_inner(), &Origin::same());
        return Parsed { root, problems: Vec::new() };
    }
    let repaired = repair::repair(source, grammar);
    let (tree, left) = DeTable::parse_recoverable(&repaired.text);
    let root = table(tree.into_inner(), &repaired.origin);
    let mut problems = repaired.clashes(source, &left);
    problems.extend(repaired.problems);
    if problems.is_empty() && !repaired.is_left_to_the_check {
        // Every error of the parser is reported, even if it could be traced to no statement.
        problems.extend(errors.iter().map(|error| blame::blame(source, error, grammar)));
    }
    Parsed { root, problems }
}

/// Whether `[rule]` or the like is written where `[[rule]]` is meant: a second one would clash with the first.
fn has_other_brackets(tree: &Spanned<DeTable<'_>>, grammar: &dyn Grammar) -> bool {
    tree.get_ref().iter().any(|(key, value)| {
        let name = key.get_ref().as_ref();
        let (single, double) = (format!("[{name}]"), format!("[[{name}]]"));
        grammar.header(name).is_some_and(|header| match value.get_ref() {
            DeValue::Table(_) => header == double,
            DeValue::Array(_) => header == single,
            _ => false,
        })
    })
}

/// Where the bytes of a mended text were in the file, and which parts of it could not be read.
#[derive(Debug, Default)]
struct Origin {
    /// From this byte of the mended text on, bytes lie so much further on in the file. In rising order.
    shifts: Vec<(usize, isize)>,
    /// Where headers begin whose tables are not whole.
    broken: BTreeSet<usize>,
    /// Where values begin, in the file, that stand for unreadable ones.
    unreadable: BTreeSet<usize>,
}

impl Origin {
    fn same() -> Self {
        Self::default()
    }

    fn place(&self, at: usize) -> usize {
        let known = self.shifts.partition_point(|(from, _)| *from <= at);
        let shift = known.checked_sub(1).map_or(0, |last| self.shifts[last].1);
        at.checked_add_signed(shift).unwrap_or(0)
    }

    fn range(&self, span: Range<usize>) -> Range<usize> {
        let start = self.place(span.start);
        // The end belongs to the last byte inside: the next byte may be shifted differently.
        let end = if span.is_empty() { start } else { self.place(span.end - 1) + 1 };
        start..end.max(start)
    }
}

fn table(tree: DeTable<'_>, origin: &Origin) -> TableNode {
    let mut entries: Vec<Entry> = tree
        .into_iter()
        .map(|(key, value)| Entry {
            key_span: origin.range(key.span()),
            key: key.into_inner().into_owned(),
            node: node(value, origin),
        })
        .collect();
    entries.sort_by_key(|entry| entry.key_span.start);
    TableNode { entries, broken: false }
}

fn node(value: Spanned<DeValue<'_>>, origin: &Origin) -> Node {
    let span = origin.range(value.span());
    let value = match value.into_inner() {
        DeValue::String(text) => Value::Text(text.into_owned()),
        DeValue::Integer(number) => {
            i64::from_str_radix(number.as_str(), number.radix()).map_or(Value::Date, Value::Integer)
        }
        DeValue::Float(number) => number.as_str().parse().map_or(Value::Date, Value::Float),
        DeValue::Boolean(flag) => Value::Flag(flag),
        DeValue::Datetime(_) if origin.unreadable.contains(&span.start) => Value::Unreadable,
        DeValue::Datetime(_) => Value::Date,
        DeValue::Array(items) => {
            Value::List(items.into_iter().map(|item| node(item, origin)).collect())
        }
        DeValue::Table(inner) => {
            let mut inner = table(inner, origin);
            inner.broken |= origin.broken.contains(&span.start);
            Value::Table(inner)
        }
    };
    Node { span, value }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::Rules;

    fn keys(source: &str) -> Vec<String> {
        let parsed = parse(source, &Rules);
        let tables = parsed.root.entries.iter().flat_map(|entry| match &entry.node.value {
            Value::List(items) => items.iter().collect(),
            _ => vec![&entry.node],
        });
        let keys = tables.flat_map(|node| match &node.value {
            Value::Table(table) => table.entries.iter().map(|entry| entry.key.clone()).collect(),
            _ => Vec::new(),
        });
        keys.collect()
    }

    #[test]
    fn a_broken_statement_leaves_the_others_readable() {
        let source = "[[rule]\na = “x”\nb \"c\"\nd = [1,\ne = 5\n[rule]\nf = 6 g = 7\nh = 8\n";
        assert_eq!(keys(source), ["a", "b", "d", "e", "f", "h"]);
        assert_eq!(parse(source, &Rules).problems.len(), 6);
    }

    #[test]
    fn places_are_those_of_the_file_as_it_was() {
        let source = "[[rule]\na ＝ “价格”\nfine = 'x'\n";
        let parsed = parse(source, &Rules);
        let Value::List(rules) = &parsed.root.entries[0].node.value else { panic!("no list") };
        let Value::Table(rule) = &rules[0].value else { panic!("no table") };
        let written = |span: &Range<usize>| &source[span.clone()];
        assert_eq!(written(&rule.entries[1].key_span), "fine");
        assert_eq!(written(&rule.entries[1].node.span), "'x'");
        assert!(matches!(&rule.entries[0].node.value, Value::Text(text) if text == "价格"));
    }

    #[test]
    fn an_error_outside_of_statements_is_an_error() {
        for source in ["#\0", "# \u{1}\n[[rule]]\n", "\u{1}"] {
            assert!(!parse(source, &Rules).problems.is_empty(), "{source:?}");
        }
    }

    #[test]
    fn every_wrong_escape_is_said_once_per_text() {
        let parsed = parse("regex = [\"\\d+\\w\", \"\\s\"]\n", &Rules);
        let escapes: Vec<_> =
            parsed.problems.iter().map(|(problem, span)| (problem.clone(), span.clone())).collect();
        assert_eq!(escapes, [(Syntax::Escape('d'), 9..16), (Syntax::Escape('s'), 18..22)]);
    }
}
