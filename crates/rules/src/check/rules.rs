//! One `[[rule]]`.

use std::fmt::Write as _;

use mynah_core::{ChatKind, EventKind, sort_by};

use super::{Checker, Fields};
use crate::keys::{Key, Role, Table};
use crate::model::{Conditions, Name, Rule, Step};
use crate::problem::{Conflict, Problem};
use crate::shadow::RuleSpots;
use crate::sources::Spot;
use mynah_reader::{Node, TableNode, Value};

/// The keys that let a rule speak here.
const SPEAKING: [&str; 8] =
    ["reply", "reply_one_of", "reply_all_of", "image", "image_one_of", "file", "start", "run"];

impl Checker<'_> {
    pub(super) fn rule(&mut self, node: &TableNode, spot: Spot) -> Rule {
        let fields = Fields::read(Table::Rule, node, spot, self.report);
        self.has_condition(&fields);
        self.is_brought(&fields);
        let (when, names) = self.conditions(&fields);
        self.is_guarded = fields.may_have("from");
        let (fetch, known) = self.fetch(&fields, &names);
        let then = self.actions(&fields, &known);
        let asks_for_request =
            when.events.contains(&EventKind::FriendRequest) || fields.is_partly_unknown();
        if then.iter().any(|step| matches!(step, Step::Accept)) && !asks_for_request {
            self.conflict(&fields, "accept", Conflict::AcceptWithout);
        }
        self.members_fit(&fields, &when, &then);
        let answer_as = self.answer_as(&fields, &when, &names);
        let silent = self.silent(&fields, &then);
        let brakes = self.brakes(&fields, &names);
        self.spots.push(RuleSpots::of(&fields));
        Rule {
            place: self.place(&fields.spot),
            name: self.name(&fields, "rule"),
            when,
            then,
            fetch,
            answer_as,
            brakes,
            priority: fields.integer("priority").unwrap_or(0),
            go_on: fields.flag("continue"),
            silent,
            off: fields.flag("off"),
            table: None,
        }
    }

    /// Without one of these a rule would answer everything.
    fn has_condition(&mut self, fields: &Fields<'_>) {
        let mut conditions = Table::Rule.keys().filter(|key| key.role == Role::Condition);
        // A flag that is false is not a condition.
        let counts = |key: &Key| {
            fields.may_have(key.name)
                && !(fields.entry(key.name).is_some()
                    && key.name == "at_me"
                    && !fields.flag("at_me"))
        };
        if !conditions.any(counts) {
            let problem = Problem::NoCondition { only_none: fields.has("none") };
            self.say(problem, fields.spot.clone());
        }
    }

    /// Says which of `recall` and `kick` could never do anything for the messages and events of the rule.
    fn members_fit(&mut self, fields: &Fields<'_>, when: &Conditions, then: &[Step]) {
        let recalls = then.iter().any(|step| matches!(step, Step::Recall));
        let kicks = then.iter().any(|step| matches!(step, Step::Kick));
        let key = |key| if fields.has(key) { key } else { "do" };
        if recalls && !when.events.is_empty() {
            self.conflict(fields, key("recall"), Conflict::RecallOfEvent);
        }
        let only = |kind| !when.events.is_empty() && when.events.iter().all(|event| *event == kind);
        if kicks && only(EventKind::Leave) {
            self.conflict(fields, key("kick"), Conflict::KickOfLeft);
        }
        if kicks && (when.place == Some(ChatKind::Private) || only(EventKind::FriendRequest)) {
            self.conflict(fields, key("kick"), Conflict::KickInPrivate);
        }
    }

    /// `silent = true`; says which keys would speak all the same.
    fn silent(&mut self, fields: &Fields<'_>, then: &[Step]) -> bool {
        let is_silent = fields.flag("silent");
        if !is_silent {
            return false;
        }
        let speaks = then.iter().any(|step| {
            matches!(
                step,
                Step::Say { .. }
                    | Step::SayOneOf { .. }
                    | Step::Image(_)
                    | Step::ImageOneOf(_)
                    | Step::File(_)
                    | Step::Web(_)
                    | Step::Start(_)
                    | Step::Run(_)
                    | Step::RunWith { .. }
                    | Step::SayWeighted { .. }
            )
        });
        let keys = ["cooldown_reply", "limit_reply", "continue", "fetch"];
        let speaking = SPEAKING.into_iter().chain(keys).find(|key| fields.has(key));
        let key = speaking.or((speaks && fields.has("do")).then_some("do"));
        if let Some(key) = key {
            self.conflict(fields, key, Conflict::SilentAnd(key));
        }
        is_silent
    }

    /// Its id, and the key under which its state is kept.
    pub(super) fn name(&mut self, fields: &Fields<'_>, kind: &str) -> Name {
        let id = fields.text("id").filter(|id| {
            let is_blank = id.text.trim().is_empty();
            if is_blank {
                self.say(
                    Problem::Empty { key: "id", text: Some(id.text.to_owned()) },
                    id.spot.clone(),
                );
            }
            !is_blank
        });
        match &id {
            Some(id) => self.id(id),
            None => self.unread.ids |= fields.has("id"),
        }
        let base = match &id {
            Some(id) => id.text.to_owned(),
            None => format!("#{kind}-{:016x}", fingerprint(fields)),
        };
        Name { id: id.map(|id| id.text.to_owned()), key: self.state_key(base) }
    }

    /// A state key of its own: rules of the same conditions are told apart by their order.
    fn state_key(&mut self, base: String) -> String {
        let Some(last) = self.state_keys.get(&base) else {
            self.state_keys.insert(base.clone(), 1);
            return base;
        };
        let copies = (last + 1..).map(|copy| (copy, format!("{base}-{copy}")));
        let mut free = copies.filter(|(_, key)| !self.state_keys.contains_key(key));
        let (copy, key) = free.next().unwrap_or((*last, base.clone()));
        self.state_keys.insert(base, copy);
        self.state_keys.insert(key.clone(), 1);
        key
    }
}

/// A hash of the conditions of a rule: the other keys of the rule do not change it.
fn fingerprint(fields: &Fields<'_>) -> u64 {
    let mut conditions: Vec<String> = Vec::new();
    for key in fields.table.keys() {
        let counts = matches!(key.role, Role::Condition | Role::Restriction)
            || key.name == "quoted"
            || (key.name == "to" && fields.table == Table::Schedule);
        if let Some(entry) = fields.entry(key.name).filter(|_| counts) {
            let mut text = format!("{}=", key.name);
            canonical(&entry.node, &mut text);
            conditions.push(text);
        }
    }
    // FNV-1a: the same in every version and on every machine, for the state is kept under it.
    conditions.join("\n").bytes().fold(0xcbf2_9ce4_8422_2325, |hash: u64, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

fn canonical(node: &Node, text: &mut String) {
    // Writing to a string cannot fail.
    let _ = match &node.value {
        Value::Text(value) => write!(text, "{value:?}"),
        Value::Integer(value) => write!(text, "{value}"),
        Value::Float(value) => write!(text, "{value}"),
        Value::Flag(value) => write!(text, "{value}"),
        Value::Date | Value::Unreadable => Ok(()),
        Value::Table(table) => {
            // The order of the names in a table means nothing.
            let mut entries: Vec<_> = table.entries.iter().collect();
            sort_by(&mut entries, |one, other| one.key.cmp(&other.key));
            for entry in entries {
                let _ = write!(text, "{:?}:", entry.key);
                canonical(&entry.node, text);
            }
            Ok(())
        }
        Value::List(items) => {
            // One text and a list of one text mean the same.
            for item in items {
                canonical(item, text);
            }
            Ok(())
        }
    };
}
