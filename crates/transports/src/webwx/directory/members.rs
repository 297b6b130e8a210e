//! The members of groups, as far as they were fetched: bounded, and forgotten when the process ends.

use std::collections::HashMap;

use mynah_core::Timestamp;
use mynah_webwx::text;
use mynah_webwx::wire;

/// A member of a group as the service lists it, with clean names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Member {
    pub(crate) user_name: Box<str>,
    pub(crate) nick: Box<str>,
    /// The name inside this group; mostly empty.
    pub(crate) display: Box<str>,
    /// The account number, where the service sent it, else 0.
    pub(crate) uin: u64,
}

impl Member {
    fn of(member: &wire::Member) -> Self {
        Self {
            user_name: member.user_name.as_str().into(),
            nick: text::name(&member.nick_name).into(),
            display: text::name(&member.display_name).into(),
            uin: member.uin,
        }
    }

    /// Whether a line of the service could mean this member by that name.
    pub(crate) fn is_called(&self, name: &str) -> bool {
        self.shown() == name || *self.nick == *name
    }

    /// The name that the others in the group see.
    pub(crate) fn shown(&self) -> &str {
        if self.display.is_empty() { &self.nick } else { &self.display }
    }
}

/// The members of one group.
#[derive(Debug)]
pub(crate) struct Roster {
    members: Vec<Member>,
    fetched: Timestamp,
    used: u64,
}

impl Roster {
    /// All members.
    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    /// When the list was taken from the service.
    pub(crate) fn fetched(&self) -> Timestamp {
        self.fetched
    }

    /// The member of that name of the service.
    pub(crate) fn find(&self, user_name: &str) -> Option<&Member> {
        self.members.iter().find(|member| &*member.user_name == user_name)
    }

    /// Whether no other member of the group has the nickname of `member`.
    pub(crate) fn is_lone(&self, member: &Member) -> bool {
        !self
            .members
            .iter()
            .any(|other| other.nick == member.nick && other.user_name != member.user_name)
    }
}

/// The rosters of the groups that were used last.
#[derive(Debug, Default)]
pub(crate) struct Members {
    rosters: HashMap<Box<str>, Roster>,
    total: usize,
    uses: u64,
}

impl Members {
    /// The most members that are kept, over all groups: about 15 MB.
    const MOST: usize = 60_000;

    /// The most that are taken of one group; real groups end at 500.
    const MOST_OF_ONE: usize = 2_000;

    /// The roster of a group, if it is at hand.
    pub(crate) fn get(&self, group: &str) -> Option<&Roster> {
        self.rosters.get(group)
    }

    /// Marks a roster as used, so that it is kept longest.
    pub(crate) fn touch(&mut self, group: &str) {
        self.uses += 1;
        if let Some(roster) = self.rosters.get_mut(group) {
            roster.used = self.uses;
        }
    }

    /// Replaces the known list by that of the service. Returns the members who are no longer in it.
    ///
    /// A name that the new list leaves empty is kept from the old one: the service sometimes sends names only at a
    /// second call. A list that is not `whole` removes no members.
    pub(crate) fn replace(
        &mut self,
        group: &str,
        members: &[wire::Member],
        whole: bool,
        now: Timestamp,
    ) -> Vec<Member> {
        let mut members: Vec<Member> =
            members.iter().take(Self::MOST_OF_ONE).map(Member::of).collect();
        let old = self.remove(group);
        let by_name: HashMap<&str, usize> =
            members.iter().enumerate().map(|(at, member)| (&*member.user_name, at)).collect();
        let mut known = Vec::new();
        let mut gone = Vec::new();
        for old in old {
            match by_name.get(&*old.user_name) {
                Some(at) => known.push((*at, old)),
                None => gone.push(old),
            }
        }
        for (at, old) in known {
            keep_what_is_missing(&mut members[at], old);
        }
        if !whole {
            members.append(&mut gone);
            members.truncate(Self::MOST_OF_ONE);
        }
        self.uses += 1;
        self.total += members.len();
        self.rosters.insert(group.into(), Roster { members, fetched: now, used: self.uses });
        self.evict(group);
        gone
    }

    /// Removes one member from a roster, after the service reported that the member left.
    pub(crate) fn take_off(&mut self, group: &str, user_name: &str) {
        if let Some(roster) = self.rosters.get_mut(group) {
            let before = roster.members.len();
            roster.members.retain(|member| &*member.user_name != user_name);
            self.total -= before - roster.members.len();
        }
    }

    /// Forgets a roster.
    pub(crate) fn remove(&mut self, group: &str) -> Vec<Member> {
        let roster = self.rosters.remove(group);
        let members = roster.map(|roster| roster.members).unwrap_or_default();
        self.total -= members.len();
        members
    }

    /// Forgets everything: the names of another login mean nothing.
    pub(crate) fn clear(&mut self) {
        *self = Self::default();
    }

    fn evict(&mut self, keep: &str) {
        while self.total > Self::MOST {
            let oldest = self
                .rosters
                .iter()
                .filter(|(group, _)| &***group != keep)
                .min_by_key(|(_, roster)| roster.used)
                .map(|(group, _)| group.clone());
            let Some(group) = oldest else { break };
            self.remove(&group);
        }
    }
}

fn keep_what_is_missing(new: &mut Member, old: Member) {
    if new.nick.is_empty() {
        new.nick = old.nick;
        new.display = old.display;
    }
    if new.uin == 0 {
        new.uin = old.uin;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(names: std::ops::Range<usize>) -> Vec<wire::Member> {
        names
            .map(|n| wire::Member {
                user_name: format!("@{n}"),
                nick_name: format!("n{n}"),
                ..wire::Member::default()
            })
            .collect()
    }

    #[test]
    fn a_new_list_says_who_is_gone_and_keeps_names_it_does_not_tell() {
        let mut members = Members::default();
        members.replace("@@g", &listed(0..4), true, Timestamp::default());
        let mut shorter = listed(1..4);
        shorter[0].nick_name.clear();
        let gone = members.replace("@@g", &shorter, true, Timestamp::default());
        assert_eq!(gone.iter().map(Member::shown).collect::<Vec<_>>(), ["n0"]);
        let roster = members.get("@@g").unwrap();
        assert_eq!(roster.find("@1").unwrap().shown(), "n1");
        assert_eq!(members.total, 3);
        assert!(members.replace("@@g", &listed(1..2), false, Timestamp::default()).is_empty());
        assert_eq!(members.total, 3, "nobody is gone from a list that is not whole");
    }

    #[test]
    fn memory_is_bounded_and_the_used_groups_stay() {
        let mut members = Members::default();
        for group in 0..100 {
            members.replace(&format!("@@{group}"), &listed(0..1000), true, Timestamp::default());
            members.touch("@@0");
        }
        assert!(members.total <= Members::MOST);
        assert!(members.get("@@0").is_some());
        assert!(members.get("@@1").is_none());
        members.replace("@@big", &listed(0..100_000), true, Timestamp::default());
        assert_eq!(members.get("@@big").unwrap().members().len(), Members::MOST_OF_ONE);
    }
}
