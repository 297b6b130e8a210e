//! `[[handler]]`: handlers in other processes, and settings for those of the program.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use mynah_fetch::{AddressPolicy, BadAddress, Target};
use mynah_programs::{Command, Limit, Model, Per, Reads, Role, Service, Source, Spec, Who};
use mynah_reader::{Reading, Unfit, Value, Values as Table, Words, say};

use super::read::both;
use crate::own_handlers::OwnHandlers;

/// How long an answer may take, unless the table says otherwise.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long the answer of a language model may take.
const MODEL_TIMEOUT: Duration = Duration::from_secs(30);

/// How many requests a language model gets before it answers the first: most servers work on some of them together.
const MODEL_AT_ONCE: usize = 4;

/// The longest answer of a language model, in characters.
const MAX_REPLY: usize = 500;

/// All handlers of the file. With `looks_at_disk`, their folders must exist.
pub(super) fn all(
    values: &Table,
    file: &Path,
    looks_at_disk: bool,
    own: Option<&OwnHandlers>,
    reading: &mut Reading<'_>,
) -> Vec<Spec> {
    let tables = values.sections("handler").unwrap_or_default();
    let folder = file.parent().unwrap_or(Path::new(""));
    let mut names = BTreeSet::new();
    let mut specs = Vec::new();
    for table in tables {
        check_name(table, &mut names, reading);
        let is_own = match own {
            Some(own) => configure(table, own, reading),
            None => table.keys().all(is_of_own),
        };
        if is_own {
            continue;
        }
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
    let is_model = table.section("model").is_some();
    let source = match (text("url"), table.section("model")) {
        (None, Some(of_model)) => Source::Model(Box::new(model(table, of_model))),
        (Some(url), _) => Source::Service(Service { url, key: text("key"), dir }),
        (None, None) => {
            let line = table.texts("command").unwrap_or_default().to_vec();
            let env = table.names("env").cloned().unwrap_or_default();
            Source::Command(Command { line, dir, env })
        }
    };
    let who = Who {
        groups: table.texts("groups").unwrap_or_default().to_vec(),
        in_group: table.text("in").map(|word| word == "group"),
        // In a group, people talk to each other.
        called: table.flag("called").copied().unwrap_or(is_model),
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
        timeout: (table.duration("timeout").copied()).unwrap_or(if is_model {
            MODEL_TIMEOUT
        } else {
            TIMEOUT
        }),
        at_once: whole(table, "at_once").unwrap_or(if is_model { MODEL_AT_ONCE } else { 1 }),
        settings: texts(table, reading),
        media: table.size("media").copied(),
    }
}

fn whole<N: TryFrom<i64>>(table: &Table, key: &str) -> Option<N> {
    table.whole(key).and_then(|number| N::try_from(*number).ok())
}

fn model(table: &Table, model: &Table) -> Model {
    let text = |table: &Table, key| table.text(key).map(str::to_owned);
    let limit = table.section("limit").map_or_else(Limit::default, |limit| Limit {
        user: whole(limit, "user"),
        all: whole(limit, "all"),
        per: match limit.text("per") {
            Some("hour") => Per::Hour,
            Some("week") => Per::Week,
            _ => Per::Day,
        },
    });
    Model {
        url: text(model, "url").unwrap_or_default(),
        name: text(model, "name").unwrap_or_default(),
        key: text(model, "key"),
        system: text(table, "system").unwrap_or_default(),
        memory: whole(table, "memory").unwrap_or_default(),
        ground: table.texts("ground").unwrap_or_default().to_vec(),
        limit,
        max_reply: whole(table, "max_reply").unwrap_or(MAX_REPLY),
        sorry: text(table, "sorry"),
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

/// Whether a key is one of a handler of the program.
fn is_of_own(key: &str) -> bool {
    matches!(key, "name" | "settings")
}

/// Gives the settings of a table to the handler of the program that it is for. Returns whether it is for one.
fn configure(table: &Table, own: &OwnHandlers, reading: &mut Reading<'_>) -> bool {
    let is_other = ["command", "url", "model"].iter().any(|key| table.has_key(key));
    let Some(name) = table.text("name").filter(|name| !is_other && own.takes(name)) else {
        return false;
    };
    for key in table.keys().filter(|key| !is_of_own(key)) {
        let message = both(|lang| {
            say!(
                lang,
                "`{key}` means nothing for {name}, a handler of this program",
                "`{key}` 对本程序自己的处理器 {name} 没有意义"
            )
        });
        let hint = Words::fixed("it takes `settings` only", "它只接受 `settings`");
        reading.report("conflict", table.place(key), message, hint);
    }
    let is_wrong = table.has_key("settings") && table.get("settings").is_none();
    if let Err(Unfit { span, message }) = own.configure(name, table.open("settings"))
        && !is_wrong
    {
        let message = both(|lang| {
            say!(lang, "the settings of {name}: {message}", "{name} 的设置：{message}")
        });
        let hint = Words::fixed(
            "the documentation of the program says which settings it takes",
            "接受哪些设置见该程序的说明",
        );
        reading.report("value", span.unwrap_or_else(|| table.place("settings")), message, hint);
    }
    true
}

/// The settings of a handler in another process: texts.
fn texts(table: &Table, reading: &mut Reading<'_>) -> BTreeMap<String, String> {
    let mut texts = BTreeMap::new();
    for entry in table.open("settings").iter().flat_map(|settings| &settings.entries) {
        if let Value::Text(text) = &entry.node.value {
            texts.insert(entry.key.clone(), text.clone());
            continue;
        }
        let key = entry.key.as_str();
        let message = both(|lang| {
            say!(
                lang,
                "{key} must be a text: a handler in another process gets texts only",
                "{key} 要写成文字：其他进程里的处理器只接受文字"
            )
        });
        let hint = Words::fixed("put it in quotes", "加上引号");
        reading.report("type", entry.node.span.clone(), message, hint);
    }
    texts
}

/// Reports keys that do not go together.
fn check_keys(table: &Table, reading: &mut Reading<'_>) {
    let has = |key: &str| table.get(key).is_some();
    let is_model = table.has_key("model");
    if is_model {
        check_model(table, reading);
    } else {
        for key in OF_MODEL.into_iter().filter(|key| has(key)) {
            needs(table, key, "model", reading);
        }
    }
    match (table.has_key("command"), table.has_key("url")) {
        _ if is_model => {}
        (false, false) => {
            let message = Words::fixed(
                "[[handler]] needs `command`, `url` or `model`",
                "[[handler]] 需要 `command`、`url` 或 `model`",
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

/// The keys of a language model.
const OF_MODEL: [&str; 6] = ["system", "memory", "ground", "limit", "max_reply", "sorry"];

/// The keys that mean nothing for a language model.
const NOT_OF_MODEL: [&str; 8] =
    ["command", "url", "key", "dir", "env", "reads", "settings", "media"];

/// Reports keys that do not go together with `model`.
fn check_model(table: &Table, reading: &mut Reading<'_>) {
    for key in NOT_OF_MODEL.into_iter().filter(|key| table.get(key).is_some()) {
        if key == "key" {
            misplaced_key(table, reading);
        } else {
            conflict(table, key, "model", reading);
        }
    }
    if table.text("role") == Some("before") {
        let message = Words::fixed(
            "a model cannot come before the rules: it would get every message",
            "模型不能放在规则之前：那样每条消息都会发给它",
        );
        let hint = Words::fixed("write \"fallback\" or \"run\"", "请写 \"fallback\" 或 \"run\"");
        reading.report("conflict", table.place("role"), message, hint);
    }
    if let Some(limit) = table.section("limit")
        && !limit.has_key("user")
        && !limit.has_key("all")
    {
        let message = Words::fixed("`limit` needs `user` or `all`", "`limit` 需要 `user` 或 `all`");
        let hint = Words::fixed(
            "write limit = { user = 20, all = 500, per = \"day\" }",
            "请写 limit = { user = 20, all = 500, per = \"day\" }",
        );
        reading.report("missing", limit.span.clone(), message, hint);
    }
    if let Some(model) = table.section("model") {
        check_server(table, model, reading);
    }
}

/// Reports a key of the service next to `model`.
fn misplaced_key(table: &Table, reading: &mut Reading<'_>) {
    let message =
        Words::fixed("the `key` of a model belongs in `model`", "模型的 `key` 要写在 `model` 里");
    let hint = Words::fixed("write model = { …, key = \"…\" }", "请写 model = { …, key = \"…\" }");
    reading.report("conflict", table.place("key"), message, hint);
}

/// Reports an address or a key that no request can have. None is placed at the line of the model, which shows the key.
fn check_server(table: &Table, model: &Table, reading: &mut Reading<'_>) {
    let target = model.text("url").map(str::parse::<Target>);
    if let Some(Err(bad)) = target {
        let (message, hint) = bad_address(bad);
        reading.report("value", table.span.clone(), message, hint);
    }
    let target = target.and_then(Result::ok);
    let is_sent = |c: char| matches!(c, ' '..='~');
    if model.text("key").is_some_and(|key| !key.chars().all(is_sent)) {
        let message = Words::fixed(
            "the key of the model has characters that no HTTP header can have",
            "模型的密钥含有 HTTP 头里不能有的字符",
        );
        let hint = Words::fixed("copy it again, without line breaks", "请重新复制，不要带换行");
        reading.report("value", table.span.clone(), message, hint);
    }
    let is_open =
        |target: &Target| AddressPolicy::for_secrets(target).check_literal(target).is_err();
    if model.has_key("key") && target.as_ref().is_some_and(is_open) {
        let message = Words::fixed(
            "the key would cross the internet unencrypted",
            "密钥会不加密地经过互联网",
        );
        let hint = Words::fixed(
            "use https://; http:// is for addresses of the own network",
            "请用 https://；http:// 只用于内网地址",
        );
        reading.report("value", table.span.clone(), message, hint);
    }
}

/// The message about an address of a model to which nothing can be sent, with the remedy.
fn bad_address(bad: BadAddress) -> (Words, Words) {
    match bad {
        BadAddress::User => (
            Words::fixed(
                "the url of the model has a user name before its host",
                "模型的 url 在主机前写了用户名",
            ),
            Words::fixed(
                "remove everything up to @; a secret is model = { …, key = \"…\" }",
                "去掉 @ 及之前的部分；密钥请写 model = { …, key = \"…\" }",
            ),
        ),
        BadAddress::Scheme | BadAddress::Invalid => (
            Words::fixed(
                "the url of the model is not a valid address",
                "模型的 url 不是有效的地址",
            ),
            Words::fixed(
                "write its base address: url = \"http://127.0.0.1:11434/v1\"",
                "请写基础地址：url = \"http://127.0.0.1:11434/v1\"",
            ),
        ),
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
        Source::Model(_) => return,
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
    fn a_model_is_read() {
        let config = parse(
            "[[handler]]\nname = 'ai'\nmodel = { url = 'http://127.0.0.1:11434/v1', name = 'qwen3:8b', key = '${TOKEN}' }\n\
             system = 'Be kind.'\nmemory = 10\nground = ['faq']\nlimit = { user = 20, all = 500, per = 'week' }\n\
             max_reply = 300\nsorry = 'Ask Ann.'\nrole = 'fallback'\n\
             [[handler]]\nname = 'plain'\nmodel = { url = 'https://x.example/v1', name = 'm' }\nrole = 'fallback'\n\
             called = false\ntimeout = '5s'\nat_once = 1\n\
             [[handler]]\nname = 'by_rule'\nmodel = { url = 'https://x.example/v1', name = 'm' }\n",
        )
        .unwrap();
        let [ai, plain, by_rule] = config.handler.as_slice() else { panic!("three handlers") };
        let Source::Model(model) = &ai.source else { panic!("a model") };
        let expected = Model {
            url: "http://127.0.0.1:11434/v1".to_owned(),
            name: "qwen3:8b".to_owned(),
            key: Some("s3cret".to_owned()),
            system: "Be kind.".to_owned(),
            memory: 10,
            ground: vec!["faq".to_owned()],
            limit: Limit { user: Some(20), all: Some(500), per: Per::Week },
            max_reply: 300,
            sorry: Some("Ask Ann.".to_owned()),
        };
        assert_eq!((&**model, model.host().as_str()), (&expected, "127.0.0.1"));
        assert_eq!((ai.timeout, ai.at_once), (MODEL_TIMEOUT, MODEL_AT_ONCE));
        assert_eq!((plain.timeout, plain.at_once), (Duration::from_secs(5), 1));
        let called = |spec: &Spec| match &spec.role {
            Role::Fallback(who) => Some(who.called),
            _ => None,
        };
        assert_eq!([ai, plain, by_rule].map(called), [Some(true), Some(false), None]);
        let Source::Model(plain) = &plain.source else { panic!("a model") };
        assert_eq!((plain.memory, plain.max_reply, plain.limit), (0, MAX_REPLY, Limit::default()));
        assert!(!format!("{config:?}").contains("s3cret"), "secrets are shown nowhere");
    }

    #[test]
    fn mistakes_of_models_are_told_in_both_languages() {
        let text = "[[handler]]\nname = 'a'\nmodel = { url = 'http://8.8.8.8/v1', name = 'm', key = 'k3y' }\n\
                    role = 'before'\nlimit = { per = 'day' }\ncommand = ['x']\nkey = 'k'\nreads = ['user.a']\n\
                    [[handler]]\nname = 'b'\ncommand = ['x']\nmemory = 3\nsorry = 'no'\n\
                    [[handler]]\nname = 'c'\nmodel = { url = 'ftp://x' }\nmemory = 1000\nlimit = { usr = 1 }\n";
        let problems = parse(text).unwrap_err();
        assert!(
            !problems.render(Lang::En, false).contains("k3y"),
            "the line of the key is not shown"
        );
        insta::assert_snapshot!("models_en", problems.render(Lang::En, false));
        insta::assert_snapshot!("models_zh", problems.render(Lang::Zh, false));
    }

    #[test]
    fn servers_that_cannot_be_asked_are_mistakes_and_no_secret_is_shown() {
        let mut said = String::new();
        for model in [
            "{ url = 'https://me:s3cret@x.example/v1', name = 'm' }",
            "{ url = 'https://s3cret@x.example/v1', name = 'm' }",
            "{ url = 'http://1.2.3.256/v1', name = 'm' }",
            "{ url = 'https:///v1', name = 'm' }",
            "{ url = 'file:///v1', name = 'm' }",
            "{ url = 'https://x.example/v1', name = 'm', key = \"s3cret\\n\" }",
            "'qwen'",
        ] {
            let text = format!("[[handler]]\nname = 'a'\nmodel = {model}\n");
            let problems = parse(&text).expect_err(model);
            said += &problems.render(Lang::En, false);
            said += &problems.render(Lang::Zh, false);
        }
        assert!(!said.contains("s3cret"), "{said}");
        insta::assert_snapshot!("servers", said);
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
