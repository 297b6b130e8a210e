//! The keys of `mynah.toml`: checks, hints, JSON Schema and reference page are made from this table.

use std::sync::{Mutex, PoisonError};

use mynah_reader::{Key, Kind};
use mynah_transports::{Connector, Connectors};

/// The key that names the service of an account.
pub(super) const TRANSPORT: &str = "transport";

/// The words of `unknown`.
const UNKNOWN: &[&str] = &["resend", "never"];
/// The words of `level`.
const LEVELS: &[&str] = &["error", "warn", "info", "debug", "trace"];
/// The words of `format`.
const FORMATS: &[&str] = &["text", "json"];

/// The keys of a file for a program with certain services.
struct Tables {
    /// The names of the services; the first is that of an account which names none.
    services: Vec<&'static str>,
    /// The keys at the top of the file.
    top: &'static [Key],
    /// The same with the keys of all services in `[[account]]`, for schema and reference.
    with_services: &'static [Key],
}

/// The tables made so far. Keys refer to each other for ever, so there is one table for each choice of services.
static MADE: Mutex<Vec<Tables>> = Mutex::new(Vec::new());

/// The keys at the top of the file.
pub(super) fn keys(services: &Connectors) -> &'static [Key] {
    of(services, |tables| tables.top)
}

/// All keys, those of every service included.
pub(super) fn with_services(services: &Connectors) -> &'static [Key] {
    of(services, |tables| tables.with_services)
}

fn of(services: &Connectors, keys: fn(&Tables) -> &'static [Key]) -> &'static [Key] {
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(tables) =
        made.iter().find(|tables| services.names().eq(tables.services.iter().copied()))
    {
        return keys(tables);
    }
    let tables = Tables::of(services);
    let found = keys(&tables);
    made.push(tables);
    found
}

impl Tables {
    fn of(services: &Connectors) -> Self {
        let names: Vec<&'static str> = services.names().collect();
        let own = account(names.clone().leak(), services.usual().name());
        let of_services = services.iter().flat_map(Connector::keys);
        // Another service does not need them.
        let of_services = of_services.map(|key| Key { required: false, ..key.clone() });
        let all: Vec<Key> = own.iter().cloned().chain(of_services).collect();
        Self { services: names, top: top(own.leak()).leak(), with_services: top(all.leak()).leak() }
    }
}

#[rustfmt::skip] // One key, one entry: a table to be read, not code.
fn top(account: &'static [Key]) -> Vec<Key> {
    vec![
        Key::new("keep_session", Kind::Flag,
            "Whether Ctrl-C keeps the session for the next start; by default it logs out. SIGTERM always keeps it.",
            "按 Ctrl-C 时是否保留登录供下次启动使用；默认退出登录。SIGTERM 总是保留。").default("false"),
        Key::new("stop_deadline", Kind::Duration { or_zero: true },
            "How long a stop waits for turns and sends under way.",
            "停止时最多等待正在处理和发送的消息多久。").default("\"10s\""),
        Key::new("login_timeout", Kind::Duration { or_zero: true },
            "How long a login prompt waits; then `run` ends with status 6.",
            "登录提示等待多久；之后 `run` 以状态 6 结束。").default("\"1d\""),
        Key::new("account", Kind::Sections(account),
            "An account of `mynah run` without a BOT; several run side by side.",
            "`mynah run` 不带 BOT 时运行的账号；可以有多个。").also(&["accounts"]),
        Key::new("pacing", Kind::Section(PACING),
            "How fast an account sends.",
            "账号发送的速度。"),
        Key::new("messages", Kind::Section(MESSAGES),
            "Which messages are answered, and how long they are kept.",
            "回答哪些消息，保存多久。").also(&["message"]),
        Key::new("handlers", Kind::Section(HANDLERS),
            "How handlers are run.",
            "处理器的运行。"),
        Key::new("handler", Kind::Sections(HANDLER),
            "A handler in any language: a program that Mynah starts, or an HTTP service. See docs/programs.md.",
            "任何语言写的处理器：由 Mynah 启动的程序，或 HTTP 服务。见 docs/programs.zh-CN.md。"),
        Key::new("fetch", Kind::Section(FETCH),
            "The hosts to which rules may send requests. See docs/fetch.md.",
            "规则可以向哪些主机发送请求。见 docs/fetch.zh-CN.md。"),
        Key::new("alert", Kind::Section(ALERT),
            "Where alerts go when a person is needed.",
            "需要人处理时通知到哪里。").also(&["alerts"]),
        Key::new("logs", Kind::Section(LOGS),
            "What is logged.",
            "日志。").also(&["log"]),
        Key::new("listen", Kind::Section(LISTEN),
            "Where the pages are served.",
            "页面的地址。"),
        Key::new("store", Kind::Section(STORE),
            "The data of all accounts in a PostgreSQL database instead of files. See docs/fleet.md.",
            "把所有账号的数据放进 PostgreSQL 数据库，不存成文件。见 docs/fleet.zh-CN.md。"),
        Key::new("fleet", Kind::Section(FLEET),
            "Shares the accounts of the database with other processes. See docs/fleet.md.",
            "和其他进程分担数据库里的账号。见 docs/fleet.zh-CN.md。"),
    ]
}

#[rustfmt::skip]
fn account(services: &'static [&'static str], usual: &str) -> Vec<Key> {
    vec![
        Key::new("name", Kind::Name,
            "Its name in logs, alerts and metrics.",
            "在日志、通知和指标里的名字。").required(),
        Key::new("bot", Kind::Path,
            "The folder or file of its bot.",
            "机器人的文件夹或文件。").required(),
        Key::new(TRANSPORT, Kind::Word(services),
            "Its chat service.",
            "聊天服务。").default(format!("\"{usual}\"").leak()),
        Key::new("data", Kind::Path,
            "The folder that keeps all its data; default `data/NAME`.",
            "保存全部数据的文件夹；默认 `data/名字`。"),
        Key::new("pacing", Kind::Section(PACING),
            "Its own pacing, over that of the process.",
            "这个账号自己的发送速度。"),
        Key::new("messages", Kind::Section(MESSAGES),
            "Its own limits for messages, over those of the process.",
            "这个账号自己的消息设置。"),
    ]
}

#[rustfmt::skip]
const PACING: &[Key] = &[
    Key::new("off", Kind::Flag,
        "As fast as it can: for tests and the sandbox, never for a real account.",
        "不限速：只用于测试和沙盒，不要用于真实账号。").default("false"),
    Key::new("per_chat", Kind::Rate { word: "per", or_off: false },
        "In one chat; default that of the service.",
        "同一会话里；默认由服务决定。"),
    Key::new("account", Kind::Rate { word: "per", or_off: false },
        "In all chats together; default that of the service.",
        "所有会话合计；默认由服务决定。"),
    Key::new("daily", Kind::Whole { least: 1, most: u32::MAX as i64 },
        "In all chats within 24 hours; default that of the service.",
        "所有会话 24 小时合计；默认由服务决定。"),
    Key::new("kicks", Kind::Whole { least: 0, most: 100 },
        "How many people rules may remove from groups in an hour; then an alert is sent, and no one else is removed until the hour has passed. `off` does not lift it.",
        "规则一小时内最多把多少人移出群；达到后发出提醒，一小时内不再移出任何人。`off` 不会取消它。").default("10"),
    Key::new("jitter", Kind::Durations,
        "A random wait before every send; default that of the service.",
        "每次发送前随机等待；默认由服务决定。"),
    Key::new("reply_max_age", Kind::Duration { or_zero: true },
        "A reply that could not leave by then expires.",
        "到时还未发出的回复作废。").default("\"15m\""),
    Key::new("unknown", Kind::Word(UNKNOWN),
        "Whether a send of unknown outcome is tried once more; default that of the service.",
        "结果不明的发送是否再试一次；默认由服务决定。"),
];

#[rustfmt::skip]
const MESSAGES: &[Key] = &[
    Key::new("max_age", Kind::Duration { or_zero: true },
        "Older messages are recorded, not answered.",
        "更早的消息只记录，不回答。").default("\"5m\""),
    Key::new("loop_breaker", Kind::Rate { word: "in", or_off: true },
        "So many answers in a row to repeated texts, and the bot is silent towards that person for 10 minutes.",
        "连续这么多次回答重复内容后，10 分钟内不再回答这个人。").default("\"5 in 30s\""),
    Key::new("keep", Kind::Duration { or_zero: true },
        "How long the message log is kept; `\"0\"` keeps no text.",
        "消息记录保存多久；`\"0\"` 不保存文字。").default("\"7d\""),
    Key::new("keep_size", Kind::Size,
        "How large the message log may grow; the oldest messages go first.",
        "消息记录最大多少；最早的先删。").default("\"1GB\""),
];

#[rustfmt::skip]
const HANDLERS: &[Key] = &[
    Key::new("timeout", Kind::Duration { or_zero: false },
        "How long a handler may take over one event before its effects are dropped.",
        "处理器处理一个事件最多多久，超时则其结果作废。").default("\"30s\""),
];

/// The words of `role`.
const ROLES: &[&str] = &["run", "before", "fallback"];
/// The words of `in`.
const CHATS: &[&str] = &["group", "private"];

/// The words of `per`.
const PERIODS: &[&str] = &["hour", "day", "week"];

#[rustfmt::skip]
const MODEL: &[Key] = &[
    Key::new("url", Kind::Url,
        "The base address of its server; `/chat/completions` is added.",
        "服务器的基础地址；会加上 `/chat/completions`。").required().secret(),
    Key::new("name", Kind::Text,
        "The name of the model.",
        "模型的名字。").required(),
    Key::new("key", Kind::Text,
        "Sent as `Authorization: Bearer KEY`, only over HTTPS or to an address of the own network.",
        "以 `Authorization: Bearer 密钥` 发送；只通过 HTTPS 或发往内网地址。").secret(),
];

#[rustfmt::skip]
const LIMIT: &[Key] = &[
    Key::new("user", Kind::Whole { least: 0, most: u32::MAX as i64 },
        "For each person in each chat.",
        "每个人在每个会话里。"),
    Key::new("all", Kind::Whole { least: 0, most: u32::MAX as i64 },
        "For all people of an account.",
        "一个账号的所有人合计。"),
    Key::new("per", Kind::Word(PERIODS),
        "The calendar unit in the zone of the bot; `day` if left out.",
        "按机器人时区的日历单位；不写则为 `day`。"),
];

#[rustfmt::skip]
const HANDLER: &[Key] = &[
    Key::new("name", Kind::Name,
        "Its name: rules say `run = \"NAME\"`.",
        "名字：规则里写 `run = \"名字\"`。").required(),
    Key::new("command", Kind::Texts,
        "A program with its arguments; reads and writes one JSON object a line.",
        "程序及其参数；每行读写一个 JSON 对象。"),
    Key::new("url", Kind::Url,
        "In place of `command`: a service that gets the same object by POST.",
        "代替 `command`：以 POST 收到同一对象的服务。").secret(),
    Key::new("key", Kind::Text,
        "Of a service: sent as `Authorization: Bearer KEY`.",
        "服务的密钥：以 `Authorization: Bearer 密钥` 发送。").secret(),
    Key::new("model", Kind::Section(MODEL),
        "In place of `command`: a language model behind chat completions, as Ollama and most services offer them.",
        "代替 `command`：提供 chat completions 接口的语言模型，Ollama 和多数服务都有。"),
    Key::new("system", Kind::Text,
        "Of a model: its instructions.",
        "模型的指示。"),
    Key::new("memory", Kind::Whole { least: 0, most: 100 },
        "Of a model: so many earlier messages of the person in this chat go with the message, with the bot's answers.",
        "模型：随消息附上这个人在本会话里最近的多少条消息，连同机器人的回答。").default("0"),
    Key::new("ground", Kind::Texts,
        "Of a model: ids of `[[table]]`s of the rule file, whose five nearest rows go with the message.",
        "模型：规则文件里 `[[table]]` 的 id，随消息附上其中最接近的五行。"),
    Key::new("limit", Kind::Section(LIMIT),
        "Of a model: so many requests; used up, it says nothing.",
        "模型：请求次数上限；用完后不回答。"),
    Key::new("max_reply", Kind::Whole { least: 1, most: 10_000 },
        "Of a model: the longest answer, in characters; the rest is cut.",
        "模型：回答最多多少字，多出的截掉。").default("500"),
    Key::new("sorry", Kind::Text,
        "Of a model: the reply if it gives no answer; without it there is none.",
        "模型：它没有回答时的回复；不写则不回复。"),
    Key::new("dir", Kind::Path,
        "The working folder of the program and of the files that it sends; relative to the folder of this file, which is the default.",
        "程序的工作文件夹，也是它发送的文件所在处；相对于本文件所在的文件夹，默认就是该文件夹。"),
    Key::new("env", Kind::Names,
        "Further variables of its environment; from that of Mynah it gets PATH, HOME, LANG, TZ and TMPDIR only.",
        "另外的环境变量；它只得到 Mynah 环境里的 PATH、HOME、LANG、TZ 和 TMPDIR。"),
    Key::new("role", Kind::Word(ROLES),
        "When it is called: by a rule with `run`, before the rules, or when no rule answered.",
        "何时调用：由规则的 `run`，在规则之前，或没有规则回答时。").default("\"run\""),
    Key::new("groups", Kind::Texts,
        "With `before` and `fallback`: only in these groups; `*` and `?` stand for other characters.",
        "用于 `before` 和 `fallback`：只在这些群；可用 `*` 和 `?`。"),
    Key::new("in", Kind::Word(CHATS),
        "With `before` and `fallback`: only in groups, or only in private.",
        "用于 `before` 和 `fallback`：只在群里，或只在私聊。"),
    Key::new("called", Kind::Flag,
        "With `before` and `fallback`: only when the bot is called. A model as a fallback has `true` unless it says otherwise.",
        "用于 `before` 和 `fallback`：只在有人叫机器人时。模型作 `fallback` 时不写即为 `true`。").default("false"),
    Key::new("reads", Kind::Texts,
        "The variables that it gets, like `user.points` or `chat.*`.",
        "它得到的变量，如 `user.points` 或 `chat.*`。"),
    Key::new("timeout", Kind::Duration { or_zero: false },
        "How long an answer may take; of a model 30 s if left out.",
        "回答最多多久；模型不写则为 30 秒。").default("\"10s\""),
    Key::new("at_once", Kind::Whole { least: 1, most: 64 },
        "How many requests it gets before it answers the first; of a model 4 if left out.",
        "同时给它多少个未回答的请求；模型不写则为 4。").default("1"),
    Key::new("settings", Kind::Open,
        "Texts that every request carries. For a handler of a program in Rust, which has no other key but `name`: the values that it takes.",
        "每个请求都带上的文字。用 Rust 写的程序自己的处理器除 `name` 外只写这一项：它接受的值。"),
    Key::new("media", Kind::Size,
        "Pictures and files of a message up to this size are put into a folder for the time of the call.",
        "消息里不超过这个大小的图片和文件，在调用期间放进一个文件夹。"),
];

#[rustfmt::skip]
const FETCH: &[Key] = &[
    Key::new("hosts", Kind::Texts,
        "Hosts, like `api.example.com` or `api.example.com:8443`; without a port only 443 for https and 80 for http.",
        "主机，如 `api.example.com` 或 `api.example.com:8443`；不写端口时只允许 https 的 443 和 http 的 80。").also(&["host"]),
    Key::new("private", Kind::Texts,
        "Hosts with a port whose address may be on this machine or in its network, like `127.0.0.1:8000`; all others must be public. Rules may send requests to them, too.",
        "地址可以在本机或内网的主机，须写端口，如 `127.0.0.1:8000`；其他主机的地址必须是公网地址。规则也可以向它们发送请求。"),
    Key::new("secrets", Kind::Names,
        "Environment variables that rules may send, each to its one host: `{ WEATHER_KEY = \"api.example.com\" }`; rules write `${WEATHER_KEY}`.",
        "规则可以发送的环境变量，各自只能发往一个主机：`{ WEATHER_KEY = \"api.example.com\" }`；规则里写 `${WEATHER_KEY}`。").also(&["secret"]),
    Key::new("proxy", Kind::Url,
        "A proxy for these requests, except those to `private` hosts. Proxies of the environment are not used.",
        "这些请求使用的代理，`private` 里的主机除外。不使用环境变量里的代理。").secret(),
];

#[rustfmt::skip]
const ALERT: &[Key] = &[
    Key::new("webhook", Kind::Url,
        "Gets one JSON object by POST.",
        "以 POST 收到一个 JSON 对象的地址。").secret(),
    Key::new("command", Kind::Texts,
        "A program with its arguments; gets the same object on standard input.",
        "程序及其参数；从标准输入得到同一对象。"),
];

#[rustfmt::skip]
const LOGS: &[Key] = &[
    Key::new("level", Kind::Word(LEVELS),
        "How much is logged; `-v`, `-q` and MYNAH_LOG win.",
        "日志详细程度；`-v`、`-q` 和 MYNAH_LOG 优先。").default("\"info\""),
    Key::new("format", Kind::Word(FORMATS),
        "The form of the logs.",
        "日志格式。").default("\"text\""),
];

#[rustfmt::skip]
const STORE: &[Key] = &[
    Key::new("url", Kind::Text,
        "The database, as `postgres://user@host/database`, without the password.",
        "数据库的地址，如 `postgres://user@host/database`，不含密码。").secret(),
    Key::new("password_file", Kind::Path,
        "The file with the password; MYNAH_STORE_PASSWORD wins.",
        "存放密码的文件；MYNAH_STORE_PASSWORD 优先。"),
    Key::new("certificates", Kind::Path,
        "The certificates that the host of the database is verified with (PEM); default those of the system.",
        "用来验证数据库主机的证书（PEM）；默认用系统的证书。"),
];

#[rustfmt::skip]
const FLEET: &[Key] = &[
    Key::new("name", Kind::Name,
        "The name of this node, the same after each start; default the name of the machine.",
        "这个节点的名字，每次启动都一样；默认是主机名。"),
    Key::new("zone", Kind::Name,
        "Nodes in one zone reach the service from the same address; an account stays in its zone.",
        "同一区域的节点从同一个地址访问服务；账号留在自己的区域。"),
    Key::new("leave_zone_after", Kind::Duration { or_zero: false },
        "How long a zone must have been without nodes before its accounts go to another; default never.",
        "一个区域多久没有节点之后，它的账号才转到别的区域；默认从不。"),
    Key::new("weight", Kind::Whole { least: 1, most: 1_000 },
        "The share of this node in proportion to the others.",
        "这个节点相对其他节点承担的份额。").default("1"),
    Key::new("ttl", Kind::Duration { or_zero: false },
        "A node without a sign of life for this long has lost its accounts.",
        "节点这么久没有动静，就失去它的账号。").default("\"6s\""),
    Key::new("starts", Kind::Rate { word: "per", or_off: false },
        "How many accounts of this node may resume their sessions within a time.",
        "这个节点在一段时间内最多恢复多少个账号的登录。").default("\"5 per 1s\""),
    Key::new("logins", Kind::Rate { word: "per", or_off: false },
        "How many accounts of a zone may log in anew within a time.",
        "一个区域在一段时间内最多重新登录多少个账号。").default("\"1 per 5s\""),
];

#[rustfmt::skip]
const LISTEN: &[Key] = &[
    Key::new("address", Kind::Socket,
        "Where the console, /health and /metrics are served; off without it.",
        "控制台、/health 和 /metrics 的地址；不写则关闭。"),
];
