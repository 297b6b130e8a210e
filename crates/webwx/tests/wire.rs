//! Reads the samples of the protocol reference and its quirks.
#![expect(clippy::unwrap_used, reason = "these are tests, also where the function is a helper")]

use std::path::Path;

use mynah_webwx::text;
use mynah_webwx::wire::xml::Element;
use mynah_webwx::wire::{Contact, ContactPage, Init, Message, Sent, SyncKey, Synced};
use serde::de::DeserializeOwned;
use serde_json::json;

fn fixture(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures").join(name);
    std::fs::read_to_string(path).unwrap()
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&fixture(name)).unwrap()
}

#[test]
fn a_person_with_verify_flag_minus_one_is_not_an_official_account() {
    for (flag, official) in [
        (json!(0), false),
        (json!(8), true),
        (json!("8"), true),
        (json!(" 24 "), true),
        (json!(8.0), true),
        (json!(136), true),
        (json!(16), false),
        // No bit set: nothing is known.
        (json!(-1), false),
        (json!("-1"), false),
        (json!(-8), false),
        (json!(u32::MAX), false),
        (json!(u64::MAX), false),
        (json!("many"), false),
        (json!(null), false),
        (json!([8]), false),
    ] {
        let contact = json!({"UserName": "@a", "NickName": "Ann", "VerifyFlag": flag});
        let contact: Contact = serde_json::from_value(contact).unwrap();
        assert_eq!(contact.is_official(), official, "{flag}");
    }
}

#[test]
fn an_answer_of_webwxinit_is_read_whole() {
    // This fixture has the full-width comma of the original sample. The client repairs it; here the test replaces it.
    let init: Init = serde_json::from_str(&fixture("init.json").replace('，', ",")).unwrap();
    assert_eq!(init.user.uin, 3_000_000_001, "a number beyond i32");
    assert_eq!(init.chat_set, "filehelper,@@group,@@other,");
    assert_eq!(
        (init.system_time, init.invite_start_count, init.click_report_interval),
        (1_513_922_272, 40, 600_000)
    );
    let [helper, group, official] = init.contact_list.as_slice() else { panic!("{init:?}") };
    assert!(helper.is_special() && !helper.is_group() && helper.is_contact());
    assert!(group.is_group() && !group.is_official());
    assert_eq!(text::name(&group.nick_name), "Harness & Group\u{1f604}");
    assert_eq!(group.member_list[0].attr_status, u64::from(u32::MAX));
    assert_eq!(group.member_list[1].nick_name, "", "init does not fill in the members' names");
    assert!(official.is_official());
}

#[test]
fn an_answer_of_webwxsync_is_read_whole() {
    let synced: Synced = read("sync.json");
    let [message] = synced.add_msg_list.as_slice() else { panic!("{synced:?}") };
    assert_eq!(message.new_msg_id, 7_286_123_456_789_012_345, "beyond what a float holds");
    assert_eq!(message.id(), "7286123456789012345");
    assert_eq!(text::split_sender(&message.content).0, Some("@alice"));
    assert_eq!(
        text::plain(text::split_sender(&message.content).1),
        "@小助手 1 < 2 && ok?\n\u{1f604}"
    );
    let [group] = synced.mod_contact_list.as_slice() else { panic!("{synced:?}") };
    assert_eq!(
        (group.chat_room_owner.as_str(), group.member_list[1].uin),
        ("@alice", 1_234_567_890)
    );
    assert_eq!(synced.del_contact_list[0].user_name, "@gone");
    assert!(synced.profile.changed() && synced.profile.nick_name.buff == "小助手");
    assert!(!synced.has_more());
    assert_eq!(synced.sync_check_key.to_string(), "1_651991553|2_651996501");
}

#[test]
fn failure_skeletons_are_read_as_empty() {
    let init: Init = read("init_failed.json");
    assert!(
        init.sync_key.is_empty() && init.user.user_name.is_empty() && init.contact_list.is_empty()
    );
    let sent: Sent = read("sent_failed.json");
    assert_eq!(sent, Sent::default());
}

#[test]
fn the_recording_without_a_check_key_is_read() {
    let synced: Synced = read("sync_2016.json");
    assert!(synced.sync_check_key.is_empty());
    assert_eq!(synced.sync_key.list.len(), 4);
    // The sample has an edited count of 1. The list counts.
    assert_eq!(synced.sync_key.count, 1);
    assert_eq!(synced.add_msg_list[0].msg_type, 51);
    assert_eq!(synced.add_msg_list[0].status_notify_user_name.split(',').count(), 3);
}

#[test]
fn every_kind_of_message_is_read() {
    let synced: Synced = read("messages.json");
    let kinds: Vec<_> = synced
        .add_msg_list
        .iter()
        .map(|message| (message.msg_type, message.app_msg_type))
        .collect();
    assert_eq!(kinds, [(1, 0), (49, 6), (37, 0), (10002, 0), (49, 57), (10000, 0), (42, 0)]);
    let [place, file, request, recall, quote, system, card] = synced.add_msg_list.as_slice() else {
        panic!()
    };
    assert_eq!(place.sub_msg_type, 48);
    assert_eq!(file.file_size, "80114", "digits in a string");
    assert_eq!(file.encry_file_name, "Data%2Ejpg");
    assert_eq!(request.recommend_info.ticket, "v2_ticket@stranger");
    assert!(!format!("{request:?}").contains("v2_ticket"), "a ticket is a secret");
    let recall = Element::parse(&text::xml(&recall.content)).unwrap();
    assert_eq!(recall.text_at(&["revokemsg", "msgid"]), "7286123456789012345");
    assert_eq!(recall.text_at(&["revokemsg", "replacemsg"]), "\"A & B\" 撤回了一条消息");
    let (sender, quote) = text::split_sender(&quote.content);
    let quote = Element::parse(&text::xml(quote)).unwrap();
    assert_eq!((sender, quote.text_at(&["appmsg", "title"])), (Some("@alice"), "so <true>"));
    assert_eq!(quote.text_at(&["appmsg", "refermsg", "displayname"]), "Bob");
    assert_eq!(text::without_links(&text::plain(&system.content)), "你邀请\"Bob\"加入了群聊  ");
    assert_eq!(card.recommend_info.scene, 17);
}

#[test]
fn objects_survive_a_round_trip() {
    let synced: Synced = read("messages.json");
    let again: Synced = serde_json::from_str(&serde_json::to_string(&synced).unwrap()).unwrap();
    assert_eq!(again, synced);
    let page: ContactPage = read("contacts.json");
    let again: ContactPage = serde_json::from_str(&serde_json::to_string(&page).unwrap()).unwrap();
    assert_eq!(again, page);
    let key: SyncKey =
        serde_json::from_str(r#"{"Count":1,"List":[{"Key":1,"Val":4000000000}]}"#).unwrap();
    assert_eq!(
        serde_json::to_string(&key).unwrap(),
        r#"{"Count":1,"List":[{"Key":1,"Val":4000000000}]}"#
    );
}

#[test]
fn wrong_types_become_the_intended_values() {
    for (json, id, kind, content) in [
        (
            r#"{"MsgId":18446744073709551615,"MsgType":"3","Content":12}"#,
            "18446744073709551615",
            3,
            "12",
        ),
        (r#"{"NewMsgId":"7286123456789012345","MsgType":1.0}"#, "7286123456789012345", 1, ""),
        (r#"{"MsgId":null,"NewMsgId":5,"MsgType":true}"#, "5", 1, ""),
        (r#"{"MsgId":7.286123456789012e18,"MsgType":1e400}"#, "", 0, ""),
        (r#"{"MsgId":{"a":[1]},"MsgType":[3],"Content":{}}"#, "", 0, ""),
        (
            r#"{"MsgType":99999999999999999999,"RecommendInfo":7,"AppInfo":null,"FileSize":80114}"#,
            "",
            0,
            "",
        ),
        ("{}", "", 0, ""),
    ] {
        let Ok(message) = serde_json::from_str::<Message>(json) else {
            assert!(json.contains("e400"), "{json}");
            continue;
        };
        assert_eq!(
            (&*message.id(), message.msg_type, message.content.as_str()),
            (id, kind, content),
            "{json}"
        );
    }
}

mod any_json {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            ".{0,8}".prop_map(Value::from),
            "-?[0-9]{1,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(3, 16, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[A-Za-z]{1,8}", inner, 0..4)
                    .prop_map(|map| json!(map)),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(10_000))]

        #[test]
        fn any_types_in_an_answer_are_read(value in value(), entry in value()) {
            let message = json!({"MsgId": value, "MsgType": value, "RecommendInfo": value, "AppInfo": entry, "FileSize": entry});
            let contact = json!({"UserName": value, "MemberList": [entry, {"UserName": value}], "VerifyFlag": entry});
            let answer = json!({
                "AddMsgList": [value, message, entry], "ModContactList": [contact, value], "DelContactList": value,
                "Profile": entry, "SyncKey": {"Count": value, "List": [entry, {"Key": value, "Val": entry}]},
                "SyncCheckKey": value, "ContinueFlag": entry, "SKey": value,
            });
            let synced: Synced = serde_json::from_str(&answer.to_string()).unwrap();
            prop_assert!(synced.add_msg_list.len() <= 3);
            let init = json!({"ContactList": [contact, entry], "User": value, "SyncKey": entry, "ChatSet": value});
            prop_assert!(serde_json::from_str::<Init>(&init.to_string()).is_ok());
            let number = value.as_u64().map(|number| number.to_string());
            if let (Some(number), Some(message)) = (number, synced.add_msg_list.iter().find(|m| !m.msg_id.is_empty())) {
                prop_assert_eq!(&message.msg_id, &number, "ids never pass through floats");
            }
        }

        #[test]
        fn any_text_is_read_as_xml_without_panic(text in "(<[a-z/!?]{0,4}|[a-z]=['\"]|>|/>|&[a-z#0-9]{0,4};?|<!\\[CDATA\\[|\\]\\]>|.){0,16}") {
            if let Some(root) = Element::parse(&text) {
                prop_assert!(root.text_at(&["a", "b"]).len() <= text.len() * 4);
                prop_assert!(root.attribute("a").len() <= text.len() * 4);
            }
        }
    }

    #[test]
    fn deep_and_wide_xml_is_bounded() {
        let deep = "<a>".repeat(100_000);
        assert!(Element::parse(&deep).is_some());
        let wide = format!("<a>{}</a>", "<b/>".repeat(100_000));
        assert!(Element::parse(&wide).unwrap().children.len() <= 10_000);
        assert_eq!(Element::parse("<a><b>1</b><c>2").unwrap().text_at(&["b"]), "1");
        assert_eq!(Element::parse("<a><b>1</a></b>").unwrap().text_at(&["b"]), "1");
        assert_eq!(
            Element::parse("<a><b>x?c=1&d=2&e</b></a>").unwrap().text_at(&["b"]),
            "x?c=1&d=2&e"
        );
        assert_eq!(
            Element::parse("<a b='1&amp;2&3'>&lt;&nope;</a>").unwrap().attribute("b"),
            "1&2&3"
        );
        assert_eq!(Element::parse("no xml"), None);
    }
}

#[test]
fn a_list_of_empty_objects_takes_no_more_memory_than_its_bound() {
    let list = |items: usize| format!("[{}]", vec!["{}"; items].join(","));
    let many = list(1_000_000);
    let read = |body: String| serde_json::from_str::<Synced>(&body).unwrap();
    let synced =
        read(format!(r#"{{"AddMsgList":{many},"DelContactList":{many},"ContinueFlag":1}}"#));
    assert_eq!((synced.add_msg_list.len(), synced.del_contact_list.len()), (5_000, 20_000));
    assert!(synced.has_more(), "what follows a list that is too long is read");

    let contacts = read(format!(r#"{{"ModContactList":{many}}}"#)).mod_contact_list;
    assert_eq!(contacts.len(), 15_000);
    let group = format!(r#"{{"MemberList":{}}}"#, list(20_000));
    let contacts = read(format!(r#"{{"ModContactList":[{}]}}"#, vec![group; 50].join(",")));
    let members = contacts.mod_contact_list.iter().map(|contact| contact.member_list.len());
    assert!(members.clone().all(|members| members == 5_000));
    assert_eq!(members.sum::<usize>(), 60_000, "bounded in all, not only in each group");

    let key: SyncKey = serde_json::from_str(&format!(r#"{{"List":{many}}}"#)).unwrap();
    assert_eq!(key.list.len(), 100);
    let text = "字".repeat(1_000_000);
    let synced = read(format!(r#"{{"AddMsgList":[{{"Content":"{text}"}}]}}"#));
    let kept = synced.add_msg_list[0].content.len();
    assert!(kept <= 256 * 1024 && kept > 256 * 1024 - 3, "{kept}");
}
