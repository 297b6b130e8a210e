//! All actions of the phone, as the client sees them.

use serde_json::{Value, json};

use super::{client::Client, quick, story};

const GROUP: &str = "水果店客户群";

/// Performs an action and returns the messages that the client gets, without notifications of the phone.
async fn received(client: &mut Client, act: Value) -> Vec<Value> {
    let done = client.control("acts", &act).await;
    assert_eq!(done["ok"], true, "{act}: {done}");
    client.messages().await
}

fn content(message: &Value) -> &str {
    message["Content"].as_str().expect("a content")
}

/// Undoes one level of escaping, like a client before it parses XML.
fn unescape(text: &str) -> String {
    text.replace("<br/>", "\n").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
}

#[tokio::test]
async fn a_group_message_names_its_sender_and_a_private_one_does_not() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let (group, alice) = (client.name_of(GROUP).await, client.name_of("Alice").await);
        sandbox.say("Alice", Some(GROUP), "1 < 2\n@小助手\u{2005}");
        sandbox.say("Alice", None, "悄悄话");
        let messages = client.messages().await;
        assert_eq!(content(&messages[0]), format!("{alice}:<br/>1 &lt; 2<br/>@小助手\u{2005}"));
        assert_eq!(
            (&messages[0]["FromUserName"], &messages[0]["ToUserName"]),
            (&json!(group), &json!(client.me))
        );
        assert_eq!(
            (content(&messages[1]), &messages[1]["FromUserName"]),
            ("悄悄话", &json!(alice))
        );
        let ids: Vec<_> =
            messages.iter().map(|it| it["NewMsgId"].as_u64().expect("a number")).collect();
        assert!(ids[0] < ids[1] && ids[0] > 1 << 53, "beyond what a float holds");
        assert_eq!(messages[0]["MsgId"], ids[0].to_string());
    })
    .await;
}

#[tokio::test]
async fn messages_from_the_own_phone_come_from_the_account() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let (group, alice) = (client.name_of(GROUP).await, client.name_of("Alice").await);
        let in_group = received(
            &mut client,
            json!({ "act": "say", "from": "小助手", "group": GROUP, "text": "手机" }),
        )
        .await;
        assert_eq!(
            (&in_group[0]["FromUserName"], &in_group[0]["ToUserName"]),
            (&json!(client.me), &json!(group))
        );
        assert_eq!(content(&in_group[0]), "手机", "no sender before it");
        let private = received(
            &mut client,
            json!({ "act": "say", "from": "小助手", "to": "Alice", "text": "手机" }),
        )
        .await;
        assert_eq!(private[0]["ToUserName"], alice);
        assert!(sandbox.sent().is_empty(), "the client did not send it");
    })
    .await;
}

/// Actions, with the `MsgType`, the `AppMsgType` and a part of the resulting content.
fn everything(quoted: &str) -> Vec<(Value, i32, i32, &'static str)> {
    vec![
        (json!({ "act": "picture" }), 3, 0, "<img length="),
        (json!({ "act": "voice" }), 34, 0, "voicelength=\"2000\""),
        (json!({ "act": "video", "seconds": 7 }), 43, 0, "playlength=\"7\""),
        (json!({ "act": "sticker" }), 47, 0, "<emoji "),
        (json!({ "act": "file", "name": "a&b.txt" }), 49, 6, "<title>a&amp;b.txt</title>"),
        (json!({ "act": "card", "person": "老王" }), 42, 0, "nickname=\"老王\""),
        (
            json!({ "act": "link", "title": "标题", "url": "http://e.com/?a&b" }),
            49,
            5,
            "<url>http://e.com/?a&amp;b</url>",
        ),
        (
            json!({ "act": "location", "label": "深圳", "latitude": 22.5, "longitude": 114.1 }),
            1,
            0,
            "pictype=location",
        ),
        (
            json!({ "act": "quote", "text": "对", "of": quoted, "form": "app" }),
            49,
            57,
            "<content>原话</content>",
        ),
        (
            json!({ "act": "quote", "text": "对", "of": quoted }),
            1,
            0,
            "「小红：原话」\n- - - - - - - - - - - - - - -\n对",
        ),
        (json!({ "act": "mini_program", "title": "小程序" }), 49, 33, "<weappinfo>"),
        (json!({ "act": "chat_history", "title": "记录" }), 49, 19, "<type>19</type>"),
        (json!({ "act": "transfer", "amount": "￥8.88" }), 49, 2000, "<feedesc><![CDATA[￥8.88]]>"),
        (json!({ "act": "call" }), 50, 0, "voip"),
        (json!({ "act": "raw", "msg_type": 9999, "content": "<x/>" }), 9999, 0, "<x/>"),
    ]
}

#[tokio::test]
async fn every_kind_of_message_has_its_type() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let quoted = sandbox.say("小红", None, "原话");
        client.messages().await;
        for (act, kind, app_kind, inside) in everything(&quoted) {
            for group in [None, Some(GROUP)] {
                let mut act = act.clone();
                (act["from"], act["group"]) = (json!("小红"), json!(group));
                let messages = received(&mut client, act.clone()).await;
                let message = &messages[0];
                assert_eq!(
                    (&message["MsgType"], &message["AppMsgType"]),
                    (&json!(kind), &json!(app_kind)),
                    "{act}"
                );
                let text = unescape(content(message));
                assert!(text.contains(inside), "{act}: {text}");
                assert_eq!(
                    text.starts_with('@'),
                    group.is_some(),
                    "{act}: the sender stands first in groups"
                );
            }
        }
    })
    .await;
}

#[tokio::test]
async fn a_location_links_to_a_map() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let act = json!({ "act": "location", "from": "小红", "label": "深圳", "latitude": 22.5, "longitude": 114.1 });
        let place = received(&mut client, act).await.remove(0);
        assert_eq!(place["SubMsgType"], 48);
        assert_eq!(place["Url"], "http://apis.map.qq.com/uri/v1/geocoder?coord=22.5,114.1");
        assert!(place["OriContent"].as_str().is_some_and(|xml| xml.contains("x=\"22.5\" y=\"114.1\"")));
    })
    .await;
}

#[tokio::test]
async fn system_lines_of_the_service() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let group = client.name_of(GROUP).await;
        for (act, line) in [
            (
                json!({ "act": "join", "from": "新人" }),
                "\" 新人\"通过扫描\"老王\"分享的二维码加入群聊",
            ),
            (
                json!({ "act": "join", "from": "二号", "by": "小红" }),
                "\"小红\"邀请\"二号\"加入了群聊",
            ),
            (
                json!({ "act": "join", "from": "三号", "by": "小助手" }),
                "你邀请\"三号\"加入了群聊  ",
            ),
            (
                json!({ "act": "rename", "from": "老王", "name": "新店" }),
                "\"老王\"修改群名为“新店”",
            ),
            (
                json!({ "act": "rename", "from": "小助手", "name": GROUP }),
                "你修改群名为“水果店客户群”",
            ),
            (
                json!({ "act": "pat", "from": "小红", "target": "小助手", "suffix": "的头" }),
                "\"小红\" 拍了拍我的头",
            ),
            (
                json!({ "act": "pat", "from": "小红", "target": "周周" }),
                "\"小红\" 拍了拍 \"周周（送货）\"",
            ),
            (json!({ "act": "red_packet", "from": "小红" }), "收到红包，请在手机上查看"),
            (json!({ "act": "system", "text": "提示" }), "提示"),
        ] {
            let mut act = act;
            // The group has another name between the two renames.
            act["group"] = if line.contains("你修改") { json!("新店") } else { json!(GROUP) };
            let message = received(&mut client, act.clone()).await.remove(0);
            let facts = (
                &message["MsgType"],
                &message["Status"],
                content(&message),
                &message["FromUserName"],
            );
            assert_eq!(facts, (&json!(10_000), &json!(4), line, &json!(group)), "{act}");
        }
    })
    .await;
}

#[tokio::test]
async fn members_who_join_leave_or_are_removed_change_the_list() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        for (act, count, said) in [
            (json!({ "act": "join", "from": "新人" }), 8, 1),
            (json!({ "act": "leave", "from": "新人" }), 7, 0),
            (json!({ "act": "remove", "from": "老王", "person": "周周" }), 6, 0),
        ] {
            let mut act = act;
            act["group"] = json!(GROUP);
            client.control("acts", &act).await;
            let answer = client.sync().await;
            assert_eq!(answer["AddMsgCount"], said, "{act}");
            let changed = answer["ModContactList"]
                .as_array()
                .expect("a list")
                .last()
                .expect("the group")
                .clone();
            assert_eq!(changed["MemberCount"], count, "{act}");
            assert!(
                changed["MemberList"][0]["Uin"] == 3_170_542_881_u32
                    && changed["ChatRoomOwner"].is_string()
            );
        }
        client
            .control(
                "acts",
                &json!({ "act": "remove", "from": "老王", "person": "小助手", "group": GROUP }),
            )
            .await;
        let answer = client.sync().await;
        assert_eq!(content(&answer["AddMsgList"][0]), "你被\"老王\"移出群聊");
        assert_eq!(answer["DelContactCount"], 1);
    })
    .await;
}

#[tokio::test]
async fn a_recall_names_the_message() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let first = sandbox.say("小红", Some(GROUP), "一");
        let second = sandbox.say("小红", Some(GROUP), "二");
        client.messages().await;
        for (act, id) in [
            (json!({ "act": "recall", "from": "小红", "group": GROUP }), &second),
            (json!({ "act": "recall", "from": "小红", "group": GROUP, "id": first }), &first),
        ] {
            let message = received(&mut client, act).await.remove(0);
            assert_eq!(message["MsgType"], 10_002);
            let xml = unescape(content(&message));
            assert!(
                xml.starts_with("<sysmsg type=\"revokemsg\">")
                    && xml.contains(&format!("<msgid>{id}</msgid>")),
                "{xml}"
            );
            assert!(xml.contains("<![CDATA[\"小红\" 撤回了一条消息]]>"), "{xml}");
        }
        let again = client
            .control("acts", &json!({ "act": "recall", "from": "小红", "group": GROUP }))
            .await;
        assert_eq!(again["ok"], false, "there is nothing left");
    })
    .await;
}

#[tokio::test]
async fn actions_of_the_phone_are_reported_with_type_51() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let alice = client.name_of("Alice").await;
        client.control("acts", &json!({ "act": "phone", "from": "Alice", "code": 2 })).await;
        assert_eq!(client.check().await, "window.synccheck={retcode:\"0\",selector:\"7\"}");
        let message = client.sync().await["AddMsgList"][0].clone();
        assert_eq!((&message["MsgType"], &message["StatusNotifyCode"]), (&json!(51), &json!(2)));
        assert_eq!(
            (&message["ToUserName"], &message["StatusNotifyUserName"]),
            (&json!(alice), &json!(alice))
        );
    })
    .await;
}

#[tokio::test]
async fn friends_come_and_go_and_change_their_names() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let line =
            received(&mut client, json!({ "act": "befriend", "from": "路过" })).await.remove(0);
        assert_eq!(content(&line), "路过刚刚把你添加到通讯录，现在可以开始聊天了。");
        let gone = client.name_of("路过").await;
        client.control("acts", &json!({ "act": "unfriend", "from": "路过" })).await;
        assert_eq!(client.check().await, "window.synccheck={retcode:\"0\",selector:\"6\"}");
        assert_eq!(client.sync().await["DelContactList"][0]["UserName"], gone.as_str());
        client
            .control("acts", &json!({ "act": "nickname", "from": "小助手", "name": "阿福" }))
            .await;
        let profile = client.sync().await["Profile"].clone();
        assert_eq!(
            (&profile["BitFlag"], &profile["NickName"]["Buff"]),
            (&json!(190), &json!("阿福"))
        );
        client
            .control(
                "acts",
                &json!({ "act": "new_group", "group": "新群", "members": ["小红", "Alice"] }),
            )
            .await;
        let answer = client.sync().await;
        assert_eq!(
            content(&answer["AddMsgList"][0]),
            "\"小红\"邀请你加入了群聊，群聊参与人还有：Alice"
        );
        assert_eq!(answer["ModContactList"][0]["NickName"], "新群");
    })
    .await;
}

#[tokio::test]
async fn strangers_and_new_groups_are_created_on_demand() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        sandbox.say("Bob", Some("Harness Group"), "hi");
        sandbox.say("Carol", None, "hello");
        let answer = client.sync().await;
        let messages = answer["AddMsgList"].as_array().expect("a list");
        let group = messages[0]["FromUserName"].as_str().expect("a name");
        let body = client.body(json!({ "Count": 1, "List": [{ "UserName": group }] }));
        let found = client.post("webwxbatchgetcontact", &body).await["ContactList"][0].clone();
        assert_eq!(
            (&found["NickName"], &found["MemberCount"]),
            (&json!("Harness Group"), &json!(2))
        );
        let carol = messages[1]["FromUserName"].as_str().expect("a name");
        assert_eq!(
            client.send(carol, "hi", 1).await["BaseResponse"]["Ret"],
            0,
            "who writes in private is a friend"
        );
        assert_eq!(sandbox.sent()[0].to_name, "Carol");
    })
    .await;
}
