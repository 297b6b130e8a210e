//! Dialogs, tested as conversations.

use crate::rule_book::test_book::Talk;

const SIGN_UP: &str = r#"
    [[dialog]]
    id = "signup"
    start = "报名"
    timeout = "3m"
    timeout_reply = "{at}超时了。"
    cancel = ["取消", "退出"]
    cancel_reply = "已取消。"
    [[dialog.step]]
    ask = "请问姓名？"
    save = "name"
    [[dialog.step]]
    ask = "手机号？"
    save = "phone"
    check = '^1\d{10}$'
    retry = "手机号要 11 位，请重发。"
    tries = 3
    [[dialog.step]]
    ask = "{name}，{phone}，对吗？"
    save = "ok"
    choose = ["对", "不对"]
    restart_on = "不对"
    [dialog.done]
    reply = "{at}报名成功，你是第 {chat.signups} 位。"
    add = { "chat.signups" = 1 }
    save_to = "signup.csv"
    run = "save_signup"
    [[rule]]
    keyword = "价格"
    reply = "网页"
"#;

#[track_caller]
fn goes(talk: &mut Talk, story: &[(&str, &str, &[&str])]) {
    for (place, text, expected) in story {
        assert_eq!(talk.say(place, text), *expected, "{place}: {text}");
    }
}

#[test]
fn a_dialog_goes_from_question_to_question() {
    let mut talk = Talk::with(SIGN_UP);
    goes(
        &mut talk,
        &[
            ("群/张三", "报名", &["请问姓名？"]),
            ("群/李四", "张三", &[]),
            ("群/李四", "价格", &["网页"]),
            ("二群/张三", "价格", &["网页"]),
            ("群/张三", "张三", &["手机号？"]),
            ("群/张三", "123", &["手机号要 11 位，请重发。"]),
            ("群/张三", "价格", &["手机号要 11 位，请重发。"]),
            ("群/张三", "13800138000", &["张三，13800138000，对吗？"]),
            ("群/张三", "也许", &["张三，13800138000，对吗？"]),
            ("群/张三", "２。", &["请问姓名？"]),
            ("群/张三", "{phone}", &["手机号？"]),
            ("群/张三", "１３８００１３８０００", &["{phone}，１３８００１３８０００，对吗？"]),
        ],
    );
    let done = talk.say("群/张三", "对");
    assert_eq!(done[0], "@张三 报名成功，你是第 1 位。");
    assert_eq!(
        done[1],
        "=> save signup.csv 2026-11-23 12:00:00|群|张三|{phone}|１３８００１３８０００|对"
    );
    assert!(
        done[2].starts_with("=> run save_signup {\"name\": \"{phone}\", \"ok\": \"对\""),
        "{}",
        done[2]
    );
    assert_eq!(talk.pass(600), [""; 0]);
    assert_eq!(talk.say("群/张三", "张三"), [""; 0]);
}

#[test]
fn it_is_cancelled_by_word_and_by_too_many_wrong_answers() {
    let mut talk = Talk::with(SIGN_UP);
    goes(
        &mut talk,
        &[
            ("张三", "报名", &["请问姓名？"]),
            ("张三", "取消", &["已取消。"]),
            ("张三", "取消", &[]),
            ("张三", "报名", &["请问姓名？"]),
            ("张三", "张三", &["手机号？"]),
            ("张三", "1", &["手机号要 11 位，请重发。"]),
            ("张三", "2", &["手机号要 11 位，请重发。"]),
            ("张三", "3", &["已取消。"]),
        ],
    );
    assert_eq!(talk.due(), [""; 0]);
}

#[test]
fn time_runs_out_per_answer() {
    let mut talk = Talk::with(SIGN_UP);
    goes(&mut talk, &[("群/王五", "报名", &["请问姓名？"])]);
    assert_eq!(talk.pass(170), [""; 0]);
    goes(&mut talk, &[("群/王五", "王五", &["手机号？"])]);
    assert_eq!(talk.pass(179), [""; 0]);
    assert_eq!(talk.pass(1), ["@王五 超时了。"]);
    goes(&mut talk, &[("群/王五", "13800138000", &[])]);
}

#[test]
fn a_reload_leaves_a_dialog_in_progress_as_it_is() {
    let mut talk = Talk::with(SIGN_UP);
    goes(&mut talk, &[("群/张三", "报名", &["请问姓名？"])]);
    talk.start(Some("[[rule]]\nkeyword = \"价格\"\nreply = \"新网页\"\n"));
    goes(
        &mut talk,
        &[
            ("群/张三", "张三", &["手机号？"]),
            ("群/李四", "报名", &[]),
            ("群/张三", "13800138000", &["张三，13800138000，对吗？"]),
        ],
    );
    assert_eq!(talk.say("群/张三", "1")[0], "@张三 报名成功，你是第 1 位。");
    goes(&mut talk, &[("群/张三", "报名", &[])]);
}

#[test]
fn a_rule_can_begin_a_dialog_and_places_restrict_it() {
    let rules = r#"
        [[rule]]
        keyword = "投诉"
        start = "complain"
        reply = "请说"
        [[dialog]]
        id = "complain"
        timeout = "1m"
        [[dialog.step]]
        ask = "什么事？"
        save = "what"
        [dialog.done]
        reply = "记下了：{what}"
        [[dialog]]
        id = "vote"
        start = "投票"
        groups = ["客*"]
        timeout = "1m"
        [[dialog.step]]
        ask = "几号？"
        choose = ["甲", "乙"]
        save = "v"
        [dialog.done]
        reply = "{v}"
    "#;
    let mut talk = Talk::with(rules);
    goes(
        &mut talk,
        &[
            ("张三", "我要投诉", &["请说", "什么事？"]),
            ("张三", "太慢", &["记下了：太慢"]),
            ("张三", "投票", &[]),
            ("群/张三", "投票", &[]),
            ("客群/张三", "投票", &["几号？"]),
            ("客群/张三", "2", &["乙"]),
        ],
    );
}

const ORDER: &str = r#"
    [[dialog]]
    id = "order"
    start = "下单"
    cancel = "取消"
    [[dialog.step]]
    id = "what"
    ask = "要什么？"
    save = "what"
    [[dialog.step]]
    ask = "送货还是自取？"
    save = "way"
    choose = ["送货", "自取"]
    next = { "自取" = "sure" }
    [[dialog.step]]
    ask = "地址？"
    save = "address"
    [[dialog.step]]
    id = "sure"
    ask = "{what}，{address|自取}，对吗？"
    check = '^(对|不对|算了)'
    next = { "对" = "done", "不对" = "what", "算了" = "bye" }
    [[dialog.step]]
    ask = "请回答对、不对或算了。"
    next = "sure"
    [[dialog.step]]
    id = "bye"
    ask = "要不要下次提醒？"
    save = "later"
    [dialog.done]
    reply = "{what}：{address|自取}，{later|好的}"
    save_to = "orders.csv"
"#;

#[test]
fn the_answer_chooses_the_next_step() {
    let mut talk = Talk::with(ORDER);
    goes(
        &mut talk,
        &[
            ("群/张三", "下单", &["要什么？"]),
            ("群/张三", "茶", &["送货还是自取？"]),
            ("群/张三", "１", &["地址？"]),
            ("群/张三", "南京路", &["茶，南京路，对吗？"]),
            ("群/张三", "不对！", &["要什么？"]),
            ("群/张三", "奶茶", &["送货还是自取？"]),
            ("群/张三", "自取。", &["奶茶，南京路，对吗？"]),
            ("群/张三", "对不起", &["请回答对、不对或算了。"]),
            ("群/张三", "那就", &["奶茶，南京路，对吗？"]),
            ("群/张三", "算了", &["要不要下次提醒？"]),
            (
                "群/张三",
                "要",
                &[
                    "奶茶：南京路，要",
                    "=> save orders.csv 2026-11-23 12:00:00|群|张三|奶茶|自取|南京路|要",
                ],
            ),
            ("群/张三", "对", &[]),
        ],
    );
}

#[test]
fn a_way_that_leaves_a_question_out_leaves_its_answer_empty() {
    let mut talk = Talk::with(ORDER);
    goes(
        &mut talk,
        &[
            ("群/张三", "下单", &["要什么？"]),
            ("群/张三", "茶", &["送货还是自取？"]),
            ("群/张三", "自取", &["茶，自取，对吗？"]),
            (
                "群/张三",
                "对",
                &["茶：自取，好的", "=> save orders.csv 2026-11-23 12:00:00|群|张三|茶|自取||"],
            ),
        ],
    );
}

#[test]
fn a_dialog_stored_by_a_version_without_ways_goes_on() {
    let mut talk = Talk::with(SIGN_UP);
    talk.say("群/张三", "报名");
    talk.rewrite_state(|value| {
        assert!(value.contains(r#","next":"following""#), "{value}");
        value.replace(r#","next":"following""#, "")
    });
    assert_eq!(talk.say("群/张三", "张三"), ["手机号？"]);
    assert_eq!(talk.say("群/张三", "13800138000"), ["张三，13800138000，对吗？"]);
    assert_eq!(talk.say("群/张三", "对")[0], "@张三 报名成功，你是第 1 位。");
}

#[test]
fn a_dialog_between_two_steps_keeps_its_ways_over_a_reload() {
    let mut talk = Talk::with(ORDER);
    assert_eq!(talk.say("群/张三", "下单"), ["要什么？"]);
    assert_eq!(talk.say("群/张三", "茶"), ["送货还是自取？"]);
    talk.start(Some("[[rule]]\nkeyword = \"茶\"\nreply = \"没有\"\n"));
    assert_eq!(talk.say("群/张三", "自取"), ["茶，自取，对吗？"]);
    assert_eq!(talk.say("群/张三", "对")[0], "茶：自取，好的");
}
