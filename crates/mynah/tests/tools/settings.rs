//! The settings, as `mynah check --config` and `mynah schema --settings` treat them.

use super::*;

const RULES: &str = "[[rule]]\nkeyword = \"a\"\nreply = \"b\"\n";

/// A folder with a bot, and settings with this text.
fn room(settings: &str) -> TempDir {
    let folder = bot(RULES);
    file(&folder, "mynah.toml", settings);
    folder
}

/// Checks the settings of a folder, from inside of it.
fn check(folder: &TempDir, arguments: &[&str]) -> Answer {
    let mut command = mynah();
    command.env_remove("MYNAH_DATA").env_remove("MYNAH_CONFIG").current_dir(folder.path());
    run(command.args(["check", "--config", "mynah.toml"]).args(arguments))
}

fn account(name: &str, rest: &str) -> String {
    format!("[[account]]\nname = '{name}'\nbot = '.'\n{rest}\n")
}

#[test]
fn good_settings_are_said_to_be_good_alone_or_with_a_bot() {
    let folder = room(&(account("a", "") + &account("b", "data = 'elsewhere'")));
    let answer = check(&folder, &[]);
    assert_eq!((answer.status, answer.out.as_str()), (0, "the settings have no mistake\n"));
    let answer = check(&folder, &["--lang", "zh"]);
    assert_eq!((answer.status, answer.out.as_str()), (0, "设置没有错误\n"));
    let answer = check(&folder, &["."]);
    assert_eq!(answer.status, 0);
    assert!(answer.out.starts_with("1 rule,"), "{}", answer.out);
    let answer = check(&folder, &["--json"]);
    assert_eq!((answer.status, answer.out.as_str()), (0, ""));
}

#[test]
fn wrong_settings_are_shown_with_the_mistakes_of_the_bot() {
    let folder = room("[pacing]\ndayly = 3\n");
    file(&folder, "bot.toml", "[[rule]]\nkeywrod = \"a\"\nreply = \"b\"\n");
    let answer = check(&folder, &["."]);
    assert_eq!(answer.status, 1);
    for part in ["mynah.toml:2:1:", "did you mean `daily`?", "bot.toml:2:1:", "keyword"] {
        assert!(answer.out.contains(part), "{part}: {}", answer.out);
    }
    let lines = json(&check(&folder, &["--json"]));
    assert_eq!(lines.len(), 1);
    assert_eq!((&lines[0]["file"], &lines[0]["line"]), (&"mynah.toml".into(), &2.into()));
    let answer = run(mynah().args(["check", "--config", "no/such/file.toml"]));
    assert_eq!(answer.status, 1);
    assert!(answer.out.contains("not found"), "{}", answer.out);
}

#[test]
fn a_malformed_variable_is_a_mistake_in_every_environment() {
    for (command, words) in
        [("${A", "without its `}`"), ("${}", "does not name"), ("${A=B}", "not name")]
    {
        let folder = room(&format!("[alert]\ncommand = ['{command}']\n"));
        let answer = check(&folder, &[]);
        assert_eq!(answer.status, 1, "{command}: {}", answer.out);
        assert!(answer.out.contains("mynah.toml:2:12: error[value]"), "{command}: {}", answer.out);
        assert!(answer.out.contains(words), "{command}: {}", answer.out);
    }
}

#[test]
fn settings_that_are_not_utf8_come_with_the_way_to_save_them() {
    let folder = room("");
    fs::write(folder.path().join("mynah.toml"), b"\xff\xfek\0").unwrap();
    let answer = check(&folder, &[]);
    assert_eq!(answer.status, 1);
    assert!(answer.out.contains("save it again with the encoding UTF-8"), "{}", answer.out);
}

#[test]
fn a_variable_that_is_not_set_here_is_shown_and_is_no_mistake() {
    let folder = room("[alert]\nwebhook = 'http://127.0.0.1/${MYNAH_TEST_NOT_SET}'\n");
    let answer = check(&folder, &[]);
    assert_eq!(answer.status, 0);
    assert!(answer.out.contains("MYNAH_TEST_NOT_SET"), "{}", answer.out);
}

#[test]
fn a_bot_that_is_not_there_is_a_mistake_with_its_place_and_remedy() {
    let folder = room(
        "[[account]]\nname = 'a'\nbot = 'bots/none'\n[[account]]\nname = 'b'\nbot = 'empty'\n",
    );
    fs::create_dir(folder.path().join("empty")).unwrap();
    let answer = check(&folder, &[]);
    assert_eq!(answer.status, 1);
    for part in [
        "mynah.toml:3:7:",
        "bots/none does not exist",
        "mynah.toml:6:7:",
        "has no bot.toml",
        "name a folder",
    ] {
        assert!(answer.out.contains(part), "{part}: {}", answer.out);
    }
    let answer = check(&folder, &["--lang", "zh"]);
    for part in ["bots/none 不存在", "empty 里没有 bot.toml", "相对路径"] {
        assert!(answer.out.contains(part), "{part}: {}", answer.out);
    }
}

#[test]
fn two_accounts_in_one_data_folder_are_a_mistake_by_every_path() {
    let same = [
        account("a", "data = 'x'") + &account("b", "data = 'x/../x'"),
        account("a", "data = 'x'") + &account("b", "data = 'new/../x/.'"),
        account("a", "") + &account("b", "data = 'data/a'"),
        #[cfg(unix)]
        (account("a", "data = 'x'") + &account("b", "data = 'link'")),
        #[cfg(unix)]
        (account("a", "data = 'x/y'") + &account("b", "data = 'link/y'")),
    ];
    for settings in same {
        let folder = room(&settings);
        fs::create_dir(folder.path().join("x")).unwrap();
        #[cfg(unix)]
        std::os::unix::fs::symlink("x", folder.path().join("link")).unwrap();
        let answer = check(&folder, &[]);
        assert_eq!(answer.status, 1, "{settings}");
        let place = settings.lines().position(|line| line == "name = 'b'").unwrap() + 3;
        for part in
            [&format!("mynah.toml:{place}:"), "a keeps its data in the same folder", "of its own"]
        {
            assert!(answer.out.contains(part), "{part}: {settings}: {}", answer.out);
        }
        let answer = check(&folder, &["--lang", "zh"]);
        for part in ["a 的数据也保存在同一个文件夹", "各用一个"] {
            assert!(answer.out.contains(part), "{part}: {}", answer.out);
        }
    }
}

#[test]
fn the_schema_and_the_reference_of_the_settings_are_the_committed_ones() {
    let committed = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let folder = TempDir::new().unwrap();
    let answer = run(mynah().args(["schema", "--settings"]));
    assert_eq!((answer.status, answer.out), (0, committed("config/settings.schema.json")));
    let path = folder.path().join("s.json");
    let answer = run(mynah().args(["schema", "--settings", "--output"]).arg(&path));
    assert_eq!((answer.status, answer.out.as_str()), (0, ""));
    assert_eq!(fs::read_to_string(&path).unwrap(), committed("config/settings.schema.json"));
    for (lang, page) in [("en", "docs/settings.md"), ("zh", "docs/settings.zh-CN.md")] {
        let answer = run(mynah().args(["schema", "--settings", "--reference", "--lang", lang]));
        assert_eq!((answer.status, answer.out), (0, committed(page)), "{lang}");
    }
}

#[test]
fn check_knows_the_handlers_of_the_settings() {
    let folder = TempDir::new().unwrap();
    let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
    write("bot.toml", "[[rule]]\nexact = 'weather'\nrun = 'wether'\n");
    write("mynah.toml", "[[handler]]\nname = 'weather'\ncommand = ['python3', 'weather.py']\n");
    let check = |arguments: &[&str]| {
        run(mynah().arg("check").args(arguments).arg(".").current_dir(folder.path()))
    };
    let answer = check(&["--config", "mynah.toml"]);
    assert_eq!(answer.status, 1, "{}", answer.out);
    for part in ["bot.toml:3:", "wether", "did you mean `weather`?"] {
        assert!(answer.out.contains(part), "{part}: {}", answer.out);
    }
    write("bot.toml", "[[rule]]\nexact = 'weather'\nrun = 'weather'\n");
    assert_eq!(check(&["--config", "mynah.toml"]).status, 0);
    // Without settings, the program cannot know the handlers that the file is meant for.
    write("bot.toml", "[[rule]]\nexact = 'weather'\nrun = 'wether'\n");
    assert_eq!(check(&[]).status, 0);
}
