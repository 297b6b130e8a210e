//! The long poll, sync keys, and ended sessions.

use std::time::{Duration, Instant};

use mynah_sandbox::Options;
use serde_json::{Value, json};

use super::{client::Client, quick, story};

const QUIET: &str = "window.synccheck={retcode:\"0\",selector:\"0\"}";
const NEWS: &str = "window.synccheck={retcode:\"0\",selector:\"2\"}";

fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().filter_map(|message| message["Content"].as_str()).collect()
}

#[tokio::test]
async fn the_poll_is_held_until_something_happens() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let before = Instant::now();
        assert_eq!(client.check().await, QUIET);
        assert!(before.elapsed() >= Duration::from_millis(200), "held for the whole time");
        sandbox.say("小红", None, "在吗");
        assert_eq!(client.check().await, NEWS);
        assert_eq!(client.check().await, NEWS, "until the key moves on");
        client.sync().await;
        assert_eq!(client.check().await, QUIET);
    })
    .await;
}

#[tokio::test]
async fn a_held_poll_reports_a_message_at_once() {
    story(Options { hold: Duration::from_secs(15), ..quick() }, async |sandbox| {
        let client = Client::online(&sandbox).await;
        let say = async { sandbox.say("小红", Some("水果店客户群"), "苹果多少钱") };
        let (answer, _) = tokio::join!(client.check(), say);
        assert_eq!(answer, NEWS);
    })
    .await;
}

#[tokio::test]
async fn keys_advance_and_old_keys_return_the_same_entries() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let first = client.key.clone();
        sandbox.say("小红", None, "一");
        let one = client.messages().await;
        assert_ne!(client.key, first);
        let second = client.key.clone();
        sandbox.say("小红", None, "二");
        let two = client.messages().await;
        assert_eq!((texts(&one), texts(&two)), (vec!["一"], vec!["二"]));
        client.key = second;
        assert_eq!(client.messages().await, two);
        client.key = first;
        assert_eq!(client.messages().await, [one, two].concat());
    })
    .await;
}

#[tokio::test]
async fn many_entries_are_delivered_in_batches() {
    story(Options { sync_batch: 2, ..quick() }, async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        for number in 0..5 {
            sandbox.say("小红", None, &number.to_string());
        }
        let answer = client.sync().await;
        assert_eq!((&answer["AddMsgCount"], &answer["ContinueFlag"]), (&json!(2), &json!(1)));
        assert_eq!(client.check().await, NEWS);
        assert_eq!(texts(&client.messages().await), ["2", "3", "4"]);
    })
    .await;
}

#[tokio::test]
async fn messages_before_the_first_login_are_dropped_and_later_ones_kept() {
    story(quick(), async |sandbox| {
        sandbox.say("小红", None, "太早");
        let mut client = Client::of(&sandbox);
        client.log_in().await;
        sandbox.say("小红", None, "登录后");
        client.init().await;
        assert_eq!(texts(&client.messages().await), ["登录后"]);
        sandbox.say("小红", None, "没读");
        assert!(sandbox.login_logout());
        sandbox.say("小红", None, "不在");
        client.log_in().await;
        client.init().await;
        assert_eq!(texts(&client.messages().await), ["没读", "不在"]);
    })
    .await;
}

#[tokio::test]
async fn a_client_that_continues_with_the_key_of_a_later_init_misses_messages() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        sandbox.say("小红", None, "一");
        client.messages().await;
        let own = client.key.clone();
        sandbox.say("小红", None, "二");
        client.init().await;
        assert!(client.messages().await.is_empty());
        client.key = own;
        assert_eq!(texts(&client.messages().await), ["二"]);
    })
    .await;
}

#[tokio::test]
async fn the_first_status_notification_lists_the_conversations() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let body = client.body(json!({ "Code": 3, "FromUserName": client.me, "ToUserName": client.me, "ClientMsgId": 1 }));
        for _ in 0..2 {
            let answer = client.post("webwxstatusnotify?lang=zh_CN", &body).await;
            assert_eq!(answer["BaseResponse"]["Ret"], 0);
            assert!(answer["MsgID"].as_str().is_some_and(|id| id.len() == 19));
        }
        let answer = client.sync().await;
        let list = answer["AddMsgList"].as_array().expect("a list");
        assert_eq!(list.len(), 1, "once, however often it is reported");
        assert_eq!((&list[0]["MsgType"], &list[0]["StatusNotifyCode"]), (&json!(51), &json!(4)));
        let names: Vec<_> = list[0]["StatusNotifyUserName"].as_str().expect("names").split(',').collect();
        assert_eq!(names[0], "filehelper");
        assert!(names.iter().filter(|name| name.starts_with("@@")).count() == 3);
        let ids = list[0]["Content"].as_str().expect("a content");
        assert!(ids.starts_with("&lt;msg&gt;<br/>&lt;op id='4'&gt;"), "{ids}");
        let (_, rest) = ids.split_once("&lt;username&gt;").expect("ids");
        assert_eq!(rest.split_once("&lt;").expect("an end").0.split(',').count(), names.len());
    })
    .await;
}

#[tokio::test]
async fn ended_sessions_report_why() {
    let calls =
        ["webwxinit", "webwxsync", "webwxsendmsg", "webwxbatchgetcontact", "webwxstatusnotify"];
    story(quick(), async |sandbox| {
        for code in [1100, 1101, 1102] {
            let client = Client::online(&sandbox).await;
            assert!(sandbox.end_session(code));
            let expected = format!("window.synccheck={{retcode:\"{code}\",selector:\"0\"}}");
            assert_eq!(client.check().await, expected);
            for call in calls {
                let answer = client.post(call, &client.body(json!({}))).await;
                assert_eq!(answer["BaseResponse"]["Ret"], code, "{call}");
            }
        }
        let old = Client::online(&sandbox).await;
        Client::online(&sandbox).await;
        assert!(old.check().await.contains("1101"), "another login ends the first");
    })
    .await;
}

#[tokio::test]
async fn without_a_session_every_call_fails_with_all_fields() {
    story(quick(), async |sandbox| {
        let client = Client::of(&sandbox);
        let check = client.get("/cgi-bin/mmwebwx-bin/synccheck?synckey=1_2").await.text();
        assert_eq!(check, "window.synccheck={retcode:\"1102\",selector:\"0\"}");
        let answer = client.post("webwxsync", &json!({})).await;
        assert_eq!(answer["BaseResponse"]["Ret"], 1100);
        assert_eq!(answer["SyncKey"], json!({ "Count": 0, "List": [] }));
        assert_eq!(answer["AddMsgList"], json!([]));
        let answer = client.post("webwxinit", &json!(null)).await;
        assert_eq!(
            (&answer["BaseResponse"]["Ret"], &answer["User"]["UserName"]),
            (&json!(1100), &json!(""))
        );
        let wrong = json!({ "BaseRequest": { "Sid": "AAAA", "Uin": 1 } });
        assert_eq!(client.post("webwxinit", &wrong).await["BaseResponse"]["Ret"], 1102);
    })
    .await;
}

#[tokio::test]
async fn a_session_is_recognised_by_cookie_body_or_query() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let bare = Client { cookies: Default::default(), ..client.clone() };
        let sid = client.sid.replace('+', "%2B");
        let query = format!(
            "/cgi-bin/mmwebwx-bin/synccheck?sid={sid}&uin={}&synckey={}",
            client.uin,
            client.key_text()
        );
        assert_eq!(bare.get(&query).await.text(), QUIET);
        for uin in
            [json!(client.uin), json!(client.uin.parse::<u32>().expect("a number")), json!(null)]
        {
            let body = json!({ "BaseRequest": { "Uin": uin, "Sid": client.sid, "Skey": "" } });
            assert_eq!(bare.post("webwxinit", &body).await["BaseResponse"]["Ret"], 0, "{uin}");
        }
        assert_eq!(
            client.post("webwxinit", &json!({})).await["BaseResponse"]["Ret"],
            0,
            "by cookies alone"
        );
        let other = json!({ "BaseRequest": { "Uin": 7, "Sid": client.sid } });
        assert_eq!(
            bare.post("webwxinit", &other).await["BaseResponse"]["Ret"],
            1102,
            "another account"
        );
    })
    .await;
}

#[tokio::test]
async fn logging_out_answers_before_the_held_poll_ends() {
    story(Options { hold: Duration::from_secs(15), ..quick() }, async |sandbox| {
        let client = Client::online(&sandbox).await;
        let mut events = sandbox.events();
        let poll = client.check();
        let log_out = async {
            // Two round trips on other connections: the poll is held by then.
            client.get("/").await;
            client.get("/").await;
            let answer = client
                .try_post("webwxlogout?redirect=1&type=1", &json!(null))
                .await
                .expect("an answer");
            (answer, Instant::now())
        };
        let polled = async { (poll.await, Instant::now()) };
        let ((check, later), (answer, first)) = tokio::join!(polled, log_out);
        assert_eq!(answer.json()["BaseResponse"]["Ret"], 0);
        assert!(check.contains("retcode:\"1100\"") && first < later, "{check}");
        assert!(!sandbox.is_online());
        while events.recv().await.is_ok_and(|event| !format!("{event:?}").contains("offline")) {}
    })
    .await;
}

#[tokio::test]
async fn answers_of_sync_renew_the_cookies() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let first = client.cookies["webwx_data_ticket"].clone();
        let sync = client.body(json!({ "SyncKey": client.key }));
        let renewed = client.try_post("webwxsync", &sync).await.expect("an answer");
        client.keep_cookies(&renewed);
        assert_eq!(client.cookies["wxsid"], client.sid);
        sandbox.advance(Duration::from_secs(3600));
        let renewed = client.try_post("webwxsync", &sync).await.expect("an answer");
        client.keep_cookies(&renewed);
        assert_ne!(client.cookies["webwx_data_ticket"], first);
    })
    .await;
}

#[tokio::test]
async fn changed_people_are_reported_with_selector_4() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        client.control("acts", &json!({ "act": "nickname", "from": "老王", "name": "老汪" })).await;
        assert_eq!(client.check().await, "window.synccheck={retcode:\"0\",selector:\"4\"}");
        let answer = client.sync().await;
        assert_eq!(answer["ModContactCount"], 1);
        assert_eq!(answer["ModContactList"][0]["NickName"], "老汪");
        assert_eq!(answer["ModContactList"][0]["RemarkName"], "王老板");
    })
    .await;
}
