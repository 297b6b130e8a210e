//! Conditions on values, actions and names, as short conversations.

use mynah_core::{NoticeKind, Person, Quiet};

use super::test_book::{Talk, diagnostics};
use crate::decision::{Decision, RuleRef};
use crate::explain::{Failed, Verdict};

/// What the bot does when these people say these things, one after the other.
#[track_caller]
fn tells(rules: &str, story: &[(&str, &str, &[&str])]) -> Talk {
    let mut talk = Talk::with(rules);
    for (place, text, expected) in story {
        assert_eq!(talk.say(place, text), *expected, "{place}: {text}");
    }
    talk
}

#[test]
fn a_rule_holds_only_while_its_values_are_so() {
    let rules = r#"
        [[rule]]
        exact = "签到"
        when = { signed = "" }
        set = { signed = "1" }
        add = { points = 5 }
        reply = "好"
        [[rule]]
        exact = "签到"
        reply = "签过了"
        [[rule]]
        pattern = "来{n:int}杯"
        when = { n = "1..5" }
        reply = "{n} 杯"
        [[rule]]
        pattern = "来{n:int}杯"
        reply = "太多"
        [[rule]]
        prefix = "换"
        when = { rest = ["茶", "咖啡"], points = ">= 5" }
        add = { points = -5 }
        reply = "给你{rest}"
        [[rule]]
        prefix = "换"
        reply = "不行"
    "#;
    tells(
        rules,
        &[
            ("群/甲", "换茶", &["不行"]),
            ("群/甲", "签到", &["好"]),
            ("群/甲", "签到", &["签过了"]),
            ("群/乙", "签到", &["好"]),
            ("甲", "签到", &["好"]),
            ("群/甲", "来0杯", &["太多"]),
            ("群/甲", "来1杯", &["1 杯"]),
            ("群/甲", "来5杯", &["5 杯"]),
            ("群/甲", "来6杯", &["太多"]),
            ("群/甲", "换水", &["不行"]),
            ("群/甲", "换茶", &["给你茶"]),
            ("群/甲", "换茶", &["不行"]),
        ],
    );
}

#[test]
fn values_are_those_that_earlier_rules_left_on_this_message() {
    let rules = r#"
        [[rule]]
        keyword = "广告"
        add = { warns = 1 }
        reply = "第 {user.warns} 次"
        continue = true
        [[rule]]
        keyword = "广告"
        when = { warns = ">= 2" }
        set = { warns = "0", "chat.last" = "{sender}" }
        reply = "记下了"
        [[rule]]
        exact = "我是上一个吗"
        when = { "chat.last" = "{sender}" }
        reply = "是"
    "#;
    let mut talk = tells(
        rules,
        &[
            ("群/甲", "广告", &["第 1 次"]),
            ("群/甲", "广告", &["第 2 次", "记下了"]),
            ("群/甲", "广告", &["第 1 次"]),
            ("群/甲", "我是上一个吗", &["是"]),
            ("群/乙", "我是上一个吗", &[]),
        ],
    );
    assert_eq!(talk.say("群/甲", "广告"), ["第 2 次", "记下了"]);
    talk.say("群/丙", "广告");
    let why: Vec<_> = talk.trace.iter().map(|(_, verdict)| verdict.clone()).collect();
    let failed = Failed { key: "when", expected: "warns >= 2".to_owned(), actual: "1".to_owned() };
    assert!(why.contains(&Verdict::Failed(failed)), "{why:?}");
}

#[test]
fn a_silent_rule_says_nothing_ends_the_search_and_works_in_a_muted_chat() {
    let rules = r#"
        [[rule]]
        keyword = "广告"
        silent = true
        add = { warns = 1 }
        [[rule]]
        keyword = "广告"
        reply = "不会到这里"
        [[rule]]
        exact = "几次"
        reply = "{user.warns|0}"
        [[rule]]
        exact = "静音"
        run = "builtin.mute 10m"
    "#;
    let mut talk = tells(
        rules,
        &[
            ("群/甲", "广告", &[]),
            ("群/甲", "几次", &["1"]),
            ("群/甲", "静音", &[]),
            ("群/甲", "广告", &[]),
            ("群/甲", "几次", &[]),
        ],
    );
    assert_eq!(talk.last.quiet, Some(Quiet::Mute));
    talk.pass(600);
    assert_eq!(talk.say("群/甲", "几次"), ["2"]);
}

#[test]
fn quiet_hours_keep_rules_and_dialogs_quiet_but_not_moderation() {
    let rules = r#"
        [bot]
        quiet = "22:00-07:00"
        [[rule]]
        keyword = "广告"
        silent = true
        add = { warns = 1 }
        [[rule]]
        exact = "几次"
        reply = "{user.warns|0}"
        [[rule]]
        exact = "静音"
        run = "builtin.mute 1m"
        [[dialog]]
        id = "d"
        start = "报名"
        timeout = "1m"
        timeout_reply = "太晚了"
        [[dialog.step]]
        ask = "叫什么"
        save = "name"
        [dialog.done]
        reply = "好，{name}"
        [[schedule]]
        at = "23:30"
        to = "群"
        send = "晚安"
        [[group]]
        name = "夜猫群"
        quiet = "off"
    "#;
    let mut talk = Talk::with(rules);
    talk.knows("群");
    talk.jump("2026-11-23T21:59:30+08:00");
    talk.start(None);
    assert_eq!(talk.say("群/甲", "报名"), ["叫什么"]);
    // The clock of the dialog runs out in the quiet hours: it ends without a word.
    assert_eq!(talk.pass(120), [""; 0]);
    assert_eq!(talk.say("群/甲", "报名"), [""; 0]);
    assert_eq!(talk.last.quiet, Some(Quiet::Hours));
    assert_eq!(talk.say("群/甲", "广告"), [""; 0]);
    assert!(talk.last.acted);
    assert_eq!(talk.say("群/甲", "几次"), [""; 0]);
    assert_eq!(talk.say("夜猫群/甲", "几次"), ["0"]);
    talk.say("群/甲", "静音");
    assert!(talk.last.acted, "builtin rules go on");
    assert_eq!(talk.pass(2 * 3600), ["晚安"]);
    talk.jump("2026-11-24T07:00:00+08:00");
    assert_eq!(talk.say("群/甲", "几次"), ["1"]);
}

#[test]
fn names_are_drawn_per_place_and_made_upper_or_lower() {
    let rules = r#"
        [bot]
        vars = { shop = "Mynah", open = "09:00" }
        [[rule]]
        exact = "掷"
        reply = "{random:1-1000000} {random:1-1000000} {random:红|红}"
        [[rule]]
        pattern = "code {code}"
        reply = "{upper:code} {lower:code} {upper:user.none|无} {bot.shop} {bot.open}"
        [[rule]]
        exact = "开"
        set = { "bot.open" = "10:00" }
        reply = "{bot.open}"
    "#;
    let mut talk = Talk::with(rules);
    let said = talk.say("甲", "掷").join("");
    let parts: Vec<&str> = said.split(' ').collect();
    let [one, other, colour] = parts[..] else { panic!("{said}") };
    assert_ne!(one, other, "each place draws for itself");
    assert!(one.parse::<u32>().is_ok_and(|drawn| (1..=1_000_000).contains(&drawn)), "{said}");
    assert_eq!(colour, "红");
    assert_eq!(talk.say("甲", "code aB1"), ["AB1 ab1 无 Mynah 09:00"]);
    assert_eq!(talk.say("甲", "开"), ["10:00"]);
    assert_eq!(talk.say("乙", "code x"), ["X x 无 Mynah 10:00"]);
}

#[test]
fn a_variable_of_a_person_is_the_same_in_all_chats() {
    let rules = r#"
        [[rule]]
        pattern = "我叫{name}"
        set = { "person.nick" = "{name}" }
        add = { "person.count" = 1 }
        reply = "好"
        [[rule]]
        exact = "我是谁"
        reply = "{person.nick|不知道} {person.count|0}"
        [[rule]]
        exact = "忘了我"
        clear = ["person.nick", "person.count"]
        reply = "{person.nick|忘了}"
    "#;
    tells(
        rules,
        &[
            ("群/甲", "我叫阿甲", &["好"]),
            ("甲", "我是谁", &["阿甲 1"]),
            ("别的群/甲", "我是谁", &["阿甲 1"]),
            ("群/乙", "我是谁", &["不知道 0"]),
            ("别的群/甲", "忘了我", &["阿甲"]),
            ("群/甲", "我是谁", &["不知道 0"]),
        ],
    );
}

#[test]
fn additions_take_the_number_of_a_name() {
    let rules = r#"
        [[rule]]
        pattern = "充值 {n:int}"
        add = { points = "{n}" }
        reply = "{user.points}"
        [[rule]]
        pattern = "消费 {n}"
        add = { points = "-{n}", "chat.spent" = "{n}" }
        reply = "{user.points|0} {chat.spent|0}"
    "#;
    let mut talk = tells(
        rules,
        &[
            ("群/甲", "充值 50", &["50"]),
            ("群/甲", "消费 ２０", &["30 20"]),
            ("群/甲", "消费 -5", &["35 15"]),
            ("群/甲", "消费 很多", &["35 15"]),
        ],
    );
    let warned = talk.last.warnings.iter().any(|warning| warning.en.contains("很多"));
    assert!(warned, "{:?}", talk.last.warnings);
    assert_eq!(talk.say("群/乙", "消费 1"), ["-1 16"]);
}

#[test]
fn a_streak_counts_days_or_weeks_in_a_row() {
    let rules = r#"
        [[rule]]
        exact = "签到"
        streak = { days = "day", weeks = "week" }
        reply = "{user.days} {user.weeks}"
        [[rule]]
        exact = "重来"
        clear = "days"
        reply = "{user.days|0}"
    "#;
    let mut talk = Talk::with(rules);
    // 2026-11-23 is a Monday.
    for (moment, text, said) in [
        ("2026-11-23T00:00:00+08:00", "签到", "1 1"),
        ("2026-11-23T23:59:59+08:00", "签到", "1 1"),
        ("2026-11-24T00:00:00+08:00", "签到", "2 1"),
        // The clock was set back: nothing changes, and the next day still counts.
        ("2026-11-20T12:00:00+08:00", "签到", "2 1"),
        ("2026-11-25T12:00:00+08:00", "签到", "3 1"),
        ("2026-11-27T12:00:00+08:00", "签到", "1 1"),
        ("2026-11-30T12:00:00+08:00", "签到", "1 2"),
        ("2026-12-14T12:00:00+08:00", "签到", "1 1"),
        // Forgotten after the reply.
        ("2026-12-14T13:00:00+08:00", "重来", "1"),
        ("2026-12-14T14:00:00+08:00", "签到", "1 1"),
    ] {
        talk.jump(moment);
        assert_eq!(talk.say("群/甲", text), [said], "{moment}");
    }
    assert_eq!(talk.say("群/乙", "签到"), ["1 1"]);
}

#[test]
fn a_rule_can_ask_which_rule_answered_before() {
    let rules = r#"
        [[rule]]
        id = "tea"
        keyword = "奶茶"
        cooldown = "1h"
        reply = "大杯还是中杯？"
        [[rule]]
        exact = ["大杯", "中杯"]
        after = "tea"
        within = "2m"
        reply = "{text}，好。"
        [[rule]]
        exact = "大杯"
        reply = "什么大杯？"
        [[rule]]
        exact = "天气"
        reply = "晴"
        [[dialog]]
        id = "d"
        start = "报名"
        [[dialog.step]]
        ask = "叫什么"
        [dialog.done]
        reply = "好"
        [[rule]]
        exact = "改名"
        after = ["d", "tea"]
        reply = "改好了"
    "#;
    let mut talk = tells(
        rules,
        &[
            ("群/甲", "大杯", &["什么大杯？"]),
            ("群/甲", "奶茶", &["大杯还是中杯？"]),
            ("群/乙", "中杯", &[]),
            ("群/甲", "路过", &[]),
            ("群/甲", "中杯", &["中杯，好。"]),
            ("群/甲", "中杯", &[]),
        ],
    );
    talk.pass(3600);
    talk.say("群/甲", "奶茶");
    assert_eq!(talk.say("群/甲", "天气"), ["晴"]);
    assert_eq!(talk.say("群/甲", "大杯"), ["什么大杯？"], "another rule answered since");
    talk.pass(3600);
    talk.say("群/甲", "奶茶");
    talk.pass(120);
    assert_eq!(talk.say("群/甲", "大杯"), ["大杯，好。"]);
    talk.pass(3600);
    talk.say("群/甲", "奶茶");
    talk.pass(121);
    assert_eq!(talk.say("群/甲", "大杯"), ["什么大杯？"], "too late");
    let failed = Failed { key: "after", expected: "tea".to_owned(), actual: String::new() };
    let why: Vec<_> = talk.trace.iter().map(|(_, verdict)| verdict.clone()).collect();
    assert!(why.contains(&Verdict::Failed(failed)), "{why:?}");
    assert_eq!(talk.say("群/甲", "报名"), ["叫什么"]);
    assert_eq!(talk.say("群/甲", "阿甲"), ["好"]);
    assert_eq!(talk.say("群/甲", "改名"), ["改好了"]);
}

#[test]
fn a_bot_without_after_writes_no_mark() {
    let mut talk = Talk::with("[[rule]]\nexact = \"a\"\nreply = \"b\"\n");
    talk.say("群/甲", "a");
    assert_eq!(talk.last.writes, []);
}

#[test]
fn a_text_is_sent_to_other_chats_once_each() {
    let rules = r#"
        [bot]
        admins = ["老王"]
        [[rule]]
        prefix = "通知"
        from = "admin"
        send = "{at}{sender}通知：{rest}"
        to = ["客户*", "客户一群", "没有的群"]
        reply = "已发"
        [[rule]]
        keyword = "密码"
        send = "密码是 1234"
        to = "@sender"
        [[rule]]
        keyword = "投诉"
        do = [
            { send = "{sender}（{group}）投诉", to = "@admins" },
            { image = "form.png", to = "@sender" },
            { reply = "收到" },
        ]
    "#;
    let mut talk = Talk::with(rules);
    for chat in ["客户一群", "客户二群", "家人群"] {
        talk.knows(chat);
    }
    talk.say("老王", "在");
    talk.say("甲", "在");
    assert_eq!(
        talk.say("客户二群/老王", "通知 今天休息"),
        ["已发", "=> 客户一群: 老王通知：今天休息"],
        "the group of the sender has read it"
    );
    let missing = talk.last.warnings.iter().any(|warning| warning.en.contains("没有的群"));
    assert!(missing, "{:?}", talk.last.warnings);
    assert_eq!(talk.say("客户一群/甲", "通知 假的"), [""; 0]);
    assert_eq!(talk.say("家人群/甲", "密码"), ["=> 甲: 密码是 1234"]);
    assert_eq!(talk.say("家人群/乙*", "密码"), [""; 0]);
    assert!(!talk.last.warnings.is_empty(), "no private chat with a stranger");
    assert_eq!(
        talk.say("家人群/甲", "投诉"),
        ["=> 老王: 甲（家人群）投诉", "=> 甲: [image form.png]", "收到"]
    );
}

#[test]
fn one_of_several_pictures_is_sent_and_not_the_last_one_again() {
    let rules = "[[rule]]\nexact = \"猫\"\nimage_one_of = [\"a.png\", \"b.png\"]\n";
    let mut talk = Talk::with(rules);
    let mut last = Vec::new();
    for _ in 0..6 {
        let said = talk.say("群/甲", "猫");
        assert!(said == ["[image a.png]"] || said == ["[image b.png]"], "{said:?}");
        assert_ne!(said, last);
        last = said;
    }
}

#[test]
fn a_weighted_text_is_drawn_by_its_weight() {
    let rules = r#"
        [[rule]]
        exact = "抽"
        reply_one_of = [{ text = "常见", weight = 3 }, { text = "从不", weight = 0 }, "少见"]
    "#;
    let mut talk = Talk::with(rules);
    let said: Vec<String> = (0..200).flat_map(|_| talk.say("群/甲", "抽")).collect();
    let count = |text: &str| said.iter().filter(|said| *said == text).count();
    assert_eq!(count("从不"), 0);
    assert_eq!(count("常见") + count("少见"), 200);
    assert!(count("常见") > count("少见"), "{}", count("常见"));
    assert!(said.windows(2).any(|pair| pair[0] == pair[1]), "one may come twice in a row");
}

#[test]
fn a_handler_gets_arguments_beside_the_captures() {
    let rules = r#"
        [[rule]]
        pattern = "天气 {city}"
        run = "weather"
        args = { unit = "c", who = "{sender}" }
    "#;
    let mut talk = Talk::with(rules);
    assert_eq!(
        talk.say("群/甲", "天气 上海"),
        [r#"=> run weather {"city": "上海", "unit": "c", "who": "甲"}"#]
    );
}

#[test]
fn a_message_is_answered_as_another_sentence() {
    let rules = r#"
        [[rule]]
        pattern = "(查|看)[一下]{city}的天气"
        add = { asked = 1 }
        answer_as = "天气 {city}"
        cooldown = { user = "1m" }
        [[rule]]
        id = "weather"
        pattern = "天气 {city}"
        reply = "{city}：晴（{text}，{sender}，{user.asked|0}）"
        [[rule]]
        exact = "换一句"
        set = { changed = "1" }
        answer_as = "没有规则回答"
        [[rule]]
        exact = "换了吗"
        reply = "{user.changed|没有}"
        [[rule]]
        exact = "谢谢"
        after = "weather"
        reply = "不客气"
        [[rule]]
        exact = "慢"
        add = { slow = 1 }
        answer_as = "慢规则"
        [[rule]]
        exact = "慢规则"
        cooldown = "1h"
        reply = "{user.slow}"
    "#;
    let mut talk = tells(
        rules,
        &[
            ("群/甲", "查一下上海的天气", &["上海：晴（天气 上海，甲，1）"]),
            ("群/甲", "谢谢", &["不客气"]),
            ("群/甲", "看北京的天气", &[]),
        ],
    );
    assert_eq!(talk.last.quiet, Some(Quiet::Cooldown), "the brake of the rule itself");
    assert_eq!(talk.say("群/甲", "换一句"), [""; 0]);
    let last = &talk.last;
    assert!(!last.acted && last.rule.is_none() && last.writes.is_empty(), "{last:?}");
    assert_eq!(talk.say("群/甲", "换了吗"), ["没有"]);
    assert_eq!(talk.say("群/甲", "慢"), ["1"]);
    assert_eq!(talk.say("群/甲", "慢"), [""; 0]);
    let last = &talk.last;
    assert!(!last.acted && last.quiet == Some(Quiet::Cooldown) && last.writes.is_empty());
    let is_redirected = |(_, verdict): &(RuleRef, Verdict)| {
        *verdict == Verdict::Redirected { sentence: "慢规则".to_owned() }
    };
    assert!(talk.trace.iter().any(is_redirected), "{:?}", talk.trace);
}

#[test]
fn the_brake_of_the_answering_rule_says_its_reply() {
    let rules = r#"
        [[rule]]
        exact = "急"
        add = { slow = 1 }
        answer_as = "急规则"
        [[rule]]
        exact = "急规则"
        cooldown = "1h"
        cooldown_reply = "稍等"
        reply = "{user.slow}"
    "#;
    let mut talk = tells(rules, &[("群/甲", "急", &["1"])]);
    assert_eq!(talk.say("群/甲", "急"), ["稍等"], "the reply of the brake that holds");
    assert!(!talk.last.acted && talk.last.quiet == Some(Quiet::Cooldown), "{:?}", talk.last);
    assert_eq!(talk.last.writes.len(), 1, "the reply is remembered, nothing is added");
    assert_eq!(talk.say("群/甲", "急"), [""; 0]);
}

#[test]
fn after_ten_redirects_the_search_ends_and_the_decision_so_far_stands() {
    let rules = r#"
        [[rule]]
        prefix = "数"
        in = "group"
        answer_as = "数{rest}一"
        [[rule]]
        prefix = "加"
        in = "group"
        add = { count = 1 }
        answer_as = "加{rest}一"
    "#;
    let mut talk = Talk::with(rules);
    for (text, times, writes) in [("数", "10", 0), ("加", "5", 5)] {
        talk.say("群/甲", text);
        let Decision { acted, warnings, writes: written, .. } = &talk.last;
        assert!(acted);
        let words = format!("answered as {times} other sentences");
        assert!(warnings.iter().any(|warning| warning.en.contains(&words)), "{warnings:?}");
        assert_eq!(written.len(), writes, "{text}");
    }
}

#[test]
fn a_rule_answers_sentences_like_its_own() {
    let rules = r#"
        [[rule]]
        similar = ["怎么退货", "可以退货吗"]
        reply = "七天内可以退"
        [[rule]]
        similar = "how do I return it"
        at_least = 0.5
        reply = "within seven days"
    "#;
    let mut talk = tells(
        rules,
        &[
            ("群/甲", "请问怎么退货？", &["七天内可以退"]),
            ("群/甲", "怎么发货", &[]),
            ("甲", "How can I return it?", &["within seven days"]),
            ("甲", "hello", &[]),
        ],
    );
    talk.say("群/甲", "怎么发货");
    let shown = format!("{:?}", talk.trace);
    assert!(shown.contains("怎么退货 0.57, 可以退货吗 0.14"), "{shown}");
}

#[test]
fn five_rules_act_on_a_message_and_its_other_sentences_together() {
    let go_on = "[[rule]]\nkeyword = \"go\"\ncontinue = true\nreply = \"x\"\n".repeat(4);
    let redirect = "[[rule]]\nexact = \"go\"\nset = { a = \"1\" }\nanswer_as = \"zz\"\n";
    let target = "[[rule]]\nkeyword = \"zz\"\ncontinue = true\nreply = \"y\"\n".repeat(3);
    let mut talk = Talk::with(&format!("{go_on}{redirect}{target}"));
    assert_eq!(talk.say("群/甲", "go"), ["x", "x", "x", "x", "y"]);
    assert!(!talk.last.warnings.is_empty());
}

#[test]
fn loops_are_found_behind_rules_that_go_on_and_not_where_a_dialog_answers() {
    let rules = "
        [[rule]]
        keyword = \"a\"
        continue = true
        add = { n = 1 }
        [[rule]]
        exact = \"a\"
        answer_as = \"b\"
        [[rule]]
        exact = \"b\"
        answer_as = \"a\"
    ";
    assert!(diagnostics(rules).iter().any(|one| one.is_error() && one.code == "loop"));
    let dialog = "
        [[dialog]]
        id = \"d\"
        start = \"我要报名\"
        step = [{ ask = \"名字？\", save = \"x\" }]
        done = { reply = \"好\" }
        [[rule]]
        keyword = \"报名\"
        answer_as = \"我要报名\"
    ";
    assert!(!diagnostics(dialog).iter().any(crate::Diagnostic::is_error));
    let mut talk = Talk::with(dialog);
    assert_eq!(talk.say("群/甲", "报名"), ["名字？"]);
}

#[test]
fn loops_of_sentences_with_names_are_found_if_a_message_certainly_goes_around() {
    let rule = |rest: &str| format!("[[rule]]\n{rest}\n");
    let is_loop = |rules: &str| diagnostics(rules).iter().any(|one| one.code == "loop");
    for rest in [
        "keyword = \"x\"\nanswer_as = \"{text}\"",
        "prefix = \"x\"\nanswer_as = \"x {rest}\"",
        "pattern = \"{what}天气\"\nanswer_as = \"{what}的天气\"",
        "all = [\"a\", \"b\"]\nanswer_as = \"请问{text|x}\"",
    ] {
        assert!(is_loop(&rule(rest)), "{rest}");
    }
    let there_and_back = rule("prefix = \"查\"\nanswer_as = \"问{rest}\"")
        + &rule("pattern = \"问{what}\"\nanswer_as = \"查 {what}\"");
    assert!(is_loop(&there_and_back));
    // The sentence gets shorter, the rule rests, another rule or only some people may answer.
    for rest in [
        "prefix = \"请\"\nanswer_as = \"{rest}\"",
        "keyword = \"x\"\ncooldown = \"1m\"\nanswer_as = \"{text}\"",
        "keyword = \"x\"\nfrom = \"甲\"\nanswer_as = \"{text}\"",
        "pattern = \"{a}和{b}\"\nanswer_as = \"{a}\"",
        "prefix = \"x\"\nanswer_as = \"{rest|y}\"",
        "keyword = \"x\"\nanswer_as = \"{text}\"\n[[dialog]]\nid = \"d\"\nstart = [\"x\", \"x y\"]\nstep = [{ ask = \"?\" }]\ndone = { reply = \"!\" }",
    ] {
        assert!(!is_loop(&rule(rest)), "{rest}");
    }
    let reply = rule("exact = [\"x\", \"x y\"]\nreply = \"!\"")
        + &rule("keyword = \"x\"\nanswer_as = \"{text}\"");
    assert!(!is_loop(&reply));
}

#[test]
fn silent_rules_act_behind_an_open_dialog_in_quiet_hours() {
    let rules = "
        [bot]
        quiet = \"22:00-07:00\"
        [[dialog]]
        id = \"form\"
        start = \"表格\"
        timeout = \"1d\"
        step = [{ ask = \"名字？\", save = \"x\" }]
        done = { reply = \"好\" }
        [[rule]]
        id = \"ads\"
        keyword = \"广告\"
        silent = true
        send = \"广告\"
        to = \"@sender\"
    ";
    let mut talk = Talk::with(rules);
    talk.say("甲", "在");
    talk.jump("2026-11-23T21:59:00+08:00");
    assert_eq!(talk.say("群/甲", "表格"), ["名字？"]);
    talk.jump("2026-11-23T22:04:00+08:00");
    assert_eq!(talk.say("群/甲", "广告"), ["=> 甲: 广告"]);
    assert_eq!(talk.say("群/甲", "阿甲"), [""; 0], "the dialog is kept quiet");
    talk.jump("2026-11-24T08:00:00+08:00");
    assert_eq!(talk.say("群/甲", "阿甲"), ["好"], "and goes on afterwards");
}

#[test]
fn the_language_of_the_bot_is_that_of_its_own_words() {
    let rules = |head: &str| {
        format!(
            "{head}[[rule]]\nexact = \"day\"\nreply = \"{{weekday}}\"\n[[rule]]\nevent = \"join\"\nreply = \"{{joined}}\"\n"
        )
    };
    for (head, day, joined) in [
        ("", "星期一", "甲、乙"),
        ("[bot]\nlang = \"zh\"\n", "星期一", "甲、乙"),
        ("[bot]\nlang = \"en\"\n", "Monday", "甲, 乙"),
    ] {
        let mut talk = Talk::with(&rules(head));
        assert_eq!(talk.say("群/丙", "day"), [day], "{head}");
        let people = ["甲", "乙"].map(|name| Person::stranger(name, name)).to_vec();
        assert_eq!(talk.notice("群/丙", NoticeKind::Join { people }), [joined], "{head}");
    }
}
