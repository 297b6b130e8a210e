//! The texts of all diagnostics, English and Chinese beside each other.
//!
//! Each text states the mistake, the expected value and the words to type, in one line; it never names a type of Rust.

mod codes;
mod compared;
mod computed;
mod conflicts;
mod fetches;
mod foreign;
mod hints;
mod lists;
mod literal;
mod sheets;
mod tests_of_bots;
mod values;
mod when;
mod words;

pub(crate) use codes::CODES;

pub(crate) use mynah_reader::{Lang, say};
use mynah_reader::{Syntax, WrongType};

use crate::keys::Table;
use crate::model::Place;
use crate::problem::{
    BadFile, BadInclude, Capture, EarlierGroup, Limitation, Link, Problem, SelfBarred, Shadow,
    ShadowReason, StepUnit, UnevenStep,
};

impl Problem {
    /// The mistake; `here` is the file in which it is reported.
    #[expect(clippy::too_many_lines, reason = "a table: a line for each problem")]
    pub(crate) fn message(&self, here: &str, lang: Lang) -> String {
        match self {
            Self::Syntax(syntax) => syntax_message(syntax, lang),
            Self::List(bad) => lists::message(bad, lang),
            Self::Sheet(problem) => sheets::message(problem, here, lang),
            Self::Compared { how, count, places } => compared::message(*how, *count, places, lang),
            Self::Literal(literal) => literal::message(literal, lang),
            Self::RegexNever { regex } => {
                say!(lang, "'{regex}' matches no message", "'{regex}' 不匹配任何消息")
            }
            Self::PatternEvery { pattern } => {
                say!(lang, "\"{pattern}\" matches every message", "\"{pattern}\" 匹配每一条消息")
            }
            Self::NoAdmins => say!(
                lang,
                "this fits no person: [bot] has no admins",
                "不会匹配任何人：[bot] 里没有写 admins"
            ),
            Self::Nothing => say!(
                lang,
                "nothing to answer: no rule, table, dialog or schedule",
                "不会回答任何消息：没有规则、表格、对话或定时"
            ),
            Self::UnknownKey { key, table: Table::File, .. } => {
                say!(lang, "`{key}` is not a key of the file itself", "`{key}` 不是文件顶层的键")
            }
            Self::UnknownKey { key, table, .. } => {
                let table = table.shown();
                say!(lang, "`{key}` is not a key of {table}", "`{key}` 不是 {table} 的键")
            }
            Self::Type { key, kind, found, in_list } => {
                WrongType { key, expected: kind.shape(), found: *found, in_list: *in_list }
                    .message(lang)
            }
            Self::EntryType { name, wanted, found } => {
                values::entry_type(name, *wanted, *found, lang)
            }
            Self::Missing { table, keys } => {
                let (table, keys) = (table.shown(), words::any_of(keys, lang));
                say!(lang, "{table} needs {keys}", "{table} 需要 {keys}")
            }
            Self::NoCondition { only_none: true } => say!(
                lang,
                "`none` alone would answer almost every message",
                "只有 `none` 会回答几乎每条消息"
            ),
            Self::NoCondition { only_none: false } => {
                say!(lang, "this rule would answer every message", "这条规则会回答每一条消息")
            }
            Self::NoAction { .. } => say!(lang, "nothing to do", "没有任何动作"),
            Self::Empty { key, text } => empty(key, text.as_deref(), lang),
            Self::Value(value) => values::message(value, lang),
            Self::Conflict(conflict) => conflicts::message(conflict, lang),
            Self::Regex(kind) => words::regex(kind, lang),
            Self::RegexEmpty { regex } => {
                say!(lang, "'{regex}' matches every message", "'{regex}' 匹配每一条消息")
            }
            Self::Scan => say!(
                lang,
                "this regex has no fixed text and runs on every message",
                "这个正则没有固定文字，每条消息都要运行"
            ),
            Self::RegexCost { millis, rules, .. } => say!(
                lang,
                "one message of 2 000 characters can take {millis} ms in these {rules} rules",
                "一条 2 000 字的消息可能要在这 {rules} 条规则里花 {millis} 毫秒"
            ),
            Self::RegexSlashes { written, never: true, .. } => say!(
                lang,
                "'{written}' matches no message: the slashes are part of it",
                "'{written}' 不匹配任何消息：斜杠也是它的一部分"
            ),
            Self::RegexSlashes { written, never: false, .. } => {
                say!(lang, "'{written}' looks for the slashes, too", "'{written}' 会连斜杠一起查找")
            }
            Self::Pattern(kind) => words::pattern(kind, lang),
            Self::PatternWidth { found, is_read: false, .. } => {
                say!(lang, "{found} is a full-width sign", "{found} 是全角符号")
            }
            Self::PatternWidth { found, is_read: true, .. } => say!(
                lang,
                "{found} is a full-width sign: it is plain text here",
                "{found} 是全角符号，在这里只是普通文字"
            ),
            Self::Template(kind) => words::template(kind, lang),
            Self::UnknownName { name, .. } => {
                say!(lang, "{{{name}}} is unknown here", "这里没有 {{{name}}}")
            }
            Self::Capture(capture) => capture_message(capture, lang),
            Self::Computed(bad) => computed::message(bad, lang),
            Self::Fetch(bad) => fetches::message(bad, lang),
            Self::AnswerLoop { sentence } => say!(
                lang,
                "\"{sentence}\" leads back to this rule",
                "\"{sentence}\" 又回到这条规则"
            ),
            Self::OpenBroadcast { to } => say!(
                lang,
                "anybody who can write to the bot can send this to all groups that fit \"{to}\"",
                "任何能给机器人发消息的人都能让它发到符合“{to}”的所有群"
            ),
            Self::NeverSet { name, .. } => {
                say!(lang, "nothing sets {{{name}}}", "没有任何地方设置 {{{name}}}")
            }
            Self::NoHandler { name, .. } => {
                say!(lang, "no handler named \"{name}\"", "没有名为 \"{name}\" 的处理器")
            }
            Self::HandlerRole { name, role: "before" } => say!(
                lang,
                "no rule runs the handler \"{name}\": it answers before the rules",
                "规则不能调用处理器 \"{name}\"：它在规则之前回答"
            ),
            Self::HandlerRole { name, .. } => say!(
                lang,
                "no rule runs the handler \"{name}\": it is a fallback",
                "规则不能调用处理器 \"{name}\"：它在没有规则回答时才回答"
            ),
            Self::HandlerUnknown { name, .. } => say!(
                lang,
                "the handler \"{name}\" must be registered by the program that runs this bot",
                "处理器 \"{name}\" 须由运行机器人的程序注册"
            ),
            Self::File(file) => file_message(file, lang),
            Self::Transport(limitation) => limitation_message(limitation, lang),
            Self::DuplicateId { id, other } => {
                say!(lang, "the id \"{id}\" is also at {other}", "id \"{id}\" 也在 {other}")
            }
            Self::NoService { name, .. } => {
                say!(lang, "there is no chat service \"{name}\"", "没有名为“{name}”的聊天服务")
            }
            Self::UnknownId { id, .. } => say!(
                lang,
                "no rule, table or dialog has the id \"{id}\"",
                "没有 id 为 \"{id}\" 的规则、表格或对话"
            ),
            Self::NoGround { handler, id, .. } => say!(
                lang,
                "the handler {handler} of mynah.toml gets the rows of \"{id}\" (ground), and no table has this id",
                "mynah.toml 里的处理器 {handler} 要用 \"{id}\" 的行（ground），但没有 id 为 \"{id}\" 的表格"
            ),
            Self::IncludeNothing { pattern } => {
                say!(lang, "{pattern} matches no file", "{pattern} 没有匹配任何文件")
            }
            Self::Include(include) => include_message(include, lang),
            Self::OnlyWaits => say!(lang, "this waits and does nothing", "只等待，什么也不做"),
            Self::AlwaysQuiet => say!(
                lang,
                "quiet is the whole day: only rules with silent = true ever act",
                "quiet 是全天：除了 silent = true 的规则，其他都不会执行"
            ),
            Self::SameChoice { text, other } => say!(
                lang,
                "\"{text}\" is the same choice as \"{other}\"",
                "\"{text}\" 与 \"{other}\" 是同一个选项"
            ),
            Self::SelfBarred(why) => self_barred_message(why, lang),
            Self::NeverFires(shadow) => shadow_message(shadow, here, lang),
            Self::StepNotReached => {
                say!(lang, "no way leads to this step", "没有哪一步会走到这里")
            }
            Self::DoneNotReached => say!(
                lang,
                "no way leads to the end of this dialog, so this never happens",
                "没有哪一步会走到对话的结尾，这里永远不会执行"
            ),
            Self::UnknownStep { id, .. } => say!(
                lang,
                "no step of this dialog has the id \"{id}\"",
                "这个对话里没有 id 为 \"{id}\" 的步骤"
            ),
            Self::NeverBegins => {
                say!(lang, "no rule or text starts this dialog", "没有任何规则或文字会开始这个对话")
            }
            Self::DuplicateKeyword { place } => {
                let place = words::place(place, here, lang);
                say!(lang, "also in the rule at {place}", "{place}的规则里也有")
            }
            Self::NeverDue { cron } => say!(
                lang,
                "\"{cron}\" is never due: no year has such a day",
                "\"{cron}\" 永远不会触发：哪一年都没有这样的日子"
            ),
            Self::UnevenStep(step) => uneven_step(step, lang),
            Self::NeverCounts { place, why } => earlier_group_message(place, why, here, lang),
            Self::Test(line) => tests_of_bots::message(line, lang),
        }
    }

    /// The remedy.
    pub(crate) fn hint(&self, lang: Lang) -> Option<String> {
        hints::hint(self, lang)
    }
}

/// The syntax of a rule file; the reader of files knows no rules.
fn syntax_message(syntax: &Syntax, lang: Lang) -> String {
    match syntax {
        Syntax::Format(format) => {
            say!(lang, "this is {format}; a rule file is TOML", "这是 {format}；规则文件用 TOML")
        }
        other => other.message(lang),
    }
}

fn empty(key: &str, text: Option<&str>, lang: Lang) -> String {
    match (key, text) {
        ("when", None) => say!(lang, "when has nothing to compare with", "when 里没有可以比较的值"),
        ("next", None) => say!(lang, "next is an empty table", "next 是空表"),
        (_, None) => say!(lang, "{key} is an empty list", "{key} 是空列表"),
        ("similar", Some(text)) if !text.trim().is_empty() => {
            say!(
                lang,
                "similar \"{text}\" has no word to compare",
                "similar \"{text}\" 里没有可以比较的字"
            )
        }
        ("keyword" | "all" | "none" | "prefix" | "suffix" | "regex", Some(text)) => {
            say!(lang, "{key} \"{text}\" is in every message", "{key} \"{text}\" 在每条消息里都有")
        }
        ("exact" | "pattern", Some(text)) => {
            say!(lang, "{key} \"{text}\" can match no message", "{key} \"{text}\" 不匹配任何消息")
        }
        (_, Some(text)) => say!(lang, "{key} \"{text}\" is empty", "{key} \"{text}\" 是空的"),
    }
}

fn capture_message(capture: &Capture, lang: Lang) -> String {
    match capture {
        Capture::NotIn { name, key, nth } => {
            let nth = words::ordinal(*nth, lang);
            say!(lang, "{{{name}}} is not in the {nth} {key}", "{nth} {key} 里没有 {{{name}}}")
        }
        Capture::Optional { name } => say!(
            lang,
            "{{{name}}} is in a part that may be missing",
            "{{{name}}} 在可以省略的部分里"
        ),
        Capture::Skipped { name } => say!(
            lang,
            "some way through the dialog leaves the question for {{{name}}} out",
            "对话的某条路径没有问到 {{{name}}}"
        ),
        Capture::BuiltIn { name } => say!(lang, "{{{name}}} is built in", "{{{name}}} 是内置名称"),
    }
}

fn file_message(file: &BadFile, lang: Lang) -> String {
    match file {
        BadFile::Missing { path, .. } | BadFile::Outside { path } if is_address(path) => say!(
            lang,
            "{path} is an address: here only files beside bot.toml can be sent",
            "{path} 是网址：这里只能发送 bot.toml 旁边的文件"
        ),
        BadFile::Missing { path, .. } => {
            say!(lang, "{path} not found next to bot.toml", "bot.toml 旁边没有 {path}")
        }
        BadFile::Outside { path } => {
            say!(lang, "{path} is outside of the bot's folder", "{path} 在机器人的文件夹之外")
        }
        BadFile::Link(link) => link_message(link, lang),
        BadFile::Unreadable { path, why } => {
            let why = words::cannot_read(why, lang);
            say!(lang, "{path} cannot be read: {why}", "无法读取 {path}：{why}")
        }
        BadFile::Nothing { path } => say!(lang, "{path} is empty", "{path} 是空文件"),
        BadFile::TooLarge { path, size, most, transport } => {
            let (size, most) = (words::megabytes(*size), words::megabytes(*most));
            let transport = words::transport(transport, lang);
            say!(
                lang,
                "{path} has {size}; the limit of {transport} is {most}",
                "{path} 大小为 {size}；{transport}的上限是 {most}"
            )
        }
        BadFile::RuleFile(why) => {
            let why = words::cannot_read(why, lang);
            say!(lang, "the file cannot be read: {why}", "无法读取文件：{why}")
        }
    }
}

fn link_message(Link { link, target }: &Link, lang: Lang) -> String {
    say!(
        lang,
        "the link {link} leads out of the bot's folder, to {target}",
        "链接 {link} 指向机器人文件夹之外的 {target}"
    )
}

/// Whether a path is an address of the web.
fn is_address(path: &str) -> bool {
    ["http://", "https://", "www."].iter().any(|start| path.starts_with(start))
}

fn limitation_message(limitation: &Limitation, lang: Lang) -> String {
    match limitation {
        Limitation::PlainMention { key } => say!(
            lang,
            "people are not alerted by {key}: a web client's mention is plain text",
            "{key} 不会提醒对方：网页客户端的 @ 只是普通文字"
        ),
        Limitation::NoAction { key, transport } => {
            let transport = words::transport(transport, lang);
            say!(lang, "{transport} does not support `{key}`", "{transport}不支持 `{key}`")
        }
        Limitation::NoEvent { event, transport } => {
            let transport = words::transport(transport, lang);
            say!(
                lang,
                "this rule never answers: {transport} does not report `{event}`",
                "这条规则永远不会回答：{transport}不提供 `{event}` 事件"
            )
        }
        Limitation::OnlyCalls { key, transport } => {
            let transport = words::transport(transport, lang);
            say!(
                lang,
                "in groups, {transport} delivers only messages that call the bot, so `{key}` sees no others",
                "{transport}在群里只转来叫到机器人的消息，`{key}` 看不到其他消息"
            )
        }
        Limitation::NoGroupNames { key, transport } => {
            let transport = words::transport(transport, lang);
            say!(
                lang,
                "the groups of {transport} have no names, so `{key}` never matches",
                "{transport}的群没有名称，`{key}` 永远不会匹配"
            )
        }
        Limitation::NoGroups { key, transport } => {
            let transport = words::transport(transport, lang);
            say!(
                lang,
                "{transport} has no groups, so `{key}` never matches",
                "{transport}没有群，`{key}` 永远不会匹配"
            )
        }
    }
}

fn include_message(include: &BadInclude, lang: Lang) -> String {
    match include {
        BadInclude::Missing(path) => say!(lang, "{path} not found", "找不到 {path}"),
        BadInclude::Cycle(path) => say!(lang, "{path} includes itself", "{path} 包含了自己"),
        BadInclude::Twice(path) => say!(lang, "{path} is included already", "{path} 已经包含过"),
        BadInclude::Outside(path) => {
            say!(lang, "{path} is outside of the bot's folder", "{path} 在机器人的文件夹之外")
        }
        BadInclude::Link(link) => link_message(link, lang),
        BadInclude::Unreadable { path, why } => {
            let why = words::cannot_read(why, lang);
            say!(lang, "{path} cannot be read: {why}", "无法读取 {path}：{why}")
        }
        BadInclude::BotTable => {
            say!(lang, "[bot] belongs to the main file only", "[bot] 只能写在主文件里")
        }
        BadInclude::StarInFolder(path) => say!(
            lang,
            "{path}: `*` and `?` only work in the file name",
            "{path}：`*` 和 `?` 只能用在文件名里"
        ),
    }
}

fn self_barred_message(why: &SelfBarred, lang: Lang) -> String {
    match why {
        SelfBarred::NoChance => {
            say!(lang, "this never answers: chance = 0", "永远不会回答：chance = 0")
        }
        SelfBarred::NoRest => say!(
            lang,
            "this never answers: {{rest}} is always empty without prefix or suffix",
            "永远不会回答：没有 prefix 或 suffix 时 {{rest}} 总是空的"
        ),
        SelfBarred::AfterItself => say!(
            lang,
            "this never answers: its after names only itself",
            "永远不会回答：after 里只有它自己"
        ),
        SelfBarred::AfterOff { id } => say!(
            lang,
            "this never answers: {id} in its after is switched off",
            "永远不会回答：after 里的 {id} 已停用"
        ),
        SelfBarred::Excluded { none } => {
            let none = words::list(&none[..none.len().min(5)], lang);
            say!(
                lang,
                "this never answers: none excludes every text that it asks for ({none})",
                "永远不会回答：none 排除了它要找的所有文字（{none}）"
            )
        }
        SelfBarred::Apart { exact, key, text } => say!(
            lang,
            "this never answers: its {key} \"{text}\" does not fit its exact \"{exact}\"",
            "永远不会回答：{key} \"{text}\" 与 exact \"{exact}\" 不能同时成立"
        ),
    }
}

fn shadow_message(shadow: &Shadow, here: &str, lang: Lang) -> String {
    let place = words::place(&shadow.place, here, lang);
    match &shadow.why {
        ShadowReason::Inside { key, earlier, later } => say!(
            lang,
            "{place} always answers first: its {key} \"{earlier}\" is inside \"{later}\"",
            "{place}的规则总是先回答：它的 {key} \"{earlier}\" 包含在 \"{later}\" 里"
        ),
        ShadowReason::Same { key, text } => say!(
            lang,
            "{place} always answers first: its {key} is \"{text}\" too",
            "{place}的规则总是先回答：它的 {key} 也是 \"{text}\""
        ),
        ShadowReason::Weaker => say!(
            lang,
            "{place} always answers first: its conditions hold whenever those of this rule do",
            "{place}的规则总是先回答：这条的条件成立时，它的条件必然成立"
        ),
    }
}

fn earlier_group_message(place: &Place, why: &EarlierGroup, here: &str, lang: Lang) -> String {
    let place = words::place(place, here, lang);
    match why {
        EarlierGroup::Same { name } => say!(
            lang,
            "{place} always applies first: its name is \"{name}\" too",
            "{place}的表总是先生效：它的 name 也是 \"{name}\""
        ),
        EarlierGroup::Fits { earlier, later } => say!(
            lang,
            "{place} always applies first: its name \"{earlier}\" fits every \"{later}\"",
            "{place}的表总是先生效：它的 name \"{earlier}\" 包括所有 \"{later}\""
        ),
    }
}

fn uneven_step(UnevenStep { step, unit, comes }: &UnevenStep, lang: Lang) -> String {
    let comes = words::list(&words::numbers(comes), lang);
    match unit {
        StepUnit::Minute => say!(
            lang,
            "\"*/{step}\" is not every {step} minutes: it is due at minute {comes} of each hour",
            "\"*/{step}\" 不是每 {step} 分钟一次：它在每小时的第 {comes} 分触发"
        ),
        StepUnit::Hour => say!(
            lang,
            "\"*/{step}\" is not every {step} hours: it is due at hour {comes} of each day",
            "\"*/{step}\" 不是每 {step} 小时一次：它在每天 {comes} 点触发"
        ),
    }
}
