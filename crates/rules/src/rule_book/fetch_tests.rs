//! `fetch`, as short conversations. The answers are at hand; how they come is tested where they are brought.

use async_trait::async_trait;
use mynah_core::{Fetch, FetchAnswer, FetchBody, FetchFailure, FetchRequest, Quiet, Timestamp};

use super::test_book::{Talk, diagnostics, diagnostics_by};
use crate::explain::Verdict;
use crate::{Lang, Moment};

const WEATHER: &str = r#"
    [[rule]]
    id = "weather"
    pattern = "天气 {city}"
    fetch = { url = "https://api.example.com/w?q={city}", take = { temp = "/now/temp", sky = "/now/text" } }
    reply = "{city}：{sky}，{temp}°C"
    set = { asked = "{temp}" }
    fetch_reply = "查不到 {city}，稍后再试。"
    cooldown = { user = "1m" }
    limit = { user = 2, per = "day" }
    limit_reply = "够了"
    [[rule]]
    keyword = "天气"
    reply = "后面的规则"
"#;

/// The address of the weather in Beijing.
const BEIJING: &str = "GET https://api.example.com/w?q=%E5%8C%97%E4%BA%AC";

/// A rule with this `fetch` and reply.
fn rule(fetch: &str, reply: &str) -> String {
    format!("[[rule]]\npattern = \"问 {{q}}\"\nfetch = {{ {fetch} }}\nreply = \"{reply}\"\n")
}

/// A client whose operator listed `127.0.0.1:8000` as private, and no public host.
#[derive(Debug)]
struct Settings;

#[async_trait]
impl Fetch for Settings {
    fn check(&self, request: &FetchRequest) -> Result<(), FetchFailure> {
        let url = request.url.to_string();
        let host = url.split('/').nth(2).unwrap_or_default().to_owned();
        match host.as_str() {
            "127.0.0.1:8000" => Ok(()),
            private if private.starts_with("127.") => Err(FetchFailure::PrivateNotAllowed(host)),
            _ => Err(FetchFailure::HostNotAllowed(host)),
        }
    }

    async fn fetch(&self, _: &FetchRequest) -> Result<FetchAnswer, FetchFailure> {
        Err(FetchFailure::Offline)
    }
}

/// The messages of all errors of a text, in both languages.
fn errors(text: &str) -> Vec<String> {
    let all = diagnostics(text);
    let errors = all.iter().filter(|one| one.is_error());
    errors.map(|one| format!("{} / {}", one.message(Lang::En), one.message(Lang::Zh))).collect()
}

#[test]
fn a_rule_answers_with_values_of_a_web_service() {
    let mut talk = Talk::with(WEATHER);
    talk.answers(BEIJING, 200, r#"{"now": {"temp": 3, "text": "多云"}}"#);
    assert_eq!(talk.say("甲", "天气 北京"), ["北京：多云，3°C"]);
    assert_eq!(talk.asked(), [BEIJING]);
    assert_eq!(talk.last.captures["temp"], "3");
    let [note] = talk.last.fetch_notes() else { panic!("{:?}", talk.last) };
    assert_eq!((note.request.as_str(), note.outcome(Lang::En)), (BEIJING, "answered"));
    let verdicts: Vec<_> = talk.trace.iter().map(|(_, verdict)| verdict).collect();
    assert!(
        matches!(verdicts[..], [Verdict::Fetched(_), Verdict::Acted { goes_on: false }]),
        "{verdicts:?}"
    );
    // Its cooldown runs: nothing is asked.
    assert_eq!(talk.say("甲", "天气 北京"), [""; 0]);
    assert_eq!(talk.asked(), [""; 0]);
}

#[test]
fn without_a_good_answer_a_rule_says_so_and_does_nothing_else() {
    let mut talk = Talk::with(WEATHER);
    assert_eq!(talk.say("甲", "天气 北京"), ["查不到 北京，稍后再试。"]);
    assert_eq!(talk.last.quiet, Some(Quiet::Fetch), "the search ended");
    assert_eq!(talk.value("甲", "asked"), None);
    let [warning] = talk.last.warnings.as_slice() else { panic!("{:?}", talk.last) };
    assert_eq!(
        warning.en,
        "the request GET https://api.example.com/w?… failed: no answer within the time-out"
    );
    // The cooldown has started.
    assert_eq!(talk.say("甲", "天气 北京"), [""; 0]);
    assert_eq!(talk.last.quiet, Some(Quiet::Cooldown));
    // The limit was not used: two more answers are free.
    talk.answers(BEIJING, 200, r#"{"now": {"temp": 3}}"#);
    for expected in ["北京：，3°C", "北京：，3°C", "够了"] {
        talk.pass(61);
        assert_eq!(talk.say("甲", "天气 北京"), [expected]);
    }
}

#[test]
fn what_is_no_good_answer() {
    for (status, body) in [(404, "{}"), (200, "<html>"), (200, "")] {
        let mut talk = Talk::with(WEATHER);
        talk.answers(BEIJING, status, body);
        assert_eq!(talk.say("甲", "天气 北京"), ["查不到 北京，稍后再试。"], "{body}");
    }
    // Without a reply for it, the rule says nothing, and what happened can be seen.
    let mut talk = Talk::with(&rule("url = \"https://a.example/\", take = { x = \"/x\" }", "{x}"));
    assert_eq!(talk.say("甲", "问 x"), [""; 0]);
    assert_eq!((talk.last.quiet, talk.last.acted), (Some(Quiet::Fetch), false));
    assert_eq!(talk.last.warnings.len(), 1);
    assert!(
        talk.trace
            .iter()
            .any(|(_, verdict)| matches!(verdict, Verdict::Quiet { brake: Quiet::Fetch, .. }))
    );
}

#[test]
fn a_failure_ends_the_search_also_with_continue() {
    let rules = r#"
        [[rule]]
        exact = "a"
        fetch = { url = "https://a.example/1", take = { x = "text" } }
        reply = "1 {x}"
        continue = true
        [[rule]]
        exact = "a"
        fetch = { url = "https://a.example/2?x={user.n}", take = { x = "text" } }
        set = { n = "{x}" }
        reply = "2 {x} {user.n}"
        continue = true
        [[rule]]
        exact = "a"
        fetch = { url = "https://a.example/3?x={user.n}", take = { x = "text" } }
        reply = "3 {x}"
    "#;
    let mut talk = Talk::with(rules);
    talk.answers("GET https://a.example/1", 200, "one");
    assert_eq!(talk.say("甲", "a"), ["1 one"]);
    assert_eq!(talk.asked(), ["GET https://a.example/1", "GET https://a.example/2?x="]);
    talk.answers("GET https://a.example/2?x=", 200, "two");
    talk.answers("GET https://a.example/3?x=two", 200, "three");
    assert_eq!(talk.say("甲", "a"), ["1 one", "2 two two", "3 three"]);
    assert_eq!(talk.asked().len(), 3, "a later request uses what an earlier rule set");
}

#[test]
fn a_message_has_three_requests() {
    let one = "[[rule]]\nexact = \"a\"\nfetch = { url = \"https://a.example/\", take = { x = \"text\" } }\nreply = \"{x}\"\ncontinue = true\n";
    let mut talk = Talk::with(&one.repeat(4));
    talk.answers("GET https://a.example/", 200, "x");
    assert_eq!(talk.say("甲", "a"), ["x", "x", "x"]);
    assert_eq!(talk.asked().len(), 1, "equal requests share the answer");
    assert_eq!(talk.last.fetch_notes().len(), 4);
    assert_eq!(talk.last.fetch_notes()[3].failure, Some(FetchFailure::TooMany.words()));
}

#[test]
fn conditions_and_brakes_come_before_the_request() {
    let rules = r#"
        [[rule]]
        exact = "a"
        when = { n = ">= 1" }
        fetch = { url = "https://a.example/", take = { x = "text" } }
        reply = "{x}"
    "#;
    let mut talk = Talk::with(rules);
    assert_eq!(talk.say("甲", "a"), [""; 0]);
    assert_eq!(talk.asked(), [""; 0]);
}

#[test]
fn a_request_waits_for_the_values_of_its_names() {
    let rules = r#"
        [[rule]]
        exact = "a"
        set = { points = "5" }
        reply = "ok"
        [[rule]]
        exact = "b"
        fetch = { url = "https://a.example/{count:points}", take = { x = "text" } }
        reply = "{x}"
    "#;
    let mut talk = Talk::with(rules);
    talk.answers("GET https://a.example/1", 200, "one");
    talk.say("群/甲", "a");
    assert_eq!(talk.say("群/乙", "b"), ["one"]);
    assert_eq!(talk.asked(), ["GET https://a.example/1"]);
}

#[test]
fn another_sentence_may_be_answered_by_a_request() {
    let rules = r#"
        [[rule]]
        exact = "北京呢"
        set = { n = "1" }
        answer_as = "天气 北京"
    "#;
    let mut talk = Talk::with(&format!("{rules}{WEATHER}"));
    assert_eq!(talk.say("甲", "北京呢"), ["查不到 北京，稍后再试。"]);
    assert_eq!(talk.value("甲", "n"), None, "the rule did nothing, as beside a brake");
    assert_eq!(talk.say("甲", "北京呢"), [""; 0], "the cooldown has started");
    talk.pass(61);
    talk.answers(BEIJING, 200, r#"{"now": {"temp": 3}}"#);
    assert_eq!(talk.say("甲", "北京呢"), ["北京：，3°C"]);
    assert_eq!(talk.value("甲", "n").as_deref(), Some("1"));
    // The same without a reply.
    let silent =
        WEATHER.replace("fetch_reply", "limit_reply").replacen("limit_reply = \"够了\"", "", 1);
    let mut talk = Talk::with(&format!("{rules}{silent}"));
    assert_eq!(talk.say("甲", "北京呢"), [""; 0]);
    assert_eq!(talk.last.quiet, Some(Quiet::Fetch));
    talk.say("甲", "北京呢");
    assert_eq!(talk.last.quiet, Some(Quiet::Cooldown), "it has started all the same");
}

#[test]
fn a_dialog_asks_after_its_last_answer() {
    let rules = r#"
        [[dialog]]
        id = "order"
        start = "下单"
        [[dialog.step]]
        ask = "几个？"
        save = "n"
        [dialog.done]
        fetch = { url = "https://a.example/order", body = { count = "{n}", who = "{sender}" }, take = { no = "/no" } }
        reply = "单号 {no}"
        save_to = "orders.csv"
        fetch_reply = "{n} 个没有下成"
    "#;
    let mut talk = Talk::with(rules);
    let order = "POST https://a.example/order";
    talk.say("甲", "下单");
    assert_eq!(talk.say("甲", "2"), ["2 个没有下成"]);
    let Some(FetchBody::Json(body)) = &talk.asked[0].body else { panic!("{:?}", talk.asked) };
    assert_eq!(body.to_string(), r#"{"count":"2","who":"甲"}"#);
    talk.answers(order, 201, r#"{"no": "A1"}"#);
    // The dialog has ended, and begins anew.
    assert_eq!(talk.say("甲", "下单"), ["几个？"]);
    let lines = talk.say("甲", "3");
    assert_eq!(lines[0], "单号 A1");
    assert!(lines[1].contains('3') && lines[1].contains("A1"), "{lines:?}");
}

#[test]
fn a_schedule_asks_in_each_of_its_chats() {
    let rules = r#"
        [[schedule]]
        at = "13:00"
        to = "*"
        fetch = { url = "https://a.example/{group}", take = { x = "text" } }
        send = "{group}：{x}"
        fetch_reply = "没有消息"
    "#;
    let mut talk = Talk::with(rules);
    talk.knows("一群");
    talk.knows("二群");
    talk.answers("GET https://a.example/%E4%B8%80%E7%BE%A4", 200, "one");
    talk.happens(mynah_core::EventBody::Started);
    let said = talk.pass(3_600);
    assert!(said.iter().any(|line| line.contains("一群：one")), "{said:?}");
    assert!(said.iter().any(|line| line.contains("没有消息")), "{said:?}");
}

#[test]
fn beside_do_the_request_comes_first() {
    let rules = r#"
        [[rule]]
        exact = "a"
        fetch = { url = "https://a.example/", take = { x = "text" } }
        do = [{ reply = "1 {x}" }, { wait = "5s" }, { reply = "2 {x}" }, { run = "note" }]
    "#;
    let mut talk = Talk::with(rules);
    talk.answers("GET https://a.example/", 200, "X");
    assert_eq!(talk.say("甲", "a"), ["1 X"]);
    assert_eq!(talk.pass(5)[0], "2 X", "later steps keep what was taken");
}

#[test]
fn a_decision_without_data_sends_nothing_and_leaves_the_names_standing() {
    let mut talk = Talk::with(WEATHER);
    let event = talk.event("甲", "天气 北京");
    let decision =
        talk.book.decide(&event, &mynah_core::NoState, &Moment::at(Timestamp::from_secs(0)));
    assert!(decision.lacks.is_empty());
    let mynah_core::Step::Act(planned) = &decision.steps[0] else { panic!("{decision:?}") };
    let mynah_core::Action::Send { content } = &planned.action else { panic!("{planned:?}") };
    assert_eq!(content.plain_text(), "北京：{sky}，{temp}°C");
    assert_eq!(decision.fetch_notes()[0].request, BEIJING);
}

#[test]
fn fetched_text_is_text() {
    let rules = format!(
        "{}{}",
        rule("url = \"https://a.example/\", take = { x = \"text\" }", "{x}"),
        "[[rule]]\nexact = \"秘密\"\nreply = \"不该出现\"\n"
    );
    for text in ["{sender} {user.x} {at}", "秘密", "${PATH} ${KEY}", "@所有人 {x}", "=1+1"] {
        let mut talk = Talk::with(&rules);
        talk.answers("GET https://a.example/", 200, text);
        assert_eq!(talk.say("甲", "问 x"), [text]);
    }
}

#[test]
fn the_words_of_a_person_name_no_secret_and_no_host() {
    let mut talk = Talk::with(&rule("url = \"https://a.example/?q={q}&k=${KEY}\"", "好"));
    talk.say("甲", "问 ${KEY}");
    talk.say("甲", "问 @evil.example/");
    let asked: Vec<_> = talk.asked.iter().map(|request| request.url.clone()).collect();
    assert_eq!(asked[0].secrets().collect::<Vec<_>>(), ["KEY"], "once: the one of the author");
    assert_eq!(
        talk.asked(),
        [
            "GET https://a.example/?q=%24%7BKEY%7D&k=${KEY}",
            "GET https://a.example/?q=%40evil.example%2F&k=${KEY}"
        ]
    );
}

#[test]
fn a_warning_shows_no_words_of_a_person() {
    for (url, shown) in [
        ("http://h.example/u/{q}/x?k={q}", "GET http://h.example/u/…"),
        ("http://h.example/u/天-{q}", "GET http://h.example/u/%E5%A4%A9-…"),
        ("http://h.example/u?k={q}", "GET http://h.example/u?…"),
        ("http://h.example/u", "GET http://h.example/u"),
        ("http://h.example/${KEY}/{q}", "GET http://h.example/…"),
    ] {
        let mut talk = Talk::with(&rule(&format!("url = \"{url}\""), "好"));
        talk.say("甲", "问 mysecret");
        let [warning] = talk.last.warnings.as_slice() else { panic!("{:?}", talk.last) };
        assert_eq!(
            warning.en,
            format!("the request {shown} failed: no answer within the time-out")
        );
        assert!(!warning.zh.contains("mysecret"), "{}", warning.zh);
        // The author sees all of it in `explain`.
        assert_eq!(talk.last.fetch_notes()[0].request.contains("mysecret"), url.contains("{q}"));
    }
    // Refused before it is sent.
    let mut talk = Talk::with(&rule("url = \"http://h.example/u/{q}/x\"", "好"));
    talk.say("甲", &format!("问 {}", "x".repeat(8_000)));
    let words = "the request GET http://h.example failed: the address is too long";
    assert_eq!(talk.last.warnings[0].en, words);
}

#[test]
fn a_file_made_to_steal_is_refused_line_by_line() {
    let fetch = |fetch: &str| rule(fetch, "ok");
    let url = |url: &str| fetch(&format!("url = \"{url}\""));
    let take = |take: &str| fetch(&format!("url = \"https://a.example/\", take = {{ {take} }}"));
    for (text, words) in [
        // Secrets of the environment in an answer.
        ("[[rule]]\nexact = \"a\"\nreply = \"${PATH}\"\n".to_owned(), "{PATH} is unknown here"),
        ("[[rule]]\nexact = \"a\"\nfetch = { url = \"https://a.example/\" }\nfetch_reply = \"${KEY}\"\nreply = \"x\"\n".to_owned(), "{KEY} is unknown here"),
        // The host comes from a message.
        (url("https://{q}/x"), "the host is fixed"),
        (url("https://a.example{q}"), "the host is fixed"),
        (url("https://a.example:{q}/"), "the host is fixed"),
        (url("{q}"), "is not an address"),
        (url("https://${KEY}.example/"), "the host is fixed"),
        (url("https://a.example@evil.example/"), "no user name"),
        (url("file:///etc/passwd"), "is not an address"),
        (url("https://a.example/#{q}"), "is not sent"),
        (url("https://a.example/x/../y"), "path is . or .."),
        (url(&format!("https://a.example/{}", "x".repeat(8_000))), "too long: at most 8000"),
        (url("https://api.example.com:99999/{q}"), "the port \"99999\" is not a number"),
        (url("https://api.example.com:/x"), "the port \"\" is not a number"),
        (url("https://a\\t.example/x"), "\"a\\t.example\" is not a host"),
        // The text of a person completes a byte.
        (url("https://a.example/u/%{q}/public"), "% needs two hex digits"),
        (url("https://a.example/%2{q}"), "% needs two hex digits"),
        (url("https://a.example/%zz"), "% needs two hex digits"),
        (url("https://a.example/%2"), "% needs two hex digits"),
        (fetch("url = \"https://a.example/\", headers = { Content-Type = \"application/x-www-form-urlencoded\" }, body = \"q=%{q}\""), "% needs two hex digits"),
        (url("https://a.example/?k=${q}"), "is a secret, and {q} a capture"),
        (url("https://a.example/?k={x}"), "{x} is unknown here"),
        // A taken text as another sentence, or under the name of something built in.
        (rule("url = \"https://a.example/\", take = { x = \"text\" }", "ok") + "answer_as = \"{x}\"\n", "{x} is unknown here"),
        (rule("url = \"https://a.example/\", take = { x = \"text\" }", "ok") + "answer_as = \"{q}\"\n", "answer_as"),
        (take("text = \"/x\""), "text"),
        (take("time = \"/x\""), "time"),
        (take("q = \"/x\""), "{q} is a capture already"),
        (take("x = \"$.x\""), "is not a JSON pointer"),
        (rule("url = \"https://a.example/\", take = { x = \"text\" }", "ok") + "fetch_reply = \"{x}\"\n", "{x} is unknown here"),
        // Headers of the connection.
        (fetch("url = \"https://a.example/\", headers = { Host = \"evil.example\" }"), "sets the header Host"),
        (fetch("url = \"https://a.example/\", headers = { X = \"a\\r\\nHost: evil\" }"), "line break"),
        (fetch("url = \"https://a.example/\", headers = { \"X: Y\" = \"a\" }"), "not the name of a header"),
        // A message changes the JSON.
        (fetch("url = \"https://a.example/\", body = '{\"q\": \"{q}\"}'"), "can change the JSON"),
        (fetch("url = \"https://a.example/\", headers = { Content-Type = \"application/json\" }, body = \"{q}\""), "can change the JSON"),
        (fetch("url = \"https://a.example/\", method = \"GET\", body = \"x\""), "has no body"),
        (fetch("url = \"https://a.example/\", timeout = \"1h\""), "waits at most 30s"),
        (fetch("url = \"https://a.example/\", status = \"2xx\""), "not a list of statuses"),
        ("[[rule]]\nexact = \"a\"\ndo = [{ fetch = { url = \"https://a.example/\" } }]\n".to_owned(), "fetch"),
        ("[[rule]]\nexact = \"a\"\nreply = \"x\"\nfetch_reply = \"y\"\n".to_owned(), "fetch_reply without fetch"),
    ] {
        let found = errors(&text);
        assert!(found.iter().any(|one| one.contains(words)), "{text}\nexpected {words}: {found:#?}");
    }
    assert_eq!(errors(WEATHER), [""; 0]);
}

#[test]
fn a_picture_may_be_at_a_public_address() {
    let rules = r#"
        [[rule]]
        exact = "猫"
        image = "https://pics.example.com/cat.jpg?x=1"
        [[rule]]
        exact = "狗"
        fetch = { url = "https://a.example/", take = { pic = "/url" } }
        image = "{pic}"
    "#;
    let mut talk = Talk::with(rules);
    let address = |talk: &Talk| match talk.last.steps.first() {
        Some(mynah_core::Step::Act(planned)) => format!("{:?}", planned.action),
        _ => String::new(),
    };
    talk.say("甲", "猫");
    assert!(
        address(&talk).contains("Url(\"https://pics.example.com/cat.jpg?x=1\")"),
        "{}",
        address(&talk)
    );
    talk.answers("GET https://a.example/", 200, r#"{"url": "https://pics.example.com/dog.jpg"}"#);
    talk.say("甲", "狗");
    assert!(
        address(&talk).contains("Url(\"https://pics.example.com/dog.jpg\")"),
        "{}",
        address(&talk)
    );
    for bad in ["file:///etc/passwd", "/etc/passwd", "https://a b/", ""] {
        let body = serde_json::json!({ "url": bad }).to_string();
        talk.answers("GET https://a.example/", 200, &body);
        assert_eq!(talk.say("甲", "狗"), [""; 0], "{bad}");
        assert_eq!(talk.last.warnings.len(), 1, "{bad}");
    }
    let image = |image: &str| {
        let fetch = "fetch = { url = \"https://a.example/\", take = { pic = \"/url\" } }";
        errors(&format!("[[rule]]\npattern = \"图 {{q}}\"\n{fetch}\nimage = \"{image}\"\n"))
    };
    for (bad, words) in [
        ("https://a.example/{pic}", "neither fixed nor exactly one taken name"),
        ("{q}", "neither fixed nor exactly one taken name"),
        ("ftp://a.example/x.png", "is not an address"),
    ] {
        let found = image(bad);
        assert!(found.iter().any(|one| one.contains(words)), "{bad}: {found:?}");
    }
    assert_eq!(image("{pic}"), [""; 0]);
}

#[test]
fn a_picture_at_a_private_host_is_judged_by_the_settings() {
    let picture = |url: &str| format!("[[rule]]\nexact = \"a\"\nimage = \"{url}\"\n");
    let errors_by = |url: &str| {
        let all = diagnostics_by(&picture(url), &Settings).into_iter();
        all.filter(|one| one.is_error()).collect::<Vec<_>>()
    };
    for good in ["http://127.0.0.1:8000/pic", "https://pics.example.com/pic"] {
        assert!(errors_by(good).is_empty(), "{good}: {:?}", errors_by(good));
    }
    let found = errors_by("http://127.0.0.1:8001/pic");
    let [error] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(error.message(Lang::En), "127.0.0.1:8001 is not on the public internet");
    let hint = error.hint(Lang::En).unwrap_or_default();
    assert!(hint.ends_with("[fetch] private = [\"127.0.0.1:8001\"]"), "{hint}");
    // Nothing is known of the settings: the client decides when it fetches.
    assert_eq!(errors(&picture("http://127.0.0.1:8001/pic")), [""; 0]);
}

#[test]
fn a_secret_inside_of_a_name_is_an_error_and_drops_nothing() {
    let fetch = |part: &str| rule(&format!("url = \"https://a.example/\", {part}"), "ok");
    for text in [
        fetch("headers = { Authorization = \"Bearer {user.k|${SEC}}\" }"),
        fetch("body = { q = \"{user.k|${SEC}}\" }"),
        fetch("body = { q = [\"{user.k|${SEC}}\"] }"),
        fetch("body = \"{user.k|${SEC}}\""),
        rule("url = \"http://evil.example/{random:a|${SEC}}\"", "ok"),
        rule("url = \"https://a.example/{${SEC}|b}\"", "ok"),
        rule("url = \"https://a.example/{upper:${SEC}}\"", "ok"),
    ] {
        let found = errors(&text);
        let [error] = found.as_slice() else { panic!("{text}: {found:?}") };
        let words = "the secret ${SEC} is inside of the braces of a name / ";
        assert!(error.starts_with(words), "{text}: {error}");
    }
}

#[test]
fn an_address_in_place_of_the_table_gets_the_table_as_hint() {
    let found =
        diagnostics("[[rule]]\nexact = \"a\"\nfetch = \"https://a.example/\"\nreply = \"b\"\n");
    let hints: Vec<_> =
        found.iter().filter(|one| one.is_error()).filter_map(|one| one.hint(Lang::En)).collect();
    assert_eq!(hints, ["fetch = { url = \"https://…\" }"]);
}

#[test]
fn a_rule_that_asks_shadows_as_others_do() {
    let warnings = |text: &str| {
        let all = diagnostics(text);
        all.iter().filter(|one| one.code == "never-fires").count()
    };
    let first =
        "[[rule]]\nkeyword = \"天气\"\nfetch = { url = \"https://a.example/\" }\nreply = \"a\"\n";
    let second = "[[rule]]\nkeyword = \"天气预报\"\nreply = \"b\"\n";
    assert_eq!(
        warnings(&format!("{first}{second}")),
        1,
        "with or without an answer, the search ends"
    );
    assert_eq!(
        warnings(&format!("{first}continue = true\n{second}")),
        0,
        "an answered one goes on"
    );
}

#[test]
fn the_hosts_that_a_bot_asks_are_known() {
    let others = r#"
        [[rule]]
        exact = "b"
        off = true
        fetch = { url = "https://off.example/" }
        [[dialog]]
        id = "d"
        start = "d"
        [[dialog.step]]
        ask = "?"
        [dialog.done]
        fetch = { url = "http://Dialog.example:8080?x=1" }
        [[schedule]]
        at = "13:00"
        to = "*"
        send = "x"
        fetch = { url = "https://schedule.example" }
    "#;
    let book = super::test_book::book(&format!("{WEATHER}{others}"));
    let asks: Vec<_> = book.asks().into_iter().collect();
    assert_eq!(asks, ["api.example.com", "dialog.example:8080", "schedule.example"]);
}
