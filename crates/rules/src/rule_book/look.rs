//! What of an event the conditions look at.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use jiff::Zoned;
use jiff::tz::TimeZone;
use mynah_core::{
    Chat, Event, EventBody, Message, MessageKind, Notice, NoticeKind, Person, Timestamp,
};

use crate::model::EventKind;
use mynah_matching::Text;

/// What an event is, in the words of `type` and `event`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    /// A message of that kind.
    Message(MessageKind),
    /// Something else of that kind.
    Notice(EventKind),
}

/// What of an event the conditions look at.
#[derive(Debug)]
pub(crate) struct Look<'e> {
    pub(crate) subject: Subject,
    pub(crate) chat: &'e Chat,
    pub(crate) person: Option<&'e Person>,
    pub(crate) called: bool,
    /// The text that conditions are about.
    pub(crate) text: Text<'e>,
    pub(crate) message: Option<&'e Message>,
    pub(crate) notice: Option<&'e Notice>,
    /// The only rules and dialogs that work in this chat.
    pub(crate) only: Option<&'e BTreeSet<String>>,
    pub(crate) now: Timestamp,
    zone: &'e TimeZone,
    clock: OnceCell<Zoned>,
}

impl<'e> Look<'e> {
    /// Looks at an event at a moment; `None` for what no condition can be about.
    pub(crate) fn new(
        event: &'e Event,
        now: Timestamp,
        zone: &'e TimeZone,
        hant: bool,
    ) -> Option<Self> {
        let (subject, chat, person, called, text) = match &event.body {
            EventBody::Message(message) => {
                let Message { chat, sender, called, text, .. } = message;
                (Subject::Message(message.kind()), chat, Some(sender), *called, text.as_str())
            }
            EventBody::Notice(notice) => {
                let kind = EventKind::from_word(notice.kind.word())?;
                let called = matches!(notice.kind, NoticeKind::Pat { me: true, .. })
                    || !notice.chat.is_group();
                (
                    Subject::Notice(kind),
                    &notice.chat,
                    notice.person.as_ref(),
                    called,
                    text_of(&notice.kind),
                )
            }
            EventBody::Due(_) | EventBody::Started => return None,
        };
        let notice = if let EventBody::Notice(notice) = &event.body { Some(notice) } else { None };
        Some(Self {
            subject,
            chat,
            person,
            called,
            text: Text::new(text, hant),
            message: event.message(),
            notice,
            only: None,
            now,
            zone,
            clock: OnceCell::new(),
        })
    }

    /// The time in the bot's zone.
    pub(crate) fn clock(&self) -> &Zoned {
        self.clock.get_or_init(|| zoned(self.now, self.zone))
    }
}

/// A moment as clock and calendar of a zone show it.
pub(crate) fn zoned(at: Timestamp, zone: &TimeZone) -> Zoned {
    let instant = jiff::Timestamp::from_millisecond(at.as_millis()).unwrap_or_default();
    instant.to_zoned(zone.clone())
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
