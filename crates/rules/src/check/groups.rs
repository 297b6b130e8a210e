//! One `[[group]]`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::variables::plain_text;
use super::{Checker, Fields};
use crate::keys::Table;
use crate::model::{GroupTable, TimeWindow};
use crate::problem::{BadValue, EarlierGroup, Problem, Wanted};
use crate::sources::Spot;
use mynah_matching::glob::Glob;
use mynah_matching::template::is_name;
use mynah_reader::{TableNode, Value};

/// The names of the tables so far, each with the place of its table; those that can count at all.
#[derive(Debug, Default)]
pub(super) struct GroupNames {
    places: HashMap<Glob, Spot>,
    /// Those with `*` or `?`, in order: only these fit more than one name.
    globs: Vec<Glob>,
}

impl GroupNames {
    /// The earlier name that fits every name that this one fits.
    fn covering(&self, name: &Glob) -> Option<(&Glob, &Spot)> {
        self.places.get_key_value(name).or_else(|| {
            self.places.get_key_value(self.globs.iter().find(|glob| glob.covers(name))?)
        })
    }

    fn add(&mut self, name: &Glob, spot: &Spot) {
        if !name.is_plain() {
            self.globs.push(name.clone());
        }
        self.places.insert(name.clone(), spot.clone());
    }
}

impl Checker<'_> {
    pub(super) fn group(&mut self, node: &TableNode, spot: Spot) -> GroupTable {
        let fields = Fields::read(Table::Group, node, spot, self.report);
        self.needs(&fields, &["name"]);
        self.groups_exist(&fields, "name");
        let name = self.globs(&fields, "name").into_iter().next();
        if let Some(name) = &name {
            self.outdone(name, &fields);
        }
        self.unread.sets |= fields.is_unreadable("vars");
        let vars = self.vars(&fields, "chat");
        let quiet = fields.entry("quiet").map(|_| self.quiet_of_group(&fields));
        let only = fields.entry("only").map(|_| self.only(&fields));
        GroupTable { name: name.unwrap_or_else(|| Glob::new("")), vars, only, quiet }
    }

    /// The quiet hours of a group; `off` is none.
    fn quiet_of_group(&mut self, fields: &Fields<'_>) -> Vec<TimeWindow> {
        let texts = fields.texts("quiet");
        if matches!(texts.as_slice(), [text] if text.text.trim() == "off") {
            return Vec::new();
        }
        self.is_any_list_empty(fields, &["quiet"]);
        self.windows(fields, "quiet")
    }

    /// Says if an earlier table fits every group that this one does: the first that fits counts.
    fn outdone(&mut self, name: &Glob, fields: &Fields<'_>) {
        let Some((earlier, spot)) = self.group_names.covering(name) else {
            return self.group_names.add(name, &fields.spot);
        };
        let (earlier, later) = (earlier.to_string(), name.to_string());
        let place = self.place(spot);
        let why = if earlier == later {
            EarlierGroup::Same { name: later }
        } else {
            EarlierGroup::Fits { earlier, later }
        };
        let spot = fields.text("name").map_or(fields.spot.clone(), |text| text.spot);
        self.say(Problem::NeverCounts { place, why }, spot);
    }

    /// Says if a key is missing without which the table means nothing.
    pub(super) fn needs(&mut self, fields: &Fields<'_>, keys: &'static [&'static str]) {
        if !keys.iter().any(|key| fields.may_have(key)) {
            self.say(Problem::Missing { table: fields.table, keys }, fields.spot.clone());
        }
    }

    /// The values that variables of this owner have until one is set.
    pub(super) fn vars(&mut self, fields: &Fields<'_>, owner: &str) -> BTreeMap<String, String> {
        let mut vars = BTreeMap::new();
        let Some((table, _)) = fields.table("vars") else { return vars };
        for entry in &table.entries {
            let name = entry.key.strip_prefix(owner).and_then(|name| name.strip_prefix('.'));
            let name = name.unwrap_or(&entry.key);
            if !is_name(name) {
                let problem = Problem::Value(BadValue::Name(entry.key.clone()));
                self.say(problem, fields.at(entry.key_span.clone()));
                continue;
            }
            self.set.insert(format!("{owner}.{name}"));
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
