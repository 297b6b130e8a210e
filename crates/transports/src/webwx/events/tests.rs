//! All data of the service becomes valid events: translation never fails, and every person has a name.

use mynah_core::{EventBody, MessageKind, NoticeKind, Origin, Segment, Timestamp};
use mynah_webwx::wire::{Synced, User};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::{News, Translator, conversations, real_ids};
use crate::webwx::directory::{Directory, Facts};
use crate::webwx::needs;

const NOW: Timestamp = Timestamp::from_secs(1_700_000_000);

fn directory() -> Directory {
    let mut directory = Directory::default();
    let user = User {
        uin: 42,
        user_name: "@me".to_owned(),
        nick_name: "小助手".to_owned(),
        ..User::default()
    };
    directory.begin_login(&user);
    let group = json!({"UserName": "@@g", "NickName": "车友", "MemberList": [
        {"UserName": "@me", "NickName": "小助手", "DisplayName": "八哥"},
        {"UserName": "@a", "NickName": "小明"}, {"UserName": "@b", "NickName": "小红"},
    ]});
    directory.learn_groups(&[serde_json::from_value(group).unwrap()], NOW);
    let friend = json!({"UserName": "@a", "NickName": "小明", "ContactFlag": 3});
    directory.learn_person("@a", Facts::of(&serde_json::from_value(friend).unwrap()));
    directory
}

fn translate(directory: &mut Directory, synced: Value) -> News {
    let synced: Synced = serde_json::from_value(synced).unwrap();
    let is_echo = |id: &str| id == "900";
    Translator { directory, names: &["bot".to_owned()], is_echo: &is_echo, now: NOW }
        .translate(&synced)
}

fn said(from: &str, to: &str, kind: i64, content: &str) -> Value {
    json!({"AddMsgList": [{
        "MsgId": "7", "FromUserName": from, "ToUserName": to, "MsgType": kind, "Content": content, "CreateTime": 5,
    }]})
}

#[test]
fn every_kind_of_sender_has_its_origin() {
    let mut directory = directory();
    let official =
        json!({"UserName": "@o", "NickName": "日报", "VerifyFlag": 24, "ContactFlag": 3});
    directory.learn_person("@o", Facts::of(&serde_json::from_value(official).unwrap()));
    for (from, to, content, origin) in [
        ("@a", "@me", "hi", Origin::Person),
        ("@stranger", "@me", "hi", Origin::Person),
        ("@o", "@me", "news", Origin::Official),
        ("weixin", "@me", "hi", Origin::System),
        ("newsapp", "@me", "&lt;xml/&gt;", Origin::System),
        ("@me", "@a", "hi", Origin::Oneself),
        ("", "@a", "hi", Origin::Oneself),
        ("@me", "@@g", "hi", Origin::Oneself),
        ("@me", "filehelper", "hi", Origin::Oneself),
        ("@me", "@me", "hi", Origin::Oneself),
        ("@@g", "@me", "@b:<br/>hi", Origin::Person),
        ("@@g", "@me", "@me:<br/>hi", Origin::Oneself),
        ("@@g", "@me", "hi", Origin::System),
    ] {
        let news = translate(&mut directory, said(from, to, 1, content));
        let message = news.events[0].message().unwrap();
        assert_eq!(message.origin, origin, "{from} to {to}");
        assert!(!message.sender.name.is_empty() && !message.chat.name.is_empty(), "{message:?}");
        assert_eq!(message.chat.is_group(), from == "@@g" || to == "@@g");
    }
}

#[test]
fn a_time_that_cannot_be_one_means_now() {
    let now = NOW.as_millis() / 1000;
    for (created, expected) in [
        (now - 3600, now - 3600),
        (now + 5, now + 5),
        (0, now),
        (-1, now),
        (now * 1000, now),
        (i64::MAX, now),
        (i64::MIN, now),
    ] {
        let mut synced = said("@a", "@me", 1, "hi");
        synced["AddMsgList"][0]["CreateTime"] = json!(created);
        let news = translate(&mut directory(), synced);
        assert_eq!(news.events[0].time, Timestamp::from_secs(expected), "{created}");
    }
}

#[test]
fn a_quoted_reply_is_a_quote_and_the_words_of_its_sender() {
    let mut directory = directory();
    let dashes = "- - - - - - - - - - - - - - -";
    for (content, name, quoted, text, called) in [
        (
            format!("@b:<br/>「小明：多少钱」<br/>{dashes}<br/>谢谢"),
            "小明",
            "多少钱",
            "谢谢",
            false,
        ),
        (
            format!("@b:<br/>「小明：@八哥 在吗」<br/>{dashes}<br/>不在"),
            "小明",
            "@八哥 在吗",
            "不在",
            false,
        ),
        (
            format!("@b:<br/>「小明：你们好」<br/>{dashes}<br/>@八哥 在吗"),
            "小明",
            "你们好",
            "在吗",
            true,
        ),
        (format!("@b:<br/>「小明：a&lt;b」\n{dashes}\n好"), "小明", "a<b", "好", false),
    ] {
        let news = translate(&mut directory, said("@@g", "@me", 1, &content));
        let message = news.events[0].message().unwrap();
        let quote =
            Segment::Quote { message: None, sender: name.to_owned(), text: quoted.to_owned() };
        assert_eq!(message.content.0[0], quote, "{content}");
        assert_eq!((message.text.as_str(), message.called), (text, called), "{content}");
        assert_eq!(message.kind(), MessageKind::Text);
    }
}

#[test]
fn what_is_no_message_of_people_is_none() {
    let mut directory = directory();
    let accepted = translate(
        &mut directory,
        said("@a", "@me", 1, "我通过了你的朋友验证请求，现在我们可以开始聊天了"),
    );
    assert!(
        matches!(&accepted.events[0].body, EventBody::Notice(n) if matches!(n.kind, NoticeKind::Raw { .. }))
    );
    for kind in [51, 9999] {
        assert!(
            translate(&mut directory, said("@a", "@me", kind, "x")).events.is_empty(),
            "{kind}"
        );
    }
    let mut echo = said("@me", "@a", 1, "x");
    echo["AddMsgList"][0]["MsgId"] = "900".into();
    assert!(translate(&mut directory, echo).events.is_empty());
    let packet = json!({"AddMsgList": [{"MsgId": "8", "FromUserName": "@a", "ToUserName": "@me", "MsgType": 49, "AppMsgType": 2001}]});
    let packet = translate(&mut directory, packet);
    assert!(
        matches!(&packet.events[0].body, EventBody::Notice(n) if n.kind == NoticeKind::RedPacket)
    );
}

#[test]
fn own_recalls_are_no_recalls_to_answer() {
    let mut directory = directory();
    let recall = |id: &str, line: &str| {
        format!(
            "&lt;sysmsg type=\"revokemsg\"&gt;&lt;revokemsg&gt;&lt;msgid&gt;{id}&lt;/msgid&gt;&lt;replacemsg&gt;{line}&lt;/replacemsg&gt;&lt;/revokemsg&gt;&lt;/sysmsg&gt;"
        )
    };
    for (from, to, id, line, answerable) in [
        ("@a", "@me", "5", "\"小明\" 撤回了一条消息", true),
        ("@@g", "@me", "5", "\"小红\" 撤回了一条消息", true),
        ("@me", "@a", "5", "你撤回了一条消息", false),
        // For own ones the service sometimes swaps the two.
        ("@a", "@me", "5", "你撤回了一条消息", false),
        ("@a", "@me", "0", "You recalled a message", false),
    ] {
        let news = translate(&mut directory, said(from, to, 10002, &recall(id, line)));
        let EventBody::Notice(notice) = &news.events[0].body else { panic!("no notice") };
        assert_eq!(
            matches!(notice.kind, NoticeKind::Recall { .. }),
            answerable,
            "{line}: {notice:?}"
        );
    }
}

#[test]
fn a_line_made_of_a_template_is_read_like_any_other() {
    let mut directory = directory();
    let xml = "<sysmsg type=\"sysmsgtemplate\"><sysmsgtemplate><content_template><template>\"$username$\"邀请\"$names$\"加入了群聊</template><link_list><link name=\"username\"><memberlist><member><nickname>小红</nickname></member></memberlist></link><link name=\"names\"><memberlist><member><nickname>甲</nickname></member><member><nickname>乙</nickname></member></memberlist><separator>、</separator></link></link_list></content_template></sysmsgtemplate></sysmsg>";
    let escaped = xml.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    let news = translate(&mut directory, said("@@g", "@me", 10002, &escaped));
    let EventBody::Notice(notice) = &news.events[0].body else { panic!("no notice") };
    let NoticeKind::Join { people } = &notice.kind else { panic!("{notice:?}") };
    assert_eq!(people.iter().map(|person| person.name.as_str()).collect::<Vec<_>>(), ["甲", "乙"]);
}

fn escaped(xml: &str) -> String {
    xml.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

fn notice(news: &News) -> &mynah_core::Notice {
    let EventBody::Notice(notice) = &news.events[0].body else { panic!("no notice: {news:?}") };
    notice
}

#[test]
fn system_xml_with_a_text_is_read_like_a_line() {
    let mut directory = directory();
    let xml = "<sysmsg type=\"delchatroommember\"><delchatroommember><plain><![CDATA[你邀请\"李雷、韩梅梅\"加入了群聊  ]]></plain><text><![CDATA[你邀请\"李雷、韩梅梅\"加入了群聊  ]]></text><link><text><![CDATA[  撤销]]></text></link></delchatroommember></sysmsg>";
    let news = translate(&mut directory, said("@@g", "@me", 10002, &escaped(xml)));
    let NoticeKind::Join { people } = &notice(&news).kind else { panic!("{news:?}") };
    let names: Vec<&str> = people.iter().map(|person| person.name.as_str()).collect();
    assert_eq!(names, ["李雷", "韩梅梅"]);
    let asked = "<sysmsg type=\"NewXmlChatRoomAccessVerifyApplication\"><NewXmlChatRoomAccessVerifyApplication><text><![CDATA[\"老王\"想邀请1位朋友加入群聊]]></text></NewXmlChatRoomAccessVerifyApplication></sysmsg>";
    let news = translate(&mut directory, said("@@g", "@me", 10002, &escaped(asked)));
    let NoticeKind::Raw { text, .. } = &notice(&news).kind else { panic!("{news:?}") };
    assert_eq!(text, "\"老王\"想邀请1位朋友加入群聊");
    let other = "<sysmsg type=\"roomtools\"><roomtools><text>公告</text></roomtools></sysmsg>";
    let news = translate(&mut directory, said("@@g", "@me", 10002, &escaped(other)));
    let NoticeKind::Raw { kind, text } = &notice(&news).kind else { panic!("{news:?}") };
    assert_eq!((kind.as_str(), text.as_str()), ("system:roomtools", "公告"));
}

#[test]
fn a_pat_as_xml_says_who_patted_whom() {
    let mut directory = directory();
    directory.learn_real_id("@a", "wxid_a");
    let pat = |by: &str, whom: &str, template: &str| {
        escaped(&format!(
            "<sysmsg type=\"pat\"><pat><fromusername>{by}</fromusername><chatusername>1@chatroom</chatusername><pattedusername>{whom}</pattedusername><template><![CDATA[{template}]]></template></pat></sysmsg>"
        ))
    };
    for (by, whom, template, expected) in [
        ("wxid_a", "wxid_me", "\"${wxid_a}\" 拍了拍我", ("小明", true)),
        ("@b", "@me", "\"${@b}\" 拍了拍 \"${@me}\"", ("小红", true)),
        ("@b", "@a", "\"${@b}\" 拍了拍 \"${@a}\" 的头", ("小红", false)),
    ] {
        let news = translate(&mut directory, said("@@g", "@me", 10002, &pat(by, whom, template)));
        let notice = notice(&news);
        let NoticeKind::Pat { me, text } = &notice.kind else { panic!("{news:?}") };
        let name = notice.person.as_ref().unwrap().name.as_str();
        assert_eq!((name, *me), expected, "{text}");
        assert!(!text.contains("${"), "{text}");
    }
    let private = pat("wxid_a", "wxid_me", "\"${wxid_a}\" 拍了拍我");
    let news = translate(&mut directory, said("@a", "@me", 10002, &private));
    assert!(matches!(notice(&news).kind, NoticeKind::Pat { me: true, .. }), "{news:?}");
}

#[test]
fn a_friend_request_is_never_from_the_account_itself() {
    let mut directory = directory();
    let attributes = "<msg fromusername=\"wxid_l\" encryptusername=\"v3_x@stranger\" fromnickname=\"李雷\" content=\"你好\" scene=\"17\" ticket=\"v4_x@stranger\" opcode=\"2\"/>";
    let mut request = said("fmessage", "@me", 37, &escaped(attributes));
    request["AddMsgList"][0]["RecommendInfo"] = Value::Null;
    let news = translate(&mut directory, request);
    let NoticeKind::FriendRequest { greeting, ticket } = &notice(&news).kind else {
        panic!("{news:?}")
    };
    assert_eq!((greeting.as_str(), ticket.as_str()), ("你好", "v3_x@stranger v4_x@stranger"));
    assert_eq!(notice(&news).person.as_ref().unwrap().name, "李雷");
    assert_ne!(notice(&news).chat.id.as_str(), "me");
    let nobody = said("fmessage", "@me", 37, "&lt;msg/&gt;");
    let mut oneself = nobody.clone();
    oneself["AddMsgList"][0]["RecommendInfo"] = json!({"UserName": "@me", "NickName": "小助手"});
    for request in [nobody, oneself] {
        let news = translate(&mut directory, request);
        assert!(matches!(&notice(&news).kind, NoticeKind::Raw { .. }), "{news:?}");
        assert_ne!(notice(&news).chat.id.as_str(), "me");
    }
}

#[test]
fn a_line_about_joining_that_is_not_understood_is_told_by_its_form() {
    let mut directory = directory();
    let news = translate(&mut directory, said("@@g", "@me", 10000, "小明带着\"Tim\"跳进来加入了"));
    assert_eq!(news.unread_joins, ["…带着“…”跳进来加入了"]);
    for known in [
        "\"小明\"邀请\"Tim\"加入了群聊",
        "\"老王\"想邀请1位朋友加入群聊",
        "收到红包，请在手机上查看",
    ] {
        assert!(
            translate(&mut directory, said("@@g", "@me", 10000, known)).unread_joins.is_empty()
        );
    }
}

#[test]
fn conversations_are_paired_with_real_ids_only_where_they_fit() {
    let notice = |names: &str, real: &str| {
        let content = format!(
            "&lt;msg&gt;&lt;op id='4'&gt;&lt;username&gt;{real}&lt;/username&gt;&lt;/op&gt;&lt;/msg&gt;"
        );
        let notice = json!({"MsgType": 51, "StatusNotifyCode": 4, "StatusNotifyUserName": names, "Content": content});
        serde_json::from_value::<mynah_webwx::wire::Message>(notice).unwrap()
    };
    let fits = notice("@a,@@g", "wxid_a,1@chatroom");
    let pairs = [("@a", "wxid_a".to_owned()), ("@@g", "1@chatroom".to_owned())];
    assert_eq!(real_ids(&fits), pairs);
    assert_eq!(conversations(&fits).collect::<Vec<_>>(), ["@a", "@@g"]);
    assert!(real_ids(&notice("@a,@@g", "wxid_a")).is_empty(), "other lengths say nothing");
    assert!(real_ids(&notice("@a", "1@chatroom")).is_empty(), "a group is no person");
}

fn name() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "@me",
        "@a",
        "@b",
        "@x",
        "@@g",
        "@@new",
        "filehelper",
        "fmessage",
        "",
        "?",
        "1@chatroom",
    ])
}

fn content() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "@a:<br/>",
        "@x:<br/>",
        "hi",
        "@八哥\u{2005}",
        "@bot ",
        "&lt;",
        "&amp;",
        "<br/>",
        "\"小红\"",
        "邀请",
        "加入了群聊",
        "拍了拍",
        "我",
        "你将\"小明\"移出了群聊",
        "修改群名为“T”",
        "&lt;sysmsg&gt;&lt;revokemsg&gt;&lt;msgid&gt;5",
        "撤回了一条消息",
        "<span class=\"emoji emoji1f604\"></span>",
        "\u{0}",
        "、",
        "发送消息过于频繁",
        "&lt;msg&gt;&lt;op&gt;&lt;username&gt;wxid_1",
    ]);
    prop_oneof![prop::collection::vec(pieces, 0..6).prop_map(|pieces| pieces.concat()), ".{0,30}"]
}

fn message() -> impl Strategy<Value = Value> {
    let kind = prop::sample::select(vec![
        1, 3, 34, 37, 42, 43, 47, 48, 49, 50, 51, 62, 9999, 10000, 10002, 0, -5,
    ]);
    let app = prop::sample::select(vec![0, 5, 6, 33, 57, 2000, 2001, 77]);
    (name(), name(), kind, app, content(), 0..3_u64, name()).prop_map(|(from, to, kind, app, content, id, other)| {
        json!({
            "MsgId": if id == 0 { String::new() } else { id.to_string() }, "FromUserName": from, "ToUserName": to,
            "MsgType": kind, "AppMsgType": app, "Content": content, "CreateTime": id,
            "StatusNotifyUserName": other, "RecommendInfo": {"UserName": other, "NickName": content},
        })
    })
}

fn contact() -> impl Strategy<Value = Value> {
    let member =
        (name(), content()).prop_map(|(name, nick)| json!({"UserName": name, "NickName": nick}));
    (name(), content(), 0..4_i64, prop::collection::vec(member, 0..4)).prop_map(|(name, nick, flag, members)| {
        json!({"UserName": name, "NickName": nick, "ContactFlag": flag, "MemberList": members})
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_answer_is_translated_and_the_same_way_each_time(
        messages in prop::collection::vec(message(), 0..4),
        changed in prop::collection::vec(contact(), 0..3),
        deleted in prop::collection::vec(name(), 0..2),
    ) {
        let deleted: Vec<Value> = deleted.into_iter().map(|name| json!({"UserName": name})).collect();
        let synced = json!({"AddMsgList": messages, "ModContactList": changed, "DelContactList": deleted});
        let mut first = directory();
        let parsed: Synced = serde_json::from_value(synced.clone()).unwrap();
        let asked = needs::of(&parsed, &first, NOW);
        prop_assert!(asked.len() <= messages.len() && asked.iter().all(|need| !need.name.is_empty()));
        let news = translate(&mut first, synced.clone());
        let ids = |news: &News| news.events.iter().map(|event| event.id.clone()).collect::<Vec<_>>();
        for event in &news.events {
            prop_assert!(event.chat().is_some_and(|chat| !chat.name.is_empty()));
            prop_assert!(event.person().is_none_or(|person| !person.name.is_empty()), "{:?}", event);
        }
        prop_assert_eq!(ids(&translate(&mut directory(), synced)), ids(&news));
    }
}
