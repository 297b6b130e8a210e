//! The values that the people of a chat have under one key.

use crate::{Change, ChatId, Person, PersonId, Scope, Write, add};

/// The values under one key of the people in a chat; the one that changed last is the last.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemberValues {
    /// A value for each person who has one that has not expired.
    pub values: Vec<MemberValue>,
    /// Whether more than [`MemberValues::MOST`] people have a value, so that some are left out.
    pub is_cut: bool,
}

/// The value that a person has under a key in a chat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberValue {
    /// The person.
    pub person: PersonId,
    /// The name of the person when the value last changed, as [`kept_name`] gives it. Empty if the value is older than
    /// the names and no event of the person was kept.
    pub name: String,
    /// The value as text.
    pub text: String,
}

impl MemberValues {
    /// A store returns the values of at most so many people: the first in the order of their ids.
    pub const MOST: usize = 10_000;

    /// Makes a change that a turn of this person requested, if it is about this key.
    pub fn apply(&mut self, key: &str, person: Option<&Person>, write: &Write) {
        if write.scope != Scope::Person || write.key != key {
            return;
        }
        if write.change == Change::RemoveOfAll {
            *self = Self::default();
            return;
        }
        let Some(person) = person else { return };
        let place = self.values.iter().position(|value| value.person == person.id);
        let before = place.map(|place| self.values.remove(place).text);
        let text = match &write.change {
            Change::Set(text) => text.clone(),
            Change::Add(by) => add(before.as_deref(), *by),
            Change::Remove | Change::RemoveOfAll => return,
        };
        let name = kept_name(&person.name);
        self.values.push(MemberValue { person: person.id.clone(), name, text });
    }
}

/// The most characters of a name that is kept beside a value.
const LONGEST_NAME: usize = 30;

/// The form in which the name of a person is kept beside a value: one line, at most 30 characters.
#[must_use]
pub fn kept_name(name: &str) -> String {
    let words = name.split(|c: char| c.is_whitespace() || c.is_control());
    let mut kept = String::with_capacity(name.len());
    for word in words.filter(|word| !word.is_empty()) {
        if !kept.is_empty() {
            kept.push(' ');
        }
        kept.push_str(word);
    }
    if let Some((end, _)) = kept.char_indices().nth(LONGEST_NAME) {
        kept.truncate(end);
    }
    kept
}

/// The chat whose people's values are asked for, and the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberQuery {
    /// The chat.
    pub chat: ChatId,
    /// The keys; an answer has the values under each of them, in the same order.
    pub keys: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(changes: &[(&str, Change)]) -> Vec<(String, String)> {
        let mut all = MemberValues::default();
        for (name, change) in changes {
            let person = Person::stranger(*name, *name);
            let write = Write {
                scope: Scope::Person,
                key: "x".to_owned(),
                change: change.clone(),
                expires: None,
            };
            all.apply("x", Some(&person), &write);
            all.apply("y", Some(&person), &write);
        }
        all.values.into_iter().map(|value| (value.name, value.text)).collect()
    }

    #[test]
    fn changes_of_a_turn_count() {
        let set = |text: &str| Change::Set(text.to_owned());
        let shown = |pairs: &[(&str, &str)]| -> Vec<(String, String)> {
            pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
        };
        assert_eq!(
            changed(&[("a", set("1")), ("b", Change::Add(2))]),
            shown(&[("a", "1"), ("b", "2")])
        );
        let again = [("a", set("1")), ("b", set("2")), ("a", Change::Add(4))];
        assert_eq!(
            changed(&again),
            shown(&[("b", "2"), ("a", "5")]),
            "the last change is the last"
        );
        assert_eq!(changed(&[("a", set("1")), ("a", Change::Remove)]), []);
        let cleared = [("a", set("1")), ("b", Change::RemoveOfAll), ("c", set("3"))];
        assert_eq!(changed(&cleared), shown(&[("c", "3")]));
    }

    #[test]
    fn kept_names_are_one_short_line() {
        assert_eq!(kept_name("张三"), "张三");
        assert_eq!(kept_name(" a\n b\u{7}\tc "), "a b c");
        assert_eq!(kept_name(&"长".repeat(40)).chars().count(), 30);
        assert_eq!(kept_name("\n"), "");
    }
}
