//! One `[[group]]`.

use std::collections::{BTreeMap, BTreeSet};

use super::variables::plain_text;
use super::{Checker, Fields};
use crate::glob::Glob;
use crate::keys::Table;
use crate::model::GroupTable;
use crate::parse::{TableNode, Value};
use crate::problem::{BadValue, Problem, Wanted};
use crate::sources::Spot;
use crate::template::is_name;

impl Checker<'_> {
    pub(super) fn group(&mut self, node: &TableNode, spot: Spot) -> GroupTable {
        let fields = Fields::read(Table::Group, node, spot, self.report);
        self.needs(&fields, &["name"]);
        let name = self.globs(&fields, "name").into_iter().next();
        self.unread.sets |= fields.is_unreadable("vars");
        let vars = self.vars(&fields);
        let only = fields.entry("only").map(|_| self.only(&fields));
        GroupTable { name: name.unwrap_or_else(|| Glob::new("")), vars, only }
    }

    /// Says if a key is missing without which the table means nothing.
    pub(super) fn needs(&mut self, fields: &Fields<'_>, keys: &'static [&'static str]) {
        if !keys.iter().any(|key| fields.may_have(key)) {
            self.say(Problem::Missing { table: fields.table, keys }, fields.spot.clone());
        }
    }

    fn vars(&mut self, fields: &Fields<'_>) -> BTreeMap<String, String> {
        let mut vars = BTreeMap::new();
        let Some((table, _)) = fields.table("vars") else { return vars };
        for entry in &table.entries {
            let name = entry.key.strip_prefix("chat.").unwrap_or(&entry.key);
            if !is_name(name) {
                let problem = Problem::Value(BadValue::Name(entry.key.clone()));
                self.say(problem, fields.at(entry.key_span.clone()));
                continue;
            }
            self.set.insert(format!("chat.{name}"));
            match plain_text(&entry.node.value) {
                Some(text) => drop(vars.insert(name.to_owned(), text)),
                None if matches!(entry.node.value, Value::Unreadable) => {}
                None => {
                    let spot = fields.at(entry.node.span.clone());
                    self.wrong_value(&entry.key, Wanted::Text, &entry.node.value, spot);
                }
            }
        }
        vars
    }

    /// The ids that work there; an empty list means none.
    fn only(&mut self, fields: &Fields<'_>) -> BTreeSet<String> {
        let ids = fields.texts("only");
        self.onlys.extend(ids.iter().map(|id| (id.text.to_owned(), id.spot.clone())));
        ids.iter().map(|id| id.text.to_owned()).collect()
    }
}
