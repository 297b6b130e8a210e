//! The actions of a bot in a played conversation, in the words of `[[test]]`.

use std::fmt;
use std::path::Path;

use mynah_core::{
    Action, Captures, ChatId, Content, Event, MediaRef, MediaSource, MessageKind, Segment, Step,
};
use mynah_rules::Decision;

/// Something that the bot did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum BotAction {
    /// It said something in the chat of this name.
    Sent {
        /// The chat.
        chat: String,
        /// The content.
        content: Content,
    },
    /// It accepted the friend request of this person.
    Accepted {
        /// Who.
        person: String,
    },
    /// A rule called a handler.
    Ran {
        /// Its name.
        handler: String,
        /// Its captures.
        captures: Captures,
    },
    /// It wrote a row into a file.
    Saved {
        /// Which.
        file: String,
        /// The row.
        row: Vec<String>,
    },
    /// It recalled a message.
    Recalled {
        /// The sender; `None` for a message of the bot.
        person: Option<String>,
    },
    /// It removed a person from the group.
    Kicked {
        /// The person.
        person: String,
    },
    /// It invited a person into a group.
    Invited {
        /// The person.
        person: String,
        /// The name of the group.
        group: String,
    },
}

impl BotAction {
    /// Whether a test fails that does not expect it: people notice it.
    pub(crate) const fn must_be_expected(&self) -> bool {
        match self {
            Self::Sent { .. }
            | Self::Kicked { .. }
            | Self::Invited { .. }
            | Self::Recalled { person: Some(_) } => true,
            Self::Accepted { .. }
            | Self::Ran { .. }
            | Self::Saved { .. }
            | Self::Recalled { person: None } => false,
        }
    }
}

impl fmt::Display for BotAction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sent { chat, content } => write!(f, "=> {chat}: {}", shown(content)),
            Self::Accepted { person } => write!(f, "=> accept {person}"),
            Self::Ran { handler, captures } => {
                write!(f, "=> run {handler}")?;
                if captures.is_empty() {
                    return Ok(());
                }
                let pairs: Vec<String> =
                    captures.iter().map(|(name, text)| format!("{name}={text}")).collect();
                write!(f, " {{{}}}", pairs.join(", "))
            }
            Self::Saved { file, row } => write!(f, "=> save {file}: {}", row.join(",")),
            Self::Recalled { person: Some(person) } => write!(f, "=> recall {person}"),
            Self::Recalled { person: None } => f.write_str("=> recall"),
            Self::Kicked { person } => write!(f, "=> kick {person}"),
            Self::Invited { person, group } => write!(f, "=> invite {person}: {group}"),
        }
    }
}

/// A message as `[[test]]` writes it: the text with blanks for U+2005, then media as `[image menu.png]`.
pub(crate) fn shown(content: &Content) -> String {
    let text = content.plain_text().replace('\u{2005}', " ");
    let mut shown = text.trim().to_owned();
    for segment in &content.0 {
        if let Some(media) = media_of(segment) {
            if !shown.is_empty() {
                shown.push(' ');
            }
            shown.push_str(&media);
        }
    }
    shown
}

/// The replies of a decision in the chat of its event, and its other actions, in words of `[[test]]`. Only texts count
/// as replies.
pub(crate) fn of_decision(decision: &Decision, event: &Event) -> (Vec<String>, Vec<String>) {
    let here = event.chat().map(|chat| &chat.id);
    let (mut replies, mut does) = (Vec::new(), Vec::new());
    for step in &decision.steps {
        let planned = match step {
            Step::Act(planned) => planned,
            Step::Run(call) => {
                does.push(format!("run {}", call.handler));
                continue;
            }
        };
        match in_words(&planned.action, &planned.chat, here, name_in) {
            Ok(reply) => replies.push(reply),
            Err(other) => does.push(other),
        }
    }
    (replies, does)
}

/// The text of a reply in the chat `here`, or else an action in words. `name` gives the name of another chat.
pub(crate) fn in_words<'c>(
    action: &'c Action,
    chat: &'c ChatId,
    here: Option<&ChatId>,
    name: impl Fn(&'c ChatId) -> &'c str,
) -> Result<String, String> {
    Err(match action {
        Action::Send { content } if Some(chat) == here => match content.kind() {
            MessageKind::Text => return Ok(content.plain_text()),
            _ => shown(content),
        },
        Action::Send { content } => format!("{}: {}", name(chat), shown(content)),
        Action::AcceptFriend { .. } => "accept".to_owned(),
        Action::Save { file, row } => format!("save {file}: {}", row.join(",")),
        Action::Recall { sender: None, .. } => "recall".to_owned(),
        Action::Recall { sender: Some(sender), .. } => format!("recall {}", sender.name),
        Action::Kick { person } => format!("kick {}", person.name),
        Action::Invite { person } => format!("invite {}: {}", person.name, name(chat)),
    })
}

/// The name in the id of a chat of the cast.
fn name_in(chat: &ChatId) -> &str {
    let chat = chat.as_str();
    chat.split_once(':').map_or(chat, |(_, name)| name)
}

fn media_of(segment: &Segment) -> Option<String> {
    let named = |kind: &str, name: Option<&str>| match name.filter(|name| !name.is_empty()) {
        Some(name) => format!("[{kind} {name}]"),
        None => format!("[{kind}]"),
    };
    Some(match segment {
        Segment::Text { .. } | Segment::Mention { .. } | Segment::Quote { .. } => return None,
        Segment::Image(media) => named("image", name_of(media)),
        Segment::Voice(media) => named("voice", name_of(media)),
        Segment::Video(media) => named("video", name_of(media)),
        Segment::File(media) => named("file", name_of(media)),
        Segment::Sticker(media) => named("emoji", name_of(media)),
        Segment::Link { title, .. } => named("link", Some(title)),
        Segment::Card { name } => named("card", Some(name)),
        Segment::Location { label, .. } => named("location", Some(label)),
        Segment::Raw { kind, .. } => named("other", Some(kind)),
    })
}

/// The file name of media on this machine, its given name, or the end of an address; media of a service has no useful name.
fn name_of(media: &MediaRef) -> Option<&str> {
    match &media.source {
        MediaSource::Url(_) | MediaSource::Bytes(_) => media.name.as_deref(),
        source => source.path()?.file_name()?.to_str(),
    }
}

/// Whether a message is media of that kind, from a file whose path ends like that.
pub(crate) fn is_media(content: &Content, kind: MessageKind, name: Option<&str>) -> bool {
    let named = |name| content.0.iter().any(|segment| is_named(segment, name));
    content.kind() == kind && name.is_none_or(named)
}

fn is_named(segment: &Segment, name: &str) -> bool {
    match segment.media().and_then(|media| media.source.path()) {
        Some(path) => path.ends_with(Path::new(name)),
        None => media_of(segment).is_some_and(|shown| shown.contains(name)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn menu() -> Content {
        Content(vec![Segment::Image(MediaRef::file("bots/faq/pics/menu.png"))])
    }

    #[test]
    fn media_is_known_by_kind_and_the_end_of_its_path() {
        for (kind, name, is) in [
            (MessageKind::Image, Some("menu.png"), true),
            (MessageKind::Image, Some("pics/menu.png"), true),
            (MessageKind::Image, None, true),
            (MessageKind::Image, Some("enu.png"), false),
            (MessageKind::File, Some("menu.png"), false),
            (MessageKind::Text, None, false),
        ] {
            assert_eq!(is_media(&menu(), kind, name), is, "{kind:?} {name:?}");
            let url = MediaRef::url("https://example.com/pics/menu.png?size=1");
            let content = Content(vec![Segment::Image(url)]);
            if name == Some("menu.png") {
                assert_eq!(is_media(&content, kind, name), is, "{kind:?} {name:?} of the web");
            }
        }
    }

    #[test]
    fn a_message_is_shown_as_tests_write_it() {
        let at = Segment::Mention { who: None, shown: "张三".to_owned() };
        let content = Content(vec![at, Segment::Text { text: "你好\u{2005}啊 ".to_owned() }]);
        assert_eq!(shown(&content), "@张三 你好 啊");
        assert_eq!(shown(&menu()), "[image menu.png]");
    }
}
