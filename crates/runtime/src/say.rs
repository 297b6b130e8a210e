//! A message that the operator sends as the bot: an event like any other, whose turn is one action.

use std::time::Duration;

use mynah_core::{Action, Chat, Content, Due, Event, EventBody, EventId, Planned, Timestamp};

/// The name that marks such an event. Handlers do not get it.
const NAME: &str = "runtime.say";

/// An event whose turn sends `content` to `chat`. Give it to a running account with
/// [`Control::inject`](crate::Control), or accept it into the store of a stopped one, which sends it at the next start.
///
/// `id` must be new: an id is sent only once.
#[must_use]
pub fn say(id: EventId, chat: Chat, content: &Content, now: Timestamp) -> Event {
    let data = serde_json::to_string(content).unwrap_or_default();
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
    let content = serde_json::from_str(&due.data).ok()?;
    let chat = due.chat.as_ref()?.id.clone();
    let action = Action::Send { content };
    Some(Planned { chat, action, delay: Duration::ZERO, is_reply: false })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_said_comes_out_as_an_action() {
        let chat = Chat::group("g", "Group");
        let event = say("s".into(), chat, &Content::text("hello"), Timestamp::default());
        let action = Action::Send { content: Content::text("hello") };
        assert_eq!(planned(&event).map(|planned| planned.action), Some(action));
        assert_eq!(event.lane().as_str(), "g");
    }
}
