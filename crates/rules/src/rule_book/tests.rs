//! Replies of bots, tested as short conversations.

use mynah_core::{Content, MediaRef, MediaSource, NoticeKind, Person, Quiet, Segment};

use super::test_book::Talk;
use crate::explain::{Failed, Verdict};

/// The actions of the bot after these messages, sent one after the other.
#[track_caller]
fn tells(rules: &str, story: &[(&str, &str, &[&str])]) -> Talk {
    let mut talk = Talk::with(rules);
    for (place, text, expected) in story {
        assert_eq!(talk.say(place, text), *expected, "{place}: {text}");
    }
    talk
}

#[test]
fn the_first_rule_that_matches_answers() {
    let rules = r#"
        [bot]
        groups = ["客户*"]
        [[rule]]
        keyword = ["价格", "多少钱"]
        reply = "看网页"
        [[rule]]
        all = ["发票", "抬头"]
        reply = "请私信"
        [[rule]]
        exact = "菜单"
        image = "menu.png"
        [[rule]]
        keyword = "价格"
        priority = 1
        in = "private"
        reply = "私下说"
    "#;
    tells(
        rules,
        &[
            ("客户一群/张三", "请问多少钱", &["看网页"]),
            ("客户一群/张三", "发票的抬头", &["请私信"]),
            ("客户一群/张三", "发票", &[]),
            ("客户一群/张三", " 菜单 ", &["[image menu.png]"]),
            ("家人群/妈妈", "价格", &[]),
            ("李四", "价格", &["私下说"]),
        ],
    );
}

#[test]
fn being_called_is_a_condition() {
    let mut talk = Talk::with("[[rule]]\nat_me = true\nreply = \"{at}在\"\n");
    assert_eq!(talk.say("群/张三", "在吗"), [""; 0]);
    assert_eq!(talk.say_called("群/张三", "在吗", true), ["@张三 在"]);
    assert_eq!(talk.say("张三", "在吗"), ["在"]);
}

#[test]
fn captures_and_the_rest_are_original_text() {
    let rules = r#"
        [[rule]]
        regex = '订单号?\s*[:：]?\s*(?<no>\d{8,12})'
        reply = "订单 {no}"
        [[rule]]
        pattern = ["叫我 {name}", "我叫 {name}"]
        set = { nick = "{name}" }
        reply = "好的，{name}！"
        [[rule]]
        exact = "我是谁"
        reply = "你是 {user.nick|{sender}}。"
        [[rule]]
        prefix = ["查询", "查"]
        suffix = "价格"
        reply = "<{rest}>"
        [[rule]]
        prefix = "ECHO"
        reply = "{rest}"
    "#;
    tells(
        rules,
        &[
            ("李四", "订单：２０２６１１２２", &["订单 ２０２６１１２２"]),
            ("李四", "我是谁", &["你是 李四。"]),
            ("李四", "我叫 {sender}", &["好的，{sender}！"]),
            ("李四", "我是谁", &["你是 {sender}。"]),
            ("群/李四", "我是谁", &["你是 李四。"]),
            ("李四", "查询 苹果价格", &["<苹果>"]),
            ("李四", "查价格", &["<>"]),
            ("李四", "echo  Ａ  Ｂ", &["Ａ  Ｂ"]),
        ],
    );
}

#[test]
fn state_is_counted_and_forwarded() {
    let rules = r#"
        [bot]
        admins = ["老王"]
        [[rule]]
        keyword = ["刷单", "代购"]
        not_from = "admin"
        in = "group"
        add = { warns = 1, "chat.all" = 2 }
        reply = "{at}第 {user.warns} 次，共 {chat.all}"
        forward_to = ["管理群"]
        [[group]]
        name = "车友*"
        vars = { all = "10" }
    "#;
    let mut talk = Talk::with(rules);
    talk.knows("管理群");
    for (place, text, expected) in [
        (
            "车友群/小明",
            "代购香水",
            vec!["@小明 第 1 次，共 12", "=> 管理群: 小明（车友群）：代购香水"],
        ),
        (
            "车友群/小明",
            "又刷单",
            vec!["@小明 第 2 次，共 14", "=> 管理群: 小明（车友群）：又刷单"],
        ),
        ("车友群/老王", "代购", vec![]),
        // A person who only took the name is not the admin.
        ("车友群/老王*", "代购", vec!["@老王 第 1 次，共 16", "=> 管理群: 老王（车友群）：代购"]),
    ] {
        assert_eq!(talk.say(place, text), expected, "{place}: {text}");
    }
    assert!(
        talk.last.warnings.iter().any(|warning| warning.en.contains("老王")),
        "{:?}",
        talk.last.warnings
    );
}

#[test]
fn cooldowns_and_limits_keep_quiet_and_say_so_once() {
    let rules = r#"
        [[rule]]
        id = "进度"
        keyword = "进度"
        reply = "看板"
        cooldown = { user = "1m", chat = "10s" }
        cooldown_reply = "稍等"
        limit = { user = 3, per = "day" }
        limit_reply = "今天够了"
        [[rule]]
        type = "text"
        reply = "不懂"
    "#;
    let mut talk = tells(
        rules,
        &[
            ("群/甲", "进度", &["看板"]),
            ("群/乙", "进度", &["稍等"]),
            ("群/乙", "进度", &[]),
            ("二群/乙", "进度", &["看板"]),
        ],
    );
    assert_eq!(talk.last.quiet, None);
    talk.pass(10);
    assert_eq!(talk.say("群/乙", "进度"), ["看板"]);
    talk.pass(10);
    // The chat's clock has run out, 甲's own is still running: that is another clock, and its period was not mentioned
    // yet.
    assert_eq!(talk.say("群/甲", "进度"), ["稍等"]);
    assert_eq!(talk.last.quiet, Some(Quiet::Cooldown));
    for _ in 0..2 {
        talk.pass(60);
        assert_eq!(talk.say("群/甲", "进度"), ["看板"]);
    }
    talk.pass(60);
    assert_eq!(talk.say("群/甲", "进度"), ["今天够了"]);
    assert_eq!((talk.say("群/甲", "进度"), talk.last.quiet), (vec![], Some(Quiet::Limit)));
    talk.jump("2026-11-24T00:00:00+08:00");
    assert_eq!(talk.say("群/甲", "进度"), ["看板"]);
}

#[test]
fn a_clock_set_back_keeps_a_rule_quiet_for_an_hour_more_at_most() {
    let rules = r#"
        [[rule]]
        exact = "进度"
        reply = "看板"
        cooldown = "10m"
        [[rule]]
        exact = "签到"
        reply = "好"
        limit = { user = 1, per = "day" }
        limit_reply = "今天签过了"
    "#;
    let mut talk = Talk::with(rules);
    talk.jump("2030-01-01T12:00:00+08:00");
    assert_eq!(talk.say("群/甲", "进度"), ["看板"]);
    talk.jump("2030-01-01T11:30:00+08:00");
    assert_eq!(talk.say("群/甲", "进度"), [""; 0]);
    assert_eq!(talk.last.quiet, Some(Quiet::Cooldown));
    talk.jump("2030-01-01T12:10:00+08:00");
    assert_eq!(talk.say("群/甲", "进度"), ["看板"]);
    // The clock of the machine was years ahead.
    talk.jump("2026-11-23T12:00:00+08:00");
    assert_eq!(talk.say("群/甲", "进度"), ["看板"]);
    assert_eq!(talk.say("群/甲", "进度"), [""; 0]);
    // Limits count in the day that the clock shows.
    assert_eq!(talk.say("群/甲", "签到"), ["好"]);
    assert_eq!(talk.say("群/甲", "签到"), ["今天签过了"]);
    talk.jump("2026-11-22T12:00:00+08:00");
    assert_eq!(talk.say("群/甲", "签到"), ["好"]);
    talk.jump("2026-11-23T12:00:00+08:00");
    assert_eq!(talk.say("群/甲", "签到"), [""; 0]);
}

#[test]
fn a_cooldown_runs_on_over_midnight_and_a_reload() {
    let rules = "[[rule]]\nkeyword = \"早\"\nreply = \"早\"\ncooldown = \"10m\"\n";
    let mut talk = Talk::with(rules);
    talk.jump("2026-11-23T23:55:00+08:00");
    assert_eq!(talk.say("群/甲", "早"), ["早"]);
    talk.start(Some(&format!("[[rule]]\nexact = \"新\"\nreply = \"新\"\n{rules}")));
    talk.jump("2026-11-24T00:04:59+08:00");
    assert_eq!(talk.say("群/甲", "早"), [""; 0]);
    talk.jump("2026-11-24T00:05:00+08:00");
    assert_eq!(talk.say("群/甲", "早"), ["早"]);
}

#[test]
fn a_variable_holds_4000_characters_and_the_log_says_that_more_was_cut() {
    let rules = r#"
        [[rule]]
        pattern = "记住 {what}"
        set = { chat.note = "{what}" }
        [[rule]]
        exact = "念"
        reply = "{chat.note}"
    "#;
    let mut talk = Talk::with(rules);
    talk.say("群/甲", &format!("记住 {}", "字".repeat(4000)));
    assert!(talk.last.warnings.is_empty(), "{:?}", talk.last.warnings);
    talk.say("群/甲", &format!("记住 {}", "字".repeat(4001)));
    assert!(talk.last.warnings[0].en.contains("4000 characters"), "{:?}", talk.last.warnings);
    let said: usize = talk.say("群/甲", "念").iter().map(|text| text.chars().count()).sum();
    assert_eq!(said, 4000);
}

#[test]
fn continue_lets_the_search_go_on_up_to_five() {
    let rule = |n: u32| format!("[[rule]]\nkeyword = \"a\"\nreply = \"{n}\"\ncontinue = true\n");
    let rules: String = (1..=7).map(rule).collect();
    let talk = tells(&rules, &[("x", "a", &["1", "2", "3", "4", "5"])]);
    assert_eq!(talk.last.warnings.len(), 1);

    let rules = r#"
        [[rule]]
        keyword = "a"
        reply = "first"
        cooldown = "1m"
        continue = true
        [[rule]]
        keyword = "b"
        reply = "second"
    "#;
    let talk = tells(
        rules,
        &[("x", "a b", &["first", "second"]), ("x", "a b", &["second"]), ("x", "a", &[])],
    );
    // Nothing else answered: a fallback is not to say that it does not understand.
    assert_eq!(talk.last.quiet, Some(Quiet::Cooldown));
}

#[test]
fn a_random_choice_is_never_that_of_last_time() {
    let mut talk = Talk::with("[[rule]]\nkeyword = \"早\"\nreply_one_of = [\"1\", \"2\", \"3\"]\n");
    let said: Vec<String> = (0..200).flat_map(|_| talk.say("群/甲", "早")).collect();
    assert!(said.windows(2).all(|pair| pair[0] != pair[1]));
    assert!(
        ["1", "2", "3"].iter().all(|one| said.iter().filter(|text| text == one).count() > 40),
        "{said:?}"
    );
}

#[test]
fn chance_is_a_condition_drawn_from_the_event() {
    let mut talk = Talk::with(
        "[[rule]]\nkeyword = \"早\"\nchance = 0.3\nreply = \"早\"\n[[rule]]\nkeyword = \"早\"\nreply = \"-\"\n",
    );
    let said: Vec<String> = (0..1000).flat_map(|_| talk.say("群/甲", "早")).collect();
    let lucky = said.iter().filter(|text| *text == "早").count();
    assert!((230..370).contains(&lucky), "{lucky}");
}

#[test]
fn admins_mute_a_chat() {
    let rules = r##"
        [bot]
        admins = ["老王"]
        [[rule]]
        keyword = "价格"
        reply = "网页"
        [[rule]]
        pattern = "#静音 [{duration}]"
        from = "admin"
        run = "builtin.mute"
        reply = "好"
        [[rule]]
        exact = "#说话"
        from = "admin"
        run = "builtin.unmute"
    "##;
    let mut talk = tells(
        rules,
        &[
            ("群/甲", "#静音", &[]),
            ("群/老王", "#静音", &["好"]),
            ("群/甲", "价格", &[]),
            ("二群/甲", "价格", &["网页"]),
            ("群/老王", "#说话", &[]),
            ("群/甲", "价格", &["网页"]),
            ("群/老王", "#静音 2h", &["好"]),
        ],
    );
    talk.pass(2 * 3600 - 1);
    assert_eq!((talk.say("群/甲", "价格"), talk.last.quiet), (vec![], Some(Quiet::Mute)));
    talk.pass(1);
    assert_eq!(talk.say("群/甲", "价格"), ["网页"]);
}

#[test]
fn events_are_answered() {
    let rules = r#"
        [[rule]]
        event = "join"
        reply = "欢迎 {joined}！{chat.notice|暂无公告}"
        [[rule]]
        event = "recall"
        forward_to = ["管理群"]
        [[rule]]
        event = "friend_request"
        keyword = "车友"
        accept = true
        reply = "你好 {sender}"
        [[group]]
        name = "车友*"
        vars = { notice = "周六" }
    "#;
    let mut talk = Talk::with(rules);
    talk.knows("管理群");
    let people = vec![Person::stranger("a", "小明"), Person::stranger("b", "小红")];
    assert_eq!(talk.notice("车友群/小明", NoticeKind::Join { people }), ["欢迎 小明、小红！周六"]);
    let request = |greeting: &str| NoticeKind::FriendRequest {
        greeting: greeting.into(),
        ticket: "t".into(),
    };
    assert_eq!(talk.notice("小刚", request("我是车友")), ["=> accept t", "你好 小刚"]);
    assert_eq!(talk.notice("小刚", request("你好")), [""; 0]);
    talk.say("车友群/小明", "骂人");
    let original = mynah_core::Message {
        id: "m0".into(),
        chat: mynah_core::Chat::group("g:车友群", "车友群"),
        sender: Person::stranger("a", "小明"),
        origin: mynah_core::Origin::Person,
        content: Content::text("骂人"),
        text: "骂人".into(),
        called: false,
        behind_name: None,
    };
    let recall = NoticeKind::Recall { message: "m0".into(), original: Some(Box::new(original)) };
    assert_eq!(talk.notice("车友群/小明", recall), ["=> 管理群: 小明（车友群）：骂人"]);
    let unseen = NoticeKind::Recall { message: "m9".into(), original: None };
    assert_eq!(talk.notice("车友群/小明", unseen), [""; 0]);
}

#[test]
fn media_are_for_rules_that_name_them() {
    let rules = "[[rule]]\ntype = [\"image\", \"file\"]\nreply = \"收到\"\nforward_to = [\"库\"]\n[[rule]]\nkeyword = \"a\"\nreply = \"b\"\n";
    let mut talk = Talk::with(rules);
    talk.knows("库");
    let media = MediaRef {
        source: MediaSource::Service("x".into()),
        name: Some("a.png".into()),
        size: None,
    };
    let image = Content(vec![Segment::Image(media)]);
    assert_eq!(talk.send("群/甲", image, "", false), ["收到", "=> 库: [image a.png]"]);
    assert_eq!(talk.say("群/甲", "a"), ["b"]);
}

/// The answer of the bot to a text that begins with its name in so many bytes.
fn named(talk: &mut Talk, text: &str, name: usize) -> Vec<String> {
    talk.send_named("群/甲", Content::typed(text), text, false, Some(name))
}

#[test]
fn rules_look_behind_a_name_of_the_bot_and_then_at_the_whole_text() {
    let rules = r#"
        [bot]
        names = ["天气"]
        [[rule]]
        exact = "你好"
        at_me = true
        reply = "在：{text}"
        [[rule]]
        keyword = "帮助"
        reply = "帮：{text}"
        [[rule]]
        pattern = "天气 {city}"
        reply = "{city}：{text}"
        [[dialog]]
        id = "d"
        start = "天气，报名"
        [[dialog.step]]
        ask = "名字？"
        save = "name"
        [dialog.done]
        reply = "记下{name}"
    "#;
    let mut talk = Talk::with(rules);
    let name = "天气，".len();
    assert_eq!(named(&mut talk, "天气，你好！", name), ["在：你好！"]);
    assert_eq!(named(&mut talk, "天气 北京", "天气 ".len()), ["北京：天气 北京"]);
    assert_eq!(named(&mut talk, "天气，帮助", name), ["帮：帮助"]);
    // Dialogs have the whole text.
    assert_eq!(named(&mut talk, "天气，报名", name), ["名字？"]);
    assert_eq!(named(&mut talk, "天气，王五", name), ["记下天气，王五"]);
    assert_eq!(talk.say("群/甲", "你好"), Vec::<String>::new());
}

#[test]
fn a_dialog_ignores_the_final_punctuation_of_what_it_is_told() {
    let rules = r#"
        [[dialog]]
        id = "d"
        start = "报名"
        cancel = ["取消"]
        cancel_reply = "好"
        [[dialog.step]]
        ask = "对吗？"
        choose = ["对", "不对"]
        restart_on = "不对"
        save = "x"
        [dialog.done]
        reply = "记下{x}"
    "#;
    let mut talk = Talk::with(rules);
    assert_eq!(talk.say("群/甲", "报名！"), ["对吗？"]);
    assert_eq!(talk.say("群/甲", "不对。"), ["对吗？"]);
    assert_eq!(talk.say("群/甲", "对！！"), ["记下对"]);
    assert_eq!(talk.say("群/甲", "报名~"), ["对吗？"]);
    assert_eq!(talk.say("群/甲", "取消吧"), ["对吗？"]);
    assert_eq!(talk.say("群/甲", "取消……"), ["好"]);
}

#[test]
fn actions_have_a_fixed_order_unless_do_says_otherwise() {
    let rules = r#"
        [[rule]]
        pattern = "报 {what} {n:int}"
        run = "h"
        save_to = "a.csv"
        reply_all_of = ["一", "二 {user.x}"]
        set = { x = "{what}" }
        at_sender = true
        [[rule]]
        exact = "慢"
        do = [{ reply = "1" }, { wait = "2s" }, { reply = "2" }, { wait = "3s" }, { run = "h" }, { reply = "3" }]
        [[rule]]
        exact = "等"
        do = [{ reply = "1" }, { wait = "2s" }, { reply = "2" }, { wait = "3s" }, { reply = "3" }]
        [[rule]]
        exact = "引"
        reply = "好"
        quote = true
    "#;
    let mut talk = Talk::with(rules);
    assert_eq!(
        talk.say("群/甲", "报 +苹果 12"),
        [
            "@甲 一",
            "二 +苹果",
            "=> save a.csv 2026-11-23 12:00:00|群|甲|'+苹果|12",
            r#"=> run h {"n": "12", "what": "+苹果"}"#
        ]
    );
    assert_eq!(talk.say("群/甲", "引"), ["「甲：引」好"]);
    // A handler has to wait for a turn of its own, and so do all steps after it.
    assert_eq!(talk.say("群/甲", "慢"), ["1"]);
    assert_eq!(talk.pass(2), ["2"]);
    assert_eq!(talk.pass(2), [""; 0]);
    assert_eq!(talk.pass(1), ["=> run h {}", "3"]);
    assert_eq!(talk.say("群/甲", "等"), ["1", "[2s] 2", "[5s] 3"]);
}

#[test]
fn groups_have_values_and_restrictions() {
    let rules = r#"
        [[rule]]
        id = "进度"
        keyword = "进度"
        reply = "{chat.board|无}"
        [[rule]]
        keyword = "进"
        reply = "请进"
        [[rule]]
        exact = "改"
        id = "改"
        set = { "chat.board" = "新" }
        [[group]]
        name = "一*"
        vars = { board = "甲板" }
        [[group]]
        name = "*组"
        vars = { board = "乙板" }
        only = ["进度", "改"]
    "#;
    tells(
        rules,
        &[
            ("一组/x", "进度", &["甲板"]),
            ("二组/x", "进度", &["乙板"]),
            ("一组/x", "请进", &["请进"]),
            ("二组/x", "请进", &[]),
            ("二组/x", "改", &[]),
            ("二组/x", "进度", &["新"]),
            ("x", "进度", &["无"]),
        ],
    );
}

#[test]
fn times_days_and_ignored_people() {
    let rules = r#"
        [bot]
        ignore = ["机器人"]
        [[rule]]
        keyword = "早"
        time = "05:00-11:00"
        reply = "早上好"
        [[rule]]
        keyword = "早"
        days = "sat-sun"
        reply = "周末好"
        [[rule]]
        keyword = "早"
        time = "22:00-02:00"
        reply = "夜里好 {date} {time} {weekday}"
    "#;
    let mut talk = Talk::with(rules);
    assert_eq!(talk.say("群/甲", "早"), [""; 0]);
    for (now, expected) in [
        ("2026-11-23T05:00:00+08:00", "早上好"),
        ("2026-11-28T11:00:00+08:00", "周末好"),
        ("2026-11-23T23:30:00+08:00", "夜里好 2026-11-23 23:30 星期一"),
        ("2026-11-24T01:59:00+08:00", "夜里好 2026-11-24 01:59 星期二"),
    ] {
        talk.jump(now);
        assert_eq!(talk.say("群/甲", "早"), [expected]);
        assert_eq!(talk.say("群/机器人", "早"), [""; 0]);
        assert_eq!(talk.last.passed_over, Some("ignored person"));
    }
}

#[test]
fn every_rule_up_to_the_winner_is_explained() {
    let rules = r#"
        [[rule]]
        id = "off"
        keyword = "a"
        off = true
        reply = "x"
        [[rule]]
        id = "group"
        keyword = "a"
        groups = ["客*"]
        reply = "x"
        [[rule]]
        id = "regex"
        regex = '^B'
        reply = "x"
        [[rule]]
        id = "brake"
        keyword = "a"
        reply = "once"
        cooldown = "1m"
    "#;
    let talk = tells(rules, &[("群/x", "Ａ！", &["once"]), ("群/x", "Ａ！", &[])]);
    let verdicts: Vec<_> =
        talk.trace.iter().map(|(rule, verdict)| (&*rule.id, verdict.clone())).collect();
    let failed = |key, expected: &str, actual: &str| {
        Verdict::Failed(Failed { key, expected: expected.into(), actual: actual.into() })
    };
    let left = Some(std::time::Duration::from_secs(60));
    assert_eq!(
        verdicts,
        [
            ("off", Verdict::Off),
            ("group", failed("groups", "客*", "群")),
            ("regex", failed("regex", "^B", "A!")),
            ("brake", Verdict::Quiet { brake: Quiet::Cooldown, left, goes_on: false }),
        ]
    );
}

#[test]
fn the_runner_is_asked_for_what_only_it_can_do() {
    let rules = "[bot]\nadmins = [\"老王\"]\n[[rule]]\nexact = \"#重载\"\nfrom = \"admin\"\nrun = \"builtin.reload\"\n";
    let talk = tells(rules, &[("老王", "#重载", &[])]);
    assert_eq!(talk.last.builtin, Some(crate::Builtin::Reload));
    assert!(talk.last.acted);
}

/// A quoted reply as the service delivers it.
fn reply_to(name: &str, quoted: &str, own: &str) -> String {
    format!("「{name}：{quoted}」\n- - - - - - - - - - - - - - -\n{own}")
}

#[test]
fn quoted_words_are_not_the_words_of_the_sender() {
    let rules = r#"
        [[rule]]
        exact = "菜单"
        reply = "<{text}>"
        [[rule]]
        pattern = "退款 {no:int}"
        reply = "{no}"
        [[rule]]
        keyword = "多少钱"
        reply = "看网页"
        [[rule]]
        keyword = "在"
        none = "忙"
        reply = "{text}"
        [[dialog]]
        id = "d"
        start = "报名"
        [[dialog.step]]
        ask = "几位？"
        save = "n"
        [dialog.done]
        reply = "{n} 位"
    "#;
    let quoted = |quoted: &str, own: &str| reply_to("小明", quoted, own);
    let mut talk = Talk::with(rules);
    for (text, expected) in [
        (quoted("请问多少钱", "谢谢"), vec![]),
        (quoted("你好", "多少钱"), vec!["看网页"]),
        (quoted("发票", "菜单"), vec!["<菜单>"]),
        (quoted("退款 7", "退款 8"), vec!["8"]),
        (quoted("忙吗", "在"), vec!["在"]),
        (quoted("报名", "好的"), vec![]),
        (quoted(&reply_to("小红", "多少钱", "在"), "谢谢"), vec![]),
        (quoted("你好", "报名"), vec!["几位？"]),
        (quoted("几位？", "三"), vec!["三 位"]),
        ("「小明：请问多少钱」".to_owned(), vec!["看网页"]),
    ] {
        assert_eq!(talk.say("群/小红", &text), expected, "{text}");
    }
}

#[test]
fn a_rule_with_quoted_looks_at_quoted_words_too() {
    let rules = r#"
        [[rule]]
        keyword = "刷单"
        quoted = true
        reply = "请勿发广告：{text}"
        forward_to = "管理群"
        [[rule]]
        regex = '加V(\d+)'
        none = "客服"
        quoted = true
        reply = "{1}"
        [[rule]]
        at_me = true
        reply = "我在"
    "#;
    let mut talk = Talk::with(rules);
    talk.knows("管理群");
    for (text, expected) in [
        (
            reply_to("小明", "兼职刷单", "好的"),
            vec!["请勿发广告：好的", "=> 管理群: 小红（群）：「小明：兼职刷单」\n好的"],
        ),
        ("刷单".to_owned(), vec!["请勿发广告：刷单", "=> 管理群: 小红（群）：刷单"]),
        (reply_to("加V123", "你好", "好的"), vec!["123"]),
        (reply_to("客服", "你好", "加V123"), vec![]),
        // A long quote does not push the own words out of sight.
        (reply_to("小明", &"长".repeat(30_000), "刷单"), vec!["请勿发广告：刷单", "?"]),
    ] {
        let said = talk.say("群/小红", &text);
        let said: Vec<_> = said.iter().map(String::as_str).collect();
        let fits = said.iter().zip(&expected).all(|(said, one)| said == one || *one == "?");
        assert!(fits && said.len() == expected.len(), "{said:?}");
    }
    // A quote of another person's words does not call the bot.
    assert_eq!(talk.say("群/小红", &reply_to("小明", "@小助手 在吗", "它不在")), [""; 0]);
}

#[test]
fn a_recalled_message_is_looked_at_with_its_quotes() {
    let rules =
        "[[rule]]\nevent = \"recall\"\nkeyword = \"刷单\"\nquoted = true\nreply = \"看到了\"\n";
    let mut talk = Talk::with(rules);
    let content = Content::typed(&reply_to("小明", "刷单", "好"));
    let original = mynah_core::Message {
        id: "m".into(),
        chat: mynah_core::Chat::group("g:群", "群"),
        sender: Person::friend("f:小红", "小红"),
        origin: mynah_core::Origin::Person,
        text: content.plain_text(),
        content,
        called: false,
        behind_name: None,
    };
    let kind = NoticeKind::Recall { message: "m".into(), original: Some(Box::new(original)) };
    assert_eq!(talk.notice("群/小红", kind), ["看到了"]);
}

#[test]
fn a_quote_in_a_reply_is_short() {
    let mut talk = Talk::with("[[rule]]\nkeyword = \"问\"\nquote = true\nreply = \"答\"\n");
    let said = talk.say("群/小明", &"问\n题".repeat(3_000));
    let [said] = &said[..] else { panic!("{said:?}") };
    assert!(said.starts_with("「小明：问 题问 题") && said.ends_with("…」答"), "{said}");
    assert!(said.chars().count() <= "「小明：」答".chars().count() + 60, "{said}");
}

#[test]
fn the_key_of_a_rule_without_id_is_that_of_earlier_versions() {
    let book = super::test_book::book(
        "[[rule]]\nkeyword = [\"价格\", \"多少钱\"]\nin = \"group\"\nreply = \"x\"\n\
         [[rule]]\nkeyword = \"价格\"\nquoted = true\nreply = \"x\"\n\
         [[rule]]\nkeyword = \"价格\"\nreply = \"x\"\n",
    );
    let keys: Vec<_> = book.rules().map(|rule| rule.key).collect();
    // Without `quoted`, the second and the third would be alike.
    let expected = ["#rule-2ede9235f2c01cf1", "#rule-13992a99631e2a52", "#rule-ba3a92d8e9bfe46f"];
    assert_eq!(keys, expected);
}

/// Every condition of version 0.1, in rules without `id`.
const OF_VERSION_0_1: &str = r#"
    [bot]
    admins = ["老王"]
    [[rule]]
    keyword = "价格"
    reply = "a"
    [[rule]]
    keyword = ["价格", "多少钱"]
    none = ["免费"]
    case = true
    reply = "a"
    [[rule]]
    all = ["发票", "抬头"]
    reply = "a"
    [[rule]]
    exact = "签到"
    reply = "a"
    cooldown = { user = "2d" }
    [[rule]]
    exact = "抽奖"
    reply = "a"
    limit = { user = 1, per = "week" }
    [[rule]]
    prefix = "投诉"
    not_from = ["老王"]
    reply = "a"
    [[rule]]
    suffix = "吗"
    chance = 0.5
    reply = "a"
    [[rule]]
    pattern = "叫我 {name}"
    in = "group"
    groups = ["客户*"]
    reply = "a"
    [[rule]]
    regex = '^问 (?<n>\d+)$'
    from = "admin"
    reply = "a"
    [[rule]]
    at_me = true
    time = "09:00-18:00"
    days = "mon-fri"
    reply = "a"
    [[rule]]
    type = "image"
    in = "private"
    reply = "a"
    [[rule]]
    event = ["join", "pat"]
    reply = "a"
    [[rule]]
    exact = "签到"
    reply = "b"
"#;

/// The keys were printed by the program of version 0.1.
#[test]
fn every_condition_of_version_0_1_gives_the_key_of_that_version() {
    let keys: Vec<_> =
        super::test_book::book(OF_VERSION_0_1).rules().map(|rule| rule.key).collect();
    let expected = [
        "#rule-ba3a92d8e9bfe46f",
        "#rule-ceff6f413f997da3",
        "#rule-ac6acb1d996ec6d9",
        "#rule-21b700b69173f50c",
        "#rule-b0977628324b4304",
        "#rule-ddbe57c2d2ca4425",
        "#rule-a238a45baa2db2b7",
        "#rule-aaa6f3a2dd681fb9",
        "#rule-be37095d40d3b860",
        "#rule-5c9c71ed39f7870b",
        "#rule-a7e69c80d9ac9916",
        "#rule-cf483dfdf2708aed",
        "#rule-21b700b69173f50c-2",
    ];
    assert_eq!(keys, expected);
}
