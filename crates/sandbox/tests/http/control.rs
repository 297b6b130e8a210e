//! The calls of the control API, and the requests that it refuses.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use mynah_sandbox::{Options, SandboxEvent};

use super::{
    client::{Client, request},
    quick, story,
};

#[tokio::test]
async fn only_the_own_address_is_let_in() {
    story(quick(), async |sandbox| {
        let address = sandbox.url().trim_start_matches("http://").to_owned();
        let port = address.rsplit(':').next().expect("a port");
        let (localhost, own) = (format!("localhost:{port}"), format!("http://{address}"));
        for (headers, status) in [
            (vec![], 200),
            (vec![("Host", localhost.as_str())], 200),
            (vec![("Origin", own.as_str())], 200),
            (vec![("Host", "wx.qq.com")], 403),
            (vec![("Host", "127.0.0.1")], 403),
            (vec![("Host", "evil.example:80")], 403),
            (vec![("Origin", "http://evil.example")], 403),
            (vec![("Origin", "null")], 403),
            (vec![("Origin", "https://127.0.0.1")], 403),
        ] {
            let answer =
                request(&address, "GET /sandbox/sent", &headers, b"").await.expect("an answer");
            assert_eq!(answer.status, status, "{headers:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_documented_control_calls() {
    story(Options { auto_confirm: false, ..quick() }, async |sandbox| {
        let mut client = Client::of(&sandbox);
        let ok = json!({ "ok": true });
        let uuid = client.new_code().await;
        assert_eq!(client.control("login/scan", &json!({})).await, ok);
        assert!(client.poll(&uuid, 1).await.starts_with("window.code=201"));
        assert_eq!(client.control("login/cancel", &json!({})).await, ok);
        assert_eq!(client.poll(&uuid, 0).await, "window.code=202;");
        let phone = client.clone();
        let confirmed = phone.control("login/confirm", &Value::Null);
        let (confirmed, ()) = tokio::join!(confirmed, client.log_in());
        assert_eq!(confirmed, ok, "an empty body is fine");
        client.init().await;
        let saying = json!({ "from": "Alice", "group": "Harness Group", "text": "hi" });
        let said = client.control("messages", &saying).await;
        let message = client.messages().await.remove(0);
        assert_eq!(said["id"], message["MsgId"]);
        let group = message["FromUserName"].as_str().expect("a name");
        client.send(group, "hello", 1).await;
        let sent = client.get("/sandbox/sent").await.json()["messages"][0].clone();
        assert_eq!(
            (&sent["to_name"], &sent["kind"], &sent["text"]),
            (&json!("Harness Group"), &json!("text"), &json!("hello"))
        );
        assert!(sent["time"].as_f64().is_some_and(|time| time > 1.7e9) && sent["to"] == group);
        assert_eq!(client.control("login/logout", &json!({})).await, ok);
        assert!(client.check().await.contains("1100"));
    })
    .await;
}

#[tokio::test]
async fn invalid_control_requests_are_reported() {
    story(quick(), async |sandbox| {
        let client = Client::of(&sandbox);
        for (path, body) in [
            ("messages", json!({ "text": "x" })),
            ("messages", json!({ "from": "", "text": "x" })),
            ("acts", json!({ "act": "dance", "from": "小红" })),
            ("acts", json!({ "act": "leave", "from": "小红" })),
            ("acts", json!({ "act": "picture", "from": "小红", "data": "%" })),
            ("acts", json!({ "act": "quote", "from": "小红", "text": "x", "of": "1" })),
            ("acts", json!({ "act": "say", "from": "小助手", "text": "x" })),
            ("acts", json!({ "act": "say", "text": "x" })),
            ("clock", json!({})),
        ] {
            let answer = client.control(path, &body).await;
            assert_eq!(answer["ok"], false, "{body}");
            assert!(answer["error"].as_str().is_some_and(|error| !error.is_empty()), "{body}");
        }
    })
    .await;
}

#[tokio::test]
async fn the_state_shows_chats_people_and_messages() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let id = sandbox.say("小红", Some("水果店客户群"), "<b>苹果</b>");
        let picture =
            client.control("acts", &json!({ "act": "picture", "from": "Alice" })).await["id"]
                .clone();
        client
            .control(
                "acts",
                &json!({ "act": "recall", "from": "小红", "group": "水果店客户群", "id": id }),
            )
            .await;
        let group = client.name_of("水果店客户群").await;
        let state = client.get("/sandbox/state").await.json();
        let chat = |state: &Value, name: &str| {
            let chats = state["chats"].as_array().expect("chats");
            chats
                .iter()
                .find(|chat| chat["name"] == name)
                .unwrap_or_else(|| panic!("{name}"))
                .clone()
        };
        assert_eq!((&state["online"], &state["me"]["name"]), (&json!(true), &json!("小助手")));
        assert_eq!(state["login"]["state"], "used");
        assert_eq!(chat(&state, "水果店客户群")["unread"], 2);
        assert!(
            state["people"].as_array().expect("people").iter().any(|it| it["remark"] == "王老板")
        );
        let messages = state["messages"].as_array().expect("messages");
        assert_eq!(
            (&messages[0]["text"], &messages[0]["recalled"]),
            (&json!("<b>苹果</b>"), &json!(true))
        );
        assert_eq!(
            messages[1]["media"],
            format!("/sandbox/media/{}", picture.as_str().expect("an id"))
        );
        client.send(&group, "回答", 1).await;
        let only = chat(&state, "水果店客户群")["id"].as_str().expect("an id").to_owned();
        let state = client.get(&format!("/sandbox/state?chat={only}&limit=1")).await.json();
        assert_eq!(
            (&state["messages"][0]["text"], &state["messages"][0]["mine"]),
            (&json!("回答"), &json!(true))
        );
        assert_eq!(
            (
                state["messages"].as_array().expect("a list").len(),
                &chat(&state, "水果店客户群")["unread"]
            ),
            (1, &json!(0))
        );
        assert!(client.get(&format!("/sandbox/picture/{only}")).await.body.starts_with(b"\x89PNG"));
        assert_eq!(client.get("/sandbox/picture/p999").await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn the_clock_moves_messages() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        sandbox.say("小红", None, "一");
        let moved = client.control("clock", &json!({ "advance": 3600 })).await;
        assert!(moved["time"].is_f64());
        sandbox.say("小红", None, "二");
        let times: Vec<_> = client
            .messages()
            .await
            .iter()
            .map(|it| it["CreateTime"].as_u64().expect("a number"))
            .collect();
        assert!((3600..3610).contains(&(times[1] - times[0])), "{times:?}");
    })
    .await;
}

#[tokio::test]
async fn watchers_get_every_event() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let mut stream = TcpStream::connect(&client.address).await.expect("a connection");
        let head = format!("GET /sandbox/events HTTP/1.1\r\nHost: {}\r\n\r\n", client.address);
        stream.write_all(head.as_bytes()).await.expect("a request");
        let mut seen = String::new();
        let mut buffer = [0; 4096];
        // The head of the answer comes as soon as the watcher is listening.
        while !seen.contains("\r\n\r\n") {
            let count = stream.read(&mut buffer).await.expect("bytes");
            seen += &String::from_utf8_lossy(&buffer[..count]);
        }
        assert!(seen.to_ascii_lowercase().contains("text/event-stream"), "{seen}");
        let mut events = sandbox.events();
        sandbox.say("小红", None, "你好");
        client.send("filehelper", "收到", 1).await;
        for wanted in [
            "{\"type\":\"message\",",
            "\"text\":\"你好\"",
            "{\"type\":\"sent\",",
            "{\"type\":\"call\",",
        ] {
            while !seen.contains(wanted) {
                let count = stream.read(&mut buffer).await.expect("bytes");
                assert!(count > 0, "{wanted} in {seen}");
                seen += &String::from_utf8_lossy(&buffer[..count]);
            }
        }
        assert!(
            matches!(events.recv().await, Ok(SandboxEvent::Message { text, .. }) if text == "你好")
        );
    })
    .await;
}

#[tokio::test]
async fn the_log_has_the_calls_of_the_protocol_only() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        client.get("/sandbox/sent").await;
        client.get("/missing").await;
        let calls: Vec<_> = sandbox
            .calls()
            .into_iter()
            .map(|call| format!("{} {} {}", call.method, call.path, call.status))
            .collect();
        let expected = [
            "GET /jslogin 200",
            "GET /cgi-bin/mmwebwx-bin/login 200",
            "GET /cgi-bin/mmwebwx-bin/webwxnewloginpage 200",
            "POST /cgi-bin/mmwebwx-bin/webwxinit 200",
            "GET /missing 404",
        ];
        assert_eq!(calls, expected);
        assert_eq!(client.get("/sandbox/calls").await.json()["calls"][0]["path"], "/jslogin");
    })
    .await;
}

#[tokio::test]
async fn errors_of_control_calls_are_json() {
    story(quick(), async |sandbox| {
        let address = sandbox.url().trim_start_matches("http://").to_owned();
        for (head, body, status) in [
            ("GET /sandbox/nothing", "", 404),
            ("GET /sandbox/messages", "", 405),
            ("DELETE /sandbox/sent", "", 405),
            ("GET /sandbox/state?limit=x", "", 400),
            ("POST /sandbox/messages", "hello", 400),
            ("POST /sandbox/messages", r#"{"from": 5, "text": "x"}"#, 400),
            ("POST /sandbox/clock", r#"{"advance": -5}"#, 400),
            ("POST /sandbox/faults", r#"{"path": "webwxsync"}"#, 400),
            ("POST /sandbox/faults", r#"{"path": "*", "fault": "status", "value": "abc"}"#, 400),
            ("POST /sandbox/faults", r#"{"path": "*", "fault": "status", "value": 42}"#, 400),
            ("POST /sandbox/faults", r#"{"path": "*", "fault": "retcode", "value": "x"}"#, 400),
            ("POST /sandbox/faults", r#"{"path": "*", "fault": "delay", "value": "soon"}"#, 400),
            ("POST /sandbox/faults", r#"{"path": "*", "fault": "status", "times": -1}"#, 400),
        ] {
            let answer = request(&address, head, &[], body.as_bytes()).await.expect("an answer");
            assert_eq!(answer.status, status, "{head} {body}");
            assert_eq!(answer.json()["ok"], false, "{head} {body}");
            assert!(answer.json()["error"].as_str().is_some_and(|words| !words.is_empty()));
        }
        let faults = request(&address, "GET /sandbox/faults", &[], b"").await.expect("an answer");
        assert_eq!(faults.json()["faults"], json!([]), "none was taken");
    })
    .await;
}
