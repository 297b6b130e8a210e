use mynah_webwx::{GroupChange, Options, Report};

use crate::responder::{Asked, Reply, Responder, ok, status};
use crate::{client, logged_in, well};

/// The last call, its query field `fun`, and its body without the common fields.
fn last(server: &Responder) -> (String, Option<String>, serde_json::Value) {
    let asked = server.asked().pop().unwrap();
    let mut body = asked.json();
    assert_eq!(
        body.as_object_mut().unwrap().remove("BaseRequest").unwrap()["Uin"],
        3_000_000_001_u64
    );
    (asked.call().to_owned(), asked.field("fun").map(str::to_owned), body)
}

#[tokio::test]
async fn a_push_login_asks_the_phone() {
    let server = Responder::start(|asked| match asked.call() {
        "webwxpushloginurl" => ok(r#"{"ret":"0","msg":"all ok","uuid":"gZF8miqrkw=="}"#),
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    client.forget_login();
    assert!(client.session().can_push_login());
    assert_eq!(client.push_login().await.unwrap().as_str(), "gZF8miqrkw==");
    let asked = server.asked().pop().unwrap();
    assert_eq!(asked.field("uin"), Some("3000000001"));
    let cookies = asked.header("cookie").unwrap();
    assert!(
        cookies.contains("login_frequency=2; last_wxuin=3000000001")
            && cookies.contains("webwx_auth_ticket=authauth")
    );
    assert!(!cookies.contains("wxsid"));
}

#[tokio::test]
async fn a_push_login_that_is_not_offered_is_reported() {
    for (answer, expected) in [
        (
            r#"{"ret":1,"msg":"not now"}"#,
            "webwxpushloginurl: refused with 1 (wrong parameter): not now",
        ),
        (r#"{"ret":0}"#, r#"webwxpushloginurl: the answer has no login uuid: {"ret":0}"#),
        ("<html>", "webwxpushloginurl: the answer is not JSON: <html>"),
    ] {
        let server = Responder::start(move |asked| match asked.call() {
            "webwxpushloginurl" => ok(answer),
            _ => well(asked),
        })
        .await;
        assert_eq!(logged_in(&server).await.push_login().await.unwrap_err().to_string(), expected);
    }
    let server = Responder::start(well).await;
    let error = client(&server).push_login().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "webwxpushloginurl: not possible: no account has logged in before"
    );
}

#[tokio::test]
async fn contacts_are_changed() {
    let server = Responder::start(well).await;
    let client = logged_in(&server).await;
    client.set_remark("@alice", "阿丽").await.unwrap();
    let body = serde_json::json!({"CmdId": 2, "RemarkName": "阿丽", "UserName": "@alice"});
    assert_eq!(last(&server), ("webwxoplog".to_owned(), None, body));
    client.pin("@alice", "阿丽", true).await.unwrap();
    let body = serde_json::json!({"CmdId": 3, "OP": 1, "RemarkName": "阿丽", "UserName": "@alice"});
    assert_eq!(last(&server).2, body);
    client.accept_friend("@new", "v2_ticket@stranger").await.unwrap();
    let (call, _, body) = last(&server);
    assert_eq!(call, "webwxverifyuser");
    assert_eq!(body["Opcode"], 3);
    assert_eq!(
        body["VerifyUserList"],
        serde_json::json!([{"Value": "@new", "VerifyUserTicket": "v2_ticket@stranger"}])
    );
    assert_eq!(
        (&body["VerifyUserListSize"], &body["SceneList"]),
        (&1.into(), &serde_json::json!([33]))
    );
    client.add_friend("@stranger", "你好").await.unwrap();
    let body = last(&server).2;
    assert_eq!((&body["Opcode"], &body["VerifyContent"]), (&2.into(), &"你好".into()));
}

#[tokio::test]
async fn groups_are_made_and_changed() {
    let server = Responder::start(|asked| match asked.call() {
        "webwxcreatechatroom" => ok(include_bytes!("../../fixtures/created.json")),
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    let people = ["@a".to_owned(), "@b".to_owned()];
    let group = client.create_group("新群", &people).await.unwrap();
    assert_eq!((group.user_name.as_str(), group.member_list.len()), ("@@new", 2));
    let body = serde_json::json!({"MemberCount": 2, "MemberList": [{"UserName": "@a"}, {"UserName": "@b"}], "Topic": "新群"});
    assert_eq!(last(&server), ("webwxcreatechatroom".to_owned(), None, body));
    let people = people.to_vec();
    for (change, fun, body) in [
        (
            GroupChange::Add(people.clone()),
            "addmember",
            serde_json::json!({"ChatRoomName": "@@g", "AddMemberList": "@a,@b"}),
        ),
        (
            GroupChange::Invite(people.clone()),
            "invitemember",
            serde_json::json!({"ChatRoomName": "@@g", "InviteMemberList": "@a,@b"}),
        ),
        (
            GroupChange::Remove(people),
            "delmember",
            serde_json::json!({"ChatRoomName": "@@g", "DelMemberList": "@a,@b"}),
        ),
        (
            GroupChange::Rename("T".to_owned()),
            "modtopic",
            serde_json::json!({"ChatRoomName": "@@g", "NewTopic": "T"}),
        ),
        (GroupChange::Quit, "quitchatroom", serde_json::json!({"ChatRoomName": "@@g"})),
    ] {
        client.update_group("@@g", &change).await.unwrap();
        assert_eq!(last(&server), ("webwxupdatechatroom".to_owned(), Some(fun.to_owned()), body));
    }
}

#[tokio::test]
async fn a_refusal_in_words_counts_as_too_frequent() {
    let server = Responder::start(|asked| match asked.call() {
        "webwxupdatechatroom" => {
            ok(r#"{"BaseResponse":{"Ret":1,"ErrMsg":"操作太频繁，请稍后再试。"}}"#)
        }
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    let error = client.update_group("@@g", &GroupChange::Quit).await.unwrap_err();
    assert!(error.is_too_frequent() && error.is_retryable() && !error.is_session_over());
}

#[tokio::test]
async fn messages_are_revoked() {
    let server = Responder::start(well).await;
    let client = logged_in(&server).await;
    client.revoke("@@g", "2010694839145678901").await.unwrap();
    let (call, _, body) = last(&server);
    assert_eq!(
        (call.as_str(), &body["SvrMsgId"], &body["ToUserName"]),
        ("webwxrevokemsg", &"2010694839145678901".into(), &"@@g".into())
    );
}

#[tokio::test]
async fn the_other_calls_of_the_page_work() {
    let server = Responder::start(other_calls).await;
    let client = logged_in(&server).await;
    assert!(client.is_logged_in().await.unwrap());
    assert_eq!(client.check_url("https://x/?a=b").await.unwrap().as_deref(), Some("https://x/"));
    assert_eq!(server.asked().last().unwrap().field("requrl"), Some("https%3A%2F%2Fx%2F%3Fa%3Db"));
    assert_eq!(client.search_contact("word").await.unwrap(), ["@found"]);
    client.send_feedback("thanks").await.unwrap();
    assert_eq!(client.preview("@m", 100).await.unwrap(), "picture");
    assert_eq!(client.location_image("12", 100).await.unwrap(), "picture");
    let login = client.request_login().await.unwrap();
    assert_eq!(client.qr_text(&login), format!("{}/l/4a914KmLzA==", server.address));
    assert_eq!(client.qr_image(&login).await.unwrap(), "picture");
    assert_eq!(server.asked().last().unwrap().path, "/qrcode/4a914KmLzA%3D%3D");
    let reports = [
        Report::Clicks(vec![("send".to_owned(), 1)]),
        Report::Error { kind: "init-error".to_owned(), data: "x".to_owned() },
    ];
    client.report(&reports).await.unwrap();
    let asked = server.asked().pop().unwrap();
    assert_eq!((asked.field("fun"), asked.json()["Count"].clone()), (Some("new"), 2.into()));
    assert_eq!(asked.json()["BaseRequest"].get("Skey"), None);
    assert_eq!(asked.json()["List"][1]["Text"], r#"{"data":"x","type":"[init-error]"}"#);
}

fn other_calls(asked: &Asked) -> Reply {
    match asked.path.as_str() {
        "/" => ok(r#"<script>window.MMCgi = { isLogin: !!"1" };</script>"#),
        path if path.starts_with("/qrcode/") => ok("picture"),
        _ => match asked.call() {
            "webwxcheckurl" => Reply::Whole {
                status: 302,
                headers: vec![("Location", "https://x/".to_owned())],
                body: Vec::new(),
            },
            "webwxsearchcontact" => {
                ok(r#"{"BaseResponse":{"Ret":0},"List":[{"EncryUserName":"@found"},{}]}"#)
            }
            "webwxpreview" | "webwxgetpubliclinkimg" => ok("picture"),
            "webwxstatreport" => ok(""),
            _ => well(asked),
        },
    }
}

#[tokio::test]
async fn a_logout_that_fails_still_ends_the_session_here() {
    let server = Responder::start(|asked| match asked.call() {
        "webwxlogout" => status(503, ""),
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    assert!(client.log_out().await.is_err());
    assert!(!client.session().is_logged_in());
}

#[test]
fn options_that_cannot_be_used_are_refused() {
    use mynah_webwx::{BuildError, Client, DesktopToken};

    let server = |server: &str| Options { server: Some(server.to_owned()), ..Options::default() };
    assert!(matches!(Client::new(server("wx.qq.com")), Err(BuildError::BadServer { .. })));
    let options =
        Options { desktop: Some(DesktopToken::new("a\nb")), ..server("http://127.0.0.1:1") };
    assert!(matches!(Client::new(options), Err(BuildError::BadHeader { .. })));
    let options = Options { user_agent: "\u{7}".to_owned(), ..server("http://127.0.0.1:1") };
    assert!(matches!(Client::new(options), Err(BuildError::BadHeader { .. })));
}
