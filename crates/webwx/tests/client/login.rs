use mynah_webwx::{Client, DesktopToken, Options, Session};

use crate::responder::{Reply, Responder, ok, status};
use crate::{client, confirmed, logged_in, login_page, well};

#[tokio::test]
async fn a_login_goes_to_the_replaced_server_only() {
    let server = Responder::start(well).await;
    let client = logged_in(&server).await;
    let session = client.session();
    assert!(session.is_logged_in() && session.can_push_login());
    assert_eq!((session.uin(), session.user_name()), (3_000_000_001, "@self"));
    assert_eq!(
        session.sync_key().to_string(),
        "1_651991553|2_651996455|3_651996384|1000_1513904762"
    );
    let calls: Vec<_> =
        server.asked().iter().map(|asked| format!("{} {}", asked.method, asked.path)).collect();
    assert_eq!(
        calls,
        [
            "GET /jslogin",
            "GET /cgi-bin/mmwebwx-bin/login",
            "GET /cgi-bin/mmwebwx-bin/webwxnewloginpage",
            "POST /cgi-bin/mmwebwx-bin/webwxinit",
        ]
    );
}

#[tokio::test]
async fn the_session_is_carried_as_the_genuine_client_does() {
    let server = Responder::start(well).await;
    let _client = logged_in(&server).await;
    let asked = server.asked();
    let [jslogin, login, page, init] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!(jslogin.field("appid"), Some("wx782c26e4c19acffb"));
    assert_eq!(login.field("uuid"), Some("4a914KmLzA%3D%3D"));
    assert_eq!(login.field("tip"), Some("1"));
    assert_eq!((page.field("fun"), page.field("version")), (Some("new"), Some("v2")));
    assert_eq!(page.field("ticket"), Some("T@qrticket_0"));
    assert_eq!((page.header("extspam"), page.header("client-version")), (None, None));
    assert_eq!(init.field("pass_ticket"), Some("pass%252Fticket%253D"));
    assert_eq!(init.header("content-type"), Some("application/json; charset=UTF-8"));
    assert_eq!(init.header("accept-encoding"), Some("gzip, deflate"));
    let cookies = init.header("cookie").unwrap();
    assert!(
        cookies.contains("wxsid=sidsid+/sidsid==")
            && cookies.contains("webwx_data_ticket=ticketticket")
    );
    let base = &init.json()["BaseRequest"];
    assert_eq!(base["Uin"], 3_000_000_001_u64);
    assert_eq!(base["Sid"], "sidsid+/sidsid==");
    assert!(base["DeviceID"].as_str().unwrap().starts_with('e'));
}

#[tokio::test]
async fn the_desktop_variant_shows_its_token_once() {
    let server = Responder::start(well).await;
    let options = Options {
        server: Some(server.address.clone()),
        desktop: Some(DesktopToken::new("TOKEN")),
        ..Options::default()
    };
    let client = Client::new(options).unwrap();
    client.log_in(&confirmed(&client).await).await.unwrap();
    client.init().await.unwrap();
    let asked = server.asked();
    assert!(asked[0].field("redirect_uri").unwrap().ends_with("webwxnewloginpage%3Fmod%3Ddesktop"));
    assert_eq!(asked[2].field("mod"), Some("desktop"));
    let shown: Vec<_> = asked.iter().map(|asked| asked.header("extspam")).collect();
    assert_eq!(shown, [None, None, Some("TOKEN"), None]);
    assert!(!format!("{client:?}").contains("TOKEN"));
}

#[tokio::test]
async fn a_refused_login_reports_the_text_of_the_service() {
    let page = "<error><ret>1203</ret><message>为了你的帐号安全，此微信号不能登录网页微信。</message></error>";
    let server = Responder::start(move |asked| match asked.call() {
        "webwxnewloginpage" => ok(page),
        _ => well(asked),
    })
    .await;
    let client = client(&server);
    let error = client.log_in(&confirmed(&client).await).await.unwrap_err();
    assert!(error.is_login_refused() && !error.is_retryable() && !error.may_have_taken_effect());
    assert_eq!(error.words(), Some("为了你的帐号安全，此微信号不能登录网页微信。"));
    assert!(!client.session().is_logged_in());
}

#[tokio::test]
async fn a_spent_ticket_is_not_a_refused_account() {
    let server = Responder::start(|asked| match asked.call() {
        "webwxnewloginpage" => {
            ok("<error><ret>1203</ret><message>check ticket failed</message></error>")
        }
        _ => well(asked),
    })
    .await;
    let client = client(&server);
    let error = client.log_in(&confirmed(&client).await).await.unwrap_err();
    assert_eq!((error.is_login_refused(), error.is_retryable()), (false, false));
}

#[tokio::test]
async fn cookies_supply_the_values_that_the_page_omits() {
    let server = Responder::start(|asked| match (asked.call(), login_page()) {
        ("webwxnewloginpage", Reply::Whole { headers, .. }) => {
            Reply::Whole { status: 200, headers, body: b"<error><ret>0</ret></error>".to_vec() }
        }
        _ => well(asked),
    })
    .await;
    let client = client(&server);
    client.log_in(&confirmed(&client).await).await.unwrap();
    assert!(client.session().is_logged_in());
}

#[tokio::test]
async fn redirects_of_the_login_page_are_followed_to_the_same_server() {
    let server = Responder::start(|asked| match (asked.call(), asked.field("again")) {
        ("webwxnewloginpage", None) => {
            ok("<error><ret>0</ret><redirecturl>https://wx8.qq.com/cgi-bin/mmwebwx-bin/webwxnewloginpage?again=1</redirecturl></error>")
        }
        _ => well(asked),
    })
    .await;
    let client = client(&server);
    client.log_in(&confirmed(&client).await).await.unwrap();
    assert_eq!(server.asked().last().unwrap().field("again"), Some("1"));
}

#[tokio::test]
async fn a_login_page_that_redirects_endlessly_is_an_error() {
    let endless = "<error><ret>0</ret><redirecturl>/cgi-bin/mmwebwx-bin/webwxnewloginpage</redirecturl></error>";
    let server = Responder::start(move |asked| match asked.call() {
        "webwxnewloginpage" => ok(endless),
        _ => well(asked),
    })
    .await;
    let client = client(&server);
    assert!(client.log_in(&confirmed(&client).await).await.is_err());
    assert!(server.asked().len() < 10);
}

#[tokio::test]
async fn an_answer_that_is_not_a_login_page_is_reported() {
    for (reply, expected) in [
        (
            ok("<html><body>hi</body></html>"),
            "webwxnewloginpage: the answer is not a login page: <html><body>hi</body></html>",
        ),
        (
            ok("<error><ret>x</ret></error>"),
            "webwxnewloginpage: the login page has no code: <error><ret>x</ret></error>",
        ),
        (
            ok("<error><ret>0</ret><wxsid>SECRETSID</wxsid></error>"),
            "webwxnewloginpage: the login page contains no session: <error><ret>0</ret><wxsid>…</wxsid></error>",
        ),
        (status(503, "busy"), "webwxnewloginpage: HTTP status 503: busy"),
    ] {
        let server = Responder::start(move |asked| match asked.call() {
            "webwxnewloginpage" => reply.clone(),
            _ => well(asked),
        })
        .await;
        let client = client(&server);
        let error = client.log_in(&confirmed(&client).await).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_session_is_resumed_and_belongs_to_one_server() {
    let server = Responder::start(well).await;
    let session = logged_in(&server).await.session();
    assert!(session.can_push_login());
    let stored = serde_json::to_string(&session).unwrap();
    let restored: Session = serde_json::from_str(&stored).unwrap();
    assert_eq!(restored, session);
    let debug = format!("{session:?}");
    assert!(
        !["sidsid", "crypt", "pass%2Fticket", "ticketticket"]
            .iter()
            .any(|secret| debug.contains(secret))
    );

    let options = Options { server: Some(server.address.clone()), ..Options::default() };
    let resumed = Client::resume(options, restored.clone()).unwrap();
    assert!(resumed.session().is_logged_in());
    let elsewhere = Options { server: Some("http://127.0.0.1:1".to_owned()), ..Options::default() };
    let elsewhere = Client::resume(elsewhere, restored).unwrap();
    assert!(!elsewhere.session().is_logged_in());
}
