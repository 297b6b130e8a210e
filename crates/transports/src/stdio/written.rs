//! The lines that go out: one object an action.

use mynah_core::{Action, Content, MessageId, Outgoing, Person};
use serde::Serialize;

/// A line.
#[derive(Debug, Serialize)]
struct Line<'a> {
    id: String,
    chat: &'a str,
    action: Written<'a>,
}

/// An action as written.
#[derive(Debug, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Written<'a> {
    /// Say something.
    Send {
        /// The text alone, for readers that need no more.
        text: String,
        content: &'a Content,
    },
    /// Recall a message: of the bot, or of that sender.
    Recall {
        message: &'a MessageId,
        #[serde(skip_serializing_if = "Option::is_none")]
        sender: Option<&'a Person>,
    },
    /// Remove a person from the group.
    Kick { person: &'a Person },
    /// Invite a person into the group.
    Invite { person: &'a Person },
    /// Accept a friend request.
    AcceptFriend { ticket: &'a str },
}

/// The line of an action; `None` for one that is the runner's own.
pub(super) fn line(outgoing: &Outgoing) -> Option<String> {
    let action = match &outgoing.action {
        Action::Send { content } => Written::Send { text: content.plain_text(), content },
        Action::Recall { message, sender } => Written::Recall { message, sender: sender.as_ref() },
        Action::Kick { person } => Written::Kick { person },
        Action::Invite { person } => Written::Invite { person },
        Action::AcceptFriend { ticket } => Written::AcceptFriend { ticket },
        Action::Save { .. } => return None,
    };
    let line = Line { id: outgoing.id.to_string(), chat: outgoing.chat.as_str(), action };
    // Texts under fixed names: there is nothing in it that cannot be written.
    serde_json::to_string(&line).ok().map(|line| line + "\n")
}
