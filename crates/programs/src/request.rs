//! The request to a handler: one JSON object.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use mynah_core::{
    Captures, Chat, ChatKind, Content, Event, EventBody, MediaRef, NoticeKind, Person, Segment,
};
use serde::Serialize;
use serde_json::{Value, json};

/// The request to a handler.
#[derive(Debug, Serialize)]
pub(crate) struct Request<'a> {
    pub(crate) v: u32,
    pub(crate) id: &'a str,
    pub(crate) handler: &'a str,
    pub(crate) account: &'a str,
    pub(crate) event: EventFields<'a>,
    pub(crate) captures: &'a Captures,
    pub(crate) args: &'a Captures,
    pub(crate) vars: BTreeMap<String, String>,
    pub(crate) seed: u64,
    pub(crate) settings: &'a BTreeMap<String, String>,
}

/// The event of a request.
#[derive(Debug, Serialize)]
pub(crate) struct EventFields<'a> {
    id: &'a str,
    kind: &'a str,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    chat: Option<ChatFields<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sender: Option<PersonFields<'a>>,
    text: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    segments: Vec<Value>,
    called: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    people: Vec<PersonFields<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    data: Option<Value>,
}

#[derive(Debug, Serialize)]
struct ChatFields<'a> {
    id: &'a str,
    name: &'a str,
    group: bool,
}

#[derive(Debug, Serialize)]
struct PersonFields<'a> {
    id: &'a str,
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    is_admin: Option<bool>,
}

/// The facts about an event that it does not carry itself.
pub(crate) struct Around<'a> {
    /// The name of the handler: its own later calls are of kind `due`.
    pub(crate) handler: &'a str,
    /// Whether the sender is an admin.
    pub(crate) is_admin: bool,
    /// The files of the message on this machine, by the number of their segment.
    pub(crate) files: &'a BTreeMap<usize, PathBuf>,
}

impl<'a> EventFields<'a> {
    /// The event as a handler sees it.
    pub(crate) fn of(event: &'a Event, around: &Around<'a>) -> Self {
        let message = event.message();
        let text = message.map_or_else(|| text(&event.body), |message| message.text.clone());
        Self {
            id: event.id.as_str(),
            kind: kind(event, around.handler),
            time: event.time.to_string(),
            chat: event.chat().map(chat_fields),
            sender: event.person().map(|person| person_fields(person, Some(around.is_admin))),
            text,
            segments: message
                .map_or_else(Vec::new, |message| segments(&message.content, around.files)),
            called: message.is_some_and(|message| message.called),
            people: people(&event.body),
            data: data(event, around.handler),
        }
    }
}

/// The word for the kind of an event.
fn kind<'a>(event: &'a Event, handler: &str) -> &'a str {
    match &event.body {
        EventBody::Message(_) => "message",
        EventBody::Notice(notice) => notice.kind.word(),
        EventBody::Due(due) if due.name == handler => "due",
        EventBody::Due(_) => "schedule",
        EventBody::Started => "started",
    }
}

/// The words that came with a notice.
fn text(body: &EventBody) -> String {
    let EventBody::Notice(notice) = body else { return String::new() };
    match &notice.kind {
        NoticeKind::Rename { name: text }
        | NoticeKind::FriendRequest { greeting: text, .. }
        | NoticeKind::Pat { text, .. }
        | NoticeKind::Raw { text, .. } => text.clone(),
        NoticeKind::Recall { original, .. } => {
            original.as_ref().map(|message| message.text.clone()).unwrap_or_default()
        }
        NoticeKind::Join { .. } | NoticeKind::Leave { .. } | NoticeKind::RedPacket => String::new(),
    }
}

/// Those who joined or left.
fn people(body: &EventBody) -> Vec<PersonFields<'_>> {
    let EventBody::Notice(notice) = body else { return Vec::new() };
    match &notice.kind {
        NoticeKind::Join { people } | NoticeKind::Leave { people } => {
            people.iter().map(|person| person_fields(person, None)).collect()
        }
        _ => Vec::new(),
    }
}

/// The data of the handler's own later call.
fn data(event: &Event, handler: &str) -> Option<Value> {
    match &event.body {
        EventBody::Due(due) if due.name == handler => {
            Some(serde_json::from_str(&due.data).unwrap_or(Value::String(due.data.clone())))
        }
        _ => None,
    }
}

fn chat_fields(chat: &Chat) -> ChatFields<'_> {
    ChatFields { id: chat.id.as_str(), name: &chat.name, group: chat.kind == ChatKind::Group }
}

fn person_fields(person: &Person, is_admin: Option<bool>) -> PersonFields<'_> {
    PersonFields { id: person.id.as_str(), name: &person.name, is_admin }
}

/// The pieces of a message, tagged by `is` as on the `stdio` service. Files carry a path only where they were fetched.
fn segments(content: &Content, files: &BTreeMap<usize, PathBuf>) -> Vec<Value> {
    let told = content.0.iter().enumerate().map(|(n, segment)| match segment {
        Segment::Image(media) => file_fields("image", media, files.get(&n)),
        Segment::Voice(media) => file_fields("voice", media, files.get(&n)),
        Segment::Video(media) => file_fields("video", media, files.get(&n)),
        Segment::File(media) => file_fields("file", media, files.get(&n)),
        Segment::Sticker(media) => file_fields("sticker", media, files.get(&n)),
        other => serde_json::to_value(other).unwrap_or_default(),
    });
    told.collect()
}

fn file_fields(is: &str, media: &MediaRef, path: Option<&PathBuf>) -> Value {
    let path = path.map(|path| Path::to_string_lossy(path).into_owned());
    json!({ "is": is, "name": media.name, "size": media.size, "path": path })
}
