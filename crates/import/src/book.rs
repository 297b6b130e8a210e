//! The bot that comes out of an import, before it is written.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::remark::{Place, Reason, Remark};

/// The bot that comes out.
#[derive(Debug, Default)]
pub(crate) struct Book {
    /// `[bot] vars`.
    pub(crate) vars: BTreeMap<String, String>,
    /// `[lists]`.
    pub(crate) lists: BTreeMap<String, Vec<String>>,
    /// The rules in their order, under titles.
    pub(crate) sections: Vec<Section>,
    /// Files to put beside `bot.toml`, such as tables.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// The number of things that were read: questions, categories, triggers, sentences, rows.
    pub(crate) items: usize,
    /// The number of the last item.
    last: usize,
    /// The number of rows of each table, by the number of its item.
    pub(crate) rows: BTreeMap<usize, usize>,
    pub(crate) remarks: Vec<Remark>,
}

/// Some rules under a title.
#[derive(Debug, Default)]
pub(crate) struct Section {
    pub(crate) title: String,
    pub(crate) rules: Vec<Rule>,
}

/// A `[[rule]]` or `[[table]]`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rule {
    /// The name of its table: `rule` if empty.
    pub(crate) table: &'static str,
    /// The place that it comes from.
    pub(crate) place: Place,
    /// The words by which a remark names it.
    pub(crate) subject: String,
    /// A comment above it.
    pub(crate) comment: String,
    /// Keys and values; written in the order of the reference.
    pub(crate) keys: Vec<(&'static str, Value)>,
}

/// A value of TOML.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Text(String),
    Int(i64),
    /// A number with at most six digits behind the point.
    Number(f64),
    Bool(bool),
    List(Vec<Value>),
    Table(Vec<(String, Value)>),
}

impl Rule {
    pub(crate) fn new(place: Place, subject: &str) -> Self {
        Self { place, subject: subject.to_owned(), ..Self::default() }
    }

    /// Adds a key, or replaces its value.
    pub(crate) fn put(&mut self, key: &'static str, value: Value) {
        match self.keys.iter_mut().find(|one| one.0 == key) {
            Some(one) => one.1 = value,
            None => self.keys.push((key, value)),
        }
    }

    pub(crate) fn with(mut self, key: &'static str, value: Value) -> Self {
        self.put(key, value);
        self
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Value> {
        self.keys.iter().find(|one| one.0 == key).map(|one| &one.1)
    }
}

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// One text as it is, several as a list.
    pub(crate) fn texts(texts: Vec<String>) -> Self {
        match <[String; 1]>::try_from(texts) {
            Ok([one]) => Self::Text(one),
            Err(texts) => Self::List(texts.into_iter().map(Self::Text).collect()),
        }
    }

    /// Names with texts.
    pub(crate) fn table(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self::Table(pairs.into_iter().map(|(name, text)| (name, Self::Text(text))).collect())
    }
}

impl Book {
    /// The section of that title, which is added if it is not the last one.
    pub(crate) fn section(&mut self, title: &str) -> &mut Section {
        if self.sections.last().is_none_or(|last| last.title != title) {
            self.sections.push(Section { title: title.to_owned(), rules: Vec::new() });
        }
        let last = self.sections.len() - 1;
        &mut self.sections[last]
    }

    /// Counts an item, and gives its place.
    pub(crate) fn item(&mut self, file: impl Into<Arc<str>>, line: usize) -> Place {
        let mut place = Place::new(file, line);
        self.count(&mut place);
        place
    }

    /// Counts an item whose place is known.
    pub(crate) fn count(&mut self, place: &mut Place) {
        self.items += 1;
        self.last += 1;
        place.item = self.last;
    }

    /// The place of a table with so many rows, which are counted elsewhere.
    pub(crate) fn table(&mut self, file: impl Into<Arc<str>>, line: usize, rows: usize) -> Place {
        self.last += 1;
        self.rows.insert(self.last, rows);
        Place { item: self.last, ..Place::new(file, line) }
    }

    /// How many of the items are not in the result.
    pub(crate) fn lost(&self) -> usize {
        let lost = self.remarks.iter().filter(|one| one.is_loss() && one.place.item > 0);
        let items: BTreeSet<usize> = lost.map(|one| one.place.item).collect();
        items.iter().map(|item| self.rows.get(item).copied().unwrap_or(1)).sum()
    }

    pub(crate) fn remark(&mut self, place: &Place, reason: Reason, subject: impl AsRef<str>) {
        self.remarks.push(Remark::new(place.clone(), reason, subject.as_ref()));
    }
}
