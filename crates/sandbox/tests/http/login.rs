//! From the code to the session.

use std::time::Duration;

use mynah_sandbox::{Options, World};

use super::{
    client::{Client, element, redirect_path, request},
    quick, story,
};

fn by_hand() -> Options {
    Options { auto_confirm: false, ..quick() }
}

#[tokio::test]
async fn the_phone_scans_and_confirms() {
    story(by_hand(), async |sandbox| {
        let client = Client::of(&sandbox);
        let uuid = client.new_code().await;
        assert_eq!(client.poll(&uuid, 1).await, "window.code=408;");
        sandbox.login_scan().await;
        let scanned = client.poll(&uuid, 1).await;
        assert!(
            scanned.starts_with("window.code=201;window.userAvatar = 'data:img/jpg;base64,"),
            "{scanned}"
        );
        assert_eq!(client.poll(&uuid, 0).await, "window.code=408;");
        sandbox.login_confirm().await;
        let polled = client.poll(&uuid, 0).await;
        let start = format!(
            "window.code=200;\nwindow.redirect_uri=\"{}/cgi-bin/mmwebwx-bin/",
            sandbox.url()
        );
        assert!(polled.starts_with(&start), "{polled}");
        let query = polled.split_once('?').expect("a query").1;
        assert!(!query.contains('/'), "clients cut the address at its last slash");
    })
    .await;
}

#[tokio::test]
async fn a_held_poll_reports_a_scan_at_once() {
    story(Options { hold: Duration::from_secs(15), ..by_hand() }, async |sandbox| {
        let client = Client::of(&sandbox);
        let uuid = client.new_code().await;
        let (polled, ()) = tokio::join!(client.poll(&uuid, 0), sandbox.login_confirm());
        assert!(polled.starts_with("window.code=200"), "{polled}");
    })
    .await;
}

#[tokio::test]
async fn confirming_waits_for_a_code() {
    story(by_hand(), async |sandbox| {
        let mut client = Client::of(&sandbox);
        let ((), ()) = tokio::join!(sandbox.login_confirm(), client.log_in());
        assert!(sandbox.is_online());
    })
    .await;
}

#[tokio::test]
async fn cancelled_expired_and_unknown_codes_are_distinguished() {
    story(by_hand(), async |sandbox| {
        let client = Client::of(&sandbox);
        let cancelled = client.new_code().await;
        assert!(sandbox.login_cancel());
        assert!(!sandbox.login_cancel(), "there is none left");
        assert_eq!(client.poll(&cancelled, 1).await, "window.code=202;");
        let expired = client.new_code().await;
        sandbox.login_expire();
        assert_eq!(client.poll(&expired, 1).await, "window.code=400;");
        assert_eq!(client.poll("nonsense", 1).await, "window.code=400;");
    })
    .await;
}

#[tokio::test]
async fn the_ticket_page_answers_200_or_301_with_the_same_cookies() {
    for (query, status) in [("", 301), ("&fun=new", 200), ("&version=v2", 200)] {
        story(quick(), async |sandbox| {
            let client = Client::of(&sandbox);
            let polled = client.poll(&client.new_code().await, 0).await;
            let answer = client.get(&(redirect_path(&polled) + query)).await;
            assert_eq!((answer.status, answer.header("location")), (status, None));
            assert_eq!(element(&answer.text(), "ret"), "0");
            let names: Vec<_> =
                answer.cookies().iter().map(|it| it.split('=').next().expect("a name")).collect();
            let expected = [
                "wxuin",
                "wxsid",
                "wxloadtime",
                "mm_lang",
                "webwx_data_ticket",
                "webwxuvid",
                "webwx_auth_ticket",
            ];
            assert_eq!(names, expected);
            let again = client.get(&(redirect_path(&polled) + query)).await;
            assert_eq!(element(&again.text(), "ret"), "1203", "a ticket is good once");
            assert!(again.cookies().is_empty());
        })
        .await;
    }
}

#[tokio::test]
async fn refused_accounts_get_1203_and_no_cookies() {
    let cases = [
        (Options { refuse_login: Some("不能登录".to_owned()), ..quick() }, true),
        (Options { desktop_only: true, ..quick() }, false),
    ];
    for (options, always) in cases {
        story(options, async |sandbox| {
            let client = Client::of(&sandbox);
            let path = redirect_path(&client.poll(&client.new_code().await, 0).await) + "&fun=new";
            let answer = client.get(&path).await;
            assert_eq!(element(&answer.text(), "ret"), "1203");
            assert!(answer.cookies().is_empty() && !sandbox.is_online());
            let head = format!("GET {path}");
            let desktop =
                request(&client.address, &head, &[("extspam", "x")], b"").await.expect("an answer");
            assert_eq!(element(&desktop.text(), "ret") == "1203", always);
        })
        .await;
    }
}

#[tokio::test]
async fn the_redirect_follows_the_name_that_the_client_used() {
    story(quick(), async |sandbox| {
        let client = Client::of(&sandbox);
        for (host, base, domain) in [
            ("login.wx.qq.com", "https://wx.qq.com/", Some("Domain=wx.qq.com;")),
            ("login.web2.wechat.com", "https://web2.wechat.com/", Some("Domain=web2.wechat.com;")),
            (client.address.as_str(), sandbox.url(), None),
        ] {
            let uuid = client.new_code().await;
            let head = format!("GET /cgi-bin/mmwebwx-bin/login?tip=0&uuid={uuid}");
            let polled = request(&client.address, &head, &[("Host", host)], b"")
                .await
                .expect("an answer")
                .text();
            assert!(polled.contains(&format!("window.redirect_uri=\"{base}")), "{polled}");
            let head = format!("GET {}", redirect_path(&polled));
            let page =
                request(&client.address, &head, &[("Host", host)], b"").await.expect("an answer");
            match domain {
                Some(domain) => assert!(page.cookies()[1].contains(domain), "{:?}", page.cookies()),
                None => assert!(
                    page.cookies()
                        .iter()
                        .all(|it| !it.contains("Domain") && !it.contains("Secure"))
                ),
            }
        }
    })
    .await;
}

#[tokio::test]
async fn pictures_and_pages_beside_the_login() {
    story(quick(), async |sandbox| {
        let mut client = Client::of(&sandbox);
        assert!(client.get("/").await.text().contains("isLogin: !!\"\""));
        let picture = client.get("/qrcode/4a914KmLzA==").await;
        assert_eq!(picture.header("content-type"), Some("image/png"));
        assert!(picture.body.starts_with(b"\x89PNG"));
        assert_eq!(client.get("/l/4a914KmLzA==").await.status, 200);
        client.log_in().await;
        assert!(client.get("/").await.text().contains("isLogin: !!\"1\""));
        assert_eq!(client.get("/nothing/here").await.status, 404);
    })
    .await;
}

#[tokio::test]
async fn names_change_at_every_login_and_only_then() {
    story(quick(), async |sandbox| {
        let mut client = Client::online(&sandbox).await;
        let before = client.name_of("小红").await;
        assert_eq!(client.name_of("小红").await, before);
        assert!(
            before.starts_with('@')
                && before[1..].chars().all(|it| matches!(it, '0'..='9' | 'a'..='f'))
        );
        let uin = client.uin.clone();
        client.log_in().await;
        client.init().await;
        assert_ne!(client.name_of("小红").await, before);
        assert_eq!(client.uin, uin);
    })
    .await;
}

#[tokio::test]
async fn a_known_browser_may_ask_for_a_login_without_scanning() {
    story(by_hand(), async |sandbox| {
        let mut client = Client::of(&sandbox);
        let path = |uin: &str| format!("/cgi-bin/mmwebwx-bin/webwxpushloginurl?uin={uin}");
        assert_eq!(client.get(&path("3170542881")).await.json()["ret"], "1");
        tokio::join!(sandbox.login_confirm(), client.log_in());
        let pushed = client.get(&path(&client.uin)).await.json();
        assert_eq!((&pushed["ret"], &pushed["msg"]), (&"0".into(), &"all ok".into()));
        assert_eq!(client.get(&path("1")).await.json()["ret"], "1");
        let uuid = pushed["uuid"].as_str().expect("a code").to_owned();
        sandbox.login_confirm().await;
        let polled = client.poll(&uuid, 0).await;
        let before = client.sid.clone();
        client.follow(&polled).await;
        assert_ne!(client.sid, before);
    })
    .await;
}

#[tokio::test]
async fn a_world_file_is_used() {
    let world =
        World::from_toml("language = 'en'\nme = { name = 'Robin', uin = 42 }").expect("a world");
    story(Options { world, ..quick() }, async |sandbox| {
        let mut client = Client::of(&sandbox);
        client.log_in().await;
        let init = client.init().await;
        assert_eq!(
            (&init["User"]["NickName"], &init["User"]["Uin"]),
            (&"Robin".into(), &42.into())
        );
        assert_eq!(client.cookies["mm_lang"], "en_US");
    })
    .await;
}

#[tokio::test]
async fn a_client_without_a_host_header_is_sent_to_the_address_that_it_used() {
    story(quick(), async |sandbox| {
        let client = Client::of(&sandbox);
        let uuid = client.new_code().await;
        let mut stream = tokio::net::TcpStream::connect(&client.address).await.expect("a server");
        let asked = format!("GET /cgi-bin/mmwebwx-bin/login?tip=0&uuid={uuid} HTTP/1.0\r\n\r\n");
        tokio::io::AsyncWriteExt::write_all(&mut stream, asked.as_bytes()).await.expect("a line");
        let mut polled = String::new();
        tokio::io::AsyncReadExt::read_to_string(&mut stream, &mut polled).await.expect("an answer");
        let wanted = format!("window.redirect_uri=\"{}/cgi-bin/", sandbox.url());
        assert!(polled.contains(&wanted), "{polled}");
    })
    .await;
}

#[tokio::test]
async fn options_and_head_requests_change_nothing() {
    story(quick(), async |sandbox| {
        let client = Client::online(&sandbox).await;
        let query = format!("sid={}&uin={}", client.sid, client.uin);
        for method in ["OPTIONS", "HEAD"] {
            let head = format!("{method} /cgi-bin/mmwebwx-bin/webwxlogout?{query}");
            let origin = ("Origin", "https://wx.qq.com");
            let answer = request(&client.address, &head, &[origin], b"").await.expect("an answer");
            assert_eq!(answer.status, 200);
            assert_eq!(answer.header("access-control-allow-origin"), Some("https://wx.qq.com"));
            assert!(sandbox.is_online(), "{method}");
        }
        let body = format!("sid={}&uin={}", client.sid.replace('+', "%2B"), client.uin);
        let form = ("Content-Type", "application/x-www-form-urlencoded");
        let head = "POST /cgi-bin/mmwebwx-bin/webwxlogout?redirect=1&type=0";
        let answer = request(&client.address, head, &[form], body.as_bytes()).await;
        let answer = answer.expect("an answer");
        assert_eq!(answer.json()["BaseResponse"]["Ret"], 0, "the session stands in the form");
        assert_eq!(answer.header("access-control-allow-origin"), None, "no page asked");
        assert!(!sandbox.is_online());
    })
    .await;
}
