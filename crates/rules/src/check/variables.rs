//! `set` and `add`.

use std::collections::BTreeSet;
use std::ops::Range;

use mynah_core::Scope;

use super::names::Names;
use super::{Checker, Fields, Text, literal};
use crate::model::Step;
use crate::problem::{BadValue, Literal, Problem, Wanted};
use crate::sources::Spot;
use mynah_matching::template::{Template, is_name};
use mynah_reader::Found;
use mynah_reader::{Node, TableNode, Value};

/// The scopes of variables, by how they are written.
const SCOPES: [(&str, Scope); 3] =
    [("user", Scope::Person), ("chat", Scope::Chat), ("bot", Scope::Bot)];

/// A variable with its value.
struct Assignment<'n> {
    name: String,
    place: Range<usize>,
    node: &'n Node,
}

/// The assignments of `set` or `add`. `chat.x = 1` without quotes is a table in TOML, but means the same.
fn assignments<'n>(fields: &Fields<'n>, key: &str) -> Vec<Assignment<'n>> {
    let mut assigned = Vec::new();
    for entry in fields.table(key).into_iter().flat_map(|(table, _)| &table.entries) {
        match &entry.node.value {
            Value::Table(inner) if SCOPES.iter().any(|(scope, _)| *scope == entry.key) => {
                assigned.extend(inner.entries.iter().map(|inner| Assignment {
                    name: format!("{}.{}", entry.key, inner.key),
                    place: inner.key_span.clone(),
                    node: &inner.node,
                }));
            }
            _ => assigned.push(Assignment {
                name: entry.key.clone(),
                place: entry.key_span.clone(),
                node: &entry.node,
            }),
        }
    }
    assigned
}

/// The variables that any `set`, `add` or `vars` of the files writes, whether or not its table is right.
pub(super) fn assigned(files: &[super::File]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    files.iter().for_each(|file| collect_assigned(&file.root, &mut names));
    names
}

fn collect_assigned(table: &TableNode, names: &mut BTreeSet<String>) {
    for entry in &table.entries {
        match &entry.node.value {
            Value::Table(inner) if matches!(entry.key.as_str(), "set" | "add" | "vars") => {
                let owner = if entry.key == "vars" { "chat" } else { "user" };
                names.extend(inner.entries.iter().map(|assigned| {
                    let name = &assigned.key;
                    if name.contains('.') { name.clone() } else { format!("{owner}.{name}") }
                }));
            }
            Value::Table(inner) => collect_assigned(inner, names),
            Value::List(items) => {
                for item in items {
                    if let Value::Table(inner) = &item.value {
                        collect_assigned(inner, names);
                    }
                }
            }
            _ => {}
        }
    }
}

impl Checker<'_> {
    pub(super) fn sets(&mut self, fields: &Fields<'_>, names: &Names) -> Vec<Step> {
        let mut steps = Vec::new();
        for assigned in assignments(fields, "set") {
            let variable = self.variable(&assigned.name, fields.at(assigned.place.clone()));
            let value = self.variable_text(fields, &assigned, names);
            if let (Some((scope, key)), Some(value)) = (variable, value) {
                steps.push(Step::Set { scope, key, value });
            }
        }
        steps
    }

    fn variable_text(
        &mut self,
        fields: &Fields<'_>,
        assigned: &Assignment<'_>,
        names: &Names,
    ) -> Option<Template> {
        let spot = fields.at(assigned.node.span.clone());
        match &assigned.node.value {
            Value::Text(text) => {
                self.is_sum(&assigned.name, text, &spot);
                self.template_or_nothing(&Text { text, spot }, names)
            }
            Value::Unreadable => None,
            value => {
                let plain = plain_text(value);
                if plain.is_none() {
                    self.wrong_value(&assigned.name, Wanted::Text, value, spot);
                }
                plain.map(Template::plain)
            }
        }
    }

    /// Says if a text was probably meant as a sum: `set` does not calculate.
    fn is_sum(&mut self, variable: &str, text: &str, spot: &Spot) {
        let Some(by) = literal::sum(text) else { return };
        let variable = match variable.split_once('.') {
            Some(("user", name)) => name.to_owned(),
            Some(_) => format!("\"{variable}\""),
            None => variable.to_owned(),
        };
        let sum = Literal::Sum { text: text.to_owned(), variable, by };
        self.say(Problem::Literal(sum), spot.clone());
    }

    pub(super) fn additions(&mut self, fields: &Fields<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        for assigned in assignments(fields, "add") {
            let variable = self.variable(&assigned.name, fields.at(assigned.place));
            match (&assigned.node.value, variable) {
                (Value::Integer(by), Some((scope, key))) => {
                    steps.push(Step::Add { scope, key, by: *by });
                }
                (Value::Integer(_) | Value::Unreadable, _) => {}
                (value, _) => {
                    let spot = fields.at(assigned.node.span.clone());
                    self.wrong_value(&assigned.name, Wanted::Integer, value, spot);
                }
            }
        }
        steps
    }

    /// Says that a variable cannot be given this.
    pub(super) fn wrong_value(&mut self, name: &str, wanted: Wanted, value: &Value, spot: Spot) {
        let problem = Problem::EntryType { name: name.to_owned(), wanted, found: Found::of(value) };
        self.say(problem, spot);
    }

    /// The scope and the name of a variable that is set; a bare name is the person's.
    fn variable(&mut self, written: &str, spot: Spot) -> Option<(Scope, String)> {
        let (prefix, name) = written.split_once('.').unwrap_or(("user", written));
        let Some((_, scope)) = SCOPES.iter().find(|(known, _)| *known == prefix) else {
            let value = BadValue::Scope { found: written.to_owned(), scope: prefix.to_owned() };
            self.say(Problem::Value(value), spot);
            return None;
        };
        if !is_name(name) {
            self.say(Problem::Value(BadValue::Name(written.to_owned())), spot);
            return None;
        }
        self.set.insert(format!("{prefix}.{name}"));
        Some((*scope, name.to_owned()))
    }
}

/// A number or a flag as text.
pub(super) fn plain_text(value: &Value) -> Option<String> {
    match value {
        Value::Text(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        Value::Flag(flag) => Some(flag.to_string()),
        Value::Date | Value::Unreadable | Value::List(_) | Value::Table(_) => None,
    }
}
