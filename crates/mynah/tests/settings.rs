//! Settings of handlers of the program: read into a type, reported with their place before the bot runs.

use std::path::Path;

use mynah::Ended;
use mynah::prelude::*;
use mynah::testing::Conversation;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Settings {
    city: String,
    #[serde(default)]
    days: u8,
}

fn bot() -> Bot {
    let forecast = |settings: Settings| {
        if settings.city.is_empty() {
            return Err("city is empty".into());
        }
        Ok(handler_fn(move |ctx, _| {
            ctx.reply(format!("{}, {} days", settings.city, settings.days));
            Ok(Flow::Stop)
        }))
    };
    Bot::new().handler_with("forecast", forecast)
}

const RULES: &str = "[[rule]]\nexact = \"forecast\"\nrun = \"forecast\"\n";

async fn said(bot: Bot) -> mynah::Result<Vec<String>> {
    let mut talk = Conversation::with_rules(bot, RULES).await?;
    let said = talk.say("Ann", "forecast").await?;
    Ok(said.into_iter().map(|reply| reply.text).collect())
}

#[tokio::test]
async fn settings_are_read_into_their_type() -> mynah::Result<()> {
    let with = "[[handler]]\nname = 'forecast'\n[handler.settings]\ncity = 'Rome'\ndays = 3\n";
    assert_eq!(said(bot().settings(with)?).await?, ["Rome, 3 days"]);
    // Without settings the handler fails; the bot goes on.
    assert!(said(bot()).await?.is_empty());
    Ok(())
}

#[tokio::test]
async fn mistakes_have_a_line_and_every_command_reports_them() -> mynah::Result<()> {
    let head = "[[handler]]\nname = 'forecast'\n";
    for (text, place, words) in [
        (
            "settings = { city = 'Rome', days = 300 }",
            "mynah.toml:3:36:",
            "integer `300`, expected u8",
        ),
        ("settings = { town = 'Rome' }", "mynah.toml:3:14:", "unknown field `town`"),
        ("settings = { days = 3 }", "mynah.toml:3:", "missing field `city`"),
        ("settings = { city = '' }", "mynah.toml:3:", "city is empty"),
        ("", "mynah.toml:1:", "missing field `city`"),
        (
            "settings = { city = 'Rome' }\ntimeout = '1s'",
            "mynah.toml:4:",
            "`timeout` means nothing",
        ),
    ] {
        let report = bot().settings(&format!("{head}{text}\n")).expect_err(text).to_string();
        assert!(report.contains(place) && report.contains(words), "{text}: {report}");
    }
    let other = "[[handler]]\nname = 'other'\nsettings = { city = 'Rome' }\n";
    let report = bot().settings(other).expect_err("no such handler").to_string();
    assert!(report.contains("needs `command`"), "{report}");
    let program = "[[handler]]\nname = 'p'\ncommand = ['p']\nsettings = { days = 3 }\n";
    let report = bot().settings(program).expect_err("a program gets texts").to_string();
    assert!(report.contains("mynah.toml:4:21:") && report.contains("must be a text"), "{report}");

    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).display().to_string();
    let write = |name: &str, text: &str| std::fs::write(path(name), text).expect("written");
    write(
        "bot.toml",
        &format!("{RULES}\n[[test]]\nscript = '''\nAnn: forecast\n> Rome, 3 days\n'''\n"),
    );
    write("good.toml", &format!("{head}settings = {{ city = 'Rome', days = 3 }}\n"));
    write("bad.toml", &format!("{head}settings = {{ days = 3 }}\n"));
    write("none.toml", "");
    let (rules, data) = (path("bot.toml"), path("data"));
    let run = |command: &'static str, settings: &str| {
        let mut all = vec!["bot".to_owned(), command.to_owned(), rules.clone()];
        all.extend(["--config".to_owned(), path(settings)]);
        if command == "run" {
            all.extend(["--data".to_owned(), data.clone()]);
        }
        bot().run(all)
    };
    assert_eq!(run("check", "good.toml").await?, Ended::Fine);
    assert_eq!(run("check", "bad.toml").await?, Ended::No);
    assert_eq!(run("test", "good.toml").await?, Ended::Fine);
    assert_eq!(run("run", "bad.toml").await?, Ended::No);
    let report = run("run", "none.toml").await.expect_err("no settings").to_string();
    assert!(report.contains("missing field `city`") && report.contains("[[handler]]"), "{report}");
    assert!(!Path::new(&data).exists(), "nothing was begun");
    Ok(())
}
