//! Lines of the service, as plain text or as system XML: joins, leaves, renames, pats, recalls (sections 12.6 and 12.7
//! of the protocol reference).

use mynah_core::{Event, EventBody, EventId, MessageId, Notice, NoticeKind, Person};
use mynah_webwx::text;
use mynah_webwx::wire::xml::Element;
use mynah_webwx::wire::{self, Synced};

use super::super::directory::{Departed, Member};
use super::super::system_text::{self, SystemLine, Who};
use super::super::system_xml::{self, Pat};
use super::{BEFRIENDED, NO_FRIEND, News, Place, Translator, raw};

impl Translator<'_> {
    /// Reads a line; `kind` is the word for one that has no form known here.
    pub(super) fn line(
        &mut self,
        message: &wire::Message,
        place: &Place<'_>,
        (kind, line): (&str, &str),
        gone: &mut [Departed],
        news: &mut News,
    ) {
        let said = system_text::read(line);
        let chat = self.chat(place.peer);
        news.throttled |= said == Some(SystemLine::Throttled);
        let event = match said {
            Some(said) if chat.is_group() => {
                self.group_line(message, place.peer, line, &said, gone)
            }
            Some(said) => self.private_line(message, place.peer, line, &said),
            None => {
                news.unread_joins.extend(self.unread_join(place.peer, line));
                self.notice(message, chat, None, raw(kind, line))
            }
        };
        news.events.push(event);
    }

    /// The form of a line about joining a group that is not known here.
    fn unread_join(&self, peer: &str, line: &str) -> Option<String> {
        let roster = self.directory.roster(peer)?;
        let names = roster.members().iter().flat_map(|member| [&*member.display, &*member.nick]);
        system_text::unknown_join(line, names)
    }

    fn group_line(
        &mut self,
        message: &wire::Message,
        group: &str,
        line: &str,
        said: &SystemLine,
        gone: &mut [Departed],
    ) -> Event {
        let (person, kind) = match said {
            SystemLine::Joined { names } => {
                let me = self.directory.myself(None).id;
                let people = self.people(names, group);
                let others: Vec<Person> =
                    people.into_iter().filter(|person| person.id != me).collect();
                match others.first().cloned() {
                    Some(first) => (Some(first), NoticeKind::Join { people: others }),
                    None => (None, raw("invited", line)),
                }
            }
            SystemLine::Left { names } => {
                let people = self.leavers(names, group, gone);
                match people.first().cloned() {
                    Some(first) => (Some(first), NoticeKind::Leave { people }),
                    None => (None, raw("left", line)),
                }
            }
            SystemLine::Renamed { by, title } => {
                self.directory.rename_group(group, title);
                (Some(self.doer(by.as_deref(), group)), NoticeKind::Rename { name: title.clone() })
            }
            SystemLine::Patted { by, whom } => {
                let me = self.is_own(whom, group);
                (Some(self.who(by, group)), NoticeKind::Pat { me, text: line.to_owned() })
            }
            SystemLine::RedPacket => (None, NoticeKind::RedPacket),
            SystemLine::Recalled { .. }
            | SystemLine::Invited
            | SystemLine::Removed
            | SystemLine::Throttled
            | SystemLine::Befriended
            | SystemLine::NoFriend
            | SystemLine::Other(_) => (None, raw(word(said), line)),
        };
        let chat = self.directory.group_chat(group);
        self.notice(message, chat, person, kind)
    }

    fn private_line(
        &mut self,
        message: &wire::Message,
        peer: &str,
        line: &str,
        said: &SystemLine,
    ) -> Event {
        let chat = self.directory.private_chat(peer);
        let person = self.directory.person(peer, None, self.now);
        let kind = match said {
            SystemLine::RedPacket => NoticeKind::RedPacket,
            SystemLine::Patted { whom, .. } => {
                NoticeKind::Pat { me: self.is_own(whom, peer), text: line.to_owned() }
            }
            other => raw(word(other), line),
        };
        self.notice(message, chat, Some(person), kind)
    }

    fn people(&mut self, names: &str, group: &str) -> Vec<Person> {
        let directory = &*self.directory;
        let names =
            system_text::split_names(names, |name| directory.member_called(group, name).is_some());
        names.iter().map(|name| self.directory.person_called(name, group, self.now)).collect()
    }

    /// The people that a line says were removed: still in the list at hand, or just gone from it.
    fn leavers(&mut self, names: &str, group: &str, gone: &mut [Departed]) -> Vec<Person> {
        let mut nobody = Vec::new();
        let gone = gone.iter_mut().find(|gone| &*gone.group == group);
        let left = gone.map_or(&mut nobody, |gone| &mut gone.members);
        let names = {
            let directory = &*self.directory;
            let is_known = |name: &str| {
                left.iter().any(|member| member.is_called(name))
                    || directory.member_called(group, name).is_some()
            };
            system_text::split_names(names, is_known)
        };
        let mut people = Vec::new();
        for name in &names {
            match left.iter().position(|member| member.is_called(name)) {
                Some(at) => {
                    let member = left.swap_remove(at);
                    people.push(self.directory.member_who_left(group, &member, self.now));
                }
                None if self.directory.left_lately(group, name, self.now) => {}
                None => people.push(self.leaver(name, group)),
            }
        }
        people
    }

    /// A person who was removed and may still be in the list at hand.
    fn leaver(&mut self, name: &str, group: &str) -> Person {
        let member = self.directory.member_called(group, name).cloned();
        let person = self.directory.person_called(name, group, self.now);
        if let Some(member) = member {
            self.directory.take_off(group, &member.user_name);
        }
        person
    }

    /// People whom no line mentions have left by themselves.
    pub(super) fn departure(&mut self, gone: &Departed, synced: &Synced) -> Option<Event> {
        let members: Vec<&Member> =
            gone.members.iter().filter(|member| !self.directory.is_me(&member.user_name)).collect();
        let first = members.first()?.user_name.clone();
        members.iter().for_each(|member| self.directory.note_left(&gone.group, member, self.now));
        let people: Vec<Person> = members
            .iter()
            .map(|member| self.directory.member_who_left(&gone.group, member, self.now))
            .collect();
        let chat = self.directory.group_chat(&gone.group);
        // The same change is read from the same keys again if this answer is delivered twice.
        let id = EventId::new(format!("leave:{}:{}:{first}", chat.id, synced.sync_key));
        let notice =
            Notice { chat, person: people.first().cloned(), kind: NoticeKind::Leave { people } };
        Some(Event { id, time: self.now, body: EventBody::Notice(notice) })
    }

    fn doer(&mut self, name: Option<&str>, group: &str) -> Person {
        match name {
            Some(name) => self.directory.person_called(name, group, self.now),
            None => self.directory.myself(Some(group)),
        }
    }

    fn who(&mut self, who: &Who, group: &str) -> Person {
        match who {
            Who::Me => self.directory.myself(Some(group)),
            Who::Named(name) => self.doer(Some(name), group),
        }
    }

    /// Whether a line means the account itself; names are already filled in, so its own may stand there.
    fn is_own(&self, who: &Who, group: &str) -> bool {
        match who {
            Who::Me => true,
            Who::Named(name) => {
                let me = self.directory.myself(Some(group));
                let shown = *name == me.name || *name == self.directory.me().nick;
                let other = self.directory.member_called(group, name);
                shown && other.is_none_or(|member| self.directory.is_me(&member.user_name))
            }
        }
    }

    // -- System XML: recalls, and lines in another form.

    pub(super) fn system_xml(
        &mut self,
        message: &wire::Message,
        place: &Place<'_>,
        gone: &mut [Departed],
        news: &mut News,
    ) {
        let body = text::xml(place.content);
        let xml = Element::parse(&body).unwrap_or_default();
        let kind = match xml.attribute("type") {
            // A line like those of type 10000, only with its names apart.
            "sysmsgtemplate" => "system".to_owned(),
            kind => format!("system:{kind}"),
        };
        if let Some(recall) = xml.find(&["revokemsg"]) {
            news.events.push(self.recall(message, place, recall));
        } else if let Some(pat) = Pat::read(&xml) {
            news.events.push(self.pat(message, place, &pat));
        } else if let Some(line) = system_xml::line(&xml) {
            self.line(message, place, (&kind, &line), gone, news);
        } else {
            let chat = self.chat(place.peer);
            news.events.push(self.notice(message, chat, None, raw(&kind, "")));
        }
    }

    /// A pat says by ids who patted whom, and its line says it to people.
    fn pat(&mut self, message: &wire::Message, place: &Place<'_>, pat: &Pat<'_>) -> Event {
        let chat = self.chat(place.peer);
        let group = chat.is_group().then_some(place.peer);
        let line = pat.line(|id| self.directory.name_of_id(id, group));
        let said = match system_text::read(&line) {
            Some(SystemLine::Patted { by, whom }) => Some((by, whom)),
            _ => None,
        };
        let whom_is_me = said.as_ref().is_some_and(|(_, whom)| self.is_own(whom, place.peer));
        let me = whom_is_me || self.directory.is_own_id(pat.whom);
        let person = match (self.directory.user_name_of_id(pat.by), said) {
            (Some(user_name), _) => Some(self.directory.person(&user_name, group, self.now)),
            (None, Some((by, _))) if group.is_some() => Some(self.who(&by, place.peer)),
            _ => group.is_none().then(|| self.directory.person(place.peer, None, self.now)),
        };
        self.notice(message, chat, person, NoticeKind::Pat { me, text: line })
    }

    fn recall(&mut self, message: &wire::Message, place: &Place<'_>, recall: &Element) -> Event {
        let id = |name| Some(recall.text_at(&[name])).filter(|id| !id.is_empty() && *id != "0");
        let line = text::plain(recall.text_at(&["replacemsg"]));
        let by = match system_text::read(&line) {
            Some(SystemLine::Recalled { by }) => by,
            _ => None,
        };
        let chat = self.chat(place.peer);
        let group = chat.is_group().then_some(place.peer);
        // "msgid 0" is the last message of the account itself.
        let Some(recalled) = id("newmsgid").or_else(|| id("msgid")) else {
            return self.notice(message, chat, None, raw("recalled", &line));
        };
        let is_mine =
            place.mine || (by.is_none() && !line.is_empty() && system_text::read(&line).is_some());
        let person = match (is_mine, group, by) {
            (true, group, _) => self.directory.myself(group),
            (false, Some(group), _) if !place.sender.is_empty() => {
                self.directory.person(place.sender, Some(group), self.now)
            }
            (false, Some(group), Some(name)) => {
                self.directory.person_called(&name, group, self.now)
            }
            (false, _, _) => self.directory.person(place.peer, None, self.now),
        };
        let kind = match is_mine {
            true => raw("recalled", &line),
            false => NoticeKind::Recall { message: MessageId::new(recalled), original: None },
        };
        self.notice(message, chat, Some(person), kind)
    }
}

/// The word for a line that has no kind of notice of its own.
fn word(said: &SystemLine) -> &'static str {
    match said {
        SystemLine::Joined { .. } => "joined",
        SystemLine::Invited => "invited",
        SystemLine::Left { .. } => "left",
        SystemLine::Removed => "removed",
        SystemLine::Renamed { .. } => "renamed",
        SystemLine::Patted { .. } => "patted",
        SystemLine::RedPacket => "red_packet",
        SystemLine::Recalled { .. } => "recalled",
        SystemLine::Throttled => "throttled",
        SystemLine::Befriended => BEFRIENDED,
        SystemLine::NoFriend => NO_FRIEND,
        SystemLine::Other(kind) => kind,
    }
}
