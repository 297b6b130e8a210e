//! Bindings of names in a rule file to people, by nickname.

use serde::{Deserialize, Serialize};

use crate::{Change, PersonId, Scope, Write};

/// A name of a rule file that is bound to the first person with this nickname, so that another person cannot claim the
/// name by taking the nickname later. It is kept in the bot's state. A remark needs no binding and ends one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// The name, as in `admins`, `from`, `not_from` or `ignore`.
    pub name: String,
    /// The person.
    pub person: PersonId,
}

impl Binding {
    /// The prefix of the keys of bindings in the bot's state.
    pub const PREFIX: &str = "who:";

    /// The key of the binding of a name in the bot's state.
    #[must_use]
    pub fn key(name: &str) -> String {
        format!("{}{name}", Self::PREFIX)
    }

    /// The binding that a value of the bot's state represents, if it is one.
    #[must_use]
    pub fn read(key: &str, value: &str) -> Option<Self> {
        let name = key.strip_prefix(Self::PREFIX)?;
        Some(Self { name: name.to_owned(), person: PersonId::from(value) })
    }

    /// The binding that a write makes, if it makes one.
    #[must_use]
    pub fn made_by(write: &Write) -> Option<Self> {
        match (write.scope, &write.change) {
            (Scope::Bot, Change::Set(person)) => Self::read(&write.key, person),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_values_of_the_bot_under_its_keys_are_bindings() {
        let write =
            |scope, key: &str, change| Write { scope, key: key.to_owned(), change, expires: None };
        let set = || Change::Set("p1".to_owned());
        let bound = Binding { name: "老王".to_owned(), person: "p1".into() };
        assert_eq!(Binding::made_by(&write(Scope::Bot, &Binding::key("老王"), set())), Some(bound));
        assert_eq!(Binding::made_by(&write(Scope::Chat, &Binding::key("老王"), set())), None);
        assert_eq!(
            Binding::made_by(&write(Scope::Bot, &Binding::key("老王"), Change::Remove)),
            None
        );
        assert_eq!(Binding::made_by(&write(Scope::Bot, "bot.老王", set())), None);
    }
}
