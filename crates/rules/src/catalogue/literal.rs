//! Messages about texts that are taken literally although a construct was probably meant.

use super::{Lang, say};
use crate::problem::Literal;

#[expect(clippy::too_many_lines, reason = "a table: a line for each problem")]
pub(super) fn message(literal: &Literal, lang: Lang) -> String {
    match literal {
        Literal::Several { key: "choose", text, .. } => {
            say!(lang, "\"{text}\" is taken as a single choice", "\"{text}\" 会当作一个选项")
        }
        Literal::Several { key, text, .. } if is_of_names(key) => {
            say!(lang, "\"{text}\" is taken as one name", "\"{text}\" 会当作一个名字")
        }
        Literal::AtSign { text, .. } => {
            say!(
                lang,
                "\"{text}\" is taken as the name, with its @",
                "\"{text}\" 会连 @ 一起当作名字"
            )
        }
        Literal::AdminWord { text } => {
            say!(
                lang,
                "\"{text}\" is taken as the name of a friend",
                "\"{text}\" 会当作一个好友的名字"
            )
        }
        Literal::Several { text, .. }
        | Literal::StarInPattern { text, .. }
        | Literal::Regex { text, .. }
        | Literal::Hole { text, .. }
        | Literal::Star { text, .. } => say!(
            lang,
            "\"{text}\" is taken literally, with all its signs",
            "\"{text}\" 会原样当作一段文字，符号也算在内"
        ),
        Literal::NoList { text, .. } => say!(
            lang,
            "{text} is text here: there is no list of this name",
            "{text} 在这里只是文字：没有这个名字的列表"
        ),
        Literal::Wildcard { text } => say!(
            lang,
            "the * and ? in \"{text}\" are looked for literally",
            "\"{text}\" 里的 * 和 ? 会原样查找"
        ),
        Literal::Comparison { text, .. } => say!(
            lang,
            "the value must be the text \"{text}\", with all its signs",
            "值必须正好是 \"{text}\"，符号也算在内"
        ),
        Literal::Sum { text, .. } => say!(
            lang,
            "\"{text}\" becomes the text of the variable; set does not calculate",
            "变量的值会是 \"{text}\" 这段文字；set 不做计算"
        ),
        Literal::Name { written, .. } => {
            say!(lang, "{written} is sent literally", "{written} 会原样发出去")
        }
        Literal::Mention { name, is_own: true } => say!(
            lang,
            "this never matches: @{name} is removed before rules look at the text",
            "永远不会匹配：规则看到的文字里已经去掉了 @{name}"
        ),
        Literal::Mention { name, is_own: false } => say!(
            lang,
            "if {name} is the bot, this never matches: its mention is removed before rules look at the text",
            "如果 {name} 是机器人自己，就永远不会匹配：规则看到的文字里已经去掉了 @"
        ),
    }
}

#[expect(clippy::too_many_lines, reason = "a table: a line for each kind")]
pub(super) fn hint(literal: &Literal, lang: Lang) -> String {
    match literal {
        Literal::Several { key, parts, .. } => {
            let list = list(parts);
            say!(
                lang,
                "write several texts as a list: {key} = {list}",
                "多个文字要写成列表：{key} = {list}"
            )
        }
        Literal::Regex { plain, .. } => expression(plain, lang),
        Literal::Hole { text, .. } => say!(
            lang,
            "only a pattern can have holes: pattern = \"{text}\"",
            "只有 pattern 有空位：pattern = \"{text}\""
        ),
        Literal::Star {
            key: key @ ("prefix" | "suffix" | "keyword" | "all" | "none"),
            plain,
            ..
        } => {
            say!(
                lang,
                "leave the * out: {key} = \"{plain}\" finds it with other text beside it",
                "去掉 *：{key} = \"{plain}\" 本来就允许旁边有别的文字"
            )
        }
        Literal::Star { plain, .. } => say!(
            lang,
            "for a text with something beside it write keyword = \"{plain}\"",
            "旁边可以有别的文字时请写 keyword = \"{plain}\""
        ),
        Literal::NoList { meant: Some(meant), .. } => {
            say!(lang, "did you mean <{meant}>?", "是不是 <{meant}>？")
        }
        Literal::NoList { .. } => say!(
            lang,
            "lists are tables: [lists], then name = [\"…\", \"…\"]",
            "列表要先写：[lists]，再写 名字 = [\"…\", \"…\"]"
        ),
        Literal::Wildcard { .. } => say!(
            lang,
            "in keyword, all and none a * at an end beside a letter is the rest of the word: thank*",
            "在 keyword、all、none 里，只有词首词尾紧挨字母的 * 代表单词的其余部分：thank*"
        ),
        Literal::StarInPattern { plain, .. } => say!(
            lang,
            "for any text write a hole: \"{plain}\"",
            "任意文字的位置写成空位：\"{plain}\""
        ),
        Literal::AdminWord { .. } => say!(
            lang,
            "for those in [bot] admins write \"admin\"",
            "[bot] admins 里的人写作 \"admin\""
        ),
        Literal::AtSign { plain, .. } => say!(lang, "write \"{plain}\"", "请写 \"{plain}\""),
        Literal::Comparison { meant, .. } => say!(
            lang,
            "a list is [\"a\", \"b\"], a range is \"1..5\": write {meant}",
            "列表写 [\"a\", \"b\"]，范围写 \"1..5\"：请写 {meant}"
        ),
        Literal::Sum { variable, by, .. } => say!(
            lang,
            "to count write add = {{ {variable} = {by} }}",
            "要计数请写 add = {{ {variable} = {by} }}"
        ),
        Literal::Name { meant, .. } => {
            say!(lang, "names are written {{{meant}}}", "名字要写成 {{{meant}}}")
        }
        Literal::Mention { name, .. } => say!(
            lang,
            "write at_me = true and leave @{name} out of the text",
            "请写 at_me = true，并去掉文字里的 @{name}"
        ),
    }
}

/// The remedy for a regular expression among plain texts; if only `^` and `$` make it one, the key for that.
fn expression(plain: &str, lang: Lang) -> String {
    let begins = plain.starts_with('^');
    let ends = plain.ends_with('$');
    let bare = plain.trim_start_matches('^').trim_end_matches('$');
    let is_plain = bare.chars().all(|c| c.is_alphanumeric() || c == ' ');
    let key = match (begins, ends) {
        (true, true) if is_plain => "exact",
        (true, false) if is_plain => "prefix",
        (false, true) if is_plain => "suffix",
        _ => {
            let quote = if plain.contains('\'') { "'''" } else { "'" };
            return say!(
                lang,
                "for a regular expression write regex = {quote}{plain}{quote}",
                "正则表达式请写 regex = {quote}{plain}{quote}"
            );
        }
    };
    say!(lang, "write {key} = \"{bare}\"", "请写 {key} = \"{bare}\"")
}

fn is_of_names(key: &str) -> bool {
    matches!(
        key,
        "from" | "not_from" | "admins" | "ignore" | "names" | "groups" | "to" | "forward_to"
    )
}

/// Texts as a list of a rule file.
pub(super) fn list(items: &[String]) -> String {
    let quoted: Vec<String> = items.iter().map(|item| format!("\"{item}\"")).collect();
    format!("[{}]", quoted.join(", "))
}
