//! Messages about types and values.

use super::{Lang, foreign, literal, say, when, words};
use crate::meant::{self, At};
use crate::problem::{BadValue, Wanted};
use mynah_reader::Found;

pub(super) fn entry_type(name: &str, wanted: Wanted, found: Found, lang: Lang) -> String {
    let found = found.words().of(lang).to_owned();
    match wanted {
        Wanted::Text => {
            say!(lang, "{name} must be text, found {found}", "{name} 应为文字，却是{found}")
        }
        Wanted::List => {
            say!(
                lang,
                "{name} must be a list of texts, found {found}",
                "{name} 应为文字列表，却是{found}"
            )
        }
        Wanted::Path => {
            say!(lang, "{name} must be a path, found {found}", "{name} 应为路径，却是{found}")
        }
        Wanted::Step => say!(
            lang,
            "{name} needs the id of a step, not {found}",
            "{name} 应写步骤的 id，不是{found}"
        ),
        Wanted::Unit => say!(
            lang,
            "{name} must be \"day\" or \"week\", found {found}",
            "{name} 应为 \"day\" 或 \"week\"，却是{found}"
        ),
        Wanted::Comparison => say!(
            lang,
            "{name} must be text, a number or a list of them, found {found}",
            "{name} 应为文字、数字或它们的列表，却是{found}"
        ),
        Wanted::Integer => {
            say!(
                lang,
                "{name} must be a whole number, found {found}",
                "{name} 应为整数，却是{found}"
            )
        }
    }
}

#[expect(clippy::too_many_lines, reason = "a table: a line for each value")]
pub(super) fn message(value: &BadValue, lang: Lang) -> String {
    match value {
        BadValue::Duration(bad) => bad.message(lang),
        BadValue::Time(text) => {
            say!(lang, "\"{text}\" is not a valid time of day", "\"{text}\" 不是有效的时刻")
        }
        BadValue::TimeWindow(text) => {
            say!(lang, "\"{text}\" is not a valid part of the day", "\"{text}\" 不是有效的时间段")
        }
        BadValue::EmptyWindow(text) => {
            say!(lang, "\"{text}\" ends when it begins", "\"{text}\" 的起止时间相同")
        }
        BadValue::Days(text) => {
            say!(lang, "\"{text}\" is not a valid list of days", "\"{text}\" 不是有效的星期写法")
        }
        BadValue::Chance(text) => {
            say!(lang, "{text} is not between 0 and 1", "{text} 不在 0 与 1 之间")
        }
        BadValue::AtLeast(text) => {
            say!(lang, "{text} must be above 0 and at most 1", "{text} 应大于 0 且不超过 1")
        }
        BadValue::Word { found, .. } => {
            say!(lang, "\"{found}\" is not a valid value here", "这里不能写 \"{found}\"")
        }
        BadValue::Zone(text) => {
            say!(lang, "there is no time zone \"{text}\"", "没有时区 \"{text}\"")
        }
        BadValue::Cron { found, reason } => {
            let reason = foreign::cron(reason, lang);
            say!(
                lang,
                "\"{found}\" is not a valid cron line: {reason}",
                "\"{found}\" 不是有效的 cron：{reason}"
            )
        }
        BadValue::CronFields { found, count } => {
            say!(
                lang,
                "\"{found}\" has {count} fields instead of five",
                "\"{found}\" 有 {count} 段，应为五段"
            )
        }
        BadValue::Number { key, found, least, .. } if found < least => {
            say!(lang, "{key} = {found} is too small", "{key} = {found} 太小")
        }
        BadValue::Number { key, found, .. } => {
            say!(lang, "{key} = {found} is too large", "{key} = {found} 太大")
        }
        BadValue::Name(text) => {
            say!(lang, "\"{text}\" is not a valid name", "\"{text}\" 不能作名字")
        }
        BadValue::Scope { found, scope } | BadValue::ClearScope { found, scope } => {
            say!(
                lang,
                "{found}: there are no variables of `{scope}`",
                "{found}：没有 `{scope}` 的变量"
            )
        }
        BadValue::Comparison(bad) => when::message(bad, lang),
        BadValue::NotCompared(name) => when::not_compared(name, lang),
        BadValue::NamedNumber(text) => say!(
            lang,
            "\"{text}\" is not just one name of a number",
            "\"{text}\" 不是单独一个表示数字的名字"
        ),
        BadValue::ArgIsCapture(name) => {
            say!(lang, "{name} is a capture of this rule already", "{name} 已经是这条规则的捕获")
        }
        BadValue::StepDone => say!(
            lang,
            "\"done\" is the end of the dialog, not a step",
            "\"done\" 表示对话结束，不能作步骤的 id"
        ),
        BadValue::StreakOwner(name) => say!(
            lang,
            "{name}: a streak belongs to a person in a chat",
            "{name}：连续计数属于会话里的一个人"
        ),
        BadValue::ClearedByNoOne(name) => say!(
            lang,
            "{name}: a schedule has no person whose variable it could be",
            "{name}：定时没有对应的人，不知道是谁的变量"
        ),
        BadValue::Target(text) => {
            say!(lang, "\"{text}\" is not a chat", "\"{text}\" 不是会话")
        }
        BadValue::OneGroup(text) => {
            say!(lang, "\"{text}\" is not the name of one group", "\"{text}\" 不是一个群的名称")
        }
        BadValue::FileName(text) => {
            say!(
                lang,
                "\"{text}\" is not a valid CSV file name",
                "\"{text}\" 不是有效的 CSV 文件名"
            )
        }
    }
}

/// The remedy.
#[expect(clippy::too_many_lines, reason = "a table: a line for each value")]
pub(super) fn hint(value: &BadValue, lang: Lang) -> String {
    if let Some(meant) = meant_by(value, lang) {
        return meant;
    }
    match value {
        BadValue::Duration(bad) => bad.hint(lang),
        BadValue::Time(_) => say!(lang, "like 09:00", "如 09:00"),
        BadValue::TimeWindow(_) | BadValue::EmptyWindow(_) => {
            say!(
                lang,
                "like 09:00-18:00, or 22:00-06:00 over midnight",
                "如 09:00-18:00，跨午夜如 22:00-06:00"
            )
        }
        BadValue::Days(_) => say!(lang, "like mon-fri or sat,sun", "如 mon-fri 或 sat,sun"),
        BadValue::Chance(_) => {
            say!(lang, "like 0.3 for three times out of ten", "如 0.3，即十次中三次")
        }
        BadValue::AtLeast(_) => say!(
            lang,
            "like 0.75: the higher, the more alike a message must be",
            "如 0.75；越高，消息越要相像"
        ),
        BadValue::Word { meant: Some(meant), .. } => {
            say!(lang, "did you mean `{meant}`?", "是否想写 `{meant}`？")
        }
        BadValue::Word { words: known, meant: None, .. } => words::any_of(known, lang),
        BadValue::Zone(_) => say!(lang, "like Asia/Shanghai or UTC", "如 Asia/Shanghai 或 UTC"),
        BadValue::Cron { .. } | BadValue::CronFields { .. } => say!(
            lang,
            "five fields: minute, hour, day, month, day of the week, like \"0 18 28 * *\"",
            "五段：分 时 日 月 周，如 \"0 18 28 * *\""
        ),
        BadValue::Number { least, most, .. } => {
            say!(lang, "from {least} to {most}", "从 {least} 到 {most}")
        }
        BadValue::Name(_) => {
            say!(lang, "letters, digits, `_` and `-`", "可用文字、数字、`_` 和 `-`")
        }
        BadValue::ClearScope { .. } => say!(
            lang,
            "user.x, person.x, chat.x, bot.x, or members.x for all people in the chat",
            "可用 user.x、person.x、chat.x、bot.x，或 members.x（清除会话中所有人的）"
        ),
        BadValue::Scope { scope, .. } if scope == "members" => {
            say!(lang, "members.x can only be cleared", "members.x 只能用于 clear")
        }
        BadValue::Scope { .. } => {
            say!(
                lang,
                "user.x, person.x, chat.x or bot.x",
                "可用 user.x、person.x、chat.x 或 bot.x"
            )
        }
        BadValue::Comparison(bad) => when::hint(bad, lang),
        BadValue::NotCompared(name) => when::instead(name, lang),
        BadValue::NamedNumber(_) => {
            say!(lang, "like 5, \"{{n}}\" or \"-{{n}}\"", "如 5、\"{{n}}\" 或 \"-{{n}}\"")
        }
        BadValue::ArgIsCapture(_) => {
            say!(lang, "the handler gets it anyway; leave it out", "处理器本来就能拿到，去掉它")
        }
        BadValue::StepDone => say!(lang, "choose another id", "换一个 id"),
        BadValue::StreakOwner(_) => {
            say!(lang, "write {{ days = \"day\" }}", "请写 {{ days = \"day\" }}")
        }
        BadValue::ClearedByNoOne(_) => {
            say!(
                lang,
                "chat.x, bot.x and members.x can be cleared here",
                "这里可以清除 chat.x、bot.x 和 members.x"
            )
        }
        BadValue::OneGroup(_) => say!(
            lang,
            "write the whole name of a group, without * ? @",
            "请写一个群的完整名称，不用 * ? @"
        ),
        BadValue::Target(_) => say!(
            lang,
            "there are \"@sender\" and \"@admins\"; names of chats have no @",
            "可用 \"@sender\" 和 \"@admins\"；会话名称不带 @"
        ),
        BadValue::FileName(_) => {
            say!(lang, "like \"signup.csv\", without a folder", "如 \"signup.csv\"，不带文件夹")
        }
    }
}

/// The value that was probably meant, as it is written.
fn meant_by(value: &BadValue, lang: Lang) -> Option<String> {
    let quoted = |meant: String| say!(lang, "write \"{meant}\"", "请写 \"{meant}\"");
    match value {
        BadValue::Time(text) => meant::time_of_day(text).map(|at| time(&at, lang)).or_else(|| {
            let line = meant::date(text)?;
            Some(say!(
                lang,
                "for a date of each year write cron = \"{line}\"",
                "日期（每年）请写 cron = \"{line}\""
            ))
        }),
        BadValue::TimeWindow(text) => meant::time_window(text).map(quoted).or_else(|| {
            meant::time_of_day(text)?;
            Some(say!(
                lang,
                "from and to in one text, like \"09:00-18:00\"",
                "起止写在一段文字里，如 \"09:00-18:00\""
            ))
        }),
        BadValue::Days(text) => meant::days(text).map(quoted),
        BadValue::Zone(text) => meant::zone(text).map(|zone| quoted(zone.to_owned())),
        BadValue::Cron { found, .. } | BadValue::CronFields { found, .. } => {
            meant::cron(found).map(quoted).or_else(|| {
                let at = meant::time_of_day(found).filter(|_| found.contains([':', '：', '点']))?;
                let At { time, .. } = at;
                Some(say!(lang, "write at = \"{time}\" instead", "请改写 at = \"{time}\""))
            })
        }
        BadValue::Word { found, words, .. } => word(found, words, lang),
        BadValue::AtLeast(text) => percent(text)
            .map(|share| say!(lang, "write {share} for {text} %", "{text}% 请写 {share}")),
        BadValue::Chance(text) => {
            let chance = percent(text)?;
            Some(say!(
                lang,
                "write {chance} for {text} times out of a hundred",
                "一百次中 {text} 次请写 {chance}"
            ))
        }
        _ => None,
    }
}

/// The share of a number of percent.
fn percent(text: &str) -> Option<f64> {
    let percent = text.parse::<f64>().ok().filter(|percent| (1.0..=100.0).contains(percent))?;
    Some(percent / 100.0)
}

fn time(At { days, time }: &At, lang: Lang) -> String {
    match days {
        Some(days) => say!(
            lang,
            "write days = \"{days}\" and at = \"{time}\"",
            "请写 days = \"{days}\" 和 at = \"{time}\""
        ),
        None => say!(lang, "write \"{time}\"", "请写 \"{time}\""),
    }
}

/// A word of another language, or several in one text.
fn word(found: &str, known: &[&'static str], lang: Lang) -> Option<String> {
    if let Some(meant) = meant::word(found, known) {
        return Some(say!(lang, "did you mean `{meant}`?", "是否想写 `{meant}`？"));
    }
    let parts: Vec<String> = found
        .split([',', '，', '、', '|', '/', ' '])
        .map(str::trim)
        .filter(|part| !part.is_empty())
        .map(str::to_owned)
        .collect();
    let are_words = parts.len() > 1 && parts.iter().all(|part| known.contains(&part.as_str()));
    let list = literal::list(&parts);
    are_words.then(|| say!(lang, "write several as a list: {list}", "多个请写成列表：{list}"))
}
