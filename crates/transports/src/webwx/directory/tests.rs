//! The directory through logins: recognised, doubtful and forgotten people.

use mynah_core::{Called, Person, Records, Timestamp};
use mynah_webwx::wire::{Contact, Member, User};
use proptest::prelude::*;

use super::{Directory, Facts};

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

fn user(login: u32) -> User {
    User {
        uin: 42,
        user_name: format!("@me{login}"),
        nick_name: "小助手".to_owned(),
        ..User::default()
    }
}

fn friend(user_name: &str, nick: &str, remark: &str) -> Contact {
    Contact {
        user_name: user_name.to_owned(),
        nick_name: nick.to_owned(),
        remark_name: remark.to_owned(),
        contact_flag: 3,
        ..Contact::default()
    }
}

/// A group whose members are named by their nicknames; the user names are made of login and nickname.
fn group(user_name: &str, title: &str, login: u32, nicks: &[&str]) -> Contact {
    let member = |(n, nick): (usize, &&str)| Member {
        user_name: format!("@{login}-{n}-{nick}"),
        nick_name: (*nick).to_owned(),
        ..Member::default()
    };
    Contact {
        user_name: user_name.to_owned(),
        nick_name: title.to_owned(),
        member_list: nicks.iter().enumerate().map(member).collect(),
        ..Contact::default()
    }
}

fn learn(directory: &mut Directory, friends: &[Contact]) {
    let people = friends.iter().map(|friend| (friend.user_name.as_str().into(), Facts::of(friend)));
    directory.learn_contact_list(people.collect());
}

/// The directory after a login with these friends.
fn logged_in(mut directory: Directory, login: u32, friends: &[Contact]) -> Directory {
    directory.begin_login(&user(login));
    learn(&mut directory, friends);
    directory.end_login();
    directory
}

/// The directory as the next process finds it.
fn restarted(mut directory: Directory, records: &mut Records) -> Directory {
    for (key, value) in directory.take_changes() {
        if value.is_empty() {
            records.remove(&key)
        } else {
            records.insert(key, value)
        };
    }
    Directory::from_records(records)
}

fn person(directory: &mut Directory, user_name: &str) -> Person {
    directory.person(user_name, None, NOW)
}

fn member(directory: &mut Directory, group: &str, user_name: &str) -> Person {
    directory.person(user_name, Some(group), NOW)
}

#[test]
fn a_restart_forgets_nothing_and_only_changes_are_written() {
    let mut records = Records::new();
    let mut directory = logged_in(Directory::default(), 1, &[friend("@a", "小明", "老同学")]);
    directory.learn_groups(&[group("@@g", "车友", 1, &["小明", "小红", "小刚", "小李"])], NOW);
    let before = (person(&mut directory, "@a"), directory.group_chat("@@g"), directory.chats());
    let mut directory = restarted(directory, &mut records);
    assert_eq!(
        (person(&mut directory, "@a"), directory.group_chat("@@g"), directory.chats()),
        before
    );
    assert!(directory.take_changes().is_empty());
    directory.learn_person("@a", Facts::of(&friend("@a", "小明明", "")));
    assert_eq!(directory.take_changes().len(), 1);
}

#[test]
fn doubt_gives_a_new_id_and_resolves_when_a_remark_does() {
    let twins = [friend("@1", "小明", ""), friend("@2", "小明", "")];
    let mut directory = logged_in(Directory::default(), 1, &twins);
    let before = [person(&mut directory, "@1").id, person(&mut directory, "@2").id];
    let mut directory =
        logged_in(directory, 2, &[friend("@3", "小明", ""), friend("@4", "小明", "")]);
    for name in ["@3", "@4"] {
        assert!(!before.contains(&person(&mut directory, name).id), "nobody is guessed");
    }
    directory.learn_person("@3", Facts::of(&friend("@3", "小明", "甲")));
    let known = person(&mut directory, "@3").id;
    let mut directory =
        logged_in(directory, 3, &[friend("@5", "小明", ""), friend("@6", "小明", "甲")]);
    assert_eq!(person(&mut directory, "@6").id, known);
}

#[test]
fn somebody_who_was_deleted_long_ago_makes_nobody_doubtful() {
    let mut directory = logged_in(Directory::default(), 1, &[friend("@1", "小明", "")]);
    let deleted = person(&mut directory, "@1").id;
    let directory = logged_in(directory, 2, &[]);
    let mut directory = logged_in(directory, 3, &[friend("@2", "小明", "新同事")]);
    // The only one of that name again: the same person, as far as anybody can tell.
    assert_eq!(person(&mut directory, "@2").id, deleted);
    let directory = logged_in(directory, 4, &[]);
    let directory = logged_in(directory, 5, &[friend("@x", "别人", "")]);
    let mut directory = logged_in(directory, 6, &[friend("@3", "小明", "第三个")]);
    assert_ne!(person(&mut directory, "@3").id, deleted, "another remark speaks against it");
}

#[test]
fn a_name_is_trusted_only_where_it_means_one_friend() {
    let mut directory = logged_in(
        Directory::default(),
        1,
        &[
            friend("@1", "小明", "老王"),
            friend("@2", "小明", ""),
            friend("@3", "老王", ""),
            friend("@4", "小红", ""),
            friend("@5", "小刚", "同名"),
            friend("@6", "小李", "同名"),
        ],
    );
    for (user_name, by_remark, by_nickname) in [
        ("@1", vec!["老王"], vec![]),
        ("@2", vec![], vec![]),
        ("@3", vec![], vec![]),
        ("@4", vec![], vec!["小红"]),
        ("@5", vec![], vec!["小刚"]),
        ("@6", vec![], vec!["小李"]),
    ] {
        let person = person(&mut directory, user_name);
        assert_eq!(
            (person.certain_names, person.chosen_names),
            (owned(&by_remark), owned(&by_nickname)),
            "{user_name}"
        );
    }
    let id = |directory: &mut Directory, user_name| person(directory, user_name).id;
    for (name, called) in [
        ("老王", Called::Certain(id(&mut directory, "@1"))),
        ("小明", Called::Several(2)),
        ("小红", Called::Chosen(id(&mut directory, "@4"))),
        ("同名", Called::Several(2)),
        ("小刚", Called::Chosen(id(&mut directory, "@5"))),
        ("谁", Called::Nobody),
        ("", Called::Nobody),
    ] {
        assert_eq!(directory.friend_called(name), called, "{name}");
    }
    directory.unfriend("@4");
    assert_eq!(directory.friend_called("小红"), Called::Nobody);
    assert!(person(&mut directory, "@4").chosen_names.is_empty(), "not a friend any more");
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn a_remark_set_later_takes_a_name_from_the_friend_who_chose_it() {
    let mut directory = logged_in(Directory::default(), 1, &[friend("@1", "老王", "")]);
    assert_eq!(person(&mut directory, "@1").chosen_names, ["老王"]);
    directory.learn_person("@2", Facts::of(&friend("@2", "王总", "老王")));
    assert!(person(&mut directory, "@1").chosen_names.is_empty());
    let right = person(&mut directory, "@2");
    assert_eq!(right.certain_names, ["老王"]);
    assert_eq!(directory.friend_called("老王"), Called::Certain(right.id));
}

#[test]
fn a_name_in_a_group_is_no_name_of_a_friend() {
    let mut directory = logged_in(Directory::default(), 1, &[friend("@1-0-小明", "小明", "")]);
    let mut group = group("@@g", "车友", 1, &["小明"]);
    group.member_list[0].display_name = "老王".to_owned();
    directory.learn_groups(&[group], NOW);
    let shown = member(&mut directory, "@@g", "@1-0-小明");
    assert_eq!((shown.name.as_str(), shown.chosen_names), ("老王", owned(&["小明"])));
    assert_eq!(directory.friend_called("老王"), Called::Nobody);
}

#[test]
fn the_members_of_a_group_are_those_at_hand_without_the_account() {
    let mut directory = logged_in(Directory::default(), 1, &[friend("@1-0-小明", "小明", "备注")]);
    let mut group = group("@@g", "车友", 1, &["小明", "小红", "", "小助手"]);
    group.member_list[1].display_name = "红姐".to_owned();
    "@me1".clone_into(&mut group.member_list[3].user_name);
    directory.learn_groups(&[group], NOW);
    let chat = directory.chats().iter().find(|chat| chat.is_group()).expect("a group").id.clone();
    assert_eq!(directory.names_of_members(&chat), ["小明", "红姐"]);
    assert!(directory.names_of_members(&"g99".into()).is_empty());
    assert!(directory.names_of_members(&"p1".into()).is_empty());
}

#[test]
fn of_a_contact_list_that_was_read_in_part_no_nickname_is_trusted() {
    let friends = [friend("@1", "小明", "老王"), friend("@2", "小红", "")];
    let mut directory = logged_in(Directory::default(), 1, &friends);
    directory.contacts_are_partial();
    let mut records = Records::new();
    let mut directory = restarted(directory, &mut records);
    assert_eq!(directory.friend_called("小红"), Called::Nobody);
    assert!(person(&mut directory, "@2").chosen_names.is_empty());
    assert_eq!(person(&mut directory, "@1").certain_names, ["老王"]);
    let mut directory = logged_in(directory, 2, &friends);
    assert!(
        matches!(directory.friend_called("小红"), Called::Chosen(_)),
        "the next list was whole"
    );
}

#[test]
fn strangers_are_known_again_where_nobody_else_has_their_name() {
    let nicks = ["小红", "小刚", "小刚", "小李", "小张"];
    let mut directory = logged_in(Directory::default(), 1, &[]);
    directory.learn_groups(&[group("@@1", "车友", 1, &nicks)], NOW);
    let lone = member(&mut directory, "@@1", "@1-0-小红").id;
    let twin = member(&mut directory, "@@1", "@1-1-小刚").id;
    let mut records = Records::new();
    let mut directory = logged_in(restarted(directory, &mut records), 2, &[]);
    directory.learn_groups(&[group("@@2", "车友", 2, &nicks)], NOW);
    assert_eq!(member(&mut directory, "@@2", "@2-0-小红").id, lone);
    for name in ["@2-1-小刚", "@2-2-小刚"] {
        assert_ne!(member(&mut directory, "@@2", name).id, twin, "one of two is nobody");
    }
    // A person of that name in another group is a different person.
    let mut directory = logged_in(directory, 3, &[]);
    directory.learn_groups(&[group("@@3", "别的群", 3, &["小红", "甲", "乙", "丙"])], NOW);
    assert_ne!(member(&mut directory, "@@3", "@3-0-小红").id, lone);
}

#[test]
fn an_account_number_tells_people_of_one_name_apart() {
    let with_numbers = |login| {
        let mut group = group("@@g", "车友", login, &["小刚", "小刚", "小李", "小张"]);
        group.member_list[0].uin = 1001;
        group.member_list[1].uin = 1002;
        group
    };
    let mut directory = logged_in(Directory::default(), 1, &[]);
    directory.learn_groups(&[with_numbers(1)], NOW);
    let before = [
        member(&mut directory, "@@g", "@1-0-小刚").id,
        member(&mut directory, "@@g", "@1-1-小刚").id,
    ];
    let mut directory = logged_in(directory, 2, &[]);
    directory.learn_groups(&[with_numbers(2)], NOW);
    let after = [
        member(&mut directory, "@@g", "@2-0-小刚").id,
        member(&mut directory, "@@g", "@2-1-小刚").id,
    ];
    assert_eq!(before, after);
}

#[test]
fn groups_of_one_title_are_told_apart_by_their_members() {
    let first = ["甲", "乙", "丙", "丁", "戊"];
    let second = ["子", "丑", "寅", "卯", "辰"];
    let mut directory = logged_in(Directory::default(), 1, &[]);
    directory
        .learn_groups(&[group("@@a", "家人", 1, &first), group("@@b", "家人", 1, &second)], NOW);
    let before = (directory.group_chat("@@a").id, directory.group_chat("@@b").id);
    assert_ne!(before.0, before.1);
    let mut records = Records::new();
    let mut directory = logged_in(restarted(directory, &mut records), 2, &[]);
    // First by title only, as webwxinit and the contact list do; the members come later.
    directory.learn_groups(&[group("@@y", "家人", 2, &[]), group("@@x", "家人", 2, &[])], NOW);
    directory.learn_groups(&[group("@@x", "家人", 2, &first)], NOW);
    directory.learn_groups(&[group("@@y", "家人", 2, &second)], NOW);
    assert_eq!((directory.group_chat("@@x").id, directory.group_chat("@@y").id), before);
    assert_eq!(directory.chats().len(), 2, "ids that were made for the time being are gone");
}

#[test]
fn a_title_that_another_group_took_is_found_out_by_its_members() {
    let mut directory = logged_in(Directory::default(), 1, &[]);
    directory.learn_groups(&[group("@@a", "车友", 1, &["甲", "乙", "丙", "丁"])], NOW);
    let known = directory.group_chat("@@a").id;
    let mut directory = logged_in(directory, 2, &[]);
    directory.learn_groups(&[group("@@b", "车友", 2, &[])], NOW);
    assert_eq!(directory.group_chat("@@b").id, known, "the title is believed for now");
    directory.learn_groups(&[group("@@b", "车友", 2, &["子", "丑", "寅", "卯"])], NOW);
    assert_ne!(directory.group_chat("@@b").id, known);
    directory.learn_groups(&[group("@@c", "车友", 2, &["甲", "乙", "丙", "新"])], NOW);
    assert_eq!(directory.group_chat("@@c").id, known, "the true one is still found");
}

#[test]
fn real_ids_overrule_everything() {
    let mut directory =
        logged_in(Directory::default(), 1, &[friend("@1", "小明", ""), friend("@2", "小红", "")]);
    directory.learn_real_id("@1", "wxid_ming");
    directory.learn_real_id("@2", "wxid_hong");
    directory.learn_real_group_id("@@g", "1@chatroom");
    directory.learn_groups(&[group("@@g", "车友", 1, &["甲", "乙", "丙", "丁"])], NOW);
    let before = (
        person(&mut directory, "@1").id,
        person(&mut directory, "@2").id,
        directory.group_chat("@@g").id,
    );
    // They swapped names, and the group has another title and other people.
    let mut records = Records::new();
    let directory = restarted(directory, &mut records);
    let mut directory =
        logged_in(directory, 2, &[friend("@3", "小红", ""), friend("@4", "小明", "")]);
    directory.learn_groups(&[group("@@h", "新车友", 2, &["子", "丑", "寅", "卯"])], NOW);
    directory.learn_real_id("@3", "wxid_ming");
    directory.learn_real_id("@4", "wxid_hong");
    directory.learn_real_group_id("@@h", "1@chatroom");
    let after = (
        person(&mut directory, "@3").id,
        person(&mut directory, "@4").id,
        directory.group_chat("@@h").id,
    );
    assert_eq!(before, after);
    assert_eq!(person(&mut directory, "@3").name, "小红");
    assert_eq!(directory.group_chat("@@h").name, "新车友");
}

#[test]
fn another_account_inherits_nobody() {
    let mut directory = logged_in(Directory::default(), 1, &[friend("@1", "小明", "")]);
    let known = person(&mut directory, "@1").id;
    let mut records = Records::new();
    let mut directory = restarted(directory, &mut records);
    assert!(!directory.begin_login(&User { uin: 43, ..user(2) }));
    learn(&mut directory, &[friend("@2", "小明", "")]);
    assert_ne!(person(&mut directory, "@2").id, known);
    let directory = restarted(directory, &mut records);
    assert_eq!(directory.people.len(), 1, "their records are gone too");
}

#[test]
fn while_a_new_login_is_read_everybody_can_be_named_who_could_before() {
    let friends = [friend("@1", "小明", ""), friend("@2", "小红", "")];
    let mut directory = logged_in(Directory::default(), 1, &friends);
    directory.learn_groups(&[group("@@g", "车友", 1, &["小明"])], NOW);
    let before = directory.chats();
    assert_eq!(before.len(), 3);
    // It begins, comes to nothing, and begins again.
    for login in 2..4 {
        directory.begin_login(&user(login));
        assert_eq!(directory.chats(), before);
        learn(&mut directory, &[friend("@x", "小明", "")]);
        assert_eq!(directory.chats(), before);
    }
    directory.end_login();
    let names: Vec<String> = directory.chats().iter().map(|chat| chat.name.clone()).collect();
    assert_eq!(names, ["小明"]);
    directory.begin_login(&User { uin: 43, ..user(4) });
    assert!(directory.chats().is_empty(), "another account knows none of them");
}

#[test]
fn strangers_are_forgotten_when_there_are_too_many_and_friends_are_not() {
    let mut directory = logged_in(Directory::default(), 1, &[friend("@friend", "小明", "")]);
    let known = person(&mut directory, "@friend").id;
    let mut records = Records::new();
    for n in 0..45_000 {
        person(&mut directory, &format!("@{n}"));
        if n % 5_000 == 0 {
            directory = restarted(directory, &mut records);
        }
    }
    assert!(directory.people.len() <= 20_001, "{}", directory.people.len());
    assert_eq!(directory.person_of.len(), directory.people.len());
    assert_eq!(person(&mut directory, "@friend").id, known);
    let directory = restarted(directory, &mut records);
    assert_eq!(records.len(), directory.people.len() + 1);
}

#[derive(Debug, Clone)]
enum Step {
    Login(Vec<(u8, u8)>),
    Group(u8, u8, Vec<u8>),
    Speak(u8, u8),
    RealId(u8, u8),
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        prop::collection::vec((0..4_u8, 0..3_u8), 0..5).prop_map(Step::Login),
        (0..3_u8, 0..3_u8, prop::collection::vec(0..6_u8, 0..6))
            .prop_map(|(g, t, m)| Step::Group(g, t, m)),
        (0..3_u8, 0..8_u8).prop_map(|(g, p)| Step::Speak(g, p)),
        (0..8_u8, 0..4_u8).prop_map(|(p, r)| Step::RealId(p, r)),
        Just(Step::Restart),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// With any data in any order: no panic, every person has a name, two user names of one login never share an id,
    /// and the records hold all that is known.
    #[test]
    fn the_directory_stays_consistent(steps in prop::collection::vec(step(), 1..12)) {
        let mut directory = Directory::default();
        let mut records = Records::new();
        let mut login = 0;
        directory.begin_login(&user(login));
        for step in steps {
            match step {
                Step::Login(friends) => {
                    login += 1;
                    let friends: Vec<Contact> = friends.iter().enumerate().map(|(n, (nick, remark))| {
                        let remark = if *remark == 0 { String::new() } else { remark.to_string() };
                        friend(&format!("@{n}"), &nick.to_string(), &remark)
                    }).collect();
                    directory = logged_in(directory, login, &friends);
                }
                Step::Group(name, title, members) => {
                    let mut contact = group(&format!("@@{name}"), &title.to_string(), 0, &[]);
                    contact.member_list = members.iter().map(|n| Member {
                        user_name: format!("@{n}"), nick_name: (n % 4).to_string(), ..Member::default()
                    }).collect();
                    directory.learn_groups(&[contact], NOW);
                }
                Step::Speak(group, who) => {
                    let group = format!("@@{group}");
                    let person = member(&mut directory, &group, &format!("@{who}"));
                    let chat = directory.group_chat(&group);
                    prop_assert!(!person.name.is_empty() && !chat.name.is_empty());
                }
                Step::RealId(who, real) => {
                    directory.learn_real_id(&format!("@{who}"), &format!("wxid_{real}"));
                    directory.learn_real_group_id(&format!("@@{}", who % 3), &format!("{real}@chatroom"));
                }
                Step::Restart => {
                    let people = directory.people.clone();
                    let groups = directory.groups.len();
                    directory = restarted(directory, &mut records);
                    prop_assert_eq!(directory.people.keys().collect::<Vec<_>>(), people.keys().collect::<Vec<_>>());
                    prop_assert_eq!(directory.groups.len(), groups);
                }
            }
            for (user_name, id) in &directory.person_of {
                prop_assert_eq!(directory.people[id].user_name.as_ref(), Some(user_name));
            }
            for (user_name, id) in &directory.group_of {
                prop_assert_eq!(directory.groups[id].user_name.as_ref(), Some(user_name));
            }
            let bound = directory.people.values().filter(|person| person.user_name.is_some()).count();
            prop_assert_eq!(bound, directory.person_of.len());
            let bound = directory.groups.values().filter(|group| group.user_name.is_some()).count();
            prop_assert_eq!(bound, directory.group_of.len());
        }
    }
}
