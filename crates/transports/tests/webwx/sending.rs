//! What becomes of actions.

use mynah_core::{Action, ChatId, MessageId, Records, SendError, Status};

use crate::bot::Bot;
use crate::server::{Fault, Server, friend, message};

async fn bot_with_a_friend(server: &Server) -> (Bot, ChatId) {
    server.world().contacts = vec![friend("@a", "小明", "")];
    let bot = Bot::online(server.url(), Records::new()).await;
    let chat = bot.chat("小明");
    (bot, chat)
}

#[tokio::test]
async fn a_text_goes_to_the_present_name_and_its_id_is_the_proof() {
    let server = Server::start().await;
    let (bot, chat) = bot_with_a_friend(&server).await;
    let receipt = bot.say(&chat, "你好 <b>").await.unwrap();
    assert_eq!(receipt.message, Some(MessageId::new("901")));
    let sent = server.world().sent[0].clone();
    assert_eq!((&sent["ToUserName"], &sent["Content"]), (&"@a".into(), &"你好 <b>".into()));
}

#[tokio::test]
async fn a_retry_carries_the_same_client_id() {
    let server = Server::start().await;
    let (bot, chat) = bot_with_a_friend(&server).await;
    server.fault("webwxsendmsg", Fault::Lost);
    let lost = bot.say(&chat, "x").await;
    assert!(matches!(lost, Err(SendError::Unknown { .. })), "{lost:?}");
    bot.say(&chat, "x").await.unwrap();
    let world = server.world();
    assert_eq!(world.sent[0]["ClientMsgId"], world.sent[1]["ClientMsgId"]);
}

#[tokio::test]
async fn every_failure_has_its_meaning() {
    let server = Server::start().await;
    let (bot, chat) = bot_with_a_friend(&server).await;
    type Is = fn(&SendError) -> bool;
    let cases: [(Fault, Is); 6] = [
        (
            Fault::Ret(1204),
            |e| matches!(e, SendError::Refused { reason } if reason.contains("not a friend")),
        ),
        (Fault::Ret(-1), |e| matches!(e, SendError::NotSent { .. })),
        (Fault::Ret(1), |e| matches!(e, SendError::Refused { .. })),
        (Fault::Status(502), |e| matches!(e, SendError::Unknown { .. })),
        (Fault::Body("<html>".to_owned()), |e| matches!(e, SendError::Unknown { .. })),
        (Fault::Ret(1205), |e| matches!(e, SendError::TooFrequent { retry_after: Some(_) })),
    ];
    for (fault, is) in cases {
        server.fault("webwxsendmsg", fault.clone());
        let error = bot.say(&chat, "x").await.unwrap_err();
        assert!(is(&error), "{fault:?}: {error:?}");
    }
    let calls = server.calls_of("webwxsendmsg");
    assert!(matches!(bot.say(&chat, "x").await, Err(SendError::TooFrequent { .. })));
    assert_eq!(server.calls_of("webwxsendmsg"), calls, "the service is left alone for a while");
}

#[tokio::test]
async fn a_server_that_is_gone_took_nothing() {
    let server = Server::start().await;
    let (bot, chat) = bot_with_a_friend(&server).await;
    drop(server);
    let error = loop {
        // A connection that was kept may break with the request under way; a new one is refused.
        match bot.say(&chat, "x").await.unwrap_err() {
            SendError::Unknown { .. } => {}
            error => break error,
        }
    };
    assert!(matches!(error, SendError::NotSent { .. }), "{error:?}");
}

#[tokio::test]
async fn a_send_that_finds_the_session_over_makes_the_source_log_in() {
    let server = Server::start().await;
    let (mut bot, chat) = bot_with_a_friend(&server).await;
    server.say(&[message(1, "@a", "a")]);
    bot.events(1).await;
    server.fault("webwxsendmsg", Fault::Ret(1101));
    server.fault("webwxinit", Fault::Ret(1101));
    assert!(matches!(bot.say(&chat, "x").await, Err(SendError::NotLoggedIn)));
    assert!(
        matches!(bot.say(&chat, "x").await, Err(SendError::NotLoggedIn)),
        "until the login is back"
    );
    assert_eq!(server.world().sent.len(), 0);
    bot.until(|bot| matches!(bot.statuses.last(), Some(Status::Offline { .. }))).await;
    bot.until_online().await;
    assert_eq!(bot.scans().len(), 2);
    bot.say(&bot.chat("小明"), "x").await.unwrap();
}

#[tokio::test]
async fn an_echo_of_an_own_message_is_no_news_but_one_from_the_phone_is() {
    let server = Server::start().await;
    let (mut bot, chat) = bot_with_a_friend(&server).await;
    bot.say(&chat, "x").await.unwrap();
    let mut echo = message(901, "@me", "x");
    echo["ToUserName"] = "@a".into();
    let mut phone = echo.clone();
    phone["MsgId"] = "5".into();
    server.say(&[echo, phone]);
    let own = bot.message(0).await;
    assert_eq!(own.id, MessageId::new("5"));
    assert_eq!(own.origin, mynah_core::Origin::Oneself);
    assert_eq!(own.chat.id, chat);
}

#[tokio::test]
async fn a_line_about_sending_too_often_silences_the_account() {
    let server = Server::start().await;
    let (mut bot, chat) = bot_with_a_friend(&server).await;
    server.say(&[crate::server::typed(1, 10000, "@a", "发送消息过于频繁，可稍后再试。")]);
    bot.notice(0).await;
    assert!(matches!(bot.say(&chat, "x").await, Err(SendError::TooFrequent { .. })));
}

#[tokio::test]
async fn a_chat_not_seen_in_this_login_waits() {
    let server = Server::start().await;
    let (bot, _) = bot_with_a_friend(&server).await;
    let error = bot.say(&ChatId::new("g999"), "x").await.unwrap_err();
    assert!(matches!(&error, SendError::NotSent { retry_after: Some(_), .. }), "{error:?}");
    let unsupported =
        bot.act(&ChatId::new("g1"), Action::Save { file: "f".into(), row: vec![] }, 1).await;
    assert!(matches!(unsupported, Err(SendError::Unsupported { .. })));
}

#[tokio::test]
async fn a_session_that_only_sends_find_over_is_not_resumed_for_ever() {
    let server = Server::start().await;
    let (mut bot, chat) = bot_with_a_friend(&server).await;
    for n in 0..3 {
        server.say(&[message(n, "@a", "a")]);
        bot.events(usize::try_from(n).unwrap() + 1).await;
        server.fault("webwxsendmsg", Fault::Ret(1101));
        assert!(matches!(bot.say(&chat, "x").await, Err(SendError::NotLoggedIn)));
        bot.until(|bot| matches!(bot.statuses.last(), Some(Status::Offline { .. }))).await;
        bot.until_online().await;
        assert_eq!(
            bot.scans().len(),
            if n < 2 { 1 } else { 2 },
            "resumed twice, then logged in anew"
        );
    }
}
