//! The outcomes of actions.

use std::time::Duration;

use mynah_core::{
    Action, ChatId, Content, MediaRef, MessageId, Records, Segment, SendError, Status,
};

use crate::bot::Bot;
use crate::server::{Fault, Server, friend, message, typed};

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
async fn a_send_that_finds_the_session_over_makes_the_source_ask_and_log_in() {
    let server = Server::start().await;
    let (mut bot, chat) = bot_with_a_friend(&server).await;
    server.say(&[message(1, "@a", "a")]);
    bot.events(1).await;
    for call in ["webwxsendmsg", "webwxsync", "webwxinit"] {
        server.fault(call, Fault::Ret(1101));
    }
    let first = bot.say(&chat, "x").await;
    assert!(matches!(first, Err(SendError::NotSent { .. })), "in doubt: {first:?}");
    bot.until(|bot| matches!(bot.statuses.last(), Some(Status::Offline { .. }))).await;
    let meanwhile = bot.say(&chat, "x").await;
    assert!(matches!(meanwhile, Err(SendError::NotLoggedIn)), "{meanwhile:?}");
    assert_eq!(server.world().sent.len(), 0);
    bot.until_online().await;
    assert_eq!(bot.scans().len(), 2);
    bot.say(&bot.chat("小明"), "x").await.unwrap();
}

#[tokio::test]
async fn the_second_answer_that_the_session_is_over_refuses_the_action_and_the_session_goes_on() {
    let server = Server::start().await;
    let (mut bot, chat) = bot_with_a_friend(&server).await;
    for n in 0..3 {
        server.fault("webwxsendmsg", Fault::Ret(1101));
        server.fault("webwxsendmsg", Fault::Ret(1101));
        assert!(matches!(bot.say(&chat, "x").await, Err(SendError::NotSent { .. })));
        server.say(&[message(n, "@a", "a")]);
        bot.events(usize::try_from(n).unwrap() + 1).await;
        let second = bot.say(&chat, "x").await.unwrap_err();
        assert!(
            matches!(&second, SendError::Refused { reason } if reason.contains("the session goes on")),
            "{second:?}"
        );
        bot.say(&chat, "y").await.unwrap();
    }
    assert_eq!(bot.scans().len(), 1);
    assert!(!bot.statuses.iter().any(|status| matches!(status, Status::Offline { .. })));
    assert_eq!(server.calls_of("webwxinit"), 1);
}

#[tokio::test]
async fn while_it_is_in_doubt_whether_the_session_is_over_an_action_waits_and_others_leave() {
    let server = Server::start().await;
    let (bot, chat) = bot_with_a_friend(&server).await;
    for _ in 0..2 {
        server.fault("webwxrevokemsg", Fault::Ret(1102));
    }
    let recall = || Action::Recall { message: MessageId::new("7"), sender: None };
    for attempt in 1..=2 {
        let recalled = bot.act(&chat, recall(), attempt).await;
        assert!(matches!(recalled, Err(SendError::NotSent { .. })), "{recalled:?}");
    }
    bot.say(&chat, "x").await.unwrap();
}

#[tokio::test]
async fn media_that_are_refused_like_a_session_that_is_over_end_no_session() {
    let server = Server::start().await;
    let (mut bot, _) = bot_with_a_friend(&server).await;
    server.say(&[typed(1, 3, "@a", "&lt;msg&gt;&lt;img/&gt;&lt;/msg&gt;")]);
    let content = bot.message(0).await.content;
    let media = content.0[0].media().unwrap();
    server.fault("webwxgetmsgimg", Fault::Ret(1101));
    assert!(bot.service.media(media, 1 << 20).await.is_err());
    server.say(&[message(2, "@a", "a")]);
    bot.events(2).await;
    assert_eq!((bot.scans().len(), server.calls_of("webwxinit")), (1, 1));
}

fn picture(folder: &tempfile::TempDir) -> Action {
    let path = folder.path().join("a.png");
    std::fs::write(&path, b"\x89PNG").unwrap();
    Action::Send { content: Content(vec![Segment::Image(MediaRef::file(path))]) }
}

#[tokio::test]
async fn a_picture_that_is_refused_three_times_is_given_up_and_was_uploaded_once() {
    let server = Server::start().await;
    let (bot, chat) = bot_with_a_friend(&server).await;
    let folder = tempfile::tempdir().unwrap();
    for attempt in 1..=3 {
        server.fault("webwxsendmsgimg", Fault::Ret(-1));
        let refused = bot.act(&chat, picture(&folder), attempt).await.unwrap_err();
        match &refused {
            SendError::NotSent { retry_after: Some(pause), .. } if attempt < 3 => {
                assert!(*pause < Duration::from_secs(10), "soon: {pause:?}");
            }
            SendError::Refused { reason } if attempt == 3 => {
                assert!(reason.contains("3 refusals"), "{reason}");
            }
            other => panic!("try {attempt}: {other:?}"),
        }
    }
    let calls = ["webwxuploadmedia", "webwxsendmsgimg"].map(|call| server.calls_of(call));
    assert_eq!(calls, [1, 3]);
    bot.act(&chat, picture(&folder), 1).await.unwrap();
    assert_eq!(server.calls_of("webwxuploadmedia"), 2, "another action is another upload");
}

#[tokio::test]
async fn a_text_is_said_once_though_the_picture_behind_it_is_refused() {
    let server = Server::start().await;
    let (bot, chat) = bot_with_a_friend(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let Action::Send { content } = picture(&folder) else { panic!("a picture is sent") };
    let text = Segment::Text { text: "看".to_owned() };
    let action = Action::Send { content: Content([vec![text], content.0].concat()) };
    server.fault("webwxsendmsgimg", Fault::Ret(-1));
    assert!(bot.act(&chat, action.clone(), 1).await.is_err());
    bot.act(&chat, action, 2).await.unwrap();
    let calls = ["webwxsendmsg", "webwxsendmsgimg"].map(|call| server.calls_of(call));
    assert_eq!(calls, [1, 2]);
}

#[tokio::test]
async fn an_upload_that_names_no_media_three_times_is_given_up() {
    let server = Server::start().await;
    let (bot, chat) = bot_with_a_friend(&server).await;
    let folder = tempfile::tempdir().unwrap();
    let nothing = "{\"BaseResponse\": {\"Ret\": 0}, \"MediaId\": \"\"}";
    for attempt in 1..=3 {
        server.fault("webwxuploadmedia", Fault::Body(nothing.to_owned()));
        let refused = bot.act(&chat, picture(&folder), attempt).await.unwrap_err();
        assert_eq!(matches!(refused, SendError::Refused { .. }), attempt == 3, "{refused:?}");
    }
    assert_eq!(server.calls_of("webwxsendmsgimg"), 0);
}

#[tokio::test]
async fn a_friend_request_that_is_not_granted_is_tried_once_more_and_late() {
    let server = Server::start().await;
    let (bot, chat) = bot_with_a_friend(&server).await;
    let accept = || Action::AcceptFriend { ticket: "@new v2_ticket".to_owned() };
    for _ in 0..2 {
        server.fault("webwxverifyuser", Fault::Ret(-1));
    }
    let first = bot.act(&chat, accept(), 1).await.unwrap_err();
    assert!(
        matches!(&first, SendError::NotSent { retry_after: Some(pause), .. } if *pause >= Duration::from_secs(300)),
        "{first:?}"
    );
    let second = bot.act(&chat, accept(), 2).await.unwrap_err();
    assert!(matches!(second, SendError::Refused { .. }), "{second:?}");
}

#[tokio::test]
async fn a_line_that_asks_to_wait_for_a_friend_silences_that_chat_only() {
    let server = Server::start().await;
    server.world().contacts = vec![friend("@a", "小明", ""), friend("@b", "小红", "")];
    let mut bot = Bot::online(server.url(), Records::new()).await;
    let (chat, other) = (bot.chat("小明"), bot.chat("小红"));
    let line = "发送消息过于频繁，等待对方接受你的好友请求后再发。";
    server.say(&[typed(1, 10000, "@a", line)]);
    bot.notice(0).await;
    let silenced = bot.say(&chat, "x").await.unwrap_err();
    assert!(
        matches!(&silenced, SendError::Refused { reason } if reason.contains("not a friend")),
        "{silenced:?}"
    );
    assert_eq!(server.calls_of("webwxsendmsg"), 0);
    bot.say(&other, "x").await.unwrap();
    server.say(&[message(2, "@a", "我们是朋友了")]);
    bot.message(1).await;
    bot.say(&chat, "x").await.unwrap();
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
    server.say(&[typed(1, 10000, "@a", "发送消息过于频繁，可稍后再试。")]);
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
