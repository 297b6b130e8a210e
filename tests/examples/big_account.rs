//! Measures the time from the start of a bot with a big account to its first answer, and its peak memory.
//!
//! `cargo run --release -p mynah-tests --example big_account` simulates an account with 5 000 contacts and 300 groups
//! of 500 members, and prints one line. The bot is a second process of this program, so the memory is that of the bot
//! alone.

#![expect(clippy::print_stdout, reason = "what it measures is printed")]

use std::time::{Duration, Instant};

use mynah_sandbox::{Options, World};
use mynah_tests::Stage;

const WORLD: &str = r#"
[me]
name = "小助手"
[[group]]
name = "测试群"
members = ["小红"]
[crowd]
contacts = 5000
groups = 300
members = 500
"#;

/// Longer than any machine should need.
const PATIENCE: Duration = Duration::from_secs(300);

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    if std::env::args().nth(1).as_deref() == Some("run") {
        return Ok(runtime.block_on(mynah::Bot::new().run_cli())?);
    }
    runtime.block_on(async { tokio::time::timeout(PATIENCE, measure()).await? })
}

async fn measure() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let rules = "[[rule]]\nprefix = \"在吗\"\nreply = \"在\"\n";
    std::fs::write(folder.path().join("bot.toml"), rules)?;
    let world = World::from_toml(WORLD)?;
    let program = std::env::current_exe()?.display().to_string();
    let options = Options { world, auto_confirm: true, ..Options::default() };
    let mut stage = Stage::with(&program, folder.path(), options).await;
    let began = Instant::now();
    stage.start().await;
    stage.sandbox.say("小红", Some("测试群"), "在吗");
    stage.expect("测试群", "在").await;
    let took = began.elapsed();
    // The bot reads the conversations of the account in the background. The next answers include that memory.
    for n in 0..20 {
        stage.sandbox.say("小红", Some("测试群"), &format!("在吗 {n}"));
        stage.expect("测试群", "在").await;
    }
    println!("login to first answer: {took:.2?}; peak memory of the bot: {}", stage.peak_memory());
    Ok(())
}
