//! Messages about names with an argument.

use super::{Lang, say, words};
use crate::computed::{BadComputed, WORDS};

pub(super) fn message(bad: &BadComputed, lang: Lang) -> String {
    match bad {
        BadComputed::Word { found, .. } => {
            say!(lang, "there is no name {{{found}:…}}", "没有 {{{found}:…}} 这种名字")
        }
        BadComputed::NotOfMembers { word, found } => say!(
            lang,
            "{{{word}:…}} is about a variable of each person, not about {found}",
            "{{{word}:…}} 统计每个人的变量，不能用 {found}"
        ),
        BadComputed::Count { word, key, found, most: 0 } => say!(
            lang,
            "{{{word}:{key}}} takes no further words: {found}",
            "{{{word}:{key}}} 后面不能再写：{found}"
        ),
        BadComputed::Count { found, most, .. } => say!(
            lang,
            "{found} is not a number from 1 to {most}",
            "{found} 不是 1 到 {most} 之间的整数"
        ),
        BadComputed::InPrivate { name } => say!(
            lang,
            "{{{name}}} is about the members of a group, and this is for private chats only",
            "{{{name}}} 针对群成员，而这里只用于私聊"
        ),
        BadComputed::RankOfNoOne => say!(
            lang,
            "{{rank:…}} is the rank of the sender, and a schedule has none",
            "{{rank:…}} 是发送者的名次，而定时没有发送者"
        ),
        BadComputed::Choice(choice) => say!(
            lang,
            "\"{choice}\" is neither a range of numbers nor several texts",
            "\"{choice}\" 既不是数字范围，也不是多个文字"
        ),
        BadComputed::RangeAmongTexts { range } => say!(
            lang,
            "\"{range}\" is one of several texts here, not a range of numbers",
            "\"{range}\" 写在几个文字之间，会原样发出，不是随机数"
        ),
        BadComputed::Reversed { from, to } => {
            say!(lang, "{from}-{to} ends before it begins", "{from}-{to} 的终点在起点之前")
        }
    }
}

pub(super) fn hint(bad: &BadComputed, lang: Lang) -> String {
    match bad {
        BadComputed::Word { meant: Some(meant), .. } => {
            let example = WORDS.iter().find(|(word, _)| word == meant);
            let example = example.map_or(*meant, |(_, example)| example);
            say!(lang, "did you mean {{{example}}}?", "是否想写 {{{example}}}？")
        }
        BadComputed::NotOfMembers { word, .. } => {
            let example = WORDS.iter().find(|(known, _)| known == word);
            let example = example.map_or("top:points", |(_, example)| example);
            say!(lang, "like {{{example}}}, for user.points", "如 {{{example}}}，对应 user.points")
        }
        BadComputed::Count { word, key, most: 0, .. } => {
            say!(lang, "write {{{word}:{key}}}", "请写 {{{word}:{key}}}")
        }
        BadComputed::Count { word, key, most, .. } => {
            say!(lang, "at most {{{word}:{key} {most}}}", "最多 {{{word}:{key} {most}}}")
        }
        BadComputed::InPrivate { .. } => {
            say!(lang, "take in = \"private\" out", "去掉 in = \"private\"")
        }
        BadComputed::RankOfNoOne => {
            say!(lang, "{{top:points}} lists all of them", "可用 {{top:points}} 列出所有人")
        }
        BadComputed::Word { .. } => {
            let known: Vec<String> =
                WORDS.iter().map(|(_, example)| format!("{{{example}}}")).collect();
            let known = words::list(&known, lang);
            say!(lang, "there are {known}", "可用：{known}")
        }
        BadComputed::Choice(_) => {
            say!(
                lang,
                "like {{random:1-6}} or {{random:a|b}}",
                "如 {{random:1-6}} 或 {{random:红|黄}}"
            )
        }
        BadComputed::RangeAmongTexts { range } => {
            say!(
                lang,
                "write {{random:{range}}}; it always has a value and needs no default",
                "请写 {{random:{range}}}；它总有值，不需要默认值"
            )
        }
        BadComputed::Reversed { from, to } => {
            say!(lang, "write {{random:{to}-{from}}}", "请写 {{random:{to}-{from}}}")
        }
    }
}
