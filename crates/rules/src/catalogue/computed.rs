//! Messages about names with an argument.

use super::{Lang, say, words};
use crate::computed::{BadComputed, WORDS};

pub(super) fn message(bad: &BadComputed, lang: Lang) -> String {
    match bad {
        BadComputed::Word(word) => {
            say!(lang, "there is no name {{{word}:…}}", "没有 {{{word}:…}} 这种名字")
        }
        BadComputed::Choice(choice) => say!(
            lang,
            "\"{choice}\" is neither a range of numbers nor several texts",
            "\"{choice}\" 既不是数字范围，也不是多个文字"
        ),
        BadComputed::Reversed { from, to } => {
            say!(lang, "{from}-{to} ends before it begins", "{from}-{to} 的终点在起点之前")
        }
    }
}

pub(super) fn hint(bad: &BadComputed, lang: Lang) -> String {
    match bad {
        BadComputed::Word(_) => {
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
        BadComputed::Reversed { from, to } => {
            say!(lang, "write {{random:{to}-{from}}}", "请写 {{random:{to}-{from}}}")
        }
    }
}
