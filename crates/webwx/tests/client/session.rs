use std::sync::Arc;

use mynah_webwx::{self as webwx, ClientMsgId, News, OutgoingText, Wanted};
use tokio::sync::Notify;

use crate::responder::{Reply, Responder, ok};
use crate::{confirmed, logged_in, well};

#[tokio::test]
async fn news_is_repeated_until_it_is_acknowledged() {
    let server = Responder::start(well).await;
    let client = logged_in(&server).await;
    assert_eq!(client.sync_check().await.unwrap(), News::Some { selector: 2 });
    let first = client.sync().await.unwrap();
    assert_eq!(first.add_msg_list[0].msg_id, "7286123456789012345");
    let again = client.sync().await.unwrap();
    client.advance(&again);
    assert!(client.sync_check().await.unwrap().is_some());
    client.sync().await.unwrap();
    let asked = server.asked();
    let keys: Vec<_> = asked
        .iter()
        .filter(|asked| asked.call() == "webwxsync")
        .map(|asked| asked.json()["SyncKey"]["List"][1]["Val"].clone())
        .collect();
    assert_eq!(keys, [651_996_455, 651_996_455, 651_996_500]);
    let checks: Vec<_> = asked
        .iter()
        .filter(|asked| asked.call() == "synccheck")
        .map(|asked| asked.field("synckey").unwrap())
        .collect();
    assert_eq!(checks[0], "1_651991553%7C2_651996455%7C3_651996384%7C1000_1513904762");
    assert_eq!(checks[1], "1_651991553%7C2_651996501");
}

#[tokio::test]
async fn a_resumed_session_keeps_its_read_position() {
    let server = Responder::start(well).await;
    let client = logged_in(&server).await;
    client.advance(&client.sync().await.unwrap());
    client.init().await.unwrap();
    assert_eq!(client.session().sync_key().to_string(), "1_651991553|2_651996500");
}

#[tokio::test]
async fn texts_are_sent_raw_under_the_clients_id() {
    let server = Responder::start(well).await;
    let client = logged_in(&server).await;
    let text = OutgoingText {
        to: "@@group".to_owned(),
        text: "1 < 2 & 你好\n😄".to_owned(),
        id: ClientMsgId::new(1_513_925_104_690, 833),
    };
    let sent = client.send_text(&text).await.unwrap();
    assert_eq!(
        (sent.msg_id.as_str(), sent.local_id.as_str()),
        ("2010694839145678901", "15139251046900833")
    );
    let asked = server.asked().pop().unwrap();
    assert!(String::from_utf8_lossy(&asked.body).contains("1 < 2 & 你好\\n😄"));
    let msg = &asked.json()["Msg"];
    assert_eq!(msg["Type"], 1);
    assert_eq!(msg["FromUserName"], "@self");
    assert_eq!(msg["ToUserName"], "@@group");
    assert_eq!(msg["LocalID"], "15139251046900833");
    assert_eq!(msg["ClientMsgId"], "15139251046900833");
}

#[tokio::test]
async fn contacts_are_read_page_by_page() {
    let server = Responder::start(|asked| match (asked.call(), asked.field("seq")) {
        ("webwxgetcontact", Some("0")) => ok(include_bytes!("../../fixtures/contacts_page.json")),
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    let names: Vec<_> =
        client.contacts().await.unwrap().into_iter().map(|contact| contact.user_name).collect();
    assert_eq!(names, ["@first", "@self", "@alice", "@official", "filehelper"]);
    assert_eq!(server.asked().last().unwrap().field("seq"), Some("688006123"));
}

#[tokio::test]
async fn groups_are_requested_fifty_at_a_time() {
    let server = Responder::start(well).await;
    let client = logged_in(&server).await;
    let wanted: Vec<_> = (0..120).map(|n| Wanted::contact(format!("@@{n}"))).collect();
    client.batch_contacts(&wanted).await.unwrap();
    let counts: Vec<_> = server
        .asked()
        .iter()
        .filter(|asked| asked.call() == "webwxbatchgetcontact")
        .map(|asked| {
            (asked.json()["Count"].clone(), asked.json()["List"].as_array().unwrap().len())
        })
        .collect();
    assert_eq!(counts, [(50.into(), 50), (50.into(), 50), (20.into(), 20)]);
}

#[tokio::test]
async fn cookies_and_keys_are_renewed_by_every_answer() {
    let server = Responder::start(|asked| match asked.call() {
        "webwxstatusnotify" => Reply::Whole {
            status: 200,
            headers: vec![("Set-Cookie", "webwx_data_ticket=renewed; Path=/".to_owned())],
            body: br#"{"BaseResponse":{"Ret":0}}"#.to_vec(),
        },
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    client.notify(&webwx::Notify::Ready).await.unwrap();
    client.sync().await.unwrap();
    client.notify(&webwx::Notify::Read("@alice".to_owned())).await.unwrap();
    let asked = server.asked();
    let last = asked.last().unwrap();
    assert!(last.header("cookie").unwrap().contains("webwx_data_ticket=renewed"));
    assert_eq!(last.json()["BaseRequest"]["Skey"], "@crypt_renewed_1");
    assert_eq!(
        (last.json()["Code"].clone(), last.json()["ToUserName"].clone()),
        (1.into(), "@alice".into())
    );
}

#[tokio::test]
async fn logging_out_keeps_the_data_for_a_push_login() {
    let server = Responder::start(well).await;
    let client = logged_in(&server).await;
    client.log_out().await.unwrap();
    let asked = server.asked().pop().unwrap();
    assert_eq!((asked.method.as_str(), asked.call()), ("POST", "webwxlogout"));
    assert_eq!(asked.body, b"sid=sidsid%2B%2Fsidsid%3D%3D&uin=3000000001");
    let session = client.session();
    assert!(!session.is_logged_in() && session.can_push_login());
    assert_eq!(session.uin(), 3_000_000_001);
}

#[tokio::test]
async fn a_late_answer_does_not_touch_a_newer_login() {
    let sign = Arc::new(Notify::new());
    let late = Reply::Whole {
        status: 200,
        headers: vec![("Set-Cookie", "wxsid=stale; Path=/".to_owned())],
        body: br#"window.synccheck={retcode:"1101",selector:"0"}"#.to_vec(),
    };
    let held = Reply::When(Arc::clone(&sign), Box::new(late));
    let server = Responder::start(move |asked| match asked.call() {
        "synccheck" => held.clone(),
        _ => well(asked),
    })
    .await;
    let client = Arc::new(logged_in(&server).await);
    let polling = tokio::spawn({
        let client = Arc::clone(&client);
        async move { client.sync_check().await }
    });
    server.has_come("synccheck").await;
    client.log_in(&confirmed(&client).await).await.unwrap();
    sign.notify_one();
    assert!(polling.await.unwrap().unwrap_err().is_session_over());
    client.notify(&webwx::Notify::Ready).await.unwrap();
    assert!(!server.asked().last().unwrap().header("cookie").unwrap().contains("stale"));
}

#[tokio::test]
async fn a_key_is_echoed_with_its_own_count() {
    let server = Responder::start(|asked| match asked.call() {
        "webwxsync" => ok(include_bytes!("../../fixtures/sync_2016.json")),
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    client.advance(&client.sync().await.unwrap());
    client.sync().await.unwrap();
    let key = server.asked().last().unwrap().json()["SyncKey"].clone();
    assert_eq!((key["Count"].clone(), key["List"].as_array().unwrap().len()), (4.into(), 4));
    assert!(client.sync_check().await.unwrap().is_some());
    assert_eq!(
        server.asked().last().unwrap().field("synckey"),
        Some("1_123%7C2_124%7C3_125%7C1000_126")
    );
}
