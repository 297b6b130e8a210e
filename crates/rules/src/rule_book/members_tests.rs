//! `kick`, `invite_to` and `recall`, as short conversations.

use mynah_core::{Action, NoticeKind, Person, Step};

use super::test_book::{Talk, diagnostics};

fn friend(name: &str) -> Person {
    Person::friend(format!("f:{name}"), name)
}

#[test]
fn actions_on_members_come_in_the_order_of_the_reference() {
    let mut talk = Talk::with(
        r#"
        [[rule]]
        keyword = "广告"
        kick = true
        invite_to = "反思群"
        clear = "user.x"
        forward_to = "管理群"
        reply = "再见"
        recall = true
        "#,
    );
    talk.knows("反思群");
    talk.knows("管理群");
    assert_eq!(
        talk.say("群/甲", "广告"),
        ["=> recall 甲", "再见", "=> 管理群: 甲（群）：广告", "=> invite 甲: 反思群", "=> kick 甲"]
    );
    let replies = talk.last.steps.iter().filter(|step| match step {
        Step::Act(planned) => planned.is_reply,
        Step::Run(_) => false,
    });
    assert_eq!(replies.count(), 1, "only a reply expires");
}

#[test]
fn no_admin_is_removed_by_remark_by_bound_nickname_or_after_giving_it_up() {
    let rules = r#"
        [bot]
        admins = ["老王", "老李"]
        [[rule]]
        keyword = "广告"
        silent = true
        kick = true
        [[rule]]
        exact = "我是谁"
        from = "admin"
        reply = "管理员"
    "#;
    let mut talk = Talk::with(rules);
    assert_eq!(talk.say("群/老王", "广告"), [""; 0]);
    let [warning] = talk.last.warnings.as_slice() else { panic!("{:?}", talk.last) };
    assert!(warning.en.contains("老王") && warning.zh.contains("管理员"), "{warning:?}");
    assert_eq!(talk.say("群/路人", "广告"), ["=> kick 路人"]);
    assert_eq!(talk.say("路人", "广告"), [""; 0], "nothing in private");
    // A display name proves nothing.
    assert_eq!(talk.say("群/老王*", "广告"), ["=> kick 老王"]);
    talk.remembers(&mynah_core::Binding::key("老李"), "f:小李");
    assert_eq!(
        talk.say("群/小李", "广告"),
        [""; 0],
        "the name of an admin is bound to this person"
    );
    assert_eq!(talk.say("群/老李*", "广告"), ["=> kick 老李"]);
}

#[test]
fn at_a_join_those_who_joined_are_meant_not_the_one_who_brought_them() {
    let rules = r#"
        [bot]
        admins = ["老王"]
        [[rule]]
        event = "join"
        kick = true
        invite_to = "二群"
    "#;
    let mut talk = Talk::with(rules);
    talk.knows("二群");
    let join = |people: &[&str]| NoticeKind::Join {
        people: people.iter().map(|name| friend(name)).collect(),
    };
    assert_eq!(
        talk.notice("群/群友", join(&["小明", "老王"])),
        ["=> invite 小明: 二群", "=> invite 老王: 二群", "=> kick 小明"]
    );
    assert_eq!(talk.notice("群/群友", join(&[])), [""; 0]);
}

#[test]
fn after_a_wait_the_same_people_and_the_same_message_are_meant() {
    let rules = r#"
        [[rule]]
        event = "join"
        do = [{ reply = "验证" }, { wait = "1m" }, { kick = true }, { run = "note" }]
        [[rule]]
        keyword = "广告"
        do = [{ wait = "1m" }, { recall = true }, { kick = true }, { run = "note" }]
    "#;
    let mut talk = Talk::with(rules);
    let join = NoticeKind::Join { people: vec![friend("小明")] };
    assert_eq!(talk.notice("群/群友", join), ["验证"]);
    let later = talk.pass(60);
    assert_eq!(&later[..1], ["=> kick 小明"], "{later:?}");
    assert_eq!(talk.say("群/小红", "广告"), [""; 0]);
    let later = talk.pass(60);
    assert_eq!(&later[..2], ["=> recall 小红", "=> kick 小红"], "{later:?}");
    let Some(Step::Act(planned)) = talk.last.steps.first() else { panic!("{:?}", talk.last) };
    let Action::Recall { message, .. } = &planned.action else { panic!("{planned:?}") };
    assert_eq!(message.as_str(), "m2");
}

#[test]
fn an_invitation_needs_one_group_of_that_name_other_than_this_one() {
    let mut talk = Talk::with("[[rule]]\nexact = \"进群\"\ninvite_to = \"车友群\"\n");
    assert_eq!(talk.say("甲", "进群"), [""; 0]);
    let words =
        |talk: &Talk| talk.last.warnings.first().map(|it| it.en.clone()).unwrap_or_default();
    assert!(words(&talk).contains("no group is called 车友群"), "{}", words(&talk));
    talk.knows("车友群");
    assert_eq!(talk.say("甲", "进群"), ["=> invite 甲: 车友群"]);
    assert_eq!(talk.say("车友群/甲", "进群"), [""; 0]);
    assert!(words(&talk).contains("itself"), "{}", words(&talk));
}

#[test]
fn a_dialog_removes_and_invites_after_its_last_answer() {
    let rules = r#"
        [[dialog]]
        id = "d"
        start = "入群测试"
        [[dialog.step]]
        ask = "一加一？"
        save = "n"
        [dialog.done]
        invite_to = "正式群"
        kick = true
    "#;
    let mut talk = Talk::with(rules);
    talk.knows("正式群");
    assert_eq!(talk.say("候客群/甲", "入群测试"), ["一加一？"]);
    assert_eq!(talk.say("候客群/甲", "2"), ["=> invite 甲: 正式群", "=> kick 甲"]);
}

#[test]
fn an_answer_under_another_sentence_means_the_same_message_and_sender() {
    let rules = r#"
        [[rule]]
        keyword = "广告"
        recall = true
        kick = true
        [[rule]]
        keyword = "代购"
        answer_as = "广告"
    "#;
    assert_eq!(Talk::with(rules).say("群/甲", "代购"), ["=> recall 甲", "=> kick 甲"]);
}

#[test]
fn keys_that_can_never_act_are_mistakes() {
    for (rule, expected) in [
        ("event = \"recall\"\nrecall = true", "an event has no message to recall"),
        ("event = \"leave\"\nkick = true", "those who left cannot be removed"),
        ("keyword = \"a\"\nin = \"private\"\nkick = true", "in a private chat"),
        ("event = \"friend_request\"\ndo = [{ kick = true }]", "in a private chat"),
        ("keyword = \"a\"\ninvite_to = \"车友*\"", "is not the name of one group"),
        ("keyword = \"a\"\nmute_person = \"10m\"", "`mute_person` is not a key"),
    ] {
        let said = diagnostics(&format!("[[rule]]\n{rule}\n"));
        assert!(
            said.iter().any(|one| one.message(crate::Lang::En).contains(expected)),
            "{rule}: {said:?}"
        );
    }
}
