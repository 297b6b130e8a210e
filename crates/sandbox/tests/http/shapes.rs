//! The exact JSON types of the answers: a client in a typed language rejects a whole answer for one wrong type.
//!
//! Every object is checked both ways: each field of the table is present with its type, and there are no other
//! fields.

use serde_json::{Map, Value, json};

use super::{client::Client, quick, story};

/// The type of a field.
#[derive(Clone, Copy)]
enum Kind {
    Number,
    Text,
    /// A list whose entries have this shape.
    List(Shape),
    Object(Shape),
}

type Shape = &'static [(&'static str, Kind)];

use Kind::{List, Number, Object, Text};

const BASE: Kind = Object(&[("Ret", Number), ("ErrMsg", Text)]);
const BUFF: Kind = Object(&[("Buff", Text)]);
const SYNC_KEY: Kind =
    Object(&[("Count", Number), ("List", List(&[("Key", Number), ("Val", Number)]))]);

const MEMBER: Shape = &[
    ("Uin", Number),
    ("UserName", Text),
    ("NickName", Text),
    ("AttrStatus", Number),
    ("PYInitial", Text),
    ("PYQuanPin", Text),
    ("RemarkPYInitial", Text),
    ("RemarkPYQuanPin", Text),
    ("MemberStatus", Number),
    ("DisplayName", Text),
    ("KeyWord", Text),
];

const CONTACT: Shape = &[
    ("Uin", Number),
    ("UserName", Text),
    ("NickName", Text),
    ("HeadImgUrl", Text),
    ("ContactFlag", Number),
    ("MemberCount", Number),
    ("MemberList", List(MEMBER)),
    ("RemarkName", Text),
    ("HideInputBarFlag", Number),
    ("Sex", Number),
    ("Signature", Text),
    ("VerifyFlag", Number),
    ("OwnerUin", Number),
    ("PYInitial", Text),
    ("PYQuanPin", Text),
    ("RemarkPYInitial", Text),
    ("RemarkPYQuanPin", Text),
    ("StarFriend", Number),
    ("AppAccountFlag", Number),
    ("Statues", Number),
    ("AttrStatus", Number),
    ("Province", Text),
    ("City", Text),
    ("Alias", Text),
    ("SnsFlag", Number),
    ("UniFriend", Number),
    ("DisplayName", Text),
    ("ChatRoomId", Number),
    ("KeyWord", Text),
    ("EncryChatRoomId", Text),
    ("IsOwner", Number),
];

const MOD_CONTACT: Shape = &[
    ("UserName", Text),
    ("NickName", Text),
    ("Sex", Number),
    ("HeadImgUpdateFlag", Number),
    ("ContactType", Number),
    ("Alias", Text),
    ("ChatRoomOwner", Text),
    ("HeadImgUrl", Text),
    ("ContactFlag", Number),
    ("MemberCount", Number),
    ("MemberList", List(MEMBER)),
    ("HideInputBarFlag", Number),
    ("Signature", Text),
    ("VerifyFlag", Number),
    ("RemarkName", Text),
    ("Statues", Number),
    ("AttrStatus", Number),
    ("Province", Text),
    ("City", Text),
    ("SnsFlag", Number),
    ("KeyWord", Text),
];

const USER: Shape = &[
    ("Uin", Number),
    ("UserName", Text),
    ("NickName", Text),
    ("HeadImgUrl", Text),
    ("RemarkName", Text),
    ("PYInitial", Text),
    ("PYQuanPin", Text),
    ("RemarkPYInitial", Text),
    ("RemarkPYQuanPin", Text),
    ("HideInputBarFlag", Number),
    ("StarFriend", Number),
    ("Sex", Number),
    ("Signature", Text),
    ("AppAccountFlag", Number),
    ("VerifyFlag", Number),
    ("ContactFlag", Number),
    ("WebWxPluginSwitch", Number),
    ("HeadImgFlag", Number),
    ("SnsFlag", Number),
];

const RECOMMEND: Shape = &[
    ("UserName", Text),
    ("NickName", Text),
    ("QQNum", Number),
    ("Province", Text),
    ("City", Text),
    ("Content", Text),
    ("Signature", Text),
    ("Alias", Text),
    ("Scene", Number),
    ("VerifyFlag", Number),
    ("AttrStatus", Number),
    ("Sex", Number),
    ("Ticket", Text),
    ("OpCode", Number),
];

const MESSAGE: Shape = &[
    ("MsgId", Text),
    ("FromUserName", Text),
    ("ToUserName", Text),
    ("MsgType", Number),
    ("Content", Text),
    ("Status", Number),
    ("ImgStatus", Number),
    ("CreateTime", Number),
    ("VoiceLength", Number),
    ("PlayLength", Number),
    ("FileName", Text),
    ("FileSize", Text),
    ("MediaId", Text),
    ("Url", Text),
    ("AppMsgType", Number),
    ("StatusNotifyCode", Number),
    ("StatusNotifyUserName", Text),
    ("RecommendInfo", Object(RECOMMEND)),
    ("ForwardFlag", Number),
    ("AppInfo", Object(&[("AppID", Text), ("Type", Number)])),
    ("HasProductId", Number),
    ("Ticket", Text),
    ("ImgHeight", Number),
    ("ImgWidth", Number),
    ("SubMsgType", Number),
    ("NewMsgId", Number),
    ("OriContent", Text),
    ("EncryFileName", Text),
];

const ARTICLE: Shape = &[("Title", Text), ("Digest", Text), ("Cover", Text), ("Url", Text)];

const INIT: Shape = &[
    ("BaseResponse", BASE),
    ("Count", Number),
    ("ContactList", List(CONTACT)),
    ("SyncKey", SYNC_KEY),
    ("User", Object(USER)),
    ("ChatSet", Text),
    ("SKey", Text),
    ("ClientVersion", Number),
    ("SystemTime", Number),
    ("GrayScale", Number),
    ("InviteStartCount", Number),
    ("MPSubscribeMsgCount", Number),
    (
        "MPSubscribeMsgList",
        List(&[
            ("UserName", Text),
            ("MPArticleCount", Number),
            ("MPArticleList", List(ARTICLE)),
            ("Time", Number),
            ("NickName", Text),
        ]),
    ),
    ("ClickReportInterval", Number),
];

const PROFILE: Shape = &[
    ("BitFlag", Number),
    ("UserName", BUFF),
    ("NickName", BUFF),
    ("BindUin", Number),
    ("BindEmail", BUFF),
    ("BindMobile", BUFF),
    ("Status", Number),
    ("Sex", Number),
    ("PersonalCard", Number),
    ("Alias", Text),
    ("HeadImgUpdateFlag", Number),
    ("HeadImgUrl", Text),
    ("Signature", Text),
];

const SYNC: Shape = &[
    ("BaseResponse", BASE),
    ("AddMsgCount", Number),
    ("AddMsgList", List(MESSAGE)),
    ("ModContactCount", Number),
    ("ModContactList", List(MOD_CONTACT)),
    ("DelContactCount", Number),
    ("DelContactList", List(&[("UserName", Text), ("ContactFlag", Number)])),
    ("ModChatRoomMemberCount", Number),
    ("ModChatRoomMemberList", List(MEMBER)),
    ("Profile", Object(PROFILE)),
    ("ContinueFlag", Number),
    ("SyncKey", SYNC_KEY),
    ("SKey", Text),
    ("SyncCheckKey", SYNC_KEY),
];

const SENT: Shape = &[("BaseResponse", BASE), ("MsgID", Text), ("LocalID", Text)];

const UPLOADED: Shape = &[
    ("BaseResponse", BASE),
    ("MediaId", Text),
    ("StartPos", Number),
    ("CDNThumbImgHeight", Number),
    ("CDNThumbImgWidth", Number),
    ("EncryFileName", Text),
];

const CREATED: Shape = &[
    ("BaseResponse", BASE),
    ("Topic", Text),
    ("PYInitial", Text),
    ("QuanPin", Text),
    ("MemberCount", Number),
    ("MemberList", List(MEMBER)),
    ("ChatRoomName", Text),
    ("BlackList", Text),
];

/// All calls with a JSON answer, and its shape.
const CALLS: &[(&str, Shape)] = &[
    ("webwxinit", INIT),
    ("webwxstatusnotify", &[("BaseResponse", BASE), ("MsgID", Text)]),
    (
        "webwxgetcontact",
        &[
            ("BaseResponse", BASE),
            ("MemberCount", Number),
            ("MemberList", List(CONTACT)),
            ("Seq", Number),
        ],
    ),
    (
        "webwxbatchgetcontact",
        &[("BaseResponse", BASE), ("Count", Number), ("ContactList", List(CONTACT))],
    ),
    ("webwxsync", SYNC),
    ("webwxsendmsg", SENT),
    ("webwxsendmsgimg", SENT),
    ("webwxsendvideomsg", SENT),
    ("webwxsendappmsg", SENT),
    ("webwxsendemoticon", SENT),
    ("webwxrevokemsg", &[("BaseResponse", BASE)]),
    ("webwxuploadmedia", UPLOADED),
    (
        "webwxcheckupload",
        &[
            ("BaseResponse", BASE),
            ("MediaId", Text),
            ("AESKey", Text),
            ("Signature", Text),
            ("EncryFileName", Text),
        ],
    ),
    ("webwxoplog", &[("BaseResponse", BASE)]),
    ("webwxverifyuser", &[("BaseResponse", BASE)]),
    ("webwxcreatechatroom", CREATED),
    (
        "webwxupdatechatroom",
        &[("BaseResponse", BASE), ("MemberCount", Number), ("MemberList", List(MEMBER))],
    ),
    ("webwxlogout", &[("BaseResponse", BASE)]),
];

fn fits(value: &Value, kind: Kind, at: &str) {
    match kind {
        Number => assert!(value.is_i64() || value.is_u64(), "{at} is {value}, not a number"),
        Text => assert!(value.is_string(), "{at} is {value}, not a text"),
        List(shape) => {
            let list = value.as_array().unwrap_or_else(|| panic!("{at} is {value}, not a list"));
            list.iter()
                .enumerate()
                .for_each(|(index, item)| object_fits(item, shape, &format!("{at}[{index}]")));
        }
        Object(shape) => object_fits(value, shape, at),
    }
}

fn object_fits(value: &Value, shape: Shape, at: &str) {
    let fields: &Map<_, _> =
        value.as_object().unwrap_or_else(|| panic!("{at} is {value}, not an object"));
    for (name, kind) in shape {
        let field = fields.get(*name).unwrap_or_else(|| panic!("{at} has no {name}"));
        fits(field, *kind, &format!("{at}.{name}"));
    }
    let unknown: Vec<_> =
        fields.keys().filter(|key| !shape.iter().any(|(name, _)| name == key)).collect();
    assert!(unknown.is_empty(), "{at} has {unknown:?} besides");
}

fn shape_of(call: &str) -> Shape {
    CALLS.iter().find(|(name, _)| *name == call).expect("in the table").1
}

#[tokio::test]
async fn failures_have_all_fields() {
    story(quick(), async |sandbox| {
        let client = Client::of(&sandbox);
        for (call, shape) in CALLS {
            let answer = client.post(call, &json!({})).await;
            object_fits(&answer, shape, call);
            assert_ne!(answer["BaseResponse"]["Ret"], 0, "{call} needs a session");
        }
    })
    .await;
}

#[tokio::test]
async fn successes_have_the_same_shape() {
    story(quick(), async |sandbox| {
        let mut client = Client::of(&sandbox);
        client.log_in().await;
        let init = client.init().await;
        object_fits(&init, INIT, "webwxinit");
        let key = &init["SyncKey"];
        assert_eq!(key["Count"].as_u64(), key["List"].as_array().map(|list| list.len() as u64));
        let book = client.get("/cgi-bin/mmwebwx-bin/webwxgetcontact").await.json();
        object_fits(&book, shape_of("webwxgetcontact"), "webwxgetcontact");
        let names: Vec<_> = init["ContactList"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|it| json!({ "UserName": it["UserName"] }))
            .collect();
        let batch = client
            .post(
                "webwxbatchgetcontact",
                &client.body(json!({ "Count": names.len(), "List": names })),
            )
            .await;
        object_fits(&batch, shape_of("webwxbatchgetcontact"), "webwxbatchgetcontact");
        object_fits(&client.send("filehelper", "x", 1).await, SENT, "webwxsendmsg");
        let notify = client.body(json!({ "Code": 3 }));
        object_fits(
            &client.post("webwxstatusnotify", &notify).await,
            shape_of("webwxstatusnotify"),
            "webwxstatusnotify",
        );
    })
    .await;
}

#[tokio::test]
async fn every_kind_of_message_has_the_same_shape() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let said = sandbox.say("小红", Some("水果店客户群"), "你好");
        for act in [
            json!({ "act": "picture" }),
            json!({ "act": "voice" }),
            json!({ "act": "video" }),
            json!({ "act": "sticker" }),
            json!({ "act": "file" }),
            json!({ "act": "card", "person": "水果日报" }),
            json!({ "act": "link", "title": "a", "url": "b" }),
            json!({ "act": "location", "label": "c" }),
            json!({ "act": "quote", "text": "d", "of": said, "form": "app" }),
            json!({ "act": "mini_program", "title": "e" }),
            json!({ "act": "chat_history", "title": "f" }),
            json!({ "act": "transfer" }),
            json!({ "act": "call" }),
            json!({ "act": "red_packet" }),
            json!({ "act": "recall" }),
            json!({ "act": "pat", "target": "小助手" }),
            json!({ "act": "friend_request" }),
            json!({ "act": "nickname", "name": "小小红" }),
            json!({ "act": "phone", "code": 5 }),
            json!({ "act": "leave" }),
        ] {
            let mut act = act;
            (act["from"], act["group"]) = (json!("小红"), json!("水果店客户群"));
            assert_eq!(client.control("acts", &act).await["ok"], true, "{act}");
        }
        client.control("acts", &json!({ "act": "unfriend", "from": "Alice" })).await;
        let answer = client.sync().await;
        assert!(
            answer["AddMsgCount"].as_u64().is_some_and(|count| count >= 19),
            "{}",
            answer["AddMsgCount"]
        );
        assert!(answer["ModContactCount"] != 0 && answer["DelContactCount"] != 0);
        object_fits(&answer, SYNC, "webwxsync");
        assert_eq!(answer["SyncKey"], answer["SyncCheckKey"]);
        let contents = answer["AddMsgList"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|it| it["Content"].to_string());
        assert!(
            contents.into_iter().all(|content| !content.contains("\\n")),
            "lines are broken by <br/> only"
        );
    })
    .await;
}
