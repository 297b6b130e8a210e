//! The example with a service of its own is run, through the same command line as every other service.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails as loudly as the test")]

use std::path::Path;

use mynah::Ended;
use tempfile::TempDir;

#[path = "../examples/own_service.rs"]
#[expect(dead_code, reason = "`main` is that of the example")]
mod own_service;

const RULES: &str =
    "[bot]\ntransport = \"notes\"\n\n[[rule]]\nkeyword = \"price\"\nreply = \"ten\"\n";

/// A folder with a bot, two questions and an account of the service.
fn folder() -> TempDir {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    std::fs::write(path("bot.toml"), RULES).unwrap();
    std::fs::write(path("questions.txt"), "the price?\nhello\n").unwrap();
    let config = format!(
        "[[account]]\nname = 'n'\ntransport = 'notes'\nbot = '{}'\ndata = '{}'\ninput = '{}'\noutput = '{}'\n",
        path("bot.toml"),
        path("data"),
        path("questions.txt"),
        path("answers.txt"),
    );
    std::fs::write(path("mynah.toml"), config).unwrap();
    folder
}

async fn run(folder: &Path, arguments: &[&str]) -> Result<Ended, mynah::Report> {
    let config = folder.join("mynah.toml");
    let all = ["mynah"].iter().chain(arguments).map(|argument| match *argument {
        "CONFIG" => config.display().to_string(),
        "BOT" => folder.join("bot.toml").display().to_string(),
        "DATA" => folder.join("data").display().to_string(),
        other => other.to_owned(),
    });
    own_service::bot().run(all).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_knows_a_service_of_the_program() {
    let folder = folder();
    let answers = || std::fs::read_to_string(folder.path().join("answers.txt")).unwrap_or_default();
    let at = folder.path();
    assert_eq!(run(at, &["check", "BOT", "--config", "CONFIG"]).await.unwrap(), Ended::Fine);
    assert_eq!(run(at, &["check", "BOT", "--transport", "notes"]).await.unwrap(), Ended::Fine);
    let unknown = run(at, &["check", "BOT", "--transport", "note"]).await.unwrap_err();
    assert!(format!("{unknown}").contains("no service note"), "{unknown}");
    assert_eq!(run(at, &["run", "--config", "CONFIG"]).await.unwrap(), Ended::Fine);
    assert_eq!(answers(), "ten\n");
    // No message is read twice, and the message of the operator leaves at the next start.
    let send = ["send", "notes", "closed today", "--data", "DATA"];
    assert_eq!(run(at, &send).await.unwrap(), Ended::Fine);
    assert_eq!(run(at, &["logout", "--data", "DATA"]).await.unwrap(), Ended::Fine);
    assert_eq!(run(at, &["run", "--config", "CONFIG"]).await.unwrap(), Ended::Fine);
    assert_eq!(answers(), "ten\nclosed today\n");
    // The stock program reports whose data it is.
    let data = at.join("data").display().to_string();
    let stock = mynah::prelude::Bot::new().run(["mynah", "status", "--data", &data]).await;
    assert!(format!("{}", stock.unwrap_err()).contains("belongs to the service notes"));
}
