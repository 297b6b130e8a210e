//! Every fault, as a client sees it.

use std::{
    io::ErrorKind,
    time::{Duration, Instant},
};

use mynah_sandbox::{Fault, FaultKind, Options};
use serde_json::{Value, json};

use super::{client::Client, quick, story};

fn ids(answer: &Value) -> Vec<String> {
    answer["AddMsgList"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|it| it["MsgId"].to_string())
        .collect()
}

#[tokio::test]
async fn faults_that_answer_in_place_of_the_call() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let cases: [(FaultKind, Value, u16, &str); 7] = [
            (FaultKind::Status, json!(null), 502, "<!DOCTYPE html>"),
            (FaultKind::Status, json!(503), 503, "<!DOCTYPE html>"),
            (FaultKind::Html, json!(null), 200, "<!DOCTYPE html>"),
            (FaultKind::Empty, json!(null), 200, ""),
            (FaultKind::Garbage, json!(null), 200, "\0"),
            (FaultKind::Body, json!("{\"MediaId\":\"\"}"), 200, "{\"MediaId\":\"\"}"),
            (FaultKind::Retcode, json!(1205), 200, "{\n\"BaseResponse\": {\n\"Ret\": 1205,"),
        ];
        for (kind, value, status, start) in cases {
            sandbox.fault(Fault::new("webwxsendmsg", kind).value(value));
            let message =
                json!({ "Type": 1, "Content": "x", "ToUserName": "filehelper", "ClientMsgId": 1 });
            let answer = client
                .try_post("webwxsendmsg", &client.body(json!({ "Msg": message })))
                .await
                .expect("an answer");
            let body = String::from_utf8_lossy(&answer.body).into_owned();
            assert!(
                answer.status == status && body.starts_with(start),
                "{kind:?}: {} {body}",
                answer.status
            );
        }
        assert!(sandbox.sent().is_empty(), "none of them took effect");
    })
    .await;
}

#[tokio::test]
async fn broken_connections() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let cases: [(FaultKind, Value, bool, ErrorKind); 4] = [
            (FaultKind::Reset, json!(null), false, ErrorKind::ConnectionReset),
            (FaultKind::Reset, json!("body"), true, ErrorKind::ConnectionReset),
            (FaultKind::Cut, json!(null), true, ErrorKind::UnexpectedEof),
            (FaultKind::Lost, json!(null), true, ErrorKind::ConnectionReset),
        ];
        for (number, (kind, value, effect, expected)) in (1..).zip(cases) {
            let before = sandbox.sent().len();
            sandbox.fault(Fault::new("webwxsendmsg", kind).value(value.clone()));
            let message = json!({ "Type": 1, "Content": "x", "ToUserName": "filehelper", "ClientMsgId": number });
            let error = client.try_post("webwxsendmsg", &client.body(json!({ "Msg": message }))).await.expect_err("broken");
            assert_eq!(error.kind(), expected, "{kind:?} {value}");
            assert_eq!(sandbox.sent().len() > before, effect, "{kind:?} {value}");
        }
        let statuses: Vec<_> =
            sandbox.calls().into_iter().filter(|call| call.path.ends_with("sendmsg")).map(|call| call.status).collect();
        assert_eq!(statuses, [0, 200, 200, 0]);
    })
    .await;
}

#[tokio::test]
async fn late_and_slow_answers() {
    story(quick(), async |sandbox| {
        let client = Client::of(&sandbox);
        for (kind, value, least) in [
            (FaultKind::Delay, json!(0.15), 150),
            (FaultKind::Delay, json!("120ms"), 120),
            (FaultKind::Slow, json!("20ms"), 140),
        ] {
            sandbox.fault(Fault::new("jslogin", kind).value(value));
            let before = Instant::now();
            client.new_code().await;
            assert!(before.elapsed() >= Duration::from_millis(least), "{kind:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_hanging_call_ends_with_the_sandbox() {
    let sandbox = mynah_sandbox::Sandbox::start(quick()).await.expect("a free port");
    sandbox.fault(Fault::new("jslogin", FaultKind::Hang));
    let client = Client::of(&sandbox);
    let mut calls = sandbox.events();
    let hanging = tokio::spawn(async move { client.try_get("/jslogin").await });
    while sandbox.calls().is_empty() && !hanging.is_finished() {
        // The call is in progress as soon as its fault is used up.
        if control_faults(&sandbox).await == 0 {
            break;
        }
    }
    sandbox.stop().await;
    assert!(hanging.await.expect("no panic").is_err());
    assert!(calls.try_recv().is_ok());
}

async fn control_faults(sandbox: &mynah_sandbox::Sandbox) -> usize {
    let listed = Client::of(sandbox).get("/sandbox/faults").await.json();
    listed["faults"].as_array().expect("a list").len()
}

#[tokio::test]
async fn codes_in_the_form_of_each_endpoint() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        for (name, path, text) in [
            (
                "synccheck",
                "/cgi-bin/mmwebwx-bin/synccheck",
                "window.synccheck={retcode:\"1102\",selector:\"0\"}",
            ),
            ("login", "/cgi-bin/mmwebwx-bin/login", "window.code=1102;"),
            ("jslogin", "/jslogin", "window.QRLogin.code = 1102; window.QRLogin.uuid = \"\";"),
        ] {
            sandbox.fault(Fault::new(name, FaultKind::Retcode).value(1102));
            assert_eq!(client.get(path).await.text(), text);
        }
        sandbox.fault(Fault::new("webwxnewloginpage", FaultKind::Retcode).value(1203));
        let page = client.get("/cgi-bin/mmwebwx-bin/webwxnewloginpage?fun=new").await.text();
        assert!(page.starts_with("<error><ret>1203</ret><message>"), "{page}");
        for call in [
            "webwxinit",
            "webwxsync",
            "webwxgetcontact",
            "webwxbatchgetcontact",
            "webwxuploadmedia",
            "webwxoplog",
        ] {
            sandbox.fault(Fault::new(call, FaultKind::Retcode).value(1101));
            let failed = client.post(call, &json!({})).await;
            assert_eq!(failed["BaseResponse"], json!({ "Ret": 1101, "ErrMsg": "" }), "{call}");
        }
        assert_eq!(
            client.check().await,
            "window.synccheck={retcode:\"0\",selector:\"0\"}",
            "the session lives on"
        );
    })
    .await;
}

#[tokio::test]
async fn selectors_and_expired_codes() {
    story(Options { hold: Duration::from_secs(15), ..quick() }, async |sandbox| {
        let client = Client::online(&sandbox).await;
        sandbox.fault(Fault::new("synccheck", FaultKind::Selector).value(3));
        assert_eq!(client.check().await, "window.synccheck={retcode:\"0\",selector:\"3\"}");
        sandbox.fault(Fault::new("login", FaultKind::Expired));
        let uuid = client.new_code().await;
        assert_eq!(client.poll(&uuid, 0).await, "window.code=400;");
    })
    .await;
}

#[tokio::test]
async fn wrong_missing_and_null_fields() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let key = client.key.clone();
        let mut sync = async |fault: Fault| {
            sandbox.fault(fault);
            client.key = key.clone();
            client.sync().await
        };
        let fault = |kind| Fault::new("webwxsync", kind);
        let types = sync(fault(FaultKind::Types)).await;
        assert_eq!((&types["AddMsgCount"], &types["SyncKey"]["Count"]), (&json!("0"), &json!("4")));
        let named = sync(fault(FaultKind::Types).value(json!(["ContinueFlag"]))).await;
        assert_eq!((&named["ContinueFlag"], &named["AddMsgCount"]), (&json!("0"), &json!(0)));
        let missing = sync(fault(FaultKind::Missing)).await;
        assert_eq!(missing, json!({ "BaseResponse": { "Ret": 0, "ErrMsg": "" } }));
        let named = sync(fault(FaultKind::Missing).value("SyncCheckKey")).await;
        assert!(named.get("SyncCheckKey").is_none() && named["SyncKey"].is_object());
        let null = sync(fault(FaultKind::Null)).await;
        assert!(null["AddMsgList"].is_null() && null.get("AddMsgList").is_some());
    })
    .await;
}

#[tokio::test]
async fn broken_characters() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        sandbox.fault(Fault::new("webwxgetcontact", FaultKind::Utf8));
        let answer = client.get("/cgi-bin/mmwebwx-bin/webwxgetcontact").await;
        assert!(std::str::from_utf8(&answer.body).is_err());
        let lossy: Value =
            serde_json::from_str(&String::from_utf8_lossy(&answer.body)).expect("still JSON");
        assert_eq!(lossy["BaseResponse"]["Ret"], 0);
    })
    .await;
}

#[tokio::test]
async fn repeated_messages() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        sandbox.say("小红", None, "一");
        sandbox.say("小红", None, "二");
        sandbox.fault(Fault::new("webwxsync", FaultKind::Duplicate));
        let doubled = ids(&client.sync().await);
        assert_eq!(doubled.len(), 4);
        assert!(doubled[0] == doubled[1] && doubled[2] == doubled[3] && doubled[1] != doubled[2]);
        for (value, expected) in [
            (json!(1), &doubled[2..3]),
            (json!(null), &[doubled[0].clone(), doubled[2].clone()][..]),
        ] {
            sandbox.fault(Fault::new("webwxsync", FaultKind::Redeliver).value(value));
            assert_eq!(ids(&client.sync().await), expected);
        }
        assert!(ids(&client.sync().await).is_empty(), "the key is the newest again");
        sandbox.say("小红", None, "三");
        sandbox.fault(Fault::new("webwxsync", FaultKind::StaleKey));
        let first = ids(&client.sync().await);
        assert_eq!((first.len(), &ids(&client.sync().await)), (1, &first));
        assert!(ids(&client.sync().await).is_empty());
    })
    .await;
}

#[tokio::test]
async fn a_send_that_is_carried_out_twice_counts_once() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        sandbox.fault(Fault::new("webwxsendmsg", FaultKind::Duplicate));
        assert_eq!(client.send("filehelper", "x", 1).await["BaseResponse"]["Ret"], 0);
        assert_eq!(sandbox.sent().len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_throttled_send_is_acknowledged_and_vanishes() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let friend = client.name_of("小红").await;
        sandbox.fault(Fault::new("webwxsendmsg", FaultKind::Throttled));
        let answer = client.send(&friend, "x", 1).await;
        assert!(
            answer["BaseResponse"]["Ret"] == 0
                && answer["MsgID"].as_str().is_some_and(|id| !id.is_empty())
        );
        assert!(sandbox.sent().is_empty());
        let line = client.messages().await.remove(0);
        assert_eq!(
            (&line["MsgType"], &line["Content"]),
            (&json!(10_000), &json!("发送消息过于频繁，可稍后再试。"))
        );
        assert_eq!(line["FromUserName"], friend);
    })
    .await;
}

#[tokio::test]
async fn faults_through_the_control_api() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let fault = json!({ "path": "webwxinit", "fault": "status", "value": 502, "times": 3 });
        assert_eq!(client.control("faults", &fault).await, json!({ "ok": true }));
        assert_eq!(client.try_post("webwxinit", &json!({})).await.expect("an answer").status, 502);
        assert_eq!(client.get("/sandbox/faults").await.json()["faults"][0]["times"], 2);
        let path = "DELETE /sandbox/faults";
        let cleared = super::client::request(&client.address, path, &[], b"").await.expect("an answer");
        assert_eq!(cleared.json(), json!({ "ok": true }));
        assert_eq!(client.post("webwxinit", &json!({})).await["BaseResponse"]["Ret"], 0);
        let list = json!([{ "path": "*", "fault": "html", "times": 0 }, { "path": "*", "fault": "empty", "after": 1 }]);
        client.control("faults", &list).await;
        assert_eq!(client.get("/sandbox/faults").await.json()["faults"][0]["times"], json!(null));
        for wrong in [json!({ "path": "x" }), json!({ "path": "x", "fault": "strange" }), json!([1])] {
            assert_eq!(client.control("faults", &wrong).await["ok"], false, "{wrong}");
        }
    })
    .await;
}
