//! Words and short phrases that several messages need.

use super::{Lang, foreign, say};
use crate::model::Place;
use crate::problem::CannotRead;
use crate::sources::LARGEST_RULE_FILE;
use mynah_matching::pattern::{MAX_LENGTH, PatternErrorKind};
use mynah_matching::regex::{LIMITED_TEXT, MAX_INSTRUCTIONS, MAX_STEPS, RegexErrorKind};
use mynah_matching::template::TemplateErrorKind;

/// `a, b or c`.
pub(super) fn any_of(words: &[&str], lang: Lang) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    let (comma, or) = match lang {
        Lang::En => (", ", " or "),
        Lang::Zh => ("、", " 或 "),
    };
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{}{or}{last}", rest.join(comma)),
        None => String::new(),
    }
}

pub(super) fn numbers(numbers: &[u32]) -> Vec<String> {
    numbers.iter().map(ToString::to_string).collect()
}

pub(super) fn list(words: &[String], lang: Lang) -> String {
    match lang {
        Lang::En => words.join(", "),
        Lang::Zh => words.join("、"),
    }
}

pub(super) fn ordinal(nth: usize, lang: Lang) -> String {
    match (lang, nth) {
        (Lang::Zh, nth) => format!("第 {nth} 个"),
        (Lang::En, 1) => "first".to_owned(),
        (Lang::En, 2) => "second".to_owned(),
        (Lang::En, 3) => "third".to_owned(),
        (Lang::En, nth) => format!("{nth}th"),
    }
}

/// A place in the file `here` or in another.
pub(super) fn place(place: &Place, here: &str, lang: Lang) -> String {
    let line = place.line;
    if *place.file == *here {
        return say!(lang, "line {line}", "第 {line} 行");
    }
    let file = &place.file;
    say!(lang, "{file}:{line}", "{file} 第 {line} 行")
}

/// Why a file cannot be read.
pub(super) fn cannot_read(why: &CannotRead, lang: Lang) -> String {
    match why {
        CannotRead::NotFound => say!(lang, "not found", "文件不存在"),
        CannotRead::NotUtf8 => say!(lang, "it is not saved as UTF-8", "它不是以 UTF-8 保存的"),
        CannotRead::Nul { line } => say!(
            lang,
            "line {line} has a NUL character, which no text has",
            "第 {line} 行有 NUL 字符，文本里不会有它"
        ),
        CannotRead::Denied => say!(lang, "permission denied", "没有读取权限"),
        CannotRead::InUse => say!(
            lang,
            "another program has it open; close it there and save again",
            "另一个程序正打开着它；请在那里关闭后再保存"
        ),
        CannotRead::Folder => say!(lang, "it is a folder", "它是文件夹"),
        CannotRead::NotRegular => say!(
            lang,
            "it is a pipe, a device or a socket, not a file",
            "它是管道、设备或套接字，不是普通文件"
        ),
        CannotRead::TooLarge => {
            let most = LARGEST_RULE_FILE >> 20;
            say!(lang, "it is larger than {most} MB", "它超过 {most} MB")
        }
        CannotRead::Other(words) => words.clone(),
    }
}

/// The remedy.
pub(super) fn readable_again(why: &CannotRead, lang: Lang) -> Option<String> {
    match why {
        CannotRead::NotUtf8 | CannotRead::Nul { .. } => Some(say!(
            lang,
            "save it again with the encoding UTF-8 (in Notepad: Save as, Encoding)",
            "用 UTF-8 编码重新保存（记事本：另存为，编码选 UTF-8）"
        )),
        CannotRead::Denied => Some(say!(
            lang,
            "let the user who runs the bot read it",
            "让运行机器人的用户可以读取它"
        )),
        CannotRead::NotRegular => {
            Some(say!(lang, "put a copy of its content there", "在这里放一个内容相同的普通文件"))
        }
        CannotRead::TooLarge => Some(say!(
            lang,
            "move rules into files of their own and name these in `include`",
            "把一部分规则移到别的文件，再写进 `include`"
        )),
        CannotRead::Folder => Some(say!(lang, "name a file", "写文件的名字")),
        CannotRead::NotFound | CannotRead::InUse | CannotRead::Other(_) => None,
    }
}

/// A size for people: `12.4 MB`.
pub(super) fn megabytes(bytes: u64) -> String {
    let tenths = bytes.saturating_mul(10).div_ceil(1 << 20);
    format!("{}.{} MB", tenths / 10, tenths % 10)
}

pub(super) fn transport(name: &str, lang: Lang) -> String {
    match name {
        "webwx" => say!(lang, "the web protocol", "网页协议"),
        _ => say!(lang, "the service {name}", "服务 {name} "),
    }
}

fn too_slow(steps: usize, lang: Lang) -> String {
    let (steps, limit) = (steps.div_ceil(1_000_000), MAX_STEPS / 1_000_000);
    match lang {
        Lang::En => format!(
            "too slow: a message of {LIMITED_TEXT} characters can take {steps} million steps; the limit is {limit} million"
        ),
        Lang::Zh => {
            format!("太慢：{LIMITED_TEXT} 个字的消息可能要 {steps}00 万步，上限是 {limit}00 万步")
        }
    }
}

/// The mistake in a regular expression.
pub(super) fn regex(kind: &RegexErrorKind, lang: Lang) -> String {
    match kind {
        RegexErrorKind::LookAround { .. } => {
            say!(lang, "look-around is not supported", "不支持环视（look-around）")
        }
        RegexErrorKind::BackReference => {
            say!(lang, "back-references are not supported", "不支持反向引用")
        }
        RegexErrorKind::TooLong => say!(
            lang,
            "too long: more than {MAX_INSTRUCTIONS} instructions",
            "太长：超过 {MAX_INSTRUCTIONS} 条指令"
        ),
        RegexErrorKind::TooSlow { steps } => too_slow(*steps, lang),
        RegexErrorKind::Syntax(words) => match lang {
            Lang::En => words.clone(),
            Lang::Zh => foreign::regex(words),
        },
    }
}

pub(super) fn pattern(kind: &PatternErrorKind, lang: Lang) -> String {
    use PatternErrorKind as Kind;
    match kind {
        Kind::Unclosed(c) => say!(lang, "`{c}` is never closed", "`{c}` 没有结束"),
        Kind::Unopened(c) => say!(lang, "`{c}` has no opening bracket", "多余的 `{c}`"),
        Kind::NoName => say!(lang, "a hole needs a name", "空位需要名字"),
        Kind::BadName(name) => say!(lang, "`{name}` is not a valid name", "`{name}` 不能作名字"),
        Kind::UnknownKind(kind) => {
            say!(
                lang,
                "`{kind}` is not a kind of hole: int, number, a list, or items with | between them",
                "没有 `{kind}` 这种空位：可用 int、number、列表名，或用 | 隔开的几项"
            )
        }
        Kind::BarOutside => {
            say!(lang, "the `|` is outside of brackets", "`|` 写在了括号外面")
        }
        Kind::SameName(name) => say!(lang, "two holes are called {name}", "有两个空位都叫 {name}"),
        Kind::HolesMeet => {
            say!(lang, "two holes need a word or space between them", "两个空位之间要有文字或空格")
        }
        Kind::Nothing => say!(lang, "this part is empty", "这里是空的"),
        Kind::FitsNothing => say!(lang, "every part of it may be missing", "每一部分都可以省略"),
        Kind::TooDeep => say!(lang, "brackets are nested too deep", "括号嵌套太深"),
        Kind::TooLong => {
            say!(
                lang,
                "a pattern has at most {MAX_LENGTH} characters",
                "句式最多 {MAX_LENGTH} 个字符"
            )
        }
    }
}

pub(super) fn template(kind: &TemplateErrorKind, lang: Lang) -> String {
    use TemplateErrorKind as Kind;
    match kind {
        Kind::Unclosed => say!(lang, "this brace is never closed", "花括号没有结束"),
        Kind::Unopened => say!(lang, "this brace has no opening brace", "多余的花括号"),
        Kind::NoName => say!(lang, "no name between the braces", "花括号里没有名字"),
        Kind::BadName(name) => say!(lang, "`{name}` is not a valid name", "`{name}` 不能作名字"),
        Kind::BadDefault => {
            say!(
                lang,
                "after | write a text or one name in braces",
                "| 后面只能写文字或一个 {{名字}}"
            )
        }
    }
}
