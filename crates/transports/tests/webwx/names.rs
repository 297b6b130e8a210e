//! Who is who: names to show, names to trust, ids that stay.

use mynah_core::{NoticeKind, Origin, Records};
use serde_json::json;

use crate::bot::Bot;
use crate::server::{Server, friend, group, message, typed};

const CARS: &[(&str, &str, &str)] = &[
    ("@me", "小助手", "八哥哥"),
    ("@a", "小明", "明哥"),
    ("@b", "小红", ""),
    ("@c", "小刚", ""),
    ("@d", "小明明", ""),
];

fn cars(server: &Server) {
    let mut world = server.world();
    let cars = group("@@cars", "车友群", CARS);
    world.known.insert("@@cars".to_owned(), cars);
    world.contacts = vec![friend("@a", "小明", "老同学")];
}

#[tokio::test]
async fn a_member_is_shown_by_the_name_in_the_group_and_trusted_by_remark_and_nickname() {
    let server = Server::start().await;
    cars(&server);
    let mut bot = Bot::online(server.url(), Records::new()).await;
    server.say(&[
        message(1, "@@cars", "@a:<br/>早&amp;安<br/>好"),
        message(2, "@@cars", "@c:<br/>早"),
    ]);
    let first = bot.message(0).await;
    assert_eq!(first.chat.name, "车友群");
    assert_eq!((first.text.as_str(), first.called), ("早&安\n好", false));
    assert_eq!(first.sender.name, "明哥");
    assert_eq!(first.sender.certain_names, ["老同学"]);
    let stranger = bot.message(1).await.sender;
    assert_eq!((stranger.name.as_str(), stranger.chosen_names.len()), ("小刚", 0));
}

#[tokio::test]
async fn the_bot_is_called_by_its_name_in_the_group_its_nickname_or_a_configured_name() {
    let server = Server::start().await;
    cars(&server);
    let mut bot = Bot::online(server.url(), Records::new()).await;
    let texts = [
        ("@八哥哥\u{2005}在吗", true, "在吗"),
        ("@小助手 在吗", true, "在吗"),
        ("@八哥，在吗", true, "在吗"),
        ("@小明 @八哥哥", true, "@小明"),
        ("@小明明\u{2005}在吗", false, "@小明明\u{2005}在吗"),
        ("@八哥哥们 在吗", true, "们 在吗"),
        ("@八哥哥们\u{2005}在吗", false, "@八哥哥们\u{2005}在吗"),
        ("@所有人 开会", false, "@所有人 开会"),
    ];
    for (n, (text, _, _)) in (1..).zip(&texts) {
        server.say(&[message(n, "@@cars", &format!("@c:<br/>{text}"))]);
    }
    for (n, (text, called, left)) in texts.iter().enumerate() {
        let message = bot.message(n).await;
        assert_eq!((message.called, message.text.as_str()), (*called, *left), "{text}");
    }
}

#[tokio::test]
async fn a_sender_of_whom_nothing_can_be_learnt_still_has_a_name() {
    let server = Server::start().await;
    let mut bot = Bot::online(server.url(), Records::new()).await;
    server.say(&[
        message(1, "@@nowhere", "@x:<br/>hi"),
        message(2, "@y", "hi"),
        message(3, "@@nowhere", "no prefix"),
    ]);
    for n in 0..3 {
        let message = bot.message(n).await;
        assert!(!message.sender.name.is_empty() && !message.chat.name.is_empty(), "{message:?}");
    }
    assert_eq!(bot.message(2).await.origin, Origin::System);
}

#[tokio::test]
async fn people_and_groups_keep_their_ids_through_a_login_that_renames_them_all() {
    let server = Server::start().await;
    cars(&server);
    let mut bot = Bot::online(server.url(), Records::new()).await;
    server.say(&[
        message(1, "@@cars", "@a:<br/>a"),
        message(2, "@@cars", "@c:<br/>c"),
        message(3, "@a", "p"),
    ]);
    let (friend_before, stranger_before, private_before) =
        (bot.message(0).await, bot.message(1).await, bot.message(2).await);
    {
        let mut world = server.world();
        world.me = "@me2".to_owned();
        let renamed: Vec<(String, &str, &str)> = CARS
            .iter()
            .rev()
            .map(|(name, nick, display)| (format!("{name}2"), *nick, *display))
            .collect();
        let renamed: Vec<(&str, &str, &str)> =
            renamed.iter().map(|(name, nick, display)| (name.as_str(), *nick, *display)).collect();
        world.known = [("@@cars2".to_owned(), group("@@cars2", "车友群", &renamed))].into();
        world.contacts = vec![friend("@n", "新朋友", ""), friend("@a2", "小明", "老同学")];
        world
            .faults
            .entry("webwxinit".to_owned())
            .or_default()
            .push_back(crate::server::Fault::Ret(1101));
    }
    let mut bot = Bot::online(server.url(), bot.records).await;
    assert_eq!(bot.scans().len(), 1);
    server.say(&[
        message(4, "@@cars2", "@c2:<br/>c"),
        message(5, "@@cars2", "@a2:<br/>a"),
        message(6, "@a2", "p"),
    ]);
    let (stranger, friend, private) =
        (bot.message(0).await, bot.message(1).await, bot.message(2).await);
    assert_eq!(friend.sender.id, friend_before.sender.id);
    assert_eq!(friend.chat.id, friend_before.chat.id);
    assert_eq!(stranger.sender.id, stranger_before.sender.id);
    assert_eq!(private.chat.id, private_before.chat.id);
    bot.say(&friend_before.chat.id, "x").await.unwrap();
    assert_eq!(server.world().sent[0]["ToUserName"], "@@cars2");
}

#[tokio::test]
async fn members_come_go_and_are_named() {
    let server = Server::start().await;
    cars(&server);
    let mut bot = Bot::online(server.url(), Records::new()).await;
    server.say(&[message(1, "@@cars", "@c:<br/>hi")]);
    let gang = bot.message(0).await.sender;
    let mut more: Vec<(&str, &str, &str)> = CARS.to_vec();
    more.extend([("@e", "阿强", ""), ("@f", "阿珍", "")]);
    server.deliver(json!({
        "AddMsgList": [typed(2, 10000, "@@cars", "\"小红\"邀请\"阿强、阿珍\"加入了群聊")],
        "ModContactList": [group("@@cars", "车友群", &more)],
    }));
    let NoticeKind::Join { people } = bot.notice(1).await.kind else { panic!("no join") };
    assert_eq!(
        people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(),
        ["阿强", "阿珍"]
    );
    server.say(&[message(3, "@@cars", "@e:<br/>hi")]);
    assert_eq!(bot.message(2).await.sender.id, people[0].id);
    // One leaves by himself, one is removed with a line.
    more.retain(|(name, _, _)| !["@c", "@f"].contains(name));
    server.deliver(json!({
        "AddMsgList": [typed(4, 10000, "@@cars", "你将\"阿珍\"移出了群聊")],
        "ModContactList": [group("@@cars", "车友群", &more)],
    }));
    let NoticeKind::Leave { people: removed } = bot.notice(3).await.kind else {
        panic!("no leave")
    };
    assert_eq!(removed[0].id, people[1].id);
    let NoticeKind::Leave { people: left } = bot.notice(4).await.kind else { panic!("no leave") };
    assert_eq!(left.iter().map(|person| &person.id).collect::<Vec<_>>(), [&gang.id]);
    assert_eq!(bot.events.len(), 5, "nobody leaves twice");
}

#[tokio::test]
async fn lines_of_the_service_become_notices() {
    let server = Server::start().await;
    cars(&server);
    let mut bot = Bot::online(server.url(), Records::new()).await;
    let recall = "&lt;sysmsg type=\"revokemsg\"&gt;&lt;revokemsg&gt;&lt;msgid&gt;77&lt;/msgid&gt;&lt;replacemsg&gt;&lt;![CDATA[\"小红\" 撤回了一条消息]]&gt;&lt;/replacemsg&gt;&lt;/revokemsg&gt;&lt;/sysmsg&gt;";
    server.say(&[
        typed(1, 10000, "@@cars", "\"小红\"修改群名为“新车友群”"),
        typed(2, 10000, "@@cars", "\"小红\" 拍了拍我"),
        typed(3, 10000, "@@cars", "\"小红\" 拍了拍 \"八哥哥\""),
        typed(4, 10000, "@@cars", "\"小红\" 拍了拍 \"小刚\""),
        typed(5, 10000, "@@cars", "收到红包，请在手机上查看"),
        typed(6, 10002, "@@cars", recall),
        typed(7, 10000, "@@cars", "什么都不是"),
    ]);
    let rename = bot.notice(0).await;
    assert_eq!(
        (rename.kind, rename.chat.name.as_str()),
        (NoticeKind::Rename { name: "新车友群".to_owned() }, "新车友群")
    );
    for (n, expected) in [(1, true), (2, true), (3, false)] {
        let NoticeKind::Pat { me, .. } = bot.notice(n).await.kind else { panic!("no pat") };
        assert_eq!(me, expected, "pat {n}");
    }
    assert_eq!(bot.notice(4).await.kind, NoticeKind::RedPacket);
    let recall = bot.notice(5).await;
    assert_eq!(recall.kind, NoticeKind::Recall { message: "77".into(), original: None });
    assert_eq!(recall.person.unwrap().name, "小红");
    assert!(matches!(bot.notice(6).await.kind, NoticeKind::Raw { .. }));
}

#[tokio::test]
async fn a_friend_request_can_be_told_from_everything_else() {
    let server = Server::start().await;
    let mut bot = Bot::online(server.url(), Records::new()).await;
    let mut request = typed(1, 37, "fmessage", "&lt;msg/&gt;");
    request["RecommendInfo"] = json!({"UserName": "@new", "NickName": "阿珍", "Content": "我是车友", "Ticket": "v2_ticket"});
    server.say(&[request]);
    let notice = bot.notice(0).await;
    assert_eq!(notice.person.unwrap().name, "阿珍");
    let NoticeKind::FriendRequest { greeting, ticket } = notice.kind else { panic!("no request") };
    assert_eq!(greeting, "我是车友");
    assert!(ticket.contains("v2_ticket"));
}

#[tokio::test]
async fn a_removal_is_told_once_whichever_comes_first() {
    let server = Server::start().await;
    cars(&server);
    let mut bot = Bot::online(server.url(), Records::new()).await;
    server.say(&[message(1, "@@cars", "@c:<br/>hi")]);
    bot.events(1).await;
    let without = |gone: &[&str]| {
        let left: Vec<_> =
            CARS.iter().copied().filter(|(name, _, _)| !gone.contains(name)).collect();
        json!({"ModContactList": [group("@@cars", "车友群", &left)]})
    };
    // The list first, then the line.
    server.deliver(without(&["@c"]));
    server.say(&[typed(2, 10000, "@@cars", "你将\"小刚\"移出了群聊")]);
    // The line first, then the list.
    server.say(&[typed(3, 10000, "@@cars", "你将\"小红\"移出了群聊")]);
    server.deliver(without(&["@c", "@b"]));
    server.say(&[message(4, "@@cars", "@a:<br/>end")]);
    bot.until(|bot| bot.events.last().is_some_and(|event| event.id.as_str() == "m4")).await;
    let leavers: Vec<String> = bot
        .events
        .iter()
        .filter_map(|event| match &event.body {
            mynah_core::EventBody::Notice(notice) => Some(&notice.kind),
            _ => None,
        })
        .filter_map(|kind| match kind {
            NoticeKind::Leave { people } => {
                Some(people.iter().map(|person| person.name.clone()).collect())
            }
            _ => None,
        })
        .collect();
    assert_eq!(leavers, ["小刚", "小红"]);
}
