//! The lines that come in: the forms of `mynah replay`, the same with ids, and outcomes of actions.

use std::time::Duration;

use mynah_core::{
    Chat, Content, Event, EventBody, EventId, EventKind, MediaRef, MediaSource, Message, MessageId,
    MessageKind, Notice, NoticeKind, Origin, Person, Segment, Timestamp,
};
use serde::Deserialize;
use thiserror::Error;

use super::people::{People, private};

/// The person of a line that names none.
const UNNAMED: &str = "somebody";

/// A line as written: an event, or the outcome of an action. `mynah replay` reads the same lines.
#[derive(Debug, Default, Deserialize)]
pub struct Line {
    text: Option<String>,
    group: Option<String>,
    chat: Option<WrittenChat>,
    from: Option<From>,
    at_me: Option<bool>,
    #[serde(rename = "type")]
    kind: Option<String>,
    event: Option<String>,
    time: Option<String>,
    id: Option<Id>,
    outcome: Option<OutcomeWord>,
    message: Option<Id>,
    reason: Option<String>,
    retry_after: Option<f64>,
}

/// A chat by its id.
#[derive(Debug, Deserialize)]
struct WrittenChat {
    id: Id,
    name: Option<String>,
    #[serde(default)]
    group: bool,
}

/// A person by name, or by id.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum From {
    Name(String),
    Person { id: Id, name: Option<String> },
}

/// An id as written: numbers are as good as text.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Id {
    Text(String),
    Number(serde_json::Number),
}

impl Id {
    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.to_string(),
        }
    }
}

/// The words of `outcome`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum OutcomeWord {
    Delivered,
    NotSent,
    TooFrequent,
    Refused,
    Unknown,
}

/// The outcome of an action, as its line reports it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Answer {
    /// It was done; the id of the new message, where there is one.
    Delivered(Option<MessageId>),
    /// It took no effect and may be tried again.
    NotSent { reason: String, retry_after: Option<Duration> },
    /// It took no effect, since the account sends too often.
    TooFrequent { retry_after: Option<Duration> },
    /// It is refused for good.
    Refused { reason: String },
    /// It may have taken effect.
    Unknown { reason: String },
}

/// The meaning of a line.
#[derive(Debug, PartialEq)]
pub(super) enum Meaning {
    /// Something happened in a chat.
    Event(Event),
    /// An action was performed, or not.
    Outcome { action: String, answer: Answer },
}

/// A line without a meaning.
#[derive(Debug, Error)]
pub enum LineError {
    /// Another kind of value, or none.
    #[error("this is not a message: a JSON object is expected, like {{\"text\": \"…\"}}")]
    NoObject,
    /// No such object.
    #[error("this is not a message: {0}")]
    Json(#[from] serde_json::Error),
    /// An object that says nothing.
    #[error("one of text, type, event and outcome is needed")]
    Nothing,
    /// Two forms of the same thing.
    #[error("either chat or group")]
    TwoChats,
    /// An outcome of nothing.
    #[error("an outcome needs the id of its action")]
    NoAction,
    /// A value that means nothing.
    #[error("{key}: \"{found}\" is not valid (expected {expected})")]
    Value {
        /// The key.
        key: &'static str,
        /// The value.
        found: String,
        /// The values that mean something.
        expected: String,
    },
}

/// Reads lines for one account.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reader<'a> {
    /// The account and its friends.
    pub(super) people: &'a People,
    /// The time of a line that has none.
    pub(super) now: Timestamp,
}

impl Reader<'_> {
    /// The meaning of a line; `id` is that of an event which has none.
    pub(super) fn read(
        self,
        text: &str,
        id: impl FnOnce() -> String,
    ) -> Result<Meaning, LineError> {
        let line = Line::parse(text)?;
        if line.outcome.is_some() {
            return line.outcome();
        }
        if line.text.is_none() && line.kind.is_none() && line.event.is_none() {
            return Err(LineError::Nothing);
        }
        let id = line.id().unwrap_or_else(id);
        let time = line.time()?.unwrap_or(self.now);
        let body = self.body(&line, &id)?;
        Ok(Meaning::Event(Event { id: EventId::new(id), time, body }))
    }

    fn body(self, line: &Line, id: &str) -> Result<EventBody, LineError> {
        let person = self.person(line);
        let chat = line.chat(&person)?;
        match line.event()? {
            Some(kind) => {
                let kind = line.notice(kind, &person);
                Ok(EventBody::Notice(Notice { chat, person: Some(person), kind }))
            }
            None => self.message(line, id, chat, person).map(EventBody::Message),
        }
    }

    fn person(self, line: &Line) -> Person {
        match &line.from {
            None => self.people.person(UNNAMED, UNNAMED),
            Some(From::Name(name)) if name.is_empty() => self.people.person(UNNAMED, UNNAMED),
            Some(From::Name(name)) => self.people.person(name, name),
            Some(From::Person { id, name }) => {
                let id = id.text();
                self.people.person(&id, name.as_deref().unwrap_or(&id))
            }
        }
    }

    fn message(
        self,
        line: &Line,
        id: &str,
        chat: Chat,
        sender: Person,
    ) -> Result<Message, LineError> {
        let text = line.text();
        let kind = line.kind()?;
        let is_text = kind == MessageKind::Text;
        let content = if is_text { Content::typed(text) } else { Content(vec![sample(kind)]) };
        let heard = self.people.hear(&content.plain_text());
        let called = !chat.is_group() || line.at_me.unwrap_or(heard.called);
        let behind_name = heard.behind.filter(|_| is_text && called);
        let text = match (is_text, called) {
            (false, _) => String::new(),
            (true, true) => heard.text,
            // A name in the text that was not a call is part of the text.
            (true, false) => content.plain_text().trim().to_owned(),
        };
        let (id, origin) = (MessageId::new(id), Origin::Person);
        Ok(Message { id, chat, sender, origin, content, text, called, behind_name })
    }
}

impl Line {
    /// Reads a line.
    ///
    /// # Errors
    ///
    /// [`LineError::NoObject`] if it is not an object, [`LineError::Json`] if not one of this form.
    pub fn parse(text: &str) -> Result<Self, LineError> {
        // A list would be read as the keys in their order.
        if !text.trim_start().starts_with('{') {
            return Err(LineError::NoObject);
        }
        Ok(serde_json::from_str(text)?)
    }

    /// The text; empty if there is none.
    #[must_use]
    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }

    /// The name of the group, else its id; `None` for a private chat.
    #[must_use]
    pub fn group(&self) -> Option<String> {
        let by_id = || {
            let chat = self.chat.as_ref().filter(|chat| chat.group)?;
            Some(chat.name.clone().unwrap_or_else(|| chat.id.text()))
        };
        self.group.clone().or_else(by_id).filter(|group| !group.is_empty())
    }

    /// The name of the person, else the id; `None` if the line has neither.
    #[must_use]
    pub fn person(&self) -> Option<String> {
        let person = match self.from.as_ref()? {
            From::Name(name) => name.clone(),
            From::Person { id, name } => name.clone().unwrap_or_else(|| id.text()),
        };
        Some(person).filter(|person| !person.is_empty())
    }

    /// Whether the bot is called; `None` if the text decides.
    #[must_use]
    pub fn at_me(&self) -> Option<bool> {
        self.at_me
    }

    /// The id.
    #[must_use]
    pub fn id(&self) -> Option<String> {
        self.id.as_ref().map(Id::text)
    }

    /// The kind of the message.
    ///
    /// # Errors
    ///
    /// [`LineError::Value`] for an unknown word.
    pub fn kind(&self) -> Result<MessageKind, LineError> {
        self.kind.as_deref().map_or(Ok(MessageKind::Text), message_kind)
    }

    /// The kind of an event that is not a message.
    ///
    /// # Errors
    ///
    /// [`LineError::Value`] for an unknown word.
    pub fn event(&self) -> Result<Option<EventKind>, LineError> {
        self.event.as_deref().filter(|word| *word != "message").map(event_kind).transpose()
    }

    /// The time.
    ///
    /// # Errors
    ///
    /// [`LineError::Value`] for a text that is not a time.
    pub fn time(&self) -> Result<Option<Timestamp>, LineError> {
        self.time.as_deref().map(moment).transpose()
    }

    fn chat(&self, person: &Person) -> Result<Chat, LineError> {
        let group = self.group.as_deref().filter(|group| !group.is_empty());
        match (&self.chat, group) {
            (Some(_), Some(_)) => Err(LineError::TwoChats),
            (Some(WrittenChat { id, name, group }), None) => {
                let id = id.text();
                let name = name.clone().unwrap_or_else(|| match group {
                    true => id.clone(),
                    false => person.name.clone(),
                });
                Ok(if *group { Chat::group(id, name) } else { Chat::private(id, name) })
            }
            (None, Some(group)) => Ok(Chat::group(format!("group:{group}"), group)),
            (None, None) => Ok(private(person.id.as_str(), &person.name)),
        }
    }

    fn notice(&self, kind: EventKind, person: &Person) -> NoticeKind {
        let text = self.text().to_owned();
        match kind {
            EventKind::Join => NoticeKind::Join { people: vec![person.clone()] },
            EventKind::Leave => NoticeKind::Leave { people: vec![person.clone()] },
            EventKind::Rename => NoticeKind::Rename { name: text },
            EventKind::Recall => {
                let message = self.message.as_ref().map_or_else(String::new, Id::text);
                NoticeKind::Recall { message: MessageId::new(message), original: None }
            }
            EventKind::FriendRequest => {
                let ticket = person.id.as_str().to_owned();
                NoticeKind::FriendRequest { greeting: text, ticket }
            }
            EventKind::Pat => NoticeKind::Pat { me: self.at_me.unwrap_or(true), text },
            EventKind::RedPacket => NoticeKind::RedPacket,
        }
    }

    fn outcome(self) -> Result<Meaning, LineError> {
        let action = self.id.as_ref().map(Id::text).ok_or(LineError::NoAction)?;
        let reason = self.reason.unwrap_or_else(|| "the reader gave no reason".to_owned());
        let retry_after = self.retry_after.and_then(|s| Duration::try_from_secs_f64(s).ok());
        let answer = match self.outcome {
            Some(OutcomeWord::Delivered) => {
                Answer::Delivered(self.message.as_ref().map(|id| MessageId::new(id.text())))
            }
            Some(OutcomeWord::NotSent) => Answer::NotSent { reason, retry_after },
            Some(OutcomeWord::TooFrequent) => Answer::TooFrequent { retry_after },
            Some(OutcomeWord::Refused) => Answer::Refused { reason },
            Some(OutcomeWord::Unknown) | None => Answer::Unknown { reason },
        };
        Ok(Meaning::Outcome { action, answer })
    }
}

fn moment(text: &str) -> Result<Timestamp, LineError> {
    let parsed: Result<jiff::Timestamp, _> = text.parse();
    let expected = "a time like 2026-11-23T09:00:00+08:00".to_owned();
    let wrong = |_| LineError::Value { key: "time", found: text.to_owned(), expected };
    parsed.map(|moment| Timestamp::from_millis(moment.as_millisecond())).map_err(wrong)
}

fn event_kind(word: &str) -> Result<EventKind, LineError> {
    EventKind::from_word(word).ok_or_else(|| LineError::Value {
        key: "event",
        found: word.to_owned(),
        expected: EventKind::WORDS.join(", "),
    })
}

fn message_kind(word: &str) -> Result<MessageKind, LineError> {
    MessageKind::from_word(word).ok_or_else(|| {
        let words: Vec<&str> = MessageKind::ALL.iter().map(|(_, word)| *word).collect();
        LineError::Value { key: "type", found: word.to_owned(), expected: words.join(", ") }
    })
}

/// Content of a kind, whose media cannot be fetched.
fn sample(kind: MessageKind) -> Segment {
    let media = || MediaRef { source: MediaSource::Service(String::new()), name: None, size: None };
    match kind {
        MessageKind::Text => Segment::Text { text: String::new() },
        MessageKind::Image => Segment::Image(media()),
        MessageKind::Voice => Segment::Voice(media()),
        MessageKind::Video => Segment::Video(media()),
        MessageKind::File => Segment::File(media()),
        MessageKind::Emoji => Segment::Sticker(media()),
        MessageKind::Card => Segment::Card { name: String::new() },
        MessageKind::Link => {
            Segment::Link { title: String::new(), description: String::new(), url: String::new() }
        }
        MessageKind::Location => {
            Segment::Location { label: String::new(), latitude: 0.0, longitude: 0.0 }
        }
        MessageKind::Other => Segment::Raw { kind: "other".to_owned(), text: String::new() },
    }
}
