//! From data of the service to events: the one place where wire messages are translated into Mynah's terms.

use std::time::Duration;

use mynah_core::{
    Chat, Content, Event, EventBody, EventId, Message, MessageId, Notice, NoticeKind, Origin,
    Person, Segment, Timestamp, mention, quote,
};
use mynah_webwx::text;
use mynah_webwx::wire::xml::Element;
use mynah_webwx::wire::{self, Synced, is_group, message_type};

use super::content::{self, Body};
use super::directory::{Departed, Directory, Facts, Member, Standing};
use super::media::Ticket;

mod lines;
mod request;

/// The word of the notice that a person has become a friend.
pub(crate) const BEFRIENDED: &str = "befriended";

/// The word of the notice that a person is not a friend (any more).
pub(crate) const NO_FRIEND: &str = "no_friend";

/// The texts that a friend's side sends by itself when a request was accepted (section 12.6): not words of the friend.
const ACCEPTED: [&str; 2] = [
    "我通过了你的朋友验证请求，现在我们可以开始聊天了",
    "I've accepted your friend request. Now let's chat!",
];

/// Turns answers of webwxsync into events.
pub(crate) struct Translator<'a> {
    pub(crate) directory: &'a mut Directory,
    /// The configured names of the bot.
    pub(crate) names: &'a [String],
    /// Says whether a message id is that of a message that this client sent.
    pub(crate) is_echo: &'a dyn Fn(&str) -> bool,
    /// The present moment by the service's clock.
    pub(crate) now: Timestamp,
}

/// The result of an answer of webwxsync.
#[derive(Debug, Default)]
pub(crate) struct News {
    /// The events in order.
    pub(crate) events: Vec<Event>,
    /// The service says that the account sends too often.
    pub(crate) throttled: bool,
    /// Forms of lines about joining that are not known.
    pub(crate) unread_joins: Vec<String>,
}

/// Where a message was said and by whom, in the service's words.
struct Place<'m> {
    /// The group, or the other person.
    peer: &'m str,
    /// The sender; empty for system lines.
    sender: &'m str,
    mine: bool,
    /// The body without the sender's prefix.
    content: &'m str,
}

impl Translator<'_> {
    /// Takes in an answer: first the contacts, then the messages.
    pub(crate) fn translate(&mut self, synced: &Synced) -> News {
        if synced.profile.changed() {
            self.directory.rename_me(&synced.profile.nick_name.buff);
        }
        self.learn_contacts(&synced.mod_contact_list);
        let mut gone = self.directory.take_departed();
        self.learn_conversations(&synced.add_msg_list);
        let mut news = News::default();
        for message in &synced.add_msg_list {
            self.translate_one(message, &mut gone, &mut news);
        }
        for gone in gone {
            news.events.extend(self.departure(&gone, synced));
        }
        self.forget(&synced.del_contact_list);
        news
    }

    // -- Who there is.

    fn learn_contacts(&mut self, changed: &[wire::Contact]) {
        let (groups, people): (Vec<_>, Vec<_>) =
            changed.iter().cloned().partition(wire::Contact::is_group);
        for person in &people {
            if !self.directory.is_me(&person.user_name) {
                self.directory.learn_person(&person.user_name, Facts::of(person));
            }
        }
        self.directory.learn_groups(&groups, self.now);
    }

    /// Status notices pair the names of this login with ids that never change (section 12.8).
    fn learn_conversations(&mut self, messages: &[wire::Message]) {
        for notice in
            messages.iter().filter(|message| message.msg_type == message_type::STATUS_NOTIFY)
        {
            for (user_name, real_id) in real_ids(notice) {
                if is_group(user_name) {
                    self.directory.learn_real_group_id(user_name, &real_id);
                } else if !self.directory.is_me(user_name) {
                    self.directory.learn_real_id(user_name, &real_id);
                }
            }
        }
    }

    fn forget(&mut self, deleted: &[wire::Deleted]) {
        for deleted in deleted {
            if is_group(&deleted.user_name) {
                self.directory.forget_group(&deleted.user_name);
            } else {
                self.directory.unfriend(&deleted.user_name);
            }
        }
    }

    // -- Messages.

    fn translate_one(&mut self, message: &wire::Message, gone: &mut [Departed], news: &mut News) {
        let is_for_people =
            !matches!(message.msg_type, message_type::STATUS_NOTIFY | message_type::SYSTEM_NOTICE);
        if !is_for_people || (self.is_echo)(&message.id()) {
            return;
        }
        let place = self.place(message);
        match message.msg_type {
            message_type::SYSTEM => {
                let line = text::plain(place.content);
                self.line(message, &place, ("system", &line), gone, news);
            }
            message_type::RECALLED => self.system_xml(message, &place, gone, news),
            message_type::VERIFY => news.events.push(self.friend_request(message)),
            _ => news.events.extend(self.said(message, &place)),
        }
    }

    fn place<'m>(&self, message: &'m wire::Message) -> Place<'m> {
        let mine = self.directory.is_me(&message.from_user_name);
        let peer = if mine { &*message.to_user_name } else { &*message.from_user_name };
        let (prefix, content) = match is_group(peer) && !mine {
            true => text::split_sender(&message.content),
            false => (None, &*message.content),
        };
        let sender = match (mine, is_group(peer)) {
            (true, _) => &*message.from_user_name,
            (false, true) => prefix.unwrap_or_default(),
            (false, false) => peer,
        };
        Place { peer, sender, mine, content }
    }

    fn chat(&mut self, peer: &str) -> Chat {
        if is_group(peer) {
            self.directory.group_chat(peer)
        } else {
            self.directory.private_chat(peer)
        }
    }

    fn said(&mut self, message: &wire::Message, place: &Place<'_>) -> Option<Event> {
        let chat = self.chat(place.peer);
        self.directory.touch_members(place.peer);
        let (sender, origin) = self.sender(place, &chat);
        let kind = match content::read(message, place.content) {
            Body::RedPacket if place.mine => raw("red_packet_sent", ""),
            Body::RedPacket => NoticeKind::RedPacket,
            Body::Text { before, text }
                if before.is_empty() && ACCEPTED.contains(&text.trim().trim_end_matches('。')) =>
            {
                raw(BEFRIENDED, text.trim())
            }
            body => {
                let (content, heard) = self.content(body, place);
                let id = MessageId::new(message.id());
                let mention::Mentioned { text, called, behind: behind_name } = heard;
                let message_body =
                    Message { id, chat, sender, origin, content, text, called, behind_name };
                return Some(self.event(message, "m", EventBody::Message(message_body)));
            }
        };
        Some(self.notice(message, chat, Some(sender), kind))
    }

    fn sender(&mut self, place: &Place<'_>, chat: &Chat) -> (Person, Origin) {
        if place.mine {
            let group = chat.is_group().then_some(place.peer);
            return (self.directory.myself(group), Origin::Oneself);
        }
        if place.sender.is_empty() {
            return (Person::stranger(chat.id.as_str(), chat.name.clone()), Origin::System);
        }
        let group = chat.is_group().then_some(place.peer);
        let person = self.directory.person(place.sender, group, self.now);
        if group.is_some() && self.directory.is_me(place.sender) {
            return (person, Origin::Oneself);
        }
        let origin = match self.directory.standing(place.sender) {
            Some(Standing::Official) => Origin::Official,
            Some(Standing::Special) => Origin::System,
            Some(Standing::Friend | Standing::Stranger) | None => Origin::Person,
        };
        (person, origin)
    }

    /// The content, and the text to match with the calls found in it.
    fn content(&mut self, body: Body, place: &Place<'_>) -> (Content, mention::Mentioned) {
        let private = !is_group(place.peer);
        let wordless = || mention::Mentioned { called: private, text: String::new(), behind: None };
        match body {
            Body::Text { before, text } => {
                // Quoted words of another person do not call the bot.
                let (quotes, own) = quote::split(&text);
                let mut found = self.find_call(own, place.peer);
                found.called |= private;
                let segments = before.into_iter().chain(quotes).collect();
                let content = Content(segments).with(Segment::Text { text: own.to_owned() });
                (content, found)
            }
            Body::Segment(segment) => (Content(vec![segment]), wordless()),
            Body::RedPacket => (Content::default(), wordless()),
        }
    }

    /// Looks for a mention of the bot by its name in the group, its nickname and the configured names.
    fn find_call(&self, text: &str, peer: &str) -> mention::Mentioned {
        let configured: Vec<&str> = self.names.iter().map(String::as_str).collect();
        if !mention::may_call(text, &configured) {
            let text = text.trim().to_owned();
            return mention::Mentioned { called: false, text, behind: None };
        }
        let me = self.directory.me();
        let roster = self.directory.roster(peer).map(|roster| roster.members()).unwrap_or_default();
        let (mine, others): (Vec<&Member>, Vec<&Member>) =
            roster.iter().partition(|member| *member.user_name == *me.user_name);
        let names = |members: &[&'_ Member]| -> Vec<String> {
            members
                .iter()
                .flat_map(|member| [member.display.to_string(), member.nick.to_string()])
                .collect()
        };
        let (mine, others) = (names(&mine), names(&others));
        let own: Vec<&str> = mine
            .iter()
            .map(String::as_str)
            .chain([&*me.nick])
            .chain(configured.iter().copied())
            .collect();
        let others: Vec<&str> =
            others.iter().map(String::as_str).filter(|name| !own.contains(name)).collect();
        mention::find(text, mention::Names { own: &own, bare: &configured, others: &others })
    }

    // -- Friends.

    /// Who asks is in `RecommendInfo`; where that is missing, the attributes of the XML say it.
    fn friend_request(&mut self, message: &wire::Message) -> Event {
        let info = request::whole(message);
        let greeting = text::plain(&info.content).trim().to_owned();
        if self.directory.is_me(&info.user_name) {
            let chat = self.chat(&message.from_user_name);
            return self.notice(message, chat, None, raw("friend_request", &greeting));
        }
        self.directory.learn_person(&info.user_name, Facts::of_request(&info));
        let chat = self.directory.private_chat(&info.user_name);
        let person = self.directory.person(&info.user_name, None, self.now);
        let ticket = Ticket::write(&info.user_name, &info.ticket);
        let kind = NoticeKind::FriendRequest { greeting, ticket };
        self.notice(message, chat, Some(person), kind)
    }

    // -- Events.

    fn notice(
        &self,
        message: &wire::Message,
        chat: Chat,
        person: Option<Person>,
        kind: NoticeKind,
    ) -> Event {
        self.event(message, "n", EventBody::Notice(Notice { chat, person, kind }))
    }

    fn event(&self, message: &wire::Message, prefix: &str, body: EventBody) -> Event {
        let time = sent_at(message.create_time, self.now);
        Event { id: event_id(prefix, message), time, body }
    }
}

/// The time of a message; a time that cannot be one means now. A message of the far future would stay in the log for
/// ever.
fn sent_at(seconds: i64, now: Timestamp) -> Timestamp {
    const SKEW: Duration = Duration::from_secs(24 * 60 * 60);
    let time = Timestamp::from_secs(seconds);
    if seconds > 0 && time <= now + SKEW { time } else { now }
}

/// The id of an event: that of its message, which is the same at every delivery.
fn event_id(prefix: &str, message: &wire::Message) -> EventId {
    let id = message.id();
    if !id.is_empty() {
        return EventId::new([prefix, &id].concat());
    }
    // Never observed; then content, sender and time serve as the id.
    let parts = [&message.from_user_name, &message.to_user_name, &message.content];
    let hash = parts
        .iter()
        .flat_map(|part| part.bytes().chain([0]))
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    EventId::new(format!("{prefix}:{}:{hash:016x}", message.create_time))
}

fn raw(kind: &str, text: &str) -> NoticeKind {
    NoticeKind::Raw { kind: kind.to_owned(), text: text.to_owned() }
}

/// The names of this login with the ids that never change, where both lists are of one length.
fn real_ids(notice: &wire::Message) -> Vec<(&str, String)> {
    let xml = Element::parse(&text::xml(&notice.content)).unwrap_or_default();
    let real: Vec<&str> =
        xml.text_at(&["op", "username"]).split(',').filter(|id| !id.is_empty()).collect();
    let names: Vec<&str> =
        notice.status_notify_user_name.split(',').filter(|name| !name.is_empty()).collect();
    if real.len() != names.len() {
        return Vec::new();
    }
    let pairs = names.into_iter().zip(real.into_iter().map(str::to_owned));
    pairs.filter(|(name, real)| is_group(name) == is_group(real)).collect()
}

/// The names of this login that a status notice lists.
pub(crate) fn conversations(notice: &wire::Message) -> impl Iterator<Item = &str> {
    notice.status_notify_user_name.split(',').filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests;
