//! One web login: its keys, its names for all contacts, and its log.

use std::{collections::HashMap, fmt};

use super::{
    draw::{Draw, md5_hex},
    log::SyncLog,
    people::{GroupId, Peer, Person, PersonId, Relation},
};

/// A web session, from the QR login to its end. A client that resumes it finds it unchanged.
#[derive(Clone)]
pub(crate) struct Session {
    pub(crate) sid: String,
    pub(crate) skey: String,
    /// Base64, not yet percent-encoded.
    pub(crate) pass_ticket: String,
    /// `webwx_data_ticket`: every issued ticket stays valid, the last one is the newest.
    pub(crate) tickets: Vec<String>,
    /// Seconds since 1970.
    pub(crate) since: u64,
    pub(crate) log: SyncLog,
    /// The first ready notification was answered with the list of conversations.
    pub(crate) greeted: bool,
    pub(crate) sends: Sends,
    people: Vec<String>,
    groups: Vec<String>,
    peers: HashMap<String, Peer>,
}

/// Keys and tickets stay out of logs, even generated ones.
impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").field("since", &self.since).finish_non_exhaustive()
    }
}

impl Session {
    pub(crate) fn new(draw: &mut Draw, since: u64) -> Self {
        Self {
            sid: draw.base64(12),
            skey: format!("@crypt_{}_{}", draw.hex(8), draw.hex(32)),
            pass_ticket: draw.base64(46),
            tickets: vec![new_ticket(draw)],
            since,
            log: SyncLog::new(650_000_000 + i64::try_from(draw.below(9_000_000)).unwrap_or(0)),
            greeted: false,
            sends: Sends::default(),
            people: Vec::new(),
            groups: Vec::new(),
            peers: HashMap::new(),
        }
    }

    /// A session with this id, for a client that still has it from an earlier run of the world.
    pub(crate) fn with_sid(mut self, sid: &str) -> Self {
        sid.clone_into(&mut self.sid);
        self
    }

    /// Assigns names to new people and groups.
    pub(crate) fn learn(&mut self, people: &[Person], groups: usize) {
        for (index, person) in people.iter().enumerate().skip(self.people.len()) {
            let name = match person.relation {
                Relation::Special => person.real_id.clone(),
                _ => {
                    format!("@{}", self.pseudonym('p', index, if index % 2 == 0 { 64 } else { 32 }))
                }
            };
            self.peers.insert(name.clone(), Peer::Person(PersonId(number(index))));
            self.people.push(name);
        }
        for index in self.groups.len()..groups {
            let name = format!("@@{}", self.pseudonym('g', index, 64));
            self.peers.insert(name.clone(), Peer::Group(GroupId(number(index))));
            self.groups.push(name);
        }
    }

    fn pseudonym(&self, kind: char, index: usize, digits: usize) -> String {
        // Derived from the session's id: a restored session uses the same names again.
        let mut text = String::new();
        for part in 0..digits / 32 {
            text += &md5_hex(format!("{} {kind} {index} {part}", self.sid).as_bytes());
        }
        text
    }

    /// The `UserName` of a person or a group in this login.
    pub(crate) fn name(&self, peer: Peer) -> &str {
        let name = match peer {
            Peer::Person(person) => self.people.get(person.index()),
            Peer::Group(group) => self.groups.get(group.index()),
        };
        name.map_or("", String::as_str)
    }

    pub(crate) fn person_name(&self, person: PersonId) -> &str {
        self.name(Peer::Person(person))
    }

    /// The `EncryChatRoomId` of a group: another name than its `UserName`.
    pub(crate) fn room_id(&self, group: GroupId) -> String {
        format!("@{}", self.pseudonym('r', group.index(), 32))
    }

    /// Returns true for a data ticket of this session. Clients send it encoded or not, and wechat-go cuts the whole
    /// cookie at its `=` signs.
    pub(crate) fn has_ticket(&self, given: &str) -> bool {
        let given = given.split(';').next().unwrap_or_default().trim();
        let plain = crate::wire::text::percent_decode(given);
        self.tickets.iter().any(|known| known == given || *known == plain)
    }

    /// The person or group of a `UserName` or an `EncryChatRoomId` of this login.
    pub(crate) fn peer(&self, name: &str) -> Option<Peer> {
        self.peers.get(name).copied()
    }
}

/// Eighteen bytes, so that base64 needs no `=` padding.
pub(crate) fn new_ticket(draw: &mut Draw) -> String {
    draw.base64(18)
}

fn number(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}

/// The identity of a send: wechat4u uses one id for two different sends within one millisecond, so the receiver and
/// the content count as well.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct SendKey {
    pub(crate) client_id: String,
    pub(crate) to: Peer,
    pub(crate) content: String,
}

/// The sends of this session: a repeated send gets the id of the first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sends(HashMap<SendKey, u64>);

impl Sends {
    pub(crate) fn known(&self, key: &SendKey) -> Option<u64> {
        self.0.get(key).copied()
    }

    pub(crate) fn remember(&mut self, key: SendKey, id: u64) {
        // Far more than any client repeats. The table has no order to drop the oldest from, so it starts anew.
        const MOST: usize = 100_000;
        if self.0.len() >= MOST {
            self.0.clear();
        }
        self.0.insert(key, id);
    }
}
