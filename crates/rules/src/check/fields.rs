//! A table read by the table of keys: unknown keys and values of the wrong type are reported once and left out.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use super::report::Report;
use crate::keys::{Advice, Key, Table, advice, chinese_key};
use crate::problem::Problem;
use crate::sources::Spot;
use mynah_reader::closest;
use mynah_reader::{Entry, Node, TableNode, Value};
use mynah_reader::{Found, Shape};

/// The entries of a table that are known and of the right type.
#[derive(Debug)]
pub(crate) struct Fields<'n> {
    /// Which kind of table it is.
    pub(crate) table: Table,
    /// Its place: the header, or the value.
    pub(crate) spot: Spot,
    entries: BTreeMap<&'static str, &'n Entry>,
    /// Keys of a list of which some items have the wrong type: the others are read all the same, for their mistakes.
    in_part: BTreeSet<&'static str>,
    /// Keys that are present in any form: also with a value of the wrong type, or probably meant by an unknown key.
    given: BTreeSet<&'static str>,
    /// Whether something is there of which nothing is known, so that anything may have been meant.
    is_vague: bool,
}

/// A text value with its place, quotes included.
#[derive(Debug, Clone)]
pub(crate) struct Text<'n> {
    /// The text.
    pub(crate) text: &'n str,
    /// Its place.
    pub(crate) spot: Spot,
}

impl<'n> Fields<'n> {
    /// Reads a table and reports unknown keys and wrong types.
    pub(crate) fn read(table: Table, node: &'n TableNode, spot: Spot, report: &mut Report) -> Self {
        let mut fields = Self {
            table,
            spot,
            entries: BTreeMap::new(),
            in_part: BTreeSet::new(),
            given: BTreeSet::new(),
            is_vague: node.broken,
        };
        for entry in &node.entries {
            match table.key(&entry.key) {
                Some(key) => fields.known(key, entry, report),
                None => fields.unknown(entry, report),
            }
        }
        fields
    }

    fn known(&mut self, key: &'static Key, entry: &'n Entry, report: &mut Report) {
        self.given.insert(key.name);
        if matches!(entry.node.value, Value::Unreadable) {
            return;
        }
        let (misfits, in_list) = misfits(key.kind.shape(), &entry.node);
        if in_list && !misfits.is_empty() {
            self.in_part.insert(key.name);
        }
        if in_list || misfits.is_empty() {
            self.entries.insert(key.name, entry);
        }
        for node in misfits {
            let found = Found::of(&node.value);
            let problem = Problem::Type { key: key.name, kind: key.kind, found, in_list };
            report.add(problem, Spot::new(self.spot.file, node.span.clone()));
        }
    }

    fn unknown(&mut self, entry: &'n Entry, report: &mut Report) {
        let Meant { key: meant, elsewhere, advice } = meant_by(self.table, &entry.key);
        match meant {
            Some(name) => drop(self.given.insert(name)),
            None => self.is_vague = true,
        }
        let key = entry.key.clone();
        let problem = Problem::UnknownKey { key, table: self.table, meant, elsewhere, advice };
        report.add(problem, Spot::new(self.spot.file, entry.key_span.clone()));
    }

    /// Whether the key is there, right or wrong, or anything may be there.
    pub(crate) fn may_have(&self, name: &str) -> bool {
        self.is_vague || self.given.contains(name)
    }

    /// Whether the key is there, right or wrong.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.given.contains(name)
    }

    /// Whether a key is there whose value is not usable, or of which nothing is known.
    pub(crate) fn is_partly_unknown(&self) -> bool {
        self.is_vague || self.given.iter().any(|name| self.is_unreadable(name))
    }

    /// Whether a key is there whose value is not usable.
    pub(crate) fn is_unreadable(&self, name: &str) -> bool {
        self.has(name) && (!self.entries.contains_key(name) || self.in_part.contains(name))
    }

    /// The entry of a key, of the right type; of a list some items may have another one.
    pub(crate) fn entry(&self, name: &str) -> Option<&'n Entry> {
        self.entries.get(name).copied()
    }

    /// The place of a key.
    pub(crate) fn key_spot(&self, name: &str) -> Spot {
        let span = self.entry(name).map_or(self.spot.span.clone(), |entry| entry.key_span.clone());
        self.at(span)
    }

    /// A place in the file of this table.
    pub(crate) fn at(&self, span: Range<usize>) -> Spot {
        Spot::new(self.spot.file, span)
    }

    /// A text.
    pub(crate) fn text(&self, name: &str) -> Option<Text<'n>> {
        self.texts(name).into_iter().next()
    }

    /// A text or a list of texts.
    pub(crate) fn texts(&self, name: &str) -> Vec<Text<'n>> {
        self.entry(name).map(|entry| self.texts_of(&entry.node)).unwrap_or_default()
    }

    fn texts_of(&self, node: &'n Node) -> Vec<Text<'n>> {
        match &node.value {
            Value::Text(text) => vec![Text { text, spot: self.at(node.span.clone()) }],
            Value::List(items) => items.iter().flat_map(|item| self.texts_of(item)).collect(),
            _ => Vec::new(),
        }
    }

    /// `true` if the flag is there and set.
    pub(crate) fn flag(&self, name: &str) -> bool {
        self.flag_or(name, false)
    }

    /// The flag, or its default.
    pub(crate) fn flag_or(&self, name: &str, default: bool) -> bool {
        match self.entry(name).map(|entry| &entry.node.value) {
            Some(Value::Flag(flag)) => *flag,
            _ => default,
        }
    }

    /// A whole number.
    pub(crate) fn integer(&self, name: &str) -> Option<i64> {
        match self.entry(name).map(|entry| &entry.node.value) {
            Some(Value::Integer(number)) => Some(*number),
            _ => None,
        }
    }

    /// A table.
    pub(crate) fn table(&self, name: &str) -> Option<(&'n TableNode, Spot)> {
        let entry = self.entry(name)?;
        match &entry.node.value {
            Value::Table(table) => Some((table, self.at(entry.node.span.clone()))),
            _ => None,
        }
    }

    /// A list of tables.
    pub(crate) fn tables(&self, name: &str) -> Vec<(&'n TableNode, Spot)> {
        let Some(Value::List(items)) = self.entry(name).map(|entry| &entry.node.value) else {
            return Vec::new();
        };
        let tables = items.iter().filter_map(|item| match &item.value {
            Value::Table(table) => Some((table, self.at(item.span.clone()))),
            _ => None,
        });
        tables.collect()
    }
}

/// The probable meaning of an unknown key.
#[derive(Default)]
struct Meant {
    key: Option<&'static str>,
    elsewhere: Option<Table>,
    advice: Option<&'static Advice>,
}

/// The key of this table that was probably meant, or else a remedy, or the table that has this key.
fn meant_by(table: Table, written: &str) -> Meant {
    let also = || table.keys().find(|key| key.also.contains(&written)).map(|key| key.name);
    if let Some(key) = also().or_else(|| chinese_key(table, written)) {
        return Meant { key: Some(key), ..Meant::default() };
    }
    if let Some(advice) = advice(table, written) {
        return Meant { advice: Some(advice), ..Meant::default() };
    }
    let plural = || {
        table.keys().map(|key| key.name).find(|name| {
            name.strip_suffix('s') == Some(written) || written.strip_suffix('s') == Some(*name)
        })
    };
    let elsewhere = Table::ALL.into_iter().find(|other| other.key(written).is_some());
    match plural() {
        Some(key) => Meant { key: Some(key), ..Meant::default() },
        None if elsewhere.is_some() => Meant { elsewhere, ..Meant::default() },
        None => {
            Meant { key: closest(written, table.keys().map(|key| key.name)), ..Meant::default() }
        }
    }
}

/// The values that do not have the shape, and whether they are items of a list.
fn misfits(shape: Shape, node: &Node) -> (Vec<&Node>, bool) {
    let item_shape = match shape {
        Shape::TextOrList | Shape::TextList => Shape::Text,
        Shape::TextOrTableList => Shape::TextOrTable,
        Shape::TableList => Shape::Table,
        Shape::Text
        | Shape::TextOrInteger
        | Shape::Flag
        | Shape::Integer
        | Shape::Number
        | Shape::TextOrTable
        | Shape::Table => shape,
    };
    match &node.value {
        Value::List(items) if item_shape != shape => {
            (items.iter().filter(|item| !fits(item_shape, &item.value)).collect(), true)
        }
        value if fits(shape, value) => (Vec::new(), false),
        _ => (vec![node], false),
    }
}

/// Whether a value other than a list has the shape.
fn fits(shape: Shape, value: &Value) -> bool {
    matches!(
        (shape, value),
        (_, Value::Unreadable)
            | (
                Shape::Text | Shape::TextOrList | Shape::TextOrTable | Shape::TextOrInteger,
                Value::Text(_)
            )
            | (Shape::Flag, Value::Flag(_))
            | (Shape::Integer | Shape::TextOrInteger, Value::Integer(_))
            | (Shape::Number, Value::Integer(_) | Value::Float(_))
            | (Shape::Table | Shape::TextOrTable, Value::Table(_))
    )
}
