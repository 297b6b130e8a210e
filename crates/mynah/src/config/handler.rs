//! `[[handler]]`: handlers in other processes.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use mynah_programs::{Command, Reads, Role, Service, Source, Spec, Who};
use mynah_reader::{Reading, Values as Table, Words, say};

use super::read::both;

/// How long an answer may take, unless the table says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// All handlers of the file. With `looks_at_disk`, their folders must exist.
pub(super) fn all(
    values: &Table,
    file: &Path,
    looks_at_disk: bool,
    reading: &mut Reading<'_>,
) -> Vec<Spec> {
    let tables = values.sections("handler").unwrap_or_default();
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut names = BTreeSet::new();
    let mut specs = Vec::new();
    for table in tables {
        check_name(table, &mut names, reading);
        check_keys(table, reading);
        let spec = spec(table, folder, reading);
        if looks_at_disk {
            check_folder(table, &spec, reading);
        }
        specs.push(spec);
    }
    specs
}

fn spec(table: &Table, folder: &Path, reading: &mut Reading<'_>) -> Spec {
    let text = |key| table.text(key).map(str::to_owned);
    let dir = match table.text("dir") {
        Some(dir) => folder.join(dir),
        None if folder.as_os_str().is_empty() => ".".into(),
        None => folder.to_owned(),
    };
    let source = match text("url") {
        Some(url) => Source::Service(Service { url, key: text("key"), dir }),
        None => {
            let line = table.texts("command").unwrap_or_default().to_vec();
            let env = table.names("env").cloned().unwrap_or_default();
            Source::Command(Command { line, dir, env })
        }
    };
    let who = Who {
        groups: table.texts("groups").unwrap_or_default().to_vec(),
        in_group: table.text("in").map(|word| word == "group"),
        called: table.flag("called").copied().unwrap_or_default(),
    };
    Spec {
        name: text("name").unwrap_or_default(),
        source,
        role: match table.text("role") {
            Some("before") => Role::Before(who),
            Some("fallback") => Role::Fallback(who),
            _ => Role::Run,
        },
        reads: reads(table, reading),
        timeout: table.duration("timeout").copied().unwrap_or(TIMEOUT),
        at_once: table.whole("at_once").and_then(|most| usize::try_from(*most).ok()).unwrap_or(1),
        settings: table.names("settings").cloned().unwrap_or_default(),
        media: table.size("media").copied(),
    }
}

fn reads(table: &Table, reading: &mut Reading<'_>) -> Vec<Reads> {
    let mut reads = Vec::new();
    for text in table.texts("reads").unwrap_or_default() {
        match text.parse() {
            Ok(read) => reads.push(read),
            Err(()) => {
                let message =
                    both(|lang| say!(lang, "\"{text}\" is not a variable", "“{text}”不是变量"));
                let hint = Words::fixed(
                    "write user.NAME, person.NAME, chat.NAME or bot.NAME; chat.* for all",
                    "请写 user.名字、person.名字、chat.名字或 bot.名字；chat.* 表示全部",
                );
                reading.report("value", table.place("reads"), message, hint);
            }
        }
    }
    reads
}

/// Reports names that rules cannot use, and two handlers of one name.
fn check_name<'t>(table: &'t Table, names: &mut BTreeSet<&'t str>, reading: &mut Reading<'_>) {
    let Some(name) = table.text("name") else { return };
    if name.starts_with("builtin.") || name.contains(char::is_whitespace) {
        let message = both(|lang| {
            say!(
                lang,
                "no rule can run a handler named \"{name}\"",
                "规则无法调用名为“{name}”的处理器"
            )
        });
        let hint = Words::fixed(
            "a name without blanks that does not begin with builtin.",
            "名字里不要有空格，也不要以 builtin. 开头",
        );
        reading.report("value", table.place("name"), message, hint);
    }
    if !names.insert(name) {
        let message =
            both(|lang| say!(lang, "two handlers are named {name}", "有两个处理器都叫 {name}"));
        let hint = Words::fixed("give each its own name", "各取一个名字");
        reading.report("duplicate", table.place("name"), message, hint);
    }
}

/// Reports keys that do not go together.
fn check_keys(table: &Table, reading: &mut Reading<'_>) {
    let has = |key: &str| table.get(key).is_some();
    match (table.has_key("command"), table.has_key("url")) {
        (false, false) => {
            let message = Words::fixed(
                "[[handler]] needs `command` or `url`",
                "[[handler]] 需要 `command` 或 `url`",
            );
            let hint = Words::fixed(
                "add command = [\"python3\", \"weather.py\"]",
                "加上 command = [\"python3\", \"weather.py\"]",
            );
            reading.report("missing", table.span.clone(), message, hint);
        }
        (true, true) => conflict(table, "url", "command", reading),
        (true, false) if has("key") => needs(table, "key", "url", reading),
        (false, true) if has("env") => needs(table, "env", "command", reading),
        _ => {}
    }
    let is_wrong = table.has_key("role") && !has("role");
    if matches!(table.text("role"), None | Some("run")) && !is_wrong {
        for key in ["groups", "in", "called"].into_iter().filter(|key| has(key)) {
            let message = both(|lang| {
                say!(
                    lang,
                    "`{key}` means nothing for a handler that rules run",
                    "`{key}` 对由规则调用的处理器没有意义"
                )
            });
            let hint = both(|lang| {
                say!(
                    lang,
                    "put the condition into the rule, or add role = \"fallback\"",
                    "把条件写进规则，或加上 role = \"fallback\""
                )
            });
            reading.report("conflict", table.place(key), message, hint);
        }
    }
}

fn conflict(table: &Table, key: &str, other: &str, reading: &mut Reading<'_>) {
    let message = both(|lang| {
        say!(lang, "`{key}` and `{other}` together", "`{key}` 和 `{other}` 不能同时写")
    });
    let hint = Words::fixed("keep one of them", "只保留一个");
    reading.report("conflict", table.place(key), message, hint);
}

fn needs(table: &Table, key: &str, other: &str, reading: &mut Reading<'_>) {
    let message = both(|lang| say!(lang, "`{key}` needs `{other}`", "`{key}` 需要 `{other}`"));
    let hint = both(|lang| say!(lang, "remove {key}", "去掉 {key}"));
    reading.report("conflict", table.place(key), message, hint);
}

fn check_folder(table: &Table, spec: &Spec, reading: &mut Reading<'_>) {
    let dir: PathBuf = match &spec.source {
        Source::Command(command) => command.dir.clone(),
        Source::Service(service) => service.dir.clone(),
    };
    if table.text("dir").is_none() || dir.is_dir() {
        return;
    }
    let shown = dir.display();
    let message = both(|lang| say!(lang, "there is no folder {shown}", "没有文件夹 {shown}"));
    let hint = Words::fixed(
        "a relative path begins at the folder of this file",
        "相对路径从本文件所在的文件夹算起",
    );
    reading.report("file", table.place("dir"), message, hint);
}

#[cfg(test)]
mod tests {
    use mynah_reader::Lang;

    use super::super::{Config, Problems, parse_with};
    use super::*;

    fn parse(text: &str) -> Result<Config, Problems> {
        parse_with(text, &|name| (name == "TOKEN").then(|| "s3cret".to_owned()))
    }

    #[test]
    fn a_handler_is_read() {
        let config = parse(
            "[[handler]]\nname = 'weather'\ncommand = ['python3', 'weather.py']\ndir = 'handlers'\n\
             env = { KEY = '${TOKEN}' }\nreads = ['user.points', 'chat.*']\nsettings = { city = 'Rome' }\n\
             media = '10MB'\n\
             [[handler]]\nname = 'ai'\nurl = 'http://127.0.0.1:5000/'\nkey = '${TOKEN}'\nrole = 'fallback'\n\
             groups = ['Shop*']\ncalled = true\ntimeout = '30s'\nat_once = 4\n",
        )
        .unwrap();
        let [weather, ai] = config.handler.as_slice() else { panic!("two handlers") };
        let Source::Command(command) = &weather.source else { panic!("a program") };
        assert_eq!(command.line, ["python3", "weather.py"]);
        assert_eq!(
            (command.dir.as_path(), &*command.env["KEY"]),
            (Path::new("handlers"), "s3cret")
        );
        assert_eq!((weather.timeout, weather.at_once, weather.media), (TIMEOUT, 1, Some(10 << 20)));
        assert_eq!((weather.reads.len(), weather.role.clone()), (2, Role::Run));
        let Role::Fallback(who) = &ai.role else { panic!("a fallback") };
        assert!(who.called && who.in_group.is_none() && who.groups == ["Shop*"]);
        assert_eq!((ai.timeout, ai.at_once), (Duration::from_secs(30), 4));
        assert!(!format!("{config:?}").contains("s3cret"), "secrets are shown nowhere");
    }

    #[test]
    fn mistakes_of_handlers_are_told_in_both_languages() {
        let text = "[[handler]]\nname = 'a'\n\
                    [[handler]]\nname = 'a'\ncommand = ['x']\nurl = 'http://127.0.0.1/'\n\
                    [[handler]]\nname = 'builtin.mute'\ncommand = ['x']\nkey = 'k'\n\
                    [[handler]]\nname = 'b c'\nurl = 'http://127.0.0.1/'\nenv = { A = 'b' }\n\
                    [[handler]]\nname = 'd'\ncommand = ['x']\nreads = ['points']\ngroups = ['g']\n\
                    [[handler]]\nname = 'e'\ncommand = ['x']\nrole = 'fallbak'\nat_once = 0\ntimout = '1s'\n";
        insta::assert_snapshot!("handlers_en", parse(text).unwrap_err().render(Lang::En, false));
        insta::assert_snapshot!("handlers_zh", parse(text).unwrap_err().render(Lang::Zh, false));
    }
}
