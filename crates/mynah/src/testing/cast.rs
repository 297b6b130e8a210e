//! People and groups made of names: their messages, as events that a transport could have delivered.

use std::collections::{BTreeMap, BTreeSet};

use mynah_core::mention::{self, Mentioned, Names};
use mynah_core::{
    Chat, Content, Event, EventBody, EventId, MediaRef, MediaSource, Message, MessageId,
    MessageKind, Notice, NoticeKind, Origin, Person, Segment, Timestamp,
};
use mynah_rules::script::ScriptEvent;

/// The name by which a bot without `names` is called.
const NAMELESS: &str = "bot";

/// A person in a chat: `group/user`, or `user` in private.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Speaker {
    /// The group; `None` for a private chat.
    pub(crate) group: Option<String>,
    /// The person's name.
    pub(crate) name: String,
}

impl Speaker {
    /// Reads `group/user` or `user`. The last stroke divides, so that a group may have one in its title.
    pub(crate) fn parse(text: &str) -> Self {
        match text.rsplit_once('/') {
            Some((group, name)) => Self::new(Some(group.trim()), name.trim()),
            None => Self::new(None, text.trim()),
        }
    }

    /// A person in a group, or in private.
    pub(crate) fn new(group: Option<&str>, name: &str) -> Self {
        Self { group: group.map(str::to_owned), name: name.to_owned() }
    }

    /// The chat they speak in.
    pub(crate) fn chat(&self) -> Chat {
        self.group.as_deref().map_or_else(|| private(&self.name), group)
    }
}

impl std::fmt::Display for Speaker {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.group {
            Some(group) => write!(f, "{group}/{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// The group of a title. The same title is always the same group.
pub(crate) fn group(title: &str) -> Chat {
    Chat::group(format!("group:{title}"), title)
}

/// The private chat with a person.
pub(crate) fn private(name: &str) -> Chat {
    Chat::private(format!("private:{name}"), name)
}

/// The friend of a name. Everybody here is a friend, so that names in `admins` and `from` mean them without doubt.
pub(crate) fn person(name: &str) -> Person {
    Person::friend(format!("person:{name}"), name)
}

/// The ticket of a person's friend request, and back.
fn ticket(name: &str) -> String {
    format!("ticket:{name}")
}

/// Whose friend request a ticket belongs to.
pub(crate) fn requester(ticket: &str) -> &str {
    ticket.strip_prefix("ticket:").unwrap_or(ticket)
}

/// The content of a message.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spoken<'a> {
    /// A text.
    Text(&'a str),
    /// Anything else, by its kind alone.
    Media(MessageKind),
    /// Anything else, with the media that it refers to.
    MediaOf(MessageKind, &'a MediaRef),
}

/// Makes events: remembers the people of each chat, and their last messages.
#[derive(Debug)]
pub(crate) struct Cast {
    own: Vec<String>,
    /// How many of them are configured.
    configured: usize,
    members: BTreeMap<String, BTreeSet<String>>,
    /// The last message of a person, of any text and of each text.
    last_said: BTreeMap<(Speaker, Option<String>), MessageId>,
    count: u64,
}

impl Cast {
    /// The people around a bot with these configured names.
    pub(crate) fn around(names: &[String]) -> Self {
        let own = if names.is_empty() { vec![NAMELESS.to_owned()] } else { names.to_vec() };
        Self {
            own,
            configured: names.len(),
            members: BTreeMap::new(),
            last_said: BTreeMap::new(),
            count: 0,
        }
    }

    /// The name by which the bot is called.
    pub(crate) fn bot_name(&self) -> &str {
        self.own.first().map_or(NAMELESS, String::as_str)
    }

    /// Makes a person known as a member of their group before their first message.
    pub(crate) fn meet(&mut self, speaker: &Speaker) {
        if let Some(group) = &speaker.group
            && !self.members.get(group).is_some_and(|members| members.contains(&speaker.name))
        {
            self.members.entry(group.clone()).or_default().insert(speaker.name.clone());
        }
    }

    /// A message of a person. `id` is the message's own, or one is made.
    pub(crate) fn message(
        &mut self,
        speaker: &Speaker,
        spoken: Spoken<'_>,
        time: Timestamp,
        id: Option<&str>,
    ) -> Event {
        self.meet(speaker);
        let id = id.map_or_else(|| self.next_id(), str::to_owned);
        let content = match spoken {
            Spoken::Text(text) => Content::typed(text),
            Spoken::Media(kind) => Content(vec![segment(kind, sample())]),
            Spoken::MediaOf(kind, media) => Content(vec![segment(kind, media.clone())]),
        };
        let heard = self.hear(speaker, &content.plain_text());
        let message = Message {
            id: MessageId::new(id.as_str()),
            chat: speaker.chat(),
            sender: person(&speaker.name),
            origin: Origin::Person,
            content,
            text: heard.text,
            called: speaker.group.is_none() || heard.called,
            behind_name: heard.behind,
        };
        self.last_said.insert((speaker.clone(), None), message.id.clone());
        if let Spoken::Text(text) = spoken {
            let of_text = (speaker.clone(), Some(text.trim().to_owned()));
            self.last_said.insert(of_text, message.id.clone());
        }
        Event { id: EventId::new(id), time, body: EventBody::Message(message) }
    }

    /// The effect of a person's own words: whether they call the bot, and the rest.
    fn hear(&self, speaker: &Speaker, text: &str) -> Mentioned {
        let own: Vec<&str> = self.own.iter().map(String::as_str).collect();
        let bare = &own[..self.configured];
        if !mention::may_call(text, bare) {
            return Mentioned { called: false, text: text.trim().to_owned(), behind: None };
        }
        let members = speaker.group.as_ref().and_then(|group| self.members.get(group));
        let members = members.into_iter().flatten();
        let others: Vec<&str> = members.map(String::as_str).collect();
        mention::find(text, Names { own: &own, bare, others: &others })
    }

    /// An event in a chat other than a message.
    pub(crate) fn notice(
        &mut self,
        speaker: &Speaker,
        what: &ScriptEvent,
        time: Timestamp,
    ) -> Event {
        self.meet(speaker);
        let kind = self.kind_of(speaker, what);
        let notice = Notice { chat: speaker.chat(), person: Some(person(&speaker.name)), kind };
        Event { id: EventId::new(self.next_id()), time, body: EventBody::Notice(notice) }
    }

    fn kind_of(&self, speaker: &Speaker, what: &ScriptEvent) -> NoticeKind {
        let people = |names: &[String]| names.iter().map(|name| person(name)).collect();
        match what {
            ScriptEvent::Join(names) => NoticeKind::Join { people: people(names) },
            ScriptEvent::Leave(names) => NoticeKind::Leave { people: people(names) },
            ScriptEvent::Rename(name) => NoticeKind::Rename { name: name.clone() },
            ScriptEvent::Recall(text) => {
                let said = self.last_said.get(&(speaker.clone(), text.clone())).cloned();
                let message = said.unwrap_or_else(|| MessageId::new("unknown"));
                NoticeKind::Recall { message, original: None }
            }
            ScriptEvent::FriendRequest(greeting) => NoticeKind::FriendRequest {
                greeting: greeting.clone(),
                ticket: ticket(&speaker.name),
            },
            ScriptEvent::Pat => NoticeKind::Pat {
                me: true,
                text: format!("\"{}\" 拍了拍 \"{}\"", speaker.name, self.bot_name()),
            },
            ScriptEvent::RedPacket => NoticeKind::RedPacket,
        }
    }

    fn next_id(&mut self) -> String {
        self.count += 1;
        format!("{}", self.count)
    }
}

/// Media without bytes.
fn sample() -> MediaRef {
    MediaRef { source: MediaSource::Service("sample".to_owned()), name: None, size: None }
}

/// A piece of content of a kind, with nothing in it but the media.
fn segment(kind: MessageKind, media: MediaRef) -> Segment {
    match kind {
        MessageKind::Text => Segment::Text { text: String::new() },
        MessageKind::Image => Segment::Image(media),
        MessageKind::Voice => Segment::Voice(media),
        MessageKind::Video => Segment::Video(media),
        MessageKind::File => Segment::File(media),
        MessageKind::Emoji => Segment::Sticker(media),
        MessageKind::Card => Segment::Card { name: "sample".to_owned() },
        MessageKind::Link => {
            Segment::Link { title: String::new(), description: String::new(), url: String::new() }
        }
        MessageKind::Location => {
            Segment::Location { label: String::new(), latitude: 0.0, longitude: 0.0 }
        }
        MessageKind::Other => Segment::Raw { kind: "sample".to_owned(), text: String::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heard(names: &[&str], who: &str, text: &str) -> (bool, String) {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let mut cast = Cast::around(&names);
        cast.meet(&Speaker::parse("g/Bob Dylan"));
        let event =
            cast.message(&Speaker::parse(who), Spoken::Text(text), Timestamp::default(), None);
        let message = event.message().unwrap();
        (message.called, message.text.clone())
    }

    #[test]
    fn the_bot_is_called_by_its_names_and_always_in_private() {
        assert_eq!(heard(&["小助手"], "g/张三", "@小助手 在吗"), (true, "在吗".to_owned()));
        assert_eq!(heard(&[], "g/张三", "@bot hi"), (true, "hi".to_owned()));
        assert_eq!(heard(&["Bob"], "g/张三", "@Bob Dylan hi"), (false, "@Bob Dylan hi".to_owned()));
        assert_eq!(heard(&["小助手"], "g/张三", " 在吗 "), (false, "在吗".to_owned()));
        assert_eq!(heard(&["小助手"], "张三", "在吗"), (true, "在吗".to_owned()));
        let quote = "「张三：@小助手 在吗」\n- - - - - - - -\n";
        let answer = |own: &str| heard(&["小助手"], "g/李四", &format!("{quote}{own}"));
        assert_eq!(answer("它不在"), (false, "它不在".to_owned()));
        assert_eq!(answer("@小助手 在吗"), (true, "在吗".to_owned()));
        // As the transport does it: a mention typed in private is one all the same.
        assert_eq!(heard(&["小助手"], "张三", "@小助手 在吗"), (true, "在吗".to_owned()));
    }

    #[test]
    fn the_last_stroke_divides_group_and_person() {
        assert_eq!(Speaker::parse("a/b/c"), Speaker::new(Some("a/b"), "c"));
        assert_eq!(Speaker::parse("c"), Speaker::new(None, "c"));
    }

    #[test]
    fn a_recall_names_the_last_message_of_that_person_there() {
        let mut cast = Cast::around(&[]);
        let speaker = Speaker::parse("g/张三");
        let said = cast.message(&speaker, Spoken::Text("oops"), Timestamp::default(), None);
        let recall = cast.notice(&speaker, &ScriptEvent::Recall(None), Timestamp::default());
        let EventBody::Notice(Notice { kind: NoticeKind::Recall { message, .. }, .. }) =
            recall.body
        else {
            panic!("a recall")
        };
        assert_eq!(message, said.message().unwrap().id);
    }
}
