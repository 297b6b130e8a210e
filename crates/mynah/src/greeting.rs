//! What can be said about a rule file only once the account is on line: the groups and people it names are known now.

use mynah_core::Chat;
use mynah_rules::{Reach, RuleBook};

use crate::closest::closest;

/// What the owner of a bot should know when it comes on line.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// How far it reaches, in one line.
    pub(crate) reach: String,
    /// Names that mean nobody or nothing certain.
    pub(crate) warnings: Vec<String>,
}

/// The greeting of an account that knows these chats.
pub(crate) fn greeting(book: &RuleBook, chats: &[Chat]) -> Greeting {
    let reach = book.reach();
    let (groups, friends): (Vec<&Chat>, Vec<&Chat>) =
        chats.iter().partition(|chat| chat.is_group());
    let seen = groups.iter().filter(|group| book.looks_at(group)).count();
    let warnings = unseen_groups(&reach.groups, &groups)
        .chain(doubtful_names(book.admins(), &friends))
        .collect();
    Greeting { reach: in_words(&reach, seen, groups.len()), warnings }
}

fn in_words(reach: &Reach, seen: usize, groups: usize) -> String {
    let friends = if reach.private { "all friends, " } else { "" };
    let Reach { rules, dialogs, schedules, .. } = reach;
    format!(
        "{rules} rules, {dialogs} dialogs, {schedules} schedules; speaks in: {friends}{seen} of {groups} groups"
    )
}

/// Groups that the file names in full and that are not known (yet).
fn unseen_groups<'w>(
    wanted: &'w [String],
    groups: &'w [&Chat],
) -> impl Iterator<Item = String> + 'w {
    let named = wanted.iter().filter(|name| !name.contains(['*', '?', '[']));
    named.filter(|name| !groups.iter().any(|group| group.name == **name)).map(|name| {
        let close = closest(name, groups.iter().map(|group| group.name.as_str()));
        let close = close.map(|close| format!("; close: \"{close}\"")).unwrap_or_default();
        format!("group \"{name}\" not seen{close}. Unsaved groups appear after their first message")
    })
}

/// Names that stand for people and mean no friend, or more than one.
fn doubtful_names<'w>(
    names: &'w [String],
    friends: &'w [&Chat],
) -> impl Iterator<Item = String> + 'w {
    names.iter().filter_map(|name| {
        match friends.iter().filter(|friend| friend.name == *name).count() {
            0 => Some(format!(
                "no friend is called {name}: nobody is meant by that name; set it as a remark"
            )),
            1 => None,
            several => {
                Some(format!("{several} contacts are called {name}: nobody is meant; set a remark"))
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_and_people_that_are_not_there_are_told() {
        let groups = [Chat::group("g", "客户群")];
        let groups: Vec<&Chat> = groups.iter().collect();
        let wanted = ["客戶群", "客户群", "客户*"].map(str::to_owned);
        let told: Vec<String> = unseen_groups(&wanted, &groups).collect();
        assert_eq!(
            told,
            [
                "group \"客戶群\" not seen; close: \"客户群\". Unsaved groups appear after their first message"
            ]
        );
        let friends =
            [Chat::private("a", "小明"), Chat::private("b", "小明"), Chat::private("c", "老王")];
        let friends: Vec<&Chat> = friends.iter().collect();
        let names = ["小明", "老王", "小红"].map(str::to_owned);
        let told: Vec<String> = doubtful_names(&names, &friends).collect();
        assert_eq!(told.len(), 2);
        assert!(
            told[0].starts_with("2 contacts are called 小明") && told[1].contains("小红"),
            "{told:?}"
        );
    }
}
