//! The people, groups and messages of a sandbox: plain data without HTTP.

mod action;
mod chat;
pub(crate) mod draw;
mod file;
mod lines;
mod log;
pub(crate) mod message;
mod online;
pub(crate) mod people;
mod raw;
mod room;
pub(crate) mod samples;
mod session;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

pub use action::{QuoteForm, SandboxAction, SandboxActionError, SandboxActionKind};
pub use file::WorldFileError;
pub(crate) use lines::Language;
pub(crate) use log::{Entry, Keys};
pub use raw::RawMessage;
pub(crate) use session::{SendKey, Session, new_ticket};

use draw::Draw;
use message::{Media, Message};
use people::{Group, GroupId, Peer, Person, PersonId, Relation};

/// The people, groups and official accounts that a client sees, with their messages and the current session.
///
/// `World::default()` is a small fruit shop in Chinese, [`World::english`] the same in English; [`World::from_toml`]
/// reads another world.
#[derive(Debug, Clone)]
pub struct World {
    pub(crate) people: Vec<Person>,
    pub(crate) groups: Vec<Group>,
    pub(crate) language: Language,
    /// The number of contacts in one page of `webwxgetcontact`.
    pub(crate) page: usize,
    history: BTreeMap<u64, Arc<Message>>,
    recalled: BTreeSet<u64>,
    unread: HashMap<Peer, u32>,
    session: Option<Session>,
    /// Ended sessions with the code that reports their end; the newest last.
    ended: VecDeque<(String, i32)>,
    waiting: Vec<Arc<Message>>,
    ever_logged_in: bool,
    last_id: u64,
    ahead: u64,
    /// `webwxuvid` of the browsers that have logged in before: they may log in without a scan.
    pub(crate) devices: Vec<String>,
    /// The client's uploads, by `MediaId`.
    pub(crate) uploads: HashMap<String, Media>,
    pub(crate) draw: Draw,
    news: Vec<News>,
}

/// The events that have not yet been sent to the watchers.
#[derive(Debug, Clone)]
pub(crate) enum News {
    Message(Arc<Message>),
    Recalled(u64),
    People,
}

impl World {
    pub(crate) fn new(name: &str) -> Self {
        let mut me = Person::new(name, Relation::Me, 0);
        me.sex = 2;
        let mut world = Self {
            people: vec![me],
            groups: Vec::new(),
            language: Language::Chinese,
            page: 1500,
            history: BTreeMap::new(),
            recalled: BTreeSet::new(),
            unread: HashMap::new(),
            session: None,
            ended: VecDeque::new(),
            waiting: Vec::new(),
            ever_logged_in: false,
            last_id: 0,
            ahead: 0,
            devices: Vec::new(),
            uploads: HashMap::new(),
            draw: Draw::new(fresh_seed()),
            news: Vec::new(),
        };
        for (id, name) in
            [("filehelper", "文件传输助手"), ("fmessage", "朋友推荐消息"), ("weixin", "微信团队")]
        {
            let special = world.add_person(name, Relation::Special);
            id.clone_into(&mut world.people[special.index()].real_id);
        }
        world
    }

    /// The world of a further account: an account number and generated values of its own. Account 0 stays as it is.
    pub(crate) fn of_account(mut self, number: u32) -> Self {
        if number > 0 {
            let me = &mut self.people[PersonId::ME.index()];
            me.uin = me.uin.wrapping_add(number);
            self.draw = Draw::new(fresh_seed());
        }
        self
    }

    /// The world's time in milliseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        wall_clock() + self.ahead
    }

    pub(crate) fn seconds(&self) -> u64 {
        self.now() / 1000
    }

    /// Moves the world's clock ahead.
    pub(crate) fn advance(&mut self, milliseconds: u64) {
        // Ids are derived from the time: a century is far enough and cannot overflow.
        const CENTURY: u64 = 100 * 365 * 86_400_000;
        self.ahead = self.ahead.saturating_add(milliseconds).min(CENTURY);
    }

    pub(crate) fn me(&self) -> &Person {
        &self.people[PersonId::ME.index()]
    }

    /// The nickname of the account that clients log in to.
    pub fn nickname(&self) -> &str {
        &self.me().name
    }

    pub(crate) fn person(&self, id: PersonId) -> &Person {
        &self.people[id.index()]
    }

    pub(crate) fn group(&self, id: GroupId) -> &Group {
        &self.groups[id.index()]
    }

    pub(crate) fn group_ids(&self) -> impl Iterator<Item = GroupId> + use<> {
        (0..u32::try_from(self.groups.len()).unwrap_or(u32::MAX)).map(GroupId)
    }

    pub(crate) fn person_ids(&self) -> impl Iterator<Item = PersonId> + use<> {
        (0..u32::try_from(self.people.len()).unwrap_or(u32::MAX)).map(PersonId)
    }

    pub(crate) fn add_person(&mut self, name: &str, relation: Relation) -> PersonId {
        let number = u32::try_from(self.people.len()).unwrap_or(u32::MAX);
        self.people.push(Person::new(name, relation, number));
        self.name_the_new();
        PersonId(number)
    }

    pub(crate) fn add_group(&mut self, topic: &str) -> GroupId {
        let number = u32::try_from(self.groups.len()).unwrap_or(u32::MAX);
        self.groups.push(Group::new(topic, number));
        self.name_the_new();
        GroupId(number)
    }

    fn name_the_new(&mut self) {
        if let Some(session) = &mut self.session {
            session.learn(&self.people, self.groups.len());
        }
    }

    /// Finds a person by id, WeChat id, remark or nickname; members of `group` first, also by their name in the
    /// group.
    pub(crate) fn find_person(&self, name: &str, group: Option<GroupId>) -> Option<PersonId> {
        let inside = group.and_then(|group| {
            let members = &self.group(group).members;
            let called =
                |id: PersonId| self.person(id).name == name || self.person(id).remark == name;
            members
                .iter()
                .find(|member| member.display == name || called(member.person))
                .map(|member| member.person)
        });
        inside.or_else(|| {
            self.person_ids().find(|id| {
                let person = self.person(*id);
                [&person.name, &person.remark, &person.alias, &person.real_id]
                    .contains(&&name.to_owned())
                    || Peer::Person(*id).id() == name
            })
        })
    }

    /// Finds a group by topic or id.
    pub(crate) fn find_group(&self, name: &str) -> Option<GroupId> {
        let is = |id: &GroupId| self.group(*id).topic == name || Peer::Group(*id).id() == name;
        self.group_ids().find(is)
    }

    /// The display name of the chat.
    pub(crate) fn chat_name(&self, peer: Peer) -> String {
        match peer {
            Peer::Person(person) => self.person(person).name.clone(),
            Peer::Group(group) if !self.group(group).topic.is_empty() => {
                self.group(group).topic.clone()
            }
            Peer::Group(group) => {
                let members = &self.group(group).members;
                members
                    .iter()
                    .take(10)
                    .map(|it| self.person(it.person).name.as_str())
                    .collect::<Vec<_>>()
                    .join("、")
            }
        }
    }

    /// The name that the members of a group see beside a person's messages.
    pub(crate) fn name_in(&self, group: GroupId, person: PersonId) -> &str {
        match self.group(group).member(person) {
            Some(member) if !member.display.is_empty() => &member.display,
            _ => &self.person(person).name,
        }
    }
}

fn wall_clock() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Two sandboxes must not generate the same keys.
fn fresh_seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(wall_clock())
}

#[cfg(test)]
mod tests {
    use super::{action::SandboxActionKind, *};

    fn say(world: &mut World, from: &str, text: &str) -> u64 {
        let kind = SandboxActionKind::Say { text: text.to_owned(), to: None };
        world.act(SandboxAction { from: from.to_owned(), group: None, kind }).unwrap().unwrap()
    }

    /// The first entries of the session's log.
    fn read(world: &mut World) -> Vec<String> {
        let (entries, _) = world.session_mut().unwrap().log.read(0, usize::MAX);
        let texts = entries.iter().filter_map(|entry| match entry {
            Entry::Message(message) => Some(message.body.text().to_owned()),
            _ => None,
        });
        texts.collect()
    }

    #[test]
    fn a_session_gets_messages_after_the_first_login() {
        let mut world = World::default();
        say(&mut world, "小红", "太早");
        world.begin_session();
        say(&mut world, "小红", "一");
        assert_eq!(read(&mut world), ["一"]);
        assert_eq!(world.messages().count(), 1);
    }

    #[test]
    fn undelivered_entries_wait_for_the_next_session() {
        let mut world = World::default();
        world.begin_session();
        say(&mut world, "小红", "读过");
        read(&mut world);
        say(&mut world, "小红", "没读");
        assert!(world.end_session(1100));
        assert!(!world.end_session(1100), "there is none any more");
        say(&mut world, "小红", "后来");
        world.begin_session();
        assert_eq!(read(&mut world), ["没读", "后来"]);
    }

    #[test]
    fn names_belong_to_one_session() {
        let mut world = World::default();
        let person = world.find_person("小红", None).unwrap();
        let group = world.find_group("水果店客户群").unwrap();
        let names = |world: &mut World| {
            let session = world.begin_session();
            [Peer::Person(person), Peer::Group(group)].map(|peer| session.name(peer).to_owned())
        };
        let (first, second) = (names(&mut world), names(&mut world));
        assert!(first[0] != second[0] && first[1] != second[1]);
        let session = world.session().unwrap();
        assert_eq!(session.peer(&second[1]), Some(Peer::Group(group)));
        assert_eq!(session.peer(&first[1]), None, "a name of the last login");
        assert_ne!(session.room_id(group), second[1]);
    }

    #[test]
    fn a_later_person_has_a_name_too() {
        let mut world = World::default();
        world.begin_session();
        let person = world.add_person("新人", Relation::Stranger);
        assert!(world.session().unwrap().person_name(person).len() > 32);
    }

    #[test]
    fn ended_sessions_have_a_code() {
        let mut world = World::default();
        let sids: Vec<_> = (0..3).map(|_| world.begin_session().sid.clone()).collect();
        world.end_session(1102);
        let codes: Vec<_> = sids.iter().map(|sid| world.ended_with(sid)).collect();
        assert_eq!(codes, [Some(1101), Some(1101), Some(1102)]);
        assert_eq!(world.ended_with("other"), None);
    }

    #[test]
    fn ids_grow_and_the_clock_cannot_overflow_them() {
        let mut world = World::default();
        world.begin_session();
        let first = say(&mut world, "小红", "一");
        world.advance(u64::MAX);
        world.advance(u64::MAX);
        let later = say(&mut world, "小红", "二");
        assert!(first < later && i64::try_from(later).is_ok());
    }

    #[test]
    fn a_leaving_owner_passes_the_group_on() {
        let mut world = World::default();
        let id = world.find_group("水果店客户群").unwrap();
        let owner = world.group(id).owner;
        assert!(world.groups[id.index()].remove(owner));
        assert!(!world.groups[id.index()].remove(owner));
        assert_eq!(world.group(id).owner, PersonId::ME);
    }
}
