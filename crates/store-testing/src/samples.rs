//! Sample events, turns and actions for tests of a store.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use mynah_core::{
    Action, Change, Chat, ChatId, ClaimToken, Content, Decided, Effects, Event, EventBody, Message,
    Origin, Person, Planned, Scope, Step, Timer, Timestamp, Turn, Write,
};

/// The time at which every test begins.
pub(crate) const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// The time until which requests may be under way.
pub(crate) const UNTIL: Timestamp = Timestamp::from_secs(1_800_000_600);

/// Replies expire after this time.
pub(crate) const REPLY_MAX_AGE: Duration = Duration::from_secs(60);

/// A token that no claim had before.
pub(crate) fn token() -> ClaimToken {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    ClaimToken(NEXT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn chat(name: &str) -> Chat {
    Chat::group(name, format!("Group {name}"))
}

pub(crate) fn message(id: &str, group: &str, person: &str) -> Event {
    let text = format!("text of {id}");
    let body = EventBody::Message(Message {
        id: format!("message {id}").into(),
        chat: chat(group),
        sender: Person::stranger(person, person),
        origin: Origin::Person,
        content: Content::text(text.clone()),
        text,
        called: false,
        behind_name: None,
    });
    Event { id: id.into(), time: NOW, body }
}

pub(crate) fn send(to: &str, text: &str, delay: Duration, is_reply: bool) -> Step {
    let action = Action::Send { content: Content::text(text) };
    Step::Act(Planned { chat: ChatId::from(to), action, delay, is_reply })
}

pub(crate) fn save(to: &str, delay: Duration) -> Step {
    let action = Action::Save { file: "rows.csv".to_owned(), row: vec!["cell".to_owned()] };
    Step::Act(Planned { chat: ChatId::from(to), action, delay, is_reply: true })
}

pub(crate) fn reply(to: &str, text: &str) -> Step {
    send(to, text, Duration::ZERO, true)
}

pub(crate) fn write(scope: Scope, key: &str, change: Change, expires: Option<Timestamp>) -> Write {
    Write { scope, key: key.to_owned(), change, expires }
}

pub(crate) fn timer(group: &str, key: &str, at: Timestamp) -> Timer {
    Timer {
        key: key.to_owned(),
        at,
        chat: Some(chat(group)),
        person: None,
        name: "later".to_owned(),
        data: "data".to_owned(),
    }
}

pub(crate) fn turn(event: Event, effects: Effects) -> Turn {
    let reply_max_age = Some(REPLY_MAX_AGE);
    Turn { event, reads: Vec::new(), effects, decided: Decided::default(), reply_max_age }
}
