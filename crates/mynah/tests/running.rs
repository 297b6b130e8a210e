//! `mynah run` as a process against the sandbox: logging in, answering, stopping, reloading, and its errors. Everything
//! waits for events; one time-out bounds each story.

#![cfg(unix)]

#[path = "running/accounts.rs"]
mod accounts;
mod stage;

use mynah_sandbox::{AccountNames, Fault, FaultKind, Options, Sandbox};

use serde_json::json;
use stage::{Account, BOT, Console, Stage, story};

#[tokio::test]
async fn it_logs_in_answers_and_logs_out_on_ctrl_c() {
    story(async {
        let sandbox = Sandbox::start(Options::default()).await.unwrap();
        let mut stage = Stage::new(sandbox, BOT);
        let mut bot = stage.run(&[]);
        bot.logged("log in with the phone").await;
        let picture = stage.data().join("login.png");
        assert!(picture.exists());
        stage.sandbox.login_confirm().await;
        stage.online().await;
        stage.sandbox.say("张三", Some("客户一群"), "请问多少钱");
        assert_eq!(stage.said().await, ("客户一群".to_owned(), "价目表在这里".to_owned()));
        assert_eq!(stage.mynah(&["status"]).status.code(), Some(0));
        assert_eq!(bot.stop("INT").await, 0);
        assert!(!picture.exists(), "the code is used up");
        assert_eq!(stage.calls("/webwxlogout"), 1);
        assert_eq!(stage.mynah(&["status"]).status.code(), Some(1));
    })
    .await;
}

#[tokio::test]
async fn sigterm_keeps_the_session_and_the_next_start_needs_no_scan() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let mut bot = stage.run(&[]);
        stage.online().await;
        stage.sandbox.say("张三", Some("客户一群"), "你好，多少钱");
        stage.said().await;
        assert_eq!(bot.stop("TERM").await, 0);
        assert_eq!(stage.calls("/webwxlogout"), 0);
        let mut bot = stage.run(&["--keep-session"]);
        bot.logged("online").await;
        stage.sandbox.say("张三", Some("客户一群"), "请问多少钱");
        stage.said().await;
        assert_eq!(stage.calls("/jslogin"), 1, "the second start scanned nothing");
        assert_eq!(bot.stop("INT").await, 0);
        assert_eq!(stage.calls("/webwxlogout"), 0, "--keep-session");
    })
    .await;
}

#[tokio::test]
async fn a_second_ctrl_c_leaves_at_once() {
    story(async {
        let stage = Stage::started(BOT).await;
        let mut bot = stage.run(&[]);
        // The service is online a moment before the bot knows it; until then there is no session to log out of.
        bot.logged("online").await;
        let (path, fault) = ("webwxlogout".to_owned(), FaultKind::Hang);
        let value = serde_json::Value::Null;
        stage.sandbox.fault(Fault { path, fault, value, times: None, after: 0 });
        bot.signal("INT").await;
        bot.logged("once more leaves at once").await;
        assert_eq!(bot.stop("INT").await, 130);
    })
    .await;
}

#[tokio::test]
async fn sighup_reloads() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let mut bot = stage.run(&[]);
        stage.online().await;
        bot.signal("HUP").await;
        bot.logged("the rules were reloaded").await;
        bot.stop("INT").await;
    })
    .await;
}

#[tokio::test]
async fn a_hundred_saves_lose_and_double_nothing() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let mut bot = stage.run(&[]);
        stage.online().await;
        let rules = "[[rule]]\npattern = \"问 {n:int}\"\nreply = \"答 {n}\"\n";
        stage.write_bot(rules);
        bot.logged("the rules were reloaded").await;
        for n in 0..100 {
            stage.write_bot(&if n % 2 == 0 {
                rules.replace("reply", "repyl")
            } else {
                rules.to_owned()
            });
            stage.sandbox.say("张三", Some("客户一群"), &format!("问 {n}"));
        }
        for n in 0..100 {
            assert_eq!(stage.said().await.1, format!("答 {n}"));
        }
        bot.stop("INT").await;
        assert_eq!(stage.sandbox.sent().len(), 100);
    })
    .await;
}

#[tokio::test]
async fn rules_are_reloaded_on_save_and_bad_ones_are_not() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let mut bot = stage.run(&[]);
        stage.online().await;
        stage.write_bot(&BOT.replace("价目表在这里", "新价目表"));
        bot.logged("the rules were reloaded").await;
        stage.sandbox.say("张三", Some("客户一群"), "多少钱");
        assert_eq!(stage.said().await.1, "新价目表");
        stage.write_bot(&BOT.replace("keyword", "keywrod"));
        bot.logged("the old ones stay").await;
        stage.write_bot(&BOT.replace("> 价目表在这里", "> 别的"));
        bot.logged("the old ones stay").await;
        // Editors and full disks leave an empty file.
        stage.write_bot("");
        bot.logged("the file is empty").await;
        bot.logged("the old ones stay").await;
        stage.sandbox.say("张三", Some("客户一群"), "多少钱");
        assert_eq!(stage.said().await.1, "新价目表");
        bot.stop("INT").await;
    })
    .await;
}

#[tokio::test]
async fn a_list_in_a_file_is_reloaded_on_save_and_a_bad_one_is_not() {
    story(async {
        let rules = "[lists]\ncity = { file = \"cities.txt\" }\n[[rule]]\npattern = \"天气 {city:city}\"\nreply = \"{city}晴\"\n";
        let mut stage = Stage::started("").await;
        stage.save("cities.txt", "北京\n".as_bytes());
        stage.save("bot.toml", rules.as_bytes());
        let mut bot = stage.run(&[]);
        stage.online().await;
        stage.sandbox.say("张三", None, "天气 北京");
        assert_eq!(stage.said().await.1, "北京晴");
        stage.save("cities.txt", "北京\n上海\n".as_bytes());
        bot.logged("the rules were reloaded").await;
        for (bad, reason) in [(&b"\xb1\xb1\xbe\xa9"[..], "not saved as UTF-8"), (b"", "has no items")] {
            stage.save("cities.txt", bad);
            bot.logged(reason).await;
            bot.logged("the old ones stay").await;
        }
        stage.sandbox.say("张三", None, "天气 上海");
        assert_eq!(stage.said().await.1, "上海晴");
        bot.stop("INT").await;
    })
    .await;
}

#[tokio::test]
async fn an_admin_reloads_from_within_a_chat() {
    story(async {
        let rules = BOT.to_owned() + "[[rule]]\nexact = \"#重载\"\nrun = \"builtin.reload\"\n";
        let mut stage = Stage::started(&rules).await;
        let mut bot = stage.run(&["--lang", "zh"]);
        stage.online().await;
        stage.sandbox.say("张三", Some("客户一群"), "#重载");
        let (_, text) = stage.said().await;
        assert!(text.starts_with("已重新加载：2 条规则"), "{text}");
        bot.stop("INT").await;
    })
    .await;
}

#[tokio::test]
async fn an_operator_says_something_and_logs_out() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let mut bot = stage.run(&[]);
        stage.online().await;
        stage.sandbox.say("张三", Some("客户一群"), "多少钱");
        stage.said().await;
        let refused = stage.mynah(&["send", "没有这个群", "hi"]);
        assert_eq!(refused.status.code(), Some(1));
        assert_eq!(stage.mynah(&["send", "客户一群", "维护十分钟"]).status.code(), Some(0));
        assert_eq!(stage.said().await, ("客户一群".to_owned(), "维护十分钟".to_owned()));
        assert_eq!(stage.mynah(&["logout"]).status.code(), Some(0));
        assert_eq!(bot.ended().await, 0);
        assert_eq!(stage.calls("/webwxlogout"), 1);
        let late = stage.mynah(&["send", "客户一群", "早上好"]);
        assert_eq!(late.status.code(), Some(0), "{}", String::from_utf8_lossy(&late.stderr));
        let mut bot = stage.run(&[]);
        assert_eq!(stage.said().await.1, "早上好");
        bot.stop("INT").await;
    })
    .await;
}

#[tokio::test]
async fn data_is_taken_out_and_people_are_forgotten() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let mut bot = stage.run(&[]);
        stage.online().await;
        stage.sandbox.say("张三", Some("客户一群"), "多少钱");
        stage.said().await;
        let export =
            |stage: &Stage| String::from_utf8(stage.mynah(&["data", "export"]).stdout).unwrap();
        assert!(export(&stage).contains("多少钱"));
        let copy = stage.data().join("copy.db");
        let backup = stage.mynah(&["data", "backup", copy.to_str().unwrap()]);
        assert_eq!(backup.status.code(), Some(0), "{}", String::from_utf8_lossy(&backup.stderr));
        assert!(std::fs::metadata(copy).unwrap().len() > 0);
        assert_eq!(stage.mynah(&["forget", "张三"]).status.code(), Some(0));
        assert!(!export(&stage).contains("多少钱"));
        bot.stop("INT").await;
    })
    .await;
}

#[tokio::test]
async fn a_second_process_on_the_same_data_is_refused() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let mut bot = stage.run(&[]);
        stage.online().await;
        let mut second = stage.run(&[]);
        assert_eq!(second.ended().await, 5);
        second.logged("in use by another process").await;
        bot.stop("INT").await;
    })
    .await;
}

#[tokio::test]
async fn two_accounts_of_one_sandbox_answer_their_own_people_only() {
    story(async {
        let accounts = AccountNames::numbered(3);
        let options = Options { accounts, auto_confirm: true, ..Options::default() };
        let mut stage = Stage::new(Sandbox::start(options).await.unwrap(), BOT);
        let [first, second, third] = stage.sandbox.accounts().to_vec().try_into().unwrap();
        let mut others = second.events();
        let accounts = [
            Account { name: "one", server: first.url() },
            Account { name: "two", server: second.url() },
        ];
        let mut bot = stage.run_config(&stage.config(&accounts, &stage.folder().join("alerts")));
        stage.online().await;
        stage::until(&mut others, |event| stage::is_online(event).then_some(())).await;
        for account in [&first, &second, &third] {
            account.say(account.name(), Some("客户一群"), "多少钱");
        }
        stage.said().await;
        stage::until(&mut others, stage::sent_text).await;
        bot.stop("TERM").await;
        let sent: Vec<_> = [&first, &second, &third].map(|it| it.sent().len()).into();
        assert_eq!(sent, [1, 1, 0]);
    })
    .await;
}

#[tokio::test]
async fn one_of_two_accounts_is_logged_out_and_the_other_goes_on() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let other = Sandbox::start(Options::default()).await.unwrap();
        let alerts = stage.folder().join("alerts");
        let accounts = [
            Account { name: "one", server: stage.sandbox.url() },
            Account { name: "two", server: other.url() },
        ];
        let mut bot = stage.run_config(&stage.config(&accounts, &alerts));
        let page = bot.logged("serving /health").await;
        let page = page.split("address=").nth(1).unwrap().split_whitespace().next().unwrap();
        assert!(stage::get(page, "/health").await.starts_with("HTTP/1.1 503"), "nobody is online");
        other.login_confirm().await;
        stage::until_health(page, "200").await;

        assert!(other.end_session(1101));
        stage::until_health(page, "503").await;
        let health = stage::get(page, "/health").await;
        assert!(health.contains(r#""one":{"condition":"online""#), "{health}");
        stage.sandbox.say("张三", Some("客户一群"), "多少钱");
        assert_eq!(stage.said().await.1, "价目表在这里");
        let metrics = stage::get(page, "/metrics").await;
        assert!(metrics.contains("mynah_decisions_total{account=\"one\",rule="), "{metrics}");
        assert!(metrics.contains("mynah_online{account=\"two\"} 0"), "{metrics}");
        let waiting = stage::until_alert(&alerts, "login").await;
        assert!(waiting["picture"].is_string(), "the QR code comes along");
        let told = stage::until_alert(&alerts, "logged_out").await;
        assert_eq!(told["account"], "two");

        bot.stop("INT").await;
        assert_eq!(stage::alerts(&alerts, "logged_out").len(), 1);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_rule_file_is_told_whole_and_no_login_is_tried() {
    story(async {
        let wrong = "[bot]\nnamse = [\"x\"]\n[[rule]]\nkeyword = 3\nreply = \"x\"\n[[rule]]\nkeyword = \"a\"\nreply = \"{nmae}\"\n[[rule]]\nregex = '('\nimage = \"no.png\"\n";
        let stage = Stage::started(wrong).await;
        let mut bot = stage.run(&["--lang", "en"]);
        assert_eq!(bot.ended().await, 1);
        let told = bot.log().await;
        for code in ["unknown-key", "type", "template", "regex", "file"] {
            assert!(told.contains(&format!("error[{code}]")), "{code} is missing in\n{told}");
        }
        assert_eq!(stage.sandbox.calls(), []);
    })
    .await;
}

#[tokio::test]
async fn wrong_settings_and_wrong_usage_have_their_own_status() {
    story(async {
        let stage = Stage::started(BOT).await;
        let config = stage.folder().join("wrong.toml");
        std::fs::write(&config, "[pacing]\ndayly = 3\n").unwrap();
        let mut bot = stage.run(&["--config", config.to_str().unwrap()]);
        assert_eq!(bot.ended().await, 1);
        bot.logged("did you mean `daily`?").await;
        let mut bot = stage.run(&["--config", "no/such/file.toml"]);
        assert_eq!(bot.ended().await, 1);
        let nothing = stage.bare(&["run"]);
        assert_eq!(nothing.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&nothing.stderr).contains("there is no bot to run"));
        assert_eq!(stage.bare(&["run", "--nonsense"]).status.code(), Some(2));
        assert_eq!(stage.bare(&["status", "--data", "no/such"]).status.code(), Some(1));
        assert_eq!(stage.sandbox.calls(), []);
    })
    .await;
}

#[tokio::test]
async fn a_dry_run_says_nothing_and_tells_what_it_would_say() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let mut bot = stage.run(&["--dry-run"]);
        stage.online().await;
        stage.sandbox.say("张三", Some("客户一群"), "多少钱");
        let told = bot.logged("dry run: reply not sent").await;
        assert!(told.contains("价目表在这里"), "{told}");
        bot.stop("INT").await;
        assert_eq!(stage.sandbox.sent(), []);
    })
    .await;
}

/// Starts the bot with a console, and returns its token if it was printed.
async fn with_console(stage: &Stage) -> (stage::Bot, Console, Option<String>) {
    let mut bot = stage.run(&["--listen", "127.0.0.1:0", "--lang", "en"]);
    let mut told = None;
    let line = loop {
        let line = bot.logged("").await;
        if line.starts_with("token of the console") {
            told = Some(bot.logged("").await);
        } else if line.contains("page: http://") {
            break line;
        }
    };
    let address =
        line.split("http://").nth(1).expect("an address").trim_end_matches('/').to_owned();
    let file = stage.data().join("page-token");
    let token = std::fs::read_to_string(file).expect("a kept token").trim().to_owned();
    (bot, Console { address, token }, told)
}

#[tokio::test]
async fn the_console_opens_to_its_token_which_is_told_once() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let (mut bot, console, told) = with_console(&stage).await;
        assert_eq!(told.as_deref(), Some(console.token.as_str()));
        stage.online().await;
        assert!(stage::get(&console.address, "/api/session").await.starts_with("HTTP/1.1 401"));
        assert!(stage::get(&console.address, "/metrics").await.starts_with("HTTP/1.1 200"));
        assert_eq!(console.get("session").await["mode"], "console");
        bot.stop("TERM").await;
        let (mut bot, again, told) = with_console(&stage).await;
        assert_eq!((again.token, told), (console.token, None));
        bot.stop("INT").await;
    })
    .await;
}

#[tokio::test]
async fn the_console_shows_messages_with_their_decisions_and_mutes() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let (mut bot, console, _) = with_console(&stage).await;
        stage.online().await;
        console.until("accounts", |accounts| accounts[0]["online"] == true).await;
        stage.sandbox.say("张三", Some("客户一群"), "多少钱");
        stage.said().await;
        let log = console.get("log").await;
        let entry = log.as_array().unwrap().iter().find(|entry| entry["text"] == "多少钱").unwrap();
        assert_eq!((&entry["chat"], &entry["from"]), (&json!("客户一群"), &json!("张三")));
        assert_eq!(entry["decided"]["replies"], json!(["价目表在这里"]));
        console.until("rules", |rules| rules[0]["hits"] == 1 && rules[0]["stale"] == false).await;

        let known = console.get("known-chats?query=%E5%AE%A2%E6%88%B7%E4%B8%80").await;
        assert_eq!(known["total"], 1);
        let chat = &known["chats"][0];
        let account = &chat["account"];
        assert_eq!((&chat["name"], &chat["muted"]), (&json!("客户一群"), &json!(false)));
        for (minutes, muted) in [(30, true), (0, false)] {
            let wanted = json!({"account": account, "chat": chat["id"], "minutes": minutes});
            console.post("mute", &wanted).await;
            console
                .until("known-chats?query=%E5%AE%A2%E6%88%B7%E4%B8%80", |now| {
                    now["chats"][0]["muted"] == muted
                })
                .await;
            stage.sandbox.say("张三", Some("客户一群"), "现在多少钱");
            let quiet = if muted { json!("mute") } else { json!(null) };
            console
                .until("log", |log| {
                    log[0]["text"] == "现在多少钱" && log[0]["decided"]["quiet"] == quiet
                })
                .await;
        }
        assert_eq!(stage.said().await.1, "价目表在这里");

        let reloaded = console.post("reload", &json!({"account": account})).await;
        assert_eq!(reloaded["report"], "reloaded: 1 rules, 0 new, 0 gone");
        bot.stop("INT").await;
        assert_eq!(stage.sandbox.sent().len(), 2, "nothing was said while it was muted");
    })
    .await;
}

#[tokio::test]
async fn a_broken_rule_file_saved_while_it_runs_is_shown_until_it_is_mended() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let (mut bot, console, _) = with_console(&stage).await;
        stage.online().await;
        console.until("accounts", |accounts| accounts[0]["online"] == true).await;
        stage.write_bot(&BOT.replace("keyword", "keywrod"));
        console.until("accounts", |accounts| !accounts[0]["rejected_rules"].is_null()).await;
        let rejected = &console.get("accounts").await[0]["rejected_rules"];
        assert_eq!((&rejected["file"], &rejected["line"]), (&json!("bot.toml"), &json!(5)));
        assert!(rejected["report"].as_str().unwrap().contains("keywrod"), "{rejected}");
        let health = stage::get(&console.address, "/health").await;
        assert!(health.starts_with("HTTP/1.1 200"), "the old rules answer: {health}");
        assert!(health.contains(r#""rejected_rules":{"file":"bot.toml","line":5,"#), "{health}");
        let rejected = "mynah_rules_rejected{account=\"bot\"}";
        let metrics = stage::get(&console.address, "/metrics").await;
        assert!(metrics.contains(&format!("{rejected} 1")), "{metrics}");
        let status = String::from_utf8(stage.mynah(&["status"]).stdout).unwrap();
        assert!(status.contains("rules    bot.toml:5: 1 mistake since "), "{status}");
        // A test that fails is a mistake as well.
        stage.write_bot(&BOT.replace("> 价目表在这里", "> 别的"));
        console.until("accounts", |now| now[0]["rejected_rules"]["line"] == 10).await;
        stage.write_bot(BOT);
        console.until("accounts", |accounts| accounts[0]["rejected_rules"].is_null()).await;
        let metrics = stage::get(&console.address, "/metrics").await;
        assert!(metrics.contains(&format!("{rejected} 0")), "{metrics}");
        let status = String::from_utf8(stage.mynah(&["status"]).stdout).unwrap();
        assert!(!status.contains("rules "), "{status}");
        bot.stop("INT").await;
    })
    .await;
}
