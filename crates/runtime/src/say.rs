//! An action of the program itself: an event like any other, whose turn is this one action.

use std::time::Duration;

use mynah_core::{Action, Chat, Content, Due, Event, EventBody, EventId, Planned, Timestamp};

/// The name that marks such an event. Handlers do not get it.
const NAME: &str = "runtime.perform";

/// An event whose turn sends `content` to `chat`, for the store of an account that does not run: it is sent at the next
/// start. A running account gets it by [`Perform::perform`](mynah_core::Perform) of its [`Control`](crate::Control).
///
/// `id` must be new: an id is sent only once.
#[must_use]
pub fn say(id: EventId, chat: Chat, content: Content, now: Timestamp) -> Event {
    let planned = saying(&chat, content);
    performed(id, chat, &planned, now)
}

/// The action of sending `content` to `chat`, not as a reply: it does not expire.
#[must_use]
pub fn saying(chat: &Chat, content: Content) -> Planned {
    let action = Action::Send { content };
    Planned { chat: chat.id.clone(), action, delay: Duration::ZERO, is_reply: false }
}

/// The event whose turn is this action.
pub(crate) fn performed(id: EventId, chat: Chat, planned: &Planned, now: Timestamp) -> Event {
    let data = serde_json::to_string(planned).unwrap_or_default();
    let key = id.as_str().to_owned();
    let due = Due { key, at: now, chat: Some(chat), person: None, name: NAME.to_owned(), data };
    Event { id, time: now, body: EventBody::Due(due) }
}

/// The action of such an event, if it is one.
pub(crate) fn planned(event: &Event) -> Option<Planned> {
    let EventBody::Due(due) = &event.body else { return None };
    if due.name != NAME {
        return None;
    }
    serde_json::from_str(&due.data).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_said_comes_out_as_an_action() {
        let chat = Chat::group("g", "Group");
        let event = say("s".into(), chat.clone(), Content::text("hello"), Timestamp::default());
        assert_eq!(planned(&event), Some(saying(&chat, Content::text("hello"))));
        assert_eq!(event.lane().as_str(), "g");
    }
}
