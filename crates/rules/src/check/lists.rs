//! `[lists]`: texts that rules share, with the lists inside of them and in files.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::sync::Arc;

use super::{Checker, Fields, Text};
use crate::problem::{BadList, Literal, Problem, Wanted};
use crate::sources::Spot;
use mynah_matching::List;
use mynah_reader::{Entry, Node, Value, closest};

/// Names that are kinds of holes.
const RESERVED: [&str; 2] = ["int", "number"];

/// The most items of all lists together, those of lists inside of them counted.
const MOST_ITEMS: usize = 1_000_000;

/// A list as it is written.
struct Written {
    spot: Spot,
    items: Vec<(String, Spot)>,
    /// Whether all of it could be read.
    is_whole: bool,
}

impl Checker<'_> {
    /// Reads the lists of all files.
    pub(super) fn read_lists(&mut self, roots: &[&Fields<'_>]) {
        let mut written: BTreeMap<String, Written> = BTreeMap::new();
        for root in roots {
            self.may_have_unread_lists |= root.is_unreadable("lists");
            for entry in root.table("lists").into_iter().flat_map(|(table, _)| &table.entries) {
                let name = entry.key.trim().to_owned();
                let spot = root.at(entry.key_span.clone());
                if self.is_good_name(&name, &spot, written.get(&name)) {
                    let errors = self.report.errors();
                    let items = self.list_items(root, entry);
                    let is_whole = self.report.errors() == errors
                        && !matches!(entry.node.value, Value::Unreadable);
                    written.insert(name, Written { spot, items, is_whole });
                }
            }
        }
        Expansion::default().expand(self, &written);
    }

    fn is_good_name(&mut self, name: &str, spot: &Spot, known: Option<&Written>) -> bool {
        let bad = if RESERVED.contains(&name) {
            BadList::Reserved(name.to_owned())
        } else if name.is_empty() || name.contains(['<', '>', '|', '{', '}', ':']) {
            BadList::Name(name.to_owned())
        } else if let Some(known) = known {
            BadList::Twice { name: name.to_owned(), other: self.shown(&known.spot) }
        } else {
            return true;
        };
        self.say(Problem::List(bad), spot.clone());
        false
    }

    /// The items of a list: those written here, or the lines of a file.
    fn list_items(&mut self, root: &Fields<'_>, entry: &Entry) -> Vec<(String, Spot)> {
        let spot = root.at(entry.node.span.clone());
        match &entry.node.value {
            Value::Text(text) => self.list_item(text, spot).into_iter().collect(),
            Value::List(nodes) => {
                nodes.iter().filter_map(|node| self.item_of(&entry.key, node, root)).collect()
            }
            Value::Table(table) => {
                let file = table.entries.iter().find(|inner| inner.key == "file");
                for inner in table.entries.iter().filter(|inner| inner.key != "file") {
                    let bad = BadList::Key { name: entry.key.clone(), key: inner.key.clone() };
                    self.say(Problem::List(bad), root.at(inner.key_span.clone()));
                }
                match file.map(|file| (&file.node.value, root.at(file.node.span.clone()))) {
                    Some((Value::Text(path), spot)) => self.lines_of(path, spot),
                    Some((Value::Unreadable, _)) => Vec::new(),
                    Some((value, spot)) => {
                        self.wrong_value("file", Wanted::Path, value, spot);
                        Vec::new()
                    }
                    None => {
                        let bad = BadList::NoItems { name: entry.key.clone() };
                        self.say(Problem::List(bad), spot);
                        Vec::new()
                    }
                }
            }
            Value::Unreadable => Vec::new(),
            value => {
                self.wrong_value(&entry.key, Wanted::List, value, spot);
                Vec::new()
            }
        }
    }

    fn item_of(&mut self, list: &str, node: &Node, root: &Fields<'_>) -> Option<(String, Spot)> {
        let spot = root.at(node.span.clone());
        match &node.value {
            Value::Text(text) => self.list_item(text, spot),
            Value::Unreadable => None,
            value => {
                self.wrong_value(list, Wanted::List, value, spot);
                None
            }
        }
    }

    fn list_item(&mut self, text: &str, spot: Spot) -> Option<(String, Spot)> {
        if text.trim().is_empty() {
            self.say(Problem::Empty { key: "lists", text: Some(text.to_owned()) }, spot);
            return None;
        }
        Some((text.trim().to_owned(), spot))
    }

    /// The lines of a file of items: without blank ones, and without those that begin with `#`.
    fn lines_of(&mut self, path: &str, spot: Spot) -> Vec<(String, Spot)> {
        let files = self.around.list_files;
        let text = match files.get(&(spot.file, path.to_owned())) {
            Some(Ok(file)) => self.around.sources.text(*file),
            Some(Err(bad)) => {
                self.say(Problem::File(bad.clone()), spot);
                return Vec::new();
            }
            None => return Vec::new(),
        };
        let lines = text
            .lines()
            .map(|line| line.trim_matches(|c: char| c.is_whitespace() || c == '\u{feff}'));
        let items = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        items.map(|item| (item.to_owned(), spot.clone())).collect()
    }

    /// The items of the list that a text names, if it names one. Says if there is no such list.
    pub(super) fn list_named(&mut self, text: &Text<'_>) -> Option<Arc<List>> {
        let name = named(text.text)?;
        self.uses_broken_list |= self.has_broken_lists;
        if let Some(list) = self.lists.get(name) {
            return Some(Arc::clone(list));
        }
        let known: BTreeSet<String> = self.lists.keys().cloned().collect();
        self.unknown_list(text, known.iter().map(String::as_str));
        None
    }

    fn unknown_list<'k>(&mut self, text: &Text<'_>, known: impl Iterator<Item = &'k str> + Clone) {
        if self.may_have_unread_lists {
            return;
        }
        let has_lists = known.clone().next().is_some();
        let meant = closest(named(text.text).unwrap_or_default(), known).map(str::to_owned);
        let literal = Literal::NoList { text: text.text.to_owned(), meant, has_lists };
        self.say(Problem::Literal(literal), text.spot.clone());
    }

    /// Says which names between `<` and `>` in a pattern are not lists.
    pub(super) fn lists_in_pattern(&mut self, text: &Text<'_>) {
        let mut at = 0;
        while let Some(start) = text.text[at..].find('<').map(|found| at + found) {
            let Some(end) = text.text[start..].find('>').map(|found| start + found + 1) else {
                return;
            };
            let part = &text.text[start..end];
            self.uses_broken_list |= self.has_broken_lists;
            if named(part).is_some_and(|name| !self.lists.contains_key(name)) {
                let spot = self.inside(text, &(start..end));
                let known: BTreeSet<String> = self.lists.keys().cloned().collect();
                self.unknown_list(&Text { text: part, spot }, known.iter().map(String::as_str));
            }
            at = end;
        }
    }
}

/// A list of which some items are collected.
struct Open<'w> {
    name: &'w str,
    list: &'w Written,
    /// The next item to look at.
    next: usize,
    items: Vec<&'w str>,
    known: HashSet<&'w str>,
    /// The errors of the report before this list.
    errors: usize,
}

impl<'w> Open<'w> {
    fn add(&mut self, items: &[&'w str]) {
        for item in items {
            if self.known.insert(item) {
                self.items.push(item);
            }
        }
    }
}

/// Puts the items of lists in the place of their names: each list is expanded once, after those inside of it.
#[derive(Default)]
struct Expansion<'w> {
    /// The items of each finished list, equal ones once.
    finished: BTreeMap<&'w str, Vec<&'w str>>,
    /// The lists that are being expanded, each inside of the one before.
    open: Vec<Open<'w>>,
    /// Their names, and those of the finished ones.
    opened: HashSet<&'w str>,
    /// All items of the finished lists.
    count: usize,
}

impl<'w> Expansion<'w> {
    fn expand(mut self, checker: &mut Checker<'_>, written: &'w BTreeMap<String, Written>) {
        for (name, list) in written {
            if !self.finished.contains_key(name.as_str()) {
                self.begin(name, list, checker);
            }
            while let Some(mut list) = self.open.pop() {
                match list.list.items.get(list.next) {
                    None => self.finish(list, checker),
                    Some((item, spot)) => {
                        list.next += 1;
                        self.open.push(list);
                        self.take(item, spot, written, checker);
                    }
                }
            }
        }
    }

    fn begin(&mut self, name: &'w str, list: &'w Written, checker: &Checker<'_>) {
        let errors = checker.report.errors();
        let (items, known) = (Vec::new(), HashSet::new());
        self.opened.insert(name);
        self.open.push(Open { name, list, next: 0, items, known, errors });
    }

    /// Adds an item to the innermost open list, or opens the list that it names.
    fn take(
        &mut self,
        item: &'w str,
        spot: &Spot,
        written: &'w BTreeMap<String, Written>,
        checker: &mut Checker<'_>,
    ) {
        let Some(outer) = self.open.last_mut() else { return };
        let Some((inner, list)) = named(item).and_then(|inner| written.get_key_value(inner)) else {
            if named(item).is_some() {
                let text = Text { text: item, spot: spot.clone() };
                checker.unknown_list(&text, written.keys().map(String::as_str));
            }
            outer.add(&[item]);
            return;
        };
        if let Some(items) = self.finished.get(inner.as_str()) {
            outer.add(items);
        } else if self.opened.contains(inner.as_str()) {
            let start = self.open.iter().position(|open| open.name == inner).unwrap_or_default();
            let circle = self.open[start..].iter().map(|open| open.name).chain([inner.as_str()]);
            let circle = circle.map(|name| format!("<{name}>")).collect();
            checker.say(Problem::List(BadList::Circle(circle)), spot.clone());
        } else {
            // Taken again when the inner list is finished.
            outer.next -= 1;
            self.begin(inner, list, checker);
        }
    }

    fn finish(&mut self, list: Open<'w>, checker: &mut Checker<'_>) {
        let Open { name, list: written, mut items, errors, .. } = list;
        let had_room = self.count <= MOST_ITEMS;
        self.count += items.len();
        if self.count > MOST_ITEMS {
            items = Vec::new();
            if had_room {
                let bad = BadList::TooMany { name: name.to_owned(), most: MOST_ITEMS };
                checker.say(Problem::List(bad), written.spot.clone());
            }
        } else if items.is_empty() && written.is_whole && checker.report.errors() == errors {
            let bad = BadList::NoItems { name: name.to_owned() };
            checker.say(Problem::List(bad), written.spot.clone());
        }
        let is_broken = items.is_empty() || !written.is_whole;
        checker.has_broken_lists |= is_broken || checker.report.errors() != errors;
        let texts = items.iter().map(|&item| item.to_owned());
        checker.lists.insert(name.to_owned(), Arc::new(List::new(texts)));
        self.finished.insert(name, items);
    }
}

/// The name in `<name>`, if a text is just that.
fn named(text: &str) -> Option<&str> {
    let name = text.trim().strip_prefix('<')?.strip_suffix('>')?.trim();
    (!name.is_empty() && !name.contains(['<', '>', '/', '='])).then_some(name)
}
