//! `set` and `add`.

use std::collections::BTreeSet;
use std::ops::Range;

use mynah_core::Scope;

use super::names::Names;
use super::{Checker, Fields, Text, UsedVariable, literal};
use crate::keys::Table;
use crate::meant;
use crate::model::{Period, Step};
use crate::problem::{BadValue, Literal, Problem, Wanted};
use crate::rule_book::variables::OF_PERSON;
use crate::sources::Spot;
use mynah_matching::template::{Template, is_name};
use mynah_reader::Found;
use mynah_reader::{Node, TableNode, Value};

/// The scopes of variables, by how they are written.
const SCOPES: [(&str, Scope); 4] =
    [("user", Scope::Person), ("person", Scope::Bot), ("chat", Scope::Chat), ("bot", Scope::Bot)];

/// The calendar units of a streak.
const UNITS: [&str; 2] = ["day", "week"];

/// A variable with its value.
pub(super) struct Assignment<'n> {
    pub(super) name: String,
    pub(super) place: Range<usize>,
    pub(super) node: &'n Node,
}

/// The assignments of `set`, `add` or `when`. `chat.x = 1` without quotes is a table in TOML, but means the same.
pub(super) fn assignments<'n>(fields: &Fields<'n>, key: &str) -> Vec<Assignment<'n>> {
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
    files.iter().for_each(|file| collect_assigned(&file.root, "chat", &mut names));
    names
}

fn collect_assigned(table: &TableNode, of_vars: &str, names: &mut BTreeSet<String>) {
    for entry in &table.entries {
        match &entry.node.value {
            Value::Table(inner)
                if matches!(entry.key.as_str(), "set" | "add" | "vars" | "streak") =>
            {
                let owner = if entry.key == "vars" { of_vars } else { "user" };
                names.extend(inner.entries.iter().map(|assigned| {
                    let name = &assigned.key;
                    if name.contains('.') { name.clone() } else { format!("{owner}.{name}") }
                }));
            }
            Value::Table(inner) => {
                let of_vars = if entry.key == "bot" { "bot" } else { "chat" };
                collect_assigned(inner, of_vars, names);
            }
            Value::List(items) => {
                for item in items {
                    if let Value::Table(inner) = &item.value {
                        collect_assigned(inner, "chat", names);
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

    pub(super) fn variable_text(
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

    pub(super) fn additions(&mut self, fields: &Fields<'_>, names: &Names) -> Vec<Step> {
        let mut steps = Vec::new();
        for assigned in assignments(fields, "add") {
            let variable = self.variable(&assigned.name, fields.at(assigned.place));
            match (&assigned.node.value, variable) {
                (Value::Integer(by), Some((scope, key))) => {
                    steps.push(Step::Add { scope, key, by: *by });
                }
                (Value::Text(text), Some((scope, key))) if text.contains('{') => {
                    let text = Text { text, spot: fields.at(assigned.node.span.clone()) };
                    let by = self.named_number(&text, names);
                    steps.extend(by.map(|(by, negative)| Step::AddValue {
                        scope,
                        key,
                        by,
                        negative,
                    }));
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

    /// `{n}` or `-{n}`: a name that is a whole number when it is needed.
    fn named_number(&mut self, text: &Text<'_>, names: &Names) -> Option<(Template, bool)> {
        let plain = text.text.trim();
        let (name, negative) = match plain.strip_prefix(['-', '－']) {
            Some(name) => (name.trim_start(), true),
            None => (plain.strip_prefix('+').unwrap_or(plain), false),
        };
        let template = self.template_or_nothing(text, names)?;
        let is_alone = name.starts_with('{') && name.ends_with('}');
        if is_alone && template.names().next().is_some() {
            // The text was read as a whole, so that its mistakes have their places.
            return Template::parse(name).ok().map(|name| (name, negative));
        }
        let value = BadValue::NamedNumber(text.text.to_owned());
        self.say(Problem::Value(value), text.spot.clone());
        None
    }

    /// `streak`: variables of the person with their calendar units.
    pub(super) fn streaks(&mut self, fields: &Fields<'_>) -> Vec<Step> {
        let mut steps = Vec::new();
        for assigned in assignments(fields, "streak") {
            let spot = fields.at(assigned.node.span.clone());
            let variable = self.variable(&assigned.name, fields.at(assigned.place.clone()));
            if let Some((scope, _)) = &variable
                && (*scope != Scope::Person)
            {
                let value = BadValue::StreakOwner(assigned.name.clone());
                self.say(Problem::Value(value), fields.at(assigned.place));
                continue;
            }
            let per = match &assigned.node.value {
                Value::Text(text) if text.trim() == "day" => Some(Period::Day),
                Value::Text(text) if text.trim() == "week" => Some(Period::Week),
                Value::Unreadable => None,
                Value::Text(found) => {
                    let meant = meant::word(found, &UNITS);
                    let value = BadValue::Word { found: found.clone(), words: &UNITS, meant };
                    self.say(Problem::Value(value), spot);
                    None
                }
                value => {
                    self.wrong_value(&assigned.name, Wanted::Unit, value, spot);
                    None
                }
            };
            let variable = variable.zip(per);
            steps.extend(variable.map(|((_, key), per)| Step::Streak { key, per }));
        }
        steps
    }

    /// `clear`: variables that are forgotten.
    pub(super) fn clears(&mut self, fields: &Fields<'_>) -> Vec<Step> {
        self.is_any_list_empty(fields, &["clear"]);
        let mut steps = Vec::new();
        for text in fields.texts("clear") {
            let is_announced = fields.table == Table::Schedule;
            let owner = text.text.split_once('.').map_or("user", |(owner, _)| owner);
            if is_announced && matches!(owner, "user" | "person") {
                let value = BadValue::ClearedByNoOne(text.text.to_owned());
                self.say(Problem::Value(value), text.spot);
                continue;
            }
            steps.extend(self.cleared(text.text.trim(), text.spot));
        }
        steps
    }

    fn cleared(&mut self, written: &str, spot: Spot) -> Option<Step> {
        let (owner, name) = written.split_once('.').unwrap_or(("user", written));
        if owner == "members" {
            if is_name(name) {
                let used = format!("user.{name}");
                self.used.push(UsedVariable {
                    name: used,
                    has_default: false,
                    has_no_text: true,
                    spot,
                });
                return Some(Step::ClearMembers { key: name.to_owned() });
            }
            self.say(Problem::Value(BadValue::Name(written.to_owned())), spot);
            return None;
        }
        if !SCOPES.iter().any(|(scope, _)| *scope == owner) {
            let (found, scope) = (written.to_owned(), owner.to_owned());
            self.say(Problem::Value(BadValue::ClearScope { found, scope }), spot);
            return None;
        }
        let (scope, key) = self.scope_of(written, spot.clone())?;
        let name = format!("{owner}.{name}");
        self.used.push(UsedVariable { name, has_default: false, has_no_text: true, spot });
        Some(Step::Clear { scope, key })
    }

    /// Says that a variable cannot be given this.
    pub(super) fn wrong_value(&mut self, name: &str, wanted: Wanted, value: &Value, spot: Spot) {
        let problem = Problem::EntryType { name: name.to_owned(), wanted, found: Found::of(value) };
        self.say(problem, spot);
    }

    /// The scope and the name of a variable that is set; a bare name is the person's.
    pub(super) fn variable(&mut self, written: &str, spot: Spot) -> Option<(Scope, String)> {
        let variable = self.scope_of(written, spot)?;
        let (prefix, name) = written.split_once('.').unwrap_or(("user", written));
        self.set.insert(format!("{prefix}.{name}"));
        Some(variable)
    }

    /// The scope and the name of a variable; a bare name is the person's.
    fn scope_of(&mut self, written: &str, spot: Spot) -> Option<(Scope, String)> {
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
        let owner = if prefix == "person" { OF_PERSON } else { "" };
        Some((*scope, format!("{owner}{name}")))
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
