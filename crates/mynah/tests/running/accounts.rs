//! Several accounts of one process: each starts, runs and stops by itself.

use crate::stage::{self, Account, BOT, Stage, story};
use mynah_sandbox::{Options, Sandbox};

#[tokio::test]
async fn a_damaged_database_keeps_no_other_account_from_starting() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let others = [auto_confirmed().await, auto_confirmed().await];
        let alerts = stage.folder().join("alerts");
        let database = stage.folder().join("broken/mynah.db");
        std::fs::create_dir(stage.folder().join("broken")).unwrap();
        std::fs::write(&database, "this is not a database").unwrap();
        let accounts = [
            Account { name: "broken", server: others[0].url() },
            Account { name: "one", server: stage.sandbox.url() },
            Account { name: "two", server: others[1].url() },
        ];
        let mut bot = stage.run_config(&stage.config(&accounts, &alerts));
        bot.logged("failed to open the data of broken").await;
        let page = bot.page().await;
        stage.online().await;
        stage.sandbox.say("张三", Some("客户一群"), "多少钱");
        assert_eq!(stage.said().await.1, "价目表在这里");
        let health = stage::get(&page, "/health").await;
        assert!(health.starts_with("HTTP/1.1 503"), "{health}");
        assert!(
            health.contains(r#""broken":{"condition":"not_started","reason":"failed to open"#),
            "{health}"
        );
        let alert = stage::until_alert(&alerts, "storage").await;
        assert_eq!(alert["account"], "broken");

        // The operator puts the file away, and the account starts by itself.
        std::fs::remove_file(&database).unwrap();
        stage::until_health(&page, "200").await;
        assert_eq!(bot.stop("TERM").await, 0);
    })
    .await;
}

#[tokio::test]
async fn accounts_come_and_go_with_their_tables_in_the_settings() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let others = [auto_confirmed().await, auto_confirmed().await];
        let alerts = stage.folder().join("alerts");
        let one = Account { name: "one", server: stage.sandbox.url() };
        let two = Account { name: "two", server: others[0].url() };
        let mut bot = stage.run_config(&stage.config(&[one, two], &alerts));
        let page = bot.page().await;
        stage::until_health(&page, "200").await;

        // A third table starts an account, which changes nothing for the others.
        let three = Account { name: "three", server: others[1].url() };
        stage.config(&[one, two, three], &alerts);
        bot.logged("added=three").await;
        while others[1].calls().iter().all(|call| !call.path.ends_with("/webwxinit")) {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        stage::until_health(&page, "200").await;
        assert_eq!(stage.calls("/webwxinit"), 1);

        // A removed table stops its account, keeps its session, and takes it off the pages.
        stage.config(&[one, three], &alerts);
        bot.logged("removed=two").await;
        stage::until_gone(&page, "two").await;
        assert!(others[0].calls().iter().all(|call| !call.path.ends_with("/webwxlogout")));

        // A file with a mistake changes nothing, whatever else it says.
        let wrong = Account { name: "a/b", server: others[0].url() };
        stage.config(&[three, wrong], &alerts);
        bot.logged("the old ones stay").await;
        // Neither does a file without accounts, nor an empty one.
        stage.config(&[], &alerts);
        bot.logged("there is no bot to run").await;
        bot.logged("the old ones stay").await;
        std::fs::write(stage.folder().join("mynah.toml"), "").unwrap();
        bot.logged("the file is empty or gone").await;
        stage.sandbox.say("张三", Some("客户一群"), "多少钱");
        assert_eq!(stage.said().await.1, "价目表在这里");

        // A changed table replaces its account, at SIGHUP too. The session goes on.
        let elsewhere = Account { name: "three", server: stage.sandbox.url() };
        let path = stage.config(&[elsewhere], &alerts);
        bot.logged("started_anew=three").await;
        stage.online().await;
        assert_eq!(stage.calls("/webwxlogout"), 0);
        std::fs::remove_file(path).unwrap();
        assert_eq!(bot.stop("TERM").await, 0);
    })
    .await;
}

#[tokio::test]
async fn rules_that_cannot_be_used_keep_one_of_two_accounts_from_starting_until_they_are_saved() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let other = auto_confirmed().await;
        let alerts = stage.folder().join("alerts");
        let accounts = [
            Account { name: "one", server: stage.sandbox.url() },
            Account { name: "two", server: other.url() },
        ];
        let path = stage.config(&accounts, &alerts);
        let second = stage.folder().join("second.toml");
        std::fs::write(&second, BOT.replace("keyword", "keywrod")).unwrap();
        let bot_of_two = format!("bot = '{}'", second.display());
        let text = std::fs::read_to_string(&path).unwrap();
        let (head, tail) = text.rsplit_once("bot = ").unwrap();
        let rest = tail.split_once('\n').unwrap().1;
        std::fs::write(&path, format!("{head}{bot_of_two}\n{rest}")).unwrap();
        let mut bot = stage.run_config(&path);
        bot.logged("error[unknown-key]").await;
        bot.logged("not started: the rules cannot be used: second.toml").await;
        let page = bot.page().await;
        stage.online().await;
        let health = stage::get(&page, "/health").await;
        assert!(health.contains(r#""two":{"condition":"not_started""#), "{health}");
        assert_eq!(stage::until_alert(&alerts, "not_started").await["account"], "two");
        // It has no data yet: the process of the other account knows why.
        let config = path.to_str().unwrap();
        let status = stage.bare(&["status", "--account", "two", "--config", config]);
        let said = String::from_utf8_lossy(&status.stderr).into_owned();
        assert!(said.contains("not started: the rules cannot be used: second.toml"), "{said}");
        std::fs::write(&second, BOT).unwrap();
        stage::until_health(&page, "200").await;
        assert_eq!(bot.stop("INT").await, 0);
        let rest = bot.log().await;
        assert!(!rest.contains("the last alerts could not be delivered"), "{rest}");
    })
    .await;
}

#[tokio::test]
async fn a_missing_bot_keeps_one_of_two_accounts_from_starting_until_it_is_there() {
    story(async {
        let mut stage = Stage::started(BOT).await;
        let other = auto_confirmed().await;
        let accounts = [
            Account { name: "one", server: stage.sandbox.url() },
            Account { name: "two", server: other.url() },
        ];
        let path = stage.config(&accounts, &stage.folder().join("alerts"));
        let (here, missing) = (stage.folder().join("bot"), stage.folder().join("missing"));
        let text = std::fs::read_to_string(&path).unwrap();
        let (first, second) = text.rsplit_once("bot = ").unwrap();
        let second = second.split_once('\n').unwrap().1;
        let with_missing = format!("{first}bot = '{}'\n{second}", missing.display());
        std::fs::write(&path, &with_missing).unwrap();
        let mut bot = stage.run_config(&path);
        let page = bot.page().await;
        stage.online().await;
        let health = stage::get(&page, "/health").await;
        assert!(health.contains(r#""two":{"condition":"not_started""#), "{health}");
        assert!(health.contains("missing/bot.toml does not exist"), "{health}");
        std::fs::create_dir(&missing).unwrap();
        std::fs::write(missing.join("bot.toml"), BOT).unwrap();
        stage::until_health(&page, "200").await;
        assert_eq!(bot.stop("TERM").await, 0);

        // Without any bot there is nothing to run: the settings are refused with the places.
        let without = with_missing.replace(&format!("'{}'", here.display()), "'nowhere'");
        std::fs::remove_dir_all(&missing).unwrap();
        std::fs::write(&path, without).unwrap();
        let mut bot = stage.run_config(&path);
        assert_eq!(bot.ended().await, 1);
        bot.logged("nowhere does not exist").await;
    })
    .await;
}

#[tokio::test]
async fn a_start_that_cannot_have_its_descriptors_is_refused_in_one_line() {
    story(async {
        let stage = Stage::started(BOT).await;
        let names: Vec<String> = (0..200).map(|n| format!("a{n}")).collect();
        let server = stage.sandbox.url();
        let accounts: Vec<Account<'_>> =
            names.iter().map(|name| Account { name, server }).collect();
        let path = stage.config(&accounts, &stage.folder().join("alerts"));
        let mut bot = stage.run_limited(&path, 1024);
        assert_eq!(bot.ended().await, 2);
        let told = bot.log().await;
        assert!(told.starts_with("error: 200 accounts need 1860 file descriptors"), "{told}");
        assert!(told.contains("this process may have 1024") && told.contains("ulimit"), "{told}");
        assert_eq!(stage.sandbox.calls(), []);
    })
    .await;
}

async fn auto_confirmed() -> Sandbox {
    let options = Options { auto_confirm: true, ..Options::default() };
    Sandbox::start(options).await.expect("a free port")
}
