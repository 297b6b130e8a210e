//! Messages in the service's own form: the client gets them unchanged.

use mynah_sandbox::RawMessage;
use serde_json::{Value, json};

use super::{client::Client, quick, story};

const GROUP: &str = "水果店客户群";

/// Delivers a message over the control API and returns it as the client reads it.
async fn delivered(client: &mut Client, raw: Value) -> Value {
    let answer = client.control("raw", &raw).await;
    let message = client.messages().await.remove(0);
    assert_eq!(answer, json!({ "ok": true, "id": message["MsgId"] }), "{raw}");
    message
}

#[tokio::test]
async fn a_raw_message_is_delivered_as_it_was_given() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let line = "\" Tim\" joined the group chat via your shared QR Code.";
        let raw = json!({ "group": GROUP, "raw": line, "type": 10000 });
        let message = delivered(&mut client, raw).await;
        assert_eq!(message["Content"], line);
        let xml = "&lt;msg fromusername=\"wxid_l\"/&gt;";
        let fields = json!({ "RecommendInfo": null, "Status": 9 });
        let raw = json!({ "from": "fmessage", "raw": xml, "type": 37, "fields": fields });
        let message = delivered(&mut client, raw).await;
        assert_eq!(
            (&message["Content"], &message["FromUserName"]),
            (&json!(xml), &json!("fmessage"))
        );
        assert_eq!((&message["RecommendInfo"], &message["Status"]), (&Value::Null, &json!(9)));
    })
    .await;
}

#[tokio::test]
async fn a_raw_message_has_a_sender_prefix_in_groups_only() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let content = |message: &Value| message["Content"].as_str().unwrap_or_default().to_owned();
        let raw = json!({ "from": "小红", "group": GROUP, "raw": "一<br/>二", "type": 1 });
        let said = content(&delivered(&mut client, raw.clone()).await);
        assert!(said.starts_with('@') && said.ends_with(":<br/>一<br/>二"), "{said}");
        let mut blank = raw;
        blank["separator"] = ": <br/>".into();
        let said = content(&delivered(&mut client, blank).await);
        assert!(said.ends_with(": <br/>一<br/>二"), "{said}");
        let raw = json!({ "from": "小红", "raw": "一", "type": 1 });
        assert_eq!(content(&delivered(&mut client, raw).await), "一");
    })
    .await;
}

#[tokio::test]
async fn a_raw_message_without_sender_and_group_is_refused() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let refused = client.control("raw", &json!({ "raw": "x", "type": 1 })).await;
        assert!(refused["error"].as_str().is_some_and(|words| words.contains("from")), "{refused}");
        let unknown = json!({ "group": GROUP, "raw": "x", "type": 1, "feilds": {} });
        assert_eq!(client.control("raw", &unknown).await["ok"], false);
        let own = RawMessage::new(1, "x").from("小助手");
        assert!(sandbox.raw(own).is_err(), "the account has no private chat with itself");
    })
    .await;
}
