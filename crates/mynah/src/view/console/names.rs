//! The names of the chats of an account.

use std::collections::BTreeMap;

use mynah_core::{Chat, ChatId, to_map};

/// All chats of an account: those that the service lists now, and those that the log knows.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeMap<ChatId, Chat>);

impl Names {
    /// The service knows the names of today; the log also knows chats that the account has left.
    pub(super) fn new(logged: &[Chat], listed: &[Chat]) -> Self {
        let chats = logged.iter().chain(listed);
        Self(to_map(chats.map(|chat| (chat.id.clone(), chat.clone()))))
    }

    /// The name of a chat, or its id where nothing was heard of it or it has none.
    pub(super) fn of<'a>(&'a self, id: &'a ChatId) -> &'a str {
        let name = self.0.get(id).map(|chat| chat.name.as_str());
        name.filter(|name| !name.is_empty()).unwrap_or(id.as_str())
    }

    /// All of them.
    pub(super) fn chats(&self) -> impl Iterator<Item = &Chat> {
        self.0.values()
    }
}
