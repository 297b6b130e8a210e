//! What of an event the conditions look at, each form of the text made once and only when asked for.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use jiff::Zoned;
use jiff::tz::TimeZone;
use mynah_core::{
    Chat, Event, EventBody, Message, MessageKind, Notice, NoticeKind, Person, Timestamp,
};

use crate::fold::{Folded, Folding};
use crate::keyword::Traces;
use crate::model::EventKind;

/// A text is matched on its first characters only.
const MAX_CHARACTERS: usize = 20_000;

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
    pub(crate) text: &'e str,
    pub(crate) message: Option<&'e Message>,
    pub(crate) notice: Option<&'e Notice>,
    /// The only rules and dialogs that work in this chat.
    pub(crate) only: Option<&'e BTreeSet<String>>,
    pub(crate) hant: bool,
    pub(crate) now: Timestamp,
    zone: &'e TimeZone,
    full: OnceCell<Folded<'e>>,
    keep_case: OnceCell<Folded<'e>>,
    width: OnceCell<Folded<'e>>,
    /// Of the two foldings for everything but regexes.
    traces: [OnceCell<Traces>; 2],
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
            text: first_characters(text),
            message: event.message(),
            notice,
            only: None,
            hant,
            now,
            zone,
            full: OnceCell::new(),
            keep_case: OnceCell::new(),
            width: OnceCell::new(),
            traces: [OnceCell::new(), OnceCell::new()],
            clock: OnceCell::new(),
        })
    }

    /// The text in a folding for everything but regexes.
    pub(crate) fn folded(&self, folding: Folding) -> &Folded<'e> {
        let cell = if folding.keeps_case() { &self.keep_case } else { &self.full };
        cell.get_or_init(|| folding.fold(self.text))
    }

    /// The text as regexes see it.
    pub(crate) fn width(&self) -> &Folded<'e> {
        self.width.get_or_init(|| {
            let known = self.full.get().and_then(Folded::as_width);
            known.unwrap_or_else(|| Folding::WIDTH.fold(self.text))
        })
    }

    /// Which short runs that folded text has; only asked for by rules with many items.
    pub(crate) fn traces(&self, folding: Folding) -> &Traces {
        let cell = &self.traces[usize::from(folding.keeps_case())];
        cell.get_or_init(|| Traces::of(self.folded(folding).text()))
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

fn first_characters(text: &str) -> &str {
    if text.len() <= MAX_CHARACTERS {
        return text;
    }
    text.char_indices().nth(MAX_CHARACTERS).map_or(text, |(end, _)| &text[..end])
}
