//! Sending and recalling messages, and the allowed receivers.

use std::time::Duration;

use mynah_sandbox::Options;
use serde_json::json;

use super::{client::Client, quick, story};

#[tokio::test]
async fn texts_are_recorded_as_they_were_sent() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let group = client.name_of("水果店客户群").await;
        let text = "第一行\n<b>&amp; 😄 \u{2005}";
        let answer = client.send(&group, text, 17_952_345_678_901_234).await;
        assert_eq!(answer["BaseResponse"]["Ret"], 0);
        assert_eq!(answer["LocalID"], "17952345678901234");
        let sent = sandbox.sent();
        assert_eq!(sent.len(), 1);
        assert_eq!((sent[0].text.as_str(), sent[0].kind.as_str()), (text, "text"));
        assert_eq!((sent[0].to_name.as_str(), &sent[0].to), ("水果店客户群", &group));
        assert_eq!(answer["MsgID"], sent[0].id.as_str());
        let listed = client.get("/sandbox/sent").await.json();
        assert_eq!(listed["messages"][0]["text"], text);
    })
    .await;
}

#[tokio::test]
async fn a_repeated_send_is_dropped_only_if_id_receiver_and_text_are_the_same() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let (friend, group) = (client.name_of("小红").await, client.name_of("水果店客户群").await);
        let first = client.send(&friend, "一", 1).await;
        let copy = client.send(&friend, "一", 1).await;
        assert_eq!(first["MsgID"], copy["MsgID"]);
        client.send(&friend, "二", 1).await;
        client.send(&group, "一", 1).await;
        client.send(&friend, "一", 2).await;
        assert_eq!(sandbox.sent().len(), 4);
    })
    .await;
}

#[tokio::test]
async fn repeated_sends_can_be_messages_of_their_own() {
    story(Options { drops_repeats: false, ..quick() }, async |sandbox| {
        let client = Client::online(&sandbox).await;
        let first = client.send("filehelper", "一", 1).await;
        let copy = client.send("filehelper", "一", 1).await;
        assert_ne!(first["MsgID"], copy["MsgID"]);
        assert_eq!(sandbox.sent().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn receivers() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let group = client.name_of("水果店客户群").await;
        let body =
            client.body(json!({ "Count": 1, "List": [{ "UserName": group, "ChatRoomId": "" }] }));
        let answer = client.post("webwxbatchgetcontact?type=ex", &body).await;
        let members = answer["ContactList"][0]["MemberList"].as_array().expect("members");
        let stranger =
            members.iter().find(|member| member["NickName"] == "阿杰").expect("a stranger");
        let stranger = stranger["UserName"].as_str().expect("a name");
        let official = client.name_of("水果日报").await;
        for (to, ret) in [
            ("filehelper", 0),
            (official.as_str(), 0),
            (stranger, 1204),
            (client.me.as_str(), 1204),
            ("@0123", 1),
            ("", 1),
        ] {
            let answer = client.send(to, "你好", 9).await;
            assert_eq!(answer["BaseResponse"]["Ret"], ret, "{to}");
            assert_eq!(answer["MsgID"].as_str().expect("a text").is_empty(), ret != 0);
        }
        assert_eq!(sandbox.sent().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn sends_beyond_the_limit_get_1205() {
    let options = Options { send_limit: Some((2, Duration::from_secs(60))), ..quick() };
    story(options, async |sandbox| {
        let client = Client::online(&sandbox).await;
        for (number, ret) in [(1, 0), (2, 0), (3, 1205), (1, 0)] {
            let answer = client.send("filehelper", "x", number).await;
            assert_eq!(answer["BaseResponse"]["Ret"], ret, "{number}: a known copy is no new send");
        }
        assert_eq!(sandbox.sent().len(), 2);
    })
    .await;
}

#[tokio::test]
async fn own_messages_come_back_only_as_an_echo() {
    for (echo, count) in [(false, 0), (true, 1)] {
        story(Options { echo, ..quick() }, async |sandbox| {
            let mut client = Client::online(&sandbox).await;
            let friend = client.name_of("小红").await;
            let answer = client.send(&friend, "好", 1).await;
            let messages = client.messages().await;
            assert_eq!(messages.len(), count);
            if let Some(message) = messages.first() {
                assert_eq!(message["MsgId"], answer["MsgID"]);
                assert_eq!(
                    (&message["FromUserName"], &message["ToUserName"]),
                    (&json!(client.me), &json!(friend))
                );
            }
        })
        .await;
    }
}

#[tokio::test]
async fn messages_can_be_recalled_for_two_minutes() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let send = async |id| client.send("filehelper", "错了", id).await["MsgID"].clone();
        let revoke = async |id| {
            let body = client
                .body(json!({ "SvrMsgId": id, "ToUserName": "filehelper", "ClientMsgId": "9" }));
            client.post("webwxrevokemsg", &body).await["BaseResponse"]["Ret"].clone()
        };
        let (early, late) = (send(1).await, send(2).await);
        assert_eq!(revoke(early).await, 0);
        sandbox.advance(Duration::from_secs(121));
        assert_eq!(revoke(late).await, 1);
        assert_eq!(revoke(json!("1")).await, 1, "no such message");
        let recalled: Vec<_> = sandbox.sent().iter().map(|sent| sent.recalled).collect();
        assert_eq!(recalled, [true, false]);
    })
    .await;
}

#[tokio::test]
async fn links_and_locations() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let link = "<appmsg appid='' sdkver=''><title>价格 &amp; 表</title><des>全部</des><type>5</type>\
            <url>http://example.com/?a=1&amp;b=2</url><appattach><attachid></attachid></appattach></appmsg>";
        let place = "<msg><location x=\"22.5\" y=\"114.1\" scale=\"16\" label=\"深圳\" /></msg>";
        for (call, kind, content) in [("webwxsendappmsg?fun=async", 5, link), ("webwxsendmsg", 48, place)] {
            let message = json!({ "Type": kind, "Content": content, "ToUserName": "filehelper", "ClientMsgId": kind });
            let answer = client.post(call, &client.body(json!({ "Msg": message }))).await;
            assert_eq!(answer["BaseResponse"]["Ret"], 0);
        }
        let sent: Vec<_> = sandbox.sent().into_iter().map(|sent| (sent.kind, sent.text)).collect();
        assert_eq!(sent, [("link".into(), "价格 & 表".into()), ("location".into(), "深圳".into())]);
    })
    .await;
}
