//! Groups in the directory.
//!
//! After a new login a group is known again by its real id, or by its title together with its members. A title alone
//! is believed until the members are at hand.

use mynah_core::{Chat, Timestamp};
use mynah_webwx::text;
use mynah_webwx::wire::Contact;
use serde::{Deserialize, Serialize};

use super::sketch::Sketch;
use super::{Departed, Directory, Member};

/// Below this share of members in common, two groups of one title are two groups.
const SURELY_OTHER: usize = 20;

/// From this share on, two groups of one title are one, also where several have the title.
const SURELY_SAME: usize = 50;

/// From this share on, two groups of different titles may be one that was renamed while the account was logged out.
const NEARLY_ALL: usize = 90;

/// Real ids that wait for their groups; more are not remembered.
const MOST_PENDING: usize = 2_000;

/// A group that has an id.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct KnownGroup {
    #[serde(rename = "n", default, skip_serializing_if = "String::is_empty")]
    title: String,
    #[serde(rename = "r", default, skip_serializing_if = "String::is_empty")]
    remark: String,
    /// `…@chatroom`, where the service sent it.
    #[serde(rename = "w", default, skip_serializing_if = "String::is_empty")]
    real_id: String,
    #[serde(rename = "m", default)]
    members: Sketch,
    /// A few names, for groups without a title.
    #[serde(rename = "f", default, skip_serializing_if = "String::is_empty")]
    first_names: String,
    #[serde(rename = "@", default, skip_serializing_if = "Option::is_none")]
    pub(super) user_name: Option<Box<str>>,
    #[serde(skip)]
    sureness: Sureness,
    /// Whether the account owns it, as far as the service said so in this login.
    #[serde(skip)]
    owned: Option<bool>,
    /// The number of members by the list of contacts, which has no members; 0 if unknown.
    #[serde(skip)]
    size: usize,
}

/// How sure it is that the group of this login is the one with this id.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Sureness {
    /// The members agree, the real id does, or the login goes on.
    #[default]
    Sure,
    /// Only the title agrees.
    ByTitle,
    /// Made during this login, because nothing known was like it.
    Fresh,
}

impl KnownGroup {
    /// Takes the name of the last login off. Returns whether it had one.
    pub(super) fn unbind(&mut self) -> bool {
        self.sureness = Sureness::Sure;
        (self.owned, self.size) = (None, 0);
        self.user_name.take().is_some()
    }

    fn name(&self) -> &str {
        [&*self.title, &*self.remark, &*self.first_names]
            .into_iter()
            .find(|name| !name.is_empty())
            .unwrap_or("?")
    }
}

impl Directory {
    /// Takes in groups that the service lists together, without or with members. Members who are missing from a list
    /// that was known before are kept for [`take_departed`](Directory::take_departed).
    pub(crate) fn learn_groups(&mut self, groups: &[Contact], now: Timestamp) {
        for group in groups {
            let title = text::name(&group.nick_name);
            let alone =
                groups.iter().filter(|other| other.nick_name == group.nick_name).count() == 1;
            self.learn_group(group, &title, alone);
            if group.member_list.iter().any(|member| !member.nick_name.is_empty()) {
                self.learn_members(group, now);
            }
        }
    }

    fn learn_group(&mut self, group: &Contact, title: &str, alone: bool) {
        let id = match self.group_of.get(&*group.user_name) {
            Some(&id) if self.is_nameless(id) && !title.is_empty() => {
                self.leave_group(id);
                self.bind_new_group(&group.user_name, title, alone)
            }
            Some(&id) => id,
            None => self.bind_new_group(&group.user_name, title, alone),
        };
        if let Some(real_id) = self.real_ids.remove(&*group.user_name) {
            self.learn_real_group_id(&group.user_name, &real_id);
        }
        let id = self.group_of.get(&*group.user_name).copied().unwrap_or(id);
        let owned = self.is_owned(group);
        let Some(known) = self.groups.get_mut(&id) else { return };
        known.owned = owned.or(known.owned);
        if let Some(size) = usize::try_from(group.member_count).ok().filter(|size| *size > 0) {
            known.size = size;
        }
        let before = (known.title.clone(), known.remark.clone());
        if !title.is_empty() {
            title.clone_into(&mut known.title);
        }
        let remark = text::name(&group.remark_name);
        if !remark.is_empty() {
            known.remark = remark;
        }
        if before != (known.title.clone(), known.remark.clone()) {
            self.group_changed(id);
        }
    }

    /// Whether the account owns the group, if the contact shows it: newer answers have a flag, changes the name of the
    /// owner, older answers the number (sections 11.1 and 14 of the protocol reference).
    fn is_owned(&self, group: &Contact) -> Option<bool> {
        let me = &self.head.me;
        if group.is_owner == 1 {
            return Some(true);
        }
        if !group.chat_room_owner.is_empty() {
            return Some(group.chat_room_owner == me.user_name);
        }
        (group.owner_uin != 0 && me.uin != 0).then_some(group.owner_uin == me.uin)
    }

    /// Whether the account owns a group; `None` if the service has not said.
    pub(crate) fn owns(&self, user_name: &str) -> Option<bool> {
        self.groups.get(self.group_of.get(user_name)?)?.owned
    }

    /// The number of members of a group, if it is known.
    pub(crate) fn size_of_group(&self, user_name: &str) -> Option<usize> {
        let listed = self.members.get(user_name).map_or(0, |roster| roster.members().len());
        let told = self.group_of.get(user_name).and_then(|id| self.groups.get(id));
        let size = listed.max(told.map_or(0, |group| group.size));
        (size > 0).then_some(size)
    }

    /// Whether a person is in the list of members at hand.
    pub(crate) fn has_member(&self, group: &str, user_name: &str) -> bool {
        self.members.get(group).is_some_and(|roster| roster.find(user_name).is_some())
    }

    /// Whether it got its id during this login, before anything but its user name was known.
    fn is_nameless(&self, id: u32) -> bool {
        self.groups.get(&id).is_some_and(|group| {
            group.sureness == Sureness::Fresh
                && group.title.is_empty()
                && group.first_names.is_empty()
        })
    }

    /// Binds a group by its title if exactly one known group has it, else makes a new one.
    fn bind_new_group(&mut self, user_name: &str, title: &str, alone: bool) -> u32 {
        let candidates: Vec<u32> = self.unbound_groups(title).map(|(id, _)| id).collect();
        match candidates[..] {
            [id] if alone && !title.is_empty() => {
                self.bind_group(id, user_name, Sureness::ByTitle);
                id
            }
            _ => {
                let id = self.new_group(title);
                self.bind_group(id, user_name, Sureness::Fresh);
                id
            }
        }
    }

    fn bind_group(&mut self, id: u32, user_name: &str, sureness: Sureness) {
        if let Some(group) = self.groups.get_mut(&id) {
            group.user_name = Some(user_name.into());
            group.sureness = sureness;
            self.group_of.insert(user_name.into(), id);
            self.group_changed(id);
        }
    }

    fn unbound_groups<'d>(
        &'d self,
        title: &'d str,
    ) -> impl Iterator<Item = (u32, &'d KnownGroup)> + 'd {
        self.groups
            .iter()
            .filter(move |(_, group)| group.user_name.is_none() && group.title == title)
            .map(|(id, group)| (*id, group))
    }

    fn learn_members(&mut self, group: &Contact, now: Timestamp) {
        let user_name = &*group.user_name;
        let list = &group.member_list;
        let whole = usize::try_from(group.member_count).is_ok_and(|count| count <= list.len());
        let members = self.members.replace(user_name, list, whole, now);
        match self.departed.iter_mut().find(|departed| &*departed.group == user_name) {
            Some(departed) => departed.members.extend(members),
            None if members.is_empty() => {}
            None => self.departed.push(Departed { group: user_name.into(), members }),
        }
        let roster = self.members.get(user_name).map(super::Roster::members).unwrap_or_default();
        let others = || roster.iter().filter(|member| *member.user_name != *self.head.me.user_name);
        let sketch = Sketch::of(others().map(|member| &*member.nick));
        let first_names: Vec<&str> =
            others().map(Member::shown).filter(|name| !name.is_empty()).take(4).collect();
        let first_names = first_names.join("、");
        let id = self.settle_group(user_name, &sketch);
        if let Some(group) = self.groups.get_mut(&id)
            && sketch != group.members
            && !sketch.is_empty()
        {
            group.members = sketch;
            self.group_changed(id);
        }
        if let Some(group) = self.groups.get_mut(&id)
            && group.title.is_empty()
            && group.first_names != first_names
        {
            group.first_names = first_names;
            self.group_changed(id);
        }
    }

    /// Says so where a group that counts as new has just the members of a known one: it may have been renamed, or be
    /// another group of the same people.
    fn warn_if_alike(&self, title: &str, sketch: &Sketch) {
        let alike = |group: &&KnownGroup| {
            group.user_name.is_none()
                && group.title != title
                && group.members.percent_in_common(sketch).is_some_and(|it| it >= NEARLY_ALL)
        };
        if let Some(before) = self.groups.values().find(alike) {
            tracing::warn!(
                title,
                before = before.name(),
                "a group has the members of one that had another title, and counts as new"
            );
        }
    }

    /// Makes sure, now that the members are at hand, which group it is.
    fn settle_group(&mut self, user_name: &str, sketch: &Sketch) -> u32 {
        let id = self.id_of_group(user_name);
        let Some(group) = self.groups.get_mut(&id) else { return id };
        let in_common = group.members.percent_in_common(sketch);
        match group.sureness {
            Sureness::Sure => return id,
            Sureness::ByTitle if in_common.is_none_or(|percent| percent >= SURELY_OTHER) => {
                group.sureness = Sureness::Sure;
                return id;
            }
            Sureness::ByTitle | Sureness::Fresh => {}
        }
        let title = group.title.clone();
        let was_fresh = group.sureness == Sureness::Fresh;
        let alike = self.unbound_groups(&title).filter(|(_, other)| {
            other.members.percent_in_common(sketch).is_some_and(|percent| percent >= SURELY_SAME)
        });
        let alike: Vec<u32> = alike.map(|(id, _)| id).collect();
        match alike[..] {
            [known] => {
                self.leave_group(id);
                self.bind_group(known, user_name, Sureness::Sure);
                known
            }
            _ if was_fresh => {
                self.warn_if_alike(&title, sketch);
                self.settle_as_new(id, &title);
                id
            }
            _ => {
                self.leave_group(id);
                tracing::warn!(
                    title,
                    "a group has the title of a known one but other members, and counts as new"
                );
                let new = self.new_group(&title);
                self.bind_group(new, user_name, Sureness::Sure);
                new
            }
        }
    }

    fn settle_as_new(&mut self, id: u32, title: &str) {
        if self.unbound_groups(title).next().is_some() {
            tracing::warn!(
                title,
                "a group cannot be distinguished from others of the same title and counts as new"
            );
        }
        if let Some(group) = self.groups.get_mut(&id) {
            group.sureness = Sureness::Sure;
        }
    }

    /// Takes the present user name off a group; one that was made during this login is gone with it.
    fn leave_group(&mut self, id: u32) {
        let Some(group) = self.groups.get_mut(&id) else { return };
        if let Some(user_name) = group.user_name.take() {
            self.group_of.remove(&user_name);
        }
        if group.sureness == Sureness::Fresh {
            self.groups.remove(&id);
        }
        self.group_changed(id);
    }

    /// Learns the real id of a group, which says beyond doubt which it is.
    pub(crate) fn learn_real_group_id(&mut self, user_name: &str, real_id: &str) {
        let Some(&id) = self.group_of.get(user_name) else {
            // Its title and members may tell more; they come when it is asked about.
            if self.real_ids.len() < MOST_PENDING {
                self.real_ids.insert(user_name.into(), real_id.to_owned());
            }
            return;
        };
        let known = self.groups.get(&id).map(|group| group.real_id.clone()).unwrap_or_default();
        if known == real_id {
            return;
        }
        let mut groups = self.groups.iter();
        let rightful = groups.find(|(_, group)| group.real_id == real_id).map(|(id, _)| *id);
        let title = self.groups.get(&id).map(|group| group.title.clone()).unwrap_or_default();
        let id = match rightful {
            Some(rightful) => {
                self.leave_group(id);
                self.displace_group(rightful);
                rightful
            }
            None if known.is_empty() => id,
            None => {
                self.leave_group(id);
                self.new_group("")
            }
        };
        if let Some(group) = self.groups.get_mut(&id) {
            real_id.clone_into(&mut group.real_id);
            if !title.is_empty() {
                group.title = title;
            }
        }
        self.bind_group(id, user_name, Sureness::Sure);
    }

    /// The group that this login had taken for this one is another group, which is new until more is known.
    fn displace_group(&mut self, id: u32) {
        let taken = self.groups.get(&id);
        if let Some((user_name, title)) =
            taken.and_then(|group| Some((group.user_name.clone()?, group.title.clone())))
        {
            self.leave_group(id);
            let new = self.new_group(&title);
            self.bind_group(new, &user_name, Sureness::Fresh);
        }
    }

    fn new_group(&mut self, title: &str) -> u32 {
        let id = self.next_id();
        self.groups.insert(id, KnownGroup { title: title.to_owned(), ..KnownGroup::default() });
        id
    }

    /// The group was left or dissolved.
    pub(crate) fn forget_group(&mut self, user_name: &str) {
        if let Some(id) = self.group_of.remove(user_name) {
            if let Some(group) = self.groups.get_mut(&id) {
                group.unbind();
            }
            self.group_changed(id);
        }
        self.members.remove(user_name);
    }

    /// The group has another title.
    pub(crate) fn rename_group(&mut self, user_name: &str, title: &str) {
        let id = self.id_of_group(user_name);
        if let Some(group) = self.groups.get_mut(&id)
            && group.title != title
        {
            title.clone_into(&mut group.title);
            self.group_changed(id);
        }
    }

    /// Whether the group is known with a title or members.
    pub(crate) fn knows_group(&self, user_name: &str) -> bool {
        let group = self.group_of.get(user_name).and_then(|id| self.groups.get(id));
        group.is_some_and(|group| !group.title.is_empty() || !group.first_names.is_empty())
    }

    /// The group's chat. A group never heard of is made known by this.
    pub(crate) fn group_chat(&mut self, user_name: &str) -> Chat {
        let id = self.id_of_group(user_name);
        match self.groups.get(&id) {
            Some(group) => self.chat_of_group(id, group),
            None => Chat::group(format!("g{id}"), "?"),
        }
    }

    pub(super) fn chat_of_group(&self, id: u32, group: &KnownGroup) -> Chat {
        Chat::group(format!("g{id}"), group.name())
    }

    /// The user name behind the id of a group's chat.
    pub(crate) fn user_name_of_group(&self, id: &str) -> Option<&str> {
        let id: u32 = id.strip_prefix('g')?.parse().ok()?;
        self.groups.get(&id)?.user_name.as_deref()
    }

    pub(super) fn id_of_group(&mut self, user_name: &str) -> u32 {
        match self.group_of.get(user_name) {
            Some(&id) => id,
            None => self.bind_new_group(user_name, "", false),
        }
    }
}
