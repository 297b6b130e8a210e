//! Against the sandbox, whose people can do everything that a phone can do.

use std::collections::BTreeSet;
use std::time::Duration;

use mynah_core::{
    Action, Content, Event, EventBody, MediaRef, NoticeKind, Origin, Records, Segment, SendError,
    Status,
};
use mynah_sandbox::{Fault, FaultKind, Options, Sandbox, SandboxAction, SandboxActionKind, World};
use serde_json::json;

use crate::bot::Bot;

const GROUP: &str = "水果店客户群";

async fn sandbox() -> Sandbox {
    start(Options::default()).await
}

async fn start(options: Options) -> Sandbox {
    Sandbox::start(Options { auto_confirm: true, hold: Duration::from_millis(500), ..options })
        .await
        .unwrap()
}

async fn played() -> (Sandbox, Bot) {
    let sandbox = sandbox().await;
    let bot = Bot::online(sandbox.url().to_owned(), Records::new()).await;
    (sandbox, bot)
}

fn does(sandbox: &Sandbox, act: serde_json::Value) {
    let act: SandboxAction = serde_json::from_value(act).unwrap();
    sandbox.act(act).unwrap();
}

#[tokio::test]
async fn everything_that_people_send_arrives_as_what_it_is() {
    let (sandbox, mut bot) = played().await;
    let deeds = [
        (json!({"act": "say", "text": "hi"}), "text"),
        (json!({"act": "picture"}), "image"),
        (json!({"act": "voice"}), "voice"),
        (json!({"act": "video"}), "video"),
        (json!({"act": "file", "name": "报表.txt", "data": "aGk="}), "file"),
        (json!({"act": "sticker"}), "emoji"),
        (json!({"act": "card", "person": "Alice"}), "card"),
        (json!({"act": "link", "title": "t", "url": "https://x.cn/?a=1&b=2"}), "link"),
        (
            json!({"act": "location", "label": "人民广场", "latitude": 31.2, "longitude": 121.5}),
            "location",
        ),
        (json!({"act": "mini_program", "title": "点单"}), "other"),
        (json!({"act": "chat_history", "title": "记录"}), "other"),
        (json!({"act": "transfer", "amount": "￥8.88"}), "other"),
        (json!({"act": "raw", "msg_type": 4711, "content": "?"}), "other"),
    ];
    for (deed, _) in &deeds {
        for group in [Some(GROUP), None] {
            let mut act = deed.clone();
            act["from"] = "小红".into();
            act["group"] = group.into();
            does(&sandbox, act);
        }
    }
    for (n, (deed, kind)) in deeds.iter().flat_map(|deed| [deed, deed]).enumerate() {
        let message = bot.message(n).await;
        assert_eq!(message.kind().word(), *kind, "{deed}: {message:?}");
        assert_eq!(
            (message.sender.name.as_str(), message.origin),
            ("小红", Origin::Person),
            "{deed}"
        );
        if let Some(media) = message.content.0.iter().find_map(Segment::media) {
            let bytes = bot.service.media(media, 1 << 20).await.unwrap();
            assert!(!bytes.is_empty(), "{deed}");
            let small = bot.service.media(media, 1).await;
            assert!(small.is_err(), "{deed}");
        }
    }
    let place = bot.message(16).await.content;
    assert_eq!(
        place.0,
        [Segment::Location { label: "人民广场".to_owned(), latitude: 31.2, longitude: 121.5 }]
    );
    let link = bot.message(14).await.content;
    assert!(
        matches!(&link.0[0], Segment::Link { url, .. } if url == "https://x.cn/?a=1&b=2"),
        "{link:?}"
    );
}

#[tokio::test]
async fn what_happens_in_a_group_is_told_in_both_languages() {
    for language in ["zh", "en"] {
        let world = format!(
            "language = \"{language}\"\n[me]\nname = \"小助手\"\n[[person]]\nname = \"小红\"\n[[group]]\nname = \"G\"\nmembers = [\"小红\", \"Bob\"]\n"
        );
        let world = World::from_toml(&world).unwrap();
        let sandbox = start(Options { world, ..Options::default() }).await;
        let mut bot = Bot::online(sandbox.url().to_owned(), Records::new()).await;
        does(&sandbox, json!({"act": "say", "from": "小红", "group": "G", "text": "hi"}));
        bot.events(1).await;
        for act in [
            json!({"act": "join", "from": "Carl", "by": "小红"}),
            json!({"act": "join", "from": "Dora"}),
            json!({"act": "join", "from": "Emil", "by": "小助手"}),
            json!({"act": "pat", "from": "小红", "target": "小助手"}),
            json!({"act": "pat", "from": "小红", "target": "Bob", "suffix": "的头"}),
            json!({"act": "red_packet", "from": "小红"}),
            json!({"act": "remove", "from": "小助手", "person": "Carl"}),
            json!({"act": "leave", "from": "Dora"}),
            json!({"act": "recall", "from": "小红"}),
            json!({"act": "rename", "from": "小红", "name": "新群"}),
        ] {
            let mut act = act;
            act["group"] = "G".into();
            let before = bot.events.len();
            does(&sandbox, act);
            bot.events(before + 1).await;
        }
        let told: Vec<String> = bot.events[1..].iter().map(told).collect();
        let expected = [
            "join Carl",
            "join Dora",
            "join Emil",
            "pat me",
            "pat",
            "red_packet",
            "leave Carl",
            "leave Dora",
            "recall 小红",
            "rename 新群",
        ];
        assert_eq!(told, expected, "{language}: {:#?}", bot.events);
    }
}

/// A notice in a few words.
fn told(event: &Event) -> String {
    let EventBody::Notice(notice) = &event.body else { return format!("{event:?}") };
    let names = |people: &[mynah_core::Person]| {
        people.iter().map(|person| person.name.clone()).collect::<Vec<_>>().join(" ")
    };
    match &notice.kind {
        NoticeKind::Join { people } => format!("join {}", names(people)),
        NoticeKind::Leave { people } => format!("leave {}", names(people)),
        NoticeKind::Rename { name } => format!("rename {name}"),
        NoticeKind::Pat { me: true, .. } => "pat me".to_owned(),
        NoticeKind::Pat { me: false, .. } => "pat".to_owned(),
        NoticeKind::RedPacket => "red_packet".to_owned(),
        NoticeKind::Recall { .. } => {
            format!(
                "recall {}",
                notice.person.as_ref().map(|person| person.name.as_str()).unwrap_or_default()
            )
        }
        other => format!("{other:?}"),
    }
}

#[tokio::test]
async fn a_new_login_with_new_names_for_all_changes_no_id() {
    let (sandbox, mut bot) = played().await;
    let speakers = ["小红", "老王", "Alice", "小明🍎", "阿杰", "周周"];
    let said = |sandbox: &Sandbox| {
        for speaker in speakers {
            sandbox.say(speaker, Some(GROUP), "hi");
        }
        sandbox.say("李雷 & 韩梅梅", None, "hi");
        sandbox.say("小红", Some("周末爬山"), "hi");
        sandbox.say("Alice", Some(""), "hi");
    };
    said(&sandbox);
    bot.events(9).await;
    let ids = |bot: &Bot, from: usize| -> Vec<(String, String)> {
        let messages = bot.events[from..].iter().filter_map(Event::message);
        messages
            .map(|message| (message.chat.id.to_string(), message.sender.id.to_string()))
            .collect()
    };
    let before = ids(&bot, 0);
    assert_eq!(
        before.iter().map(|(_, sender)| sender).collect::<BTreeSet<_>>().len(),
        7,
        "{before:?}"
    );
    let names = bot.records.clone();
    sandbox.end_session(1101);
    bot.until(|bot| matches!(bot.statuses.last(), Some(Status::Offline { .. }))).await;
    bot.until_online().await;
    assert_ne!(bot.records["session"], names["session"]);
    said(&sandbox);
    bot.events(18).await;
    assert_eq!(ids(&bot, 9), before);
    bot.say(&before[0].0.as_str().into(), "再见").await.unwrap();
    assert_eq!(sandbox.sent().last().unwrap().to_name, GROUP);
}

#[tokio::test]
async fn while_the_contacts_of_a_new_login_are_read_everybody_can_be_named() {
    let (sandbox, mut bot) = played().await;
    let before = bot.service.chats();
    let knows = |bot: &Bot| bot.service.chats().iter().any(|chat| chat.name == "小红");
    assert!(knows(&bot));
    sandbox.fault(Fault::new("webwxgetcontact", FaultKind::Status));
    sandbox.end_session(1101);
    does(&sandbox, json!({"act": "unfriend", "from": "小红"}));
    let is_reading = |status: &Status| matches!(status, Status::Offline { detail, .. } if detail.contains("webwxgetcontact"));
    bot.until(|bot| bot.statuses.last().is_some_and(is_reading)).await;
    assert_eq!(bot.service.chats(), before);
    bot.until_online().await;
    assert!(!knows(&bot), "now it is known who is there");
}

#[tokio::test]
async fn whatever_the_bot_sends_arrives_and_can_be_recalled() {
    let (sandbox, bot) = played().await;
    let folder = tempfile::tempdir().unwrap();
    let chat = bot.chat("王老板");
    let mut last = None;
    for (name, kind) in [("图 片.png", "image"), ("a.mp4", "video"), ("说明书.pdf", "file")] {
        let path = folder.path().join(name);
        std::fs::write(&path, vec![7; 600_000]).unwrap();
        let media = MediaRef::file(path);
        let segment = match kind {
            "image" => Segment::Image(media),
            "video" => Segment::Video(media),
            _ => Segment::File(media),
        };
        let receipt =
            bot.act(&chat, Action::Send { content: Content(vec![segment]) }, 1).await.unwrap();
        let sent = sandbox.sent().last().cloned().unwrap();
        assert_eq!((sent.kind.as_str(), sent.to_name.as_str()), (kind, "老王"));
        last = receipt.message;
    }
    assert_eq!(sandbox.sent().last().unwrap().text, "说明书.pdf");
    bot.act(&chat, Action::Recall { message: last.unwrap(), sender: None }, 1).await.unwrap();
    assert!(sandbox.sent().last().unwrap().recalled);
    let missing = Segment::File(MediaRef::file(folder.path().join("missing")));
    let refused = bot.act(&chat, Action::Send { content: Content(vec![missing]) }, 1).await;
    assert!(matches!(refused, Err(SendError::Refused { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_picture_goes_on_to_another_chat() {
    let (sandbox, mut bot) = played().await;
    does(&sandbox, json!({"act": "picture", "from": "小红", "group": GROUP}));
    let content = bot.message(0).await.content;
    bot.act(&bot.chat("王老板"), Action::Send { content }, 1).await.unwrap();
    let sent = sandbox.sent();
    assert_eq!((sent[0].kind.as_str(), sent[0].to_name.as_str()), ("image", "老王"));
}

#[tokio::test]
async fn a_friend_request_is_accepted_and_the_friend_is_the_one_who_asked() {
    let (sandbox, mut bot) = played().await;
    does(&sandbox, json!({"act": "friend_request", "from": "新人", "text": "我是车友"}));
    let notice = bot.notice(0).await;
    let NoticeKind::FriendRequest { greeting, ticket } = notice.kind else { panic!("{notice:?}") };
    assert_eq!(greeting, "我是车友");
    bot.act(&notice.chat.id, Action::AcceptFriend { ticket }, 1).await.unwrap();
    bot.say(&notice.chat.id, "你好").await.unwrap();
    assert_eq!(sandbox.sent().last().unwrap().to_name, "新人");
    sandbox.say("新人", None, "谢谢");
    bot.until(|bot| bot.events.iter().any(|event| event.message().is_some())).await;
    let message = bot.events.iter().find_map(Event::message).unwrap();
    assert_eq!(message.sender.id, notice.person.unwrap().id);
    assert_eq!(message.chat.id, notice.chat.id);
}

/// The sender of the only message so far.
async fn sender(bot: &mut Bot, n: usize) -> mynah_core::Person {
    bot.message(n).await.sender
}

#[tokio::test]
async fn only_the_owner_of_a_group_removes_members_and_the_line_about_it_arrives() {
    let (sandbox, mut bot) = played().await;
    does(&sandbox, json!({"act": "say", "text": "代购", "from": "小红", "group": GROUP}));
    let person = sender(&mut bot, 0).await;
    let group = bot.chat(GROUP);
    let kick = || Action::Kick { person: person.clone() };
    let refused = bot.act(&group, kick(), 1).await.unwrap_err();
    assert!(
        matches!(&refused, SendError::Refused { reason } if reason.contains("only the owner of a group")),
        "{refused:?}"
    );
    does(&sandbox, json!({"act": "own", "from": "小助手", "group": GROUP}));
    does(&sandbox, json!({"act": "say", "text": "在吗", "from": "老王", "group": GROUP}));
    let owner = sender(&mut bot, 1).await;
    bot.act(&group, kick(), 1).await.unwrap();
    let notice = bot.notice(2).await;
    let NoticeKind::Leave { people } = notice.kind else { panic!("{notice:?}") };
    assert_eq!((people[0].id.clone(), people[0].name.as_str()), (person.id.clone(), "小红"));
    assert_ne!(owner.id, person.id);
}

#[tokio::test]
async fn friends_join_a_small_group_at_once_and_get_a_card_for_a_large_one() {
    let (sandbox, mut bot) = played().await;
    let large: Vec<String> = (0..40).map(|n| format!("群友{n}")).collect();
    does(&sandbox, json!({"act": "new_group", "from": "小红", "group": "大群", "members": large}));
    does(
        &sandbox,
        json!({"act": "new_group", "from": "小红", "group": "小群", "members": ["小红"]}),
    );
    does(&sandbox, json!({"act": "say", "text": "进群", "from": "Alice"}));
    bot.until(|bot| bot.events.iter().any(|event| event.message().is_some())).await;
    let person = bot.events.iter().find_map(Event::message).unwrap().sender.clone();
    let invite = || Action::Invite { person: person.clone() };
    bot.act(&bot.chat("小群"), invite(), 1).await.unwrap();
    bot.until(|bot| bot.events.iter().any(|event| joined(event, "Alice"))).await;
    let again = bot.act(&bot.chat("小群"), invite(), 1).await;
    assert!(
        matches!(&again, Err(SendError::Refused { reason }) if reason.contains("already")),
        "{again:?}"
    );
    bot.act(&bot.chat("大群"), invite(), 1).await.unwrap();
    let (chat, ..) = sandbox.chat("Alice").unwrap();
    let talk = format!("{:?}", sandbox.state(Some(&chat), None, 10));
    assert!(talk.contains("邀请你加入群聊"), "{talk}");
}

#[tokio::test]
async fn a_message_to_a_group_that_the_account_was_removed_from_is_given_up_or_waits() {
    let (sandbox, mut bot) = played().await;
    does(&sandbox, json!({"act": "say", "text": "在吗", "from": "小红", "group": GROUP}));
    bot.message(0).await;
    let group = bot.chat(GROUP);
    does(&sandbox, json!({"act": "remove", "from": "老王", "group": GROUP, "person": "小助手"}));
    let gone = bot.say(&group, "x").await;
    let is_defined = matches!(gone, Err(SendError::Refused { .. } | SendError::NotSent { .. }));
    assert!(is_defined, "{gone:?}");
}

fn joined(event: &Event, name: &str) -> bool {
    let EventBody::Notice(notice) = &event.body else { return false };
    matches!(&notice.kind, NoticeKind::Join { people } if people.iter().any(|one| one.name == name))
}

#[tokio::test]
async fn faults_lose_nothing_and_change_no_order() {
    let (sandbox, mut bot) = played().await;
    let faults = [
        ("status", json!(502)),
        ("reset", json!(null)),
        ("lost", json!(null)),
        ("cut", json!(null)),
        ("garbage", json!(null)),
        ("duplicate", json!(null)),
        ("retcode", json!(-1)),
    ];
    let mut said = 0;
    for call in ["webwxsync", "synccheck", "webwxbatchgetcontact"] {
        for (fault, value) in &faults {
            let fault: Fault =
                serde_json::from_value(json!({"path": call, "fault": fault, "value": value}))
                    .unwrap();
            sandbox.fault(fault);
            for _ in 0..2 {
                sandbox.say("阿杰", Some(GROUP), &format!("n{said}"));
                said += 1;
            }
            let expected: Vec<String> = (0..said).map(|n| format!("n{n}")).collect();
            bot.until(|bot| distinct(&bot.events).len() >= said).await;
            assert_eq!(distinct(&bot.events), expected, "{call}");
            sandbox.clear_faults();
        }
    }
}

/// The texts in order, each event once as the store would have it.
fn distinct(events: &[Event]) -> Vec<String> {
    let mut seen = BTreeSet::new();
    let new = events.iter().filter(|event| seen.insert(event.id.clone()));
    new.filter_map(Event::message).map(|message| message.text.clone()).collect()
}

#[tokio::test]
async fn a_service_that_was_away_is_found_again() {
    let (sandbox, mut bot) = played().await;
    sandbox.say("小红", None, "a");
    bot.events(1).await;
    let address = sandbox.url().strip_prefix("http://").unwrap().parse().unwrap();
    let world = sandbox.kill().await;
    bot.until(|bot| matches!(bot.statuses.last(), Some(Status::Offline { .. }))).await;
    let sandbox = start(Options { world, listen: address, ..Options::default() }).await;
    sandbox.say("小红", None, "b");
    assert_eq!(bot.message(1).await.text, "b");
    assert!(matches!(bot.statuses.last(), Some(Status::Online { .. })));
}

#[tokio::test]
async fn echoes_of_own_messages_are_dropped() {
    let sandbox = start(Options { echo: true, ..Options::default() }).await;
    let mut bot = Bot::online(sandbox.url().to_owned(), Records::new()).await;
    bot.say(&bot.chat("王老板"), "x").await.unwrap();
    sandbox.say("小红", None, "y");
    assert_eq!(bot.message(0).await.text, "y");
    let kind =
        SandboxActionKind::Say { text: "from the phone".to_owned(), to: Some("小红".to_owned()) };
    sandbox.act(SandboxAction { from: "小助手".to_owned(), group: None, kind }).unwrap();
    assert_eq!(bot.message(1).await.origin, Origin::Oneself);
}
