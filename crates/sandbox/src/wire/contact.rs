//! Contacts and members, sections 11.1 and 11.2 of the protocol reference.

use serde::Serialize;

use super::text::{percent_encode, to_wire};
use crate::world::{
    Session, World,
    people::{Group, GroupId, Peer, Person, PersonId, Relation},
};

/// A person or a group in a contact list.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Contact {
    pub(crate) uin: u32,
    pub(crate) user_name: String,
    nick_name: String,
    head_img_url: String,
    contact_flag: i32,
    pub(crate) member_count: usize,
    pub(crate) member_list: Vec<Member>,
    remark_name: String,
    hide_input_bar_flag: i32,
    sex: i32,
    signature: String,
    verify_flag: i32,
    owner_uin: u32,
    #[serde(rename = "PYInitial")]
    initials: String,
    #[serde(rename = "PYQuanPin")]
    pinyin: String,
    #[serde(rename = "RemarkPYInitial")]
    remark_initials: String,
    #[serde(rename = "RemarkPYQuanPin")]
    remark_pinyin: String,
    star_friend: i32,
    app_account_flag: i32,
    /// The service's spelling; for groups, 1 means that notifications are on.
    statues: i32,
    attr_status: u32,
    province: String,
    city: String,
    alias: String,
    sns_flag: i32,
    uni_friend: i32,
    display_name: String,
    chat_room_id: i32,
    key_word: String,
    encry_chat_room_id: String,
    is_owner: i32,
}

/// A member of a group.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Member {
    uin: u32,
    user_name: String,
    nick_name: String,
    attr_status: u32,
    #[serde(rename = "PYInitial")]
    initials: String,
    #[serde(rename = "PYQuanPin")]
    pinyin: String,
    #[serde(rename = "RemarkPYInitial")]
    remark_initials: String,
    #[serde(rename = "RemarkPYQuanPin")]
    remark_pinyin: String,
    member_status: i32,
    display_name: String,
    key_word: String,
}

/// A changed contact in the answer of `webwxsync`: another subset of the same fields.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct ModContact {
    user_name: String,
    nick_name: String,
    sex: i32,
    head_img_update_flag: i32,
    contact_type: i32,
    alias: String,
    chat_room_owner: String,
    head_img_url: String,
    contact_flag: i32,
    member_count: usize,
    member_list: Vec<Member>,
    hide_input_bar_flag: i32,
    signature: String,
    verify_flag: i32,
    remark_name: String,
    statues: i32,
    attr_status: u32,
    province: String,
    city: String,
    sns_flag: i32,
    key_word: String,
}

/// The amount of detail about a group's members in an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Members {
    /// `webwxgetcontact`: no members.
    None,
    /// `webwxinit`: user names without nicknames.
    Nameless,
    /// `webwxbatchgetcontact`: all fields.
    All,
}

/// Writes people and groups with their names in one login.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Writer<'a> {
    pub(crate) world: &'a World,
    pub(crate) session: &'a Session,
}

const PINNED: i32 = 2048;
const NO_NOTIFICATIONS: i32 = 512;

impl Writer<'_> {
    pub(crate) fn name(&self, peer: Peer) -> String {
        self.session.name(peer).to_owned()
    }

    /// The service's entry for an unknown name.
    pub(crate) fn unknown(name: String) -> Contact {
        Contact { user_name: name, ..Contact::default() }
    }

    pub(crate) fn contact(&self, peer: Peer, members: Members) -> Contact {
        match peer {
            Peer::Person(person) => self.person(person),
            Peer::Group(group) => self.group(group, members),
        }
    }

    fn person(&self, id: PersonId) -> Contact {
        let person = self.world.person(id);
        Contact {
            uin: if id == PersonId::ME { person.uin } else { 0 },
            user_name: self.name(Peer::Person(id)),
            nick_name: to_wire(&person.name),
            head_img_url: self.icon(Peer::Person(id)),
            contact_flag: person_flag(person),
            remark_name: to_wire(&person.remark),
            sex: person.sex,
            signature: to_wire(&person.signature),
            verify_flag: verify_flag(person),
            initials: initials(&person.name),
            pinyin: pinyin(&person.name),
            remark_initials: initials(&person.remark),
            remark_pinyin: pinyin(&person.remark),
            attr_status: attr_status(person),
            province: person.province.clone(),
            city: person.city.clone(),
            alias: person.alias.clone(),
            sns_flag: i32::from(person.relation == Relation::Friend) * 17,
            key_word: key_word(person),
            ..Contact::default()
        }
    }

    fn group(&self, id: GroupId, members: Members) -> Contact {
        let group = self.world.group(id);
        let mine = group.owner == PersonId::ME;
        let whole = members == Members::All;
        let member_list = self.members(group, members);
        Contact {
            user_name: self.name(Peer::Group(id)),
            nick_name: to_wire(&group.topic),
            head_img_url: self.icon(Peer::Group(id)),
            contact_flag: group_flag(group),
            member_count: member_list.len(),
            member_list,
            owner_uin: if whole && mine { self.world.me().uin } else { 0 },
            initials: initials(&group.topic),
            pinyin: pinyin(&group.topic),
            statues: i32::from(!group.muted),
            encry_chat_room_id: if whole { self.session.room_id(id) } else { String::new() },
            is_owner: i32::from(whole && mine),
            ..Contact::default()
        }
    }

    pub(crate) fn members(&self, group: &Group, members: Members) -> Vec<Member> {
        match members {
            Members::None => Vec::new(),
            Members::Nameless => group.members.iter().map(|it| self.nameless(it.person)).collect(),
            Members::All => {
                group.members.iter().map(|it| self.member(it.person, &it.display, 0)).collect()
            }
        }
    }

    fn nameless(&self, person: PersonId) -> Member {
        Member {
            user_name: self.name(Peer::Person(person)),
            attr_status: attr_status(self.world.person(person)),
            ..Member::default()
        }
    }

    fn member(&self, id: PersonId, display: &str, uin: u32) -> Member {
        let person = self.world.person(id);
        Member {
            uin,
            user_name: self.name(Peer::Person(id)),
            nick_name: to_wire(&person.name),
            attr_status: attr_status(person),
            display_name: to_wire(display),
            key_word: key_word(person),
            ..Member::default()
        }
    }

    /// The entry of `ModContactList`: groups with all members and their real `Uin`.
    pub(crate) fn changed(&self, peer: Peer) -> ModContact {
        match peer {
            Peer::Person(id) => self.changed_person(id),
            Peer::Group(id) => self.changed_group(id),
        }
    }

    fn changed_person(&self, id: PersonId) -> ModContact {
        let person = self.world.person(id);
        ModContact {
            user_name: self.name(Peer::Person(id)),
            nick_name: to_wire(&person.name),
            sex: person.sex,
            head_img_update_flag: 1,
            alias: person.alias.clone(),
            head_img_url: self.icon(Peer::Person(id)),
            contact_flag: person_flag(person),
            signature: to_wire(&person.signature),
            verify_flag: verify_flag(person),
            remark_name: to_wire(&person.remark),
            attr_status: attr_status(person),
            province: person.province.clone(),
            city: person.city.clone(),
            key_word: key_word(person),
            ..ModContact::default()
        }
    }

    fn changed_group(&self, id: GroupId) -> ModContact {
        let group = self.world.group(id);
        let uin = |person: PersonId| self.world.person(person).uin;
        let members = group.members.iter();
        let member_list: Vec<_> =
            members.map(|it| self.member(it.person, &it.display, uin(it.person))).collect();
        ModContact {
            user_name: self.name(Peer::Group(id)),
            nick_name: to_wire(&group.topic),
            head_img_update_flag: 1,
            chat_room_owner: self.name(Peer::Person(group.owner)),
            head_img_url: self.icon(Peer::Group(id)),
            contact_flag: group_flag(group),
            member_count: member_list.len(),
            member_list,
            statues: i32::from(!group.muted),
            ..ModContact::default()
        }
    }

    pub(crate) fn icon(&self, peer: Peer) -> String {
        let (call, seq) = match peer {
            Peer::Person(person) => ("webwxgeticon", self.world.person(person).picture),
            Peer::Group(group) => ("webwxgetheadimg", self.world.group(group).picture),
        };
        let name = percent_encode(self.session.name(peer));
        let skey = &self.session.skey;
        format!("/cgi-bin/mmwebwx-bin/{call}?seq={seq}&username={name}&skey={skey}")
    }
}

fn person_flag(person: &Person) -> i32 {
    let base = match person.relation {
        Relation::Friend | Relation::Official => 3,
        Relation::Special => 1,
        Relation::Me | Relation::Stranger => 0,
    };
    base | if person.pinned { PINNED } else { 0 }
}

fn group_flag(group: &Group) -> i32 {
    let saved = if group.saved { 3 } else { 0 };
    let pinned = if group.pinned { PINNED } else { 0 };
    let muted = if group.muted { NO_NOTIFICATIONS } else { 0 };
    saved | pinned | muted
}

fn verify_flag(person: &Person) -> i32 {
    match person.relation {
        Relation::Official => 24,
        Relation::Special if person.real_id == "weixin" => 56,
        _ => 0,
    }
}

fn attr_status(person: &Person) -> u32 {
    if person.relation == Relation::Friend { 102_503 } else { 0 }
}

/// The first three characters of the real id, the form of the service.
fn key_word(person: &Person) -> String {
    person.real_id.chars().take(3).collect()
}

/// Initials and pinyin of a name, for plain letters only: the sandbox has no table of readings.
fn initials(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|it| it.to_ascii_uppercase()).collect()
}

fn pinyin(name: &str) -> String {
    initials(name).to_lowercase()
}
