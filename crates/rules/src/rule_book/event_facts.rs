//! The facts of an event that conditions test.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use jiff::Zoned;
use jiff::tz::TimeZone;
use mynah_core::{
    Chat, Event, EventBody, EventKind, Message, MessageKind, Notice, NoticeKind, Person, Timestamp,
};

use crate::likeness::Sentence;
use mynah_matching::fold::Folding;
use mynah_matching::{MAX_CHARACTERS, Text};

/// The kind of an event, in the words of `type` and `event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A message of that kind.
    Message(MessageKind),
    /// Something else of that kind.
    Notice(EventKind),
}

/// The facts of an event that conditions test. Those that few events have are on the heap.
#[derive(Debug)]
pub(crate) struct EventFacts<'e> {
    pub(crate) subject: Subject,
    pub(crate) chat: &'e Chat,
    pub(crate) person: Option<&'e Person>,
    pub(crate) called: bool,
    /// The words of the sender.
    pub(crate) text: Text<'e>,
    /// These words without the name of the bot at their beginning, if they begin with it.
    behind_name: Option<Box<Text<'e>>>,
    /// The words that the message quotes and the words of the sender, if it quotes any.
    pub(crate) whole: Option<Box<Text<'e>>>,
    pub(crate) message: Option<&'e Message>,
    pub(crate) notice: Option<&'e Notice>,
    /// The only rules and dialogs that work in this chat.
    pub(crate) only: Option<&'e BTreeSet<String>>,
    pub(crate) now: Timestamp,
    zone: &'e TimeZone,
    clock: OnceCell<Box<Zoned>>,
    /// The words of the sender taken apart, once a rule asks for their likeness.
    sentence: OnceCell<Box<Sentence>>,
}

/// The message or notice that an event is.
#[derive(Debug, Clone, Copy)]
pub(crate) struct About<'e> {
    pub(crate) message: Option<&'e Message>,
    notice: Option<&'e Notice>,
    subject: Subject,
    chat: &'e Chat,
    person: Option<&'e Person>,
    called: bool,
    text: &'e str,
}

impl<'e> About<'e> {
    /// `None` if no condition can be about the event.
    #[inline]
    pub(crate) fn of(event: &'e Event) -> Option<Self> {
        match &event.body {
            EventBody::Message(message) => Some(Self {
                message: Some(message),
                notice: None,
                subject: Subject::Message(message.kind()),
                chat: &message.chat,
                person: Some(&message.sender),
                called: message.called,
                text: &message.text,
            }),
            EventBody::Notice(notice) => Some(Self {
                message: None,
                notice: Some(notice),
                subject: Subject::Notice(notice.kind.event_kind()?),
                chat: &notice.chat,
                person: notice.person.as_ref(),
                called: matches!(notice.kind, NoticeKind::Pat { me: true, .. })
                    || !notice.chat.is_group(),
                text: text_of(&notice.kind),
            }),
            EventBody::Due(_) | EventBody::Started => None,
        }
    }
}

impl<'e> EventFacts<'e> {
    /// The facts of an event at a moment. `whole` is its [`whole_text`]. Inlined, because they are large to copy.
    #[inline]
    pub(crate) fn new(
        about: About<'e>,
        whole: Option<&'e str>,
        now: Timestamp,
        zone: &'e TimeZone,
        hant: bool,
    ) -> Self {
        let About { message, notice, subject, chat, person, called, text } = about;
        let boxed = |text| Box::new(Text::new(text, hant));
        Self {
            subject,
            chat,
            person,
            called,
            text: Text::new(text, hant),
            behind_name: message.and_then(behind_name).map(boxed),
            whole: whole.map(boxed),
            message,
            notice,
            only: None,
            now,
            zone,
            clock: OnceCell::new(),
            sentence: OnceCell::new(),
        }
    }

    /// The text that the conditions of a rule are about: with `quoted` the words that the message quotes belong to it.
    pub(crate) fn text_for(&self, quoted: bool) -> &Text<'e> {
        self.whole.as_deref().filter(|_| quoted).unwrap_or(&self.text)
    }

    /// The words behind the name of the bot: the conditions of a rule are about them first.
    pub(crate) fn text_behind_name(&self, quoted: bool) -> Option<&Text<'e>> {
        self.behind_name.as_deref().filter(|_| !(quoted && self.whole.is_some()))
    }

    /// The words of the sender taken apart; without the name of the bot at their beginning.
    pub(crate) fn sentence(&self) -> &Sentence {
        self.sentence.get_or_init(|| {
            let text = self.behind_name.as_deref().unwrap_or(&self.text);
            Sentence::new(text.as_str(), Folding::new(false, self.text.hant())).into()
        })
    }

    /// The time in the bot's zone.
    pub(crate) fn clock(&self) -> &Zoned {
        self.clock.get_or_init(|| zoned(self.now, self.zone).into())
    }
}

/// A moment as clock and calendar of a zone show it.
pub(crate) fn zoned(at: Timestamp, zone: &TimeZone) -> Zoned {
    let instant = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    instant.to_zoned(zone.clone())
}

fn behind_name(message: &Message) -> Option<&str> {
    message.text.get(message.behind_name?..)
}

fn text_of(kind: &NoticeKind) -> &str {
    match kind {
        NoticeKind::FriendRequest { greeting, .. } => greeting,
        NoticeKind::Pat { text, .. } | NoticeKind::Raw { text, .. } => text,
        NoticeKind::Rename { name } => name,
        NoticeKind::Recall { original, .. } => {
            original.as_ref().map_or("", |message| message.text.as_str())
        }
        NoticeKind::Join { .. } | NoticeKind::Leave { .. } | NoticeKind::RedPacket => "",
    }
}

/// The words that the message of an event quotes, with the name before each, and after them the words of its sender;
/// `None` if it quotes nothing.
pub(crate) fn whole_text(event: &Event) -> Option<String> {
    let message = match &event.body {
        EventBody::Message(message) => message,
        EventBody::Notice(Notice { kind: NoticeKind::Recall { original, .. }, .. }) => {
            original.as_deref()?
        }
        EventBody::Notice(_) | EventBody::Due(_) | EventBody::Started => return None,
    };
    // A long quote must not push the sender's own words out of the compared text.
    let quoted: String = message.content.quoted_text()?.chars().take(MAX_CHARACTERS / 2).collect();
    Some(format!("{quoted}\n{}", message.text))
}
