//! People, official accounts and groups: the data that outlives the names of a login.

/// A person of the world; the account itself is [`PersonId::ME`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct PersonId(pub(crate) u32);

impl PersonId {
    pub(crate) const ME: Self = Self(0);

    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct GroupId(pub(crate) u32);

impl GroupId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// The other side of a conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Peer {
    Person(PersonId),
    Group(GroupId),
}

impl Peer {
    /// The id in the control API: `p3`, `g1`.
    pub(crate) fn id(self) -> String {
        match self {
            Self::Person(person) => format!("p{}", person.0),
            Self::Group(group) => format!("g{}", group.0),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Relation {
    Me,
    Friend,
    /// Known only as a member of a group or by a friend request.
    Stranger,
    /// A followed official account.
    Official,
    /// An account of the service itself, such as `filehelper`, with a fixed user name.
    Special,
}

#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) name: String,
    /// The name that the account's owner gave to the person.
    pub(crate) remark: String,
    /// The public WeChat id; mostly empty since later years.
    pub(crate) alias: String,
    /// The service's own id, seen by clients only in notifications of type 51.
    pub(crate) real_id: String,
    pub(crate) uin: u32,
    pub(crate) sex: i32,
    pub(crate) province: String,
    pub(crate) city: String,
    pub(crate) signature: String,
    pub(crate) relation: Relation,
    pub(crate) pinned: bool,
    /// Changes with each new picture.
    pub(crate) picture: u32,
}

impl Person {
    pub(crate) fn new(name: &str, relation: Relation, number: u32) -> Self {
        let prefix = if relation == Relation::Official { "gh_" } else { "wxid_" };
        Self {
            name: name.to_owned(),
            remark: String::new(),
            alias: String::new(),
            real_id: format!("{prefix}{number:014x}"),
            uin: 1_000_000_000 + number,
            sex: 0,
            province: String::new(),
            city: String::new(),
            signature: String::new(),
            relation,
            pinned: false,
            picture: 620_000_000 + number,
        }
    }

    /// Returns true if messages to this person are delivered: a friend, a followed account or a service of WeChat.
    pub(crate) fn takes_messages(&self) -> bool {
        matches!(self.relation, Relation::Friend | Relation::Official | Relation::Special)
    }

    pub(crate) fn is_contact(&self) -> bool {
        self.relation != Relation::Stranger
    }
}

#[derive(Debug, Clone)]
pub(crate) struct Member {
    pub(crate) person: PersonId,
    /// The name inside the group; empty if not set.
    pub(crate) display: String,
}

#[derive(Debug, Clone)]
pub(crate) struct Group {
    /// Empty for a group without a name.
    pub(crate) topic: String,
    pub(crate) members: Vec<Member>,
    pub(crate) owner: PersonId,
    /// Saved in the address book: only such groups are in `webwxgetcontact`.
    pub(crate) saved: bool,
    pub(crate) pinned: bool,
    pub(crate) muted: bool,
    pub(crate) real_id: String,
    pub(crate) picture: u32,
}

impl Group {
    pub(crate) fn new(topic: &str, number: u32) -> Self {
        Self {
            topic: topic.to_owned(),
            members: vec![Member { person: PersonId::ME, display: String::new() }],
            owner: PersonId::ME,
            saved: false,
            pinned: false,
            muted: false,
            real_id: format!("{}@chatroom", 10_000_000_000 + u64::from(number)),
            picture: 680_000_000 + number,
        }
    }

    pub(crate) fn member(&self, person: PersonId) -> Option<&Member> {
        self.members.iter().find(|member| member.person == person)
    }

    pub(crate) fn has(&self, person: PersonId) -> bool {
        self.member(person).is_some()
    }

    /// Returns true if the person was not a member before.
    pub(crate) fn add(&mut self, person: PersonId) -> bool {
        let new = !self.has(person);
        if new {
            self.members.push(Member { person, display: String::new() });
        }
        new
    }

    /// Returns true if the person was a member. If the owner leaves, the next member becomes the owner.
    pub(crate) fn remove(&mut self, person: PersonId) -> bool {
        let before = self.members.len();
        self.members.retain(|member| member.person != person);
        if self.owner == person
            && let Some(next) = self.members.first()
        {
            self.owner = next.person;
        }
        self.members.len() < before
    }
}
