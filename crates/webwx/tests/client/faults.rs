use std::time::Duration;

use mynah_webwx::{CallError, Client, ClientMsgId, Options, OutgoingText};

use crate::responder::{Reply, Responder, ok, status};
use crate::{client, confirmed, logged_in, well};

async fn failed_sync(reply: Reply) -> CallError {
    let server = Responder::start(move |asked| match asked.call() {
        "webwxsync" => reply.clone(),
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    let before = client.session();
    let error = client.sync().await.unwrap_err();
    assert_eq!(client.session(), before, "a failed answer changes nothing");
    error
}

#[tokio::test]
async fn every_bad_answer_is_reported_with_its_call_and_cause() {
    let ret = |ret: &str| {
        ok(format!(
            r#"{{"BaseResponse":{{"Ret":{ret},"ErrMsg":"words"}},"SyncKey":{{"Count":0,"List":[]}},"SKey":""}}"#
        ))
    };
    for (reply, message, over, retry) in [
        (
            ret("1101"),
            "webwxsync: refused with 1101 (session replaced by another login or ended by the service): words",
            true,
            false,
        ),
        (
            ret("\"1100\""),
            "webwxsync: refused with 1100 (no such session, logged out on the phone): words",
            true,
            false,
        ),
        (ret("1205"), "webwxsync: refused with 1205 (too frequent): words", false, true),
        (ret("1"), "webwxsync: refused with 1 (wrong parameter): words", false, false),
        (ret("3"), "webwxsync: refused with 3 (temporary error): words", false, true),
        (ret("null"), "webwxsync: the answer has no Ret: ", false, true),
        (ok("[]"), "webwxsync: the answer has no BaseResponse: []", false, true),
        (ok("{}"), "webwxsync: the answer has no BaseResponse: {}", false, true),
        (ok(r#"{"BaseResponse":[]}"#), "webwxsync: the answer has no BaseResponse: ", false, true),
        (ok(r#"{"BaseResponse":{"Ret":0},"#), "webwxsync: the answer is not JSON: ", false, true),
        (ok(""), "webwxsync: the answer is not JSON: ", false, true),
        (
            ok("<html>login</html>"),
            "webwxsync: the answer is not JSON: <html>login</html>",
            false,
            true,
        ),
        (status(502, "bad\ngateway"), "webwxsync: HTTP status 502: bad gateway", false, true),
        (status(404, ""), "webwxsync: HTTP status 404: ", false, true),
        (status(302, ""), "webwxsync: HTTP status 302: ", false, true),
        (
            Reply::Close,
            "webwxsync: the connection broke before the answer was complete",
            false,
            true,
        ),
        (
            Reply::Cut(b"{\"Base".to_vec()),
            "webwxsync: the connection broke before the answer was complete",
            false,
            true,
        ),
    ] {
        let error = failed_sync(reply).await;
        assert!(error.to_string().starts_with(message), "{error} is not {message}");
        assert_eq!((error.is_session_over(), error.is_retryable()), (over, retry), "{error}");
    }
}

#[tokio::test]
async fn wrong_types_in_good_answers_are_ignored() {
    let odd = r#"{"BaseResponse":{"Ret":"0"},"AddMsgCount":"x","AddMsgList":[null,7,{"MsgId":7286123456789012345,"MsgType":"1","Content":null,"RecommendInfo":[]}],"ModContactList":"none","SyncKey":null,"ContinueFlag":true}"#;
    let server = Responder::start(move |asked| match asked.call() {
        "webwxsync" => ok(odd),
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    let key = client.session().sync_key().clone();
    let synced = client.sync().await.unwrap();
    assert_eq!(synced.add_msg_list.len(), 1);
    assert_eq!(synced.add_msg_list[0].msg_id, "7286123456789012345");
    assert_eq!(synced.add_msg_list[0].msg_type, 1);
    assert!(synced.has_more());
    client.advance(&synced);
    assert_eq!(*client.session().sync_key(), key, "an empty key is never taken");
}

#[tokio::test]
async fn a_failed_send_reports_whether_it_may_have_taken_effect() {
    for (reply, may) in [
        (status(502, ""), true),
        (status(403, ""), false),
        (status(302, ""), false),
        (Reply::Close, true),
        (Reply::Cut(Vec::new()), true),
        (ok("half {"), true),
        (ok(r#"{"BaseResponse":{"Ret":1204}}"#), false),
        (ok(r#"{"BaseResponse":{"Ret":1101}}"#), false),
    ] {
        let server = Responder::start(move |asked| match asked.call() {
            "webwxsendmsg" => reply.clone(),
            _ => well(asked),
        })
        .await;
        let client = logged_in(&server).await;
        let text =
            OutgoingText { to: "@a".to_owned(), text: "x".to_owned(), id: ClientMsgId::fresh() };
        let error = client.send_text(&text).await.unwrap_err();
        assert_eq!(error.may_have_taken_effect(), may, "{error}");
    }
}

#[tokio::test]
async fn an_unreachable_server_took_no_message() {
    // A port that was free a moment ago.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let server = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let client = Client::new(Options { server: Some(server), ..Options::default() }).unwrap();
    let error = client.request_login().await.unwrap_err();
    assert_eq!(error.to_string(), "jslogin: the service could not be reached");
    let chain: Vec<_> =
        std::iter::successors(std::error::Error::source(&error), |cause| cause.source())
            .map(ToString::to_string)
            .collect();
    assert!(!chain.is_empty() && !chain.contains(&error.failure.to_string()), "{chain:?}");
    assert!(error.is_retryable() && !error.may_have_taken_effect());
}

#[tokio::test]
async fn a_silent_server_runs_into_the_time_out() {
    let server = Responder::start(|_| Reply::Silence).await;
    let at_most = Duration::from_millis(50);
    let client = Client::new(Options {
        server: Some(server.address.clone()),
        at_most,
        ..Options::default()
    })
    .unwrap();
    let error = client.request_login().await.unwrap_err();
    assert_eq!(error.to_string(), "jslogin: no answer in time");
    assert!(error.is_retryable() && error.may_have_taken_effect());
}

#[tokio::test]
async fn interim_answers_without_end_run_into_the_time_out() {
    let server = Responder::start(|_| Reply::Interim).await;
    let at_most = Duration::from_millis(50);
    let options = Options { server: Some(server.address.clone()), at_most, ..Options::default() };
    let client = Client::new(options).unwrap();
    let error = client.request_login().await.unwrap_err();
    assert_eq!(error.to_string(), "jslogin: no answer in time");
}

#[tokio::test]
async fn an_endless_body_is_cut_off() {
    let server = Responder::start(|_| Reply::Endless).await;
    let client =
        Client::new(Options { server: Some(server.address.clone()), ..Options::default() })
            .unwrap();
    let error = client.request_login().await.unwrap_err();
    assert_eq!(error.to_string(), "jslogin: the answer is larger than 1048576 bytes");
    assert!(!error.is_retryable());
}

#[tokio::test]
async fn unreadable_script_answers_are_errors() {
    for (answer, message) in [
        ("window.QRLogin.code = 400;", "jslogin: refused with 400 (unknown code)"),
        (
            "window.QRLogin.code = 200;",
            "jslogin: the answer has no login uuid: window.QRLogin.code = 200;",
        ),
        ("<html>", "jslogin: the answer has no login uuid: <html>"),
    ] {
        let server = Responder::start(move |_| ok(answer)).await;
        let client =
            Client::new(Options { server: Some(server.address.clone()), ..Options::default() })
                .unwrap();
        assert_eq!(client.request_login().await.unwrap_err().to_string(), message);
    }
    for (answer, over) in [
        (r#"window.synccheck={retcode:"1102",selector:"0"}"#, true),
        (r#"window.synccheck={retcode:"-1",selector:"0"}"#, false),
        ("window.synccheck={}", false),
        ("garbage", false),
    ] {
        let server = Responder::start(move |asked| match asked.call() {
            "synccheck" => ok(answer),
            _ => well(asked),
        })
        .await;
        let error = logged_in(&server).await.sync_check().await.unwrap_err();
        assert_eq!((error.is_session_over(), error.is_retryable()), (over, !over), "{error}");
    }
}

#[tokio::test]
async fn errors_hold_no_secret_of_the_session() {
    let leaky = r#"{"SKey":"@crypt_abcd1234_ffff","Ticket":"verysecret","url":"https://w/x?pass_ticket=verysecret&sid=sidsid"#;
    let error = failed_sync(ok(leaky)).await;
    let whole = format!("{error:?} {error}");
    assert!(
        !["abcd1234", "verysecret", "sidsid"].iter().any(|secret| whole.contains(secret)),
        "{whole}"
    );
    let error = failed_sync(Reply::Close).await;
    assert!(!format!("{error:?}").contains("sidsid"));
}

/// A server that closes the connection instead of the first answer to each of these calls.
async fn closing_once(calls: &'static [&'static str]) -> Responder {
    let closed = std::sync::Mutex::new(std::collections::BTreeSet::new());
    Responder::start(move |asked| {
        let call = calls.iter().find(|call| **call == asked.call());
        match call {
            Some(call) if closed.lock().unwrap().insert(*call) => Reply::Close,
            _ => well(asked),
        }
    })
    .await
}

#[tokio::test]
async fn a_read_only_call_on_a_closed_connection_is_repeated_once() {
    let server = closing_once(&["webwxsync", "synccheck", "webwxbatchgetcontact"]).await;
    let client = logged_in(&server).await;
    client.sync().await.unwrap();
    assert!(client.sync_check().await.unwrap().is_some());
    let made = |call: &str| server.asked().iter().filter(|asked| asked.call() == call).count();
    assert_eq!((made("webwxsync"), made("synccheck")), (2, 2));
}

#[tokio::test]
async fn a_send_on_a_closed_connection_is_not_repeated() {
    let server = closing_once(&["webwxsendmsg"]).await;
    let client = logged_in(&server).await;
    let id = ClientMsgId::new(1_700_000_000_000, 1);
    let text = OutgoingText { to: "@a".to_owned(), text: "hi".to_owned(), id };
    let error = client.send_text(&text).await.unwrap_err();
    assert!(error.may_have_taken_effect(), "{error}");
    let sends = server.asked().iter().filter(|asked| asked.call() == "webwxsendmsg").count();
    assert_eq!(sends, 1);
}

#[tokio::test]
async fn calls_to_an_unreachable_server_are_not_repeated() {
    let server = Responder::start(|asked| match asked.call() {
        "webwxsync" => Reply::Close,
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    for _ in 0..3 {
        client.sync().await.unwrap_err();
    }
    let syncs = server.asked().iter().filter(|asked| asked.call() == "webwxsync").count();
    assert_eq!(syncs, 4, "only the first could have met an old connection");
}

#[tokio::test]
async fn compression_is_offered_and_undone() {
    // `{"BaseResponse":{"Ret":0},"SyncKey":{"Count":1,"List":[{"Key":1,"Val":7}]}}` as zlib writes it.
    const PACKED: &[u8] = &[
        120, 156, 171, 86, 114, 74, 44, 78, 13, 74, 45, 46, 200, 207, 43, 78, 85, 178, 170, 86, 10,
        74, 45, 81, 178, 50, 168, 213, 81, 10, 174, 204, 75, 246, 78, 173, 4, 137, 57, 231, 151,
        230, 1, 69, 13, 117, 148, 124, 50, 139, 129, 140, 232, 106, 37, 176, 12, 80, 32, 44, 49,
        71, 201, 202, 188, 54, 182, 182, 22, 0, 168, 235, 24, 4,
    ];
    let server = Responder::start(|asked| match asked.call() {
        "webwxsync" => Reply::Whole {
            status: 200,
            headers: vec![("Content-Encoding", "deflate".to_owned())],
            body: PACKED.to_vec(),
        },
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    assert_eq!(client.sync().await.unwrap().sync_key.to_string(), "1_7");
    let asked = server.asked();
    let sync = asked.iter().find(|asked| asked.call() == "webwxsync").unwrap();
    assert_eq!(sync.header("accept-encoding"), Some("gzip, deflate"));
}

#[tokio::test]
async fn a_key_that_fits_into_no_address_is_not_taken() {
    let long = "k".repeat(100_000);
    let answer = format!(r#"{{"BaseResponse":{{"Ret":0}},"SKey":"{long}"}}"#);
    let server = Responder::start(move |asked| match asked.call() {
        "webwxsync" => ok(answer.clone()),
        _ => well(asked),
    })
    .await;
    let client = logged_in(&server).await;
    let before = client.session();
    client.sync().await.unwrap();
    assert_eq!(client.session(), before);
    client.sync().await.unwrap();
}

#[tokio::test]
async fn a_login_with_a_key_that_fits_into_no_address_is_refused() {
    let long = "k".repeat(100_000);
    for (call, answer, message) in [
        (
            "jslogin",
            format!(r#"window.QRLogin.code = 200; window.QRLogin.uuid = "{long}";"#),
            "jslogin: the answer has no login uuid",
        ),
        (
            "webwxnewloginpage",
            format!(
                "<error><ret>0</ret><skey>k</skey><wxsid>s</wxsid><wxuin>1</wxuin><pass_ticket>{long}</pass_ticket></error>"
            ),
            "webwxnewloginpage: the login page contains no session",
        ),
    ] {
        let server =
            Responder::start(
                move |asked| {
                    if asked.call() == call { ok(answer.clone()) } else { well(asked) }
                },
            )
            .await;
        let client = client(&server);
        let error = if call == "jslogin" {
            client.request_login().await.unwrap_err()
        } else {
            client.log_in(&confirmed(&client).await).await.unwrap_err()
        };
        let text = error.to_string();
        assert!(text.starts_with(message) && text.len() < 1000, "{text}");
        assert!(!client.session().is_logged_in());
    }
}

#[tokio::test]
async fn a_request_whose_address_is_too_long_is_neither_sent_nor_repeated() {
    let server = Responder::start(well).await;
    let client = logged_in(&server).await;
    let error = client.check_url(&"9".repeat(100_000)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "webwxcheckurl: not possible: the address is not valid or too long"
    );
    assert!(!error.is_retryable() && !error.may_have_taken_effect());
}
