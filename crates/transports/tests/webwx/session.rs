//! Logging in, staying logged in, and reading on after trouble.

use std::time::Duration;

use mynah_core::{EventId, Prompt, ReceiveError, Records, Status};
use serde_json::Value;

use crate::bot::Bot;
use crate::server::{Fault, Server, friend, message};

fn with_a_friend(server: &Server) {
    let mut world = server.world();
    world.contacts = vec![friend("@a", "小明", "")];
}

/// The records as an earlier version wrote them: the read position within the session.
fn in_one_record(mut records: Records) -> Records {
    let mut session: Value = serde_json::from_str(&records["session"]).unwrap();
    let position = records.remove("position").unwrap();
    let position: Value = serde_json::from_str(&position).unwrap();
    for key in ["sync_key", "sync_check_key"] {
        session[key] = position[key].clone();
    }
    records.insert("session".to_owned(), session.to_string());
    records
}

#[tokio::test]
async fn a_batch_writes_the_read_position_and_not_the_session() {
    let server = Server::start().await;
    with_a_friend(&server);
    let mut bot = Bot::online(server.url(), Records::new()).await;
    let before = bot.records.clone();
    let written = |bot: &Bot| ["session", "position"].map(|key| bot.records[key] != before[key]);
    server.say(&[message(1, "@a", "a")]);
    bot.message(0).await;
    assert_eq!(written(&bot), [false, true]);
    bot.records.remove("session");
    server.say(&[message(2, "@a", "b")]);
    bot.message(1).await;
    assert!(!bot.records.contains_key("session"), "an unchanged session is not written again");
}

#[tokio::test]
async fn a_session_of_an_earlier_version_is_resumed_at_its_position() {
    let server = Server::start().await;
    with_a_friend(&server);
    let bot = Bot::online(server.url(), Records::new()).await;
    let records = in_one_record(bot.records.clone());
    drop(bot.source);
    server.say(&[message(1, "@a", "a")]);
    let mut bot = Bot::online(server.url(), records).await;
    assert!(bot.scans().is_empty());
    assert_eq!(bot.message(0).await.text, "a");
    let session: Value = serde_json::from_str(&bot.records["session"]).unwrap();
    assert_eq!(session["sync_key"]["List"], Value::Array(Vec::new()));
    assert!(bot.records.contains_key("position"));
}

#[tokio::test]
async fn a_code_is_shown_then_the_account_is_on_line_and_hears_a_message() {
    let server = Server::start().await;
    with_a_friend(&server);
    server.world().logins =
        ["window.code=408;", "window.code=201;window.userAvatar = 'data:img/jpg;base64,x';"].into();
    let mut bot = Bot::online(server.url(), Records::new()).await;
    assert_eq!(
        bot.statuses,
        [
            Status::Prompt(Prompt::Scan { url: format!("{}/l/uuid1==", server.url()) }),
            Status::Prompt(Prompt::Confirm { scanned: true }),
            Status::Online { name: "小助手".to_owned() },
        ]
    );
    server.say(&[message(1, "@a", "在吗&lt;")]);
    let message = bot.message(0).await;
    assert_eq!((message.text.as_str(), message.called), ("在吗<", true));
    assert_eq!(message.sender.name, "小明");
    assert_eq!(bot.events[0].id, EventId::new("m1"));
    bot.source.log_out().await;
    assert_eq!(server.calls_of("webwxlogout"), 1);
}

#[tokio::test]
async fn codes_that_expire_are_renewed() {
    let server = Server::start().await;
    server.world().logins = ["window.code=400;", "window.code=202;", "window.code=500;"].into();
    let bot = Bot::online(server.url(), Records::new()).await;
    let expected: Vec<String> = (1..=4).map(|n| format!("{}/l/uuid{n}==", server.url())).collect();
    assert_eq!(bot.scans(), expected);
}

#[tokio::test]
async fn a_stored_session_is_resumed_without_a_scan_and_what_was_said_meanwhile_comes() {
    let server = Server::start().await;
    with_a_friend(&server);
    let bot = Bot::online(server.url(), Records::new()).await;
    let records = bot.records.clone();
    drop(bot);
    server.say(&[message(1, "@a", "a")]);
    server.say(&[message(2, "@a", "b")]);
    let mut bot = Bot::online(server.url(), records).await;
    assert!(bot.scans().is_empty());
    assert_eq!(bot.message(0).await.text, "a");
    assert_eq!(bot.message(1).await.text, "b");
    assert_eq!(server.calls_of("jslogin"), 1);
}

#[tokio::test]
async fn what_was_not_acknowledged_comes_again_with_the_same_ids() {
    let server = Server::start().await;
    with_a_friend(&server);
    let mut bot = Bot::online(server.url(), Records::new()).await;
    let before = bot.records.clone();
    server.say(&[message(1, "@a", "a"), message(2, "@a", "b")]);
    let first: Vec<EventId> = bot.events(2).await.iter().map(|event| event.id.clone()).collect();
    // The process dies before the batch was written down.
    let mut bot = Bot::online(server.url(), before).await;
    let again: Vec<EventId> = bot.events(2).await.iter().map(|event| event.id.clone()).collect();
    assert_eq!(first, again);
}

#[tokio::test]
async fn trouble_of_every_kind_passes_and_nothing_is_lost() {
    let server = Server::start().await;
    with_a_friend(&server);
    for (call, fault) in [
        ("jslogin", Fault::Status(502)),
        ("login", Fault::Body("<html>".to_owned())),
        ("webwxinit", Fault::Body("{\"BaseResponse\": {".to_owned())),
        ("webwxstatusnotify", Fault::Ret(1)),
        ("webwxgetcontact", Fault::Lost),
        ("webwxsync", Fault::Body(String::new())),
        ("synccheck", Fault::Status(503)),
    ] {
        server.fault(call, fault);
    }
    let mut bot = Bot::online(server.url(), Records::new()).await;
    assert!(bot.statuses.iter().any(|status| matches!(status, Status::Offline { .. })));
    server.say(&[message(1, "@a", "a")]);
    server.fault("webwxsync", Fault::Lost);
    assert_eq!(bot.message(0).await.text, "a");
    assert_eq!(bot.scans().len(), 2, "the code is shown again after trouble: {:?}", bot.statuses);
    assert!(matches!(bot.statuses.last(), Some(Status::Online { .. })));
}

#[tokio::test]
async fn a_receive_that_is_dropped_loses_nothing() {
    let server = Server::start().await;
    with_a_friend(&server);
    let mut bot = Bot::online(server.url(), Records::new()).await;
    for n in 1..=20 {
        server.say(&[message(n, "@a", "x")]);
    }
    let mut impatience = 0;
    while bot.events.len() < 20 {
        impatience += 1;
        let patience = Duration::from_millis(impatience % 7);
        if let Ok(incoming) = tokio::time::timeout(patience, bot.source.receive()).await {
            bot.take(incoming.unwrap());
        }
    }
    let ids: Vec<String> = bot.events.iter().map(|event| event.id.to_string()).collect();
    let expected: Vec<String> = (1..=20).map(|n| format!("m{n}")).collect();
    assert_eq!(ids, expected);
}

#[tokio::test]
async fn a_session_that_ended_is_resumed_else_logged_in_anew() {
    let server = Server::start().await;
    with_a_friend(&server);
    for code in [1100, 1101, 1102] {
        let mut bot = Bot::online(server.url(), Records::new()).await;
        server.say(&[message(code, "@a", "a")]);
        bot.events(1).await;
        let scans = bot.scans().len();
        server.fault("synccheck", Fault::Ret(i64::try_from(code).unwrap()));
        bot.until(|bot| matches!(bot.statuses.last(), Some(Status::Offline { .. }))).await;
        bot.until_online().await;
        assert_eq!(bot.scans().len(), scans, "resumed after {code}");
        server.fault("webwxsync", Fault::Ret(i64::try_from(code).unwrap()));
        server.fault("webwxinit", Fault::Ret(i64::try_from(code).unwrap()));
        server.say(&[message(code + 1000, "@a", "b")]);
        bot.until(|bot| bot.scans().len() > scans).await;
        bot.until_online().await;
    }
}

#[tokio::test]
async fn a_single_call_of_a_login_that_finds_the_session_over_ends_no_session() {
    let server = Server::start().await;
    with_a_friend(&server);
    server.fault("webwxstatusnotify", Fault::Ret(1101));
    server.fault("webwxgetcontact", Fault::Ret(1101));
    let mut bot = Bot::online(server.url(), Records::new()).await;
    server.say(&[message(1, "@a", "a")]);
    assert_eq!(bot.message(0).await.sender.name, "小明");
    assert_eq!(bot.scans().len(), 1);
}

#[tokio::test]
async fn members_that_are_refused_like_a_session_that_is_over_end_no_session() {
    let server = Server::start().await;
    let mut bot = Bot::online(server.url(), Records::new()).await;
    for n in 1..=3 {
        server.fault("webwxbatchgetcontact", Fault::Ret(1101));
        server.say(&[message(n, "@@g", "@x:<br/>a")]);
        bot.events(usize::try_from(n).unwrap()).await;
    }
    assert_eq!((bot.scans().len(), server.calls_of("webwxinit")), (1, 1));
}

#[tokio::test]
async fn the_phone_is_asked_without_a_scan_where_it_knows_the_device() {
    let server = Server::start().await;
    server.world().push_login = true;
    let bot = Bot::online(server.url(), Records::new()).await;
    server.fault("webwxinit", Fault::Ret(1101));
    let bot = Bot::online(server.url(), bot.records).await;
    assert!(bot.scans().is_empty(), "{:?}", bot.statuses);
    assert!(bot.statuses.contains(&Status::Prompt(Prompt::Confirm { scanned: false })));
    server.world().push_login = false;
    server.fault("webwxinit", Fault::Ret(1101));
    let bot = Bot::online(server.url(), bot.records).await;
    assert_eq!(bot.scans().len(), 1, "a code follows where the phone does not agree");
}

#[tokio::test]
async fn a_code_follows_where_the_login_without_a_scan_fails_again_and_again() {
    let server = Server::start().await;
    server.world().push_login = true;
    let mut bot = Bot::online(server.url(), Records::new()).await;
    for fault in [Fault::Status(404), Fault::Status(302)] {
        server.fault("webwxinit", Fault::Ret(1101));
        for _ in 0..3 {
            server.fault("webwxpushloginurl", fault.clone());
        }
        bot = Bot::online(server.url(), bot.records).await;
        assert_eq!(bot.scans().len(), 1, "{fault:?}: {:?}", bot.statuses);
    }
}

#[tokio::test]
async fn a_blocked_account_ends_with_the_words_of_the_service() {
    let server = Server::start().await;
    server.world().refusal = Some("为了你的帐号安全，此微信号不能登录网页微信。".to_owned());
    let mut bot = Bot::new(server.url(), Records::new());
    let end = loop {
        if let Err(end) = bot.receive().await {
            break end;
        }
    };
    assert!(
        matches!(&end, ReceiveError::LoginRefused { words } if words.contains("帐号安全")),
        "{end:?}"
    );
    assert_eq!(server.calls_of("webwxnewloginpage"), 1, "no retry storm");
}

#[tokio::test]
async fn a_spent_ticket_leads_to_a_new_code() {
    let server = Server::start().await;
    let spent = "<error><ret>1203</ret><message>check ticket failed</message></error>";
    server.fault("webwxnewloginpage", Fault::Body(spent.to_owned()));
    let bot = Bot::online(server.url(), Records::new()).await;
    assert_eq!(bot.scans().len(), 2);
}

#[tokio::test]
async fn an_address_that_is_none_is_said_so() {
    let mut bot = Bot::new("nonsense".to_owned(), Records::new());
    assert!(matches!(bot.receive().await, Err(ReceiveError::Unusable(_))));
}

#[tokio::test]
async fn records_that_cannot_be_read_lead_to_a_new_login() {
    let server = Server::start().await;
    let broken = ["session", "directory", "person/1", "group/x", "other"];
    let records: Records =
        broken.into_iter().map(|key| (key.to_owned(), "{broken".to_owned())).collect();
    let bot = Bot::online(server.url(), records).await;
    assert_eq!(bot.scans().len(), 1);
}
