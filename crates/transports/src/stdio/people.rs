//! The account and its friends, as the settings state them.

use std::collections::BTreeMap;

use mynah_core::mention::{self, Mentioned, Names};
use mynah_core::{Called, CalledBy, Chat, Person, PersonId};

/// The account and its friends.
#[derive(Debug)]
pub(super) struct People {
    me: Option<String>,
    /// The id of each friend by the name in the rule file.
    friends: BTreeMap<String, String>,
    /// The other names that call the bot.
    names: CalledBy,
}

impl People {
    pub(super) fn new(
        me: Option<String>,
        friends: BTreeMap<String, String>,
        names: CalledBy,
    ) -> Self {
        Self { me, friends, names }
    }

    /// The name of the account, for people.
    pub(super) fn me(&self) -> String {
        let first = || self.names.names().first().cloned();
        self.me.clone().or_else(first).unwrap_or_default()
    }

    /// The person of an id. Only the settings give a name that rights depend on: any writer can claim another.
    pub(super) fn person(&self, id: &str, name: &str) -> Person {
        let certain = self.friends.iter().filter(|(_, friend)| *friend == id);
        let certain_names = certain.map(|(name, _)| name.clone()).collect();
        Person { certain_names, ..Person::stranger(id, name) }
    }

    /// The friend whom a name means.
    pub(super) fn called(&self, name: &str) -> Called {
        let id = self.friends.get(name);
        id.map_or(Called::Nobody, |id| Called::Certain(PersonId::from(id.as_str())))
    }

    /// The private chats of the friends.
    pub(super) fn chats(&self) -> impl Iterator<Item = Chat> {
        self.friends.iter().map(|(name, id)| private(id, name))
    }

    /// Whether a text calls the bot, and the text without the call.
    pub(super) fn hear(&self, text: &str) -> Mentioned {
        let names = self.names.names();
        let own: Vec<&str> = names.iter().chain(&self.me).map(String::as_str).collect();
        let bare = &own[..names.len()];
        if !mention::may_call(text, bare) {
            return Mentioned { called: false, text: text.trim().to_owned(), behind: None };
        }
        mention::find(text, Names { own: &own, bare, others: &[] })
    }
}

/// The private chat with a person.
pub(super) fn private(id: &str, name: &str) -> Chat {
    Chat::private(format!("private:{id}"), name)
}
