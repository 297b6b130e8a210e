//! The checks of a rule file that need an online account: the groups and people it names are known now.

use mynah_core::{Called, Chat};
use mynah_rules::{BotSummary, Lang, RuleBook};

use crate::cli::print::plural;
use mynah_reader::closest;

/// The report to the owner of a bot when it comes online.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Greeting {
    /// How far it reaches, in one line.
    pub(crate) reach: String,
    /// Warnings about names that mean no one friend for certain.
    pub(crate) warnings: Vec<String>,
}

/// The greeting of an account that knows these chats, whose names mean these friends.
pub(crate) fn greeting(
    book: &RuleBook,
    chats: &[Chat],
    called: impl Fn(&str) -> Called,
    lang: Lang,
) -> Greeting {
    let reach = book.summary();
    let groups: Vec<&Chat> = chats.iter().filter(|chat| chat.is_group()).collect();
    let seen = groups.iter().filter(|group| book.looks_at(group)).count();
    let doubts = book.people().filter_map(|(name, keys)| doubt(name, keys, &called(name), lang));
    let warnings = unseen_groups(&reach.groups, &groups, lang).chain(doubts).collect();
    Greeting { reach: in_words(&reach, seen, groups.len(), lang), warnings }
}

fn in_words(reach: &BotSummary, seen: usize, groups: usize, lang: Lang) -> String {
    let BotSummary { rules, dialogs, schedules, private, .. } = reach;
    match lang {
        Lang::En => {
            let friends = if *private { "all friends, " } else { "" };
            let [rules, dialogs, schedules] =
                [(*rules, "rule"), (*dialogs, "dialog"), (*schedules, "schedule")]
                    .map(|(count, word)| plural(count, word));
            let groups = plural(groups, "group");
            format!("{rules}, {dialogs}, {schedules}; speaks in: {friends}{seen} of {groups}")
        }
        Lang::Zh => {
            let friends = if *private { "所有好友、" } else { "" };
            format!(
                "{rules} 条规则，{dialogs} 个对话，{schedules} 个定时；会说话的地方：{friends}{groups} 个群中的 {seen} 个"
            )
        }
    }
}

/// Groups that the file names in full and that are not known (yet).
fn unseen_groups<'w>(
    wanted: &'w [String],
    groups: &'w [&Chat],
    lang: Lang,
) -> impl Iterator<Item = String> + 'w {
    let named = wanted.iter().filter(|name| !name.contains(['*', '?', '[']));
    named.filter(|name| !groups.iter().any(|group| group.name == **name)).map(move |name| {
        let close = closest(name, groups.iter().map(|group| group.name.as_str()));
        match lang {
            Lang::En => {
                let close = close.map(|close| format!("; close: \"{close}\"")).unwrap_or_default();
                format!("group \"{name}\" not seen{close}. Unsaved groups appear after their first message")
            }
            Lang::Zh => {
                let close = close.map(|close| format!("；相近的有“{close}”")).unwrap_or_default();
                format!("没有见到群“{name}”{close}。没有保存到通讯录的群，有人说话后才会出现")
            }
        }
    })
}

/// The warning about a name that means no friend, or an admin by nickname only.
fn doubt(name: &str, keys: &[&str], called: &Called, lang: Lang) -> Option<String> {
    match (called, lang) {
        (Called::Certain(_), _) => None,
        (Called::Chosen(_), _) if !keys.contains(&"admins") => None,
        (Called::Chosen(person), Lang::En) => Some(format!(
            "the admin {name} is {person} by nickname, which other people can take too; set it as a remark"
        )),
        (Called::Chosen(person), Lang::Zh) => Some(format!(
            "管理员“{name}”只靠昵称认定（{person}），而任何人都能改成这个昵称；请给这位好友设备注“{name}”"
        )),
        (Called::Nobody, Lang::En) => Some(format!(
            "no friend is called {name}, so the name fits no person; set it as a remark"
        )),
        (Called::Nobody, Lang::Zh) => {
            Some(format!("没有叫“{name}”的好友，这个名字不会匹配任何人；请给那位好友设备注"))
        }
        (Called::Several(friends), Lang::En) => Some(format!(
            "{friends} contacts are called {name}, so the name fits none of them; set a remark"
        )),
        (Called::Several(friends), Lang::Zh) => Some(format!(
            "有 {friends} 位好友叫“{name}”：无法确定是哪一位，所以不会匹配任何人；请设备注"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_that_are_not_there_are_told() {
        let groups = [Chat::group("g", "客户群")];
        let groups: Vec<&Chat> = groups.iter().collect();
        let wanted = ["客戶群", "客户群", "客户*"].map(str::to_owned);
        let told: Vec<String> = unseen_groups(&wanted, &groups, Lang::En).collect();
        assert_eq!(
            told,
            [
                "group \"客戶群\" not seen; close: \"客户群\". Unsaved groups appear after their first message"
            ]
        );
        let told: Vec<String> = unseen_groups(&wanted, &groups, Lang::Zh).collect();
        assert_eq!(
            told,
            ["没有见到群“客戶群”；相近的有“客户群”。没有保存到通讯录的群，有人说话后才会出现"]
        );
    }

    #[test]
    fn a_rule_file_is_greeted_in_both_languages() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/inputs/after_login.toml");
        let options = mynah_rules::LoadOptions::default();
        let loaded = mynah_rules::load(file.as_ref(), &mynah_rules::Disk, &options);
        let book = loaded.book.expect("the file is right");
        // The service decides which friends a name can mean: 老王 is the remark of one friend, whichever nicknames others
        // have.
        let chats = [
            Chat::group("g", "客户群"),
            Chat::private("a", "小明"),
            Chat::private("b", "小明"),
            Chat::private("c", "老王"),
            Chat::private("d", "老王"),
        ];
        let called = |name: &str| match name {
            "小明" => Called::Several(2),
            "老王" => Called::Certain("c".into()),
            "老李" => Called::Chosen("d".into()),
            _ => Called::Nobody,
        };
        let told: Vec<String> = [Lang::En, Lang::Zh]
            .into_iter()
            .flat_map(|lang| {
                let Greeting { reach, warnings } = greeting(&book, &chats, called, lang);
                std::iter::once(reach).chain(warnings)
            })
            .collect();
        insta::assert_snapshot!("after_login", told.join("\n"));
    }
}
