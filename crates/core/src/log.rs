//! The log of a store: queries, pages and entries.

use serde::Serialize;

use crate::{Action, ChatId, Decided, Event, EventBody, EventId, EventKind, PersonId, Timestamp};

/// A query for a page of the log. An entry must fit all given filters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogQuery {
    /// The id of the event or of its message.
    pub id: Option<String>,
    /// The chat of the event.
    pub chat: Option<ChatId>,
    /// The person who caused the event.
    pub person: Option<PersonId>,
    /// The rule that decided about the event.
    pub rule: Option<String>,
    /// The kind of event.
    pub kind: Option<LogKind>,
    /// A text in the event or in a reply of the rules, in capitals or not.
    pub text: Option<String>,
    /// Accepted at this moment or later.
    pub since: Option<Timestamp>,
    /// Accepted before this moment.
    pub until: Option<Timestamp>,
    /// The largest number of entries in the page; at least 1.
    pub limit: u32,
    /// Where the page begins, and in which direction the next one is.
    pub from: LogPlace,
}

impl Default for LogQuery {
    /// The newest entries.
    fn default() -> Self {
        Self {
            id: None,
            chat: None,
            person: None,
            rule: None,
            kind: None,
            text: None,
            since: None,
            until: None,
            limit: Self::LIMIT,
            from: LogPlace::Newest,
        }
    }
}

impl LogQuery {
    /// The usual number of entries in a page.
    pub const LIMIT: u32 = 500;

    /// A query for the whole log, the oldest page first.
    #[must_use]
    pub fn from_the_start() -> Self {
        Self { from: LogPlace::After(i64::MIN), ..Self::default() }
    }

    /// Whether an entry fits the filters; the place is not one of them.
    #[must_use]
    pub fn fits(&self, entry: &Logged) -> bool {
        let Logged { event, accepted, decided, .. } = entry;
        let rule = decided.as_ref().and_then(|decided| decided.rule.as_ref());
        self.id.as_ref().is_none_or(|id| event.is_called(id))
            && self.chat.as_ref().is_none_or(|id| event.chat().is_some_and(|chat| chat.id == *id))
            && (self.person.as_ref())
                .is_none_or(|id| event.person().is_some_and(|person| person.id == *id))
            && self.rule.as_ref().is_none_or(|id| rule == Some(id))
            && self.kind.is_none_or(|kind| LogKind::of(event) == kind)
            && self.since.is_none_or(|since| *accepted >= since)
            && self.until.is_none_or(|until| *accepted < until)
            && self.text.as_ref().is_none_or(|text| entry.has_text(text))
    }
}

/// The place of a page in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogPlace {
    /// The last entries.
    Newest,
    /// The last entries before this number.
    Before(i64),
    /// The first entries after this number.
    After(i64),
}

impl LogPlace {
    /// Whether the next page has newer entries.
    #[must_use]
    pub const fn is_forward(self) -> bool {
        matches!(self, Self::After(_))
    }
}

/// The kind of an event in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogKind {
    /// A message.
    Message,
    /// A notice of a kind that rules can refer to.
    Notice(EventKind),
    /// A notice for which the transport has no type.
    Raw,
    /// A timer that was due.
    Due,
    /// The start of the bot, or new rules.
    Started,
}

impl LogKind {
    /// The kind of an event.
    #[must_use]
    pub fn of(event: &Event) -> Self {
        match &event.body {
            EventBody::Message(_) => Self::Message,
            EventBody::Notice(notice) => notice.kind.event_kind().map_or(Self::Raw, Self::Notice),
            EventBody::Due(_) => Self::Due,
            EventBody::Started => Self::Started,
        }
    }

    /// All kinds.
    pub fn all() -> impl Iterator<Item = Self> {
        let notices = EventKind::ALL.iter().copied().map(Self::Notice);
        [Self::Message].into_iter().chain(notices).chain([Self::Raw, Self::Due, Self::Started])
    }

    /// The word for it, which is also in the stored form of the event.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Notice(kind) => kind.word(),
            Self::Raw => "raw",
            Self::Due => "due",
            Self::Started => "started",
        }
    }

    /// The kind for a word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::all().find(|kind| kind.word() == word)
    }
}

/// A page of the log, oldest first.
#[derive(Debug, Clone, PartialEq)]
pub struct LogPage {
    /// The entries that fit and whose event this version can read.
    pub entries: Vec<Logged>,
    /// The entries that may fit and are partly unreadable: the event, the decision or an action. Callers must report
    /// them. One with a readable event that fits is among the entries, too.
    pub unreadable: Vec<Unreadable>,
    /// Where the next page begins. A page that goes forward and is the last one can be asked for again later, from
    /// this place, to follow the log.
    pub next: LogPlace,
    /// Whether there may be entries behind `next`. A page can be empty and have a next one, since a store looks at a
    /// limited number of entries in one call.
    pub more: bool,
}

/// An entry of the log in an unknown form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// Its number in the log.
    pub seq: i64,
    /// The id of its event.
    pub id: EventId,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// The unreadable part, and the reason.
    pub why: String,
}

/// An event of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Logged {
    /// Its number in the log, rising.
    pub seq: i64,
    /// The event itself.
    pub event: Event,
    /// When it was accepted.
    pub accepted: Timestamp,
    /// When it was handled; `None` while it waits.
    pub handled: Option<Timestamp>,
    /// The decision of the rules.
    pub decided: Option<Decided>,
    /// The actions of the turn.
    pub actions: Vec<LoggedAction>,
}

impl Logged {
    fn has_text(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let has = |of: &str| of.to_lowercase().contains(&text);
        let replies = self.decided.iter().flat_map(|decided| &decided.replies);
        has(&self.event.plain_text()) || replies.into_iter().any(|reply| has(reply))
    }
}

/// An action of the log.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoggedAction {
    /// The chat of the action.
    pub chat: ChatId,
    /// The content; `None` after its text was dropped.
    pub action: Option<Action>,
    /// When it was settled; `None` while it waits.
    pub settled: Option<Timestamp>,
    /// The outcome.
    pub outcome: Option<String>,
    /// The reason of the outcome.
    pub reason: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Chat, Content, Message, Notice, NoticeKind, Origin, Person};

    fn entry() -> Logged {
        let message = Message {
            id: "m".into(),
            chat: Chat::group("g", "Shop"),
            sender: Person::stranger("p", "Pat"),
            origin: Origin::Person,
            content: Content::text("The PRICE?"),
            text: "The PRICE?".to_owned(),
            called: false,
            behind_name: None,
        };
        let accepted = Timestamp::from_secs(10);
        let decided = Decided {
            rule: Some("price".to_owned()),
            replies: vec!["See the list".to_owned()],
            ..Decided::default()
        };
        Logged {
            seq: 1,
            event: Event { id: "e".into(), time: accepted, body: EventBody::Message(message) },
            accepted,
            handled: Some(accepted),
            decided: Some(decided),
            actions: Vec::new(),
        }
    }

    #[test]
    fn every_filter_can_refuse_an_entry() {
        let all = LogQuery::default();
        let at = |secs| Some(Timestamp::from_secs(secs));
        let text = |text: &str| Some(text.to_owned());
        let fitting = [
            LogQuery { id: text("e"), ..all.clone() },
            LogQuery { id: text("m"), ..all.clone() },
            LogQuery { chat: Some("g".into()), ..all.clone() },
            LogQuery { person: Some("p".into()), ..all.clone() },
            LogQuery { rule: text("price"), ..all.clone() },
            LogQuery { kind: Some(LogKind::Message), ..all.clone() },
            LogQuery { text: text("price"), ..all.clone() },
            LogQuery { text: text("the LIST"), ..all.clone() },
            LogQuery { since: at(10), until: at(11), ..all.clone() },
        ];
        for query in fitting {
            assert!(query.fits(&entry()), "{query:?}");
        }
        let refusing = [
            LogQuery { id: text("g"), ..all.clone() },
            LogQuery { chat: Some("p".into()), ..all.clone() },
            LogQuery { person: Some("g".into()), ..all.clone() },
            LogQuery { rule: text("list"), ..all.clone() },
            LogQuery { kind: Some(LogKind::Due), ..all.clone() },
            LogQuery { text: text("nothing"), ..all.clone() },
            LogQuery { since: at(11), ..all.clone() },
            LogQuery { until: at(10), ..all },
        ];
        for query in refusing {
            assert!(!query.fits(&entry()), "{query:?}");
        }
    }

    #[test]
    fn the_word_of_a_kind_is_in_the_stored_form() {
        let notice = |kind| Notice { chat: Chat::group("g", "Shop"), person: None, kind };
        let raw = NoticeKind::Raw { kind: "odd".to_owned(), text: String::new() };
        let bodies = [
            EventBody::Started,
            EventBody::Notice(notice(raw)),
            EventBody::Notice(notice(NoticeKind::RedPacket)),
            entry().event.body,
        ];
        for body in bodies {
            let event = Event { body, ..entry().event };
            let word = LogKind::of(&event).word();
            let stored = serde_json::to_string(&event.body).expect("JSON");
            assert!(stored.contains(&format!("\"{word}\"")), "{word}: {stored}");
        }
        for kind in LogKind::all() {
            assert_eq!(LogKind::from_word(kind.word()), Some(kind));
        }
    }
}
