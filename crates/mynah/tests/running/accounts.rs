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

async fn auto_confirmed() -> Sandbox {
    let options = Options { auto_confirm: true, ..Options::default() };
    Sandbox::start(options).await.expect("a free port")
}
