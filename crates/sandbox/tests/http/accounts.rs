//! Several accounts in one sandbox.

use mynah_sandbox::{AccountNames, Fault, FaultKind, Options, World};
use serde_json::{Value, json};

use crate::{
    client::{Client, redirect_path, request},
    quick, story,
};

fn with_accounts(count: usize) -> Options {
    Options { accounts: AccountNames::numbered(count), ..quick() }
}

fn texts(messages: &[Value]) -> Vec<&str> {
    messages.iter().filter_map(|message| message["Content"].as_str()).collect()
}

#[tokio::test]
async fn no_message_of_one_account_reaches_another() {
    story(with_accounts(3), async |sandbox| {
        let accounts = sandbox.accounts();
        let mut first = Client::online(&accounts[0]).await;
        let mut second = Client::online(&accounts[1]).await;
        assert_ne!((&first.uin, &first.sid), (&second.uin, &second.sid));
        accounts[0].say("小红", None, "一");
        accounts[1].say("小红", None, "二");
        accounts[2].say("小红", None, "三");
        assert_eq!(texts(&first.messages().await), ["一"]);
        assert_eq!(texts(&second.messages().await), ["二"]);
        let to = first.name_of("小红").await;
        assert_eq!(first.send(&to, "你好", 1).await["BaseResponse"]["Ret"], 0);
        let sent: Vec<_> = accounts.iter().map(|account| account.sent().len()).collect();
        assert_eq!(sent, [1, 0, 0]);
        // The name of a contact belongs to one account, as the session does.
        assert_ne!(second.send(&to, "你好", 2).await["BaseResponse"]["Ret"], 0);
        first.home.clone_from(&second.home);
        assert_eq!(first.check().await, "window.synccheck={retcode:\"1102\",selector:\"0\"}");
        assert!(accounts[2].calls().is_empty() && !accounts[2].is_online());
    })
    .await;
}

#[tokio::test]
async fn each_account_has_its_phone_its_faults_and_its_controls() {
    let options = Options { auto_confirm: false, ..with_accounts(2) };
    story(options, async |sandbox| {
        let (first, second) =
            (sandbox.account("a1").expect("it"), sandbox.account("a2").expect("it"));
        assert!(sandbox.account("a3").is_none());
        let (one, two) = (Client::of(first), Client::of(second));
        let codes = (one.new_code().await, two.new_code().await);
        two.control("login/confirm", &json!({})).await;
        assert!(one.poll(&codes.0, 0).await.starts_with("window.code=408"));
        let confirmed = two.poll(&codes.1, 0).await;
        assert!(confirmed.contains(&format!("\"{}/cgi-bin/", second.url())), "{confirmed}");
        assert!(one.get(&redirect_path(&confirmed)).await.text().contains("check ticket failed"));

        first.fault(Fault::new("jslogin", FaultKind::Empty));
        assert!(two.get("/jslogin").await.text().contains("200"));
        assert_eq!(one.get("/jslogin").await.text(), "");

        two.control("messages", &json!({ "from": "新来的", "text": "在吗" })).await;
        assert!(second.chat("新来的").is_some() && first.chat("新来的").is_none());
        let calls = one.get("/sandbox/calls").await.json();
        assert_eq!(calls["calls"][0]["path"], "/jslogin", "as in a sandbox with one account");
    })
    .await;
}

#[tokio::test]
async fn the_accounts_are_listed_and_other_paths_name_them() {
    story(with_accounts(2), async |sandbox| {
        let client = Client::online(&sandbox.accounts()[1]).await;
        let address = client.address.clone();
        let get = async |path: &str| {
            let answer = request(&address, &format!("GET {path}"), &[], b"").await;
            answer.expect("an answer")
        };
        let list = json!({ "accounts": [
            { "name": "a1", "url": format!("http://{address}/a/a1"), "online": false },
            { "name": "a2", "url": format!("http://{address}/a/a2"), "online": true },
        ] });
        for path in ["/sandbox/accounts", "/a/a2/sandbox/accounts"] {
            assert_eq!(get(path).await.json(), list, "{path}");
        }
        for path in ["/", "/jslogin", "/a/a3/jslogin", "/sandbox/sent", "/a/a1x"] {
            let answer = get(path).await;
            assert_eq!(answer.status, 404, "{path}");
            assert!(answer.text().contains("a1, a2, at /a/NAME"), "{}", answer.text());
        }
        assert_eq!(get("/a/a1").await.status, 200);
        let host = [("Host", "evil.example")];
        let refused = request(&address, "GET /sandbox/accounts", &host, b"").await;
        assert_eq!(refused.expect("an answer").status, 403);
    })
    .await;
}

#[tokio::test]
async fn a_sandbox_with_one_account_lists_it_at_the_root() {
    story(quick(), async |sandbox| {
        let list = Client::of(&sandbox).get("/sandbox/accounts").await.json();
        let expected = json!([{ "name": "", "url": sandbox.url(), "online": false }]);
        assert_eq!(list["accounts"], expected);
    })
    .await;
}

#[tokio::test]
async fn every_account_has_the_whole_world() {
    let world = World::default().with_crowd(20, 5, 10);
    story(Options { world, ..with_accounts(2) }, async |sandbox| {
        for account in sandbox.accounts() {
            let groups = account.state(None, None, 0).chats;
            assert_eq!(groups.iter().filter(|chat| chat.name.starts_with("大群")).count(), 5);
        }
        sandbox.accounts()[0].say("小红", Some("新群"), "在吗");
        assert!(sandbox.accounts()[1].chat("新群").is_none());
    })
    .await;
}
